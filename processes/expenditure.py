"""因病支出型 and, since 2025, 刚性支出困难家庭: the arithmetic, pure and exact, explained line by line (domain 3.10).

Before 2025 no rule text of Tianjin was found: the model is configuration (decision 046), every number of it dated in law and marked
unverified. Since 2025-01-01: N2025R with Tianjin's share of 60 % (TRIG). Nothing is rounded but what is shown.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from processes import eligibility, law
from processes.eligibility_facts import BadFacts
from processes.money import BadMoney, parse, to_fen, yuan

KINDS: Mapping[str, tuple[str, str]] = {
    "medical": ("医疗费用（自付）", "Medical, paid by the family itself"),
    "education": ("教育费用", "Education"),
    "rehabilitation": ("残疾人基本康复费用", "Basic rehabilitation of the disabled"),
    "recovery": ("灾害、事故后的恢复费用", "Recovery after a disaster or accident"),
    "house": ("购房", "Buying a house"),
    "car": ("购车", "Buying a car"),
    "other": ("其他", "Other"),
}
NEVER = frozenset({"house", "car", "other"})  # N2025R names the first two; what nobody names is no necessary expense
SOURCES = ("declared", "checked")
RIGID = "rigid_expenditure_share"  # where the law knows it, the family is one of rigid expenditure
Line = dict[str, str]


def assess(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Whether a household is one in hardship for its expenses. Facts: as for `eligibility.assess`, with `expenses` [{ref, kind, amount
    (yuan text), paid_on, institution, compliant, source}], `on` (ISO day whose rules count: that of acceptance, or of the question).

    Result (JSON): category ("illness_expenditure" | "rigid_expenditure" | "refused_dibao" | "refused_edge" | "refused_property" … |
    "refused_income" | "refused_expenditure"), qualifies, members_counted, income_year (shown; income_exact: "90000/1"), per_capita_year, per_capita (a month), expenses (counted, yuan text),
    net_per_capita (a month; before 2025), share ("60.0", per cent to one place, cut off; None without income), standard,
    cap_year, unverified, law_version, law_digest, lines, flags. Raises BadFacts."""
    _check(facts)
    base = eligibility.measured(eligibility_facts(facts))
    on = date.fromisoformat(str(facts.get("on") or facts["applied_on"]))
    sheet = _Sheet(on, base)
    paid = _counted(facts, sheet)
    result = judge(
        on, Fraction(base["income_exact"]) * 12, base["members_counted"], paid, standard=Fraction(base["standard"]),
        category=base["category"], band_property_ok=base["band_property_ok"], say=sheet.say, used=sheet.used)  # fmt: skip
    return {**result, "members_counted": base["members_counted"], "standard": base["standard"], "flags": base["flags"],
            "unverified": sheet.unverified, "law_version": base["law_version"], "law_digest": base["law_digest"], "lines": sheet.lines}  # fmt: skip


def eligibility_facts(facts: Mapping[str, Any]) -> dict[str, Any]:
    """What of these facts the assessment of the household reads."""
    return {name: value for name, value in facts.items() if name not in ("expenses", "on")}


class _Sheet:
    """Lines and unverified values of one assessment; begins with those of the household's income and property."""

    def __init__(self, on: date, base: Mapping[str, Any]) -> None:
        self.on, self.unverified = on, list(base["unverified"])
        self.lines: list[Line] = [line for line in base["lines"] if line["code"] in ("member_income", "not_counted", "member_excluded", "student", "outside_window", "assets")]

    def say(self, code: str, zh: str, en: str, figure: str, source: str) -> None:
        self.lines.append({"code": code, "zh": zh, "en": en, "figure": figure, "source": source})

    def used(self, value: law.Value) -> law.Value:
        if value.unverified and value.name not in self.unverified:
            self.unverified.append(value.name)
        return value


# -- the rule


def _silent(*_: Any) -> None:
    return None


