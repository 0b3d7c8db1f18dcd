"""The drawing of a change report: whole, in both languages, and its limits as a table."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from lxml import etree

from engine.expression import parse_due
from engine.lint import check_drawing
from processes.bureau import CATALOGUE
from processes.organisation import ROLES

B, YB = "{http://www.omg.org/spec/BPMN/20100524/MODEL}", "{urn:yingbao:bpmn:1}"
DI = "{http://www.omg.org/spec/BPMN/20100524/DI}"
XML = CATALOGUE["change-report-2012"].bpmn.read_bytes()
TREE: Any = etree.fromstring(XML)
PROCESS = TREE.find(f"{B}process")
NODES = {e.get("id"): e for e in PROCESS.iter() if e.tag.removeprefix(B).endswith(("Task", "Event", "Gateway", "subProcess"))}
FLOWS = list(PROCESS.iter(f"{B}sequenceFlow"))
TASKS = {i: e.find(f"{B}extensionElements/{YB}task") for i, e in NODES.items() if e.tag == f"{B}userTask"}


def test_lint_finds_nothing():
    assert check_drawing(XML) == []


@pytest.mark.parametrize(("node", "role", "level", "due"), [
    ("register_change", "window_clerk", "street", "workdays(5, since='reported_on', stopped='stopped_workdays')"),
    ("supplement", "window_clerk", "street", "promptly()"),
    ("receive_transfer", "window_clerk", "street", "workdays(5, since='handed_over_on')"),
    ("means_check", "means_checker", "district", "workdays(10, since='investigation_from')"),
    ("home_survey", "investigator", "street", "workdays(10, since='investigation_from')"),
    ("survey_cosign", "investigator", "street", "workdays(10, since='investigation_from')"),
    ("street_opinion", "reviewer", "street", "workdays(10, since='reported_on', stopped='stopped_workdays')"),
    ("street_signoff", "street_leader", "street", "promptly()"),
    ("decide", "approver", "district", "workdays(20, since='reported_on', stopped='stopped_workdays')"),
    ("post_stop_notice", "village_committee", "community", "promptly()"),
    ("remove_stop_notice", "village_committee", "community", "promptly()"),
    ("deliver_conclusion", "window_clerk", "street", "days(3, since='decided_on')"),
    ("deliver_transfer", "window_clerk", "street", "promptly()"),
    ("second_contact", "civil_affairs_officer", "street", "workdays(5, since='last_attempt_on')"),
    ("recovery_plan", "window_clerk", "street", "workdays(20, since='decided_on')"),
])  # fmt: skip
def test_posts_and_limits(node, role, level, due):
    said = TASKS[node]
    assert (said.get("role"), said.get("level")) == (role, level)
    assert said.get("due") == due


def test_every_task_says_who_by_when_and_by_which_law():
    assert len(TASKS) == 15
    for node, said in TASKS.items():
        assert said.get("role") in ROLES, node
        assert parse_due(said.get("due")), node
        assert said.get("law"), node


def test_everything_named_is_named_in_both_languages():
    named = [e for e in PROCESS.iter() if e.get("name") and e.tag != f"{B}message"] + list(TREE.iter(f"{B}participant"))
    assert [e.get("id") for e in named if not e.get(f"{YB}name_en")] == []
    assert [i for i, e in NODES.items() if not e.get("name")] == []
    assert all(e.get(f"{YB}name_en").isascii() for e in named)


def test_gateways_that_part_have_one_default_and_names_on_all_ways():
    for node, gateway in NODES.items():
        out = [f for f in FLOWS if f.get("sourceRef") == node]
        if gateway.tag == f"{B}exclusiveGateway" and len(out) > 1:
            without = [f.get("id") for f in out if f.find(f"{B}conditionExpression") is None]
            assert without == [gateway.get("default")], node
            assert all(f.get("name") for f in out), node


def test_the_diagram_shows_every_node_lane_and_flow_once():
    shapes = Counter(s.get("bpmnElement") for s in TREE.iter(f"{DI}BPMNShape"))
    others = {e.get("id") for e in TREE.iter(f"{B}lane", f"{B}participant")}
    assert shapes == Counter([*NODES, *others])
    assert Counter(s.get("bpmnElement") for s in TREE.iter(f"{DI}BPMNEdge")) == Counter(f.get("id") for f in FLOWS)


def test_a_lane_holds_every_node_of_its_level_once():
    lanes = {e: [r.text for r in e.iter(f"{B}flowNodeRef")] for e in PROCESS.iter(f"{B}lane")}
    handling = PROCESS.find(f"{B}subProcess")
    assert Counter(n for ns in lanes.values() for n in ns) == Counter(e.get("id") for e in handling if e.get("id") in NODES)
    for lane, nodes in lanes.items():
        level = lane.find(f"{B}extensionElements/{YB}lane").get("level")
        assert all(TASKS[n].get("level") == level for n in nodes if n in TASKS)
