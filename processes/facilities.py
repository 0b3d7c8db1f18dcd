"""供养服务机构安全检查 (M16, domain 1.16): facilities of destitute support, inspections by two or more of the district, hazards until they are verified.

The sheet has four groups of items. What fails is a hazard at once, fixed on the spot or with measure, responsible person and day; an
inspection counts when each inspector has confirmed it in his own session. The campaign asks of each facility one finished inspection
before 2019-02-04 and no overdue hazard (decision 065).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Connection, and_, exists, func, or_, select

from engine.errors import Conflict, Invalid, NotFound, Refused
from engine.model import Actor, Put
from engine.office import Act, Record
from engine.queries import Area, Page, within
from processes import attachments, organisation, readers
from processes.facility_tables import facility, hazard, hazard_check, inspection, inspection_inspector, inspection_item
from processes.organisation import DISTRICT
from processes.tables import unit as unit_table

SINCE, BEFORE = date(2018, 11, 19), date(2019, 2, 4)  # the campaign's first day; the inspection is before the holiday begins [seed]
STATES = {"recorded": ("待其他检查人确认", "Waits for the other inspectors"), "finished": ("检查完成", "Finished")}
HAZARD_STATES = {"open": ("整改中", "To be fixed"), "on_spot": ("当场整改", "Fixed on the spot"), "verified": ("已复查销号", "Verified")}
WHY = {"not_inspected": ("未完成安全检查", "No finished inspection"), "inspected_late": ("春节后才完成检查", "Inspected after the holiday began"), "overdue": ("有逾期未整改隐患", "A hazard is overdue")}
INSPECTORS = frozenset({"spot_checker", "district_examiner", "supervisor"})  # 区民政局专门力量: with a post of the district itself
STREET = frozenset({"civil_affairs_officer", "street_leader"})
_APART = re.compile(r"[\s,，、;；]+")


# -- facilities


def register(act: Act, said: Mapping[str, Any]) -> dict[str, Any]:
    """A facility is listed by the district's inspectors or the street. `said`: as understood by FacilityIn. Returns {"facility"}."""
    if (told := act.recall()) is not None:
        return told  # type: ignore[no-any-return]
    level = act.conn.scalar(select(unit_table.c.level).where(unit_table.c.code == said["unit"]))
    if level not in ("street", "community"):
        raise Invalid({"unit": ["没有这个街镇或居村"]})
    _registers(act, said["unit"])
    _name_free(act.conn, said["name"], said["unit"])
    made = act.new("facility", said["unit"])
    values = {name: said.get(name) or None for name in ("unit", "name", "organisation", "kind", "address")} | {name: said[name] for name in ("capacity", "residents")}
    values |= {"registered_by": act.actor.id, "registered_on": act.today.isoformat()}
    number = made.next_id()
    act.append(made, "facility_registered", puts=[Put("facility", number, values)])
    return _done(act, {"facility": number})


def change(act: Act, facility_id: int, said: Mapping[str, Any]) -> dict[str, Any]:
    """Beds, residents, name: what is said replaces what stood there."""
    opened, row = _facility(act, facility_id)
    if (told := act.recall()) is not None:
        return told  # type: ignore[no-any-return]
    _registers(act, row["unit"])
    _in_use(row)
    values = {name: value for name, value in said.items() if value not in (None, "")}
    if "name" in values and values["name"] != row["name"]:
        _name_free(act.conn, values["name"], row["unit"])
    act.append(opened, "facility_changed", puts=[Put("facility", facility_id, values)])
    return _done(act, {"facility": facility_id})


def close(act: Act, facility_id: int, said: Mapping[str, Any]) -> dict[str, Any]:
    """It closed down; by the district, since the campaign asks for nothing there any more."""
    opened, row = _facility(act, facility_id)
    if (told := act.recall()) is not None:
        return told  # type: ignore[no-any-return]
    _inspects(act)
    _in_use(row)
    if said["closed_on"] < row["registered_on"]:
        raise Invalid({"closed_on": [f"不能早于登记日期（{row['registered_on']}）"]})
    values = {"closed_on": said["closed_on"], "closed_by": act.actor.id, "closed_why": said["reason"]}
    act.append(opened, "facility_closed", puts=[Put("facility", facility_id, values)])
    return _done(act, {"facility": facility_id})


