"""The scenarios of domain 7 through the HTTP API, with the dates and amounts given there: real forms as named roles, scans uploaded,
registries asked over HTTP, the clock moved. Nothing is seeded: what a scenario needs is entered as it is in the office."""

from __future__ import annotations

import pytest

from tests.api_roads import Roads, child, elders, person, wife, worker
from tests.district import COMMUNITY
from tests.meeting_room import CODE, SMALL
from tests.processes.test_eligibility import ROWS

pytestmark = pytest.mark.usefixtures("registries")
HELD: dict[str, list[dict[str, str]]] = {"": []}  # by ID: what the registries have found about an invented person


@pytest.fixture
def roads(bureau, district) -> Roads:
    return Roads(bureau, district)


@pytest.fixture
def hall(bureau, room) -> Roads:
    """Where there are the people of the joint meeting, too."""
    return Roads(bureau, room)


# -- the application: dibao-2012


def test_s1_happy_path_has_its_dates_and_660_yuan(roads):
    roads.register(worker("2100.00"), wife(), child())
    roads.apply()
    roads.accept()
    assert roads.open() == dict.fromkeys(("means_check", "home_survey", "neighbor_enquiry"), "2018-12-17")
    roads.at("2018-12-17T10:00")
    roads.check()
    roads.survey()
    assert roads.open() == {"democratic_review": "2018-12-24"}
    roads.at("2018-12-24T10:00")
    roads.review()
    roads.street()
    roads.post()
    [notice] = roads.good(None, "GET", f"/notices?unit={COMMUNITY}")["items"]
    assert (notice["posted_on"], notice["until_on"][:10], notice["members"], notice["amount_fen"]) == ("2018-12-24", "2019-01-01", 3, 66_000)
    roads.at("2018-12-31T23:59")
    assert roads.open() == {}, "the whole of the seventh day"
    roads.at("2019-01-02T09:00")
    roads.remove()
    roads.submit()
    assert roads.facts("submitted_on") == "2019-01-02"
    assert roads.open() == {"district_examination": "2019-01-09"}
    roads.at("2019-01-09T09:00")
    roads.examine()
    roads.post("district")
    roads.at("2019-01-16T23:59")
    assert roads.open() == {}
    roads.at("2019-01-17T09:00")
    roads.remove("district")
    assert roads.open() == {"decide": "2019-01-21"}
    roads.at("2019-01-21T09:00")
    assert roads.decide()["outcome"] == "ended_granted"
    found = roads.benefit()
    assert (found["amount_fen"], found["category"], found["members"], found["granted_on"], found["first_payment_month"], found["status"]) == (
        66_000, "dibao", 3, "2019-01-21", "2019-02", "pending_first_payment")  # fmt: skip
    assert roads.payable("2019-01", "2019-02", "2019-03") == [0, 66_000, 66_000]
    assert roads.letters() == ["acceptance", "approval"]
    assert "660.00元" in roads.letter("approval")
    roads.at("2019-02-01T00:01")
    assert roads.benefit()["status"] == "active"
    roads.proven()


def test_s2_one_notice_lists_every_gap_and_acceptance_is_the_day_of_completion(roads):
    home = roads.register(worker("2100.00"), wife(), child(), unsigned=(1,))
    roads.apply()
    assert roads.refused(403, "clerk", "completeness_check", outcome="complete")["rule"] == "authorization"
    assert "missing" in roads.refused(422, "clerk", "completeness_check", outcome="incomplete", missing=[])["errors"]
    roads.go("clerk", "completeness_check", outcome="incomplete", missing=["authorization", "income_proof"])
    assert (roads.open(), roads.facts("accepted_on"), roads.letters()) == ({"supplement": None}, None, ["supplement"])
    assert all(name in roads.letter("supplement") for name in ("核对授权书", "收入证明", "不会再要求其他新的材料"))
    roads.at("2018-12-05T09:00")
    assert roads.open() == {"supplement": None}, "no clock runs"
    roads.go("clerk", "supplement", received_on="2018-12-05", supplied=["income_proof"], documents=[roads.upload("收入证明.pdf", "income_proof")])
    assert "missing" in roads.refused(422, "clerk", "completeness_check", outcome="incomplete", missing=["authorization", "diagnosis"])["errors"]
    assert roads.refused(403, "clerk", "completeness_check", outcome="complete")["rule"] == "authorization"
    roads.at("2018-12-06T09:00")
    roads.authorise(1)
    roads.accept()
    assert (roads.facts("accepted_on"), roads.case()["household_id"]) == ("2018-12-06", home)
    assert roads.open()["home_survey"] == "2018-12-20"
    assert roads.letters() == ["supplement", "acceptance"]
    roads.proven()


@pytest.mark.parametrize(("disabled", "amount", "paid"), [(True, 27_600, "每月276.00元"), (False, 0, "不按月发放救助金")])
def test_s3_one_yuan_over_is_offered_as_low_income(roads, disabled, amount, paid):
    more = {"disability_kind": "limb", "disability_grade": 2} if disabled else {}
    home = roads.register(worker("2763.00"), wife(**more), child())
    roads.apply()
    roads.accept()
    roads.check()
    roads.survey()
    assert roads.facts("category", "per_capita", "amount_fen") == ("low_income", "921.00", amount)
    assert set(roads.open()) == {"low_income_consent"}, "nothing goes on without the applicant's consent"
    roads.consent()
    roads.review()
    roads.street()
    roads.post()
    roads.at("2018-12-11T09:00")
    roads.remove()
    roads.submit()
    roads.examine()
    roads.post("district")
    roads.at("2018-12-19T09:00")
    roads.remove("district")
    roads.decide()
    found = roads.benefit(home)
    assert (found["category"], found["amount_fen"], found["first_payment_month"]) == ("low_income", amount, "2019-01")
    assert paid in roads.letter("approval")
    roads.proven()


def test_s3_who_declines_low_income_is_refused_dibao_with_both_figures(roads):
    roads.register(worker("2763.00"), wife(), child())
    roads.apply()
    roads.accept()
    roads.check()
    roads.survey()
    roads.consent(yes=False)
    roads.review()
    assert "street_outcome" in roads.refused(422, "rita", "street_opinion", street_outcome="propose_grant", opinion="拟同意")["errors"]
    assert roads.refuse("income_over", "收入高于低保标准")["outcome"] == "ended_refused"
    assert "人均月收入921.00元，不低于低保标准920.00元" in roads.letter("refusal")
    assert roads.good("rita", "GET", f"/benefits?household_id={roads.home}")["items"] == []
    roads.proven()


def test_s3_exactly_the_standard_is_an_edge_and_marked_as_one(roads):
    roads.register(worker("2760.00"), wife(), child())
    roads.investigated()
    assert roads.facts("category", "per_capita", "amount_fen", "edge") == ("low_income", "920.00", 0, True)
    assert "edge" in roads.good("auditor", "POST", "/assessments", ROWS["5 (equal)"][0])["flags"]
    assert "edge" not in roads.good("auditor", "POST", "/assessments", ROWS["6 not"][0])["flags"]


