"""Writes golden histories and the small demo database; run by hand (README.md). It adds files and refuses to replace one."""

from __future__ import annotations

import base64
import gzip
import json
import pathlib
import sqlite3
import sys
import tempfile
from dataclasses import replace
from datetime import date
from typing import Any

from sqlalchemy import select

from engine import store
from engine.bpmn import Run, unpacked
from engine.habits import Habits
from engine.office import history
from engine.step import standings
from engine.store import Store, metadata
from processes import bureau as bureaus
from processes import complaints, households, identity, leads, organisation, screening
from processes.screening_tables import screening_finding
from tests.conftest import DATA_KEY, Clock
from tests.district import COMMUNITY, PASSWORD, STREET, District, paper
from tests.meeting_room import SMALL, Room
from tests.paying import Paying
from tests.processes.reports import Reports, family
from web.settings import Settings

HERE = pathlib.Path(__file__).parent
PAPERS = ["application", "survey", "review", "opinion"]


# -- the stories


def to_decision(d: District, proposed: str, removed: str) -> None:
    """From the street's opinion through both notices; the two moments are those on which they are over."""
    if "democratic_review" in d.tasks():
        d.review()
    d.street()
    d.post()
    d.at(proposed)
    d.submit()
    d.do("exam", "district_examination", district_outcome="propose_grant", opinion="拟批准")
    d.post("post_district_notice")
    d.at(removed)
    d.do("vera", "remove_district_notice", removed_on=d.office.today().isoformat(), objections="none")


def granted(d: District) -> None:
    d.do("app", "decide", decision="granted", opinion="批准")
    d.do("clerk", "deliver_approval", delivered_on=d.office.today().isoformat(), method="direct", recipient="张一")


def refused(d: District) -> None:
    reason = {"reason_code": "income_over", "clause": "民发〔2012〕220号第四条"}
    d.do("app", "decide_refusal", decision="refused", opinion="异议成立，收入高于标准", **reason)
    d.do("clerk", "deliver_refusal", delivered_on=d.office.today().isoformat(), method="lien", recipient="张一")


def grant_660(d: District) -> None:
    d.apply(d.household(210_000))
    d.accept()
    d.check()
    d.clock.set("2018-12-17T10:00")
    d.survey()
    d.clock.set("2018-12-24T10:00")
    to_decision(d, "2019-01-02T09:00", "2019-01-17T09:00")
    d.clock.set("2019-01-21T09:00")
    granted(d)


def refusal_after_objections(d: District) -> None:
    """An objection in each notice: the first changes nothing, the second is upheld by the district."""
    d.to_street_opinion()
    d.review()
    d.street()
    d.post()
    d.clock.set("2018-12-06T09:00")
    d.send("clerk", "objection", objection_on="2018-12-06", objector_kind="resident", grounds="有未申报的店铺")
    d.do("carl", "street_reinvestigate", investigated_on="2018-12-06", findings="店铺为堂兄所有", upheld=False, figures_changed=False)
    d.post()
    d.at("2018-12-14T09:00")
    d.submit()
    d.do("exam", "district_examination", district_outcome="propose_grant", opinion="拟批准")
    d.post("post_district_notice")
    d.clock.set("2018-12-17T09:00")
    d.send("exam", "objection", objection_on="2018-12-17", objector_kind="unit", objector_name="某单位", grounds="户主在本单位领取工资")
    d.do("exam", "district_recheck", district_outcome="propose_refuse", findings="属实", reason_code="income_over", clause="第四条")
    refused(d)


def check_rejection_reopened(d: District) -> None:
    d.apply(d.household(n=2, assets=500_000))
    d.accept()
    d.survey()
    d.check("exceeds_standard", found_assets="60000")
    d.do("rita", "issue_check_rejection", reasons="货币财产超过限额")
    d.do("clerk", "deliver_check_rejection", delivered_on="2018-12-03", method="direct", recipient="张一")
    d.clock.set("2018-12-05T09:00")
    d.send("clerk", "objection", objection_on="2018-12-05", objector_kind="applicant", grounds="三万元为未分割遗产")
    d.check("query_again")
    d.check("inconsistent", found_assets="30000", found_income="120.50")
    d.survey()
    to_decision(d, "2018-12-13T09:00", "2018-12-21T09:00")
    granted(d)


def low_income(d: District) -> None:
    d.to_street_opinion(276_300, last={"disability_kind": "limb", "disability_grade": 2})
    d.do("clerk", "low_income_consent", low_income_consent=True, signed_on="2018-12-03", signed_document=d.scan)
    to_decision(d, "2018-12-11T09:00", "2018-12-19T09:00")
    granted(d)


def withdrawn_in_notice(d: District) -> None:
    d.to_street_opinion()
    d.review()
    d.street()
    d.post()
    d.clock.set("2018-12-07T16:20")
    d.send("clerk", "withdrawal", withdrawn_on="2018-12-07", reason="已找到工作")


def returned_and_supplemented(d: District) -> None:
    """Everything that goes back or changes hands: supplement, claim, release, transfer, delegate, escalate, three returns."""
    household_id = d.household(200_000, sign=False)
    d.apply(household_id)
    d.do("clerk", "completeness_check", outcome="incomplete", missing=["authorization", "diagnosis"])
    d.clock.set("2018-12-05T09:00")
    d.do("clerk2", "supplement", received_on="2018-12-05", supplied=["authorization", "diagnosis"])
    with d.office.act(d.people["clerk"]) as act:
        d.sign(act, household_id)
    d.accept()
    d.check()
    task = d.tasks()["home_survey"]["id"]
    for who, verb, more in (("carl", "claim", ()), ("carl", "release", ()), ("carl", "claim", ()), ("carl", "transfer", ("ann", "本周外出")),
                            ("ann", "escalate", ("多次上门无人",))):  # fmt: skip
        with d.office.act(d.people[who]) as act:
            getattr(d.cases, verb)(act, task, *more)
    d.survey()
    d.review()
    d.do("rita", "street_opinion", street_outcome="propose_grant", opinion="拟同意")
    d.do("lee", "street_signoff", signoff="return", opinion="请补充理由")
    d.street()
    d.post()
    d.at("2018-12-13T09:00")
    d.submit()
    returned = {"reason_code": "facts_unclear", "clause": "第二十六条"}
    with d.office.act(d.people["exam"]) as act:
        d.cases.send_back(act, d.tasks()["district_examination"]["id"], "home_survey", {"opinion": "收入事实不清", **returned})
    d.clock.set("2018-12-17T09:00")
    d.check()
    d.survey()
    to_decision(d, "2018-12-25T09:00", "2019-01-03T09:00")
    d.do("app", "decide", decision="returned", opinion="请核对人口", **returned)
    d.do("exam", "district_examination", district_outcome="propose_grant", opinion="已核对")
    d.post("post_district_notice")
    d.at("2019-01-11T09:00")
    d.do("vera", "remove_district_notice", removed_on="2019-01-11", objections="none")
    granted(d)


