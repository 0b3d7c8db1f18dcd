"""The sequencer's work: committed entries become leaves of one tree, and each batch ends with a signed checkpoint.

A record's chain of seals shows that nothing inside it changed; the tree shows that no record went missing, and a checkpoint
that is kept elsewhere shows it also against whoever owns the database. Entries wait in `pending`, where a trigger puts
them in the transaction that wrote them: work never waits for the tree.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, delete, func, insert, select, text, tuple_

from engine import merkle, notes, store
from engine.merkle import Get, Suite
from engine.model import leaf_hash, read_body
from engine.notes import Checkpoint, Signer
from engine.store import Store

STEP = 8  # of the levels that are stored: subtrees of 2**8, 2**16 … leaves
BATCH = 200  # entries in one transaction: it holds SQLite's only write lock
LATE = 60  # seconds: an entry that waits longer is an alarm
_LOCK = 0x7969_6E67  # advisory lock of the sequencer: one at a time, whichever machine
_AT = 48


class Unsealable(Exception):
    """A stored entry is not what it was when it was written; it is left out of the tree and reported."""

    def __init__(self, record_id: int, seq: int, why: str) -> None:
        super().__init__(f"record {record_id}, entry {seq}: {why}")
        self.record_id, self.seq, self.why = record_id, seq, why


@dataclass(frozen=True, slots=True)
class Sealed:
    """What a batch did. left: whether more entries wait; faults: entries that were left out."""

    count: int = 0
    left: bool = False
    faults: tuple[Unsealable, ...] = ()
    checkpoint: str | None = None


@dataclass
class Sequencer:
    store: Store
    signer: Signer
    origin: str
    suite: Suite = merkle.SHA256
    now: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))

    def run(self) -> Sealed:
        """Seal all that waits, a batch at a time."""
        total, faults = 0, dict[tuple[int, int], Unsealable]()
        while True:
            done = self.batch(frozenset(faults))
            total += done.count
            faults |= {(fault.record_id, fault.seq): fault for fault in done.faults}
            if not done.left:
                return Sealed(total, left=False, faults=tuple(faults.values()), checkpoint=done.checkpoint)

    def batch(self, but: frozenset[tuple[int, int]] = frozenset()) -> Sealed:
        """One transaction: the entries that wait longest become leaves, and a checkpoint is signed. Another sequencer at work: nothing."""
        with self.store.write() as conn:
            if not self.store.sqlite and not conn.scalar(text("SELECT pg_try_advisory_xact_lock(:lock)"), {"lock": _LOCK}):
                return Sealed()
            rows = conn.execute(_waiting(but)).all()
            faults = [fault for row in rows if (fault := _fault(row)) is not None]
            spoiled = {(fault.record_id, fault.seq) for fault in faults}
            good = sorted((row for row in rows if (row.record_id, row.seq) not in spoiled), key=lambda row: (row.record_id, row.seq))
            if not good:
                return Sealed(0, len(rows) == BATCH, tuple(faults))
            size = self._grow(conn, good)
            note = self._sign(conn, size)
            return Sealed(len(good), len(rows) == BATCH, tuple(faults), note)

    def _grow(self, conn: Connection, rows: Sequence[Row[Any]]) -> int:
        size = tree_size(conn)
        leaves = [{"leaf_index": size + n, "record_id": row.record_id, "seq": row.seq, "hash": self.suite.leaf(row.body)} for n, row in enumerate(rows)]
        conn.execute(insert(store.leaf), leaves)
        conn.execute(delete(store.pending).where(tuple_(store.pending.c.record_id, store.pending.c.seq).in_([(row.record_id, row.seq) for row in rows])))
        end = size + len(rows)
        level = STEP
        while end >> level:
            first, last = size >> level, end >> level
            get = stored(conn, self.suite)
            made = [{"id": number(level, n), "hash": _made(self.suite, get, level, n)} for n in range(first, last)]
            if made:
                conn.execute(insert(store.node), made)
            level += STEP
        return end

    def _sign(self, conn: Connection, size: int) -> str:
        found = Checkpoint(self.origin, size, merkle.root(self.suite, stored(conn, self.suite), size))
        note = notes.signed(found, [self.signer.sign(found.text.encode())])
        conn.execute(insert(store.checkpoint).values(tree_size=size, root=found.root, note=note, at=self.now()))
        return note


def _waiting(but: frozenset[tuple[int, int]]) -> Select[Any]:
    waits, kept = store.pending, store.entry
    found = select(waits.c.record_id, waits.c.seq, kept.c.body, kept.c.leaf).outerjoin(
        kept, and_(kept.c.record_id == waits.c.record_id, kept.c.seq == waits.c.seq)
    )
    if but:
        found = found.where(tuple_(waits.c.record_id, waits.c.seq).not_in(sorted(but)))
    return found.order_by(waits.c.since, waits.c.record_id, waits.c.seq).limit(BATCH)


def _fault(row: Row[Any]) -> Unsealable | None:
    """The bytes are read once more before they are sealed for good: a bit may have flipped, or somebody was quicker."""
    if row.body is None:
        return Unsealable(row.record_id, row.seq, "the entry is gone")
    if leaf_hash(row.body) != row.leaf:
        return Unsealable(row.record_id, row.seq, "its bytes do not fit its seal")
    try:
        said = read_body(row.body)
    except (ValueError, KeyError):
        return Unsealable(row.record_id, row.seq, "its bytes cannot be read")
    if (said.get("record"), said.get("seq")) != (row.record_id, row.seq):
        return Unsealable(row.record_id, row.seq, "its bytes belong to another entry")
    return None


def number(level: int, index: int) -> int:
    """The id of a stored node."""
    return (level << _AT) + index


def place(node: int) -> tuple[int, int]:
    """Level and index of a stored node, from its id."""
    return node >> _AT, node & (1 << _AT) - 1


def tree_size(conn: Connection) -> int:
    last: int | None = conn.scalar(select(func.max(store.leaf.c.leaf_index)))
    return 0 if last is None else last + 1


def _made(suite: Suite, get: Get, level: int, index: int) -> bytes:
    """A full subtree's hash from the stored level below."""
    below = level - STEP
    hashes = [get(below, (index << STEP) + n) for n in range(1 << STEP)]
    while len(hashes) > 1:
        hashes = [suite.parent(hashes[n], hashes[n + 1]) for n in range(0, len(hashes), 2)]
    return hashes[0]


