"""个案: who has it and how long is left, the record from either end and narrowed, what the household has and how its data changed."""

from __future__ import annotations

import re

import pytest

from processes import households
from tests.web.test_api import Door
from tests.web.test_pages import Desk


@pytest.fixture
def door(bureau, district):
    return Door(bureau, district)


def numbers(page):
    return [int(n) for n in re.findall(r'<li id="e(\d+)"', page)]


def test_the_head_of_a_case_says_who_has_it_and_how_long_is_left(door, district):
    no = district.apply(district.household(210_000))
    assert "经办 窗口经办人" in Desk(door.app, "clerk").text(f"/cases/{no}")
    district.accept()
    head = re.search(r'class="idbar">(.*?)</p>', Desk(door.app, "clerk").text(f"/cases/{no}"), re.DOTALL)[1]
    assert re.search(r"剩余 \d+ 个工作日</span> <span class=\"date[^>]*>2018-12-", head), head
    with district.office.act(district.people["ann"]) as act:
        district.cases.claim(act, district.tasks()["home_survey"]["id"])
    assert "某ann（ann）" in re.search(r'class="idbar">(.*?)</p>', Desk(door.app, "clerk").text(f"/cases/{no}"), re.DOTALL)[1]


def test_the_record_is_newest_first_but_for_an_auditor_and_can_be_narrowed(door, district):
    district.apply(district.household(210_000))
    with district.office.act(district.people["clerk"]) as act:
        district.cases.claim(act, district.tasks()["completeness_check"]["id"])
    district.accept()
    district.registries()
    path, last = f"/cases/{district.no}?tab=record", district.case()["seq"]
    clerk, auditor = Desk(door.app, "clerk"), Desk(door.app, "auditor")
    assert numbers(clerk.text(path)) == [*range(last, 0, -1)]
    assert numbers(auditor.text(path)) == [*range(1, last + 1)]
    assert numbers(clerk.text(f"{path}&order=old")) == [*range(1, last + 1)]
    assert numbers(clerk.text(f"{path}&kind=hands")) == [2]
    assert numbers(clerk.text(f"{path}&kind=messages")) == [last]
    assert "没有符合筛选条件" in clerk.text(f"{path}&kind=opinions")
    assert "Newest first" in Desk(door.app, "clerk", "en").text(path)


def test_what_the_household_has_and_how_its_data_changed(door, district, clock):
    home = district.household(210_000, assets=2_000_000)
    no = district.apply(home)
    with district.office.read() as conn:
        first, second = (m["person_id"] for m in households.members_of(conn, home)[:2])
    clock.advance(days=1)
    with district.office.act(district.people["clerk"]) as act:
        households.set_income(act, home, first, [{"kind": "wage_income", "amount_fen": 180_000}])
        households.set_person(act, home, second, {"employment": "flexible", "disability_kind": "limb", "disability_level": 2})
        households.set_hardships(act, home, {"hardships": ["major_illness"], "childless": False})
    page = Desk(door.app, "clerk").text(f"/cases/{no}?tab=means")
    for text in ("1800.00", "20000.00", "全户"):
        assert text in page, text
    page = Desk(door.app, "clerk").text(f"/cases/{no}?tab=changes")
    rows = [re.sub(r"<[^>]+>", "|", row) for row in re.findall(r"<tr><td.*?</tr>", page)]
    assert any("收入 · 张*" in row and "2100.00" in row and "1800.00" in row for row in rows), rows
    assert any("无业" in row and "灵活就业" in row for row in rows), rows
    assert any("健康信息 · 张*" in row and "***" in row for row in rows), rows
    assert "limb" not in page
    assert "肢体" not in page, "what is sealed is not shown"
    assert "登记家庭" in page
    items = door.good("clerk", "GET", f"/households/{home}/changes")["items"]
    assert items[0]["event"] == "household_registered"
    [income] = [line for one in items if one["event"] == "income_declared" and one["at"].startswith("2018-12-04") for line in one["lines"]]
    assert (income["person_id"], income["before"][0]["amount_fen"], income["after"][0]["amount_fen"]) == (first, 210_000, 180_000)
    [health] = [line for one in items for line in one["lines"] if line["field"] == "health"]
    assert (health["before"], health["after"]) == (None, "***")
    door.bad(404, "stranger", "GET", f"/households/{home}/changes")


def test_a_member_who_joins_leaves_and_is_named_is_told(door, district, clock):
    home = district.household(210_000)
    no = district.apply(home)
    clock.advance(days=1)
    with district.office.act(district.people["clerk"]) as act:
        joined = households.add_member(act, home, {"name": "张七", "relation": "other", "birth_date": "2001-01-01"})
        households.end_member(act, home, joined, "2018-12-04", "marriage")
        households.move(act, home, "120116001016", "新路2号")
    page = Desk(door.app, "clerk", "en").text(f"/cases/{no}?tab=changes")
    for text in ("Member added", "Member left", "Married and left", "2018-12-04", "Household moved", "***"):
        assert text in page, text
    assert "新路2号" not in page
