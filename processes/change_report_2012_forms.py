"""What a report of a change and the tasks that follow ask for (domain 1.6, 2.9; N220 art 32, N649 art 13)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any, ClassVar

from marshmallow import ValidationError, validates_schema

from engine.forms import Form, choice, documents, number, on_date, rows, several, text, yes_no
from engine.given import given, gives
from processes import benefits, calendar, conclusions, law, special_cases, stop_notice
from processes.change_kinds import BY_HOUSEHOLD, CHANNELS, KINDS, LEAVING, OF_A_MEMBER, REPORTERS
from processes.contact_forms import ContactAgain, NotCooperating
from processes.dibao_2012_forms import (
    MATERIALS,
    OLDEST_APPLICATION,
    Deliver,
    HomeSurvey,
    MeansCheck,
    RegistryAnswer,
    Step,
    SurveyCosign,
    Withdrawal,
    opinion,
)
from processes.household_forms import ABILITIES, DISABILITIES, EMPLOYMENTS, IncomeIn, OwnedPropertyIn


def is_late(event_on: date, reported_on: date) -> bool:
    """More days than the law gives have passed since the event; on the last of them the report is in time."""
    days = int(law.value("change_report_days", reported_on).amount)
    return reported_on > event_on + timedelta(days=days)


class Change(Form):
    """What a report says, at the start of a case and when it comes into one that is under way."""

    NEEDED = {"person_id": ("变化只涉及一名成员时必选", "needed where the change is of one member"), "event_on": ("有变化时必填", "needed when something has changed")}  # noqa: RUF012
    kind = choice("变化类型", "Kind of change", KINDS, widget="select", fact=True)
    person_id = number("涉及成员", "Member concerned", required=False, fact=True)
    event_on = on_date("发生日期", "Happened on", required=False, fact=True, hint="没有变化时不填", hint_en="Leave empty when nothing has changed")
    reported_on = on_date("报告日期", "Reported on", fact=True)
    channel = choice("报告方式", "Channel", CHANNELS, widget="select", fact=True)
    reported_by = choice("报告人", "Reported by", REPORTERS, fact=True)
    details = text("变化情况", "What has changed", widget="textarea")
    evidence = documents("证明材料", "Evidence")
    wants_exit = yes_no("是否申请退出救助", "Asks to leave assistance", required=False, fact=True)
    doubted = yes_no("是否需要核实（仅用于没有变化）", "To be verified (only where nothing changed)", required=False, fact=True)

    @validates_schema(skip_on_field_errors=False)
    def _fits(self, data: Mapping[str, Any], **_: Any) -> None:
        kind, event, reported = data.get("kind"), data.get("event_on"), data.get("reported_on")
        wrong: dict[str, list[str]] = {}
        if kind == "no_change":
            if event:
                wrong["event_on"] = [self.say("没有变化时不填发生日期", "Nothing happened: leave the date empty")]
            if data.get("wants_exit"):
                wrong["wants_exit"] = [self.say("申请退出不是“没有变化”，请选择变化类型", "Leaving is a change: choose its kind")]
        elif kind and not event:
            wrong["event_on"] = [self.say("请填写变化发生的日期", "Say when it happened")]
        today = self.context_value("today")
        if today and reported and reported < today - timedelta(days=OLDEST_APPLICATION):
            wrong["reported_on"] = [self.say("报告日期已超过一年，请核对", "More than a year ago: please check the date")]
        if event and reported and reported < event:
            wrong["reported_on"] = [self.say("报告日期不能早于发生日期", "May not be before the event")]
        if kind in OF_A_MEMBER and data.get("person_id") is None:
            wrong["person_id"] = [self.say("请选择涉及的成员", "Choose the member whom it concerns")]
        if data.get("wants_exit") and data.get("reported_by") not in (None, "household", "staff"):
            wrong["wants_exit"] = [self.say("只有救助家庭自己可以申请退出", "Only the household itself can ask to leave")]
        if wrong:
            raise ValidationError(wrong)

    @gives("late", "late_since", "others_reported", "first_event_on", "applied_on", "person_id", "event_on", "wants_exit", "doubted")
    def extra_facts(self, loaded: Mapping[str, Any]) -> dict[str, Any]:
        """What was left out is said to be empty: a further report replaces the one before it. Late: the months from the one after
        the event's are looked at again."""
        event = loaded.get("event_on")
        late = event is not None and is_late(date.fromisoformat(event), date.fromisoformat(loaded["reported_on"]))
        since = benefits.month_after(date.fromisoformat(event)) if late and event else None
        empty = dict.fromkeys({"person_id", "event_on", "wants_exit", "doubted"} - loaded.keys())
        others = loaded["reported_by"] not in BY_HOUSEHOLD or bool(self.fact("others_reported"))
        return {**empty, "late": late, "others_reported": others, "late_since": _earliest(self.fact("late_since"), since), "applied_on": loaded["reported_on"],
                "first_event_on": _earliest(self.fact("first_event_on"), event)}  # fmt: skip


