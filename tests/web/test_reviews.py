"""Reviews on pages and through the API: lists narrowed and paged, begun by hand, a round, and a whole review to its letter."""

from __future__ import annotations

import re

import pytest

from processes import households
from tests.district import COMMUNITY, STREET
from tests.processes.test_review_2012 import Reviewed
from tests.web.test_api import Door
from tests.web.test_pages import Desk


@pytest.fixture
def door(bureau, district):
    return Door(bureau, district)


@pytest.fixture
def home(district):
    """In benefit since 2018-11-09, class C: due on 2018-12-09."""
    return Reviewed(district).granted()


def member(bureau, home):
    with bureau.office.read() as conn:
        return households.members_of(conn, home)[0]["person_id"]


def listed(door, who="officer", **asked):
    query = "&".join(f"{k}={v}" for k, v in asked.items())
    return door.good(who, "GET", f"/reviews?{query}")


def test_the_list_says_who_is_due_with_what_is_left(door, district, home):
    [row] = listed(door, state="due")["items"]
    assert (row["household_id"], row["category"], row["amount_fen"], row["review_class"], row["next_review_on"], row["case"]) == (
        home, "dibao", 66_000, "C", "2018-12-09", None)  # fmt: skip
    assert row["workdays_left"] == 20
    assert listed(door)["total"] == listed(door, state="due", review_class="A")["total"] == listed(door, state="due", street="120116005")["total"] == 0
    assert listed(door, "stranger", state="due")["total"] == 0
    assert listed(door, state="due", street=STREET, review_class="C")["total"] == 1
    district.clock.set("2018-12-12T09:00")
    assert [r["workdays_left"] for r in listed(door)["items"]] == [-3]
    for odd in ("state=none", "review_class=D", "page=0", "size=999", "more=1"):
        door.bad(422, "officer", "GET", f"/reviews?{odd}")


def test_a_review_begins_and_ends_through_the_api(door, district, home):
    """Knowing only openapi.json and the tasks' JSON Schemas; and what the page refuses the API refuses."""
    start = {"process": "review-2012", "answers": {"household_id": home, "occasion": "campaign"}}
    door.bad(403, "stranger", "POST", "/cases", start)
    assert door.bad(403, "officer", "POST", "/cases", {**start, "answers": {"household_id": home, "occasion": "due"}})["rule"] == "not-due"
    no = door.good("officer", "POST", "/cases", start)["case"]
    [row] = listed(door, state="under_way")["items"]
    assert row["case"] == no
    day = district.office.today().isoformat()
    door.do("officer", no, "contact_household", contacted_on=day, method="phone", contact_outcome="contacted")
    assert set(door.good("clerk", "GET", f"/cases/{no}")["messages"]) == {"change_reported"}
    assert set(door.good("ann", "GET", f"/cases/{no}")["messages"]) == {"not_cooperating"}
    district.no = no
    district.check()
    door.do("ann", no, "home_survey", surveyed_on=day, second_investigator="bob", met_person="张一", housing="一居室", living="简朴", findings="属实",
            surveyed_signature=district.scan)  # fmt: skip
    door.do("bob", no, "survey_cosign", agree="agree")
    task = door.task("rita", no, "street_opinion")
    wrong = door.bad(422, "rita", "POST", f"/tasks/{task['id']}/complete", {"answers": {"conclusion": "stop", "reason_code": "income_over", "clause": "x", "opinion": "x"}})
    assert "conclusion" in wrong["errors"]
    door.do("rita", no, "street_opinion", conclusion="keep", opinion="情况没有变化")
    door.do("lee", no, "street_signoff", signoff="agree", opinion="同意")
    told = door.do("clerk", no, "deliver_conclusion", delivered_on=day, method="direct", recipient="张一")
    assert told["outcome"] == "ended_kept"
    assert [r["outcome"] for r in listed(door, state="done")["items"]] == ["ended_kept"]
    assert [letter["kind"] for letter in door.good("clerk", "GET", f"/cases/{no}/letters")["items"]] == ["review_result"]
    assert door.good("auditor", "GET", f"/cases/{no}/replay")["result"] == "same"


