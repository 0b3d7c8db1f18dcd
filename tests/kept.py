"""Roads that many tests begin with: gone once by a process, with everything that is checked on the way, and copied for the others."""

from __future__ import annotations

import hashlib
import pathlib
import shutil
import sqlite3
import uuid
from collections.abc import Callable, Hashable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import psycopg
from sqlalchemy import select

from engine import store

_PLAIN = (int, str, type(None))


@dataclass(frozen=True)
class _Copy:
    """What a road led to. `where`: the file of a copied SQLite database, or the name of a PostgreSQL one."""

    where: str
    files: pathlib.Path
    moment: datetime
    planned: date | None
    told: Any
    remembered: list[dict[str, Any]]


class Servers:
    """One connection a PostgreSQL server for what no transaction can do."""

    def __init__(self) -> None:
        self._open: dict[tuple[Any, Any], psycopg.Connection[Any]] = {}
        self._spares: dict[tuple[Any, Any, str], Future[str]] = {}
        self._dropped: list[Future[None]] = []
        self._beside = ThreadPoolExecutor(1, "databases")
        self._aside: Servers | None = None  # its connections, and nobody else's

    def say(self, url: Any, statement: str) -> None:
        at = (url.host, url.port)
        if at not in self._open:
            self._open[at] = psycopg.connect(host=url.host, port=url.port, user=url.username, dbname="postgres", autocommit=True)
        self._open[at].execute(statement)  # type: ignore[call-overload]

    def copy(self, url: Any, pattern: str, name: str) -> None:
        """As files: writing them to the log, too, takes four times as long."""
        self.say(url, f"CREATE DATABASE {name} TEMPLATE {pattern} STRATEGY FILE_COPY")

    def drop(self, url: Any, name: str) -> None:
        self.say(url, f"DROP DATABASE {name} WITH (FORCE)")

    def spare(self, url: Any, pattern: str) -> str:
        """The name of a fresh copy of a pattern that nobody changes any more. It was made while an earlier test ran: making one
        waits for checkpoints more than it works, and so does dropping one."""
        key = url.host, url.port, pattern
        name = (self._spares.pop(key, None) or self._copying(url, pattern)).result()
        self._spares[key] = self._copying(url, pattern)
        return name

    def drop_later(self, url: Any, name: str) -> None:
        """For a name that nobody uses again."""
        self._dropped.append(self._beside.submit(lambda: self._other().drop(url, name)))

    def _copying(self, url: Any, pattern: str) -> Future[str]:
        def make() -> str:
            name = f"t{uuid.uuid4().hex[:12]}"
            self._other().copy(url, pattern, name)
            return name

        return self._beside.submit(make)

    def _other(self) -> Servers:
        self._aside = self._aside or Servers()
        return self._aside

    def close(self) -> None:
        """Before its servers stop: what is left then goes with them."""
        self._beside.shutdown(cancel_futures=True)
        for one in self._dropped:
            if not one.cancelled():
                one.result()
        if self._aside:
            self._aside.close()
        for one in self._open.values():
            one.close()
        self._open.clear()


class Shelf:
    """Copies of districts, by what was done to which other one."""

    def __init__(self, folder: pathlib.Path, servers: Servers) -> None:
        self._folder, self._servers = folder, servers
        self._copies: dict[Hashable, _Copy] = {}
        self._known: set[str] = set()

    def know(self, bureau: Any) -> str:
        """A district that others begin with. Returns its mark."""
        mark = mark_of(bureau)
        self._known.add(mark)
        return mark

    def go(self, district: Any, road: Hashable, make: Callable[[], Any], *holders: Any) -> Any:
        """What `make` returns, with the database, files, clock and plain attributes of `holders` as `make` leaves them.
        A district that something else was done to goes the road itself: it shows by the heads of its records; so does one with
        other processes than the program's."""
        from processes.bureau import CATALOGUE

        bureau, clock = district.bureau, district.clock
        mark = mark_of(bureau)
        if mark not in self._known or bureau.cases.processes != CATALOGUE:
            return make()
        key = (bureau.office.store.sqlite, mark, clock.now, road)
        if key in self._copies:
            return self._take(bureau, clock, self._copies[key], holders)
        told = make()
        self._copies[key] = self._keep(bureau, clock, told, holders)
        self.know(bureau)
        return told

    def _keep(self, bureau: Any, clock: Any, told: Any, holders: tuple[Any, ...]) -> _Copy:
        name = f"kept{uuid.uuid4().hex[:12]}"
        kept, opened = self._folder / name, bureau.office.store
        opened.engine.dispose()
        if opened.sqlite:
            where = f"{kept}.sqlite"
            with sqlite3.connect(opened.url.database) as conn:
                conn.execute("VACUUM INTO ?", (where,))
            conn.close()
        else:
            where = name
            self._servers.copy(opened.url, opened.url.database, name)
        bureau.settings.files.mkdir(parents=True, exist_ok=True)  # nobody may have sent in a scan yet
        shutil.copytree(bureau.settings.files, kept)
        remembered = [{k: v for k, v in vars(one).items() if isinstance(v, _PLAIN)} for one in holders]
        return _Copy(where, kept, clock.now, bureau.jobs._planned, told, remembered)

    def _take(self, bureau: Any, clock: Any, kept: _Copy, holders: tuple[Any, ...]) -> Any:
        opened = bureau.office.store
        opened.engine.dispose()
        if opened.sqlite:
            file = pathlib.Path(opened.url.database)
            assert not file.with_name(f"{file.name}-wal").exists(), "somebody else has it open"
            shutil.copyfile(kept.where, file)
        else:
            self._servers.drop(opened.url, opened.url.database)
            self._servers.copy(opened.url, kept.where, opened.url.database)
        shutil.copytree(kept.files, bureau.settings.files, dirs_exist_ok=True)
        clock.now, bureau.jobs._planned = kept.moment, kept.planned
        for one, attributes in zip(holders, kept.remembered, strict=True):
            vars(one).update(attributes)
        return kept.told


def mark_of(bureau: Any) -> str:
    """Tells districts apart: salts make the heads of records differ wherever anything differs, jobs stand in no record."""
    r, j = store.record.c, store.job.c
    with bureau.office.read() as conn:
        found = [conn.execute(query).all() for query in (select(r.id, r.head).order_by(r.id), select(j.id, j.state, j.attempts).order_by(j.id))]
    return hashlib.sha256(repr(found).encode()).hexdigest()
