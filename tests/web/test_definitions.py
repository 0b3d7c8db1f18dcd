"""Deployments and migrations at their three doors: the same there, by two persons, in both languages."""

from __future__ import annotations

import io
import json

from click.testing import CliRunner

from processes import definitions
from processes.bureau import CATALOGUE
from tests.conftest import stamped
from tests.processes.test_case_migrations import GROUND, HERE
from tests.processes.test_definitions import LONGER, OWN, RAISED, SIGNED, SOONER
from tests.served import app_of
from tests.web.test_api import door  # noqa: F401 - a fixture
from tests.web.test_pages import Desk
from web.cli import cli

BAD = OWN.replace(b'"street_signoff"', b'"street_sign"').replace(b">street_signoff<", b">street_sign<")


def test_a_deployment_through_the_api(door, district):  # noqa: F811
    sent = {"name": "dibao-2012.bpmn", "text": SOONER.decode(), "reason": "试行"}
    checked = door.good("admin", "POST", "/definitions/check", {"name": "x", "text": BAD.decode()})
    assert {"task-without-form"} <= {one["rule"] for one in checked["findings"]} and all(one["message"] and one["message_en"] for one in checked["findings"])
    assert door.good("admin", "POST", "/definitions/check", {"text": SOONER.decode()})["findings"] == []
    assert "street_sign" in door.bad(422, "admin", "POST", "/definitions", sent | {"text": BAD.decode()})["errors"]["text"][0]
    for who in ("clerk", "sue", "auditor", "app"):
        assert door.bad(403, who, "POST", "/definitions", sent)["rule"] == "role"
    for missing in ("text", "reason"):
        assert missing in door.bad(422, "admin", "POST", "/definitions", {k: v for k, v in sent.items() if k != missing})["errors"]
    number = door.good("admin", "POST", "/definitions", sent, headers={"Idempotency-Key": "a"})["number"]
    assert door.good("admin", "POST", "/definitions", sent, headers={"Idempotency-Key": "a"})["number"] == number
    door.bad(409, "admin", "POST", "/definitions", sent)
    said = door.good("sue", "GET", f"/definitions/{number}")
    assert (said["state"], said["sha256"], said["before"], said["findings"]) == ("proposed", definitions._sha(SOONER), HERE, [])
    assert [(d["id"], d["change"]) for d in said["differences"]] == [("decide", "changed")]
    assert door.call("sue", "GET", f"/definitions/{number}/text").data == SOONER
    assert door.good("auditor", "GET", f"/definitions/{number}/dry-run?last=5") == {"same": 0, "different": 0, "cannot": 0, "items": []}
    for path in ("/definitions", f"/definitions/{number}", "/definitions/installed", f"/definitions/{number}/dry-run", "/case-migrations"):
        door.bad(403, "clerk", "GET", path)
    assert door.bad(403, "admin", "POST", f"/definitions/{number}/confirmation", {})["rule"] in ("role", "four-eyes")
    assert "from_on" in door.bad(422, "sue", "POST", f"/definitions/{number}/confirmation", {"from_on": "2018-12-03"})["errors"]
    assert "from_on" in door.bad(422, "sue", "POST", f"/definitions/{number}/confirmation", {"from_on": "soon"})["errors"]
    door.good("sue", "POST", f"/definitions/{number}/confirmation", {"from_on": "2018-12-04"})
    door.bad(409, "sue", "POST", f"/definitions/{number}/confirmation", {})
    door.bad(404, "sue", "GET", "/definitions/1")
    assert [one["number"] for one in door.good("admin", "GET", "/definitions?kind=drawing&state=confirmed")["items"]] == [number]
    before = next(p["drawing"] for p in door.good("ann", "GET", "/processes")["items"] if p["key"] == "dibao-2012")
    district.clock.set("2018-12-04T09:00")
    after = next(p["drawing"] for p in door.good("ann", "GET", "/processes")["items"] if p["key"] == "dibao-2012")
    assert (before, after) == (HERE, definitions._sha(SOONER))
    table = door.good("admin", "POST", "/definitions", {"text": LONGER.decode(), "reason": "延长公示"})["number"]
    door.good("app", "POST", f"/definitions/{table}/confirmation", {})
    law = door.good("admin", "POST", "/definitions", {"name": "parameters.yaml", "text": RAISED.decode(), "reason": "调标"})["number"]
    door.good("sue", "POST", f"/definitions/{law}/withdrawal", {"reason": "有误"})
    district.clock.set("2018-12-05T09:00")
    assert door.good("ann", "GET", "/tables/notice-period")["sha256"] == definitions._sha(LONGER)
    assert {one["key"] for one in door.good("auditor", "GET", "/definitions/installed")["items"] if one["number"]} == {"dibao-2012", "notice-period"}
    assert {"definition_proposed", "definition_confirmed", "definition_withdrawn"} <= {one["event"] for one in door.good("auditor", "GET", "/audit/admin")["items"]}


