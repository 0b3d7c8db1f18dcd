"""The minimum living guarantee (低保) by the procedure in force in November 2018 (民发〔2012〕220号): application to decision.

The drawing owns order, lanes and deadlines; this module owns what its service tasks compute and what else is written.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from importlib import resources
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, select

from engine.errors import Refused
from engine.forms import Form
from engine.given import gives
from engine.model import Data, Put
from engine.office import Act
from engine.process import CaseRef, Gather, Process
from processes import (
    benefits,
    calendar,
    complaint_rows,
    conclusions,
    counterfactual,
    duties,
    erasure,
    fired,
    households,
    investigation,
    law,
    organisation,
    paperwork,
    special_cases,
    spot_check,
)
from processes.dibao_2012_forms import FORMER, FORMS, MESSAGES, Application, check_objection_until
from processes.tables import household

STARTERS = frozenset({"window_clerk"})

# Facts that belong to one round of investigation; the next round begins without them.
_ROUND = ("check_conclusion", "survey_ended_on", "category", "amount_fen", "per_capita", "low_income_consent",
          "review_conclusion", "street_outcome", "signoff", "figures_changed", "district_outcome", "resolution",
          "meeting_from", "meeting_requested_on")  # fmt: skip


# -- services: pure


@gives("accepted_on", "near_relative")
def accept(today: date, snapshot: Data) -> Data:
    """受理之日: the clocks of N220 run from here."""
    return {"accepted_on": today.isoformat(), "near_relative": bool(snapshot["near_relative"])}


@gives(*_ROUND, "investigation_from")
def open_investigation(accepted_on: str, investigation_from: str | None, today: date) -> Data:
    """The first investigation counts from acceptance; a later one has a clock of its own (domain 2.2, design)."""
    since = accepted_on if investigation_from is None else today.isoformat()
    return {**dict.fromkeys(_ROUND), "investigation_from": since}


@gives("check_conclusion")
def reopen_after_check() -> Data:
    return {"check_conclusion": None}


@gives("submitted_on", "spot_check", "spot_reason", "near_relative", "reported")
def receive_file(  # facts by name
    today: date, snapshot: Data, near_relative: bool | None, doubtful: bool | None, reported: bool | None  # noqa: FBT001
) -> Data:
    """The district's receipt. Near-relative, doubtful and reported files are visited every one (N220 art 26); a relative who
    was registered or found after acceptance counts as well."""
    related = bool(near_relative or snapshot["near_relative"])
    told = bool(reported or snapshot.get("reported"))  # a complaint about the household, which older entries say nothing of
    return {**receive_file_1(today, snapshot, related, doubtful, told), "near_relative": related, **({"reported": True} if snapshot.get("reported") else {})}


@gives("submitted_on", "spot_check", "spot_reason")
def receive_file_1(
    today: date, snapshot: Data, near_relative: bool | None, doubtful: bool | None, reported: bool | None  # noqa: FBT001
) -> Data:
    """The first version: it went by what was known at acceptance."""
    reasons = spot_check.reasons(near_relative=bool(near_relative), doubtful=bool(doubtful), reported=bool(reported), drawn=bool(snapshot["drawn"]))
    return {"submitted_on": today.isoformat(), "spot_check": bool(reasons), "spot_reason": " ".join(reasons)}


@gives("late_drawn", "late_drawn_on", "late_reason", "near_relative")
def check_late_draw(today: date, snapshot: Data, near_relative: bool | None) -> Data:  # noqa: FBT001
    """Before the decision: whether the file was added to the spot check at a month's end, or a near relative came out after
    the district had received it, so that it must be visited after all (N220 art 26)."""
    reasons = spot_check.reasons(near_relative=bool(snapshot["near_relative"]), doubtful=False, reported=bool(snapshot.get("reported")), drawn=bool(snapshot["late"]))
    related = bool(near_relative or snapshot["near_relative"])
    return {**check_late_draw_1(today, {"late": reasons}), "late_reason": " ".join(reasons), "near_relative": related}


@gives("late_drawn", "late_drawn_on")
def check_late_draw_1(today: date, snapshot: Data) -> Data:
    """The first version: the month's end only."""
    late = bool(snapshot["late"])
    return {"late_drawn": late, "late_drawn_on": today.isoformat() if late else None}


