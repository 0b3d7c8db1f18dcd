"""The wall around SpiffWorkflow: the only module that imports it.

Tokens stand on a drawing and know nothing else: no facts, no time, no results. Where the way depends on one of these they
ask, in a few words, and the answer is all that comes in; ids come from a counter that the state carries. So the same
position, the same move and the same answers give the same tokens.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Container, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import SpiffWorkflow.task
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

# What tokens ask: "value" (of an expression), "fired" and "runs" (of a timer's moment: has it come, is it known), "call" (a service)
Ask = Callable[[str, str], Any]

_FOUND = TaskState.READY | TaskState.STARTED | TaskState.WAITING | TaskState.COMPLETED


class _Numbers(threading.local):
    """Where SpiffWorkflow's task ids come from while tokens move: their own counter."""

    run: Tokens | None = None


_numbers = _Numbers()


def _next_id() -> int:
    if _numbers.run is None:
        raise RuntimeError("a task was made outside of tokens")
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
    """A timer that asks whether its moment has come instead of looking at the wall clock."""

    def has_fired(self, my_task: Any) -> bool:
        return bool(my_task.workflow.script_engine.ask("fired", self.expression))


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
    """Hands on what the tokens ask."""

    def __init__(self, ask: Ask) -> None:
        super().__init__(environment=_NoScripts())
        self.ask = ask

    def evaluate(self, task: Any, expression: str, external_context: Any = None) -> Any:
        return self.ask("value", expression)


@dataclass(frozen=True)
class Specs:
    """What SpiffWorkflow read from a drawing."""

    main: Any = field(repr=False)
    subprocesses: Any = field(repr=False)

    @classmethod
    def read(cls, tree: Any, key: str) -> Specs:
        parser = _Parser()
        parser.add_bpmn_xml(tree)
        subprocesses = parser.get_subprocess_specs(key)
        return cls(parser.get_spec(key), subprocesses)

    @cached_property
    def indexes(self) -> dict[str, tuple[list[str], dict[str, int]]]:
        """Per (sub)process: the task specs by number, and back. The state holds numbers, not names."""
        found = {}
        for name, spec in (("", self.main), *self.subprocesses.items()):
            names = list(spec.task_specs)
            found[name] = (names, {one: i for i, one in enumerate(names)})
        return found


