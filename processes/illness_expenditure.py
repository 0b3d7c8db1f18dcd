"""支出型困难家庭认定 (因病支出型; since 2025 刚性支出困难家庭; domain 3.10): application, expenses item by item, recognition for a time.

One drawing (decision 046): before 2025 no procedure of Tianjin was found, so it is the dibao one made simple: no democratic review, one
notice, one opinion of the district; the district visits as in dibao (N220 art 26). Its limit over the whole case and the rule of the arithmetic go by date (law/procedure.yaml).
The result is a recognition with its last day, and one-off help or a referral; no monthly benefit.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date
from fractions import Fraction
from importlib import resources
from math import ceil, floor
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, and_, select

from engine.crypto import BoundKeys
from engine.errors import Invalid, Refused
from engine.forms import Form
from engine.given import gives
from engine.model import Data, Put
from engine.office import Act
from engine.process import CaseRef, Process
from processes import (
    benefits,
    calendar,
    conclusions,
    dibao_2012,
    documents,
    duties,
    expenditure,
    households,
    investigation,
    law,
    organisation,
    paperwork,
    special_cases,
)
from processes.dibao_2012 import DIBAO_2012
from processes.eligibility_facts import BadFacts
from processes.expenditure_tables import expense, recognition
from processes.illness_expenditure_forms import FORMS, MESSAGES, ExpenditureApplication, Expense
from processes.money import yuan
from processes.tables import household

KEY, MATTER = "illness-expenditure-2018", "illness_expenditure"
_FOUND = ("category", "amount_fen", "per_capita", "net_per_capita", "members_counted", "law_version", "expenses_counted", "expense_share")
# Facts that belong to one round of investigation; the next round begins without them.
_ROUND = (*_FOUND, "check_conclusion", "survey_ended_on", "street_outcome", "signoff", "figures_changed", "district_outcome", "resolution",
          "meeting_from", "meeting_requested_on", "help_kind", "help_fen", "referral", "decision")  # fmt: skip


# -- services: pure


@gives("accepted_on", "near_relative", "whole_case_workdays")
def accept(today: date, snapshot: Data) -> Data:
    return {**dibao_2012.accept(today, snapshot), "whole_case_workdays": int(law.value("expenditure_case_workdays", today).amount)}


@gives(*_ROUND, "investigation_from")
def open_investigation(accepted_on: str, investigation_from: str | None, today: date) -> Data:
    since = accepted_on if investigation_from is None else today.isoformat()
    return {**dict.fromkeys(_ROUND), "investigation_from": since}


@gives(*_FOUND)
def assess_expenditure(snapshot: Data) -> Data:
    """The rule of domain 3.10 on what was checked. Keeps figures, not sentences."""
    return _of_result(expenditure.assess(snapshot))


def _of_result(found: Data) -> dict[str, Any]:
    return {"category": found["category"], "amount_fen": 0, "per_capita": found["per_capita"], "net_per_capita": found["net_per_capita"], "members_counted": found["members_counted"],
            "law_version": found["law_version"], "expenses_counted": found["expenses"], "expense_share": found["share"]}  # fmt: skip


@gives("category", "valid_until")
def recognise(category: str, decided_on: str) -> Data:
    """From the day of the decision, at most twelve months (TRIG). What the meeting recognised is named by the rule of the day."""
    day = date.fromisoformat(decided_on)
    rigid = law.in_force(expenditure.RIGID, day) is not None
    return {"category": "rigid_expenditure" if rigid else category, "valid_until": expenditure.valid_until(day).isoformat()}


# -- expenses


def declared(act: Act, case: CaseRef, answers: Data, facts: Data) -> Sequence[Put]:
    """What the household says that it spent, each item a row of the case; what a supplement brings comes after it."""
    first = len(_declared(act.conn, case.no)) + 1
    return [_put(act, case.next_id(), case.no, facts["household_id"], n, "declared", one) for n, one in enumerate(answers.get("expenses") or (), start=first)]


def _keep_checked(act: Act, case: CaseRef, answers: Data, facts: Data) -> None:
    """What was found of every item stands on the household's record, like what else was checked of it, before anything is computed."""
    record = act.open("household", facts["household_id"])
    puts = [
        _put(act, record.next_id(), case.no, facts["household_id"], one["item"], "checked", {name: value for name, value in one.items() if name != "item"})
        for one in answers["expenses"]
    ]  # fmt: skip
    act.append(record, "expenses_checked", {"case": case.no, "items": len(puts)}, puts=puts)


