"""Every rule of the lint refuses a smallest drawing that breaks it; a sound drawing has no findings."""

from __future__ import annotations

import copy
import re
import time
from pathlib import Path
from xml.sax.saxutils import escape

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from engine.bpmn import Drawing
from engine.lint import ADVICE, check_drawing, check_table
from tests.engine.test_dmn import TOO_LARGE, TYPE_FAULTS

ROOT = Path(__file__).parents[2]
HEAD = (
    '<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:yb="urn:yingbao:bpmn:1" '
    'xmlns:di="http://www.omg.org/spec/BPMN/20100524/DI" id="definitions" targetNamespace="t">'
)
MESSAGE = '<bpmn:message id="msg_objection" name="objection"/>'


def node(kind: str, name: str, inner: str = "", **attributes: str) -> str:
    more = "".join(f' {key}="{escape(value)}"' for key, value in attributes.items())
    return f'<bpmn:{kind} id="{name}"{more}>{inner}</bpmn:{kind}>'


def start(name: str = "begun", inner: str = "", **attributes: str) -> str:
    return node("startEvent", name, inner, **attributes)


def end(name: str = "ended", inner: str = "") -> str:
    return node("endEvent", name, inner)


def task(name: str, due: str = "promptly()", role: str = "clerk", inner: str = "", **attributes: str) -> str:
    said = f'<bpmn:extensionElements><yb:task role="{role}" due="{escape(due)}"/></bpmn:extensionElements>'
    return node("userTask", name, said + inner, **attributes)


def service(name: str) -> str:
    return node("serviceTask", name)


def xor(name: str, default: str = "") -> str:
    return node("exclusiveGateway", name, default=default) if default else node("exclusiveGateway", name)


def fork(name: str) -> str:
    return node("parallelGateway", name)


def catch(name: str, inner: str = '<bpmn:messageEventDefinition messageRef="msg_objection"/>') -> str:
    return node("intermediateCatchEvent", name, inner)


def timer(text: str) -> str:
    return f"<bpmn:timerEventDefinition><bpmn:timeDate>{escape(text)}</bpmn:timeDate></bpmn:timerEventDefinition>"


def flow(source: str, target: str, condition: str | None = None, name: str = "") -> str:
    said = "" if condition is None else f"<bpmn:conditionExpression>{escape(condition)}</bpmn:conditionExpression>"
    return node("sequenceFlow", name or f"f_{source}_{target}", said, sourceRef=source, targetRef=target)


def chain(*names: str) -> str:
    return "".join(flow(a, b) for a, b in zip(names, names[1:], strict=False))


def file(
    *parts: str, before: str = MESSAGE, drawn: bool = True, executable: str = "true", after: str = "", head: str = HEAD
) -> bytes:
    """A whole file around the children of one process, with everything on the diagram."""
    body = "".join(parts)
    ids = re.findall(r'<bpmn:\w+(?:Event|Task|Gateway|Process|Flow|task)? id="([^"]*)"', body) if drawn else []
    shapes = "".join(f'<di:BPMNShape id="{one}_di{i}" bpmnElement="{one}"/>' for i, one in enumerate(ids))
    process = f'<bpmn:process id="case" isExecutable="{executable}">{body}</bpmn:process>'
    return f'{head}{before}{process}{after}<di:BPMNDiagram id="diagram">{shapes}</di:BPMNDiagram></bpmn:definitions>'.encode()


def line(*middle: str) -> bytes:
    """start -> ... -> end, in a row."""
    names = [re.search(r'id="([^"]*)"', one)[1] for one in middle]
    return file(start(), *middle, end(), chain("begun", *names, "ended"))


def rules(xml: bytes, **names) -> set[str]:
    return {finding.rule for finding in check_drawing(xml, **names)}


LOOP = (  # review -> gateway -> back to review, or on
    start(), task("review"), xor("gw", "f_done"), end(), chain("begun", "review", "gw"),
    flow("gw", "review", "outcome == 'again'"), flow("gw", "ended", name="f_done"))  # fmt: skip


def parallel(*branch: str) -> tuple[str, ...]:
    """begun -> split -> (first branch as given: a ... join) and b -> join -> ended."""
    return (start(), fork("split"), task("b"), fork("join"), end(), chain("begun", "split"), chain("split", "b", "join"),
            chain("join", "ended"), *branch)  # fmt: skip


# -- drawings without findings

