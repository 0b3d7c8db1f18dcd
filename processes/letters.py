"""The words of letters, notices and sheets: pure builders of standalone HTML for A4 paper, in Chinese as they are issued."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from html import escape
from typing import Any

from processes import benefit_letters, law, temporary_letters
from processes.destitute_forms import REASONS as DESTITUTE_REASONS
from processes.destitute_forms import SELF_CARE, SUPPORT
from processes.dibao_2012_forms import MATERIALS, PARTICIPANTS, REASONS, share_words
from processes.household_forms import INCOME_KINDS, PROPERTY_KINDS, RELATIONS
from processes.illness_expenditure_forms import REFERRALS
from processes.money import capital, to_fen, yuan

TITLES = {
    "acceptance": "最低生活保障申请受理通知书",
    "supplement": "一次性补正告知书",
    "check_rejection": "经济状况核对结果告知书",
    "approval": "社会救助批准决定通知书",
    "refusal": "不予批准社会救助告知书",
    "termination": "终止最低生活保障审核确认程序告知书",
    "low_income_certificate": "天津市城乡居民低收入救助证",
    **temporary_letters.TITLES,
    **benefit_letters.TITLES,
}
# Of an application for something else than dibao.
_TITLES = {
    "low_income": {"acceptance": "低收入家庭救助申请受理通知书", "termination": "终止低收入家庭救助审核确认程序告知书"},
    "illness_expenditure": {"acceptance": "支出型困难家庭认定申请受理通知书", "approval": "支出型困难家庭认定决定通知书", "refusal": "不予认定支出型困难家庭告知书"},
    "destitute": {"acceptance": "特困人员救助供养申请受理通知书"},
}
_WORDS = {"acceptance": "受", "supplement": "补", "check_rejection": "核", "approval": "准", "refusal": "拒", "termination": "终", "low_income_certificate": "低证",
          **temporary_letters.MARKS, **benefit_letters.MARKS}  # fmt: skip
_OF_THE_DISTRICT = frozenset({"approval", "refusal"}) | temporary_letters.OF_THE_DISTRICT | benefit_letters.OF_THE_DISTRICT
_WITH_REMEDIES = temporary_letters.WITH_REMEDIES | benefit_letters.WITH_REMEDIES
RELATION_WORDS = {code: zh for code, zh, _ in RELATIONS}
KIND_WORDS = {code: zh for code, zh, _ in [*INCOME_KINDS, *PROPERTY_KINDS]}
PERIOD_WORDS = {"month": "每月", "year": "每年"}
_CATEGORIES = {"dibao": "最低生活保障", "low_income": "低收入家庭救助", "illness_expenditure": "支出型困难家庭认定", "rigid_expenditure": "刚性支出困难家庭认定",
               "destitute": "特困人员救助供养"}  # fmt: skip
COMPLAINT_PHONE = "12345"
REVIEW_BY_GOVERNMENT_ONLY = "2024-01-01"  # 行政复议法 as revised in 2023; before, the applicant chose (domain 2.7)


# What a programme's own paper says; else the dibao paper of the day is cited, by which the procedure goes (domain 2.10).
_OWN_ARTICLES = {("low_income", "refusal"): "《关于调整城乡低收入家庭救助有关政策的通知》"}
_EXPENDITURE = ("《关于进一步加强和改进临时救助工作的意见》", "《刚性支出困难家庭认定办法》、《天津市刚性支出困难家庭认定办法（试行）》")  # before 2025, since

# What letters cite, by the procedure of the day of acceptance, or of issue before it.
_ARTICLES = {
    "dibao-2012": {"once": "民发〔2012〕220号第十三条", "objection": "民发〔2012〕220号第二十条", "amount": "民发〔2012〕220号第二十七条",
                   "refusal": "民发〔2012〕220号第四条、第二十六条"},
    "dibao-2021": {"once": "民发〔2021〕57号第十条", "objection": "民发〔2021〕57号第十八条", "amount": "民发〔2021〕57号第二十三条",
                   "refusal": "民发〔2021〕57号第二十一条"},
    # The measures on the destitute are cited whole where no article is on file (domain 2.4).
    "destitute-2016": dict.fromkeys(("once", "amount", "refusal"), "民发〔2016〕178号"),
    "destitute-2021": dict.fromkeys(("once", "amount", "refusal"), "民发〔2021〕43号"),
}  # fmt: skip


def _programme(data: Mapping[str, Any]) -> str:
    """What was applied for; older cases, and those of a benefit, do not say."""
    return str(data.get("programme") or "dibao")


def _asked(data: Mapping[str, Any]) -> str:
    return _CATEGORIES.get(_programme(data), "社会救助")


def title(kind: str, data: Mapping[str, Any]) -> str:
    """The letter's title, by what was applied for."""
    return _TITLES.get(_programme(data), {}).get(kind) or TITLES[kind]


