"""One level of a drawing as a graph, and the game of tokens that is played on it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from engine.lint_rules import BPMN, FLOW_NODES, REFUSED_NODES, is_bpmn, name_of

MAX_STATES = 5_000


class Level:
    """The nodes and flows of a process or of one sub-process: a graph of its own."""

    def __init__(self, element: Any) -> None:
        self.element = element
        self.nodes: dict[str, Any] = {
            e.get("id") or "": e for e in element if is_bpmn(e) and name_of(e) in FLOW_NODES | REFUSED_NODES
        }
        self.flows = [e for e in element if is_bpmn(e) and name_of(e) == "sequenceFlow"]
        self.out: dict[str, list[Any]] = {name: [] for name in self.nodes}
        self.into: dict[str, list[Any]] = {name: [] for name in self.nodes}
        self.boundary: dict[str, list[str]] = {name: [] for name in self.nodes}  # host -> events on it
        for flow in self.flows:
            if self.joined(flow):
                self.out[flow.get("sourceRef")].append(flow)
                self.into[flow.get("targetRef")].append(flow)
        for name, node in self.nodes.items():
            if name_of(node) == "boundaryEvent" and node.get("attachedToRef") in self.nodes:
                self.boundary[node.get("attachedToRef")].append(name)

    def joined(self, flow: Any) -> bool:
        return flow.get("sourceRef") in self.nodes and flow.get("targetRef") in self.nodes

    def reachable(self, begun: list[str], *, without: str = "") -> set[str]:
        """Every node that flows, and events on its border, lead to from `begun`; `without`: a node that is not gone into."""
        seen, waiting = set(begun), list(begun)
        while waiting:
            node = waiting.pop()
            for after in [*(f.get("targetRef") for f in self.out[node]), *self.boundary[node]]:
                if after not in seen and after != without:
                    seen.add(after)
                    waiting.append(after)
        return seen

    def begun(self) -> list[str]:
        return [name for name, node in self.nodes.items() if name_of(node) == "startEvent"]

    def added(self) -> list[str]:
        """Events that do not interrupt: each brings a token of its own."""
        return [name for events in self.boundary.values() for name in events if self.nodes[name].get("cancelActivity") == "false"]


class Game:
    """Moves tokens over one level in every order, to find joins that wait for ever and tokens that catch each other up."""

    def __init__(self, level: Level) -> None:
        self.level = level
        self.target = {f: f.get("targetRef") for f in level.flows}
        self.stuck: set[str] = set()
        self.doubled: set[str] = set()

    def play(self) -> None:
        # One order shows every deadlock, for no token's choice hinders another's; doubled tokens need all orders.
        for start in [*self.level.begun(), *self.level.added()]:
            self._explore(start, all_orders=False)
            self._explore(start, all_orders=True)
        # A reminder may fire again and again: only where it runs into the main flow does it double a token.
        for event in self.level.added():
            main = self.level.reachable(self.level.begun(), without=event)
            self.doubled.update(main & self.level.reachable([event]))

    def _explore(self, start: str, *, all_orders: bool) -> None:
        waiting = [frozenset(self.level.out[start])]
        seen = set(waiting)
        while waiting and len(seen) < MAX_STATES:
            state = waiting.pop()
            ready = sorted({self.target[f] for f in state if self._is_ready(self.target[f], state)})
            if state and not ready:
                self.stuck.update(self.target[f] for f in state)
            for node in ready if all_orders else ready[:1]:
                for after in self._fire(node, state):
                    if after not in seen:
                        seen.add(after)
                        waiting.append(after)

    def _is_ready(self, node: str, state: frozenset[Any]) -> bool:
        return name_of(self.level.nodes[node]) != "parallelGateway" or state.issuperset(self.level.into[node])

    def _fire(self, node: str, state: frozenset[Any]) -> Iterator[frozenset[Any]]:
        element, out = self.level.nodes[node], self.level.out[node]
        if name_of(element) == "parallelGateway":
            yield self._moved(state - set(self.level.into[node]), out)
            return
        if element.find(f"{{{BPMN}}}terminateEventDefinition") is not None:
            yield frozenset()
            return
        for arrived in [f for f in self.level.into[node] if f in state]:
            rest = state - {arrived}
            for flow in out:
                yield self._moved(rest, [flow])
            for event in self.level.boundary[node]:
                if self.level.nodes[event].get("cancelActivity") != "false":
                    yield self._moved(rest, self.level.out[event])
            if not out:
                yield rest

    def _moved(self, rest: frozenset[Any], flows: list[Any]) -> frozenset[Any]:
        self.doubled.update(self.target[f] for f in flows if f in rest)
        return rest | set(flows)
