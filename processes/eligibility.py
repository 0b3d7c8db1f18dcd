"""The eligibility arithmetic of 低保 and 低收入 (domain 3): pure, exact, and explained line by line.

Facts in, result out; nothing is rounded before the end, and every figure names the article or notice it comes from.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from fractions import Fraction
from importlib import resources
from typing import Any

import yaml

from processes import law
from processes.money import to_fen, yuan

COUNTED = {
    "wage_income": "工资性收入",
    "business_net_income": "家庭经营净收入",
    "property_income": "财产性收入",
    "transfer_income": "转移性收入",
    "other_income": "其他收入",
}
EXCLUDED: Mapping[str, tuple[str, str]] = {
    code: (zh, source)
    for code, (zh, source) in yaml.safe_load(
        (resources.files("processes.law") / "excluded_income.yaml").read_text(encoding="utf-8")
    ).items()
}
PROPERTY = {
    "monetary_assets": "货币财产",
    "vehicle": "机动车辆",
    "dwelling": "住房",
    "non_residential": "非居住类房屋",
    "study_abroad": "自费出国留学",
    "luxury": "非生活必需高档消费品",
}
HARDSHIPS = {
    "disabled_member": "家庭成员中有残疾人",
    "major_illness": "家庭成员患大病或门诊特殊病",
    "single_parent_student": "单亲家庭有在校子女",
    "family_planning_special": "享受计划生育特别扶助金",
    "elderly_childless": "成员均年满60周岁且无子女",
    "recognised_other": "经民政、财政共同认定的其他特殊困难",
}
ABILITIES = ("full", "partly_lost", "mostly_lost", "completely_lost", "none")
EMPLOYMENTS = ("employed", "flexible", "unemployed", "student", "retired", "none")
LEAVES_OUT = {"prison": "服刑", "religious": "宗教教职人员", "declared_missing": "宣告失踪", "compulsory_detox": "强制隔离戒毒", "military": "现役义务兵"}
LIMIT = Decimal("99999999.99")
_MONEY = re.compile(r"\d{1,8}(\.\d{1,2})?")


class BadFacts(Exception):
    """The facts cannot be assessed; `fields` says where and why."""

    def __init__(self, fields: dict[str, list[str]]) -> None:
        super().__init__("; ".join(f"{k}: {'，'.join(v)}" for k, v in fields.items()))
        self.fields = fields


@dataclass
class _Work:
    """What an assessment gathers on its way."""

    on: date
    applied: date
    kind: str
    flags: list[str] = field(default_factory=list)
    lines: list[dict[str, str]] = field(default_factory=list)

    def say(self, code: str, zh: str, en: str, figure: str, source: str) -> None:
        self.lines.append({"code": code, "zh": zh, "en": en, "figure": figure, "source": source})


def assess(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Assess a household. Shapes: docs/api.md `AssessmentIn`, money as yuan text. Raises BadFacts.

    Result: category, amount (yuan text), amount_fen, per_capita, standard, flags, law_version, lines.
    """
    _check(facts)
    work = _Work(_month(facts["benefit_month"]), date.fromisoformat(facts["applied_on"]), facts["hukou_kind"])
    members = [m for m in facts["members"] if _counts(m, work)]
    if not members:
        raise BadFacts({"members": ["没有可计入的家庭成员"]})
    standard = law.standard(work.on, work.kind)
    income = sum((_member_income(m, work, standard.amount) for m in members), Fraction())
    limit, assets, refused = _property(facts.get("property", ()), members, work, standard.amount)
    hardships = _hardships(facts, members, work)
    upper = law.value(f"low_income_limit_{work.kind}", work.on)
    operator = law.value("low_income_upper_operator", work.on).text
    cash = law.value(f"low_income_cash_{work.kind}", work.on)
    core = assess_figures(
        standard.amount, len(members), income, property_ok=refused is None, hardship=bool(hardships), upper=upper.amount,
        upper_op=operator, cash=cash.amount)  # fmt: skip
    category = refused or core["category"]
    _explain(work, core, category, standard, upper, cash, hardships)
    return {
        "category": category,
        "amount": yuan(core["amount_fen"]),
        "amount_fen": core["amount_fen"],
        "members_counted": len(members),
        "household_income": yuan(to_fen(_decimal(income))),
        "income_after_deductions": yuan(to_fen(_decimal(income))),
        "per_capita": core["per_capita"],
        "per_capita_exact": f"{income}/{len(members)}",
        "standard": f"{standard.amount:.2f}",
        "low_income_limit": f"{upper.amount:.2f}",
        "property_limit": f"{limit:.2f}",
        "monetary_assets": f"{assets:.2f}",
        "hardships": hardships,
        "flags": work.flags + (["edge"] if core["edge"] else []),
        "law_version": law.version(work.on),
        "lines": work.lines,
    }


