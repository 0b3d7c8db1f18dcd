"""主动报告 by the law in force since 2021-07-01 (民发〔2021〕57号, "N57"; from 2022-10-20 also N2022; domain 2.8.1, 2.9), beside
change_report_2012: whichever the law names on the day on which a report is taken handles it to its end (law/procedures.yaml).

Who confirms is what the law says on that day; a death is dealt with within three months; who begins to work may keep the benefit
for a grace period. What both do alike is taken from there.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from importlib import resources
from pathlib import Path

from engine.given import given, gives
from engine.model import Data
from engine.office import Act
from processes import benefits, calendar, change_report_2012, conclusions, grace, law, special_cases
from processes.change_report_2012 import CHANGE_REPORT_2012
from processes.change_report_2021_forms import FORMS

KEY = "change-report-2021"


# -- services: pure


@gives("exit_reason", "transfers", "change_workdays")
def sort_change(  # facts by name
    kind: str, wants_exit: bool | None, person_id: int | None, new_community: str | None, street: str, snapshot: Data,  # noqa: FBT001
    event_on: str | None, reported_on: str, stopped_workdays: int | None, today: date,
) -> Data:  # fmt: skip
    """Which way the change goes, and within how many working days of the report it is decided: after a death not later than the law's
    months from it allow, the days on which the clock stood included (N2022)."""
    n, months = int(law.value("change_workdays", today).amount), law.in_force("death_months", today)
    if kind == "death" and event_on and months:
        last = benefits.add_months(date.fromisoformat(event_on), int(months.amount))
        n = min(n, max(1, calendar.workdays_between(date.fromisoformat(reported_on), last) - (stopped_workdays or 0)))
    return {**change_report_2012.sort_change(kind, wants_exit, person_id, new_community, street, snapshot), "change_workdays": n}


@gives(*(given(conclusions.assess) or ()), *grace.FACTS)
def assess(snapshot: Data) -> Data:
    """`conclusions.assess`, and whether the household is in a grace period. `snapshot`: also grace, of `grace.asked`."""
    figures = conclusions.assess({name: value for name, value in snapshot.items() if name != "grace"})
    return {**figures, **grace.follows(snapshot, figures, snapshot["benefit"]["category"])}


# -- gathering


@gives(*change_report_2012.STARTED, "confirmed_by")
def _begin(act: Act, facts: Data) -> Data:
    return {**change_report_2012.begin(KEY)(act, facts), "confirmed_by": law.procedure("dibao_confirmation", act.today)}


def figures(act: Act, facts: Data) -> Data:
    """Gathered for `assess`."""
    return {**conclusions.figures(act, facts), "grace": grace.asked(act, facts)}


CHANGE_REPORT_2021 = replace(
    CHANGE_REPORT_2012,
    key=KEY,
    title="救助家庭主动报告变化（2021年办法）",
    title_en="Report of a change by a household in benefit (2021 rules)",
    bpmn=Path(str(resources.files("processes") / "bpmn" / "change-report-2021.bpmn")),
    forms=FORMS,
    services={**CHANGE_REPORT_2012.services, "sort_change": sort_change, "assess": assess},
    former_rules={},
    gather={**CHANGE_REPORT_2012.gather, "assess": figures},
    effects={**CHANGE_REPORT_2012.effects, "street_opinion": special_cases.requests(KEY)},
    partners={**CHANGE_REPORT_2012.partners, "street_confirmation": CHANGE_REPORT_2012.partners["decide"]},
    begin=_begin,
)
