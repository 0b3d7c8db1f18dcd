"""How it runs: waitress for pages and API, workers in the same process or in their own, the bundled registries."""

from __future__ import annotations

import fcntl
import gc
import logging
import os
import socket
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
from waitress import serve as waitress_serve

from engine.notes import Verifier
from processes import configured, recounts
from processes.bureau import Bureau, build, refuse_other_key
from web import create_app, logs, sequencer
from web.bell import consumer
from web.registry import create_registry
from web.settings import Settings
from web.witness import MOST_BYTES, Seen, create_witness


def run(settings: Settings, host: str, port: int, *, worker: bool = True) -> None:
    """Serve until stopped. On SQLite one server only: a lock file says so."""
    _logs(settings)
    made = build(settings)
    refuse_other_key(made)
    lock = _only_one(settings)
    noted(made, "serve", replace(settings, host=host, port=port))
    recounts.recompute(made.office, made.cases)
    app = create_app(settings, made)
    working = consumer(made) if worker else None
    if working is not None:
        working.start()
    settle()
    click.echo(f"Yingbao: http://{host}:{port}")
    try:
        with sequencer.child(settings):
            waitress_serve(app, host=host, port=port, threads=8, ident="yingbao", max_request_body_size=12 * 1024 * 1024)
    finally:
        if working is not None:
            working.stop()
        if lock is not None:
            lock.close()
        made.office.store.close()


def noted(made: Bureau, program: str, settings: Settings) -> list[str]:
    """Write down which settings are others than at this program's last start on this machine; their names."""
    return configured.note(made.office, f"{program}@{socket.gethostname()}", settings.effective())


def _only_one(settings: Settings) -> Any:
    if not settings.database.startswith("sqlite:///"):
        return None
    path = Path(settings.database.removeprefix("sqlite:///") + ".serve-lock")
    handle = path.open("w")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        handle.close()
        raise click.ClickException("another server already serves this SQLite database; use PostgreSQL for more than one") from None
    return handle


def run_worker(made: Bureau) -> None:
    """Do timers and jobs until stopped."""
    _logs(made.settings)
    working = consumer(made)
    working.start()
    try:
        threading.Event().wait()
    finally:
        working.stop(graceful=True)


def _logs(settings: Settings) -> None:
    """Each request in production; elsewhere only what went wrong, for somebody reads the terminal there."""
    logs.configure(logging.INFO if settings.production else logging.WARNING)


def settle() -> None:
    """What is loaded now stays: the collector need not look at it again, nor come by after every few requests."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


def run_registry(port: int, known: dict[str, list[dict[str, str]]] | None = None) -> None:
    click.echo(f"registries: http://127.0.0.1:{port}")
    waitress_serve(create_registry(known), host="127.0.0.1", port=port, threads=4, ident=f"registry-{os.getpid()}")


def run_witness(folder: Path, known: list[str], name: str, host: str, port: int) -> None:
    """A witness for the records with these public keys; its own key is made at the first start."""
    file = folder / "key"
    if not file.exists():
        sequencer.make_key(file, name)
    signer = sequencer.read_key(file, name)
    keys = [Verifier.parse(text) for text in known]
    click.echo(f"witness: http://{host}:{port}\n{signer.witness_public()}")
    app = create_witness(signer, {key.name: key for key in keys}, Seen(folder))
    waitress_serve(app, host=host, port=port, threads=4, ident=name, max_request_body_size=MOST_BYTES)