GOOD = {
    "a line": line(task("review"), service("assess")),
    "a loop": file(*LOOP),
    "a deadline since a fact": line(task("review", "workdays(10, since='accepted_on')")),
    "parallel": file(*parallel(task("a"), chain("split", "a", "join"))),
    "a loop inside one branch": file(*parallel(
        task("a"), xor("gw", "f_on"), chain("split", "a", "gw"), flow("gw", "a", "again == True"), flow("gw", "join", name="f_on"))),
    "a split in a branch, all joined at once": file(*parallel(
        fork("again"), task("c"), task("d"), chain("split", "again", "c", "join"), chain("again", "d", "join"))),
    "a parallel part in a sub-process inside a loop": file(
        start(), node("subProcess", "part", "".join(parallel(task("a"), chain("split", "a", "join"))).replace("begun", "in").replace("ended", "out")),
        xor("gw", "f_done"), end(), chain("begun", "part", "gw"), flow("gw", "part", "outcome == 'again'"), flow("gw", "ended", name="f_done")),
    "a wait for message or time": file(
        start(), node("eventBasedGateway", "wait"), catch("objection"), catch("expired", timer("notice_until")), end(), end("other"),
        chain("begun", "wait", "objection", "ended"), chain("wait", "expired", "other")),
    "a withdrawal": file(
        start(), node("subProcess", "handling", start("in") + task("review") + end("out") + chain("in", "review", "out")),
        node("boundaryEvent", "withdrawn", '<bpmn:messageEventDefinition messageRef="msg_objection"/>', attachedToRef="handling"),
        end(), end("gone"), chain("begun", "handling", "ended"), chain("withdrawn", "gone")),
    "a reminder that does not interrupt": file(
        start(), task("review"), xor("gw", "f_done"), service("remind"), end(), end("reminded"), chain("begun", "review", "gw"),
        node("boundaryEvent", "late", timer("late_on"), attachedToRef="review", cancelActivity="false"), chain("late", "remind", "reminded"),
        flow("gw", "review", "outcome == 'again'"), flow("gw", "ended", name="f_done")),
    "lanes, notes and a pool": file(
        '<bpmn:laneSet id="lanes"><bpmn:lane id="clerks"><bpmn:flowNodeRef>review</bpmn:flowNodeRef></bpmn:lane></bpmn:laneSet>',
        start(), task("review"), end(), chain("begun", "review", "ended"),
        '<bpmn:textAnnotation id="note"><bpmn:text>N220</bpmn:text></bpmn:textAnnotation><bpmn:association id="to" sourceRef="note" targetRef="review"/>',
        before='<bpmn:collaboration id="c"><bpmn:participant id="p" processRef="case"/></bpmn:collaboration>'),
    "a terminate end": line().replace(b'<bpmn:endEvent id="ended">', b'<bpmn:endEvent id="ended"><bpmn:terminateEventDefinition/>'),
    "another tool's extensions": line(task("review", inner='<z:x xmlns:z="urn:z"/>')).replace(b"</bpmn:process>", b"<!-- c --><?p i?></bpmn:process>"),
}  # fmt: skip


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("signoff == 'return'", "signoff != 'return' and outcome == 'grant'"),
        ("x <= 3", "x > 3"),
        ("len(open) < 1", "len(open) > 0"),
        ("x is None", "x is not None and len(x) > 0"),
        ("x in ['a', 'b']", "x not in ['a', 'b'] and y"),
        ("due < date('2018-12-01')", "due >= date('2018-12-01')"),
        ("a > b", "not a > b"),
        ("'a' in found", "'a' not in found and False"),
        ("x", "not x"),
        ("0 < x < 5", "x <= 0 or x >= 5"),
        ("x == 1 if y else x == 2", "x == 2 if y else x == 1"),
        ("a + b > 3", "a + b == 3"),
        ("sums['food'] > 3", "sums['food'] < 3 or sums['food'] == 3"),
    ],
)
def test_conditions_that_exclude_each_other_are_not_refused(first: str, second: str) -> None:
    assert rules(three_ways(first, second)) == set()


def test_an_overlap_names_the_flows_and_the_values() -> None:
    xml = three_ways("signoff == 'return'", "outcome == 'grant'")
    [found] = check_drawing(xml)
    assert (found.element, found.line) == ("gw", 1)
    for message in (found.message_zh, found.message_en):
        assert all(part in message for part in ("f_gw_ended", "f_gw_other", "signoff = 'return'", "outcome = 'grant'"))
    assert rules(two_ways("x == 1", "x != 1", default="")) == {"gateway-without-default"}, "no hole"
    [hole] = [f for f in check_drawing(two_ways("x > 1", "x < 1", default="")) if f.rule == "gateway-hole"]
    assert "x = 1" in hole.message_en


@pytest.mark.parametrize("name", GOOD)
def test_sound_drawings_have_no_findings(name: str) -> None:
    assert check_drawing(GOOD[name]) == []


@pytest.mark.parametrize("path", sorted((ROOT / "processes" / "bpmn").glob("*.bpmn")), ids=lambda p: p.name)
def test_our_own_drawings_have_no_findings(path: Path) -> None:
    assert check_drawing(path.read_bytes()) == []


# -- one refused drawing for every rule

SIGNAL = '<bpmn:signalEventDefinition signalRef="s"/>'


def boundary(inner: str, host: str = "review") -> bytes:
    return file(start(), task("review"), end(), end("gone"), chain("begun", "review", "ended"), chain("caught", "gone"),
                node("boundaryEvent", "caught", inner, attachedToRef=host))  # fmt: skip


def looping_join() -> bytes:
    return file(start(), xor("again"), fork("split"), task("a"), task("b"), fork("join"), xor("gw", "f_done"), end(),
                chain("begun", "again", "split", "a", "join", "gw"), chain("split", "b", "join"),
                flow("gw", "again", "outcome == 'again'"), flow("gw", "ended", name="f_done"))  # fmt: skip


