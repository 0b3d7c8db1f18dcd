"""The auditor's workbench in a browser: for everybody (axe), on a phone, without JavaScript, long texts included."""

from __future__ import annotations

import pytest

from processes.audit_lists import LISTS
from tests.e2e.looks import clean
from tests.e2e.test_browser import sign_in

pytestmark = pytest.mark.browser
PAGES = ("/audit/", "/audit/samples", "/audit/conformance", "/audit/admin", "/audit/reads", "/audit/reads?who=nobody", "/audit/lists/quick?seconds=x", *(f"/audit/lists/{key}" for key in LISTS))


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_page_is_for_everybody_and_fits_a_phone(page, site, axe, lang):
    sign_in(page, "auditor1")
    if lang == "en":
        page.click("button:has-text('English')")
    for address in PAGES:
        clean(page, axe, address)


def test_a_sample_with_a_long_purpose_is_committed_drawn_and_checked(page, site, axe):
    sign_in(page, "auditor1")
    page.goto("/audit/samples")
    page.click("form.narrow button.primary")
    page.wait_for_selector("#errors")
    clean(page, axe)
    page.fill("#purpose", "抽查" + "很长的目的，" * 40 + "W" * 120)
    page.check("input[name=strata][value=outcome]")
    page.check("input[name=strata][value=category]")
    page.fill("#size", "6")
    page.click("form.narrow button.primary")
    page.wait_for_url("**/audit/samples/SJ-*")
    clean(page, axe)
    page.click("form.inline button.primary")
    page.wait_for_selector("table.list")
    page.click("a[href*='check=1']")
    page.wait_for_selector("#checks")
    assert page.locator("#checks b.bad").count() == 0
    assert page.locator("#checks li").count() == 7
    clean(page, axe)
    clean(page, axe, "/audit/samples")


@pytest.mark.parametrize("page", [{"java_script_enabled": False}], indirect=True)
def test_without_javascript(page, site):
    sign_in(page, "auditor1")
    page.goto("/audit/conformance")
    page.select_option("#drawn", "dibao-2012")
    log = "case,activity\nK1,completeness_check\nK1," + "很长的环节名称" * 20 + "\n"
    page.set_input_files("#file", {"name": "log.csv", "mimeType": "text/csv", "buffer": log.encode()})
    page.click("form[enctype] button")
    assert "流程图上没有这个环节" in page.locator("main").inner_text()
    page.set_viewport_size({"width": 390, "height": 844})
    wide = page.locator("main").bounding_box()["width"]
    assert wide <= 390
    with page.expect_download() as download:
        page.click("button[formaction$='log.xes']")
    assert download.value.suggested_filename == "yingbao-log.xes"
    page.goto("/audit/lists/late")
    page.fill("#late_days", "300")
    page.click("form.filter button")
    assert page.locator(".empty").count() == 1
