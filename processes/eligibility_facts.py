"""The words in which a household's facts are told to the assessment, and whether given facts are facts at all."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from processes import law
from processes.money import BadMoney, parse

COUNTED = {
    "wage_income": "工资性收入",
    "business_net_income": "家庭经营净收入",
    "property_income": "财产性收入",
    "transfer_income": "转移性收入",
    "other_income": "其他收入",
}
EXCLUDED: Mapping[str, tuple[str, str]] = {code: (v[-1].text, v[-1].source) for code, v in law.EXCLUDED_INCOME.items()}
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
RELATIONS = ("head", "spouse", "child", "parent", "adult_child_in_school", "adult_child_dependent", "other")
SEXES = ("male", "female")
ABILITIES = ("full", "partly_lost", "mostly_lost", "completely_lost", "none")
EMPLOYMENTS = ("employed", "flexible", "unemployed", "student", "retired", "none")
DISABILITIES = ("vision", "limb", "intellectual", "mental", "speech", "hearing", "multiple")
LEAVES_OUT = {
    "prison": "服刑",
    "religious": "宗教教职人员",
    "declared_missing": "宣告失踪",
    "compulsory_detox": "强制隔离戒毒",
    "military": "现役义务兵",
    "destitute": "特困供养人员",
}
EARLIEST = "2016-04"
"""The first benefit month that can be assessed: the rules of low-income relief are TLOW's from here on (domain 2.8.3)."""
WAGES_SINCE = "2016-07"
"""The first month whose minimum wage is known: before it nobody's earnings from work can be measured (domain 3.1)."""


class BadFacts(Exception):
    """The facts cannot be assessed; fields: path ("members.0.income.1.amount") -> what is wrong, in Chinese."""

    def __init__(self, fields: dict[str, list[str]]) -> None:
        super().__init__("; ".join(f"{k}: {'，'.join(v)}" for k, v in fields.items()))
        self.fields = fields


_Bad = Callable[[str, str], None]


def check(facts: Any) -> None:
    """Raises BadFacts with everything that is wrong, each at its path."""
    wrong: dict[str, list[str]] = {}

    def bad(path: str, text: str) -> None:
        wrong.setdefault(path, []).append(text)

    if not isinstance(facts, Mapping):
        raise BadFacts({"": ["应为一个对象"]})
    last = _check_dates(facts, bad)
    _check_choice(facts, "hukou_kind", ("urban", "rural"), "", bad, needed=True)
    _check_flag(facts, "childless", "", bad)
    refs = _check_members(facts.get("members"), last, bad)
    for path, item in _each(facts.get("property"), "property", bad):
        _check_asset(item, path, refs, bad)
    hardships = facts.get("hardships") or []
    for n, name in enumerate(hardships if isinstance(hardships, list | tuple) else [None]):
        if not isinstance(name, str) or name not in HARDSHIPS:
            bad(f"hardships.{n}", "没有这种特殊困难")
    if wrong:
        raise BadFacts(wrong)


def _check_dates(facts: Mapping[str, Any], bad: _Bad) -> date | None:
    """The last day on which somebody in these facts can have been born; None when the dates are no dates."""
    month = facts.get("benefit_month")
    applied = _check_day(facts.get("applied_on"), "applied_on", bad)
    if not isinstance(month, str) or not re.fullmatch(r"20[0-9]{2}-(0[1-9]|1[0-2])", month):
        bad("benefit_month", "月份写成 2018-12")
        return applied
    if month < EARLIEST:
        bad("benefit_month", "没有这个月份的标准")
    if applied is None:
        return None
    following = date(int(month[:4]) + (month[5:] == "12"), int(month[5:]) % 12 + 1, 1)
    return max(applied, following - timedelta(days=1))


def _check_members(members: Any, last: date | None, bad: _Bad) -> set[str]:
    if not isinstance(members, list | tuple) or not members:
        bad("members", "至少有一名家庭成员")
        return set()
    if len(members) > 100:
        bad("members", "家庭成员过多")
        return set()
    refs: set[str] = set()
    for path, member in _each(members, "members", bad):
        ref = member.get("ref")
        if not isinstance(ref, str) or not ref:
            bad(f"{path}.ref", "缺少成员编号")
        elif ref in refs:
            bad(f"{path}.ref", "成员编号重复")
        else:
            refs.add(ref)
        _check_member(member, path, last, bad)
    return refs


