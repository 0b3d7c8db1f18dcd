"""待办 as a list: narrowed, sorted, who sent what, the same as CSV, several tasks at once, and a word when something new has come."""

from __future__ import annotations

import csv
import io
import re

import pytest
from sqlalchemy import update

from engine import store
from tests.district import COMMUNITY, STREET
from tests.web.test_api import Door
from tests.web.test_pages import Desk


@pytest.fixture
def door(bureau, district):
    return Door(bureau, district)


@pytest.fixture
def three(district):
    """Three applications, one of them accepted and returned to nobody; their numbers."""
    found = [district.apply(district.household(210_000, serial=n)) for n in (1, 2, 3)]
    district.accept()
    return found


def listed(page):
    return re.findall(r'<a href="/tasks/\d+">[^<]*(DB-[0-9-]+)</a>', page)


def ticked(page):
    return re.findall(r'form="batch" name="task" value="(\d+)"', page)


def test_the_list_is_narrowed_by_unit_process_and_days_and_sorted(door, district, three):
    clerk = Desk(door.app, "clerk")
    first, second, third = three
    with door.bureau.office.store.write() as conn:
        for no, day in ((first, "2018-12-03"), (second, "2018-12-06")):
            conn.execute(update(store.task).where(store.task.c.id == district.tasks(no)["completeness_check"]["id"]).values(due_on=day))
    page = clerk.text("/tasks?view=available")
    assert listed(page) == [first, second]
    assert "3日内 <b>2</b>" in page
    assert listed(clerk.text("/tasks?view=available&due=soon")) == [first, second]
    assert listed(clerk.text("/tasks?view=available&due=today")) == [first]
    assert listed(clerk.text("/tasks?view=available&due=late")) == []
    assert listed(clerk.text("/tasks?view=available&sort=newest")) == [second, first]
    for unit, seen in ((COMMUNITY, 2), (STREET, 2), ("120116005001", 0), ("120116005", 0)):
        assert len(listed(clerk.text(f"/tasks?view=available&unit={unit}"))) == seen, unit
        assert door.good("clerk", "GET", f"/tasks?view=available&unit={unit}")["total"] == seen, unit
    assert listed(clerk.text("/tasks?view=available&process=dibao-2012&node=completeness_check")) == [first, second]
    assert "没有" in clerk.text("/tasks?view=available&process=review-2012")
    assert f'<option value="{COMMUNITY}"' in page
    assert "120116005001" not in page, "no unit beyond my posts"
    assert clerk.text("/tasks?view=available&size=50&sort=nonsense&page=x").count("selected>50") == 1
    items = door.good("clerk", "GET", "/tasks?view=available&sort=newest")["items"]
    assert [one["case"] for one in items] == [second, first]
    assert {one["sent_by"] for one in items} == {"clerk"}
    door.bad(422, "clerk", "GET", "/tasks?sort=nonsense")


def test_each_task_says_who_sent_it(door, district, three, clock):
    clock.advance(minutes=1)
    district.registries()
    clock.advance(minutes=1)
    district.survey()
    page = Desk(door.app, "bob").text("/tasks?view=done")
    assert re.search(r'data-l="来自">某ann<', page), "who surveyed sends the second signature"
    [row] = [one for one in door.good("checker", "GET", "/tasks?view=available")["items"] if one["case"] == three[2]]
    assert row["sent_by"] == "system", "the registries' answer opened it"
    assert "来件或期限" in Desk(door.app, "checker").text("/tasks?view=available")


def test_the_list_is_a_file_too_with_masked_names_and_no_formula(door, district, three):
    answer = Desk(door.app, "clerk").get("/tasks/export?view=available&sort=newest")
    assert answer.mimetype == "text/csv"
    assert "attachment" in answer.headers["Content-Disposition"]
    rows = list(csv.reader(io.StringIO(answer.get_data(as_text=True).removeprefix("\ufeff"))))
    assert [row[0] for row in rows[1:]] == [three[1], three[0]]
    assert rows[1][1] == "张*"
    assert "来自" in rows[0]
    told = door.call("clerk", "GET", "/tasks/export?view=available", headers={"Accept-Language": "en"})
    assert told.get_data(as_text=True).startswith("\ufeffCase no.,")
    ids = ticked(Desk(door.app, "clerk").text("/tasks?view=available"))
    part = Desk(door.app, "clerk").post("/tasks/batch", {"_do": "export", "view": "available", "task": ids[:1]}, page="/tasks?view=available")
    assert len(part.get_data(as_text=True).strip().splitlines()) == 2


