"""What is asked for a lead: by its giver, by who verifies it, by who helps to apply, and by who links the application that followed (domain 1.5)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, ClassVar

from marshmallow import ValidationError, validates_schema

from engine.forms import Form, choice, number, on_date, staff, text
from engine.given import gives
from processes.household_number import household
from processes.temporary_forms import FINDERS

GIVERS = [
    *FINDERS,
    ("civil_affairs_officer", "民政专干", "Civil affairs officer"),
    ("village_cadre", "驻村干部", "Cadre stationed in the village"),
    ("volunteer", "志愿者", "Volunteer"),
]
HARDSHIPS = [
    ("low_income", "收入低，基本生活困难", "Low income"),
    ("illness", "重特大疾病", "Grave illness"),
    ("disability", "残疾", "Disability"),
    ("old_age", "年老无人照料", "Old, nobody to care for him"),
    ("orphan", "儿童无人抚养", "A child whom nobody brings up"),
    ("job_loss", "失业", "Lost the job"),
    ("accident", "突发意外或灾害", "Accident or disaster"),
    ("other", "其他", "Other"),
]
OUTCOMES = [
    ("help_apply", "属实，帮助申请", "True: he is helped to apply"),
    ("no_need", "不符合或无需救助", "Does not fit, or needs nothing"),
    ("referral", "转介其他帮扶", "Referred to other help"),
    ("in_aid", "已在救助范围内", "In assistance already"),
    ("declined", "本人不愿申请", "Wants no help"),
    ("duplicate", "与已有线索重复", "Given before by another lead"),
]
WITHDRAWN = ("withdrawn", "已撤回", "Withdrawn")
HELPED = [
    ("applied", "已提出申请", "Applied"),
    ("declined", "本人不愿申请", "Wants no help"),
    ("no_need", "不符合或无需救助", "Does not fit, or needs nothing"),
    ("referral", "转介其他帮扶", "Referred to other help"),
]
OLDEST = 366  # days; an older one is a typing error


class LeadIn(Form):
    """线索登记: somebody in hardship, registered or not, before he has applied."""

    NEEDED: ClassVar[Mapping[str, tuple[str, str]]] = {
        "community": ("没有登记家庭的必填", "needed without a registered household"), "known_as": ("没有登记家庭的必填", "needed without a registered household"),
        "finder": ("没有账号的发现人必填", "needed of who has no account")}  # fmt: skip
    household_id = household("家庭（已登记的）", "Household, if registered", required=False, fact=True)
    community = text("所在居村", "Community", required=False, max=20, fact=True)
    known_as = text("已知情况（姓名、特征、住处）", "What is known of him", required=False, max=200)
    hardship = choice("困难类型", "Kind of hardship", HARDSHIPS, widget="select")
    reason = text("困难情况", "Hardship", max=1000, widget="textarea")
    found_on = on_date("发现日期", "Found on")
    found_by = choice("发现人身份", "Role of the finder", GIVERS, widget="select", fact=True)
    finder_login = text("发现人登录名", "Login of the finder", required=False, max=60, fact=True, hint="网格员、居村委会、民政专干、志愿者不是本人登记时填写", hint_en="Of a grid worker, committee member, civil affairs officer or volunteer, when somebody else enters it")
    finder = text("发现人姓名或单位", "Name or office of the finder", required=False, max=100)

    @validates_schema(skip_on_field_errors=False)
    def _whole(self, data: Mapping[str, Any], **_: Any) -> None:
        wrong: dict[str, list[str]] = {}
        if data.get("household_id") is None:
            wrong |= {name: [self.say("没有登记家庭的必填", "Needed without a registered household")] for name in ("community", "known_as") if not data.get(name)}
        elif data.get("community"):
            wrong["community"] = [self.say("已选择登记的家庭，不填", "Left out for a registered household")]
        found, today = data.get("found_on"), self.context_value("today")
        if found and today and found < today - timedelta(days=OLDEST):
            wrong["found_on"] = [self.say("日期已超过一年，请核对", "More than a year ago: please check the date")]
        if wrong:
            raise ValidationError(wrong)


class LeadVerified(Form):
    """线索核实."""

    NEEDED: ClassVar[Mapping[str, tuple[str, str]]] = {"referred_to": ("转介必填", "needed for a referral"), "duplicate_of": ("重复线索必填", "needed of one that was given before")}
    outcome = choice("核实结果", "Outcome", OUTCOMES, fact=True)
    note = text("核实情况", "What was found", max=1000, widget="textarea")
    referred_to = text("转介单位", "Referred to", required=False, max=100)
    helper = staff("帮助申请的居村委会人员", "Who of the committee helps to apply", role="", required=False)
    duplicate_of = number("与哪条线索重复（线索编号）", "Number of the lead given before", required=False)

    @validates_schema(skip_on_field_errors=False)
    def _whole(self, data: Mapping[str, Any], **_: Any) -> None:
        outcome, wrong = data.get("outcome"), _referral(self, data, data.get("outcome"))
        if outcome == "duplicate" and data.get("duplicate_of") is None:
            wrong["duplicate_of"] = [self.say("请写明与哪条线索重复", "Say which lead was given before")]
        if outcome and outcome != "duplicate" and data.get("duplicate_of") is not None:
            wrong["duplicate_of"] = [self.say("只有重复线索填写", "Only of one that was given before")]
        if outcome and outcome != "help_apply" and data.get("helper"):
            wrong["helper"] = [self.say("只有帮助申请时填写", "Only where he is helped to apply")]
        if wrong:
            raise ValidationError(wrong)

    @gives("verified_on")
    def extra_facts(self, _loaded: Mapping[str, Any]) -> dict[str, Any]:
        return {"verified_on": self.context_value("today").isoformat()}


def _referral(form: Form, data: Mapping[str, Any], outcome: str | None) -> dict[str, list[str]]:
    if outcome == "referral" and not data.get("referred_to"):
        return {"referred_to": [form.say("请写明转介单位", "Say to whom")]}
    if outcome and outcome != "referral" and data.get("referred_to"):
        return {"referred_to": [form.say("只有转介时填写", "Only of a referral")]}
    return {}


class HelpApply(Form):
    """帮助申请: what became of it."""

    NEEDED: ClassVar[Mapping[str, tuple[str, str]]] = {"application_no": ("已申请的必填", "needed where he applied"), "referred_to": ("转介必填", "needed for a referral")}
    help_outcome = choice("帮助结果", "What became of it", HELPED, fact=True)
    application_no = text("申请个案编号", "Number of the application", required=False, max=40, fact=True)
    help_note = text("帮助情况", "How he was helped", max=1000, widget="textarea")
    referred_to = text("转介单位", "Referred to", required=False, max=100)

    @validates_schema(skip_on_field_errors=False)
    def _whole(self, data: Mapping[str, Any], **_: Any) -> None:
        outcome, wrong = data.get("help_outcome"), _referral(self, data, data.get("help_outcome"))
        if outcome == "applied" and not data.get("application_no"):
            wrong["application_no"] = [self.say("请填写申请个案编号", "Name the application")]
        if outcome and outcome != "applied" and data.get("application_no"):
            wrong["application_no"] = [self.say("只有已申请时填写", "Only where he applied")]
        if wrong:
            raise ValidationError(wrong)

    @gives("outcome")
    def extra_facts(self, loaded: Mapping[str, Any]) -> dict[str, Any]:
        return {} if loaded["help_outcome"] == "applied" else {"outcome": loaded["help_outcome"]}


class ApplicationStarted(Form):
    """The application that followed, as the discovery case is told of it."""

    application_no = text("申请个案编号", "Number of the application", max=40, fact=True)


class AppliedAtOnce(Form):
    """The application was begun where the lead was given, at a visit: who begins it has verified the lead."""

    application_no = text("申请个案编号", "Number of the application", max=40, fact=True)
    note = text("核实情况", "What was found", max=1000, widget="textarea")

    @gives("outcome", "verified_on")
    def extra_facts(self, _loaded: Mapping[str, Any]) -> dict[str, Any]:
        return {"outcome": "help_apply", "verified_on": self.context_value("today").isoformat()}


class LeadWithdrawn(Form):
    """The giver takes it back."""

    reason = text("撤回原因", "Why it is withdrawn", max=400, widget="textarea")


class LeadLinked(Form):
    """The application that followed."""

    case_no = text("个案编号", "Number of the case", max=40)
