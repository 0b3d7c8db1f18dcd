"""Habits through both doors: what the API does the page does, under the same rules, and refusals change nothing."""

from __future__ import annotations

import re
from typing import Any

import pytest
from sqlalchemy import select

from engine import store
from engine.office import history
from processes import organisation
from tests.district import HASHED, PASSWORD, STREET
from tests.served import app_of
from tests.web.test_api import Door
from tests.web.test_api_bad_input import everything
from tests.web.test_pages import Desk


@pytest.fixture
def town(bureau, district):
    """A case whose street opinion is due, a second reviewer, and a supervisor of the street."""
    with district.office.act() as act:
        for login, role in (("paul", "reviewer"), ("ben", "supervisor")):
            organisation.add_staff(act, login, f"某{login}", PASSWORD, [(role, STREET)], hashed=HASHED)
    with district.office.read() as conn:
        district.people |= {login: organisation.find_actor(conn, login) for login in ("paul", "ben")}
    district.to_street_opinion()
    district.review()
    return district


@pytest.fixture
def door(bureau, town) -> Door:
    return Door(bureau, town)


@pytest.fixture
def app(bureau, town):
    return app_of(bureau)


GRANT = {"street_outcome": "propose_grant", "opinion": "拟同意"}


def opinion_task(town: Any) -> int:
    return town.tasks()["street_opinion"]["id"]


# -- the API


def test_signers_through_the_api(door, town):
    task = opinion_task(town)
    door.good("rita", "POST", f"/tasks/{task}/signers", {"kind": "before", "staff": ["paul"], "question": "请把关"})
    assert [t["id"] for t in door.good("paul", "GET", "/tasks?view=signing")["items"]] == [task]
    assert door.bad(403, "rita", "POST", f"/tasks/{task}/complete", {"answers": GRANT})["rule"] == "countersign"
    assert "task" in door.good("paul", "POST", f"/tasks/{task}/sign", {"agrees": False, "words": "再核实"})
    assert door.good("paul", "GET", "/tasks?view=signing")["items"] == []
    door.good("rita", "POST", f"/tasks/{task}/signers", {"kind": "after", "staff": ["officer"], "question": "请会签"})
    assert door.good("officer", "GET", "/tasks?view=signing")["items"] == [], "not before it is handed in"
    told = door.good("rita", "POST", f"/tasks/{task}/complete", {"answers": GRANT})
    assert (told["opened"], told["waits_for_signers"]) == ([], ["officer"])
    assert [t["flags"] for t in door.good("officer", "GET", "/tasks?view=signing")["items"]] == ["countersign"]
    around = door.good("officer", "GET", f"/tasks/{task}/around")
    assert around["handed_in"] == {"staff": "rita", "on_behalf_of": None, "answers": GRANT}
    assert [(s["staff"], s["state"], s["words"]) for s in around["signers"]] == [("paul", "disagreed", "再核实"), ("officer", "asked", "")]
    again = {"Idempotency-Key": "sign-1"}
    told = door.good("officer", "POST", f"/tasks/{task}/sign", {"agrees": True, "words": "同意"}, headers=again)
    assert told["opened"] == ["street_signoff.1"]
    assert door.good("officer", "POST", f"/tasks/{task}/sign", {"agrees": True, "words": "同意"}, headers=again) == told
    assert door.good("auditor", "GET", f"/cases/{town.no}/replay")["result"] == "same"


