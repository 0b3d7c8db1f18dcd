"""两节补贴 through the API (domain 1.15, 3.9 rows 36 to 41, S26): amounts to the fen, batches, the bank's answers, what is paid again, progress; visits and gifts."""

from __future__ import annotations

import hashlib
import io
import re
from datetime import date
from types import SimpleNamespace

import pytest
from openpyxl import Workbook, load_workbook
from sqlalchemy import select

from processes import bank_files, benefits, condolences, festival_batches, festival_list_file, households, identity, organisation
from processes.bank_files import Head, Line
from processes.festival_tables import festival_claim, festival_item
from processes.rebuild import differences
from processes.tables import benefit, income_item, person
from tests.district import COMMUNITY, PASSWORD, STREET
from tests.served import app_of
from tests.web.test_api import Door
from tests.web.test_pages import Desk
from web.demo_festival import Festival

ALL = ["year_end", "festival_fee", "heating"]


@pytest.fixture
def door(bureau, district):
    with district.office.act() as act:
        organisation.add_staff(act, "fin", "发放", PASSWORD, [("finance_officer", STREET)])
    return Door(bureau, district)


def in_benefit(district, category="dibao", n=1, serial=1, status="active", person=False, **more):
    """A household in benefit, as a list brought it in; its id."""
    account = {"bank_account": f"62220000000{serial:04d}", "bank_holder": "张一"} | more
    home = district.household(n=n, serial=serial, **{name: value for name, value in account.items() if value})
    values = {"household_id": home, "category": category, "amount_fen": 66_000, "status": status, "first_payment_month": "2018-12", "members": n - ("last" in more)}
    with district.office.act() as act:
        if person:
            values["person_id"] = households.members_of(act.conn, home)[0]["person_id"]
        benefits.begin(act, "benefit_granted", values, {})
    return home


def made(door, who="officer", **more):
    return door.good(who, "POST", "/festival-batches", {"street": STREET, "year": 2019, "kinds": ALL[:2], "cut_off": "2018-12-03"} | more)


def test_a_long_list_is_turned_page_by_page_and_taken_as_a_whole(door, district):
    """A year's 优抚 list of a street has hundreds of lines: a page of a hundred at a time, as the other lists."""
    many = workbook(*[[f"人{n}", resident(n), COMMUNITY, "城镇", "无", f"6222000000{n:06d}", None] for n in range(1, 152)])
    desk = Desk(door.app, "officer")
    went = desk.post("/festival/listed/file", {"year": "2019", "department": "区退役军人事务局", "file": (io.BytesIO(many), "a.xlsx")}).location
    first, second = desk.text(went), desk.text(f"{went}&page=2")
    ticked = [re.findall(r'name="row" value="([0-9]+)" checked', page) for page in (first, second)]
    assert [(len(some), some[0], some[-1]) for some in ticked] == [(100, "2", "101"), (51, "102", "152")]
    assert "全部 151 人" in first and "page=2" in first and "page=1" in second and "page=3" not in second
    assert "已登记 51 人" in desk.post(f"{went}&page=2", {"row": ticked[1], "_do": "chosen"}).text
    assert re.findall(r'name="row"', desk.text(f"{went}&page=2")) == [], "what was taken cannot be ticked again"
    assert "已登记 100 人" in desk.post(went, {"row": ["2"], "_do": "all"}).text
    assert door.good("officer", "GET", "/festival-lists?year=2019")["total"] == 151


def sent(door, **more):
    """An approved batch whose file has gone to the bank; its number and items."""
    number = made(door, **more)["batch"]
    door.good("lee", "POST", f"/festival-batches/{number}/check", {"outcome": "agree"})
    door.good("fin", "POST", f"/festival-batches/{number}/files", {})
    return number, listed(door, number)


def listed(door, number):
    return door.good("officer", "GET", f"/festival-items?batch_id={number}")["items"]


def workbook(*rows):
    book = Workbook()
    for row in (festival_list_file.HEADINGS, *rows):
        book.active.append(list(row))
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def resident(n):
    """An ID number of the area, valid, another one for each n below 1000."""
    body = f"120116{1950 + n % 40}0101{n:03d}"
    return body + identity.check_digit(body)


def said(one, result="credited", **more):
    return {"item": one["id"], "result": result, "amount": one["amount"], "on": "2018-12-03"} | more


def answered(door, number, *results):
    return door.good("fin", "POST", f"/festival-batches/{number}/answers", {"results": list(results)})