def judge(
    on: date, income: Fraction, members: int, paid: Fraction, *, standard: Fraction, category: str = "refused_income", band_property_ok: bool = True,
    say: Callable[[str, str, str, str, str], None] = _silent, used: Callable[[law.Value], law.Value] = lambda value: value,
) -> dict[str, Any]:  # fmt: skip
    """The rule on bare figures: `income` of the family in a year, `paid` of it for counted expenses (yuan); `category`: what
    `eligibility.assess` found, by which the family has another programme or none for its property. Every line is strict:
    "below" is not "at"; at 60 per cent is "60 % or more"."""
    if members < 1 or income < 0 or paid < 0:
        raise ValueError("members >= 1, money >= 0")
    cap, share = used(law.value("temp_income_limit", on)), law.in_force(RIGID, on)
    head, net = income / members, max(Fraction(), income - paid) / 12 / members
    found = {
        "income_year": _show(income), "income_exact": f"{income.numerator}/{income.denominator}", "per_capita_year": _show(head), "per_capita": _show(head / 12), "expenses": _show(paid), "cap_year": f"{cap.amount:.2f}",
        "net_per_capita": None if share else _show(net), "share": _per_cent(paid, income) if share else None,
    }  # fmt: skip
    say("income_year", f"家庭年收入 {_show(income)} 元 ÷ {members} 人 = 人均年收入 {_show(head)} 元", f"family income {_show(income)} a year / {members} = {_show(head)} per head", _show(head), "N23; TRIG" if share else "N23")
    refused = _elsewhere(category, share is not None, say) or (None if band_property_ok else _refused_property(category, say))
    if refused is None and head >= cap.fraction:
        say("cap", f"人均年收入 {_show(head)} 元，不低于上年度居民人均可支配收入 {cap.amount:.2f} 元", f"{_show(head)} per head is not below last year's disposable income of {cap.amount:.2f}", _show(head), cap.source)
        refused = "refused_income"
    elif refused is None:
        say("cap", f"人均年收入 {_show(head)} 元，低于上年度居民人均可支配收入 {cap.amount:.2f} 元", f"{_show(head)} per head is below last year's disposable income of {cap.amount:.2f}", _show(head), cap.source)
    met = _by_share(paid, income, used(share), say) if share else _by_rest(net, paid, income, members, standard, say)
    if refused is None and not met:
        refused = "refused_expenditure"
    kind = "rigid_expenditure" if share else "illness_expenditure"
    return {**found, "category": refused or kind, "qualifies": refused is None}


def _elsewhere(category: str, rigid: bool, say: Callable[..., None]) -> str | None:  # noqa: FBT001
    if category == "dibao":
        say("dibao", "家庭符合低保条件，按低保申请，不认定为支出型困难家庭", "The family fits dibao and applies for that", "", "N2025R" if rigid else "design")
        return "refused_dibao"
    if rigid and category == "low_income":
        say("edge", "家庭符合低收入（低保边缘）条件，按低收入家庭救助申请，不认定为刚性支出困难家庭", "The family fits low-income relief and applies for that", "", "N2025R")
        return "refused_edge"
    return None


def _refused_property(category: str, say: Callable[..., None]) -> str:
    say("property", "家庭财产不符合低收入家庭的规定", "The property is not within the limits of a low-income family", "", "TECON")
    return category if category.startswith("refused_") and category != "refused_income" else "refused_property"


def _by_share(paid: Fraction, income: Fraction, share: law.Value, say: Callable[..., None]) -> bool:
    met = paid > 0 and paid >= income * share.fraction
    part, least = _per_cent(paid, income), _plain(share.fraction * 100)
    shown = f"占 {part}%" if part is not None else "家庭没有收入"
    say("share", f"刚性支出 {_show(paid)} 元，家庭年收入 {_show(income)} 元，{shown}；规定为 {least}% 以上，{'符合' if met else '不符合'}",
        f"rigid expenses {_show(paid)} of {_show(income)} a year{f': {part} %' if part is not None else ''}; {least} % or more is asked for: {'met' if met else 'not met'}", part or "", share.source)  # fmt: skip
    return met


