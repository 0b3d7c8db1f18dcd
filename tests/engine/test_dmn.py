"""Decision tables: read strictly, checked over every elementary cell, decided exactly."""

from __future__ import annotations

import itertools
import random
from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest

from engine import dmn
from engine.dmn import BadTable, NoDecision, Shelf, Table, noting, read_test

DAY = 'date("2021-07-01")'


def dmn_of(rows, inputs=(("x", "number", ""),), policy="UNIQUE", outputs=(("y", "string", ""),), extra=""):
    """rows: (cells of inputs …, cells of outputs …)."""
    heads = [f'<input><inputExpression typeRef="{kind}"><text>{name}</text></inputExpression>'
             + (f"<inputValues><text>{esc(values)}</text></inputValues>" if values else "") + "</input>" for name, kind, values in inputs]  # fmt: skip
    heads += [f'<output name="{name}" typeRef="{kind}">' + (f"<outputValues><text>{esc(values)}</text></outputValues>" if values else "") + "</output>" for name, kind, values in outputs]
    lines = []
    for n, row in enumerate(rows):
        cells = [f"<{'input' if i < len(inputs) else 'output'}Entry><text>{esc(cell)}</text></{'input' if i < len(inputs) else 'output'}Entry>" for i, cell in enumerate(row)]
        lines.append(f'<rule id="r{n}">{"".join(cells)}</rule>')
    return (f'<definitions xmlns="{dmn.MODEL}"><decision id="tried"><decisionTable id="t" hitPolicy="{policy}">'
            f'{"".join(heads)}{"".join(lines)}{extra}</decisionTable></decision></definitions>').encode()  # fmt: skip


def esc(text):
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def found(xml, inputs=None):
    return {(f.rule, f.element): f.example for f in dmn.faults(xml, inputs)}


def test_a_sound_table_decides_exactly():
    table = Table.load(dmn_of([("< 1", '"low"'), ("[1..2)", '"mid"'), (">= 2", '"high"')]))
    said = [table.decide({"x": x}) for x in (Decimal("0.99"), 1, Fraction(5, 3), Decimal("2.00"))]
    assert [(one["y"], one.rules) for one in said] == [("low", ("r0",)), ("mid", ("r1",)), ("mid", ("r1",)), ("high", ("r2",))]
    assert said[2].said() == {"table": "tried", "inputs": {"x": "5/3"}, "rules": ["r1"], "outputs": [{"y": "mid"}]}
    assert table.again(said[2].said()) == said[2].said()


@pytest.mark.parametrize("given", [{}, {"x": 1, "z": 1}, {"z": 1}, {"x": 1.5}, {"x": True}, {"x": "1"}, {"x": None}])
def test_other_inputs_are_refused_by_the_tables_name(given):
    with pytest.raises(NoDecision, match="tried"):
        Table.load(dmn_of([("-", '"a"')])).decide(given)


def test_no_match_is_an_error_that_names_table_and_inputs():
    gapped = Table.parse(dmn_of([("< 1", '"a"')]))
    with pytest.raises(NoDecision, match=r"tried.*no row fits.*x = 3"):
        gapped.decide({"x": 3})
    closed = Table.load(dmn_of([("-", '"a"')], inputs=(("x", "number", "[0..10]"),)))
    with pytest.raises(NoDecision, match=r"tried.*outside"):
        closed.decide({"x": 11})


def test_two_matches_of_unique_are_an_error_also_when_nobody_checked():
    with pytest.raises(NoDecision, match="more than one row"):
        Table.parse(dmn_of([("-", '"a"'), ("1", '"b"')])).decide({"x": 1})


def test_first_takes_the_first_and_collect_all():
    rows = [("< 5", '"a"'), ("< 9", '"b"'), ("-", '"c"')]
    assert Table.load(dmn_of(rows, policy="FIRST")).decide({"x": 1}).rules == ("r0",)
    every = Table.load(dmn_of(rows, policy="COLLECT")).decide({"x": 6})
    assert (every.rules, [one["y"] for one in every.found]) == (("r1", "r2"), ["b", "c"])


# -- what is refused, and the inputs that show it

