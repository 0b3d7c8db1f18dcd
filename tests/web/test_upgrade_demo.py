"""A demo database of an earlier version is upgraded; its rows still follow from its records, its cases replay, and work goes on in it."""

from __future__ import annotations

import base64
import gzip
import json
import pathlib
import sqlite3

import pytest
from alembic.script import ScriptDirectory
from click.testing import CliRunner
from sqlalchemy import func, select

from engine import store
from engine.crypto import Keys
from engine.errors import EngineError
from engine.model import Put
from engine.office import history, seals_hold
from processes import bureau as bureaus
from processes import organisation, schema
from processes.rebuild import differences
from processes.tables import benefit, household
from tests.conftest import DATA_KEY
from web.cli import cli
from web.settings import Settings

FILES = sorted((pathlib.Path(__file__).parent.parent / "histories").glob("demo-*.sqlite.gz"))


_UPGRADED: dict[str, bytes] = {}


@pytest.fixture(params=FILES, ids=[f.name for f in FILES])
def old(request, tmp_path):
    """Settings for a copy of an old demo database, as it was left: not upgraded."""
    file = tmp_path / "old.sqlite"
    file.write_bytes(gzip.decompress(request.param.read_bytes()))
    return Settings(database=f"sqlite:///{file}", secret_key="s" * 32, data_key=DATA_KEY, files=tmp_path / "files", registry="http://127.0.0.1:9")


@pytest.fixture
def upgraded(old, clock, request):
    """The same database brought up to today's schema: upgraded once, and a copy for each test."""
    name, file = request.node.callspec.params["old"].name, pathlib.Path(old.database.removeprefix("sqlite:///"))
    if name not in _UPGRADED:
        schema.upgrade(old.database, Keys(old.data_key))
        with sqlite3.connect(file) as conn:
            conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        conn.close()
        _UPGRADED[name] = file.read_bytes()
    file.write_bytes(_UPGRADED[name])
    clock.set("2018-12-21T09:00")
    made = bureaus.build(old, clock)
    made.jobs.real_clock = clock
    yield made
    made.office.store.close()


def yingbao(settings, *arguments):
    """What the command prints; its exit code must be 0."""
    environment = {"YINGBAO_DATABASE": settings.database, "YINGBAO_DATA_KEY": settings.data_key, "YINGBAO_HOME": str(settings.files.parent)}
    told = CliRunner().invoke(cli, arguments, env=environment)
    assert told.exit_code == 0, told.output
    return told.output


def numbers(made):
    with made.office.read() as conn:
        return conn.scalars(select(store.record.c.no).where(store.record.c.kind == "case").order_by(store.record.c.id)).all()


def test_there_is_a_demo_of_the_first_schema():
    assert FILES[0].name == "demo-0001.sqlite.gz"
    known = {s.revision for s in ScriptDirectory(str(pathlib.Path(schema.__file__).parent / "migrations")).walk_revisions()}
    assert {f.name.removeprefix("demo-").removesuffix(".sqlite.gz") for f in FILES} <= known


def test_the_commands_find_nothing_wrong_after_the_upgrade(old):
    yingbao(old, "upgrade")
    yingbao(old, "upgrade")  # the departments are listed once
    made = bureaus.build(old)
    with made.office.read() as conn:
        assert len(organisation.units(conn, level="department")) == 16
    made.office.store.close()
    assert yingbao(old, "rebuild", "--check").strip() == "0 differences"
    told = json.loads(yingbao(old, "verify", "--json"))
    assert told["wrong"] == []
    assert told["cases"] >= 15


def test_every_case_replays_and_its_row_and_tasks_are_what_the_replay_says(upgraded):
    outcomes, nodes = set(), set()
    assert numbers(upgraded)
    with upgraded.office.read() as conn:
        keys = upgraded.office.keys.on(conn)
        for row in conn.execute(select(store.record).where(store.record.c.kind == "case")).mappings():
            entries = history(conn, keys, row["id"])
            assert seals_hold(entries) is None
            assert entries[-1].leaf == row["head"]
            run = list(upgraded.cases.replaying(conn, entries))[-1][1]
            where = (store.task.c.case_id == row["id"]) & (store.task.c.state == "open")
            assert set(conn.scalars(select(store.task.c.key).where(where))) == run.open_tasks().keys()
            assert row["outcome"] == (run.end_event if run.ended else None)
            outcomes.add(row["outcome"])
            nodes |= set(run.open_tasks().values())
    assert len(nodes) >= 5, "the demo has work open at many steps"
    assert None in outcomes
    assert differences(upgraded.office) == []


