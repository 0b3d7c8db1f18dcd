"""Home visits (domain 2.2, ui screen 9): today's list, declared beside seen, two signatures, photos, and a paper sheet entered later."""

from __future__ import annotations

import io

import pytest

from processes import visits
from processes.rebuild import differences
from tests.web.test_api import Door
from tests.web.test_pages import Desk


@pytest.fixture
def door(bureau, district):
    home = district.household(110_000, assets=500_000)
    district.apply(home)
    district.accept()
    if "means_check" in district.tasks():
        district.check()
    return Door(bureau, district)


def task(district, node="home_survey"):
    return district.tasks()[node]["id"]


def survey(district, **more):
    said = {"surveyed_on": "2018-12-03", "second_investigator": "bob", "met_person": "户主", "housing": "自有平房", "living": "简朴", "findings": "基本一致", "surveyed_signature": district.scan}
    return said | more


def test_todays_list_and_what_was_declared(door, district):
    (row,) = door.good("ann", "GET", "/visits")["items"]
    assert (row["node"], row["id"], row["case"], row["assignee"]) == ("home_survey", task(district), district.no, None)
    assert "张" in row["applicant"] and "*" in row["applicant"]
    for who in ("clerk", "rita", "stranger", "auditor"):
        assert door.good(who, "GET", "/visits")["total"] == 0, who
    shown = door.good("ann", "GET", f"/visits/{row['id']}")
    assert shown["survey"] is None
    said = {(one["item"], one["declared"]) for one in shown["declared"]}
    assert any(item == "家庭成员" and text.startswith("3 人") for item, text in said)
    assert any(text == "1100.00 元/月" for _, text in said) and any(text == "5000.00 元" for _, text in said)
    assert all(len(one["item"]) <= 60 and len(one["declared"]) <= 200 for one in shown["declared"])
    door.bad(404, "stranger", "GET", f"/visits/{row['id']}")
    door.good("ann", "POST", f"/tasks/{row['id']}/claim", {})
    assert door.good("bob", "GET", "/visits")["total"] == 0 and door.good("ann", "GET", "/visits")["total"] == 1


def test_differences_are_marked_and_both_sign(door, district):
    compared = [{"item": "工资", "declared": "1100.00 元/月", "seen": "1100.00 元/月。"}, {"item": "车辆", "declared": "未申报", "seen": "院内停放轿车一辆"}, {"item": "住房", "declared": "平房", "seen": "一致"}]
    district.clock.advance(days=2)  # the sheet is entered on the 5th
    door.good("ann", "POST", f"/tasks/{task(district)}/complete", {"answers": survey(district, compared=compared)})
    number = task(district, "survey_cosign")
    assert [row["id"] for row in door.good("bob", "GET", "/visits")["items"]] == [number]
    assert door.good("carl", "GET", "/visits")["total"] == 0, "only the one named signs"
    found = door.good("bob", "GET", f"/visits/{number}")["survey"]
    assert [row["differs"] for row in found["compared"]] == [False, True, False]
    assert (found["visited_on"], found["entered_on"], found["by"], found["second"]) == ("2018-12-03", "2018-12-05", "ann", "bob")
    door.bad(403, "ann", "POST", f"/tasks/{number}/complete", {"answers": {"agree": "agree"}})
    page = Desk(door.app, "bob").text(f"/tasks/{number}")
    assert "院内停放轿车一辆" in page and page.count('class="differs"') == 1 and "2 天后补录" in page
    door.good("bob", "POST", f"/tasks/{number}/complete", {"answers": {"agree": "disagree", "statement": "车辆归属未查明，应重新调查"}})
    assert [row["node"] for row in door.good("ann", "GET", "/visits")["items"]] == ["home_survey"]
    assert differences(district.office) == []


@pytest.mark.parametrize(("declared", "seen", "differs"), [
    ("未申报", "", False), ("5000.00 元", "５０００.00 元", True), ("5000.00 元", " 5000.00元 。", False), ("平房", "属实", False), ("平房", "与申报一致。", False), ("无", "不一致", True), ("", "楼房", True)])  # fmt: skip
def test_what_is_a_difference(declared, seen, differs):
    assert visits.differs({"item": "x", "declared": declared, "seen": seen}) is differs


def test_the_page_fills_in_what_was_declared_and_takes_photos(door, district):
    desk, number = Desk(door.app, "ann"), task(district)
    assert "紫云园社区" in desk.text("/visits/") and f"/tasks/{number}" in desk.text("/visits/")
    page = desk.text(f"/tasks/{number}")
    assert "1100.00 元/月" in page and 'capture="environment"' in page and f'data-offline="task-{number}"' in page
    sheet = desk.text(f"/visits/{number}/sheet")
    assert "1100.00 元/月" in sheet and "第二调查人签字" in sheet
    assert Desk(door.app, "stranger").get(f"/visits/{number}/sheet").status_code == 404
    with door.bureau.office.read() as conn:
        lines = visits.declared(conn, door.bureau.office.keys.on(conn), district.facts()["household_id"])
    rows = {f"compared-{n}-{name}": value for n, line in enumerate(lines) for name, value in line.items()} | {"compared-0-seen": "一致", "compared-1-seen": "实际月收入 3000 元"}
    sent = {"_do": "complete", **survey(district), **rows}
    bad = desk.post(f"/tasks/{number}", {**sent, "photos__file": (io.BytesIO(b"MZ\x90\x00 an executable"), "photo.jpg")})
    assert bad.status_code == 422 and "photo.jpg" in bad.text and "1100.00 元/月" in bad.text
    assert task(district) == number, "nothing was changed"
    photos = [(io.BytesIO(b"\xff\xd8\xff\xe0 one"), "1.jpg"), (io.BytesIO(b"\xff\xd8\xff\xe0 two"), "2.jpg")]
    assert desk.post(f"/tasks/{number}", {**sent, "photos__file": photos}).status_code == 302
    found = door.good("bob", "GET", f"/visits/{task(district, 'survey_cosign')}")["survey"]
    assert [row["seen"] for row in found["compared"]] == ["一致", "实际月收入 3000 元"] and len(found["photos"]) == 2
    stale = desk.post(f"/tasks/{number}", sent | {"_etag": "1-1", "photos__file": (io.BytesIO(b"\xff\xd8\xff\xe0 three"), "3.jpg")})
    assert stale.status_code in (409, 412)
    out = desk.post("/sign-out", {})
    assert out.headers["Clear-Site-Data"] == '"storage"'
