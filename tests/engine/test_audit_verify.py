"""The offline verifier: an honest bundle proves itself; whatever is altered in it is named by its check, record and entry; nothing crashes it."""

from __future__ import annotations

import copy
import hashlib
import io
import json
import os
import pathlib
import resource
import shutil
import struct
import subprocess
import sys
import time
import zipfile

import pytest
import rfc8785
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import audit_verify as v
from engine import merkle, notes
from engine.model import canonical, leaf_hash
from processes import evidence
from tests import bundles

MANY = int(os.environ.get("YINGBAO_TEST_ENTRIES", "10000"))
MADE = {suite.number: bundles.district(suite) for suite in merkle.SUITES.values()}
TABLES = {number: made.tables() for number, made in MADE.items()}


@pytest.fixture(params=[1, 2], ids=["sha256", "sm3"])
def suite(request):
    return request.param


@pytest.fixture
def said(tmp_path):
    """Verify a bundle given as bytes, or as tables and manifest: what the command says with --json."""

    def run(bundle, manifest=None, *, policy=bundles.POLICY, old=(), processes=1, files=True):
        raw = bundle if manifest is None else bundles.packed(bundle, manifest, files=files)
        return judged(tmp_path, raw, policy, old, processes)

    return run


def judged(folder, raw, policy=bundles.POLICY, old=(), processes=1):
    (folder / "bundle.zip").write_bytes(raw)
    command = [str(folder / "bundle.zip"), "--json", "--processes", str(processes)]
    if policy is not None:
        (folder / "policy.txt").write_text(policy, encoding="utf-8")
        command += ["--policy", str(folder / "policy.txt")]
    for number, text in enumerate(old):
        (folder / f"old{number}.txt").write_text(text, encoding="utf-8")
        command += ["--old", str(folder / f"old{number}.txt")]
    out = io.TextIOWrapper(io.BytesIO(), "utf-8")
    before, sys.stdout = sys.stdout, out
    try:
        code = v.main(command)
    finally:
        sys.stdout = before
    found = json.loads(out.buffer.getvalue())
    assert found["exit"] == code
    assert not found["why"].startswith("unexpected: "), found["why"]  # a codec says "unexpected end of data" of half a letter, in words of ours
    return found


def named(found, check, record=None, seq=None):
    return any(f["check"] == check and record in (None, f["record"]) and seq in (None, f["seq"]) for f in found["broken"])


def first(found):
    return found["broken"][0]["check"], found["broken"][0]["record"], found["broken"][0]["seq"]


def test_an_honest_bundle_proves_itself(said, suite):
    found = said(TABLES[suite], MADE[suite].manifest())
    assert (found["exit"], found["broken"], found["gaps"], found["entries"]) == (0, [], [], 12)
    without = said(TABLES[suite], MADE[suite].manifest(), policy=None)
    assert without["exit"] == 2
    assert [g["check"] for g in without["gaps"]] == [5]


def test_from_an_empty_folder_with_nothing_but_python(tmp_path):
    shutil.copy(v.__file__, tmp_path / "audit_verify.py")
    (tmp_path / "bundle.zip").write_bytes(bundles.packed(TABLES[1], MADE[1].manifest()))
    (tmp_path / "policy.txt").write_text(bundles.POLICY)
    python = shutil.which("python3", path=os.defpath) or sys.executable
    for options, code in ((["bundle.zip", "--policy", "policy.txt"], 0), (["bundle.zip"], 2), (["gone.zip"], 3), ([], 3), (["bundle.zip", "--what"], 3)):
        done = subprocess.run([python, "-I", "audit_verify.py", *options], cwd=tmp_path, env={}, capture_output=True, check=False, timeout=60)
        assert done.returncode == code, done.stderr
        assert b"Traceback" not in done.stderr
    source = pathlib.Path(v.__file__).read_text(encoding="utf-8")
    modules = {line.split()[1].partition(".")[0] for line in source.splitlines() if line.startswith(("import ", "from "))}
    assert modules <= sys.stdlib_module_names | {"__future__"}
    assert not modules & {"socket", "urllib", "http", "ssl"}


def test_the_words_come_in_both_languages(tmp_path, capfdbinary):
    (tmp_path / "b.zip").write_bytes(bundles.packed(TABLES[1], MADE[1].manifest()))
    for lang, words in (("zh", "没有政策文件".encode()), ("en", b"no policy"), ("both", b" / ")):
        assert v.main([str(tmp_path / "b.zip"), "--lang", lang]) == 2
        out = capfdbinary.readouterr().out
        assert words in out
        assert (b"incomplete" in out) == (lang != "zh")


# -- each field of an entry, and each check


def change_body(tables, record, seq, how, *, recommit=False):
    """Alter one stored entry the way somebody with the database would; nothing else follows."""
    for row in tables["entries.jsonl"]:
        if (row["record"], row["seq"]) == (record, seq):
            body = json.loads(row["body"])
            how(body)
            row["body"] = canonical(body).decode()


FIELDS = {
    "v": lambda b: b.update(v=2), "log": lambda b: b.update(log="other/log"), "record": lambda b: b.update(record=9), "kind": lambda b: b.update(kind="staff"),
    "seq": lambda b: b.update(seq=4), "prev": lambda b: b.update(prev="0" * 63 + "1"), "at": lambda b: b.update(at="2018-12-04T00:00:00.000000Z"),
    "actor": lambda b: b["actor"].update(id="somebody"), "unit": lambda b: b["actor"].update(unit="120116002"), "event": lambda b: b.update(event="noted"),
    "data": lambda b: b["data"].update(task="other.1"), "more": lambda b: b.update(more=1), "no data": lambda b: b.pop("data"),
}  # fmt: skip


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("seq", [1, 3, 6])
def test_each_field_of_an_entry(said, suite, field, seq):
    tables = copy.deepcopy(TABLES[suite])
    change_body(tables, 7, seq, FIELDS[field])
    found = said(tables, MADE[suite].manifest())
    assert found["exit"] == 1
    assert any(f["record"] == 7 and f["seq"] == seq for f in found["broken"]), found["broken"]
    assert named(found, 4)
    expected = 2 if field in ("v", "log", "record", "kind", "seq") and not (field == "seq" and seq == 4) else 3
    assert first(found)[0] == expected
    assert not any(f["record"] == 9 for f in found["broken"])  # the other case is clean


