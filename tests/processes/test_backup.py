"""A backup comes back whole, on both databases; what is not whole is refused; erased people do not come back."""

from __future__ import annotations

import json
import zipfile
from dataclasses import replace

import pytest
from sqlalchemy import select

from engine import store
from engine.errors import Conflict
from processes import backup, erasure, verify
from processes import bureau as bureaus
from processes.rebuild import differences
from tests.conftest import database, stamped
from tests.processes.test_erasure import closed, forgotten  # noqa: F401 - a fixture
from tests.processes.test_verify import KEYS, seal


@pytest.fixture
def elsewhere(request, district, tmp_path):
    """Settings of an empty district on the same kind of database."""
    kind = "sqlite" if district.office.store.sqlite else "postgresql"
    (tmp_path / "elsewhere").mkdir()
    with database(kind, tmp_path / "elsewhere", request) as url:
        yield replace(district.bureau.settings, database=url, files=tmp_path / "elsewhere" / "files")


def saved(district, tmp_path):
    stamped(district.bureau.settings)
    return backup.write(district.bureau, tmp_path / "b.zip", tmp_path / "keys.json")


def test_what_comes_back_is_what_was_written(district, elsewhere, tmp_path):
    district.to_refusal()
    seal(district.bureau)
    told = saved(district, tmp_path)
    assert (tmp_path / "keys.json").stat().st_mode & 0o077 == 0
    assert backup.read(elsewhere, tmp_path / "b.zip", tmp_path / "keys.json") == told
    report = verify.run(elsewhere, keys=KEYS)
    assert report.good, report.faults[:5]
    assert (report.cases, report.waiting) == (1, 0)
    made = bureaus.build(elsewhere, district.clock)
    assert differences(made.office) == []
    with made.office.act() as opened:
        opened.new("person", "120116")  # work goes on in it
    made.office.store.close()
    with pytest.raises(Conflict, match="不是空的"):
        backup.read(elsewhere, tmp_path / "b.zip", tmp_path / "keys.json")


def test_the_backup_alone_opens_nothing(district, elsewhere, tmp_path):
    district.household()
    saved(district, tmp_path)
    (tmp_path / "none.json").write_text('{"format": 1, "keys": {}}')
    backup.read(elsewhere, tmp_path / "b.zip", tmp_path / "none.json")
    made = bureaus.build(elsewhere, district.clock)
    with made.office.read() as conn:
        assert conn.execute(select(store.subject_key)).all() == []
        assert conn.scalar(select(store.payload.c.sealed).limit(1)) is not None
    made.office.store.close()


def test_an_old_key_file_brings_nobody_back(closed, elsewhere, tmp_path):  # noqa: F811 - the fixture
    saved(closed, tmp_path)
    (tmp_path / "keys.json").rename(tmp_path / "old.json")
    closed.clock.set("2029-01-02T09:00")
    forgotten(closed, closed.two[0])
    seal(closed.bureau)
    saved(closed, tmp_path)
    backup.read(elsewhere, tmp_path / "b.zip", tmp_path / "old.json")
    made = bureaus.build(elsewhere, closed.clock)
    with made.office.read() as conn:
        gone = erasure.erased(conn)
        assert gone
        assert gone.isdisjoint(conn.scalars(select(store.subject_key.c.subject)).all())
    assert differences(made.office) == []
    made.office.store.close()


@pytest.mark.parametrize("db_url", ["sqlite"], indirect=True)
def test_a_backup_that_is_not_whole_is_refused_in_words(district, elsewhere, tmp_path):
    district.household()
    saved(district, tmp_path)
    with zipfile.ZipFile(tmp_path / "b.zip") as archive:
        files = {name: archive.read(name) for name in archive.namelist()}

    def refused(changed, words):
        with zipfile.ZipFile(tmp_path / "c.zip", "w") as archive:
            for name, content in changed.items():
                archive.writestr(name, content)
        with pytest.raises(backup.BadBackup, match=words):
            backup.read(elsewhere, tmp_path / "c.zip", tmp_path / "keys.json")

    refused({k: v for k, v in files.items() if k != "manifest.json"}, "manifest")
    refused({k: v for k, v in files.items() if k != "database"}, "not whole")
    refused({**files, "database": files["database"][:-1] + b"x"}, "not what the manifest says")
    refused({**files, "manifest.json": json.dumps(json.loads(files["manifest.json"]) | {"format": 9}).encode()}, "unknown format")
    refused({**files, "manifest.json": b"[1]"}, "unknown format")
    refused({**files, "manifest.json": b'{"format": 1}'}, "manifest is not whole")
    whole = (tmp_path / "b.zip").read_bytes()
    for torn in (whole[: len(whole) // 2], b"no zip", b""):
        (tmp_path / "c.zip").write_bytes(torn)
        with pytest.raises(backup.BadBackup, match="not a whole backup"):
            backup.read(elsewhere, tmp_path / "c.zip", tmp_path / "keys.json")
    for keys in (b"", b"\xff", b"[]", b"{}", b'{"format": 1, "keys": {"household:1": "?"}}', b'{"format": 1, "keys": {"household:1": 7}}', b'{"format": 9, "keys": {}}'):
        (tmp_path / "bad.json").write_bytes(keys)
        with pytest.raises(backup.BadBackup, match="not a key file"):
            backup.read(elsewhere, tmp_path / "b.zip", tmp_path / "bad.json")  # and nothing was filled: the last line still can
    assert backup.read(elsewhere, tmp_path / "b.zip", tmp_path / "keys.json")["entries"]
