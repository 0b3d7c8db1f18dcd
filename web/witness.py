"""`yingbao witness`: a machine of somebody else (the audit office) that cosigns checkpoints (C2SP tlog-witness).

It remembers the newest checkpoint of each record that it knows and signs a newer one only with the proof that nothing of the
older one was changed or taken away. It keeps every note that it signed: that file is what an auditor compares with.
"""

from __future__ import annotations

import base64
import binascii
import fcntl
import json
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from flask import Flask, Response, request

from engine import merkle, notes
from engine.notes import BadNote, Ed25519Signer, Verifier

MOST_BYTES, MOST_LINES = 64 * 1024, 63


class Seen:
    """The newest checkpoint of each origin, in a file that is replaced as a whole, and all that was signed, in one that grows."""

    def __init__(self, folder: Path) -> None:
        self._file, self._kept, self._lock = folder / "seen.json", folder / "checkpoints.txt", folder / "lock"
        folder.mkdir(parents=True, exist_ok=True)

    @contextmanager
    def locked(self) -> Iterator[dict[str, Any]]:
        """What was seen; changes to it are kept when the block ends well."""
        with self._lock.open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            known: dict[str, Any] = json.loads(self._file.read_text()) if self._file.exists() else {}
            yield known
            new = self._file.with_suffix(".new")
            with new.open("w") as file:
                file.write(json.dumps(known, indent=1))
                file.flush()
                os.fsync(file.fileno())
            new.replace(self._file)

    def keep(self, note: str) -> None:
        with self._kept.open("a", encoding="utf-8") as file:
            file.write(note + "\n")
            file.flush()
            os.fsync(file.fileno())


def create_witness(signer: Ed25519Signer, logs: Mapping[str, Verifier], seen: Seen, suites: Mapping[str, merkle.Suite] | None = None) -> Flask:
    """`logs`: origin -> the key whose signature is needed; `suites`: origin -> hash, SHA-256 when not named."""
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = MOST_BYTES

    @app.get("/")
    def public() -> Response:
        return _text(signer.witness_public() + "\n")

    @app.post("/add-checkpoint")
    def add() -> Response:
        try:
            old, proof, note = _asked(request.get_data())
            found, lines = notes.read(note)
        except (BadNote, ValueError, UnicodeDecodeError) as error:
            return _text(f"{error}\n", 400)
        key = logs.get(found.origin)
        if key is None:
            return _text("unknown log\n", 404)
        if not any(key.holds(found.text, line) for line in lines):
            return _text("no signature of the log's key holds\n", 403)
        if old > found.size:
            return _text("old is larger than the checkpoint\n", 400)
        with seen.locked() as known:
            return _sign(signer, known, found, old, proof, seen, (suites or {}).get(found.origin, merkle.SHA256), lines)

    return app


def _sign(signer: Ed25519Signer, known: dict[str, Any], found: notes.Checkpoint, old: int, proof: list[bytes], seen: Seen,
          suite: merkle.Suite, lines: list[notes.Line]) -> Response:  # fmt: skip
    last = known.get(found.origin, {"size": 0, "root": suite.digest(b"").hex()})
    if old != last["size"]:
        return Response(f"{last['size']}\n", 409, content_type="text/x.tlog.size")
    if old == found.size and bytes.fromhex(last["root"]) != found.root:
        return Response(f"{last['size']}\n", 409, content_type="text/x.tlog.size")
    if not merkle.consistent(suite, old, found.size, bytes.fromhex(last["root"]), found.root, proof):
        return _text("the proof does not show that the older checkpoint is part of this one\n", 422)
    line = signer.cosign(found.text.encode(), int(time.time()))
    seen.keep(notes.signed(found, [*lines, line]))
    known[found.origin] = {"size": found.size, "root": found.root.hex()}
    return _text(line.text)


def _asked(body: bytes) -> tuple[int, list[bytes], str]:
    head, gap, note = body.decode().partition("\n\n")
    first, *rest = head.split("\n")
    word, _, size = first.partition(" ")
    if not gap or word != "old" or not size.isdecimal() or len(rest) > MOST_LINES:
        raise BadNote("the request is `old N`, at most 63 lines of proof, an empty line, the checkpoint")
    try:
        proof = [base64.b64decode(line, validate=True) for line in rest]
    except binascii.Error:
        raise BadNote("a line of the proof is not base64") from None
    return int(size), proof, note


def _text(said: str, status: int = 200) -> Response:
    return Response(said, status, content_type="text/plain; charset=utf-8")
