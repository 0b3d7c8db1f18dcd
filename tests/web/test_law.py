"""The parameters of the law by date: page, API, command line."""

from __future__ import annotations

from datetime import date

import pytest

from processes import law, parameters
from tests.served import app_of
from tests.web.test_api import door  # noqa: F401 - a fixture
from tests.web.test_pages import Desk
from web.cli import cli

MORE = b'  - {from: 2018-04-01, value: "930", source: T18, known_from: 2018-12-05}\n'
NEXT = b'  - {from: 2019-04-01, value: "980"'


def corrected() -> law.Book:
    raw = law.RAW["parameters.yaml"]
    return law.Book.of({**law.RAW, "parameters.yaml": raw.replace(NEXT, MORE + NEXT, 1)})


def of(answer, name):
    return next(one for one in answer["items"] if one["name"] == name)


def test_the_table_is_asked_by_the_day_of_the_event_and_that_of_the_knowledge(door, bureau):  # noqa: F811
    with law.under(corrected()):
        then = door.good("ann", "GET", "/law?on=2018-12-01&known_on=2018-12-04")
        now = door.good("ann", "GET", "/law?on=2018-12-01&known_on=2018-12-05")
    before, after = (of(said, "dibao_standard_urban") for said in (then, now))
    assert (before["value"], before["known_from"], after["value"], after["known_from"]) == ("920", None, "930", "2018-12-05")
    assert (before["from"], before["until"], before["source"]) == ("2018-04-01", "2019-03-31", "T18")
    assert [(row["value"], row["counts"]) for row in after["rows"] if row["from"] == "2018-04-01"] == [("920", False), ("930", True)]
    assert [row["value"] for row in before["rows"] if row["from"] == "2018-04-01"] == ["920"], "nobody knew of the other"
    assert before["basis"] == "天津市2018年4月起社会救助标准"
    page = Desk(app_of(bureau), "ann").text("/law?on=2018-12-01")
    assert "城市最低生活保障标准" in page and "920 元/人·月" in page
    assert "Dibao standard (urban)" in Desk(app_of(bureau), "ann", "en").text("/law?on=2018-12-01")


def test_a_value_older_than_its_usual_revision_is_warned_of(door):  # noqa: F811
    said = door.good("ann", "GET", "/law?on=2020-08-31")
    assert of(said, "dibao_standard_urban")["warning"] == {
        "months": 16, "usual": 12, "zh": "已执行 16 个月，通常每 12 个月调整一次，请核实是否已有新文件",
        "en": "in force for 16 months, usually revised every 12: look for a newer paper"}  # fmt: skip
    assert said["warnings"] >= 1
    assert of(door.good("ann", "GET", "/law?on=2020-03-31"), "dibao_standard_urban")["warning"] is None, "of 2019-04-01"
    assert of(door.good("ann", "GET", "/law?on=2020-09-01"), "dibao_standard_urban")["warning"] is None


@pytest.mark.parametrize("name", ["on", "known_on"])
def test_a_day_that_is_none_is_refused_by_name(door, bureau, name):  # noqa: F811
    for text in ("2018-02-30", "20181203", "yesterday", "２０１８-12-01"):
        assert name in door.bad(422, "ann", "GET", f"/law?{name}={text}")["errors"]
    assert Desk(app_of(bureau), "ann").http.get(f"/law?{name}=x").status_code == 422


def test_lint_says_line_and_reason_and_that_history_was_rewritten(tmp_path):
    from click.testing import CliRunner

    raw, file = law.RAW["parameters.yaml"], tmp_path / "parameters.yaml"
    assert parameters.faults(raw, "parameters.yaml") == []
    changed = raw.replace(b'{from: 2018-04-01, value: "920"', b'{from: 2018-04-01, value: "925"', 1)
    assert {f.rule for f in parameters.faults(changed, "parameters.yaml")} == {"law-row-changed", "law-back-dated"}
    assert [f.rule for f in parameters.faults(raw.replace(NEXT, MORE + NEXT, 1), "parameters.yaml")] == ["law-back-dated"], "known before the files were read"
    later = MORE.replace(b"2018-12-05", str(date(law.ABOUT.read_on.year + 1, 1, 1)).encode() + b", announced: true")
    assert parameters.faults(raw.replace(NEXT, later + NEXT, 1), "parameters.yaml") == []
    file.write_bytes(raw.replace(NEXT, b'  - {from: 2018-04-01, value: "1", source: T18}\n' + NEXT, 1))
    done = CliRunner().invoke(cli, ["lint", str(file)])
    assert done.exit_code == 1 and ":9: law-malformed" in done.output and "two values overlap from 2018-04-01" in done.output
    assert "两个值自 2018-04-01 起重叠" in done.output


HOSTILE = {
    "laughs.bpmn": b'<!DOCTYPE d [<!ENTITY a "ha">' + b"".join(b'<!ENTITY %c "%s">' % (98 + n, b"&%c;" % (97 + n) * 10) for n in range(12)) + b"]><d>&m;</d>",
    "outside.dmn": b'<!DOCTYPE d [<!ENTITY e SYSTEM "file:///etc/passwd">]><definitions>&e;</definitions>',
    "attribute.bpmn": b'<!DOCTYPE d [<!ENTITY a "hahahahaha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">]><d x="&c;&c;&c;"/>',
    "large.bpmn": b"<a>" + b" " * (10 << 20) + b"</a>",
    "large.yaml": b"a: " + b" " * (10 << 20),
    "encoding.bpmn": b'<?xml version="1.0" encoding="klingon"?><a/>',
    "latin.bpmn": '<?xml version="1.0" encoding="utf-8"?><a n="é"/>'.encode("latin-1"),
    "empty.bpmn": b"", "empty.dmn": b"", "empty.yaml": b"", "comment.yaml": b"# nothing",
    "deep.bpmn": b"<a>" * 5_000, "deep.yaml": b"a: " + b"[" * 2_000,
    "alias.yaml": b"a: &a [x]\n" + b"".join(b"%c: &%c [*%c, *%c]\n" % (98 + n, 98 + n, 97 + n, 97 + n) for n in range(20)),
    "day.yaml": b"a:\n  - {from: 2018-02-30, value: '1', source: T18}\n",
    "scalar.yaml": b"a: words\n", "table.yaml": b"a: {b: c}\n", "list.yaml": b"- a\n", "key.yaml": b"? [a, b]\n: c\n", "object.yaml": b"a: !!python/object/apply:os.system [id]\n",
    "twice.yaml": b"a: []\na: []\n", "latin.yaml": "a: é".encode("latin-1"), "torn.yaml": b"a: [", "zip.bpmn": b"PK\x03\x04", "nul.yaml": b"a: \x00",
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_whatever_the_file_lint_answers_with_a_finding(tmp_path, name):
    import json

    from click.testing import CliRunner

    file = tmp_path / name
    file.write_bytes(HOSTILE[name])
    done = CliRunner().invoke(cli, ["lint", "--json", str(file)])
    assert done.exit_code == 1 and (done.exception is None or isinstance(done.exception, SystemExit)), done.exception
    [*found] = json.loads(done.output)
    assert found and all(one["rule"] and one["zh"] and one["en"] and one["advice"] and one["advice_zh"] for one in found)
    assert "root:" not in done.output


def test_lint_of_a_folder_or_of_nothing_is_bad_usage(tmp_path):
    from click.testing import CliRunner

    for asked in ([str(tmp_path)], [str(tmp_path / "none.bpmn")], []):
        assert CliRunner().invoke(cli, ["lint", *asked]).exit_code == 2
