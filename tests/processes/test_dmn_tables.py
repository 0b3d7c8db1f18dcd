"""The decision tables in force: sound, pinned cell by cell, and a single changed cell is found by the tests made from them."""

from __future__ import annotations

import gzip
import json
import os
import random
from datetime import date, timedelta
from fractions import Fraction
from pathlib import Path

import pytest
from lxml import etree

from engine.dmn import MODEL, BadTable, NoDecision, Table, faults, of_json, read_test, shown
from processes import dmn, special_cases

GOLDEN = Path(__file__).parent / "data" / "dmn-cells.json.gz"
NAMES = sorted(dmn.RAW)
EACH = 2  # changes of each cell that are tried


def generated():
    return {name: list(dmn.SHELF[name].boundary_tests()) for name in NAMES}


@pytest.fixture(scope="module")
def pinned():
    if os.environ.get("YINGBAO_PIN_TABLES"):  # after a change of the law that is meant
        said = json.dumps(generated(), ensure_ascii=False, sort_keys=True, indent=0).encode()
        GOLDEN.write_bytes(gzip.compress(said, mtime=0))
    return json.loads(gzip.decompress(GOLDEN.read_bytes()))


@pytest.mark.parametrize("name", NAMES)
def test_each_table_is_sound_and_says_its_sources(name):
    assert faults(dmn.RAW[name]) == []
    table = dmn.SHELF[name]
    assert table.notes == ("source", "unverified", "zh", "en")
    for rule in table.rules:
        source, unverified, zh, en = rule.notes
        assert source and zh and en, rule.id
        assert unverified in ("", "yes")
        assert unverified or source != "design", f"{rule.id}: what is our design is to be confirmed"
    assert all(one.zh != one.name and one.en != one.name for one in (*table.inputs, *table.outputs))


def test_every_cell_says_what_is_pinned_down(pinned):
    assert generated() == pinned


def test_the_forms_reasons_for_the_meeting_are_those_of_its_table():
    [trigger] = [one for one in dmn.SHELF["meeting-trigger"].inputs if one.name == "trigger"]
    assert {code for code, _, _ in special_cases.TRIGGERS} == trigger.domain.points


def mutants(xml):
    """(what was changed, the table with this one cell changed), for every cell of every row."""
    table, tree, pick = Table.parse(xml), etree.fromstring(xml), random.Random(3)
    columns = [*table.inputs, *table.outputs]
    for r, row in enumerate(tree.iter(f"{{{MODEL}}}rule")):
        cells = [cell.find(f"{{{MODEL}}}text") for cell in row if etree.QName(cell).localname in ("inputEntry", "outputEntry")]
        for n, (cell, column) in enumerate(zip(cells, columns, strict=True)):
            was = cell.text
            others = inputs_like(was, column) if n < len(table.inputs) else outputs_like(table.rules[r].values[n - len(table.inputs)], column)
            for text in pick.sample(others, min(len(others), EACH)):
                cell.text = text
                yield (table.rules[r].id, column.name, was, text), etree.tostring(tree)
            cell.text = was


def inputs_like(text, column):
    """Other tests that a hasty hand might write: the next value, a bound in or out, a bound moved a little, nothing asked, the opposite."""
    values = [shown(span.low) for span in column.domain.spans] if column.kind == "string" else ["true", "false"] if column.kind == "boolean" else []
    found = set(values) if text == "-" else {"-", f"not({text})"}
    if values and text != "-":
        known = read_test(text, column.kind).points
        found |= set(values) | {f"{text}, {value}" for value in values if (value == "true" if column.kind == "boolean" else value.strip('"')) not in known}
    if column.kind in ("number", "date") and text != "-":
        for sign, turned in (("<=", "<"), (">=", ">"), ("<", "<="), (">", ">=")):
            if text.startswith(sign):
                found |= {text.replace(sign, turned, 1), text.replace(sign, {"<": ">", ">": "<"}[sign[0]], 1)}
                break
        for point in read_test(text, column.kind).points:
            steps = (point - Fraction(1, 100), point + Fraction(1, 100)) if column.kind == "number" else (point - timedelta(days=1), point + timedelta(days=1))
            found |= {text.replace(shown(point), decimal(step), 1) for step in steps}
    if column.kind in ("number", "date") and text == "-":
        found |= {f"< {decimal(end)}" for end in (Fraction(1), date(2021, 7, 1)) if isinstance(end, date) == (column.kind == "date")}
    return sorted(found - {text})


def decimal(value):
    return shown(value) if isinstance(value, date) else f"{float(value):.2f}"


def outputs_like(value, column):
    if column.kind == "string":
        return [shown(span.low) for span in column.values.spans if span.low != value]
    return [str(value + step) for step in (1, -1) if column.values.holds(Fraction(value + step))] or [str(value / 2)]


def caught(xml, cells):
    """Whether a test made from the original fails on this table: another answer, or none at all. `cells`: inputs, outputs."""
    try:
        table = Table.parse(xml)
        return any(table.decide(inputs).found != wanted for inputs, wanted in cells)
    except (BadTable, NoDecision):
        return True


def in_other_order(name, pinned):
    """As values, so that the thousand tables of the test below are quick; in a fixed order in which most find a change soon."""
    table = dmn.SHELF[name]
    kinds, outputs = {one.name: one.kind for one in table.inputs}, {one.name: one.kind for one in table.outputs}
    cells = [({n: of_json(v, kinds[n]) for n, v in one["inputs"].items()}, tuple({n: of_json(v, outputs[n]) for n, v in out.items()} for out in one["outputs"])) for one in pinned]
    random.Random(7).shuffle(cells)
    return cells


def test_a_single_changed_cell_is_found_by_the_generated_tests(pinned):
    missed, tried = [], 0
    for name in NAMES:
        cells = in_other_order(name, pinned[name])
        changed = list(mutants(dmn.RAW[name]))
        found = [(name, *what) for what, xml in changed if not caught(xml, cells)]
        print(f"{name}: {len(changed) - len(found)} of {len(changed)} changed cells found")  # noqa: T201
        assert changed, name
        missed, tried = missed + found, tried + len(changed)
        assert caught(dmn.RAW[name], cells) is False
    print(f"in all {tried - len(missed)} of {tried}, {(tried - len(missed)) / tried:.1%}")  # noqa: T201
    assert tried > 240
    assert len(missed) <= tried // 20, missed
