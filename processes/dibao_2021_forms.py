"""What each task of the 2021 dibao procedure asks for where it is not what the 2012 one asked (民发〔2021〕57号, "N57").

One public notice; a democratic review only where it was disputed; limits over the whole case, which special circumstances extend.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, ClassVar

from marshmallow import ValidationError, validates_schema

from engine.forms import Form, choice, document, on_date, several, text, yes_no
from engine.given import gives
from processes import dibao_2012_forms as before
from processes import law, special_cases
from processes.dibao_2012_forms import Outcome, PostNotice, Step, one_of_reasons, opinion

METHODS = [
    ("home", "入户调查", "Home survey"),
    ("neighbours", "邻里访问", "Neighbour enquiry"),
    ("letters", "信函索证", "Letters for proof"),
    ("means_check", "信息核对", "Means check"),
    ("remote", "电话、视频等非接触方式（重大突发事件）", "By telephone or video (emergency)"),
]
EXTENSIONS = [
    ("disputed", "公示有异议", "The notice was disputed"),
    ("residence", "人户分离", "Hukou and residence differ"),
    ("elsewhere", "异地申办", "Applied for elsewhere"),
    ("difficult", "家庭经济状况调查难度较大", "The investigation is difficult"),
]
REFUSALS = [
    ("no_entry", "拒绝入户调查", "Lets nobody in"),
    ("no_papers", "拒不提供材料", "Gives no papers"),
    ("no_check", "拒绝信息核对", "Refuses the means check"),
    ("no_contact", "无正当理由多次不接受联系", "Cannot be reached, without a reason"),
]


def extension() -> Any:
    return choice("延长办理期限的特殊情况", "Special circumstances that extend the limit", EXTENSIONS, required=False, widget="select", fact=True,
                  hint="没有特殊情况的不填；延长后自受理之日起45个工作日内完成", hint_en="Left out where there are none; 45 working days from acceptance then")  # fmt: skip


def extended(form: Form, loaded: Mapping[str, Any]) -> dict[str, Any]:
    """The longer limit over the whole case, by the law of the day of acceptance (N57 art 22; N2022 4(1))."""
    accepted = form.fact("accepted_on")
    if not loaded.get("extension") or not accepted:
        return {}
    return {"whole_case_workdays": int(law.value("whole_case_extended_workdays", date.fromisoformat(accepted)).amount)}


class StartInvestigation(Step):
    """启动家庭经济状况调查, within three working days of acceptance (N57 art 15)."""

    AFTER: ClassVar[Mapping[str, str]] = {"started_on": "accepted_on"}
    started_on = on_date("启动日期", "Started on", fact=True)
    methods = several("调查方式", "Ways", METHODS, required=True)
    extension = extension()
    note = text("说明", "Note", required=False, widget="textarea")

    @gives("whole_case_workdays")
    def extra_facts(self, loaded: Mapping[str, Any]) -> dict[str, Any]:
        return extended(self, loaded)


class NotCooperating(Step):
    """拒不配合 (N57 art 29): what happened on a day. That the household was told the consequence first is asked for."""

    AFTER: ClassVar[Mapping[str, str]] = {"refused_on": "accepted_on"}
    refused_on = on_date("发生日期", "On")
    refusal = choice("拒不配合的情形", "How", REFUSALS, widget="select")
    warned = yes_no("是否已告知不配合的后果", "Was the household told the consequence?")
    note = text("情况", "What happened", widget="textarea")
    photo = document("照片", "Photo")

    @validates_schema(skip_on_field_errors=False)
    def _told_first(self, data: Mapping[str, Any], **_: Any) -> None:
        if data.get("warned") is False:
            raise ValidationError({"warned": [self.say("请先告知申请家庭不配合调查的后果", "Tell the household the consequence first")]})

    @gives("not_cooperating_on")
    def extra_facts(self, loaded: Mapping[str, Any]) -> dict[str, Any]:
        return {"not_cooperating_on": loaded["refused_on"]}


class StreetOpinion(before.StreetOpinion):
    """初审意见 (N57 art 19). Where the household would not co-operate it may also propose to end the procedure (art 29)."""

    REASONED = frozenset({"propose_refuse", "return_survey", "terminate"})
    RETURNS = {"home_survey": {"street_outcome": "return_survey"}}  # noqa: RUF012
    street_outcome = choice("初审意见", "Initial opinion", [
        ("propose_grant", "拟同意", "Propose to grant"), ("propose_refuse", "拟不同意", "Propose to refuse"),
        ("return_survey", "退回重新调查", "Return for a new survey"), ("terminate", "建议终止审核确认程序", "Propose to end the procedure"),
        ("joint_meeting", "提交联席会议", "To the joint meeting")], fact=True)  # fmt: skip
    clause = text("依据条款", "Clause of law", required=False, max=200, hint="如：民发〔2021〕57号第二十一条", hint_en="Like: 民发〔2021〕57号 art 21")
    extension = extension()

    @validates_schema(skip_on_field_errors=False)
    def _co_operation(self, data: Mapping[str, Any], **_: Any) -> None:
        outcome, refused = data.get("street_outcome"), self.fact("not_cooperating_on")
        if outcome == "terminate" and not refused:
            raise ValidationError({"street_outcome": [self.say(
                "没有登记申请家庭拒不配合的情况，不能终止程序（民发〔2021〕57号第二十九条）", "Nothing shows that the household does not co-operate (N57 art 29)")]})  # fmt: skip
        if outcome == "propose_grant" and refused and self.fact("category") is None:
            raise ValidationError({"street_outcome": [self.say(
                "家庭经济状况调查没有完成，不能拟同意（民发〔2021〕57号第二十八条）", "The investigation was not finished: nothing can be granted (N57 art 28)")]})  # fmt: skip
        if data.get("extension") == "disputed" and not self.fact("disputed"):
            raise ValidationError({"extension": [self.say("公示没有异议", "The notice was not disputed")]})

    @gives(*special_cases.ASKED, "street_notice_from", "whole_case_workdays")
    def extra_facts(self, loaded: Mapping[str, Any]) -> dict[str, Any]:
        """The first day on which the opinion can hang on the board: its own, or that of the leader's signature after it."""
        posted = {"street_notice_from": self.context_value("today").isoformat()} if loaded["street_outcome"] == "propose_grant" else {}
        return super().extra_facts(loaded) | posted | extended(self, loaded)




