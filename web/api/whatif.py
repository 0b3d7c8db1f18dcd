"""API: 试算, a changed law over the households in benefit as they stand, or over decisions of before. Nothing is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask_smorest import Blueprint
from marshmallow import fields

from processes import whatif as forecasts
from web import whatif
from web.api import schemas
from web.api.desk import me
from web.api.operation import operation
from web.api.schemas import Said, _b, _many, _n, _s

blp = Blueprint("api_whatif", __name__, url_prefix="/api/v1", description="What a changed law would do")

MOST = 200_000  # characters of a file


class ForecastQuestion(schemas.Strict):
    law = schemas.text("changed amounts: YAML in the shape of processes/law/*.yaml", most=MOST, example='dibao_standard_urban:\n  - {from: 2018-12-01, value: "980", source: draft}\n')
    table = schemas.text("a changed decision table `category`: DMN", most=MOST)
    on = schemas.text("a day of the month that is tried; may be left out over decisions: then each goes by what is said of its own month", most=10, example="2018-12-01")
    over = schemas.one_of(*forecasts.OVER, about="households in benefit (default), or the decisions of a period from the figures of then")
    from_on = schemas.text("first day of the decisions", most=10)
    until_on = schemas.text("their last day", most=10)
    scope = schemas.text("code of a unit; all of your area when left out", most=20)
    margin = schemas.text("yuan a head: what is nearer to a line is a near miss; 50.00 when left out", most=12)
    view = schemas.one_of(*forecasts.VIEWS, about="which households: changed (default) …")


class ForecastRequest(ForecastQuestion):
    page = schemas.bounded(1, schemas.MAX_PAGE, 1, "first page is 1")
    size = schemas.bounded(1, schemas.MAX_SIZE, 25, f"at most {schemas.MAX_SIZE}")


class ForecastMove(Said):
    move = _s("enters | leaves | gains | loses | same")
    households = _n()
    before_fen = _n("a month")
    after_fen = _n("a month")


class ForecastCategory(Said):
    before = _s("category by the law in force")
    after = _s("category by the changed law")
    households = _n()


class ForecastStreet(Said):
    street = _s()
    street_name = _s()
    category = _s()
    households_before = _n()
    before_fen = _n()
    households_after = _n()
    after_fen = _n()


class ForecastLeft(Said):
    reason = _s("no_figures | not_by_figures | restricted")
    households = _n()


class ForecastNear(Said):
    line = _s("standard | limit")
    side = _s("above | below")
    households = _n()


class ForecastHousehold(Said):
    benefit_id = _n("null for a decision", none=True)
    benefit_no = _s(none=True)
    household_id = _n()
    household_no = _s()
    case_no = _s(none=True)
    applicant = _s("masked; null where you do not read the benefit", none=True)
    street = _s()
    community = _s()
    status = _s("of the benefit; of a decision: granted | refused | keep | increase | decrease | convert | stop …")
    decided_on = _s("of a decision", none=True)
    recorded = _s("category on record")
    recorded_fen = _n("null, like all money of a household, where you do not read the benefit", none=True)
    before = _s("by the law in force; null where nothing was computed", none=True)
    before_fen = _n(none=True)
    after = _s("by the changed law", none=True)
    after_fen = _n(none=True)
    before_once_fen = _n("given once (temporary assistance, expenditure), by the law in force", none=True)
    after_once_fen = _n("the same by the changed law", none=True)
    per_capita = _s("by the changed law, yuan", none=True)
    move = _s(none=True)
    near = _s("standard | limit: the line that is near", none=True)
    gap = _s("income per head above that line, yuan; below it: negative", none=True)
    differs = _b()
    reason = _s("no_figures | not_by_figures | restricted: left out", none=True)


class Forecast(Said):
    over = _s("households | decisions")
    from_on = _s("of the decisions", none=True)
    until_on = _s(none=True)
    own_months = _b()  # whether each decision went by what the changed law says of its own month
    month = _s()
    scope = _s()
    margin = _s()
    law = fields.Dict(required=True, metadata={"description": "what was tried: `values` (name, before, after, since, source) and `tables` (name, sha256 before and after)"})
    households = _n("computed")
    earlier = _n("0: only the command line goes on from an earlier run")
    left_out = _many(ForecastLeft)
    recorded_fen = _n("a month, as decided")
    before_fen = _n("a month, by the law in force")
    after_fen = _n("a month, by the changed law")
    before_once_fen = _n("given once, by the law in force")
    after_once_fen = _n("the same by the changed law")
    differs = _n("households whose record is not what the law in force gives")
    moves = _many(ForecastMove)
    categories = _many(ForecastCategory)
    streets = _many(ForecastStreet)
    near = _many(ForecastNear)
    items = _many(ForecastHousehold)
    total = _n("households of the view")
    page = _n()
    size = _n()
    pages = _n()


@operation(blp, "POST", "/whatif", Forecast, takes=ForecastRequest, replies=(404,))
def forecast(said: dict[str, Any]) -> Any:
    """Try changed amounts, a changed table, or both, over the households in benefit of your area, or over the decisions made there in a
    period (administrators, auditors, supervisors). 422 where there are more than YINGBAO_WHATIF of them."""
    report = whatif.report_for(me(), _files(said), said)
    rows = report.seen(said.get("view") or "changed")
    part = schemas.cut(rows, said["page"], said["size"])
    return {**report.told(), **part, "items": whatif.rows_told(me(), part["items"])}


@operation(blp, "POST", "/whatif/export", ("text/csv",), takes=ForecastQuestion, replies=(404,))
def export(said: dict[str, Any]) -> Any:
    """The households of the view as CSV."""
    return whatif.spreadsheet(me(), whatif.report_for(me(), _files(said), said).seen(said.get("view") or "changed"))


def _files(said: Mapping[str, Any]) -> Sequence[bytes]:
    return [said[name].encode() for name in ("law", "table") if said.get(name, "").strip()]
