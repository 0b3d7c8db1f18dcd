"""The short way to PostgreSQL for the statements of an act: psycopg's own connection, its libpq wrapper and its codecs, without a
cursor for each statement, with several statements in one journey where none needs the answer of another, and without a journey for
one whose answer nobody needs (decisions 088, 089).

SQLAlchemy and psycopg see the same connection in the same transaction; either may be used for the next statement. Only not after a
savepoint was rolled back, or the schema changed, in a transaction that has used this way: psycopg drops then what was prepared.
"""

from __future__ import annotations

import re
import select
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, NamedTuple

from psycopg import Binary, Cursor, DataError, ServerCursor, adapters, errors
from psycopg.adapt import PyFormat, Transformer
from psycopg.pq import ExecStatus, Format, TransactionStatus
from sqlalchemy import Connection

_PROBE = "SELECT set_config('plan_cache_mode', 'force_generic_plan', true)"  # until the end of the transaction (087)
_KNOWN = b"SELECT 1 FROM pg_prepared_statements WHERE name = $1"
_TYPES = {kind: adapters.types[name].oid for kind, name in ((bool, "bool"), (bytes, "bytea"), (Binary, "bytea"))}
_GOOD = (ExecStatus.COMMAND_OK, ExecStatus.TUPLES_OK)
_TEXT, _BYTES = int(Format.TEXT), int(Format.BINARY)
_PARAMETER = re.compile(r"%(?:%|\((\w+)\)s)")

Sent = tuple[str, Sequence[str], Sequence[Any]]  # statement, its parameters' names, a value for each
Key = tuple[str, tuple[Any, ...]]  # statement, values
Rows = list[tuple[Any, ...]]


class Ask(NamedTuple):
    """A question that may be answered from what was heard before, with the tables that it reads."""

    key: Key
    tables: frozenset[str]


