"""补发、追缴: every household's account, by double entry (issue 7 line 2; decision 070).

`YINGBAO_TEST_HISTORIES` says how many random histories there are: 20 in `make test`, 1,000 in `make load`."""

from __future__ import annotations

import os
import random
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from engine.errors import Conflict, Invalid, Refused
from engine.forms import understand
from processes import account_book, benefit_acts, benefits, payments
from processes.account_book import Facts, Offset, OffsetSettled, Posting, Repayment, balance, due, holds
from processes.account_tables import account_posting, account_receipt
from processes.bank_files import CAUSES
from processes.benefit_tables import settlement
from processes.payment_tables import payment_item, payment_sending
from processes.rebuild import differences
from processes.tables import benefit
from tests.paying import Paying, rule

HISTORIES = int(os.environ.get("YINGBAO_TEST_HISTORIES", "20"))

# -- pure


def decision(n, month, fen, status="active"):
    return {"id": n, "from_month": month, "after_fen": fen, "after_status": status, "before_fen": 0}


def claim(n, kind, months, status="found"):
    import json

    return {"id": n, "kind": kind, "months": json.dumps(months), "from_month": min(months), "amount_fen": sum(months.values()), "status": status}


def book(**more):
    row = {"first_payment_month": "2018-12", "amount_fen": 66_000}
    made = Facts(row, [decision(1, "2018-12", 66_000)], (), (), (), "2018-12", "2019-02")
    return replace(made, **more)


def months_of(postings):
    return {m: balance([p for p in postings if p.month == m]) for m in {p.month for p in postings}}


def test_a_month_that_is_approved_paid_asked_back_and_repaid():
    facts = book(paid=[(7, "2018-12", None, 66_000)], settlements=[claim(5, "recovery", {"2018-12": 16_000})],
                 receipts=[{"id": 9, "kind": "repaid", "settlement_id": 5, "against_id": None, "fen": 6_000, "state": "done"}])  # fmt: skip
    found = months_of(due(facts))
    assert found["2018-12"] == {"approved_fen": 50_000, "paid_fen": 66_000, "recovered_fen": 6_000, "set_off_fen": 0, "written_off_fen": 0, "payable_fen": 0, "receivable_fen": 10_000,
                                "owed_fen": -10_000}  # fmt: skip
    assert found["2019-01"]["owed_fen"] == 66_000 and all(map(holds, found.values()))
    waived = months_of(due(replace(facts, settlements=[claim(5, "recovery", {"2018-12": 16_000}, "waived")])))["2018-12"]
    assert (waived["written_off_fen"], waived["owed_fen"]) == (10_000, 0) and holds(waived)


def test_months_from_before_the_books_were_paid_as_they_were_decided():
    facts = book(benefit={"first_payment_month": "2018-06", "amount_fen": 1}, decisions=[decision(1, "2018-06", 66_000)], settlements=[claim(5, "recovery", {"2018-07": 1_000, "2018-12": 2_000})])
    found = months_of(due(facts))
    assert "2018-06" not in found and found["2018-07"] == {"approved_fen": 65_000, "paid_fen": 66_000, "recovered_fen": 0, "set_off_fen": 0, "written_off_fen": 0, "payable_fen": 0,
                                                           "receivable_fen": 1_000, "owed_fen": -1_000}  # fmt: skip


def test_what_is_set_off_moves_between_months_and_is_nothing_in_all():
    facts = book(settlements=[claim(5, "recovery", {"2018-12": 9_000}), claim(6, "arrears", {"2019-01": 4_000})],
                 receipts=[{"id": 9, "kind": "offset", "settlement_id": 5, "against_id": 6, "fen": 4_000, "state": "done"}])  # fmt: skip
    postings = due(facts)
    found = months_of(postings)
    assert (found["2018-12"]["set_off_fen"], found["2019-01"]["set_off_fen"], balance(postings)["set_off_fen"]) == (-4_000, 4_000, 0)
    assert all(map(holds, found.values())) and found["2018-12"]["receivable_fen"] == 5_000


_FEN = st.integers(1, 100_000)
_MONTH = st.sampled_from(["2018-10", "2018-12", "2019-01", "2019-02"])