class PostStreetNotice(before.PostStreetNotice):
    PROCEDURE = "2021"


class RemoveStreetNotice(before.RemoveStreetNotice):
    """What hung for its seven days without objection is not posted again when the file comes back unchanged."""

    PROCEDURE = "2021"

    @gives("published_category", "published_fen")
    def extra_facts(self, loaded: Mapping[str, Any]) -> dict[str, Any]:
        return {"published_category": self.fact("category"), "published_fen": self.fact("amount_fen")}


class HandleDispute(Step):
    """公示有异议: investigated again, or put to a democratic review (N57 art 19). The opinion that follows goes up without a new notice."""

    AFTER: ClassVar[Mapping[str, str]] = {"handled_on": "objection_on"}
    handled_on = on_date("处理日期", "On")
    findings = text("异议情况", "What is disputed", widget="textarea")
    dispute_way = choice("处理方式", "What is done", [
        ("investigate", "重新组织调查", "Investigate again"), ("review", "开展民主评议", "Democratic review")], fact=True)  # fmt: skip
    extension = extension()
    answered = text("答复异议人情况", "Answer to the objector", required=False, widget="textarea")

    @gives("disputed", "whole_case_workdays")
    def extra_facts(self, loaded: Mapping[str, Any]) -> dict[str, Any]:
        return {"disputed": True, **extended(self, loaded)}


class DemocraticReview(before.DemocraticReview):
    """N57 says nothing of who takes part; what N220 said is configuration since (law/procedure.yaml, unverified)."""

    AFTER: ClassVar[Mapping[str, str]] = {"held_on": "objection_on"}
    COMPOSITION = ("沿用原办法的组成要求", "as the measures of before asked for")
    SIGNATURES = COMPOSITION


class SubmitToDistrict(before.SubmitToDistrict):
    complained = yes_no("是否接到投诉、举报", "Were there complaints or reports?", required=False,
                        hint="审核确认阶段接到投诉、举报的，区民政局应当入户调查", hint_en="The district visits the home then")  # fmt: skip

    @gives("examination_from", "reported")
    def extra_facts(self, loaded: Mapping[str, Any]) -> dict[str, Any]:
        return super().extra_facts(loaded) | _reported(loaded)


def _reported(loaded: Mapping[str, Any]) -> dict[str, Any]:
    return {"reported": True} if loaded.get("complained") else {}


