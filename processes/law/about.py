"""about.yaml: what each parameter is called and counted in, by what article it is set, how often it is usually revised, the
titles of the sources, and which of them ended. No amounts stand there, so entries need not name it (decision 041)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import yaml

from processes.law.errors import BadLaw

UNITS: Mapping[str, tuple[str, str]] = {
    "yuan_person_month": ("元/人·月", "yuan per person and month"), "yuan_household_month": ("元/户·月", "yuan per household and month"),
    "yuan_month": ("元/月", "yuan a month"), "yuan_person": ("元/人", "yuan per person"), "yuan_household": ("元/户", "yuan per household"), "yuan": ("元", "yuan"),
    "share": ("比例", "share"), "years": ("年", "years"), "months": ("个月", "months"), "days": ("日", "days"), "workdays": ("个工作日", "working days"),
    "seconds": ("秒", "seconds"), "people": ("人", "people"), "units": ("家", "units"), "count": ("件", "pieces"), "day": ("日（每月）", "day of the month"),
    "yes": ("1 为是，0 为否", "1: yes, 0: no"), "": ("", ""),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Parameter:
    """title: (Chinese, English); unit: key of UNITS; basis: article that has it set, where another than the source of its values;
    revised: months after which a value is usually replaced, None: no such habit is known."""

    title: tuple[str, str]
    unit: str
    basis: str = ""
    revised: int | None = None


@dataclass(frozen=True, slots=True)
class About:
    """read_on: the day on which the files were last gone through against the sources; sources: key -> (Chinese, English) title;
    ended: key of a source -> the first day on which it holds no longer."""

    read_on: date
    parameters: Mapping[str, Parameter]
    sources: Mapping[str, tuple[str, str]]
    ended: Mapping[str, date]

    def of(self, name: str) -> Parameter | None:
        """A name of its own, or the longest beginning that is listed with a star: the rest of the name stands for {}."""
        if name in self.parameters:
            return self.parameters[name]
        starred = max((s for s in self.parameters if s.endswith("*") and name.startswith(s[:-1])), key=len, default=None)
        if starred is None:
            return None
        found, rest = self.parameters[starred], name[len(starred) - 1 :]
        return Parameter((found.title[0].replace("{}", rest), found.title[1].replace("{}", rest.replace("_", " "))), found.unit, found.basis, found.revised)

    def over(self, source: str, year: str) -> bool:
        """Whether the paper that "N220 art 26" begins with holds no longer for a procedure of that year ("2021"). The whole key counts: "N178c"
        (the printed certificate) is another paper than "N178"."""
        first = self.ended.get(re.split("[ ;,]", source.strip(), maxsplit=1)[0])
        return first is not None and year >= str(first.year)

    def cited(self, source: str) -> tuple[str, str]:
        """ "N220 art 18; T18" in words: (Chinese, English)."""
        parts = [part.strip() for part in re.split("[;,]", source) if part.strip()]
        told = [self._cited(part) for part in parts]
        return "；".join(zh for zh, _ in told), "; ".join(en for _, en in told)

    def _cited(self, part: str) -> tuple[str, str]:
        key, _, article = part.partition(" art ")
        if key not in self.sources:
            return part, part
        zh, en = self.sources[key]
        return (f"{zh}第{article}条", f"{en}, art. {article}") if article else (zh, en)


def read(raw: bytes) -> About:
    """Raises BadLaw."""
    said: Any = yaml.load(raw, yaml.CSafeLoader)
    if not isinstance(said, dict) or set(said) != {"read_on", "sources", "ended", "parameters"} or not isinstance(said["read_on"], date) or isinstance(said["read_on"], datetime):
        raise BadLaw("about.yaml: has read_on (a date), sources, ended and parameters")
    sources = {key: _titles(f"about.yaml: sources: {key}", row) for key, row in said["sources"].items()}
    return About(said["read_on"], {name: _parameter(name, row) for name, row in said["parameters"].items()}, sources, {key: _end(key, row, sources) for key, row in said["ended"].items()})


def _end(key: str, row: Any, sources: Mapping[str, Any]) -> date:
    if not isinstance(row, dict) or set(row) != {"from", "source"} or not isinstance(row["from"], date) or isinstance(row["from"], datetime):
        raise BadLaw(f"about.yaml: ended: {key}: has from (a date) and source")
    if key not in sources or str(row["source"]).partition(" art ")[0] not in sources:
        raise BadLaw(f"about.yaml: ended: {key}: it and its source are keys of sources")
    return row["from"]


def _titles(where: str, row: Any) -> tuple[str, str]:
    if not isinstance(row, list) or len(row) != 2 or not all(isinstance(text, str) and text.strip() for text in row):
        raise BadLaw(f"{where}: is [Chinese, English]")
    return row[0], row[1]


def _parameter(name: str, row: Any) -> Parameter:
    where = f"about.yaml: {name}"
    if not isinstance(row, dict) or not {"title", "unit"} <= row.keys() <= {"title", "unit", "basis", "revised_every_months"}:
        raise BadLaw(f"{where}: has title, unit, perhaps basis and revised_every_months")
    months = row.get("revised_every_months")
    if row["unit"] not in UNITS or not isinstance(row.get("basis", ""), str) or (months is not None and (type(months) is not int or months < 1)):
        raise BadLaw(f"{where}: unit is one of {', '.join(UNITS)}; revised_every_months is a whole number")
    return Parameter(_titles(f"{where}: title", row["title"]), row["unit"], row.get("basis", ""), months)