def test_s4_what_the_check_found_is_rejected_and_an_objection_with_proof_reopens_it(roads):
    roads.register(person("张一", "head", "1969-03-01"), person("李二", "spouse", "1969-05-01", sex="female"), property=[{"kind": "monetary_assets", "amount_fen": "5000.00"}])
    HELD[roads.body["members"][0]["id_no"]] = [{"source": "deposits", "item": "balance", "value": "60000.00"}]
    roads.apply()
    roads.accept()
    task = roads.task("checker", roads.no, "means_check")
    assert "申报 5000.00，查得 60000.00，相差 55000.00" in str(roads.good("checker", "GET", f"/cases/{roads.no}/record"))
    assert task["due_on"] == "2018-12-17"
    roads.survey()
    roads.check("exceeds_standard", found_assets="60000.00")
    assert roads.facts("category") == "refused_property"
    assert set(roads.open()) == {"issue_check_rejection"}
    roads.go("rita", "issue_check_rejection", reasons="货币财产超过限额")
    roads.deliver("deliver_check_rejection")
    letter = roads.letter("check_rejection")
    assert all(words in letter for words in ("货币财产超过限额", "44160.00元", "重新调查"))
    assert "什么情况下结果会不同：家庭货币财产不超过44160.00元的，符合低保财产条件；本次为60000.00元，超出15840.00元。核对所列" in letter
    roads.at("2018-12-05T09:00")
    roads.send("clerk", "objection", objection_on="2018-12-05", objector_kind="applicant", grounds="其中 30000 元为亡父未分割遗产",
               evidence=[roads.upload("未分割遗产证明.pdf", "other")])  # fmt: skip
    assert set(roads.open()) == {"home_survey", "neighbor_enquiry"}
    roads.at("2018-12-05T09:05")
    assert roads.open() == dict.fromkeys(("home_survey", "neighbor_enquiry", "means_check"), "2018-12-19"), "the registries are asked again; a new clock"
    roads.check("inconsistent", found_assets="30000.00")
    roads.survey()
    assert roads.facts("category", "amount_fen", "per_capita") == ("dibao", 184_000, "0.00")
    assert roads.open() == {"democratic_review": "2018-12-12"}
    roads.proven()


def test_s6_one_investigator_alone_completes_no_survey(roads):
    roads.register(worker("2100.00"), wife(), child())
    roads.apply()
    roads.accept()
    roads.check()
    assert "second_investigator" in roads.refused(422, "ann", "home_survey", **roads.seen(second_investigator="ann"))["errors"]
    assert "second_investigator" in roads.refused(422, "ann", "home_survey", **{k: v for k, v in roads.seen().items() if k != "second_investigator"})["errors"]
    assert "surveyed_signature" in roads.refused(422, "ann", "home_survey", **roads.seen(surveyed_signature=None))["errors"]
    roads.go("ann", "home_survey", **roads.seen())
    roads.go("ann", "neighbor_enquiry", enquired_on=roads.today, persons="邻居", statement="困难属实")
    assert set(roads.open()) == {"survey_cosign"}, "the review does not begin"
    assert roads.refused(403, "ann", "survey_cosign", agree="agree")["rule"] == "two-investigators"
    assert roads.refused(403, "carl", "survey_cosign", agree="agree")["rule"] == "named-investigator"
    roads.go("bob", "survey_cosign", agree="agree")
    assert roads.open() == {"democratic_review": "2018-12-10"}
    roads.proven()


def test_s7_five_of_nine_are_too_few_and_six_are_exactly_two_thirds(roads):
    roads.register(worker("2100.00"), wife(), child())
    roads.investigated()
    five = ("resident_representative",) * 5 + ("street_staff", "party_or_committee", "party_or_committee", "party_member")
    told = roads.refused(422, "officer", "democratic_review", **roads.minutes(*five))
    assert "不足三分之二" in str(told["errors"]["participants"])
    roads.go("officer", "democratic_review", **roads.minutes(*five[:-1], "resident_representative"))
    assert set(roads.open()) == {"street_opinion"}
    roads.proven()


def test_s9_an_objection_on_the_third_day_is_looked_into_and_the_notice_hangs_again(roads):
    roads.register(worker("2100.00"), wife(), child())
    roads.investigated()
    roads.review()
    roads.street()
    roads.post()
    roads.at("2018-12-06T09:00")
    roads.send("clerk", "objection", objection_on="2018-12-06", objector_kind="resident", objector_name="邻居", grounds="有未申报的店铺")
    assert roads.open() == {"street_reinvestigate": "2018-12-20"}
    assert roads.bad(404, "stranger", "POST", f"/cases/{roads.no}/messages/objection", {})["code"] == 404
    roads.at("2018-12-07T09:00")
    roads.go("carl", "street_reinvestigate", investigated_on="2018-12-07", findings="店铺为堂兄所有", upheld=False, figures_changed=False)
    roads.post()
    roads.at("2018-12-11T00:30")
    assert roads.open() == {}, "the first notice would be over; the second is not"
    roads.at("2018-12-14T23:59")
    assert roads.open() == {}
    roads.at("2018-12-15T00:01")
    assert set(roads.open()) == {"remove_street_notice"}
    roads.remove()
    roads.go("rita", "submit_to_district", contents=["application", "survey", "review", "opinion"])
    assert set(roads.open()) == {"spot_check_visit"}, "what others complained of is visited, whatever is drawn"
    assert roads.facts("spot_reason").startswith("reported")
    roads.proven()


def test_s9_where_the_shop_is_the_household_s_own_the_investigation_begins_again(roads):
    roads.register(worker("2100.00"), wife(), child())
    roads.investigated()
    roads.review()
    roads.street()
    roads.post()
    roads.at("2018-12-06T09:00")
    roads.send("vera", "objection", objection_on="2018-12-06", objector_kind="resident", grounds="有未申报的店铺")
    roads.at("2018-12-07T09:00")
    roads.go("carl", "street_reinvestigate", investigated_on="2018-12-07", findings="店铺为本户所有，每月净收入 300 元", upheld=True, figures_changed=True)
    shop = [{"kind": "business_net_income", "amount_fen": "300.00", "period": "month"}]
    roads.good("clerk", "PUT", f"/households/{roads.home}/members/{roads.members[1]}/income", {"income": shop})
    roads.bureau.jobs.run_all()
    assert roads.open() == dict.fromkeys(("means_check", "home_survey", "neighbor_enquiry"), "2018-12-21"), "a clock of its own"
    roads.check("inconsistent")
    roads.survey()
    assert roads.facts("category", "per_capita", "amount_fen") == ("dibao", "800.00", 36_000)
    assert roads.open() == {"democratic_review": "2018-12-14"}
    roads.review()
    roads.street()
    roads.post()
    [notice] = roads.good(None, "GET", f"/notices?unit={COMMUNITY}")["items"]  # the disputed one hangs no longer
    assert (notice["posted_on"], notice["until_on"], notice["amount_fen"]) == ("2018-12-07", "2018-12-15", 36_000)
    roads.at("2018-12-15T00:01")
    assert set(roads.open()) == {"remove_street_notice"}
    roads.proven()


