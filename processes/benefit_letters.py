"""The words of letters about a benefit that goes on, changes or ends; `letters.render` puts them on paper.

Data beside the letterhead: before_fen, before_category, amount_fen, category, from_month, reason_code, opinion, clause, decided_on,
overpaid_fen, overpaid_months, compared (figure beside the rule's number, of `letters`), reckoned (how the amount follows, of `letters`); of a plan to pay back: instalment, first_month; of a waiver: planned (there was a plan);
of a share taken for refused work: refusing (name), refused_on (days), share_fen, share_standard and per_capita (yuan text);
of a suspension that ends: resumed_from; referred (name of a member who may be destitute); of a resolution: conditions, fixed_until, look_again_on; of a grace period: grace_until, worker; of what is paid later: arrears_fen, arrears_months; of a new standard: effective_month, standards (before, after; yuan text), members,
income (yuan text), contact; of a decision after an appeal: appealed (whose decision, its day and number), resumes; would: what would have changed the decision.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from processes import law
from processes.benefits import REASON_WORDS
from processes.change_kinds import KIND_WORDS
from processes.dibao_2012_forms import MATERIALS
from processes.money import capital, yuan

CATEGORY_WORDS = {
    "dibao": "最低生活保障", "low_income": "低收入家庭救助", "destitute": "特困人员救助供养", "destitute_institutional": "特困人员集中供养",
    "destitute_dispersed": "特困人员分散供养", "temporary_assistance": "临时救助", "illness_expenditure": "因病支出型困难家庭认定", "rigid_expenditure": "刚性支出困难家庭认定",
}  # fmt: skip
_BASES = (("2021-07-01", "民发〔2021〕57号第三十二条"), ("", "民发〔2012〕220号第三十二条"))  # the rule of the day on which a letter is issued
Words = Callable[[Mapping[str, Any]], list[str]]


def month_words(month: str) -> str:
    return f"{month[:4]}年{int(month[5:7])}月"


def _why(data: Mapping[str, Any]) -> str:
    words = [REASON_WORDS.get(data.get("reason_code") or "", ("", ""))[0], (data.get("opinion") or "").rstrip("。")]
    return "；".join(word for word in words if word)


def _basis(data: Mapping[str, Any]) -> str:
    rule = next(text for since, text in _BASES if str(data.get("issued_on") or "") >= since)
    other = "《社会救助暂行办法》第四十五条" if data.get("reason_code") == "refused_jobs" else "《社会救助暂行办法》第十三条"
    return f"依据：{data.get('clause') or f'{rule}、{other}'}。"


def _share(data: Mapping[str, Any]) -> list[str]:
    """Whose share is taken for refused work, the three days, and the sum (N649 art 45; domain 2.9)."""
    if data.get("reason_code") != "refused_jobs":
        return []
    days = "、".join(_day(day) for day in data.get("refused_on") or ())
    return [f"您家庭成员{data['refusing']}于{days}无正当理由连续三次拒绝接受介绍的工作，扣减其本人应享受的份额："
            f"（{data['share_standard']}元－家庭月人均收入{data['per_capita']}元）×1人＝{yuan(data['share_fen'])}元。其他成员的份额不受影响。"]


def _facts(data: Mapping[str, Any]) -> list[str]:
    """The household's figure beside the number of the rule (domain 2.7), where the arithmetic is why the benefit ends."""
    return [f"查明的事实：{data['compared']}"] if data.get("reason_code") in ("income_over", "property_over") and data.get("compared") else []


def _paid_too_much(data: Mapping[str, Any]) -> list[str]:
    if not data.get("overpaid_fen"):
        return []
    spans = "、".join(month_words(month) for month in data.get("overpaid_months") or ())
    return [f"{spans}多领取的救助金共{yuan(data['overpaid_fen'])}元（大写：{capital(data['overpaid_fen'])}），应予退还，退还办法由窗口与您商定。"
            + (f"此前已认定退还的{yuan(data['charged_fen'])}元不重复计算。" if data.get("charged_fen") else "")]


def _paid_later(data: Mapping[str, Any], words: str) -> list[str]:
    if not data.get("arrears_fen"):
        return []
    spans = "、".join(month_words(month) for month in data.get("arrears_months") or ())
    return [f"{spans}{words}共{yuan(data['arrears_fen'])}元（大写：{capital(data['arrears_fen'])}），另行补发。"]


