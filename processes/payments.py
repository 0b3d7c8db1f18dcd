"""Monthly payments: the list of a run, what is wrong with it, files to the bank and its answers (N220 art 31; domain 2.2 step 14, S38).

The drawing (`payment-run`) owns the order and who does what; this module owns the money. The list, the files and the answers of a large
run are worked on in parts by jobs: each part is a record of its own with one entry for what happens to it, in which every item stands
with its bytes. A worker that dies leaves a job that is done again; one live item for each claim, one sending for each item and attempt,
and one serial for each sending are unique in the database (decision 069).
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from hashlib import sha256
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, case, exists, func, insert, or_, select

from engine import store
from engine.crypto import BoundKeys
from engine.errors import Conflict, NotFound, Refused
from engine.jobs import Handler, Job, Later, plan
from engine.model import Actor, Data, Put
from engine.office import Act, Office, Record
from engine.queries import Area, Page, within
from processes import account_book, bank_files, benefits, calendar, law, payment_accounts, readers
from processes.bank_files import Head, Payment, Sent
from processes.bank_port import Bank, BankFailed
from processes.benefit_tables import benefit_adjustment, settlement
from processes.benefits import first_of
from processes.money import to_fen, yuan
from processes.payment_accounts import Account
from processes.payment_tables import (
    payment_account,
    payment_file,
    payment_item,
    payment_item_person,
    payment_problem,
    payment_return,
    payment_return_fault,
    payment_run,
    payment_sending,
)
from processes.tables import benefit, benefit_person, household, household_member, person

MAKERS = frozenset({"finance_officer"})
WATCHERS = frozenset({"finance_officer", "approver", "supervisor", "auditor"})  # who sees whole runs of their area
LIST = 100  # benefits listed in one transaction, and items of one part
APPLIED = 1000  # lines of an answer that are applied at once; more are applied part by part by jobs
PAYER = "天津市滨海新区民政局"
RUN_STATES = ("listing", "ready", "checking", "approving", "approved", "paying", "closed", "called_off")
ITEM_STATES = ("listed", "held", "dropped", "sent", "credited", "returned")
UNPAID = ("held", "returned")
# What may be wrong with an item: zh, en, whether it may be paid all the same by somebody's word
PROBLEMS: Mapping[str, tuple[str, str, bool]] = {
    "person_twice": ("同一人在本月另一笔发放中", "The same person is in another payment of the month", True),
    "account_twice": ("同一账户收另一户的款", "The same account receives another household's payment", True),
    "over_ceiling": ("金额超过单户上限", "Above the ceiling of one payment", True),
    "taken_back": ("曾入账后被银行收回，应核实后再发", "It was credited and taken back by the bank: verify before it is paid again", True),
    "deceased": ("享受人员已登记死亡", "Somebody who is counted is registered as deceased", True),
    "no_account": ("没有收款账户", "There is no account", False),
    "holder_differs": ("开户人不是家庭成员", "The account's holder is no member of the household", False),
    "unwritable": ("户名或账号不符合银行文件格式", "Name or account do not fit the bank's form", False),
}
_NEW_JOBS = insert(store.job).inline()
Row = Mapping[Any, Any]


# -- dates


def pay_by(month: str) -> str:
    """The last day on which a month's money is to be credited: the tenth, or the last working day before it (S38; S1)."""
    last = first_of(month).replace(day=int(law.value("payment_day", first_of(month)).amount))
    while not calendar.is_workday(last):
        last -= timedelta(days=1)
    return last.isoformat()


# -- who


def area_of(actor: Actor) -> tuple[str, ...]:
    """Whose payments somebody sees: those of the benefits that he reads."""
    return readers.of_benefits(actor).areas


def seen(conn: Connection, actor: Actor, no: str) -> Row:
    """A run of which the actor sees something; NotFound else."""
    found = conn.execute(select(payment_run).where(payment_run.c.case_no == no)).mappings().one_or_none()
    areas = area_of(actor)
    if found is None or not any(found["scope"].startswith(a) or a.startswith(found["scope"]) for a in areas):
        raise NotFound("没有这次发放")
    return found


def _officer(act: Act, scope: str) -> None:
    post = act.actor.post_over(scope, MAKERS)
    if post is None:
        raise Refused("role", "只有资金发放岗可以办理", "Only finance officers do that")
    act.through(post)


def by_id(conn: Connection, run_id: int) -> Row:
    return conn.execute(select(payment_run).where(payment_run.c.id == run_id)).mappings().one()


def of_case(conn: Connection, no: str) -> Row:
    return conn.execute(select(payment_run).where(payment_run.c.case_no == no)).mappings().one()


def refuse_second(act: Act, scope: str, month: str) -> None:
    """One run for a month and a unit: none that covers it, and none inside of it. Two who ask at once meet at the district's record."""
    act.open("unit", act.conn.scalar(select(func.min(store.record.c.id)).where(store.record.c.kind == "unit")) or 0)
    for other in act.conn.execute(select(payment_run).where(payment_run.c.month == month)).mappings():
        if not (other["scope"].startswith(scope) or scope.startswith(other["scope"])):
            continue
        if other["status"] != "called_off":
            raise Refused("second-run", f"{month} 的发放已有批次 {other['case_no']}（{other['scope']}），同一范围一个月只能发放一次",
                          f"There is a run of {month} for this unit already: {other['case_no']} ({other['scope']})")  # fmt: skip
        if act.conn.scalar(select(payment_item.c.id).where(payment_item.c.run_id == other["id"], payment_item.c.live).limit(1)):
            raise Refused("run-releasing", f"撤销的批次 {other['case_no']} 还在释放明细，请稍后再试", f"The items of {other['case_no']}, which was called off, are still being released: try again later")


# -- the list: what each benefit comes to


@dataclass(frozen=True, slots=True)
class _Line:
    """What a benefit is paid for the run's month. `claim`: what the payment is for; two never pay the same."""

    claim: str
    values: Data
    people: tuple[tuple[int, str, str | None], ...]
    problems: tuple[str, ...]


def handlers(office: Office, bank: Bank) -> dict[str, Handler]:
    return {"payment_list": _listing(office), "payment_compare": _comparing(office), "payment_release": _releasing, "payment_fill": _filling,
            "payment_hand_over": _handing_over(office, bank), "payment_answer": _answering}  # fmt: skip


def begin_listing(act: Act, run_id: int, listings: int) -> None:
    plan(act.conn, "payment_list", run_id, f"{listings}.0", act.now, {})


def _listing(office: Office) -> Handler:
    """Computes a stretch outside of any transaction, and writes it in one."""

    def handler(job: Job) -> Callable[[Act], None]:
        after = int(job.key.partition(".")[2])
        with office.read() as conn:
            run = by_id(conn, job.record_id)
            found = _stretch(conn, office.keys.on(conn), run, after)
        return lambda act: _list(act, job, after, found)

    return handler


@dataclass(frozen=True, slots=True)
class _Stretch:
    last: int | None  # None: no benefit is left
    lines: tuple[_Line, ...]
    not_due: int
    gone: tuple[int, ...]  # benefits of the stretch that have nothing in this month