def joint_meeting(d: District) -> None:
    d.to_street_opinion(189_000, n=2)
    d.do("clerk", "low_income_consent", low_income_consent=True, signed_on="2018-12-03", signed_document=d.scan)
    d.review()
    d.do("rita", "street_opinion", street_outcome="joint_meeting", opinion="研究", trigger="income_slightly_over", special_facts="肾衰竭", wish="纳入低收入")
    d.resolve()
    to_decision(d, "2018-12-11T09:00", "2018-12-19T09:00")
    granted(d)


def near_relative(d: District) -> None:
    household_id = d.household(0, near_relative_declared=True)
    d.apply(household_id)
    d.accept()
    d.do("clerk", "register_near_relative", staff_name="某某", position="居委会委员", relation="sibling")
    d.check("consistent", doubtful=True)
    d.survey()
    to_decision(d, "2018-12-11T09:00", "2018-12-19T09:00")
    granted(d)


def meeting_held(d: Room) -> None:
    """Three cases: one approved with a dissent on paper, one put off, one withdrawn; the minutes are objected to once."""
    for serial in (1, 2, 3):
        d.ask(serial=serial)
    d.sitting()
    d.send("clerk", "withdrawal", withdrawn_on=d.office.today().isoformat(), reason="已就业")
    for key in SMALL[1:]:
        d.paper(key, "against" if key == "health" else "for", dissent="先行医疗救助" if key == "health" else "")
    d.vote("civil_affairs")
    d.announce("approve_as", approved_category="low_income", measures=[{"kind": "charity", "by_whom": "区慈善协会"}])
    d.announce("defer", item=2)
    d.announce("lapsed", item=3)
    d.step("secretary", "draft_minutes")
    d.confirm("finance", agrees=False, objection="请写明转介单位")
    d.finish(text="会议纪要（修改稿）")
    d.no = d.meeting


def decided_by_a_meeting(d: Room) -> None:
    no = d.ask()
    d.sitting()
    d.all_vote()
    d.announce("approve_as", approved_category="low_income", conditions="按时报告", review_on="2019-06-14")
    d.no = no
    to_decision(d, "2018-12-11T09:00", "2018-12-19T09:00")
    granted(d)
def reported_death(d: District) -> None:
    r = Reports(d)
    r.granted(members=family(150_000, 0, 0))
    head, spouse, _ = r.members()
    d.clock.set("2019-01-08T10:00")
    r.report("death", "2018-12-28", person_id=head)
    r.register(leaves=[{"person_id": head, "left_on": "2018-12-28", "left_reason": "death"}], new_holder=spouse)
    r.conclude("increase", "member_changed")
    r.deliver()


def reported_car(d: District) -> None:
    """A tip, more evidence, a further change meanwhile, and a plan to pay back."""
    r = Reports(d)
    r.granted(members=family(0, 0))
    d.clock.set("2019-01-09T10:00")
    r.report("property_change", "2018-11-20", reported_by="public", channel="phone")
    d.do("clerk", "register_change", evidence_outcome="supplement", missing=["other"])
    d.clock.set("2019-01-11T10:00")
    d.do("clerk", "supplement", received_on="2019-01-11", supplied=["other"])
    r.register(property=[{"kind": "vehicle"}])
    d.send("clerk", "change_reported", **r.said("other", "2019-01-10", reported_by="committee"))
    r.register()
    r.investigate()
    r.conclude("stop", "fraud", clause="第三十三条")
    r.deliver()
    d.do("clerk", "recovery_plan", agreed_on="2019-01-11", first_month="2019-02", instalment="500")


def transferred_and_surveyed(d: District) -> None:
    r = Reports(d)
    r.granted()
    d.clock.set("2018-12-12T10:00")
    r.report("move_out", "2018-12-10")
    r.register(new_community="120116005001")
    d.do("stranger", "receive_transfer", transfer_outcome="returned", opinion="请先补充")
    r.register(new_community="120116005001", check_home=True)
    d.do("stranger", "receive_transfer", transfer_outcome="returned", opinion="住址不符")
    d.send("clerk", "change_reported", **r.said("other", "2018-12-11"))
    r.register(new_holder=r.members()[1])
    r.investigate()
    r.conclude("keep", "unchanged")
    r.deliver()
def reported_refusal(d: District) -> None:
    """Who will not be re-checked: an attempt on each of two days, then the stop."""
    r = Reports(d)
    r.granted(members=family(150_000, 0, 0))
    d.clock.set("2018-12-12T10:00")
    r.report("income_up", "2018-12-10", person_id=r.members()[0])
    r.register(check_home=True)
    d.send("ann", "not_cooperating", contacted_on="2018-12-12", note="不开门")
    d.clock.set("2018-12-14T10:00")
    d.do("officer", "second_contact", contacted_on="2018-12-14", method="visit", contact_outcome="refuses", note="仍不配合")
    r.conclude("stop", "no_cooperation", clause="第三十二条")
    r.deliver()


def share_taken(d: District) -> None:
    """A member who refused work three times loses his own share, the others keep theirs."""
    r = Reports(d)
    r.granted(members=family(150_000, 0, 0))
    d.clock.set("2018-12-12T10:00")
    idle = r.members()[1]
    r.report("other", "2018-12-10", person_id=idle, reported_by="committee", channel="visit")
    r.register(check_home=True)
    r.investigate()
    days = ("2018-12-01", "2018-12-05", "2018-12-10")
    r.conclude("decrease", "refused_jobs", clause="第四十五条", refusing_member=idle, job_refusals=[{"refused_on": day, "job": "保洁员"} for day in days])
    r.deliver()


