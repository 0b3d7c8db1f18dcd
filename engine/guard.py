"""The record is append-only, and the database itself says so: triggers, and who may do what.

SQLite: triggers against UPDATE and DELETE, a guard against INSERT OR REPLACE (which fires no DELETE trigger), and an
authorizer on every connection of ours, which refuses to drop them. PostgreSQL: an owner without login, INSERT and SELECT
for the application, triggers that are always on, TRUNCATE too. Measured in reliability 2.3; what gets past all of
this (another program with rights on the file, a superuser) is what the tree and its witnesses are for.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, text

# Tables to which rows are only ever added, with the columns that make a row the same row.
APPEND_ONLY: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "drawing": (("digest",),),
    "decision_table": (("digest",),),
    "law": (("digest",),),
    "entry": (("record_id", "seq"),),
    "payload": (("record_id", "seq", "subject"),),
    "leaf": (("leaf_index",), ("record_id", "seq")),
    "node": (("id",),),
    "checkpoint": (("tree_size",),),
    "cosignature": (("tree_size", "witness"),),
}
SEALED_BY_SEQUENCER = ("leaf", "node", "checkpoint", "cosignature")
OWNER, APP, SEQUENCER = "yingbao_owner", "yingbao_app", "yingbao_sequencer"

_DENIED = {
    sqlite3.SQLITE_DROP_TABLE, sqlite3.SQLITE_DROP_TRIGGER, sqlite3.SQLITE_DROP_INDEX, sqlite3.SQLITE_ALTER_TABLE,
    sqlite3.SQLITE_CREATE_TRIGGER, sqlite3.SQLITE_CREATE_TEMP_TRIGGER, sqlite3.SQLITE_ATTACH,
}  # fmt: skip
_PRAGMAS = {"writable_schema", "recursive_triggers", "ignore_check_constraints", "foreign_keys"}


def authorize(connection: sqlite3.Connection) -> None:
    """From now on this connection cannot take the guard away. Set the connection's pragmas before."""

    def allowed(action: int, first: str | None, second: str | None, _database: str | None, _trigger: str | None) -> int:
        refused = (
            action in _DENIED
            or (action in (sqlite3.SQLITE_UPDATE, sqlite3.SQLITE_DELETE) and first in APPEND_ONLY)
            or (action == sqlite3.SQLITE_DELETE and first == "record")
            or (action == sqlite3.SQLITE_PRAGMA and first in _PRAGMAS and second is not None)
        )
        return sqlite3.SQLITE_DENY if refused else sqlite3.SQLITE_OK

    connection.set_authorizer(allowed)


def install(conn: Connection) -> None:
    """Put the guard on. What is there already stays, unless it is another than this program's: that is made anew. On PostgreSQL
    the roles are made where the login may make roles."""
    if conn.dialect.name == "sqlite":
        made = _sqlite()
        for name in missing(conn):
            conn.exec_driver_sql(f"DROP TRIGGER IF EXISTS {name}")
            conn.exec_driver_sql(made[name])
    else:
        _postgresql(conn)


def names(conn: Connection) -> frozenset[str]:
    """Of the triggers that belong there: table, underscore, what it does."""
    kinds = ("no_update", "no_delete", "no_replace") if conn.dialect.name == "sqlite" else ("no_change", "no_truncate")
    return frozenset(f"{table}_{kind}" for table in (*APPEND_ONLY, "record") for kind in kinds) | {"entry_pending"}


def missing(conn: Connection) -> list[str]:
    """Names of triggers that should be there and are not, are switched off, or do something else than ours."""
    return sorted(names(conn) - _standing(conn))


