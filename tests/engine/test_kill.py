"""kill -9 at any moment of a completion, on files and on a server: all of it or nothing, and asking again gives one effect."""

from __future__ import annotations

import os
import random
import signal
import sys
import time

import pytest
from sqlalchemy import select, text

from engine import store
from engine.bpmn import unpacked
from engine.office import history, seals_hold
from engine.step import fingerprint
from processes.rebuild import differences
from processes.tables import benefit
from tests.engine import killed

ROUNDS = int(os.environ.get("YINGBAO_TEST_KILLS", "12"))  # 25 in `make load`; each statement has a test of its own
SEED = 20181203


class Killing:
    def __init__(self, district, processes) -> None:
        self.d, self.context = district, processes
        self.place = (district.bureau.settings.database, str(district.bureau.settings.files))

    def child(self, target, *arguments):
        made = self.context.Process(target=target, args=(*self.place, self.d.clock.now.isoformat(), *arguments))
        made.start()
        return made

    def gone(self, child) -> int:
        """Wait until the child is dead and its server process, where there is one, has seen it."""
        child.join(60)
        assert child.exitcode is not None
        if not self.d.office.store.sqlite:
            query = text("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'killed'")
            for _ in range(3000):
                with self.d.office.read() as conn:
                    if not conn.scalar(query):
                        break
                time.sleep(0.01)
            else:
                pytest.fail("PostgreSQL still serves a dead process")
        return child.exitcode

    def case(self, case_id: int):
        with self.d.office.read() as conn:
            return conn.execute(select(store.record).where(store.record.c.id == case_id)).mappings().one()

    def done(self, case_id: int) -> list[str]:
        """The causes that the record knows, in order; the whole case is proved on the way."""
        row = self.case(case_id)
        with self.d.office.read() as conn:
            entries = history(conn, self.d.office.keys.on(conn), case_id)
            tasks = conn.execute(select(store.task).where(store.task.c.case_id == case_id)).mappings().all()
        assert seals_hold(entries) is None
        assert (entries[-1].leaf, len(entries)) == (row["head"], row["seq"])
        assert all(said is not None for e in entries for said in e.personal.values()), "no payload is missing"
        assert sum(len(e.said.get("sealed", ())) for e in entries) == sum(len(e.personal) for e in entries)
        with self.d.office.read() as conn:
            run = list(self.d.cases.replaying(conn, entries))[-1][1]
        assert fingerprint(run.dump()) == fingerprint(unpacked(row["state"]))
        assert {t["key"] for t in tasks if t["state"] == "open"} == run.open_tasks().keys()
        completed = [e.data["task"] for e in entries if e.event == "task_completed"]
        assert sorted(completed) == sorted(t["key"] for t in tasks if t["state"] == "done")
        return ["registries" if e.event == "message_received" else e.data["task"].rpartition(".")[0]
                for e in entries if e.event in ("message_received", "task_completed")]  # fmt: skip

    def everything(self) -> dict[str, list[str]]:
        """All rows of all tables."""
        with self.d.office.read() as conn:
            return {name: sorted(str(tuple(row)) for row in conn.execute(select(table))) for name, table in store.metadata.tables.items()}


@pytest.fixture
def killing(district, processes):
    return Killing(district, processes)


def test_killed_at_any_moment_the_work_is_done_once(killing):
    """The clock decides when the child dies, and nothing else: whatever it had begun, the record is whole, and what it had been told stays."""
    d, chance, at = killing.d, random.Random(SEED), []
    names = [node for _, node, _ in killed.requests(0)]
    for number in range(ROUNDS):
        d.apply(d.household(210_000, serial=number + 1))
        case_id = d.case()["id"]
        ours, theirs = killing.context.Pipe(duplex=False)
        child = killing.child(killed.work, case_id, d.scan, theirs)
        theirs.close()
        assert ours.recv() == "ready"
        time.sleep(chance.uniform(0, 0.25))
        child.kill()
        code = killing.gone(child)
        assert code in (-signal.SIGKILL, 0), "it was killed, or had nothing left to do"
        told = []
        while ours.poll():
            try:
                told.append(ours.recv())
            except (EOFError, OSError):
                break
        done = killing.done(case_id)
        assert done == names[: len(done)]
        assert len(told) <= len(done) <= len(told) + 1, "what was answered is done; at most one more, whose answer was lost"
        answers = [killed.send(d.bureau, case_id, *request) for request in killed.requests(d.scan)]
        assert answers[: len(told)] == [answer for _, answer in told]
        assert killing.done(case_id) == names
        at.append(len(done))
    sys.stdout.write(f"of {len(names)} requests done when killed: {sorted(at)}\n")
    assert differences(d.office) == []
    d.clock.advance(days=8)
    d.bureau.jobs.run_all()
    assert set(d.tasks()) == {"remove_street_notice"}, "timers and jobs are as if nobody had been killed"


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_killed_at_each_statement_of_a_completion(killing, after):
    """The decision is the longest one: it sends a letter, runs a service, and opens a second record for the benefit."""
    d = killing.d
    d.to_district()
    d.do("exam", "district_examination", district_outcome="propose_grant", opinion="拟批准")
    d.post("post_district_notice")
    d.at("2018-12-19T09:00")
    d.do("vera", "remove_district_notice", removed_on="2018-12-19", objections="none")
    request = ("app", "decide", {"decision": "granted", "opinion": "批准"})
    case_id, effects = d.case()["id"], []
    before, causes = killing.everything(), killing.done(case_id)
    for place in range(200):
        code = killing.gone(killing.child(killed.die_at, case_id, request, place, after))
        effects.append(killing.everything() != before)
        if effects[-1]:
            assert killing.done(case_id) == [*causes, "decide"]
        if code == 0:  # it has fewer statements than that, and came to its end
            break
        assert code == -signal.SIGKILL
    assert code == 0, "the child came to its end at last"
    assert len(effects) > 15, "there were many moments"
    assert effects == sorted(effects), "nothing that was there is lost"
    assert effects[0] is False
    assert effects[-2], "killed after the commit it is done"
    assert killed.send(d.bureau, case_id, *request)["case"] == d.no
    assert killing.done(case_id) == [*causes, "decide"]
    assert differences(d.office) == []
    with d.office.read() as conn:
        assert len(conn.execute(select(benefit)).all()) == 1
