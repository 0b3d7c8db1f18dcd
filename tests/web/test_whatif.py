"""试算 at its three doors: the same there, for administrators, auditors and supervisors of the area."""

from __future__ import annotations

import io
import json
from dataclasses import replace

import pytest
from click.testing import CliRunner
from sqlalchemy import func, select

from engine.store import metadata
from processes import dmn, organisation
from tests.conftest import stamped
from tests.processes.test_benefits import Granted
from tests.served import app_of
from tests.web.test_api import door  # noqa: F401 - a fixture
from tests.web.test_pages import Desk
from web.cli import cli
from web.settings import BadSetting, Settings

LAW = 'dibao_standard_urban:\n  - {from: 2018-12-01, value: "980", source: draft}\n'
ASKED = {"law": LAW, "on": "2018-12-24", "view": "gains"}


def counted(made):
    with made.office.read() as conn:
        return {name: conn.scalar(select(func.count()).select_from(table)) for name, table in metadata.tables.items()}


def test_page_and_api_tell_the_same_and_write_nothing(door, district, bureau):  # noqa: F811
    granted, app = Granted(district), app_of(bureau)
    with district.office.act() as act:
        organisation.add_staff(act, "far", "远", "binhai-2018", [("supervisor", "120116005")])
    desks = {who: Desk(app, who, "en" if who == "sue" else "zh") for who in ("sue", "auditor", "admin", "clerk")}
    for who in ("sue", "auditor", "admin", "far"):
        door.token(who)
    before = counted(bureau)
    said = door.good("sue", "POST", "/whatif", ASKED)
    assert (said["households"], said["before_fen"], said["after_fen"], said["recorded_fen"], said["total"]) == (1, 66_000, 84_000, 66_000, 1)
    (one,) = said["items"]
    assert (one["household_id"], one["case_no"], one["move"], one["after_fen"], one["applicant"][0]) == (granted.household, district.no, "gains", 84_000, "张")
    assert door.good("admin", "POST", "/whatif", ASKED)["items"] == [one | dict.fromkeys(("recorded_fen", "before_fen", "after_fen", "before_once_fen", "after_once_fen", "per_capita", "gap", "applicant"))]
    assert door.good("far", "POST", "/whatif", ASKED)["households"] == 0, "another street"
    text = desks["sue"].post("/whatif", ASKED).get_data(as_text=True)
    for wanted in ("660.00", "840.00", district.no, "What it would do in 2018-12", "gains", "dibao_standard_urban"):
        assert wanted in text, wanted
    text = desks["admin"].post("/whatif", ASKED).get_data(as_text=True)
    assert "****" in text and district.no in text and "张" not in text and "2018-12 测算结果" in text and "新纳入" in text
    file = desks["auditor"].post("/whatif", {"on": "2018-12-24", "law_file": (io.BytesIO(LAW.encode()), "a.yaml"), "as": "csv"})
    exported = door.call("auditor", "POST", "/whatif/export", {"law": LAW, "on": "2018-12-24"})
    assert file.data == exported.data and exported.mimetype == "text/csv"
    line = exported.get_data(as_text=True).splitlines()[1]
    assert district.no in line and ",660.00," in line and ",840.00," in line and "张*" in line
    assert counted(bureau) == before
    assert desks["clerk"].get("/whatif").status_code == 403
    assert "/whatif" in desks["sue"].text("/tasks") and "/whatif" not in desks["clerk"].text("/tasks")


def test_decisions_of_a_period_at_all_doors(door, district, bureau, command, tmp_path):  # noqa: F811
    granted = Granted(district)
    asked = {"law": LAW, "on": "2018-12-24", "over": "decisions", "from_on": "2018-01-01", "until_on": "2018-12-31"}
    said = door.good("sue", "POST", "/whatif", asked)
    (one,) = said["items"]
    assert (said["over"], said["from_on"], said["before_fen"], said["after_fen"]) == ("decisions", "2018-01-01", 66_000, 84_000)
    assert (one["benefit_id"], one["case_no"], one["decided_on"], one["status"], one["applicant"][0]) == (None, district.no, granted.row()["granted_on"], "granted", "张")
    assert door.good("admin", "POST", "/whatif", asked)["items"][0]["before_fen"] is None
    desk = Desk(app_of(bureau), "sue")
    text = desk.post("/whatif", asked).get_data(as_text=True)
    for wanted in ("2018-01-01 至 2018-12-31", "已批准", one["decided_on"], "840.00"):
        assert wanted in text, wanted
    exported = door.call("sue", "POST", "/whatif/export", asked).get_data(as_text=True)
    assert f",{one['decided_on']}," in exported.splitlines()[1]
    assert door.bad(422, "sue", "POST", "/whatif", asked | {"until_on": ""})["errors"].keys() == {"until_on"}
    assert door.bad(422, "sue", "POST", "/whatif", {"law": LAW})["errors"].keys() == {"on"}
    english = door.bad(422, "sue", "POST", "/whatif", asked | {"until_on": "2017-01-01"}, headers={"Accept-Language": "en"})
    assert english["errors"] == {"until_on": ["The last day is before the first"]}
    law = tmp_path / "law.yaml"
    law.write_text(LAW, encoding="utf-8")
    done = command("--law", law, "--over", "decisions", "--from", "2018-01-01", "--to", "2018-12-31", "--processes", 1)
    assert done.exit_code == 0 and "1 decisions from 2018-01-01 to 2018-12-31" in done.output and "660.00 -> 840.00" in done.output, done.output
    bad = command("--law", law, "--over", "decisions", "--from", "2018-01-01")
    assert bad.exit_code == 2 and "--to:" in bad.output