@pytest.mark.parametrize("upheld", [False, True])
def test_s10_an_objection_in_the_district_notice_has_twenty_working_days(roads, upheld):
    roads.register(worker("2100.00"), wife(), child())
    roads.clock.set("2019-01-04T09:00")
    roads.investigated()
    roads.review()
    roads.street()
    roads.post()
    roads.at("2019-01-14T09:00")
    roads.remove()
    roads.submit()
    roads.examine()
    roads.post("district")
    roads.at("2019-01-21T09:00")
    roads.send("exam", "objection", objection_on="2019-01-21", objector_kind="resident", grounds="家中有车")
    assert roads.open() == {"district_recheck": "2019-02-21"}
    roads.at("2019-02-20T09:00")
    if upheld:
        reason = {"reason_code": "property_over", "clause": "民发〔2012〕220号第四条"}
        roads.go("exam", "district_recheck", district_outcome="propose_refuse", findings="属实，有车", **reason)
        assert "post_district_notice" not in roads.open(), "nothing is published of a refusal"
        roads.late_visit()
        assert roads.open() == {"decide_refusal": "2019-02-27"}, "five working days from the re-check, not from the submission"
        roads.go("app", "decide_refusal", decision="refused", opinion="有车", **reason)
        assert set(roads.open()) == {"deliver_refusal"}
        assert roads.deliver("deliver_refusal")["outcome"] == "ended_refused"
    else:
        roads.go("exam", "district_recheck", district_outcome="propose_grant", findings="查无此车")
        roads.post("district")
        roads.at("2019-02-27T23:59")
        assert roads.open() == {}
        roads.at("2019-02-28T09:00")
        roads.remove("district")
        roads.late_visit()
        assert roads.open() == {"decide": "2019-03-04"}
        roads.decide()
        assert roads.benefit()["first_payment_month"] == "2019-03"
    roads.proven()


def test_s11_a_refusal_is_delivered_within_three_days_and_names_the_remedies(roads):
    """The letter says where and how long, its delivery is proved, and the appeal itself is recorded: asked for on 2019-03-20, decided within
    60 days of its acceptance, and a lawsuit within 15 days after it."""
    roads.register(worker("6000.00"), wife(), child())
    roads.clock.set("2019-01-08T09:00")
    roads.investigated()
    assert roads.facts("category", "per_capita") == ("refused_income", "2000.00")
    roads.review()
    reason = {"reason_code": "income_over", "clause": "民发〔2012〕220号第四条"}
    roads.street("propose_refuse", **reason)
    roads.at("2019-01-14T09:00")
    roads.submit("application", "survey", "opinion")
    roads.examine("propose_refuse", **reason)
    assert roads.open() == {"decide_refusal": "2019-01-21"}
    roads.at("2019-01-21T09:00")
    roads.go("app", "decide_refusal", decision="refused", opinion="收入高于标准", **reason)
    assert roads.facts("decided_on") == "2019-01-21"
    assert roads.open() == {"deliver_refusal": "2019-01-24"}
    said = roads.letter("refusal")
    assert all(words in said for words in ("2000.00元", "1380.00元", "60日内向滨海新区人民政府", "申请行政复议", "6个月内向人民法院提起行政诉讼"))
    roads.at("2019-01-24T09:00")
    assert "delivered_on" in roads.refused(422, "clerk", "deliver_refusal", delivered_on="2019-01-20", method="direct", recipient="户主",
                                           receipt_document=roads.page)["errors"]  # fmt: skip
    assert roads.deliver("deliver_refusal")["outcome"] == "ended_refused"
    [row] = [row for row in roads.good("clerk", "GET", f"/cases/{roads.no}/letters")["items"] if row["kind"] == "refusal"]
    assert (row["delivered_on"], row["review_until"], row["suit_until"]) == ("2019-01-24", "2019-03-25", "2019-07-24")
    lodge = f"/letters/{row['id']}/appeals"
    said = {"kind": "review", "body": "district_government", "lodged_by": "张一（本人）", "grounds": "工资认定有误", "document": roads.page}
    roads.at("2019-07-25T09:00")
    late = roads.bad(403, "exam", "POST", lodge, said | {"lodged_on": "2019-03-26"})
    assert (late["rule"], "2019-03-25" in late["message"]) == ("appeal-late", True)
    late = roads.bad(403, "exam", "POST", lodge, said | {"kind": "suit", "body": "court", "lodged_on": "2019-07-25"})
    assert (late["rule"], "2019-07-24" in late["message"]) == ("appeal-late", True)
    one = f"/appeals/{roads.good('exam', 'POST', lodge, said | {'lodged_on': '2019-03-20'})['appeal']}"
    assert roads.good("sue", "GET", one)["waits_until"] == "2019-03-27"
    roads.good("exam", "POST", f"{one}/accept", {"accepted_on": "2019-03-25"})
    assert roads.good("auditor", "GET", "/appeals?state=open")["items"][0]["due_on"] == "2019-05-24"
    ended = {"outcome": "maintained", "decided_on": "2019-05-24", "received_on": "2019-05-27", "decision_no": "津滨政复〔2019〕8号", "summary": "事实清楚"}
    roads.good("exam", "POST", f"{one}/outcome", ended)
    told = roads.good("sue", "GET", one)
    assert (told["state"], told["follow"], told["suit_until"]) == ("maintained", None, "2019-06-11")
    late = roads.bad(403, "exam", "POST", lodge, said | {"kind": "suit", "body": "court", "lodged_on": "2019-06-12"})
    assert (late["rule"], "2019-06-11" in late["message"]) == ("appeal-late", True)
    roads.good("exam", "POST", lodge, said | {"kind": "suit", "body": "court", "lodged_on": "2019-06-11"})
    roads.proven()


def test_s34_the_same_person_is_not_registered_in_a_second_street(roads):
    roads.register(worker("2100.00"), wife(), child())
    first = roads.apply()
    body = roads.body
    same = {**body, "community": "120116005001", "members": [body["members"][0]]}
    told = roads.bad(403, "stranger", "POST", "/households", same)
    assert (told["rule"], roads.good("clerk", "GET", f"/households/{roads.home}")["no"] in told["message"]) == ("one-household", True)
    assert "塘沽街道的家庭" in told["message"]
    assert f"在办个案 {first}" in told["message"]
    assert roads.good("stranger", "POST", "/households/search", {"id_no": body["members"][0]["id_no"]})["total"] == 0, "of another street nothing else is shown"
    answers = {"household_id": roads.home, "programme": "dibao", "applied_on": roads.today, "applied_by": "head", "reason": "收入低"}
    again = roads.bad(403, "clerk2", "POST", "/cases", {"process": "dibao-2012", "answers": answers})
    assert (again["rule"], first in again["message"]) == ("open_case", True)
    assert roads.bad(403, "stranger", "POST", "/cases", {"process": "dibao-2012", "answers": answers})["rule"] == "unit"


