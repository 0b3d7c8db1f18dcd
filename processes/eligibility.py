"""The eligibility arithmetic of 低保 and 低收入 (domain 3): pure, exact, and explained line by line.

Facts in, result out; nothing is rounded before the end, and every figure names the article or notice it comes from.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Any

from processes import dmn, law
from processes.eligibility_facts import (
    COUNTED,
    HARDSHIPS,
    LEAVES_OUT,
    PROPERTY,
    BadFacts,
    check,
    month_of,
)
from processes.money import parse, to_fen, yuan

_ZERO = Fraction()
_fen = lru_cache(maxsize=8192)(parse)  # the same amounts come again: of one household by two laws, of a pension to the fen
_fraction: Callable[[Decimal], Fraction] = lru_cache(maxsize=256)(Fraction)  # of standards and limits
LookedUp = dict[tuple[str, date], law.Value | None]


@dataclass
class _Work:
    """What an assessment gathers on its way. on: first day of the benefit month; applied: day of application. quiet: no lines are
    wanted; looked_up: values of the law that were asked for, by name and day, kept between assessments by the same law."""

    on: date
    applied: date
    kind: str
    flags: list[str] = field(default_factory=list)
    unverified: list[str] = field(default_factory=list)
    lines: list[dict[str, str]] = field(default_factory=list)
    quiet: bool = False
    looked_up: LookedUp = field(default_factory=dict)

    def say(self, code: str, zh: str, en: str, figure: str, source: str) -> None:
        self.lines.append({"code": code, "zh": zh, "en": en, "figure": figure, "source": source})

    def flag(self, name: str) -> None:
        if name not in self.flags:
            self.flags.append(name)

    def rule(self, name: str) -> law.Value:
        found = self.in_force(name)
        return self.used(law.value(name, self.on) if found is None else found)

    def in_force(self, name: str) -> law.Value | None:
        place = name, self.on
        if place not in self.looked_up:
            self.looked_up[place] = law.in_force(name, self.on)
        return self.looked_up[place]

    def excluded_income(self, kind: str) -> law.Value | None:
        place = f"income {kind}", self.on
        if place not in self.looked_up:
            self.looked_up[place] = law.excluded_income(kind, self.on)
        return self.looked_up[place]

    def used(self, value: law.Value) -> law.Value:
        """Remembers that the result rests on a value that is still to be confirmed."""
        if value.unverified and value.name not in self.unverified:
            self.unverified.append(value.name)
        return value


@dataclass(frozen=True)
class _Property:
    """Property test: limit and assets in yuan; refused: category or None; low_income_ok: the band's limit is kept."""

    limit: Decimal
    assets: Decimal
    refused: str | None
    low_income_ok: bool
    kind: str | None = None  # the kind of property on which a household is not assessed further


