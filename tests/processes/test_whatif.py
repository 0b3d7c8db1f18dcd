"""试算: a changed law over the households in benefit as they stand equals assessing each by itself; bad files are refused by line."""

from __future__ import annotations

import json
import os
from fractions import Fraction

import pytest
from sqlalchemy import delete, event, func, insert, select, update

from engine import store
from engine.errors import Invalid, NotFound
from processes import bureau as bureaus
from processes import dmn, eligibility, law, standards, whatif, whatif_decisions, whatif_law
from processes.eligibility_facts import BadFacts
from processes.money import to_fen, yuan
from processes.proof_tables import erasure
from processes.standards import snapshot_of
from processes.tables import benefit, household, income_item
from tests.conftest import DATA_KEY, Clock, database
from tests.engine import killed
from tests.processes.test_benefits import Granted
from web import bench_crowd as crowd

MANY = int(os.environ.get("YINGBAO_TEST_WHATIF", "300"))
CHANGES = """dibao_standard_urban:
  - {from: 2018-12-01, value: "980", source: 试算}
dibao_standard_rural:
  - {from: 2018-10-01, value: "900", source: 试算}
asset_limit_months:
  - {from: 2018-12-01, value: "36", source: 试算}
low_income_limit_urban:
  - {from: 2018-12-01, value: "1300.50", source: 试算}
minimum_wage:
  - {from: 2018-01-01, value: "1900", source: 试算}
  - {from: 2018-12-01, value: "2200", source: 试算}
destitute_rural_dispersed:
  - {from: 2018-12-01, value: "1500", source: 试算}
deduction_disability_limb_1:
  - {from: 2018-12-01, value: "1000", source: 试算}
""".encode()
FEW = b'dibao_standard_urban:\n  - {from: 2018-12-01, value: "980", source: x}\n'


@pytest.fixture(scope="module")
def town(request, tmp_path_factory):
    """One database for all that only reads it: a street and a half of households."""
    from web.settings import Settings

    folder = tmp_path_factory.mktemp("whatif")
    with database("sqlite", folder, request, pattern="district") as url:
        made = bureaus.build(Settings(database=url, secret_key="s" * 32, data_key=DATA_KEY, files=folder / "files"), Clock())
        crowd.fill(made, MANY, 40)
        yield made
        made.office.store.close()


def entries_of(district):
    with district.office.read() as conn:
        return conn.scalar(select(func.count()).select_from(store.entry))


def question(*files, on="2018-12-05", **more):
    return whatif.Question.understood(files or (CHANGES,), on, **more)


def one_by_one(made, asked):
    """Benefit id -> (before, after) as (category, fen), each household read and assessed by itself."""
    found, month = {}, f"{asked.on:%Y-%m}"
    with made.office.read() as conn:
        keys = made.office.keys.on(conn)
        for row in conn.execute(select(benefit, household.c.hukou_kind).join(household, household.c.id == benefit.c.household_id)).mappings().all():
            facts = {**snapshot_of(conn, keys, row, made.office.today()), "benefit_month": month}
            sides = []
            for book in (None, asked.changed.book):
                with law.under(book), dmn.SHELF.lent(asked.changed.tables if book or asked.changed.tables and sides else {}):
                    if row["category"] == "destitute_dispersed":
                        name = "destitute_urban" if row["hukou_kind"] == "urban" else "destitute_rural_dispersed"
                        sides.append((row["category"], to_fen(law.value(name, asked.month).amount * row["members"])))
                        continue
                    try:
                        said = eligibility.assess(facts)
                    except BadFacts:
                        sides.append(None)
                    else:
                        sides.append((said["category"], said["amount_fen"]))
            found[row["id"]] = None if None in sides else tuple(sides)
    return found


def test_it_equals_assessing_each_household_by_itself(town):
    asked = question()
    report, expected = whatif.run(town, asked), one_by_one(town, asked)
    assert len(report.rows) == len(expected) == MANY
    for row in report.rows:
        came = None if row["reason"] else ((row["before"], row["before_fen"]), (row["after"], row["after_fen"]))
        assert came == expected[row["benefit_id"]], row
    moved = {row["move"] for row in report.rows if not row["reason"]}
    assert moved == set(whatif.MOVES), "the crowd has some of each"


