"""A page that is older than its task or case: what it sends has no effect, and says both versions; nothing typed is lost."""

from __future__ import annotations

import re

import pytest

from tests.web.test_api import Door
from tests.web.test_pages import Desk

HIDDEN = ("csrf_token", "_key", "_etag")


@pytest.fixture
def door(bureau, district):
    return Door(bureau, district)


@pytest.fixture
def task(district):
    district.apply(district.household(210_000))
    return district.tasks()["completeness_check"]["id"]


def hidden(page, part=""):
    """What the (first) form of a page sends besides what is typed."""
    return {n: re.search(rf'name="{n}" value="([^"]*)"', page[page.index(part) :])[1] for n in HIDDEN}


def now(district):
    return {n: district.tasks()["completeness_check"][n] for n in ("assignee", "owner", "flags", "version")}


def test_no_verb_of_a_stale_task_page_has_an_effect(door, district, task):
    clerk, path = Desk(door.app, "clerk"), f"/tasks/{task}"
    clerk.post(path, {"_do": "claim"})
    old = hidden(clerk.text(path))
    clerk.post(path, {"_do": "escalate", "_reason": "需要关注"})
    before = now(district)
    said = {"release": {}, "transfer": {"_to": "clerk2", "_reason": "出差两天"}, "delegate": {"_to": "clerk2", "_reason": "开会半天"}, "escalate": {"_reason": "又要关注"}}
    for verb, sent in said.items():
        answer = clerk.http.post(path, data=old | sent | {"_do": verb})
        page = answer.get_data(as_text=True)
        assert answer.status_code == 409, verb
        assert "个案现在的情况" in page, verb
        assert all(text in page for text in sent.values()), verb
        assert now(district) == before, verb
        assert hidden(page)["_etag"] != old["_etag"], "the page that says so is a fresh one"
    clerk.post(path, {"_do": "release"})
    free = hidden(clerk.text(path))
    for _ in range(2):  # somebody has it for a moment
        Desk(door.app, "clerk2").post(path, {"_do": "release" if now(district)["assignee"] else "claim"})
    before = now(district)
    assert before["assignee"] is None
    assert clerk.http.post(path, data=free | {"_do": "claim"}).status_code == 409
    assert now(district) == before


def test_a_button_pressed_twice_is_no_conflict(door, district, task):
    clerk, path = Desk(door.app, "clerk"), f"/tasks/{task}"
    fresh = hidden(clerk.text(path))
    assert [clerk.http.post(path, data=fresh | {"_do": "claim"}).status_code for _ in range(2)] == [302, 302]
    assert clerk.http.post(path, data=fresh | {"_do": "release"}).status_code == 409, "another button of the same old page is no repeat"
    fresh = hidden(clerk.text(path)) | {"_do": "transfer", "_to": "clerk2", "_reason": "出差"}
    assert [clerk.http.post(path, data=fresh).status_code for _ in range(2)] == [302, 302]
    assert district.tasks()["completeness_check"]["assignee"] == "clerk2"


def test_what_goes_by_how_a_task_stands_is_asked_of_the_task_as_seen_and_words_are_not(door, district, task):
    clerk, path = Desk(door.app, "clerk"), f"/tasks/{task}"
    old = hidden(clerk.text(path), 'id="around"')
    clerk.post(path, {"_do": "claim"})
    asked = {"_do": "signers", "kind": "after", "staff": ["rita"], "question": "请看收入"}
    answer = clerk.http.post(f"{path}/around", data=old | asked)
    page = answer.get_data(as_text=True)
    assert answer.status_code == 409
    assert "个案现在的情况" in page
    assert page.count("请看收入") == 2, "beside the conflict, and in its form"
    assert re.search(r'name="kind" value="after" checked', page)
    assert not door.good("clerk", "GET", f"/tasks/{task}/around")["signers"]
    assert clerk.http.post(f"{path}/around", data=old | {"_do": "comment", "text": "已电话联系"}).status_code == 302
    assert clerk.http.post(f"{path}/around", data=hidden(page, 'id="around"') | asked).status_code == 302


def test_the_board_hands_over_what_the_supervisor_has_seen(door, district, task):
    sue, page = Desk(door.app, "sue"), f"/board?look={district.no}"
    old = hidden(sue.text(page), 'id="glance"')
    Desk(door.app, "clerk").post(f"/tasks/{task}", {"_do": "claim"})
    sent = old | {"task": str(task), "to": "clerk2", "reason": "外出"}
    answer = sue.http.post(f"/board/transfer?look={district.no}", data=sent)
    assert answer.status_code == 409
    assert 'value="外出"' in answer.get_data(as_text=True)
    assert now(district)["assignee"] == "clerk"


@pytest.mark.parametrize(("lang", "title"), [("zh", "个案现在的情况"), ("en", "The case as it stands")])
def test_what_came_in_is_recorded_for_the_case_as_it_was_seen(door, district, task, lang, title):
    clerk, path = Desk(door.app, "clerk", lang), f"/cases/{district.no}/messages/withdrawal"
    old = hidden(clerk.text(path))
    Desk(door.app, "clerk2").post(f"/tasks/{task}", {"_do": "claim"})
    said = {"withdrawn_on": "2018-12-03", "reason": "已找到工作", "signed_document": str(district.scan)}
    seq = district.case()["seq"]
    answer = clerk.http.post(path, data=old | said)
    page = answer.get_data(as_text=True)
    assert answer.status_code == 409
    assert title in page
    assert "clerk2" in page
    assert "已找到工作" in page
    assert district.case()["seq"] == seq
    again = hidden(page)
    assert [clerk.http.post(path, data=again | said).status_code for _ in range(2)] == [302, 302], "sent twice, it is recorded once"
    assert district.case()["seq"] > seq
    assert district.case()["closed_at"] is not None