def test_what_stood_in_clear_is_sealed_and_still_says_the_same(old):
    """Causes of hardship (0015) and labour ability (0016) tell of health. Also not between the pages of the file."""
    columns = (("household", "hardship_cause"), ("person", "labour_ability"))
    file = pathlib.Path(old.database.removeprefix("sqlite:///"))
    with sqlite3.connect(file) as conn:
        before = {pair: dict(conn.execute(f"SELECT id, {pair[1]} FROM {pair[0]} WHERE {pair[1]} IS NOT NULL")) for pair in columns}
    conn.close()
    clear = {pair: {n: value for n, value in found.items() if isinstance(value, str)} for pair, found in before.items()}
    assert "completely_lost" in clear["person", "labour_ability"].values()
    assert b"completely_lost" in file.read_bytes()
    with pytest.raises(EngineError, match="yingbao upgrade"):
        schema.upgrade(old.database)
    with pytest.raises(EngineError, match="YINGBAO_DATA_KEY"):
        schema.upgrade(old.database, Keys(base64.b64encode(b"x" * 32).decode()))
    made = Keys(old.data_key)
    schema.upgrade(old.database, made)
    with sqlite3.connect(file) as conn:
        for (table, column), values in clear.items():
            sealed = dict(conn.execute(f"SELECT id, {column} FROM {table} WHERE {column} IS NOT NULL"))
            assert sealed.keys() == before[table, column].keys()
            assert {n: made.reveal(table, column, n, sealed[n]) for n in values} == values
        conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    conn.close()
    assert b"completely_lost" not in file.read_bytes()


def test_the_records_of_people_and_households_hold_too(upgraded):
    with upgraded.office.read() as conn:
        keys = upgraded.office.keys.on(conn)
        kinds = set()
        for row in conn.execute(select(store.record)).mappings():
            entries = history(conn, keys, row["id"])
            assert seals_hold(entries) is None
            assert (row["head"], row["seq"]) == (entries[-1].leaf, len(entries))
            kinds.add(row["kind"])
    assert kinds >= {"case", "household", "person", "staff", "unit"}


def test_work_goes_on_in_the_upgraded_database(upgraded):
    upgraded.jobs.run_all()
    with upgraded.office.read() as conn:
        query = select(store.task).where(store.task.c.state == "open", store.task.c.node == "neighbor_enquiry").order_by(store.task.c.id)
        task = conn.execute(query).mappings().first()
        entries = conn.scalar(select(func.count()).select_from(store.entry).where(store.entry.c.record_id == task["case_id"]))
        colleagues = [c["login"] for c in organisation.colleagues(conn) if c["role"] == "investigator" and task["unit"].startswith(c["unit"])]
        actor = organisation.find_actor(conn, task["assignee"] or colleagues[0])
    answers = {"enquired_on": upgraded.office.today().isoformat(), "persons": "邻居两户", "statement": "生活困难"}
    with upgraded.office.act(actor) as act:
        told = upgraded.cases.complete(act, task["id"], answers)
    assert told["seq"] == entries + 1
    with upgraded.office.read() as conn:
        record = history(conn, upgraded.office.keys.on(conn), task["case_id"])
        assert len(list(upgraded.cases.replaying(conn, record))) == entries + 1
    assert differences(upgraded.office) == []


def test_benefits_from_before_get_their_dates_and_a_second_upgrade_does_nothing(old, upgraded):
    """They were granted when reviews had no dates; the demo of then ends before its first grant, so two are written as it wrote them."""
    with upgraded.office.act() as act:
        written = []
        homes = act.conn.execute(select(household.c.id, household.c.street).order_by(household.c.id).limit(2)).all()
        for home in homes:
            record = act.new("benefit", home.street, subject=f"household:{home.id}")
            values = {"household_id": home.id, "category": "dibao", "amount_fen": 66_000, "status": "pending_first_payment", "first_payment_month": "2019-01", "members": 3,
                      "granted_on": "2018-12-20", "law_version": "TJ-STD-2018"}  # fmt: skip
            written.append(record.next_id())
            act.append(record, "benefit_granted", puts=[Put("benefit", written[-1], values)])
    assert "2 benefits" in yingbao(old, "upgrade")
    with upgraded.office.read() as conn:
        found = conn.execute(select(benefit).where(benefit.c.id.in_(written))).mappings().all()
        entries = conn.scalar(select(func.count()).select_from(store.entry))
        jobs = conn.execute(select(store.job.c.kind, func.count()).where(store.job.c.record_id.in_([b["id"] >> 16 for b in found])).group_by(store.job.c.kind)).all()
    assert all(b["next_review_on"] and b["next_report_on"] and b["review_class"] and b["last_review_on"] == "2018-12-20" for b in found)
    assert {row[0]: row[1] for row in jobs} == {"review_due": 2, "report_due": 2, "benefit_month": 2}
    assert "benefits" not in yingbao(old, "upgrade")
    with upgraded.office.read() as conn:
        assert conn.scalar(select(func.count()).select_from(store.entry)) == entries
    assert yingbao(old, "rebuild", "--check").strip() == "0 differences"
