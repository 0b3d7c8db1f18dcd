"""全面摸底排查 (M01, domain 1.1): visits to households in benefit, to others in need, and to those refused in 2018.

A visit is a record of its own, entered by one visitor and confirmed by the second in his own session; until then it does not count
(decision 058). Who qualifies becomes a lead of proactive discovery in the same act.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, func, or_, select

from engine import store
from engine.cases import Cases
from engine.crypto import BoundKeys
from engine.errors import Conflict, Invalid, NotFound, Refused
from engine.model import SHANGHAI, Actor, Put
from engine.office import Act, Record
from engine.queries import Area, Page, within
from processes import erasure, households, in_benefit, leads, organisation, readers
from processes.audit import facts_of
from processes.screening_forms import CASE, IN_BENEFIT, REFUSED
from processes.screening_tables import screening, screening_finding
from processes.tables import household, person

STATES = {"recorded": ("待第二名调查人确认", "Waits for the second visitor"), "confirmed": ("已确认", "Confirmed")}
FINDING_STATES = {"open": ("整改中", "To be put right"), "done": ("已完成，待复核", "Done, to be verified"), "verified": ("已复核", "Verified")}
SINCE = date(2018, 11, 19)  # the campaign's first day [seed]
TARGET = 100  # per cent of the households in benefit (domain 1.1)
VISITORS = frozenset({"civil_affairs_officer", "village_committee", "grid_worker", "investigator", "window_clerk"})  # volunteers only come along
CHECKERS = frozenset({"civil_affairs_officer", "reviewer", "street_leader", "supervisor"})  # who verifies what was put right, never who did it
APPLIERS = frozenset({"window_clerk", "civil_affairs_officer"})
_LEAD_KIND = {"illness": "illness", "disability": "disability", "old_age": "old_age", "unemployment": "job_loss", "disaster": "accident"}


def record(cases: Cases, act: Act, said: Mapping[str, Any]) -> dict[str, Any]:
    """A visit as the first visitor enters it; `said`: as understood by ScreeningIn. Each finding begins its case at once, as who qualifies
    becomes a lead at once. Returns {"screening", "state", "lead"}."""
    if (told := act.recall()) is not None:
        return told  # type: ignore[no-any-return]
    home = _home(act, said["household_id"])
    post = act.actor.post_over(home["community"], VISITORS)
    if post is None:
        raise Refused("visitor", "入户排查由本辖区的民政专干、居村委会成员、调查人或窗口经办人登记", "Visits are entered by the civil affairs officers, committee members, investigators and clerks of the area")
    second = _second(act, said["second_visitor"], home["community"])
    if {act.actor.id, second.id} & households.recused_staff(act.conn, home["id"]):
        raise Refused("near-relative", "调查人与这户家庭成员有近亲属关系，应当回避", "A visitor is a near relative of the household")
    erasure.refuse_restricted(act.conn, home["id"])
    check_population(act, home["id"], said)
    act.through(post)
    told = enter(cases, act, home, said, act.actor, second)
    number = told["screening"]
    with act.part():
        for finding in act.conn.scalars(select(screening_finding.c.id).where(screening_finding.c.screening_id == number).order_by(screening_finding.c.id)).all():
            cases.start(act, CASE, {"finding_id": finding})
    act.remember(told)
    return told


def enter(cases: Cases, act: Act, home: Mapping[Any, Any], said: Mapping[str, Any], first: Actor, second: Actor, origin: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The record of a visit that was judged already. `origin`: entered_by, list_digest and list_line of one that came in from an annex."""
    subject = f"household:{home['id']}"
    made = act.new("screening", home["community"], subject=subject)
    number = made.next_id()
    found = _lead(cases, act, said, home, (first, second)) if said.get("qualifies") and not _has(act.conn, home["id"], act.today) else None
    values = {**_values(said, home, first.id, second.id, found), **(origin or {})}
    puts = [Put("screening", number, values, subject)]
    puts += [Put("screening_finding", made.next_id(), _finding(one, number, values), subject) for one in said.get("findings") or ()]
    act.append(made, "household_screened", {"population": said["population"]}, puts=puts)
    return {"screening": number, "state": "recorded", "lead": found}


