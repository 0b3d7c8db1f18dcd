"""The bell of the jobs: huey rings every second, on as many machines as wanted. A ring says "look at the table", nothing else."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import psycopg
from huey import Huey, PostgresHuey, SqliteHuey
from huey.consumer import Consumer, Scheduler

from processes import documents, kept_lists
from processes.bureau import Bureau


class _EverySecond(Scheduler):
    periodic_task_seconds = 1


class _Consumer(Consumer):
    scheduler_class = _EverySecond
    connections: list[psycopg.Connection[Any]]

    def _set_signal_handlers(self) -> None:
        """Signals belong to the server in whose process the consumer lives."""

    def stop(self, graceful: bool = False) -> None:  # noqa: FBT001, FBT002 - huey's signature
        super().stop(graceful=graceful)
        if graceful:
            self.scheduler.join()
            for one in self.connections:  # huey leaves each thread's to the garbage
                one.close()


def consumer(made: Bureau, *, workers: int = 1) -> Consumer:
    """Workers of a bureau, not yet started; `start` and `stop` them."""
    connections: list[psycopg.Connection[Any]] = []
    bell = _hung(made, connections)

    # Rung again only when the last ring was heard.
    @bell.periodic_task(lambda _now: bell.pending_count() == 0)
    def look() -> None:
        while made.jobs.run_due():
            pass

    @bell.periodic_task(_once_an_hour())
    def sweep() -> None:
        kept_lists.sweep(made.settings.files)
        with made.office.read() as conn:
            documents.sweep(conn, made.settings.files)

    working = _Consumer(bell, workers=workers, periodic=True, scheduler_interval=1, initial_delay=0.2, max_delay=1.0)
    working.connections = connections
    return working


def _hung(made: Bureau, connections: list[psycopg.Connection[Any]]) -> Huey:
    """SQLite: a file of its own, emptied, for nobody else hears it. PostgreSQL: tables beside ours, for all machines."""
    store = made.office.store
    if not store.sqlite:
        address = store.url.set(drivername="postgresql").render_as_string(hide_password=False)

        def connect() -> psycopg.Connection[Any]:
            connections.append(psycopg.connect(address))
            return connections[-1]

        return PostgresHuey("yingbao", connection=connect, blocking=False, results=False)
    made.settings.files.parent.mkdir(parents=True, exist_ok=True)
    bell = SqliteHuey("yingbao", filename=str(made.settings.files.parent / "bell.sqlite"), results=False)
    bell.flush()
    return bell


def _once_an_hour() -> Callable[[datetime], bool]:
    last = [datetime.now(UTC).hour]

    def due(_now: datetime) -> bool:
        before, last[0] = last[0], datetime.now(UTC).hour
        return before != last[0]

    return due
