"""Periodic re-review (定期复审) of a benefit: contact, means check and home visit, a conclusion, and what it brings about.

N220 art 33; opened by a job on the day on which it falls due, or early by a person. The drawing owns order, lanes and deadlines.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from importlib import resources
from pathlib import Path
from typing import Any

from engine.errors import Invalid, Refused
from engine.forms import Form
from engine.given import given, gives
from engine.model import Data, Put
from engine.office import Act
from engine.process import CaseRef, Process
from processes import (
    benefits,
    calendar,
    change_kinds,
    complaint_rows,
    conclusions,
    duties,
    households,
    investigation,
    organisation,
    paperwork,
    report_duties,
    special_cases,
    stop_notice,
)
from processes.review_2012_forms import FORMS, MESSAGES, StartReview

KEY = "review-2012"
STARTERS = frozenset({"system", "window_clerk", "civil_affairs_officer"})

# Facts that belong to one round of investigation; the next round begins without them.
_ROUND = (*conclusions.ROUND, "check_conclusion", "survey_ended_on", "agree", "investigated", "review_class", "convert_consent")


# -- services: pure


@gives("authorisations_missing", "authorisations_asked_on")
def check_authorisations(today: date, snapshot: Data) -> Data:
    """The registries are asked with every adult's authorisation in force, or not at all (N220 art 12)."""
    return {"authorisations_missing": snapshot["missing"], "authorisations_asked_on": today.isoformat()}


@gives(*_ROUND, "investigation_from", "applied_on", "benefit_category", "benefit_fen")
def open_investigation(today: date, snapshot: Data) -> Data:
    """`applied_on`: the income of the months before this day counts. `snapshot`: the benefit as it stands now, for the yearly
    adjustment of the standard may have changed it since the review began."""
    day = today.isoformat()
    return {**dict.fromkeys(_ROUND), "investigation_from": day, "applied_on": day, "benefit_category": snapshot["category"], "benefit_fen": snapshot["amount_fen"]}


@gives(*(given(conclusions.assess) or ()), "investigated")
def assess(snapshot: Data) -> Data:
    return {**conclusions.assess(snapshot), "investigated": True}


@gives(*(given(conclusions.assess_2) or ()), "investigated")
def assess_2(snapshot: Data) -> Data:
    """The second version, which said nothing of the share of one member."""
    return {**conclusions.assess_2(snapshot), "investigated": True}


@gives(*(given(investigation.assess) or ()), "investigated")
def assess_1(snapshot: Data) -> Data:
    """The first version, which left the benefit as `open_investigation` had found it."""
    return {**investigation.assess(snapshot), "investigated": True}


@gives(*_ROUND, "contact_outcome", "exit_trigger")
def record_change(
    snapshot: Data, change_kind: str, reported_by: str, contact_outcome: str | None, check_conclusion: str | None, exit_trigger: str, complaint_no: str | None
) -> Data:
    """The review begins anew with what was reported. Who reported it counts for the ledger, unless the check had found it before, or a
    complaint had opened the review: the earliest trigger counts (domain 8)."""
    found = bool(complaint_no) or check_conclusion in ("inconsistent", "exceeds_standard")
    trigger = exit_trigger if found else {"household": "voluntary", "staff": "voluntary", "others": "reported"}.get(reported_by, exit_trigger)
    died = change_kind == "death" and snapshot["sole"]
    reached = "died" if died else "contacted" if reported_by in change_kinds.BY_HOUSEHOLD else contact_outcome
    return {**dict.fromkeys(_ROUND), "contact_outcome": reached, "exit_trigger": trigger}


# -- gathering


STARTED = (*conclusions.STARTED, "due_on", "review_from", "applied_on", "contact_outcome", "contact_attempts", "investigated", "destitute", "overpaid_since")


@gives(*STARTED)
def _begin(act: Act, facts: Data) -> Data:
    conclusions.refuse_other_procedure("review", KEY, act.today)
    return at_start(act, facts)


def at_start(act: Act, facts: Data) -> Data:
    told = _proved(act, facts)
    begun = conclusions.begin(act, facts["household_id"], "cleared" if told is None else "reported", STARTERS, person_id=facts.get("supported_person_id"))
    planned, today = benefits.row(act.conn, begun["benefit_id"])["next_review_on"], act.today.isoformat()
    if facts["occasion"] == "due" and (planned is None or planned > today):
        raise Refused("not-due", f"这户的复审还没有到期（{planned or '未定'}），提前复审请选“提前复审”并写明缘由", f"This review is not due before {planned}")
    due = planned if planned and planned < today else today
    first = {"contact_outcome": None, "contact_attempts": 0, "investigated": None, "destitute": benefits.is_destitute(begun["benefit_category"])}
    since = {} if told is None or told["event_on"] is None else {"overpaid_since": told["event_on"][:7]}  # S15: from the month of the purchase
    return {**begun, **first, "due_on": due, "review_from": today, "applied_on": today, **since}


def _proved(act: Act, facts: Data) -> Mapping[Any, Any] | None:
    """The complaint by which the review is opened: then an exit counts as one by the public's report (domain 8, L4c)."""
    if facts["occasion"] != "complaint":
        if facts.get("complaint_no"):
            raise Invalid({"complaint_no": ["举报查实的复审才填写"]})
        return None
    found = complaint_rows.proved(act.conn, facts.get("complaint_no"), facts["household_id"])
    if found is None:
        raise Refused("complaint", "没有这件查实的举报，或已据此开启复审", "No proved complaint of that number about this household, or it has opened a review already")
    return found