def _standing(conn: Connection) -> set[str]:
    """Names of the triggers that are there, switched on, and do what ours do."""
    if conn.dialect.name == "sqlite":
        told: dict[str, str] = dict(conn.exec_driver_sql("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").all())
        return {name for name, statement in _sqlite().items() if _plain(told.get(name, "")) == _plain(statement)}
    functions: dict[str, str] = dict(conn.execute(text("SELECT proname, prosrc FROM pg_proc WHERE proname LIKE 'yingbao\\_%' AND pronamespace = 'public'::regnamespace")).all())
    sound = {name for name, made in (("yingbao_append_only", _REFUSE), ("yingbao_pending", _PENDING)) if functions.get(name) == made.split("$$")[1]}
    defined: dict[str, str] = dict(conn.execute(text("SELECT tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE tgenabled = 'A' AND NOT tgisinternal")).all())
    return {name for name, (table, when, function) in _pg().items()
            if function in sound and _order(defined.get(name, "")) == _order(f"CREATE TRIGGER {name} {when} ON public.{table} FOR EACH {_each(name)} EXECUTE FUNCTION {function}()")}  # fmt: skip


def _plain(statement: str) -> str:
    """SQLite keeps a statement as it was written, but for IF NOT EXISTS."""
    return " ".join(statement.replace("CREATE TRIGGER IF NOT EXISTS", "CREATE TRIGGER").split())


def _order(definition: str) -> str:
    """PostgreSQL names the events of a trigger in an order of its own, and leaves out the schema that is looked in first."""
    return definition.replace(" public.", " ").replace("DELETE OR UPDATE", "UPDATE OR DELETE")


_GUARD = """CREATE TRIGGER IF NOT EXISTS {table}_no_replace BEFORE INSERT ON {table} WHEN EXISTS (SELECT 1 FROM {table} WHERE {same})
BEGIN SELECT RAISE(ABORT, 'UNIQUE constraint failed: {table}'); END"""


def _sqlite() -> dict[str, str]:
    """name -> statement"""
    made = []
    for table, keys in APPEND_ONLY.items():
        same = " OR ".join("(" + " AND ".join(f"{column} = NEW.{column}" for column in key) + ")" for key in keys)
        made += [
            f"CREATE TRIGGER IF NOT EXISTS {table}_no_update BEFORE UPDATE ON {table} BEGIN SELECT RAISE(ABORT, 'append-only: {table}'); END",
            f"CREATE TRIGGER IF NOT EXISTS {table}_no_delete BEFORE DELETE ON {table} BEGIN SELECT RAISE(ABORT, 'append-only: {table}'); END",
            # The words are SQLite's own for a taken key, which is what it is: whoever comes second has lost a race.
            _GUARD.format(table=table, same=same),
        ]
    made += [
        "CREATE TRIGGER IF NOT EXISTS record_no_update BEFORE UPDATE ON record "
        "WHEN NEW.id IS NOT OLD.id OR NEW.kind IS NOT OLD.kind OR NEW.seq < OLD.seq BEGIN SELECT RAISE(ABORT, 'append-only: record'); END",
        "CREATE TRIGGER IF NOT EXISTS record_no_delete BEFORE DELETE ON record BEGIN SELECT RAISE(ABORT, 'append-only: record'); END",
        "CREATE TRIGGER IF NOT EXISTS record_no_replace BEFORE INSERT ON record WHEN EXISTS (SELECT 1 FROM record WHERE id = NEW.id) "
        "BEGIN SELECT RAISE(ABORT, 'UNIQUE constraint failed: record'); END",
        "CREATE TRIGGER IF NOT EXISTS entry_pending AFTER INSERT ON entry BEGIN "
        "INSERT INTO pending (record_id, seq, since) VALUES (NEW.record_id, NEW.seq, CAST(strftime('%s', 'now') AS INTEGER)); END",
    ]
    return {statement.split()[5]: statement for statement in made}


_REFUSE = """
CREATE OR REPLACE FUNCTION yingbao_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_TABLE_NAME = 'record' AND TG_OP = 'UPDATE' AND TG_LEVEL = 'ROW' THEN
    IF NEW.id = OLD.id AND NEW.kind = OLD.kind AND NEW.seq >= OLD.seq THEN RETURN NEW; END IF;
  END IF;
  RAISE EXCEPTION 'append-only: %', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END $$"""
