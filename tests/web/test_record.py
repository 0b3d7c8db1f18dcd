"""The record's own page and API: how it stands, its checkpoint, evidence, differences, restrictions; and the sequencer beside `serve`."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import time
import zipfile

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import delete, insert, select

from engine import merkle, notes, sealing, store
from engine.notes import Ed25519Signer, Verifier
from engine.office import history
from engine.sealing import Sequencer
from processes import households, organisation, verify
from processes.tables import person
from tests.conftest import stamped
from tests.district import PASSWORD
from tests.served import app_of
from tests.tamper import tampering
from tests.web.test_api import Door
from tests.web.test_pages import Desk
from web import sequencer
from web.settings import BadSetting, Settings

ORIGIN = "yingbao/binhai/training"
SIGNER = Ed25519Signer(ORIGIN, Ed25519PrivateKey.from_private_bytes(bytes([7] * 32)))


@pytest.fixture
def door(bureau, district):
    return Door(bureau, district)


@pytest.fixture
def sealed(district, bureau):
    district.to_refusal()
    Sequencer(bureau.office.store, SIGNER, ORIGIN).run()
    return district


def test_how_the_record_stands(door, sealed):
    told = door.good("auditor", "GET", "/record")
    assert (told["log"], told["late"], told["witnesses"]) == (ORIGIN, False, [])  # the token that asks waits for its seal
    assert told["sealed"] > 30
    assert not [name for name in told["guard"] if not name.startswith("login:")]
    found = notes.read(told["checkpoint"])[0]
    assert (found.origin, found.size) == (ORIGIN, told["sealed"])
    for login in ("clerk", "rita", "app"):
        door.bad(403, login, "GET", "/record")
        door.bad(403, login, "GET", "/record/checkpoint")
        door.bad(403, login, "GET", "/divergences")
        door.bad(403, login, "GET", "/restrictions")


def test_one_entry_is_proved_to_stand_in_the_tree(door, sealed):
    told = door.good("auditor", "GET", f"/record/proof?case={sealed.no}&seq=3")
    with sealed.office.read() as conn:
        body = conn.scalar(select(store.entry.c.body).where(store.entry.c.record_id == sealed.case()["id"], store.entry.c.seq == 3))
    root = notes.read(told["checkpoint"])[0].root
    path = [bytes.fromhex(one) for one in told["proof"]]
    assert merkle.included(merkle.SHA256, merkle.SHA256.leaf(body), told["index"], told["tree_size"], path, root)
    door.bad(404, "auditor", "GET", f"/record/proof?case={sealed.no}&seq=99")
    door.bad(404, "auditor", "GET", "/record/proof?case=DB-1&seq=1")


def test_evidence_is_taken_away_by_auditors_with_a_reason(door, sealed):
    sent = {"cases": [sealed.no], "reason": "年度抽查"}
    door.bad(403, "sue", "POST", "/record/evidence", sent)
    assert "reason" in door.bad(422, "auditor", "POST", "/record/evidence", {**sent, "reason": " "})["errors"]
    door.bad(404, "auditor", "POST", "/record/evidence", {**sent, "cases": ["DB-1"]})
    answer = door.call("auditor", "POST", "/record/evidence", sent)
    assert answer.status_code == 200
    with zipfile.ZipFile(io.BytesIO(answer.data)) as archive:
        assert json.loads(archive.read("manifest.json"))["cases"][0]["no"] == sealed.no
    answer.close()
    with sealed.office.read() as conn:
        assert any(b"evidence_exported" in body for body in conn.scalars(select(store.entry.c.body)))


def test_the_command_takes_evidence_away_only_for_an_auditor_of_the_area_and_notes_it_first(sealed, tmp_path, monkeypatch):
    """By default nothing was noted, anybody could be named, and the note came after the file."""
    from click.testing import CliRunner

    from engine.errors import Invalid, NotFound, Refused
    from processes import evidence
    from web import cli_record

    monkeypatch.setattr(cli_record, "bureau", lambda: sealed.bureau)
    with sealed.office.act() as act:
        organisation.add_staff(act, "afar", "某afar", PASSWORD, [("auditor", "120116005")])
        organisation.add_staff(act, "mixed", "某mixed", PASSWORD, [("auditor", "120116005"), ("supervisor", "120116")])

    def run(*line):
        out = tmp_path / "b.zip"
        done = CliRunner().invoke(cli_record.export_evidence, ["--out", str(out), *line])
        return done, out.exists()

    one = ("--cases", sealed.no)
    for line in (one, (*one, "--reason", "抽查"), (*one, "--as", "auditor")):
        assert (run(*line)[0].exit_code, run(*line)[1]) == (2, False), line
    for who, reason, error, which in (("sue", "抽查", Refused, one), ("afar", "抽查", NotFound, one), ("mixed", "抽查", NotFound, one), ("auditor", " ", Invalid, one),
                                      ("auditor", "抽查", NotFound, ("--cases", "DB-1")), ("nobody", "抽查", NotFound, one), ("afar", "抽查", Refused, ())):  # fmt: skip
        done, there = run(*which, "--as", who, "--reason", reason)
        assert isinstance(done.exception, error), (who, done.exception)
        assert not there
    noted = []
    write = evidence.write
    monkeypatch.setattr(evidence, "write", lambda *a: noted.append(taken(sealed)) or write(*a))
    for which in (one, ()):
        done, there = run(*which, "--as", "auditor", "--reason", "年度抽查")
        assert (done.exit_code, there) == (0, True), done.exception
    assert noted == [[[sealed.no]], [[sealed.no], []]]


def taken(district):
    """Cases of each taking away that is noted with the auditor."""
    with district.office.read() as conn:
        record = conn.scalar(select(store.record.c.id).where(store.record.c.kind == "reader", store.record.c.subject == "staff:auditor"))
        return [e.data["cases"] for e in history(conn, district.office.keys.on(conn), record) if e.event == "evidence_exported"]


def test_a_difference_is_accepted_by_two_persons_and_only_that_one(door, sealed, bureau):
    sent = {"case": sealed.no, "reason": "取整方式不同"}
    door.bad(409, "auditor", "POST", "/divergences", sent)  # it replays the same
    digest = sealed.case()["drawing"]
    with tampering(bureau.office.store) as conn:
        kept = conn.execute(select(store.drawing).where(store.drawing.c.digest == digest)).mappings().one()
        conn.execute(delete(store.drawing).where(store.drawing.c.digest == digest))
        conn.execute(insert(store.drawing).values(digest=digest, key=kept["key"], xml=kept["xml"] + b"\n"))
    bureau.cases._drawings.clear()
    told = door.good("auditor", "POST", "/divergences", sent)
    assert told["state"] == "proposed"
    door.bad(403, "auditor", "POST", f"/divergences/{told['id']}/accept")
    door.bad(403, "rita", "POST", f"/divergences/{told['id']}/accept")
    assert door.good("sue", "POST", f"/divergences/{told['id']}/accept")["state"] == "accepted"
    door.bad(409, "sue", "POST", f"/divergences/{told['id']}/refuse")
    logged = door.good("auditor", "GET", "/audit/admin")["items"]
    assert [(one["event"], one["who"], one["about"]["no"]) for one in logged if "divergence" in one["event"]] == [
        ("divergence_accepted", "sue", sealed.no), ("divergence_proposed", "auditor", sealed.no)]  # fmt: skip
    assert sealed.no in Desk(app_of(bureau), "auditor").text("/audit/admin?event=divergence_accepted")
    assert door.good("auditor", "GET", "/divergences")["items"][0]["reason"] == "取整方式不同"
    report = verify.run(bureau.settings)
    assert [one["case"] for one in report.accepted] == [sealed.no]
    assert not report.wrong


def test_people_are_restricted_through_the_api(door, sealed):
    with sealed.office.read() as conn:
        someone = conn.scalar(select(person.c.id).limit(1))
    sent = {"person": someone, "reason": "request"}
    door.bad(403, "rita", "POST", "/restrictions", sent)
    door.bad(404, "sue", "POST", "/restrictions", {**sent, "person": 999_999_999})
    door.bad(409, "sue", "POST", "/restrictions", sent)  # the case is still open
    [enquiry] = [e for e in door.good("sue", "GET", f"/cases/{sealed.no}/record")["items"] if e["data"].get("task") == "neighbor_enquiry.1"]
    neighbours = next(who for who in enquiry["personal"] if who.endswith(".neighbours"))
    door.bad(409, "sue", "POST", "/restrictions", {"subject": neighbours, "reason": "request"})  # the same
    door.bad(404, "sue", "POST", "/restrictions", {"subject": "other:1.1.x", "reason": "request"})
    for wrong in ({"reason": "request"}, {**sent, "subject": neighbours}):
        assert "person" in door.bad(422, "sue", "POST", "/restrictions", wrong)["errors"]
    assert Desk(app_of(sealed.bureau), "sue").post("/record/restrictions", {"person": neighbours, "reason": "request"}, page="/record").status_code == 409


def test_restrictions_are_listed_for_their_area_and_stand_in_the_log_of_administration(door, sealed):
    """A supervisor of one street read the person numbers of all others; auditors saw no erasure anywhere."""
    with sealed.office.act() as act:
        organisation.add_staff(act, "afar", "某afar", PASSWORD, [("supervisor", "120116005")])
    home = sealed.household(serial=5)  # without any case
    with sealed.office.read() as conn:
        who = households.members_of(conn, home)[0]["person_id"]
    app = app_of(sealed.bureau)
    row = door.good("sue", "POST", "/restrictions", {"person": who, "reason": "wrong_person"})
    subject = f"person:{who}"
    assert [one["subject"] for one in door.good("sue", "GET", "/restrictions")["items"]] == [subject]
    assert subject in Desk(app, "auditor").text("/record")
    assert door.good("afar", "GET", "/restrictions")["total"] == 0
    assert subject not in Desk(app, "afar").text("/record")
    sealed.clock.set("2029-01-02T09:00")
    door.good("sue", "POST", f"/restrictions/{row['id']}/propose")
    door.good("admin", "POST", f"/restrictions/{row['id']}/erase")
    logged = [one["event"] for one in door.good("auditor", "GET", "/audit/admin")["items"]]
    assert [one for one in logged if one in ("erased", "erasure_proposed", "processing_restricted")] == ["erased", "erasure_proposed", "processing_restricted"]
    assert [one["who"] for one in door.good("auditor", "GET", "/audit/admin?event=erased")["items"]] == ["admin"]
    assert subject in Desk(app, "auditor").text("/audit/admin?event=erased")


def test_the_key_file_is_made_once_and_closed_to_others(tmp_path):
    file = tmp_path / "keys" / "signing_key"
    public = sequencer.make_key(file, ORIGIN)
    assert file.stat().st_mode & 0o777 == 0o400
    assert sequencer.public_file(file).read_text().strip() == public
    assert Verifier.parse(public).name == ORIGIN
    with pytest.raises(FileExistsError):
        sequencer.make_key(file, ORIGIN)
    made = Settings(database="sqlite:///x", secret_key="", data_key="", files=tmp_path, env="production", signing_key=tmp_path / "none")
    with pytest.raises(BadSetting, match="no signing key"):
        sequencer.signer(made)


def test_the_sequencer_beside_a_server_seals_and_comes_back_when_it_is_killed(sealed, tmp_path, monkeypatch):
    """A process of its own: what is written is sealed without anybody asking; killed, it is started again."""
    settings = Settings(database=sealed.bureau.settings.database, secret_key="s" * 32, data_key=sealed.bureau.settings.data_key, files=tmp_path / "f", signing_key=tmp_path / "key")
    stamped(sealed.bureau.settings)
    started = []
    popen = subprocess.Popen
    monkeypatch.setattr(subprocess, "Popen", lambda *a, **k: started.append(popen(*a, **k)) or started[-1])
    monkeypatch.chdir(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
    monkeypatch.setenv("PYTHONPATH", os.getcwd())
    with sequencer.child(settings):
        for turn in (1, 2):
            with sealed.office.act() as act:
                act.append(act.new("person", "120116"), "noted")
            until = time.monotonic() + 60
            while waiting(sealed):
                assert time.monotonic() < until, "nobody seals"
                time.sleep(0.05)
            if turn == 1:
                started[0].kill()
                started[0].wait()
    assert len(started) >= 2
    assert all(process.poll() is not None for process in started)
    assert sys.executable in started[0].args[0]


def waiting(district):
    with district.office.read() as conn:
        return sealing.state(conn).waiting


def test_pages_in_both_languages(bureau, sealed):
    app = app_of(bureau)
    for login in ("auditor", "sue", "admin"):
        desk = Desk(app, login)
        assert "记录与封签" in desk.text("/record")
        assert "<svg" in desk.text("/record/checkpoint")
        assert "The record and its seal" in Desk(app, login, "en").text("/record")
    assert Desk(app, "clerk").get("/record").status_code == 403


def test_the_page_takes_evidence_away_and_says_what_is_wrong(bureau, sealed):
    desk = Desk(app_of(bureau), "auditor")
    assert desk.post("/record/evidence", {"cases": sealed.no, "reason": ""}, page="/record").status_code == 422
    for sent in ({"cases": sealed.no, "reason": "长" * 401}, {"cases": "9" * 100_000, "reason": "抽查"}, {"cases": " ".join(map(str, range(201))), "reason": "抽查"}):
        refused = desk.post("/record/evidence", sent, page="/record")
        assert refused.status_code == 422
        assert "最多" in refused.get_data(as_text=True)
    assert desk.post("/record/divergences", {"case": "9" * 100_000, "reason": "x"}, page="/record").status_code == 422
    assert desk.post("/record/divergences", {"case": sealed.no, "reason": "长" * 401}, page="/record").status_code == 422
    answer = desk.post("/record/evidence", {"cases": f"{sealed.no}，{sealed.no}", "reason": "抽查"}, page="/record")
    assert answer.mimetype == "application/zip"
    answer.close()
    assert "重演一致" in desk.post("/record/divergences", {"case": sealed.no, "reason": "x"}, page="/record").get_data(as_text=True)
    assert Desk(app_of(bureau), "sue").post("/record/restrictions", {"person": "1", "reason": "request"}, page="/record").status_code in (404, 409)


def test_an_alarm_is_shown_when_nothing_is_sealed(bureau, sealed):
    with bureau.office.store.write() as conn:
        conn.execute(insert(store.pending).values(record_id=1, seq=99, since=0))
    assert "告警" in Desk(app_of(bureau), "auditor").text("/record")
