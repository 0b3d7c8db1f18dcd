"""What is in the record cannot be changed through the database, as far as the database can help it."""

from __future__ import annotations

import sqlite3

import pytest
from sqlalchemy import create_engine, insert, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from engine import guard, store
from engine.errors import Conflict
from engine.office import Office
from engine.sealing import state
from engine.store import Store


@pytest.fixture
def written(office):
    """A record with two entries, a payload and a drawing."""
    with office.act() as act:
        act.conn.execute(insert(store.drawing).values(digest="d" * 64, key="k", xml=b"<x/>"))
        record = act.new("case", "120116", subject="person:1")
        act.append(record, "opened", {"n": 1}, personal={"person:1": {"name": "王秀英"}})
        act.append(record, "closed", {"n": 2})
    return record.id


CHANGES = [
    "UPDATE entry SET body = body",
    "UPDATE entry SET seq = 9 WHERE seq = 2",
    "DELETE FROM entry WHERE seq = 2",
    "UPDATE payload SET sealed = sealed",
    "DELETE FROM payload",
    "UPDATE drawing SET xml = xml",
    "DELETE FROM drawing",
    "DELETE FROM record",
    "UPDATE record SET seq = 1",
    "UPDATE record SET kind = 'person'",
    "INSERT INTO entry (record_id, seq, body, leaf) SELECT record_id, seq, body, leaf FROM entry WHERE seq = 2",
]


@pytest.mark.parametrize("statement", CHANGES)
def test_no_statement_of_the_application_changes_the_record(written, store, statement):
    with pytest.raises(DBAPIError), store.write() as conn:
        conn.execute(text(statement))
    with store.read() as conn:
        assert conn.execute(text("SELECT seq FROM entry ORDER BY seq")).scalars().all() == [1, 2]


@pytest.mark.parametrize("table", [*guard.APPEND_ONLY, "record"])
def test_truncate_is_refused_on_postgresql(written, store, table):
    if store.sqlite:
        with pytest.raises(DBAPIError), store.write() as conn:
            conn.exec_driver_sql(f"DELETE FROM {table}")
            raise DBAPIError(None, None, Exception("empty tables have nothing to refuse"))
        return
    with pytest.raises(DBAPIError, match="append-only"), store.write() as conn:
        conn.execute(text(f"TRUNCATE {table} CASCADE"))


SQLITE = [
    "INSERT OR REPLACE INTO entry (record_id, seq, body, leaf) VALUES (1, 2, x'00', 'f')",
    "INSERT INTO entry (record_id, seq, body, leaf) VALUES (1, 2, x'00', 'f') ON CONFLICT DO UPDATE SET body = excluded.body",
    "REPLACE INTO record (id, kind, unit, seq, head, rows) VALUES (1, 'case', '1', 0, '0', 0)",
    "DROP TRIGGER entry_no_update",
    "DROP TABLE entry",
    "ALTER TABLE entry RENAME TO other",
    "CREATE TRIGGER x AFTER INSERT ON entry BEGIN SELECT 1; END",
    "CREATE TEMP TRIGGER x AFTER INSERT ON entry BEGIN SELECT 1; END",
    "PRAGMA writable_schema = ON",
    "PRAGMA recursive_triggers = ON",
    "PRAGMA foreign_keys = OFF",
    "ATTACH DATABASE ':memory:' AS other",
]


