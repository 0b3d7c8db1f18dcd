"""Telling residents and staff (issue 7, line 7): through the API, by a gateway of the test, an HTTP one and an SMTP one."""

from __future__ import annotations

import json
import socketserver
import threading
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from types import SimpleNamespace

import pytest
from sqlalchemy import select

from engine import store
from processes import households, notifications, organisation
from processes.gateways import GatewayFailed, GatewayRefused, HttpGateway, Message, SmtpGateway, of
from processes.notification_tables import notification
from processes.rebuild import differences
from processes.tables import benefit
from tests.district import PASSWORD, STREET
from tests.paying import FakeBank, Paying
from tests.served import app_of
from tests.web.test_api import Door
from tests.web.test_festival import answered, in_benefit, said, sent
from tests.web.test_pages import Desk
from web.demo_notifications import Notifications
from web.settings import BadSetting, Settings


class Fake:
    """A gateway that takes everything, but for as many times as `fails`; what it is sent twice by one key it has once."""

    def __init__(self) -> None:
        self.sent: dict[str, Message] = {}
        self.calls, self.fails, self.refuses = 0, 0, False

    def send(self, message: Message) -> str:
        self.calls += 1
        if self.refuses:
            raise GatewayRefused("no such number")
        if self.fails:
            self.fails -= 1
            raise GatewayFailed("HTTP 503")
        self.sent[message.key] = message
        return f"r{len(self.sent)}"


@pytest.fixture
def gateway(bureau):
    made = Fake()
    bureau.connect("sms", made)
    return made


@pytest.fixture
def door(bureau, district):
    return Door(bureau, district)


def agreed(door, district, home, member=0, **more):
    with district.office.read() as conn:
        person = households.members_of(conn, home)[member]["person_id"]
    return door.good("clerk", "POST", f"/households/{home}/contacts", {"person_id": person, "channel": "sms", "address": "138 0013 8000".replace(" ", "")} | more)["contact"]


def accepted(door, district):
    """A household whose application was accepted today."""
    home = district.household(210_000, address="演示路1号", hardship_cause="尿毒症")
    contact = agreed(door, district, home)
    district.no = district.apply(home)
    district.accept()
    return home, contact


def test_who_agreed_is_told_once_and_never_what_for(door, district, gateway):
    home, _ = accepted(door, district)
    district.bureau.jobs.run_all()
    [message] = gateway.sent.values()
    assert (message.to, message.template) == ("13800138000", "accepted")
    assert message.text == f"【塘沽街道】您的申请（编号 {district.no}）已于 2018-12-03 受理，请留意后续通知。"
    with district.office.read() as conn:
        member = households.members_of(conn, home)[0]
        secrets = [member["name"], district.office.keys.on(conn).reveal("person", "id_no", member["person_id"], member["id_no"]), "尿毒症", "演示路", "2100", "低保"]
    assert not [one for one in secrets if one in message.text]
    district.clock.advance(minutes=6)
    district.bureau.jobs.run_all()
    assert gateway.calls == 1, "another look tells nobody twice"
    told = door.good("admin", "GET", "/outbox")
    assert [(row["event"], row["state"], row["address"], row["receipt"]) for row in told["items"]] == [("accepted", "sent", "138****8000", "r1")]
    assert told["sums"] == {"waiting": 0, "sent": 1, "refused": 0, "dropped": 0}
    assert message.text not in json.dumps(told, ensure_ascii=False)
    assert door.good("sue", "GET", "/outbox?state=waiting")["items"] == []
    assert door.bad(403, "clerk", "GET", "/outbox")["rule"] == "outbox-reader"
    assert differences(district.office) == []


def test_a_gateway_that_stays_away_is_asked_again_and_ends_as_an_incident(door, district, gateway):
    accepted(door, district)
    gateway.fails = 99
    for wait in (0, 61, 301, 1801, 7201):
        district.clock.advance(seconds=wait)
        district.bureau.jobs.run_all()
    assert gateway.calls == 5
    [incident] = [one for one in door.good("sue", "GET", "/incidents")["items"] if one["kind"] == notifications.SEND]  # the registries stay away, too
    assert door.good("admin", "GET", "/outbox")["items"][0]["state"] == "waiting"
    gateway.fails = 0
    door.good("sue", "POST", f"/incidents/{incident['id']}/retry", {})
    district.bureau.jobs.run_all()
    assert (gateway.calls, door.good("admin", "GET", "/outbox")["items"][0]["state"]) == (6, "sent")


