"""The scenarios of domain 7 under the law from 2021-07-01 on, through the HTTP API to the day and the fen: one notice, 30/20/45 working
days, the street that confirms, and the case that changes the procedure at its acceptance."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from processes import law
from processes.bureau import CATALOGUE
from processes.rebuild import differences
from tests.api_roads import Roads, child, elders, wife, worker
from tests.district import COMMUNITY
from tests.served import app_of
from tests.web.test_pages import Desk

pytestmark = pytest.mark.usefixtures("registries")
NEW = "dibao-2021"
REASON = {"reason_code": "income_over", "clause": "民发〔2021〕57号第二十一条"}


@pytest.fixture
def roads(bureau, district) -> Roads2021:
    return Roads2021(bureau, district)


class Roads2021(Roads):
    """The stretches that the later procedure has otherwise."""

    def begin(self, wage: str = "2300.00", *, process: str = NEW) -> None:
        self.register(worker(wage), wife(), child())
        self.apply(process)

    def start_investigation(self, **more: object) -> None:
        self.go("officer", "start_investigation", started_on=self.today, methods=["home", "neighbours", "means_check"], **more)
        self.bureau.jobs.run_all()

    def to_opinion(self, wage: str = "2300.00") -> None:
        self.begin(wage)
        self.accept()
        self.start_investigation()
        self.check()
        self.survey()

    def opinion(self, outcome: str = "propose_grant", **more: object) -> None:
        self.go("rita", "street_opinion", street_outcome=outcome, opinion="初审意见", **more)

    def signed(self) -> None:
        self.go("lee", "street_signoff", signoff="agree", opinion="同意")

    def noticed(self, over: str) -> None:
        """The one notice, up to the moment when it may come down."""
        self.post()
        self.at(over)
        self.remove()

    def handed_in(self, **more: object) -> None:
        self.go("rita", "submit_to_district", contents=["application", "survey", "opinion"], **more)
        if "spot_check_visit" in self.open():
            self.go("spot", "spot_check_visit", visited_on=self.today, second_visitor="乙", findings="一致", agrees=True, photos=[self.page])

    def published(self) -> object:
        return self.go("vera", "publish_result", posted_on=self.today, places=["village_board"], photo=self.page)


# -- the application by the district


def test_s1_by_the_law_of_july_2021_there_is_one_notice_and_the_district_has_ten_working_days(roads):
    roads.at("2021-07-05T09:00")
    roads.begin()
    roads.accept()
    assert roads.facts("accepted_on", "confirmed_by", "whole_case_workdays") == ("2021-07-05", "district", 30)
    assert roads.open() == {"start_investigation": "2021-07-08"}, "started within three working days"
    assert (roads.case()["limit"]["workdays"], roads.case()["limit"]["last"]) == (30, "2021-08-16")
    roads.at("2021-07-08T09:00")
    roads.start_investigation()
    assert roads.open() == dict.fromkeys(("means_check", "home_survey", "neighbor_enquiry"), "2021-08-16")
    roads.check()
    roads.survey()
    assert roads.open() == {"street_opinion": None}, "no democratic review before anybody objects"
    roads.opinion()
    roads.signed()
    roads.post()
    [notice] = roads.good(None, "GET", f"/notices?unit={COMMUNITY}")["items"]
    assert (notice["posted_on"], notice["until_on"][:10], notice["members"], notice["amount_fen"]) == ("2021-07-08", "2021-07-16", 3, 73_000)
    roads.at("2021-07-15T23:59")
    assert roads.open() == {}, "the whole of the seventh day"
    roads.at("2021-07-16T09:00")
    roads.remove()
    roads.handed_in()
    assert roads.open() == {"district_examination": "2021-07-30"}
    roads.at("2021-07-19T09:00")
    roads.examine()
    roads.late_visit()
    assert roads.open() == {"decide": "2021-07-30"}, "no second notice"
    roads.go("app", "decide", decision="granted", opinion="确认同意")
    roads.deliver()
    assert roads.open() == {"publish_result": None}
    assert roads.published()["outcome"] == "ended_granted"
    found = roads.benefit()
    assert (found["amount_fen"], found["granted_on"], found["first_payment_month"]) == (73_000, "2021-07-19", "2021-08")
    assert roads.letters() == ["acceptance", "approval"]
    assert "30个工作日内完成" in roads.letter("acceptance")
    approval = roads.letter("approval")
    assert all(said in approval for said in ("730.00元", "民发〔2021〕57号第二十三条", "天津市滨海新区民政局"))
    assert "220号" not in roads.letter("acceptance") + approval
    roads.proven()


# -- the application by the street


@pytest.mark.parametrize(("accepted", "limit", "last"), [("2021-09-01", 30, "2021-10-19"), ("2022-10-19", 30, "2022-11-30"), ("2022-10-20", 20, "2022-11-17")])
def test_from_september_2021_the_street_confirms_within_30_and_since_october_2022_20_working_days(roads, accepted, limit, last):
    roads.at(f"{accepted}T09:00")
    roads.to_opinion()
    assert roads.facts("confirmed_by", "whole_case_workdays") == ("street", limit)
    assert roads.case()["limit"]["last"] == last
    roads.opinion()
    assert list(roads.open()) == ["post_street_notice"], "the leader confirms afterwards, and signs nothing before"
    roads.noticed(f"{accepted[:8]}{int(accepted[8:]) + 8:02d}T09:00")
    roads.handed_in()
    roads.late_visit()
    assert roads.open() == {"street_confirmation": last}
    assert roads.go("lee", "street_confirmation", decision="granted", opinion="确认同意")
    roads.deliver()
    assert roads.published()["outcome"] == "ended_granted"
    assert roads.benefit()["amount_fen"] == 73_000
    letter = roads.letter("approval")
    assert "塘沽街道办事处" in letter
    assert "天津市民政局" not in letter, "against a street one turns to the district's government alone"
    roads.proven()


def test_whoever_had_a_part_in_the_case_does_not_confirm_it(roads):
    roads.at("2021-09-06T09:00")
    roads.to_opinion("9000.00")
    roads.opinion("propose_refuse", **REASON)
    roads.handed_in()
    roads.late_visit()
    assert "decision" in roads.refused(422, "lee", "street_confirmation", decision="granted", opinion="同意")["errors"]
    roads.go("lee", "street_confirmation", decision="returned", opinion="请补充", reason_code="procedure", clause="第十九条")
    roads.opinion("propose_refuse", **REASON)
    roads.handed_in()
    roads.go("lee", "street_confirmation", decision="refused", opinion="收入高于标准", **REASON)
    assert roads.open() == {"deliver_refusal": "2021-09-09"}, "three working days"
    assert roads.deliver("deliver_refusal")["outcome"] == "ended_refused"
    roads.proven()


# -- the day of acceptance decides


def test_a_case_that_was_opened_under_the_old_procedure_and_accepted_under_the_new_one_moves(roads):
    roads.at("2021-06-30T09:00")
    roads.begin(process="dibao-2012")
    old_home, old = roads.home, roads.no
    roads.accept()
    roads.begin(process="dibao-2012")
    moving = roads.no
    before = roads.case(moving)
    roads.at("2021-07-01T09:00")
    roads.go("clerk", "completeness_check", outcome="incomplete", missing=["income_proof"])
    assert roads.case()["process"] == "dibao-2012", "not accepted yet"
    assert "民发〔2021〕57号第十条" in roads.letter("supplement")
    roads.go("clerk", "supplement", received_on="2021-07-01", supplied=["income_proof"])
    roads.accept()
    now = roads.case()
    assert (before["process"], now["process"]) == ("dibao-2012", NEW)
    assert (roads.facts("accepted_on", "confirmed_by"), roads.open()) == (("2021-07-01", "district"), {"start_investigation": "2021-07-06"})
    entries = roads.good("auditor", "GET", f"/cases/{moving}/record")["items"]
    events = [one["event"] for one in entries]
    assert events[events.index("case_moved") :][:2] == ["case_moved", "task_completed"]

    roads.start_investigation()
    roads.check()
    roads.survey()
    roads.opinion()
    assert roads.case(old)["process"] == "dibao-2012", "what runs stays where it is"
    assert set(roads.open(old)) == {"means_check", "home_survey", "neighbor_enquiry"}
    roads.choose(old_home)
    roads.no = old
    roads.check()
    roads.survey()
    roads.review()
    roads.proven(old, moving)


def test_an_application_begins_by_the_procedure_of_its_day(roads):
    roads.at("2021-06-30T23:00")
    roads.register(worker("2100.00"), wife(), child())
    said = {"household_id": roads.home, "programme": "dibao", "applied_on": "2021-06-30", "applied_by": "head", "reason": "困难"}
    assert roads.bad(403, "clerk", "POST", "/cases", {"process": NEW, "answers": said})["rule"] == "procedure"
    roads.at("2021-07-01T00:01")
    assert roads.bad(403, "clerk", "POST", "/cases", {"process": "dibao-2012", "answers": said})["rule"] == "procedure"
    roads.apply(NEW)
    times = {one["key"]: (one["applies_from"], one["applies_until"]) for one in roads.good("clerk", "GET", "/processes")["items"]}
    assert (times["dibao-2012"], times[NEW], times["joint-meeting"]) == (("2012-12-12", "2021-07-01"), ("2021-07-01", None), (None, None))
    assert differences(roads.bureau.office) == []


# -- the notice is disputed


@pytest.mark.parametrize("way", ["review", "investigate"])
def test_s9_a_disputed_notice_leads_to_a_review_or_a_new_investigation_and_to_no_second_notice(roads, way):
    roads.at("2021-07-05T09:00")
    roads.to_opinion()
    roads.opinion()
    roads.signed()
    roads.post()
    roads.at("2021-07-08T09:00")
    roads.send("clerk", "objection", objection_on="2021-07-08", objector_kind="resident", grounds="有未申报的店铺")
    assert roads.open() == {"handle_dispute": "2021-07-22"}
    assert roads.good(None, "GET", f"/notices?unit={COMMUNITY}")["items"] == []
    roads.go("officer", "handle_dispute", handled_on="2021-07-08", findings="店铺为堂兄所有", dispute_way=way, extension="disputed")
    assert (roads.case()["limit"]["workdays"], roads.case()["limit"]["last"]) == (45, "2021-09-06")
    if way == "review":
        assert roads.open() == {"democratic_review": "2021-07-22"}
        roads.review()
    else:
        assert roads.open() == dict.fromkeys(("home_survey", "neighbor_enquiry"), "2021-09-06")
        roads.check()
        roads.survey()
    roads.opinion()
    roads.signed()
    assert list(roads.open()) == ["submit_to_district"]
    roads.handed_in()
    assert roads.facts("spot_check", "spot_reason")[0] is True, "what others complained of is visited"
    assert "reported" in roads.facts("spot_reason")
    roads.examine()
    assert "decide" in roads.open()
    roads.proven()


def test_a_complaint_at_the_district_sends_somebody_to_the_home_before_the_decision(roads):
    roads.at("2021-07-05T09:00")
    roads.to_opinion()
    roads.opinion()
    roads.signed()
    roads.noticed("2021-07-13T09:00")
    roads.handed_in()
    visited = roads.facts("spot_check")
    roads.examine(complained=True)
    assert roads.facts("reported") is True
    assert list(roads.open()) == (["decide"] if visited else ["late_spot_check_visit"])
    roads.late_visit()
    roads.go("app", "decide", decision="returned", opinion="请核实投诉", reason_code="facts_unclear", clause="第二十条")
    roads.go("exam", "district_examination", district_outcome="return_street", opinion="请核实", reason_code="facts_unclear", clause="第二十条")
    roads.opinion()
    roads.signed()
    assert list(roads.open()) == ["submit_to_district"], "what hung for seven days undisputed does not hang again unchanged"
    roads.proven()


# -- who does not co-operate


def test_without_co_operation_the_procedure_is_ended_and_nothing_is_refused(roads):
    roads.at("2021-07-05T09:00")
    roads.begin()
    roads.accept()
    roads.start_investigation()
    said = {"refused_on": "2021-07-05", "refusal": "no_entry", "note": "两次上门均拒绝入户"}
    assert "warned" in roads.bad(422, "ann", "POST", f"/cases/{roads.no}/messages/not_cooperating", {"answers": {**said, "warned": False}})["errors"]
    roads.send("ann", "not_cooperating", warned=True, **said)
    assert roads.open() == {"street_opinion": None}
    assert "street_outcome" in roads.refused(422, "rita", "street_opinion", street_outcome="propose_grant", opinion="同意")["errors"]
    roads.opinion("terminate", reason_code="no_cooperation", clause="民发〔2021〕57号第二十九条")
    assert roads.open() == {"decide_termination": "2021-08-16"}
    roads.go("lee", "decide_termination", decision="terminated", opinion="两次上门均拒绝入户，已告知后果。")
    assert roads.deliver("deliver_termination")["outcome"] == "ended_terminated"
    letter = roads.letter("termination")
    assert all(word in letter for word in ("终止审核确认程序", "第二十九条", "60日内", "6个月内", "可以重新申请"))
    roads.proven()
    roads.apply(NEW)
    roads.accept()
    roads.start_investigation()
    roads.check()
    roads.survey()
    assert "street_outcome" in roads.refused(422, "rita", "street_opinion", street_outcome="terminate", opinion="终止", reason_code="other", clause="第二十九条")["errors"]


# -- refusal and remedies


def test_s11_a_refusal_of_2021_goes_out_within_three_working_days_and_names_the_remedies(roads):
    roads.at("2021-09-29T09:00")
    roads.to_opinion("9000.00")
    roads.opinion("propose_refuse", **REASON)
    assert list(roads.open()) == ["submit_to_district"]
    roads.handed_in()
    roads.late_visit()
    roads.at("2021-09-30T09:00")
    roads.go("lee", "street_confirmation", decision="refused", opinion="收入高于标准", **REASON)
    assert roads.open() == {"deliver_refusal": "2021-10-11"}, "the holidays of the first days of October do not count; the ninth is worked"
    roads.at("2021-10-08T09:00")
    roads.deliver("deliver_refusal")
    [row] = [one for one in roads.good("clerk", "GET", f"/cases/{roads.no}/letters")["items"] if one["kind"] == "refusal"]
    assert (row["review_until"], row["suit_until"]) == ("2021-12-07", "2022-04-08")
    letter = roads.letter("refusal")
    assert all(said in letter for said in ("3000.00元", "1515.00元", "民发〔2021〕57号第二十一条", "60日内", "6个月内"))
    roads.proven()


def test_the_table_of_procedures_names_processes_that_there_are():
    assert set(law.procedures("dibao")) <= set(CATALOGUE)


def test_the_page_begins_an_application_by_the_procedure_of_the_day_and_shows_a_case_that_moved(roads, bureau):
    app = app_of(bureau)
    roads.at("2021-06-30T09:00")
    roads.begin(process="dibao-2012")
    roads.at("2021-07-01T09:00")
    roads.accept()
    for lang, moved, task in (("zh", "改按受理之日施行的办法办理", "启动家庭经济状况调查"), ("en", "Goes on by the procedure of the day of acceptance", "Start the investigation")):
        rita, officer = Desk(app, "rita", lang), Desk(app, "officer", lang)
        assert moved in rita.text(f"/cases/{roads.no}?tab=record")
        assert task in rita.text(f"/cases/{roads.no}")
        assert task in rita.text(f"/cases/{roads.no}/replay")
        [one] = [t for t in roads.case()["tasks"] if t["state"] == "open"]
        assert task in officer.text(f"/tasks/{one['id']}")
    roads.register(worker("2300.00"), wife(), child())
    sent = {"applied_by": "head", "applied_on": "2021-07-01", "programme": "dibao", "reason": "困难"}
    answer = Desk(app, "clerk").post(f"/households/{roads.home}/application", sent)
    assert answer.status_code == 302, answer.get_data(as_text=True)
    assert roads.case(answer.location.rpartition("/")[2])["process"] == NEW


# -- reports of changes


class Reported2021(Roads2021):
    def report(self, kind: str, event_on: str, **more: object) -> str:
        said = {"kind": kind, "event_on": event_on, "reported_on": self.today, "channel": "window", "reported_by": "household", "details": "情况变化",
                "evidence": [self.page], **more}  # fmt: skip
        return self.start("change-report-2021", **said)

    def entitled(self, *people: dict, decided: str) -> None:
        """A household whose dibao the street confirmed on a day; the clock stands on the first day of the first month that is paid."""
        opened = date.fromisoformat(decided) - timedelta(days=8)
        self.clock.set(f"{opened}T09:00")
        self.register(*people)
        self.apply(NEW)
        self.accept()
        self.start_investigation()
        self.check()
        self.survey()
        self.opinion()
        self.noticed(f"{decided}T09:00")
        self.handed_in()
        self.late_visit()
        self.go("lee", "street_confirmation", decision="granted", opinion="确认同意")
        self.deliver()
        self.published()
        self.at(f"{self.benefit()['first_payment_month']}-01T09:00")

    def job(self, event_on: str, wage: str = "2300.00", who: int = 1, **more: object) -> None:
        """Somebody began to work: reported today, entered, looked into."""
        earner = self.members[who]
        self.report("job_start", event_on, person_id=earner, **more)
        self.go("clerk", "register_change", evidence_outcome="complete", persons=[{"person_id": earner, "employment": "employed"}],
                incomes=[{"person_id": earner, "kind": "wage_income", "amount_fen": wage, "period": "month"}])  # fmt: skip
        self.looked_into()

    def confirmed(self, conclusion: str, reason_code: str, **more: object) -> Any:
        self.go("rita", "street_opinion", conclusion=conclusion, reason_code=reason_code, clause="民发〔2021〕57号第三十二条", opinion="情况属实", **more)
        self.go("lee", "street_confirmation", decision="approved", opinion="同意")
        return self.deliver("deliver_conclusion")


@pytest.fixture
def told(bureau, district) -> Reported2021:
    return Reported2021(bureau, district)


def test_s12_a_death_is_dealt_with_by_the_street_and_the_share_of_the_dead_stops(told):
    told.entitled(*elders("", "1500.00", ""), decided="2022-10-24")
    head, dead, kid = told.members
    assert (told.today, told.payable("2022-10", "2022-11", "2023-01")) == ("2022-11-01", [0, 153_000, 153_000]), "1010 x 3 - 1500"
    told.stable()
    told.at("2023-01-09T10:00")
    no = told.report("death", "2022-12-28", person_id=dead)
    assert told.open() == {"register_change": "2023-01-16"}
    told.go("clerk", "register_change", evidence_outcome="complete", leaves=[{"person_id": dead, "left_on": "2022-12-28", "left_reason": "death"}])
    told.looked_into()
    assert told.facts("confirmed_by", "change_workdays", "amount_fen", "grace") == ("street", 20, 202_000, False)
    told.go("rita", "street_opinion", conclusion="increase", reason_code="member_changed", clause="民发〔2021〕57号第三十二条", opinion="属实")
    assert told.open() == {"street_confirmation": "2023-02-09"}, "twenty working days; the spring festival does not count, the weekend behind it is worked"
    told.go("lee", "street_confirmation", decision="approved", opinion="同意")
    assert told.open() == {"deliver_conclusion": "2023-01-12"}, "three working days"
    assert told.deliver("deliver_conclusion")["outcome"] == "ended_changed"
    assert told.payable("2022-12", "2023-01", "2023-02", "2023-03") == [153_000, 153_000, 202_000, 202_000]
    found = told.benefit()
    assert {one["person_id"] for one in found["members_counted"]} == {head, kid}
    last = found["adjustments"][-1]
    assert (last["kind"], last["before_fen"], last["after_fen"], last["before_members"], last["after_members"], last["from_month"], last["case_no"]) == (
        "increase", 153_000, 202_000, 3, 2, "2023-02", no)  # fmt: skip
    assert (found["status"], found["exit_class"], found["settlements"]) == ("active", None, [])
    letter = told.letter("adjustment")
    assert all(word in letter for word in ("2020.00元", "塘沽街道办事处", "民发〔2021〕57号第三十二条"))
    told.proven()


def test_s12_a_death_reported_late_is_finished_within_three_months_of_it(told):
    told.entitled(*elders("", "1500.00", ""), decided="2022-10-24")
    told.stable()
    dead = told.members[1]
    told.at("2023-02-15T10:00")
    told.report("death", "2022-11-25", person_id=dead)
    told.go("clerk", "register_change", evidence_outcome="complete", leaves=[{"person_id": dead, "left_on": "2022-11-25", "left_reason": "death"}])
    told.looked_into()
    assert told.facts("late", "change_workdays") == (True, 7)
    told.go("rita", "street_opinion", conclusion="increase", reason_code="member_changed", opinion="属实", clause="第三十二条")
    assert told.open() == {"street_confirmation": "2023-02-24"}, "the three months end on a Saturday"


@pytest.mark.parametrize("reported_by", ["household", "public"])
def test_s14_who_begins_to_work_keeps_the_benefit_for_six_months(told, reported_by):
    told.entitled(*elders("1200.00", "", ""), decided="2022-10-24")
    told.stable()
    wife_ = told.members[1]
    assert told.payable("2022-11", "2022-12") == [183_000, 183_000], "1010 x 3 - 1200"
    told.at("2022-12-12T10:00")
    told.job("2022-12-09", reported_by=reported_by, channel="window" if reported_by == "household" else "phone")
    assert told.facts("per_capita", "category", "grace", "grace_from", "grace_until", "grace_person") == ("1166.67", "low_income", True, "2023-01", "2023-06", wife_)
    for lang, said in (("zh", "不计其劳动收入仍符合低保条件：给予渐退期，至 2023-06 止"), ("en", "grace period until 2023-06")):
        rita, [task] = Desk(app_of(told.bureau), "rita", lang), told.case()["tasks"][-1:]
        assert said in rita.text(f"/cases/{told.no}"), "in the computation of the case"
        assert said in rita.text(f"/tasks/{task['id']}"), "and before the reviewer"
    wrong = {"opinion": "情况属实", "clause": "第三十二条"}
    assert "conclusion" in told.refused(422, "rita", "street_opinion", conclusion="stop", reason_code="income_over", **wrong)["errors"]
    assert "reason_code" in told.refused(422, "rita", "street_opinion", conclusion="grace", reason_code="income_over", **wrong)["errors"]
    assert told.confirmed("grace", "job_started")["outcome"] == "ended_changed"
    found = told.benefit()
    last = found["adjustments"][-1]
    assert (last["kind"], last["reason_code"], last["before_fen"], last["after_fen"], last["from_month"]) == ("grace", "job_started", 183_000, 183_000, "2023-01")
    assert (found["status"], found["exit_class"], found["grace_until"], found["next_review_on"], found["settlements"]) == ("active", None, "2023-06", "2023-06-01", [])
    assert told.payable("2022-12", "2023-01", "2023-06") == [183_000] * 3
    letter = told.letter("grace_period")
    assert all(word in letter for word in ("渐退期", "至2023年6月止", "1830.00元不变", "1166.67元", "1010.00元", "不超过6个月", "60日内", "塘沽街道办事处"))
    told.proven()


@pytest.mark.parametrize(("today", "until"), [("2022-10-19", None), ("2022-10-20", "2023-04")])
def test_the_grace_period_is_the_law_of_the_day_of_the_decision(told, today, until):
    told.entitled(*elders("1200.00", "", ""), decided="2022-08-22")
    told.stable()
    told.at(f"{today}T10:00")
    told.job("2022-10-12")
    assert told.facts("grace", "grace_until") == (until is not None, until)
    said = ("grace", "job_started") if until else ("stop", "income_over")
    assert told.confirmed(*said)["outcome"] == ("ended_changed" if until else "ended_stopped")
    assert told.payable("2022-10", "2022-11") == [183_000, 183_000 if until else 0]


def test_a_job_reported_late_has_used_up_its_months_and_what_was_paid_in_them_was_right(told):
    told.entitled(*elders("1200.00", "", ""), decided="2022-10-24")
    told.stable()
    told.at("2023-03-06T10:00")
    told.job("2022-12-09")
    assert told.facts("late", "grace", "grace_until") == (True, True, "2023-06"), "six months from January, whenever it is told"
    assert told.confirmed("grace", "job_started")["outcome"] == "ended_changed"
    assert told.benefit()["settlements"] == []
    told.at("2023-03-07T10:00")
    told.report("job_start", "2023-03-06", person_id=told.members[2])
    told.go("clerk", "register_change", evidence_outcome="complete", persons=[{"person_id": told.members[2], "employment": "employed"}],
            incomes=[{"person_id": told.members[2], "kind": "wage_income", "amount_fen": "100.00", "period": "month"}])  # fmt: skip
    told.looked_into()
    assert told.facts("grace") is False, "other work takes the household over the standard, too: no second period"
    told.proven()


def test_no_grace_period_where_something_else_ends_the_benefit(told):
    told.entitled(*elders("1200.00", "", ""), decided="2022-10-24")
    told.stable()
    told.at("2022-12-12T10:00")
    earner = told.members[1]
    told.report("job_start", "2022-12-09", person_id=earner)
    told.go("clerk", "register_change", evidence_outcome="complete", property=[{"kind": "vehicle"}],
            incomes=[{"person_id": earner, "kind": "wage_income", "amount_fen": "2300.00", "period": "month"}])  # fmt: skip
    told.looked_into()
    assert told.facts("category", "grace", "grace_until") == ("refused_vehicle", False, None)
    assert told.confirmed("stop", "property_over")["outcome"] == "ended_stopped"


def test_a_report_is_handled_by_the_procedure_of_its_day_to_the_end(told):
    told.clock.set("2021-06-03T09:00")
    told.register(*elders("1200.00", "", ""))
    told.granted(told.home)
    assert told.today == "2021-07-01"
    said = {"household_id": told.home, "kind": "other", "event_on": "2021-06-30", "reported_on": "2021-07-01", "channel": "window", "reported_by": "household", "details": "情况"}
    assert told.bad(403, "clerk", "POST", "/cases", {"process": "change-report-2012", "answers": said})["rule"] == "procedure"
    told.start("change-report-2021", **said)
    assert told.facts("confirmed_by") == "district"
    told.at("2021-09-02T09:00")
    told.go("clerk", "register_change", evidence_outcome="complete")
    told.looked_into()
    told.go("rita", "street_opinion", conclusion="keep", opinion="没有变化")
    assert list(told.open()) == ["street_signoff"], "who confirms was settled when it began"
    told.go("lee", "street_signoff", signoff="agree", opinion="同意")
    assert told.deliver("deliver_conclusion")["outcome"] == "ended_kept"
    told.proven()


@pytest.mark.parametrize(("hardship", "conclusion", "after"), [(False, "stop", 0), (True, "convert", 30_300)])
def test_s14_the_review_in_the_last_month_of_the_grace_period_ends_it_to_the_day(told, hardship, conclusion, after):
    told.entitled(*elders("1200.00", "", "", **({"disability_kind": "mental", "disability_grade": 2, "labour_ability": "completely_lost"} if hardship else {})), decided="2022-10-24")
    told.stable()
    told.at("2022-12-12T10:00")
    told.job("2022-12-09", wage="3000.00" if hardship else "2300.00")
    assert told.facts("grace_until") == "2023-06"
    told.confirmed("grace", "job_started")
    told.at("2023-05-31T23:00")
    assert told.good("rita", "GET", "/reviews?state=under_way")["total"] == 0
    told.at("2023-06-01T09:00")
    [row] = told.good("rita", "GET", "/reviews?state=under_way")["items"]
    told.no = row["case"]
    assert told.case()["process"] == "review-2021"
    told.go("officer", "contact_household", contacted_on="2023-06-01", method="phone", contact_outcome="contacted", asked_for=["income_proof"])
    told.looked_into()
    assert told.facts("confirmed_by", "grace", "grace_until") == ("street", False, "2023-06"), "the month from which it would count lies behind it"
    wrong = told.refused(422, "rita", "street_opinion", conclusion="grace", reason_code="job_started", opinion="再延长", clause="第三十二条")
    assert "conclusion" in wrong["errors"], "once, and no longer than the law's months"
    told.go("rita", "street_opinion", conclusion=conclusion, reason_code="income_over" if after == 0 else "converted", opinion="渐退期满", clause="民发〔2021〕57号第三十二条",
            **({"convert_consent": True} if after else {}))  # fmt: skip
    assert told.open() == {"street_confirmation": "2023-06-30"}
    told.go("lee", "street_confirmation", decision="approved", opinion="同意")
    told.deliver("deliver_conclusion")
    assert told.payable("2023-05", "2023-06", "2023-07") == [told.benefit()["adjustments"][0]["after_fen"]] * 2 + [after]
    assert (told.benefit()["grace_until"], told.benefit()["grace_person"]) == (None, None)
    told.proven()


def test_a_review_is_opened_by_the_procedure_of_its_day(told):
    told.clock.set("2021-06-03T09:00")
    told.register(*elders("1200.00", "", ""))
    told.granted(told.home)
    said = {"household_id": told.home, "occasion": "early", "note": "核实"}
    assert told.bad(403, "clerk", "POST", "/cases", {"process": "review-2012", "answers": said})["rule"] == "procedure"
    told.start("review-2021", occasion="early", note="核实")
    told.go("officer", "contact_household", contacted_on=told.today, method="phone", contact_outcome="contacted")
    told.looked_into()
    told.go("rita", "street_opinion", conclusion="keep", opinion="没有变化")
    assert list(told.open()) == ["street_signoff"], "the district confirms until September"
    told.go("lee", "street_signoff", signoff="agree", opinion="同意")
    assert told.deliver("deliver_conclusion")["outcome"] == "ended_kept"
    assert told.benefit()["next_review_on"] == "2022-01-01", "half a year for class C by the later law"
    told.proven()