@given(amounts=st.lists(st.tuples(_MONTH, st.integers(0, 100_000), st.sampled_from(["active", "suspended", "stopped"])), max_size=4),
       settled=st.lists(st.tuples(st.sampled_from(["recovery", "arrears"]), st.dictionaries(_MONTH, _FEN, min_size=1), st.sampled_from(["found", "settled", "waived"])), max_size=4),
       paid=st.lists(st.tuples(_MONTH, _FEN, st.sampled_from([None, None, 100, 101]), st.booleans()), max_size=5), back=st.lists(st.tuples(st.integers(0, 3), _FEN, st.sampled_from(["repaid", "offset"])), max_size=3), cut=st.integers(0, 12))  # fmt: skip
@settings(max_examples=200, deadline=None)
def test_the_identity_holds_for_any_facts_and_nothing_is_posted_twice(amounts, settled, paid, back, cut):
    decisions = [decision(1, "2018-09", 66_000), *(decision(n, *one) for n, one in enumerate(sorted(amounts), start=2))]
    claims = [claim(100 + n, *one) for n, one in enumerate(settled) if not (one[0] == "arrears" and one[2] == "waived")]
    receipts = [{"id": 200 + n, "kind": kind, "settlement_id": 100 + i, "against_id": 100 + (i + 1) % 4, "fen": fen, "state": "done"} for n, (i, fen, kind) in enumerate(back)]
    facts = book(benefit={"first_payment_month": "2018-09", "amount_fen": 1}, decisions=decisions, settlements=claims, paid=[(n, m, of, fen) for n, (m, fen, of, _) in enumerate(paid, 1)], receipts=receipts,
                 taken_back=frozenset(n for n, (_, _, _, back_) in enumerate(paid, 1) if back_))  # fmt: skip
    every = due(facts)
    assert all(holds(balance([p for p in every if p.month == m])) for m in {p.month for p in every})
    assert all(p.fen > 0 and p.debit != p.credit for p in every) and len({p.key for p in every}) == len(every)
    some = replace(facts, posted=every[:cut])
    assert due(replace(facts, posted=every)) == [] and sorted(map(str, [*some.posted, *due(some)])) == sorted(map(str, every))


def test_what_the_bank_took_back_is_owed_again_in_its_months_and_paid_again():
    arrears = [claim(6, "arrears", {"2018-10": 3_000, "2018-11": 4_000})]
    facts = book(settlements=arrears, paid=[(7, "2018-12", None, 66_000), (8, "2018-12", 6, 7_000)])
    first = due(facts)
    back = replace(facts, posted=first, taken_back=frozenset({7, 8}))
    assert due(back) == [Posting("2018-12", "bank", "payable", 66_000, "taken_back", 7), Posting("2018-10", "bank", "payable", 3_000, "taken_back", 8), Posting("2018-11", "bank", "payable", 4_000, "taken_back", 8)]
    found = months_of([*first, *due(back)])
    assert {m: (one["paid_fen"], one["recovered_fen"], one["payable_fen"]) for m, one in found.items() if m < "2019"} == {"2018-10": (0, 0, 3_000), "2018-11": (0, 0, 4_000), "2018-12": (0, 0, 66_000)}
    again = replace(back, posted=[*first, *due(back)], paid=[*facts.paid, (9, "2018-12", 6, 7_000)])
    assert [(p.month, p.debit, p.fen, p.source_id) for p in due(again)] == [("2018-10", "payable", 3_000, 9), ("2018-11", "payable", 4_000, 9)]


def test_a_payment_beside_an_older_offset_posts_nothing_twice():
    """What is posted stays in its month, though a payment is counted before what was set off."""
    facts = book(settlements=[claim(5, "recovery", {"2018-12": 9_000}), claim(6, "arrears", {"2019-01": 4_000, "2019-02": 4_000})],
                 receipts=[{"id": 9, "kind": "offset", "settlement_id": 5, "against_id": 6, "fen": 4_000, "state": "done"}])  # fmt: skip
    first = due(facts)
    assert [(p.month, p.source, p.fen) for p in due(replace(facts, posted=first, paid=[(7, "2019-02", 6, 4_000)]))] == [("2019-02", "payment", 4_000)]


def test_a_later_decision_posts_the_difference():
    first = due(book(last="2018-12"))
    later = due(book(last="2018-12", decisions=[decision(1, "2018-12", 66_000), decision(2, "2018-12", 50_000)], posted=first))
    assert later == [Posting("2018-12", "payable", "approved", 16_000, "approval", 2)]


# -- with a district