EXAMPLES = [
    ({"group": "dibao", "hukou_kind": "urban", "members": 3}, "2700.00"),  # row 36
    ({"group": "dibao", "hukou_kind": "rural", "members": 3}, "2100.00"),  # row 37
    ({"group": "dibao", "kinds": ["heating"], "central": True, "area": "48", "fee": "1200.00"}, "720.00"),  # row 38
    ({"group": "dibao", "kinds": ["heating"], "central": True, "area": "60", "fee": "1500"}, "750.00"),  # above 50 m2 and 1250 the rest is the household's
    ({"group": "dibao", "kinds": ["heating"], "central": True, "fee": "1250.00"}, "750.00"),
    ({"group": "dibao", "kinds": ["heating"], "central": True, "fee": "1249.99"}, "749.99"),  # 749.994
    ({"group": "dibao", "kinds": ["heating"], "central": False}, "340.00"),
    ({"group": "dibao", "kinds": ["heating"], "central": True, "fee": "1600", "three_nos": True}, "1600.00"),
    ({"group": "destitute_dispersed", "kinds": ["heating"], "central": True, "fee": "1600.00"}, "1600.00"),  # row 40
    ({"group": "low_income", "kinds": ["heating"]}, "340.00"),  # row 41
    ({"group": "low_income", "kinds": ["heating"], "central": True, "fee": "900"}, "340.00"),
    ({"group": "destitute_institutional", "kinds": ["heating"]}, "0.00"),
    ({"group": "preferential"}, "1500.00"),
    ({"group": "destitute_dispersed", "hukou_kind": "rural"}, "700.00"),
    ({"group": "dibao", "members": "３", "central": True, "fee": "1200"}, "3420.00"),
    ({"group": "low_income", "hukou_kind": "rural", "members": 2, "year": 2018}, "1200.00"),  # 500 + 100 before the raise of 2018-04
    ({"group": "dibao", "hukou_kind": "rural", "year": 2020}, "800.00"),  # 700 + 100 from 2019-04
    ({"group": "dibao", "hukou_kind": "rural", "on": "2019-03-31"}, "700.00"),
    ({"group": "dibao", "hukou_kind": "rural", "on": "2019-04-01"}, "800.00"),
]  # fmt: skip


def test_worked_examples(door):
    for facts, total in EXAMPLES:
        told = door.good("clerk", "POST", "/festival-assessments", {"hukou_kind": "urban"} | facts)
        assert told["total"] == total, facts
        assert sum(line["amount_fen"] for line in told["lines"]) == told["total_fen"]


def test_the_day_by_which_it_is_credited_and_what_is_refused(door):
    told = door.good("clerk", "POST", "/festival-assessments", {"group": "dibao", "hukou_kind": "rural", "members": 3})
    assert (told["year"], told["spring_festival"], told["holiday_from"], told["deadline"]) == (2019, "2019-02-05", "2019-02-04", "2019-02-03")
    assert [line["zh"] for line in told["lines"]] == ["年终一次性补贴（农村）：600 元/人 × 3 人 = 1800.00 元", "春节过节费：100 元/人 × 3 人 = 300.00 元"]
    assert [line["source"] for line in told["lines"]] == ["T18", "TYE18"]
    for year, deadline in ((2018, "2018-02-14"), (2020, "2020-01-23"), (2023, "2023-01-20"), (2024, "2024-02-09")):
        assert door.good("clerk", "POST", "/festival-assessments", {"group": "dibao", "hukou_kind": "urban", "year": year})["deadline"] == deadline
    for wrong, field in (({"year": 2099}, "year"), ({"year": 0}, "year"), ({"members": 0}, "members"), ({"members": 101}, "members"), ({"kinds": ["heating"]}, "central"), ({"central": True}, "fee"), ({"central": False, "fee": "1"}, "fee"),
                         ({"area": "零"}, "area"), ({"group": "orphan"}, "group"), ({"fee": "-1"}, "fee"), ({"kinds": ["heating", "heating"]}, "kinds"), ({"group": "low_income", "three_nos": True}, "three_nos"), ({"on": "2019-02-30"}, "on")):  # fmt: skip
        assert list(door.bad(422, "clerk", "POST", "/festival-assessments", {"group": "dibao", "hukou_kind": "urban"} | wrong)["errors"]) == [field], wrong
    door.bad(422, "clerk", "POST", "/festival-assessments", {"group": "dibao", "hukou_kind": "urban", "on": "2012-01-01"})


