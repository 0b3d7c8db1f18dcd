"""Visits to the destitute who are supported at home (domain 1.17), through the API and on the pages."""

from __future__ import annotations

import pytest

from processes.facility_tables import dispersed_problem, dispersed_visit
from processes.rebuild import differences
from tests.district import COMMUNITY, STREET, paper
from tests.processes.test_import_annex1 import line, read, sheet
from tests.web.test_api import Door
from tests.web.test_pages import Desk, rows
from web.importing import bring_in

ANSWERS = {"hukou_kind": "urban", "review_class": "B", "first_payment_month": "2018-01"}
FINE = {"visited_on": "2019-01-28", "condition": "safe", "food": "ok", "heating": "ok", "electricity": "ok", "medicine": "n/a", "caretaker_present": True, "agreement_signed": True,
        "money_received": True, "policy_explained": True, "leaflet_given": True}  # fmt: skip
COLD = {"kind": "heating", "text": "暖气不热", "due_on": "2019-02-01"}


@pytest.fixture
def door(bureau, district):
    return Door(bureau, district)


@pytest.fixture
def home(bureau, district):
    """Somebody who lives at home, supported as destitute since January of 2018."""
    found = next(iter(bring_in(bureau, read(district, sheet(line(申请人="何甲", 救助类别="特困（分散）", 保障金额=1780)), "officer", **ANSWERS), district.people["officer"]).homes.values()))
    district.clock.set("2019-01-28T09:00")
    return found


def left(door, who="sue", **asked):
    return door.good(who, "GET", "/dispersed-visits/unvisited?" + "&".join(f"{k}={v}" for k, v in asked.items()))["items"]


def test_a_visit_takes_him_off_the_list_and_problems_are_solved(door, district, home):
    assert [(one["household_id"], one["name"]) for one in left(door)] == [(home, "何甲")]
    made = door.good("officer", "POST", "/dispersed-visits", FINE | {"household_id": home, "heating": "problem", "agreement_signed": False,
                     "problems": [COLD, {"kind": "agreement", "text": "未签", "due_on": "2019-02-10"}, {"kind": "other", "text": "缺棉被", "solved_on_spot": True}], "help_given": "送棉被一床"})  # fmt: skip
    assert (len(made["problems"]), made["next"]) == (3, ["screening_finding"])
    assert left(door) == []
    assert len(left(door, on="2019-01-27")) == 1
    told = door.good("sue", "GET", "/dispersed-visits/coverage")
    assert told["problems"] == {"found": 3, "open": 2, "overdue": 0, "solved": 1}
    assert told["streets"] == [{"street": STREET, "to_visit": 1, "visited": 1, "not_visited": 0}]
    district.clock.set("2019-02-02T09:00")
    row = door.good("vera", "GET", f"/dispersed-visits/{made['visit']}")
    assert [(p["kind"], p["state"], p["overdue"], p["may"]) for p in row["problems"]] == [("heating", "open", True, ["solve"]), ("agreement", "open", False, ["solve"]), ("other", "solved", False, [])]
    assert (row["heating"], row["help_given"], row["agreement_signed"], row["community"]) == ("problem", "送棉被一床", False, COMMUNITY)
    assert door.good("sue", "GET", "/dispersed-visits?problem=overdue")["total"] == 1
    fixed = f"/dispersed-problems/{made['problems'][0]}/solution"
    assert "solved_on" in door.bad(422, "rita", "POST", fixed, {"solved_on": "2019-01-27", "text": "已修"})["errors"]
    door.bad(404, "stranger", "POST", fixed, {"solved_on": "2019-02-02", "text": "已修"})
    assert door.bad(403, "auditor", "POST", fixed, {"solved_on": "2019-02-02", "text": "已修"})["rule"] == "visitor"
    door.good("rita", "POST", fixed, {"solved_on": "2019-02-02", "text": "已修"})
    door.bad(409, "rita", "POST", fixed, {"solved_on": "2019-02-02", "text": "已修"})
    assert door.good("sue", "GET", "/dispersed-visits?problem=overdue")["total"] == 0
    assert door.good("sue", "GET", "/dispersed-visits/coverage?on=2019-02-01")["problems"]["open"] == 2
    assert differences(district.office) == []