def test_urge_copy_comment_note_through_the_api(door, town):
    task = opinion_task(town)
    door.good("clerk", "POST", f"/tasks/{task}/urge", {"words": "请抓紧"})
    assert door.bad(403, "clerk", "POST", f"/tasks/{task}/urge", {})["rule"] == "urged-today"
    door.good("rita", "POST", f"/tasks/{task}/copies", {"staff": ["exam"]})
    assert [t["id"] for t in door.good("exam", "GET", "/tasks?view=copied")["items"]] == [task]
    door.good("exam", "POST", f"/tasks/{task}/copies/read")
    door.good("rita", "POST", f"/tasks/{task}/comments", {"text": "请注意奖金"})
    door.good("rita", "POST", f"/tasks/{task}/notes", {"text": "下午打电话"})
    around = door.good("rita", "GET", f"/tasks/{task}/around")
    assert [(c["staff"], c["read_on"]) for c in around["copies"]] == [("exam", "2018-12-03")]
    assert [c["text"] for c in around["comments"]] == ["请注意奖金"]
    assert [n["text"] for n in around["notes"]] == ["下午打电话"]
    assert [u["staff"] for u in around["urges"]] == ["clerk"]
    assert door.good("auditor", "GET", f"/tasks/{task}/around")["notes"] is None, "notes are for those who handle the case"
    assert "下午" not in door.call("auditor", "GET", f"/cases/{town.no}/record").get_data(as_text=True)
    door.bad(404, "stranger", "GET", f"/tasks/{task}/around")


def test_opening_the_next_task_stops_taking_back(door, town):
    old = opinion_task(town)
    door.good("rita", "POST", f"/tasks/{old}/complete", {"answers": GRANT})
    new = town.tasks()["street_signoff"]["id"]
    for reader in ("auditor", "rita", "sue", "clerk"):
        door.good(reader, "GET", f"/tasks/{new}")
    told = door.good("rita", "POST", f"/tasks/{old}/take-back", {"reason": "写错"})
    assert told["opened"] == ["street_opinion.1"]
    assert door.good("rita", "GET", f"/tasks/{old}")["draft"] == GRANT
    door.good("rita", "POST", f"/tasks/{old}/complete", {"answers": GRANT})
    door.good("lee", "GET", f"/tasks/{town.tasks()['street_signoff']['id']}")
    assert door.bad(403, "rita", "POST", f"/tasks/{old}/take-back", {"reason": "写错"})["rule"] == "take-back-opened"
    assert door.good("auditor", "GET", f"/cases/{town.no}/replay")["result"] == "same"


def test_a_substitute_through_the_api(door, town):
    period = {"from_on": "2018-12-03", "until_on": "2018-12-05", "reason": "病假"}
    number = door.good("lee", "POST", "/substitutes", {"substitute": "paul", **period})["id"]
    door.good("rita", "POST", f"/tasks/{opinion_task(town)}/complete", {"answers": GRANT})
    task = town.tasks()["street_signoff"]["id"]
    [row] = door.good("paul", "GET", "/tasks?view=substitute")["items"]
    assert (row["id"], row["on_behalf_of"]) == (task, "lee")
    assert door.good("paul", "POST", f"/tasks/{task}/claim")["assignee"] == "lee"
    assert door.good("paul", "GET", f"/tasks/{task}")["on_behalf_of"] == "lee"
    door.good("paul", "POST", f"/tasks/{task}/complete", {"answers": {"signoff": "agree", "opinion": "同意"}})
    last = door.good("auditor", "GET", f"/cases/{town.no}/record")["items"][-1]
    assert last["actor"] == {"id": "paul", "unit": STREET, "for": "lee"}
    assert [s["state"] for s in door.good("lee", "GET", "/substitutes")["items"]] == ["active"]
    assert [s["id"] for s in door.good("ben", "GET", "/substitutes")["items"]] == [number]
    assert door.good("clerk", "GET", "/substitutes")["items"] == []
    door.good("paul", "POST", f"/substitutes/{number}/end")
    door.bad(409, "lee", "POST", f"/substitutes/{number}/end")
    assert door.good("paul", "GET", "/tasks?view=substitute")["items"] == []


def test_a_leavers_tasks_through_the_api(door, town):
    task = opinion_task(town)
    door.good("rita", "POST", f"/tasks/{task}/claim")
    with town.office.act() as act:
        organisation.deactivate(act, "rita")
    door.bad(403, "paul", "GET", "/handovers")
    assert [(t["id"], t["assignee"]) for t in door.good("ben", "GET", "/handovers")["items"]] == [(task, "rita")]
    said = {"case": town.no, "who": "rita", "reason": "离职"}
    told = door.good("ben", "POST", "/handovers", {**said, "to": "ann"})
    assert (told["moved"], [(s["task"], s["rule"]) for s in told["stayed"]]) == ([], [(task, "role")])
    assert door.good("ben", "POST", "/handovers", {**said, "to": "paul"})["moved"] == [task]
    assert door.good("ben", "GET", "/handovers")["items"] == []


