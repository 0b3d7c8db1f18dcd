"""The shell: the one place that opens a transaction, reads the clock, appends to records and projects rows."""

from __future__ import annotations

import hashlib
import json
import os
import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cache, lru_cache
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, Row, bindparam, exists, insert, literal, select, tuple_, update
from sqlalchemy.exc import IntegrityError, OperationalError

from engine import store
from engine.crypto import BoundKeys, Cipher, Keys, Unreadable, commitment, commitment_to
from engine.dmn import Decision, Table, named
from engine.errors import Conflict, Invalid, NotFound
from engine.model import (
    ENGINE,
    FORMAT,
    GENESIS,
    OTHERS,
    SHANGHAI,
    SYSTEM,
    Actor,
    Data,
    Entry,
    Put,
    canonical,
    leaf_hash,
    read_body,
    stamp,
)
from engine.prepared import Prepared, Question, run_all, together
from engine.signals import publish
from engine.store import Store, metadata

# Statements of the hot path are built once: building one costs as much as running it.
_ENTRY, _PAYLOAD, _KEY = Prepared(insert(store.entry)), Prepared(insert(store.payload)), Prepared(insert(store.subject_key))
_RECORD = Prepared(insert(store.record).returning(store.record.c.id))
_PAYLOADS = select(store.payload, store.subject_key.c.wrapped).outerjoin(store.subject_key, store.subject_key.c.subject == store.payload.c.subject)
_LOCKED = Prepared(
    select(store.record)
    .where(store.record.c.id == bindparam("the_id"), store.record.c.kind == bindparam("the_kind"))
    .with_for_update()
)
_TOLD = Prepared(select(store.request_key.c.body, store.request_key.c.answer).where(
    store.request_key.c.actor == bindparam("the_actor"), store.request_key.c.key == bindparam("the_key")))  # fmt: skip
_TELL = Prepared(insert(store.request_key))


@lru_cache(maxsize=64)
def _head_with(columns: frozenset[str]) -> Prepared:
    """UPDATE of these columns of a record that still stands where it was read."""
    moved = update(store.record).where(store.record.c.id == bindparam("the_id"), store.record.c.seq == bindparam("the_seq"))
    return Prepared(moved.values({name: bindparam(f"new_{name}") for name in sorted(columns)}))


@lru_cache(maxsize=512)
def _row_with(table: str, columns: tuple[str, ...]) -> Prepared:
    """UPDATE of these columns of a row of a business table."""
    changed = metadata.tables[table]
    return Prepared(update(changed).where(changed.c.id == bindparam("the_id")).values({name: bindparam(f"new_{name}") for name in columns}))


@lru_cache(maxsize=512)
def _put_with(table: str, columns: tuple[str, ...]) -> Prepared:
    """That UPDATE, and the INSERT of the row where it is not there, in one statement, whose answer nobody has to wait for (PostgreSQL)."""
    changed = metadata.tables[table]
    given = [bindparam(f"new_{name}", type_=changed.c[name].type) for name in columns]
    done = _row_with(table, columns).statement.returning(changed.c.id).cte("done")
    row = select(bindparam("the_id", type_=changed.c.id.type), *given).where(~exists(select(literal(1)).select_from(done)))
    return Prepared(insert(changed).from_select(["id", *columns], row))


_prepared = cache(Prepared)


@cache
def _new_row(table: str) -> Prepared:
    return Prepared(insert(metadata.tables[table]))


_RETRIES = (0.01, 0.05, 0.25)  # seconds; a lost lock is tried again inside the server before anybody hears of it


@dataclass
class Record:
    """A record opened for appending. `seq` and `head` run ahead of the row until the transaction ends."""

    id: int
    kind: str
    unit: str
    seq: int = 0
    head: str = GENESIS
    rows: int = 0
    subject: str | None = None
    changes: dict[str, Any] = field(default_factory=dict)  # further columns of its row to write at the end
    known_seq: int = 0
    known_rows: int = 0

    def next_id(self) -> int:
        """An id for a row that this record owns: unique over all records, and the same on every rebuild."""
        self.rows += 1
        return self.id * 65536 + self.rows


