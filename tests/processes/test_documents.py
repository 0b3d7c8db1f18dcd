"""Documents: known by their first bytes, encrypted on disk, whole or not there, readable only as the record says."""

from __future__ import annotations

import contextlib
import io
import os
import signal
import time

import pytest
from sqlalchemy import delete, select

from engine import store
from engine.errors import Conflict, Invalid, NotFound
from processes import documents
from processes.rebuild import differences
from processes.tables import document
from tests.district import paper
from tests.engine import killed

PDF = b"%PDF-1.4\nsecret words of the household"
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 20
JPEG = b"\xff\xd8\xff\xe0" + b"\0" * 20


@pytest.fixture
def home(district):
    return district.household(210_000)


def keep(district, home, data=PDF, title="证明.pdf", kind="proof", who="clerk"):
    return paper(district, who, home, kind, title, data)


def staged(district, home, data=PDF, who="clerk"):
    return documents.stage(district.office, district.people[who], district.bureau.settings.files, home, io.BytesIO(data))


def fetch(district, number):
    with district.office.read() as conn:
        return documents.fetch(conn, district.office.keys.on(conn), district.bureau.settings.files, number)


def row(district, number):
    with district.office.read() as conn:
        return conn.execute(select(document).where(document.c.id == number)).mappings().one()


@pytest.mark.parametrize(("data", "media_type"), [(PDF, "application/pdf"), (PNG, "image/png"), (JPEG, "image/jpeg")])
def test_a_file_comes_back_as_it_was_and_is_known_by_its_first_bytes(district, home, data, media_type):
    number = keep(district, home, data, title="anything.exe")
    assert fetch(district, number) == (data, media_type, home)
    assert (row(district, number)["size"], row(district, number)["uploaded_by"]) == (len(data), "clerk")
    assert differences(district.office) == []


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "空"),
        (b"MZ\x90\0program", "只接受"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "只接受"),
        (b"<html>%PDF-1.4", "只接受"),
        (b"PK\x03\x04", "只接受"),
        (PDF + b"\0" * documents.MAX_BYTES, "8 MB"),
    ],
    ids=["empty", "program", "svg", "html", "zip", "too-large"],
)
def test_other_files_are_refused_in_words_and_leave_nothing(district, home, data, said):
    before = sorted(district.bureau.settings.files.iterdir())
    with pytest.raises(Invalid) as wrong:
        keep(district, home, data, title="fine.pdf")
    assert said in str(wrong.value)
    assert sorted(district.bureau.settings.files.iterdir()) == before


def test_nothing_readable_lies_on_the_disk_and_no_sent_name_is_a_path(district, home):
    number = keep(district, home, title="../../etc/张三的\x00病历\u202e.pdf", kind="pr\x00oof")
    folder = district.bureau.settings.files
    kept = row(district, number)
    assert (kept["title"], kept["kind"]) == ("张三的病历.pdf", "proof")
    assert {f.name for f in folder.iterdir()} == {kept["stored_name"], row(district, district.scan)["stored_name"]}
    assert all(len(f.name) == 32 and b"secret" not in f.read_bytes() for f in folder.iterdir())


def test_the_same_file_of_two_households_is_kept_twice_and_cannot_be_told_to_be_the_same(district, home):
    one, two = keep(district, home), keep(district, district.household(210_000, serial=2))
    first, second = row(district, one), row(district, two)
    assert first["stored_name"] != second["stored_name"]
    assert first["commitment"] != second["commitment"]


def test_an_altered_or_swapped_or_missing_file_is_refused(district, home):
    one, two = keep(district, home), keep(district, home, PNG)
    folder = district.bureau.settings.files
    first, second = (folder / row(district, n)["stored_name"] for n in (one, two))
    good = first.read_bytes()
    for bad in (second.read_bytes(), good[:-1] + bytes([good[-1] ^ 1]), b"", good[:20]):
        first.write_bytes(bad)
        with pytest.raises(NotFound):
            fetch(district, one)
    first.unlink()
    with pytest.raises(NotFound):
        fetch(district, one)
    with pytest.raises(NotFound):
        fetch(district, 12345)


