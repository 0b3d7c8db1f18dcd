"""The support of the destitute (特困人员救助供养) by the procedure of 2016 (民发〔2016〕178号): a person's application, to the decision.

Steps that are those of dibao come from there. What is its own: the applicant is one named member, the three conditions are tested on him and
on those who must support him by law (`destitution`), his self-care is assessed, and he gets the full standard (domain 2.4, 2.8.2, 3.7).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from importlib import resources
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, select

from engine.errors import Invalid, Refused
from engine.forms import Form
from engine.given import gives
from engine.model import Data, Put
from engine.office import Act
from engine.process import CaseRef, Gather
from processes import benefits, conclusions, destitution, dibao_2012, eligibility, households, investigation, law, paperwork
from processes.destitute_forms import FORMS_2016, MESSAGES, REASON_OF, DestituteApplication
from processes.destitute_tables import destitute_finding
from processes.dibao_2012 import DIBAO_2012
from processes.eligibility_facts import BadFacts
from processes.money import yuan
from processes.tables import benefit, benefit_person

KEY = "destitute-2016"

# Facts that belong to one round of investigation; the next round begins without them.
_ROUND = ("check_conclusion", "survey_ended_on", "circumstances_on", "category", "amount_fen", "review_conclusion", "street_outcome", "signoff", "figures_changed",
          "district_outcome", "decision")  # fmt: skip
ASSESSED = ("category", "amount_fen", "income_fen", "members_counted", "law_version", "able_obligors")


# -- services: pure


@gives("accepted_on", "near_relative", "confirmed_by", "street_from", "self_care", "published_category", "published_fen")
def accept(today: date, snapshot: Data) -> Data:
    """受理之日: the street's working days run from here, and who confirms is what the law says on this day (TJ-DELEGATE-2021)."""
    return {**dibao_2012.accept(today, snapshot), "confirmed_by": law.procedure("destitute_confirmation", today), "street_from": today.isoformat(),
            "self_care": None, "published_category": None, "published_fen": None}  # fmt: skip


@gives(*_ROUND, "investigation_from", "street_from")
def open_investigation(accepted_on: str, investigation_from: str | None, today: date) -> Data:
    """The first investigation counts from acceptance; a later one has a clock of its own (domain 2.2, design)."""
    since = accepted_on if investigation_from is None else today.isoformat()
    return {**dict.fromkeys(_ROUND), "investigation_from": since, "street_from": since}


@gives(*ASSESSED)
def assess_destitute(snapshot: Data) -> Data:
    """The three conditions on what was declared, checked and seen. Keeps figures, not sentences."""
    found = destitution.assess(snapshot)
    return {"category": found["category"], "amount_fen": found["amount_fen"], "income_fen": found["income_fen"], "members_counted": 1,
            "law_version": found["law_version"], "able_obligors": len(found["able_obligors"])}  # fmt: skip


# -- gathering


STARTED = ("street", "community", "near_relative_declared")


def begin(key: str) -> Gather:
    """What a case of this process begins with; Refused on a day of another procedure, for a stranger, for who is supported already."""

    @gives(*STARTED)
    def at_start(act: Act, facts: Data) -> Data:
        if (right := law.procedure("destitute", act.today)) != key:
            raise Refused("procedure", f"{act.today}提出的申请不适用这一办法，请按现行办法（{right}）登记", f"This procedure does not apply on {act.today}: register the application under {right}")
        place = dibao_2012.place(act, facts["household_id"])
        conclusions.refuse_stranger(act.conn, facts["household_id"], facts["supported_person_id"])
        if no := conclusions.open_case(act.conn, facts["household_id"]):
            raise Refused("open_case", f"这户已有在办个案 {no}，请待其办结后再申请", f"This household has an open case: {no}")
        if supported(act.conn, facts["supported_person_id"]):
            raise Refused("active_benefit", "此人已在享受特困人员救助供养，不能重复申请", "This person is supported as destitute already")
        _counted_here(act.conn, facts)
        return place

    return at_start


def _counted_here(conn: Connection, facts: Data) -> Mapping[Any, Any] | None:
    """The live benefit that counts the person; Refused where it is another household's, which this case cannot change."""
    found = _counting(conn, facts["supported_person_id"])
    if found is not None and found["household_id"] != facts["household_id"]:
        raise Refused("active_benefit", "此人仍计入另一户家庭的救助，请先办理该户的人口变化", "Another household's benefit still counts this person: change its members first")
    return found


def was_supported(conn: Connection, person_id: int) -> bool:
    query = select(benefit.c.id).join(benefit_person, benefit_person.c.benefit_id == benefit.c.id).where(
        benefit_person.c.person_id == person_id, benefit.c.category.startswith("destitute"))  # fmt: skip
    return conn.scalar(query.limit(1)) is not None