def test_sent_and_not_written_down_is_sent_again_with_the_same_key(door, district, gateway, monkeypatch):
    accepted(door, district)
    real, broken = notifications._ended, [True]

    def dies(*args, **kind):
        if broken:
            broken.clear()
            raise OSError("the machine stopped")
        real(*args, **kind)

    monkeypatch.setattr(notifications, "_ended", dies)
    district.bureau.jobs.run_all()
    district.clock.advance(seconds=61)
    district.bureau.jobs.run_all()
    assert (gateway.calls, len(gateway.sent)) == (2, 1)
    assert door.good("admin", "GET", "/outbox")["items"][0]["state"] == "sent"


def test_switched_off_refused_and_skipped(door, district, gateway):
    home, contact = accepted(door, district)
    gateway.fails = 1
    district.bureau.jobs.run_all()  # it waits for its next try
    door.bad(404, "stranger", "POST", f"/contacts/{contact}/end", {})
    door.good("clerk", "POST", f"/contacts/{contact}/end", {})
    door.bad(409, "clerk", "POST", f"/contacts/{contact}/end", {})
    district.clock.advance(seconds=61)
    district.bureau.jobs.run_all()
    assert [(row["state"], row["why"]) for row in door.good("admin", "GET", "/outbox")["items"]] == [("dropped", "switched_off")]
    agreed(door, district, home, lang="en")  # who agrees again is told what happens from that day on
    gateway.refuses = True
    district.clock.advance(minutes=6)
    district.bureau.jobs.run_all()
    assert [(row["state"], row["why"], row["lang"]) for row in door.good("admin", "GET", "/outbox?state=refused")["items"]] == [("refused", "refused", "en")]
    rows = door.good("clerk", "GET", f"/households/{home}/contacts")["items"]
    assert [(row["active"], row["address"]) for row in rows] == [(True, "138****8000"), (False, "138****8000")]
    assert differences(district.office) == []


def test_contacts_in_words(door, district):
    home = district.household(210_000)
    with district.office.read() as conn:
        person = households.members_of(conn, home)[0]["person_id"]
    body = {"person_id": person, "channel": "sms", "address": "１３８００１３８０００"}
    first = door.good("clerk", "POST", f"/households/{home}/contacts", body)["contact"]
    second = door.good("clerk", "POST", f"/households/{home}/contacts", body)["contact"]
    assert {row["id"]: row["active"] for row in door.good("clerk", "GET", f"/households/{home}/contacts")["items"]} == {second: True, first: False}
    door.good("clerk", "POST", f"/households/{home}/contacts", body | {"channel": "email", "address": "wang@example.org"})
    for more, field in (({"address": "12345"}, "address"), ({"channel": "email"}, "address"), ({"channel": "fax"}, "channel"), ({"person_id": 1}, "person_id"), ({"address": "a@b\n"}, "address")):
        assert list(door.bad(422, "clerk", "POST", f"/households/{home}/contacts", body | more)["errors"]) == [field], more
    assert door.bad(403, "vera", "POST", f"/households/{home}/contacts", body)["rule"] == "contact-recorder"
    door.bad(404, "stranger", "GET", f"/households/{home}/contacts")
    district.bureau.jobs.run_all()
    assert door.good("admin", "GET", "/outbox")["channels"] == [], "off until somebody switches it on"
    with district.office.read() as conn:
        assert conn.scalar(select(store.job.c.id).where(store.job.c.kind == notifications.SCAN)) is None


def test_the_whitelist():
    assert notifications.render("credited", "zh", {"unit": "塘沽街道", "day": "2019-01-10"}) == "【塘沽街道】您的款项已于 2019-01-10 划入登记的账户，请查收。"
    for wrong in ({"name": "张一"}, {"no": "120116199001011234"}, {"day": "尿毒症"}, {"unit": "a\nb"}, {"amount": "660.00"}):
        with pytest.raises(ValueError, match="whitelist"):
            notifications.render("accepted", "zh", {"unit": "塘沽街道", "day": "2019-01-10"} | wrong)
    for event in notifications.EVENTS:
        for lang in ("zh", "en"):
            assert "{" not in notifications.render(event, lang, {"unit": "塘沽街道", "day": "2019-01-10", "no": "DB-2018-000001"})


