"""What each task of the 2012 dibao procedure asks for, and what the law forbids to answer (民发〔2012〕220号, "N220").

Fields marked `fact` steer the drawing and its deadlines; opinions, reasons and names are personal and are not facts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from fractions import Fraction
from typing import Any, ClassVar

from marshmallow import ValidationError, validates_schema

from engine.forms import Form, choice, document, documents, money, number, on_date, rows, several, staff, text, yes_no
from engine.given import gives
from processes import calendar, dmn, law, special_cases
from processes.household_forms import NEAR_RELATIONS

OLDEST_APPLICATION = 366  # days; a typing error otherwise moves the months whose income counts

MATERIALS = [
    ("application_form", "申请书", "Application form"),
    ("declaration", "家庭收入和财产声明", "Declaration of income and property"),
    ("authorization", "核对授权书", "Authorisation for the means check"),
    ("id_card", "身份证", "Identity card"),
    ("hukou_book", "户口簿", "Household register"),
    ("income_proof", "收入证明", "Proof of income"),
    ("study_certificate", "在学证明", "Certificate of study"),
    ("disability_certificate", "残疾证", "Disability certificate"),
    ("diagnosis", "诊断证明", "Diagnosis"),
    ("labour_loss_certificate", "丧失劳动能力证明", "Certificate of lost labour ability"),
    ("death_certificate", "死亡证明", "Death certificate"),
    ("divorce_document", "离婚协议或判决", "Divorce agreement or judgment"),
    ("employment_card", "就业失业登记证", "Employment card"),
    ("no_benefit_elsewhere", "户籍地未享受低保证明", "No benefit at the other hukou place"),
    ("residence_proof", "居住证明", "Proof of residence"),
    ("near_relative_statement", "近亲属关系声明", "Near-relative statement"),
    ("other", "其他", "Other"),
]
REASONS = [
    ("income_over", "收入不符合条件", "Income over the limit"),
    ("property_over", "财产不符合条件", "Property over the limit"),
    ("hukou", "户籍不符合条件", "Hukou"),
    ("members", "家庭成员认定有误", "Members wrong"),
    ("no_cooperation", "拒绝配合调查", "No co-operation"),
    ("false_statement", "隐瞒或虚假申报", "False statement"),
    ("procedure", "程序或材料有欠缺", "Procedure or papers incomplete"),
    ("facts_unclear", "事实不清", "Facts unclear"),
    ("other", "其他", "Other"),
]
METHODS = [
    ("direct", "直接送达", "In person"),
    ("lien", "留置送达", "Left in presence of witnesses"),
    ("post", "邮寄送达", "By post"),
    ("entrusted", "委托送达", "By another office"),
]


def opinion(required: bool = True) -> Any:  # noqa: FBT001, FBT002
    return text("办理意见", "Opinion", required=required, widget="textarea")


def one_of_reasons() -> dict[str, Any]:
    return {
        "reason_code": choice("理由", "Reason", REASONS, required=False, widget="select"),
        "clause": text(
            "依据条款",
            "Clause of law",
            required=False,
            max=200,
            hint="如：民发〔2012〕220号第二十六条",
            hint_en="Like: 民发〔2012〕220号 art 26",
        ),
    }


def notice_days(notice: str, procedure: str = "2012") -> int:
    """Calendar days for which a notice hangs; both as dmn/notice-period.dmn names them."""
    return int(dmn.decide("notice-period", notice=notice, procedure=procedure)["days"])


def midnight_after(posted: date, days: int) -> str:
    """A notice posted on day D ends at the close of D+7 (domain 10)."""
    return f"{posted + timedelta(days=days + 1)}T00:00:00+08:00"


def share_words(share: Fraction) -> str:
    """2/3 as 三分之二; the numbers of shares in law have one digit."""
    digits = "零一二三四五六七八九"
    return f"{digits[share.denominator]}分之{digits[share.numerator]}"


_DAYS = {
    "applied_on": ("申请日期", "the application"),
    "accepted_on": ("受理日期", "the acceptance"),
    "investigation_from": ("本次调查开始日期", "the beginning of this investigation"),
    "survey_ended_on": ("调查结束日期", "the end of the survey"),
    "check_rejected_on": ("核对结果告知日期", "the letter on the result of the check"),
    "street_notice_from": ("街镇签批或复查日期", "the street's signature or re-investigation"),
    "district_notice_from": ("区级审查或复核日期", "the district's proposal"),
    "objection_on": ("异议提出日期", "the objection"),
    "submitted_on": ("报送日期", "the submission"),
    "decided_on": ("决定日期", "the decision"),
    "reported_on": ("报告日期", "the report"),
}


class Step(Form):
    """A form whose dates keep the order of the law: AFTER names, for a field, the fact that it may not precede.
    Without this a notice posted "last week" would be over today."""

    AFTER: ClassVar[Mapping[str, str]] = {}

    @validates_schema(skip_on_field_errors=False)
    def _in_order(self, data: Mapping[str, Any], **_: Any) -> None:
        wrong: dict[str, list[str]] = {}
        for name, fact in self.AFTER.items():
            day, earlier = data.get(name), self.fact(fact)
            if day and earlier and day < date.fromisoformat(earlier[:10]):
                zh, en = _DAYS[fact]
                wrong[name] = [self.say(f"不能早于{zh}（{earlier[:10]}）", f"May not be before {en} ({earlier[:10]})")]
        if wrong:
            raise ValidationError(wrong)


class Application(Form):
    NEEDED = {"agent_name": ("委托代理时必填", "needed when an agent applies")}  # noqa: RUF012

    household_id = number("家庭", "Household", fact=True)
    programme = choice("申请事项", "Programme", [("dibao", "最低生活保障", "Minimum living guarantee")], fact=True)
    applied_on = on_date("申请日期", "Applied on", fact=True)
    applied_by = choice("提出人", "Applied by", [
        ("head", "户主", "Head of household"), ("agent", "委托代理人", "Agent"), ("village_committee", "居村委会代为提交", "Committee")])  # fmt: skip
    agent_name = text("代理人姓名", "Agent's name", required=False, max=60, about="agent")
    reason = text("申请理由", "Reasons", widget="textarea")
    documents = documents("申请材料", "Documents")

    @validates_schema(skip_on_field_errors=False)
    def _agent(self, data: Mapping[str, Any], **_: Any) -> None:
        wrong: dict[str, list[str]] = {}
        if data.get("applied_by") == "agent" and not data.get("agent_name"):
            wrong["agent_name"] = [self.say("委托代理时请填写代理人姓名", "Name the agent")]
        today, applied = self.context_value("today"), data.get("applied_on")
        if today and applied and applied < today - timedelta(days=OLDEST_APPLICATION):
            wrong["applied_on"] = [self.say("申请日期已超过一年，请核对", "More than a year ago: please check the date")]
        if wrong:
            raise ValidationError(wrong)


class CompletenessCheck(Form):
    NEEDED = {"missing": ("材料不齐时必选", "needed when something is missing")}  # noqa: RUF012

    outcome = choice("审查结果", "Outcome", [("complete", "材料齐全，予以受理", "Complete: accept"),
                                         ("incomplete", "材料不齐，一次性告知", "Incomplete: one-time notice")])  # fmt: skip
    missing = several(
        "需补正的材料",
        "Missing documents",
        MATERIALS,
        hint="一次性列全；以后不得再要求新的材料",
        hint_en="List everything at once; nothing new may be asked for later",
    )
    opinion = opinion(required=False)

    @validates_schema(skip_on_field_errors=False)
    def _once(self, data: Mapping[str, Any], **_: Any) -> None:
        missing, first = data.get("missing") or [], self.fact("first_missing")
        if data.get("outcome") == "incomplete" and not missing:
            raise ValidationError(
                {"missing": [self.say("请一次性列出全部需补正的材料", "List everything that is missing, once")]}
            )
        if data.get("outcome") == "complete" and missing:
            raise ValidationError(
                {"missing": [self.say("材料齐全时不应列出需补正的材料", "Nothing can be missing when complete")]}
            )
        if first and (new := set(missing) - set(first)):
            raise ValidationError({"missing": [self._not_told(new)]})

    def _not_told(self, new: set[str]) -> str:
        zh, en = (("、" if n == 1 else ", ").join(row[n] for row in MATERIALS if row[0] in new) for n in (1, 2))
        return self.say(
            f"首次告知没有列出{zh}，不得再次要求（一次性告知，220号文第十三条）",
            f"The first notice did not list this, it may not be asked for now (one-time notice, N220 art 13): {en}",
        )

    @gives("complete", "first_missing")
    def extra_facts(self, loaded: Mapping[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = {"complete": loaded["outcome"] == "complete"}
        if loaded.get("missing") and not self.fact("first_missing"):
            found["first_missing"] = sorted(loaded["missing"])
        return found


class Supplement(Step):
    AFTER: ClassVar[Mapping[str, str]] = {"received_on": "applied_on"}
    received_on = on_date("补正收到日期", "Received on")
    supplied = several("已补材料", "Supplied documents", MATERIALS, required=True)
    documents = documents("补正材料", "Documents")
    note = text("备注", "Note", required=False, widget="textarea")


class NearRelative(Form):
    """单独登记 (N220 art 14). Whoever has a login here is chosen, so that the recusal holds; a committee member may have none."""

    NEEDED = {"staff_login": ("不在名单中的填下一项", "else the next one"), "staff_name": ("上一项未选时必填", "needed when nobody is chosen above")}  # noqa: RUF012

    staff_login = staff("经办人员或居村委会成员", "Colleague", role="", required=False, fact=False)
    staff_name = text("姓名（不在名单中的填写）", "Name, if not in the list", required=False, max=60)
    position = text("职务", "Position", max=60)
    relation = choice("关系", "Relation", NEAR_RELATIONS, widget="select")
    note = text("登记说明", "Note", required=False, widget="textarea")

    @validates_schema(skip_on_field_errors=False)
    def _somebody(self, data: Mapping[str, Any], **_: Any) -> None:
        if not data.get("staff_login") and not data.get("staff_name"):
            raise ValidationError({"staff_login": [self.say("请选择工作人员；不在名单中的，请填写姓名", "Choose the colleague, or give the name")]})


class MeansCheck(Form):
    check_conclusion = choice("核对结论", "Conclusion", [
        ("consistent", "与申报一致", "Consistent"), ("inconsistent", "与申报不一致", "Inconsistent"),
        ("exceeds_standard", "明显超出规定标准", "Exceeds the standard"), ("incomplete", "部分信息无法核对", "Incomplete"),
        ("query_again", "再次核对", "Query again")], fact=True,
        hint="申请中再次核对后选“与申报一致”的，以前核对发现的收入、财产不再计入",
        hint_en="In an application: after “Consistent” nothing counts that an earlier check found")  # fmt: skip
    found_income = money("核对发现的未申报月收入", "Undeclared monthly income found", required=False, hint="元，如 300.00；在申报的收入以外另加",
                         hint_en="Yuan, like 300.00; comes on top of what was declared")  # fmt: skip
    found_assets = money("核对发现的货币财产", "Monetary assets found", required=False, hint="元，如 30000.00；填全部货币财产，代替申报数",
                         hint_en="Yuan, like 30000.00; all monetary assets, in place of what was declared")  # fmt: skip
    report = text("核对报告", "Report", widget="textarea")
    doubtful = yes_no("是否列为可疑", "Doubtful?", required=False, fact=True)


class SeenRow(Form):
    item = text("项目", "Item", max=60)
    declared = text("申报", "Declared", max=200)
    seen = text("所见", "Seen", max=200)


class HomeSurvey(Step):
    SECTIONS: ClassVar[Mapping[str, tuple[str, str]]] = {
        "surveyed_on": ("时间和人员", "When and who"), "housing": ("入户所见", "What was seen"), "compared": ("与申报对照", "Beside what was declared"),
        "surveyed_signature": ("签字和照片", "Signature and photos")}  # fmt: skip
    AFTER: ClassVar[Mapping[str, str]] = {"surveyed_on": "investigation_from"}
    surveyed_on = on_date("调查日期", "Surveyed on")
    second_investigator = staff("第二调查人", "Second investigator", role="investigator")
    met_person = text("被调查人", "Person met", max=60)
    housing = text("住房情况", "Housing", max=500)
    living = text("衣食和生活设施", "Food, clothes, facilities", max=500)
    findings = text("调查情况", "Findings", widget="textarea")
    compared = rows("申报与所见对照", "Declared against seen", SeenRow)
    surveyed_signature = document("被调查人签字页（扫描件）", "Signature page of the person surveyed", required=True)
    photos = documents("照片", "Photos")

    @validates_schema(skip_on_field_errors=False)
    def _two(self, data: Mapping[str, Any], **_: Any) -> None:
        actor = self.context_value("actor")
        if actor and data.get("second_investigator") == actor.id:
            raise ValidationError(
                {
                    "second_investigator": [
                        self.say(
                            "入户调查应由两名以上调查人员进行，第二调查人不能是本人",
                            "Two investigators survey: the second is somebody else",
                        )
                    ]
                }
            )

    @gives("survey_ended_on")
    def extra_facts(self, loaded: Mapping[str, Any]) -> dict[str, Any]:
        return {"survey_ended_on": loaded["surveyed_on"]}


class SurveyCosign(Form):
    NEEDED = {"statement": ("有不同意见时必填", "needed to disagree")}  # noqa: RUF012

    agree = choice(
        "核对意见", "I confirm", [("agree", "情况属实，同意签字", "True: I sign"), ("disagree", "有不同意见，应重新调查", "I differ: survey again")], fact=True
    )
    statement = text("说明", "Statement", required=False, widget="textarea")

    @validates_schema(skip_on_field_errors=False)
    def _why(self, data: Mapping[str, Any], **_: Any) -> None:
        if data.get("agree") == "disagree" and not data.get("statement"):
            raise ValidationError({"statement": [self.say("有不同意见时请写明", "Say in what you differ")]})
        actor, chosen = self.context_value("actor"), self.fact("second_investigator")
        if actor and chosen and actor.id != chosen:
            raise ValidationError(
                {
                    "agree": [
                        self.say(
                            "应由入户调查表上的第二调查人本人签字", "Only the second investigator named on the form may sign"
                        )
                    ]
                }
            )


class Neighbor(Form):
    name = text("姓名", "Name", max=60)
    lives = text("住处或与申请人的关系", "Where, or how they know the applicant", required=False, max=100)
    statement = text("反映的情况", "What they said", widget="textarea")


class NeighborEnquiry(Step):
    """Each neighbour in a row is a data subject of his own: his words are restricted and erased alone. Those who are told of together
    (`persons`, `statement`) are one."""

    AFTER: ClassVar[Mapping[str, str]] = {"enquired_on": "investigation_from"}
    NEEDED: ClassVar[Mapping[str, tuple[str, str]]] = dict.fromkeys(("persons", "statement"), ("没有逐人填写时必填", "needed where no neighbour has a row"))
    enquired_on = on_date("访问日期", "Enquired on")
    neighbors = rows("被访邻里（逐人填写）", "Neighbours, one by one", Neighbor, about="neighbour")
    persons = text("被访邻里（合并记录）", "Neighbours told of together", required=False, max=200, about="neighbours", hint="已逐人填写的，这两项可不填", hint_en="Not needed where each has a row of his own")
    statement = text("邻里反映（合并记录）", "What these say", required=False, widget="textarea", about="neighbours")

    @validates_schema(skip_on_field_errors=False)
    def _somebody(self, data: Mapping[str, Any], **_: Any) -> None:
        together = [name for name in ("persons", "statement") if not data.get(name)]
        if together and (len(together) == 1 or not data.get("neighbors")):
            raise ValidationError({name: [self.say("请填写；或在上面逐人填写", "Fill this in, or give each neighbour a row above")] for name in together})


def check_objection_until(delivered_on: str, published: int | None, issued_on: str | None = None) -> str:
    """When the window for objecting to the check's result is over (N220 art 20): as long as the letter says, which is by the law
    of the day of issue, and by the calendar of working days known up to `published`."""
    days = law.value("check_objection_workdays", date.fromisoformat(issued_on or delivered_on)).amount
    return midnight_after(calendar.add_workdays(date.fromisoformat(delivered_on), int(days), published), 0)


class IssueCheckRejection(Step):
    """The letter is issued by this task and delivered by the next: nobody delivers what does not exist yet."""

    FINAL: ClassVar[Mapping[str, tuple[str, ...]]] = {}  # whatever is answered: the letter goes out
    reasons = text("不符合的理由", "Reasons", widget="textarea")

    @gives("check_rejected_on")
    def extra_facts(self, loaded: Mapping[str, Any]) -> dict[str, Any]:
        return {"check_rejected_on": self.context["today"].isoformat()}


class RejectAfterCheck(Step):
    """On earlier drawings issue and delivery were one task."""

    FINAL: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    AFTER: ClassVar[Mapping[str, str]] = {"delivered_on": "investigation_from"}
    delivered_on = on_date("告知书送达日期", "Delivered on")
    reasons = text("不符合的理由", "Reasons", widget="textarea")
    receipt_document = document("送达回证", "Proof of delivery")

    @gives("check_objection_until", "check_result_on")
    def extra_facts(self, loaded: Mapping[str, Any]) -> dict[str, Any]:
        delivered = loaded["delivered_on"]
        return {"check_result_on": delivered, "check_objection_until": check_objection_until(delivered, self.context_value("published"))}


class LowIncomeConsent(Step):
    AFTER: ClassVar[Mapping[str, str]] = {"signed_on": "accepted_on"}
    low_income_consent = yes_no("是否同意按低收入家庭救助办理", "Consents to low-income relief", fact=True)
    signed_on = on_date("签字日期", "Signed on")
    signed_document = document("申请人签字页（扫描件）", "Signed page", required=True)


PARTICIPANTS = [
    ("street_staff", "街镇工作人员", "Street staff"),
    ("party_or_committee", "村居党组织、居村委会成员", "Party branch or committee"),
    ("party_member", "熟悉情况的党员代表", "Party member"),
    ("resident_representative", "村居民代表", "Resident representative"),
]


class Participant(Form):
    name = text("姓名", "Name", max=60)
    kind = choice("身份", "Kind", PARTICIPANTS, widget="select")
    login = text("街镇工作人员登录名", "Login of street staff", required=False, max=60)
    signed = yes_no("是否签字", "Signed")


class DemocraticReview(Step):
    AFTER: ClassVar[Mapping[str, str]] = {"held_on": "survey_ended_on"}
    COMPOSITION: ClassVar[tuple[str, str]] = ("220号文第二十二条", "N220 art 22")
    SIGNATURES: ClassVar[tuple[str, str]] = ("220号文第二十三条", "N220 art 23")
    held_on = on_date("评议日期", "Held on")
    place = text("地点", "Place", max=100)
    chair = text("主持人", "Chair", max=60, about="chair")
    participants = rows("参加人员", "Participants", Participant, required=True, least=1, hint="村居民代表不少于三分之二，全体签字。街镇工作人员：提交人提交即为签字（可不填登录名），其他人填登录名并先在本件待办加签",
                        hint_en="At least two thirds are residents' representatives; everybody signs. Street staff: who submits has signed (login may be left out), others are named by login and countersign this task first", about="participant")  # fmt: skip
    statements = text("评议情况", "Statements", widget="textarea")
    review_conclusion = choice("评议结论", "Conclusion", [
        ("agree", "调查情况属实", "The survey is true"), ("disagree", "认为不属实", "Not true"),
        ("re_survey", "争议较大，重新调查", "Large dispute: survey again")], fact=True)  # fmt: skip
    signed_document = document("评议记录签字页（扫描件）", "Signed minutes")

    @validates_schema(skip_on_field_errors=False)
    def _composition(self, data: Mapping[str, Any], **_: Any) -> None:
        """N220 arts 22-23: representatives at least two thirds, street staff present, everybody signs."""
        people = data.get("participants") or []
        if not all(isinstance(p, Mapping) and {"kind", "signed"} <= p.keys() for p in people) or not people:
            return
        wrong: list[str] = []
        chosen = sum(p["kind"] == "resident_representative" for p in people)
        share = law.in_force("review_representatives_share", data.get("held_on") or date.max)
        if share and chosen < len(people) * share.fraction:
            wrong.append(self.say(
                f"村居民代表 {chosen} 人，参加人员 {len(people)} 人，不足{share_words(share.fraction)}（{self.COMPOSITION[0]}）",
                f"{chosen} representatives of {len(people)} participants: fewer than {share.text} ({self.COMPOSITION[1]})",
            ))  # fmt: skip
        wrong += self._staff_sign([p for p in people if p["kind"] == "street_staff"])
        if not all(p["signed"] for p in people):
            wrong.append(self.say(f"参加人员应全部签字（{self.SIGNATURES[0]}）", f"Everybody must sign ({self.SIGNATURES[1]})"))
        names = [p.get("name") for p in people]
        if len(set(names)) != len(names):
            wrong.append(self.say("同一人不能重复列入", "Nobody is listed twice"))
        if wrong:
            raise ValidationError({"participants": wrong})

    def _staff_sign(self, staff: Sequence[Mapping[str, Any]]) -> list[str]:
        """Street staff sign in sessions of their own: one submits, the others have countersigned this task before."""
        if not staff:
            return [self.say("应有街镇工作人员参加", "Street staff must take part")]
        actor = self.context_value("actor")
        persons = actor.persons if actor else ()
        named = [p.get("login") or (persons[0] if persons else "") for p in staff]  # without a login: whoever submits
        if len(set(named)) < len(named):
            return [self.say("街镇工作人员有两名以上的，应逐人填写登录名", "Where several street staff take part, each is named by login")]
        absent = [login for login in named if login not in {*persons, *(self.context_value("agreed") or ())}]
        if absent:
            return [self.say(
                f"{'、'.join(absent)} 还没有签字：工作人员应由本人登录签字，请先请其在本件待办加签",
                f"{', '.join(absent)} has not signed: staff sign in their own session, ask for a countersignature on this task first",
            )]  # fmt: skip
        return []


class Outcome(Form):
    """An outcome that asks for a reason with its clause when it refuses or sends back."""

    OUTCOME = "outcome"
    REASONED: frozenset[str] = frozenset()
    NEEDED: ClassVar[Mapping[str, tuple[str, str]]] = {
        **dict.fromkeys(("reason_code", "clause"), ("不同意或退回时必填", "needed to refuse or to send back")), **special_cases.NEEDED}  # fmt: skip

    @validates_schema(skip_on_field_errors=False)
    def _reasoned(self, data: Mapping[str, Any], **_: Any) -> None:
        wrong: dict[str, list[str]] = {}
        if data.get(self.OUTCOME) in self.REASONED:
            said = self.say("不同意或退回时必须填写", "Needed to refuse or to send back")
            wrong = {n: [said] for n in ("reason_code", "clause") if n in self.fields and not data.get(n)}
        if data.get(self.OUTCOME) == "joint_meeting":
            said = self.say("提交联席会议时必须填写", "Needed for the joint meeting")
            wrong |= {n: [said] for n in ("trigger", "special_facts", "wish") if not data.get(n)}
        if wrong:
            raise ValidationError(wrong)


class StreetOpinion(Outcome):
    OUTCOME = "street_outcome"
    REASONED = frozenset({"propose_refuse", "return_survey", "return_review"})
    RETURNS = {"home_survey": {"street_outcome": "return_survey"}, "democratic_review": {"street_outcome": "return_review"}}  # noqa: RUF012
    street_outcome = choice("审核意见", "Opinion", [
        ("propose_grant", "拟同意", "Propose to grant"), ("propose_refuse", "拟不同意", "Propose to refuse"),
        ("return_survey", "退回重新调查", "Return for a new survey"), ("return_review", "退回重新评议", "Return for a new review"),
        ("joint_meeting", "提交联席会议", "To the joint meeting")], fact=True)  # fmt: skip
    opinion = opinion()
    reason_code = one_of_reasons()["reason_code"]
    clause = one_of_reasons()["clause"]
    trigger = special_cases.asking_fields()["trigger"]
    special_facts = special_cases.asking_fields()["special_facts"]
    wish = special_cases.asking_fields()["wish"]

    @validates_schema(skip_on_field_errors=False)
    def _eligible(self, data: Mapping[str, Any], **_: Any) -> None:
        refuse_ineligible_grant(self, data, "street_outcome")

    @gives(*special_cases.ASKED)
    def extra_facts(self, loaded: Mapping[str, Any]) -> dict[str, Any]:
        return special_cases.asked(self, loaded["street_outcome"], "street", loaded.get("trigger"))


def refuse_ineligible_grant(form: Form, data: Mapping[str, Any], name: str) -> None:
    """A proposal to grant needs a category that the arithmetic, or the joint meeting, found; and nobody is given
    low-income relief who applied for dibao and declined it, nor the other way round. What the meeting approved was asked for by the
    household itself."""
    category, consent = form.fact("category"), form.fact("low_income_consent")
    if data.get(name) != "propose_grant" or category is None:
        return
    asked = str(form.fact("programme") or "dibao")
    if category not in ("dibao", "low_income"):
        raise ValidationError({name: [form.say(
            "测算结果不符合救助条件，不能拟同意；特殊情况请提交联席会议",
            "Not eligible by the calculation: cannot be granted; special cases go to the joint meeting")]})  # fmt: skip
    if asked == "low_income":
        consent = form.fact("dibao_consent")
    by_meeting = consent is None and form.fact("resolution") == "approve_as"
    if asked == "low_income" and category == "dibao" and consent is not True and not by_meeting:
        raise ValidationError({name: [form.say(
            "测算结果符合低保条件，申请人没有同意按低保办理，不能拟同意", "The household fits dibao, and the applicant has not consented to it")]})  # fmt: skip
    if asked == "dibao" and category == "low_income" and consent is not True and not by_meeting:
        raise ValidationError({name: [form.say(
            "申请人没有同意按低收入家庭救助办理，不能拟同意", "The applicant has not consented to low-income relief")]})  # fmt: skip


class StreetSignoff(Outcome):
    OUTCOME = "signoff"
    RETURNS = {"street_opinion": {"signoff": "return"}}  # noqa: RUF012
    signoff = choice("签批", "Sign-off", [("agree", "同意审核意见", "Agree"), ("return", "退回审核人", "Return")], fact=True)
    opinion = opinion()

    @gives("street_notice_from")
    def extra_facts(self, loaded: Mapping[str, Any]) -> dict[str, Any]:
        return {"street_notice_from": self.context_value("today").isoformat()} if loaded["signoff"] == "agree" else {}


class SpecialCaseDecision(Form):
    """Of the drawing before the joint meeting was a process of its own."""

    NEEDED = special_cases.NEEDED_TO_APPROVE
    resolution = choice("决议", "Resolution", special_cases.RESOLUTIONS, fact=True)
    approved_category = choice("纳入类别", "Category", special_cases.APPROVED, required=False)
    approved_amount = money("每月金额", "Amount per month", required=False)
    reasons = text("理由", "Reasons", widget="textarea")
    conditions = text("条件", "Conditions", required=False, widget="textarea")

    @validates_schema(skip_on_field_errors=False)
    def _complete(self, data: Mapping[str, Any], **_: Any) -> None:
        special_cases.refuse_incomplete_approval(self, data)

    @gives("category", "amount_fen")
    def extra_facts(self, loaded: Mapping[str, Any]) -> dict[str, Any]:
        if loaded["resolution"] != "approve_as":
            return {}
        return {"category": loaded["approved_category"], "amount_fen": loaded["approved_amount"]}


class PostNotice(Step):
    PROCEDURE = "2012"
    posted_on = on_date("张贴日期", "Posted on")
    places = several("张贴地点", "Places", [
        ("village_board", "居村公示栏", "Village board"), ("street_hall", "街镇政务大厅", "Street hall"), ("gate", "小区出入口", "Gate"),
        ("web", "政府网站", "Website")], required=True)  # fmt: skip
    photo = document("张贴照片", "Photo of the posting")


class PostStreetNotice(PostNotice):
    AFTER: ClassVar[Mapping[str, str]] = {"posted_on": "street_notice_from"}

    @gives("street_notice_posted_on", "street_notice_until")
    def extra_facts(self, loaded: Mapping[str, Any]) -> dict[str, Any]:
        posted = date.fromisoformat(loaded["posted_on"])
        return {"street_notice_posted_on": posted.isoformat(), "street_notice_until": midnight_after(posted, notice_days("street_opinion", self.PROCEDURE))}


class PostDistrictNotice(PostNotice):
    AFTER: ClassVar[Mapping[str, str]] = {"posted_on": "district_notice_from"}

    @gives("district_notice_posted_on", "district_notice_until", "district_notice_ended_on")
    def extra_facts(self, loaded: Mapping[str, Any]) -> dict[str, Any]:
        posted, days = date.fromisoformat(loaded["posted_on"]), notice_days("district_proposal", self.PROCEDURE)
        return {
            "district_notice_posted_on": posted.isoformat(),
            "district_notice_until": midnight_after(posted, days),
            "district_notice_ended_on": (posted + timedelta(days=days)).isoformat(),
        }


class RemoveNotice(Form):
    PROCEDURE = "2012"
    NOTICE = ""  # as dmn/notice-period.dmn names it
    UNTIL = ""  # the fact with the first moment at which the notice is over
    removed_on = on_date("揭下日期", "Taken down on")
    photo = document("揭下照片", "Photo of the removal")
    objections = choice("公示期间", "During the notice", [("none", "无异议", "No objection")])

    @validates_schema(skip_on_field_errors=False)
    def _whole(self, data: Mapping[str, Any], **_: Any) -> None:
        until, removed = self.fact(self.UNTIL), data.get("removed_on")
        if until and removed and removed < date.fromisoformat(until[:10]):
            last, days = date.fromisoformat(until[:10]) - timedelta(days=1), notice_days(self.NOTICE, self.PROCEDURE)
            raise ValidationError({"removed_on": [self.say(
                f"公示应满 {days} 天，{last} 终了后方可揭下", f"The notice stays {days} full days, to the close of {last}")]})  # fmt: skip


class RemoveStreetNotice(RemoveNotice):
    NOTICE = "street_opinion"
    UNTIL = "street_notice_until"


class RemoveDistrictNotice(RemoveNotice):
    NOTICE = "district_proposal"
    UNTIL = "district_notice_until"


class StreetReinvestigate(Step):
    AFTER: ClassVar[Mapping[str, str]] = {"investigated_on": "objection_on"}
    investigated_on = on_date("复查日期", "Re-investigated on")
    findings = text("复查情况", "Findings", widget="textarea")
    upheld = yes_no("异议是否成立", "Objection upheld?")
    figures_changed = yes_no("收入、财产或人口是否有变化", "Figures changed?", fact=True)
    answered = text("答复异议人情况", "Answer to the objector", required=False, widget="textarea")

    @gives("street_notice_from")
    def extra_facts(self, loaded: Mapping[str, Any]) -> dict[str, Any]:
        return {"street_notice_from": self.context_value("today").isoformat()}


class SubmitToDistrict(Form):
    contents = several("报送内容", "File contents", [
        ("application", "申请材料", "Application"), ("survey", "调查材料", "Survey"), ("review", "评议材料", "Review"), ("opinion", "审核意见", "Opinion")],
        required=True, hint="申请、调查、审核材料都要有", hint_en="application, survey and opinion are all needed")  # fmt: skip
    opinion = opinion(required=False)

    @validates_schema(skip_on_field_errors=False)
    def _whole(self, data: Mapping[str, Any], **_: Any) -> None:
        lacking = {"application", "survey", "opinion"} - set(data.get("contents") or ())
        if lacking and "contents" in data:
            raise ValidationError(
                {
                    "contents": [
                        self.say(
                            "案卷不完整：申请、调查、审核材料都应报送",
                            "Incomplete: application, survey and opinion are submitted",
                        )
                    ]
                }
            )

    @gives("examination_from")
    def extra_facts(self, _loaded: Mapping[str, Any]) -> dict[str, Any]:
        return _examined_from(self)


def _examined_from(form: Form) -> dict[str, Any]:
    """The district's five working days (N220 art 26) count from the file's receipt; where the file comes back to its table, from
    that day: "for objections and re-survey a new clock starts" (domain 2.2, design), or it would be late before it begins."""
    return {"examination_from": form.context_value("today").isoformat()}


class SpotCheckVisit(Step):
    AFTER: ClassVar[Mapping[str, str]] = {"visited_on": "submitted_on"}
    visited_on = on_date("抽查日期", "Visited on")
    second_visitor = text("同行人员", "Second visitor", max=60)
    findings = text("抽查情况", "Findings", widget="textarea")
    agrees = yes_no("与街镇调查是否一致", "Agrees with the street's survey?")
    photos = documents("照片", "Photos")


class LateSpotCheckVisit(Step):
    """The visit to a file that was added at the month's end; when it disagrees, the district examines again."""

    AFTER: ClassVar[Mapping[str, str]] = {"visited_on": "submitted_on"}
    visited_on = on_date("抽查日期", "Visited on")
    second_visitor = text("同行人员", "Second visitor", max=60)
    findings = text("抽查情况", "Findings", widget="textarea")
    late_agrees = yes_no("与街镇调查是否一致", "Agrees with the street's survey?", fact=True)
    photos = documents("照片", "Photos")

    @gives("examination_from")
    def extra_facts(self, loaded: Mapping[str, Any]) -> dict[str, Any]:
        return {} if loaded["late_agrees"] else _examined_from(self)