def test_sums_are_those_of_the_rows(town):
    report = whatif.run(town, question())
    said, rows = report.told(), [row for row in report.rows if not row["reason"]]
    assert said["households"] == len(rows) and sum(one["households"] for one in said["left_out"]) == MANY - len(rows) > 0
    for side in ("before", "after"):
        total = sum(row[f"{side}_fen"] for row in rows)
        assert said[f"{side}_fen"] == total == sum(one[f"{side}_fen"] for one in said["streets"]) == sum(one[f"{side}_fen"] for one in said["moves"])
        for one in said["streets"]:
            here = [row for row in rows if (row["street"], row[side]) == (one["street"], one["category"])]
            assert (one[f"households_{side}"], one[f"{side}_fen"]) == (len(here), sum(row[f"{side}_fen"] for row in here))
    assert sum(one["households"] for one in said["categories"]) == sum(one["households"] for one in said["moves"]) == len(rows)
    assert said["differs"] == len(report.seen("differs")) > 0
    assert sum(one["households"] for one in said["near"]) == len(report.seen("near")) > 0
    assert {one["street"]: one["street_name"] for one in said["streets"]} == {"120116001": "塘沽街道", "120116005": "杭州道街道"}
    lines = list(whatif.csv_lines(report.seen("left_out") + report.seen("gains")[:1]))
    assert lines[0].startswith("\ufeffbenefit_no,household_no,case_no,") and len(lines) == 2 + MANY - len(rows)
    assert f",{yuan(report.seen('gains')[0]['after_fen'])}," in lines[-1]


def test_near_misses_lie_within_the_margin(town):
    for margin, fen in (("0.01", 1), ("50.00", 5000), ("100", 10_000)):
        report = whatif.run(town, question(margin=margin))
        near = report.seen("near")
        assert all(abs(Fraction(row["gap"])) * 100 <= fen for row in near)
        assert all(row["after"] in ("dibao", "low_income", "refused_income") for row in near)
        if fen == 5000:
            assert all((row["after"] != "dibao") for row in near if row["near"] == "standard" and row["above"])


def test_a_changed_table_decides(town):
    """Whoever owns a car is assessed further: the row of the car says low income."""
    raw = dmn.RAW["category"].replace(b'<outputEntry><text>"refused_vehicle"</text>', b'<outputEntry><text>"low_income"</text>')
    rows = [row for row in whatif.run(town, question(raw)).rows if not row["reason"]]
    cars = [row for row in rows if row["before"] == "refused_vehicle"]
    assert cars and {row["after"] for row in cars} == {"low_income"} and {row["move"] for row in cars} == {"enters"}
    assert all(row["before"] == row["after"] and row["move"] == "same" for row in rows if row not in cars)
    both = question(raw, FEW)
    assert {row["benefit_id"]: (row["after"], row["after_fen"]) for row in whatif.run(town, both).rows if not row["reason"]} == {
        n: came[1] for n, came in one_by_one(town, both).items() if came}  # fmt: skip


def test_a_street_is_a_part_of_the_district(town):
    whole, part = whatif.run(town, question()), whatif.run(town, question(scope="120116005"))
    assert part.rows == [row for row in whole.rows if row["street"] == "120116005"] != []
    with town.office.snapshot() as conn:
        assert whatif.look(town, conn, question(), ("120116005",), MANY).rows == part.rows
        with pytest.raises(whatif.TooMany, match="命令行"):
            whatif.look(town, conn, question(), "120116", MANY - 1)
    with pytest.raises(NotFound):
        whatif.run(town, question(scope="999"))