def test_a_batch_from_the_list_to_the_bank_and_back(door, district):
    home, poor = in_benefit(district, n=3), in_benefit(district, "low_income", n=2, serial=2)
    old = in_benefit(district, "destitute_dispersed", serial=3, person=True)
    in_benefit(district, serial=4, status="stopped")
    lacking = in_benefit(district, serial=5, bank_account="", bank_holder="")
    for who in ("lee", "ann", "stranger"):
        assert door.bad(403, who, "POST", "/festival-batches", {"street": STREET, "year": 2019, "kinds": ALL, "cut_off": "2018-12-03"})["rule"] == "festival-maker"
    told = made(door)
    assert (told["items"], told["left_out"], told["total_fen"]) == (3, 1, 270_000 + 180_000 + 90_000)
    number, rows = told["batch"], listed(door, told["batch"])
    assert {one["household_id"]: (one["amount"], one["state"], one["cause"]) for one in rows} == {home: ("2700.00", "pending", None), poor: ("1800.00", "pending", None), old: ("900.00", "pending", None), lacking: ("0.00", "left_out", "no_account")}
    assert {one["name"] for one in rows} == {"张*"}
    door.bad(404, "stranger", "GET", f"/festival-batches/{number}")
    assert door.good("stranger", "GET", "/festival-items")["items"] == []
    assert door.bad(403, "officer", "POST", f"/festival-batches/{number}/check", {"outcome": "agree"})["rule"] == "festival-checker"
    door.bad(409, "fin", "POST", f"/festival-batches/{number}/files", {})
    door.good("lee", "POST", f"/festival-batches/{number}/check", {"outcome": "agree"})
    door.bad(409, "lee", "POST", f"/festival-batches/{number}/check", {"outcome": "agree"})
    assert door.good("fin", "POST", f"/festival-batches/{number}/files", {"profile": "own-csv"}, headers={"Idempotency-Key": "one"})["file"] == 1
    assert door.good("fin", "POST", f"/festival-batches/{number}/files", {"profile": "own-csv"}, headers={"Idempotency-Key": "one"})["file"] == 1
    door.bad(409, "fin", "POST", f"/festival-batches/{number}/files", {})
    file = door.call("fin", "GET", f"/festival-batches/{number}/files/1").data.decode("gb18030").splitlines()
    assert (len(file), file[0].split(",")[-2:], file[-1].split(",")[-2:]) == (5, ["3", "5400.00"], ["3", "5400.00"])
    door.bad(404, "fin", "GET", f"/festival-batches/{number}/files/2")
    door.bad(403, "sue", "GET", f"/festival-batches/{number}/files/1")
    # the bank's file: one amount is wrong, one item unknown, one line cut off; the rest counts
    serials, account = [f"F{one['id']}" for one in rows[:3]], "622200000000001"
    lines = [Line(1, serials[0], account, 270_000, "paid", district.office.today()), Line(2, serials[1], "622200000000002", 1, "paid", district.office.today()), Line(3, "F1", "622200000000002", 5, "paid", district.office.today())]
    form, today = bank_files.profile("own-csv"), district.office.today()
    back = bank_files.write_back(form, Head(f"F{number}-1", "", "", "", "", today, today), lines).replace(b"T,", b"R,cut\r\nT,", 1)
    answer = door.good("fin", "POST", f"/festival-batches/{number}/answer-files", None, data={"file": (io.BytesIO(back), "back.csv")}, content_type="multipart/form-data")
    assert (answer["credited"], answer["returned"], [one["code"] for one in answer["faults"]]) == (1, 0, ["wrong_amount", "unknown_item", "truncated"])
    other = bank_files.write_back(form, Head("F1-1", "", "", "", "", today, today), lines)
    assert door.bad(403, "fin", "POST", f"/festival-batches/{number}/answer-files", None, data={"file": (io.BytesIO(other), "back.csv")}, content_type="multipart/form-data")["rule"] == "other-batch"
    door.bad(422, "fin", "POST", f"/festival-batches/{number}/answer-files", None, data={"file": (io.BytesIO(b"MZ\x90"), "back.jpg")}, content_type="multipart/form-data")
    assert door.bad(403, "fin", "POST", f"/festival-batches/{number}/answer-files", None, data={"file": (io.BytesIO(b"R,1\r\n" * 2000), "back.csv")}, content_type="multipart/form-data")["message"].startswith("文件的行数远多于")
    assert door.bad(403, "lee", "POST", f"/festival-batches/{number}/answer-files", None, data={"file": (io.BytesIO(b"R,1"), "back.csv")}, content_type="multipart/form-data")["rule"] == "festival-maker"
    told = answered(door, number, said(rows[0]), said(rows[1], amount="1799.99"), said(rows[1], on="2018-12-02"), said(rows[2]))
    assert (told["credited"], told["repeated"], [one["code"] for one in told["faults"]]) == (1, 1, ["wrong_amount", "bad_date"])
    # nobody is in two batches for the same money; whoever has an account now is taken later, and heating is money of its own
    assert door.bad(403, "officer", "POST", "/festival-batches", {"street": STREET, "year": 2019, "kinds": ["year_end"], "cut_off": "2018-12-03"})["rule"] == "nothing-due"
    late = made(door, kinds=["heating"])
    assert [(one["household_id"], one["amount"], one["cause"]) for one in listed(door, late["batch"])] == [(home, "0.00", "no_heating"), (poor, "340.00", None), (old, "0.00", "no_heating"), (lacking, "0.00", "no_account")]
    assert differences(district.office) == []


def test_heating_is_paid_once_for_a_household_by_the_best_rule(door, district):
    home = in_benefit(district, n=2, last={"excluded_reason": "destitute"})
    with district.office.act() as act:
        second = households.members_of(act.conn, home)[1]["person_id"]
        benefits.begin(act, "benefit_granted", {"household_id": home, "category": "destitute_dispersed", "amount_fen": 178_000, "status": "active", "first_payment_month": "2018-12", "members": 1, "person_id": second}, {})
    warm = {"year": 2019, "central": True, "area": "48.5", "fee": "1,400.00"}
    door.bad(403, "vera", "POST", f"/households/{home}/heating", warm)
    door.bad(404, "stranger", "POST", f"/households/{home}/heating", warm)
    assert list(door.bad(422, "clerk", "POST", f"/households/{home}/heating", warm | {"year": 2030})["errors"]) == ["year"]
    assert list(door.bad(422, "clerk", "POST", f"/households/{home}/heating", {"year": 2019, "central": True})["errors"]) == ["fee"]
    door.good("clerk", "POST", f"/households/{home}/heating", warm | {"fee": "1000"})
    door.good("clerk", "POST", f"/households/{home}/heating", warm)
    assert [one["fee_fen"] for one in door.good("clerk", "GET", f"/households/{home}/heating")["items"]] == [140_000, 100_000]
    told = made(door, kinds=ALL)
    assert sorted((one["grouping"], one["amount"]) for one in listed(door, told["batch"])) == [("destitute_dispersed", "2300.00"), ("dibao", "900.00")]
    # a refused batch claims nobody, and the next one has all of them
    assert list(door.bad(422, "lee", "POST", f"/festival-batches/{told['batch']}/check", {"outcome": "refuse"})["errors"]) == ["opinion"]
    door.good("lee", "POST", f"/festival-batches/{told['batch']}/check", {"outcome": "refuse", "opinion": "截止日期不对"})
    again = made(door, kinds=["heating"])
    assert [(one["grouping"], one["amount"]) for one in listed(door, again["batch"])] == [("destitute_dispersed", "1400.00")]
    assert differences(district.office) == []


