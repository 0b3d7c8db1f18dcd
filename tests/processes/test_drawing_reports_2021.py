"""The drawings of change reports and reviews by the law of 2021, beside those of 2012: what they have in common and what is new."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from lxml import etree

from engine.expression import parse_due
from engine.lint import check_drawing
from processes import law
from processes.bureau import CATALOGUE
from processes.organisation import ROLES

B, YB, DI = "{http://www.omg.org/spec/BPMN/20100524/MODEL}", "{urn:yingbao:bpmn:1}", "{http://www.omg.org/spec/BPMN/20100524/DI}"
KINDS = ("change-report", "review")


def tree(key: str) -> Any:
    return etree.fromstring(CATALOGUE[key].bpmn.read_bytes())


def tasks(key: str) -> dict[str, Any]:
    return {e.get("id"): e.find(f"{B}extensionElements/{YB}task") for e in tree(key).iter(f"{B}userTask")}


def flows(key: str) -> dict[tuple[str, str], str | None]:
    return {(f.get("sourceRef"), f.get("targetRef")): f.findtext(f"{B}conditionExpression") for f in tree(key).iter(f"{B}sequenceFlow")}


@pytest.mark.parametrize("kind", KINDS)
def test_lint_finds_nothing_and_everything_is_drawn_once(kind):
    key = f"{kind}-2021"
    assert check_drawing(CATALOGUE[key].bpmn.read_bytes()) == []
    shown = Counter(s.get("bpmnElement") for s in tree(key).iter(f"{DI}BPMNShape"))
    assert set(shown.values()) == {1}
    assert {e.get("id") for e in tree(key).iter(f"{B}lane", f"{B}participant", f"{B}userTask", f"{B}subProcess")} <= set(shown)


@pytest.mark.parametrize("kind", KINDS)
def test_every_task_of_2012_is_there_with_the_same_post_and_a_paper_of_the_later_law(kind):
    older, newer = tasks(f"{kind}-2012"), tasks(f"{kind}-2021")
    assert newer.keys() - older.keys() == {"street_confirmation"}
    assert older.keys() <= newer.keys()
    for node, said in newer.items():
        assert said.get("role") in ROLES
        assert parse_due(said.get("due"))
        assert "N220" not in said.get("law"), node
        assert node not in older or (said.get("role"), said.get("level")) == (older[node].get("role"), older[node].get("level")), node


@pytest.mark.parametrize(("key", "node", "due"), [
    ("change-report-2021", "street_confirmation", "workdays('change_workdays', since='reported_on', stopped='stopped_workdays')"),
    ("change-report-2021", "decide", "workdays('change_workdays', since='reported_on', stopped='stopped_workdays')"),
    ("change-report-2021", "deliver_conclusion", "workdays(3, since='decided_on')"),
    ("review-2021", "street_confirmation", "workdays(20, since='due_on')"),
    ("review-2021", "deliver_conclusion", "workdays(3, since='decided_on')"),
])  # fmt: skip
def test_limits(key, node, due):
    assert tasks(key)[node].get("due") == due


def test_who_confirms_is_asked_after_the_opinion_and_a_stop_for_the_destitute_hangs_before_it_is_confirmed():
    report, review = flows("change-report-2021"), flows("review-2021")
    for drawn in (report, review):
        assert drawn["confirmation_gw", "post_stop_notice"] == "confirmed_by == 'street' and destitute == True and conclusion == 'stop'"
        assert drawn["confirmation_gw", "street_confirmation"] == "confirmed_by == 'street' and (destitute != True or conclusion != 'stop')"
        assert drawn["signoff_gw", "post_stop_notice"] == "signoff != 'return' and destitute == True and conclusion == 'stop'"
        assert drawn["notice_over_gw", "street_confirmation"] == "confirmed_by == 'street'"
        assert ("notice_over_gw", "decide") in drawn


@pytest.mark.parametrize("matter", ["dibao", "review", "change_report"])
def test_the_table_of_procedures_names_processes_that_there_are(matter):
    assert set(law.procedures(matter)) <= set(CATALOGUE)
    assert len(law.procedures(matter)) == 2