def _rigid(data: Mapping[str, Any]) -> bool:
    """Whether the rule of 2025 counts: by the day of acceptance."""
    return law.in_force("rigid_expenditure_share", date.fromisoformat(data.get("accepted_on") or data["issued_on"])) is not None


def _procedure(data: Mapping[str, Any]) -> str:
    return law.procedure("destitute" if _destitute(data) else "dibao", date.fromisoformat(data.get("accepted_on") or data["issued_on"]))


def _destitute(data: Mapping[str, Any]) -> bool:
    return data.get("programme") == "destitute"


def _article(data: Mapping[str, Any], what: str) -> str:
    found = _ARTICLES[_procedure(data)][what]
    if _programme(data) in ("dibao", "destitute"):
        return found
    if _programme(data) == "illness_expenditure" and what == "refusal":
        return _EXPENDITURE[_rigid(data)]
    return _OWN_ARTICLES.get((_programme(data), what)) or f"参照{found}"


def number(kind: str, street_name: str, year: int, n: int) -> str:
    """津滨古林民受〔2018〕12号"""
    short = street_name.removesuffix("街道").removesuffix("镇").removesuffix("地区")
    return f"津滨{short}民{_WORDS[kind]}〔{year}〕{n}号"


def chinese_date(iso: str) -> str:
    day = date.fromisoformat(iso[:10])
    return f"{day.year}年{day.month}月{day.day}日"


def render(kind: str, data: Mapping[str, Any]) -> str:
    """A letter as it is issued. `data`: facts of the case, `household` (households.letterhead), number, issued_on, names of units."""
    if kind in benefit_letters.BODIES:
        data = {**data, "compared": _compared(data), "reckoned": _reckoned(data)}
    texts = _BODIES[kind](data) + (_remedies(data) if kind in _WITH_REMEDIES else [])
    body = "\n".join(f"<p>{escape(p)}</p>" for p in texts)
    return standalone(
        f"{title(kind, data)} {data['number']}",
        f'<h1>{title(kind, data)}</h1>\n<p class="number">{escape(data["number"])}</p>\n'
        f'<p class="to">{escape(data["household"]["applicant"])}：</p>\n{body}\n'
        f'<div class="sealing"><p>{escape(_issuer(kind, data))}</p><p class="place">（盖章处）</p><p>{chinese_date(data["issued_on"])}</p></div>\n'
        f'<p class="foot">{escape(data.get("no_label") or "个案号")}：{escape(data["case_no"])}　联系：{escape(data["street_name"])}社会救助窗口</p>',
    )


def standalone(title: str, body: str, robots: str = "", *, large: bool = False) -> str:
    """A standalone page; `body` is HTML already. No style or script of its own (strict CSP). large: in large print."""
    return (
        f'<!doctype html>\n<html lang="zh-Hans"><head><meta charset="utf-8">{robots}<title>{escape(title)}</title>'
        f'<link rel="stylesheet" href="/static/css/letter.css"></head>\n<body class="letter{" large" if large else ""}"><main>\n{body}\n</main></body></html>\n'
    )


def _issuer(kind: str, data: Mapping[str, Any]) -> str:
    told_by_street = kind == "refusal" and _programme(data) == "low_income"  # the street tells, the district decides (TLOW; domain 2.10)
    of_district = kind in _OF_THE_DISTRICT and not _by_the_street(data) and not told_by_street
    return "天津市滨海新区民政局" if of_district else f"{data['street_name']}办事处"


def _by_the_street(data: Mapping[str, Any]) -> bool:
    """Whether the street confirmed the application itself (审核确认权限下放)."""
    return data.get("confirmed_by") == "street"


def _acceptance(data: Mapping[str, Any]) -> list[str]:
    return [
        f"您于{chinese_date(data['applied_on'])}提出的{_asked(data)}申请，材料齐全，我单位于{chinese_date(data['accepted_on'])}予以受理。",
        _what_follows(data),
        "家庭人口、收入或财产在办理期间发生变化的，请及时告知我们。作出决定前，您可以随时书面撤回申请。",
        *([f"办理进度可在社会救助公开网页凭个案号{data['case_no']}和查询码{data['query_code']}查询。查询码请妥善保管。"] if data.get("query_code") else []),
    ]