class DistrictExamination(Outcome):
    OUTCOME = "district_outcome"
    REASONED = frozenset({"propose_refuse", "return_survey", "return_street"})
    RETURNS = {"home_survey": {"district_outcome": "return_survey"}, "street_opinion": {"district_outcome": "return_street"}}  # noqa: RUF012
    district_outcome = choice("审查意见", "Outcome", [
        ("propose_grant", "拟批准", "Propose to grant"), ("propose_refuse", "拟不予批准", "Propose to refuse"),
        ("return_survey", "退回重新调查", "Return for a new survey"), ("return_street", "退回街镇审核", "Return to the street"),
        ("joint_meeting", "提交联席会议", "To the joint meeting")], fact=True)  # fmt: skip
    opinion = opinion()
    reason_code = one_of_reasons()["reason_code"]
    clause = one_of_reasons()["clause"]
    trigger = special_cases.asking_fields()["trigger"]
    special_facts = special_cases.asking_fields()["special_facts"]
    wish = special_cases.asking_fields()["wish"]

    @validates_schema(skip_on_field_errors=False)
    def _eligible(self, data: Mapping[str, Any], **_: Any) -> None:
        refuse_ineligible_grant(self, data, "district_outcome")

    @gives(*special_cases.ASKED, "district_notice_from")
    def extra_facts(self, loaded: Mapping[str, Any]) -> dict[str, Any]:
        return special_cases.asked(self, loaded["district_outcome"], "district", loaded.get("trigger")) | _may_be_posted(self, loaded)