def test_committed_and_put_values_of_an_entry(said):
    for how in (lambda b: b["sealed"].update({"household:7": "1" * 64}), lambda b: b["puts"][0]["set"].update(n=2), lambda b: b["puts"][0].update(id=458755),
                lambda b: b.pop("sealed"), lambda b: b.pop("puts")):  # fmt: skip
        tables = copy.deepcopy(TABLES[1])
        change_body(tables, 7, 1, how)
        found = said(tables, MADE[1].manifest())
        assert found["exit"] == 1
        assert named(found, 3, 7, 1)
        assert named(found, 7) or named(found, 8)


def test_1_canonical_form(said):
    for text in ('{"b":1,"a":2}', '{"a": 1}', '{"a":1.0}', '{"a":1,"a":1}', '{"a":"\\u0041"}', '{"a":9007199254740993}', '{"a":NaN}', '{"a":1', "[" * 5000, '{"a":"\\ud800"}', "", "null"):
        tables = copy.deepcopy(TABLES[1])
        tables["entries.jsonl"][2]["body"] = text
        found = said(tables, MADE[1].manifest())
        assert found["exit"] == 1
        assert first(found) == ((2 if text == "null" else 1), 7, 3)


def test_3_gaps_swaps_and_cut_tails(said):
    made = MADE[1]

    def entries(how):
        tables = copy.deepcopy(TABLES[1])
        how(tables["entries.jsonl"])
        return said(tables, made.manifest())

    assert first(entries(lambda e: e.pop(2))) == (3, 7, 4)
    assert first(entries(lambda e: e.pop(5))) == (3, 7, 6)  # the last one
    assert first(entries(lambda e: e.pop(0))) == (3, 7, 2)
    assert first(entries(lambda e: e.insert(2, e.pop(3)))) == (3, 7, 3)
    assert first(entries(lambda e: e.insert(3, e[2]))) == (3, 7, 3)
    assert named(entries(lambda e: e.__delitem__(slice(6, 12))), 3, 9)

    def forged(e):
        body = json.loads(e[5]["body"]) | {"seq": 7, "prev": leaf_hash(e[5]["body"].encode())}
        e.insert(6, {**e[5], "seq": 7, "index": None, "body": canonical(body).decode()})

    assert first(entries(forged)) == (3, 7, 7)


def rechained(tables, manifest, record, seq, how):
    """Whoever owns the database rewrites an entry, all after it, and the head: only the tree contradicts."""
    rows, prev = [r for r in tables["entries.jsonl"] if r["record"] == record], None
    for row in rows:
        body = json.loads(row["body"])
        if row["seq"] == seq:
            how(body)
        elif row["seq"] > seq:
            body["prev"] = prev
        row["body"] = canonical(body).decode()
        prev = leaf_hash(row["body"].encode())
    for one in manifest["records"]:
        if one["record"] == record:
            one["head"] = prev


def test_4_a_chain_that_was_written_anew(said, suite):
    tables, manifest = copy.deepcopy(TABLES[suite]), MADE[suite].manifest()
    rechained(tables, manifest, 7, 3, lambda body: body["actor"].update(id="somebody"))
    found = said(tables, manifest)
    assert found["exit"] == 1
    assert first(found)[0] == 4


def test_4_places_and_hashes_of_the_tree(said):
    for how in (
        lambda t: t["entries.jsonl"][0].update(index=99), lambda t: t["entries.jsonl"][0].update(index=t["entries.jsonl"][1]["index"]),
        lambda t: t["entries.jsonl"][0].update(index=0), lambda t: t.update({"tree.txt": t["tree.txt"][65:]}), lambda t: t.update({"tree.txt": t["tree.txt"] + t["tree.txt"][:65]}),
        lambda t: t.update({"tree.txt": b"0" * 64 + t["tree.txt"][64:]}),
    ):  # fmt: skip
        tables = copy.deepcopy(TABLES[1])
        how(tables)
        found = said(tables, MADE[1].manifest())
        assert found["exit"] == 1
        assert first(found)[0] == 4


def test_4_what_waits_is_incomplete(said):
    made = bundles.district()
    made.waiting = 3
    made.kept = [3, 8]
    found = said(made.tables(), made.manifest())
    assert found["exit"] == 2
    assert [(g["check"], g["record"], g["seq"]) for g in found["gaps"]] == [(4, 9, 5), (4, 9, 6)]


def test_5_signature_and_witnesses(said):
    made, manifest = bundles.district(), MADE[1].manifest()
    made.signer = notes.Ed25519Signer(bundles.LOG, bundles.key(9))  # the log signed by another key
    assert first(said(made.tables(), manifest)) == (5, None, None)
    made = bundles.district()
    made.witness = notes.Ed25519Signer("audit-office", bundles.key(9))
    found = said(made.tables(), manifest)
    assert (found["exit"], [g["check"] for g in found["gaps"]]) == (2, [5])  # another key of this name is nobody's line
    made.witness = None
    assert said(made.tables(), manifest)["exit"] == 2
    assert said(made.tables(), manifest, policy=bundles.POLICY.replace("quorum office", "quorum none"))["exit"] == 0
    for place in (0, 1):
        tables = copy.deepcopy(TABLES[1])
        text, lines = tables["checkpoint.txt"].decode().split("\n\n")
        signed = [notes.line_of(line) for line in lines.splitlines()]
        flipped = bytes([*signed[place].signature[:20], signed[place].signature[20] ^ 1, *signed[place].signature[21:]])
        signed[place] = notes.Line(signed[place].name, signed[place].key_id, flipped)
        tables["checkpoint.txt"] = (text + "\n\n" + "".join(line.text for line in signed)).encode()
        assert first(said(tables, manifest))[0] == 5
    assert first(said(TABLES[1], {**manifest, "log": "other/log"}))[0] == 2  # every entry says another


