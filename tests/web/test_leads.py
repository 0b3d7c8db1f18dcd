"""Proactive discovery through the API and on the pages (domain 1.5): who gives, who verifies, and what counts as discovered."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from engine import store
from engine.model import Put
from engine.office import history
from processes import organisation
from processes.lead_tables import lead
from processes.rebuild import differences
from tests.district import COMMUNITY, PASSWORD
from tests.web.test_api import Door
from tests.web.test_pages import Desk, rows

LEAD = {"community": COMMUNITY, "known_as": "三号楼独居老人", "hardship": "old_age", "reason": "无子女，无收入", "found_on": "2018-12-03", "found_by": "grid_worker"}
TRUE = {"outcome": "help_apply", "note": "入户核实，属实"}
APPLIED = {"programme": "dibao", "applied_by": "head", "reason": "困难"}


@pytest.fixture
def door(bureau, district):
    with district.office.act() as act:
        organisation.add_staff(act, "grid", "格某", PASSWORD, [("grid_worker", COMMUNITY)])
        organisation.add_staff(act, "vol", "志某", PASSWORD, [("volunteer", COMMUNITY)])
    return Door(bureau, district)


def sent(more):
    return {name: value for name, value in (LEAD | more).items() if value is not None}


def given(door, who="grid", **more):
    return door.good(who, "POST", "/leads", sent(more))["lead"]


def applied(door, home, on):
    return door.good("clerk", "POST", "/cases", {"process": "dibao-2012", "answers": APPLIED | {"household_id": home, "applied_on": on}})["case"]


def linked(door, number, no):
    door.good("officer", "POST", f"/leads/{number}/verification", TRUE)
    return door.good("clerk", "POST", f"/leads/{number}/application", {"case_no": no})


def test_a_lead_before_the_application_counts(door, district):
    number = given(door)
    assert door.good("grid", "GET", f"/leads/{number}")["may"] == []
    door.bad(403, "grid", "POST", f"/leads/{number}/verification", TRUE)
    door.bad(409, "clerk", "POST", f"/leads/{number}/application", {"case_no": "DB-2018-000001"} | {"case_no": applied(door, home := district.household(210_000), "2018-12-03")})
    again = district.clock
    again.advance(days=1)
    no = applied(door, other := district.household(110_000, serial=5), "2018-12-04")
    told = linked(door, number, no)
    assert (told["counts"], told["why_not"], told["state"]) == (True, None, "applied")
    row = door.good("officer", "GET", f"/leads/{number}")
    assert (row["household_id"], row["case_no"], row["applied_on"], row["finder_login"], row["may"]) == (other, no, "2018-12-04", "grid", [])
    assert [one["id"] for one in door.good("sue", "GET", "/leads?counted=true")["items"]] == [number]
    door.bad(409, "clerk", "POST", f"/leads/{number}/application", {"case_no": no})
    assert home != other
    assert differences(district.office) == []


def test_a_lead_that_is_not_older_or_not_of_the_grass_roots_does_not_count(door, district):
    home, second, third = (district.household(110_000, serial=n) for n in (1, 5, 9))
    no = applied(door, home, "2018-12-03")
    district.clock.advance(minutes=5)
    late = given(door, "vera", community=None, known_as=None, household_id=home, found_by="village_committee", found_on="2018-11-01")
    assert linked(door, late, no)["why_not"] == "not_older"
    resident = given(door, "clerk", found_by="resident", finder="邻居王某")
    volunteer = given(door, "vol", found_by="volunteer")
    district.clock.advance(minutes=5)
    assert linked(door, resident, applied(door, second, "2018-12-03"))["why_not"] == "not_grassroots"
    backdated = given(door, found_by="grid_worker")
    district.clock.advance(minutes=5)
    assert linked(door, backdated, applied(door, third, "2018-12-02"))["why_not"] == "not_older"
    assert door.good("sue", "GET", "/leads?counted=true")["total"] == 0
    assert door.good("vol", "GET", "/leads")["items"][0]["id"] == volunteer


def test_who_may_and_what_is_refused(door, district):
    home, other = district.household(110_000), district.household(110_000, serial=5)
    known = {"community": None, "known_as": None, "household_id": home}
    for who, body, wrong in (
        ("grid", LEAD | {"found_on": "2018-12-04"}, "found_on"), ("grid", LEAD | {"known_as": ""}, "known_as"), ("grid", LEAD | {"found_by": "village_committee"}, "found_by"),
        ("clerk", LEAD, "found_by"), ("clerk", LEAD | {"finder_login": "vera"}, "finder_login"), ("clerk", LEAD | {"finder_login": "nobody"}, "finder_login"),
        ("clerk", LEAD | {"found_by": "resident"}, "finder"), ("clerk", LEAD | {"found_by": "resident", "finder_login": "grid"}, "finder_login"),
        ("clerk", LEAD | {"finder": "格某"}, "finder"), ("grid", LEAD | {"community": "120116001999"}, "community"), ("clerk", LEAD | {"household_id": home}, "community"),
        ("grid", LEAD | {"hardship": "x"}, "hardship"), ("grid", {k: v for k, v in LEAD.items() if k != "reason"}, "reason"), ("grid", LEAD | {"found_on": "2017-11-01"}, "found_on")):  # fmt: skip
        assert wrong in door.bad(422, who, "POST", "/leads", body)["errors"], (who, wrong)
    door.bad(404, "clerk", "POST", "/leads", sent(known | {"household_id": 999}))
    door.bad(404, "grid", "POST", "/leads", sent(known))  # who sees no household names none
    assert door.bad(403, "stranger", "POST", "/leads", LEAD | {"found_by": "resident", "finder": "王"})["rule"] == "lead-giver"
    assert door.bad(403, "auditor", "POST", "/leads", LEAD)["rule"] == "lead-giver"
    assert rows(door.bureau, lead) == 0
    number = given(door, "clerk", **known, finder_login="grid")
    assert door.good("grid", "GET", "/leads")["total"] == 1
    door.bad(404, "stranger", "GET", f"/leads/{number}")
    door.bad(404, "vol", "GET", f"/leads/{number}")
    assert door.bad(403, "vera", "POST", f"/leads/{number}/verification", TRUE)["rule"] == "lead-verifier"
    assert "referred_to" in door.bad(422, "officer", "POST", f"/leads/{number}/verification", TRUE | {"outcome": "referral"})["errors"]
    door.good("officer", "POST", f"/leads/{number}/verification", TRUE)
    door.bad(409, "officer", "POST", f"/leads/{number}/verification", TRUE)
    assert door.bad(403, "clerk", "POST", f"/leads/{number}/application", {"case_no": applied(door, other, "2018-12-03")})["rule"] == "other-household"
    door.bad(404, "clerk", "POST", f"/leads/{number}/application", {"case_no": "DB-2018-999999"})
    away = given(door)
    assert door.good("officer", "POST", f"/leads/{away}/verification", {"outcome": "referral", "note": "不符合", "referred_to": "慈善协会"})["state"] == "closed"
    door.bad(409, "clerk", "POST", f"/leads/{away}/application", {"case_no": "DB-2018-000001"})


def task_of(door, who, no, node):
    """The open task of a case in somebody's list, with the header that goes with it."""
    task = next(one for one in door.good(who, "GET", "/tasks?view=available")["items"] if one["case"] == no and one["node"] == node)
    return task, {"headers": {"If-Match": f'"{task["etag"]}"'}}


