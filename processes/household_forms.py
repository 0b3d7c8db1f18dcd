"""What may be entered of a household: one form for page, API and import."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar

from marshmallow import ValidationError, validates_schema

from engine.forms import Form, choice, document, money, number, on_date, rows, several, text, yes_no
from processes import law
from processes.eligibility_facts import COUNTED, EXCLUDED, HARDSHIPS, PROPERTY

RELATIONS = [
    ("head", "户主（申请人）", "Head"),
    ("spouse", "配偶", "Spouse"),
    ("child", "子女", "Child"),
    ("parent", "父母", "Parent"),
    ("adult_child_in_school", "在校成年子女", "Adult child in school"),
    ("adult_child_dependent", "不能独立生活的成年子女", "Dependent adult child"),
    ("other", "其他", "Other"),
]
ABILITIES = [
    ("full", "有劳动能力", "Full"), ("partly_lost", "部分丧失", "Partly lost"), ("mostly_lost", "大部分丧失", "Mostly lost"),
    ("completely_lost", "完全丧失", "Completely lost"), ("none", "未成年或无", "None")]  # fmt: skip
EMPLOYMENTS = [
    ("employed", "在职", "Employed"), ("flexible", "灵活就业", "Flexible"), ("unemployed", "失业", "Unemployed"), ("student", "在校学生", "Student"),
    ("retired", "退休", "Retired"), ("none", "无业", "None")]  # fmt: skip
DISABILITIES = [
    ("vision", "视力", "Vision"), ("limb", "肢体", "Limb"), ("intellectual", "智力", "Intellectual"), ("mental", "精神", "Mental"),
    ("speech", "言语", "Speech"), ("hearing", "听力", "Hearing"), ("multiple", "多重", "Multiple")]  # fmt: skip
EXCLUSIONS = [
    ("prison", "服刑", "In prison"), ("religious", "宗教教职人员", "Religious staff"), ("military", "现役义务兵", "Conscript"),
    ("compulsory_detox", "强制隔离戒毒", "Compulsory detox"), ("declared_missing", "宣告失踪", "Declared missing"), ("destitute", "特困供养人员", "Supported as destitute")]  # fmt: skip
INCOME_KINDS = [(k, zh, k) for k, zh in COUNTED.items()] + [(k, f"{zh}（不计入）", k) for k, (zh, _) in EXCLUDED.items()]
PROPERTY_KINDS = [(k, zh, k) for k, zh in PROPERTY.items()]
_HARDSHIPS_EN = {
    "disabled_member": "Disabled member",
    "major_illness": "Major illness, or outpatient treatment of a listed one",
    "single_parent_student": "Single parent with a child in school",
    "family_planning_special": "Special family planning aid",
    "elderly_childless": "All over 60 and childless",
    "recognised_other": "Other hardship recognised by civil affairs and finance",
}
HARDSHIP_KINDS = [(k, zh, _HARDSHIPS_EN[k]) for k, zh in HARDSHIPS.items()]


class IncomeIn(Form):
    kind = choice("收入种类", "Kind", INCOME_KINDS, widget="select")
    amount_fen = money("金额", "Amount")
    period = choice("周期", "Period", [("month", "每月", "A month"), ("year", "每年", "A year")], widget="select", required=False)
    month = text("月份", "Month", required=False, max=7, hint="如 2018-11")
    year = number("年份", "Year", required=False)

    @validates_schema(skip_on_field_errors=False)
    def _when(self, data: Mapping[str, Any], **_: Any) -> None:
        """A month is of income a month, a year of income a year: otherwise a twelfth of the amount would count, or twelve times as much."""
        wrong: dict[str, list[str]] = {}
        month, year, period, today = data.get("month"), data.get("year"), data.get("period") or "month", self.context_value("today")
        if month and not re.fullmatch(r"20[0-9]{2}-(0[1-9]|1[0-2])", month):
            wrong["month"] = [self.say("月份写成 2018-11", "Write the month like 2018-11")]
        elif month and period == "year":
            wrong["period"] = [self.say("写了月份的是当月的收入，周期请选“每月”", "Income of one month is given a month")]
        elif month and today and month > f"{today:%Y-%m}":
            wrong["month"] = [self.say("不能晚于本月", "May not be after this month")]
        if year and period == "month":
            wrong["period"] = [self.say("写了年份的是全年的收入，周期请选“每年”", "Income of a whole year is given a year")]
        elif year and today and not 2000 <= year <= today.year:
            wrong["year"] = [self.say("年份不合理", "Not a likely year")]
        if wrong:
            raise ValidationError(wrong)


class PropertyIn(Form):
    NEEDED = {"amount_fen": ("货币财产必填", "needed for money and savings")}  # noqa: RUF012
    kind = choice("财产种类", "Kind", PROPERTY_KINDS, widget="select")
    amount_fen = money("金额", "Amount", required=False)
    functional_vehicle = yes_no("残疾人功能性车辆", "Functional vehicle of a disabled member", required=False)

    @validates_schema(skip_on_field_errors=False)
    def _amount(self, data: Mapping[str, Any], **_: Any) -> None:
        if data.get("kind") == "monetary_assets" and data.get("amount_fen") is None:
            raise ValidationError({"amount_fen": ["货币财产请填写金额"]})


class OwnedPropertyIn(PropertyIn):
    """Once the members are registered, one of them can be named as the owner."""

    person_id = number("所有人", "Owner", required=False, hint="不选为全家共有", hint_en="Leave empty when the household owns it together")


def _hardships() -> Any:
    return several("特殊困难", "Hardships", HARDSHIP_KINDS, hint="成员的残疾、重大疾病已登记的，不必重复勾选",
                   hint_en="Disability and illness entered with a member need not be ticked again")  # fmt: skip


def _childless() -> Any:
    return yes_no("是否无子女", "Childless?", required=False)


class HardshipsIn(Form):
    """What a household says of itself beyond income and property; replaces what it said before."""

    hardships = _hardships()
    childless = _childless()


class MemberIn(Form):
    name = text("姓名", "Name", max=60)
    id_no = text("身份证号", "ID number", max=40)
    relation = choice("与申请人关系", "Relation", RELATIONS, widget="select")
    labour_ability = choice("劳动能力", "Labour ability", ABILITIES, widget="select", required=False)
    employment = choice("就业状况", "Employment", EMPLOYMENTS, widget="select", required=False)
    full_time_student = yes_no("全日制在校", "Full-time student", required=False)
    disability_kind = choice("残疾类别", "Disability", DISABILITIES, widget="select", required=False)
    disability_grade = number("残疾等级", "Grade", required=False)
    serious_illness = text("重大疾病", "Serious illness", required=False, max=60)
    serious_outpatient_illness = yes_no("享受门诊特殊病待遇", "Listed outpatient illness", required=False)
    excluded_reason = choice("不计入原因", "Not counted because", EXCLUSIONS, widget="select", required=False)
    income = rows("收入", "Income", IncomeIn)

    @validates_schema(skip_on_field_errors=False)
    def _grade(self, data: Mapping[str, Any], **_: Any) -> None:
        grade = data.get("disability_grade")
        if grade is not None and not 1 <= grade <= 4:
            raise ValidationError({"disability_grade": ["残疾等级为 1 至 4"]})


class HouseholdIn(Form):
    SECTIONS: ClassVar[Mapping[str, tuple[str, str]]] = {
        "community": ("住址和户籍", "Where they live"), "phone": ("联系和账户", "Contact and account"), "hardship_cause": ("困难情形和声明", "Hardship and declarations"),
        "members": ("家庭成员", "Members"), "property": ("家庭财产", "Property")}  # fmt: skip
    community = text("居村", "Community", max=20)
    hukou_kind = choice("户籍类别", "Hukou", [("urban", "城镇", "Urban"), ("rural", "农村", "Rural")])
    address = text("住址", "Address", max=200)
    phone = text("联系电话", "Phone", required=False, max=20, digits=True)
    bank_account = text("银行账号", "Bank account", required=False, max=40, digits=True)
    bank_holder = text("开户人", "Account holder", required=False, max=60)
    hardship_cause = text("致困原因", "Cause of hardship", required=False, max=60)
    hardships = _hardships()
    childless = _childless()
    near_relative_declared = yes_no("与经办人员或居村委会成员有近亲属关系", "Near relative of staff", required=False)
    members = rows("家庭成员", "Members", MemberIn, required=True)
    property = rows("家庭财产", "Property", PropertyIn)

    @validates_schema(skip_on_field_errors=False)
    def _numbers(self, data: Mapping[str, Any], **_: Any) -> None:
        wrong = {}
        if data.get("phone") and not re.fullmatch(r"1\d{10}|0\d{2,3}-?\d{7,8}", data["phone"]):
            wrong["phone"] = ["电话号码不正确"]
        if data.get("bank_account") and not re.fullmatch(r"\d{12,30}", data["bank_account"]):
            wrong["bank_account"] = ["银行账号应为 12 至 30 位数字"]
        if wrong:
            raise ValidationError(wrong)


class IncomeList(Form):
    income = rows("收入", "Income", IncomeIn, required=True)


class PropertyList(Form):
    property = rows("财产", "Property", OwnedPropertyIn, required=True)


class AuthorizationIn(Form):
    person_id = number("成员", "Member")
    signed_on = on_date("签署日期", "Signed on")
    valid_until = on_date("有效期至", "Valid until", not_future=False)
    document_id = document("授权书（扫描件）", "Scanned page")


# Relations to a member of staff, in words; law/relation_scope.yaml says which of them count, and so are offered.
_KIN = {
    "spouse": ("配偶", "Spouse"), "parent": ("父母", "Parent"), "child": ("子女", "Child"), "sibling": ("兄弟姐妹", "Sibling"),
    "grandparent": ("祖父母、外祖父母", "Grandparent"), "grandchild": ("孙子女、外孙子女", "Grandchild"),
    "parent_in_law": ("配偶的父母", "Parent-in-law"), "child_in_law": ("儿媳、女婿", "Child-in-law"),
    "sibling_in_law": ("配偶的兄弟姐妹、兄弟姐妹的配偶", "Sibling-in-law"), "step_or_adoptive": ("继父母、养父母、继子女、养子女", "Step or adoptive parent or child"),
    "uncle_aunt": ("伯、叔、姑、舅、姨", "Uncle or aunt"), "nephew_niece": ("侄子女、外甥子女", "Nephew or niece"),
}  # fmt: skip
NEAR_RELATIONS = [(code, *_KIN[code]) for code in law.ever_near()]


class NearRelativeIn(Form):
    staff_login = text("工作人员登录名", "Staff login", required=False, max=60)
    staff_name = text("工作人员姓名", "Staff name", max=60)
    position = text("职务", "Position", required=False, max=60)
    relation = choice("关系", "Relation", NEAR_RELATIONS, widget="select")