BAD: list[tuple[str, str, str, Any, int]] = [
    ("rita", "/tasks/{task}/signers", "no list", {"kind": "before", "question": "x"}, 422),
    ("rita", "/tasks/{task}/signers", "an empty list", {"kind": "before", "staff": [], "question": "x"}, 422),
    ("rita", "/tasks/{task}/signers", "twice the same", {"kind": "before", "staff": ["paul", "paul"], "question": "x"}, 422),
    ("rita", "/tasks/{task}/signers", "a list in a list", {"kind": "before", "staff": [["paul"]], "question": "x"}, 422),
    ("rita", "/tasks/{task}/signers", "a thousand", {"kind": "before", "staff": [f"p{n}" for n in range(1000)], "question": "x"}, 422),
    ("rita", "/tasks/{task}/signers", "another kind", {"kind": "instead", "staff": ["paul"], "question": "x"}, 422),
    ("rita", "/tasks/{task}/signers", "no question", {"kind": "after", "staff": ["paul"], "question": " "}, 422),
    ("rita", "/tasks/{task}/signers", "an investigator", {"kind": "after", "staff": ["ann"], "question": "x"}, 403),
    ("ann", "/tasks/{task}/signers", "not my task", {"kind": "after", "staff": ["paul"], "question": "x"}, 403),
    ("paul", "/tasks/{task}/sign", "not asked", {"agrees": True, "words": "x"}, 403),
    ("paul", "/tasks/{task}/sign", "agrees by text", {"agrees": "yes", "words": "x"}, 422),
    ("paul", "/tasks/{task}/sign", "no words", {"agrees": True}, 422),
    ("rita", "/tasks/{task}/signers/withdraw", "nobody there", {"staff": "paul", "reason": "x"}, 403),
    ("stranger", "/tasks/{task}/urge", "another street", {}, 404),
    ("auditor", "/tasks/{task}/urge", "looks on", {}, 403),
    ("rita", "/tasks/{task}/copies", "outside", {"staff": ["stranger"]}, 403),
    ("rita", "/tasks/{task}/copies", "nobody", {"staff": []}, 422),
    ("rita", "/tasks/{task}/copies/read", "not copied", None, 403),
    ("auditor", "/tasks/{task}/comments", "looks on", {"text": "x"}, 403),
    ("rita", "/tasks/{task}/comments", "too long", {"text": "x" * 2001}, 422),
    ("rita", "/tasks/{task}/notes", "empty", {"text": ""}, 422),
    ("rita", "/tasks/{task}/take-back", "not done", {"reason": "x"}, 403),
    ("rita", "/tasks/{task}/take-back", "no reason", {}, 422),
    ("lee", "/substitutes", "for ever", {"substitute": "paul", "from_on": "2018-12-03", "until_on": "2028-12-03", "reason": "x"}, 422),
    ("lee", "/substitutes", "no date", {"substitute": "paul", "from_on": "soon", "until_on": "later", "reason": "x"}, 422),
    ("lee", "/substitutes", "upward", {"substitute": "app", "from_on": "2018-12-03", "until_on": "2018-12-04", "reason": "x"}, 403),
    ("paul", "/substitutes", "himself", {"absent": "lee", "substitute": "paul", "from_on": "2018-12-03", "until_on": "2018-12-04", "reason": "x"}, 403),
    ("lee", "/substitutes", "an unknown post", {"substitute": "paul", "from_on": "2018-12-03", "until_on": "2018-12-04", "reason": "x", "roles": ["king"]}, 422),
    ("lee", "/substitutes/1/end", "none there", None, 404),
    ("ben", "/handovers", "nothing there", {"case": "DB-2018-000000", "who": "rita", "to": "paul", "reason": "x"}, 404),
    ("ben", "/handovers", "no tasks", {"case": "{no}", "who": "rita", "to": "paul", "reason": "x"}, 404),
    ("ben", "/handovers", "to nobody", {"case": "{no}", "who": "rita", "to": "nobody", "reason": "x"}, 422),
]  # fmt: skip


