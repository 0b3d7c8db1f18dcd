"""分散供养特困人员走访 (M17, domain 1.17): the street visits those of the destitute who live at home, and sees to what is lacking.

A death that is seen is reported with the change report of its law, a missing agreement is a problem with a day: the visit itself decides
nothing about a benefit.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, func, select

from engine import store
from engine.crypto import BoundKeys
from engine.errors import Conflict, Invalid, NotFound, Refused
from engine.model import SHANGHAI, Actor, Put
from engine.office import Act
from engine.queries import Area, Page, within
from processes import documents, erasure, households, in_benefit, law, readers
from processes.dispersed_forms import CHECKED, DispersedVisitIn
from processes.facility_tables import dispersed_problem, dispersed_visit
from processes.tables import household, person

SINCE = date(2018, 11, 19)  # the campaign's first day [seed]
CATEGORY = "destitute_dispersed"
STATES = {"open": ("待解决", "To be solved"), "solved": ("已解决", "Solved")}
VISITORS = frozenset({"window_clerk", "civil_affairs_officer", "investigator", "reviewer", "street_leader", "village_committee"})
MET = ("safe", "unsafe")
PLAIN = ("caretaker_present", "agreement_signed", "money_received", "policy_explained", "leaflet_given")


def record(act: Act, said: Mapping[str, Any]) -> dict[str, Any]:
    """A visit. `said`: as understood by DispersedVisitIn. Returns {"visit", "problems", "next"}: what the visit calls for besides."""
    if (told := act.recall()) is not None:
        return told  # type: ignore[no-any-return]
    home = households.row(act.conn, said["household_id"])
    if not readers.of_cases(act.actor).covers(home["community"]):
        raise NotFound("没有这户家庭")
    post = act.actor.post_over(home["community"], VISITORS)
    if post is None:
        raise Refused("visitor", "走访由所在街镇的工作人员或居村委会成员登记", "Visits are entered by the street's staff or the committee of the place")
    households.refuse_relative(act, home["id"])
    erasure.refuse_restricted(act.conn, home["id"])
    benefit_id, person_id = _supported(act.conn, said)
    if wrong := documents.foreign(act.conn, DispersedVisitIn(), said, home["id"]):
        raise Invalid(wrong)
    act.through(post)
    subject = f"household:{home['id']}"
    made = act.new("dispersed_visit", home["community"], subject=subject)
    number = made.next_id()
    values = {"household_id": home["id"], "person_id": person_id, "benefit_id": benefit_id, "street": home["street"], "community": home["community"], "visited_on": said["visited_on"],
              "visitor": act.actor.id, "recorded_on": act.today.isoformat(), "companions": said.get("companions") or None, "condition": said["condition"], "died_on": said.get("died_on"),
              "checks": json.dumps({name: said[name] for name in CHECKED}) if said["condition"] in MET else None, **{name: said.get(name) for name in PLAIN},
              "help_given": said.get("help_given") or None, "photo": said.get("photo")}  # fmt: skip
    puts, found = [Put("dispersed_visit", number, values, subject)], []
    for one in said.get("problems") or ():
        found.append(made.next_id())
        puts.append(Put("dispersed_problem", found[-1], _problem(one, number, values, act), subject))
    act.append(made, "dispersed_visited", {"condition": said["condition"]}, puts=puts)
    told = {"visit": number, "problems": found, "next": _next(values)}
    act.remember(told)
    return told


def _supported(conn: Connection, said: Mapping[str, Any]) -> tuple[int, int]:
    """(benefit, person) of who was supported at home on the day of the visit."""
    found = _persons(in_benefit.on(conn, "", date.fromisoformat(said["visited_on"]), household_id=said["household_id"]))
    if not found:
        raise Invalid({"household_id": ["这户家庭走访时没有分散供养的特困人员"]})
    wanted = said.get("person_id")
    if wanted is None and len(found) > 1:
        raise Invalid({"person_id": ["这户有两名以上分散供养的特困人员，请指明"]})
    one = next((row for row in found if wanted in (None, row["person_id"])), None)
    if one is None:
        raise Invalid({"person_id": ["这名成员走访时不是分散供养的特困人员"]})
    return one["benefit_id"], one["person_id"]


def _persons(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Those supported at home, each with his person: a benefit brought over from a list is its applicant's."""
    return [{**row, "person_id": row["person_id"] or row["applicant_id"]} for row in rows if row["category"] == CATEGORY]


