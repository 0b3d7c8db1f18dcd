"""The law as dated data: each value with its first day and its source; a malformed file is refused at import.

Every YAML file here but about.yaml maps a name to rows `{from: date, value: "text", source: key, unverified: true?, announced: true?,
known_from: date?}`, oldest first. Sources are the keys of domain 0.2; `unverified` marks what the bureau still has to confirm
(configuration), `announced` a first day after that on which the files were gone through (about.yaml, `read_on`).

Three days are kept apart (decision 041): that of the event (`on`: benefit month, acceptance …) chooses by `from`; that of the decision
is the one from which is looked back (`known`); that of the knowledge is `known_from`: a correction is a new row with the `from` of the
row that it corrects and a later `known_from`, and counts for what is decided from then on.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
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

from processes.law import about
from processes.law.errors import BadLaw

__all__ = ["BadLaw"]


@dataclass(frozen=True, slots=True)
class Value:
    """One dated value. text: as written; since: its first day; source: key; unverified: to be confirmed; known_from: the first day on
    which it was known, None: from the beginning; announced: it was to come when the file was written."""

    name: str
    since: date
    text: str
    source: str
    unverified: bool
    known_from: date | None = None
    announced: bool = False

    @property
    def amount(self) -> Decimal:
        """The value as an exact decimal; yuan where it is money, a count where it is days, months or years."""
        return _decimal(self.text)

    @property
    def fraction(self) -> Fraction:
        """The value as an exact fraction; also reads "2/3"."""
        return Fraction(self.text)


_decimal: Callable[[str], Decimal] = lru_cache(maxsize=2048)(Decimal)
Table = Mapping[str, tuple[Value, ...]]


class _Once(yaml.CSafeLoader):  # in C: every program that starts reads the law
    """YAML that refuses a name said twice: the second would silently win."""

    def construct_mapping(self, node: yaml.MappingNode, *deep: bool, **named: bool) -> dict[Hashable, Any]:
        names = [key.value if isinstance(key, yaml.ScalarNode) else "" for key, _ in node.value]
        if twice := [(key, name) for (key, _), name in zip(node.value, names, strict=True) if name and names.count(name) > 1]:
            raise BadLaw(f"{twice[-1][0].start_mark.line + 1}: said twice: {', '.join(sorted({name for _, name in twice}))}")
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


def _route(_name: str, text: str) -> bool:
    return re.fullmatch(r"[a-z_]{1,40}", text) is not None


_FILES: Mapping[str, Callable[[str, str], bool]] = {
    "parameters.yaml": _parameter,
    "procedure.yaml": _parameter,
    "deductions.yaml": _parameter,
    "destitute.yaml": _parameter,
    "excluded_income.yaml": _words,
    "versions.yaml": _words,
    "procedures.yaml": _procedure,
    "change_checks.yaml": _words,
    "relation_scope.yaml": _scope,
    "routing.yaml": _route,
    "calendar.yaml": _day_kind,
}


TO_COME: Mapping[str, str] = dict.fromkeys(("care_grade_full", "care_grade_partly_lost", "care_grade_completely_lost"), "destitute.yaml")
"""Amounts that are asked for, and of which no paper gave a value (domain 3.1): name -> the file in which they will stand."""
MAX_BYTES, MOST_NODES = 1024 * 1024, 100_000


def read(raw: bytes, file: str, fits: Callable[[str, str], bool], read_on: date | None = None) -> Table:
    """A law file as frozen values. fits(name, text): may a value stand there? read_on: first days after it need the mark `announced`
    (None: not asked). Raises BadLaw, naming file, line, name and reason."""
    if len(raw) > MAX_BYTES:
        raise BadLaw(f"{file}: larger than 1 MB")
    try:
        tree = yaml.compose(raw, _Once)
        _written_out(tree, {})
        said = yaml.load(raw, _Once)  # noqa: S506 - a SafeLoader
    except BadLaw as error:
        raise BadLaw(f"{file}:{error}") from None
    except yaml.MarkedYAMLError as error:
        line = f"{error.problem_mark.line + 1}: " if error.problem_mark else " "
        raise BadLaw(f"{file}:{line}{error.problem}") from None
    except yaml.YAMLError as error:
        raise BadLaw(f"{file}: {error}") from None
    except (ValueError, TypeError, OverflowError, AttributeError, RecursionError) as error:  # a 30th of February; brackets by the thousand
        raise BadLaw(f"{file}:{_unread(raw)} cannot be read: {type(error).__name__}: {error}") from None
    if not isinstance(said, dict) or not said or not all(isinstance(name, str) for name in said):
        raise BadLaw(f"{file}: is a table of names (quoted where they look like dates)")
    lines = {key.value: [row.start_mark.line + 1 for row in (node.value if isinstance(node, yaml.SequenceNode) else ())] or [key.start_mark.line + 1]
             for key, node in (tree.value if tree else ())}  # fmt: skip
    return MappingProxyType({name: _values(_Place(file, name, lines[name]), rows, fits, read_on) for name, rows in said.items()})


def _unread(raw: bytes) -> str:
    """ "12:", the line of the first value that is no day though it looks like one; empty where there is none."""
    try:
        loader = _Once(raw)
        nodes = [loader.get_single_node()]
        while nodes:
            node = nodes.pop(0)
            if isinstance(node, yaml.ScalarNode) and node.tag == "tag:yaml.org,2002:timestamp":
                try:
                    loader.construct_object(node)
                except ValueError:
                    return f"{node.start_mark.line + 1}:"
            elif isinstance(node, yaml.CollectionNode):
                nodes += [part for pair in node.value for part in (pair if isinstance(pair, tuple) else (pair,))]
    except (yaml.YAMLError, BadLaw, ValueError, TypeError, AttributeError, RecursionError):
        pass
    return ""


def lines(raw: bytes) -> Mapping[str, Sequence[int]]:
    """Name -> the lines of its rows, of a text that `read` takes."""
    tree = yaml.compose(raw, _Once)
    return {key.value: [row.start_mark.line + 1 for row in node.value] for key, node in (tree.value if tree else ())}


def _written_out(node: Any, known: dict[int, int | None]) -> int:
    """How many nodes there are with every alias written out. Raises BadLaw where there are more than a law file has, or no end."""
    if id(node) in known:
        if (size := known[id(node)]) is None:
            raise BadLaw(f"{node.start_mark.line + 1}: an alias inside of itself")
        return size
    known[id(node)] = None
    parts = [part for pair in node.value for part in pair] if isinstance(node, yaml.MappingNode) else node.value if isinstance(node, yaml.SequenceNode) else []
    size = known[id(node)] = 1 + sum(_written_out(part, known) for part in parts)
    if size > MOST_NODES:
        raise BadLaw(f"{node.start_mark.line + 1}: more than {MOST_NODES} values once its aliases are written out")
    return size


@dataclass(frozen=True, slots=True)
class _Place:
    """Where values stand: file, name, and the line of each row."""

    file: str
    name: str
    lines: Sequence[Any]

    def bad(self, why: str, row: int = 0) -> BadLaw:
        return BadLaw(f"{self.file}:{self.lines[row] if row < len(self.lines) else self.lines[0]}: {self.name}: {why}")


def _values(where: _Place, rows: Any, fits: Callable[[str, str], bool], read_on: date | None) -> tuple[Value, ...]:
    if not isinstance(rows, list) or not rows:
        raise where.bad("needs at least one dated value")
    values = tuple(_value(where, n, row, fits) for n, row in enumerate(rows))
    for n, (a, b) in enumerate(pairwise(values), 1):
        if a.since > b.since:
            raise where.bad(f"{b.since} stands after {a.since}: dates must rise", n)
        if a.since == b.since and (b.known_from is None or b.known_from <= (a.known_from or date.min)):
            raise where.bad(f"two values overlap from {b.since}: dates must rise; a correction has a later known_from", n)
    late = [n for n, v in enumerate(values) if read_on is not None and not v.announced and max(v.since, v.known_from or v.since) > read_on]
    if late:
        raise where.bad(f"{values[late[0]].since} lies in the future (the file is of {read_on}) and is not marked announced: true", late[0])
    return values


def _value(where: _Place, place: int, row: Any, fits: Callable[[str, str], bool]) -> Value:
    needed = {"from", "value", "source"}
    if not isinstance(row, dict) or not needed <= row.keys() <= needed | {"unverified", "known_from", "announced"}:
        raise where.bad("every value has from, value, source, perhaps unverified, known_from, announced, and nothing else", place)
    since, text, source, unverified = row["from"], row["value"], row["source"], row.get("unverified", False)
    known, announced = row.get("known_from"), row.get("announced", False)
    for day, said in (("from", since), ("known_from", known)):
        if (said is not None or day == "from") and (not isinstance(said, date) or isinstance(said, datetime)):
            raise where.bad(f"{day} is a date, not {said!r}", place)
    if not isinstance(text, str) or not fits(where.name, text):
        raise where.bad(f"{text!r} does not fit (a value is quoted text)", place)
    if not isinstance(source, str) or not source.strip() or not isinstance(unverified, bool) or not isinstance(announced, bool):
        raise where.bad("source is a key of the sources, unverified is true or false, as is announced", place)
    return Value(where.name, since, text, source, unverified, known, announced)


def fits_in(file: str) -> Callable[[str, str], bool]:
    """What may stand as a value in a file of that name; of an unknown one, as in the files of amounts."""
    return _FILES.get(file, _parameter)


_AMOUNTS = ("parameters.yaml", "procedure.yaml", "deductions.yaml", "destitute.yaml")  # the files of `value`; a name stands in one of them


@dataclass(frozen=True, slots=True)
class Book:
    """The law as it stood in one set of files. digest: of their text, by which entries name it; values: of the three files of amounts."""

    digest: str
    raw: Mapping[str, bytes]
    tables: Mapping[str, Table]
    values: Table

    @classmethod
    def of(cls, raw: Mapping[str, bytes], read_on: date | None = None) -> Book:
        """Raises BadLaw. A file that this program does not know is kept and not read; one that is not there is empty. read_on: see `read`."""
        tables = {file: read(text, file, _FILES[file], read_on) for file, text in raw.items() if file in _FILES}
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
ABOUT = about.read((resources.files(__package__) / "about.yaml").read_bytes())
"""What the names mean, on which sources they rest and how often they are revised: no values, so not part of the digest."""
_TODAY = Book.of(RAW, ABOUT.read_on)
_TABLES, _LAW = dict(_TODAY.tables), _TODAY.values
DIGEST = _TODAY.digest
"""sha256 over all law files, hex: names the exact text that a decision was computed with."""
EXCLUDED_INCOME: Table = _TABLES["excluded_income.yaml"]
CALENDAR: Mapping[date, bool] = MappingProxyType(
    {date.fromisoformat(day): rows[-1].text == "workday" for day, rows in _TABLES["calendar.yaml"].items()}
)

_known: ContextVar[date | None] = ContextVar("the day of the decision", default=None)


@contextmanager
def known(on: date | None) -> Iterator[None]:
    """Within, values are those that were known on that day: what is decided on it uses no later correction. None: all that the files hold."""
    token = _known.set(on)
    try:
        yield
    finally:
        _known.reset(token)


def known_day() -> date | None:
    return _known.get()


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


def book() -> Book | None:
    """The book that is asked now; None: this program's."""
    return _recorded.get()


