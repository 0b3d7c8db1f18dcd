"""Scenarios like those of domain 7, derived from domain 2.2, 3, 5.3, 5.4 and 10 by hand before they ran: other holidays, the edges of a
period, money of several members, who may what. Through the HTTP API, as in test_scenarios."""

from __future__ import annotations

from typing import Any

import pytest

from processes import organisation
from tests.api_roads import Roads, child, person, wife, worker
from tests.district import COMMUNITY, PASSWORD, STREET

pytestmark = pytest.mark.usefixtures("registries")
INVESTIGATED = ("means_check", "home_survey", "neighbor_enquiry")
OBJECTION = {"objector_kind": "resident", "grounds": "有未申报的店铺"}


@pytest.fixture
def roads(bureau, district) -> Roads:
    return Roads(bureau, district)


def earns(kind: str, amount: str, **more: Any) -> dict[str, Any]:
    return {"kind": kind, "amount_fen": amount, "period": "month", **more}


def to_the_street_notice(roads: Roads) -> None:
    roads.investigated()
    roads.review()
    roads.street()
    roads.post()


def to_the_district_notice(roads: Roads, day: str) -> None:
    """On one day, on which the street's notice is over."""
    roads.at(f"{day}T09:00")
    roads.remove()
    roads.submit()
    roads.examine()
    roads.post("district")


# -- days


def test_national_day_2018_moves_working_days_and_the_sunday_before_it_is_one(roads):
    """29 and 30 September are working days; Mid-Autumn is 24 September, the holiday 1 to 7 October."""
    roads.clock.set("2018-09-21T09:00")
    roads.register(worker("2100.00"), wife(), child())
    roads.apply()
    roads.accept()
    assert roads.open() == dict.fromkeys(INVESTIGATED, "2018-10-11")
    roads.at("2018-09-29T10:00")
    roads.check()
    roads.survey()
    assert roads.open() == {"democratic_review": "2018-10-11"}
    roads.at("2018-09-30T10:00")
    roads.review()
    roads.street()
    roads.post()
    roads.at("2018-10-07T23:59")
    assert roads.open() == {}, "seven days, none of them a working day"
    roads.at("2018-10-08T09:00")
    roads.remove()
    roads.submit()
    assert roads.open() == {"district_examination": "2018-10-15"}
    roads.at("2018-10-15T09:00")
    roads.examine()
    roads.post("district")
    roads.at("2018-10-23T09:00")
    roads.remove("district")
    assert roads.open() == {"decide": "2018-10-25"}
    roads.at("2018-10-25T09:00")
    roads.decide()
    found = roads.benefit()
    assert (found["amount_fen"], found["first_payment_month"]) == (66_000, "2018-11")
    roads.proven()


@pytest.mark.parametrize(("moment", "month"), [("2019-01-31T23:59", "2019-02"), ("2019-02-01T00:30", "2019-03")])
def test_the_day_of_the_decision_here_says_from_which_month_is_paid(roads, moment, month):
    """Half past midnight on 1 February is 31 January in UTC; it is February in Binhai."""
    roads.clock.set("2019-01-08T09:00")
    roads.register(worker("2100.00"), wife(), child())
    to_the_street_notice(roads)
    to_the_district_notice(roads, "2019-01-16")
    roads.at("2019-01-24T09:00")
    roads.remove("district")
    roads.at(moment)
    roads.late_visit()
    roads.go("app", "decide", decision="granted", opinion="批准")
    assert (roads.facts("decided_on"), roads.benefit()["first_payment_month"]) == (moment[:10], month)
    assert f"自{month[:4]}年{int(month[5:])}月起" in roads.letter("approval")
    roads.proven()