def _what_follows(data: Mapping[str, Any]) -> str:
    accepted = date.fromisoformat(data["accepted_on"])
    if _destitute(data):
        street, district = (law.value(f"destitute_{level}_workdays", accepted).text for level in ("street", "district"))
        return (f"自受理之日起{street}个工作日内，我们将完成调查核实（信息核对、入户调查、邻里访问、核实法定义务人情况）并提出意见、进行公示；"
                f"区民政局自收到材料之日起{district}个工作日内完成审核并作出决定（{_article(data, 'refusal')}）。请予配合。")  # fmt: skip
    if _programme(data) == "illness_expenditure":
        longer = law.value("expenditure_case_extended_workdays", accepted).text
        return f"认定工作自受理之日起{data['whole_case_workdays']}个工作日内完成，情况复杂的可以延长至{longer}个工作日。我们将进行信息核对、入户调查和邻里访问，并逐笔核实支出，请予配合。"
    if not data.get("whole_case_workdays"):
        days = law.value("investigation_workdays", accepted).text
        return f"自受理之日起{days}个工作日内，我们将完成家庭经济状况调查，包括信息核对、入户调查和邻里访问，请予配合。"
    start, longer = law.value("investigation_start_workdays", accepted).text, law.value("whole_case_extended_workdays", accepted).text
    return (f"自受理之日起{start}个工作日内，我们将启动家庭经济状况调查；审核确认工作自受理之日起{data['whole_case_workdays']}个工作日内完成，"
            f"特殊情况可以延长至{longer}个工作日。请配合调查，无正当理由拒不配合的，可以终止审核确认程序（民发〔2021〕57号第二十九条）。")  # fmt: skip


def _supplement(data: Mapping[str, Any]) -> list[str]:
    names = [zh for code, zh, _ in MATERIALS if code in data["missing"]]
    return [
        f"您提出的{_asked(data)}申请，还需补正下列材料：",
        *[f"{n}．{name}" for n, name in enumerate(names, start=1)],
        f"以上为需补正的全部材料，我们不会再要求其他新的材料（{_article(data, 'once')}）。补正后，自材料齐全之日起受理。",
    ]


def _check_rejection(data: Mapping[str, Any]) -> list[str]:
    days = law.value("check_objection_workdays", date.fromisoformat(data.get("delivered_on") or data["issued_on"])).text
    return [
        f"经家庭经济状况信息核对，您家庭的情况不符合{_asked(data)}条件。理由：{data['reasons']}",
        f"查明的事实：{_compared(data)}",
        *benefit_letters.by_table(data),
        *benefit_letters.otherwise(data),
        f"您对核对结果有异议的，请在收到本告知书之日起{days}个工作日内提出，并提供证据，我们将重新调查（{_article(data, 'objection')}）。",
    ]


_REFERRED = {code: zh for code, zh, _ in REFERRALS}


def _recognition(data: Mapping[str, Any]) -> list[str]:
    """支出型: a status until a day, and what comes with it; no monthly benefit."""
    members, decided, until = data.get("members_counted") or data["household"]["size"], chinese_date(data["decided_on"]), chinese_date(data["valid_until"])
    name = "刚性支出困难家庭" if data["category"] == "rigid_expenditure" else "因病支出型困难家庭"
    helped = {
        "one_off": f"给予一次性救助{yuan(data.get('help_fen') or 0)}元（大写：{capital(data.get('help_fen') or 0)}）。",
        "referral": f"您家庭的困难转介{_REFERRED.get(str(data.get('referral')), '有关部门')}办理，我们将协助您提出申请。",
    }.get(str(data.get("help_kind")), "本次认定不发放救助金，可以按规定申请其他专项救助。")
    return [
        f"您家庭{members}人申请的支出型困难家庭认定，经审核、公示，{decided}决定认定为{name}，有效期自{decided}至{until}。",
        helped,
        *benefit_letters.of_the_meeting(data),
        "家庭人口、收入、财产或支出发生变化，请及时向街镇或居村委会报告；期满仍有困难的，可以重新申请。",
        *_remedies(data),
    ]  # fmt: skip


def _approval(data: Mapping[str, Any]) -> list[str]:
    if _programme(data) == "illness_expenditure":
        return _recognition(data)
    if _destitute(data):
        return _supported(data)
    members, category = data.get("members_counted") or data["household"]["size"], data["category"]
    instead = category != _programme(data) and _programme(data) != "dibao"
    found = f"您家庭{members}人申请的{_asked(data)}，经审核符合{_CATEGORIES.get(category, '社会救助')}条件，并经您同意、公示" if instead else (
        f"您家庭{members}人申请的{_CATEGORIES.get(category, '社会救助')}，经审核、公示")  # fmt: skip
    return [
        f"{found}，{chinese_date(data['decided_on'])}批准。",
        *(_payment(data) if data["amount_fen"] else [_NO_PAYMENT]),
        *benefit_letters.by_table(data),
        *benefit_letters.of_the_meeting(data),
        "家庭人口、收入或财产发生变化，请及时向街镇或居村委会报告。",
        *_remedies(data),
    ]


