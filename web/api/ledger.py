"""API: 作战台账, the campaign's numbers by unit and period, with their check sums and who is counted in each."""

from __future__ import annotations

from typing import Any

from flask_smorest import Blueprint
from marshmallow import fields

from processes import ledger
from web.api import schemas
from web.api.desk import me
from web.api.operation import operation
from web.api.schemas import said_list, said_number, said_text
from web.desk import bureau

blp = Blueprint("api_ledger", __name__, url_prefix="/api/v1", description="作战台账: numbers computed from the records; none can be set by hand")


class LedgerQuery(schemas.Strict):
    unit = schemas.text("code of a district, street or community in your area; your own when left out", most=20, example="120116011")
    from_ = schemas.text("first day; the first day of the campaign when left out", most=10, example="2018-11-19", data_key="from", attribute="from")
    to = schemas.text("last day; today when left out: any day before gives the numbers of that day", most=10, example="2019-02-28")


class LedgerListQuery(schemas.Paging, LedgerQuery):
    pass


class LedgerBoth(schemas.Said):
    persons = said_number()
    households = said_number()


class LedgerNumber(LedgerBoth):
    number = said_text("L1, L2, L3, L4, L4a, L4b, L4c, L4d")
    name = said_text()
    zh = said_text()
    en = said_text()
    definition_zh = said_text()
    definition_en = said_text()


class LedgerCorrection(LedgerBoth):
    kind = said_text("moved_in | moved_out | listed | converted_in | converted_out | again")
    zh = said_text()
    en = said_text()


class LedgerCheck(schemas.Said):
    check = said_text("i_persons | i_households | iv | v | vi | vii")
    zh = said_text()
    en = said_text()
    left = said_number()
    right = said_number()
    holds = fields.Boolean(required=True)


class LedgerUnit(schemas.Said):
    unit = said_text()
    unit_name = said_text()
    start = said_number("persons in benefit before the period")
    end = said_number("persons in benefit at its end")
    L1 = said_number()
    L2 = said_number()
    L3 = said_number()
    L4 = said_number()
    L4a = said_number()
    L4b = said_number()
    L4c = said_number()
    L4d = said_number()


class LedgerCategory(schemas.Said):
    category = said_text()
    zh = said_text()
    en = said_text()
    concluded = said_number()


class LedgerViolations(schemas.Said):
    concluded = said_number("L5: matters of accountability concluded in the period, cases and not persons")
    opened = said_number("in the period")
    open = said_number("at its end")
    categories = said_list(LedgerCategory)
    matters = said_list(fields.Integer(), "those concluded: GET accountability/{id}")


class LedgerProblemType(schemas.Said):
    type = said_text()
    zh = said_text()
    en = said_text()
    found = said_number()


class LedgerProblems(schemas.Said):
    found = said_number("L6: findings raised in the period")
    settled = said_number("at its end")
    overdue = said_number("neither settled nor replied to by the last day")
    types = said_list(LedgerProblemType, "auditors' findings say no type: other")
    findings = said_list(fields.Integer(), "GET findings/{id}")
    screening_findings = said_list(fields.Integer(), "of screenings: GET screenings")


class Ledger(schemas.Said):
    unit = said_text()
    unit_name = said_text()
    from_ = fields.String(required=True, data_key="from", attribute="from")
    to = said_text()
    numbers = said_list(LedgerNumber)
    start = fields.Nested(LedgerBoth, required=True)
    end = fields.Nested(LedgerBoth, required=True)
    corrections = said_list(LedgerCorrection)
    checks = said_list(LedgerCheck)
    units = said_list(LedgerUnit, "the units below")
    violations = fields.Nested(LedgerViolations, required=True)
    problems = fields.Nested(LedgerProblems, required=True)


class LedgerPerson(schemas.Said):
    person_id = said_number()
    name = said_text("masked")
    id_no = said_text("masked", none=True)
    household_id = said_number()
    household_no = said_text()
    community = said_text("where the household lived on the day")
    day = said_text("of the decision, or on which the re-check was complete")
    case_no = said_text(none=True)
    benefit = said_text(none=True)
    benefit_id = said_number(none=True)
    exit_class = said_text("voluntary | cleared | reported | other", none=True)
    record_id = said_number(none=True)
    entry = said_number("number of the entry in that record", none=True)


@operation(blp, "GET", "/ledger", Ledger, asks=LedgerQuery, replies=(404,))
def show(asked: dict[str, Any]) -> Any:
    """L1 to L4 with their parts, L5 (`violations`) and L6 (`problems`), the state at both ends, corrections and check sums, and the same numbers of the units below."""
    made, today = bureau(), bureau().office.today()
    with made.office.snapshot() as conn:
        return ledger.told(conn, ledger.asked(conn, me(), asked.get("unit"), asked.get("from"), asked.get("to"), today), today)


@operation(blp, "GET", "/ledger/<number:number>", schemas.paged(LedgerPerson), asks=LedgerListQuery, replies=(404,))
def persons(number: str, asked: dict[str, Any]) -> Any:
    """Who is counted in a number, in the order of the days, each with the case and the entry that says so. Names and IDs are masked."""
    made, today = bureau(), bureau().office.today()
    with made.office.snapshot() as conn:
        wanted = ledger.asked(conn, me(), asked.get("unit"), asked.get("from"), asked.get("to"), today)
        found = ledger.persons_of(conn, made.office.keys.on(conn), wanted, today, number, page=asked["page"], size=asked["size"])
    return schemas.listed(list(found.items), found.total, found.page, found.size)
