"""`yingbao scan --privacy`: silent over a district as it should be, and it finds what is planted, in pages, exports and logs."""

from __future__ import annotations

import json

from click.testing import CliRunner
from sqlalchemy import select, update

from engine.model import Put
from processes import identity, organisation, phones, privacy
from processes.case_tables import notice
from processes.display_tables import display, unit_phone
from processes.tables import household, person
from tests.served import app_of
from tests.web.test_displays import door, granted, shown  # noqa: F401 - fixtures
from web import privacy_scan
from web.cli import cli as commands

ILL = {"serious_illness": "尿毒症"}


def test_nothing_is_found_where_nothing_leaks_and_every_plant_is_found(door, shown, tmp_path):  # noqa: F811
    shown.to_street_opinion(serial=60, last=ILL | {"name": "张小宝", "id_no": identity.invent(shown.office.today().replace(year=2010), "male", 3)})
    shown.review()
    shown.street()
    shown.post()
    with shown.office.act(shown.people["admin"]) as act:
        phones.put(act, "120116001", {"phone": "022-65300000", "hours": "", "published": True})
    app, office = app_of(shown.bureau), shown.office
    with office.read() as conn:
        no = conn.scalar(select(notice.c.id))
        keys = office.keys.on(conn)
        row = conn.execute(select(person.c.id, person.c.id_no).order_by(person.c.id)).first()
        number = keys.reveal("person", "id_no", row.id, row.id_no)
        account = keys.reveal("household", "bank_account", shown.home, conn.scalar(select(household.c.bank_account).where(household.c.id == shown.home)))
    clean, looked = privacy_scan.scanned(shown.bureau, app=app)
    assert clean == []
    assert looked["pages"] > 60
    assert looked["exports"] == 6
    assert looked["log_lines"] >= looked["pages"]
    assert looked["secrets"] >= 8

    with office.store.write() as conn:
        conn.execute(update(notice).values(applicant=f"张一 {number}（尿毒症）张小宝"))
        conn.execute(update(unit_phone).values(address="联系 138 0013 8000"))
        conn.execute(update(display).values(applicant=account))
    log = tmp_path / "serve.log"
    log.write_text(json.dumps({"event": "error", "said": f"account {account}"}), "utf-8")
    command = privacy_scan.command(lambda: shown.bureau)
    told = CliRunner().invoke(command, ["--privacy", "--json", "--logs", str(log)])
    assert told.exit_code == 1
    assert not [secret for secret in (number, account, "张小宝") if secret in told.stdout]
    found = {(one["kind"], one["where"].partition("?")[0].partition(", line")[0]) for one in json.loads(told.stdout)["found"]}
    page, sheet = f"/public/notices/{no}", f"/public/displays/{shown.display}"
    assert {(kind, at) for kind in (privacy.ID, privacy.ILLNESS, privacy.MINOR) for at in ("/public/notices", page, "/api/v1/notices", f"/api/v1{page}")} <= found
    assert {(privacy.ACCOUNT, at) for at in ("/public/displays", sheet, "/api/v1/public/displays", f"/api/v1{sheet}")} <= found
    assert any(kind == privacy.ACCOUNT and at.startswith("export board") for kind, at in found)
    assert {(privacy.PHONE, "/public/phones"), (privacy.PHONE, "/api/v1/public/phones")} <= found
    assert (privacy.ACCOUNT, str(log)) in found
    assert CliRunner().invoke(command, []).exit_code == 2
    assert "scan" in commands.commands


def test_a_number_is_found_however_it_is_written():
    number, account, phone = "120116198006150027", "6222020000000000013", "13800138000"
    secrets = privacy.Known({number: (privacy.ID, "person:1"), account: (privacy.ACCOUNT, "household:2"), phone: (privacy.PHONE, "person:1")}, {"尿毒症": "person:1"}, {"张小宝": "person:3"},
                            (11, 18, 19))  # fmt: skip

    def kinds(text, **how):
        return {f.kind for f in privacy.look("x", text, secrets, **({"people": False} | how))}

    for text in (number, "120116 19800615 0027", "１２０１１６１９８００６１５００２７", "<b>120116</b>198006150027", f"id{number}x", "&#49;20116198006150027", f"{number}{account}"):
        assert privacy.ID in kinds(text), text
    assert kinds(f"{number}{account}") == {privacy.ID, privacy.ACCOUNT}
    assert kinds("138-0013-8000") == {privacy.PHONE}
    assert kinds("1201**********0027 138****8000 2018-12-03 66000") == set()
    assert kinds(f"9{phone}9") == set(), "inside of a longer number it is another one"
    assert kinds("尿毒症 张小宝") == set()
    assert kinds("尿毒症 张小宝", people=True) == {privacy.ILLNESS, privacy.MINOR}
    assert kinds("肢体残疾", people=True) == {privacy.ILLNESS}
    assert kinds("120116195001010013") == {privacy.ID_LIKE}
    assert kinds("120116195001010013", policy=True) == set()


def test_a_workers_name_and_login_are_no_secret(district):
    """The meeting's member of the Disabled Persons' Federation has such a login, and a child may be called as somebody who signs (found on the demo)."""
    def of(name):
        with district.office.act() as act:
            record = act.new("person", "120116")
            record.subject = f"person:{record.id}"
            act.append(record, "person_registered", puts=[Put("person", record.id, {"name": name, "birth_date": "2011-10-02", "id_blind": name, "placeholder": False}, record.subject)])

    of("徐晓红")
    of("郭玉梅")
    with district.office.act(district.people["admin"]) as act:
        organisation.add_staff(act, "disabled-federation", "徐晓红", "x" * 12, [("auditor", "120116")])
    with district.office.read() as conn:
        secrets = privacy.known(conn, district.office.keys.on(conn), district.office.today())
    assert privacy.look("export", "disabled-federation,徐晓红", secrets, people=True) == []
    assert {one.kind for one in privacy.look("export", "disabled,郭玉梅", secrets, people=True)} == {privacy.ILLNESS, privacy.MINOR}
