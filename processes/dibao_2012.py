"""The minimum living guarantee (低保) by the procedure in force in November 2018 (民发〔2012〕220号): application to decision.

The drawing owns order, lanes and deadlines; this module owns what its service tasks compute and what else is written.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from importlib import resources
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, select

from engine import jobs, store
from engine.errors import Invalid, Refused
from engine.forms import Form
from engine.given import gives
from engine.model import Data, Put
from engine.office import Act
from engine.process import CaseRef, Process
from processes import calendar, documents, duties, eligibility, households, law, organisation, paperwork, spot_check
from processes.dibao_2012_forms import FORMS, MESSAGES, PROOFS, Application, Deliver
from processes.tables import benefit, household

DISTRICT = "120116"
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


@gives("means_round")
def request_means_check(means_round: int | None) -> Data:
    return {"means_round": (means_round or 0) + 1}


@gives("category", "amount_fen", "per_capita", "members_counted", "law_version", "edge")
def assess(snapshot: Data) -> Data:
    """The arithmetic of domain 3 on what was declared, checked and seen. Keeps figures, not sentences."""
    result = eligibility.assess(dict(snapshot))
    return {
        "category": result["category"],
        "amount_fen": result["amount_fen"],
        "per_capita": result["per_capita"],
        "members_counted": result["members_counted"],
        "law_version": result["law_version"],
        "edge": "edge" in result["flags"],
    }


@gives("check_conclusion")
def reopen_after_check() -> Data:
    return {"check_conclusion": None}


@gives("submitted_on", "spot_check", "spot_reason")
def receive_file(  # facts by name
    today: date, snapshot: Data, near_relative: bool | None, doubtful: bool | None, reported: bool | None  # noqa: FBT001
) -> Data:
    """The district's receipt. Near-relative, doubtful and reported files are visited every one (N220 art 26)."""
    known = (("near_relative", near_relative), ("doubtful", doubtful), ("reported", reported))
    reasons = [name for name, yes in known if yes]
    if snapshot["drawn"]:
        reasons.append("drawn")
    return {"submitted_on": today.isoformat(), "spot_check": bool(reasons), "spot_reason": " ".join(reasons)}


@gives("late_drawn", "late_drawn_on")
def check_late_draw(today: date, snapshot: Data) -> Data:
    """Before the decision: whether the file was added to the spot check at a month's end (N220 art 26)."""
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


@gives("street", "community", "near_relative_declared")
def _at_start(act: Act, facts: Data) -> Data:
    """The household's place; one open case per household and no second benefit."""
    household_id = facts["household_id"]
    row = act.conn.execute(select(household).where(household.c.id == household_id)).mappings().one_or_none()
    window = None if row is None else act.actor.post_over(row["community"], STARTERS)
    if row is None or window is None:
        raise Refused("unit", "没有这户家庭，或不在您的辖区", "No such household in your area")
    act.through(window)
    act.open("household", household_id)  # two windows at once: the second sees what the first began
    _not_twice(act.conn, household_id)
    return {"street": row["street"], "community": row["community"], "near_relative_declared": row["near_relative_declared"]}


def _not_twice(conn: Connection, household_id: int) -> None:
    cases = store.record
    where = (cases.c.subject == f"household:{household_id}") & (cases.c.kind == "case") & cases.c.closed_at.is_(None)
    if no := conn.scalar(select(cases.c.no).where(where)):
        raise Refused("open_case", f"这户已有在办个案 {no}，不能重复申请", f"This household has an open case: {no}")
    live = benefit.c.status.in_(("pending_first_payment", "active", "suspended"))
    if conn.scalar(select(benefit.c.id).where(benefit.c.household_id == household_id, live)):
        raise Refused("active_benefit", "这户正在享受救助待遇，不能重复申请", "This household already receives a benefit")


def _at_acceptance(act: Act, facts: Data) -> Data:
    """Every adult member authorises the check before anything is asked (N220 art 12)."""
    household_id = facts["household_id"]
    if missing := households.missing_authorisations(act.conn, household_id, act.today):
        raise Refused(
            "authorization",
            f"还有 {len(missing)} 名成年家庭成员没有签署核对授权书，不能受理（民发〔2012〕220号第十二条）",
            f"{len(missing)} adult members have not signed the authorisation",
        )
    return {"near_relative": bool(facts.get("near_relative_declared")) or households.near_relative_known(act.conn, household_id)}


