"""What each task of temporary assistance asks for (domain 2.5; N23, N47, N649 arts 47-48; docs/decisions/047)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any, ClassVar

from marshmallow import ValidationError, validates_schema

from engine.forms import Form, choice, document, documents, money, number, on_date, rows, text, yes_no
from engine.given import gives
from processes import law, special_cases, temporary
from processes.dibao_2012_forms import (
    MATERIALS,
    OLDEST_APPLICATION,
    CompletenessCheck,
    Deliver,
    HomeSurvey,
    MeansCheck,
    Objection,
    Outcome,
    PostNotice,
    RegistryAnswer,
    RemoveNotice,
    Step,
    StreetReinvestigate,
    Supplement,
    SurveyCosign,
    Withdrawal,
    midnight_after,
    opinion,
)
from processes.household_number import household

MOST_PERSONS = 30  # of a request; a typing error otherwise moves the limit of emergency help
BEGUN_BY = [("application", "本人或家庭申请", "Application"), ("discovery", "主动发现", "Found by the grass roots")]
FINDERS = [
    ("grid_worker", "网格员", "Grid worker"),
    ("village_committee", "居村委会", "Committee"),
    ("street_staff", "街镇工作人员", "Street staff"),
    ("police", "公安、消防等部门", "Police or fire brigade"),
    ("resident", "村居民", "Resident"),
    ("organisation", "单位或社会组织", "Unit or organisation"),
]
METHODS_OF_PAY = [("cash", "现金", "In cash"), ("bank", "银行转账", "By bank"), ("handed_over", "实物当面交付", "Handed over"), ("referred", "转介办妥", "Referred")]
REASONS = [
    ("no_hardship", "困难情形不符合规定", "Not such a hardship"),
    ("income_over", "收入不符合条件", "Income over the limit"),
    ("property_over", "财产不符合条件", "Property over the limit"),
    ("same_cause", "同一事由本年度已救助，且无正当理由", "Helped for the same cause this year, no good reason"),
    ("no_cooperation", "拒绝配合调查", "No co-operation"),
    ("false_statement", "隐瞒或虚假申报", "False statement"),
    ("procedure", "程序或材料有欠缺", "Procedure or papers incomplete"),
    ("facts_unclear", "事实不清", "Facts unclear"),
    ("other", "其他", "Other"),
]


def reason_code() -> Any:
    return choice("理由", "Reason", REASONS, required=False, widget="select")


def clause() -> Any:
    return text("依据条款", "Clause of law", required=False, max=200, hint="如：国务院令第649号第四十七条", hint_en="Like: decree 649, art. 47")


class HelpItem(Form):
    """One form of help: 救助金, 实物 or 转介服务 (N23). Of goods the amount is their value."""

    NEEDED: ClassVar[Mapping[str, tuple[str, str]]] = {"amount": ("救助金、实物必填", "needed for cash and goods"), "referred_to": ("转介服务必填", "needed for a referral")}
    form = choice("救助方式", "Form", temporary.FORMS_OF_HELP, widget="select")
    amount = money("金额或折价", "Amount or value", required=False)
    description = text("内容", "What", max=200)
    referred_to = text("转介单位", "Referred to", required=False, max=100)

    @validates_schema(skip_on_field_errors=False)
    def _fits(self, data: Mapping[str, Any], **_: Any) -> None:
        if wrong := temporary.wrong_item(data):
            raise ValidationError({name: [self.say(*said)] for name, said in wrong.items()})


def items() -> Any:
    return rows("救助内容", "What is given", HelpItem, hint="可以同时给予救助金、实物和转介服务", hint_en="Cash, goods and referrals may go together")


class HelpRequest(Step):
    """求助登记: an application, or a lead of active discovery before any. Who is not registered is entered as he is known; his identity is
    completed later."""

    NEEDED: ClassVar[Mapping[str, tuple[str, str]]] = {
        "household_id": ("已登记的家庭必选", "needed for a household that is registered"), "community": ("没有登记家庭的必填", "needed without a registered household"),
        "known_as": ("没有登记家庭的必填", "needed without a registered household"), "found_by": ("主动发现必填", "needed for a lead"),
        "finder": ("主动发现必填", "needed for a lead"), "happened_on": ("急难型必填", "needed in an emergency")}  # fmt: skip
    SECTIONS: ClassVar[Mapping[str, tuple[str, str]]] = {"household_id": ("求助对象", "Who"), "kind": ("困难情形", "What happened"), "begun_by": ("来源", "How it came")}
    household_id = household("家庭", "Household", required=False, fact=True)
    community = text("所在居村（代码，未登记家庭的填写）", "Community (code), of somebody not registered", required=False, max=20, fact=True)
    known_as = text("已知情况（姓名、特征、所在位置）", "What is known of him", required=False, max=200)
    persons = number("需救助人数", "Persons in need", fact=True)
    residence_basis = choice("户籍或居住证", "At home here by", temporary.BASES, widget="select", fact=True)
    kind = choice("救助类型", "Kind", temporary.KINDS, fact=True)
    cause = choice("事由", "Cause", [(code, zh, en) for code, zh, en, _ in temporary.CAUSES], widget="select", fact=True)
    happened_on = on_date("发生日期", "Happened on", required=False, fact=True)
    reason = text("困难情况", "Hardship", widget="textarea")
    requested_amount = money("申请金额", "Amount asked for", required=False, fact=True)
    documents = documents("材料", "Papers")
    begun_by = choice("来源", "How it came", BEGUN_BY, fact=True)
    applied_on = on_date("申请（发现）日期", "Applied or found on", fact=True)
    found_by = choice("发现人", "Found by", FINDERS, required=False, widget="select", fact=True)
    finder = text("发现人姓名或单位", "Who found him", required=False, max=100, about="finder")

    @validates_schema(skip_on_field_errors=False)
    def _whole(self, data: Mapping[str, Any], **_: Any) -> None:
        wrong = {**self._who(data), **self._what(data), **self._when(data)}
        if wrong:
            raise ValidationError({name: [self.say(*said)] for name, said in wrong.items()})

    def _who(self, data: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
        wrong: dict[str, tuple[str, str]] = {}
        if data.get("household_id") is None:
            wrong |= {name: ("没有登记家庭的必填", "Needed without a registered household") for name in ("community", "known_as") if not data.get(name)}
            if not data.get("community"):
                wrong["household_id"] = ("请选择家庭；没有登记的，填写所在居村和已知情况", "Choose the household, or say where somebody unregistered is")
        elif data.get("community"):
            wrong["community"] = ("已选择登记的家庭，不填", "Left out for a registered household")
        if data.get("begun_by") == "discovery":
            wrong |= {name: ("主动发现必填", "Needed for a lead") for name in ("found_by", "finder") if not data.get(name)}
        if (persons := data.get("persons")) is not None and not 1 <= persons <= MOST_PERSONS:
            wrong["persons"] = (f"应在 1 至 {MOST_PERSONS} 之间", f"From 1 to {MOST_PERSONS}")
        return wrong

    def _what(self, data: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
        wrong: dict[str, tuple[str, str]] = {}
        kind, cause, basis = data.get("kind"), data.get("cause"), data.get("residence_basis")
        if kind and cause and kind not in temporary.kinds_of(cause):
            wrong["cause"] = ("这一事由不属于所选类型", "This cause is not of that kind")
        if kind and basis and temporary.intake(kind, basis) == temporary.IDENTIFY:
            wrong["residence_basis"] = ("支出型救助应先查明户籍或居住证", "For expenditure it is to be known first")
        if kind == temporary.EMERGENCY and not data.get("happened_on"):
            wrong["happened_on"] = ("急难型必填", "Needed in an emergency")
        return wrong

    def _when(self, data: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
        today, happened, applied = self.context_value("today"), data.get("happened_on"), data.get("applied_on")
        if applied and today and applied < today - timedelta(days=OLDEST_APPLICATION):
            return {"applied_on": ("日期已超过一年，请核对", "More than a year ago: please check the date")}
        if applied and happened and applied < happened:
            return {"applied_on": ("不能早于发生日期", "May not be before it happened")}
        return {}


class SameCauseException(Form):
    """同一事由: a second grant in a calendar year needs a good reason, which a supervisor finds and writes down."""

    exception_outcome = choice("审查意见", "Finding", [("allowed", "理由正当，可以再次救助", "A good reason"), ("refused", "无正当理由，不再救助", "No good reason")], fact=True)
    reason = text("理由", "Reason", widget="textarea")


class ReferApplicant(Step):
    """协助向救助管理机构求助 (N47): a hand-over, no decision."""

    AFTER: ClassVar[Mapping[str, str]] = {"handed_on": "applied_on"}
    agency = text("救助管理机构", "Relief station", max=100)
    handed_to = text("接收人", "Handed to", max=60)
    handed_on = on_date("交接日期", "Handed over on", fact=True)
    way_there = choice("协助方式", "How", [("accompanied", "护送", "Accompanied"), ("fetched", "由机构接走", "Fetched by the station"), ("told", "告知并联系", "Told, and called ahead")])
    note = text("交接情况", "Hand-over", required=False, widget="textarea")
    signed_document = document("交接单（扫描件）", "Signed hand-over")


class EmergencyDecide(Step):
    """急难型: help first; no means check, review or notice before it (N23 part 2(2)). What was ordered on the spot may be written down later."""

    AFTER: ClassVar[Mapping[str, str]] = {"ordered_on": "applied_on"}
    NEEDED: ClassVar[Mapping[str, tuple[str, str]]] = {"items": ("先行救助时必填", "needed to help")}
    emergency_outcome = choice("决定", "Decision", [("help", "先行救助", "Help first"), ("not_emergency", "不属急难型，按支出型程序办理", "No emergency: ordinary procedure")], fact=True)
    ordered_on = on_date("决定日期（事后补录的填写）", "Decided on, where written down later", required=False, fact=True)
    items = items()
    opinion = opinion()

    @validates_schema(skip_on_field_errors=False)
    def _given(self, data: Mapping[str, Any], **_: Any) -> None:
        helps = data.get("emergency_outcome") == "help"
        if helps and not data.get("items"):
            raise ValidationError({"items": [self.say("请写明给予什么救助", "Say what is given")]})
        if data.get("emergency_outcome") == "not_emergency" and data.get("items"):
            raise ValidationError({"items": [self.say("先行救助时才填写", "Only to help first")]})

    @gives("emergency_fen")
    def extra_facts(self, loaded: Mapping[str, Any]) -> dict[str, Any]:
        return {"emergency_fen": temporary.total(loaded.get("items") or ())} if loaded["emergency_outcome"] == "help" else {}


class Paid(Step):
    """Paid, handed over or referred: who (the actor), when, how, to whom."""

    pay_method = choice("支付（交付）方式", "How", METHODS_OF_PAY, widget="select")
    receiver = text("领取人", "Received by", max=60)
    note = text("备注", "Note", required=False, widget="textarea")


class EmergencyPay(Paid):
    AFTER: ClassVar[Mapping[str, str]] = {"helped_on": "applied_on"}
    helped_on = on_date("救助日期", "Helped on", fact=True)
    proof_document = document("领取凭证（现场没有的，补办手续时附）", "Receipt; with the papers afterwards where there was none")


class EmergencyRegister(Form):
    """补办手续: object, reason and amount in writing, with the signatures (N23 part 2(2))."""

    NEEDED: ClassVar[Mapping[str, tuple[str, str]]] = {"identity_note": ("身份仍未查明时必填", "needed while the identity is not known")}
    object = text("救助对象", "Who was helped", max=200)
    reason = text("救助事由", "Why", widget="textarea")
    amount = money("救助金额合计", "Amount in all")
    identity_note = text("身份未查明的原因", "Why the identity is not known", required=False, max=400)
    signed_document = document("审批表签字页（扫描件）", "Signed page", required=True)

    @validates_schema(skip_on_field_errors=False)
    def _same(self, data: Mapping[str, Any], **_: Any) -> None:
        given = self.fact("emergency_fen")
        if data.get("amount") is not None and given is not None and data["amount"] != given:
            raise ValidationError({"amount": [self.say("与先行救助的金额不一致", "Not the amount that was given")]})


class EmergencySignoff(Form):
    RETURNS = {"emergency_register": {"signoff": "return"}}  # noqa: RUF012
    signoff = choice("签批", "Sign-off", [("agree", "手续齐备，签字盖章", "Complete: signed and stamped"), ("further", "签字盖章；仍有困难，转支出型继续救助", "Signed; more help by the ordinary procedure"),
                                        ("return", "退回补正", "Return")], fact=True)  # fmt: skip
    stamped = yes_no("是否已盖章", "Stamped?")
    opinion = opinion()

    @validates_schema(skip_on_field_errors=False)
    def _stamp(self, data: Mapping[str, Any], **_: Any) -> None:
        if data.get("signoff") in ("agree", "further") and data.get("stamped") is False:
            raise ValidationError({"stamped": [self.say("手续齐备应已盖章", "Papers that are complete are stamped")]})

    @gives("decided_on")
    def extra_facts(self, loaded: Mapping[str, Any]) -> dict[str, Any]:
        return {} if loaded["signoff"] == "return" else {"decided_on": self.context_value("today").isoformat()}


class HelpPapers(CompletenessCheck):
    """The papers; and on what somebody is at home here, where it was not known when help came first."""

    residence_basis = choice("查明的户籍或居住证", "At home here by, as found", temporary.BASES[:3], required=False, widget="select", fact=True, hint="原登记已查明的不填",
                             hint_en="Left out where it is known")  # fmt: skip

    def _not_told(self, new: set[str]) -> str:
        zh, en = (("、" if n == 1 else ", ").join(row[n] for row in MATERIALS if row[0] in new) for n in (1, 2))
        return self.say(f"首次告知没有列出{zh}，不得再次要求（一次性告知）", f"The first notice did not list this, it may not be asked for now: {en}")


class HelpOpinion(Outcome):
    """街镇审核意见: what is proposed, by the figures or the joint meeting's resolution."""

    OUTCOME = "street_outcome"
    REASONED = frozenset({"propose_refuse", "return_survey"})
    RETURNS = {"home_survey": {"street_outcome": "return_survey"}}  # noqa: RUF012
    NEEDED: ClassVar[Mapping[str, tuple[str, str]]] = {**Outcome.NEEDED, "items": ("拟给予救助时必填", "needed to grant")}
    street_outcome = choice("审核意见", "Opinion", [
        ("propose_grant", "拟给予救助", "Propose to grant"), ("propose_refuse", "拟不予救助", "Propose to refuse"),
        ("return_survey", "退回重新调查", "Return for a new survey"), ("joint_meeting", "困难重大，提交联席会议（一事一议）", "Great hardship: to the joint meeting")], fact=True)  # fmt: skip
    items = items()
    opinion = opinion()
    reason_code = reason_code()
    clause = clause()
    trigger = special_cases.asking_fields()["trigger"]
    special_facts = special_cases.asking_fields()["special_facts"]
    wish = special_cases.asking_fields()["wish"]

    @validates_schema(skip_on_field_errors=False)
    def _may(self, data: Mapping[str, Any], **_: Any) -> None:
        said, given = data.get("street_outcome"), data.get("items") or []
        if said == "propose_grant" and not given:
            raise ValidationError({"items": [self.say("请写明给予什么救助", "Say what is given")]})
        if said is not None and said != "propose_grant" and given:
            raise ValidationError({"items": [self.say("拟给予救助时才填写", "Only to grant")]})
        if self.fact("exception_outcome") == "refused" and said not in (None, "propose_refuse"):
            raise ValidationError({"street_outcome": [self.say("同一事由本年度已救助，审查认为无正当理由，只能拟不予", "Helped for the same cause this year and no good reason: only a refusal")]})
        if said != "propose_grant":
            return
        by_meeting = self.fact("resolution") == "approve_as"
        need = self.fact("need_outcome")
        if not by_meeting and need is not None and need != temporary.FITS:
            raise ValidationError({"street_outcome": [self.say(
                "收入或财产不符合支出型救助条件，不能拟给予；困难重大的请提交联席会议", "Income or property over the limit: great hardship goes to the joint meeting")]})  # fmt: skip
        approved = self.fact("approved_fen")
        if by_meeting and approved is not None and all(isinstance(one, Mapping) for one in given) and temporary.total(given) != approved:
            raise ValidationError({"items": [self.say("合计应等于联席会议确定的金额", "Together they are the amount of the joint meeting")]})

    @gives(*special_cases.ASKED, "aid_fen", "street_notice_from")
    def extra_facts(self, loaded: Mapping[str, Any]) -> dict[str, Any]:
        grants = loaded["street_outcome"] == "propose_grant"
        posted = {"street_notice_from": self.context_value("today").isoformat()} if grants else {}
        return special_cases.asked(self, loaded["street_outcome"], "street", loaded.get("trigger")) | posted | {"aid_fen": temporary.total(loaded.get("items") or ()) if grants else None}


