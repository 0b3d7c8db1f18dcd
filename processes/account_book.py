"""补发、追缴: what each household was to get, got, is owed and owes, by double entry, for every month (decision 070).

Postings follow from what is on the record already (decisions, settlements, payments, what came back) and are added, never changed: what a
later decision makes otherwise is posted as the difference. `due` is pure. For a benefit and a month, with paid and recovered through the bank,

    approved = paid − recovered + set off + owed − written off          owed = payable − receivable

and over all months of a household what was set off is zero. Money owed and money claimed stand beside each other until a decision sets one
off against the other.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from marshmallow import ValidationError, validates_schema
from sqlalchemy import Connection, and_, func, or_, select

from engine.crypto import BoundKeys
from engine.errors import Conflict, Invalid, NotFound, Refused
from engine.forms import Form, choice, money, number, on_date, text
from engine.jobs import Handler, Job, plan
from engine.model import Actor, Data, Put
from engine.office import Act
from engine.queries import Area, Page, within
from processes import benefits, households, readers
from processes.account_tables import account_posting, account_receipt
from processes.benefit_tables import benefit_adjustment, settlement
from processes.money import yuan
from processes.payment_tables import payment_item, payment_run, payment_sending
from processes.tables import benefit, household, person
from processes.tables import unit as unit_table

OFFICERS = frozenset({"finance_officer"})
DECIDERS = frozenset({"approver"})
ACCOUNTS = ("approved", "payable", "receivable", "bank", "set_off", "written_off")
SOURCES = ("approval", "opening", "settlement", "payment", "taken_back", "receipt", "set_off", "cleared")
_STRETCH = 200  # benefits posted in one transaction
_PAID = ("active", "pending_first_payment")
Row = Mapping[Any, Any]
Months = dict[str, int]


# -- what is to be posted: pure


@dataclass(frozen=True, slots=True)
class Posting:
    """`fen` from `credit` to `debit`, of a month; (month, source, source_id) is there once for each benefit."""

    month: str
    debit: str
    credit: str
    fen: int
    source: str
    source_id: int

    @property
    def key(self) -> tuple[str, str, int]:
        return self.month, self.source, self.source_id


@dataclass(frozen=True, slots=True)
class Facts:
    """All that is on the record about one benefit. Rows as in their tables, oldest first; `paid`: (sending id, month, settlement id or None,
    fen) of what the bank credited; `taken_back`: the sendings of them that it took back later; `last`: the last month that has begun or is on an approved list; `books_from`: the month of the first run."""

    benefit: Row
    decisions: Sequence[Row]
    settlements: Sequence[Row]
    paid: Sequence[tuple[int, str, int | None, int]]
    receipts: Sequence[Row]
    books_from: str
    last: str
    posted: Sequence[Posting] = field(default=())
    taken_back: frozenset[int] = frozenset()


def due(facts: Facts) -> list[Posting]:
    """The postings that are not there yet."""
    known = {one.key for one in facts.posted}
    claims = _claims(facts)
    found = [*_approvals(facts), *_settled(facts), *_payments(facts, claims), *_receipts(facts, claims), *_cleared(facts, claims)]
    return [one for one in found if one.key not in known]


def _approvals(facts: Facts) -> Iterable[Posting]:
    """What the decisions give for each month, less what was posted for it under earlier ones."""
    posted: Months = {}
    for one in facts.posted:
        if one.source == "approval":
            posted[one.month] = posted.get(one.month, 0) + (one.fen if one.debit == "approved" else -one.fen)
    for month in benefits.months(max(facts.books_from, facts.benefit["first_payment_month"]), facts.last):
        fen, decision = _decided(facts, month)
        if more := fen - posted.get(month, 0):
            yield Posting(month, *(("approved", "payable") if more > 0 else ("payable", "approved")), abs(more), "approval", decision)


def _decided(facts: Facts, month: str) -> tuple[int, int]:
    fen, status, decision = benefits.decided_of(facts.benefit, facts.decisions, month)
    return (fen if status in _PAID else 0), decision


def _months(one: Row) -> Months:
    """Month -> fen of a settlement; one from before months were kept stands under its first."""
    return dict(sorted(json.loads(one["months"]).items())) if one["months"] else {one["from_month"]: int(one["amount_fen"])}


def _settled(facts: Facts) -> Iterable[Posting]:
    """A decision on past months: what was too much becomes a claim, what was too little is owed. Months from before the books began were
    paid as they were decided, by whatever paid then."""
    opened: set[str] = set()
    for one in facts.settlements:
        for month, fen in _months(one).items():
            before, _ = _decided(facts, month)
            if month < facts.books_from and month not in opened and before:
                opened.add(month)
                yield Posting(month, "approved", "bank", before, "opening", 0)
            if fen > 0:
                sides = ("receivable", "approved") if one["kind"] == "recovery" else ("approved", "payable")
                yield Posting(month, *sides, fen, "settlement", one["id"])


class _Claim:
    """A settlement's money, taken month by month, the earliest first. What is posted stands: it is taken as it was posted, before anything new."""

    def __init__(self, months: Months) -> None:
        self.left = dict(months)
        self.posted: dict[tuple[str, int], Months] = {}

    def take(self, source: str, source_id: int, fen: int) -> Months:
        """So much of it, by month; what it does not hold any more belongs to its last month."""
        found = dict(self.posted.get((source, source_id), {}))
        fen -= sum(found.values())
        for month in sorted(self.left):
            part = min(fen, self.left[month])
            if part > 0:
                found[month], self.left[month], fen = found.get(month, 0) + part, self.left[month] - part, fen - part
        if fen > 0:
            last = max(self.left)
            found[last], self.left[last] = found.get(last, 0) + fen, self.left[last] - fen
        return found

    def give_back(self, source: str, source_id: int, months: Months) -> None:
        """What was taken is there to be taken again, in the same months."""
        known = self.posted.get((source, source_id), {})
        for month, fen in months.items():
            if month not in known:
                self.left[month] = self.left.get(month, 0) + fen

    def gone(self, source: str, source_id: int) -> int:
        return sum(self.posted.get((source, source_id), {}).values())

    @property
    def rest(self) -> int:
        return sum(self.left.values())


