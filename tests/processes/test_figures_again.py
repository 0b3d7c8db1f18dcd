"""Income, property or members that change after the calculation are looked at again before anybody decides by it (N220 arts 26, 32)."""

from __future__ import annotations

import pytest

from engine.errors import Refused
from processes import households
from tests.processes.test_review_2012 import Reviewed, earns

REASON = {"reason_code": "income_over", "clause": "第四条"}


def changed(work):
    with pytest.raises(Refused) as refused:
        work()
    assert refused.value.rule == "figures-changed"


def people(district, home):
    with district.office.read() as conn:
        return [m["person_id"] for m in households.members_of(conn, home)]


def pay(district, home, fen, n=0):
    item = {"kind": "wage_income", "amount_fen": fen, "period": "month"}
    with district.office.act(district.people["clerk"]) as act:
        households.set_income(act, home, people(district, home)[n], [item])


def to_decision(d):
    d.do("exam", "district_examination", district_outcome="propose_grant", opinion="拟批准")
    d.post("post_district_notice")
    d.at("2018-12-19T09:00")
    d.do("vera", "remove_district_notice", removed_on="2018-12-19", objections="none")
    if "late_spot_check_visit" in d.tasks():
        d.do("spot", "late_spot_check_visit", visited_on="2018-12-19", second_visitor="乙", findings="一致", late_agrees=True)


def test_the_district_proposes_by_the_data_of_the_day_and_decides_by_them(district):
    d = district
    d.to_district()
    home = d.facts()["household_id"]
    pay(d, home, 500_000)  # far above the standard: the street's opinion knew nothing of it
    changed(lambda: d.do("exam", "district_examination", district_outcome="propose_grant", opinion="拟批准"))
    pay(d, home, 210_001)
    changed(lambda: d.do("exam", "district_examination", district_outcome="propose_grant", opinion="拟批准"))  # one fen is another amount
    pay(d, home, 210_000)
    to_decision(d)
    with d.office.act(d.people["clerk"]) as act:
        households.set_property(act, home, [{"kind": "monetary_assets", "amount_fen": 90_000_000}])
    changed(lambda: d.do("app", "decide", decision="granted", opinion="批准"))
    with d.office.act(d.people["clerk"]) as act:
        households.set_property(act, home, [])
        households.end_member(act, home, people(d, home)[-1], act.today.isoformat())
    changed(lambda: d.do("app", "decide", decision="granted", opinion="批准"))
    d.do("app", "decide", decision="returned", opinion="人口变化", **REASON)
    d.do("exam", "district_examination", district_outcome="return_survey", opinion="重新调查", **REASON)
    d.check()
    d.survey()
    assert d.facts()["members_counted"] == 2


def test_nobody_is_refused_by_figures_that_would_grant(district):
    d = district
    d.to_street_opinion(600_000)
    d.review()
    home = d.facts()["household_id"]
    pay(d, home, 610_000)  # over it before and after: the refusal stands
    d.do("rita", "street_opinion", street_outcome="propose_refuse", opinion="收入高", **REASON)
    d.do("lee", "street_signoff", signoff="agree", opinion="同意")
    d.do("rita", "submit_to_district", contents=["application", "survey", "opinion"])
    if "spot_check_visit" in d.tasks():
        d.do("spot", "spot_check_visit", visited_on=d.office.today().isoformat(), second_visitor="乙", findings="一致", agrees=True)
    pay(d, home, 100_000)  # lost the better work
    changed(lambda: d.do("exam", "district_examination", district_outcome="propose_refuse", opinion="不符合", **REASON))
    pay(d, home, 600_000)
    d.do("exam", "district_examination", district_outcome="propose_refuse", opinion="不符合", **REASON)
    pay(d, home, 100_000)
    changed(lambda: d.do("app", "decide_refusal", decision="refused", opinion="收入高于标准", **REASON))
    d.do("app", "decide_refusal", decision="returned", opinion="收入变化", **REASON)
    assert "district_examination" in d.tasks()


def test_a_review_ends_by_the_data_of_the_day(district):
    review = Reviewed(district)
    home = review.granted()
    review.opened(home, "2018-12-10T09:00")
    earns(review, home, 206_000, member=0)
    review.to_opinion()
    earns(review, home, 205_500, member=0)
    changed(lambda: review.opinion("increase", "income_changed"))
    earns(review, home, 206_000, member=0)
    review.opinion("increase", "income_changed")
    earns(review, home, 205_500, member=0)
    changed(lambda: district.do("lee", "street_signoff", signoff="agree", opinion="同意"))
    earns(review, home, 206_000, member=0)
    district.do("lee", "street_signoff", signoff="agree", opinion="同意")
    earns(review, home, 205_500, member=0)
    changed(lambda: district.do("app", "decide", decision="approved", opinion="同意"))
    district.do("app", "decide", decision="returned", opinion="收入变化")
    review.opinion("return_survey")
    district.check()
    review.survey()
    assert district.facts()["amount_fen"] == 70_500
    assert review.conclude("increase", "income_changed")["outcome"] == "ended_changed"
    review.proven()
