"""Pages in a browser, beyond the main road: drafts that save themselves, the keyboard, errors for everybody (axe), every step's form."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect
from sqlalchemy import select

from engine import store
from processes import organisation
from tests.e2e.looks import NARROW, clean
from tests.e2e.test_browser import open_task, register, sign_in

pytestmark = pytest.mark.browser


def longest(site):
    """The number of the case under way in which most has happened."""
    with site[1].office.read() as conn:
        return conn.scalar(select(store.record.c.no).where(store.record.c.kind == "case", store.record.c.closed_at.is_(None)).order_by(store.record.c.seq.desc()).limit(1))


def open_tasks(site):
    """node -> (task's id, login of somebody whose post it is), one for each step that is open in the small district."""
    found = {}
    with site[1].office.read() as conn:
        for row in conn.execute(select(store.task).where(store.task.c.state == "open")).mappings():
            people = organisation.colleagues(conn, row["role"], row["unit"])
            if people:
                found.setdefault(row["node"], (row["id"], row["assignee"] or people[0]["login"]))
    return found


def test_every_steps_form_is_for_everybody_empty_and_wrong(page, site, axe):
    tasks = open_tasks(site)
    assert len(tasks) >= 6
    signed_in = ""
    for task_id, login in sorted(tasks.values(), key=lambda found: found[1]):
        if login != signed_in:
            sign_in(page, login)
            signed_in = login
        clean(page, axe, f"/tasks/{task_id}")
        if page.locator("form button.primary").count():
            with page.expect_navigation():  # a survey is sent by the page's script
                page.click("form button.primary")
            if page.locator("#errors").count():
                page.wait_for_selector("#errors:focus")  # the page's script may come a moment later
                clean(page, axe)


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_pages_of_bosses_and_errors_are_for_everybody(page, site, axe, lang):
    sign_in(page, "supervisor1")
    if lang == "en":
        page.click("button:has-text('English')")
    for address in ("/board", "/tasks?view=copied", "/nonsense", "/admin/", "/tasks?view=mine&due=late"):
        clean(page, axe, address)
    sign_in(page, "admin1")
    if lang == "en":
        page.click("button:has-text('English')")
    page.goto("/admin/")
    page.fill("#login", "reviewer11")
    page.select_option("#unit", index=1)
    page.click("form.narrow button.primary")
    page.wait_for_selector("button[name=refuse]")
    clean(page, axe)
    page.click("button[name=refuse]")


def test_english_pages_hold_no_chinese_but_data(page, site):
    sign_in(page, "clerk11")
    page.click("button:has-text('English')")
    for address in ("/tasks?view=copied", "/board", "/nonsense", "/cases/DB-2018-999999"):
        page.goto(address)
        page.evaluate("document.querySelector('#unit')?.remove()")  # names of places
        words = page.locator("main").inner_text()
        assert re.search(r"[一-鿿]", words) is None, (address, words)


def test_a_draft_saves_itself_and_says_so(page, site):
    no = register(page, 71, "2100.00")
    page.clock.install()
    open_task(page, "clerk11", no, "材料审查")
    page.fill("[name=opinion]", "写到一半")
    page.clock.fast_forward(21_000)
    expect(page.locator("#saved")).to_contain_text("草稿存于")
    page.reload()
    assert page.locator("[name=opinion]").input_value() == "写到一半"


def test_the_keyboard_reaches_content_first_and_steps_through_a_case(page, site):
    sign_in(page, "auditor1")
    page.goto("/cases")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("location.hash") == "#main"
    page.goto(f"/cases/{longest(site)}?tab=drawing&step=1")
    page.keyboard.press("ArrowRight")
    page.wait_for_url("**step=2")
    page.keyboard.press("ArrowLeft")
    page.wait_for_url("**step=1")


def test_hand_over_from_the_board_opens_where_it_is_done(page, site):
    sign_in(page, "supervisor1")
    page.goto("/board")
    page.locator("table.list a[href$='#handover']").first.click()
    assert page.locator("#f-_to").is_visible()


def test_a_case_prints_with_its_number_and_without_the_frame(page, site):
    sign_in(page, "clerk11")
    page.goto("/cases")
    page.goto(page.locator("table.list a").first.get_attribute("href") + "?tab=record")
    page.emulate_media(media="print")
    assert not page.locator("header.top").is_visible()
    assert page.locator("h1").is_visible()
    assert page.locator(".printed").is_visible()


def test_keys_move_tick_explain_and_stay_away_while_somebody_types(page, site, axe):
    sign_in(page, "clerk11")
    page.goto("/tasks?view=available")
    link, box = page.locator("table.list tbody a").first, page.locator("input[form=batch][name=task]").first
    page.keyboard.press("j")
    expect(link).to_be_focused()
    page.keyboard.press("x")
    expect(box).to_be_checked()
    page.keyboard.press("/")
    expect(page.locator("#no")).to_be_focused()
    page.keyboard.type("jx?")
    assert page.locator("#no").input_value() == "jx?"
    expect(box).to_be_checked()
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    expect(page.locator("dialog.keys")).to_be_visible()
    page.evaluate(axe + "; true")
    assert page.evaluate(NARROW) == []
    page.keyboard.press("Escape")
    expect(page.locator("dialog.keys")).to_be_hidden()
    page.keyboard.press("g")
    page.keyboard.press("c")
    page.wait_for_url("**/cases")
    page.goto("/keys")
    page.click("button[value=off]")
    page.goto("/tasks?view=available")
    page.keyboard.press("j")
    page.keyboard.press("x")
    expect(box).not_to_be_checked()


def test_news_come_quietly_and_the_end_of_a_session_is_said_before(page, site):
    sign_in(page, "clerk11")
    page.clock.install()
    page.route("**/tasks/news?*", lambda route: route.fulfill(json={"n": 2, "message": "有 2 件新待办。"}))
    page.goto("/tasks?view=mine")
    page.clock.fast_forward(61_000)
    expect(page.locator("#news")).to_contain_text("有 2 件新待办。 刷新")
    typed = page.locator("form[data-draft]").locator("textarea:visible, input[type=text]:visible")
    for path in [link.get_attribute("href") for link in page.locator("table.list tbody a[href^='/tasks/']").all()]:
        page.goto(path)
        if typed.count():  # which tasks lie there depends on the tests before; some forms have nothing to type
            break
    typed.last.fill("写到一半")
    page.route("**/session", lambda route: route.fulfill(json={"left": 100}) if route.request.method == "GET" else route.continue_())
    page.clock.fast_forward(8 * 3600 * 1000 - 100_000)
    expect(page.locator("#ends")).to_contain_text("两分钟后将自动退出登录")
    expect(page.locator("#saved")).to_contain_text("草稿存于")
    page.click("#ends button")
    expect(page.locator("#ends")).to_be_hidden()
