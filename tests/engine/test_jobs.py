"""Jobs: one effect however often a worker dies or is late; back-off; incidents."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from engine.errors import Conflict
from engine.jobs import BACKOFF, LEASE, TRIES, Jobs, Later, plan
from engine.office import history
from engine.store import job


@pytest.fixture
def effects():
    return []


def jobs_of(office, clock, handler, record_id=1, **kind):
    made = Jobs(office, {"ring": handler}, clock, **kind)
    with office.act() as act:
        plan(act.conn, "ring", record_id, "a", act.now, {"x": 1})
    return made


def state(office):
    with office.read() as conn:
        return conn.execute(select(job)).mappings().one()


def test_a_job_runs_once(office, clock, effects):
    made = jobs_of(office, clock, lambda one: lambda act: effects.append(one.data))
    assert (made.run_all(), made.run_all()) == (1, 0)
    assert effects == [{"x": 1}]
    assert state(office)["state"] == "done"


def test_a_worker_whose_lease_ran_out_has_no_effect(office, clock, caplog):
    """Its effect is rolled back with the mark, and it is no failure of the job."""

    def write(one):
        return lambda act: plan(act.conn, "echo", 1, one.token, act.now, {})

    made = jobs_of(office, clock, write)
    [slow] = made.claim(5)
    clock.advance(minutes=3)
    [fast] = made.claim(5)
    made._do(fast)
    made._do(slow)
    with office.read() as conn:
        rows = conn.execute(select(job).order_by(job.c.id)).mappings().all()
    assert [(r["kind"], r["key"], r["state"]) for r in rows] == [("ring", "a", "done"), ("echo", fast.token, "ready")]
    assert rows[0]["attempts"] == 0
    assert not [r for r in caplog.records if r.levelname == "ERROR"]


def test_a_job_whose_lease_ran_out_before_its_turn_is_left_to_the_next_worker(office, clock, effects):
    """The first of a batch took longer than the lease of all."""

    def slow(one):
        effects.append(one.key)
        clock.now += LEASE
        return lambda act: None

    made = jobs_of(office, clock, slow)
    with office.act() as act:
        plan(act.conn, "ring", 2, "b", act.now, {})
    assert made.run_due() == 2
    assert effects == ["a"]
    made.run_all()
    assert effects == ["a", "b"]
    with office.read() as conn:
        assert set(conn.scalars(select(job.c.state))) == {"done"}


def test_jobs_are_claimed_once_in_the_order_of_their_days_and_those_left_behind_first(office, clock):
    made = Jobs(office, {"ring": lambda one: lambda act: None}, clock)
    with office.act() as act:
        for n in range(6):
            plan(act.conn, "ring", 1, str(n), act.now - timedelta(hours=n % 3), {})
        plan(act.conn, "other", 1, "x", act.now, {})
    first = made.claim(2)
    assert [one.key for one in first] == ["2", "5"]
    assert [one.key for one in made.claim(10)] == ["1", "4", "0", "3"]
    assert made.claim(10) == []
    clock.now += LEASE + timedelta(seconds=1)
    assert [one.key for one in made.claim(3)] == ["2", "5", "1"]


def test_a_job_not_due_waits(office, clock, effects):
    made = jobs_of(office, clock, lambda one: lambda act: effects.append(1))
    clock.advance(days=-1)
    assert made.run_all() == 0


def test_failures_back_off_and_the_fifth_is_an_incident(office, clock):
    seen = []

    def handler(one):
        seen.append((one.attempts, clock.now))
        raise Later(None, "not yet")

    made = jobs_of(office, clock, handler)
    for pause in (*BACKOFF, 86_400):
        failed = clock.now
        made.run_all()
        for early in (*(pause * tenth // 10 for tenth in range(1, 10)), pause - 1):
            clock.now = failed + timedelta(seconds=early)
            made.run_all()
        clock.now = failed + timedelta(seconds=pause)
    made.run_all()
    assert [n for n, _ in seen] == [1, 2, 3, 4, 5]
    assert [(b - a).total_seconds() for (_, a), (_, b) in zip(seen, seen[1:], strict=False)] == list(BACKOFF)
    assert len(BACKOFF) == TRIES - 1
    assert state(office)["state"] == "incident"
    clock.advance(days=400)
    assert made.run_due() == 0


def test_an_incident_stands_on_the_record_of_its_job_once(office, clock):
    def handler(one):
        raise Later(1, "not yet") from ValueError("x")

    with office.act() as act:
        at = act.new("register", "120116").id
    made = jobs_of(office, clock, handler, at)
    for _ in range(9):
        made.run_all()
        clock.advance(minutes=1)
    with office.read() as conn:
        entries = history(conn, office.keys.on(conn), at)
    assert [(e.event, e.actor, dict(e.data)) for e in entries] == [
        ("incident_opened", "system", {"job": "ring", "key": "a", "tries": 5, "trouble": "ValueError"})]  # fmt: skip


def test_what_a_foreign_error_says_is_not_kept_for_it_may_tell_of_people(office, clock, caplog):
    def handler(one):
        raise RuntimeError("张三 120101197503010011")

    made = jobs_of(office, clock, handler)
    made.run_all()
    assert state(office)["error"] == "RuntimeError"

    def refused(one):
        raise Conflict("别人先办了")

    made.handlers = {"ring": refused}
    clock.advance(hours=1)
    made.run_all()
    assert state(office)["error"] == "Conflict: 别人先办了"


def test_a_dead_worker_is_no_failure(office, clock):
    made = jobs_of(office, clock, lambda one: lambda act: None)
    for _ in range(TRIES + 3):
        [one] = made.claim(1)
        assert one.attempts == 1
        clock.now += LEASE + timedelta(seconds=1)
    assert made.run_all() == 1
    assert (state(office)["state"], state(office)["attempts"]) == ("done", 0)


def test_daily_jobs_are_planned_once_a_business_day_by_however_many_workers(office, clock):
    at: list[int] = []
    done = []
    kinds = {"handlers": {"day": lambda one: lambda act: done.append(one.key)}, "daily": {"day": lambda conn: at[0] if at else None}}
    workers = [Jobs(office, kinds["handlers"], clock, daily=kinds["daily"]) for _ in range(2)]
    assert [w.run_all() for w in workers] == [0, 0]
    at.append(7)  # now there is a record to keep them with
    for _ in range(3):
        for worker in workers:
            worker.run_all()
        clock.advance(days=1)
    clock.advance(days=-3)  # a training clock set back does not do a day twice
    workers[0].run_all()
    assert done == ["2018-12-03", "2018-12-04", "2018-12-05"]
