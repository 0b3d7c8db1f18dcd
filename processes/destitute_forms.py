"""What the tasks of both procedures for the support of the destitute ask for, where they are not those of dibao (民发〔2016〕178号, "N178";
民发〔2021〕43号, "N43"). The applicant is a person, so the household is only where he lives.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, ClassVar

from marshmallow import ValidationError, validates_schema

from engine.forms import Form, choice, document, documents, money, number, on_date, rows, staff, text, yes_no
from engine.given import gives
from processes import destitution, law
from processes import dibao_2012_forms as before
from processes import dibao_2021_forms as later
from processes.dibao_2012_forms import OLDEST_APPLICATION, Step, midnight_after, opinion

REASONS = [
    ("able_to_work", "不属于无劳动能力", "Not without labour ability"),
    ("income_over", "收入不符合条件", "Income over the limit"),
    ("property_over", "财产不符合条件", "Property over the limit"),
    ("obligor_able", "法定义务人有履行义务能力", "A legal supporter is able"),
    ("orphan", "应当纳入孤儿基本生活保障", "Goes to the support of orphans"),
    ("hukou", "户籍不符合条件", "Hukou"),
    ("no_cooperation", "拒绝配合调查", "No co-operation"),
    ("false_statement", "隐瞒或虚假申报", "False statement"),
    ("procedure", "程序或材料有欠缺", "Procedure or papers incomplete"),
    ("facts_unclear", "事实不清", "Facts unclear"),
    ("other", "其他", "Other"),
]
# Line of the test -> the reason that stands for it where it is not met.
REASON_OF = {"ability": "able_to_work", "income": "income_over", "property": "property_over", "obligors": "obligor_able", "orphan": "orphan"}
SUPPORT = [("institutional", "集中供养", "In an institution"), ("dispersed", "分散供养", "At home")]
RELATIONS = [(code, zh, en.capitalize()) for code, (zh, en) in destitution.RELATION_WORDS.items()]
RECEIVES = [("none", "无", "Nothing"), ("dibao", "最低生活保障对象", "Minimum living guarantee"), ("destitute", "特困人员", "Support of the destitute")]
STATES = [("present", "正常", "None of these"), ("incapable", "无民事行为能力", "Legally incapable"), ("missing", "被宣告失踪", "Declared missing"), ("prison", "在监狱服刑", "In prison")]
DISABILITIES = [("vision", "视力", "Vision"), ("limb", "肢体", "Limb"), ("intellectual", "智力", "Intellectual"), ("mental", "精神", "Mental"),
                ("speech", "言语", "Speech"), ("hearing", "听力", "Hearing"), ("multiple", "多重", "Multiple")]  # fmt: skip
ALLOWANCES = [("basic_pension_resident", "城乡居民基础养老金", "Basic pension of residents"), ("basic_medical", "基本医疗保险等社会保险", "Basic medical and other social insurance"),
              ("old_age_allowance", "高龄津贴等福利补贴", "Old-age and similar allowances"), ("preferential_allowance", "优待抚恤金（2021年7月前计入）", "Preferential allowance (counted before July 2021)")]  # fmt: skip
SELF_CARE = [("full", "具备生活自理能力", "Able to care for himself"), ("partly_lost", "部分丧失生活自理能力", "Ability partly lost"), ("completely_lost", "完全丧失生活自理能力", "Ability completely lost")]
CLAUSES = ("写明文件和条款，如：民发〔2021〕43号第二十五条", "Paper and article")


def reason_fields() -> dict[str, Any]:
    return {"reason_code": choice("理由", "Reason", REASONS, required=False, widget="select"),
            "clause": text("依据条款", "Clause of law", required=False, max=200, hint=CLAUSES[0], hint_en=CLAUSES[1])}  # fmt: skip


class DestituteApplication(Form):
    """Of one named member of a household, who may be its only one. Who cannot apply himself is helped (N649 art 17)."""

    NEEDED: ClassVar[Mapping[str, tuple[str, str]]] = {"agent_name": ("委托他人或监护人提出时必填", "needed when somebody else applies")}
    household_id = number("家庭", "Household", fact=True)
    supported_person_id = number("申请人（家庭成员）", "Who is to be supported (a member)", fact=True)
    programme = choice("申请事项", "Programme", [("destitute", "特困人员救助供养", "Support of the destitute")], fact=True)
    applied_on = on_date("申请日期", "Applied on", fact=True)
    applied_by = choice("提出人", "Applied by", [
        ("self", "本人", "Himself"), ("agent", "委托他人", "Somebody entrusted"), ("guardian", "监护人", "Guardian"),
        ("village_committee", "居村委会代为提交", "Committee"), ("street", "街镇协助提出", "With the street's help")])  # fmt: skip
    agent_name = text("受托人或监护人姓名", "Name of who applies for him", required=False, max=60, about="agent")
    support_form = choice("供养形式（本人选择）", "Form of support (the person chooses)", SUPPORT, fact=True)
    reason = text("申请理由", "Reasons", widget="textarea")
    documents = documents("申请材料", "Documents")

    @validates_schema(skip_on_field_errors=False)
    def _whole(self, data: Mapping[str, Any], **_: Any) -> None:
        wrong: dict[str, list[str]] = {}
        if data.get("applied_by") in ("agent", "guardian") and not data.get("agent_name"):
            wrong["agent_name"] = [self.say("委托他人或监护人提出的，请填写姓名", "Name who applies for him")]
        today, applied = self.context_value("today"), data.get("applied_on")
        if today and applied and (today - applied).days > OLDEST_APPLICATION:
            wrong["applied_on"] = [self.say("申请日期已超过一年，请核对", "More than a year ago: please check the date")]
        if wrong:
            raise ValidationError(wrong)


class CompletenessCheck(before.CompletenessCheck):
    def _not_told(self, new: set[str]) -> str:
        zh, en = (("、" if n == 1 else ", ").join(row[n] for row in before.MATERIALS if row[0] in new) for n in (1, 2))
        return self.say(f"首次告知没有列出{zh}，不得再次要求（一次性告知）", f"The first notice did not list this, it may not be asked for now (one-time notice): {en}")


class ObligorRow(Form):
    relation = choice("关系", "Relation", RELATIONS, widget="select")
    name = text("姓名", "Name", required=False, max=60)
    age = number("年龄（周岁）", "Age")
    receives = choice("享受救助", "Receives", RECEIVES, widget="select")
    disability_kind = choice("残疾类别", "Disability", DISABILITIES, required=False, widget="select")
    disability_grade = number("残疾等级（1至4）", "Grade (1 to 4)", required=False)
    state = choice("状况", "State", STATES, widget="select")
    income = money("月收入", "Income a month", required=False)
    income_below_average = yes_no("收入低于当地上年人均可支配收入", "Income below the local average of the last year", required=False)
    property_fits = yes_no("财产符合规定", "Property within the limits")


class AllowanceRow(Form):
    kind = choice("项目", "Item", ALLOWANCES, widget="select")
    amount = money("每月金额", "Amount a month")


class Circumstances(Step):
    """核实: what the three conditions rest on and no register holds. Each of who must support by law has a row; none: there is nobody."""

    AFTER: ClassVar[Mapping[str, str]] = {"enquired_on": "investigation_from"}
    enquired_on = on_date("核实日期", "Enquired on")
    orphan = yes_no("是否同时符合孤儿认定条件（未成年人）", "An orphan, too (minors)?")
    chooses_destitute = yes_no("孤儿本人或监护人是否选择特困供养", "Does the orphan, or the guardian, choose this support?", required=False)
    continuing = yes_no("是否已纳入特困供养（未成年人年满16周岁）", "Supported as a minor already (now 16)?", required=False)
    in_school = yes_no("是否在校就读（义务教育、普通高中、中等职业学校）", "In school (compulsory, high, vocational)?", required=False)
    property_fits = yes_no("本人财产是否符合特困人员财产状况规定", "Is the person's property within the limits?")
    allowances = rows("不计入收入的待遇", "What is no income", AllowanceRow)
    obligors = rows("法定义务人（没有的不填行）", "Who must support by law (no rows: nobody)", ObligorRow, required=True, about="obligor")
    statement = text("核实情况", "What was found", widget="textarea")
    documents = documents("证明材料", "Proof")

    @validates_schema(skip_on_field_errors=False)
    def _sound(self, data: Mapping[str, Any], **_: Any) -> None:
        wrong: dict[str, list[str]] = {}
        for one in data.get("obligors") or ():
            if not isinstance(one, Mapping):
                continue
            grade, years = one.get("disability_grade"), one.get("age")
            if grade is not None and not 1 <= grade <= 4:
                wrong["obligors"] = [self.say("残疾等级为 1 至 4", "A grade is 1 to 4")]
            elif bool(one.get("disability_kind")) != (grade is not None):
                wrong["obligors"] = [self.say("残疾类别和等级应同时填写", "Kind and grade of a disability go together")]
            if years is not None and not 0 <= years <= 130:
                wrong["obligors"] = [self.say("年龄不合理，请核对", "Not a likely age")]
        if data.get("chooses_destitute") is not None and data.get("orphan") is False:
            wrong["chooses_destitute"] = [self.say("不是孤儿的不填", "Only for orphans")]
        if wrong:
            raise ValidationError(wrong)

    @gives("circumstances_on")
    def extra_facts(self, loaded: Mapping[str, Any]) -> dict[str, Any]:
        return {"circumstances_on": loaded["enquired_on"]}


def refuse_unfit_grant(form: Form, data: Mapping[str, Any], name: str) -> None:
    category = form.fact("category")
    if data.get(name) in ("propose_grant", "granted") and not str(category or "").startswith("destitute"):
        raise ValidationError({name: [form.say("测算结果不符合特困人员认定条件，不能同意", "Not destitute by the test: cannot be granted")]})


def from_today(form: Form) -> dict[str, Any]:
    """The street's working days begin anew where the file comes back to it."""
    return {"street_from": form.context_value("today").isoformat()}