def _resumed(data: Mapping[str, Any]) -> list[str]:
    """The end of a suspension, and what becomes of its months; or what was too little in months that are over."""
    if not data.get("resumed_from"):
        return _paid_later(data, "少发的救助金")
    again = f"此前暂停发放的救助金，自{month_words(data['resumed_from'])}起恢复发放。"
    return [again, *(_paid_later(data, "暂停期间的救助金") or ["暂停期间的救助金不予补发。"])]


def _referred(data: Mapping[str, Any]) -> list[str]:
    if not data.get("referred"):
        return []
    return [f"您家庭的{data['referred']}可能符合特困人员救助供养条件，街镇将协助提出申请（《社会救助暂行办法》第十七条）。在另行作出决定之前，您家庭的救助按本通知书执行。"]


def of_the_meeting(data: Mapping[str, Any]) -> list[str]:
    """What the joint meeting tied to its resolution: the household has to know it, or it cannot keep to it."""
    found = [f"附带条件：{data['conditions'].rstrip('。')}。"] if data.get("conditions") else []
    found += [f"上述金额由联席会议研究确定，执行至{month_words(data['fixed_until'])}；届时将重新复核。"] if data.get("fixed_until") else []
    return found + ([f"联席会议决定，{_day(data['look_again_on'])}前再次研究您家庭的情况。"] if data.get("look_again_on") else [])


def otherwise(data: Mapping[str, Any]) -> list[str]:
    """What would have changed the decision, as `counterfactual` says it."""
    found = "".join(data.get("would") or ())
    return [f"什么情况下结果会不同：{found}"] if found else []


def by_table(data: Mapping[str, Any]) -> list[str]:
    """The decision table and its row by which it was decided, as `fired` reads them from the record."""
    return [f"判定所用的表：《{one['table']}》第{one['place']}行：{one['says']}{'（' + one['basis'] + '）' if one['basis'] else ''}。" for one in data.get("rows") or ()]


def review_result(data: Mapping[str, Any]) -> list[str]:
    return [
        f"经对您家庭的情况进行复核，您家庭继续符合{CATEGORY_WORDS.get(data['before_category'], '社会救助')}条件，"
        f"每月救助金额{yuan(data['before_fen'])}元不变。",
        *by_table(data),
        *_resumed(data),
        *of_the_meeting(data),
        *_referred(data),
        _CHANGES,
    ]


def grace_period(data: Mapping[str, Any]) -> list[str]:
    last = month_words(data["grace_until"])
    return [
        f"您家庭成员{data['worker']}就业后，{(data.get('compared') or '家庭人均月收入不低于低保标准。').removeprefix('您')}"
        f"不计其劳动收入，您家庭仍符合{CATEGORY_WORDS.get(data['before_category'], '社会救助')}条件。",
        f"为鼓励就业，决定给予渐退期：至{last}止，继续发放您家庭的{CATEGORY_WORDS.get(data['before_category'], '社会救助')}金，每月{yuan(data['before_fen'])}元不变。",
        f"渐退期从就业的次月起计算{_grace_most(data)}。渐退期最后一个月将复核您家庭的情况，收入仍不低于标准的，自次月起停止发放。",
        f"理由：{_why(data)}。",
        _basis(data),
        *_resumed(data),
        *_paid_too_much(data),
        *_referred(data),
        _CHANGES,
    ]


def _grace_most(data: Mapping[str, Any]) -> str:
    most = law.in_force("grace_months_most", date.fromisoformat(data["issued_on"]))
    return f"，不超过{most.text}个月" if most else ""


def adjustment(data: Mapping[str, Any]) -> list[str]:
    category, fen = data.get("category") or data["before_category"], data["amount_fen"]
    what = (
        f"由{CATEGORY_WORDS.get(data['before_category'], '')}转为{CATEGORY_WORDS.get(category, '')}，" if category != data["before_category"] else ""
    )
    return [
        f"经复核，自{month_words(data['from_month'])}起，您家庭的社会救助{what}每月金额由{yuan(data['before_fen'])}元"
        f"调整为{yuan(fen)}元（大写：{capital(fen)}）。",
        *(data.get("reckoned") or ()),
        *_share(data),
        *_resumed(data),
        f"理由：{_why(data)}。",
        _basis(data),
        *by_table(data),
        *otherwise(data),
        *of_the_meeting(data),
        *_paid_too_much(data),
        *_referred(data),
    ]


