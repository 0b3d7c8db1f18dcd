"""Statements that run in every act, prepared once: compiled to the driver's SQL, with what turns values into the driver's
and rows into ours already looked up.

SQLAlchemy still writes the SQL, knows the types and owns the connection and the transaction; only its machinery for one
execution is left out, which takes ten times as long as such a statement itself. Not for statements with an expanding
IN, with a RETURNING that nobody wrote, or with defaults that are computed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any, NamedTuple

from sqlalchemy import BindParameter, Connection, Table
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql import visitors

from engine.postgres import Ask, Line, Rows, Sent, line_of

Values = Mapping[str, Any]  # as callers say them: key -> value


class _Place(NamedTuple):
    """What stands at the place of a parameter: what the caller says by this key, as the driver wants it, or always the same."""

    key: str | None
    into: Callable[[Any], Any] | None
    always: Any


class _Compiled(NamedTuple):
    sql: str
    names: tuple[str, ...]  # of the parameters, in their order
    by_place: bool  # as the driver wants them
    given: Mapping[str, str]  # key of a parameter, as callers say it -> its name in the SQL
    base: Mapping[str, Any]  # what the statement itself says, and defaults; as the driver wants it
    into: Mapping[str, Callable[[Any], Any]]  # name -> to the driver's value
    keys: tuple[str, ...]  # of the columns of a row
    outof: Sequence[tuple[str, Callable[[Any], Any]]]  # columns whose driver's value is not ours
    places: dict[tuple[str, ...], list[_Place]]  # by the keys that a caller says


class Prepared:
    """One SELECT, INSERT or UPDATE, which may say RETURNING. ValueError when it is of a kind that cannot be prepared."""

    def __init__(self, statement: Any) -> None:
        self.statement = statement
        self._compiled: dict[tuple[str, tuple[str, ...] | None], _Compiled] = {}
        parts = list(visitors.iterate(statement))
        locks = any(getattr(part, "_for_update_arg", None) is not None for part in parts)
        self.reads = frozenset(part.name for part in parts if isinstance(part, Table)) if statement.is_select and not locks else None  # tables; None: it does more
        # A new row waits for nobody; a lock, a change of a row that is there, an "or else" may.
        alone = statement.is_insert and statement._post_values_clause is None and statement.select is None
        self._writes = statement.table.name if alone else None

    def rows(self, conn: Connection, values: Values) -> list[dict[str, Any]]:
        """What a SELECT finds, or what is RETURNING, each row as column -> value. On PostgreSQL an act asks nothing twice as long as it
        has neither changed what was read nor waited for another."""
        line = line_of(conn)
        if line is not None:
            return _asked(conn, line, [(self, values)], [])[0]
        made = self._for(conn, tuple(values))
        return _ours(made, _executed(conn, made, [_bound(made, values)], lambda cursor: cursor.fetchall()))

    def row(self, conn: Connection, values: Values) -> dict[str, Any] | None:
        """The first row that a SELECT finds."""
        found = self.rows(conn, values)
        return found[0] if found else None

    def run(self, conn: Connection, *rows: Values) -> int:
        """Execute once for each of `rows`, which have the same keys: how many rows of the database changed (-1: not known)."""
        made = self._for(conn, tuple(rows[0]))
        bound = [_bound(made, row) for row in rows]
        if (line := line_of(conn)) is not None:
            line.forget(self._writes)
            return int(_heard(conn, [(made, bound)], lambda: line.run(made.sql, made.names, bound)))
        return int(_executed(conn, made, bound, lambda cursor: cursor.rowcount))

    @cached_property
    def binds(self) -> dict[str, BindParameter[Any]]:
        return {part.key: part for part in visitors.iterate(self.statement) if isinstance(part, BindParameter)}

    def _for(self, conn: Connection, columns: tuple[str, ...] | None) -> _Compiled:
        key = (conn.dialect.name, columns if self.statement.is_insert else None)
        made = self._compiled.get(key)
        if made is None:
            made = self._compiled[key] = _compiled(self.statement, conn.dialect, key[1])
        return made


Question = tuple[Prepared, dict[str, Any]]


def travels(conn: Connection) -> bool:
    """Whether waiting for an answer takes longer than most answers, so that it is worth to ask ahead for what will be needed."""
    return line_of(conn) is not None


def together(conn: Connection, *asked: Question, ahead: Sequence[Question] = ()) -> list[list[dict[str, Any]]]:
    """What several SELECTs find that do not need each other's answers, in this order. PostgreSQL gets them at once, and with them
    questions that will be asked later (`ahead`): they are answered then without asking again, or, where it might have changed, anew."""
    line = line_of(conn)
    if line is None:
        return [one.rows(conn, values) for one, values in asked]
    return _asked(conn, line, asked, ahead)


def ask_ahead(conn: Connection, asked: Sequence[Question]) -> None:
    """Questions that will be asked: they go with the next one, so that it costs one waiting. Nothing where asking costs none."""
    line = line_of(conn)
    if line is None or not asked:
        return
    given = [(one, *_with(one, conn, values)) for one, values in asked]
    _heard(conn, [(made, [bound]) for _, made, bound in given], lambda: line.ahead([((made.sql, made.names, bound), _ask(one, made, bound)) for one, made, bound in given]))


class Heard(NamedTuple):
    """What a transaction wanted to know, from some moment on: what it had to ask, and what it knew already."""

    missed: list[Question]
    known: list[Question]


def listen(conn: Connection) -> Heard:
    """From now on; of a connection that `travels`."""
    line, heard = line_of(conn), Heard([], [])
    if line is not None:
        line.missed, line.used = heard
    return heard


def _asked(conn: Connection, line: Line, asked: Sequence[tuple[Prepared, Values]], ahead: Sequence[Question]) -> list[list[dict[str, Any]]]:
    found: list[Rows | None] = []
    given = [(one, *_with(one, conn, values)) for one, values in asked]
    for one, made, bound in given:
        if one.reads is None:
            line.forget(one._writes)
            found.append(None)
        else:
            found.append(line.known((made.sql, tuple(bound))))
    line.used += [one for one, rows in zip(asked, found, strict=True) if rows is not None]
    send = [n for n, rows in enumerate(found) if rows is None]
    if send or ahead:
        more = [(one, *_with(one, conn, values)) for one, values in ahead]
        sent = [given[n] for n in send] + more
        if len(sent) == 1:
            _, made, bound = sent[0]
            heard = [_heard(conn, [(made, [bound])], lambda: line.rows(made.sql, made.names, bound))]
        else:
            heard = _heard(conn, [(made, [bound]) for _, made, bound in sent], lambda: line.several([(made.sql, made.names, bound) for _, made, bound in sent]))
        last = max((n for n, (one, _, _) in enumerate(sent) if one.reads is None), default=-1)  # what was answered before it may have changed since
        for (one, made, bound), rows in list(zip(sent, heard, strict=True))[last + 1 :]:
            line.keep(_ask(one, made, bound), rows)
        for n, rows in zip(send, heard, strict=False):
            found[n] = rows
        line.missed += [asked[n] for n in send]
    return [_ours(made, rows or ()) for (_, made, _), rows in zip(given, found, strict=True)]


def _with(one: Prepared, conn: Connection, values: Values) -> tuple[_Compiled, list[Any]]:
    made = one._for(conn, tuple(values))
    return made, _bound(made, values)


def _ask(one: Prepared, made: _Compiled, bound: Sequence[Any]) -> Ask:
    return Ask((made.sql, tuple(bound)), one.reads or frozenset())


def run_all(conn: Connection, asked: Sequence[tuple[Prepared, Sequence[Values]]]) -> None:
    """Several statements, each for its rows, where nobody asks what they have changed. PostgreSQL gets them with whatever is the next
    statement of this transaction, before it: what goes wrong is raised there."""
    line = line_of(conn)
    if line is None:
        for one, rows in asked:
            one.run(conn, *rows)
        return
    for one, _ in asked:
        line.forget(one._writes)
    given = _given(conn, asked)
    _heard(conn, given, lambda: line.later(_sent(given)))


def end(conn: Connection, line: Line, asked: Sequence[tuple[Prepared, Sequence[Values]]]) -> None:
    """The last statements of a transaction, each for its rows, and its COMMIT."""
    given = _given(conn, asked)
    _heard(conn, given, lambda: line.end(_sent(given)), then="COMMIT")


def _given(conn: Connection, asked: Sequence[tuple[Prepared, Sequence[Values]]]) -> list[tuple[_Compiled, list[list[Any]]]]:
    return [(made := one._for(conn, tuple(rows[0])), [_bound(made, row) for row in rows]) for one, rows in asked]


def _sent(given: Sequence[tuple[_Compiled, Sequence[Sequence[Any]]]]) -> list[Sent]:
    return [(made.sql, made.names, bound) for made, rows in given for bound in rows]


def _ours(made: _Compiled, rows: Sequence[Sequence[Any]]) -> list[dict[str, Any]]:
    """The driver's rows as column -> value."""
    found = [dict(zip(made.keys, row, strict=True)) for row in rows]
    for name, process in made.outof:
        for row in found:
            row[name] = process(row[name])
    return found


