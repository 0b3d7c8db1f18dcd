"""The nouns: people, row changes, entries, and the canonical bytes that a seal covers. Frozen values, no I/O."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import rfc8785

Data = Mapping[str, Any]  # JSON: dates as ISO text, money in whole fen

FORMAT = 1  # version of the entry's body; older ones are read by UPCASTERS, never rewritten
# Of the rules by which tokens move, conditions are read and days are counted: a change that old records would notice is a new number.
# 2: a limit in calendar days that ends on a day off ends on the next working day (docs/decisions/028).
ENGINE = 2
ROLLS_SINCE = 2
SHANGHAI = timezone(timedelta(hours=8), "Asia/Shanghai")  # China has kept one offset, without summer time, since 1991
GENESIS = "0" * 64
OTHERS = "other:"  # begins the subject of somebody who is named in one entry and is no party: a neighbour, an objector


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts, and in which posts: (role, unit) pairs. A unit is an organisational code; it covers every unit whose code
    begins with it. What somebody may stands in `posts` alone: `unit` is for show, and for entries that name no post.
    Without `posts`, every role is held at `unit`. ValueError when `roles` and `posts` name different roles."""

    id: str
    name: str = ""
    roles: frozenset[str] = frozenset()
    unit: str = ""
    on_behalf_of: str | None = None
    posts: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        posts = tuple(sorted(set(self.posts))) or tuple((role, self.unit) for role in sorted(self.roles))
        if {role for role, _ in posts} != self.roles:
            raise ValueError(f"{self.id}: roles {sorted(self.roles)}, but posts {posts}")
        object.__setattr__(self, "posts", posts)

    @property
    def persons(self) -> tuple[str, ...]:
        """Who is held to the rules: the one who acts, and the one whom he stands in for."""
        return (self.id,) if self.on_behalf_of is None else (self.id, self.on_behalf_of)

    @property
    def holder(self) -> str:
        """In whose name tasks are taken: what a substitute takes stays with the absent one when the substitution ends."""
        return self.on_behalf_of or self.id

    @property
    def areas(self) -> tuple[str, ...]:
        """The units of all posts, without those inside of another one: together what the actor covers."""
        found: list[str] = []
        for unit in sorted({unit for _, unit in self.posts}):  # those inside of a unit follow it at once
            if not found or not unit.startswith(found[-1]):
                found.append(unit)
        return tuple(found)

    def covers(self, unit: str) -> bool:
        """Whether some post does, whatever its role: what may be looked at. What may be done asks for the role, too."""
        return any(unit.startswith(own) for _, own in self.posts)

    def holds(self, role: str, unit: str) -> bool:
        return role in self.roles_at(unit)

    def roles_at(self, unit: str) -> frozenset[str]:
        """The roles of those posts that cover the unit."""
        return frozenset(role for role, own in self.posts if unit.startswith(own))

    def post_over(self, unit: str, roles: Collection[str] | None = None) -> str | None:
        """The unit of the post (with one of the roles) that covers `unit`, the nearest one; None when there is none."""
        found = [own for role, own in self.posts if unit.startswith(own) and (roles is None or role in roles)]
        return max(found, key=len, default=None)

    def only(self, roles: Collection[str]) -> Actor:
        """The same person in the posts with these roles alone."""
        kept = tuple((role, unit) for role, unit in self.posts if role in roles)
        return replace(self, roles=frozenset(role for role, _ in kept), posts=kept)


SYSTEM = Actor("system", "系统", frozenset({"system"}), "")


@dataclass(frozen=True, slots=True)
class Put:
    """One change of one business row: `values` are JSON; `subject` says whose personal data they hold."""

    table: str
    id: int
    values: Data
    subject: str | None = None
    blank: bool = False  # an erasure: the values stand in place of personal ones, and say nothing about anybody


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
    def real(self) -> datetime | None:
        """When it was really written, where the business clock stood elsewhere: only in a demo or training."""
        said = self.said.get("clock")
        return None if said is None else datetime.fromisoformat(said)

    @property
    def actor(self) -> str:
        return str(self.said["actor"]["id"])

    @property
    def answers(self) -> dict[str, Any]:
        """The form's answers, put together from the parts of all whom they concern; without those of who was erased."""
        return joined([(part or {}).get("said") or {} for _, part in sorted(self.personal.items())])


def joined(parts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """One set of answers from what was said under several subjects: rows of one field follow each other."""
    found: dict[str, Any] = {}
    for part in parts:
        for name, value in part.get("answers", {}).items():
            found[name] = [*found[name], *value] if isinstance(value, list) and isinstance(found.get(name), list) else value
    return found


def canonical(value: Any) -> bytes:
    """The one byte string of a JSON value (RFC 8785): what is sealed is what is stored."""
    return _written(value).encode() if _simple(value) else rfc8785.dumps(value)


# The standard library's encoder, in C, writes the same bytes for everything but fractions, huge numbers and strange keys. It is made
# once and not for each value; where Python comes without it, through the front door.
_ENCODER = json.JSONEncoder(sort_keys=True, ensure_ascii=False, separators=(",", ":"), check_circular=False)
_C = getattr(json.encoder, "c_make_encoder", None)
_parts = _C(None, _ENCODER.default, json.encoder.encode_basestring, None, ":", ",", True, False, True) if _C else None
_EXACT = 2**53 - 1  # JSON numbers beyond it are not exact everywhere
_PLAIN = frozenset({str, bool, type(None)})


def _written(value: Any) -> str:
    return "".join(_parts(value, 0)) if _parts else _ENCODER.encode(value)


def _simple(value: Any) -> bool:
    kind = type(value)
    if kind in _PLAIN:
        return True
    if kind is dict:
        for key, one in value.items():  # a loop: this looks at every value of every entry
            if type(key) is not str or not key.isascii() or (type(one) not in _PLAIN and not _simple(one)):
                return False
        return True
    if kind is list or kind is tuple:
        return all(map(_simple, value))
    return kind is int and -_EXACT <= value <= _EXACT


def leaf_hash(body: bytes) -> str:
    return hashlib.sha256(b"\x00" + body).hexdigest()


def stamp(moment: datetime) -> str:
    return f"{moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='microseconds')}Z"


UPCASTERS: dict[int, Any] = {}  # format version -> function from its body to the next version's


def read_body(body: bytes) -> Data:
    """Parse a stored body, lifted to the newest format; the stored bytes stay as they are."""
    said: dict[str, Any] = json.loads(body)
    while (version := said["v"]) < FORMAT:
        said = UPCASTERS[version](said)
    return said