def _name_free(conn: Connection, name: str, unit: str) -> None:
    street = unit[:9]
    if conn.scalar(select(facility.c.id).where(facility.c.name == name, facility.c.closed_on.is_(None), within(facility.c.unit, street))) is not None:
        raise Conflict("这个街镇已登记同名机构", "The street has a facility of this name")


def _in_use(row: Mapping[Any, Any]) -> None:
    if row["closed_on"]:
        raise Conflict("这个机构已停办", "This facility is closed")


def _registers(act: Act, unit: str) -> None:
    post = act.actor.post_over(DISTRICT, INSPECTORS) or act.actor.post_over(unit, STREET)
    if post is None:
        raise Refused("facility", "供养服务机构由区民政局检查人员或所在街镇的民政专干、分管领导登记", "Facilities are listed by the district's inspectors or the street's civil affairs officer or leader")
    act.through(post)


def _inspects(act: Act) -> None:
    post = act.actor.post_over(DISTRICT, INSPECTORS)
    if post is None:
        raise Refused("inspector", "由区民政局的检查人员（抽查人、审查人、监督主管）办理", "By the district's inspectors: spot checkers, examiners and supervisors")
    act.through(post)


def _done(act: Act, told: dict[str, Any]) -> dict[str, Any]:
    act.remember(told)
    return told


def _facility(act: Act, facility_id: int) -> tuple[Record, Mapping[Any, Any]]:
    seen(act.conn, act.actor, facility_id)
    opened = act.open("facility", facility_id >> 16)
    return opened, act.conn.execute(select(facility).where(facility.c.id == facility_id)).mappings().one()


# -- inspections


def inspect(act: Act, facility_id: int, said: Mapping[str, Any]) -> dict[str, Any]:
    """安全检查表, as one inspector enters it; what fails is a hazard from now on. Returns {"inspection", "state", "hazards"}."""
    _opened, home = _facility(act, facility_id)
    if (told := act.recall()) is not None:
        return told  # type: ignore[no-any-return]
    _inspects(act)
    _in_use(home)
    others = _others(act, said["inspectors"])
    attachments.refuse_foreign(act.conn, home["unit"], {f"items.{n}.photo": [one["photo"]] for n, one in enumerate(said["items"]) if one.get("photo")})
    made = act.new("inspection", home["unit"])
    number, subject = made.next_id(), f"inspection:{made.id}"
    values = {"facility_id": facility_id, "unit": home["unit"], "inspected_on": said["inspected_on"], "recorded_by": act.actor.id, "recorded_on": act.today.isoformat(),
              "opinion": said.get("opinion") or None, "state": "recorded"}  # fmt: skip
    puts = [Put("inspection", number, values)]
    for login in [act.actor.id, *others]:
        confirmed = act.today.isoformat() if login == act.actor.id else None
        puts.append(Put("inspection_inspector", made.next_id(), {"inspection_id": number, "staff": login, "confirmed_on": confirmed}))
    found = []
    for one in said["items"]:
        item = made.next_id()
        puts.append(Put("inspection_item", item, {"inspection_id": number, **{name: one.get(name) or None for name in ("group", "item", "result", "note", "photo")}}))
        if one["result"] == "fail":
            found.append(made.next_id())
            puts.append(Put("hazard", found[-1], _hazard(one, item, number, values), subject))
    act.append(made, "facility_inspected", {"facility": facility_id, "hazards": len(found)}, puts=puts)
    return _done(act, {"inspection": number, "state": "recorded", "hazards": found})


