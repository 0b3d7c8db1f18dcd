"""The delivery of letters through the API and on the pages, with the last days that run from it."""

from __future__ import annotations

import base64
import hashlib
import io
import re

import pytest
from sqlalchemy import select

from processes import paperwork, word
from processes.case_tables import letter, notice
from processes.rebuild import differences
from tests.district import paper
from tests.served import app_of
from tests.web.test_api import Door
from tests.web.test_pages import Desk

SAID = {"delivered_on": "2018-12-03", "method": "post", "recipient": "张一"}


@pytest.fixture
def accepted(district):
    district.apply(district.household(210_000))
    district.accept()
    with district.office.read() as conn:
        return conn.scalar(select(letter.c.id).where(letter.c.kind == "acceptance"))


def test_a_delivery_through_the_api(bureau, district, accepted):
    door = Door(bureau, district)
    path = f"/letters/{accepted}/delivery"
    assert door.bad(422, "clerk", "POST", path, {"method": "post", "recipient": "张一"})["errors"].keys() == {"delivered_on"}
    assert door.bad(403, "rita", "POST", path, SAID)["rule"] == "role"
    door.bad(404, "stranger", "POST", path, SAID)
    door.bad(404, "clerk", "POST", "/letters/99/delivery", SAID)
    key = {"Idempotency-Key": "once"}
    told = door.good("clerk", "POST", path, SAID, headers=key)
    assert (told["delivered_on"], told["delivery_method"], told["review_until"]) == ("2018-12-03", "post", None)
    assert door.good("clerk", "POST", path, SAID, headers=key) == told
    door.bad(409, "clerk", "POST", path, SAID)
    [listed] = door.good("clerk", "GET", f"/cases/{district.no}/letters")["items"]
    assert listed == told


def test_the_last_days_stand_in_the_list_of_letters(bureau, district):
    district.to_refusal()
    district.do("clerk", "deliver_refusal", **SAID)
    door = Door(bureau, district)
    found = door.good("clerk", "GET", f"/cases/{district.no}/letters")["items"][-1]
    assert (found["kind"], found["review_until"], found["suit_until"], found["objection_until"]) == ("refusal", "2019-02-01", "2019-06-03", None)
    page = Desk(app_of(bureau), "clerk").text(f"/cases/{district.no}?tab=papers")
    assert '可申请行政复议至 <span class="nowrap">2019-02-01<' in page
    assert '可提起行政诉讼至 <span class="nowrap">2019-06-03<' in page


@pytest.mark.parametrize(("lang", "offer", "done", "event"), [("zh", "登记送达", "送达 2018-12-03", "登记送达"), ("en", "Record the delivery", "delivered 2018-12-03", "Delivery recorded")])
def test_a_delivery_on_the_pages_with_its_scanned_proof(bureau, district, accepted, lang, offer, done, event):
    app = app_of(bureau)
    clerk, page = Desk(app, "clerk", lang), f"/cases/{district.no}?tab=papers"
    path = f"/letters/{accepted}/delivery"
    assert offer in clerk.text(page)
    assert path in clerk.text(page)
    assert path not in Desk(app, "rita", lang).text(page)
    assert Desk(app, "stranger").get(path).status_code == 404
    assert "2018-12-03" in clerk.text(path)
    assert Desk(app, "rita").post(path, SAID).status_code == 403
    wrong = clerk.post(path, SAID | {"delivered_on": "2018-12-02"})
    assert wrong.status_code == 422
    answer = clerk.post(path, SAID | {"method": "direct", "receipt_document__file": (io.BytesIO(b"%PDF-1.4 receipt"), "回证.pdf")})
    assert answer.location.endswith(page)
    shown = clerk.text(page)
    assert done in shown.replace("已送达", "送达")
    assert path not in shown
    assert re.search(r'href="/documents/\d+">(送达回证|Proof of delivery)', shown)
    record = clerk.text(f"/cases/{district.no}?tab=record")
    assert event in record
    assert "张一" in record
    assert clerk.post(path, SAID).status_code == 409


def test_the_letters_of_a_benefit_stand_on_its_page(bureau, district):
    from processes import benefit_acts
    from tests.processes.test_benefits import Granted

    granted = Granted(district)
    district.at("2019-02-11T09:00")
    with district.office.act(district.people["rita"]) as act:
        benefit_acts.propose(act, granted.id, "suspend", {"reason_code": "unreachable", "reason": "三次上门无人"})
    with district.office.act(district.people["app"]) as act:
        benefit_acts.confirm(act, granted.id, "suspend", {"opinion": "同意"})
    clerk = Desk(app_of(bureau), "clerk")
    [path] = set(re.findall(r'href="(/letters/\d+/delivery)"', clerk.text(f"/benefits/{granted.id}")))
    answer = clerk.post(path, SAID | {"delivered_on": "2019-02-11"})
    assert answer.location.endswith(f"/benefits/{granted.id}")
    assert '可申请行政复议至 <span class="nowrap">2019-04-12<' in clerk.text(f"/benefits/{granted.id}")
    door = Door(bureau, district)
    [told] = door.good("clerk", "GET", f"/benefits/{granted.id}/letters")["items"]
    assert (told["kind"], told["delivered_on"], told["suit_until"]) == ("suspension", "2019-02-11", "2019-08-12")
    door.bad(404, "stranger", "GET", f"/benefits/{granted.id}/letters")


DOWN = {"taken_down_on": "2018-12-03"}


