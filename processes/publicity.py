"""宣传 (M02, domain 1.2): what was done to make the nine programmes known, which communities each of them reached, and to how many households visitors explained the policy."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Connection, func, or_, select

from engine.errors import Conflict, Invalid, NotFound, Refused
from engine.model import Actor, Put
from engine.office import Act, Record
from engine.queries import Area, Page, within
from processes import attachments, organisation
from processes.facility_tables import dispersed_visit
from processes.outreach_forms import PROGRAMMES
from processes.outreach_tables import publicity_activity
from processes.screening_tables import screening
from processes.tables import unit as unit_table

SINCE = date(2018, 11, 19)  # the campaign's first day [seed]
RECORDERS = frozenset({"window_clerk", "civil_affairs_officer", "investigator", "reviewer", "street_leader", "village_committee", "supervisor", "district_examiner", "approver", "spot_checker",
                       "complaint_officer"})  # fmt: skip
CODES = tuple(code for code, _zh, _en in PROGRAMMES)
_ALL = frozenset({"全部", "all"})
MOST_REACHED = 150  # communities of one activity: no street has more
_APART = re.compile(r"[\s,，、;；]+")


def record(act: Act, said: Mapping[str, Any]) -> dict[str, Any]:
    """An activity. `said`: as understood by PublicityIn. One of a community reaches it; of others those that are named. Returns {"activity"}."""
    if (told := act.recall()) is not None:
        return told  # type: ignore[no-any-return]
    level = act.conn.scalar(select(unit_table.c.level).where(unit_table.c.code == said["unit"]))
    if level not in ("district", "street", "community"):
        raise Invalid({"unit": ["没有这个单位"]})
    act.through(_records(act.actor, said["unit"]))
    reached = _reached(act.conn, said["unit"], level, said.get("communities") or "")
    attachments.refuse_foreign(act.conn, said["unit"], {"evidence": said.get("evidence") or []})
    made = act.new("publicity", said["unit"])
    values = {**{name: said[name] for name in ("unit", "channel", "title", "held_on", "place", "audience_count", "material_type", "copies")}, "programmes": " ".join(said["programmes"]),
              "communities": " ".join(reached), "evidence": " ".join(str(n) for n in said.get("evidence") or []), "recorded_by": act.actor.id, "recorded_on": act.today.isoformat()}  # fmt: skip
    number = made.next_id()
    act.append(made, "policy_publicised", {"channel": said["channel"]}, puts=[Put("publicity_activity", number, values)])
    return _done(act, number)


def _reached(conn: Connection, unit: str, level: str, named: str) -> list[str]:
    codes = [code for code in dict.fromkeys(_APART.split(named)) if code]
    if level == "community":
        if codes not in ([], [unit]):
            raise Invalid({"communities": ["居村开展的活动覆盖本居村，不用填写"]})
        return [unit]
    known = organisation.units(conn, unit, "community")
    if len(codes) == 1 and codes[0] in _ALL:
        codes = [one["code"] for one in known]
    called = Counter(one["name"] for one in known)
    meant = {one["code"]: one["code"] for one in known} | {one["name"]: one["code"] for one in known if called[one["name"]] == 1}
    if wrong := [code for code in codes if code not in meant]:
        raise Invalid({"communities": [f"不是本单位的居村：{'、'.join(wrong)[:100]}"]})
    reached = list(dict.fromkeys(meant[code] for code in codes))
    if len(reached) > MOST_REACHED:
        raise Invalid({"communities": [f"一次最多登记 {MOST_REACHED} 个居村，请分街镇登记"]})
    return reached


def withdraw(act: Act, activity_id: int, reason: str) -> dict[str, Any]:
    """It was entered by mistake: it stays to be seen and counts no more."""
    opened, row = _opened(act, activity_id)
    if (told := act.recall()) is not None:
        return told  # type: ignore[no-any-return]
    act.through(_records(act.actor, row["unit"]))
    if row["withdrawn_on"]:
        raise Conflict("这项登记已撤销", "This entry was withdrawn")
    values = {"withdrawn_on": act.today.isoformat(), "withdrawn_by": act.actor.id, "withdrawn_why": reason}
    act.append(opened, "publicity_withdrawn", puts=[Put("publicity_activity", activity_id, values)])
    return _done(act, activity_id)


def _records(actor: Actor, unit: str) -> str:
    found = actor.post_over(unit, RECORDERS)
    if found is None:
        raise Refused("publicity", "宣传活动由开展单位的工作人员登记", "Entered by the staff of the unit that does it")
    return found


def _done(act: Act, number: int) -> dict[str, Any]:
    told = {"activity": number}
    act.remember(told)
    return told


def _opened(act: Act, activity_id: int) -> tuple[Record, Mapping[Any, Any]]:
    seen(act.conn, act.actor, activity_id)
    opened = act.open("publicity", activity_id >> 16)
    return opened, act.conn.execute(select(publicity_activity).where(publicity_activity.c.id == activity_id)).mappings().one()


# -- what was reached


def coverage(conn: Connection, area: Area, on: date) -> dict[str, Any]:
    """since, on; activities, audience, copies of the area's units; programmes: for each its activities and how many communities it reached; communities: for each of the area
    its activities (also of the units above), programmes, lacking, households to which a visit explained the policy with a leaflet; explained: these households in all."""
    day, p = on.isoformat(), publicity_activity.c
    counted = (p.held_on.between(SINCE.isoformat(), day), p.recorded_on <= day, or_(p.withdrawn_on.is_(None), p.withdrawn_on > day))
    rows = conn.execute(select(publicity_activity).where(*counted)).mappings().all()
    own = [row for row in rows if any(row["unit"].startswith(code) for code in ([area] if isinstance(area, str) else area))]
    communities = [one["code"] for one in organisation.units(conn, area, "community")] if area else []
    there, n, reached = set(communities), Counter[str](), defaultdict[str, set[str]](set)
    for row in rows:
        for code in row["communities"].split():
            if code in there:
                n[code] += 1
                reached[code] |= set(row["programmes"].split())
    told = explained(conn, area, on)
    homes = Counter(told.values())
    return {
        "since": SINCE.isoformat(), "on": day, "activities": len(own), "audience": sum(row["audience_count"] for row in own), "copies": sum(row["copies"] for row in own), "explained": len(told),
        "programmes": [{"programme": code, "activities": sum(code in row["programmes"].split() for row in own), "communities": sum(code in reached[one] for one in communities)} for code in CODES],
        "communities": [{"community": one, "activities": n[one], "programmes": [c for c in CODES if c in reached[one]], "lacking": [c for c in CODES if c not in reached[one]], "explained": homes[one]} for one in communities],
    }  # fmt: skip


def explained(conn: Connection, area: Area, on: date) -> dict[int, str]:
    """Household -> community, of those to which visitors explained the policy and gave a leaflet: in a confirmed visit of the screening, or one to somebody supported at home."""
    found: dict[int, str] = {}
    for table, more in ((screening, screening.c.confirmed_on <= on.isoformat()), (dispersed_visit, dispersed_visit.c.recorded_on <= on.isoformat())):
        v = table.c
        query = select(v.household_id, v.community).where(within(v.community, area), v.policy_explained, v.leaflet_given, v.visited_on.between(SINCE.isoformat(), on.isoformat()), more)
        found.update({row.household_id: row.community for row in conn.execute(query)})
    return found


# -- who sees what


def seen(conn: Connection, actor: Actor, activity_id: int) -> Mapping[Any, Any]:
    """The row: activities of one's area and of the units above it. NotFound for others."""
    row = conn.execute(select(publicity_activity).where(publicity_activity.c.id == activity_id)).mappings().one_or_none()
    if row is None or not any(row["unit"].startswith(own) or own.startswith(row["unit"]) for own in actor.areas):
        raise NotFound("没有这项宣传活动")
    return row