@gives("first_payment_month")
def grant(decided_on: str) -> Data:
    """Paid from the month after approval, never pro rata (N220 art 29)."""
    decided = date.fromisoformat(decided_on)
    year, month = (decided.year + 1, 1) if decided.month == 12 else (decided.year, decided.month + 1)
    return {"first_payment_month": f"{year}-{month:02d}"}


@gives("withdrawn_on")
def close_withdrawn(today: date) -> Data:
    return {"withdrawn_on": today.isoformat()}


# -- gathering: what a service is given to know


STARTED = ("street", "community", "near_relative_declared")


def begin(key: str, matter: str = "dibao", refuse_twice: Callable[[Act, int], None] | None = None) -> Gather:
    """What a case of this process begins with; Refused on a day of another procedure, or of none, and by `refuse_twice` (left out: a
    household with an open case or a benefit)."""

    @gives(*STARTED)
    def at_start(act: Act, facts: Data) -> Data:
        try:
            right = law.procedure(matter, act.today)
        except law.BadLaw:
            raise Refused("procedure", f"{act.today}还没有施行这项救助的办法，不能登记", f"On {act.today} there is no procedure for this assistance yet") from None
        if right != key:
            raise Refused("procedure", f"{act.today}提出的申请不适用这一办法，请按现行办法（{right}）登记", f"This procedure does not apply on {act.today}: register the application under {right}")
        return _at_start(act, facts, refuse_twice or (lambda act, household_id: _not_twice(act.conn, household_id)))

    return at_start


def _at_start(act: Act, facts: Data, refuse_twice: Callable[[Act, int], None]) -> Data:
    """The household's place; one open case per household and no second benefit."""
    found = place(act, facts["household_id"])
    refuse_twice(act, facts["household_id"])
    return found


def place(act: Act, household_id: int) -> Data:
    """The facts STARTED of a household in the clerk's area, which is locked from here on. Raises Refused."""
    row = act.conn.execute(select(household).where(household.c.id == household_id)).mappings().one_or_none()
    window = None if row is None else act.actor.post_over(row["community"], STARTERS)
    if row is None or window is None:
        raise Refused("unit", "没有这户家庭，或不在您的辖区", "No such household in your area")
    act.through(window)
    erasure.refuse_restricted(act.conn, household_id)
    act.open("household", household_id)  # two windows at once: the second sees what the first began
    return {"street": row["street"], "community": row["community"], "near_relative_declared": row["near_relative_declared"]}


def _not_twice(conn: Connection, household_id: int) -> None:
    if no := conclusions.open_case(conn, household_id):
        raise Refused("open_case", f"这户已有在办个案 {no}，不能重复申请", f"This household has an open case: {no}")
    if benefits.ended_by_death(conn, household_id):
        raise Refused("deceased", "这户享受待遇的人员已登记死亡，不能再提出申请；登记有误的，请先更正", "The recipient is registered as deceased; if that is wrong, mend it first")
    found = benefits.live(conn, household_id)
    counted = {n for n, _ in households.counted_members(conn, household_id, date.min)}
    if found is not None and found["person_id"] in (None, *counted):  # one member's support as a destitute person is in nobody else's way
        raise Refused("active_benefit", "这户正在享受救助待遇，不能重复申请", "This household already receives a benefit")


def at_acceptance(article: str) -> Gather:
    """Every adult member authorises the check before anything is asked (N220 art 12; N57 art 9): `article` says so to the clerk."""
    return lambda act, facts: _at_acceptance(act, facts, article)