def examined_from(form: Form) -> dict[str, Any]:
    return {"examination_from": form.context_value("today").isoformat()}


class _Outcome(before.Outcome):
    NEEDED: ClassVar[Mapping[str, tuple[str, str]]] = dict.fromkeys(("reason_code", "clause"), ("不同意或退回时必填", "needed to refuse or to send back"))


class StreetOpinion(_Outcome):
    """审核意见 (2021: 初审意见). Whether there is a democratic review is for the street to say, and the record says that it did (2016)."""

    OUTCOME = "street_outcome"
    REASONED = frozenset({"propose_refuse", "return_survey"})
    RETURNS: ClassVar[Mapping[str, Mapping[str, str]]] = {"home_survey": {"street_outcome": "return_survey"}}
    street_outcome = choice("意见", "Opinion", [
        ("propose_grant", "拟同意", "Propose to grant"), ("propose_refuse", "拟不同意", "Propose to refuse"),
        ("return_survey", "退回重新调查", "Return for a new survey"), ("need_review", "需要开展民主评议", "A democratic review is needed")], fact=True)  # fmt: skip
    opinion = opinion()
    reason_code, clause = reason_fields()["reason_code"], reason_fields()["clause"]

    @validates_schema(skip_on_field_errors=False)
    def _fits(self, data: Mapping[str, Any], **_: Any) -> None:
        refuse_unfit_grant(self, data, "street_outcome")

    @gives("street_notice_from")
    def extra_facts(self, loaded: Mapping[str, Any]) -> dict[str, Any]:
        return {"street_notice_from": self.context_value("today").isoformat()} if loaded["street_outcome"] == "propose_grant" else {}