def test_rows_1_to_20_of_domain_3_9_in_full_through_assessments(roads):
    """Each member's income and the property item by item; nothing is stored."""
    wanted = {name: told for name, (_, told) in ROWS.items() if int(name.split()[0]) <= 20}
    assert len(wanted) == 19
    roads.token("auditor")
    heads = roads.heads()
    came = {name: roads.good("auditor", "POST", "/assessments", ROWS[name][0]) for name in wanted}
    assert {name: (told["per_capita"], told["category"], told["amount"]) for name, told in came.items()} == wanted
    assert all(int(told["amount"].replace(".", "")) == told["amount_fen"] and told["lines"] for told in came.values())
    assert "1845.00" in str(came["3"]["lines"])
    assert "44160.01" in str(came["13"]["lines"])
    assert roads.heads() == heads


# -- reports of changes: change-report-2012


def test_s12_a_death_reported_in_time_pays_1840_from_february(roads):
    roads.clock.set("2018-10-08T09:00")
    home = roads.register(*elders("", "1500.00", ""))
    roads.granted(home)
    roads.stable()
    head, dead, kid = roads.members
    assert (roads.today, roads.payable("2018-10", "2018-11", "2019-01")) == ("2018-11-01", [0, 126_000, 126_000])
    roads.at("2019-01-08T10:00")
    no = roads.report("death", "2018-12-28", person_id=dead)
    assert roads.open() == {"register_change": "2019-01-15"}
    said = {"evidence_outcome": "complete", "leaves": [{"person_id": dead, "left_on": "2018-12-28", "left_reason": "death"}]}
    assert "leaves" in roads.refused(422, "clerk", "register_change", evidence_outcome="complete")["errors"]
    roads.go("clerk", "register_change", **said)
    roads.looked_into()
    assert roads.facts("late", "members_counted", "amount_fen") == (False, 2, 184_000)
    assert roads.concluded("increase", "member_changed")["outcome"] == "ended_changed"
    assert roads.payable("2018-12", "2019-01", "2019-02", "2019-03") == [126_000, 126_000, 184_000, 184_000]
    found = roads.benefit()
    assert {one["person_id"] for one in found["members_counted"]} == {head, kid}, "the dead person's share stops"
    assert (found["members"], found["status"], found["exit_class"], found["settlements"]) == (2, "active", None, [])
    last = found["adjustments"][-1]
    assert (last["kind"], last["before_fen"], last["after_fen"], last["before_members"], last["after_members"], last["from_month"], last["case_no"]) == (
        "increase", 126_000, 184_000, 3, 2, "2019-02", no)  # fmt: skip
    assert [m["person_id"] for m in roads.good("clerk", "GET", f"/households/{home}")["members"]] == [head, kid]
    assert roads.letters() == ["report_receipt", "adjustment"]
    assert "1840.00元" in roads.letter("adjustment")
    roads.proven()


def test_s12_when_the_holder_died_somebody_else_becomes_the_holder(roads):
    roads.clock.set("2018-10-08T09:00")
    roads.register(*elders("1500.00", "", ""))
    roads.granted(roads.home)
    roads.stable()
    dead, spouse, kid = roads.members
    roads.at("2019-01-08T10:00")
    roads.report("death", "2018-12-28", person_id=dead)
    leaves = [{"person_id": dead, "left_on": "2018-12-28", "left_reason": "death"}]
    for wrong in (None, dead, 1):
        more = {"new_holder": wrong} if wrong else {}
        assert roads.refused(422, "clerk", "register_change", evidence_outcome="complete", leaves=leaves, **more)["errors"].keys() == {"new_holder"}
    roads.go("clerk", "register_change", evidence_outcome="complete", leaves=leaves, new_holder=spouse)
    roads.looked_into()
    roads.concluded("increase", "member_changed")
    found, house = roads.benefit(), roads.good("clerk", "GET", f"/households/{roads.home}")
    assert [a["kind"] for a in found["adjustments"]] == ["grant", "keep", "increase", "holder"]
    assert [(m["person_id"], m["relation"]) for m in house["members"]] == [(spouse, "head"), (kid, "child")]
    assert roads.payable("2019-01", "2019-02") == [126_000, 184_000]
    assert (found["status"], found["exit_class"], found["members"]) == ("active", None, 2)
    roads.proven()


def job_in_mid_period(roads: Roads, *, reported_by: str = "household", channel: str = "window", **last: object) -> None:
    """A household of 1200 yuan; the wife earns 2300 since 2018-12-10."""
    roads.clock.set("2018-10-08T09:00")
    roads.register(*elders("1200.00", "", "", **last))
    roads.granted(roads.home)
    roads.stable()
    earner = roads.members[1]
    roads.at("2018-12-12T10:00")
    roads.report("job_start", "2018-12-10", person_id=earner, reported_by=reported_by, channel=channel)
    roads.go("clerk", "register_change", evidence_outcome="complete", persons=[{"person_id": earner, "employment": "employed"}],
             incomes=[{"person_id": earner, "kind": "wage_income", "amount_fen": "2300.00", "period": "month"}])  # fmt: skip
    roads.at("2018-12-18T10:00")
    roads.looked_into()
    assert roads.facts("per_capita") == "1166.67"


@pytest.mark.parametrize(("reported_by", "channel", "exit_class", "letters"), [
    ("household", "window", "voluntary", ["report_receipt", "stop"]), ("public", "phone", "reported", ["stop"])])  # fmt: skip
def test_s14_a_job_in_mid_period_stops_dibao_from_january(roads, reported_by, channel, exit_class, letters):
    job_in_mid_period(roads, reported_by=reported_by, channel=channel)
    assert roads.facts("category", "amount_fen") == ("low_income", 0)
    keep = {"conclusion": "keep", "reason_code": "unchanged", "opinion": "维持"}
    assert roads.refused(422, "rita", "street_opinion", **keep)["errors"]
    for reason in ("voluntary", "death_single", "imprisoned", "moved_out_district", "no_cooperation"):
        said = {"conclusion": "stop", "reason_code": reason, "opinion": "停发", "clause": "第三十二条"}
        assert roads.refused(403, "rita", "street_opinion", **said)["rule"] == "reason-without-fact"
    assert roads.concluded("stop", "income_over")["outcome"] == "ended_stopped"
    assert roads.payable("2018-11", "2018-12", "2019-01") == [156_000, 156_000, 0]
    found = roads.benefit()
    assert (found["exit_class"], found["exit_reason"], found["stopped_from"], found["settlements"]) == (exit_class, "income_over", "2019-01", [])
    assert roads.letters() == letters, "nobody is told of a tip by a receipt"
    assert "低于2760.00元（低保标准920.00元×3人）的，符合低保收入条件；本次为3500.00元，至少高出740.01元" in roads.letter("stop")
    roads.at("2019-01-01T00:01")
    assert roads.benefit()["status"] == "closed"
    roads.proven()