def _at_acceptance(act: Act, facts: Data, article: str) -> Data:
    household_id = facts["household_id"]
    if missing := households.missing_authorisations(act.conn, household_id, act.today, production=act.office.production):
        raise Refused(
            "authorization",
            f"还有 {len(missing)} 名成年家庭成员没有签署核对授权书，或者授权书已过有效期，不能受理（{article}）",
            f"{len(missing)} adult members have signed no authorisation that is in force",
        )
    if unnamed := households.unnamed(act.conn, household_id):
        raise Refused("unnamed-members", f"还有 {unnamed} 名家庭成员没有登记姓名和身份证号，请先补登后再受理", f"{unnamed} members have no name and ID number yet: register them first")
    return {"near_relative": bool(facts.get("near_relative_declared")) or households.near_relative_known(act.conn, household_id)}


def _draw(act: Act, facts: Data) -> Data:
    known, told = households.near_relative_known(act.conn, facts["household_id"]), complaint_rows.reported(act.conn, facts["household_id"], facts.get("applied_on"))
    drawn = spot_check.kept(act, facts["household_id"]) if facts.get("submitted_on") else None  # a second receipt takes no second place
    if drawn is None:
        drawn = spot_check.draw(act, facts["street"], facts["household_id"])
    return {"drawn": drawn, "near_relative": known, **({"reported": True} if told else {})}


def late(act: Act, facts: Data) -> Data:
    """A file that was visited already is not visited again."""
    visited = facts.get("spot_check") or facts.get("late_agrees") is not None
    told = not visited and complaint_rows.reported(act.conn, facts["household_id"], facts.get("applied_on"))
    related = not visited and households.near_relative_known(act.conn, facts["household_id"])
    drawn = spot_check.drawn_late(act, facts["household_id"]) and not facts.get("spot_check")
    return {"late": drawn, "near_relative": related, **({"reported": True} if told else {})}


# -- what only the tables can tell


# Where somebody says what is to become of the application, and the words that say yes and no.
_SAID = {"street_opinion": "street_outcome", "street_confirmation": "decision", "district_examination": "district_outcome", "district_recheck": "district_outcome", "decide": "decision", "decide_refusal": "decision"}
_YES, _NO = ("propose_grant", "granted"), ("propose_refuse", "refused")


def vet(act: Act, node: str, form: Form, answers: Data, facts: Data, acts: Sequence[Any]) -> None:
    """Beside what every investigation asks: an amount of before a new standard is not granted, for no batch would come after it, and
    nobody is granted or refused anything by figures that are the household's no more. What the joint meeting resolved stands, as long
    as it lasts."""
    investigation.vet(act, node, form, answers, facts, acts)
    said = answers.get(_SAID.get(node, ""))
    if said in _YES and node != "street_opinion" and facts.get("resolution") != "approve_as":
        investigation.refuse_old_figures(act, facts)
    if said == "granted" and facts.get("resolution") == "approve_as":
        special_cases.refuse_outlived(act, facts["case_no"], grant(act.today.isoformat())["first_payment_month"])
    if said in _YES:
        special_cases.refuse_overruled(act, facts["case_no"], facts)
    if said in (*_YES, *_NO):
        investigation.refuse_changed_figures(act, facts, amount=said in _YES)


# -- effects: what else is written in the same transaction


def _on_completeness(act: Act, case: CaseRef, answers: Data, facts: Data) -> Sequence[Put]:
    if facts.get("complete"):
        return ()
    return paperwork.issue(act, case, "supplement", facts, {"missing": answers["missing"]})


def _on_accept(act: Act, case: CaseRef, _answers: Data, facts: Data) -> Sequence[Put]:
    return paperwork.issue(act, case, "acceptance", facts, {})


def _on_near_relative(act: Act, _case: CaseRef, answers: Data, facts: Data) -> None:
    """单独登记 (N220 art 14): the colleague is recused from now on, and the district visits the household."""
    households.register_near_relative(act, facts["household_id"], answers)