class FirstOpinion(StreetOpinion):
    street_outcome = choice("初审意见", "Initial opinion", [
        ("propose_grant", "拟同意", "Propose to grant"), ("propose_refuse", "拟不同意", "Propose to refuse"),
        ("return_survey", "退回重新调查", "Return for a new survey")], fact=True)  # fmt: skip


class DemocraticReview(before.DemocraticReview):
    COMPOSITION = ("参照最低生活保障民主评议的组成要求", "as for dibao")
    SIGNATURES = COMPOSITION


class PostStreetNotice(before.PostNotice):
    """公示 (seven days; for 2016 configuration)."""

    AFTER: ClassVar[Mapping[str, str]] = {"posted_on": "street_notice_from"}

    @gives("street_notice_posted_on", "street_notice_until")
    def extra_facts(self, loaded: Mapping[str, Any]) -> dict[str, Any]:
        posted = date.fromisoformat(loaded["posted_on"])
        return {"street_notice_posted_on": posted.isoformat(), "street_notice_until": midnight_after(posted, _notice_days(posted))}


def _notice_days(on: date) -> int:
    return int(law.value("destitute_notice_days", on).amount)


class RemoveStreetNotice(Form):
    """What hung for its days without objection is not posted again when the file comes back unchanged."""

    removed_on = on_date("揭下日期", "Taken down on")
    photo = document("揭下照片", "Photo of the removal")
    objections = choice("公示期间", "During the notice", [("none", "无异议", "No objection")])

    @validates_schema(skip_on_field_errors=False)
    def _whole(self, data: Mapping[str, Any], **_: Any) -> None:
        until, removed = self.fact("street_notice_until"), data.get("removed_on")
        if until and removed and removed < date.fromisoformat(until[:10]):
            raise ValidationError({"removed_on": [self.say(f"公示期满（{until[:10]}）后方可揭下", f"The notice stays until {until[:10]}")]})

    @gives("published_category", "published_fen")
    def extra_facts(self, loaded: Mapping[str, Any]) -> dict[str, Any]:
        return {"published_category": self.fact("category"), "published_fen": self.fact("amount_fen")}