def _problem(one: Mapping[str, Any], number: int, visit: Mapping[str, Any], act: Act) -> dict[str, Any]:
    spot = bool(one.get("solved_on_spot"))
    return {"visit_id": number, "household_id": visit["household_id"], "community": visit["community"], "kind": one["kind"], "text": one["text"], "found_on": visit["visited_on"],
            "due_on": one.get("due_on"), "state": "solved" if spot else "open", "on_spot": spot, "solved_on": visit["visited_on"] if spot else None,
            "solved_by": act.actor.id if spot else None, "solved_text": None}  # fmt: skip


def _next(visit: Mapping[Any, Any]) -> list[str]:
    return [what for what, yes in (("change_report", visit["condition"] == "died"), ("screening_finding", visit["agreement_signed"] is False)) if yes]


def solve(act: Act, problem_id: int, said: Mapping[str, Any]) -> dict[str, Any]:
    """A problem is solved. `said`: as understood by DispersedSolved."""
    row = act.conn.execute(select(dispersed_problem).where(dispersed_problem.c.id == problem_id)).mappings().one_or_none()
    if row is None or not readers.of_cases(act.actor).covers(row["community"]):
        raise NotFound("没有这个走访问题")
    opened = act.open("dispersed_visit", problem_id >> 16)
    row = act.conn.execute(select(dispersed_problem).where(dispersed_problem.c.id == problem_id)).mappings().one()
    if (told := act.recall()) is not None:
        return told  # type: ignore[no-any-return]
    post = act.actor.post_over(row["community"], VISITORS)
    if post is None:
        raise Refused("visitor", "由所在街镇的工作人员或居村委会成员登记", "Entered by the street's staff or the committee of the place")
    if row["state"] != "open":
        raise Conflict("这个问题已经解决", "This problem is solved already")
    if said["solved_on"] < row["found_on"]:
        raise Invalid({"solved_on": ["不能早于走访日期"]})
    act.through(post)
    values = {"state": "solved", "solved_on": said["solved_on"], "solved_by": act.actor.id, "solved_text": said["text"]}
    act.append(opened, "dispersed_problem_solved", {"problem": problem_id}, puts=[Put("dispersed_problem", problem_id, values, f"household:{row['household_id']}")])
    told = {"problem": problem_id, "state": "solved"}
    act.remember(told)
    return told


# -- who is still to be visited


def people(conn: Connection, area: Area, on: date, since: date = SINCE) -> list[dict[str, Any]]:
    """Those supported at home on a day: household_id, person_id, benefit_id, street, community, visited_on and first_visited_on (his last and first visit from `since` to
    then at which he was met, wherever he lived then; None: not yet), died. Who died or was not met was not visited."""
    rows = _persons(in_benefit.on(conn, area, on))
    v = dispersed_visit.c
    met = select(v.person_id, func.max(v.visited_on), func.min(v.visited_on)).where(v.condition.in_(MET), v.visited_on.between(since.isoformat(), on.isoformat()),
                                                            v.recorded_on <= on.isoformat()).group_by(v.person_id)  # fmt: skip
    visited = {row[0]: (row[1], row[2]) for row in conn.execute(met)}
    died = set(conn.scalars(select(v.person_id).where(v.condition == "died", v.recorded_on <= on.isoformat())))
    return [{**{name: row[name] for name in ("household_id", "person_id", "benefit_id", "street", "community")}, **dict(zip(("visited_on", "first_visited_on"), visited.get(row["person_id"], (None, None)), strict=True)), "died": row["person_id"] in died}
            for row in rows]  # fmt: skip


