"""The drawing of the periodic review: whole, readable, and run by SpiffWorkflow as it is drawn."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from itertools import permutations, product
from typing import Any

import pytest
from lxml import etree

from engine.bpmn import Drawing, Run
from engine.expression import compile_expression, parse_due
from engine.lint import check_drawing
from engine.model import SHANGHAI
from processes.bureau import CATALOGUE
from processes.organisation import ROLES

B, YB = "{http://www.omg.org/spec/BPMN/20100524/MODEL}", "{urn:yingbao:bpmn:1}"
DI, DC = "{http://www.omg.org/spec/BPMN/20100524/DI}", "{http://www.omg.org/spec/DD/20100524/DC}"
XML = CATALOGUE["review-2012"].bpmn.read_bytes()
TREE: Any = etree.fromstring(XML)
PROCESS = TREE.find(f"{B}process")
NODES = {e.get("id"): e for e in PROCESS.iter() if e.tag.removeprefix(B).endswith(("Task", "Event", "Gateway", "subProcess"))}
FLOWS = {(f.get("sourceRef"), f.get("targetRef")): f for f in PROCESS.iter(f"{B}sequenceFlow")}
NOW = datetime(2018, 12, 10, 9, tzinfo=SHANGHAI)


def kind(name: str) -> dict[str, Any]:
    return {i: e for i, e in NODES.items() if e.tag == B + name}


def condition(source: str, target: str) -> str | None:
    said = FLOWS[source, target].find(f"{B}conditionExpression")
    return None if said is None else said.text


def test_lint_finds_nothing():
    assert check_drawing(XML) == []


@pytest.mark.parametrize(("node", "role", "level", "due"), [
    ("contact_household", "civil_affairs_officer", "street", "workdays(5, since='due_on')"),
    ("second_contact", "civil_affairs_officer", "street", "workdays(5, since='last_attempt_on')"),
    ("renew_authorisations", "window_clerk", "street", "workdays(5, since='authorisations_asked_on')"),
    ("means_check", "means_checker", "district", "workdays(10, since='investigation_from')"),
    ("home_survey", "investigator", "street", "workdays(10, since='investigation_from')"),
    ("survey_cosign", "investigator", "street", "workdays(10, since='investigation_from')"),
    ("street_opinion", "reviewer", "street", "workdays(20, since='due_on')"),
    ("street_signoff", "street_leader", "street", "workdays(20, since='due_on')"),
    ("post_stop_notice", "village_committee", "community", "promptly()"),
    ("remove_stop_notice", "village_committee", "community", "promptly()"),
    ("decide", "approver", "district", "workdays(20, since='due_on')"),
    ("deliver_conclusion", "window_clerk", "street", "days(3, since='decided_on')"),
    ("recovery_plan", "civil_affairs_officer", "street", "workdays(10, since='delivered_on')"),
])  # fmt: skip
def test_posts_and_limits(node, role, level, due):
    said = NODES[node].find(f"{B}extensionElements/{YB}task")
    assert (said.get("role"), said.get("level"), said.get("due")) == (role, level, due)
    assert said.get("role") in ROLES
    assert parse_due(due)
    assert said.get("law")


def test_the_table_above_names_every_task_of_a_person():
    [mark] = [m for m in test_posts_and_limits.pytestmark if m.name == "parametrize"]
    assert {row[0] for row in mark.args[1]} == kind("userTask").keys()


def test_everything_named_is_named_in_both_languages():
    named = [e for e in PROCESS.iter() if e.get("name") and e.tag != f"{B}message"] + list(TREE.iter(f"{B}participant"))
    assert [e.get("id") for e in named if not (e.get(f"{YB}name_en") or "").isascii() or not e.get(f"{YB}name_en")] == []
    assert [i for i, e in NODES.items() if not e.get("name")] == []


@pytest.mark.parametrize(("source", "target", "said"), [
    ("contact_gw", "street_opinion", "contact_outcome == 'died' or (contact_outcome != 'contacted' and contact_attempts >= 2)"),
    ("contact_gw", "second_contact", None),
    ("authorised_gw", "renew_authorisations", "authorisations_missing > 0"),
    ("authorised_gw", "open_investigation", None),
    ("opinion_gw", "check_authorisations", None),
    ("signoff_gw", "handled", "signoff != 'return' and conclusion == 'keep'"),
    ("signoff_gw", "post_stop_notice", "signoff != 'return' and destitute == True and conclusion == 'stop'"),
    ("signoff_gw", "decide", None),
    ("decide_gw", "street_opinion", "decision == 'returned'"),
    ("recovery_gw", "recovery_plan", "overpaid_fen > 0"),
])  # fmt: skip
def test_the_ways_out_of_a_gateway(source, target, said):
    assert condition(source, target) == said


VALUES = {
    "contact_outcome": (None, "contacted", "not_reached", "refuses", "died"), "contact_attempts": (0, 1, 2, 3), "authorisations_missing": (0, 1),
    "conclusion": ("keep", "increase", "decrease", "convert", "stop", "suspend", "return_survey", "joint_meeting"), "investigated": (None, True),
    "reason_code": (None, "income_over", "no_cooperation", "death_single"), "resolution": ("approve_as", "refuse", "return_for_investigation", "refer", "defer"),
    "signoff": ("agree", "return"), "destitute": (True, False), "decision": ("approved", "returned"), "overpaid_fen": (0, 1),
    "check_conclusion": ("consistent", "query_again"), "agree": ("agree", "disagree"), "stop_notice_until": ("2018-12-18T00:00:00+08:00",),
}  # fmt: skip


@pytest.mark.parametrize("gateway", kind("exclusiveGateway"))
def test_one_way_at_most_is_open_besides_the_default(gateway):
    """SpiffWorkflow asks the conditions in the order in which the targets stand on the picture, from top to bottom: where two
    could hold, moving a box would change the law."""
    said = [condition(s, t) for s, t in FLOWS if s == gateway]
    ways = [compile_expression(text) for text in said if text]
    assert said.count(None) == 1
    names = sorted(set().union(*(way.names for way in ways)))
    for values in product(*(VALUES[name] for name in names)):
        facts = dict(zip(names, values, strict=True))
        assert sum(bool(way.evaluate(facts)) for way in ways) <= 1, facts


def test_no_way_leads_to_the_sign_off_without_a_check_but_for_two_reasons():
    """Means check and home visit come before every other conclusion, whatever a form may let through."""
    way = compile_expression(condition("opinion_gw", "street_signoff") or "")
    into = {s for s, t in FLOWS if t == "street_signoff"}
    assert into == {"opinion_gw"}
    for conclusion, reason in product(VALUES["conclusion"], VALUES["reason_code"]):
        through = way.evaluate({"conclusion": conclusion, "reason_code": reason, "investigated": None})
        assert not through or reason in ("no_cooperation", "death_single")


def test_the_diagram_shows_every_node_lane_and_flow_once_and_inside():
    shapes = Counter(s.get("bpmnElement") for s in TREE.iter(f"{DI}BPMNShape"))
    edges = Counter(s.get("bpmnElement") for s in TREE.iter(f"{DI}BPMNEdge"))
    assert shapes == Counter([*NODES, *(e.get("id") for e in TREE.iter(f"{B}lane", f"{B}participant"))])
    assert edges == Counter(f.get("id") for f in FLOWS.values())
    boxes = {}
    for shape in TREE.iter(f"{DI}BPMNShape"):
        x, y, w, h = (float(shape.find(f"{DC}Bounds").get(k)) for k in ("x", "y", "width", "height"))
        boxes[shape.get("bpmnElement")] = (x, y, x + w, y + h)
    for node, element in NODES.items():
        outer = boxes.get(element.getparent().get("id")) or boxes["Pool_review_2012"]
        inner = boxes[node]
        assert element.tag == f"{B}boundaryEvent" or (inner[0] >= outer[0] and inner[1] >= outer[1] and inner[2] <= outer[2] and inner[3] <= outer[3]), node
    for lane in PROCESS.iter(f"{B}lane"):
        outer, level = boxes[lane.get("id")], lane.find(f"{B}extensionElements/{YB}lane").get("level")
        for node in [r.text for r in lane.iter(f"{B}flowNodeRef")]:
            inner = boxes[node]
            assert inner[0] >= outer[0] and inner[1] >= outer[1] and inner[2] <= outer[2] and inner[3] <= outer[3], node
            if NODES[node].tag == f"{B}userTask":
                assert NODES[node].find(f"{B}extensionElements/{YB}task").get("level") == level, node


class Walk:
    """A run whose services answer what the review's would."""

    def __init__(self, **facts: Any) -> None:
        self.missing = 0
        self.run = Run.start(Drawing.parse(XML), {"contact_attempts": 0, "destitute": False, **facts}, NOW)
        self.on("start")

    def on(self, kind: str, what: str = "") -> Walk:
        found = {"open_investigation": {"investigated": None}, "assess": {"investigated": True}, "apply_conclusion": {"overpaid_fen": 0}}
        self.run.go((kind, what), lambda node, _facts: {"authorisations_missing": self.missing} if node == "check_authorisations" else found.get(node, {}))
        return self

    def do(self, node: str, **facts: Any) -> Walk:
        [key] = [k for k, n in self.run.open_tasks().items() if n == node]
        self.run.facts.update(facts)
        self.on("answer", key)
        self.run = Run.load(self.run.drawing, self.run.dump(), NOW)  # as after a restart
        return self

    def send(self, message: str, **facts: Any) -> Walk:
        assert message in self.run.waits_for()
        self.run.facts.update(facts)
        return self.on("deliver", message)

    @property
    def open(self) -> set[str]:
        return set(self.run.open_tasks().values())

    def contacted(self) -> Walk:
        return self.do("contact_household", contact_outcome="contacted")

    def investigate(self) -> Walk:
        return self.send("registry_answer").do("means_check", check_conclusion="consistent").do("home_survey").do("survey_cosign", agree="agree")


