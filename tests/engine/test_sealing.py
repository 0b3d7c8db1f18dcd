"""Entries become leaves of one tree: in batches, once, in whatever process; what was altered before is left out and named."""

from __future__ import annotations

import threading

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import delete, func, insert, select, text

from engine import merkle, notes, sealing, store
from engine.notes import Ed25519Signer, Verifier
from engine.sealing import Sequencer
from engine.store import Store
from tests.tamper import tampering

ORIGIN = "yingbao/test"


@pytest.fixture(params=[1, 2], ids=["sha256", "sm3"])
def suite(request):
    return merkle.SUITES[request.param]


def signer():
    return Ed25519Signer(ORIGIN, Ed25519PrivateKey.from_private_bytes(bytes(range(32))))


@pytest.fixture
def sequencer(store, suite):
    return Sequencer(store, signer(), ORIGIN, suite)


def write(office, count, records=3):
    """So many entries, dealt over new records."""
    with office.act() as act:
        opened = [act.new("case", "120116") for _ in range(records)]
        for n in range(count):
            act.append(opened[n % records], "noted", {"n": n})


def holds(conn, suite):
    """The newest checkpoint against leaves made from the entries: the size of its tree."""
    row = sealing.latest(conn)
    found, lines = notes.read(row["note"])
    assert Verifier.parse(signer().public()).holds(found.text, lines[0])
    rows = conn.execute(
        select(store.leaf.c.leaf_index, store.entry.c.body)
        .join(store.entry, (store.entry.c.record_id == store.leaf.c.record_id) & (store.entry.c.seq == store.leaf.c.seq))
        .order_by(store.leaf.c.leaf_index)
    ).all()
    assert [row.leaf_index for row in rows] == list(range(found.size))
    level = [suite.leaf(row.body) for row in rows]

    def tree(hashes):
        if len(hashes) == 1:
            return hashes[0]
        middle = 1 << ((len(hashes) - 1).bit_length() - 1)
        return suite.parent(tree(hashes[:middle]), tree(hashes[middle:]))

    assert tree(level) == found.root
    return found.size


def test_batches_grow_one_tree(office, sequencer, suite):
    for count in (1, 2, 253, 1, 300, 700):
        write(office, count)
        assert sequencer.run().count == count
        with office.read() as conn:
            size = holds(conn, suite)
            assert sealing.state(conn).waiting == 0
    assert size == 1257
    with office.read() as conn:
        assert conn.scalar(select(func.count()).select_from(store.node)) == 1257 // 256
        get, sizes = sealing.stored(conn, suite), conn.scalars(select(store.checkpoint.c.tree_size)).all()
        assert len(sizes) == 11  # 200 entries at most in a batch
        roots = dict(conn.execute(select(store.checkpoint.c.tree_size, store.checkpoint.c.root)).all())
        for old in sizes:
            assert merkle.consistent(suite, old, size, roots[old], roots[size], merkle.consistency(suite, get, old, size))
        for row in conn.execute(select(store.leaf).where(store.leaf.c.leaf_index % 97 == 0)):
            proof = merkle.inclusion(suite, get, row.leaf_index, size)
            assert merkle.included(suite, row.hash, row.leaf_index, size, proof, roots[size])
        assert sealing.suite_of(conn) == suite


def test_nothing_to_seal_signs_nothing(office, sequencer):
    assert sequencer.run() == sealing.Sealed()
    with office.read() as conn:
        assert sealing.latest(conn) is None
        assert sealing.state(conn) == sealing.State(0, 0, 0, None, None)


def test_several_sequencers_at_once_give_one_tree(office, suite):
    opened = [Store(office.store.url.render_as_string(hide_password=False)) for _ in range(3)]
    stop = threading.Event()

    def seal(at):
        made = Sequencer(at, signer(), ORIGIN, suite)
        while not stop.is_set():
            made.run()
        made.run()

    threads = [threading.Thread(target=seal, args=(at,)) for at in opened]
    for thread in threads:
        thread.start()
    for _ in range(12):
        write(office, 30)
    stop.set()
    for thread in threads:
        thread.join()
    Sequencer(office.store, signer(), ORIGIN, suite).run()
    with office.read() as conn:
        assert holds(conn, suite) == 360
        assert sealing.state(conn).waiting == 0
    for at in opened:
        at.close()


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ("UPDATE entry SET body = :other WHERE record_id = 2 AND seq = 2", "do not fit"),
        ("DELETE FROM entry WHERE record_id = 2 AND seq = 2", "gone"),
        ("UPDATE entry SET body = (SELECT body FROM entry WHERE record_id = 1 AND seq = 1), leaf = (SELECT leaf FROM entry WHERE record_id = 1 AND seq = 1) WHERE record_id = 2 AND seq = 2", "another entry"),  # noqa: E501
    ],
)
def test_what_was_altered_before_it_was_sealed_is_left_out_and_named(office, sequencer, suite, change, why):
    write(office, 9)
    with tampering(office.store) as conn:
        conn.execute(text(change), {"other": b"{}"} if ":other" in change else {})
    done = sequencer.run()
    assert done.count == 8
    assert [(fault.record_id, fault.seq) for fault in done.faults] == [(2, 2)]
    assert why in str(done.faults[0])
    with office.read() as conn:
        assert sealing.state(conn).waiting == 1
        assert sealing.index_of(conn, 2, 2) is None
        assert sealing.index_of(conn, 2, 1) is not None


def test_what_waits_too_long_is_an_alarm(office, store):
    write(office, 2)
    with store.write() as conn:
        assert not sealing.state(conn).late
        conn.execute(delete(sealing.store.pending))
        conn.execute(insert(sealing.store.pending).values(record_id=1, seq=1, since=0))
        assert sealing.state(conn).late


def test_a_failed_write_of_the_record_undoes_the_act(office, monkeypatch):
    """Fail closed: without its entry nothing happened."""
    with pytest.raises(RuntimeError, match="disk"), office.act() as act:
        record = act.new("case", "120116")
        act.append(record, "noted")
        monkeypatch.setattr(act, "finish", lambda: (_ for _ in ()).throw(RuntimeError("disk")))
    with office.read() as conn:
        assert conn.scalar(select(func.count()).select_from(store.record)) == 0
        assert sealing.state(conn).waiting == 0