def looping_join_by_boundary() -> bytes:
    return file(start(), xor("again"), fork("split"), task("a"), task("b"), fork("join"), task("sign"), end(),
                chain("begun", "again", "split", "a", "join", "sign", "ended"), chain("split", "b", "join"), chain("back", "again"),
                node("boundaryEvent", "back", '<bpmn:messageEventDefinition messageRef="msg_objection"/>', attachedToRef="sign"))  # fmt: skip


def forked_by_choice() -> bytes:
    return file(start(), xor("choice", "f_b"), task("a"), task("b"), fork("join"), end(), chain("begun", "choice"),
                flow("choice", "a", "x == 1"), flow("choice", "b", name="f_b"), chain("a", "join", "ended"), chain("b", "join"))  # fmt: skip


def escaping_branch() -> bytes:
    return file(*parallel(task("a"), xor("gw", "f_on"), end("left"), chain("split", "a", "gw"),
                          flow("gw", "left", "x == 1"), flow("gw", "join", name="f_on")))  # fmt: skip


def joined_by_choice() -> bytes:
    return file(start(), fork("split"), task("a"), task("b"), xor("merge"), task("decide"), end(), chain("begun", "split", "a", "merge"),
                chain("split", "b", "merge", "decide", "ended"))  # fmt: skip


def runaway_reminder() -> bytes:
    return file(start(), task("review"), task("sign"), end(), chain("begun", "review", "sign", "ended"), chain("late", "sign"),
                node("boundaryEvent", "late", timer("late_on"), attachedToRef="review", cancelActivity="false"))  # fmt: skip


def two_ways(first: str | None, second: str | None, default: str = "f_gw_ended") -> bytes:
    return file(
        start(),
        xor("gw", default),
        end(),
        end("other"),
        chain("begun", "gw"),
        flow("gw", "ended", first),
        flow("gw", "other", second),
    )


def three_ways(first: str, second: str) -> bytes:
    """Two conditions and a default."""
    return file(
        start(),
        xor("gw", "f_else"),
        end(),
        end("other"),
        end("rest"),
        chain("begun", "gw"),
        flow("gw", "ended", first),
        flow("gw", "other", second),
        flow("gw", "rest", name="f_else"),
    )


def kinds(*names: str) -> list[tuple[str, bytes]]:
    return [(rule, line(node(kind, "odd"))) for kind, rule in (one.split("=") for one in names)]