class PostHelpNotice(PostNotice):
    AFTER: ClassVar[Mapping[str, str]] = {"posted_on": "street_notice_from"}

    @gives("street_notice_posted_on", "street_notice_until")
    def extra_facts(self, loaded: Mapping[str, Any]) -> dict[str, Any]:
        posted = date.fromisoformat(loaded["posted_on"])
        return {"street_notice_posted_on": posted.isoformat(), "street_notice_until": midnight_after(posted, int(law.value("temp_notice_days", posted).amount))}


class RemoveHelpNotice(RemoveNotice):
    @validates_schema(skip_on_field_errors=False)
    def _whole(self, data: Mapping[str, Any], **_: Any) -> None:
        until, removed = self.fact("street_notice_until"), data.get("removed_on")
        if until and removed and removed < date.fromisoformat(until[:10]):
            last = date.fromisoformat(until[:10]) - timedelta(days=1)
            raise ValidationError({"removed_on": [self.say(f"公示期至 {last} 终了后方可揭下", f"The notice stays to the close of {last}")]})


class HelpDecision(Outcome):
    """The street up to its limit, the district above (N649 art 48). Nothing else is granted than what was proposed and hung."""

    OUTCOME = "decision"
    REASONED = frozenset({"refused", "returned"})
    RETURNS = {"street_opinion": {"decision": "returned"}}  # noqa: RUF012
    FINAL = {"decision": ("granted", "refused")}  # noqa: RUF012
    decision = choice("审批决定", "Decision", [("granted", "准予救助", "Grant"), ("refused", "不予救助", "Refuse"), ("returned", "退回重新审核", "Return")], fact=True)
    opinion = opinion()
    reason_code = reason_code()
    clause = clause()

    @validates_schema(skip_on_field_errors=False)
    def _proposed(self, data: Mapping[str, Any], **_: Any) -> None:
        if data.get("decision") == "granted" and self.fact("street_outcome") not in (None, "propose_grant"):
            raise ValidationError({"decision": [self.say("审核意见为拟不予，没有救助内容；不同意的请退回重新审核", "Nothing was proposed: return it if you differ")]})

    @gives("decided_on")
    def extra_facts(self, loaded: Mapping[str, Any]) -> dict[str, Any]:
        return {} if loaded["decision"] == "returned" else {"decided_on": self.context_value("today").isoformat()}


