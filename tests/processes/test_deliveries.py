"""Delivery of letters beside the tasks of a case, and the last days that run from it, on both databases."""

from __future__ import annotations

import dataclasses
import pathlib

import pytest
from sqlalchemy import select

from engine.errors import Conflict, Invalid, NotFound, Refused
from engine.office import history, seals_hold
from processes import benefit_acts, benefits, deliveries, erasure, households, letters
from processes.case_tables import letter
from processes.rebuild import differences
from tests.processes.test_benefits import Granted
from tests.processes.test_dibao_2012 import proven

DAY = "2018-12-03"
SAID = {"delivered_on": DAY, "method": "post", "recipient": "张一"}


def sent(district, kind):
    with district.office.read() as conn:
        return conn.execute(select(letter).where(letter.c.kind == kind)).mappings().all()[-1]


def deliver(district, who, letter_id, **said):
    with district.office.act(district.people[who]) as act:
        deliveries.deliver(act, letter_id, SAID | said)


def accepted(district):
    district.apply(district.household(210_000))
    district.accept()
    return sent(district, "acceptance")


# -- pure


@pytest.mark.parametrize(("kind", "day", "objection", "review", "suit"), [
    ("refusal", "2019-01-24", None, "2019-03-25", "2019-07-24"),  # S11
    ("suspension", "2018-12-03", None, "2019-02-01", "2019-06-03"),
    ("approval", "2018-12-07", None, "2019-02-11", "2019-06-10"),  # the sixtieth day lies in the Spring Festival; 7 June 2019 is the Dragon Boat Festival
    ("standard_adjustment", "2018-08-31", None, "2018-10-30", "2019-02-28"),
    ("check_rejection", "2018-12-03", "2018-12-17", None, None), ("acceptance", "2018-12-03", None, None, None), ("stop", None, None, None, None)])  # fmt: skip
def test_the_last_days_run_from_the_delivery(kind, day, objection, review, suit):
    assert deliveries.last_days(kind, day) == {"objection_until": objection, "review_until": review, "suit_until": suit}


def test_every_letter_that_tells_of_remedies_has_their_last_days():
    told = {kind for kind in letters.TITLES if deliveries.last_days(kind, DAY)["review_until"]}
    assert told == deliveries.WITH_REMEDIES
    assert deliveries.BY_TASK <= letters.TITLES.keys()


# -- in a case


def test_a_letter_of_a_case_is_delivered_once_with_its_proof(district):
    row = accepted(district)
    deliver(district, "clerk", row["id"], method="direct", receipt_document=district.scan)
    found = sent(district, "acceptance")
    assert (found["delivered_on"], found["delivery_method"], found["receipt_document"]) == (DAY, "direct", district.scan)
    with district.office.read() as conn:
        entry = history(conn, district.office.keys.on(conn), district.case()["id"])[-1]
        assert (entry.event, entry.data) == ("letter_delivered", {"letter": row["id"], "kind": "acceptance"})
        assert "张一" not in entry.body.decode(), "the recipient is personal"
    with pytest.raises(Conflict):
        deliver(district, "officer", row["id"])
    district.check()
    district.survey()
    proven(district)


def test_a_supplement_is_delivered_also_when_the_case_has_ended(district):
    district.apply(district.household(210_000))
    district.do("clerk", "completeness_check", outcome="incomplete", missing=["income_proof"])
    district.send("clerk", "withdrawal", withdrawn_on=DAY, reason="已就业")
    deliver(district, "officer", sent(district, "supplement")["id"])
    proven(district)


@pytest.mark.parametrize(("who", "rule"), [("rita", "role"), ("auditor", "role"), ("stranger", None)])
def test_the_street_s_window_and_officers_record_deliveries_in_their_area(district, who, rule):
    row = accepted(district)
    with pytest.raises(Refused if rule else NotFound) as refused:
        deliver(district, who, row["id"])
    assert getattr(refused.value, "rule", None) == rule


def test_a_near_relative_delivers_nothing(district):
    row = accepted(district)
    home = row["household_id"]
    with district.office.act(district.people["clerk2"]) as act:
        households.declare_near_relative(act, home, {"staff_login": "officer", "staff_name": "某officer", "relation": "sibling"})
    with district.office.read() as conn:
        assert deliveries.waits(conn, district.people["clerk"], row)
        assert not deliveries.waits(conn, district.people["officer"], row)
    with pytest.raises(Refused) as refused:
        deliver(district, "officer", row["id"])
    assert refused.value.rule == "near-relative"


@pytest.mark.parametrize(("said", "field"), [
    ({"delivered_on": "2018-12-02"}, "delivered_on"), ({"receipt_document": 99}, "receipt_document"), ({"evidence": [99]}, "evidence")])
def test_a_delivery_that_cannot_be_is_refused(district, said, field):
    row = accepted(district)
    with pytest.raises(Invalid) as wrong:
        deliver(district, "clerk", row["id"], **said)
    assert set(wrong.value.fields) == {field}
    assert sent(district, "acceptance")["delivered_on"] is None


def test_in_production_it_is_proved_as_its_method_allows(district):
    row = accepted(district)
    district.office.production = True
    with pytest.raises(Invalid) as wrong:
        deliver(district, "clerk", row["id"], method="direct")
    assert set(wrong.value.fields) == {"receipt_document"}
    deliver(district, "clerk", row["id"], method="lien", evidence=[district.scan])
    proven(district)