@pytest.fixture
def town(district):
    return Paying(district)


def statement(town, home):
    with town.office.read() as conn:
        return account_book.statement(conn, town.office.keys.on(conn), home, f"{town.office.today():%Y-%m}")


def month_of(town, home, month):
    return next(one for one in statement(town, home)["months"] if one["month"] == month)


def found(town, benefit_id, kind, months):
    sign = 1 if kind == "recovery" else -1
    with town.office.act() as act:
        [put] = benefits.settle(act, benefit_id, None, "income_changed", {m: sign * fen for m, fen in months.items()})
    return put.id


def repay(town, benefit_id, number, amount, who="fin", on="2019-01-07"):
    with town.office.act(town.d.people[who]) as act:
        return account_book.repay(act, benefit_id, number, understand(Repayment(context={"today": act.today}), {"amount": amount, "on_day": on}))


def offset(town, benefit_id, number, against, amount, who="fin"):
    with town.office.act(town.d.people[who]) as act:
        return account_book.propose_offset(act, benefit_id, number, understand(Offset(context={"today": act.today}), {"against": against, "amount": amount, "note": "家庭同意抵扣"}))["receipt"]


def decide_offset(town, benefit_id, receipt, who="app", outcome="agree"):
    with town.office.act(town.d.people[who]) as act:
        return account_book.settle_offset(act, benefit_id, receipt, understand(OffsetSettled(context={"today": act.today}), {"outcome": outcome, "opinion": "同意"}))["state"]


def whole_run(town, month, *, back=(), taken=(), close=True):
    """A run in which the bank gives back what these households were sent, and takes back what it credited to those, before or after the close."""
    town.start(month)
    for problem in town.problems("open"):
        town.answer(problem, "keep")
    town.approve()
    town.send(max(town.office.today().isoformat(), payments.pay_by(month)), late_reason="补发")
    with town.office.read() as conn:
        homes = {r.serial: r.household_id for r in conn.execute(select(payment_sending.c.serial, payment_item.c.household_id).join(payment_item, payment_item.c.id == payment_sending.c.item_id))}
    lines = [replace(line, result="account_closed", credited_on=None) if homes[line.serial] in back else line for line in town.sent()]
    if lines:
        town.take(town.answer_bytes(lines))
    town.do("fin", "enter_returns", returns_outcome="close", opinion="转下月")
    reversed_ = [replace(line, result="account_frozen", credited_on=None) for line in lines if line.result == "paid" and homes[line.serial] in taken]
    if reversed_ and len(reversed_) % 2:
        town.take(town.answer_bytes(reversed_))
    if close:
        town.do("fin", "close_run", opinion="相符")
    if reversed_ and len(reversed_) % 2 == 0:
        town.take(town.answer_bytes(reversed_))