def test_s26_returned_and_paid_again_too_late(door, district):
    home = in_benefit(district, "low_income", n=2)
    district.clock.set("2019-01-25T09:00")
    number, [one] = sent(door, kinds=ALL, cut_off="2019-01-25")
    assert one["amount"] == "2140.00"
    district.clock.set("2019-01-28T09:00")
    back = answered(door, number, said(one, "returned", on="2019-01-28", cause="account_closed"))
    assert (back["credited"], back["returned"]) == (0, 1)
    assert [(row["id"], row["cause"], row["may"]) for row in door.good("officer", "GET", "/festival-items?state=returned")["items"]] == [(one["id"], "account_closed", ["reissue", "close"])]
    path, new = f"/festival-items/{one['id']}/reissue", {"account": "622200000000999", "holder": "张二", "reason": "原账户销户"}
    assert door.bad(403, "officer", "POST", path, {"reason": "再试一次"})["rule"] == "same-account"
    assert door.bad(403, "officer", "POST", path, new | {"holder": "李四"})["rule"] == "not-theirs"
    assert list(door.bad(422, "officer", "POST", path, new | {"account": "12"})["errors"]) == ["account"]
    door.bad(404, "stranger", "POST", path, new)
    second = door.good("officer", "POST", path, new)["item"]
    door.bad(409, "officer", "POST", path, new)
    door.bad(409, "fin", "POST", f"/festival-batches/{number}/files", {})  # not before a second person has looked at it
    assert door.bad(403, "officer", "POST", f"/festival-items/{second}/check", {"outcome": "agree"})["rule"] == "festival-checker"
    door.good("lee", "POST", f"/festival-items/{second}/check", {"outcome": "agree"})
    door.bad(409, "lee", "POST", f"/festival-items/{second}/check", {"outcome": "agree"})
    assert door.good("fin", "POST", f"/festival-batches/{number}/files", {}) == {"batch": number, "file": 2, "items": 1, "total_fen": 214_000}
    assert {row["id"]: row["state"] for row in listed(door, number)} == {one["id"]: "reissued", second: "sent"}
    progress = f"/festival-progress?year=2019&unit={STREET}"
    assert [(row["unit"], row["state"], row["share"], row["items"]) for row in door.good("sue", "GET", progress)["units"]] == [(STREET, "under_way", "0.0", 1)]
    district.clock.set("2019-02-03T09:00")
    assert door.good("sue", "GET", progress)["units"][0]["state"] == "under_way"
    district.clock.set("2019-02-04T09:00")
    assert door.good("sue", "GET", progress)["units"][0]["state"] == "overdue"
    answered(door, number, said({"id": second, "amount": "2140.00"}, on="2019-02-04"))
    late = door.good("sue", "GET", progress)["units"][0]
    assert (late["state"], late["late"], late["share"], late["credited_fen"]) == ("finished_late", 1, "100.0", 214_000)
    with district.office.read() as conn:
        assert {row.item_id for row in conn.execute(select(festival_claim).where(festival_claim.c.payee == f"household:{home}"))} == {second}
    assert differences(district.office) == []


def test_progress_and_words_for_what_does_not_fit(door, district):
    in_benefit(district, "low_income", n=1)
    told = door.good("sue", "GET", "/festival-progress?year=2019")
    assert (told["deadline"], [(row["unit"], row["state"], row["missing_kinds"]) for row in told["units"]]) == ("2019-02-03", [(STREET, "not_begun", ALL)])
    number, [one] = sent(door, kinds=ALL)
    answered(door, number, said(one))
    assert [(row["state"], row["share"]) for row in door.good("sue", "GET", "/festival-progress?year=2019")["units"]] == [("finished", "100.0")]
    door.bad(422, "sue", "GET", "/festival-progress?year=2031")
    door.bad(404, "stranger", "GET", f"/festival-progress?year=2019&unit={STREET}")
    for more, field in (({"cut_off": "2018-12-04"}, "cut_off"), ({"cut_off": "2018-09-01"}, "cut_off"), ({"year": 2024}, "cut_off"), ({"year": 2031}, "year"), ({"kinds": []}, "kinds"), ({"street": COMMUNITY}, "street"), ({"street": "1"}, "street")):
        assert list(door.bad(422, "officer", "POST", "/festival-batches", {"street": STREET, "year": 2019, "kinds": ALL, "cut_off": "2018-12-03"} | more)["errors"]) == [field], more


