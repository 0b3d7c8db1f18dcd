"""The law as dated data: each value with its first day and its source; a malformed file is refused at import.

Every YAML file here maps a name to rows `{from: date, value: "text", source: key, unverified: true?}`, oldest first.
Sources are the keys of domain 0.2; `unverified` marks what the bureau still has to confirm (configuration).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from importlib import resources
from itertools import pairwise
from types import MappingProxyType
from typing import Any

import yaml


class BadLaw(Exception):
    """A law file is malformed, or there is no value for the name and day asked; the text says where."""


@dataclass(frozen=True, slots=True)
class Value:
    """One dated value. text: as written; since: its first day; source: key; unverified: to be confirmed."""

    name: str
    since: date
    text: str
    source: str
    unverified: bool

    @property
    def amount(self) -> Decimal:
        """The value as an exact decimal; yuan where it is money, a count where it is days, months or years."""
        return Decimal(self.text)

    @property
    def fraction(self) -> Fraction:
        """The value as an exact fraction; also reads "2/3"."""
        return Fraction(self.text)


Table = Mapping[str, tuple[Value, ...]]


class _Once(yaml.SafeLoader):
    """YAML that refuses a name said twice: the second would silently win."""

    def construct_mapping(self, node: yaml.MappingNode, *deep: bool, **named: bool) -> dict[Hashable, Any]:
        names = [key.value for key, _ in node.value]
        if twice := sorted({n for n in names if names.count(n) > 1}):
            raise BadLaw(f"said twice: {', '.join(twice)}")
        return super().construct_mapping(node, *deep, **named)


def _number(text: str) -> bool:
    return re.fullmatch(r"[0-9]+(\.[0-9]+)?|[0-9]+/[1-9][0-9]*", text) is not None


def _parameter(name: str, text: str) -> bool:
    return text in ("<", "<=") if name.endswith("_operator") else _number(text)


def _day_kind(name: str, text: str) -> bool:
    return re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", name) is not None and text in ("workday", "holiday")


def _words(_name: str, text: str) -> bool:
    return bool(text.strip())


def _procedure(name: str, text: str) -> bool:
    if name.endswith("_confirmation"):
        return text in ("district", "street")
    return re.fullmatch(re.escape(name.replace("_", "-")) + r"-[0-9]{4}", text) is not None


def _scope(_name: str, text: str) -> bool:
    return text in ("near", "wider")


_FILES: Mapping[str, Callable[[str, str], bool]] = {
    "parameters.yaml": _parameter,
    "procedure.yaml": _parameter,
    "deductions.yaml": _parameter,
    "excluded_income.yaml": _words,
    "versions.yaml": _words,
    "procedures.yaml": _procedure,
    "change_checks.yaml": _words,
    "relation_scope.yaml": _scope,
    "calendar.yaml": _day_kind,
}


def read(raw: bytes, file: str, fits: Callable[[str, str], bool]) -> Table:
    """A law file as frozen values. fits(name, text): may a value stand there? Raises BadLaw, naming the place."""
    try:
        said = yaml.load(raw, _Once)  # noqa: S506 - a SafeLoader
    except (yaml.YAMLError, BadLaw) as error:
        raise BadLaw(f"{file}: {error}") from None
    if not isinstance(said, dict) or not said or not all(isinstance(name, str) for name in said):
        raise BadLaw(f"{file}: is a table of names (quoted where they look like dates)")
    return MappingProxyType({name: _values(f"{file}: {name}", name, rows, fits) for name, rows in said.items()})


def _values(where: str, name: str, rows: Any, fits: Callable[[str, str], bool]) -> tuple[Value, ...]:
    if not isinstance(rows, list) or not rows:
        raise BadLaw(f"{where}: needs at least one dated value")
    values = tuple(_value(where, name, row, fits) for row in rows)
    if any(a.since >= b.since for a, b in pairwise(values)):
        raise BadLaw(f"{where}: dates must rise")
    return values


def _value(where: str, name: str, row: Any, fits: Callable[[str, str], bool]) -> Value:
    needed = {"from", "value", "source"}
    if not isinstance(row, dict) or not needed <= row.keys() <= needed | {"unverified"}:
        raise BadLaw(f"{where}: every value has from, value, source, perhaps unverified, and nothing else")
    since, text, source, unverified = row["from"], row["value"], row["source"], row.get("unverified", False)
    if not isinstance(since, date) or isinstance(since, datetime):
        raise BadLaw(f"{where}: from is a date, not {since!r}")
    if not isinstance(text, str) or not fits(name, text):
        raise BadLaw(f"{where}: {text!r} does not fit (a value is quoted text)")
    if not isinstance(source, str) or not source.strip() or not isinstance(unverified, bool):
        raise BadLaw(f"{where}: source is a key of the sources, unverified is true or false")
    return Value(name, since, text, source, unverified)


RAW = {file: (resources.files(__package__) / file).read_bytes() for file in sorted(_FILES)}
_TABLES = {file: read(raw, file, _FILES[file]) for file, raw in RAW.items()}
DIGEST = hashlib.sha256(b"".join(b"%s\0%d\0%s" % (f.encode(), len(raw), raw) for f, raw in RAW.items())).hexdigest()
"""sha256 over all law files, hex: names the exact text that a decision was computed with."""

_LAW: Mapping[str, tuple[Value, ...]] = {
    name: rows
    for file in ("parameters.yaml", "procedure.yaml", "deductions.yaml")
    for name, rows in _TABLES[file].items()
}
EXCLUDED_INCOME: Table = _TABLES["excluded_income.yaml"]
CALENDAR: Mapping[date, bool] = MappingProxyType(
    {date.fromisoformat(day): rows[-1].text == "workday" for day, rows in _TABLES["calendar.yaml"].items()}
)
if len(_LAW) != sum(len(_TABLES[f]) for f in ("parameters.yaml", "procedure.yaml", "deductions.yaml")):
    raise BadLaw("a name stands in two law files")


def _latest(rows: tuple[Value, ...], on: date) -> Value | None:
    return next((v for v in reversed(rows) if v.since <= on), None)


@lru_cache(maxsize=4096)
def in_force(name: str, on: date) -> Value | None:
    """The value of a parameter on a day; None when there is none (yet), or no such name."""
    return _latest(_LAW.get(name, ()), on)


@lru_cache(maxsize=4096)
def value(name: str, on: date) -> Value:
    """The value of a parameter in force on a day; BadLaw when none was yet or the name is unknown."""
    if name not in _LAW:
        raise BadLaw(f"{name}: no such parameter")
    if (found := in_force(name, on)) is None:
        raise BadLaw(f"{name}: nothing in force on {on}")
    return found


def standard(on: date, hukou_kind: str) -> Value:
    """低保标准 per person and month, yuan. on: the benefit month's first day; hukou_kind: "urban" or "rural"."""
    return value(f"dibao_standard_{hukou_kind}", on)


