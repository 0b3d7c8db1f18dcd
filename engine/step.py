"""One step forward, and every step again.

`step` is what happens when something happens. `replay` is the auditor's proof: it takes a case's record, does each
cause again with the recorded times and service results, and requires the recorded consequences.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from engine.bpmn import Call, Drawing, Move, Run
from engine.errors import Cannot, Diverged
from engine.model import ENGINE, Data, Entry, stamp

Deadline = Callable[[str, Data, datetime], str | None]  # node, facts, when it opened -> ISO date

CAUSES = ("case_started", "case_moved", "task_completed", "message_received", "timer_fired", "facts_recomputed", "task_taken_back")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a cause brought about, in JSON as it stands in the entry."""

    ran: list[list[Any]]  # [node, new facts]
    opened: list[list[Any]]  # [key, due date or None]
    gone: list[str]  # keys of tasks that nobody can do any more
    timers: dict[str, str]  # key -> moment, every timer that runs now
    ended: str | None  # the end event, when the case ended

    def said(self) -> dict[str, Any]:
        listed = {"ran": self.ran, "opened": self.opened, "gone": self.gone, "timers": self.timers, "ended": self.ended}
        return {name: value for name, value in listed.items() if value}


def step(run: Run, cause: str, data: Data, call: Call, deadline: Deadline) -> Outcome:
    """Let a cause move the tokens of `run`; say everything that happened."""
    before = run.open_tasks() if cause != "case_started" else {}
    ran: list[list[Any]] = []

    def noted(service: str, facts: Data) -> Data:
        result = call(service, facts)
        ran.append([service, dict(result)])
        return result

    run.facts.update(data.get("facts", {}))
    run.go(_move(cause, data), noted)
    after = run.open_tasks()
    answered = {data["task"]} if cause == "task_completed" else set()
    opened = [[key, deadline(node, run.facts, run.now)] for key, node in after.items() if key not in before]
    gone = sorted(before.keys() - after.keys() - answered)
    timers = {key: stamp(moment) for key, moment in sorted(run.timers().items())}
    return Outcome(ran, opened, gone, timers, run.end_event if run.ended else None)


def undone(before: Run, after: Run) -> Outcome:
    """What it brings about that the last cause is taken back: `before` is the run as it stood then, `after` as it stands."""
    then, now = before.open_tasks(), after.open_tasks()
    timers = {key: stamp(moment) for key, moment in sorted(before.timers().items())}
    return Outcome([], [[key, None] for key in then if key not in now], sorted(now.keys() - then.keys()), timers, None)


def moved(run: Run, drawing: Drawing) -> tuple[Run, Outcome]:
    """Put a case on another drawing, which must show the same open tasks and timers: nothing is done by it and nothing lost.
    ValueError when it does not; LookupError where it lacks an element."""
    found = run.moved(drawing)
    if (found.open_tasks(), found.timers(), found.waits_for()) != (run.open_tasks(), run.timers(), run.waits_for()):
        raise ValueError(f"{drawing.key} does not stand as {run.drawing.key} does")
    return found, Outcome([], [], [], {key: stamp(moment) for key, moment in sorted(found.timers().items())}, None)


@dataclass(frozen=True, slots=True)
class Standing:
    """By which process and on which drawing (digest) a case runs from an entry on."""

    seq: int
    process: str
    drawing: str


def standings(history: Sequence[Entry]) -> list[Standing]:
    """Where a case began, and to where it moved, in order."""
    return [Standing(entry.seq, entry.data["process"], entry.data["drawing"]) for entry in history if entry.event in ("case_started", "case_moved")]


def _move(cause: str, data: Data) -> Move:
    match cause:
        case "case_started":
            return ("start", "")
        case "task_completed":
            return ("answer", data["task"])
        case "message_received":
            return ("deliver", data["message"])
        case "timer_fired":
            return ("tick", "")
        case _:  # facts_recomputed: a calendar was published, a period that runs ends on another day
            return ("go", "")


def fingerprint(state: bytes) -> str:
    """What the record says of the state after a cause: enough to notice any difference."""
    return hashlib.sha256(state).hexdigest()[:32]