def digest() -> str:
    """Of the law that is asked now: DIGEST, but within `under`."""
    book = _recorded.get()
    return DIGEST if book is None else book.digest


def file_of(name: str) -> str:
    """The file in which a value stands. Raises BadLaw."""
    found = next((file for file in _AMOUNTS if name in _table(file)), TO_COME.get(name))
    if found is None:
        raise BadLaw(f"{name}: no such parameter")
    return found


def as_known(rows: tuple[Value, ...]) -> tuple[Value, ...]:
    """Without those that were not known yet, and those that are corrected by then; by first day."""
    day = _known.get()
    return tuple({v.since: v for v in rows if day is None or v.known_from is None or v.known_from <= day}.values())


def fits(name: str, text: str) -> bool:
    """Whether a text may stand as a value of a parameter. Raises BadLaw where there is no such name."""
    return _FILES[file_of(name)](name, text)


def overlaid(rows: Mapping[str, tuple[Value, ...]]) -> Book:
    """The law that is asked now with other rows of some amounts, to try it; its digest names both. Of a name, the new rows stand in place
    of what begins on their first day or later. Raises BadLaw for a name that is no amount."""
    base = _recorded.get() or _TODAY
    merged = {name: (*(v for v in base.values.get(name, ()) if v.since < new[0].since), *new) for name, new in rows.items()}
    tables: dict[str, Table] = dict(base.tables)
    for name, values in merged.items():
        tables[file_of(name)] = {**tables[file_of(name)], name: values}
    said = repr([(v.name, v.since.isoformat(), v.text, v.source, v.unverified) for name in sorted(rows) for v in rows[name]])
    return Book(hashlib.sha256(packed(base.raw) + said.encode()).hexdigest(), base.raw, tables, {**base.values, **merged})


