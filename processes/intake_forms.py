"""What is asked at the one window: of who comes, of a transfer, and of its result (domain 1.4)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, ClassVar

from marshmallow import ValidationError, validates_schema

from engine.forms import Form, choice, number, on_date, several, text
from processes.household_number import household
from processes.routing import CHOICES, PROGRAMMES

UNKNOWN = "unknown"
CHANNELS = [
    ("window", "窗口", "At the window"), ("phone", "电话", "By phone"), ("visit", "上门", "At home"), ("committee", "居村委会代交", "Handed in by the committee"), ("letter", "来信", "By letter"),
]  # fmt: skip
REQUESTERS = [
    ("self", "本人（家庭成员）", "The person (or a member of the household)"), ("family", "亲属", "A relative"), ("neighbour", "邻居", "A neighbour"),
    ("committee", "居村委会", "The committee"), ("staff", "工作人员", "Staff"), ("other", "其他人", "Somebody else"),
]  # fmt: skip
ASKED = [*((code, zh, en) for code, (zh, en) in PROGRAMMES.items()), (UNKNOWN, "不清楚，请窗口判断", "Does not know: the window finds out")]
RESULTS = [
    ("granted", "予以救助", "Granted"), ("refused", "不予救助", "Refused"), ("handled", "已办理", "Dealt with"), ("advised", "已答复指引", "Answered and shown the way"),
    ("no_need", "不符合或无需救助", "Does not fit, or needs nothing"), ("withdrawn", "申请人撤回", "Withdrawn"),
]  # fmt: skip
OF_DEPARTMENTS = [one for one in RESULTS if one[0] in ("granted", "refused", "handled", "advised")]
OF_THE_WINDOW = [one for one in RESULTS if one[0] in ("handled", "advised", "no_need", "withdrawn")]
OLDEST = 31  # days; what was received earlier is a typing error


def programmes_field() -> Any:
    return several("申请事项", "Asked for", ASKED, required=True)


class IntakeIn(Form):
    """一门受理登记: one form for every programme, and for who does not know which."""

    NEEDED: ClassVar[Mapping[str, tuple[str, str]]] = {
        "community": ("没有登记家庭的必填", "needed without a registered household"), "known_as": ("没有登记家庭的必填", "needed without a registered household"),
        "requester_name": ("不是本人提出的必填", "needed when it is not the person")}  # fmt: skip
    household_id = household("家庭（已登记的）", "Household, if registered", required=False)
    community = text("所在居村", "Community", required=False, max=20)
    known_as = text("困难人员姓名", "Who needs help", required=False, max=60)
    requester = choice("提出人", "Who asks", REQUESTERS, widget="select")
    requester_name = text("提出人姓名", "Name of who asks", required=False, max=60)
    phone = text("联系电话", "Phone", required=False, max=30)
    channel = choice("受理渠道", "Channel", CHANNELS, widget="select")
    received_on = on_date("收到日期", "Received on")
    programmes = programmes_field()
    need = text("困难和请求", "Hardship and request", max=1000, widget="textarea")
    lead_id = number("来自线索", "From the lead", required=False)

    @validates_schema(skip_on_field_errors=False)
    def _whole(self, data: Mapping[str, Any], **_: Any) -> None:
        wrong: dict[str, list[str]] = {}
        if data.get("household_id") is None:
            wrong |= {name: [self.say("没有登记家庭的必填", "Needed without a registered household")] for name in ("community", "known_as") if not data.get(name)}
        else:
            wrong |= {name: [self.say("已选择登记的家庭，不填", "Left out for a registered household")] for name in ("community", "known_as") if data.get(name)}
        if data.get("requester") not in (None, "self") and not data.get("requester_name"):
            wrong["requester_name"] = [self.say("不是本人提出的，请填写提出人姓名", "Name who asks for him")]
        received, today = data.get("received_on"), self.context_value("today")
        if received and today and received < today - timedelta(days=OLDEST):
            wrong["received_on"] = [self.say(f"早于 {OLDEST} 天前，请核对", f"More than {OLDEST} days ago: please check the date")]
        wrong |= _twice(self, data)
        if wrong:
            raise ValidationError(wrong)


def _twice(form: Form, data: Mapping[str, Any]) -> dict[str, list[str]]:
    asked = data.get("programmes") or []
    return {"programmes": [form.say("同一事项只选一次", "Each programme once")]} if len(set(map(str, asked))) != len(asked) else {}


class MoreProgrammes(Form):
    """What fits, for who did not know; or what he asks for besides."""

    programmes = several("申请事项", "Asked for", ASKED[:-1], required=True)

    @validates_schema(skip_on_field_errors=False)
    def _once(self, data: Mapping[str, Any], **_: Any) -> None:
        if wrong := _twice(self, data):
            raise ValidationError(wrong)


class TransferOut(Form):
    """转办: to another department than the table names, or after one returned it."""

    to_unit = choice("转往部门", "To the department", CHOICES, widget="select")
    note = text("转办说明", "Note", required=False, max=500, widget="textarea")


class CharityReferral(Form):
    """转介慈善: what no programme covers."""

    to_name = text("慈善组织", "Charity", max=100)
    note = text("转介说明", "Note", max=500, widget="textarea")


class ToMeeting(Form):
    """提请联席会议: nothing fits, one matter by itself."""

    note = text("提请理由", "Why", max=500, widget="textarea")


class TransferTaken(Form):
    """接办."""

    promised_on = on_date("承诺办结日期", "To be answered by", not_future=False)

    @validates_schema(skip_on_field_errors=False)
    def _ahead(self, data: Mapping[str, Any], **_: Any) -> None:
        day, today = data.get("promised_on"), self.context_value("today")
        if day and today and not today <= day <= today + timedelta(days=366):
            raise ValidationError({"promised_on": [self.say("应在今天之后一年之内", "From today, within a year")]})


class TransferReturned(Form):
    """不属于本部门职责，退回窗口."""

    NEEDED: ClassVar[Mapping[str, tuple[str, str]]] = {"next_address": ("没有建议部门的必填", "needed without a department")}
    reason = text("退回理由", "Why it is returned", max=500, widget="textarea")
    next_unit = choice("建议转往部门", "Department that is competent", CHOICES, required=False, widget="select")
    next_address = text("申请人可以去哪里办理", "Where he may turn", required=False, max=200)

    @validates_schema(skip_on_field_errors=False)
    def _somewhere(self, data: Mapping[str, Any], **_: Any) -> None:
        if not data.get("next_unit") and not data.get("next_address"):
            raise ValidationError({"next_address": [self.say("请写明应由哪个部门办理或申请人可以去哪里办理", "Say which department is competent, or where he may turn")]})


class TransferResult(Form):
    """办理结果反馈."""

    result = choice("办理结果", "Result", OF_DEPARTMENTS)
    result_text = text("结果说明", "What was done", max=1000, widget="textarea")
    meeting_no = text("会议编号", "Number of the meeting", required=False, max=40, hint="仅由联席会议反馈时填写", hint_en="Of the joint meeting alone")


class WindowResult(Form):
    """窗口办结: answered on the spot, fed back by the charity, or withdrawn."""

    result = choice("办理结果", "Result", OF_THE_WINDOW)
    result_text = text("结果说明", "What was done", max=1000, widget="textarea")


class CaseLink(Form):
    """An application that was begun already."""

    case_no = text("个案编号", "Number of the case", max=40)


class IntakeHandedOver(Form):
    """首问负责人离岗，移交."""

    to_login = text("接手的窗口人员登录名", "Login of who takes over", max=60)
    reason = text("移交理由", "Why", max=300)
