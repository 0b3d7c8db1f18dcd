"""The replay in a browser: steps without a new page and with plain links, the opened drawing keeps its zoom, for everybody, on paper."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.looks import troubles
from tests.e2e.test_browser import sign_in
from tests.e2e.test_diagram import BY_SERVER, BY_VIEWER, DRAWN, PHONE, WATERMARK_ON_TOP, WIDE, place, until
from tests.e2e.test_pages import longest

pytestmark = pytest.mark.browser


@pytest.fixture
def case(page, site):
    sign_in(page, "auditor1")
    return longest(site)


def at_step(page, n):
    until(page, lambda: page.locator("#rp-nav").get_attribute("data-step") == str(n) and f"step={n}" in page.url)


def test_arrows_step_without_loading_the_page_and_back_goes_back(page, case):
    page.goto(f"/cases/{case}/replay?step=2")
    page.evaluate("window.here = 1")
    page.keyboard.press("ArrowRight")
    at_step(page, 3)
    page.keyboard.press("ArrowRight")
    at_step(page, 4)
    expect(page.locator(".steps [aria-current]")).to_have_attribute("data-step", "4")
    expect(page.locator("#rp-said")).to_contain_text("第 4 步")
    page.go_back()
    at_step(page, 3)
    page.keyboard.press("Home")
    at_step(page, 1)
    page.keyboard.press("End")
    last = int(page.locator("a[rel=last]").get_attribute("data-step"))
    at_step(page, last)
    assert page.evaluate("window.here") == 1, "the page was not loaded anew"


def test_a_step_shown_in_place_is_the_page_that_its_address_opens(page, case):
    page.goto(f"/cases/{case}/replay?step=4")
    page.keyboard.press("ArrowRight")
    at_step(page, 5)
    shown = "() => ['rp-nav', 'rp-step', 'rp-list'].map(id => document.getElementById(id).innerText).concat(document.querySelector('.canvas').innerHTML.replace(/ ?here ?/g, ''))"
    in_place = page.evaluate(shown)
    page.goto(f"/cases/{case}/replay?step=5")
    assert page.evaluate(shown) == in_place


def test_the_opened_drawing_takes_the_step_s_colours_and_keeps_its_zoom(page, case):
    page.goto(f"/cases/{case}/replay?step=2")
    page.click(".explore > button")
    page.wait_for_selector(DRAWN)
    page.click("[data-do=fit]")
    before = place(page)
    for n in (3, 4, 5):
        page.click("a[rel=next]")
        at_step(page, n)
    assert place(page) == pytest.approx(before, abs=0.5)
    ours, theirs = page.evaluate(BY_SERVER), page.evaluate(BY_VIEWER)
    for node, (colour, _width, dashed, said) in ours.items():
        assert (theirs[node][0], theirs[node][2], theirs[node][3]) == (colour, dashed, said), node
    words = "(where) => [...document.querySelectorAll(where + ' .note')].map((e) => e.textContent).sort()"
    assert page.evaluate(words, ".stage") == page.evaluate(words, "svg.drawing")


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
def test_it_is_for_everybody_and_the_mark_is_on_top(page, case, axe, lang, size):
    if lang == "en":
        page.click("button:has-text('English')")
    page.set_viewport_size(size)
    page.goto(f"/cases/{case}/replay?step=5")
    assert troubles(page, axe) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    page.click(".explore > button")
    page.wait_for_selector(DRAWN)
    page.click("a[rel=next]")
    at_step(page, 6)
    page.locator(".bjs-powered-by").scroll_into_view_if_needed()
    assert page.evaluate(WATERMARK_ON_TOP)
    for address in (f"/cases/{case}/replay/compare", f"/cases/{case}/findings/new?step=5", "/findings?state=all"):
        page.goto(address)
        assert troubles(page, axe) == [], address
        assert page.evaluate("document.documentElement.scrollWidth") <= size["width"], address


def test_playback_goes_on_by_itself_until_it_is_stopped(page, case):
    page.goto(f"/cases/{case}/replay?step=1")
    button = page.locator("[data-play]")
    button.click()
    expect(button).to_have_attribute("aria-pressed", "true")
    until(page, lambda: int(page.locator("#rp-nav").get_attribute("data-step")) >= 3)
    button.click()
    expect(button).to_have_attribute("aria-pressed", "false")


@pytest.mark.parametrize("page", [{"reduced_motion": "reduce"}], indirect=True, ids=["calm"])
def test_who_wants_no_motion_gets_no_playback_but_every_step(page, site):
    sign_in(page, "auditor1")
    page.goto(f"/cases/{longest(site)}/replay?step=1")
    expect(page.locator(".player .hint")).to_be_visible()
    expect(page.locator("[data-play]")).to_be_hidden()
    page.keyboard.press("ArrowRight")
    at_step(page, 2)


@pytest.mark.parametrize("page", [{"java_script_enabled": False}], indirect=True, ids=["without-javascript"])
def test_without_script_every_step_is_a_plain_link(page, site):
    sign_in(page, "auditor1")
    page.goto(f"/cases/{longest(site)}/replay?step=1")
    page.click("a[rel=next]")
    page.wait_for_url("**step=2")
    expect(page.locator("#rp-nav h2")).to_contain_text("第 2 步")
    page.click(".steps li:nth-child(5) a")
    page.wait_for_url("**step=5")
    expect(page.locator(".canvas svg.drawing")).to_be_visible()
    expect(page.locator(".player")).to_be_hidden()


def test_paper_has_the_drawing_the_step_and_all_steps(page, case):
    page.goto(f"/cases/{case}/replay?step=5")
    steps = page.locator(".steps li").all_inner_texts()
    page.emulate_media(media="print")
    assert page.locator(".canvas svg.drawing").is_visible()
    assert not page.locator("#rp-nav nav").is_visible()
    list_box = page.locator(".steps").bounding_box()
    assert page.evaluate("(() => { const s = document.querySelector('.steps'); return s.scrollHeight - s.clientHeight })()") <= 1, "nothing of the list is cut off"
    assert list_box["height"] > 20 * len(steps)
    paper = page.pdf(format="A4", prefer_css_page_size=True)
    pages = len(re.findall(rb"/Type\s*/Page\b", paper))
    assert paper.startswith(b"%PDF")
    assert 2 <= pages <= 12


def test_an_auditor_writes_a_finding_on_a_step_and_the_unit_replies(page, case):
    page.goto(f"/cases/{case}/replay?step=4")
    page.click("a:has-text('就本步记录问题')")
    page.check("[name=severity][value=serious]")
    page.fill("[name=article]", "民发〔2012〕220号第十八条")
    page.fill("[name=text]", "入户调查笔录缺少第二名调查人的签字。" * 20)
    page.click("main button.primary")
    page.wait_for_url("**/findings/*")
    where = page.url
    expect(page.locator(".idbar")).to_contain_text("待答复")
    page.set_viewport_size(PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    sign_in(page, "supervisor1")
    page.goto(where)
    page.fill("[name=text]", "签字页已补入案卷")
    page.click("button[value=reply]")
    expect(page.locator("main .said")).to_contain_text("答复已记录在案")
    sign_in(page, "auditor1")
    page.goto(where)
    page.fill("[name=text]", "属实")
    page.click("button[value=accepted]")
    expect(page.locator(".idbar")).to_contain_text("答复成立")
