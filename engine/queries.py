"""Reads for pages, API and command line: lists of tasks and cases. They change nothing and know no business."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, exists, false, func, or_, select, union_all

from engine.errors import NotFound
from engine.model import Actor
from engine.store import (
    by_due,
    case_copy,
    flagged,
    is_free,
    is_incident,
    is_open,
    job,
    record,
    signers,
    task,
    task_signer,
    tasks_of,
)

Area = str | Sequence[str]  # a unit, or several (`Actor.areas`), each with those below it

MOST = 5_000  # tasks that are counted: whoever has more does not need to know how many
MANY_POSTS = 40  # whoever has more of them waits for his list to be sorted; SQLite joins no more than 500 parts
VIEWS = ("mine", "available", "signing", "substitute", "done", "started", "copied")


@dataclass(frozen=True, slots=True)
class Page:
    items: list[Mapping[Any, Any]]
    total: int
    page: int
    size: int

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // self.size))


@dataclass(frozen=True, slots=True)
class Filter:
    """What a list is narrowed to; every part may be left out."""

    unit: str | None = None
    node: str | None = None
    process: str | None = None
    no: str | None = None
    due_before: date | None = None
    due_from: date | None = None
    flag: str | None = None
    subjects: Select[Any] | None = None  # of which the case's subject is one


_COLUMNS = (
    *(c for c in task.c),
    record.c.no,
    record.c.process,
    record.c.subject,
    record.c.drawing,
    record.c.unit.label("case_unit"),
    record.c.opened_at.label("case_opened_at"),
    record.c.opened_by,
)


# `is_free` is said in each part of an OR: else SQLite does not see that the partial index serves it.
_ORDER = (task.c.priority.desc(), by_due, task.c.id)
SORTS: Mapping[str, tuple[Any, ...]] = {  # an index serves the first; what is chosen instead is sorted on the way
    "due": _ORDER, "oldest": (task.c.opened_at, task.c.id), "newest": (task.c.opened_at.desc(), task.c.id.desc()), "unit": (task.c.unit, by_due, task.c.id)}  # fmt: skip


def tasks(
    conn: Connection, actor: Actor, view: str, filter_: Filter | None = None, page: int = 1, size: int = 25, *, standing: Sequence[Actor] = (), sort: str = "due",
    total: int | None = None,
) -> Page:  # fmt: skip
    """A page of the task list. Rows: the columns of `task` with `no`, `process`, `subject`, `case_unit` of its case. `sort`: of SORTS.
    `standing`: the actor in the posts of those whom he stands in for, for the view `substitute`. The total (given where it is known already) is counted no further than MOST; pages beyond it can be asked for all the same."""
    narrowed, with_case, until = _narrow(filter_ or Filter()), _needs_case(view, filter_), page * size
    order = (task.c.closed_at.desc(),) if view == "done" and sort == "due" else SORTS[sort]
    # First the ids, which an index alone gives; then the rows of one page.
    branches = [_ids(and_(where, *narrowed), order, until, view if with_case else "") for where in _branches(actor, view, standing)]
    listed = branches[0] if len(branches) == 1 else _ids(task.c.id.in_(union_all(*(select(b.subquery().c.id) for b in branches))), order, until)
    ids = listed.offset((page - 1) * size).limit(size).subquery()
    query = select(*_COLUMNS).join(record, record.c.id == task.c.case_id).where(task.c.id.in_(select(ids.c.id))).order_by(*order)
    if total is None:
        total = conn.scalar(_count(and_(_seen(actor, view, standing), *narrowed), view, filter_)) or 0
    return Page(list(conn.execute(query).mappings()), total, page, size)


def _ids(where: ColumnElement[bool], order: Sequence[Any], limit: int, with_case: str = "") -> Select[Any]:
    """`with_case`: the view, where its case is looked at."""
    chosen = select(task.c.id)
    if with_case:
        chosen = chosen.join(record, _its_case(with_case))
    return chosen.where(where).order_by(*order).limit(limit)


def _branches(actor: Actor, view: str, standing: Sequence[Actor] = ()) -> list[ColumnElement[bool]]:
    """A view in parts, each of which an index gives in the order of the list: for work to be claimed, post by post its
    role in its own unit. Units below those are for few people and sorted on the way. No task is in two parts."""
    posts = _posts(actor)
    if view != "available" or not 0 < sum(map(len, posts.values())) <= MANY_POSTS:
        return [_seen(actor, view, standing)]
    own = [and_(is_free, task.c.role == role, task.c.unit == unit) for role in sorted(actor.roles) for unit in posts if role in posts[unit]]
    below = or_(*(and_(is_free, task.c.role.in_(roles), task.c.unit > unit, task.c.unit <= unit + "9" * 12) for unit, roles in posts.items()))
    return [*own, below]


def _posts(actor: Actor) -> dict[str, list[str]]:
    """Unit -> the roles held there, in order; without posts that another one with the same role covers."""
    found: dict[str, list[str]] = {}
    for role in sorted(actor.roles):
        for unit in actor.only({role}).areas:
            found.setdefault(unit, []).append(role)
    return found


def counts(conn: Connection, actor: Actor, today: date, calm_from: date, standing: Sequence[Actor] = ()) -> dict[str, int]:
    """Numbers for the tabs, and for the strip: overdue (red), soon due (yellow: before `calm_from`), due today, within three days
    (today is the first of four), returned, of what is mine or could be. None over MOST."""
    day, calm, soon = today.isoformat(), calm_from.isoformat(), (today + timedelta(days=3)).isoformat()
    strip: dict[str, Callable[[str], bool]] = {
        "late": lambda due: due < day, "yellow": lambda due: day <= due < calm, "today": lambda due: due == day, "soon": lambda due: day <= due <= soon}  # fmt: skip
    found = dict.fromkeys((*strip, "returned"), 0)
    for view in ("mine", "available"):  # each looked through once, the most urgent first; what an index alone gives, without the rows
        parts = [select(by_due.label("due")).where(where).order_by(*_ORDER).limit(MOST).subquery() for where in _branches(actor, view)]
        seen = union_all(*(select(part.c.due) for part in parts)).limit(MOST).subquery()
        days = conn.execute(select(seen.c.due, func.count()).group_by(seen.c.due)).all()
        found[view] = sum(n for _, n in days)
        for name, fits in strip.items():
            found[name] += sum(n for due, n in days if fits(due))
        found["returned"] += conn.scalar(_count(and_(_seen(actor, view), flagged("returned")), view, None)) or 0
    return found | {view: conn.scalar(_count(_seen(actor, view, standing), view, None)) or 0 for view in VIEWS if view not in found}


def waiting(conn: Connection, actor: Actor, standing: Sequence[Actor] = ()) -> int:
    """How many tasks wait for the actor: his own, what he may take or is to sign, also for others; counted no further than MOST."""
    views = ("mine", "available", "signing", *(("substitute",) if standing else ()))
    return sum(conn.scalar(_count(_seen(actor, view, standing), view, None)) or 0 for view in views)


def arrived(conn: Connection, actor: Actor, since: datetime) -> int:
    """How many tasks that are the actor's, or that he may take, opened after that moment; counted no further than MOST."""
    return sum(conn.scalar(_count(and_(_seen(actor, view), task.c.opened_at > since), view, None)) or 0 for view in ("mine", "available"))


