"""What somebody with rights on the database itself can do: past the guard, and the guard is back afterwards."""

from __future__ import annotations

from contextlib import contextmanager

from sqlalchemy import NullPool, create_engine, event

from engine import guard


@contextmanager
def tampering(store):
    """A transaction in which the record's tables can be changed at will. `store`: an engine.store.Store."""
    sqlite = store.sqlite
    engine = create_engine(store.url, poolclass=NullPool)
    if sqlite:

        @event.listens_for(engine, "connect")
        def _loose(connection, _):
            connection.execute("PRAGMA foreign_keys=OFF")
            connection.execute("PRAGMA ignore_check_constraints=ON")

    with engine.connect() as conn:
        for name in guard.names(conn):
            table = name.partition("_")[0]
            conn.exec_driver_sql(f"DROP TRIGGER IF EXISTS {name}" + ("" if sqlite else f" ON {table}"))
        if not sqlite:
            conn.exec_driver_sql("SET LOCAL session_replication_role = replica")  # no foreign keys
        yield conn
        guard.install(conn)
        conn.commit()
    engine.dispose()
