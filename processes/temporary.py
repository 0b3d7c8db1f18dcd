"""The rules of temporary assistance (临时救助, domain 2.5): who takes a request, how much, who decides, and what is the same cause.

Pure: facts and the law of a day in, answers out. Money is whole fen. Sources: N23, N47, N649 arts 47-48; numbers in law/*.yaml.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Any

from processes import law
from processes.money import to_fen

EMERGENCY, EXPENDITURE = "emergency", "expenditure"
KINDS = [(EMERGENCY, "急难型", "Emergency"), (EXPENDITURE, "支出型", "Expenditure")]
CAUSES = [  # what a grant is for; in which kinds (N23 part 2(1))
    ("fire", "火灾等意外事件", "Fire or another accident", (EMERGENCY,)),
    ("traffic_accident", "交通事故", "Traffic accident", (EMERGENCY,)),
    ("sudden_illness", "突发重大疾病", "Sudden grave illness", (EMERGENCY,)),
    ("other_emergency", "其他急难情形", "Another emergency", (EMERGENCY,)),
    ("education", "教育支出", "Costs of education", (EXPENDITURE,)),
    ("medical", "医疗支出", "Costs of treatment", (EXPENDITURE,)),
    ("other_expenditure", "其他必需支出", "Other necessary costs", (EXPENDITURE,)),
]
BASES = [  # on what somebody is at home here
    ("local_hukou", "本地户籍", "Local hukou"),
    ("residence_permit", "持有本地居住证", "Local residence permit"),
    ("none", "非本地户籍且无居住证", "Neither"),
    ("unknown", "身份待核（先行救助，事后补核）", "Not known yet (help first, identity after)"),
]
FORMS_OF_HELP = [("cash", "救助金", "Cash"), ("goods", "实物", "Goods"), ("referral", "转介服务", "Referral")]
REFER, ACCEPT, IDENTIFY = "refer", "accept", "identify"
FITS, OVER_INCOME, OVER_PROPERTY, OVER_BOTH = "fits", "refused_income", "refused_property", "refused_both"


def kinds_of(cause: str) -> tuple[str, ...]:
    """The kinds in which a cause occurs."""
    return next(kinds for code, _zh, _en, kinds in CAUSES if code == cause)


def intake(kind: str, basis: str) -> str:
    """What the street does with a request (N47): "accept"; "refer": it helps him to apply at the district's 救助管理机构; "identify": whose home
    is not known yet gets help in an emergency, and is identified before anything else is accepted."""
    if basis == "none":
        return REFER
    return IDENTIFY if basis == "unknown" and kind != EMERGENCY else ACCEPT


@dataclass(frozen=True, slots=True)
class Limit:
    """An amount that follows from the law: fen, the value in monthly standards, and the standard."""

    fen: int
    months: law.Value
    standard: law.Value

    @property
    def unverified(self) -> bool:
        return self.months.unverified or self.standard.unverified


def _limit(months: law.Value, hukou_kind: str, on: date, heads: int = 1) -> Limit:
    standard = law.standard(on, hukou_kind)
    return Limit(to_fen(standard.amount * months.amount * heads), months, standard)


def in_force(on: date) -> bool:
    """Whether the law knows this procedure on a day (N23, from 2018-01-23)."""
    return law.in_force("temp_workdays", on) is not None


def emergency_cap(on: date, hukou_kind: str, persons: int) -> Limit:
    """急难型 living help at most: so many monthly standards per person. ValueError: nobody is helped."""
    if persons < 1:
        raise ValueError("persons >= 1")
    return _limit(law.value("temp_emergency_months", on), hukou_kind, on, persons)


def street_limit(on: date, hukou_kind: str, district: str) -> Limit:
    """Up to and including which the street decides (N649 art 48); a district's own row stands before the general one."""
    own = law.in_force(f"temp_street_limit_months_{district}", on)
    return _limit(own or law.value("temp_street_limit_months", on), hukou_kind, on)


def decider(amount_fen: int, limit_fen: int) -> str:
    """"street" up to the limit, it included; "district" above."""
    return "street" if amount_fen <= limit_fen else "district"


def fits(per_capita_month: Fraction, property_ok: bool, on: date) -> str:  # noqa: FBT001
    """支出型 (N23 part 2(1)): FITS, or what is over. Income per head below (equal is not) the yearly figure of the place; property within the
    rule of low-income relief (`band_property_ok` of `eligibility.measured`)."""
    over = per_capita_month * 12 >= law.value("temp_income_limit", on).fraction
    owns = not property_ok
    return (OVER_BOTH if owns else OVER_INCOME) if over else OVER_PROPERTY if owns else FITS


def total(items: Iterable[Mapping[str, Any]]) -> int:
    """What cash and goods of a grant are worth together; a referral costs nothing here."""
    return sum(item.get("amount") or 0 for item in items)


def wrong_item(item: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
    """Field -> (Chinese, English), of one form of help: money and goods have an amount above zero, a referral says to whom and has none."""
    wrong: dict[str, tuple[str, str]] = {}
    amount, to, form = item.get("amount"), item.get("referred_to"), item.get("form")
    if form == "referral":
        if amount:
            wrong["amount"] = ("转介服务不填金额", "A referral has no amount")
        if not to:
            wrong["referred_to"] = ("请写明转介单位", "Say to whom")
    elif form:
        if not amount:
            wrong["amount"] = ("请填写大于零的金额（实物填折价）", "An amount above zero (of goods: their value)")
        if to:
            wrong["referred_to"] = ("只有转介服务填写", "Only of a referral")
    return wrong


def same_cause(earlier: Iterable[Mapping[str, Any]], cause: str, on: date) -> list[str]:
    """The cases in which this cause was granted for in the calendar year of a day, where there are as many as the law allows; else none.
    `earlier`: rows with case_no, cause, year."""
    found = sorted({row["case_no"] for row in earlier if row["cause"] == cause and row["year"] == on.year})
    return found if len(found) >= law.value("temp_same_cause_yearly", on).amount else []
