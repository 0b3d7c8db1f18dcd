"""The shape of an assessment's facts, as POST /api/v1/assessments takes it; `eligibility.assess` judges the content.

Unknown names and wrong types are refused (marshmallow.ValidationError); what comes out is the dict for `assess`.
"""

from __future__ import annotations

from typing import Any

from marshmallow import RAISE, Schema, fields

from processes import eligibility_facts as e
from processes.programmes import PROGRAMMES


def _text(example: str | None = None, choices: Any = (), *, required: bool = False) -> fields.String:
    """Text; choices are only told (JSON Schema `enum`): `assess` checks them, with Chinese words."""
    metadata = ({"example": example} if example else {}) | ({"enum": list(choices)} if choices else {})
    return fields.String(required=required, allow_none=not required, metadata=metadata)


def _flag() -> fields.Boolean:
    return fields.Boolean(truthy={True}, falsy={False}, allow_none=True)


def _whole(**metadata: Any) -> fields.Integer:
    return fields.Integer(strict=True, allow_none=True, metadata=metadata)


class Strict(Schema):
    class Meta:
        unknown = RAISE


class IncomeIn(Strict):
    """One figure of income. month "2018-11" or year 2017 say when; without them it is a figure per period."""

    kind = _text("wage_income", [*e.COUNTED, *e.EXCLUDED], required=True)
    amount = _text("2100.00", required=True)
    period = _text("month", ("month", "year"))
    month = _text("2018-11")
    year = _whole(example=2017)


class MemberIn(Strict):
    ref = _text("1", required=True)
    name = _text()
    relation = _text("head", e.RELATIONS)
    birth_date = _text("1980-06-15")
    sex = _text("male", e.SEXES)
    labour_ability = _text("full", e.ABILITIES)
    employment = _text("employed", e.EMPLOYMENTS)
    disability_kind = _text("vision", e.DISABILITIES)
    disability_grade = _whole(minimum=1, maximum=4)
    serious_illness = _text("恶性肿瘤")
    serious_outpatient_illness = _flag()
    full_time_student = _flag()
    excluded_reason = _text("prison", e.LEAVES_OUT)
    income = fields.List(fields.Nested(IncomeIn), load_default=list)


class PropertyIn(Strict):
    kind = _text("monetary_assets", e.PROPERTY, required=True)
    amount = _text("5000.00")
    functional_vehicle = _flag()
    owner = _text("1")


class AssessmentIn(Strict):
    """Of staff: a month and a day are named."""

    benefit_month = _text("2018-12", required=True)
    applied_on = _text("2018-12-03", required=True)
    hukou_kind = _text("urban", ("urban", "rural"), required=True)
    members = fields.List(fields.Nested(MemberIn), required=True)
    property = fields.List(fields.Nested(PropertyIn), load_default=list)
    hardships = fields.List(_text("disabled_member", e.HARDSHIPS, required=True), load_default=list)
    childless = _flag()


class OpenAssessmentIn(AssessmentIn):
    """Of anybody: month and day are those of today where they are left out; `programmes.assess` judges the content."""

    benefit_month = _text("2018-12")
    applied_on = _text("2018-12-03")
    programmes = fields.List(_text("dibao", PROGRAMMES, required=True), load_default=list)
    community = _text("120116001016")
    medical_self_paid = _text("30000.00")