class Act:
    """One action of one actor: everything in it is committed together, or nothing is."""

    def __init__(self, office: Office, conn: Connection, actor: Actor, idem: tuple[str, str] | None) -> None:
        self.office, self.conn, self.actor = office, conn, actor
        self.now: datetime = office.clock()
        self.today: date = self.now.astimezone(SHANGHAI).date()
        self._real = office.real()
        self.keys: BoundKeys = office.keys.on(conn)
        self._idem = idem
        self._post: str | None = None
        self.tables: set[str] = set()  # digests of the decision tables whose texts lie there once this act is written
        self._remembered = False
        self._records: dict[int, Record] = {}
        self._entries: list[dict[str, Any]] = []
        self._payloads: list[dict[str, Any]] = []
        self._made: set[tuple[str, int]] = set()
        self._writes: list[tuple[Prepared, list[dict[str, Any]]]] = []
        self.told: list[Entry] = []

    @property
    def unit(self) -> str:
        """The unit of the post in which the actor acts, as the entries name it; while no post was named, his own."""
        return self.actor.unit if self._post is None else self._post

    def used(self, decisions: Sequence[Decision]) -> dict[str, Any]:
        """What an entry says of the tables that were asked (`dmn.named`); their texts are kept, for whoever does it again."""
        self.keep([one.source for one in decisions])
        return named(decisions)

    def keep(self, tables: Iterable[Table]) -> None:
        """Texts of decision tables, beside the drawings; once they are known to lie there, nothing is asked any more."""
        texts = {one.digest: one for one in tables if one.digest not in self.office.kept | self.tables}
        if not texts:
            return
        column = store.decision_table.c.digest
        known = set(self.conn.scalars(select(column).where(column.in_(sorted(texts)))))
        if rows := [{"digest": n, "key": one.key, "xml": one.xml} for n, one in sorted(texts.items()) if n not in known]:
            self.conn.execute(insert(store.decision_table), rows)
        self.tables |= texts.keys()

    def through(self, unit: str | None) -> None:
        """Name the post in which the actor acts by its unit. The first one counts; None: it is not known."""
        if self._post is None:
            self._post = unit

    def new(self, kind: str, unit: str, *, subject: str | None = None, **columns: Any) -> Record:
        values = {"kind": kind, "unit": unit, "seq": 0, "head": GENESIS, "rows": 0, "subject": subject, **columns}
        row_id = int(_RECORD.rows(self.conn, values)[0]["id"])
        self._records[row_id] = Record(row_id, kind, unit, subject=subject)
        return self._records[row_id]

    def open(self, kind: str, record_id: int) -> Record:
        """Lock a record for appending. Open several in ascending order of their ids."""
        if record_id not in self._records:
            found = _LOCKED.rows(self.conn, {"the_id": record_id, "the_kind": kind})
            if not found:
                raise NotFound(f"没有这份记录：{kind} {record_id}")
            self.adopt(found[0])
        return self._records[record_id]

    def open_and_see(self, kind: str, record_id: int, asked: Question) -> tuple[Record, list[dict[str, Any]]]:
        """Lock a record for appending, and what a question finds once it is locked."""
        if record_id in self._records:
            return self._records[record_id], asked[0].rows(self.conn, asked[1])
        found, seen = together(self.conn, (_LOCKED, {"the_id": record_id, "the_kind": kind}), asked)
        if not found:
            raise NotFound(f"没有这份记录：{kind} {record_id}")
        return self.adopt(found[0]), seen

    def adopt(self, row: Mapping[Any, Any]) -> Record:
        """Take a row of `record` that was read under a lock."""
        found = Record(row["id"], row["kind"], row["unit"], row["seq"], row["head"], row["rows"], row["subject"])
        found.known_seq, found.known_rows = found.seq, found.rows
        return self._records.setdefault(found.id, found)

    def append(
        self,
        record: Record,
        event: str,
        data: Data | None = None,
        *,
        personal: Mapping[Any, Any] | None = None,
        puts: Sequence[Put] = (),
    ) -> Entry:
        """Add an entry and project its puts. `personal`: subject -> JSON that goes to the encrypted payload."""
        secret: dict[str, Any] = {subject: {"said": said} for subject, said in (personal or {}).items()}
        listed = [self._split(put, index, secret) for index, put in enumerate(puts)]
        body: dict[str, Any] = {
            "v": FORMAT,
            "engine": ENGINE,
            "log": self.office.origin,
            "record": record.id,
            "kind": record.kind,
            "seq": record.seq + 1,
            "prev": record.head,
            "at": stamp(self.now),
            "actor": self._actor(),
            "event": event,
        }
        if self._real is not None:  # an optional member: bodies without it, and readers who do not know it, stay as they are
            body["clock"] = stamp(self._real)
        if data:
            body["data"] = dict(data)
        if listed:
            body["puts"] = listed
        if secret:
            body["sealed"] = self._seal(record, secret)
        return self._add(record, body, secret, puts)

    def _add(self, record: Record, body: dict[str, Any], personal: Data, puts: Sequence[Put]) -> Entry:
        stored = canonical(body)
        record.seq, record.head = record.seq + 1, leaf_hash(stored)
        made = Entry(record.id, record.seq, stored, record.head, body, personal)
        self._entries.append({"record_id": record.id, "seq": record.seq, "body": stored, "leaf": record.head})
        for (is_new, table, _), alike in groupby(puts, lambda put: (self._is_new(record, put), put.table, tuple(put.values))):
            if is_new:  # rows of one shape in one statement
                run_all(self.conn, [(_new_row(table), [_row(self.keys, put) for put in alike])])
                continue
            for put in alike:
                project(self.conn, self.keys, put)
        self.told.append(made)
        return made

    def _is_new(self, record: Record, put: Put) -> bool:
        """A row whose id this act gave out cannot be there yet: it is inserted without looking."""
        key = (put.table, put.id)
        new = put.id - record.id * 65536 > record.known_rows and key not in self._made
        self._made.add(key)
        return new

    def _actor(self) -> dict[str, str]:
        who = {"id": self.actor.id, "unit": self.unit}
        return who | ({"for": self.actor.on_behalf_of} if self.actor.on_behalf_of else {})

    def _split(self, put: Put, index: int, secret: dict[str, Any]) -> dict[str, Any]:
        """The public part of a put; its personal columns go to the payload of its subject."""
        table = metadata.tables[put.table]
        private = {name: value for name, value in put.values.items() if table.c[name].info.get("personal") and not put.blank}
        listed: dict[str, Any] = {"table": put.table, "id": put.id}
        if public := {name: value for name, value in put.values.items() if name not in private}:
            listed["set"] = public
        if private:
            if put.subject is None:
                raise ValueError(f"{put.table}: personal columns {sorted(private)} without a subject")
            listed["of"] = put.subject
            secret.setdefault(put.subject, {}).setdefault("puts", {})[str(index)] = private
        return listed

    def _seal(self, record: Record, secret: Mapping[Any, Any]) -> dict[str, str]:
        commitments = {}
        for subject, data in secret.items():
            salt, written = os.urandom(32), canonical(data)
            commitments[subject] = commitment_to(salt, written)
            cipher = self.keys.fresh(subject) if subject.startswith(OTHERS) else self.keys.subject(subject)
            sealed = cipher.seal(_packed(salt, written), _payload_aad(record.id, record.seq + 1, subject))
            row = {"record_id": record.id, "seq": record.seq + 1, "subject": subject, "sealed": sealed}
            self._payloads.append(row)
        return commitments

    def recalling(self) -> list[Question]:
        """The question that `recall` asks, for whoever asks it with others behind the lock."""
        return [] if self._idem is None else [(_TOLD, {"the_actor": self.actor.id, "the_key": self._idem[0]})]

    def recall(self) -> Any | None:
        """The answer that this actor's request already got, if it did. Ask after the lock is held."""
        if self._idem is None:
            return None
        [(asked, values)] = self.recalling()
        row = asked.row(self.conn, values)
        if row is None:
            return None
        if row["body"] != self._idem[1]:
            raise Invalid({"Idempotency-Key": ["这个幂等键已用于另一份内容不同的请求"]})
        return json.loads(row["answer"])

    def remember(self, answer: Any) -> None:
        """What a repeat of this request will be answered. The first one counts: an act may be made of several."""
        if self._idem is not None and not self._remembered:
            self._remembered = True
            key, body = self._idem
            values = {"actor": self.actor.id, "key": key, "body": body, "answer": json.dumps(answer), "at": self.now}
            run_all(self.conn, [(_TELL, [values])])

    @contextmanager
    def part(self) -> Iterator[None]:
        """What is done within is a part of the request: a repeat is answered by the whole, so the part neither asks nor remembers."""
        idem, self._idem = self._idem, None
        try:
            yield
        finally:
            self._idem = idem

    def moved(self, but: Record) -> list[int]:
        """The other records to which this act has appended so far."""
        return sorted(r.id for r in self._records.values() if r is not but and r.seq != r.known_seq)

    @property
    def touched(self) -> set[str]:
        """The business tables of which this act has changed rows so far."""
        return {table for table, _ in self._made}

    def write(self, statement: Any, rows: list[dict[str, Any]]) -> None:
        """Run a statement that was built once (a constant of its module) for all rows at the end of the act, with the others."""
        if rows:
            self._writes.append((_prepared(statement), rows))

    def finish(self) -> None:
        """Write what was gathered: heads, what `write` was given, entries, payloads. The key of an entry (record, seq) is the guard
        against a lost race where it does not show by the heads."""
        heads = list(self._heads())
        gathered = [*self._writes, (_KEY, self.keys.made), (_ENTRY, self._entries), (_PAYLOAD, self._payloads)]
        moved = self.office.store.end(self.conn, [*heads, *((statement, rows) for statement, rows in gathered if rows)])
        if any(rows != 1 for rows in moved[: len(heads)]):
            raise Conflict("这份记录刚被别人更新，请刷新后再办", "Somebody else has just changed this record")

    def _heads(self) -> Iterator[tuple[Prepared, list[dict[str, Any]]]]:
        """What moves the heads of the records."""
        for record in self._records.values():
            if record.seq == record.known_seq and not record.changes:
                continue
            values = {"seq": record.seq, "head": record.head, "rows": record.rows, **record.changes}
            yield _head_with(frozenset(values)), [{f"new_{k}": v for k, v in values.items()} | {"the_id": record.id, "the_seq": record.known_seq}]


