"""A bundle of a real district: the verifier finds nothing, the engine does the cases again from it, and what is changed is named."""

from __future__ import annotations

import hashlib
import io
import json
import pathlib
import subprocess
import sys
import zipfile

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

import engine.audit_verify
from engine import audit_verify, notes, sealing
from engine.bpmn import Drawing
from engine.errors import EngineError, Invalid, NotFound
from engine.notes import Ed25519Signer
from engine.proof import judge
from engine.sealing import Sequencer
from processes import dmn, evidence, law
from web import cli_record

ORIGIN = "yingbao/binhai/training"


def signer():
    return Ed25519Signer(ORIGIN, Ed25519PrivateKey.from_private_bytes(bytes([7] * 32)))


@pytest.fixture
def sealed(district, bureau):
    district.to_refusal()
    Sequencer(bureau.office.store, signer(), ORIGIN).run()
    with bureau.office.read() as conn:
        district.old = notes.read(sealing.latest(conn)["note"])[0]
    district.first = district.no
    district.to_street_opinion(serial=2)
    Sequencer(bureau.office.store, signer(), ORIGIN).run()
    return district


def bundle(district, file, *cases, **kind):
    made = district.bureau
    wanted = evidence.Wanted(cases, "auditor", made.settings.files, origin=ORIGIN, public_key=signer().public(), **kind)
    with made.office.read() as conn, file.open("wb") as out:
        return evidence.write(conn, made.office.keys.on(conn), wanted, out)


def verified(folder, *arguments):
    """What plain Python says in an empty folder, without our packages: exit code and report."""
    program = folder / "audit_verify.py"
    program.write_bytes(pathlib.Path(engine.audit_verify.__file__).read_bytes())
    done = subprocess.run([sys.executable, "-I", program.name, *arguments, "--json"], cwd=folder, capture_output=True, text=True, check=False)
    assert not done.stderr, done.stderr
    return done.returncode, json.loads(done.stdout)


@pytest.fixture
def policy(tmp_path):
    file = tmp_path / "policy.txt"
    file.write_text(f"log {signer().public()}\nquorum none\n")
    return file.name


def test_a_bundle_proves_its_cases(sealed, tmp_path, policy):
    for name, cases in (("one.zip", (sealed.first,)), ("two.zip", (sealed.first, sealed.no)), ("all.zip", ())):
        manifest = bundle(sealed, tmp_path / name, *cases)
        assert len(manifest["cases"]) == (len(cases) or 2)
        code, said = verified(tmp_path, name, "--policy", policy)
        assert code == 0, (said["broken"], said["gaps"])
    names = zipfile.ZipFile(tmp_path / "one.zip").namelist()
    assert any(name.startswith("attachments/") for name in names)
    assert any(name.startswith("drawings/") for name in names)
    with zipfile.ZipFile(tmp_path / "two.zip") as archive:
        assert archive.read("computations.jsonl").count(b"\n") >= 2


def test_an_older_checkpoint_of_the_auditor_fits(sealed, tmp_path, policy):
    old = tmp_path / "old.txt"
    found = sealed.old
    old.write_text(notes.signed(found, [signer().sign(found.text.encode())]))
    bundle(sealed, tmp_path / "b.zip", sealed.no, old=(found.size,))
    assert verified(tmp_path, "b.zip", "--policy", policy, "--old", "old.txt")[0] == 0
    other = notes.Checkpoint(ORIGIN, found.size, b"\1" * 32)
    old.write_text(notes.signed(other, [signer().sign(other.text.encode())]))
    assert verified(tmp_path, "b.zip", "--policy", policy, "--old", "old.txt")[0] == 1


def test_without_personal_parts_it_is_honest_about_what_it_cannot_show(sealed, tmp_path, policy):
    bundle(sealed, tmp_path / "b.zip", sealed.no, personal=False)
    with zipfile.ZipFile(tmp_path / "b.zip") as archive:
        text = b"".join(archive.read(name) for name in archive.namelist()).decode(errors="ignore")
    assert "张一" not in text
    assert "演示路" not in text
    assert verified(tmp_path, "b.zip", "--policy", policy)[0] == 2


