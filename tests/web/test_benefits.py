"""Benefits and 调标 through the API and on the pages: who sees what, the acts of two persons, S36 from the proposal to the printed letters."""

from __future__ import annotations

import re

import pytest

from processes import benefits, organisation
from tests.district import PASSWORD
from tests.processes.test_benefits import Granted, everything
from tests.served import app_of
from tests.web.test_api import Door
from tests.web.test_pages import Desk


@pytest.fixture
def granted(district):
    made = Granted(district)
    with district.office.act() as act:
        organisation.add_staff(act, "fin", "发放", PASSWORD, [("finance_officer", "120116")])
        organisation.add_staff(act, "app2", "审批二", PASSWORD, [("approver", "120116")])
        organisation.add_staff(act, "both", "两岗", PASSWORD, [("reviewer", "120116001"), ("approver", "120116")])
    district.at("2019-02-11T09:00")
    return made


@pytest.fixture
def door(bureau, granted):
    return Door(bureau, granted.d)


@pytest.fixture
def app(bureau, granted):
    return app_of(bureau)


def test_the_life_of_a_benefit_through_the_api(door, granted):
    one = f"/benefits/{granted.id}"
    listed = door.good("clerk", "GET", "/benefits?status=active&category=dibao")
    assert [(b["id"], b["amount_fen"], b["number"]) for b in listed["items"]] == [(granted.id, 66_000, f"B{granted.id >> 16:07d}")]
    assert door.good("clerk", "GET", "/benefits?status=suspended")["items"] == []
    assert door.good("clerk", "POST", "/benefits/search", {"name": "张一"})["total"] == 1
    assert door.good("clerk", "POST", "/benefits/search", {"name": "李"})["total"] == 0
    made = door.good("rita", "POST", f"{one}/suspension", {"reason_code": "unreachable", "reason": "三次上门无人"})
    shown = door.good("app", "GET", one)
    assert (shown["proposal"]["id"], shown["proposal"]["reason"], shown["status"]) == (made["id"], "三次上门无人", "active")
    assert door.good("app", "POST", f"{one}/suspension/confirmation", {"opinion": "同意"})["status"] == "suspended"
    shown = door.good("clerk", "GET", f"{one}?month=2019-03")
    assert shown["payable"] == {"month": "2019-03", "payable_fen": 0}
    assert [(d["kind"], d["from_month"], d["said"]) for d in shown["adjustments"]] == [("grant", "2019-01", None), ("suspend", "2019-03", "三次上门无人")]
    letter = door.call("clerk", "GET", f"/letters/{shown['adjustments'][-1]['letter_id']}")
    assert "暂停发放社会救助金通知书" in letter.get_data(as_text=True)
    granted.d.at("2019-04-10T09:00")
    door.good("clerk", "POST", f"{one}/resumption", {"reason_code": "verified", "reason": "已联系上", "pay_suspended": True})
    door.good("app", "POST", f"{one}/resumption/confirmation", {"opinion": "同意"})
    shown = door.good("clerk", "GET", one)
    assert [(s["kind"], s["amount_fen"], s["from_month"], s["to_month"], s["rest_fen"]) for s in shown["settlements"]] == [("arrears", 132_000, "2019-03", "2019-04", 132_000)]
    assert {m["month"]: m["payable_fen"] for m in shown["months"]}["2019-05"] == 66_000
    owed = f"{one}/settlements/{shown['settlements'][0]['id']}"
    assert [b["id"] for b in door.good("fin", "GET", "/benefits?unsettled=true")["items"]] == [granted.id]
    assert door.bad(403, "app", "POST", f"{owed}/waiver", {"reason": "x"})["rule"] == "waive-arrears"
    assert door.bad(403, "clerk", "POST", f"{owed}/payment", {"cleared_on": "2019-04-10"})["rule"] == "role"
    assert door.bad(422, "fin", "POST", f"{owed}/payment", {"cleared_on": "2019-04-11"})["errors"].keys() == {"cleared_on"}
    assert door.bad(404, "fin", "POST", f"{one}/settlements/1/payment", {"cleared_on": "2019-04-10"})["code"] == 404
    assert door.good("fin", "POST", f"{owed}/payment", {"cleared_on": "2019-04-10"})["status"] == "active"
    door.bad(409, "fin", "POST", f"{owed}/payment", {"cleared_on": "2019-04-10"})
    assert door.good("fin", "GET", "/benefits?unsettled=true")["items"] == []
    [ended] = door.good("clerk", "GET", one)["settlements"]
    assert (ended["status"], ended["cleared_on"], ended["cleared_by"], ended["rest_fen"]) == ("settled", "2019-04-10", "fin", 0)
    wanted = "A" if shown["review_class"] != "A" else "B"
    assert door.good("rita", "PUT", f"{one}/review-class", {"review_class": wanted, "reason": "患重病"})["status"] == "active"
    assert door.good("rita", "GET", one)["next_review_on"] == {"A": "2019-12-20", "B": "2019-06-20"}[wanted]


