"""The evidence bundle: what an auditor takes away to check cases without us. The format is docs/evidence.md."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from sqlalchemy import Connection, select

from engine import audit_verify, merkle, notes, sealing, store
from engine.crypto import BoundKeys, Unreadable, file_commitment
from engine.dmn import Table
from engine.errors import Invalid, NotFound, Refused
from engine.merkle import Suite
from engine.model import SHANGHAI, Entry, canonical, stamp
from engine.office import Act, opened, read_entry, stored_of
from engine.replaying import snapshots_of
from processes import computation, documents, duties, law, meeting_papers, paperwork, readers
from processes.bureau import CATALOGUE
from processes.case_tables import letter
from processes.meeting_tables import meeting_minutes
from processes.tables import document

FORMAT = 1
MOST_CASES = 200  # in a bundle that a page or the API makes; more by `yingbao export evidence`
MOST_WORDS = 400  # of a reason


@dataclass
class _Zip:
    """Files go in one after the other; what each of them was is said in the manifest."""

    archive: zipfile.ZipFile
    files: dict[str, dict[str, Any]] = field(default_factory=dict)

    def add(self, name: str, parts: Iterable[bytes]) -> None:
        digest, size = hashlib.sha256(), 0
        with self.archive.open(name, "w", force_zip64=True) as out:
            for part in parts:
                out.write(part)
                digest.update(part)
                size += len(part)
        self.files[name] = {"sha256": digest.hexdigest(), "size": size}

    def lines(self, name: str, rows: Iterable[Any]) -> None:
        self.add(name, (_line(row) for row in rows))


@dataclass(frozen=True)
class Wanted:
    """What goes into a bundle. cases: case numbers, none for the whole record; personal: whether payloads are opened;
    old: sizes of checkpoints that the auditor holds; files: the folder of documents; public_key: of the sequencer."""

    cases: tuple[str, ...]
    made_by: str
    files: Path
    personal: bool = True
    old: tuple[int, ...] = ()
    public_key: str = ""
    origin: str = "yingbao/binhai"


def vet(cases: Sequence[str]) -> None:
    """How many cases a bundle of a page or the API may have. Raises Invalid."""
    if not 0 < len(cases) <= MOST_CASES or any(len(no) > 40 for no in cases):
        raise Invalid({"cases": [f"请写明个案编号，最多 {MOST_CASES} 件"]})


def note_taking(act: Act, cases: Sequence[str], reason: str, *, personal: bool) -> None:
    """Before anything is written: that the actor, an auditor, takes these cases away (none: the whole record), and why, stands in
    his own record. Refused to others; Invalid without a reason; NotFound for what lies outside of his area as an auditor."""
    actor = act.actor.only({"auditor"})
    if not actor.roles:
        raise Refused("role", "只有审计人员可以导出证据包", "Only auditors take evidence away")
    if not 0 < len(reason.strip()) <= MOST_WORDS:
        raise Invalid({"reason": [f"请写明导出理由，最多 {MOST_WORDS} 字"]})
    row = store.record.c
    if cases:
        units = dict(act.conn.execute(select(row.no, row.unit).where(row.no.in_(cases))).all())
        if unseen := [no for no in cases if no not in units or not actor.covers(units[no])]:
            raise NotFound(f"没有这件个案：{'、'.join(unseen)}")
    elif not all(actor.covers(unit) for unit in act.conn.scalars(select(row.unit).distinct())):
        raise Refused("area", "全部记录只能由辖区覆盖全区的审计人员导出", "The whole record is taken away by an auditor of the whole district only")
    readers.note(act, "evidence_exported", {"cases": sorted(cases), "personal": personal}, reason)


def write(conn: Connection, keys: BoundKeys, wanted: Wanted, out: IO[bytes], told: Callable[[int, int], None] = lambda _done, _all: None) -> dict[str, Any]:
    """Write a bundle; its manifest is returned. NotFound: no such case; Invalid: nothing is sealed yet. `told` hears how many of
    how many entries are written."""
    last = sealing.latest(conn)
    if last is None:
        raise Invalid({"cases": ["记录尚未盖封：先运行 yingbao sequencer / nothing is sealed yet"]})
    rows = _records(conn, wanted.cases)
    suite, size = sealing.suite_of(conn), last["tree_size"]
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        made = _Zip(archive)
        source = _Source(conn, keys, rows, size, wanted, told)
        made.lines("entries.jsonl", source.entries())
        made.add("tree.txt", (one.hex().encode() + b"\n" for one in _tree(conn, suite, source.indexes, size)))
        made.lines("payloads.jsonl", source.payloads())
        made.lines("rows.jsonl", source.rows())
        made.lines("computations.jsonl", source.computations())
        for digest in sorted(source.drawings):
            made.add(f"drawings/{digest}.bpmn", [_drawing(conn, digest)])
        for digest in sorted(source.tables):
            made.add(f"tables/{digest}.dmn", [_table(conn, digest)])
        for digest, files in sorted(source.laws.items()):
            for file, raw in sorted(files.items()):
                made.add(f"law/{digest}/{file}", [raw])
        made.add("duties.json", [canonical(duties.rules({node.id for process in CATALOGUE.values() for node in process.drawing.nodes.values()}))])
        made.lines("attachments.jsonl", list(_attached(made, source)))  # their bytes go in first
        made.add("checkpoint.txt", [last["note"].encode()])
        made.add("log.pub", [wanted.public_key.encode() + b"\n"])
        daily = _daily(conn, size)
        made.add("checkpoints.txt", ["-----\n".join(row["note"] for row in daily).encode()])
        olds = sorted({row["tree_size"] for row in daily} | {n for n in wanted.old if 0 < n < size})
        get = sealing.stored(conn, suite)
        made.lines("consistency.jsonl", ({"old": old, "proof": [one.hex() for one in merkle.consistency(suite, get, old, size)]} for old in olds))
        manifest = {
            "format": FORMAT, "log": wanted.origin, "suite": suite.number, "made_at": stamp(datetime.now(UTC)), "made_by": wanted.made_by, "law": law.DIGEST,
            "cases": [{"no": row["no"], "record": row["id"]} for row in rows if row["kind"] == "case"],
            "records": [{"record": row["id"], "kind": row["kind"], "seq": row["seq"], "head": row["head"]} for row in rows],
            "files": made.files,
        }  # fmt: skip
        archive.writestr("manifest.json", json.dumps(manifest, ensure_ascii=False, indent=1))
    return manifest


def _records(conn: Connection, cases: Sequence[str]) -> list[Mapping[Any, Any]]:
    """The cases' records, and those of their households, to which papers and figures belong."""
    table = store.record
    query = select(table).order_by(table.c.id)
    if not cases:
        return list(conn.execute(query).mappings().all())
    found = {row["no"]: row for row in conn.execute(query.where(table.c.no.in_(cases))).mappings()}
    if missing := [no for no in cases if no not in found]:
        raise NotFound(f"没有这件个案：{'、'.join(missing)}")
    homes = [int(row["subject"].partition(":")[2]) for row in found.values() if (row["subject"] or "").startswith("household:")]
    rows = [*found.values(), *conn.execute(query.where(table.c.id.in_(homes), table.c.kind == "household")).mappings()]
    return sorted(rows, key=lambda row: int(row["id"]))