def test_s14_with_a_hardship_it_goes_on_as_low_income_with_276_yuan(roads):
    job_in_mid_period(roads, disability_kind="limb", disability_grade=2)
    assert roads.facts("category", "amount_fen") == ("low_income", 27_600)
    said = {"conclusion": "convert", "reason_code": "converted", "opinion": "转为低收入", "clause": "津民发〔2012〕"}
    assert roads.refused(422, "rita", "street_opinion", **said)["errors"].keys() == {"convert_consent"}
    assert roads.concluded("convert", "converted", convert_consent=True)["outcome"] == "ended_changed"
    assert roads.payable("2018-12", "2019-01") == [156_000, 27_600]
    found = roads.benefit()
    assert (found["category"], found["status"], found["exit_class"]) == ("low_income", "active", None)
    roads.proven()


def test_s22_a_son_marries_and_leaves_and_the_couple_applies_on_its_own(roads):
    roads.clock.set("2018-10-08T09:00")
    home = roads.register(*elders("2000.00", "", "", "1000.00"))
    roads.granted(home)
    roads.stable()
    son, number = roads.members[3], roads.body["members"][3]["id_no"]
    assert roads.payable("2018-12") == [68_000]
    roads.at("2018-12-12T10:00")
    first = roads.report("marriage", "2018-12-08", person_id=son)
    roads.go("clerk", "register_change", evidence_outcome="complete", leaves=[{"person_id": son, "left_on": "2018-12-08", "left_reason": "marriage"}])
    couple = roads.written(person("赵四", "head", "1974-03-01", "1000.00"), person("王五", "spouse", "1976-03-01", sex="female"), address="新婚路2号")
    couple["members"][0]["id_no"] = number
    assert roads.bad(403, "clerk", "POST", "/households", couple)["rule"] == "one-benefit", "he still counts where he came from"
    roads.looked_into()
    assert roads.facts("members_counted", "amount_fen") == (3, 76_000)
    roads.concluded("increase", "member_changed")
    assert roads.payable("2018-12", "2019-01") == [68_000, 76_000]
    found = roads.benefit(home)
    assert (found["members"], len(found["members_counted"]), found["status"], found["exit_class"]) == (3, 3, "active", None)
    roads.proven(first)
    roads.take(couple)
    roads.investigated()
    assert roads.facts("members_counted", "category", "amount_fen") == (2, "dibao", 84_000), "(920 x 2 - 1000)"
    assert roads.good("rita", "GET", f"/benefits?household_id={roads.home}")["items"] == [], "nothing is given before it is decided"
    roads.proven()


# -- special cases: joint-meeting


def asks_for_the_meeting(hall: Roads, *people: dict, trigger: str, facts: str, wish: str, **more: object) -> int:
    """A household up to the street's request; the request's number."""
    hall.register(*people, **more)
    hall.investigated()
    hall.review()
    assert hall.refused(422, "rita", "street_opinion", street_outcome="joint_meeting", opinion="提交研究")["errors"].keys() == {"trigger", "special_facts", "wish"}
    hall.go("rita", "street_opinion", street_outcome="joint_meeting", opinion="提交研究", trigger=trigger, special_facts=facts, wish=wish)
    assert hall.open() == {}, "the case waits"
    [asked] = [one for one in hall.good("secretary", "GET", "/special-case-requests")["items"] if one["case_no"] == hall.no]
    return int(asked["id"])


def opened_meeting(hall: Roads, asked: int, on: str = "2018-12-14", again: dict | None = None, **more: object) -> str:
    """Convened, screened, its agenda approved; opened on that day. `again`: why a case that was studied before is studied again."""
    body = {"kind": "case", "planned_on": on, "place": "区民政局三楼", "requests": [asked], "units": [CODE[key] for key in SMALL], **(again or {})}
    lx = hall.good("secretary", "POST", "/meetings", body)["case"]
    hall.do("secretary", lx, "screen_agenda", items=[{"position": 1, "admitted": True, "presenter": "街道民政办"}])
    hall.do("convener", lx, "approve_agenda", agenda_outcome="approve")
    hall.at(f"{on}T09:30")
    hall.do("secretary", lx, "open_meeting", opening="open", held_on=on, members=[{"unit": CODE[key], "present": True} for key in SMALL], **more)
    return lx


def all_vote(hall: Roads, lx: str, choice: str, **differ: str) -> dict:
    """Civil affairs last. The sum of the item."""
    for key in [*(k for k in SMALL if k != "civil_affairs"), "civil_affairs"]:
        hall.good(f"m.{key}", "POST", f"/meetings/{lx}/items/1/votes", {"choice": differ.get(key, choice)})
    return hall.good("secretary", "GET", f"/meetings/{lx}")["items"][0]["sum"]


def issued(hall: Roads, lx: str) -> str:
    """The minutes, as all units confirmed them and the convener issued them."""
    hall.do("secretary", lx, "draft_minutes")
    for key in SMALL:
        hall.good(f"m.{key}", "POST", f"/meetings/{lx}/confirmations", {"unit": CODE[key], "agrees": True})
    hall.do("convener", lx, "issue_minutes")
    assert hall.good("secretary", "GET", f"/meetings/{lx}")["status"] == "issued"
    return hall.call("m.health", "GET", f"/meetings/{lx}/minutes").get_data(as_text=True).replace(",", "")


