"""API: 作战进度 and 总结报告: periods, drafts, submissions with frozen figures, what is late, and the annexes as handed in."""

from __future__ import annotations

from typing import Any

from flask_smorest import Blueprint
from marshmallow import fields

from engine.errors import NotFound
from engine.forms import Whole
from processes import campaigns, progress_reports
from processes.progress_forms import ReportIn, ReportJudged
from web.annexes import XLSX
from web.api import schemas
from web.api.desk import me, once
from web.api.ledger import LedgerBoth
from web.api.operation import operation
from web.api.schemas import said_list, said_number, said_text
from web.desk import bureau
from web.progress_reports import sent

blp = Blueprint("api_progress", __name__, url_prefix="/api/v1", description="作战进度、总结报告: the figures are the ledger's, frozen when a report is handed in")



class ReportQuery(schemas.Strict):
    period = Whole(load_default=None, allow_none=True, metadata={"description": "number of the period, 0 the summary report; the one of today when left out"})
    unit = schemas.text("code of a street or zone that you cover; all of yours when left out", most=20, example="120116011")


class ReportMoved(schemas.Said):
    report = said_number()
    state = said_text("draft | returned | submitted | accepted")


class ReportStates(schemas.Said):
    missing = said_number()
    due = said_number("reminded, nothing written")
    draft = said_number()
    submitted = said_number()
    returned = said_number()
    accepted = said_number()


class ReportBrief(schemas.Said):
    id = said_number("null: nobody has begun it", none=True)
    unit = said_text()
    period = said_number("0: the summary report")
    kind = said_text("progress | summary")
    state = said_text(" | ".join(progress_reports.STATES))
    due_on = said_text("a working day")
    late = fields.Boolean(required=True, metadata={"description": "handed in after its moment, or missing now"})
    times = said_number("how often it was handed in")
    first_on = said_text("when it was handed in first", none=True)
    submitted_on = said_text("and last", none=True)
    submitted_by = said_text(none=True)
    again_on = said_text("until when a returned one comes again", none=True)
    reminded_on = said_text(none=True)
    late_on = said_text("when the daily sweep found it missing", none=True)


class ReportPeriod(schemas.Said):
    number = said_number("0: the summary report")
    kind = said_text("progress | summary")
    start_on = said_text()
    end_on = said_text()
    due_on = said_text("a working day")
    due_time = said_text("HH:MM")
    past = fields.Boolean(required=True)
    states = fields.Nested(ReportStates, required=True, metadata={"description": "how many units of your area"})
    late = said_list(fields.String(), "units whose report is missing, or was late")
    own = fields.Nested(ReportBrief, required=True, allow_none=True, metadata={"description": "of your unit, where it is only one"})


class ReportPeriods(schemas.Said):
    items = said_list(ReportPeriod)


class ReportProblems(schemas.Said):
    found = said_number()
    settled = said_number()
    overdue = said_number()


class ReportBlock(schemas.Said):
    from_ = fields.String(required=True, data_key="from", attribute="from")
    to = said_text()
    start = fields.Nested(LedgerBoth, required=True)
    end = fields.Nested(LedgerBoth, required=True)
    numbers = fields.Dict(required=True, keys=fields.String(), values=fields.Nested(LedgerBoth), metadata={"description": "L1 to L4d"})
    L5 = said_number("matters of accountability concluded")
    L6 = fields.Nested(ReportProblems, required=True)
    broken = said_list(fields.String(), "checks that do not hold")


class ReportFigures(schemas.Said):
    since = said_text("first day of the increment")
    as_of = said_text("last day that counts")
    cumulative = fields.Nested(ReportBlock, required=True, metadata={"description": "from the campaign's first day"})
    increment = fields.Nested(ReportBlock, required=True, metadata={"description": "of the period"})


class ReportListed(ReportBrief):
    unit_name = said_text()
    figures = fields.Nested(ReportFigures, required=True, allow_none=True, metadata={"description": "as handed in last"})


class ReportTotals(schemas.Said):
    reports = said_number("handed in")
    cumulative = fields.Dict(required=True, keys=fields.String(), values=fields.Integer(), metadata={"description": "L1 to L6, persons (L5, L6: cases), added up over the units"})
    increment = fields.Dict(required=True, keys=fields.String(), values=fields.Integer())


class Reports(schemas.Said):
    period = said_number()
    items = said_list(ReportListed, "every unit of your area, also those without a report")
    totals = fields.Nested(ReportTotals, required=True)


class ReportsLate(schemas.Said):
    items = said_list(ReportBrief)


class ReportTexts(schemas.Said):
    progress = said_text("工作进展", none=True)
    good_practice = said_text("经验做法", none=True)
    difficulties = said_text("困难问题", none=True)
    suggestions = said_text("意见建议", none=True)


class ReportHanded(ReportTexts):
    no = said_number()
    since = said_text()
    as_of = said_text()
    snapshot_id = said_number("of the ledger: GET ledger/snapshots/{id}")
    figures = fields.Nested(ReportFigures, required=True)
    submitted_by = said_text()
    submitted_on = said_text()
    submitted_at = said_text()
    late = fields.Boolean(required=True)
    outcome = said_text("accepted | returned", none=True)
    reason = said_text(none=True)
    judged_by = said_text(none=True)
    judged_on = said_text(none=True)


