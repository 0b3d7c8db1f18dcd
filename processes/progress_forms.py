"""What is asked for 作战进度 and 总结报告 (domain 1.21, M21a): the four texts of the paper; the figures are the ledger's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from marshmallow import ValidationError, validates_schema

from engine.forms import Form, choice, number, on_date, text

VERDICTS = [("accept", "符合要求，予以接收", "As it should be: accepted"), ("return", "退回补充", "Sent back")]
MOST = 4000
_NONE = ("没有的填“无”", "Write “none” where there is nothing")


class ReportIn(Form):
    """作战进度或总结报告: a draft; kept until it is handed in."""

    unit = text("机构代码", "Code of the unit", max=20)
    period = number("期次（总结报告填0）", "Number of the period (0: the summary report)")
    progress = text("工作进展", "Progress of the work", required=False, max=MOST, widget="textarea")
    good_practice = text("经验做法", "Good practice", required=False, max=MOST, widget="textarea", hint=_NONE[0], hint_en=_NONE[1])
    difficulties = text("困难问题", "Difficulties", required=False, max=MOST, widget="textarea", hint=_NONE[0], hint_en=_NONE[1])
    suggestions = text("意见建议", "Suggestions", required=False, max=MOST, widget="textarea", hint=_NONE[0], hint_en=_NONE[1])


class ReportJudged(Form):
    """区民政局审核: accepted, or sent back with a reason and the day by which it comes again."""

    NEEDED: ClassVar[Mapping[str, tuple[str, str]]] = {"reason": ("退回的必填", "needed to send back"), "again_on": ("退回的必填", "needed to send back")}
    verdict = choice("审核结论", "Verdict", VERDICTS)
    reason = text("退回理由", "Reason", required=False, max=1000, widget="textarea")
    again_on = on_date("重新报送期限", "To be handed in again by", required=False, not_future=False)

    @validates_schema(skip_on_field_errors=True)
    def _whole(self, data: Mapping[str, Any], **_: Any) -> None:
        if data["verdict"] == "return":
            wrong = {}
            if not data.get("reason"):
                wrong["reason"] = [self.say("退回的应写明理由", "Say why it is sent back")]
            if not data.get("again_on"):
                wrong["again_on"] = [self.say("退回的应写明重新报送期限", "Say by when it is handed in again")]
            if wrong:
                raise ValidationError(wrong)
        elif data.get("again_on"):
            raise ValidationError({"again_on": [self.say("接收的不填重新报送期限", "Left out for one that is accepted")]})