@dataclass
class _Source:
    conn: Connection
    keys: BoundKeys
    records: Sequence[Mapping[Any, Any]]
    size: int
    wanted: Wanted
    told: Callable[[int, int], None]
    indexes: list[int] = field(default_factory=list)
    drawings: set[str] = field(default_factory=set)
    tables: set[str] = field(default_factory=set)  # decision tables that the entries name
    laws: dict[str, Mapping[str, bytes]] = field(default_factory=lambda: {law.DIGEST: law.RAW})  # digest -> files; all that are kept of those named
    puts: dict[tuple[str, int], None] = field(default_factory=dict)

    def entries(self) -> Iterator[dict[str, Any]]:
        places, done, of = self._places(), 0, sum(record["seq"] for record in self.records)
        for record in self.records:
            stored, _ = stored_of(self.conn, record["id"])
            for row in stored:
                place = places.get((row.record_id, row.seq))
                if place is not None:
                    self.indexes.append(place)
                said = json.loads(row.body)
                if "drawing" in said.get("data", {}) and said["event"] in ("case_started", "case_moved"):
                    self.drawings.add(said["data"]["drawing"])
                self.tables |= set(said.get("data", {}).get("tables", {}).values())
                self._law(said.get("data", {}).get("law"))
                self.puts |= {(put["table"], put["id"]): None for put in said.get("puts", ())}
                yield {"record": row.record_id, "seq": row.seq, "index": place, "body": row.body.decode()}
                self.told(done := done + 1, of)
        self.indexes.sort()

    def _law(self, digest: str | None) -> None:
        if digest is not None and digest not in self.laws:
            text = self.conn.scalar(select(store.law.c.text).where(store.law.c.digest == digest))
            self.laws |= {digest: law.unpacked(text)} if text is not None else {}

    def _places(self) -> dict[tuple[int, int], int]:
        leaf = store.leaf
        query = select(leaf).where(leaf.c.leaf_index < self.size)
        if self.wanted.cases:
            query = query.where(leaf.c.record_id.in_([record["id"] for record in self.records]))
        return {(row.record_id, row.seq): row.leaf_index for row in self.conn.execute(query)}

    def payloads(self) -> Iterator[dict[str, Any]]:
        for record in self.records:
            _, payloads = stored_of(self.conn, record["id"])
            for seq in sorted(payloads):
                for subject, row in sorted(payloads[seq].items()):
                    cipher = self.keys.find(subject)
                    if cipher is None:
                        continue  # erased: an entry of the record says so
                    named = {"record": row.record_id, "seq": seq, "subject": subject}
                    plain = opened(cipher, row) if self.wanted.personal else None
                    if not self.wanted.personal:
                        yield {**named, "withheld": "not asked for"}
                    elif plain is None:
                        yield {**named, "withheld": "unreadable"}
                    else:
                        yield {**named, "salt": plain["salt"], "data": plain["data"]}

    def rows(self) -> Iterator[dict[str, Any]]:
        by_table: dict[str, list[int]] = {}
        for owner, row_id in self.puts:
            by_table.setdefault(owner, []).append(row_id)
        for name in sorted(by_table):
            table = store.metadata.tables[name]
            for start in range(0, len(ids := sorted(by_table[name])), 500):
                for row in self.conn.execute(select(table).where(table.c.id.in_(ids[start : start + 500])).order_by(table.c.id)).mappings():
                    yield {"table": name, "id": row["id"], "values": dict(sorted(self._values(table, row)))}  # in the order of canonical JSON

    def _values(self, table: Any, row: Mapping[Any, Any]) -> Iterator[tuple[str, Any]]:
        for column in table.c:
            if column.name == "id" or (column.info.get("personal") and not self.wanted.personal):
                continue
            value = row[column.name]
            if value is not None and column.info.get("sealed"):
                try:
                    value = self.keys.reveal(table.name, column.name, row["id"], value)
                except Unreadable:
                    continue
            yield column.name, stamp(value) if isinstance(value, datetime) else value

    def computations(self) -> Iterator[dict[str, Any]]:
        if not self.wanted.personal:
            return
        for record in self.records:
            if record["kind"] != "case":
                continue
            stored, payloads = stored_of(self.conn, record["id"])
            for row in stored:
                if b'"ran"' in row.body:
                    entry = read_entry(self.keys, row, payloads.get(row.seq, {}))
                    files = self.laws.get(entry.data.get("law", law.DIGEST))
                    if files is not None:  # else nobody can say by what it was computed; the verifier reports the gap
                        with law.by_text(law.packed(files)), law.known(entry.at.astimezone(SHANGHAI).date()):
                            found = list(_computed(entry))
                        yield from found