def test_what_can_never_be_paid_is_closed_by_two_and_counts_with_its_cause(door, district):
    gone, paid, bare = in_benefit(district, "low_income", n=1), in_benefit(district, "low_income", n=1, serial=2), in_benefit(district, "low_income", n=1, serial=3, bank_account="", bank_holder="")
    number, rows = sent(door, kinds=ALL)
    one, two = (next(row for row in rows if row["household_id"] == home) for home in (gone, paid))
    left = [row for row in rows if row["household_id"] == bare]
    answered(door, number, said(one), said(two))
    assert answered(door, number, said(one, "returned", cause="deceased"))["returned"] == 1, "credited, and taken back by the bank"
    why = {"cause": "died_without_heirs", "reason": "社区证明：无继承人"}
    path = f"/festival-items/{one['id']}"
    assert list(door.bad(422, "officer", "POST", f"{path}/closing", why | {"cause": "gone"})["errors"]) == ["cause"]
    assert list(door.bad(422, "officer", "POST", f"{path}/closing", {"cause": "other"})["errors"]) == ["reason"]
    assert door.bad(403, "lee", "POST", f"{path}/closing", why)["rule"] == "festival-maker"
    door.bad(404, "stranger", "POST", f"{path}/closing", why)
    door.bad(409, "officer", "POST", f"/festival-items/{two['id']}/closing", why)
    assert door.good("fin", "POST", f"{path}/closing", why)["state"] == "closing"
    door.bad(409, "fin", "POST", f"{path}/closing", why)
    door.bad(409, "officer", "POST", f"{path}/reissue", {"account": "622200000000999", "holder": "张一", "reason": "x"})
    assert door.bad(403, "fin", "POST", f"{path}/closing-check", {"outcome": "agree"})["rule"] == "own-batch"
    assert door.bad(403, "officer", "POST", f"{path}/closing-check", {"outcome": "agree"})["rule"] == "festival-checker"
    assert door.good("lee", "POST", f"{path}/closing-check", {"outcome": "refuse", "opinion": "其子尚在"})["state"] == "returned"
    door.good("officer", "POST", f"{path}/closing", why)
    unit = door.good("sue", "GET", "/festival-progress")["units"][0]  # 2019 is at work
    assert (unit["state"], unit["closing"], unit["left_out"], unit["share"]) == ("under_way", 1, 1, "33.3")
    assert door.good("lee", "POST", f"{path}/closing-check", {"outcome": "agree"})["state"] == "closed"
    for item in left:  # without an account, and nobody can be found
        door.good("officer", "POST", f"/festival-items/{item['id']}/closing", {"cause": "never_found", "reason": "三次上门均无人"})
        assert door.good("lee", "GET", f"/festival-items/{item['id']}")["may"] == ["check_closing"]
        door.good("lee", "POST", f"/festival-items/{item['id']}/closing-check", {"outcome": "agree"})
    unit = door.good("sue", "GET", "/festival-progress?year=2019")["units"][0]
    assert (unit["state"], unit["credited"], unit["closed"], unit["left_out"], unit["share"], unit["late"]) == ("finished", 1, 1 + len(left), 0, "100.0", 0)
    assert unit["amount_fen"] == unit["credited_fen"] + unit["closed_fen"] and unit["closed_causes"]["died_without_heirs"] == {"items": 1, "fen": unit["closed_fen"]}
    assert door.bad(403, "officer", "POST", "/festival-batches", {"street": STREET, "year": 2019, "kinds": ALL, "cut_off": "2018-12-03"})["rule"] == "nothing-due", "no later batch lists them"
    lee = Desk(app_of(door.bureau) if hasattr(door, "bureau") else door.app, "lee")
    assert "死亡且无人继承" in lee.text("/festival/") and "不再发放" in lee.text(f"/festival/{number}/list")
    # an heir turns up: two persons pay it after all
    again = door.good("officer", "POST", f"{path}/reissue", {"account": "622200000000999", "holder": "张一", "reason": "继承人出现"})["item"]
    door.good("lee", "POST", f"/festival-items/{again}/check", {"outcome": "agree"})
    with district.office.read() as conn:
        def year(day):
            return festival_batches.season(conn, STREET, date.fromisoformat(day), 2026)

        assert [year(day) for day in ("2019-02-05", "2019-03-07", "2019-08-04", "2019-08-05")] == [2019, 2019, 2019, 2020], "what is open keeps the season on the page for half a year"
        assert festival_batches.season(conn, STREET, date(2019, 11, 1), 2019) == 2019, "the coming holidays are not published yet"
        assert [festival_batches.season(conn, "120116005", day, 2026) for day in (date(2019, 3, 7), date(2019, 3, 8))] == [2019, 2020], "nothing was paid there"
    assert differences(district.office) == []