def test_bad_input_is_refused_and_changes_nothing(door, town):
    for who in ("rita", "ann", "paul", "stranger", "auditor", "lee", "ben"):
        door.token(who)
    before = everything(door)
    for who, path, why, body, status in BAD:
        sent = {**body, "case": town.no} if body and body.get("case") == "{no}" else body
        answer = door.bad(status, who, "POST", path.replace("{task}", str(opinion_task(town))), sent)
        assert answer["message"] or answer["errors"], why
        assert everything(door) == before, (path, why)


# -- the pages


def test_signers_on_the_page(app, town):
    task = opinion_task(town)
    page = f"/tasks/{task}"
    rita, paul = Desk(app, "rita"), Desk(app, "paul")
    sent = {"_do": "signers", "kind": "after", "staff": ["paul", "", ""], "question": "请会签"}
    assert rita.post(f"{page}/around", sent, page=page).status_code == 302
    answer = rita.post(page, {"_do": "complete", **GRANT}, page=page)
    assert answer.status_code == 302
    assert opinion_task(town) == task
    assert f"/tasks/{task}" in paul.text("/tasks?view=signing")
    shown = paul.text(page)
    assert "请会签" in shown
    assert "拟同意" in shown, "a signer sees what was handed in"
    assert paul.post(f"{page}/around", {"_do": "sign", "words": "同意"}, page=page).status_code == 422, "yes or no is chosen, never assumed"
    assert paul.post(f"{page}/around", {"_do": "sign", "agrees": "true", "words": "同意"}, page=page).status_code == 302
    assert set(town.tasks()) == {"street_signoff"}
    record = rita.text(f"/cases/{town.no}?tab=record")
    assert "请会签" in record
    assert "task_completed" not in record


def test_a_refused_form_says_why_and_keeps_what_was_typed(app, town):
    page = f"/tasks/{opinion_task(town)}"
    rita = Desk(app, "rita")
    answer = rita.post(f"{page}/around", {"_do": "signers", "kind": "before", "staff": ["ann"], "question": "请把关"}, page=page)
    assert answer.status_code == 403
    text = answer.get_data(as_text=True)
    assert "岗位分离" in text
    assert "请把关" in text
    english = Desk(app, "rita", "en")
    for sent in ({"_do": "signers", "kind": "before", "staff": [""], "question": "q"}, {"_do": "copy", "staff": ["rita"]}, {"_do": "comment", "text": " "}):
        answer = english.post(f"{page}/around", sent, page=page)
        assert answer.status_code == 422
        said = re.search(r'role="alert"><h2>.*?</h2><p>(.*?)</p>', answer.get_data(as_text=True), re.DOTALL)
        assert not re.search(r"[一-鿿]", said[1]), said[1]
    assert rita.post(f"{page}/around", {"_do": "nonsense"}, page=page).status_code == 404


def test_comments_notes_copies_urges_on_the_page(app, town):
    page = f"/tasks/{opinion_task(town)}"
    rita, auditor = Desk(app, "rita"), Desk(app, "auditor")
    for sent in ({"_do": "comment", "text": "请注意奖金"}, {"_do": "note", "text": "下午打电话"}, {"_do": "copy", "staff": ["auditor"]}):
        assert rita.post(f"{page}/around", sent, page=page).status_code == 302
    assert Desk(app, "clerk").post(f"{page}/around", {"_do": "urge", "urging": "快"}, page=page).status_code == 302
    shown = rita.text(page)
    assert "请注意奖金" in shown
    assert "下午打电话" in shown
    seen = auditor.text(page)
    assert "请注意奖金" in seen
    assert "下午打电话" not in seen
    assert 'value="read"' in seen
    assert auditor.post(f"{page}/around", {"_do": "read"}, page=page).status_code == 302
    assert 'value="read"' not in auditor.text(page)
    record = rita.text(f"/cases/{town.no}?tab=record")
    assert "请注意奖金" in record
    assert "下午打电话" not in record
    for code in ("task_urged", "comment_added", "copy_read", "task_copied"):
        assert code not in record


