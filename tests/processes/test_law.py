"""The law as dated data: what it says on a day, and which files it refuses."""

from __future__ import annotations

import re
from dataclasses import FrozenInstanceError
from datetime import date
from decimal import Decimal
from fractions import Fraction
from importlib import resources
from itertools import pairwise

import pytest

from processes import law
from processes.law import about

# domain 3.1: from, then dibao u/r, band u/r, cash u/r, destitute urban / rural institutional / rural dispersed
TABLE = [
    ("2015-04-01", "705 540 1058 810 212 162 1410 1080 810"),
    ("2016-04-01", "780 700 1170 1050 234 210 1560 1400 1050"),
    ("2017-04-01", "860 860 1290 1290 258 258 1720 1720 1290"),
    ("2018-04-01", "920 920 1380 1380 276 276 1780 1780 1380"),
    ("2019-04-01", "980 980 1470 1470 294 294 1840 1840 1470"),
    ("2020-09-01", "1010 1010 1515 1515 303 303 1870 1870 1530"),
    ("2025-09-01", "1045 1045 1567.50 1567.50 314 314 1870 1870 1530"),
]
COLUMNS = [
    *(f"{n}_{k}" for n in ("dibao_standard", "low_income_limit", "low_income_cash") for k in ("urban", "rural")),
    "destitute_urban",
    "destitute_rural_institutional",
    "destitute_rural_dispersed",
]


@pytest.mark.parametrize(("since", "amounts"), TABLE)
def test_published_amounts(since: str, amounts: str) -> None:
    on = date.fromisoformat(since)
    assert [law.value(name, on).text for name in COLUMNS] == amounts.split()


@pytest.mark.parametrize(("before", "after"), list(pairwise(TABLE)))
def test_amounts_hold_until_the_day_before_the_next(before: tuple[str, str], after: tuple[str, str]) -> None:
    last = date.fromordinal(date.fromisoformat(after[0]).toordinal() - 1)
    assert [law.value(name, last).text for name in COLUMNS] == before[1].split()


@pytest.mark.parametrize(
    ("on", "wage"),
    [
        ("2016-07-01", 1950),
        ("2017-06-30", 1950),
        ("2017-07-01", 2050),
        ("2021-07-01", 2180),
        ("2023-11-01", 2320),
        ("2025-09-01", 2510),
    ],
)
def test_minimum_wage(on: str, wage: int) -> None:
    assert law.value("minimum_wage", date.fromisoformat(on)).amount == wage


@pytest.mark.parametrize(
    ("on", "urban", "rural"),
    [("2017-04-01", 800, 500), ("2018-04-01", 800, 600), ("2019-04-01", 800, 700), ("2024-01-01", 800, 700)],
)
def test_year_end(on: str, urban: int, rural: int) -> None:
    assert [law.value(f"year_end_{k}", date.fromisoformat(on)).amount for k in ("urban", "rural")] == [urban, rural]


@pytest.mark.parametrize(
    ("on", "operator"), [("2016-04-01", "<"), ("2021-12-31", "<"), ("2022-01-01", "<="), ("2025-09-01", "<=")]
)
def test_upper_edge_by_version(on: str, operator: str) -> None:
    assert law.value("low_income_upper_operator", date.fromisoformat(on)).text == operator


def test_a_value_says_since_when_whence_and_how_sure() -> None:
    found = law.standard(date(2018, 12, 1), "urban")
    assert (found.amount, found.since, found.source, found.unverified) == (Decimal(920), date(2018, 4, 1), "T18", False)
    assert law.value("imputed_wage_share", date(2018, 12, 1)).unverified
    assert law.value("review_representatives_share", date(2018, 12, 1)).fraction == Fraction(2, 3)
    with pytest.raises(FrozenInstanceError):
        found.text = "1"  # type: ignore[misc]


def test_procedure_limits_of_2012_and_2021() -> None:
    then = {
        "investigation_workdays": "10",
        "review_workdays": "5",
        "district_examination_workdays": "5",
        "decision_workdays": "3",
        "objection_recheck_workdays": "20",
        "refusal_notice_days": "3",
        "investigators_minimum": "2",
        "whole_case_alarm_workdays": "38",
    }
    assert {name: law.value(name, date(2018, 12, 3)).text for name in then} == then
    assert law.value("district_examination_workdays", date(2021, 7, 1)).text == "10"
    for left_open in ("check_objection_workdays", "street_objection_recheck_workdays", "meeting_workdays"):
        assert law.value(left_open, date(2018, 12, 3)).unverified