def _needs_case(view: str, filter_: Filter | None) -> bool:
    return view == "started" or bool(filter_ and (filter_.process or filter_.no or filter_.subjects is not None))


def _its_case(view: str) -> ColumnElement[bool]:
    """From the tasks to their cases; for what somebody began, from his cases to their tasks, by the key of both."""
    return tasks_of(record.c.id) if view == "started" else record.c.id == task.c.case_id


def _count(where: ColumnElement[bool], view: str, filter_: Filter | None) -> Select[Any]:
    query = select(task.c.id)
    if _needs_case(view, filter_):
        query = query.join(record, _its_case(view))
    return select(func.count()).select_from(query.where(where).limit(MOST).subquery())


def _seen(actor: Actor, view: str, standing: Sequence[Actor] = ()) -> ColumnElement[bool]:  # noqa: PLR0911 - one line per view
    if view == "substitute":  # what lies with those whom he stands in for, and what their posts could take
        held = [and_(is_open, task.c.assignee == one.on_behalf_of, task.c.role.in_(one.roles)) for one in standing]
        parts = [*held, *(_seen(one, "available") for one in standing)]
        return or_(*parts) if parts else false()
    if view == "signing":  # an opinion was asked for; one on what is handed in, only once it is
        asked = and_(task_signer.c.task_id == task.c.id, task_signer.c.staff == actor.id, task_signer.c.state == "asked")
        ready = or_(task_signer.c.kind == "before", task.c.flags.contains("countersign"))
        return and_(is_open, task.c.id.in_(select(task_signer.c.task_id).where(task_signer.c.staff == actor.id, task_signer.c.state == "asked")),
                    exists().where(asked, ready).correlate(task))  # fmt: skip
    if view == "mine":
        return and_(is_open, task.c.assignee == actor.id)
    if view == "available":
        held = [and_(is_free, task.c.role.in_(roles), under(task.c.unit, unit)) for unit, roles in _posts(actor).items()]
        return or_(*held) if held else false()
    if view == "done":
        return and_(task.c.done_by == actor.id, task.c.state == "done")
    if view == "started":
        return and_(is_open, record.c.opened_by == actor.id, record.c.closed_at.is_(None))
    if view == "copied":  # what was put before him, read or not; what he delegated; escalated work in the area of a supervisor
        copied = task.c.id.in_(select(case_copy.c.task_id).where(case_copy.c.staff == actor.id))
        theirs = [and_(is_open, under(task.c.unit, area), flagged(flag)) for area in actor.only({"supervisor"}).areas for flag in ("escalated", "late")]
        return or_(copied, and_(is_open, task.c.owner == actor.id), *theirs)  # each part by an index of its own
    raise NotFound(f"没有这种列表：{view}")