def _stretch(conn: Connection, keys: BoundKeys, run: Row, after: int) -> _Stretch:
    month, last, rows = run["month"], after, list[Row]()
    while not rows:
        window = conn.execute(select(benefit).where(benefit.c.id > last).order_by(benefit.c.id).limit(LIST)).mappings().all()
        if not window:
            return _Stretch(None, (), 0, ())
        last, rows = window[-1]["id"], _due(conn, window, run)
    ids, homes = [row["id"] for row in rows], {row["household_id"] for row in rows}
    decisions: dict[int, list[Row]] = {}
    for one in conn.execute(select(benefit_adjustment).where(benefit_adjustment.c.benefit_id.in_(ids)).order_by(benefit_adjustment.c.id)).mappings():
        decisions.setdefault(one["benefit_id"], []).append(one)
    counted: dict[int, list[tuple[int, str, str | None]]] = {}
    people = select(benefit_person.c.benefit_id, person.c.id, person.c.name, benefit_person.c.id_blind).join(person, person.c.id == benefit_person.c.person_id)
    for who in conn.execute(people.where(benefit_person.c.benefit_id.in_(ids), benefit_person.c.active).order_by(benefit_person.c.id)):
        counted.setdefault(who.benefit_id, []).append((who.id, who.name or "", who.id_blind))
    accounts, names = payment_accounts.of_households(conn, keys, homes, month), payment_accounts.names(conn, homes)
    dead = set(conn.scalars(select(household_member.c.person_id).where(household_member.c.household_id.in_(homes), household_member.c.left_reason == "death")))
    most = to_fen(law.value("payment_item_most", first_of(month)).amount)
    back = _back_payments(conn, ids, run)
    reversed_ = _taken_back(conn, ids)
    lines, not_due, gone = [], 0, []
    for row in rows:
        fen, status, decision = benefits.decided_of(row, decisions.get(row["id"], ()), month)
        whose, account = counted.get(row["id"], []), accounts[row["household_id"]]
        wrong = [*_of_account(account, names.get(row["household_id"], set())), *(["deceased"] if any(number in dead for number, _, _ in whose) else [])]
        known = _values(keys, run, row, decision, account)
        if fen > 0 and status in ("active", "pending_first_payment"):
            back.insert(0, (row["id"], {"claim": f"benefit:{row['id']}:{month}", "amount_fen": fen, "standard": _standard(row["category"], row["hukou_kind"], month)}))
        else:
            not_due += status == "suspended"
            gone.append(row["id"])
        for said in [said for number, said in back if number == row["id"]]:
            problems = [*wrong, *(["over_ceiling"] if said["amount_fen"] > most else []), *(["taken_back"] if said["claim"] in reversed_ else [])]
            lines.append(_Line(said["claim"], {**known, **said}, tuple(whose), tuple(problems)))
    return _Stretch(last, tuple(lines), not_due, tuple(gone))


def _due(conn: Connection, window: Sequence[Row], run: Row) -> list[Row]:
    """Those of some benefits that the run's list has something to say of, with "community" and "hukou_kind". Everything is asked for
    by key, a stretch at a time: as one question over all tables, a database that has not counted its rows yet reads all of them
    for each stretch."""
    month = run["month"]
    begun = [row for row in window if row["first_payment_month"] <= month]
    stopped = [row["id"] for row in begun if row["stopped_from"] is not None and row["stopped_from"] <= month]
    still = set[int]()  # stopped, and listed before that or owed something
    if stopped:
        item = payment_item.c
        here = and_(item.benefit_id.in_(stopped), or_(and_(item.run_id == run["id"], item.live), and_(item.live.is_(False), item.state.in_(UNPAID))))
        owed = and_(settlement.c.benefit_id.in_(stopped), settlement.c.kind == "arrears", settlement.c.status.in_(benefits.OWED))
        still = {*conn.scalars(select(item.benefit_id).where(here)), *conn.scalars(select(settlement.c.benefit_id).where(owed))}
    homes = {row["household_id"] for row in begun}
    found = conn.execute(select(household.c.id, household.c.community, household.c.hukou_kind).where(household.c.id.in_(homes))).all() if homes else ()
    places = {home.id: home for home in found if home.community.startswith(run["scope"])}
    wanted = [row for row in begun if row["household_id"] in places and (row["id"] in still or row["id"] not in stopped)]
    return [{**row, "community": places[row["household_id"]].community, "hukou_kind": places[row["household_id"]].hukou_kind} for row in wanted]


def _of_account(account: Account, names: Collection[str]) -> list[str]:
    if not account.account:
        return ["no_account"]
    return [] if payment_accounts.plain(account.holder) in names else ["holder_differs"]


def _back_payments(conn: Connection, ids: Collection[int], run: Row) -> list[tuple[int, dict[str, Any]]]:
    """补发: what benefits are still owed for earlier months: arrears that were found, and items of closed runs that were never credited."""
    found: list[tuple[int, dict[str, Any]]] = []
    owed = select(settlement).where(settlement.c.benefit_id.in_(ids), settlement.c.kind == "arrears", settlement.c.status.in_(benefits.OWED)).order_by(settlement.c.id)
    for one in conn.execute(owed).mappings().all():
        elsewhere = conn.scalar(select(payment_item.c.run_id).where(payment_item.c.claim == f"settlement:{one['id']}", payment_item.c.live, payment_item.c.state != "credited"))
        if (elsewhere in (None, run["id"])) and (rest := account_book.rest_of(conn, one)) > 0:
            found.append((one["benefit_id"], {"claim": f"settlement:{one['id']}", "settlement_id": one["id"], "amount_fen": rest, "standard": ""}))
    item, again = payment_item, payment_item.alias("again")
    newer = exists().where(again.c.claim == item.c.claim, again.c.id > item.c.id, or_(again.c.run_id != run["id"], again.c.live.is_(False)), again.c.state != "dropped")
    left = select(item).join(payment_run, payment_run.c.id == item.c.run_id).where(
        item.c.benefit_id.in_(ids), item.c.live.is_(False), item.c.state.in_(UNPAID), item.c.settlement_id.is_(None), item.c.month < run["month"], payment_run.c.status == "closed", ~newer)  # fmt: skip
    return found + [(row["benefit_id"], {name: row[name] for name in ("claim", "month", "amount_fen", "standard")}) for row in conn.execute(left.order_by(item.c.id)).mappings()]


def _taken_back(conn: Connection, ids: Collection[int]) -> set[str]:
    """Claims of benefits that were credited and taken back by the bank: somebody looks before they are paid once more."""
    query = select(payment_item.c.claim).join(payment_sending, payment_sending.c.item_id == payment_item.c.id)
    return set(conn.scalars(query.where(payment_item.c.benefit_id.in_(ids), payment_sending.c.state == "taken_back")))


def _values(keys: BoundKeys, run: Row, row: Row, decision: int, account: Account) -> dict[str, Any]:
    return {
        "run_id": run["id"], "benefit_id": row["id"], "household_id": row["household_id"], "community": row["community"], "month": run["month"],
        "live": True, "state": "listed", "category": row["category"], "members": row["members"], "adjustment_id": decision, "again": False, "attempts": 0,
        **_account_values(keys, account),
    }  # fmt: skip


def _account_values(keys: BoundKeys, account: Account) -> dict[str, Any]:
    blind = keys.blind(account.account) if account.account else None
    return {"account_id": account.id, "holder": account.holder, "bank": account.bank, "account": account.account, "account_blind": blind}


def _standard(category: str, hukou: str, month: str) -> str:
    """The standard of the month by law, in yuan; "" for what has none."""
    dispersed = "destitute_rural_institutional" if category == "destitute_institutional" else "destitute_rural_dispersed"
    name = ("destitute_urban" if hukou == "urban" else dispersed) if benefits.is_destitute(category) else f"dibao_standard_{hukou}"
    try:
        return law.value(name, first_of(month)).text
    except law.BadLaw:
        return ""


def _list(act: Act, job: Job, after: int, found: _Stretch) -> None:
    record, run = act.open("case", job.record_id), by_id(act.conn, job.record_id)
    if run["status"] != "listing" or run["scanned_to"] != after or job.key != f"{run['listings']}.{after}":
        return
    if found.last is None:
        plan(act.conn, "payment_compare", run["id"], f"{run['listings']}.0", act.now, {})
        return
    known = {row["claim"]: row for row in act.conn.execute(select(payment_item).where(payment_item.c.claim.in_([line.claim for line in found.lines]), payment_item.c.live)).mappings()}
    elsewhere = sum(row["run_id"] != run["id"] for row in known.values())
    _drop_stale(act, run, found, known)
    new = [line for line in found.lines if line.claim not in known or _stale(act.keys, known[line.claim], line, run)]
    if new:
        part = act.new("payment_part", run["scope"])
        act.append(part, "items_listed", {"run": run["case_no"]}, puts=[put for line in new for put in _item_puts(part, line)])
    values = {"scanned_to": found.last, "not_due": run["not_due"] + found.not_due, "elsewhere": run["elsewhere"] + elsewhere}
    act.append(record, "payment_scanned", {"items": len(new)}, puts=[Put("payment_run", run["id"], values)])
    plan(act.conn, "payment_list", run["id"], f"{run['listings']}.{found.last}", act.now, {})