@pytest.mark.parametrize("rung", [True, False])
def test_the_last_day_of_a_notice_takes_an_objection_and_the_day_after_none(roads, rung):
    """12-24 to 12-31. The day after it is too late whether the timer's job has run yet or not: whichever came first has the case, never both."""
    roads.clock.set("2018-12-24T09:00")
    roads.register(worker("2100.00"), wife(), child())
    to_the_street_notice(roads)
    roads.clock.set("2019-01-01T00:00")
    if rung:
        roads.bureau.jobs.run_all()
    before = roads.heads()
    told = roads.bad(409, "vera", "POST", f"/cases/{roads.no}/messages/objection", {"objection_on": "2018-12-31", **OBJECTION})
    assert ("环节是“公示期满揭下”" if rung else "期限到 2018-12-31 为止") in told["message"]
    assert "请登记为投诉举报" in told["message"], "the way that is left"
    assert roads.heads() == before
    roads.bureau.jobs.run_all()
    assert set(roads.open()) == {"remove_street_notice"}
    roads.proven()
    no = roads.no
    roads.clock.set("2019-01-02T09:00")
    roads.register(worker("2100.00"), wife(), child())
    to_the_street_notice(roads)
    assert roads.no != no
    roads.clock.set("2019-01-09T23:59")
    roads.send("vera", "objection", objection_on="2019-01-09", **OBJECTION)
    assert roads.open() == {"street_reinvestigate": "2019-01-23"}
    roads.at("2019-01-10T00:01")
    assert set(roads.open()) == {"street_reinvestigate"}, "the timer of a notice that hangs no longer opens nothing"
    roads.proven()


def test_who_comes_after_the_notice_is_heard_as_a_complaint_and_the_district_visits(roads, bureau):
    """What is too late for an objection is not lost: reported households are visited every one (N220 art 26)."""
    with bureau.office.act() as act:
        organisation.add_staff(act, "tess", "某tess", PASSWORD, [("complaint_officer", STREET)])
    roads.clock.set("2018-12-24T09:00")
    roads.register(worker("2100.00"), wife(), child())
    to_the_street_notice(roads)
    roads.at("2019-01-02T09:00")
    said = {"channel": "phone", "received_on": roads.today, "target_kind": "household", "household_id": roads.home, "allegation": "有未申报的店铺"}
    roads.good("tess", "POST", "/complaints", {"answers": said})
    roads.remove()
    roads.go("rita", "submit_to_district", contents=["application", "survey", "review", "opinion"])
    assert (roads.open(), "reported" in roads.facts("spot_reason")) == ({"spot_check_visit": "2019-01-09"}, True)
    roads.proven()


def test_a_large_dispute_begins_the_investigation_again_with_a_clock_of_its_own(roads):
    roads.clock.set("2018-12-17T09:00")
    roads.register(worker("2100.00"), wife(), child())
    roads.investigated()
    roads.at("2018-12-24T09:00")
    roads.go("officer", "democratic_review", **roads.minutes(review_conclusion="re_survey", statements="争议较大"))
    roads.bureau.jobs.run_all()
    assert roads.open() == dict.fromkeys(INVESTIGATED, "2019-01-08"), "29 December is a working day, 31 December is none"
    roads.check()
    roads.go("bob", "home_survey", **roads.seen(second_investigator="ann"))
    roads.go("ann", "survey_cosign", agree="agree")
    roads.go("ann", "neighbor_enquiry", enquired_on=roads.today, persons="邻居", statement="困难属实")
    assert roads.open() == {"democratic_review": "2018-12-29"}
    roads.proven()


# -- money


