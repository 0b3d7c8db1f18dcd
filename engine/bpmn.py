"""The wall around SpiffWorkflow: the only module that imports it.

A case's position on its drawing is a Run. It is made from bytes, is moved by `answer`, `deliver`, `tick` and `advance`
and by nothing else, and goes back to bytes. Facts live once per run, not per task; the time and the results of the
services are handed in; ids come from a counter that the state carries. So the same inputs give the same Run.
"""

from __future__ import annotations

import hashlib
import json
import threading
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property, lru_cache
from typing import Any

import SpiffWorkflow.task
from lxml import etree
from SpiffWorkflow.bpmn import BpmnEvent, BpmnWorkflow
from SpiffWorkflow.bpmn.parser import BpmnParser
from SpiffWorkflow.bpmn.parser.event_parsers import (
    BoundaryEventParser,
    EventBasedGatewayParser,
    IntermediateCatchEventParser,
)
from SpiffWorkflow.bpmn.parser.util import full_tag
from SpiffWorkflow.bpmn.script_engine import PythonScriptEngine
from SpiffWorkflow.bpmn.script_engine.python_environment import BasePythonScriptEngineEnvironment
from SpiffWorkflow.bpmn.specs.defaults import (
    BoundaryEvent,
    EventBasedGateway,
    IntermediateCatchEvent,
    ServiceTask,
    UserTask,
)
from SpiffWorkflow.bpmn.specs.event_definitions.message import MessageEventDefinition
from SpiffWorkflow.bpmn.specs.event_definitions.multiple import MultipleEventDefinition
from SpiffWorkflow.bpmn.specs.event_definitions.timer import TimeDateEventDefinition
from SpiffWorkflow.bpmn.specs.mixins.events.event_types import CatchingEvent
from SpiffWorkflow.bpmn.util.subworkflow import BpmnSubWorkflow
from SpiffWorkflow.bpmn.util.task import BpmnTaskFilter
from SpiffWorkflow.task import Task as SpiffTask
from SpiffWorkflow.util.task import TaskState

from engine.expression import compile_expression
from engine.model import Data

Call = Callable[[str, Data], Data]  # a service's node id and the facts -> new facts

BPMN = "http://www.omg.org/spec/BPMN/20100524/MODEL"
YB = "urn:yingbao:bpmn:1"
_NS = {"bpmn": BPMN, "yb": YB}
_KINDS = ("userTask", "serviceTask", "startEvent", "endEvent", "exclusiveGateway", "parallelGateway", "subProcess",
          "eventBasedGateway", "intermediateCatchEvent", "boundaryEvent", "inclusiveGateway")  # fmt: skip
_FOUND = TaskState.READY | TaskState.STARTED | TaskState.WAITING | TaskState.COMPLETED


class _Numbers(threading.local):
    """Where SpiffWorkflow's task ids come from while a Run moves: the run's own counter."""

    run: Run | None = None


_numbers = _Numbers()


def _next_id() -> int:
    if _numbers.run is None:
        raise RuntimeError("a task was made outside a Run")
    _numbers.run.last_id += 1
    return _numbers.run.last_id


SpiffWorkflow.task.uuid4 = _next_id


def _set_state(task: Any, value: int) -> None:
    task._state = value  # without the log line and the wall clock, which cost more than the step itself


SpiffTask._set_state = _set_state


class _Tasks(dict[int, Any]):
    """A workflow's tasks; `live` are those that were not over when they came in. What is over never moves again."""

    def __init__(self) -> None:
        super().__init__()
        self.live: dict[int, Any] = {}

    def __setitem__(self, task_id: int, task: Any) -> None:
        super().__setitem__(task_id, task)
        if not getattr(task, "_state", 0) & TaskState.FINISHED_MASK:  # a new one has none yet
            self.live[task_id] = task

    def pop(self, task_id: int, *default: Any) -> Any:
        self.live.pop(task_id, None)
        return super().pop(task_id, *default)