def test_s18_a_special_case_is_approved_as_low_income_with_further_help(hall):
    hall.clock.set("2018-12-05T09:00")
    asked = asks_for_the_meeting(hall, person("张一", "head", "1971-03-01", "1890.00"), person("李二", "spouse", "1972-03-01", sex="female"),
                                 trigger="income_slightly_over", facts="肾衰竭，每年自付费用八万元", wish="纳入低收入")  # fmt: skip
    no = hall.no
    [row] = hall.good("rita", "GET", "/special-case-requests")["items"]
    assert hall.facts("per_capita", "members_counted", "category") == ("945.00", 2, "low_income")
    assert (row["submitted_on"], row["due_on"], row["ordinary_category"], row["ordinary_fen"]) == ("2018-12-05", "2018-12-19", "low_income", 0)
    hall.at("2018-12-10T09:00")
    lx = opened_meeting(hall, asked, guests=[{"name": "某医保", "office": "区医疗保障局筹备组"}])
    counted = all_vote(hall, lx, "for")
    assert {k: counted[k] for k in ("expected", "required", "quorum", "votes_for", "needed", "passed")} == {
        "expected": 5, "required": 4, "quorum": True, "votes_for": 5, "needed": 3, "passed": True}  # fmt: skip
    hall.good("convener", "POST", f"/meetings/{lx}/announce", {
        "item": 1, "announced": "approve_as", "approved_category": "low_income", "reasons": "刚性支出过重", "review_on": "2019-06-14",
        "measures": [{"kind": "temporary_assistance", "amount": "2760.00", "by_whom": "街道"}, {"kind": "charity", "by_whom": "区慈善协会"}]})  # fmt: skip
    [item] = hall.good("secretary", "GET", f"/meetings/{lx}")["items"]
    assert (item["resolution"], item["approved_category"], item["announced_on"], item["review_on"]) == ("approve_as", "low_income", "2018-12-14", "2019-06-14")
    assert [(m["kind"], m["amount_fen"]) for m in item["measures"]] == [("temporary_assistance", 276_000), ("charity", None)]
    minutes = issued(hall, lx)
    assert all(words in minutes for words in ("应到成员单位 5 个，实到 5 个，法定人数 4 个", "每月276.00元", "临时救助2760.00元", "区慈善协会"))
    assert hall.good("secretary", "GET", "/special-case-requests")["total"] == 0
    assert set(hall.open()) == {"street_opinion"}, "the case goes on where it left"
    assert hall.facts("category", "amount_fen", "resolution", "resolved_on") == ("low_income", 27_600, "approve_as", "2018-12-14")
    hall.street()
    hall.post()
    hall.at("2018-12-24T09:00")
    hall.remove()
    hall.submit()
    hall.examine()
    hall.post("district")
    hall.at("2019-01-02T09:00")
    hall.remove("district")
    hall.decide()
    found = hall.benefit()
    assert (found["category"], found["amount_fen"], found["first_payment_month"]) == ("low_income", 27_600, "2019-02")
    hall.proven(no, lx)


def test_s19_a_special_case_is_refused_and_the_household_hears_by_the_ordinary_letter(hall):
    hall.clock.set("2018-12-05T09:00")
    asked = asks_for_the_meeting(hall, person("张一", "head", "1971-03-01", "1500.00"), person("李二", "spouse", "1972-03-01", sex="female"),
                                 property=[{"kind": "dwelling"}, {"kind": "dwelling"}], trigger="property_technical", facts="两套住房无法出售", wish="纳入低保")  # fmt: skip
    no = hall.no
    assert hall.facts("category", "amount_fen") == ("refused_dwelling", 0)
    lx = opened_meeting(hall, asked)
    counted = all_vote(hall, lx, "against", finance="abstain")
    assert (counted["votes_for"], counted["votes_against"], counted["abstain"], counted["passed"]) == (0, 4, 1, False)
    approve = {"item": 1, "announced": "approve_as", "approved_category": "dibao", "reasons": "研究"}
    assert hall.bad(403, "convener", "POST", f"/meetings/{lx}/announce", approve)["rule"] == "not-passed"
    hall.good("convener", "POST", f"/meetings/{lx}/announce", {"item": 1, "announced": "refuse", "reasons": "两套住房"})
    issued(hall, lx)
    assert hall.facts("resolution", "amount_fen") == ("refuse", 0)
    assert hall.letters() == ["acceptance"], "minutes are no notice to the household"
    assert "street_outcome" in hall.refused(422, "rita", "street_opinion", street_outcome="propose_grant", opinion="拟同意")["errors"]
    assert hall.refuse("property_over", "两套住房，联席会议不同意")["outcome"] == "ended_refused"
    assert hall.letters() == ["acceptance", "refusal"]
    said = hall.letter("refusal")
    assert all(words in said for words in ("两套以上住房", "60日内向滨海新区人民政府", "6个月内向人民法院"))
    assert lx not in said
    hall.proven(no, lx)


def kidney(hall: Roads) -> int:
    """945.00 a head, asked for at the street on 2018-12-05; the request's number."""
    hall.clock.set("2018-12-05T09:00")
    return asks_for_the_meeting(hall, person("张一", "head", "1971-03-01", "1890.00"), person("李二", "spouse", "1972-03-01", sex="female"),
                                trigger="income_slightly_over", facts="肾衰竭", wish="纳入低保")  # fmt: skip


def announced(hall: Roads, lx: str, what: str, **more: object) -> None:
    hall.good("convener", "POST", f"/meetings/{lx}/announce", {"item": 1, "announced": what, "reasons": "集体研究", **more})


def test_what_the_meeting_neither_approves_nor_refuses_leads_where_it_says(hall):
    asked = kidney(hall)
    lx = opened_meeting(hall, asked)
    all_vote(hall, lx, "against")
    announced(hall, lx, "defer")
    assert hall.open() == {}, "it goes on waiting"
    [row] = hall.good("secretary", "GET", "/special-case-requests")["items"]
    assert (row["id"], row["due_on"], row["studied_before"]) == (asked, "2018-12-19", True)
    lx = opened_meeting(hall, asked, "2018-12-18", {"again_reason": "材料已补齐"})
    hall.good("secretary", "POST", f"/meetings/{lx}/items/1/ballots", {"motion": "return_for_investigation", "reason": "改为补充调查"})
    all_vote(hall, lx, "for")
    announced(hall, lx, "return_for_investigation")
    assert hall.open() == dict.fromkeys(("home_survey", "neighbor_enquiry"), "2019-01-02"), "ten working days: 12-19 to 21, 12-24 to 29 (29 makes up), 01-02"
    assert hall.facts("category", "resolution", "low_income_consent") == (None, None, None), "found anew, asked anew"
    hall.survey()
    hall.check()
    assert hall.facts("category", "per_capita") == ("low_income", "945.00")
    hall.consent()
    hall.review()
    hall.go("rita", "street_opinion", street_outcome="joint_meeting", opinion="再提交", trigger="multi_department", special_facts="肾衰竭", wish="转介")
    [row] = hall.good("secretary", "GET", "/special-case-requests")["items"]
    assert (row["due_on"], row["ordinary_category"]) == ("2019-01-02", "low_income")
    lx = opened_meeting(hall, row["id"], "2018-12-20", {"again_reason": "补充调查完毕"})
    hall.good("secretary", "POST", f"/meetings/{lx}/items/1/ballots", {"motion": "refer", "reason": "改为转介"})
    all_vote(hall, lx, "for")
    announced(hall, lx, "refer", referred_to="区残联")
    assert (hall.open(), hall.facts("category", "resolution")) == ({"street_opinion": None}, ("low_income", "refer"))
    hall.street()
    hall.proven(hall.no, lx)


