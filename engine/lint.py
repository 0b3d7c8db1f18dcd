"""What SpiffWorkflow would run wrongly, or not at all, is refused when a drawing is deployed (DESIGN 3, row 6)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from lxml import etree

from engine.expression import ExpressionError, compile_expression, parse_due

BPMN = "http://www.omg.org/spec/BPMN/20100524/MODEL"
DI = "http://www.omg.org/spec/BPMN/20100524/DI"
DMN = "https://www.omg.org/spec/DMN/20191111/MODEL/"
YB = "urn:yingbao:bpmn:1"
MAX_BYTES = 2 * 1024 * 1024

_FLOW_NODES = frozenset({
    "startEvent", "endEvent", "userTask", "serviceTask", "exclusiveGateway", "parallelGateway", "eventBasedGateway",
    "subProcess", "intermediateCatchEvent", "boundaryEvent"})  # fmt: skip
_OTHER = frozenset({
    "sequenceFlow", "laneSet", "lane", "flowNodeRef", "incoming", "outgoing", "extensionElements", "documentation",
    "conditionExpression", "messageEventDefinition", "timerEventDefinition", "timeDate", "textAnnotation", "text",
    "association", "terminateEventDefinition"})  # fmt: skip
# element -> (rule, what to do instead)
_NAMED = {
    "scriptTask": ("script-task", "用服务任务，代码写在模块里", "use a service task; code belongs in the module"),
    "signalEventDefinition": ("signal-event", "用消息事件", "use a message"),
    "linkEventDefinition": ("link-event", "直接连线", "draw the flow"),
    "escalationEventDefinition": ("escalation-event", "用消息事件", "use a message"),
    "compensateEventDefinition": ("compensation", "画出撤销的步骤", "draw the undoing steps"),
    "errorEventDefinition": ("error-event", "用排他网关分流", "use an exclusive gateway"),
    "conditionalEventDefinition": ("conditional-event", "用消息或定时", "use a message or a timer"),
    "cancelEventDefinition": ("cancel-event", "用消息边界事件", "use a boundary message"),
    "complexGateway": ("complex-gateway", "用排他或并行网关", "use exclusive or parallel gateways"),
    "inclusiveGateway": ("inclusive-gateway", "用排他或并行网关", "use exclusive or parallel gateways"),
    "adHocSubProcess": ("ad-hoc", "画出次序", "draw the order"),
    "transaction": ("transaction", "用子流程", "use a sub-process"),
    "callActivity": ("call-activity", "用子流程", "use a sub-process"),
    "businessRuleTask": ("business-rule-task", "用服务任务读决策表", "use a service task that reads the table"),
    "multiInstanceLoopCharacteristics": ("multi-instance-behavior", "画成循环或并行", "draw a loop or parallel branches"),
    "standardLoopCharacteristics": ("standard-loop", "用排他网关画循环", "draw the loop with a gateway"),
    "timeDuration": ("timer-not-timedate", "用 timeDate，日期由表单或服务给出", "use timeDate; a form or service gives the date"),
    "timeCycle": ("timer-not-timedate", "用 timeDate，日期由表单或服务给出", "use timeDate; a form or service gives the date"),
    "manualTask": ("manual-task", "用用户任务", "use a user task"),
    "task": ("plain-task", "用用户任务或服务任务", "use a user or service task"),
    "sendTask": ("send-task", "用服务任务", "use a service task"),
    "receiveTask": ("receive-task", "用消息捕获事件", "use a message catch event"),
    "intermediateThrowEvent": ("throw-event", "用服务任务", "use a service task"),
    "ioSpecification": ("io-specification", "事实全局只有一份，不需要", "facts live once per run: not needed"),
    "dataObject": ("data-object", "用事实", "use facts"),
    "dataObjectReference": ("data-object", "用事实", "use facts"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Finding:
    """One reason to refuse a drawing: where, why, and what to do instead."""

    rule: str
    element: str
    line: int
    message_zh: str
    message_en: str
    advice_zh: str = ""
    advice_en: str = ""


def check_drawing(
    xml: bytes,
    *,
    forms: Collection[str] | None = None,
    services: Collection[str] | None = None,
    messages: Collection[str] | None = None,
) -> list[Finding]:
    """All findings, in document order; empty when the drawing may be deployed. With names, joins are checked too."""
    if len(xml) > MAX_BYTES:
        return [Finding("too-large", "", 0, "文件超过 2 MB", "larger than 2 MB")]
    try:
        tree = etree.fromstring(xml, etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False))
    except (etree.XMLSyntaxError, ValueError) as error:
        return [Finding("not-xml", "", 0, f"不是 XML：{error}", f"not XML: {error}")]
    if tree.getroottree().docinfo.doctype:
        return [Finding("doctype", "", 1, "不允许 DOCTYPE", "a DOCTYPE is refused")]
    if etree.QName(tree).localname == "definitions" and "DMN" in (etree.QName(tree).namespace or ""):
        return list(_table(tree))
    return sorted(_Checks(tree, forms, services, messages).all(), key=lambda f: (f.line, f.rule))


def _table(tree: Any) -> Iterator[Finding]:
    for table in tree.iter("{*}decisionTable"):
        policy = table.get("hitPolicy", "UNIQUE")
        if policy not in ("UNIQUE", "FIRST", "COLLECT") or table.get("aggregation"):
            yield Finding("dmn-hit-policy", table.get("id", ""), table.sourceline, f"命中策略 {policy} 不受支持", f"hit policy {policy} is not run rightly",
                          "只用 UNIQUE、FIRST 或 COLLECT", "use UNIQUE, FIRST or COLLECT")  # fmt: skip


def _name(element: Any) -> str:
    return etree.QName(element).localname if isinstance(element.tag, str) else ""


class _Checks:
    def __init__(self, tree: Any, forms: Any, services: Any, messages: Any) -> None:
        self.tree, self.forms, self.services, self.messages = tree, forms, services, messages
        self.processes = list(tree.iterfind(f"{{{BPMN}}}process"))

    def all(self) -> Iterator[Finding]:
        if len(self.processes) != 1:
            yield Finding("several-processes", "", 1, "一个文件应恰有一个流程", "a file holds exactly one process")
            return
        [process] = self.processes
        if process.get("isExecutable") != "true":
            yield self._at("not-executable", process, "流程没有标为可执行", "the process is not marked executable")
        yield from self._ids()
        yield from self._elements(process)
        for level in [process, *process.iter(f"{{{BPMN}}}subProcess")]:
            yield from self._level(level)
        yield from self._messages()
        yield from self._drawn(process)

    def _at(self, rule: str, element: Any, zh: str, en: str, advice: tuple[str, str] = ("", "")) -> Finding:
        return Finding(rule, element.get("id") or _name(element), element.sourceline or 0, zh, en, *advice)

    def _ids(self) -> Iterator[Finding]:
        seen = Counter(e.get("id") for e in self.tree.iter() if isinstance(e.tag, str) and e.get("id"))
        for element in self.tree.iter():
            given = element.get("id") if isinstance(element.tag, str) else None
            if given in ("Start", "End", "Root"):
                yield self._at("reserved-id", element, f"编号 {given} 由引擎保留", f"the id {given} is reserved by the engine")
            if given and seen[given] > 1:
                yield self._at("duplicate-id", element, f"编号 {given} 重复", f"the id {given} is used twice")

    def _elements(self, process: Any) -> Iterator[Finding]:
        for element in process.iter():
            if not isinstance(element.tag, str) or etree.QName(element).namespace != BPMN or element is process:
                continue
            name = _name(element)
            if name in _NAMED:
                rule, zh, en = _NAMED[name]
                yield self._at(rule, element, f"{name} 不能正确运行", f"{name} would not be run rightly", (zh, en))
            elif name not in _FLOW_NODES | _OTHER:
                yield self._at("unknown-element", element, f"不认识的元素 {name}", f"{name} is not supported")
            yield from self._attributes(element, name)
            if name == "userTask":
                yield from self._user_task(element)
            if name == "serviceTask" and self.services is not None and element.get("id") not in self.services:
                yield self._at("task-without-service", element, "服务任务没有对应的函数", "no function for this service task")

    def _attributes(self, element: Any, name: str) -> Iterator[Finding]:
        if element.get("triggeredByEvent") == "true":
            yield self._at("event-subprocess", element, "事件子流程不会中断主流程", "an event sub-process does not interrupt",
                           ("主流程放进子流程，用边界消息事件", "put the main flow in a sub-process with a boundary message"))  # fmt: skip
        for attribute in ("startQuantity", "completionQuantity"):
            if element.get(attribute, "1") != "1":
                yield self._at("start-quantity", element, f"{attribute} 不会生效", f"{attribute} is ignored")
        if name == "boundaryEvent" and element.find(f"{{{BPMN}}}messageEventDefinition") is None and element.find(f"{{{BPMN}}}timerEventDefinition") is None:
            yield self._at("boundary-event", element, "边界事件只能是消息或定时", "a boundary event is a message or a timer")

    def _user_task(self, element: Any) -> Iterator[Finding]:
        said = element.find(f"{{{BPMN}}}extensionElements/{{{YB}}}task")
        if self.forms is not None and element.get("id") not in self.forms:
            yield self._at("task-without-form", element, "用户任务没有表单", "this user task has no form")
        if said is None or not said.get("role"):
            yield self._at("task-without-role", element, "用户任务没有岗位", "this user task has no role")
        if said is None or not said.get("due"):
            yield self._at("task-without-due", element, "用户任务没有时限规则", "this user task has no deadline rule")
            return
        try:
            parse_due(said.get("due"))
        except ExpressionError as error:
            yield self._at("bad-due-rule", element, f"时限规则不正确：{error}", f"bad deadline rule: {error}")

    # -- one level of flow: a process or a sub-process

    def _level(self, level: Any) -> Iterator[Finding]:
        nodes = {e.get("id"): e for e in level if _name(e) in _FLOW_NODES}
        flows = [e for e in level if _name(e) == "sequenceFlow"]
        yield from self._ends(level, nodes)
        outgoing: dict[str, list[Any]] = {}
        pairs = Counter((f.get("sourceRef"), f.get("targetRef")) for f in flows)
        for flow in flows:
            if flow.get("sourceRef") not in nodes or flow.get("targetRef") not in nodes:
                yield self._at("missing-target", flow, "连线的一端不存在", "one end of this flow does not exist")
                continue
            if pairs[flow.get("sourceRef"), flow.get("targetRef")] > 1:
                yield self._at("twin-flows", flow, "两个环节之间有两条连线", "two flows join the same two nodes")
            outgoing.setdefault(flow.get("sourceRef"), []).append(flow)
            yield from self._condition(flow, nodes[flow.get("sourceRef")])
        for name, node in nodes.items():
            yield from self._node(name, node, outgoing.get(name, []))
        yield from self._reach(nodes, outgoing)
        yield from self._joins(nodes, outgoing)

    def _ends(self, level: Any, nodes: dict[str, Any]) -> Iterator[Finding]:
        kinds = Counter(_name(n) for n in nodes.values())
        if kinds["startEvent"] != 1:
            yield self._at("several-starts", level, "应恰有一个开始事件", "exactly one start event")
        if not kinds["endEvent"]:
            yield self._at("no-end", level, "没有结束事件", "no end event")

    def _condition(self, flow: Any, source: Any) -> Iterator[Finding]:
        said = flow.find(f"{{{BPMN}}}conditionExpression")
        is_default = source.get("default") == flow.get("id")
        if said is None:
            return
        if _name(source) != "exclusiveGateway":
            yield self._at("conditional-flow-off-task", flow, "条件连线只能从排他网关出发", "conditional flows leave exclusive gateways only")
        if is_default:
            yield self._at("condition-on-default", flow, "默认连线不应有条件", "the default flow has no condition")
        try:
            compile_expression((said.text or "").strip())
        except ExpressionError as error:
            yield self._at("bad-expression", flow, f"条件不正确：{error}", f"bad condition: {error}")

    def _node(self, name: str, node: Any, out: list[Any]) -> Iterator[Finding]:
        kind = _name(node)
        if kind == "exclusiveGateway" and len(out) > 1:
            if node.get("default") not in {f.get("id") for f in out}:
                yield self._at("gateway-without-default", node, "排他网关没有默认连线", "an exclusive gateway needs a default flow")
            for flow in out:
                if flow.get("id") != node.get("default") and flow.find(f"{{{BPMN}}}conditionExpression") is None:
                    yield self._at("flow-without-condition", flow, "连线缺少条件", "this flow needs a condition")
        if kind != "exclusiveGateway" and kind not in ("parallelGateway", "eventBasedGateway") and len(out) > 1:
            yield self._at("several-flows", node, "一个环节只能有一条流出连线", "only gateways split")
        if kind != "endEvent" and not out:
            yield self._at("dead-end", node, "环节没有流出连线", "no way on from here")
        for timer in node.iterfind(f"{{{BPMN}}}timerEventDefinition/{{{BPMN}}}timeDate"):
            try:
                compile_expression((timer.text or "").strip())
            except ExpressionError as error:
                yield self._at("bad-expression", node, f"定时不正确：{error}", f"bad timer: {error}")

    def _reach(self, nodes: dict[str, Any], outgoing: dict[str, list[Any]]) -> Iterator[Finding]:
        begun = [n for n, e in nodes.items() if _name(e) in ("startEvent", "boundaryEvent")]
        seen = _reachable(begun, outgoing)
        for name, node in nodes.items():
            if name not in seen:
                yield self._at("unreachable-node", node, "走不到的环节", "nothing leads here")

    def _joins(self, nodes: dict[str, Any], outgoing: dict[str, list[Any]]) -> Iterator[Finding]:
        incoming = Counter(f.get("targetRef") for flows in outgoing.values() for f in flows)
        for name, node in nodes.items():
            if _name(node) != "parallelGateway" or incoming[name] < 2:
                continue
            after = [f.get("targetRef") for f in outgoing.get(name, [])]
            if name in _reachable(after, outgoing):
                yield self._at("parallel-join-in-loop", node, "循环里的并行汇合会提前放行", "a parallel join inside a loop fires early",
                               ("把并行部分放进子流程", "put the parallel part in a sub-process"))  # fmt: skip

    def _messages(self) -> Iterator[Finding]:
        declared = {m.get("id"): m.get("name") for m in self.tree.iterfind(f"{{{BPMN}}}message")}
        for definition in self.tree.iter(f"{{{BPMN}}}messageEventDefinition"):
            name = declared.get(definition.get("messageRef"))
            if not name:
                yield self._at("undeclared-message", definition.getparent(), "消息没有声明名称", "this message has no declared name")
            elif self.messages is not None and name not in self.messages:
                yield self._at("message-without-form", definition.getparent(), f"消息 {name} 没有表单", f"no form for the message {name}")

    def _drawn(self, process: Any) -> Iterator[Finding]:
        shown = {s.get("bpmnElement") for s in self.tree.iter(f"{{{DI}}}BPMNShape", f"{{{DI}}}BPMNEdge")}
        for element in process.iter():
            if _name(element) in _FLOW_NODES | {"sequenceFlow"} and element.get("id") not in shown:
                yield self._at("missing-diagram", element, "图上没有画出", "not on the diagram", ("补画", "draw it"))


def _reachable(begun: list[str], outgoing: dict[str, list[Any]]) -> set[str]:
    seen, waiting = set(begun), list(begun)
    while waiting:
        for flow in outgoing.get(waiting.pop(), []):
            if (target := flow.get("targetRef")) not in seen:
                seen.add(target)
                waiting.append(target)
    return seen