def _others(act: Act, named: str) -> list[str]:
    """The other inspectors: one or more, each somebody else with a post of the district that inspects."""
    logins = [login for login in dict.fromkeys(_APART.split(named)) if login]
    if not logins or act.actor.id in logins:
        raise Invalid({"inspectors": ["安全检查须由两人以上进行，其他检查人不能是本人"]})
    for login in logins:
        other = organisation.find_actor(act.conn, login)
        if other is None:
            raise Invalid({"inspectors": [f"没有这位工作人员，或已停用：{login}"]})
        if other.post_over(DISTRICT, INSPECTORS) is None:
            raise Invalid({"inspectors": [f"不是区民政局的检查人员：{login}"]})
    return logins


def _hazard(one: Mapping[str, Any], item: int, number: int, visit: Mapping[str, Any]) -> dict[str, Any]:
    spot = bool(one.get("fixed_on_spot"))
    return {"inspection_id": number, "item_id": item, "facility_id": visit["facility_id"], "unit": visit["unit"], "group": one["group"], "item": one["item"], "level": one["level"],
            "found_on": visit["inspected_on"], "state": "on_spot" if spot else "open", "measure": one.get("measure") or None, "responsible": one.get("responsible") or None,
            "due_on": one.get("due_on") or None, "verified_on": None, "verified_by": None}  # fmt: skip


def confirm(act: Act, inspection_id: int) -> dict[str, Any]:
    """Another inspector confirms it himself; with the last one the inspection is finished."""
    seen_inspection(act.conn, act.actor, inspection_id)
    opened = act.open("inspection", inspection_id >> 16)
    if (told := act.recall()) is not None:
        return told  # type: ignore[no-any-return]
    who = inspection_inspector.c
    rows = act.conn.execute(select(inspection_inspector).where(who.inspection_id == inspection_id).order_by(who.id)).mappings().all()
    mine = next((row for row in rows if row["staff"] == act.actor.id), None)
    if mine is None:
        raise Refused("inspector", "由列名的检查人本人确认", "The inspectors who are named confirm it themselves")
    _inspects(act)
    if mine["confirmed_on"]:
        raise Conflict("您已确认这次检查", "You have confirmed this inspection already")
    last = all(row["confirmed_on"] or row["id"] == mine["id"] for row in rows)
    puts = [Put("inspection_inspector", mine["id"], {"confirmed_on": act.today.isoformat()})]
    if last:
        puts.append(Put("inspection", inspection_id, {"state": "finished", "finished_on": act.today.isoformat()}))
    act.append(opened, "inspection_confirmed", {"finished": last}, puts=puts)
    return _done(act, {"inspection": inspection_id, "state": "finished" if last else "recorded"})


# -- hazards


def verify(act: Act, hazard_id: int, said: Mapping[str, Any]) -> dict[str, Any]:
    """整改复查: somebody else than the responsible person looks whether the hazard is gone; if not, it stays. `said`: as understood by HazardVerified."""
    seen_hazard(act.conn, act.actor, hazard_id)
    opened = act.open("inspection", hazard_id >> 16)
    if (told := act.recall()) is not None:
        return told  # type: ignore[no-any-return]
    row = act.conn.execute(select(hazard).where(hazard.c.id == hazard_id)).mappings().one()
    post = act.actor.post_over(DISTRICT, INSPECTORS) or act.actor.post_over(row["unit"], STREET)
    if post is None:
        raise Refused("verifier", "由区民政局检查人员或所在街镇的民政专干、分管领导复查", "Verified by the district's inspectors or the street's civil affairs officer or leader")
    if row["state"] != "open":
        raise Conflict("这项隐患已经整改", "This hazard is fixed already")
    if row["responsible"] in (*act.actor.persons, act.actor.name):
        raise Refused("responsible", "整改责任人不能复查自己的整改", "Whoever is responsible does not verify his own work")
    if said["verified_on"] < row["found_on"]:
        raise Invalid({"verified_on": ["不能早于检查日期"]})
    attachments.refuse_foreign(act.conn, row["unit"], {"photo": [said["photo"]]})
    act.through(post)
    checked = {"hazard_id": hazard_id, "checked_on": said["verified_on"], "checked_by": act.actor.id, "outcome": said["outcome"], "text": said["seen"], "photo": said["photo"]}
    puts = [Put("hazard_check", opened.next_id(), checked)]
    if said["outcome"] == "fixed":
        puts.append(Put("hazard", hazard_id, {"state": "verified", "verified_on": said["verified_on"], "verified_by": act.actor.id}))
    act.append(opened, "hazard_verified" if said["outcome"] == "fixed" else "hazard_remains", {"hazard": hazard_id}, puts=puts)
    return _done(act, {"hazard": hazard_id, "state": "verified" if said["outcome"] == "fixed" else "open"})