def _stale(keys: BoundKeys, item: Row, line: _Line, run: Row) -> bool:
    """Whether an item of this run is no longer what it would be listed as; another run's item is left alone."""
    account = keys.reveal("payment_item", "account", item["id"], item["account"]) if item["account"] else ""
    same = {name: item[name] for name in ("amount_fen", "adjustment_id", "account_id", "members", "category")} | {"account": account, "holder": item["holder"] or ""}
    return item["run_id"] == run["id"] and any(value != line.values[name] for name, value in same.items())


def _drop_stale(act: Act, run: Row, found: _Stretch, known: Mapping[str, Row]) -> None:
    """Listed before, and no longer so: the item is dropped in its part's record; who has nothing any more, for good."""
    lines = {line.claim: line for line in found.lines}
    old = [row for claim, row in known.items() if _stale(act.keys, row, lines[claim], run)]
    if found.gone:
        gone = and_(payment_item.c.run_id == run["id"], payment_item.c.live, payment_item.c.claim.in_([f"benefit:{n}:{run['month']}" for n in found.gone]))
        old += act.conn.execute(select(payment_item).where(gone)).mappings()
    for part in sorted({row["part"] for row in old}):
        mine = [row for row in old if row["part"] == part]
        puts = [Put("payment_item", row["id"], {"live": False, "state": "dropped"}) for row in mine]
        open_ = and_(payment_problem.c.item_id.in_([row["id"] for row in mine]), payment_problem.c.state == "open")
        puts += [Put("payment_problem", n, {"state": "answered", "answer": "drop", "answered_by": act.actor.id, "answered_on": act.today.isoformat()})
                 for n in act.conn.scalars(select(payment_problem.c.id).where(open_))]  # fmt: skip
        act.append(act.open("payment_part", part), "items_superseded", puts=puts)


def _item_puts(part: Record, line: _Line) -> list[Put]:
    """The item, whom it counts, and what is wrong with it. What nobody's word can heal holds it back at once."""
    row_id, subject = part.next_id(), f"household:{line.values['household_id']}"
    held = any(not PROBLEMS[kind][2] for kind in line.problems)
    puts = [Put("payment_item", row_id, {**line.values, "part": part.id, "state": "held" if held else "listed"}, subject)]
    puts += [Put("payment_item_person", part.next_id(), {"item_id": row_id, "month": line.values["month"], "person_id": number, "name": name, "id_blind": blind}, subject)
             for number, name, blind in line.people]  # fmt: skip
    return puts + [_problem(part, line.values["run_id"], row_id, kind) for kind in line.problems]


def _problem(part: Record, run_id: int, item_id: int, kind: str, other: int | None = None) -> Put:
    healed = {"state": "open"} if PROBLEMS[kind][2] else {"state": "answered", "answer": "hold", "answered_by": "system"}
    return Put("payment_problem", part.next_id(), {"run_id": run_id, "item_id": item_id, "kind": kind, "other_item_id": other, **healed})


# -- duplicates, also across units


def _comparing(office: Office) -> Handler:
    def handler(job: Job) -> Callable[[Act], None]:
        after = int(job.key.partition(".")[2])
        with office.read() as conn:
            part = conn.scalar(select(func.min(payment_item.c.part)).where(payment_item.c.run_id == job.record_id, payment_item.c.part > after))
            pairs = _pairs(conn, by_id(conn, job.record_id), part) if part is not None else []
        return lambda act: _compared(act, job, after, part, pairs)

    return handler


def _pairs(conn: Connection, run: Row, part: int) -> list[tuple[int, str, int]]:
    """(item, kind, the other item): each pair of one run is listed once, one of two runs in that which was listed later."""
    item, other = payment_item, payment_item.alias("other")
    beside = and_(other.c.month == item.c.month, other.c.live, other.c.id != item.c.id, or_(other.c.run_id != item.c.run_id, other.c.id < item.c.id))
    mine = and_(item.c.part == part, item.c.run_id == run["id"], item.c.live)
    same = and_(beside, other.c.account_blind == item.c.account_blind, other.c.household_id != item.c.household_id)
    found = [(row.id, "account_twice", row.twin) for row in conn.execute(select(item.c.id, func.min(other.c.id).label("twin")).join(other, same).where(mine).group_by(item.c.id))]
    who, twin = payment_item_person, payment_item_person.alias("twin")
    query = select(item.c.id, func.min(other.c.id).label("twin")).join(who, who.c.item_id == item.c.id)
    query = query.join(twin, and_(twin.c.month == who.c.month, twin.c.id_blind == who.c.id_blind, twin.c.item_id != who.c.item_id)).join(other, and_(other.c.id == twin.c.item_id, other.c.benefit_id != item.c.benefit_id, beside))
    found += [(row.id, "person_twice", row.twin) for row in conn.execute(query.where(mine).group_by(item.c.id))]
    return sorted(found)


def _compared(act: Act, job: Job, after: int, part: int | None, pairs: Sequence[tuple[int, str, int]]) -> None:
    record, run = act.open("case", job.record_id), by_id(act.conn, job.record_id)
    if run["status"] != "listing" or run["compared_to"] != after or job.key != f"{run['listings']}.{after}":
        return
    if part is None:
        sums = totals(act.conn, run["id"])
        act.append(record, "payment_listed", {"items": sums["items"], "total_fen": sums["total_fen"], "held": sums["held"]},
                   puts=[Put("payment_run", run["id"], {"status": "ready"})])  # fmt: skip
        return
    items = {row["id"]: row for row in act.conn.execute(select(payment_item).where(payment_item.c.id.in_({n for n, _, _ in pairs}))).mappings()}
    known = {(row.item_id, row.kind, row.other_item_id) for row in act.conn.execute(select(payment_problem).where(payment_problem.c.item_id.in_(items)))}
    owner = act.open("payment_part", part)
    if new := [_problem(owner, run["id"], n, kind, twin) for n, kind, twin in pairs if (n, kind, twin) not in known and items[n]["live"]]:
        act.append(owner, "duplicates_found", puts=new)
    act.append(record, "payment_compared", {"problems": len(new)}, puts=[Put("payment_run", run["id"], {"compared_to": part})])
    plan(act.conn, "payment_compare", run["id"], f"{run['listings']}.{part}", act.now, {})


def answer(act: Act, no: str, problem_id: int, said: Data) -> dict[str, Any]:
    """What becomes of an item with which something is wrong: paid all the same, held back, or not in this run. By a finance officer,
    while the list is being prepared; the checker sees it with its reason."""
    if (told := act.recall()) is not None:
        return told  # type: ignore[no-any-return]
    run = seen(act.conn, act.actor, no)
    _officer(act, run["scope"])
    act.open("case", run["id"])
    run = by_id(act.conn, run["id"])
    problem = act.conn.execute(select(payment_problem).where(payment_problem.c.id == problem_id, payment_problem.c.run_id == run["id"])).mappings().one_or_none()
    if problem is None:
        raise NotFound("没有这个问题")
    if run["status"] != "ready":
        raise Conflict("清单不在编制环节，不能处理问题", "The list is not being prepared: problems are answered then")
    part = act.open("payment_part", problem_id >> 16)
    item = act.conn.execute(select(payment_item).where(payment_item.c.id == problem["item_id"])).mappings().one()
    if not item["live"]:
        raise Conflict("这一笔已不在清单中", "This payment is not on the list any more")
    if said["answer"] == "keep" and not PROBLEMS[problem["kind"]][2]:
        raise Refused("not-payable", f"{PROBLEMS[problem['kind']][0]}：不能照发，请先办理账户变更", f"{PROBLEMS[problem['kind']][1]}: it cannot be paid, change the account first")
    puts = [Put("payment_problem", problem_id, {"state": "answered", "answer": said["answer"], "reason": said["reason"], "answered_by": act.actor.id,
                                                "answered_on": act.today.isoformat()}, f"household:{item['household_id']}")]  # fmt: skip
    puts.append(Put("payment_item", item["id"], _by_answers(act.conn, item, problem_id, said["answer"])))
    act.append(part, "problem_answered", {"kind": problem["kind"], "answer": said["answer"]}, puts=puts)
    told = {"problem": problem_id, "answer": said["answer"]}
    act.remember(told)
    return told


