"""The support of the destitute through the HTTP API: S23, S24, examples 22-25, both procedures, to the day and the fen."""

from __future__ import annotations

from typing import Any

import pytest

from engine.sealing import Sequencer
from processes import benefits
from tests.api_roads import Roads, child, person, wife, worker
from tests.district import COMMUNITY
from tests.processes.test_evidence import ORIGIN, bundle, signer, verified
from tests.served import app_of
from tests.web.test_pages import Desk

pytestmark = pytest.mark.usefixtures("registries")
OLD, NEW = "destitute-2016", "destitute-2021"
ABLE = {"reason_code": "obligor_able", "clause": "民发〔2016〕178号"}
INDICATORS = ("eats", "dresses", "bed", "toilet", "walks", "bathes")


@pytest.fixture
def roads(bureau, district) -> Support:
    return Support(bureau, district)


def old_woman(**more: Any) -> dict[str, Any]:
    return person("王奶奶", "head", "1934-05-01", sex="female", **{"labour_ability": "none", **more})


def son(age: int, **more: Any) -> dict[str, Any]:
    return {"relation": "child", "name": "王儿", "age": age, "receives": "none", "state": "present", "property_fits": True, **more}


class Support(Roads):
    def asks(self, process: str = OLD, position: int = 0, **more: object) -> str:
        said = {"programme": "destitute", "supported_person_id": self.members[position], "applied_on": self.today, "applied_by": "self", "support_form": "dispersed",
                "reason": "无人赡养", **more}  # fmt: skip
        return self.start(process, **said)

    def circumstances(self, *obligors: dict[str, Any], **more: object) -> None:
        self.go("ann", "circumstances", **{"enquired_on": self.today, "orphan": False, "property_fits": True, "obligors": list(obligors), "statement": "情况属实", **more})

    def looked_at(self, *obligors: dict[str, Any], **more: object) -> None:
        self.accept()
        self.check()
        self.survey()
        self.circumstances(*obligors, **more)

    def opinion(self, outcome: str = "propose_grant", **more: object) -> None:
        self.go("rita", "street_opinion", street_outcome=outcome, opinion="意见", **more)
        if "street_signoff" in self.open():
            self.go("lee", "street_signoff", signoff="agree", opinion="同意")

    def handed_in(self) -> None:
        self.submit("application", "survey", "opinion")

    def cares(self, lost: int = 0, who: str = "spot") -> dict[str, Any]:
        return {"assessed_on": self.today, "second_assessor": "exam", **{name: n >= lost for n, name in enumerate(INDICATORS)}}

    def assess(self, lost: int = 0) -> None:
        """Both assessors, each in a session of his own."""
        assert self.go("spot", "self_care_assessment", **self.cares(lost))["waits_for_signers"] == ["exam"]
        self.countersign("exam")

    def countersign(self, who: str, *, agrees: bool = True) -> Any:
        [task] = [t for t in self.case()["tasks"] if t["node"] == "self_care_assessment" and t["state"] == "open"]
        return self.good(who, "POST", f"/tasks/{task['id']}/sign", {"agrees": agrees, "words": "情况属实" if agrees else "上下床需要帮助"})

    def to_notice(self, process: str, *obligors: dict[str, Any], **more: object) -> None:
        self.asks(process, **more)
        self.looked_at(*obligors)
        self.opinion()
        self.post()

    def to_decision(self, lost: int = 0) -> None:
        self.remove()
        self.handed_in()
        self.assess(lost)
        self.examine()
        self.late_visit()

    def grant(self) -> Any:
        self.go("app", "decide", decision="granted", opinion="同意")
        self.deliver()
        return self.go("vera", "publish_result", posted_on=self.today, places=["village_board"], photo=self.page)

    def own(self, position: int = 0) -> Any:
        """The benefit of that member."""
        rows = self.good("rita", "GET", f"/benefits?household_id={self.home}")["items"]
        found = [self.good("rita", "GET", f"/benefits/{row['id']}") for row in rows]
        return next(one for one in found if one["person_id"] == self.members[position])