def test_5_quorums(said):
    others = [notes.Ed25519Signer(f"w{n}", bundles.key(20 + n)) for n in range(2)]
    more = "".join(f"witness w{n} {one.witness_public()}\n" for n, one in enumerate(others))
    start = bundles.POLICY.replace("quorum office\n", "") + more
    for group, code in (("group all3 all office w0 w1", 2), ("group one any office w0 w1", 0), ("group two 2 office w0 w1", 2), ("group two 1 w0 office", 0)):
        assert said(TABLES[1], MADE[1].manifest(), policy=f"# whom we trust\n\n{start}{group}\nquorum {group.split()[1]}\n")["exit"] == code
    nested = "group a any w0 w1\ngroup b any office w0\ngroup c any a b\nquorum c\n"
    assert said(TABLES[1], MADE[1].manifest(), policy=start + nested)["exit"] == 0
    bad = ["", "log x\n", "quorum none\n", start, start + "quorum nobody\n", start + "group g 4 office w0 w1\nquorum g\n", start + "group g any g\nquorum g\n",
           start + "quorum office\nquorum office\n", start + "what\nquorum none\n", start + "group g 0 office\nquorum g", "log " + others[0].public().replace("+", "-") + "\nquorum none\n"]  # fmt: skip
    for text in bad:
        found = said(TABLES[1], MADE[1].manifest(), policy=text)
        assert found["exit"] == 3, text
        assert found["why"]


def test_6_older_checkpoints(said):
    made, manifest = MADE[1], MADE[1].manifest()
    for size in (3, 8, 16, len(made.entries)):
        assert said(TABLES[1], manifest, old=[made.checkpoint(size)])["exit"] == 0
    assert said(TABLES[1], manifest, old=[made.checkpoint(3) + "\n" + made.checkpoint(8)])["exit"] == 0  # as a witness keeps them
    found = said(TABLES[1], manifest, old=[made.checkpoint(5)])
    assert (found["exit"], [g["check"] for g in found["gaps"]]) == (2, [6])
    longer = bundles.district()
    longer.add(901, "noted", {"n": 1})
    for text in (longer.checkpoint(len(longer.entries)), made.checkpoint(8).replace("\n8\n", "\n7\n")):  # an older backup; nobody signed that
        found = said(TABLES[1], manifest, old=[text])
        assert first(found) == (6, None, None)
    other = bundles.Made()
    for n in range(40):
        other.add(901, "noted", {"other": n})
    for size in (8, len(made.entries)):  # two histories, both signed
        assert first(said(TABLES[1], manifest, old=[other.checkpoint(size)])) == (6, None, None)
    assert said(TABLES[1], manifest, old=["not a checkpoint"])["exit"] == 3


def test_6_proofs_of_the_bundle(said):
    for how in (lambda c: c[0]["proof"].reverse(), lambda c: c.pop(1), lambda c: c[1].update(old=9), lambda c: c[2]["proof"].append("0" * 64), lambda c: c[1]["proof"].pop()):
        tables = copy.deepcopy(TABLES[1])
        how(tables["consistency.jsonl"])
        assert first(said(tables, MADE[1].manifest()))[0] == 6


def test_7_personal_parts(said):
    def payloads(how):
        tables = copy.deepcopy(TABLES[1])
        how(tables["payloads.jsonl"])
        return said(tables, MADE[1].manifest())

    assert first(payloads(lambda p: p[0].update(salt="0" * 64))) == (7, 7, 1)
    assert first(payloads(lambda p: p[1]["data"]["said"]["answers"].update(words="不实"))) == (7, 7, 3 - 1)
    assert first(payloads(lambda p: p[1].update(subject="household:8"))) == (7, 7, 2)
    assert first(payloads(lambda p: p.insert(1, {**p[0], "subject": "household:8"}))) == (7, 7, 1)
    assert first(payloads(lambda p: p.append({**p[-1], "seq": 77}))) == (7, 9, 77)
    found = payloads(lambda p: p.pop(1))
    assert (found["exit"], [(g["check"], g["record"], g["seq"]) for g in found["gaps"]]) == (2, [(7, 7, 2)])
    found = payloads(lambda p: p.__setitem__(1, {"record": 7, "seq": 2, "subject": "household:7", "withheld": "not asked for"}))
    assert found["exit"] == 2
    assert "not asked for" in found["gaps"][0]["en"]
    found = payloads(lambda p: p.pop(2))  # with the inputs, the computation cannot be checked
    assert [(g["check"], g["seq"]) for g in found["gaps"]] == [(7, 5), (10, 5)]


def test_7_what_was_erased_is_no_gap(said):
    made = bundles.district()
    made.add(7, "erased", {"subject": "household:7"}, who="keeper", puts=[("application", 7 * 65536 + 1, {"name": None})])
    tables = made.tables()
    tables["payloads.jsonl"] = [p for p in tables["payloads.jsonl"] if p["subject"] != "household:7"]
    found = said(tables, made.manifest())
    assert (found["exit"], found["gaps"]) == (0, [])
    for row in tables["rows.jsonl"]:
        if row["id"] == 7 * 65536 + 1:
            row["values"]["name"] = "王芳"  # still there
    assert first(said(tables, made.manifest())) == (8, 7, 7)


