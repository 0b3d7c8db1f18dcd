"""Signed notes against what other implementations publish, and everything that is none."""

from __future__ import annotations

import base64
import shlex
import shutil
import subprocess
import sys
from types import SimpleNamespace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from engine import audit_verify, merkle, notes, sealing
from engine.notes import BadNote, Checkpoint, Ed25519Signer, Line, ProgramSigner, Verifier
from engine.sealing import Sequencer
from tests import bundles
from tests.conftest import missing
from web import sequencer

# golang.org/x/mod/sumdb/note, note_test.go: the reference implementation's keys and note.
PETER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
PETERS_SEED = base64.b64decode("AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz")[1:]
TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
LINE = "\u2014 PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
ENOCH = "EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop"
OTHERS = ["TEST+7997405c+AQcC+FTVKf0jlTdHDY3rbevmnKxxPjigCXlVtGe6RIr6", "remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2"]
ROOT = bytes(range(32))


def test_the_published_note():
    signer = Ed25519Signer("PeterNeumann", Ed25519PrivateKey.from_private_bytes(PETERS_SEED))
    assert signer.public() == PETER
    assert signer.sign(TEXT.encode()).text == LINE
    line = notes.line_of(LINE)
    assert Verifier.parse(PETER).holds(TEXT, line)
    assert not Verifier.parse(PETER).holds(TEXT.replace("think", "thinc"), line)
    assert not Verifier.parse(ENOCH).holds(TEXT, line)
    assert audit_verify.read_key(PETER).holds(TEXT, line.signature)
    assert not audit_verify.read_key(PETER).holds(TEXT + "x", line.signature)


@pytest.mark.parametrize("text", [PETER, ENOCH, *OTHERS])
def test_keys_of_others(text):
    found, same = Verifier.parse(text), audit_verify.read_key(text)
    assert (found.name, found.id, found.key) == (same.name, same.id, same.raw)
    assert (found.kind == notes.COSIGNATURE) == (same.kind == "witness")


def test_no_part_of_a_key_is_a_key():
    """As the reference implementation's test does: every piece, and every byte changed."""
    for start in range(len(PETER)):
        for end in range(start + 1, len(PETER) + 1):
            if (start, end) != (0, len(PETER)):
                with pytest.raises(BadNote):
                    Verifier.parse(PETER[start:end])
    for n, letter in enumerate(PETER):
        with pytest.raises(BadNote):
            Verifier.parse(PETER[:n] + chr(ord(letter) + 1) + PETER[n + 1 :])
    for text in ("PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY==", "PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"):
        with pytest.raises(BadNote):
            Verifier.parse(text)
        with pytest.raises(audit_verify.BadBundle):
            audit_verify.read_key(text)


def test_a_key_of_another_length():
    for length in (0, 31, 33):
        raw = b"k" * length
        with pytest.raises(BadNote, match="32 bytes"):
            Verifier.parse(f"x+{notes.key_id('x', notes.ED25519, raw).hex()}+{base64.b64encode(notes.ED25519 + raw).decode()}")


@given(st.integers(0, 10**18), st.binary(min_size=32, max_size=32), st.integers(0, 2**63))
def test_round_trips(size, root, at):
    found = Checkpoint(bundles.LOG, size, root)
    text = notes.signed(found, [bundles.SIGNER.sign(found.text.encode()), bundles.WITNESS.cosign(found.text.encode(), at)])
    again, lines = notes.read(text)
    assert again == found
    assert notes.signed(again, lines) == text
    log, witness = Verifier.parse(bundles.SIGNER.public()), Verifier.parse(bundles.WITNESS.witness_public())
    assert [log.holds(again.text, line) for line in lines] == [True, False]
    assert [witness.holds(again.text, line) for line in lines] == [False, True]
    other = Checkpoint(bundles.LOG, size + 1, root)
    assert not any(key.holds(other.text, line) for key in (log, witness) for line in lines)
    later = Line(lines[1].name, lines[1].key_id, (at + 1).to_bytes(8, "big") + lines[1].signature[8:])
    assert not witness.holds(again.text, later)  # the time is signed, too
    read = audit_verify.read_note(text)
    assert (read.origin, read.size, read.root, read.text) == (found.origin, size, root, found.text)


def test_a_cosignature_is_no_signature_of_the_log():
    """The same key in both places: each kind has its own id."""
    found = Checkpoint(bundles.LOG, 1, ROOT)
    line = bundles.SIGNER.cosign(found.text.encode(), 1)
    assert not Verifier.parse(bundles.SIGNER.public()).holds(found.text, line)
    assert Verifier.parse(bundles.SIGNER.witness_public()).holds(found.text, line)


def test_short_signatures_do_not_hold():
    for key in (Verifier.parse(bundles.SIGNER.public()), Verifier.parse(bundles.SIGNER.witness_public())):
        for length in range(80):
            assert not key.holds("x", Line(key.name, key.id, b"s" * length))