def _put(act: Act, row_id: int, case_no: str, household_id: int, position: int, source: str, said: Mapping[str, Any]) -> Put:
    kept = {name: str(value) if isinstance(value, date) else value for name, value in said.items() if value is not None}
    values = {"case_no": case_no, "household_id": household_id, "position": position, "source": source,
              "detail": json.dumps(kept, ensure_ascii=False, sort_keys=True), "recorded_by": act.actor.id, "recorded_on": act.today.isoformat()}  # fmt: skip
    return Put("expense", row_id, values, f"household:{household_id}")


def _rows(conn: Connection, case_no: str, source: str) -> dict[int, Mapping[Any, Any]]:
    """Position -> the last row of it."""
    where = and_(expense.c.case_no == case_no, expense.c.source == source)
    return {row["position"]: row for row in conn.execute(select(expense).where(where).order_by(expense.c.id)).mappings()}


def _declared(conn: Connection, case_no: str) -> dict[int, Mapping[Any, Any]]:
    return _rows(conn, case_no, "declared")


def items(conn: Connection, keys: BoundKeys, case_no: str) -> list[dict[str, Any]]:
    """The expenses of a case as declared and as checked: [{position, person_id, kind, amount_fen, paid_on, institution, document_id,
    checked (None: not yet), compliant, checked_fen, note, checked_by, checked_on}]."""
    found, seen = [], _rows(conn, case_no, "checked")
    for position, row in _declared(conn, case_no).items():
        said, check = _detail(keys, row), seen.get(position)
        what = _detail(keys, check) if check is not None else {}
        found.append({
            "position": position, **{name: said.get(name) for name in ("person_id", "kind", "amount_fen", "paid_on", "institution", "document_id")},
            "checked": check is not None, "compliant": what.get("compliant"), "checked_fen": what.get("amount_fen", said.get("amount_fen")) if check is not None else None,
            "note": what.get("note"), "checked_by": check["recorded_by"] if check is not None else None, "checked_on": check["recorded_on"] if check is not None else None,
        })  # fmt: skip
    return found


