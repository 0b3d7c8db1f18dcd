"""Whether a running case can be put on another drawing of its process, and what keeps it from that: pure.

Elements are the same by their ids. Whatever the case has been through must be there, and whatever it waits for must be there as it is:
the post and the deadline of an open task, a timer's moment, a message, who else a join waits for. What lies ahead may differ.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from engine.bpmn import Drawing, Run
from engine.outline import Outline, outline
from engine.step import moved

_WORDS = {"role": ("岗位", "post"), "level": ("层级", "level"), "due": ("时限", "deadline"), "timer": ("定时", "timer"), "message": ("消息", "message")}


@dataclass(frozen=True, slots=True)
class Hindrance:
    """One reason why a case cannot go on there; node: the element, where it is one."""

    node: str
    zh: str
    en: str


def hindrances(run: Run, there: Drawing) -> list[Hindrance]:
    """Empty when the case can be put on the drawing as it stands."""
    if run.ended:
        return [Hindrance("", "个案已经办结", "the case has ended")]
    found = list(_found(run, outline(run.drawing.xml), outline(there.xml)))
    if not found:
        try:
            moved(run, there)
        except (LookupError, ValueError) as error:  # what only the engine sees: an undrawn element, another order of keys
            found.append(Hindrance("", f"新图上不能这样停留：{error}", f"it cannot stand like this there: {error}"))
    return found


def stands(run: Run, there: Drawing) -> bool:
    """Whether the engine can put it there at all, whatever the law says of it."""
    try:
        moved(run, there)
    except (LookupError, ValueError):
        return False
    return True


def _found(run: Run, old: Outline, new: Outline) -> Iterator[Hindrance]:
    path = run.path()
    for node in dict.fromkeys([*path.active, *path.done]):
        here = "正停留的环节" if node in path.active else "走过的环节"
        if node not in new.nodes:
            yield Hindrance(node, f"{here} {node} 在新图上没有", f"{node}, {'where it waits' if node in path.active else 'which it has passed'}, is not there")
        elif (old.nodes[node].kind, old.nodes[node].said.get("inside")) != (new.nodes[node].kind, new.nodes[node].said.get("inside")):
            yield Hindrance(node, f"{here} {node} 在新图上是另一种元素，或在另一个子流程里", f"{node} is another kind of element there, or in another sub-process")
        elif node in path.active:
            yield from _waiting(node, old, new)
    yield from _joins(path.active, old, new)


def _waiting(node: str, old: Outline, new: Outline) -> Iterator[Hindrance]:
    yield from _said(node, old, new)
    if old.nodes[node].kind == "eventBasedGateway":
        if old.around(node, "target") != new.around(node, "target"):
            yield Hindrance(node, f"{node} 等候的不是同样的事件", f"{node} waits for other events there")
        else:  # it waits in place of the events behind it
            yield from (one for event in sorted(old.around(node, "target")) for one in _said(event, old, new))
    mine, theirs = old.attached(node), new.attached(node)
    for event in sorted(mine.keys() | theirs.keys()):
        if event not in theirs:
            yield Hindrance(event, f"{node} 上的 {event} 在新图上没有，等候的消息或定时会丢失", f"{event} on {node} is not there: its message or timer would be lost")
        elif event not in mine:
            yield Hindrance(event, f"{node} 上新增的 {event} 对已经停留在那里的个案不会生效", f"{event} is new on {node}: it would not work for a case that stands there already")
        elif any(mine[event].get(name) != theirs[event].get(name) for name in ("timer", "message", "interrupts")):
            yield Hindrance(event, f"{node} 上的 {event} 不同", f"{event} on {node} is another one there")


def _said(node: str, old: Outline, new: Outline) -> Iterator[Hindrance]:
    before, after = old.nodes[node].said, new.nodes[node].said
    for name, (zh, en) in _WORDS.items():
        if before.get(name) != after.get(name):
            was, now = before.get(name, "—"), after.get(name, "—")
            yield Hindrance(node, f"{node} 的{zh}不同：{was} → {now}", f"another {en} of {node}: {was} -> {now}")


def _joins(active: tuple[str, ...], old: Outline, new: Outline) -> Iterator[Hindrance]:
    """Where several tokens are under way, the gateways that split and join them must have the same ends."""
    tokens = [node for node in active if old.nodes[node].kind not in ("boundaryEvent", "subProcess")]
    if len(tokens) < 2:
        return
    for gate in sorted(one.id for one in {**old.nodes, **new.nodes}.values() if one.kind == "parallelGateway"):
        if any(old.around(gate, end) != new.around(gate, end) for end in ("source", "target")):
            yield Hindrance(gate, f"并行办理中，并行网关 {gate} 的分支不同", f"branches are under way, and {gate} has other branches there")
