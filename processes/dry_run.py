"""A proposed version tried on finished cases, in memory: a verdict for each, nothing is written (decision 049).

A drawing: their recorded causes through the new tokens (engine/trial.py). A table or law file: the cases done again as for `yingbao replay`, with the
new text in place of what was in force on the day of each entry.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, select

from engine import store
from engine.bpmn import Drawing
from engine.cases import Cases
from engine.crypto import BoundKeys
from engine.dmn import Table
from engine.model import SHANGHAI, Data, Entry
from engine.office import history
from engine.proof import judge
from engine.replaying import counted_by
from engine.trial import Trial, tried
from processes import definitions, dmn, law

LAST, MOST = 20, 200  # cases


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of one case; unit: its own, for who may read more than the verdict."""

    no: str
    unit: str
    trial: Trial


def run(conn: Connection, keys: BoundKeys, cases: Cases, one: Mapping[Any, Any], most: int = LAST,
        told: Callable[[int, int], None] = lambda _done, _all: None) -> list[Tried]:  # fmt: skip
    """The last finished cases (of the process, where it is a drawing) under a version (a row of `definition`), the newest first."""
    raw = definitions.text(conn, cases, one["kind"], one["key"], one["digest"])
    c = store.record.c
    query = select(c.id, c.no, c.unit).where(c.kind == "case", c.closed_at.is_not(None)).order_by(c.closed_at.desc(), c.id.desc()).limit(min(most, MOST))
    rows = conn.execute(query.where(c.process == one["key"]) if one["kind"] == "drawing" else query).all()
    found = []
    for row in rows:
        entries = history(conn, keys, row.id)
        found.append(Tried(row.no, row.unit, _drawn(conn, cases, raw, entries) if one["kind"] == "drawing" else _judged(conn, cases, one, raw, entries)))
        told(len(found), len(rows))
    return found


def counts(found: list[Tried]) -> dict[str, int]:
    return {result: sum(one.trial.result == result for one in found) for result in ("same", "different", "cannot")}


def _drawn(conn: Connection, cases: Cases, raw: bytes, entries: list[Entry]) -> Trial:
    drawing = Drawing.parse(raw)
    process = cases.processes[drawing.key]

    def deadline(node: str, facts: Data, opened: datetime, entry: Entry) -> str | None:
        day = entry.at.astimezone(SHANGHAI).date()
        with cases.in_force(conn, day), cases.known(day):
            found = process.deadline(node, facts, opened, drawing, published=entry.data.get("calendar", cases.published), engine=counted_by(entry))
        return None if found is None else found.end.isoformat()

    return tried(entries, drawing, deadline)


def _judged(conn: Connection, cases: Cases, one: Mapping[Any, Any], raw: bytes, entries: list[Entry]) -> Trial:
    verdict = judge(replace(cases, in_force=_instead(cases, one, raw)), conn, entries)
    if verdict.result == "cannot":
        zh, _, en = verdict.why.partition(" / ")
        return Trial("cannot", verdict.entry, zh=zh, en=en or zh)
    return Trial(verdict.result, verdict.entry, verdict.recorded, verdict.computed)


def _instead(cases: Cases, one: Mapping[Any, Any], raw: bytes) -> Callable[[Connection, date], AbstractContextManager[None]]:
    """What was in force on a day, but for this text."""
    table = Table.parse(raw) if one["kind"] == "table" else None
    books: dict[str, law.Book] = {}

    @contextmanager
    def within(conn: Connection, day: date) -> Iterator[None]:
        with cases.in_force(conn, day):
            if table is not None:
                with dmn.SHELF.put_in_force({**{name: dmn.SHELF.current(name) for name in dmn.SHELF.tables}, table.key: table}):
                    yield
                return
            here = law.book()
            if law.digest() not in books:
                books[law.digest()] = law.Book.of({**(law.RAW if here is None else here.raw), one["key"]: raw})
            with law.under(books[law.digest()]):
                yield

    return within