def test_another_departments_list(door, district):
    one = {"name": "王五", "id_no": "120116195001010013", "community": COMMUNITY, "hukou_kind": "rural", "employed": False, "account": "622200000000777"}
    body = {"year": 2019, "department": "区退役军人事务局", "persons": [one, one, one | {"id_no": "120116198006150027", "employed": True}, one | {"id_no": "12"}, one | {"community": "120116005001", "id_no": "120116201009090036"}]}
    told = door.good("officer", "POST", "/festival-lists", body)
    assert (told["taken"], [row["row"] for row in told["refused"]]) == (1, [2, 3, 4, 5])
    assert door.good("officer", "POST", "/festival-lists", body | {"persons": [one]})["taken"] == 0
    assert [(row["name"], row["account"]) for row in door.good("officer", "GET", "/festival-lists?year=2019")["items"]] == [("王*", "****0777")]
    # the same as a workbook
    with district.office.read() as conn:
        place = organisation.unit_name(conn, COMMUNITY)
    line = ["李六", "120116198006150027", place, "农村户口", "无", "622200000000779", None]
    book = workbook(line, [*line[:1], "12", *line[2:]], ["", *line[1:]], [*line[:2], "某村", *line[3:]], [*line[:3], "其他", *line[4:]], [*line[:5], 6222000000007790001, None], ["=1+1", *line[1:]], line, ["陈七", "120116201009090036", "120116005001", "城镇", "无", "622200000000780", None])
    sent_ = {"year": "2019", "department": "区退役军人事务局"}

    def upload(data, who="officer", **more):
        return door.call(who, "POST", "/festival-lists/files", None, data={**sent_, "file": (io.BytesIO(data), "名单.xlsx"), **more}, content_type="multipart/form-data")

    def bring_in(data, who="officer", **more):
        return door.call(who, "POST", f"/festival-lists/files/{hashlib.sha256(data).hexdigest()}/import", {"year": 2019, "department": "区退役军人事务局", **more})

    def on_list():
        return door.good("officer", "GET", "/festival-lists?year=2019")["total"]

    seen = upload(book).json
    assert [(row["row"], row["state"]) for row in seen["rows"]] == [(2, "new"), *((n, "error") for n in range(3, 9)), (9, "known"), (10, "error")], seen
    assert seen["counts"] == {"new": 1, "known": 1, "error": 7} and seen["rows"][0]["name"] == "李*" and all(row["zh"] and row["en"] for row in seen["rows"][1:])
    assert "120116198006150027" not in str(seen) and on_list() == 1, "a preview takes nothing"
    assert bring_in(book, "fin").status_code == 404 and bring_in(book, "lee").status_code in (403, 404), "another's file"
    assert list(bring_in(book, rows=[2, 99]).json["errors"]) == ["rows"] and on_list() == 1
    assert [row["row"] for row in bring_in(book, rows=[3]).json["refused"]] == [3] and on_list() == 1
    told = bring_in(book).json
    assert (told["taken"], [row["row"] for row in told["refused"]]) == (1, [3, 4, 5, 6, 7, 8, 9, 10]), told
    assert bring_in(book).json["taken"] == 0 and on_list() == 2 and upload(book).json["counts"] == {"new": 0, "known": 2, "error": 7}, "nobody twice"
    mend = door.call("officer", "GET", f"/festival-lists/files/{seen['list']}/errors?year=2019")
    lines = list(load_workbook(io.BytesIO(mend.data)).active.iter_rows(values_only=True))
    assert lines[0] == (*festival_list_file.HEADINGS, "错误") and len(lines) == 8 and lines[1][1] == "12" and "身份证号不正确" in lines[1][-1]
    assert lines[6][0] == "'=1+1", "no formulas"
    assert upload(mend.data).json["counts"] == {"new": 0, "known": 0, "error": 7}, "as it came it is wrong still, but it is the list"
    assert door.call("fin", "GET", f"/festival-lists/files/{seen['list']}/errors?year=2019").status_code == 404, "another's file"
    assert door.call("officer", "GET", f"/festival-lists/files/{seen['list']}/errors").status_code == 422
    assert door.good("officer", "DELETE", f"/festival-lists/files/{seen['list']}") == {"list": seen["list"]} and bring_in(book).status_code == 404
    assert upload(book, "auditor").status_code == 403
    empty = door.call("officer", "GET", "/festival-lists/template").data
    for bad, field in ((upload(b"MZ not a workbook"), "file"), (upload(empty), "file"), (upload(book, year="2031"), "year"), (upload(book, department=""), "department"), (upload(book, more="1"), "more")):
        assert (bad.status_code, list(bad.json["errors"])) == (422, [field])
    desk = Desk(door.app, "officer")
    assert desk.get("/festival/listed/template.xlsx").data[:2] == b"PK"
    book = workbook(["孙八", "12", COMMUNITY, "城镇", "无", "622200000000781", None], ["周九", "120116196003030012", COMMUNITY, "城镇", "无", "622200000000782", None], ["吴十", "120116196104040017", COMMUNITY, "城镇", "无", "622200000000783", None])
    went = desk.post("/festival/listed/file", {**sent_, "file": (io.BytesIO(book), "a.xlsx")})
    page = desk.text(went.location)
    assert went.status_code == 302 and "身份证号不正确" in page and "周*" in page and on_list() == 2
    assert re.findall(r'name="row" value="([0-9]+)" checked', page) == ["3", "4"]
    wrong = desk.get(re.search(r'href="([^"]+/errors.xlsx[^"]*)"', page)[1].replace("&amp;", "&"))
    assert [row[0] for row in load_workbook(io.BytesIO(wrong.data)).active.iter_rows(values_only=True)] == ["姓名", "孙八"]
    assert "请勾选" in desk.post(went.location, {}).text and on_list() == 2
    assert "已登记 1 人" in desk.post(went.location, {"row": ["4"]}).text and on_list() == 3
    assert re.findall(r'name="row" value="([0-9]+)" checked', desk.text(went.location)) == ["3"], "what was taken cannot be ticked again"
    assert "请选择文件" in desk.post("/festival/listed/file", sent_).text
    assert desk.post(went.location.split("?")[0] + "/discard", {}).status_code == 302 and desk.get(went.location).status_code == 404
    number, rows = sent(door, kinds=ALL)
    [item] = [row for row in rows if row["name"] == "王*"]
    assert len(rows) == 3
    assert (item["grouping"], item["amount"], item["household_id"]) == ("preferential", "1500.00", None)
    answered(door, number, said(item, "returned", cause="account_frozen"))
    assert list(door.bad(422, "officer", "POST", f"/festival-items/{item['id']}/reissue", {"reason": "再发"})["errors"]) == ["account"]
    door.good("officer", "POST", f"/festival-items/{item['id']}/reissue", {"reason": "再发", "account": "622200000000778", "holder": "王五"})
    assert differences(district.office) == []


