"""Acts on a benefit outside a re-check: suspension and resumption by two persons, and another review class.

The street proposes with a reason, an approver of the district decides; the household gets the decision in writing. All of
it stands in the benefit's own record. This module opens no transaction.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import Connection, select

from engine.errors import Conflict, Invalid, NotFound, Refused
from engine.forms import Form, choice, on_date, text, yes_no
from engine.model import Data, Put
from engine.office import Act, Record
from engine.process import CaseRef
from processes import account_book, benefits, households, law, paperwork
from processes.benefit_act_tables import benefit_proposal
from processes.benefits import CLASSES, RESUMPTIONS, SUSPENSIONS, Change

PROPOSERS = frozenset({"reviewer", "window_clerk"})
DECIDERS = frozenset({"approver"})
CLASSIFIERS = frozenset({"reviewer", "civil_affairs_officer", "approver"})
PAYERS = frozenset({"finance_officer"})
LETTERS = {"suspend": "suspension", "resume": "resumption"}


class Suspension(Form):
    """暂停发放: proposed by the street."""

    reason_code = choice("理由", "Reason", SUSPENSIONS)
    reason = text("具体情况", "What happened", max=500, widget="textarea")


class Resumption(Form):
    """恢复发放: proposed by the street."""

    reason_code = choice("理由", "Reason", RESUMPTIONS)
    reason = text("具体情况", "What was found", max=500, widget="textarea")
    pay_suspended = yes_no("暂停期间的救助金是否补发", "Are the months of the suspension paid later?")


class Settling(Form):
    """The approver's opinion, or why he says no."""

    opinion = text("意见", "Opinion", max=500, widget="textarea")


class ReviewClass(Form):
    """Another review class, with the reason: the next review falls due by it."""

    review_class = choice("复审类别", "Review class", [(c, f"{c} 类", f"Class {c}") for c in CLASSES])
    reason = text("理由", "Reason", max=500, widget="textarea")


class Paid(Form):
    """结清: the money of past months came back, or was paid out; the finance office saw it."""

    cleared_on = on_date("收付日期", "Paid on")
    note = text("说明", "Note", required=False, max=500, widget="textarea", hint="如：退款凭证号", hint_en="Like: number of the voucher")


class Waiver(Form):
    """免除: what was paid too much is not asked back."""

    reason = text("免除理由", "Why it is waived", max=500, widget="textarea")


# -- what is proposed, and decided by another


def propose(act: Act, benefit_id: int, kind: str, said: Data) -> int:
    """Propose a suspension or a resumption; `said` as the form understood it. The id of the proposal."""
    record, found, house = _opened(act, benefit_id, PROPOSERS, "只有街镇审核人或窗口经办人可以提出", "Only the street's reviewers and clerks propose it")
    if pending(act.conn, benefit_id) is not None:
        raise Conflict("这项待遇已有待确认的提议", "A proposal for this benefit waits already")
    benefits.allow(found, _change(act, found, kind, str(said["reason_code"])), act.today)
    row_id = record.next_id()
    values = {
        "benefit_id": benefit_id, "household_id": house["id"], "street": house["street"], "kind": kind, "reason_code": said["reason_code"],
        "reason": said["reason"], "pay_suspended": bool(said.get("pay_suspended")), "proposed_by": act.actor.id,
        "proposed_on": act.today.isoformat(), "state": "proposed",
    }  # fmt: skip
    act.append(record, f"{kind}_proposed", {"reason": said["reason_code"]}, puts=[Put("benefit_proposal", row_id, values, f"household:{house['id']}")])
    return row_id