def _has(conn: Connection, household_id: int, on: date) -> bool:
    return bool(in_benefit.on(conn, "", on, household_id=household_id))


def _home(act: Act, household_id: int) -> Mapping[Any, Any]:
    row = households.row(act.conn, household_id)
    if not readers.of_cases(act.actor).covers(row["community"]):
        raise NotFound("没有这户家庭")
    return row


def _second(act: Act, login: str, community: str) -> Actor:
    """The second visitor: somebody else with a post that visits in this community."""
    if login == act.actor.id:
        raise Invalid({"second_visitor": ["入户排查须由两人以上进行，第二名调查人不能是本人"]})
    found = organisation.find_actor(act.conn, login)
    if found is None:
        raise Invalid({"second_visitor": ["没有这位工作人员，或已停用"]})
    if found.post_over(community, VISITORS) is None:
        raise Invalid({"second_visitor": ["第二名调查人在这个居村没有排查岗位"]})
    return found


def check_population(act: Act, household_id: int, said: Mapping[str, Any]) -> None:
    """The household must be one of the population: what is screened as in benefit is, and so on."""
    population, on = said["population"], date.fromisoformat(_iso(said["visited_on"]))
    has = _has(act.conn, household_id, on)
    if population == IN_BENEFIT and not has:
        raise Invalid({"population": ["这户家庭走访时不在保"]})
    if population not in (IN_BENEFIT, REFUSED) and has:
        raise Invalid({"population": ["这户家庭走访时在保，请选择在保家庭"]})
    if population == REFUSED and not any(one["facts"]["household_id"] == household_id for one in refused(act.conn, "", on, subject=f"household:{household_id}")):
        raise Invalid({"population": ["这户家庭没有2018年申请未获批准的记录"]})


def _values(said: Mapping[str, Any], home: Mapping[Any, Any], first: str, second: str, lead: int | None) -> dict[str, Any]:
    return {
        "household_id": home["id"], "street": home["street"], "community": home["community"], "population": said["population"], "visited_on": _iso(said["visited_on"]),
        "first_visitor": first, "second_visitor": second, "companions": said.get("companions") or None, "met_person": said.get("met_person"),
        "causes": json.dumps(said["causes"]), "assistance": json.dumps(said.get("assistance") or []), "result": said.get("result"), "result_text": said.get("result_text") or None,
        "still_hardship": said.get("still_hardship"), "hardship_text": said.get("hardship_text") or None, "relative_of_staff": said.get("relative_of_staff"),
        "relatives_on_assistance": said.get("relatives_on_assistance"), "qualifies": said.get("qualifies"), "state": "recorded", "lead_id": lead,
        **{name: said[name] for name in ("policy_explained", "leaflet_given") if said.get(name) is not None},
    }  # fmt: skip


def _finding(one: Mapping[str, Any], number: int, visit: Mapping[str, Any]) -> dict[str, Any]:
    return {"screening_id": number, "household_id": visit["household_id"], "community": visit["community"], "kind": one["kind"], "text": one["text"],
            "found_on": visit["visited_on"], "due_on": _iso(one["due_on"]) if one.get("due_on") else None, "referred_to": one.get("referred_to") or None, "state": "open"}  # fmt: skip


def _iso(day: date | str) -> str:
    return day if isinstance(day, str) else day.isoformat()


def confirm(act: Act, screening_id: int) -> dict[str, Any]:
    """The second visitor confirms the visit himself; from then on it counts."""
    opened, row = _opened(act, screening_id)
    if (told := act.recall()) is not None:
        return told  # type: ignore[no-any-return]
    if act.actor.id != row["second_visitor"] and not (row["entered_by"] and act.actor.id == row["first_visitor"]):
        raise Refused("second-visitor", "由第二名调查人本人确认", "The second visitor confirms it himself")
    post = act.actor.post_over(row["community"], VISITORS)
    if post is None:
        raise Refused("visitor", "您在这个居村没有排查岗位", "You have no post there that visits")
    if not _asked(row, act.actor):
        raise Conflict("这次走访已经确认", "This visit is confirmed already")
    act.through(post)
    values = {("confirmed_on" if act.actor.id == row["second_visitor"] else "first_confirmed_on"): act.today.isoformat()}
    after = {**row, **values}
    if after["confirmed_on"] and (after["first_confirmed_on"] or not row["entered_by"]):
        values["state"] = "confirmed"
    act.append(opened, "screening_confirmed", puts=[Put("screening", screening_id, values, _subject(row))])
    told = {"screening": screening_id, "state": values.get("state", "recorded"), "lead": row["lead_id"]}
    act.remember(told)
    return told