def test_a_change_is_recorded_through_the_api_and_a_stranger_may_not(door, bureau, home):
    no = door.good("clerk", "POST", "/cases", {"process": "review-2012", "answers": {"household_id": home, "occasion": "campaign"}})["case"]
    said = {"change_kind": "job_start", "changed_on": "2018-11-09", "reported_on": "2018-11-09", "reported_by": "household", "details": "就业", "channel": "phone",
            "person_id": member(bureau, home)}
    door.bad(404, "stranger", "POST", f"/cases/{no}/messages/change_reported", said)
    assert door.bad(403, "rita", "POST", f"/cases/{no}/messages/change_reported", said)["rule"] == "sender"
    assert door.bad(403, "sue", "POST", f"/cases/{no}/messages/resolution", {"resolution": "refuse", "reasons": "x", "meeting_no": "1", "item": 1})["rule"] == "sender"
    assert door.bad(403, "clerk", "POST", f"/cases/{no}/messages/change_reported", {**said, "changed_on": "2018-11-08"})["rule"] == "before-benefit"
    door.bad(409, "ann", "POST", f"/cases/{no}/messages/not_cooperating", {"contacted_on": "2018-11-09", "note": "x"})
    door.good("clerk", "POST", f"/cases/{no}/messages/change_reported", said)


def test_a_round_through_the_api_is_for_those_in_charge_and_once(door, bureau, home):
    for who, unit in (("clerk", STREET), ("officer", "120116"), ("sue", "999999"), ("stranger", STREET)):
        assert door.bad(403, who, "POST", "/review-rounds", {"unit": unit})["rule"] == "review-round"
    door.bad(422, "sue", "POST", "/review-rounds", {})
    again = {"headers": {"Idempotency-Key": "r1"}}
    told = door.good("officer", "POST", "/review-rounds", {"unit": COMMUNITY}, **again)
    assert told["benefits"] == 1
    assert door.good("officer", "POST", "/review-rounds", {"unit": COMMUNITY}, **again) == told
    bureau.jobs.run_all()
    assert listed(door, state="under_way")["total"] == 1


def test_pages_list_begin_and_lead_on(door, bureau, district, home):
    desk = Desk(door.app, "officer", "en")
    page = desk.text("/reviews/?state=due&class=C")
    assert f"/reviews/new/{home}" in page
    assert "张*" in page
    assert "No household in this list." in desk.text("/reviews/")
    assert "No household in this list." in desk.text("/reviews/?state=due&class=A")
    assert "No household in this list." in desk.text("/reviews/?state=nonsense&page=x&street=%00")
    for state in ("overdue", "due", "under_way", "done"):
        desk.text(f"/reviews/?state={state}&page=3")
    assert f"/reviews/new/{home}" not in Desk(door.app, "auditor").text("/reviews/?state=due")
    assert Desk(door.app, "stranger").get(f"/reviews/new/{home}").status_code == 404
    wrong = desk.post(f"/reviews/new/{home}", {"occasion": "early"})
    assert wrong.status_code == 422
    assert desk.post(f"/reviews/new/{home}", {"occasion": "due"}).status_code == 403
    begun = desk.post(f"/reviews/new/{home}", {"occasion": "early", "note": "举报线索"})
    assert begun.status_code == 302
    no = begun.location.rpartition("/")[2]
    assert no in desk.text("/reviews/?state=under_way")
    for page in (*(f"?tab={tab}" for tab in ("overview", "household", "checks", "record", "papers")), "/replay"):
        text = desk.text(f"/cases/{no}{page}")
        assert re.search(r"\sstyle=|\son[a-z]+=|<script>|<style", text) is None
    assert "Record a change" in desk.text(f"/cases/{no}")
    assert desk.get(f"/cases/{no}/messages/resolution").status_code == 404
    task = district.tasks(no)["contact_household"]["id"]
    assert "Contact the household" in desk.text(f"/tasks/{task}")
    sent = {"change_kind": "job_start", "changed_on": "2018-11-09", "reported_on": "2018-11-09", "reported_by": "others", "details": "就业", "channel": "phone", "person_id": str(member(bureau, home))}
    assert desk.post(f"/cases/{no}/messages/change_reported", sent).status_code == 302
    assert "Began to work" in desk.text(f"/cases/{no}")


def test_the_round_s_button_is_there_for_those_in_charge(door, bureau, home):
    assert "Begin the round" not in Desk(door.app, "clerk", "en").text("/reviews/")
    desk = Desk(door.app, "sue", "en")
    page = desk.text("/reviews/")
    assert "Begin the round" in page
    begun = desk.post("/reviews/rounds", {"unit": STREET}, page="/reviews/")
    assert begun.status_code == 302
    assert "2 still to open" not in page
    assert "still to open" in desk.text("/reviews/")
    bureau.jobs.run_all()
    assert "all opened" in desk.text("/reviews/")
    assert Desk(door.app, "clerk").post("/reviews/rounds", {"unit": STREET}, page="/cases").status_code == 403