def _figures(act: Act, facts: Data) -> Data:
    return households.snapshot(act.conn, act.keys, facts["household_id"], act.today) | {"applied_on": facts["applied_on"]}


def _draw(act: Act, facts: Data) -> Data:
    return {"drawn": spot_check.draw(act, facts["street"], facts["household_id"])}


def _late(act: Act, facts: Data) -> Data:
    """A file that was visited already is not visited again."""
    return {"late": spot_check.drawn_late(act, facts["household_id"]) and not facts.get("spot_check")}


# -- vetting: named people and papers must be real


def _vet(act: Act, node: str, form: Form, answers: Data, facts: Data, acts: Sequence[Any]) -> None:
    wrong = documents.foreign(act.conn, form, answers, facts["household_id"])
    if node == "home_survey":
        wrong |= _second(act, str(answers["second_investigator"]), facts, acts)
    if isinstance(form, Deliver) and act.office.production:
        wrong |= _unproved(answers)
    if wrong:
        raise Invalid(wrong)


def _unproved(answers: Data) -> dict[str, list[str]]:
    """Appeal periods run from the delivery, so it is proved; in training nobody has a signed page to scan."""
    fields, why = PROOFS.get(str(answers["method"]), ((), ""))
    return {fields[0]: [why]} if fields and not any(answers.get(name) for name in fields) else {}


def _second(act: Act, login: str, facts: Data, acts: Sequence[Any]) -> dict[str, list[str]]:
    """Whoever could not sign cannot be named: the case would wait for him for ever."""
    who = organisation.find_actor(act.conn, login)
    if who is None or not who.holds("investigator", facts["street"]):
        return {"second_investigator": ["本街镇没有这位入户调查人"]}
    related = households.recused_staff(act.conn, facts["household_id"])
    broken = duties.may("assign", "survey_cosign", "investigator", login, actor_roles=who.roles, acts=[a for a in acts if a.node != "home_survey"],
                        relatives=related, facts={})  # fmt: skip
    return {"second_investigator": [f"不能由其担任第二调查人：{broken.zh}"]} if broken else {}


# -- effects: what else is written in the same transaction


def _ask_registries(act: Act, case: CaseRef, _answers: Data, facts: Data) -> None:
    data = {"household_id": facts["household_id"]}
    jobs.plan(act.conn, "means_check", case.id, f"round.{facts['means_round']}", act.now, data)


def _keep_findings(act: Act, _case: CaseRef, answers: Data, facts: Data) -> None:
    """What the check found stands before what was declared, before anything is computed from it."""
    household_id = facts["household_id"]
    if answers.get("found_assets") is not None:
        found = {"kind": "monetary_assets", "amount_fen": answers["found_assets"]}
        households.set_property(act, household_id, [found], source="checked")
    if answers.get("found_income") is not None:
        who = households.applicant(act.conn, household_id)["id"]
        item = {"kind": "other_income", "amount_fen": answers["found_income"], "period": "month"}
        households.set_income(act, household_id, who, [item], source="checked")


def _on_completeness(act: Act, case: CaseRef, answers: Data, facts: Data) -> Sequence[Put]:
    if facts.get("complete"):
        return ()
    return paperwork.issue(act, case, "supplement", facts, {"missing": answers["missing"]})


def _on_accept(act: Act, case: CaseRef, _answers: Data, facts: Data) -> Sequence[Put]:
    return paperwork.issue(act, case, "acceptance", facts, {})


def _on_check_rejection(act: Act, case: CaseRef, answers: Data, facts: Data) -> Sequence[Put]:
    return paperwork.issue(act, case, "check_rejection", facts, answers)


def _on_decision(act: Act, case: CaseRef, answers: Data, facts: Data) -> Sequence[Put]:
    return paperwork.issue(act, case, "refusal", facts, answers) if facts.get("decision") == "refused" else ()