BAD: list[tuple[str, bytes]] = [
    ("too-large", b"<a>" + b" " * (2 * 1024 * 1024) + b"</a>"),
    ("too-large", line(*[service(f"s{i}") for i in range(2_001)])),
    ("not-xml", b""),
    ("not-xml", b"PK\x03\x04 a zip"),
    ("not-xml", bytes(range(256)) * 4),
    ("not-xml", line()[:-5]),
    ("not-xml", b"<a>" * 300 + b"</a>" * 300),
    ("doctype", b"<!DOCTYPE definitions>" + line()),
    ("doctype", b'<!DOCTYPE definitions SYSTEM "http://127.0.0.1:9/x.dtd">' + line()),
    ("doctype", b'<!DOCTYPE d [<!ENTITY e SYSTEM "file:///etc/passwd">]>' + line().replace(b"</bpmn:process>", b"<x>&e;</x></bpmn:process>")),
    ("doctype", b'<!DOCTYPE d [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]>' + line().replace(b"</bpmn:process>", b"<x>&b;</x></bpmn:process>")),
    ("not-bpmn", b"<html><body/></html>"),
    ("not-bpmn", b"<definitions/>"),
    ("several-processes", line().replace(b"<di:BPMNDiagram", b'<bpmn:process id="two" isExecutable="true"/><di:BPMNDiagram')),
    ("several-processes", (HEAD + "</bpmn:definitions>").encode()),
    ("not-executable", file(start(), end(), chain("begun", "ended"), executable="false")),
    ("bad-id", line(task("review.2"))),
    ("bad-id", line(task("r" * 101))),
    ("bad-id", line(task("../../etc/passwd"))),
    ("bad-id", line(task("review")).replace(b'id="f_begun_review" ', b"")),
    ("bad-id", line(task("review")).replace(b'<bpmn:process id="case"', b'<bpmn:process id="' + b"c" * 10_000 + b'"')),
    ("reserved-id", file(start("Start"), end(), chain("Start", "ended"))),
    ("reserved-id", file(start(), end("End"), chain("begun", "End"))),
    ("duplicate-id", file(start(), task("review"), task("review"), end(), chain("begun", "review", "ended"))),
    ("global-task", line(node("globalTask", "odd"))),
    ("unknown-element", line(node("subConversation", "odd"))),
    ("global-task", file(start(), end(), chain("begun", "ended"), after='<bpmn:globalUserTask id="g"/>')),
    ("signal-event", file(start(), end(), chain("begun", "ended"), before='<bpmn:signal id="s" name="n"/>')),
    ("error-event", file(start(), end(), chain("begun", "ended"), before='<bpmn:error id="s" name="n"/>')),
    ("escalation-event", file(start(), end(), chain("begun", "ended"), before='<bpmn:escalation id="s" name="n"/>')),
    ("event-definition-ref", boundary("<bpmn:eventDefinitionRef>other</bpmn:eventDefinitionRef>")),
    ("not-a-boolean", boundary(timer("x")).replace(b"attachedToRef", b'cancelActivity="0" attachedToRef')),
    ("not-a-boolean", line(node("subProcess", "part", start("in") + end("out") + chain("in", "out"), triggeredByEvent="1"))),
    ("not-a-boolean", file(start(), end(), chain("begun", "ended"), executable="1")),
    ("parallel-multiple", line(catch("w").replace('id="w"', 'id="w" parallelMultiple="true"'))),
    ("event-gateway-kind", GOOD["a wait for message or time"].replace(b'id="wait"', b'id="wait" eventGatewayType="Parallel"')),
    ("event-gateway-kind", GOOD["a wait for message or time"].replace(b'id="wait"', b'id="wait" instantiate="true"')),
    ("data-object", line(task("review", inner='<bpmn:dataInputAssociation id="da"/>'))),
    ("data-object", line(node("dataStoreReference", "odd"))),
    ("unknown-element", file(start(), end(), chain("begun", "ended"), before='<bpmn:import namespace="n" location="http://x/"/>')),
    *kinds("scriptTask=script-task", "complexGateway=complex-gateway", "inclusiveGateway=inclusive-gateway", "adHocSubProcess=ad-hoc",
           "transaction=transaction", "callActivity=call-activity", "businessRuleTask=business-rule-task", "manualTask=manual-task",
           "task=plain-task", "sendTask=send-task", "receiveTask=receive-task", "intermediateThrowEvent=throw-event",
           "dataObject=data-object", "dataObjectReference=data-object"),
    ("said-twice", line(task("review", inner='<bpmn:extensionElements><yb:task role="chief" due="promptly()"/></bpmn:extensionElements>'))),
    ("said-twice", line(task("review")).replace(b"<yb:task", b'<yb:task role="chief" due="promptly()"/><yb:task')),
    ("said-twice", line(catch("w", timer("x").replace("</bpmn:timerE", "<bpmn:timeDate>y</bpmn:timeDate></bpmn:timerE")))),
    ("said-twice", two_ways(None, "x == 1").replace(b"<bpmn:conditionE", b"<bpmn:conditionExpression>y</bpmn:conditionExpression><bpmn:conditionE")),
    ("script-task", line(node("scriptTask", "odd", "<bpmn:script>import os; os.system('id')</bpmn:script>"))),
    ("signal-event", line(catch("odd", SIGNAL))),
    ("signal-end", file(start(), end("ended", SIGNAL), chain("begun", "ended"))),
    ("boundary-escalation-or-signal", boundary(SIGNAL)),
    ("boundary-escalation-or-signal", boundary("<bpmn:escalationEventDefinition/>")),
    ("escalation-event", file(start(), end("ended", "<bpmn:escalationEventDefinition/>"), chain("begun", "ended"))),
    ("link-event", line(catch("odd", '<bpmn:linkEventDefinition name="x"/>'))),
    ("compensation", boundary("<bpmn:compensateEventDefinition/>")),
    ("compensation", line(task("undo", isForCompensation="true"))),
    ("error-event", boundary("<bpmn:errorEventDefinition/>")),
    ("conditional-event", boundary("<bpmn:conditionalEventDefinition/>")),
    ("cancel-event", boundary("<bpmn:cancelEventDefinition/>")),
    ("multi-instance-behavior", line(task("ask", inner='<bpmn:multiInstanceLoopCharacteristics behavior="One"/>'))),
    ("standard-loop", line(task("ask", inner="<bpmn:standardLoopCharacteristics/>"))),
    ("io-specification", line(task("ask", inner="<bpmn:ioSpecification/>"))),
    ("event-subprocess", file(start(), end(), chain("begun", "ended"),
                              node("subProcess", "also", start("in") + end("out") + chain("in", "out"), triggeredByEvent="true"))),
    ("start-quantity", line(task("ask", startQuantity="2"))),
    ("start-quantity", line(task("ask", completionQuantity="2"))),
    ("start-event-kind", file(start(inner='<bpmn:messageEventDefinition messageRef="msg_objection"/>'), end(), chain("begun", "ended"))),
    ("start-event-kind", file(start(inner=timer("today")), end(), chain("begun", "ended"))),
    ("end-event-kind", file(start(), end("ended", '<bpmn:messageEventDefinition messageRef="msg_objection"/>'), chain("begun", "ended"))),
    ("catch-event-kind", line(catch("odd", ""))),
    ("catch-event-kind", line(catch("odd", timer("x") + '<bpmn:messageEventDefinition messageRef="msg_objection"/>'))),
    ("boundary-event", boundary("")),
    ("boundary-event", boundary("<bpmn:terminateEventDefinition/>")),
    ("boundary-event", boundary(timer("x"), host="ended")),
    ("boundary-event", boundary(timer("x"), host="nowhere")),
    ("timer-not-timedate", line(catch("w", "<bpmn:timerEventDefinition><bpmn:timeDuration>P1D</bpmn:timeDuration></bpmn:timerEventDefinition>"))),
    ("timer-not-timedate", line(catch("w", "<bpmn:timerEventDefinition><bpmn:timeCycle>R3/P1D</bpmn:timeCycle></bpmn:timerEventDefinition>"))),
    ("timer-not-timedate", line(catch("w", "<bpmn:timerEventDefinition/>"))),
    ("task-without-role", line(task("review", role=""))),
    ("task-without-role", line(node("userTask", "review"))),
    ("task-without-due", line(task("review", due=""))),
    ("task-without-due", line(node("userTask", "review"))),
    ("bad-due-rule", line(task("review", "workdays(10) + 1"))),
    ("bad-due-rule", line(task("review", "P10D"))),
    ("bad-due-rule", line(task("review", "days(3, since='accepted_on', stopped='stopped_workdays')"))),
    ("several-starts", file(start(), start("also"), end(), chain("begun", "ended"), chain("also", "ended"))),
    ("several-starts", file(task("review"), end(), chain("review", "ended"))),
    ("several-starts", line(node("subProcess", "part", end("out")))),
    ("no-end", file(start(), task("review"), chain("begun", "review"))),
    ("no-end", line(node("subProcess", "part", start("in")))),
    ("missing-target", file(start(), end(), chain("begun", "ended"), flow("begun", "nowhere"))),
    ("missing-target", file(start(), node("subProcess", "part", start("in") + task("a") + end("out") + chain("in", "a", "out")), end(),
                            chain("begun", "part", "ended"), flow("begun", "a"))),
    ("wrong-way", file(start(), task("review"), end(), chain("begun", "review", "ended", "review"))),
    ("wrong-way", file(*LOOP[:-2], flow("gw", "begun", "x == 1"), flow("gw", "ended", name="f_done"))),
    ("twin-flows", file(start(), xor("gw", "f_1"), end(), chain("begun", "gw"), flow("gw", "ended", name="f_1"), flow("gw", "ended", "x == 1"))),
    ("conditional-flow-off-task", file(start(), task("a"), end(), chain("begun", "a"), flow("a", "ended", "x == 1"))),
    ("condition-on-default", two_ways("x == 1", "x == 2")),
    ("gateway-without-default", two_ways("x == 1", "x == 2", default="")),
    ("gateway-without-default", two_ways("x == 1", "x == 2", default="f_begun_gw")),
    ("gateway-without-default", file(start(), xor("gw"), end(), chain("begun", "gw"), flow("gw", "ended", "x == 1"))),
    ("flow-without-condition", two_ways(None, None)),
    ("overlapping-conditions", three_ways("signoff == 'return'", "outcome == 'grant'")),
    ("overlapping-conditions", three_ways("x > 3", "x >= 10 and y is None")),
    ("overlapping-conditions", three_ways("len(open) > 0", "not (len(open) == 0 or x)")),
    ("overlapping-conditions", three_ways("x in ['a', 'b']", "x in ('b', 'c')")),
    ("overlapping-conditions", three_ways("due < date('2018-12-01')", "due == date('2018-11-30')")),
    ("overlapping-conditions", three_ways("a > b", "a < b or b == 1")),
    ("overlapping-conditions", three_ways("'a' in found", "'b' in found")),
    ("overlapping-conditions", three_ways("True", "x == 1")),
    ("gateway-hole", two_ways("x > 1", "x < 1", default="")),
    ("gateway-hole", two_ways("x == 1 and y", "x != 1", default="")),
    ("conditions-too-many", three_ways(" and ".join(f"a{n} != {n}" for n in range(20)), "a0 == 0")),
    ("bad-expression", two_ways(None, "__import__('os').popen('id').read()")),
    ("bad-expression", two_ways(None, "")),
    ("bad-expression", two_ways(None, "${x == 1}")),
    ("bad-expression", two_ways(None, "x =")),
    ("bad-expression", two_ways(None, "open('/etc/passwd')")),
    ("bad-expression", line(catch("w", timer("__import__('os')")))),
    ("bad-expression", line(catch("w", timer("")))),
    ("bad-expression", line(catch("w", timer("'2026-02-30T00:00'")))),
    ("bad-expression", line(catch("w", timer("3")))),
    ("several-flows", file(start(), task("a"), end(), end("other"), chain("begun", "a", "ended"), chain("a", "other"))),
    ("event-gateway-target", line(node("eventBasedGateway", "wait"), catch("only"))),
    ("event-gateway-target", file(start(), node("eventBasedGateway", "wait"), task("a"), catch("b"), end(),
                                  chain("begun", "wait", "a", "ended"), chain("wait", "b", "ended"))),
    ("dead-end", file(start(), task("a"), end(), chain("begun", "a"))),
    ("dead-end", file(start(), xor("gw"), end(), chain("begun", "gw"))),
    ("unreachable-node", file(start(), task("a"), end(), chain("begun", "ended"), chain("a", "ended"))),
    ("unreachable-node", file(start(), task("a"), task("b"), end(), chain("begun", "ended"), chain("a", "b", "a"))),
    ("unreachable-node", file(start(), end(), task("a"), end("gone"), chain("begun", "ended"), chain("a", "gone"), chain("late", "gone"),
                              node("boundaryEvent", "late", timer("x"), attachedToRef="a"))),
    ("parallel-join-in-loop", looping_join()),
    ("parallel-join-in-loop", looping_join_by_boundary()),
    ("deadlock", forked_by_choice()),
    ("deadlock", escaping_branch()),
    ("doubled-token", joined_by_choice()),
    ("doubled-token", runaway_reminder()),
    ("undeclared-message", line(catch("w", '<bpmn:messageEventDefinition messageRef="nothing"/>'))),
    ("undeclared-message", line(catch("w", "<bpmn:messageEventDefinition/>"))),
    ("undeclared-message", file(start(), catch("w"), end(), chain("begun", "w", "ended"), before='<bpmn:message id="msg_objection"/>')),
    *[("bad-diagram", line(task("review")).replace(b'bpmnElement="review"/>', b'bpmnElement="review"><dc:Bounds xmlns:dc="http://www.omg.org/spec/DD/20100524/DC" x="%s" y="0" width="1" height="1"/></di:BPMNShape>' % x))
      for x in (b"a", b"", b"nan", b"1e400")],
    ("missing-diagram", file(start(), end(), chain("begun", "ended"), drawn=False)),
]  # fmt: skip


