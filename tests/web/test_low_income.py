"""低收入家庭救助 as an application of its own (TLOW; domain 2.10, 3.8), through the HTTP API to the day and the fen."""

from __future__ import annotations

from typing import Any

import pytest

from processes.rebuild import differences
from tests.api_roads import Roads, child, elders, person, wife, worker
from tests.served import app_of
from tests.web.test_pages import Desk

pytestmark = pytest.mark.usefixtures("registries")
OLD, NEW = "low-income-2016", "low-income-2021"
REASON = {"reason_code": "income_over", "clause": "津民发〔2016〕1号"}


class LowRoads(Roads):
    """The stretches that low-income relief has of its own."""

    def ask(self, process: str = OLD) -> str:
        return self.start(process, programme="low_income", applied_on=self.today, applied_by="head", reason="收入低")

    def hardship(self, kind: str, position: int | None = 0, **more: Any) -> dict[str, Any]:
        whose = {} if position is None else {"person_id": self.members[position]}
        return {"hardship": kind, **whose, "document_id": self.page, **more}

    def prove(self, *rows: dict[str, Any]) -> Any:
        return self.go("ann", "hardship_proof", hardships=list(rows), statement="已核实")

    def to_proof(self, *people: dict[str, Any], process: str = OLD, **more: Any) -> None:
        self.register(*people, **more)
        self.ask(process)
        self.accept()
        if "start_investigation" in self.open():
            self.go("officer", "start_investigation", started_on=self.today, methods=["home"])
        self.check()
        self.survey()

    def consented(self, yes: bool = True) -> None:  # noqa: FBT001, FBT002
        self.go("clerk", "dibao_consent", dibao_consent=yes, signed_on=self.today, signed_document=self.page)

    def to_decision(self) -> None:
        """From the street's opinion to the end of the district's notice."""
        self.review()
        self.street()
        self.post()
        self.at("2018-12-11T09:00")
        self.remove()
        self.submit()
        self.examine()
        self.post("district")
        self.at("2018-12-19T09:00")
        self.remove("district")
        self.late_visit()

    def granted_here(self) -> Any:
        self.to_decision()
        self.go("app", "decide", decision="granted", opinion="批准")
        if "issue_certificate" in self.open():
            self.go("clerk", "issue_certificate", holder="户主")
        return self.deliver()


@pytest.fixture
def roads(bureau, district) -> LowRoads:
    made = LowRoads(bureau, district)
    made.at("2018-12-03T09:00")
    return made


def two(each: str, **last: object) -> list[dict[str, Any]]:
    return elders(each, each, **last)


# -- to a grant


def test_a_disabled_member_with_proof_brings_276_for_the_household_and_a_certificate(roads):
    roads.to_proof(*two("1379.99"))
    assert roads.open() == {"hardship_proof": "2018-12-17"}
    roads.prove(roads.hardship("disabled_member"))
    assert roads.facts("category", "amount_fen", "hardships_counted") == ("low_income", 27_600, 1)
    assert "hardships" not in roads.case()["facts"], "which hardship is nobody's who reads facts"
    assert list(roads.open()) == ["democratic_review"], "no consent: it is what was asked for"
    roads.to_decision()
    roads.go("app", "decide", decision="granted", opinion="批准")
    assert list(roads.open()) == ["issue_certificate"]
    roads.go("clerk", "issue_certificate", holder="赵一")
    assert roads.deliver()["outcome"] == "ended_granted"
    found = roads.benefit()
    assert (found["category"], found["amount_fen"], found["members"], found["first_payment_month"]) == ("low_income", 27_600, 2, "2019-01")
    assert roads.letters() == ["acceptance", "approval", "low_income_certificate"]
    acceptance, approval, certificate = map(roads.letter, roads.letters())
    assert "低收入家庭救助申请受理通知书" in acceptance and "最低生活保障" not in acceptance
    assert "276.00元" in approval and "低收入家庭救助" in approval
    assert "天津市城乡居民低收入救助证" in certificate and "民低证〔2018〕1号" in certificate and "塘沽街道办事处" in certificate and "每户每月276.00元" in certificate
    rows = {row["kind"]: row for row in roads.good("clerk", "GET", f"/cases/{roads.no}/letters")["items"]}
    assert rows["low_income_certificate"]["delivered_on"] == rows["approval"]["delivered_on"] == "2018-12-19"
    assert rows["low_income_certificate"]["review_until"] is None, "a certificate is no decision"
    assert rows["approval"]["review_until"] == "2019-02-18", "60 days, rolled"
    roads.proven()


