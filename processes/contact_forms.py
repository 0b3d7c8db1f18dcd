"""Dated attempts to reach a household that will not be re-checked (domain 2.9): for every process that re-checks one.

Facts: contact_outcome (the last), contact_attempts (in vain, on different days), last_attempt_on.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, ClassVar

from marshmallow import ValidationError, validates_schema

from engine.forms import Form, choice, document, on_date, text
from engine.given import gives

METHODS = [("phone", "电话", "By phone"), ("visit", "上门", "Visit"), ("letter", "信函", "Letter"), ("committee", "由居村委会转告", "Through the committee")]


def in_order(form: Form, day: date | None) -> None:
    """An attempt follows the beginning of the re-check, and the attempt before it on another day. Raises ValidationError."""
    begun, last = form.fact("review_from") or form.fact("investigation_from"), form.fact("last_attempt_on")
    if day and begun and day < date.fromisoformat(begun):
        raise ValidationError({"contacted_on": [form.say(f"不能早于复审开始日期（{begun}）", f"May not be before the review began ({begun})")]})
    if day and last and day <= date.fromisoformat(last):
        raise ValidationError({"contacted_on": [form.say(
            f"应在上一次未果的联系（{last}）之后另一天", f"On another day after the attempt of {last}")]})  # fmt: skip


def counted(form: Form, outcome: str, day: str) -> dict[str, Any]:
    """The facts of an attempt that was in vain; none of one that was not."""
    if outcome in ("contacted", "died"):
        return {}
    return {"contact_attempts": (form.fact("contact_attempts") or 0) + 1, "last_attempt_on": day}


class NotCooperating(Form):
    """The household does not let the investigators in, or gives no papers: one dated attempt."""

    contacted_on = on_date("上门日期", "Tried on")
    note = text("情况", "What happened", widget="textarea")
    photo = document("照片", "Photo")

    @validates_schema(skip_on_field_errors=False)
    def _told(self, data: Mapping[str, Any], **_: Any) -> None:
        in_order(self, data.get("contacted_on"))

    @gives("contact_outcome", "contact_attempts", "last_attempt_on")
    def extra_facts(self, loaded: Mapping[str, Any]) -> dict[str, Any]:
        return {"contact_outcome": "refuses"} | counted(self, "refuses", loaded["contacted_on"])


class ContactAgain(Form):
    """The second attempt, after one in vain: the household lets itself be re-checked now, or the street concludes without it."""

    NEEDED: ClassVar[Mapping[str, tuple[str, str]]] = {"note": ("没有联系上或拒绝时必填", "needed when nobody was reached or it was refused")}

    contacted_on = on_date("联系日期", "Contacted on")
    method = choice("联系方式", "How", METHODS, widget="select")
    contact_outcome = choice("联系结果", "Result", [
        ("contacted", "已联系上，同意配合复核", "Reached, lets itself be re-checked"), ("not_reached", "没有联系上", "Not reached"),
        ("refuses", "拒绝复核", "Refuses")], fact=True)  # fmt: skip
    note = text("联系情况", "What was said", required=False, widget="textarea")
    photo = document("照片", "Photo")

    @validates_schema(skip_on_field_errors=False)
    def _told(self, data: Mapping[str, Any], **_: Any) -> None:
        in_order(self, data.get("contacted_on"))
        if data.get("contact_outcome") in ("not_reached", "refuses") and not data.get("note"):
            raise ValidationError({"note": [self.say("没有联系上或拒绝复核时请写明情况", "Say what happened")]})

    @gives("contact_attempts", "last_attempt_on")
    def extra_facts(self, loaded: Mapping[str, Any]) -> dict[str, Any]:
        return counted(self, loaded["contact_outcome"], loaded["contacted_on"])
