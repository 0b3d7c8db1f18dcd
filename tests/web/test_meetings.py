"""The joint meeting by page and by API: the room, the sum in words, the secretary's grid, paper, the wall; under the same rules."""

from __future__ import annotations

import re

import pytest

from processes import meeting_units, meetings
from processes.law import BadLaw
from tests.meeting_room import CODE, SMALL
from tests.served import app_of
from tests.web.test_api import Door
from tests.web.test_pages import Desk


@pytest.fixture
def door(bureau, room) -> Door:
    return Door(bureau, room)


@pytest.fixture
def app(bureau, room):
    made = app_of(bureau)
    made.config.update(WTF_CSRF_ENABLED=True)
    return made


def test_a_meeting_from_the_request_to_the_issued_minutes_by_api(room, door):
    no = room.ask()
    [asked] = door.good("secretary", "GET", "/special-case-requests")["items"]
    assert (asked["case_no"], asked["applicant"], asked["facts"], asked["due_on"]) == (no, "张*", "肾衰竭，自付费用八万元", "2018-12-17")
    assert door.good("rita", "GET", "/special-case-requests")["total"] == 1
    assert door.good("stranger", "GET", "/special-case-requests")["total"] == 0
    assert door.good("m.finance", "GET", "/special-case-requests")["total"] == 0
    body = {"kind": "case", "planned_on": "2018-12-14", "place": "区民政局三楼", "requests": [asked["id"]], "units": [CODE[k] for k in SMALL]}
    assert door.bad(403, "rita", "POST", "/meetings", body)["rule"] == "starter"
    assert "units" in door.bad(422, "secretary", "POST", "/meetings", body | {"units": [CODE["health"]]})["errors"]
    for past in ("2010-01-04", "1990-01-04", "2018-11-30"):
        for wrong in (body | {"planned_on": past}, {name: said for name, said in body.items() if name != "units"} | {"planned_on": past}):
            assert door.bad(422, "secretary", "POST", "/meetings", wrong)["errors"].keys() == {"planned_on"}
    lx = door.good("secretary", "POST", "/meetings", body, headers={"Idempotency-Key": "m1"})["case"]
    assert door.good("secretary", "POST", "/meetings", body, headers={"Idempotency-Key": "m1"})["case"] == lx
    door.do("secretary", lx, "screen_agenda", items=[{"position": 1, "admitted": True}])
    door.do("convener", lx, "approve_agenda", agenda_outcome="approve")
    members = [{"unit": CODE[k], "present": k != "health"} for k in SMALL]
    door.do("secretary", lx, "open_meeting", opening="open", held_on="2018-12-03", members=members)
    votes = f"/meetings/{lx}/items/1/votes"
    assert door.bad(403, "m.health", "POST", votes, {"choice": "for"})["rule"] == "absent"
    door.good("secretary", "POST", f"/meetings/{lx}/attendance", {"unit": CODE["health"], "present": True})
    assert door.bad(403, "m.civil_affairs", "POST", votes, {"choice": "for"})["rule"] == "chair-last"
    assert door.bad(404, "m.education", "POST", votes, {"choice": "for"})["code"] == 404, "a unit that is not invited does not see the meeting"
    assert door.bad(403, "secretary", "POST", votes, {"choice": "for"})["rule"] == "secretary-votes"
    assert door.bad(422, "m.finance", "POST", votes, {"choice": "maybe"})["errors"]
    for key in SMALL[1:]:
        door.good(f"m.{key}", "POST", votes, {"choice": "against" if key == "health" else "for", "dissent": "先行医疗救助" if key == "health" else ""},
                  headers={"Idempotency-Key": "v1"})  # fmt: skip
        door.good(f"m.{key}", "POST", votes, {"choice": "against" if key == "health" else "for", "dissent": "先行医疗救助" if key == "health" else ""},
                  headers={"Idempotency-Key": "v1"})  # fmt: skip
    assert door.bad(403, "m.finance", "POST", votes, {"choice": "against"})["rule"] == "second-vote"
    early = {"item": 1, "announced": "approve_as", "approved_category": "low_income", "reasons": "集体研究"}
    assert door.bad(403, "convener", "POST", f"/meetings/{lx}/announce", early)["rule"] == "votes-missing"
    door.good("secretary", "POST", votes, {"choice": "for", "unit": CODE["civil_affairs"]})
    seen = door.good("l.finance", "GET", f"/meetings/{lx}")
    assert {k: seen["items"][0]["sum"][k] for k in ("expected", "required", "base", "votes_for", "votes_against", "needed", "passed", "tie")} == {
        "expected": 5, "required": 4, "base": 5, "votes_for": 4, "votes_against": 1, "needed": 3, "passed": True, "tie": False}  # fmt: skip
    assert seen["items"][0]["votes"][0] == {"unit": CODE["civil_affairs"], "staff": "m.civil_affairs", "choice": "for", "paper": True, "dissent": None}
    assert door.bad(403, "convener", "POST", f"/meetings/{lx}/announce", {"item": 1, "announced": "refuse", "reasons": "x"})["rule"] == "passed"
    door.good("convener", "POST", f"/meetings/{lx}/announce", early, headers={"Idempotency-Key": "a1"})
    door.good("convener", "POST", f"/meetings/{lx}/announce", early, headers={"Idempotency-Key": "a1"})
    assert door.bad(403, "m.finance", "POST", votes, {"choice": "against"})["rule"] == "votes-locked"
    assert door.bad(403, "secretary", "POST", f"/meetings/{lx}/items/1/ballots", {"motion": "refuse", "reason": "x"})["rule"] == "votes-locked"
    assert door.good("rita", "GET", f"/cases/{no}")["facts"]["amount_fen"] == 27_600
    door.do("secretary", lx, "draft_minutes")
    for key in SMALL:
        door.good(f"m.{key}", "POST", f"/meetings/{lx}/confirmations", {"unit": CODE[key], "agrees": True})
    door.do("convener", lx, "issue_minutes")
    shown = door.good("m.health", "GET", f"/meetings/{lx}")
    assert (shown["status"], shown["minutes_no"], shown["task"]) == ("issued", "津滨联席纪〔2018〕1号", None)
    printed = door.call("m.health", "GET", f"/meetings/{lx}/minutes").get_data(as_text=True)
    assert "区卫生健康委员会反对：先行医疗救助" in printed
    assert door.good("auditor", "GET", f"/cases/{lx}/replay")["result"] == "same"
    assert door.good("m.finance", "GET", "/meetings")["total"] == 1
    assert door.good("m.finance", "GET", "/cases")["total"] == 0


