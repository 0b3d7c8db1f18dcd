"""API: 分散供养特困人员走访 — visits, who is not visited yet, problems."""

from __future__ import annotations

from typing import Any

from flask_smorest import Blueprint
from marshmallow import fields

from engine.errors import NotFound
from engine.forms import Whole
from processes import dispersed_visits, readers
from processes.dispersed_forms import CONDITIONS, DispersedSolved, DispersedVisitIn
from web.api import schemas
from web.api.desk import me, once
from web.api.facilities import day
from web.api.leads import plain
from web.api.operation import operation
from web.desk import bureau

blp = Blueprint("api_dispersed", __name__, url_prefix="/api/v1", description="分散供养特困人员走访 (M17)")
_s, _n = schemas.said_text, schemas.said_number
_CODES = tuple(code for code, _zh, _en in CONDITIONS)
_CHECK = "ok | problem | n/a; none: not met"
_EXAMPLE = {"household_id": 7, "visited_on": "2019-01-28", "condition": "safe", "food": "ok", "heating": "problem", "electricity": "ok", "medicine": "n/a", "caretaker_present": True,
            "agreement_signed": True, "money_received": True, "policy_explained": True, "leaflet_given": True,
            "problems": [{"kind": "heating", "text": "暖气不热", "due_on": "2019-02-01"}]}  # fmt: skip


def _yes(about: str = "", *, none: bool = False) -> fields.Boolean:
    return fields.Boolean(required=True, allow_none=none, metadata={"description": about} if about else {})


class DispersedProblemRow(schemas.Said):
    id = _n()
    kind = _s("safety | food | heating | electricity | medicine | caretaker | agreement | money | other")
    text = _s()
    found_on = _s()
    due_on = _s(none=True)
    state = _s("open | solved")
    on_spot = _yes("solved on the spot")
    solved_on = _s(none=True)
    solved_by = _s(none=True)
    solved_text = _s(none=True)
    overdue = _yes("open past its day")
    may = schemas.said_list(fields.String(), "what you may do now: solve")


class DispersedVisitRow(schemas.Said):
    id = _n()
    household_id = _n()
    household_no = _s()
    person_id = _n()
    name = _s("of the person")
    benefit_id = _n()
    street = _s()
    community = _s()
    visited_on = _s()
    visitor = _s()
    recorded_on = _s()
    companions = _s(none=True)
    condition = _s(" | ".join(_CODES))
    died_on = _s(none=True)
    food = _s(_CHECK, none=True)
    heating = _s(_CHECK, none=True)
    electricity = _s(_CHECK, none=True)
    medicine = _s(_CHECK, none=True)
    caretaker_present = _yes(none=True)
    agreement_signed = _yes(none=True)
    money_received = _yes(none=True)
    policy_explained = _yes(none=True)
    leaflet_given = _yes(none=True)
    help_given = _s(none=True)
    photo = _n("of GET documents/{document_id}", none=True)
    problems = schemas.said_list(DispersedProblemRow)
    report = _s("the change report of a death, once it is begun", none=True)
    next = schemas.said_list(fields.String(), "what it still calls for: change_report (a death), screening_finding (no agreement on care)")


class DispersedVisited(schemas.Said):
    visit = _n()
    problems = schemas.said_list(fields.Integer())
    next = schemas.said_list(fields.String(), "change_report, screening_finding")


class DispersedProblemMoved(schemas.Said):
    problem = _n()
    state = _s()


class Unvisited(schemas.Said):
    household_id = _n()
    household_no = _s()
    person_id = _n()
    name = _s()
    benefit_id = _n()
    street = _s()
    community = _s()
    visited_on = _s(none=True)
    first_visited_on = _s(none=True)
    died = _yes()


class DispersedProblems(schemas.Said):
    found = _n()
    open = _n()
    overdue = _n()
    solved = _n()


class DispersedStreet(schemas.Said):
    street = _s()
    to_visit = _n("persons supported at home")
    visited = _n("of them, met in a visit")
    not_visited = _n("without those of whom a visit found that they died")


class DispersedCoverage(schemas.Said):
    since = _s()
    on = _s()
    to_visit = _n()
    visited = _n()
    not_visited = _n()
    died = _n("known from a visit, their benefit not stopped yet")
    problems = fields.Nested(DispersedProblems, required=True)
    streets = schemas.said_list(DispersedStreet)


