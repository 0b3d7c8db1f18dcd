"""Forms of the visits to the destitute who are supported at home (分散供养特困人员走访; domain 1.17)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any, ClassVar

from marshmallow import ValidationError, validates_schema

from engine.forms import Form, choice, document, number, on_date, rows, text, yes_no
from processes.household_number import household

CONDITIONS = [("safe", "见到本人，平安", "Met, alive and safe"), ("unsafe", "见到本人，处境不安全", "Met, alive and not safe"), ("absent", "未见到本人", "Not met"), ("died", "本人已去世", "Died")]
CHECKS = [("ok", "正常", "In order"), ("problem", "有问题", "A problem"), ("n/a", "不需要", "Not needed")]
CHECKED = ("food", "heating", "electricity", "medicine")
PROBLEMS = [("safety", "人身安全", "Safety"), ("food", "饮食", "Food"), ("heating", "取暖", "Heating"), ("electricity", "用电", "Electricity"), ("medicine", "就医用药", "Medicine"),
            ("caretaker", "照料服务", "Care"), ("agreement", "照料服务协议", "Agreement on care"), ("money", "供养金发放", "Payment"), ("other", "其他", "Other")]  # fmt: skip
_ZH, _EN = {code: zh for code, zh, _ in PROBLEMS}, {code: en for code, _, en in PROBLEMS}
_MET = ("food", "heating", "electricity", "medicine", "caretaker_present", "agreement_signed", "money_received", "policy_explained", "leaflet_given")
_WHEN = ("见到本人的必填", "needed when he was met")
OLDEST = 366  # days


class DispersedProblem(Form):
    """A practical problem: solved on the spot, or by a day."""

    NEEDED: ClassVar[Mapping[str, tuple[str, str]]] = {"due_on": ("未当场解决的必填", "needed unless solved on the spot")}
    kind = choice("问题类别", "Kind", PROBLEMS, widget="select")
    solved_on_spot = yes_no("是否当场解决", "Solved on the spot", required=False)
    due_on = on_date("解决期限", "To be solved by", required=False, not_future=False)
    text = text("问题情况", "Problem", max=300)  # last: from here on the name is the field

    @validates_schema(skip_on_field_errors=False)
    def _fits(self, data: Mapping[str, Any], **_: Any) -> None:
        if data.get("solved_on_spot") and data.get("due_on"):
            raise ValidationError({"due_on": [self.say("当场解决的不设期限", "Not of what was solved on the spot")]})
        if not data.get("solved_on_spot") and not data.get("due_on"):
            raise ValidationError({"due_on": [self.say("请填写解决期限", "Say by when")]})


class DispersedVisitIn(Form):
    """分散供养走访: what was seen of a person, and what was done about it."""

    NEEDED: ClassVar[Mapping[str, tuple[str, str]]] = {**dict.fromkeys(_MET, _WHEN), "died_on": ("已去世的必填", "needed when he died"), "problems": ("有问题的必填", "needed of each problem")}
    SECTIONS: ClassVar[Mapping[str, tuple[str, str]]] = {"household_id": ("走访", "Visit"), "food": ("生活和照料", "Living and care"), "problems": ("问题和帮助", "Problems and help")}
    household_id = household("家庭", "Household")
    person_id = number("人员", "Person", required=False, hint="一户有两名以上特困人员的填写", hint_en="Where several of a household are destitute")
    visited_on = on_date("走访日期", "Visited on")
    companions = text("同行人员", "Who came along", required=False, max=200)
    condition = choice("本人情况", "How he is", CONDITIONS)
    died_on = on_date("去世日期", "Died on", required=False)
    food = choice("饮食", "Food", CHECKS, required=False)
    heating = choice("取暖", "Heating", CHECKS, required=False)
    electricity = choice("用电", "Electricity", CHECKS, required=False)
    medicine = choice("就医用药", "Medicine", CHECKS, required=False)
    caretaker_present = yes_no("照料服务人是否到位", "The caretaker is there", required=False)
    agreement_signed = yes_no("照料服务协议是否签订", "The agreement on care is signed", required=False)
    money_received = yes_no("供养金是否足额收到", "The money was received in full", required=False)
    policy_explained = yes_no("是否讲解政策", "Policy explained", required=False)
    leaflet_given = yes_no("是否发放明白纸、小册子", "Leaflet given", required=False)
    problems = rows("问题", "Problems", DispersedProblem)
    help_given = text("当场帮助", "Help given", required=False, max=300)
    photo = document("照片", "Photo")

    @validates_schema(skip_on_field_errors=False)
    def _whole(self, data: Mapping[str, Any], **_: Any) -> None:
        wrong = {**self._answers(data), **self._problems(data), **self._days(data)}
        if wrong:
            raise ValidationError({name: [self.say(*said)] for name, said in wrong.items()})

    def _answers(self, data: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
        met = data.get("condition") in ("safe", "unsafe")
        if data.get("condition") is None:
            return {}
        if met:
            return {name: ("见到本人的必须填写", "Needed when he was met") for name in _MET if data.get(name) is None}
        return {name: ("见到本人的才填写", "Only when he was met") for name in _MET if data.get(name) is not None}

    def _problems(self, data: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
        """Each thing that is not in order is a problem with a day, or one that was solved at once."""
        named = {one.get("kind") for one in data.get("problems") or () if isinstance(one, Mapping)}
        asked = [name for name in CHECKED if data.get(name) == "problem"]
        asked += [kind for name, kind in (("agreement_signed", "agreement"), ("money_received", "money")) if data.get(name) is False]
        asked += ["safety"] if data.get("condition") == "unsafe" else []
        lacking = [kind for kind in asked if kind not in named]
        if not lacking:
            return {}
        return {"problems": ("请逐项写明问题：" + "、".join(_ZH[kind] for kind in lacking), "Say what the problem is: " + ", ".join(_EN[kind] for kind in lacking))}

    def _days(self, data: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
        visited, today, died, wrong = data.get("visited_on"), self.context_value("today"), data.get("died_on"), dict[str, tuple[str, str]]()
        if data.get("condition") == "died" and not died:
            wrong["died_on"] = ("请填写去世日期", "Say when he died")
        elif died and data.get("condition") != "died":
            wrong["died_on"] = ("本人已去世的才填写", "Only when he died")
        elif died and visited and died > visited:
            wrong["died_on"] = ("不能晚于走访日期", "Not after the visit")
        if visited and today and visited < today - timedelta(days=OLDEST):
            wrong["visited_on"] = ("日期已超过一年，请核对", "More than a year ago: please check the date")
        if visited and any(isinstance(one.get("due_on"), date) and one["due_on"] < visited for one in data.get("problems") or () if isinstance(one, Mapping)):
            wrong["problems"] = ("解决期限不能早于走访日期", "To be solved after the visit")
        return wrong


class DispersedSolved(Form):
    """问题解决."""

    solved_on = on_date("解决日期", "Solved on")
    text = text("解决情况", "How it was solved", max=300, widget="textarea")
