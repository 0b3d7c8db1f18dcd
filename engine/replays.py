"""Doing a case again and keeping what came out, so that looking at step after step does not do all of it for each step.

What is kept is a function of the record's bytes: it is found again by a digest of everything that was read, so a changed
byte is never answered from memory. Nothing personal is kept: facts hold none (docs, DESIGN 3.8).
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from engine import sealing, store
from engine.bpmn import Path
from engine.cases import Cases
from engine.model import Data, Entry
from engine.office import Kept, seals_hold
from engine.proof import judge

KEPT = 32  # cases; some hundred KB each when they are long


@dataclass(frozen=True, slots=True)
class Stand:
    """Where a case stood after an entry."""

    path: Path
    facts: Data


@dataclass(frozen=True, slots=True)
class Replayed:
    """What doing a case again gave. result: same | different | cannot. entry: the first one that differs; reason: what kind of
    difference it is (seal | head | tree | replay | record); recorded, computed: both sides; stands: after each entry, as far as it went;
    recorded_law: what it gives by the law that the entries name, where this program's gives something else (result, or "")."""

    result: str
    stands: tuple[Stand, ...] = ()
    entry: int | None = None
    reason: str = ""
    recorded: str = ""
    computed: str = ""
    recorded_law: str = ""

    def at(self, step: int) -> Stand | None:
        return self.stands[step - 1] if 0 < step <= len(self.stands) else None


class Replays:
    """The last cases that were done again. One for each bureau; threads share it."""

    def __init__(self, cases: Cases, kept: int = KEPT) -> None:
        self._cases, self._most = cases, kept
        self._known: OrderedDict[tuple[int, str], Replayed] = OrderedDict()
        self._lock = threading.Lock()
        self.done = 0  # how often a case was done again, for those who want to know whether it was

    def of(self, conn: Connection, row: Mapping[Any, Any], kept: Kept) -> Replayed:
        """`row`: the case's row of `record`; `kept`: what lies there of it."""
        key = (row["id"], kept.digest() + row["head"])
        with self._lock:
            if (found := self._known.get(key)) is not None:
                self._known.move_to_end(key)
        if found is None:
            found = self._again(conn, row, kept)
            with self._lock:
                self._known[key] = found
                while len(self._known) > self._most:
                    self._known.popitem(last=False)
        return found if found.result != "same" else _in_tree(conn, row["id"], kept.closed, found)

    def _again(self, conn: Connection, row: Mapping[Any, Any], kept: Kept) -> Replayed:
        self.done += 1
        entries = kept.entries()
        stands: list[Stand] = []
        verdict = judge(self._cases, conn, entries, lambda _entry, run: stands.append(Stand(run.path(), dict(run.facts))))
        trouble = _seal_trouble(row, entries)
        if trouble is None and verdict.result != "same":
            kind = "replay" if verdict.result == "different" else "record"
            trouble = Replayed(verdict.result, (), verdict.entry, kind, verdict.recorded or verdict.why, verdict.computed, verdict.recorded_law)
        found = trouble or Replayed("same")
        return Replayed(found.result, tuple(stands), found.entry, found.reason, found.recorded, found.computed, found.recorded_law)


def _seal_trouble(row: Mapping[Any, Any], entries: Sequence[Entry]) -> Replayed | None:
    if (broken := seals_hold(entries)) is not None:
        return Replayed("different", (), broken, "seal")
    if not entries or entries[-1].leaf != row["head"]:
        return Replayed("different", (), len(entries), "head", row["head"], entries[-1].leaf if entries else "")
    return None


def _in_tree(conn: Connection, record_id: int, entries: Sequence[Entry], found: Replayed) -> Replayed:
    """Whoever rewrites a whole record can make its chain of seals fit; the tree still has the leaves that were signed. Looked
    at each time: entries that are new today are sealed a moment later."""
    leaves = {row.seq: row.hash for row in conn.execute(select(store.leaf.c.seq, store.leaf.c.hash).where(store.leaf.c.record_id == record_id))}
    if not leaves:
        return found
    suite = sealing.suite_of(conn)
    for entry in entries:
        signed = leaves.get(entry.seq)
        if signed is not None and signed != suite.leaf(entry.body):
            return Replayed("different", found.stands, entry.seq, "tree", signed.hex(), suite.leaf(entry.body).hex())
    if (missing := max(leaves)) > len(entries):
        return Replayed("different", found.stands, len(entries) + 1, "tree", leaves[missing].hex(), "")
    return found
