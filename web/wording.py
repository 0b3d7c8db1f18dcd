"""Codes in the words of the people who read them: facts, answers, articles of law, deadline rules, names of staff."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from engine.forms import Form
from engine.model import SHANGHAI
from processes import household_forms as hf
from processes.dibao_2012_forms import MATERIALS, PARTICIPANTS
from processes.money import yuan
from processes.tables import staff
from web.desk import lang, t

Pair = tuple[str, str]

_KINDS_EN = {
    "wage_income": "Wages", "business_net_income": "Net income of family business", "property_income": "Income from property",
    "transfer_income": "Transfers", "other_income": "Other income", "scholarship": "Scholarship", "study_grant": "Study or hardship grant",
    "model_worker_allowance": "Model worker's allowance", "science_award": "Science award", "bravery_award": "Award for bravery",
    "one_child_fee": "One-child fee", "family_planning_award": "Family planning award", "injury_medical": "Medical costs of a work injury",
    "injury_compensation": "Compensation for a work injury", "funeral_fee": "Funeral allowance", "medical_reimbursement": "Reimbursed medical costs",
    "basic_pension_resident": "Basic pension of residents", "rent_subsidy": "Rent subsidy", "elderly_subsidy": "Subsidy for elderly without income",
    "preferential_allowance": "Allowance of entitled groups", "social_assistance": "Social assistance", "charity_gift": "Gift of charity",
    "monetary_assets": "Money and savings", "vehicle": "Motor vehicle", "dwelling": "Dwelling", "non_residential": "Non-residential building",
    "study_abroad": "Study abroad at own expense", "luxury": "Luxury goods",
}  # fmt: skip
_HARDSHIPS_EN = {
    "disabled_member": "disabled member", "major_illness": "major illness", "single_parent_student": "single parent with a child in school",
    "family_planning_special": "special family planning aid", "elderly_childless": "all over 60 and childless",
    "recognised_other": "other recognised hardship",
}  # fmt: skip
_HINTS_EN = {"元，如 2100.00": "Yuan, like 2100.00", "如 2018-11": "Like 2018-11"}

CODES: Mapping[str, Mapping[str, Pair]] = {
    "relation": {c: (zh, en) for c, zh, en in hf.RELATIONS},
    "employment": {c: (zh, en) for c, zh, en in hf.EMPLOYMENTS},
    "excluded": {c: (zh, en) for c, zh, en in hf.EXCLUSIONS},
    "income": {c: (zh, _KINDS_EN.get(c, c.replace("_", " "))) for c, zh, _ in [*hf.INCOME_KINDS, *hf.PROPERTY_KINDS]},
    "document": {c: (zh, en) for c, zh, en in MATERIALS} | {
        "signed_document": ("签字页", "Signed page"), "surveyed_signature": ("被调查人签字页", "Signature of the person surveyed"),
        "receipt_document": ("送达回证", "Proof of delivery"), "photo": ("照片", "Photo"), "photos": ("照片", "Photos"),
        "documents": ("申请材料", "Application papers"), "evidence": ("证据", "Evidence"), "application": ("申请材料", "Application papers"),
        "signature": ("签字页", "Signature page"), "survey": ("入户调查", "Home survey")},
    "participant": {c: (zh, en) for c, zh, en in PARTICIPANTS},
    "source": {
        "declared": ("申报", "declared"), "checked": ("核对", "checked"), "seen": ("所见", "seen"),
        "household_registration": ("户籍", "Household registration"), "vehicle": ("车辆", "Vehicles"), "social_security": ("社保", "Social security"),
        "real_estate": ("不动产", "Real estate"), "tax": ("税务", "Tax"), "deposits": ("银行存款", "Deposits"), "business": ("工商", "Business register"),
        "housing_fund": ("公积金", "Housing fund"), "answered": ("已答复", "answered"), "unavailable": ("无法取得", "unavailable")},
    "category": {
        "dibao": ("最低生活保障", "Minimum living guarantee"), "low_income": ("低收入家庭救助", "Low-income relief"),
        "destitute_institutional": ("特困供养（集中）", "Destitute support in an institution"),
        "destitute_dispersed": ("特困供养（分散）", "Destitute support at home"),
        "refused_income": ("收入不符合条件", "Income over the limit"), "refused_property": ("财产不符合条件", "Property over the limit"),
        "refused_vehicle": ("拥有机动车辆", "Motor vehicle")},
    "benefit": {
        "pending_first_payment": ("待首次发放", "first payment pending"), "active": ("享受中", "active"), "suspended": ("暂停", "suspended"),
        "stopped": ("停发", "stopped"), "closed": ("已结束", "closed")},
    "registry": {
        "complete": ("全部取得", "complete"), "partial": ("部分取得", "partial"), "contradictory": ("来源矛盾", "contradictory"),
        "unavailable": ("无法取得", "unavailable")},
    "spot": {"near_relative": ("近亲属备案", "near relative"), "doubtful": ("可疑", "doubtful"), "drawn": ("随机抽取", "drawn at random")},
    "change": {"posts": ("调整岗位", "Posts"), "add": ("新增人员", "New staff"), "relative": ("申报近亲属", "Declared relative"),
               "deactivate": ("停用", "Deactivate")},
    "line": {"new": ("可导入", "can be brought in"), "known": ("已在系统", "here already"),
             "differs": ("已在系统，与名单不一致", "here already, but not as listed"), "error": ("有错误", "has errors")},
    "annex1": {
        "序号": ("序号", "No."), "申请人": ("申请人", "Applicant"), "身份证号": ("身份证号", "ID number"), "家庭人口": ("家庭人口", "Members"),
        "乡镇（街道）": ("乡镇（街道）", "Street or town"), "村（居委会）": ("村（居委会）", "Village or residents' committee"), "家庭收入": ("家庭收入", "Income"),
        "家庭财产": ("家庭财产", "Property"), "救助类别": ("救助类别", "Kind of assistance"), "保障金额": ("保障金额", "Amount"), "致困原因": ("致困原因", "Cause of hardship"),
        "入户核查结果": ("入户核查结果", "Result of the home check"), "备注": ("备注", "Remarks")},
    "kin": {c: (zh, en) for c, zh, en in hf.NearRelativeIn().fields["relation"].metadata["choices"]},
    "means": {"member": ("增加成员", "Add a member")},
    "meeting": {"street": ("街镇审核", "street opinion"), "district": ("区级审查", "district examination")},
}  # fmt: skip

# Facts worth reading, in the order in which they come about; what is not named here is the machine's own.
FACTS: Mapping[str, tuple[str, str, str]] = {
    "programme": ("申请事项", "Programme", "category"),
    "applied_on": ("申请日期", "Applied on", ""),
    "near_relative_declared": ("申报近亲属", "Near relative declared", "yes"),
    "complete": ("材料齐全", "Papers complete", "yes"),
    "first_missing": ("首次告知补正", "Asked for in the first notice", "document"),
    "accepted_on": ("受理日期", "Accepted on", ""),
    "near_relative": ("近亲属备案", "Near relative registered", "yes"),
    "investigation_from": ("本次调查开始", "Investigation began", ""),
    "registry_status": ("信息核对取得情况", "Registries' answers", "registry"),
    "check_conclusion": ("核对结论", "Means check", "form"),
    "doubtful": ("列为可疑", "Doubtful", "yes"),
    "second_investigator": ("第二调查人", "Second investigator", "staff"),
    "survey_ended_on": ("入户调查结束", "Survey ended on", ""),
    "check_objection_until": ("对核对结果的异议期至", "Objection to the check until", "moment"),
    "category": ("测算结果", "Calculated category", "category"),
    "members_counted": ("计入人口", "Members counted", ""),
    "per_capita": ("人均月收入（元）", "Income per head (yuan)", ""),
    "amount_fen": ("每月金额（元）", "Amount a month (yuan)", "money"),
    "law_version": ("适用标准", "Standard applied", ""),
    "low_income_consent": ("同意按低收入办理", "Consents to low-income relief", "yes"),
    "review_conclusion": ("民主评议结论", "Democratic review", "form"),
    "street_outcome": ("街镇审核意见", "Street opinion", "form"),
    "signoff": ("街镇签批", "Street sign-off", "form"),
    "street_notice_posted_on": ("街镇公示张贴", "Street notice posted", ""),
    "street_notice_until": ("街镇公示期满", "Street notice over", "moment"),
    "objection_on": ("异议提出日期", "Objection raised on", ""),
    "figures_changed": ("复查后数字有变化", "Figures changed", "yes"),
    "meeting_requested_on": ("提交联席会议", "Sent to the joint meeting", ""),
    "meeting_from": ("由何环节提交", "Sent from", "meeting"),
    "resolution": ("联席会议决议", "Resolution of the meeting", "form"),
    "submitted_on": ("报送区级", "Submitted to the district", ""),
    "spot_check": ("区级入户抽查", "Spot check", "yes"),
    "spot_reason": ("抽查原因", "Why", "spot"),
    "district_outcome": ("区级审查意见", "District examination", "form"),
    "district_notice_posted_on": ("区级公示张贴", "District notice posted", ""),
    "district_notice_until": ("区级公示期满", "District notice over", "moment"),
    "decision": ("审批决定", "Decision", "form"),
    "decided_on": ("决定日期", "Decided on", ""),
    "first_payment_month": ("首次发放月份", "First payment month", ""),
    "delivered_on": ("送达日期", "Delivered on", ""),
    "withdrawn_on": ("撤回日期", "Withdrawn on", ""),
}

_SINCE = {
    "investigation_from": ("本次调查开始之日", "the beginning of this investigation"),
    "survey_ended_on": ("入户调查结束之日", "the end of the survey"),
    "meeting_requested_on": ("提交联席会议之日", "the request to the joint meeting"),
    "objection_on": ("异议提出之日", "the objection"),
    "submitted_on": ("报送区级之日", "the submission to the district"),
    "district_notice_ended_on": ("区级公示期满之日", "the end of the district notice"),
    "decided_on": ("作出决定之日", "the decision"),
}
_LAWS = {
    "N220": ("《最低生活保障审核审批办法（试行）》民发〔2012〕220号", "Minfa [2012] No. 220 (dibao review and approval)"),
    "N23": ("《关于进一步加强和改进临时救助工作的意见》", "Opinions on temporary assistance (2018)"),
    "TLOW": ("《关于调整城乡低收入家庭救助有关政策的通知》（天津，2016）", "Tianjin notice on low-income relief (2016)"),
    "TECON": ("《天津市社会救助家庭经济状况核定暂行办法》", "Tianjin rules on means assessment"),
    "TCLS": ("天津市分类救助规定", "Tianjin rules on deductions"),
    "T18": ("天津市2018年4月1日起标准", "Tianjin standards from 2018-04-01"),
    "T20": ("天津市2020年标准和财产规定", "Tianjin standards and property rules of 2020"),
}
_DIGITS = "零一二三四五六七八九"


def word(kind: str, code: Any) -> str:
    """A code in words; the code itself where nobody gave it words."""
    found = CODES[kind].get(str(code))
    return str(code if found is None else t(*found))


def words(kind: str, codes: Any) -> str:
    listed = codes if isinstance(codes, list) else str(codes).split()
    return t("、", ", ").join(word(kind, code) for code in listed)


def choice_word(choice: tuple[str, str, str]) -> str:
    """A choice of a form; where its English is only the code, the words are here."""
    code, zh, en = choice
    return zh if lang() == "zh" else _KINDS_EN.get(code, code.replace("_", " ")) if en == code else en


def spelled(text: str) -> str:
    """English lines of a calculation with words instead of codes."""
    known = _KINDS_EN | _HARDSHIPS_EN
    return re.sub(r"\b[a-z]+(?:_[a-z]+)+\b", lambda m: known.get(m[0], m[0].replace("_", " ")).lower(), text)


def hint(meta: Mapping[str, Any]) -> str:
    zh = str(meta.get("hint") or "")
    if not zh and meta.get("widget") == "date":
        return t("如 2018-12-03", "Like 2018-12-03")
    return zh if lang() == "zh" else str(meta.get("hint_en") or _HINTS_EN.get(zh, zh))


def path_label(form: Form, path: str) -> str:
    """ "members.0.id_no" as its labels say it: 家庭成员 1 身份证号."""
    if path in ("_to", "_reason"):
        return t("转给", "Hand over to") if path == "_to" else t("理由", "Reason")
    fields, found = form.fields, []
    for part in path.split("."):
        if part.isdecimal():
            found.append(str(int(part) + 1))
        elif part in fields:
            meta = fields[part].metadata
            found.append(str(meta.get("label_en" if lang() == "en" else "label", part)))
            fields = meta["form"]().fields if "form" in meta else fields
    return " ".join(found) or t("填写内容", "What was entered")


def yes(value: Any) -> str:
    return t("是", "yes") if value else t("否", "no")


def fact_lines(facts: Mapping[Any, Any], forms: Mapping[str, type[Form]], names: Mapping[str, str]) -> list[Pair]:
    """The facts that people read, with labels, in the order of the procedure."""
    return [(t(*FACTS[k][:2]), fact(k, facts[k], forms, names)) for k in FACTS if facts.get(k) not in (None, "")]


def fact(name: str, value: Any, forms: Mapping[str, type[Form]], names: Mapping[str, str] | None = None) -> str:  # noqa: PLR0911 - one line per kind
    kind = FACTS[name][2] if name in FACTS else ""
    match kind:
        case "yes":
            return yes(value)
        case "money":
            return yuan(value)
        case "moment":
            return str(value)[:16].replace("T", " ")
        case "staff":
            return (names or {}).get(value, str(value))
        case "form":
            return answer_word(name, value, forms)
        case "":
            return str(value)
        case _:
            return words(kind, value)


def answer_word(name: str, value: Any, forms: Mapping[str, type[Form]]) -> str:
    """The words that the forms give to an answer: several forms may ask for the same fact."""
    for form_class in forms.values():
        field = form_class._declared_fields.get(name)
        for choice in field.metadata.get("choices", ()) if field is not None else ():
            if choice[0] == value:
                return choice_word(choice)
    return str(value)


def article(text: str) -> str:
    """"N220 art 18-19" as an article of law."""
    return t("；", "; ").join(_one_article(part.strip()) for part in text.split(";") if part.strip())


def _one_article(text: str) -> str:
    key, _, rest = text.partition(" art ")
    if key not in _LAWS:
        return text
    zh, en = _LAWS[key]
    numbers = [_chinese(n) for n in rest.split("-") if n.isdecimal()]
    return t(zh + (f"第{'至'.join(numbers)}条" if numbers else ""), en + (f", art. {rest}" if rest else ""))


def _chinese(number: str) -> str:
    """1 to 99 in Chinese numerals."""
    tens, ones = divmod(int(number), 10)
    return ("" if tens == 0 else "十" if tens == 1 else _DIGITS[tens] + "十") + (_DIGITS[ones] if ones or not tens else "")


def deadline(rule: str | None) -> str:
    """The rule of the drawing in words: workdays(10, since='investigation_from')."""
    found = re.fullmatch(r"(workdays|days)\((\d+), since='(\w+)'\)", rule or "")
    if not found or found[3] not in _SINCE:
        return t("及时办理", "Promptly")
    zh, en = _SINCE[found[3]]
    unit = t("个工作日", "working days") if found[1] == "workdays" else t("日", "days")
    return t(f"自{zh}起 {found[2]} {unit}内", f"Within {found[2]} {unit} of {en}")


def names_of(conn: Connection, logins: Iterable[str | None]) -> dict[str, str]:
    """Login -> name of staff; the system has one too."""
    wanted = {login for login in logins if login}
    rows = conn.execute(select(staff.c.login, staff.c.name).where(staff.c.login.in_(wanted)))
    return {"system": t("系统", "System"), "import": t("批量导入", "Import")} | {row.login: row.name for row in rows}


def moment(value: datetime | None) -> str:
    return "" if value is None else f"{value.astimezone(SHANGHAI):%Y-%m-%d %H:%M}"
