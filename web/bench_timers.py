"""Many timers due at once: two worker processes share them while people work beside; beside the floor of this machine.

A timer here is a job of the least kind, each on a record of its own (kind "register"): its effect is one entry. So an
effect is counted by its record: none is lost (an entry is missing) and none comes twice (there are two).
"""

from __future__ import annotations

import base64
import itertools
import json
import multiprocessing
import tempfile
import threading
import time
from datetime import timedelta
from functools import partial
from multiprocessing.connection import Connection as Pipe
from pathlib import Path
from typing import Any

import click
from sqlalchemy import func, insert, select

from engine import store
from engine.jobs import Handler, Job, Jobs
from engine.model import GENESIS
from engine.office import Act
from processes import bureau as bureaus
from processes import schema
from web.bench import Floor, _Clock, _prepare, _start, _timed
from web.serving import settle
from web.settings import Settings

WORKERS = 2
KIND = "bench_timer"
_UNIT = "120116999"  # of the planted records
_CHUNK = 1000
_PAUSE = 0.05  # seconds between two acts of a person


def run(database: str | None, *, as_json: bool, jobs: int) -> int:
    with tempfile.TemporaryDirectory() as folder:
        figures = measure(database or f"sqlite:///{folder}/bench.sqlite", Path(folder), jobs=jobs)
    if as_json:
        click.echo(json.dumps(figures))
    else:
        for name, value in figures.items():
            click.echo(f"{name:<42} {value}")
    return 1 if figures["lost"] or figures["doubles"] else 0


def measure(url: str, folder: Path, *, jobs: int) -> dict[str, Any]:
    """Plant, ring, count. The database must be empty."""
    settings = Settings(database=url, secret_key="s" * 32, data_key=base64.b64encode(bytes(32)).decode(), files=folder / "files", registry="http://127.0.0.1:9")
    schema.upgrade(url)
    made = bureaus.build(settings, _Clock())
    settle()
    floor = Floor(made.office.store)
    floor.run(min(jobs, 1000))
    people, homes = _prepare(made, 60)
    for home, _ in homes:
        _start(made, people, home)
    _plant(made, jobs)
    seconds, told, waits = _ring(made, url, str(folder / "files"), people)
    floor.run(min(jobs, 1000))
    figures = {"database": made.office.store.url.get_backend_name(), "timers": jobs, "workers": WORKERS, "seconds": round(seconds, 2),
               "timers_per_second": round(jobs / seconds, 1), "floor_per_second": floor.per_second,
               "ratio_to_floor": round(jobs / seconds / floor.per_second, 3), **_counted(made, jobs),
               "done_by_each_worker": [one["done"] for one in told], **_held(told), **_waited(waits)}  # fmt: skip
    made.office.store.close()
    return figures