# -- the campaign's rule


def obligation(conn: Connection, area: Area, on: date, *, since: date = SINCE, before: date = BEFORE) -> dict[str, Any]:
    """The campaign's rule as a day ended: since, before, on; facilities, inspected, done; hazards {found, open, overdue, fixed}; rows, one for each facility in use:
    facility_id, name, unit, inspections, first_finished_on, settled_on (since when it is inspected without anything overdue, in time or not), hazards, open,
    overdue, done, why (not_inspected | inspected_late | overdue). A hazard from before the campaign blocks as well."""
    day, first, limit = on.isoformat(), since.isoformat(), before.isoformat()
    homes = conn.execute(select(facility).where(within(facility.c.unit, area), facility.c.registered_on <= day, or_(facility.c.closed_on.is_(None), facility.c.closed_on > day))
                         .order_by(facility.c.unit, facility.c.id)).mappings().all()  # fmt: skip
    finished = defaultdict[int, list[str]](list)
    done_by = and_(inspection.c.state == "finished", inspection.c.inspected_on >= first, inspection.c.finished_on <= day)
    for row in conn.execute(select(inspection.c.facility_id, inspection.c.finished_on).where(within(inspection.c.unit, area), done_by).order_by(inspection.c.finished_on)):
        finished[row.facility_id].append(row.finished_on)
    dangers = defaultdict[int, list[Mapping[Any, Any]]](list)
    for one in conn.execute(select(hazard).where(within(hazard.c.unit, area), hazard.c.found_on <= day)).mappings():
        dangers[one["facility_id"]].append(one)
    rows = [_standing(home, finished[home["id"]], dangers[home["id"]], day, limit) for home in homes]
    return {"since": first, "before": limit, "on": day, "facilities": len(rows), "inspected": sum(row["inspections"] > 0 for row in rows), "done": sum(row["done"] for row in rows),
            "hazards": {"found": sum(row["hazards"] for row in rows), "open": sum(row["open"] for row in rows), "overdue": sum(row["overdue"] for row in rows),
                        "fixed": sum(row["hazards"] - row["open"] for row in rows)}, "rows": rows}  # fmt: skip


def _standing(home: Mapping[Any, Any], finished: Sequence[str], dangers: Sequence[Mapping[Any, Any]], day: str, before: str) -> dict[str, Any]:
    left = [one for one in dangers if one["state"] != "on_spot" and (one["verified_on"] is None or one["verified_on"] > day)]
    overdue = sum(one["due_on"] < day for one in left)
    why = [] if finished and finished[0] < before else ["inspected_late"] if finished else ["not_inspected"]
    why += ["overdue"] if overdue else []
    cleared = [str(one["verified_on"]) for one in dangers if one["verified_on"] and one["due_on"] < one["verified_on"] <= day]  # until then they blocked
    settled = max([finished[0], *cleared]) if finished and not overdue else None
    return {"facility_id": home["id"], "name": home["name"], "unit": home["unit"], "inspections": len(finished), "first_finished_on": finished[0] if finished else None, "settled_on": settled,
            "hazards": len(dangers), "open": len(left), "overdue": overdue, "done": not why, "why": why}  # fmt: skip


# -- who sees what