OVERLAPS = [
    ([("<= 5", '"a"'), (">= 5", '"b"')], "number", {"x": 5}),
    ([("< 5", '"a"'), ("[4..9]", '"b"'), ("> 9", '"c"')], "number", {"x": 4}),
    ([(f"<= {DAY}", '"a"'), (f">= {DAY}", '"b"')], "date", {"x": date(2021, 7, 1)}),
    ([("true", '"a"'), ("-", '"b"')], "boolean", {"x": True}),
]
GAPS = [
    ([("< 5", '"a"'), ("> 5", '"b"')], "number", "", {"x": 5}),
    ([("<= 5", '"a"'), (">= 6", '"b"')], "number", "", {"x": Fraction(11, 2)}),
    ([("[0..1)", '"a"'), ("(1..2]", '"b"')], "number", "[0..2]", {"x": 1}),
    ([(f"< {DAY}", '"a"'), (f"> {DAY}", '"b"')], "date", "", {"x": date(2021, 7, 1)}),
    ([('"p"', '"a"'), ('"q"', '"b"')], "string", '"p", "q", "r"', {"x": "r"}),
    ([('not("p", "q")', '"a"'), ('"p"', '"b"')], "string", '"p", "q", "r"', {"x": "q"}),
    ([("true", '"a"')], "boolean", "", {"x": False}),
]


@pytest.mark.parametrize(("rows", "kind", "example"), OVERLAPS)
def test_overlapping_rows_of_unique_with_the_example(rows, kind, example):
    assert found(dmn_of(rows, (("x", kind, ""),)))["dmn-overlap", "r1"] == example
    assert not any(rule == "dmn-overlap" for rule, _ in found(dmn_of(rows, (("x", kind, ""),), policy="COLLECT")))


@pytest.mark.parametrize(("rows", "kind", "domain", "example"), GAPS)
@pytest.mark.parametrize("policy", dmn.POLICIES)
def test_gaps_with_the_example(rows, kind, domain, example, policy):
    assert found(dmn_of(rows, (("x", kind, domain),), policy=policy)) == {("dmn-gap", "t"): example}


def test_days_are_no_numbers_nothing_lies_between_two_that_follow():
    rows = [(f"<= {DAY}", '"a"'), ('>= date("2021-07-02")', '"b"')]
    assert found(dmn_of(rows, (("x", "date", ""),))) == {}


def test_a_row_that_an_earlier_one_takes_is_never_used():
    rows = [("< 5", '"a"'), ("[1..2]", '"b"'), ("-", '"c"')]
    assert found(dmn_of(rows, policy="FIRST")) == {("dmn-unreachable", "r1"): {"x": 1}}
    outside = dmn_of([("-", '"a"'), ("> 20", '"b"')], (("x", "number", "[0..10]"),), policy="COLLECT")
    assert found(outside) == {("dmn-unreachable", "r1"): None}


def test_overlap_in_two_inputs_only_where_both_meet():
    rows = [("< 5", "true", '"a"'), (">= 5", "-", '"b"'), ("< 5", "false", '"c"')]
    inputs = (("x", "number", ""), ("z", "boolean", ""))
    assert found(dmn_of(rows, inputs)) == {}
    assert found(dmn_of([*rows[:2], ("<= 5", "false", '"c"')], inputs)) == {("dmn-overlap", "r2"): {"x": 5, "z": False}}


TYPE_FAULTS = [
    ("dmn-type", dmn_of([('"a"', '"a"')])),
    ("dmn-type", dmn_of([("", '"a"')])),
    ("dmn-type", dmn_of([("1.", '"a"')])),
    ("dmn-type", dmn_of([("[2..1]", '"a"')])),
    ("dmn-type", dmn_of([("1 2", '"a"')])),
    ("dmn-type", dmn_of([("１", '"a"')])),
    ("dmn-type", dmn_of([("x < 3", '"a"')])),
    ("dmn-type", dmn_of([("not(1", '"a"')])),
    ("dmn-type", dmn_of([('date("2021-02-30")', '"a"')], (("x", "date", ""),))),
    ("dmn-type", dmn_of([('< "a"', '"a"')], (("x", "string", '"a"'),))),
    ("dmn-type", dmn_of([('"b"', '"a"')], (("x", "string", '"a"'),))),
    ("dmn-type", dmn_of([("-", "1")])),
    ("dmn-type", dmn_of([("-", "x + 1")], outputs=(("y", "number", ""),))),
    ("dmn-type", dmn_of([("-", '"z"')], outputs=(("y", "string", '"a", "b"'),))),
    ("dmn-type", dmn_of([("-", '"a"')], (("x", "integer", ""),))),
    ("dmn-no-domain", dmn_of([("-", '"a"')], (("x", "string", ""),))),
    ("dmn-unknown-input", dmn_of([("-", '"a"')], (("a.b", "number", ""),))),
    ("dmn-unknown-input", dmn_of([("-", '"a"')], (("x + 1", "number", ""),))),
    ("dmn-name", dmn_of([("-", "-", '"a"')], (("x", "number", ""), ("x", "number", "")))),
    ("dmn-columns", dmn_of([("-", '"a"', '"b"')])),
    ("dmn-columns", dmn_of([])),
    ("dmn-element", dmn_of([("-", '"a"')], extra="<defaultOutputEntry/>")),
    ("dmn-element", dmn_of([("-", '"a"')]).replace(b"</decision>", b"<informationRequirement/></decision>")),
    ("dmn-hit-policy", dmn_of([("-", '"a"')], policy="ANY")),
    ("duplicate-id", dmn_of([("< 1", '"a"'), (">= 1", '"b"')]).replace(b"r1", b"r0")),
    ("not-dmn", dmn_of([("-", '"a"')]).replace(b"20191111", b"20151101")),
]