def test_what_is_not_sealed_yet_is_incomplete(sealed, tmp_path, policy):
    sealed.review()
    bundle(sealed, tmp_path / "b.zip", sealed.no)
    assert verified(tmp_path, "b.zip", "--policy", policy)[0] == 2


def test_nothing_sealed_and_no_such_case_are_refused(district, bureau, tmp_path):
    district.apply(district.household())
    with pytest.raises(Invalid, match="nothing is sealed"):
        bundle(district, tmp_path / "b.zip", district.no)
    Sequencer(bureau.office.store, signer(), ORIGIN).run()
    with pytest.raises(NotFound, match="DB-1"):
        bundle(district, tmp_path / "b.zip", district.no, "DB-1")


def test_the_law_of_the_bundle_is_the_one_that_the_entries_name(sealed, tmp_path, policy):
    """One of the files was left out, so nobody could compute the digest; and nobody compared it."""
    bundle(sealed, tmp_path / "b.zip", sealed.no)
    with zipfile.ZipFile(tmp_path / "b.zip") as archive:
        files = {name[69:]: archive.read(name) for name in archive.namelist() if name.startswith(f"law/{law.DIGEST}/")}
        named = {json.loads(json.loads(line)["body"])["data"].get("law") for line in archive.open("entries.jsonl")} - {None}
    found = hashlib.sha256(b"".join(b"%s\0%d\0%s" % (name.encode(), len(raw), raw) for name, raw in sorted(files.items()))).hexdigest()
    assert named == {found} == {law.DIGEST}
    changed(tmp_path / "b.zip", tmp_path / "c.zip", f"law/{law.DIGEST}/relation_scope.yaml", b"\n", b"\n# another\n")
    code, said = verified(tmp_path, "c.zip", "--policy", policy)
    assert (code, {one["check"] for one in said["broken"]}) == (1, {10})


def test_the_engine_does_the_cases_again_from_the_bundle(sealed, tmp_path):
    manifest = bundle(sealed, tmp_path / "b.zip")
    made = sealed.bureau
    with zipfile.ZipFile(tmp_path / "b.zip") as archive, made.office.read() as conn:
        made.cases.lend({digest: Drawing.parse(xml) for digest, xml in evidence.drawings(archive).items()}, evidence.tables(archive), evidence.laws(archive))
        told = evidence.entries(archive, {case["record"] for case in manifest["cases"]})
        for entries in told.values():
            assert judge(made.cases, conn, entries).result == "same"
        assert sorted(told) == sorted(case["record"] for case in manifest["cases"])