def _claims(facts: Facts) -> dict[int, _Claim]:
    """The settlements, less what the books have taken of each already. Without that, what is found later (a payment beside an older offset)
    would push an older posting into another month, and it would stand there twice."""
    claims = {one["id"]: _Claim(_months(one)) for one in facts.settlements}
    owner: dict[tuple[str, int], int | None] = {("cleared", number_): number_ for number_ in claims}
    for number_, _, of, _ in facts.paid:
        owner |= {("payment", number_): of, ("taken_back", number_): of}
    for one in facts.receipts:
        owner |= {("receipt", one["id"]): one["settlement_id"], ("set_off", one["id"]): one["against_id"]}
    for known in facts.posted:
        if (claim := claims.get(owner.get((known.source, known.source_id)) or 0)) is not None:
            by_month = claim.posted.setdefault((known.source, known.source_id), {})
            by_month[known.month] = by_month.get(known.month, 0) + known.fen
            claim.left[known.month] = claim.left.get(known.month, 0) + (known.fen if known.source == "taken_back" else -known.fen)
    return claims


def _payments(facts: Facts, claims: Mapping[int, _Claim]) -> Iterable[Posting]:
    """What the bank credited; what it took back is owed again, in the months for which it was paid."""
    for number_, month, of, fen in facts.paid:
        claim = claims.get(of or 0)
        parts = claim.take("payment", number_, fen) if claim is not None else {month: fen}
        yield from (Posting(part, "payable", "bank", amount, "payment", number_) for part, amount in parts.items())
        if number_ in facts.taken_back:
            yield from (Posting(part, "bank", "payable", amount, "taken_back", number_) for part, amount in parts.items())
            if claim is not None:
                claim.give_back("taken_back", number_, parts)