def confirm(act: Act, benefit_id: int, kind: str, said: Data) -> int:
    """The district decides as proposed: the benefit changes, and the letter is issued. The id of the adjustment."""
    record, found, house = _opened(act, benefit_id, DECIDERS, "只有区级审批人可以确认", "Only approvers of the district confirm it")
    proposal = _waiting(act.conn, benefit_id, kind)
    if proposal["proposed_by"] == act.actor.id:
        raise Refused("four-eyes", "提议人不能自己确认（双人规则）", "Who proposed it may not confirm it")
    change = _change(act, found, kind, proposal["reason_code"])
    owed = benefits.suspended_months(act.conn, benefit_id, change.from_month) if proposal["pay_suspended"] else {}
    adjustment_id = benefits.decide(act, benefit_id, change, act.keys.reveal("benefit_proposal", "reason", proposal["id"], proposal["reason"]))
    benefits.settle(act, benefit_id, benefits.number(benefit_id), change.reason_code, {month: -fen for month, fen in owed.items()})
    letter = _letter(act, record, proposal, change, found, house, owed)
    settled = {"state": "confirmed", "settled_by": act.actor.id, "settled_on": act.today.isoformat(), "adjustment_id": adjustment_id, "letter_id": letter.id}
    personal = {f"household:{house['id']}": {"opinion": said["opinion"]}}
    act.append(record, f"{kind}_confirmed", personal=personal, puts=[Put("benefit_proposal", proposal["id"], settled), letter])
    return adjustment_id


def refuse(act: Act, benefit_id: int, kind: str, said: Data) -> None:
    """An approver says no, or who proposed it takes it back."""
    record, _, house = _opened(act, benefit_id, PROPOSERS | DECIDERS, "您的岗位不能处理这项提议", "Your post does not settle this proposal")
    proposal = _waiting(act.conn, benefit_id, kind)
    if proposal["proposed_by"] != act.actor.id and act.actor.post_over(house["community"], DECIDERS) is None:
        raise Refused("role", "只有区级审批人或提议人本人可以撤销提议", "Only an approver, or who proposed it, takes it off the table")
    settled = {"state": "refused", "settled_by": act.actor.id, "settled_on": act.today.isoformat()}
    personal = {f"household:{house['id']}": {"reason": said["opinion"]}}
    act.append(record, f"{kind}_refused", personal=personal, puts=[Put("benefit_proposal", proposal["id"], settled)])


def change_class(act: Act, benefit_id: int, said: Data) -> int:
    """Another review class for a reason; amount and persons stay. The id of the adjustment."""
    _, found, _ = _opened(act, benefit_id, CLASSIFIERS, "只有审核人、民政专干或区级审批人可以调整复审类别", "Only reviewers, civil affairs officers and approvers do that")
    if said["review_class"] == found["review_class"]:
        raise Invalid({"review_class": ["已经是这个类别"]})
    month = max(f"{act.today:%Y-%m}", _first(found))
    change = Change("keep", "class_changed", month, review_class=said["review_class"], law_version=found["law_version"], recount=False)
    return benefits.decide(act, benefit_id, change, said["reason"])


# -- money of past months


def settled(act: Act, benefit_id: int, settlement_id: int, said: Data) -> None:
    """The finance office registers that a recovery is paid back, or arrears are paid out. Nothing is settled by the end of a plan:
    that a month is over does not show that money came."""
    found = _money(act, benefit_id, settlement_id, PAYERS, "只有资金发放岗可以登记结清", "Only finance officers register payments")
    if run := account_book.in_a_run(act.conn, settlement_id):
        raise Refused("in-payment-run", f"这笔补发已列入发放批次 {run}，由银行回盘结清", f"Run {run} pays these arrears: the bank's answer settles them")
    if said["cleared_on"] < (first := benefits.first_of(found["from_month"]).isoformat()):
        raise Invalid({"cleared_on": [f"不能早于所涉月份的第一天（{first}）"]})
    benefits.clear(act, found, "settled", {"cleared_on": said["cleared_on"]}, said.get("note") or "")


