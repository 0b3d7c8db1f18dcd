"""Incidents, cards and deadlines as pages and API show them: the same rules at both doors."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from engine import jobs
from engine.store import job
from tests.served import app_of
from tests.web.test_api import Door
from tests.web.test_pages import Desk


@pytest.fixture
def app(bureau, district):
    return app_of(bureau)


@pytest.fixture
def door(bureau, district):
    return Door(bureau, district)


@pytest.fixture
def stuck(district):
    """The number of a case whose registries stay away, and the id of its incident."""
    no = district.apply(district.household(210_000))
    district.accept()
    for _ in range(jobs.TRIES):
        district.bureau.jobs.run_all()
        district.clock.advance(hours=3)
    with district.office.read() as conn:
        return no, conn.scalar(select(job.c.id).where(job.c.kind == "means_check"))


def state(district):
    with district.office.read() as conn:
        return conn.scalar(select(job.c.state).where(job.c.kind == "means_check"))


def test_the_page_says_what_failed_in_plain_words_and_who_decides(app, stuck):
    no, _ = stuck
    for path in ("/incidents", "/board"):
        text = Desk(app, "sue").text(path)
        assert no in text
        assert "向各部门核对家庭经济状况" in text
        assert "RegistryFailed" not in text
        assert "127.0.0.1" not in text
    assert "Asking the registries" in Desk(app, "sue", "en").text("/incidents")
    assert 'name="_do"' not in Desk(app, "lee").text("/incidents"), "a leader looks, and does not decide"
    assert Desk(app, "clerk").get("/incidents").status_code == 403
    assert "warn" in Desk(app, "clerk").text(f"/cases/{no}")


def test_skipping_on_the_page_needs_a_reason_and_lets_the_case_go_on(app, district, stuck):
    no, number = stuck
    desk = Desk(app, "sue")
    answer = desk.post(f"/incidents/{number}", {"_do": "skip", "reason": " "}, page="/incidents")
    assert answer.status_code == 422
    assert f'href="#reason-{number}"' in answer.get_data(as_text=True)
    assert state(district) == "incident"
    answer = desk.post(f"/incidents/{number}", {"_do": "skip", "reason": "接口停用"}, page="/incidents")
    assert answer.status_code == 302
    assert state(district) == "done"
    assert "means_check" in district.tasks()
    assert "接口停用" not in desk.text("/incidents")
    record = desk.text(f"/cases/{no}?tab=record")
    assert "incident_skipped" not in record, "events have words"
    assert record.count("向各部门核对家庭经济状况") == 2, "opened and skipped"
    assert "接口停用" in record


def test_two_people_on_the_page_one_effect_and_a_clear_conflict(app, district, stuck):
    _, number = stuck
    first, second = Desk(app, "sue"), Desk(app, "admin")
    page = second.text("/incidents")
    assert first.post(f"/incidents/{number}", {"_do": "cancel", "reason": "不再需要"}, page="/incidents").status_code == 302
    import re

    hidden = {name: re.search(rf'name="{name}" value="([^"]*)"', page)[1] for name in ("csrf_token", "_key")}
    answer = second.http.post(f"/incidents/{number}", data={**hidden, "_do": "skip", "reason": "接口停用"})
    assert answer.status_code == 409
    assert "别人" in answer.get_data(as_text=True)
    assert state(district) == "cancelled"


def test_who_may_not_decide_is_refused_on_the_page_and_an_unknown_button_does_nothing(app, district, stuck):
    _, number = stuck
    assert Desk(app, "lee").post(f"/incidents/{number}", {"_do": "skip", "reason": "x"}, page="/incidents").status_code == 403
    assert Desk(app, "sue").post(f"/incidents/{number}", {"_do": "forget", "reason": "x"}, page="/incidents").status_code == 404
    assert Desk(app, "sue").post("/incidents/999999", {"_do": "retry"}, page="/incidents").status_code == 404
    assert state(district) == "incident"


def test_the_case_says_that_a_job_was_given_up(app, district, stuck):
    no, number = stuck
    Desk(app, "sue").post(f"/incidents/{number}", {"_do": "cancel", "reason": "不再需要"}, page="/incidents")
    assert "warn" in Desk(app, "clerk").text(f"/cases/{no}")


def test_the_api_lists_incidents_and_decides_on_them(door, district, stuck):
    no, number = stuck
    [row] = door.good("sue", "GET", "/incidents")["items"]
    assert (row["id"], row["case"], row["tries"], row["trouble"], row["skips"], row["may"]) == (number, no, 5, "RegistryFailed", True, True)
    assert door.good("auditor", "GET", "/incidents")["items"][0]["may"] is False
    assert door.call("clerk", "GET", "/incidents").status_code == 403
    case = door.good("clerk", "GET", f"/cases/{no}")
    assert case["stands_still"] == [{"job": "means_check", "key": "round.1", "state": "incident", "tries": 5}]
    for body in ({}, {"reason": ""}, {"reason": "x" * 501}, {"reason": 5}, {"reason": "x", "more": 1}):
        assert door.call("sue", "POST", f"/incidents/{number}/skip", body).status_code == 422
    for who, status in (("clerk", 403), ("auditor", 403), ("stranger", 404)):
        assert door.call(who, "POST", f"/incidents/{number}/retry").status_code == status
    assert state(district) == "incident"
    headers = {"Idempotency-Key": "once"}
    told = door.good("sue", "POST", f"/incidents/{number}/skip", {"reason": "接口停用"}, headers=headers)
    assert told == {"incident": number, "state": "done", "case": no}
    assert door.good("sue", "POST", f"/incidents/{number}/skip", {"reason": "接口停用"}, headers=headers) == told
    assert door.call("admin", "POST", f"/incidents/{number}/cancel", {"reason": "x"}).status_code == 409
    assert door.good("sue", "GET", "/incidents")["items"] == []
    assert door.call("sue", "POST", "/incidents/99999999/retry").status_code == 404


def test_retry_and_cancel_through_the_api(door, district, stuck):
    no, number = stuck
    assert door.good("admin", "POST", f"/incidents/{number}/retry")["state"] == "ready"
    for _ in range(jobs.TRIES):
        district.bureau.jobs.run_all()
        district.clock.advance(hours=3)
    assert door.good("sue", "POST", f"/incidents/{number}/cancel", {"reason": "不再需要"})["state"] == "cancelled"
    assert [s["state"] for s in door.good("clerk", "GET", f"/cases/{no}")["stands_still"]] == ["cancelled"]


# -- cards and deadlines


@pytest.mark.parametrize(("now", "card", "left"), [
    ("2018-12-12T09:00", None, 3), ("2018-12-13T09:00", "yellow", 2), ("2018-12-16T09:00", "yellow", 1), ("2018-12-17T23:00", "yellow", 0), ("2018-12-18T00:10", "red", -1)])  # fmt: skip
def test_the_card_of_a_task_by_its_working_days(door, app, district, now, card, left):
    no = district.apply(district.household(210_000))
    district.accept()
    district.clock.set(now)
    task = district.tasks()["home_survey"]
    shown = door.good("ann", "GET", f"/tasks/{task['id']}")
    assert (shown["card"], shown["workdays_left"], shown["due_on"]) == (card, left, "2018-12-17")
    assert shown["deadline"] == {"rule": "workdays(10, since='investigation_from')", "since_fact": "investigation_from", "start": "2018-12-03", "n": 10,
                                 "unit": "workdays", "stopped": 0, "end": "2018-12-17", "workdays_left": left, "provisional": False}  # fmt: skip
    words = {"yellow": "card yellow", "red": "card red"}
    for who, path in (("ann", f"/tasks/{task['id']}"), ("ann", "/tasks?view=available"), ("ann", f"/cases/{no}"), ("sue", "/board")):
        text = Desk(app, who).text(path)
        assert [w for w in words if f'class="{words[w]}"' in text] == ([card] if card else []), path
    for colour in ("yellow", "red"):
        found = [row["id"] for row in door.good("ann", "GET", f"/tasks?view=available&card={colour}")["items"]]
        assert (task["id"] in found) == (colour == card)
    assert door.call("ann", "GET", "/tasks?card=blue").status_code == 422
    assert door.good("ann", "GET", f"/cases/{no}")["tasks"][-1]["card"] in (card, None)


def test_the_strip_counts_yellow_and_red(app, district):
    for n in range(3):
        district.apply(district.household(210_000, serial=n + 1))
        district.accept()
    district.clock.set("2018-12-14T09:00")
    text = Desk(app, "ann").text("/tasks?view=available")
    assert 'due=yellow" class="yellow some">' in text.replace("&amp;", "&")
    listed = Desk(app, "ann").text("/tasks?view=available&due=yellow")
    assert listed.count('class="card yellow"') >= 3
    district.clock.set("2018-12-18T09:00")
    assert 'class="card yellow"' not in Desk(app, "ann").text("/tasks?view=available&due=yellow")


def test_a_promptly_has_no_parts_and_a_closed_task_no_deadline(door, district):
    district.apply(district.household(210_000))
    task = district.tasks()["completeness_check"]
    shown = door.good("clerk", "GET", f"/tasks/{task['id']}")
    assert shown["card"] is None or shown["deadline"]
    district.accept()
    assert door.good("clerk", "GET", f"/tasks/{task['id']}")["deadline"] is None