def _receipts(facts: Facts, claims: Mapping[int, _Claim]) -> Iterable[Posting]:
    for one in facts.receipts:
        if one["state"] != "done" or one["settlement_id"] not in claims:
            continue
        offset = one["kind"] == "offset"
        for month, fen in claims[one["settlement_id"]].take("receipt", one["id"], one["fen"]).items():
            yield Posting(month, "set_off" if offset else "bank", "receivable", fen, "receipt", one["id"])
        if offset and one["against_id"] in claims:
            for month, fen in claims[one["against_id"]].take("set_off", one["id"], one["fen"]).items():
                yield Posting(month, "payable", "set_off", fen, "set_off", one["id"])


def _cleared(facts: Facts, claims: Mapping[int, _Claim]) -> Iterable[Posting]:
    """What was left of a settlement when it was over: it came in or was paid by hand, or is not asked back."""
    for one in facts.settlements:
        if one["status"] in benefits.OWED or claims[one["id"]].rest <= 0:
            continue
        sides = ("payable", "bank") if one["kind"] == "arrears" else ("written_off" if one["status"] == "waived" else "bank", "receivable")
        for month, fen in claims[one["id"]].take("cleared", one["id"], claims[one["id"]].gone("cleared", one["id"]) + claims[one["id"]].rest).items():
            yield Posting(month, *sides, fen, "cleared", one["id"])


# -- balances: pure


def balance(postings: Iterable[Posting | Row]) -> dict[str, int]:
    """The figures of some postings. owed: to the household where it is above zero, by it where it is below. paid: less what the bank took back;
    recovered: what the household gave back."""
    sums, out, back = dict.fromkeys(ACCOUNTS, 0), 0, 0
    for one in postings:
        debit, credit, fen = (one.debit, one.credit, one.fen) if isinstance(one, Posting) else (one["debit"], one["credit"], one["fen"])
        sums[debit] += fen
        sums[credit] -= fen
        out += fen if credit == "bank" else -fen if (debit, credit) == ("bank", "payable") else 0
        back += fen if (debit, credit) == ("bank", "receivable") else 0
    payable, receivable = -sums["payable"], sums["receivable"]
    return {"approved_fen": sums["approved"], "paid_fen": out, "recovered_fen": back, "set_off_fen": -sums["set_off"], "written_off_fen": sums["written_off"],
            "payable_fen": payable, "receivable_fen": receivable, "owed_fen": payable - receivable}  # fmt: skip


def holds(figures: Mapping[str, int]) -> bool:
    """The identity of decision 070."""
    return figures["approved_fen"] == figures["paid_fen"] - figures["recovered_fen"] + figures["set_off_fen"] + figures["owed_fen"] - figures["written_off_fen"]


# -- reading the facts


def books_from(conn: Connection) -> str | None:
    """The month of the first run that was not called off; None: there are no books yet."""
    month: str | None = conn.scalar(select(func.min(payment_run.c.month)).where(payment_run.c.status != "called_off"))
    return month


def posted_from(conn: Connection, month: str) -> str | None:
    """The first month of the books, where something is posted and that month is later than `month`."""
    begun = books_from(conn)
    later = begun is not None and month < begun and conn.scalar(select(account_posting.c.id).limit(1)) is not None
    return begun if later else None