def _by_rest(net: Fraction, paid: Fraction, income: Fraction, members: int, standard: Fraction, say: Callable[..., None]) -> bool:
    met = paid > 0 and net < standard
    rest = max(Fraction(), income - paid)
    say("net", f"（{_show(income)} − {_show(paid)}）= {_show(rest)} 元，÷ 12 个月 ÷ {members} 人 = {_show(net)} 元/人/月，{'低于' if net < standard else '不低于'}低保标准 {_show(standard)} 元",
        f"({_show(income)} - {_show(paid)}) = {_show(rest)}, / 12 / {members} = {_show(net)} per head and month, {'below' if net < standard else 'not below'} the standard of {_show(standard)}", _show(net), "design")  # fmt: skip
    if paid == 0:
        say("none", "没有可以计入的支出", "No expense counts", "0.00", "design")
    return met


def _per_cent(paid: Fraction, income: Fraction) -> str | None:
    """To one place, cut off and not rounded: 59.998 % is no 60.0 %. None without income."""
    if not income:
        return None
    tenths = paid * 1000 // income
    return f"{tenths // 10}.{tenths % 10}"


def _show(amount: Fraction | Decimal) -> str:
    return yuan(to_fen(amount))


def _plain(amount: Fraction) -> str:
    return str(amount.numerator) if amount.denominator == 1 else f"{float(amount):g}"


# -- the expenses


def window(applied: date, months: int) -> tuple[date, date]:
    """First and last day of the months before an application, its own day included: 2025-03-10, 12 -> 2024-03-11, 2025-03-10 [design]."""
    place = applied.year * 12 + applied.month - 1 - months
    year, month = divmod(place, 12)
    following = date(year + (month == 11), (month + 1) % 12 + 1, 1)
    last_of_month = (following - timedelta(days=1)).day
    return date(year, month + 1, min(applied.day, last_of_month)) + timedelta(days=1), applied


def _counted(facts: Mapping[str, Any], sheet: _Sheet) -> Fraction:
    """The sum of what counts, a line for each expense."""
    months = sheet.used(law.value("expenditure_months", sheet.on))
    first, last = window(date.fromisoformat(facts["applied_on"]), int(months.amount))
    rigid = law.in_force(RIGID, sheet.on) is not None
    excluded = {str(m["ref"]) for m in facts["members"] if m.get("excluded_reason")}
    total = Fraction()
    for item in facts.get("expenses") or ():
        why = _left_out(item, first, last, rigid, excluded)
        zh, en = KINDS[item["kind"]]
        amount = Fraction(parse(item["amount"]), 100)
        told = f"成员 {item['ref']} {item['paid_on']} {zh} {_show(amount)} 元"
        if why:
            sheet.say("expense_out", f"{told}：{why[0]}，不计入", f"member {item['ref']}, {item['paid_on']}, {en} {_show(amount)}: {why[1]}, not counted", "0.00", why[2])
            continue
        total += amount
        sheet.say("expense", f"{told}，计入", f"member {item['ref']}, {item['paid_on']}, {en} {_show(amount)}: counted", _show(amount), "TRIG; N2025R" if rigid else "design")
    sheet.say("expenses", f"{first} 至 {last} 可计入的支出合计 {_show(total)} 元", f"counted from {first} to {last}: {_show(total)}", _show(total), months.source)
    return total


def counting(facts: Mapping[str, Any], on: date) -> list[int]:
    """Which of the expenses count by the rules of a day: their places in the list."""
    first, last = window(date.fromisoformat(facts["applied_on"]), int(law.value("expenditure_months", on).amount))
    rigid = law.in_force(RIGID, on) is not None
    excluded = {str(m["ref"]) for m in facts["members"] if m.get("excluded_reason")}
    return [n for n, item in enumerate(facts.get("expenses") or ()) if _left_out(item, first, last, rigid, excluded) is None]