@pytest.mark.parametrize("db_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("statement", SQLITE)
def test_the_guard_itself_is_not_taken_away_on_sqlite(written, store, statement):
    assert written == 1
    with pytest.raises(DBAPIError), store.engine.connect() as conn:
        conn.exec_driver_sql(statement)
    with store.read() as conn:
        assert guard.missing(conn) == []
        assert conn.execute(text("SELECT leaf FROM entry WHERE seq = 2")).scalar_one() != "f"


@pytest.mark.parametrize("db_url", ["sqlite"], indirect=True)
def test_triggers_hold_against_another_program_as_long_as_they_are_there(written, store):
    other = sqlite3.connect(store.url.database)
    with pytest.raises(sqlite3.IntegrityError, match="append-only: entry"):
        other.execute("DELETE FROM entry")
    with pytest.raises(sqlite3.IntegrityError, match="UNIQUE"):
        other.execute("INSERT OR REPLACE INTO entry (record_id, seq, body, leaf) VALUES (1, 2, x'00', 'f')")
    other.execute("DROP TRIGGER entry_no_delete")  # this is what the tree is for
    other.execute("DELETE FROM entry WHERE seq = 2")
    other.close()


@pytest.mark.parametrize("db_url", [pytest.param("postgresql", marks=pytest.mark.postgres)], indirect=True)
def test_not_even_the_administrator_changes_it_by_accident(written, store):
    for statement in ("UPDATE entry SET body = body", "SET LOCAL session_replication_role = replica; DELETE FROM entry"):
        with pytest.raises(DBAPIError, match="append-only"), store.write() as conn:
            for part in statement.split("; "):
                conn.execute(text(part))


@pytest.fixture
def login(store):
    """A login of the application, and one of the sequencer, as an administrator makes them."""
    with store.write() as conn:
        for name, group in (("yingbao_test_web", guard.APP), ("yingbao_test_seq", guard.SEQUENCER)):
            conn.execute(text(f"DO $$ BEGIN CREATE ROLE {name} LOGIN; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$"))
            conn.execute(text(f"GRANT {group} TO {name}"))

    def opened(name):
        return Store(make_url(store.url).set(username=f"yingbao_test_{name}").render_as_string())

    return opened


@pytest.mark.parametrize("db_url", [pytest.param("postgresql", marks=pytest.mark.postgres)], indirect=True)
def test_the_application_logs_in_with_few_rights(written, login, keys, clock):
    web = login("web")
    with web.read() as conn:
        assert guard.rights(conn) == {"superuser": False, "owner": False}
    office = Office(web, keys, clock)
    with office.act() as act:  # it works with them
        act.append(act.open("case", written), "noted")
        act.new("person", "120116")
    refused = ("UPDATE entry SET body = body", "DELETE FROM payload", "TRUNCATE entry", "ALTER TABLE entry DISABLE TRIGGER ALL", "DROP TABLE entry",
               "SET session_replication_role = replica", "DELETE FROM pending", "INSERT INTO leaf VALUES (0, 1, 1, '')",
               "INSERT INTO checkpoint VALUES (1, '', '', now())", "DELETE FROM record", f"SET ROLE {guard.OWNER}")  # fmt: skip
    for statement in refused:
        with pytest.raises(DBAPIError), web.write() as conn:
            conn.execute(text(statement))
    with web.read() as conn:
        assert state(conn).waiting == 3
    web.close()


@pytest.mark.parametrize("db_url", [pytest.param("postgresql", marks=pytest.mark.postgres)], indirect=True)
def test_the_sequencer_reads_no_personal_part(written, login):
    seq = login("seq")
    for statement in ("SELECT * FROM payload", "SELECT * FROM subject_key", "INSERT INTO entry VALUES (1, 3, '', '')", "DELETE FROM leaf", "UPDATE record SET seq = 9"):
        with pytest.raises(DBAPIError, match="permission denied"), seq.write() as conn:
            conn.execute(text(statement))
    seq.close()


def test_a_missing_trigger_is_named(db_url, store):
    unguarded = create_engine(db_url)
    with unguarded.begin() as conn:
        conn.execute(text("DROP TRIGGER entry_pending" + ("" if store.sqlite else " ON entry")))
        assert guard.missing(conn) == ["entry_pending"]
        guard.install(conn)
        assert guard.missing(conn) == []
    unguarded.dispose()


def test_a_trigger_of_the_right_name_that_does_nothing_is_named_and_made_anew(db_url, store):
    """Only names were looked at, and a guard that a later version changed never came to an old database."""
    unguarded = create_engine(db_url)
    with unguarded.begin() as conn:
        if store.sqlite:
            conn.execute(text("DROP TRIGGER entry_no_delete"))
            conn.execute(text("CREATE TRIGGER entry_no_delete BEFORE DELETE ON entry WHEN 0 BEGIN SELECT 1; END"))
            wrong = ["entry_no_delete"]
        else:
            conn.execute(text("CREATE OR REPLACE FUNCTION yingbao_pending() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RETURN NULL; END$$"))
            conn.execute(text("DROP TRIGGER entry_no_truncate ON entry"))
            conn.execute(text("CREATE TRIGGER entry_no_truncate BEFORE TRUNCATE ON payload FOR EACH STATEMENT EXECUTE FUNCTION yingbao_append_only()"))
            conn.execute(text("ALTER TABLE payload ENABLE ALWAYS TRIGGER entry_no_truncate"))
            wrong = ["entry_no_truncate", "entry_pending"]
        assert guard.missing(conn) == wrong
        if not store.sqlite:
            conn.execute(text("DROP TRIGGER entry_no_truncate ON payload"))
        guard.install(conn)
        assert guard.missing(conn) == []
    unguarded.dispose()


def test_whoever_comes_second_has_lost_a_race(written, office):
    with pytest.raises(Conflict, match="别人刚刚先办了"), office.act() as act:
        act.conn.execute(insert(store.entry).values(record_id=written, seq=2, body=b"", leaf=""))
