"""What stands on a drawing, by id: for whoever compares two drawings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from lxml import etree

from engine.lint_rules import BPMN, FLOW_NODES, YB, name_of


@dataclass(frozen=True, slots=True)
class Element:
    """One element; what does not apply is empty. said: what people or the engine read of it, name -> text."""

    id: str
    kind: str
    said: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Outline:
    """A drawing's process, nodes (the id of the sub-process around each as `inside`), flows, lanes."""

    nodes: Mapping[str, Element]
    flows: Mapping[str, Element]
    lanes: Mapping[str, Element]

    def around(self, node: str, end: str) -> frozenset[str]:
        """The nodes at the other end of the flows that come in (`source`) or go out (`target`)."""
        mine = "target" if end == "source" else "source"
        return frozenset(flow.said[end] for flow in self.flows.values() if flow.said[mine] == node)

    def attached(self, node: str) -> Mapping[str, Mapping[str, str]]:
        """Boundary events of a node, by id."""
        return {one.id: one.said for one in self.nodes.values() if one.kind == "boundaryEvent" and one.said.get("on") == node}


@lru_cache(maxsize=32)
def outline(xml: bytes) -> Outline:
    """Of a drawing that the lint has passed."""
    closed = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False, load_dtd=False)
    tree: Any = etree.fromstring(xml, closed)
    [process] = tree.iterfind(f"{{{BPMN}}}process")
    messages = {m.get("id"): m.get("name") or "" for m in tree.iterfind(f"{{{BPMN}}}message")}
    nodes = {e.get("id"): Element(e.get("id"), name_of(e), _node(e, messages)) for e in process.iter() if name_of(e) in FLOW_NODES}
    gates = {e.get("id"): e.get("default") for e in process.iter() if name_of(e) in FLOW_NODES}
    flows = {f.get("id"): Element(f.get("id"), "sequenceFlow", _flow(f, gates)) for f in process.iter(f"{{{BPMN}}}sequenceFlow")}
    lanes = {e.get("id"): Element(e.get("id"), "lane", _lane(e)) for e in process.iter(f"{{{BPMN}}}lane")}
    return Outline(nodes, flows, lanes)


def _node(element: Any, messages: Mapping[str, str]) -> dict[str, str]:
    task = element.find(f"{{{BPMN}}}extensionElements/{{{YB}}}task")
    timer = element.find(f"{{{BPMN}}}timerEventDefinition/{{{BPMN}}}timeDate")
    message = element.find(f"{{{BPMN}}}messageEventDefinition")
    around = element.getparent()
    said = {
        "name": element.get("name"), "name_en": element.get(f"{{{YB}}}name_en"), "on": element.get("attachedToRef"),
        "inside": around.get("id") if name_of(around) == "subProcess" else "",
        "interrupts": element.get("cancelActivity", "true") if name_of(element) == "boundaryEvent" else "",
        "timer": timer.text.strip() if timer is not None and timer.text else "",
        "message": "" if message is None else messages.get(message.get("messageRef"), ""),
        "terminates": "true" if element.find(f"{{{BPMN}}}terminateEventDefinition") is not None else "",
    }  # fmt: skip
    said |= {} if task is None else {name: task.get(name) for name in ("role", "level", "due", "law")}
    return {name: text for name, text in said.items() if text}


def _flow(element: Any, gates: Mapping[str, str | None]) -> dict[str, str]:
    condition = element.find(f"{{{BPMN}}}conditionExpression")
    source = element.get("sourceRef")
    said = {
        "source": source, "target": element.get("targetRef"), "name": element.get("name"),
        "condition": "" if condition is None else (condition.text or "").strip(), "default": "true" if gates.get(source) == element.get("id") else "",
    }  # fmt: skip
    return {name: text for name, text in said.items() if text}


def _lane(element: Any) -> dict[str, str]:
    level = element.find(f"{{{BPMN}}}extensionElements/{{{YB}}}lane")
    members = sorted((one.text or "").strip() for one in element.iterfind(f"{{{BPMN}}}flowNodeRef"))
    said = {"name": element.get("name"), "level": None if level is None else level.get("level"), "nodes": " ".join(members)}
    return {name: text for name, text in said.items() if text}