def test_s23_by_the_measures_of_2016_to_the_full_standard(roads):
    roads.at("2018-12-03T09:00")
    roads.register(old_woman())
    roads.asks()
    roads.accept()
    assert roads.open() == dict.fromkeys(("home_survey", "neighbor_enquiry", "circumstances", "means_check"), "2018-12-29"), "twenty working days; a Saturday that was worked"
    roads.check()
    roads.survey()
    roads.circumstances(son(61, receives="dibao"))
    assert roads.facts("category", "amount_fen", "able_obligors", "members_counted") == ("destitute_dispersed", 178_000, 0, 1)
    assert roads.open() == {"street_opinion": "2018-12-29"}
    roads.opinion()
    roads.post()
    [notice] = roads.good(None, "GET", f"/notices?unit={COMMUNITY}")["items"]
    assert (notice["applicant"], notice["members"], notice["category"], notice["amount_fen"], notice["until_on"][:10]) == ("王奶奶", 1, "destitute_dispersed", 178_000, "2018-12-11")
    roads.at("2018-12-10T23:00")
    assert roads.open() == {}, "the whole of the seventh day"
    roads.at("2018-12-11T09:00")
    roads.remove()
    roads.handed_in()
    assert roads.open() == {"self_care_assessment": "2019-01-09"}
    assert roads.refused(422, "spot", "self_care_assessment", **{**roads.cares(), "eats": None})["errors"]
    roads.assess(3)
    assert roads.facts("self_care") == "partly_lost"
    roads.examine()
    roads.late_visit()
    assert roads.open() == {"decide": "2019-01-09"}, "no second notice"
    assert roads.grant()["outcome"] == "ended_granted"
    found = roads.own()
    assert (found["category"], found["amount_fen"], found["members"], found["first_payment_month"], found["self_care"]) == ("destitute_dispersed", 178_000, 1, "2019-01", "partly_lost")
    assert found["next_review_on"] == "2019-12-11", "at least yearly"
    assert roads.letters() == ["acceptance", "approval"]
    approval = roads.letter("approval")
    assert all(said in approval for said in ("王奶奶", "1780.00元", "分散供养", "部分丧失生活自理能力", "民发〔2016〕178号", "2019年1月"))
    assert "特困人员救助供养申请受理通知书" in roads.letter("acceptance")
    assert "220号" not in approval + roads.letter("acceptance")
    assert roads.payable("2018-12", "2019-01") == [0, 178_000]
    roads.proven()


def test_s23_a_son_of_55_is_able_and_the_letter_says_so(roads):
    roads.at("2018-12-03T09:00")
    roads.register(old_woman())
    roads.asks()
    roads.looked_at(son(55, receives="dibao"))
    assert roads.facts("category", "amount_fen", "able_obligors") == ("refused_obligor", 0, 1)
    assert "street_outcome" in roads.refused(422, "rita", "street_opinion", street_outcome="propose_grant", opinion="同意")["errors"]
    assert set(roads.refused(422, "rita", "street_opinion", street_outcome="propose_refuse", opinion="不符合")["errors"]) == {"reason_code", "clause"}
    roads.opinion("propose_refuse", **ABLE)
    roads.handed_in()
    assert "self_care_assessment" not in roads.open(), "nobody is assessed for nothing"
    roads.examine("propose_refuse", **ABLE)
    roads.late_visit()
    roads.go("app", "decide_refusal", decision="refused", opinion="儿子有履行义务能力", **ABLE)
    assert roads.open() == {"deliver_refusal": "2018-12-06"}
    assert roads.deliver("deliver_refusal")["outcome"] == "ended_refused"
    letter = roads.letter("refusal")
    assert all(said in letter for said in ("特困人员救助供养申请", "法定义务人中有1人有履行义务能力", "行政复议", "60日"))
    roads.proven()
    roads.apply()  # variant of S23: dibao is assessed then
    assert roads.open()


