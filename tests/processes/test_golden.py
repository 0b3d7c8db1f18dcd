"""Finished cases that an earlier version wrote (tests/histories): today's code replays each to the same facts and outcome."""

from __future__ import annotations

import base64
import contextlib
import dataclasses
import functools
import gzip
import hashlib
import json
import pathlib
import random
from collections import Counter
from datetime import UTC, datetime

import pytest
from sqlalchemy import NullPool, StaticPool, create_engine, delete, insert, select, update

from engine import store
from engine.bpmn import Drawing, Run
from engine.cases import Cases
from engine.crypto import Keys
from engine.errors import Diverged
from engine.office import history, seals_hold
from engine.step import fingerprint
from engine.store import Store, metadata
from processes import dmn
from processes.bureau import CATALOGUE

HISTORIES = pathlib.Path(__file__).parent.parent / "histories"
FILES = sorted(HISTORIES.glob("*.json.gz"))


@functools.cache
def _empty() -> bytes:
    """A database file with the tables and nothing in them, without the guard (test_guard) too: making it takes longer than most replays."""
    engine = create_engine("sqlite://", poolclass=StaticPool)
    metadata.create_all(engine)
    with contextlib.closing(engine.raw_connection()) as held:
        made = held.driver_connection.serialize()
    engine.dispose()
    return made


@functools.cache
def _drawn(digest: str) -> Drawing:
    return Drawing.parse((HISTORIES / "drawings" / f"{digest}.bpmn").read_bytes())


class Golden:
    """A history laid into an empty database: only the tables that a record needs."""

    def __init__(self, file: pathlib.Path, folder: pathlib.Path) -> None:
        self.said = json.loads(gzip.decompress(file.read_bytes()))
        self.record, self.id = self.said["record"], self.said["record"]["id"]
        self.xml = (HISTORIES / "drawings" / f"{self.record['drawing']}.bpmn").read_bytes()
        self.keys = Keys(self.said["data_key"])
        (folder / "golden.sqlite").write_bytes(_empty())
        self.store = Store(f"sqlite:///{folder / 'golden.sqlite'}")
        with self.store.write() as conn:
            for process, digest in dict.fromkeys(self.stood()):
                conn.execute(insert(store.drawing).values(digest=digest, key=process, xml=(HISTORIES / "drawings" / f"{digest}.bpmn").read_bytes()))
            for digest in {n for e in self.said["entries"] for n in json.loads(e["body"]).get("data", {}).get("tables", {}).values()}:
                conn.execute(insert(store.decision_table).values(digest=digest, key="recorded", xml=(HISTORIES / "tables" / f"{digest}.dmn").read_bytes()))
            conn.execute(insert(store.record).values(**self.record, state=self.said["state"].encode()))
            for seq, e in enumerate(self.said["entries"], start=1):
                conn.execute(insert(store.entry).values(record_id=self.id, seq=seq, body=e["body"].encode(), leaf=e["leaf"]))
            for p in self.said["payloads"]:
                conn.execute(insert(store.payload).values(record_id=self.id, seq=p["seq"], subject=p["subject"], sealed=base64.b64decode(p["sealed"])))
            for subject, wrapped in self.said["subject_keys"].items():
                conn.execute(insert(store.subject_key).values(subject=subject, wrapped=base64.b64decode(wrapped)))

    def stood(self):
        """(process, drawing) on which the case began, and to which it moved."""
        said = (json.loads(e["body"]) for e in self.said["entries"])
        return [(one["data"]["process"], one["data"]["drawing"]) for one in said if one["event"] in ("case_started", "case_moved")]

    @contextlib.contextmanager
    def spoiling(self):
        """What somebody with the file in hand can do."""
        engine = create_engine(self.store.url, poolclass=NullPool)
        with engine.begin() as conn:
            yield conn
        engine.dispose()

    def entries(self):
        with self.store.read() as conn:
            return history(conn, self.keys.on(conn), self.id)

    def replayed(self, entries=None):
        """([(entry, run)], how often each service was computed again)."""
        again: Counter[str] = Counter()
        cases = Cases({key: counting(process, again) for key, process in CATALOGUE.items()}, shelf=dmn.SHELF)
        cases.lend({digest: _drawn(digest) for _, digest in self.stood()})
        with self.store.read() as conn:
            return list(cases.replaying(conn, self.entries() if entries is None else entries)), again

    def recorded_services(self) -> Counter[str]:
        return Counter(ran[0] for e in self.entries() for ran in e.data.get("then", {}).get("ran", []))


def counting(process, again):
    def counted(node, function):
        @functools.wraps(function)  # the engine reads the parameters' names
        def call(**known):
            again[node] += 1
            return function(**known)

        return call

    former = {node: {n: counted(node, f) for n, f in versions.items()} for node, versions in process.former_rules.items()}
    return dataclasses.replace(process, services={node: counted(node, f) for node, f in process.services.items()}, former_rules=former)


@pytest.fixture(params=FILES, ids=[f.name.removesuffix(".json.gz") for f in FILES])
def golden(request, tmp_path):
    made = Golden(request.param, tmp_path)
    yield made
    made.store.close()


def test_the_folder_has_the_stories_that_matter():
    told = {json.loads(gzip.decompress(f.read_bytes()))["story"] for f in FILES}
    assert told >= {"grant-660", "refusal-after-objections", "check-rejection-reopened", "low-income", "withdrawn-in-notice",
                    "returned-and-supplemented", "joint-meeting", "near-relative", "meeting-held", "decided-by-a-meeting",
                    "reported-death", "reported-car", "transfer-returned", "reported-refusal", "share-taken", "helped-first", "not-helped-twice"}  # fmt: skip