def at_acceptance(article: str) -> Gather:
    """As for dibao; a minor who lives alone has a guardian, who signs for him: without that no registry is asked."""

    def gathered(act: Act, facts: Data) -> Data:
        found = dibao_2012.at_acceptance(article)(act, facts)
        if not households.anybody_signed(act.conn, facts["household_id"], act.today):
            raise Refused("authorization", f"监护人还没有签署核对授权书，不能受理（{article}）", "The guardian has not signed the authorisation")
        return found

    return gathered


def supported(conn: Connection, person_id: int) -> bool:
    """Whether somebody is supported as destitute now, by a benefit of his own or one that was brought in with a list."""
    query = select(benefit.c.id).join(benefit_person, benefit_person.c.benefit_id == benefit.c.id).where(
        benefit_person.c.person_id == person_id, benefit_person.c.active, benefit.c.status.in_(benefits.LIVE), benefit.c.category.startswith("destitute"))  # fmt: skip
    return conn.scalar(query.limit(1)) is not None


def last_finding(act: Act, case_no: str, kind: str) -> dict[str, Any]:
    """What was found last in a case; empty when nothing was."""
    query = select(destitute_finding.c.id, destitute_finding.c.said).where(destitute_finding.c.case_no == case_no, destitute_finding.c.kind == kind)
    found = act.conn.execute(query.order_by(destitute_finding.c.id.desc()).limit(1)).one_or_none()
    return {} if found is None else json.loads(act.keys.reveal("destitute_finding", "said", found.id, found.said) or "{}")


def figures(act: Act, facts: Data) -> Data:
    """The person and his obligors as `destitution.assess` reads them, by the standard of the month from which the amount will count."""
    house = households.snapshot(act.conn, act.keys, facts["household_id"], act.today)
    ref, month = str(facts["supported_person_id"]), benefits.month_after(act.today)
    him = next((m for m in house["members"] if m["ref"] == ref), None)
    if him is None:
        raise Refused("not-a-member", "这户已没有这名成员", "This person is no member of the household any more")
    said = last_finding(act, facts["case_no"], "circumstances")
    earned = [*him["income"], *({"kind": one["kind"], "amount": yuan(one["amount"]), "period": "month", "month": None, "year": None} for one in said.get("allowances") or ())]
    person = {name: him.get(name) for name in ("ref", "birth_date", "disability_kind", "disability_grade")} | {"income": earned, "in_school": said.get("in_school")}
    own = [asset for asset in house["property"] if asset.get("owner") in (None, ref)] if len(house["members"]) == 1 else [a for a in house["property"] if a.get("owner") == ref]
    return {
        "benefit_month": month, "applied_on": facts["applied_on"], "rules_on": facts["accepted_on"], "hukou_kind": house["hukou_kind"],
        "support_form": facts["support_form"], "person": person, "property_refused": _ruled_out(house, him, own, month, facts["applied_on"]),
        "obligors": [_obligor(one) for one in said.get("obligors") or ()],
        **{name: said.get(name) for name in ("property_fits", "orphan", "chooses_destitute")},
        "continuing": bool(said.get("continuing")) and was_supported(act.conn, facts["supported_person_id"]),
    }  # fmt: skip


def _obligor(said: Mapping[str, Any]) -> dict[str, Any]:
    return {**{name: value for name, value in said.items() if name != "name"}, "income": None if said.get("income") is None else yuan(said["income"])}


def _ruled_out(house: Data, him: Data, own: Sequence[Data], month: str, applied_on: str) -> str | None:
    """The category by which his registered property rules him out by the rules of dibao (domain 3.6), whatever was said of it."""
    if not own:
        return None
    alone = {**house, "members": [{**him, "relation": "head", "excluded_reason": None}], "property": own, "hardships": [], "childless": None, "benefit_month": month, "applied_on": applied_on}
    try:
        found = str(eligibility.assess(alone)["category"])
    except BadFacts:
        return None
    return found if found.startswith("refused_") and found != "refused_income" else None


# -- what only the tables can tell


_SAID = {"street_opinion": "street_outcome", "street_confirmation": "decision", "district_examination": "district_outcome", "decide": "decision", "decide_refusal": "decision"}
_YES, _NO = ("propose_grant", "granted"), ("propose_refuse", "refused")