REFUSED = [
    ("stranger", 404, "GET", "", None), ("stranger", 404, "POST", "/suspension", {"reason_code": "unreachable", "reason": "x"}),
    ("auditor", 403, "POST", "/suspension", {"reason_code": "unreachable", "reason": "x"}), ("rita", 422, "POST", "/suspension", {"reason_code": "unreachable"}),
    ("rita", 422, "POST", "/suspension", {"reason_code": "fraud", "reason": "x"}), ("rita", 422, "POST", "/suspension", {"reason_code": "unreachable", "reason": "x", "amount": 1}),
    ("rita", 409, "POST", "/resumption", {"reason_code": "verified", "reason": "x", "pay_suspended": False}), ("app", 409, "POST", "/suspension/confirmation", {"opinion": "x"}),
    ("rita", 403, "POST", "/suspension/confirmation", {"opinion": "x"}), ("clerk", 403, "PUT", "/review-class", {"review_class": "A", "reason": "x"}),
    ("rita", 422, "PUT", "/review-class", {"review_class": "D", "reason": "x"}), ("rita", 422, "GET", "?month=2019-13", None), ("rita", 422, "GET", "?month=x", None)]  # fmt: skip


def test_what_is_refused_changes_nothing(door, granted):
    """One benefit for all of them: none may change it."""
    for login in ("stranger", "auditor", "rita", "app", "clerk"):
        door.token(login)
    before = everything(granted.office)
    for who, status, method, path, body in REFUSED:
        door.bad(status, who, method, f"/benefits/{granted.id}{path}", body)
        assert everything(granted.office) == before, (who, method, path, body)


def test_the_proposer_does_not_confirm_whatever_posts_he_has(door, granted):
    door.good("both", "POST", f"/benefits/{granted.id}/suspension", {"reason_code": "payment_returned", "reason": "账户注销"})
    assert door.bad(403, "both", "POST", f"/benefits/{granted.id}/suspension/confirmation", {"opinion": "同意"})["rule"] == "four-eyes"
    assert door.good("both", "POST", f"/benefits/{granted.id}/suspension/refusal", {"opinion": "误报"})["status"] == "active"
    assert door.bad(404, "rita", "GET", "/benefits/1")["code"] == 404


def test_s36_through_the_api(door, granted, bureau):
    assert door.bad(422, "fin", "POST", "/standard-adjustments", {"effective_month": "2019-04"})["errors"].keys() == {"effective_month"}
    granted.d.at("2019-04-01T09:00")
    key = {"Idempotency-Key": "once"}
    no = door.good("fin", "POST", "/standard-adjustments", {"effective_month": "2019-04"}, headers=key)["no"]
    assert door.good("fin", "POST", "/standard-adjustments", {"effective_month": "2019-04"}, headers=key)["no"] == no
    door.bad(409, "app", "POST", "/standard-adjustments", {"effective_month": "2019-04"})
    door.bad(409, "app", "POST", f"/standard-adjustments/{no}/confirmation", {"opinion": "同意"})
    bureau.jobs.run_all()
    [item] = door.good("clerk", "GET", f"/standard-adjustments/{no}/items?view=change")["items"]
    assert (item["before_fen"], item["after_fen"], item["per_capita"], item["outcome"]) == (66_000, 84_000, "700.00", None)
    assert door.good("stranger", "GET", f"/standard-adjustments/{no}/items")["items"] == [], "another street's"
    assert door.bad(403, "fin", "POST", f"/standard-adjustments/{no}/confirmation", {"opinion": "同意"})["rule"] == "role"
    door.good("app", "POST", f"/standard-adjustments/{no}/confirmation", {"opinion": "同意"})
    bureau.jobs.run_all()
    batch = door.good("clerk", "GET", f"/standard-adjustments/{no}")
    assert (batch["status"], batch["progress"]["applied"], batch["progress"]["applied_after_fen"]) == ("finished", 1, 84_000)
    assert door.good("clerk", "GET", f"/benefits/{granted.id}?month=2019-04")["payable"]["payable_fen"] == 84_000
    printed = door.call("clerk", "GET", f"/standard-adjustments/{no}/letters").get_data(as_text=True)
    assert printed.count("<main>") == 1
    assert "840.00元" in printed
    assert door.call("stranger", "GET", f"/standard-adjustments/{no}/letters").get_data(as_text=True).count("<main>") == 0
    door.bad(404, "clerk", "GET", "/standard-adjustments/TB-2030-01")
    door.bad(409, "fin", "POST", f"/standard-adjustments/{no}/withdrawal", {"reason": "x"})