def _missing(act: Act, facts: Data) -> Data:
    return {"missing": len(households.missing_authorisations(act.conn, facts["household_id"], act.today, production=act.office.production))}


def _benefit(act: Act, facts: Data) -> Data:
    found = benefits.row(act.conn, facts["benefit_id"])
    return {"category": found["category"], "amount_fen": found["amount_fen"]}


def _sole(act: Act, facts: Data) -> Data:
    return {"sole": not _several(act, facts)}


def _several(act: Act, facts: Data) -> bool:
    if benefits.row(act.conn, facts["benefit_id"])["person_id"] is not None:
        return False
    return len(households.counted_members(act.conn, facts["household_id"], act.today)) > 1


# -- what only the tables can tell


def vet(act: Act, node: str, form: Form, answers: Data, facts: Data, acts: Sequence[Any]) -> None:
    investigation.vet(act, node, form, answers, facts, acts)
    if node == "street_opinion":
        _vet_past(act, form, answers, facts)
    wrong: dict[str, list[str]] = {}
    if node == "renew_authorisations" and answers["contact_outcome"] == "contacted" and (n := _missing(act, facts)["missing"]):
        wrong["contact_outcome"] = [form.say(f"还有 {n} 名成年家庭成员没有签署核对授权书", f"{n} adult members have not signed")]
    if "died" in (answers.get("contact_outcome"), answers.get("reason_code") == "death_single" and "died") and _several(act, facts):
        name = "reason_code" if node == "street_opinion" else "contact_outcome"
        wrong[name] = [form.say("这户享受待遇的不止一人，成员去世应先变更家庭成员", "More than one person receives it: change the members first")]
    if node == "change_reported":
        conclusions.refuse_stranger(act.conn, facts["household_id"], answers.get("person_id"))
        conclusions.refuse_before(conclusions.granted_on(act.conn, facts["benefit_id"]), answers["changed_on"])
    if wrong:
        raise Invalid(wrong)
    conclusions.vet(act, node, form, answers, facts)


def _vet_past(act: Act, form: Form, answers: Data, facts: Data) -> None:
    first = conclusions.first_of_past(benefits.row(act.conn, facts["benefit_id"]))
    if (month := answers.get("changed_since")) and month < first:
        raise Invalid({"changed_since": [form.say(f"不能早于 {first}：此前没有发放，或没有可据以测算的规定",
                                                   f"Not before {first}: nothing was paid, or no rules are known to compute by")]})  # fmt: skip


# -- effects


def _on_change(act: Act, case: CaseRef, answers: Data, facts: Data) -> Sequence[Put]:
    """Nobody waits any more for the meeting, and the notice of a stop comes down."""
    return [*special_cases.lapsed(act, case, answers, facts), *stop_notice.taken_down(act, case)]


def _on_report(act: Act, case: CaseRef, answers: Data, facts: Data) -> Sequence[Put]:
    """The household's own report is one wherever it is recorded: it answers the duty, and gets a receipt (N220 art 32; domain 1.6)."""
    if answers["reported_by"] not in change_kinds.BY_HOUSEHOLD:
        return ()
    report_duties.answer(act, facts["benefit_id"], case.no, answers["reported_on"])
    told = {**answers, "kind": answers["change_kind"], "event_on": answers["changed_on"], "late": facts["reported_late"]}
    return paperwork.issue(act, case, "report_receipt", facts, told)


REVIEW_2012 = Process(
    key=KEY,
    title="社会救助待遇定期复审（2012年办法）",
    title_en="Periodic re-review of a benefit (2012 rules)",
    prefix="FS",
    bpmn=Path(str(resources.files("processes") / "bpmn" / "review-2012.bpmn")),
    start_form=StartReview,
    starters=STARTERS,
    forms=FORMS,
    messages=MESSAGES,
    senders={
        "change_reported": frozenset({"window_clerk", "civil_affairs_officer", "village_committee"}),
        "not_cooperating": frozenset({"investigator", "civil_affairs_officer"}),
        "objection": stop_notice.SENDERS,
    },
    services={
        "check_authorisations": check_authorisations,
        "open_investigation": open_investigation,
        "request_means_check": investigation.request_means_check,
        "record_change": record_change,
        **conclusions.SERVICES,
        "assess": assess,
    },
    gather={"check_authorisations": _missing, "open_investigation": _benefit, "record_change": _sole, **conclusions.GATHER},
    vet=vet,
    former_rules={**conclusions.FORMER_RULES, "assess": {1: assess_1, 2: assess_2}},
    before={"means_check": investigation.keep_findings},
    effects={
        "request_means_check": investigation.ask_registries,
        "street_opinion": special_cases.requests(KEY),
        "resolution": special_cases.resolved,
        "change_reported": _on_report,
        "record_change": _on_change,
        **stop_notice.EFFECTS,
        **conclusions.EFFECTS,
    },
    begin=_begin,
    unit_of=organisation.unit_at,
    subject=lambda facts: f"household:{facts['household_id']}",
    recused=households.RECUSED,
    may=duties.may,
    may_delegate=duties.may_delegate,
    add_workdays=calendar.add_workdays,
    published=calendar.LAST_PUBLISHED,
)
