"""What each task of a payment run asks for, and the acts beside them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Any

from marshmallow import ValidationError, validates_schema

from engine.forms import Form, Several, Whole, choice, document, on_date, text
from processes import bank_files

PROFILES = "、".join(f"{key}（{one.title}）" for key, one in bank_files.profiles().items())
PROFILES_EN = ", ".join(f"{key} ({one.title_en})" for key, one in bank_files.profiles().items())


class RunIn(Form):
    """发起发放: whom, and for which month."""

    scope = text("发放范围（单位代码）", "Whom (code of a unit)", max=20, fact=True, hint="区或街镇的代码，如 120116011", hint_en="A district or street, like 120116011")
    month = text("发放月份", "Month", max=7, fact=True, hint="如 2018-12", hint_en="Like 2018-12")

    @validates_schema
    def _month(self, data: Mapping[str, Any], **_: Any) -> None:
        if not re.fullmatch(r"20[0-9]{2}-(0[1-9]|1[0-2])", data["month"]):
            raise ValidationError({"month": [self.say("月份写成 2018-12", "Write the month like 2018-12")]})


class PrepareList(Form):
    NEEDED = {"opinion": ("撤销时必填", "needed to call it off")}  # noqa: RUF012
    list_outcome = choice("清单去向", "The list", [("submit", "提交复核", "Submit it to be checked"), ("call_off", "撤销本次发放", "Call the run off")], fact=True)
    opinion = text("说明", "Note", required=False, max=500, widget="textarea")

    @validates_schema
    def _why(self, data: Mapping[str, Any], **_: Any) -> None:
        if data["list_outcome"] == "call_off" and not data.get("opinion"):
            raise ValidationError({"opinion": [self.say("撤销时请写明理由", "Say why it is called off")]})


def _agreeing(name: str, zh: str, en: str, yes: tuple[str, str, str]) -> type[Form]:
    """Agree, or return with a reason."""

    def why(self: Form, data: Mapping[str, Any], **_: Any) -> None:
        if data.get(name) == "return" and not data.get("opinion"):
            raise ValidationError({"opinion": [self.say("退回时请写明理由", "Say why it is returned")]})

    return type("".join(part.capitalize() for part in name.split("_")), (Form,), {
        "__module__": __name__, "NEEDED": {"opinion": ("退回时必填", "needed to return it")},
        name: choice(zh, en, [yes, ("return", "退回", "Return")], fact=True),
        "opinion": text("意见", "Opinion", required=False, max=500, widget="textarea"),
        "_why": validates_schema(why)})  # fmt: skip


CheckList = _agreeing("check_outcome", "复核结果", "The check", ("agree", "复核无误", "Correct"))
ApproveList = _agreeing("approval_outcome", "审批结果", "Approval", ("approve", "同意发放", "Approve the payment"))
CheckReissue = _agreeing("reissue_outcome", "复核结果", "The check", ("agree", "复核无误", "Correct"))


class SendFile(Form):
    NEEDED = {"late_reason": ("入账日晚于应发日期时必填", "needed where it is credited after the last day")}  # noqa: RUF012
    profile = text("银行文件格式", "Bank profile", required=False, max=40, hint=f"不填为 own-csv。可选：{PROFILES}", hint_en=f"own-csv when left out. There are: {PROFILES_EN}")
    pay_on = on_date("要求入账日期", "To be credited on", not_future=False)
    late_reason = text("晚于应发日期的原因", "Why it is credited late", required=False, max=500, widget="textarea")

    @validates_schema
    def _day(self, data: Mapping[str, Any], **_: Any) -> None:
        wrong: dict[str, list[str]] = {}
        if data.get("profile") and data["profile"] not in bank_files.profiles():
            wrong["profile"] = [self.say(f"没有这种格式，可选：{'、'.join(bank_files.profiles())}", f"No such profile: {', '.join(bank_files.profiles())}")]
        today, last = self.context_value("today"), self.fact("pay_by")
        if today and data["pay_on"] < today:
            wrong["pay_on"] = [self.say("要求入账日期不能早于今天", "Not before today")]
        elif last and data["pay_on"] > max(date.fromisoformat(last), today) and not data.get("late_reason"):
            wrong["late_reason"] = [self.say(f"应于 {last} 前入账，晚于这一天请写明原因", f"It is to be credited by {last}: say why it is later")]
        if wrong:
            raise ValidationError(wrong)


class EnterReturns(Form):
    NEEDED = {"opinion": ("仍有退回或暂缓的不再补发时必填", "needed where some stay unpaid")}  # noqa: RUF012
    returns_outcome = choice("回盘处理", "What follows", [("reissue", "补发退回和暂缓的", "Reissue what came back or was held"), ("close", "结清，不再补发", "Nothing more to be paid")], fact=True)
    opinion = text("说明", "Note", required=False, max=500, widget="textarea")


class PrepareReissue(Form):
    """Items whose account was changed meanwhile are taken by themselves; others are named here, to be sent to the same account once more."""

    same_account = Several(Whole(), required=False, metadata={
        "label": "按原账户重发的明细编号", "label_en": "Items sent to the same account again", "widget": "checkboxes", "fact": False, "least": 0, "most": 5000})  # fmt: skip
    opinion = text("说明", "Note", required=False, max=500, widget="textarea")


class CloseRun(Form):
    opinion = text("核对意见", "Reconciliation", max=500, widget="textarea")


FORMS: Mapping[str, type[Form]] = {
    "prepare_list": PrepareList, "check_list": CheckList, "approve_list": ApproveList, "send_file": SendFile, "enter_returns": EnterReturns,
    "prepare_reissue": PrepareReissue, "check_reissue": CheckReissue, "close_run": CloseRun,
}  # fmt: skip


# -- beside the tasks


class ProblemAnswer(Form):
    """What becomes of an item with which something is wrong."""

    answer = choice("处理", "What is done", [("keep", "核实无误，照发", "Verified: it is paid"), ("hold", "暂缓发放", "Held back"), ("drop", "本次不发", "Not in this run")])
    reason = text("理由", "Reason", max=500, widget="textarea")


class AccountChange(Form):
    """变更收款账户: asked for by one, confirmed by another."""

    holder = text("开户人", "Account holder", max=60, hint="应为家庭成员", hint_en="A member of the household")
    bank = text("开户银行", "Bank", max=60)
    account = text("银行账号", "Bank account", max=40, digits=True)
    from_month = text("从哪个月的发放起", "From the run of which month", max=7, hint="如 2018-12", hint_en="Like 2018-12")
    document_id = document("证明材料", "Proof", hint="存折、银行卡复印件的材料编号", hint_en="Number of the paper: passbook or card")
    reason = text("变更原因", "Why", max=500, widget="textarea")

    @validates_schema
    def _shape(self, data: Mapping[str, Any], **_: Any) -> None:
        wrong: dict[str, list[str]] = {}
        if not re.fullmatch(r"[0-9]{12,30}", data["account"]):
            wrong["account"] = [self.say("银行账号应为 12 至 30 位数字", "A bank account has 12 to 30 digits")]
        if not re.fullmatch(r"20[0-9]{2}-(0[1-9]|1[0-2])", data["from_month"]):
            wrong["from_month"] = [self.say("月份写成 2018-12", "Write the month like 2018-12")]
        if wrong:
            raise ValidationError(wrong)


class AccountSettled(Form):
    outcome = choice("复核结果", "Check", [("confirm", "确认变更", "Confirm the change"), ("refuse", "不同意", "Refuse it")])
    opinion = text("意见", "Opinion", max=500, widget="textarea")