@pytest.mark.parametrize(("who", "answers", "category", "fen"), [
    (person("甲", "head", "1951-06-01", "300.00"), {}, "destitute_dispersed", 178_000),
    (person("乙", "head", "1973-06-01", disability_kind="limb", disability_grade=2), {}, "refused_ability", 0),
    (person("丙", "head", "1951-06-01", "920.00"), {}, "refused_income", 0),
    (person("丁", "head", "1951-06-01", "919.99"), {}, "destitute_dispersed", 178_000),
    (person("戊", "head", "1951-06-01"), {"property_fits": False}, "refused_property", 0),
    (person("己", "head", "2003-06-01", labour_ability="none"), {"orphan": True}, "refused_orphan", 0),
])  # fmt: skip
def test_the_examples_22_24_25_and_the_line(roads, who, answers, category, fen):
    roads.at("2018-12-03T09:00")
    roads.register(who)
    roads.asks()
    if answers.get("orphan"):
        [task] = roads.case()["tasks"]
        assert "监护人" in roads.bad(403, "clerk", "POST", f"/tasks/{task['id']}/complete", {"answers": {"outcome": "complete"}})["message"]
        roads.authorise(0)
    roads.looked_at(**answers)
    assert roads.facts("category", "amount_fen") == (category, fen)


def test_example_23_rural_at_home_and_in_an_institution(roads):
    roads.at("2018-12-03T09:00")
    for support, fen in (("dispersed", 138_000), ("institutional", 178_000)):
        roads.register(person("女", "head", "1957-06-01", "700.00", sex="female"), hukou_kind="rural")
        roads.asks(support_form=support)
        roads.looked_at(allowances=[{"kind": "basic_pension_resident", "amount": "295.00"}])
        assert roads.facts("category", "amount_fen", "income_fen") == (f"destitute_{support}", fen, 70_000)


def test_by_the_measures_of_2021_fifteen_days_and_an_objection_is_checked_and_published_again(roads):
    roads.at("2021-07-05T09:00")
    roads.register(old_woman())
    assert roads.bad(403, "clerk", "POST", "/cases", {"process": OLD, "answers": {"household_id": roads.home, "programme": "destitute", "supported_person_id": roads.members[0],
        "applied_on": roads.today, "applied_by": "self", "support_form": "dispersed", "reason": "x"}})["rule"] == "procedure"  # fmt: skip
    roads.asks(NEW)
    roads.accept()
    assert set(roads.open().values()) == {"2021-07-26"}, "fifteen working days"
    assert roads.facts("confirmed_by") == "district"
    roads.check()
    roads.survey()
    roads.circumstances(son(61, receives="dibao", property_fits=False))
    roads.opinion()
    roads.post()
    roads.send("vera", "objection", objection_on=roads.today, objector_kind="resident", grounds="儿子有钱", evidence=[])
    assert roads.open() == {"street_reinvestigate": "2021-07-26"}
    roads.go("ann", "street_reinvestigate", investigated_on=roads.today, findings="没有", upheld=False, figures_changed=False)
    roads.opinion()
    assert list(roads.open()) == ["post_street_notice"], "published again"
    roads.post()
    roads.at("2021-07-13T09:00")
    roads.remove()
    roads.handed_in()
    if "spot_check_visit" in roads.open():
        roads.go("spot", "spot_check_visit", visited_on=roads.today, second_visitor="乙", findings="一致", agrees=True, photos=[roads.page])
    assert roads.open() == {"self_care_assessment": "2021-08-03"}
    roads.assess(4)
    roads.examine()
    roads.late_visit()
    assert roads.grant()["outcome"] == "ended_granted"
    found = roads.own()
    assert (found["amount_fen"], found["self_care"], found["first_payment_month"]) == (187_000, "completely_lost", "2021-08")
    assert "民发〔2021〕43号" in roads.letter("approval")
    roads.proven()