class _Quick:
    """Looks tasks up in the flat table instead of walking the tree of everything that ever happened.

    What is found is put in the order of the walk, for the record depends on it.
    """

    def __init__(self: Any, *given: Any, **more: Any) -> None:
        super().__init__(*given, **more)
        made, self.tasks = self.tasks, _Tasks()
        for task_id, task in made.items():
            self.tasks[task_id] = task

    def get_tasks(self: Any, first_task: Any = None, **wanted: Any) -> list[Any]:
        state, name = wanted.get("state"), wanted.get("spec_name")
        if first_task is not None or (state is None) == (name is None):
            return super().get_tasks(first_task, **wanted)  # type: ignore[misc]
        fits = BpmnTaskFilter(**wanted).matches
        found = [task for task in _near(self, state, name) if fits(task)]
        for sub in self.top_workflow.subprocesses.values():
            if sub.depth > self.depth and _inside(sub, self):
                within = [task for task in _near(sub, state, name) if fits(task)]
                if within and (name is not None or state & TaskState.FINISHED_MASK):
                    return super().get_tasks(**wanted)  # type: ignore[misc]
                found += within
        return found if len(found) < 2 else sorted(found, key=_place)

    def update_waiting_tasks(self: Any) -> None:
        waiting = [task for task in self.tasks.live.values() if task._state == TaskState.WAITING]
        if len(waiting) > 1:
            super().update_waiting_tasks()  # type: ignore[misc]
        elif waiting:
            waiting[0].task_spec._update(waiting[0])


def _near(workflow: Any, state: int | None, name: str | None) -> list[Any]:
    """The tasks that may fit: by state, or by the name of their element."""
    if state is None:
        return [task for task in workflow.tasks.values() if task.task_spec.name == name]
    tasks = workflow.tasks
    return [task for task in (tasks if state & TaskState.FINISHED_MASK else tasks.live).values() if task._state & state]


def _place(task: Any) -> list[int]:
    """Where a task stands in the tree; sorts parents before children and brothers in their order. What is inside a
    sub-process comes after its task, and before the task's children."""
    path = []
    while True:
        if (parent := task.parent) is not None:
            path.append(parent._children.index(task.id))
        elif (around := task.workflow).depth:
            path.append(-1)
            parent = around.parent_workflow.tasks[around.parent_task_id]
        else:
            return path[::-1]
        task = parent


def _inside(sub: Any, workflow: Any) -> bool:
    while sub is not None and sub.depth > workflow.depth:
        sub = sub.parent_workflow
    return sub is workflow


class _SubWorkflow(_Quick, BpmnSubWorkflow): ...


class _Workflow(_Quick, BpmnWorkflow):
    def create_subprocess(self, my_task: Any, spec_name: str) -> Any:
        sub = _SubWorkflow(self.subprocess_specs[spec_name], parent_task_id=my_task.id, top_workflow=self)
        self.subprocesses[my_task.id] = sub
        return sub

    def _do_engine_steps(self, *_: Any) -> bool:
        """As the base class does it, but open user tasks are not even looked for."""

        def update(workflow: Any) -> int:
            ready = workflow.get_tasks(state=TaskState.READY, manual=False)
            for task in ready:
                task.run()
            return len(ready)

        active = self.get_active_subprocesses()
        for sub in sorted(active, key=lambda one: one.depth, reverse=True):
            while update(sub):
                pass
            parent = self.get_task_from_id(sub.parent_task_id)
            parent.task_spec._update(parent)
        return update(self) > 0 or len(self.get_active_subprocesses()) > len(active)


class Due(TimeDateEventDefinition):
    """A timer that reads the facts and the time it is handed, not the wall clock."""

    def moment(self, engine: Any) -> datetime | None:
        text = engine.value(self.expression)
        return None if text is None else datetime.fromisoformat(text).astimezone(UTC)

    def has_fired(self, my_task: Any) -> bool:
        engine = my_task.workflow.script_engine
        due = self.moment(engine)
        return due is not None and due <= engine.now


class _DueTimers:
    def parse_timer_event(self: Any, event: Any) -> Due:
        [date] = self.xpath(".//bpmn:timeDate")
        return Due(self.node.get("name"), date.text)


class _CatchParser(_DueTimers, IntermediateCatchEventParser): ...


class _BoundaryParser(_DueTimers, BoundaryEventParser): ...


class _GatewayParser(_DueTimers, EventBasedGatewayParser): ...