def _supported(data: Mapping[str, Any]) -> list[str]:
    """特困: the full standard of one person, with the form that he chose and how he cares for himself."""
    day, month = date.fromisoformat(data["issued_on"]), data["first_payment_month"]
    support, care = (next((zh for code, zh, _ in found if code == data.get(name)), "") for found, name in ((SUPPORT, "support_form"), (SELF_CARE, "self_care")))
    rest = [f"您不再计入原家庭的救助人口；原家庭其他{data['rest_members']}名成员的救助金自同月起按每月{yuan(data['rest_fen'])}元发放。"] if data.get("rest_members") else []
    return [
        f"您申请的特困人员救助供养，经审核、公示，{chinese_date(data['decided_on'])}决定予以同意。",
        f"供养形式：{support}。生活自理能力：{care}。",
        f"供养标准：每月{yuan(data['amount_fen'])}元（大写：{capital(data['amount_fen'])}），全额发放。自{month[:4]}年{int(month[5:])}月起，每月{law.value('payment_day', day).text}日前发放。",
        f"依据：{_article(data, 'amount')}和天津市特困人员救助供养标准。",
        *rest,
        "本人或法定义务人的情况、生活自理能力发生变化，请及时向街镇或居村委会报告。每年复核一次。",
        *_remedies(data),
    ]


_NO_PAYMENT = "您家庭认定为低收入家庭，不按月发放救助金，可以按规定申请其他专项救助。"


def _payment(data: Mapping[str, Any]) -> list[str]:
    category, amount, month = data["category"], data["amount_fen"], data["first_payment_month"]
    how = (
        "联席会议研究确定"
        if data.get("fixed_until")
        else f"低保标准乘以家庭人口，减去家庭月收入（{_article(data, 'amount')}）"
        if category == "dibao"
        else "天津市低收入家庭救助标准"
    )
    day = law.value("payment_day", date.fromisoformat(data["issued_on"])).text
    return [
        f"保障金额：每月{yuan(amount)}元（大写：{capital(amount)}）。自{month[:4]}年{int(month[5:])}月起，每月{day}日前发放至您家庭的银行账户。",
        f"计算依据：{how}。",
        *_reckoned(data),
    ]


def _reckoned(data: Mapping[str, Any]) -> list[str]:
    """How a 低保 amount follows: the standard of the month from which it counts, persons, income. Nothing where something else set the
    amount (the joint meeting, a share that is taken), or where the assessment went by another standard."""
    people, fen, month = data.get("members_counted"), data.get("amount_fen"), data.get("first_payment_month") or data.get("from_month")
    if data.get("category") != "dibao" or not people or not fen or not month or data.get("fixed_until") or data.get("resolution") or data.get("reason_code") == "refused_jobs":
        return []
    day = date.fromisoformat(f"{month}-01")
    if law.version(day) != data.get("law_version"):
        return []
    standard = law.standard(day, data["household"].get("hukou_kind") or "urban").amount
    income = to_fen(standard * Decimal(people)) - fen
    return [f"计算办法：{standard:.2f}元×{people}人－家庭月收入{yuan(income)}元＝{yuan(fen)}元（{_article(data, 'amount')}）。"] if income >= 0 else []


def _refusal(data: Mapping[str, Any]) -> list[str]:
    reason = next((zh for code, zh, _ in [*REASONS, *DESTITUTE_REASONS] if code == data.get("reason_code")), "")
    return [
        f"您于{chinese_date(data['applied_on'])}提出的{_asked(data)}申请，经调查审核，{_decider(data)}{chinese_date(data['decided_on'])}决定不予批准。",
        f"查明的事实：{_compared(data)}",
        f"理由：{'。'.join(text for text in (reason, data.get('opinion') or '') if text)}",
        f"依据：{data.get('clause') or _article(data, 'refusal')}。",
        *benefit_letters.by_table(data),
        *benefit_letters.otherwise(data),
        *_remedies(data),
        "情况发生变化后，您可以重新申请。",
    ]


def _decider(data: Mapping[str, Any]) -> str:
    """Where the street tells what the district decided, the letter says so: the remedies are against the district's decision."""
    return "天津市滨海新区民政局于" if _programme(data) == "low_income" and not _by_the_street(data) else ""


