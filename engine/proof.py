"""Is the record what it was? What each check finds, named by record and entry; nothing here changes anything.

`faults_of` looks at one record: seals, chain, personal parts, head. `Tree` looks at the tree over all: leaves against the
stored bytes, every checkpoint against the leaves below it. `judge` does a case again. `yingbao verify` runs all of them,
the pages one case.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import Connection, and_, select
from sqlalchemy.exc import SQLAlchemyError

from engine import notes, store
from engine.audit_verify import sm2
from engine.bpmn import Run, unpacked
from engine.cases import Cases
from engine.crypto import BoundKeys
from engine.errors import Cannot, Diverged
from engine.merkle import Suite
from engine.model import GENESIS, Entry, canonical, leaf_hash, stamp
from engine.office import read_entry, stored_of
from engine.sealing import STEP, number, place
from engine.step import CAUSES, fingerprint, standings

LISTED = 100  # missing entries of one gap that are named one by one


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is not as it was written. seq: None when it concerns the whole record."""

    record: int | None
    seq: int | None
    what: str

    def __str__(self) -> str:
        where = "the tree" if self.record is None else f"record {self.record}" + (f", entry {self.seq}" if self.seq else "")
        return f"{where}: {self.what}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What doing a case again gave. result: same | different | cannot; entry: where it differs, or stops; by_record: entries
    whose computation was not done again, because what it was computed from has been erased."""

    result: str
    entries: int
    entry: int | None = None
    recorded: str = ""
    computed: str = ""
    why: str = ""
    by_record: tuple[int, ...] = ()
    recorded_law: str = ""

    @property
    def mark(self) -> str:
        """Names this difference and no other: what two persons accept is this one."""
        return hashlib.sha256(canonical([self.result, self.entry, self.recorded, self.computed, self.why])).hexdigest()


def faults_of(conn: Connection, keys: BoundKeys, row: Mapping[Any, Any], erased: Collection[str] = ()) -> tuple[list[Fault], list[Entry]]:
    """All that is wrong in one record, and its entries as far as they can be read. `row`: of the table `record`; `erased`:
    subjects whose key was erased by an act that stands in the record."""
    record_id, found, entries = row["id"], list[Fault](), list[Entry]()
    before, due = frozenset({GENESIS}), 1
    stored, payloads = stored_of(conn, record_id)
    for kept in stored:
        parts = payloads.pop(kept.seq, {})
        found += _gone(record_id, due, kept.seq - 1)
        fault = _fault(kept, before if kept.seq == due else None, row["kind"])
        before, due = frozenset({kept.leaf, leaf_hash(kept.body)}), kept.seq + 1
        if fault:
            found.append(Fault(record_id, kept.seq, fault))
            continue
        entries.append(one := read_entry(keys, kept, parts))
        found += [Fault(record_id, one.seq, f"{subject}: {what}") for subject, what in _parts(one, parts, erased)]
    found += [Fault(record_id, seq, "a personal part without its entry") for seq in sorted(payloads)]
    found += _gone(record_id, due, row["seq"])
    if not found and (row["seq"], row["head"]) != (len(stored), stored[-1].leaf if stored else GENESIS):
        found.append(Fault(record_id, len(stored), "the last entry is not the head of the record"))
    return found, entries


def _gone(record_id: int, first: int, last: int) -> list[Fault]:
    """Each entry from `first` to `last`; what is beyond LISTED in one line: a single altered number can stand a million away."""
    named = [Fault(record_id, n, "the entry is gone") for n in range(first, min(last, first + LISTED - 1) + 1)]
    if last >= first + LISTED:
        named.append(Fault(record_id, first + LISTED, f"the entry is gone, and so is each up to {last}"))
    return named


def _parts(one: Entry, parts: Mapping[str, Any], erased: Collection[str]) -> Iterator[tuple[str, str]]:
    named = one.said.get("sealed", {})
    for subject in sorted(named.keys() | parts.keys()):
        if subject not in named:
            yield subject, "a personal part that the entry does not name"
        elif subject in one.spoiled or subject not in parts:
            yield subject, "the personal part is gone or altered"
        elif one.personal[subject] is None and subject not in erased:
            yield subject, "the key is gone, and no entry says that it was erased"


def _fault(kept: Any, before: Collection[str] | None, kind: str) -> str:
    """What is wrong with the stored bytes. `before`: seals that it may follow; None when its predecessor is gone."""
    if leaf_hash(kept.body) != kept.leaf:
        return "the seal does not fit its bytes"
    try:
        said = json.loads(kept.body)
        if canonical(said) != kept.body:
            return "the bytes are not in their one form"
        told = (said["record"], said["seq"], said["kind"])
        prev = said["prev"]
    except (ValueError, KeyError, TypeError):
        return "the bytes cannot be read"
    if told != (kept.record_id, kept.seq, kind):
        return "the bytes belong to another entry"
    if before is not None and prev not in before:
        return "it does not follow on the entry before"
    return ""


def row_faults(row: Mapping[Any, Any], entries: Sequence[Entry]) -> list[Fault]:
    """A case's own row against its entries: what pages and lists show of it."""
    first, last = entries[0], entries[-1]
    causes = [entry for entry in entries if entry.event in CAUSES]
    ended = causes[-1].data["then"].get("ended") if causes[-1].event != "task_taken_back" else None
    stands = standings(entries)[-1]
    wanted: dict[str, Any] = {"no": first.data["no"], "process": stands.process, "drawing": stands.drawing, "opened_by": first.actor,
              "opened_at": first.said["at"], "outcome": ended, "closed_at": causes[-1].said["at"] if ended else None,
              "state": causes[-1].data["state"]}  # fmt: skip
    known = {name: row[name] for name in wanted} | {
        "opened_at": stamp(row["opened_at"]), "closed_at": row["closed_at"] and stamp(row["closed_at"]), "state": _state(row["state"])
    }  # fmt: skip
    return [Fault(row["id"], last.seq, f"the case's row shows another {name}") for name in wanted if known[name] != wanted[name]]