# Each class of model that SpiffWorkflow takes and runs wrongly, or breaks down on (reference/engines.md 5), with the rule that
# refuses it and the element that the finding names.
LOOP_OF = "<bpmn:multiInstanceLoopCharacteristics {}><bpmn:loopCardinality>{}</bpmn:loopCardinality></bpmn:multiInstanceLoopCharacteristics>"
MIS_RUN: dict[str, tuple[str, str, bytes]] = {
    "the signal of an end is dropped": ("signal-end", "ended", file(start(), end("ended", SIGNAL), chain("begun", "ended"))),
    "a flow ends at a link that throws": ("link-event", "odd", line(node("intermediateThrowEvent", "odd", '<bpmn:linkEventDefinition id="l" name="x"/>'))),
    "a link that catches": ("link-event", "odd", line(catch("odd", '<bpmn:linkEventDefinition id="l" name="x"/>'))),
    **{f"several at once, behavior {kind}": ("multi-instance-behavior", "review", line(task("review", inner=LOOP_OF.format(f'behavior="{kind}"', 3))))
       for kind in ("None", "One", "All", "Complex")},
    "fewer than no rounds": ("multi-instance-behavior", "review", line(task("review", inner=LOOP_OF.format("", -1)))),
    "a loop of fewer than no rounds": ("standard-loop", "review", line(task("review", inner='<bpmn:standardLoopCharacteristics loopMaximum="-1"/>'))),
    "waits for two tokens": ("start-quantity", "review", line(task("review", startQuantity="2"))),
    "gives two tokens": ("start-quantity", "review", line(task("review", completionQuantity="2"))),
    "a signal begins an event sub-process": ("event-subprocess", "part", line(node("subProcess", "part", start("in", SIGNAL) + end("out") + chain("in", "out"), triggeredByEvent="true"))),
    "a condition begins an event sub-process": ("event-subprocess", "part", line(
        node("subProcess", "part", start("in", "<bpmn:conditionalEventDefinition/>") + end("out") + chain("in", "out"), triggeredByEvent="true"))),
    "a signal interrupts too late": ("boundary-escalation-or-signal", "caught", boundary(SIGNAL)),
    "an escalation interrupts too late": ("boundary-escalation-or-signal", "caught", boundary("<bpmn:escalationEventDefinition/>")),
    "an error at the top is a good end": ("error-event", "ended", file(start(), end("ended", '<bpmn:errorEventDefinition errorRef="e"/>'), chain("begun", "ended"))),
    "an ad-hoc sub-process breaks down": ("ad-hoc", "odd", line(node("adHocSubProcess", "odd"))),
    "a task is cancelled by another one": ("cancel-event", "caught", boundary("<bpmn:cancelEventDefinition/>")),
    "data of a task": ("data-object", "d", line(task("review", inner='<bpmn:dataOutputAssociation id="d"><bpmn:targetRef>x</bpmn:targetRef></bpmn:dataOutputAssociation>'))),
    "compensation": ("compensation", "review", line(task("review", isForCompensation="true"))),
    "a complex gateway": ("complex-gateway", "odd", line(node("complexGateway", "odd"))),
    "a condition straight off a task": ("conditional-flow-off-task", "f_a_ended", file(start(), task("a"), end(), chain("begun", "a"), flow("a", "ended", "x == 1"))),
    "a global task": ("global-task", "g", file(start(), end(), chain("begun", "ended"), after='<bpmn:globalTask id="g"/>')),
    "a definition shared by reference": ("event-definition-ref", "eventDefinitionRef", boundary("<bpmn:eventDefinitionRef>other</bpmn:eventDefinitionRef>")),
    "a task that begins a process": ("receive-task", "odd", line(node("receiveTask", "odd", instantiate="true"))),
    "a second process": ("several-processes", "", line().replace(b"<di:BPMNDiagram", b'<bpmn:process id="two" isExecutable="true"/><di:BPMNDiagram')),
}  # fmt: skip