def test_from_september_2021_the_street_confirms(roads):
    roads.at("2021-09-01T09:00")
    roads.register(old_woman())
    roads.to_notice(NEW)
    assert roads.facts("confirmed_by") == "street"
    roads.at("2021-09-09T09:00")
    roads.remove()
    roads.handed_in()
    roads.assess()
    roads.late_visit()
    assert list(roads.open()) == ["street_confirmation"]
    roads.go("lee", "street_confirmation", decision="granted", opinion="确认同意")
    roads.deliver()
    assert "塘沽街道办事处" in roads.letter("approval")
    assert roads.own()["self_care"] == "full"
    roads.proven()


def test_an_application_of_june_2021_accepted_in_july_goes_on_by_the_later_measures(roads):
    roads.at("2021-06-30T09:00")
    roads.register(old_woman())
    roads.asks()
    roads.at("2021-07-01T09:00")
    roads.accept()
    assert roads.case()["process"] == NEW
    assert set(roads.open().values()) == {"2021-07-22"}
    roads.check()
    roads.survey()
    roads.circumstances(son(61, receives="dibao", property_fits=False))
    assert roads.facts("category") == "destitute_dispersed", "by the conditions of N43"
    roads.proven()


def test_who_is_on_dibao_alone_is_converted_without_a_gap(roads):
    roads.at("2018-12-03T09:00")
    roads.register(old_woman())
    roads.granted(roads.home)
    assert roads.benefit()["category"] == "dibao"
    roads.at("2019-01-03T09:00")
    roads.to_notice(OLD)
    roads.at("2019-01-11T09:00")
    roads.to_decision()
    roads.grant()
    [row] = roads.good("rita", "GET", f"/benefits?household_id={roads.home}")["items"]
    assert (row["category"], row["amount_fen"]) == ("destitute_dispersed", 178_000)
    assert roads.payable("2019-01", "2019-02") == [92_000, 178_000]
    roads.proven()


def test_who_is_counted_in_the_familys_dibao_leaves_it_in_the_same_month(roads):
    roads.at("2018-12-03T09:00")
    roads.register(worker("1000.00"), wife(), child(), person("张老", "parent", "1950-01-01", labour_ability="none"))
    roads.granted(roads.home)
    assert roads.benefit()["amount_fen"] == 4 * 92_000 - 184_500 or roads.benefit()["amount_fen"] > 0
    before = roads.benefit()["amount_fen"]
    roads.at("2019-01-03T09:00")
    roads.asks(OLD, 3)
    roads.looked_at()
    roads.opinion()
    roads.post()
    roads.at("2019-01-11T09:00")
    roads.to_decision()
    roads.grant()
    mine = roads.own(3)
    assert (mine["amount_fen"], mine["members"], mine["first_payment_month"]) == (178_000, 1, "2019-02")
    family = next(one for one in roads.good("rita", "GET", f"/benefits?household_id={roads.home}")["items"] if one["category"] == "dibao")
    assert (family["members"], family["amount_fen"]) == (3, before - 92_000)
    assert "其他3名成员" in roads.letter("approval")
    assert roads.bad(403, "clerk", "POST", "/cases", {"process": OLD, "answers": {"household_id": roads.home, "programme": "destitute", "supported_person_id": roads.members[3],
        "applied_on": roads.today, "applied_by": "self", "support_form": "dispersed", "reason": "x"}})["rule"] == "active_benefit"  # fmt: skip
    roads.proven()
    roads.at("2019-01-14T09:00")
    look_again(roads, 3, supported_person_id=roads.members[3])
    roads.go("rita", "street_opinion", conclusion="keep", opinion="继续符合条件")
    assert "street_signoff" in roads.open() or "decide" in roads.open()


