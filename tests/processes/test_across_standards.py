"""Cases that are under way when a new standard comes (2019-04: 920 -> 980): what counts from April goes by April's (domain 3.3, S36)."""

from __future__ import annotations

import pytest

from engine.errors import Refused
from processes.benefit_tables import benefit_adjustment
from tests.processes.reports import Reports, family
from tests.processes.test_review_2012 import Reviewed, earns
from tests.processes.test_standards import Office

THREE = {"members": family(210_000, 0, 0)}


def batch(district, moment):
    """Everybody is put on the new standard."""
    office = Office(district)
    district.clock.set(moment)
    office.propose()
    office.confirm()


def old(work):
    with pytest.raises(Refused) as refused:
        work()
    assert refused.value.rule == "figures-old"


def test_a_review_after_the_batch_keeps_what_the_batch_gave(district):
    review = Reviewed(district)
    home = review.granted()
    batch(district, "2019-03-20T09:00")
    assert review.benefit(home)["amount_fen"] == 84_000
    review.opened(home)
    district.clock.set("2019-03-25T09:00")
    review.to_opinion()
    assert (district.facts()["benefit_fen"], district.facts()["amount_fen"]) == (84_000, 84_000)
    assert review.conclude("keep")["outcome"] == "ended_kept"
    last = review.rows(benefit_adjustment, case_no=district.no)[-1]
    assert (last["kind"], last["before_fen"], last["after_fen"], last["from_month"]) == ("keep", 84_000, 84_000, "2019-04")
    review.proven()


def test_a_rise_that_was_assessed_in_march_counts_by_the_new_standard(district):
    review = Reviewed(district)
    home = review.granted()
    batch(district, "2019-03-20T09:00")
    review.opened(home)
    earns(review, home, 206_000, member=0)
    review.to_opinion()
    review.opinion("increase", "income_changed")
    district.clock.set("2019-04-02T09:00")
    district.do("lee", "street_signoff", signoff="agree", opinion="同意")
    district.do("app", "decide", decision="approved", opinion="同意")
    last = review.rows(benefit_adjustment, case_no=district.no)[-1]
    assert (last["before_fen"], last["after_fen"], last["from_month"]) == (84_000, 88_000, "2019-05")
    assert "840.00元调整为880.00元" in review.letter("adjustment")
    review.proven()


def test_a_report_from_before_the_batch_is_compared_with_what_the_batch_gave(district):
    reports = Reports(district)
    reports.granted(**THREE)
    district.clock.set("2019-03-18T09:00")
    reports.report("other", "2019-03-15")
    batch(district, "2019-03-20T09:00")
    assert reports.row()["amount_fen"] == 84_000
    reports.register(check_means=True)
    reports.investigate()
    assert (district.facts()["benefit_fen"], district.facts()["amount_fen"]) == (84_000, 84_000)
    reports.conclude("keep", "unchanged")
    assert reports.row()["amount_fen"] == 84_000
    assert "840.00元不变" in reports.letter("review_result")
    reports.proven()


def test_a_batch_between_assessment_and_decision_sends_the_case_back(district):
    """The assessment gave 840.00 from April, a rise; on 1 April the batch has given it already."""
    review = Reviewed(district)
    home = review.granted()
    review.opened(home, "2019-03-20T09:00")
    review.to_opinion()
    review.opinion("increase", "income_changed")
    district.do("lee", "street_signoff", signoff="agree", opinion="同意")
    batch(district, "2019-04-01T09:00")
    old(lambda: district.do("app", "decide", decision="approved", opinion="同意"))
    district.do("app", "decide", decision="returned", opinion="标准已调整")
    old(lambda: review.opinion("increase", "income_changed"))
    review.opinion("return_survey")
    district.check()
    review.survey()
    assert review.conclude("keep")["outcome"] == "ended_kept"
    assert review.benefit(home)["amount_fen"] == 84_000
    review.proven()


def test_an_application_that_is_assessed_in_march_is_paid_by_aprils_standard(district):
    reports = Reports(district)
    reports.granted(on="2019-03-11", **THREE)
    granted = reports.row()
    assert (granted["first_payment_month"], granted["amount_fen"], granted["law_version"]) == ("2019-04", 84_000, "TJ-STD-2019")
    reports.proven()


def test_an_amount_of_the_old_standard_is_not_granted(district):
    """Assessed in February for March, decided in March for April."""
    d = district
    d.clock.set("2019-02-20T09:00")
    d.to_street_opinion()
    assert d.facts()["amount_fen"] == 66_000
    d.review()
    d.street()
    d.post()
    d.at("2019-02-28T09:00")
    d.submit()
    d.do("exam", "district_examination", district_outcome="propose_grant", opinion="拟批准")
    d.post("post_district_notice")
    d.at("2019-03-08T09:00")
    d.do("vera", "remove_district_notice", removed_on="2019-03-08", objections="none")
    if "late_spot_check_visit" in d.tasks():
        d.do("spot", "late_spot_check_visit", visited_on="2019-03-08", second_visitor="乙", findings="一致", late_agrees=True)
    old(lambda: d.do("app", "decide", decision="granted", opinion="批准"))
    d.do("app", "decide", decision="returned", opinion="四月执行新标准", reason_code="other", clause="第三章")
    d.do("exam", "district_examination", district_outcome="return_survey", opinion="重新调查测算", reason_code="other", clause="第三章")
    d.check()
    d.survey()
    assert d.facts()["amount_fen"] == 84_000
