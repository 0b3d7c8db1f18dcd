"""What each entry of a case was: which task it did, when that had come and was due, and what is odd about it.

Read from the entries alone, so that it is told as of each entry, and the same for whoever reads the record later.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from engine.bpmn import Drawing
from engine.model import SHANGHAI, SYSTEM, Entry
from engine.process import Process
from processes import calendar, law

DECIDING = frozenset({"reviewer", "street_leader", "district_examiner", "approver"})  # posts whose word moves a case towards a benefit
UNREADABLE = "unreadable"
ODD = ("late", "returned", "taken_back", "escalated", "on_behalf", "incident", "hasty")  # and of a replay: seal, replay


@dataclass(frozen=True, slots=True)
class Step:
    """An entry of a case. key, node: of the task or timer; opened: when the task came; due: its last day, as it was known then;
    late: working days past it (0: in time); seconds: from when it came, or was claimed, to its end; odd: words of ODD; undone: it was taken back later."""

    seq: int
    event: str
    at: datetime
    key: str = ""
    node: str = ""
    opened: datetime | None = None
    due: str | None = None
    late: int = 0
    seconds: int | None = None
    odd: tuple[str, ...] = ()
    decides: bool = False
    undone: bool = False


@dataclass
class _Task:
    opened: datetime
    due: str | None
    taken: datetime


def steps(process: Process, drawing: Drawing, entries: Sequence[Entry]) -> list[Step]:
    """One for each entry. An entry that cannot be made sense of is a step all the same: the seals say what is wrong with it."""
    undone, tasks = taken_back(entries), dict[str, _Task]()
    found: list[Step] = []
    for place, entry in enumerate(entries, start=1):
        try:
            found.append(_step(process, drawing, entry, tasks, undone=place in undone))
        except (KeyError, ValueError, TypeError, AttributeError):
            found.append(Step(place, UNREADABLE, found[-1].at if found else datetime.fromtimestamp(0, SHANGHAI)))
    return found


def taken_back(entries: Sequence[Entry]) -> frozenset[int]:
    """Numbers of the completions that these entries took back."""
    return frozenset(number for entry in entries if entry.said.get("event") == "task_taken_back" and isinstance(number := entry.data.get("undoes"), int))


def _step(process: Process, drawing: Drawing, entry: Entry, tasks: dict[str, _Task], *, undone: bool) -> Step:
    data = entry.data
    key = str(data.get("task") or data.get("timer") or "")
    node = key.rpartition(".")[0]
    task = tasks.get(key)
    if task and entry.event == "task_claimed":
        task.taken = entry.at
    if task and entry.event == "deadline_recomputed":
        task.due = data.get("to")
    for opened, due in data.get("then", {}).get("opened", ()):
        tasks[opened] = _Task(entry.at, due, entry.at)
    known = drawing.nodes.get(node)
    done = entry.event == "task_completed"
    late = _late(task.due, entry.at) if task and (done or entry.event == "task_late") else 0
    seconds = int((entry.at - task.taken).total_seconds()) if task and done else None
    decides = done and known is not None and known.role in DECIDING
    odd = tuple(word for word, is_so in (
        ("late", late > 0 or entry.event == "task_late"),
        ("returned", done and _returns(process, node, data.get("facts", {}))),
        ("taken_back", entry.event == "task_taken_back"),
        ("escalated", entry.event == "task_escalated"),
        ("on_behalf", entry.actor != SYSTEM.id and bool(entry.said["actor"].get("for") or "completer" in data or (done and data.get("owner")))),
        ("incident", entry.event.startswith("incident_")),
        ("hasty", decides and seconds is not None and seconds < hasty_seconds(entry.at)),
    ) if is_so)  # fmt: skip
    return Step(entry.seq, entry.event, entry.at, key, node, task.opened if task else None, task.due if task else None, late, seconds, odd, decides, undone)


def day(moment: datetime) -> date:
    return moment.astimezone(SHANGHAI).date()


def hasty_seconds(at: datetime) -> int:
    """Below this a decision cannot rest on reading the file: configuration, no law's."""
    return int(law.value("hasty_decision_seconds", day(at)).amount)


def _late(due: str | None, at: datetime) -> int:
    """Working days past the last day; at least 1 when it is past."""
    if not due or day(at).isoformat() <= due:
        return 0
    return max(1, calendar.workdays_between(date.fromisoformat(due), day(at)))


def _returns(process: Process, node: str, facts: Mapping[str, object]) -> bool:
    form = process.answered.get(node)
    outcomes: Mapping[str, Mapping[str, object]] = getattr(form, "RETURNS", {})
    return any(all(facts.get(name) == value for name, value in answers.items()) for answers in outcomes.values())
