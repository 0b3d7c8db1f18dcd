"""What each task of a complaint asks for (domain 1.12; N220 arts 26, 36). Who complained is in none of them: his identity is a record of its own."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, ClassVar

from marshmallow import ValidationError, validates_schema

from engine.forms import Form, choice, number, on_date, staff, text, yes_no
from engine.given import gives
from processes import organisation
from processes.dibao_2012_forms import OLDEST_APPLICATION
from processes.household_number import household

CHANNELS = [("phone", "电话", "Telephone"), ("visit", "来访", "Visit"), ("letter", "来信", "Letter"), ("web", "网络", "Web"), ("12345", "12345热线", "Hotline 12345"),
            ("transferred", "上级或其他部门转来", "Passed on by another body")]  # fmt: skip
TARGETS = [("household", "救助家庭", "Household"), ("benefit", "救助待遇", "Benefit"), ("staff", "工作人员", "Member of staff"), ("facility", "机构、设施", "Facility or unit"),
           ("unknown", "待查明", "To be found out")]  # fmt: skip
FINDINGS = [("substantiated", "属实", "Substantiated"), ("partly", "部分属实", "Partly substantiated"), ("unsubstantiated", "不属实", "Unsubstantiated"),
            ("unverifiable", "无法查实", "Cannot be verified"), ("malicious", "恶意举报", "Malicious")]  # fmt: skip
PROVED = ("substantiated", "partly")
STATES = [("received", "待受理", "Received"), ("investigating", "核查中", "Under investigation"), ("not_accepted", "不予受理、转送", "Not accepted"), ("concluded", "已有结论，待反馈", "Concluded"),
          ("closed", "已办结", "Closed")]  # fmt: skip
_NEEDS = {"household": "household_id", "benefit": "benefit_id", "staff": "target_login", "facility": "target_unit"}


class Target(Form):
    """Whom or what the complaint is about: the kind, and the one number, login or code that goes with it."""

    NEEDED: ClassVar[Mapping[str, tuple[str, str]]] = {
        "household_id": ("对象为家庭时必填", "needed for a household"), "benefit_id": ("对象为待遇时必填", "needed for a benefit"),
        "target_login": ("对象为工作人员时必填", "needed for a member of staff"), "target_unit": ("对象为机构或待查明时必填", "needed for a facility, or while it is not known")}  # fmt: skip

    def wrong_target(self, data: Mapping[str, Any]) -> dict[str, list[str]]:
        kind = data.get("target_kind")
        needed = {"target_unit"} if kind == "unknown" else {_NEEDS[kind]} if kind in _NEEDS else set()
        wrong = {name: [self.say("请填写", "Needed here")] for name in needed if data.get(name) is None}
        return wrong | {name: [self.say("与所选对象类型不符，不填", "Does not belong to this kind")] for name in _NEEDS.values() if kind and name not in needed and data.get(name) is not None}


class ComplaintIn(Target):
    """举报登记表, without the reporter."""

    channel = choice("渠道", "Channel", CHANNELS, widget="select", fact=True)
    received_on = on_date("收到日期", "Received on", fact=True)
    is_named = yes_no("是否实名", "Named?", fact=True)
    reporter_id = number("举报人登记号", "Number of the reporter's entry", required=False, fact=True)
    target_kind = choice("举报对象", "About", TARGETS, widget="select", fact=True)
    household_id = household("家庭", "Household", required=False, fact=True)
    benefit_id = number("待遇", "Benefit", required=False, fact=True)
    target_login = text("被举报的工作人员（登录名）", "Member of staff (login)", required=False, max=60, fact=True)
    target_unit = text("机构或所在地（代码）", "Unit or place (code)", required=False, max=20, fact=True)
    allegation = text("举报内容", "What is alleged", widget="textarea")

    @validates_schema(skip_on_field_errors=False)
    def _whole(self, data: Mapping[str, Any], **_: Any) -> None:
        wrong = self.wrong_target(data)
        if data.get("is_named") is True and data.get("reporter_id") is None:
            wrong["is_named"] = [self.say("实名举报应登记举报人（投诉举报页面或 POST complaints）", "A named complaint comes with its reporter: POST complaints")]
        if data.get("is_named") is False and data.get("reporter_id") is not None:
            wrong["reporter_id"] = [self.say("匿名举报不登记举报人", "Nobody is registered with an anonymous complaint")]
        today, received = self.context_value("today"), data.get("received_on")
        if today and received and received < today - timedelta(days=OLDEST_APPLICATION):
            wrong["received_on"] = [self.say("日期已超过一年，请核对", "More than a year ago: please check the date")]
        if wrong:
            raise ValidationError(wrong)


class AcceptComplaint(Target):
    """受理审查. A named complaint is verified, every one (N220 art 36); an anonymous one where it holds a clue that can be checked."""

    NEEDED: ClassVar[Mapping[str, tuple[str, str]]] = {**Target.NEEDED, "target_kind": ("受理时尚待查明的必填", "needed to accept what was not known before"), "reason": ("不核查或转送时必填", "needed when it is not accepted")}
    acceptance = choice("受理意见", "Decision", [("accept", "受理，组织核查", "Accept and verify"), ("not_investigate", "匿名且没有可核查的线索，不核查", "Anonymous and no clue: not verified"),
                                            ("refer", "不属本机关职责，转送", "Not ours: passed on")], fact=True)  # fmt: skip
    reason = text("理由或转送去向", "Reason, or to whom", required=False, widget="textarea")
    target_kind = choice("查明的举报对象", "About, as found out", TARGETS[:4], required=False, widget="select", fact=True, hint="登记时已明确的不填", hint_en="Left out where it is known")
    household_id = household("家庭", "Household", required=False, fact=True)
    benefit_id = number("待遇", "Benefit", required=False, fact=True)
    target_login = text("被举报的工作人员（登录名）", "Member of staff (login)", required=False, max=60, fact=True)
    target_unit = text("机构（代码）", "Unit (code)", required=False, max=20, fact=True)

    @validates_schema(skip_on_field_errors=False)
    def _whole(self, data: Mapping[str, Any], **_: Any) -> None:
        said, known = data.get("acceptance"), self.fact("target_kind") not in (None, "unknown")
        wrong: dict[str, list[str]] = {}
        if known:
            wrong |= {name: [self.say("登记时已明确，不填", "It is known already")] for name in ("target_kind", *_NEEDS.values()) if data.get(name) is not None}
        elif data.get("target_kind"):
            wrong |= self.wrong_target(data)
        elif said == "accept":
            wrong["target_kind"] = [self.say("受理前应查明举报对象", "It is found out first whom it is about")]
        if said in ("not_investigate", "refer") and not data.get("reason"):
            wrong["reason"] = [self.say("请写明", "Needed here")]
        if said == "not_investigate" and self.fact("is_named"):
            wrong["acceptance"] = [self.say("实名举报应逐一核查（民发〔2012〕220号第三十六条）", "A named complaint is verified, every one (N220 art 36)")]
        if wrong:
            raise ValidationError(wrong)

    @gives("accepted_on")
    def extra_facts(self, loaded: Mapping[str, Any]) -> dict[str, Any]:
        return {"accepted_on": self.context_value("today").isoformat()} if loaded["acceptance"] == "accept" else {}


class Investigate(Form):
    """核查报告: what the first of two investigators found."""

    investigated_on = on_date("核查日期", "Investigated on")
    second_investigator = staff("第二核查人", "Second investigator", role="investigator")
    facts_found = text("核查情况", "What was found", widget="textarea")
    evidence = text("证据", "Evidence", widget="textarea")

    @validates_schema(skip_on_field_errors=False)
    def _two(self, data: Mapping[str, Any], **_: Any) -> None:
        actor = self.context_value("actor")
        if actor is not None and data.get("second_investigator") == actor.id:
            raise ValidationError({"second_investigator": [self.say("核查应由两人进行，第二核查人不能是本人", "Two investigate: the second is another person")]})


class Cosign(Form):
    NEEDED: ClassVar[Mapping[str, tuple[str, str]]] = {"statement": ("有不同意见时必填", "needed to disagree")}
    agree = choice("核对意见", "I confirm", [("agree", "情况属实，同意签字", "True: I sign"), ("disagree", "有不同意见，应重新核查", "I differ: investigate again")], fact=True)
    statement = text("说明", "Statement", required=False, widget="textarea")

    @validates_schema(skip_on_field_errors=False)
    def _why(self, data: Mapping[str, Any], **_: Any) -> None:
        if data.get("agree") == "disagree" and not data.get("statement"):
            raise ValidationError({"statement": [self.say("有不同意见时请写明", "Say in what you differ")]})


class Finish(Form):
    """结论: one of the five findings. `event_on`: when what was proved began; of a benefit what was paid from then on is looked at."""

    NEEDED: ClassVar[Mapping[str, tuple[str, str]]] = {"event_on": ("家庭或待遇的举报查实时必填", "needed where a complaint about a household is proved")}
    result = choice("核查结论", "Finding", FINDINGS, widget="select", fact=True)
    event_on = on_date("事实发生日期", "Happened on", required=False, fact=True, hint="如购车日期", hint_en="Like the day on which a car was bought")
    action = text("处理意见", "What is done", widget="textarea")

    @validates_schema(skip_on_field_errors=False)
    def _when(self, data: Mapping[str, Any], **_: Any) -> None:
        proved, home = data.get("result") in PROVED, self.fact("household_id") is not None
        if proved and home and not data.get("event_on"):
            raise ValidationError({"event_on": [self.say("请写明事实发生的日期", "Say when it happened")]})
        if data.get("result") and not proved and data.get("event_on"):
            raise ValidationError({"event_on": [self.say("没有查实的不填", "Only where something is proved")]})


class Conclude(Finish):
    RETURNS = {"investigate": {"result": "return_survey"}}  # noqa: RUF012
    result = choice("核查结论", "Finding", [*FINDINGS, ("return_survey", "退回补充核查", "Investigate again"), ("extend", "情况复杂，申请延长办理期限", "Complex: ask for more time")], widget="select", fact=True)


class ApproveExtension(Form):
    extension = choice("审批意见", "Decision", [("agree", "同意延长30日", "30 days more"), ("refuse", "不同意延长", "No")], fact=True)
    opinion = text("意见", "Opinion", widget="textarea")


class Feedback(Form):
    """反馈书: to the reporter of a named complaint (N220 art 36)."""

    delivered_on = on_date("反馈日期", "Told on", fact=True)
    method = choice("反馈方式", "How", [("direct", "当面", "In person"), ("phone", "电话", "Telephone"), ("post", "邮寄", "By post"), ("12345", "通过12345热线", "Through 12345")])
    words = text("反馈内容", "What was told", widget="textarea", hint="不写举报人姓名、电话、住址", hint_en="Without the reporter's name, telephone or address")

    @validates_schema(skip_on_field_errors=False)
    def _after(self, data: Mapping[str, Any], **_: Any) -> None:
        since = self.fact("concluded_on") or self.fact("received_on")
        if data.get("delivered_on") and since and data["delivered_on"].isoformat() < since:
            raise ValidationError({"delivered_on": [self.say(f"不能早于{since}", f"Not before {since}")]})


class ReporterIn(Form):
    """Who complains; all is left out of an anonymous complaint."""

    NEEDED: ClassVar[Mapping[str, tuple[str, str]]] = {"phone": ("实名时电话、住址至少填一项", "needed with a name, where there is no address"), "name": ("留电话或住址时必填", "needed with a telephone number or an address")}

    name = text("举报人姓名（匿名的不填）", "Name of the reporter (anonymous: leave empty)", required=False, max=60)
    phone = text("举报人电话", "His telephone", required=False, max=30)
    address = text("举报人住址", "His address", required=False, max=200)

    @validates_schema(skip_on_field_errors=False)
    def _reached(self, data: Mapping[str, Any], **_: Any) -> None:
        if data.get("name") and not (data.get("phone") or data.get("address")):
            raise ValidationError({"phone": [self.say("实名举报请留下电话或住址，以便反馈", "Who gives his name is told the result: leave a telephone number or an address")]})
        if not data.get("name") and (data.get("phone") or data.get("address")):
            raise ValidationError({"name": [self.say("请填写姓名；匿名举报不填电话和住址", "Give the name, or nothing of these")]})


class PublicComplaint(ReporterIn):
    """What anybody may say: where, about whom in his words, and what."""

    street = choice("所在街道（乡镇）", "Street", [(one["code"], one["name"], one["name"]) for one in organisation.divisions() if one["level"] == "street"], widget="select")
    about = text("举报对象（姓名、单位或地点）", "About whom or what", max=200)
    allegation = text("举报内容", "What happened", max=1500, widget="textarea")


FORMS: Mapping[str, type[Form]] = {
    "accept_complaint": AcceptComplaint, "tell_not_accepted": Feedback, "investigate": Investigate, "investigate_cosign": Cosign, "conclude": Conclude,
    "approve_extension": ApproveExtension, "conclude_extended": Finish, "deliver_feedback": Feedback, "deliver_feedback_extended": Feedback,
}  # fmt: skip