def disputed(district):
    """A case whose notice came down by an objection on the day on which it was posted; (the notice's id, a photo)."""
    district.to_street_opinion()
    district.review()
    district.street()
    district.post()
    with district.office.read() as conn:
        hanging = conn.execute(select(notice)).mappings().one()
    district.send("clerk", "objection", objection_on="2018-12-03", objector_kind="resident", objector_name="某邻居", grounds="有一家店铺")
    return hanging["id"], paper(district, "clerk", district.facts()["household_id"], "photo", "揭下", b"\x89PNG\r\n\x1a\n gone")


def test_the_photo_of_a_disputed_notices_removal_through_the_api(bureau, district):
    notice_id, photo = disputed(district)
    door, path = Door(bureau, district), f"/cases/{district.no}/notices/{notice_id}/removal"
    assert door.bad(422, "clerk", "POST", path, DOWN)["errors"].keys() == {"photo"}
    assert door.bad(422, "clerk", "POST", path, {"taken_down_on": "2018-12-02", "photo": photo})["errors"].keys() == {"taken_down_on"}
    assert door.bad(422, "clerk", "POST", path, DOWN | {"photo": 99})["errors"].keys() == {"photo"}
    assert door.bad(403, "rita", "POST", path, DOWN | {"photo": photo})["rule"] == "role"
    door.bad(404, "stranger", "POST", path, DOWN | {"photo": photo})
    door.bad(404, "clerk", "POST", f"/cases/{district.no}/notices/99/removal", DOWN | {"photo": photo})
    told = door.good("clerk", "POST", path, DOWN | {"photo": photo})
    assert (told["photo_removed"], told["removed_on"]) == (photo, "2018-12-03")
    assert door.good("clerk", "GET", f"/cases/{district.no}/notices")["items"] == [told]
    door.bad(409, "clerk", "POST", path, DOWN | {"photo": photo})
    assert differences(district.office) == []


def test_a_notice_that_hangs_is_taken_down_by_its_own_task(bureau, district):
    district.to_street_opinion()
    district.review()
    district.street()
    district.post()
    with district.office.read() as conn:
        hanging = conn.scalar(select(notice.c.id))
    door = Door(bureau, district)
    assert door.bad(403, "clerk", "POST", f"/cases/{district.no}/notices/{hanging}/removal", DOWN | {"photo": district.scan})["rule"] == "notice-hangs"


@pytest.mark.parametrize(("lang", "offer", "event"), [("zh", "登记揭下照片", "登记公示揭下照片"), ("en", "Record the photo of the removal", "removal recorded")])
def test_the_photo_of_a_disputed_notices_removal_on_the_pages(bureau, district, lang, offer, event):
    notice_id, _ = disputed(district)
    clerk, page, path = Desk(app_of(bureau), "clerk", lang), f"/cases/{district.no}?tab=papers", f"/cases/{district.no}/notices/{notice_id}/removal"
    assert offer in clerk.text(page)
    sent = {**DOWN, "photo__file": (io.BytesIO(b"\x89PNG\r\n\x1a\n down"), "down.png")}
    assert clerk.post(path, sent).status_code == 302
    after = clerk.text(page)
    assert offer not in after
    with district.office.read() as conn:
        photo = conn.scalar(select(notice.c.photo_removed))
    assert f'href="/documents/{photo}"' in after
    assert event in clerk.text(f"/cases/{district.no}?tab=record")
    assert f'src="/documents/{photo}"' in clerk.text(f"/cases/{district.no}/notices/{notice_id}")


def test_a_letter_in_word(bureau, district, accepted):
    door = Door(bureau, district)
    page, path = door.call("clerk", "GET", f"/letters/{accepted}"), f"/letters/{accepted}.docx"
    assert page.mimetype == "text/html" and "Accept" in page.headers["Vary"]
    found = door.call("clerk", "GET", path)
    assert (found.status_code, found.mimetype, found.data[:2]) == (200, word.MEDIA_TYPE, b"PK")
    assert found.headers["Content-Digest"] == f"sha-256=:{base64.b64encode(hashlib.sha256(found.data).digest()).decode()}:"
    assert door.call("clerk", "GET", path).data == found.data
    with district.office.read() as conn:
        row, stored = paperwork.issued_bytes(conn, district.office.keys.on(conn), accepted)
    assert found.data == word.document(stored, row["digest"], row["issued_on"])
    for accept, kind in ((word.MEDIA_TYPE, word.MEDIA_TYPE), (f"text/html;q=0.5, {word.MEDIA_TYPE}", word.MEDIA_TYPE), ("*/*", "text/html"), ("text/html", "text/html")):
        assert door.call("clerk", "GET", f"/letters/{accepted}", headers={"Accept": accept}).mimetype == kind
    for gone in (path, f"/letters/{accepted}"):
        door.bad(404, "stranger", "GET", gone)
    door.bad(404, "clerk", "GET", "/letters/99.docx")
    clerk = Desk(app_of(bureau), "clerk")
    assert f'href="/letters/{accepted}.docx"' in clerk.text(f"/cases/{district.no}?tab=papers")
    assert f'href="/letters/{accepted}.docx"' in Desk(app_of(bureau), "auditor").text(f"/cases/{district.no}/replay?step=2")
    assert clerk.get(f"/letters/{accepted}.docx").data == found.data
    assert Desk(app_of(bureau), "stranger").get(f"/letters/{accepted}.docx").status_code == 404