def assess_figures(
    standard: Decimal, members: int, household_income: Fraction | Decimal, *, deductions: Decimal = Decimal(0),
    property_ok: bool = True, hardship: bool = False, upper: Decimal | None = None, upper_op: str = "<",
    cash: Decimal | None = None,
) -> dict[str, Any]:  # fmt: skip
    """The core of domain 3.3 on bare figures (yuan). `<` is strict everywhere: equal is not below."""
    income = max(Fraction(0), Fraction(household_income) - Fraction(deductions))
    per_capita = income / members
    upper = standard * Decimal("1.5") if upper is None else upper
    below = per_capita <= upper if upper_op == "<=" else per_capita < upper
    amount = 0
    if not property_ok:
        category = "refused_property"
    elif per_capita < standard:
        category, amount = "dibao", to_fen(_decimal(Fraction(standard) * members - income))
    elif below:
        category = "low_income"
        amount = to_fen(cash) if hardship and cash is not None else 0
    else:
        category = "refused_income"
    shown = yuan(to_fen(_decimal(per_capita)))
    return {"category": category, "amount_fen": amount, "per_capita": shown, "income": income, "edge": per_capita == standard,
            "members": members}  # fmt: skip


def _decimal(value: Fraction) -> Decimal:
    return Decimal(value.numerator) / Decimal(value.denominator)


def _month(text: str) -> date:
    return date.fromisoformat(f"{text}-01")


# -- members and their income


def _counts(member: Mapping[str, Any], work: _Work) -> bool:
    """Whether a member is counted (N220 art 5; later grounds by date of the month)."""
    reason = member.get("excluded_reason")
    since = {"declared_missing": date(2021, 7, 1), "compulsory_detox": date(2021, 7, 1), "military": date(2022, 1, 1)}
    if reason is None or work.on < since.get(reason, date.min):
        return True
    work.say("member_excluded", f"成员 {member['ref']} 不计入：{LEAVES_OUT[reason]}", f"member {member['ref']} not counted: {reason}",
             "", "N220 art 5; N57 art 7")  # fmt: skip
    return False


def _member_income(member: Mapping[str, Any], work: _Work, standard: Decimal) -> Fraction:
    """Counted income of a member per month: actual, or imputed (domain 3.4.3)."""
    if member.get("full_time_student") or member.get("employment") == "student":
        if any(item["kind"] in COUNTED for item in member.get("income", ())):
            work.say("student", f"成员 {member['ref']} 为在校学生，本人收入不计", f"member {member['ref']} studies: own income not counted",
                     "0.00", "TBHG")  # fmt: skip
        return Fraction()
    items = [i for i in member.get("income", ()) if i["kind"] in COUNTED]
    for item in member.get("income", ()):
        if item["kind"] in EXCLUDED:
            zh, source = EXCLUDED[item["kind"]]
            work.say("not_counted", f"成员 {member['ref']} {zh} {item['amount']} 元不计入", f"{item['kind']} {item['amount']} not counted",
                     "0.00", source)  # fmt: skip
    earned = _per_month([i for i in items if i["kind"] in ("wage_income", "business_net_income")], work)
    other = _per_month([i for i in items if i["kind"] not in ("wage_income", "business_net_income")], work)
    total = _imputed(member, earned, work, standard) + other
    if items:
        work.say("member_income", f"成员 {member['ref']} 月收入 {_show(total)} 元", f"member {member['ref']}: {_show(total)} a month",
                 _show(total), "N220 art 16; TECON")  # fmt: skip
    return total


def _per_month(items: Sequence[Mapping[str, Any]], work: _Work) -> Fraction:
    """Urban: average of the three full months before the application; rural: last year / 12. Undated: per month."""
    total = Fraction()
    for item in items:
        amount = Fraction(Decimal(item["amount"]))
        if item.get("period") == "year":
            if item.get("year") in (None, work.applied.year - 1):
                total += amount / 12
        elif item.get("month") is None:
            total += amount
        elif work.kind == "urban":
            total += amount / 3 if item["month"] in _window(work.applied) else 0
        elif item["month"][:4] == str(work.applied.year - 1):
            total += amount / 12
    return total


def _window(applied: date) -> list[str]:
    months, year, month = [], applied.year, applied.month
    for _ in range(3):
        year, month = (year - 1, 12) if month == 1 else (year, month - 1)
        months.append(f"{year}-{month:02d}")
    return months