class _Parser(BpmnParser):
    OVERRIDE_PARSER_CLASSES = {  # noqa: RUF012 - SpiffWorkflow reads it from the class
        full_tag("intermediateCatchEvent"): (_CatchParser, IntermediateCatchEvent),
        full_tag("boundaryEvent"): (_BoundaryParser, BoundaryEvent),
        full_tag("eventBasedGateway"): (_GatewayParser, EventBasedGateway),
    }


class _NoScripts(BasePythonScriptEngineEnvironment):
    """Stands where SpiffWorkflow would eval: everything that reaches it is refused."""

    def evaluate(self, *_: Any, **__: Any) -> Any:
        raise RuntimeError("expressions go through engine.expression")

    def execute(self, *_: Any, **__: Any) -> Any:
        raise RuntimeError("script tasks are refused")


class _Engine(PythonScriptEngine):
    """Evaluates conditions and timers on the facts of one run."""

    def __init__(self, facts: Data, now: datetime) -> None:
        super().__init__(environment=_NoScripts())
        self.facts, self.now = facts, now

    def value(self, source: str) -> Any:
        return compile_expression(source).evaluate(self.facts)

    def evaluate(self, task: Any, expression: str, external_context: Any = None) -> Any:
        return self.value(expression)


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


@dataclass(frozen=True)
class Drawing:
    """A parsed drawing; `digest` is the SHA-256 of its bytes and its name for ever."""

    key: str
    title: str
    xml: bytes
    digest: str
    spec: Any = field(repr=False)
    subprocesses: Any = field(repr=False)
    nodes: Mapping[str, Node]
    flows: Mapping[tuple[str, str], str]  # (from node, to node) -> id of the sequence flow
    messages: frozenset[str]

    @classmethod
    def parse(cls, xml: bytes) -> Drawing:
        return _parse(xml)

    def of_kind(self, kind: str) -> dict[str, Node]:
        return {node.id: node for node in self.nodes.values() if node.kind == kind}

    @cached_property
    def _indexes(self) -> dict[str, tuple[list[str], dict[str, int]]]:
        """Per (sub)process: the task specs by number, and back. The state holds numbers, not names."""
        found = {}
        for name, spec in (("", self.spec), *self.subprocesses.items()):
            names = list(spec.task_specs)
            found[name] = (names, {one: i for i, one in enumerate(names)})
        return found


