"""Jobs: one effect however often a worker dies or is late; back-off; incidents."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from engine.jobs import BACKOFF, Jobs, Later, plan
from engine.store import job


@pytest.fixture
def effects():
    return []


def jobs_of(office, clock, handler):
    made = Jobs(office, {"ring": handler}, clock)
    with office.act() as act:
        plan(act.conn, "ring", 1, "a", act.now, {"x": 1})
    return made


def state(office):
    with office.read() as conn:
        return conn.execute(select(job)).mappings().one()


def test_a_job_runs_once(office, clock, effects):
    made = jobs_of(office, clock, lambda one: lambda act: effects.append(one.data))
    assert (made.run_all(), made.run_all()) == (1, 0)
    assert effects == [{"x": 1}]
    assert state(office)["state"] == "done"


def test_a_worker_whose_lease_ran_out_has_no_effect(office, clock, effects):
    made = jobs_of(office, clock, lambda one: lambda act: effects.append(one.token))
    [slow] = made.claim(5)
    clock.advance(minutes=3)
    [fast] = made.claim(5)
    made._do(fast)
    made._do(slow)
    with office.read() as conn:
        assert conn.scalar(select(job.c.token)) == fast.token
    assert state(office)["state"] == "done"


def test_a_job_not_due_waits(office, clock, effects):
    made = jobs_of(office, clock, lambda one: lambda act: effects.append(1))
    clock.advance(days=-1)
    assert made.run_all() == 0


def test_failures_back_off_and_end_as_an_incident(office, clock):
    def handler(one):
        raise Later(BACKOFF[0], "not yet")

    made = jobs_of(office, clock, handler)
    for _ in range(len(BACKOFF) + 1):
        assert made.run_due() == 1
        assert made.run_due() == 0
        clock.advance(days=1)
    assert state(office)["state"] == "incident"
    assert made.run_due() == 0