def test_opening_the_page_stops_taking_back(app, town):
    old = opinion_task(town)
    rita = Desk(app, "rita")
    rita.post(f"/tasks/{old}", {"_do": "complete", **GRANT}, page=f"/tasks/{old}")
    assert rita.post(f"/tasks/{old}/around", {"_do": "take_back", "reason": "写错"}, page=f"/tasks/{old}").status_code == 302
    assert "拟同意" in rita.text(f"/tasks/{old}"), "the answers are the draft now"
    record = rita.text(f"/cases/{town.no}?tab=record")
    assert "task_taken_back" not in record
    rita.post(f"/tasks/{old}", {"_do": "complete", **GRANT}, page=f"/tasks/{old}")
    Desk(app, "lee").text(f"/tasks/{town.tasks()['street_signoff']['id']}")
    assert rita.post(f"/tasks/{old}/around", {"_do": "take_back", "reason": "写错"}, page=f"/tasks/{old}").status_code == 403


def test_a_substitute_on_the_page(app, town):
    lee, paul = Desk(app, "lee"), Desk(app, "paul")
    sent = {"absent": "lee", "substitute": "paul", "from_on": "2018-12-03", "until_on": "2018-12-05", "reason": "病假", "role": ""}
    assert lee.post("/substitutes", {**sent, "until_on": "2018-12-01"}, page="/substitutes").status_code == 422
    assert lee.post("/substitutes", sent, page="/substitutes").status_code == 302
    town.do("rita", "street_opinion", **GRANT)
    task = town.tasks()["street_signoff"]["id"]
    listed = paul.text("/tasks?view=substitute")
    assert f"/tasks/{task}" in listed
    assert "某lee" in listed
    assert "某lee" in paul.text(f"/tasks/{task}")
    assert paul.post(f"/tasks/{task}", {"_do": "complete", "signoff": "agree", "opinion": "同意"}, page=f"/tasks/{task}").status_code == 302
    with town.office.read() as conn:
        last = history(conn, town.office.keys.on(conn), town.case()["id"])[-1]
        row = conn.execute(select(store.task).where(store.task.c.id == task)).mappings().one()
    assert last.said["actor"]["for"] == "lee"
    assert (row["done_by"], row["done_for"]) == ("paul", "lee")
    number = re.search(r'name="end" value="(\d+)"', lee.text("/substitutes"))[1]
    assert lee.post("/substitutes", {"end": number}, page="/substitutes").status_code == 302
    assert paul.text("/tasks?view=substitute")


def test_leavers_on_the_page(app, town):
    task = opinion_task(town)
    with town.office.act(town.people["rita"]) as act:
        town.cases.claim(act, task)
    with town.office.act() as act:
        organisation.deactivate(act, "rita")
    ben = Desk(app, "ben")
    assert town.no in ben.text("/handovers")
    assert "/handovers" in Desk(app, "admin").text("/admin/")
    assert Desk(app, "paul").get("/handovers").status_code == 403
    assert ben.post("/handovers", {"to": "paul", "reason": "离职"}, page="/handovers").status_code == 422
    stays = ben.post("/handovers", {"case": f"{town.no} rita", "to": "ann", "reason": "离职"}, page="/handovers")
    assert "这件待办不属于您的岗位" in stays.get_data(as_text=True)
    assert ben.post("/handovers", {"case": f"{town.no} rita", "to": "paul", "reason": "离职"}, page="/handovers").status_code == 200
    with town.office.read() as conn:
        assert conn.scalar(select(store.task.c.assignee).where(store.task.c.id == task)) == "paul"