def test_a_claim_is_repaid_in_instalments_and_arrears_go_into_the_next_run(town):
    home, other = town.home(), town.home()
    number, unpaid = town.benefit(home, 66_000), town.benefit(other, 50_000)
    whole_run(town, "2018-12", back=(other,))
    assert month_of(town, home, "2018-12")["owed_fen"] == 0 and month_of(town, other, "2018-12") == {"month": "2018-12", "approved_fen": 50_000, "paid_fen": 0, "recovered_fen": 0,
        "set_off_fen": 0, "written_off_fen": 0, "payable_fen": 50_000, "receivable_fen": 0, "owed_fen": 50_000}  # fmt: skip
    assert all(p["posted"] for p in statement(town, home)["postings"]), "the books were posted when the run was closed"
    town.d.at("2019-01-07T09:00")
    asked = found(town, number, "recovery", {"2018-12": 30_000})
    owed = found(town, number, "arrears", {"2018-12": 7_000})
    assert rule(lambda: repay(town, number, asked, "10.00", who="app")) == "role" and rule(lambda: repay(town, number, owed, "10.00")) == "not-a-claim"
    for amount, on in (("300.01", "2019-01-07"), ("0", "2019-01-07"), ("1.00", "2018-11-30"), ("1.00", "2019-01-08"), ("-1", "2019-01-07")):
        with pytest.raises(Invalid):
            repay(town, number, asked, amount, on=on)
    repay(town, number, asked, "１００.00")  # full-width digits are read
    one = next(s for s in statement(town, home)["settlements"] if s["id"] == asked)
    assert (one["rest_fen"], one["status"], month_of(town, home, "2018-12")["receivable_fen"]) == (20_000, "found", 20_000)
    receipt = offset(town, number, asked, owed, "50.00")
    with pytest.raises(Invalid):
        offset(town, number, asked, owed, "20.01")  # 20.00 are left of the arrears
    assert rule(lambda: decide_offset(town, number, receipt, "fin")) == "role"
    assert month_of(town, home, "2018-12")["set_off_fen"] == 0, "nothing is set off before it is decided"
    assert decide_offset(town, number, receipt) == "done"
    with pytest.raises(Conflict):
        decide_offset(town, number, receipt)
    whole_run(town, "2019-01")
    amounts = sorted((i["household_id"], i["month"], i["amount_fen"], i["settlement_id"]) for i in town.items())
    assert amounts == [(home, "2019-01", 2_000, owed), (home, "2019-01", 66_000, None), (other, "2018-12", 50_000, None), (other, "2019-01", 50_000, None)], "what came back, and the rest of the arrears"
    assert month_of(town, other, "2018-12")["owed_fen"] == 0 and month_of(town, home, "2018-12")["payable_fen"] == 0
    assert next(s for s in statement(town, home)["settlements"] if s["id"] == owed)["status"] == "settled"
    with town.office.act(town.d.people["app"]) as act:
        benefit_acts.waived(act, number, asked, {"reason": "生活困难"})
    last = month_of(town, home, "2018-12")
    assert (last["approved_fen"], last["paid_fen"], last["recovered_fen"], last["written_off_fen"], last["owed_fen"]) == (43_000, 68_000, 10_000, 15_000, 0) and holds(last)
    with pytest.raises(Conflict):
        repay(town, number, asked, "1.00")
    with town.office.read() as conn:
        lines = account_book.reconciliation(conn, "120116", "2019-01").items
        assert [(line["household_id"], line["approved_fen"], line["paid_fen"]) for line in lines] == [(home, 66_000, 66_000), (other, 50_000, 50_000)]
        assert account_book.unit_totals(conn, "120116", "2019-01")["paid_fen"] == 116_000 and account_book.reconciliation(conn, "120116", "2019-01", differing=True).total == 0
    assert rule(lambda: town.start("2018-11")) == "books-begun" and unpaid
    assert differences(town.office) == []


def test_arrears_in_a_run_are_neither_settled_by_hand_nor_set_off(town):
    home = town.home()
    number = town.benefit(home, 66_000)
    owed, asked = found(town, number, "arrears", {"2018-11": 7_000}), found(town, number, "recovery", {"2018-11": 5_000})
    town.start("2018-12")
    said = {"cleared_on": "2018-12-03"}
    with town.office.act(town.d.people["fin"]) as act, pytest.raises(Refused) as refused:
        benefit_acts.settled(act, number, owed, said)
    assert refused.value.rule == "in-payment-run" and rule(lambda: offset(town, number, asked, owed, "1.00")) == "in-payment-run"


