"""Twenty people press the same button at once; a process is killed in the middle: one effect, or none."""

from __future__ import annotations

import signal
import threading
from collections import Counter

import pytest
from sqlalchemy import func, select

from engine.errors import Conflict, EngineError, NotFound
from engine.office import history, seals_hold
from engine.store import record
from tests.engine import killed


def test_twenty_simultaneous_completions_have_one_effect(district):
    district.apply(district.household(210_000))
    task = district.tasks()["completeness_check"]
    outcomes: Counter[str] = Counter()
    ready = threading.Barrier(20)

    def press() -> None:
        ready.wait()
        try:
            with district.office.act(district.people["clerk"]) as act:
                district.cases.complete(act, task["id"], {"outcome": "complete"})
            outcomes["done"] += 1
        except Conflict:
            outcomes["conflict"] += 1
        except EngineError as error:
            outcomes[type(error).__name__] += 1

    threads = [threading.Thread(target=press) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes == {"done": 1, "conflict": 19}
    with district.office.read() as conn:
        entries = history(conn, district.office.keys.on(conn), district.case()["id"])
    assert seals_hold(entries) is None
    assert [e.event for e in entries] == ["case_started", "task_completed"]


def test_two_applications_of_one_household_at_once_are_one_case(district):
    district.apply(district.household(200_000, serial=5))  # the drawing is known: its first use would be a conflict for another reason
    household_id = district.household(210_000)
    answers = {"household_id": household_id, "programme": "dibao", "applied_on": "2018-12-03", "applied_by": "head", "reason": "困难"}
    first_is_in, second_is_in = threading.Event(), threading.Event()
    outcomes: list[str] = []

    def apply(who: str, before: threading.Event | None, after: threading.Event, wait: threading.Event | None) -> None:
        if before:
            before.wait(30)
        try:
            with district.office.act(district.people[who]) as act:
                district.cases.start(act, "dibao-2012", answers)
                after.set()
                if wait:
                    wait.wait(1)  # the other is in too, or has to wait for us: which of the two is for the engine to say
            outcomes.append("begun")
        except EngineError as error:
            outcomes.append(type(error).__name__)

    threads = [threading.Thread(target=apply, args=("clerk", None, first_is_in, second_is_in)),
               threading.Thread(target=apply, args=("clerk2", first_is_in, second_is_in, None))]  # fmt: skip
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes.count("begun") == 1


def test_a_case_that_is_not_there_yet_is_not_remembered_as_none(district):
    """Else a wrong address, once, and the partners of the case that gets this number are never locked before it is read."""
    with district.office.read() as conn:
        last = conn.scalar(select(func.max(record.c.id)))
    for case_id in range(last + 1, last + 10):
        with pytest.raises(NotFound), district.office.act(district.people["clerk"]) as act:
            district.cases.complete(act, case_id << 16 | 1, {})
    district.apply(district.household(210_000))
    case_id = district.case()["id"]
    assert last < case_id < last + 10
    with district.office.read() as conn:
        assert district.cases._key_of(conn, case_id) == "dibao-2012"


@pytest.mark.parametrize("point", ["before_append", "before_finish", "after_finish", "after_commit"])
def test_kill_9_at_any_point_is_all_or_nothing(district, settings, point, processes):
    district.apply(district.household(210_000))
    request = ("clerk", "completeness_check", {"outcome": "complete"})
    place = (settings.database, str(settings.files), district.clock.now.isoformat())
    child = processes.Process(target=killed.die_in, args=(*place, district.case()["id"], request, point))
    child.start()
    child.join(60)
    assert child.exitcode == -signal.SIGKILL
    committed = {"after_commit"} if district.office.store.sqlite else {"after_finish", "after_commit"}  # PostgreSQL: with the last statements
    expected = 2 if point in committed else 1
    with district.office.read() as conn:
        entries = history(conn, district.office.keys.on(conn), district.case()["id"])
    assert len(entries) == expected
    assert ("completeness_check" in district.tasks()) == (expected == 1)
    assert seals_hold(entries) is None
