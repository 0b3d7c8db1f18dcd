"""The clock of a training district: a trainer moves it, from the command line or the API, on the record, and what came due runs."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from engine.errors import NotFound, Refused
from engine.model import SHANGHAI, SYSTEM, Actor
from processes.bureau import Bureau, district_record

TRAINERS = frozenset({"admin", "supervisor"})


def movable(made: Bureau) -> None:
    """NotFound in production: no clock is moved there."""
    if made.settings.production or not hasattr(made.office.clock, "set"):
        raise NotFound("只有演示和训练环境有可调的时钟")


def trainer(actor: Actor) -> None:
    if actor.roles.isdisjoint(TRAINERS):
        raise Refused("trainer", "只有系统管理员和监督主管可以调整演示时钟", "Administrators and supervisors move the training clock")


def advance(made: Bureau, days: int, actor: Actor | None = None) -> int:
    """A day at a time, so that timers fire in order. Returns how many jobs came due."""
    movable(made)
    _noted(made, "advance", str(days), actor)
    done = 0
    for _ in range(days):
        _to(made, made.office.clock() + timedelta(days=1))
        done += made.jobs.run_all()
    return done


def set_to(made: Bureau, moment: datetime, actor: Actor | None = None) -> int:
    """Without a zone it is Shanghai's. Returns how many jobs came due."""
    movable(made)
    _noted(made, "set", moment.isoformat(), actor)
    _to(made, moment if moment.tzinfo else moment.replace(tzinfo=SHANGHAI))
    return made.jobs.run_all()


def _noted(made: Bureau, verb: str, by: str, actor: Actor | None) -> None:
    """Before the clock is moved, so that the entry has the time that it leaves: auditors see that somebody did."""
    with made.office.act(actor or SYSTEM) as act:
        if (district := district_record(act.conn)) is not None:
            act.append(act.open("unit", district), "clock_moved", {"verb": verb, "by": by})


def _to(made: Bureau, moment: datetime) -> None:
    clock: Any = made.office.clock
    clock.set(moment)