def facts_of(conn: Connection, ids: Collection[int], month: str) -> dict[int, Facts]:
    """Benefit id -> its facts, up to a month. Empty while there are no books."""
    begun = books_from(conn)
    if begun is None or not ids:
        return {}

    def by_benefit(query: Any) -> dict[int, list[Row]]:
        found: dict[int, list[Row]] = {}
        for row in conn.execute(query).mappings():
            found.setdefault(row["benefit_id"], []).append(row)
        return found

    rows = conn.execute(select(benefit).where(benefit.c.id.in_(ids))).mappings().all()
    decisions = by_benefit(select(benefit_adjustment).where(benefit_adjustment.c.benefit_id.in_(ids)).order_by(benefit_adjustment.c.id))
    settlements = by_benefit(select(settlement).where(settlement.c.benefit_id.in_(ids)).order_by(settlement.c.id))
    receipts = by_benefit(select(account_receipt).where(account_receipt.c.benefit_id.in_(ids)).order_by(account_receipt.c.id))
    posted = by_benefit(select(account_posting).where(account_posting.c.benefit_id.in_(ids)).order_by(account_posting.c.id))
    paid = by_benefit(select(payment_sending.c.id, payment_item.c.benefit_id, payment_item.c.month, payment_item.c.settlement_id, payment_sending.c.amount_fen, payment_sending.c.state)
                      .join(payment_item, payment_item.c.id == payment_sending.c.item_id)
                      .where(payment_item.c.benefit_id.in_(ids), payment_sending.c.state.in_(("paid", "taken_back"))).order_by(payment_sending.c.id))  # fmt: skip
    listed = by_benefit(select(payment_item.c.benefit_id, func.max(payment_item.c.month).label("month")).join(payment_run, payment_run.c.id == payment_item.c.run_id)
                        .where(payment_item.c.benefit_id.in_(ids), payment_item.c.live, payment_run.c.approved_on.is_not(None)).group_by(payment_item.c.benefit_id))  # fmt: skip
    return {
        row["id"]: Facts(row, decisions.get(row["id"], ()), settlements.get(row["id"], ()),
                         [(p["id"], p["month"], p["settlement_id"], int(p["amount_fen"])) for p in paid.get(row["id"], ())], receipts.get(row["id"], ()), begun,
                         max(month, *(one["month"] for one in listed.get(row["id"], ()))) if row["id"] in listed else month,
                         [Posting(p["month"], p["debit"], p["credit"], int(p["fen"]), p["source"], p["source_id"]) for p in posted.get(row["id"], ())],
                         frozenset(p["id"] for p in paid.get(row["id"], ()) if p["state"] == "taken_back"))
        for row in rows
    }  # fmt: skip


# -- posting


def handlers() -> dict[str, Handler]:
    return {"account_post": lambda job: lambda act: _post_stretch(act, job)}


def begin_posting(act: Act, scope: str) -> int:
    """Post all of a unit, in stretches, by jobs: when a run is closed, or when a finance officer asks for it. The record's id."""
    book = act.new("account_book", scope)
    act.append(book, "accounts_to_be_posted", {"scope": scope})
    plan(act.conn, "account_post", book.id, "0", act.now, {"scope": scope})
    return book.id


def ask_posting(act: Act, scope: str) -> dict[str, Any]:
    """A finance officer wants the accounts of a unit posted now."""
    if (told := act.recall()) is not None:
        return told  # type: ignore[no-any-return]
    post_ = act.actor.post_over(scope, OFFICERS) if scope.isascii() and scope.isdecimal() else None
    if post_ is None:
        raise Refused("role", "只有本辖区的资金发放岗可以记账", "Only finance officers of the area post its accounts")
    if act.conn.scalar(select(unit_table.c.id).where(unit_table.c.code == scope)) is None:  # nothing would be posted, and it would look done
        raise Invalid({"unit": ["没有这个机构"]})
    act.through(post_)
    begin_posting(act, scope)
    told = {"unit": scope, "status": "posting"}
    act.remember(told)
    return told


def _post_stretch(act: Act, job: Job) -> None:
    book, scope, after = act.open("account_book", job.record_id), str(job.data["scope"]), int(job.key)
    query = select(benefit.c.id).join(household, household.c.id == benefit.c.household_id).where(within(household.c.community, scope), benefit.c.id > after)
    ids = list(act.conn.scalars(query.order_by(benefit.c.id).limit(_STRETCH)))
    if not ids:
        act.append(book, "accounts_posted")
        return
    part = act.new("account_part", scope)
    puts = _puts(act, part.next_id, ids)
    if puts:
        act.append(part, "accounts_posted", {"book": book.id}, puts=puts)
    plan(act.conn, "account_post", book.id, str(ids[-1]), act.now, {"scope": scope})


