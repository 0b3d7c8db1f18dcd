"""`yingbao sequencer`: the process that seals. Only here is the signing key opened; `serve` starts it as a child.

    serve ──starts──> sequencer ──opens──> signing key (0400)
                          │ every second: pending -> tree -> checkpoint
                          └─ asks the witnesses to cosign
"""

from __future__ import annotations

import base64
import logging
import os
import re
import shlex
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from sqlalchemy import insert, select
from sqlalchemy.exc import OperationalError

from engine import merkle, notes, sealing, store
from engine.notes import Ed25519Signer, ProgramSigner, Signer
from engine.sealing import Sequencer
from engine.store import Store
from web.settings import BadSetting, Settings

log = logging.getLogger("yingbao.sequencer")
PAUSE = 1.0  # seconds between two looks
_TRIES = 3  # with a witness that is behind


def make_key(path: Path, name: str) -> str:
    """A new key file (0400) and its public half beside it; the public half is returned. FileExistsError: it is never overwritten."""
    key = Ed25519PrivateKey.generate()
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400), "wb") as file:
        file.write(pem)
    public = Ed25519Signer(name, key).public()
    public_file(path).write_text(public + "\n", encoding="utf-8")
    return public


def public_file(path: Path) -> Path:
    return path.with_name(path.name + ".pub")


def read_key(path: Path, name: str) -> Ed25519Signer:
    key = load_pem_private_key(path.read_bytes(), None)
    if not isinstance(key, Ed25519PrivateKey):
        raise BadSetting(f"{path.name} is not an Ed25519 key")
    return Ed25519Signer(name, key)


def signer(settings: Settings) -> Signer:
    """Who signs. Outside production a missing key is made at first use."""
    if settings.suite == 2:
        key = base64.b64decode(settings.signer_key)
        made = ProgramSigner(settings.origin, shlex.split(settings.signer_command), key)
        public_file(settings.signing_key).write_text(made.public() + "\n", encoding="utf-8")
        return made
    if not settings.signing_key.exists():
        if settings.production:
            raise BadSetting("no signing key: make it once, as the sequencer's user, with `yingbao key new`")
        make_key(settings.signing_key, settings.origin)
    return read_key(settings.signing_key, settings.origin)


def build(settings: Settings, opened: Store) -> Sequencer:
    return Sequencer(opened, signer(settings), settings.origin, merkle.SUITES[settings.suite])


def once(settings: Settings) -> sealing.Sealed:
    """Seal what waits now, ask the witnesses, stop."""
    opened = Store(settings.database)
    try:
        made = build(settings, opened)
        done = made.run()
        ask_witnesses(made, settings.witnesses)
    finally:
        opened.close()
    return done


def run(settings: Settings, parent: int | None = None) -> None:
    """Seal every second until stopped, or until the parent is gone. What cannot be sealed is said once, and stays an alarm."""
    opened = Store(settings.database)
    made, told = build(settings, opened), set[tuple[int, int]]()
    try:
        while parent is None or os.getppid() == parent:
            began = time.monotonic()
            try:
                done = made.run()
            except OperationalError:
                log.warning("the database does not answer; tried again in %s s", PAUSE, exc_info=True)
            else:
                for fault in done.faults:
                    if (fault.record_id, fault.seq) not in told:
                        told.add((fault.record_id, fault.seq))
                        log.error("not sealed: %s", fault)
                if done.count and settings.witnesses:
                    ask_witnesses(made, settings.witnesses)
            time.sleep(max(0.05, PAUSE - (time.monotonic() - began)))
    except KeyboardInterrupt:
        pass
    finally:
        opened.close()


_COMMAND = (sys.executable, "-c", "from web.cli import main; main()", "sequencer")


def apart(settings: Settings) -> None:
    """Seal what waits now, in a process of its own."""
    subprocess.run([*_COMMAND, "--once"], check=True, env={**os.environ, **settings.for_sequencer()}, stdout=subprocess.DEVNULL)  # noqa: S603 - our own program


@contextmanager
def child(settings: Settings) -> Iterator[None]:
    """The sequencer beside a server, in a process of its own, started again when it dies. The server goes on without it."""
    stop = threading.Event()

    def keep() -> None:
        command, surroundings = [*_COMMAND, "--parent", str(os.getpid())], {**os.environ, **settings.for_sequencer()}
        pause = 1.0
        while not stop.is_set():
            began = time.monotonic()
            process = subprocess.Popen(command, env=surroundings, stdin=subprocess.DEVNULL)  # noqa: S603 - our own program
            while process.poll() is None and not stop.wait(0.2):
                pass
            if process.poll() is None:
                process.terminate()
                process.wait(10)
                return
            pause = 1.0 if time.monotonic() - began > 60 else min(2 * pause, 30.0)
            log.error("the sequencer ended (%s); started again in %s s", process.returncode, pause)
            stop.wait(pause)

    keeper = threading.Thread(target=keep, name="sequencer-keeper", daemon=True)
    keeper.start()
    try:
        yield
    finally:
        stop.set()
        keeper.join(15)


# -- witnesses (C2SP tlog-witness)


def ask_witnesses(made: Sequencer, addresses: tuple[str, ...]) -> list[str]:
    """Send the newest checkpoint to each; keep the lines that come back. Returns what went wrong, in words; nothing waits for it."""
    wrong = []
    for address in addresses:
        try:
            _ask(made, address)
        except (httpx.HTTPError, notes.BadNote, LookupError, ValueError) as error:
            wrong.append(f"{address}: {error}")
            log.warning("witness %s: %s", address, error)
    return wrong


def _seen(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,18}\n?", text):
        raise LookupError(f"it does not say how much it has seen: {text[:40]!r}")
    return int(text)


def _ask(made: Sequencer, address: str) -> None:
    """The witness says with 409 how much it has seen; then it gets the proof from there."""
    seen = 0
    for _ in range(_TRIES):
        with made.store.read() as conn:
            row = conn.execute(select(store.checkpoint).order_by(store.checkpoint.c.tree_size.desc()).limit(1)).mappings().one_or_none()
            if row is None or conn.scalar(select(store.cosignature.c.line).where(store.cosignature.c.tree_size == row["tree_size"], store.cosignature.c.witness == address)):
                return
            size = row["tree_size"]
            proof = merkle.consistency(made.suite, sealing.stored(conn, made.suite), seen, size) if 0 < seen < size else []
        lines = "".join(base64.b64encode(one).decode() + "\n" for one in proof)
        said = httpx.post(f"{address.rstrip('/')}/add-checkpoint", content=f"old {seen}\n{lines}\n{row['note']}".encode(), timeout=10)
        if said.status_code == 409:
            before, seen = seen, _seen(said.text)
            if seen > size:
                raise LookupError(f"it has seen {seen} entries, here are {size}: entries are missing here")
            if seen == before:  # it took our start, so it is the root that differs
                raise LookupError(f"it has seen another tree of {seen} entries: what was sealed here was changed")
            continue
        if said.status_code == 422:
            raise LookupError(f"the {seen} entries that it has seen are not the first ones here: what was sealed here was changed")
        said.raise_for_status()
        line = notes.line_of(said.text.partition("\n")[0])
        with made.store.write() as conn:
            conn.execute(insert(store.cosignature).values(tree_size=size, witness=address, line=line.text))
        return
    raise LookupError("it keeps asking for another start")
