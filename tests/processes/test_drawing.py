"""The drawing of the 2012 procedure: whole, readable, and run by SpiffWorkflow as it is drawn."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from itertools import permutations
from typing import Any

import pytest
from lxml import etree
from SpiffWorkflow.bpmn.parser.BpmnParser import BpmnParser

from engine.bpmn import Drawing, Run
from engine.expression import compile_expression, parse_due
from engine.lint import check_drawing
from engine.model import SHANGHAI
from processes.bureau import CATALOGUE
from processes.organisation import ROLES

B, YB = "{http://www.omg.org/spec/BPMN/20100524/MODEL}", "{urn:yingbao:bpmn:1}"
DI, DC = "{http://www.omg.org/spec/BPMN/20100524/DI}", "{http://www.omg.org/spec/DD/20100524/DC}"
WAYPOINT = "{http://www.omg.org/spec/DD/20100524/DI}waypoint"
XML = CATALOGUE["dibao-2012"].bpmn.read_bytes()
TREE: Any = etree.fromstring(XML)
PROCESS = TREE.find(f"{B}process")
NODES = {e.get("id"): e for e in PROCESS.iter() if e.tag.removeprefix(B).endswith(("Task", "Event", "Gateway", "subProcess"))}
FLOWS = {(f.get("sourceRef"), f.get("targetRef")): f for f in PROCESS.iter(f"{B}sequenceFlow")}
NOW = datetime(2018, 12, 3, 9, tzinfo=SHANGHAI)


def kind(name: str) -> dict[str, Any]:
    return {i: e for i, e in NODES.items() if e.tag == B + name}


def condition(source: str, target: str) -> str | None:
    said = FLOWS[source, target].find(f"{B}conditionExpression")
    return None if said is None else said.text


# -- what is said


def test_lint_finds_nothing():
    assert check_drawing(XML) == []


@pytest.mark.parametrize("node", kind("userTask"))
def test_a_person_knows_who_and_by_when(node):
    said = NODES[node].find(f"{B}extensionElements/{YB}task")
    assert said.get("role") in ROLES
    assert said.get("level") in {"street", "community", "district"}
    assert parse_due(said.get("due"))
    assert said.get("law")


@pytest.mark.parametrize(("node", "role", "level", "due"), [
    ("completeness_check", "window_clerk", "street", "promptly()"),
    ("home_survey", "investigator", "street", "workdays(10, since='investigation_from')"),
    ("means_check", "means_checker", "district", "workdays(10, since='investigation_from')"),
    ("democratic_review", "civil_affairs_officer", "street", "workdays(5, since='survey_ended_on')"),
    ("post_street_notice", "village_committee", "community", "promptly()"),
    ("spot_check_visit", "spot_checker", "district", "workdays(5, since='submitted_on')"),
    ("district_examination", "district_examiner", "district", "workdays(5, since='examination_from')"),
    ("district_recheck", "district_examiner", "district", "workdays(20, since='objection_on')"),
    ("late_spot_check_visit", "spot_checker", "district", "workdays(5, since='late_drawn_on')"),
    ("decide", "approver", "district", "workdays(3, since='district_notice_ended_on')"),
    ("decide_refusal", "approver", "district", "workdays(5, since='examination_from')"),
    ("deliver_refusal", "window_clerk", "street", "days(3, since='decided_on')"),
    ("issue_check_rejection", "reviewer", "street", "promptly()"),
    ("deliver_check_rejection", "window_clerk", "street", "promptly()"),
])  # fmt: skip
def test_posts_and_limits_are_those_of_the_measures(node, role, level, due):
    said = NODES[node].find(f"{B}extensionElements/{YB}task")
    assert (said.get("role"), said.get("level"), said.get("due")) == (role, level, due)


def test_everything_named_is_named_in_both_languages():
    named = [e for e in PROCESS.iter() if e.get("name") and e.tag != f"{B}message"] + list(TREE.iter(f"{B}participant"))
    assert [e.get("id") for e in named if not e.get(f"{YB}name_en")] == []
    assert [i for i, e in NODES.items() if not e.get("name")] == []
    assert all(e.get(f"{YB}name_en").isascii() for e in named)


def test_exclusive_gateways_have_one_default_and_conditions_on_the_rest():
    for node, gateway in kind("exclusiveGateway").items():
        out = [f for f in FLOWS.values() if f.get("sourceRef") == node]
        without = [f.get("id") for f in out if f.find(f"{B}conditionExpression") is None]
        assert without == [gateway.get("default")], node
        assert all(f.get("name") for f in out), node


def test_conditions_and_timers_read_facts_only():
    said = [e.text for e in PROCESS.iter(f"{B}conditionExpression", f"{B}timeDate")]
    names = set().union(*(compile_expression(text).names for text in said))
    assert names == {
        "complete", "near_relative", "check_conclusion", "category", "low_income_consent", "review_conclusion", "street_outcome", "signoff",
        "figures_changed", "spot_check", "district_outcome", "resolution", "meeting_from", "decision", "agree", "late_drawn", "late_agrees",
        "check_objection_until", "street_notice_until", "district_notice_until"}  # fmt: skip


@pytest.mark.parametrize(("source", "target", "said"), [
    ("decision_gw", "grant", "decision == 'granted'"),
    ("decision_gw", "deliver_refusal", None),
    ("category_gw", "low_income_consent", "category == 'low_income' and low_income_consent is None"),
    ("review_gw", "open_investigation", "review_conclusion == 're_survey'"),
    ("signoff_gw", "street_opinion", "signoff == 'return'"),
    ("signoff_gw", "submit_to_district", None),
    ("signoff_gw", "post_street_notice", "signoff != 'return' and street_outcome == 'propose_grant'"),
    ("meeting_gw", "district_examination", "resolution != 'return_for_investigation' and meeting_from == 'district'"),
    ("decide_gw", "district_examination", "decision == 'returned'"),
    ("decide_refusal_gw", "district_examination", "decision == 'returned'"),
    ("cosign_gw", "home_survey", "agree == 'disagree'"),
    ("district_gw", "check_late_draw", "district_outcome == 'propose_refuse'"),
    ("district_recheck_gw", "check_late_draw", "district_outcome == 'propose_refuse'"),
    ("late_draw_gw", "late_spot_check_visit", "late_drawn == True"),
    ("late_draw_gw", "proposal_gw", None),
    ("late_visit_gw", "district_examination", "late_agrees == False"),
    ("late_visit_gw", "proposal_gw", None),
    ("proposal_gw", "decide_refusal", "district_outcome == 'propose_refuse'"),
    ("proposal_gw", "decide", None),
])  # fmt: skip
def test_the_ways_out_of_a_gateway(source, target, said):
    assert condition(source, target) == said


def test_flows_are_told_apart_by_their_ends():
    pairs = Counter((f.get("sourceRef"), f.get("targetRef")) for f in PROCESS.iter(f"{B}sequenceFlow"))
    assert max(pairs.values()) == 1
    for node, element in NODES.items():
        assert {e.text for e in element.findall(f"{B}outgoing")} == {f.get("id") for (s, _), f in FLOWS.items() if s == node}
        assert {e.text for e in element.findall(f"{B}incoming")} == {f.get("id") for (_, t), f in FLOWS.items() if t == node}


# -- what is drawn


def test_the_diagram_shows_every_node_lane_and_flow_once():
    shapes = Counter(s.get("bpmnElement") for s in TREE.iter(f"{DI}BPMNShape"))
    edges = Counter(s.get("bpmnElement") for s in TREE.iter(f"{DI}BPMNEdge"))
    others = {e.get("id") for e in TREE.iter(f"{B}lane", f"{B}participant")}
    assert shapes == Counter([*NODES, *others])
    assert edges == Counter(f.get("id") for f in FLOWS.values())


def test_inner_nodes_lie_inside_and_flows_touch_their_ends():
    boxes = {}
    for shape in TREE.iter(f"{DI}BPMNShape"):
        x, y, w, h = (float(shape.find(f"{DC}Bounds").get(k)) for k in ("x", "y", "width", "height"))
        boxes[shape.get("bpmnElement")] = (x, y, x + w, y + h)
    for node, element in NODES.items():
        outer = boxes.get(element.getparent().get("id")) or boxes["Pool_dibao_2012"]
        assert element.tag == f"{B}boundaryEvent" or _inside(boxes[node], outer), node
    for edge in TREE.iter(f"{DI}BPMNEdge"):
        flow = next(f for f in FLOWS.values() if f.get("id") == edge.get("bpmnElement"))
        first, *_, last = [(float(p.get("x")), float(p.get("y"))) for p in edge.iter(WAYPOINT)]
        assert _inside((*first, *first), boxes[flow.get("sourceRef")], 2), edge.get("bpmnElement")
        assert _inside((*last, *last), boxes[flow.get("targetRef")], 2), edge.get("bpmnElement")


def _inside(inner: tuple[float, ...], outer: tuple[float, ...], slack: float = 0) -> bool:
    return inner[0] >= outer[0] - slack and inner[1] >= outer[1] - slack and inner[2] <= outer[2] + slack and inner[3] <= outer[3] + slack


def test_a_lane_holds_every_node_of_its_level_once():
    lanes = {e.get("id"): [r.text for r in e.iter(f"{B}flowNodeRef")] for e in PROCESS.iter(f"{B}lane")}
    handling = PROCESS.find(f"{B}subProcess")
    assert Counter(n for ns in lanes.values() for n in ns) == Counter(e.get("id") for e in handling if e.get("id") in NODES)
    for lane in PROCESS.iter(f"{B}lane"):
        level = lane.find(f"{B}extensionElements/{YB}lane").get("level")
        for node in lanes[lane.get("id")]:
            if NODES[node].tag == f"{B}userTask":
                assert NODES[node].find(f"{B}extensionElements/{YB}task").get("level") == level, node


# -- what runs


def test_the_plain_parser_reads_it():
    parser = BpmnParser()
    parser.add_bpmn_xml(etree.fromstring(XML))
    assert parser.get_spec("dibao-2012").name == "dibao-2012"
    assert {"handling", "investigation"} <= set(parser.get_subprocess_specs("dibao-2012"))


class Walk:
    """A run whose services answer nothing but what a test says."""

    def __init__(self, **services: dict[str, Any]) -> None:
        self.services = services
        facts = dict.fromkeys(set().union(*(compile_expression(e.text).names for e in PROCESS.iter(f"{B}conditionExpression", f"{B}timeDate"))))
        self.run = Run.start(Drawing.parse(XML), facts, NOW)
        self.on("start")

    def on(self, kind: str, what: str = "") -> Walk:
        self.run.go((kind, what), lambda node, _facts: self.services.get(node, {}))
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

    def investigate(self) -> Walk:
        self.send("registry_answer").do("means_check", check_conclusion="consistent")
        return self.do("home_survey").do("survey_cosign").do("neighbor_enquiry")


def accepted() -> Walk:
    return Walk().do("completeness_check", complete=True)


@pytest.mark.parametrize("order", sorted(set(permutations(("check", "check", "survey", "neighbours")))), ids=" ".join)
def test_a_second_query_in_one_branch_does_not_break_the_join(order):
    walk = accepted()
    assert walk.open == {"home_survey", "neighbor_enquiry"}
    checks = iter(("query_again", "consistent"))
    for part in order:
        assert "democratic_review" not in walk.open, "joined too early"
        if part == "check":
            walk.send("registry_answer").do("means_check", check_conclusion=next(checks))
        elif part == "survey":
            walk.do("home_survey").do("survey_cosign")
        else:
            walk.do("neighbor_enquiry")
    assert walk.open == {"democratic_review"}
    assert walk.run.path().done["means_check"] == 2
    assert walk.run.path().done["assess"] == 1


def test_three_queries_and_three_rounds_of_investigation_come_out_once():
    walk = accepted()
    for _ in range(3):
        for _ in range(2):
            walk.send("registry_answer").do("means_check", check_conclusion="query_again")
        walk.investigate()
        assert walk.open == {"democratic_review"}
        walk.do("democratic_review", review_conclusion="re_survey")
    walk.investigate().do("democratic_review", review_conclusion="agree")
    assert walk.open == {"street_opinion"}
    assert walk.run.path().done["assess"] == 4


def test_a_second_investigator_who_disagrees_sends_the_survey_back_alone():
    walk = accepted().do("neighbor_enquiry").send("registry_answer").do("means_check", check_conclusion="consistent")
    for _ in range(2):
        assert walk.do("home_survey").do("survey_cosign", agree="disagree").open == {"home_survey"}
    assert walk.do("home_survey").do("survey_cosign", agree="agree").open == {"democratic_review"}
    done = walk.run.path().done
    assert (done["home_survey"], done["neighbor_enquiry"], done["means_check"], done["assess"]) == (3, 1, 1, 1)


@pytest.mark.parametrize("steps", [0, 1, 2, 3])
def test_withdrawal_ends_everything_at_any_time(steps):
    walk = accepted() if steps else Walk()
    if steps > 1:
        walk.investigate()
    if steps > 2:
        walk.do("democratic_review", review_conclusion="agree").do("street_opinion", street_outcome="propose_grant")
    walk.send("withdrawal")
    assert (walk.open, walk.run.ended, walk.run.end_event) == (set(), True, "ended_withdrawn")


def test_supplement_leads_back_to_the_check():
    walk = Walk().do("completeness_check", complete=False)
    assert walk.open == {"supplement"}
    assert walk.do("supplement").open == {"completeness_check"}


def test_a_near_relative_is_registered_first():
    walk = Walk(accept={"near_relative": True}).do("completeness_check", complete=True)
    assert walk.open == {"register_near_relative"}
    assert walk.do("register_near_relative").open == {"home_survey", "neighbor_enquiry"}


@pytest.mark.parametrize(("back_to", "opinion", "opened"), [
    ("survey", {"street_outcome": "return_survey"}, {"home_survey", "neighbor_enquiry"}),
    ("review", {"street_outcome": "return_review"}, {"democratic_review"}),
    ("meeting", {"street_outcome": "joint_meeting"}, set()),
    ("leader", {"street_outcome": "propose_refuse"}, {"street_signoff"}),
])  # fmt: skip
def test_where_the_street_s_opinion_leads(back_to, opinion, opened):
    walk = accepted().investigate().do("democratic_review", review_conclusion="agree")
    assert walk.do("street_opinion", **opinion).open == opened


def submitted(outcome: str = "propose_grant", *, drawn: bool = False) -> Walk:
    walk = accepted()
    walk.services["receive_file"] = {"spot_check": drawn}
    walk.investigate().do("democratic_review", review_conclusion="agree").do("street_opinion", street_outcome=outcome).do("street_signoff", signoff="agree")
    if outcome == "propose_grant":
        walk.do("post_street_notice", street_notice_until="2018-12-03T00:00:00+08:00")
        walk.on("tick").do("remove_street_notice")
    return walk.do("submit_to_district")


def test_a_drawn_file_is_visited_and_then_examined():
    walk = submitted(drawn=True)
    assert walk.open == {"spot_check_visit"}
    assert walk.do("spot_check_visit").open == {"district_examination"}


def test_a_refusal_has_no_notice_and_can_be_returned():
    walk = submitted("propose_refuse").do("district_examination", district_outcome="propose_refuse")
    assert walk.open == {"decide_refusal"}
    assert walk.do("decide_refusal", decision="returned").open == {"district_examination"}
    walk.do("district_examination", district_outcome="propose_refuse").do("decide_refusal", decision="refused")
    assert walk.open == {"deliver_refusal"}
    assert walk.do("deliver_refusal").run.end_event == "ended_refused"


def proposed(outcome: str, *, late: bool, objection: bool = False) -> Walk:
    """A file on its way to the decision, drawn late or not: straight from the examination, or refused on an objection."""
    walk = submitted("propose_grant" if objection else outcome)
    walk.services["check_late_draw"] = {"late_drawn": late}
    if outcome == "propose_refuse" and not objection:
        return walk.do("district_examination", district_outcome=outcome)
    walk.do("district_examination", district_outcome="propose_grant")
    walk.do("post_district_notice", district_notice_until=f"2018-12-{11 if objection else '03'}T00:00:00+08:00")
    if objection:
        return walk.send("objection").do("district_recheck", district_outcome=outcome)
    return walk.on("tick").do("remove_district_notice")


PROPOSALS = pytest.mark.parametrize(("outcome", "objection", "decision"), [
    ("propose_grant", False, "decide"), ("propose_refuse", False, "decide_refusal"), ("propose_refuse", True, "decide_refusal"),
])  # fmt: skip


@PROPOSALS
def test_a_file_not_drawn_late_goes_to_its_own_decision(outcome, objection, decision):
    walk = proposed(outcome, late=False, objection=objection)
    assert walk.open == {decision}
    assert walk.run.path().done["check_late_draw"] == 1


@PROPOSALS
def test_a_file_drawn_late_is_visited_before_its_decision(outcome, objection, decision):
    walk = proposed(outcome, late=True, objection=objection)
    assert walk.open == {"late_spot_check_visit"}
    assert walk.do("late_spot_check_visit", late_agrees=True).open == {decision}


@pytest.mark.parametrize("outcome", ["propose_grant", "propose_refuse"])
def test_a_late_visit_that_differs_has_the_file_examined_again(outcome):
    walk = proposed(outcome, late=True).do("late_spot_check_visit", late_agrees=False)
    assert walk.open == {"district_examination"}
    walk.services["check_late_draw"] = {"late_drawn": False}  # once is enough
    assert walk.do("district_examination", district_outcome="propose_refuse").open == {"decide_refusal"}


def test_an_objection_in_the_district_notice_stops_its_timer():
    walk = submitted().do("district_examination", district_outcome="propose_grant")
    walk.do("post_district_notice", district_notice_until="2018-12-11T00:00:00+08:00")
    assert len(walk.run.timers()) == 1
    walk.send("objection")
    assert (walk.open, walk.run.timers()) == ({"district_recheck"}, {})
    assert walk.do("district_recheck", district_outcome="propose_grant").open == {"post_district_notice"}


def test_a_grant_is_delivered():
    walk = submitted().do("district_examination", district_outcome="propose_grant")
    walk.do("post_district_notice", district_notice_until="2018-12-03T00:00:00+08:00")
    walk.on("tick").do("remove_district_notice").do("decide", decision="granted").do("deliver_approval")
    assert walk.run.end_event == "ended_granted"
