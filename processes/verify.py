"""`yingbao verify` over a whole district: every record's seals, the tree, every case done again; in several processes,
with a file from which an interrupted run goes on.

    records ──chunks──> processes: faults_of + judge ─┐
    tree    ──────────> this process: Tree.faults ────┴─> Report
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Self

from sqlalchemy import Connection, select

from engine import guard, notes, sealing, store
from engine.errors import EngineError, NotFound
from engine.proof import Cosigned, Fault, Tree, faults_of, judge, row_faults
from processes import divergences, dmn, erasure, law
from processes.bureau import Bureau, build

CHUNK = 50  # records at a time for one process
FEW = 1000  # records that are looked at sooner than other processes have started


class BadResume(EngineError):
    """A file of results that was not written by an interrupted run; the text says which."""


@dataclass
class Report:
    """records, cases: how many were looked at; faults and wrong: what was found, each with its record and entry; accepted: cases
    whose difference two persons have accepted; by_record: cases parts of which go by the recorded result, for the rest is erased;
    cosigned, cosigned_unknown: witnesses' lines that hold, and those of witnesses whose key was not given;
    earlier: how many records were looked at by an earlier, interrupted run, and hold the same bytes now;
    signatures: checked | none (nothing is sealed, or one case was looked at) | no key | no openssl (that verifies SM2)."""

    records: int = 0
    cases: int = 0
    entries: int = 0
    sealed: int = 0
    waiting: int = 0
    signatures: str = "none"
    cosigned: int = 0
    cosigned_unknown: int = 0
    earlier: int = field(default=0, compare=False)
    faults: list[dict[str, Any]] = field(default_factory=list)
    wrong: list[dict[str, Any]] = field(default_factory=list)
    accepted: list[dict[str, Any]] = field(default_factory=list)
    by_record: list[dict[str, Any]] = field(default_factory=list)

    @property
    def good(self) -> bool:
        """Nothing wrong was found. Whether everything was looked at is `complete`."""
        return not self.faults and not self.wrong

    @property
    def complete(self) -> bool:
        return self.signatures in ("checked", "none")

    @property
    def exit(self) -> int:
        """0 all as it was written; 1 something is not; 2 nothing wrong was found, but who signed could not be checked."""
        return 1 if not self.good else 0 if self.complete else 2

    def take(self, said: Mapping[str, Any]) -> None:
        self.records += 1
        self.cases += said["case"] is not None
        self.entries += said["entries"]
        self.faults += said["faults"]
        for name in ("wrong", "accepted", "by_record"):
            if said[name]:
                getattr(self, name).append({"case": said["case"], **said[name]})


def run(settings: Any, *, processes: int = 1, resume: Path | None = None, old: Sequence[notes.Checkpoint] = (),
        keys: Sequence[notes.Verifier] = (), witnesses: Sequence[notes.Verifier] = (), told: Callable[[int, int], None] = lambda _done, _all: None, only: str | None = None) -> Report:  # fmt: skip
    """`resume`: where each record's result is kept while it runs; a record whose bytes have changed since, or in which something was
    wrong, is looked at again. `witnesses`: keys of those whose lines are checked. `told` hears
    how many of how many records are done. `only`: one case, and no tree."""
    made = build(settings)
    try:
        report = _run(made, processes, resume, told, only)
        if only is None:
            _whole(made, report, old, keys, witnesses)
    finally:
        made.office.store.close()
    if resume is not None:
        resume.unlink(missing_ok=True)
    return report


def _run(made: Bureau, processes: int, resume: Path | None, told: Callable[[int, int], None], only: str | None) -> Report:
    report = Report()
    known = _known(resume, made)
    with made.office.snapshot() as conn:
        rows = conn.execute(select(store.record.c.id, store.record.c.no).order_by(store.record.c.id)).all()
        for stands in conn.execute(select(store.record)).mappings().all() if known else ():
            if stands["id"] in known and known[stands["id"]]["bytes"] != _bytes(conn, stands):
                del known[stands["id"]]
        if only is not None:
            rows = [row for row in rows if row.no == only]
            if not rows:
                raise NotFound(f"没有这件个案：{only}")
    open_ = {row.id: None for row in rows if row.id not in known}
    for row in rows:
        if row.id not in open_:
            report.take(known[row.id])
    report.earlier = report.records
    told(len(rows) - len(open_), len(rows))
    with _Kept(resume, made, fresh=not known) as kept:
        for said in _looked_at(made, list(open_), processes):
            report.take(said)
            kept.add(said)
            told(report.records, len(rows))
    return report


def _whole(made: Bureau, report: Report, old: Sequence[notes.Checkpoint], keys: Sequence[notes.Verifier], witnesses: Sequence[notes.Verifier]) -> None:
    with made.office.snapshot() as conn:
        suite, state = sealing.suite_of(conn), sealing.state(conn)
        named = {(fault["record"], fault["entry"]) for fault in report.faults}
        tree = Tree(suite, keys, made.office.origin)
        found = [fault for fault in tree.faults(conn, old) if fault.record is None or (fault.record, fault.seq) not in named]
        found += [Fault(None, None, f"the guard is off: trigger {name} is missing, or does something else") for name in guard.missing(conn)]
        lines = Cosigned(witnesses)
        found += [*lines.faults(conn), *_orphans(conn), *_altered_laws(conn)]
    report.faults += [_said(fault) for fault in found]
    report.sealed, report.waiting = state.size, state.waiting
    report.cosigned, report.cosigned_unknown = lines.held, lines.unknown
    if state.size:
        report.signatures = "checked" if not tree.unjudged else "no openssl" if keys else "no key"


def _altered_laws(conn: Connection) -> list[Fault]:
    rows = conn.execute(select(store.law).order_by(store.law.c.digest))
    return [Fault(None, None, f"the kept text of the law {row.digest} is altered") for row in rows if hashlib.sha256(row.text).hexdigest() != row.digest]


def _orphans(conn: Connection) -> list[Fault]:
    """Entries and personal parts of records that are gone."""
    found = []
    for table, what in ((store.entry, "an entry"), (store.payload, "a personal part")):
        query = select(table.c.record_id, table.c.seq).outerjoin(store.record, store.record.c.id == table.c.record_id).where(store.record.c.id.is_(None)).distinct()
        found += [Fault(row.record_id, row.seq, f"{what} of a record that is gone") for row in conn.execute(query)]
    return found


def _looked_at(made: Bureau, ids: Sequence[int], processes: int) -> Iterator[dict[str, Any]]:
    chunks = [ids[n : n + CHUNK] for n in range(0, len(ids), CHUNK)]
    if processes < 2 or len(chunks) < 2 or len(ids) <= FEW:
        for chunk in chunks:
            yield from look(made, chunk)
        return
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn"), initializer=_begin, initargs=(made.settings,)) as pool:
        for done in pool.map(_chunk, chunks):
            yield from done


_MADE: list[Bureau] = []  # of a worker process


def _begin(settings: Any) -> None:
    _MADE.append(build(settings))


def _chunk(ids: Sequence[int]) -> list[dict[str, Any]]:
    return look(_MADE[0], ids)


def look(made: Bureau, ids: Sequence[int]) -> list[dict[str, Any]]:
    """What is to be said of each of these records."""
    found = []
    with made.office.snapshot() as conn:
        keys, erased = made.office.keys.on(conn), erasure.erased(conn)
        for row in conn.execute(select(store.record).where(store.record.c.id.in_(ids)).order_by(store.record.c.id)).mappings():
            faults, entries = faults_of(conn, keys, row, erased)
            said: dict[str, Any] = {"record": row["id"], "bytes": _bytes(conn, row), "case": row["no"], "entries": len(entries), "wrong": None, "accepted": None, "by_record": None}
            if row["kind"] == "case" and not faults and entries:
                verdict = judge(made.cases, conn, entries)
                if verdict.result == "same":
                    faults += row_faults(row, entries)
                    said["by_record"] = {"entries": list(verdict.by_record)} if verdict.by_record else None
                else:
                    agreed = verdict.mark in divergences.accepted(conn, row["id"])
                    said["accepted" if agreed else "wrong"] = _told(asdict(verdict))
            found.append({**said, "faults": [_said(fault, row["no"]) for fault in faults]})
    return found


def _bytes(conn: Connection, row: Mapping[Any, Any]) -> str:
    """A digest of all that lies in the database of a record."""
    total = hashlib.sha256(repr(dict(row)).encode())
    for table in (store.entry, store.payload):
        for stored in conn.execute(select(table).where(table.c.record_id == row["id"]).order_by(*table.primary_key)):
            total.update(repr(tuple(stored)).encode())
    return total.hexdigest()


def _told(verdict: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in verdict.items() if value not in ("", None, ()) and name != "entries"}


def _said(fault: Fault, no: str | None = None) -> dict[str, Any]:
    return {"record": fault.record, "case": no, "entry": fault.seq, "what": fault.what}


# -- going on where an interrupted run stopped


def _program(made: Bureau) -> str:
    """What a kept result depends on beside the record: what this program computes with."""
    with made.office.read() as conn:
        deployed = made.in_force.said(conn, made.office.today())
    return json.dumps([law.DIGEST, sorted((name, table.digest) for name, table in dmn.SHELF.tables.items()), sorted((key, process.drawing.digest) for key, process in made.cases.processes.items()), deployed])


def _known(file: Path | None, made: Bureau) -> dict[int, dict[str, Any]]:
    if file is None or not file.exists():
        return {}
    text = file.read_bytes()
    if text and not text.startswith(b'["'):
        raise BadResume(f"不是 yingbao verify --resume 的文件，没有改动它 / not a file of --resume, left as it is: {file.name}")
    first, *rest = text.split(b"\n")
    if first != _program(made).encode():
        return {}
    found = {}
    for line in rest[:-1]:  # behind the last end of a line: nothing, or a torn one
        try:
            said = json.loads(line)
            Report().take(said)
            if not (said["faults"] or said["wrong"] or said["accepted"]):  # what was wrong may be mended, or accepted, by now
                found[int(said["record"])] = {"bytes": said["bytes"], **said}
        except (ValueError, KeyError, TypeError, RecursionError):
            raise BadResume(f"中断文件有一行读不懂，请删除后重来 / a line that is no result, remove the file: {file.name}") from None
    return found


class _Kept:
    def __init__(self, file: Path | None, made: Bureau, *, fresh: bool) -> None:
        if file is not None and not fresh:  # what follows does not join a torn line
            os.truncate(file, file.read_bytes().rfind(b"\n") + 1)
        self._file = file and file.open("w" if fresh else "a", encoding="utf-8")
        if self._file and fresh:
            self._file.write(_program(made) + "\n")

    def __enter__(self) -> Self:
        return self

    def add(self, said: Mapping[str, Any]) -> None:
        if self._file:
            self._file.write(json.dumps(said, ensure_ascii=False) + "\n")
            self._file.flush()

    def __exit__(self, *_: object) -> None:
        if self._file:
            os.fsync(self._file.fileno())
            self._file.close()
