"""What SpiffWorkflow would run wrongly, or not at all, is refused when a drawing is deployed (DESIGN 3, row 6)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from datetime import datetime
from typing import Any

from lxml import etree

from engine import dmn
from engine.expression import ExpressionError, compile_expression, parse_due
from engine.lint_flow import Game, Level
from engine.lint_rules import (
    ADVICE,
    AROUND,
    BOOLEANS,
    BPMN,
    DI,
    FLOW_NODES,
    ID,
    NAMED,
    NUMBER,
    ONCE,
    OTHER,
    YB,
    Finding,
    at,
    finding,
    is_bpmn,
    name_of,
    named_rule,
)
from engine.lint_ways import TooMany, Ways

__all__ = ["ADVICE", "Finding", "check_drawing", "check_table"]
MAX_BYTES, MAX_NODES = 2 * 1024 * 1024, 2_000


def check_drawing(
    xml: bytes,
    *,
    forms: Collection[str] | None = None,
    services: Collection[str] | None = None,
    messages: Collection[str] | None = None,
    facts: Collection[str] | None = None,
) -> list[Finding]:
    """All findings, in document order; empty when the drawing may be deployed. With names, joins are checked too."""
    tree = _read(xml)
    if isinstance(tree, Finding):
        return [tree]
    if "DMN" in (etree.QName(tree).namespace or ""):
        return _table(xml)
    if tree.tag != f"{{{BPMN}}}definitions":
        return [finding("not-bpmn", "", 1, "不是 BPMN 2.0 文件", "not a BPMN 2.0 file")]
    return sorted(_Checks(tree, forms, services, messages, facts).all(), key=lambda f: (f.line, f.rule))


def check_table(xml: bytes, inputs: Collection[str] | None = None) -> list[Finding]:
    """The same for a decision table. `inputs`: the names that whoever asks it gives."""
    return sorted(_table(xml, inputs), key=lambda f: (f.line, f.rule))


def _read(xml: bytes) -> Any:
    if len(xml) > MAX_BYTES:
        return finding("too-large", "", 0, "文件超过 2 MB", "larger than 2 MB")
    closed = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False, load_dtd=False)
    try:
        tree: Any = etree.fromstring(xml, closed)
    except (etree.XMLSyntaxError, ValueError, LookupError) as error:  # LookupError: an encoding that nobody knows
        return finding("not-xml", "", 0, f"不是 XML：{error}", f"not XML: {error}")
    if tree.getroottree().docinfo.doctype:
        return finding("doctype", "", 1, "不允许 DOCTYPE", "a DOCTYPE is refused")
    return tree


def _table(xml: bytes, inputs: Collection[str] | None = None) -> list[Finding]:
    return [finding(fault.rule, fault.element, fault.line, fault.zh, fault.en) for fault in dmn.faults(xml, inputs)]


class _Checks:
    def __init__(self, tree: Any, forms: Any, services: Any, messages: Any, facts: Any) -> None:
        self.tree, self.forms, self.services, self.messages, self.facts = tree, forms, services, messages, facts
        self.processes = list(tree.iterfind(f"{{{BPMN}}}process"))

    def all(self) -> Iterator[Finding]:
        if len(self.processes) != 1:
            yield finding("several-processes", "", 1, "一个文件应恰有一个流程", "a file holds exactly one process")
            return
        [process] = self.processes
        if process.get("isExecutable", "true") not in ("true", "false"):
            yield at("not-a-boolean", process, "isExecutable 应为 true 或 false", "isExecutable is true or false")
        if process.get("isExecutable") != "true":
            yield at("not-executable", process, "流程没有标为可执行", "the process is not marked executable")
        if sum(1 for e in process.iter() if name_of(e) in FLOW_NODES) > MAX_NODES:
            yield at("too-large", process, f"超过 {MAX_NODES} 个环节", f"more than {MAX_NODES} nodes")
            return
        yield from self._ids(process)
        yield from self._around()
        yield from self._elements(process)
        for element in [process, *process.iter(f"{{{BPMN}}}subProcess")]:
            yield from self._level(Level(element))
        yield from self._messages()
        yield from self._drawn(process)

    # -- single elements

    def _ids(self, process: Any) -> Iterator[Finding]:
        seen = Counter(e.get("id") for e in self.tree.iter() if isinstance(e.tag, str) and e.get("id"))
        for element in self.tree.iter():
            given = element.get("id") if isinstance(element.tag, str) else None
            if given in ("Start", "End", "Root"):
                yield at("reserved-id", element, f"编号 {given} 由引擎保留", f"the id {given} is reserved by the engine")
            if given and seen[given] > 1:
                yield at("duplicate-id", element, f"编号 {given} 重复", f"the id {given} is used twice")
        for element in process.iter():
            needs = element is process or (is_bpmn(element) and name_of(element) in FLOW_NODES | {"sequenceFlow"})
            if needs and not ID.fullmatch(element.get("id") or ""):
                yield at("bad-id", element, "编号缺少或不合规定", "the id is missing or malformed")

    def _around(self) -> Iterator[Finding]:
        for top in self.tree:
            for element in top.iter() if name_of(top) != "process" else [top]:
                if is_bpmn(element) and name_of(element) in NAMED:
                    yield at(named_rule(element), element, f"{name_of(element)} 不能正确运行", f"{name_of(element)} would not be run rightly")
                elif is_bpmn(element) and name_of(element) not in AROUND:
                    yield at(
                        "unknown-element", element, f"不认识的元素 {name_of(element)}", f"{name_of(element)} is not supported"
                    )

    def _elements(self, process: Any) -> Iterator[Finding]:
        for element in process.iter():
            if not is_bpmn(element) or element is process:
                continue
            name = name_of(element)
            if name in NAMED:
                yield at(named_rule(element), element, f"{name} 不能正确运行", f"{name} would not be run rightly")
            elif name not in FLOW_NODES | OTHER:
                yield at("unknown-element", element, f"不认识的元素 {name}", f"{name} is not supported")
            yield from self._attributes(element)
            if name.endswith("Event"):
                yield from self._event(element)
            if name == "userTask":
                yield from self._user_task(element)
            if name == "serviceTask" and self.services is not None and element.get("id") not in self.services:
                yield at("task-without-service", element, "服务任务没有对应的函数", "no function for this service task")

    def _attributes(self, element: Any) -> Iterator[Finding]:
        said = Counter(child.tag for child in element)
        said.update(grandchild.tag for child in element if name_of(child) == "extensionElements" for grandchild in child)
        if any(said[tag] > 1 for tag in ONCE):
            yield at("said-twice", element, "同一件事写了两次，只会读第一次", "said twice: only the first would be read")
        if element.get("triggeredByEvent") == "true":
            yield at("event-subprocess", element, "事件子流程不会中断主流程", "an event sub-process does not interrupt")
        if element.get("isForCompensation") == "true":
            yield at("compensation", element, "补偿不会运行", "compensation is never run")
        for attribute in sorted(BOOLEANS & set(element.attrib)):
            if element.get(attribute) not in ("true", "false"):
                yield at("not-a-boolean", element, f"{attribute} 应为 true 或 false", f"{attribute} is true or false")
        if element.get("parallelMultiple") == "true":
            yield at("parallel-multiple", element, "不会等齐几个触发条件", "it would not wait for all of them")
        if name_of(element) == "eventBasedGateway" and (element.get("eventGatewayType", "Exclusive") != "Exclusive" or element.get("instantiate") == "true"):
            yield at("event-gateway-kind", element, "并行的或启动流程的事件网关不会这样运行", "a parallel or instantiating event gateway is run as an exclusive one")
        for attribute in ("startQuantity", "completionQuantity"):
            if element.get(attribute, "1") != "1":
                yield at("start-quantity", element, f"{attribute} 不会生效", f"{attribute} is ignored")

    def _event(self, element: Any) -> Iterator[Finding]:
        said = [name_of(e) for e in element if is_bpmn(e) and name_of(e).endswith("EventDefinition")]
        if any(one in NAMED for one in said):
            return  # told already
        kind = name_of(element)
        catches = said in (["messageEventDefinition"], ["timerEventDefinition"])
        if kind == "startEvent" and said:
            yield at("start-event-kind", element, "开始事件不能带触发条件", "a start event has no trigger")
        if kind == "endEvent" and said not in ([], ["terminateEventDefinition"]):
            yield at("end-event-kind", element, "这种结束事件不会生效", "this kind of end event has no effect")
        if kind == "intermediateCatchEvent" and not catches:
            yield at("catch-event-kind", element, "捕获事件只能是一个消息或定时", "a catch event is one message or one timer")
        if kind == "boundaryEvent" and not catches:
            yield at("boundary-event", element, "边界事件只能是一个消息或定时", "a boundary event is one message or one timer")
        yield from self._timer(element)

    def _timer(self, element: Any) -> Iterator[Finding]:
        for timer in element.iterfind(f"{{{BPMN}}}timerEventDefinition"):
            said = timer.find(f"{{{BPMN}}}timeDate")
            if said is not None:
                yield from self._expression(element, said.text, "定时", "timer", is_moment=True)
            elif not any(name_of(child) in NAMED for child in timer):
                yield at("timer-not-timedate", element, "定时没有 timeDate", "this timer has no timeDate")

    def _user_task(self, element: Any) -> Iterator[Finding]:
        said = element.find(f"{{{BPMN}}}extensionElements/{{{YB}}}task")
        if self.forms is not None and element.get("id") not in self.forms:
            yield at("task-without-form", element, "用户任务没有表单", "this user task has no form")
        # A role that only the lane names is not read by engine.bpmn: nobody would see the task.
        if said is None or not said.get("role"):
            yield at("task-without-role", element, "用户任务没有岗位", "this user task has no role")
        if said is None or not said.get("due"):
            yield at("task-without-due", element, "用户任务没有时限规则", "this user task has no deadline rule")
            return
        try:
            due = parse_due(said.get("due"))
        except ExpressionError as error:
            yield at("bad-due-rule", element, f"时限规则不正确：{error}", f"bad deadline rule: {error}")
            return
        yield from self._known(element, due.facts)

    def _expression(self, element: Any, text: str | None, zh: str, en: str, *, is_moment: bool = False) -> Iterator[Finding]:
        try:
            expression = compile_expression((text or "").strip())
            if is_moment and not expression.names:
                datetime.fromisoformat(expression.evaluate({}))  # reads no fact, so it is a date already
        except (ExpressionError, ValueError, TypeError) as error:
            yield at("bad-expression", element, f"{zh}不正确：{error}", f"bad {en}: {error}")
            return
        yield from self._known(element, expression.names)

    def _known(self, element: Any, names: Collection[str]) -> Iterator[Finding]:
        for name in sorted(names) if self.facts is not None else []:
            if name not in self.facts:
                yield at("unknown-fact", element, f"没有表单或服务给出 {name}", f"no form or service gives {name}")

    # -- one level of flow: a process or a sub-process

    def _level(self, level: Level) -> Iterator[Finding]:
        kinds = Counter(name_of(n) for n in level.nodes.values())
        if kinds["startEvent"] != 1:
            yield at("several-starts", level.element, "应恰有一个开始事件", "exactly one start event")
        if not kinds["endEvent"]:
            yield at("no-end", level.element, "没有结束事件", "no end event")
        yield from self._flows(level)
        for name, node in level.nodes.items():
            yield from self._node(level, name, node)
        yield from self._reach(level)
        yield from self._tokens(level)

    def _flows(self, level: Level) -> Iterator[Finding]:
        pairs = Counter((f.get("sourceRef"), f.get("targetRef")) for f in level.flows)
        for flow in level.flows:
            if not level.joined(flow):
                yield at("missing-target", flow, "连线的一端不在这一层", "one end of this flow is not on this level")
                continue
            source, target = level.nodes[flow.get("sourceRef")], level.nodes[flow.get("targetRef")]
            if pairs[flow.get("sourceRef"), flow.get("targetRef")] > 1:
                yield at("twin-flows", flow, "两个环节之间有两条连线", "two flows join the same two nodes")
            if name_of(source) == "endEvent" or name_of(target) in ("startEvent", "boundaryEvent"):
                yield at(
                    "wrong-way",
                    flow,
                    "连线离开结束事件，或进入开始、边界事件",
                    "a flow leaves an end, or enters a start or boundary event",
                )
            yield from self._condition(flow, source)

    def _condition(self, flow: Any, source: Any) -> Iterator[Finding]:
        said = flow.find(f"{{{BPMN}}}conditionExpression")
        if said is None:
            return
        if name_of(source) != "exclusiveGateway":
            yield at(
                "conditional-flow-off-task", flow, "条件连线只能从排他网关出发", "conditional flows leave exclusive gateways only"
            )
        if source.get("default") == flow.get("id"):
            yield at("condition-on-default", flow, "默认连线不应有条件", "the default flow has no condition")
        yield from self._expression(flow, said.text, "条件", "condition")

    def _node(self, level: Level, name: str, node: Any) -> Iterator[Finding]:
        kind, out = name_of(node), level.out[name]
        if kind == "exclusiveGateway":
            yield from self._exclusive(node, out)
        elif kind == "eventBasedGateway":
            yield from self._event_gateway(level, node, out)
        elif kind in FLOW_NODES - {"parallelGateway"} and len(out) > 1:
            yield at("several-flows", node, "一个环节只能有一条流出连线", "only gateways split")
        if kind != "endEvent" and not out:
            yield at("dead-end", node, "环节没有流出连线", "no way on from here")
        if kind == "boundaryEvent":
            host = level.nodes.get(node.get("attachedToRef"))
            if host is None or name_of(host) not in ("userTask", "serviceTask", "subProcess"):
                yield at(
                    "boundary-event", node, "边界事件没有附在任务或子流程上", "this boundary event is on no task or sub-process"
                )

    def _exclusive(self, node: Any, out: list[Any]) -> Iterator[Finding]:
        conditions = {f.get("id"): f.find(f"{{{BPMN}}}conditionExpression") for f in out}
        default = node.get("default")
        if default not in conditions and (default or len(out) > 1 or any(c is not None for c in conditions.values())):
            yield at("gateway-without-default", node, "排他网关没有默认连线", "an exclusive gateway needs a default flow")
        for flow in out if len(out) > 1 else []:
            if flow.get("id") != default and conditions[flow.get("id")] is None:
                yield at("flow-without-condition", flow, "连线缺少条件", "this flow needs a condition")
        said = {flow: c.text or "" for flow, c in conditions.items() if c is not None and flow != default}
        yield from self._ways(node, said, complete=default in conditions or len(said) < len(out))

    def _ways(self, node: Any, conditions: dict[str, str], *, complete: bool) -> Iterator[Finding]:
        """The engine takes the first flow whose condition is true: which that is must not hang on the order in the file."""
        try:
            ways = Ways(conditions)
            for one, other, when in ways.overlaps():
                zh, en = f"连线 {one} 与 {other} 的条件可以同时成立：{when}", f"the conditions of {one} and {other} can both be true: {when}"
                yield at("overlapping-conditions", node, zh, en)
            if not complete and conditions and (empty := ways.hole()) is not None:
                yield at("gateway-hole", node, f"没有一个条件成立：{empty}", f"no condition is true: {empty}")
        except TooMany:
            yield at("conditions-too-many", node, "条件太多，无法逐一核对", "too many conditions to try them all")
        except ExpressionError:
            return  # told at the flow

    def _event_gateway(self, level: Level, node: Any, out: list[Any]) -> Iterator[Finding]:
        targets = [f.get("targetRef") for f in out]
        catches = all(name_of(level.nodes[t]) == "intermediateCatchEvent" and len(level.into[t]) == 1 for t in targets)
        if len(targets) < 2 or not catches:
            yield at(
                "event-gateway-target", node, "事件网关应连到各自的捕获事件", "an event gateway leads to catch events of its own"
            )

    def _reach(self, level: Level) -> Iterator[Finding]:
        seen = level.reachable(level.begun())
        for name, node in level.nodes.items():
            if name not in seen:
                yield at("unreachable-node", node, "走不到的环节", "nothing leads here")
            if name_of(node) != "parallelGateway" or len(level.into[name]) < 2:
                continue
            if name in level.reachable([f.get("targetRef") for f in level.out[name]]):
                yield at("parallel-join-in-loop", node, "循环里的并行汇合会提前放行", "a parallel join inside a loop fires early")

    def _tokens(self, level: Level) -> Iterator[Finding]:
        kinds = Counter(name_of(n) for n in level.nodes.values())
        whole = all(out or name_of(level.nodes[name]) == "endEvent" for name, out in level.out.items())
        if kinds["startEvent"] != 1 or not whole or not all(level.joined(f) for f in level.flows):
            return  # the game is played on whole drawings
        if not kinds["parallelGateway"] and not kinds["boundaryEvent"]:
            return  # one token only
        game = Game(level)
        game.play()
        for name in sorted(game.stuck):
            yield at("deadlock", level.nodes[name], "汇合可能永远等不齐", "this join may wait for ever")
        for name in sorted(game.doubled - game.stuck):
            yield at("doubled-token", level.nodes[name], "同一环节可能同时办理两次", "two tokens may come here at once")

    def _messages(self) -> Iterator[Finding]:
        declared = {m.get("id"): m.get("name") for m in self.tree.iterfind(f"{{{BPMN}}}message")}
        for definition in self.tree.iter(f"{{{BPMN}}}messageEventDefinition"):
            name = declared.get(definition.get("messageRef"))
            if not name:
                yield at("undeclared-message", definition.getparent(), "消息没有声明名称", "this message has no declared name")
            elif self.messages is not None and name not in self.messages:
                yield at(
                    "message-without-form", definition.getparent(), f"消息 {name} 没有表单", f"no form for the message {name}"
                )

    def _drawn(self, process: Any) -> Iterator[Finding]:
        for part in self.tree.iter("{http://www.omg.org/spec/DD/20100524/DC}Bounds", "{http://www.omg.org/spec/DD/20100524/DI}waypoint"):
            names = ("x", "y") if name_of(part) == "waypoint" else ("x", "y", "width", "height")
            if not all(NUMBER.fullmatch(part.get(name) or "") for name in names):
                yield at("bad-diagram", part.getparent(), "版面上的坐标不是数字", "a coordinate on the diagram is no number")
        shown = {s.get("bpmnElement") for s in self.tree.iter(f"{{{DI}}}BPMNShape", f"{{{DI}}}BPMNEdge")}
        for element in process.iter():
            if is_bpmn(element) and name_of(element) in FLOW_NODES | {"sequenceFlow"} and element.get("id") not in shown:
                yield at("missing-diagram", element, "图上没有画出", "not on the diagram")