def _may_be_posted(form: Form, loaded: Mapping[str, Any]) -> dict[str, Any]:
    """The first day on which the district's proposal can hang on the board."""
    if loaded["district_outcome"] != "propose_grant":
        return {}
    return {"district_notice_from": form.context_value("today").isoformat()}


class DistrictRecheck(Outcome):
    OUTCOME = "district_outcome"
    REASONED = frozenset({"propose_refuse", "return_survey"})
    RETURNS = {"home_survey": {"district_outcome": "return_survey"}}  # noqa: RUF012
    district_outcome = choice("复核结果", "Result", [
        ("propose_grant", "异议不成立，重新公示", "Not upheld: publish again"), ("propose_refuse", "异议成立，拟不予批准", "Upheld: propose to refuse"),
        ("return_survey", "收入、财产或人口有出入，退回重新调查", "Figures differ: return for a new survey")], fact=True)  # fmt: skip
    findings = text("复核情况", "Findings", widget="textarea")
    reason_code = one_of_reasons()["reason_code"]
    clause = one_of_reasons()["clause"]

    @validates_schema(skip_on_field_errors=False)
    def _eligible(self, data: Mapping[str, Any], **_: Any) -> None:
        refuse_ineligible_grant(self, data, "district_outcome")

    @gives("district_notice_from", "examination_from")
    def extra_facts(self, loaded: Mapping[str, Any]) -> dict[str, Any]:
        refused = loaded["district_outcome"] == "propose_refuse"
        return _may_be_posted(self, loaded) | (_examined_from(self) if refused else {})


