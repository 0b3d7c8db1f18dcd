"""What an application for the recognition as a family in hardship for its expenses asks for (domain 3.10; N23, since 2025 N2025R)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, ClassVar

from marshmallow import ValidationError, validates_schema

from engine.forms import Form, choice, document, money, number, on_date, rows, text, yes_no
from engine.given import gives
from processes import dibao_2012_forms as before
from processes import law, special_cases
from processes.dibao_2012_forms import Application, Outcome, Step, Supplement, one_of_reasons, opinion
from processes.expenditure import KINDS

EXPENSE_KINDS = [(code, zh, en) for code, (zh, en) in KINDS.items()]
RECOGNISED = ("illness_expenditure", "rigid_expenditure")
HELP = [
    ("status", "认定身份，不发放救助金", "Recognition only"),
    ("one_off", "一次性救助", "One-off help"),
    ("referral", "转介其他救助", "Referral"),
]
REFERRALS = [
    ("temporary_assistance", "临时救助（支出型）", "Temporary assistance (expenditure)"),
    ("medical_assistance", "医疗救助", "Medical assistance"),
    ("education_assistance", "教育救助", "Education assistance"),
    ("charity", "慈善帮扶", "Charity"),
    ("other", "其他", "Other"),
]


class Expense(Form):
    person_id = number("成员", "Member")
    kind = choice("支出种类", "Kind", EXPENSE_KINDS, widget="select")
    amount_fen = money("自付金额", "Amount paid by the family")
    paid_on = on_date("支出日期", "Paid on")
    institution = text("机构（医院、学校等）", "Institution", max=100)
    document_id = document("票据", "Receipt", required=True)


def _expenses(*, required: bool) -> Any:
    return rows("支出", "Expenses", Expense, required=required, least=int(required), hint="逐笔填写，每笔附票据", hint_en="Item by item, each with its receipt")


class ExpenditureApplication(Application):
    programme = choice("申请事项", "Programme", [("illness_expenditure", "支出型困难家庭认定", "Family in hardship for its expenses")], fact=True)
    expenses = _expenses(required=True)


class ExpenditureSupplement(Supplement):
    expenses = _expenses(required=False)


class CheckedExpense(Form):
    item = number("序号", "Item", hint="申报支出的序号", hint_en="The number of the expense as declared")
    compliant = yes_no("是否合规（定点机构、规定范围内、不能报销）", "Compliant (designated institution, covered, not reimbursed)?")
    amount_fen = money("核实金额", "Amount as checked", required=False, hint="与申报一致的不填", hint_en="Left out where it is as declared")
    note = text("说明", "Note", required=False, max=200)


class CheckExpenses(Step):
    """Every expense that was declared is looked at, one by one."""

    expenses = rows("逐笔核实", "Item by item", CheckedExpense, required=True, least=1)
    statement = text("核实情况", "What was found", widget="textarea")
    complex_case = yes_no("情况是否复杂（延长办理期限）", "Is the case complex (a longer limit)?", required=False, fact=True)

    @validates_schema(skip_on_field_errors=False)
    def _once(self, data: Mapping[str, Any], **_: Any) -> None:
        items = [one.get("item") for one in data.get("expenses") or () if isinstance(one, Mapping)]
        if twice := sorted({str(n) for n in items if n is not None and items.count(n) > 1}):
            raise ValidationError({"expenses": [self.say(f"第{'、'.join(twice)}项重复", f"Said twice: {', '.join(twice)}")]})

    @gives("whole_case_workdays")
    def extra_facts(self, loaded: Mapping[str, Any]) -> dict[str, Any]:
        accepted = self.fact("accepted_on")
        if not loaded.get("complex_case") or not accepted:
            return {}
        return {"whole_case_workdays": int(law.value("expenditure_case_extended_workdays", date.fromisoformat(accepted)).amount)}


def _refuse_unrecognised(form: Form, data: Mapping[str, Any], name: str) -> None:
    if data.get(name) == "propose_grant" and form.fact("category") not in RECOGNISED:
        raise ValidationError({name: [form.say(
            "测算结果不符合支出型困难家庭条件，不能拟同意；情况复杂的，提交联席会议一事一议",
            "Not recognised by the calculation: cannot be granted; complex cases go to the joint meeting")]})  # fmt: skip


class ExpenditureOpinion(Outcome):
    OUTCOME = "street_outcome"
    REASONED = frozenset({"propose_refuse", "return_survey"})
    NEEDED: ClassVar[Mapping[str, tuple[str, str]]] = {
        **Outcome.NEEDED, "help_kind": ("拟同意时必填", "needed to propose a grant"), "help_fen": ("一次性救助时必填", "needed for one-off help"),
        "referral": ("转介时必填", "needed for a referral")}  # fmt: skip
    RETURNS = {"home_survey": {"street_outcome": "return_survey"}}  # noqa: RUF012
    street_outcome = choice("审核意见", "Opinion", [
        ("propose_grant", "拟同意", "Propose to grant"), ("propose_refuse", "拟不同意", "Propose to refuse"),
        ("return_survey", "退回重新调查", "Return for a new survey"), ("joint_meeting", "提交联席会议", "To the joint meeting")], fact=True)  # fmt: skip
    help_kind = choice("救助方式", "Help", HELP, required=False, fact=True)
    help_fen = money("一次性救助金额（全户）", "One-off amount (household)", required=False, fact=True)
    referral = choice("转介", "Referred to", REFERRALS, required=False, widget="select", fact=True)
    opinion = opinion()
    reason_code = one_of_reasons()["reason_code"]
    clause = text("依据条款", "Clause of law", required=False, max=200)
    trigger = special_cases.asking_fields()["trigger"]
    special_facts = special_cases.asking_fields()["special_facts"]
    wish = special_cases.asking_fields()["wish"]

    @validates_schema(skip_on_field_errors=False)
    def _eligible(self, data: Mapping[str, Any], **_: Any) -> None:
        _refuse_unrecognised(self, data, "street_outcome")
        wrong: dict[str, list[str]] = {}
        granting, kind = data.get("street_outcome") == "propose_grant", data.get("help_kind")
        if granting and not kind:
            wrong["help_kind"] = [self.say("拟同意时请选择救助方式", "Say which help")]
        for name, wanted, zh, en in (("help_fen", "one_off", "一次性救助", "one-off help"), ("referral", "referral", "转介", "a referral")):
            if kind == wanted and not data.get(name):
                wrong[name] = [self.say(f"{zh}时必填", f"Needed for {en}")]
            elif kind != wanted and data.get(name) is not None:
                wrong[name] = [self.say(f"只有{zh}时填写", f"Only for {en}")]
        if not granting and kind:
            wrong["help_kind"] = [self.say("只有拟同意时填写", "Only to propose a grant")]
        if wrong:
            raise ValidationError(wrong)

    @gives(*special_cases.ASKED, "amount_fen", "help_kind", "help_fen", "referral")
    def extra_facts(self, loaded: Mapping[str, Any]) -> dict[str, Any]:
        """A file that comes back and is proposed anew keeps nothing of what was proposed before."""
        return special_cases.asked(self, loaded["street_outcome"], "street", loaded.get("trigger")) | {
            "help_kind": loaded.get("help_kind"), "help_fen": loaded.get("help_fen"), "referral": loaded.get("referral"), "amount_fen": loaded.get("help_fen") or 0}  # fmt: skip


class ExpenditureExamination(Outcome):
    OUTCOME = "district_outcome"
    REASONED = frozenset({"propose_refuse", "return_survey", "return_street"})
    RETURNS = {"home_survey": {"district_outcome": "return_survey"}, "street_opinion": {"district_outcome": "return_street"}}  # noqa: RUF012
    district_outcome = choice("审查意见", "Outcome", [
        ("propose_grant", "拟批准", "Propose to grant"), ("propose_refuse", "拟不予批准", "Propose to refuse"),
        ("return_survey", "退回重新调查", "Return for a new survey"), ("return_street", "退回街镇审核", "Return to the street"),
        ("joint_meeting", "提交联席会议", "To the joint meeting")], fact=True)  # fmt: skip
    opinion = opinion()
    reason_code = one_of_reasons()["reason_code"]
    clause = text("依据条款", "Clause of law", required=False, max=200)
    trigger = special_cases.asking_fields()["trigger"]
    special_facts = special_cases.asking_fields()["special_facts"]
    wish = special_cases.asking_fields()["wish"]

    @validates_schema(skip_on_field_errors=False)
    def _eligible(self, data: Mapping[str, Any], **_: Any) -> None:
        _refuse_unrecognised(self, data, "district_outcome")
        if data.get("district_outcome") == "propose_grant" and self.fact("street_outcome") != "propose_grant":
            raise ValidationError({"district_outcome": [self.say("街镇没有拟同意，不能拟批准；请退回街镇审核", "The street proposed no grant: return it to the street")]})

    @gives(*special_cases.ASKED)
    def extra_facts(self, loaded: Mapping[str, Any]) -> dict[str, Any]:
        return special_cases.asked(self, loaded["district_outcome"], "district", loaded.get("trigger"))


class ExpenditureDecision(before.Decide):
    clause = text("依据条款", "Clause of law", required=False, max=200)

    @validates_schema(skip_on_field_errors=False)
    def _as_proposed(self, data: Mapping[str, Any], **_: Any) -> None:
        said, proposed = data.get("decision"), self.fact("district_outcome")
        if (said, proposed) in (("granted", "propose_refuse"), ("refused", "propose_grant")):
            raise ValidationError({"decision": [self.say("与区级审查意见不一致，请退回区级审查", "Not what the district proposed: return it")]})


FORMS: dict[str, type[Form]] = {
    **{node: before.FORMS[node] for node in (
        "completeness_check", "register_near_relative", "means_check", "home_survey", "survey_cosign", "neighbor_enquiry", "street_signoff",
        "post_street_notice", "remove_street_notice", "street_reinvestigate", "submit_to_district", "spot_check_visit", "late_spot_check_visit", "deliver_approval", "deliver_refusal")},
    "supplement": ExpenditureSupplement,
    "check_expenses": CheckExpenses,
    "street_opinion": ExpenditureOpinion,
    "district_examination": ExpenditureExamination,
    "decide": ExpenditureDecision,
}  # fmt: skip
MESSAGES: dict[str, type[Form]] = dict(before.MESSAGES)
