"""The rules of `engine.lint` by name: what is supported, what is refused, and what to do instead."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from lxml import etree

BPMN = "http://www.omg.org/spec/BPMN/20100524/MODEL"
DI = "http://www.omg.org/spec/BPMN/20100524/DI"
YB = "urn:yingbao:bpmn:1"

FLOW_NODES = frozenset({
    "startEvent", "endEvent", "userTask", "serviceTask", "exclusiveGateway", "parallelGateway", "eventBasedGateway",
    "subProcess", "intermediateCatchEvent", "boundaryEvent"})  # fmt: skip
OTHER = frozenset({
    "sequenceFlow", "laneSet", "lane", "flowNodeRef", "incoming", "outgoing", "extensionElements", "documentation",
    "conditionExpression", "messageEventDefinition", "timerEventDefinition", "timeDate", "textAnnotation", "text",
    "association", "terminateEventDefinition"})  # fmt: skip
AROUND = frozenset({"process", "collaboration", "participant", "message", "documentation", "extensionElements",
                     "textAnnotation", "text", "association"})  # fmt: skip
ONCE = frozenset({f"{{{BPMN}}}{name}" for name in ("conditionExpression", "timeDate", "extensionElements")} | {f"{{{YB}}}task"})
NUMBER = re.compile(r"-?[0-9]{1,7}(\.[0-9]{1,20})?")  # a coordinate on the diagram
ID = re.compile(r"[^\W\d][\w-]{0,99}")  # no dot: "review.2" is the second visit to "review"

# Refused, but nodes all the same: else one wrong node would bring a tail of findings on flows that lead nowhere.
REFUSED_NODES = frozenset({
    "scriptTask", "complexGateway", "inclusiveGateway", "adHocSubProcess", "transaction", "callActivity", "businessRuleTask",
    "manualTask", "task", "sendTask", "receiveTask", "intermediateThrowEvent"})  # fmt: skip
# element -> rule
NAMED = {
    "scriptTask": "script-task",
    "signalEventDefinition": "signal-event",
    "linkEventDefinition": "link-event",
    "escalationEventDefinition": "escalation-event",
    "compensateEventDefinition": "compensation",
    "errorEventDefinition": "error-event",
    "conditionalEventDefinition": "conditional-event",
    "cancelEventDefinition": "cancel-event",
    "complexGateway": "complex-gateway",
    "inclusiveGateway": "inclusive-gateway",
    "adHocSubProcess": "ad-hoc",
    "transaction": "transaction",
    "callActivity": "call-activity",
    "businessRuleTask": "business-rule-task",
    "multiInstanceLoopCharacteristics": "multi-instance-behavior",
    "standardLoopCharacteristics": "standard-loop",
    "timeDuration": "timer-not-timedate",
    "timeCycle": "timer-not-timedate",
    "manualTask": "manual-task",
    "task": "plain-task",
    "sendTask": "send-task",
    "receiveTask": "receive-task",
    "intermediateThrowEvent": "throw-event",
    "ioSpecification": "io-specification",
    "dataObject": "data-object",
    "dataObjectReference": "data-object",
    "dataStore": "data-object",
    "dataStoreReference": "data-object",
    "dataInputAssociation": "data-object",
    "dataOutputAssociation": "data-object",
    "property": "data-object",
    "eventDefinitionRef": "event-definition-ref",
    "globalTask": "global-task",
    "globalUserTask": "global-task",
    "globalManualTask": "global-task",
    "globalScriptTask": "global-task",
    "globalBusinessRuleTask": "global-task",
    "signal": "signal-event",
    "error": "error-event",
    "escalation": "escalation-event",
}
# Of these attributes SpiffWorkflow reads "true" alone, another tool also "1": the two would run different drawings.
BOOLEANS = frozenset({"isExecutable", "triggeredByEvent", "isForCompensation", "cancelActivity", "parallelMultiple", "isInterrupting",
                      "instantiate", "isSequential"})  # fmt: skip
_DRAW = ("画出来", "draw it")
_GATEWAYS = ("用排他或并行网关", "use exclusive or parallel gateways")
_MESSAGE = ("用消息事件", "use a message")
_BY_FORM = ("用 timeDate，日期由表单或服务给出", "use timeDate; a form or a service gives the date")
# rule -> what to do instead
ADVICE: dict[str, tuple[str, str]] = {
    "too-large": ("拆成几个流程", "split it into several processes"),
    "not-xml": ("从建模工具重新导出", "export it again from the modeller"),
    "doctype": ("删去 DOCTYPE 声明", "remove the DOCTYPE declaration"),
    "not-bpmn": ("从建模工具导出 BPMN 2.0", "export BPMN 2.0 from the modeller"),
    "not-dmn": ("从建模工具导出一张决策表", "export one decision table from the modeller"),
    "dmn-hit-policy": ("只用 UNIQUE、FIRST 或 COLLECT，不用汇总", "use UNIQUE, FIRST or COLLECT, without aggregation"),
    "dmn-several-tables": ("一个文件一张表", "one table in a file"),
    "dmn-overlap": ("缩小其中一行的条件，或改用 FIRST", "narrow one of the two rows, or use FIRST"),
    "dmn-gap": ("补上缺少的行，或缩小输入的值域", "add the row that is missing, or narrow the input's domain"),
    "dmn-unreachable": ("删去这一行，或移到前面", "remove the row, or move it up"),
    "dmn-type": ("写该类型的值；不限时写 -", "write values of the column's type; - for any"),
    "dmn-no-domain": ("在 inputValues 中列出全部可能的值", "list all values in inputValues"),
    "dmn-unknown-input": ("输入只写一个事实的名称", "an input is the name of one fact that is given"),
    "dmn-name": ("换一个名称", "choose another name"),
    "dmn-columns": ("各行的格数与表头一致，每行有编号", "as many cells in a row as columns; every row has an id"),
    "dmn-element": ("只用决策表，删去其他内容", "a decision table only: remove the rest"),
    "dmn-too-large": ("拆成几张表", "split it into several tables"),
    "several-processes": ("一个流程一个文件", "one process in a file"),
    "not-executable": ("设 isExecutable=true", "set isExecutable to true"),
    "bad-id": (
        "编号用字母开头，只含字母、数字、_、-，不超过 100 字",
        "begin with a letter; letters, digits, _ and - only; at most 100",
    ),
    "reserved-id": ("换一个编号", "choose another id"),
    "duplicate-id": ("换一个编号", "choose another id"),
    "said-twice": ("只留一个", "keep one"),
    "unknown-element": ("只用支持的元素", "use supported elements only"),
    "script-task": ("用服务任务，代码写在模块里", "use a service task; code belongs in the module"),
    "signal-event": _MESSAGE,
    "signal-end": ("用普通结束事件；通知由服务任务发出", "use a plain end; a service task tells others"),
    "boundary-escalation-or-signal": ("用消息边界事件", "use a boundary message"),
    "link-event": ("直接连线", "draw the flow"),
    "escalation-event": _MESSAGE,
    "compensation": ("画出撤销的步骤", "draw the undoing steps"),
    "error-event": ("用排他网关分流", "use an exclusive gateway"),
    "conditional-event": ("用消息或定时", "use a message or a timer"),
    "cancel-event": ("用消息边界事件", "use a boundary message"),
    "complex-gateway": _GATEWAYS,
    "inclusive-gateway": _GATEWAYS,
    "ad-hoc": ("画出次序", "draw the order"),
    "transaction": ("用子流程", "use a sub-process"),
    "call-activity": ("用子流程", "use a sub-process"),
    "business-rule-task": ("用服务任务读决策表", "use a service task that reads the table"),
    "multi-instance-behavior": ("画成循环或并行", "draw a loop or parallel branches"),
    "standard-loop": ("用排他网关画循环", "draw the loop with a gateway"),
    "timer-not-timedate": _BY_FORM,
    "manual-task": ("用用户任务", "use a user task"),
    "plain-task": ("用用户任务或服务任务", "use a user or a service task"),
    "send-task": ("用服务任务", "use a service task"),
    "receive-task": ("用消息捕获事件", "use a message catch event"),
    "throw-event": ("用服务任务", "use a service task"),
    "io-specification": ("事实每个案件一份，不需要", "facts live once per run: not needed"),
    "data-object": ("用事实", "use facts"),
    "event-definition-ref": ("把触发条件写在事件里面，不要引用", "write the definition inside the event, not a reference"),
    "global-task": ("画成流程里的用户任务或服务任务", "draw a user or a service task inside the process"),
    "not-a-boolean": ("只写 true 或 false", "write true or false"),
    "parallel-multiple": ("一个事件一个消息或定时；都要等的，画成并行分支", "one message or timer in an event; draw parallel branches to wait for all"),
    "event-gateway-kind": ("用普通（排他）事件网关，放在流程中间", "use a plain (exclusive) event gateway inside the flow"),
    "event-subprocess": ("主流程放进子流程，用消息边界事件", "put the main flow in a sub-process with a boundary message"),
    "start-quantity": ("删去这个属性", "remove the attribute"),
    "start-event-kind": ("用普通开始事件；案件由表单启动", "use a plain start; a form starts the case"),
    "end-event-kind": ("用普通或终止结束事件", "use a plain or a terminate end"),
    "catch-event-kind": ("一个事件恰有一个消息或定时", "exactly one message or timer in an event"),
    "boundary-event": ("用一个消息或定时，附在任务或子流程上", "use one message or timer, on a task or sub-process"),
    "task-without-form": ("在模块里给它一个表单", "give it a form in the module"),
    "task-without-role": ("写 <yb:task role=…>", "write <yb:task role=…>"),
    "task-without-due": ("写 <yb:task due=…>，例如 promptly()", "write <yb:task due=…>, for example promptly()"),
    "task-without-service": ("在模块里给它一个函数", "give it a function in the module"),
    "bad-due-rule": ("例如 workdays(10, since='accepted_on')", "for example workdays(10, since='accepted_on')"),
    "several-starts": ("每层恰有一个开始事件", "one start event on each level"),
    "no-end": ("加一个结束事件", "add an end event"),
    "missing-target": ("两端都接到同一层的环节上", "join two nodes of the same level"),
    "wrong-way": ("改连线方向", "turn the flow round"),
    "twin-flows": ("删去一条，或把条件合成一个", "remove one, or join the conditions by `or`"),
    "conditional-flow-off-task": ("在任务后加排他网关", "put an exclusive gateway after the task"),
    "condition-on-default": ("删去默认连线的条件", "remove the condition of the default flow"),
    "gateway-without-default": ("指定默认连线", "name a default flow"),
    "flow-without-condition": ("写条件", "write a condition"),
    "overlapping-conditions": ("让条件互相排斥，例如在后一个前面加 not", "let the conditions exclude each other, for example by `and not`"),
    "gateway-hole": ("指定默认连线", "name a default flow"),
    "conditions-too-many": ("先由表单或服务算出一个事实，或拆成几个网关", "let a form or service give one fact, or split the gateway"),
    "bad-expression": (
        "只用事实、比较、and/or/not、len min max abs date",
        "use facts, comparisons, and/or/not, len min max abs date",
    ),
    "unknown-fact": ("改正名称，或让表单、服务给出这个事实", "correct the name, or let a form or service give the fact"),
    "several-flows": ("加一个网关", "add a gateway"),
    "event-gateway-target": ("至少两条，各到一个专用的捕获事件", "two flows or more, each to a catch event of its own"),
    "dead-end": ("连到下一环节或结束事件", "lead on to the next node or to an end"),
    "unreachable-node": ("连上或删去", "join it or remove it"),
    "parallel-join-in-loop": ("把并行部分放进子流程", "put the parallel part in a sub-process"),
    "deadlock": ("让每个分支都到达汇合，且只到达一次", "let every branch reach the join, once"),
    "doubled-token": ("先用并行网关汇合", "join the branches with a parallel gateway first"),
    "undeclared-message": ("声明消息并取名", "declare the message and name it"),
    "message-without-form": ("在模块里给它一个表单", "give it a form in the module"),
    "missing-diagram": _DRAW,
    "law-names": ("只用所装程序的名称，一个也不少，每个只在一份文件里", "the names of the installed program, all of them, each in one file"),
    "engine-refuses": ("从建模工具重新导出；仍不行的，改画法", "export it again from the modeller, or draw it otherwise"),
    "bad-diagram": ("从建模工具重新导出版面", "export the layout again from the modeller"),
    "not-deployable": ("随程序版本更新", "it comes with the program"),
    "other-process": ("改流程编号，或作为另一个流程安装", "correct the id, or install it as another process"),
    "lane-not-installed": ("用所装模块已有的岗位和层级", "use a post and level that the installed module has"),
    "end-not-installed": ("用所装模块已有的结束事件编号", "use an end event that the installed module has"),
}


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


def finding(rule: str, element: str, line: int, zh: str, en: str) -> Finding:
    return Finding(rule, element, line, zh, en, *ADVICE[rule])


def at(rule: str, element: Any, zh: str, en: str) -> Finding:
    return finding(rule, element.get("id") or name_of(element), element.sourceline or 0, zh, en)


def name_of(element: Any) -> str:
    return etree.QName(element).localname if isinstance(element.tag, str) else ""


def is_bpmn(element: Any) -> bool:
    return isinstance(element.tag, str) and etree.QName(element).namespace == BPMN


def named_rule(element: Any) -> str:
    rule, parent = NAMED[name_of(element)], name_of(element.getparent())
    if rule == "signal-event" and parent == "endEvent":
        return "signal-end"
    if rule in ("signal-event", "escalation-event") and parent == "boundaryEvent":
        return "boundary-escalation-or-signal"
    return rule