def test_several_are_claimed_handed_over_and_urged_each_by_itself(door, district, three):
    clerk, first, second = Desk(door.app, "clerk"), *(district.tasks(no)["completeness_check"]["id"] for no in three[:2])
    with district.office.act(district.people["clerk2"]) as act:
        district.cases.claim(act, second)
    page = clerk.post("/tasks/batch", {"_do": "claim", "view": "available", "task": [str(first), str(second)]}, page="/tasks?view=available").get_data(as_text=True)
    assert "已办成 1 件，共 2 件" in page
    assert "未办成：这件待办已被别人领取" in page
    assert district.tasks(three[0])["completeness_check"]["assignee"] == "clerk"
    assert district.tasks(three[1])["completeness_check"]["assignee"] == "clerk2"

    wrong = clerk.post("/tasks/batch", {"_do": "transfer", "view": "mine", "task": str(first), "to": "clerk2"}, page="/tasks")
    assert wrong.status_code == 422
    assert f'name="task" value="{first}"' in wrong.get_data(as_text=True), "what was ticked and chosen is kept"
    assert '<option value="clerk2" selected>' in wrong.get_data(as_text=True)
    moved = clerk.post("/tasks/batch", {"_do": "transfer", "view": "mine", "task": [str(first), str(second)], "to": "clerk2", "reason": "外出"}, page="/tasks").get_data(as_text=True)
    assert "已办成 1 件，共 2 件" in moved
    assert "这件待办不在您名下" in moved
    assert district.tasks(three[0])["completeness_check"]["assignee"] == "clerk2"

    urged = door.good("clerk", "POST", "/tasks/batch", {"do": "urge", "tasks": [first, second, 99], "words": "请尽快"})
    assert (urged["done"], [one["code"] for one in urged["items"]]) == (2, [200, 200, 404])
    again = door.good("clerk", "POST", "/tasks/batch", {"do": "urge", "tasks": [first]}, headers={"Accept-Language": "en"})
    assert again["items"][0]["rule"] == "urged-today"
    assert again["items"][0]["message"].startswith("You have urged")


def test_a_repeated_batch_has_no_further_effect(door, district, three):
    body = {"do": "urge", "tasks": [district.tasks(no)["completeness_check"]["id"] for no in three[:2]]}
    first, second = (door.good("clerk", "POST", "/tasks/batch", body, headers={"Idempotency-Key": "k1"}) for _ in range(2))
    assert first == second
    assert first["done"] == 2


def test_no_batch_decides_and_nobody_sees_more_through_it(door, district, three):
    task = district.tasks(three[0])["completeness_check"]["id"]
    for verb in ("complete", "approve", ""):
        door.bad(422, "clerk", "POST", "/tasks/batch", {"do": verb, "tasks": [task]})
        assert Desk(door.app, "clerk").post("/tasks/batch", {"_do": verb, "task": str(task)}, page="/tasks").status_code == 404
    [one] = door.good("stranger", "POST", "/tasks/batch", {"do": "claim", "tasks": [task]})["items"]
    assert (one["code"], one["case"], one["done"]) == (404, None, False)
    page = Desk(door.app, "stranger").post("/tasks/batch", {"_do": "claim", "task": str(task)}, page="/tasks").get_data(as_text=True)
    assert three[0] not in page
    for body in ({"do": "claim", "tasks": []}, {"do": "claim"}, {"do": "claim", "tasks": [task] * 201}, {"do": "transfer", "tasks": [task]}, {"do": "claim", "tasks": ["x"]}):
        door.bad(422, "clerk", "POST", "/tasks/batch", body)
    empty = Desk(door.app, "clerk").post("/tasks/batch", {"_do": "claim"}, page="/tasks")
    assert empty.status_code == 422
    assert "至少勾选一件" in empty.get_data(as_text=True)


