"""What is asked for a campaign's frame: by the district's supervisors for the whole, by each unit for its part (domain 1.0, 1.18, 1.19)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar

from marshmallow import ValidationError, validates, validates_schema

from engine.forms import Form, choice, folded, number, on_date, rows, text, yes_no

LEVELS = [("district", "区民政局", "District bureau"), ("street", "管委会、街镇", "Streets and zones"), ("community", "居村委会", "Committees")]
SHORTFALLS = [("staff", "人员", "Staff"), ("premises", "办公场所", "Premises"), ("equipment", "设备", "Equipment"), ("funds", "经费", "Funds"), ("other", "其他", "Other")]
VERDICTS = [("accept", "属实，予以确认", "True: confirmed"), ("return", "不属实或不完整，退回", "Not so, or not whole: sent back")]
WEEKDAYS = [("1", "星期一", "Monday"), ("2", "星期二", "Tuesday"), ("3", "星期三", "Wednesday"), ("4", "星期四", "Thursday"), ("5", "星期五", "Friday"), ("6", "星期六", "Saturday"), ("7", "星期日", "Sunday")]
MOST_DAYS, MOST_WEEKS, MOST_STAFF = 731, 12, 9999
YEARS = range(2000, 2100)  # no ledger goes further back than 1950, and a slip like 1918 would otherwise stand for good
_TIME = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")


def _order(form: Form, data: Mapping[str, Any]) -> None:
    if data.get("start_on") and data.get("end_on") and data["end_on"] < data["start_on"]:
        raise ValidationError({"end_on": [form.say("结束日期不能早于开始日期", "It may not end before it begins")]})


class _Ordered(Form):
    """Something that lasts from a first to a last day, both included."""

    @validates_schema(skip_on_field_errors=True)
    def _ends(self, data: Mapping[str, Any], **_: Any) -> None:
        _order(self, data)


class StageIn(_Ordered):
    """阶段: its days and what it is to reach."""

    name = text("阶段名称", "Name of the stage", max=60)
    start_on = on_date("开始日期", "First day", not_future=False)
    end_on = on_date("结束日期", "Last day", not_future=False)
    goals = text("阶段目标", "Goals of the stage", max=1000, widget="textarea")


class CampaignChanged(_Ordered):
    """行动方案: the whole of it."""

    name = text("行动名称", "Name", max=100)
    paper = text("依据文件", "Paper that orders it", max=200)
    start_on = on_date("开始日期", "First day", not_future=False)
    end_on = on_date("结束日期", "Last day", not_future=False)
    goals = text("工作目标", "Goals", max=2000, widget="textarea")
    report_weeks = number("作战进度每几周一报（不填为每周）", "A progress report every so many weeks (weekly when left out)", required=False)
    report_weekday = choice("报送日（不填为星期五）", "Day of the report (Friday when left out)", WEEKDAYS, required=False, widget="select")
    report_time = text("报送时点（不填为17:00）", "Time of the report (17:00 when left out)", required=False, max=5)

    @validates("report_weeks")
    def _weeks(self, value: int, **_: Any) -> None:
        if not 1 <= value <= MOST_WEEKS:
            raise ValidationError(self.say(f"应在 1 至 {MOST_WEEKS} 之间", f"From 1 to {MOST_WEEKS}"))

    @validates("report_time")
    def _time(self, value: str, **_: Any) -> None:
        if value and not _TIME.fullmatch(folded(value.replace("：", ":"))):
            raise ValidationError(self.say("时点写成 17:00", "Write the time like 17:00"))

    @validates_schema(skip_on_field_errors=True)
    def _whole(self, data: Mapping[str, Any], **_: Any) -> None:
        if odd := [name for name in ("start_on", "end_on") if data[name].year not in YEARS]:
            raise ValidationError({name: [self.say("年份不对，请核对日期", "Please check the year")] for name in odd})
        if (data["end_on"] - data["start_on"]).days >= MOST_DAYS:
            raise ValidationError({"end_on": [self.say(f"行动最长 {MOST_DAYS} 天", f"At most {MOST_DAYS} days")]})


class CampaignIn(CampaignChanged):
    """启动专项行动: with its stages and who takes part."""

    units = text("参加机构代码（用逗号分开，不填为全部街镇和管委会）", "Codes of those who take part, by commas (all streets and zones when left out)", required=False, max=2000, widget="textarea")
    stages = rows("阶段", "Stages", StageIn)


class CampaignClosed(Form):
    """提前结束: what remained is no longer asked for."""

    reason = text("理由", "Reason", max=400, widget="textarea")


class UnitAdded(Form):
    """增加参加机构."""

    unit = text("机构代码", "Code of the unit", max=20)


class EquipmentIn(Form):
    name = text("设备名称", "Equipment", max=60)
    count = number("数量", "Number")

    @validates("count")
    def _some(self, value: int, **_: Any) -> None:
        if not 1 <= value <= MOST_STAFF:
            raise ValidationError(self.say(f"应在 1 至 {MOST_STAFF} 之间", f"From 1 to {MOST_STAFF}"))


class PartIn(Form):
    """组织领导: who leads in a unit, with which staff, where and with what (domain 1.18)."""

    unit = text("机构代码", "Code of the unit", max=20)
    leader = text("行政主要领导（负责人）", "Head of the unit, who leads in person", max=60)
    deputy = text("分管领导", "Deputy", required=False, max=60)
    contact = text("联络员及电话", "Contact and telephone", required=False, max=100)
    staff_full = number("专职人员数", "Full-time staff")
    staff_part = number("兼职人员数", "Part-time staff")
    office = yes_no("有办公场所", "Has an office")
    service_window = yes_no("有受理窗口", "Has a window")
    equipment = rows("设备清单", "Equipment", EquipmentIn)

    @validates("staff_full", "staff_part")
    def _few(self, value: int, **_: Any) -> None:
        if value > MOST_STAFF:
            raise ValidationError(self.say(f"应在 0 至 {MOST_STAFF} 之间", f"From 0 to {MOST_STAFF}"))


class PlanIn(Form):
    """阶段方案: what a unit is going to do in a stage."""

    unit = text("机构代码", "Code of the unit", max=20)
    stage = number("阶段编号", "Number of the stage")
    plan = text("本阶段工作方案", "Plan for the stage", max=2000, widget="textarea")


class ShortfallIn(Form):
    """工作短板: what a unit lacks, and how and by when it is remedied."""

    unit = text("机构代码", "Code of the unit", max=20)
    kind = choice("类型", "Kind", SHORTFALLS, widget="select")
    what = text("短板情况", "What is lacking", max=400, widget="textarea")
    measure = text("补齐措施", "Measure", max=400, widget="textarea")
    responsible = text("责任人", "Who is responsible", max=60)
    due_on = on_date("补齐期限", "To be remedied by", not_future=False)


class Remedied(Form):
    """已补齐."""

    remedied_on = on_date("补齐日期", "Remedied on")
    remedy = text("补齐情况", "What was done", max=400, widget="textarea")


class Judged(Form):
    """核实: by another than who entered it."""

    NEEDED: ClassVar[Mapping[str, tuple[str, str]]] = {"reason": ("退回的必填", "needed to send back")}
    verdict = choice("核实结论", "Verdict", VERDICTS)
    reason = text("说明", "Reason", required=False, max=400, widget="textarea")

    @validates_schema(skip_on_field_errors=True)
    def _why(self, data: Mapping[str, Any], **_: Any) -> None:
        if data["verdict"] == "return" and not data.get("reason"):
            raise ValidationError({"reason": [self.say("退回的应写明理由", "Say why it is sent back")]})


class DutyIn(Form):
    """责任: one line of the matrix of three levels (domain 1.19)."""

    level = choice("责任层级", "Level", LEVELS)
    duty = text("责任内容", "Duty", max=400, widget="textarea")


class ObligationIn(Form):
    """限时任务: what units of a level owe, by when, and what shows that it is done."""

    level = choice("责任层级", "Level", LEVELS)
    title = text("任务", "What is owed", max=200)
    due_on = on_date("期限（没有规定的不填）", "Last day (left out where none is set)", required=False, not_future=False)
    proof = text("完成凭据", "What shows that it is done", max=200)


class ObligationChanged(Form):
    """调整任务的期限或凭据."""

    title = text("任务", "What is owed", max=200)
    due_on = on_date("期限（没有规定的不填）", "Last day (left out where none is set)", required=False, not_future=False)
    proof = text("完成凭据", "What shows that it is done", max=200)


class ProofIn(Form):
    """完成情况: entered by the unit with its proof, confirmed by the district."""

    unit = text("机构代码", "Code of the unit", max=20)
    done_on = on_date("完成日期", "Done on")
    what = text("完成情况", "What was done", max=1000, widget="textarea")
    proof = text("凭据（文号、台账或材料名称）", "Proof (number or name of the paper)", max=200)
