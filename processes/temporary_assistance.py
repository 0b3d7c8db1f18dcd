"""临时救助 (temporary assistance): 急难型, help first and papers after; 支出型, the ordinary procedure (domain 2.5; N23, N47, N649 arts 47-48).

The drawing owns order, lanes and deadlines, `temporary` the rules; this module owns what the services compute and what else is written.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from fractions import Fraction
from importlib import resources
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, select

from engine.errors import Invalid, Refused
from engine.forms import Form
from engine.given import gives
from engine.model import Data, Put
from engine.office import Act
from engine.process import CaseRef, Effect, Process
from engine.store import record
from processes import (
    calendar,
    dibao_2012,
    duties,
    eligibility,
    erasure,
    households,
    identity,
    investigation,
    law,
    organisation,
    paperwork,
    special_cases,
    temporary,
    temporary_grants,
)
from processes.case_tables import letter
from processes.eligibility_facts import BadFacts
from processes.money import yuan
from processes.tables import household
from processes.temporary_forms import FORMS, MESSAGES, HelpRequest

KEY = "temporary-assistance"
STARTERS = frozenset({"window_clerk", "civil_affairs_officer", "village_committee", "grid_worker"})
NOTICE = "temporary_assistance"
# Facts of one round of investigation; the next round begins without them.
_ROUND = ("check_conclusion", "survey_ended_on", "need_outcome", "aid_fen", "per_capita", "street_outcome", "figures_changed", "decision", "resolution",
          "approved_fen", "meeting_from", "meeting_requested_on", "confirmed_by")  # fmt: skip


# -- services: pure


@gives("way", "repeated", "repeated_cases", "street_limit_fen", "street_limit_source", "followup_workdays", "temp_workdays")
def sort_request(kind: str, cause: str, residence_basis: str, today: date, snapshot: Data) -> Data:
    """Who takes the request and how; by the law of this day, which the case keeps: its limits do not move under it."""
    earlier = temporary.same_cause(snapshot["earlier"], cause, today)
    limit = temporary.street_limit(today, snapshot["hukou_kind"], snapshot["district"])
    return {
        "way": "refer" if temporary.intake(kind, residence_basis) == temporary.REFER else kind, "repeated": bool(earlier), "repeated_cases": earlier,
        "street_limit_fen": limit.fen, "street_limit_source": limit.months.source,
        "followup_workdays": int(law.value("temp_followup_workdays", today).amount), "temp_workdays": int(law.value("temp_workdays", today).amount),
    }  # fmt: skip


@gives("accepted_on", "near_relative")
def accept(today: date, snapshot: Data) -> Data:
    return {"accepted_on": today.isoformat(), "near_relative": bool(snapshot["near_relative"])}


@gives(*_ROUND, "investigation_from")
def open_investigation(accepted_on: str, investigation_from: str | None, today: date) -> Data:
    return {**dict.fromkeys(_ROUND), "investigation_from": accepted_on if investigation_from is None else today.isoformat()}


@gives("need_outcome", "per_capita", "members_counted", "law_version")
def assess_need(today: date, snapshot: Data) -> Data:
    """Income and property against the limits of N23 part 2(1); income as for dibao, property as for low-income relief."""
    found = eligibility.measured({name: value for name, value in snapshot.items() if name != "on"})
    return {"need_outcome": temporary.fits(Fraction(found["per_capita_exact"]), found["band_property_ok"], today), "per_capita": found["per_capita"],
            "members_counted": found["members_counted"], "law_version": found["law_version"]}  # fmt: skip


@gives("confirmed_by")
def who_decides(street_outcome: str, aid_fen: int | None, requested_amount: int | None, street_limit_fen: int) -> Data:
    """N649 art 48: the street up to its limit, it included. A refusal is measured by what was asked for."""
    measured = aid_fen if street_outcome == "propose_grant" else requested_amount
    return {"confirmed_by": temporary.decider(measured or 0, street_limit_fen)}


@gives("granted_on")
def grant_aid(decided_on: str) -> Data:
    return {"granted_on": decided_on}


@gives("withdrawn_on")
def close_withdrawn(today: date) -> Data:
    return {"withdrawn_on": today.isoformat()}


# -- gathering


@gives("household_id", "street", "community", "near_relative")
def begin(act: Act, facts: Data) -> Data:
    """The household, or one of placeholder persons for somebody who is not registered; one case of this kind at a time. A case of dibao or
    a benefit does not stand in the way."""
    if not temporary.in_force(act.today):
        raise Refused("procedure", f"{act.today}没有适用的临时救助程序", f"No procedure of temporary assistance on {act.today}")
    home = facts.get("household_id")
    if home is None:
        home = _unregistered(act, facts["community"], facts["persons"])
    row = act.conn.execute(select(household).where(household.c.id == home)).mappings().one_or_none()
    post = None if row is None else act.actor.post_over(row["community"], STARTERS)
    if row is None or post is None:
        raise Refused("unit", "没有这户家庭，或不在您的辖区", "No such household in your area")
    act.through(post)
    erasure.refuse_restricted(act.conn, home)
    act.open("household", home)  # two windows at once: the second sees what the first began
    if no := _under_way(act.conn, home):
        raise Refused("open_case", f"这户已有在办的临时救助 {no}，请在该个案中办理", f"This household has an open case of temporary assistance: {no}")
    return {"household_id": home, "street": row["street"], "community": row["community"], "near_relative": households.near_relative_known(act.conn, home)}


def _unregistered(act: Act, community: str, persons: int) -> int:
    """Somebody who is not registered: counted now, named later (`households.name_member`)."""
    if act.actor.post_over(community, STARTERS) is None or organisation.unit_name(act.conn, community) == community:
        raise Refused("unit", "没有这个居村，或不在您的辖区", "No such community in your area")
    people = [{"name": f"{identity.PLACEHOLDER}{n}", "relation": "head" if n == 1 else "other", "placeholder": True} for n in range(1, persons + 1)]
    return households.register(act, {"community": community, "hukou_kind": "urban", "members": people})


def _under_way(conn: Connection, household_id: int) -> str | None:
    where = (record.c.subject == f"household:{household_id}", record.c.process == KEY, record.c.closed_at.is_(None))
    found: str | None = conn.scalar(select(record.c.no).where(*where).limit(1))
    return found


def _earlier(act: Act, facts: Data) -> Data:
    kind = act.conn.scalar(select(household.c.hukou_kind).where(household.c.id == facts["household_id"]))
    return {"earlier": temporary_grants.earlier(act.conn, facts["household_id"]), "hukou_kind": kind, "district": facts["street"][:6], "on": act.today.isoformat()}


_ACCEPTANCE = dibao_2012.at_acceptance("国务院令第649号第五十八条")


def _at_acceptance(act: Act, facts: Data) -> Data:
    if facts["residence_basis"] == "unknown":
        raise Refused("identity", "户籍或居住证还没有查明，请在材料审查中登记后再受理", "It is not known yet on what he is at home here: enter it with the papers first")
    return _ACCEPTANCE(act, facts)


def _figures(act: Act, facts: Data) -> Data:
    known = households.snapshot(act.conn, act.keys, facts["household_id"], act.today)
    return known | {"applied_on": facts["applied_on"], "on": act.today.isoformat()}


# -- what only the tables can tell


def vet(act: Act, node: str, form: Form, answers: Data, facts: Data, acts: Sequence[Any]) -> None:
    investigation.vet(act, node, form, answers, facts, acts)
    if node == "start":
        _vet_persons(act, answers, facts)
    if node == "emergency_decide" and answers["emergency_outcome"] == "help":
        _vet_cap(act, answers, facts)
    if node == "emergency_register" and not answers.get("identity_note") and _unknown(act, facts):
        raise Invalid({"identity_note": ["还有人员身份未查明，请补登，或写明原因"]})
    if node in ("street_confirmation", "decide") and answers["decision"] == "granted":
        _vet_figures(act, facts)


def _unknown(act: Act, facts: Data) -> bool:
    return households.unnamed(act.conn, facts["household_id"]) > 0 or facts["residence_basis"] == "unknown"


def _vet_persons(act: Act, answers: Data, facts: Data) -> None:
    if (members := len(households.members_of(act.conn, facts["household_id"]))) < answers["persons"]:
        raise Invalid({"persons": [f"这户登记了 {members} 人，不能超过"]})


def _vet_cap(act: Act, answers: Data, facts: Data) -> None:
    """Cash and goods together within the limit of the day; more is for the joint meeting, after an investigation (一事一议)."""
    kind = act.conn.scalar(select(household.c.hukou_kind).where(household.c.id == facts["household_id"]))
    cap = temporary.emergency_cap(_ordered(act, answers), str(kind), facts["persons"])
    if temporary.total(answers["items"]) > cap.fen:
        said = f"急难型救助不超过 {yuan(cap.fen)} 元（每人低保标准 {cap.standard.text} 元×{cap.months.text} 个月，{facts['persons']} 人）；需要更多的，先行救助后转支出型办理"
        raise Invalid({"items": [said]})


def _vet_figures(act: Act, facts: Data) -> None:
    """Nobody is granted anything by figures that are the household's no more; what the meeting resolved stands (as decision 029)."""
    if facts.get("need_outcome") is None or facts.get("resolution") == "approve_as":
        return
    try:
        now = assess_need(act.today, _figures(act, facts))["need_outcome"]
    except BadFacts:
        now = None
    if now != facts["need_outcome"]:
        raise Refused("figures-changed", "家庭情况在测算后有变化，按现有资料测算的结果不一致，请退回重新调查", "The household changed after the calculation: return the case for a new survey")


