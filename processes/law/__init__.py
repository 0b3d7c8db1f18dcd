"""The law as dated data: each value with its first day and its source; a malformed file is refused at import.

Every YAML file here maps a name to rows `{from: date, value: "text", source: key, unverified: true?}`, oldest first.
Sources are the keys of domain 0.2; `unverified` marks what the bureau still has to confirm (configuration).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
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


_AMOUNTS = ("parameters.yaml", "procedure.yaml", "deductions.yaml")  # the files of `value`; a name stands in one of them


@dataclass(frozen=True, slots=True)
class Book:
    """The law as it stood in one set of files. digest: of their text, by which entries name it; values: of the three files of amounts."""

    digest: str
    raw: Mapping[str, bytes]
    tables: Mapping[str, Table]
    values: Table

    @classmethod
    def of(cls, raw: Mapping[str, bytes]) -> Book:
        """Raises BadLaw. A file that this program does not know is kept and not read; one that is not there is empty."""
        tables = {file: read(text, file, _FILES[file]) for file, text in raw.items() if file in _FILES}
        values = {name: rows for file in _AMOUNTS for name, rows in tables.get(file, {}).items()}
        if len(values) != sum(len(tables.get(file, {})) for file in _AMOUNTS):
            raise BadLaw("a name stands in two law files")
        return cls(hashlib.sha256(packed(raw)).hexdigest(), raw, tables, values)


def packed(raw: Mapping[str, bytes]) -> bytes:
    """All files as one text, of which the digest is taken: name, a zero byte, length, a zero byte, content; in the order of names."""
    return b"".join(b"%s\0%d\0%s" % (file.encode(), len(raw[file]), raw[file]) for file in sorted(raw))


def unpacked(text: bytes) -> dict[str, bytes]:
    """The files of a `packed` text. Raises BadLaw."""
    raw, rest = dict[str, bytes](), text
    while rest:
        name, _, rest = rest.partition(b"\0")
        size, _, rest = rest.partition(b"\0")
        if not size.isdigit() or int(size) > len(rest):
            raise BadLaw("a kept text of the law is cut off or altered")
        raw[name.decode("utf-8", "replace")], rest = rest[: int(size)], rest[int(size) :]
    return raw


RAW = {file: (resources.files(__package__) / file).read_bytes() for file in sorted(_FILES)}
_TODAY = Book.of(RAW)
_TABLES, _LAW = dict(_TODAY.tables), _TODAY.values
DIGEST = _TODAY.digest
"""sha256 over all law files, hex: names the exact text that a decision was computed with."""
EXCLUDED_INCOME: Table = _TABLES["excluded_income.yaml"]
CALENDAR: Mapping[date, bool] = MappingProxyType(
    {date.fromisoformat(day): rows[-1].text == "workday" for day, rows in _TABLES["calendar.yaml"].items()}
)

_recorded: ContextVar[Book | None] = ContextVar("recorded law", default=None)


@contextmanager
def under(book: Book | None) -> Iterator[None]:
    """Within, amounts and rules are those of that book: to do a case again as it was. None: this program's. Days off work and the
    words of forms stay this program's."""
    token = _recorded.set(book)
    try:
        yield
    finally:
        _recorded.reset(token)


@lru_cache(maxsize=16)
def _book(text: bytes) -> Book:
    return Book.of(unpacked(text))


def by_text(text: bytes) -> AbstractContextManager[None]:
    """`under` the book of a kept text. Raises BadLaw."""
    return under(_book(text))


def _values_of() -> Mapping[str, tuple[Value, ...]]:
    book = _recorded.get()
    return _LAW if book is None else book.values


def _table(file: str) -> Table:
    book = _recorded.get()
    return _TABLES[file] if book is None else book.tables.get(file, {})


def digest() -> str:
    """Of the law that is asked now: DIGEST, but within `under`."""
    book = _recorded.get()
    return DIGEST if book is None else book.digest


def file_of(name: str) -> str:
    """The file in which a value stands. Raises BadLaw."""
    found = next((file for file in _AMOUNTS if name in _table(file)), None)
    if found is None:
        raise BadLaw(f"{name}: no such parameter")
    return found


def _latest(rows: tuple[Value, ...], on: date) -> Value | None:
    return next((v for v in reversed(rows) if v.since <= on), None)


def in_force(name: str, on: date) -> Value | None:
    """The value of a parameter on a day; None when there is none (yet), or no such name."""
    return _latest(_values_of().get(name, ()), on)


def value(name: str, on: date) -> Value:
    """The value of a parameter in force on a day; BadLaw when none was yet or the name is unknown."""
    if name not in _values_of():
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
    begun = [rows[-1] for rows in _table("versions.yaml").values() if rows[-1].since <= on]
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
    return _latest(_table("excluded_income.yaml").get(kind, ()), on)


def change_checks(kind: str, on: date) -> frozenset[str]:
    """The checks that a reported change asks for at least on a day: of "means" and "home"."""
    found = _latest(_table("change_checks.yaml")[kind], on)
    return frozenset(found.text.split() if found else ()) & {"means", "home"}


def near_relations(on: date) -> frozenset[str]:
    """The relations to a member of staff that count as near on a day (domain 5.4, `relation_scope`)."""
    return frozenset(name for name, rows in _table("relation_scope.yaml").items() if (found := _latest(rows, on)) and found.text == "near")


def ever_near() -> tuple[str, ...]:
    """The relations that count as near on some day, as the file lists them: what a form may offer."""
    return tuple(name for name, rows in _TABLES["relation_scope.yaml"].items() if any(v.text == "near" for v in rows))


def every(name: str) -> tuple[Value, ...]:
    """All values of a parameter, oldest first; also those that are still to come."""
    return _values_of().get(name, ())


def names(prefix: str = "") -> tuple[str, ...]:
    return tuple(name for name in _values_of() if name.startswith(prefix))