def test_visits_and_gifts_are_nobodys_income(door, district):
    home = in_benefit(district, n=2)
    before = door.good("clerk", "GET", f"/households/{home}")
    gift = door.good("officer", "POST", "/donations", {"unit": STREET, "donor": "某商会", "donor_kind": "social_organisation", "received_on": "2018-12-01", "cash": "1000.00", "goods": "棉被 20 床", "goods_value": "2000"})["donation"]
    visit = {"household_id": home, "visited_on": "2018-12-02", "visitors": "李主任、民政专干", "cash": "600.00", "source": "society", "donation_id": gift}
    shown = door.good("sue", "GET", f"/donations/{gift}")["no"]
    assert shown == f"JZ{gift >> 16:07d}"
    door.good("vera", "POST", "/condolence-visits", visit | {"donation_id": shown})
    assert door.bad(403, "officer", "POST", "/condolence-visits", visit | {"cash": "400.01"})["rule"] == "more-than-given"
    assert list(door.bad(422, "officer", "POST", "/condolence-visits", visit | {"visited_on": "2018-11-30"})["errors"]) == ["visited_on"]
    door.good("officer", "POST", "/condolence-visits", {"community": COMMUNITY, "target": "某养老院", "visited_on": "2018-12-03", "visitors": "街道", "goods": "米、油", "goods_value": "300", "source": "government"})
    for more, field in (({"source": "government"}, "donation_id"), ({"donation_id": None}, "donation_id"), ({"cash": None}, "cash"), ({"community": COMMUNITY}, "community"), ({"visited_on": "2018-12-04"}, "visited_on"), ({"cash": None, "goods_value": "5"}, "cash")):
        body = {name: value for name, value in (visit | more).items() if value is not None}
        assert list(door.bad(422, "officer", "POST", "/condolence-visits", body)["errors"]) == [field], more
    assert door.bad(403, "checker", "POST", "/condolence-visits", visit)["rule"] == "condolence-recorder"
    door.bad(404, "stranger", "POST", "/condolence-visits", visit)
    row = door.good("sue", "GET", f"/donations/{gift}")
    assert (row["recipients"], row["left_fen"]) == (1, 40_000)
    told = door.good("sue", "GET", "/condolence-visits/sums?since=2018-12-01")
    assert [(one["source"], one["visits"], one["households"], one["cash_fen"], one["goods_fen"]) for one in told["units"]] == [("government", 1, 0, 0, 30_000), ("society", 1, 1, 60_000, 0)]
    assert (told["visits"], told["cash_fen"], told["received_fen"], told["received_goods_fen"]) == (2, 60_000, 100_000, 200_000)
    first = door.good("sue", "GET", "/condolence-visits?source=society")["items"][0]
    assert (first["target"], first["household_no"], first["donation_no"], first["donor"], first["donation_on"]) == ("张*", f"H{home:07d}", shown, "某商会", "2018-12-01")
    assert door.good("stranger", "GET", "/condolence-visits")["items"] == []
    door.bad(422, "sue", "GET", "/condolence-visits?since=2018-13-01")
    with district.office.read() as conn:
        assert conn.execute(select(income_item).where(income_item.c.household_id == home)).all() == []
        assert conn.execute(select(festival_item)).all() == []
    assert door.good("clerk", "GET", f"/households/{home}") == before
    assert differences(district.office) == []


def test_the_pages_do_the_same(bureau, door, district):
    home = in_benefit(district, n=2)
    in_benefit(district, "low_income", serial=2)
    app = app_of(bureau)
    officer, lee, fin = Desk(app, "officer"), Desk(app, "lee"), Desk(app, "fin")
    found = officer.post("/festival/estimate", {"group": "dibao", "hukou_kind": "urban", "members": "3"}).get_data(as_text=True)
    assert "2700.00" in found
    assert "2019-02-03" in found
    assert officer.post(f"/festival/heating/{home}", {"year": "2019", "central": "true", "fee": "1200"}).status_code == 302
    made_there = officer.post("/festival/new", {"street": STREET, "year": "2019", "kinds": ALL, "cut_off": "2018-12-03"})
    assert made_there.status_code == 302
    page = made_there.location
    number = int(page.rsplit("/", 1)[1])
    assert officer.post(f"{page}/check", {"outcome": "agree"}).status_code == 403
    assert lee.post(f"{page}/check", {"outcome": "agree"}).status_code == 302
    assert fin.post(f"{page}/files", {"profile": "own-csv"}).status_code == 302
    assert "H,F" in fin.get(f"{page}/files/1").get_data().decode("gb18030")
    one, two = listed(door, number)
    form = {"results-0-item": str(one["id"]), "results-0-result": "credited", "results-0-amount": one["amount"], "results-0-on": "2018-12-03",
            "results-1-item": str(two["id"]), "results-1-result": "returned", "results-1-amount": two["amount"], "results-1-on": "2018-12-03", "results-1-cause": "account_closed"}  # fmt: skip
    assert fin.post(f"{page}/answers", form).status_code == 302
    assert "账户已销户" in officer.text(page)
    assert "重新发放" in officer.text("/festival/items?state=returned")
    sheet = officer.text(f"{page}/list")
    assert "张一" in sheet
    assert "2019 年春节困难群众补贴发放清单" in sheet
    assert "张一" not in Desk(app, "sue").text(f"{page}/list")
    assert officer.post(f"/festival/items/{two['id']}/reissue", {"account": "622200000000999", "holder": "张一", "reason": "销户"}).status_code == 302
    again = next(row["id"] for row in listed(door, number) if row["state"] == "proposed")
    assert lee.post(f"/festival/items/{again}/check", {"outcome": "agree"}).status_code == 302
    assert "发放中" in officer.text("/festival/?year=2019")
    assert officer.get("/festival/?year=2031").status_code == 422
    assert officer.post("/festival/donations/new", {"unit": STREET, "donor": "某企业", "donor_kind": "enterprise", "received_on": "2018-12-01", "cash": "100"}).status_code == 302
    assert officer.post("/festival/visits/new", {"household_id": str(home), "visited_on": "2018-12-02", "visitors": "街道", "cash": "200", "source": "government"}).status_code == 302
    text = officer.text("/festival/visits")
    assert "某企业" in text
    assert f"H{home:07d}" in text
    assert "JZ000" in text
    assert "某企业" in officer.text("/festival/visits/new")
    assert "200.00" in text
    assert Desk(app, "admin").get("/festival/").status_code == 403
    assert Desk(app, "stranger").get(page).status_code == 404
    assert "王" not in officer.text("/festival/listed")
    assert "取暖补贴" in Desk(app, "officer").text("/festival/new")
    assert f"/festival/heating/{home}" in officer.text(f"/households/{home}")


