"""放大查看 in a browser: bpmn-js over the server's picture, the same states in both, by mouse, keys and fingers, for everybody, on paper."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.looks import troubles
from tests.e2e.test_browser import sign_in
from tests.e2e.test_pages import longest

pytestmark = pytest.mark.browser
WIDE, PHONE = {"width": 1400, "height": 900}, {"width": 390, "height": 844}
DRAWN = ".stage svg[role=application]"
WATERMARK_ON_TOP = """() => {
    const mark = document.querySelector(".stage .bjs-powered-by"), box = mark.getBoundingClientRect(), frame = document.querySelector(".stage").getBoundingClientRect();
    const within = box.left >= frame.left && box.right <= frame.right && box.top >= frame.top && box.bottom <= frame.bottom;
    const seen = [[0.5, 0.5], [0.1, 0.2], [0.9, 0.8]].every(([x, y]) => mark.contains(document.elementFromPoint(box.left + box.width * x, box.top + box.height * y)));
    return within && seen && box.width > 40 && mark.checkVisibility({opacityProperty: true, visibilityProperty: true});
}"""
# id -> [line colour, its width, its dashes, what the pointer is told] of one pen; boxes only differ in who drew them
BY_SERVER = """() => Object.fromEntries([...document.querySelectorAll("svg.drawing [data-id]")].map((g) => {
    const line = g.matches("polyline") ? g : g.querySelector("rect, circle, path");
    return [g.dataset.id, [line.getAttribute("stroke"), Number(line.getAttribute("stroke-width")), Boolean(line.getAttribute("stroke-dasharray")), g.querySelector("title")?.textContent ?? ""]];
}))"""
BY_VIEWER = """() => Object.fromEntries([...document.querySelectorAll(".stage [data-element-id]")].map((g) => {
    const line = g.querySelector(".djs-visual > :not(defs)"), style = line && getComputedStyle(line);
    const hex = style && "#" + (style.stroke.match(/\\d+/g) ?? []).slice(0, 3).map((n) => Number(n).toString(16).padStart(2, "0")).join("");
    return [g.dataset.elementId, line && [hex, parseFloat(style.strokeWidth), style.strokeDasharray !== "none", g.querySelector(":scope > title")?.textContent ?? ""]];
}))"""


@pytest.fixture
def case(page, site):
    """The number of the longest case; somebody who may see it is signed in."""
    sign_in(page, "supervisor1")
    page.add_init_script("addEventListener('securitypolicyviolation', (e) => console.error('CSP ' + e.violatedDirective + ' ' + e.blockedURI))")
    return longest(site)


def explore(page, case, query="", size=None):
    page.set_viewport_size(size or WIDE)
    page.goto(f"/cases/{case}?tab=drawing{query}")
    page.click(".explore > button")
    page.wait_for_selector(DRAWN)


def place(page):
    """Left, top and scale of what is seen."""
    matrix = page.locator(".stage .viewport").get_attribute("transform")
    a, _, _, _, x, y = (float(n) for n in re.findall(r"-?[\d.]+(?:e-?\d+)?", matrix))
    return x, y, a


def until(page, true):
    """Wait for what the page shows. Not `wait_for_function`: its second look is an `eval` that our CSP forbids."""
    for _ in range(200):
        if true():
            return
        page.wait_for_timeout(50)
    raise AssertionError("the page did not come to it")


def seen(page, node):
    """Is the middle of the node within the frame?"""
    frame, box = page.locator(".stage").bounding_box(), page.locator(f".stage [data-element-id='{node}'] .djs-visual").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    return frame["x"] < x < frame["x"] + frame["width"] and frame["y"] < y < frame["y"] + frame["height"]


@pytest.mark.parametrize("query", ["", "&step=1", "&step=5"])
def test_both_pens_draw_the_same_states(page, case, query):
    explore(page, case, query)
    ours, theirs = page.evaluate(BY_SERVER), page.evaluate(BY_VIEWER)
    assert ours.keys() <= theirs.keys()
    for node, (colour, width, dashed, said) in ours.items():
        line = theirs[node]
        assert (line[0], line[2], line[3]) == (colour, dashed, said), node
        assert line[1] >= width, node
    states = dict(page.evaluate("[...document.querySelectorAll('svg.drawing g[class]')].map(g => [g.dataset.id, g.classList[0]])"))
    colours = {state: {theirs[node][0] for node, of in states.items() if of == state} for state in set(states.values())}
    # The step that was just done is the current one, unless the case waits at it again (a return, a second round).
    now = {"current": {"#1d70b8"}} if "current" in states.values() else {}
    assert colours == {"done": {"#00703c"}, "active": {"#b15f00"}, "none": {"#505a5f"}} | now
    where = page.locator("svg.drawing g.here").get_attribute("data-id")
    assert states[where] == ("current" if now else "active")
    assert query == "&step=5" or not now
    assert seen(page, where)


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_words_are_the_reader_s_and_those_of_the_picture(page, case, lang):
    if lang == "en":
        page.click("button:has-text('English')")
    explore(page, case, "&step=5")
    words = "() => [...document.querySelectorAll('.stage svg[role=application] text')].map((e) => e.textContent).join(' ')"
    text = page.evaluate(words)
    for said in ("Home survey", "District examiner", "Query again?", "Community") if lang == "en" else ("入户调查", "区级审查人", "是否再次核对", "居村委会"):
        assert said in text
    placed = "(where) => [...document.querySelectorAll(where + ' .label')].map((e) => [e.textContent, e.getAttribute('x'), e.getAttribute('y')].join(' ')).sort()"
    assert page.evaluate(placed, ".stage") == page.evaluate(placed, "svg.drawing")
    if lang == "en":
        notes = page.evaluate("[...document.querySelectorAll('.stage .note')].map((e) => e.textContent)")
        assert re.search(r"[一-鿿]", re.sub("|".join(map(re.escape, notes)), "", text)) is None


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
def test_it_is_for_everybody_and_the_watermark_is_on_top(page, case, axe, lang, size):
    if lang == "en":
        page.click("button:has-text('English')")
    explore(page, case, "&step=5", size)
    page.locator(".stage").scroll_into_view_if_needed()
    page.locator(".bjs-powered-by").scroll_into_view_if_needed()
    assert page.evaluate(WATERMARK_ON_TOP)
    page.click("[data-do=fit]")
    page.locator(".bjs-powered-by").scroll_into_view_if_needed()
    assert page.evaluate(WATERMARK_ON_TOP)
    assert troubles(page, axe) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    page.click(".bjs-powered-by")
    expect(page.locator(".bjs-powered-by-lightbox")).to_be_visible()


def test_keys_move_zoom_and_close_and_the_focus_follows(page, case):
    explore(page, case, "&step=5")
    surface, toggle = page.locator(DRAWN), page.locator(".explore > button")
    expect(surface).to_be_focused()
    expect(toggle).to_have_attribute("aria-expanded", "true")
    assert surface.get_attribute("aria-label") == "可移动和缩放的流程图"
    x, y, scale = place(page)
    for key, moved in (("ArrowRight", (-100, 0)), ("ArrowDown", (-100, -100)), ("ArrowLeft", (0, -100)), ("ArrowUp", (0, 0))):
        page.keyboard.press(key)
        assert place(page) == pytest.approx((x + moved[0], y + moved[1], scale), abs=0.5)
    page.keyboard.press("+")
    assert place(page)[2] > scale
    page.keyboard.press("-")
    page.keyboard.press("-")
    assert place(page)[2] < scale
    page.keyboard.press("0")
    assert all(seen(page, node) for node in ("applied", "ended_granted", "ended_refused", "decide"))
    page.keyboard.press("Home")
    assert place(page) == pytest.approx((x, y, scale), abs=0.5)
    assert "step=5" in page.url  # the arrows did not step through the case
    page.keyboard.press("Escape")
    expect(toggle).to_be_focused()
    expect(toggle).to_have_attribute("aria-expanded", "false")
    expect(page.locator(".canvas svg.drawing")).to_be_visible()
    expect(page.locator(".stage")).to_be_hidden()
    page.keyboard.press("Enter")
    expect(surface).to_be_focused()


def test_mouse_and_buttons_move_and_zoom(page, case):
    explore(page, case)
    x, y, scale = place(page)
    box = page.locator(".stage").bounding_box()
    page.mouse.move(box["x"] + 20, box["y"] + box["height"] - 40)
    page.mouse.down()
    page.mouse.move(box["x"] + 120, box["y"] + box["height"] - 90, steps=5)
    page.mouse.up()
    assert place(page) == pytest.approx((x + 100, y - 50, scale), abs=1)
    page.click("[data-do=in]")
    larger = place(page)[2]
    page.click("[data-do=out]")
    assert place(page)[2] < larger
    assert larger > scale
    page.click("[data-do=here]")
    assert place(page) == pytest.approx((x, y, scale), abs=0.5)
    page.click(".explore > button")
    expect(page.locator(".stage")).to_be_hidden()


@pytest.mark.parametrize("page", [{"has_touch": True}], indirect=True, ids=["touch"])
def test_one_finger_moves_and_two_zoom(page, case):
    explore(page, case, size=PHONE)
    x, y, scale = place(page)
    box, hand = page.locator(".stage").bounding_box(), page.context.new_cdp_session(page)

    def fingers(kind, *points):
        hand.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": box["x"] + px, "y": box["y"] + py, "id": n} for n, (px, py) in enumerate(points)]})

    fingers("touchStart", (200, 200))
    for n in range(1, 6):
        fingers("touchMove", (200 - 20 * n, 200 - 10 * n))
    fingers("touchEnd")
    until(page, lambda: abs(place(page)[0] - (x - 100)) < 2)
    assert place(page) == pytest.approx((x - 100, y - 50, scale), abs=2)
    fingers("touchStart", (150, 200), (210, 200))
    for n in range(1, 6):
        fingers("touchMove", (150 - 6 * n, 200), (210 + 6 * n, 200))
    fingers("touchEnd")
    until(page, lambda: place(page)[2] > scale * 1.5)


def test_the_next_step_opens_as_this_one_is(page, case):
    explore(page, case, "&step=4")
    page.click("a[rel=next]")
    page.wait_for_url("**step=5#diagram")
    page.wait_for_selector(DRAWN)
    expect(page.locator("a[rel=next]")).to_be_focused()  # the link that was pressed is there again
    page.click(".explore > button")
    page.click("a[rel=prev]")
    page.wait_for_url(re.compile(r"step=4$"))
    expect(page.locator(".explore > button")).to_have_attribute("aria-expanded", "false")


def test_nothing_of_it_is_fetched_before_it_is_asked_for(page, case):
    asked = []
    page.on("request", lambda r: asked.append(r.url))
    page.goto(f"/cases/{case}?tab=drawing")
    page.wait_for_load_state("networkidle")
    assert not [url for url in asked if "vendor" in url or url.endswith("/drawing")]
    page.click(".explore > button")
    page.wait_for_selector(DRAWN)
    assert len([url for url in asked if "vendor/bpmn-js-" in url]) == 3
    assert len([url for url in asked if url.endswith(f"/cases/{case}/drawing")]) == 1


def test_when_it_does_not_open_the_picture_stays_and_a_second_try_works(page, case):
    page.route("**/drawing", lambda route: route.fulfill(body="not a drawing"))
    page.goto(f"/cases/{case}?tab=drawing")
    page.click(".explore > button")
    expect(page.locator("#diagram [role=status]")).to_contain_text("没有打开")
    expect(page.locator(".canvas svg.drawing")).to_be_visible()
    expect(page.locator(".explore > button")).to_have_attribute("aria-expanded", "false")
    page.unroute("**/drawing")
    page.click(".explore > button")
    page.wait_for_selector(DRAWN)
    assert page.locator(".stage .djs-container").count() == 1


def test_paper_shows_the_picture_and_not_the_viewer(page, case):
    explore(page, case)
    page.emulate_media(media="print")
    assert page.locator(".canvas svg.drawing").is_visible()
    assert not page.locator(".stage").is_visible()
    assert not page.locator(".explore").is_visible()


@pytest.mark.parametrize("page", [{"java_script_enabled": False}], indirect=True, ids=["without-javascript"])
def test_without_script_there_is_the_picture_and_no_dead_button(page, site):
    sign_in(page, "supervisor1")
    page.goto(f"/cases/{longest(site)}?tab=drawing")
    assert page.locator(".canvas svg.drawing").is_visible()
    assert not page.locator(".explore > button").is_visible()