class Decide(Outcome):
    OUTCOME = "decision"
    REASONED = frozenset({"refused", "returned"})
    RETURNS = {"district_examination": {"decision": "returned"}}  # noqa: RUF012
    FINAL = {"decision": ("granted", "refused")}  # noqa: RUF012 - what nobody undoes by another step: the page asks to check it once more
    decision = choice("审批决定", "Decision", [
        ("granted", "批准", "Grant"), ("refused", "不予批准", "Refuse"), ("returned", "退回区级审查", "Return")], fact=True)  # fmt: skip
    opinion = opinion()
    reason_code = one_of_reasons()["reason_code"]
    clause = one_of_reasons()["clause"]

    @gives("decided_on", "examination_from")
    def extra_facts(self, loaded: Mapping[str, Any]) -> dict[str, Any]:
        return _examined_from(self) if loaded["decision"] == "returned" else {"decided_on": self.context_value("today").isoformat()}


class DecideRefusal(Decide):
    decision = choice(
        "审批决定", "Decision", [("refused", "不予批准", "Refuse"), ("returned", "退回区级审查", "Return")], fact=True
    )


class Deliver(Step):
    AFTER: ClassVar[Mapping[str, str]] = {"delivered_on": "decided_on"}
    NEEDED: ClassVar[Mapping[str, tuple[str, str]]] = {"receipt_document": ("直接送达、委托送达时应附", "needed for delivery in person or by another office"),
              "evidence": ("留置送达时应附，或附送达回证", "needed for a letter left behind, or its proof of delivery")}  # fmt: skip
    delivered_on = on_date("送达日期", "Delivered on", fact=True)
    method = choice("送达方式", "Method", METHODS, widget="select")
    recipient = text("收件人", "Recipient", max=60)
    receipt_document = document("送达回证（扫描件）", "Proof of delivery")
    evidence = documents("其他送达证据（留置见证、照片、邮寄回执）", "Other proof (witnesses, photos, postal receipt)")