def vet(act: Act, node: str, form: Form, answers: Data, facts: Data, acts: Sequence[Any]) -> None:
    """Nobody is granted or refused anything by facts that are the person's no more, and who the decision is about can still get it."""
    investigation.vet(act, node, form, answers, facts, acts)
    said = answers.get(_SAID.get(node, ""))
    if said in (*_YES, *_NO):
        _refuse_changed(act, facts)
    if said == "granted" and facts.get("self_care") is None:
        raise Refused("self-care", "还没有评估生活自理能力，不能作出同意的决定", "Self-care was not assessed yet: nothing can be granted")
    if said in _NO and facts.get("category") is not None and answers.get("reason_code") in REASON_OF.values():
        failed = {REASON_OF[one["code"]] for one in destitution.assess(figures(act, facts))["lines"] if one["met"] is False and one["code"] in REASON_OF}
        if answers["reason_code"] not in failed:
            raise Invalid({"reason_code": [form.say("按测算结果，这一项符合认定条件，不能以此为由；事实有误的请退回重新调查", "By the test this condition is met: no reason to refuse. If a fact is wrong, return it for a new survey")]})


def _refuse_changed(act: Act, facts: Data) -> None:
    """As `investigation.refuse_changed_figures`, for the person (decision 029)."""
    if facts.get("category") is None:
        return
    now = assess_destitute(figures(act, facts))
    if (now["category"], now["amount_fen"]) != (facts["category"], facts["amount_fen"]):
        month = benefits.month_after(act.today)
        raise Refused("figures-changed", f"本人情况或标准在测算后有变化，按现有资料测算 {month} 的结果与本案测算结果不一致，请退回重新调查测算",
                      f"The person's facts or the standard changed after the test: the data of today give another result for {month}. Return the case for a new survey")  # fmt: skip


# -- effects


def keep_findings(act: Act, _case: CaseRef, answers: Data, facts: Data) -> None:
    """What the check found is the person's (as `investigation.keep_findings`)."""
    person, home = facts["supported_person_id"], facts["household_id"]
    if answers.get("found_assets") is not None:
        households.set_property(act, home, [{"kind": "monetary_assets", "amount_fen": answers["found_assets"], "person_id": person}], source="checked")
    if answers.get("found_income") is not None:
        households.set_income(act, home, person, [{"kind": "other_income", "amount_fen": answers["found_income"], "period": "month"}], source="checked")


def finding(row_id: int, case: CaseRef, facts: Data, kind: str, found_on: str, said: Mapping[str, Any]) -> Put:
    values = {"case_no": case.no, "household_id": facts["household_id"], "person_id": facts["supported_person_id"], "kind": kind, "found_on": found_on,
              "said": json.dumps(said, ensure_ascii=False, sort_keys=True)}  # fmt: skip
    return Put("destitute_finding", row_id, values, f"person:{facts['supported_person_id']}")  # gone with him, whoever stays in the household


_TEST = ("orphan", "chooses_destitute", "continuing", "in_school", "property_fits", "allowances", "obligors")


def keep_circumstances(act: Act, case: CaseRef, answers: Data, facts: Data) -> None:
    """With the household, before the tokens move: the test may follow in the same step and reads it."""
    record = act.open("household", facts["household_id"])
    said = {name: answers[name] for name in _TEST if answers.get(name) is not None}
    act.append(record, "support_looked_into", {"case": case.no}, puts=[finding(record.next_id(), case, facts, "circumstances", answers["enquired_on"], said)])


def on_self_care(_act: Act, case: CaseRef, answers: Data, facts: Data) -> Sequence[Put]:
    return [finding(case.next_id(), case, facts, "self_care", answers["assessed_on"], {name: answers[name] for name in destitution.INDICATORS})]


def _on_grant(act: Act, case: CaseRef, answers: Data, facts: Data) -> Sequence[Put]:
    """From the month after: the person's own benefit. Nobody is supported twice, and no month is missed (domain 2.9, `converted`)."""
    told = start_support(act, case, facts)
    return paperwork.issue(act, case, "approval", facts, {**answers, **told})


