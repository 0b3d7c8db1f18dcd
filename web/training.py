"""A training district: a trainer moves its clock, from the command line or the API, on the record, and what came due runs; IDs for who practises."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, select

from engine.crypto import BoundKeys
from engine.errors import Conflict, NotFound, Refused
from engine.model import SHANGHAI, SYSTEM, Actor
from engine.store import record
from processes import identity
from processes.bureau import Bureau, district_record
from processes.tables import person
from web.registry import ODD

TRAINERS = frozenset({"admin", "supervisor"})
_PRACTICE = ((date(1971, 5, 5), "male"), (date(1972, 3, 4), "female"), (date(1945, 5, 5), "male"))  # a couple and the father of one of them


def spare_numbers(conn: Connection, keys: BoundKeys) -> list[tuple[str, str, int]]:
    """Who learns has no ID to type: (invented number, "male" or "female", year of birth) of three adults whom nobody has registered here, and about whom
    the bundled registries answer plainly. Fewer than three when all numbers of a birth date are taken."""
    found = []
    for born, sex in _PRACTICE:
        numbers = [n for serial in range(500) if (n := identity.invent(born, sex, serial))[-3:-1] not in ODD]
        blinds = {keys.blind(n): n for n in numbers}
        taken = set(conn.scalars(select(person.c.id_blind).where(person.c.id_blind.in_(blinds))))
        free = next((n for blind, n in blinds.items() if blind not in taken), None)
        found += [(free, sex, born.year)] if free else []
    return found


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
    _within(made.office.clock() + timedelta(days=days))
    _noted(made, "advance", str(days), actor)
    done = 0
    for _ in range(days):
        _to(made, made.office.clock() + timedelta(days=1))
        done += made.jobs.run_all()
    return done


def set_to(made: Bureau, moment: datetime, actor: Actor | None = None) -> int:
    """Without a zone it is Shanghai's. Returns how many jobs came due."""
    movable(made)
    _within(moment)
    moment = moment if moment.tzinfo else moment.replace(tzinfo=SHANGHAI)
    _not_back(made, moment)
    _noted(made, "set", moment.isoformat(), actor)
    _to(made, moment)
    return made.jobs.run_all()


def _within(moment: datetime) -> None:
    """Raises Refused: where no law and no form's date goes nothing works any more, and there is no way back."""
    if not 2000 <= moment.year <= 2100:
        raise Refused("clock-range", "演示时钟只能设在 2000 年至 2100 年之间", "The training clock shows the years 2000 to 2100")


# Kinds of records that an administrator makes before the work begins.
_BEFORE_WORK = ("unit", "staff", "staff_change", "register", "reader")


def _not_back(made: Bureau, moment: datetime) -> None:
    """Raises Conflict: what is written next would stand in its record after something that is said to be later. Before there is any
    casework the clock goes anywhere: a new district begins in the year that is trained."""
    if moment >= (now := made.office.clock()):
        return
    with made.office.read() as conn:
        worked = conn.scalar(select(record.c.id).where(record.c.kind.not_in(_BEFORE_WORK)).limit(1)) is not None
    if worked:
        shown = f"{now.astimezone(SHANGHAI):%Y-%m-%d %H:%M}"
        raise Conflict(f"已有业务记录，演示时钟不能往回拨（现在是 {shown}）；要从更早的日子开始，请新建一个训练库",
                       f"There is casework: the clock does not go back (it is {shown}). To begin on an earlier day, make a new training database")  # fmt: skip


def _noted(made: Bureau, verb: str, by: str, actor: Actor | None) -> None:
    """Before the clock is moved, so that the entry has the time that it leaves: auditors see that somebody did."""
    with made.office.act(actor or SYSTEM) as act:
        if (district := district_record(act.conn)) is not None:
            act.append(act.open("unit", district), "clock_moved", {"verb": verb, "by": by})


def _to(made: Bureau, moment: datetime) -> None:
    clock: Any = made.office.clock
    clock.set(moment)