def _areas(actor: Actor) -> tuple[str, ...]:
    return readers.of_cases(actor).areas


def seen(conn: Connection, actor: Actor, facility_id: int) -> Mapping[Any, Any]:
    """The row; NotFound for who may not read it."""
    row = conn.execute(select(facility).where(facility.c.id == facility_id, within(facility.c.unit, _areas(actor)))).mappings().one_or_none()
    if row is None:
        raise NotFound("没有这个机构")
    return row


def seen_inspection(conn: Connection, actor: Actor, inspection_id: int) -> Mapping[Any, Any]:
    mine = exists().where(inspection_inspector.c.inspection_id == inspection.c.id, inspection_inspector.c.staff == actor.id)
    row = conn.execute(select(inspection).where(inspection.c.id == inspection_id, or_(within(inspection.c.unit, _areas(actor)), mine))).mappings().one_or_none()
    if row is None:
        raise NotFound("没有这次检查")
    return row


def seen_hazard(conn: Connection, actor: Actor, hazard_id: int) -> Mapping[Any, Any]:
    row = conn.execute(select(hazard).where(hazard.c.id == hazard_id, within(hazard.c.unit, _areas(actor)))).mappings().one_or_none()
    if row is None:
        raise NotFound("没有这项隐患")
    return row


def listed(conn: Connection, actor: Actor, *, unit_code: str | None = None, closed: bool = False, page: int = 1, size: int = 25) -> Page:
    """Facilities that the actor reads; closed ones only where they are asked for."""
    where = [within(facility.c.unit, _areas(actor)), facility.c.closed_on.is_not(None) if closed else facility.c.closed_on.is_(None)]
    if unit_code:
        where.append(within(facility.c.unit, unit_code))
    return _page(conn, facility, where, (facility.c.unit, facility.c.id), page, size)


def listed_inspections(conn: Connection, actor: Actor, facility_id: int, page: int = 1, size: int = 25) -> Page:
    """Inspections of a facility that the actor reads, the newest first."""
    seen(conn, actor, facility_id)
    return _page(conn, inspection, [inspection.c.facility_id == facility_id], (inspection.c.inspected_on.desc(), inspection.c.id.desc()), page, size)


def listed_hazards(conn: Connection, actor: Actor, today: date, *, state: str | None = None, level: str | None = None, facility_id: int | None = None, inspection_id: int | None = None,
                   unit_code: str | None = None, page: int = 1, size: int = 25) -> Page:  # fmt: skip
    """Hazards that the actor reads: open ones by their day, then the others. state: open | overdue (open past its day) | on_spot | verified."""
    where = [within(hazard.c.unit, _areas(actor))]
    where += [hazard.c[name] == value for name, value in (("level", level), ("facility_id", facility_id), ("inspection_id", inspection_id)) if value is not None]
    if state == "overdue":
        where += [hazard.c.state == "open", hazard.c.due_on < today.isoformat()]
    elif state:
        where.append(hazard.c.state == state)
    if unit_code:
        where.append(within(hazard.c.unit, unit_code))
    return _page(conn, hazard, where, (hazard.c.state != "open", hazard.c.due_on, hazard.c.id), page, size)


def _page(conn: Connection, table: Any, where: Sequence[Any], order: Sequence[Any], page: int, size: int) -> Page:
    total = conn.scalar(select(func.count()).select_from(table).where(*where)) or 0
    return Page(list(conn.execute(select(table).where(*where).order_by(*order).limit(size).offset((page - 1) * size)).mappings()), total, page, size)


_FACILITY = ("id", "unit", "name", "organisation", "kind", "address", "capacity", "residents", "registered_by", "registered_on", "closed_on", "closed_by", "closed_why")
_HAZARD = ("id", "inspection_id", "facility_id", "unit", "group", "item", "level", "found_on", "state", "measure", "responsible", "due_on", "verified_on", "verified_by")


