"""Forms of the safety inspections (安全检查表, 整改单; domain 1.16)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any, ClassVar

from marshmallow import ValidationError, validates_schema

from engine.forms import Form, choice, document, number, on_date, rows, text, yes_no

KINDS = [("public", "公办敬老院、福利院", "Public home"), ("private", "承接供养的民办养老机构", "Private home that takes the destitute in"), ("other", "其他供养服务机构", "Another institution")]
GROUPS = [("electricity", "用电", "Electricity"), ("heating", "取暖", "Heating"), ("fire", "防火", "Fire"), ("food", "食品安全", "Food safety")]
RESULTS = [("pass", "合格", "Pass"), ("fail", "不合格", "Fail"), ("n/a", "不适用", "Not applicable")]
LEVELS = [("minor", "一般隐患", "Minor"), ("major", "重大隐患", "Major")]
CHECKED = [("fixed", "已整改到位", "Fixed"), ("not_fixed", "未整改到位", "Not fixed")]
# What the page begins with in each group; inspectors add and leave out. The paper names the groups alone (domain 1.16).
SUGGESTED = [
    ("electricity", "电气线路老化、私拉乱接"), ("electricity", "配电箱、漏电保护"), ("electricity", "违规使用大功率电器"),
    ("heating", "燃煤取暖通风与一氧化碳报警"), ("heating", "锅炉、暖气管道"),
    ("fire", "疏散通道、安全出口"), ("fire", "灭火器材、消防设施"), ("fire", "消防值班与应急预案"),
    ("food", "食品采购、储存与留样"), ("food", "从业人员健康证明"), ("food", "厨房卫生与燃气"),
]  # fmt: skip
OLDEST = 366  # days
MOST_BEDS = 10_000


class _Beds(Form):
    @validates_schema(skip_on_field_errors=False)
    def _numbers(self, data: Mapping[str, Any], **_: Any) -> None:
        wrong = {}
        for name, least in (("capacity", 1), ("residents", 0)):
            if isinstance(data.get(name), int) and not least <= data[name] <= MOST_BEDS:
                wrong[name] = [self.say(f"应在 {least} 至 {MOST_BEDS} 之间", f"From {least} to {MOST_BEDS}")]
        if wrong:
            raise ValidationError(wrong)


class FacilityIn(_Beds):
    """供养服务机构登记."""

    name = text("机构名称", "Name", max=60)
    organisation = text("主办单位", "Run by", max=100)
    unit = text("所在街镇或居村", "Street or community", max=20)
    kind = choice("机构类别", "Kind", KINDS, widget="select")
    address = text("地址", "Address", required=False, max=200)
    capacity = number("床位数", "Beds")
    residents = number("入住人数", "Residents")


class FacilityChanged(_Beds):
    """机构情况变更: what is left empty stays."""

    name = text("机构名称", "Name", required=False, max=60)
    organisation = text("主办单位", "Run by", required=False, max=100)
    address = text("地址", "Address", required=False, max=200)
    capacity = number("床位数", "Beds", required=False)
    residents = number("入住人数", "Residents", required=False)

    @validates_schema(skip_on_field_errors=False)
    def _something(self, data: Mapping[str, Any], **_: Any) -> None:
        if not any(value not in (None, "") for value in data.values()):
            raise ValidationError({"residents": [self.say("请至少填写一项变更", "Say what changed")]})


class FacilityClosed(Form):
    """机构停办."""

    closed_on = on_date("停办日期", "Closed on")
    reason = text("停办原因和人员去向", "Why, and where the residents went", max=200)


class InspectionItem(Form):
    """One item of the sheet. What fails is a hazard: fixed on the spot, or with measure, responsible person and day."""

    NEEDED: ClassVar[Mapping[str, tuple[str, str]]] = {
        "level": ("不合格的必填", "needed of what fails"), "measure": ("未当场整改的必填", "needed unless fixed on the spot"),
        "responsible": ("未当场整改的必填", "needed unless fixed on the spot"), "due_on": ("未当场整改的必填", "needed unless fixed on the spot")}  # fmt: skip
    group = choice("类别", "Group", GROUPS, widget="select")
    item = text("检查项目", "Item", max=100)
    result = choice("检查结果", "Result", RESULTS, widget="select")
    note = text("检查情况", "What was seen", required=False, max=300)
    photo = document("照片", "Photo")
    level = choice("隐患等级", "Level of the hazard", LEVELS, required=False, widget="select")
    fixed_on_spot = yes_no("是否当场整改", "Fixed on the spot", required=False)
    measure = text("整改措施", "Measure", required=False, max=300)
    responsible = text("整改责任人", "Responsible person", required=False, max=60)
    due_on = on_date("整改期限", "To be fixed by", required=False, not_future=False)

    @validates_schema(skip_on_field_errors=False)
    def _fits(self, data: Mapping[str, Any], **_: Any) -> None:
        result, wrong = data.get("result"), dict[str, list[str]]()
        needed = [] if result != "fail" else ["level"] if data.get("fixed_on_spot") else ["level", "measure", "responsible", "due_on"]
        for name in needed:
            if not data.get(name):
                wrong[name] = [self.say("不合格项必须填写", "Needed of what fails")]
        if result in ("pass", "n/a"):
            for name in ("level", "measure", "responsible", "due_on", "fixed_on_spot"):
                if data.get(name):
                    wrong[name] = [self.say("只有不合格项填写", "Only of what fails")]
        elif data.get("fixed_on_spot") and data.get("due_on"):
            wrong["due_on"] = [self.say("当场整改的不设期限", "Not of what was fixed on the spot")]
        if wrong:
            raise ValidationError(wrong)


class InspectionIn(Form):
    """安全检查表: entered by one inspector; each other one named confirms it himself."""

    inspected_on = on_date("检查日期", "Inspected on")
    inspectors = text("其他检查人登录名", "Logins of the other inspectors", max=200, hint="一名以上，用顿号或空格分开；由其本人登录确认", hint_en="One or more, with commas or spaces between; each confirms it himself")
    opinion = text("检查意见", "Opinion", required=False, max=500, widget="textarea")
    items = rows("检查项目", "Items", InspectionItem, least=4)

    @validates_schema(skip_on_field_errors=False)
    def _whole(self, data: Mapping[str, Any], **_: Any) -> None:
        on, today, wrong = data.get("inspected_on"), self.context_value("today"), dict[str, list[str]]()
        items = [one for one in data.get("items") or () if isinstance(one, Mapping)]
        there = {one.get("group") for one in items}
        if lacking := [(zh, en) for code, zh, en in GROUPS if code not in there]:
            wrong["items"] = [self.say("每一类都要检查，缺少：" + "、".join(zh for zh, _ in lacking), "Every group is inspected; lacking: " + ", ".join(en for _, en in lacking))]
        elif [key for key, n in Counter((one.get("group"), one.get("item")) for one in items).items() if n > 1]:
            wrong["items"] = [self.say("同一检查项目不能重复", "An item stands once")]
        elif on and any(isinstance(one.get("due_on"), date) and one["due_on"] < on for one in items):
            wrong["items"] = [self.say("整改期限不能早于检查日期", "To be fixed after the inspection")]
        if on and today and on < today - timedelta(days=OLDEST):
            wrong["inspected_on"] = [self.say("日期已超过一年，请核对", "More than a year ago: please check the date")]
        if wrong:
            raise ValidationError(wrong)


class HazardVerified(Form):
    """整改复查: by another than the responsible person, with a photo."""

    verified_on = on_date("复查日期", "Verified on")
    outcome = choice("复查结果", "Result", CHECKED)
    seen = text("复查情况", "What was seen", max=300, widget="textarea")
    photo = document("整改后照片", "Photo", required=True)