@pytest.mark.parametrize(("hukou", "people", "found"), [
    # 2600 + 1845 (1500 declared, below the minimum wage) + 300; the basic pension is not counted: 4745 for four
    ("urban", [person("张一", "head", "1975-01-01", "2600.00", kind="wage_income", employment="employed"),
               person("李二", "spouse", "1976-01-01", "1500.00", sex="female", kind="wage_income", employment="employed"),
               {**person("王三", "parent", "1945-01-01", employment="retired"), "income": [earns("transfer_income", "300.00"), earns("basic_pension_resident", "200.00")]},
               child()], ("low_income", "1186.25", 0)),
    # 7201 in three months: 2760 - 2400.333… = 359.666…, rounded once
    ("urban", [{**person("张一", "head", "1975-01-01", employment="employed"),
                "income": [earns("wage_income", amount, month=f"2018-{month}") for amount, month in (("2100.00", "09"), ("2400.00", "10"), ("2701.00", "11"))]},
               wife(), child()], ("dibao", "800.11", 35_967)),
    # last year's 10,000: 920 - 833.333…
    ("rural", [{**person("张一", "head", "1970-01-01", labour_ability="completely_lost"), "income": [earns("business_net_income", "10000.00", period="year", year=2017)]}],
     ("dibao", "833.33", 8_667)),
    ("urban", [worker("2759.99"), wife(), child()], ("dibao", "920.00", 1)),  # shown rounded, compared exactly
])  # fmt: skip
def test_incomes_of_several_members_and_windows(roads, hukou, people, found):
    roads.register(*people, hukou_kind=hukou)
    roads.apply()
    roads.accept()
    roads.check()
    roads.survey()
    assert roads.facts("category", "per_capita", "amount_fen") == found


def test_undeclared_income_comes_on_top_of_what_was_declared_and_a_later_report_replaces_it(roads):
    """500 declared as other income and 300 found: 800, not 300. After the objection the new report says that the declaration is right:
    then nothing that the first one found counts (N220 art 20; domain 5.3: a correction is a new version)."""
    roads.register(person("张一", "head", "1971-03-01", "500.00", kind="other_income"), person("李二", "spouse", "1972-03-01", sex="female"),
                   property=[{"kind": "monetary_assets", "amount_fen": "5000.00"}])  # fmt: skip
    roads.apply()
    roads.accept()
    roads.survey()
    roads.check("exceeds_standard", found_assets="60000.00", found_income="300.00")
    assert roads.facts("category", "per_capita") == ("refused_property", "400.00")
    roads.go("rita", "issue_check_rejection", reasons="货币财产超过限额")
    roads.deliver("deliver_check_rejection")
    roads.send("clerk", "objection", objection_on=roads.today, objector_kind="applicant", grounds="同名之人")
    roads.survey()
    roads.check()
    assert roads.facts("category", "per_capita", "amount_fen") == ("dibao", "250.00", 134_000)
    roads.proven()


def test_who_is_born_before_the_decision_is_counted_by_a_new_investigation_only(roads):
    roads.register(worker("2100.00"), wife(), child())
    to_the_street_notice(roads)
    to_the_district_notice(roads, "2018-12-11")
    roads.at("2018-12-19T09:00")
    roads.remove("district")
    roads.good("clerk", "POST", f"/households/{roads.home}/members", {"name": "张四", "id_no": roads.number("2018-12-10", "male"), "relation": "child"})
    told = roads.refused(403, "app", "decide", decision="granted", opinion="批准")
    assert (told["rule"], "2019-01" in told["message"]) == ("figures-changed", True)
    roads.go("app", "decide", decision="returned", opinion="人口有变化", reason_code="facts_unclear", clause="民发〔2012〕220号第二十六条")
    assert roads.open() == {"district_examination": "2018-12-26"}
    roads.go("exam", "district_examination", district_outcome="return_survey", opinion="人口有变化", reason_code="members", clause="民发〔2012〕220号第二十六条")
    roads.bureau.jobs.run_all()
    roads.check()
    roads.survey()
    assert roads.facts("members_counted", "amount_fen") == (4, 158_000)
    roads.proven()


# -- who may, and words