def reviewed(d: District) -> None:
    """In benefit since 2018-11-09 with 1,560.00 a month; the review is opened by its job a month later."""
    d.clock.set("2018-10-22T09:00")
    d.to_street_opinion(210_000, last={"income": [{"kind": "transfer_income", "amount_fen": 6_000, "period": "month"}]})
    to_decision(d, "2018-10-31T09:00", "2018-11-09T09:00")
    if "late_spot_check_visit" in d.tasks():  # drawn at the month's end
        d.do("spot", "late_spot_check_visit", visited_on="2018-11-09", second_visitor="乙", findings="一致", late_agrees=True)
    granted(d)
    d.at("2018-12-10T09:00")
    with d.office.read() as conn:
        d.no = conn.scalar(select(store.record.c.no).where(store.record.c.process == "review-2012"))


def visited(d: District) -> None:
    day = d.office.today().isoformat()
    d.check()
    for agree in ("disagree", "agree"):
        d.do("ann", "home_survey", surveyed_on=day, second_investigator="bob", met_person="张一", housing="一居室", living="简朴", findings="属实",
             surveyed_signature=d.scan)  # fmt: skip
        d.do("bob", "survey_cosign", agree=agree, statement="再看一次")


def review_keep(d: District) -> None:
    reviewed(d)
    d.do("officer", "contact_household", contacted_on="2018-12-10", method="phone", contact_outcome="not_reached", note="无人接听")
    d.clock.set("2018-12-11T09:00")
    d.do("officer", "second_contact", contacted_on="2018-12-11", method="visit", contact_outcome="contacted", asked_for=["income_proof"])
    visited(d)
    d.do("rita", "street_opinion", conclusion="joint_meeting", opinion="研究", trigger="data_conflict", special_facts="核对不一致", wish="维持")
    with d.office.act() as act:
        d.cases.receive(act, d.no, "resolution", {"resolution": "refer", "reasons": "转介慈善", "meeting_no": "LX-2018-1", "item": 1})
    d.do("rita", "street_opinion", conclusion="keep", opinion="没有变化", review_class="B")
    d.do("lee", "street_signoff", signoff="return", opinion="请补充")
    d.do("rita", "street_opinion", conclusion="keep", opinion="没有变化，已补充", review_class="B")
    d.do("lee", "street_signoff", signoff="agree", opinion="同意")
    d.do("clerk", "deliver_conclusion", delivered_on="2018-12-11", method="post", recipient="张一")


def review_stop(d: District) -> None:
    reviewed(d)
    d.do("officer", "contact_household", contacted_on="2018-12-10", method="visit", contact_outcome="contacted")
    d.send("ann", "not_cooperating", contacted_on="2018-12-10", note="不让进门")
    d.clock.set("2018-12-20T09:00")
    household_id = int(d.case()["subject"].partition(":")[2])
    with d.office.read() as conn:
        wife = households.members_of(conn, household_id)[1]["person_id"]
    d.send("clerk", "change_reported", change_kind="job_start", changed_on="2018-11-10", reported_on="2018-12-20", reported_by="household", channel="window",
           person_id=wife, details="妻子上班")  # fmt: skip
    with d.office.act(d.people["clerk"]) as act:
        households.set_income(act, household_id, wife, [{"kind": "wage_income", "amount_fen": 230_000, "period": "month"}])
    visited(d)
    d.do("rita", "street_opinion", conclusion="stop", opinion="收入超过标准", reason_code="income_over", clause="民发〔2012〕220号第三十二条", changed_since="2018-12")
    d.do("lee", "street_signoff", signoff="agree", opinion="同意")
    d.do("app", "decide", decision="returned", opinion="请核对月份")
    d.do("rita", "street_opinion", conclusion="stop", opinion="已核对", reason_code="income_over", clause="民发〔2012〕220号第三十二条")
    d.do("lee", "street_signoff", signoff="agree", opinion="同意")
    d.do("app", "decide", decision="approved", opinion="同意")
    d.do("clerk", "deliver_conclusion", delivered_on="2018-12-20", method="direct", recipient="张一")
    d.do("officer", "recovery_plan", agreed_on="2018-12-20", instalment="200", first_month="2019-01")


def of_2021(d: District, day: str, wage: int = 230_000) -> None:
    """An application under the later procedure, up to the street's opinion."""
    d.clock.set(f"{day}T09:00")
    d.apply(d.household(wage), "dibao-2021")
    d.accept()
    started(d)


def started(d: District) -> None:
    d.do("officer", "start_investigation", started_on=d.office.today().isoformat(), methods=["home", "means_check"])
    d.check()
    d.survey()


def handed_in(d: District) -> None:
    d.do("rita", "submit_to_district", contents=["application", "survey", "opinion"])
    if "spot_check_visit" in d.tasks():
        d.do("spot", "spot_check_visit", visited_on=d.office.today().isoformat(), second_visitor="乙", findings="一致", agrees=True)


def confirmed(d: District) -> None:
    d.do("clerk", "deliver_approval", delivered_on=d.office.today().isoformat(), method="direct", recipient="张一")
    d.do("vera", "publish_result", posted_on=d.office.today().isoformat(), places=["village_board"])


def moved_in_july(d: District) -> None:
    """Opened under the procedure of 2012, accepted under that of 2021, disputed, and confirmed by the district."""
    d.clock.set("2021-06-30T09:00")
    d.apply(d.household(230_000))
    d.clock.set("2021-07-01T09:00")
    d.do("clerk", "completeness_check", outcome="incomplete", missing=["income_proof"])
    d.do("clerk", "supplement", received_on="2021-07-01", supplied=["income_proof"])
    d.accept()
    started(d)
    d.street()
    d.post()
    d.clock.set("2021-07-05T09:00")
    d.send("clerk", "objection", objection_on="2021-07-05", objector_kind="resident", grounds="有未申报的店铺")
    d.do("officer", "handle_dispute", handled_on="2021-07-05", findings="店铺为堂兄所有", dispute_way="review", extension="disputed")
    d.review()
    d.street()
    handed_in(d)
    d.do("exam", "district_examination", district_outcome="propose_grant", opinion="拟确认同意")
    d.do("app", "decide", decision="granted", opinion="确认同意")
    confirmed(d)