def _earliest(*days: str | None) -> str | None:
    return min((day for day in days if day), default=None)


class ChangeReport(Change):
    household_id = number("家庭", "Household", fact=True)


class FurtherChange(Change):
    """A second report into the case that the first one began."""

    @gives(*(given(Change.extra_facts) or ()), "contact_outcome", "contact_attempts", "last_attempt_on")
    def extra_facts(self, loaded: Mapping[str, Any]) -> dict[str, Any]:
        """A household that comes by itself co-operates: attempts of before are no reason to stop any more."""
        came = loaded["reported_by"] in BY_HOUSEHOLD and self.fact("contact_attempts")
        return super().extra_facts(loaded) | ({"contact_outcome": None, "contact_attempts": None, "last_attempt_on": None} if came else {})


class Leaving(Form):
    person_id = number("成员", "Member")
    left_on = on_date("离户日期", "Left on")
    left_reason = choice("原因", "Reason", LEAVING, widget="select")


class MemberIncomeRow(IncomeIn):
    """One item; all items of a member that are listed replace what the member declared before."""

    person_id = number("成员", "Member")


class PersonChange(Form):
    """What is new about a member; what is left empty stays."""

    person_id = number("成员", "Member")
    employment = choice("就业状况", "Employment", EMPLOYMENTS, widget="select", required=False)
    labour_ability = choice("劳动能力", "Labour ability", ABILITIES, widget="select", required=False)
    full_time_student = yes_no("全日制在校", "Full-time student", required=False)
    disability_kind = choice("残疾类别", "Disability", DISABILITIES, widget="select", required=False)
    disability_grade = number("残疾等级", "Grade", required=False)
    serious_illness = text("重大疾病", "Serious illness", required=False, max=60)

    @validates_schema(skip_on_field_errors=False)
    def _grade(self, data: Mapping[str, Any], **_: Any) -> None:
        grade = data.get("disability_grade")
        if grade is not None and not 1 <= grade <= 4:
            raise ValidationError({"disability_grade": ["残疾等级为 1 至 4"]})


EVIDENCE = [("complete", "证明齐全，登记变化", "Complete: register"), ("supplement", "一次性告知补充证明", "Ask for evidence, once")]