def test_one_person_with_every_post_does_one_part_of_a_case(roads):
    """5.3: who accepted and surveyed neither reviews nor submits, examines, approves."""
    posts = [{"role": role, "unit": "120116001"} for role in ("window_clerk", "investigator", "reviewer")]
    posts += [{"role": role, "unit": "120116"} for role in ("district_examiner", "approver")]
    change = roads.good("admin", "POST", "/staff-changes", {"login": "multi", "kind": "add", "name": "多岗", "password": "binhai-2018", "posts": posts})["id"]
    roads.good("admin2", "POST", f"/staff-changes/{change}/confirm")
    roads.register(worker("2100.00"), wife(), child())
    roads.start("dibao-2012", "multi", programme="dibao", applied_on=roads.today, applied_by="head", reason="生活困难")
    roads.go("multi", "completeness_check", outcome="complete")
    roads.check()
    roads.go("ann", "home_survey", **roads.seen(second_investigator="multi"))
    roads.go("multi", "survey_cosign", agree="agree")
    roads.go("ann", "neighbor_enquiry", enquired_on=roads.today, persons="邻居", statement="困难属实")
    roads.review()
    assert roads.refused(403, "multi", "street_opinion", street_outcome="propose_grant", opinion="拟同意")["rule"] == "investigator-reviews"
    roads.street()
    roads.post()
    roads.at("2018-12-11T09:00")
    roads.remove()
    assert roads.refused(403, "multi", "submit_to_district", contents=["application", "survey", "opinion"])["rule"] == "investigator-reviews"
    roads.submit()
    assert roads.refused(403, "multi", "district_examination", district_outcome="propose_grant", opinion="拟批准")["rule"] == "street-examines"
    roads.examine()
    roads.post("district")
    roads.at("2018-12-19T09:00")
    roads.remove("district")
    roads.late_visit()
    assert roads.refused(403, "multi", "decide", decision="granted", opinion="批准")["rule"] == "approver-touched"
    roads.decide()


def test_in_whose_place_a_survey_is_made_is_not_its_second_investigator(roads):
    """Two distinct investigators sign (5.3): what is delegated counts as the owner's, too, so that the case would wait for a signature
    that nobody may give."""
    roads.register(worker("2100.00"), wife(), child())
    roads.apply()
    roads.accept()
    task = roads.task("ann", roads.no, "home_survey")["id"]
    roads.good("ann", "POST", f"/tasks/{task}/claim")
    roads.good("ann", "POST", f"/tasks/{task}/delegate", {"to": "bob", "reason": "出差", "until": "2018-12-10"})
    assert "不能是委托您办理" in roads.refused(422, "bob", "home_survey", **roads.seen(second_investigator="ann"))["message"]
    roads.go("bob", "home_survey", **roads.seen(second_investigator="carl"))
    assert roads.refused(403, "ann", "survey_cosign", agree="agree")["rule"] == "two-investigators"
    roads.go("carl", "survey_cosign", agree="agree")


@pytest.mark.parametrize(("property_", "reason", "fact", "basis"), [
    ([{"kind": "vehicle"}], "property_over", "您家庭拥有机动车辆。", "天津市2017年4月起社会救助标准"),
    ([], "no_cooperation", "您家庭没有按规定配合信息核对或者入户调查。", ""),
])  # fmt: skip
def test_a_refusal_says_what_was_found_by_a_paper_of_its_time_and_has_three_days_over_new_year(roads, property_, reason, fact, basis):
    """Three days from Thursday 12-27 end on Sunday 12-30, a holiday: the first working day after it."""
    roads.clock.set("2018-12-27T09:00")
    roads.register(worker("2100.00"), wife(), child(), property=property_)
    roads.investigated()
    roads.review()
    why = {"reason_code": reason, "clause": "民发〔2012〕220号第四条"}
    roads.street("propose_refuse", **why)
    roads.submit()
    roads.examine("propose_refuse", **why)
    roads.go("app", "decide_refusal", decision="refused", opinion="不符合规定", **why)
    assert roads.open() == {"deliver_refusal": "2019-01-02"}
    letter = roads.letter("refusal")
    assert all(words in letter for words in (f"查明的事实：{fact}", basis, "60日内", "6个月内", roads.no))
    assert "2020年" not in letter, "no paper of a later year"
    assert not any(name in letter for name in ("vehicle", "no_cooperation", "property_over"))


