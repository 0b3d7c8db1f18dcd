"""Periodic re-review (定期核查) by the law in force since 2021-07-01 (N57 art 31), beside review_2012: the one that the law names on the day on
which it opens goes to its end (law/procedures.yaml).

Intervals are law data. Who confirms is what the law says on the day on which it opens; a grace period for work that began goes on to
its end, and the review in its last month concludes what is then right (docs/decisions/037). What both do alike is taken from there.
"""

from __future__ import annotations

from dataclasses import replace
from importlib import resources
from pathlib import Path

from engine.given import given, gives
from engine.model import Data
from engine.office import Act
from processes import conclusions, grace, law, review_2012, special_cases
from processes.change_report_2021 import figures
from processes.review_2012 import REVIEW_2012
from processes.review_2021_forms import FORMS

KEY = "review-2021"


@gives(*(given(review_2012.assess) or ()), *grace.FACTS)
def assess(snapshot: Data) -> Data:
    """`review_2012.assess`, and whether the household is in a grace period. `snapshot`: also grace, of `grace.asked`."""
    found = review_2012.assess({name: value for name, value in snapshot.items() if name != "grace"})
    return {**found, **grace.follows(snapshot, found, snapshot["benefit"]["category"])}


@gives(*review_2012.STARTED, "confirmed_by")
def _begin(act: Act, facts: Data) -> Data:
    conclusions.refuse_other_procedure("review", KEY, act.today)
    return {**review_2012.at_start(act, facts), "confirmed_by": law.procedure("dibao_confirmation", act.today)}


REVIEW_2021 = replace(
    REVIEW_2012,
    key=KEY,
    title="社会救助待遇定期核查（2021年办法）",
    title_en="Periodic re-review of a benefit (2021 rules)",
    bpmn=Path(str(resources.files("processes") / "bpmn" / "review-2021.bpmn")),
    forms=FORMS,
    services={**REVIEW_2012.services, "assess": assess},
    former_rules={},
    gather={**REVIEW_2012.gather, "assess": figures},
    effects={**REVIEW_2012.effects, "street_opinion": special_cases.requests(KEY)},
    begin=_begin,
)
