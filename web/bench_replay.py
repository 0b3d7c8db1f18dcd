"""What a step of the replay costs: the part of the page that playback fetches, of a case of a hundred entries, beside the floor.

The case is done again once; from then on a step is read from the record and from what is remembered of it (engine.replays).
"""

from __future__ import annotations

import base64
import json
import tempfile
from pathlib import Path
from typing import Any

import click

from engine import queries
from processes import bureau as bureaus
from processes import organisation, schema
from web import bench
from web.settings import Settings

ENTRIES = 100


def run(*, as_json: bool, quick: bool, database: str | None = None) -> None:
    """`database`: address of an empty database; a scratch SQLite file when not given."""
    with tempfile.TemporaryDirectory() as folder:
        figures = measure(Path(folder), database, rounds=1 if quick else 5)
    click.echo(json.dumps(figures) if as_json else "\n".join(f"{name:<42} {value}" for name, value in figures.items()))


def measure(folder: Path, database: str | None, *, rounds: int) -> dict[str, Any]:
    """Milliseconds of a step on the server, warm: half of all steps, and 95 of a hundred, take at most so long; and how many
    transactions of the floor (web.bench.Floor) one step takes the time of."""
    settings = Settings(database or f"sqlite:///{folder}/replay.sqlite", "s" * 32, base64.b64encode(bytes(32)).decode(), folder / "files", registry="http://127.0.0.1:9")
    schema.upgrade(settings.database)
    clock = bench._Clock()
    made = bureaus.build(settings, clock)
    made.jobs.real_clock = clock
    no, last = _long_case(made, clock)
    look = _auditor(made, no)
    floor, times = bench.Floor(made.office.store), list[float]()
    first = bench._timed(lambda: look(1))
    for _ in range(rounds):
        for step in range(1, last + 1):
            times.append(bench._timed(lambda step=step: look(step)))  # type: ignore[misc]
            floor.run(1)
    times.sort()
    middle = times[len(times) // 2]
    made.office.store.close()
    return {
        "database": settings.database.partition(":")[0], "entries": last, "first_step_ms": round(first * 1000, 2), "step_p50_ms": round(middle * 1000, 2),
        "step_p95_ms": round(times[int(len(times) * 0.95)] * 1000, 2), "floor_per_second": floor.per_second, "floors_per_step": round(middle * floor.per_second, 1),
    }  # fmt: skip


def _long_case(made: bureaus.Bureau, clock: Any) -> tuple[str, int]:
    """A case that is taken and given back often, and then goes the whole road: (number, entries)."""
    people, [(home, scan)] = bench._prepare(made, 1)
    bench._start(made, people, home)
    scans = bench._cases_of(made, {home: scan})
    [no] = scans
    made.jobs.run_all()
    [(task, _)] = bench._open(made, "completeness_check", scans).values()
    for _ in range(ENTRIES // 3):
        with made.office.act(people["window_clerk"]) as act:
            made.cases.claim(act, task)
        with made.office.act(people["window_clerk"]) as act:
            made.cases.release(act, task)
    bench._road(made, clock, people, 1, scans, None)
    with made.office.read() as conn:
        return no, int(queries.case_row(conn, no)["seq"])


def _auditor(made: bureaus.Bureau, no: str) -> Any:
    """What an auditor's browser asks for during playback."""
    with made.office.act() as act:
        organisation.add_staff(act, "auditor", "auditor", "bench-password", [("auditor", "120116")])
    client = bench._signed_in(made, "auditor")

    def look(step: int) -> None:
        if client.get(f"/cases/{no}/replay?step={step}&part=1").status_code != 200:
            raise RuntimeError("the replay does not open")

    return look