def _on_check_rejection(act: Act, case: CaseRef, answers: Data, facts: Data) -> Sequence[Put]:
    return paperwork.issue(act, case, "check_rejection", facts, {**answers, **_explained(act, case, facts)})


def _explained(act: Act, case: CaseRef, facts: Data) -> Data:
    """By which row, and what would have changed the outcome, from the assessment in the record. What the check found can be disproved in
    any case (N220 art 20); where the figures fit, or nothing was assessed yet, that is all there is to say."""
    category = facts.get("category")
    over = category not in (None, "dibao", facts.get("programme"))
    said = counterfactual.of_case(act.conn, act.keys, case.id, None, "refused", category) if over else []
    return {"would": [*said, counterfactual.CHECKED_AGAIN], "rows": fired.rows_of(act.conn, case.id, category) if over else []}


def _on_check_rejection_at_once(act: Act, case: CaseRef, answers: Data, facts: Data) -> Sequence[Put]:
    """On earlier drawings the same form says when the household got it: the period to object (N220 art 20) runs from there."""
    [put] = paperwork.issue(act, case, "check_rejection", facts, {**answers, **_explained(act, case, facts)})
    got = {"delivered_on": answers["delivered_on"], "receipt_document": answers.get("receipt_document")}
    return [replace(put, values={**put.values, **got})]


def _on_decision(act: Act, case: CaseRef, answers: Data, facts: Data) -> Sequence[Put]:
    if facts.get("decision") != "refused":
        return ()
    reason = answers.get("reason_code") or facts.get("reason_code")
    otherwise = counterfactual.of_case(act.conn, act.keys, case.id, reason, "refused", facts.get("category"))
    rows = [] if reason in counterfactual.NOT_FIGURES or facts.get("resolution") == "refuse" else fired.rows_of(act.conn, case.id, facts.get("category"))
    return paperwork.issue(act, case, "refusal", facts, {**answers, "would": otherwise, "rows": rows})


def _on_grant(act: Act, case: CaseRef, answers: Data, facts: Data) -> Sequence[Put]:
    """The benefit is a record of its own; its first entry is the grant."""
    values = {
        "household_id": facts["household_id"],
        "case_no": case.no,
        "category": facts["category"],
        "amount_fen": facts["amount_fen"],
        "status": "pending_first_payment",
        "first_payment_month": facts["first_payment_month"],
        "members": facts.get("members_counted") or len(households.counted_members(act.conn, facts["household_id"], act.today)),
        "granted_on": facts["decided_on"],
        "law_version": facts.get("law_version") or law.version(act.today),
    }
    benefits.begin(act, "benefit_granted", values, {"case": case.no})
    rows = [] if facts.get("resolution") == "approve_as" else fired.rows_of(act.conn, case.id, facts["category"])
    return paperwork.issue(act, case, "approval", facts, {**answers, **special_cases.told(act, case.id, facts), "rows": rows})


def _posting(stage: str) -> Any:
    def effect(act: Act, case: CaseRef, answers: Data, facts: Data) -> Sequence[Put]:
        return paperwork.post_notice(act, case, stage, facts, answers)

    return effect


def _removal(stage: str) -> Any:
    def effect(act: Act, case: CaseRef, answers: Data, _facts: Data) -> Sequence[Put]:
        return paperwork.remove_notice(act, case, stage, answers)

    return effect


_STAGES = ("street_opinion", "district_proposal")


def _on_objection(act: Act, case: CaseRef, answers: Data, _facts: Data) -> Sequence[Put]:
    """What is disputed hangs no longer: what comes of it is published anew (N220 art 29). The notice is over on the day on which the
    objection is recorded, when everybody may know of it, not on the day on which it was raised."""
    return _down(act, case)


def _on_withdrawal(act: Act, case: CaseRef, answers: Data, facts: Data) -> Sequence[Put]:
    """A household that asks for nothing any more is not shown to its neighbours."""
    return [*_down(act, case), *special_cases.lapsed(act, case, answers, facts)]


