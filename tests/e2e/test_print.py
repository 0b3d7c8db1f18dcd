"""Letters on paper: one sheet of A4, with the place for the seal in one piece."""

from __future__ import annotations

import pathlib
import re

import pytest

import web
from processes import letters
from tests.processes.test_letters import CASE

pytestmark = pytest.mark.browser
STYLE = (pathlib.Path(web.__file__).parent / "static" / "css" / "letter.css").read_text(encoding="utf-8")
MM = 96 / 25.4


@pytest.mark.parametrize("kind", ["acceptance", "supplement", "approval", "refusal", "stop", "adjustment", "temp_grant"])
def test_a_letter_is_one_sheet_and_its_seal_has_room(browser, kind):
    page = browser.new_page(viewport={"width": 794, "height": 1123})
    page.set_content(letters.render(kind, CASE).replace('<link rel="stylesheet" href="/static/css/letter.css">', f"<style>{STYLE}</style>"))
    page.emulate_media(media="print")
    box = page.locator(".sealing").bounding_box()
    printed = page.pdf(prefer_css_page_size=True)
    page.close()
    assert len(re.findall(rb"/Type\s*/Page\b", printed)) == 1
    assert box["width"] >= 42 * MM, "a bureau's seal is 42 mm across"
    assert box["height"] >= 42 * MM