def _certificate(data: Mapping[str, Any]) -> list[str]:
    """低收入救助证 (TLOW): on the record with its number; what the household gets, or that it has the status only."""
    month = data["first_payment_month"]
    paid = (f"救助金：每户每月{yuan(data['amount_fen'])}元，自{month[:4]}年{int(month[5:])}月起发放。" if data["amount_fen"]
            else "救助金：不按月发放，凭本证按规定申请其他专项救助。")  # fmt: skip
    return [
        f"证号：{data['number']}", f"持证人：{data.get('holder') or data['household']['applicant']}", f"家庭人口：{data.get('members_counted') or data['household']['size']}人",
        f"经审核批准，认定您家庭为天津市低收入家庭，批准日期{chinese_date(data['decided_on'])}。", paid,
        "家庭人口、收入或财产发生变化，请及时向街镇或居村委会报告；不再符合条件的，应交回本证。",
    ]  # fmt: skip


def _termination(data: Mapping[str, Any]) -> list[str]:
    return [
        f"您于{chinese_date(data['applied_on'])}提出的{_asked(data)}申请，我单位于{chinese_date(data['accepted_on'])}受理。"
        f"办理期间，您家庭自{chinese_date(data['not_cooperating_on'])}起无正当理由拒不配合审核确认工作，{chinese_date(data['decided_on'])}决定终止审核确认程序。",
        f"理由：{data.get('opinion') or ''}",
        "依据：民发〔2021〕57号第二十九条。",
        *_remedies(data),
        "您愿意配合调查的，可以重新申请。",
    ]


def _compared(data: Mapping[str, Any]) -> str:
    """The household's figure beside the number of the rule that it was measured by (domain 2.7)."""
    if _destitute(data):
        return _tested(data)
    category, figure, day = str(data.get("category")), data.get("per_capita"), _law_day(data)
    limits = _limits(day, data) if day else {}
    if _programme(data) == "low_income" and figure and limits and category in ("dibao", "low_income"):
        said = {"dibao": f"低于低保标准{limits['standard']}，属于最低生活保障的范围", "low_income": f"在低收入家庭标准{limits['upper']}以内"}
        return f"您家庭人均月收入{figure}元，{said[str(category)]}。"
    if category == "low_income" and figure and limits and Decimal(figure) < Decimal(limits["standard"].removesuffix("元")):
        return f"您家庭货币财产超过低保规定限额{limits.get('assets', '')}。"
    if _programme(data) == "illness_expenditure":
        return _compared_expenses(data)
    income = f"您家庭人均月收入{figure}元，不低于"
    found = {
        "low_income": f"{income}低保标准{limits.get('standard', '')}。",
        "refused_income": f"{income}低收入家庭标准{limits.get('upper', '')}。",
        "refused_property": f"您家庭货币财产超过规定限额{limits.get('assets', '')}。",
        "refused_vehicle": "您家庭拥有机动车辆。",
        "refused_dwelling": "您家庭拥有两套以上住房。",
        "refused_non_residential": "您家庭拥有非居住类房屋。",
        "refused_study_abroad": "您家庭有成员自费出国留学。",
        "refused_luxury": "您家庭拥有非生活必需的高档消费品。",
    }
    figures, other = found.get(category, ""), _FOUND.get(str(data.get("reason_code")), "")
    return f"{other}{figures}" or "您家庭的情况不符合规定条件。"


# What was found where the figures are not why (`counterfactual.NOT_FIGURES`).
_FOUND = {
    "hukou": "您家庭成员的户籍不符合申请规定。",
    "members": "您申请的家庭成员与调查认定的家庭成员不一致。",
    "no_cooperation": "您家庭没有按规定配合信息核对或者入户调查。",
    "false_statement": "您家庭没有如实申报人口、收入或者财产。",
    "procedure": "您申请的程序或者材料有欠缺。",
    "facts_unclear": "现有材料不能查清您家庭的收入和财产。",
}


def _tested(data: Mapping[str, Any]) -> str:
    """What the test of the three conditions found (domain 2.8.2)."""
    found = {
        "refused_ability": "您不属于无劳动能力的老年人、残疾人或未成年人。",
        "refused_income": f"您的月收入{yuan(data.get('income_fen') or 0)}元，不低于低保标准。",
        "refused_property": "您的财产不符合特困人员财产状况规定。",
        "refused_obligor": f"您的法定义务人中有{data.get('able_obligors') or 0}人有履行义务能力。",
        "refused_orphan": "您同时符合孤儿认定条件，应当纳入孤儿基本生活保障，请向街镇申请。",
    }
    return found.get(str(data.get("category")), "您的情况不符合规定条件。")