class StreetReinvestigate(Step):
    """公示有异议的，重新调查核实，并重新公示."""

    AFTER: ClassVar[Mapping[str, str]] = {"investigated_on": "objection_on"}
    investigated_on = on_date("复查日期", "Checked again on")
    findings = text("复查情况", "Findings", widget="textarea")
    upheld = yes_no("异议是否成立", "Objection upheld?")
    figures_changed = yes_no("本人或义务人情况是否有变化", "Did the facts of the person or the obligors change?", fact=True)
    answered = text("答复异议人情况", "Answer to the objector", required=False, widget="textarea")

    @gives("street_notice_from", "street_from", "published_category", "published_fen")
    def extra_facts(self, loaded: Mapping[str, Any]) -> dict[str, Any]:
        return {"street_notice_from": self.context_value("today").isoformat(), "published_category": None, "published_fen": None, **from_today(self)}


class SelfCareAssessment(Step):
    """六项指标: what the person does himself. The class is computed; two assessors sign, each in a session of his own (N43 arts 21-22; decision 079)."""

    AFTER: ClassVar[Mapping[str, str]] = {"assessed_on": "accepted_on"}
    SECTIONS: ClassVar[Mapping[str, tuple[str, str]]] = {
        "assessed_on": ("时间和人员", "When and who"), "eats": ("六项指标", "The six indicators"), "findings": ("评估情况", "Findings")}  # fmt: skip
    assessed_on = on_date("评估日期", "Assessed on", fact=True)
    COSIGNED = "second_assessor"
    second_assessor = staff("第二评估人", "Second assessor", role="spot_checker district_examiner", fact=False,
                            hint="提交后由第二评估人本人登录核对签字，签字后评估生效", hint_en="Signs in a session of his own after you hand it in; only then the assessment counts")  # fmt: skip
    eats = yes_no("自主吃饭", "Eats unaided")
    dresses = yes_no("自主穿衣", "Dresses unaided")
    bed = yes_no("自主上下床", "Gets in and out of bed unaided")
    toilet = yes_no("自主如厕", "Uses the toilet unaided")
    walks = yes_no("室内自主行走", "Walks indoors unaided")
    bathes = yes_no("自主洗澡", "Bathes unaided")
    findings = text("评估情况", "Findings", required=False, widget="textarea")
    signed_document = document("评估表签字页（扫描件）", "Signed assessment")

    @gives("self_care")
    def extra_facts(self, loaded: Mapping[str, Any]) -> dict[str, Any]:
        return {"self_care": destitution.self_care(loaded)}


class LateSpotCheckVisit(before.LateSpotCheckVisit):
    @gives("examination_from", "street_from")
    def extra_facts(self, loaded: Mapping[str, Any]) -> dict[str, Any]:
        return {} if loaded["late_agrees"] else examined_from(self) | from_today(self)


class DistrictExamination(_Outcome):
    OUTCOME = "district_outcome"
    REASONED = frozenset({"propose_refuse", "return_survey", "return_street"})
    RETURNS: ClassVar[Mapping[str, Mapping[str, str]]] = {"home_survey": {"district_outcome": "return_survey"}, "street_opinion": {"district_outcome": "return_street"}}
    district_outcome = choice("审查意见", "Outcome", [
        ("propose_grant", "拟同意", "Propose to grant"), ("propose_refuse", "拟不同意", "Propose to refuse"),
        ("return_survey", "退回重新调查", "Return for a new survey"), ("return_street", "退回街镇", "Return to the street")], fact=True)  # fmt: skip
    opinion = opinion()
    reason_code, clause = reason_fields()["reason_code"], reason_fields()["clause"]

    @validates_schema(skip_on_field_errors=False)
    def _fits(self, data: Mapping[str, Any], **_: Any) -> None:
        refuse_unfit_grant(self, data, "district_outcome")
        if data.get("district_outcome") == "propose_grant" and self.fact("street_outcome") != "propose_grant":
            raise ValidationError({"district_outcome": [self.say("街镇拟不同意，没有公示和评估；拟同意的请退回街镇", "The street proposed to refuse: nothing was published. Return it to the street")]})

    @gives("street_from")
    def extra_facts(self, loaded: Mapping[str, Any]) -> dict[str, Any]:
        return from_today(self) if loaded["district_outcome"] == "return_street" else {}