def _by_answers(conn: Connection, item: Row, problem_id: int, said: str) -> dict[str, Any]:
    """An item's state by all that was answered: the strictest counts."""
    others = conn.scalars(select(payment_problem.c.answer).where(payment_problem.c.item_id == item["id"], payment_problem.c.id != problem_id, payment_problem.c.answer.is_not(None)))
    answers = {said, *others}
    if "drop" in answers:
        return {"state": "dropped", "live": False}
    return {"state": "held" if "hold" in answers else "listed"}


def list_again(act: Act, no: str) -> dict[str, Any]:
    """Make the list anew while it is prepared: what has changed since is dropped and listed as it is now, the rest stays."""
    if (told := act.recall()) is not None:
        return told  # type: ignore[no-any-return]
    run = seen(act.conn, act.actor, no)
    _officer(act, run["scope"])
    record = act.open("case", run["id"])
    run = by_id(act.conn, run["id"])
    if run["status"] != "ready":
        raise Conflict("清单不在编制环节，不能重新生成", "The list is not being prepared")
    values = {"status": "listing", "listings": run["listings"] + 1, "scanned_to": 0, "compared_to": 0, "not_due": 0, "elsewhere": 0}
    act.append(record, "payment_listed_again", puts=[Put("payment_run", run["id"], values)])
    begin_listing(act, run["id"], values["listings"])
    told = {"case": no, "status": "listing"}
    act.remember(told)
    return told


# -- may it go on?


def _changed(run: Row) -> ColumnElement[bool]:
    """Items that a decision or a change of account has overtaken since they were listed."""
    item = payment_item.c
    decided = exists().where(benefit_adjustment.c.benefit_id == item.benefit_id, benefit_adjustment.c.from_month <= run["month"], benefit_adjustment.c.id > item.adjustment_id)
    moved = exists().where(payment_account.c.household_id == item.household_id, payment_account.c.state == "confirmed", payment_account.c.from_month <= run["month"],
                           payment_account.c.id > item.account_id)  # fmt: skip
    return and_(item.run_id == run["id"], item.live, or_(decided, moved))


def changed(conn: Connection, run: Row) -> int:
    return conn.scalar(select(func.count()).select_from(payment_item).where(_changed(run))) or 0


def refuse_unfit(conn: Connection, run: Row) -> None:
    """What keeps a list from being submitted, checked and approved. Raises Refused, Conflict."""
    if run["status"] == "listing":
        raise Conflict("清单还在生成，请稍后再办", "The list is still being made")
    sums = totals(conn, run["id"])
    if not sums["items"]:
        raise Refused("nothing-to-pay", "清单中没有可发放的明细", "There is nothing to be paid on the list")
    if n := conn.scalar(select(func.count()).select_from(payment_problem).where(payment_problem.c.run_id == run["id"], payment_problem.c.state == "open")):
        raise Refused("open-problems", f"还有 {n} 个问题没有处理（重复、超限、死亡），请逐项处理后再提交", f"{n} problems (duplicates, ceilings, deaths) are not answered yet")
    if n := changed(conn, run):
        raise Refused("list-overtaken", f"清单生成后有 {n} 户的待遇或账户发生变更，发放总额与审批数不符，请重新生成清单", f"{n} benefits or accounts changed since the list was made: make it again")
    most = to_fen(law.value("payment_total_most", first_of(run["month"])).amount)
    if sums["total_fen"] > most:
        raise Refused("total-ceiling", f"发放总额 {yuan(sums['total_fen'])} 元超过上限 {yuan(most)} 元", f"The total of {yuan(sums['total_fen'])} yuan is above the ceiling of {yuan(most)}")


# -- calling off


def release(act: Act, run_id: int, *, unpaid: bool = False) -> None:
    """The items of a run that was called off are free for another one; `unpaid`: those of a closed one that were never credited, as what
    they are. Part by part, by jobs of the parts (the run's end with its case)."""
    states = UNPAID if unpaid else ITEM_STATES
    parts = act.conn.scalars(select(payment_item.c.part).where(payment_item.c.run_id == run_id, payment_item.c.live, payment_item.c.state.in_(states)).distinct())
    key = "unpaid" if unpaid else "off"
    act.write(_NEW_JOBS, [{"kind": "payment_release", "record_id": part, "key": key, "due_at": act.now, "state": "ready", "data": "{}"} for part in sorted(parts)])


def _releasing(job: Job) -> Callable[[Act], None]:
    def effect(act: Act) -> None:
        part, unpaid = act.open("payment_part", job.record_id), job.key == "unpaid"
        states = UNPAID if unpaid else ITEM_STATES
        ids = list(act.conn.scalars(select(payment_item.c.id).where(payment_item.c.part == part.id, payment_item.c.live, payment_item.c.state.in_(states)).order_by(payment_item.c.id)))
        if ids:
            act.append(part, "items_released", puts=[Put("payment_item", n, {"live": False} if unpaid else {"live": False, "state": "dropped"}) for n in ids])

    return effect


# -- files to the bank


_SENDABLE = and_(payment_item.c.live, or_(payment_item.c.state == "listed", payment_item.c.again))


def begin_file(act: Act, run: Row, case_no: str, file_id: int, profile: str, pay_on: str) -> list[Put]:
    """The next file of a run; workers fill it, part by part, and hand it over."""
    seq = run["files"] + 1
    values = {"run_id": run["id"], "no": f"{case_no}-{seq:02d}", "seq": seq, "profile": profile, "state": "making", "pay_on": pay_on, "made_by": act.actor.id,
              "made_on": act.today.isoformat(), "filled_to": 0, "count": 0, "total_fen": 0}  # fmt: skip
    plan(act.conn, "payment_fill", run["id"], f"{seq}.0", act.now, {})
    return [Put("payment_file", file_id, values), Put("payment_run", run["id"], {"status": "paying", "files": seq})]


def _filling(job: Job) -> Callable[[Act], None]:
    seq, after = (int(n) for n in job.key.split("."))
    return lambda act: _fill(act, job.record_id, seq, after)


def _fill(act: Act, run_id: int, seq: int, after: int) -> None:
    record, run = act.open("case", run_id), by_id(act.conn, run_id)
    file = act.conn.execute(select(payment_file).where(payment_file.c.run_id == run_id, payment_file.c.seq == seq)).mappings().one()
    if file["state"] != "making" or file["filled_to"] != after:
        return
    number = act.conn.scalar(select(func.min(payment_item.c.part)).where(payment_item.c.run_id == run_id, payment_item.c.part > after, _SENDABLE))
    if number is None:
        act.append(record, "payment_file_made", {"file": file["no"], "count": file["count"], "total_fen": file["total_fen"]}, puts=[Put("payment_file", file["id"], {"state": "made"})])
        plan(act.conn, "payment_hand_over", run_id, file["no"], act.now, {})
        return
    part = act.open("payment_part", number)
    items = list(act.conn.execute(select(payment_item).where(payment_item.c.part == number, payment_item.c.run_id == run_id, _SENDABLE).order_by(payment_item.c.id)).mappings())
    puts, sent, total = _sendings(act, part, run, file, items)
    act.append(part, "items_sent", {"file": file["no"]}, puts=puts)
    values = {"filled_to": number, "count": file["count"] + sent, "total_fen": file["total_fen"] + total}
    act.append(record, "payment_file_filled", {"file": file["no"], "count": sent, "total_fen": total}, puts=[Put("payment_file", file["id"], values)])
    plan(act.conn, "payment_fill", run_id, f"{seq}.{number}", act.now, {})


def _sendings(act: Act, part: Record, run: Row, file: Row, items: Sequence[Row]) -> tuple[list[Put], int, int]:
    """Puts of a part of a file, how many are sent, and their sum. The first time an item goes to the account that was approved with
    it; again, to the one that counts now."""
    form, puts, total, line = bank_files.profile(file["profile"]), [], 0, file["count"]
    again = payment_accounts.of_households(act.conn, act.keys, {i["household_id"] for i in items if i["again"]}, run["month"])
    for item in items:
        subject = f"household:{item['household_id']}"
        account = again[item["household_id"]] if item["again"] else Account(item["account_id"], item["holder"] or "", item["bank"] or "", act.keys.reveal("payment_item", "account", item["id"], item["account"]))
        serial = f"{file['no']}-{line + 1:06d}"
        payment = Payment(serial, account.holder, account.bank, account.account, item["amount_fen"], _note(run))
        if (wrong := bank_files.writable(form, payment)) is not None or not account.account:
            held = {"state": "held", "again": False}
            puts += [Put("payment_item", item["id"], held), _problem(part, run["id"], item["id"], "unwritable" if wrong else "no_account")]
            continue
        line, total = line + 1, total + item["amount_fen"]
        values = {"file_id": file["id"], "run_id": run["id"], "item_id": item["id"], "attempt": item["attempts"] + 1, "serial": serial, "line": line,
                  "amount_fen": item["amount_fen"], "holder": account.holder, "bank": account.bank, "account": account.account, "state": "sent"}  # fmt: skip
        puts.append(Put("payment_sending", part.next_id(), values, subject))
        puts.append(Put("payment_item", item["id"], {"state": "sent", "again": False, "attempts": item["attempts"] + 1}))
    return puts, line - file["count"], total


