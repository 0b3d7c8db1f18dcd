"""The nouns: people, row changes, entries, and the canonical bytes that a seal covers. Frozen values, no I/O."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import rfc8785

Data = Mapping[str, Any]  # JSON: dates as ISO text, money in whole fen

FORMAT = 1  # version of the entry's body; older ones are read by UPCASTERS, never rewritten
SHANGHAI = timezone(timedelta(hours=8), "Asia/Shanghai")  # China has kept one offset, without summer time, since 1991
GENESIS = "0" * 64


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts. `unit` is an organisational code; it covers every unit whose code begins with it."""

    id: str
    name: str = ""
    roles: frozenset[str] = frozenset()
    unit: str = ""
    on_behalf_of: str | None = None

    def covers(self, unit: str) -> bool:
        return unit.startswith(self.unit)


SYSTEM = Actor("system", "系统", frozenset({"system"}), "")


@dataclass(frozen=True, slots=True)
class Put:
    """One change of one business row: `values` are JSON; `subject` says whose personal data they hold."""

    table: str
    id: int
    values: Data
    subject: str | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a record: who, when, what, as it was sealed."""

    record_id: int
    seq: int
    body: bytes
    leaf: str  # SHA-256 over 0x00 and the body, as RFC 6962 hashes a leaf
    said: Data = field(compare=False)  # the body, read
    personal: Mapping[str, Any] = field(default_factory=dict, compare=False)  # subject -> data, or None when erased
    spoiled: tuple[str, ...] = field(default=(), compare=False)  # subjects whose part is gone or altered, though their key is there

    @property
    def event(self) -> str:
        return str(self.said["event"])

    @property
    def data(self) -> Data:
        found: Data = self.said.get("data", {})
        return found

    @property
    def at(self) -> datetime:
        return datetime.fromisoformat(self.said["at"])

    @property
    def actor(self) -> str:
        return str(self.said["actor"]["id"])


def canonical(value: Any) -> bytes:
    """The one byte string of a JSON value (RFC 8785): what is sealed is what is stored."""
    return _ENCODER.encode(value).encode() if _simple(value) else rfc8785.dumps(value)


# The standard library's encoder, in C, writes the same bytes for everything but fractions, huge numbers and strange keys.
_ENCODER = json.JSONEncoder(sort_keys=True, ensure_ascii=False, separators=(",", ":"), check_circular=False)
_EXACT = 2**53 - 1  # JSON numbers beyond it are not exact everywhere


def _simple(value: Any) -> bool:
    kind = type(value)
    if kind is dict:
        return all(type(key) is str and key.isascii() for key in value) and all(map(_simple, value.values()))
    if kind is list or kind is tuple:
        return all(map(_simple, value))
    return kind is str or kind is bool or value is None or (kind is int and -_EXACT <= value <= _EXACT)


def leaf_hash(body: bytes) -> str:
    return hashlib.sha256(b"\x00" + body).hexdigest()


def stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


UPCASTERS: dict[int, Any] = {}  # format version -> function from its body to the next version's


def read_body(body: bytes) -> Data:
    """Parse a stored body, lifted to the newest format; the stored bytes stay as they are."""
    said: dict[str, Any] = json.loads(body)
    while (version := said["v"]) < FORMAT:
        said = UPCASTERS[version](said)
    return said
