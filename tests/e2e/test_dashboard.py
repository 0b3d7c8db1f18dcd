"""战情 in a browser: the charts are drawn from their tables when they come into view, nothing is fetched before, and without script the tables are there."""

from __future__ import annotations

import pytest

from tests.e2e.looks import troubles
from tests.e2e.test_browser import sign_in

pytestmark = pytest.mark.browser


def test_charts_come_with_their_tables_and_the_page_is_for_everybody(page, axe):
    asked: list[str] = []
    page.on("request", lambda r: asked.append(r.url))
    sign_in(page, "supervisor1")
    page.goto("/tasks")
    assert not any("echarts" in url for url in asked), "no other page carries it"
    page.goto("/dashboard")
    places = page.locator("[data-chart]")
    assert places.count() == 5
    for n in range(5):
        places.nth(n).scroll_into_view_if_needed()
        places.nth(n).locator("canvas").wait_for()
    assert len([url for url in asked if "echarts" in url]) == 1
    assert page.locator(".legend").first.is_visible()
    assert troubles(page, axe) == []
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    page.emulate_media(media="print")
    assert not places.first.is_visible()
    assert page.locator("#t-units").is_visible()


@pytest.mark.parametrize("page", [{"java_script_enabled": False}], indirect=True)
def test_without_script_the_tables_say_all(page):
    sign_in(page, "supervisor1")
    page.goto("/dashboard")
    for table in ("weeks", "units", "coverage", "money", "steps"):
        assert page.locator(f"#t-{table}").is_visible()
    page.locator("#t-weeks a").first.click()
    assert page.locator("h1").inner_text().startswith("L1")