@pytest.mark.parametrize("order", sorted(set(permutations(("check", "check", "survey", "survey")))), ids=" ".join)
def test_queries_and_visits_again_in_any_order_join_once(order):
    walk, checks, signs = Walk().contacted(), iter(("query_again", "consistent")), iter(("disagree", "agree"))
    for part in order:
        assert "street_opinion" not in walk.open
        if part == "check":
            walk.send("registry_answer").do("means_check", check_conclusion=next(checks))
        else:
            walk.do("home_survey").do("survey_cosign", agree=next(signs))
    assert walk.open == {"street_opinion"}
    assert walk.run.path().done["assess"] == 1


def test_contacts_in_vain_lead_to_the_opinion_after_two():
    walk = Walk().do("contact_household", contact_outcome="refuses", contact_attempts=1)
    assert walk.open == {"second_contact"}
    assert walk.do("second_contact", contact_outcome="not_reached", contact_attempts=2).open == {"street_opinion"}
    assert walk.do("street_opinion", conclusion="stop", reason_code="no_cooperation").open == {"street_signoff"}


def test_even_a_form_that_let_it_through_comes_to_the_investigation_first():
    walk = Walk().do("contact_household", contact_outcome="refuses", contact_attempts=1).do("second_contact", contact_outcome="refuses", contact_attempts=2)
    assert walk.do("street_opinion", conclusion="keep").open == {"home_survey"}