def _latest(rows: tuple[Value, ...], on: date) -> Value | None:
    day = _known.get()
    return next((v for v in reversed(rows) if v.since <= on and (day is None or v.known_from is None or v.known_from <= day)), None)


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
    if (found := _latest(_dated(name), on)) is None:
        raise BadLaw(f"{name}: no procedure in force on {on}")
    return found.text


def _dated(name: str) -> tuple[Value, ...]:
    """The rows of a matter in procedures.yaml; a book from before a matter had any knows what the program knows of it."""
    return _table(PROCEDURES).get(name) or _TABLES[PROCEDURES][name]


PROCEDURES = "procedures.yaml"


def procedures(name: str) -> tuple[str, ...]:
    """All that procedures.yaml lists for a matter, oldest first."""
    return tuple(dict.fromkeys(one.text for one in _dated(name)))


def route(programme: str, on: date) -> Value:
    """Who decides on what the one window took in, on a day (routing.yaml); BadLaw for an unknown programme, or before the first row."""
    if (found := _latest(_table("routing.yaml").get(f"route_{programme}", ()), on)) is None:
        raise BadLaw(f"{programme}: no route in force on {on}")
    return found


def in_force_route(programme: str, on: date) -> bool:
    """Whether routing.yaml knows a programme on a day."""
    return _latest(_table("routing.yaml").get(f"route_{programme}", ()), on) is not None


def procedure_times(key: str) -> tuple[date, date | None] | None:
    """(first day, day from which another applies or None) of the process with this key; None where its time is no matter of law."""
    for listed in (as_known(_dated(name)) for name in _TABLES[PROCEDURES]):
        for place, one in enumerate(listed):
            if one.text == key:
                return one.since, next((later.since for later in listed[place + 1 :] if later.text != key), None)
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


def table(file: str) -> Table:
    """All rows of a file of that name; empty where there is none."""
    return _table(file) if file in _FILES else {}


def files() -> Mapping[str, Table]:
    """File -> its names with all rows, for who lists what applies: amounts, limits and procedures."""
    return {file: _table(file) for file in (*_AMOUNTS, "procedures.yaml", "routing.yaml")}


def every(name: str) -> tuple[Value, ...]:
    """All values of a parameter, oldest first, as known (`known`); also those that are still to come."""
    return as_known(_values_of().get(name, ()))


def rows(name: str) -> tuple[Value, ...]:
    """All rows of a name of any file, corrected ones too, oldest first; none where there is no such name."""
    return next((found for file in _FILES if (found := _table(file).get(name))), ())


def names(prefix: str = "") -> tuple[str, ...]:
    return tuple(name for name in _values_of() if name.startswith(prefix))