def test_what_is_wrong_is_named_as_the_form_names_it(roads):
    body = roads.written(worker("2100.00"), wife())
    body["members"][1]["id_no"] = "12011619520230123X"
    assert roads.bad(422, "clerk", "POST", "/households", body)["message"] == "家庭成员第2项身份证号：身份证号中的出生日期不正确"
    english = roads.bad(422, "clerk", "POST", "/households", body, headers={"Accept-Language": "en"})
    assert english["message"].startswith("Members 2, ID number: ")
    for when, wrong in (({"period": "year", "month": "2018-11"}, "period"), ({"year": 2017}, "period"), ({"month": "2019-01"}, "month"), ({"period": "year", "year": 2019}, "year")):
        body = roads.written({**worker(""), "income": [{"kind": "wage_income", "amount_fen": "24000.00", **when}]})
        assert set(roads.bad(422, "clerk", "POST", "/households", body)["errors"]) == {f"members.0.income.0.{wrong}"}
    roads.register(worker("2100.00"), wife(), child(), phone="１３８ ００１３ ８０００", bank_account="6222 0000 1111 2222")
    roads.investigated()
    told = roads.refused(422, "officer", "democratic_review", **roads.minutes("resident_representative", "resident_representative"))
    assert (told["message"], set(told["errors"])) == ("参加人员：应有街镇工作人员参加", {"participants"})
    task = roads.task("officer", roads.no, "democratic_review")
    assert roads.bad(422, "officer", "POST", f"/tasks/{task['id']}/return", {"to": "home_survey", "answers": {}})["message"] == "本环节不能退回"
    told = roads.bad(409, "clerk", "POST", f"/cases/{roads.no}/messages/objection", {"objection_on": roads.today, **OBJECTION})
    assert told["message"].startswith("这件个案现在的环节是“民主评议”，不在等候这类来件，不能登记")


def test_an_application_may_be_withdrawn_wherever_it_stands_and_made_again(roads):
    """Any time before the decision (2.3); each time the board is empty, and nothing waits any more."""
    roads.register(worker("2100.00"), wife(), child())
    stands: list[list[str]] = []

    def withdrawn(*acts: Any) -> None:
        roads.apply()
        for act in acts:
            act()
        stands.append(sorted(roads.open()))
        roads.send("clerk", "withdrawal", withdrawn_on=roads.today, reason="不再申请", signed_document=roads.page)
        assert (roads.case()["outcome"], roads.open()) == ("ended_withdrawn", {})
        assert roads.good(None, "GET", f"/notices?unit={COMMUNITY}")["items"] == []

    found = (roads.accept, roads.survey, lambda: roads.check("exceeds_standard", found_income="9000.00"), lambda: roads.go("rita", "issue_check_rejection", reasons="收入超过标准"))
    surveyed = (roads.accept, roads.check, roads.survey)
    withdrawn(lambda: roads.go("clerk", "completeness_check", outcome="incomplete", missing=["income_proof"]))
    withdrawn(roads.accept, lambda: roads.go("ann", "home_survey", **roads.seen()))
    withdrawn(*found, lambda: roads.deliver("deliver_check_rejection"))
    withdrawn(*surveyed, roads.review, roads.street, roads.post, lambda: roads.send("vera", "objection", objection_on=roads.today, **OBJECTION))
    withdrawn(*surveyed, roads.review, roads.street, roads.post)
    assert stands == [["supplement"], ["means_check", "neighbor_enquiry", "survey_cosign"], [], ["street_reinvestigate"], []]
    to_the_street_notice(roads)
    assert roads.facts("amount_fen") == 66_000, "what an earlier application's check found counts no longer: this one's says the declaration is right"
    to_the_district_notice(roads, "2018-12-11")
    roads.at("2018-12-19T09:00")
    roads.remove("district")
    roads.late_visit()
    roads.go("app", "decide", decision="granted", opinion="批准")
    assert roads.bad(409, "clerk", "POST", f"/cases/{roads.no}/messages/withdrawal", {"withdrawn_on": roads.today, "reason": "不再申请"})["status"] == "NotWaiting"
