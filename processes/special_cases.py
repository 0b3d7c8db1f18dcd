"""A special case on its way to the joint meeting and back (domain 4): the request, and the resolution as a message to the case.

Every process whose drawing leads to the meeting shares these: fields of the form that asks for it, the row of the request,
the message that brings the resolution. The meeting itself is a process of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from marshmallow import ValidationError, validates_schema
from sqlalchemy import Connection, bindparam, select

from engine.errors import Refused
from engine.forms import Form, choice, money, number, on_date, text, yes_no
from engine.given import gives
from engine.model import Data, Put
from engine.office import Act, Kept
from engine.prepared import Prepared
from engine.process import CaseRef, Effect
from processes import dmn, law
from processes.benefit_tables import special_case_request
from processes.calendar import add_workdays
from processes.meeting_tables import agenda_item

TRIGGERS = [
    ("income_slightly_over", "收入略超、刚性支出重", "Income slightly over, heavy expenses"),
    ("property_technical", "财产形式超标、实际困难", "Property blocks though really poor"),
    ("obligor_refuses", "赡养抚养扶养人有能力不履行", "Legal supporter does not pay"),
    ("hukou_residence_conflict", "人户分离、成员有争议", "Hukou and residence conflict"),
    ("data_conflict", "核对与实际不符无法认定", "Data conflict"),
    ("hardship_other_six", "低收入其他特殊困难认定", "Other special hardship"),
    ("temp_over_limit", "临时救助超限额", "Temporary assistance over the limit"),
    ("policy_gap", "现行政策未覆盖", "No programme fits"),
    ("multi_department", "需多部门共同救助", "Several departments needed"),
    ("still_in_hardship", "救助后仍存在突出困难", "Hardship remains after assistance"),
    ("contested", "多次异议、信访或舆情", "Contested"),
]
RESOLUTIONS = [
    ("approve_as", "同意纳入", "Approve as"),
    ("refuse", "不同意", "Refuse"),
    ("return_for_investigation", "补充调查", "Investigate more"),
    ("refer", "转介其他部门或慈善", "Refer"),
    ("defer", "暂缓", "Defer"),
]
ONCE = "temporary_assistance"  # approved for a case of that process alone, with a sum that is given once
APPROVED = [("dibao", "最低生活保障", "Dibao"), ("low_income", "低收入家庭救助", "Low income"), (ONCE, "临时救助（一次性）", "Temporary assistance (once)")]
EXPENDITURE = ("illness_expenditure", "支出型困难家庭", "Family in hardship for its expenses")  # a recognition and no benefit
APPROVED_ALL = [*APPROVED, EXPENDITURE]
ASKED = ("meeting_from", "meeting_requested_on", "resolution")  # facts of a case on its way to the meeting
_OPEN = select(special_case_request).where(
    special_case_request.c.case_no == bindparam("the_case"), special_case_request.c.status == "submitted"
)
_OUTCOMES = ("street_outcome", "district_outcome", "conclusion")


NEEDED = dict.fromkeys(("trigger", "special_facts", "wish"), ("提交联席会议时必填", "needed for the joint meeting"))
NEEDED_TO_APPROVE = dict.fromkeys(("approved_category", "approved_amount"), ("同意纳入时必填", "needed to approve"))


def asking_fields() -> dict[str, Any]:
    """Fields of a form with the outcome "joint_meeting"."""
    return {
        "trigger": choice("提交事由", "Trigger", TRIGGERS, required=False, widget="select"),
        "special_facts": text("特殊情况", "Facts", required=False, widget="textarea"),
        "wish": text("建议", "Wish", required=False, widget="textarea"),
    }


def asked(form: Form, outcome: str, origin: str, trigger: str | None) -> dict[str, Any]:
    """The facts of ASKED that a form with this outcome gives; `origin`: street | district, where the case goes on."""
    if outcome != "joint_meeting":
        return {}
    admitted(form, trigger)  # the entry says by which table; the drawing, or the form, lets nobody come here uninvestigated
    return {"meeting_from": origin, "meeting_requested_on": form.context_value("today").isoformat(), "resolution": None}


def admitted(form: Form, trigger: str | None) -> bool:
    """Whether the case may go to the meeting for this reason (`dmn/meeting-trigger.dmn`): none does that nobody has investigated."""
    surveyed = bool(form.fact("survey_ended_on") or form.fact("investigated"))
    found: bool = dmn.decide("meeting-trigger", trigger=trigger or TRIGGERS[0][0], surveyed=surveyed)["admitted"]
    return found


def requests(process: str) -> Effect:
    """The effect of a task that may ask for the meeting: the request stands in the case's own record."""

    def effect(act: Act, case: CaseRef, answers: Data, facts: Data) -> list[Put]:
        if "joint_meeting" not in [answers.get(name) for name in _OUTCOMES]:
            return []
        ordinary_category, ordinary_fen = _ordinary(act, case.no, facts)
        values = {
            "case_no": case.no, "process": process, "household_id": facts["household_id"], "street": facts["street"],
            "trigger_code": answers["trigger"], "origin": facts["meeting_from"], "facts": answers["special_facts"], "wish": answers["wish"],
            "ordinary_category": ordinary_category, "ordinary_fen": ordinary_fen, "submitted_by": act.actor.id,
            "submitted_on": act.today.isoformat(), "due_on": last_day(act.today, act.office.published).isoformat(), "status": "submitted",
        }  # fmt: skip
        return [Put("special_case_request", case.next_id(), values, f"household:{facts['household_id']}")]

    return effect


