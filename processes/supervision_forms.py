"""What an inspection asks for (监督检查, domain 1.13)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from marshmallow import ValidationError, validates_schema

from engine.forms import Form, choice, number, on_date, rows, text

KINDS = [("cases", "个案", "Cases"), ("households", "在保家庭", "Households in benefit"), ("visits", "排查走访", "Visits of the screening")]
METHODS = [("simple", "简单随机", "Simple random"), ("by_street", "按街镇分层", "By street")]
PROBLEMS = [("policy", "政策落实不到位", "Policy not carried out"), ("unlawful", "违规享受", "Unlawful benefit"), ("hardship", "救助后仍突出困难", "Outstanding hardship after help"),
            ("procedure", "程序", "Procedure"), ("money", "资金", "Money"), ("other", "其他", "Other")]  # fmt: skip
VERDICTS = [("accepted", "答复成立", "The reply is accepted"), ("upheld", "维持认定", "Upheld")]
CHECKED = [("verified", "整改属实", "Put right"), ("returned", "退回整改", "Back to be put right")]


class SupervisionPlanIn(Form):
    """检查计划."""

    title = text("检查名称", "Title", max=200)
    units = text("被检查单位", "Units", max=1000, hint="名称或代码，多个用逗号分开，如 120116001，120116005", hint_en="Names or codes, several with commas, like 120116001, 120116005")
    kind = choice("抽查对象", "What is drawn", KINDS)
    from_on = on_date("期间开始", "Period from", hint="个案按受理日期，走访按走访日期", hint_en="Cases by the day of receipt, visits by their day")
    until_on = on_date("期间结束", "Period until", hint="在保家庭按当日", hint_en="Households: in benefit on this day")
    items = text("检查内容", "What is looked at", widget="textarea", max=2000, hint="每行一项", hint_en="One in each line")
    method = choice("抽样方法", "Method", METHODS)
    size = number("样本数", "Size of the sample")
    due_on = on_date("检查完成期限", "Inspected by", not_future=False)

    @validates_schema(skip_on_field_errors=False)
    def _days(self, data: Mapping[str, Any], **_: Any) -> None:
        first, last, due = (data.get(name) for name in ("from_on", "until_on", "due_on"))
        today = self.context_value("today")
        if first and last and last < first:
            raise ValidationError({"until_on": [self.say("结束日期不能早于开始日期", "Not before the first day")]})
        if due and today and (due < today or (due - today).days > 366):
            raise ValidationError({"due_on": [self.say("应在今天以后一年之内", "From today on, within a year")]})


class SupervisionFound(Form):
    """One finding of an inspection."""

    kind = choice("问题类型", "Kind", PROBLEMS, widget="select")
    due_on = on_date("整改期限", "To be put right by", not_future=False)
    text = text("问题情况", "What was found", max=500)  # last: from here on the name is the field


class SupervisionResult(Form):
    """检查结果: one case, household or visit."""

    NEEDED: ClassVar[Mapping[str, tuple[str, str]]] = {"findings": ("有不符合项的必填", "needed where something was not in order")}
    inspected_on = on_date("检查日期", "Inspected on")
    failed = text("不符合的检查项序号", "Numbers of the items that are not in order", required=False, max=100, hint="多项用逗号分开；都符合的不填", hint_en="With commas; empty: all in order")
    note = text("检查情况", "What was seen", widget="textarea", max=1000)
    findings = rows("问题", "Findings", SupervisionFound)


class SupervisionReply(Form):
    """被检查单位的答复."""

    text = text("答复", "Reply", widget="textarea", max=2000)


class SupervisionSettled(Form):
    """对答复的认定."""

    verdict = choice("认定", "Decision", VERDICTS)
    text = text("理由", "Reason", widget="textarea", max=2000)


class SupervisionRectified(Form):
    """整改完成."""

    done_on = on_date("完成日期", "Done on")
    text = text("整改结果", "What was done", widget="textarea", max=1000)


class SupervisionVerified(Form):
    """整改复核."""

    verdict = choice("复核意见", "Verdict", CHECKED)
    text = text("说明", "Why", widget="textarea", max=1000)


class SupervisionClosed(Form):
    """检查结论."""

    conclusion = text("检查结论", "Conclusion", widget="textarea", max=2000)
