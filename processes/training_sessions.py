"""培训 (M03, domain 1.3): sessions of district, streets and villages, who attended, and who of the directors and the assistance staff is still to be trained.

Each community has one director (居村委会主任): the tree says how many there are. Assistance staff are those in office with a post of
casework. The district holds one class by 2018-12-31 (decision 066).
"""

from __future__ import annotations

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
from processes.organisation import DISTRICT
from processes.outreach_forms import DIRECTOR
from processes.outreach_tables import training_attendance, training_session
from processes.tables import post, staff
from processes.tables import unit as unit_table

SINCE, CLASS_BY = date(2018, 11, 19), date(2018, 12, 31)  # the campaign's first day; 年底前 [seed]
STAFF = organisation.HANDLERS - {"village_committee"} | {"finance_officer"}  # 社会救助工作人员, by their posts
DISTRICT_ORGANISERS = frozenset({"supervisor", "district_examiner", "approver", "spot_checker"})
ORGANISERS = DISTRICT_ORGANISERS | {"civil_affairs_officer", "street_leader", "reviewer", "window_clerk"}
KINDS = {"directors": ("居村委会主任", "Directors of committees"), "staff": ("社会救助工作人员", "Assistance staff")}
_UNIT_OF = {"district": "district", "street": "street", "village": "community"}


def record(act: Act, said: Mapping[str, Any]) -> dict[str, Any]:
    """A session that was held. `said`: as understood by TrainingIn. Returns {"session", "attendance"}: the number of people."""
    if (told := act.recall()) is not None:
        return told  # type: ignore[no-any-return]
    level = act.conn.scalar(select(unit_table.c.level).where(unit_table.c.code == said["unit"]))
    if level != _UNIT_OF[said["level"]]:
        raise Invalid({"unit": ["组织单位与培训层级不符，或没有这个单位"]})
    act.through(_organises(act.actor, said["unit"]))
    if said.get("sheet"):
        attachments.refuse_foreign(act.conn, said["unit"], {"sheet": [said["sheet"]]})
    made = act.new("training_session", said["unit"])
    number, subject = made.next_id(), f"training_session:{made.id}"
    values = {**{name: said[name] for name in ("level", "unit", "title", "held_on", "place", "trainer")}, "topics": " ".join(said["topics"]), "sheet": said.get("sheet"),
              "recorded_by": act.actor.id, "recorded_on": act.today.isoformat()}  # fmt: skip
    people = [_attendee(act.conn, one, n) for n, one in enumerate(said.get("attendance") or ())]
    puts = [Put("training_session", number, values, subject), *(Put("training_attendance", made.next_id(), {"session_id": number, **one}, subject) for one in people)]
    act.append(made, "training_held", {"level": said["level"], "attendance": len(people)}, puts=puts)
    return _done(act, {"session": number, "attendance": len(people)})


def attend(act: Act, session_id: int, said: Mapping[str, Any]) -> dict[str, Any]:
    """More of the signed sheet: people, scores, the sheet itself. Who is listed already is replaced."""
    opened, row = _opened(act, session_id)
    if (told := act.recall()) is not None:
        return told  # type: ignore[no-any-return]
    act.through(_organises(act.actor, row["unit"]))
    _in_force(row)
    subject, a = f"training_session:{opened.id}", training_attendance.c
    there = {(one["staff"], one["name"], one["unit"] if one["name"] else None): one["id"] for one in act.conn.execute(select(training_attendance).where(a.session_id == session_id)).mappings()}
    puts = []
    for n, one in enumerate(said.get("attendance") or ()):
        values = _attendee(act.conn, one, n)
        known = there.get((values["staff"], values["name"], values["unit"] if values["name"] else None))
        puts.append(Put("training_attendance", known or opened.next_id(), {"session_id": session_id, **values}, subject))
    if said.get("sheet"):
        attachments.refuse_foreign(act.conn, row["unit"], {"sheet": [said["sheet"]]})
        puts.append(Put("training_session", session_id, {"sheet": said["sheet"]}))
    act.append(opened, "training_attended", puts=puts)
    n = act.conn.scalar(select(func.count()).select_from(training_attendance).where(a.session_id == session_id)) or 0
    return _done(act, {"session": session_id, "attendance": n})


