"""A drawing as SVG, made on the server from its BPMN DI: for pages without script, for print and for replay.

Presentation attributes only: a strict content-security policy allows no style attribute.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from html import escape
from math import ceil
from typing import Any

from lxml import etree

from processes import organisation

NS = {
    "b": "http://www.omg.org/spec/BPMN/20100524/MODEL",
    "di": "http://www.omg.org/spec/BPMN/20100524/DI",
    "dc": "http://www.omg.org/spec/DD/20100524/DC",
    "w": "http://www.omg.org/spec/DD/20100524/DI",
    "yb": "urn:yingbao:bpmn:1",
}
# state -> stroke, fill, width, dash, (zh, en)
_LOOK = {
    "done": ("#00703c", "#e3f2e9", 2.0, "", ("已完成", "done")),
    "current": ("#1d70b8", "#dceaf6", 4.0, "", ("本步", "this step")),
    "active": ("#b15f00", "#fff3e0", 3.0, "7 4", ("当前待办", "waiting")),
    "none": ("#505a5f", "#ffffff", 1.5, "", ("未开始", "not begun")),
    # of two versions beside each other
    "same": ("#505a5f", "#ffffff", 1.5, "", ("相同", "the same")),
    "added": ("#00703c", "#e3f2e9", 4.0, "", ("新增", "added")),
    "removed": ("#942514", "#fbe9e7", 4.0, "3 3", ("删去", "removed")),
    "changed": ("#b15f00", "#fff3e0", 4.0, "7 4", ("改动", "changed")),
}
_EDGE = ' stroke="#ffffff" stroke-width="3" paint-order="stroke"'
_NO_BREAK_BEFORE = "，。；：、）」”！？"
_PIECE = re.compile(r"[^\s\u2e80-\uffff]+\s*|.", re.DOTALL)  # a Latin word, or one character


@dataclass(frozen=True)
class Marks:
    """What a run has done: node -> times, the step looked at, what waits, the flows taken, words under nodes. Or how a version differs
    from another one: `looks`, node -> same | added | removed | changed, and the flows that differ."""

    done: Mapping[str, int] = field(default_factory=dict)
    current: Collection[str] = ()
    active: Collection[str] = ()
    flows: Collection[str] = ()
    notes: Mapping[str, Sequence[str]] = field(default_factory=dict)
    looks: Mapping[str, str] = field(default_factory=dict)
    compared: bool = False

    def state(self, node: str) -> str:
        if self.compared or self.looks:
            return self.looks.get(node, "same")
        if node in self.current:
            return "current"
        if node in self.active:
            return "active"
        return "done" if node in self.done else "none"


@lru_cache(maxsize=32)
def _parsed(xml: bytes) -> tuple[Any, Mapping[str, Any]]:
    closed = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    tree: Any = etree.fromstring(xml, closed)
    if tree.getroottree().docinfo.doctype:
        raise ValueError("a drawing has no DOCTYPE")
    return tree, {e.get("id"): e for e in tree.iter() if isinstance(e.tag, str) and e.get("id")}


def render(xml: bytes, marks: Marks, *, title: str, lang: str = "zh", name: str = "d") -> str:
    """The SVG element; empty text when the drawing has no diagram. `name` keeps ids apart on one page."""
    parts = _parts(xml)
    if not parts.shapes:
        return ""
    pen = _Pen(parts.elements, Marks(), lang, name)
    for n, of in enumerate(parts.shapes):
        pen.take(_shape_drawn(xml, n, marks.state(of), marks.done.get(of, 0), tuple(marks.notes.get(of, ())), lang))
    for n, of in enumerate(parts.edges):
        pen.take(_edge_drawn(xml, n, of in marks.flows, lang, name))
    if not pen.xs:
        return ""
    return pen.finish(title)


@dataclass(frozen=True)
class _Parts:
    """A drawing taken apart: its elements by id, and of each shape and edge the id of what it draws."""

    elements: Mapping[str, Any]
    shapes: list[str]
    edges: list[str]
    shape_nodes: list[Any]
    edge_nodes: list[Any]


@lru_cache(maxsize=32)
def _parts(xml: bytes) -> _Parts:
    tree, elements = _parsed(xml)
    shapes, edges = tree.findall(".//di:BPMNShape", NS), tree.findall(".//di:BPMNEdge", NS)
    return _Parts(elements, [s.get("bpmnElement") for s in shapes], [e.get("bpmnElement") for e in edges], shapes, edges)


# What one shape or edge looks like in one state: from step to step of a case most of them stay as they are.


@lru_cache(maxsize=8192)
def _shape_drawn(xml: bytes, n: int, state: str, times: int, notes: tuple[str, ...], lang: str) -> _Pen:
    parts = _parts(xml)
    of = parts.shapes[n]
    marks = Marks({of: times} if times or state == "done" else {}, [of] if state == "current" else [], [of] if state == "active" else [], notes={of: notes},
                  looks={of: state} if state in ("same", "added", "removed", "changed") else {})  # fmt: skip
    pen = _Pen(parts.elements, marks, lang, "")
    pen.shape(parts.shape_nodes[n])
    return pen


@lru_cache(maxsize=8192)
def _edge_drawn(xml: bytes, n: int, taken: bool, lang: str, name: str) -> _Pen:  # noqa: FBT001 - all of it is the key
    parts = _parts(xml)
    pen = _Pen(parts.elements, Marks(flows=[parts.edges[n]] if taken else []), lang, name)
    pen.edge(parts.edge_nodes[n])
    return pen


def _width(text: str) -> float:
    return sum(1 if ord(c) > 0x2E80 else 0.55 for c in text)


def _wrapped(text: str, em: float) -> list[str]:
    """Lines of at most `em` Chinese characters' width; a Latin word is not torn, no line begins with a stop."""
    lines, line = [], ""
    for piece in _PIECE.findall(text):
        if line and _width((line + piece).rstrip()) > em and piece not in _NO_BREAK_BEFORE:
            lines.append(line)
            line = ""
        line += piece
    return [*lines, line]


