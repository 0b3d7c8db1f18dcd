"""Prepared statements do what SQLAlchemy does with the same statement, on both databases."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import bindparam, delete, event, insert, select, update
from sqlalchemy.exc import IntegrityError

from engine import cases, store
from engine.prepared import Prepared
from processes.dibao_2012 import DIBAO_2012

JOB = {"kind": "timer", "record_id": 1, "key": "x.1", "due_at": datetime(2018, 12, 3, 9, tzinfo=UTC), "state": "ready", "data": "{}"}


@pytest.fixture
def office(office):
    with office.store.write() as conn:
        conn.execute(insert(store.record).values(id=1, kind="case", unit="120116", seq=0, head="0" * 64, rows=0))
    return office


def jobs_of(conn):
    return [dict(row) for row in conn.execute(select(store.job).where(store.job.c.kind == "timer").order_by(store.job.c.id)).mappings()]


def test_a_row_goes_in_and_comes_out_as_it_would_by_sqlalchemy(office):
    ours, theirs = Prepared(insert(store.job).inline()), insert(store.job)
    with office.store.write() as conn:
        assert ours.run(conn, JOB) == 1
        conn.execute(theirs, {**JOB, "key": "x.2"})
        one, two = jobs_of(conn)
        assert {**one, "id": 0, "key": ""} == {**two, "id": 0, "key": ""}, "with the default of `attempts`"
        found = Prepared(select(store.job).where(store.job.c.kind == bindparam("the_kind")).order_by(store.job.c.id)).rows(conn, {"the_kind": "timer"})
        assert found == [one, two]
        assert found[0]["due_at"].tzinfo is not None
        assert Prepared(select(store.job.c.id).where(store.job.c.kind == bindparam("the_kind"))).rows(conn, {"the_kind": "none"}) == []


def test_several_rows_at_once_and_how_many_changed(office):
    with office.store.write() as conn:
        Prepared(insert(store.job).inline()).run(conn, JOB, {**JOB, "key": "x.2"}, {**JOB, "key": "x.3"})
        moved = Prepared(update(store.job).where(store.job.c.key == bindparam("the_key")).values(state=bindparam("new_state")))
        assert moved.run(conn, {"the_key": "x.2", "new_state": "done"}) == 1
        assert moved.run(conn, {"the_key": "nobody", "new_state": "done"}) == 0
        assert [row["state"] for row in jobs_of(conn)] == ["ready", "done", "ready"]
        assert Prepared(delete(store.job).where(store.job.c.state == bindparam("the_state"))).run(conn, {"the_state": "ready"}) == 2


def test_what_the_driver_refuses_is_raised_as_by_sqlalchemy(office):
    one = Prepared(insert(store.subject_key))
    with pytest.raises(IntegrityError), office.store.write() as conn:
        one.run(conn, {"subject": "x", "wrapped": b"\x00\xff"})
        one.run(conn, {"subject": "x", "wrapped": b"\x00\xff"})
    with office.read() as conn:
        assert conn.scalar(select(store.subject_key.c.subject).where(store.subject_key.c.subject == "x")) is None


def test_a_missing_or_strange_parameter_is_a_mistake(office):
    one = Prepared(select(store.job.c.id).where(store.job.c.kind == bindparam("the_kind")))
    with office.read() as conn:
        for wrong in ({}, {"the_kind": "timer", "other": 1}):
            with pytest.raises(KeyError):
                one.rows(conn, wrong)


@pytest.mark.parametrize("statement", [
    select(store.job.c.id).where(store.job.c.id.in_(bindparam("ids", expanding=True))),
    insert(store.job).returning(store.job.c.id),
])  # fmt: skip
def test_other_kinds_are_refused(office, statement):
    with office.store.write() as conn, pytest.raises(ValueError, match="cannot be prepared"):
        Prepared(statement).run(conn, JOB) if statement.is_insert else Prepared(statement).rows(conn, {"ids": [1]})


def test_listeners_hear_of_it(office):
    heard: list[str] = []
    with office.store.write() as conn:
        event.listen(conn, "before_cursor_execute", lambda _c, _k, statement, *_: heard.append(statement))
        event.listen(conn, "after_cursor_execute", lambda _c, _k, statement, *_: heard.append(statement))
        Prepared(insert(store.job).inline()).run(conn, JOB)
    assert len([text for text in heard if text.startswith("INSERT INTO job")]) == 2


def test_the_widest_statement_of_a_completion_finds_the_same(district):
    district.to_street_opinion()
    wanted = {"the_case": district.case()["id"], "the_who": "rita", **DIBAO_2012.recusal_facts(district.facts())}
    prepared = cases._tasks_of(DIBAO_2012.recused)
    with district.office.read() as conn:
        assert prepared.rows(conn, wanted) == [dict(row) for row in conn.execute(prepared.statement, wanted).mappings()]
