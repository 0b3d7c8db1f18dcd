"""A changed decision table in a browser: proposed by one, its difference and lint on the page, put in force by another, never by the same."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from engine.model import SYSTEM
from processes import dmn, organisation
from tests.e2e.test_browser import sign_in

pytestmark = pytest.mark.browser
BOTH = "admin2"  # here with the post of who confirms, too: nobody confirms his own, whatever posts he holds


@pytest.fixture
def two_posts(site):
    """`BOTH` is a supervisor for the length of a test."""
    office = site[1].office

    def hold(*roles):
        with office.act(SYSTEM) as act:
            organisation.change_posts(act, BOTH, [(role, organisation.DISTRICT) for role in roles])

    hold("admin", "supervisor")
    yield
    hold("admin")


@pytest.mark.usefixtures("two_posts")
def test_a_table_is_proposed_by_one_and_put_in_force_by_another(page):
    raw = dmn.RAW["spot-share"].decode()
    changed = raw.replace("<text>0.30</text>", "<text>0.40</text>", 1)
    sign_in(page, BOTH)
    page.goto("/definitions/new")
    page.fill("#name", "spot-share.dmn")
    page.fill("#text", raw.replace('date("2021-07-01")</text>', 'date("2022-07-01")</text>', 1))  # the first row reaches into the second
    page.fill("#reason", "提高抽查比例")
    page.click("button.primary")
    expect(page.locator(".errsum")).to_contain_text("share-2012")
    expect(page.locator("#reason")).to_have_value("提高抽查比例")  # what was typed is kept
    page.fill("#text", changed)
    page.click("button.primary")
    expect(page.locator("#changes + table")).to_contain_text("0.40")
    expect(page.locator("#changes + table tbody tr")).to_have_count(1)
    expect(page.locator("#lint + p")).to_be_visible()  # nothing against it
    address = page.url
    expect(page.locator(f"a[href$='/{address.rpartition('/')[2]}/confirm']")).to_have_count(0)

    page.goto(f"{address}/confirm")  # by the address: refused all the same
    page.click("form.page button.primary, form button.primary")
    expect(page.locator(".errsum")).to_contain_text("提出部署的人不能自己确认（双人规则）")

    sign_in(page, "supervisor1")
    page.goto(address)
    page.click("a.button.main")
    page.click("form.page button.primary, form button.primary")
    expect(page.locator("p.idbar")).to_contain_text("施行")
    page.goto(f"{address}/withdraw")  # before its first day: the district goes on as it was
    page.fill("[name=reason]", "另行研究")
    page.click("form.page button.primary, form button.primary")
    expect(page.locator("p.idbar")).to_contain_text("已撤回")