def _sign(kind: str, x: float, y: float, colour: str) -> str:
    """What stands in a gateway: a cross, a plus, or the pentagon of one that waits for what happens first."""
    if kind == "eventBasedGateway":
        pentagon = f"M{x},{y - 8} l8,6 l-3,9 h-10 l-3,-9 z"
        return f'<circle cx="{x}" cy="{y}" r="12" fill="none" stroke="{colour}"/><path d="{pentagon}" fill="none" stroke="{colour}"/>'
    path = {"exclusiveGateway": f"M{x - 7},{y - 7} l14,14 m0,-14 l-14,14", "parallelGateway": f"M{x - 10},{y} h20 m-10,-10 v20"}.get(kind)
    return f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="3"/>' if path else ""


def _icon(kind: str, x: float, y: float, colour: str) -> str:
    """The corner of a task: somebody, or the system."""
    if kind == "userTask":
        return f'<path d="M{x},{y + 13} v-3 q0,-3 3,-3 h4 q3,0 3,3 v3 z" fill="none" stroke="{colour}"/><circle cx="{x + 5}" cy="{y + 3}" r="3" fill="none" stroke="{colour}"/>'
    if kind == "serviceTask":
        return (f'<circle cx="{x + 6}" cy="{y + 6}" r="5" fill="none" stroke="{colour}" stroke-width="2" stroke-dasharray="2 1.93"/>'
                f'<circle cx="{x + 6}" cy="{y + 6}" r="3.5" fill="none" stroke="{colour}"/>')  # fmt: skip
    return ""


