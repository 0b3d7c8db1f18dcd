"""API: who I am, processes, units, staff, assessments, notices, the clock."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

from flask_smorest import Blueprint

from engine.bpmn import Drawing
from engine.errors import NotFound, Refused
from engine.forms import json_schema
from engine.model import SHANGHAI
from engine.process import Process
from processes import calendar, eligibility, law, organisation, programmes
from processes.assessment_form import AssessmentIn, OpenAssessmentIn
from processes.bureau import CATALOGUE
from web import board as boards
from web import calendars, estimate, glance, training
from web.api import schemas
from web.api.desk import me, spoken, unmanned
from web.api.operation import operation
from web.desk import bureau
from web.public import running

blp = Blueprint("api_misc", __name__, url_prefix="/api/v1", description="Processes, assessments, notices")

_EXAMPLE = {
    "benefit_month": "2018-12", "applied_on": "2018-12-03", "hukou_kind": "urban",
    "members": [{"ref": "1", "relation": "head", "birth_date": "1975-03-01", "sex": "male", "employment": "employed",
                 "income": [{"kind": "wage_income", "amount": "2100.00", "period": "month"}]},
                {"ref": "2", "relation": "spouse", "birth_date": "1976-03-01", "labour_ability": "completely_lost"},
                {"ref": "3", "relation": "child", "birth_date": "2010-03-01"}]}  # fmt: skip


@operation(blp, "GET", "/me", schemas.Me)
def who() -> Any:
    """Your posts are what you may do where; `unit` is one that covers them all, for show."""
    return {"id": me().id, "name": me().name, "roles": sorted(me().roles), "unit": me().unit,
            "posts": [{"role": role, "unit": unit} for role, unit in me().posts]}  # fmt: skip


@operation(blp, "GET", "/processes", schemas.paged(schemas.ProcessKind), asks=schemas.Language)
def processes(asked: dict[str, Any]) -> Any:
    """Each process with its tasks, deadlines, law and forms as JSON Schema."""
    made = bureau()
    with made.office.read() as conn:
        found = [_process(p, made.cases.current(conn, p, made.office.today()), asked.get("lang") or spoken()) for p in CATALOGUE.values()]
    return schemas.cut(found, 1, schemas.MAX_SIZE)


def _process(process: Process, drawing: Drawing, language: str) -> dict[str, Any]:
    """`drawing`: the one in force today."""
    english = language == "en"
    nodes = [
        {"node": n.id, "name": n.name_en if english else n.name, "role": n.role, "level": n.level, "due": n.due, "law": n.law,
         "form": json_schema(process.form_of(n.id), language)}
        for n in drawing.of_kind("userTask").values()
    ]  # fmt: skip
    times = law.procedure_times(process.key)
    return {
        "key": process.key,
        "applies_from": times and times[0].isoformat(), "applies_until": times and times[1] and times[1].isoformat(),
        "title": process.title_en if english else process.title,
        "drawing": drawing.digest,
        "start_form": json_schema(process.start_form, language),
        "tasks": nodes,
        "messages": {name: json_schema(form, language) for name, form in process.messages.items()},
    }


@operation(blp, "GET", "/units", schemas.paged(schemas.Unit), asks=schemas.UnitQuery)
def units(asked: dict[str, Any]) -> Any:
    """The district's tree: units at and under a code; without one, those of your posts."""
    with bureau().office.read() as conn:
        rows = organisation.units(conn, asked.get("under") or me().areas, asked.get("level"))
    return schemas.cut(
        [{k: r[k] for k in ("code", "name", "level", "parent_code")} for r in rows], asked["page"], asked["size"]
    )


@operation(blp, "GET", "/staff", schemas.paged(schemas.Colleague), asks=schemas.StaffQuery)
def staff(asked: dict[str, Any]) -> Any:
    """Active colleagues and their posts: for transfers, and for the second investigator."""
    with bureau().office.read() as conn:
        rows = organisation.colleagues(conn, asked.get("role"), asked.get("unit") or "")
    return schemas.cut(rows, asked["page"], asked["size"])


@operation(blp, "POST", "/assessments", schemas.Assessment, takes=AssessmentIn, example=_EXAMPLE)
def assess(said: dict[str, Any]) -> Any:
    """Facts in, eligibility with its explanation out; nothing is stored. Facts that contradict each other are refused by name. A member may
    be without age, but where a rule asks for it (earnings of flexible work not above the minimum wage; 无子女) it is refused at his place."""
    found = eligibility.assess(said)
    programmes.refuse_contradictions(said)
    programmes.refuse_unknown_ages(said)
    return found


@operation(blp, "POST", "/public/assessments", schemas.OpenAssessment, takes=OpenAssessmentIn, public=True, replies=(429,), example={
    "hukou_kind": "urban", "community": "120116001016", "members": [{"ref": "1", "birth_date": "1975-03-01", "income": [{"kind": "wage_income", "amount": "700.00"}]}]})  # fmt: skip