@pytest.mark.parametrize(("rule", "xml"), TYPE_FAULTS, ids=[f"{rule}-{n}" for n, (rule, _) in enumerate(TYPE_FAULTS)])
def test_what_means_nothing_is_refused(rule, xml):
    assert {name for name, _ in found(xml)} == {rule}
    with pytest.raises(BadTable):
        Table.load(xml)


def test_inputs_that_nobody_gives():
    xml = dmn_of([("-", '"a"')])
    assert found(xml, {"x"}) == {}
    assert found(xml, {"z"}).keys() == {("dmn-unknown-input", "t")}


_MANY = tuple((f"x{n}", "number", "") for n in range(8))
TOO_LARGE = dmn_of([(*("1, 2, 3" for _ in _MANY), '"a"'), (*("-" for _ in _MANY), '"b"')], _MANY, policy="FIRST")


def test_a_table_too_large_to_be_checked_is_refused_in_words():
    [fault] = dmn.faults(TOO_LARGE)
    assert (fault.rule, "too many" in fault.en) == ("dmn-too-large", True)
    with pytest.raises(BadTable, match="too many"):
        list(Table.parse(TOO_LARGE).boundary_inputs())


# -- the cells are all there is


def test_the_checks_find_what_a_search_over_a_fine_grid_finds():
    """Random tables of two numbers with literals 0..4: a grid of halves from -1 to 5 meets every cell."""
    pick = random.Random(5)
    cells = ["-", "< 2", "<= 2", "> 1", ">= 3", "[1..3]", "(1..3)", "2", "0, 4", "not(2)", "not([1..3))"]
    grid = [Fraction(n, 2) for n in range(-2, 11)]
    for _ in range(60):
        rows = [(pick.choice(cells), pick.choice(cells), '"a"') for _ in range(pick.randint(1, 4))]
        tests = [[read_test(cell, "number") for cell in row[:2]] for row in rows]
        hits = [[n for n, (one, other) in enumerate(tests) if one.holds(x) and other.holds(z)] for x, z in itertools.product(grid, grid)]
        faults = dmn.faults(dmn_of(rows, (("x", "number", ""), ("z", "number", ""))))
        names = {fault.rule for fault in faults}
        assert ("dmn-gap" in names) == ([] in hits), rows
        assert ("dmn-overlap" in names) == any(len(hit) > 1 for hit in hits), rows
        for fault in faults:
            if fault.example and fault.rule != "dmn-unreachable":
                fits = [n for n, (one, other) in enumerate(tests) if one.holds(fault.example["x"]) and other.holds(fault.example["z"])]
                assert (len(fits) == 0) if fault.rule == "dmn-gap" else (len(fits) > 1), (rows, fault)


def test_boundary_tests_go_to_each_boundary_and_beside_it():
    table = Table.load(dmn_of([("< 1", '"a"'), (">= 1", '"b"')]))
    said = [(Fraction(one["inputs"]["x"]), one["outputs"][0]["y"]) for one in table.boundary_tests()]
    assert said == [(0, "a"), (1 - dmn.NEAR, "a"), (1, "b"), (1 + dmn.NEAR, "b"), (2, "b")]
    days = Table.load(dmn_of([(f"< {DAY}", '"a"'), (f">= {DAY}", '"b"')], (("x", "date", '>= date("2021-06-01")'),)))
    assert [one["inputs"]["x"] for one in days.boundary_tests()] == ["2021-06-01", "2021-06-02", "2021-06-30", "2021-07-01", "2021-07-02"]


# -- in use


def test_who_asks_can_be_noted_and_other_tables_lent():
    one, other = (Table.load(dmn_of([("-", cell)])) for cell in ('"a"', '"b"'))
    shelf = Shelf({"tried": one})
    with noting() as outer:
        shelf.decide("tried", x=1)
        with noting() as inner, shelf.lent({"tried": other}):
            assert shelf.decide("tried", x=2)["y"] == "b"
    assert [d["y"] for d in outer] == ["a", "b"]
    assert [d.digest for d in inner] == [other.digest]
    assert shelf.decide("tried", x=1)["y"] == "a"
    assert len(outer) == 2
