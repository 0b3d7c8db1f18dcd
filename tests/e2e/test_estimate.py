"""The estimate for everybody and the law's table in a browser: without JavaScript, on a phone, for everybody (axe), Chinese and English."""

from __future__ import annotations

import pytest

from tests.e2e.looks import clean
from tests.e2e.test_browser import NO_SCRIPT, SCRIPT, sign_in
from web import estimate

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("page", [NO_SCRIPT, SCRIPT], indirect=True)
def test_anybody_estimates_on_a_phone(page, site, axe, monkeypatch):
    monkeypatch.setattr(estimate, "TRIES", 1000)  # others asked from here in this minute
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto("/sign-in")
    page.click("text=救助测算")
    page.select_option("#people", "2")
    page.click("form.filter button")
    page.select_option("#hukou_kind", "urban")
    page.fill("#m0-birth_date", "1975-03-01")
    page.fill("#m0-wage_income", "-1")
    page.fill("#m1-birth_date", "2010-03-01")
    page.click("button.primary")
    assert "金额" in page.locator(".errsum").inner_text()
    page.fill("#m0-wage_income", "700.00")
    page.click("button.primary")
    assert "可能符合" in page.locator("main").inner_text() and page.input_value("#m1-birth_date") == "2010-03-01"
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_estimate_and_the_law_are_for_everybody(page, site, axe, lang, monkeypatch):
    monkeypatch.setattr(estimate, "TRIES", 1000)
    sign_in(page, "reviewer11")
    if lang == "en":
        page.click("text=English")
    for address in ("/law", "/public/assessment?people=3" + ("&lang=en" if lang == "en" else "")):
        clean(page, axe, address)
    page.select_option("#hukou_kind", "urban")
    for n in range(3):
        page.fill(f"#m{n}-birth_date", "1975-03-01")
    page.fill("#monetary_assets", "１")
    page.click("button.primary")
    assert page.locator(".errsum").count()
    clean(page, axe)
    page.fill("#monetary_assets", "")
    page.click("button.primary")
    assert page.locator("#result").count()
    clean(page, axe)