class Tokens:
    """The tokens of one case, as SpiffWorkflow moves them."""

    def __init__(self, specs: Specs, ask: Ask) -> None:
        self.specs, self.ask = specs, ask
        self.last_id = 0
        self._visits: dict[str, int] = {}
        self._order: list[int] = []  # sub-processes as the text lists them
        self._over: dict[int, list[Any]] = {}  # those that are over, as rows of the text

    # -- making and keeping

    @classmethod
    def start(cls, specs: Specs, ask: Ask) -> Tokens:
        tokens = cls(specs, ask)
        with tokens._moving():
            tokens._workflow = _Workflow(specs.main, specs.subprocesses, script_engine=_Engine(ask))
        return tokens

    @classmethod
    def restore(cls, specs: Specs, text: str, ask: Ask) -> Tokens:
        said = json.loads("{" + text[1:])
        tokens = cls(specs, ask)
        tokens.last_id, tokens._visits = said["last"], said["visits"]
        with tokens._moving():
            tokens._restore(said)
        return tokens

    @classmethod
    def moved(cls, here: Specs, there: Specs, text: str, ask: Ask) -> Tokens:
        """Tokens of one drawing on another, by the names of the elements. What is expected to come is left behind, and expected anew
        where SpiffWorkflow does not do that by itself: behind what waits. KeyError names the element that is not there."""
        said = json.loads("{" + text[1:])
        for place, tree in enumerate(said["trees"]):
            name, rows = tree[0 if place == 0 else 1], tree[-1]
            old, new = here.indexes[name][0], there.indexes[name][1]
            tree[-1] = [[*row[:2], new[old[row[2]]], *row[3:]] for row in rows if not row[3] & TaskState.PREDICTED_MASK]
        tokens = cls.restore(there, "," + json.dumps(said, ensure_ascii=False)[1:], ask)
        with tokens._moving():
            for waiting in [task for task in tokens._every() if task.has_state(TaskState.WAITING) and not task.children]:
                waiting._sync_children(waiting.task_spec.outputs, TaskState.MAYBE)
        return tokens

    def text(self) -> str:
        """Where they stand: the compact state from behind its facts on (decision 003). Tasks are rows; no copy of the drawing."""
        subs = self._workflow.subprocesses
        order = [*self._order, *(made for made in subs if made not in self._order)]
        trees = [self._rows("", self._workflow)]
        trees += [self._over[n] if n in self._over else [n, *self._rows(subs[n].spec.name, subs[n])] for n in order]
        said = {"last": self.last_id, "trees": trees, "visits": self._visits}
        return "," + json.dumps(said, ensure_ascii=False, sort_keys=True, separators=(",", ":"))[1:]

    def _rows(self, name: str, workflow: Any) -> list[Any]:
        numbers = self.specs.indexes[name][1]
        rows = []
        for task in workflow.tasks.values():
            inner = {k: v for k, v in task.internal_data.items() if v not in (None, False, []) and k != "seen_events"}
            row = [task.id, task._parent, numbers[task.task_spec.name], task._state, int(task.triggered)]
            rows.append([*row, inner] if inner else row)
        return [name, int(workflow.completed), int(workflow.success), rows]

    def _restore(self, said: Any) -> None:
        self._workflow = _Workflow(
            self.specs.main,
            self.specs.subprocesses,
            script_engine=_Engine(self.ask),
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
        sub = _SubWorkflow(self.specs.subprocesses[name], task_id, self._workflow, deserializing=True)
        self._workflow.subprocesses[task_id] = sub
        sub.completed_event.connect(parent.task_spec._on_subworkflow_completed, parent)
        self._fill(sub, name, *tree)

    def _fill(self, workflow: Any, name: str, completed: int, success: int, rows: list[list[Any]]) -> None:
        names, specs, tasks, keep = self.specs.indexes[name][0], workflow.spec.task_specs, workflow.tasks, dict.__setitem__
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

    def move(self, kind: str, what: str = "") -> None:
        """`answer` an open task (its key), `deliver` a message (its name), `tick` the timers, or only `go` on; then move every
        token that needs no person, no message and no later time."""
        with self._moving():
            if kind == "answer":
                self._open()[what].run()
            elif kind == "deliver":
                self._workflow.send_event(BpmnEvent(MessageEventDefinition(what)))
            elif kind == "tick":
                self._workflow.refresh_timers()
            self._advance()

    def _advance(self) -> None:
        moving = True
        while moving:
            self._workflow.do_engine_steps()
            # SpiffWorkflow leaves a plain service task STARTED, and waits: the shell's turn.
            for task in self._workflow.get_tasks(state=TaskState.STARTED, spec_class=ServiceTask):
                self.ask("call", task.task_spec.bpmn_id)
                task.complete()
            moving = bool(self._workflow.get_tasks(state=TaskState.READY, manual=False))

    # -- looking

    def open_tasks(self) -> dict[str, str]:
        """Key ("review.2": the second visit) -> node, of every user task that waits for a person."""
        return {key: task.task_spec.bpmn_id for key, task in self._open().items()}

    def number_timers(self) -> None:
        """Give every timer that has begun to run its key."""
        for task, due in self._timers():
            if task.internal_data.get("key") is None and self.ask("runs", due.expression):
                self._key(task)

    def timers(self) -> list[tuple[str, str]]:
        """(key, expression of the moment), of every timer that waits; one that does not run yet has the key that it will get."""
        found, visits = [], dict(self._visits)
        for task, due in self._timers():
            key = task.internal_data.get("key")
            if key is None:
                node = task.task_spec.bpmn_id
                visits[node] = visits.get(node, 0) + 1
                key = f"{node}.{visits[node]}"
            found.append((key, due.expression))
        return sorted(found)

    def _timers(self) -> list[tuple[Any, Due]]:
        waiting = self._workflow.event_manager.tasks.values()
        return [(task, definition) for task in waiting for definition in _definitions(task) if isinstance(definition, Due)]

    def waits_for(self) -> frozenset[str]:
        """Names of the messages that some node waits for."""
        waiting = self._workflow.event_manager.tasks.values()
        return frozenset(d.name for task in waiting for d in _definitions(task) if isinstance(d, MessageEventDefinition))

    def catchers(self) -> list[tuple[str, tuple[str, ...]]]:
        """(message, expressions of the timers that stand against it) of every node that waits for a message: behind an event-based gateway
        whichever comes first has the token."""
        found = []
        for task in self._workflow.event_manager.tasks.values():
            either = _definitions(task)
            against = tuple(d.expression for d in either if isinstance(d, Due))
            found += [(d.name, against) for d in either if isinstance(d, MessageEventDefinition)]
        return sorted(found)

    @property
    def ended(self) -> bool:
        return bool(self._workflow.completed)

    def last_of(self, nodes: Container[str]) -> str | None:
        """Which of these nodes of the top level was completed last."""
        done = [t for t in self._workflow.tasks.values() if t.task_spec.bpmn_id in nodes and t.has_state(TaskState.COMPLETED)]
        return done[-1].task_spec.bpmn_id if done else None

    def seen(self) -> Iterator[tuple[str, bool, str]]:
        """(node, whether it is completed, the drawn node before it or "") of everything that happened or waits."""
        for tree in self._over.values():
            self._restore_sub(*tree)
        self._over.clear()
        for task in self._every():
            node = task.task_spec.bpmn_id if task.has_state(_FOUND) else None
            if node is not None:
                yield node, task.has_state(TaskState.COMPLETED), _came_from(task)

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
