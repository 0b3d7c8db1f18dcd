"""Appeals through the API and on the pages: last days from the proven delivery, who may, outcomes, and money that is paid later by decision alone."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import select

from processes import organisation
from processes.case_tables import letter
from processes.rebuild import differences
from tests.district import PASSWORD
from tests.processes.test_benefits import Granted
from tests.served import app_of
from tests.web.test_api import Door
from tests.web.test_pages import Desk

LODGED = {"kind": "review", "body": "district_government", "lodged_on": "2019-02-11", "lodged_by": "张一（本人）", "grounds": "金额计算有误"}
DECIDED = {"decided_on": "2019-04-10", "received_on": "2019-04-12", "decision_no": "津滨政复〔2019〕8号", "summary": "收入认定有误"}


@pytest.fixture
def granted(district):
    made = Granted(district)
    with district.office.act() as act:
        organisation.add_staff(act, "app2", "审批二", PASSWORD, [("approver", "120116")])
        organisation.add_staff(act, "twice", "两岗", PASSWORD, [("approver", "120116"), ("complaint_officer", "120116")])
    district.at("2019-02-11T09:00")
    return made


@pytest.fixture
def door(bureau, granted):
    return Door(bureau, granted.d)


def of(district, kind):
    with district.office.read() as conn:
        return conn.scalar(select(letter.c.id).where(letter.c.kind == kind).order_by(letter.c.id.desc()))


def test_a_changed_grant_is_paid_later_by_an_approver_s_decision_alone(door, granted):
    district, number = granted.d, of(granted.d, "approval")
    head = district.case()["head"]
    door.bad(404, "stranger", "POST", f"/letters/{number}/appeals", LODGED)
    assert door.bad(403, "rita", "POST", f"/letters/{number}/appeals", LODGED)["rule"] == "role"
    assert door.bad(422, "exam", "POST", f"/letters/{number}/appeals", LODGED | {"body": "court"})["errors"].keys() == {"body"}
    assert door.bad(403, "exam", "POST", f"/letters/{of(district, 'acceptance')}/appeals", LODGED)["rule"] == "no-remedy"
    key = {"Idempotency-Key": "once"}
    made = door.good("exam", "POST", f"/letters/{number}/appeals", LODGED, headers=key)
    assert door.good("exam", "POST", f"/letters/{number}/appeals", LODGED, headers=key) == made
    one = f"/appeals/{made['appeal']}"
    door.bad(409, "sue", "POST", f"/letters/{number}/appeals", LODGED)
    told = door.good("auditor", "GET", one)
    assert (told["state"], told["waits_until"], told["days_left"], told["may"]) == ("lodged", "2019-02-18", 7, [])
    assert door.bad(403, "exam", "POST", f"/letters/{number}/appeals", LODGED | {"kind": "suit", "body": "court"})["rule"] == "review-pending"
    door.bad(409, "exam", "POST", f"{one}/outcome", DECIDED | {"outcome": "changed", "decided_on": "2019-02-11", "received_on": "2019-02-11"})
    door.good("exam", "POST", f"{one}/accept", {"accepted_on": "2019-02-11"})
    assert door.good("exam", "GET", one)["due_on"] == "2019-04-12"
    assert "days" in door.bad(422, "exam", "POST", f"{one}/extend", {"days": 31})["errors"]
    door.good("exam", "POST", f"{one}/extend", {"days": 30})
    door.bad(409, "exam", "POST", f"{one}/extend", {"days": 1})
    assert door.good("sue", "GET", "/appeals?state=open")["items"][0]["due_on"] == "2019-05-12"
    district.at("2019-04-15T09:00")
    assert "decided_on" in door.bad(422, "exam", "POST", f"{one}/outcome", DECIDED | {"outcome": "changed", "decided_on": "2019-02-10"})["errors"]
    before = door.good("app", "GET", f"/benefits/{granted.id}")
    door.good("twice", "POST", f"{one}/outcome", DECIDED | {"outcome": "changed"})
    after = door.good("app", "GET", f"/benefits/{granted.id}")
    assert (after["adjustments"], after["settlements"]) == (before["adjustments"], before["settlements"]), "nothing decides by itself"
    assert door.good("exam", "GET", "/appeals?state=owed")["items"][0]["may"] == ["redone"]
    assert "有 1 件需要重新作出决定" in Desk(door.app, "app2").text("/tasks")

    said = {"amount_fen": "760.00", "from_month": "2019-01", "opinion": "按复议决定重新核定"}
    assert door.bad(403, "exam", "POST", f"{one}/redress", said)["rule"] == "role"
    assert door.bad(403, "app", "POST", f"{one}/redress", said)["rule"] == "decider-handles-appeal"
    assert door.bad(403, "twice", "POST", f"{one}/redress", said)["rule"] == "four-eyes"
    assert door.bad(403, "app2", "POST", f"{one}/redress", said | {"amount_fen": "600.00"})["rule"] == "redress-lower"
    assert door.bad(403, "app2", "POST", f"{one}/redress", said | {"amount_fen": "660.00"})["rule"] == "nothing-changes"
    for month in ("2018-01", "2019-06", "1"):
        assert "from_month" in door.bad(422, "app2", "POST", f"{one}/redress", said | {"from_month": month})["errors"]
    done = door.good("app2", "POST", f"{one}/redress", said)
    assert done["arrears_fen"] == 4 * 10_000, "January to April, to the fen"
    found = door.good("app", "GET", f"/benefits/{granted.id}")
    assert (found["amount_fen"], found["amount_from"]) == (76_000, "2019-05")
    [owed] = found["settlements"]
    assert (owed["kind"], owed["amount_fen"], owed["from_month"], owed["to_month"]) == ("arrears", 40_000, "2019-01", "2019-04")
    last = found["adjustments"][-1]
    assert (last["id"], last["reason_code"], last["decided_by"]) == (done["adjustment_id"], "appeal", "app2")
    text = door.call("clerk", "GET", f"/letters/{last['letter_id']}").get_data(as_text=True)
    assert "滨海新区人民政府2019年4月10日行政复议决定（津滨政复〔2019〕8号）" in text
    assert all(words in text for words in ("由每月660.00元调整为760.00元", "少发的救助金共400.00元", "申请行政复议"))
    door.bad(409, "app2", "POST", f"{one}/redress", said)
    assert door.good("exam", "GET", "/appeals?state=open")["items"] == []
    [row] = door.good("auditor", "GET", f"/benefits/{granted.id}/appeals")["items"]
    assert (row["follow"], row["followed_by"], row["last_day"] is None) == ("done", "app2", row["delivered_on"] is None)
    assert district.case()["head"] == head, "an appeal does not change the case"
    assert differences(district.office) == []


def test_redo_needs_another_case_of_the_same_household_and_pages_show_it(bureau, district):
    district.to_refusal()
    district.do("clerk", "deliver_refusal", delivered_on="2018-12-03", method="post", recipient="张一")
    app, number = app_of(bureau), of(district, "refusal")
    exam, page = Desk(app, "exam"), f"/cases/{district.no}?tab=papers"
    assert f"/letters/{number}/appeals/new" in exam.text(page)
    assert "/appeals/new" not in Desk(app, "rita").text(page)
    tab = exam.text(f"/cases/{district.no}?tab=means")
    assert "本次为6000.00元，至少高出3240.01元" in tab, "what would have changed it"
    assert f"/tables/category?case={district.no}" in tab
    assert '可申请行政复议至 <span class="nowrap">2019-02-01<' in tab
    assert exam.get(f"/tables/category?case={district.no}").status_code == 200
    told = Door(bureau, district).good("exam", "GET", f"/cases/{district.no}/replay")["computation"]["would"]
    assert told[0] in tab
    district.at("2019-02-11T09:00")
    late = exam.post(f"/letters/{number}/appeals/new", LODGED)
    assert late.status_code == 403
    assert "已超过行政复议期限：文书 2018-12-03 送达，最后一日为 2019-02-01" in late.get_data(as_text=True)
    sent = LODGED | {"lodged_on": "2019-02-01"}
    done = exam.post(f"/letters/{number}/appeals/new", sent)
    assert done.status_code == 302
    one = done.headers["Location"]
    assert "待受理" in exam.text(one)
    assert f'href="/letters/{number}.docx"' in exam.text(one)
    assert exam.post(f"{one}/accept", {"accepted_on": "2019-02-11"}).status_code == 302
    assert "剩 60 天" in exam.text("/appeals")
    district.at("2019-04-15T09:00")
    assert "已超 3 天" in Desk(app, "auditor").text("/appeals")
    assert exam.post(f"{one}/outcome", DECIDED | {"outcome": "redo"}).status_code == 302
    shown = Desk(app, "exam", "en").text(one)
    assert "Lawsuit until" in shown
    assert "2019-04-28" in shown, "15 days after 2019-04-12, moved from Saturday: worked for May Day"
    wrong = exam.post(f"{one}/redone", {"case_no": district.no})
    assert wrong.status_code == 422
    assert "应为同一家庭另行办理的个案" in wrong.get_data(as_text=True)
    old, home = district.no, district.case()["subject"].partition(":")[2]
    new = district.apply(int(home))
    assert exam.post(f"{one}/redone", {"case_no": new}).status_code == 302
    assert new in exam.text(one)
    assert re.search(r"变更|撤销并责令重新作出", exam.text(f"/cases/{old}?tab=papers"))
    assert exam.get(f"{one}/nonsense").status_code == 404
    assert Desk(app, "stranger").get(one).status_code == 404
    assert differences(district.office) == []


def test_suits_run_from_the_review_and_bodies_follow_the_letter(bureau, district):
    district.to_refusal()
    door, number = Door(bureau, district), of(district, "refusal")
    path = f"/letters/{number}/appeals"
    early = door.good("sue", "POST", path, LODGED | {"lodged_on": "2018-12-03", "body": "city_bureau"})
    assert door.good("sue", "GET", f"/appeals/{early['appeal']}")["last_day"] is None, "no delivery is proven: nothing runs"
    door.good("sue", "POST", f"/appeals/{early['appeal']}/withdraw", {"decided_on": "2018-12-03"})
    district.do("clerk", "deliver_refusal", delivered_on="2018-12-03", method="post", recipient="张一")
    second = door.good("sue", "POST", path, LODGED | {"lodged_on": "2018-12-03"})
    district.at("2019-06-05T09:00")
    one = f"/appeals/{second['appeal']}"
    assert "received_on" in door.bad(422, "sue", "POST", f"{one}/reject", {"decided_on": "2018-12-10", "received_on": "2018-12-09", "summary": "不属于范围"})["errors"]
    door.good("sue", "POST", f"{one}/reject", {"decided_on": "2018-12-10", "received_on": "2018-12-12", "summary": "不属于范围"})
    suit = LODGED | {"kind": "suit", "body": "court"}
    told = door.bad(403, "sue", "POST", path, suit | {"lodged_on": "2019-06-04"})
    assert (told["rule"], "2019-06-03" in told["message"]) == ("appeal-late", True), "a rejected review leaves the direct way"
    made = door.good("sue", "POST", path, suit | {"lodged_on": "2019-06-03"})
    assert door.bad(403, "sue", "POST", path, LODGED | {"lodged_on": "2018-12-20"})["rule"] == "suit-pending"
    assert door.good("sue", "GET", f"/cases/{district.no}/appeals?state=open")["items"][0]["id"] == made["appeal"]
    door.good("sue", "POST", f"/appeals/{made['appeal']}/accept", {"accepted_on": "2019-06-05"})
    assert door.bad(403, "sue", "POST", f"/appeals/{made['appeal']}/extend", {"days": 3})["rule"] == "extension"
    door.bad(404, "sue", "GET", "/appeals/7")
    door.bad(404, "sue", "POST", "/letters/7/appeals", suit)