def test_8_rows(said):
    def rows(how):
        tables = copy.deepcopy(TABLES[1])
        how(tables["rows.jsonl"])
        return said(tables, MADE[1].manifest())

    assert first(rows(lambda r: r[0]["values"].update(state="open"))) == (8, 7, 3)  # the entry that put it last
    assert first(rows(lambda r: r[0]["values"].update(n=True))) == (8, 7, 1)
    assert first(rows(lambda r: r[0]["values"].update(name="王芳芳"))) == (8, 7, 1)
    assert first(rows(lambda r: r[0]["values"].pop("n"))) == (8, 7, 1)
    assert named(rows(lambda r: r[0]["values"].update(other="x")), 8)
    assert rows(lambda r: r[0]["values"].update(other=None))["exit"] == 0
    assert rows(lambda r: r[0]["values"].update(n="1"))["exit"] == 0  # as an encrypted column holds it
    assert first(rows(lambda r: r.pop(0))) == (8, 7, 3)
    assert named(rows(lambda r: r.append({"table": "application", "id": 5, "values": {}})), 8)
    assert named(rows(lambda r: r.append(r[0])), 8)
    both = rows(lambda r: (r[0]["values"].update(state="open"), r[1]["values"].update(state="open")))
    assert sum(f["check"] == 8 for f in both["broken"]) == 2  # every one is named


def test_8_attachments(said):
    def attached(how):
        tables = copy.deepcopy(TABLES[1])
        how(tables)
        return said(tables, MADE[1].manifest())

    assert first(attached(lambda t: t.update({"attachments/0": b"other"})))[:2] == (8, 7)
    assert first(attached(lambda t: t["attachments.jsonl"][1].update(key="00" * 32)))[:2] == (8, 9)
    assert first(attached(lambda t: t["attachments.jsonl"][1].update(row=1)))[0] == 8
    fake = hashlib.sha256(b"other").hexdigest()
    assert first(attached(lambda t: (t.update({"attachments/0": b"other"}), t["attachments.jsonl"][0].update(digest=fake, key=""))))[0] == 8
    assert attached(lambda t: (t.pop("attachments/1"), t["attachments.jsonl"][1].update(withheld="not asked for")))["exit"] == 2
    assert attached(lambda t: (t.pop("attachments/1"), t["attachments.jsonl"].pop()))["exit"] == 2
    assert first(attached(lambda t: t["attachments.jsonl"].pop()))[0] == 8  # bytes that belong to nothing
    assert attached(lambda t: t.pop("attachments/1"))["exit"] == 3


def test_a_part_says_that_it_is_one(said):
    """Entries left out at a case's end are leaves like any other: nothing here can tell, and so the verifier says what it cannot."""
    found = said(TABLES[1], MADE[1].manifest())
    here, size = found["leaves"]
    assert (here, size) == (found["entries"], len(MADE[1].entries) - MADE[1].waiting)
    assert "only a bundle of the whole record" in v._part_of(3, 9, "en")
    assert "3 of the tree's 9 leaves" in v._part_of(3, 9, "both")


def test_9_separation_of_duties(said):
    made = bundles.district()
    made.add(7, "task_completed", {"task": "street_opinion.2"}, who="chief")  # he visited through a substitute
    made.add(9, "signer_answered", {"task": "street_opinion.2", "agrees": True}, who="visitor")
    found = said(made.tables(), made.manifest())
    assert [(f["check"], f["record"], f["seq"]) for f in found["broken"]] == [(9, 7, 7), (9, 9, 7)]
    assert "chief" in found["broken"][0]["en"]
    made = bundles.district()
    made.add(7, "task_completed", {"task": "street_opinion.2", "owner": "visitor"}, who="reviewer")
    assert first(said(made.tables(), made.manifest())) == (9, 7, 7)
    made = bundles.district()
    made.add(7, "task_taken_back", {"task": "home_survey.1", "undoes": 2}, who="visitor")
    made.add(7, "task_completed", {"task": "street_opinion.2"}, who="visitor")
    assert said(made.tables(), made.manifest())["exit"] == 0


def test_9_the_second_investigator_is_not_who_made_the_survey(said):
    """But he may have made an earlier one."""
    made = bundles.district()
    made.add(7, "task_completed", {"task": "home_survey.2"}, who="other")
    made.add(7, "task_completed", {"task": "survey_cosign.2"}, who="visitor")  # who made the first survey
    assert said(made.tables(), made.manifest())["exit"] == 0
    made.add(7, "task_completed", {"task": "survey_cosign.3"}, who="other")
    found = said(made.tables(), made.manifest())
    assert [(f["check"], f["record"], f["seq"]) for f in found["broken"]] == [(9, 7, 9)]
    assert "two-investigators" in found["broken"][0]["en"]


def test_9_the_policy_pins_the_rules(said):
    pinned = hashlib.sha256(TABLES[1]["duties.json"]).hexdigest()
    assert said(TABLES[1], MADE[1].manifest(), policy=bundles.POLICY + f"duties {pinned}\n")["exit"] == 0
    tables = {**TABLES[1], "duties.json": b"[]"}
    assert first(said(tables, MADE[1].manifest(), policy=bundles.POLICY + f"duties {pinned}\n")) == (9, None, None)