def look_again(roads: Support, whose: int, **more: object) -> None:
    """A review of that member's support, to the street's opinion."""
    said = {"household_id": roads.home, "occasion": "early", "note": "义务人情况变化", **more}
    roads.no = roads.good("clerk", "POST", "/cases", {"process": "review-2012", "answers": said})["case"]
    assert roads.facts("benefit_id") == roads.own(whose)["id"]
    roads.go("officer", "contact_household", contacted_on=roads.today, method="phone", contact_outcome="contacted", asked_for=[])
    roads.check()
    roads.go("ann", "home_survey", **roads.seen())
    roads.go("bob", "survey_cosign", agree="agree")


def test_a_supporter_who_is_able_ends_it_after_seven_days_of_notice_and_he_is_counted_again(roads):
    roads.at("2018-12-03T09:00")
    roads.register(worker("1000.00"), wife(), person("张老", "parent", "1950-01-01", labour_ability="none"))
    roads.asks(OLD, 2)
    roads.looked_at()
    roads.opinion()
    roads.post()
    roads.at("2018-12-11T09:00")
    roads.to_decision()
    roads.grant()
    home = roads.good("clerk", "GET", f"/households/{roads.home}")
    assert [m["excluded_reason"] for m in home["members"]] == [None, None, "destitute"]
    roads.apply()  # the others are in nobody's way
    roads.send("clerk", "withdrawal", withdrawn_on=roads.today, reason="不申请了", signed_document=roads.page)
    roads.at("2019-01-07T09:00")
    look_again(roads, 2)
    why = {"opinion": "儿子有能力", "clause": "民发〔2016〕178号"}
    roads.refused(422, "rita", "street_opinion", conclusion="keep", reason_code="obligor_able", **why)
    roads.go("rita", "street_opinion", conclusion="stop", reason_code="obligor_able", **why)
    roads.go("lee", "street_signoff", signoff="agree", opinion="同意")
    roads.go("vera", "post_stop_notice", posted_on=roads.today, places=["village_board"], photo=roads.page)
    roads.at("2019-01-15T09:00")
    roads.go("vera", "remove_stop_notice", removed_on=roads.today, objections="none", photo=roads.page)
    roads.go("app", "decide", decision="approved", opinion="同意")
    roads.deliver("deliver_conclusion")
    found = roads.own(2)
    assert (found["status"], found["stopped_from"], found["exit_reason"]) == ("stopped", "2019-02", "obligor_able")
    home = roads.good("clerk", "GET", f"/households/{roads.home}")
    assert [m["excluded_reason"] for m in home["members"]] == [None, None, None]
    roads.proven()


def told_of_leaving(roads: Support, process: str) -> None:
    """A destitute person in support who asks to leave it: a report of a change, up to the street's opinion."""
    roads.register(old_woman())
    with roads.bureau.office.act() as act:
        benefits.begin(act, "benefit_granted", {
            "household_id": roads.home, "person_id": roads.members[0], "category": "destitute_dispersed", "amount_fen": 178_000, "status": "active",
            "first_payment_month": roads.today[:7], "members": 1, "granted_on": roads.today, "law_version": "TJ-STD-2018"}, {})  # fmt: skip
    roads.start(process, kind="income_up", person_id=roads.members[0], event_on=roads.today, reported_on=roads.today, channel="window", reported_by="household", details="子女接去同住",
                evidence=[roads.page], wants_exit=True)  # fmt: skip
    roads.go("clerk", "register_change", evidence_outcome="complete")
    roads.go("rita", "street_opinion", conclusion="stop", reason_code="voluntary", clause="依申请", opinion="本人申请退出")


@pytest.mark.parametrize(("process", "day", "over", "stopped"), [
    ("change-report-2012", "2018-12-03T09:00", "2018-12-11T00:00", "2019-01"), ("change-report-2021", "2021-09-06T09:00", "2021-09-14T00:00", "2021-10")])