def _asked(row: Mapping[Any, Any], actor: Actor) -> bool:
    """Whether the visit still waits for the word of this visitor: of the second one, and of the first where somebody else entered it."""
    if row["state"] != "recorded":
        return False
    if actor.id == row["second_visitor"]:
        return row["confirmed_on"] is None
    return actor.id == row["first_visitor"] and row["entered_by"] is not None and row["first_confirmed_on"] is None


def _subject(row: Mapping[Any, Any]) -> str:
    return f"household:{row['household_id']}"


def _lead(cases: Cases, act: Act, said: Mapping[str, Any], home: Mapping[Any, Any], visitors: Sequence[Actor]) -> int:
    """A lead from the visit, at once, for the application may follow on the same day; in the name of the visitor who is of the grass roots,
    if one of them is."""
    text, causes = said.get("result_text"), said["causes"]
    finder, role = next(((one.id, role) for one in visitors for role in _held(one, home["community"])), (None, "street_staff"))
    lead = {"household_id": home["id"], "hardship": next((_LEAD_KIND[c] for c in causes if c in _LEAD_KIND), "low_income"),
            "reason": f"入户排查认为达到救助条件{'：' + text if text else ''}", "found_on": said["visited_on"], "found_by": role,
            "finder_login": finder, "finder": None if finder else act.actor.name}  # fmt: skip
    return leads.from_visit(cases, act, lead)


def _held(actor: Actor, community: str) -> list[str]:
    return [role for role in sorted(leads.WITH_ACCOUNT & leads.GRASSROOTS) if actor.post_over(community, {role}) is not None]


def _opened(act: Act, screening_id: int) -> tuple[Record, Mapping[Any, Any]]:
    seen(act.conn, act.actor, screening_id)
    opened = act.open("screening", screening_id >> 16)
    return opened, act.conn.execute(select(screening).where(screening.c.id == screening_id)).mappings().one()


# -- the populations


def refused(conn: Connection, area: Area, on: date, *, subject: str | None = None, year: int = 2018) -> list[dict[str, Any]]:
    """Applications of a year (by the day of application) that were refused by a day, the earliest first: id, no, process, unit, facts."""
    row = store.record.c
    where = [row.kind == "case", row.process.in_(sorted(leads.applications())), row.opened_at >= datetime(year, 1, 1, tzinfo=SHANGHAI)]
    if area:
        where.append(within(row.unit, area))
    if subject:
        where.append(row.subject == subject)
    found = []
    for one in conn.execute(select(row.id, row.no, row.process, row.state, row.unit).where(*where).order_by(row.id)).mappings():
        facts = facts_of(one["state"])
        day = str(facts.get("decided_on") or "")[:10]
        if facts.get("decision") == "refused" and str(facts.get("applied_on") or "")[:4] == str(year) and day <= on.isoformat() and facts.get("household_id"):
            found.append({"id": one["id"], "no": one["no"], "process": one["process"], "unit": one["unit"], "facts": facts})
    return found


def latest(conn: Connection, household_ids: Collection[int], on: date, populations: Collection[str] = ()) -> dict[int, Mapping[Any, Any]]:
    """Household -> its last confirmed visit up to a day."""
    found: dict[int, Mapping[Any, Any]] = {}
    ids = sorted(set(household_ids))
    for start in range(0, len(ids), 500):
        where = [screening.c.household_id.in_(ids[start : start + 500]), screening.c.state == "confirmed", screening.c.visited_on <= on.isoformat()]
        if populations:
            where.append(screening.c.population.in_(sorted(populations)))
        for row in conn.execute(select(screening).where(*where).order_by(screening.c.visited_on, screening.c.id)).mappings():
            found[row["household_id"]] = row
    return found