def start_support(act: Act, case: CaseRef, facts: Data) -> dict[str, Any]:
    """What the household's benefit becomes that counts him: where it counts him alone it is converted; else he leaves it from the same
    month, and it goes on for the others (decision 043). What the letter tells of that: {} or rest_fen, rest_members."""
    home, person, month = facts["household_id"], facts["supported_person_id"], facts["first_payment_month"]
    act.open("household", home)
    others = [n for n, _ in households.counted_members(act.conn, home, act.today) if n != person]
    before = _counted_here(act.conn, facts)
    if before is not None and not others:
        benefits.decide(act, before["id"], benefits.Change(
            "convert", "converted", month, case_no=case.no, amount_fen=facts["amount_fen"], category=facts["category"], law_version=facts["law_version"],
            reviewed_on=act.today.isoformat(), person_id=person, self_care=facts["self_care"]))  # fmt: skip
        return {}
    if others:
        households.exclude_member(act, home, person, households.DESTITUTE)
    told = _for_the_others(act, case, before, len(others), month) if before is not None else {}
    values = {
        "household_id": home, "case_no": case.no, "category": facts["category"], "amount_fen": facts["amount_fen"], "status": "pending_first_payment",
        "first_payment_month": month, "members": 1, "granted_on": facts["decided_on"], "law_version": facts["law_version"], "person_id": person,
        "self_care": facts["self_care"],
    }  # fmt: skip
    benefits.begin(act, "benefit_granted", values, {"case": case.no})
    return told


def _counting(conn: Connection, person_id: int) -> Mapping[Any, Any] | None:
    """The live benefit that counts somebody."""
    query = select(benefit).join(benefit_person, benefit_person.c.benefit_id == benefit.c.id).where(
        benefit_person.c.person_id == person_id, benefit_person.c.active, benefit.c.status.in_(benefits.LIVE))  # fmt: skip
    return conn.execute(query.order_by(benefit.c.id.desc()).limit(1)).mappings().one_or_none()


def _for_the_others(act: Act, case: CaseRef, before: Mapping[Any, Any], others: int, month: str) -> dict[str, Any]:
    """The household's benefit without him: computed anew. Where those who stay would get nothing by their figures that is not for this
    case to decide: his part goes, and a review is opened on the next working day."""
    home, was = before["household_id"], int(before["amount_fen"])
    house = households.snapshot(act.conn, act.keys, home, act.today) | {"applied_on": act.today.isoformat(), "benefit_month": month}
    found = eligibility.assess(house)
    if found["category"] == before["category"] and found["amount_fen"]:
        fen, version = int(found["amount_fen"]), found["law_version"]
    else:
        fen, version = was * others // (others + 1), None
        benefits.plan(act, before["id"] >> 16, "review_early", benefits.retry_day(act.today))
    kind = "keep" if fen == was else "increase" if fen > was else "decrease"
    benefits.decide(act, before["id"], benefits.Change(kind, "member_changed", month, case_no=case.no, amount_fen=fen, law_version=version))
    return {"rest_fen": fen, "rest_members": others}


_NOT_HERE = ("issue_check_rejection", "deliver_check_rejection", "reject_after_check", "post_district_notice", "remove_district_notice", "resolution",
             "special_case_decision", "street_opinion", "district_examination")  # fmt: skip


def moves(node: str, facts: Data, today: date) -> str | None:
    """受理: by the procedure of the day of acceptance, also where the application was taken under an older one (domain 2.8)."""
    return law.procedure("destitute", today) if node == "completeness_check" and facts["complete"] else None


def _on_decision(act: Act, case: CaseRef, answers: Data, facts: Data) -> Sequence[Put]:
    return paperwork.issue(act, case, "refusal", facts, answers) if facts.get("decision") == "refused" else ()


DESTITUTE_2016 = replace(
    DIBAO_2012,
    key=KEY,
    title="特困人员救助供养审核审批（2016年办法）",
    title_en="Support of the destitute: application and approval (2016 rules)",
    prefix="TK",
    bpmn=Path(str(resources.files("processes") / "bpmn" / "destitute-2016.bpmn")),
    start_form=DestituteApplication,
    forms=FORMS_2016,
    former={},
    messages=MESSAGES,
    senders={
        "withdrawal": DIBAO_2012.senders["withdrawal"],
        "objection": frozenset({"window_clerk", "reviewer", "complaint_officer", "village_committee"}),
    },
    services={
        "accept": accept,
        "open_investigation": open_investigation,
        "request_means_check": investigation.request_means_check,
        "assess_destitute": assess_destitute,
        **{name: DIBAO_2012.services[name] for name in ("receive_file", "check_late_draw", "grant", "close_withdrawn")},
    },
    former_rules={},
    gather={**{name: gather for name, gather in DIBAO_2012.gather.items() if name != "assess"},
            "accept": at_acceptance("民发〔2016〕178号"), "assess_destitute": figures},
    vet=vet,
    before={"means_check": keep_findings, "circumstances": keep_circumstances},
    effects={
        **{name: effect for name, effect in DIBAO_2012.effects.items() if name not in _NOT_HERE},
        "self_care_assessment": on_self_care,
        "grant": _on_grant,
        "decide": _on_decision,
        "decide_refusal": _on_decision,
    },
    begin=begin(KEY),
    moves=moves,
    counted=lambda _facts, _published: {},
)