class _Pen:
    def __init__(self, elements: Mapping[str, Any], marks: Marks, lang: str, name: str) -> None:
        self.elements, self.marks, self.lang, self.name = elements, marks, lang, name
        self.back: list[str] = []  # pools, lanes, sub-processes
        self.lines: list[str] = []
        self.taken: list[str] = []  # over the other lines: flows share stretches
        self.front: list[str] = []
        self.xs: list[float] = []
        self.ys: list[float] = []

    def take(self, other: _Pen) -> None:
        """What another pen has drawn of the same drawing."""
        for mine, theirs in ((self.back, other.back), (self.lines, other.lines), (self.taken, other.taken), (self.front, other.front)):
            mine.extend(theirs)
        self.xs.extend(other.xs)
        self.ys.extend(other.ys)

    def label(self, element: Any) -> str:
        zh = element.get("name") or ""
        return (element.get(f"{{{NS['yb']}}}name_en") or zh) if self.lang == "en" else zh

    def text(self, x: float, y: float, text: str, em: float, size: int = 12, colour: str = "#0b0c0c", more: str = "") -> str:
        lines = _wrapped(text, em) if text else []
        top = y - (len(lines) - 1) * size * 0.6
        return "".join(
            f'<text x="{x:.0f}" y="{top + n * size * 1.2:.1f}" font-size="{size}" fill="{colour}" text-anchor="middle" '
            f'dominant-baseline="central"{more}>{escape(line.strip())}</text>'
            for n, line in enumerate(lines)
        )

    def shape(self, shape: Any) -> None:
        element = self.elements.get(shape.get("bpmnElement"))
        bounds = shape.find("dc:Bounds", NS)
        if element is None or bounds is None:
            return
        x, y, w, h = (float(bounds.get(k)) for k in ("x", "y", "width", "height"))
        self.xs += [x, x + w]
        self.ys += [y, y + h + 14]
        kind = etree.QName(element).localname
        if kind in ("participant", "lane"):
            self._band(element, x, y, w, h, kind)
            return
        state = self.marks.state(element.get("id"))
        colour, fill, width, dash, words = _LOOK[state]
        line = f'stroke="{colour}" fill="{fill}" stroke-width="{width}"' + (f' stroke-dasharray="{dash}"' if dash else "")
        label = self.label(element)
        times = self.marks.done.get(element.get("id"), 0)
        english = self.lang == "en"
        said = f"{label or element.get('id')}{': ' if english else '：'}{words[english]}" + (f" ×{times}" if times > 1 else "")
        body = self._body(element, kind, label, (x, y, w, h), line, colour, shape)
        drawn = f'<g data-id="{escape(element.get("id"))}" class="{state}"><title>{escape(said)}</title>{body}{self._notes(element, x, y, w, h, colour)}</g>'
        (self.back if kind == "subProcess" else self.front).append(drawn)

    def _band(self, element: Any, x: float, y: float, w: float, h: float, kind: str) -> None:
        """A pool or a lane, its name upright at the left."""
        pool = kind == "participant"
        mid, size = y + h / 2, 13 if pool else 12
        turned = (f'<text x="{x + 15:.0f}" y="{mid:.0f}" font-size="{size}" fill="#505a5f" text-anchor="middle" '
                  f'dominant-baseline="central" transform="rotate(-90 {x + 15:.0f} {mid:.0f})">{escape(self.label(element))}</text>')  # fmt: skip
        fill, stroke = ("#f8f9fa", "#b1b4b6") if pool else ("none", "#b1b4b6")
        self.back.append(
            f'<g data-id="{escape(element.get("id"))}"><rect x="{x}" y="{y}" width="{w}" height="{h}" fill="{fill}" stroke="{stroke}"/>'
            f'<path d="M{x + 30},{y} v{h}" stroke="{stroke}"/>{turned}</g>'
        )

    def _body(self, element: Any, kind: str, label: str, box: tuple[float, float, float, float], line: str, colour: str, shape: Any) -> str:
        x, y, w, h = box
        cx, cy = x + w / 2, y + h / 2
        if kind.endswith("Gateway"):
            lx, ly = self._label_at(shape, cx, y - 12)
            diamond = f'<path d="M{cx},{y} L{x + w},{cy} L{cx},{y + h} L{x},{cy} Z" {line}/>'
            return diamond + _sign(kind, cx, cy, colour) + self.label_text(lx, ly, label, 8, element)
        if kind.endswith("Event"):
            lx, ly = self._label_at(shape, cx, y + h + 12)
            return self._event(element, kind, cx, cy, w / 2, line, colour) + self.label_text(lx, ly, label, 8, element)
        if kind == "subProcess":
            return f'<rect x="{x}" y="{y}" width="{w}" height="{h}" rx="10" {line} fill-opacity="0.25"/>' + self.text(cx, y + 13, label, 40, 12)
        role = self._role(element, kind)
        rect = f'<rect x="{x}" y="{y}" width="{w}" height="{h}" rx="8" {line}/>'
        words = self.text(cx, cy - (4 if role else 0), label, (w - 8) / 12, 12) + self.text(cx, y + h - 11, role, 12, 10, "#505a5f", ' class="post"')
        return rect + _icon(kind, x + 7, y + 6, colour) + words

    def _role(self, element: Any, kind: str) -> str:
        """Who does it: lanes tell the level (community, street, district), so the post stands in the box."""
        said = element.find("b:extensionElements/yb:task", NS)
        if kind == "userTask" and said is not None:
            zh, en = organisation.ROLES.get(said.get("role", ""), ("", ""))
        else:
            zh, en = "系统", "system"
        return en if self.lang == "en" else zh

    def label_text(self, x: float, y: float, text: str, em: float, of: Any, size: int = 11) -> str:
        """Words beside a shape or a flow, with a white edge where a line runs under them; Chinese lines of like length."""
        if not text.isascii():
            em = min(em, _width(text) / max(1, ceil(_width(text) / em)) + 0.5)
        return self.text(x, y, text, em, size, more=f' class="label" data-of="{escape(of.get("id"))}"{_EDGE}')

    def _label_at(self, shape: Any, x: float, y: float) -> tuple[float, float]:
        bounds = shape.find("di:BPMNLabel/dc:Bounds", NS)
        if bounds is None:
            return x, y
        bx, by, bw, bh = (float(bounds.get(k)) for k in ("x", "y", "width", "height"))
        self.xs += [bx, bx + bw]
        self.ys += [by, by + bh]
        return bx + bw / 2, by + bh / 2

    def _event(self, element: Any, kind: str, cx: float, cy: float, r: float, line: str, colour: str) -> str:
        ring = f'<circle cx="{cx}" cy="{cy}" r="{r}" {line}/>'
        if kind in ("intermediateCatchEvent", "boundaryEvent"):
            ring += f'<circle cx="{cx}" cy="{cy}" r="{r - 3}" fill="none" stroke="{colour}" stroke-width="1"/>'
        if kind == "endEvent":
            ring += f'<circle cx="{cx}" cy="{cy}" r="{r - 2}" fill="none" stroke="{colour}" stroke-width="3"/>'
        if element.find("b:messageEventDefinition", NS) is not None:
            ring += f'<path d="M{cx - 8},{cy - 5} h16 v11 h-16 z l8,6 l8,-6" fill="none" stroke="{colour}"/>'
        if element.find("b:timerEventDefinition", NS) is not None:
            ring += f'<circle cx="{cx}" cy="{cy}" r="{r - 7}" fill="none" stroke="{colour}"/>'
            ring += f'<path d="M{cx},{cy - r + 9} V{cy} l5,3" fill="none" stroke="{colour}" stroke-width="1.5"/>'
        return ring

    def _notes(self, element: Any, x: float, y: float, w: float, h: float, colour: str) -> str:
        """Under the shape and left of its middle, where a flow may come in from below."""
        notes = self.marks.notes.get(element.get("id"), ())
        return "".join(self.text(x + w / 2 - 7 - _width(note) * 5, y + h + 10 + n * 12, note, 14, 10, colour, f' class="note"{_EDGE}') for n, note in enumerate(notes))

    def edge(self, edge: Any) -> None:
        element = self.elements.get(edge.get("bpmnElement"))
        points = [(float(p.get("x")), float(p.get("y"))) for p in edge.iterfind("w:waypoint", NS)]
        if element is None or len(points) < 2:
            return
        self.xs += [x for x, _ in points]
        self.ys += [y for _, y in points]
        taken = element.get("id") in self.marks.flows
        colour, width, end = ("#00703c", 3, "t") if taken else ("#505a5f", 1.2, "p")
        path = " ".join(f"{x:.0f},{y:.0f}" for x, y in points)
        (self.taken if taken else self.lines).append(f'<polyline data-id="{escape(element.get("id"))}" class="{"taken" if taken else "open"}" points="{path}" fill="none" stroke="{colour}" stroke-width="{width}" '
                          f'marker-end="url(#{self.name}{end})"/>')  # fmt: skip
        if label := self.label(element):
            longest = max(range(len(points) - 1), key=lambda j: abs(points[j][0] - points[j + 1][0]))
            mid = ((points[longest][0] + points[longest + 1][0]) / 2, points[longest][1] - 8)
            x, y = self._label_at(edge, *mid)
            self.front.append(self.label_text(x, y, label, 12, element, 10))

    def finish(self, title: str) -> str:
        left, top = min(self.xs) - 10, min(self.ys) - 16
        width, height = max(self.xs) - left + 20, max(self.ys) - top + 20
        tips = "".join(
            f'<marker id="{self.name}{key}" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="8" markerHeight="8" markerUnits="userSpaceOnUse" '
            f'orient="auto"><path d="M0,0 L10,5 L0,10z" fill="{colour}"/></marker>'
            for key, colour in (("p", "#505a5f"), ("t", "#00703c"))
        )
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" class="drawing" viewBox="{left:.0f} {top:.0f} {width:.0f} {height:.0f}" role="img" '
            f'aria-label="{escape(title)}" font-family="Noto Sans SC, Noto Sans CJK SC, Microsoft YaHei, sans-serif"><defs>{tips}</defs>'
            + "".join([*self.back, *self.lines, *self.taken, *self.front])
            + "</svg>"
        )
