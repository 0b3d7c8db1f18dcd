"""A case of temporary assistance as evidence: its seals and rows hold, a bundle proves it, and an erasure leaves nothing readable."""

from __future__ import annotations

import json
import zipfile

import pytest

from engine import sealing
from engine.sealing import Sequencer
from processes import erasure, temporary_grants, verify
from processes.rebuild import differences
from processes.temporary_grants import Filter
from tests.histories.make import helped_first, not_helped_twice
from tests.processes.test_erasure import dump, forgotten
from tests.processes.test_evidence import ORIGIN, bundle, policy, signer, verified  # noqa: F401 - a fixture
from tests.processes.test_verify import KEYS, seal

SQLITE = pytest.mark.parametrize("db_url", ["sqlite"], indirect=True)


@SQLITE
def test_a_bundle_proves_it_to_a_machine_without_our_program(district, bureau, tmp_path, policy):  # noqa: F811
    helped_first(district)
    helped = district.no
    not_helped_twice(district)
    Sequencer(bureau.office.store, signer(), ORIGIN).run()
    assert len(bundle(district, tmp_path / "b.zip", helped, district.no)["cases"]) == 2
    code, said = verified(tmp_path, "b.zip", "--policy", policy)
    assert code == 0, (said["broken"], said["gaps"])
    with zipfile.ZipFile(tmp_path / "b.zip") as archive:
        shown = [json.loads(line) for line in archive.read("computations.jsonl").splitlines()]
    assert {one["node"]: sorted(one["result"]) for one in shown} == {
        "sort_request": ["street_limit_fen"], "assess_need": ["members_counted", "need_outcome", "per_capita"]}  # fmt: skip


@SQLITE
def test_erased_nothing_of_it_can_be_read_and_all_that_counts_stays(district, bureau):
    helped_first(district)
    home = int(district.case()["subject"].partition(":")[2])
    seal(bureau)
    words = ("基本生活", "临时安置", "救助站", "修缮住房", "先行救助", "张一")
    with bureau.office.read() as conn:
        before = temporary_grants.search(conn, bureau.office.keys.on(conn), ("120116",), Filter(household_id=home))
    assert [(one["description"], one["referred_to"], one["receiver"]) for one in before.items] == [
        ("修缮住房", None, "张一"), ("临时安置", "救助站", "张一"), ("基本生活", None, "张一")]  # fmt: skip
    assert not [word for word in words[:4] if word in dump(district)], "sealed, while it is there"
    district.clock.set("2030-01-02T09:00")
    with bureau.office.read() as conn:
        people = conn.scalars(erasure.select(erasure.household_member.c.person_id).where(erasure.household_member.c.household_id == home)).all()
    for person_id in people:
        forgotten(district, person_id)
    left = dump(district)
    assert not [word for word in words if word in left]
    seal(bureau)
    report = verify.run(bureau.settings, keys=KEYS)
    assert report.good, (report.faults[:5], report.wrong[:5])
    assert differences(bureau.office) == []
    with bureau.office.read() as conn:
        assert sealing.state(conn).size == report.entries
        after = temporary_grants.search(conn, bureau.office.keys.on(conn), ("120116",), Filter(household_id=home))
        assert [(one["description"], one["receiver"], one["amount_fen"]) for one in after.items] == [(None, None, one["amount_fen"]) for one in before.items]
        assert temporary_grants.totals(conn, ("120116",), Filter(household_id=home)) == [
            {"year": 2019, "cases": 1, "households": 1, "amount_fen": 752_001, "paid_fen": 752_001, "unnamed": 0}]  # fmt: skip