def test_what_cannot_be_tried_is_said_with_its_line(door, district, bureau):  # noqa: F811
    bad = {"law": LAW + LAW, "on": "2018-12-24"}
    assert door.bad(422, "sue", "POST", "/whatif", bad)["errors"]["law"] == ["第 3 行：dibao_standard_urban 写了两次"]
    english = door.bad(422, "sue", "POST", "/whatif", bad, headers={"Accept-Language": "en"})
    assert english["errors"]["law"] == ["line 3: dibao_standard_urban is said twice"]
    assert door.bad(403, "ann", "POST", "/whatif", ASKED)["rule"] == "role"
    assert door.bad(404, "sue", "POST", "/whatif", ASKED | {"scope": "999"})["code"] == 404
    assert door.bad(422, "sue", "POST", "/whatif", ASKED | {"view": "odd"})["errors"].keys() == {"view"}
    assert door.bad(422, "sue", "POST", "/whatif", {"on": "2018-12-24"})["errors"]["law"] == ["第 1 行：没有给出任何改动"]
    desk = Desk(app_of(bureau), "sue")
    answer = desk.post("/whatif", bad | {"table": dmn.RAW["spot-share"].decode()})
    assert answer.status_code == 422 and "第 3 行：dibao_standard_urban 写了两次" in answer.get_data(as_text=True)
    Granted(district)
    few = replace(bureau, settings=replace(bureau.settings, whatif=0))
    answer = Desk(app_of(few), "sue").post("/whatif", ASKED)
    assert answer.status_code == 422 and "yingbao whatif" in answer.get_data(as_text=True)


@pytest.fixture
def command(bureau, monkeypatch, tmp_path):
    monkeypatch.setenv("YINGBAO_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("YINGBAO_DATABASE", bureau.settings.database)
    monkeypatch.setenv("YINGBAO_DATA_KEY", bureau.settings.data_key)
    stamped(bureau.settings)
    return lambda *words: CliRunner().invoke(cli, ["whatif", *map(str, words)])


def test_the_command_line_takes_all(command, district, tmp_path):
    Granted(district)
    law, table, out = tmp_path / "law.yaml", tmp_path / "category.dmn", tmp_path / "out.csv"
    law.write_text(LAW, encoding="utf-8")
    table.write_bytes(dmn.RAW["category"])
    done = command("--law", law, "--law", table, "--on", "2018-12-24", "--json", "--csv", out, "--processes", 1)
    assert done.exit_code == 0, done.output
    said = json.loads(done.stdout)
    assert (said["before_fen"], said["after_fen"], said["moves"][2]) == (66_000, 84_000, {"move": "gains", "households": 1, "before_fen": 66_000, "after_fen": 84_000})
    assert district.no in out.read_text(encoding="utf-8") and out.stat().st_mode & 0o077 == 0
    shown = command("--law", law, "--on", "2018-12-24", "--scope", "120116001", "--processes", 1)
    assert "a month: 660.00 -> 840.00 yuan" in shown.output and "dibao_standard_urban: 920 -> 980" in shown.output
    law.write_text(LAW + LAW, encoding="utf-8")
    bad = command("--law", law, "--on", "2018-12-24")
    assert bad.exit_code == 2 and "law.yaml:3: dibao_standard_urban is said twice" in bad.output
    assert command("--law", table, "--on", "yesterday").exit_code == 2


def test_the_setting_is_a_number(tmp_path):
    with pytest.raises(BadSetting, match="YINGBAO_WHATIF"):
        Settings.from_environment({"YINGBAO_HOME": str(tmp_path), "YINGBAO_WHATIF": "many"})