class RegisterChange(Form):
    """The clerk enters what has changed; new members are entered with the household first."""

    NEEDED: ClassVar[Mapping[str, tuple[str, str]]] = {"missing": ("需补充证明时必选", "needed to ask for evidence"), "new_holder": ("申请人死亡或离户时必填", "needed when the holder died or left"),
              "new_community": ("全户在本区内迁移时必填", "needed when the whole household moves inside the district")}  # fmt: skip
    SECTIONS: ClassVar[Mapping[str, tuple[str, str]]] = {
        "evidence_outcome": ("证明材料", "Evidence"), "leaves": ("成员变动", "Who leaves"), "incomes": ("收入和成员情况", "Income and particulars"),
        "property": ("财产", "Property"), "new_community": ("迁移", "Move"), "check_means": ("核查和意见", "Checks and opinion")}  # fmt: skip
    evidence_outcome = choice("证明材料", "Evidence", EVIDENCE, fact=True)
    missing = several("需补充的证明", "Missing evidence", MATERIALS)
    leaves = rows("离户或不再计入的成员", "Members who leave or no longer count", Leaving)
    new_holder = number("新的申请人（户主）", "New holder", required=False, fact=True)
    incomes = rows("变化后的收入", "Income after the change", MemberIncomeRow, hint="列出的成员，其申报收入全部以此为准；没有收入填 0.00",
                   hint_en="Replaces all that a listed member declared; no income: 0.00")  # fmt: skip
    persons = rows("成员情况变化", "Members' particulars", PersonChange)
    property = rows("变化后的家庭财产", "Property after the change", OwnedPropertyIn, hint="填写后全部以此为准", hint_en="Replaces what was declared")
    no_property = yes_no("已无任何申报财产", "No property any more", required=False)
    new_community = text("迁入的居村（代码）", "New community (code)", required=False, max=20, fact=True)
    new_address = text("新住址", "New address", required=False, max=200)
    check_means = yes_no("是否进行信息核对", "Means check?", required=False, fact=True)
    check_home = yes_no("是否入户调查", "Home survey?", required=False, fact=True)
    opinion = opinion(required=False)

    @validates_schema(skip_on_field_errors=False)
    def _once(self, data: Mapping[str, Any], **_: Any) -> None:
        asks, wrong = data.get("evidence_outcome") == "supplement", {}
        if asks and self.fact("supplement_asked_on"):
            wrong["evidence_outcome"] = [self.say("已一次性告知过，不得再次要求补充", "Evidence was asked for once already")]
        if asks and not data.get("missing"):
            wrong["missing"] = [self.say("请一次性列出全部需补充的证明", "List everything that is missing, once")]
        if data.get("evidence_outcome") == "complete" and data.get("missing"):
            wrong["missing"] = [self.say("证明齐全时不应列出需补充的证明", "Nothing can be missing when complete")]
        if data.get("property") and data.get("no_property"):
            wrong["no_property"] = [self.say("已填写财产，不能同时选“已无财产”", "Property is listed")]
        if data.get("new_community") and not self._whole_household_moves():
            wrong["new_community"] = [self.say("只有全户迁出时填写", "Only when the whole household moves")]
        if wrong:
            raise ValidationError(wrong)

    def _whole_household_moves(self) -> bool:
        return self.fact("kind") == "move_out" and self.fact("person_id") is None

    @validates_schema(skip_on_field_errors=False)
    def _checks(self, data: Mapping[str, Any], **_: Any) -> None:
        """The checks that the law table asks for are made; the clerk may ask for more."""
        if data.get("evidence_outcome") != "complete" or self.fact("kind") is None:
            return
        least = self.least()
        said = self.say("这类变化必须进行", "Needed for this kind of change")
        wrong = {f"check_{name}": [said] for name in least if data.get(f"check_{name}") is False}
        if wrong:
            raise ValidationError(wrong)

    def least(self) -> frozenset[str]:
        if self.fact("wants_exit"):
            return frozenset()
        return law.change_checks(str(self.fact("kind")), self.context_value("today"))

    @gives("check_means", "check_home", "new_holder", "new_community", "supplement_asked_on", "change_entered")
    def extra_facts(self, loaded: Mapping[str, Any]) -> dict[str, Any]:
        if loaded["evidence_outcome"] == "supplement":
            return {"supplement_asked_on": self.context_value("today").isoformat()}
        least = self.least()
        checks = {n: bool(loaded.get(n) or self.fact(n) or n.removeprefix("check_") in least) for n in ("check_means", "check_home")}
        entered = any(loaded.get(name) for name in ("leaves", "incomes", "persons", "property", "no_property", "new_holder"))
        return {**checks, "new_holder": loaded.get("new_holder") or self.fact("new_holder"), "new_community": loaded.get("new_community") or None,
                "change_entered": entered or bool(self.fact("change_entered"))}  # fmt: skip


class EvidenceSupplement(Step):
    received_on = on_date("补充收到日期", "Received on")
    supplied = several("已补充的证明", "Supplied evidence", MATERIALS, required=True)
    documents = documents("证明材料", "Documents")
    note = text("备注", "Note", required=False, widget="textarea")

    @gives("stopped_workdays")
    def extra_facts(self, loaded: Mapping[str, Any]) -> dict[str, Any]:
        """While the household was to bring papers, the office's clock stood."""
        asked = self.fact("supplement_asked_on")
        stood = calendar.workdays_between(date.fromisoformat(asked), self.context_value("today")) if asked else 0
        return {"stopped_workdays": (self.fact("stopped_workdays") or 0) + stood}