def waived(act: Act, benefit_id: int, settlement_id: int, said: Data) -> None:
    """An approver of the district does not ask the money back, for a reason; the household gets it in writing. What the household is
    owed is never waived."""
    found = _money(act, benefit_id, settlement_id, DECIDERS, "只有区级审批人可以免除退还", "Only approvers of the district waive it")
    if found["kind"] != "recovery":
        raise Refused("waive-arrears", "应补发给家庭的款项不能免除", "What the household is owed cannot be waived")
    house = households.row(act.conn, found["household_id"])
    facts = {"household_id": house["id"], "street": house["street"], "community": house["community"]}
    told = {"overpaid_fen": found["amount_fen"], "overpaid_months": benefits.months_of(found), "planned": found["status"] == "agreed",
            "opinion": said["reason"], "no_label": "待遇编号"}  # fmt: skip
    letter = letter_of(act, act.open("benefit", benefit_id >> 16), "waiver", facts, told)
    benefits.clear(act, found, "waived", {"cleared_on": act.today.isoformat()}, said["reason"], [letter])


def _money(act: Act, benefit_id: int, settlement_id: int, roles: Collection[str], zh: str, en: str) -> Mapping[Any, Any]:
    _opened(act, benefit_id, roles, zh, en)
    return benefits.one_settlement(act.conn, benefit_id, settlement_id)


def _opened(act: Act, benefit_id: int, roles: Collection[str], zh: str, en: str) -> tuple[Record, Mapping[Any, Any], Mapping[Any, Any]]:
    """The record, locked, the benefit's row and its household's. Refused: without such a post there, near relatives."""
    record = act.open("benefit", benefit_id >> 16)
    found = benefits.row(act.conn, benefit_id)
    house = households.row(act.conn, found["household_id"])
    if not act.actor.covers(house["community"]):
        raise NotFound("没有这项救助待遇")
    post = act.actor.post_over(house["community"], roles)
    if post is None:
        raise Refused("role", zh, en)
    act.through(post)
    households.refuse_relative(act, house["id"])
    return record, found, house


def _first(found: Mapping[Any, Any]) -> str:
    return str(found["amount_from"] or found["first_payment_month"])


def _change(act: Act, found: Mapping[Any, Any], kind: str, reason_code: str) -> Change:
    """From the month after the decision, like every other change (domain 2.9)."""
    month = max(benefits.month_after(act.today), _first(found))
    return Change(kind, reason_code, month, law_version=found["law_version"] or law.version(act.today))


def _letter(act: Act, record: Record, proposal: Mapping[Any, Any], change: Change, found: Mapping[Any, Any], house: Mapping[Any, Any],
            owed: Mapping[str, int]) -> Put:  # fmt: skip
    facts = {"household_id": house["id"], "street": house["street"], "community": house["community"]}
    said = {
        "before_category": found["category"], "before_fen": found["amount_fen"], "from_month": change.from_month, "reason_code": change.reason_code,
        "opinion": act.keys.reveal("benefit_proposal", "reason", proposal["id"], proposal["reason"]), "arrears_fen": sum(owed.values()),
        "arrears_months": sorted(owed), "no_label": "待遇编号",
    }  # fmt: skip
    return letter_of(act, record, LETTERS[proposal["kind"]], facts, said)


def letter_of(act: Act, record: Record, kind: str, facts: Data, said: Data, no: str | None = None) -> Put:
    """A letter that stands in a benefit's own record, under the benefit's number (or a batch's)."""
    file = CaseRef(record.id, no or benefits.number(record.id << 16), record.next_id)
    [put] = paperwork.issue(act, file, kind, facts, said)
    return put


# -- looking


def pending(conn: Connection, benefit_id: int) -> Mapping[Any, Any] | None:
    """The proposal that waits for its decision."""
    query = select(benefit_proposal).where(benefit_proposal.c.benefit_id == benefit_id, benefit_proposal.c.state == "proposed")
    return conn.execute(query).mappings().one_or_none()


def _waiting(conn: Connection, benefit_id: int, kind: str) -> Mapping[Any, Any]:
    found = pending(conn, benefit_id)
    if found is None or found["kind"] != kind:
        raise Conflict("没有待确认的提议，或已经处理", "No such proposal waits, or it is settled already")
    return found
