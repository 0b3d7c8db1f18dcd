"""代理: somebody does the work of an absent colleague for a period, in the colleague's posts, held to the rules for both.

Only downward or on the same level, limited in time, and logged (domain 5.3.6): the substitute has a post in the absent
one's unit or below it, sees no further than the posts that are lent, and what he does says in whose name. What he takes
stays with the absent one, so nothing has to be handed back at the end.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Connection, and_, or_, select

from engine.errors import Conflict, Invalid, NotFound, Refused
from engine.model import Actor, Put
from engine.office import Act
from processes.duties import LONGEST
from processes.organisation import ROLES, find_actor
from processes.tables import staff, substitute

NEVER_LENT = frozenset({"admin", "auditor"})  # two administrators stand for two persons; an audit is personal



def appoint(act: Act, absent: str, who: str, from_on: str, until_on: str, reason: str, roles: Sequence[str] = ()) -> int:
    """The absent one himself, or the supervisor of his units, appoints a substitute; the row's id."""
    away, deputy = find_actor(act.conn, absent), find_actor(act.conn, who)
    if wrong := {name: ["没有这位工作人员，或已停用"] for name, found in (("absent", away), ("substitute", deputy)) if found is None}:
        raise Invalid(wrong)
    if away is None or deputy is None:
        raise NotFound("没有这位工作人员，或已停用")
    _may_appoint(act.actor, away, deputy)
    period = _period(act.today, from_on, until_on)
    if not away.roles - NEVER_LENT >= {*roles}:
        raise Invalid({"roles": ["没有这个岗位，或不能代理"]})
    if not reason.strip() or len(reason) > 400:
        raise Invalid({"reason": ["请写明代理事由，最多 400 字"]})
    wanted = _lendable(away, roles)
    if not _lent(away, deputy, roles):
        raise Refused("downward", "代理人须在被代理人的同一机构或其下级机构任职（只能向下或同级委托）", "A substitute serves in the same unit as the absent one, or below it")
    record = act.open("staff", act.conn.scalars(select(staff.c.id).where(staff.c.login == absent)).one())
    _no_other(act.conn, absent, who, *period)
    act.through(act.actor.post_over(wanted[0][1]))
    values = {"absent": absent, "substitute": who, "from_on": period[0], "until_on": period[1], "roles": " ".join(sorted(set(roles))),
              "reason": reason.strip(), "set_by": act.actor.id, "ended_on": None}  # fmt: skip
    row_id = record.next_id()
    act.append(record, "substitute_appointed", puts=[Put("substitute", row_id, values, f"staff:{absent}")])
    return row_id


def end(act: Act, row_id: int) -> None:
    """Ended before its time, at once: by the absent one, his substitute, or the supervisor."""
    row = act.conn.execute(select(substitute).where(substitute.c.id == row_id)).mappings().one_or_none()
    if row is None:
        raise NotFound("没有这项代理")
    away = find_actor(act.conn, row["absent"])
    if act.actor.id not in (row["absent"], row["substitute"]) and not (away is not None and _supervises(act.actor, away)):
        raise Refused("supervisor", "只有本人、代理人或其主管可以结束代理", "Only the two, or a supervisor, end a substitution")
    record = act.open("staff", row_id >> 16)
    row = act.conn.execute(select(substitute).where(substitute.c.id == row_id)).mappings().one()  # as it stands now that it is locked
    if row["ended_on"] is not None or row["until_on"] < act.today.isoformat():
        raise Conflict("这项代理已经结束", "This substitution is over already")
    act.append(record, "substitute_ended", puts=[Put("substitute", row_id, {"ended_on": act.today.isoformat()})])


def _may_appoint(who: Actor, away: Actor, deputy: Actor) -> None:
    if away.id == deputy.id:
        raise Invalid({"substitute": ["不能由本人代理本人"]})
    if who.id == away.id:
        return
    if who.id == deputy.id:
        raise Refused("own-substitute", "不能自己指定自己为代理人", "You may not appoint yourself")
    if not _supervises(who, away):
        raise Refused("supervisor", "代理由本人或其主管设定", "The absent one or his supervisor appoints a substitute")


def _supervises(who: Actor, away: Actor) -> bool:
    return bool(away.posts) and all(who.holds("supervisor", unit) for _, unit in away.posts)