def test_deductions_begin_on_their_day() -> None:
    for name in law.names("deduction_"):
        assert law.in_force(name, date(2020, 8, 31)) is None
        assert law.value(name, date(2020, 9, 1)).unverified
    amounts = {n: law.value(n, date(2020, 9, 1)).text for n in law.names("deduction_")}
    assert amounts["deduction_disability_vision_1"] == "1000"
    assert amounts["deduction_disability_hearing_2"] == amounts["deduction_disability_mental_3"] == "500"
    assert "deduction_disability_limb_3" not in amounts
    assert [amounts[f"deduction_illness_{n}"] for n in ("骨髓移植", "恶性肿瘤", "强直性脊柱炎")] == [
        "1500",
        "1000",
        "500",
    ]
    assert sorted(amounts.values()).count("1500") == 8
    assert len(law.names("deduction_illness_")) == 30


def test_excluded_income_by_day() -> None:
    assert law.excluded_income("scholarship", date(2018, 12, 1)) is not None
    assert law.excluded_income("preferential_allowance", date(2021, 6, 30)) is None
    assert law.excluded_income("preferential_allowance", date(2021, 7, 1)) is not None
    assert law.excluded_income("wage_income", date(2021, 7, 1)) is None


def test_versions() -> None:
    assert law.version(date(2018, 12, 1)) == "TJ-STD-2018"
    assert law.version(date(2019, 3, 31)) == "TJ-STD-2018"
    assert law.version(date(2019, 4, 1)) == "TJ-STD-2019"
    assert law.versions(date(2018, 12, 3))[-1] == "TJ-STD-2018"
    assert "NAT-DIBAO-2021" not in law.versions(date(2021, 6, 30))
    assert "NAT-DIBAO-2021" in law.versions(date(2021, 7, 1))
    assert len(law.versions(date(2025, 9, 1))) == 22


def test_nothing_in_force_and_unknown_names_are_refused() -> None:
    with pytest.raises(law.BadLaw, match="nothing in force on 2010-01-01"):
        law.value("dibao_standard_urban", date(2010, 1, 1))
    with pytest.raises(law.BadLaw, match="no such parameter"):
        law.value("dibao_standard_lunar", date(2018, 1, 1))


def test_files_are_package_data() -> None:
    names = {f.name for f in resources.files("processes.law").iterdir() if f.name.endswith(".yaml")}
    assert names == {
        "parameters.yaml",
        "procedure.yaml",
        "deductions.yaml",
        "destitute.yaml",
        "change_checks.yaml",
        "relation_scope.yaml",
        "excluded_income.yaml",
        "versions.yaml",
        "calendar.yaml", "procedures.yaml",
        "routing.yaml",
        "about.yaml",
    }
    assert set(law.RAW) == names - {"about.yaml"}, "what things are called is no law, and no part of the digest"
    assert len(law.DIGEST) == 64


GOOD = 'a: [{from: 2018-04-01, value: "1", source: T18}]'


