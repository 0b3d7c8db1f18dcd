"""Changed self-care of who is supported as destitute (domain 2.4.7, S24): told at the street, assessed again by the district within ten
working days, confirmed by another person, kept with the benefit. The amount is the standard as before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from importlib import resources
from pathlib import Path
from typing import Any, ClassVar

from marshmallow import ValidationError, validates_schema

from engine.errors import Invalid, Refused
from engine.forms import Form, choice, number, on_date, text
from engine.given import gives
from engine.model import Data
from engine.office import Act
from engine.process import CaseRef
from processes import benefits, conclusions, destitute_2016, documents, households
from processes.destitute_2016 import DESTITUTE_2016
from processes.destitute_forms import SelfCareAssessment
from processes.dibao_2012_forms import OLDEST_APPLICATION, Step, opinion

KEY = "self-care"
STARTERS = frozenset({"window_clerk", "civil_affairs_officer"})
STARTED = ("household_id", "street", "community", "near_relative", "supported_person_id", "self_care_before")


class SelfCareReport(Form):
    benefit_id = number("待遇", "Benefit", fact=True)
    reported_on = on_date("报告日期", "Reported on", fact=True)
    reported_by = choice("报告人", "Reported by", [
        ("self", "本人", "Himself"), ("family", "亲属", "Family"), ("caretaker", "照料服务人", "Caretaker"), ("institution", "供养服务机构", "Institution"),
        ("village_committee", "居村委会", "Committee")], widget="select")  # fmt: skip
    details = text("变化情况", "What changed", widget="textarea")

    @validates_schema(skip_on_field_errors=False)
    def _recent(self, data: Mapping[str, Any], **_: Any) -> None:
        today, told = self.context_value("today"), data.get("reported_on")
        if today and told and told < today - timedelta(days=OLDEST_APPLICATION):
            raise ValidationError({"reported_on": [self.say("报告日期已超过一年，请核对", "More than a year ago: please check the date")]})


class Reassessment(SelfCareAssessment):
    AFTER: ClassVar[Mapping[str, str]] = {"assessed_on": "reported_on"}


class ConfirmSelfCare(Form):
    confirmation = choice("审核结果", "Result", [("agree", "同意评估结果", "Agree"), ("return", "退回重新评估", "Assess again")], fact=True)
    opinion = opinion()


class TellResult(Step):
    told_on = on_date("告知日期", "Told on")
    recipient = text("被告知人", "Who was told", max=60)
    note = text("说明", "Note", required=False, widget="textarea")


@gives(*STARTED)
def begin(act: Act, facts: Data) -> Data:
    found = benefits.row(act.conn, facts["benefit_id"])
    place = _place(act, found["household_id"])
    if found["status"] not in benefits.LIVE or not benefits.is_destitute(found["category"]):
        raise Refused("no-benefit", "这不是在享的特困人员救助供养", "This is no running support of a destitute person")
    if no := conclusions.open_case(act.conn, found["household_id"]):
        raise Refused("open_case", f"这户已有在办个案 {no}，请待其办结后再登记", f"This household has an open case: {no}")
    person = found["person_id"] or _only(act, found["household_id"])
    return {**place, "household_id": found["household_id"], "supported_person_id": person, "self_care_before": found["self_care"]}


def _place(act: Act, household_id: int) -> dict[str, Any]:
    house = households.row(act.conn, household_id)
    window = act.actor.post_over(house["community"], STARTERS)
    if window is None:
        raise Refused("unit", "没有这户家庭，或不在您的辖区", "No such household in your area")
    act.through(window)
    act.open("household", household_id)
    return {"street": house["street"], "community": house["community"], "near_relative": households.near_relative_known(act.conn, household_id)}


def _only(act: Act, household_id: int) -> int:
    """Of a benefit that was brought in with a list: the one member, or nobody knows whose it is."""
    members = households.counted_members(act.conn, household_id, act.today)
    if len(members) != 1:
        raise Refused("whose", "这项待遇没有登记是哪一名成员的特困供养，请先在复审中核实", "It is not on file whose support this is: find out in a review first")
    return members[0][0]


@gives("recorded_on")
def record_self_care(today: date) -> Data:
    return {"recorded_on": today.isoformat()}


def vet(act: Act, _node: str, form: Form, answers: Data, facts: Data, _acts: Sequence[Any]) -> None:
    if wrong := documents.foreign(act.conn, form, answers, facts["household_id"]):
        raise Invalid(wrong)


def _on_record(act: Act, case: CaseRef, _answers: Data, facts: Data) -> None:
    benefits.assessed(act, facts["benefit_id"], facts["self_care"], case.no)


SELF_CARE = replace(
    DESTITUTE_2016,
    key=KEY,
    title="特困人员生活自理能力变化",
    title_en="Changed self-care of a destitute person",
    prefix="ZL",
    bpmn=Path(str(resources.files("processes") / "bpmn" / "self-care.bpmn")),
    start_form=SelfCareReport,
    starters=STARTERS,
    forms={"self_care_assessment": Reassessment, "confirm_self_care": ConfirmSelfCare, "tell_result": TellResult},
    messages={},
    senders={},
    services={"record_self_care": record_self_care},
    gather={},
    vet=vet,
    before={},
    effects={"self_care_assessment": destitute_2016.on_self_care, "record_self_care": _on_record},
    begin=begin,
    moves=lambda _node, _facts, _today: None,
)