def _check_member(member: Mapping[str, Any], path: str, last: date | None, bad: _Bad) -> None:
    if member.get("birth_date"):
        born = _check_day(member["birth_date"], f"{path}.birth_date", bad)
        if born and last and born > last:
            bad(f"{path}.birth_date", "出生日期在未来")
    for name, allowed in (
        ("relation", RELATIONS),
        ("sex", SEXES),
        ("labour_ability", ABILITIES),
        ("employment", EMPLOYMENTS),
        ("disability_kind", DISABILITIES),
        ("excluded_reason", tuple(LEAVES_OUT)),
    ):
        _check_choice(member, name, allowed, f"{path}.", bad)
    for name in ("full_time_student", "serious_outpatient_illness"):
        _check_flag(member, name, f"{path}.", bad)
    grade = member.get("disability_grade")
    if grade is not None and (not isinstance(grade, int) or isinstance(grade, bool) or not 1 <= grade <= 4):
        bad(f"{path}.disability_grade", "残疾等级为 1 至 4")
    illness = member.get("serious_illness")
    if illness is not None and (not isinstance(illness, str) or len(illness) > 200):
        bad(f"{path}.serious_illness", "请填写病种名称")
    for where, item in _each(member.get("income"), f"{path}.income", bad):
        _check_income(item, where, bad)


def _check_income(item: Mapping[str, Any], path: str, bad: _Bad) -> None:
    if not isinstance(item.get("kind"), str) or item["kind"] not in {**COUNTED, **EXCLUDED}:
        bad(f"{path}.kind", "没有这种收入")
    _check_choice(item, "period", ("month", "year"), f"{path}.", bad)
    month, year = item.get("month"), item.get("year")
    if month is not None and (not isinstance(month, str) or not re.fullmatch(r"20[0-9]{2}-(0[1-9]|1[0-2])", month)):
        bad(f"{path}.month", "月份写成 2018-11")
    if year is not None and (not isinstance(year, int) or isinstance(year, bool)):
        bad(f"{path}.year", "年份写成 2017")
    _check_money(item.get("amount"), f"{path}.amount", bad)


def _check_asset(item: Mapping[str, Any], path: str, refs: set[str], bad: _Bad) -> None:
    if not isinstance(item.get("kind"), str) or item["kind"] not in PROPERTY:
        bad(f"{path}.kind", "没有这种财产")
    elif item["kind"] == "monetary_assets" or item.get("amount") is not None:
        _check_money(item.get("amount"), f"{path}.amount", bad)
    _check_flag(item, "functional_vehicle", f"{path}.", bad)
    owner = item.get("owner")
    if owner is not None and (not isinstance(owner, str) or owner not in refs):
        bad(f"{path}.owner", "所有人不是家庭成员")


def _each(rows: Any, path: str, bad: _Bad) -> Iterable[tuple[str, Mapping[str, Any]]]:
    """The objects of a list with their paths; whatever is not an object, or not a list, is reported."""
    if rows is None:
        return
    if not isinstance(rows, list | tuple) or len(rows) > 500:
        bad(path, "应为一个列表，且不超过 500 项")
        return
    for n, row in enumerate(rows):
        if isinstance(row, Mapping):
            yield f"{path}.{n}", row
        else:
            bad(f"{path}.{n}", "应为一个对象")


def _check_choice(
    row: Mapping[str, Any], name: str, allowed: Sequence[str], path: str, bad: _Bad, *, needed: bool = False
) -> None:
    said = row.get(name)
    if (said is None and needed) or (said is not None and (not isinstance(said, str) or said not in allowed)):
        bad(f"{path}{name}", f"不在可选范围内：{'、'.join(allowed)}")


def _check_flag(row: Mapping[str, Any], name: str, path: str, bad: _Bad) -> None:
    if not isinstance(row.get(name), bool | None):
        bad(f"{path}{name}", "应为是或否")


def _check_money(text: Any, path: str, bad: _Bad) -> None:
    if not isinstance(text, str):
        bad(path, '金额写成文字，如 "2100.00"')
        return
    try:
        parse(text)
    except BadMoney as error:
        bad(path, str(error))


def _check_day(text: Any, path: str, bad: _Bad) -> date | None:
    try:
        if isinstance(text, str) and re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
            return date.fromisoformat(text)
    except ValueError:
        pass
    bad(path, "日期写成 2018-12-03")
    return None


def month_of(text: str) -> date:
    return date.fromisoformat(f"{text}-01")