class DistrictExamination(before.DistrictExamination):
    """审核 within ten working days of the file's receipt (N57 art 20)."""

    district_outcome = choice("审核意见", "Outcome", [
        ("propose_grant", "拟确认同意", "Propose to grant"), ("propose_refuse", "拟不予确认", "Propose to refuse"),
        ("return_survey", "退回重新调查", "Return for a new survey"), ("return_street", "退回街镇初审", "Return to the street"),
        ("joint_meeting", "提交联席会议", "To the joint meeting")], fact=True)  # fmt: skip
    clause = text("依据条款", "Clause of law", required=False, max=200, hint="如：民发〔2021〕57号第二十一条", hint_en="Like: 民发〔2021〕57号 art 21")
    complained = yes_no("是否接到投诉、举报", "Were there complaints or reports?", required=False)
    extension = extension()

    @gives(*special_cases.ASKED, "reported", "whole_case_workdays")
    def extra_facts(self, loaded: Mapping[str, Any]) -> dict[str, Any]:
        return special_cases.asked(self, loaded["district_outcome"], "district", loaded.get("trigger")) | _reported(loaded) | extended(self, loaded)


class Decide(before.Decide):
    decision = choice("审核确认决定", "Decision", [
        ("granted", "确认同意", "Grant"), ("refused", "不予确认", "Refuse"), ("returned", "退回区级审核", "Return")], fact=True)  # fmt: skip


class DecideRefusal(before.Decide):
    decision = choice("审核确认决定", "Decision", [("refused", "不予确认", "Refuse"), ("returned", "退回区级审核", "Return")], fact=True)


class StreetConfirmation(Outcome):
    """The street confirms where the power was handed down to it (TJ-DELEGATE-2021): whoever had no part in the case before."""

    OUTCOME = "decision"
    REASONED = frozenset({"refused", "returned"})
    RETURNS = {"street_opinion": {"decision": "returned"}}  # noqa: RUF012
    FINAL = {"decision": ("granted", "refused")}  # noqa: RUF012
    decision = choice("审核确认决定", "Decision", [
        ("granted", "确认同意", "Grant"), ("refused", "不予确认", "Refuse"), ("returned", "退回初审", "Return")], fact=True)  # fmt: skip
    opinion = opinion()
    reason_code = one_of_reasons()["reason_code"]
    clause = text("依据条款", "Clause of law", required=False, max=200, hint="如：民发〔2021〕57号第二十一条", hint_en="Like: 民发〔2021〕57号 art 21")

    @validates_schema(skip_on_field_errors=False)
    def _as_published(self, data: Mapping[str, Any], **_: Any) -> None:
        if data.get("decision") == "granted" and self.fact("street_outcome") != "propose_grant":
            raise ValidationError({"decision": [self.say("初审意见是拟不同意，不能直接确认同意；请退回初审", "The initial opinion is to refuse: return it")]})

    @gives("decided_on")
    def extra_facts(self, loaded: Mapping[str, Any]) -> dict[str, Any]:
        return {} if loaded["decision"] == "returned" else {"decided_on": self.context_value("today").isoformat()}


class DecideTermination(Outcome):
    """终止审核确认程序 (N57 art 29): not a refusal, nothing was found about the household. It may apply again."""

    OUTCOME = "decision"
    REASONED = frozenset({"returned"})
    RETURNS = {"street_opinion": {"decision": "returned"}}  # noqa: RUF012
    FINAL = {"decision": ("terminated",)}  # noqa: RUF012
    decision = choice("决定", "Decision", [("terminated", "终止程序", "End the procedure"), ("returned", "退回初审", "Return")], fact=True)
    opinion = opinion()

    @gives("decided_on")
    def extra_facts(self, loaded: Mapping[str, Any]) -> dict[str, Any]:
        return {} if loaded["decision"] == "returned" else {"decided_on": self.context_value("today").isoformat()}


class PublishResult(PostNotice):
    """公布: name of the applicant, number of members and amount, nothing else (N57 art 24)."""

    AFTER: ClassVar[Mapping[str, str]] = {"posted_on": "decided_on"}


FORMS: dict[str, type[Form]] = {
    **{node: before.FORMS[node] for node in (
        "completeness_check", "supplement", "register_near_relative", "means_check", "home_survey", "survey_cosign", "neighbor_enquiry",
        "issue_check_rejection", "deliver_check_rejection", "low_income_consent", "street_signoff", "spot_check_visit", "late_spot_check_visit",
        "deliver_approval", "deliver_refusal")},
    "start_investigation": StartInvestigation,
    "street_opinion": StreetOpinion,
    "post_street_notice": PostStreetNotice,
    "remove_street_notice": RemoveStreetNotice,
    "handle_dispute": HandleDispute,
    "democratic_review": DemocraticReview,
    "submit_to_district": SubmitToDistrict,
    "district_examination": DistrictExamination,
    "decide": Decide,
    "decide_refusal": DecideRefusal,
    "street_confirmation": StreetConfirmation,
    "decide_termination": DecideTermination,
    "publish_result": PublishResult,
    "deliver_termination": before.Deliver,
}  # fmt: skip
MESSAGES: dict[str, type[Form]] = {**before.MESSAGES, "not_cooperating": NotCooperating}