def test_a_change_that_ends_the_support_hangs_seven_days_before_it_is_decided(roads, process, day, over, stopped):
    """N43 arts 24-26, whichever process stops it; since 2021-09-01 the street confirms after the notice."""
    roads.at(day)
    told_of_leaving(roads, process)
    by_street = process.endswith("2021")
    if not by_street:
        roads.go("lee", "street_signoff", signoff="agree", opinion="同意")
        roads.refused(422, "vera", "post_stop_notice", posted_on="2018-12-02", places=["village_board"], photo=roads.page)
    assert set(roads.open()) == {"post_stop_notice"}, "nobody decides before the notice"
    roads.refused(403, "rita", "post_stop_notice", posted_on=roads.today, places=["village_board"], photo=roads.page)
    roads.go("vera", "post_stop_notice", posted_on=roads.today, places=["village_board"], photo=roads.page)
    [shown] = roads.good(None, "GET", f"/notices?unit={COMMUNITY}")["items"]
    assert (shown["stage"], shown["until_on"][:10]) == ("destitute_stop", over[:10])
    before = f"{over[:8]}{int(over[8:10]) - 1:02d}T23:59"
    roads.at(before)
    assert roads.open() == {}, "the whole of the seventh day"
    roads.at(over)
    roads.go("vera", "remove_stop_notice", removed_on=roads.today, objections="none", photo=roads.page)
    assert set(roads.open()) == {"street_confirmation" if by_street else "decide"}
    roads.go("lee" if by_street else "app", "street_confirmation" if by_street else "decide", decision="approved", opinion="同意")
    roads.deliver("deliver_conclusion")
    found = roads.own()
    assert (found["status"], found["stopped_from"], found["exit_reason"]) == ("stopped", stopped, "voluntary")
    roads.proven()


@pytest.mark.parametrize("end", ["objection", "withdrawal", "change_reported"])
def test_the_notice_of_such_a_change_comes_down_when_it_is_disputed_or_withdrawn(roads, end):
    roads.at("2018-12-03T09:00")
    told_of_leaving(roads, "change-report-2012")
    roads.go("lee", "street_signoff", signoff="agree", opinion="同意")
    roads.go("vera", "post_stop_notice", posted_on=roads.today, places=["village_board"], photo=roads.page)
    roads.at("2018-12-05T09:00")
    said = {"objection": {"objection_on": roads.today, "objector_kind": "applicant", "grounds": "不再退出"},
            "withdrawal": {"withdrawn_on": roads.today, "reason": "不再退出", "signed_document": roads.page},
            "change_reported": {"kind": "income_up", "person_id": roads.members[0], "event_on": roads.today, "reported_on": roads.today, "channel": "window", "reported_by": "household",
                                "details": "不再退出", "evidence": [roads.page]}}[end]  # fmt: skip
    if end == "objection":
        early = {**said, "objection_on": "2018-12-02"}
        assert "objection_on" in roads.bad(422, "clerk", "POST", f"/cases/{roads.no}/messages/objection", early)["errors"], "nobody objects to what does not hang"
    roads.send("clerk", end, **said)
    assert roads.good(None, "GET", f"/notices?unit={COMMUNITY}")["items"] == []
    assert set(roads.open()) == {"objection": {"street_opinion"}, "withdrawal": set(), "change_reported": {"register_change"}}[end]
    assert roads.own()["status"] == "active"
    roads.proven()


def test_an_application_is_withdrawn_and_its_notice_comes_down(roads):
    roads.at("2018-12-03T09:00")
    roads.register(old_woman())
    roads.to_notice(OLD)
    roads.send("clerk", "withdrawal", withdrawn_on=roads.today, reason="随女儿生活", signed_document=roads.page)
    assert roads.case()["outcome"] == "ended_withdrawn"
    assert roads.good(None, "GET", f"/notices?unit={COMMUNITY}")["items"] == []
    roads.proven()


