"""A way that was gone once is known: it leads to the same bytes as SpiffWorkflow, asks the same, and calls no service twice."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from engine import bpmn
from engine.bpmn import Drawing, Run
from engine.expression import compile_expression
from engine.spiff import Tokens
from processes.dibao_2012 import DIBAO_2012

NOW = datetime(2018, 12, 3, 1, tzinfo=UTC)
XML = DIBAO_2012.drawing.xml


def drawing() -> Drawing:
    """A drawing of which nothing is known yet."""
    bpmn._parse.cache_clear()
    return Drawing.parse(XML)


def facts_of(found: Drawing) -> dict[str, Any]:
    """Every name that the drawing reads, unknown."""
    tags = [f"{{{bpmn.BPMN}}}{name}" for name in ("conditionExpression", "timeDate")]
    return dict.fromkeys(set().union(*(compile_expression(e.text).names for e in etree.fromstring(found.xml).iter(*tags))))


class Case:
    def __init__(self, found: Drawing) -> None:
        self.drawing, self.called = found, list[str]()
        self.run = Run.start(found, facts_of(found), NOW)
        self.go("start")

    def go(self, kind: str, what: str = "", **facts: Any) -> bytes:
        self.run.facts.update(facts)
        self.run.go((kind, what), self._call)
        state = self.run.dump()
        self.run = Run.load(self.drawing, state, NOW)
        return state

    def _call(self, service: str, _facts: Any) -> dict[str, Any]:
        self.called.append(service)
        return {"near_relative": self.run.facts.get("want_near")} if service == "accept" else {}

    def answer(self, node: str, **facts: Any) -> bytes:
        [key] = [key for key, of in self.run.open_tasks().items() if of == node]
        return self.go("answer", key, **facts)


def test_the_second_case_goes_the_same_way_without_spiffworkflow(monkeypatch):
    found = drawing()
    first = Case(found)
    states = [first.answer("completeness_check", complete=True), first.answer("neighbor_enquiry")]
    Run.load(found, states[-1], NOW)  # the place is known, too

    def asleep(*_: Any) -> Tokens:
        raise AssertionError("SpiffWorkflow was woken for a known way")

    monkeypatch.setattr(Tokens, "restore", asleep)
    monkeypatch.setattr(Tokens, "start", asleep)
    second = Case(found)
    assert [second.answer("completeness_check", complete=True), second.answer("neighbor_enquiry")] == states
    assert second.called == first.called
    assert len(set(first.called)) == len(first.called)


def test_another_answer_on_a_known_way_leads_elsewhere_and_no_service_is_called_twice():
    found = drawing()
    straight = Case(found)
    straight.answer("completeness_check", complete=True)
    near = Case(found)
    near.run.facts["want_near"] = True  # the service says so: the way is known up to the question behind it
    state = near.answer("completeness_check", complete=True)
    assert (near.called, list(near.run.open_tasks().values())) == (["accept"], ["register_near_relative"])
    assert straight.called[0] == "accept"
    alone = Case(drawing())
    alone.run.facts["want_near"] = True
    assert alone.answer("completeness_check", complete=True) == state


def test_true_is_not_one_and_a_service_that_fails_teaches_no_end():
    assert len({bpmn._answer(value) for value in (True, 1, 1.0, "1", None, False, 0)}) == 7
    found = drawing()
    case = Case(found)
    case.run.facts["complete"] = True
    [key] = [key for key, node in case.run.open_tasks().items() if node == "completeness_check"]
    before = case.run.open_tasks()

    def broken(_service: str, _facts: Any) -> Any:
        raise ValueError("the snapshot is not here")

    for _ in range(2):
        with pytest.raises(ValueError, match="not here"):
            case.run.go(("answer", key), broken)
        assert case.run.open_tasks() == before
    case.run.go(("answer", key), case._call)
    assert set(case.run.open_tasks().values()) == {"home_survey", "neighbor_enquiry"}


def test_a_way_that_asks_something_else_than_before_is_refused():
    ways = bpmn._Ways()
    ways.learn("here", [("value", "a", True)], bpmn.Place("x"))
    with pytest.raises(RuntimeError, match="asked two things"):
        ways.learn("here", [("value", "b", True)], bpmn.Place("x"))


def test_what_is_known_has_an_end(monkeypatch):
    monkeypatch.setattr(bpmn, "_KNOWN", 3)
    found = drawing()
    for _ in range(2):
        case = Case(found)
        for node, facts in (("completeness_check", {"complete": True}), ("neighbor_enquiry", {}), ("home_survey", {}), ("survey_cosign", {})):
            case.answer(node, **facts)
            assert len(found.ways.moves) <= 3
            assert len(found.ways.places) <= 3
    assert case.run.waits_for() >= {"withdrawal", "registry_answer"}


SHARED = Drawing.parse(XML)
NAMES = sorted(facts_of(SHARED))
WORDS = {"agree", "check_conclusion", "decision", "district_outcome", "resolution", "review_conclusion", "signoff", "street_outcome", "category"}
STEPS = st.lists(st.tuples(st.integers(0, 30), st.booleans(), st.sampled_from(["agree", "disagree", "consistent", "query_again", "propose_grant", "return_survey",
                                                                              "propose_refuse", "joint_meeting", "granted", "none"])), max_size=14)  # fmt: skip


@given(STEPS)
def test_known_and_unknown_ways_come_to_the_same_bytes(steps):
    """One drawing knows what all examples before taught it; the other's knowledge is thrown away before each move."""
    known, fresh = Case(SHARED), Case(drawing())
    for n, yes, word in steps:
        fresh.drawing.ways.moves.clear()
        fresh.drawing.ways.places.clear()
        choices = [("answer", key) for key in known.run.open_tasks()] + [("deliver", name) for name in sorted(known.run.waits_for())] + [("tick", ""), ("go", "")]
        move = choices[n % len(choices)]
        said = {name: word if name in WORDS else yes for name in NAMES}
        said |= {name: (NOW + timedelta(days=n - 15)).isoformat() for name in NAMES if name.endswith("_until")}
        results = []
        for case in (known, fresh):
            try:
                results.append(case.go(*move, **said))
            except Exception as error:  # noqa: BLE001 - a drawing that cannot go on says so in the same words on both
                results.append(repr(error).encode())
        assert results[0] == results[1]
        if b'"last":' not in results[0]:
            break
        assert json.loads(results[0])["last"]
        assert known.called == fresh.called
        assert known.run.path() == fresh.run.path()