@dataclass
class Office:
    """A database, a clock and keys: what every act needs."""

    store: Store
    keys: Keys
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    origin: str = "yingbao/binhai"
    production: bool = False  # real cases: what may be left out in training is asked for
    published: int | None = None  # the last year whose calendar of working days counts as known, where it is not what the program knows
    # a connection, the day, whether something is only read -> within, what was put in force in this database by that day is asked
    in_force: Callable[[Connection, Callable[[], date], bool], AbstractContextManager[None]] = lambda *_: nullcontext()
    kept: set[str] = field(default_factory=set, repr=False)  # digests of the decision tables that are known to lie in the database

    @contextmanager
    def act(self, actor: Actor = SYSTEM, idem: tuple[str, Any] | None = None) -> Iterator[Act]:
        """Open the transaction of one act; tell listeners after the commit. `idem`: (key, JSON of the request)."""
        hashed = idem and (idem[0], hashlib.sha256(canonical(_text(idem[1]))).hexdigest())
        try:
            with self.store.write() as conn:
                act = Act(self, conn, actor, hashed or None)
                with self.in_force(conn, lambda: act.today, False):
                    yield act
                    act.finish()
        except Exception as error:
            if _lost_race(error):
                raise Conflict("别人刚刚先办了这一步，请刷新后再看", "Somebody else was first") from error
            if _busy(error):
                raise Conflict("系统正忙，请稍后再试", "The database is busy, try again") from error
            raise
        self.kept |= act.tables
        publish(act.told)

    def real(self) -> datetime | None:
        """The real time, where the business clock was moved away from it (never in production); None where they are the same."""
        offset = getattr(self.clock, "offset", None)
        return datetime.now(UTC) if offset is not None and offset() else None

    @contextmanager
    def read(self) -> Iterator[Connection]:
        with self.store.read() as conn, self.in_force(conn, self.today, True):
            yield conn

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """Like `read`, and all statements see the same moment: to prove, compare or give away a record while others work."""
        with self.store.snapshot() as conn, self.in_force(conn, self.today, True):
            yield conn

    def today(self) -> date:
        return self.clock().astimezone(SHANGHAI).date()

    def retrying(self, work: Callable[[], Any]) -> Any:
        """Do it again when a lock was lost: for machines, which cannot press a button again."""
        for pause in _RETRIES:
            try:
                return work()
            except Conflict:
                time.sleep(pause)
        return work()