@pytest.mark.parametrize(("income", "hardship", "category", "fen"), [
    ("920.00", True, "low_income", 27_600),  # at the standard: the band's lower edge
    ("1379.99", False, "low_income", 0),
    ("1380.00", True, "refused_income", 0),  # the upper line is not below itself (TLOW)
    ("919.99", True, "dibao", 2),
])  # fmt: skip
def test_the_band_to_the_fen(roads, income, hardship, category, fen):
    roads.to_proof(*two(income))
    roads.prove(*([roads.hardship("disabled_member")] if hardship else []))
    assert roads.facts("category", "amount_fen") == (category, fen)
    if category == "refused_income":
        roads.review()
        roads.refused(422, "rita", "street_opinion", street_outcome="propose_grant", opinion="同意")


def test_what_the_members_suggest_is_no_proof(roads):
    """A registered disability, an illness, a single parent: without a paper in this case nothing counts (TLOW)."""
    roads.to_proof(person("单一", "head", "1985-01-01", "2400.00", disability_kind="limb", disability_grade=1, serious_illness="尿毒症"), child())
    roads.prove()
    assert roads.facts("category", "amount_fen", "hardships_counted") == ("low_income", 0, 0)
    assert roads.granted_here()["outcome"] == "ended_granted"
    assert roads.benefit()["amount_fen"] == 0
    assert "不按月发放" in roads.letter("low_income_certificate")
    assert "不按月发放救助金" in roads.letter("approval")
    roads.proven()


def test_two_hardships_are_one_amount_and_a_single_parent_needs_its_pupil(roads):
    roads.to_proof(person("单一", "head", "1985-01-01", "2400.00"), child())
    told = roads.refused(422, "ann", "hardship_proof", hardships=[roads.hardship("elderly_childless", None)], statement="x")
    assert "hardships.0.hardship" in told["errors"]
    assert "hardships.0.person_id" in roads.refused(422, "ann", "hardship_proof", hardships=[roads.hardship("major_illness", None)], statement="x")["errors"]
    assert "hardships.0.hardship" in roads.refused(422, "ann", "hardship_proof", hardships=[{**roads.hardship("major_illness"), "hardship": "recognised_other"}], statement="x")["errors"]
    assert "hardships.0.document_id" in roads.refused(422, "ann", "hardship_proof", hardships=[{"hardship": "major_illness", "person_id": roads.members[0]}], statement="x")["errors"]
    assert "hardships.0.document_id" in roads.refused(422, "ann", "hardship_proof", hardships=[roads.hardship("major_illness", document_id=999_999_999)], statement="x")["errors"]
    assert "hardships.0.person_id" in roads.refused(422, "ann", "hardship_proof", hardships=[roads.hardship("major_illness", person_id=1)], statement="x")["errors"]
    twice = [roads.hardship("major_illness"), roads.hardship("major_illness")]
    assert "hardships.1.hardship" in roads.refused(422, "ann", "hardship_proof", hardships=twice, statement="x")["errors"]
    roads.refused(403, "rita", "hardship_proof", hardships=[], statement="x")
    roads.prove(roads.hardship("single_parent_student", 1), roads.hardship("major_illness", 0))
    assert roads.facts("amount_fen", "hardships_counted") == (27_600, 2)


def test_a_couple_is_no_single_parent_and_the_old_must_be_sixty_and_childless(roads):
    roads.to_proof(worker("2800.00"), wife(), child())
    assert "hardships.0.hardship" in roads.refused(422, "ann", "hardship_proof", hardships=[roads.hardship("single_parent_student", 2)], statement="x")["errors"]
    roads.to_proof(person("老一", "head", "1958-12-03", "1000.00"), person("老二", "spouse", "1958-12-04", "1000.00", sex="female"))
    old = roads.hardship("elderly_childless", None)
    assert "hardships.0.hardship" in roads.refused(422, "ann", "hardship_proof", hardships=[old], statement="x")["errors"], "one of them is 60 tomorrow"
    roads.to_proof(person("老三", "head", "1958-12-03", "1000.00"), person("老四", "spouse", "1958-12-03", "1000.00", sex="female"))
    roads.prove(roads.hardship("elderly_childless", None))
    assert roads.facts("amount_fen") == 27_600