def _detail(keys: BoundKeys, row: Mapping[Any, Any]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(keys.reveal("expense", "detail", row["id"], row["detail"]) or "{}")
    return found


def figures(act: Act, facts: Data) -> Data:
    """The household and its expenses for the assessment; only what was checked counts."""
    return {**investigation.figures(act, facts), "on": facts["accepted_on"], "expenses": spent(act.conn, act.keys, facts["case_no"])}


def spent(conn: Connection, keys: BoundKeys, case_no: str) -> list[dict[str, Any]]:
    """What was checked, as `expenditure.assess` takes it."""
    return [
        {"ref": str(one["person_id"]), "kind": one["kind"], "amount": yuan(one["checked_fen"]), "paid_on": one["paid_on"], "institution": one["institution"],
         "compliant": one["compliant"], "source": "checked"}
        for one in items(conn, keys, case_no) if one["checked"]
    ]  # fmt: skip


# -- what only the tables can tell

_YES = {"street_opinion": ("street_outcome", "propose_grant"), "district_examination": ("district_outcome", "propose_grant"), "decide": ("decision", "granted")}


def vet(act: Act, node: str, form: Form, answers: Data, facts: Data, acts: Sequence[Any]) -> None:
    investigation.vet(act, node, form, answers, facts, acts)
    if node in ("start", "supplement"):
        _refuse_misdeclared(act, answers, facts)
    if node == "check_expenses":
        _refuse_unseen(act, answers, facts)
    if node == "street_opinion" and answers.get("help_fen"):
        _refuse_over(act, answers, facts)
    name, yes = _YES.get(node, ("", ""))
    if name and answers.get(name) == yes and facts.get("resolution") != "approve_as":
        _refuse_changed(act, facts)


def _refuse_misdeclared(act: Act, answers: Data, facts: Data) -> None:
    """Each item is a member's, and its receipt the household's."""
    household_id = facts["household_id"]
    members = {m["person_id"] for m in households.members_of(act.conn, household_id)}
    wrong: dict[str, list[str]] = {}
    for n, one in enumerate(answers.get("expenses") or ()):
        wrong |= {f"expenses.{n}.{name}": why for name, why in documents.foreign(act.conn, Expense(context={}), one, household_id).items()}
        if one["person_id"] not in members:
            wrong[f"expenses.{n}.person_id"] = ["这户没有这名成员"]
        if not one["amount_fen"]:
            wrong[f"expenses.{n}.amount_fen"] = ["金额应大于零"]
    if wrong:
        raise Invalid(wrong)


def _refuse_unseen(act: Act, answers: Data, facts: Data) -> None:
    """All that were declared and no other; an amount that was checked is not above the one declared."""
    rows = {one["position"]: one for one in items(act.conn, act.keys, facts["case_no"])}
    said = {one["item"] for one in answers["expenses"]}
    wrong: dict[str, list[str]] = {}
    for n, one in enumerate(answers["expenses"]):
        if one["item"] not in rows:
            wrong[f"expenses.{n}.item"] = ["没有申报这一项支出"]
        elif (one.get("amount_fen") or 0) > rows[one["item"]]["amount_fen"]:
            wrong[f"expenses.{n}.amount_fen"] = ["核实金额不能高于申报金额"]
    if lacking := sorted(rows.keys() - said):
        wrong["expenses"] = [f"还有没有核实的支出：第{'、'.join(map(str, lacking))}项"]
    if wrong:
        raise Invalid(wrong)


def _refuse_over(act: Act, answers: Data, facts: Data) -> None:
    """One-off help by the law's most; above it, and where there is no number, the joint meeting or a referral (N23)."""
    if facts.get("resolution") == "approve_as":
        return
    kind = str(act.conn.scalar(select(household.c.hukou_kind).where(household.c.id == facts["household_id"])))
    most = expenditure.most_help(act.today, kind, int(facts.get("members_counted") or 0))
    if most is None:
        raise Invalid({"help_fen": ["一次性救助的金额标准尚未确定，请转介临时救助或提交联席会议"]})
    if answers["help_fen"] > most[0]:
        raise Invalid({"help_fen": [f"超过一次性救助上限 {yuan(most[0])} 元（低保标准×{most[1].text}个月），请提交联席会议"]})


def _refuse_changed(act: Act, facts: Data) -> None:
    """Nobody is recognised by figures that are the household's no more (decision 029)."""
    try:
        now = _of_result(expenditure.assess(figures(act, facts)))["category"]
    except BadFacts:
        now = None
    if now != facts.get("category"):
        raise Refused("figures-changed", "家庭情况或标准在测算后有变化，按现有资料测算的结果与本案测算结果不一致，请退回重新调查测算", "The household or the standard changed after the calculation: return the case for a new survey")  # fmt: skip


def refuse_twice(act: Act, household_id: int) -> None:
    """Not while another case is open, nor in receipt of dibao or 特困 (since 2025: low-income relief, too), nor while it is recognised."""
    conn = act.conn
    if no := conclusions.open_case(conn, household_id):
        raise Refused("open_case", f"这户已有在办个案 {no}，不能重复申请", f"This household has an open case: {no}")
    if benefits.ended_by_death(conn, household_id):
        raise Refused("deceased", "这户享受待遇的人员已登记死亡，不能再提出申请；登记有误的，请先更正", "The recipient is registered as deceased; if that is wrong, mend it first")
    found = benefits.live(conn, household_id)
    rigid = law.in_force(expenditure.RIGID, act.today) is not None
    counted = {n for n, _ in households.counted_members(conn, household_id, act.today)}
    theirs = found is not None and found["person_id"] in (None, *counted)  # one former member's support is in nobody else's way
    if found is not None and theirs and (rigid or found["category"] != "low_income"):
        raise Refused("active_benefit", "这户正在享受救助待遇，不属于支出型困难家庭认定的对象", "This household receives a benefit already")
    if known := live(conn, household_id, act.today):
        raise Refused("recognised", f"这户已认定为支出型困难家庭，有效期至{known['valid_until']}", f"This household is recognised until {known['valid_until']}")


# -- the recognition


def live(conn: Connection, household_id: int, on: date) -> Mapping[Any, Any] | None:
    """The household's recognition that is valid on a day."""
    where = and_(recognition.c.household_id == household_id, recognition.c.recognised_on <= on.isoformat(), recognition.c.valid_until >= on.isoformat())
    return conn.execute(select(recognition).where(where).order_by(recognition.c.id.desc()).limit(1)).mappings().one_or_none()


def _on_recognition(act: Act, case: CaseRef, answers: Data, facts: Data) -> Sequence[Put]:
    values = {
        "household_id": facts["household_id"], "case_no": case.no, "street": facts["street"], "community": facts["community"], "kind": facts["category"],
        "members": facts.get("members_counted") or len(households.counted_members(act.conn, facts["household_id"], act.today)),
        "recognised_on": facts["decided_on"], "valid_until": facts["valid_until"], "help_kind": facts.get("help_kind") or "status",
        "help_fen": facts.get("help_fen") or 0, "referral": facts.get("referral"), "by_meeting": facts.get("resolution") == "approve_as",
        "law_version": facts.get("law_version") or law.version(act.today),
    }  # fmt: skip
    return [Put("recognition", case.next_id(), values), *paperwork.issue(act, case, "approval", facts, {**answers, **special_cases.told(act, case.id, facts)})]


def _on_decision(act: Act, case: CaseRef, answers: Data, facts: Data) -> Sequence[Put]:
    if facts.get("decision") != "refused":
        return ()
    return paperwork.issue(act, case, "refusal", facts, {**answers, "would": would(act, {**facts, "case_no": case.no})})


def would(act: Act, facts: Data) -> list[str]:
    """What would have changed a refusal, all else equal: how much of expenses would have counted (N649 art 13)."""
    if facts.get("category") != "refused_expenditure" or facts.get("resolution"):
        return []
    try:
        snapshot = figures(act, facts)
        found = expenditure.assess(snapshot)
    except BadFacts:
        return []
    income, spent = Fraction(found["income_exact"]), found["expenses"]
    if (share := law.in_force(expenditure.RIGID, date.fromisoformat(facts["accepted_on"]))) is not None:
        least = ceil(income * share.fraction * 100)
        text = f"可计入的支出达到{yuan(least)}元（家庭年收入{found['income_year']}元的{float(share.fraction):.0%}）的，符合这一项条件；本次为{spent}元。"
    else:
        line = income - Fraction(found["standard"]) * 12 * found["members_counted"]
        text = f"可计入的支出超过{yuan(floor(max(line, Fraction()) * 100))}元的，符合这一项条件；本次为{spent}元。"
    return [text]


ILLNESS_EXPENDITURE_2018 = Process(
    key=KEY,
    title="支出型困难家庭认定",
    title_en="Recognition of families in hardship for their expenses",
    prefix="ZC",
    bpmn=Path(str(resources.files("processes") / "bpmn" / f"{KEY}.bpmn")),
    start_form=ExpenditureApplication,
    starters=DIBAO_2012.starters,
    forms=FORMS,
    messages=MESSAGES,
    senders=DIBAO_2012.senders,
    services={
        "accept": accept,
        "open_investigation": open_investigation,
        "request_means_check": investigation.request_means_check,
        "assess_expenditure": assess_expenditure,
        "recognise": recognise,
        **{name: DIBAO_2012.services[name] for name in ("receive_file", "check_late_draw", "close_withdrawn")},
    },
    gather={"accept": dibao_2012.at_acceptance("社会救助须经授权核对；民发〔2012〕220号第十二条"), "assess_expenditure": figures,
            **{name: DIBAO_2012.gather[name] for name in ("receive_file", "check_late_draw")}},
    vet=vet,
    before={"means_check": investigation.keep_findings, "check_expenses": _keep_checked},
    effects={
        **{name: DIBAO_2012.effects[name] for name in (
            "completeness_check", "accept", "register_near_relative", "request_means_check", "post_street_notice", "remove_street_notice", "objection",
            "close_withdrawn", "resolution", "deliver_approval", "deliver_refusal")},
        "start": declared,
        "supplement": declared,
        "decide": _on_decision,
        "recognise": _on_recognition,
        "street_opinion": special_cases.requests(KEY),
        "district_examination": special_cases.requests(KEY),
    },
    begin=dibao_2012.begin(KEY, MATTER, refuse_twice),
    unit_of=organisation.unit_at,
    subject=lambda facts: f"household:{facts['household_id']}",
    recused=households.RECUSED,
    may=duties.may,
    may_delegate=duties.may_delegate,
    add_workdays=calendar.add_workdays,
    published=calendar.LAST_PUBLISHED,
)  # fmt: skip