def _imputed(member: Mapping[str, Any], earned: Fraction, work: _Work, standard: Decimal) -> Fraction:
    """A declared wage below the minimum wage counts as 90 % of it, by employment, age and ability."""
    employment, ability = member.get("employment"), member.get("labour_ability", "full")
    if employment not in ("employed", "flexible"):
        return earned
    wage = law.value("minimum_wage", work.on).amount
    if earned >= wage:
        return earned
    if employment == "employed":
        figure = wage * law.value("imputed_wage_share", work.on).amount
    elif ability in ("completely_lost", "mostly_lost", "none"):
        return earned
    elif ability == "partly_lost":
        figure = standard * law.value("imputed_partly_lost_share", work.on).amount
    elif _older(member, work):
        figure = standard
        if work.kind == "rural":
            work.flags.append("rural_flexible_income")
    else:
        figure = wage * law.value("imputed_wage_share", work.on).amount
    work.say("imputed", f"成员 {member['ref']} 申报 {_show(earned)} 元，低于最低工资 {wage} 元，按 {figure:.2f} 元计算",
             f"member {member['ref']} declared {_show(earned)}, below the minimum wage {wage}: {figure:.2f} counted", f"{figure:.2f}", "TECON")  # fmt: skip
    return Fraction(figure)


def _older(member: Mapping[str, Any], work: _Work) -> bool:
    if not member.get("birth_date"):
        return False
    age = _age(member["birth_date"], work.applied)
    name = "flexible_age_men" if member.get("sex") == "male" else "flexible_age_women"
    return age >= int(law.value(name, work.on).text)


def _age(born: str, on: date) -> int:
    day = date.fromisoformat(born)
    return on.year - day.year - ((on.month, on.day) < (day.month, day.day))


def _show(amount: Fraction | Decimal) -> str:
    return yuan(to_fen(_decimal(Fraction(amount))))


# -- property and hardship


def _property(
    items: Sequence[Mapping[str, Any]], members: Sequence[Any], work: _Work, standard: Decimal
) -> tuple[Decimal, Decimal, str | None]:
    """(limit, monetary assets, why refused). At the limit is within it (domain 3.6)."""
    months = law.value("asset_limit_months", work.on).amount
    limit = months * standard * len(members)
    assets = sum((Decimal(i["amount"]) for i in items if i["kind"] == "monetary_assets"), Decimal(0))
    work.say("assets", f"货币财产 {assets:.2f} 元，限额 {months} × {standard} × {len(members)} = {limit:.2f} 元",
             f"monetary assets {assets:.2f}, limit {limit:.2f}", f"{assets:.2f}", "TECON; T20")  # fmt: skip
    refused = None
    if assets > limit:
        refused = "refused_property"
    if any(i["kind"] == "vehicle" and not i.get("functional_vehicle") for i in items):
        refused = "refused_vehicle"
    elif sum(i["kind"] == "dwelling" for i in items) >= 2:
        refused = "refused_dwelling"
    elif kinds := [i["kind"] for i in items if i["kind"] in ("non_residential", "study_abroad", "luxury")]:
        refused = f"refused_{kinds[0]}"
    if refused and refused != "refused_property":
        work.say("property_refused", f"有{PROPERTY[_cause(refused)]}，不再核定", f"owns {_cause(refused)}: not assessed further", "", "T17; T20")
    return limit, assets, refused


def _cause(refused: str) -> str:
    return refused.removeprefix("refused_")


def _hardships(facts: Mapping[str, Any], members: Sequence[Mapping[str, Any]], work: _Work) -> list[str]:
    """The six special hardships of TLOW: declared ones, and those that the members show."""
    found = set(facts.get("hardships") or ())
    if any(m.get("disability_grade") for m in members):
        found.add("disabled_member")
    if any(m.get("serious_illness") or m.get("serious_outpatient_illness") for m in members):
        found.add("major_illness")
    if all(m.get("birth_date") and _age(m["birth_date"], work.applied) >= 60 for m in members) and facts.get("childless"):
        found.add("elderly_childless")
    return sorted(found)