def test_it_reads_in_bulk_and_writes_nothing(town, monkeypatch):
    statements = []
    listen = lambda conn, cursor, statement, *rest: statements.append(statement)  # noqa: E731
    event.listen(town.office.store.engine, "before_cursor_execute", listen)
    try:
        whatif.run(town, question())
    finally:
        event.remove(town.office.store.engine, "before_cursor_execute", listen)
    asked = [s for s in statements if s.startswith(("SELECT", "WITH"))]
    assert len(asked) <= 12 * (1 + MANY // whatif.CHUNK), len(asked)
    assert not [s for s in statements if s.startswith(("INSERT", "UPDATE", "DELETE"))]


def test_processes_and_an_interrupted_run_give_the_same(town, tmp_path, monkeypatch):
    monkeypatch.setattr(whatif, "CHUNK", MANY // 3)
    whole, file = whatif.run(town, question()), tmp_path / "kept"

    class Stopped(Exception): ...

    def stop(done, of):
        if done > MANY // 3:
            raise Stopped

    with pytest.raises(Stopped):
        whatif.run(town, question(), resume=file, told=stop)
    assert file.stat().st_mode & 0o077 == 0, "it tells of households"
    with file.open("ab") as torn:
        torn.write(b'{"ids": [1')
    with pytest.raises(whatif.BadResume, match="another question"):
        whatif.run(town, question(margin="1.00"), resume=file)
    went_on = whatif.run(town, question(), resume=file, processes=2)
    assert went_on.rows == whole.rows and went_on.earlier > 0 and not file.exists()
    other = tmp_path / "other"
    other.write_text("my letters")
    with pytest.raises(whatif.BadResume):
        whatif.run(town, question(), resume=other)
    assert other.read_text() == "my letters"


def test_a_granted_household_is_read_as_its_batch_reads_it(district):
    """The day of application comes from the case on which the benefit rests; restricted people are left alone."""
    granted = Granted(district)
    with district.office.read() as conn:
        keys, row = district.office.keys.on(conn), granted.row()
        found = {**row, "hukou_kind": "urban"}
        assert whatif.figures(conn, keys, [found], district.office.today()) == {granted.household: standards.snapshot_of(conn, keys, row, district.office.today())}
        before = conn.scalar(select(func.count()).select_from(store.entry))
        member = conn.scalar(select(household.c.applicant_id))
    report = whatif.run(district.bureau, question(FEW, on="2018-12-24"))
    (row,) = report.rows
    assert (row["before_fen"], row["after_fen"], row["move"], row["differs"], row["case_no"]) == (66_000, 84_000, "gains", False, district.no)
    with district.office.store.write() as conn:
        assert conn.scalar(select(func.count()).select_from(store.entry)) == before, "nothing was written"
        conn.execute(insert(erasure).values(id=1, subject=f"person:{member}", state="restricted", reason="request", asked_by="sue", asked_on="2018-12-24"))
    (row,) = whatif.run(district.bureau, question(FEW, on="2018-12-24")).rows
    assert (row["reason"], row["before"], row["after_fen"]) == ("restricted", None, 0)


def of_decisions(file=FEW, on="2018-12-05", since="2018-12-01", until="2018-12-31", **more):
    return question(file, on=on, over="decisions", from_on=since, until_on=until, **more)


def test_a_decision_is_computed_from_the_figures_of_then(district):
    """What the household earns today plays no part; what is tried stands as if it had always been so."""
    granted = Granted(district)
    on = granted.row()["granted_on"]
    with district.office.store.write() as conn:
        conn.execute(update(income_item).values(amount_fen=240_000))
    before = entries_of(district)
    asked = of_decisions()
    (row,) = whatif.run(district.bureau, asked).rows
    assert (row["case_no"], row["decided_on"], row["status"], row["benefit_id"], row["household_id"]) == (district.no, on, "granted", None, granted.household)
    assert (row["recorded_fen"], row["before_fen"], row["after_fen"], row["move"], row["differs"]) == (66_000, 66_000, 84_000, "gains", False)
    assert whatif.run(district.bureau, question(FEW, on="2018-12-24")).rows[0]["before_fen"] == 36_000, "today's figures are others"
    said = whatif.run(district.bureau, asked).told()
    assert (said["over"], said["from_on"], said["until_on"], said["own_months"], said["households"]) == ("decisions", "2018-12-01", "2018-12-31", False, 1)
    later = b'dibao_standard_urban:\n  - {from: 2019-04-01, value: "980", source: x}\n'
    assert whatif.run(district.bureau, of_decisions(later, on="2019-04-01")).rows[0]["after_fen"] == 84_000, "tomorrow's law on yesterday's decision"
    assert whatif.run(district.bureau, of_decisions(on="")).rows[0]["after_fen"] == 84_000, "its month is 2019-01"
    assert whatif.run(district.bureau, of_decisions(later, on="", until="2019-04-01")).rows[0]["move"] == "same", "the month of this decision is before"
    table = dmn.RAW["category"].replace(b'<outputEntry><text>"dibao"</text>', b'<outputEntry><text>"low_income"</text>', 1)
    assert whatif.run(district.bureau, of_decisions(table)).rows[0]["after"] == "low_income"
    for since, until in (("2018-12-01", "2018-12-02"), ("2019-01-01", "2019-12-31")):
        assert whatif.run(district.bureau, of_decisions(since=since, until=until)).rows == []
    assert len(whatif.run(district.bureau, of_decisions(since=on, until=on)).rows) == 1
    assert whatif.run(district.bureau, of_decisions(scope="120116005")).rows == []
    assert "decided_on" in next(whatif.csv_lines([row])) and f",{on}," in list(whatif.csv_lines([row]))[1]
    with district.office.snapshot() as conn, pytest.raises(whatif.TooMany, match="1 件个案"):
        whatif.look(district.bureau, conn, asked, "120116", 0)
    assert entries_of(district) == before, "nothing was written"
    with district.office.store.write() as conn:
        conn.execute(delete(store.subject_key))
    (row,) = whatif.run(district.bureau, of_decisions()).rows
    assert (row["reason"], row["recorded_fen"]) == ("no_figures", 66_000)


def test_a_refusal_by_its_figures_would_have_come_out_otherwise(district):
    district.to_refusal()
    higher = b'dibao_standard_urban:\n  - {from: 2018-12-01, value: "2100", source: x}\n'
    report = whatif.run(district.bureau, of_decisions(higher))
    (row,) = report.rows
    assert (row["status"], row["recorded"], row["before"], row["after"], row["after_fen"], row["move"], row["differs"]) == ("refused", "refused_income", "refused_income", "dibao", 30_000, "enters", False)
    with district.office.read() as conn:
        (found,) = whatif_decisions.of_cases(conn, district.office.keys.on(conn), [district.case()["id"]], *of_decisions().period)
    assert found.follows and found.figures["members"][0]["income"][0]["source"] == "declared"


@pytest.mark.parametrize(("facts", "gave", "came"), [
    ({"decision": "granted", "category": "dibao", "amount_fen": 5}, ("dibao", 5), ("granted", "dibao", 5, True)),
    ({"decision": "granted", "category": "dibao", "amount_fen": 9}, ("dibao", 5), ("granted", "dibao", 9, False)),  # as the meeting resolved
    ({"decision": "refused", "reason_code": "income_over"}, ("refused_income", 0), ("refused", "refused_income", 0, True)),
    ({"decision": "refused", "reason_code": "hukou"}, ("refused_income", 0), ("refused", "refused_income", 0, False)),
    ({"decision": "refused", "reason_code": "false_statement"}, ("dibao", 5), ("refused", "refused", 0, False)),
    ({"decision": "terminated"}, ("refused_income", 0), ("terminated", "refused_income", 0, False)),
    ({"decision": "approved", "conclusion": "keep", "benefit_category": "dibao", "benefit_fen": 5, "category": "dibao", "amount_fen": 5}, ("dibao", 5), ("keep", "dibao", 5, True)),
    ({"decision": "approved", "conclusion": "increase", "benefit_fen": 5, "category": "dibao", "amount_fen": 9, "decided_fen": 9}, ("dibao", 9), ("increase", "dibao", 9, True)),
    ({"decision": "approved", "conclusion": "decrease", "category": "dibao", "amount_fen": 9, "decided_fen": 4}, ("dibao", 9), ("decrease", "dibao", 4, False)),  # a share was taken
    ({"decision": "approved", "conclusion": "stop", "reason_code": "income_over"}, ("refused_income", 0), ("stop", "refused_income", 0, True)),
    ({"decision": "approved", "conclusion": "stop", "reason_code": "death_single"}, ("refused_income", 0), ("stop", "refused_income", 0, False)),
    ({"decision": "approved", "conclusion": "suspend", "benefit_category": "dibao", "benefit_fen": 5}, ("dibao", 5), ("suspend", "dibao", 5, False)),
    ({"decision": "approved", "conclusion": "grace", "benefit_category": "dibao", "benefit_fen": 5}, ("refused_income", 0), ("grace", "dibao", 5, False))])  # fmt: skip
def test_whether_a_decision_follows_from_its_figures(facts, gave, came):
    assert whatif_decisions._outcome(facts, dict(zip(("category", "amount_fen"), gave, strict=True))) == came


def test_every_process_that_assesses_a_household_is_tried():
    rules = whatif_decisions.RULES
    assert {key: process.services.keys() & set(rules.values()) for key, process in bureaus.CATALOGUE.items() if process.services.keys() & set(rules.values())} == {
        key: {rules[key.split("-")[0]]} for key in bureaus.CATALOGUE if key.split("-")[0] in rules}  # fmt: skip


@pytest.mark.parametrize(("asked", "field"), [
    ({"over": "cases"}, "over"), ({"from_on": "2018-01-01"}, "from_on"), ({"until_on": "2018-01-01"}, "until_on"), ({"over": "decisions"}, "from_on"), ({"over": "decisions", "from_on": "2018-01-01"}, "until_on"),
    ({"over": "decisions", "from_on": "2018-01-02", "until_on": "2018-01-01"}, "until_on"), ({"over": "decisions", "from_on": "2018-02-30", "until_on": "2018-03-01"}, "from_on"),
    ({"over": "decisions", "from_on": "2010-01-01", "until_on": "2010-12-31", "on": ""}, "on"), ({"on": ""}, "on")])  # fmt: skip
def test_bad_periods_are_refused(asked, field):
    with pytest.raises(Invalid) as refused:
        question(FEW, **{"on": "2018-12-01", **asked})
    assert refused.value.fields.keys() == {field}


def test_a_run_that_was_killed_goes_on(town, processes, tmp_path, monkeypatch):
    """kill -9 between two chunks: what was computed is taken up, and the whole is the same."""
    file = tmp_path / "kept"
    child = processes.Process(target=killed.die_trying, args=(town.settings, (CHANGES,), MANY // 3, str(file)))
    child.start()
    child.join(60)
    assert child.exitcode == -9 and file.read_bytes().count(b"\n") == 2, "the question, and one chunk"
    monkeypatch.setattr(whatif, "CHUNK", MANY // 3)
    went_on = whatif.run(town, question(), resume=file)
    assert (went_on.earlier, file.exists()) == (MANY // 3, False)
    assert went_on.rows == whatif.run(town, question()).rows


@pytest.mark.parametrize(("text", "line", "zh", "en"), [
    ('dibao_standard_urban:\n  - {from: 2018-12-01, value: "980", source: x}\ndibao_standard_urban:\n  - {from: 2018-12-01, value: "981", source: x}\n', 3, "写了两次", "said twice"),
    ('dibao_standard_urban:\n  - {from: 2018-12-01, value: "980", source: x}\n  - {from: 2018-12-01, value: "990", source: x}\n', 3, "日期重叠", "overlap"),
    ('dibao_standard_urban:\n  - {from: 2018-12-01, value: "980", source: x}\n  - {from: 2018-11-01, value: "990", source: x}\n', 3, "日期重叠", "overlap"),
    ('\nstandard:\n  - {from: 2018-12-01, value: "980", source: x}\n', 2, "没有参数", "no parameter"),
    ('# later\ndibao_standard_urban:\n  - {from: 2019-01-01, value: "980", source: x}\n', 2, "还没有可试算的值", "no value for 2018-12"),
    ('dibao_standard_urban:\n  - {from: 2018-12-02, value: "980", source: x}\n', 1, "还没有可试算的值", "no value for 2018-12"),
    ('dibao_standard_urban:\n  - {from: 2018-12-01, value: "980", source: x, until: 2019-01-01}\n', 2, "没有 until 这一列", "no column until"),
    ('dibao_standard_urban:\n  - {from: 2018-12-01, from: 2018-11-01, value: "980", source: x}\n', 2, "from 写了两次", "from is said twice"),
    ('dibao_standard_urban:\n  - {from: 2018-12-01, value: "980"}\n', 2, "缺少 source", "source is missing"),
    ("dibao_standard_urban:\n  - {from: 2018-12-01, value: 980, source: x}\n", 2, "value 不合适", "does not fit"),
    ('dibao_standard_urban:\n  - {from: 2018-12-01, value: "0", source: x}\n', 2, "value 不合适", "does not fit"),
    ('dibao_standard_urban:\n  - {from: 2018-12-01, value: "2/3", source: x}\n', 2, "value 不合适", "does not fit"),
    ('low_income_upper_operator:\n  - {from: 2018-12-01, value: ">", source: x}\n', 2, "value 不合适", "does not fit"),
    ('income_window_months_urban:\n  - {from: 2018-12-01, value: "0", source: x}\n', 2, "value 不合适", "does not fit"),
    ('dibao_standard_urban:\n  - {from: soon, value: "980", source: x}\n', 2, "from 应为日期", "from is a day"),
    ('dibao_standard_urban:\n  - {from: 2018-02-31, value: "980", source: x}\n', 2, "from 应为日期", "from is a day"),
    ("dibao_standard_urban: 980\n", 1, "至少要有一行", "at least one row"),
    ('notice_days:\n  - [1]\nheating_share:\n  - {from: 2018-12-01, value: "0.5", source: x}\n', 3, "不影响每月", "no monthly amount"),
    ("a: [1\nb: 2\n", 2, "不是正确的 YAML", "not valid YAML"),
    ("- 1\n", 1, "参数名", "table of names"),
    ("[" * 5000, 1, "", ""),
    ("", 1, "参数名", "table of names"),
    (dmn.RAW["spot-share"].decode(), 0, "", ""),
    (dmn.RAW["category"].decode().replace("&lt; 1</text>", "&lt;= 1</text>", 1), 0, "", "e.g. "),
    (dmn.RAW["category"].decode().replace("income_share", "share", 1), 0, "输入与程序给的不符", "inputs that nobody gives"),
    (dmn.RAW["category"].decode().replace('"refused_vehicle"', '"free_car"'), 0, "没有这种结果", "no such outcome"),
    ("<x", 1, "", "")])  # fmt: skip
def test_bad_files_are_refused_with_line_and_reason(text, line, zh, en):
    with pytest.raises(whatif_law.BadChange) as refused:
        question(text.encode())
    said = refused.value
    assert any(f.line == line or not line for f in said.faults), said.faults
    assert any(zh in f.zh and en in f.en for f in said.faults), said.faults
    assert said.fields["law"][0].startswith(f"第 {said.faults[0].line} 行：") and said.english["law"][0].startswith("line ")


def test_the_shipped_file_changes_nothing(town):
    """The law in force, given as a changed one: every household stays."""
    asked = question(b"dibao_standard_urban:\n" + law.RAW["parameters.yaml"].partition(b"dibao_standard_urban:\n")[2].partition(b"dibao_standard_rural")[0], dmn.RAW["category"])
    assert {row["move"] for row in whatif.run(town, asked).rows} <= {"same", None}
    assert asked.changed.told(asked.month)["values"] == [{"name": "dibao_standard_urban", "before": "920", "after": "920", "since": "2018-04-01", "source": "T18"}]
    assert json.loads(asked.key(town.office.today()))[0] == "whatif"


def test_a_whole_file_with_one_value_changed_tries_that_value():
    raw = law.RAW["parameters.yaml"].decode()
    assert question(raw.replace('"920"', '"980"', 1).encode()).changed.rows.keys() == {"dibao_standard_urban"}
    later = next(v.name for v in law._LAW["member_excluded_military"])
    for odd, why in ((raw.replace("year_end_urban:", "year_end_odd:", 1), "没有参数"), (law.RAW["procedure.yaml"].decode().replace('value: "', 'value: "1', 1), "不影响每月"),
                     (raw.partition(f"{later}:")[1] + raw.partition(f"{later}:")[2].partition("\n\n")[0].replace("2022-01-01", "2023-01-01"), "还没有可试算的值")):  # fmt: skip
        with pytest.raises(whatif_law.BadChange) as refused:
            question(odd.encode())
        assert any(why in fault.zh for fault in refused.value.faults), why
    with pytest.raises(whatif_law.BadChange, match="没有给出任何改动"):
        question(law.RAW["procedure.yaml"].partition(b"investigation_start_workdays:")[0])


@pytest.mark.parametrize(("on", "margin", "field"), [("2018-13-01", "", "on"), ("1900-01-01", "", "on"), ("x", "", "on"), ("2018-12-01", "-1", "margin"), ("2018-12-01", "much", "margin")])
def test_bad_questions_are_refused(on, margin, field):
    with pytest.raises(Invalid) as refused:
        question(FEW, on=on, margin=margin)
    assert field in refused.value.fields