def _state(kept: bytes) -> str:
    try:
        return fingerprint(unpacked(kept))
    except Exception:  # noqa: BLE001 - whatever a broken state makes of the decompression
        return ""


def judge(cases: Cases, conn: Connection, entries: Sequence[Entry], seen: Callable[[Entry, Run], None] = lambda _entry, _run: None) -> Verdict:
    """Do a case again, with the recorded drawing, rules and calendar, and compare. `seen` is told each entry with the Run
    after it, as far as it goes. The one judgement for pages, API and command line. By this program's law, which shows what a
    change of it reaches; where that gives something else, also by the law that each entry names (decisions 014, 032)."""
    verdict = _judged(cases, conn, entries, seen, recorded_law=False)
    if verdict.result == "same" or not any("law" in entry.data for entry in entries):
        return verdict
    return replace(verdict, recorded_law=_judged(cases, conn, entries, lambda _entry, _run: None, recorded_law=True).result)


def _judged(cases: Cases, conn: Connection, entries: Sequence[Entry], seen: Callable[[Entry, Run], None], *, recorded_law: bool) -> Verdict:
    by_record, done = list[int](), 0
    try:
        for entry, run in cases.replaying(conn, entries, by_record.append, recorded_law=recorded_law):
            seen(entry, run)
            done += 1
    except Diverged as error:
        return Verdict("different", len(entries), error.seq, str(error.recorded), str(error.computed))
    except Cannot as error:
        return Verdict("cannot", len(entries), error.seq, why=str(error))
    except SQLAlchemyError:
        raise  # the database failed, and nothing is known of the case
    except Exception as error:  # noqa: BLE001 - whatever a spoiled entry, or a condition that nothing answers, makes of it
        at = entries[done].seq if done < len(entries) else None
        return Verdict("cannot", len(entries), at, why=f"{type(error).__name__}: {error}")
    return Verdict("same", len(entries), by_record=tuple(dict.fromkeys(by_record)))


