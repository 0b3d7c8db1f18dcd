"""What is asked for a long-term display, for an objection to what hangs, and for a published telephone (domain 1.11, 1.12; N220 arts 25, 29, 34, 35)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar

from marshmallow import ValidationError, validates_schema

from engine.forms import Form, choice, document, folded, number, on_date, text, yes_no

LEVELS = [("district", "区（管委会）", "District or zone"), ("street", "街镇", "Street or town"), ("community", "居村", "Community")]
REMOVED_WHY = [("ended", "救助已停止", "The benefit has ended"), ("replaced", "更换新的公示表", "Replaced by a new sheet"), ("correction", "内容有误，撤下更正", "Wrong: taken off to be corrected")]
OUTCOMES = [("take_up", "受理，转个案复核", "Taken up: the case is re-checked"), ("dismiss", "不影响公示，说明理由", "Does not touch the notice: the reason")]
_PHONE = re.compile(r"[0-9]{3,12}(-[0-9]{1,8}){0,2}")


class DisplayIn(Form):
    """长期公示: make the sheet of a benefit."""

    benefit_id = number("救助待遇", "Benefit")


class Posted(Form):
    """张贴登记: where and when the sheet was put up, with a photo."""

    level = choice("公示层级", "Level", LEVELS)
    place = text("张贴地点", "Place", max=80, hint="如 紫云园社区居委会公示栏", hint_en="Like: board of the residents' committee")
    posted_on = on_date("张贴日期", "Posted on")
    photo = document("张贴照片", "Photo of the posting", required=True)


class TakenDown(Form):
    """揭下登记: the sheet is off the board, with a photo."""

    level = choice("公示层级", "Level", LEVELS)
    taken_down_on = on_date("揭下日期", "Taken down on")
    photo = document("揭下照片", "Photo of the removal", required=True)
    why = choice("揭下原因", "Why", [REMOVED_WHY[0], REMOVED_WHY[2]])


class ObjectionIn(Form):
    """公示异议, by anybody, with or without a name."""

    grounds = text("异议内容", "Your objection", widget="textarea", max=1500)
    name = text("姓名（可不填）", "Your name, if you like", required=False, max=60)
    phone = text("联系电话", "Telephone", required=False, max=30)
    address = text("地址", "Address", required=False, max=200)

    @validates_schema(skip_on_field_errors=False)
    def _named(self, data: Mapping[str, Any], **_: Any) -> None:
        if not data.get("name") and (data.get("phone") or data.get("address")):
            raise ValidationError({"name": [self.say("留下电话或地址的，请填写姓名", "Who leaves a telephone or address gives a name")]})


class ObjectionHandled(Form):
    """异议处理."""

    NEEDED: ClassVar[Mapping[str, tuple[str, str]]] = {"note": ("不影响公示的必填", "needed to dismiss it")}
    outcome = choice("处理意见", "What becomes of it", OUTCOMES)
    note = text("说明", "Note", required=False, widget="textarea", max=1000)

    @validates_schema(skip_on_field_errors=False)
    def _why(self, data: Mapping[str, Any], **_: Any) -> None:
        if data.get("outcome") == "dismiss" and not data.get("note"):
            raise ValidationError({"note": [self.say("请说明理由", "Give the reason")]})


class PhoneIn(Form):
    """举报电话: an office's published number. No source has the numbers: they are the office's own."""

    phone = text("投诉举报电话", "Complaint telephone", max=40, hint="如 022-12345678", hint_en="Like 022-12345678")
    hours = text("受理时间", "Hours", required=False, max=80)
    address = text("受理地点", "Address of the office", required=False, max=120)
    published = yes_no("是否公布", "Published?")

    @validates_schema(skip_on_field_errors=False)
    def _number(self, data: Mapping[str, Any], **_: Any) -> None:
        if data.get("phone") and not _PHONE.fullmatch(folded(data["phone"])):
            raise ValidationError({"phone": [self.say("电话由数字和连字符组成，如 022-12345678", "Digits and hyphens, like 022-12345678")]})
