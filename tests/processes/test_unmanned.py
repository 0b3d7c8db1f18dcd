"""A task that nobody may do is flagged when it comes, and on the supervisor's board; nothing goes on without it (DESIGN 3, row 12)."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import select

from engine import queries, store, unmanned
from engine.errors import Refused
from engine.office import history, seals_hold
from processes import households, identity, organisation, recusals
from processes.rebuild import differences
from processes.tables import near_relative
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


# -- what becomes of tasks that are open already


def signed_off_next(district):
    district.to_street_opinion()
    assert to_signoff(district)["flags"] == ""


def newcomer(district, login="leader2", unit=STREET):
    with district.office.act() as act:
        organisation.add_staff(act, login, "某新", PASSWORD, [("street_leader", unit)], hashed="unused")


def leaves(district):
    with district.office.act() as act:
        organisation.deactivate(act, "lee")


def other_post(district):
    with district.office.act() as act:
        organisation.change_posts(act, "lee", [("reviewer", STREET)])


def related(district):
    kin(district, "lee")


def declared(district):
    """The household itself says so, or the street registers it."""
    with district.office.act(district.people["clerk"]) as act:
        said = {"staff_login": "lee", "staff_name": "某lee", "relation": "sibling"}
        households.declare_near_relative(act, district.facts()["household_id"], said)


def joined(district):
    """A member who comes later is the leader's brother."""
    number = identity.invent(date(1980, 1, 1), "male", 5)
    with district.office.act() as act:
        organisation.declare_relative(act, "lee", "sibling", "张弟", number)
    district.bureau.jobs.run_all()
    assert district.tasks()["street_signoff"]["flags"] == ""
    with district.office.act(district.people["clerk"]) as act:
        households.add_member(act, district.facts()["household_id"], {"name": "张弟", "id_no": number, "relation": "other", "employment": "none", "labour_ability": "full"})


@pytest.mark.parametrize(("change", "rule"), [
    (leaves, "no-holder"), (other_post, "no-holder"), (related, "near-relative"), (declared, "near-relative"), (joined, "near-relative")])
def test_an_open_task_that_has_lost_the_last_who_may_do_it(district, change, rule):
    signed_off_next(district)
    change(district)
    district.bureau.jobs.run_all()
    task = district.tasks()["street_signoff"]
    assert (task["flags"], task["priority"]) == ("escalated unmanned", 1)
    assert said(district) == [("street_signoff.1", [rule])]
    assert on_board(district) == ["street_signoff"]
    newcomer(district)
    district.bureau.jobs.run_all()
    assert district.tasks()["street_signoff"]["flags"] == "escalated", "it stays on the board until it is done"
    with district.office.read() as conn:
        last = history(conn, district.office.keys.on(conn), district.case()["id"])[-1]
    assert (last.event, last.data, last.actor) == ("task_manned", {"task": "street_signoff.1", "flags": "escalated"}, "system")
    said(district)


def test_a_statement_that_was_a_mistake_gives_its_hands_back(district):
    signed_off_next(district)
    declared(district)
    district.bureau.jobs.run_all()
    assert district.tasks()["street_signoff"]["flags"] == "escalated unmanned"
    home = district.facts()["household_id"]
    with district.office.read() as conn:
        statement = conn.scalar(select(near_relative.c.id))
    with district.office.act(district.people["clerk"]) as act:
        recusals.ask(act, home, statement, "同名")
    with district.office.act(district.people["sue"]) as act:
        recusals.agree(act, home, statement)
    district.bureau.jobs.run_all()
    assert district.tasks()["street_signoff"]["flags"] == "escalated"
    district.do("lee", "street_signoff", signoff="agree", opinion="同意")


def test_nothing_is_planned_where_no_open_task_is_concerned(district):
    """Of a post elsewhere, of one that nobody lacks, of a change that leaves the post."""
    signed_off_next(district)
    with district.office.act() as act:
        organisation.deactivate(act, "stranger")
        organisation.change_posts(act, "lee", [("street_leader", STREET), ("reviewer", STREET)])
        organisation.add_staff(act, "leader2", "某新", PASSWORD, [("street_leader", STREET)], hashed="unused")
    with district.office.read() as conn:
        assert conn.scalars(select(store.job.c.id).where(store.job.c.kind == unmanned.KIND)).all() == []


def test_one_of_two_leaves_and_nothing_is_said(district):
    signed_off_next(district)
    newcomer(district)
    leaves(district)
    district.bureau.jobs.run_all()
    assert (district.tasks()["street_signoff"]["flags"], said(district)) == ("", [])


def test_many_cases_are_looked_at_batch_by_batch(district, monkeypatch):
    monkeypatch.setattr(unmanned, "AT_ONCE", 1)
    numbers = [district.apply(district.household(210_000, serial=serial)) for serial in (1, 2, 3)]
    with district.office.act() as act:
        for login in ("clerk", "clerk2"):
            organisation.deactivate(act, login)
    district.bureau.jobs.run_all()
    assert [district.tasks(no)["completeness_check"]["flags"] for no in numbers] == ["escalated unmanned"] * 3
    with district.office.read() as conn:
        planned = conn.execute(select(store.job.c.state).where(store.job.c.kind == unmanned.KIND)).scalars().all()
    assert planned == ["done"] * len(planned)
    assert len(planned) >= 4, "a batch behind each case"


def test_board_and_list_say_why(district, bureau):
    signed_off_next(district)
    leaves(district)
    district.bureau.jobs.run_all()
    door, sue = Door(bureau, district), Desk(app_of(district.bureau), "sue")
    [row] = door.good("sue", "GET", "/board?list=escalated")["items"]
    assert row["unmanned"] == [{"staff": None, "rule": "no-holder", "why": "本单位没有在岗人员担任这个岗位"}]
    for page in ("/board", "/tasks?view=copied"):
        assert "本单位没有在岗人员担任这个岗位" in sue.text(page)
    assert "本单位没有在岗人员" not in Desk(app_of(district.bureau), "exam").text("/tasks")


def test_a_mark_of_the_machine_keeps_nobody_from_taking_back(district):
    """Nobody has looked at a task that came to nobody, or was late."""
    with district.office.act() as act:
        organisation.deactivate(act, "lee")
    district.to_street_opinion()
    district.review()
    mine = district.tasks()["street_opinion"]["id"]
    district.do("rita", "street_opinion", street_outcome="propose_grant", opinion="拟同意")
    assert district.tasks()["street_signoff"]["flags"] == "escalated unmanned"
    newcomer(district)
    district.bureau.jobs.run_all()
    with district.office.act(district.people["rita"]) as act:
        district.bureau.habits.take_back(act, mine, "写错")
    assert list(district.tasks()) == ["street_opinion"]
    said(district)
