"""Who is destitute (特困): the three conditions of the law of a day, from facts about one person and those who must support him by law.

Pure: facts in, category, amount and one explained line per condition out (domain 2.8.2, 3.7). 民发〔2016〕178号 ("N178") until 2021-06-30,
民发〔2021〕43号 ("N43") since; which of them counts goes by the day of acceptance. Numbers are the law's (law/destitute.yaml).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from fractions import Fraction
from typing import Any

from processes import eligibility, law
from processes.eligibility_facts import month_of
from processes.money import parse, to_fen, yuan

INDICATORS = ("eats", "dresses", "bed", "toilet", "walks", "bathes")
# Welfare that is no income here, whatever dibao counts (domain 2.8.2): kind -> its words.
WELFARE: Mapping[str, tuple[str, str]] = {"basic_medical": ("基本医疗保险等社会保险", "basic medical and other social insurance"), "old_age_allowance": ("高龄津贴等福利补贴", "old-age and similar welfare allowances")}

MAJORITY = 18  # only a minor is an orphan (domain 2.8.2, 3.7)

Line = dict[str, Any]


def paper(on: date) -> str:
    """The measures that are in force on a day; before there were any, the first."""
    later = law.procedure_times("destitute-2021")
    return "N43" if later is not None and on >= later[0] else "N178"


def age(born: str, on: date) -> int:
    """Whole years on a day; somebody has them on the birthday."""
    day = date.fromisoformat(born)
    return on.year - day.year - ((on.month, on.day) < (day.month, day.day))


def _years(name: str, on: date) -> int | None:
    found = law.in_force(name, on)
    return None if found is None else int(found.amount)


def without_ability(person: Mapping[str, Any], on: date) -> tuple[str, str, str] | None:
    """(code, zh, en) of why somebody has no labour ability on a day, or None: old, a minor, or disabled up to the grade of the law."""
    if born := person.get("birth_date"):
        years = age(born, on)
        if (old := _years("destitute_age_years", on)) is not None and years >= old:
            return "elderly", f"已满{old}周岁（{years}周岁）", f"{years} years old, {old} or more"
        if (young := _years("destitute_minor_years", on)) is not None and years < young:
            return "minor", f"未满{young}周岁（{years}周岁）", f"{years} years old, under {young}"
    kind, grade = person.get("disability_kind"), person.get("disability_grade")
    limit = _years(f"destitute_grade_{kind}", on) if kind else None
    if limit is not None and grade and grade <= limit:
        return "disabled", f"{_KINDS[str(kind)]}残疾{_GRADES[grade]}（{_GRADES[limit]}以上）", f"{kind} disability of grade {grade} (up to {limit})"
    return None


_KINDS = {"vision": "视力", "limb": "肢体", "intellectual": "智力", "mental": "精神"}
_GRADES = {1: "一级", 2: "二级", 3: "三级", 4: "四级"}


def goes_on(person: Mapping[str, Any], on: date) -> bool:
    """Whether a minor who is supported already stays so on a day: under 18, or in compulsory, high or vocational school (since N43)."""
    until = _years("destitute_continues_years", on)
    if until is None or not person.get("birth_date"):
        return False
    return age(person["birth_date"], on) < until or bool(person.get("in_school"))


def _heavy(obligor: Mapping[str, Any], on: date) -> bool:
    """重度残疾; since N43 智力、精神三级 as well."""
    grade = obligor.get("disability_grade")
    if not grade or not obligor.get("disability_kind"):
        return False
    limits = [_years("destitute_severe_grade", on), _years(f"destitute_obligor_grade_{obligor['disability_kind']}", on)]
    return any(limit is not None and grade <= limit for limit in limits)


def _below_average(obligor: Mapping[str, Any], on: date, hukou_kind: str) -> bool:
    """Income below the local average of the last year: by the figure where the bureau has given one, else as the investigators found it."""
    average = law.in_force(f"destitute_average_income_{hukou_kind}", on)
    if average is not None and obligor.get("income") is not None:
        return Fraction(parse(obligor["income"]), 100) < average.fraction
    return bool(obligor.get("income_below_average"))


def unable(obligor: Mapping[str, Any], on: date, hukou_kind: str = "urban") -> tuple[str, str, str] | None:
    """(code, zh, en) of why somebody who must support by law is unable to on a day, or None: he is able (domain 2.8.2)."""
    if obligor.get("receives") == "destitute":
        return "destitute", "是特困人员", "is destitute himself"
    years, fits, state = obligor.get("age"), bool(obligor.get("property_fits")), obligor.get("state")
    if obligor.get("birth_date"):
        years = age(obligor["birth_date"], on)
    found = (_poor_2016 if paper(on) == "N178" else _poor_2021)(obligor, years or 0, on, hukou_kind)
    if found is None and fits and state in _GONE:
        zh, en = _GONE[str(state)]
        return str(state), f"{zh}，且财产符合规定", f"{en}, property within the limits"
    return found


_GONE: Mapping[str, tuple[str, str]] = {"incapable": ("无民事行为能力", "legally incapable"), "missing": ("被宣告失踪", "declared missing"), "prison": ("在监狱服刑", "in prison")}


def _poor_2016(obligor: Mapping[str, Any], years: int, on: date, _hukou_kind: str) -> tuple[str, str, str] | None:
    """On dibao, old or severely disabled, and with the property of a destitute person."""
    old = _years("destitute_obligor_age_years", on)
    aged = old is not None and years >= old
    if obligor.get("receives") == "dibao" and obligor.get("property_fits") and (aged or _heavy(obligor, on)):
        why = f"{old}周岁以上" if aged else "重度残疾"
        return "dibao", f"{why}的最低生活保障对象，且财产符合特困人员规定", "60 or more, or severely disabled, on dibao, property within the limits"
    return None


def _poor_2021(obligor: Mapping[str, Any], years: int, on: date, hukou_kind: str) -> tuple[str, str, str] | None:
    """Old and on dibao; or very old, or disabled, with an income below the local average and the property of a low-income family."""
    old, very_old = _years("destitute_obligor_age_years", on), _years("destitute_obligor_old_years", on)
    if obligor.get("receives") == "dibao" and old is not None and years >= old:
        return "dibao", f"{old}周岁以上的最低生活保障对象", f"{old} or more, on dibao"
    if not obligor.get("property_fits") or not _below_average(obligor, on, hukou_kind):
        return None
    if very_old is not None and years >= very_old:
        return "old", f"{very_old}周岁以上，收入低于当地上年人均可支配收入，且财产符合低收入家庭规定", f"{very_old} or more, income below the local average, property within the limits"
    if _heavy(obligor, on):
        return "disabled", "重度残疾人或三级智力、精神残疾人，收入低于当地上年人均可支配收入，且财产符合低收入家庭规定", "severely disabled, income below the local average, property within the limits"
    return None


def counts(item: Mapping[str, Any], on: date) -> bool:
    """Whether an income counts on a day."""
    return item["kind"] not in WELFARE and law.excluded_income(item["kind"], on) is None


def income(person: Mapping[str, Any], *, applied_on: date, on: date, hukou_kind: str) -> Fraction:
    """What somebody lives on, yuan a month, exact: 基础养老金, medical insurance, allowances and, since N43, 优待抚恤金 are not counted."""
    work = eligibility._Work(on, applied_on, hukou_kind)
    return eligibility._per_month([one for one in person.get("income") or () if counts(one, on)], str(person.get("ref", "")), work)


def self_care(indicators: Mapping[str, bool]) -> str:
    """The class by the six indicators: all met, up to three lost, more lost (N43 arts 21-22). KeyError when one is missing."""
    lost = sum(not indicators[name] for name in INDICATORS)
    return "full" if not lost else "partly_lost" if lost <= 3 else "completely_lost"


def care_grade(self_care_class: str | None, on: date) -> law.Value | None:
    """The monthly care amount of a class; None: no paper was found, the bureau has given none (domain 3.1)."""
    return law.in_force(f"care_grade_{self_care_class}", on)


def _line(code: str, met: bool | None, zh: str, en: str, source: str, figure: str = "") -> Line:  # noqa: FBT001
    article, article_en = law.ABOUT.cited(source)
    return {"code": code, "met": met, "zh": zh, "en": en, "source": source, "article": article, "article_en": article_en, "figure": figure}


def assess(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Whether somebody is destitute. Facts: benefit_month, applied_on, rules_on (the day whose rules count: of acceptance), hukou_kind,
    support_form ("institutional" | "dispersed"), person {ref, birth_date, disability_kind, disability_grade, in_school, income [{kind, amount, period, month, year}]},
    property_fits, property_refused (category of the household's property that rules it out, None), orphan, chooses_destitute (None: not asked),
    continuing (he is supported already), obligors [{relation, birth_date or age, receives, disability_kind, disability_grade, state, income
    (yuan a month), income_below_average, property_fits}].

    Result: category ("destitute_institutional" | "destitute_dispersed" | "refused_orphan" | "refused_ability" | "refused_income" |
    "refused_property" | "refused_obligor"), amount_fen (the full standard, never a difference; 0 when refused), income_fen, able_obligors
    (their positions), lines [{code, met, zh, en, figure, source, article, article_en}], law_version, paper."""
    on, month, hukou = date.fromisoformat(facts["rules_on"]), month_of(facts["benefit_month"]), facts["hukou_kind"]
    person, source = facts["person"], paper(on)
    lines = [_orphan(facts, on, source), _ability(facts, on, source)]
    standard = law.standard(month, hukou)
    got = income(person, applied_on=date.fromisoformat(facts["applied_on"]), on=on, hukou_kind=hukou)
    poor = got < standard.fraction
    lines.append(_line("income", poor, f"月收入{yuan(to_fen(got))}元，{'低于' if poor else '不低于'}低保标准{standard.amount:.2f}元（基础养老金、基本医疗保险、高龄津贴等不计入）",
                       f"Income of {yuan(to_fen(got))} a month, {'below' if poor else 'not below'} the standard of {standard.amount:.2f} (basic pension, medical insurance, allowances aside)", source, yuan(to_fen(got))))  # fmt: skip
    fits = bool(facts.get("property_fits")) and not facts.get("property_refused")
    lines.append(_line("property", fits, "财产符合特困人员财产状况规定" if fits else "财产不符合特困人员财产状况规定", "Property within the limits" if fits else "Property over the limits", source))
    able = _obligors(facts.get("obligors") or (), on, hukou, source, lines)
    refused = next((_REFUSED[one["code"]] for one in lines if one["met"] is False and one["code"] in _REFUSED), None)
    amount = eligibility.destitute_amount(facts["benefit_month"], hukou, facts["support_form"])
    return {
        "category": refused or f"destitute_{facts['support_form']}", "amount_fen": 0 if refused else to_fen(amount.amount), "income_fen": to_fen(got),
        "able_obligors": able, "lines": lines, "law_version": law.version(month), "paper": source, "unverified": amount.unverified or standard.unverified,
    }  # fmt: skip


