"""The assessment that anybody may ask for: which programmes fit a household, why, how much about, what to bring, where to go.

Pure and without a trace: facts in, words out; nothing is stored, and it is no decision. 低保 and 低收入 are computed as in a case
(`eligibility.assess`); of the others only what the law's text settles is said, else 请咨询 (domain 2.4, 2.5, 2.8.2, 3.7, 3.10).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from fractions import Fraction
from typing import Any

from processes import destitution, eligibility, expenditure, law, organisation, temporary
from processes.dibao_2012_forms import MATERIALS
from processes.eligibility_facts import BadFacts, check, month_of
from processes.money import BadMoney, parse, to_fen, yuan

PROGRAMMES: Mapping[str, tuple[str, str]] = {
    "dibao": ("最低生活保障（低保）", "Minimum living guarantee (dibao)"),
    "low_income": ("低收入家庭救助", "Low-income relief"),
    "destitute": ("特困人员救助供养", "Support of the destitute"),
    "temporary_assistance": ("临时救助", "Temporary assistance"),
    "illness_expenditure": ("因病支出型家庭救助", "Relief for illness expenditure"),
}
NOTICE = ("本测算只供参考，不是决定，也不作为申请凭据；是否符合条件、救助多少，以受理后的核对、调查和审核结果为准。您填写的内容不保存。",
          "This is an estimate, no decision, and no proof of anything: whether and how much is decided after an application, its checks and its investigation. Nothing you enter is kept.")  # fmt: skip
FITS, NOT, ASK = "fits", "does_not_fit", "ask"
CHILDREN = ("child", "adult_child_in_school", "adult_child_dependent")
EARLIEST_YEAR, FAR_YEARS = 2000, 10
UNKNOWN = "age_or_sex_unknown"
_LOST = ("mostly_lost", "completely_lost", "none")
_ASK = ("有关标准尚待区民政局确认，请咨询街道（乡镇）社会救助窗口。", "The figures are still to be confirmed: please ask at the street's window for social assistance.")

Line = dict[str, str]


def assess(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Facts: as for `eligibility.assess`, each member with birth_date, and perhaps programmes (names to be told of; all), community
    (code), medical_self_paid (yuan text, paid by the family itself in the twelve months before).

    Result (JSON): decision (always False), notice {zh, en}, benefit_month, programmes [{programme, title, title_en, verdict ("fits" |
    "does_not_fit" | "ask"), amount (yuan a month, None: not said), amount_fen, per ("household" | "person"), to_confirm (figures that the
    bureau still has to confirm), lines [{zh, en, figure, source, article, article_en}]}], papers [{paper, zh, en}], where {street,
    street_name, zh, en, source}, flags. Raises BadFacts naming every field that is wrong."""
    _check(facts)
    found = eligibility.measured({k: v for k, v in facts.items() if k not in ("programmes", "community", "medical_self_paid")})
    asked = facts.get("programmes") or list(PROGRAMMES)
    told = {"dibao": _dibao, "low_income": _low_income, "destitute": _destitute, "temporary_assistance": _temporary, "illness_expenditure": _illness}
    return {
        "decision": False, "notice": {"zh": NOTICE[0], "en": NOTICE[1]}, "benefit_month": facts["benefit_month"],
        "programmes": [{"programme": name, "title": PROGRAMMES[name][0], "title_en": PROGRAMMES[name][1], **told[name](facts, found)} for name in PROGRAMMES if name in asked],
        "papers": _papers(facts), "where": _where(facts.get("community")), "flags": found["flags"],
    }  # fmt: skip


# -- what is asked


def _check(facts: Mapping[str, Any]) -> None:
    wrong: dict[str, list[str]] = {}

    def bad(path: str, text: str) -> None:
        wrong.setdefault(path, []).append(text)

    try:
        check({k: v for k, v in facts.items() if k not in ("programmes", "community", "medical_self_paid")})
    except BadFacts as error:
        wrong |= error.fields
    for n, name in enumerate(facts.get("programmes") or ()):
        if name not in PROGRAMMES:
            bad(f"programmes.{n}", "没有这个救助项目")
    if facts.get("community") and _unit(facts["community"]) is None:
        bad("community", "没有这个社区（村）")
    if facts.get("medical_self_paid") is not None:
        try:
            parse(facts["medical_self_paid"])
        except BadMoney as error:
            bad("medical_self_paid", str(error))
    _check_digits(facts, "", bad)
    if not wrong:  # only facts that are well formed can contradict each other
        _check_contradictions(facts, bad)
    if wrong:
        raise BadFacts(wrong)


