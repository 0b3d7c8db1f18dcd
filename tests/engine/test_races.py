"""Twenty people press the same button at once; a process is killed in the middle: one effect, or none."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
from collections import Counter

import pytest

from engine.errors import Conflict, EngineError
from engine.office import history, seals_hold


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


KILLER = """
import os, pathlib, signal, sys
from datetime import UTC, datetime
sys.path.insert(0, os.getcwd())
from engine import office as o
from processes import bureau, organisation
from web.settings import Settings
url, key, files, task_id, point = sys.argv[1:]
made = bureau.build(Settings(database=url, secret_key="s" * 32, data_key=key, files=pathlib.Path(files), registry="http://127.0.0.1:9"),
                    lambda: datetime(2018, 12, 3, 2, tzinfo=UTC))
kill = lambda: os.kill(os.getpid(), signal.SIGKILL)
if point == "before_append":
    o.Act.append = lambda *a, **k: kill()
elif point == "before_finish":
    o.Act.finish = lambda self: kill()
elif point == "after_finish":
    plain = o.Act.finish
    o.Act.finish = lambda self: (plain(self), kill())
elif point == "after_commit":
    o.publish = lambda told: kill()
with made.office.read() as conn:
    clerk = organisation.find_actor(conn, "clerk")
with made.office.act(clerk) as act:
    made.cases.complete(act, int(task_id), {"outcome": "complete"})
"""


@pytest.mark.parametrize("point", ["before_append", "before_finish", "after_finish", "after_commit"])
def test_kill_9_at_any_point_is_all_or_nothing(district, settings, point, tmp_path):
    district.apply(district.household(210_000))
    task = district.tasks()["completeness_check"]
    script = tmp_path / "killer.py"
    script.write_text(textwrap.dedent(KILLER))
    arguments = [settings.database, settings.data_key, str(settings.files), str(task["id"]), point]
    run = subprocess.run([sys.executable, script, *arguments], cwd=os.getcwd(), check=False)
    assert run.returncode == -signal.SIGKILL
    expected = 2 if point == "after_commit" else 1
    with district.office.read() as conn:
        entries = history(conn, district.office.keys.on(conn), district.case()["id"])
    assert len(entries) == expected
    assert ("completeness_check" in district.tasks()) == (expected == 1)
    assert seals_hold(entries) is None