def test_a_quiet_line_says_what_has_come_since_the_list_was_made(door, district, clock):
    district.apply(district.household(210_000))
    clerk = Desk(door.app, "clerk2")
    [address] = re.findall(r'data-news="([^"]+)"', clerk.text("/tasks?view=available"))
    address = address.replace("&amp;", "&")
    assert clerk.get(address).json == {"n": 0, "message": ""}
    clock.advance(minutes=5)
    district.apply(district.household(210_000, serial=2))
    assert clerk.get(address).json == {"n": 1, "message": "有 1 件新待办。"}
    assert Desk(door.app, "stranger").get(address).json["n"] == 0
    with district.office.act(district.people["clerk"]) as act:
        task = district.tasks()["completeness_check"]["id"]
        district.cases.claim(act, task)
    [address] = re.findall(r'data-news="([^"]+)"', clerk.text("/tasks"))
    with district.office.act(district.people["clerk"]) as act:
        district.cases.transfer(act, task, "clerk2", "外出")
    assert clerk.get(address.replace("&amp;", "&")).json["n"] == 1, "one that was handed over is new, too"
    assert clerk.get("/tasks/news?since=x&known=-1").status_code == 200


def filter_panel(page):
    return re.search(r'<details id="filter"[^>]*>', page)[0]


def test_the_filter_is_folded_away_until_it_is_used_and_says_what_is_in_force(door, district, three):
    clerk = Desk(door.app, "clerk")
    page = clerk.text("/tasks?view=available")
    assert "open" not in filter_panel(page)
    assert 'class="chip on"' not in page
    page = clerk.text(f"/tasks?view=available&process=dibao-2012&node=completeness_check&unit={STREET}&size=50")
    assert "open" in filter_panel(page)
    chips = re.findall(r'<a class="chip on" href="([^"]*)">([^<]*) <', page)
    assert [text for _, text in chips] == ["机构：塘沽街道", "业务：最低生活保障申请审核审批（2012年办法）", "环节：材料审查"]
    without = dict(part.split("=") for part in chips[2][0].removeprefix("?").replace("&amp;", "&").split("&"))
    assert without == {"view": "available", "process": "dibao-2012", "unit": STREET, "size": "50"}, "each chip takes its own filter away"
    assert "Step: Completeness check" in Desk(door.app, "clerk", "en").text("/tasks?view=available&node=completeness_check")


def test_a_view_is_kept_under_a_name_for_its_worker_alone(door, district, three):
    clerk, where = Desk(door.app, "clerk"), "/tasks?view=available&due=soon&size=50&sort=newest"
    form = clerk.text(where).partition('action="/tasks/views"')[2].partition("</form>")[0]
    as_it_is = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form))
    assert clerk.post("/tasks/views", as_it_is | {"name": " 本周 到期 "}, page=where).location == "/tasks?view=available&due=soon&sort=newest&size=50"
    page = clerk.text("/tasks")
    link = re.search(r'<a class="chip" href="([^"]*)">本周 到期</a>', page)[1].replace("&amp;", "&")
    assert '<option value="soon" selected' in clerk.text(link)
    assert "本周 到期" not in Desk(door.app, "clerk2").text("/tasks")
    [kept] = door.good("clerk", "GET", "/tasks/views")["items"]
    assert (kept["name"], kept["query"]) == ("本周 到期", {"view": "available", "due": "soon", "sort": "newest", "size": "50"})
    again = door.good("clerk", "POST", "/tasks/views", {"name": "本周 到期", "query": {"view": "mine", "flag": "returned"}})
    assert door.good("clerk", "GET", "/tasks/views")["items"] == [again], "the same name is the same view"
    door.bad(404, "clerk2", "DELETE", f"/tasks/views/{again['id']}")
    assert clerk.post("/tasks/views", {"drop": str(again["id"])}, page="/tasks").status_code == 302
    assert door.good("clerk", "GET", "/tasks/views")["total"] == 0
    nameless = clerk.post("/tasks/views", as_it_is | {"name": " "}, page=where)
    assert nameless.status_code == 422
    assert "请填写名称" in nameless.get_data(as_text=True)
    assert "open" in filter_panel(nameless.get_data(as_text=True)), "and the filter stands as it was"
    assert '<option value="soon" selected' in nameless.get_data(as_text=True)
    door.bad(422, "clerk", "POST", "/tasks/views", {"name": "x", "query": {"due": "never"}})
    door.bad(422, "clerk", "POST", "/tasks/views", {"name": "x", "query": {"applicant": "张一"}})
    for n in range(20):
        door.good("clerk", "POST", "/tasks/views", {"name": f"视图{n}", "query": {}})
    door.bad(422, "clerk", "POST", "/tasks/views", {"name": "再一个", "query": {}})
    door.good("clerk", "POST", "/tasks/views", {"name": "视图3", "query": {"sort": "unit"}})
    number = door.good("clerk", "GET", "/tasks/views")["items"][0]["id"]
    assert door.good("clerk", "DELETE", f"/tasks/views/{number}")["id"] == number


