"""A clerk brings in her street's list in a browser: with the keyboard, without JavaScript, on a phone, for everybody (axe)."""

from __future__ import annotations

import io

import pytest
from openpyxl import load_workbook

from tests.e2e.looks import clean
from tests.e2e.test_browser import NO_SCRIPT, SCRIPT, sign_in
from tests.processes.test_import_annex1 import SAMPLES

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("page", [SCRIPT], indirect=True)
def test_a_list_comes_in_at_a_desk(page, site, axe, tmp_path):
    sign_in(page, "clerk11")
    page.goto("/households/")
    page.click("text=导入名单")
    clean(page, axe)
    page.click("main button.primary")
    page.wait_for_selector("#errors:focus")
    page.set_input_files("#file", SAMPLES / "annex1_dirty.xlsx")
    page.click("main button.primary")
    assert page.locator("h1").inner_text() == "名单预览"
    clean(page, axe)
    with page.expect_download() as found:
        page.click("text=下载错误表")
    book = load_workbook(io.BytesIO(found.value.path().read_bytes()))
    assert book.active.max_row == 16
    page.click("main button.primary")
    page.wait_for_selector("#errors:focus")
    page.locator("#errors a").first.press("Enter")
    page.wait_for_selector("#f-all-hukou_kind:focus")
    page.keyboard.press("ArrowDown")
    assert page.locator("#f-all-hukou_kind").input_value() == "urban"
    clean(page, axe)
    page.select_option("#f-all-review_class", "B")
    page.fill("#f-all-first_payment_month", "2018-01")
    page.select_option("[name='5-hukou_kind']", "rural")
    page.uncheck("input[name=row][value='7']")
    page.locator("main button.primary").press("Enter")
    assert "已导入 3 户" in page.locator(".said").inner_text()
    clean(page, axe)
    page.locator("main table a").first.click()
    assert "紫云园社区" in page.locator(".idbar").inner_text()
    page.go_back()
    page.click("text=回到这份名单")
    assert page.locator("input[name=row]").count() == 1
    page.click("text=现在清除")
    assert "已清除" in page.locator(".said").inner_text()


@pytest.mark.parametrize("page", [NO_SCRIPT], indirect=True)
def test_without_javascript_on_a_phone(page, site):
    page.set_viewport_size({"width": 390, "height": 844})
    sign_in(page, "officer11")
    page.goto("/households/import/")
    page.set_input_files("#file", SAMPLES / "annex1_clean.xlsx")
    page.click("main button.primary")
    page.select_option("#f-all-hukou_kind", "urban")
    page.select_option("#f-all-review_class", "A")
    page.fill("#f-all-first_payment_month", "2018-03")
    page.click("main button.primary")
    assert "已导入 8 户" in page.locator(".said").inner_text()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
