"""API: 入户 — today's visits, and what was declared beside what was seen."""

from __future__ import annotations

from typing import Any

from flask_smorest import Blueprint
from marshmallow import fields

from engine import queries
from engine.errors import NotFound
from engine.office import history
from processes import readers, visits
from web.api import schemas
from web.api.desk import me
from web.api.operation import operation
from web.desk import bureau, standing_in
from web.tasks import seen

blp = Blueprint("api_visits", __name__, url_prefix="/api/v1", description="入户: visits that wait, declared against seen")
_s, _n = schemas.said_text, schemas.said_number


class HomeVisitRow(schemas.Said):
    id = _n("of the task: POST tasks/{id}/complete does the visit")
    node = _s("home_survey | survey_cosign | spot_check_visit | late_spot_check_visit")
    case = _s()
    process = _s()
    household_id = _n()
    community = _s()
    applicant = _s("masked")
    due_on = _s(none=True)
    assignee = _s("you, or nobody yet", none=True)
    second = _s("the second investigator named, where he has to sign", none=True)


class DeclaredRow(schemas.Said):
    item = _s()
    declared = _s()


class SeenBeside(DeclaredRow):
    seen = _s()
    differs = fields.Boolean(required=True, metadata={"description": "what was seen is not what was declared"})


class SurveyDone(schemas.Said):
    visited_on = _s("as the investigators say")
    entered_on = _s("as the record says: a paper sheet may be entered later")
    by = _s("login")
    second = _s("login", none=True)
    met_person = _s(none=True)
    housing = _s(none=True)
    living = _s(none=True)
    findings = _s(none=True)
    compared = schemas.said_list(fields.Nested(SeenBeside))
    photos = schemas.said_list(fields.Integer(), "documents")
    signature = _n("document", none=True)


class VisitInFull(schemas.Said):
    id = _n()
    node = _s()
    case = _s()
    declared = schemas.said_list(fields.Nested(DeclaredRow), "what the household declared, line by line: `compared` of the survey takes it with `seen`")
    survey = fields.Nested(SurveyDone, required=True, allow_none=True, metadata={"description": "the last one that stands; null before it"})


@operation(blp, "GET", "/visits", schemas.paged(HomeVisitRow), asks=schemas.Paging)
def listing(asked: dict[str, Any]) -> Any:
    """Visits that you hold or may claim, by community, what is due first (at most 200); of those that are to be signed yours alone."""
    with bureau().office.read() as conn:
        rows = visits.listed(conn, [me(), *standing_in(me())])
    names = [name for name in HomeVisitRow().fields if name != "case"]
    return schemas.cut([{**{name: row[name] for name in names}, "case": row["no"]} for row in rows], asked["page"], asked["size"])


@operation(blp, "GET", "/visits/<row:task_id>", VisitInFull, replies=(404,))
def show(task_id: int) -> Any:
    """A visit that waits, or its signature: what was declared, and the last survey with the differences marked."""
    made = bureau()
    with made.office.read() as conn:
        row = queries.task_row(conn, task_id)
        seen(me(), row)
        if row["node"] not in visits.NODES or not readers.of_cases(me()).covers(row["case_unit"]):
            raise NotFound("没有这件待办")
        keys = made.office.keys.on(conn)
        entries = readers.told_to(conn, me(), row["case_unit"], history(conn, keys, row["case_id"]))
        lines = visits.declared(conn, keys, int(row["subject"].partition(":")[2]))
        return {"id": task_id, "node": row["node"], "case": row["no"], "declared": lines, "survey": visits.last_survey(entries)}