def test_a_well_formed_file_is_read() -> None:
    (found,) = law.read(GOOD.encode(), "x.yaml", law._parameter)["a"]
    assert (found.since, found.text) == (date(2018, 4, 1), "1")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("- 1", "table of names"),
        ("", "table of names"),
        ("a: [", "x.yaml"),
        (GOOD + "\n" + GOOD, "said twice: a"),
        ('a: [{from: 2018-04-01, from: 2019-04-01, value: "1", source: T}]', "said twice: from"),
        ("a: []", "at least one"),
        ('a: [{value: "1", source: T18}]', "from, value, source"),
        ('a: [{from: 2018-04-01, value: "1"}]', "from, value, source"),
        ('a: [{from: 2018-04-01, value: "1", source: T18, until: 2019-01-01}]', "nothing else"),
        ('a: [{from: "2018", value: "1", source: T18}]', "from is a date"),
        ('a: [{from: 2018-04-01 10:00:00, value: "1", source: T18}]', "from is a date"),
        ("a: [{from: 2018-04-01, value: 920, source: T18}]", "quoted text"),
        ("a: [{from: 2018-04-01, value: 0.9, source: T18}]", "quoted text"),
        ('a: [{from: 2018-04-01, value: "NaN", source: T18}]', "does not fit"),
        ('a: [{from: 2018-04-01, value: "1e3", source: T18}]', "does not fit"),
        ('a: [{from: 2018-04-01, value: "-1", source: T18}]', "does not fit"),
        ('x_operator: [{from: 2018-04-01, value: "=<", source: T18}]', "does not fit"),
        ('a: [{from: 2018-04-01, value: "1", source: ""}]', "source is a key"),
        ('a: [{from: 2018-04-01, value: "1", source: T18, unverified: "yes"}]', "unverified is"),
        (
            'a: [{from: 2018-04-01, value: "1", source: T}, {from: 2018-04-01, value: "2", source: T}]',
            "dates must rise",
        ),
        ('a: [{from: 2018-04-01, value: "1", source: T}, {from: 2018-04-01, value: "2", source: T, known_from: "x"}]', "known_from is a date"),
        ('b: [{from: 2019-04-01, value: "1", source: T}]\na:\n  - {from: 2019-04-01, value: "1", source: T}\n  - {from: 2018-04-01, value: "2", source: T}', "^x.yaml:4: a: 2018-04-01 stands after"),
        (
            'a: [{from: 2018-04-01, value: "1", source: T, known_from: 2018-06-01},\n {from: 2018-04-01, value: "2", source: T, known_from: 2018-06-01}]',
            "^x.yaml:2: a: two values overlap from 2018-04-01",
        ),
        ('a: [{from: 2018-04-01, value: "1", source: T}]\nb: [{from: 2018-04-01, value: "1", source: T}]\na: [{from: 2018-04-01, value: "1", source: T}]', "^x.yaml:3: said twice: a"),
        ('a: [{from: 2018-04-01, value: "1", source: T, announced: 1}]', "announced"),
        ('2018-12-29: [{from: 2018-04-01, value: "1", source: T18}]', "quoted where they look like dates"),
        ('a: !!python/object/apply:os.system ["true"]', "x.yaml"),
    ],
)
def test_malformed_files_are_refused_and_the_place_named(text: str, words: str) -> None:
    with pytest.raises(law.BadLaw, match=words) as caught:
        law.read(text.encode(), "x.yaml", law._parameter)
    assert str(caught.value).startswith("x.yaml")


def test_a_day_after_the_reading_needs_the_mark_and_the_line_is_named() -> None:
    later = 'a:\n  - {from: 2018-04-01, value: "1", source: T}\n  - {from: 2030-04-01, value: "2", source: T%s}'
    with pytest.raises(law.BadLaw, match="^x.yaml:3: a: 2030-04-01 lies in the future"):
        law.read((later % "").encode(), "x.yaml", law._parameter, date(2026, 11, 27))
    rows = law.read((later % ", announced: true").encode(), "x.yaml", law._parameter, date(2026, 11, 27))["a"]
    assert [row.announced for row in rows] == [False, True]
    assert len(law.read((later % "").encode(), "x.yaml", law._parameter)["a"]) == 2, "a kept text is read as it was"
    with pytest.raises(law.BadLaw, match="lies in the future"):
        law.Book.of({**law.RAW, "parameters.yaml": law.RAW["parameters.yaml"] + (later % "").encode()}, law.ABOUT.read_on)


CORRECTED = """a:
  - {from: 2018-04-01, value: "920", source: T18}
  - {from: 2018-04-01, value: "930", source: T18, known_from: 2018-12-05}
  - {from: 2019-04-01, value: "980", source: T19, known_from: 2019-03-20}
"""


@pytest.mark.parametrize(
    ("on", "known", "text"),
    [
        ("2018-12-01", "2018-12-04", "920"),  # decided before anybody knew better
        ("2018-12-01", "2018-12-05", "930"),
        ("2018-12-01", None, "930"),
        ("2019-04-01", "2019-03-19", "930"),
        ("2019-04-01", "2019-03-20", "980"),
        ("2019-03-31", "2025-01-01", "930"),
    ],
)
def test_what_is_decided_on_a_day_uses_what_was_known_on_it(on: str, known: str | None, text: str) -> None:
    book = law.Book.of({"parameters.yaml": CORRECTED.encode()})
    with law.under(book), law.known(known and date.fromisoformat(known)):  # type: ignore[arg-type]
        assert law.value("a", date.fromisoformat(on)).text == text
        assert [v.text for v in law.every("a")][-1] == ("980" if known is None or known >= "2019-03-20" else text)
        assert len(law.rows("a")) == 3