def test_a_death_calls_for_the_report_of_a_change(door, district, home):
    made = door.good("officer", "POST", "/dispersed-visits", {"household_id": home, "visited_on": "2019-01-28", "condition": "died", "died_on": "2019-01-26"})
    assert made["next"] == ["change_report"]
    told = door.good("sue", "GET", "/dispersed-visits/coverage")
    assert (told["visited"], told["not_visited"], told["died"]) == (0, 0, 1)
    assert left(door) == []
    person = door.good("officer", "GET", f"/dispersed-visits/{made['visit']}")["person_id"]
    no = door.good("clerk", "POST", "/cases", {"process": "change-report-2012", "answers": {
        "household_id": home, "kind": "death", "person_id": person, "event_on": "2019-01-26", "reported_on": "2019-01-28", "reported_by": "committee", "channel": "visit", "details": "走访发现去世"}})["case"]  # fmt: skip
    row = door.good("officer", "GET", f"/dispersed-visits/{made['visit']}")
    assert (row["report"], row["next"]) == (no, [])
    assert door.good("auditor", "GET", f"/dispersed-visits/{made['visit']}")["report"] == no


def test_what_is_no_visit_is_refused_and_nothing_is_written(door, district, home):
    scan = paper(district, "clerk", district.household(110_000, serial=5))
    for sent, wrong in (
        ({"condition": "absent"}, "food"), ({"food": None}, "food"), ({"leaflet_given": None}, "leaflet_given"), ({"heating": "problem"}, "problems"), ({"money_received": False}, "problems"), ({"condition": "unsafe"}, "problems"),
        ({"agreement_signed": False, "problems": [COLD]}, "problems"), ({"problems": [{"kind": "food", "text": "x"}]}, "problems.0.due_on"), ({"problems": [COLD | {"due_on": "2019-01-27"}]}, "problems"),
        ({"problems": [COLD | {"solved_on_spot": True}]}, "problems.0.due_on"), ({"visited_on": "2019-01-29"}, "visited_on"), ({"visited_on": "2017-12-31"}, "visited_on"), ({"died_on": "2019-01-26"}, "died_on"),
        ({"person_id": 999}, "person_id"), ({"photo": scan}, "photo")):  # fmt: skip
        body = {name: value for name, value in (FINE | {"household_id": home} | sent).items() if value is not None}
        assert wrong in door.bad(422, "officer", "POST", "/dispersed-visits", body)["errors"], sent
    gone = {"household_id": home, "visited_on": "2019-01-28", "condition": "died"}
    assert "died_on" in door.bad(422, "officer", "POST", "/dispersed-visits", gone)["errors"]
    assert "died_on" in door.bad(422, "officer", "POST", "/dispersed-visits", gone | {"visited_on": "2019-01-27", "died_on": "2019-01-28"})["errors"]
    other = district.household(110_000, serial=9)
    assert "household_id" in door.bad(422, "officer", "POST", "/dispersed-visits", FINE | {"household_id": other})["errors"]
    door.bad(404, "officer", "POST", "/dispersed-visits", FINE | {"household_id": 999_999})
    door.bad(404, "stranger", "POST", "/dispersed-visits", FINE | {"household_id": home})
    assert door.bad(403, "exam", "POST", "/dispersed-visits", FINE | {"household_id": home})["rule"] == "visitor"
    door.bad(404, "stranger", "GET", f"/dispersed-visits/coverage?unit={STREET}")
    assert rows(door.bureau, dispersed_visit) == rows(door.bureau, dispersed_problem) == 0


def test_who_was_not_met_stays_on_the_list(door, home):
    door.good("vera", "POST", "/dispersed-visits", {"household_id": home, "visited_on": "2019-01-28", "condition": "absent"})
    assert len(left(door)) == 1
    sent = FINE | {"household_id": home}
    twice = [door.good("vera", "POST", "/dispersed-visits", sent, headers={"Idempotency-Key": "once"}) for _ in range(2)]
    assert twice[0] == twice[1]
    assert (left(door), door.good("vera", "GET", "/dispersed-visits")["total"]) == ([], 2)


def test_the_pages_do_the_same(door, home):
    desk = Desk(door.app, "officer")
    assert "何*" in desk.text("/dispersed-visits/")
    sent = {name: str(value).lower() if isinstance(value, bool) else value for name, value in FINE.items()} | {"household_id": str(home), "heating": "problem"}
    assert "请逐项写明问题" in desk.post("/dispersed-visits/new", sent).get_data(as_text=True)
    made = desk.post("/dispersed-visits/new", sent | {f"problems-0-{name}": value for name, value in COLD.items()})
    assert made.status_code == 302, made.get_data(as_text=True)
    assert "暖气不热" in desk.text(made.location)
    problem = door.good("officer", "GET", "/dispersed-visits")["items"][0]["problems"][0]["id"]
    assert desk.post(f"{made.location}/problems/{problem}", {"solved_on": "2019-01-28", "text": "已修好"}).status_code == 302
    assert "已修好" in desk.text(made.location)
    assert Desk(door.app, "stranger").get(made.location).status_code == 404