def _compared_expenses(data: Mapping[str, Any]) -> str:
    spent, share, head = data.get("expenses_counted"), data.get("expense_share"), data.get("net_per_capita")
    found = {
        "refused_dibao": "您家庭的收入、财产符合最低生活保障条件，应按最低生活保障申请。",
        "refused_edge": "您家庭的收入、财产符合低收入家庭条件，应按低收入家庭救助申请。",
        "refused_income": "您家庭人均收入不低于上年度居民人均可支配收入。",
        "refused_property": "您家庭的财产不符合低收入家庭的规定。",
        "refused_vehicle": "您家庭拥有机动车辆。", "refused_dwelling": "您家庭拥有两套以上住房。", "refused_non_residential": "您家庭拥有非居住类房屋。",
        "refused_study_abroad": "您家庭有成员自费出国留学。", "refused_luxury": "您家庭拥有非生活必需的高档消费品。",
        "refused_expenditure": f"您家庭可计入的支出{spent}元，占家庭年收入的{share}%，不足60%。" if share else
                               f"您家庭年收入扣除可计入的支出{spent}元后，人均每月{head}元，不低于低保标准。",
    }  # fmt: skip
    return found.get(str(data.get("category")), "您家庭的情况不符合规定条件。")


def _law_day(data: Mapping[str, Any]) -> date | None:
    """A day of the case on which the law was the one that the assessment names; None when no day tells."""
    for name in ("decided_on", "submitted_on", "survey_ended_on", "accepted_on", "applied_on"):
        try:
            if data.get(name) and law.version(date.fromisoformat(data[name])) == data.get("law_version"):
                return date.fromisoformat(data[name])
        except law.BadLaw:  # before the first year that is on file
            continue
    return None


def _limits(day: date, data: Mapping[str, Any]) -> dict[str, str]:
    """The numbers of the rules in words: "920.00元"."""
    kind = data["household"].get("hukou_kind") or "urban"
    standard = law.standard(day, kind).amount
    found = {"standard": standard, "upper": law.value(f"low_income_limit_{kind}", day).amount}
    said = {name: f"{amount:.2f}元" for name, amount in found.items()}
    if people := data.get("members_counted"):
        months = law.value("low_income_asset_limit_months" if _programme(data) == "low_income" else "asset_limit_months", day)
        said["assets"] = f"{standard * months.amount * Decimal(people):.2f}元（低保标准×{months.text}个月×{people}人）"
    return said


def _remedies(data: Mapping[str, Any]) -> list[str]:
    """How long one may ask for review or go to court: the law of the day of issue, from which `deliveries.last_days` counts, too."""
    day, alone = date.fromisoformat(data["issued_on"]), data["issued_on"] >= REVIEW_BY_GOVERNMENT_ONLY or _by_the_street(data)
    city = "" if alone else "或者天津市民政局"
    days, months = law.value("administrative_review_days", day).text, law.value("lawsuit_months", day).text
    return [
        f"您不服本决定的，可以自收到之日起{days}日内向滨海新区人民政府{city}申请行政复议，"
        f"也可以自收到之日起{months}个月内向人民法院提起行政诉讼。"
    ]


_BODIES = {
    "acceptance": _acceptance,
    "supplement": _supplement,
    "check_rejection": _check_rejection,
    "approval": _approval,
    "refusal": _refusal,
    "termination": _termination,
    **temporary_letters.BODIES,
    "low_income_certificate": _certificate,
    **benefit_letters.BODIES,
}


def notice_sheet(notice: Mapping[str, Any], community_name: str, street_name: str, *, phone: str = COMPLAINT_PHONE, more: str = "", large: bool = False) -> str:
    """公示: the whitelist only (name, number of members, category, amount, place, period, phone). more: HTML under it (QR, where to object)."""
    return _notice(notice, community_name, street_name, more, phone=phone, large=large)


Photo = tuple[int, str] | None  # number and media type of a document


def notice_on_file(notice: Mapping[str, Any], community_name: str, street_name: str, posted: Photo, removed: Photo) -> str:
    """The notice for the file: as it hung, with the photos of its posting and its removal."""
    gone = notice["removed_on"]
    parts = [f"<h2>{chinese_date(notice['posted_on'])}张贴</h2>{_photo('张贴照片', posted)}"]
    parts += [f"<h2>{chinese_date(gone)}揭下</h2>{_photo('揭下照片', removed)}"] if gone else []
    return _notice(notice, community_name, street_name, "".join(parts))


def _photo(name: str, photo: Photo) -> str:
    if photo is None:
        return "<p>（未附照片）</p>"
    number, media_type = photo
    if media_type.startswith("image/"):
        return f'<p class="photo"><img src="/documents/{number}" alt="{name}"></p>'
    return f'<p><a href="/documents/{number}">{name}</a></p>'