class ReportAnnex(schemas.Said):
    no = said_number("of the submission")
    annex = said_number("1 | 2")
    as_of = said_text()
    rows = said_number()
    size = said_number("bytes")
    sha256 = said_text("of the workbook's bytes")


class Report(ReportBrief, ReportTexts):
    campaign = said_number()
    campaign_name = said_text()
    unit_name = said_text()
    number = said_number()
    start_on = said_text()
    end_on = said_text()
    due_time = said_text()
    past = fields.Boolean(required=True)
    drafted_by = said_text(none=True)
    drafted_on = said_text(none=True)
    figures = fields.Nested(ReportFigures, required=True)
    frozen = fields.Boolean(required=True, metadata={"description": "false: as they would be frozen now"})
    may = said_list(fields.String(), "write, submit, judge, annexes")
    annexes = said_list(ReportAnnex)
    submissions = said_list(ReportHanded, "every time that it was handed in")


def _asked(conn: Any, campaign_id: int, unit: str | None) -> tuple[Any, list[Any]]:
    row = campaigns.seen(conn, me(), campaign_id)
    units = progress_reports.units_read(conn, row, me())
    if unit is not None:
        units = [one for one in units if one["unit"] == unit]
        if not units:
            raise NotFound("没有这个机构，或不在您的辖区")
    return row, units


@operation(blp, "GET", "/campaigns/<row:campaign_id>/periods", ReportPeriods, replies=(404,))
def listing(campaign_id: int) -> Any:
    """The periods that have begun, and the summary report: days, how many units stand how, who is late."""
    with bureau().office.snapshot() as conn:
        row, units = _asked(conn, campaign_id, None)
        return {"items": progress_reports.overview(conn, row, units, bureau().office.clock())}


@operation(blp, "GET", "/campaigns/<row:campaign_id>/reports", Reports, asks=ReportQuery, replies=(404,))
def reports(campaign_id: int, asked: dict[str, Any]) -> Any:
    """The reports of a period, unit by unit, with their frozen figures and what these add up to."""
    made = bureau().office
    with made.snapshot() as conn:
        row, units = _asked(conn, campaign_id, asked.get("unit"))
        period = progress_reports.of_today(row, made.today()) if asked["period"] is None else progress_reports.period_of(conn, row, asked["period"])
        items = progress_reports.listed(conn, row, units, period, made.clock())
    return {"period": period.number, "items": items, "totals": progress_reports.totals(items)}


@operation(blp, "GET", "/campaigns/<row:campaign_id>/reports/late", ReportsLate, replies=(404,))
def late(campaign_id: int) -> Any:
    """What is not handed in though its moment has passed."""
    with bureau().office.snapshot() as conn:
        row, units = _asked(conn, campaign_id, None)
        return {"items": progress_reports.late_list(conn, row, units, bureau().office.clock())}


@operation(blp, "POST", "/campaigns/<row:campaign_id>/reports", ReportMoved, takes=ReportIn, replies=(404,),
           example={"unit": "120116011", "period": 1, "progress": "已动员部署", "good_practice": "无", "difficulties": "人手不足", "suggestions": "无"})  # fmt: skip
def draft(campaign_id: int, said: dict[str, Any]) -> Any:
    """Write or change the draft of a period (0: the summary report). 403 `unit`, `period-ahead`; 409 when it is handed in."""
    return once(said, lambda act: progress_reports.draft(act, campaign_id, said))


@operation(blp, "GET", "/progress-reports/<row:report_id>", Report, replies=(404,))
def show(report_id: int) -> Any:
    """A report with its words, figures, submissions and annexes."""
    made = bureau().office
    with made.snapshot() as conn:
        return progress_reports.told(conn, made.keys.on(conn), progress_reports.seen(conn, me(), report_id), me(), made.clock())


@operation(blp, "POST", "/progress-reports/<row:report_id>/submission", ReportMoved, optional=True, replies=(404,))
def submit(report_id: int) -> Any:
    """Hand it in: all four texts are needed; figures, and the annexes of a summary report, are frozen as of now."""
    return once({}, lambda act: progress_reports.submit(act, report_id))


@operation(blp, "POST", "/progress-reports/<row:report_id>/verification", ReportMoved, takes=ReportJudged, replies=(404,), example={"verdict": "return", "reason": "未写困难问题", "again_on": "2018-11-27"})
def judge(report_id: int, said: dict[str, Any]) -> Any:
    """A supervisor of the district accepts it or sends it back with the day by which it comes again."""
    return once(said, lambda act: progress_reports.judge(act, report_id, said))


@operation(blp, "GET", "/progress-reports/<row:report_id>/annex1.xlsx", (XLSX,), replies=(403, 404, 409))
def annex_1(report_id: int) -> Any:
    """附件1 as it was handed in last, byte by byte; 403 `annex-full` for who may have it masked only."""
    return sent(me(), report_id, 1)


@operation(blp, "GET", "/progress-reports/<row:report_id>/annex2.xlsx", (XLSX,), replies=(403, 404, 409))
def annex_2(report_id: int) -> Any:
    """附件2 as it was handed in last."""
    return sent(me(), report_id, 2)