def test_an_amount_that_the_meeting_fixed_is_given_in_its_months_only(hall):
    """Approved in January it is paid from February: fixed until January it would be given by nobody's resolution."""
    lx = opened_meeting(hall, kidney(hall))
    all_vote(hall, lx, "for")
    fixed = {"item": 1, "announced": "approve_as", "approved_category": "dibao", "fixed_amount": "300.00", "reasons": "集体研究"}
    assert hall.bad(422, "convener", "POST", f"/meetings/{lx}/announce", fixed | {"fixed_until": "2018-12"})["errors"].keys() == {"fixed_until"}
    hall.good("convener", "POST", f"/meetings/{lx}/announce", fixed | {"fixed_until": "2019-01"})
    hall.street()
    hall.post()
    hall.at("2018-12-24T09:00")
    hall.remove()
    hall.submit()
    hall.examine()
    hall.post("district")
    hall.at("2019-01-02T09:00")
    hall.remove("district")
    hall.late_visit()
    assert hall.refused(403, "app", "decide", decision="granted", opinion="批准")["rule"] == "resolution-outlived"
    hall.go("app", "decide", decision="returned", opinion="再提交研究", reason_code="facts_unclear", clause="会议纪要")
    hall.go("exam", "district_examination", district_outcome="joint_meeting", opinion="再提交研究", trigger="income_slightly_over", special_facts="肾衰竭", wish="延长")
    [row] = hall.good("secretary", "GET", "/special-case-requests")["items"]
    assert (row["due_on"], row["ordinary_category"], row["ordinary_fen"]) == ("2019-01-16", "low_income", 0), "300.00 is the meeting's, no result of the arithmetic"
    lx = opened_meeting(hall, row["id"], "2019-01-08", {"again_reason": "金额执行期已过"})
    all_vote(hall, lx, "for")
    computed = {name: value for name, value in fixed.items() if name != "fixed_amount"}
    assert hall.bad(422, "convener", "POST", f"/meetings/{lx}/announce", computed)["errors"].keys() == {"fixed_amount"}
    hall.good("convener", "POST", f"/meetings/{lx}/announce", fixed | {"fixed_amount": "250.00", "fixed_until": "2019-06"})
    assert hall.open() == {"district_examination": "2019-01-15"}
    hall.examine()
    hall.post("district")
    hall.at("2019-01-16T09:00")
    hall.remove("district")
    hall.decide()
    found = hall.benefit()
    assert (found["category"], found["amount_fen"], found["first_payment_month"]) == ("dibao", 25_000, "2019-02")
    hall.proven(hall.no, lx)


def test_what_a_later_meeting_does_not_approve_again_is_not_granted(hall):
    lx = opened_meeting(hall, kidney(hall))
    all_vote(hall, lx, "for")
    announced(hall, lx, "approve_as", approved_category="dibao", fixed_amount="300.00", fixed_until="2019-06")
    hall.go("rita", "street_opinion", street_outcome="joint_meeting", opinion="再提交", trigger="contested", special_facts="邻里反映", wish="再研究")
    [row] = hall.good("secretary", "GET", "/special-case-requests")["items"]
    lx = opened_meeting(hall, row["id"], "2018-12-18", {"again_reason": "有新情况"})
    all_vote(hall, lx, "against")
    announced(hall, lx, "refuse")
    assert hall.facts("category", "amount_fen", "resolution") == ("dibao", 30_000, "refuse"), "what the first one approved"
    assert hall.refused(403, "rita", "street_opinion", street_outcome="propose_grant", opinion="拟同意")["rule"] == "resolution-overruled"
    hall.go("rita", "street_opinion", street_outcome="return_survey", opinion="重新测算", reason_code="facts_unclear", clause="会议纪要")
    hall.bureau.jobs.run_all()
    hall.survey()
    hall.check()
    hall.consent()
    hall.review()
    hall.street()
    assert hall.facts("category", "amount_fen", "resolution") == ("low_income", 0, None)
    hall.proven(hall.no, lx)


def test_a_report_goes_to_a_meeting_and_on_from_where_it_left(hall):
    """Like S18, from another process: what makes an end of dibao becomes 276 yuan by the meeting's resolution."""
    hall.clock.set("2018-10-08T09:00")
    home = hall.register(person("张一", "head", "1971-03-01", "1000.00"), person("李二", "spouse", "1972-03-01", sex="female"))
    hall.granted(home)
    hall.stable()
    assert hall.payable("2018-12") == [84_000]
    hall.at("2018-12-05T09:00")
    no = hall.report("income_up", "2018-12-03", person_id=hall.members[0])
    hall.go("clerk", "register_change", evidence_outcome="complete", check_home=True,
            incomes=[{"person_id": hall.members[0], "kind": "transfer_income", "amount_fen": "1890.00", "period": "month"}])  # fmt: skip
    hall.looked_into()
    assert hall.facts("category", "per_capita", "amount_fen") == ("low_income", "945.00", 0)
    hall.go("rita", "street_opinion", conclusion="joint_meeting", opinion="提交研究", trigger="income_slightly_over", special_facts="肾衰竭，自付八万元", wish="转为低收入")
    assert hall.open() == {}
    [asked] = hall.good("secretary", "GET", "/special-case-requests")["items"]
    assert (asked["case_no"], asked["process"], asked["due_on"]) == (no, "change-report-2012", "2018-12-19")
    lx = opened_meeting(hall, asked["id"])
    all_vote(hall, lx, "for", health="against")
    hall.good("convener", "POST", f"/meetings/{lx}/announce", {"item": 1, "announced": "approve_as", "approved_category": "low_income", "reasons": "刚性支出过重"})
    assert set(hall.open()) == {"street_opinion"}
    assert hall.facts("category", "amount_fen", "resolution") == ("low_income", 27_600, "approve_as")
    assert hall.concluded("convert", "converted", convert_consent=True)["outcome"] == "ended_changed"
    assert hall.payable("2018-12", "2019-01") == [84_000, 27_600]
    hall.proven(no, lx)


def test_a_report_that_nobody_surveyed_goes_to_no_meeting(hall):
    """The meeting takes no case without a finished investigation; it would wait there for ever."""
    hall.clock.set("2018-10-08T09:00")
    hall.register(person("张一", "head", "1971-03-01", "1000.00"), person("李二", "spouse", "1972-03-01", sex="female"))
    hall.granted(hall.home)
    hall.stable()
    hall.at("2018-12-05T09:00")
    hall.report("income_up", "2018-12-03", person_id=hall.members[0])
    hall.go("clerk", "register_change", evidence_outcome="complete",
            incomes=[{"person_id": hall.members[0], "kind": "transfer_income", "amount_fen": "1890.00", "period": "month"}])  # fmt: skip
    hall.looked_into()
    said = {"conclusion": "joint_meeting", "opinion": "提交研究", "trigger": "income_slightly_over", "special_facts": "肾衰竭", "wish": "转为低收入"}
    assert "conclusion" in hall.refused(422, "rita", "street_opinion", **said)["errors"]
    hall.go("rita", "street_opinion", conclusion="return_survey", opinion="先入户")
    assert "home_survey" in hall.open()


