"""The list of a run: what each benefit comes to, what is wrong with it, duplicates across units, and what officers answer to that (decision 069).

Stretches are computed outside of any transaction and written in one; each stretch is a part, a record of its own. The list knows nothing of the bank.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, and_, exists, func, or_, select

from engine.crypto import BoundKeys
from engine.errors import Conflict, NotFound, Refused
from engine.jobs import Handler, Job, plan
from engine.model import Data, Put
from engine.office import Act, Office, Record
from processes import account_book, benefits, law, payment_accounts, payments
from processes.benefit_tables import benefit_adjustment, settlement
from processes.benefits import first_of
from processes.money import to_fen
from processes.payment_accounts import Account
from processes.payment_tables import (
    payment_item,
    payment_item_person,
    payment_problem,
    payment_run,
    payment_sending,
)
from processes.payments import PROBLEMS, UNPAID, Row, by_id, officer, seen, totals
from processes.tables import benefit, benefit_person, household, household_member, person

LIST = 100  # benefits listed in one transaction, and items of one part


# -- what each benefit comes to


@dataclass(frozen=True, slots=True)
class _Line:
    """What a benefit is paid for the run's month. `claim`: what the payment is for; two never pay the same."""

    claim: str
    values: Data
    people: tuple[tuple[int, str, str | None], ...]
    problems: tuple[str, ...]


def handlers(office: Office) -> dict[str, Handler]:
    return {"payment_list": _listing(office), "payment_compare": _comparing(office)}


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
    return puts + [payments.problem_put(part, line.values["run_id"], row_id, kind) for kind in line.problems]


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
    if new := [payments.problem_put(owner, run["id"], n, kind, twin) for n, kind, twin in pairs if (n, kind, twin) not in known and items[n]["live"]]:
        act.append(owner, "duplicates_found", puts=new)
    act.append(record, "payment_compared", {"problems": len(new)}, puts=[Put("payment_run", run["id"], {"compared_to": part})])
    plan(act.conn, "payment_compare", run["id"], f"{run['listings']}.{part}", act.now, {})


def answer(act: Act, no: str, problem_id: int, said: Data) -> dict[str, Any]:
    """What becomes of an item with which something is wrong: paid all the same, held back, or not in this run. By a finance officer,
    while the list is being prepared; the checker sees it with its reason."""
    if (told := act.recall()) is not None:
        return told  # type: ignore[no-any-return]
    run = seen(act.conn, act.actor, no)
    officer(act, run["scope"])
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
    officer(act, run["scope"])
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