def _check_digits(value: Any, path: str, bad: Any) -> None:
    """Amounts and days in full-width digits are refused here: whoever reads the estimate should see what was counted."""
    if isinstance(value, Mapping):
        for name, one in value.items():
            _check_digits(one, f"{path}.{name}" if path else str(name), bad)
    elif isinstance(value, list | tuple):
        for n, one in enumerate(value):
            _check_digits(one, f"{path}.{n}", bad)
    elif isinstance(value, str) and path.rsplit(".", 1)[-1] in ("amount", "medical_self_paid") and not value.isascii():
        bad(path, "请用半角数字，如 660.00")


def refuse_contradictions(facts: Mapping[str, Any]) -> None:
    """Raises BadFacts for well-formed facts that cannot all be true. A member may be without age, unless age is what is claimed."""
    wrong: dict[str, list[str]] = {}
    _check_contradictions(facts, lambda path, text: wrong.setdefault(path, []).append(text), ages=False)
    if wrong:
        raise BadFacts(wrong)


def _check_contradictions(facts: Mapping[str, Any], bad: Any, *, ages: bool = True) -> None:
    members, on = facts["members"], date.fromisoformat(facts["applied_on"])
    old = bool(facts.get("childless")) or "elderly_childless" in (facts.get("hardships") or ())
    for n, m in enumerate(members):
        born = m.get("birth_date")
        if not born and (ages or old):
            bad(f"members.{n}.birth_date", "请填写出生日期")
        for name, words in _contradictions(m, eligibility._age(born, on) if born else None):
            bad(f"members.{n}.{name}", words)
        for name, words in [(f"income.{k}.{name}", words) for k, item in enumerate(m.get("income") or ()) for name, words in _impossible(item, on)]:
            bad(f"members.{n}.{name}", words)
    if abs(on.year - int(facts["benefit_month"][:4])) > FAR_YEARS:
        bad("applied_on", f"申请日期与救助月份相差超过 {FAR_YEARS} 年，请核对")
    for n, asset in enumerate(facts.get("property") or ()):
        if asset.get("functional_vehicle") and asset.get("kind") != "vehicle":
            bad(f"property.{n}.functional_vehicle", "只有机动车辆才填残疾人功能性补偿代步")
    _check_generations(members, bad)
    _check_relations(facts, members, bad)


def _check_relations(facts: Mapping[str, Any], members: Sequence[Mapping[str, Any]], bad: Any) -> None:
    for relation, words in (("head", "户主只能有一人"), ("spouse", "配偶只能有一人")):
        if len(twice := [n for n, m in enumerate(members) if m.get("relation") == relation]) > 1:
            bad(f"members.{twice[-1]}.relation", words)
    related = {m.get("relation") for m in members}
    declared = {name: n for n, name in enumerate(facts.get("hardships") or ())}
    children = not related.isdisjoint(CHILDREN)
    if children and facts.get("childless"):
        bad("childless", "填写了子女，与无子女矛盾")
    if children and "elderly_childless" in declared:
        bad(f"hardships.{declared['elderly_childless']}", "填写了子女，与成员均年满60周岁且无子女矛盾")
    if "spouse" in related and "single_parent_student" in declared:
        bad(f"hardships.{declared['single_parent_student']}", "填写了配偶，与单亲家庭矛盾")


def _impossible(item: Mapping[str, Any], on: date) -> list[tuple[str, str]]:
    """What cannot be true of one income by an application of that day: (field, why)."""
    month, year, yearly = item.get("month"), item.get("year"), item.get("period") == "year"
    found = [
        (month is not None and month > f"{on:%Y-%m}", "month", "收入所属月份在申请之后"),
        (year is not None and not EARLIEST_YEAR <= year <= on.year, "year", f"收入所属年份应在 {EARLIEST_YEAR} 年至申请当年之间"),
        (month is not None and yearly, "month", "按年填写的收入不写月份，与计算周期矛盾"),
        (year is not None and not yearly, "year", "按月填写的收入不写年份，与计算周期矛盾"),
    ]
    return [(name, words) for wrong, name, words in found if wrong]


def _check_generations(members: Sequence[Mapping[str, Any]], bad: Any) -> None:
    """Parents are older than children, by the dates that are given."""
    heads = [m["birth_date"] for m in members if m.get("relation") in ("head", "spouse") and m.get("birth_date")]
    head = next((m["birth_date"] for m in members if m.get("relation") == "head" and m.get("birth_date")), None)
    for n, m in enumerate(members):
        born, relation = m.get("birth_date"), m.get("relation")
        if born and heads and relation in CHILDREN and born <= min(heads):
            bad(f"members.{n}.birth_date", "出生日期早于父母，与子女关系矛盾")
        if born and head and relation == "parent" and born >= head:
            bad(f"members.{n}.birth_date", "出生日期晚于户主，与父母关系矛盾")