B64 = base64.b64encode(ROOT).decode()
BAD = ["", "\n\n", "log\n1\n", f"log\n1\n{B64}", f"log\n1\n{B64}\n", f"log\n01\n{B64}\n\n", f"log\n-1\n{B64}\n\n", f"log\n1\n{B64[:-4]}\n\n", f"\n1\n{B64}\n\n", f"log\n1\nx{B64}\n\n",
       f"log\n1\n{B64}\nmore\n\n", f"log\n{'9' * 20}\n{B64}\n\n", f"log\n1\n{B64}\n\nwords\n", f"log\n1\n{B64}\n\n- log AAAAAAA=\n", f"log\n1\n{B64}\n\n\u2014 log AAAA\n",
       f"log\n1\n{B64}\n\n\u2014 log  AAAAAAA=\n", f"log\n1\n{B64}\n\n\u2014 lo+g AAAAAAAAAAA=\n", f"log\n1\n{B64}\n\n\u2014 log ÄÖÜ\n"]  # fmt: skip


@pytest.mark.parametrize("text", BAD)
def test_what_is_no_checkpoint(text):
    with pytest.raises(BadNote):
        notes.read(text)
    with pytest.raises(audit_verify.BadBundle):
        audit_verify.read_note(text)


@given(st.text())
def test_any_text(text):
    for read, error in ((notes.read, BadNote), (Verifier.parse, BadNote), (notes.line_of, BadNote), (audit_verify.read_note, audit_verify.BadBundle),
                        (audit_verify.read_key, audit_verify.BadBundle), (audit_verify.notes_in, audit_verify.BadBundle), (audit_verify.Policy, audit_verify.BadBundle)):  # fmt: skip
        try:
            read(text)
        except error as said:
            assert str(said)


# -- suite 2: a program in front of the module


@pytest.fixture
def module(tmp_path):
    """A `module` that signs with SM2: the system's openssl."""
    program = shutil.which("openssl")
    if program is None:
        missing("openssl")
    key = tmp_path / "sm2.pem"
    done = subprocess.run([program, "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:SM2", "-out", str(key)], capture_output=True, check=False)
    if done.returncode:
        missing("SM2 in openssl")
    public = subprocess.run([program, "pkey", "-in", str(key), "-pubout", "-outform", "DER"], capture_output=True, check=True).stdout
    command = [program, "dgst", "-sm3", "-sign", str(key), "-sigopt", "distid:1234567812345678"]
    return ProgramSigner(bundles.LOG, command, public[-64:])


def test_suite_2_from_the_module_to_the_auditor(module, tmp_path):
    made = bundles.district(merkle.SM3)
    made.signer = module
    (tmp_path / "b.zip").write_bytes(bundles.packed(made.tables(), made.manifest()))
    policy = tmp_path / "p.txt"
    policy.write_text(bundles.POLICY.replace(bundles.SIGNER.public(), module.public()))
    code, found = audit_verify.verify(str(tmp_path / "b.zip"), str(policy))
    assert (code, found.broken, found.gaps) == (0, [], [])
    text = made.checkpoint(8)
    key, read = audit_verify.read_key(module.public()), audit_verify.read_note(text)
    signature = read.lines[0][2]
    assert key.holds(read.text, signature) is True
    assert key.holds(read.text + "x", signature) is False
    assert key.holds(read.text, b"rubbish") in (False, None)
    assert not Verifier.parse(module.public()).holds(read.text, notes.read(text)[1][0])  # verified by the auditor's program alone
    halves, at = [], 2
    for _ in range(2):  # as modules give it: r and s, 32 bytes each
        length = signature[at + 1]
        halves.append(int.from_bytes(signature[at + 2 : at + 2 + length], "big").to_bytes(32, "big"))
        at += 2 + length
    assert key.holds(read.text, b"".join(halves)) is True


def test_suite_2_without_openssl_is_incomplete(module, tmp_path, monkeypatch):
    made = bundles.district(merkle.SM3)
    made.signer, made.kept = module, []
    (tmp_path / "b.zip").write_bytes(bundles.packed(made.tables(), made.manifest()))
    monkeypatch.setenv("PATH", str(tmp_path))
    policy = tmp_path / "p.txt"
    policy.write_text(bundles.POLICY.replace(bundles.SIGNER.public(), module.public()))
    code, found = audit_verify.verify(str(tmp_path / "b.zip"), str(policy))
    assert (code, [gap.check for gap in found.gaps]) == (2, [5])


def test_a_program_that_fails():
    for command in (["/no/such/program"], [sys.executable, "-c", "import sys; sys.exit('no card')"], [sys.executable, "-c", ""]):
        with pytest.raises(RuntimeError, match="signing program failed"):
            ProgramSigner(bundles.LOG, command, b"k" * 64).sign(b"text")


def test_the_sequencer_seals_with_the_module(module, tmp_path, office):
    settings = SimpleNamespace(suite=2, signer_command=shlex.join(module.command), signer_key=base64.b64encode(module.key).decode(), origin=bundles.LOG, signing_key=tmp_path / "key.pem")
    signer = sequencer.signer(settings)
    assert (tmp_path / "key.pem.pub").read_text().strip() == signer.public() == module.public()
    with office.act() as act:
        act.append(act.new("case", "120116"), "noted", {"n": 1})
    Sequencer(office.store, signer, bundles.LOG, merkle.SM3).run()
    with office.read() as conn:
        note = audit_verify.read_note(sealing.latest(conn)["note"])
    assert audit_verify.read_key(signer.public()).holds(note.text, note.lines[0][2])
    assert note.size == 1