def withdraw(act: Act, session_id: int, reason: str) -> dict[str, Any]:
    """It was entered by mistake: it stays to be seen and counts no more."""
    opened, row = _opened(act, session_id)
    if (told := act.recall()) is not None:
        return told  # type: ignore[no-any-return]
    act.through(_organises(act.actor, row["unit"]))
    _in_force(row)
    values = {"withdrawn_on": act.today.isoformat(), "withdrawn_by": act.actor.id, "withdrawn_why": reason}
    act.append(opened, "training_withdrawn", puts=[Put("training_session", session_id, values)])
    n = act.conn.scalar(select(func.count()).select_from(training_attendance).where(training_attendance.c.session_id == session_id)) or 0
    return _done(act, {"session": session_id, "attendance": n})


def _organises(actor: Actor, unit: str) -> str:
    found = actor.post_over(unit, ORGANISERS if unit != DISTRICT else DISTRICT_ORGANISERS) or (actor.post_over(unit, {"village_committee"}) if len(unit) == 12 else None)
    if found is None:
        raise Refused("organiser", "培训由组织单位的工作人员登记", "Entered by the staff of the organising unit")
    return found


def _attendee(conn: Connection, one: Mapping[str, Any], n: int) -> dict[str, Any]:
    """The row of somebody on the sheet; his unit is that of his only post where it is left out."""
    code = one.get("unit") or None
    if login := one.get("staff"):
        posts = set(conn.scalars(select(post.c.unit).join(staff, staff.c.id == post.c.staff_id).where(staff.c.login == login, staff.c.active, post.c.active)))
        if not posts:
            raise Invalid({f"attendance.{n}.staff": ["没有这位工作人员，或已停用"]})
        if code is None and len(posts) == 1:
            code = min(posts)
        if code is None:
            raise Invalid({f"attendance.{n}.unit": ["这位工作人员在多个单位任职，请填写单位"]})
        if not any(code.startswith(own) or own.startswith(code) for own in posts):
            raise Invalid({f"attendance.{n}.unit": ["这位工作人员不在这个单位任职"]})
    level = conn.scalar(select(unit_table.c.level).where(unit_table.c.code == code))
    if level is None:
        raise Invalid({f"attendance.{n}.unit": ["没有这个单位"]})
    if one["role"] == DIRECTOR and level != "community":
        raise Invalid({f"attendance.{n}.unit": ["居村委会主任的单位应是居村"]})
    return {"staff": one.get("staff") or None, "name": one.get("name") or None, "role": one["role"], "unit": code, "signed": one["signed"], "quiz_score": one.get("quiz_score")}


def _in_force(row: Mapping[Any, Any]) -> None:
    if row["withdrawn_on"]:
        raise Conflict("这项登记已撤销", "This entry was withdrawn")


def _done(act: Act, told: dict[str, Any]) -> dict[str, Any]:
    act.remember(told)
    return told


def _opened(act: Act, session_id: int) -> tuple[Record, Mapping[Any, Any]]:
    seen(act.conn, act.actor, session_id)
    opened = act.open("training_session", session_id >> 16)
    return opened, act.conn.execute(select(training_session).where(training_session.c.id == session_id)).mappings().one()


# -- who is trained