def _lost_race(error: Exception) -> bool:
    """A unique key was taken in between; a missing value or a dangling reference is a bug and stays one."""
    orig = getattr(error, "orig", error)
    return getattr(orig, "sqlstate", None) == "23505" or (isinstance(error, IntegrityError) and "UNIQUE constraint failed" in str(orig))


def _busy(error: Exception) -> bool:
    """A lock was not to be had in time, or two waited for each other."""
    orig = getattr(error, "orig", error)
    state = getattr(orig, "sqlstate", None)
    return state in ("55P03", "40P01", "40001") or (isinstance(error, OperationalError) and "database is locked" in str(orig))


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False, default=str)


_PLAIN, _ZIPPED = b"\x01", b"\x02"  # first byte of a payload, then 32 bytes of salt, then the data; those from before are JSON with the salt in hex
_WORTH_ZIPPING = 160  # bytes


def _packed(salt: bytes, written: bytes) -> bytes:
    if len(written) > _WORTH_ZIPPING and len(zipped := zlib.compress(written)) < len(written):
        return _ZIPPED + salt + zipped
    return _PLAIN + salt + written


def _unpacked(plain: bytes) -> dict[str, Any]:
    if plain[:1] == b"{":
        found: dict[str, Any] = json.loads(plain)
        return found
    data = plain[33:] if plain[:1] == _PLAIN else zlib.decompress(plain[33:])
    return {"data": json.loads(data), "salt": plain[1:33].hex()}


