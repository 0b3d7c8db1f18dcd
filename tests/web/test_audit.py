"""The auditor's workbench at its three doors: the same there, for auditors only."""

from __future__ import annotations

import contextlib
import io
import json
import pathlib
import re
from dataclasses import replace

import pytest
from click.testing import CliRunner
from sqlalchemy import select

from engine import store
from engine.office import Office
from processes import configured, event_log
from processes.audit_lists import LISTS, Parameters
from tests.processes.test_audit_lists import related
from tests.served import app_of
from tests.web.test_api import Door
from tests.web.test_api_document import PREFIX
from tests.web.test_pages import Desk
from web import serving

NOT_AUDITORS = ("clerk", "sue", "admin", "lee", "rita", "app", "exam")
PAGES = ("/audit/", "/audit/samples", "/audit/conformance", "/audit/reads", "/audit/admin", *(f"/audit/lists/{key}" for key in LISTS))


@pytest.fixture
def app(bureau, district):
    return app_of(bureau)


@pytest.fixture
def door(bureau, district):
    return Door(bureau, district)


@pytest.fixture
def cases(district):
    def made():
        no = [district.apply(district.household(210_000, serial=n)) for n in range(2, 5)]
        district.to_refusal()
        return [*no, district.no]

    return list(district.road("three cases and a refusal", None, made))


def read_events(bureau):
    """What the auditor's own record of reading says."""
    with bureau.office.read() as conn:
        bodies = conn.scalars(select(store.entry.c.body).join(store.record, store.record.c.id == store.entry.c.record_id).where(store.record.c.kind == "reader").order_by(store.entry.c.seq))
        return [json.loads(body)["event"] for body in bodies]


def rules(app, prefix):
    """(method, address) of every route under a prefix, with something in each place."""
    fill = {"no": "SJ-2018-000001", "key": "late", "kind": "csv"}
    for rule in app.url_map.iter_rules():
        if rule.rule.startswith(prefix):
            address = re.sub(r"<(?:[^:<>]+:)?(\w+)>", lambda m: fill[m[1]], rule.rule)
            for method in sorted(rule.methods - {"HEAD", "OPTIONS"}):
                yield method, address


# -- who may


def test_every_page_is_refused_to_who_does_not_audit(app, cases, bureau):
    addresses = list(rules(app, "/audit"))
    assert len(addresses) >= 12
    for who in NOT_AUDITORS:
        desk = Desk(app, who)
        token = re.search(r'csrf_token" value="([^"]+)', desk.text("/cases"))[1]
        for method, address in addresses:
            answer = desk.http.open(address, method=method, data={"csrf_token": token} if method == "POST" else None)
            assert answer.status_code == 403, (who, method, address)
            assert not re.search(r"DB-2018", answer.get_data(as_text=True))
        assert "/audit/" not in desk.text("/cases"), "nor does the head of the page show the way"
    assert read_events(bureau) == []


def test_every_call_is_refused_to_who_does_not_audit(door, cases):
    addresses = [(method, address.removeprefix(PREFIX)) for method, address in rules(door.app, f"{PREFIX}/audit")]
    assert len(addresses) >= 13
    for method, address in addresses:
        body = {"purpose": "x", "unit": "120116", "size": 1} if (method, address) == ("POST", "/audit/samples") else None
        for who in ("clerk", "sue", "admin"):
            door.bad(403, who, method, address, body)
        door.bad(401, None, method, address, body)


def test_who_is_not_signed_in_signs_in(app):
    for path in PAGES:
        assert "/sign-in" in app.test_client().get(path).location


# -- pages


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_page_in_both_languages_empty_and_full(app, district, lang):
    desk = Desk(app, "auditor", lang)
    for path in PAGES:
        text = desk.text(path)
        assert 'class="empty"' in text or path in ("/audit/", "/audit/admin"), path
    district.to_refusal()
    district.at("2018-12-28T09:00")
    for path in PAGES:
        main = desk.text(path).partition("<main")[2].partition("</main>")[0]
        if lang == "en":
            data = re.sub(r"某\w+|滨海新区|塘沽街道|杭州道街道|某社区|紫云园社区|系统|（|）|导入|<option[^>]*>[^<]*</option>|…|—", "", main)
            assert re.search(r"[一-鿿]", data) is None, (path, re.findall(r"[一-鿿]+", data)[:5])


