"""API: families in hardship for their expenses: what a case declared and checked, and who is recognised."""

from __future__ import annotations

from typing import Any

from flask_smorest import Blueprint
from marshmallow import fields, validate

from engine.errors import Refused
from engine.forms import Whole
from processes import illness_expenditure, readers, recognitions
from web.api import schemas
from web.api.desk import me
from web.api.operation import operation
from web.api.schemas import _b, _n, _s
from web.cases import visible
from web.desk import READERS, bureau, roles_for

blp = Blueprint("api_expenditure", __name__, url_prefix="/api/v1", description="Hardship for expenses")


_DAY = validate.Regexp(r"[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])\Z", error="日期写成 2018-12-03")


class ExpenseRow(schemas.Said):
    position = _n("by which the task that checks it names it")
    person_id = _n()
    kind = _s("medical | education | rehabilitation | recovery | house | car | other")
    amount_fen = _n("as declared")
    paid_on = _s()
    institution = _s()
    document_id = _n()
    checked = _b()
    compliant = fields.Boolean(required=True, allow_none=True)
    checked_fen = _n("as checked", none=True)
    note = _s(none=True)
    checked_by = _s(none=True)
    checked_on = _s(none=True)


class RecognitionQuery(schemas.Paging):
    unit = schemas.text("code of a unit that yours covers: it and those below it", most=20, example="120116011")
    kind = schemas.one_of(*recognitions.KINDS)
    household_id = Whole(metadata={"description": "recognitions of this household"})
    on = schemas.text("only those that are valid on this day", most=10, example="2025-03-03", also=[_DAY])


class RecognitionRow(schemas.Said):
    id = _n()
    household_id = _n()
    household_no = _s()
    applicant = _s()
    case_no = _s()
    street = _s()
    community = _s()
    kind = _s("illness_expenditure | rigid_expenditure")
    members = _n()
    recognised_on = _s()
    valid_until = _s("its last day")
    help_kind = _s("status | one_off | referral")
    help_fen = _n("one-off, for the household")
    referral = _s("temporary_assistance | medical_assistance | education_assistance | charity | other", none=True)
    by_meeting = _b()
    law_version = _s()


_ROW = tuple(RecognitionRow._declared_fields)


@operation(blp, "GET", "/cases/<no:no>/expenses", schemas.paged(ExpenseRow), asks=schemas.Paging, replies=(403, 404))
def expenses(no: str, asked: dict[str, Any]) -> Any:
    """What the household declared that it spent, item by item, and what was found of each; for those who work on the case."""
    made = bureau()
    with made.office.read() as conn:
        if roles_for(me(), visible(conn, me(), no)["unit"]) <= READERS:
            raise Refused("casework", "您的岗位只能查看，不能看家庭的支出票据", "Your post does not see a household's receipts")
        return schemas.cut(illness_expenditure.items(conn, made.office.keys.on(conn), no), asked["page"], asked["size"])


@operation(blp, "GET", "/recognitions", schemas.paged(RecognitionRow), asks=RecognitionQuery, replies=(403,))
def listing(asked: dict[str, Any]) -> Any:
    """Families recognised in hardship for their expenses, of your posts' units and those below them, the newest first."""
    unit = asked.get("unit")
    if unit and not readers.of_benefits(me()).covers(unit):
        raise Refused("unit", "这个机构不在您的辖区", "This unit is outside your area")
    with bureau().office.read() as conn:
        found = recognitions.search(conn, unit or readers.of_benefits(me()).areas, kind=asked.get("kind"), household_id=asked.get("household_id"),
                                    on=asked.get("on"), page=asked["page"], size=asked["size"])  # fmt: skip
    return schemas.listed([{name: row[name] for name in _ROW} for row in found.items], found.total, found.page, found.size)