def test_it_replays_to_the_same_facts_and_outcome_with_every_service_computed_again(golden):
    assert hashlib.sha256(golden.xml).hexdigest() == golden.record["drawing"]
    entries = golden.entries()
    assert seals_hold(entries) is None
    assert entries[-1].leaf == golden.record["head"]
    assert all(said is not None for e in entries for said in e.personal.values()), "every payload opens"
    steps, again = golden.replayed()
    assert [e.seq for e, _ in steps] == list(range(1, golden.record["seq"] + 1))
    run = steps[-1][1]
    assert run.facts == golden.said["facts"]
    assert (run.ended, run.end_event, run.open_tasks()) == (True, golden.record["outcome"], {})
    assert again >= golden.recorded_services(), "once; by a table of then and one of today, twice"
    without = golden.record["process"] in ("joint-meeting", "self-care", "complaint", "payment-run", "discovery", "screening") or golden.record["outcome"] == "ended_terminated" or golden.said["story"] in ("reported-refusal", "not-helped-twice")
    assert again["assess"] or again["assess_need"] or again["assess_destitute"] or again["assess_expenditure"] or without, "the arithmetic was done again"  # else: nobody was let in, nothing computed


def test_it_replays_when_the_personal_parts_are_erased(golden):
    with golden.store.write() as conn:
        conn.execute(delete(store.subject_key))
    entries = golden.entries()
    assert seals_hold(entries) is None
    assert {said for e in entries for said in e.personal.values()} == {None}
    steps, again = golden.replayed()
    assert steps[-1][1].facts == golden.said["facts"]
    gathered = set(CATALOGUE[golden.record["process"]].gather)
    assert again == {node: n for node, n in golden.recorded_services().items() if node not in gathered}
    with golden.spoiling() as conn:
        conn.execute(delete(store.payload))
    assert golden.replayed()[0][-1][1].end_event == golden.record["outcome"]


def test_the_state_as_it_was_stored_is_still_read(golden):
    stored = golden.said["state"].encode()
    with golden.store.read() as conn:
        run = Run.load(Cases(CATALOGUE).drawing(conn, golden.record["drawing"]), stored, datetime(2030, 1, 1, tzinfo=UTC))
    assert (run.facts, run.end_event) == (golden.said["facts"], golden.record["outcome"])
    assert run.dump() == stored
    assert fingerprint(stored) == next(e.data["state"] for e in reversed(golden.entries()) if "state" in e.data)


def altered(data: bytes, place: int) -> bytes:
    return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]


def test_one_altered_byte_is_noticed_at_its_entry(golden):
    chance = random.Random(golden.record["head"])
    entries = golden.entries()
    for n, one in enumerate(entries):
        places = {0, len(one.body) - 1, *(chance.randrange(len(one.body)) for _ in range(20))}
        for place in places:
            broken = [*entries[:n], dataclasses.replace(one, body=altered(one.body, place)), *entries[n + 1 :]]
            assert seals_hold(broken) == n + 1, (n, place)


def test_an_altered_entry_with_a_fresh_leaf_is_noticed_at_the_next_one_or_by_the_head(golden):
    from engine.model import leaf_hash

    entries = golden.entries()
    for n, one in enumerate(entries):
        body = altered(one.body, len(one.body) // 2)
        broken = [*entries[:n], dataclasses.replace(one, body=body, leaf=leaf_hash(body)), *entries[n + 1 :]]
        assert seals_hold(broken) == (n + 2 if n + 1 < len(entries) else None)
        if n + 1 == len(entries):
            assert broken[-1].leaf != golden.record["head"]


def test_an_altered_fact_consequence_or_state_diverges_at_its_entry(golden):
    """Even if every seal were made anew: what the record says must follow. One change an entry, in turn."""
    changes = [
        lambda d: d.update(state="0" * 32),
        lambda d: d["then"].update(ended="ended_granted" if "ended" not in d["then"] else "other"),
        lambda d: d.setdefault("facts", {}).update(household_id=0),
    ]
    causes = [n for n, e in enumerate(golden.entries()) if "then" in e.data]
    for turn, n in enumerate(causes[:: 1 + len(causes) // 12]):
        entries = golden.entries()[: n + 1]
        # a timer brings no facts
        changes[turn % (2 if entries[n].event == "timer_fired" else 3)](entries[n].said["data"])
        with pytest.raises(Diverged) as diverged:
            golden.replayed(entries)
        assert diverged.value.seq == n + 1


def test_an_altered_payload_is_noticed_at_its_entry(golden):
    with golden.store.read() as conn:
        rows = conn.execute(select(store.payload)).all()
    for n, row in enumerate(rows):
        where = (store.payload.c.seq == row.seq) & (store.payload.c.subject == row.subject)
        place = (0, 1, 13, len(row.sealed) // 2, len(row.sealed) - 1)[n % 5]
        with golden.spoiling() as conn:
            conn.execute(update(store.payload).where(where).values(sealed=altered(row.sealed, place)))
        entries = golden.entries()
        assert seals_hold(entries) == row.seq
        if n % 3 == 0:  # a replay up to each of them takes the square of the case's length
            with pytest.raises(Diverged) as diverged:
                golden.replayed(entries)
            assert diverged.value.seq == row.seq
        with golden.spoiling() as conn:
            conn.execute(update(store.payload).where(where).values(sealed=row.sealed))
    assert seals_hold(golden.entries()) is None


def test_each_process_has_a_history():
    """Issue 4: a process that nothing golden has lived through is changed without anybody noticing."""
    told = {json.loads(gzip.decompress(file.read_bytes()))["record"]["process"] for file in FILES}
    assert CATALOGUE.keys() <= told