def coverage(conn: Connection, area: Area, on: date, since: date = SINCE) -> list[dict[str, Any]]:
    """Per community with something to be screened or screened: community, in_benefit and refused_2018 as {to_screen, screened}, and
    elsewhere: how many visits to others not in benefit. A household is screened by a confirmed visit from `since` to `on`."""
    homes = {one["household_id"]: one["community"] for one in in_benefit.on(conn, area, on)}
    again = {one["facts"]["household_id"] for one in refused(conn, "", on)}
    places = {row.id: row.community for row in conn.execute(select(household.c.id, household.c.community).where(household.c.id.in_(sorted(again)), within(household.c.community, area)))}
    where = (within(screening.c.community, area), screening.c.state == "confirmed", screening.c.visited_on.between(since.isoformat(), on.isoformat()))
    visits = conn.execute(select(screening.c.household_id, screening.c.population, screening.c.community).where(*where).distinct()).all()
    seen_in = {(row.population, row.household_id) for row in visits}
    others = Counter(row.community for row in visits if row.population not in (IN_BENEFIT, REFUSED))
    found: dict[str, dict[str, Any]] = {}
    for population, whom in ((IN_BENEFIT, homes), (REFUSED, places)):
        for home, community in whom.items():
            line = found.setdefault(community, _line(community))[population]
            line["to_screen"] += 1
            line["screened"] += (population, home) in seen_in
    for community, n in others.items():
        found.setdefault(community, _line(community))["elsewhere"] = n
    for line in found.values():
        _percent(line)
    return [found[code] for code in sorted(found)]


def covered(lines: Sequence[Mapping[str, Any]], unit: str) -> dict[str, Any]:
    """The sum of lines of `coverage`."""
    whole = _line(unit)
    for line in lines:
        for population in (IN_BENEFIT, REFUSED):
            for name in ("to_screen", "screened"):
                whole[population][name] += line[population][name]
        whole["elsewhere"] += line["elsewhere"]
    _percent(whole)
    return whole


def _percent(line: Mapping[str, Any]) -> None:
    """Screened of those to screen, cut to one decimal: 100 means that nobody is missing."""
    for population in (IN_BENEFIT, REFUSED):
        one = line[population]
        one["percent"] = one["screened"] * 1000 // one["to_screen"] / 10 if one["to_screen"] else None


def _line(community: str) -> dict[str, Any]:
    return {"community": community, IN_BENEFIT: {"to_screen": 0, "screened": 0}, REFUSED: {"to_screen": 0, "screened": 0}, "elsewhere": 0}


# -- who sees what


def _theirs(actor: Actor) -> ColumnElement[bool]:
    return or_(within(screening.c.community, readers.of_cases(actor).areas), screening.c.second_visitor == actor.id, screening.c.first_visitor == actor.id)


def seen(conn: Connection, actor: Actor, screening_id: int) -> Mapping[Any, Any]:
    """The row; NotFound for who may not read it."""
    row = conn.execute(select(screening).where(screening.c.id == screening_id, _theirs(actor))).mappings().one_or_none()
    if row is None:
        raise NotFound("没有这次走访")
    return row


def listed(conn: Connection, actor: Actor, *, population: str | None = None, state: str | None = None, household_id: int | None = None, unit_code: str | None = None,
           finding: str | None = None, mine: bool = False, page: int = 1, size: int = 25) -> Page:  # fmt: skip
    """Visits that the actor reads: those to be confirmed first, then the newest. finding: only those with one that is open | done | verified;
    mine: only those that wait for the actor's own word."""
    where = [_theirs(actor)] + ([_for(actor), screening.c.state == "recorded"] if mine else [])
    where += [screening.c[name] == value for name, value in (("population", population), ("state", state), ("household_id", household_id)) if value is not None]
    if unit_code:
        where.append(within(screening.c.community, unit_code))
    if finding:
        where.append(screening.c.id.in_(select(screening_finding.c.screening_id).where(screening_finding.c.state == finding)))
    total = conn.scalar(select(func.count()).select_from(screening).where(*where)) or 0
    query = select(screening).where(*where).order_by(screening.c.state != "recorded", screening.c.visited_on.desc(), screening.c.id.desc())
    return Page(list(conn.execute(query.limit(size).offset((page - 1) * size)).mappings()), total, page, size)


