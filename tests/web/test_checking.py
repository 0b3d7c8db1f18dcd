"""退回 as a button, and 核对后提交: a decision is shown once more before it is made, without a script and without losing a word."""

from __future__ import annotations

import html
import re

import pytest
from werkzeug.datastructures import MultiDict

from engine.forms import from_html
from processes.dibao_2012_forms import Deliver, DemocraticReview
from tests.web.test_api import Door
from tests.web.test_pages import Desk
from web import checking

REASON = {"opinion": "收入高于标准，\n逐项核实 <无误>", "reason_code": "income_over", "clause": "第四条"}


@pytest.fixture
def door(bureau, district):
    return Door(bureau, district)


def hidden(page):
    """The form that the page carries, as a browser sends it."""
    form = page.partition("<h2>提交前请核对</h2>")[0].rpartition("<form")[2]
    return [(name, html.unescape(value)) for name, value in re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', form)]


def to_decision(district):
    district.to_street_opinion(600_000)
    district.review()
    reason = {"reason_code": "income_over", "clause": "第四条"}
    district.do("rita", "street_opinion", street_outcome="propose_refuse", opinion="收入高", **reason)
    district.do("lee", "street_signoff", signoff="agree", opinion="同意")
    district.do("rita", "submit_to_district", contents=["application", "survey", "opinion"])
    if "spot_check_visit" in district.tasks():
        district.do("spot", "spot_check_visit", visited_on=district.office.today().isoformat(), second_visitor="乙", findings="一致", agrees=True)
    district.do("exam", "district_examination", district_outcome="propose_refuse", opinion="不符合", **reason)
    return district.tasks()["decide_refusal"]["id"]


def test_a_decision_is_checked_then_made_and_can_be_edited_between(door, district):
    task = to_decision(district)
    approver, path = Desk(door.app, "app"), f"/tasks/{task}"
    assert "核对后提交" in approver.text(path)
    seq = district.case()["seq"]
    answer = approver.post(path, {"_do": "complete", "decision": "refused", **REASON})
    page = answer.get_data(as_text=True)
    assert answer.status_code == 200
    assert district.case()["seq"] == seq, "nothing is decided yet"
    for text in ("不予批准", html.escape("逐项核实 <无误>"), "第四条", "送达不予批准告知书", "当前测算结果"):
        assert text in page, text
    assert "收入高于标准" in approver.text(path), "kept as a draft meanwhile"

    sent = hidden(page)
    back = approver.http.post(path, data=dict(sent) | {"_do": "edit"}).get_data(as_text=True)
    assert html.escape("逐项核实 <无误>") in back
    assert re.search(r'name="decision" value="refused" checked', back)
    assert district.case()["seq"] == seq

    assert approver.http.post(path, data=dict(sent) | {"_do": "complete"}).status_code == 302
    assert district.facts()["decision"] == "refused"
    told = approver.text(f"/cases/{district.no}?tab=record")
    assert html.escape("逐项核实 <无误>") in told


def test_what_the_engine_would_refuse_is_said_before_anybody_checks(door, district):
    task = to_decision(district)
    approver, path = Desk(door.app, "app"), f"/tasks/{task}"
    wrong = approver.post(path, {"_do": "complete", "decision": "refused", "opinion": "不批"})
    assert wrong.status_code == 422
    assert 'href="#f-reason_code"' in wrong.get_data(as_text=True)
    assert "提交前请核对" not in wrong.get_data(as_text=True)
    assert Desk(door.app, "exam").post(path, {"_do": "complete", "decision": "refused", **REASON}).status_code == 403
    page = approver.post(path, {"_do": "complete", "decision": "refused", **REASON}).get_data(as_text=True)
    with district.office.act(district.people["app"]) as act:
        district.cases.claim(act, task)
    stale = approver.http.post(path, data=dict(hidden(page)) | {"_do": "complete"})
    assert stale.status_code == 409
    assert html.escape("逐项核实 <无误>") in stale.get_data(as_text=True), "nothing typed is lost"


def test_what_can_be_undone_is_not_asked_twice_and_the_api_names_what_cannot(door, district):
    task = to_decision(district)
    assert door.good("app", "GET", f"/tasks/{task}")["final"] == {"decision": ["granted", "refused"]}
    approver = Desk(door.app, "app")
    page = approver.text(f"/tasks/{task}")
    assert re.search(r'value="return:district_examination">退回：区级全面审查<', page)
    missing = approver.post(f"/tasks/{task}", {"_do": "return:district_examination", "opinion": "补充核查"})
    assert missing.status_code == 422
    assert re.search(r'name="decision" value="returned" checked', missing.get_data(as_text=True))
    assert approver.post(f"/tasks/{task}", {"_do": "return:district_examination", **REASON}).status_code == 302
    again = district.tasks()["district_examination"]
    assert "returned" in again["flags"]
    assert door.good("exam", "GET", f"/tasks/{again['id']}")["final"] is None
    assert approver.post(f"/tasks/{task}", {"_do": "return:decide", **REASON}, page="/tasks").status_code in (409, 422)


def test_a_rejection_after_the_check_is_checked_whatever_is_answered(door, district):
    district.apply(district.household(600_000))
    district.accept()
    district.survey()
    district.check("exceeds_standard")
    task = district.tasks()["issue_check_rejection"]["id"]
    rita = Desk(door.app, "rita")
    assert door.good("rita", "GET", f"/tasks/{task}")["final"] == {}
    page = rita.post(f"/tasks/{task}", {"_do": "complete", "reasons": "收入高于标准"}).get_data(as_text=True)
    assert ("reasons", "收入高于标准") in hidden(page)
    assert "issue_check_rejection" in district.tasks()
    assert rita.http.post(f"/tasks/{task}", data=dict(hidden(page)) | {"_do": "complete"}).status_code == 302
    assert "issue_check_rejection" not in district.tasks()


def test_the_inputs_of_the_page_are_read_as_they_were_typed():
    """Rows, several ticks and papers travel, too."""
    review = {"held_on": "2018-12-03", "participants": [{"name": "甲", "kind": "street_staff"}, {"name": "乙", "signed": "true"}], "signed_document": "7"}
    assert from_html(DemocraticReview, MultiDict(checking.inputs(review))) == review
    delivery = {"method": "lien", "evidence": ["3", "5"]}
    assert from_html(Deliver, MultiDict(checking.inputs(delivery))) == delivery