def version(on: date) -> str:
    """Stable name of the amounts in force: "TJ-STD-2018"."""
    return f"TJ-STD-{value('dibao_standard_urban', on).since.year}"


def versions(on: date) -> tuple[str, ...]:
    """The rule versions that had begun on a day, oldest first (domain 2.8.3); a later one may replace an earlier."""
    begun = [rows[-1] for rows in _TABLES["versions.yaml"].values() if rows[-1].since <= on]
    return tuple(v.name for v in sorted(begun, key=lambda v: v.since))


def procedure(name: str, on: date) -> str:
    """What applies on a day of the table in procedures.yaml: "dibao" -> "dibao-2021"; BadLaw before the first."""
    if (found := _latest(_TABLES["procedures.yaml"][name], on)) is None:
        raise BadLaw(f"{name}: no procedure in force on {on}")
    return found.text


def procedures(name: str) -> tuple[str, ...]:
    """All that procedures.yaml lists for a matter, oldest first."""
    return tuple(dict.fromkeys(one.text for one in _TABLES["procedures.yaml"][name]))


def procedure_times(key: str) -> tuple[date, date | None] | None:
    """(first day, day from which another applies or None) of the process with this key; None where its time is no matter of law."""
    for rows in _TABLES["procedures.yaml"].values():
        for place, one in enumerate(rows):
            if one.text == key:
                return one.since, rows[place + 1].since if place + 1 < len(rows) else None
    return None


def excluded_income(kind: str, on: date) -> Value | None:
    """Why a kind of income is not counted on a day (text: its Chinese name); None when it counts."""
    return _latest(EXCLUDED_INCOME.get(kind, ()), on)


def change_checks(kind: str, on: date) -> frozenset[str]:
    """The checks that a reported change asks for at least on a day: of "means" and "home"."""
    found = _latest(_TABLES["change_checks.yaml"][kind], on)
    return frozenset(found.text.split() if found else ()) & {"means", "home"}


def near_relations(on: date) -> frozenset[str]:
    """The relations to a member of staff that count as near on a day (domain 5.4, `relation_scope`)."""
    return frozenset(name for name, rows in _TABLES["relation_scope.yaml"].items() if (found := _latest(rows, on)) and found.text == "near")


def ever_near() -> tuple[str, ...]:
    """The relations that count as near on some day, as the file lists them: what a form may offer."""
    return tuple(name for name, rows in _TABLES["relation_scope.yaml"].items() if any(v.text == "near" for v in rows))


def every(name: str) -> tuple[Value, ...]:
    """All values of a parameter, oldest first; also those that are still to come."""
    return _LAW.get(name, ())


def names(prefix: str = "") -> tuple[str, ...]:
    return tuple(name for name in _LAW if name.startswith(prefix))
