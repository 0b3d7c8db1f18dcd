"""What happens to deadlines while nobody looks: work becomes late, and days move when a calendar is published.

Both go through the open tasks in batches, each batch a short transaction of its own, and leave a task where it is, but for
what was delegated for a time that is over.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, bindparam, delete, insert, not_, select, tuple_, update

from engine import jobs
from engine.bpmn import Run
from engine.cases import Cases
from engine.errors import Diverged
from engine.jobs import Job
from engine.model import Data
from engine.office import Act, Office
from engine.process import Process
from engine.store import flagged, is_open, job, record, setting, task

log = logging.getLogger(__name__)

LATE = "late_sweep"  # kind of job
AT_ONCE = 25  # tasks of one transaction: about 10 ms on SQLite
_SETTING = "calendar_published"
_MARKED = update(task).where(task.c.id == bindparam("the_id")).values({name: bindparam(f"new_{name}") for name in ("due_on", "flags", "priority")})
# What was handed in while it was lent waits for its signers where it is.
_ENDED = (
    select(task).where(is_open, task.c.until_on < bindparam("the_day"), not_(flagged("countersign"))).order_by(task.c.until_on, task.c.id).limit(bindparam("at_most"))
)
_GIVEN_BACK = update(task).where(task.c.id == bindparam("the_id")).values(
    assignee=bindparam("new_assignee"), owner=None, until_on=None, version=task.c.version + 1)  # fmt: skip
_LOCKED = select(record).where(record.c.id.in_(bindparam("the_ids", expanding=True))).order_by(record.c.id).with_for_update()


def sweep(one: Job) -> Callable[[Act], None]:
    """The daily job: each open task past its last day is marked, once, and what is delegated past its day goes back to its
    owner. A batch plans the next."""

    def effect(act: Act) -> None:
        after = one.data.get("after")
        found, given_back = _batch(act, after)
        if AT_ONCE in (len(found), given_back):
            number = int(one.data.get("n", 1)) + 1
            data = {"n": number, "after": [found[-1]["due_on"], found[-1]["id"]] if len(found) == AT_ONCE else after}
            jobs.plan(act.conn, LATE, one.record_id, f"{one.key[:10]}.{number}", act.now, data)

    return effect


def _batch(act: Act, after: Sequence[Any] | None) -> tuple[list[Mapping[Any, Any]], int]:
    """(the late tasks of this batch, how many delegations ended)."""
    where = [is_open, task.c.due_on < act.today.isoformat(), not_(flagged("late"))]
    if after:
        where.append(_beyond(after))
    found = act.conn.execute(select(task).where(*where).order_by(task.c.due_on, task.c.id).limit(AT_ONCE)).mappings().all()
    ended = act.conn.execute(_ENDED, {"the_day": act.today.isoformat(), "at_most": AT_ONCE}).mappings().all()
    _lock(act, [*found, *ended])
    still = act.conn.execute(select(task).where(task.c.id.in_([row["id"] for row in found]), *where).order_by(task.c.id)).mappings().all()
    for row in still:
        act.append(act.open("case", row["case_id"]), "task_late", {"task": row["key"], "due_on": row["due_on"]})
    act.write(_MARKED, [_changed(row, row["due_on"], {*row["flags"].split(), "late"}) for row in still])
    _give_back(act, {row["id"] for row in ended})
    return list(found), len(ended)


def _give_back(act: Act, ids: Collection[int]) -> None:
    """The end of delegations: tasks that were lent until yesterday are their owners' again."""
    if not ids:
        return
    rows = act.conn.execute(_ENDED, {"the_day": act.today.isoformat(), "at_most": AT_ONCE}).mappings().all()
    rows = [row for row in rows if row["id"] in ids]  # only what was locked
    for row in rows:
        said = {"task": row["key"], "from": row["assignee"], "assignee": row["owner"], "owner": None, "until_on": None}
        act.append(act.open("case", row["case_id"]), "delegation_ended", said)
    act.write(_GIVEN_BACK, [{"the_id": row["id"], "new_assignee": row["owner"]} for row in rows])