def test_a_credit_that_the_bank_takes_back_is_owed_again_and_paid_with_the_next_run(town):
    homes = [town.home(), town.home()]
    number, other = (town.benefit(home, 66_000) for home in homes)
    owed = found(town, number, "arrears", {"2018-11": 7_000})
    town.start("2018-12")
    town.approve()
    town.send()
    lines = {(line.amount_fen, n): line for n, line in enumerate(town.sent())}
    town.take(town.answer_bytes(list(lines.values())))
    one_back = [replace(line, result="account_closed", credited_on=None, reason="已销户") for (fen, n), line in lines.items() if n == 0]
    data = town.answer_bytes(one_back)
    told = town.take(data)
    assert (told["taken"], told["back"], told["faults"], told["applied"]) == (0, 1, 0, 1) and town.take(data)["again"] is True, "once, however often it is said"
    assert town.take(town.answer_bytes([replace(one_back[0], reason="再说一次")]))["repeated"] == 1
    assert month_of(town, homes[0], "2018-12")["payable_fen"] == 66_000 and town.run()["returned"] == [{"cause": "account_closed", "items": 1, "fen": 66_000}]
    town.change_account(homes[0], "6217000000000000099")  # while the run goes on it is reissued there
    town.do("fin", "enter_returns", returns_outcome="reissue")
    town.do("fin", "prepare_reissue")
    town.do("fin2", "check_reissue", reissue_outcome="agree")
    town.send()
    town.take(town.answer_bytes(town.sent()))
    town.do("fin", "enter_returns", returns_outcome="close")
    town.do("fin", "close_run", opinion="相符")
    assert month_of(town, homes[0], "2018-12")["payable_fen"] == 0
    with town.office.read() as conn:
        before = {row["id"]: tuple(row.values()) for row in conn.execute(select(account_posting)).mappings()}
    town.d.at("2018-12-20T09:00")  # the run is closed: now arrears and a month's money come back
    gone = [replace(line, result="deceased" if "deceased" in CAUSES else "other", credited_on=None) for (fen, n), line in lines.items() if fen == 7_000 or n == max(k for _, k in lines)]
    town.take(town.answer_bytes(gone, file=0))
    with town.office.read() as conn:
        after = {row["id"]: tuple(row.values()) for row in conn.execute(select(account_posting)).mappings()}
        assert after.items() > before.items(), "history is never touched"
        rows = payments.taken_back(conn, town.d.people["fin"], waiting=True).items
        assert sorted((row["amount_fen"], row["now_state"]) for row in rows) == [(7_000, "returned"), (66_000, "returned")] and payments.taken_back(conn, town.d.people["fin"]).total == 3
    assert month_of(town, homes[0], "2018-11")["payable_fen"] == 7_000 and month_of(town, homes[1], "2018-12")["payable_fen"] == 66_000
    assert next(s for s in statement(town, homes[0])["settlements"] if s["id"] == owed)["status"] == "found"
    town.d.at("2019-01-02T09:00")
    town.start("2019-01")
    asked = town.problems("open")
    assert sorted((p["kind"], p["amount_fen"]) for p in asked) == [("taken_back", 7_000), ("taken_back", 66_000)] and rule(town.approve) == "open-problems"
    for problem in asked:
        town.answer(problem, "hold" if problem["amount_fen"] == 66_000 else "keep")
    town.approve()
    town.send("2019-01-10")
    town.take(town.answer_bytes(town.sent()))
    assert month_of(town, homes[0], "2018-11")["payable_fen"] == 0 and month_of(town, homes[1], "2018-12")["payable_fen"] == 66_000, "what is held stays owed"
    assert all(map(holds, statement(town, homes[0])["months"])) and other and differences(town.office) == []


def test_random_histories_balance_in_every_household_and_month(district):
    """Grants, changes, deaths, suspensions, stops, returns, credits taken back, recoveries, offsets, waivers: the books against the facts, counted apart."""
    town, chance = Paying(district), random.Random(HISTORIES)
    homes = [town.home(n=chance.randrange(1, 4)) for _ in range(HISTORIES)]
    ids = {home: town.benefit(home, chance.randrange(1, 90_000), month=chance.choice(["2018-06", "2018-12", "2018-12", "2019-01"])) for home in homes}
    kept: dict[int, tuple] = {}
    for month in ("2018-12", "2019-01", "2019-02", "2019-03"):
        if month != "2018-12":
            town.d.at(f"{month}-01T09:00")
        for home, number in ids.items():
            _live_a_month(town, chance, home, number, month)
        whole_run(town, month, back={home for home in homes if chance.random() < 0.2}, taken={home for home in homes if chance.random() < 0.15})
        with town.office.read() as conn:
            rows = {row["id"]: tuple(row.values()) for row in conn.execute(select(account_posting)).mappings()}
        assert rows.items() >= kept.items(), "history is never touched"
        kept = rows
    with town.office.act(town.d.people["fin"]) as act:
        account_book.begin_posting(act, "120116")
    town.jobs()
    with town.office.read() as conn:
        for home, number in ids.items():
            _held_against_the_facts(conn, town, home, number)
        months = [account_book.unit_totals(conn, "120116", m) for m in benefits.months("2018-06", "2019-03")]
        assert sum(m["paid_fen"] - m["recovered_fen"] for m in months) == sum(account_book.statement(conn, None, home, "2019-03")["totals"]["paid_fen"] - account_book.statement(conn, None, home, "2019-03")["totals"]["recovered_fen"] for home in homes)
    assert HISTORIES > 50 or differences(town.office) == []