def granted_by_the_street(d: District) -> None:
    """From the opinion of 2022-10-24 to the street's own confirmation, nobody objecting."""
    d.do("rita", "street_opinion", street_outcome="propose_grant", opinion="拟同意")
    d.post()
    d.at("2022-11-01T09:00")
    d.do("vera", "remove_street_notice", removed_on="2022-11-01", objections="none")
    handed_in(d)
    if "late_spot_check_visit" in d.tasks():
        d.do("spot", "late_spot_check_visit", visited_on="2022-11-01", second_visitor="乙", findings="一致", late_agrees=True)
    d.do("lee", "street_confirmation", decision="granted", opinion="确认同意")
    confirmed(d)


def confirmed_by_the_street(d: District) -> None:
    of_2021(d, "2022-10-24")
    granted_by_the_street(d)


def ended_for_no_co_operation(d: District) -> None:
    d.clock.set("2021-07-05T09:00")
    d.apply(d.household(230_000), "dibao-2021")
    d.accept()
    d.do("officer", "start_investigation", started_on="2021-07-05", methods=["home"], extension="difficult")
    d.send("ann", "not_cooperating", refused_on="2021-07-05", refusal="no_entry", warned=True, note="两次上门均拒绝入户")
    d.do("rita", "street_opinion", street_outcome="terminate", opinion="建议终止", reason_code="no_cooperation", clause="第二十九条")
    d.do("lee", "decide_termination", decision="terminated", opinion="拒不配合")
    d.do("clerk", "deliver_termination", delivered_on="2021-07-05", method="lien", recipient="张一")


def of_the_later_law(d: District) -> None:
    """A household of 1,200 yuan whose dibao the street confirmed; the clock stands on 2022-11-01."""
    d.clock.set("2022-10-24T09:00")
    d.apply(d.household(members=family(120_000, 0, 0)), "dibao-2021")
    d.accept()
    started(d)
    granted_by_the_street(d)


def grace_given(d: District) -> None:
    """The wife begins to work: back once to the reviewer, then the street confirms the grace period."""
    of_the_later_law(d)
    home = int(d.case()["subject"].partition(":")[2])
    d.clock.set("2022-12-12T10:00")
    with d.office.read() as conn:
        wife = households.members_of(conn, home)[1]["person_id"]
    with d.office.act(d.people["clerk"]) as act:
        d.no = d.cases.start(act, "change-report-2021", {
            "household_id": home, "kind": "job_start", "event_on": "2022-12-09", "reported_on": "2022-12-12", "channel": "window", "reported_by": "household",
            "person_id": wife, "details": "妻子上班"})["case"]  # fmt: skip
    d.do("clerk", "register_change", evidence_outcome="complete", persons=[{"person_id": wife, "employment": "employed"}],
         incomes=[{"person_id": wife, "kind": "wage_income", "amount_fen": "2300", "period": "month"}])  # fmt: skip
    d.check()
    said = {"conclusion": "grace", "reason_code": "job_started", "clause": "民发〔2021〕57号第三十二条"}
    d.do("rita", "street_opinion", opinion="就业后收入超过标准", **said)
    d.do("lee", "street_confirmation", decision="returned", opinion="请补充合同")
    d.do("rita", "street_opinion", opinion="就业后收入超过标准，劳动合同已核", **said)
    d.do("lee", "street_confirmation", decision="approved", opinion="同意")
    d.do("clerk", "deliver_conclusion", delivered_on="2022-12-12", method="direct", recipient="赵一")


def grace_over(d: District) -> None:
    """The review in the last month of a grace period finds the same wage: from the next month on nothing is paid."""
    grace_given(d)
    home = int(d.case()["subject"].partition(":")[2])
    d.at("2023-06-01T09:00")
    with d.office.read() as conn:
        d.no = conn.scalar(select(store.record.c.no).where(store.record.c.process == "review-2021", store.record.c.subject == f"household:{home}"))
    d.do("officer", "contact_household", contacted_on="2023-06-01", method="phone", contact_outcome="contacted", asked_for=["income_proof"])
    d.check()
    d.do("ann", "home_survey", surveyed_on="2023-06-01", second_investigator="bob", met_person="赵一", housing="一居室", living="简朴", findings="属实",
         surveyed_signature=d.scan)  # fmt: skip
    d.do("bob", "survey_cosign", agree="agree")
    d.do("rita", "street_opinion", conclusion="stop", reason_code="income_over", opinion="渐退期满，收入仍超过标准", clause="民发〔2021〕57号第三十二条")
    d.do("lee", "street_confirmation", decision="approved", opinion="同意")
    d.do("clerk", "deliver_conclusion", delivered_on="2023-06-01", method="direct", recipient="赵一")


def asks_for_help(d: District, kind: str, cause: str, **more: Any) -> None:
    day = d.office.today().isoformat()
    said = {"persons": 1, "residence_basis": "local_hukou", "kind": kind, "cause": cause, "reason": "失火", "begun_by": "application", "applied_on": day, **more}
    with d.office.act(d.people["clerk"]) as act:
        d.no = d.cases.start(act, "temporary-assistance", said)["case"]


def surveyed_for_help(d: District) -> None:
    d.check()
    d.do("ann", "home_survey", surveyed_on=d.office.today().isoformat(), second_investigator="bob", met_person="张一", housing="一居室", living="简朴", findings="属实",
         surveyed_signature=d.scan)  # fmt: skip
    d.do("bob", "survey_cosign", agree="agree")


