"""A witness over HTTP: what it signs, what it refuses, and what the sequencer hears from it."""

from __future__ import annotations

import base64
import json
import threading

import httpx
import pytest
from sqlalchemy import func, select
from werkzeug.serving import make_server

from engine import audit_verify, merkle, notes, sealing, store
from engine.notes import Verifier
from engine.sealing import Sequencer
from tests import bundles
from web import sequencer, witness
from web.witness import Seen, create_witness


class Served:
    """A WSGI application behind a real port, until the block ends."""

    def __init__(self, app):
        self._server = make_server("127.0.0.1", 0, app, threaded=True)
        self.address = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self):
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})  # its end is noticed at the next poll
        self._thread.start()
        return self.address

    def __exit__(self, *_):
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def made_witness(folder, suite=merkle.SHA256):
    return create_witness(bundles.WITNESS, {bundles.LOG: Verifier.parse(bundles.SIGNER.public())}, Seen(folder), {bundles.LOG: suite})


@pytest.fixture
def address(tmp_path):
    with Served(made_witness(tmp_path / "witness")) as address:
        yield address


@pytest.fixture(params=[1, 2], ids=["sha256", "sm3"])
def suite(request):
    return merkle.SUITES[request.param]


def log(count, *, word="n", suite=merkle.SHA256):
    made = bundles.Made(suite)
    for n in range(count):
        made.add(1, "noted", {word: n})
    return made


def body(made, old, size, *, proof=None, signer=None):
    if proof is None:
        proof = merkle.consistency(made.suite, made.get(size), old, size) if 0 < old < size else []
    lines = "".join(base64.b64encode(one).decode() + "\n" for one in proof)
    return f"old {old}\n{lines}\n{made.checkpoint(size, signer=signer, witness=False)}"


def ask(address, text):
    return httpx.post(f"{address}/add-checkpoint", content=text if isinstance(text, bytes) else text.encode())


def cosigned(made, size, answer):
    assert answer.status_code == 200, answer.text
    found, _ = notes.read(made.checkpoint(size))
    key = Verifier.parse(bundles.WITNESS.witness_public())
    return key.holds(found.text, notes.line_of(answer.text))


def test_first_contact_and_growth(tmp_path, suite):
    made = log(40, suite=suite)
    with Served(made_witness(tmp_path, suite)) as address:
        assert Verifier.parse(httpx.get(address).text).name == bundles.WITNESS.name
        old = 0
        for size in (1, 2, 7, 8, 33, 40, 40):
            assert cosigned(made, size, ask(address, body(made, old, size)))
            old = size
    kept = audit_verify.notes_in((tmp_path / "checkpoints.txt").read_text(encoding="utf-8"))
    assert [note.size for note in kept] == [1, 2, 7, 8, 33, 40, 40]
    key = audit_verify.read_key(bundles.WITNESS.witness_public())
    assert all(audit_verify.signed_by(key, note) for note in kept)


def test_who_is_behind_hears_where_to_begin(address):
    made = log(20)
    assert ask(address, body(made, 0, 8)).status_code == 200
    for old in (0, 5):
        answer = ask(address, body(made, old, 20))
        assert (answer.status_code, answer.text, answer.headers["Content-Type"]) == (409, "8\n", "text/x.tlog.size")
    assert cosigned(made, 20, ask(address, body(made, 8, 20)))


def test_a_tree_that_shrank_or_changed_is_refused(address):
    made, other = log(20), log(20, word="other")
    assert ask(address, body(made, 0, 12)).status_code == 200
    assert (ask(address, body(made, 5, 8)).status_code, ask(address, body(made, 12, 8)).status_code) == (409, 400)
    assert ask(address, body(other, 12, 12)).status_code == 409
    assert ask(address, body(other, 12, 20)).status_code == 422
    assert ask(address, body(made, 12, 20, proof=[])).status_code == 422
    good = merkle.consistency(made.suite, made.get(20), 12, 20)
    for proof in (good[:-1], [*good, good[0]], good[::-1], [b"short"], [good[0]] * 63):
        assert ask(address, body(made, 12, 20, proof=proof)).status_code == 422
    assert cosigned(made, 20, ask(address, body(made, 12, 20)))  # and nothing of all that was remembered