def _beyond(last: Sequence[Any]) -> ColumnElement[bool]:
    return tuple_(task.c.due_on, task.c.id) > tuple_(*last)


def _lock(act: Act, tasks: Sequence[Mapping[Any, Any]]) -> None:
    """Their cases, in ascending order."""
    for row in act.conn.execute(_LOCKED, {"the_ids": sorted({row["case_id"] for row in tasks})}).mappings():
        act.adopt(row)


def _changed(row: Mapping[Any, Any], due_on: str, flags: set[str]) -> dict[str, Any]:
    """Whoever has the task open may still send it: its version stays."""
    first = 1 if flags & {"late", "escalated"} else 0
    return {"the_id": row["id"], "new_due_on": due_on, "new_flags": " ".join(sorted(flags)), "new_priority": first}


# -- when a calendar is published


@dataclass(frozen=True, slots=True)
class _Moved:
    task_id: int
    case_id: int
    before: str
    after: str


Recount = Callable[[Office, int | None, int], int]  # office, last year known before (None: not said) and now -> how many days moved


def recompute(office: Office, cases: Cases, others: Sequence[Recount] = ()) -> int:
    """Compute anew what was provisional: periods that run in cases, last days of open tasks, and what the `others` know of; how
    many days moved. Does nothing unless a year was published since it last ran; doing it again, or on two machines at once,
    changes nothing more."""
    published = max((cases.published_for(process) for process in cases.processes.values()), default=0)
    with office.read() as conn:
        said = conn.scalar(select(setting.c.value).where(setting.c.name == _SETTING))
    known = None if said is None else int(said)
    if known is not None and known >= published:
        return 0
    moved = _recount_facts(office, cases, known, published) + sum(other(office, known, published) for other in others)
    after = ["" if known is None else f"{known + 1}-01-01", 0]
    while True:
        rows, found = _look(office, cases, after, known)
        moved += office.retrying(partial(_move, office, found, published)) if found else 0
        if len(rows) < AT_ONCE:
            break
        after = [rows[-1]["due_on"], rows[-1]["id"]]
    with office.store.write() as conn:
        conn.execute(delete(setting).where(setting.c.name == _SETTING))
        conn.execute(insert(setting).values(name=_SETTING, value=str(published)))
    return moved


_RUNNING = (
    select(job.c.record_id).where(job.c.kind == "timer", job.c.state.in_(("ready", "running", "incident")), job.c.record_id > bindparam("after"))
    .distinct().order_by(job.c.record_id).limit(AT_ONCE)
)  # fmt: skip


def _recount_facts(office: Office, cases: Cases, known: int | None, published: int) -> int:
    """Periods that run until a day which was counted in working days. The new day is a fact of the case, and its cause stands in
    the record, so that replay comes to the same timers."""
    moved, after = 0, 0
    while True:
        with office.read() as conn:
            found = conn.scalars(_RUNNING, {"after": after}).all()
        if not found:
            return moved
        for case_id in found:
            moved += office.retrying(partial(_recount_case, office, cases, case_id, known, published))
        after = found[-1]


def _recount_case(office: Office, cases: Cases, case_id: int, known: int | None, published: int) -> int:
    with office.read() as conn:  # most periods are calendar days: nothing is locked for them
        row = conn.execute(select(record.c.process, record.c.drawing, record.c.state).where(record.c.id == case_id)).one()
        process = cases.processes.get(row.process)
        if process is None or not _other_periods(process, Run.load(cases.drawing(conn, row.drawing), row.state, office.clock()), known, published):
            return 0
    with office.act() as act:
        case = cases._case(act, case_id)
        found = _other_periods(case.process, Run.load(case.drawing, case.run.dump(), act.now), known, published)
        if not found:
            return 0
        facts, periods = found
        cases._apply(act, case, "facts_recomputed", {"facts": facts, "calendar": published}, {}, "")
        for key, due in periods.items():  # a worker that has the job already finds its token gone
            act.conn.execute(_OTHER_DAY, {"the_record": case_id, "the_key": key, "new_due_at": due})
    return 1