def refuse_unknown_ages(facts: Mapping[str, Any]) -> None:
    """Raises BadFacts where a rule that these facts come under asks for an age (or, between the two ages of the rule, for the sex) that
    is not said: the earnings that stand for a flexible worker's (domain 3.4.3). Nothing is guessed of who may be old."""
    wrong: dict[str, list[str]] = {}
    for n, m in enumerate(facts["members"]):
        if m.get("excluded_reason") or (m.get("birth_date") and m.get("sex")) or m.get("employment") != "flexible":
            continue
        alone = {**{name: facts[name] for name in ("benefit_month", "applied_on", "hukou_kind")}, "property": [], "hardships": [], "members": [m]}
        if UNKNOWN not in eligibility.assess(alone)["flags"]:
            continue
        if not m.get("birth_date"):
            wrong[f"members.{n}.birth_date"] = ["请填写出生日期：灵活就业人员的收入按年龄核定"]
        elif len({eligibility.assess({**alone, "members": [{**m, "sex": sex}]})["household_income"] for sex in ("male", "female", None)}) > 1:
            wrong[f"members.{n}.sex"] = ["请填写性别：这个年龄的灵活就业人员，收入按性别核定"]
    if wrong:
        raise BadFacts(wrong)


def _contradictions(m: Mapping[str, Any], age: int | None) -> list[tuple[str, str]]:
    """What cannot be true of one member at once: (field, why). age: None where it is not known."""
    work, young = m.get("employment"), age is not None and age < 16
    found = [
        (age is not None and age > 130, "birth_date", "年龄超过130岁，请核对"),
        (young and work in ("employed", "flexible", "retired"), "employment", "未满16周岁，与就业状况矛盾"),
        (young and m.get("relation") == "spouse", "relation", "未满16周岁，与配偶关系矛盾"),
        (young and m.get("excluded_reason") == "military", "excluded_reason", "未满16周岁，与现役义务兵矛盾"),
        (m.get("full_time_student") and work in ("employed", "retired"), "employment", "全日制在校学生，与就业状况矛盾"),
        (work == "employed" and m.get("labour_ability") == "completely_lost", "labour_ability", "完全丧失劳动能力，与在职就业矛盾"),
        (bool(m.get("disability_kind")) != (m.get("disability_grade") is not None), "disability_grade", "残疾类别和等级应同时填写"),
    ]
    return [(name, words) for wrong, name, words in found if wrong]


# -- the programmes


def _line(zh: str, en: str, source: str, figure: str = "") -> Line:
    article, article_en = law.ABOUT.cited(source)
    return {"zh": zh, "en": en, "figure": figure, "source": source, "article": article, "article_en": article_en}


def _lines(found: Mapping[str, Any]) -> list[Line]:
    return [_line(one["zh"], one["en"], one["source"], one["figure"]) for one in found["lines"]]


def _said(verdict: str, lines: Sequence[Line], *, fen: int | None = None, per: str = "household", confirm: bool = False) -> dict[str, Any]:
    shown = [*lines, _line(*_ASK, "design")] if confirm else list(lines)
    return {"verdict": verdict, "amount": None if fen is None else yuan(fen), "amount_fen": fen, "per": per, "to_confirm": confirm, "lines": shown}


def _dibao(_facts: Mapping[str, Any], found: Mapping[str, Any]) -> dict[str, Any]:
    fits, unsure = found["category"] == "dibao", bool(found["unverified"])
    if "edge" in found["flags"] and not fits:
        return _said(ASK, [*_lines(found), _line("人均收入恰好等于低保标准，请咨询。", "The income per head is exactly the standard: please ask.", "N220 art 4")], confirm=unsure)
    return _said(FITS if fits else NOT, _lines(found), fen=found["amount_fen"] if fits else None, confirm=unsure)


def _low_income(_facts: Mapping[str, Any], found: Mapping[str, Any]) -> dict[str, Any]:
    if found["category"] == "dibao":
        return _said(NOT, [_line("符合低保条件的，按低保申请。", "Who fits dibao applies for dibao.", "TLOW")])
    fits, lines = found["category"] == "low_income", _lines(found)
    if fits and not found["hardships"]:
        lines.append(_line("家庭没有六类特殊困难之一的，可认定低收入家庭，不发放救助金。", "Without one of the six hardships the family is recognised, but gets no money.", "TLOW"))
    return _said(FITS if fits else NOT, lines, fen=found["amount_fen"] if fits else None, confirm=bool(found["unverified"]))


