"""Signed checkpoints of the tree, as texts that every transparency log reads.

The text is a C2SP tlog-checkpoint (origin, size, root) in a C2SP signed-note; several signatures may stand below it.
Suite 1 signs with Ed25519 (RFC 8032). Suite 2 signs with SM2 (GB/T 32918) through a program of the site, for keys
under cryptography assessment (密评) live in a certified module: see `ProgramSigner`.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from engine.errors import EngineError

ED25519, COSIGNATURE, OTHER = b"\x01", b"\x04", b"\xff"  # kinds of keys by C2SP signed-note
SM2 = OTHER + b"sm2-with-sm3"
_DASH = "\u2014"
_NAME = re.compile(r"[^\s+]+")


class BadNote(EngineError):
    """A note, key or proof that is not well formed, or a signature that does not hold; the text says which."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """size: leaves; root: 32 bytes."""

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        return f"{self.origin}\n{self.size}\n{_b64(self.root)}\n"


@dataclass(frozen=True, slots=True)
class Line:
    """One signature line of a note."""

    name: str
    key_id: bytes
    signature: bytes

    @property
    def text(self) -> str:
        return f"{_DASH} {self.name} {_b64(self.key_id + self.signature)}\n"


class Signer(Protocol):
    """Whoever signs checkpoints: a key file, or a program in front of a module that lets no key out."""

    @property
    def name(self) -> str: ...

    def sign(self, text: bytes) -> Line: ...

    def public(self) -> str:
        """The verifier key in C2SP notation: name+id+base64(kind and key)."""
        ...


def key_id(name: str, kind: bytes, key: bytes) -> bytes:
    return hashlib.sha256(name.encode() + b"\n" + kind + key).digest()[:4]


@dataclass(frozen=True)
class Ed25519Signer:
    name: str
    key: Ed25519PrivateKey

    @property
    def _raw(self) -> bytes:
        return self.key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)

    def sign(self, text: bytes) -> Line:
        return Line(self.name, key_id(self.name, ED25519, self._raw), self.key.sign(text))

    def cosign(self, text: bytes, at: int) -> Line:
        """A C2SP cosignature/v1: the witness saw this checkpoint at `at` (POSIX seconds) and nothing that contradicts it."""
        signed = self.key.sign(f"cosignature/v1\ntime {at}\n".encode() + text)
        return Line(self.name, key_id(self.name, COSIGNATURE, self._raw), at.to_bytes(8, "big") + signed)

    def public(self) -> str:
        return _vkey(self.name, ED25519, self._raw)

    def witness_public(self) -> str:
        return _vkey(self.name, COSIGNATURE, self._raw)


@dataclass(frozen=True)
class ProgramSigner:
    """Signs with a program: the text goes in, the bytes of the signature come out. `key`: the public key as the program's
    counterpart wants it, an SM2 point of 64 bytes (x and y) for instance. RuntimeError when it fails."""

    name: str
    command: Sequence[str]
    key: bytes
    kind: bytes = SM2

    def sign(self, text: bytes) -> Line:
        try:
            done = subprocess.run(list(self.command), input=text, capture_output=True, check=False, timeout=30)  # noqa: S603 - the site's own
        except (OSError, subprocess.SubprocessError) as error:
            raise RuntimeError(f"the signing program failed: {error}") from error
        if done.returncode or not done.stdout:
            raise RuntimeError(f"the signing program failed: {done.stderr.decode(errors='replace')[:200]}")
        return Line(self.name, key_id(self.name, self.kind, self.key), done.stdout)

    def public(self) -> str:
        return _vkey(self.name, self.kind, self.key)


@dataclass(frozen=True, slots=True)
class Verifier:
    """A public key with its name, read from `name+id+base64`."""

    name: str
    id: bytes
    kind: bytes
    key: bytes

    @classmethod
    def parse(cls, text: str) -> Verifier:
        name, _, rest = text.strip().partition("+")
        hashed, _, coded = rest.partition("+")
        raw = _bytes(coded)
        kind = SM2 if raw.startswith(SM2) else raw[:1]
        key = raw[len(kind) :]
        if not _NAME.fullmatch(name) or kind not in (ED25519, COSIGNATURE, SM2) or key_id(name, kind, key).hex() != hashed:
            raise BadNote(f"not a verifier key: {text[:80]}")
        if kind != SM2 and len(key) != 32:
            raise BadNote(f"an Ed25519 key has 32 bytes: {name}")
        return cls(name, bytes.fromhex(hashed), kind, key)

    def holds(self, text: str, line: Line) -> bool:
        """Whether this key made the line under the text. SM2 is verified by the auditor's own module, not here."""
        if line.name != self.name or line.key_id != self.id or self.kind == SM2:
            return False
        signed, signature = text.encode(), line.signature
        if self.kind == COSIGNATURE:
            at, signature = int.from_bytes(signature[:8], "big"), signature[8:]
            signed = f"cosignature/v1\ntime {at}\n".encode() + signed
        try:
            Ed25519PublicKey.from_public_bytes(self.key).verify(signature, signed)
        except InvalidSignature:
            return False
        return True


def signed(checkpoint: Checkpoint, lines: Iterable[Line]) -> str:
    return checkpoint.text + "\n" + "".join(line.text for line in lines)


def read(note: str) -> tuple[Checkpoint, list[Line]]:
    """A checkpoint and the lines below it; BadNote when it is not one. Whether the lines hold is `Verifier.holds`."""
    text, gap, below = note.rpartition("\n\n")
    parts = text.split("\n")
    if not gap or len(parts) < 3 or not parts[0] or not re.fullmatch(r"0|[1-9][0-9]{0,18}", parts[1]):
        raise BadNote("not a checkpoint")
    root = _bytes(parts[2])
    if len(root) != 32 or len(parts) > 3:
        raise BadNote("not a checkpoint with a root of 32 bytes and nothing further")
    return Checkpoint(parts[0], int(parts[1]), root), [line_of(one) for one in below.splitlines()]


def line_of(text: str) -> Line:
    parts = text.rstrip("\n").split(" ")
    if len(parts) != 3 or parts[0] != _DASH or not _NAME.fullmatch(parts[1]):
        raise BadNote(f"not a signature line: {text[:80]!r}")
    raw = _bytes(parts[2])
    if len(raw) < 5:
        raise BadNote("a signature line without a signature")
    return Line(parts[1], raw[:4], raw[4:])


def _vkey(name: str, kind: bytes, key: bytes) -> str:
    return f"{name}+{key_id(name, kind, key).hex()}+{_b64(kind + key)}"


def _b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise BadNote(f"not base64: {text[:40]!r}") from None
