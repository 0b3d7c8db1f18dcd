"""Which department decides on what the one window takes in (N649 art 60, domain 1.4), by the day: the table is data (law/routing.yaml)."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from importlib import resources
from typing import Any

from processes import law, meeting_units
from processes.meeting_units import MemberUnit

OWN = "own"
PROGRAMMES: Mapping[str, tuple[str, str]] = {
    "dibao": ("最低生活保障", "Minimum living guarantee"), "low_income": ("低收入家庭救助", "Low-income relief"), "destitute": ("特困人员救助供养", "Support of the destitute"),
    "medical": ("医疗救助", "Medical assistance"), "education": ("教育救助", "Educational assistance"), "housing": ("住房救助", "Housing assistance"),
    "employment": ("就业救助", "Employment assistance"), "temporary_assistance": ("临时救助", "Temporary assistance"),
    "illness_expenditure": ("因病支出型家庭救助", "Families in hardship for medical expenses"), "disaster": ("受灾人员救助", "Disaster relief"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Route:
    """own: by a procedure of this system; else `unit` is the code of the department. source: key; unverified: to be confirmed."""

    programme: str
    own: bool
    unit: str | None
    source: str
    unverified: bool
    since: date


@lru_cache(maxsize=1)
def departments() -> tuple[MemberUnit, ...]:
    """Every department of the district: the member units of the joint meeting, and those beside them."""
    with (resources.files("processes") / "data" / "departments.csv").open(encoding="utf-8") as file:
        more = [MemberUnit(r["code"], r["key"], r["name"], r["name_en"], date.fromisoformat(r["from_on"]), "") for r in csv.DictReader(file)]
    return (*meeting_units.every(), *more)


CHOICES = [(one.code, one.name, one.name_en) for one in departments()]


def route(programme: str, on: date) -> Route:
    """Raises BadLaw for a programme that the table does not have, and before its first day."""
    found = law.route(programme, on)
    code = None if found.text == OWN else next((one.code for one in departments() if one.key == found.text), None)
    if found.text != OWN and code is None:
        raise law.BadLaw(f"route_{programme}: {found.text} is no department")
    return Route(programme, found.text == OWN, code, found.source, found.unverified, found.since)


def table(on: date) -> list[dict[str, Any]]:
    """The routing table of a day, in JSON: programme, title, title_en, own, unit, unit_name, unit_name_en, from, source, unverified."""
    names = {one.code: (one.name, one.name_en) for one in departments()}
    told = []
    for programme, (zh, en) in PROGRAMMES.items():
        if law.in_force_route(programme, on):
            one = route(programme, on)
            unit_zh, unit_en = names[one.unit] if one.unit else ("本窗口办理", "At this window")
            told.append({"programme": programme, "title": zh, "title_en": en, "own": one.own, "unit": one.unit, "unit_name": unit_zh, "unit_name_en": unit_en,
                         "from": one.since.isoformat(), "source": one.source, "unverified": one.unverified})  # fmt: skip
    return told
