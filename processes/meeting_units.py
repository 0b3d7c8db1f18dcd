"""The member units of the joint meeting (domain 4.3): departments of the district, kept as data with the day they joined.

Their codes lie beside those of the streets, so a post in a department covers that department and no household.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from importlib import resources


@dataclass(frozen=True, slots=True)
class MemberUnit:
    code: str
    key: str
    name: str
    name_en: str
    since: date
    duty: str  # "chair": presides over the office and votes last; "required": no quorum without it; "": neither


@lru_cache(maxsize=1)
def every() -> tuple[MemberUnit, ...]:
    with (resources.files("processes") / "data" / "meeting_units.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return tuple(MemberUnit(r["code"], r["key"], r["name"], r["name_en"], date.fromisoformat(r["from_on"]), r["duty"]) for r in rows)


def members(on: date) -> tuple[MemberUnit, ...]:
    """Those that are members on a day."""
    return tuple(one for one in every() if one.since <= on)


def named(codes: Iterable[str]) -> list[str]:
    """Chinese names, in the order of the list of members."""
    wanted = set(codes)
    return [one.name for one in every() if one.code in wanted]


CHOICES: Sequence[tuple[str, str, str]] = [(one.code, one.name, one.name_en) for one in every()]
CHAIR = next(one.code for one in every() if one.duty == "chair")
REQUIRED = frozenset(one.code for one in every() if one.duty)  # without one of them there is no quorum