def _plant(made: bureaus.Bureau, jobs: int) -> None:
    """Records that have no entry yet, each with a timer that has just come due."""
    for begin in range(0, jobs, _CHUNK):
        with made.office.store.write() as conn:
            n = min(_CHUNK, jobs - begin)
            conn.execute(insert(store.record), [{"kind": "register", "unit": _UNIT, "seq": 0, "head": GENESIS, "rows": 0}] * n)
            made_ids = conn.scalars(select(store.record.c.id).where(store.record.c.unit == _UNIT).order_by(store.record.c.id.desc()).limit(n)).all()
            due = made.office.clock() - timedelta(seconds=1)
            rows = [{"kind": KIND, "record_id": i, "key": "due", "due_at": due, "state": "ready", "attempts": 0, "data": "{}"} for i in sorted(made_ids)]
            conn.execute(insert(store.job), rows)
        if (begin // _CHUNK + 1) % 10 == 0:
            click.echo(f"{begin + n} timers planted", err=True)


def effect(job: Job) -> Any:
    """Writes one entry on the job's record."""

    def write(act: Act) -> None:
        act.append(act.open("register", job.record_id), "timer_rang", {"key": job.key})

    return write


def _work(url: str, files: str, ours: Pipe) -> None:
    """One worker process, until nothing is due; tells how much it did and how long its transactions were."""
    settings = Settings(database=url, secret_key="s" * 32, data_key=base64.b64encode(bytes(32)).decode(), files=Path(files), registry="http://127.0.0.1:9")
    made = bureaus.build(settings, _Clock())
    handlers: dict[str, Handler] = {KIND: effect}
    jobs, held = Jobs(made.office, handlers), Held(made.office.store)
    ours.send("ready")
    ours.recv()
    done = jobs.run_all()
    ours.send({"done": done, "held": held.seconds})


class Held:
    """Measures for how long each write transaction of a store holds the lock: from its BEGIN to its COMMIT."""

    def __init__(self, opened: store.Store) -> None:
        self.seconds: list[float] = []
        self._begun = threading.local()
        opened.on_write = self._note

    def _note(self, event: str) -> None:
        if event == "begun":
            self._begun.at = time.perf_counter()
        else:
            self.seconds.append(time.perf_counter() - self._begun.at)


def _ring(made: bureaus.Bureau, url: str, files: str, people: Any) -> tuple[float, list[dict[str, Any]], dict[str, list[float]]]:
    """(seconds, what each worker told, how long people waited for a claim and a completion meanwhile)."""
    context = multiprocessing.get_context("spawn")
    pairs = [context.Pipe() for _ in range(WORKERS)]
    children = [context.Process(target=_work, args=(url, files, theirs)) for _, theirs in pairs]
    for child in children:
        child.start()
    for ours, _ in pairs:
        ours.recv()
    over = threading.Event()
    waits: dict[str, list[float]] = {"claim": [], "complete": []}
    person = threading.Thread(target=_person, args=(made, people, waits, over))
    begun = time.perf_counter()
    for ours, _ in pairs:
        ours.send("go")
    person.start()
    told = [ours.recv() for ours, _ in pairs]
    seconds = time.perf_counter() - begun
    over.set()
    person.join()
    for child in children:
        child.join(30)
    return seconds, told, waits


def _person(made: bureaus.Bureau, people: Any, waits: dict[str, list[float]], over: threading.Event) -> None:
    """A clerk claims a task and gives it back, again and again; now and then he completes another one."""
    clerk = people["window_clerk"]
    with made.office.read() as conn:
        tasks = conn.scalars(select(store.task.c.id).where(store.is_open, store.task.c.node == "completeness_check").order_by(store.task.c.id)).all()
    kept, others = tasks[:10], list(tasks[10:])
    for n in itertools.count():
        if over.wait(_PAUSE):
            return
        waits["claim"].append(_timed(partial(_claimed, made, clerk, kept[n % len(kept)])))
        _released(made, clerk, kept[n % len(kept)])
        if n % 4 == 0 and others:
            waits["complete"].append(_timed(partial(_completed, made, clerk, others.pop())))


def _claimed(made: bureaus.Bureau, who: Any, task: int) -> None:
    with made.office.act(who) as act:
        made.cases.claim(act, task)


def _released(made: bureaus.Bureau, who: Any, task: int) -> None:
    with made.office.act(who) as act:
        made.cases.release(act, task)


def _completed(made: bureaus.Bureau, who: Any, task: int) -> None:
    with made.office.act(who) as act:
        made.cases.complete(act, task, {"outcome": "complete"})


def _counted(made: bureaus.Bureau, jobs: int) -> dict[str, int]:
    with made.office.read() as conn:
        query = select(store.record.c.seq, func.count()).where(store.record.c.unit == _UNIT).group_by(store.record.c.seq)
        found = {row[0]: int(row[1]) for row in conn.execute(query)}
        entries = conn.scalar(select(func.count()).select_from(store.entry.join(store.record, store.record.c.id == store.entry.c.record_id)).where(store.record.c.unit == _UNIT))
        left = conn.scalar(select(func.count()).select_from(store.job).where(store.job.c.kind == KIND, store.job.c.state != "done"))
    return {"lost": found.get(0, 0) + int(left or 0), "doubles": sum(n for seq, n in found.items() if seq > 1) + max(int(entries or 0) - jobs, 0)}


def _p(times: list[float], share: float) -> float:
    return round(sorted(times)[min(int(len(times) * share), len(times) - 1)] * 1000, 2) if times else 0.0


def _held(told: list[dict[str, Any]]) -> dict[str, Any]:
    times = [t for one in told for t in one["held"]]
    return {"write_transaction_p50_ms": _p(times, 0.5), "write_transaction_p99_ms": _p(times, 0.99), "write_transaction_longest_ms": _p(times, 1),
            "write_transactions_over_50_ms": sum(1 for t in times if t > 0.05)}  # fmt: skip


def _waited(waits: dict[str, list[float]]) -> dict[str, Any]:
    counts = {f"{name}s_meanwhile": len(times) for name, times in waits.items()}
    return counts | {f"{name}_{of}_ms": value for name, times in waits.items()
            for of, value in (("p50", _p(times, 0.5)), ("p95", _p(times, 0.95)))}  # fmt: skip