def _period(today: date, from_on: str, until_on: str) -> tuple[str, str]:
    try:
        start, last = date.fromisoformat(from_on), date.fromisoformat(until_on)
    except ValueError:
        raise Invalid({"from_on": ["日期格式不正确，请写成 2018-12-03"]}) from None
    if start < today:
        raise Invalid({"from_on": ["代理不能从过去的日期开始"]})
    if not start <= last <= start + timedelta(days=LONGEST - 1):
        raise Invalid({"until_on": [f"结束日期不能早于开始日期，代理最长 {LONGEST} 天"]})
    return start.isoformat(), last.isoformat()


def _no_other(conn: Connection, absent: str, who: str, start: str, last: str) -> None:
    """One substitute at a time, who is not away himself: nobody stands in for somebody who stands in."""
    table = substitute.c
    overlaps = and_(table.ended_on.is_(None), table.from_on <= last, table.until_on >= start)
    if conn.scalar(select(table.id).where(overlaps, table.absent == absent)) is not None:
        raise Refused("one-substitute", "这段时间内已有代理人", "There is a substitute for this time already")
    if conn.scalar(select(table.id).where(overlaps, or_(table.absent == who, table.substitute == absent))) is not None:
        raise Refused("no-chain", "代理人自己在这段时间内由别人代理，或被代理人正在代理别人，不能再转代理", "Who is away, or stands in for another, cannot be part of a second substitution")


def _lendable(away: Actor, roles: Sequence[str]) -> list[tuple[str, str]]:
    return [(role, unit) for role, unit in away.posts if role not in NEVER_LENT and (not roles or role in roles)]


def _lent(away: Actor, deputy: Actor, roles: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """The posts that are lent: those whose unit the substitute serves in, or below it."""
    return tuple((role, unit) for role, unit in _lendable(away, roles) if any(own.startswith(unit) for _, own in deputy.posts))


# -- who stands in for whom


def standing(conn: Connection, actor: Actor, today: date) -> list[Actor]:
    """The actor in the posts of each colleague whom he stands in for today. Read anew for each request: a post that the
    absent one loses is lent no longer."""
    day, table = today.isoformat(), substitute.c
    rows = conn.execute(select(table.absent, table.roles).where(
        table.substitute == actor.id, table.ended_on.is_(None), table.from_on <= day, table.until_on >= day).order_by(table.id)).all()  # fmt: skip
    found = []
    for row in rows:
        away = find_actor(conn, row.absent)
        if away is not None and (posts := _lent(away, actor, row.roles.split())):
            found.append(replace(actor, on_behalf_of=away.id, roles=frozenset(role for role, _ in posts), posts=posts))
    return found


def as_whom(actor: Actor, standing_in: Sequence[Actor], task: Mapping[Any, Any]) -> Actor:
    """In which capacity the actor meets a task: in his own, where his post and the task's name allow it; else for an absent colleague."""
    if actor.holds(task["role"], task["unit"]) and task["assignee"] in (None, actor.id):
        return actor
    fits = (one for one in standing_in if one.holds(task["role"], task["unit"]) and task["assignee"] in (None, *one.persons))
    return next(fits, actor)


def listed(conn: Connection, actor: Actor) -> list[Mapping[Any, Any]]:
    """Substitutions that concern the actor, and those of the people whom he supervises; the latest first."""
    rows = conn.execute(select(substitute).order_by(substitute.c.id.desc()).limit(1000)).mappings().all()
    boss = actor.only({"supervisor"})
    away = {login: find_actor(conn, login) for login in {r["absent"] for r in rows}} if boss.posts else {}
    return [r for r in rows if actor.id in (r["absent"], r["substitute"]) or ((one := away.get(r["absent"])) is not None and _supervises(boss, one))]


def state_of(row: Mapping[Any, Any], today: date) -> str:
    day = today.isoformat()
    if row["ended_on"] is not None:
        return "ended"
    return "over" if row["until_on"] < day else "planned" if row["from_on"] > day else "active"


def titles(row: Mapping[Any, Any]) -> list[tuple[str, str]]:
    """The posts that are lent, in both languages; none when all are."""
    return [ROLES[role] for role in row["roles"].split()]