def test_the_inbox_of_a_worker(door, district, bureau):
    home = district.household(210_000)
    district.apply(home)
    told = door.good("clerk", "GET", "/inbox")
    assert (told["new"], {part["key"]: part["count"] for part in told["parts"]}) == (1, {"new": 1, "late": 0, "soon": 0, "returned": 0, "signing": 0})
    desk = Desk(app_of(bureau), "clerk")
    assert '收件箱 <span class="n">1</span>' in desk.text("/inbox")
    district.clock.advance(minutes=1)
    assert desk.post("/inbox/seen", {}).status_code == 302
    assert door.good("clerk", "GET", "/inbox")["new"] == 0
    district.accept()
    district.clock.advance(days=20)
    late = door.good("ann", "GET", "/inbox")
    assert late["parts"][1]["key"] == "late"
    assert district.tasks()["home_survey"]["id"] in late["parts"][1]["tasks"]
    assert f'/tasks/{district.tasks()["home_survey"]["id"]}' in Desk(app_of(bureau), "ann").text("/inbox")  # a task with a last day says on the page how late it is
    assert door.good("ann", "POST", "/inbox/seen", {}) == {"new": 0}


def test_the_pages_do_the_same(door, district, bureau, gateway):
    home = district.household(210_000)
    with district.office.read() as conn:
        person = households.members_of(conn, home)[0]["person_id"]
    clerk = Desk(app_of(bureau), "clerk")
    assert "还没有人同意" in clerk.text(f"/households/{home}/contacts")
    assert clerk.post(f"/households/{home}/contacts/new", {"person_id": str(person), "channel": "sms", "address": "13800138000", "lang": "zh"}).status_code == 302
    district.apply(home)
    district.accept()
    bureau.jobs.run_all()
    page = Desk(app_of(bureau), "admin").text("/outbox?state=sent")
    assert "申请已受理" in page
    assert "138****8000" in page
    assert "13800138000" not in page
    assert Desk(app_of(bureau), "clerk").get("/outbox").status_code == 403
    number = door.good("clerk", "GET", f"/households/{home}/contacts")["items"][0]["id"]
    assert clerk.post(f"/contacts/{number}/end", {}).status_code == 302
    assert "2018-12-03 停止" in clerk.text(f"/households/{home}/contacts")


def test_monthly_payments_are_told(door, district, gateway):
    town = Paying(district, FakeBank())
    homes = [town.paid_home(66_000), town.paid_home(70_000), town.paid_home(80_000)]
    for home in homes[:2]:
        agreed(door, district, home)
    town.start()
    town.approve()
    town.send()
    first, second, third = town.sent()
    town.take(town.answer_bytes([first, replace(second, result="account_closed", credited_on=None), third]))
    district.clock.advance(minutes=6)
    district.bureau.jobs.run_all()
    assert [(message.template, message.text) for message in gateway.sent.values()] == [
        ("credited", "【塘沽街道】您的款项已于 2018-12-03 划入登记的账户，请查收。"), ("returned", "【塘沽街道】您的款项因账户原因未能到账，请持身份证件和银行卡到窗口办理。")]  # fmt: skip
    assert differences(district.office) == []


# -- the adapters

_MESSAGE = Message("letter:1:2", "sms", "13800138000", "zh", "申请已受理", "【塘沽街道】您的申请已受理。", "accepted", {"day": "2018-12-03"})


@contextmanager
def served(server):
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()


def test_sms_by_http():
    asked, answers = [], [(201, {}, b'{"id": "m1"}'), (429, {"Retry-After": "7"}, b""), (422, {}, b""), (500, {}, b""), (200, {}, b"not json")]

    class Server(BaseHTTPRequestHandler):
        def do_POST(self):
            asked.append((self.path, self.headers["Idempotency-Key"], self.headers["Authorization"], json.loads(self.rfile.read(int(self.headers["Content-Length"])))))
            code, headers, body = answers[len(asked) - 1]
            self.send_response(code)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    with served(HTTPServer(("127.0.0.1", 0), Server)) as port:
        gateway = HttpGateway(f"http://127.0.0.1:{port}/", "secret")
        assert gateway.send(_MESSAGE) == "m1"
        with pytest.raises(GatewayFailed) as busy:
            gateway.send(_MESSAGE)
        assert busy.value.retry_after == 7
        with pytest.raises(GatewayRefused):
            gateway.send(_MESSAGE)
        with pytest.raises(GatewayFailed, match="HTTP 500"):
            gateway.send(_MESSAGE)
        assert gateway.send(_MESSAGE) == ""
    with pytest.raises(GatewayFailed, match="ConnectError"):
        gateway.send(_MESSAGE)
    body = {"channel": "sms", "to": "13800138000", "lang": "zh", "text": _MESSAGE.text, "template": "accepted", "values": {"day": "2018-12-03"}}
    assert asked == [("/v1/messages", "letter:1:2", "Bearer secret", body)] * 5


