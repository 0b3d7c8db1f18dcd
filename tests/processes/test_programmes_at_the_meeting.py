"""What the joint meeting can make of an application for low-income relief and of one for expenses (domain 3.8, 3.10, 4.2)."""

from __future__ import annotations

import pytest

from engine.errors import Invalid, Refused
from processes import households, illness_expenditure
from processes.rebuild import differences
from tests.histories.make import asked_for_low_income, handed_in, spent

SIX = {"street_outcome": "joint_meeting", "opinion": "研究", "trigger": "hardship_other_six", "special_facts": "火灾后负债", "wish": "认定其他特殊困难"}


@pytest.fixture
def six(room):
    """A low-income family without one of the five hardships waits for the recognition of the sixth; the meeting sits."""
    room.clock.set("2018-12-05T09:00")
    asked_for_low_income(room, "low-income-2016", 300_000)
    assert (room.facts()["category"], room.facts()["amount_fen"]) == ("low_income", 0)
    room.review()
    room.do("rita", "street_opinion", **SIX)
    room.clock.set("2018-12-14T09:30")
    room.asked_no = room.no
    room.sitting()
    return room


def test_civil_affairs_and_finance_recognise_the_sixth_hardship_together(six):
    six.all_vote()
    six.announce("approve_as", approved_category="low_income")
    assert (six.facts_of(six.asked_no)["category"], six.facts_of(six.asked_no)["amount_fen"]) == ("low_income", 27_600)
    six.no = six.asked_no
    six.street()
    assert list(six.tasks()) == ["post_street_notice"]
    assert differences(six.office) == []


@pytest.mark.parametrize("against", ["finance", "civil_affairs"])
def test_the_others_are_no_majority_for_it(six, against):
    six.all_vote(**{against: "against"})
    with pytest.raises(Refused) as refused:
        six.announce("approve_as", approved_category="low_income")
    assert refused.value.rule == "joint-recognition"


@pytest.fixture
def complex_case(room):
    """Expenses that do not reach the rule's line: 一事一议."""
    spent(room, "2018-12-05", 750_000, ("medical", "40000", "2018-06-01"))
    assert room.facts()["category"] == "refused_expenditure"
    room.do("rita", "street_opinion", **{**SIX, "trigger": "income_slightly_over", "wish": "认定"})
    room.clock.set("2018-12-14T09:30")
    room.asked_no = room.no
    room.sitting()
    room.all_vote()
    return room


def test_a_complex_case_is_recognised_by_the_meeting_with_its_last_day(complex_case):
    room = complex_case
    with pytest.raises(Invalid) as wrong:
        room.announce("approve_as", approved_category="low_income")
    assert list(wrong.value.fields) == ["approved_category"]
    with pytest.raises(Invalid):
        room.announce("approve_as", approved_category="illness_expenditure", fixed_amount="500", fixed_until="2019-06")
    room.announce("approve_as", approved_category="illness_expenditure")
    room.no = room.asked_no
    assert (room.facts()["category"], room.facts()["amount_fen"]) == ("illness_expenditure", 0)
    room.do("rita", "street_opinion", street_outcome="propose_grant", help_kind="one_off", help_fen="3000", opinion="按会议决议")
    room.do("lee", "street_signoff", signoff="agree", opinion="同意")
    room.post()
    room.at("2018-12-22T09:00")
    room.do("vera", "remove_street_notice", removed_on="2018-12-22", objections="none")
    handed_in(room)
    room.do("exam", "district_examination", district_outcome="propose_grant", opinion="拟批准")
    room.do("app", "decide", decision="granted", opinion="批准")
    with room.office.read() as conn:
        found = illness_expenditure.live(conn, room.facts()["household_id"], room.office.today())
    assert (found["by_meeting"], found["help_fen"], found["valid_until"]) == (True, 300_000, "2019-12-21")
    assert differences(room.office) == []


def test_nothing_else_is_approved_as_a_recognition(room):
    room.clock.set("2018-12-05T09:00")
    room.ask()
    room.clock.set("2018-12-14T09:30")
    room.sitting()
    room.all_vote()
    with pytest.raises(Invalid) as wrong:
        room.announce("approve_as", approved_category="illness_expenditure")
    assert list(wrong.value.fields) == ["approved_category"]


def test_a_figure_that_changed_after_the_check_decides_nothing(room):
    """Another income than that of the assessment: back to the survey (decision 029)."""
    spent(room, "2018-12-03", 750_000, ("medical", "72000", "2018-06-01"))
    with room.office.act(room.people["clerk"]) as act:
        head = households.applicant(act.conn, room.facts()["household_id"])["id"]
        households.set_income(act, room.facts()["household_id"], head, [{"kind": "wage_income", "amount_fen": 900_000, "period": "month"}])
    with pytest.raises(Refused) as refused:
        room.do("rita", "street_opinion", street_outcome="propose_grant", help_kind="status", opinion="属实")
    assert refused.value.rule == "figures-changed"