def test_a_list_states_its_rule_and_leads_to_case_and_entry(app, district):
    district.to_street_opinion()
    district.at("2018-12-28T09:00")
    desk = Desk(app, "auditor")
    assert "超过时限" in desk.text("/audit/")
    text = desk.text("/audit/lists/late")
    assert LISTS["late"].rule_zh in text
    link = re.search(rf'href="(/cases/{district.no}\?tab=record#e\d+)"', text)[1]
    page, _, anchor = link.partition("#")
    assert f'id="{anchor}"' in desk.text(page)
    assert "没有发现疑点" in desk.text("/audit/lists/late?late_days=365")
    answer = desk.get("/audit/lists/quick?seconds=0")
    assert answer.status_code == 422
    assert 'href="#seconds"' in answer.get_data(as_text=True)
    assert desk.get("/audit/lists/nothing").status_code == 404


def test_an_undeclared_near_relative_on_the_page_and_through_the_api(app, door, district):
    district.apply(district.household(210_000))
    related(district, "app", "sibling", 3)
    text = Desk(app, "auditor").text("/audit/lists/undeclared")
    assert LISTS["undeclared"].rule_zh in text
    assert all(word in text for word in ("某app（app）", "兄弟姐妹", "未经办本案"))
    [said] = door.good("auditor", "GET", "/audit/lists/undeclared")["items"]
    assert (said["case"], said["what"], said["seq"]) == (district.no, {"by": "app", "relation": "sibling", "node": None}, 1)


def test_a_sample_on_the_pages_from_commitment_to_check(app, cases, bureau):
    desk = Desk(app, "auditor")
    sent = {"purpose": "季度抽查 <b>长</b>", "unit": "120116", "size": "2", "basis": "opened", "strata": "outcome"}
    answer = desk.post("/audit/samples", sent | {"size": "99"})
    assert answer.status_code == 422
    assert "只有 4 件符合条件" in answer.get_data(as_text=True)
    assert "季度抽查 &lt;b&gt;" in answer.get_data(as_text=True), "nothing typed is lost"
    answer = desk.post("/audit/samples", sent)
    assert answer.status_code == 302
    page = answer.location
    text = desk.text(page)
    assert "抽取前保密" in text
    assert "公开种子并抽取" in text
    assert not any(no in text for no in cases)
    assert desk.post(f"{page}/draw", {}, page=page).status_code == 302
    text = desk.text(f"{page}?check=1")
    assert sum(no in text for no in cases) == 2
    assert "不符" not in text
    assert text.count("<b>相符</b>") == 7
    assert desk.http.post(f"{page}/draw", data={"csrf_token": re.search(r'csrf_token" value="([^"]+)', text)[1]}).status_code == 409
    rows = desk.text(f"{page}/population.csv").splitlines()
    assert len(rows) == 5
    assert page.rpartition("/")[2] in desk.text("/audit/samples")
    assert "抽取样本" in desk.text("/audit/admin?event=sample_drawn")
    assert desk.get("/audit/samples/SJ-2018-999999").status_code == 404


def test_pressing_twice_commits_to_one_seed(app, cases):
    desk = Desk(app, "auditor")
    form = desk.text("/audit/samples")
    sent = {n: re.search(rf'name="{n}" value="([^"]*)"', form)[1] for n in ("csrf_token", "_key")}
    sent |= {"purpose": "抽查", "unit": "120116", "size": "1"}
    first, second = (desk.http.post("/audit/samples", data=sent) for _ in range(2))
    assert first.location == second.location


def test_the_log_is_downloaded_whole_and_that_is_written_down(app, cases, bureau):
    desk = Desk(app, "auditor")
    for kind in event_log.FORMATS:
        answer = desk.get(f"/audit/log.{kind}?process=dibao-2012")
        assert answer.status_code == 200
        assert f"yingbao-log.{kind}" in answer.headers["Content-Disposition"]
        data = answer.get_data()
        assert {one.no for one in event_log.parse(data)} == set(cases)
        assert "张一".encode() not in data
    assert desk.get("/audit/log.csv").get_data().startswith(b"\xef\xbb\xbf")
    assert read_events(bureau) == ["log_exported"] * 3
    assert desk.get("/audit/log.pdf").status_code == 404
    assert desk.get("/audit/log.csv?from_on=x").status_code == 422
    assert desk.get("/audit/log.csv?process=x").status_code == 404
    assert "导出事件日志" in desk.text("/audit/reads")


