"""Roads that many tests begin with: gone once by a process, with everything that is checked on the way, and copied for the others."""

from __future__ import annotations

import hashlib
import pathlib
import shutil
import sqlite3
import uuid
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import psycopg
from psycopg.pq import ExecStatus
from sqlalchemy import select

from engine import store

_PLAIN = (int, str, type(None))


@dataclass(frozen=True)
class _Copy:
    """What a road led to. `where`: the file of a copied SQLite database, or what was in a PostgreSQL one."""

    where: str | Content
    files: pathlib.Path
    moment: datetime
    planned: date | None
    told: Any
    remembered: list[dict[str, Any]]


class Servers:
    """The databases of the tests on a PostgreSQL server. Making one copies a thousand files, so they are lent out again: what a
    test changed is put back, which shows by the numbers of the transactions that wrote the rows. One whose tables, triggers
    or rights somebody has changed is thrown away, and so is one that was lent often: what was deleted lies about in it."""

    def __init__(self) -> None:
        self._open: dict[tuple[Any, Any], psycopg.Connection[Any]] = {}
        self._at_hand: dict[tuple[Any, Any], list[str]] = {}
        self._lent: dict[str, _Lent] = {}

    def say(self, url: Any, statement: str) -> None:
        at = (url.host, url.port)
        if at not in self._open:
            self._open[at] = _connected(url, "postgres")
        self._open[at].execute(statement)  # type: ignore[call-overload]

    def drop(self, url: Any, name: str) -> None:
        self.say(url, f"DROP DATABASE {name} WITH (FORCE)")

    def lend(self, url: Any, pattern: str, content: Content) -> str:
        """The name of a database with this content. `pattern`: one with the same tables, where none is at hand."""
        spare = self._at_hand.setdefault((url.host, url.port), [])
        name = spare.pop() if spare else f"t{uuid.uuid4().hex[:12]}"
        if name not in self._lent:  # as files: writing them to the log, too, takes four times as long
            self.say(url, f"CREATE DATABASE {name} TEMPLATE {pattern} STRATEGY FILE_COPY")
            self._lent[name] = _Lent(_connected(url, name))
        self._lent[name].times += 1
        self.fill(name, content)
        return name

    def take_back(self, url: Any, name: str) -> None:
        """From a test that is over."""
        lent = self._lent[name]
        if lent.times < _OFTEN and lent.sound():
            self._at_hand[url.host, url.port].append(name)
        else:
            self._lent.pop(name).conn.close()
            self.drop(url, name)

    def content(self, url: Any, name: str) -> Content:
        """What is in a database now."""
        if name in self._lent:
            return self._lent[name].read()
        with _connected(url, name) as conn:
            return _Lent(conn).read()

    def fill(self, name: str, content: Content) -> None:
        """Put this content in place of what is in a lent database."""
        self._lent[name].fill(content)

    def close(self) -> None:
        """Before its servers stop: what is left then goes with them."""
        for one in (*self._open.values(), *(lent.conn for lent in self._lent.values())):
            one.close()
        self._open.clear()
        self._lent.clear()


@dataclass(frozen=True)
class Content:
    """What is in a database: the rows of each table that has any, as COPY writes them, and how far its counters are."""

    rows: dict[str, bytes]
    counters: frozenset[tuple[str, int, bool]]


_OFTEN = 60
_SCHEMA: Any = " UNION ALL ".join(f"SELECT 1 FROM {table} WHERE xmin::text::bigint >= %(since)s" for table in (
    "pg_class", "pg_trigger", "pg_constraint", "pg_proc", "pg_namespace", "pg_db_role_setting"))  # fmt: skip
_FREE: Any = "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
# What the guard's triggers call, which are always on, while a content is put in.
_OPEN_DOOR: Any = "; ".join(
    f"CREATE OR REPLACE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN {told}; END'"
    for function, told in (("yingbao_append_only", "COALESCE(NEW, OLD)"), ("yingbao_pending", "NULL")))  # fmt: skip


class _Lent:
    """A database of which we know what was in it at some moment."""

    def __init__(self, conn: psycopg.Connection[Any]) -> None:
        self.conn, self.times = conn, 0
        conn.prepare_threshold = 0
        conn.execute("SET plan_cache_mode = force_generic_plan")  # planning a question to all tables takes far longer than asking it
        tables = [name for (name,) in conn.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")]
        counters = [name for (name,) in conn.execute("SELECT sequencename FROM pg_sequences WHERE schemaname = 'public' ORDER BY 1")]
        self._count: Any = " UNION ALL ".join(
            f"SELECT '{name}', count(*), count(*) FILTER (WHERE xmin::text::bigint >= %(since)s) FROM \"{name}\"" for name in tables)  # fmt: skip
        self._counters: Any = " UNION ALL ".join(f"SELECT '{name}', last_value, is_called FROM {name}" for name in counters)
        self._known, self._since = Content({}, frozenset()), 0
        self._known = self.read()
        self._settled()

    def read(self) -> Content:
        changed, rows = self._changed(), dict(self._known.rows)
        for table in changed:
            with self.conn.cursor().copy(f'COPY "{table}" TO STDOUT') as copy:
                rows[table] = b"".join(bytes(part) for part in copy)
        return Content({table: text for table, text in rows.items() if text}, frozenset(self.conn.execute(self._counters)))

    def fill(self, content: Content) -> None:
        old, new = self._known.rows, content.rows
        other = sorted(self._changed() | {table for table in old.keys() | new.keys() if old.get(table) is not new.get(table)})
        with self.conn.transaction():
            if other:
                doors = [text for (text,) in self.conn.execute("SELECT pg_get_functiondef(oid) FROM pg_proc WHERE proname IN ('yingbao_append_only', 'yingbao_pending')")]
                self._run("SET LOCAL session_replication_role = replica", _OPEN_DOOR, *(f'DELETE FROM "{table}"' for table in other))  # no foreign keys
                for table in other:
                    if table in new:
                        with self.conn.cursor().copy(f'COPY "{table}" FROM STDIN') as copy:
                            copy.write(new[table])
                self._run(*doors)
            for name, last, called in content.counters - set(self.conn.execute(self._counters)):
                self._run(f"SELECT setval('{name}', {last}, {called})")
        self._known = content
        self._settled()

    def sound(self) -> bool:
        """Whether only rows were changed. Whoever still has it open is sent away."""
        self.conn.execute(_FREE)
        return not self.conn.execute(_SCHEMA, {"since": self._since}).fetchall()

    def _changed(self) -> set[str]:
        """Tables to which something was written since, or from which something was taken away."""
        had = self._known.rows
        asked = self.conn.execute(self._count, {"since": self._since})
        return {table for table, count, new in asked if new or count != had.get(table, b"").count(b"\n")}

    def _settled(self) -> None:
        [(self._since,)] = self.conn.execute("SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint")

    def _run(self, *statements: str) -> None:
        done = self.conn.pgconn.exec_("; ".join(statements).encode())
        assert done.status in (ExecStatus.COMMAND_OK, ExecStatus.TUPLES_OK), done.error_message.decode()


def _connected(url: Any, name: str) -> psycopg.Connection[Any]:
    return psycopg.connect(host=url.host, port=url.port, user=url.username, dbname=name, autocommit=True)


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
        where: str | Content
        if opened.sqlite:
            where = f"{kept}.sqlite"
            with sqlite3.connect(opened.url.database) as conn:
                conn.execute("VACUUM INTO ?", (where,))
            conn.close()
        else:
            where = self._servers.content(opened.url, opened.url.database)
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
            self._servers.fill(opened.url.database, kept.where)
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
