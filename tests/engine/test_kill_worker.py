"""kill -9 of a worker at each of claim, work, effect and the mark that it is done: every job is done once, none is lost."""

from __future__ import annotations

import os
import random
import signal
import sys
from collections import Counter

import pytest
from sqlalchemy import func, select, text

from engine import jobs, store
from engine.office import history, seals_hold
from tests.engine import killed_worker
from tests.engine.killed_worker import LIMIT, PLACES, ring

KILLS = int(os.environ.get("YINGBAO_TEST_KILLS", "5"))  # 25 in `make load`
SEED = 20181203


def planted(office, n: int) -> list[int]:
    """n records, each with a due job."""
    with office.act() as act:
        ids = [act.new("register", "120116").id for _ in range(n)]
        for i in ids:
            jobs.plan(act.conn, "ring", i, "due", act.now, {})
    return ids


def gone(office, child) -> int:
    """Wait until the child is dead and its server process, where there is one, has seen it."""
    child.join(60)
    if not office.store.sqlite:
        query = text("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'killed'")
        for _ in range(3000):
            with office.read() as conn:
                if not conn.scalar(query):
                    break
    return child.exitcode


def rung_at(office, ids: list[int]) -> Counter[int]:
    found: Counter[int] = Counter()
    with office.read() as conn:
        for i in ids:
            entries = history(conn, office.keys.on(conn), i)
            row = conn.execute(select(store.record).where(store.record.c.id == i)).mappings().one()
            assert seals_hold(entries) is None
            assert row["seq"] == len(entries)
            assert not entries or row["head"] == entries[-1].leaf
            found[i] = len(entries)
    return found


@pytest.mark.parametrize("place", PLACES)
def test_killed_there_each_job_is_done_once(office, db_url, clock, processes, place):
    chance, killed = random.Random(f"{SEED}{place}"), 0
    ids = planted(office, KILLS * LIMIT)
    for _ in range(KILLS):
        child = processes.Process(target=ring, args=(db_url, clock.now.isoformat(), place, chance.randint(1, 1 if place == "claim" else 3), chance.random() < 0.5))
        child.start()
        code = gone(office, child)
        assert code == -signal.SIGKILL, "there was work left to die in"
        killed += 1
        assert max(rung_at(office, ids).values()) <= 1, "nothing came twice"
        with office.read() as conn:
            marked = set(conn.scalars(select(store.job.c.record_id).where(store.job.c.state == "done")))
        assert marked == {i for i, n in rung_at(office, ids).items() if n}, "an effect and its mark are one"
        clock.advance(minutes=3)  # the lease of the dead one runs out
    last = processes.Process(target=ring, args=(db_url, clock.now.isoformat(), None, 0, False))
    last.start()
    assert gone(office, last) == 0
    assert set(rung_at(office, ids).values()) == {1}, "nothing is lost, nothing came twice"
    with office.read() as conn:
        states = dict(map(tuple, conn.execute(select(store.job.c.state, func.count()).group_by(store.job.c.state))))
        attempts = conn.scalar(select(func.max(store.job.c.attempts)))
    assert (states, attempts) == ({"done": len(ids)}, 0)
    sys.stdout.write(f"{killed} workers killed at {place} on {office.store.url.get_backend_name()}\n")


def test_two_workers_in_two_processes_share_what_is_due_without_doubles(office, db_url, clock, processes):
    ids = planted(office, 500)
    workers = [processes.Process(target=ring, args=(db_url, clock.now.isoformat(), None, 0, False, 50)) for _ in range(2)]
    for one in workers:
        one.start()
    assert [gone(office, one) for one in workers] == [0, 0]
    assert set(rung_at(office, ids).values()) == {1}
    assert killed_worker.LIMIT < 50
    with office.read() as conn:
        tokens = dict(map(tuple, conn.execute(select(store.job.c.token, func.count()).group_by(store.job.c.token))))
        assert set(conn.scalars(select(store.job.c.state))) == {"done"}
    assert len(tokens) >= 500 / 50, "each claim has a token of its own"
