"""Forms of the training register (培训, domain 1.3) and the publicity register (宣传, domain 1.2)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, ClassVar

from marshmallow import ValidationError, validates_schema

from engine.forms import Form, choice, document, documents, number, on_date, rows, several, text, yes_no

LEVELS = [("district", "区级", "District"), ("street", "街镇级", "Street"), ("village", "居村级", "Village")]
TOPICS = [("policy", "救助政策", "Policy"), ("conditions", "申请条件", "Conditions"), ("standards", "救助标准", "Standards"), ("procedure", "审核审批程序", "Procedure"),
          ("mechanisms", "工作机制", "Mechanisms"), ("workflow", "工作流程", "Workflow"), ("discipline", "思想和纪律教育（底线红线、微腐败）", "Ideology and discipline"), ("other", "其他", "Other")]  # fmt: skip
DIRECTOR = "committee_director"
ROLES = [(DIRECTOR, "居村委会主任", "Director of a committee"), ("committee_member", "居村委会成员", "Member of a committee"), ("assistance_staff", "社会救助工作人员", "Assistance staff"),
         ("grid_worker", "网格员", "Grid worker"), ("village_cadre", "驻村干部", "Cadre in a village"), ("volunteer", "志愿者", "Volunteer"), ("other", "其他人员", "Somebody else")]  # fmt: skip
CHANNELS = [("broadcast", "广播", "Radio"), ("tv", "电视", "Television"), ("press", "报刊", "Newspapers"), ("web", "网络", "Web"), ("wechat", "微信公众号", "WeChat account"),
            ("display", "上墙上架上栏", "On walls, shelves and boards"), ("leaflets", "发放宣传材料", "Leaflets handed out"), ("event", "现场宣讲咨询", "Talks and advice on the spot"), ("other", "其他", "Other")]  # fmt: skip
PROGRAMMES = [("dibao", "低保", "Dibao"), ("low_income", "低收入家庭救助", "Low-income relief"), ("destitute", "特困人员救助供养", "Support of the destitute"), ("medical", "医疗救助", "Medical assistance"),
              ("education", "教育救助", "Educational assistance"), ("housing", "住房救助", "Housing assistance"), ("employment", "就业救助", "Employment assistance"), ("temporary", "临时救助", "Temporary assistance"),
              ("illness_expenditure", "因病支出型家庭救助", "Relief for expenses of an illness")]  # fmt: skip
MATERIALS = [("none", "无", "None"), ("poster", "海报、展板", "Posters"), ("leaflet", "明白纸、宣传单", "Leaflets"), ("manual", "小册子、政策汇编", "Manuals"), ("other", "其他", "Other")]
OLDEST = 366  # days
MOST = 10_000_000  # heads, copies


def _old(form: Form, data: Mapping[str, Any]) -> dict[str, list[str]]:
    held, today = data.get("held_on"), form.context_value("today")
    return {"held_on": [form.say("日期已超过一年，请核对", "More than a year ago: please check the date")]} if held and today and held < today - timedelta(days=OLDEST) else {}


class Attendee(Form):
    """Somebody on the signed sheet: by his login, or by name where he has no account."""

    NEEDED: ClassVar[Mapping[str, tuple[str, str]]] = {"staff": ("有账号的填写", "of who has an account"), "name": ("没有账号的填写", "of who has none"), "unit": ("没有账号或有多个单位的填写", "of who has no account, or several units")}
    staff = text("登录名", "Login", required=False, max=60)
    name = text("姓名", "Name", required=False, max=60)
    role = choice("身份", "Role", ROLES, widget="select")
    unit = text("单位代码（街镇或居村）", "Code of his unit", required=False, max=20)
    signed = yes_no("是否签到", "Signed in")
    quiz_score = number("测试成绩（0至100）", "Score of the quiz (0 to 100)", required=False)

    @validates_schema(skip_on_field_errors=False)
    def _one(self, data: Mapping[str, Any], **_: Any) -> None:
        wrong: dict[str, list[str]] = {}
        if bool(data.get("staff")) == bool(data.get("name")):
            wrong["name"] = [self.say("登录名和姓名填写其中一项", "Either the login or the name")]
        elif data.get("name") and not data.get("unit"):
            wrong["unit"] = [self.say("没有账号的必须填写单位", "Needed of who has no account")]
        if data.get("quiz_score") is not None and not 0 <= data["quiz_score"] <= 100:
            wrong["quiz_score"] = [self.say("应在 0 至 100 之间", "From 0 to 100")]
        if wrong:
            raise ValidationError(wrong)


class _Attended(Form):
    @validates_schema(skip_on_field_errors=False)
    def _nobody_twice(self, data: Mapping[str, Any], **_: Any) -> None:
        listed = [(one.get("staff"), one.get("name"), one.get("unit") if one.get("name") else None) for one in data.get("attendance") or () if isinstance(one, Mapping)]
        if any(n > 1 for n in Counter(listed).values()):
            raise ValidationError({"attendance": [self.say("同一人员不能重复", "Nobody is listed twice")]})


class TrainingIn(_Attended):
    """培训登记."""

    level = choice("培训层级", "Level", LEVELS)
    unit = text("组织单位", "Organising unit", max=20)
    title = text("培训名称", "Title", max=100)
    held_on = on_date("培训日期", "Held on")
    place = text("培训地点", "Place", max=100)
    trainer = text("授课人", "Trainer", max=100)
    topics = several("培训内容", "Topics", TOPICS, required=True)
    attendance = rows("参训人员", "Attendance", Attendee)
    sheet = document("签到表（扫描件）", "Signed sheet (scan)")

    @validates_schema(skip_on_field_errors=False)
    def _day(self, data: Mapping[str, Any], **_: Any) -> None:
        if wrong := _old(self, data):
            raise ValidationError(wrong)


class TrainingAttended(_Attended):
    """补登参训人员、签到表: who is listed already is replaced."""

    attendance = rows("参训人员", "Attendance", Attendee)
    sheet = document("签到表（扫描件）", "Signed sheet (scan)")

    @validates_schema(skip_on_field_errors=False)
    def _something(self, data: Mapping[str, Any], **_: Any) -> None:
        if not data.get("attendance") and not data.get("sheet"):
            raise ValidationError({"attendance": [self.say("请填写参训人员，或上传签到表", "Say who attended, or attach the sheet")]})


class PublicityIn(Form):
    """宣传活动登记."""

    unit = text("开展单位", "Unit that does it", max=20)
    channel = choice("宣传方式", "Channel", CHANNELS, widget="select")
    programmes = several("宣传的救助项目", "Programmes", PROGRAMMES, required=True)
    title = text("活动名称", "Title", max=100)
    held_on = on_date("日期", "Date")
    place = text("地点或媒体", "Place or medium", max=100)
    communities = text("覆盖居村", "Communities reached", required=False, max=4000, hint="街镇、区开展的填写居村名称或代码，用顿号或空格分开；全部覆盖的填“全部”", hint_en="Of activities of a street or the district: names or codes with commas or spaces between, or “all”")
    audience_count = number("受众人数", "Audience")
    material_type = choice("宣传材料", "Material", MATERIALS, widget="select")
    copies = number("份数", "Copies")
    evidence = documents("活动照片、材料样本", "Photos and samples")

    @validates_schema(skip_on_field_errors=False)
    def _whole(self, data: Mapping[str, Any], **_: Any) -> None:
        wrong = _old(self, data)
        for name in ("audience_count", "copies"):
            if isinstance(data.get(name), int) and not 0 <= data[name] <= MOST:
                wrong[name] = [self.say(f"应在 0 至 {MOST} 之间", f"From 0 to {MOST}")]
        if data.get("material_type") == "none" and data.get("copies"):
            wrong["copies"] = [self.say("没有材料的，份数填 0", "None without material")]
        elif data.get("material_type") not in (None, "none") and data.get("copies") == 0:
            wrong["copies"] = [self.say("请填写材料份数", "Say how many")]
        if wrong:
            raise ValidationError(wrong)


class Withdrawn(Form):
    """撤销登记: it was entered by mistake."""

    reason = text("撤销原因", "Why", max=200, widget="textarea")
