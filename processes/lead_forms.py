"""What is asked for a lead: by its giver, by who verifies it, and by who links the application that followed (domain 1.5)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, ClassVar

from marshmallow import ValidationError, validates_schema

from engine.forms import Form, choice, on_date, text
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
]
OLDEST = 366  # days; an older one is a typing error


class LeadIn(Form):
    """线索登记: somebody in hardship, registered or not, before he has applied."""

    NEEDED: ClassVar[Mapping[str, tuple[str, str]]] = {
        "community": ("没有登记家庭的必填", "needed without a registered household"), "known_as": ("没有登记家庭的必填", "needed without a registered household"),
        "finder": ("没有账号的发现人必填", "needed of who has no account")}  # fmt: skip
    household_id = household("家庭（已登记的）", "Household, if registered", required=False)
    community = text("所在居村", "Community", required=False, max=20)
    known_as = text("已知情况（姓名、特征、住处）", "What is known of him", required=False, max=200)
    hardship = choice("困难类型", "Kind of hardship", HARDSHIPS, widget="select")
    reason = text("困难情况", "Hardship", max=1000, widget="textarea")
    found_on = on_date("发现日期", "Found on")
    found_by = choice("发现人身份", "Role of the finder", GIVERS, widget="select")
    finder_login = text("发现人登录名", "Login of the finder", required=False, max=60, hint="网格员、居村委会、民政专干、志愿者不是本人登记时填写", hint_en="Of a grid worker, committee member, civil affairs officer or volunteer, when somebody else enters it")
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

    NEEDED: ClassVar[Mapping[str, tuple[str, str]]] = {"referred_to": ("转介必填", "needed for a referral")}
    outcome = choice("核实结果", "Outcome", OUTCOMES)
    note = text("核实情况", "What was found", max=1000, widget="textarea")
    referred_to = text("转介单位", "Referred to", required=False, max=100)

    @validates_schema(skip_on_field_errors=False)
    def _whole(self, data: Mapping[str, Any], **_: Any) -> None:
        if data.get("outcome") == "referral" and not data.get("referred_to"):
            raise ValidationError({"referred_to": [self.say("请写明转介单位", "Say to whom")]})
        if data.get("outcome") in ("help_apply", "no_need") and data.get("referred_to"):
            raise ValidationError({"referred_to": [self.say("只有转介时填写", "Only of a referral")]})


class LeadLinked(Form):
    """The application that followed."""

    case_no = text("个案编号", "Number of the case", max=40)