def assess(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Assess a household for a benefit month. Facts: shape of `assessment_form.AssessmentIn`, money as yuan text.

    Result (JSON): category "dibao" | "low_income" | "refused_income" | "refused_property" | "refused_vehicle" | ...,
    amount (yuan text) and amount_fen a month (dibao: the household's; low income: per household), members_counted,
    household_income, income_after_deductions, per_capita (rounded for show), per_capita_exact ("2100/3"), standard,
    low_income_limit, property_limit, monetary_assets, hardships, flags (what a person should look at), unverified
    (law values used that are still to be confirmed), law_version, law_digest, lines (the explanation). Raises BadFacts.
    """
    return _measure(facts)[0]


def measured(facts: Mapping[str, Any]) -> dict[str, Any]:
    """`assess`, with what other programmes measure a household by: income_exact (yuan a month before deductions, "4800/1"), and
    band_property_ok (its property keeps to the limits of the low-income band)."""
    result, income, owned = _measure(facts)
    return {**result, "income_exact": f"{income.numerator}/{income.denominator}", "band_property_ok": owned.low_income_ok}


def _measure(facts: Mapping[str, Any]) -> tuple[dict[str, Any], Fraction, _Property]:
    check(facts)
    work = _Work(month_of(facts["benefit_month"]), date.fromisoformat(facts["applied_on"]), facts["hukou_kind"])
    came = _come_to(facts, work)
    _explain(work, came.core, (came.income, came.deductions), came.standard, came.upper, came.cash, came.hardships)
    return _result(work, came.core, came.income, came.standard, came.upper, came.owned, came.hardships), came.income, came.owned


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an assessment comes to, without its words. per_capita: exact, yuan; standard, low_income_limit: yuan."""

    category: str
    amount_fen: int
    per_capita: Fraction
    standard: Decimal
    low_income_limit: Decimal


def outcome(facts: Mapping[str, Any], looked_up: LookedUp, *, checked: bool = False) -> Outcome:
    """`assess`, for whoever computes thousands and reads no explanation. looked_up: an empty dict, kept from one household to the next
    by the same law; checked: these facts were found good before. Raises BadFacts."""
    if not checked:
        check(facts)
    work = _Work(month_of(facts["benefit_month"]), date.fromisoformat(facts["applied_on"]), facts["hukou_kind"], quiet=True, looked_up=looked_up)
    came = _come_to(facts, work)
    core = came.core
    return Outcome(core["category"], core["amount_fen"], core["income"] / core["members"], came.standard.amount, came.upper.amount)


@dataclass(frozen=True, slots=True)
class _Came:
    core: Mapping[str, Any]  # of `assess_figures`
    income: Fraction
    deductions: Fraction
    standard: law.Value
    upper: law.Value
    cash: law.Value
    owned: _Property
    hardships: Sequence[str]


def _come_to(facts: Mapping[str, Any], work: _Work) -> _Came:
    members = [m for m in facts["members"] if _counts(m, work)]
    if not members:
        raise BadFacts({"members": ["没有可计入的家庭成员"]})
    standard = work.rule(f"dibao_standard_{work.kind}")
    income = _sum(_member_income(m, work, standard.amount) for m in members)
    deductions = _sum(_deduction(m, work) for m in members)
    owned = _property(facts.get("property") or (), members, work, standard.amount)
    hardships = _hardships(facts, members, work)
    upper, cash = work.rule(f"low_income_limit_{work.kind}"), work.rule(f"low_income_cash_{work.kind}")
    core = assess_figures(
        standard.amount,
        len(members),
        income,
        deductions=deductions,
        property_ok=owned.refused is None,
        low_income_property_ok=owned.low_income_ok,
        refusing=owned.kind,
        hardship=bool(hardships),
        upper=upper.amount,
        upper_op=work.rule("low_income_upper_operator").text,
        cash=cash.amount,
    )
    return _Came(core, income, deductions, standard, upper, cash, owned, hardships)


def _sum(amounts: Iterable[Fraction]) -> Fraction:
    """Most are nothing, and adding fractions is slow."""
    found = [amount for amount in amounts if amount]
    return sum(found[1:], found[0]) if found else _ZERO


def _result(
    work: _Work,
    core: Mapping[str, Any],
    income: Fraction,
    standard: law.Value,
    upper: law.Value,
    owned: _Property,
    hardships: Sequence[str],
) -> dict[str, Any]:
    after, n = core["income"], core["members"]
    return {
        "category": core["category"],
        "amount": yuan(core["amount_fen"]),
        "amount_fen": core["amount_fen"],
        "members_counted": n,
        "household_income": _show(income),
        "income_after_deductions": _show(after),
        "per_capita": core["per_capita"],
        "per_capita_exact": f"{after.numerator}/{after.denominator * n}",
        "standard": f"{standard.amount:.2f}",
        "low_income_limit": f"{upper.amount:.2f}",
        "property_limit": f"{owned.limit:.2f}",
        "monetary_assets": f"{owned.assets:.2f}",
        "hardships": list(hardships),
        "flags": work.flags + (["edge"] if core["edge"] else []),
        "unverified": work.unverified,
        "law_version": law.version(work.on),
        "law_digest": law.digest(),
        "lines": work.lines,
    }


def own_share(result: Mapping[str, Any]) -> int | None:
    """The share of one member in a household's dibao, fen a month: (standard - income per head) x 1 (N649 art 45; domain 2.9
    `refused_jobs`). None where there is no difference that could be shared out. `result`: of `assess`."""
    if result["category"] != "dibao":
        return None
    return to_fen(Fraction(result["standard"]) - Fraction(result["per_capita_exact"]))


def explained(facts: Mapping[str, Any], reason_code: str | None) -> dict[str, Any]:
    """`assess`, with the line of a member's own share where the conclusion takes it (`reason_code`)."""
    result = assess(facts)
    line = _share_line(result) if reason_code == "refused_jobs" else None
    return {**result, "lines": [*result["lines"], line]} if line else result


def _share_line(result: Mapping[str, Any]) -> dict[str, Any] | None:
    """How `own_share` follows; None without one."""
    if (fen := own_share(result)) is None:
        return None
    std, pc, share = result["standard"], result["per_capita"], yuan(fen)
    return {"code": "own_share", "zh": f"一名成员的份额：（{std} − {pc}）× 1 = {share} 元；三次无正当理由拒绝介绍工作的，扣减其本人份额（国务院令第649号第四十五条）",
            "en": f"share of one member: ({std} - {pc}) x 1 = {share}; taken from who refused suitable work three times (N649 art 45)",
            "figure": share, "source": "N649"}  # fmt: skip


def assess_figures(
    standard: Decimal,
    members: int,
    household_income: Fraction | Decimal,
    deductions: Fraction | Decimal = Decimal(0),
    *,
    property_ok: bool = True,
    hardship: bool = False,
    upper: Decimal | None = None,
    upper_op: str = "<",
    cash: Decimal | None = None,
    low_income_property_ok: bool | None = None,
    refusing: str | None = None,
) -> dict[str, Any]:
    """The core of domain 3.3 on bare monthly figures (yuan). `<` is strict: equal is not below.

    upper: the band's published upper value (None: 1.5 x standard, TLOW); cash: the low-income cash per household;
    low_income_property_ok: when the band has a property limit of its own; refusing: the kind of property that refuses by itself.
    The category is the table's (`dmn/category.dmn`). Result: category, amount_fen, per_capita
    (text), income (Fraction, after deductions), edge (per-capita == standard), members. ValueError on bad figures.
    """
    if members < 1 or household_income < 0 or deductions < 0 or upper_op not in ("<", "<="):
        raise ValueError("members >= 1, money >= 0, upper_op is < or <=")
    income = max(_ZERO, Fraction(household_income) - Fraction(deductions)) if deductions else Fraction(household_income)
    per_capita = income / members
    line = standard * Decimal("1.5") if upper is None else upper
    low_income_ok = property_ok if low_income_property_ok is None else low_income_property_ok
    fits = {(True, True): "within", (True, False): "within_dibao", (False, True): "within_band", (False, False): "over"}
    category = dmn.decide(
        "category", property=refusing or fits[property_ok, low_income_ok], income_share=per_capita / _fraction(standard),
        limit_share=per_capita / _fraction(line), limit_included=upper_op == "<=")["category"]  # fmt: skip
    amount = 0
    if category == "dibao":
        amount = to_fen(_fraction(standard) * members - income)
    elif category == "low_income" and hardship and cash is not None:
        amount = to_fen(cash)
    edge = per_capita == _fraction(standard)
    return {
        "category": category,
        "amount_fen": amount,
        "per_capita": _show(per_capita),
        "income": income,
        "edge": edge,
        "members": members,
    }


# -- members and their income


def _counts(member: Mapping[str, Any], work: _Work) -> bool:
    """Whether a member is counted (N220 art 5; later grounds from their day on)."""
    reason = member.get("excluded_reason")
    ground = work.in_force(f"member_excluded_{reason}") if reason else None
    if ground is None:
        return True
    work.used(ground)
    work.say(
        "member_excluded",
        f"成员 {member['ref']} 不计入：{LEAVES_OUT[str(reason)]}",
        f"member {member['ref']} not counted: {reason}",
        "",
        ground.source,
    )
    return False


def _studies(member: Mapping[str, Any]) -> bool:
    return bool(member.get("full_time_student")) or member.get("employment") == "student"


def _member_income(member: Mapping[str, Any], work: _Work, standard: Decimal) -> Fraction:
    """Counted income of a member per month, yuan: actual, or imputed (domain 3.4.3)."""
    ref, said = member["ref"], member.get("income") or ()
    if _studies(member):
        if said:
            work.say(
                "student",
                f"成员 {ref} 为在校学生，本人收入不计算",
                f"member {ref} studies: own income not counted",
                "0.00",
                "TBHG",
            )
        return _ZERO
    items = [i for i in said if _is_counted(i, ref, work)]
    earned = _per_month([i for i in items if i["kind"] in ("wage_income", "business_net_income")], ref, work)
    other = _per_month([i for i in items if i["kind"] not in ("wage_income", "business_net_income")], ref, work)
    figured = _imputed(member, earned, work, standard)
    total = figured + other if other else figured
    if (total or items) and not work.quiet:
        work.say(
            "member_income",
            f"成员 {ref} 月收入 {_show(total)} 元",
            f"member {ref}: {_show(total)} a month",
            _show(total),
            "N220 art 16; TECON",
        )
    return total


def _is_counted(item: Mapping[str, Any], ref: str, work: _Work) -> bool:
    """Not counted kinds are said and left out; one whose rule is not yet in force counts, for a person to look at."""
    if item["kind"] in COUNTED:
        return True
    reason = work.excluded_income(item["kind"])
    if reason is None:
        work.flag("locally_decided_income")
        return True
    work.used(reason)
    work.say(
        "not_counted",
        f"成员 {ref} 的{reason.text} {item['amount']} 元不计入收入",
        f"member {ref}: {item['kind']} {item['amount']} not counted",
        "0.00",
        reason.source,
    )
    return False


def _per_month(items: Sequence[Mapping[str, Any]], ref: str, work: _Work) -> Fraction:
    """Urban: average of the three full months before the application; rural: last year / 12. Undated: per month."""
    length = int(work.rule(f"income_window_months_{work.kind}").text)
    if not items:
        return _ZERO
    window = _window(work.applied, work.kind, length)
    parts = dict[int, int]()  # over how many months -> fen
    for item in items:
        if item.get("period") == "year":
            inside, share = item.get("year") in (None, work.applied.year - 1), 12
        elif item.get("month") is None:
            inside, share = True, 1
        else:
            inside, share = item["month"] in window, len(window)
        if inside:
            parts[share] = parts.get(share, 0) + _fen(item["amount"])
        else:
            _outside(item, ref, work)
    _look_for_gaps(items, window, work)
    return _sum(Fraction(fen, 100 * share) for share, fen in parts.items())


def _outside(item: Mapping[str, Any], ref: str, work: _Work) -> None:
    work.flag("outside_window")
    when = item.get("month") or item.get("year")
    work.say(
        "outside_window",
        f"成员 {ref} {when} 的收入 {item['amount']} 元不在核算期内",
        f"member {ref}: income of {when} lies outside the window",
        "0.00",
        "TECON",
    )


def _look_for_gaps(items: Sequence[Mapping[str, Any]], window: Sequence[str], work: _Work) -> None:
    """A kind given for some months of the window only: the others count as none, and a person should look."""
    for kind in {i["kind"] for i in items}:
        months = {i["month"] for i in items if i["kind"] == kind and i.get("month") in window}
        if 0 < len(months) < len(window):
            work.flag("window_incomplete")


@lru_cache(maxsize=1024)
def _window(applied: date, kind: str, length: int) -> tuple[str, ...]:
    """The months ("2018-11") over which income is averaged."""
    if kind == "rural":
        return tuple(f"{applied.year - 1}-{month:02d}" for month in range(1, length + 1))
    before = applied.year * 12 + applied.month - 1
    return tuple(f"{m // 12}-{m % 12 + 1:02d}" for m in range(before - 1, before - 1 - length, -1))


def _imputed(member: Mapping[str, Any], earned: Fraction, work: _Work, standard: Decimal) -> Fraction:
    """Earnings of who is in work, or the figure that stands for them (domain 3.4.3)."""
    employment = member.get("employment")
    works = employment in ("employed", "flexible")
    if not works and (work.quiet or work.in_force("minimum_wage") is None):
        return earned
    if work.in_force("minimum_wage") is None:
        raise BadFacts({"benefit_month": ["没有这个月份的最低工资标准，不能核定在职、灵活就业人员的收入"]})
    wage = work.rule("minimum_wage").amount
    if not works or earned > wage or (employment == "employed" and earned == wage):
        return earned
    if (figure := _figure(member, work, standard, wage)) is None:
        return earned
    if figure < earned:
        work.flag("imputed_below_declared")
    shown, ref = f"{figure:.2f}", member["ref"]
    work.say(
        "imputed",
        f"成员 {ref} 申报 {_show(earned)} 元，未超过最低工资 {wage} 元，按 {shown} 元核定",
        f"member {ref} declared {_show(earned)}, not above the minimum wage {wage}: {shown} counted",
        shown,
        "TECON",
    )
    return Fraction(figure)


def _figure(member: Mapping[str, Any], work: _Work, standard: Decimal, wage: Decimal) -> Decimal | None:
    """What stands for earnings that do not exceed the minimum wage, yuan a month; None: the actual earnings do."""
    ability = member.get("labour_ability") or "full"
    if member["employment"] == "flexible":
        if ability in ("completely_lost", "mostly_lost", "none"):
            return None
        if work.kind == "rural":
            work.flag("rural_flexible_income")  # the district decides
        if ability == "partly_lost":
            return standard * work.rule("imputed_partly_lost_share").amount
        if _older(member, work):
            return standard
    return wage * work.rule("imputed_wage_share").amount


def _older(member: Mapping[str, Any], work: _Work) -> bool:
    if not member.get("birth_date") or not member.get("sex"):
        work.flag("age_or_sex_unknown")
        return False
    name = "flexible_age_men" if member["sex"] == "male" else "flexible_age_women"
    return _age(member["birth_date"], work.applied) >= int(work.rule(name).text)


def _age(born: str, on: date) -> int:
    day = date.fromisoformat(born)
    return on.year - day.year - ((on.month, on.day) < (day.month, day.day))


def _deduction(member: Mapping[str, Any], work: _Work) -> Fraction:
    """分类救助, yuan a month (domain 3.5): the disability's amount, and the highest of the illnesses'."""
    disability = _disability_deduction(member, work)
    illnesses = _illness_deductions(member, work)
    if disability is None and not illnesses:
        return _ZERO
    chosen = [v for v in (disability, max(illnesses, key=lambda v: v.amount, default=None)) if v is not None]
    if len(chosen) > 1:
        work.flag("disability_and_illness")
    for v in chosen:
        work.used(v)
        what = v.name.split("_", 2)[2]
        work.say(
            "deduction",
            f"成员 {member['ref']} 分类救助扣减 {v.amount:.2f} 元",
            f"member {member['ref']}: {v.amount:.2f} deducted ({what})",
            f"{v.amount:.2f}",
            v.source,
        )
    return _sum(v.fraction for v in chosen)


def _disability_deduction(member: Mapping[str, Any], work: _Work) -> law.Value | None:
    kind, grade = member.get("disability_kind"), member.get("disability_grade")
    if kind is None:
        return None
    if kind == "multiple" and work.in_force("deduction_disability_vision_1"):
        work.flag("multiple_disability")  # the kinds that make it up decide
    return work.in_force(f"deduction_disability_{kind}_{grade}")


def _illness_deductions(member: Mapping[str, Any], work: _Work) -> list[law.Value]:
    """Several illnesses may stand in the text, parted by 、，,; or blanks. Unlisted ones are flagged."""
    if not member.get("serious_illness"):
        return []
    said = re.split(r"[、，,；;\s]+", member["serious_illness"])
    if not work.quiet and any(s and f"deduction_illness_{s}" not in law.names("deduction_illness_") for s in said):
        work.flag("illness_unlisted")
    return [v for s in said if s and (v := work.in_force(f"deduction_illness_{s}")) is not None]


def _show(amount: Fraction | Decimal) -> str:
    return yuan(to_fen(amount))


# -- property and hardship


def _property(
    items: Sequence[Mapping[str, Any]], members: Sequence[Mapping[str, Any]], work: _Work, standard: Decimal
) -> _Property:
    """Domain 3.6. At the limit is within it; a kind that refuses does so for the low-income band as well."""
    months, people = work.rule("asset_limit_months"), len(members)
    limit = months.amount * standard * people
    assets = Decimal(sum(_fen(i["amount"]) for i in items if i["kind"] == "monetary_assets")) / 100
    if not work.quiet:
        work.say(
            "assets",
            f"货币财产 {assets:.2f} 元，限额 {months.text} × {_plain(standard)} × {people} 人 = {limit:.2f} 元",
            f"monetary assets {assets:.2f}, limit {months.text} x {_plain(standard)} x {people} = {limit:.2f}",
            f"{assets:.2f}",
            _property_source(months.source, work),
        )
    counted = {m["ref"] for m in members}
    if any(i.get("owner") is not None and i["owner"] not in counted for i in items):
        work.flag("owner_not_counted")
    kinds = _refusing_kinds(items, work) if items or not work.quiet else []
    refused = f"refused_{kinds[0]}" if kinds else None
    band = work.rule("low_income_asset_limit_months").amount * standard * people
    if assets > limit:
        refused = refused or "refused_property"
        work.say(
            "assets_over",
            f"货币财产 {assets:.2f} 元，超过低保限额 {limit:.2f} 元",
            f"monetary assets {assets:.2f} exceed the dibao limit {limit:.2f}",
            f"{assets:.2f}",
            _property_source(months.source, work),
        )
    return _Property(limit, assets, refused, not kinds and assets <= band, kinds[0] if kinds else None)


def _property_source(source: str, work: _Work) -> str:
    """The rule's source, with the notice of 2020 that repeats the property list only once it was there."""
    return f"{source}; T20" if work.on >= date(2020, 9, 1) else source


def _refusing_kinds(items: Sequence[Mapping[str, Any]], work: _Work) -> list[str]:
    """Kinds of property on which a household is not assessed further, most telling first; each is said."""
    found = []
    for kind in ("vehicle", "dwelling", "non_residential", "study_abroad", "luxury"):
        count = sum(i["kind"] == kind and not (kind == "vehicle" and i.get("functional_vehicle")) for i in items)
        rule = work.rule(f"property_refuses_{kind}")
        if count >= int(rule.text):
            found.append(kind)
            work.say(
                "property_refused",
                f"家庭有{PROPERTY[kind]} {count} 项，不再核定",
                f"owns {count} x {kind}: not assessed further",
                str(count),
                _property_source(rule.source, work),
            )
    return found


def _hardships(facts: Mapping[str, Any], members: Sequence[Mapping[str, Any]], work: _Work) -> list[str]:
    """The six special hardships of TLOW (domain 3.8): declared ones, and those that the members show; where each had to be proved
    (`hardships_proved`: an application for low-income relief itself), only what was."""
    found = set(facts.get("hardships") or ())
    if facts.get("hardships_proved"):
        return sorted(found)
    if any(m.get("disability_grade") or m.get("disability_kind") for m in members):
        found.add("disabled_member")
    if any(m.get("serious_illness") or m.get("serious_outpatient_illness") for m in members):
        found.add("major_illness")
    if facts.get("childless") and all(
        m.get("birth_date") and _age(m["birth_date"], work.applied) >= 60 for m in members
    ):
        found.add("elderly_childless")
    if "single_parent_student" not in found and _single_parent(facts["members"], members):
        found.add("single_parent_student")
        work.flag("single_parent_derived")
    return sorted(found)


def _single_parent(everyone: Sequence[Mapping[str, Any]], members: Sequence[Mapping[str, Any]]) -> bool:
    """A head without spouse (not even an uncounted one) and a child in school."""
    relations = {m.get("relation") for m in everyone}
    pupils = [m for m in members if m.get("relation") in ("child", "adult_child_in_school") and _studies(m)]
    return bool(pupils) and "head" in relations and "spouse" not in relations


# -- the explanation


def _explain(
    work: _Work,
    core: Mapping[str, Any],
    before: tuple[Fraction, Fraction],
    standard: law.Value,
    upper: law.Value,
    cash: law.Value,
    hardships: Sequence[str],
) -> None:
    n, income, pc = core["members"], _plain(core["income"]), core["per_capita"]
    if before[1]:
        work.say(
            "deductions",
            f"家庭月收入 {_show(before[0])} 元，扣减 {_show(before[1])} 元，按 {_show(core['income'])} 元计算",
            f"household income {_show(before[0])} less {_show(before[1])} = {_show(core['income'])}",
            _show(core["income"]),
            "TCLS",
        )
    work.say(
        "per_capita",
        f"家庭月收入 {income} 元 ÷ {n} 人 = 人均月收入 {pc} 元",
        f"household income {income} / {n} = {pc} per head",
        pc,
        "N220 art 27",
    )
    if core["category"] == "dibao":
        _explain_dibao(work, core, standard)
        return
    std = f"{standard.amount:.2f}"
    if core["income"] / n >= standard.amount:
        work.say(
            "not_dibao",
            f"人均月收入 {pc} 元，不低于低保标准 {std} 元",
            f"{pc} per head is not below the dibao standard {std}",
            pc,
            f"N220 art 4; {standard.source}",
        )
    if core["category"] == "low_income":
        _explain_low_income(work, core, standard, upper, cash, hardships)
    elif core["category"] == "refused_income":
        top = f"{upper.amount:.2f}"
        than = ("高于", "above") if work.rule("low_income_upper_operator").text == "<=" else ("不低于", "not below")
        work.say(
            "refused",
            f"人均月收入 {pc} 元，{than[0]}低收入救助上限 {top} 元",
            f"{pc} per head is {than[1]} the low-income limit {top}",
            pc,
            f"TLOW; {upper.source}",
        )
    else:
        work.say(
            "refused",
            "家庭财产状况不符合规定，不予救助",
            "the property does not fit the rules: refused",
            "",
            _property_source("N220 art 4", work),
        )


def _explain_dibao(work: _Work, core: Mapping[str, Any], standard: law.Value) -> None:
    n, income, amount, std = core["members"], _plain(core["income"]), yuan(core["amount_fen"]), _plain(standard.amount)
    pc, full = core["per_capita"], f"{standard.amount:.2f}"
    rounded = pc == full
    work.say(
        "below_standard",
        f"人均月收入 {pc} 元{'（四舍五入）' if rounded else ''}，低于低保标准 {full} 元",
        f"{pc} per head{' (rounded)' if rounded else ''} is below the dibao standard {full}",
        pc,
        "N220 art 4",
    )
    work.say(
        "amount",
        f"({std} × {n} − {income}) = {amount} 元，依据低保标准 {std} 元/人/月（{standard.since} 起执行）",
        f"({std} x {n} - {income}) = {amount}, standard {std} per person and month since {standard.since}",
        amount,
        f"N220 art 27; {standard.source}",
    )


def _explain_low_income(
    work: _Work,
    core: Mapping[str, Any],
    standard: law.Value,
    upper: law.Value,
    cash: law.Value,
    hardships: Sequence[str],
) -> None:
    named, paid = "、".join(HARDSHIPS[h] for h in hardships) or "无", yuan(core["amount_fen"])
    until = f"{upper.amount:.2f}"
    work.say(
        "low_income",
        f"人均月收入在低收入救助上限 {until} 元以内，低保标准为 {standard.amount:.2f} 元",
        f"within the low-income band up to {until}",
        core["per_capita"],
        f"TLOW; {upper.source}",
    )
    work.say(
        "amount",
        f"特殊困难：{named}；救助金按户发放，每户每月 {paid} 元",
        f"hardships: {', '.join(hardships) or 'none'}; {paid} per household and month",
        paid,
        f"TLOW; {cash.source}",
    )


def _plain(amount: Fraction | Decimal) -> str:
    """Yuan without idle zeros: "920", "1530.50"."""
    return _show(amount).removesuffix(".00")


# -- other amounts


def destitute_amount(month: str, hukou_kind: str, support: str = "institutional") -> law.Value:
    """特困: the full standard per person and month, yuan, never a difference. support: "institutional" | "dispersed"."""
    on = month_of(month)
    return law.value("destitute_urban" if hukou_kind == "urban" else f"destitute_rural_{support}", on)