class ReceiveTransfer(Form):
    """The new street takes the file over, or says why not."""

    RETURNS = {"register_change": {"transfer_outcome": "returned"}}  # noqa: RUF012
    transfer_outcome = choice("接收意见", "Outcome", [("accepted", "接收", "Accept"), ("returned", "退回原街镇", "Return")], fact=True)
    address = text("现住址", "Address now", required=False, max=200)
    opinion = opinion()


class ConcludeChange(conclusions.Conclude):
    @validates_schema(skip_on_field_errors=False)
    def _way_out(self, data: Mapping[str, Any], **_: Any) -> None:
        """A change that leads out of assistance was computed by nobody: it ends with its reason, or is looked into after all."""
        way, said = self.fact("exit_reason"), data.get("conclusion")
        if self.fact("category") is not None or said in (None, "return_survey"):
            return
        if way is None:
            self._unchecked(str(said))
            return
        zh, en = benefits.REASON_WORDS[way]
        if said != "stop":
            raise ValidationError({"conclusion": [self.say(
                f"这项变化登记为“{zh}”，未经测算，只能停发或退回调查", f"Registered as “{en}”, nothing was computed: stop, or return it for a survey")]})  # fmt: skip
        if data.get("reason_code") != way:
            raise ValidationError({"reason_code": [self.say(f"停发理由应为“{zh}”", f"The reason is “{en}”")]})

    def _unchecked(self, said: str) -> None:
        """The household would not be re-checked, so nothing is known by which its benefit could go on as it is or in another amount."""
        if said not in ("stop", "suspend"):
            raise ValidationError({"conclusion": [self.say(
                "家庭没有配合复核，没有测算结果，只能停发、暂停发放或退回调查", "Nothing was computed, for the household was not re-checked: stop, suspend, or return it for a survey")]})  # fmt: skip

    @validates_schema(skip_on_field_errors=False)
    def _surveyed(self, data: Mapping[str, Any], **_: Any) -> None:
        """No case is decided without a finished investigation (N220 art 26), and the meeting takes none: it would wait there for ever."""
        if data.get("conclusion") == "joint_meeting" and not special_cases.admitted(self, data.get("trigger")):
            raise ValidationError({"conclusion": [self.say("没有入户调查，不能提交联席会议，请先退回入户调查", "No home survey yet: return it for one before it goes to the joint meeting")]})

    @gives(*special_cases.ASKED, *conclusions.LEFT_OUT, "overpaid_since", "check_means", "check_home")
    def extra_facts(self, loaded: Mapping[str, Any]) -> dict[str, Any]:
        """Who hid it owes from the month of the event on; who was only late, from the month after (domain 2.9, S15)."""
        since, event = self.fact("late_since"), self.fact("first_event_on")
        if loaded.get("reason_code") == "fraud" and event:
            since = _earliest(since, event[:7])
        kept = {name: loaded.get(name) for name in conclusions.LEFT_OUT}
        again = {"check_means": True, "check_home": True} if loaded["conclusion"] == "return_survey" else {}  # whoever sends it back asks for both
        return {**special_cases.asked(self, loaded["conclusion"], "street", loaded.get("trigger")), **kept, "overpaid_since": since, **again}


FORMS: dict[str, type[Form]] = {
    "register_change": RegisterChange,
    "supplement": EvidenceSupplement,
    "receive_transfer": ReceiveTransfer,
    "means_check": MeansCheck,
    "home_survey": HomeSurvey,
    "survey_cosign": SurveyCosign,
    "second_contact": ContactAgain,
    **conclusions.FORMS,
    **stop_notice.FORMS,
    "street_opinion": ConcludeChange,
    "deliver_transfer": Deliver,
}
MESSAGES: dict[str, type[Form]] = {
    "change_reported": FurtherChange,
    "withdrawal": Withdrawal,
    "not_cooperating": NotCooperating,
    **stop_notice.MESSAGES,
    "registry_answer": RegistryAnswer,
    "resolution": special_cases.Resolution,
}


def member_rows(answers: Mapping[str, Any]) -> list[tuple[str, int]]:
    """Every member that a registration names, with the path of the field."""
    found = [(f"{name}.{n}.person_id", row["person_id"]) for name in ("leaves", "incomes", "persons", "property")
             for n, row in enumerate(answers.get(name) or ()) if row.get("person_id") is not None]  # fmt: skip
    return found + ([("new_holder", answers["new_holder"])] if answers.get("new_holder") is not None else [])