def test_10_computations(said):
    def computed(how):
        tables = copy.deepcopy(TABLES[1])
        how(tables["computations.jsonl"][0])
        return said(tables, MADE[1].manifest())

    for n in range(6):
        assert first(computed(lambda c, n=n: c["steps"][n].update(value="1"))) == (10, 7, 5)
    assert first(computed(lambda c: c["steps"][0].update({"from": "/members"}))) == (10, 7, 5)
    assert first(computed(lambda c: c["steps"][2].update({"from": ["parameters.yaml", "dibao_standard_urban", "2019-05-01"]}))) == (10, 7, 5)
    assert first(computed(lambda c: c["steps"][3].update(op="add"))) == (10, 7, 5)
    assert first(computed(lambda c: c["steps"][4].update(args=["whole", "members"]))) == (10, 7, 5)
    assert first(computed(lambda c: c["result"].update(amount_fen="whole"))) == (10, 7, 5)
    assert first(computed(lambda c: c["result"].update(category="paid"))) == (10, 7, 5)
    assert first(computed(lambda c: c.update(node="other"))) == (10, 7, 5)
    tables = copy.deepcopy(TABLES[1])
    tables["law/parameters.yaml"] = tables["law/parameters.yaml"].replace(b'2018-04-01, value: "920"', b'2018-04-01, value: "921"')
    found = said(tables, MADE[1].manifest())
    assert [(f["check"], f["record"]) for f in found["broken"]] == [(10, 7), (10, 9)]
    tables = copy.deepcopy(TABLES[1])
    tables["computations.jsonl"].pop()
    found = said(tables, MADE[1].manifest())
    assert [(g["check"], g["record"], g["seq"]) for g in found["gaps"]] == [(10, 9, 5)]


FROM_NOWHERE = (  # each gives the recorded 660.00 by right arithmetic
    [("x", "add", ["660.00"], "660.00")],
    [("c", "mul", ["100", "12"], "1200"), ("d", "mul", ["100", "2"], "200"), ("e", "sub", ["c", "d"], "1000"), ("h", "mul", ["100", "2"], "200"), ("i", "sub", ["e", "h"], "800"),
     ("j", "sub", ["i", "100"], "700"), ("k", "mul", ["2", "12"], "24"), ("l", "add", ["k", "12", "2", "2"], "40"), ("x", "sub", ["j", "l"], "660")],
    [("f", "sub", ["standard", "standard"], "0"), ("g", "add", ["100", "100", "100", "100", "100", "100", "12", "12", "12", "12", "12"], "660"), ("x", "add", ["f", "g"], "660")],
    [("g", "add", ["100", "100", "100", "100", "100", "100", "12", "12", "12", "12", "12"], "660"), ("x", "if", [True, "g", "standard"], "660")],
    [("g", "add", ["100", "100", "100", "100", "100", "100", "12", "12", "12", "12", "12"], "660"), ("x", "min", ["g", "standard"], "660")],
)


@pytest.mark.parametrize("steps", FROM_NOWHERE)
def test_10_an_amount_from_no_input_and_no_law(said, steps):
    tables = copy.deepcopy(TABLES[1])
    one = tables["computations.jsonl"][0]
    one["steps"] = [*one["steps"][:3], *({"id": name, "op": op, "args": args, "value": value} for name, op, args, value in steps)]
    one["result"] = {"amount_fen": "x"}
    assert first(said(tables, MADE[1].manifest())) == (10, 7, 5)


def test_0_files_that_are_not_those_of_the_manifest(said):
    manifest = json.loads(zipfile.ZipFile(io.BytesIO(bundles.packed(TABLES[1], MADE[1].manifest()))).read("manifest.json"))
    for name, value in TABLES[1].items():
        raw = value if isinstance(value, bytes) else bundles.lines(value)
        found = said({**TABLES[1], name: raw + b"\n"}, manifest, files=False)
        assert found["exit"] in (1, 3)
        if found["exit"] == 1:
            assert first(found)[0] == 0
            assert name in found["broken"][0]["en"]
    assert first(said(TABLES[1], {**manifest, "files": {}}, files=False))[0] == 0


@pytest.mark.parametrize("processes", [1, 2])
def test_many_alterations_are_all_named(said, processes, monkeypatch):
    monkeypatch.setattr(v, "MANY", 100)  # from which entries are dealt out, and the root is computed aside
    made = bundles.Made()
    for record in range(1, 41):
        for n in range(5):
            made.add(record, "noted", {"n": n}, puts=[("thing", record * 65536 + n + 1, {"n": n})])
    tables, hit = made.tables(), set()
    assert said(tables, made.manifest(), processes=processes)["exit"] == 0
    for row in tables["entries.jsonl"][::7]:
        body = json.loads(row["body"])
        body["event"] = "other"
        row["body"] = canonical(body).decode()
        hit.add((row["record"], row["seq"]))
    found = said(tables, made.manifest(), processes=processes)
    assert {(f["record"], f["seq"]) for f in found["broken"] if f["check"] == 3} == hit
    assert named(found, 4)  # the root


# -- what is no bundle


def members(raw):
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        return {info.filename: archive.read(info) for info in archive.infolist()}


def zipped(files, more=()):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in [*files.items(), *more]:
            archive.writestr(name, text)
    return out.getvalue()


GOOD = bundles.packed(TABLES[1], MADE[1].manifest())


def strange(name):
    info = zipfile.ZipInfo("law/other.yaml")
    if name == "link":
        info.external_attr = 0o120777 << 16
    return [(info, b"/etc/passwd")]


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("name", ["../evil", "/etc/passwd", "law/../x.yaml", "C:\\x", "attachments/01", "attachments/1/2", "other.txt", "law/", "LAW/x.yaml", "attachments/..", "entries.jsonl"])
def test_odd_names(said, name):
    found = said(zipped(members(GOOD), [(name, b"x")]))
    assert found["exit"] == 3
    assert "name" in found["why"]