def helped_first(d: District) -> None:
    """S25: a fire in the holidays; the papers afterwards, sent back once; more is needed, and the district grants it above the street's limit."""
    d.clock.set("2019-02-05T20:00")
    home = d.household(210_000, n=2)
    asks_for_help(d, "emergency", "fire", household_id=home, happened_on="2019-02-05", requested_amount="9000")
    d.do("lee", "emergency_decide", emergency_outcome="help", opinion="先行救助", items=[
        {"form": "cash", "amount": "2000", "description": "基本生活"}, {"form": "referral", "description": "临时安置", "referred_to": "救助站"}])  # fmt: skip
    d.do("clerk2", "emergency_pay", helped_on="2019-02-05", pay_method="cash", receiver="张一")
    d.clock.set("2019-02-11T09:00")
    for signoff in ("return", "further"):
        d.do("officer", "emergency_register", object="张一", reason="火灾", amount="2000", signed_document=d.scan)
        d.do("lee", "emergency_signoff", signoff=signoff, stamped=True, opinion="已阅")
    d.accept()
    surveyed_for_help(d)
    d.do("rita", "street_opinion", street_outcome="return_survey", opinion="请核实", reason_code="facts_unclear", clause="第四十七条")
    surveyed_for_help(d)
    d.do("rita", "street_opinion", street_outcome="propose_grant", opinion="拟给予", items=[{"form": "cash", "amount": "5520.01", "description": "修缮住房"}])
    d.post()
    d.at("2019-02-19T09:00")
    d.do("vera", "remove_street_notice", removed_on="2019-02-19", objections="none")
    d.do("app", "decide", decision="granted", opinion="同意")
    d.do("clerk2", "pay_grant", paid_on="2019-02-19", pay_method="bank", receiver="张一", proof_document=d.scan)
    d.do("clerk", "deliver_approval", delivered_on="2019-02-19", method="direct", recipient="张一")


def not_helped_twice(d: District) -> None:
    """Somebody unknown is helped; the same cause again in the year, without a good reason, is refused by the street."""
    d.clock.set("2019-02-05T20:00")
    asks_for_help(d, "emergency", "other_emergency", community="120116001016", known_as="桥下老人", happened_on="2019-02-05", residence_basis="unknown")
    home = int(d.case()["subject"].partition(":")[2])
    d.scan = paper(d, "clerk", home)
    d.do("lee", "emergency_decide", emergency_outcome="help", opinion="先行救助", items=[{"form": "goods", "amount": "300", "description": "棉衣、食品"}])
    d.do("clerk2", "emergency_pay", helped_on="2019-02-05", pay_method="handed_over", receiver="本人")
    d.do("officer", "emergency_register", object="桥下老人", reason="露宿", amount="300", identity_note="公安查询中", signed_document=d.scan)
    d.do("lee", "emergency_signoff", signoff="agree", stamped=True, opinion="同意")
    d.do("clerk", "deliver_approval", delivered_on="2019-02-05", method="direct", recipient="本人")
    d.clock.set("2019-12-30T09:00")
    asks_for_help(d, "emergency", "other_emergency", household_id=home, happened_on="2019-12-30")
    d.do("sue", "same_cause_exception", exception_outcome="refused", reason="已安置")
    reason = {"reason_code": "same_cause", "clause": "第四十七条"}
    d.do("rita", "street_opinion", street_outcome="propose_refuse", opinion="同一事由", **reason)
    d.do("lee", "street_confirmation", decision="refused", opinion="无正当理由", **reason)
    d.do("clerk", "deliver_refusal", delivered_on="2019-12-30", method="lien", recipient="本人")


def old_woman(d: District) -> dict[str, int]:
    """Alone, 84 in 2018; with the number of the person whom it is all about."""
    home = d.household(members=[{"name": "王奶奶", "id_no": identity.invent(date(1934, 5, 1), "female", 1), "relation": "head", "employment": "none", "labour_ability": "none"}])
    with d.office.read() as conn:
        return {"household_id": home, "supported_person_id": households.members_of(conn, home)[0]["person_id"]}


def asks_for_support(d: District, process: str, day: str, *obligors: dict[str, Any], **more: Any) -> None:
    """The application of an old woman, up to the street's opinion."""
    d.clock.set(f"{day}T09:00")
    answers = {**old_woman(d), "programme": "destitute", "applied_on": day, "applied_by": "village_committee", "support_form": "dispersed", "reason": "无人赡养", **more}
    with d.office.act(d.people["clerk"]) as act:
        d.no = d.cases.start(act, process, answers)["case"]
    d.accept()
    d.check()
    d.survey()
    d.do("ann", "circumstances", enquired_on=day, orphan=False, property_fits=True, allowances=[{"kind": "old_age_allowance", "amount": "100.00"}], obligors=list(obligors), statement="邻里和亲属证实")


def able_or_not(years: int, **more: Any) -> dict[str, Any]:
    return {"relation": "child", "name": "王儿", "age": years, "receives": "dibao", "state": "present", "property_fits": True, **more}


def cared_for(d: District, lost: int) -> None:
    met = {name: n >= lost for n, name in enumerate(("eats", "dresses", "bed", "toilet", "walks", "bathes"))}
    d.do("spot", "self_care_assessment", assessed_on=d.office.today().isoformat(), second_assessor="exam", **met)
    with d.office.act(d.people["exam"]) as act:
        Habits(d.cases).sign(act, d.tasks()["self_care_assessment"]["id"], agrees=True, words="情况属实")


def supported_2016(d: District) -> None:
    """S23: the son of 61 on dibao is unable; a review was asked for, then the full standard."""
    asks_for_support(d, "destitute-2016", "2018-12-03", able_or_not(61))
    d.do("rita", "street_opinion", street_outcome="need_review", opinion="邻里说法不一")
    d.review()
    d.street()
    d.post()
    d.at("2018-12-11T09:00")
    d.submit()
    cared_for(d, 3)
    d.do("exam", "district_examination", district_outcome="propose_grant", opinion="拟批准")
    if "late_spot_check_visit" in d.tasks():
        d.do("spot", "late_spot_check_visit", visited_on="2018-12-11", second_visitor="乙", findings="一致", late_agrees=True)
    d.do("app", "decide", decision="granted", opinion="批准")
    confirmed(d)