def _note(run: Row) -> str:
    return f"社会救助 {run['month']}"


def file_bytes(conn: Connection, keys: BoundKeys, file: Row) -> bytes:
    """The bytes of a file: the same whenever they are made, for sendings never change what was sent."""
    run, form = by_id(conn, file["run_id"]), bank_files.profile(file["profile"])
    rows = conn.execute(select(payment_sending).where(payment_sending.c.file_id == file["id"]).order_by(payment_sending.c.line)).mappings()
    payments = [Payment(row["serial"], row["holder"] or "", row["bank"] or "", keys.reveal("payment_sending", "account", row["id"], row["account"]), row["amount_fen"], _note(run)) for row in rows]
    head = Head(file["no"], run["case_no"], "monthly", PAYER, "", date.fromisoformat(file["pay_on"]), date.fromisoformat(file["made_on"]))
    return bank_files.write(form, head, payments)


def _handing_over(office: Office, bank: Bank) -> Handler:
    """Gives the file to the bank, outside of any transaction, under its number: when its acknowledgement is lost it is given again, and
    the bank has it once."""

    def handler(job: Job) -> Callable[[Act], None]:
        with office.read() as conn:
            file = file_row(conn, job.key)
            data = file_bytes(conn, office.keys.on(conn), file)
        try:
            if file["count"]:
                bank.send(file["no"], bank_files.profile(file["profile"]).suffix, data)
        except BankFailed as trouble:
            raise Later(None, str(trouble)) from trouble
        digest = office.keys.blind(sha256(data).hexdigest())
        return lambda act: _handed_over(act, job, digest)

    return handler


def _handed_over(act: Act, job: Job, digest: str) -> None:
    record, file = act.open("case", job.record_id), file_row(act.conn, job.key)
    if file["state"] == "made":
        act.append(record, "payment_file_sent", {"file": file["no"], "digest": digest},
                   puts=[Put("payment_file", file["id"], {"state": "sent", "digest": digest, "sent_on": act.today.isoformat()})])  # fmt: skip


def file_row(conn: Connection, no: str) -> Row:
    found = conn.execute(select(payment_file).where(payment_file.c.no == no)).mappings().one_or_none()
    if found is None:
        raise NotFound("没有这个银行文件")
    return found


def download(act: Act, no: str, file_no: str, reason: str) -> tuple[str, bytes]:
    """(name, bytes) of a file, for a finance officer who carries it to the bank; noted in his reading log, for names and accounts stand in it."""
    run = seen(act.conn, act.actor, no)
    _officer(act, run["scope"])
    file = file_row(act.conn, file_no)
    if file["run_id"] != run["id"] or file["state"] == "making":
        raise NotFound("没有这个银行文件，或还在生成")
    readers.note(act, "payment_file_read", {"case": no, "file": file_no}, reason)
    return f"{file_no}.{bank_files.profile(file['profile']).suffix}", file_bytes(act.conn, act.keys, file)


# -- what the bank answers


@dataclass(frozen=True, slots=True)
class Reading:
    """An answer as read and compared, before anything is written."""

    file: Row
    data: bytes
    found: bank_files.Compared
    lines: int


def read_answer(office: Office, actor: Actor, no: str, file_no: str | None, data: bytes) -> Reading:
    """Read and compare an answer, outside of any transaction. `file_no`: of which file; None: as its header says. Raises Refused."""
    with office.read() as conn:
        run = seen(conn, actor, no)
        if actor.post_over(run["scope"], MAKERS) is None:
            raise Refused("role", "只有资金发放岗可以登记回盘", "Only finance officers enter the bank's answers")
        files = [row for row in files_of(conn, run["id"]) if file_no in (None, row["no"])]
        if not files:
            raise NotFound("没有这个银行文件")
        answer, file = _of_file(files, data, chosen=file_no is not None)
        if file["state"] != "sent":
            raise Conflict("这个文件还没有送出", "This file is not sent yet")
        keys, today, sent = office.keys.on(conn), office.today(), {}
        for row in conn.execute(select(payment_sending).where(payment_sending.c.file_id == file["id"])).mappings():
            sent[row["serial"]] = Sent(keys.reveal("payment_sending", "account", row["id"], row["account"]), row["amount_fen"], date.fromisoformat(file["made_on"]),
                                       {"sent": None, "paid": "paid"}.get(row["state"], row["cause"] or "other"))  # fmt: skip
    return Reading(file, data, bank_files.compare(answer, sent, today), answer.read)


def _of_file(files: Sequence[Row], data: bytes, *, chosen: bool) -> tuple[bank_files.Answer, Row]:
    """The answer, and the file that it is about."""
    wrong: bank_files.BadFile | None = None
    for key in dict.fromkeys(row["profile"] for row in files):
        try:
            answer = bank_files.read_back(bank_files.profile(key), data)
        except bank_files.BadFile as bad:
            wrong = bad
            continue
        named = [row for row in files if row["no"] == answer.file]
        if named:
            return answer, named[0]
        if chosen and answer.file is None:
            return answer, files[0]
        wrong = bank_files.BadFile("other-file", f"回盘文件写明的文件号是 {answer.file or '（无）'}，不是本次发放的文件", f"The answer names the file {answer.file or '(none)'}, which is not one of this run")
    if wrong is None:  # pragma: no cover - there is at least one file
        raise NotFound("没有这个银行文件")
    raise Refused(wrong.code, wrong.zh, wrong.en)


def take_answer(act: Act, no: str, reading: Reading) -> dict[str, Any]:
    """Enter an answer: its lines count, its faults are listed with their line numbers. The same file again changes nothing. What it takes
    back of what was credited is booked, also when the run is closed (decision 083).

    Small ones are applied at once; of large ones each part of the list by a job of its own. The bytes as they came stand, sealed, in
    the run's record."""
    run = seen(act.conn, act.actor, no)
    _officer(act, run["scope"])
    record = act.open("case", run["id"])
    digest = act.keys.blind(sha256(reading.data).hexdigest())
    earlier = act.conn.execute(select(payment_return).where(payment_return.c.file_id == reading.file["id"], payment_return.c.digest == digest)).mappings().one_or_none()
    if earlier is not None:
        return returned(act.conn, act.keys, earlier) | {"again": True}
    found, row_id, subject = reading.found, record.next_id(), f"case:{run['id']}"
    values = {"run_id": run["id"], "file_id": reading.file["id"], "digest": digest, "lines": reading.lines, "taken": len(found.taken), "repeated": found.repeated,
              "faults": len(found.faults), "back": len(found.back), "entered_by": act.actor.id, "entered_on": act.today.isoformat()}  # fmt: skip
    puts = [Put("payment_return", row_id, values)]
    for fault in found.faults[:_MOST_FAULTS]:
        said = {"return_id": row_id, "line": fault.number, "code": fault.code, "serial": fault.serial and fault.serial[:60]}
        puts.append(Put("payment_return_fault", record.next_id(), said | ({"text": fault.text[:400]} if fault.text else {}), subject))
    act.append(record, "payment_answered", {"file": reading.file["no"], "digest": digest}, personal={subject: {"answer": reading.data.decode("latin-1")}}, puts=puts)
    _apply(act, reading.file, row_id, found.taken, found.back)
    return returned(act.conn, act.keys, act.conn.execute(select(payment_return).where(payment_return.c.id == row_id)).mappings().one()) | {"again": False}


_MOST_FAULTS = 5000  # are kept as rows; the answer itself is kept whole