_SHOWN = ("id", "household_id", "street", "community", "population", "visited_on", "first_visitor", "second_visitor", "companions", "met_person", "result",
          "still_hardship", "relative_of_staff", "relatives_on_assistance", "qualifies", "state", "confirmed_on", "lead_id", "entered_by", "first_confirmed_on", "case_no",
          "policy_explained", "leaflet_given")  # fmt: skip
_FINDING = ("id", "kind", "found_on", "due_on", "state", "done_on", "done_by", "proof_id", "outcome", "verified_by", "verified_on", "sent_back", "unfounded", "case_no")


def told(conn: Connection, keys: BoundKeys, rows: Sequence[Mapping[Any, Any]], actor: Actor, today: date) -> list[dict[str, Any]]:
    """Visits in JSON with their findings (late: past the day by which it should be put right). may: confirm; of a finding: rectify."""
    ids, homes = [row["id"] for row in rows], {row["household_id"] for row in rows}
    found = conn.execute(select(screening_finding).where(screening_finding.c.screening_id.in_(ids)).order_by(screening_finding.c.id)).mappings().all()
    query = select(household.c.id, household.c.no, person.c.name).join(person, person.c.id == household.c.applicant_id).where(household.c.id.in_(sorted(homes)))
    names = {row.id: (row.no, row.name) for row in conn.execute(query)}
    return [_told(keys, row, [f for f in found if f["screening_id"] == row["id"]], names[row["household_id"]], actor, today) for row in rows]


def words(keys: BoundKeys, row: Mapping[Any, Any]) -> dict[str, Any]:
    """The sealed parts of a visit: causes and assistance as codes, result_text and hardship_text."""
    sealed = {name: keys.reveal("screening", name, row["id"], row[name]) if row[name] else None for name in ("causes", "assistance", "result_text", "hardship_text")}
    return {**sealed, "causes": json.loads(sealed["causes"] or "[]"), "assistance": json.loads(sealed["assistance"] or "[]")}


def _told(keys: BoundKeys, row: Mapping[Any, Any], findings: Sequence[Mapping[Any, Any]], name: tuple[str, str], actor: Actor, today: date) -> dict[str, Any]:
    visits = actor.post_over(row["community"], VISITORS) is not None
    told_findings = [finding_told(keys, one, actor, today) for one in findings]
    begins = row["lead_id"] is not None and row["case_no"] is None and row["state"] == "confirmed" and actor.post_over(row["community"], APPLIERS) is not None
    may = [verb for verb, allowed in (("confirm", visits and _asked(row, actor)), ("apply", begins)) if allowed]
    return {**{n: row[n] for n in _SHOWN}, "household_no": name[0], "applicant": name[1], **words(keys, row), "findings": told_findings, "may": may}


def finding_told(keys: BoundKeys, one: Mapping[Any, Any], actor: Actor, today: date) -> dict[str, Any]:
    """A finding in JSON. may: rectify (say what was done), verify (somebody else than who did it)."""
    works = readers.of_cases(actor).covers(one["community"]) and actor.post_over(one["community"], VISITORS | leads.VERIFIERS) is not None
    checks = actor.post_over(one["community"], CHECKERS) is not None and actor.id != one["done_by"]
    may = [verb for verb, allowed in (("rectify", works and one["state"] == "open"), ("verify", checks and one["state"] == "done")) if allowed]
    return {**{n: one[n] for n in _FINDING}, **{n: keys.reveal("screening_finding", n, one["id"], one[n]) if one[n] else None for n in ("text", "referred_to", "done_text", "verify_text")},
            "sent_back": one["sent_back"] or 0, "late": one["state"] == "open" and bool(one["due_on"]) and one["due_on"] < today.isoformat(), "may": may}  # fmt: skip


def waiting(conn: Connection, actor: Actor) -> int:
    """How many visits wait for the actor's confirmation."""
    if actor.roles.isdisjoint(VISITORS):
        return 0
    return conn.scalar(select(func.count()).select_from(screening).where(_for(actor), screening.c.state == "recorded")) or 0


def _for(actor: Actor) -> ColumnElement[bool]:
    """Visits that wait for this visitor's word (see `_asked`)."""
    s = screening.c
    return or_(and_(s.second_visitor == actor.id, s.confirmed_on.is_(None)), and_(s.first_visitor == actor.id, s.entered_by.is_not(None), s.first_confirmed_on.is_(None)))


