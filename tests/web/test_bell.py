"""The bell: huey rings, the job table says what there is to do; a hiccup silences nothing. On both databases."""

from __future__ import annotations

import threading

from engine import jobs
from web.bell import consumer

PATIENCE = 60  # seconds until we believe that nobody comes; no verdict hangs on being quicker


def working(bureau, event):
    ringing = consumer(bureau)
    ringing.start()
    try:
        assert event.wait(PATIENCE)
    finally:
        ringing.stop(graceful=True)


def plan(bureau, kind, key="1"):
    with bureau.office.act() as act:
        jobs.plan(act.conn, kind, act.new("unit", "120116").id, key, bureau.office.clock(), {})


def test_a_due_job_is_done_by_the_consumer(bureau):
    done = threading.Event()
    bureau.jobs.handlers = {"errand": lambda _job: lambda _act: done.set()}
    plan(bureau, "errand")
    working(bureau, done)


def test_a_hiccup_of_the_database_silences_nothing(bureau, monkeypatch):
    done, calls, real = threading.Event(), [], bureau.jobs.claim

    def claim(limit):
        calls.append(1)
        if len(calls) == 1:
            raise OSError("the disk was away for a moment")
        return real(limit)

    monkeypatch.setattr(bureau.jobs, "claim", claim)
    bureau.jobs.handlers = {"errand": lambda _job: lambda _act: done.set()}
    plan(bureau, "errand")
    working(bureau, done)
    assert len(calls) > 1