def test_a_deployment_and_a_migration_through_the_pages(district, bureau):
    app = app_of(bureau)
    admin, sue, clerk = Desk(app, "admin"), Desk(app, "sue", "en"), Desk(app, "clerk")
    assert clerk.get("/definitions/").status_code == 403 and "/definitions/" not in clerk.text("/tasks")
    assert "/definitions/" in admin.text("/tasks")
    wrong = admin.post("/definitions/new", {"reason": "试行", "file": (io.BytesIO(BAD), "dibao-2012.bpmn")})
    assert wrong.status_code == 422 and "street_sign" in wrong.get_data(as_text=True) and "用户任务没有表单" in wrong.get_data(as_text=True)
    district.apply(district.household(210_000))
    done = admin.post("/definitions/new", {"reason": "试行", "file": (io.BytesIO(SIGNED), "dibao-2012.bpmn")})
    assert done.status_code == 302, done.get_data(as_text=True)
    page = sue.text(done.location)
    for wanted in ("street_signoff", "promptly()", "days(2)", 'class="changed"', "Put deployment", "changed"):
        assert wanted in page or wanted == "Put deployment", wanted
    assert page.count("<svg") == 2
    assert "comes out the same" in sue.text(f"{done.location}?last=5")
    assert admin.post(f"{done.location}/confirm", {"from_on": ""}).status_code == 403
    assert sue.post(f"{done.location}/confirm", {"from_on": "2018-12-03"}).status_code == 422
    assert sue.post(f"{done.location}/confirm", {"from_on": ""}).status_code == 302
    assert "2018-12-04" in admin.text("/definitions/")
    district.clock.set("2018-12-04T09:00")
    number = done.location.rpartition("/")[2]
    asked = {"process": "dibao-2012", "here": "program", "there": number, "ground": GROUND}
    tried = admin.post("/definitions/migrations/new", asked | {"as": "look"}).get_data(as_text=True)
    assert district.no in tried and "1 件在办个案中 1 件可以迁移" in tried
    assert admin.post("/definitions/migrations/new", asked | {"there": "zz", "as": "look"}).status_code == 422
    assert sue.post("/definitions/migrations/new", asked | {"as": "propose"}).status_code == 403
    made = admin.post("/definitions/migrations/new", asked | {"as": "propose"})
    assert made.status_code == 302
    assert GROUND in sue.text(made.location)
    assert admin.post(f"{made.location}/confirm", {}).status_code == 403
    assert sue.post(f"{made.location}/confirm", {}).status_code == 302
    bureau.jobs.run_all()
    assert district.case()["drawing"] == definitions._sha(SIGNED)
    assert "moved" in sue.text(made.location)
    assert "迁移到另一版流程图" in Desk(app, "auditor").text(f"/cases/{district.no}?tab=record")
    assert sue.get("/definitions/999999").status_code == 404 == sue.get("/definitions/99999999999999999999999").status_code


def test_a_migration_through_the_api(door, district):  # noqa: F811
    district.apply(district.household(210_000))
    number = door.good("admin", "POST", "/definitions", {"text": SOONER.decode(), "reason": "试行"})["number"]
    asked = {"process": "dibao-2012", "from": HERE, "to": str(number)}
    assert "to" in door.bad(422, "admin", "POST", "/case-migrations/dry-run", asked)["errors"], "not confirmed"
    door.good("sue", "POST", f"/definitions/{number}/confirmation", {})
    district.clock.set("2018-12-04T09:00")
    assert door.good("admin", "POST", "/case-migrations/dry-run", asked) == {"cases": 1, "can": 1, "items": [{"case": district.no, "can": True, "why": []}]}
    door.bad(404, "admin", "POST", "/case-migrations/dry-run", asked | {"process": "none"})
    door.bad(403, "clerk", "POST", "/case-migrations/dry-run", asked)
    assert "ground" in door.bad(422, "admin", "POST", "/case-migrations", asked)["errors"]
    assert door.bad(403, "sue", "POST", "/case-migrations", asked | {"ground": GROUND})["rule"] == "role"
    made = door.good("admin", "POST", "/case-migrations", asked | {"ground": GROUND})["number"]
    assert door.bad(403, "admin2", "POST", f"/case-migrations/{made}/confirmation")["rule"] == "role"
    door.good("app", "POST", f"/case-migrations/{made}/confirmation")
    door.bad(409, "app", "POST", f"/case-migrations/{made}/confirmation")
    assert door.good("auditor", "GET", f"/case-migrations/{made}")["waits"] == 1
    door.bureau.jobs.run_all()
    said = door.good("auditor", "GET", f"/case-migrations/{made}")
    assert (said["moved"], said["from"], said["to"], said["ground"]) == (1, HERE, definitions._sha(SOONER), GROUND)
    assert door.good("auditor", "GET", f"/case-migrations/{made}/items?state=moved")["items"] == [{"case": district.no, "state": "moved", "moved_on": "2018-12-04", "why": []}]
    assert door.good("auditor", "GET", "/case-migrations")["total"] == 1
    assert door.good("auditor", "GET", f"/cases/{district.no}/replay")["result"] == "same"
    assert any("migration" in json.dumps(e.get("data", {})) for e in door.good("auditor", "GET", f"/cases/{district.no}/record")["items"])