def test_a_lead_is_a_case_with_tasks(door, district):
    """Verified by the task and by others, helped, told by the application, ended in each way; late ones show late; the record replays."""
    keyed = {"Idempotency-Key": "v1"}
    first = given(door)
    row = door.good("officer", "GET", f"/leads/{first}")
    no = row["discovery_no"]
    assert no.startswith("XS-2018-") and (row["due_on"], row["late"], row["withdrawable"]) == ("2018-12-10", False, False)
    assert door.good("officer", "GET", f"/cases/{no}")["process"] == "discovery"
    mine, seen = task_of(door, "officer", no, "verify_lead")
    district.clock.advance(days=8)
    assert door.good("officer", "GET", f"/leads/{first}")["late"] is True
    assert "helper" in door.bad(422, "officer", "POST", f"/tasks/{mine['id']}/complete", {"answers": TRUE | {"helper": "clerk"}}, **seen)["errors"]
    told = door.good("officer", "POST", f"/leads/{first}/verification", TRUE | {"helper": "vera"}, headers=keyed)
    assert told == door.good("officer", "POST", f"/leads/{first}/verification", TRUE | {"helper": "vera"}, headers=keyed) == {"lead": first, "state": "verified"}
    help_task, seen = task_of(door, "vera", no, "help_apply")
    assert help_task["due_on"] == "2018-12-25"
    district.clock.advance(days=1)
    application = applied(door, home := district.household(110_000), "2018-12-12")
    said = {"help_outcome": "applied", "help_note": "陪同到窗口", "application_no": "DB-2018-999999"}
    door.bad(404, "vera", "POST", f"/tasks/{help_task['id']}/complete", {"answers": said}, **seen)
    said["application_no"] = no
    assert door.bad(403, "vera", "POST", f"/tasks/{help_task['id']}/complete", {"answers": said}, **seen)["rule"] == "no-application"
    door.do("vera", no, "help_apply", **said | {"application_no": application})
    row = door.good("officer", "GET", f"/leads/{first}")
    assert (row["state"], row["case_no"], row["counts"], row["household_id"], row["linked_by"], row["helper"], row["due_on"]) == ("applied", application, True, home, "vera", "vera", None)
    assert door.good("officer", "GET", f"/cases/{no}")["outcome"] == "ended_applied"
    # the giver does not verify it, also by the task; another post of the street does, and the task is gone
    own = given(door, "officer", found_by="civil_affairs_officer")
    assert door.bad(403, "officer", "POST", f"/leads/{own}/verification", TRUE)["rule"] == "own-lead"
    for lead_no, who, more, outcome in (
        (own, "clerk", {"outcome": "in_aid"}, "ended_in_aid"), (given(door), "rita", {"outcome": "declined"}, "ended_declined"), (given(door), "officer", {"outcome": "no_need"}, "ended_no_need"),
        (given(door), "officer", {"outcome": "referral", "referred_to": "慈善协会"}, "ended_referred")):  # fmt: skip
        assert door.good(who, "POST", f"/leads/{lead_no}/verification", TRUE | more)["state"] == "closed"
        row = door.good("officer", "GET", f"/leads/{lead_no}")
        assert (door.good("officer", "GET", f"/cases/{row['discovery_no']}")["outcome"], row["verified_by"], row["outcome"]) == (outcome, who, more["outcome"])
    district.clock.advance(minutes=1)
    twice = given(door)
    for wrong in (None, twice, 77, -1, 2**70):
        assert "duplicate_of" in door.bad(422, "officer", "POST", f"/leads/{twice}/verification", sent_only({"outcome": "duplicate", "duplicate_of": wrong}))["errors"]
    door.good("officer", "POST", f"/leads/{twice}/verification", TRUE | {"outcome": "duplicate", "duplicate_of": first})
    # the same rules where a case is begun and told through the API of all cases
    asked = {"process": "discovery", "answers": LEAD}
    assert door.bad(403, "stranger", "POST", "/cases", {"process": "discovery", "answers": LEAD | {"found_by": "resident", "finder": "王"}})["rule"] == "lead-giver"
    assert "finder" in door.bad(422, "clerk", "POST", "/cases", {"process": "discovery", "answers": LEAD | {"found_by": "resident"}})["errors"]
    raw = door.good("grid", "POST", "/cases", asked)["case"]
    door.bad(404, "vera", "POST", f"/cases/{raw}/messages/lead_verified", TRUE)
    assert door.bad(403, "clerk", "POST", f"/cases/{raw}/messages/applied_at_once", {"application_no": application, "note": "x"})["rule"] == "sender"
    door.bad(409, "clerk", "POST", f"/cases/{raw}/messages/application_started", {"application_no": application})
    door.good("clerk", "POST", f"/cases/{raw}/messages/lead_verified", TRUE | {"outcome": "no_need"})
    # taken back by its giver alone, and only while it is open
    door.bad(409, "grid", "POST", f"/leads/{twice}/withdrawal", {"reason": "登记有误"})
    wrongly = given(door)
    assert door.bad(403, "officer", "POST", f"/leads/{wrongly}/withdrawal", {"reason": "登记有误"})["rule"] == "lead-withdrawal"
    assert door.good("grid", "POST", f"/leads/{wrongly}/withdrawal", {"reason": "登记有误"}) == {"lead": wrongly, "state": "closed"}
    # wants no help after all
    gone = given(door)
    door.good("officer", "POST", f"/leads/{gone}/verification", TRUE)
    late = door.good("officer", "GET", f"/leads/{gone}")["discovery_no"]
    door.do("vera", late, "help_apply", help_outcome="declined", help_note="子女已接走")
    row = door.good("officer", "GET", f"/leads/{gone}")
    assert (row["state"], row["outcome"], row["help_note"], row["closed_by"]) == ("closed", "declined", "子女已接走", "vera")
    assert differences(district.office) == []
    with district.office.read() as conn:
        for one in conn.scalars(select(store.record.c.id).where(store.record.c.process == "discovery")):
            for _entry, _run in district.cases.replaying(conn, history(conn, district.office.keys.on(conn), one)):
                pass


