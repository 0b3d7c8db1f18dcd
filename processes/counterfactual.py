"""What would have changed a decision: computed from the figures by which it was made, for the household and for whoever explains it.

Each statement is about one condition as the calculation has it, all else equal: by how much the income or the property misses the
line, and what to the fen would meet it. Reasons that are no figures have a statement where the rule itself says what would do.
Source: N649 art 13 (reasons in writing), domain 2.7 and 3.3; the numbers are the law's of the assessment.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from math import ceil, floor
from typing import Any

from sqlalchemy import Connection

from engine import habits
from engine.crypto import BoundKeys
from engine.dmn import NoDecision
from engine.model import Entry
from engine.office import Kept
from engine.replaying import snapshots_of
from processes import eligibility, law
from processes.eligibility_facts import BadFacts, month_of
from processes.law import BadLaw
from processes.money import yuan

Said = dict[str, str]
DECIDED = ("refused", "stop", "decrease")
_CANNOT = (BadFacts, BadLaw, NoDecision, ArithmeticError, KeyError, ValueError)  # figures that are not read any more
BY_FIGURES = ("income_over", "property_over", "income_changed", "member_changed")  # reasons of a stop or a decrease that the calculation explains
NOT_FIGURES = ("hukou", "members", "no_cooperation", "false_statement", "procedure", "facts_unclear")  # of a refusal: the figures are not why
_KINDS: Mapping[str, tuple[str, str]] = {
    "refused_vehicle": ("家庭成员名下没有机动车辆（残疾人功能性补偿代步机动车辆除外）的，符合这一项条件。", "Without a motor vehicle (one that makes up for a disability aside) this condition is met."),
    "refused_dwelling": ("家庭成员名下只有一套住房的，符合这一项条件。", "With one dwelling only this condition is met."),
    "refused_non_residential": ("家庭成员名下没有非居住类房屋的，符合这一项条件。", "Without non-residential property this condition is met."),
    "refused_study_abroad": ("家庭没有成员自费出国留学的，符合这一项条件。", "With nobody studying abroad at his own expense this condition is met."),
    "refused_luxury": ("家庭没有非生活必需的高档消费品的，符合这一项条件。", "Without luxury goods this condition is met."),
}  # fmt: skip
CHECKED_AGAIN = "核对所列的收入、财产等信息与实际不符，经重新调查更正后符合条件的，按申请继续办理。"  # N220 art 20
_REASONS: Mapping[str, tuple[str, str]] = {
    "no_cooperation": ("家庭成年成员签署核对授权书、配合信息核对和入户调查的，可以继续审核。", "With the authorisations signed and the check and the survey allowed, the procedure goes on."),
    "procedure": ("补齐所缺材料的，可以重新申请。", "With the missing papers one may apply again."),
}  # fmt: skip


def would(figures: Mapping[str, Any], reason_code: str | None, conclusion: str) -> list[Said]:
    """[{code, zh, en}] for a decision that was made by these figures (a snapshot, as `eligibility.assess` reads it).

    conclusion: refused | stop | decrease. Empty where nothing of the figures would have changed it. Raises what
    `assess` raises."""
    if reason_code and reason_code in _REASONS and conclusion == "refused":
        return [_say(f"reason_{reason_code}", *_REASONS[reason_code])]
    if (conclusion == "refused" and reason_code in NOT_FIGURES) or (conclusion != "refused" and reason_code not in BY_FIGURES):
        return []
    result = eligibility.assess(figures)
    if conclusion == "decrease":
        return _kept(result, (figures.get("benefit") or {}).get("amount_fen"))
    if figures.get("programme") == "low_income":
        return _of_low_income(result, figures)
    return [*_property(result), *_income(result, figures)] if result["category"] != "dibao" else []


def _of_low_income(result: Mapping[str, Any], figures: Mapping[str, Any]) -> list[Said]:
    """Of an application for low-income relief: the band's own lines."""
    if result["category"] == "dibao":
        return [_say("consent", "您家庭符合低保条件；同意按低保办理的，可以按低保审批。", "The family fits dibao: with its consent that can be granted.")]
    on = month_of(figures["benefit_month"])
    limit = Fraction(result["standard"]) * result["members_counted"] * law.value("low_income_asset_limit_months", on).fraction * 100
    return [*_property(result, limit, "低收入家庭"), *[one for one in _income(result, figures) if one["code"] == "low_income"]]


def _exact(result: Mapping[str, Any]) -> tuple[Fraction, int]:
    """The household's income a month after deductions, in fen, exact; and its members."""
    n = int(result["members_counted"])
    return Fraction(result["per_capita_exact"]) * n * 100, n