def replay(
    history: Sequence[Entry], drawings: Callable[[str], Drawing], call: Callable[[str, Data, Entry], Data | None] | None,
    deadline: Callable[[str, Data, datetime, Entry], str | None],
) -> Iterator[tuple[Entry, Run]]:  # fmt: skip
    """Yield each entry with the Run as it stood after it; raise Diverged at the first difference.

    `call` computes services again and its result is compared; None goes by the recorded results. `deadline` is also told
    the entry, which names the calendar that was known when it was not known to the end.
    """
    run: Run | None = None
    last, before = None, b""  # the latest cause, and the state before it
    for entry in history:
        _readable(entry)
        if entry.event in CAUSES:
            if entry.event == "case_started":
                run = Run.start(drawings(entry.data["drawing"]), entry.data.get("facts", {}), entry.at)
            elif run is None:
                raise Diverged(entry.seq, entry.event, "the record does not begin with a start")
            elif entry.event == "task_taken_back":
                run = _back(run, Run.load(run.drawing, before, entry.at) if before else None, entry, last)
            elif entry.event == "case_moved":
                run = _elsewhere(run, drawings(entry.data["drawing"]), entry)
            else:
                before = run.dump()
                run = Run.load(run.drawing, before, entry.at)
            if entry.event not in _BY_THEMSELVES:
                _again(run, entry, call, deadline)
            last = entry
        if run is not None:
            yield entry, run


def _readable(entry: Entry) -> None:
    if entry.said.get("engine", ENGINE) > ENGINE:
        raise Cannot(entry.seq, f"记录由更新的引擎（{entry.said['engine']}）写成", f"written by a newer engine ({entry.said['engine']})")
    if entry.spoiled:
        raise Diverged(entry.seq, f"a personal part of {', '.join(entry.spoiled)}", "gone or altered")


_BY_THEMSELVES = ("task_taken_back", "case_moved")  # causes that are no step of the tokens


def _elsewhere(run: Run, there: Drawing, entry: Entry) -> Run:
    """The run on the drawing to which the case moved."""
    if entry.data["from"][1] != run.drawing.digest:
        raise Diverged(entry.seq, entry.data["from"][1], run.drawing.digest)
    try:
        found, outcome = moved(Run.load(run.drawing, run.dump(), entry.at), there)
    except (LookupError, ValueError) as error:
        raise Diverged(entry.seq, there.digest, f"{type(error).__name__}: {error}") from error
    _holds(found, entry, outcome)
    return found


def _back(after: Run, before: Run | None, entry: Entry, last: Entry | None) -> Run:
    """The run as it stood before the latest cause, which must be the completion that the entry names."""
    undoes = (last.seq, last.event, last.data.get("task")) if last else None
    if before is None or undoes != (entry.data["undoes"], "task_completed", entry.data["task"]):
        raise Diverged(entry.seq, entry.data["undoes"], undoes)
    _holds(before, entry, undone(before, after))
    return before


def _again(run: Run, entry: Entry, call: Any, deadline: Callable[[str, Data, datetime, Entry], str | None]) -> None:
    said: Mapping[str, Any] = entry.data.get("then", {})
    if entry.event == "timer_fired" and entry.data["timer"] not in run.timers():
        raise Diverged(entry.seq, entry.data["timer"], sorted(run.timers()))
    _holds(run, entry, step(run, entry.event, entry.data, _recall(entry, said.get("ran", []), call), lambda node, facts, opened: deadline(node, facts, opened, entry)))


def _holds(run: Run, entry: Entry, outcome: Outcome) -> None:
    said: Mapping[str, Any] = entry.data.get("then", {})
    if outcome.said() != said:
        raise Diverged(entry.seq, said, outcome.said())
    if (state := fingerprint(run.dump())) != entry.data["state"]:
        raise Diverged(entry.seq, entry.data["state"], state)


def _recall(entry: Entry, results: list[list[Any]], compute: Any) -> Call:
    recorded = iter(results)

    def call(service: str, facts: Data) -> Data:
        ran = next(recorded, None)
        if ran is None or ran[0] != service:
            raise Diverged(entry.seq, ran and ran[0], service)
        result: Data = ran[1]
        if compute is not None and (again := compute(service, facts, entry)) is not None and dict(again) != result:
            raise Diverged(entry.seq, result, again)
        return result

    return call