def _compiled(statement: Any, dialect: Any, columns: tuple[str, ...] | None) -> _Compiled:
    found = statement.compile(dialect=dialect, column_keys=None if columns is None else list(columns))
    if (found.effective_returning and not statement._returning) or found.update_prefetch or any(bind.expanding for bind in found.bind_names):
        raise ValueError(f"cannot be prepared: {found}")
    written = found._process_parameters_for_postcompile(dict.fromkeys(found.bind_names.values()) | found.construct_params(_check=False))  # literals go into the text
    base = {name: bind.effective_value for bind, name in found.bind_names.items() if not bind.required}
    for column in found.insert_prefetch:
        if not column.default.is_scalar:
            raise ValueError(f"cannot be prepared: the default of {column} is computed")
        base[column.key] = column.default.arg
    outof = []
    keys = []
    for column in found._result_columns if statement.is_select or statement._returning else ():
        keys.append(column.keyname)
        if (process := column.type._cached_result_processor(dialect, None)) is not None:
            outof.append((column.keyname, process))
    names = tuple(written.positiontup if found.positional else dict.fromkeys(name for name in found.bind_names.values() if f"%({name})s" in written.statement))
    into = {name: process for name, process in found._bind_processors.items() if not isinstance(process, tuple)}
    base = {name: into[name](value) if name in into else value for name, value in base.items()}
    return _Compiled(written.statement, names, found.positional, {bind.key: name for bind, name in found.bind_names.items()}, base, into, tuple(keys), outof, {})


