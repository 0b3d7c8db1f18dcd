"""A drawing, and one case's position on it: the Run.

A Run is made from bytes, is moved by `go` and by nothing else, and goes back to bytes. Facts live once per run, not per
task; the time and the results of the services are handed in. So the same inputs give the same Run.

Where the tokens stand says nothing about the case: thousands of cases stand at the same place of the same drawing. What
they do from there on depends only on what they ask (engine.spiff), so a way that was gone once is known from then on, as
in a regular expression's automaton that is built while it is used. Only an unknown way wakes SpiffWorkflow.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property, lru_cache
from typing import Any

from lxml import etree

from engine.expression import compile_expression
from engine.model import Data
from engine.spiff import Specs, Tokens

Call = Callable[[str, Data], Data]  # a service's node id and the facts -> new facts
Move = tuple[str, str]  # see Tokens.move; ("start", "") begins

BPMN = "http://www.omg.org/spec/BPMN/20100524/MODEL"
YB = "urn:yingbao:bpmn:1"
_NS = {"bpmn": BPMN, "yb": YB}
_KINDS = ("userTask", "serviceTask", "startEvent", "endEvent", "exclusiveGateway", "parallelGateway", "subProcess",
          "eventBasedGateway", "intermediateCatchEvent", "boundaryEvent", "inclusiveGateway")  # fmt: skip
_FACTS = '{"facts":'  # a state begins with it; what follows the facts is where the tokens stand
_DECODER = json.JSONDecoder()
_KNOWN = 4_000  # positions, and ways from them, of which a drawing keeps the knowledge; then it begins anew


@dataclass(frozen=True, slots=True)
class Node:
    """An element of a drawing, as far as people need to know it."""

    id: str
    kind: str
    name: str
    name_en: str
    role: str | None = None
    level: str | None = None  # street | community | district
    due: str | None = None
    law: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """Where tokens stand, and all that can be seen of it without facts."""

    text: str  # as it stands in the state, from behind the facts on
    open: Mapping[str, str] = field(default_factory=dict)  # key -> node
    timers: tuple[tuple[str, str], ...] = ()  # (key, expression of its moment)
    waits_for: frozenset[str] = frozenset()
    ended: bool = False
    end_event: str | None = None  # of the top level
    catchers: tuple[tuple[str, tuple[str, ...]], ...] = ()  # (message, expressions of the timers against it)


@dataclass(frozen=True, slots=True)
class _Asked:
    """A question on a way, and where each answer leads."""

    kind: str
    text: str
    then: dict[Any, _Asked | Place]


class _Ways:
    """What is known of a drawing's places: seen so far, and gone from there so far.

    Threads may learn the same way at once: they write the same.
    """

    def __init__(self) -> None:
        self.places: dict[str, Place] = {}
        self.moves: dict[Any, _Asked | Place] = {}  # (text of a place, move) -> the first question, or where it leads without any

    def learn(self, begin: Any, asked: list[tuple[str, str, Any]], end: Place) -> None:
        if len(self.moves) >= _KNOWN:
            self.moves.clear()
        here, at = self.moves, begin
        for kind, text, answer in asked:
            question = here.setdefault(at, _Asked(kind, text, {}))
            if not isinstance(question, _Asked) or (question.kind, question.text) != (kind, text):
                raise RuntimeError(f"the same way asked two things: {question} and {kind} {text}")
            here, at = question.then, _answer(answer)
        here[at] = end

    def place(self, text: str, seen: Callable[[], Place]) -> Place:
        if (found := self.places.get(text)) is None:
            if len(self.places) >= _KNOWN:
                self.places.clear()
            found = self.places[text] = seen()
        return found


def _answer(value: Any) -> Any:
    """An answer as a key: True is not 1."""
    return value if value is None or isinstance(value, str) else (type(value), value)


@dataclass(frozen=True)
class Drawing:
    """A parsed drawing; `digest` is the SHA-256 of its bytes and its name for ever."""

    key: str
    title: str
    xml: bytes
    digest: str
    specs: Specs = field(repr=False)
    nodes: Mapping[str, Node]
    flows: Mapping[tuple[str, str], str]  # (from node, to node) -> id of the sequence flow
    messages: frozenset[str]
    ways: _Ways = field(default_factory=_Ways, repr=False, compare=False)

    @classmethod
    def parse(cls, xml: bytes) -> Drawing:
        return _parse(xml)

    @cached_property
    def roles(self) -> tuple[str, ...]:
        """The posts of its tasks."""
        return tuple(sorted({node.role for node in self.nodes.values() if node.role}))

    def of_kind(self, kind: str) -> dict[str, Node]:
        return {node.id: node for node in self.nodes.values() if node.kind == kind}


@lru_cache(maxsize=64)
def _parse(xml: bytes) -> Drawing:
    closed = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False)
    tree: Any = etree.fromstring(xml, closed)
    [process] = tree.iterfind("bpmn:process", _NS)
    key = process.get("id")
    nodes = {e.get("id"): _node(e) for kind in _KINDS for e in process.iter(f"{{{BPMN}}}{kind}")}
    flows = {(f.get("sourceRef"), f.get("targetRef")): f.get("id") for f in process.iter(f"{{{BPMN}}}sequenceFlow")}
    messages = frozenset(m.get("name") for m in tree.iterfind("bpmn:message", _NS))
    return Drawing(key, process.get("name", key), xml, hashlib.sha256(xml).hexdigest(), Specs.read(tree, key), nodes, flows, messages)


def _node(element: Any) -> Node:
    said = element.find("bpmn:extensionElements/yb:task", _NS)
    more = {} if said is None else {k: said.get(k) for k in ("role", "level", "due", "law") if said.get(k)}
    name = element.get("name") or ""
    name_en = element.get(f"{{{YB}}}name_en") or name
    return Node(element.get("id"), etree.QName(element).localname, name, name_en, **more)


@dataclass(frozen=True, slots=True)
class Path:
    """Where a run has been and is: for the picture."""

    done: Mapping[str, int]  # node -> times completed
    active: tuple[str, ...]  # nodes that wait
    flows: frozenset[str]  # sequence flows taken


def unpacked(kept: bytes) -> bytes:
    """A state as it was dumped and fingerprinted, from the row of its case."""
    return kept if kept[:1] == b"{" else zlib.decompress(kept)


class Run:
    """One case's tokens and facts."""

    def __init__(self, drawing: Drawing, facts: dict[str, Any], now: datetime) -> None:
        self.drawing, self.facts, self.now = drawing, facts, now
        self._place = Place("")

    # -- making and keeping

    @classmethod
    def start(cls, drawing: Drawing, facts: Data, now: datetime) -> Run:
        """A case that has not begun: its first move is ("start", "")."""
        return cls(drawing, dict(facts), now)

    @classmethod
    def load(cls, drawing: Drawing, state: bytes, now: datetime) -> Run:
        said = unpacked(state).decode()
        facts, end = _DECODER.raw_decode(said, len(_FACTS))
        run = cls(drawing, facts, now)
        text = said[end:]
        run._place = drawing.ways.place(text, lambda: _seen(drawing, Tokens.restore(drawing.specs, text, _nothing), text))
        return run

    def dump(self) -> bytes:
        """Compact state: the facts, and where the tokens stand. Its hash stands in the record."""
        facts = json.dumps(self.facts, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        return f"{_FACTS}{facts}{self._place.text}".encode()

    def moved(self, drawing: Drawing) -> Run:
        """The same tokens, keys and facts on another drawing. LookupError names the element that the other drawing lacks."""
        tokens = Tokens.moved(self.drawing.specs, drawing.specs, self._place.text, _nothing)
        found, text = Run(drawing, dict(self.facts), self.now), tokens.text()
        found._place = drawing.ways.place(text, lambda: _seen(drawing, tokens, text))
        return found

    def packed(self, state: bytes) -> bytes:
        """The dumped state as it is kept: compressed once the run has ended, for it is seldom read from then on."""
        return zlib.compress(state, 9) if self.ended else state

    # -- moving

    def go(self, move: Move, call: Call) -> None:
        """Make a move (see Tokens.move), and everything that follows from it without a person, a message or a later time."""
        begin = (self._place.text, move)
        asked: list[tuple[str, str, Any]] = []
        found = self.drawing.ways.moves.get(begin)
        while isinstance(found, _Asked):
            asked.append((found.kind, found.text, answer := self._say(found.kind, found.text, call)))
            found = found.then.get(_answer(answer))
        self._place = found or self._explore(begin, asked, call)

    def _explore(self, begin: tuple[str, Move], known: list[tuple[str, str, Any]], call: Call) -> Place:
        """Go a way that was not gone before; `known` has been asked already, and is not asked again."""
        specs, before, asked = self.drawing.specs, iter(known), list[tuple[str, str, Any]]()

        def ask(kind: str, text: str) -> Any:
            said = next(before, None) or (kind, text, self._say(kind, text, call))
            if said[:2] != (kind, text):
                raise RuntimeError(f"the same way asked two things: {said[:2]} and {(kind, text)}")
            asked.append(said)
            return said[2]

        text, move = begin
        tokens = Tokens.restore(specs, text, ask) if text else Tokens.start(specs, ask)
        tokens.move(*move)
        tokens.open_tasks()  # gives them their keys, before the timers get theirs
        tokens.number_timers()
        end = _seen(self.drawing, tokens, tokens.text())
        self.drawing.ways.learn(begin, asked, end)
        return end

    def _say(self, kind: str, text: str, call: Call) -> Any:
        """What tokens ask, from this run's facts and time."""
        match kind:
            case "value":
                return compile_expression(text).evaluate(self.facts)
            case "fired":
                return (due := self._moment(text)) is not None and due <= self.now
            case "runs":
                return self._moment(text) is not None
            case _:
                self.facts.update(call(text, self.facts))
                return None

    def _moment(self, expression: str) -> datetime | None:
        text = compile_expression(expression).evaluate(self.facts)
        return None if text is None else datetime.fromisoformat(text).astimezone(UTC)

    # -- looking

    def open_tasks(self) -> dict[str, str]:
        """Key ("review.2": the second visit) -> node, of every user task that waits for a person."""
        return dict(self._place.open)

    def timers(self) -> dict[str, datetime]:
        """Key -> moment, of every timer that runs."""
        return {key: due for key, expression in self._place.timers if (due := self._moment(expression)) is not None}

    def waits_for(self) -> frozenset[str]:
        """Names of the messages that some node waits for."""
        return self._place.waits_for

    def over_since(self, message: str) -> datetime | None:
        """The moment at which the period for this message was over, where all that wait for it would have gone on by then: the timer came
        first, only nobody has rung yet. None: the message may come. Delivered all the same, both would go on."""
        ends = [[due for text in against if (due := self._moment(text)) is not None and due <= self.now] for name, against in self._place.catchers if name == message]
        return max(min(one) for one in ends) if ends and all(ends) else None

    @property
    def ended(self) -> bool:
        return self._place.ended

    @property
    def end_event(self) -> str | None:
        """The end event of the top level that was reached."""
        return self._place.end_event

    def path(self) -> Path:
        done: dict[str, int] = {}
        active, flows = [], set()
        for node, completed, before in self._steps():
            if completed:
                done[node] = done.get(node, 0) + 1
            else:
                active.append(node)
            if (flow := self.drawing.flows.get((before, node))) is not None:
                flows.add(flow)
        return Path(done, tuple(active), frozenset(flows))

    def _steps(self) -> Iterator[tuple[str, bool, str]]:
        return Tokens.restore(self.drawing.specs, self._place.text, _nothing).seen() if self._place.text else iter(())


def _seen(drawing: Drawing, tokens: Tokens, text: str) -> Place:
    ends = drawing.of_kind("endEvent")
    return Place(text, tokens.open_tasks(), tuple(tokens.timers()), tokens.waits_for(), tokens.ended, tokens.last_of(ends), tuple(tokens.catchers()))


def _nothing(kind: str, text: str) -> Any:
    raise RuntimeError(f"who only looks asks nothing: {kind} {text}")


