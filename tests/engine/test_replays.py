"""What a replay gave is remembered by every byte it was made of: steps cost nothing twice, and no altered byte is answered from memory."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from engine import store
from engine.merkle import SHA256
from engine.office import Kept, history
from engine.replays import Replays
from tests.tamper import tampering


@pytest.fixture
def case(district):
    district.apply(district.household(210_000))
    district.accept()
    return district.case()


def done(district, replays):
    with district.office.read() as conn:
        row = conn.execute(select(store.record).where(store.record.c.no == district.no)).mappings().one()
        return replays.of(conn, row, Kept(conn, district.office.keys.on(conn), row["id"]))


def test_a_case_is_done_again_once_until_it_goes_on(district, case):
    replays = Replays(district.cases)
    first = done(district, replays)
    assert (first.result, len(first.stands)) == ("same", 2)
    assert done(district, replays) is first
    assert replays.done == 1
    assert first.at(1).facts != first.at(2).facts
    assert first.at(0) is first.at(3) is None
    district.registries()
    assert (len(done(district, replays).stands), replays.done) == (3, 2)


def test_only_the_last_ones_are_kept(district, case):
    replays = Replays(district.cases, kept=1)
    no = district.no
    done(district, replays)
    district.apply(district.household(210_000, serial=9))
    done(district, replays)
    district.no = no
    done(district, replays)
    assert replays.done == 3


@pytest.mark.parametrize(("table", "changed"), [("entry", {"body": b"body"}), ("entry", {"leaf": "0" * 64}), ("payload", {"sealed": b"nothing"})])
def test_an_altered_byte_is_never_answered_from_memory(district, case, table, changed):
    replays = Replays(district.cases)
    assert done(district, replays).result == "same"
    of = store.metadata.tables[table]
    if "body" in changed:
        with district.office.read() as conn:
            body = conn.scalar(select(store.entry.c.body).where(store.entry.c.record_id == case["id"], store.entry.c.seq == 2))
        changed = {"body": body.replace(b"clerk", b"other")}
    with tampering(district.office.store) as conn:
        conn.execute(of.update().where(of.c.record_id == case["id"], of.c.seq == 2).values(**changed))
    found = done(district, replays)
    assert (found.result, found.reason, found.entry) == ("different", "seal", 2)


def test_a_deleted_payload_and_a_removed_last_entry_are_seen(district, case):
    replays = Replays(district.cases)
    done(district, replays)
    kept = store.entry.c
    with tampering(district.office.store) as conn:
        conn.execute(store.payload.delete().where(store.payload.c.record_id == case["id"], store.payload.c.seq == 1))
    assert (done(district, replays).reason, done(district, replays).entry) == ("seal", 1)
    with tampering(district.office.store) as conn:
        conn.execute(store.entry.delete().where(kept.record_id == case["id"], kept.seq == 2))
    assert done(district, replays).result == "different"


def test_a_record_that_was_written_anew_is_found_in_the_tree(district, case):
    replays = Replays(district.cases)
    with tampering(district.office.store) as conn:
        for index, seq in enumerate((1, 2)):
            body = conn.scalar(select(store.entry.c.body).where(store.entry.c.record_id == case["id"], store.entry.c.seq == seq))
            conn.execute(store.leaf.insert().values(leaf_index=index, record_id=case["id"], seq=seq, hash=SHA256.leaf(body)))
    assert done(district, replays).result == "same"
    with tampering(district.office.store) as conn:
        conn.execute(store.leaf.update().where(store.leaf.c.seq == 2).values(hash=SHA256.leaf(b"what was signed")))
    found = done(district, replays)
    assert (found.result, found.reason, found.entry, len(found.stands)) == ("different", "tree", 2, 2)


def test_the_digest_knows_an_erased_key_and_opening_one_by_one_gives_the_history(district, case):
    with district.office.read() as conn:
        keys = district.office.keys.on(conn)
        before = Kept(conn, keys, case["id"])
        digest = before.digest()
        one_by_one = [before.entry(place) for place in range(2)]
        whole = history(conn, keys, case["id"])
        assert one_by_one == whole
        assert [entry.personal for entry in one_by_one] == [entry.personal for entry in whole]
        assert all(entry.personal == {} for entry in before.closed)
    with tampering(district.office.store) as conn:
        conn.execute(store.subject_key.delete().where(store.subject_key.c.subject == case["subject"]))
    with district.office.read() as conn:
        assert Kept(conn, district.office.keys.on(conn), case["id"]).digest() != digest
    assert done(district, Replays(district.cases)).result == "same", "what was erased is no break"