@dataclass
class Tree:
    """The tree as it is stored, looked at once from its first leaf to its last. `keys`: who may have signed; `origin`: the log that its
    checkpoints name; `unjudged`: checkpoints
    whose signature could not be checked, for there is no key, or no `openssl` that verifies SM2."""

    suite: Suite
    keys: Sequence[notes.Verifier] = ()
    origin: str | None = None
    size: int = 0
    unjudged: int = 0
    _left: list[bytes] = field(default_factory=list)  # roots of the full subtrees so far, the largest first
    _closed: dict[int, bytes] = field(default_factory=dict)  # level -> the full subtree closed last
    _gap: bool = False
    _other: list[int] = field(default_factory=list)  # sizes of good signatures over other roots: one cause, many of them

    def faults(self, conn: Connection, old: Sequence[notes.Checkpoint] = ()) -> Iterator[Fault]:
        """`old`: checkpoints kept elsewhere; this tree must begin with each of them."""
        table, last = store.checkpoint, 0
        signed: dict[int, Mapping[Any, Any]] = {row["tree_size"]: row for row in conn.execute(select(table)).mappings()}
        last = max(signed, default=0)
        kept: dict[int, list[notes.Checkpoint]] = {}
        for one in old:
            kept.setdefault(one.size, []).append(one)
        nodes: dict[int, bytes] = {row.id: row.hash for row in conn.execute(select(store.node))}
        yield from self._at(signed, kept)
        for row in conn.execution_options(yield_per=1000).execute(_LEAVES):
            yield from self._leaf(row)
            yield from self._nodes(nodes)
            yield from self._at(signed, kept)
        if self._other:
            yield Fault(None, None, f"checkpoint {self._other[0]} was signed over other entries" + f" (and {len(self._other) - 1} later ones)" * (len(self._other) > 1))
        yield from (Fault(None, None, f"node {'/'.join(map(str, place(n)))} is none of the tree's") for n in sorted(nodes))
        yield from (Fault(None, None, f"a checkpoint for {size} entries, but there are {self.size} leaves") for size in sorted(signed))
        yield from (Fault(None, None, f"{size} entries were here once, now there are {self.size}: entries were taken away") for size in sorted(kept))
        if last < self.size:
            yield Fault(None, None, "no checkpoint stands at the end of the tree")
        yield from _unsealed(conn)

    @property
    def root(self) -> bytes:
        if not self._left:
            return self.suite.digest(b"")
        found = self._left[-1]
        for one in reversed(self._left[:-1]):
            found = self.suite.parent(one, found)
        return found

    def _leaf(self, row: Any) -> Iterator[Fault]:
        if row.leaf_index != self.size:
            yield from (Fault(None, None, f"leaf {n} of the tree is missing") for n in range(self.size, min(row.leaf_index, self.size + 1000)))
            self.size, self._gap = row.leaf_index, True  # from here on no root can be made
        made = None if row.body is None else self.suite.leaf(row.body)
        if made is None:
            yield Fault(row.record_id, row.seq, "the entry is gone, it stands in the tree")
        elif made != row.hash and leaf_hash(row.body) == row.leaf:
            yield Fault(row.record_id, row.seq, "the leaf in the tree is not this entry's")
            self._add(made)  # the entry fits its seal: rather the leaf was altered, and the checkpoints will tell
            return
        elif made != row.hash:
            yield Fault(row.record_id, row.seq, "the entry is not the one that was sealed in the tree")
        self._add(row.hash)

    def _add(self, leaf: bytes) -> None:
        made, level, count = leaf, 0, self.size
        while count & 1 and self._left:
            made, level, count = self.suite.parent(self._left.pop(), made), level + 1, count >> 1
            self._closed[level] = made
        self._left.append(made)
        self.size += 1

    def _nodes(self, nodes: dict[int, bytes]) -> Iterator[Fault]:
        level = STEP
        while self.size % (1 << level) == 0:
            found = nodes.pop(number(level, (self.size >> level) - 1), None)
            if found != self._closed.get(level) and not self._gap:
                yield Fault(None, None, f"node {level}/{(self.size >> level) - 1} of the tree is {'missing' if found is None else 'not what its leaves give'}")
            level += STEP

    def _at(self, signed: dict[int, Mapping[Any, Any]], kept: dict[int, list[notes.Checkpoint]]) -> Iterator[Fault]:
        root = b"" if self._gap else self.root if self.size in kept or self.size in signed else b""
        for one in kept.pop(self.size, ()):
            if one.root != root:
                yield Fault(None, None, f"a checkpoint kept elsewhere saw other entries among the first {self.size}")
        row = signed.pop(self.size, None)
        if row is None:
            return
        try:
            found, lines = notes.read(row["note"])
        except notes.BadNote as error:
            yield Fault(None, None, f"checkpoint {self.size}: {error}")
            return
        good = self._signed(found, lines)
        self.unjudged += good is None
        if good is False:
            yield Fault(None, None, f"checkpoint {self.size} is not signed with a known key")
        elif self.origin is not None and found.origin != self.origin:
            yield Fault(None, None, f"checkpoint {self.size} is of another log: {found.origin}")
        elif (found.size, found.root) != (self.size, row["root"]):
            yield Fault(None, None, f"checkpoint {self.size} says something else in its note")
        elif row["root"] != root:
            self._other.append(self.size)

    def _signed(self, found: notes.Checkpoint, lines: Sequence[notes.Line]) -> bool | None:
        """None: nobody here can say."""
        if not self.keys:
            return None
        said = [_holds(key, found.text, line) for key in self.keys for line in lines]
        return True if True in said else None if None in said else False


