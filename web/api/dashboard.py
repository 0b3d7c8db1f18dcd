"""API: 战情, the dashboard's figures and what each of them counts."""

from __future__ import annotations

from typing import Any

from flask_smorest import Blueprint
from marshmallow import fields

from processes import dashboard, ledger
from web.api import schemas
from web.api.desk import me
from web.api.ledger import LedgerBoth, LedgerQuery
from web.api.operation import operation
from web.api.schemas import one_of, said_list, said_number, said_text
from web.desk import bureau

blp = Blueprint("api_dashboard", __name__, url_prefix="/api/v1", description="战情: the figures of the district's dashboard")


class DashboardNumber(LedgerBoth):
    number = said_text("L1 … L4d: GET ledger/{number}")
    zh = said_text()
    en = said_text()


class DashboardProblems(schemas.Said):
    found = said_number("L6: GET ledger/L6")
    settled = said_number()
    overdue = said_number()


class DashboardWeek(schemas.Said):
    from_ = fields.String(required=True, data_key="from", attribute="from")
    to = said_text()
    L1 = said_number("persons, by the day on which it happened: GET ledger/L1?day_from=&day_to=")
    L2 = said_number()
    L4 = said_number()


class DashboardLine(schemas.Said):
    to_screen = said_number("households in benefit")
    screened = said_number("of them by a confirmed visit of the period: GET dashboard/items?figure=screened, unscreened")
    coverage = fields.Float(required=True, allow_none=True, metadata={"description": "of a hundred; null of nothing"})
    to_screen_again = said_number("households refused in 2018")
    again = said_number("of them visited")
    elsewhere = said_number("visits to others not in benefit")
    benefits = said_number("that count at the end")
    month_fen = said_number("what they come to a month, in fen")
    temporary = said_number("forms of temporary assistance granted in the period")
    temporary_fen = said_number("in fen")
    open = said_number("steps open at the end of the last day")
    late = said_number("of them past their last day")


class DashboardUnit(DashboardLine):
    unit = said_text()
    unit_name = said_text()
    ok = fields.Boolean(required=True)
    start = said_number("persons")
    end = said_number("persons")
    L1 = said_number("persons")
    L2 = said_number()
    L3 = said_number()
    L4 = said_number()
    L4a = said_number()
    L4b = said_number()
    L4c = said_number()
    L4d = said_number()


class DashboardStep(schemas.Said):
    process = said_text()
    node = said_text()
    done = said_number("finished in the period")
    days = fields.Float(required=True, allow_none=True, metadata={"description": "from opened to finished on average; null: none finished"})
    open = said_number("at the end")
    late = said_number("of them past their last day")


class DashboardCount(schemas.Said):
    key = said_text("finding or resolution")
    count = said_number()


class DashboardRegister(schemas.Said):
    figure = said_text("publicity | training | inspections | hazards | dispersed | festival: GET dashboard/items")
    zh = said_text()
    en = said_text()
    count = said_number("in the period")
    fen = said_number("of money", none=True)
    copies = said_number("of publicity", none=True)
    fixed = said_number("of hazards: on the spot, or verified by the last day", none=True)


class Dashboard(schemas.Said):
    unit = said_text()
    unit_name = said_text()
    from_ = fields.String(required=True, data_key="from", attribute="from")
    to = said_text()
    day = said_number("of the campaign; null outside of it", none=True)
    days = said_number("how many it has")
    ok = fields.Boolean(required=True, metadata={"description": "all check sums of the ledger hold"})
    numbers = said_list(DashboardNumber)
    start = fields.Nested(LedgerBoth, required=True)
    end = fields.Nested(LedgerBoth, required=True)
    violations = said_number("L5: GET ledger/L5")
    problems = fields.Nested(DashboardProblems, required=True)
    weeks = said_list(DashboardWeek, "Monday to Sunday, the first and last cut to the period; they add up to the numbers")
    units = said_list(DashboardUnit, "below")
    whole = fields.Nested(DashboardLine, required=True)
    steps = said_list(DashboardStep)
    complaints = said_list(DashboardCount, "concluded in the period, by finding")
    meetings = said_list(DashboardCount, "announced in the period, by resolution")
    registers = said_list(DashboardRegister, "of the campaign")


class DashboardItem(schemas.Said):
    unit = said_text()
    unit_name = said_text()
    day = said_text("null: none, such as of a household not visited", none=True)
    case_no = said_text(none=True)
    household_id = said_number(none=True)
    key = said_text("finding, resolution, category, form, population, or process.step", none=True)
    fen = said_number("of money", none=True)
    copies = said_number("of publicity", none=True)
    hours = said_number("from opened to finished, of a step", none=True)
    days_late = said_number("of an open step", none=True)
    record_id = said_number()
    entry = said_number("number of the entry in that record", none=True)


class DashboardItemQuery(schemas.Paging, LedgerQuery):
    figure = one_of(*dashboard.FIGURES, about="what to list", required=True)
    key = schemas.text("only one part of it, as `key` says", most=120)


@operation(blp, "GET", "/dashboard", Dashboard, asks=LedgerQuery, replies=(404,))
def show(asked: dict[str, Any]) -> Any:
    """The ledger's numbers with their trend by week and by unit, coverage of the screening, money, complaints, the joint meeting, and how long each step takes."""
    made = bureau()
    with made.office.snapshot() as conn:
        wanted = ledger.asked(conn, me(), asked.get("unit"), asked.get("from"), asked.get("to"), made.office.today())
        return dashboard.told(conn, me(), wanted, made.office.today())


@operation(blp, "GET", "/dashboard/items", schemas.paged(DashboardItem), asks=DashboardItemQuery, replies=(404,))
def items(asked: dict[str, Any]) -> Any:
    """What a figure counts, in the order of the days, each with the entry that says so. Those of the ledger are at GET ledger/{number}."""
    made = bureau()
    with made.office.snapshot() as conn:
        wanted = ledger.asked(conn, me(), asked.get("unit"), asked.get("from"), asked.get("to"), made.office.today())
        found = dashboard.items_of(conn, me(), wanted, asked["figure"], key=asked.get("key"), page=asked["page"], size=asked["size"])
    return schemas.listed(list(found.items), found.total, found.page, found.size)
