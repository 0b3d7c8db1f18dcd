"""What the evidence costs: the same road of the same cases with all of it, and without, in turns on one machine.

With: guard on the tables, encryption, each entry queued for the tree, and a sequencer that seals in a process of its own
beside the work. Without: none of these; entries still have their canonical bytes and their chain, which replay needs.
"""

from __future__ import annotations

import base64
import json
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Any

import click
from sqlalchemy import text

from engine import guard, sealing
from engine.crypto import Cipher, Keys
from engine.model import Actor
from engine.store import Store
from processes import bureau as bureaus
from processes import schema
from web import bench, sequencer
from web.settings import Settings

ROUNDS = 5


class _Plain(Cipher):
    """Encrypts nothing: only to measure what encryption costs."""

    def seal(self, plain: bytes, aad: bytes) -> bytes:
        return plain

    def open(self, blob: bytes, aad: bytes) -> bytes:
        return blob


class _PlainKeys(Keys):
    def __init__(self, site_key: str) -> None:
        super().__init__(site_key)
        self._wrap = self._field = self._file = _Plain(b"")

    def unwrap(self, subject: str, wrapped: bytes) -> Cipher:
        return _Plain(super().unwrap(subject, wrapped).key)


def run(*, as_json: bool, quick: bool, database: str | None = None) -> None:
    """`database`: address of an empty PostgreSQL database for the part with; the part without takes `database` + "_bare", empty too."""
    with tempfile.TemporaryDirectory() as folder:
        figures = measure(Path(folder), cases=2 if quick else 12, database=database)
    click.echo(json.dumps(figures) if as_json else "\n".join(f"{name:<42} {value}" for name, value in figures.items()))


def measure(folder: Path, *, cases: int, database: str | None = None) -> dict[str, Any]:
    """Completions per second with and without, from the same rounds; loss in percent; how many entries were sealed beside the work."""
    sides = {name: _Side(folder, name, database, cases * ROUNDS) for name in ("with", "without")}
    with sequencer.child(sides["with"].settings):
        for turn in range(ROUNDS):
            for side in sides.values():
                side.go(turn, cases)
        waited = _sealed(sides["with"].made)
    figures: dict[str, Any] = {f"completions_{name}_per_second": round(side.done / side.seconds, 1) for name, side in sides.items()}
    figures["loss_percent"] = round(100 * (1 - figures["completions_with_per_second"] / figures["completions_without_per_second"]), 1)
    with sides["with"].made.office.read() as conn:
        figures["entries_sealed"] = sealing.tree_size(conn)
    figures["seconds_until_all_sealed"] = waited
    for side in sides.values():
        side.made.office.store.close()
    return figures


def _sealed(made: bureaus.Bureau) -> float:
    """Seconds from the end of the work until nothing waits."""
    begun = time.monotonic()
    while time.monotonic() - begun < 60:
        with made.office.read() as conn:
            if not sealing.state(conn).waiting:
                break
        time.sleep(0.05)
    return round(time.monotonic() - begun, 2)


class _Side:
    def __init__(self, folder: Path, name: str, database: str | None, homes: int) -> None:
        bare = name == "without"
        url = f"sqlite:///{folder}/{name}.sqlite" if database is None else database + ("_bare" if bare else "")
        self.settings = Settings(url, "s" * 32, base64.b64encode(bytes(32)).decode(), folder / name / "files", signing_key=folder / name / "key", registry="http://127.0.0.1:9")
        schema.upgrade(url)
        self.clock = bench._Clock()
        self.made = bureaus.build(self.settings, self.clock)
        self.made.jobs.real_clock = self.clock
        if bare:
            self._bare(url)
        self.people: dict[str, Actor]
        self.people, self.homes = bench._prepare(self.made, homes)
        self.done, self.seconds = 0, 0.0

    def _bare(self, url: str) -> None:
        office = self.made.office
        office.store.close()
        office.store, office.keys = Store(url, guarded=False), _PlainKeys(self.settings.data_key)
        with office.store.engine.begin() if not office.store.sqlite else office.store.engine.connect() as conn:
            for trigger in guard.names(conn):
                conn.execute(text(f"DROP TRIGGER {trigger}" + ("" if office.store.sqlite else f" ON {trigger.partition('_')[0]}")))

    def go(self, turn: int, cases: int) -> None:
        self.clock.now = bench._FIRST
        group = self.homes[turn * cases : (turn + 1) * cases]
        bench._spread(1, [[partial(bench._start, self.made, self.people, home)] for home, _ in group])
        took, times = bench._road(self.made, self.clock, self.people, 1, bench._cases_of(self.made, dict(group)), None)
        self.done, self.seconds = self.done + len(times), self.seconds + took


