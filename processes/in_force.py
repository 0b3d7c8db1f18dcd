"""What was put in force in this database beside what the program brings, by the day.

A version counts from the beginning of a day, at the earliest of the one after its confirmation. So within a day nothing changes: a
program that looks once a day knows what applies, an entry's day says by which versions it was written, and so does a replay.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, select

from engine import store
from engine.dmn import Table
from engine.errors import EngineError
from processes import dmn, law
from processes.definition_tables import definition

_LOOK_AGAIN = 60.0  # seconds; only when something is read, for whoever confirmed a version in the last second of a day


class GoneText(EngineError):
    """A text that was put in force is not in the database."""


@dataclass(frozen=True, slots=True)
class Version:
    """One version that was confirmed; from_on: its first day."""

    id: int
    kind: str
    key: str
    digest: str
    from_on: str


class InForce:
    """Of one database. Threads share it; what they write at once is the same."""

    def __init__(self) -> None:
        self._day: date | None = None
        self._at = float("-inf")
        self._versions: tuple[Version, ...] = ()
        self._made: dict[tuple[int, ...], tuple[law.Book | None, Mapping[str, Table]]] = {}

    @contextmanager
    def around(self, conn: Connection, today: Callable[[], date], reading: bool) -> Iterator[None]:  # noqa: FBT001
        """Around an act, or what is read (`Office.in_force`)."""
        if (day := today()) != self._day or (reading and time.monotonic() - self._at > _LOOK_AGAIN):
            self.look(conn, day)
        with self.on(conn, day):
            yield

    def look(self, conn: Connection, day: date) -> None:
        c = definition.c
        rows = conn.execute(select(c.id, c.kind, c.key, c.digest, c.from_on).where(c.state == "confirmed").order_by(c.from_on, c.id))
        self._versions = tuple(Version(*row) for row in rows)
        self._day, self._at = day, time.monotonic()

    @contextmanager
    def on(self, conn: Connection, day: date) -> Iterator[None]:
        """Within, the tables and the law are those in force on that day (`Cases.in_force`)."""
        if not self._versions:
            yield
            return
        book, tables = self._asked(conn, day)
        with law.under(book), dmn.SHELF.put_in_force(tables):
            yield

    def drawing(self, conn: Connection, key: str, day: date) -> str | None:
        """The digest of the drawing in force for a process on a day; None: the program's own (`Cases.deployed`)."""
        return next((one.digest for one in reversed(self._begun(day)) if (one.kind, one.key) == ("drawing", key)), None)

    def _begun(self, day: date) -> Sequence[Version]:
        return [one for one in self._versions if one.from_on <= day.isoformat()]

    def _asked(self, conn: Connection, day: date) -> tuple[law.Book | None, Mapping[str, Table]]:
        last = {(one.kind, one.key): one for one in self._begun(day) if one.kind != "drawing"}
        names = tuple(sorted(one.id for one in last.values()))
        if names not in self._made:
            files = {one.key: law_file(conn, one.digest, one.key) for one in last.values() if one.kind == "law"}
            tables = {one.key: Table.parse(text_of(conn, "table", one.digest)) for one in last.values() if one.kind == "table"}
            self._made[names] = (law.Book.of({**law.RAW, **files}) if files else None, tables)
        return self._made[names]

    def said(self, conn: Connection, day: date) -> list[list[str]]:
        """[kind, key, digest, first day] of all versions: what a result kept for later depends on."""
        self.look(conn, day)
        return [[one.kind, one.key, one.digest, one.from_on] for one in self._versions]


_TEXTS: Mapping[str, Any] = {"drawing": (store.drawing, store.drawing.c.xml), "table": (store.decision_table, store.decision_table.c.xml), "law": (store.law, store.law.c.text)}


def text_of(conn: Connection, kind: str, digest: str) -> bytes:
    """The kept text of a drawing, a table, or (packed) a law file. Raises GoneText."""
    table, column = _TEXTS[kind]
    found: bytes | None = conn.scalar(select(column).where(table.c.digest == digest))
    if found is None:
        raise GoneText(f"没有保存这份文本：{digest} / this text is not here")
    return found


def law_file(conn: Connection, digest: str, file: str) -> bytes:
    return law.unpacked(text_of(conn, "law", digest))[file]


def law_now() -> tuple[str, bytes] | None:
    """Digest and text of the law that is asked now; None: the program's own (`Cases.law_now`)."""
    book = law.book()
    return None if book is None else (book.digest, law.packed(book.raw))