def test_missing_authorisations_are_renewed_first():
    walk = Walk()
    walk.missing = 1
    assert walk.contacted().open == {"renew_authorisations"}
    walk.missing = 0
    assert walk.do("renew_authorisations", contact_outcome="contacted").open == {"home_survey"}


def test_keep_is_not_decided_by_the_district_and_a_return_is_a_return():
    walk = Walk().contacted().investigate().do("street_opinion", conclusion="keep")
    assert walk.do("street_signoff", signoff="return").open == {"street_opinion"}
    assert walk.do("street_opinion", conclusion="keep").do("street_signoff", signoff="agree").open == {"deliver_conclusion"}
    assert walk.do("deliver_conclusion").run.end_event == "ended_kept"


def test_a_stop_of_the_destitute_waits_for_its_notice():
    walk = Walk(destitute=True, stop_notice_until="2018-12-18T00:00:00+08:00").contacted().investigate().do("street_opinion", conclusion="stop")
    assert walk.do("street_signoff", signoff="return").open == {"street_opinion"}
    walk.do("street_opinion", conclusion="stop").do("street_signoff", signoff="agree").do("post_stop_notice")
    assert (walk.open, len(walk.run.timers())) == (set(), 1)
    assert walk.send("objection").open == {"street_opinion"}
    assert walk.run.timers() == {}


def test_the_meeting_leads_back_to_the_street_or_to_the_investigation():
    walk = Walk().contacted().investigate().do("street_opinion", conclusion="joint_meeting")
    assert walk.open == set()
    assert walk.send("resolution", resolution="defer").open == {"street_opinion"}
    walk.do("street_opinion", conclusion="joint_meeting")
    assert walk.send("resolution", resolution="return_for_investigation").open == {"home_survey"}


@pytest.mark.parametrize("steps", range(5))
def test_a_change_may_be_reported_until_the_conclusion(steps):
    walk = Walk()
    roads = [lambda: walk.contacted(), lambda: walk.investigate(), lambda: walk.do("street_opinion", conclusion="stop"), lambda: walk.do("street_signoff", signoff="agree")]
    for road in roads[:steps]:
        road()
    assert "change_reported" in walk.run.waits_for()
    walk.send("change_reported")
    assert walk.open == ({"home_survey"} if steps else {"contact_household"})
    if steps == 4:
        walk.investigate().do("street_opinion", conclusion="stop").do("street_signoff", signoff="agree").do("decide", decision="approved")
        assert "change_reported" not in walk.run.waits_for()
        assert walk.do("deliver_conclusion").run.end_event == "ended_stopped"