def test_a_hardship_that_is_only_declared_after_its_proof_brings_nothing(roads):
    roads.to_proof(*two("1000.00"))
    roads.prove()
    roads.to_decision()
    roads.good("clerk", "PUT", f"/households/{roads.home}/hardships", {"hardships": ["disabled_member"]})
    assert roads.refused(403, "app", "decide", decision="granted", opinion="批准")["rule"] == "figures-changed"


# -- it fits dibao after all


def test_who_fits_dibao_is_asked_and_gets_it_with_a_recorded_consent(roads):
    roads.to_proof(*two("900.00"))
    roads.prove()
    assert roads.facts("category") == "dibao"
    assert list(roads.open()) == ["dibao_consent"], "nothing is converted silently"
    roads.refused(422, "clerk", "dibao_consent", dibao_consent=True, signed_on=roads.today)
    roads.consented()
    assert roads.granted_here()["outcome"] == "ended_granted"
    found = roads.benefit()
    assert (found["category"], found["amount_fen"]) == ("dibao", 4_000)
    assert roads.letters() == ["acceptance", "approval"], "no certificate of another programme"
    assert "经您同意" in roads.letter("approval") and "40.00元" in roads.letter("approval")
    roads.proven()


def test_who_declines_dibao_is_refused_by_the_district_and_told_by_the_street(roads):
    roads.to_proof(*two("900.00"))
    roads.prove()
    roads.consented(False)
    roads.review()
    roads.refused(422, "rita", "street_opinion", street_outcome="propose_grant", opinion="同意")
    assert roads.refuse("other", "符合低保条件，本人不同意按低保办理")["outcome"] == "ended_refused"
    letter = roads.letter("refusal")
    assert "塘沽街道办事处" in letter and "天津市滨海新区民政局于2018年12月3日决定不予批准" in letter
    assert "同意按低保办理的" in letter and "低于低保标准920.00元" in letter and "行政复议" in letter
    roads.proven()


def test_a_refusal_says_by_how_much_the_income_is_over_the_band(roads):
    roads.to_proof(*two("1380.00"))
    roads.prove(roads.hardship("disabled_member"))
    roads.review()
    assert roads.refuse("income_over", "收入超过标准")["outcome"] == "ended_refused"
    letter = roads.letter("refusal")
    assert "不低于低收入家庭标准1380.00元" in letter and "低于2760.00元" in letter and "至少高出0.01元" in letter
    assert "低保收入条件" not in letter, "only what was applied for"
    roads.proven()


# -- objection, withdrawal, start


def test_an_objection_leads_to_a_new_survey_and_new_proofs_and_a_withdrawal_ends_it(roads):
    roads.to_proof(*two("1000.00"))
    roads.prove(roads.hardship("disabled_member"))
    roads.review()
    roads.street()
    roads.post()
    roads.send("vera", "objection", objection_on=roads.today, objector_kind="resident", grounds="残疾证已过期")
    roads.go("ann", "street_reinvestigate", investigated_on=roads.today, findings="属实", upheld=True, figures_changed=True)
    roads.check()
    roads.survey()
    assert roads.facts("category", "hardships_counted") == (None, None), "a round begins with nothing of the last"
    roads.prove()
    assert roads.facts("category", "amount_fen") == ("low_income", 0)
    assert roads.send("clerk", "withdrawal", withdrawn_on=roads.today, reason="不再申请", signed_document=roads.page)["outcome"] == "ended_withdrawn"
    roads.proven()


def test_it_begins_in_april_2016_and_by_the_procedure_of_the_day(roads):
    roads.register(*two("1000.00"))
    said = {"household_id": roads.home, "programme": "low_income", "applied_on": roads.today, "applied_by": "head", "reason": "困难"}
    assert roads.bad(403, "clerk", "POST", "/cases", {"process": NEW, "answers": said})["rule"] == "procedure"
    assert "programme" in roads.bad(422, "clerk", "POST", "/cases", {"process": OLD, "answers": {**said, "programme": "dibao"}})["errors"]
    roads.bad(403, "rita", "POST", "/cases", {"process": OLD, "answers": said})
    roads.ask()
    assert roads.bad(403, "clerk", "POST", "/cases", {"process": OLD, "answers": said})["rule"] == "open_case"
    times = {one["key"]: (one["applies_from"], one["applies_until"]) for one in roads.good("clerk", "GET", "/processes")["items"]}
    assert (times[OLD], times[NEW]) == (("2016-04-01", "2021-07-01"), ("2021-07-01", None))


