"""How it runs: waitress for pages and API, huey as the alarm clock of the jobs, the bundled registries."""

from __future__ import annotations

import fcntl
import logging
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from huey import SqliteHuey, crontab
from huey.consumer import Consumer
from waitress import serve as waitress_serve

from processes.bureau import Bureau, build
from web import create_app
from web.registry import create_registry
from web.settings import Settings

log = logging.getLogger(__name__)

_TICK = 1.0  # seconds between looks at the job table


def run(settings: Settings, host: str, port: int, *, worker: bool = True) -> None:
    """Serve until stopped. On SQLite one server only: a lock file says so."""
    lock = _only_one(settings)
    made = build(settings)
    app = create_app(settings, made)
    if worker:
        start_worker(made)
    click.echo(f"Yingbao: http://{host}:{port}")
    waitress_serve(app, host=host, port=port, threads=8, ident="yingbao", max_request_body_size=12 * 1024 * 1024)
    if lock is not None:
        lock.close()


def _only_one(settings: Settings) -> Any:
    if not settings.database.startswith("sqlite:///"):
        return None
    path = Path(settings.database.removeprefix("sqlite:///") + ".serve-lock")
    handle = path.open("w")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise click.ClickException("another server already serves this SQLite database; use PostgreSQL for more than one") from None
    return handle


def start_worker(made: Bureau) -> threading.Thread:
    thread = threading.Thread(target=run_worker, args=(made,), name="worker", daemon=True)
    thread.start()
    return thread


def run_worker(made: Bureau) -> None:
    """huey rings every second (and cleans up every hour); the job table says what there is to do."""
    made.settings.files.parent.mkdir(parents=True, exist_ok=True)
    bell = SqliteHuey("yingbao", filename=str(made.settings.files.parent / "bell.sqlite"), results=False)

    @bell.periodic_task(crontab(minute="0"))
    def sweep() -> None:
        from processes import documents, kept_lists

        kept_lists.sweep(made.settings.files)
        with made.office.read() as conn:
            documents.sweep(conn, made.settings.files)

    consumer = Consumer(bell, workers=1, periodic=True, check_worker_health=False)
    consumer._set_signal_handlers = lambda: None
    consumer.start()
    try:
        keep_working(made.jobs.run_due, threading.Event())
    finally:
        consumer.stop()


def keep_working(run_due: Callable[[], int], stop: threading.Event, pause: float = _TICK) -> None:
    """Look at the job table for ever: a hiccup of the database must not silence all timers."""
    while not stop.is_set():
        try:
            idle = run_due() == 0
        except Exception:
            log.exception("looking for jobs failed; trying again")
            idle = True
        if idle:
            stop.wait(pause)


def run_registry(port: int, known: dict[str, list[dict[str, str]]] | None = None) -> None:
    click.echo(f"registries: http://127.0.0.1:{port}")
    waitress_serve(create_registry(known), host="127.0.0.1", port=port, threads=4, ident=f"registry-{os.getpid()}")