def not_destitute(d: District) -> None:
    """S23, the son is 55."""
    asks_for_support(d, "destitute-2016", "2018-12-03", able_or_not(55))
    why = {"reason_code": "obligor_able", "clause": "民发〔2016〕178号"}
    d.do("rita", "street_opinion", street_outcome="propose_refuse", opinion="儿子有履行能力", **why)
    d.do("lee", "street_signoff", signoff="agree", opinion="同意")
    handed_in(d)
    d.do("exam", "district_examination", district_outcome="propose_refuse", opinion="拟不予批准", **why)
    d.do("app", "decide_refusal", decision="refused", opinion="儿子有履行能力", **why)
    d.do("clerk", "deliver_refusal", delivered_on="2018-12-03", method="direct", recipient="王奶奶")


def supported_2021(d: District) -> None:
    """Accepted in September: an objection, the check and the notice again, and the street confirms."""
    asks_for_support(d, "destitute-2021", "2021-09-01", able_or_not(72, receives="none", income_below_average=True))
    d.do("rita", "street_opinion", street_outcome="propose_grant", opinion="拟同意")
    d.post()
    d.send("vera", "objection", objection_on="2021-09-01", objector_kind="resident", grounds="儿子有退休金")
    d.do("ann", "street_reinvestigate", investigated_on="2021-09-01", findings="低于平均收入", upheld=False, figures_changed=False)
    d.do("rita", "street_opinion", street_outcome="propose_grant", opinion="拟同意，重新公示")
    d.post()
    d.at("2021-09-09T09:00")
    d.submit()
    cared_for(d, 0)
    if "late_spot_check_visit" in d.tasks():
        d.do("spot", "late_spot_check_visit", visited_on="2021-09-09", second_visitor="乙", findings="一致", late_agrees=True)
    d.do("lee", "street_confirmation", decision="granted", opinion="确认同意")
    confirmed(d)


def cares_less(d: District) -> None:
    """S24: from three indicators lost to five; assessed twice, for the first was sent back."""
    supported_2016(d)
    home = int(d.case()["subject"].partition(":")[2])
    d.at("2019-01-10T09:00")
    with d.office.act(d.people["clerk"]) as act:
        [row] = households.active_benefits(act.conn, home)
        said = {"benefit_id": row["id"], "reported_on": "2019-01-10", "reported_by": "village_committee", "details": "摔伤后不能下床"}
        d.no = d.cases.start(act, "self-care", said)["case"]
    cared_for(d, 4)
    d.do("app", "confirm_self_care", confirmation="return", opinion="如厕一项未写明")
    cared_for(d, 5)
    d.do("app", "confirm_self_care", confirmation="agree", opinion="同意")
    d.do("clerk", "tell_result", told_on="2019-01-10", recipient="王奶奶")


def asked_for_low_income(d: District, process: str, wage: int, *kinds: str) -> None:
    """An application for low-income relief itself, up to the proof of these hardships, each of the head."""
    home = d.household(wage)
    today = d.office.today().isoformat()
    with d.office.act(d.people["clerk"]) as act:
        d.no = d.cases.start(act, process, {"household_id": home, "programme": "low_income", "applied_on": today, "applied_by": "head", "reason": "收入低"})["case"]
        head = households.applicant(act.conn, home)["id"]
    d.accept()
    if "start_investigation" in d.tasks():
        d.do("officer", "start_investigation", started_on=today, methods=["home", "means_check"])
    d.check()
    d.survey()
    d.do("ann", "hardship_proof", hardships=[{"hardship": kind, "person_id": head, "document_id": d.scan} for kind in kinds], statement="已核实")


def certified(d: District) -> None:
    d.do("app", "decide", decision="granted", opinion="批准")
    d.do("clerk", "issue_certificate", holder="张一")
    d.do("clerk", "deliver_approval", delivered_on=d.office.today().isoformat(), method="direct", recipient="张一")


def low_income_itself(d: District) -> None:
    asked_for_low_income(d, "low-income-2016", 300_000, "disabled_member", "major_illness")
    to_decision(d, "2018-12-11T09:00", "2018-12-19T09:00")
    certified(d)


def low_income_status(d: District) -> None:
    asked_for_low_income(d, "low-income-2016", 300_000)
    to_decision(d, "2018-12-11T09:00", "2018-12-19T09:00")
    certified(d)


def low_income_fits_dibao(d: District) -> None:
    asked_for_low_income(d, "low-income-2016", 210_000, "disabled_member")
    d.do("clerk", "dibao_consent", dibao_consent=True, signed_on="2018-12-03", signed_document=d.scan)
    to_decision(d, "2018-12-11T09:00", "2018-12-19T09:00")
    granted(d)


def low_income_of_2021(d: District) -> None:
    d.clock.set("2022-10-24T09:00")
    asked_for_low_income(d, "low-income-2021", 350_000, "major_illness")
    d.do("rita", "street_opinion", street_outcome="propose_grant", opinion="拟同意")
    d.post()
    d.at("2022-11-01T09:00")
    d.do("vera", "remove_street_notice", removed_on="2022-11-01", objections="none")
    handed_in(d)
    if "late_spot_check_visit" in d.tasks():
        d.do("spot", "late_spot_check_visit", visited_on="2022-11-01", second_visitor="乙", findings="一致", late_agrees=True)
    d.do("lee", "street_confirmation", decision="granted", opinion="确认同意")
    d.do("clerk", "issue_certificate", holder="张一")
    confirmed(d)


def spent(d: District, day: str, wage: int, *paid: tuple[str, str, str]) -> None:
    """An application for the recognition for expenses (kind, yuan, day), each checked as declared."""
    d.clock.set(f"{day}T09:00")
    home = d.household(wage)
    with d.office.act(d.people["clerk"]) as act:
        head = households.applicant(act.conn, home)["id"]
        expenses = [{"person_id": head, "kind": kind, "amount_fen": yuan, "paid_on": on, "institution": "区医院", "document_id": d.scan} for kind, yuan, on in paid]
        d.no = d.cases.start(act, "illness-expenditure-2018", {
            "household_id": home, "programme": "illness_expenditure", "applied_on": day, "applied_by": "head", "reason": "大病", "expenses": expenses})["case"]  # fmt: skip
    d.accept()
    d.check(doubtful=paid[0][1] == "36000")  # that one the district visits in every case
    d.survey()
    d.do("ann", "check_expenses", expenses=[{"item": n, "compliant": True} for n, _ in enumerate(paid, start=1)], statement="逐笔核对票据")