def _apply(act: Act, file: Row, return_id: int, lines: Sequence[bank_files.Line], back: Sequence[bank_files.Line]) -> None:
    ids = {row.serial: row.id for row in act.conn.execute(select(payment_sending.c.serial, payment_sending.c.id).where(payment_sending.c.file_id == file["id"]))}
    parts, backs = _by_part(ids, lines), _by_part(ids, back)
    if len(lines) + len(back) <= APPLIED:
        for part in sorted({*parts, *backs}):
            _answered(act, part, return_id, parts.get(part, ()))
            _take_back(act, part, return_id, backs.get(part, ()))
        return

    def sealed(some: Sequence[_Said]) -> list[_Said]:
        return [(n, result, day, base64.b64encode(act.keys.seal_field("payment_sending", "reason", n, reason)).decode() if reason else "") for n, result, day, reason in some]

    rows = [{"kind": "payment_answer", "record_id": part, "key": str(return_id), "due_at": act.now, "state": "ready",
             "data": json.dumps({"lines": sealed(parts.get(part, ())), "back": sealed(backs.get(part, ()))})} for part in sorted({*parts, *backs})]  # fmt: skip
    act.write(_NEW_JOBS, rows)


_Said = tuple[int, str, str | None, str]  # sending, result, day, the bank's reason


def _by_part(ids: Mapping[str, int], lines: Sequence[bank_files.Line]) -> dict[int, list[_Said]]:
    parts: dict[int, list[_Said]] = {}
    for line in lines:
        day = line.credited_on.isoformat() if line.credited_on else None
        parts.setdefault(ids[line.serial] >> 16, []).append((ids[line.serial], line.result, day, line.reason if line.result != "paid" else ""))
    return parts


def _answering(job: Job) -> Callable[[Act], None]:
    def effect(act: Act) -> None:
        lines, back = ([(n, result, day, act.keys.reveal("payment_sending", "reason", n, base64.b64decode(reason)) if reason else "") for n, result, day, reason in job.data.get(name, ())]
                       for name in ("lines", "back"))  # fmt: skip
        _answered(act, job.record_id, int(job.key), lines)
        _take_back(act, job.record_id, int(job.key), back)

    return effect


def _answered(act: Act, part_id: int, return_id: int, lines: Sequence[_Said]) -> None:
    """Write down what the bank did with some payments of a part: once, whoever says it again."""
    part = act.open("payment_part", part_id)
    query = select(payment_sending, payment_item.c.household_id, payment_item.c.benefit_id, payment_item.c.settlement_id).join(payment_item, payment_item.c.id == payment_sending.c.item_id)
    rows = {row["id"]: row for row in act.conn.execute(query.where(payment_sending.c.id.in_([n for n, _, _, _ in lines]), payment_sending.c.state == "sent")).mappings()}
    puts = []
    for n, result, day, reason in lines:
        if n not in rows:
            continue
        paid = result == "paid"
        values = {"state": "paid" if paid else "returned", "cause": None if paid else result, "credited_on": day if paid else None, "answered_on": act.today.isoformat(), "return_id": return_id}
        puts.append(Put("payment_sending", n, values | ({"reason": reason} if reason else {}), f"household:{rows[n]['household_id']}"))
        puts.append(Put("payment_item", rows[n]["item_id"], {"state": "credited" if paid else "returned", "cause": values["cause"], "credited_on": values["credited_on"]}))
    if puts:
        act.append(part, "items_answered", {"return": return_id}, puts=puts)
    arrears = {(row["benefit_id"], row["settlement_id"]) for n, result, _, _ in lines if result == "paid" and (row := rows.get(n)) and row["settlement_id"]}
    for benefit_id, settlement_id in sorted(arrears):
        account_book.arrears_paid(act, benefit_id, settlement_id)


def _take_back(act: Act, part_id: int, return_id: int, lines: Sequence[_Said]) -> None:
    """收回: the bank takes back what it credited. The sending says so and keeps its day of crediting; the item is open again: in its run while
    that goes on, else for the next one; the books post the reverse. Once, whoever says it again (decision 083)."""
    if not lines:
        return
    part = act.open("payment_part", part_id)
    query = select(payment_sending, payment_item.c.household_id, payment_item.c.benefit_id, payment_item.c.settlement_id, payment_run.c.status.label("run_status"))
    query = query.join(payment_item, payment_item.c.id == payment_sending.c.item_id).join(payment_run, payment_run.c.id == payment_sending.c.run_id)
    rows = {row["id"]: row for row in act.conn.execute(query.where(payment_sending.c.id.in_([n for n, _, _, _ in lines]), payment_sending.c.state == "paid")).mappings()}
    puts, today = [], act.today.isoformat()
    for n, result, _day, reason in lines:
        if n in rows:
            values = {"state": "taken_back", "cause": result, "taken_back_on": today, "back_return_id": return_id} | ({"reason": reason} if reason else {})
            puts.append(Put("payment_sending", n, values, f"household:{rows[n]['household_id']}"))
            puts.append(Put("payment_item", rows[n]["item_id"], {"state": "returned", "cause": result, "credited_on": None} | ({"live": False} if rows[n]["run_status"] == "closed" else {})))
    if puts:
        act.append(part, "items_taken_back", {"return": return_id}, puts=puts)
    for benefit_id in sorted({row["benefit_id"] for row in rows.values()}):
        account_book.taken_back(act, benefit_id, {row["settlement_id"] for row in rows.values() if row["benefit_id"] == benefit_id and row["settlement_id"]})


# -- reissuing


def reissuable(conn: Connection, run: Row) -> list[Row]:
    """Items that were held or came back, with `changed_account`: whether an account confirmed since waits for them."""
    query = select(payment_item).where(payment_item.c.run_id == run["id"], payment_item.c.live, payment_item.c.state.in_(UNPAID)).order_by(payment_item.c.id)
    return list(conn.execute(query).mappings())


def mark_again(act: Act, run: Row, same_account: Collection[int]) -> None:
    """Mark what goes into the next file: items whose account was changed since they were last sent or listed, and those that are sent to
    the same account once more. Raises Invalid where one cannot be."""
    items = reissuable(act.conn, run)
    if odd := set(same_account) - {item["id"] for item in items if item["state"] == "returned" or not _unpayable(act.conn, item["id"])}:
        raise Refused("not-reissuable", f"这些明细不能按原账户重发：{'、'.join(str(n) for n in sorted(odd)[:10])}", f"These items cannot be sent to the same account again: {sorted(odd)[:10]}")
    homes = {item["household_id"] for item in items}
    accounts = payment_accounts.of_households(act.conn, act.keys, homes, run["month"])
    last = _last_accounts(act.conn, act.keys, items)
    for part in sorted({item["part"] for item in items}):
        puts = []
        for item in (i for i in items if i["part"] == part):
            now = accounts[item["household_id"]]
            moved = bool(now.account) and (now.account, payment_accounts.plain(now.holder)) != last[item["id"]]
            again = moved or item["id"] in same_account
            if again != item["again"]:
                puts.append(Put("payment_item", item["id"], {"again": again}))
        if puts:
            act.append(act.open("payment_part", part), "items_marked", puts=puts)


def _unpayable(conn: Connection, item_id: int) -> bool:
    """Whether an item was held for what nobody's word heals."""
    kinds = [kind for kind, (_, _, healed) in PROBLEMS.items() if not healed]
    return conn.scalar(select(payment_problem.c.id).where(payment_problem.c.item_id == item_id, payment_problem.c.kind.in_(kinds)).limit(1)) is not None


def _last_accounts(conn: Connection, keys: BoundKeys, items: Sequence[Row]) -> dict[int, tuple[str, str]]:
    """Item -> (account, holder) to which it was last sent, or with which it was listed."""
    found = {item["id"]: (keys.reveal("payment_item", "account", item["id"], item["account"]) if item["account"] else "", payment_accounts.plain(item["holder"] or "")) for item in items}
    for row in conn.execute(select(payment_sending).where(payment_sending.c.item_id.in_(found)).order_by(payment_sending.c.attempt)).mappings():
        found[row["item_id"]] = (keys.reveal("payment_sending", "account", row["id"], row["account"]), payment_accounts.plain(row["holder"] or ""))
    return found


def marked(conn: Connection, run_id: int) -> int:
    return conn.scalar(select(func.count()).select_from(payment_item).where(payment_item.c.run_id == run_id, payment_item.c.live, payment_item.c.again)) or 0