def test_the_pages_lead_through_suspension_and_resumption(app, granted):
    one, rita, boss = f"/benefits/{granted.id}", Desk(app, "rita"), Desk(app, "app")
    assert f'href="{one}"' in rita.text("/benefits/")
    assert f'href="{one}"' in rita.text(f"/households/{granted.household}")
    assert "suspension" in rita.text(one)
    assert "confirm-suspension" not in boss.text(one)
    answer = rita.post(f"{one}/suspension", {"reason_code": "unreachable"})
    assert answer.status_code == 422
    assert rita.post(f"{one}/suspension", {"reason_code": "unreachable", "reason": "三次上门无人"}).status_code == 302
    assert "三次上门无人" in boss.text(one)
    assert boss.post(f"{one}/confirm-suspension", {"opinion": "同意"}).status_code == 302
    assert granted.row()["status"] == "suspended"
    page = rita.text(one)
    letter = re.search(r'href="(/letters/\d+)">暂停发放', page)[1]
    assert "暂停发放社会救助金通知书" in rita.text(letter)
    assert Desk(app, "stranger").get(letter).status_code == 404
    assert Desk(app, "stranger").get(one).status_code == 404
    assert re.search(r"\sstyle=|\son[a-z]+=|<script>|<style", page) is None
    assert rita.post(f"{one}/resumption", {"reason_code": "verified", "reason": "回来了", "pay_suspended": "false"}).status_code == 302
    assert rita.post(f"{one}/refuse-resumption", {"opinion": "再核实"}).status_code == 302
    assert rita.post(f"{one}/review-class", {"review_class": "A" if granted.row()["review_class"] != "A" else "B", "reason": "患病"}).status_code == 302
    assert rita.get(f"{one}/nothing").status_code == 404


def test_the_page_leads_to_the_payment_and_to_the_waiver_of_a_recovery(app, granted):
    with granted.office.act(granted.d.people["app"]) as act:
        [first] = benefits.settle(act, granted.id, None, "income_changed", {"2019-01": 5_000})
        [second] = benefits.settle(act, granted.id, None, "income_changed", {"2019-02": 6_000})
    one, clerk, fin, boss = f"/benefits/{granted.id}", Desk(app, "clerk"), Desk(app, "fin"), Desk(app, "app")
    pay, waive = f"{one}/settlements/{first.id}/payment", f"{one}/settlements/{second.id}/waiver"
    assert "/settlements/" not in clerk.text(one)
    assert pay in fin.text(one)
    assert waive not in fin.text(one)
    assert waive in boss.text(one)
    assert f'href="{one}"' in fin.text("/benefits/?unsettled=1")
    assert fin.post(pay, {}).status_code == 422
    assert fin.post(pay, {"cleared_on": "2019-02-11", "note": "凭证 3 号"}).status_code == 302
    assert boss.post(waive, {"reason": "家庭无力退还"}).status_code == 302
    page = fin.text(one)
    assert all(words in page for words in ("凭证 3 号", "家庭无力退还", "2019-02-11"))
    assert "/settlements/" not in page
    assert fin.get(f"{one}/settlements/{first.id}/nothing").status_code == 404
    assert f'href="{one}"' not in fin.text("/benefits/?unsettled=1")


def test_lists_are_narrowed_and_names_stay_out_of_addresses(app, granted):
    rita = Desk(app, "rita")
    one = f'href="/benefits/{granted.id}"'
    assert one in rita.text("/benefits/?status=active&category=dibao")
    assert one not in rita.text("/benefits/?status=closed")
    assert one not in rita.text("/benefits/?category=low_income")
    assert one in rita.text("/benefits/?status=nonsense&unit=999")
    assert one in rita.post("/benefits/", {"name": "张"}).get_data(as_text=True)
    assert one not in rita.post("/benefits/", {"name": "王"}).get_data(as_text=True)
    assert one not in Desk(app, "stranger").text("/benefits/")


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_pages_lead_through_an_adjustment_of_the_standard(app, granted, bureau, lang):
    fin, boss, clerk = Desk(app, "fin", lang), Desk(app, "app", lang), Desk(app, "clerk", lang)
    granted.d.at("2019-04-01T09:00")
    assert "/standards/new" in fin.text("/standards/")
    assert "/standards/new" not in clerk.text("/standards/")
    assert fin.post("/standards/new", {"effective_month": "2019-05"}).status_code == 422
    answer = fin.post("/standards/new", {"effective_month": "2019-04"})
    assert answer.location == "/standards/TB-2019-04"
    assert "/confirm" not in boss.text(answer.location)
    bureau.jobs.run_all()
    assert "/confirm" not in fin.text(answer.location)
    assert "840.00" in boss.text(answer.location)
    assert boss.post(f"{answer.location}/confirm", {"opinion": "同意"}).status_code == 302
    bureau.jobs.run_all()
    page = clerk.text(f"{answer.location}?view=applied")
    assert "840.00" in page
    assert f"{answer.location}/letters?page=1" in page
    assert re.search(r'href="/letters/\d+\.docx"', page)
    assert "840.00元" in clerk.text(f"{answer.location}/letters")
    assert clerk.get("/standards/TB-1").status_code == 404
    assert boss.post(f"{answer.location}/withdraw", {"reason": "x"}).status_code == 409
    assert "TB-2019-04" in clerk.text(f"/benefits/{granted.id}")
