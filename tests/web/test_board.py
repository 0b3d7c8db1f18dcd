"""The supervisor's board through the API, the limit of the whole procedure (38 working days from acceptance), and the training clock."""

from __future__ import annotations

import dataclasses

import pytest
from sqlalchemy import func, select

from engine.store import entry
from tests.web.test_api import Door
from tests.web.test_pages import Desk


@pytest.fixture
def door(bureau, district):
    return Door(bureau, district)


def test_a_case_beyond_the_whole_procedure_is_on_the_board_and_says_so(door, district):
    district.to_street_opinion()
    assert door.good("sue", "GET", f"/cases/{district.no}")["limit"] == {"since": "2018-12-03", "workdays": 38, "last": "2019-01-25", "workdays_left": 38}
    assert "全程时限 2019-01-25（自受理起 38 个工作日），还剩 38 个" in Desk(door.app, "sue").text(f"/cases/{district.no}")
    district.at("2019-01-25T09:00")
    assert door.good("sue", "GET", "/board")["overlong"] == []
    district.at("2019-01-29T09:00")
    said = door.good("sue", "GET", "/board")
    assert [(one["case"], one["last"], one["workdays_left"]) for one in said["overlong"]] == [(district.no, "2019-01-25", -2)]
    assert said["counts"]["late"] == said["total"] == len(said["items"]) > 0
    assert {row["node"] for row in said["nodes"]} == {"democratic_review"}
    page = Desk(door.app, "sue").text("/board")
    assert "全程超时 <b>1</b>" in page
    assert "已超 2 个工作日" in Desk(door.app, "sue").text(f"/cases/{district.no}")
    assert "over by 2 working days" in Desk(door.app, "sue", lang="en").text(f"/cases/{district.no}")
    assert door.good("lee", "GET", "/board?list=special")["total"] == 0
    assert door.bad(403, "clerk", "GET", "/board")["rule"] == "board"
    assert door.bad(403, "lee", "GET", "/board?unit=120116005")["rule"] == "unit"
    door.bad(422, "sue", "GET", "/board?list=all")


def test_an_ended_case_and_one_before_acceptance_have_no_limit(door, district):
    no = district.apply(district.household(210_000))
    assert door.good("sue", "GET", f"/cases/{no}")["limit"] is None
    district.send("clerk", "withdrawal", withdrawn_on="2018-12-03", reason="已找到工作")
    district.at("2019-03-29T09:00")
    assert door.good("sue", "GET", f"/cases/{no}")["limit"] is None
    assert door.good("sue", "GET", "/board")["overlong"] == []


def test_a_trainer_moves_the_clock_and_what_came_due_has_run(door, district):
    district.to_street_opinion()
    said = door.good("admin", "POST", "/clock", {"days": 8})
    assert said["now"].startswith("2018-12-11T09:00")
    assert said["jobs"] >= 1
    assert door.good("sue", "GET", "/board")["counts"]["late"] == 1
    assert door.good("sue", "POST", "/clock", {"moment": "2018-12-24T10:00"})["now"].startswith("2018-12-24T10:00")
    assert "调整演示时钟" in Desk(door.app, "auditor").text("/audit/admin?event=clock_moved")


def test_once_there_is_casework_the_clock_is_not_set_back(door, district):
    district.to_street_opinion()
    before = door.good("admin", "GET", "/clock")
    with district.office.read() as conn:
        entries = conn.scalar(select(func.count()).select_from(entry))
    said = door.bad(409, "admin", "POST", "/clock", {"moment": "2018-12-03T08:59:59"})
    assert "不能往回拨" in said["message"]
    assert "does not go back" in door.bad(409, "admin", "POST", "/clock", {"moment": "2018-11-01"}, headers={"Accept-Language": "en"})["message"]
    assert door.good("admin", "GET", "/clock") == before
    with district.office.read() as conn:
        assert conn.scalar(select(func.count()).select_from(entry)) == entries
    assert door.good("admin", "POST", "/clock", {"moment": "2018-12-03T09:00:00"})["now"] == "2018-12-03T09:00:00+08:00"


def test_before_there_is_any_the_clock_goes_where_the_training_begins(door):
    assert door.good("admin", "POST", "/clock", {"moment": "2018-11-01T09:00"})["now"].startswith("2018-11-01T09:00")


@pytest.mark.parametrize("body", [{}, {"days": 0}, {"days": 32}, {"days": 1, "moment": "2018-12-24"}, {"moment": "morgen"}, {"days": "one"}, {"hours": 1}])
def test_a_wrong_move_is_refused(door, body):
    before = door.good("admin", "GET", "/clock")
    door.bad(422, "admin", "POST", "/clock", body)
    assert door.good("admin", "GET", "/clock") == before


def test_nobody_else_moves_it_and_nobody_in_production(door, district):
    assert door.bad(403, "clerk", "POST", "/clock", {"days": 1})["rule"] == "trainer"
    bureau = door.app.extensions["bureau"]
    door.app.extensions["bureau"] = dataclasses.replace(bureau, settings=dataclasses.replace(bureau.settings, env="production"))
    door.bad(404, "admin", "POST", "/clock", {"days": 1})