class _Deciding(_Outcome):
    OUTCOME = "decision"
    REASONED = frozenset({"refused", "returned"})
    FINAL: ClassVar[Mapping[str, tuple[str, ...]]] = {"decision": ("granted", "refused")}


class Decide(_Deciding):
    RETURNS: ClassVar[Mapping[str, Mapping[str, str]]] = {"district_examination": {"decision": "returned"}}
    decision = choice("审批决定", "Decision", [("granted", "批准", "Grant"), ("refused", "不予批准", "Refuse"), ("returned", "退回区级审查", "Return")], fact=True)
    opinion = opinion()
    reason_code, clause = reason_fields()["reason_code"], reason_fields()["clause"]

    @gives("decided_on", "examination_from")
    def extra_facts(self, loaded: Mapping[str, Any]) -> dict[str, Any]:
        return examined_from(self) if loaded["decision"] == "returned" else {"decided_on": self.context_value("today").isoformat()}


class DecideRefusal(Decide):
    decision = choice("审批决定", "Decision", [("refused", "不予批准", "Refuse"), ("returned", "退回区级审查", "Return")], fact=True)


class Confirm(Decide):
    decision = choice("审核确认决定", "Decision", [("granted", "确认同意", "Grant"), ("refused", "不予确认", "Refuse"), ("returned", "退回区级审核", "Return")], fact=True)


class ConfirmRefusal(Decide):
    decision = choice("审核确认决定", "Decision", [("refused", "不予确认", "Refuse"), ("returned", "退回区级审核", "Return")], fact=True)


class StreetConfirmation(_Deciding):
    """The street confirms where the power was handed down to it: whoever had no part in the case before."""

    RETURNS: ClassVar[Mapping[str, Mapping[str, str]]] = {"street_opinion": {"decision": "returned"}}
    decision = choice("审核确认决定", "Decision", [("granted", "确认同意", "Grant"), ("refused", "不予确认", "Refuse"), ("returned", "退回初审", "Return")], fact=True)
    opinion = opinion()
    reason_code, clause = reason_fields()["reason_code"], reason_fields()["clause"]

    @validates_schema(skip_on_field_errors=False)
    def _as_published(self, data: Mapping[str, Any], **_: Any) -> None:
        refuse_unfit_grant(self, data, "decision")
        if data.get("decision") == "granted" and self.fact("street_outcome") != "propose_grant":
            raise ValidationError({"decision": [self.say("初审意见是拟不同意，不能直接确认同意；请退回初审", "The initial opinion is to refuse: return it")]})

    @gives("decided_on", "street_from")
    def extra_facts(self, loaded: Mapping[str, Any]) -> dict[str, Any]:
        return from_today(self) if loaded["decision"] == "returned" else {"decided_on": self.context_value("today").isoformat()}


class SubmitToDistrict(before.SubmitToDistrict):
    complained = yes_no("是否接到投诉、举报", "Were there complaints or reports?", required=False)

    @gives("examination_from", "reported")
    def extra_facts(self, loaded: Mapping[str, Any]) -> dict[str, Any]:
        return examined_from(self) | ({"reported": True} if loaded.get("complained") else {})


_SHARED: dict[str, type[Form]] = {
    **{node: before.FORMS[node] for node in (
        "supplement", "register_near_relative", "means_check", "home_survey", "survey_cosign", "neighbor_enquiry", "street_signoff", "spot_check_visit",
        "deliver_approval", "deliver_refusal")},
    "completeness_check": CompletenessCheck,
    "circumstances": Circumstances,
    "post_street_notice": PostStreetNotice,
    "remove_street_notice": RemoveStreetNotice,
    "street_reinvestigate": StreetReinvestigate,
    "submit_to_district": SubmitToDistrict,
    "self_care_assessment": SelfCareAssessment,
    "district_examination": DistrictExamination,
    "late_spot_check_visit": LateSpotCheckVisit,
    "publish_result": later.PublishResult,
}  # fmt: skip
FORMS_2016: dict[str, type[Form]] = {**_SHARED, "street_opinion": StreetOpinion, "democratic_review": DemocraticReview, "decide": Decide, "decide_refusal": DecideRefusal}
FORMS_2021: dict[str, type[Form]] = {**_SHARED, "street_opinion": FirstOpinion, "decide": Confirm, "decide_refusal": ConfirmRefusal, "street_confirmation": StreetConfirmation}
MESSAGES: dict[str, type[Form]] = {"withdrawal": before.Withdrawal, "objection": before.Objection, "registry_answer": before.RegistryAnswer}