def _computed(entry: Entry) -> Iterator[dict[str, Any]]:
    snapshots = snapshots_of(entry)
    for node, gave in entry.data.get("then", {}).get("ran", ()):
        if node in snapshots:
            made = computation.steps(node, snapshots[node], entry.data.get("facts", {}), entry.at.astimezone(SHANGHAI).date())
            if made:  # of an earlier version of the service: what it did not give yet needs no steps
                result = {fact: step for fact, step in made["result"].items() if fact in gave}
                yield {"record": entry.record_id, "seq": entry.seq, "node": node, **made, "result": result}


def _tree(conn: Connection, suite: Suite, indexes: Sequence[int], size: int) -> Iterator[bytes]:
    get = sealing.stored(conn, suite)
    return merkle.batch(lambda start, end: merkle.subtree(suite, get, start, end), indexes, size)


def _drawing(conn: Connection, digest: str) -> bytes:
    found: bytes | None = conn.scalar(select(store.drawing.c.xml).where(store.drawing.c.digest == digest))
    if found is None:
        raise NotFound(f"没有这份流程图：{digest}")
    return found


def _table(conn: Connection, digest: str) -> bytes:
    found: bytes | None = conn.scalar(select(store.decision_table.c.xml).where(store.decision_table.c.digest == digest))
    if found is None:
        raise NotFound(f"没有这份决策表：{digest}")
    return found


def _daily(conn: Connection, size: int) -> list[Mapping[Any, Any]]:
    """The last checkpoint of each day before the newest: those that stand on the daily printouts."""
    table = store.checkpoint
    last: dict[str, Mapping[Any, Any]] = {}
    for row in conn.execute(select(table).where(table.c.tree_size < size).order_by(table.c.tree_size)).mappings():
        last[row["at"].astimezone(SHANGHAI).date().isoformat()] = row
    return list(last.values())