def test_the_sixth_hardship_is_recognised_by_civil_affairs_and_finance_only(roads):
    roads.to_proof(*two("1000.00"))
    roads.prove()
    roads.review()
    roads.go("rita", "street_opinion", street_outcome="joint_meeting", opinion="提交", trigger="hardship_other_six", special_facts="火灾后负债", wish="认定其他特殊困难")
    assert roads.facts("meeting_from") == "street"
    assert roads.case()["waits_for"] == ["resolution", "withdrawal"]


def test_who_is_not_in_the_band_has_no_hardship_to_recognise(roads):
    roads.to_proof(*two("1500.00"))
    roads.prove()
    roads.review()
    asked = {"street_outcome": "joint_meeting", "opinion": "提交", "trigger": "hardship_other_six", "special_facts": "负债", "wish": "认定"}
    assert "trigger" in roads.refused(422, "rita", "street_opinion", **asked)["errors"]


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_pages_lead_to_it(roads, lang):
    roads.register(*two("1000.00"))
    app = app_of(roads.bureau)
    clerk, ann = (Desk(app, who, lang) for who in ("clerk", "ann"))
    assert f'href="/households/{roads.home}/low-income"' in clerk.text(f"/households/{roads.home}")
    sent = {"programme": "low_income", "applied_on": roads.today, "applied_by": "head", "reason": "收入低", "household_id": str(roads.home)}
    answer = clerk.post(f"/households/{roads.home}/low-income", sent)
    assert answer.status_code == 302
    roads.no = answer.headers["Location"].rsplit("/", 1)[-1]
    roads.accept()
    roads.check()
    roads.survey()
    task = next(t for t in roads.case()["tasks"] if t["node"] == "hardship_proof")
    assert ("家庭成员中有残疾人" if lang == "zh" else "Disabled member") in ann.text(f"/tasks/{task['id']}")
    row = roads.hardship("disabled_member")
    answer = ann.post(f"/tasks/{task['id']}", {"_do": "complete", "statement": "已核实", **{f"hardships-0-{name}": str(value) for name, value in row.items()}})
    assert answer.status_code == 302, answer.get_data(as_text=True)[-3000:]
    assert roads.facts("amount_fen") == 27_600
    assert "276.00" in clerk.text(f"/cases/{roads.no}?tab=means")


# -- since 2021


def test_since_september_2021_the_street_confirms_it_within_30_working_days(roads):
    roads.at("2021-09-06T09:00")
    roads.to_proof(*two("1514.99"), process=NEW)
    roads.prove(roads.hardship("major_illness"))
    assert roads.facts("category", "amount_fen", "confirmed_by", "whole_case_workdays") == ("low_income", 30_300, "street", 30)
    roads.go("rita", "street_opinion", street_outcome="propose_grant", opinion="初审")
    roads.post()
    roads.at("2021-09-14T09:00")
    roads.remove()
    roads.go("rita", "submit_to_district", contents=["application", "survey", "opinion"])
    if "spot_check_visit" in roads.open():
        roads.go("spot", "spot_check_visit", visited_on=roads.today, second_visitor="乙", findings="一致", agrees=True, photos=[roads.page])
    roads.late_visit()
    roads.go("lee", "street_confirmation", decision="granted", opinion="确认")
    roads.go("clerk", "issue_certificate", holder="赵一")
    roads.deliver()
    assert roads.go("vera", "publish_result", posted_on=roads.today, places=["village_board"], photo=roads.page)["outcome"] == "ended_granted"
    assert roads.benefit()["amount_fen"] == 30_300
    assert "220号" not in roads.letter("approval") + roads.letter("acceptance")
    roads.proven()


@pytest.mark.parametrize(("accepted", "income", "category"), [("2021-11-08", "1515.00", "refused_income"), ("2021-12-06", "1515.00", "low_income"), ("2022-02-07", "1515.01", "refused_income")])
def test_the_upper_line_is_included_since_2022(roads, accepted, income, category):
    roads.at(f"{accepted}T09:00")
    roads.to_proof(*two(income), process=NEW)
    roads.prove()
    assert roads.facts("category") == category, "by the month from which it would count"
    assert differences(roads.bureau.office) == []


def test_a_case_begun_before_july_2021_and_accepted_after_moves(roads):
    roads.at("2021-06-30T09:00")
    roads.register(*two("1000.00"))
    roads.ask()
    roads.at("2021-07-01T09:00")
    roads.accept()
    assert roads.case()["process"] == NEW
    assert list(roads.open()) == ["start_investigation"]