def _left_out(item: Mapping[str, Any], first: date, last: date, rigid: bool, excluded: set[str]) -> tuple[str, str, str] | None:  # noqa: FBT001
    """Why an expense does not count: (Chinese, English, source); None when it does."""
    if str(item["ref"]) in excluded:
        return "成员不计入家庭人口", "the member is not counted", "N220 art 5"
    if not first <= date.fromisoformat(item["paid_on"]) <= last:
        return f"不在{first}至{last}之间", f"not between {first} and {last}", "TRIG" if rigid else "design"
    if item["kind"] in NEVER:
        return "不属于必需支出", "no necessary expense", "N2025R"
    if not rigid and item["kind"] != "medical":
        return "不属于医疗费用", "not medical", "design"
    if not item.get("compliant"):
        return "不合规（非定点机构、超出规定范围或可以报销）", "not compliant (no designated institution, beyond what is covered, or reimbursed)", "N2025R" if rigid else "design"
    return None


def _check(facts: Any) -> None:
    """Raises BadFacts with what is wrong in the expenses; `eligibility.assess` judges the rest."""
    wrong: dict[str, list[str]] = {}
    if not isinstance(facts, Mapping):
        raise BadFacts({"": ["应为一个对象"]})
    refs = {str(m.get("ref")) for m in facts.get("members") or () if isinstance(m, Mapping)}
    said = facts.get("expenses") or ()
    if not isinstance(said, list | tuple) or len(said) > 500:
        raise BadFacts({"expenses": ["应为一个列表，且不超过 500 项"]})
    for n, item in enumerate(said):
        if not isinstance(item, Mapping):
            wrong[f"expenses.{n}"] = ["应为一个对象"]
            continue
        wrong |= {f"expenses.{n}.{name}": [why] for name, why in _misfits(item, refs)}
    if wrong:
        raise BadFacts(wrong)


def _misfits(item: Mapping[str, Any], refs: set[str]) -> Sequence[tuple[str, str]]:
    found = []
    if str(item.get("ref")) not in refs:
        found.append(("ref", "不是家庭成员"))
    if item.get("kind") not in KINDS:
        found.append(("kind", "没有这种支出"))
    try:
        parse(str(item.get("amount")) if isinstance(item.get("amount"), str) else "")
    except BadMoney as error:
        found.append(("amount", str(error)))
    try:
        date.fromisoformat(str(item.get("paid_on")))
    except ValueError:
        found.append(("paid_on", "日期写成 2018-12-03"))
    if not isinstance(item.get("compliant"), bool | None):
        found.append(("compliant", "应为是或否"))
    if item.get("source") not in (None, *SOURCES):
        found.append(("source", "来源为申报或核对"))
    return found


def most_help(on: date, hukou_kind: str, members: int) -> tuple[int, law.Value] | None:
    """The most that one-off help may be, fen for the household: so many monthly standards (TTEMP21; whether per person or household is
    not stated: per household, the smaller). None where the law has no number: then the case is referred."""
    months = law.in_force("expenditure_help_months", on)
    if months is None or members < 1:
        return None
    return to_fen(law.standard(on, hukou_kind).fraction * months.fraction), months


def valid_until(on: date) -> date:
    """The last day of a recognition decided on a day: so many months, at most 12 (TRIG)."""
    months = int(law.value("expenditure_validity_months", on).amount)
    place = on.year * 12 + on.month - 1 + months
    year, month = divmod(place, 12)
    following = date(year + (month == 11), (month + 1) % 12 + 1, 1)
    return date(year, month + 1, min(on.day, (following - timedelta(days=1)).day)) - timedelta(days=1)


