"""Temporary assistance through the HTTP API with the clock moved (domain 2.5, S25): help first and papers after; the ordinary procedure by
the street and the district; the same cause twice; who is not at home here; who decides does not pay."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api_roads import Roads, child, wife, worker
from tests.district import COMMUNITY

pytestmark = pytest.mark.usefixtures("registries")
KEY = "temporary-assistance"
CASH = {"form": "cash", "amount": "2000.00", "description": "火灾后基本生活"}
REFUSING = {"reason_code": "no_hardship", "clause": "国务院令第649号第四十七条"}


@pytest.fixture
def roads(bureau, district) -> Help:
    return Help(bureau, district)


class Help(Roads):
    """The stretches of a case of temporary assistance."""

    def ask(self, kind: str = "emergency", cause: str = "fire", who: str = "clerk", **more: Any) -> str:
        said = {"persons": 1, "residence_basis": "local_hukou", "kind": kind, "cause": cause, "reason": "失火，住房烧毁", "begun_by": "application", "applied_on": self.today,
                **({"happened_on": self.today} if kind == "emergency" else {}), **more}  # fmt: skip
        if "community" in said:
            self.no = self.good(who, "POST", "/cases", {"process": KEY, "answers": said})["case"]
            return self.no
        return self.start(KEY, who, **said)

    def helped(self, *items: dict[str, Any]) -> None:
        self.go("lee", "emergency_decide", emergency_outcome="help", items=list(items or (CASH,)), opinion="先行救助")
        self.go("clerk2", "emergency_pay", helped_on=self.today, pay_method="cash", receiver="张一")

    def papers(self, amount: str = "2000.00", **more: Any) -> None:
        self.go("officer", "emergency_register", object="张一一家", reason="火灾", amount=amount, signed_document=self.page, **more)

    def signed(self, signoff: str = "agree") -> Any:
        return self.go("lee", "emergency_signoff", signoff=signoff, stamped=signoff != "return", opinion="手续齐备")

    def to_opinion(self, **more: Any) -> None:
        self.ask("expenditure", "medical", **more)
        self.examined()

    def examined(self) -> None:
        self.accept()
        self.check()
        self.survey()

    def opinion(self, *amounts: str, **more: Any) -> None:
        items = [{"form": "cash", "amount": one, "description": "医疗支出"} for one in amounts]
        self.go("rita", "street_opinion", street_outcome="propose_grant", items=items, opinion="拟给予", **more)

    def noticed(self, over: str) -> None:
        self.post()
        self.at(over)
        self.remove()

    def paid(self, who: str = "clerk2") -> Any:
        return self.go(who, "pay_grant", paid_on=self.today, pay_method="bank", receiver="张一", proof_document=self.page)

    def rows(self, **asked: Any) -> list[Any]:
        query = "&".join(f"{name}={value}" for name, value in {"case_no": self.no, **asked}.items())
        return list(self.good("rita", "GET", f"/temporary-grants?{query}")["items"])


# -- 急难型


def test_s25_a_fire_in_the_holidays_is_helped_on_the_spot_and_the_papers_follow_within_ten_working_days(roads):
    roads.at("2019-02-05T20:00")
    roads.register(worker("2100.00"), wife(), child())
    roads.ask(persons=1)
    assert roads.open() == {"emergency_decide": None}, "no check, no review, no notice before the help"
    roads.helped()
    [row] = roads.rows()
    assert (row["state"], row["amount_fen"], row["granted_on"], row["decided_by"], row["decided_at"]) == ("paid", 200_000, "2019-02-05", "lee", "street")
    assert (row["paid_on"], row["paid_by"], row["pay_method"], row["receiver"], row["registered_on"]) == ("2019-02-05", "clerk2", "cash", "张一", None)
    assert roads.open() == {"emergency_register": "2019-02-22"}, "the tenth working day after 02-05, holidays to 02-10"
    roads.at("2019-02-11T09:00")
    roads.refused(422, "officer", "emergency_register", object="张一", reason="火灾", amount="1999.99", signed_document=roads.page)
    roads.papers()
    assert roads.open() == {"emergency_signoff": "2019-02-22"}
    roads.refused(422, "lee", "emergency_signoff", signoff="agree", stamped=False, opinion="同意")
    roads.signed("return")
    roads.papers()
    roads.signed()
    assert "2000.00元（大写：贰仟元整）" in roads.letter("temp_emergency")
    assert "塘沽街道办事处" in roads.letter("temp_emergency"), "the street's own decision"
    assert roads.deliver()["outcome"] == "ended_granted"
    [row] = roads.rows()
    assert (row["registered_on"], row["proof_document"], row["unnamed"]) == ("2019-02-11", roads.page, False)
    assert roads.good("rita", "GET", f"/temporary-grants/years?household_id={roads.home}") == {
        "years": [{"year": 2019, "cases": 1, "households": 1, "amount_fen": 200_000, "paid_fen": 200_000, "unnamed": 0}]}  # fmt: skip
    assert roads.letters() == ["temp_emergency"]
    roads.proven()


def test_papers_that_are_late_show_on_the_board(roads):
    roads.at("2019-02-05T20:00")
    roads.register(worker("2100.00"))
    roads.ask()
    roads.helped()
    roads.at("2019-02-22T23:00")
    assert roads.good("sue", "GET", "/tasks?view=available&flag=late")["items"] == []
    roads.at("2019-02-25T09:00")
    roads.bureau.jobs.run_all()
    late = [t for t in roads.case()["tasks"] if t["state"] == "open"]
    assert [(t["node"], "late" in t["flags"]) for t in late] == [("emergency_register", True)]
    assert roads.no in str(roads.good("sue", "GET", "/board"))
    assert [row["case_no"] for row in roads.rows(unregistered="true")] == [roads.no]
    roads.papers()
    roads.signed()
    assert roads.rows(unregistered="true") == []


def test_emergency_help_has_a_limit_for_each_person_and_needs_two_persons(roads):
    roads.at("2021-09-06T09:00")
    roads.register(worker("2100.00"), wife())
    assert roads.bad(422, "clerk", "POST", "/cases", {"process": KEY, "answers": {
        "household_id": roads.home, "persons": 3, "residence_basis": "local_hukou", "kind": "emergency", "cause": "fire", "reason": "火", "begun_by": "application",
        "applied_on": roads.today, "happened_on": roads.today}})["errors"].keys() == {"persons"}  # fmt: skip
    roads.ask(persons=2)
    over = [{**CASH, "amount": "6000.00"}, {"form": "goods", "amount": "60.01", "description": "棉被"}]
    told = roads.refused(422, "lee", "emergency_decide", emergency_outcome="help", items=over, opinion="先行救助")
    assert "6060.00" in str(told["errors"]["items"])
    roads.refused(422, "lee", "emergency_decide", emergency_outcome="help", items=[], opinion="先行救助")
    roads.refused(422, "lee", "emergency_decide", emergency_outcome="help", items=[{"form": "cash", "description": "无金额"}], opinion="先行救助")
    roads.refused(403, "clerk", "emergency_decide", emergency_outcome="help", items=[CASH], opinion="先行救助")
    over[1]["amount"] = "60.00"
    referral = {"form": "referral", "description": "紧急住院", "referred_to": "塘沽医院"}
    roads.go("lee", "emergency_decide", emergency_outcome="help", items=[*over, referral], opinion="先行救助")
    roads.refused(403, "lee", "emergency_pay", helped_on=roads.today, pay_method="cash", receiver="张一")
    roads.refused(422, "clerk2", "emergency_pay", helped_on="2021-09-05", pay_method="cash", receiver="张一")
    roads.go("clerk2", "emergency_pay", helped_on=roads.today, pay_method="cash", receiver="张一")
    assert sorted((row["form"], row["amount_fen"], row["state"]) for row in roads.rows()) == [("cash", 600_000, "paid"), ("goods", 6_000, "paid"), ("referral", 0, "paid")]
    roads.papers("6060.00")
    roads.signed()
    assert "转介至塘沽医院" in roads.letter("temp_emergency")


def test_whoever_decides_does_not_pay_though_he_holds_both_posts(roads, bureau):
    """A leader who is a clerk, too, and the other way round: by rule, not by want of a post."""
    from processes import duties

    class Acted:
        def __init__(self, node: str, staff: str) -> None:
            self.node, self.staff = node, staff

    def may(node: str, role: str, *acts: str) -> str | None:
        broken = duties.may("complete", node, role, "both", actor_roles={role}, acts=[Acted(one, "both") for one in acts], relatives=(), facts={})
        return broken and broken.rule

    for decides in ("emergency_decide", "street_confirmation", "decide"):
        assert may("pay_grant", "window_clerk", decides) == may("emergency_pay", "window_clerk", decides) == "decider-pays"
    assert may("street_confirmation", "street_leader", "emergency_pay") == may("emergency_signoff", "street_leader", "emergency_pay") == "payer-decides"
    assert may("street_confirmation", "street_leader", "emergency_decide", "emergency_signoff") is None
    assert may("street_confirmation", "street_leader", "home_survey") == "approver-touched"


def test_a_lead_begins_a_case_of_somebody_unknown_who_is_named_later(roads):
    roads.at("2019-02-05T20:00")
    lead = {"community": COMMUNITY, "known_as": "自称姓王，约60岁，桥下", "persons": 2, "residence_basis": "unknown", "begun_by": "discovery", "found_by": "resident", "finder": "过路群众"}
    for lacking in ("known_as", "finder", "found_by", "community"):
        said = {**lead, "kind": "emergency", "cause": "other_emergency", "reason": "露宿", "applied_on": roads.today, "happened_on": roads.today}
        said.pop(lacking)
        assert lacking in roads.bad(422, "clerk", "POST", "/cases", {"process": KEY, "answers": said})["errors"]
    roads.bad(403, "stranger", "POST", "/cases", {"process": KEY, "answers": {**said, "community": COMMUNITY}})
    roads.ask(cause="other_emergency", who="vera", **lead)
    roads.home = roads.case()["household_id"]
    house = roads.good("clerk", "GET", f"/households/{roads.home}")
    assert [m["placeholder"] for m in house["members"]] == [True, True]
    roads.page = roads.upload()
    roads.helped({"form": "goods", "amount": "300.00", "description": "食品、棉衣"})
    assert roads.good("rita", "GET", "/temporary-grants/years")["years"][0]["unnamed"] == 1
    roads.refused(422, "officer", "emergency_register", object="王某", reason="露宿", amount="300.00", signed_document=roads.page)
    roads.papers("300.00", identity_note="公安正在查询")
    roads.signed("further")
    assert roads.open() == {"completeness_check": None}
    told = roads.refused(403, "clerk", "completeness_check", outcome="complete")
    assert told["rule"] == "identity"
    roads.go("clerk", "completeness_check", outcome="complete", residence_basis="none")
    assert roads.open() == {"refer_applicant": None}, "found to be at home elsewhere: to the relief station"
    assert [row["unnamed"] for row in roads.rows(unnamed="true")] == [True]


# -- who is not at home here


def test_who_has_neither_hukou_nor_permit_is_helped_to_apply_elsewhere_and_nothing_is_decided(roads):
    roads.at("2019-02-11T09:00")
    roads.register(worker("2100.00"))
    roads.ask("expenditure", "medical", residence_basis="none")
    assert roads.open() == {"refer_applicant": None}
    roads.refused(422, "clerk", "refer_applicant", agency="滨海新区救助管理站", handed_to="李站长", handed_on="2019-02-10", way_there="accompanied")
    told = roads.go("clerk", "refer_applicant", agency="滨海新区救助管理站", handed_to="李站长", handed_on=roads.today, way_there="accompanied")
    assert told["outcome"] == "ended_referred"
    assert "不是救助决定" in roads.letter("temp_referral")
    assert "行政复议" not in roads.letter("temp_referral")
    assert roads.rows() == []
    roads.proven()


@pytest.mark.parametrize(("wrong", "field"), [
    ({"kind": "expenditure", "cause": "fire"}, "cause"), ({"kind": "expenditure", "cause": "medical", "residence_basis": "unknown"}, "residence_basis"),
    ({"kind": "emergency", "cause": "fire", "happened_on": None}, "happened_on"), ({"kind": "emergency", "cause": "fire", "happened_on": "2019-02-12"}, "happened_on"),
    ({"persons": 0}, "persons"), ({"community": COMMUNITY}, "community"), ({"applied_on": "2018-01-25"}, "applied_on"), ({"begun_by": "discovery"}, "found_by")])  # fmt: skip
def test_what_is_wrong_with_a_request_is_named(roads, wrong, field):
    roads.at("2019-02-11T09:00")
    roads.register(worker("2100.00"))
    said = {"household_id": roads.home, "persons": 1, "residence_basis": "local_hukou", "kind": "emergency", "cause": "fire", "reason": "火", "begun_by": "application",
            "applied_on": roads.today, "happened_on": roads.today, **wrong}  # fmt: skip
    said = {name: value for name, value in said.items() if value is not None}
    assert field in roads.bad(422, "clerk", "POST", "/cases", {"process": KEY, "answers": said})["errors"]


# -- 支出型


@pytest.mark.parametrize(("amounts", "by", "node"), [(("6060.00",), "street", "street_confirmation"), (("6000.00", "60.01"), "district", "decide")])
def test_the_street_grants_up_to_the_limit_and_the_district_a_fen_above(roads, amounts, by, node):
    roads.at("2021-09-06T09:00")
    roads.register(worker("2100.00"), wife(), child())
    roads.to_opinion(requested_amount="8000.00", persons=3)
    assert roads.facts("street_limit_fen", "street_limit_source", "need_outcome") == (606_000, "TTEMP21", "fits")
    assert roads.open() == {"street_opinion": "2021-09-27"}, "15 working days from acceptance: 09-18 and 26 are worked, 09-19 to 21 are off"
    roads.opinion(*amounts)
    assert {row["state"] for row in roads.rows()} == {"proposed"}
    roads.post()
    [notice] = roads.good(None, "GET", f"/notices?unit={COMMUNITY}")["items"]
    assert (notice["stage"], notice["posted_on"], notice["until_on"][:10]) == ("temporary_assistance", "2021-09-06", "2021-09-14")
    roads.at("2021-09-13T23:59")
    assert roads.open() == {}
    roads.at("2021-09-14T09:00")
    roads.remove()
    assert list(roads.open()) == [node]
    assert roads.facts("confirmed_by") == by
    who = {"street": "lee", "district": "app"}[by]
    other = {"street": "app", "district": "lee"}[by]
    roads.refused(403, other, node, decision="granted", opinion="同意")
    roads.go(who, node, decision="granted", opinion="同意")
    assert {row["state"] for row in roads.rows()} == {"granted"}
    roads.refused(422, "clerk2", "pay_grant", paid_on=roads.today, pay_method="bank", receiver="张一")
    roads.refused(422, "clerk2", "pay_grant", paid_on="2021-09-13", pay_method="bank", receiver="张一", proof_document=roads.page)
    roads.paid()
    assert [(row["state"], row["paid_by"], row["decided_by"], row["year"]) for row in roads.rows()] == [("paid", "clerk2", who, 2021)] * len(amounts)
    issuer = {"street": "塘沽街道办事处", "district": "天津市滨海新区民政局"}[by]
    assert issuer in roads.letter("temp_grant")
    assert "行政复议" in roads.letter("temp_grant")
    assert roads.deliver()["outcome"] == "ended_granted"
    assert roads.letters() == ["temp_acceptance", "temp_grant"]
    assert "15个工作日" in roads.letter("temp_acceptance")
    roads.proven()


def test_the_same_cause_in_a_calendar_year_needs_a_good_reason_of_a_supervisor(roads):
    roads.at("2019-02-05T20:00")
    roads.register(worker("2100.00"))
    roads.ask()
    first = roads.no
    roads.bad(403, "clerk", "POST", "/cases", {"process": KEY, "answers": {
        "household_id": roads.home, "persons": 1, "residence_basis": "local_hukou", "kind": "emergency", "cause": "fire", "reason": "火", "begun_by": "application",
        "applied_on": roads.today, "happened_on": roads.today}})  # fmt: skip
    roads.helped()
    roads.papers()
    roads.signed()
    roads.deliver()
    roads.at("2019-12-30T09:00")
    roads.ask()
    assert roads.open() == {"same_cause_exception": None}
    assert roads.facts("repeated", "repeated_cases") == (True, [first])
    roads.refused(403, "lee", "same_cause_exception", exception_outcome="allowed", reason="理由")
    roads.go("sue", "same_cause_exception", exception_outcome="refused", reason="同一场火灾，无新的困难")
    assert list(roads.open()) == ["street_opinion"]
    roads.refused(422, "rita", "street_opinion", street_outcome="propose_grant", items=[CASH], opinion="拟给予")
    roads.refused(422, "rita", "street_opinion", street_outcome="propose_refuse", opinion="拟不予")
    roads.go("rita", "street_opinion", street_outcome="propose_refuse", opinion="同一事由", reason_code="same_cause", clause="国务院令第649号第四十七条")
    roads.refused(422, "lee", "street_confirmation", decision="granted", opinion="同意")
    roads.go("lee", "street_confirmation", decision="refused", opinion="无正当理由", reason_code="same_cause", clause="国务院令第649号第四十七条")
    letter = roads.letter("temp_refusal")
    assert all(said in letter for said in (first, "同一事由本年度已救助，且无正当理由", "行政复议", "人民法院"))
    assert roads.deliver("deliver_refusal")["outcome"] == "ended_refused"
    roads.proven()
    roads.ask()  # asked again, and now there is a reason
    roads.go("sue", "same_cause_exception", exception_outcome="allowed", reason="再次失火")
    assert list(roads.open()) == ["emergency_decide"]
    roads.helped()
    assert [row["state"] for row in roads.rows()] == ["paid"]
    roads.papers()
    roads.signed()
    roads.deliver()
    roads.ask(cause="traffic_accident")
    assert list(roads.open()) == ["emergency_decide"], "another cause"
    roads.helped()
    roads.papers()
    roads.signed()
    roads.deliver()
    roads.at("2020-01-02T09:00")
    roads.ask()
    assert list(roads.open()) == ["emergency_decide"], "another year"


def test_income_or_property_over_the_limit_is_refused_unless_the_meeting_finds_otherwise(roads):
    roads.at("2019-02-11T09:00")
    roads.register(worker("3085.17"))  # 37,022.04 a year
    roads.to_opinion(requested_amount="9000.00")
    assert roads.facts("need_outcome") == "refused_income"
    roads.refused(422, "rita", "street_opinion", street_outcome="propose_grant", items=[CASH], opinion="拟给予")
    roads.go("rita", "street_opinion", street_outcome="joint_meeting", opinion="困难重大", trigger="temp_over_limit", special_facts="医疗支出巨大", wish="救助5000元")
    assert roads.open() == {}
    with roads.bureau.office.act() as act:
        roads.bureau.cases.receive(act, roads.no, "resolution", {"resolution": "approve_as", "approved_category": "temporary_assistance", "approved_amount": "5000.00",
                                                                  "reasons": "集体研究", "meeting_no": "LX-2019-000000", "item": 1})  # fmt: skip
    roads.refused(422, "rita", "street_opinion", street_outcome="propose_grant", items=[CASH], opinion="拟给予")
    roads.opinion("4000.00", "1000.00")
    roads.noticed("2019-02-19T09:00")
    roads.go("lee", "street_confirmation", decision="granted", opinion="同意")
    assert "联席会议" in roads.letter("temp_grant")
    roads.paid()
    roads.deliver()
    roads.proven()


def test_refused_above_the_limit_is_the_districts_and_returns_go_back(roads):
    roads.at("2019-02-11T09:00")
    roads.register(worker("2100.00"))
    roads.to_opinion(requested_amount="5520.01")
    roads.go("rita", "street_opinion", street_outcome="propose_refuse", opinion="不属必需支出", **REFUSING)
    assert list(roads.open()) == ["decide"]
    roads.go("app", "decide", decision="returned", opinion="请核实", reason_code="facts_unclear", clause="第四十七条")
    roads.opinion("5520.00")
    roads.noticed("2019-02-19T09:00")
    assert list(roads.open()) == ["street_confirmation"]
    roads.go("lee", "street_confirmation", decision="refused", opinion="不属必需支出", **REFUSING)
    assert {row["state"] for row in roads.rows(state="dropped")} == {"dropped"}
    assert roads.rows() == []
    assert "塘沽街道办事处" in roads.letter("temp_refusal")
    roads.deliver("deliver_refusal")
    [letter] = [row for row in roads.good("clerk", "GET", f"/cases/{roads.no}/letters")["items"] if row["kind"] == "temp_refusal"]
    assert (letter["review_until"], letter["suit_until"]) == ("2019-04-22", "2019-08-19"), "60 days and six months from the delivery; 04-20 is a Saturday"
    lodged = {"kind": "review", "body": "district_government", "lodged_on": "2019-02-19", "lodged_by": "张一", "grounds": "确属必需支出", "document": roads.page}
    assert roads.good("sue", "POST", f"/letters/{letter['id']}/appeals", lodged)["state"] == "lodged"


def test_a_household_that_changed_after_the_figures_is_not_granted_by_them(roads):
    roads.at("2019-02-11T09:00")
    roads.register(worker("2100.00"))
    roads.to_opinion()
    roads.opinion("1000.00")
    roads.noticed("2019-02-19T09:00")
    roads.good("clerk", "PUT", f"/households/{roads.home}/property", {"property": [{"kind": "vehicle"}]})
    assert roads.refused(403, "lee", "street_confirmation", decision="granted", opinion="同意")["rule"] == "figures-changed"


def test_withdrawn_before_the_decision_the_notice_comes_down_and_nothing_is_given(roads):
    roads.at("2019-02-11T09:00")
    roads.register(worker("2100.00"))
    roads.to_opinion()
    roads.opinion("1000.00")
    roads.post()
    roads.send("clerk", "withdrawal", withdrawn_on=roads.today, reason="亲友已帮助", signed_document=roads.page)
    assert roads.case()["outcome"] == "ended_withdrawn"
    assert roads.good(None, "GET", f"/notices?unit={COMMUNITY}")["items"] == []
    assert roads.rows() == []
    roads.proven()


def test_an_objection_is_looked_into_and_posted_again(roads):
    roads.at("2019-02-11T09:00")
    roads.register(worker("2100.00"))
    roads.to_opinion()
    roads.opinion("1000.00")
    roads.post()
    roads.send("vera", "objection", objection_on=roads.today, objector_kind="resident", grounds="有存款")
    assert roads.good(None, "GET", f"/notices?unit={COMMUNITY}")["items"] == []
    roads.go("carl", "street_reinvestigate", investigated_on=roads.today, findings="不属实", upheld=False, figures_changed=False)
    assert list(roads.open()) == ["post_street_notice"]


def test_it_stands_beside_an_application_for_dibao_in_either_order(roads):
    roads.at("2019-02-11T09:00")
    roads.register(worker("2100.00"), wife())
    roads.ask()
    dibao = roads.apply()
    assert dibao.startswith("DB-")
    roads.register(worker("2100.00", "李三"))
    roads.apply()
    roads.ask()
    assert list(roads.open()) == ["emergency_decide"]


def test_pages_show_what_was_given_with_its_proof(roads, bureau):
    from tests.served import app_of
    from tests.web.test_pages import Desk

    roads.at("2019-02-05T20:00")
    roads.register(worker("2100.00"))
    roads.ask()
    roads.helped()
    desk = Desk(app_of(bureau), "clerk")
    for path in ("/temporary-assistance/", "/temporary-assistance/?year=2019&kind=emergency&state=paid", f"/households/{roads.home}"):
        page = desk.get(path).get_data(as_text=True)
        assert "2000.00" in page and "手续未补" in page, path
    assert roads.no not in desk.text("/temporary-assistance/?state=granted")
    assert "身份待核" in desk.get("/temporary-assistance/new").get_data(as_text=True)
    assert Desk(app_of(bureau), "stranger").get("/temporary-assistance/").get_data(as_text=True).count(roads.no) == 0


def test_help_given_on_the_spot_is_written_down_after_the_holidays_by_the_law_and_year_of_its_day(roads):
    roads.at("2019-04-02T09:00")
    roads.register(worker("2100.00"))
    roads.ask(applied_on="2019-03-29", happened_on="2019-03-29")
    order = {"emergency_outcome": "help", "opinion": "现场决定", "items": [{**CASH, "amount": "2940.00"}]}
    roads.refused(422, "lee", "emergency_decide", **order, ordered_on="2019-03-28")
    told = roads.refused(422, "lee", "emergency_decide", **order, ordered_on="2019-03-29")
    assert "2760.00" in str(told["errors"]["items"]), "three standards of March; of April it would be 2940.00"
    roads.go("lee", "emergency_decide", **{**order, "items": [{**CASH, "amount": "2760.00"}]}, ordered_on="2019-03-29")
    roads.go("clerk2", "emergency_pay", helped_on="2019-03-29", pay_method="cash", receiver="张一")
    assert [(row["granted_on"], row["year"], row["paid_on"]) for row in roads.rows()] == [("2019-03-29", 2019, "2019-03-29")]
    assert roads.open() == {"emergency_register": "2019-04-15"}, "counted from the help: 04-05 is off"


def test_the_letter_on_emergency_help_may_be_delivered_before_its_case_is_over_and_only_once(roads):
    roads.at("2019-02-11T09:00")
    roads.register(worker("2100.00"))
    roads.ask()
    roads.helped()
    roads.papers()
    roads.signed("further")
    [row] = roads.good("clerk", "GET", f"/cases/{roads.no}/letters")["items"]
    said = {"delivered_on": roads.today, "method": "direct", "recipient": "张一", "receipt_document": roads.page}
    roads.good("clerk", "POST", f"/letters/{row['id']}/delivery", said)
    roads.examined()
    assert roads.case()["limit"]["workdays"] == 15
    roads.opinion("1000.00")
    roads.noticed("2019-02-19T09:00")
    roads.refused(403, "rita", "street_confirmation", decision="granted", opinion="同意")
    roads.go("lee", "street_confirmation", decision="granted", opinion="同意")  # who decided on the help may decide on the grant
    roads.paid()
    roads.deliver()
    days = {one["kind"]: one["delivered_on"] for one in roads.good("clerk", "GET", f"/cases/{roads.no}/letters")["items"]}
    assert (days["temp_emergency"], days["temp_grant"]) == ("2019-02-11", "2019-02-19")
    assert sorted((row["kind"], row["amount_fen"]) for row in roads.rows()) == [("emergency", 200_000), ("expenditure", 100_000)]
    roads.proven()


def test_a_near_relative_neither_decides_nor_pays_and_strangers_see_nothing(roads):
    roads.at("2019-02-05T20:00")
    roads.register(worker("2100.00"))
    for login in ("lee", "clerk2"):
        roads.good("clerk", "POST", f"/households/{roads.home}/near-relatives", {"staff_login": login, "staff_name": "某人", "position": "干部", "relation": "sibling"})
    roads.ask()
    assert roads.refused(403, "lee", "emergency_decide", emergency_outcome="help", items=[CASH], opinion="先行救助")["rule"] == "near-relative"
    assert roads.good("stranger", "GET", "/temporary-grants")["total"] == 0
    assert roads.good("stranger", "GET", "/temporary-grants/years") == {"years": []}
    assert roads.bad(422, "rita", "GET", "/temporary-grants?state=lost")["errors"].keys() == {"state"}
    assert roads.bad(422, "rita", "GET", "/temporary-grants/years?year=1999")["errors"].keys() == {"year"}


def test_no_emergency_goes_by_the_ordinary_procedure(roads):
    roads.at("2019-02-11T09:00")
    roads.register(worker("2100.00"))
    roads.ask(cause="other_emergency")
    roads.refused(422, "lee", "emergency_decide", emergency_outcome="not_emergency", items=[CASH], opinion="不属急难")
    roads.go("lee", "emergency_decide", emergency_outcome="not_emergency", opinion="不属急难")
    assert roads.open() == {"completeness_check": None}
    roads.go("clerk", "completeness_check", outcome="incomplete", missing=["diagnosis"])
    assert "诊断证明" in roads.letter("temp_supplement")
    roads.go("clerk", "supplement", received_on=roads.today, supplied=["diagnosis"])
    roads.refused(422, "clerk", "completeness_check", outcome="incomplete", missing=["id_card"])
    roads.examined()
    assert list(roads.open()) == ["street_opinion"]
    assert roads.rows() == []


def test_requests_are_entered_on_the_pages(roads, bureau):
    from tests.served import app_of
    from tests.web.test_pages import Desk

    roads.at("2019-02-11T09:00")
    roads.register(worker("2100.00"))
    clerk = Desk(app_of(bureau), "clerk")
    assert f'href="/households/{roads.home}/temporary-assistance"' in clerk.text(f"/households/{roads.home}")
    said = {"persons": "1", "residence_basis": "local_hukou", "kind": "emergency", "cause": "fire", "happened_on": "2019-02-11", "reason": "失火", "begun_by": "application",
            "applied_on": "2019-02-11"}  # fmt: skip
    wrong = clerk.post(f"/households/{roads.home}/temporary-assistance", {**said, "household_id": str(roads.home), "cause": "medical"})
    assert wrong.status_code == 422 and "这一事由不属于所选类型" in wrong.get_data(as_text=True)
    begun = clerk.post(f"/households/{roads.home}/temporary-assistance", {**said, "household_id": str(roads.home)})
    assert begun.status_code == 302 and "/cases/LS-2019-" in begun.headers["Location"]
    page = clerk.text(begun.headers["Location"])
    assert "急难先行救助决定" in page and "街镇审批限额（元）" in page and "5520.00" in page
    vera = Desk(app_of(bureau), "vera", "en")
    form = vera.text("/temporary-assistance/new")
    assert "What is known of him" in form and "needed without a registered household" in form
    lacking = vera.post("/temporary-assistance/new", {**said, "begun_by": "discovery"})
    assert lacking.status_code == 422
    lead = {**said, "residence_basis": "unknown", "begun_by": "discovery", "found_by": "resident", "finder": "路人", "known_as": "桥下老人", "community": COMMUNITY}
    assert vera.post("/temporary-assistance/new", lead).status_code == 302
    lee = Desk(app_of(bureau), "lee")
    assert Desk(app_of(bureau), "checker").get("/temporary-assistance/new").status_code == 403
    assert "桥下老人" not in lee.text("/temporary-assistance/"), "nothing is given yet"
