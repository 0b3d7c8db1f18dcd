"""A finished case tried on another drawing, in memory: its recorded causes, one after the other, with the recorded times, answers and
results of services. Nothing is computed anew but where the tokens go and until when."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from engine.bpmn import Drawing, Run
from engine.errors import Cannot, Diverged
from engine.model import Data, Entry
from engine.step import CAUSES, step, undone

Deadline = Callable[[str, Data, datetime, Entry], str | None]


@dataclass(frozen=True, slots=True)
class Trial:
    """result: same | different | cannot. entry: the first one that differs, or cannot be done there; recorded, computed: what followed
    from it, and what would have; zh, en: why it cannot."""

    result: str
    entry: int | None = None
    recorded: str = ""
    computed: str = ""
    zh: str = ""
    en: str = ""


def tried(history: Sequence[Entry], drawing: Drawing, deadline: Deadline) -> Trial:
    """What the other drawing would have made of a case."""
    at: int | None = None
    try:
        run, before = None, b""
        for entry in (one for one in history if one.event in CAUSES):
            at = entry.seq
            run, before = _done(run, before, entry, drawing, deadline)
    except Diverged as error:
        return Trial("different", error.seq, str(error.recorded), str(error.computed))
    except Cannot as error:
        return Trial("cannot", error.seq, zh=error.zh, en=error.en)
    except Exception as error:  # noqa: BLE001 - a condition that nothing answers, a fact that is not there
        why = f"{type(error).__name__}: {error}"
        return Trial("cannot", at, zh=f"在新图上办不下去：{why}", en=f"it does not go on there: {why}")
    return Trial("same")


def _done(run: Run | None, before: bytes, entry: Entry, drawing: Drawing, deadline: Deadline) -> tuple[Run, bytes]:
    """One cause; the run after it, and the state before it."""
    if entry.event == "case_started":
        run = Run.start(drawing, dict(entry.data.get("facts", {})), entry.at)
    elif run is None or entry.event == "case_moved":
        raise Cannot(entry.seq, "个案中途换过流程图", "the case was put on another drawing on its way")
    elif entry.event == "task_taken_back":
        back = Run.load(drawing, before, entry.at)
        _same(entry, undone(back, run).said())
        return back, b""
    else:
        before = run.dump()
        run = Run.load(drawing, before, entry.at)
        _waits(run, entry)
    recorded = iter(entry.data.get("then", {}).get("ran", ()))

    def call(service: str, _facts: Data) -> Data:
        ran = next(recorded, None)
        if ran is None or ran[0] != service:
            raise Diverged(entry.seq, ran and ran[0], service)
        return dict(ran[1])

    _same(entry, step(run, entry.event, entry.data, call, lambda node, facts, opened: deadline(node, facts, opened, entry)).said())
    return run, before


def _waits(run: Run, entry: Entry) -> None:
    """What the cause concerns must wait there."""
    kinds: dict[str, tuple[Any, str, str, str]] = {
        "task_completed": (run.open_tasks(), "task", "待办", "task"), "message_received": (run.waits_for(), "message", "来件", "message"),
        "timer_fired": (run.timers(), "timer", "定时", "timer"),
    }  # fmt: skip
    if entry.event in kinds:
        open_, name, zh, en = kinds[entry.event]
        if (what := entry.data[name]) not in open_:
            raise Cannot(entry.seq, f"新图上此时没有这项{zh}：{what}", f"the {en} {what} is not open there at this point")


def _same(entry: Entry, said: Data) -> None:
    if dict(said) != dict(entry.data.get("then", {})):
        raise Diverged(entry.seq, entry.data.get("then", {}), said)
