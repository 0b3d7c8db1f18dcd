"""Does a sequence of activities fit a drawing? From an event log alone, ours or another system's; pure.

Our own replay (engine/step.py) does every cause again with its facts and must come to the same state; that is the proof.
What stands here is for auditors who have no facts, only a log: conditions are not known, so every branch is allowed, and
the question is only what the drawing makes reachable. Tokens lie on sequence flows. Gateways, sub-processes and what the
log does not record (`obligatory`) move without being seen; all positions that fit what was seen so far are followed at
once. Where none fits, the nearest explanation counts: activities of the drawing that were *skipped*, or else the event is
*extra* (or *out_of_order*, when it had been found skipped before). An activity that the drawing does not have is a
deviation, always.

Fitness as alignment-based conformance checking defines it (Adriansyah, van Dongen, van der Aalst 2011): 1 - cost of the
explanation / cost of the worst one (all events extra and the shortest way through the drawing skipped). Our explanation is
found event by event, so the figure is a lower bound of the best alignment's.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import lru_cache
from itertools import count
from typing import Any

from lxml import etree

from engine.errors import Invalid

BPMN = "http://www.omg.org/spec/BPMN/20100524/MODEL"
_B = f"{{{BPMN}}}"
_TASKS = frozenset({"userTask", "manualTask", "task"})
# Kinds of activities that a log may record. `inner`: the start or end of a sub-process, which engines seldom tell, so that a
# missing one is never a deviation.
KINDS = frozenset({"userTask", "message", "serviceTask", "startEvent", "endEvent", "timer", "inner"})
MOST = 4000  # positions that are followed at once; further ones are dropped, and the verdict says so
ABORTS = frozenset({"pi_abort", "ate_abort"})

Marking = frozenset[tuple[str, int]]  # place -> tokens


@dataclass(frozen=True, slots=True)
class Seen:
    """One event of a log. `activity`: a node's id, a message's name, or a name as the drawing writes it."""

    activity: str
    lifecycle: str = "complete"  # XES; only `complete` moves tokens, an abort takes the latest completion back
    at: str = ""
    ref: str = ""  # where it stands, e.g. the number of the entry or the line


@dataclass(frozen=True, slots=True)
class Deviation:
    kind: str  # unknown | skipped | extra | out_of_order | unfinished | beyond_end
    activity: str
    position: int  # of the event, from 1; after the last one: their number + 1
    ref: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    fits: bool
    fitness: Fraction
    events: int  # that were looked at
    deviations: tuple[Deviation, ...]
    cut: bool = False  # more positions than MOST: a deviation may be one too many


@dataclass
class Node:
    id: str
    kind: str  # userTask | serviceTask | startEvent | endEvent | inner | message | timer | xor | and | or | event | sub
    scope: str  # id of the sub-process in which it lies; "" at the top
    name: str = ""
    name_en: str = ""
    message: str = ""
    attached: str = ""  # boundary: to which activity
    interrupting: bool = True
    begins: bool = False  # a start event, of the drawing or of a sub-process
    incoming: list[str] = field(default_factory=list)
    outgoing: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Move:
    """What a step does: `label` is the node that is seen, None for a step that nobody sees."""

    label: str | None
    after: Marking


class Model:
    """The reachable positions of a drawing. Immutable after it is read; what was computed is kept."""

    def __init__(self, xml: bytes) -> None:
        self.nodes, self._parents = _read(xml)
        self._starts = {n.scope: n for n in self.nodes.values() if n.begins}
        self.start = self._starts[""].id
        self._into = {flow: n for n in self.nodes.values() for flow in n.incoming}
        self._boundaries: dict[str, list[Node]] = {}
        for node in self.nodes.values():
            if node.attached:
                self._boundaries.setdefault(node.attached, []).append(node)
        self._scope_of: dict[str, str] = {}  # place -> the sub-process in which its token lies
        for node in self.nodes.values():
            for flow in (*node.incoming, *node.outgoing):
                self._scope_of.setdefault(flow, node.scope)
        for node in self._starts.values():
            self._scope_of[f"start:{node.scope}"] = node.scope
        for node in self.nodes.values():
            if node.kind == "sub":
                self._scope_of[f"in:{node.id}"] = node.scope
        self.activities = {n.id for n in self.nodes.values() if n.kind in KINDS}
        self._named = self._names()
        self._moves: dict[Marking, tuple[Move, ...]] = {}
        self._closures: dict[tuple[frozenset[str], Marking], frozenset[Marking]] = {}
        self._shortest: dict[frozenset[str], int] = {}
        self.initial: Marking = frozenset({("start:", 1)})

    def _names(self) -> dict[str, frozenset[str]]:
        found: dict[str, set[str]] = {}
        for node in self.nodes.values():
            if node.kind in KINDS:
                for name in filter(None, (node.id, node.message, node.name, node.name_en)):
                    found.setdefault(name, set()).add(node.id)
        for node in self.nodes.values():  # an id is an id, whatever another node is called
            if node.kind in KINDS:
                found[node.id] = {node.id}
            elif node.kind == "event":  # a gateway's name stands for the timers behind it: engines tell that the gateway rang
                behind = {self._into[flow].id for flow in node.outgoing if self._into[flow].kind == "timer"}
                found |= {node.id: behind} if behind else {}
        return {name: frozenset(ids) for name, ids in found.items()}

    def nodes_of(self, activity: str) -> frozenset[str]:
        """The nodes that an activity of a log may mean; none: the drawing does not have it."""
        return self._named.get(activity, frozenset())

    # -- steps

    def moves(self, marking: Marking) -> tuple[Move, ...]:
        """Every single step from a position."""
        if marking not in self._moves:
            self._moves[marking] = tuple(self._steps(dict(marking)))
        return self._moves[marking]

    def _steps(self, tokens: dict[str, int]) -> Iterator[Move]:
        for place in sorted(tokens):
            if place.startswith("start:"):
                node = self._starts[place.removeprefix("start:")]
                yield Move(node.id, _moved(tokens, [place], node.outgoing))
            elif place.startswith("in:"):
                node = self.nodes[place.removeprefix("in:")]
                if not any(self._inside(other, node.id) for other in tokens):
                    yield Move(None, _moved(tokens, [place], node.outgoing))
                yield from self._interrupted(tokens, node)
            else:
                yield from self._fired(tokens, place)

    def _fired(self, tokens: dict[str, int], place: str) -> Iterator[Move]:
        node = self._into[place]
        if node.kind in ("and", "or") and len(node.incoming) > 1:
            waited = node.incoming if node.kind == "and" else [f for f in node.incoming if f in tokens]
            if place == min(waited) and all(f in tokens for f in waited):
                yield Move(None, _moved(tokens, waited, node.outgoing))
        elif node.kind == "sub":
            yield Move(None, _moved(tokens, [place], [f"in:{node.id}", f"start:{node.id}"]))
        elif node.kind in ("xor", "event"):
            for flow in node.outgoing:
                yield Move(None, _moved(tokens, [place], [flow]))
        elif node.kind == "or":
            for chosen in _some(node.outgoing):
                yield Move(None, _moved(tokens, [place], chosen))
        else:
            yield Move(node.id if node.kind in KINDS else None, _moved(tokens, [place], node.outgoing))
            for boundary in self._boundaries.get(node.id, ()):
                taken = [place] if boundary.interrupting else []
                yield Move(boundary.id, _moved(tokens, taken, boundary.outgoing))

    def _interrupted(self, tokens: dict[str, int], node: Node) -> Iterator[Move]:
        for boundary in self._boundaries.get(node.id, ()):
            left = tokens
            if boundary.interrupting:
                left = {p: n for p, n in tokens.items() if not self._inside(p, node.id)}
                left = dict(_moved(left, [f"in:{node.id}"], []))
            yield Move(boundary.id, _moved(left, [], boundary.outgoing))

    def _inside(self, place: str, sub: str) -> bool:
        scope = self._scope_of[place]
        while scope:
            if scope == sub:
                return True
            scope = self._parents[scope]
        return False

    # -- looking ahead

    def closure(self, marking: Marking, obligatory: frozenset[str]) -> frozenset[Marking]:
        """All positions that are reached without anything that the log would have recorded."""
        key = (obligatory, marking)
        if key not in self._closures:
            found, waiting = {marking}, [marking]
            while waiting and len(found) < MOST:
                for move in self.moves(waiting.pop()):
                    if self._silent(move, obligatory) and move.after not in found:
                        found.add(move.after)
                        waiting.append(move.after)
            self._closures[key] = frozenset(found)
        return self._closures[key]

    def _silent(self, move: Move, obligatory: frozenset[str]) -> bool:
        return move.label is None or self.nodes[move.label].kind not in obligatory

    def nearest(
        self, markings: Iterable[Marking], wanted: frozenset[str] | None, obligatory: frozenset[str]
    ) -> tuple[tuple[str, ...], Marking] | None:
        """The fewest recorded activities to be left out until one of `wanted` can happen (None: until the end), and the
        position after it."""
        order = count()
        heap: list[tuple[int, int, Marking, tuple[str, ...]]] = [(0, next(order), m, ()) for m in sorted(markings, key=sorted)]
        done: set[Marking] = set()
        while heap and len(done) < MOST:
            cost, _, marking, skipped = heapq.heappop(heap)
            if marking in done:
                continue
            done.add(marking)
            if wanted is None and not marking:
                return skipped, marking
            for move in self.moves(marking):
                if wanted is not None and move.label in wanted:
                    return skipped, move.after
                if move.after not in done:
                    seen = [] if move.label is None or self._silent(move, obligatory) else [move.label]
                    heapq.heappush(heap, (cost + len(seen), next(order), move.after, (*skipped, *seen)))
        return None

    def shortest(self, obligatory: frozenset[str]) -> int:
        """How many recorded activities the shortest way through the drawing has."""
        if obligatory not in self._shortest:
            way = self.nearest([self.initial], None, obligatory)
            self._shortest[obligatory] = len(way[0]) if way else 0
        return self._shortest[obligatory]


@lru_cache(maxsize=32)
def model(xml: bytes) -> Model:
    """The model of a drawing, kept: cases of one drawing meet the same positions again and again."""
    return Model(xml)


def check(drawing: Model, events: Sequence[Seen], *, obligatory: frozenset[str], closed: bool) -> Verdict:
    """Hold a trace against the drawing. `obligatory`: the kinds of activities that this log records, so that a missing one
    is a deviation (see `recorded`); `closed`: the case is over, so the drawing must be at its end."""
    rest, found = effective(events), list[Deviation]()
    here: frozenset[Marking] = frozenset({drawing.initial})
    missing: list[str] = []  # nodes that were found skipped and may come later: then they are out of order
    cost, cut = 0, False
    for position, event in rest:
        wanted = drawing.nodes_of(event.activity)
        if not wanted:
            found.append(Deviation("unknown", event.activity, position, event.ref))
            cost += 1
            continue
        spread = _spread(drawing, here, obligatory)
        cut |= len(spread) >= MOST
        after = frozenset(move.after for marking in spread for move in drawing.moves(marking) if move.label in wanted)
        if after:
            here = after
            continue
        way = drawing.nearest(spread, wanted, obligatory)
        late = next((node for node in missing if node in wanted), None)
        if way is not None and late is None:
            found += [Deviation("skipped", node, position, event.ref) for node in way[0]]
            missing += way[0]
            here, cost = frozenset({way[1]}), cost + len(way[0])
            continue
        if late is not None:
            missing.remove(late)
        kind = "out_of_order" if late is not None else "beyond_end" if frozenset() in spread else "extra"
        found.append(Deviation(kind, event.activity, position, event.ref))
        cost += 1
    if closed:
        way = drawing.nearest(_spread(drawing, here, obligatory), None, obligatory)
        for node in way[0] if way else ("",):  # no way to the end at all
            found.append(Deviation("unfinished", node, len(events) + 1))
            cost += 1
    worst = len(rest) + (drawing.shortest(obligatory) if closed else 0)
    fitness = max(Fraction(0), 1 - Fraction(cost, worst)) if worst else Fraction(1)
    return Verdict(not found, fitness, len(rest), tuple(found), cut)


def _spread(drawing: Model, here: frozenset[Marking], obligatory: frozenset[str]) -> frozenset[Marking]:
    return frozenset().union(*(drawing.closure(marking, obligatory) for marking in here))


def effective(events: Sequence[Seen]) -> list[tuple[int, Seen]]:
    """The events that move tokens, each with its place in the trace. An abort takes the latest completion of its activity
    back, with all that followed from it; an abort of what was never completed moves nothing."""
    kept: list[tuple[int, Seen]] = []
    for position, event in enumerate(events, start=1):
        if event.lifecycle == "complete":
            kept.append((position, event))
        elif event.lifecycle in ABORTS:
            last = next((n for n in range(len(kept) - 1, -1, -1) if kept[n][1].activity == event.activity), None)
            del kept[len(kept) if last is None else last :]
    return kept


def recorded(drawing: Model, traces: Iterable[Sequence[Seen]]) -> frozenset[str]:
    """The kinds of activities that a log records: those of people always, the others when they occur in it at all."""
    names = {event.activity for trace in traces for event in trace if event.lifecycle == "complete"}
    kinds = {drawing.nodes[node].kind for name in names for node in drawing.nodes_of(name)}
    return frozenset((kinds | {"userTask"}) - {"inner"})


def fitness_of(verdicts: Sequence[Verdict]) -> Fraction:
    """Of a whole log: the mean over its cases; 1 for an empty one."""
    return sum((v.fitness for v in verdicts), Fraction(0)) / len(verdicts) if verdicts else Fraction(1)


# -- reading a drawing


def _moved(tokens: Mapping[str, int], taken: Iterable[str], given: Iterable[str]) -> Marking:
    left = dict(tokens)
    for place in taken:
        left[place] -= 1
        if not left[place]:
            del left[place]
    for place in given:
        left[place] = left.get(place, 0) + 1
    return frozenset(left.items())


def _some(flows: Sequence[str]) -> Iterator[list[str]]:
    """Every choice of at least one."""
    for bits in range(1, 1 << len(flows)):
        yield [flow for n, flow in enumerate(flows) if bits >> n & 1]


_GATES = {"exclusiveGateway": "xor", "parallelGateway": "and", "inclusiveGateway": "or", "eventBasedGateway": "event", "subProcess": "sub"}


def _read(xml: bytes) -> tuple[dict[str, Node], dict[str, str]]:
    closed = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False)
    try:
        tree: Any = etree.fromstring(xml, closed)
    except etree.XMLSyntaxError as error:
        raise Invalid({"drawing": [f"不是 BPMN：{error}"]}) from error
    messages = {m.get("id"): m.get("name") for m in tree.iterfind(f"{_B}message")}
    nodes: dict[str, Node] = {}
    parents: dict[str, str] = {}
    process = tree.find(f"{_B}process")
    if process is None:
        raise Invalid({"drawing": ["不是 BPMN"]})

    def walk(element: Any, scope: str) -> None:
        for child in element:
            if not isinstance(child.tag, str) or child.get("id") is None:
                continue
            tag = etree.QName(child).localname
            if (kind := _kind(child, tag)) is not None:
                made = nodes[child.get("id")] = _node(child, kind, scope, messages)
                made.begins = tag == "startEvent"
                made.kind = "inner" if scope and tag in ("startEvent", "endEvent") else kind
            if tag == "subProcess":
                parents[child.get("id")] = scope
                walk(child, child.get("id"))
        for flow in element.iterfind(f"{_B}sequenceFlow"):
            nodes[flow.get("sourceRef")].outgoing.append(flow.get("id"))
            nodes[flow.get("targetRef")].incoming.append(flow.get("id"))

    walk(process, "")
    return nodes, parents


def _kind(element: Any, tag: str) -> str | None:
    if tag in _GATES:
        return _GATES[tag]
    if tag in _TASKS:
        return "userTask"
    if tag in ("serviceTask", "startEvent", "endEvent"):
        return tag
    if tag in ("intermediateCatchEvent", "boundaryEvent", "receiveTask"):
        return "timer" if element.find(f"{_B}timerEventDefinition") is not None else "message"
    return None


def _node(element: Any, kind: str, scope: str, messages: Mapping[str, str]) -> Node:
    definition = element.find(f"{_B}messageEventDefinition")
    message = messages.get(definition.get("messageRef"), "") if definition is not None else ""
    name_en = element.get("{urn:yingbao:bpmn:1}name_en") or ""
    return Node(element.get("id"), kind, scope, element.get("name") or "", name_en, message,
                element.get("attachedToRef") or "", element.get("cancelActivity") != "false")  # fmt: skip