def _payload_aad(record_id: int, seq: int, subject: str) -> bytes:
    return f"payload:{record_id}:{seq}:{subject}".encode()


def project(conn: Connection, keys: BoundKeys, put: Put) -> None:
    """Make a business row what its puts add up to: update it, or insert it when it is not there."""
    row = _row(keys, put)
    values = {name: value for name, value in row.items() if name != "id"}
    given = {f"new_{name}": value for name, value in values.items()} | {"the_id": put.id}
    if values and conn.dialect.name == "postgresql":
        run_all(conn, [(_put_with(put.table, tuple(values)), [given])])
    elif not values or not _row_with(put.table, tuple(values)).run(conn, given):
        run_all(conn, [(_new_row(put.table), [row])])


def _row(keys: BoundKeys, put: Put) -> dict[str, Any]:
    table = metadata.tables[put.table]
    return {"id": put.id, **{name: _stored(keys, table.c[name], put, value) for name, value in put.values.items()}}


def _stored(keys: BoundKeys, column: Any, put: Put, value: Any) -> Any:
    if value is not None and column.info.get("sealed"):
        return keys.seal_field(put.table, column.name, put.id, str(value))
    return value


def history(conn: Connection, keys: BoundKeys, record_id: int) -> list[Entry]:
    """A record's entries in order, each with the personal parts that can still be opened (None: erased, or spoiled)."""
    rows, payloads = stored_of(conn, record_id)
    return [read_entry(keys, row, payloads.get(row.seq, {})) for row in rows]


# Step after step of one case is looked at: its bodies are read once. Nobody changes what was read; bodies hold nothing personal.
_read_before = lru_cache(maxsize=2048)(read_body)