def test_without_the_households_key_its_files_are_unreadable(district, home):
    number = keep(district, home)
    with district.office.store.write() as conn:
        conn.execute(delete(store.subject_key).where(store.subject_key.c.subject == f"household:{home}"))
    with pytest.raises(NotFound):
        fetch(district, number)


def test_another_street_may_not_add_to_a_household_nor_anybody_to_none_and_nothing_of_theirs_is_written(district, home):
    before = sorted(district.bureau.settings.files.iterdir())
    for household, who in ((home, "stranger"), (home, "admin"), (999_999, "clerk")):
        with pytest.raises(NotFound):
            keep(district, household, who=who)
    assert sorted(district.bureau.settings.files.iterdir()) == before
    ready = staged(district, home)
    with pytest.raises(NotFound), district.office.act(district.people["stranger"]) as act:
        documents.keep(act, ready, "proof", "theirs")  # asked again where it counts


def test_files_from_before_they_were_staged_stay_readable(district, home):
    """They are bound to the document's number."""
    number, other = keep(district, home), keep(district, home, PNG)
    with district.office.read() as conn:
        cipher = district.office.keys.on(conn).find(f"household:{home}")
    files = district.bureau.settings.files
    file, name = files / row(district, number)["stored_name"], row(district, other)["stored_name"]
    file.write_bytes(cipher.seal(PDF, f"document:{number}".encode()))
    assert fetch(district, number) == (PDF, "application/pdf", home)
    for aad in (f"document:{other}", name):
        file.write_bytes(cipher.seal(PDF, aad.encode()))
        with pytest.raises(NotFound):
            fetch(district, number)


def test_no_transaction_is_open_while_a_document_is_written(district, home, monkeypatch):
    """DESIGN 3.2: nobody's work waits for another one's disk."""
    seen = Disk(monkeypatch)
    number = keep(district, home)
    assert seen.open == [0, 0], "the file, then its folder"
    assert fetch(district, number)[0] == PDF


def test_what_a_refused_or_killed_act_leaves_is_swept_after_an_hour(district, home, processes):
    folder = district.bureau.settings.files
    kept = {f.name for f in folder.iterdir()}
    refused = staged(district, home)
    with pytest.raises(RuntimeError), district.office.act(district.people["clerk"]) as act:
        documents.keep(act, refused, "proof", "a.pdf")
        raise RuntimeError
    place = (district.bureau.settings.database, str(folder), district.clock.now.isoformat())
    child = processes.Process(target=killed.die_staged, args=(*place, home))
    child.start()
    child.join(60)
    assert child.exitcode == -signal.SIGKILL
    assert len({f.name for f in folder.iterdir()} - kept) == 2
    (folder / "half.part").write_bytes(b"x")
    (folder / "a folder of somebody").mkdir()
    with district.office.read() as conn:
        assert documents.sweep(conn, folder) == 0, "too young: it may belong to an act that is still going on"
        for file in folder.iterdir():
            os.utime(file, (time.time() - 4000,) * 2)
        assert documents.sweep(conn, folder) == 3
    assert kept <= {f.name for f in folder.iterdir()}
    assert fetch(district, district.scan)[1] == "application/pdf"
    with pytest.raises(Conflict), district.office.act(district.people["clerk"]) as act:
        documents.keep(act, refused, "proof", "a.pdf")  # an hour later its file is gone


def test_the_same_page_sent_again_is_the_document_that_is_there(district, home):
    found = []
    for kind in ("proof", "proof", "other"):
        with_it = staged(district, home)
        with district.office.act(district.people["clerk"]) as act:
            found.append(documents.keep(act, with_it, kind, "a.pdf", once=True))
    assert found[0] == found[1] != found[2]


class Disk:
    """open: for each fsync, how many writing transactions of this process were open."""

    def __init__(self, monkeypatch):
        self.open, self._now = [], 0
        write, fsync = store.Store.write, os.fsync

        @contextlib.contextmanager
        def watched(opened):
            with write(opened) as conn:
                self._now += 1
                try:
                    yield conn
                finally:
                    self._now -= 1

        monkeypatch.setattr(store.Store, "write", watched)
        monkeypatch.setattr(os, "fsync", lambda descriptor: (self.open.append(self._now), fsync(descriptor))[1])