def _puts(act: Act, next_id: Callable[[], int], ids: Collection[int]) -> list[Put]:
    places = {row.id: row.community for row in act.conn.execute(select(benefit.c.id, household.c.community).join(household, household.c.id == benefit.c.household_id).where(benefit.c.id.in_(ids)))}
    return [
        Put("account_posting", next_id(), {"household_id": facts.benefit["household_id"], "benefit_id": number_, "community": places[number_], "month": one.month, "debit": one.debit,
                                           "credit": one.credit, "fen": one.fen, "source": one.source, "source_id": one.source_id, "day": act.today.isoformat()})
        for number_, facts in sorted(facts_of(act.conn, ids, f"{act.today:%Y-%m}").items()) for one in due(facts)
    ]  # fmt: skip


def post(act: Act, benefit_id: int) -> None:
    """Post what is due for one benefit, in its own record."""
    record = act.open("benefit", benefit_id >> 16)
    if puts := _puts(act, record.next_id, [benefit_id]):
        act.append(record, "account_posted", puts=puts)


# -- what comes back, and what is set off


class Repayment(Form):
    """收到退款: an instalment of a claim, or all of it."""

    amount = money("退款金额", "Amount that came back")
    on_day = on_date("到账日期", "Received on")
    note = text("说明", "Note", required=False, max=500, widget="textarea", hint="如：缴款书号", hint_en="Like: number of the voucher")


class Offset(Form):
    """抵扣: a claim is set off against what the household is owed; asked for by one, decided by another."""

    against = number("用于抵扣的补发编号", "Number of the arrears that are used")
    amount = money("抵扣金额", "Amount set off")
    note = text("理由", "Why", max=500, widget="textarea")


class OffsetSettled(Form):
    NEEDED = {"opinion": ("不同意时必填", "needed to refuse it")}  # noqa: RUF012
    outcome = choice("决定", "Decision", [("agree", "同意抵扣", "Agree"), ("refuse", "不同意", "Refuse")])
    opinion = text("意见", "Opinion", required=False, max=500, widget="textarea")

    @validates_schema
    def _why(self, data: Data, **_: Any) -> None:
        if data["outcome"] == "refuse" and not data.get("opinion"):
            raise ValidationError({"opinion": [self.say("不同意时请写明理由", "Say why it is refused")]})


def rest_of(conn: Connection, found: Row) -> int:
    """What is left of a settlement: neither came back, nor was paid, nor set off, nor waits to be decided on."""
    if found["status"] not in benefits.OWED:
        return 0
    gone = conn.scalar(select(func.coalesce(func.sum(account_receipt.c.fen), 0)).where(
        or_(account_receipt.c.settlement_id == found["id"], account_receipt.c.against_id == found["id"]), account_receipt.c.state != "refused")) or 0  # fmt: skip
    paid = conn.scalar(select(func.coalesce(func.sum(payment_sending.c.amount_fen), 0)).join(payment_item, payment_item.c.id == payment_sending.c.item_id).where(
        payment_item.c.settlement_id == found["id"], payment_sending.c.state == "paid")) or 0  # fmt: skip
    return int(found["amount_fen"]) - int(gone) - int(paid)


def in_a_run(conn: Connection, settlement_id: int) -> str | None:
    """The number of the run that pays arrears now; None: none does."""
    open_ = and_(payment_item.c.settlement_id == settlement_id, payment_item.c.live, payment_item.c.state != "credited")
    no: str | None = conn.scalar(select(payment_run.c.case_no).join(payment_item, payment_item.c.run_id == payment_run.c.id).where(open_).limit(1))
    return no