def test_other_bad_calls_say_why(room, door):
    room.ask()
    lx = room.sitting()
    assert door.bad(404, "rita", "GET", f"/meetings/{lx}")["code"] == 404
    assert door.bad(404, "secretary", "GET", "/meetings/LX-2018-999999")["code"] == 404
    assert door.bad(404, "m.finance", "POST", f"/meetings/{lx}/items/7/votes", {"choice": "for"})["code"] == 404
    assert door.bad(403, "m.finance", "POST", f"/meetings/{lx}/attendance", {"unit": CODE["health"], "present": False})["rule"] == "secretary"
    assert door.bad(422, "secretary", "POST", f"/meetings/{lx}/items/1/ballots", {"motion": "refuse", "reason": " "})["errors"]
    assert door.bad(409, "m.finance", "POST", f"/meetings/{lx}/confirmations", {"unit": CODE["finance"], "agrees": True})["code"] == 409
    assert door.bad(404, "m.finance", "GET", f"/meetings/{lx}/minutes")["code"] == 404
    assert "表决票" in door.call("secretary", "GET", f"/meetings/{lx}/vote-sheet").get_data(as_text=True)
    before = room.case(lx)["seq"]
    assert door.bad(403, "deputy", "POST", f"/meetings/{lx}/announce", {"item": 1, "announced": "refuse", "reasons": "x"})["rule"] == "votes-missing"
    assert door.bad(422, "deputy", "POST", f"/meetings/{lx}/announce", {"item": "x" * 5000})["errors"]
    assert room.case(lx)["seq"] == before