def stop(data: Mapping[str, Any]) -> list[str]:
    why = "根据您家庭提出的退出申请" if data.get("reason_code") == "voluntary" else "经复核"
    return [
        f"{why}，决定自{month_words(data['from_month'])}起停止发放您家庭的{CATEGORY_WORDS.get(data['before_category'], '社会救助')}金"
        f"（原每月{yuan(data['before_fen'])}元）。",
        *_facts(data),
        *_share(data),
        f"理由：{_why(data)}。",
        _basis(data),
        *by_table(data),
        *otherwise(data),
        *_paid_too_much(data),
        *_referred(data),
        "情况发生变化后，您可以重新申请。",
    ]


def suspension(data: Mapping[str, Any]) -> list[str]:
    return [
        f"经审核，决定自{month_words(data['from_month'])}起暂停发放您家庭的{CATEGORY_WORDS.get(data['before_category'], '社会救助')}金"
        f"（每月{yuan(data['before_fen'])}元）。",
        f"理由：{_why(data)}。",
        _basis(data),
        "暂停发放不是停止救助。请尽快与街镇社会救助窗口联系，情况核实后恢复发放。",
    ]


def resumption(data: Mapping[str, Any]) -> list[str]:
    return [
        f"经核实，决定自{month_words(data['from_month'])}起恢复发放您家庭的{CATEGORY_WORDS.get(data['before_category'], '社会救助')}金，"
        f"每月{yuan(data['before_fen'])}元（大写：{capital(data['before_fen'])}）。",
        f"理由：{_why(data)}。",
        *(_paid_later(data, "暂停期间的救助金") or ["暂停期间的救助金不予补发。"]),
        _CHANGES,
    ]


def standard_adjustment(data: Mapping[str, Any]) -> list[str]:
    before, after = data["standards"]
    name = CATEGORY_WORDS.get(data["before_category"], "社会救助")
    each = "每户每月" if data["before_category"] == "low_income" else "每人每月"
    return [
        f"根据天津市社会救助标准调整的规定，自{month_words(data['effective_month'])}起，{name}标准由{each}{before}元调整为{after}元。",
        f"据此，自{month_words(data['from_month'])}起，您家庭的{name}金由每月{yuan(data['before_fen'])}元调整为{yuan(data['amount_fen'])}元"
        f"（大写：{capital(data['amount_fen'])}）。"
        if data["amount_fen"] != data["before_fen"]
        else f"您家庭的{name}金每月{yuan(data['before_fen'])}元，已经按照新标准核定，今后各月不再变动。",
        *_reckoned(data, after),
        *_paid_later(data, "按新标准应补发的差额"),
        *([_MAY_APPLY] if data.get("contact") else []),
        _CHANGES,
    ]


def _reckoned(data: Mapping[str, Any], standard: str) -> list[str]:
    if data["before_category"] != "dibao":
        return []
    sum_ = f"{standard}元×{data['members']}人－家庭月收入{data['income']}元＝{yuan(data['amount_fen'])}元"
    return [f"计算办法：{sum_}（民发〔2012〕220号第二十七条）。"]


_CHANGES = "家庭人口、收入或财产发生变化，请及时向街镇或居村委会报告。"
_MAY_APPLY = "按照新标准，您家庭可能符合最低生活保障条件。是否申请由您家庭决定，请与街镇社会救助窗口联系。"


def recovery(data: Mapping[str, Any]) -> list[str]:
    return [
        f"经与您商定，多领取的救助金{yuan(data['overpaid_fen'])}元，自{month_words(data['first_month'])}起每月退还{yuan(data['instalment'])}元，"
        "最后一期退还余额。",
        "您的生活因此发生困难的，请及时告知窗口，可以重新商定。",
    ]


def waiver(data: Mapping[str, Any]) -> list[str]:
    spans = "、".join(month_words(month) for month in data["overpaid_months"])
    return [
        f"{spans}多领取的救助金{yuan(data['overpaid_fen'])}元（大写：{capital(data['overpaid_fen'])}），经区民政局审核，决定免予退还。",
        *(["此前商定的退还办法停止执行。"] if data.get("planned") else []),
        f"理由：{data['opinion'].rstrip('。')}。",
        _CHANGES,
    ]


