"""Monthly payments: list, check, approval, file, answers, reissue (N220 art 31; S38; issue 7 line 1)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from engine import store
from engine.errors import Conflict, Invalid
from engine.office import history
from processes import payment_accounts, payment_answers, payment_lists, payments
from processes.payment_tables import payment_item, payment_sending
from processes.rebuild import differences
from tests.district import COMMUNITY, STREET
from tests.paying import ELSEWHERE, FakeBank, Paying, rule


@pytest.mark.parametrize(("month", "last"), [("2018-12", "2018-12-10"), ("2019-01", "2019-01-10"), ("2019-02", "2019-02-03"), ("2018-11", "2018-11-09"), ("2021-10", "2021-10-09")])
def test_paid_by_the_tenth_or_before_the_days_off(month: str, last: str) -> None:
    assert payments.pay_by(month) == last  # S38; S1: 2019-02-10 is a holiday; 2021-10-09 is a Saturday that is worked, the 10th a Sunday


@pytest.fixture
def town(district):
    return Paying(district)


def test_a_run_from_the_list_to_its_close(town):
    homes = [town.paid_home(fen) for fen in (66_000, 1, 123_456)]
    town.start()
    run = town.run()
    assert (run["status"], run["totals"]["items"], run["totals"]["total_fen"], run["pay_by"]) == ("ready", 3, 189_457, "2018-12-10")
    item = town.items()[0]
    assert {k: item[k] for k in ("members", "standard", "category", "holder", "people", "state")} == {
        "members": 2, "standard": "920", "category": "dibao", "holder": "赵一", "people": ["赵一", "赵二"], "state": "listed"}  # fmt: skip
    assert item["account"].startswith("**** ") and len(item["account"]) == 9
    town.approve()
    data = town.send().decode("gb18030").split("\r\n")
    assert data[0] == f"H,{town.no}-01,monthly,天津市滨海新区民政局,,20181210,3,1894.57" and data[-2] == "T,3,1894.57"
    assert town.run()["files"][0]["state"] == "sent"
    # S38: one comes back on the 9th, and is reissued; credited after the 10th it is late
    lines = town.sent()
    town.d.at("2018-12-09T09:00")
    told = town.take(town.answer_bytes([*lines[:2], replace(lines[2], result="account_closed", credited_on=None, reason="账户已销户")]))
    assert (told["taken"], told["faults"], told["again"]) == (3, 0, False)
    assert [town.state_of(home) for home in homes] == ["credited", "credited", "returned"]
    assert town.run()["returned"] == [{"cause": "account_closed", "items": 1, "fen": 123_456}]
    town.do("fin", "enter_returns", returns_outcome="reissue")
    assert rule(lambda: town.do("fin", "prepare_reissue")) == "nothing-to-reissue"
    town.change_account(homes[2], "6217000000000000099")
    town.do("fin", "prepare_reissue")
    assert rule(lambda: town.do("fin", "check_reissue", reissue_outcome="agree")) == "maker-checks"
    town.do("fin2", "check_reissue", reissue_outcome="agree")
    again = town.send().decode("gb18030").split("\r\n")
    assert again[1].split(",")[4:7] == ["中国银行", "6217000000000000099", "1234.56"] and len(again) == 4, "the returned one alone, to the new account"
    assert town.items("late") == []
    town.d.at("2018-12-12T09:00")
    assert [item["household_id"] for item in town.items("late")] == [homes[2]], "not credited by the 10th"
    town.take(town.answer_bytes([replace(town.sent()[0], credited_on=datetime(2018, 12, 11, tzinfo=UTC).date())]))
    assert [(item["household_id"], item["credited_on"]) for item in town.items("late")] == [(homes[2], "2018-12-11")] and town.run()["late"] == 1
    town.do("fin", "enter_returns", returns_outcome="close")
    town.do("fin", "close_run", opinion="账实相符")
    assert (town.run()["status"], town.d.case(town.no)["outcome"]) == ("closed", "ended_closed")
    with town.office.read() as conn:
        tries = conn.execute(select(payment_sending.c.item_id, payment_sending.c.state).order_by(payment_sending.c.id)).all()
        assert len({row.item_id for row in tries if row.state == "paid"}) == sum(row.state == "paid" for row in tries) == 3, "each paid once"
        part = conn.scalar(select(payment_item.c.part))
        entries = history(conn, town.office.keys.on(conn), part)
    assert [e.event for e in entries] == ["items_listed", "items_sent", "items_answered", "items_marked", "items_sent", "items_answered"], "one entry for what happens to a part"
    assert {put["id"] for put in entries[0].said["puts"] if put["table"] == "payment_item"} == {item["id"] for item in town.items()}
    assert differences(town.office) == []


def test_one_run_for_a_unit_and_a_month_by_two_pairs_of_eyes(town):
    town.paid_home(66_000)
    town.start(scope=STREET)
    assert rule(lambda: town.start(scope=STREET)) == rule(lambda: town.start(scope="120116")) == "second-run"
    first = town.no
    town.start(scope="120116005")
    town.no = first
    assert town.d.cases.start and rule(lambda: town.start(who="app")) == rule(lambda: town.start(who="clerk")) == "starter"
    for said, field in [({"scope": "120116099", "month": "2018-12"}, "scope"), ({"scope": COMMUNITY, "month": "2018-12"}, "scope"), ({"scope": STREET, "month": "2019-02"}, "month"),
                        ({"scope": STREET, "month": "2018-13"}, "month"), ({"scope": "１２３ x", "month": "2018-12"}, "scope")]:  # fmt: skip
        with pytest.raises(Invalid) as refused, town.office.act(town.d.people["fin"]) as act:
            town.d.cases.start(act, "payment-run", said)
        assert list(refused.value.fields) == [field]
    assert town.run()["totals"]["items"] == 1
    town.do("fin", "prepare_list", list_outcome="submit")
    assert rule(lambda: town.do("fin", "check_list", check_outcome="agree")) == "maker-checks"
    town.do("fin2", "check_list", check_outcome="agree")
    with town.office.act() as act:  # who made it is an approver, too
        from processes import organisation

        organisation.add_staff(act, "both", "两岗", "binhai-2018", [("approver", "120116"), ("finance_officer", "120116")], hashed="x")
    with town.office.read() as conn:
        town.d.people["both"] = organisation.find_actor(conn, "both")
    town.do("app", "approve_list", approval_outcome="return", opinion="请核对")
    town.do("both", "prepare_list", list_outcome="submit")
    town.do("fin2", "check_list", check_outcome="agree")
    assert rule(lambda: town.do("both", "approve_list", approval_outcome="approve")) == "maker-approves"
    town.do("app", "approve_list", approval_outcome="approve")
    assert (town.run()["approved_items"], town.run()["approved_fen"]) == (1, 66_000)


def test_a_run_that_is_called_off_frees_its_month(town):
    home = town.paid_home(66_000)
    town.start()
    town.do("fin", "prepare_list", list_outcome="call_off", opinion="月份有误")
    assert town.state_of(home) == "dropped"
    town.start()
    assert town.run()["totals"]["items"] == 1
    assert differences(town.office) == []


def test_what_is_wrong_is_answered_before_the_list_is_submitted(town):
    shared = "6222000000000000777"
    homes = {
        "fine": town.paid_home(50_000), "no account": town.paid_home(50_000, account=None), "not theirs": town.paid_home(50_000, holder="王外人"),
        "one": town.paid_home(50_000, account=shared), "two": town.paid_home(60_000, account=shared, community=ELSEWHERE), "huge": town.paid_home(2_000_001), "most": town.paid_home(2_000_000),
    }  # fmt: skip
    town.start(scope=STREET)
    first = town.no
    assert [(p["kind"], p["household_id"], p["answer"]) for p in town.problems() if p["state"] == "answered"] == [
        ("no_account", homes["no account"], "hold"), ("holder_differs", homes["not theirs"], "hold")]  # fmt: skip
    [huge] = town.problems("open")
    assert (huge["kind"], huge["household_id"]) == ("over_ceiling", homes["huge"]), "20,000.00 itself is not above it"
    assert rule(lambda: town.do("fin", "prepare_list", list_outcome="submit")) == "open-problems"
    assert rule(lambda: town.answer(huge, "drop", who="app")) == "role"
    town.answer(huge, "drop")
    [bad] = [p for p in town.problems() if p["kind"] == "holder_differs"]
    assert rule(lambda: town.answer(bad, "keep")) == "not-payable"
    town.start(scope="120116005")
    [twice] = town.problems("open")
    assert (twice["kind"], twice["household_id"], twice["other_run"], twice["other_community"]) == ("account_twice", homes["two"], first, COMMUNITY), "across units"
    town.answer(twice, "keep", reason="同一监护人")
    town.do("fin", "prepare_list", list_outcome="submit")
    town.no = first
    assert town.run()["totals"] | {"items": 3, "total_fen": 2_100_000, "held": 2, "dropped": 1} == town.run()["totals"]
    town.do("fin", "prepare_list", list_outcome="submit")
    with pytest.raises(Conflict):
        town.answer(bad, "drop")


def test_a_list_that_decisions_have_overtaken_is_made_again(town):
    home = town.home()
    benefit_id = town.benefit(home, 66_000)
    stopped = town.benefit(town.home(), 70_000)
    kept = town.paid_home(80_000)
    town.start(month="2019-01")
    town.decide(benefit_id, "decrease", "2019-01", 60_000)
    town.decide(stopped, "stop", "2019-01")
    assert town.run()["changed"] == 2
    assert rule(lambda: town.do("fin", "prepare_list", list_outcome="submit")) == "list-overtaken"
    with town.office.act(town.d.people["fin"]) as act:
        payment_lists.list_again(act, town.no)
    town.jobs()
    assert sorted((i["household_id"], i["amount_fen"]) for i in town.items()) == [(home, 60_000), (kept, 80_000)] and len(town.items("dropped")) == 2
    town.do("fin", "prepare_list", list_outcome="submit")
    town.change_account(kept, "6217000000000000011", "2019-01")
    assert rule(lambda: town.do("fin2", "check_list", check_outcome="agree")) == "list-overtaken", "another account, too"
    town.do("fin2", "check_list", check_outcome="return", opinion="账户已变更")
    with town.office.act(town.d.people["fin"]) as act:
        payment_lists.list_again(act, town.no)
    town.jobs()
    town.approve()
    assert "6217000000000000011" in town.send("2019-01-04").decode("gb18030")
    assert differences(town.office) == []


@pytest.mark.parametrize("profile", ["own-csv", "fixed"])
def test_an_answer_with_faults_counts_for_the_rest_and_once(town, profile):
    homes = [town.paid_home(fen) for fen in (10_000, 20_000, 30_000, 40_000)]
    town.start()
    town.approve()
    town.send(profile=profile)
    lines = town.sent()
    faulty = [lines[0], replace(lines[1], amount_fen=20_001), replace(lines[2], serial="FF-2018-999999-01-000009"), lines[0], lines[3]]
    rows = town.answer_bytes(faulty).split(b"\r\n")
    rows[5] = rows[5][:25]  # the last one is cut short
    data = b"\r\n".join(rows)
    told = town.take(data)
    assert [(f["line"], f["code"]) for f in told["problems"]] == [(3, "wrong_amount"), (4, "unknown_item"), (5, "duplicate"), (6, "truncated")]
    assert [town.state_of(home) for home in homes] == ["credited", "sent", "sent", "sent"]
    seqs = records(town)
    assert town.take(data) == {**told, "again": True} and records(town) == seqs, "the same file again changes nothing"
    assert rule(lambda: town.do("fin", "enter_returns", returns_outcome="close")) == "outstanding"
    again = town.take(town.answer_bytes([*lines[:3], replace(lines[3], result="name_differs", credited_on=None)]))
    assert (again["taken"], again["repeated"], again["faults"]) == (3, 1, 0)
    against = town.take(town.answer_bytes([replace(lines[3], credited_on=town.office.today())]))
    assert [f["code"] for f in against["problems"]] == ["already"] and town.state_of(homes[3]) == "returned"
    with pytest.raises(Invalid) as refused:
        town.do("fin", "enter_returns", returns_outcome="close")
    assert "opinion" in refused.value.fields
    for junk, code in [(b"MZ\x90\x00", "not_this_profile"), (b"", "empty"), (town.answer_bytes(lines).replace(town.files()[0]["no"].encode(), b"FF-2018-000000-09"), "other-file")]:
        assert rule(lambda junk=junk: town.take(junk)) == code
    assert rule(lambda: town.take(data, who="app")) == "role"
    assert differences(town.office) == []


def records(town):
    with town.office.read() as conn:
        return conn.execute(select(store.record.c.id, store.record.c.seq).where(store.record.c.kind != "reader").order_by(store.record.c.id)).all()


def test_a_lost_acknowledgement_pays_nobody_twice(district):
    bank = FakeBank(loses=2)
    town = Paying(district, bank)
    for fen in (10_000, 20_000):
        town.paid_home(fen)
    town.start()
    town.approve()
    town.send()
    assert town.files()[0]["state"] == "made" and len(bank.given) == 1
    with pytest.raises(Conflict):
        town.do("fin", "enter_returns", returns_outcome="close")
    for minutes in (2, 20):
        district.bureau.jobs.real_clock = lambda minutes=minutes: datetime.now(UTC) + timedelta(minutes=minutes)
        town.jobs()
    assert bank.given == [f"{town.no}-01"] * 3 and len(bank.files) == 1 and town.files()[0]["state"] == "sent"


def test_a_change_of_account_takes_two_and_a_members_name(town):
    home = town.paid_home(10_000)
    assert rule(lambda: town.change_account(home, "6217000000000000011", holder="王外人")) == "account-holder"
    assert rule(lambda: town.change_account(home, "6217000000000000011", by="fin", confirmed_by="fin")) == "four-eyes"
    with pytest.raises(Conflict):
        town.change_account(home, "6217000000000000012")
    with town.office.read() as conn:
        [row] = payment_accounts.told(town.office.keys.on(conn), payment_accounts.listed(conn, "120116").items)
        assert (row["state"], row["account"], row["from_month"]) == ("proposed", "**** 0011", "2018-12")
    with town.office.act(town.d.people["rita"]) as act:
        payment_accounts.settle(act, row["id"], {"outcome": "refuse", "opinion": "无凭证"})
    for wrong, field in [("12345", "account"), ("6217-0000-0000", "account")]:
        with pytest.raises(Invalid) as refused:
            town.change_account(home, wrong)
        assert field in refused.value.fields
    town.change_account(home, "6217000000000000013", "2019-01")
    town.start()
    assert town.items()[0]["account"] == "**** 0001", "the new one counts from January's run"
    town.d.at("2019-01-02T09:00")
    town.start("2019-01")
    assert town.items()[0]["account"] == "**** 0013"


def test_a_large_answer_is_applied_by_jobs(town, monkeypatch):
    monkeypatch.setattr(payment_answers, "APPLIED", 2)
    monkeypatch.setattr(payment_lists, "LIST", 2)
    homes = [town.paid_home(1000 + n) for n in range(7)]
    town.start()
    town.approve()
    town.send()
    lines = town.sent()
    assert [line.number for line in lines] == [1, 2, 3, 4, 5, 6, 7]
    lines[6] = replace(lines[6], result="other", credited_on=None, reason="户名“赵”有误")
    told = town.take(town.answer_bytes(lines))
    assert told["taken"] == 7 and told["applied"] == 0
    assert [town.state_of(home) for home in homes] == ["credited"] * 6 + ["returned"]
    with town.office.read() as conn:
        run = payments.of_case(conn, town.no)
        item = payments.item_seen(conn, town.d.people["fin"], run, town.items("returned")[0]["id"])
        one = payments.item_told(conn, town.office.keys.on(conn), item, run, town.office.today())
        assert one["sendings"][0]["reason"] == "户名“赵”有误" and conn.scalar(select(func.count(payment_item.c.part.distinct()))) == 4
    assert differences(town.office) == []