def stored(conn: Connection, suite: Suite) -> Get:
    """Hashes of full subtrees, from the stored levels; what was read is remembered as long as the function lives."""
    known: dict[tuple[int, int], bytes] = {}

    def load(level: int, start: int, count: int) -> None:
        if level == 0:
            table, key, base = store.leaf, store.leaf.c.leaf_index, 0
        else:
            table, key, base = store.node, store.node.c.id, number(level, 0)
        for row in conn.execute(select(key, table.c.hash).where(key.between(base + start, base + start + count - 1))):
            known[level, row[0] - base] = row[1]

    def get(level: int, index: int) -> bytes:
        if (level, index) not in known:
            floor = level - level % STEP
            if floor == level:
                load(level, index >> STEP << STEP, 1 << STEP)  # its neighbours are asked for next
                if (level, index) not in known:
                    raise LookupError(f"the tree has no hash {index} at level {level}")
            else:
                known[level, index] = suite.parent(get(level - 1, 2 * index), get(level - 1, 2 * index + 1))
        return known[level, index]

    return get


# -- what others ask of the tree


@dataclass(frozen=True, slots=True)
class State:
    """How the tree stands. waiting: entries without a leaf; oldest: seconds for which the first of them waits."""

    size: int
    waiting: int
    oldest: int
    checkpoint: str | None
    signed_at: datetime | None

    @property
    def late(self) -> bool:
        return self.oldest > LATE


def state(conn: Connection) -> State:
    table, waits = store.checkpoint, store.pending
    last = conn.execute(select(table).order_by(table.c.tree_size.desc()).limit(1)).mappings().one_or_none()
    count, since = conn.execute(select(func.count(), func.min(waits.c.since))).one()
    oldest = max(0, int(time.time()) - since) if since is not None else 0
    return State(tree_size(conn), count, oldest, last["note"] if last else None, last["at"] if last else None)


def index_of(conn: Connection, record_id: int, seq: int) -> int | None:
    """The entry's place in the tree; None while it waits."""
    found: int | None = conn.scalar(select(store.leaf.c.leaf_index).where(store.leaf.c.record_id == record_id, store.leaf.c.seq == seq))
    return found


def latest(conn: Connection) -> Mapping[Any, Any] | None:
    """The newest checkpoint's row, with the witnesses' lines below its note."""
    table = store.checkpoint
    row = conn.execute(select(table).order_by(table.c.tree_size.desc()).limit(1)).mappings().one_or_none()
    if row is None:
        return None
    lines = conn.scalars(select(store.cosignature.c.line).where(store.cosignature.c.tree_size == row["tree_size"]).order_by(store.cosignature.c.witness)).all()
    return {**row, "note": row["note"] + "".join(lines)}


def suite_of(conn: Connection) -> Suite:
    """Which hash the tree was made with: whichever fits more of some leaves, for one of them may have been altered."""
    same = and_(store.entry.c.record_id == store.leaf.c.record_id, store.entry.c.seq == store.leaf.c.seq)
    step = max(1, tree_size(conn) // 100)
    query = select(store.leaf.c.hash, store.entry.c.body).join(store.entry, same).where(store.leaf.c.leaf_index % step == 0)
    rows = conn.execute(query.order_by(store.leaf.c.leaf_index).limit(101)).all()
    return max((merkle.SHA256, merkle.SM3), key=lambda suite: sum(suite.leaf(row.body) == row.hash for row in rows))