def repay(act: Act, benefit_id: int, settlement_id: int, said: Data) -> dict[str, Any]:
    """Money of a claim came back: an instalment or all. With the last fen the claim is settled."""
    if (told := act.recall()) is not None:
        return told  # type: ignore[no-any-return]
    record, found = _opened(act, benefit_id, settlement_id, OFFICERS, "只有资金发放岗可以登记退款", "Only finance officers register repayments")
    if found["kind"] != "recovery":
        raise Refused("not-a-claim", "这是应补发给家庭的款项，不是追缴", "This is owed to the household: it is no claim")
    _fits(act, found, said["amount"], "amount")
    if said["on_day"] < (first := benefits.first_of(found["from_month"]).isoformat()):
        raise Invalid({"on_day": [f"不能早于所涉月份的第一天（{first}）"]})
    values = {"kind": "repaid", "on_day": said["on_day"], "state": "done", "settled_by": act.actor.id, "settled_on": act.today.isoformat()}
    row_id = _enter(act, record, found, said["amount"], said.get("note") or "", values)
    _over(act, benefit_id, settlement_id)
    post(act, benefit_id)
    told = {"receipt": row_id, "state": "done"}
    act.remember(told)
    return told


def propose_offset(act: Act, benefit_id: int, settlement_id: int, said: Data) -> dict[str, Any]:
    """Ask that a claim be set off against arrears of the same benefit."""
    if (told := act.recall()) is not None:
        return told  # type: ignore[no-any-return]
    record, found = _opened(act, benefit_id, settlement_id, OFFICERS, "只有资金发放岗可以提出抵扣", "Only finance officers ask for an offset")
    against = benefits.one_settlement(act.conn, benefit_id, said["against"])
    if found["kind"] != "recovery" or against["kind"] != "arrears":
        raise Refused("not-a-claim", "只能用应补发的款项抵扣追缴的款项", "A claim is set off against what the household is owed")
    if run := in_a_run(act.conn, against["id"]):
        raise Refused("in-payment-run", f"这笔补发已列入发放批次 {run}，不能抵扣", f"Run {run} pays these arrears: they cannot be set off")
    _fits(act, found, said["amount"], "amount")
    _fits(act, against, said["amount"], "amount")
    values = {"kind": "offset", "against_id": against["id"], "on_day": act.today.isoformat(), "state": "proposed"}
    row_id = _enter(act, record, found, said["amount"], said["note"], values)
    told = {"receipt": row_id, "state": "proposed"}
    act.remember(told)
    return told


def settle_offset(act: Act, benefit_id: int, receipt_id: int, said: Data) -> dict[str, Any]:
    """An approver of the district decides; never who asked for it."""
    if (told := act.recall()) is not None:
        return told  # type: ignore[no-any-return]
    row = act.conn.execute(select(account_receipt).where(account_receipt.c.id == receipt_id, account_receipt.c.benefit_id == benefit_id)).mappings().one_or_none()
    if row is None:
        raise NotFound("没有这笔抵扣")
    record, _ = _opened(act, benefit_id, row["settlement_id"], DECIDERS, "只有区级审批人可以决定抵扣", "Only approvers of the district decide on an offset")
    row = act.conn.execute(select(account_receipt).where(account_receipt.c.id == receipt_id)).mappings().one()
    if row["state"] != "proposed":
        raise Conflict("这笔抵扣已经处理", "This offset is settled already")
    if row["entered_by"] in act.actor.persons:
        raise Refused("four-eyes", "提出抵扣的人不能自己决定（双人规则）", "Who asked for the offset may not decide on it")
    state = "done" if said["outcome"] == "agree" else "refused"
    if state == "done" and any(benefits.one_settlement(act.conn, benefit_id, n)["status"] not in benefits.OWED for n in (row["settlement_id"], row["against_id"])):
        raise Conflict("这笔款项已经结清或免除", "This is settled already")
    if state == "done" and (run := in_a_run(act.conn, row["against_id"])):
        raise Refused("in-payment-run", f"这笔补发已列入发放批次 {run}，不能抵扣", f"Run {run} pays these arrears: they cannot be set off")
    settled = {"state": state, "settled_by": act.actor.id, "settled_on": act.today.isoformat()}
    personal = {f"household:{row['household_id']}": {"opinion": said["opinion"]}} if said.get("opinion") else {}
    act.append(record, f"offset_{state}", {"receipt": receipt_id}, personal=personal, puts=[Put("account_receipt", receipt_id, settled)])
    for number_ in sorted({row["settlement_id"], row["against_id"]}):
        _over(act, benefit_id, number_)
    post(act, benefit_id)
    told = {"receipt": receipt_id, "state": state}
    act.remember(told)
    return told


