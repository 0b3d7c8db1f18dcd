"""Somebody with the database's password who has taken the guard off: what replay and verification are there for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, create_engine, text

from engine.guard import APPEND_ONLY
from engine.store import Store


@contextmanager
def breaking_in(store: Store) -> Iterator[Connection]:
    """A connection of his own; what he does is committed at the end. On PostgreSQL others wait until then."""
    his = create_engine(store.url)
    with his.begin() as conn:
        for table in (*APPEND_ONLY, "record"):
            for name in ("no_update", "no_delete", "no_replace") if store.sqlite else ("no_change", "no_truncate"):
                conn.execute(text(f"DROP TRIGGER IF EXISTS {table}_{name}" + ("" if store.sqlite else f" ON {table}")))
        yield conn
    his.dispose()