def _live_a_month(town, chance, home, number, month):
    def tried(work):
        try:
            work()
        except (Refused, Conflict, Invalid):
            pass  # a history goes on with what is allowed

    with town.office.read() as conn:
        row, known = benefits.row(conn, number), benefits.of_settlements(conn, number)
    what = chance.choice(["none", "none", "more", "less", "stop", "suspend", "resume", "recovery", "arrears", "repay", "offset", "waive", "death"])
    if what in ("more", "less"):
        tried(lambda: town.decide(number, "increase" if what == "more" else "decrease", month, chance.randrange(1, 120_000)))
    elif what in ("stop", "death"):
        tried(lambda: town.decide(number, "stop", month))
    elif what in ("suspend", "resume"):
        tried(lambda: town.decide(number, what, month))
    elif what in ("recovery", "arrears") and row["status"] != "closed":
        found(town, number, what, {m: chance.randrange(1, 30_000) for m in chance.sample(benefits.months("2018-06", month), 2)})
    claims, arrears = ([s for s in known if s["kind"] == kind and s["status"] in benefits.OWED] for kind in ("recovery", "arrears"))
    amount = f"{chance.randrange(1, 200)}.{chance.randrange(100):02d}"
    if what == "repay" and claims:
        tried(lambda: repay(town, number, claims[0]["id"], amount, on=town.office.today().isoformat()))
    if what == "offset" and claims and arrears:
        tried(lambda: decide_offset(town, number, offset(town, number, claims[0]["id"], arrears[0]["id"], amount), outcome=chance.choice(["agree", "agree", "refuse"])))
    if what == "waive" and claims:
        with town.office.act(town.d.people["app"]) as act:
            benefits.clear(act, claims[0], "waived", {"cleared_on": act.today.isoformat()}, "困难")


def _held_against_the_facts(conn, town, home, number):
    """Each figure counted again from decisions, settlements, payments and receipts, by other code than the books'."""
    told = account_book.statement(conn, town.office.keys.on(conn), home, "2019-03")
    assert all(p["posted"] for p in told["postings"]) and all(map(holds, told["months"])) and told["totals"]["set_off_fen"] == 0
    right: dict[str, int] = {}
    first = conn.scalar(select(benefit.c.first_payment_month).where(benefit.c.id == number))
    settlements = benefits.of_settlements(conn, number)
    for one in settlements:
        import json

        for month, fen in json.loads(one["months"]).items():
            right[month] = right.get(month, 0) + (fen if one["kind"] == "arrears" else -fen)
    for month in benefits.months(first, "2019-03"):
        if month >= "2018-12" or month in right:
            right[month] = right.get(month, 0) + benefits.payable(conn, number, month)
    assert {m["month"]: m["approved_fen"] for m in told["months"] if m["approved_fen"]} == {m: fen for m, fen in right.items() if fen}
    regular = select(payment_item.c.month, payment_sending.c.amount_fen, payment_item.c.settlement_id).join(payment_item, payment_item.c.id == payment_sending.c.item_id)
    paid = conn.execute(regular.where(payment_item.c.benefit_id == number, payment_sending.c.state == "paid")).all()
    back = conn.execute(select(account_receipt.c.fen).where(account_receipt.c.benefit_id == number, account_receipt.c.kind == "repaid")).all()
    before = sum(benefits.payable(conn, number, m) for m in {m for one in settlements for m in json.loads(one["months"])} if m < "2018-12")
    totals = told["totals"]
    assert totals["paid_fen"] == sum(row.amount_fen for row in paid) + before and totals["recovered_fen"] == sum(row.fen for row in back)
    open_ = {kind: sum(account_book.rest_of(conn, one) for one in settlements if one["kind"] == kind and one["status"] in benefits.OWED) for kind in ("recovery", "arrears")}
    assert totals["receivable_fen"] == open_["recovery"]
    unpaid = {row.claim: row.amount_fen for row in conn.execute(select(payment_item).where(payment_item.c.benefit_id == number, payment_item.c.state.in_(payments.UNPAID)).order_by(payment_item.c.id))}
    unpaid = {c: fen for c, fen in unpaid.items() if c.startswith("benefit") and conn.scalar(select(payment_item.c.id).where(payment_item.c.claim == c, payment_item.c.state == "credited")) is None}
    assert totals["payable_fen"] == open_["arrears"] + sum(unpaid.values()), "what is owed is what was found and not paid, and what came back"
    assert conn.scalar(select(settlement.c.id).where(settlement.c.benefit_id == number, settlement.c.status == "settled", settlement.c.amount_fen < 0)) is None and date and CAUSES