# -- effects


def _grants(act: Act, case: CaseRef, answers: Data, facts: Data, kind: str, decided: Data) -> list[Put]:
    """Each form of help is a row; `decided`: what is known of the decision, nothing of a proposal."""
    home, subject = facts["household_id"], f"household:{facts['household_id']}"
    common = {"case_no": case.no, "household_id": home, "community": facts["community"], "kind": kind, "cause": facts["cause"], "persons": facts["persons"],
              "unnamed": _unknown(act, facts), "state": "granted" if decided else "proposed", **decided}  # fmt: skip
    return [Put("temporary_grant", case.next_id(), {**common, "form": one["form"], "amount_fen": one.get("amount") or 0, "description": one["description"],
                                                    **({"referred_to": one["referred_to"]} if one.get("referred_to") else {})}, subject)
            for one in answers.get("items") or ()]  # fmt: skip


def _ordered(act: Act, answers: Data) -> date:
    """The day of a decision on the spot, which may be written down afterwards."""
    return date.fromisoformat(answers["ordered_on"]) if answers.get("ordered_on") else act.today


def _decided(act: Act, at: str, on: date) -> dict[str, Any]:
    return {"year": on.year, "granted_on": on.isoformat(), "decided_by": act.actor.id, "decided_at": at}


def _changed(act: Act, case: CaseRef, state: str, values: Data, subject: str | None = None) -> list[Put]:
    return [Put("temporary_grant", row_id, values, subject) for row_id in temporary_grants.ids(act.conn, case.no, state)]