def _trained(conn: Connection, on: date) -> tuple[Sequence[Any], set[str], set[str]]:
    """(rows of attendance that count, communities whose director is trained, logins that are): signed in at a session held and entered since the campaign began, by a day."""
    s, a = training_session.c, training_attendance.c
    day = on.isoformat()
    where = (s.held_on.between(SINCE.isoformat(), day), s.recorded_on <= day, or_(s.withdrawn_on.is_(None), s.withdrawn_on > day), a.signed)
    rows = conn.execute(select(a.staff, a.name, a.role, a.unit, s.level).join(training_session, s.id == a.session_id).where(*where)).all()
    return rows, {row.unit for row in rows if row.role == DIRECTOR}, {row.staff for row in rows if row.staff}


def _wanted(conn: Connection, area: Area) -> tuple[list[Mapping[Any, Any]], list[Any]]:
    """(communities of the area, (login, name, unit of a post) of its assistance staff in office)."""
    communities = organisation.units(conn, area, "community") if area else []
    query = select(staff.c.login, staff.c.name, post.c.unit).join(post, post.c.staff_id == staff.c.id)
    query = query.where(staff.c.active, post.c.active, post.c.role.in_(sorted(STAFF)), within(post.c.unit, area)).distinct().order_by(post.c.unit, staff.c.login)
    return communities, list(conn.execute(query))


def coverage(conn: Connection, area: Area, on: date) -> dict[str, Any]:
    """since, on; district_class {by, held_on, kept}; sessions {district, street, village} of the area; heads: persons of the area who signed in; directors and staff, each
    {all, trained}; units: the same for each street, and the district's own staff. A person counts once in each unit, and once in all."""
    s, day = training_session.c, on.isoformat()
    counted = (s.held_on.between(SINCE.isoformat(), day), s.recorded_on <= day, or_(s.withdrawn_on.is_(None), s.withdrawn_on > day))
    levels = Counter(conn.scalars(select(s.level).where(*counted, within(s.unit, area))))
    first = conn.scalar(select(func.min(s.held_on)).where(*counted, s.level == "district"))
    rows, directed, logins = _trained(conn, on)
    communities, people = _wanted(conn, area)
    directors, theirs = defaultdict[str, list[str]](list), defaultdict[str, set[str]](set)
    for one in communities:
        directors[one["code"][:9]].append(one["code"])
    for person in people:
        theirs[person.unit[:9]].add(person.login)
    heads = {(row.staff, row.name, row.unit if row.name else None) for row in rows if _inside(row.unit, area)}
    units = [{"unit": code, "directors": _share(directors[code], directed), "staff": _share(theirs[code], logins)} for code in sorted({*directors, *theirs})]
    return {"since": SINCE.isoformat(), "on": day, "district_class": {"by": CLASS_BY.isoformat(), "held_on": first, "kept": first is not None and first <= CLASS_BY.isoformat()},
            "sessions": {level: levels[level] for level in _UNIT_OF}, "heads": len(heads), "directors": _share([c["code"] for c in communities], directed),
            "staff": _share({p.login for p in people}, logins), "units": units}  # fmt: skip


def first_held(conn: Connection, level: str, unit: str, since: str, until: str) -> str | None:
    """The day of the first session that a unit organised in these days, of those not withdrawn."""
    s = training_session.c
    where = (s.level == level, s.unit == unit, s.held_on.between(since, until), s.recorded_on <= until, or_(s.withdrawn_on.is_(None), s.withdrawn_on > until))
    found: str | None = conn.scalar(select(func.min(s.held_on)).where(*where))
    return found


def _inside(unit: str, area: Area) -> bool:
    return any(unit.startswith(code) for code in ([area] if isinstance(area, str) else area))


def _share(wanted: Sequence[str] | set[str], done: set[str]) -> dict[str, int]:
    return {"all": len(wanted), "trained": sum(one in done for one in wanted)}