def _ordinary(act: Act, case_no: str, facts: Data) -> tuple[str | None, int | None]:
    """(category, fen a month) by the arithmetic alone. A case that comes a second time bears what the meeting approved the first time
    until it is investigated anew: taken for the ordinary result, an amount that was fixed would count for ever."""
    borne = facts.get("category"), facts.get("amount_fen")
    found = act.conn.execute(
        select(special_case_request.c.ordinary_category, special_case_request.c.ordinary_fen, agenda_item.c.approved_category, agenda_item.c.approved_fen)
        .join(agenda_item, agenda_item.c.request_id == special_case_request.c.id)
        .where(special_case_request.c.case_no == case_no, agenda_item.c.resolution == "approve_as").order_by(special_case_request.c.id.desc())).first()  # fmt: skip
    return (found[0], found[1]) if found is not None and borne == (found[2], found[3]) else borne


def last_day(submitted: date, published: int | None) -> date:
    """By when a meeting should have decided on a request of this day."""
    return add_workdays(submitted, int(law.value("meeting_workdays", submitted).amount), published)


def resolved(act: Act, case: CaseRef, answers: Data, _facts: Data) -> list[Put]:
    """The effect of the message "resolution"."""
    values = {"status": "decided", "resolution": answers["resolution"], "decided_on": act.today.isoformat(), "meeting_no": answers.get("meeting_no"),
              "review_on": answers.get("review_on"), "fixed_amount": answers.get("fixed_until") is not None,
              "fixed_until": answers.get("fixed_until")}  # fmt: skip
    return [
        Put("special_case_request", found["id"], values) for found in act.conn.execute(_OPEN, {"the_case": case.no}).mappings()
    ]


def lapsed(act: Act, case: CaseRef, _answers: Data, _facts: Data) -> list[Put]:
    """The effect of an end at which nobody waits for the meeting any more."""
    return [
        Put("special_case_request", found["id"], {"status": "lapsed"})
        for found in act.conn.execute(_OPEN, {"the_case": case.no}).mappings()
    ]


_DECIDED = Prepared(
    select(special_case_request.c.review_on, special_case_request.c.fixed_until)
    .where(special_case_request.c.case_no == bindparam("the_no"), special_case_request.c.status == "decided").order_by(special_case_request.c.id.desc()))  # fmt: skip


def look_again(conn: Connection, case_no: str | None) -> date | None:
    """When what the meeting resolved for a case is to be looked at again: on the day that it set, and in the last month of an amount
    that it fixed, so that another one counts from the month after (domain 4.5). None: it set nothing, or there was no meeting."""
    found = _DECIDED.row(conn, {"the_no": case_no}) if case_no else None
    days = [found["review_on"], found["fixed_until"] and f"{found['fixed_until']}-01"] if found else []
    return min((date.fromisoformat(day) for day in days if day), default=None)