_STAGES = {"temporary_assistance": "临时救助审核意见公示", "street_opinion": "街镇审核意见公示", "district_proposal": "区级拟批准公示", "destitute_stop": "拟终止特困供养公示"}


_RECOGNISED = ("illness_expenditure", "rigid_expenditure")  # no monthly benefit


def _once(notice: Mapping[str, Any]) -> bool:
    return notice["stage"] == "temporary_assistance" or notice["category"] in _RECOGNISED


def _amount(notice: Mapping[str, Any]) -> str:
    once = _once(notice)
    if not notice["amount_fen"]:
        if notice["category"] in _RECOGNISED:
            return "不发放救助金"
        return "转介服务" if once else "不按月发放救助金"
    return f"{'一次性' if once else '每月'}{yuan(notice['amount_fen'])}元"


def _notice(notice: Mapping[str, Any], community_name: str, street_name: str, more: str, *, phone: str = COMPLAINT_PHONE, large: bool = False) -> str:
    until = chinese_date((date.fromisoformat(notice["until_on"][:10]) - timedelta(days=1)).isoformat())
    stage, stops = _STAGES[notice["stage"]], notice["stage"] == "destitute_stop"
    rows = [
        ("申请人", notice["applicant"]), ("居村", community_name), ("家庭人口", f"{notice['members']}人"),
        ("拟终止的救助" if stops else "拟救助类别", benefit_letters.CATEGORY_WORDS.get(notice["category"], "")),
        ("原保障金额" if stops else "拟救助金额" if _once(notice) else "拟保障金额", _amount(notice)),
        ("公示期", f"{chinese_date(notice['posted_on'])}至{until}"), ("异议受理", f"{street_name}社会救助窗口，电话 {phone}"),
    ]  # fmt: skip
    head = '<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="robots" content="noindex">'
    return standalone(stage, f"<h1>{stage}</h1>{_pairs(rows)}<p>公示期内对上述家庭有异议的，请向我们反映。</p>{more}", head, large=large)


# -- sheets that are printed and filled in by hand; blank, or with what is known of the household


def sheet(kind: str, data: Mapping[str, Any]) -> str:
    """A sheet for paper. `data`: `household` (households.view, or nothing for a blank one), `case_no`, `issued_on`."""
    title, body = SHEETS[kind], _SHEET_BODIES[kind]
    house = data.get("household") or {}
    known = [
        ("个案号", data.get("case_no") or ""),
        ("申请人", house.get("applicant") or ""),
        ("住址", house.get("address") or ""),
    ]
    return standalone(title, f"<h1>{title}</h1>{_pairs(known)}{body(house, data.get('issued_on') or '')}")


def survey_sheet(data: Mapping[str, Any]) -> str:
    return sheet("survey", data)


def _pairs(rows: Iterable[tuple[str, str]]) -> str:
    lines = (f'<tr><th scope="row">{escape(name)}</th><td>{escape(str(value))}</td></tr>' for name, value in rows)
    return f"<table>{''.join(lines)}</table>"


def table(heads: Sequence[str], rows: Iterable[Sequence[Any]], blank: int = 0) -> str:
    """A table with a head; rows that are shorter than the head and `blank` more rows stay empty for the pen."""
    filled = [[*row, *[""] * (len(heads) - len(row))] for row in rows] + [[""] * len(heads)] * blank
    head = "".join(f'<th scope="col">{escape(h)}</th>' for h in heads)
    return f"<table><tr>{head}</tr>{''.join(_cells(row) for row in filled)}</table>"


def _cells(row: Sequence[Any]) -> str:
    return "<tr>" + "".join(f"<td>{escape(str(cell or ''))}</td>" for cell in row) + "</tr>"


def _lines(*texts: str) -> str:
    return "".join(f"<p>{escape(text)}</p>" for text in texts)