def refuse_outstanding(conn: Connection, run: Row) -> None:
    """Nothing follows a file before the bank has answered for every line of it: what it did not answer for may have been paid."""
    if conn.scalar(select(payment_file.c.id).where(payment_file.c.run_id == run["id"], payment_file.c.state != "sent").limit(1)):
        raise Conflict("银行文件还没有送出，请稍后再办", "The file is not with the bank yet")
    if n := totals(conn, run["id"])["sent"]:
        raise Refused("outstanding", f"还有 {n} 笔没有回盘，不能补发或结清", f"The bank has not answered for {n} payments yet")


# -- looking


def totals(conn: Connection, run_id: int) -> dict[str, int]:
    """Of a run, now: `items` and `total_fen` of what is to be paid (held ones not), and number and fen by state."""
    item = payment_item.c
    found = dict.fromkeys(ITEM_STATES, (0, 0))
    query = select(item.state, func.count().label("n"), func.coalesce(func.sum(item.amount_fen), 0).label("fen")).where(item.run_id == run_id).group_by(item.state)
    found |= {row.state: (int(row.n), int(row.fen)) for row in conn.execute(query)}
    due = [found[state] for state in ("listed", "sent", "credited", "returned")]
    sums = {"items": sum(n for n, _ in due), "total_fen": sum(fen for _, fen in due)}
    return sums | {state: n for state, (n, _) in found.items()} | {f"{state}_fen": fen for state, (_, fen) in found.items()}


def runs(conn: Connection, actor: Actor, *, month: str | None = None, status: str | None = None, page: int = 1, size: int = 25) -> Page:
    """Runs of which the actor sees something, the newest month first."""
    areas = area_of(actor)
    mine = or_(within(payment_run.c.scope, areas), *(payment_run.c.scope == area[:n] for area in areas for n in (6, 9) if len(area) >= n)) if areas else payment_run.c.id < 0
    where = [mine, *([payment_run.c.month == month] if month else []), *([payment_run.c.status == status] if status else [])]
    total = conn.scalar(select(func.count()).select_from(payment_run).where(*where)) or 0
    query = select(payment_run).where(*where).order_by(payment_run.c.month.desc(), payment_run.c.id.desc()).limit(size).offset((page - 1) * size)
    return Page(list(conn.execute(query).mappings()), total, page, size)


def files_of(conn: Connection, run_id: int) -> list[Row]:
    return list(conn.execute(select(payment_file).where(payment_file.c.run_id == run_id).order_by(payment_file.c.seq)).mappings())


def returns_of(conn: Connection, run_id: int) -> list[Row]:
    query = select(payment_return, payment_file.c.no.label("file")).join(payment_file, payment_file.c.id == payment_return.c.file_id)
    return list(conn.execute(query.where(payment_return.c.run_id == run_id).order_by(payment_return.c.id)).mappings())


def returned(conn: Connection, keys: BoundKeys, row: Row) -> dict[str, Any]:
    """An answer with its faults, in JSON. `applied`: lines that are written down by now."""
    applied = conn.scalar(select(func.count()).select_from(payment_sending).where(or_(payment_sending.c.return_id == row["id"], payment_sending.c.back_return_id == row["id"]))) or 0
    faults = [{"line": one["line"], "code": one["code"], "serial": one["serial"], "text": keys.reveal("payment_return_fault", "text", one["id"], one["text"]) if one["text"] else None}
              for one in conn.execute(select(payment_return_fault).where(payment_return_fault.c.return_id == row["id"]).order_by(payment_return_fault.c.line, payment_return_fault.c.id)).mappings()]  # fmt: skip
    file = conn.scalar(select(payment_file.c.no).where(payment_file.c.id == row["file_id"]))
    return {"id": row["id"], "file": file, **{name: row[name] for name in ("lines", "taken", "repeated", "faults", "entered_by", "entered_on")}, "back": row["back"] or 0, "applied": applied, "problems": faults}


def return_told(conn: Connection, keys: BoundKeys, run: Row, return_id: int) -> dict[str, Any]:
    """One answer of a run; NotFound."""
    row = conn.execute(select(payment_return).where(payment_return.c.id == return_id, payment_return.c.run_id == run["id"])).mappings().one_or_none()
    if row is None:
        raise NotFound("没有这次回盘")
    return returned(conn, keys, row)


VIEWS = (*ITEM_STATES, "late", "again", "taken_back")


def items(conn: Connection, keys: BoundKeys, run: Row, area: Area, today: date, *, view: str | None = None, community: str | None = None, problem: str | None = None,
          page: int = 1, size: int = 50) -> Page:  # fmt: skip
    """Items of a run in an area, in JSON: by community, with the applicant, the members as frozen, and the account by its last four digits.
    `view`: a state, or late: not credited by the last day (or not yet, once it is over)."""
    item = payment_item.c
    where = [item.run_id == run["id"], within(item.community, area)]
    if view == "late":
        where.append(_late(run, today))
    elif view == "again":
        where.append(item.again)
    elif view == "taken_back":
        where.append(exists().where(payment_sending.c.item_id == item.id, payment_sending.c.state == "taken_back"))
    elif view:
        where.append(item.state == view)
    else:
        where.append(item.live)
    if community:
        where.append(within(item.community, community))
    if problem:
        where.append(exists().where(payment_problem.c.item_id == item.id, payment_problem.c.kind == problem))
    total = conn.scalar(select(func.count()).select_from(payment_item).where(*where)) or 0
    query = select(payment_item, household.c.no.label("household_no"), person.c.name.label("applicant"))
    query = query.join(household, household.c.id == item.household_id).join(person, person.c.id == household.c.applicant_id).where(*where)
    rows = list(conn.execute(query.order_by(item.community, item.id).limit(size).offset((page - 1) * size)).mappings())
    return Page(_items_told(conn, keys, rows, run, today), total, page, size)


def _late(run: Row, today: date) -> ColumnElement[bool]:
    item = payment_item.c
    over = today.isoformat() > run["pay_by"]
    open_ = item.state.in_(("listed", "held", "sent", "returned")) if over else item.id < 0
    return or_(open_, and_(item.state == "credited", item.credited_on > run["pay_by"]))


_SHOWN = ("id", "benefit_id", "household_id", "household_no", "applicant", "community", "month", "settlement_id", "live", "state", "category", "members", "standard", "amount_fen", "holder", "bank",
          "again", "attempts", "cause", "credited_on")  # fmt: skip


def _items_told(conn: Connection, keys: BoundKeys, rows: Sequence[Row], run: Row, today: date) -> list[Row]:
    ids = [row["id"] for row in rows]
    people: dict[int, list[str]] = {}
    for who in conn.execute(select(payment_item_person).where(payment_item_person.c.item_id.in_(ids)).order_by(payment_item_person.c.id)).mappings():
        people.setdefault(who["item_id"], []).append(who["name"] or "")
    wrong: dict[int, list[str]] = {}
    for one in conn.execute(select(payment_problem).where(payment_problem.c.item_id.in_(ids)).order_by(payment_problem.c.id)).mappings():
        wrong.setdefault(one["item_id"], []).append(one["kind"])
    return [{**{name: row[name] for name in _SHOWN}, "account": payment_accounts.hidden(keys.reveal("payment_item", "account", row["id"], row["account"]) if row["account"] else ""),
             "people": people.get(row["id"], []), "problems": wrong.get(row["id"], []), "late": _is_late(row, run, today)} for row in rows]  # fmt: skip


def _is_late(row: Row, run: Row, today: date) -> bool:
    if row["state"] == "credited":
        return bool(row["credited_on"] and row["credited_on"] > run["pay_by"])
    return bool(row["state"] != "dropped") and today.isoformat() > run["pay_by"]


def sendings(conn: Connection, item_id: int) -> list[Row]:
    """How an item was sent, each time: file, serial, what became of it and why."""
    query = select(payment_sending, payment_file.c.no.label("file"), payment_file.c.pay_on).join(payment_file, payment_file.c.id == payment_sending.c.file_id)
    return list(conn.execute(query.where(payment_sending.c.item_id == item_id).order_by(payment_sending.c.attempt)).mappings())


