"""What each task of a periodic re-review asks for (民发〔2012〕220号 art 33), and what may not be answered.

Contacts are dated: who will not be re-checked was asked twice, on two days (domain 2.9).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any, ClassVar

from marshmallow import ValidationError, validates_schema

from engine.forms import Form, choice, document, number, on_date, several, text, yes_no
from engine.given import gives
from processes import benefits, change_kinds, conclusions, law, special_cases, stop_notice
from processes.contact_forms import METHODS, NotCooperating, counted, in_order
from processes.dibao_2012_forms import (
    MATERIALS,
    HomeSurvey,
    MeansCheck,
    RegistryAnswer,
    SurveyCosign,
)

OCCASIONS = [
    ("due", "到期复审", "Due"),
    ("campaign", "全面复核", "Everybody is re-checked"),
    ("early", "提前复审", "Early"),
    ("complaint", "举报查实", "A complaint was proved"),
]
# As in a change report; the public's tip has kept the code that it had here.
REPORTERS = [("others" if code == "public" else code, zh, en) for code, zh, en in change_kinds.REPORTERS]
CHANGES = [change_kinds.SPLIT, *(kind for kind in change_kinds.KINDS if kind[0] != "no_change")]


class StartReview(Form):
    NEEDED = {"note": ("提前复审时必填", "needed when it is early")}  # noqa: RUF012
    household_id = number("家庭", "Household", fact=True)
    supported_person_id = number("特困人员（这户另有救助时必填）", "Destitute person (where the household has another benefit)", required=False, fact=True)
    occasion = choice("复审缘由", "Occasion", OCCASIONS, fact=True)
    complaint_no = text("举报编号（举报查实时必填）", "Number of the complaint (where one was proved)", required=False, max=40, fact=True)
    note = text("说明", "Note", required=False, widget="textarea", hint="提前复审时请写明缘由", hint_en="Say why when it is early")

    @validates_schema(skip_on_field_errors=False)
    def _why(self, data: Mapping[str, Any], **_: Any) -> None:
        if data.get("occasion") == "early" and not data.get("note"):
            raise ValidationError({"note": [self.say("提前复审时请写明缘由", "Say why it is reviewed early")]})


# -- contacts


class Contact(Form):
    """One dated contact: the household is told what is looked at, which papers to bring and which authorisations to sign."""

    NEEDED = {"note": ("已联系上以外的结果必填", "needed for every result but “reached”")}  # noqa: RUF012
    contacted_on = on_date("联系日期", "Contacted on")
    method = choice("联系方式", "How", METHODS, widget="select")
    contact_outcome = choice("联系结果", "Result", [
        ("contacted", "已联系上，告知复审事项", "Reached and told"), ("not_reached", "没有联系上", "Not reached"),
        ("refuses", "拒绝复审", "Refuses"), ("died", "享受待遇人员已去世", "The recipient died")], fact=True)  # fmt: skip
    asked_for = several("提醒准备的材料", "Papers asked for", MATERIALS)
    note = text("联系情况", "What was said", required=False, widget="textarea")
    death_document = document("死亡证明", "Death certificate")

    @validates_schema(skip_on_field_errors=False)
    def _told(self, data: Mapping[str, Any], **_: Any) -> None:
        in_order(self, data.get("contacted_on"))
        if data.get("contact_outcome") in ("not_reached", "refuses", "died") and not data.get("note"):
            raise ValidationError({"note": [self.say("没有联系上、拒绝复审或已去世时请写明情况", "Say what happened")]})

    @gives("contact_attempts", "last_attempt_on")
    def extra_facts(self, loaded: Mapping[str, Any]) -> dict[str, Any]:
        return counted(self, loaded["contact_outcome"], loaded["contacted_on"])


class RenewAuthorisations(Form):
    """Every adult signs again where the authorisation has run out (N220 art 12)."""

    NEEDED = {"note": ("拒绝签署时必填", "needed when they refuse")}  # noqa: RUF012
    contacted_on = on_date("日期", "On")
    contact_outcome = choice("结果", "Result", [
        ("contacted", "已全部补签", "All signed"), ("refuses", "拒绝签署", "Refuse to sign")], fact=True)  # fmt: skip
    note = text("说明", "Note", required=False, widget="textarea")

    @validates_schema(skip_on_field_errors=False)
    def _told(self, data: Mapping[str, Any], **_: Any) -> None:
        if data.get("contact_outcome") == "refuses":
            in_order(self, data.get("contacted_on"))
            if not data.get("note"):
                raise ValidationError({"note": [self.say("拒绝签署时请写明情况", "Say what happened")]})

    @gives("contact_attempts", "last_attempt_on")
    def extra_facts(self, loaded: Mapping[str, Any]) -> dict[str, Any]:
        return counted(self, loaded["contact_outcome"], loaded["contacted_on"])


class ChangeReported(Form):
    """A change that is reported while the review runs. Reported late, the months since then are looked at."""

    NEEDED = {"person_id": ("变化只涉及一名成员时必选", "needed where the change is of one member")}  # noqa: RUF012
    change_kind = choice("变化种类", "Kind", CHANGES, fact=True, widget="select")
    changed_on = on_date("发生日期", "Happened on", fact=True)
    person_id = number("涉及成员", "Member concerned", required=False, fact=True)
    reported_on = on_date("报告日期", "Reported on", fact=True)
    channel = choice("报告方式", "Channel", change_kinds.CHANNELS, widget="select", fact=True)
    reported_by = choice("报告人", "Reported by", REPORTERS, fact=True)
    details = text("变化情况", "Details", widget="textarea")
    evidence = document("证明材料", "Evidence")
    wants_exit = yes_no("是否申请退出救助", "Asks to leave assistance", required=False, fact=True)

    @validates_schema(skip_on_field_errors=False)
    def _ordered(self, data: Mapping[str, Any], **_: Any) -> None:
        happened, told, begun = data.get("changed_on"), data.get("reported_on"), self.fact("review_from")
        if happened and told and told < happened:
            raise ValidationError({"reported_on": [self.say("不能早于发生日期", "Not before it happened")]})
        if data.get("wants_exit") and data.get("reported_by") not in (None, *change_kinds.BY_HOUSEHOLD):
            raise ValidationError({"wants_exit": [self.say("只有救助家庭自己可以申请退出", "Only the household itself can ask to leave")]})
        if data.get("change_kind") in change_kinds.OF_A_MEMBER and data.get("person_id") is None:
            raise ValidationError({"person_id": [self.say("请选择涉及的成员", "Choose the member whom it concerns")]})
        if told and begun and told < date.fromisoformat(begun):
            raise ValidationError({"reported_on": [self.say(f"不能早于复审开始日期（{begun}）", f"May not be before the review began ({begun})")]})

    @gives("reported_late", "overpaid_since", "person_id", "wants_exit")
    def extra_facts(self, loaded: Mapping[str, Any]) -> dict[str, Any]:
        """Whom it does not name, an earlier report does not name for it."""
        happened, told = date.fromisoformat(loaded["changed_on"]), date.fromisoformat(loaded["reported_on"])
        late = told > happened + timedelta(days=int(law.value("change_report_days", told).amount))
        since = [month for month in (self.fact("overpaid_since"), benefits.month_after(happened) if late else None) if month]
        unnamed: dict[str, Any] = {"person_id": None} if loaded.get("person_id") is None else {}
        if self.fact("wants_exit") is not None and loaded.get("wants_exit") is None and loaded["reported_by"] in change_kinds.BY_HOUSEHOLD:
            unnamed["wants_exit"] = None  # only the household itself takes its wish back
        return unnamed | {"reported_late": late} | ({"overpaid_since": min(since)} if since else {})


# -- opinion and sign-off


class ReviewOpinion(conclusions.Conclude):
    """The opinion on a review. Without a means check and a home visit it can only end for those who died or did not co-operate."""

    NEEDED: ClassVar[Mapping[str, tuple[str, str]]] = {**conclusions.Conclude.NEEDED, "changed_since": ("以隐瞒、虚报或伪造为由停发时必填", "needed to stop for lies or hiding")}
    SECTIONS: ClassVar[Mapping[str, tuple[str, str]]] = {**conclusions.Conclude.SECTIONS, "changed_since": ("多领的救助金", "What was paid too much")}
    changed_since = text("多领从哪个月起", "Paid too much since (month)", required=False, max=7, hint="如 2018-10；没有隐瞒、逾期未报的不填",
                         hint_en="Like 2018-10; empty when nothing was hidden or late")  # fmt: skip

    @validates_schema(skip_on_field_errors=False)
    def _checked(self, data: Mapping[str, Any], **_: Any) -> None:
        said, reason = data.get("conclusion"), data.get("reason_code")
        if said in (None, "return_survey"):
            return
        if reason == "no_cooperation" and (self.fact("contact_attempts") or 0) < conclusions.ATTEMPTS:
            raise ValidationError({"reason_code": [self.say("应有两次注明日期的联系或上门未果", "Two dated attempts come first")]})
        unchecked = said == "stop" and reason in ("no_cooperation", "death_single")
        if self.fact("investigated") is not True and not unchecked:
            raise ValidationError({"conclusion": [self.say(
                "还没有完成信息核对和入户调查，不能作出这项结论", "No conclusion before the means check and the home visit")]})  # fmt: skip
        if self.fact("destitute") and said in ("increase", "decrease"):
            raise ValidationError({"conclusion": [self.say(
                "特困供养按标准发放，不按测算增减", "Support of the destitute follows its standard, not the calculation")]})  # fmt: skip

    @validates_schema(skip_on_field_errors=False)
    def _past(self, data: Mapping[str, Any], **_: Any) -> None:
        month, today = data.get("changed_since"), self.context_value("today")
        if data.get("conclusion") == "stop" and data.get("reason_code") == "fraud" and not month and not self.fact("overpaid_since"):
            raise ValidationError({"changed_since": [self.say(
                "以隐瞒、虚报或伪造为由停发的，应写明从哪个月起多领", "Who lied or hid pays back: say since which month it was too much")]})  # fmt: skip
        if month and not (conclusions.is_month(month) and month <= f"{today:%Y-%m}"):
            raise ValidationError({"changed_since": [self.say("月份写成 2018-10，且不能晚于本月", "Like 2018-10, and not after this month")]})

    @gives(*special_cases.ASKED, *conclusions.LEFT_OUT, "overpaid_since")
    def extra_facts(self, loaded: Mapping[str, Any]) -> dict[str, Any]:
        since = loaded.get("changed_since")
        return super().extra_facts(loaded) | ({"overpaid_since": since} if since else {})


FORMS: dict[str, type[Form]] = {
    **conclusions.FORMS,
    "contact_household": Contact,
    "second_contact": Contact,
    "renew_authorisations": RenewAuthorisations,
    "means_check": MeansCheck,
    "home_survey": HomeSurvey,
    "survey_cosign": SurveyCosign,
    "street_opinion": ReviewOpinion,
    **stop_notice.FORMS,
}
MESSAGES: dict[str, type[Form]] = {
    "change_reported": ChangeReported,
    "not_cooperating": NotCooperating,
    **stop_notice.MESSAGES,
    "registry_answer": RegistryAnswer,
    "resolution": special_cases.Resolution,
}