def _on_emergency(act: Act, case: CaseRef, answers: Data, facts: Data) -> Sequence[Put]:
    return _grants(act, case, answers, facts, temporary.EMERGENCY, _decided(act, "street", _ordered(act, answers))) if answers["emergency_outcome"] == "help" else ()


def _on_payment(day: str) -> Effect:
    """`day`: the field that says when."""

    def effect(act: Act, case: CaseRef, answers: Data, facts: Data) -> Sequence[Put]:
        values = {"state": "paid", "paid_on": answers[day], "paid_by": act.actor.id, "pay_method": answers["pay_method"], "receiver": answers["receiver"],
                  "proof_document": answers.get("proof_document")}  # fmt: skip
        return _changed(act, case, "granted", values, f"household:{facts['household_id']}")

    return effect


def _on_register(act: Act, case: CaseRef, answers: Data, facts: Data) -> Sequence[Put]:
    """The signed page stands for the receipt where there was none on the spot."""
    known = {"unnamed": _unknown(act, facts)}
    return [Put("temporary_grant", one["id"], known | ({} if one["proof_document"] else {"proof_document": answers["signed_document"]}))
            for one in temporary_grants.of_case(act.conn, case.no) if one["kind"] == temporary.EMERGENCY]  # fmt: skip


def _on_signoff(act: Act, case: CaseRef, answers: Data, facts: Data) -> Sequence[Put]:
    if answers["signoff"] == "return":
        return ()
    rows = [one for one in temporary_grants.of_case(act.conn, case.no) if one["kind"] == temporary.EMERGENCY]
    puts = [Put("temporary_grant", one["id"], {"registered_on": act.today.isoformat()}) for one in rows]
    return [*puts, *paperwork.issue(act, case, "temp_emergency", facts, {"items": temporary_grants.shown(act.keys, rows)})]


def _on_opinion(act: Act, case: CaseRef, answers: Data, facts: Data) -> Sequence[Put]:
    """A new opinion stands in place of the one before."""
    proposed = _grants(act, case, answers, facts, temporary.EXPENDITURE, {}) if answers["street_outcome"] == "propose_grant" else []
    return [*_dropped(act, case), *proposed, *(special_cases.requests(KEY)(act, case, answers, facts) or ())]


def _dropped(act: Act, case: CaseRef) -> list[Put]:
    return _changed(act, case, "proposed", {"state": "dropped"})


def _on_decision(act: Act, case: CaseRef, answers: Data, facts: Data) -> Sequence[Put]:
    if facts.get("decision") != "refused":
        return ()
    return [*_dropped(act, case), *paperwork.issue(act, case, "temp_refusal", facts, answers)]