class PayGrant(Paid):
    AFTER: ClassVar[Mapping[str, str]] = {"paid_on": "decided_on"}
    paid_on = on_date("支付（交付）日期", "Paid on", fact=True)
    proof_document = document("领取凭证（扫描件）", "Receipt", required=True)


class HelpResolution(special_cases.Resolution):
    """一事一议: the amount is that of the meeting, once."""

    @gives("approved_fen", "resolved_on")
    def extra_facts(self, loaded: Mapping[str, Any]) -> dict[str, Any]:
        return {"approved_fen": loaded.get("approved_amount"), "resolved_on": self.context_value("today").isoformat()}


FORMS: dict[str, type[Form]] = {
    "refer_applicant": ReferApplicant,
    "same_cause_exception": SameCauseException,
    "emergency_decide": EmergencyDecide,
    "emergency_pay": EmergencyPay,
    "emergency_register": EmergencyRegister,
    "emergency_signoff": EmergencySignoff,
    "completeness_check": HelpPapers,
    "supplement": Supplement,
    "means_check": MeansCheck,
    "home_survey": HomeSurvey,
    "survey_cosign": SurveyCosign,
    "street_opinion": HelpOpinion,
    "post_street_notice": PostHelpNotice,
    "remove_street_notice": RemoveHelpNotice,
    "street_reinvestigate": StreetReinvestigate,
    "street_confirmation": HelpDecision,
    "decide": HelpDecision,
    "pay_grant": PayGrant,
    "deliver_approval": Deliver,
    "deliver_refusal": Deliver,
}
MESSAGES: dict[str, type[Form]] = {"withdrawal": Withdrawal, "objection": Objection, "registry_answer": RegistryAnswer, "resolution": HelpResolution}
