"""A task that nobody may do is flagged when it comes, and on the supervisor's board; nothing goes on without it (DESIGN 3, row 12)."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from engine import queries, store
from engine.errors import Refused
from engine.office import history, seals_hold
from processes import households, organisation
from processes.rebuild import differences
from tests.district import PASSWORD, STREET
from tests.served import app_of
from tests.web.test_api import Door
from tests.web.test_pages import Desk


def kin(district, *logins):
    """They are near relatives of the household that applies."""
    with district.office.read() as conn:
        row = households.members_of(conn, district.facts()["household_id"])[0]
        number = district.office.keys.on(conn).reveal("person", "id_no", row["person_id"], row["id_no"])
    with district.office.act() as act:
        for login in logins:
            organisation.declare_relative(act, login, "sibling", "张一", number)


def to_signoff(district):
    district.review()
    district.do("rita", "street_opinion", street_outcome="propose_grant", opinion="拟同意")
    return district.tasks()["street_signoff"]


def said(district):
    with district.office.read() as conn:
        entries = history(conn, district.office.keys.on(conn), district.case()["id"])
        assert len(district.cases.replayed(conn, district.office.keys.on(conn), district.case()["id"])) == len(entries)
    assert seals_hold(entries) is None
    assert differences(district.office) == []
    return [(e.data["task"], e.data["rules"]) for e in entries if e.event == "task_escalated"]


def on_board(district):
    with district.office.read() as conn:
        return [row["node"] for row in queries.tasks(conn, district.people["sue"], "copied").items]


def test_where_all_who_hold_the_post_are_relatives(district):
    district.to_street_opinion()
    kin(district, "lee")
    task = to_signoff(district)
    assert (task["flags"], task["priority"], task["assignee"]) == ("escalated unmanned", 1, None)
    assert said(district) == [("street_signoff.1", ["near-relative"])]
    assert on_board(district) == ["street_signoff"]
    with pytest.raises(Refused) as refused:
        district.do("lee", "street_signoff", signoff="agree", opinion="同意")
    assert refused.value.rule == "near-relative"


def test_where_the_only_one_has_handled_the_case(district):
    """One colleague in both posts wrote the opinion: he may not sign it off."""
    with district.office.act() as act:
        organisation.deactivate(act, "lee")
        organisation.add_staff(act, "both", "某双", PASSWORD, [("reviewer", STREET), ("street_leader", STREET)], hashed="unused")
    with district.office.read() as conn:
        district.people["both"] = organisation.find_actor(conn, "both")
    district.to_street_opinion()
    district.review()
    district.do("both", "street_opinion", street_outcome="propose_grant", opinion="拟同意")
    assert district.tasks()["street_signoff"]["flags"] == "escalated unmanned"
    assert said(district) == [("street_signoff.1", ["own-opinion"])]


def test_where_nobody_holds_the_post_until_somebody_comes(district, bureau):
    with district.office.act() as act:
        organisation.deactivate(act, "lee")
    district.to_street_opinion()
    task = to_signoff(district)
    assert said(district) == [("street_signoff.1", ["no-holder"])]
    door = Door(bureau, district)
    assert door.good("sue", "GET", f"/tasks/{task['id']}")["unmanned"] == [{"staff": None, "rule": "no-holder", "why": "本单位没有在岗人员担任这个岗位"}]
    page = Desk(app_of(district.bureau), "sue").text(f"/tasks/{task['id']}")
    assert "无人可办" in page
    assert "本单位没有在岗人员担任这个岗位" in page
    assert "无人可办" in Desk(app_of(district.bureau), "sue").text("/board")
    assert [one["flags"] for one in door.good("sue", "GET", "/board?list=escalated")["items"]] == ["escalated unmanned"]
    with district.office.act() as act:
        organisation.add_staff(act, "leader2", "某新", PASSWORD, [("street_leader", STREET)], hashed="unused")
    with district.office.read() as conn:
        district.people["leader2"] = organisation.find_actor(conn, "leader2")
    assert door.good("sue", "GET", f"/tasks/{task['id']}")["unmanned"] == []
    with district.office.act(district.people["leader2"]) as act:
        district.cases.claim(act, task["id"])
    assert district.tasks()["street_signoff"]["flags"] == "escalated"
    district.do("leader2", "street_signoff", signoff="agree", opinion="同意")
    assert differences(district.office) == []


def test_who_may_is_found_over_the_unit_only_and_one_is_enough(district):
    with district.office.act() as act:
        organisation.add_staff(act, "far", "某远", PASSWORD, [("street_leader", "120116005")], hashed="unused")
        organisation.add_staff(act, "high", "某高", PASSWORD, [("street_leader", "120116")], hashed="unused")
    district.to_street_opinion()
    kin(district, "lee")
    assert to_signoff(district)["flags"] == "", "the one of the whole district may"
    assert said(district) == []


def test_on_an_ordinary_road_nothing_is_flagged(district):
    district.to_district()
    with district.office.read() as conn:
        assert conn.scalars(select(store.task.c.flags).where(store.task.c.flags.contains("unmanned"))).all() == []
