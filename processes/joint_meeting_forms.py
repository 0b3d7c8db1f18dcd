"""What each task of the joint meeting asks for (domain 4.4). Positions of agenda items and codes of units are facts; words are not."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, ClassVar

from marshmallow import ValidationError, validates_schema

from engine.forms import Form, Several, Whole, choice, money, number, on_date, rows, several, text, yes_no
from engine.given import gives
from processes import law, meeting_units, special_cases

KINDS = [("regular", "例会", "Regular meeting"), ("ad_hoc", "临时会议", "Extra meeting"), ("case", "个案研究", "On single cases")]
SENT_BACK = [
    ("no_application", "没有申请", "No application"),
    ("no_investigation", "未经调查", "Not investigated"),
    ("ordinary_recheck", "仍在普通复核程序中", "Still in the ordinary re-check"),
    ("pure_favour", "人情请托", "A mere favour"),
    ("file_incomplete", "案卷不完整", "File incomplete"),
    ("other", "其他", "Other"),
]
CHOICES = [("for", "同意", "For"), ("against", "反对", "Against"), ("abstain", "弃权", "Abstain")]
MOTIONS = [one for one in special_cases.RESOLUTIONS if one[0] != "defer"]
ANNOUNCED = [*special_cases.RESOLUTIONS, ("lapsed", "议题失效（个案已撤回或已办结）", "Item lapsed (the case is withdrawn or over)")]
MEASURES = [
    ("temporary_assistance", "临时救助", "Temporary assistance"),
    ("charity", "转介慈善", "Referral to charity"),
    ("medical", "医疗救助", "Medical assistance"),
    ("education", "教育救助", "Education assistance"),
    ("housing", "住房救助", "Housing assistance"),
    ("employment", "就业援助", "Help to find work"),
    ("other_help", "其他帮扶", "Other help"),
]
RECUSALS = [
    ("near_relative", "与家庭成员有近亲属关系", "Near relative of a household member"),
    ("handler_relative", "与经办人员有近亲属关系", "Near relative of the handling clerk"),
    ("handler", "经办过本案", "Handled the case"),
    ("self_declared", "本人申请回避", "Declared by the member"),
]


def _not_past(form: Form, day: date) -> None:
    """A meeting is planned for today or later: members and quorum are those of that day."""
    today = form.context_value("today")
    if today and day < today:
        raise ValidationError({"planned_on": [form.say("开会日期不能早于今天", "Not before today")]})


class Convening(Form):
    NEEDED = {"again_reason": ("个案以前经会议研究过的必填", "needed where a case was studied before")}  # noqa: RUF012
    kind = choice("会议类型", "Kind of meeting", KINDS, fact=True)
    planned_on = on_date("开会日期", "Planned for", fact=True, not_future=False)
    place = text("地点", "Place", max=120)
    units = several("参会成员单位", "Member units invited", meeting_units.CHOICES, hint="不选则为当日全体成员单位",
                    hint_en="All members of that day when none is chosen")  # fmt: skip
    requests = Several(Whole(), required=True, metadata={
        "label": "提交研究的个案", "label_en": "Requests on the agenda", "widget": "checkboxes", "fact": False, "least": 1, "most": 60})  # fmt: skip
    again_reason = text("再次研究的理由", "Why it is studied again", required=False, widget="textarea")

    @validates_schema(skip_on_field_errors=False)
    def _invited(self, data: Mapping[str, Any], **_: Any) -> None:
        units, day = data.get("units") or [], data.get("planned_on")
        if day is None:
            return
        _not_past(self, day)
        if not units:
            return
        wrong: list[str] = []
        members = {one.code for one in meeting_units.members(day)}
        if guests := meeting_units.named(set(units) - members):
            said = "、".join(guests)
            wrong.append(self.say(f"当日还不是成员单位，可以列席：{said}", f"Not a member on that day, it may attend as a guest: {said}"))
        if lacking := meeting_units.named(meeting_units.REQUIRED - set(units)):
            wrong.append(self.say(f"必须通知{'、'.join(lacking)}", "Civil affairs and finance are always invited"))
        least = int(law.value("meeting_members_minimum", day).amount)
        if len(units) < least:
            wrong.append(self.say(f"至少通知 {least} 个成员单位", f"At least {least} member units are invited"))
        if wrong:
            raise ValidationError({"units": wrong})

    @gives("convened_on", "items_listed")
    def extra_facts(self, loaded: Mapping[str, Any]) -> dict[str, Any]:
        listed = list(range(1, len(loaded["requests"]) + 1))
        return {"convened_on": self.context_value("today").isoformat(), "items_listed": listed}


class ScreenRow(Form):
    NEEDED = {"reason_code": ("退回时必选", "needed to send it back")}  # noqa: RUF012
    position = number("议题序号", "Item")
    admitted = yes_no("列入议程", "On the agenda")
    presenter = text("汇报人", "Presenter", required=False, max=60)
    reason_code = choice("退回理由", "Why sent back", SENT_BACK, required=False, widget="select")
    reason = text("说明", "Note", required=False, max=500)


class ScreenAgenda(Form):
    items = rows("逐件初审", "Screening", ScreenRow, required=True, least=1)

    @validates_schema(skip_on_field_errors=False)
    def _each_once(self, data: Mapping[str, Any], **_: Any) -> None:
        items = data.get("items")
        if not isinstance(items, list) or not all(isinstance(row, Mapping) and "position" in row for row in items):
            return
        listed = self.fact("items_listed")
        if listed is not None and sorted(row["position"] for row in items) != listed:
            raise ValidationError({"items": [self.say("每个议题都要初审，且只初审一次", "Every item is screened, and once")]})
        wrong = {str(n): {"reason_code": [self.say("退回时请选择理由", "Choose why it is sent back")]}
                 for n, row in enumerate(items) if row.get("admitted") is False and not row.get("reason_code")}  # fmt: skip
        if wrong:
            raise ValidationError({"items": wrong})

    @gives("items_open", "screened_on")
    def extra_facts(self, loaded: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "items_open": sorted(row["position"] for row in loaded["items"] if row["admitted"]),
            "screened_on": self.context_value("today").isoformat(),
        }


class ApproveAgenda(Form):
    NEEDED = {"opinion": ("退回或不召开时必填", "needed to return it or to call off")}  # noqa: RUF012
    agenda_outcome = choice("审定意见", "Agenda", [
        ("approve", "同意议程", "Approve"), ("return", "退回秘书修改", "Return to the secretary"), ("call_off", "不召开", "Call off")], fact=True)  # fmt: skip
    opinion = text("办理意见", "Opinion", required=False, widget="textarea")

    @validates_schema(skip_on_field_errors=False)
    def _why(self, data: Mapping[str, Any], **_: Any) -> None:
        if data.get("agenda_outcome") in ("return", "call_off") and not data.get("opinion"):
            raise ValidationError({"opinion": [self.say("退回或不召开时请写明理由", "Say why")]})

    @gives("agenda_by")
    def extra_facts(self, loaded: Mapping[str, Any]) -> dict[str, Any]:
        return {"agenda_by": self.context_value("actor").id}


class MemberRow(Form):
    unit = choice("成员单位", "Member unit", meeting_units.CHOICES, widget="select")
    staff = text("参会成员（登录名）", "Member (login)", required=False, max=60, hint="只有一名成员时可以不填", hint_en="May be left out where the unit has one member")
    present = yes_no("是否到会", "Present")


class GuestRow(Form):
    name = text("姓名", "Name", max=60)
    office = text("单位", "Office", max=60)


class OpenMeeting(Form):
    NEEDED: ClassVar[Mapping[str, tuple[str, str]]] = {"held_on": ("开会时必填", "needed to open"), "members": ("开会时必填", "needed to open"), "planned_on": ("改期时必填", "needed to adjourn"),
              "note": ("改期或不再召开时必填", "needed to adjourn or to call off")}  # fmt: skip
    opening = choice("会议情况", "Opening", [
        ("open", "到会人数符合规定，开会", "Quorum: open"), ("adjourn", "改期", "Adjourn to another day"), ("call_off", "不再召开", "Call off")], fact=True)  # fmt: skip
    held_on = on_date("实际开会日期", "Held on", required=False, fact=True)
    planned_on = on_date("改期至", "Adjourned to", required=False, fact=True, not_future=False)
    members = rows("成员到会情况", "Attendance of members", MemberRow)
    guests = rows("列席人员（无表决权）", "Guests without a vote", GuestRow, about="guest")
    note = text("说明", "Note", required=False, widget="textarea")

    @validates_schema(skip_on_field_errors=False)
    def _days(self, data: Mapping[str, Any], **_: Any) -> None:
        convened, held = self.fact("convened_on"), data.get("held_on")
        if data.get("opening") == "adjourn" and data.get("planned_on"):
            _not_past(self, data["planned_on"])
        if held and convened and held < date.fromisoformat(convened):
            raise ValidationError({"held_on": [self.say(f"不能早于召集会议的日期（{convened}）", f"Not before it was convened ({convened})")]})

    @validates_schema(skip_on_field_errors=False)
    def _whole(self, data: Mapping[str, Any], **_: Any) -> None:
        wrong: dict[str, list[str]] = {}
        opening = data.get("opening")
        if opening == "open":
            wrong |= {n: [self.say("开会时必须填写", "Needed to open")] for n in ("held_on", "members") if not data.get(n)}
            if data.get("planned_on"):
                wrong["planned_on"] = [self.say("开会时不填改期日期", "Not when the meeting opens")]
        if opening == "adjourn" and not data.get("planned_on"):
            wrong["planned_on"] = [self.say("请填写改期日期", "Say to which day")]
        if opening in ("adjourn", "call_off"):
            if data.get("held_on"):
                wrong["held_on"] = [self.say("没有开会，不填开会日期", "Not when the meeting is not held")]
            if not data.get("note"):
                wrong["note"] = [self.say("请写明原因", "Say why")]
        people = [row.get("unit") for row in data.get("members") or () if isinstance(row, Mapping)]
        if len(set(people)) < len(people):
            wrong["members"] = [self.say("同一单位只登记一次", "A unit is listed once")]
        if wrong:
            raise ValidationError(wrong)


class MeasureRow(Form):
    kind = choice("措施", "Measure", MEASURES, widget="select")
    amount = money("金额", "Amount", required=False)
    by_whom = text("由谁办理", "By whom", required=False, max=200)


class AnnounceItem(Form):
    """The result of one item, as the person who presides announces it. A substantive resolution follows from the vote."""

    NEEDED: ClassVar[Mapping[str, tuple[str, str]]] = {"approved_category": ("同意纳入时必选", "needed to approve"), "fixed_until": ("填写固定金额时必填", "needed with a fixed amount"),
              "referred_to": ("转介时必填", "needed to refer")}  # fmt: skip
    item = number("议题序号", "Item")
    announced = choice("宣布结果", "Result", ANNOUNCED)
    approved_category = choice("纳入类别", "Category", special_cases.APPROVED_ALL, required=False)
    fixed_amount = money("会议确定的每月金额", "Amount a month, fixed by the meeting", required=False, hint="一般不填，按规定测算；填写时应写明执行至哪个月",
                         hint_en="Normally empty: computed by the rules; a fixed amount needs its last month")  # fmt: skip
    fixed_until = text("固定金额执行至（月份）", "Fixed amount until (month)", required=False, max=7, hint="如 2019-06", hint_en="Like 2019-06")
    reasons = text("理由", "Reasons", widget="textarea")
    conditions = text("条件", "Conditions", required=False, widget="textarea")
    referred_to = text("转介单位", "Referred to", required=False, max=200)
    review_on = on_date("再次研究日期", "Look again on", required=False, not_future=False)
    discussion = text("讨论摘要", "Discussion", required=False, widget="textarea")
    measures = rows("其他帮扶措施", "Further measures", MeasureRow)

    @validates_schema(skip_on_field_errors=False)
    def _whole(self, data: Mapping[str, Any], **_: Any) -> None:
        wrong: dict[str, list[str]] = {}
        said, today = data.get("announced"), self.context_value("today")
        if said == "approve_as" and not data.get("approved_category"):
            wrong["approved_category"] = [self.say("同意纳入时必须选择类别", "Needed to approve")]
        if said != "approve_as":
            told = [self.say("只有同意纳入时填写", "Only when it is approved")]
            wrong |= {n: told for n in ("approved_category", "fixed_amount", "fixed_until") if data.get(n)}
        if said == "refer" and not data.get("referred_to"):
            wrong["referred_to"] = [self.say("请写明转介给哪个单位", "Say to whom")]
        once = data.get("approved_category") == special_cases.ONCE
        if once and data.get("fixed_until"):
            wrong["fixed_until"] = [self.say("临时救助一次性给予，不填", "Given once: left out")]
        if not once and (data.get("fixed_amount") is None) != (not data.get("fixed_until")):
            wrong["fixed_until"] = [self.say("固定金额和执行月份应同时填写", "A fixed amount and its last month go together")]
        if data.get("fixed_amount") == 0:
            wrong["fixed_amount"] = [self.say("金额应大于零", "More than nothing")]
        if data.get("fixed_until") and (not special_cases.is_month(data["fixed_until"]) or data["fixed_until"] <= f"{today:%Y-%m}"):
            wrong["fixed_until"] = [self.say("月份写成 2019-06，且不早于下月：批准的金额最早从批准的下月发放",
                                             "Like 2019-06, and not before next month: what is approved is paid from the month after at the earliest")]  # fmt: skip
        if data.get("review_on") and today and data["review_on"] <= today:
            wrong["review_on"] = [self.say("应晚于今天", "After today")]
        if wrong:
            raise ValidationError(wrong)

    @gives("items_open", "items_announced", "announced_by")
    def extra_facts(self, loaded: Mapping[str, Any]) -> dict[str, Any]:
        item = loaded["item"]
        return {
            "items_open": [n for n in self.fact("items_open") or () if n != item],
            "items_announced": sorted({*(self.fact("items_announced") or ()), item}),
            "announced_by": self.context_value("actor").id,
        }


class DraftMinutes(Form):
    text = text("纪要正文", "Text of the minutes", required=False, max=20_000, widget="textarea", hint="不填则按会议数据生成；改动之处会标明",
                hint_en="Made from the meeting's data when empty; changes are marked")  # fmt: skip

    @gives("minutes_version")
    def extra_facts(self, loaded: Mapping[str, Any]) -> dict[str, Any]:
        return {"minutes_version": (self.fact("minutes_version") or 0) + 1}


class IssueMinutes(Form):
    opinion = text("签发意见", "Opinion", required=False, widget="textarea")

    @gives("issued_on")
    def extra_facts(self, loaded: Mapping[str, Any]) -> dict[str, Any]:
        return {"issued_on": self.context_value("today").isoformat()}


class MinutesConfirmation(Form):
    """A unit that attended agrees with the wording, or says what is wrong with it; in its member's own session."""

    NEEDED = {"objection": ("不同意时必填", "needed when you do not agree")}  # noqa: RUF012
    unit = choice("成员单位", "Member unit", meeting_units.CHOICES, widget="select")
    agrees = yes_no("是否同意纪要文字", "Agrees with the wording")
    objection = text("修改意见", "What should be changed", required=False, widget="textarea")

    @validates_schema(skip_on_field_errors=False)
    def _own(self, data: Mapping[str, Any], **_: Any) -> None:
        wrong: dict[str, list[str]] = {}
        actor, unit = self.context_value("actor"), data.get("unit")
        if unit and unit not in (self.fact("to_confirm") or ()):
            wrong["unit"] = [self.say("这个单位没有到会，或已经确认", "This unit did not attend, or has confirmed")]
        elif unit and actor and not actor.holds("meeting_member", unit):
            wrong["unit"] = [self.say("只能由该单位的成员确认", "Only the unit's own member confirms")]
        if data.get("agrees") is False and not data.get("objection"):
            wrong["objection"] = [self.say("不同意时请写明修改意见", "Say what should be changed")]
        if wrong:
            raise ValidationError(wrong)

    @gives("to_confirm", "objected")
    def extra_facts(self, loaded: Mapping[str, Any]) -> dict[str, Any]:
        return {"to_confirm": [unit for unit in self.fact("to_confirm") or () if unit != loaded["unit"]], "objected": not loaded["agrees"]}


FORMS: dict[str, type[Form]] = {
    "screen_agenda": ScreenAgenda,
    "approve_agenda": ApproveAgenda,
    "open_meeting": OpenMeeting,
    "announce_item": AnnounceItem,
    "draft_minutes": DraftMinutes,
    "issue_minutes": IssueMinutes,
}
MESSAGES: dict[str, type[Form]] = {"minutes_confirmed": MinutesConfirmation}
