"""kill -9 in the middle of an upgrade, an erasure, a backup: the database is as before or as after, and it can be done again."""

from __future__ import annotations

import gzip
import json
import pathlib
import signal
import sqlite3
import time
import zipfile

import pytest
from sqlalchemy import inspect, select, text

from engine.crypto import Keys
from engine.store import Store, metadata
from processes import backup, documents, erasure, schema
from tests.conftest import DATA_KEY, database, every_table, stamped
from tests.engine import killed
from tests.engine.test_kill import Killing
from tests.processes.test_erasure import act, closed, forgotten, holds, restricted  # noqa: F401 - a fixture

DEMO = pathlib.Path(__file__).parent.parent / "histories" / "demo-0014.sqlite.gz"
SEALED = (("household", "hardship_cause"), ("person", "labour_ability"))
MOMENTS = ("UPDATE household SET hardship_cause", "ALTER TABLE person ADD", "CREATE TRIGGER IF NOT EXISTS law_no_update", "COMMIT")


@pytest.fixture
def killing(closed, processes):  # noqa: F811 - the fixture
    return Killing(closed, processes)


def died(processes, target, *arguments):
    child = processes.Process(target=target, args=arguments)
    child.start()
    child.join(60)
    return child.exitcode


def contents(url):
    """All rows of all tables, what is sealed in plain."""
    every_table()
    keys, opened = Keys(DATA_KEY), Store(url)
    with opened.read() as conn:
        found = {}
        for name, table in metadata.tables.items():
            rows = [dict(row) for row in conn.execute(select(table)).mappings()]
            for row in rows:
                row |= {c: keys.reveal(name, c, row["id"], row[c]) for of, c in SEALED if of == name}
            found[name] = sorted(map(str, rows))
    opened.close()
    return found


def test_an_upgrade_that_was_killed_changed_nothing_and_is_done_again(processes, tmp_path):
    old, file = gzip.decompress(DEMO.read_bytes()), tmp_path / "old.sqlite"
    file.write_bytes(old)
    before, url = dumped(file), f"sqlite:///{file}"
    reference = tmp_path / "whole.sqlite"
    reference.write_bytes(old)
    schema.upgrade(f"sqlite:///{reference}", Keys(DATA_KEY))
    for moment in MOMENTS:
        assert died(processes, killed.die_upgrading, url, moment) == -signal.SIGKILL, moment
        assert dumped(file) == before, moment
    schema.upgrade(url, Keys(DATA_KEY))
    assert contents(url) == contents(f"sqlite:///{reference}"), "test_upgrade_demo proves that one"


def dumped(file):
    with sqlite3.connect(file) as conn:
        found = list(conn.iterdump())
    conn.close()
    return found


@pytest.mark.postgres
def test_an_upgrade_of_a_server_that_was_killed_changed_nothing(processes, tmp_path, request):
    with database("postgresql", tmp_path, request) as url:
        opened = _at_0014(url)
        for moment in ("UPDATE household SET hardship_cause", "UPDATE person SET labour_ability", "UPDATE alembic_version SET version_num='0016'", "none: the commit"):
            assert died(processes, killed.die_upgrading, url, moment) == -signal.SIGKILL, moment
            _gone(opened)
            with opened.read() as conn:
                assert conn.scalar(text("SELECT version_num FROM alembic_version")) == "0014", moment
                assert conn.execute(text("SELECT hardship_cause FROM household")).scalars().all() == ["因病"]
                assert conn.execute(text("SELECT labour_ability FROM person ORDER BY id")).scalars().all() == ["full", "completely_lost"]
        schema.upgrade(url, Keys(DATA_KEY))
        keys = Keys(DATA_KEY)
        with opened.read() as conn:
            assert {c["name"]: str(c["type"]) for c in inspect(conn).get_columns("person")}["labour_ability"] == "BYTEA"
            rows = conn.execute(text("SELECT id, labour_ability FROM person ORDER BY id")).all()
            assert [keys.reveal("person", "labour_ability", *row) for row in rows] == ["full", "completely_lost"]
        opened.close()


def _at_0014(url):
    """A server's database of that version, with a household of two."""
    from alembic import command

    opened, config = Store(url, guarded=False), schema._config(url)
    with opened.write() as conn:
        config.attributes["connection"] = conn
        command.upgrade(config, "0014")
        for n, ability in ((1, "full"), (2, "completely_lost")):
            conn.execute(text("INSERT INTO person (id, name, labour_ability, placeholder) VALUES (:n, '某', :ability, false)"), {"n": n, "ability": ability})
        conn.execute(text("INSERT INTO household (id, no, street, community, applicant_id, hukou_kind, hardship_cause, near_relative_declared) "
                          "VALUES (9, 'H-1', '120116001', '120116001016', 1, 'urban', '因病', false)"))  # fmt: skip
    return opened


def _gone(opened):
    query = text("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'killed'")
    for _ in range(3000):
        with opened.read() as conn:
            if not conn.scalar(query):
                return
        time.sleep(0.01)
    pytest.fail("PostgreSQL still serves a dead process")


def test_an_erasure_that_was_killed_lost_nothing_and_one_that_was_done_is_finished_by_the_sweep(killing):
    d = killing.d
    files = d.bureau.settings.files
    d.clock.set("2029-01-02T09:00")
    forgotten(d, d.two[0])
    row = restricted(d, d.two[1])
    act(d, "sue", lambda a: erasure.propose(a, row))
    before, kept = killing.everything(), sorted(files.iterdir())
    undone = next(n for n in range(50) if _erasing(killing, row, 9 * n, before, kept))
    assert undone >= 3, "there were several moments"
    assert sorted(files.iterdir()) == kept
    with d.office.read() as conn:
        assert documents.sweep(conn, files) == 1, "what the killed one had no time for"
        assert erasure.erased(conn) >= {f"household:{d.home}"}
    holds(d)


def _erasing(killing, row, place, before, kept):
    """Whether it was done, although it was killed at this statement."""
    code = killing.gone(killing.child(killed.die_erasing, row, place))
    assert code == -signal.SIGKILL
    now = killing.everything()
    if now == before:
        d, files = killing.d, killing.d.bureau.settings.files
        assert sorted(files.iterdir()) == kept
        with d.office.read() as conn:
            assert documents.fetch(conn, d.office.keys.on(conn), files, d.scan)[0].startswith(b"%PDF")
    return now != before


def test_a_backup_that_was_killed_leaves_no_half_file_under_its_name(district, processes, tmp_path):
    district.household(210_000)
    stamped(district.bureau.settings)
    killing = Killing(district, processes)
    before = killing.everything()
    saved, whole = tmp_path / "saved", []
    saved.mkdir()
    for place in range(0, 60, 1 if district.office.store.sqlite else 5):
        code = killing.gone(killing.child(killed.die_saving, str(saved), place))
        whole.append((saved / "b.zip").exists())
        if whole[-1]:
            with zipfile.ZipFile(saved / "b.zip") as archive:
                backup._checked(archive)
        if (saved / "keys.json").exists():
            assert f"household:{_home(district)}" in json.loads((saved / "keys.json").read_text())["keys"]
        assert whole[-1] <= (saved / "keys.json").exists(), "never a backup without the keys that open it"
        if code == 0:
            break
        assert code == -signal.SIGKILL
    assert code == 0
    assert whole[0] is False
    assert {f.name for f in saved.iterdir()} == {"b.zip", "keys.json"}, "what the killed ones left is gone"
    assert killing.everything() == before


def _home(district):
    from processes.tables import household

    with district.office.read() as conn:
        return conn.scalar(select(household.c.id))
