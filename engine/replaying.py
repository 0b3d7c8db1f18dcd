"""Doing a record again: through the drawing, tables, law and calendar that its entries name, and the versions of the arithmetic.

Here stands what was once read of those texts. Who acts on cases (`engine.cases`) and who proves them goes by the same.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import KW_ONLY, dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, select
from sqlalchemy.exc import SQLAlchemyError

from engine import store
from engine.bpmn import Drawing, Run
from engine.dmn import Shelf, Table
from engine.errors import Cannot, Diverged, NotFound
from engine.model import SHANGHAI, Data, Entry
from engine.office import history
from engine.process import Process
from engine.step import replay, standings


@dataclass
class Replayer:
    """By what cases are done, today and again. Callables come from the business: the engine knows no law."""

    processes: Mapping[str, Process]
    _: KW_ONLY
    published: int | None = None  # last year of the calendar of working days, where it is not the processes' own
    law: str = ""  # digest of the dated law that the services read
    shelf: Shelf = field(default_factory=lambda: Shelf({}))  # the decision tables that the processes ask
    law_text: bytes = b""  # of which that is the sha256; kept in the database with the first entry that names it
    under: Callable[[bytes], AbstractContextManager[None]] = lambda _text: nullcontext()  # a text of the law -> within, services go by it
    known: Callable[[date], AbstractContextManager[None]] = lambda _day: nullcontext()  # within, services and deadlines know of the law what was known on that day
    in_force: Callable[[Connection, date], AbstractContextManager[None]] = lambda *_: nullcontext()  # within, the tables and law that were put in force by that day are asked
    _laws: dict[str, bytes] = field(default_factory=dict)
    _drawings: dict[str, Drawing] = field(default_factory=dict)
    _tables: dict[str, Table] = field(default_factory=dict)

    # -- the texts that entries name

    def lend(self, drawings: Mapping[str, Drawing], tables: Sequence[Table] = (), laws: Mapping[str, bytes] | None = None) -> None:
        """Drawings, decision tables and law texts from elsewhere, to do cases again that are not of this database."""
        self._drawings |= drawings
        self._tables |= {table.digest: table for table in tables}
        self._laws |= laws or {}

    def law_of(self, conn: Connection, digest: str) -> bytes | None:
        """The text of the law that an entry names; None where it was never kept (entries from before it was)."""
        if digest == self.law and self.law_text:
            return self.law_text
        if digest not in self._laws:
            found = conn.scalar(select(store.law.c.text).where(store.law.c.digest == digest))
            if found is None:
                return None
            self._laws[digest] = found
        return self._laws[digest]

    def _by_law(self, conn: Connection, entry: Entry, recorded: bool) -> AbstractContextManager[None]:  # noqa: FBT001
        digest = entry.data.get("law")
        if not recorded or digest is None:
            return nullcontext()
        if (text := self.law_of(conn, digest)) is None:
            raise Cannot(entry.seq, f"没有保存这份法规文本：{digest}", f"the text of the law is not here: {digest}")
        if hashlib.sha256(text).hexdigest() != digest:
            raise Diverged(entry.seq, digest, "the stored text of the law has been altered")
        return self.under(text)

    def drawing(self, conn: Connection, digest: str) -> Drawing:
        if digest not in self._drawings:
            xml = conn.scalar(select(store.drawing.c.xml).where(store.drawing.c.digest == digest))
            if xml is None:
                raise NotFound(f"没有这份流程图：{digest}")
            self._drawings[digest] = Drawing.parse(xml)
        return self._drawings[digest]

    # -- doing it again

    def replayed(self, conn: Connection, keys: Any, case_id: int) -> list[tuple[Entry, Run]]:
        """Do a case again from its record: each entry with the Run after it (loaded anew for each). Raises Diverged."""
        return list(self.replaying(conn, history(conn, keys, case_id)))

    def replaying(self, conn: Connection, entries: Sequence[Entry], erased: Callable[[int], None] = lambda _seq: None, *, recorded_law: bool = False) -> Any:
        """Yields each entry with the Run after it. Raises Diverged, or Cannot where something that the record names is not here.
        `erased` is told the entries whose computation goes by the recorded result, for what it was made from has been erased.
        `recorded_law`: entries that name a law are done again by its text, in place of this program's (decision 032)."""
        if not entries or entries[0].event != "case_started":
            raise Cannot(1, "记录不是从立案开始的", "the record does not begin with a start")
        by = self._standing(entries)

        def call(service: str, facts: Data, entry: Entry) -> Data | None:
            process, snapshots = by(entry)[0], snapshots_of(entry)
            if service in process.gather and service not in snapshots:
                erased(entry.seq)
                return None
            version = entry.data.get("rules", {}).get(service, 1)
            if not process.knows(service, version):
                raise Cannot(entry.seq, f"本系统没有 {service} 的第 {version} 版算法", f"version {version} of {service} is not here")
            with _doing_again(entry, service), self.in_force(conn, _day(entry)), self._by_law(conn, entry, recorded_law), self.known(_day(entry)):
                return self._by_tables(
                    conn, entry, service, lambda: process.service(service, facts, _day(entry), snapshots.get(service, {}), version=version)
                )

        def drawing(digest: str) -> Drawing:
            try:
                found = self.drawing(conn, digest)
            except NotFound as error:
                raise Cannot(1, str(error), f"the drawing is not here: {digest}") from error
            if hashlib.sha256(found.xml).hexdigest() != digest:
                raise Diverged(1, digest, "the stored drawing has been altered")
            return found

        def deadline(node: str, facts: Data, opened: datetime, entry: Entry) -> str | None:
            known, (process, digest) = entry.data.get("calendar", self.published), by(entry)
            with _doing_again(entry, node), self.in_force(conn, _day(entry)), self._by_law(conn, entry, recorded_law), self.known(_day(entry)):
                found = process.deadline(node, facts, opened, drawing(digest), published=known, engine=counted_by(entry))
            return None if found is None else found.end.isoformat()

        return self._decided(conn, replay(entries, drawing, call, deadline))

    def _decided(self, conn: Connection, done: Iterator[tuple[Entry, Run]]) -> Iterator[tuple[Entry, Run]]:
        for entry, run in done:
            self.decided_again(conn, entry)
            yield entry, run

    def _by_tables(self, conn: Connection, entry: Entry, service: str, compute: Callable[[], Data]) -> Data:
        """A service's result by the recorded tables; where that is the recorded one, by those of today that are asked the same: a
        changed cell shows like a changed value of the law."""
        recorded = self._tables_of(conn, entry)
        with _doing_again(entry, service), self.shelf.lent(recorded):
            then = compute()
        if not any(self.shelf.asks_like(name, table) and self.shelf.digest(name) != table.digest for name, table in recorded.items()):
            return then
        if then not in [ran[1] for ran in entry.data.get("then", {}).get("ran", []) if ran[0] == service]:
            return then
        with _doing_again(entry, service), self.shelf.lent({name: table for name, table in recorded.items() if not self.shelf.asks_like(name, table)}):
            return compute()

    def decided_again(self, conn: Connection, entry: Entry) -> None:
        """Ask the recorded tables once more what an entry says that they said, and those of today that are asked the same. Raises
        Diverged, or Cannot when a table is not here."""
        recorded = self._tables_of(conn, entry)
        with self.in_force(conn, _day(entry)):
            self._asked_again(entry, recorded)

    def _asked_again(self, entry: Entry, recorded: Mapping[str, Table]) -> None:
        for said in entry.data.get("decided", ()):
            name = said["table"]
            if name not in recorded:
                raise Diverged(entry.seq, name, "the entry does not name this table")
            with _doing_again(entry, name):
                again = recorded[name].again(said)
            if again != said:
                raise Diverged(entry.seq, said, again)
            if self.shelf.asks_like(name, recorded[name]) and self.shelf.digest(name) != recorded[name].digest:
                with _doing_again(entry, name):
                    again = self.shelf.current(name).again(said)
                if again["outputs"] != said["outputs"]:
                    raise Diverged(entry.seq, said, again)

    def _tables_of(self, conn: Connection, entry: Entry) -> dict[str, Table]:
        """The tables that an entry names. Raises Cannot, Diverged."""
        return {name: self.table(conn, entry, digest) for name, digest in entry.data.get("tables", {}).items()}

    def table(self, conn: Connection, entry: Entry, digest: str) -> Table:
        """The text that an entry names. Raises Cannot, Diverged."""
        if digest not in self._tables:
            xml = conn.scalar(select(store.decision_table.c.xml).where(store.decision_table.c.digest == digest))
            if xml is None:
                raise Cannot(entry.seq, f"没有这份决策表：{digest}", f"the decision table is not here: {digest}")
            if hashlib.sha256(xml).hexdigest() != digest:
                raise Diverged(entry.seq, digest, "the stored decision table has been altered")
            with _doing_again(entry, digest):
                self._tables[digest] = Table.parse(xml)
        return self._tables[digest]

    def _standing(self, entries: Sequence[Entry]) -> Callable[[Entry], tuple[Process, str]]:
        """By which process, and on which drawing (digest), an entry was written. Raises Cannot when a process is not here."""
        stood = standings(entries)
        for one in stood:
            if one.process not in self.processes:
                raise Cannot(one.seq, f"本系统没有这项业务：{one.process}", f"no such process here: {one.process}")

        def by(entry: Entry) -> tuple[Process, str]:
            at = next(one for one in reversed(stood) if one.seq <= entry.seq)
            return self.processes[at.process], at.drawing

        return by


def counted_by(entry: Entry) -> int:
    """The version of the rules by which an entry's days were counted."""
    return int(entry.said.get("engine", 1))


@contextmanager
def _doing_again(entry: Entry, what: str) -> Iterator[None]:
    """Whatever keeps a process's own function from doing it again (a value of the law that is gone, figures that it refuses)
    is an answer about this entry, not a failure of the program. The engine knows none of these errors by name."""
    try:
        yield
    except (Cannot, Diverged, SQLAlchemyError):  # a database that does not answer says nothing about the entry
        raise
    except Exception as error:
        why = f"{type(error).__name__}: {error}"
        raise Cannot(entry.seq, f"{what} 无法重新计算：{why}", f"{what} cannot be computed again: {why}") from error


def snapshots_of(entry: Entry) -> Mapping[Any, Any]:
    for said in entry.personal.values():
        if said and "snapshots" in said.get("said", {}):
            found: Mapping[Any, Any] = said["said"]["snapshots"]
            return found
    return {}


def _day(entry: Entry) -> date:
    return entry.at.astimezone(SHANGHAI).date()
