"""The drawing of the 2021 procedure beside that of 2012: its limits, its ways, and what it has in common with the older one."""

from __future__ import annotations

from typing import Any

import pytest
from lxml import etree

from engine.expression import parse_due
from engine.lint import check_drawing
from processes.bureau import CATALOGUE
from processes.organisation import ROLES

B, YB = "{http://www.omg.org/spec/BPMN/20100524/MODEL}", "{urn:yingbao:bpmn:1}"
XML = CATALOGUE["dibao-2021"].bpmn.read_bytes()
PROCESS: Any = etree.fromstring(XML).find(f"{B}process")
TASKS = {e.get("id"): e.find(f"{B}extensionElements/{YB}task") for e in PROCESS.iter(f"{B}userTask")}
FLOWS = {(f.get("sourceRef"), f.get("targetRef")): f for f in PROCESS.iter(f"{B}sequenceFlow")}


def condition(source: str, target: str) -> str | None:
    said = FLOWS[source, target].find(f"{B}conditionExpression")
    return None if said is None else said.text


def test_lint_finds_nothing():
    assert check_drawing(XML) == []


@pytest.mark.parametrize("node", TASKS)
def test_a_person_knows_who_and_by_when(node):
    said = TASKS[node]
    assert said.get("role") in ROLES
    assert parse_due(said.get("due"))
    assert said.get("law").startswith(("N57 art", "TLOW", "TDEL"))


@pytest.mark.parametrize(("node", "role", "level", "due"), [
    ("start_investigation", "civil_affairs_officer", "street", "workdays(3, since='accepted_on')"),
    ("home_survey", "investigator", "street", "workdays('whole_case_workdays', since='accepted_on')"),
    ("district_examination", "district_examiner", "district", "workdays(10, since='examination_from')"),
    ("decide", "approver", "district", "workdays(10, since='examination_from')"),
    ("street_confirmation", "street_leader", "street", "workdays('whole_case_workdays', since='accepted_on')"),
    ("deliver_refusal", "window_clerk", "street", "workdays(3, since='decided_on')"),
    ("publish_result", "village_committee", "community", "promptly()"),
])  # fmt: skip
def test_posts_and_limits_are_those_of_the_measures(node, role, level, due):
    said = TASKS[node]
    assert (said.get("role"), said.get("level"), said.get("due")) == (role, level, due)


@pytest.mark.parametrize(("source", "target", "said"), [
    ("category_gw", "street_opinion", None),
    ("publish_gw", "submit_to_district", None),
    ("dispute_gw", "democratic_review", None),
    ("dispute_gw", "open_investigation", "dispute_way == 'investigate'"),
    ("confirmation_gw", "check_late_draw", "confirmed_by == 'street'"),
    ("decision_gw", "deliver_termination", "decision == 'terminated'"),
])  # fmt: skip
def test_the_ways_out_of_a_gateway(source, target, said):
    assert condition(source, target) == said


def test_nothing_leads_to_a_review_but_a_dispute_and_there_is_no_second_notice():
    assert [source for source, target in FLOWS if target == "democratic_review"] == ["dispute_gw"]
    assert not any("district_notice" in node for node in TASKS)


def test_up_to_the_acceptance_it_is_the_drawing_of_2012():
    """Where a case may move, both have the same elements and flows."""
    older = {(f.get("sourceRef"), f.get("targetRef")): f.get("id") for f in etree.fromstring(CATALOGUE["dibao-2012"].bpmn.read_bytes()).iter(f"{B}sequenceFlow")}
    before = ("applied", "handling_begun", "completeness_check", "complete_gw", "supplement")
    wanted = {ends: flow for ends, flow in older.items() if ends[0] in before}
    assert {ends: f.get("id") for ends, f in FLOWS.items() if ends[0] in before} == wanted