# What proves a delivery: the fields of which one is filled in, and in which words that is asked for. The posts' own
# proof comes later, or not at all.
PROOFS: Mapping[str, tuple[tuple[str, ...], str]] = {
    "direct": (("receipt_document",), "直接送达应附受送达人签收的送达回证"),
    "entrusted": (("receipt_document",), "委托送达应附送达回证"),
    "lien": (("evidence", "receipt_document"), "留置送达应附见证人签字的送达回证，或留置过程的照片"),
}


class DeliverCheckRejection(Deliver):
    """The period to object (N220 art 20) runs from the delivery, as long as the letter says: by the law of the day of issue."""

    AFTER: ClassVar[Mapping[str, str]] = {"delivered_on": "check_rejected_on"}
    delivered_on = on_date("送达日期", "Delivered on")

    @gives("check_objection_until", "check_result_on")
    def extra_facts(self, loaded: Mapping[str, Any]) -> dict[str, Any]:
        delivered = loaded["delivered_on"]
        return {"check_result_on": delivered, "check_objection_until": check_objection_until(delivered, self.context_value("published"), self.fact("check_rejected_on"))}


class Resolution(special_cases.Resolution):
    @gives("category", "amount_fen", "resolved_on", "examination_from")
    def extra_facts(self, loaded: Mapping[str, Any]) -> dict[str, Any]:
        return super().extra_facts(loaded) | _examined_from(self)


