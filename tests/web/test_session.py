"""The end of a session is known to the page, and who is at the desk may stay; one-letter keys can be turned off."""

from __future__ import annotations

import re
import time

from flask.sessions import SecureCookieSessionInterface
from itsdangerous import TimestampSigner

from tests.web.test_pages import Desk, app  # noqa: F401 - a fixture

WHOLE = 8 * 3600


def left(desk):
    return int(re.search(r'data-left="(\d+)"', desk.text("/tasks"))[1])


def test_a_page_knows_when_the_session_ends_and_one_may_stay(app, monkeypatch):  # noqa: F811
    clerk = Desk(app, "clerk")
    assert WHOLE - 60 < left(clerk) <= WHOLE
    signer, began = SecureCookieSessionInterface().get_signing_serializer(app), time.time()
    said = signer.loads(clerk.http.get_cookie("session").value)
    with monkeypatch.context() as patch:  # the cookie as it was made seven hours ago
        patch.setattr(TimestampSigner, "get_timestamp", lambda _self: int(began) - 7 * 3600)
        clerk.http.set_cookie("session", signer.dumps(said))
    assert 3600 - 60 < left(clerk) <= 3600
    assert 3600 - 60 < clerk.get("/session").json["left"] <= 3600
    answer = clerk.post("/session", {}, page="/tasks")
    assert answer.json["left"] == WHOLE
    assert WHOLE - 60 < left(clerk) <= WHOLE


def test_nobody_stays_who_is_not_signed_in(app):  # noqa: F811
    http = app.test_client()
    assert http.get("/session").status_code == 302
    assert http.post("/session").status_code in (302, 400)
    assert "data-left" not in http.get("/sign-in").get_data(as_text=True)


def test_keys_of_one_letter_can_be_turned_off_and_on(app):  # noqa: F811
    clerk = Desk(app, "clerk")
    assert 'data-keys="/keys"' in clerk.text("/tasks")
    assert "g t" in clerk.text("/keys")
    assert clerk.post("/keys", {"keys": "off"}).status_code == 302
    assert "data-keys" not in clerk.text("/tasks")
    assert "快捷键已关闭" in clerk.text("/keys")
    clerk.post("/keys", {"keys": "on"})
    assert 'data-keys="/keys"' in clerk.text("/tasks")