_REFUSED = {"orphan": "refused_orphan", "ability": "refused_ability", "income": "refused_income", "property": "refused_property", "obligors": "refused_obligor"}


def _orphan(facts: Mapping[str, Any], on: date, source: str) -> Line:
    """An orphan's support comes first; since N43 the child, or who stands for it, may choose."""
    if not facts.get("orphan") or not (born := facts["person"].get("birth_date")) or age(born, on) >= MAJORITY:
        return _line("orphan", None, "不属于孤儿保障对象", "Not entitled to the support of orphans", source)
    choice = law.in_force("destitute_orphan_may_choose", on)
    if choice is None or not choice.amount:
        return _line("orphan", False, "同时符合孤儿认定条件的未成年人，应当纳入孤儿基本生活保障", "A minor who is an orphan goes to the support of orphans", source)
    chosen = bool(facts.get("chooses_destitute"))
    return _line("orphan", chosen, "同时符合孤儿认定条件，本人（监护人）选择特困人员救助供养" if chosen else "同时符合孤儿认定条件，本人（监护人）没有选择特困人员救助供养",
                 "An orphan too, and chooses the support of the destitute" if chosen else "An orphan too, and does not choose the support of the destitute", source)  # fmt: skip


def _ability(facts: Mapping[str, Any], on: date, source: str) -> Line:
    found = without_ability(facts["person"], on)
    if found is None and facts.get("continuing") and goes_on(facts["person"], on):
        return _line("ability", True, "已纳入供养的未成年人，未满18周岁或仍在校就读，继续供养", "Supported as a minor: goes on until 18, or while in school", source)
    if found is None:
        return _line("ability", False, "不属于无劳动能力的老年人、残疾人或未成年人", "Neither elderly, nor a minor, nor disabled to the grade of the law", source)
    return _line("ability", True, f"无劳动能力：{found[1]}", f"No labour ability: {found[2]}", source)