def test_a_democratic_review_only_where_the_street_asks_for_it(roads):
    roads.at("2018-12-03T09:00")
    roads.register(old_woman())
    roads.asks()
    roads.looked_at()
    roads.go("rita", "street_opinion", street_outcome="need_review", opinion="情况复杂，需要评议")
    roads.review()
    assert list(roads.open()) == ["street_opinion"]
    roads.opinion()
    assert list(roads.open()) == ["post_street_notice"]
    roads.proven()


def test_only_a_member_may_be_named_and_an_unknown_person_is_refused(roads):
    roads.at("2018-12-03T09:00")
    roads.register(old_woman())
    body = {"household_id": roads.home, "programme": "destitute", "applied_on": roads.today, "applied_by": "self", "support_form": "dispersed", "reason": "x"}
    assert "supported_person_id" in roads.bad(422, "clerk", "POST", "/cases", {"process": OLD, "answers": body})["errors"]
    assert roads.bad(403, "clerk", "POST", "/cases", {"process": OLD, "answers": body | {"supported_person_id": 999_999}})["rule"] == "not-a-member"
    assert "agent_name" in roads.bad(422, "clerk", "POST", "/cases", {"process": OLD, "answers": body | {"supported_person_id": roads.members[0], "applied_by": "guardian"}})["errors"]


def test_s24_self_care_from_partly_to_completely_lost_within_ten_working_days(roads):
    roads.at("2018-12-03T09:00")
    roads.register(old_woman())
    roads.to_notice(OLD)
    roads.at("2018-12-11T09:00")
    roads.to_decision(3)
    roads.grant()
    roads.at("2019-01-10T09:00")
    benefit = roads.own()
    said = {"benefit_id": benefit["id"], "reported_on": roads.today, "reported_by": "village_committee", "details": "不能下床"}
    roads.no = roads.good("clerk", "POST", "/cases", {"process": "self-care", "answers": said})["case"]
    assert roads.open() == {"self_care_assessment": "2019-01-24"}
    roads.assess(5)
    roads.go("app", "confirm_self_care", confirmation="agree", opinion="同意")
    assert roads.own()["self_care"] == "completely_lost"
    assert roads.own()["amount_fen"] == 178_000
    roads.go("clerk", "tell_result", told_on=roads.today, recipient="王奶奶")
    assert roads.case()["outcome"] == "ended"
    roads.proven()


def test_the_second_assessor_signs_in_a_session_of_his_own(roads):
    roads.at("2018-12-03T09:00")
    roads.register(old_woman())
    roads.to_notice(OLD)
    roads.at("2018-12-11T09:00")
    roads.remove()
    roads.handed_in()
    for name in ("丙", "spot", "app", "ann"):  # nobody of that login; himself; another post; another post and an investigator of the case
        assert "second_assessor" in roads.refused(422, "spot", "self_care_assessment", **{**roads.cares(3), "second_assessor": name})["errors"], name
    assert roads.go("spot", "self_care_assessment", **roads.cares(3))["waits_for_signers"] == ["exam"]
    assert roads.facts("self_care") is None, "one signature is no assessment"
    assert roads.bad(403, "spot", "POST", f"/tasks/{roads.case()['tasks'][-1]['id']}/sign", {"agrees": True, "words": "属实"})["rule"] == "not-asked"
    roads.countersign("exam", agrees=False)
    assert roads.facts("self_care") is None and roads.open() == {"self_care_assessment": "2019-01-09"}
    assert roads.go("spot", "self_care_assessment", **roads.cares(4))["waits_for_signers"] == ["exam"]
    roads.countersign("exam")
    assert roads.facts("self_care") == "completely_lost"
    roads.proven()