def coverage(conn: Connection, area: Area, on: date, since: date = SINCE) -> dict[str, Any]:
    """since, on, to_visit, visited, not_visited, died (known from a visit, their benefit not stopped yet), problems {found, open, overdue, solved}; streets: the first
    three by street."""
    rows, day = people(conn, area, on, since), on.isoformat()
    p = dispersed_problem.c
    found = conn.execute(select(p.state, p.due_on, p.solved_on).where(within(p.community, area), p.found_on.between(since.isoformat(), day))).all()
    left = [one for one in found if one.solved_on is None or one.solved_on > day]
    n, seen_n = Counter(row["street"] for row in rows), Counter(row["street"] for row in rows if row["visited_on"])
    gone = Counter(row["street"] for row in rows if row["died"] and not row["visited_on"])
    return {"since": since.isoformat(), "on": day, "to_visit": len(rows), "visited": seen_n.total(), "not_visited": len(rows) - seen_n.total() - gone.total(), "died": sum(row["died"] for row in rows),
            "problems": {"found": len(found), "open": len(left), "overdue": sum(one.due_on is not None and one.due_on < day for one in left), "solved": len(found) - len(left)},
            "streets": [{"street": code, "to_visit": n[code], "visited": seen_n[code], "not_visited": n[code] - seen_n[code] - gone[code]} for code in sorted(n)]}  # fmt: skip


def unvisited(conn: Connection, actor: Actor, on: date, *, unit_code: str | None = None, since: date = SINCE, page: int = 1, size: int = 25) -> Page:
    """Those of the actor's area who are supported at home and were not met yet, with names and numbers of their households."""
    area = _narrowed(actor, unit_code)
    rows = [row for row in (people(conn, area, on, since) if area else []) if not row["visited_on"] and not row["died"]]
    some = rows[(page - 1) * size : page * size]
    named = names(conn, some)
    return Page([{**row, **named[row["household_id"], row["person_id"]]} for row in some], len(rows), page, size)


def _narrowed(actor: Actor, unit_code: str | None) -> Area:
    reader = readers.of_cases(actor)
    if unit_code is None:
        return reader.areas
    if not reader.covers(unit_code):
        raise NotFound("没有这个机构")
    return unit_code


def names(conn: Connection, rows: Sequence[Mapping[Any, Any]]) -> dict[tuple[int, int], dict[str, str]]:
    """(household, person) -> household_no, name."""
    numbers = _pairs(conn, select(household.c.id, household.c.no).where(household.c.id.in_({row["household_id"] for row in rows})))
    called = _pairs(conn, select(person.c.id, person.c.name).where(person.c.id.in_({row["person_id"] for row in rows})))
    return {(row["household_id"], row["person_id"]): {"household_no": numbers[row["household_id"]], "name": called.get(row["person_id"], "")} for row in rows}


# -- who sees what


def seen(conn: Connection, actor: Actor, visit_id: int) -> Mapping[Any, Any]:
    """The row; NotFound for who may not read it."""
    where = within(dispersed_visit.c.community, readers.of_cases(actor).areas)
    row = conn.execute(select(dispersed_visit).where(dispersed_visit.c.id == visit_id, where)).mappings().one_or_none()
    if row is None:
        raise NotFound("没有这次走访")
    return row