def test_email_by_smtp():
    letters, refuse = [], []

    class Server(socketserver.StreamRequestHandler):
        def handle(self):
            self.wfile.write(b"220 test\r\n")
            while line := self.rfile.readline().strip():
                word = line.split(b" ")[0].upper()
                if word == b"DATA":
                    self.wfile.write(b"354 go on\r\n")
                    letters.append(b"".join(iter(self.rfile.readline, b".\r\n")))
                self.wfile.write(b"550 no such\r\n" if word == b"RCPT" and refuse else b"250 ok\r\n")
                if word == b"QUIT":
                    return

    mail = Message("letter:1:2", "email", "wang@example.org", "zh", "申请已受理", "【塘沽街道】您的申请已受理。", "accepted", {})
    with served(socketserver.ThreadingTCPServer(("127.0.0.1", 0), Server)) as port:
        gateway = SmtpGateway(f"smtp://127.0.0.1:{port}", "yingbao@example.org")
        first = gateway.send(mail)
        assert gateway.send(mail) == first, "a repeat is the same letter"
        refuse.append(True)
        with pytest.raises(GatewayRefused, match="550"):
            gateway.send(mail)
    assert len(letters) == 2
    assert f"Message-ID: <{first}@example.org>".encode() in letters[0]
    with pytest.raises(GatewayFailed):
        gateway.send(mail)


def test_what_the_settings_switch_on(tmp_path):
    given = {"YINGBAO_HOME": str(tmp_path), "YINGBAO_SMS": "https://sms.example.org", "YINGBAO_SMTP": "smtps://u:p%40@mail.example.org", "YINGBAO_MAIL_FROM": "a@example.org"}
    assert sorted(of(Settings.from_environment(given))) == ["email", "sms"]
    assert of(Settings.from_environment({"YINGBAO_HOME": str(tmp_path)})) == {}
    for wrong in ({"YINGBAO_SMS": "sms.example.org"}, {"YINGBAO_SMTP": "mail"}, {"YINGBAO_MAIL_FROM": ""}):
        with pytest.raises(BadSetting):
            Settings.from_environment(given | wrong)


def test_festival_money_and_reviews_are_told(door, district, gateway):
    with district.office.act() as act:
        organisation.add_staff(act, "fin", "发放", PASSWORD, [("finance_officer", STREET)])
    home, other = in_benefit(district, "low_income", n=2), in_benefit(district, "low_income", serial=2)
    agreed(door, district, home)
    number, [one, two] = sent(door)
    answered(door, number, said(one), said(two, "returned", cause="account_closed"))
    district.bureau.jobs.run_all()
    assert [message.text for message in gateway.sent.values()] == ["【塘沽街道】您的款项已于 2018-12-03 划入登记的账户，请查收。"], "nobody of the other household agreed"
    assert other
    with district.office.read() as conn:
        due = conn.execute(select(notification)).mappings().one()
        assert due["content"] == '{"unit": "塘沽街道", "day": "2018-12-03"}'
        assert district.clock().astimezone(UTC).isoformat(timespec="seconds") == due["sent_at"]
        review = date.fromisoformat(conn.scalar(select(benefit.c.next_review_on).where(benefit.c.household_id == home)))
    for early in (15, 14):  # days before it falls due
        district.clock.set(f"{review - timedelta(days=early)}T09:00")
        district.bureau.jobs.run_all()
        assert [message.text for message in gateway.sent.values() if message.template == "review_due"] == ([f"【塘沽街道】您家的定期复审将于 {review} 到期，请按通知准备材料。"] if early == 14 else [])


def test_the_demos_part(district):
    homes = [district.household(210_000, serial=n) for n in range(1, 9)]
    hands, part = SimpleNamespace(made=district.bureau, by_role=lambda _role, _street: [district.people["clerk"]]), Notifications()
    part.begin(hands)
    part.day(hands, date(2018, 11, 19))
    for home in (homes[0], homes[7]):
        district.no = district.apply(home)
        district.accept()
    district.bureau.jobs.run_all()
    part.day(hands, date(2019, 1, 15))
    with district.office.read() as conn:
        found = conn.execute(select(notification.c.state, notification.c.receipt).order_by(notification.c.household_id)).all()
        mine = notifications.contacts(conn, district.office.keys.on(conn), district.people["clerk"], homes[0])
    assert [tuple(row) for row in found] == [("sent", "demo-1"), ("refused", None)]
    assert [row["active"] for row in mine] == [False]