@lru_cache(maxsize=64)
def _parse(xml: bytes) -> Drawing:
    closed = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False)
    tree: Any = etree.fromstring(xml, closed)
    parser = _Parser()
    parser.add_bpmn_xml(tree)
    [process] = tree.iterfind("bpmn:process", _NS)
    key = process.get("id")
    nodes = {e.get("id"): _node(e) for kind in _KINDS for e in process.iter(f"{{{BPMN}}}{kind}")}
    flows = {(f.get("sourceRef"), f.get("targetRef")): f.get("id") for f in process.iter(f"{{{BPMN}}}sequenceFlow")}
    messages = frozenset(m.get("name") for m in tree.iterfind("bpmn:message", _NS))
    digest = hashlib.sha256(xml).hexdigest()
    specs = parser.get_subprocess_specs(key)
    return Drawing(key, process.get("name", key), xml, digest, parser.get_spec(key), specs, nodes, flows, messages)


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

    def __init__(self, drawing: Drawing, now: datetime) -> None:
        self.drawing, self.now = drawing, now
        self.facts: dict[str, Any] = {}
        self.last_id = 0
        self._visits: dict[str, int] = {}
        self._order: list[int] = []  # sub-processes as the state lists them
        self._over: dict[int, list[Any]] = {}  # those that are over, as rows of the state

    # -- making and keeping

    @classmethod
    def start(cls, drawing: Drawing, facts: Data, now: datetime) -> Run:
        run = cls(drawing, now)
        run.facts.update(facts)
        with run._moving():
            run._workflow = _Workflow(drawing.spec, drawing.subprocesses, script_engine=_Engine(run.facts, now))
        return run

    @classmethod
    def load(cls, drawing: Drawing, state: bytes, now: datetime) -> Run:
        said = json.loads(unpacked(state))
        run = cls(drawing, now)
        run.facts, run.last_id, run._visits = said["facts"], said["last"], said["visits"]
        with run._moving():
            run._restore(said)
        return run

    def dump(self) -> bytes:
        """Compact state: tasks as rows, no copy of the drawing. Its hash stands in the record."""
        subs = self._workflow.subprocesses
        order = [*self._order, *(made for made in subs if made not in self._order)]
        trees = [self._rows("", self._workflow)]
        trees += [self._over[n] if n in self._over else [n, *self._rows(subs[n].spec.name, subs[n])] for n in order]
        said = {"facts": self.facts, "last": self.last_id, "visits": self._visits, "trees": trees}
        return json.dumps(said, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()

    def packed(self, state: bytes) -> bytes:
        """The dumped state as it is kept: compressed once the run has ended, for it is seldom read from then on."""
        return zlib.compress(state, 9) if self.ended else state

    def _rows(self, name: str, workflow: Any) -> list[Any]:
        numbers = self.drawing._indexes[name][1]
        rows = []
        for task in workflow.tasks.values():
            inner = {k: v for k, v in task.internal_data.items() if v not in (None, False, []) and k != "seen_events"}
            row = [task.id, task._parent, numbers[task.task_spec.name], task._state, int(task.triggered)]
            rows.append([*row, inner] if inner else row)
        return [name, int(workflow.completed), int(workflow.success), rows]

    def _restore(self, said: Data) -> None:
        self._workflow = _Workflow(
            self.drawing.spec,
            self.drawing.subprocesses,
            script_engine=_Engine(self.facts, self.now),
            deserializing=True,
        )
        main, *subs = said["trees"]
        self._fill(self._workflow, *main)
        self._order = [tree[0] for tree in subs]
        for tree in subs:
            # A sub-process that is over never moves again: its rows stay as they are until somebody wants to look.
            if self._moves(tree[0]):
                self._restore_sub(*tree)
            else:
                self._over[tree[0]] = tree

    def _moves(self, task_id: int) -> bool:
        """Whether the sub-process of a task is still under way; one inside another that is over is not."""
        trees = (self._workflow, *self._workflow.subprocesses.values())
        found = next((tree.tasks[task_id] for tree in trees if task_id in tree.tasks), None)
        return found is not None and not found.has_state(TaskState.FINISHED_MASK)

    def _restore_sub(self, task_id: int, name: str, *tree: Any) -> None:
        parent = self._workflow.get_task_from_id(task_id)
        sub = _SubWorkflow(self.drawing.subprocesses[name], task_id, self._workflow, deserializing=True)
        self._workflow.subprocesses[task_id] = sub
        sub.completed_event.connect(parent.task_spec._on_subworkflow_completed, parent)
        self._fill(sub, name, *tree)

    def _fill(self, workflow: Any, name: str, completed: int, success: int, rows: list[list[Any]]) -> None:
        names, specs, tasks, keep = self.drawing._indexes[name][0], workflow.spec.task_specs, workflow.tasks, dict.__setitem__
        for task_id, parent, number, state, triggered, *inner in rows:
            task = SpiffTask.__new__(SpiffTask)
            task.id, task.workflow, task._parent, task._children = task_id, workflow, parent, []
            task._state, task.triggered, task.task_spec = state, bool(triggered), specs[names[number]]
            task.thread_id, task.data, task.last_state_change = 0, {}, 0.0
            task.internal_data = inner[0] if inner else {}
            if parent is None:
                workflow.task_tree = task
            else:
                tasks[parent]._children.append(task_id)
            if state & TaskState.FINISHED_MASK:
                keep(tasks, task_id, task)
            else:
                tasks[task_id] = task
            if state == TaskState.WAITING and isinstance(task.task_spec, CatchingEvent):
                self._workflow.event_manager.add_task(task)
        workflow.completed, workflow.success = bool(completed), bool(success)

    @contextmanager
    def _moving(self) -> Iterator[None]:
        before, _numbers.run = _numbers.run, self
        try:
            yield
        finally:
            _numbers.run = before

    # -- moving

    def answer(self, key: str, facts: Data) -> None:
        """Complete the open user task `key`."""
        task = self._open()[key]
        self.facts.update(facts)
        with self._moving():
            task.run()

    def waits_for(self) -> set[str]:
        """Names of the messages that some node waits for."""
        found = set()
        for task in self._workflow.event_manager.tasks.values():
            for definition in _definitions(task):
                if isinstance(definition, MessageEventDefinition):
                    found.add(definition.name)
        return found

    def deliver(self, message: str, facts: Data) -> None:
        """Give a message to the nodes that wait for it; look with `waits_for` first."""
        self.facts.update(facts)
        with self._moving():
            self._workflow.send_event(BpmnEvent(MessageEventDefinition(message)))

    def tick(self) -> None:
        with self._moving():
            self._workflow.refresh_timers()

    def advance(self, call: Call) -> None:
        """Move every token that needs no person, no message and no later time."""
        with self._moving():
            moving = True
            while moving:
                self._workflow.do_engine_steps()
                # SpiffWorkflow leaves a plain service task STARTED, and waits: the shell's turn.
                for task in self._workflow.get_tasks(state=TaskState.STARTED, spec_class=ServiceTask):
                    self.facts.update(call(task.task_spec.bpmn_id, self.facts))
                    task.complete()
                moving = bool(self._workflow.get_tasks(state=TaskState.READY, manual=False))

    # -- looking

    def open_tasks(self) -> dict[str, str]:
        """Key ("review.2": the second visit) -> node, of every user task that waits for a person."""
        return {key: task.task_spec.bpmn_id for key, task in self._open().items()}

    def timers(self) -> dict[str, datetime]:
        """Key -> moment, of every timer that runs."""
        found = {}
        for task in self._workflow.event_manager.tasks.values():
            for definition in _definitions(task):
                if isinstance(definition, Due) and (due := definition.moment(self._workflow.script_engine)):
                    found[self._key(task)] = due
        return found

    @property
    def ended(self) -> bool:
        return bool(self._workflow.completed)

    @property
    def end_event(self) -> str | None:
        """The end event of the top level that was reached."""
        ends = self.drawing.of_kind("endEvent")
        done = [t for t in self._workflow.tasks.values() if t.task_spec.bpmn_id in ends and t.has_state(TaskState.COMPLETED)]
        return done[-1].task_spec.bpmn_id if done else None

    def path(self) -> Path:
        for tree in self._over.values():
            self._restore_sub(*tree)
        self._over.clear()
        done: dict[str, int] = {}
        active, flows = [], set()
        for task in self._every():
            node = task.task_spec.bpmn_id if task.has_state(_FOUND) else None
            if node is None:
                continue
            if task.has_state(TaskState.COMPLETED):
                done[node] = done.get(node, 0) + 1
            else:
                active.append(node)
            if (flow := self.drawing.flows.get((_came_from(task), node))) is not None:
                flows.add(flow)
        return Path(done, tuple(active), frozenset(flows))

    def _every(self) -> Iterator[Any]:
        yield from self._workflow.tasks.values()
        for sub in self._workflow.subprocesses.values():
            yield from sub.tasks.values()

    def _open(self) -> dict[str, Any]:
        trees = (self._workflow, *self._workflow.subprocesses.values())
        ready = [t for tree in trees for t in tree.tasks.live.values() if t._state == TaskState.READY and isinstance(t.task_spec, UserTask)]
        return {self._key(task): task for task in ready}

    def _key(self, task: Any) -> str:
        key: str | None = task.internal_data.get("key")
        if key is None:
            node = task.task_spec.bpmn_id
            self._visits[node] = self._visits.get(node, 0) + 1
            key = task.internal_data["key"] = f"{node}.{self._visits[node]}"
        return key


def _definitions(task: Any) -> list[Any]:
    definition = task.task_spec.event_definition
    return definition.event_definitions if isinstance(definition, MultipleEventDefinition) else [definition]


def _came_from(task: Any) -> str:
    """The drawn element before this one: SpiffWorkflow puts undrawn ones between."""
    parent = task.parent
    while parent is not None and parent.task_spec.bpmn_id is None:
        parent = parent.parent
    return "" if parent is None else str(parent.task_spec.bpmn_id)