def listed(conn: Connection, actor: Actor, today: date, *, household_id: int | None = None, condition: str | None = None, problem: str | None = None, unit_code: str | None = None,
           page: int = 1, size: int = 25) -> Page:  # fmt: skip
    """Visits that the actor reads, the newest first. problem: only those with one that is open | overdue | solved."""
    v, p = dispersed_visit.c, dispersed_problem.c
    where = [within(v.community, readers.of_cases(actor).areas)]
    where += [v[name] == value for name, value in (("household_id", household_id), ("condition", condition)) if value is not None]
    if unit_code:
        where.append(within(v.community, unit_code))
    if problem:
        which = [p.state == "open", p.due_on < today.isoformat()] if problem == "overdue" else [p.state == problem]
        where.append(v.id.in_(select(p.visit_id).where(*which)))
    total = conn.scalar(select(func.count()).select_from(dispersed_visit).where(*where)) or 0
    query = select(dispersed_visit).where(*where).order_by(v.visited_on.desc(), v.id.desc()).limit(size).offset((page - 1) * size)
    return Page(list(conn.execute(query).mappings()), total, page, size)


_SHOWN = ("id", "household_id", "person_id", "benefit_id", "street", "community", "visited_on", "visitor", "recorded_on", "companions", "condition", "died_on", *PLAIN, "photo")
_PROBLEM = ("id", "kind", "found_on", "due_on", "state", "on_spot", "solved_on", "solved_by")


def told(conn: Connection, keys: BoundKeys, rows: Sequence[Mapping[Any, Any]], actor: Actor, today: date) -> list[dict[str, Any]]:
    """Visits in JSON with their problems. report: the number of the change report that a death led to; next: what is still called for."""
    found = conn.execute(select(dispersed_problem).where(dispersed_problem.c.visit_id.in_([row["id"] for row in rows])).order_by(dispersed_problem.c.id)).mappings().all()
    named, reports = names(conn, rows), _reports(conn, [row for row in rows if row["condition"] == "died"])
    return [_told(keys, row, [one for one in found if one["visit_id"] == row["id"]], {**named[row["household_id"], row["person_id"]], "report": reports.get(row["id"])}, actor, today) for row in rows]


def _reports(conn: Connection, deaths: Collection[Mapping[Any, Any]]) -> dict[int, str]:
    """Visit that found a death -> the report of change that was begun for the household since."""
    r, found = store.record.c, dict[int, str]()
    for row in deaths:
        since = datetime.fromisoformat(row["died_on"]).replace(tzinfo=SHANGHAI)
        query = select(r.no).where(r.kind == "case", r.process.in_(sorted(law.procedures("change_report"))), r.subject == f"household:{row['household_id']}", r.opened_at >= since)
        if (no := conn.scalar(query.order_by(r.id).limit(1))) is not None:
            found[row["id"]] = no
    return found


def _told(keys: BoundKeys, row: Mapping[Any, Any], problems: Sequence[Mapping[Any, Any]], more: Mapping[str, Any], actor: Actor, today: date) -> dict[str, Any]:
    works = readers.of_cases(actor).covers(row["community"]) and actor.post_over(row["community"], VISITORS) is not None
    sealed = {name: keys.reveal("dispersed_visit", name, row["id"], row[name]) if row[name] else None for name in ("checks", "help_given")}
    checks = json.loads(sealed["checks"]) if sealed["checks"] else dict.fromkeys(CHECKED)
    listed_problems = [{**{name: one[name] for name in _PROBLEM}, **{name: keys.reveal("dispersed_problem", name, one["id"], one[name]) if one[name] else None for name in ("text", "solved_text")},
                        "overdue": one["state"] == "open" and one["due_on"] < today.isoformat(), "may": ["solve"] if works and one["state"] == "open" else []} for one in problems]  # fmt: skip
    return {**{name: row[name] for name in _SHOWN}, **checks, "help_given": sealed["help_given"], **more, "problems": listed_problems,
            "next": [what for what in _next(row) if what != "change_report" or more["report"] is None]}  # fmt: skip


def visits(actor: Actor) -> bool:
    """Whether the actor enters visits anywhere."""
    return not (readers.of_cases(actor).roles & VISITORS).isdisjoint(actor.roles)


def _pairs(conn: Connection, query: Any) -> dict[Any, Any]:
    """First column -> second column."""
    return {row[0]: row[1] for row in conn.execute(query)}