@pytest.mark.parametrize("name", MIS_RUN)
def test_what_the_library_mis_runs_is_refused_by_name(name: str) -> None:
    rule, element, xml = MIS_RUN[name]
    found = [f for f in check_drawing(xml) if f.rule == rule]
    assert found, {f.rule for f in check_drawing(xml)}
    [one] = [f for f in found if f.element == element or (rule, f.element) in (("link-event", "l"), ("multi-instance-behavior", "multiInstanceLoopCharacteristics"),
             ("standard-loop", "standardLoopCharacteristics")) or f.element.endswith("EventDefinition")][:1]  # fmt: skip
    assert one.line > 0 and all((one.message_zh, one.message_en, one.advice_zh, one.advice_en))


@pytest.mark.parametrize(("rule", "xml"), BAD, ids=[f"{rule}-{i}" for i, (rule, _) in enumerate(BAD)])
def test_what_would_run_wrongly_is_refused(rule: str, xml: bytes) -> None:
    began = time.perf_counter()
    found = check_drawing(xml)
    assert time.perf_counter() - began < 2
    assert rule in {f.rule for f in found}
    for f in found:
        assert f.message_zh and f.message_en and f.advice_zh and f.advice_en


SHARP = {"signal-end", "parallel-join-in-loop", "deadlock", "doubled-token", "twin-flows", "bad-due-rule", "bad-expression", "missing-diagram",
         "task-without-role", "link-event", "start-quantity", "gateway-without-default", "condition-on-default", "wrong-way",
         "timer-not-timedate", "undeclared-message", "event-subprocess", "doctype", "dead-end", "several-flows", "script-task", "plain-task",
         "complex-gateway", "call-activity", "throw-event", "overlapping-conditions", "conditions-too-many"}  # fmt: skip