class Kept:
    """A record as it lies in the database: the bodies read, the personal parts still closed. Opening them is most of the
    work of `history`; who shows one entry opens that one. ValueError or KeyError when a body cannot be read."""

    def __init__(self, conn: Connection, keys: BoundKeys, record_id: int) -> None:
        self._keys, self._digest = keys, ""
        self._rows, self._payloads = stored_of(conn, record_id)
        self.closed = [Entry(row.record_id, row.seq, row.body, row.leaf, _read_before(row.body)) for row in self._rows]

    def entries(self) -> list[Entry]:
        return [self.entry(place) for place in range(len(self.closed))]

    def entry(self, place: int) -> Entry:
        """The entry at this place, from 0, with what its payloads hold."""
        row = self._rows[place]
        return read_entry(self._keys, row, self._payloads.get(row.seq, {}))

    def digest(self) -> str:
        """The same as long as everything that `entries` reads is the same, to the byte: also which keys are still there."""
        if not self._digest:
            self._digest = self._digested()
        return self._digest

    def _digested(self) -> str:
        found = hashlib.sha256()
        for parts in self._payloads.values():  # their keys came with them
            for subject, row in parts.items():
                self._keys.beside(subject, row.wrapped)
        subjects = {subject for entry in self.closed for subject in entry.said.get("sealed", {})}
        for row in self._rows:
            found.update(b"%d %s %d " % (row.seq, row.leaf.encode(), len(row.body)) + row.body)
        for seq, parts in sorted(self._payloads.items()):
            for subject, row in sorted(parts.items()):
                found.update(b"%d %s %d " % (seq, subject.encode(), len(row.sealed)) + row.sealed)
        for subject in sorted(subjects):
            cipher = self._keys.find(subject)
            found.update(subject.encode() + (b"-" if cipher is None else cipher.key))
        return found.hexdigest()


def stored_of(conn: Connection, record_id: int) -> tuple[Sequence[Row[Any]], dict[int, dict[str, Row[Any]]]]:
    """A record's rows as they are stored: entries in order; seq -> subject -> payload, with its subject's `wrapped` key."""
    bodies = select(store.entry).where(store.entry.c.record_id == record_id).order_by(store.entry.c.seq)
    payloads: dict[int, dict[str, Row[Any]]] = {}
    for row in conn.execute(_PAYLOADS.where(store.payload.c.record_id == record_id)):
        payloads.setdefault(row.seq, {})[row.subject] = row
    return conn.execute(bodies).all(), payloads


def entries_at(conn: Connection, keys: BoundKeys, places: Sequence[tuple[int, int]]) -> list[Entry]:
    """The entries at these places (record, seq), in this order, as `history` gives them; without those that are not there."""
    bodies = select(store.entry).where(tuple_(store.entry.c.record_id, store.entry.c.seq).in_(places))
    kept = _PAYLOADS.where(tuple_(store.payload.c.record_id, store.payload.c.seq).in_(places))
    payloads: dict[tuple[int, int], dict[str, Any]] = {}
    for row in conn.execute(kept):
        payloads.setdefault((row.record_id, row.seq), {})[row.subject] = row
    found = {(row.record_id, row.seq): read_entry(keys, row, payloads.get((row.record_id, row.seq), {})) for row in conn.execute(bodies)}
    return [found[place] for place in places if place in found]


def read_entry(keys: BoundKeys, row: Row[Any], payloads: Mapping[str, Row[Any]]) -> Entry:
    """An entry with what its payloads hold. Each of them must be what the sealed body committed to."""
    said, personal, spoiled = read_body(row.body), {}, []
    for subject, committed in said.get("sealed", {}).items():
        kept = payloads.get(subject)
        cipher = keys.find(subject) if kept is None else keys.beside(subject, kept.wrapped)
        personal[subject] = None if cipher is None else _opened(cipher, kept, committed)
        if cipher is not None and personal[subject] is None:
            spoiled.append(subject)
    return Entry(row.record_id, row.seq, row.body, row.leaf, said, personal, tuple(spoiled))


def _opened(cipher: Cipher, row: Any, committed: str) -> Any:
    plain = opened(cipher, row)
    return plain["data"] if plain is not None and commitment(bytes.fromhex(plain["salt"]), plain["data"]) == committed else None


def opened(cipher: Cipher, row: Any) -> Any:
    """A payload with its salt: {"data": …, "salt": hex}; None when it is not there, or was altered."""
    if row is None:
        return None
    try:
        plain = cipher.open(row.sealed, _payload_aad(row.record_id, row.seq, row.subject))
    except Unreadable:
        return None
    return _unpacked(plain)


def seals_hold(entries: Sequence[Entry]) -> int | None:
    """None when every seal fits its bytes, its predecessor and its personal parts; else the number of the first entry
    where one does not. Parts that were erased with their subject's key are no break."""
    previous = GENESIS
    for number, one in enumerate(entries, start=1):
        if one.seq != number or one.said["prev"] != previous or leaf_hash(one.body) != one.leaf or one.spoiled:
            return number
        previous = one.leaf
    return None