# The writer of an entry needs no right on `pending`: the function has its owner's.
_PENDING = """
CREATE OR REPLACE FUNCTION yingbao_pending() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
BEGIN
  INSERT INTO public.pending (record_id, seq, since) VALUES (NEW.record_id, NEW.seq, extract(epoch FROM clock_timestamp())::bigint);
  RETURN NULL;
END $$"""


def _postgresql(conn: Connection) -> None:
    if missing(conn):
        _triggers(conn)
    if conn.scalar(text("SELECT rolcreaterole OR rolsuper FROM pg_roles WHERE rolname = current_user")):
        _roles(conn)  # each time: a migration may have brought new tables


def _triggers(conn: Connection) -> None:
    conn.execute(text(_REFUSE))
    conn.execute(text(_PENDING))
    made = _pg()
    for name in missing(conn):
        table, when, function = made[name]
        conn.execute(text(f"DROP TRIGGER IF EXISTS {name} ON {table}"))
        conn.execute(text(f"CREATE TRIGGER {name} {when} ON {table} FOR EACH {_each(name)} EXECUTE FUNCTION {function}()"))
        conn.execute(text(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {name}"))


def _pg() -> dict[str, tuple[str, str, str]]:
    """name -> table, when, function"""
    made = {}
    for table in (*APPEND_ONLY, "record"):
        made[f"{table}_no_change"] = (table, "BEFORE UPDATE OR DELETE", "yingbao_append_only")
        made[f"{table}_no_truncate"] = (table, "BEFORE TRUNCATE", "yingbao_append_only")
    return made | {"entry_pending": ("entry", "AFTER INSERT", "yingbao_pending")}


def _each(name: str) -> str:
    return "STATEMENT" if name.endswith("_no_truncate") else "ROW"


def _roles(conn: Connection) -> None:
    """The owner, who cannot log in, and what members of the two groups may. GRANT one of the groups to a login."""
    for role in (OWNER, APP, SEQUENCER):  # roles belong to the whole server: another database may be making them now
        conn.execute(text(f"DO $$ BEGIN CREATE ROLE {role} NOLOGIN; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$"))
    tables = list(conn.execute(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")).scalars())
    for table in tables:
        rights = "SELECT, INSERT"
        if table == "record":
            rights += ", UPDATE"
        elif table in SEALED_BY_SEQUENCER or table in ("pending", "alembic_version"):
            rights = "SELECT"
        elif table not in APPEND_ONLY:
            rights += ", UPDATE, DELETE"
        conn.execute(text(f'GRANT {rights} ON "{table}" TO {APP}'))
    conn.execute(text(f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {APP}"))
    read = [table for table in tables if table in (*SEALED_BY_SEQUENCER, "entry", "pending", "alembic_version")]
    conn.execute(text(f"GRANT SELECT ON {', '.join(read)} TO {SEQUENCER}"))
    conn.execute(text(f"GRANT INSERT ON {', '.join(SEALED_BY_SEQUENCER)} TO {SEQUENCER}"))
    conn.execute(text(f"GRANT DELETE ON pending TO {SEQUENCER}"))
    for table in tables:
        conn.execute(text(f'ALTER TABLE "{table}" OWNER TO {OWNER}'))
    for function in ("yingbao_append_only", "yingbao_pending"):
        conn.execute(text(f"ALTER FUNCTION {function}() OWNER TO {OWNER}"))


def rights(conn: Connection) -> Mapping[str, Any]:
    """PostgreSQL: what the login of this connection could do to the record; all False is how it should be."""
    query = "SELECT rolsuper, pg_has_role(current_user, :owner, 'member') FROM pg_roles WHERE rolname = current_user"
    if conn.dialect.name == "sqlite":
        return {}
    known = conn.scalar(text("SELECT count(*) FROM pg_roles WHERE rolname = :owner"), {"owner": OWNER})
    if not known:
        return {"superuser": bool(conn.scalar(text("SELECT rolsuper FROM pg_roles WHERE rolname = current_user"))), "owner": True}
    superuser, owner = conn.execute(text(query), {"owner": OWNER}).one()
    return {"superuser": bool(superuser), "owner": bool(owner)}