def _down(act: Act, case: CaseRef) -> list[Put]:
    return [put for stage in _STAGES for put in paperwork.remove_notice(act, case, stage, {"removed_on": act.today.isoformat()})]


def delivery(kind: str) -> Any:
    def effect(act: Act, case: CaseRef, answers: Data, _facts: Data) -> Sequence[Put]:
        return paperwork.delivered(act, case, kind, answers)

    return effect


def _counted(facts: Data, published: int) -> Data:
    """The window for objecting to the check's result, in working days (N220 art 20). Older cases do not say from when it was counted."""
    if not facts.get("check_result_on"):
        return {}
    return {"check_objection_until": check_objection_until(facts["check_result_on"], published, facts.get("check_rejected_on"))}


def moving(matter: str) -> Callable[[str, Data, date], str | None]:
    """受理: by the procedure of the day of acceptance the case is handled, also where it was begun under an older one (domain 2.8)."""
    return lambda node, facts, today: law.procedure(matter, today) if node == "completeness_check" and facts["complete"] else None


DIBAO_2012 = Process(
    key="dibao-2012",
    title="最低生活保障申请审核审批（2012年办法）",
    title_en="Minimum living guarantee: application, review, approval (2012 rules)",
    prefix="DB",
    bpmn=Path(str(resources.files("processes") / "bpmn" / "dibao-2012.bpmn")),
    start_form=Application,
    starters=STARTERS,
    forms=FORMS,
    former=FORMER,
    messages=MESSAGES,
    senders={
        "withdrawal": frozenset({"window_clerk"}),
        "objection": frozenset({"window_clerk", "reviewer", "district_examiner", "complaint_officer", "village_committee"}),
    },
    services={
        "accept": accept,
        "open_investigation": open_investigation,
        "request_means_check": investigation.request_means_check,
        "assess": investigation.assess,
        "reopen_after_check": reopen_after_check,
        "receive_file": receive_file,
        "check_late_draw": check_late_draw,
        "grant": grant,
        "close_withdrawn": close_withdrawn,
    },
    former_rules={"receive_file": {1: receive_file_1}, "check_late_draw": {1: check_late_draw_1}},
    gather={"accept": at_acceptance("民发〔2012〕220号第十二条"), "assess": investigation.figures, "receive_file": _draw, "check_late_draw": late},
    vet=vet,
    before={"means_check": investigation.keep_report},
    effects={
        "completeness_check": _on_completeness,
        "accept": _on_accept,
        "register_near_relative": _on_near_relative,
        "request_means_check": investigation.ask_registries,
        "issue_check_rejection": _on_check_rejection,
        "deliver_check_rejection": delivery("check_rejection"),
        "reject_after_check": _on_check_rejection_at_once,
        "post_street_notice": _posting("street_opinion"),
        "remove_street_notice": _removal("street_opinion"),
        "post_district_notice": _posting("district_proposal"),
        "remove_district_notice": _removal("district_proposal"),
        "decide": _on_decision,
        "decide_refusal": _on_decision,
        "grant": _on_grant,
        "street_opinion": special_cases.requests("dibao-2012"),
        "district_examination": special_cases.requests("dibao-2012"),
        "resolution": special_cases.resolved,
        "special_case_decision": special_cases.resolved,
        "close_withdrawn": _on_withdrawal,
        "objection": _on_objection,
        "deliver_approval": delivery("approval"),
        "deliver_refusal": delivery("refusal"),
    },
    begin=begin("dibao-2012"),
    moves=moving("dibao"),
    unit_of=organisation.unit_at,
    subject=lambda facts: f"household:{facts['household_id']}",
    recused=households.RECUSED,
    may=duties.may,
    may_delegate=duties.may_delegate,
    counted=_counted,
    add_workdays=calendar.add_workdays,
    published=calendar.LAST_PUBLISHED,
)
