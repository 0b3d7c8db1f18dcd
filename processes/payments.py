"""Monthly payments: the runs, who sees and handles them, whether a list may go on, and all that is looked at (N220 art 31; domain 2.2 step 14, S38).

The drawing (`payment-run`) owns the order and who does what; this module and those around it own the money: `payment_lists` makes the list,
`payment_files` gives files to the bank, `payment_answers` takes what it answers. The list, the files and the answers of a large
run are worked on in parts by jobs: each part is a record of its own with one entry for what happens to it, in which every item stands
with its bytes. A worker that dies leaves a job that is done again; one live item for each claim, one sending for each item and attempt,
and one serial for each sending are unique in the database (decision 069).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, case, exists, func, insert, or_, select

from engine import store
from engine.crypto import BoundKeys
from engine.errors import Conflict, NotFound, Refused
from engine.jobs import Job
from engine.model import Actor, Put
from engine.office import Act, Record
from engine.queries import Area, Page, within
from processes import calendar, law, payment_accounts, readers
from processes.benefit_tables import benefit_adjustment
from processes.benefits import first_of
from processes.money import to_fen, yuan
from processes.payment_tables import (
    payment_account,
    payment_file,
    payment_item,
    payment_item_person,
    payment_problem,
    payment_return,
    payment_run,
    payment_sending,
)
from processes.tables import household, person

MAKERS = frozenset({"finance_officer"})
WATCHERS = frozenset({"finance_officer", "approver", "supervisor", "auditor"})  # who sees whole runs of their area
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
NEW_JOBS = insert(store.job).inline()
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


def officer(act: Act, scope: str) -> None:
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


# -- what is wrong with an item


def problem_put(part: Record, run_id: int, item_id: int, kind: str, other: int | None = None) -> Put:
    """What is wrong with an item, for its part's record; what nobody's word heals is answered at once: it is held back."""
    healed = {"state": "open"} if PROBLEMS[kind][2] else {"state": "answered", "answer": "hold", "answered_by": "system"}
    return Put("payment_problem", part.next_id(), {"run_id": run_id, "item_id": item_id, "kind": kind, "other_item_id": other, **healed})


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
    act.write(NEW_JOBS, [{"kind": "payment_release", "record_id": part, "key": key, "due_at": act.now, "state": "ready", "data": "{}"} for part in sorted(parts)])


def releasing(job: Job) -> Callable[[Act], None]:
    def effect(act: Act) -> None:
        part, unpaid = act.open("payment_part", job.record_id), job.key == "unpaid"
        states = UNPAID if unpaid else ITEM_STATES
        ids = list(act.conn.scalars(select(payment_item.c.id).where(payment_item.c.part == part.id, payment_item.c.live, payment_item.c.state.in_(states)).order_by(payment_item.c.id)))
        if ids:
            act.append(part, "items_released", puts=[Put("payment_item", n, {"live": False} if unpaid else {"live": False, "state": "dropped"}) for n in ids])

    return effect


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
    """One item of a run with household number and applicant. Raises NotFound, also where its community is outside the actor's area."""
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
    (`now_run`, `now_state` of the item that pays it, in this run or a later one). `waiting`: only what is not credited again. `size` 0: only how many."""
    item, latest = payment_item, payment_item.alias("latest")
    newest = select(func.max(latest.c.id)).where(latest.c.claim == item.c.claim, latest.c.state != "dropped").scalar_subquery()
    now, its_run = payment_item.alias("now"), payment_run.alias("its_run")
    runs_ = select(payment_return.c.run_id).where(payment_return.c.back > 0)  # few: by them the index of (run, state) finds the rows
    where = [payment_sending.c.run_id.in_(runs_), payment_sending.c.state == "taken_back", within(item.c.community, area_of(actor)), *([now.c.state != "credited"] if waiting else []), *([item.c.household_id == household_id] if household_id is not None else [])]
    joined = payment_sending.join(item, item.c.id == payment_sending.c.item_id).join(payment_run, payment_run.c.id == item.c.run_id).join(now, now.c.id == newest).join(its_run, its_run.c.id == now.c.run_id)
    total = conn.scalar(select(func.count()).select_from(joined).where(*where)) or 0
    if not size:
        return Page([], total, page, size)
    joined = joined.join(household, household.c.id == item.c.household_id).join(person, person.c.id == household.c.applicant_id)
    query = select(payment_sending.c.id, payment_sending.c.serial, payment_sending.c.amount_fen, payment_sending.c.cause, payment_sending.c.credited_on, payment_sending.c.taken_back_on, item.c.id.label("item_id"),
                   item.c.month, item.c.benefit_id, item.c.household_id, item.c.community, payment_run.c.case_no, household.c.no.label("household_no"), person.c.name.label("applicant"),
                   now.c.id.label("now_item_id"), now.c.state.label("now_state"), its_run.c.case_no.label("now_run"))  # fmt: skip
    rows = conn.execute(query.select_from(joined).where(*where).order_by(payment_sending.c.taken_back_on.desc(), payment_sending.c.id.desc()).limit(size).offset((page - 1) * size)).mappings()
    return Page(list(rows), total, page, size)


def unsettled(conn: Connection, actor: Actor, size: int = 0) -> Page:
    """For a finance officer's inbox: what the bank took back where he pays, until it is credited again; nothing for everybody else. Looking at it
    settles nothing, a household is without its money. `size` as of `taken_back`."""
    if actor.roles.isdisjoint(MAKERS):
        return Page([], 0, 1, size)
    return taken_back(conn, actor.only(actor.roles & MAKERS), waiting=True, size=size)


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
