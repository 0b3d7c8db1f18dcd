"""The minimum living guarantee (低保) by the procedure in force since 2021-07-01 (民发〔2021〕57号): application to confirmation.

Beside the procedure of 2012, not in its place: by which of them a case is handled goes by its day of acceptance (law/procedures.yaml).
What both do alike is taken from there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from importlib import resources
from pathlib import Path

from engine.given import gives
from engine.model import Data, Put
from engine.office import Act
from engine.process import CaseRef
from processes import dibao_2012, law, paperwork, special_cases
from processes.dibao_2012 import DIBAO_2012
from processes.dibao_2021_forms import FORMS, MESSAGES

KEY = "dibao-2021"

# Facts that belong to one round of investigation; the next round begins without them. That the notice was disputed stays.
_ROUND = ("check_conclusion", "survey_ended_on", "category", "amount_fen", "per_capita", "low_income_consent", "review_conclusion",
          "street_outcome", "signoff", "district_outcome", "decision", "resolution", "meeting_from", "meeting_requested_on",
          "not_cooperating_on")  # fmt: skip
_LIMITS = {"district": "whole_case_workdays", "street": "whole_case_street_workdays"}


# -- services: pure


@gives("accepted_on", "near_relative", "confirmed_by", "whole_case_workdays", "disputed", "published_category", "published_fen")
def accept(today: date, snapshot: Data) -> Data:
    """受理之日: the clocks of N57 run from here, and who confirms is what the law says on this day (TJ-DELEGATE-2021)."""
    confirmed_by = law.procedure("dibao_confirmation", today)
    return {
        **dibao_2012.accept(today, snapshot), "confirmed_by": confirmed_by, "whole_case_workdays": int(law.value(_LIMITS[confirmed_by], today).amount),
        "disputed": False, "published_category": None, "published_fen": None,
    }  # fmt: skip


@gives(*_ROUND, "investigation_from")
def open_investigation(accepted_on: str, investigation_from: str | None, today: date) -> Data:
    since = accepted_on if investigation_from is None else today.isoformat()
    return {**dict.fromkeys(_ROUND), "investigation_from": since}


@gives("late_drawn", "late_drawn_on", "late_reason", "near_relative")
def check_late_draw(today: date, snapshot: Data, near_relative: bool | None) -> Data:  # noqa: FBT001
    """Before the decision: whether the file is to be visited after all, for it was drawn at a month's end, a near relative came out, or
    somebody complained while it was examined (N57 art 20)."""
    reasons = [name for name, yes in (("near_relative", snapshot["near_relative"]), ("reported", snapshot["reported"]), ("drawn", snapshot["late"])) if yes]
    return {"late_drawn": bool(reasons), "late_drawn_on": today.isoformat() if reasons else None, "late_reason": " ".join(reasons),
            "near_relative": bool(near_relative or snapshot["near_relative"])}  # fmt: skip


# -- gathering


def _late(act: Act, facts: Data) -> Data:
    visited = facts.get("spot_check") or facts.get("late_agrees") is not None
    found = dibao_2012.late(act, facts)
    return {**found, "reported": bool(facts.get("reported") or found.get("reported")) and not visited}


# -- effects


def _on_termination(act: Act, case: CaseRef, answers: Data, facts: Data) -> Sequence[Put]:
    return paperwork.issue(act, case, "termination", facts, answers) if facts.get("decision") == "terminated" else ()


_NOT_HERE = ("reject_after_check", "post_district_notice", "remove_district_notice", "special_case_decision")

DIBAO_2021 = replace(
    DIBAO_2012,
    key=KEY,
    title="最低生活保障申请审核确认（2021年办法）",
    title_en="Minimum living guarantee: application and confirmation (2021 rules)",
    bpmn=Path(str(resources.files("processes") / "bpmn" / "dibao-2021.bpmn")),
    forms=FORMS,
    former={},
    messages=MESSAGES,
    senders={
        **DIBAO_2012.senders,
        "objection": frozenset({"window_clerk", "reviewer", "complaint_officer", "village_committee"}),
        "not_cooperating": frozenset({"investigator", "civil_affairs_officer"}),
    },
    services={**DIBAO_2012.services, "accept": accept, "open_investigation": open_investigation, "check_late_draw": check_late_draw},
    former_rules={},
    gather={**DIBAO_2012.gather, "accept": dibao_2012.at_acceptance("民发〔2021〕57号第九条"), "check_late_draw": _late},
    effects={
        **{name: effect for name, effect in DIBAO_2012.effects.items() if name not in _NOT_HERE},
        "street_opinion": special_cases.requests(KEY),
        "district_examination": special_cases.requests(KEY),
        "street_confirmation": DIBAO_2012.effects["decide"],
        "decide_termination": _on_termination,
        "deliver_termination": dibao_2012.delivery("termination"),
    },
    begin=dibao_2012.begin(KEY),
)