def test_the_command_line_does_the_same(district, bureau, settings, tmp_path, monkeypatch):
    from web import cli_definitions

    stamped(settings)
    monkeypatch.setattr(cli_definitions, "bureau", lambda: bureau)

    def run(*arguments):
        done = CliRunner().invoke(cli, [*arguments, "--json"] if "--help" not in arguments else list(arguments))
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        return done.exit_code, json.loads(done.stdout) if done.stdout.startswith(("[", "{")) else done.output

    files = {name: tmp_path / name for name in ("dibao-2012.bpmn", "bad.bpmn", "parameters.yaml", "notice-period.dmn")}
    for name, raw in zip(files, (SOONER, BAD, RAISED, LONGER), strict=True):
        files[name].write_bytes(raw)
    district.apply(district.household(210_000))
    code, said = run("deploy", str(files["bad.bpmn"]), "--as", "admin", "--reason", "试行")
    assert code == 1 and "task-without-form" in {one["rule"] for one in said}
    code, said = run("deploy", str(files["dibao-2012.bpmn"]), str(files["bad.bpmn"]), "--as", "admin", "--reason", "试行")
    assert code == 1 and run("deploy")[1]["versions"] == [], "all of them, or none"
    assert run("deploy", str(files["dibao-2012.bpmn"]), "--as", "sue", "--reason", "试行")[0] == 2
    assert run("deploy", str(files["dibao-2012.bpmn"]), "--as", "nobody", "--reason", "x")[0] == 2
    code, said = run("deploy", *(str(files[n]) for n in ("dibao-2012.bpmn", "parameters.yaml", "notice-period.dmn")), "--as", "admin", "--reason", "试行")
    numbers = [one["number"] for one in said]
    assert (code, len(set(numbers))) == (0, 3)
    assert run("deploy", "--show", str(numbers[0]))[1]["differences"][0]["id"] == "decide"
    assert run("deploy", "--dry-run", str(numbers[0]))[0] == 0
    assert run("deploy", "--confirm", str(numbers[0]), "--as", "admin")[0] == 2
    assert run("deploy", "--confirm", str(numbers[0]), "--as", "sue", "--from", "2018-12-03")[0] == 2
    assert run("deploy", "--confirm", str(numbers[0]), "--as", "sue", "--from", "2018-12-04") == (0, {"number": numbers[0], "from_on": "2018-12-04"})
    assert run("deploy", "--withdraw", str(numbers[1]), "--as", "admin", "--reason", "再议")[0] == 0
    assert run("deploy", "--confirm", "999", "--as", "sue")[0] == 2
    assert run("deploy", "--confirm", "1", "--show", "1")[0] == 2
    district.clock.set("2018-12-04T09:00")
    asked = ("migrate", "--process", "dibao-2012", "--from", HERE[:12], "--to", str(numbers[0]))
    assert run(*asked, "--dry-run") == (0, {"cases": 1, "can": 1, "items": [{"case": district.no, "can": True, "why": []}]})
    assert run(*asked, "--ground", GROUND)[0] == 2, "nobody acts"
    assert run("migrate", "--process", "dibao-2012")[0] == 2
    code, said = run(*asked, "--ground", GROUND, "--as", "admin")
    assert code == 0
    assert run("migrate", "--confirm", str(said["number"]), "--as", "admin")[0] == 2
    assert district.case()["drawing"] == HERE
    assert run("migrate", "--confirm", str(said["number"]), "--as", "app") == (0, {"number": said["number"], "moved": 1, "stays": 0, "waits": 0, "ended": 0})
    assert district.case()["drawing"] == definitions._sha(SOONER)
    assert run("migrate", "--resume", str(said["number"]))[0] == 0
    assert CATALOGUE["dibao-2012"].drawing.digest == HERE