def estimate_for_everybody(said: dict[str, Any]) -> Any:
    """Public: which programmes fit, why, how much about, what to bring, where to go. No decision, and nothing is stored. Each member needs
    `birth_date`; facts that contradict each other are refused by name. 429 for who asks too often."""
    return estimate.computed(said)


@operation(blp, "GET", "/notices", schemas.paged(schemas.Notice), asks=schemas.NoticeQuery, public=True)
def notices(asked: dict[str, Any]) -> Any:
    """Public: the notices that run now, whitelisted fields only. There is no search by name or ID."""
    rows, total = running(asked.get("unit") or "", asked["page"], asked["size"])
    return schemas.listed(rows, total, asked["page"], asked["size"])


@operation(blp, "GET", "/calendar", schemas.Month, asks=schemas.MonthQuery)
def month(asked: dict[str, Any]) -> Any:
    """The days of a month (this one when none is asked): workday, makeup, weekend or holiday, and how many open tasks of
    your area fall due on each. With `since` and `workdays` also the last day of that deadline."""
    first = calendar.month_of(asked.get("month"), bureau().office.today())
    counting = "since" in asked or "workdays" in asked
    counted = calendar.count_on(asked.get("since") or "", asked.get("workdays") or "") if counting else None
    with bureau().office.read() as conn:
        days = calendars.month(conn, me(), first)
    return {"month": f"{first:%Y-%m}", "provisional": calendar.provisional(first), "days": days, "counted": counted}


@operation(blp, "GET", "/clock", schemas.ClockNow, replies=(404,))
def clock() -> Any:
    """The business clock of a demo or training database; 404 in production."""
    if bureau().settings.production:
        raise NotFound("只有演示和训练环境有时钟")
    return _now()


@operation(blp, "POST", "/clock", schemas.ClockMoved, takes=schemas.MoveClock, replies=(403, 404, 409), example={"days": 1})
def move_clock(said: dict[str, Any]) -> Any:
    """Training only: so many days on, a day at a time, or to a moment; what came due has run when the answer comes. For
    administrators and supervisors, on the record. 409: not back, once there is casework."""
    made = bureau()
    training.movable(made)
    training.trainer(me())
    if said.get("days") is not None:
        done = training.advance(made, said["days"], me())
    else:
        done = training.set_to(made, datetime.fromisoformat(said["moment"]), me())
    return {**_now(), "jobs": done}


def _now() -> dict[str, Any]:
    return {"now": bureau().office.clock().astimezone(SHANGHAI).isoformat(timespec="seconds")}


@operation(blp, "GET", "/board", schemas.Board, asks=schemas.BoardQuery, replies=(403,))
def board(asked: dict[str, Any]) -> Any:
    """The supervisor's board: one list of open tasks (most urgent first), all counts, applications that take too long, and who
    carries how much."""
    boss, day, unit = boards.bosses(me()), bureau().office.today(), asked.get("unit")
    if unit and not boss.covers(unit):
        raise Refused("unit", "这个机构不在您的辖区", "This unit is outside your area")
    area = unit or boss.areas
    with bureau().office.read() as conn:
        wheres = boards.wheres(area, day)
        counts = {name: boards.rows(conn, where, 1, 1).total for name, where in wheres.items()}
        found = boards.rows(conn, wheres[asked.get("list") or "late"], asked["page"], asked["size"])
        mine, barring = boards.open_in(area), bureau().cases.unmanned_among(conn, found.items)
        over, load, nodes = boards.overlong(conn, area, day), boards.load_of(conn, mine, day.isoformat(), area), boards.nodes_of(conn, mine, day.isoformat())
    items = [{**{name: row[name] for name in ("id", "process", "node", "role", "unit", "assignee", "due_on", "flags")}, "case": row["no"], "unmanned": unmanned(barring.get(row["id"], ()))} for row in found.items]
    told = [{"case": one["no"], **{name: one[name] for name in ("unit", "since", "workdays", "last", "workdays_left")}} for one in over]
    return {**schemas.listed(items, found.total, found.page, found.size), "counts": counts, "overlong": told, "staff": load, "nodes": nodes}


@operation(blp, "GET", "/board/cases/<no:no>", schemas.Glance, replies=(403, 404))
def case_at_a_glance(no: str) -> Any:
    """What the board shows of one case: what is proposed, the standard applied, and what to look at twice. POST tasks/{id}/transfer hands it over."""
    boards.bosses(me())
    with bureau().office.read() as conn:
        row, facts, listed, _house = glance.found(conn, me(), no)
    names = ("category", "amount_fen", "law_version", "check_conclusion", "street_outcome", "district_outcome", "conclusion", "decision")
    return {"case": row["no"], **{name: facts.get(name) for name in names}, "risks": [asdict(risk) for risk in listed]}
