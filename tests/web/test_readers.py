"""Who reads what (domain 5.2): an administrator, a volunteer and a grid worker see nobody's means, payment sees benefits only, and
who checks means sees no opinions."""

from __future__ import annotations

import pytest

from processes import organisation, readers
from tests.district import COMMUNITY, PASSWORD
from tests.processes.test_benefits import Granted
from tests.web.test_api import Door
from tests.web.test_pages import Desk

NEW = {"grid": ("grid_worker", COMMUNITY), "vol": ("volunteer", "120116"), "fin": ("finance_officer", "120116")}


@pytest.fixture
def door(bureau, district):
    return Door(bureau, district)


@pytest.fixture
def people(district):
    with district.office.act() as act:
        for login, post in NEW.items():
            organisation.add_staff(act, login, login, PASSWORD, [post])
    return district


def test_administrators_volunteers_and_payment_read_no_case(people, door):
    home = people.household(210_000)
    no = people.apply(home)
    page = people.scan
    for who in ("admin", *NEW):
        for path in (f"/cases/{no}", f"/cases/{no}/record", f"/cases/{no}/replay", f"/households/{home}", f"/households/{home}/documents"):
            door.bad(404, who, "POST" if path.endswith("replay") else "GET", path, {} if path.endswith("replay") else None)
        assert door.good(who, "GET", "/cases")["total"] == 0
        door.bad(404, who, "POST", f"/households/{home}/reveal", {"field": "address", "reason": "核对"})
        desk = Desk(door.app, who)
        for path in (f"/cases/{no}", f"/cases/{no}/replay", f"/households/{home}", f"/documents/{page}"):
            assert desk.get(path).status_code == 404, (who, path)
        assert no not in desk.text("/cases")
    assert door.good("auditor", "GET", "/cases")["total"] == 1


def test_payment_reads_benefits_and_an_administrator_does_not(people, door):
    Granted(people)
    assert door.good("fin", "GET", "/benefits")["total"] == 1
    for who in ("admin", "grid", "vol"):
        assert door.good(who, "GET", "/benefits")["total"] == 0


def test_the_task_of_a_post_is_seen_by_it_alone(people, door):
    people.to_street_opinion()
    task = door.task("auditor", people.no, "democratic_review")
    with people.office.act() as act:
        organisation.add_staff(act, "mixed", "网格员兼民政专干", PASSWORD, [("grid_worker", COMMUNITY), ("civil_affairs_officer", "120116001")])
    assert door.good("mixed", "GET", f"/tasks/{task['id']}")["node"] == "democratic_review"
    door.bad(404, "grid", "GET", f"/tasks/{task['id']}")


def test_who_checks_means_sees_no_opinions_and_no_replay(people, door):
    people.to_refusal()
    told = Desk(door.app, "checker").text(f"/cases/{people.no}?tab=record")
    whole = Desk(door.app, "auditor").text(f"/cases/{people.no}?tab=record")
    opinion = next(e["personal"] for e in door.good("auditor", "GET", f"/cases/{people.no}/record")["items"] if '"opinion"' in str(e.get("personal")).replace("'", '"'))
    word = _find(opinion, "opinion")
    assert word in whole
    assert word not in told
    assert "opinion" not in _names(door.good("checker", "GET", f"/cases/{people.no}/record")["items"])
    assert "report" in _names(door.good("checker", "GET", f"/cases/{people.no}/record")["items"])
    assert door.bad(403, "checker", "POST", f"/cases/{people.no}/replay", {})["rule"] == "opinions"
    assert "不能打开回放" in Desk(door.app, "checker").get(f"/cases/{people.no}/replay").get_data(as_text=True)


def test_a_second_post_opens_what_the_first_does_not():
    from engine.model import Actor

    both = Actor("a", posts=(("admin", "120116"), ("reviewer", "120116001")), roles=frozenset({"admin", "reviewer"}))
    assert readers.of_cases(both).areas == ("120116001",)
    checks = Actor("b", posts=(("means_checker", "120116"), ("reviewer", "120116001")), roles=frozenset({"means_checker", "reviewer"}))
    assert readers.reads_opinions(checks, "120116001005")
    assert not readers.reads_opinions(checks, "120116005")


def _find(value, name):
    if isinstance(value, dict):
        return value[name] if name in value else next((found for one in value.values() if (found := _find(one, name))), "")
    return ""


def _names(value):
    if isinstance(value, dict):
        return set(value) | {name for one in value.values() for name in _names(one)}
    return {name for one in value for name in _names(one)} if isinstance(value, list) else set()
