"""The words of the letters of temporary assistance (N23, N47, N649): acceptance, papers missing, decision, refusal, referral."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from processes import temporary
from processes.dibao_2012_forms import MATERIALS
from processes.money import capital, yuan
from processes.temporary_forms import REASONS

TITLES = {
    "temp_acceptance": "临时救助申请受理通知书",
    "temp_supplement": "临时救助申请一次性补正告知书",
    "temp_emergency": "急难型临时救助审批通知书",
    "temp_grant": "临时救助审批通知书",
    "temp_refusal": "不予临时救助告知书",
    "temp_referral": "协助求助转介单",
}
MARKS = {"temp_acceptance": "临受", "temp_supplement": "临补", "temp_emergency": "急", "temp_grant": "临", "temp_refusal": "临拒", "temp_referral": "助"}
WITH_REMEDIES = frozenset({"temp_emergency", "temp_grant", "temp_refusal"})
OF_THE_DISTRICT = frozenset({"temp_grant", "temp_refusal"})  # where the street did not decide itself
BY_TASK = frozenset({"temp_grant", "temp_refusal"})  # delivered by a task alone; the letter on emergency help also before, where its case goes on
_CAUSES = {code: zh for code, zh, _en, _kinds in temporary.CAUSES}
_FORMS = {code: zh for code, zh, _en in temporary.FORMS_OF_HELP}
_WHY_NOT = {
    temporary.OVER_INCOME: "家庭人均年收入不低于本市上年度居民人均可支配收入",
    temporary.OVER_PROPERTY: "家庭财产超过规定",
    temporary.OVER_BOTH: "家庭人均年收入不低于本市上年度居民人均可支配收入，家庭财产超过规定",
}


def _day(iso: str) -> str:
    day = date.fromisoformat(iso[:10])
    return f"{day.year}年{day.month}月{day.day}日"


def _asked(data: Mapping[str, Any]) -> str:
    how = "提出的临时救助申请" if data.get("begun_by") == "application" else "由基层主动发现的困难情况"
    return f"您于{_day(data['applied_on'])}{how}（事由：{_CAUSES[data['cause']]}）"


def _acceptance(data: Mapping[str, Any]) -> list[str]:
    return [
        f"{_asked(data)}，材料齐全，我单位于{_day(data['accepted_on'])}予以受理。",
        f"我们将核对家庭经济状况、入户调查并公示，自受理之日起{data['temp_workdays']}个工作日内作出决定。请予配合。",
        "家庭情况在办理期间发生变化的，请及时告知我们。作出决定前，您可以随时书面撤回申请。",
        *([f"办理进度可在社会救助公开网页凭个案号{data['case_no']}和查询码{data['query_code']}查询。查询码请妥善保管。"] if data.get("query_code") else []),
    ]


def _supplement(data: Mapping[str, Any]) -> list[str]:
    names = [zh for code, zh, _ in MATERIALS if code in data["missing"]]
    return [
        f"{_asked(data)}，还需补正下列材料：",
        *[f"{n}．{name}" for n, name in enumerate(names, start=1)],
        "以上为需补正的全部材料，我们不会再要求其他新的材料。补正后，自材料齐全之日起受理。",
    ]


def _given(data: Mapping[str, Any]) -> list[str]:
    """Each form of help, and the sum of cash and goods."""
    lines, sum_ = [], sum(one["amount_fen"] for one in data["items"])
    for n, one in enumerate(data["items"], start=1):
        to = f"，转介至{one['referred_to']}" if one.get("referred_to") else ""
        worth = f"，{'折价' if one['form'] == 'goods' else ''}{yuan(one['amount_fen'])}元" if one["amount_fen"] else ""
        lines.append(f"{n}．{_FORMS[one['form']]}：{one['description']}{worth}{to}")
    return [*lines, *([f"合计{yuan(sum_)}元（大写：{capital(sum_)}），一次性给予。"] if sum_ else [])]


def _emergency(data: Mapping[str, Any]) -> list[str]:
    return [
        f"{_asked(data)}，属急难情形，我单位于{_day(data['helped_on'])}先行给予救助，现补办手续：",
        *_given(data),
        "依据：《社会救助暂行办法》第四十七条、第四十八条，民政部、财政部关于进一步加强和改进临时救助工作的意见。",
    ]


def _grant(data: Mapping[str, Any]) -> list[str]:
    conditions = [f"附带条件：{data['conditions'].rstrip('。')}。"] if data.get("conditions") else []
    meeting = ["经社会救助联席会议研究（一事一议）。"] if data.get("resolution") == "approve_as" else []
    return [
        f"{_asked(data)}，经审核、公示，{_day(data['decided_on'])}决定给予临时救助：",
        *_given(data),
        *meeting,
        *conditions,
        "依据：《社会救助暂行办法》第四十七条、第四十八条。同一事由一个自然年度内一般不重复救助。",
    ]


def _refusal(data: Mapping[str, Any]) -> list[str]:
    reason = next((zh for code, zh, _ in REASONS if code == data.get("reason_code")), "")
    found = _WHY_NOT.get(str(data.get("need_outcome")), "")
    earlier = f"同一事由本年度已在个案{'、'.join(data['repeated_cases'])}中给予救助" if data.get("exception_outcome") == "refused" else ""
    figure = f"（人均月收入{data['per_capita']}元）" if found and data.get("per_capita") else ""
    facts = "；".join(text for text in (found + figure, earlier) if text)
    return [
        f"{_asked(data)}，经调查审核，{_day(data['decided_on'])}决定不予救助。",
        *([f"查明的事实：{facts}。"] if facts else []),
        f"理由：{'。'.join(text for text in (reason, (data.get('opinion') or '').rstrip('。')) if text)}。",
        f"依据：{data.get('clause') or '《社会救助暂行办法》第四十七条'}。",
        "情况发生变化后，您可以重新申请。",
    ]


def _referral(data: Mapping[str, Any]) -> list[str]:
    return [
        f"您于{_day(data['applied_on'])}向我单位求助（事由：{_CAUSES[data['cause']]}）。您没有本地户籍和居住证，我们协助您向{data['agency']}申请救助。",
        f"{_day(data['handed_on'])}与该机构{data['handed_to']}交接。本单不是救助决定，是否救助由该机构决定（国发〔2014〕47号）。",
    ]


BODIES: dict[str, Callable[[Mapping[str, Any]], list[str]]] = {
    "temp_acceptance": _acceptance,
    "temp_supplement": _supplement,
    "temp_emergency": _emergency,
    "temp_grant": _grant,
    "temp_refusal": _refusal,
    "temp_referral": _referral,
}