def _bound(made: _Compiled, values: Values) -> list[Any]:
    """The values of the parameters in their order, as the driver wants them. KeyError for one that is missing or unknown."""
    said = tuple(values)
    places = made.places.get(said)
    if places is None:
        known = {made.given[key]: key for key in said}
        places = made.places[said] = [
            _Place(known[name], made.into.get(name), None) if name in known else _Place(None, None, made.base[name]) for name in made.names]  # fmt: skip
    return [always if key is None else values[key] if into is None else into(values[key]) for key, into, always in places]


def _executed(conn: Connection, made: _Compiled, bound: Sequence[list[Any]], told: Callable[[Any], Any]) -> Any:
    """What is `told` of the driver's cursor after the execution."""
    cursor: Any = conn.connection.driver_connection.cursor()  # type: ignore[union-attr]
    given = bound if made.by_place else [dict(zip(made.names, row, strict=True)) for row in bound]
    try:
        if conn._has_events or conn.engine._has_events:
            return _heard(conn, [(made, bound)], lambda: told(_run(cursor, made.sql, given)), cursor)
        try:
            return told(_run(cursor, made.sql, given))
        except _dbapi(conn).Error as error:
            raise _as_known(conn, [(made, bound)], error) from error
    finally:
        cursor.close()


def _run(cursor: Any, sql: str, given: Sequence[Any]) -> Any:
    if len(given) > 1:
        cursor.executemany(sql, given)
    else:
        cursor.execute(sql, given[0])
    return cursor


def _heard(conn: Connection, asked: Sequence[tuple[_Compiled, Sequence[Any]]], execute: Callable[[], Any], cursor: Any = None, then: str = "") -> Any:
    """Execute statements: listeners hear of them as usual, and what the driver raises is raised as SQLAlchemy would."""
    heard = conn._has_events or conn.engine._has_events
    if heard:
        _tell(conn, conn.dispatch.before_cursor_execute, asked, then, cursor)
    try:
        found = execute()
    except _dbapi(conn).Error as error:
        raise _as_known(conn, asked, error, then) from error
    if heard:
        _tell(conn, conn.dispatch.after_cursor_execute, asked, then, cursor)
    return found


def _as_known(conn: Connection, asked: Sequence[tuple[_Compiled, Sequence[Any]]], error: Any, then: str = "") -> Exception:
    """A driver's error as SQLAlchemy would raise it, with the statement that it is about."""
    line, dbapi = line_of(conn), _dbapi(conn)
    sql, names, values = (line and line.failed) or next(((made.sql, made.names, rows[0]) for made, rows in asked), (then, (), ()))
    found: Exception = DBAPIError.instance(sql, dict(zip(names, values, strict=True)), error, dbapi.Error, dialect=conn.dialect)
    return found


def _dbapi(conn: Connection) -> Any:
    return conn.dialect.loaded_dbapi


def _tell(conn: Connection, listeners: Any, asked: Sequence[tuple[_Compiled, Sequence[Any]]], then: str, cursor: Any) -> None:
    for made, rows in asked:
        for listener in listeners:
            listener(conn, cursor, made.sql, rows if len(rows) > 1 else rows[0], None, len(rows) > 1)
    for listener in listeners if then else ():
        listener(conn, cursor, then, (), None, False)
