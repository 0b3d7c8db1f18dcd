"""加签: who was asked for an opinion on a task, and what that means for completing it (docs/decisions/009).

An opinion moves no token and decides nothing. One asked for `before` has to be there before the task is handed in; one
asked for `after` holds what was handed in until all agree. Pure, but for `hold`; the verbs are in engine/habits.py.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import update

from engine import store
from engine.errors import Conflict, Refused
from engine.model import Data, Put
from engine.office import Act, Record

SECOND = "请核对所填内容，属实的签字"  # what is asked of the second signature that a form names
HELD = "countersign"  # the flag of a task that was handed in and waits for its signers


@dataclass(frozen=True, slots=True)
class Signer:
    staff: str
    kind: str  # before | after
    state: str  # asked | agreed | disagreed | withdrawn


def of(task: Mapping[Any, Any]) -> list[Signer]:
    """The signers of a task that was read with the column `store.signers`."""
    return [Signer(*said.split(":")) for said in (task["signers"] or "").split()]


def answered(task: Mapping[Any, Any]) -> Iterator[str]:
    """Who has touched the case by an opinion."""
    return (one.staff for one in of(task) if one.state in ("agreed", "disagreed"))


def asked(task: Mapping[Any, Any], kind: str | None = None) -> list[str]:
    return [one.staff for one in of(task) if one.state == "asked" and kind in (None, one.kind)]


def is_held(task: Mapping[Any, Any]) -> bool:
    return HELD in task["flags"].split()


def with_flag(task: Mapping[Any, Any], flag: str, *, on: bool = True) -> str:
    flags = {*task["flags"].split()}
    return " ".join(sorted(flags | {flag} if on else flags - {flag}))


def let_go(task: Mapping[Any, Any]) -> None:
    """What was handed in stays with whoever handed it in, until its signers have answered."""
    if is_held(task):
        raise Conflict("这件待办已提交，正在等候加签人答复；要改动请先减签", "Handed in already; it waits for its signers. Withdraw them first to change it")


def ready(task: Mapping[Any, Any], persons: tuple[str, ...]) -> None:
    """Raises Refused while an opinion that was asked for is missing, or when a signer would complete what he signed."""
    let_go(task)
    if waiting := asked(task, "before"):
        raise Refused("countersign", f"还有 {len(waiting)} 位加签人没有答复（{'、'.join(waiting)}），不能提交", f"{len(waiting)} signers have not answered yet: {', '.join(waiting)}")
    if {one.staff for one in of(task) if one.state != "withdrawn"}.intersection(persons):
        raise Refused("own-countersign", "您是这件待办的加签人，不能再由您办结（同一人不能签两次）", "You are a signer of this task: you may not complete it, too")


def hold(act: Act, record: Record, task: Mapping[Any, Any], parts: Mapping[str, Data], second: Sequence[str] = (), subject: str | None = None) -> dict[str, Any]:
    """Keep what was handed in until its signers have agreed; the tokens stay. The task is now in the name of who handed it in.
    `parts`: subject -> what was typed of him; each has a row of his own, which is erased with him (decision 017). `second`: who is asked
    to sign by the answers themselves (decision 079), whatever else was asked; a row of `subject`."""
    who, waiting = act.actor, sorted({*asked(task, "after"), *second})
    values = {"task_id": task["id"], "staff": who.id, "on_behalf_of": who.on_behalf_of, "state": "held"}
    puts = [Put("held", record.next_id(), {**values, "answers": json.dumps(dict(part), ensure_ascii=False)}, of_whom) for of_whom, part in parts.items()]
    asks = {"task_id": task["id"], "kind": "after", "state": "asked", "round": 1, "asked_by": who.id, "asked_on": act.today.isoformat(), "question": SECOND}
    puts += [Put("task_signer", record.next_id(), {**asks, "staff": login}, subject) for login in second]
    act.append(record, "task_submitted", {"task": task["key"], "signers": waiting}, puts=puts)
    changes = {"flags": with_flag(task, HELD), "assignee": who.holder, "version": task["version"] + 1}
    act.conn.execute(update(store.task).where(store.task.c.id == task["id"]).values(**changes))
    return {"seq": record.seq, "opened": [], "waits_for_signers": waiting}