def test_the_pages_carry_a_meeting_without_javascript(room, app):
    no = room.ask()
    desk = Desk(app, "secretary")
    page = desk.text("/meetings")
    assert no in page
    assert "剩余" in page or "2018-12-17" in page
    assert "张一" not in page
    [asked] = room.requests()
    wrong = desk.post("/meetings", {"kind": "case", "planned_on": "", "place": "三楼", "requests": str(asked), "units": [CODE[k] for k in SMALL]}, page="/meetings")
    assert wrong.status_code == 422
    made = desk.post("/meetings", {"kind": "case", "planned_on": "2018-12-14", "place": "三楼", "requests": str(asked), "units": [CODE[k] for k in SMALL]}, page="/meetings")
    assert made.status_code == 302, made.get_data(as_text=True)
    at = made.location
    room.meeting = at.rpartition("/")[2]
    assert "会前初审" in desk.text(at)
    assert desk.post(f"{at}/step", {"items-0-position": "1", "items-0-admitted": "true"}, page=at).status_code == 302
    convener = Desk(app, "convener")
    assert convener.post(f"{at}/step", {"agenda_outcome": "approve"}, page=at).status_code == 302
    rows = {}
    for n, key in enumerate(SMALL):
        rows |= {f"members-{n}-unit": CODE[key], f"members-{n}-present": "true" if key not in ("health", "human_resources") else "false"}
    few = desk.post(f"{at}/step", {"opening": "open", "held_on": "2018-12-03", **rows}, page=at)
    assert few.status_code == 403
    assert "应到 5，实到 3，须 4" in few.get_data(as_text=True)
    rows[f"members-{SMALL.index('human_resources')}-present"] = "true"
    assert desk.post(f"{at}/step", {"opening": "open", "held_on": "2018-12-03", **rows}, page=at).status_code == 302
    page = desk.text(at)
    assert re.search(r"应到 5 · 实到 4 · 须 4", page), page
    assert re.search(r"区民政局✓.*区财政局✓", page)
    assert f'name="vote-{CODE["finance"]}"' in page
    assert f'name="vote-{CODE["health"]}"' not in page, "absent"
    assert desk.post(f"{at}/attendance", {"unit": CODE["health"], "present": "true"}, page=at).status_code == 302
    health = Desk(app, "m.health")
    assert health.post(f"{at}/items/1/recusals", {"ground": "self_declared"}, page=at).status_code == 302
    assert re.search(r"应到 4 · 实到 4 · 须 3.*不计", desk.text(at), re.DOTALL)
    member = Desk(app, "m.finance")
    assert member.post(f"{at}/items/1/votes", {"choice": "against", "dissent": "资金不足"}, page=at).status_code == 302
    assert member.post(f"{at}/items/1/votes", {"choice": "for"}, page=at).status_code == 403
    grid = {f"vote-{CODE[k]}": "for" for k in ("civil_affairs", "human_resources", "disabled_federation")}
    assert desk.post(f"{at}/items/1/votes", grid, page=at).status_code == 302
    assert desk.post(f"{at}/items/1/votes", {}, page=at).status_code == 422
    page = Desk(app, "convener", "en").text(at)
    assert "for 3 · against 1 · abstaining 0, of 4; more than half is 3" in page
    wall = convener.text(f"{at}?view=projector")
    assert "张一" not in wall
    assert "同意 3" in wall
    before = room.case(room.meeting)["seq"]
    more = convener.post(f"{at}/step", {"_do": "row", "_rows": "1", "item": "1", "reasons": "写到一半"}, page=at)
    assert (more.status_code, room.case(room.meeting)["seq"]) == (200, before)
    assert 'name="measures-3-kind"' in convener.post(f"{at}/step", {"_do": "row", "_rows": "4", "reasons": "x"}, page=at).get_data(as_text=True)
    assert "写到一半" in more.get_data(as_text=True)
    refused = convener.post(f"{at}/step", {"item": "1", "announced": "refuse", "reasons": "x"}, page=at)
    assert refused.status_code == 403
    assert "已通过" in refused.get_data(as_text=True)
    assert convener.post(f"{at}/step", {"item": "1", "announced": "approve_as", "approved_category": "low_income", "reasons": "集体研究"}, page=at).status_code == 302
    assert desk.post(f"{at}/items/1/ballots", {"motion": "refuse", "reason": "x"}, page=at).status_code == 403
    page = desk.text(at)
    assert "应到成员单位 5 个" in page, "the generated text stands in the form"
    text = re.search(r'<textarea[^>]*name="text"[^>]*>(.*?)</textarea>', page, re.DOTALL)
    assert text
    assert desk.post(f"{at}/step", {"text": "改写过的纪要"}, page=at).status_code == 302
    assert "与系统生成的文字不同" in desk.text(at)
    assert "<mark>改写过的纪要</mark>" in desk.text(f"{at}/minutes")
    for key in ("civil_affairs", "finance", "human_resources", "disabled_federation", "health"):
        assert Desk(app, f"m.{key}").post(f"{at}/confirm", {"unit": CODE[key], "agrees": "true"}, page=at).status_code == 302, key
    assert convener.post(f"{at}/step", {"opinion": "印发"}, page=at).status_code == 302
    assert "津滨联席纪〔2018〕1号" in desk.text(at)
    assert desk.text(f"/cases/{room.meeting}?tab=record")
    assert "同样" not in desk.text(f"/cases/{room.meeting}/replay")
    assert Desk(app, "rita").get(at).status_code == 404


def test_the_ordinary_task_page_works_for_a_meeting_and_for_the_earlier_drawing(room, app):
    room.ask()
    room.convene()
    task = room.tasks(room.meeting)["screen_agenda"]
    desk = Desk(app, "secretary")
    assert "会前初审" in desk.text(f"/tasks/{task['id']}")
    done = desk.post(f"/tasks/{task['id']}", {"_do": "complete", "items-0-position": "1", "items-0-admitted": "true"}, page=f"/tasks/{task['id']}")
    assert done.status_code == 302, done.get_data(as_text=True)
    assert room.item()["status"] == "admitted"
    for tab in ("?tab=overview", "?tab=record", "/replay"):
        assert desk.get(f"/cases/{room.meeting}{tab}").status_code == 200, tab
    assert "等候" in desk.text(f"/cases/{room.no}")
    assert Desk(app, "auditor").get("/cases").status_code == 200
    with room.office.read() as conn:
        assert meetings.of(conn, room.people["auditor"])


def test_a_day_without_law_is_a_wrong_answer_and_no_failure(room, door, app, monkeypatch):
    room.ask()
    [number] = room.requests()

    def unknown(_):
        raise BadLaw("no value on that day")

    monkeypatch.setattr(meeting_units, "members", unknown)
    body = {"kind": "case", "planned_on": "2018-12-14", "place": "三楼", "requests": [number], "units": [CODE[k] for k in SMALL]}
    assert door.bad(422, "secretary", "POST", "/meetings", body)["message"] == "no value on that day"
    desk = Desk(app, "secretary")
    assert desk.post("/meetings", body | {"requests": str(number)}, page="/meetings").status_code == 422
