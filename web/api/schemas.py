"""Shapes of the API's bodies, for validation of what is not a form and for OpenAPI."""

from __future__ import annotations

from typing import Any

from marshmallow import RAISE, Schema, fields


class Strict(Schema):
    class Meta:
        unknown = RAISE


class Problem(Schema):
    code = fields.Integer()
    status = fields.String()
    message = fields.String()
    errors = fields.Dict(keys=fields.String(), values=fields.List(fields.String()))
    rule = fields.String()


class Told(Schema):
    case = fields.String(metadata={"example": "DB-2018-000123"})
    seq = fields.Integer()
    opened = fields.List(fields.String(), metadata={"example": ["home_survey.1"]})
    outcome = fields.String()
    task = fields.Integer()
    assignee = fields.String(allow_none=True)
    etag = fields.String()


class StartCase(Strict):
    process = fields.String(required=True, metadata={"example": "dibao-2012"})
    answers = fields.Dict(required=True, metadata={"description": "the start form, see GET processes"})


class Complete(Strict):
    answers = fields.Dict(required=True, metadata={"description": "the task's form, see GET tasks/{id}"})


class Reason(Strict):
    reason = fields.String(required=True)


class HandOver(Strict):
    to = fields.String(required=True)
    reason = fields.String(load_default="")


class Return(Strict):
    to = fields.String(required=True)
    answers = fields.Dict(load_default=dict)


class IncomeFact(Strict):
    kind = fields.String(required=True)
    amount = fields.String(required=True, metadata={"example": "2100.00"})
    period = fields.String(load_default=None, allow_none=True)
    month = fields.String(load_default=None, allow_none=True)
    year = fields.Integer(load_default=None, allow_none=True)


class MemberFact(Strict):
    ref = fields.String(required=True)
    relation = fields.String(load_default=None, allow_none=True)
    birth_date = fields.String(load_default=None, allow_none=True)
    sex = fields.String(load_default=None, allow_none=True)
    labour_ability = fields.String(load_default="full")
    employment = fields.String(load_default="none")
    disability_kind = fields.String(load_default=None, allow_none=True)
    disability_grade = fields.Integer(load_default=None, allow_none=True)
    serious_illness = fields.String(load_default=None, allow_none=True)
    serious_outpatient_illness = fields.Boolean(load_default=False)
    full_time_student = fields.Boolean(load_default=False)
    excluded_reason = fields.String(load_default=None, allow_none=True)
    income = fields.List(fields.Nested(IncomeFact), load_default=list)


class PropertyFact(Strict):
    kind = fields.String(required=True)
    amount = fields.String(load_default=None, allow_none=True)
    functional_vehicle = fields.Boolean(load_default=False)
    owner = fields.String(load_default=None, allow_none=True)


class AssessmentIn(Strict):
    benefit_month = fields.String(required=True, metadata={"example": "2018-12"})
    applied_on = fields.String(required=True, metadata={"example": "2018-12-03"})
    hukou_kind = fields.String(required=True, metadata={"enum": ["urban", "rural"]})
    members = fields.List(fields.Nested(MemberFact), required=True)
    property = fields.List(fields.Nested(PropertyFact), load_default=list)
    hardships = fields.List(fields.String(), load_default=list)
    childless = fields.Boolean(load_default=False)


class Reveal(Strict):
    field = fields.String(required=True)
    person_id = fields.Integer(load_default=None, allow_none=True)
    reason = fields.String(required=True)


class AnyObject(Schema):
    """A JSON object that the view has already made; documented in docs/api.md."""

    def dump(self, obj: Any, *, many: bool | None = None) -> Any:
        return obj