# -- time


def test_s32_the_spring_festival_moves_working_days_and_no_calendar_days(roads):
    roads.clock.set("2019-01-25T09:00")
    roads.register(worker("2100.00"), wife(), child())
    roads.apply()
    roads.accept()
    assert (roads.facts("accepted_on"), roads.open()["home_survey"]) == ("2019-01-25", "2019-02-13")
    deadline = roads.good("ann", "GET", f"/tasks/{roads.task('ann', roads.no, 'home_survey')['id']}")["deadline"]
    assert (deadline["start"], deadline["n"], deadline["unit"], deadline["end"], deadline["workdays_left"]) == ("2019-01-25", 10, "workdays", "2019-02-13", 10)
    counted = roads.good("ann", "GET", "/calendar?month=2019-02&since=2019-01-25&workdays=10")
    days = {day["day"]: day["kind"] for day in counted["days"]}
    assert (counted["counted"]["last"], counted["counted"]["provisional"]) == ("2019-02-13", False)
    assert {days[f"2019-02-{n:02d}"] for n in range(4, 11)} == {"holiday"}
    assert (days["2019-02-02"], days["2019-02-03"]) == ("makeup", "makeup")
    roads.check()
    roads.survey()
    assert roads.open() == {"democratic_review": "2019-02-01"}
    roads.review()
    roads.street()
    roads.post()
    roads.at("2019-02-02T09:00")
    roads.remove()
    roads.submit()
    assert roads.open() == {"district_examination": "2019-02-14"}
    roads.examine()
    roads.post("district")
    assert roads.facts("district_notice_posted_on", "district_notice_ended_on") == ("2019-02-02", "2019-02-09")
    roads.at("2019-02-09T23:59")
    assert roads.open() == {}, "seven days, of which none is a working day but the 3rd"
    roads.at("2019-02-10T00:01")
    assert set(roads.open()) == {"remove_district_notice"}
    roads.at("2019-02-11T09:00")
    roads.remove("district")
    assert roads.open() == {"decide": "2019-02-13"}
    roads.decide()
    assert roads.benefit()["first_payment_month"] == "2019-03"
    roads.proven()


# -- the yearly adjustment of the standard


def test_s36_660_becomes_840_in_april_and_low_income_below_980_is_asked_not_converted(roads):
    post = [{"role": "finance_officer", "unit": "120116"}]
    change = roads.good("admin", "POST", "/staff-changes", {"login": "fin", "kind": "add", "name": "发放", "password": "binhai-2018", "posts": post})["id"]
    roads.good("admin2", "POST", f"/staff-changes/{change}/confirm")
    first = roads.register(worker("2100.00"), wife(), child())
    other = roads.register(*elders("2790.00", "", "", disability_kind="limb", disability_grade=2))
    roads.granted(first, other)
    found = [roads.benefit(home) for home in (first, other)]
    assert [(b["category"], b["amount_fen"], b["first_payment_month"], b["status"]) for b in found] == [
        ("dibao", 66_000, "2019-01", "active"), ("low_income", 27_600, "2019-01", "active")]  # fmt: skip
    roads.at("2019-04-01T09:00")
    no = roads.good("fin", "POST", "/standard-adjustments", {"effective_month": "2019-04"})["no"]
    roads.bureau.jobs.run_all()
    batch = roads.good("fin", "GET", f"/standard-adjustments/{no}")
    assert {k: batch[k] for k in ("status", "changes", "contacts", "persons", "before_fen", "after_fen")} == {
        "status": "proposed", "changes": 2, "contacts": 1, "persons": 0, "before_fen": 93_600, "after_fen": 113_400}  # fmt: skip
    assert roads.bad(403, "fin", "POST", f"/standard-adjustments/{no}/confirmation", {"opinion": "同意"})["code"] == 403
    assert roads.good("rita", "GET", f"/benefits/{found[0]['id']}?month=2019-04")["payable"]["payable_fen"] == 66_000, "what is only proposed changes nothing"
    roads.good("app", "POST", f"/standard-adjustments/{no}/confirmation", {"opinion": "同意"})
    roads.bureau.jobs.run_all()
    items = {row["household_id"]: row for row in roads.good("rita", "GET", f"/standard-adjustments/{no}/items")["items"]}
    assert [(items[h]["before_fen"], items[h]["after_fen"], items[h]["per_capita"], items[h]["contact"], items[h]["outcome"]) for h in (first, other)] == [
        (66_000, 84_000, "700.00", False, "applied"), (27_600, 29_400, "930.00", True, "applied")]  # fmt: skip
    assert [row["household_id"] for row in roads.good("rita", "GET", f"/standard-adjustments/{no}/items?view=contact")["items"]] == [other]
    now = [roads.benefit(home) for home in (first, other)]
    assert [(b["category"], b["amount_fen"], b["amount_from"]) for b in now] == [("dibao", 84_000, "2019-04"), ("low_income", 29_400, "2019-04")]
    last = now[0]["adjustments"][-1]
    assert (last["kind"], last["before_fen"], last["after_fen"], last["from_month"], last["batch_no"]) == ("increase", 66_000, 84_000, "2019-04", no)
    months = [roads.good("rita", "GET", f"/benefits/{now[0]['id']}?month={month}")["payable"]["payable_fen"] for month in ("2019-03", "2019-04")]
    assert months == [66_000, 84_000]
    printed = roads.call("rita", "GET", f"/standard-adjustments/{no}/letters").get_data(as_text=True)
    assert (printed.count("<main>"), "840.00元" in printed) == (2, True)


def test_a_withdrawn_application_hangs_on_no_board(roads):
    roads.register(worker("2100.00"), wife(), child())
    roads.investigated()
    roads.review()
    roads.street()
    roads.post()
    assert len(roads.good(None, "GET", f"/notices?unit={COMMUNITY}")["items"]) == 1
    roads.send("clerk", "withdrawal", withdrawn_on=roads.today, reason="已找到工作", signed_document=roads.page)
    assert roads.good(None, "GET", f"/notices?unit={COMMUNITY}")["items"] == []
    roads.proven()


def test_who_died_is_registered_in_no_household_again(roads):
    home = roads.register(*elders("", "1500.00", ""))
    roads.granted(home)
    roads.stable()
    number = roads.body["members"][1]["id_no"]
    roads.at("2019-01-08T10:00")
    roads.report("death", "2018-12-28", person_id=roads.members[1])
    leaves = [{"person_id": roads.members[1], "left_on": "2018-12-28", "left_reason": "death"}]
    roads.go("clerk", "register_change", evidence_outcome="complete", leaves=leaves)
    again = {**roads.body, "members": [{**roads.body["members"][1], "relation": "head"}]}
    assert again["members"][0]["id_no"] == number
    assert roads.bad(403, "clerk", "POST", "/households", again)["rule"] == "deceased"