def _destitute(facts: Mapping[str, Any], found: Mapping[str, Any]) -> dict[str, Any]:
    """Ability and income can be told from the facts; whether supporters are able cannot: so never more than 请咨询. A person's own income
    counts, not the household's per head (`destitution`)."""
    on, applied = month_of(facts["benefit_month"]), date.fromisoformat(facts["applied_on"])
    paper = destitution.paper(applied)
    if law.in_force("destitute_minor_years", applied) is None:
        return _said(ASK, [_line("《特困人员认定办法》自2016年10月10日起施行，此前的申请请咨询街道（乡镇）社会救助窗口。", "The measures are in force since 2016-10-10: of an earlier day please ask at the street's window.", paper)], per="person")
    unable = [m for m in facts["members"] if not m.get("excluded_reason") and destitution.without_ability(m, applied)]
    if not unable:
        return _said(NOT, [_line("没有成员属于无劳动能力的老年人、残疾人或未满16周岁的未成年人。", "No member is elderly, disabled or under 16 without labour ability.", paper)], per="person")
    standard = Fraction(found["standard"])
    poor = [m for m in unable if destitution.income(m, applied_on=applied, on=applied, hukou_kind=facts["hukou_kind"]) < standard]
    if not poor or found["category"] not in ("dibao", "low_income", "refused_income"):
        return _said(NOT, [*_lines(found), _line("收入不低于低保标准，或财产不符合规定的，不属于无生活来源。", "Who has the standard or more, or property over the limit, is not without a source of income.", paper)], per="person")
    refs = "、".join(str(m["ref"]) for m in poor)
    lines = [_line(f"成员 {refs} 属于无劳动能力且收入低于低保标准；法定赡养、抚养、扶养义务人有无履行能力，由街道（乡镇）调查，请咨询。",
                   f"Members {refs}: without labour ability, and income below the standard; whether those who must support them are able to is for the street to find: please ask.", paper)]  # fmt: skip
    rows = [law.value(name, on) for name in (["destitute_urban"] if facts["hukou_kind"] == "urban" else ["destitute_rural_institutional", "destitute_rural_dispersed"])]
    for row in rows:
        title = law.ABOUT.parameters[row.name].title
        lines.append(_line(f"{title[0]}：每人每月 {row.amount:.2f} 元（全额，不按差额）", f"{title[1]}: {row.amount:.2f} per person and month, in full", row.source, f"{row.amount:.2f}"))
    ages = law.in_force("destitute_age_years", applied)
    confirm = any(row.unverified for row in rows) or bool(ages and ages.unverified)
    return _said(ASK, lines, fen=to_fen(rows[0].amount) if len(rows) == 1 else None, per="person", confirm=confirm)


def _temporary(facts: Mapping[str, Any], found: Mapping[str, Any]) -> dict[str, Any]:
    """By the law values of the process itself (`temporary`); how great the hardship is, nobody can say here."""
    emergency = _line("急难型：因火灾、交通事故、突发重大疾病等，需立即救助的，可先行救助，事后补手续。", "Emergencies (fire, accident, sudden grave illness): help comes first, the papers after.", "N23")
    spending = _line("支出型：教育、医疗等必需支出突然增加，超出家庭承受能力，且收入、财产符合规定的。", "Expenditure: necessary costs of education or treatment beyond what the family can bear, income and property within the limits.", "N23")
    amount = _line("金额按困难情形由街道（乡镇）或区民政局核定，请咨询。", "The amount depends on the need and is set by the street or the district: please ask.", "N23")
    on = date.fromisoformat(facts["applied_on"])  # no monthly benefit: its day counts, as in a case
    if not temporary.in_force(on):
        return _said(ASK, [emergency, spending, amount])
    kind, heads = facts["hukou_kind"], found["members_counted"]
    cap, limit, income = temporary.emergency_cap(on, kind, heads), temporary.street_limit(on, kind, organisation.DISTRICT), law.value("temp_income_limit", on)
    most, up_to, need = yuan(cap.fen), yuan(limit.fen), temporary.fits(Fraction(found["per_capita_exact"]), found["band_property_ok"], on)
    lines = [
        emergency, _line(f"急难型救助金最多 {most} 元（{cap.months.text} 个月低保标准×{heads} 人）。", f"Emergency help: at most {most} ({cap.months.text} monthly standards for each of {heads}).", cap.months.source, most),
        spending, _line(f"支出型：人均年收入应低于 {income.text} 元；{'收入、财产符合。' if need == temporary.FITS else '您填写的收入或财产超过规定。'}",
                        f"Expenditure: income per head a year below {income.text}; {'income and property are within the limits.' if need == temporary.FITS else 'income or property is over the limit.'}", income.source, income.text),
        amount, _line(f"{up_to} 元及以下由街道（乡镇）决定，超过的由区民政局决定。", f"Up to {up_to} the street decides, above it the district.", limit.months.source, up_to),
    ]  # fmt: skip
    return _said(ASK, lines, confirm=cap.unverified or limit.unverified or income.unverified)