def _obligors(obligors: Sequence[Mapping[str, Any]], on: date, hukou: str, source: str, lines: list[Line]) -> list[int]:
    """Adds a line for each and one for all; the positions of those who are able."""
    able = []
    for n, one in enumerate(obligors):
        found = unable(one, on, hukou)
        words, words_en = RELATION_WORDS.get(str(one.get("relation")), ("义务人", "Obligor"))
        if found is None:
            able.append(n)
            lines.append(_line("obligor", False, f"义务人{n + 1}（{words}）有履行义务能力", f"Obligor {n + 1} ({words_en}) is able", source))
        else:
            lines.append(_line("obligor", True, f"义务人{n + 1}（{words}）无履行义务能力：{found[1]}", f"Obligor {n + 1} ({words_en}) is unable: {found[2]}", source))
    if not obligors:
        lines.append(_line("obligors", True, "没有法定赡养、抚养、扶养义务人", "Nobody must support by law", source))
    elif able:
        lines.append(_line("obligors", False, f"法定义务人{len(obligors)}人，其中{len(able)}人有履行义务能力", f"{len(able)} of {len(obligors)} who must support are able to", source))
    else:
        lines.append(_line("obligors", True, f"法定义务人{len(obligors)}人，均无履行义务能力", f"None of {len(obligors)} who must support is able to", source))
    return able


RELATION_WORDS: Mapping[str, tuple[str, str]] = {
    "spouse": ("配偶", "spouse"), "parent": ("父母", "parent"), "child": ("子女", "child"), "grandparent": ("祖父母、外祖父母", "grandparent"),
    "grandchild": ("孙子女、外孙子女", "grandchild"), "sibling": ("兄姐", "elder sibling"), "other": ("其他义务人", "other obligor"),
}  # fmt: skip
