"""What a what-if over many households costs, with two processes, beside its floor: assessing each household alone, before and
after, once its figures are read."""

from __future__ import annotations

import base64
import json
import resource
import tempfile
import time
from pathlib import Path
from typing import Any

import click
from sqlalchemy import select

from processes import bureau as bureaus
from processes import eligibility, organisation, schema, whatif
from processes.eligibility_facts import BadFacts
from processes.standards import snapshot_of
from processes.tables import benefit, household
from web import bench, bench_crowd
from web.settings import Settings

WANTED_SECONDS = 60  # for 100,000 households on two cores
_HIGHER = b'dibao_standard_urban:\n  - {from: 2018-12-01, value: "980", source: bench}\n'
_SAMPLE = 500  # households whose arithmetic alone is measured


def run(database: str | None, *, as_json: bool, households: int) -> int:
    """Exit code: 1 when 100,000 took longer than wanted."""
    with tempfile.TemporaryDirectory() as folder:
        figures = measure(database or f"sqlite:///{folder}/whatif.sqlite", Path(folder), households)
    click.echo(json.dumps(figures) if as_json else "\n".join(f"{name:<42} {value}" for name, value in figures.items()))
    return int(figures["households"] >= 100_000 and figures["seconds"] > WANTED_SECONDS)


def measure(database: str, folder: Path, households: int) -> dict[str, Any]:
    """Seconds and households a second of one run with two processes; its processor time, and what share of that
    the floor would take. The database must be empty."""
    settings = Settings(database=database, secret_key="s" * 32, data_key=base64.b64encode(bytes(32)).decode(), files=folder / "files")
    schema.upgrade(database)
    made = bureaus.build(settings, bench._Clock())
    with made.office.act() as act:
        organisation.seed(act)
    bench_crowd.fill(made, households, 1)
    asked = whatif.Question.understood((_HIGHER,), "2018-12-05")
    floor = _floor(made, min(households, _SAMPLE))
    before, begun = _processor(), time.perf_counter()
    report = whatif.run(made, asked, processes=2)
    seconds, used = time.perf_counter() - begun, _processor() - before
    made.office.store.close()
    return {
        "database": database.partition(":")[0], "households": len(report.rows), "seconds": round(seconds, 2), "households_per_second": round(len(report.rows) / seconds, 1),
        "processor_seconds": round(used, 2), "floor_seconds": round(floor * len(report.rows), 2), "ratio_to_floor": round(floor * len(report.rows) / used, 3),
        "wanted_seconds_for_100000": WANTED_SECONDS,
    }  # fmt: skip


def _processor() -> float:
    """Seconds of this process and of its children that have ended."""
    return sum(one.ru_utime + one.ru_stime for one in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)))


def _floor(made: bureaus.Bureau, count: int) -> float:
    """Seconds that one household's assessment takes twice, once read."""
    query = select(benefit, household.c.hukou_kind).join(household, household.c.id == benefit.c.household_id).order_by(benefit.c.id).limit(count)
    with made.office.read() as conn:
        keys, today = made.office.keys.on(conn), made.office.today()
        facts = [{**snapshot_of(conn, keys, row, today), "benefit_month": "2018-12"} for row in conn.execute(query).mappings().all()]
    begun = time.perf_counter()
    for one in facts * 2:
        try:
            eligibility.assess(one)
        except BadFacts:  # it is counted as left out
            continue
    return (time.perf_counter() - begun) / len(facts)
