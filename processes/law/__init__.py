"""The law as dated data: each value with its first day and its source. Wrong files are refused at import."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from importlib import resources
from typing import Any

import yaml


class BadLaw(Exception):
    """A law file is malformed; the text says where."""


@dataclass(frozen=True, slots=True)
class Value:
    name: str
    since: date
    text: str
    source: str
    unverified: bool

    @property
    def amount(self) -> Decimal:
        """The value as an exact number; yuan where it is money."""
        return Decimal(self.text)


_RAW = (resources.files(__package__) / "parameters.yaml").read_bytes()
DIGEST = hashlib.sha256(_RAW).hexdigest()


def _read(raw: bytes) -> dict[str, tuple[Value, ...]]:
    said = yaml.safe_load(raw)
    if not isinstance(said, dict):
        raise BadLaw("a law file is a table of names")
    return {name: _values(name, rows) for name, rows in said.items()}


def _values(name: str, rows: Any) -> tuple[Value, ...]:
    if not isinstance(rows, list) or not rows:
        raise BadLaw(f"{name}: needs at least one dated value")
    values = tuple(_value(name, row) for row in rows)
    if any(a.since >= b.since for a, b in zip(values, values[1:], strict=False)):
        raise BadLaw(f"{name}: dates must rise")
    return values


def _value(name: str, row: Any) -> Value:
    if not isinstance(row, dict) or row.keys() - {"from", "value", "source", "unverified"} or not {"from", "value", "source"} <= row.keys():
        raise BadLaw(f"{name}: every value has from, value and source")
    if not isinstance(row["from"], date) or not isinstance(row["value"], str):
        raise BadLaw(f"{name}: from is a date, value is quoted text")
    if not name.endswith("_operator"):
        try:
            Decimal(row["value"])
        except InvalidOperation:
            raise BadLaw(f"{name}: {row['value']!r} is not a number") from None
    return Value(name, row["from"], row["value"], str(row["source"]), bool(row.get("unverified")))


_LAW = _read(_RAW)


@lru_cache(maxsize=1024)
def value(name: str, on: date) -> Value:
    """The value of a parameter in force on a day; BadLaw when none was yet."""
    found = [v for v in _LAW[name] if v.since <= on]
    if not found:
        raise BadLaw(f"{name}: nothing in force on {on}")
    return found[-1]


def standard(on: date, hukou_kind: str) -> Value:
    return value(f"dibao_standard_{hukou_kind}", on)


def version(on: date) -> str:
    """Stable name of the amounts in force: "TJ-STD-2018"."""
    return f"TJ-STD-{value('dibao_standard_urban', on).since.year}"


def names() -> tuple[str, ...]:
    return tuple(_LAW)
