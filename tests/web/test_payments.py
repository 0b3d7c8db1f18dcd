"""Payment runs through the API and on the pages: the whole road over HTTP, what is refused in words, who sees what."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest

from processes.rebuild import differences
from tests.district import STREET
from tests.paying import FakeBank, Paying
from tests.web.test_api import Door
from tests.web.test_pages import Desk


class Roads(Door):
    def __init__(self, bureau, district):
        super().__init__(bureau, district)
        self.town = Paying(district, FakeBank())

    def step(self, who, node, **answers):
        self.do(who, self.town.no, node, **answers)
        self.town.jobs()

    def upload(self, who, data, **more):
        return self.call(who, "POST", f"/payment-runs/{self.town.no}/answers", data={"file": (io.BytesIO(data), "回盘.csv"), **more})

    def run(self, who="fin"):
        return self.good(who, "GET", f"/payment-runs/{self.town.no}")


@pytest.fixture
def roads(bureau, district):
    return Roads(bureau, district)


def test_the_whole_road_over_the_api(roads, district):
    town = roads.town
    homes = [town.paid_home(66_000), town.paid_home(70_000, account=None), town.paid_home(80_000, account="6222000000000000777"), town.paid_home(90_000, account="6222000000000000777")]
    made = roads.good("fin", "POST", "/payment-runs", {"scope": "120116", "month": "2018-12"}, headers={"Idempotency-Key": "1"})
    assert roads.good("fin", "POST", "/payment-runs", {"scope": "120116", "month": "2018-12"}, headers={"Idempotency-Key": "1"}) == made
    town.no = made["case"]
    assert roads.bad(403, "fin", "POST", "/payment-runs", {"scope": STREET, "month": "2018-12"})["rule"] == "second-run"
    roads.bad(422, "fin", "POST", "/payment-runs", {"scope": STREET, "month": "2018-00"})
    roads.bad(422, "fin", "POST", "/payment-runs", {"scope": STREET, "month": "2018-11", "amount": "1"})
    town.jobs()
    assert roads.run()["status"] == "ready" and roads.run()["open_problems"] == {"account_twice": 1}
    [problem] = roads.good("fin", "GET", f"/payment-runs/{town.no}/problems?state=open")["items"]
    path = f"/payment-runs/{town.no}/problems/{problem['id']}"
    assert roads.bad(403, "rita", "POST", path, {"answer": "keep", "reason": "x"})["rule"] == "role"
    roads.bad(422, "fin", "POST", path, {"answer": "keep"})
    assert roads.good("fin", "POST", path, {"answer": "keep", "reason": "夫妻共用，已核实"})["answer"] == "keep"
    roads.bad(404, "fin", "POST", f"/payment-runs/{town.no}/problems/999", {"answer": "keep", "reason": "x"})
    roads.bad(404, "stranger", "GET", "/payment-runs/FF-2018-999999")
    roads.step("fin", "prepare_list", list_outcome="submit")
    roads.bad(409, "fin", "POST", f"/payment-runs/{town.no}/list", {})
    roads.step("fin2", "check_list", check_outcome="agree")
    roads.step("app", "approve_list", approval_outcome="approve")
    assert {k: v for k, v in roads.run()["totals"].items() if k in ("items", "total_fen", "held")} == {"items": 3, "total_fen": 236_000, "held": 1}
    roads.step("fin", "send_file", profile="fixed", pay_on="2018-12-07")
    file = roads.run()["files"][0]
    assert (file["count"], file["total_fen"], file["state"]) == (3, 236_000, "sent")
    got = roads.call("fin", "GET", f"/payment-runs/{town.no}/files/{file['no']}")
    assert got.data == town.bank.files[file["no"]] and got.headers["Cache-Control"] == "no-store"
    assert roads.call("app", "GET", f"/payment-runs/{town.no}/files/{file['no']}").status_code == 403
    lines = town.sent()
    rows = town.answer_bytes([lines[0], replace(lines[1], amount_fen=1), replace(lines[2], serial="X"), lines[0]]).split(b"\r\n")
    data = b"\r\n".join([*rows[:5], rows[5][:30]])
    answer = roads.upload("fin", data)
    assert answer.status_code == 201 and [(p["line"], p["code"]) for p in answer.json["problems"]] == [(3, "wrong_amount"), (4, "unknown_item"), (5, "duplicate"), (6, "truncated")]
    assert all(p["message"] for p in answer.json["problems"]) and answer.json["again"] is False
    assert roads.upload("fin", data).json["again"] is True and roads.run()["totals"]["credited"] == 1
    assert roads.upload("app", data).status_code == 403 and roads.upload("fin", b"MZ\x90 not a file of a bank").status_code == 403
    assert roads.upload("fin", data, file_no="FF-2018-000001-99").status_code == 404 and roads.upload("fin", data, other="1").status_code == 422
    assert roads.good("auditor", "GET", f"/payment-runs/{town.no}/answers/{answer.json['id']}")["faults"] == 4
    roads.bad(403, "rita", "GET", f"/payment-runs/{town.no}/answers/{answer.json['id']}")
    roads.upload("fin", town.answer_bytes([lines[1], replace(lines[2], result="account_frozen", credited_on=None)]))
    roads.step("fin", "enter_returns", returns_outcome="reissue")
    [back] = roads.good("fin", "GET", f"/payment-runs/{town.no}/items?view=returned")["items"]
    said = {"holder": "赵一", "bank": "中国银行", "account": "6217000000000000013", "from_month": "2018-12", "reason": "补登账户"}
    assert roads.bad(403, "clerk", "POST", f"/households/{homes[1]}/account-changes", said | {"holder": "外人"})["rule"] == "account-holder"
    roads.bad(404, "stranger", "POST", f"/households/{homes[1]}/account-changes", said)
    change = roads.good("clerk", "POST", f"/households/{homes[1]}/account-changes", said)["change"]
    assert roads.bad(403, "clerk", "POST", f"/account-changes/{change}", {"outcome": "confirm", "opinion": "x"})["rule"] == "role"
    roads.good("rita", "POST", f"/account-changes/{change}", {"outcome": "confirm", "opinion": "与存折相符"})
    assert [row["account"] for row in roads.good("rita", "GET", f"/account-changes?household_id={homes[1]}")["items"]] == ["**** 0013"]
    roads.step("fin", "prepare_reissue", same_account=[back["id"]])
    roads.step("fin2", "check_reissue", reissue_outcome="agree")
    roads.step("fin", "send_file", pay_on="2018-12-10")
    assert roads.run()["files"][1]["count"] == 2
    roads.upload("fin", town.answer_bytes(town.sent()))
    one = roads.good("rita", "GET", f"/payment-runs/{town.no}/items/{back['id']}")
    assert [(s["state"], s["cause"]) for s in one["sendings"]] == [("returned", "account_frozen"), ("paid", None)] and one["people"] == ["赵一", "赵二"]
    roads.step("fin", "enter_returns", returns_outcome="close")
    roads.step("fin", "close_run", opinion="账实相符")
    assert roads.run("rita")["totals"]["credited_fen"] == 306_000 and roads.run()["status"] == "closed"
    late = roads.upload("fin", town.answer_bytes([replace(lines[0], result="account_closed", credited_on=None)], file=0))
    assert (late.status_code, late.json["back"], late.json["applied"]) == (201, 1, 1) and roads.run()["totals"]["credited_fen"] == 240_000
    [back] = roads.good("rita", "GET", "/payments-taken-back?waiting=true")["items"]
    assert (back["applicant"], back["amount_fen"], back["cause"], back["now_state"], back["now_run"]) == ("赵*", 66_000, "account_closed", "returned", town.no)
    assert roads.good("stranger", "GET", "/payments-taken-back")["items"] == [] and "被银行收回" in Desk(roads.app, "fin").text(f"/payments/{town.no}/items/{back['item_id']}")
    assert "H0" in Desk(roads.app, "fin").text("/payments/taken-back")
    assert [p["source"] for p in roads.good("fin", "GET", f"/households/{homes[0]}/account")["postings"]].count("taken_back") == 1
    assert [roads.good(who, "GET", "/inbox")["taken_back"] for who in ("fin", "app", "rita", "stranger")] == [1, 0, 0, 0], "who pays is told"
    desk, new = Desk(roads.app, "fin"), roads.good("fin", "POST", "/inbox/seen", {})["new"]
    page = desk.text("/inbox")
    assert '银行收回 <span class="n">1</span>' in page and "赵* H0" in page and "660.00元" in page and f'收件箱 <span class="n">{new + 1}</span>' in page, "who looked is told all the same"
    assert 'id="p-back"' not in Desk(roads.app, "rita").text("/inbox")
    town.d.at("2019-01-02T09:00")  # the next run pays it
    town.start("2019-01")
    for problem in town.problems("open"):
        town.answer(problem, "keep")
    town.approve()
    town.send("2019-01-10")
    assert roads.good("fin", "GET", "/inbox")["taken_back"] == 1, "with the bank is not credited"
    town.take(town.answer_bytes(town.sent()))
    assert roads.good("fin", "GET", "/inbox")["taken_back"] == 0 and "660.00元" not in desk.text("/inbox")
    assert roads.good("stranger", "GET", f"/payment-runs/{town.no}/items")["items"] == [], "another street sees none of these households"
    assert roads.good("sue", "GET", "/payment-runs?month=2018-12")["total"] == 1 and roads.good("sue", "GET", "/payment-runs?status=ready")["total"] == 0
    assert differences(district.office) == []


def test_the_pages_of_a_run(roads, district):
    town = roads.town
    town.paid_home(66_000)
    town.paid_home(2_100_000)
    desk = Desk(roads.app, "fin")
    desk.text("/payments/")
    desk.post("/payments/new", {"scope": "120116", "month": "2018-12"})
    with town.office.read() as conn:
        from processes import payments

        town.no = payments.runs(conn, district.people["fin"]).items[0]["case_no"]
    town.jobs()
    page = desk.text(f"/payments/{town.no}")
    assert "金额超过单户上限" in page
    [problem] = town.problems("open")
    desk.post(f"/payments/{town.no}/problems/{problem['id']}", {"answer": "keep", "reason": "三代十口"})
    assert desk.post(f"/payments/{town.no}/list-again", {}, page=f"/payments/{town.no}").status_code == 302
    town.jobs()
    town.approve()
    town.send()
    for path in ("", "/items", "/items?view=sent", "/items?view=late", "/problems", "/answers", "/print", f"/items/{town.items()[0]['id']}"):
        desk.text(f"/payments/{town.no}{path}")
    assert "赵*" in desk.text(f"/payments/{town.no}/print") and "62220000" not in desk.text(f"/payments/{town.no}/print")
    sent = desk.post(f"/payments/{town.no}/answers", {"file": (io.BytesIO(town.answer_bytes([replace(town.sent()[0], amount_fen=5)])), "a.csv")})
    assert "金额与发出的不一致" in desk.text(sent.location)
    desk.text("/payments/accounts")
    assert desk.get("/payments/FF-2018-999999").status_code == 404
    assert "社会救助资金发放清单" in Desk(roads.app, "rita").text(f"/payments/{town.no}/print")


def test_the_demos_runs(district, bureau):
    """Its part, on a small district: December's run is closed with one item unpaid, February's waits for a line of the bank's answer."""
    from datetime import date, timedelta

    from web.demo_payments import Payments

    town = Paying(district)
    for fen in (10_000, 20_000, 30_000, 40_000, 50_000):
        town.paid_home(fen)

    class Small:
        benefits = None  # no lists came in
        made = bureau
        by_role = staticmethod(lambda role, unit: [who for who in district.people.values() if who.holds(role, unit)])

    demo, day = Payments(), date(2018, 12, 3)
    demo.begin(Small())
    while day <= date(2019, 2, 28):
        if day.isoformat() in ("2018-12-03", "2018-12-04", "2018-12-05", "2018-12-07", "2018-12-10", "2018-12-12", "2018-12-28", "2019-01-02", "2019-01-03", "2019-01-07", "2019-01-28", "2019-01-29", "2019-01-30", "2019-02-12", "2019-02-13"):
            district.at(f"{day}T10:00")
        demo.day(Small(), day)
        day += timedelta(days=1)
    with town.office.read() as conn:
        from processes import payments

        found = {row["month"]: payments.told(conn, row, town.office.today()) for row in payments.runs(conn, district.people["fin"]).items}
    assert [found[m]["status"] for m in ("2018-12", "2019-01", "2019-02")] == ["closed", "paying", "paying"]
    assert (found["2018-12"]["totals"]["returned"], found["2018-12"]["late"] > 0, found["2019-01"]["totals"]["sent"], found["2019-02"]["totals"]["sent"]) == (1, True, 0, 1)
    assert differences(town.office) == []