def _on_grant(act: Act, case: CaseRef, _answers: Data, facts: Data) -> Sequence[Put]:
    rows = [one for one in temporary_grants.of_case(act.conn, case.no) if one["state"] == "proposed"]
    puts = [Put("temporary_grant", one["id"], {"state": "granted", **_decided(act, facts["confirmed_by"], act.today)}) for one in rows]
    told = {"items": temporary_grants.shown(act.keys, rows), **special_cases.told(act, case.id, facts)}
    return [*puts, *paperwork.issue(act, case, "temp_grant", facts, told)]


def _issuing(kind: str) -> Effect:
    def effect(act: Act, case: CaseRef, answers: Data, facts: Data) -> Sequence[Put]:
        return paperwork.issue(act, case, kind, facts, answers)

    return effect


def _on_papers(act: Act, case: CaseRef, answers: Data, facts: Data) -> Sequence[Put]:
    told = facts.get("complete") or facts["residence_basis"] == "none"  # who is at home elsewhere is asked for nothing, but referred
    return () if told else paperwork.issue(act, case, "temp_supplement", facts, {"missing": answers["missing"]})


def _on_post(act: Act, case: CaseRef, answers: Data, facts: Data) -> Sequence[Put]:
    return paperwork.post_notice(act, case, NOTICE, {**facts, "category": NOTICE, "amount_fen": facts["aid_fen"]}, answers)


def _on_removal(act: Act, case: CaseRef, answers: Data, _facts: Data) -> Sequence[Put]:
    return paperwork.remove_notice(act, case, NOTICE, answers)


def _down(act: Act, case: CaseRef, _answers: Data, _facts: Data) -> list[Put]:
    """What is disputed, or asked for no more, hangs no longer."""
    return paperwork.remove_notice(act, case, NOTICE, {"removed_on": act.today.isoformat()})


def _on_withdrawal(act: Act, case: CaseRef, answers: Data, facts: Data) -> Sequence[Put]:
    return [*_down(act, case, answers, facts), *_dropped(act, case), *special_cases.lapsed(act, case, answers, facts)]


def _delivered(*kinds: str) -> Effect:
    """With the decision the letter on emergency help goes out, too, where it was not delivered before: a proof is not replaced."""

    def effect(act: Act, case: CaseRef, answers: Data, _facts: Data) -> Sequence[Put]:
        waiting = set(act.conn.scalars(select(letter.c.kind).where(letter.c.case_no == case.no, letter.c.kind.in_(kinds), letter.c.delivered_on.is_(None))))
        return [put for kind in kinds if kind in waiting for put in paperwork.delivered(act, case, kind, answers)]

    return effect


TEMPORARY_ASSISTANCE = Process(
    key=KEY,
    title="临时救助",
    title_en="Temporary assistance",
    prefix="LS",
    bpmn=Path(str(resources.files("processes") / "bpmn" / "temporary-assistance.bpmn")),
    start_form=HelpRequest,
    starters=STARTERS,
    forms=FORMS,
    messages=MESSAGES,
    senders={
        "withdrawal": frozenset({"window_clerk"}),
        "objection": frozenset({"window_clerk", "reviewer", "complaint_officer", "village_committee"}),
    },
    services={
        "sort_request": sort_request,
        "accept": accept,
        "open_investigation": open_investigation,
        "request_means_check": investigation.request_means_check,
        "assess_need": assess_need,
        "who_decides": who_decides,
        "grant_aid": grant_aid,
        "close_withdrawn": close_withdrawn,
    },
    gather={"sort_request": _earlier, "accept": _at_acceptance, "assess_need": _figures},
    vet=vet,
    before={"means_check": investigation.keep_findings},
    effects={
        "refer_applicant": _issuing("temp_referral"),
        "emergency_decide": _on_emergency,
        "emergency_pay": _on_payment("helped_on"),
        "emergency_register": _on_register,
        "emergency_signoff": _on_signoff,
        "completeness_check": _on_papers,
        "accept": _issuing("temp_acceptance"),
        "request_means_check": investigation.ask_registries,
        "street_opinion": _on_opinion,
        "post_street_notice": _on_post,
        "remove_street_notice": _on_removal,
        "objection": _down,
        "resolution": special_cases.resolved,
        "street_confirmation": _on_decision,
        "decide": _on_decision,
        "grant_aid": _on_grant,
        "pay_grant": _on_payment("paid_on"),
        "close_withdrawn": _on_withdrawal,
        "deliver_approval": _delivered("temp_emergency", "temp_grant"),
        "deliver_refusal": _delivered("temp_emergency", "temp_refusal"),
    },
    begin=begin,
    unit_of=organisation.unit_at,
    subject=lambda facts: f"household:{facts['household_id']}",
    recused=households.RECUSED,
    may=duties.may,
    may_delegate=duties.may_delegate,
    add_workdays=calendar.add_workdays,
    published=calendar.LAST_PUBLISHED,
)