def test_other_zips(said, tmp_path):
    assert said(b"")["exit"] == said(b"PK")["exit"] == said(GOOD[: len(GOOD) // 2])["exit"] == said(GOOD[:-5])["exit"] == 3
    assert "link" in said(zipped(members(GOOD), strange("link")))["why"]
    bomb = zipped({**members(GOOD), "payloads.jsonl": b"\n" * (300 << 20)})
    assert "unpack" in said(bomb)["why"]
    encrypted = bytearray(GOOD)
    at = 0
    while (at := encrypted.find(b"PK\x01\x02", at)) >= 0:
        encrypted[at + 8] |= 1
        at += 4
    assert "encrypted" in said(bytes(encrypted))["why"]
    claim = bytearray(GOOD)
    at = claim.find(b"PK\x01\x02", claim.find(b"PK\x01\x02") + 4)
    claim[at + 24 : at + 28] = (0xF0000000).to_bytes(4, "little")
    assert "claims" in said(bytes(claim))["why"]
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_LZMA) as archive:
        for name, text in members(GOOD).items():
            archive.writestr(name, text)
    assert "packed" in said(out.getvalue())["why"]
    for lacking in v.NEEDED:
        files = members(GOOD)
        files.pop(lacking)
        assert lacking in said(zipped(files))["why"]


DEEP = b"[" * 100_000 + b"]" * 100_000
BAD = [b"\xff\xfe", b"{", b"NaN", b"[NaN]", DEEP, b'{"a":' + b"9" * 5000 + b"}", b"null", b"[]", b"{}", b'"x"', b"1e999", b"-", b"\x00", b'{"record":"7","seq":1}', b'{"record":7,"seq":-1}',
       b'{"record":7,"seq":1e400,"index":0,"body":""}', b'{"record":7,"seq":1,"index":true,"body":""}', b'{"record":7,"seq":1,"index":0,"body":7}',
       b'{"record":99999999999999999999999,"seq":1,"index":0,"body":""}']  # fmt: skip


@pytest.mark.parametrize("name", [*v.NEEDED, "law/parameters.yaml", "drawings"])
def test_rubbish_in_each_file(said, name):
    files = members(GOOD)
    name = next(n for n in files if n.startswith(name))
    for bad in BAD:
        found = said(zipped({**files, name: bad}))
        assert found["exit"] in ((1, 3) if bad != b"[]" or name != "duties.json" else (1,)), (name, bad[:20])


def leaves(value, path=()):
    yield path
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from leaves(inner, (*path, key))
    elif isinstance(value, list):
        for key, inner in enumerate(value):
            yield from leaves(inner, (*path, key))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8) | st.sampled_from(["0" * 64, "\ud7ff", "/x", "=", "1/0", "1e5"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)
TEXTS = ["manifest.json", "duties.json", *(n for n, value in TABLES[1].items() if not isinstance(value, bytes))]


@settings(max_examples=100)
@given(st.data())
def test_any_value_in_any_place_of_any_file(tmp_path_factory, data):
    """Also inside of bodies. The manifest is made to fit, so that the value is looked at."""
    name = data.draw(st.sampled_from([*TEXTS, "body", "ran"]))
    tables, manifest = copy.deepcopy(TABLES[1]), MADE[1].manifest()
    if name in ("body", "ran"):
        row = data.draw(st.sampled_from(tables["entries.jsonl"] if name == "body" else [r for r in tables["entries.jsonl"] if r["seq"] == 5]))
        target = json.loads(row["body"])
    else:
        target = manifest if name == "manifest.json" else json.loads(tables[name]) if name == "duties.json" else tables[name]
    path = data.draw(st.sampled_from([p for p in leaves(target) if p]))
    spot = target
    for step in path[:-1]:
        spot = spot[step]
    if data.draw(st.booleans()):
        del spot[path[-1]]
    else:
        spot[path[-1]] = data.draw(JSON)
    if name in ("body", "ran"):
        row["body"] = json.dumps(target, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    elif name == "duties.json":
        tables[name] = json.dumps(target).encode()
    found = judged(tmp_path_factory.getbasetemp(), bundles.packed(tables, manifest))
    assert found["exit"] in (0, 1, 2, 3)


@pytest.mark.parametrize("said", [[], {}, [None], 7, False, "x"])
@pytest.mark.parametrize("where", ["drawing", "table"])
def test_the_digest_of_a_drawing_or_table_may_be_anything(tmp_path, where, said):
    """Found by the test before: a list in the place of the digest, which neither a set nor a dict can be asked for."""
    tables, manifest = copy.deepcopy(TABLES[1]), MADE[1].manifest()
    row = next(r for r in tables["entries.jsonl"] if '"drawing"' in r["body"])
    body = json.loads(row["body"])
    body["data"] |= {"drawing": said} if where == "drawing" else {"tables": {"t": said}}
    row["body"] = json.dumps(body, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    assert judged(tmp_path, bundles.packed(tables, manifest))["exit"] == 1


@pytest.mark.parametrize("ran", [None, False, 7, "x", {}, [None], [["assess"]], [["assess", None]]])
def test_what_ran_may_be_anything(tmp_path, ran):
    """Found by the test before: `null` in the place of the list."""
    tables, manifest = copy.deepcopy(TABLES[1]), MADE[1].manifest()
    row = next(r for r in tables["entries.jsonl"] if '"ran"' in r["body"])
    body = json.loads(row["body"])
    body["data"]["then"]["ran"] = ran
    row["body"] = json.dumps(body, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    assert judged(tmp_path, bundles.packed(tables, manifest))["exit"] == 1


@settings(max_examples=100)
@given(st.data())
def test_any_byte_of_the_zip(tmp_path_factory, data):
    raw = bytearray(GOOD)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(raw) - 1))
        how = data.draw(st.sampled_from(["flip", "cut", "double", "insert"]))
        if how == "flip":
            raw[at] ^= data.draw(st.integers(1, 255))
        elif how == "cut":
            del raw[at : at + data.draw(st.integers(1, 200))]
        elif how == "double":
            raw[at:at] = raw[at : at + 100]
        else:
            raw[at:at] = data.draw(st.binary(max_size=30))
        if not raw:
            break
    assert judged(tmp_path_factory.getbasetemp(), bytes(raw))["exit"] in (0, 1, 2, 3)


@settings(max_examples=100)
@given(st.data())
def test_any_bytes_of_a_file_inside(tmp_path_factory, data):
    """The zip itself is sound, so the readers behind it see what was done."""
    files = members(GOOD)
    name = data.draw(st.sampled_from(sorted(files)))
    raw = bytearray(files[name] or b"x")
    at = data.draw(st.integers(0, len(raw) - 1))
    raw[at : at + data.draw(st.integers(0, 20))] = data.draw(st.binary(max_size=20))
    found = judged(tmp_path_factory.getbasetemp(), zipped({**files, name: bytes(raw)}))
    assert found["exit"] in (1, 3) or bytes(raw) == files[name] or name == "manifest.json"


@given(st.text(max_size=300) | st.binary(max_size=100).map(lambda b: b.decode("latin-1")), st.text(alphabet="logwitnesgrupqm none\n+=1a", max_size=80))
@settings(max_examples=60)
def test_any_policy_and_any_old_checkpoint(tmp_path_factory, old, policy):
    folder = tmp_path_factory.getbasetemp()
    assert judged(folder, GOOD, policy=policy)["exit"] in (0, 1, 2, 3)
    assert judged(folder, GOOD, old=[old.encode("utf-8", "replace").decode()])["exit"] in (0, 1, 2, 3)


# -- the parts


RFC8032 = [
    ("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
     "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"),
    ("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
     "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"),
    ("fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
     "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"),
]  # fmt: skip


def test_ed25519_by_the_vectors_of_rfc_8032():
    for public, text, signature in RFC8032:
        raw, said_, signed = bytes.fromhex(public), bytes.fromhex(text), bytes.fromhex(signature)
        assert v.ed25519(raw, said_, signed)
        assert not v.ed25519(raw, said_ + b"x", signed)
        again = (int.from_bytes(signed[32:], "little") + v._L).to_bytes(32, "little")  # the same number in another way
        assert not v.ed25519(raw, said_, signed[:32] + again)
        assert not v.ed25519(raw, said_, signed[:63])
        assert not v.ed25519(raw[:31], said_, signed)


@given(st.binary(min_size=32, max_size=32), st.binary(max_size=100), st.integers(0, 95), st.integers(0, 255))
@settings(max_examples=40)
def test_ed25519_agrees_with_openssl(seed, text, place, flip):
    private = Ed25519PrivateKey.from_private_bytes(seed)
    public = private.public_key()
    both = bytearray(public.public_bytes_raw() + private.sign(text))
    both[place] ^= flip
    key, signature = bytes(both[:32]), bytes(both[32:])
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, text)
        expected = True
    except InvalidSignature:
        expected = False
    assert v.ed25519(key, text, signature) == expected


def test_points_that_are_none():
    for y in (v._P, v._P + 1, 2**255 - 1, 2):  # not reduced; not on the curve
        assert v._point(y.to_bytes(32, "little")) is None
    assert v._point((1 | 1 << 255).to_bytes(32, "little")) is None  # minus zero
    assert v._point((1).to_bytes(32, "little")) == (0, 1, 1, 0)


@given(st.binary(max_size=300))
@settings(max_examples=30)
def test_sm3_without_openssl(text):
    assert v._sm3(text) == hashlib.new("sm3", text).digest()


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)