def _opened(act: Act, benefit_id: int, settlement_id: int, roles: frozenset[str], zh: str, en: str) -> tuple[Any, Row]:
    """The benefit's record, locked, and the settlement. Refused: without such a post there, near relatives."""
    record = act.open("benefit", benefit_id >> 16)
    house = households.row(act.conn, benefits.row(act.conn, benefit_id)["household_id"])
    if not act.actor.covers(house["community"]):
        raise NotFound("没有这项救助待遇")
    post_ = act.actor.post_over(house["community"], roles)
    if post_ is None:
        raise Refused("role", zh, en)
    act.through(post_)
    households.refuse_relative(act, house["id"])
    return record, benefits.one_settlement(act.conn, benefit_id, settlement_id)


def _fits(act: Act, found: Row, fen: int, name: str) -> None:
    if found["status"] not in benefits.OWED:
        raise Conflict("这笔款项已经结清或免除", "This is settled already")
    rest = rest_of(act.conn, found)
    if not 0 < fen <= rest:
        raise Invalid({name: [f"金额应大于零，不超过未结清的 {yuan(rest)} 元"]})


def _enter(act: Act, record: Any, found: Row, fen: int, note: str, values: Mapping[str, Any]) -> int:
    row_id: int = record.next_id()
    row = {"benefit_id": found["benefit_id"], "household_id": found["household_id"], "settlement_id": found["id"], "fen": fen, **({"note": note} if note else {}), **values,
           "entered_by": act.actor.id, "entered_on": act.today.isoformat()}  # fmt: skip
    act.append(record, f"account_{values['kind']}", {"settlement": found["id"], "fen": fen}, puts=[Put("account_receipt", row_id, row, f"household:{found['household_id']}")])
    return row_id


def _over(act: Act, benefit_id: int, settlement_id: int) -> None:
    """A settlement of which nothing is left is settled."""
    found = benefits.one_settlement(act.conn, benefit_id, settlement_id)
    waiting = select(account_receipt.c.id).where(account_receipt.c.settlement_id == settlement_id, account_receipt.c.state == "proposed")
    if found["status"] in benefits.OWED and rest_of(act.conn, found) == 0 and act.conn.scalar(waiting.limit(1)) is None:
        benefits.clear(act, found, "settled", {"cleared_on": act.today.isoformat()})


def arrears_paid(act: Act, benefit_id: int, settlement_id: int) -> None:
    """The bank credited what a run paid of arrears."""
    act.open("benefit", benefit_id >> 16)
    _over(act, benefit_id, settlement_id)


def taken_back(act: Act, benefit_id: int, arrears: Collection[int]) -> None:
    """The bank took back what it had credited of a benefit: arrears that were settled by it are owed again, all of them before anything is
    posted (else they would be cleared as if paid by hand), and the reverse is posted."""
    act.open("benefit", benefit_id >> 16)
    for number_ in sorted(arrears):
        if (found := benefits.one_settlement(act.conn, benefit_id, number_))["status"] == "settled":
            benefits.reopen(act, found)
    post(act, benefit_id)


# -- looking