def test_statements_repayments_and_offsets_over_the_api_and_on_pages(roads, district):
    from processes import benefits

    town = roads.town
    home = town.home()
    number = town.benefit(home, 66_000)
    town.start()
    town.approve()
    town.send()
    town.take(town.answer_bytes(town.sent()))
    with town.office.act() as act:
        [asked] = benefits.settle(act, number, None, "income_changed", {"2018-12": 30_000})
        [owed] = benefits.settle(act, number, None, "income_changed", {"2018-12": -7_000})
    path = f"/benefits/{number}/settlements/{asked.id}"
    said = {"amount": "100.00", "on_day": "2018-12-03"}
    assert roads.bad(403, "app", "POST", f"{path}/repayments", said)["rule"] == "role"
    roads.bad(422, "fin", "POST", f"{path}/repayments", said | {"amount": "300.01"})
    roads.bad(422, "fin", "POST", f"{path}/repayments", said | {"on_day": "2018-13-01"})
    once = {"Idempotency-Key": "r1"}
    assert roads.good("fin", "POST", f"{path}/repayments", said, headers=once) == roads.good("fin", "POST", f"{path}/repayments", said, headers=once)
    receipt = roads.good("fin", "POST", f"{path}/offsets", {"against": owed.id, "amount": "70.00", "note": "家庭同意"})["receipt"]
    assert roads.bad(403, "fin", "POST", f"/benefits/{number}/offsets/{receipt}", {"outcome": "agree"})["rule"] == "role"
    roads.bad(422, "app", "POST", f"/benefits/{number}/offsets/{receipt}", {"outcome": "refuse"})
    assert roads.good("app", "POST", f"/benefits/{number}/offsets/{receipt}", {"outcome": "agree"})["state"] == "done"
    told = roads.good("rita", "GET", f"/households/{home}/account")
    [month] = told["months"]
    assert month == {"month": "2018-12", "approved_fen": 43_000, "paid_fen": 66_000, "recovered_fen": 10_000, "set_off_fen": 0, "written_off_fen": 0, "payable_fen": 0, "receivable_fen": 13_000,
                     "owed_fen": -13_000}  # fmt: skip
    assert {s["id"]: (s["rest_fen"], s["status"]) for s in told["settlements"]} == {asked.id: (13_000, "found"), owed.id: (0, "settled")}
    roads.bad(404, "stranger", "GET", f"/households/{home}/account")
    roads.bad(403, "app", "POST", "/accounts/postings", {"unit": "120116"})
    assert roads.bad(422, "fin", "POST", "/accounts/postings", {"unit": "120116999"})["errors"] == {"unit": ["没有这个机构"]}
    roads.good("fin", "POST", "/accounts/postings", {"unit": "120116"})
    town.jobs()
    assert roads.good("sue", "GET", "/accounts?unit=120116&month=2018-12&differing=true")["items"][0]["receivable_fen"] == 13_000
    assert roads.good("sue", "GET", "/accounts/totals?unit=120116&month=2018-12")["paid_fen"] == 66_000
    roads.bad(422, "sue", "GET", "/accounts/totals?unit=120116&month=2018-13")
    assert roads.good("stranger", "GET", "/accounts?unit=120116&month=2018-12")["total"] == 0
    desk = Desk(roads.app, "fin")
    assert "130.00" in desk.text(f"/accounts/households/{home}") and "660.00" in desk.text("/accounts/?unit=120116&month=2018-12")
    answer = desk.post(f"/accounts/benefits/{number}/{asked.id}/repayment", {"amount": "130.00", "on_day": "2018-12-03"})
    assert answer.status_code == 302 and "已结清" in desk.text(f"/accounts/households/{home}")
    assert desk.post("/accounts/post", {"unit": "120116"}, page="/accounts/?unit=120116").status_code == 302
    assert desk.get("/accounts/?month=2018-99").status_code == 422
    assert differences(district.office) == []
