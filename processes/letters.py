"""The words of letters, notices and sheets: pure builders of standalone HTML for A4 paper, in Chinese as they are issued."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from html import escape
from typing import Any

from processes.dibao_2012_forms import MATERIALS
from processes.identity import mask_name
from processes.money import capital, yuan

TITLES = {
    "acceptance": "最低生活保障申请受理通知书",
    "supplement": "一次性补正告知书",
    "check_rejection": "经济状况核对结果告知书",
    "approval": "社会救助批准决定通知书",
    "refusal": "不予批准社会救助告知书",
}
_WORDS = {"acceptance": "受", "supplement": "补", "check_rejection": "核", "approval": "准", "refusal": "拒"}
_CATEGORIES = {"dibao": "最低生活保障", "low_income": "低收入家庭救助"}
COMPLAINT_PHONE = "12345"


def number(kind: str, street_name: str, year: int, n: int) -> str:
    """津滨古林民受〔2018〕12号"""
    short = street_name.removesuffix("街道").removesuffix("镇").removesuffix("地区")
    return f"津滨{short}民{_WORDS[kind]}〔{year}〕{n}号"


def chinese_date(iso: str) -> str:
    day = date.fromisoformat(iso[:10])
    return f"{day.year}年{day.month}月{day.day}日"


def render(kind: str, data: Mapping[str, Any]) -> str:
    """A letter as it is issued. `data`: facts of the case, `household` (households.view), number, issued_on, names of units."""
    paragraphs = _BODIES[kind](data)
    applicant = data["household"]["applicant"]
    body = "\n".join(f"<p>{escape(p)}</p>" for p in paragraphs)
    return (
        '<!doctype html>\n<html lang="zh-Hans"><head><meta charset="utf-8">'
        f"<title>{escape(TITLES[kind])} {escape(data['number'])}</title>"
        '<link rel="stylesheet" href="/static/css/letter.css"></head>\n<body class="letter"><main>\n'
        f'<h1>{TITLES[kind]}</h1>\n<p class="number">{escape(data["number"])}</p>\n<p class="to">{escape(applicant)}：</p>\n'
        f"{body}\n"
        f'<p class="seal">（{escape(_issuer(kind, data))}印章）</p>\n<p class="date">{chinese_date(data["issued_on"])}</p>\n'
        f'<p class="foot">个案号：{escape(data["case_no"])}　联系：{escape(data["street_name"])}社会救助窗口</p>\n'
        "</main></body></html>\n"
    )


def _issuer(kind: str, data: Mapping[str, Any]) -> str:
    return "天津市滨海新区民政局" if kind in ("approval", "refusal") else f"{data['street_name']}办事处"


def _acceptance(data: Mapping[str, Any]) -> list[str]:
    return [
        f"您于{chinese_date(data['applied_on'])}提出的最低生活保障申请，材料齐全，我单位于{chinese_date(data['accepted_on'])}予以受理。",
        "自受理之日起10个工作日内，我们将完成家庭经济状况调查，包括信息核对、入户调查和邻里访问，请予配合。",
        "家庭人口、收入或财产在办理期间发生变化的，请及时告知我们。作出决定前，您可以随时书面撤回申请。",
    ]


def _supplement(data: Mapping[str, Any]) -> list[str]:
    names = [zh for code, zh, _ in MATERIALS if code in data["missing"]]
    return [
        "您提出的最低生活保障申请，还需补正下列材料：",
        *[f"{n}．{name}" for n, name in enumerate(names, start=1)],
        "以上为需补正的全部材料，我们不会再要求其他新的材料（民发〔2012〕220号第十三条）。补正后，自材料齐全之日起受理。",
    ]


def _check_rejection(data: Mapping[str, Any]) -> list[str]:
    return [
        f"经家庭经济状况信息核对，您家庭的情况不符合最低生活保障条件。理由：{data['reasons']}",
        "您对核对结果有异议的，请在收到本告知书之日起10个工作日内提出，并提供证据，我们将重新调查（民发〔2012〕220号第二十条）。",
    ]


def _approval(data: Mapping[str, Any]) -> list[str]:
    amount = data["amount_fen"]
    month = data["first_payment_month"]
    return [
        f"您家庭{data.get('members_counted', len(data['household']['members']))}人申请的{_CATEGORIES.get(data['category'], '社会救助')}，"
        f"经审核、公示，{chinese_date(data['decided_on'])}批准。",
        f"保障金额：每月{yuan(amount)}元（大写：{capital(amount)}）。自{month[:4]}年{int(month[5:])}月起，每月10日前发放至您家庭的银行账户。",
        "计算依据：低保标准乘以家庭人口，减去家庭月收入（民发〔2012〕220号第二十七条）。",
        "家庭人口、收入或财产发生变化，请及时向街镇或居村委会报告。",
        *_remedies(),
    ]


def _refusal(data: Mapping[str, Any]) -> list[str]:
    category, compared = data.get("category"), data.get("per_capita")
    found = {
        "low_income": f"您家庭人均月收入{compared}元，不低于低保标准。",
        "refused_income": f"您家庭人均月收入{compared}元，超过规定标准。",
        "refused_property": "您家庭货币财产超过规定限额。",
        "refused_vehicle": "您家庭拥有机动车辆。",
        "refused_dwelling": "您家庭拥有两套以上住房。",
    }
    return [
        f"您于{chinese_date(data['applied_on'])}提出的最低生活保障申请，经调查审核，{chinese_date(data['decided_on'])}决定不予批准。",
        f"查明的事实：{found.get(str(category), '您家庭的情况不符合规定条件。')}",
        f"理由：{data.get('opinion', '')}",
        f"依据：{data.get('clause') or '民发〔2012〕220号第四条、第二十六条'}。",
        *_remedies(),
        "情况发生变化后，您可以重新申请。",
    ]


def _remedies() -> list[str]:
    return [
        "您不服本决定的，可以自收到之日起60日内向滨海新区人民政府或者天津市民政局申请行政复议，"
        "也可以自收到之日起6个月内向人民法院提起行政诉讼。"
    ]


_BODIES = {
    "acceptance": _acceptance,
    "supplement": _supplement,
    "check_rejection": _check_rejection,
    "approval": _approval,
    "refusal": _refusal,
}


def notice_sheet(notice: Mapping[str, Any], community_name: str, street_name: str) -> str:
    """公示: the whitelist only (name, number of members, category, amount, place, period, phone)."""
    until = chinese_date((date.fromisoformat(notice["until_on"][:10]) - timedelta(days=1)).isoformat())
    stage = "街镇审核意见公示" if notice["stage"] == "street_opinion" else "区级拟批准公示"
    rows = [
        ("申请人", notice["applicant"]), ("居村", community_name), ("家庭人口", f"{notice['members']}人"),
        ("拟救助类别", _CATEGORIES.get(notice["category"], "")), ("拟保障金额", f"每月{yuan(notice['amount_fen'])}元"),
        ("公示期", f"{chinese_date(notice['posted_on'])}至{until}"), ("异议受理", f"{street_name}社会救助窗口，电话 {COMPLAINT_PHONE}"),
    ]  # fmt: skip
    table = "".join(f'<tr><th scope="row">{escape(k)}</th><td>{escape(str(v))}</td></tr>' for k, v in rows)
    return (
        '<!doctype html>\n<html lang="zh-Hans"><head><meta charset="utf-8"><meta name="robots" content="noindex">'
        f'<title>{stage}</title><link rel="stylesheet" href="/static/css/letter.css"></head><body class="letter"><main>'
        f"<h1>{stage}</h1><table>{table}</table><p>公示期内对上述家庭有异议的，请向我们反映。</p></main></body></html>\n"
    )


def survey_sheet(data: Mapping[str, Any]) -> str:
    """入户调查表, prefilled for paper; what people write by hand stays blank."""
    house = data["household"]
    people = "".join(
        f"<tr><td>{escape(m['name'])}</td><td>{escape(m['relation'])}</td><td>"
        + "；".join(escape(f"{i['kind']} {i['amount']}") for i in m["income"])
        + "</td><td></td></tr>"
        for m in house["members"]
    )
    return (
        '<!doctype html>\n<html lang="zh-Hans"><head><meta charset="utf-8"><title>入户调查表</title>'
        '<link rel="stylesheet" href="/static/css/letter.css"></head><body class="letter"><main><h1>家庭经济状况入户调查表</h1>'
        f"<p>个案号：{escape(data['case_no'])}　申请人：{escape(mask_name(house['applicant']))}</p>"
        f"<table><tr><th>姓名</th><th>关系</th><th>申报收入</th><th>所见</th></tr>{people}</table>"
        "<p>住房：</p><p>衣食和生活设施：</p><p>邻里反映：</p>"
        "<p>调查人（两人以上签字）：　　　　　　被调查人签字：　　　　　　日期：</p></main></body></html>\n"
    )
