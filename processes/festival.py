"""两节补贴 (M15, domain 1.15): what a household or person gets for the Spring Festival and for heating, pure, exact and explained line by line.

Amounts are dated values of law/parameters.yaml (year_end_*, festival_fee*, heating_*); those of heating and the cases of which no paper speaks
are marked unverified there: configuration (decision 072).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from fractions import Fraction
from typing import Any

from engine.errors import Invalid
from processes import law
from processes.calendar import SpringFestival, next_spring_festival, spring_festival
from processes.money import to_fen, yuan

KINDS: Mapping[str, tuple[str, str]] = {"year_end": ("年终一次性补贴", "Year-end subsidy"), "festival_fee": ("春节过节费", "Festival allowance"), "heating": ("取暖补贴", "Heating subsidy")}
GROUPS: Mapping[str, tuple[str, str]] = {
    "dibao": ("低保", "Dibao"), "low_income": ("低收入救助", "Low-income relief"), "destitute_dispersed": ("分散供养特困", "Destitute, at home"),
    "destitute_institutional": ("集中供养特困", "Destitute, in an institution"), "preferential": ("优抚对象（无工作单位）", "Entitled to preferential treatment, without employer"),
}  # fmt: skip
HUKOU: Mapping[str, tuple[str, str]] = {"urban": ("城镇", "urban"), "rural": ("农村", "rural")}
MOST_PERSONS = 100
Line = dict[str, Any]


def festival_of(year: int | None, on: date | None, today: date, published: int | None = None) -> tuple[SpringFestival, date]:
    """(the Spring Festival, the day whose amounts count). Without a day: the last working day before the holiday; without both, the next one.
    Raises Invalid where the holidays of that year are not known."""
    found = spring_festival(year, published) if year is not None else next_spring_festival(on or today, published)
    return found, on or found.last_workday


def assess(facts: Mapping[str, Any], today: date, published: int | None = None) -> dict[str, Any]:
    """The estimate. Facts: group, hukou_kind, members (1 when left out), year and on (either may be left out), kinds (year_end and festival_fee, with heating
    where the heating of the dwelling is said), three_nos, central, area (text, m2), fee_fen. Raises Invalid, BadLaw.

    Result: group, hukou_kind, members, year, on, spring_festival, holiday_from, deadline (ISO days; the last one for the money to be credited), lines
    [{kind, unit ("person" | "household"), rate, count, amount, amount_fen, source, unverified, zh, en}], total, total_fen, unverified (names of values), law_version, law_digest."""
    group, heated = str(facts["group"]), facts.get("central") is not None or facts.get("fee_fen") is not None
    festival, on = festival_of(facts.get("year"), facts.get("on"), today, published)
    kinds = list(facts.get("kinds") or (["year_end", "festival_fee"] + (["heating"] if heated else [])))
    count = 1 if facts.get("members") is None else int(facts["members"])
    lines = lines_for(kinds, group, str(facts["hukou_kind"]), count, on, three_nos=bool(facts.get("three_nos")), central=facts.get("central"), area=facts.get("area"), fee_fen=facts.get("fee_fen"))
    total = sum(line["amount_fen"] for line in lines)
    return {
        "group": group, "hukou_kind": facts["hukou_kind"], "members": count, "year": festival.year, "on": on.isoformat(), "spring_festival": festival.new_year.isoformat(),
        "holiday_from": festival.holiday_from.isoformat(), "deadline": festival.last_workday.isoformat(), "lines": lines, "total": yuan(total), "total_fen": total,
        "unverified": list(dict.fromkeys(name for line in lines for name in line["unverified"])), "law_version": law.version(on), "law_digest": law.digest(),
    }  # fmt: skip


def lines_for(kinds: Iterable[str], group: str, hukou_kind: str, persons: int, on: date, *, three_nos: bool = False, central: bool | None = None, area: str | None = None,
              fee_fen: int | None = None) -> list[Line]:  # fmt: skip
    """One line for each kind of money, in the order of KINDS. Raises Invalid where facts are lacking or do not fit; BadLaw before the first amounts."""
    if group not in GROUPS or hukou_kind not in HUKOU:
        raise Invalid({"group": ["请从所列各项中选择"]})
    if not 1 <= persons <= MOST_PERSONS:
        raise Invalid({"members": [f"人数应在 1 至 {MOST_PERSONS} 之间"]})
    wanted = set(kinds)
    found = [_per_person(kind, group, hukou_kind, persons, on) for kind in ("year_end", "festival_fee") if kind in wanted]
    if "heating" in wanted:
        found.append(heating(group, on, three_nos=three_nos, central=central, area=area, fee_fen=fee_fen))
    return found


def _per_person(kind: str, group: str, hukou_kind: str, persons: int, on: date) -> Line:
    name = f"{kind}_preferential" if group == "preferential" else f"year_end_{hukou_kind}" if kind == "year_end" else kind
    value = law.value(name, on)
    amount = persons * to_fen(value.amount)
    of = KINDS[kind] if kind == "festival_fee" or group == "preferential" else tuple(f"{one}{place}" for one, place in zip(KINDS[kind], (f"（{HUKOU[hukou_kind][0]}）", f" ({HUKOU[hukou_kind][1]})"), strict=True))
    return _line(kind, "person", value, persons, amount, f"{of[0]}：{value.text} 元/人 × {persons} 人 = {yuan(amount)} 元", f"{of[1]}: {value.text} a person x {persons} = {yuan(amount)}")


def heating(group: str, on: date, *, three_nos: bool = False, central: bool | None = None, area: str | None = None, fee_fen: int | None = None) -> Line:
    """取暖补贴 of one household for the season (THEAT): a share of the capped fee for dibao with central heating; the fixed amount for dibao without and
    for low income; the whole fee for 三无 dibao and the dispersed destitute. central, fee_fen: what the heating company asks."""
    if group in ("destitute_institutional", "preferential"):
        why = ("集中供养，由供养机构供暖，不发取暖补贴", "The institution heats: no heating subsidy") if group != "preferential" else ("优抚对象名单不含取暖补贴", "The list of the other department has no heating subsidy")
        return {"kind": "heating", "unit": "household", "rate": "0", "count": 1, "amount": "0.00", "amount_fen": 0, "source": "THEAT", "unverified": [], "zh": why[0], "en": why[1]}
    if group == "low_income":
        return _fixed(law.value("heating_fixed", on), "低收入家庭定额", "low-income household, fixed")
    if central is None:
        raise Invalid({"central": ["计算取暖补贴应说明住房是否集中供热"]})
    whole = three_nos or group == "destitute_dispersed"
    if not central:
        if whole:
            return _fixed(law.value("heating_full_fee_without_central", on), "未集中供热定额", "without central heating, fixed")
        return _fixed(law.value("heating_fixed", on), "低保家庭未集中供热定额", "dibao without central heating, fixed")
    if fee_fen is None:
        raise Invalid({"fee": ["集中供热的应填写应缴供热费"]})
    if whole:
        value = law.value("heating_full_fee_share", on)
        amount = to_fen(Fraction(fee_fen, 100) * value.fraction)
        who = ("“三无”低保", "dibao without ability, income and supporter") if group == "dibao" else GROUPS[group]
        return _line("heating", "household", value, 1, amount, f"取暖补贴（{who[0]}）：应缴供热费 {yuan(fee_fen)} 元，全额 = {yuan(amount)} 元", f"Heating subsidy ({who[1]}): the whole fee of {yuan(fee_fen)} = {yuan(amount)}")
    share, cap = law.value("heating_share", on), law.value("heating_fee_cap", on)
    counted = min(fee_fen, to_fen(cap.amount))
    amount = to_fen(Fraction(counted, 100) * share.fraction)
    over = f"（应缴 {yuan(fee_fen)} 元，超出部分由家庭负担）" if counted < fee_fen else ""
    over_en = f" (of {yuan(fee_fen)}; the rest is the household's)" if counted < fee_fen else ""
    size = f"，建筑面积 {area} 平方米" if area else ""
    per_cent = f"{float(share.fraction * 100):g}"
    line = _line("heating", "household", share, 1, amount, f"取暖补贴（低保集中供热{size}）：计补供热费 {yuan(counted)} 元{over} × {per_cent}% = {yuan(amount)} 元",
                 f"Heating subsidy (dibao, central heating): fee that counts {yuan(counted)}{over_en} x {per_cent} % = {yuan(amount)}")  # fmt: skip
    line["unverified"] += [cap.name] if cap.unverified else []
    return line


def _fixed(value: law.Value, zh: str, en: str) -> Line:
    amount = to_fen(value.amount)
    return _line("heating", "household", value, 1, amount, f"取暖补贴（{zh}）：{yuan(amount)} 元/户", f"Heating subsidy ({en}): {yuan(amount)}")


def _line(kind: str, unit: str, value: law.Value, count: int, amount: int, zh: str, en: str) -> Line:
    return {"kind": kind, "unit": unit, "rate": value.text, "count": count, "amount": yuan(amount), "amount_fen": amount, "source": value.source,
            "unverified": [value.name] if value.unverified else [], "zh": zh, "en": en}  # fmt: skip