def _members(house: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    found: Sequence[Mapping[str, Any]] = house.get("members") or ()
    return found


def _minor(born: str | None, on: str) -> bool:
    """Under 18 on a day; unknown is an adult, who is asked to sign."""
    return bool(born and on) and on < f"{int(str(born)[:4]) + 18}{str(born)[4:]}"


def _application_sheet(house: Mapping[str, Any], _on: str) -> str:
    rows = [(m["name"], RELATION_WORDS.get(m["relation"], m["relation"]), m["id_no"]) for m in _members(house)]
    heads = ("姓名", "与申请人关系", "身份证号", "户籍", "健康或残疾", "劳动能力", "职业或就学")
    return (
        table(heads, rows, 0 if rows else 6)
        + _lines("申请事项：□最低生活保障　□低收入家庭救助", "申请理由：", "收款账户（户主名下）：")
        + _lines("是否与经办人员或居村委会成员有近亲属关系：□否　□是（姓名、职务、关系）：")
        + _lines("我承诺所填内容和所交材料真实，如有隐瞒愿依法承担责任。", "申请人签字：　　　　　　　　日期：　　年　月　日")
    )


def _declaration_sheet(house: Mapping[str, Any], _on: str) -> str:
    income = [(m["name"], *i) for m in _members(house) for i in _of_declaration(m["income"])]
    owned = [item[:2] for item in _of_declaration(house.get("property"))]
    return (
        "<h2>收入</h2>" + table(("姓名", "种类", "金额（元）", "周期或月份"), income, 4)
        + "<h2>财产（存款、有价证券、机动车、房屋、经营、债权债务）</h2>" + table(("种类", "金额（元）", "说明"), owned, 4)
        + _lines("以上为全体家庭成员的全部收入和财产。", "全体成年家庭成员签字：　　　　　　　　日期：　　年　月　日")
    )  # fmt: skip


def _of_declaration(items: Iterable[Mapping[str, Any]] | None) -> list[tuple[str, str, str]]:
    """What the household said itself; what was checked or seen does not stand under its signature."""
    return [_declared(item) for item in items or () if item.get("source", "declared") == "declared"]


def _declared(item: Mapping[str, Any]) -> tuple[str, str, str]:
    when = item.get("month") or item.get("year") or PERIOD_WORDS.get(item.get("period") or "", "")
    return KIND_WORDS.get(item["kind"], item["kind"]), item.get("amount") or "", str(when)


def _authorisation_sheet(house: Mapping[str, Any], on: str) -> str:
    adults = [(m["name"], m["id_no"]) for m in _members(house) if not _minor(m.get("birth_date"), on)]
    return (
        _lines("我们授权街镇和区民政部门查询、核对我们的户籍、婚姻、社会保险、税务、工商、车辆、房产、存款和有价证券等信息，"
               "仅用于社会救助的审核审批和动态管理。", "授权有效期至：　　年　月　日")
        + table(("成年家庭成员", "身份证号", "本人签字", "日期"), adults, 0 if adults else 5)
    )  # fmt: skip


def _survey_sheet(house: Mapping[str, Any], _on: str) -> str:
    rows = [(m["name"], "；".join(" ".join(i[:2]) for i in _of_declaration(m["income"]))) for m in _members(house)]
    rows += [("家庭财产", " ".join(p[:2])) for p in _of_declaration(house.get("property"))]
    return (
        _lines("调查日期：　　年　月　日　　被调查人：")
        + table(("成员或项目", "申报", "所见"), rows, 2 if rows else 6)
        + _lines("住房：", "衣食：", "生活设施：", "邻里反映：", "照片：　　张")
        + _lines("调查人（两人以上签字）：　　　　　　　　　　", "被调查人签字：　　　　　　日期：　　年　月　日")
    )


def _review_sheet(_house: Mapping[str, Any], on: str) -> str:
    share = law.value("review_representatives_share", date.fromisoformat(on) if on else date.max).fraction
    kinds = "、".join(zh for _, zh, _ in PARTICIPANTS)
    return (
        _lines(
            "时间：　　　　　地点：　　　　　主持人：",
            f"参加人员身份：{kinds}。村居民代表不少于{share_words(share)}（民发〔2012〕220号第二十二条）。",
        )
        + table(("姓名", "身份", "意见", "签字"), (), 9)
        + _lines(
            "一、宣讲政策　二、介绍情况　三、现场评议　四、形成结论　五、签字确认",
            "评议情况：",
            "结论：□属实　□不属实　□争议较大，重新调查",
        )
    )


def _delivery_sheet(_house: Mapping[str, Any], _on: str) -> str:
    rows = [("送达文书及文号", ""), ("受送达人", ""), ("送达地点", ""), ("送达方式", "□直接　□留置　□邮寄　□委托"), ("收件人签字及日期", ""),
            ("代收人与受送达人关系", ""), ("拒收事由、见证人签字", ""), ("送达人（两人）签字", "")]  # fmt: skip
    return _pairs(rows)


SHEETS = {
    "application": "社会救助申请书",
    "declaration": "家庭收入和财产声明",
    "authorisation": "家庭经济状况核对授权书",
    "survey": "家庭经济状况入户调查表",
    "democratic_review": "民主评议记录",
    "delivery": "送达回证",
}
_SHEET_BODIES = {
    "application": _application_sheet,
    "declaration": _declaration_sheet,
    "authorisation": _authorisation_sheet,
    "survey": _survey_sheet,
    "democratic_review": _review_sheet,
    "delivery": _delivery_sheet,
}