def _attached(made: _Zip, source: _Source) -> Iterator[dict[str, Any]]:
    """Letters, documents and minutes of the records; one that cannot be shown is named with the reason."""
    count = 0
    for table, subject, digest, content in _PAPERS:
        ids = sorted(row_id for name, row_id in source.puts if name == table.name)
        for row in source.conn.execute(select(table).where(table.c.id.in_(ids), table.c[digest].is_not(None)).order_by(table.c.id)).mappings():
            cipher = source.keys.find(subject(row))
            if cipher is None:
                continue  # erased: an entry of the record says so
            count += 1
            named, why = {"table": table.name, "row": row["id"]}, "" if source.wanted.personal else "not asked for"
            try:
                plain, media = content(source, row) if not why else (b"", "")
            except (NotFound, Unreadable):
                why = "unreadable"
            if not why and row[digest] != file_commitment(cipher, plain):
                why = "committed to with a key that is not given away"
            if why:
                yield {**named, "withheld": why}
                continue
            name = f"attachments/{count}"
            made.add(name, [plain])
            yield {**named, "name": name, "digest": row[digest], "key": cipher.attachments.hex(), "media": media}


def _household(row: Mapping[Any, Any]) -> str:
    return f"household:{row['household_id']}"


# table, whose key, the column that commits to the bytes, the bytes with their media type
_PAPERS: tuple[tuple[Any, Callable[[Any], str], str, Callable[[_Source, Any], tuple[bytes, str]]], ...] = (
    (letter, _household, "digest", lambda source, row: (paperwork.issued_bytes(source.conn, source.keys, row["id"])[1], "text/html")),
    (document, _household, "commitment", lambda source, row: documents.fetch(source.conn, source.keys, source.wanted.files, row["id"])[:2]),
    (meeting_minutes, lambda row: f"case:{row['id'] >> 16}", "digest",
     lambda source, row: (meeting_papers.bytes_of(source.conn, source.keys, row["id"], row["id"] >> 16), "text/html")),
)  # fmt: skip


def _line(row: Any) -> bytes:
    return json.dumps(row, ensure_ascii=False, separators=(",", ":"), default=_odd).encode() + b"\n"


def _odd(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.hex()
    raise TypeError(f"{type(value).__name__} in a bundle")


# -- and back: the bundle done again by the engine itself


def entries(archive: zipfile.ZipFile, records: Collection[int]) -> dict[int, list[Entry]]:
    """Of these records, the entries as the bundle tells them, to be done again by the engine. Use audit_verify.py on the bundle first."""
    personal: dict[tuple[int, int, str], Any] = {}
    for said in _read(archive, "payloads.jsonl"):
        if said["record"] in records:
            personal[said["record"], said["seq"], said["subject"]] = said.get("data")
    found: dict[int, list[Entry]] = {record: [] for record in records}
    for said in _read(archive, "entries.jsonl"):
        if (record := said["record"]) in records:
            body = said["body"].encode()
            read = json.loads(body)
            parts = {subject: personal.get((record, said["seq"], subject)) for subject in read.get("sealed", {})}
            found[record].append(Entry(record, said["seq"], body, merkle.SHA256.leaf(body).hex(), read, parts))
    return {record: sorted(told, key=lambda entry: entry.seq) for record, told in found.items()}


def refuse_bad(archive: zipfile.ZipFile, size: int) -> None:
    """`size`: of the file. BadBundle (of engine.audit_verify) when this is no bundle, or claims to unpack to more than one holds:
    before anything of it is read into memory."""
    audit_verify.Bundle(archive, size)


def drawings(archive: zipfile.ZipFile) -> dict[str, bytes]:
    names = [name for name in archive.namelist() if name.startswith("drawings/")]
    return {name.removeprefix("drawings/").removesuffix(".bpmn"): archive.read(name) for name in names}


def tables(archive: zipfile.ZipFile) -> list[Table]:
    """The decision tables that its entries name, to do its cases again. Raises BadTable."""
    return [Table.parse(archive.read(name)) for name in archive.namelist() if name.startswith("tables/")]


def laws(archive: zipfile.ZipFile) -> dict[str, bytes]:
    """digest -> text, as `engine.cases.Cases` keeps it."""
    found: dict[str, dict[str, bytes]] = {}
    for name in archive.namelist():
        if name.startswith("law/") and name.count("/") == 2:
            _, digest, file = name.split("/")
            found.setdefault(digest, {})[file] = archive.read(name)
    return {digest: law.packed(files) for digest, files in found.items()}


def _read(archive: zipfile.ZipFile, name: str) -> Iterator[Any]:
    with archive.open(name) as file:
        for line in file:
            yield json.loads(line)


def held(texts: Iterable[str]) -> list[notes.Checkpoint]:
    """Checkpoints that an auditor kept, as they stand in his files. BadNote when one is none."""
    return [notes.read(text if text.endswith("\n") else text + "\n")[0] for text in texts]