def sent_only(more):
    return {name: value for name, value in (TRUE | more).items() if value is not None}


def test_a_lead_from_before_is_finished_as_before(door, district):
    """Its record is of kind `lead`, as decision 057 had it; no case, no tasks, the same verbs and the same verdict."""
    with district.office.act(district.people["vera"]) as act:
        record = act.new("lead", COMMUNITY)
        number = record.next_id()
        values = {"street": COMMUNITY[:9], "community": COMMUNITY, "known_as": "三号楼独居老人", "hardship": "old_age", "reason": "无收入", "found_on": "2018-12-03",
                  "found_by": "village_committee", "finder_login": "vera", "recorded_by": "vera", "recorded_on": "2018-12-03", "recorded_at": act.now.isoformat(), "state": "reported"}
        act.append(record, "lead_reported", {"found_by": "village_committee"}, puts=[Put("lead", number, values, f"lead:{record.id}")])
    row = door.good("officer", "GET", f"/leads/{number}")
    assert (row["discovery_no"], row["due_on"], row["may"], row["withdrawable"]) == (None, None, ["verify"], False)
    district.clock.advance(days=1)
    told = linked(door, number, applied(door, district.household(110_000), "2018-12-04"))
    assert (told["counts"], told["state"]) == (True, "applied")
    assert differences(district.office) == []


