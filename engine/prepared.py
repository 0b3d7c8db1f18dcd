"""Statements that run in every act, prepared once: compiled to the driver's SQL, with what turns values into the driver's
and rows into ours already looked up.

SQLAlchemy still writes the SQL, knows the types and owns the connection and the transaction; only its machinery for one
execution is left out, which takes ten times as long as such a statement itself. Not for statements with an expanding
IN, with RETURNING, or with defaults that are computed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError


class _Compiled(NamedTuple):
    sql: str
    names: tuple[str, ...]  # of the parameters, in their order
    by_place: bool  # as the driver wants them
    given: Mapping[str, str]  # key of a parameter, as callers say it -> its name in the SQL
    base: Mapping[str, Any]  # what the statement itself says, and defaults; as the driver wants it
    into: Mapping[str, Callable[[Any], Any]]  # name -> to the driver's value
    keys: tuple[str, ...]  # of the columns of a row
    outof: Sequence[tuple[str, Callable[[Any], Any]]]  # columns whose driver's value is not ours


class Prepared:
    """One SELECT, INSERT or UPDATE. ValueError when it is of a kind that cannot be prepared."""

    def __init__(self, statement: Any) -> None:
        self.statement = statement
        self._compiled: dict[tuple[str, tuple[str, ...] | None], _Compiled] = {}

    def rows(self, conn: Connection, values: Mapping[str, Any]) -> list[dict[str, Any]]:
        """What a SELECT finds, each row as column -> value."""
        made = self._for(conn, None)
        cursor = _run(conn, made, _bound(made, values))
        try:
            found = [dict(zip(made.keys, row, strict=True)) for row in cursor.fetchall()]
        finally:
            cursor.close()
        for name, process in made.outof:
            for row in found:
                row[name] = process(row[name])
        return found

    def row(self, conn: Connection, values: Mapping[str, Any]) -> dict[str, Any] | None:
        """The first row that a SELECT finds."""
        found = self.rows(conn, values)
        return found[0] if found else None

    def run(self, conn: Connection, *rows: Mapping[str, Any]) -> int:
        """Execute once for each of `rows`, which have the same keys: how many rows of the database changed (-1: not known)."""
        made = self._for(conn, tuple(rows[0]))
        cursor = _run(conn, made, *(_bound(made, row) for row in rows))
        changed = int(cursor.rowcount)
        cursor.close()
        return changed

    def _for(self, conn: Connection, columns: tuple[str, ...] | None) -> _Compiled:
        key = (conn.dialect.name, columns if self.statement.is_insert else None)
        made = self._compiled.get(key)
        if made is None:
            made = self._compiled[key] = _compiled(self.statement, conn.dialect, key[1])
        return made


def _compiled(statement: Any, dialect: Any, columns: tuple[str, ...] | None) -> _Compiled:
    found = statement.compile(dialect=dialect, column_keys=None if columns is None else list(columns))
    if found.effective_returning or found.update_prefetch or any(bind.expanding for bind in found.bind_names):
        raise ValueError(f"cannot be prepared: {found}")
    written = found._process_parameters_for_postcompile(dict.fromkeys(found.bind_names.values()) | found.construct_params(_check=False))  # literals go into the text
    base = {name: bind.effective_value for bind, name in found.bind_names.items() if not bind.required}
    for column in found.insert_prefetch:
        if not column.default.is_scalar:
            raise ValueError(f"cannot be prepared: the default of {column} is computed")
        base[column.key] = column.default.arg
    outof = []
    keys = []
    for column in found._result_columns if statement.is_select else ():
        keys.append(column.keyname)
        if (process := column.type._cached_result_processor(dialect, None)) is not None:
            outof.append((column.keyname, process))
    names = tuple(written.positiontup if found.positional else dict.fromkeys(name for bind, name in found.bind_names.items() if not bind.literal_execute))
    into = {name: process for name, process in found._bind_processors.items() if not isinstance(process, tuple)}
    base = {name: into[name](value) if name in into else value for name, value in base.items()}
    return _Compiled(written.statement, names, found.positional, {bind.key: name for bind, name in found.bind_names.items()}, base, into, tuple(keys), outof)


def _bound(made: _Compiled, values: Mapping[str, Any]) -> Any:
    said = dict(made.base)
    given, into = made.given, made.into
    for key, value in values.items():
        name = given[key]
        said[name] = into[name](value) if name in into else value
    return [said[name] for name in made.names] if made.by_place else {name: said[name] for name in made.names}


def _run(conn: Connection, made: _Compiled, *bound: Any) -> Any:
    """A cursor after its execution; what the driver raises as SQLAlchemy would. Listeners hear of it as usual."""
    dialect, many = conn.dialect, len(bound) > 1
    cursor: Any = conn.connection.cursor()
    heard = conn._has_events or conn.engine._has_events
    for listener in conn.dispatch.before_cursor_execute if heard else ():
        listener(conn, cursor, made.sql, bound if many else bound[0], None, many)
    try:
        if many:
            cursor.executemany(made.sql, bound)
        else:
            cursor.execute(made.sql, bound[0])
    except dialect.loaded_dbapi.Error as error:
        cursor.close()
        raise DBAPIError.instance(made.sql, bound, error, dialect.loaded_dbapi.Error, dialect=dialect) from error
    for listener in conn.dispatch.after_cursor_execute if heard else ():
        listener(conn, cursor, made.sql, bound if many else bound[0], None, many)
    return cursor