def under(column: Any, unit: str) -> ColumnElement[bool]:
    """Units covered by `unit`: a range, so that an index serves it; of digits, which every collation sorts alike."""
    return and_(column >= unit, column <= unit + "9" * 12)


def within(column: Any, area: Area) -> ColumnElement[bool]:
    """Units covered by one of those of the area; none when it has none."""
    units = [area] if isinstance(area, str) else area
    return or_(*(under(column, unit) for unit in units)) if units else false()


def _narrow(filter_: Filter) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if filter_.unit:
        found.append(under(task.c.unit, filter_.unit))
    if filter_.node:
        found.append(task.c.node == filter_.node)
    if filter_.process:
        found.append(record.c.process == filter_.process)
    if filter_.no:
        found.append(record.c.no == filter_.no)
    if filter_.due_before:
        found.append(task.c.due_on < filter_.due_before.isoformat())
    if filter_.due_from:
        found.append(task.c.due_on >= filter_.due_from.isoformat())
    if filter_.flag:
        found.append(flagged(filter_.flag))
    if filter_.subjects is not None:
        found.append(record.c.subject.in_(filter_.subjects))
    return found


def task_row(conn: Connection, task_id: int) -> Mapping[Any, Any]:
    """A task with its case and its signers."""
    query = select(*_COLUMNS, signers).join(record, record.c.id == task.c.case_id).where(task.c.id == task_id)
    row = conn.execute(query).mappings().one_or_none()
    if row is None:
        raise NotFound("没有这件待办")
    return row


def case_row(conn: Connection, no: str) -> Mapping[Any, Any]:
    row = conn.execute(select(record).where(record.c.no == no, record.c.kind == "case")).mappings().one_or_none()
    if row is None:
        raise NotFound("没有这件个案")
    return row


def case_tasks(conn: Connection, case_id: int) -> list[Mapping[Any, Any]]:
    """All of them, with their signers."""
    return list(conn.execute(select(*task.c, signers).where(tasks_of(case_id)).order_by(task.c.id)).mappings())


def cases(conn: Connection, area: Area, *, process: str | Collection[str] | None = None, state: str | None = None,
          subject: str | None = None, only: ColumnElement[bool] | None = None, page: int = 1, size: int = 25) -> Page:  # fmt: skip
    """Cases of a unit (or several) and those below it. `process`: its key, or several. `state`: open | closed. `only`: what else must be true of
    a row of `record` for the reader to see that there is such a case."""
    where = [record.c.kind == "case", within(record.c.unit, area)]
    if only is not None:
        where.append(only)
    if process:
        where.append(record.c.process.in_([process] if isinstance(process, str) else process))
    if subject:
        where.append(record.c.subject == subject)
    if state:
        where.append(record.c.closed_at.is_(None) if state == "open" else record.c.closed_at.is_not(None))
    total = conn.scalar(select(func.count()).select_from(record).where(*where)) or 0
    query = select(record).where(*where).order_by(record.c.id.desc()).limit(size).offset((page - 1) * size)
    return Page(list(conn.execute(query).mappings()), total, page, size)


def incidents(conn: Connection) -> list[Mapping[Any, Any]]:
    return list(conn.execute(select(job).where(is_incident).order_by(job.c.id)).mappings())