def recognised(d: District, over: str) -> None:
    d.do("rita", "street_opinion", street_outcome="propose_grant", help_kind="referral", referral="temporary_assistance", opinion="属实")
    d.do("lee", "street_signoff", signoff="agree", opinion="同意")
    d.post()
    d.at(over)
    d.submit()
    d.do("exam", "district_examination", district_outcome="propose_grant", opinion="拟批准")
    granted(d)


def illness_2018(d: District) -> None:
    spent(d, "2018-12-03", 750_000, ("medical", "72000", "2018-06-01"), ("education", "800", "2018-09-01"))
    recognised(d, "2018-12-11T09:00")


def rigid_2025(d: District) -> None:
    spent(d, "2025-03-10", 600_000, ("medical", "36000", "2024-06-01"), ("rehabilitation", "7200", "2025-03-10"))
    recognised(d, "2025-03-18T09:00")


def illness_refused(d: District) -> None:
    spent(d, "2018-12-03", 750_000, ("medical", "40000", "2018-06-01"))
    reason = {"reason_code": "other", "clause": "第四条"}
    d.do("rita", "street_opinion", street_outcome="propose_refuse", opinion="支出未达到规定", **reason)
    d.do("lee", "street_signoff", signoff="agree", opinion="同意")
    handed_in(d)
    d.do("exam", "district_examination", district_outcome="propose_refuse", opinion="拟不予批准", **reason)
    d.do("app", "decide", decision="refused", opinion="支出未达到规定", **reason)
    d.do("clerk", "deliver_refusal", delivered_on="2018-12-03", method="lien", recipient="张一")


def complained_of(d: District) -> None:
    """S17: a named complaint about an applicant, looked into twice, more time, malicious, told."""
    d.clock.set("2018-12-03T09:00")
    home = d.household(210_000)
    with d.office.act() as act:
        organisation.add_staff(act, "tess", "某受理", PASSWORD, [("complaint_officer", STREET)])
    with d.office.read() as conn:
        d.people["tess"] = organisation.find_actor(conn, "tess")  # type: ignore[assignment]
    said = {"channel": "phone", "received_on": "2018-12-03", "target_kind": "household", "household_id": home, "allegation": "有小汽车"}
    with d.office.act(d.people["tess"]) as act:
        d.no = complaints.register(d.cases, act, said, {"name": "举报人", "phone": "13900000000"})["case"]
    d.do("tess", "accept_complaint", acceptance="accept")
    for agree in ("disagree", "agree"):
        d.do("ann", "investigate", investigated_on=d.office.today().isoformat(), second_investigator="bob", facts_found="已查", evidence="登记信息")
        d.do("bob", "investigate_cosign", agree=agree, statement="请补充")
    d.do("tess", "conclude", result="extend", action="情况复杂")
    d.do("lee", "approve_extension", extension="agree", opinion="同意")
    d.do("tess", "conclude_extended", result="malicious", action="批评教育")
    d.do("tess", "deliver_feedback_extended", delivered_on="2018-12-03", method="phone", words="举报不属实")


def discovered(d: District) -> None:
    """Domain 1.5: the committee finds somebody, the street verifies it, he is helped, and the application of the next day counts."""
    d.clock.set("2018-12-03T09:00")
    said = {"community": COMMUNITY, "known_as": "三号楼独居老人", "hardship": "old_age", "reason": "无子女，无收入", "found_on": "2018-12-03", "found_by": "village_committee"}
    with d.office.act(d.people["vera"]) as act:
        number = leads.report(d.cases, act, said)["lead"]
    with d.office.act(d.people["officer"]) as act:
        leads.verify(d.cases, act, number, {"outcome": "help_apply", "note": "入户核实，属实", "helper": "vera"})
    d.clock.set("2018-12-04T09:00")
    home = d.household(110_000)
    application = d.apply(home)
    with d.office.read() as conn:
        d.no = str(leads.seen(conn, d.people["officer"], number)["discovery_no"])
    d.do("vera", "help_apply", help_outcome="applied", application_no=application, help_note="陪同到窗口")


def paid_and_reissued(d: District) -> None:
    """S38: a run of December, one payment returned on the 9th, reissued to another account, credited late."""
    d.clock.set("2018-12-03T09:00")
    town = Paying(d)
    homes = [town.paid_home(fen) for fen in (66_000, 123_456)]
    town.start()
    town.approve()
    town.send()
    d.clock.set("2018-12-09T09:00")
    first, second = town.sent()
    town.take(town.answer_bytes([first, replace(second, result="account_closed", credited_on=None, reason="账户已销户")]))
    town.do("fin", "enter_returns", returns_outcome="reissue")
    town.change_account(homes[1], "6217000000000000099")
    town.do("fin", "prepare_reissue")
    town.do("fin2", "check_reissue", reissue_outcome="agree")
    town.send()
    d.clock.set("2018-12-12T09:00")
    town.take(town.answer_bytes(town.sent()))
    town.do("fin", "enter_returns", returns_outcome="close")
    town.do("fin", "close_run", opinion="账实相符")


def finding_put_right(d: District) -> None:
    """A visit finds a policy not carried out; put right late, sent back for want of proof, put right once more and verified."""
    d.clock.set("2018-12-03T09:00")
    home = d.household(210_000)
    said = {"household_id": home, "population": "elderly", "visited_on": "2018-12-03", "second_visitor": "vera", "met_person": "户主", "causes": ["old_age"], "result": "true",
            "still_hardship": False, "relative_of_staff": False, "relatives_on_assistance": False, "qualifies": False,
            "findings": [{"kind": "policy_not_implemented", "text": "未享受取暖补贴", "due_on": "2018-12-10"}]}  # fmt: skip
    with d.office.act(d.people["officer"]) as act:
        screening.record(d.cases, act, said)
    with d.office.read() as conn:
        d.no = conn.scalar(select(screening_finding.c.case_no))
    d.clock.set("2018-12-12T09:00")
    for proof, verdict in (("口头说明", {"verdict": "returned", "text": "没有凭证"}), ("凭证在卷", {"verdict": "verified"})):
        d.do("officer", "put_right", done_on=d.office.today().isoformat(), text=f"已补发，{proof}")
        d.do("lee", "verify_rectification", **verdict)