def test_the_demos_part(district):
    for n in range(1, 4):
        in_benefit(district, n=2, serial=n)
    in_benefit(district, "low_income", serial=9, bank_account="", bank_holder="")
    hands, part = SimpleNamespace(made=district.bureau, streets=[(STREET, COMMUNITY)], by_role=lambda role, _street: [district.people[{"civil_affairs_officer": "officer", "street_leader": "lee"}[role]]]), Festival()
    part.begin(hands)
    for n in range(20):
        district.clock.set(f"2019-01-{7 + n:02d}T09:00")
        part.day(hands, district.office.today())
    with district.office.read() as conn:
        told = festival_batches.progress(conn, STREET, 2019, date(2019, 2, 4))
        visits = condolences.sums(conn, district.people["officer"])
    assert [(row["state"], row["credited"], row["left_out"]) for row in told["units"]] == [("overdue", 3, 1)]
    assert (visits["visits"], visits["received_fen"]) == (4, 2_000_000)
    assert differences(district.office) == []


def test_it_is_paid_where_the_household_is_paid(door, district):
    """The account of a confirmed change counts, for a batch and for what is paid again."""
    home = in_benefit(district)
    change = {"holder": "张一", "bank": "中国银行", "account": "6217000000000000013", "from_month": "2018-12", "reason": "换卡"}
    number, [one] = sent(door)
    answered(door, number, said(one, "returned", cause="account_closed"))
    assert door.bad(403, "officer", "POST", f"/festival-items/{one['id']}/reissue", {"reason": "再发"})["rule"] == "same-account"
    asked = door.good("clerk", "POST", f"/households/{home}/account-changes", change)["change"]
    door.good("rita", "POST", f"/account-changes/{asked}", {"outcome": "confirm", "opinion": "与存折相符"})
    again = door.good("officer", "POST", f"/festival-items/{one['id']}/reissue", {"reason": "已换卡"})["item"]
    assert door.good("officer", "GET", f"/festival-items/{again}")["account"] == "****0013"
    door.good("officer", "POST", f"/households/{home}/heating", {"year": 2019, "central": False})
    assert [row["account"] for row in listed(door, made(door, kinds=["heating"])["batch"])] == ["****0013"]


def test_who_is_counted_elsewhere_later_is_not_paid_for_twice(door, district):
    """Of a household in a batch the son goes to his wife's, which is in benefit too, and the mother is supported as destitute: of them the next batch pays the wife alone."""
    home = in_benefit(district, n=3)
    with district.office.act() as act:
        mother, son = [m["person_id"] for m in households.members_of(act.conn, home)][1:]
        sons = act.keys.reveal("person", "id_no", son, act.conn.scalar(select(person.c.id_no).where(person.c.id == son)))
    assert [one["amount"] for one in listed(door, made(door)["batch"])] == ["2700.00"]
    other = in_benefit(district, serial=7)
    change = benefits.Change("decrease", "member_changed", "2019-01", amount_fen=10_000)
    with district.office.act() as act:
        households.end_member(act, home, son, "2018-12-03", "other")
        households.exclude_member(act, home, mother, "destitute")
        ours, theirs = (act.conn.scalar(select(benefit.c.id).where(benefit.c.household_id == one)) for one in (home, other))
        benefits.decide(act, ours, change)
        households.add_member(act, other, {"name": "张三", "id_no": sons, "relation": "spouse"})
        benefits.decide(act, theirs, change)
        benefits.begin(act, "benefit_granted", {"household_id": home, "category": "destitute_dispersed", "amount_fen": 178_000, "status": "active", "first_payment_month": "2018-12", "members": 1, "person_id": mother}, {})
    district.clock.set("2018-12-04T09:00")
    [one] = listed(door, made(door, cut_off="2018-12-04")["batch"])
    assert (one["household_id"], one["members"], one["amount"]) == (other, 2, "900.00")
    assert one["lines"][0]["zh"].endswith("× 1 人 = 800.00 元（另 1 人本年度已在其他明细发放）")
    # a child is born to them: the next batch pays the child alone, and the one after nobody
    with district.office.act() as act:
        households.add_member(act, other, {"name": "张四", "id_no": identity.invent(date(2018, 12, 2), "female", 1), "relation": "child"})
        benefits.decide(act, theirs, change)
    [one] = listed(door, made(door, cut_off="2018-12-04")["batch"])
    assert (one["household_id"], one["members"], one["amount"]) == (other, 3, "900.00")
    assert door.bad(403, "officer", "POST", "/festival-batches", {"street": STREET, "year": 2019, "kinds": ALL[:2], "cut_off": "2018-12-04"})["rule"] == "nothing-due"
    assert differences(district.office) == []