def test_the_verifier_of_bundles_looks_a_corrected_value_up_by_the_day_of_the_decision() -> None:
    from engine import audit_verify
    from processes.computation import _Sheet

    text = {"parameters.yaml": CORRECTED.encode()}
    read = {file: audit_verify.read_law(raw, file) for file, raw in text.items()}
    with law.under(law.Book.of(text)):
        for known, amount in ((date(2018, 12, 4), "920"), (date(2018, 12, 5), "930"), (None, "930")):
            with law.known(known):
                sheet = _Sheet({}, date(2018, 12, 1))
                name = sheet.law("a")
            assert audit_verify.run_steps(sheet.steps, {}, read)[0][name] == Fraction(amount)


def test_a_paper_that_ended_is_not_cited_by_later_procedures() -> None:
    [row] = [row for row in law._TABLES["procedures.yaml"]["dibao"] if row.text == "dibao-2021"]
    [destitute] = [row for row in law._TABLES["procedures.yaml"]["destitute"] if row.text == "destitute-2021"]
    assert law.ABOUT.ended == {"N220": row.since, "N178": destitute.since}
    assert [law.ABOUT.over(*asked) for asked in (("N220 art 26", "2012"), ("N220 art 26", "2021"), ("N57 art 24", "2021"))] == [False, True, False]
    assert [law.ABOUT.over(*asked) for asked in (("N178", "2016"), ("N178; N178t", "2021"), ("N178c", "2021"), ("", "2021"))] == [False, True, False, False], "N178c, the certificate, is another paper"
    raw = (resources.files(law) / "about.yaml").read_text(encoding="utf-8")
    for good, bad, words in (("N220: {from: 2021-07-01, source", "N220: {from: 2021, source", "from \\(a date\\)"), ("source: N57 art 42}", "source: N99 art 42}", "keys of sources"),
                             ("ended: #", "over: #", "sources, ended and parameters")):  # fmt: skip
        assert raw.count(good) == 1
        with pytest.raises(law.BadLaw, match=words):
            about.read(raw.replace(good, bad).encode())


def test_every_parameter_has_a_name_and_every_source_a_title() -> None:
    for name in (*law.names(), *law._TABLES["procedures.yaml"]):
        told = law.ABOUT.of(name)
        assert told is not None and all(told.title), name
    assert [starred for starred in law.ABOUT.parameters if not starred.endswith("*") and not law.rows(starred)] == [], "no name of nothing"
    cited = {part.strip().split(" art ")[0].split(" part ")[0] for name in law.names() for row in law.rows(name) for part in row.source.replace(";", ",").split(",")}
    assert cited <= set(law.ABOUT.sources)
    assert law.ABOUT.cited("N220 art 18; T18") == (
        "《最低生活保障审核审批办法（试行）》（民发〔2012〕220号）第18条；天津市2018年4月起社会救助标准",
        "Minfa [2012] No. 220 (dibao review and approval), art. 18; Tianjin standards from 2018-04-01",
    )


def test_no_drawing_names_only_papers_that_were_not_in_force_when_its_procedure_began() -> None:
    """Papers of domain 0.2: none that had ended; and in 2018 nobody checked expenses by a paper of 2025."""
    asked = set()
    for place in (resources.files("processes") / "bpmn").iterdir():
        year = place.name.removesuffix(".bpmn").rpartition("-")[2]
        for source in set(re.findall(r' law="([^"]+)"', place.read_text(encoding="utf-8"))) if year.isdecimal() else ():
            papers = [part.strip().split(" ")[0] for part in source.split(";")]
            assert not all(law.ABOUT.over(key, year) for key in papers), (place.name, source)
            assert place.name != "illness-expenditure-2018.bpmn" or papers[0] in {"N220", "N649", "N23"}, source
            asked.add((place.name, source))
    assert len(asked) > 15
