"""Gateways of our drawings: the conditions exclude each other, and lead where the order in the file had led before they did."""

from __future__ import annotations

import itertools
import pathlib

import pytest
from lxml import etree

from engine.expression import ExpressionError, compile_expression
from engine.lint_ways import Ways

ROOT = pathlib.Path(__file__).parents[2]
DRAWINGS = sorted((ROOT / "processes" / "bpmn").glob("*.bpmn"))
B = "{http://www.omg.org/spec/BPMN/20100524/MODEL}"
# Golden histories run on these: the last drawings whose conditions overlapped.
BEFORE = {
    "dibao-2012.bpmn": "1ec55b188481c383929bcb6ce33bea2126eeb922e8fa1f1b410c05b178e06cad",
    "joint-meeting.bpmn": "91e15a246292f842eab677dc421af29079376682db837277a9591ff6bc0d3b09",
}


RENAMED = {"f_check_result_gw__reject_after_check": "f_check_result_gw__issue_check_rejection"}  # the letter is issued, then delivered


def gateways(file):
    """gateway -> {flow: condition}, in the order in which the engine tries them; those with a condition only."""
    process = etree.parse(str(file)).getroot()
    flows = {f.get("id"): f for f in process.iter(f"{B}sequenceFlow")}
    found = {}
    for gateway in process.iter(f"{B}exclusiveGateway"):
        out = [flows[e.text] for e in gateway.findall(f"{B}outgoing")]
        said = {f.get("id"): f.find(f"{B}conditionExpression") for f in out}
        found[gateway.get("id")] = {flow: c.text for flow, c in said.items() if c is not None}
    return found


def holds(text, facts):
    try:
        return bool(compile_expression(text).evaluate(facts))
    except ExpressionError:
        return False


@pytest.mark.parametrize("file", DRAWINGS, ids=lambda f: f.name)
def test_no_two_ways_are_open_at_once(file):
    """Tried apart from the lint, on more values than it needs."""
    several = {name: said for name, said in gateways(file).items() if len(said) > 1}
    assert several or file.name in ("self-care.bpmn", "payment-run.bpmn"), "a short road with one condition at each fork"
    for name, said in several.items():
        for facts in every(said.values()):
            assert sum(holds(text, facts) for text in said.values()) <= 1, (name, facts)


@pytest.mark.parametrize("name", BEFORE)
def test_the_way_is_the_one_that_the_order_had_chosen(name):
    old, new = gateways(ROOT / "tests" / "histories" / "drawings" / f"{BEFORE[name]}.bpmn"), gateways(ROOT / "processes" / "bpmn" / name)
    assert old.keys() == new.keys()
    old = {gateway: {RENAMED.get(flow, flow): text for flow, text in ways.items()} for gateway, ways in old.items()}
    new = {gateway: {flow: text for flow, text in ways.items() if flow in old[gateway]} for gateway, ways in new.items()}  # some were drawn later
    changed = {gateway for gateway in old if old[gateway] != new[gateway]}
    assert changed, "there was an overlap"
    for gateway in changed:
        assert list(old[gateway]) == list(new[gateway])
        assert list(Ways(old[gateway]).overlaps())
        for facts in every([*old[gateway].values(), *new[gateway].values()]):
            first = [next((flow for flow, text in ways[gateway].items() if holds(text, facts)), None) for ways in (old, new)]
            assert first[0] == first[1], (gateway, facts)


def every(texts):
    """All facts of the conditions with all words that stand in any of them, and other values."""
    compiled = [compile_expression(text) for text in texts]
    names = sorted(frozenset().union(*(one.names for one in compiled)))
    words = {word for text in texts for word in text.split("'")[1::2]}
    values = [None, True, False, 0, 1, 2, "", "other", [], [1], *sorted(words)]
    assert len(values) ** len(names) < 2_000_000
    for one in itertools.product(values, repeat=len(names)):
        yield dict(zip(names, one, strict=True))