@dataclass
class Cosigned:
    """The lines of witnesses under the stored checkpoints. `keys`: of the witnesses; held: lines that hold; unknown: of other keys."""

    keys: Sequence[notes.Verifier] = ()
    held: int = 0
    unknown: int = 0

    def faults(self, conn: Connection) -> Iterator[Fault]:
        table, signed = store.cosignature, store.checkpoint
        query = select(table, signed.c.note).outerjoin(signed, signed.c.tree_size == table.c.tree_size).order_by(table.c.tree_size, table.c.witness)
        for row in conn.execute(query):
            if row.note is None:
                yield Fault(None, None, f"a witness ({row.witness}) signed a checkpoint of {row.tree_size} entries, which is not here")
                continue
            try:
                line, found = notes.line_of(row.line), notes.read(row.note)[0]
            except notes.BadNote as error:
                yield Fault(None, None, f"the line of the witness {row.witness} under checkpoint {row.tree_size}: {error}")
                continue
            known = [key for key in self.keys if (key.name, key.id) == (line.name, line.key_id)]
            self.unknown += not known
            if any(key.holds(found.text, line) for key in known):
                self.held += 1
            elif known:
                yield Fault(None, None, f"the line of the witness {row.witness} under checkpoint {row.tree_size} does not hold")


def _holds(key: notes.Verifier, text: str, line: notes.Line) -> bool | None:
    """Like the auditor's program, which has SM2 verified by the system's openssl."""
    if key.kind != notes.SM2:
        return key.holds(text, line)
    return (line.name, line.key_id) == (key.name, key.id) and sm2(key.key, text.encode(), line.signature)


_LEAVES = (
    select(store.leaf, store.entry.c.body, store.entry.c.leaf)
    .outerjoin(store.entry, and_(store.entry.c.record_id == store.leaf.c.record_id, store.entry.c.seq == store.leaf.c.seq))
    .order_by(store.leaf.c.leaf_index)
)


def _unsealed(conn: Connection) -> Iterator[Fault]:
    """Every entry stands in the tree, or waits for it."""
    entry, leaf, waits = store.entry, store.leaf, store.pending
    query = (
        select(entry.c.record_id, entry.c.seq)
        .outerjoin(leaf, and_(leaf.c.record_id == entry.c.record_id, leaf.c.seq == entry.c.seq))
        .outerjoin(waits, and_(waits.c.record_id == entry.c.record_id, waits.c.seq == entry.c.seq))
        .where(leaf.c.leaf_index.is_(None), waits.c.seq.is_(None))
        .order_by(entry.c.record_id, entry.c.seq)
    )
    for row in conn.execute(query):
        yield Fault(row.record_id, row.seq, "the entry neither stands in the tree nor waits for it")
