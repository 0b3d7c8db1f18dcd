"""督办台: one case at a glance beside the lists, what to look at twice, and handing a task over with a select and a button."""

from __future__ import annotations

import re

import pytest

from processes import households
from tests.web.test_api import Door
from tests.web.test_pages import Desk


@pytest.fixture
def door(bureau, district):
    return Door(bureau, district)


def part(page):
    return page.partition('<section id="glance"')[2].partition("</section>\n")[0]


def test_a_case_at_a_glance_says_what_is_proposed_from_which_figures(door, district):
    district.to_street_opinion()
    district.review()
    shown = part(Desk(door.app, "sue").text(f"/board?look={district.no}"))
    for text in ("660.00", "最低生活保障", "一致", "2018", "未发现重复"):
        assert text in shown, text
    assert door.good("sue", "GET", f"/board/cases/{district.no}") | {"risks": []} == {
        "case": district.no, "category": "dibao", "amount_fen": 66_000, "law_version": district.facts()["law_version"], "check_conclusion": "consistent",
        "street_outcome": None, "district_outcome": None, "conclusion": None, "decision": None, "risks": []}  # fmt: skip
    assert "At a glance" in Desk(door.app, "sue", "en").text(f"/board?look={district.no}")
    assert Desk(door.app, "admin").get(f"/board?look={district.no}").status_code == 404
    door.bad(404, "admin", "GET", f"/board/cases/{district.no}")
    assert door.bad(403, "clerk", "GET", f"/board/cases/{district.no}")["rule"] == "board"


def test_what_to_look_at_twice_is_named(door, district):
    home = district.household(210_000, near_relative_declared=True)
    no = district.apply(home)
    with district.office.read() as conn:
        first = households.members_of(conn, home)[0]["person_id"]
    with district.office.act(district.people["clerk"]) as act:
        households.set_income(act, home, first, [{"kind": "wage_income", "amount_fen": 260_000}], source="checked")
    risks = {risk["code"]: risk for risk in door.good("sue", "GET", f"/board/cases/{no}")["risks"]}
    assert risks.keys() == {"sources_differ", "near_relative"}
    assert risks["sources_differ"]["people"] == [first]
    shown = part(Desk(door.app, "sue").text(f"/board?look={no}"))
    assert re.search(r"不同来源金额不一致</span> 张\*", shown)
    assert "近亲属" in shown


def test_doubles_are_found_wherever_they_come_from(door, district, bureau):
    """The verbs keep one person from two households; imported or merged data may not have."""
    from sqlalchemy import insert

    from processes.tables import household_member

    home = district.household(210_000)
    no = district.apply(home)
    second = district.household(180_000, serial=5)
    running = district.apply(second)
    with district.office.read() as conn:
        first = households.members_of(conn, home)[0]["person_id"]
    row = {"id": second * 65536 + 60_000, "household_id": second, "person_id": first, "relation": "other", "from_on": "2018-12-03"}
    with bureau.office.store.write() as conn:
        conn.execute(insert(household_member), [row])
    risks = {risk["code"]: risk for risk in door.good("sue", "GET", f"/board/cases/{no}")["risks"]}
    assert risks["two_households"]["people"] == [first]
    assert risks["double_case"]["of"] == [running]


def test_a_task_is_handed_over_with_a_select_and_a_button(door, district):
    no = district.apply(district.household(210_000))
    task = district.tasks()["completeness_check"]["id"]
    sue, page = Desk(door.app, "sue"), f"/board?look={no}"
    assert re.search(rf'id="to-{task}".*?value="clerk2"', part(sue.text(page)), re.DOTALL)
    empty = sue.post("/board/transfer", {"task": str(task), "to": "clerk2"}, page=page)
    assert empty.status_code == 422
    wrong = sue.post(f"/board/transfer?look={no}", {"task": str(task), "to": "rita", "reason": "外出"}, page=page)
    assert wrong.status_code == 403
    assert 'value="外出"' in part(wrong.get_data(as_text=True)), "what was typed is kept beside why not"
    assert re.search(rf'id="trouble-{task}">[^<]+', wrong.get_data(as_text=True))
    assert sue.post(f"/board/transfer?look={no}", {"task": str(task), "to": "clerk2", "reason": "外出"}, page=page).status_code == 302
    assert district.tasks()["completeness_check"]["assignee"] == "clerk2"
    lee = Desk(door.app, "lee")
    assert "只有本单位主管可以改派" in part(lee.text(page))
    assert lee.post("/board/transfer", {"task": str(task), "to": "clerk", "reason": "x"}, page=page).status_code == 403
    assert Desk(door.app, "clerk").post("/board/transfer", {"task": str(task), "to": "clerk", "reason": "x"}, page="/tasks").status_code == 403
    assert sue.post("/board/transfer", {"task": "x"}, page=page).status_code == 404