STORIES = {
    "finding-put-right": finding_put_right,
    "paid-and-reissued": paid_and_reissued,
    "complained-of": complained_of,
    "discovered": discovered,
    "helped-first": helped_first, "not-helped-twice": not_helped_twice,
    "destitute-2016": supported_2016, "destitute-refused": not_destitute, "destitute-2021": supported_2021, "self-care": cares_less,
    "low-income-itself": low_income_itself, "low-income-status": low_income_status, "low-income-fits-dibao": low_income_fits_dibao,
    "low-income-2021": low_income_of_2021, "illness-2018": illness_2018, "rigid-2025": rigid_2025, "illness-refused": illness_refused,
    "grace-2021": grace_given, "grace-over-2021": grace_over,
    "moved-2021": moved_in_july, "street-2021": confirmed_by_the_street, "terminated-2021": ended_for_no_co_operation,
    "reported-death": reported_death, "reported-car": reported_car, "transfer-returned": transferred_and_surveyed,
    "reported-refusal": reported_refusal, "share-taken": share_taken,
    "grant-660": grant_660, "refusal-after-objections": refusal_after_objections, "check-rejection-reopened": check_rejection_reopened,
    "low-income": low_income, "withdrawn-in-notice": withdrawn_in_notice, "returned-and-supplemented": returned_and_supplemented,
    "joint-meeting": joint_meeting, "near-relative": near_relative, "meeting-held": meeting_held, "decided-by-a-meeting": decided_by_a_meeting,
    "review-keep": review_keep, "review-stop": review_stop,
}  # fmt: skip


# -- writing them down


def played(story: Any, folder: pathlib.Path) -> District:
    """A district in which the story was just played, on a database of its own."""
    url, clock = f"sqlite:///{folder / 'y.sqlite'}", Clock()
    opened = Store(url)
    metadata.create_all(opened.engine)
    opened.close()
    made = bureaus.build(Settings(database=url, secret_key="s" * 32, data_key=DATA_KEY, files=folder / "files", registry="http://127.0.0.1:9"), clock)
    made.jobs.real_clock = clock
    district = Room(made, clock)
    story(district)
    return district


def exported(d: District) -> dict[str, Any]:
    row = d.case()
    assert row["closed_at"] is not None, "a golden history is of a finished case"
    with d.office.read() as conn:
        drawing = d.cases.drawing(conn, row["drawing"])
        began = [d.cases.drawing(conn, one.drawing) for one in standings(history(conn, d.office.keys.on(conn), row["id"]))]
        entries = conn.execute(select(store.entry).where(store.entry.c.record_id == row["id"]).order_by(store.entry.c.seq)).all()
        payloads = conn.execute(select(store.payload).where(store.payload.c.record_id == row["id"]).order_by(store.payload.c.seq)).all()
        wanted = store.subject_key.c.subject.in_({p.subject for p in payloads})
        keys = conn.execute(select(store.subject_key).where(wanted)).all()
        run = Run.load(drawing, row["state"], d.clock())
    (HERE / "drawings").mkdir(exist_ok=True)
    for one in began:
        place = HERE / "drawings" / f"{one.digest}.bpmn"
        if not place.exists():
            place.write_bytes(one.xml)
    (HERE / "tables").mkdir(exist_ok=True)
    for digest in {digest for e in entries for digest in json.loads(e.body).get("data", {}).get("tables", {}).values()}:
        with d.office.read() as conn:
            (HERE / "tables" / f"{digest}.dmn").write_bytes(conn.scalar(select(store.decision_table.c.xml).where(store.decision_table.c.digest == digest)))
    kept = ("id", "kind", "unit", "seq", "head", "rows", "subject", "no", "process", "drawing", "opened_by", "outcome")
    return {
        "format": 1,
        "data_key": DATA_KEY,
        "record": {name: row[name] for name in kept},
        "state": unpacked(row["state"]).decode(),
        "facts": run.facts,
        "entries": [{"body": e.body.decode(), "leaf": e.leaf} for e in entries],
        "payloads": [{"seq": p.seq, "subject": p.subject, "sealed": base64.b64encode(p.sealed).decode()} for p in payloads],
        "subject_keys": {k.subject: base64.b64encode(k.wrapped).decode() for k in keys},
    }


def kept(place: pathlib.Path, data: bytes) -> None:
    with place.open("xb") as file:  # x: a golden file is never replaced
        file.write(gzip.compress(data, 9, mtime=0))
    sys.stdout.write(f"{place.name}: {place.stat().st_size} bytes\n")


def cases(label: str, *chosen: str) -> None:
    for name, story in STORIES.items():
        if chosen and name not in chosen:
            continue
        with tempfile.TemporaryDirectory() as folder:
            district = played(story, pathlib.Path(folder))
            text = json.dumps({"story": name, **exported(district)}, ensure_ascii=False, indent=1)
            district.office.store.close()
        kept(HERE / f"{name}.{label}.json.gz", text.encode())


def demo(households: int = 24) -> None:
    """A demo of few households, as `yingbao demo` makes it, under the test key."""
    from processes import schema
    from web.demo import fill

    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        file = folder / "demo.sqlite"
        settings = Settings(database=f"sqlite:///{file}", secret_key="s" * 32, data_key=DATA_KEY, files=folder / "files")
        schema.upgrade(settings.database)
        fill(settings, households, 2018)
        conn = sqlite3.connect(file)
        [head] = conn.execute("SELECT version_num FROM alembic_version").fetchone()
        conn.execute("VACUUM INTO ?", (str(folder / "small.sqlite"),))  # one file, without a write-ahead log
        conn.close()
        kept(HERE / f"demo-{head}.sqlite.gz", (folder / "small.sqlite").read_bytes())


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["cases", label, *chosen]:
            cases(label, *chosen)
        case ["demo"]:
            demo()
        case _:
            sys.exit("make.py cases LABEL [STORY …] | make.py demo")