@given(VALUES)
def test_canonical_form_is_rfc_8785(value):
    text = rfc8785.dumps(value).decode()
    assert canonical(value).decode() == text
    assert v.canonical(v.parsed(text), text) == text
    spread = json.dumps(value, indent=1)
    assert v.canonical(v.parsed(spread), spread) == text


def test_numbers_as_rfc_8785_writes_them():
    for bits, text in (("4340000000000001", "9007199254740994"), ("4430000000000000", "295147905179352830000"), ("44b52d02c7e14af5", "9.999999999999997e+22"),
                       ("3eb0c6f7a0b5ed8d", "0.000001"), ("3eb0c6f7a0b5ed8c", "9.999999999999997e-7"), ("0000000000000001", "5e-324"), ("7fefffffffffffff", "1.7976931348623157e+308"),
                       ("8000000000000000", "0"), ("41b3de4355555555", "333333333.3333333"), ("444b1ae4d6e2ef4f", "999999999999999900000"), ("444b1ae4d6e2ef50", "1e+21")):  # fmt: skip
        assert v._number(struct.unpack(">d", bytes.fromhex(bits))[0]) == text


def test_roots_of_every_small_tree():
    for size in range(24):
        leaves_ = [merkle.SHA256.leaf(b"%d" % n) for n in range(size)]

        def get(level, index):
            part = leaves_[index << level : (index + 1) << level]
            while len(part) > 1:
                part = [merkle.SHA256.parent(part[n], part[n + 1]) for n in range(0, len(part), 2)]
            return part[0]

        for mask in range(1 << min(size, 8)):
            places = [n for n in range(size) if mask >> n % 8 & 1]
            rest = merkle.batch(lambda start, end: merkle.subtree(merkle.SHA256, get, start, end), places, size)
            assert v.root_of(1, size, places, b"".join(leaves_[n] for n in places), rest) == merkle.root(merkle.SHA256, get, size)
            assert next(rest, None) is None


def test_the_law_is_read_as_the_application_reads_it():
    from processes import law

    for file, table in law._TABLES.items():
        found = v.read_law(law.RAW[file], file)
        assert found == {name: [(row.since.isoformat(), row.text) for row in rows] for name, rows in table.items()}


# -- a million entries