@pytest.mark.parametrize("rule", sorted(SHARP))
def test_a_smallest_drawing_breaks_nothing_else(rule: str) -> None:
    told = {"event-subprocess": {"unreachable-node", "dead-end"}, "dead-end": {"unreachable-node"}, "gateway-without-default": {"gateway-hole"}}.get(rule, set())
    xml = next(x for r, x in BAD if r == rule)
    assert rules(xml) - told - ({"task-without-due"} if rule == "task-without-role" else set()) == {rule}


# -- names from the module


def test_a_user_task_needs_a_form() -> None:
    xml = line(task("review"))
    assert rules(xml, forms={"other"}) == {"task-without-form"}
    assert rules(xml, forms={"review"}) == set()


def test_a_service_task_needs_a_function() -> None:
    xml = line(service("assess"))
    assert rules(xml, services=()) == {"task-without-service"}
    assert rules(xml, services={"assess"}) == set()


def test_a_message_needs_a_form() -> None:
    xml = line(catch("wait"))
    assert rules(xml, messages=()) == {"message-without-form"}
    assert rules(xml, messages={"objection"}) == set()


@pytest.mark.parametrize(
    "xml",
    [file(*LOOP), line(catch("w", timer("outcome"))), line(task("a", "days(3, since='outcome')"))],
    ids=["condition", "timer", "due"],
)
def test_a_fact_that_nobody_gives_is_refused(xml: bytes) -> None:
    assert rules(xml, facts={"amount_fen"}) == {"unknown-fact"}
    assert rules(xml, facts={"outcome"}) == set()
    assert rules(xml) == set()


# -- findings as data


def test_a_finding_says_where_and_findings_stand_in_order() -> None:
    xml = line(task("a", due=""), node("scriptTask", "b")).replace(b"><bpmn:", b">\n<bpmn:")
    found = check_drawing(xml)
    assert [(f.rule, f.element) for f in found] == [("task-without-due", "a"), ("script-task", "b")]
    assert [xml.decode().splitlines()[f.line - 1].count(f'id="{f.element}"') for f in found] == [1, 1]


def test_a_role_on_the_lane_alone_is_refused_as_the_engine_reads_the_task() -> None:
    lane = ('<bpmn:laneSet id="lanes"><bpmn:lane id="l"><bpmn:extensionElements><yb:lane role="clerk" level="street"/></bpmn:extensionElements>'
            "<bpmn:flowNodeRef>review</bpmn:flowNodeRef></bpmn:lane></bpmn:laneSet>")  # fmt: skip
    assert rules(file(lane, start(), task("review", role=""), end(), chain("begun", "review", "ended"))) == {"task-without-role"}


def test_utf16_is_read() -> None:
    text = '<?xml version="1.0" encoding="UTF-16"?>' + line(task("review")).decode()
    assert check_drawing(text.encode("utf-16")) == []


def test_many_parallel_branches_are_checked_in_reasonable_time() -> None:
    branches = [x for i in range(20) for x in (task(f"t{i}"), service(f"s{i}"), chain("split", f"t{i}", f"s{i}"))]
    joins = [chain(f"s{i}", "join") for i in range(19)]
    whole = [start(), fork("split"), *branches, *joins, fork("join"), end(), chain("begun", "split"), chain("join", "ended")]
    escaping = (xor("gw", "f_on"), end("left"), chain("s19", "gw"), flow("gw", "left", "x == 1"), flow("gw", "join", name="f_on"))
    assert rules(file(*whole, chain("s19", "join"))) == set()  # one by one, 2^20 orders would never end
    assert rules(file(*whole, *escaping)) == {"deadlock"}


OUR_OWN = (ROOT / "processes" / "bpmn" / "dibao-2012.bpmn").read_bytes()