_OTHER_DAY = (
    update(job).where(job.c.record_id == bindparam("the_record"), job.c.kind == "timer", job.c.key == bindparam("the_key"), job.c.state.in_(("ready", "running")))
    .values(due_at=bindparam("new_due_at"), state="ready", token=None, lease_until=None)
)  # fmt: skip


def _other_periods(process: Process, run: Run, known: int | None, published: int) -> tuple[Data, dict[str, datetime]] | None:
    """(facts that the new calendar gives otherwise, timers that they move); None when no timer moves. A fact that the calendar of
    before does not explain was not counted by it, and stays. `run` is spoiled by it."""
    now, before, timers = process.counted(run.facts, published), process.counted(run.facts, published if known is None else known), run.timers()
    facts = {name: value for name, value in now.items() if value != run.facts.get(name) and (known is None or before[name] == run.facts.get(name))}
    run.facts.update(facts)
    moved = {key: due for key, due in run.timers().items() if timers.get(key) != due}
    return (facts, moved) if moved else None


def _look(office: Office, cases: Cases, after: Sequence[Any], known: int | None) -> tuple[Sequence[Mapping[Any, Any]], list[_Moved]]:
    """The next open tasks, and those of them whose last day is another one now."""
    query = select(task, record.c.process, record.c.drawing, record.c.state.label("run")).join(record, record.c.id == task.c.case_id)
    with office.read() as conn:
        rows = conn.execute(query.where(is_open, _beyond(after)).order_by(task.c.due_on, task.c.id).limit(AT_ONCE)).mappings().all()
        found = [moved for row in rows if (moved := _moved(conn, office, cases, row, known)) is not None]
    return rows, found


def _moved(conn: Connection, office: Office, cases: Cases, row: Mapping[Any, Any], known: int | None) -> _Moved | None:
    process = cases.processes.get(row["process"])
    if process is None:
        return None
    drawing = cases.drawing(conn, row["drawing"])
    run = Run.load(drawing, row["run"], office.clock())
    try:
        day = _by(cases, row, run.facts, row["opened_at"], known) or cases.deadline(conn, office.keys.on(conn), row, run, drawing, process)
    except Diverged:
        log.exception("the last day of task %s stays: its case does not replay", row["id"])
        return None
    if day is None or day.end.isoformat() == row["due_on"]:
        return None
    return _Moved(row["id"], row["case_id"], row["due_on"], day.end.isoformat())


def _by(cases: Cases, row: Mapping[Any, Any], facts: Data, opened: datetime, known: int | None) -> Any:
    """The deadline from the facts of today, if with the calendar of before they give the day that stands there; else
    they have changed since the task opened, and only its record knows."""
    process = cases.processes[row["process"]]
    drawing = cases._drawings[row["drawing"]]
    before = None if known is None else process.deadline(row["node"], facts, opened, drawing, published=known)
    if before is None or before.end.isoformat() != row["due_on"]:
        return None
    return process.deadline(row["node"], facts, opened, drawing, published=cases.published)


def _move(office: Office, found: Sequence[_Moved], published: int) -> int:
    wanted = {one.task_id: one for one in found}
    with office.act() as act:
        _lock(act, [{"case_id": one.case_id} for one in found])
        rows = act.conn.execute(select(task).where(and_(is_open, task.c.id.in_(wanted))).order_by(task.c.id)).mappings().all()
        rows = [row for row in rows if row["due_on"] == wanted[row["id"]].before]
        changes = []
        for row in rows:
            day = wanted[row["id"]].after
            said = {"task": row["key"], "from": row["due_on"], "to": day, "calendar": published}
            act.append(act.open("case", row["case_id"]), "deadline_recomputed", said)
            gone = {"late"} if day >= act.today.isoformat() else set()
            changes.append(_changed(row, day, set(row["flags"].split()) - gone))
        act.write(_MARKED, changes)
    return len(rows)