def item_seen(conn: Connection, actor: Actor, run: Row, item_id: int) -> Row:
    query = select(payment_item, household.c.no.label("household_no"), person.c.name.label("applicant"))
    query = query.join(household, household.c.id == payment_item.c.household_id).join(person, person.c.id == household.c.applicant_id)
    row = conn.execute(query.where(payment_item.c.id == item_id, payment_item.c.run_id == run["id"])).mappings().one_or_none()
    if row is None or not readers.of_benefits(actor).covers(row["community"]):
        raise NotFound("没有这笔发放")
    return row


def item_told(conn: Connection, keys: BoundKeys, row: Row, run: Row, today: date) -> dict[str, Any]:
    """One item with how it was sent each time."""
    [told] = _items_told(conn, keys, [row], run, today)
    names = ("file", "serial", "attempt", "amount_fen", "holder", "bank", "pay_on", "state", "cause", "credited_on", "answered_on", "taken_back_on")
    tries = [{**{name: one[name] for name in names}, "account": payment_accounts.hidden(keys.reveal("payment_sending", "account", one["id"], one["account"])),
              "reason": keys.reveal("payment_sending", "reason", one["id"], one["reason"]) if one["reason"] else None} for one in sendings(conn, row["id"])]  # fmt: skip
    return {**told, "sendings": tries}


def problems(conn: Connection, keys: BoundKeys, run: Row, area: Area, *, state: str | None = None, kind: str | None = None, page: int = 1, size: int = 50) -> Page:
    """What is wrong with items of a run in an area, the open ones first, in JSON. `other`: of a duplicate, the item beside it, its run and unit."""
    problem, twin, other_run = payment_problem, payment_item.alias("twin"), payment_run.alias("other_run")
    where = [problem.c.run_id == run["id"], within(payment_item.c.community, area), *([problem.c.state == state] if state else []), *([problem.c.kind == kind] if kind else [])]
    joined = problem.join(payment_item, payment_item.c.id == problem.c.item_id)
    total = conn.scalar(select(func.count()).select_from(joined).where(*where)) or 0
    joined = joined.join(household, household.c.id == payment_item.c.household_id).join(person, person.c.id == household.c.applicant_id)
    joined = joined.outerjoin(twin, twin.c.id == problem.c.other_item_id).outerjoin(other_run, other_run.c.id == twin.c.run_id)
    query = select(problem, payment_item.c.household_id, payment_item.c.community, payment_item.c.amount_fen, payment_item.c.state.label("item_state"), household.c.no.label("household_no"),
                   person.c.name.label("applicant"), other_run.c.case_no.label("other_run"), twin.c.community.label("other_community"))  # fmt: skip
    rows = conn.execute(query.select_from(joined).where(*where).order_by(problem.c.state != "open", problem.c.id).limit(size).offset((page - 1) * size)).mappings()
    names = ("id", "item_id", "kind", "state", "answer", "answered_by", "answered_on", "household_id", "household_no", "applicant", "community", "amount_fen", "item_state", "other_item_id",
             "other_run", "other_community")  # fmt: skip
    told: list[Row] = [{**{name: row[name] for name in names}, "reason": keys.reveal("payment_problem", "reason", row["id"], row["reason"]) if row["reason"] else None,
                        "keepable": PROBLEMS[row["kind"]][2]} for row in rows]  # fmt: skip
    return Page(told, total, page, size)


def taken_back(conn: Connection, actor: Actor, *, waiting: bool = False, household_id: int | None = None, page: int = 1, size: int = 25) -> Page:
    """What the bank credited and took back in the actor's area, the latest first: of which run and file, why, and where that money is now
    (`now_run`, `now_state` of the item that pays it, in this run or a later one). `waiting`: only what is not credited again."""
    item, latest = payment_item, payment_item.alias("latest")
    newest = select(func.max(latest.c.id)).where(latest.c.claim == item.c.claim, latest.c.state != "dropped").scalar_subquery()
    now, its_run = payment_item.alias("now"), payment_run.alias("its_run")
    where = [payment_sending.c.state == "taken_back", within(item.c.community, area_of(actor)), *([now.c.state != "credited"] if waiting else []), *([item.c.household_id == household_id] if household_id is not None else [])]
    joined = payment_sending.join(item, item.c.id == payment_sending.c.item_id).join(payment_run, payment_run.c.id == item.c.run_id).join(now, now.c.id == newest).join(its_run, its_run.c.id == now.c.run_id)
    total = conn.scalar(select(func.count()).select_from(joined).where(*where)) or 0
    joined = joined.join(household, household.c.id == item.c.household_id).join(person, person.c.id == household.c.applicant_id)
    query = select(payment_sending.c.id, payment_sending.c.serial, payment_sending.c.amount_fen, payment_sending.c.cause, payment_sending.c.credited_on, payment_sending.c.taken_back_on, item.c.id.label("item_id"),
                   item.c.month, item.c.benefit_id, item.c.household_id, item.c.community, payment_run.c.case_no, household.c.no.label("household_no"), person.c.name.label("applicant"),
                   now.c.id.label("now_item_id"), now.c.state.label("now_state"), its_run.c.case_no.label("now_run"))  # fmt: skip
    rows = conn.execute(query.select_from(joined).where(*where).order_by(payment_sending.c.taken_back_on.desc(), payment_sending.c.id.desc()).limit(size).offset((page - 1) * size)).mappings()
    return Page(list(rows), total, page, size)


def open_problems(conn: Connection, run_id: int) -> dict[str, int]:
    """Kind -> how many wait to be answered."""
    query = select(payment_problem.c.kind, func.count().label("n")).where(payment_problem.c.run_id == run_id, payment_problem.c.state == "open").group_by(payment_problem.c.kind)
    return {row.kind: int(row.n) for row in conn.execute(query)}


def causes(conn: Connection, run_id: int) -> dict[str, tuple[int, int]]:
    """Cause -> (number, fen) of what the bank gave back and is not paid yet."""
    query = select(payment_item.c.cause, func.count().label("n"), func.sum(payment_item.c.amount_fen).label("fen")).where(payment_item.c.run_id == run_id, payment_item.c.state == "returned")
    return {row.cause: (int(row.n), int(row.fen)) for row in conn.execute(query.group_by(payment_item.c.cause))}


def late_count(conn: Connection, run: Row, today: date) -> int:
    return conn.scalar(select(func.count()).select_from(payment_item).where(payment_item.c.run_id == run["id"], _late(run, today))) or 0


def by_community(conn: Connection, run: Row, area: Area) -> list[Row]:
    """Per community: households, persons, fen of what is to be paid, and what is credited."""
    item = payment_item.c
    due = and_(item.run_id == run["id"], item.live, within(item.community, area))
    query = select(item.community, func.count().label("items"), func.sum(item.members).label("persons"), func.sum(item.amount_fen).label("fen"),
                   func.coalesce(func.sum(case((item.state == "credited", item.amount_fen), else_=0)), 0).label("credited_fen"))  # fmt: skip
    rows = conn.execute(query.where(due).group_by(item.community).order_by(item.community)).mappings()
    return [{name: value if name == "community" else int(value) for name, value in row.items()} for row in rows]  # PostgreSQL sums as decimals


def told(conn: Connection, run: Row, today: date) -> dict[str, Any]:
    """A run in JSON, with its totals as they are now."""
    names = ("case_no", "scope", "month", "pay_by", "status", "not_due", "elsewhere", "made_by", "made_on", "submitted_by", "checked_by", "approved_by", "approved_on", "approved_items",
             "approved_fen", "closed_on")  # fmt: skip
    return {**{name: run[name] for name in names}, "totals": totals(conn, run["id"]), "late": late_count(conn, run, today), "changed": changed(conn, run) if run["status"] in ("ready", "checking", "approving") else 0,
            "open_problems": open_problems(conn, run["id"]), "returned": [{"cause": cause, "items": n, "fen": fen} for cause, (n, fen) in sorted(causes(conn, run["id"]).items())],
            "files": [{name: file[name] for name in ("no", "seq", "profile", "state", "pay_on", "made_by", "made_on", "count", "total_fen", "sent_on", "digest")} for file in files_of(conn, run["id"])],
            "answers": [{**{name: one[name] for name in ("id", "file", "lines", "taken", "repeated", "faults", "entered_by", "entered_on")}, "back": one["back"] or 0} for one in returns_of(conn, run["id"])]}  # fmt: skip

