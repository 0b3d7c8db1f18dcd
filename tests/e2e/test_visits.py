"""A home visit on a phone without a network, in a browser: kept encrypted on the device, sent when the network is back, gone after sign-out."""

from __future__ import annotations

import threading

import pytest
from werkzeug.serving import make_server

from engine.office import history
from processes import visits
from tests.district import PASSWORD
from tests.served import app_of

pytestmark = pytest.mark.browser
KEPT = """async () => {
  const db = await new Promise((yes) => { const r = indexedDB.open("yingbao-visits", 1); r.onupgradeneeded = () => { r.result.createObjectStore("keys"); r.result.createObjectStore("drafts"); }; r.onsuccess = () => yes(r.result); });
  const all = (name) => new Promise((yes) => { const r = db.transaction(name).objectStore(name).getAll(); r.onsuccess = () => yes(r.result); });
  const [keys, drafts] = [await all("keys"), await all("drafts")];
  db.close();
  return { keys: keys.map((k) => k.extractable), drafts: drafts.map((d) => new TextDecoder().decode(d.sealed)) };
}"""

SAVED = "form[data-offline]:not([data-unsaved])"  # the device has all that was typed


@pytest.fixture
def phone(browser, district):
    """(page of ann on a phone, context, task's number): a survey waits for her."""
    district.apply(district.household(110_000))
    district.accept()
    server = make_server("127.0.0.1", 0, app_of(district.bureau), threaded=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    context = browser.new_context(base_url=f"http://127.0.0.1:{server.server_port}", locale="zh-CN", viewport={"width": 390, "height": 844})
    context.set_default_timeout(120_000)
    page = context.new_page()
    page.goto("/sign-in")
    page.fill("[name=login]", "ann")
    page.fill("[name=password]", PASSWORD)
    page.click("button.primary")
    yield page, context, district.tasks()["home_survey"]["id"]
    context.close()
    server.shutdown()
    thread.join()


def fill(page, district):
    page.fill("#f-surveyed_on", "2018-12-03")
    page.select_option("#f-second_investigator", "bob")
    for name, text in (("met_person", "户主张一"), ("housing", "自有平房两间"), ("living", "简朴"), ("findings", "院内无车辆")):
        page.fill(f"#f-{name}", text)
    page.select_option("#f-surveyed_signature", str(district.scan))
    page.fill("#f-compared-0-seen", "一致")
    page.fill("#f-compared-1-seen", "实际月收入三千元")


def test_typed_without_a_network_and_sent_when_it_is_back(phone, district):
    page, context, number = phone
    page.goto("/visits/")
    page.click(f"a[href='/tasks/{number}']")
    page.wait_for_url(f"**/tasks/{number}")
    context.set_offline(True)
    fill(page, district)
    assert page.locator(".row.differs").count() == 1
    page.evaluate("""async () => {  // a photo of 3,000 pixels, as a camera would give it
      const canvas = document.createElement('canvas'); canvas.width = 3000; canvas.height = 2000; canvas.getContext('2d').fillRect(0, 0, 3000, 2000);
      const blob = await new Promise((yes) => canvas.toBlob(yes, 'image/jpeg')), box = new DataTransfer(), input = document.querySelector("input[capture]");
      box.items.add(new File([blob], 'photo.jpg', { type: 'image/jpeg' })); input.files = box.files; input.dispatchEvent(new Event('change', { bubbles: true }));
    }""")
    page.wait_for_selector(SAVED)
    page.click("button.primary")
    page.locator("#device", has_text="没有网络").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    kept = page.evaluate(KEPT)
    assert kept["keys"] == [False] and len(kept["drafts"]) == 1 and "张一" not in kept["drafts"][0] and "平房" not in kept["drafts"][0]
    assert "home_survey" in district.tasks()
    context.set_offline(False)
    page.wait_for_url("**/cases/*")
    assert page.evaluate(KEPT)["drafts"] == [], "nothing stays after sending"
    with district.office.read() as conn:
        survey = visits.last_survey(history(conn, district.office.keys.on(conn), district.case()["id"]))
    assert [(row["seen"], row["differs"]) for row in survey["compared"]] == [("一致", False), ("实际月收入三千元", True)]
    assert (survey["housing"], len(survey["photos"])) == ("自有平房两间", 1)


def test_what_was_changed_meanwhile_and_signing_out(phone, district):
    page, context, number = phone
    page.goto(f"/tasks/{number}")
    fill(page, district)
    page.wait_for_selector(SAVED)
    page.reload()
    page.locator("#device", has_text="恢复").wait_for()
    assert page.input_value("#f-housing") == "自有平房两间"
    context.set_offline(True)
    page.click("button.primary")
    page.locator("#device", has_text="没有网络").wait_for()
    district.do("carl", "home_survey", surveyed_on="2018-12-03", second_investigator="bob", met_person="张一", housing="一居室", living="简朴", findings="属实", surveyed_signature=district.scan)
    context.set_offline(False)
    page.wait_for_selector(".versions")
    assert page.input_value("#f-housing") == "自有平房两间", "the page that says what has changed has it all"
    page.click("form[action$='/sign-out'] button")
    page.wait_for_url("**/sign-in*")
    assert page.evaluate(KEPT) == {"keys": [], "drafts": []}