def told(rows: Sequence[Mapping[Any, Any]], actor: Actor) -> list[dict[str, Any]]:
    """Facilities in JSON. may: inspect, change, close."""
    inspects = actor.post_over(DISTRICT, INSPECTORS) is not None
    return [{**{name: row[name] for name in _FACILITY}, "may": [] if row["closed_on"] else
             [verb for verb, yes in (("inspect", inspects), ("change", inspects or actor.post_over(row["unit"], STREET) is not None), ("close", inspects)) if yes]} for row in rows]  # fmt: skip


def told_inspections(conn: Connection, rows: Sequence[Mapping[Any, Any]], actor: Actor, today: date) -> list[dict[str, Any]]:
    """Inspections in JSON with inspectors, items and hazards. may: confirm."""
    ids = [row["id"] for row in rows]
    inspectors = conn.execute(select(inspection_inspector).where(inspection_inspector.c.inspection_id.in_(ids)).order_by(inspection_inspector.c.id)).mappings().all()
    items = conn.execute(select(inspection_item).where(inspection_item.c.inspection_id.in_(ids)).order_by(inspection_item.c.id)).mappings().all()
    found = told_hazards(conn, conn.execute(select(hazard).where(hazard.c.inspection_id.in_(ids)).order_by(hazard.c.id)).mappings().all(), actor, today)
    homes = _pairs(conn, select(facility.c.id, facility.c.name).where(facility.c.id.in_({row["facility_id"] for row in rows})))
    inspects = actor.post_over(DISTRICT, INSPECTORS) is not None
    return [
        {**{name: row[name] for name in ("id", "facility_id", "unit", "inspected_on", "recorded_by", "recorded_on", "opinion", "state", "finished_on")}, "facility": homes[row["facility_id"]],
         "inspectors": [{"staff": one["staff"], "confirmed_on": one["confirmed_on"]} for one in inspectors if one["inspection_id"] == row["id"]],
         "items": [{name: one[name] for name in ("id", "group", "item", "result", "note", "photo")} for one in items if one["inspection_id"] == row["id"]],
         "hazards": [one for one in found if one["inspection_id"] == row["id"]],
         "may": ["confirm"] if inspects and any(one["staff"] == actor.id and not one["confirmed_on"] for one in inspectors if one["inspection_id"] == row["id"]) else []} for row in rows]  # fmt: skip


def told_hazards(conn: Connection, rows: Sequence[Mapping[Any, Any]], actor: Actor, today: date) -> list[dict[str, Any]]:
    """Hazards in JSON with what was checked since. overdue: open past its day. may: verify."""
    checks = conn.execute(select(hazard_check).where(hazard_check.c.hazard_id.in_([row["id"] for row in rows])).order_by(hazard_check.c.id)).mappings().all()
    names = _pairs(conn, select(facility.c.id, facility.c.name).where(facility.c.id.in_({row["facility_id"] for row in rows})))
    district = actor.post_over(DISTRICT, INSPECTORS) is not None
    return [{**{name: row[name] for name in _HAZARD}, "facility": names[row["facility_id"]], "overdue": row["state"] == "open" and row["due_on"] < today.isoformat(),
             "checks": [{name: one[name] for name in ("checked_on", "checked_by", "outcome", "text", "photo")} for one in checks if one["hazard_id"] == row["id"]],
             "may": ["verify"] if row["state"] == "open" and row["responsible"] not in (actor.id, actor.name) and (district or actor.post_over(row["unit"], STREET) is not None) else []}
            for row in rows]  # fmt: skip


def waiting(conn: Connection, actor: Actor) -> int:
    """How many inspections wait for the actor's confirmation."""
    if actor.post_over(DISTRICT, INSPECTORS) is None:
        return 0
    who = inspection_inspector.c
    return conn.scalar(select(func.count()).select_from(inspection_inspector).where(who.staff == actor.id, who.confirmed_on.is_(None))) or 0


def _pairs(conn: Connection, query: Any) -> dict[Any, Any]:
    """First column -> second column."""
    return {row[0]: row[1] for row in conn.execute(query)}