def _property(result: Mapping[str, Any], limit: Fraction | None = None, name: str = "低保") -> list[Said]:
    """limit: of the programme `name`, in fen; None: that of dibao."""
    found = [_say(result["category"], *_KINDS[result["category"]])] if result["category"] in _KINDS else []
    assets, limit = Fraction(result["monetary_assets"]) * 100, Fraction(result["property_limit"]) * 100 if limit is None else limit
    if assets > limit:
        found.append(_say("assets", f"家庭货币财产不超过{_yuan(limit)}元的，符合{name}财产条件；本次为{_yuan(assets)}元，超出{_yuan(assets - limit)}元。",
                          f"Monetary assets of {_yuan(limit)} or less would meet the condition; they were {_yuan(assets)}, {_yuan(assets - limit)} too much."))  # fmt: skip
    return found


def _income(result: Mapping[str, Any], figures: Mapping[str, Any]) -> list[Said]:
    """Strictly below the standard for 低保; for 低收入 below the published line, or at it where the law of the month includes it."""
    income, n = _exact(result)
    line, upper = (Fraction(result[name]) * n * 100 for name in ("standard", "low_income_limit"))
    found = [_below("income", "低保", income, line, f"低保标准{result['standard']}元×{n}人", n)] if income >= line else []
    if result["category"] == "refused_income":
        included = law.value("low_income_upper_operator", month_of(figures["benefit_month"])).text == "<="
        found.append(_below("low_income", "低收入家庭", income, upper, f"低收入家庭标准{result['low_income_limit']}元×{n}人", n, included=included))
    return found


def _below(code: str, name: str, income: Fraction, line: Fraction, rule: str, n: int, *, included: bool = False) -> Said:
    """The most that would do: the line itself, or a fen under it."""
    most = floor(line) if included else ceil(line) - 1
    verb, verb_en = ("不超过", "of at most") if included else ("低于", "below")
    return _say(code, f"家庭月收入（扣减后）{verb}{_yuan(line)}元（{rule}）的，符合{name}收入条件；本次为{_yuan(income)}元，至少高出{_yuan(income - most)}元。",
                f"An income after deductions {verb_en} {_yuan(line)} a month (the line times {n} members) meets the condition of {_EN[code]}; "
                f"it was {_yuan(income)}, at least {_yuan(income - most)} too much.")  # fmt: skip


_EN = {"income": "dibao", "low_income": "low income"}


def _kept(result: Mapping[str, Any], before_fen: int | None) -> list[Said]:
    """Of a decrease: the income with which the amount had stayed."""
    income, n = _exact(result)
    if result["category"] != "dibao" or not before_fen or before_fen <= result["amount_fen"]:
        return []
    same = Fraction(result["standard"]) * n * 100 - before_fen
    if same < 0:
        return []
    return [_say("amount", f"家庭月收入（扣减后）为{_yuan(same)}元的，金额不减少；本次为{_yuan(income)}元，高出{_yuan(income - same)}元。",
                 f"With an income after deductions of {_yuan(same)} a month the amount had stayed; it was {_yuan(income)}, {_yuan(income - same)} more.")]  # fmt: skip


def _yuan(fen: Fraction) -> str:
    """In whole fen; a part of a fen counts upward, so that nobody is told too little."""
    return yuan(ceil(fen))


def _say(code: str, zh: str, en: str) -> Said:
    return {"code": code, "zh": zh, "en": en}


def told(figures: Mapping[str, Any], entries: Sequence[Entry]) -> list[Said]:
    """`would` for what these entries of a case have decided so far; empty while nothing was refused, stopped or made less, and for what
    cannot be computed any more."""
    facts: dict[str, Any] = {}
    for entry in entries:
        facts |= {name: value for name, value in entry.data.get("facts", {}).items() if name in ("decision", "conclusion", "reason_code", "resolution", "decided_on")}
    conclusion = "refused" if facts.get("decision") == "refused" else str(facts.get("conclusion"))
    if conclusion not in DECIDED or not facts.get("decided_on") or (conclusion != "refused" and facts.get("resolution")):
        return []
    try:
        return would(figures, facts.get("reason_code"), conclusion)
    except _CANNOT:
        return []


def of_case(conn: Connection, keys: BoundKeys, case_id: int, reason_code: str | None, conclusion: str, category: str | None) -> list[str]:
    """The Chinese statements for a letter, from the last assessment in the case's record that was not taken back. None where its figures
    are gone, or where they are not what was decided by (the joint meeting's resolution, for one)."""
    kept = Kept(conn, keys, case_id)
    undone = habits.taken_back(kept.closed)
    for place, entry in reversed(list(enumerate(kept.closed))):
        ran = dict(entry.data.get("then", {}).get("ran", ()))
        if "assess" not in ran or entry.seq in undone:
            continue
        figures = snapshots_of(kept.entry(place)).get("assess")
        if not figures or ran["assess"].get("category") != category:
            return []
        try:
            return [one["zh"] for one in would(figures, reason_code, conclusion)]
        except _CANNOT:
            return []
    return []