def _on_grant(act: Act, case: CaseRef, answers: Data, facts: Data) -> Sequence[Put]:
    """The benefit is a record of its own; its first entry is the grant."""
    members = households.counted_members(act.conn, facts["household_id"], act.today)
    opened = act.new("benefit", facts["street"], subject=f"household:{facts['household_id']}")
    values = {
        "household_id": facts["household_id"],
        "case_no": case.no,
        "category": facts["category"],
        "amount_fen": facts["amount_fen"],
        "status": "pending_first_payment",
        "first_payment_month": facts["first_payment_month"],
        "members": facts.get("members_counted") or len(members),
        "granted_on": facts["decided_on"],
        "law_version": facts.get("law_version") or law.version(act.today),
    }
    benefit_id = opened.next_id()
    puts = [Put("benefit", benefit_id, values)]
    for person_id, id_blind in members:
        values = {"benefit_id": benefit_id, "person_id": person_id, "id_blind": id_blind, "active": True}
        puts.append(Put("benefit_person", opened.next_id(), values, f"person:{person_id}"))
    act.append(opened, "benefit_granted", {"case": case.no}, puts=puts)
    return paperwork.issue(act, case, "approval", facts, answers)


def _posting(stage: str) -> Any:
    def effect(act: Act, case: CaseRef, answers: Data, facts: Data) -> Sequence[Put]:
        return paperwork.post_notice(act, case, stage, facts, answers)

    return effect


def _removal(stage: str) -> Any:
    def effect(act: Act, case: CaseRef, answers: Data, _facts: Data) -> Sequence[Put]:
        return paperwork.remove_notice(act, case, stage, answers)

    return effect


def _delivery(kind: str) -> Any:
    def effect(act: Act, case: CaseRef, answers: Data, _facts: Data) -> Sequence[Put]:
        return paperwork.delivered(act, case, kind, answers)

    return effect


def _unit_of(level: str, facts: Data) -> str:
    return {"district": DISTRICT, "street": facts.get("street"), "community": facts.get("community")}.get(level) or DISTRICT


DIBAO_2012 = Process(
    key="dibao-2012",
    title="最低生活保障申请审核审批（2012年办法）",
    title_en="Minimum living guarantee: application, review, approval (2012 rules)",
    prefix="DB",
    bpmn=Path(str(resources.files("processes") / "bpmn" / "dibao-2012.bpmn")),
    start_form=Application,
    starters=STARTERS,
    forms=FORMS,
    messages=MESSAGES,
    senders={
        "withdrawal": frozenset({"window_clerk"}),
        "objection": frozenset({"window_clerk", "reviewer", "district_examiner", "complaint_officer", "village_committee"}),
    },
    services={
        "accept": accept,
        "open_investigation": open_investigation,
        "request_means_check": request_means_check,
        "assess": assess,
        "reopen_after_check": reopen_after_check,
        "receive_file": receive_file,
        "check_late_draw": check_late_draw,
        "grant": grant,
        "close_withdrawn": close_withdrawn,
    },
    gather={"accept": _at_acceptance, "assess": _figures, "receive_file": _draw, "check_late_draw": _late},
    vet=_vet,
    before={"means_check": _keep_findings},
    effects={
        "completeness_check": _on_completeness,
        "accept": _on_accept,
        "request_means_check": _ask_registries,
        "reject_after_check": _on_check_rejection,
        "post_street_notice": _posting("street_opinion"),
        "remove_street_notice": _removal("street_opinion"),
        "post_district_notice": _posting("district_proposal"),
        "remove_district_notice": _removal("district_proposal"),
        "decide": _on_decision,
        "decide_refusal": _on_decision,
        "grant": _on_grant,
        "deliver_approval": _delivery("approval"),
        "deliver_refusal": _delivery("refusal"),
    },
    begin=_at_start,
    unit_of=_unit_of,
    subject=lambda facts: f"household:{facts['household_id']}",
    recused=households.RECUSED,
    may=duties.may,
    add_workdays=calendar.add_workdays,
    published=calendar.LAST_PUBLISHED,
)