def spoiled(data: st.DataObject) -> bytes:
    """Our own drawing with up to three random wounds."""
    tree = etree.fromstring(OUR_OWN)
    for _ in range(data.draw(st.integers(1, 3))):
        process = tree.find("{*}process")
        elements = [e for e in [process, *process.iter()] if e.getparent() is not None]
        element = elements[data.draw(st.integers(0, len(elements) - 1))]
        wound = data.draw(st.sampled_from(["remove", "attribute", "value", "text", "rename", "twice"]))
        if wound == "remove" and element is not process:
            element.getparent().remove(element)
        elif wound in ("attribute", "value") and element.attrib:
            key = data.draw(st.sampled_from(sorted(element.attrib)))
            if wound == "attribute":
                del element.attrib[key]
            else:
                element.set(
                    key, data.draw(st.sampled_from(["", "x", "true", "false", "handling", "accept", "decide", "2", "a.b", "End"]))
                )
        elif wound == "text":
            element.text = data.draw(st.sampled_from(["", "x", "x ==", "1", "'a'", "promptly()"]))
        elif wound == "rename" and element is not process:
            kind = data.draw(st.sampled_from(["userTask", "serviceTask", "endEvent", "startEvent", "exclusiveGateway", "parallelGateway",
                                              "subProcess", "boundaryEvent", "intermediateCatchEvent", "sequenceFlow", "odd"]))  # fmt: skip
            element.tag = "{http://www.omg.org/spec/BPMN/20100524/MODEL}" + kind
        elif wound == "twice" and element is not process:
            element.addnext(copy.deepcopy(element))
    return etree.tostring(tree)


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_a_spoiled_drawing_is_refused_or_the_engine_can_read_it(data: st.DataObject) -> None:
    xml = spoiled(data)
    if not check_drawing(xml):
        Drawing.parse(xml)


# -- decision tables


def table(policy: str = "", *inputs: str, more: str = "") -> bytes:
    written = f' hitPolicy="{policy}"' if policy else ""
    lines = "".join(f'<rule id="r{i}"><inputEntry><text>{one}</text></inputEntry><outputEntry><text>{i}</text></outputEntry></rule>' for i, one in enumerate(inputs or ("-",)))
    head = '<input><inputExpression typeRef="number"><text>x</text></inputExpression><inputValues><text>1, 2</text></inputValues></input><output name="y" typeRef="number"/>'
    return (f'<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/"><decision id="d"><decisionTable id="t"{written}>'
            f"{head}{lines}</decisionTable></decision>{more}</definitions>").encode()  # fmt: skip


@pytest.mark.parametrize("policy", ["", "UNIQUE", "FIRST", "COLLECT"])
def test_sound_tables(policy: str) -> None:
    assert check_table(table(policy, "1", "2")) == []
    assert check_drawing(table(policy, "1", "2")) == []


BAD_TABLES: list[tuple[str, bytes]] = [
    *[("dmn-hit-policy", table(policy)) for policy in ("ANY", "PRIORITY", "RULE ORDER", "OUTPUT ORDER", "odd")],
    ("dmn-hit-policy", table("COLLECT").replace(b'id="t"', b'id="t" aggregation="SUM"')),
    ("dmn-several-tables", table("FIRST", more='<decision><decisionTable id="u" hitPolicy="FIRST"/></decision>')),
    ("dmn-overlap", table("UNIQUE", "1", "-")),
    ("dmn-overlap", table("", "-", " - ")),
    ("dmn-gap", table("", "1")),
    ("dmn-unreachable", table("FIRST", "-", "1")),
    ("dmn-too-large", TOO_LARGE),
    *[(rule, xml) for rule, xml in TYPE_FAULTS if rule in ADVICE and rule != "duplicate-id"],
    ("not-dmn", line()),
    ("not-dmn", b'<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/"/>'),
    ("not-xml", b"x"),
    ("doctype", b"<!DOCTYPE d>" + table()),
    ("too-large", b"<a>" + b" " * (2 * 1024 * 1024) + b"</a>"),
]


@pytest.mark.parametrize(("rule", "xml"), BAD_TABLES, ids=[f"{rule}-{i}" for i, (rule, _) in enumerate(BAD_TABLES)])
def test_tables_that_would_decide_wrongly_are_refused(rule: str, xml: bytes) -> None:
    assert {f.rule for f in check_table(xml)} == {rule}


def test_every_rule_has_a_drawing_here_that_it_refuses() -> None:
    by_names = {"task-without-form", "task-without-service", "message-without-form", "unknown-fact"}
    by_names |= {"other-process", "lane-not-installed", "end-not-installed", "not-deployable", "law-names", "engine-refuses"}  # tests/processes/test_definitions.py
    assert {rule for rule, _ in BAD + BAD_TABLES} | by_names == set(ADVICE)


def test_the_fact_for_which_the_clock_stands_still_must_be_given_by_somebody():
    xml = line(task("review", "workdays(10, since='accepted_on', stopped='stopped_workdays')"))
    assert rules(xml, facts={"accepted_on"}) == {"unknown-fact"}
    assert rules(xml, facts={"accepted_on", "stopped_workdays"}) == set()
