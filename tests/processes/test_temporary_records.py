"""A case of temporary assistance as evidence: its seals and rows hold, a bundle proves it, and an erasure leaves nothing readable."""

from __future__ import annotations

import json
import zipfile

import pytest

from engine import sealing
from engine.errors import Invalid
from engine.sealing import Sequencer
from processes import erasure, meeting_papers, meetings, temporary_grants, verify
from processes.rebuild import differences
from processes.temporary_grants import Filter
from tests.histories.make import asks_for_help, helped_first, not_helped_twice, surveyed_for_help
from tests.processes.test_erasure import dump, forgotten
from tests.processes.test_evidence import ORIGIN, bundle, policy, signer, verified  # noqa: F401 - a fixture
from tests.processes.test_verify import KEYS, seal


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


def test_a_joint_meeting_gives_it_a_sum_once_and_no_other_case_any(bureau, room):
    home = room.household(400_000, n=1)  # over the income limit
    asks_for_help(room, "expenditure", "medical", household_id=home, requested_amount="20000")
    room.accept()
    surveyed_for_help(room)
    room.do("rita", "street_opinion", street_outcome="joint_meeting", opinion="研究", trigger="temp_over_limit", special_facts="自付费用八万元", wish="救助一万元")
    helped = room.no
    other = room.ask(serial=3)
    room.sitting()
    with bureau.office.read() as conn:
        items = {item["case_no"]: item["position"] for item in meetings.items(conn, room.meeting)}
    for position in items.values():
        room.all_vote(item=position)
    for case, said in ((helped, {"approved_category": "dibao"}), (helped, {"approved_category": "temporary_assistance"}), (other, {"approved_category": "temporary_assistance", "fixed_amount": "10000"}),
                       (helped, {"approved_category": "temporary_assistance", "fixed_amount": "10000", "fixed_until": "2019-06"})):  # fmt: skip
        with pytest.raises(Invalid):
            room.announce("approve_as", item=items[case], **said)
    room.announce("approve_as", item=items[helped], approved_category="temporary_assistance", fixed_amount="10000.00", conditions="凭票据支付")
    room.no = helped
    assert room.facts()["approved_fen"] == 1_000_000
    offered = {"street_outcome": "propose_grant", "opinion": "按决议"}
    with pytest.raises(Invalid, match="联席会议确定的金额"):
        room.do("rita", "street_opinion", items=[{"form": "cash", "amount": "9999.99", "description": "医疗"}], **offered)
    room.do("rita", "street_opinion", items=[{"form": "cash", "amount": "10000", "description": "医疗"}], **offered)
    room.announce("approve_as", item=items[other], approved_category="low_income")
    with bureau.office.read() as conn:
        text = meeting_papers.generated(conn, bureau.office.keys.on(conn), room.meeting, bureau.office.today())
    assert "临时救助（一次性），10000.00元" in text
    room.finish()
    room.no = helped
    room.post()
    room.at("2018-12-20T09:00")
    room.do("vera", "remove_street_notice", removed_on="2018-12-20", objections="none")
    room.do("app", "decide", decision="granted", opinion="按联席会议决议")
    assert differences(bureau.office) == []