def statement(conn: Connection, keys: BoundKeys, household_id: int, month: str) -> dict[str, Any]:
    """A household's statement of account: figures by month and in all, and each posting, also those that are not in the books yet."""
    ids = list(conn.scalars(select(benefit.c.id).where(benefit.c.household_id == household_id).order_by(benefit.c.id)))
    rows: list[dict[str, Any]] = []
    for number_, facts in sorted(facts_of(conn, ids, month).items()):
        for posted, some in ((True, facts.posted), (False, due(facts))):
            rows += [{"benefit_id": number_, "month": p.month, "debit": p.debit, "credit": p.credit, "fen": p.fen, "source": p.source, "source_id": p.source_id, "posted": posted} for p in some]
    months = sorted({row["month"] for row in rows})
    by_month = [{"month": m, **balance([row for row in rows if row["month"] == m])} for m in months]
    open_ = [{**{name: one[name] for name in ("id", "benefit_id", "kind", "reason_code", "from_month", "to_month", "amount_fen", "instalment_fen", "first_month", "status")},
              "rest_fen": rest_of(conn, one), "run": in_a_run(conn, one["id"]) if one["kind"] == "arrears" else None}
             for number_ in ids for one in benefits.of_settlements(conn, number_)]  # fmt: skip
    return {"household_id": household_id, "books_from": books_from(conn), "totals": balance(rows), "months": by_month, "postings": rows, "settlements": open_,
            "receipts": receipts(conn, keys, ids)}  # fmt: skip


def receipts(conn: Connection, keys: BoundKeys, ids: Collection[int]) -> list[dict[str, Any]]:
    names = ("id", "benefit_id", "settlement_id", "against_id", "kind", "fen", "on_day", "state", "entered_by", "entered_on", "settled_by", "settled_on")
    found = conn.execute(select(account_receipt).where(account_receipt.c.benefit_id.in_(ids)).order_by(account_receipt.c.id)).mappings()
    return [{**{name: row[name] for name in names}, "note": keys.reveal("account_receipt", "note", row["id"], row["note"]) if row["note"] else None} for row in found]


def seen(conn: Connection, actor: Actor, household_id: int) -> Row:
    """The household, for who reads its benefits; NotFound else."""
    house = households.row(conn, household_id)
    if not readers.of_benefits(actor).covers(house["community"]):
        raise NotFound("没有这户家庭")
    return house


def good_month(text_: str) -> str:
    """Raises Invalid for what is no month."""
    if not re.fullmatch(r"20[0-9]{2}-(0[1-9]|1[0-2])", text_):
        raise Invalid({"month": ["月份写成 2018-11"]})
    return text_


def reconciliation(conn: Connection, area: Area, month: str, *, differing: bool = False, page: int = 1, size: int = 50) -> Page:
    """核对表: the books of a unit for a month, a line for each benefit: figures, household, applicant. differing: only where something is still
    owed, claimed, or was paid above what is approved."""
    table = account_posting.c
    query = select(account_posting, household.c.no.label("household_no"), person.c.name.label("applicant")).join(household, household.c.id == table.household_id)
    query = query.join(person, person.c.id == household.c.applicant_id).where(within(table.community, area), table.month == month)
    rows: dict[int, list[Row]] = {}
    for row in conn.execute(query.order_by(table.community, table.benefit_id)).mappings():
        rows.setdefault(row["benefit_id"], []).append(row)
    lines: list[Row] = [{"benefit_id": number_, "household_id": some[0]["household_id"], "household_no": some[0]["household_no"], "applicant": some[0]["applicant"],
                         "community": some[0]["community"], **balance(some)} for number_, some in rows.items()]  # fmt: skip
    if differing:
        lines = [line for line in lines if line["payable_fen"] or line["receivable_fen"]]
    return Page(lines[(page - 1) * size : page * size], len(lines), page, size)


def unit_totals(conn: Connection, area: Area, month: str) -> dict[str, int]:
    """The books of a unit for a month, in all."""
    table = account_posting.c
    query = select(table.debit, table.credit, func.sum(table.fen).label("fen")).where(within(table.community, area), table.month == month).group_by(table.debit, table.credit)
    return balance([{**row, "fen": int(row["fen"])} for row in conn.execute(query).mappings()])