def test_what_goes_on_for_too_long_is_marked_in_the_list(door, district, clock):
    """38 working days from the acceptance (domain 2.2): an alarm, so it is where the work is."""
    no = district.apply(district.household(210_000))
    district.accept()
    ann = Desk(door.app, "ann")
    clock.set("2019-01-25T09:00")
    assert "全程已超" not in ann.text("/tasks?view=available")
    assert {one["overlong"] for one in door.good("ann", "GET", "/tasks?view=available")["items"]} == {None}
    clock.set("2019-01-29T09:00")
    assert "全程已超 2 个工作日" in ann.text("/tasks?view=available")
    assert "2 working days over" in Desk(door.app, "ann", "en").text("/tasks?view=available")
    found = door.good("ann", "GET", "/tasks?view=available")["items"]
    assert {one["case"] for one in found} == {no}
    assert {(one["overlong"]["last"], one["overlong"]["workdays_left"]) for one in found} == {("2019-01-25", -2)}


def test_the_numbers_of_tabs_and_strip_are_those_of_their_lists(door, district, three):
    first, second, _third = three
    ids = [district.tasks(no)["completeness_check"]["id"] for no in (first, second)]
    with door.bureau.office.store.write() as conn:
        conn.execute(update(store.task).where(store.task.c.id == ids[0]).values(due_on="2018-12-02", flags="escalated returned", priority=1))
        conn.execute(update(store.task).where(store.task.c.id == ids[1]).values(due_on=None, owner="clerk", assignee="clerk2"))
    for who in ("clerk", "clerk2", "sue", "ann"):
        desk = Desk(door.app, who)
        page = desk.text("/tasks")
        tabs = {view: int(n) for view, n in re.findall(r'<a href="\?view=(\w+)"[^>]*>[^<]*<span class="n">(\d+)', page)}
        for view, n in tabs.items():
            assert door.good(who, "GET", f"/tasks?view={view}")["total"] == n, (who, view)
        strip = {kind: int(n) for kind, n in re.findall(r'(?:due|flag)=(\w+)"[^>]*>[^<]*<b>(\d+)', page)}
        for kind, n in strip.items():
            name = "flag" if kind == "returned" else "due"
            assert sum(len(listed(desk.text(f"/tasks?view={view}&{name}={kind}"))) for view in ("mine", "available")) == n, (who, kind)
        waiting = int(re.search(r'data-go="t"[^>]*>[^<]*<span class="n">(\d+)', page)[1]) if 'data-go="t"' in page and tabs["mine"] + tabs["available"] else 0
        assert waiting == tabs["mine"] + tabs["available"]
        assert waiting == (int(found[1]) if (found := re.search(r'data-go="t"[^>]*>[^<]*<span class="n">(\d+)', desk.text("/cases"))) else 0), "the head says the same on every page"