def _explain(work: _Work, core: Mapping[str, Any], category: str, standard: law.Value, upper: law.Value, cash: law.Value,
             hardships: Sequence[str]) -> None:  # fmt: skip
    n, income, pc = core["members"], _show(core["income"]), core["per_capita"]
    work.say("per_capita", f"家庭月收入 {income} 元 ÷ {n} 人 = 人均 {pc} 元", f"household income {income} / {n} = {pc} per head", pc, "N220 art 27")
    std = f"{standard.amount:.2f}"
    if category == "dibao":
        amount = yuan(core["amount_fen"])
        work.say("amount", f"({standard.text} × {n} − {income}) = {amount} 元，依据低保标准 {std} 元（{standard.since} 起）",
                 f"({standard.text} x {n} - {income}) = {amount}, standard {std} since {standard.since}", amount, f"N220 art 27; {standard.source}")  # fmt: skip
    elif category == "low_income":
        work.say("not_dibao", f"人均月收入 {pc} 元，不低于低保标准 {std} 元（{pc} >= {std}）", f"{pc} >= {std}: not dibao", pc, f"N220 art 4; {standard.source}")
        named = "、".join(HARDSHIPS[h] for h in hardships) or "无"
        paid = yuan(core["amount_fen"])
        work.say("low_income", f"在低收入救助范围 {std}—{upper.amount:.2f} 元内；特殊困难：{named}；每户每月 {paid} 元",
                 f"within the low-income band up to {upper.amount:.2f}; {paid} per household", paid, f"TLOW; {cash.source}")  # fmt: skip
    elif category == "refused_income":
        work.say("refused", f"人均月收入 {pc} 元，不低于低收入救助上限 {upper.amount:.2f} 元", f"{pc} is not below {upper.amount:.2f}", pc, f"TLOW; {upper.source}")
    else:
        work.say("refused", "家庭财产状况不符合规定", "property does not fit", "", "N220 art 4; T20")


# -- are these facts at all?


def _check(facts: Mapping[str, Any]) -> None:
    wrong: dict[str, list[str]] = {}

    def bad(path: str, text: str) -> None:
        wrong.setdefault(path, []).append(text)

    if not re.fullmatch(r"(20[12]\d)-(0[1-9]|1[0-2])", str(facts.get("benefit_month", ""))):
        bad("benefit_month", "月份写成 2018-12")
    _check_day(facts.get("applied_on"), "applied_on", bad)
    if facts.get("hukou_kind") not in ("urban", "rural"):
        bad("hukou_kind", "户籍类别为 urban 或 rural")
    members = facts.get("members")
    if not isinstance(members, list) or not members:
        bad("members", "至少有一名家庭成员")
    elif len(members) > 30:
        bad("members", "家庭成员过多")
    else:
        refs = [m.get("ref") for m in members]
        if len(set(refs)) != len(refs) or None in refs:
            bad("members", "成员编号缺少或重复")
        for n, member in enumerate(members):
            _check_member(member, f"members.{n}", bad)
    for n, item in enumerate(facts.get("property") or ()):
        if item.get("kind") not in PROPERTY:
            bad(f"property.{n}.kind", "没有这种财产")
        elif item["kind"] == "monetary_assets":
            _check_money(item.get("amount"), f"property.{n}.amount", bad)
    for n, name in enumerate(facts.get("hardships") or ()):
        if name not in HARDSHIPS:
            bad(f"hardships.{n}", "没有这种特殊困难")
    if wrong:
        raise BadFacts(wrong)
    if _month(facts["benefit_month"]) < date(2016, 7, 1):
        raise BadFacts({"benefit_month": ["没有这个月份的标准"]})


def _check_member(member: Mapping[str, Any], path: str, bad: Any) -> None:
    if member.get("birth_date"):
        _check_day(member["birth_date"], f"{path}.birth_date", bad)
    for name, allowed in (("labour_ability", ABILITIES), ("employment", EMPLOYMENTS), ("excluded_reason", tuple(LEAVES_OUT))):
        if member.get(name) is not None and member[name] not in allowed:
            bad(f"{path}.{name}", "不在可选范围内")
    for n, item in enumerate(member.get("income") or ()):
        if item.get("kind") not in COUNTED and item.get("kind") not in EXCLUDED:
            bad(f"{path}.income.{n}.kind", "没有这种收入")
        if item.get("period") not in (None, "month", "year"):
            bad(f"{path}.income.{n}.period", "period 为 month 或 year")
        if item.get("month") is not None and not re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", str(item["month"])):
            bad(f"{path}.income.{n}.month", "月份写成 2018-11")
        _check_money(item.get("amount"), f"{path}.income.{n}.amount", bad)


def _check_money(text: Any, path: str, bad: Any) -> None:
    if not isinstance(text, str) or not _MONEY.fullmatch(text) or Decimal(text) > LIMIT:
        bad(path, "金额为不带符号的元数，最多两位小数")


def _check_day(text: Any, path: str, bad: Any) -> None:
    try:
        date.fromisoformat(str(text))
    except ValueError:
        bad(path, "日期写成 2018-12-03")