class Withdrawal(Step):
    AFTER: ClassVar[Mapping[str, str]] = {"withdrawn_on": "applied_on"}
    withdrawn_on = on_date("撤回日期", "Withdrawn on")
    reason = text("撤回理由", "Reason", widget="textarea")
    signed_document = document("申请人签字页（扫描件）", "Signed page")


class Objection(Step):
    OTHERWISE = ("；公示期以外村居民反映情况的，请登记为投诉举报核查", "; what residents say outside of a notice is recorded and verified as a complaint")  # where nobody waits for it
    AFTER: ClassVar[Mapping[str, str]] = {"objection_on": "applied_on"}
    LATEST = ("check_result_on", "street_notice_posted_on", "district_notice_posted_on", "stop_notice_posted_on")  # what may be objected to, the newest of them
    objection_on = on_date("提出日期", "Raised on", fact=True)
    objector_kind = choice("提出人", "Objector", [
        ("applicant", "申请人", "Applicant"), ("resident", "村居民", "Resident"), ("anonymous", "匿名", "Anonymous"), ("unit", "单位", "Unit")])  # fmt: skip
    objector_name = text("姓名", "Name", required=False, max=60, about="objector")
    grounds = text("异议内容", "Grounds", widget="textarea", about="objector")
    evidence = documents("证据", "Evidence")

    @validates_schema(skip_on_field_errors=False)
    def _objects_to_something(self, data: Mapping[str, Any], **_: Any) -> None:
        """Nobody objects to a notice before it hangs: the re-check would be late when it begins."""
        day, told = data.get("objection_on"), max((self.fact(name) or "" for name in self.LATEST), default="")
        if day and told and day < date.fromisoformat(told[:10]):
            raise ValidationError({"objection_on": [self.say(f"不能早于公示或告知日期（{told[:10]}）", f"May not be before the notice or letter ({told[:10]})")]})

    @gives("reported")
    def extra_facts(self, loaded: Mapping[str, Any]) -> dict[str, Any]:
        """A case that others complained of is a reported one: the district visits it (N220 art 26)."""
        return {} if loaded["objector_kind"] == "applicant" else {"reported": True}