def listed(conn: Connection, actor: Actor, *, channel: str | None = None, programme: str | None = None, unit_code: str | None = None, page: int = 1, size: int = 25) -> Page:
    """Activities that the actor reads, the newest first."""
    p = publicity_activity.c
    above = {code[:n] for code in actor.areas for n in (6, 9)}
    where = [or_(within(p.unit, actor.areas), p.unit.in_(sorted(above)))]
    if channel:
        where.append(p.channel == channel)
    if programme:
        where.append((" " + p.programmes + " ").contains(f" {programme} ", autoescape=True))
    if unit_code:
        where.append(within(p.unit, unit_code))
    total = conn.scalar(select(func.count()).select_from(publicity_activity).where(*where)) or 0
    query = select(publicity_activity).where(*where).order_by(p.held_on.desc(), p.id.desc()).limit(size).offset((page - 1) * size)
    return Page(list(conn.execute(query).mappings()), total, page, size)


_SHOWN = ("id", "unit", "channel", "title", "held_on", "place", "audience_count", "material_type", "copies", "recorded_by", "recorded_on", "withdrawn_on", "withdrawn_by", "withdrawn_why")


def told(rows: Sequence[Mapping[Any, Any]], actor: Actor) -> list[dict[str, Any]]:
    """Activities in JSON. may: withdraw."""
    return [{**{name: row[name] for name in _SHOWN}, "programmes": row["programmes"].split(), "communities": row["communities"].split(), "evidence": [int(n) for n in row["evidence"].split()],
             "may": ["withdraw"] if not row["withdrawn_on"] and actor.post_over(row["unit"], RECORDERS) is not None else []} for row in rows]  # fmt: skip


def records(actor: Actor) -> bool:
    """Whether the actor enters activities anywhere."""
    return not actor.roles.isdisjoint(RECORDERS)