def test_conformance_of_our_cases_and_of_an_uploaded_log(app, cases):
    desk = Desk(app, "auditor")
    assert "所有个案都符合流程图" in desk.text("/audit/conformance")
    log = "case,activity\nK1,completeness_check\nK1,入户调查\nK1,<script>\n".encode()
    answer = desk.post("/audit/conformance", {"process": "dibao-2012", "file": (io.BytesIO(log), "log.csv")})
    text = answer.get_data(as_text=True)
    assert answer.status_code == 200
    assert "流程图上没有这个环节" in text
    assert "&lt;script&gt;" in text
    assert "<script>" not in text
    for data in (b"", b"nonsense", b"<log>"):
        answer = desk.post("/audit/conformance", {"process": "dibao-2012", "file": (io.BytesIO(data), "log.csv")})
        assert answer.status_code == 422
        assert 'href="#file"' in answer.get_data(as_text=True)
    assert desk.post("/audit/conformance", {"process": "dibao-2012"}).status_code == 422
    assert desk.post("/audit/conformance", {"process": "x", "file": (io.BytesIO(log), "log.csv")}).status_code == 404


def test_reads_are_shown_with_their_reason_and_looking_is_a_read(app, district, bureau):
    house = district.household(210_000)
    clerk = Desk(app, "clerk")
    district.no = district.apply(house)
    assert clerk.post(f"/households/{house}/reveal", {"what": f"household.{house}.phone", "reason": "核对电话 " + "长" * 150}).status_code == 200
    desk = Desk(app, "auditor")
    text = desk.text("/audit/reads")
    assert "核对电话" in text
    assert "某clerk" in text
    assert "13800138000" not in text
    assert sorted(read_events(bureau)) == ["field_revealed", "read_log_read"]
    assert "核对电话" in desk.text(f"/audit/reads?who=clerk&event=field_revealed&case={district.no}")
    assert "没有符合条件的记录" in desk.text("/audit/reads?who=nobody")
    for wrong in ("from_on=x", "event=x", "case=DB-1"):
        assert desk.get(f"/audit/reads?{wrong}").status_code == 422
    assert desk.get("/audit/reads?page=99").status_code == 200


# -- API


def test_the_same_through_the_api(door, cases, bureau):
    good = lambda method, path, body=None, **kind: door.good("auditor", method, f"/audit{path}", body, **kind)  # noqa: E731
    listed = good("GET", "/lists")
    assert {one["key"] for one in listed["items"]} == set(LISTS)
    for one in listed["items"]:
        assert good("GET", f"/lists/{one['key']}")["total"] == one["findings"]
    quick = good("GET", "/lists/quick?seconds=30")
    assert all(one["seq"] for one in quick["items"])
    assert quick["total"] > 0
    made = good("POST", "/samples", {"purpose": "抽查", "unit": "120116", "size": 2, "strata": ["street"]}, headers={"Idempotency-Key": "one"})
    assert good("POST", "/samples", {"purpose": "抽查", "unit": "120116", "size": 2, "strata": ["street"]}, headers={"Idempotency-Key": "one"}) == made
    no = made["sample"]
    assert good("GET", f"/samples/{no}")["seed"] is None
    assert good("GET", f"/samples/{no}/check")["good"] is True
    told = good("POST", f"/samples/{no}/draw")
    row = good("GET", f"/samples/{no}")
    assert [one["case"] for one in row["drawn"]] == told["drawn"]
    door.bad(409, "auditor", "POST", f"/audit/samples/{no}/draw")
    checked = good("GET", f"/samples/{no}/check")
    assert checked["good"]
    assert all(one["good"] for one in checked["checks"])
    assert good("GET", "/samples")["total"] == 1
    population = good("GET", f"/samples/{no}/population?size=200")["items"]
    assert [one["no"] for one in population] == sorted(cases)
    _again_from_the_api_alone(row, population)
    assert good("GET", "/conformance")["deviating"] == 0
    assert good("GET", "/admin?event=sample_drawn")["items"][0]["who"] == "auditor"
    assert good("GET", "/reads")["total"] == 0
    assert read_events(bureau) == ["read_log_read"]