def test_what_it_does_not_sign(address):
    made = log(4)
    text = body(made, 0, 4)
    assert ask(address, text.replace(f"\n{bundles.LOG}\n", "\nother/log\n")).status_code == 404
    assert ask(address, body(made, 0, 4, signer=notes.Ed25519Signer(bundles.LOG, bundles.key(9)))).status_code == 403
    assert ask(address, text.replace("\n4\n", "\n5\n")).status_code == 403
    assert ask(address, text[: text.rindex("\u2014")]).status_code in (400, 403)
    assert ask(address, text + " " * witness.MOST_BYTES).status_code == 413
    for bad in (b"", b"\xff\xfe", b"old\n\n", b"old x\n\n", b"new 0\n\n", b"old -1\n\n", text.replace("old 0\n", "old 0\n" + "AAAA\n" * 64), text.replace("old 0\n", "old 0\n!!!!\n"),
                text.replace("old 0", "old " + "9" * 5000), text.replace("\n\n", "\n"), "old 0\n\nwords"):  # fmt: skip
        answer = ask(address, bad)
        assert answer.status_code == 400, (bad, answer.text)
    assert httpx.get(f"{address}/add-checkpoint").status_code == 405
    assert cosigned(made, 4, ask(address, text))


def test_two_at_once_do_not_both_get_a_first_signature(address):
    made, other, answers = log(8), log(8, word="other"), []

    def send(one):
        answers.append(ask(address, body(one, 0, 8)).status_code)

    threads = [threading.Thread(target=send, args=(one,)) for one in (made, other) * 4]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers.count(200) == 1
    assert answers.count(409) == 7


def test_it_remembers_over_a_restart(tmp_path):
    made = log(20)
    with Served(made_witness(tmp_path)) as address:
        assert ask(address, body(made, 0, 12)).status_code == 200
    assert json.loads((tmp_path / "seen.json").read_text())[bundles.LOG]["size"] == 12
    with Served(made_witness(tmp_path)) as address:
        assert ask(address, body(made, 0, 12)).text == "12\n"
        assert ask(address, body(log(20, word="other"), 12, 20)).status_code == 422
        assert cosigned(made, 20, ask(address, body(made, 12, 20)))


# -- the sequencer's side


@pytest.fixture
def sealer(office):
    return Sequencer(office.store, bundles.SIGNER, bundles.LOG)


def write(office, count):
    with office.act() as act:
        record = act.new("case", "120116")
        for n in range(count):
            act.append(record, "noted", {"n": n})


def lines_kept(office):
    with office.read() as conn:
        return conn.scalar(select(func.count()).select_from(store.cosignature))


def test_the_sequencer_gets_its_lines(office, sealer, address, tmp_path):
    with Served(made_witness(tmp_path / "second")) as second:
        for count in (3, 1, 300):
            write(office, count)
            sealer.run()
            assert sequencer.ask_witnesses(sealer, (address, second)) == []
            assert sequencer.ask_witnesses(sealer, (address, second)) == []  # asked once
        assert lines_kept(office) == 6
        with office.read() as conn:
            found, lines = notes.read(sealing.latest(conn)["note"])
        key = Verifier.parse(bundles.WITNESS.witness_public())
        assert (found.size, [key.holds(found.text, line) for line in lines]) == (304, [False, True, True])


def test_nothing_sealed_is_nothing_to_ask(sealer, address):
    assert sequencer.ask_witnesses(sealer, (address,)) == []


def test_an_older_backup_is_told(office, sealer, address):
    made = log(9)
    assert ask(address, body(made, 0, 9)).status_code == 200
    write(office, 4)
    sealer.run()
    (told,) = sequencer.ask_witnesses(sealer, (address,))
    assert "it has seen 9 entries, here are 4" in told
    write(office, 5)
    sealer.run()
    (told,) = sequencer.ask_witnesses(sealer, (address,))
    assert "another tree of 9 entries" in told
    write(office, 5)
    sealer.run()
    (told,) = sequencer.ask_witnesses(sealer, (address,))
    assert "not the first ones here" in told
    assert lines_kept(office) == 0


NONSENSE = [(200, ""), (200, "words"), (409, "many"), (409, "-1"), (409, "9" * 5000), (409, ""), (500, "broken"), (404, ""), (302, "")]


def test_a_witness_that_talks_nonsense_stops_nothing(office, sealer):
    """Each of them is a witness of its own, at an address of its own."""
    def app(status, said):
        def answers(_environ, start):
            start(f"{status} X", [("Content-Type", "text/plain")])
            return [said.encode()]

        return answers

    write(office, 2)
    sealer.run()
    for status, said in NONSENSE:
        with Served(app(status, said)) as address:
            (told,) = sequencer.ask_witnesses(sealer, (address,))
        assert told.startswith(address), (status, said[:9])
        assert lines_kept(office) == 0, (status, said[:9])


def test_one_that_is_away_does_not_keep_the_others(office, sealer, address):
    write(office, 2)
    sealer.run()
    with Served(made_witness) as gone:
        pass
    (told,) = sequencer.ask_witnesses(sealer, (gone, address))
    assert told.startswith(gone)
    assert lines_kept(office) == 1