def test_the_same_request_twice_is_one_lead(door):
    key = {"Idempotency-Key": "once"}
    assert door.good("grid", "POST", "/leads", LEAD, headers=key) == door.good("grid", "POST", "/leads", LEAD, headers=key)
    assert rows(door.bureau, lead) == 1


def test_the_pages_do_the_same(door, district):
    desk = Desk(door.app, "grid")
    assert "必填" in desk.text("/leads/new")
    assert desk.post("/leads/new", LEAD | {"found_on": "2019-01-01"}).status_code == 422
    made = desk.post("/leads/new", LEAD)
    assert made.status_code == 302
    assert "三号楼独居老人" in desk.text(made.location)
    assert "老" in desk.text("/leads/")
    office = Desk(door.app, "officer")
    assert "核实线索" in office.text(made.location)
    assert 'value="vera"' in office.text(f"{made.location}/verification"), "who of the committee may help"
    no = door.good("officer", "GET", f"/leads/{made.location.rpartition('/')[2]}")["discovery_no"]
    assert office.get(f"/leads/of/{no}").location == made.location
    assert f'href="/leads/of/{no}">打开线索<' in office.text(f"/cases/{no}")
    mine, _ = task_of(door, "officer", no, "verify_lead")
    assert "不愿申请" in office.text(f"/tasks/{mine['id']}")
    assert office.post(f"{made.location}/verification", TRUE).status_code == 302
    district.clock.advance(days=1)
    no = applied(door, district.household(110_000), "2018-12-04")
    assert office.post(f"{made.location}/application", {"case_no": no}).status_code == 302
    assert "计入基层主动发现" in office.text(made.location)
    assert Desk(door.app, "stranger").get(made.location).status_code == 404
    assert Desk(door.app, "auditor").get("/leads/new").status_code == 403