def _again_from_the_api_alone(row, population):
    """As docs/audit.md tells outsiders to: standard library only."""
    import hashlib

    seed, definition = bytes.fromhex(row["seed"]), row["definition"]
    lines = "".join(f"{c['no']}\t{c['head']}\t{c['stratum']}\n" for c in population)
    assert hashlib.sha256(lines.encode()).hexdigest() == definition["population"]
    canonical = json.dumps(definition, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    assert hashlib.sha256(b"yingbao/sample/1\n" + seed + canonical).hexdigest() == row["commitment"]
    ranked = sorted(population, key=lambda c: hashlib.sha256(seed + c["no"].encode()).hexdigest())
    assert [c["no"] for c in ranked[: row["size"]]] == [c["case"] for c in row["drawn"]], "one street: one stratum"


def test_logs_and_uploads_through_the_api(door, cases):
    for kind, media in event_log.FORMATS.items():
        answer = door.call("auditor", "GET", f"/audit/log/{kind}")
        assert answer.mimetype == media
        assert {one.no for one in event_log.parse(answer.get_data())} == set(cases)
    door.bad(404, "auditor", "GET", "/audit/log/pdf")
    log = b"case,activity\nK1,completeness_check\nK1,what\n"
    answer = door.call("auditor", "POST", "/audit/conformance", data={"process": "dibao-2012", "file": (io.BytesIO(log), "log.csv")})
    assert answer.status_code == 200
    [case] = answer.json["items"]
    assert [one["kind"] for one in case["deviations"]] == ["unknown"]
    for data, status in (({"process": "dibao-2012"}, 422), ({"process": "x", "file": (io.BytesIO(log), "l")}, 404), ({"process": "dibao-2012", "file": (io.BytesIO(b""), "l")}, 422),
                         ({"process": "dibao-2012", "more": "x", "file": (io.BytesIO(log), "l")}, 422)):  # fmt: skip
        door.bad(status, "auditor", "POST", "/audit/conformance", data=data, content_type="multipart/form-data")
    door.bad(415, "auditor", "POST", "/audit/conformance", {"process": "dibao-2012"})


def test_the_day_after_the_last_one_is_asked_of_nobody(app):
    """There is none after 9999-12-31: the page of the read log broke, and so did the one of substitutes."""
    for path in ("/audit/reads?until_on=9999-12-31", "/audit/admin?until_on=9999-12-31"):
        assert Desk(app, "auditor").http.get(path).status_code == 422
    desk = Desk(app, "clerk")
    token = re.search(r'csrf_token" value="([^"]+)', desk.text("/substitutes"))[1]
    asked = {"csrf_token": token, "substitute": "clerk2", "from_on": "9999-12-31", "until_on": "9999-12-31", "reason": "休假"}
    assert desk.http.post("/substitutes", data=asked).status_code == 422


def test_bad_questions_get_422(door):
    for path in ("/lists/quick?seconds=x", "/lists/quick?colour=red", "/conformance?from_on=x", "/reads?event=x", "/admin?from_on=2018-13-01", "/samples?page=0"):
        door.bad(422, "auditor", "GET", f"/audit{path}")


def test_bad_samples_get_422(door, cases):
    good = {"purpose": "x", "unit": "120116", "size": 1}
    for body in ({}, good | {"size": 0}, good | {"unit": "塘沽"}, good | {"from_on": "x"}, good | {"strata": ["moon"]}, good | {"seed": "00"}):
        door.bad(422, "auditor", "POST", "/audit/samples", body)


# -- command line


@pytest.fixture
def run(district):
    """The commands, on the district's database."""

    from web.cli_audit import add_to

    def go(*line):
        import click

        top, export = click.Group("yingbao"), click.Group("export")
        top.add_command(export)
        add_to(top, export, lambda: district.bureau)
        return CliRunner().invoke(top, line)

    return go


def test_the_commands(run, district, cases, tmp_path):
    from processes import audit

    answer = run("audit", "lists")
    assert answer.exit_code == 0
    assert "超过时限" in answer.output
    found = json.loads(run("audit", "lists", "quick", "--json").output)
    assert found[0]["what"]["node"]
    assert run("audit", "lists", "quick", "--set", "seconds=x").exit_code != 0
    assert run("audit", "conformance").exit_code == 0
    for kind in event_log.FORMATS:
        out = tmp_path / f"log.{kind}"
        assert run("export", "log", "--format", kind, "--from", "2018-12-01", "--to", "2018-12-31", "--out", str(out)).exit_code == 0
        assert len(event_log.parse(out.read_bytes())) == 4
        assert run("audit", "conformance", "--file", str(out), "--process", "dibao-2012").exit_code == 0
        assert run("audit", "conformance", "--file", str(out), "--process", "review-2012", "--json").exit_code == 1
    assert run("audit", "conformance", "--file", str(out)).exit_code == 2
    with district.office.act(district.people["auditor"]) as act:
        no = audit.commit_seed(act, audit.Population(), 2, (), "抽查")["sample"]
    answer = run("audit", "sample", no, "--check")
    assert answer.exit_code == 0
    assert "not yet" in answer.output
    with district.office.act(district.people["auditor"]) as act:
        drawn = audit.draw_sample(act, no)["drawn"]
    assert json.loads(run("audit", "sample", no, "--json").output)["drawn"] == drawn
    assert run("audit", "sample", no, "--check").exit_code == 0
    from sqlalchemy import update

    from processes.audit_tables import audit_sample

    with district.office.store.write() as conn:
        conn.execute(update(audit_sample).values(commitment="0" * 64))
    answer = run("audit", "sample", no, "--check")
    assert answer.exit_code == 1
    assert "WRONG" in answer.output


def test_moves_of_the_training_clock_are_administration(district):
    from processes.bureau import district_record
    from web import training

    with district.office.read() as conn:
        assert district_record(conn) is not None
    training.advance(district.bureau, 1)
    desk = Desk(app_of(district.bureau), "auditor")
    assert "调整演示时钟" in desk.text("/audit/admin?event=clock_moved")


def test_settings_that_changed_since_the_last_start_are_administration(district, door, monkeypatch):
    """Server and worker each say what they run with; the values are nobody's business, and nobody can try any against a digest."""
    made, settings = district.bureau, district.bureau.settings
    monkeypatch.setattr(serving, "waitress_serve", lambda *_, **__: None)
    monkeypatch.setattr(serving.sequencer, "child", lambda _: contextlib.nullcontext())  # test_record.py starts it
    monkeypatch.setattr(serving, "create_app", lambda *_: None)  # nobody asks it, and it takes two seconds
    serving.run(settings, "127.0.0.1", 8000, worker=False)
    serving.run(settings, "127.0.0.1", 8000, worker=False)
    assert serving.noted(made, "worker", settings) == sorted(settings.effective())
    serving.run(replace(settings, audit=Parameters(seconds=5)), "0.0.0.0", 8000, worker=False)  # noqa: S104 - nobody listens
    assert serving.noted(made, "worker", settings) == []
    lines = sorted(door.good("auditor", "GET", "/audit/admin?event=settings_changed")["items"], key=lambda one: -one["seq"])
    assert [(one["who"], one["data"]["place"].partition("@")[0], len(one["data"]["changed"])) for one in lines] == [("system", "serve", 2), ("system", "worker", len(settings.effective())), ("system", "serve", len(settings.effective()))]
    assert lines[0]["data"]["changed"] == ["AUDIT", "HOST"]
    said = json.dumps(lines)
    assert not any(secret in said for secret in (settings.data_key, settings.secret_key, settings.database, "0.0.0.0", "seconds"))  # noqa: S104
    assert lines[0]["data"]["digests"]["ENV"] == lines[1]["data"]["digests"]["ENV"]
    text = Desk(app_of(made), "auditor").text("/audit/admin?event=settings_changed")
    assert "系统设置变更 · AUDIT HOST · serve@" in text
    assert {one.removeprefix("YINGBAO_") for one in settings.for_sequencer()} <= settings.effective().keys() | {"HOME"}


@pytest.mark.parametrize("db_url", ["sqlite"], indirect=True)
def test_every_setting_is_among_those_that_are_watched(settings):
    """HOME is where the defaults of others lie."""
    readme = (pathlib.Path(__file__).parents[2] / "README.md").read_text()
    cells = re.findall(r"^\| (`YINGBAO_[^|]+)\|", readme, re.MULTILINE)
    named = {name for cell in cells for name in re.findall(r"YINGBAO_([A-Z_]+)", cell)}
    assert named - settings.effective().keys() == {"HOME"}
    assert settings.effective().keys() <= named


def test_a_first_start_without_a_district_writes_nothing(store, keys):
    office = Office(store, keys)
    assert configured.note(office, "serve@x", {"ENV": "production"}) == []