class RegistryResult(Form):
    source = text("来源", "Source", max=40)
    status = choice("状态", "Status", [("answered", "已答复", "Answered"), ("unavailable", "无法取得", "Unavailable")])
    ref = text("成员", "Member", required=False, max=40)
    item = text("项目", "Item", required=False, max=60)
    value = text("查得", "Found", required=False, max=200)
    as_of = text("截至", "As of", required=False, max=10)


class RegistryAnswer(Form):
    status = choice("核对状态", "Status", [
        ("complete", "全部取得", "Complete"), ("partial", "部分取得", "Partial"), ("contradictory", "来源矛盾", "Contradictory"),
        ("unavailable", "无法取得", "Unavailable")])  # fmt: skip
    results = rows("查询结果", "Results", RegistryResult)

    @gives("registry_status")
    def extra_facts(self, loaded: Mapping[str, Any]) -> dict[str, Any]:
        return {"registry_status": loaded["status"]}


FORMS: dict[str, type[Form]] = {
    "completeness_check": CompletenessCheck,
    "supplement": Supplement,
    "register_near_relative": NearRelative,
    "means_check": MeansCheck,
    "home_survey": HomeSurvey,
    "survey_cosign": SurveyCosign,
    "neighbor_enquiry": NeighborEnquiry,
    "issue_check_rejection": IssueCheckRejection,
    "deliver_check_rejection": DeliverCheckRejection,
    "low_income_consent": LowIncomeConsent,
    "democratic_review": DemocraticReview,
    "street_opinion": StreetOpinion,
    "street_signoff": StreetSignoff,
    "post_street_notice": PostStreetNotice,
    "remove_street_notice": RemoveStreetNotice,
    "street_reinvestigate": StreetReinvestigate,
    "submit_to_district": SubmitToDistrict,
    "spot_check_visit": SpotCheckVisit,
    "late_spot_check_visit": LateSpotCheckVisit,
    "district_examination": DistrictExamination,
    "post_district_notice": PostDistrictNotice,
    "remove_district_notice": RemoveDistrictNotice,
    "district_recheck": DistrictRecheck,
    "decide": Decide,
    "decide_refusal": DecideRefusal,
    "deliver_approval": Deliver,
    "deliver_refusal": Deliver,
}
# Tasks of earlier drawings, on which cases may still run.
FORMER: dict[str, type[Form]] = {"special_case_decision": SpecialCaseDecision, "reject_after_check": RejectAfterCheck}
MESSAGES: dict[str, type[Form]] = {
    "withdrawal": Withdrawal,
    "objection": Objection,
    "registry_answer": RegistryAnswer,
    "resolution": Resolution,
}