def _illness(facts: Mapping[str, Any], found: Mapping[str, Any]) -> dict[str, Any]:
    if found["category"] == "dibao":
        return _said(NOT, [_line("符合低保条件的，按低保申请，并可享受医疗救助。", "Who fits dibao applies for dibao, with medical assistance.", "N649")])
    on, said = date.fromisoformat(facts["applied_on"]), facts.get("medical_self_paid")
    if not found["band_property_ok"]:
        return _said(NOT, [*_lines(found), _line("家庭财产超过规定。", "Property over the limit.", "TECON")])
    if said is None or law.in_force("temp_income_limit", on) is None:
        return _said(ASK, [_line("请填写申请前12个月家庭自付的医疗费用，并向街道（乡镇）咨询。", "Enter what the family itself paid for treatment in the twelve months before, and ask at the street.", "design")], confirm=True)
    told: list[Line] = []
    paid, yearly = Fraction(parse(said), 100), Fraction(found["income_exact"]) * 12
    result = expenditure.judge(on, yearly, found["members_counted"], paid, standard=Fraction(found["standard"]), category=found["category"], band_property_ok=found["band_property_ok"],
                               say=lambda _code, zh, en, figure, source: told.append(_line(zh, en, source, figure)))  # fmt: skip
    return _said(ASK if result["qualifies"] else NOT, told[::-1], confirm=True)  # what it hangs on first; the step before after it


# -- papers and place


def _papers(facts: Mapping[str, Any]) -> list[Line]:
    """What to bring, of the list by which the window checks (TBHG; `dibao_2012_forms.MATERIALS`)."""
    members = facts["members"]
    wanted = {"application_form", "declaration", "authorization", "id_card", "hukou_book", "income_proof", "near_relative_statement"}
    wanted |= {"study_certificate" for m in members if m.get("full_time_student") or m.get("employment") == "student"}
    wanted |= {"disability_certificate" for m in members if m.get("disability_kind")}
    wanted |= {"diagnosis" for m in members if m.get("serious_illness") or m.get("serious_outpatient_illness")}
    wanted |= {"labour_loss_certificate" for m in members if m.get("labour_ability") in _LOST[:2]}
    wanted |= {"employment_card" for m in members if m.get("employment") == "unemployed"}
    wanted |= {"diagnosis"} if facts.get("medical_self_paid") or "major_illness" in (facts.get("hardships") or ()) else set()
    wanted |= {"disability_certificate"} if "disabled_member" in (facts.get("hardships") or ()) else set()
    wanted |= {"divorce_document"} if "single_parent_student" in (facts.get("hardships") or ()) else set()
    return [{"paper": code, "zh": zh, "en": en} for code, zh, en in MATERIALS if code in wanted]


def _unit(code: Any) -> Mapping[str, str] | None:
    return next((one for one in organisation.divisions() if one["code"] == code), None)


def _where(code: str | None) -> dict[str, Any]:
    found = _unit(code)
    street = found and (_unit(found["parent_code"]) if found["level"] == "community" else found)
    name = street["name"] if street else ""
    return {"street": street and street["code"], "street_name": name or None, "zh": f"请到{name or '户籍所在街道（乡镇）'}社会救助窗口申请（一门受理、协同办理）。",
            "en": f"Apply at the social assistance window of {name or 'the street or town of your household register'}: one window takes everything.", "source": "N649 art 60"}  # fmt: skip


def streets() -> list[tuple[str, list[tuple[str, str]]]]:
    """[(street, [(code, community)])], for a form."""
    names = {one["code"]: one["name"] for one in organisation.divisions() if one["level"] == "street"}
    return [(name, [(one["code"], one["name"]) for one in organisation.divisions() if one["parent_code"] == code]) for code, name in names.items()]