def test_a_letter_of_a_decision_is_delivered_by_the_case_s_own_task(district):
    district.to_refusal()
    row = sent(district, "refusal")
    with pytest.raises(Refused) as refused:
        deliver(district, "clerk", row["id"])
    assert refused.value.rule == "own-step"
    district.do("clerk", "deliver_refusal", **SAID)
    with district.office.read() as conn:
        [told] = [x for x in deliveries.of_case(conn, district.no) if x["kind"] == "refusal"]
    assert (told["review_until"], told["suit_until"]) == ("2019-02-01", "2019-06-03")


def exceeding(district):
    """A case whose check found too much."""
    district.apply(district.household(n=2))
    district.accept()
    district.survey()
    district.check("exceeds_standard", found_assets="60000")


def test_the_rejection_after_the_check_is_issued_first_and_the_time_to_object_runs_from_its_delivery(district):
    exceeding(district)
    district.do("rita", "issue_check_rejection", reasons="超限")
    with district.office.read() as conn:
        told = deliveries.of_case(conn, district.no)[-1]
    assert (told["kind"], told["delivered_on"], told["objection_until"]) == ("check_rejection", None, None)
    assert "check_objection_until" not in district.facts(), "nothing runs before somebody has the letter"
    with pytest.raises(Refused) as refused:
        deliver(district, "clerk", told["id"])
    assert refused.value.rule == "own-step"
    district.clock.set("2018-12-06T09:00")
    with pytest.raises(Invalid, match="不能早于"):
        district.do("clerk", "deliver_check_rejection", delivered_on="2018-12-02", method="direct", recipient="张一")
    district.do("clerk", "deliver_check_rejection", delivered_on="2018-12-05", method="direct", recipient="张一", receipt_document=district.scan)
    with district.office.read() as conn:
        told = deliveries.of_case(conn, district.no)[-1]
    assert (told["delivered_on"], told["delivery_method"], told["receipt_document"], told["objection_until"]) == ("2018-12-05", "direct", district.scan, "2018-12-19")
    assert district.facts()["check_objection_until"] == "2018-12-20T00:00:00+08:00", "the day after the last one"
    assert district.tasks() == {}
    district.at("2018-12-20T09:00")
    assert list(district.tasks()) == ["street_opinion"]
    proven(district)


def test_a_rejection_that_nobody_delivered_before_the_withdrawal_can_still_be_delivered(district):
    exceeding(district)
    district.do("rita", "issue_check_rejection", reasons="超限")
    district.send("clerk", "withdrawal", withdrawn_on=DAY, reason="不再申请")
    with district.office.read() as conn:
        told = deliveries.of_case(conn, district.no)[-1]
    deliver(district, "clerk", told["id"])
    proven(district)


def test_a_case_on_an_earlier_drawing_tells_and_delivers_in_one_step(district):
    old = pathlib.Path(__file__).parent.parent / "histories" / "drawings" / "ebbf42f3a80c8005a8b38ed59c4717497d9cdd8cc4158aae0ad7ca1664e37658.bpmn"
    now = district.cases.processes["dibao-2012"]
    district.cases.processes = {**district.cases.processes, "dibao-2012": dataclasses.replace(now, bpmn=old)}
    exceeding(district)
    district.cases.processes = {**district.cases.processes, "dibao-2012": now}
    district.cases._keys.clear()
    district.do("rita", "reject_after_check", delivered_on=DAY, reasons="超限", receipt_document=district.scan)
    with district.office.read() as conn:
        told = deliveries.of_case(conn, district.no)[-1]
    assert (told["kind"], told["delivered_on"], told["receipt_document"], told["objection_until"]) == ("check_rejection", DAY, district.scan, "2018-12-17")
    assert district.facts()["check_objection_until"] == "2018-12-18T00:00:00+08:00"
    proven(district)


def test_there_is_no_such_letter(district):
    with pytest.raises(NotFound):
        deliver(district, "clerk", 99)
    accepted(district)
    with pytest.raises(NotFound):
        deliver(district, "clerk", district.case()["id"] << 16)


def test_restricted_data_are_not_worked_with(district, monkeypatch):
    row = accepted(district)

    def held(*_):
        raise Refused("restricted", "受限", "restricted")

    monkeypatch.setattr(erasure, "refuse_restricted", held)
    with pytest.raises(Refused) as refused:
        deliver(district, "clerk", row["id"])
    assert refused.value.rule == "restricted"


# -- outside cases


def test_a_suspension_is_delivered_in_the_benefit_s_own_record(district):
    granted = Granted(district)
    district.at("2019-02-11T09:00")
    with district.office.act(district.people["rita"]) as act:
        benefit_acts.propose(act, granted.id, "suspend", {"reason_code": "unreachable", "reason": "三次上门无人"})
    with district.office.act(district.people["app"]) as act:
        benefit_acts.confirm(act, granted.id, "suspend", {"opinion": "同意"})
    deliver(district, "clerk", sent(district, "suspension")["id"], delivered_on="2019-02-11")
    with district.office.read() as conn:
        told = deliveries.of_benefit(conn, granted.id)[-1]
        entries = history(conn, district.office.keys.on(conn), granted.id >> 16)
        assert (entries[-1].event, seals_hold(entries)) == ("letter_delivered", None)
        assert benefits.row(conn, granted.id)["status"] == "suspended"
    assert (told["kind"], told["delivered_on"], told["review_until"], told["suit_until"]) == ("suspension", "2019-02-11", "2019-04-12", "2019-08-12")
    assert differences(district.office) == []
