"""Reads for pages, API and command line: lists of tasks and cases. They change nothing and know no business."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, func, or_, select

from engine.errors import NotFound
from engine.model import Actor
from engine.store import entry, is_open, job, record, task, tasks_of

VIEWS = ("mine", "available", "done", "started", "copied")


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


def tasks(conn: Connection, actor: Actor, view: str, filter_: Filter | None = None, page: int = 1, size: int = 25) -> Page:
    """A page of the task list. Rows: the columns of `task` with `no`, `process`, `subject`, `case_unit` of its case."""
    where = and_(_seen(actor, view), *_narrow(filter_ or Filter()))
    order = (task.c.closed_at.desc(),) if view == "done" else (
        task.c.priority.desc(), task.c.due_on.is_(None), task.c.due_on, task.c.id)  # fmt: skip
    chosen = select(task.c.id)
    if _needs_case(view, filter_):
        chosen = chosen.join(record, record.c.id == task.c.case_id)
    # First the ids, which an index alone gives; then the rows of one page.
    ids = chosen.where(where).order_by(*order).limit(size).offset((page - 1) * size).subquery()
    query = select(*_COLUMNS).join(record, record.c.id == task.c.case_id).where(task.c.id.in_(select(ids.c.id))).order_by(*order)
    total = conn.scalar(_count(where, view, filter_)) or 0
    return Page(list(conn.execute(query).mappings()), total, page, size)


def counts(conn: Connection, actor: Actor, today: date) -> dict[str, int]:
    """Numbers for the tabs, and for the strip: overdue, due today, due soon, returned to me."""
    found = {view: conn.scalar(_count(_seen(actor, view), view, None)) or 0 for view in VIEWS}
    mine = or_(_seen(actor, "mine"), _seen(actor, "available"))
    for name, extra in (
        ("late", task.c.due_on < today.isoformat()),
        ("today", task.c.due_on == today.isoformat()),
        ("returned", task.c.flags.contains("returned")),
    ):
        found[name] = conn.scalar(_count(and_(mine, extra), "mine", None)) or 0
    return found


def _needs_case(view: str, filter_: Filter | None) -> bool:
    return view == "started" or bool(filter_ and (filter_.process or filter_.no))


def _count(where: ColumnElement[bool], view: str, filter_: Filter | None) -> Select[Any]:
    query = select(func.count()).select_from(task)
    if _needs_case(view, filter_):
        query = query.join(record, record.c.id == task.c.case_id)
    return query.where(where)


def _seen(actor: Actor, view: str) -> ColumnElement[bool]:
    if view == "mine":
        return and_(is_open, task.c.assignee == actor.id)
    if view == "available":
        return and_(is_open, task.c.assignee.is_(None), task.c.role.in_(actor.roles), under(task.c.unit, actor.unit))
    if view == "done":
        return and_(task.c.done_by == actor.id, task.c.state == "done")
    if view == "started":
        return and_(is_open, record.c.opened_by == actor.id)
    if view == "copied":  # late or escalated work in the area of a supervisor
        mine = under(task.c.unit, actor.unit) if "supervisor" in actor.roles else task.c.owner == actor.id
        return and_(is_open, mine, or_(task.c.flags.contains("escalated"), task.c.owner == actor.id))
    raise NotFound(f"没有这种列表：{view}")


def under(column: Any, unit: str) -> ColumnElement[bool]:
    """Units covered by `unit`, written as a range so that an index serves it."""
    return and_(column >= unit, column < unit + "~")


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
        found.append(task.c.flags.contains(filter_.flag))
    return found


def task_row(conn: Connection, task_id: int) -> Mapping[Any, Any]:
    query = select(*_COLUMNS).join(record, record.c.id == task.c.case_id).where(task.c.id == task_id)
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
    return list(conn.execute(select(task).where(tasks_of(case_id)).order_by(task.c.id)).mappings())


def cases(conn: Connection, unit: str, *, process: str | None = None, state: str | None = None,
          subject: str | None = None, page: int = 1, size: int = 25) -> Page:  # fmt: skip
    """Cases of a unit and those below it. `state`: open | closed."""
    where = [record.c.kind == "case", under(record.c.unit, unit)]
    if process:
        where.append(record.c.process == process)
    if subject:
        where.append(record.c.subject == subject)
    if state:
        where.append(record.c.closed_at.is_(None) if state == "open" else record.c.closed_at.is_not(None))
    total = conn.scalar(select(func.count()).select_from(record).where(*where)) or 0
    query = select(record).where(*where).order_by(record.c.id.desc()).limit(size).offset((page - 1) * size)
    return Page(list(conn.execute(query).mappings()), total, page, size)


def incidents(conn: Connection) -> list[Mapping[Any, Any]]:
    return list(conn.execute(select(job).where(job.c.state == "incident").order_by(job.c.id)).mappings())


def entries(conn: Connection, record_id: int) -> int:
    return conn.scalar(select(func.count()).select_from(entry).where(entry.c.record_id == record_id)) or 0