def test_who_is_sixteen_goes_on_only_where_he_was_supported_before(roads):
    roads.at("2021-07-05T09:00")
    roads.register(person("少年", "head", "2004-10-01", labour_ability="none"))
    roads.authorise(0)
    roads.asks(NEW)
    roads.looked_at(continuing=True, in_school=True)
    assert roads.facts("category") == "refused_ability"
    why = {"clause": "民发〔2021〕43号"}
    told = roads.refused(422, "rita", "street_opinion", street_outcome="propose_refuse", opinion="不符合", reason_code="obligor_able", **why)
    assert "reason_code" in told["errors"], "nobody is refused for a condition that is met"
    roads.opinion("propose_refuse", reason_code="able_to_work", **why)


def test_what_changed_since_the_test_goes_back_to_the_survey(roads):
    roads.at("2018-12-03T09:00")
    roads.register(old_woman())
    roads.asks()
    roads.looked_at()
    roads.good("clerk", "PUT", f"/households/{roads.home}/members/{roads.members[0]}/income", {"income": [{"kind": "transfer_income", "amount_fen": "920.00", "period": "month"}]})
    assert roads.refused(403, "rita", "street_opinion", street_outcome="propose_grant", opinion="拟同意")["rule"] == "figures-changed"


def test_the_bundle_of_a_support_is_proved_without_us(roads, district, bureau, tmp_path):
    roads.at("2018-12-03T09:00")
    roads.register(old_woman(income="300.00"))
    roads.to_notice(OLD)
    roads.at("2018-12-11T09:00")
    roads.to_decision()
    roads.grant()
    Sequencer(bureau.office.store, signer(), ORIGIN).run()
    bundle(district, tmp_path / "one.zip", roads.no)
    (tmp_path / "policy.txt").write_text(f"log {signer().public()}\nquorum none\n")
    code, said = verified(tmp_path, "one.zip", "--policy", "policy.txt")
    assert code == 0, (said["broken"], said["gaps"])


def test_the_pages_begin_an_application_and_report_changed_self_care(roads, bureau, district):
    roads.at("2018-12-03T09:00")
    roads.register(old_woman())
    desk = Desk(app_of(bureau), "clerk")
    where = f"/households/{roads.home}/support"
    assert "申请特困人员救助供养" in desk.text(f"/households/{roads.home}")
    assert "供养形式" in desk.text(where)
    said = {"household_id": roads.home, "supported_person_id": roads.members[0], "programme": "destitute", "applied_on": roads.today, "applied_by": "self", "support_form": "dispersed", "reason": "无人赡养"}
    answer = desk.post(where, said)
    assert answer.status_code == 302, answer.get_data(as_text=True)
    roads.no = answer.location.rsplit("/", 1)[-1]
    roads.looked_at(son(61, receives="dibao"))
    page = Desk(app_of(bureau), "rita").text(f"/cases/{roads.no}")
    assert all(words in page for words in ("无劳动能力：已满60周岁", "低于低保标准920.00元", "60周岁以上的最低生活保障对象", "1780.00"))
    roads.opinion()
    roads.post()
    roads.at("2018-12-11T09:00")
    roads.to_decision()
    roads.grant()
    number = roads.own()["id"]
    assert "具备生活自理能力" in desk.text(f"/benefits/{number}")
    answer = desk.post(f"/households/{roads.home}/self-care?benefit_id={number}", {"benefit_id": number, "reported_on": roads.today, "reported_by": "self", "details": "摔伤"})
    assert answer.status_code == 302, answer.get_data(as_text=True)


def test_the_pages_show_the_form_in_both_languages(roads, bureau, district):
    roads.at("2018-12-03T09:00")
    roads.register(old_woman())
    roads.asks()
    roads.accept()
    task = next(t for t in roads.case()["tasks"] if t["node"] == "circumstances")
    for lang, words in (("zh", ("法定义务人", "是否同时符合孤儿认定条件")), ("en", ("Who must support by law", "An orphan, too"))):
        page = Desk(app_of(bureau), "ann", lang).text(f"/tasks/{task['id']}")
        assert all(word in page for word in words)