def test_what_is_no_bundle_is_said_in_words(sealed, tmp_path, capsys):
    bundle(sealed, tmp_path / "b.zip", sealed.no)
    whole = (tmp_path / "b.zip").read_bytes()
    with zipfile.ZipFile(tmp_path / "b.zip") as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    drawing = next(name for name in files if name.startswith("drawings/"))

    def told(content):
        file = tmp_path / "c.zip"
        if isinstance(content, bytes):
            file.write_bytes(content)
        else:
            with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
                for name, one in content.items():
                    archive.writestr(name, one)
        code = cli_record._replay_bundle(sealed.bureau, file, as_json=False)
        return code, capsys.readouterr().err

    assert told(whole) == (0, "")
    for bad in (b"no zip", whole[: len(whole) // 2], {k: v for k, v in files.items() if k != "manifest.json"}, {**files, "manifest.json": b"{"},
                {**files, drawing: b"<"}, {**files, "entries.jsonl": b"[1]\n"}, {**files, "payloads.jsonl": b"\xff"}, {**files, "tree.txt": bytes(1 << 25)}):  # fmt: skip
        code, words = told(bad)
        assert code == 3
        assert "not a bundle" in words


def test_a_checkpoint_file_that_is_none_is_said_in_words(tmp_path):
    for content in (b"minutes", b"\xff\xfe"):
        (tmp_path / "old").write_bytes(content)
        with pytest.raises(EngineError, match="not a checkpoint"):
            cli_record._held((tmp_path / "old",))


def changed(source, target, name, old, new):
    """The bundle with some bytes of one file exchanged, and the manifest fitted to it."""
    with zipfile.ZipFile(source) as archive:
        files = {one: archive.read(one) for one in archive.namelist()}
    assert old in files[name]
    files[name] = files[name].replace(old, new, 1)
    manifest = json.loads(files["manifest.json"])
    manifest["files"][name] = {"sha256": hashlib.sha256(files[name]).hexdigest(), "size": len(files[name])}
    files["manifest.json"] = json.dumps(manifest).encode()
    with zipfile.ZipFile(target, "w") as archive:
        for one, content in files.items():
            archive.writestr(one, content)


@pytest.mark.parametrize("db_url", ["sqlite"], indirect=True)
def test_a_changed_bundle_is_tampering(sealed, tmp_path, policy):
    bundle(sealed, tmp_path / "b.zip", sealed.first)
    for name, old, new in (
        ("entries.jsonl", b"propose_refuse", b"propose_grants"),
        ("payloads.jsonl", "收入高".encode(), "收入低".encode()),
        ("rows.jsonl", b'"kind":"refusal"', b'"kind":"approval"'),
        (f"law/{law.DIGEST}/parameters.yaml", b'"920"', b'"921"'),
        ("computations.jsonl", b'"value":"', b'"value":"1'),
        ("attachments/1", b"<", b"["),
    ):
        try:
            changed(tmp_path / "b.zip", tmp_path / "c.zip", name, old, new)
        except AssertionError:
            with zipfile.ZipFile(tmp_path / "b.zip") as archive:
                pytest.fail(f"{name}: {old!r} is not in {archive.read(name)[:600]!r}")
        code, said = verified(tmp_path, "c.zip", "--policy", policy)
        assert code == 1, (name, said)


def test_bytes_of_a_bundle_are_the_same_for_the_same_record(sealed, tmp_path):
    for name in ("a.zip", "b.zip"):
        bundle(sealed, tmp_path / name)
    a, b = (zipfile.ZipFile(tmp_path / name) for name in ("a.zip", "b.zip"))
    assert {n: a.read(n) for n in a.namelist() if n != "manifest.json"} == {n: b.read(n) for n in b.namelist() if n != "manifest.json"}
    assert io.BytesIO(a.read("entries.jsonl")).readline().endswith(b"}\n")


def test_the_verifiers_own_evaluator_decides_like_the_engines():
    """Every boundary of every table in force."""
    for name, raw in dmn.RAW.items():
        table = audit_verify.read_table(raw)
        kinds = dict(table.outputs)
        for said in dmn.SHELF[name].boundary_tests():
            rules, outputs = audit_verify.decided(table, said["inputs"])
            assert (rules, outputs) == (said["rules"], [{n: audit_verify.typed(v, kinds[n]) for n, v in one.items()} for one in said["outputs"]]), said


@pytest.mark.parametrize("raw", [b"", b"<a/>", b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", dmn.RAW["category"].replace(b"UNIQUE", b"ANY")])
def test_the_verifier_reads_no_odd_table(raw):
    with pytest.raises(ValueError):
        audit_verify.read_table(raw)


def test_a_table_that_was_altered_or_left_out_is_said(sealed, tmp_path, policy):
    """Check 10: a table that was altered is named, one that is not in the bundle is a gap."""
    bundle(sealed, tmp_path / "fine.zip")
    with zipfile.ZipFile(tmp_path / "fine.zip") as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    [name] = [n for n, raw in files.items() if n.startswith("tables/") and raw == dmn.RAW["category"]]
    altered = files[name].replace(b"&lt; 1<", b"&lt; 2<", 1)

    def said(changed):
        manifest = json.loads(files["manifest.json"])
        now = {k: v for k, v in {**files, **changed}.items() if v is not None}
        manifest["files"] = {k: {"sha256": hashlib.sha256(v).hexdigest(), "size": len(v)} for k, v in now.items() if k != "manifest.json"}
        with zipfile.ZipFile(tmp_path / "changed.zip", "w") as archive:
            for k, v in {**now, "manifest.json": json.dumps(manifest).encode()}.items():
                archive.writestr(k, v)
        return verified(tmp_path, "changed.zip", "--policy", policy)

    code, found = said({name: altered})
    assert code == 1
    assert any(one["check"] == 10 and "not the table of this hash" in one["en"] for one in found["broken"])
    code, found = said({name: None})
    assert code == 2
    assert {one["check"] for one in found["gaps"]} == {10}