def redress(data: Mapping[str, Any]) -> list[str]:
    name, fen = CATEGORY_WORDS.get(data["before_category"], "社会救助"), data["amount_fen"]
    from_month = f"自{month_words(data['from_month'])}起，"
    now = (f"{from_month}恢复发放您家庭的{name}金，每月{yuan(fen)}元（大写：{capital(fen)}）。" if data.get("resumes")
           else f"{from_month}您家庭的{name}金由每月{yuan(data['before_fen'])}元调整为{yuan(fen)}元（大写：{capital(fen)}）。" if fen != data["before_fen"]
           else f"您家庭的{name}金每月{yuan(fen)}元不变。")  # fmt: skip
    return [f"根据{data['appealed']}，决定：{now}", *_paid_later(data, "少发的救助金"), f"理由：{data['opinion'].rstrip('。')}。", _CHANGES]


def _day(iso: str) -> str:
    return f"{int(iso[:4])}年{int(iso[5:7])}月{int(iso[8:10])}日"


def report_receipt(data: Mapping[str, Any]) -> list[str]:
    what = KIND_WORDS.get(data["kind"], "")
    happened = f"（发生日期：{_day(data['event_on'])}）" if data.get("event_on") else ""
    return [
        f"您家庭于{_day(data['reported_on'])}报告的情况已收到：{what}{happened}。",
        "我们将核实情况，并把结果书面通知您；需要补充证明的，会一次性告知。",
        *(["本次报告超过了规定的报告期限，因此多领取的救助金应当退还。"] if data.get("late") else []),
        "家庭人口、收入或财产再发生变化，请及时报告。",
    ]


def report_reminder(data: Mapping[str, Any]) -> list[str]:
    return [
        f"按照规定，您家庭应于{_day(data['due_on'])}报告家庭人口、收入和财产情况。没有变化的，也请报告“没有变化”。",
        "您可以到街镇社会救助窗口、居村委会报告，也可以打电话报告。",
        "依据：民发〔2012〕220号第三十二条、《社会救助暂行办法》第十三条。",
    ]


def evidence_request(data: Mapping[str, Any]) -> list[str]:
    names = [zh for code, zh, _ in MATERIALS if code in data["missing"]]
    return [
        "您家庭报告的变化，还需补充下列证明：",
        *[f"{n}．{name}" for n, name in enumerate(names, start=1)],
        "以上为需补充的全部证明，我们不会再要求其他新的证明。",
    ]


def transfer(data: Mapping[str, Any]) -> list[str]:
    return [
        f"您家庭迁入{data['community_name']}，社会救助关系已转入{data['street_name']}，自{month_words(data['transfer_month'])}起由{data['street_name']}负责。",
        "救助待遇照常发放，金额不变，不需要重新申请。",
    ]


BODIES: dict[str, Words] = {
    "review_result": review_result,
    "grace_period": grace_period,
    "adjustment": adjustment,
    "stop": stop,
    "suspension": suspension,
    "resumption": resumption,
    "redress": redress,
    "recovery": recovery,
    "waiver": waiver,
    "standard_adjustment": standard_adjustment,
    "report_receipt": report_receipt,
    "report_reminder": report_reminder,
    "evidence_request": evidence_request,
    "transfer": transfer,
}
TITLES = {
    "review_result": "社会救助复核结果通知书",
    "grace_period": "低保渐退期决定通知书",
    "adjustment": "社会救助金额调整决定通知书",
    "stop": "停止社会救助决定通知书",
    "suspension": "暂停发放社会救助金通知书",
    "resumption": "恢复发放社会救助金通知书",
    "redress": "执行行政复议决定（判决）通知书",
    "recovery": "多领救助金退还约定书",
    "waiver": "多领救助金免予退还通知书",
    "report_receipt": "情况变化报告回执",
    "report_reminder": "定期报告提醒书",
    "evidence_request": "补充证明一次性告知书",
    "transfer": "社会救助关系转移通知书",
    "standard_adjustment": "社会救助标准调整通知书",
}
MARKS = {"review_result": "复", "grace_period": "渐", "adjustment": "调", "stop": "停", "suspension": "暂", "resumption": "恢", "redress": "执", "recovery": "退", "waiver": "免", "standard_adjustment": "标",
         "report_receipt": "报", "report_reminder": "提", "evidence_request": "证", "transfer": "转"}  # fmt: skip
WITH_REMEDIES = frozenset({"grace_period", "adjustment", "redress", "stop", "suspension", "resumption", "standard_adjustment"})
OF_THE_DISTRICT = frozenset({"grace_period", "adjustment", "redress", "stop", "suspension", "resumption", "standard_adjustment", "waiver"})