def test_a_million_entries(tmp_path):
    """Speed and memory. `YINGBAO_TEST_ENTRIES=1000000 pytest -s -k million` prints the figures."""
    per, suite = 20, merkle.SHA256
    names = {n: tmp_path / n for n in ("entries.jsonl", "payloads.jsonl", "rows.jsonl")}
    files = {name: path.open("w", encoding="utf-8") for name, path in names.items()}
    level, records = [], []

    def line(row):
        return evidence._line(row).decode()

    for record in range(1, MANY // per + 1):
        made = bundles.Made()
        for n in range(per):
            row = record * 65536 + n + 1
            made.add(record, "task_completed", {"task": f"step{n}.1", "facts": {"seen": True, "on": "2018-12-03"}, "state": "0" * 32}, who=f"clerk{n}",
                     puts=[("thing", row, {"state": "open", "case_no": f"DB-2018-{record:06d}", "opened_on": "2018-12-03"})],
                     sealed={f"household:{record}": {"said": {"answers": {"words": "情况属实，同意上报" * 3, "n": n}}}} if n % 2 else None)  # fmt: skip
            entry = made.entries[-1] | {"index": len(level)}
            level.append(suite.leaf(entry["body"].encode()))
            files["entries.jsonl"].write(line({name: entry[name] for name in ("record", "seq", "index", "body")}))
        files["payloads.jsonl"].writelines(map(line, made.payloads))
        files["rows.jsonl"].writelines(line({"table": t, "id": i, "values": dict(sorted(values.items()))}) for (t, i), values in made.rows.items())
        records.append({"record": record, "kind": "case", "seq": per, "head": made.heads[record]})
    for file in files.values():
        file.close()
    size = len(level)
    while len(level) > 1:  # pairs from the left; a last one alone goes up: the same tree
        level = [suite.parent(level[n], level[n + 1]) if n + 1 < len(level) else level[n] for n in range(0, len(level), 2)]
    found = notes.Checkpoint(bundles.LOG, size, level[0])
    note = notes.signed(found, [bundles.SIGNER.sign(found.text.encode())])
    others = {"checkpoint.txt": note, "checkpoints.txt": "", "consistency.jsonl": "", "log.pub": bundles.SIGNER.public(), "tree.txt": "", "duties.json": json.dumps(bundles.DUTIES),
              "computations.jsonl": "", "attachments.jsonl": ""}  # fmt: skip
    (tmp_path / "law").mkdir()
    others |= {f"law/{file.name}": file.read_text(encoding="utf-8") for file in bundles.LAW.glob("*.yaml") if file.name != "about.yaml"}  # which is no law: what its values are called
    for name, text in others.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    manifest = MADE[1].manifest() | {"records": records, "cases": []}
    manifest["files"] = {}
    for name in [*others, *names]:
        with (tmp_path / name).open("rb") as file:
            manifest["files"][name] = {"sha256": hashlib.file_digest(file, "sha256").hexdigest(), "size": (tmp_path / name).stat().st_size}
    with zipfile.ZipFile(tmp_path / "bundle.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("manifest.json", json.dumps(manifest))
        for name in manifest["files"]:
            archive.write(tmp_path / name, name)
    (tmp_path / "policy.txt").write_text(f"log {bundles.SIGNER.public()}\nquorum none\n")
    command = [sys.executable, "-I", v.__file__, "bundle.zip", "--policy", "policy.txt", "--json"]
    began = time.monotonic()
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)
    took = time.monotonic() - began
    said_ = json.loads(done.stdout)
    assert (done.returncode, said_["entries"]) == (0, size), said_
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    most, cpu = used.ru_maxrss >> 10, used.ru_utime + used.ru_stime
    print(f"\n{size} entries, {(tmp_path / 'bundle.zip').stat().st_size >> 20} MB: {took:.1f} s, {size / took:.0f} entries/s, {cpu:.1f} s of processor, {most} MB in the largest process")  # noqa: T201


# -- decision tables

TABLE = (b'<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/"><decision id="notice"><decisionTable hitPolicy="UNIQUE">'
         b'<input><inputExpression typeRef="string"><text>kind</text></inputExpression></input><input><inputExpression typeRef="number"><text>x</text></inputExpression></input>'
         b'<output name="days" typeRef="number"/>'
         b'<rule id="short"><inputEntry><text>"a"</text></inputEntry><inputEntry><text>[0..1)</text></inputEntry><outputEntry><text>7</text></outputEntry></rule>'
         b'<rule id="long"><inputEntry><text>not("a")</text></inputEntry><inputEntry><text>-</text></inputEntry><outputEntry><text>20</text></outputEntry></rule>'
         b"</decisionTable></decision></definitions>")  # fmt: skip
DECIDED = {"table": "notice", "inputs": {"kind": "a", "x": "2/3"}, "rules": ["short"], "outputs": [{"days": "7"}]}


@pytest.mark.parametrize(("changes", "checks"), [
    ({}, set()), ({"rules": ["long"]}, {10}), ({"outputs": [{"days": "8"}]}, {10}), ({"outputs": []}, {10}), ({"inputs": {"kind": "a", "x": "1"}}, {10}),
    ({"inputs": {"kind": "a"}}, {10}), ({"inputs": {"kind": "a", "x": True}}, {10}), ({"inputs": {"kind": "a", "x": "?"}}, {10}), ({"table": "other"}, {10}), ({"inputs": []}, {10})])  # fmt: skip
def test_what_a_decision_table_said_is_decided_again(said, changes, checks):
    made, digest = bundles.district(), hashlib.sha256(TABLE).hexdigest()
    made.files[f"tables/{digest}.dmn"] = TABLE
    made.add(9, "task_completed", {"task": "post.1", "tables": {"notice": digest}, "decided": [{**DECIDED, **changes}]}, who="poster")
    found = said(made.tables(), made.manifest())
    assert {f["check"] for f in found["broken"]} == checks, found["broken"]
    assert found["gaps"] == []


@pytest.mark.parametrize("data", [{"tables": []}, {"tables": {}, "decided": {}}, {"decided": [1]}, {"decided": [{}]}])
def test_what_is_said_of_tables_in_another_shape_is_broken(said, data):
    made = bundles.district()
    made.add(9, "task_completed", {"task": "post.1", **data}, who="poster")
    assert {f["check"] for f in said(made.tables(), made.manifest())["broken"]} == {10}