def missing(conn: Connection, area: Area, on: date, kind: str, page: int = 1, size: int = 25) -> Page:
    """Who is not trained yet. kind: directors (their communities) | staff. Items: unit, staff, name."""
    _rows, directed, logins = _trained(conn, on)
    communities, people = _wanted(conn, area)
    found: list[Mapping[Any, Any]] = [{"unit": one["code"], "staff": None, "name": None} for one in communities if one["code"] not in directed]
    if kind == "staff":
        first: dict[str, Mapping[Any, Any]] = {}
        for one in people:
            if one.login not in logins:
                first.setdefault(one.login, {"unit": one.unit, "staff": one.login, "name": one.name})
        found = list(first.values())
    return Page(found[(page - 1) * size : page * size], len(found), page, size)


# -- who sees what


def seen(conn: Connection, actor: Actor, session_id: int) -> Mapping[Any, Any]:
    """The row: sessions of one's area and of the units above it, which train its people too. NotFound for others."""
    row = conn.execute(select(training_session).where(training_session.c.id == session_id)).mappings().one_or_none()
    if row is None or not _reads(actor, row["unit"]):
        raise NotFound("没有这次培训")
    return row


def _reads(actor: Actor, unit: str) -> bool:
    return any(unit.startswith(own) or own.startswith(unit) for own in actor.areas)


def listed(conn: Connection, actor: Actor, *, level: str | None = None, unit_code: str | None = None, page: int = 1, size: int = 25) -> Page:
    """Sessions that the actor reads, the newest first."""
    s = training_session.c
    above = {code[:n] for code in actor.areas for n in (6, 9)}
    where = [or_(within(s.unit, actor.areas), s.unit.in_(sorted(above)))]
    if level:
        where.append(s.level == level)
    if unit_code:
        where.append(within(s.unit, unit_code))
    total = conn.scalar(select(func.count()).select_from(training_session).where(*where)) or 0
    query = select(training_session).where(*where).order_by(s.held_on.desc(), s.id.desc()).limit(size).offset((page - 1) * size)
    return Page(list(conn.execute(query).mappings()), total, page, size)


_SHOWN = ("id", "level", "unit", "title", "held_on", "place", "trainer", "sheet", "recorded_by", "recorded_on", "withdrawn_on", "withdrawn_by", "withdrawn_why")


def told(conn: Connection, rows: Sequence[Mapping[Any, Any]], actor: Actor) -> list[dict[str, Any]]:
    """Sessions in JSON with who attended: of other units' people only those of one's area, but all for who organises. may: attend, withdraw."""
    a = training_attendance.c
    people = conn.execute(select(training_attendance).where(a.session_id.in_([row["id"] for row in rows])).order_by(a.id)).mappings().all()
    names = {row.login: row.name for row in conn.execute(select(staff.c.login, staff.c.name).where(staff.c.login.in_({one["staff"] for one in people if one["staff"]})))}
    return [_told(row, [one for one in people if one["session_id"] == row["id"]], names, actor) for row in rows]


def _told(row: Mapping[Any, Any], people: Sequence[Mapping[Any, Any]], names: Mapping[str, str], actor: Actor) -> dict[str, Any]:
    try:
        organises = bool(_organises(actor, row["unit"]))
    except Refused:
        organises = False
    whole = actor.covers(row["unit"])
    theirs = [one for one in people if whole or actor.covers(one["unit"])]
    scores = [one["quiz_score"] for one in people if one["quiz_score"] is not None]
    return {**{name: row[name] for name in _SHOWN}, "topics": row["topics"].split(), "people": len(people), "signed": sum(one["signed"] for one in people),
            "average_score": round(sum(scores) / len(scores), 1) if scores else None,
            "attendance": [{"staff": one["staff"], "name": names.get(one["staff"]) if one["staff"] else one["name"], **{n: one[n] for n in ("role", "unit", "signed", "quiz_score")}} for one in theirs],
            "may": ["attend", "withdraw"] if organises and not row["withdrawn_on"] else []}  # fmt: skip


def organises(actor: Actor) -> bool:
    """Whether the actor enters sessions anywhere."""
    return not actor.roles.isdisjoint(ORGANISERS | {"village_committee"})