class DispersedQuery(schemas.Paging):
    condition = schemas.one_of(*_CODES)
    problem = schemas.one_of("open", "overdue", "solved", about="with a problem in this state")
    household_id = Whole()
    unit = schemas.text("code of a unit: it and those below it", most=20)


class UnvisitedQuery(schemas.Paging):
    unit = schemas.text("code of a unit; left out: your area", most=20)
    on = schemas.text("ISO day; left out: today", most=10)
    since = schemas.text("ISO day; left out: 2018-11-19", most=10)


class DispersedCoverageQuery(schemas.Strict):
    unit = schemas.text("code of a unit; left out: your area", most=20)
    on = schemas.text("ISO day; left out: today", most=10)
    since = schemas.text("ISO day; left out: 2018-11-19", most=10)


@operation(blp, "GET", "/dispersed-visits", schemas.paged(DispersedVisitRow), asks=DispersedQuery)
def listing(asked: dict[str, Any]) -> Any:
    """Visits of your area, the newest first."""
    made = bureau()
    with made.office.read() as conn:
        found = dispersed_visits.listed(conn, me(), made.office.today(), household_id=asked.get("household_id"), condition=asked.get("condition"), problem=asked.get("problem"),
                                        unit_code=asked.get("unit"), page=asked["page"], size=asked["size"])  # fmt: skip
        items = dispersed_visits.told(conn, made.office.keys.on(conn), found.items, me(), made.office.today())
    return schemas.listed(items, found.total, found.page, found.size)


@operation(blp, "POST", "/dispersed-visits", DispersedVisited, status=201, takes=DispersedVisitIn, example=_EXAMPLE, replies=(404,))
def write(said: dict[str, Any]) -> Any:
    """A visit by the street to somebody whose support as destitute is paid at home. Whatever is not in order is a problem, solved on the spot or with a day.
    `next` says what it calls for besides: a death the change report, a missing agreement a finding of the screening."""
    told = once(plain(said), lambda act: dispersed_visits.record(act, said))
    return told, {"Location": f"/api/v1/dispersed-visits/{told['visit']}"}


@operation(blp, "GET", "/dispersed-visits/coverage", DispersedCoverage, asks=DispersedCoverageQuery, replies=(404,))
def coverage(asked: dict[str, Any]) -> Any:
    """By street: persons supported at home, and how many of them were met in a visit."""
    made, reader, unit = bureau(), readers.of_cases(me()), asked.get("unit")
    if unit and not reader.covers(unit):
        raise NotFound("没有这个机构")
    on, since = day(asked.get("on"), "on") or made.office.today(), day(asked.get("since"), "since") or dispersed_visits.SINCE
    with made.office.read() as conn:
        return dispersed_visits.coverage(conn, unit or reader.areas, on, since)


@operation(blp, "GET", "/dispersed-visits/unvisited", schemas.paged(Unvisited), asks=UnvisitedQuery, replies=(404,))
def unvisited(asked: dict[str, Any]) -> Any:
    """Those supported at home whom no visit has met yet."""
    made = bureau()
    on, since = day(asked.get("on"), "on") or made.office.today(), day(asked.get("since"), "since") or dispersed_visits.SINCE
    with made.office.read() as conn:
        found = dispersed_visits.unvisited(conn, me(), on, unit_code=asked.get("unit"), since=since, page=asked["page"], size=asked["size"])
    return schemas.listed(found.items, found.total, found.page, found.size)


@operation(blp, "GET", "/dispersed-visits/<row:visit_id>", DispersedVisitRow, replies=(404,))
def show(visit_id: int) -> Any:
    made = bureau()
    with made.office.read() as conn:
        row = dispersed_visits.seen(conn, me(), visit_id)
        return dispersed_visits.told(conn, made.office.keys.on(conn), [row], me(), made.office.today())[0]


@operation(blp, "POST", "/dispersed-problems/<row:problem_id>/solution", DispersedProblemMoved, takes=DispersedSolved, example={"solved_on": "2019-01-30", "text": "已维修暖气"}, replies=(404,))
def solve(problem_id: int, said: dict[str, Any]) -> Any:
    """A problem is solved."""
    return once(plain(said), lambda act: dispersed_visits.solve(act, problem_id, said))
