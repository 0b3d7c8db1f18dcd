"""API: the periodic duties to report. A report itself is a case: POST cases, process change-report-2012."""

from __future__ import annotations

from typing import Any

from flask_smorest import Blueprint
from marshmallow import fields

from engine.errors import Refused
from processes import readers, report_duties
from web.api import schemas
from web.api.desk import me
from web.api.operation import operation
from web.desk import bureau
from web.reports import reminders

blp = Blueprint("api_reports", __name__, url_prefix="/api/v1", description="Periodic duties to report")

_SHOWN = ("id", "household_id", "street", "community", "due_on", "reminded_on", "reminded_again_on", "answered_on", "state")


class ReportDutyQuery(schemas.Paging):
    state = schemas.one_of(*report_duties.STATES)
    street = schemas.text("code of a street that one of your posts covers, or lies in", most=20, example="120116011")


class ReportDuty(schemas.Said):
    id = fields.Integer(required=True)
    household_id = fields.Integer(required=True)
    household_no = fields.String(required=True)
    street = fields.String(required=True)
    community = fields.String(required=True)
    due_on = fields.String(required=True)
    reminded_on = fields.String(required=True, allow_none=True)
    reminded_again_on = fields.String(required=True, allow_none=True)
    answered_on = fields.String(required=True, allow_none=True)
    state = fields.String(required=True, metadata={"description": "due, overdue (reminded again, or about to be), answered"})
    case = fields.String(required=True, allow_none=True, metadata={"description": "the report that answered it"})
    letters = fields.List(fields.Integer(), required=True, metadata={"description": "reminders: GET letters/{id}"})


@operation(blp, "GET", "/report-duties", schemas.paged(ReportDuty), asks=ReportDutyQuery, replies=(403,))
def listing(asked: dict[str, Any]) -> Any:
    """Who owes a periodic report, in your area: those unanswered first, the oldest first."""
    street = asked.get("street")
    if street and not (me().covers(street) or any(area.startswith(street) for area in me().areas)):
        raise Refused("unit", "这个街镇不在您的辖区", "This street is outside your area")
    with bureau().office.read() as conn:
        found = report_duties.listed(conn, readers.of_benefits(me()).areas, bureau().office.today(), state=asked.get("state"), street=street, page=asked["page"], size=asked["size"])
        letters = reminders(conn, found.items)
    rows = [{**{k: row[k] for k in _SHOWN}, "household_no": row["no"], "case": row["case_no"], "letters": letters[row["id"]]} for row in found.items]
    return schemas.listed(rows, found.total, found.page, found.size)