class Line:
    """A connection to PostgreSQL. `begins`: a transaction of `Store.write` has it.

    What this transaction has heard it knows, until it writes to a table that was read, or does anything that may have waited for
    another transaction: `forget` says so.
    """

    def __init__(self, driver: Any) -> None:
        self._driver, self._conn = driver, driver.pgconn
        self._codec = Transformer(driver)
        self._waiting = select.poll()
        self._waiting.register(self._conn.socket)
        self._known: dict[str, bytes] = {}  # statement -> its name there
        self._named = 0
        self.begins = False
        self.failed: Sent | None = None  # what the last error was about, where it was not what the caller has just asked
        self._behind: list[tuple[Sent, Ask | None]] = []  # what goes with the next statement; how a question's answer is kept
        self._heard: dict[Key, tuple[frozenset[str], Rows]] = {}
        self.missed, self.used = list[Any](), list[Any]()  # what had to be asked in this transaction, and what was known
        driver.cursor_factory, driver.server_cursor_factory = partial(self._cursor, Cursor), partial(self._cursor, ServerCursor)
        self._sure = False  # that what was prepared is still there: psycopg drops it with each ROLLBACK, so not within a transaction

    def rows(self, *asked: Any) -> Rows:
        """What a SELECT finds. `asked`: as in Sent."""
        return self._rows(self._one(*asked))

    def known(self, key: Key) -> Rows | None:
        """The answer to a question, where it is known."""
        if self._behind and any(one is not None and one.key == key for _, one in self._behind):
            self._settle()
        found = self._heard.get(key)
        return None if found is None else found[1]

    def keep(self, asked: Ask, rows: Rows) -> None:
        self._heard[asked.key] = (asked.tables, rows)

    def forget(self, table: str | None) -> None:
        """What was read of a table, or all, is not known any more, for it may have changed."""
        if table is None:
            self._heard.clear()
        elif self._heard:
            self._heard = {key: one for key, one in self._heard.items() if table not in one[0]}
        if self._behind:
            self._behind = [one for one in self._behind if one[1] is None or (table is not None and table not in one[1].tables)]

    def ahead(self, asked: Sequence[tuple[Sent, Ask]]) -> None:
        """Questions that will be asked: they go with the next statement, before it."""
        self._behind += asked

    def several(self, asked: Sequence[Sent]) -> list[Rows]:
        """The rows of each statement; none where it is no SELECT."""
        return [self._rows(found) for found in self._together(asked, b"")]

    def run(self, sql: str, names: Sequence[str], rows: Sequence[Sequence[Any]]) -> int:
        """How many rows of the database a statement changed, executed for each of `rows`."""
        if len(rows) == 1:
            return self._one(sql, names, rows[0]).command_tuples or 0
        return sum(found.command_tuples or 0 for found in self._together([(sql, names, row) for row in rows], b""))

    def later(self, asked: Sequence[Sent]) -> None:
        """Statements whose answers nobody needs now: they go with the next one, whoever sends it, before it. What goes wrong is raised there."""
        self._behind += [(one, None) for one in asked]

    def end(self, asked: Sequence[Sent]) -> None:
        """The last statements of a transaction and its COMMIT, which is not reached when one of them fails."""
        self.forget(None)  # what nobody has asked nobody will ask
        self._together(asked, b"COMMIT")

    @contextmanager
    def writes(self, conn: Connection) -> Iterator[None]:
        """The time of a transaction of `Store.write`, on SQLAlchemy's connection."""
        self.begins, self._sure = True, False
        try:
            yield
            self.forget(None)
            self._settle()
        except BaseException:
            if self._driver.closed:
                conn.invalidate()  # or its ROLLBACK fails, and nobody hears of what was wrong
            raise
        finally:
            self.begins = False
            self._behind.clear()
            self._heard.clear()
            self.missed, self.used = [], []

    def _settle(self) -> None:
        if self._behind:
            self._together((), b"")

    def _cursor(self, kind: Callable[..., Any], *args: Any, **named: Any) -> Any:
        """SQLAlchemy makes a cursor for each statement: what was to come before it goes first."""
        self.forget(None)  # nobody knows what it is
        self._settle()
        return kind(*args, **named)

    def _rows(self, found: Any) -> Rows:
        self._codec.set_pgresult(found)
        return self._codec.load_rows(0, found.ntuples, tuple)

    def _one(self, sql: str, names: Sequence[str], values: Sequence[Any]) -> Any:
        if self._behind or not self._sure:
            return self._together([(sql, names, values)], b"")[0]
        self.failed = None
        return _sound(self._conn.exec_prepared(self._prepared(sql, names, values), *self._written(values), Format.BINARY))

    @property
    def _idle(self) -> bool:
        return bool(self._conn.transaction_status == TransactionStatus.IDLE)

    def _prepared(self, sql: str, names: Sequence[str], values: Sequence[Any]) -> bytes:
        known = self._known.get(sql)
        if known is None:
            self._named += 1  # never the same name twice
            known = f"yb{self._named}".encode()
            text = _PARAMETER.sub(lambda found: f"${names.index(found[1]) + 1}" if found[1] else "%", sql)
            # SQLAlchemy writes the types of all others into the statement.
            _sound(self._conn.prepare(known, text.encode(), [_TYPES.get(type(value), 0) for value in values]))
            self._known[sql] = known
        return known

    def _forget(self) -> None:
        """All that was prepared is gone. What shows it is there again before anything else: made later, it would hide that the rest went."""
        self._known.clear()
        self._prepared(_PROBE, (), ())

    def _written(self, values: Sequence[Any]) -> tuple[list[bytes | None], list[int]]:
        """Values as the server reads them, and in which format each is: it knows their types from the statement."""
        written, formats = list[bytes | None](), list[int]()
        for given in values:
            value = given.obj if type(given) is Binary else given
            kind = type(value)
            if kind is str:
                if "\x00" in value:  # libpq would end the text there
                    raise DataError("a text cannot contain NUL (0x00) in PostgreSQL")
                written.append(value.encode())
            elif value is None or kind is bytes:
                written.append(value)
            elif kind is int:
                written.append(b"%d" % value)
            else:
                written.append(bytes(self._codec.get_dumper(value, PyFormat.TEXT).dump(value) or b""))
            formats.append(_BYTES if kind is bytes else _TEXT)
        return written, formats

    def _together(self, asked: Sequence[Sent], last: bytes) -> list[Any]:
        """The answers to `asked`, with one waiting for all of them."""
        before, self._behind, self.failed = self._behind, [], None
        sent = [*(one for one, _ in before), *asked]
        try:
            found = self._answers(sent, last)
        except BaseException:
            self._behind = before  # none of it was done: whoever goes on nevertheless must not lose it
            raise
        self._sure = True
        for n, one in enumerate(found):
            if one.status not in _GOOD:
                self.failed = sent[n] if n < len(sent) else None
            _sound(one)
        for (_, kept), answer in zip(before, found, strict=False):
            if kept is not None:
                self.keep(kept, self._rows(answer))
        return found[len(before) : len(sent)]

    def _answers(self, sent: Sequence[Sent], last: bytes) -> list[Any]:
        if not self._idle:
            if not self._sure and not self._conn.exec_params(_KNOWN, [self._prepared(_PROBE, (), ())]).ntuples:
                self._forget()
            return self._exchange([*(self._asking(*one) for one in sent), *self._saying(last)])
        probed, *found = self._begun(sent, last)
        if probed.status != ExecStatus.TUPLES_OK:  # then nothing behind it was done
            _sound(self._conn.exec_(b"ROLLBACK"))
            self._forget()
            probed, *found = self._begun(sent, last)
        return found

    def _begun(self, asked: Sequence[Sent], last: bytes) -> list[Any]:
        """The answers to the first statements of a transaction, behind that to one which shows whether what was prepared is still there."""
        begin, probe = self._saying(b"BEGIN"), self._asking(_PROBE, (), ())
        return self._exchange([*begin, probe, *(self._asking(*one) for one in asked), *self._saying(last)])[1:]

    def _asking(self, sql: str, names: Sequence[str], values: Sequence[Any]) -> Callable[[], None]:
        return partial(self._conn.send_query_prepared, self._prepared(sql, names, values), *self._written(values), Format.BINARY)

    def _saying(self, *texts: bytes) -> list[Callable[[], None]]:
        return [partial(self._conn.send_query_params, text, None) for text in texts if text]

    def _exchange(self, sends: Sequence[Callable[[], None]]) -> list[Any]:
        """Send all, then hear all. When one fails, what follows it is not done."""
        conn = self._conn
        try:
            conn.enter_pipeline_mode()
            for send in sends:
                send()
            conn.pipeline_sync()
            while conn.flush():
                self._wait(select.POLLIN | select.POLLOUT)
            found = [self._answer() for _ in sends]
            self._next()  # of the sync
            conn.exit_pipeline_mode()
        except BaseException:
            self._driver.close()  # half an exchange: nobody could use the connection any more
            raise
        return found

    def _answer(self) -> Any:
        found = self._next()
        while self._next() is not None:  # what ends the answer to one statement
            pass
        return found

    def _next(self) -> Any:
        while self._conn.is_busy():
            self._wait(select.POLLIN)
        return self._conn.get_result()

    def _wait(self, what: int) -> None:
        """The interpreter is free meanwhile, as it would not be inside of libpq."""
        self._waiting.modify(self._conn.socket, what)
        self._waiting.poll()
        self._conn.consume_input()


def line_of(conn: Connection) -> Line | None:
    """The line of a connection that writes; None where SQLAlchemy's way is the only one."""
    line: Line | None = conn.info.get("line")
    return line if line is not None and line.begins else None


def opened(conn: Connection) -> Line:
    """The line of any connection to PostgreSQL."""
    if "line" not in conn.info:
        conn.info["line"] = Line(conn.connection.driver_connection)
    line: Line = conn.info["line"]
    return line


def _sound(found: Any) -> Any:
    if found.status not in _GOOD:
        raise errors.error_from_result(found)
    return found