def refuse_outlived(act: Act, case_no: str, first: str) -> None:
    """Raises Refused when the amount that the meeting fixed for a case ends before `first`, the month ("2019-02") from which it would be
    paid: nothing says what the household is given then, so the meeting looks at it again."""
    found = _DECIDED.row(act.conn, {"the_no": case_no})
    if found is not None and found["fixed_until"] and found["fixed_until"] < first:
        raise Refused(
            "resolution-outlived", f"联席会议确定的金额只执行至{found['fixed_until']}，现在批准要从{first}起发放：请退回，再提交联席会议研究",
            f"The amount that the joint meeting fixed ends in {found['fixed_until']}, and would be paid from {first}: return the case for another meeting")  # fmt: skip


def refuse_overruled(act: Act, case_no: str, facts: Data) -> None:
    """Raises Refused when a later meeting did not approve what an earlier one had, and the case still bears the earlier amount."""
    if facts.get("resolution") in ("refuse", "refer") and _ordinary(act, case_no, facts) != (facts.get("category"), facts.get("amount_fen")):
        raise Refused("resolution-overruled", "联席会议再次研究后没有同意原来的决议，原定金额不再适用：请退回重新调查测算",
                      "Another meeting did not approve it again, and the earlier amount counts no more: return the case for a new survey")  # fmt: skip


def told(act: Act, case_id: int, facts: Data) -> Data:
    """For the household's letter: conditions, day and last month of the resolution by which its case went on. The words are personal
    and no facts, so they are read from the entry of the message."""
    if facts.get("resolution") != "approve_as":
        return {}
    kept = Kept(act.conn, act.keys, case_id)
    for place, entry in reversed(list(enumerate(kept.closed))):
        if entry.event == "message_received" and entry.data["message"] == "resolution":
            part = kept.entry(place).personal.get(f"household:{facts['household_id']}") or {}
            said = part.get("said", {}).get("answers", {})
            return {"conditions": said.get("conditions"), "fixed_until": said.get("fixed_until"), "look_again_on": said.get("review_on")}
    return {}


def is_month(said: str) -> bool:
    """Like 2019-06."""
    try:
        return len(said) == 7 and bool(date.fromisoformat(f"{said}-01"))
    except ValueError:
        return False


def refuse_incomplete_approval(form: Form, data: Mapping[str, Any]) -> None:
    """A resolution that approves says as what, and how much a month. Raises ValidationError at the fields."""
    if data.get("resolution") != "approve_as":
        return
    said = form.say("同意纳入时必须填写", "Needed to approve")
    wrong = {n: [said] for n in ("approved_category", "approved_amount") if data.get(n) is None}
    if data.get("approved_category") == "dibao" and data.get("approved_amount") == 0:
        wrong["approved_amount"] = [form.say("最低生活保障金额应大于零", "The amount must be above zero")]
    if wrong:
        raise ValidationError(wrong)


class Resolution(Form):
    """What the joint meeting tells the case. approve_as: the category and the amount a month, which the arithmetic gave for the
    category; where the meeting fixed it, `fixed_until` says its last month (domain 4.5)."""

    NEEDED = NEEDED_TO_APPROVE
    resolution = choice("决议", "Resolution", RESOLUTIONS, fact=True)
    approved_category = choice("纳入类别", "Category", APPROVED_ALL, required=False)
    approved_amount = money("每月金额", "Amount per month", required=False)
    fixed_until = text("固定金额执行至（月份）", "Fixed amount until (month)", required=False, max=7)
    conditions = text("条件", "Conditions", required=False, widget="textarea")
    reasons = text("理由", "Reasons", widget="textarea")
    referred_to = text("转介单位", "Referred to", required=False, max=200)
    review_on = on_date("复议日期", "Look again on", required=False, not_future=False)
    meeting_no = text("会议编号", "Meeting", max=40)
    item = number("议题序号", "Item")
    by_vote = yes_no("表决作出", "By vote", required=False)

    @validates_schema(skip_on_field_errors=False)
    def _complete(self, data: Mapping[str, Any], **_: Any) -> None:
        refuse_incomplete_approval(self, data)

    @gives("category", "amount_fen", "resolved_on")
    def extra_facts(self, loaded: Mapping[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = {"resolved_on": self.context_value("today").isoformat()}
        if loaded["resolution"] == "approve_as":
            found |= {"category": loaded["approved_category"], "amount_fen": loaded["approved_amount"]}
        return found
