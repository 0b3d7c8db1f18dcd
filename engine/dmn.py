"""Decision tables (DMN 1.3), read strictly and decided exactly.

SpiffWorkflow takes the first row whatever the hit policy says, answers {} where no row fits and compares with floats. Here a table
is refused before it is used when two rows of UNIQUE overlap, when a case fits no row or a row no case; and no match is an error.

Every input has a domain: its listed values, true and false, or numbers and days between bounds. The literals of the table cut it into
elementary cells (a point, or everything between two points) in which all its rows answer alike. So trying one value of each cell is
no sample: it is all there is.
"""

from __future__ import annotations

import hashlib
import itertools
import re
from bisect import bisect_left
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from typing import Any

from lxml import etree

from engine.errors import EngineError

MODEL = "https://www.omg.org/spec/DMN/20191111/MODEL/"
YB = "urn:yingbao:dmn:1"
TYPES = ("string", "number", "date", "boolean")
POLICIES = ("UNIQUE", "FIRST", "COLLECT")
MAX_RULES, MAX_CELLS, MAX_TOLD, MAX_BYTES = 500, 200_000, 10, 2 * 1024 * 1024
NEAR = Fraction(1, 1_000_000)  # how near to a number of the table its boundary tests go; to a day: the days beside it
_PARTS = {
    "definitions": {"decision", "description", "extensionElements"},
    "decision": {"decisionTable", "variable", "description", "extensionElements"},
    "decisionTable": {"input", "output", "annotation", "rule", "description", "extensionElements"},
    "input": {"inputExpression", "inputValues", "description", "extensionElements"},
    "inputExpression": {"text"},
    "inputValues": {"text"},
    "output": {"outputValues", "description", "extensionElements"},
    "outputValues": {"text"},
    "rule": {"inputEntry", "outputEntry", "annotationEntry", "description", "extensionElements"},
    "inputEntry": {"text"},
    "outputEntry": {"text"},
    "annotationEntry": {"text"},
}


class BadTable(EngineError):
    """A table that cannot be used; `faults` says why."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("; ".join(f"{f.rule} [{f.element}] {f.en}" for f in faults))
        self.faults = tuple(faults)


class NoDecision(EngineError):
    """These inputs fit no row, or more than one; or they are not the inputs of the table. The text names table and inputs."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong: rule of `engine.lint_rules.ADVICE`, id of the element, its line; `example`: inputs for which it shows."""

    rule: str
    element: str
    line: int
    zh: str
    en: str
    example: Mapping[str, Any] | None = None


class _Wrong(Exception):
    """A text of a cell that means nothing."""


# -- cells


@dataclass(frozen=True, slots=True)
class Span:
    """From `low` to `high`, each in it or not; None: without end. A single value is a span from itself to itself."""

    low: Any
    low_in: bool
    high: Any
    high_in: bool

    def holds(self, value: Any) -> bool:
        if self.low is not None and (value < self.low or (value == self.low and not self.low_in)):
            return False
        return self.high is None or value < self.high or (value == self.high and self.high_in)


@dataclass(frozen=True, slots=True)
class Test:
    """A cell of a condition as written. No spans: whatever it is."""

    text: str
    spans: tuple[Span, ...] = ()
    negated: bool = False

    def holds(self, value: Any) -> bool:
        return not self.spans or any(span.holds(value) for span in self.spans) != self.negated

    @property
    def points(self) -> set[Any]:
        return {end for span in self.spans for end in (span.low, span.high) if end is not None}


_TOKEN = re.compile(
    r'\s*(?:(?P<string>"[^"\\]{0,200}")|(?P<date>date\(\s*"[0-9]{4}-[0-9]{2}-[0-9]{2}"\s*\))|(?P<number>-?[0-9]{1,18}(?:\.[0-9]{1,9})?)(?!\w|\.[0-9])'
    r"|(?P<boolean>true|false)(?!\w)|(?P<not>not(?=\s*\())|(?P<sign><=|>=|<|>|\.\.|[\[\](),]))"
)


def _tokens(text: str) -> list[tuple[str, str]]:
    found, at = list[tuple[str, str]](), 0
    while text[at:].strip():
        match = _TOKEN.match(text, at)
        if match is None or match.lastgroup is None:
            raise _Wrong(f"{text[at:].strip()[:40]!r}")
        found.append((match.lastgroup, match.group(match.lastgroup)))
        at = match.end()
    return found


def _literal(kind: str, text: str, wanted: str) -> Any:
    if kind != wanted:
        raise _Wrong(f"{text} is no {wanted}")
    if kind == "string":
        return text[1:-1]
    if kind == "boolean":
        return text == "true"
    if kind == "number":
        return Fraction(text)
    try:
        return date.fromisoformat(text[text.index('"') + 1 : text.rindex('"')])
    except ValueError:
        raise _Wrong(f"there is no such day: {text}") from None


class _Reader:
    """Unary tests: `-`, literals, lists, `<`, `<=`, `>`, `>=`, intervals, `not(…)`."""

    def __init__(self, text: str, kind: str) -> None:
        self.text, self.kind, self.tokens = text, kind, _tokens(text)

    def test(self) -> Test:
        negated = self._next("not")
        if negated:
            self._sign("(")
        spans = [self._one()]
        while self._next("sign", ","):
            spans.append(self._one())
        if negated:
            self._sign(")")
        if self.tokens:
            raise _Wrong(f"{self.tokens[0][1]} stands where nothing should")
        return Test(self.text, tuple(spans), negated)

    def _one(self) -> Span:
        for sign in ("<", "<=", ">", ">="):
            if self._next("sign", sign):
                end = self._value(ordered=True)
                return Span(None, False, end, sign == "<=") if sign[0] == "<" else Span(end, sign == ">=", None, False)
        for sign, low_in in (("[", True), ("(", False), ("]", False)):
            if self._next("sign", sign):
                return self._interval(low_in)
        value = self._value()
        return Span(value, True, value, True)

    def _interval(self, low_in: bool) -> Span:  # noqa: FBT001
        low = self._value(ordered=True)
        self._sign("..")
        high = self._value(ordered=True)
        for sign, high_in in (("]", True), (")", False), ("[", False)):
            if self._next("sign", sign):
                if low > high or (low == high and not (low_in and high_in)):
                    raise _Wrong("an interval with nothing in it")
                return Span(low, low_in, high, high_in)
        raise _Wrong("an interval without its end")

    def _value(self, *, ordered: bool = False) -> Any:
        if ordered and self.kind in ("string", "boolean"):
            raise _Wrong(f"a {self.kind} has no order")
        if not self.tokens:
            raise _Wrong("a value is missing")
        kind, text = self.tokens.pop(0)
        return _literal(kind, text, self.kind)

    def _next(self, kind: str, text: str = "") -> bool:
        if self.tokens and self.tokens[0][0] == kind and (not text or self.tokens[0][1] == text):
            self.tokens.pop(0)
            return True
        return False

    def _sign(self, text: str) -> None:
        if not self._next("sign", text):
            raise _Wrong(f"{text} is missing")


def read_test(text: str, kind: str) -> Test:
    """ValueError for what is no test on values of this type."""
    said = text.strip()
    try:
        return Test(said) if said == "-" else _Reader(said, kind).test()
    except _Wrong as error:
        raise ValueError(str(error)) from None


def read_value(text: str, kind: str) -> Any:
    """The one literal of an output. ValueError for anything else."""
    try:
        [(found, token)] = _tokens(text) or [("", "")]
        value = _literal(found, token, kind)
    except (_Wrong, ValueError) as error:
        raise ValueError(str(error) if isinstance(error, _Wrong) else f"one literal stands here, not {text.strip()[:40]!r}") from None
    return Decimal(token) if kind == "number" else value


# -- tables


@dataclass(frozen=True)
class Input:
    """`domain`: what values there are; the table answers for all of them and for no others."""

    name: str
    kind: str
    zh: str
    en: str
    domain: Test

    def cells(self, points: Collection[Any]) -> list[Any]:
        """A value of each elementary cell, in order. `points`: the literals with which the table compares this input."""
        if self.kind == "boolean":
            return [False, True]
        if self.kind == "string":
            return [span.low for span in self.domain.spans]
        ends = sorted({*points, *self.domain.points})
        found = [value for value in _between(ends, self.kind) if self.domain.holds(value)]
        return list(dict.fromkeys(found))

    def near(self, points: Collection[Any]) -> list[Any]:
        """The cells, and beside each number or day of the table what lies next to it."""
        cells = self.cells(points)
        if self.kind not in ("number", "date"):
            return cells
        beside = [near for point in {*points, *self.domain.points} for near in _beside(point, self.kind)]
        return sorted({*cells, *(value for value in beside if self.domain.holds(value))})

    def given(self, value: Any) -> Any:
        """The value as it is compared. TypeError when it is of another type, ValueError outside the domain."""
        if self.kind == "number" and type(value) is Fraction:  # isinstance asks an abstract class, which is slow
            found: Any = value
        elif not isinstance(value, _RIGHT[self.kind]) or (self.kind == "number" and isinstance(value, bool)):
            raise TypeError(f"{self.name} is a {self.kind}, not {value!r}")
        else:
            found = _exact(value) if self.kind == "number" else value
        if not self.domain.holds(found):
            raise ValueError(f"{self.name} = {shown(value)} lies outside of {self.domain.text}")
        return found


def _exact(value: Any) -> Fraction:
    return Fraction(value)


_RIGHT: Mapping[str, tuple[type, ...]] = {"string": (str,), "boolean": (bool,), "date": (date,), "number": (int, Decimal, Fraction)}


def _between(ends: Sequence[Any], kind: str) -> Iterator[Any]:
    if kind == "number":
        if not ends:
            yield Fraction()
            return
        yield ends[0] - 1
        for low, high in itertools.pairwise([*ends, ends[-1] + 2]):
            yield from (low, (low + high) / 2)
        return
    if not ends:
        yield date(2000, 1, 1)
        return
    if ends[0] > date.min:
        yield ends[0] - timedelta(days=1)
    for low, high in itertools.pairwise([*ends, date.max]):
        yield low
        if low < high and (low + timedelta(days=1) < high or high == date.max):
            yield low + timedelta(days=1)


def _place(ends: Sequence[Any], value: Any) -> int:
    """The number of the elementary cell: between two ends even, on one odd."""
    at = bisect_left(ends, value)
    return 2 * at + (at < len(ends) and ends[at] == value)


def _beside(point: Any, kind: str) -> list[Any]:
    if kind == "number":
        return [point - NEAR, point + NEAR]
    return [point + timedelta(days=n) for n in (-1, 1) if date.min < point < date.max]


@dataclass(frozen=True)
class Output:
    name: str
    kind: str
    zh: str
    en: str
    values: Test

    def among(self, value: Any) -> None:
        """ValueError for a value that the column does not know."""
        if not self.values.holds(Fraction(value) if self.kind == "number" else value):
            raise ValueError(f"not among {self.values.text}")


@dataclass(frozen=True)
class Rule:
    id: str
    line: int
    tests: tuple[Test, ...]
    values: tuple[Any, ...]  # Decimal for numbers, date for days
    texts: tuple[str, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Decision:
    """What a table said: the rows that fired, and their outputs (one table of them; with COLLECT one for each row)."""

    table: str
    digest: str
    inputs: Mapping[str, Any]
    rules: tuple[str, ...]
    found: tuple[Mapping[str, Any], ...]
    source: Table = field(repr=False, compare=False)

    def __getitem__(self, name: str) -> Any:
        return self.found[0][name]

    def said(self) -> dict[str, Any]:
        """As it stands in an entry: JSON, numbers and days as texts."""
        return {
            "table": self.table,
            "inputs": {name: in_json(value) for name, value in self.inputs.items()},
            "rules": list(self.rules),
            "outputs": [{name: in_json(value) for name, value in one.items()} for one in self.found],
        }


def in_json(value: Any) -> Any:
    return value if isinstance(value, (bool, str)) else value.isoformat() if isinstance(value, date) else str(value)


def shown(value: Any) -> str:
    """As it would be written in a cell."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, date):
        return f'date("{value}")'
    return f'"{value}"' if isinstance(value, str) else str(value)


@dataclass(frozen=True)
class Table:
    key: str
    zh: str
    en: str
    policy: str
    inputs: tuple[Input, ...]
    outputs: tuple[Output, ...]
    notes: tuple[str, ...]  # names of the annotation columns
    rules: tuple[Rule, ...]
    xml: bytes
    element: str
    line: int
    personal: bool = False  # what it is asked tells of somebody's health: an entry names the table, not the inputs

    @cached_property
    def digest(self) -> str:
        return hashlib.sha256(self.xml).hexdigest()

    @classmethod
    def parse(cls, xml: bytes) -> Table:
        """Raises BadTable for what cannot be read; what is read may still have faults (`faults`)."""
        made = _Parser(xml)
        table = made.table()
        if table is None or made.faults:
            raise BadTable(made.faults)
        return table

    @classmethod
    def load(cls, xml: bytes) -> Table:
        """A table that may be used. Raises BadTable."""
        table = cls.parse(xml)
        if found := list(table.faults()):
            raise BadTable(found)
        return table

    def decide(self, inputs: Mapping[str, Any]) -> Decision:
        """Raises NoDecision, which names the table and the inputs."""
        if inputs.keys() != (names := {one.name for one in self.inputs}):
            odd = sorted(inputs.keys() ^ names)
            raise NoDecision(f"决策表 {self.key} 的输入不符：{odd} / {self.key}: unknown or missing inputs {odd}")
        try:
            values = [one.given(inputs[one.name]) for one in self.inputs]
        except (TypeError, ValueError) as error:
            raise NoDecision(f"决策表 {self.key}：{error} / {self.key}: {error}") from None
        fits, found = self._fitting(values)
        if not fits or (self.policy == "UNIQUE" and len(fits) > 1):
            said = ", ".join(f"{name} = {shown(value)}" for name, value in inputs.items())
            zh, en = ("没有一行符合", "no row fits") if not fits else ("不止一行符合", f"more than one row fits ({', '.join(fits)})")
            raise NoDecision(f"决策表 {self.key} {zh}：{said} / {self.key}: {en}: {said}")
        return Decision(self.key, self.digest, dict(inputs), fits, found, self)

    def _fitting(self, values: Sequence[Any]) -> tuple[tuple[str, ...], tuple[Mapping[str, Any], ...]]:
        """Ids and outputs of the rows that fit (under FIRST the first). All values of one elementary cell fit the same rows, so each
        cell is looked at once."""
        cell = tuple(value if ends is None else _place(ends, value) for ends, value in zip(self._ends, values, strict=True))
        if (known := self._known.get(cell)) is None:
            rows = [rule for rule in self.rules if all(test.holds(value) for test, value in zip(rule.tests, values, strict=True))]
            fired = rows[:1] if self.policy == "FIRST" else rows
            found = tuple({o.name: v for o, v in zip(self.outputs, rule.values, strict=True)} for rule in fired)
            known = self._known[cell] = tuple(rule.id for rule in fired), found
        return known

    @cached_property
    def _ends(self) -> tuple[list[Any] | None, ...]:
        """Of each input the literals with which it is compared, in order; None where values stand by themselves."""
        return tuple(sorted(self.points(n)) if one.kind in ("number", "date") else None for n, one in enumerate(self.inputs))

    @cached_property
    def _known(self) -> dict[tuple[Any, ...], tuple[tuple[str, ...], tuple[Mapping[str, Any], ...]]]:
        return {}

    def again(self, said: Mapping[str, Any]) -> dict[str, Any]:
        """Decide what an entry said (`Decision.said`) once more, in the same shape. Raises NoDecision."""
        kinds = {one.name: one.kind for one in self.inputs}
        try:
            inputs = {name: of_json(value, kinds.get(name, "string")) for name, value in said["inputs"].items()}
        except (TypeError, ValueError) as error:
            raise NoDecision(f"{self.key}: {error}") from None
        return self.decide(inputs).said()

    # -- every elementary cell

    def points(self, n: int) -> set[Any]:
        return {point for rule in self.rules for point in rule.tests[n].points}

    def boundary_inputs(self) -> Iterator[dict[str, Any]]:
        """Inputs of the boundary tests: each elementary cell, and what lies next to each boundary. Raises BadTable when they are too many."""
        axes = [one.near(self.points(n)) for n, one in enumerate(self.inputs)]
        self._bounded(axes)
        for values in itertools.product(*axes):
            yield dict(zip((one.name for one in self.inputs), values, strict=True))

    def boundary_tests(self) -> Iterator[dict[str, Any]]:
        """The same with what the table says (`Decision.said`), to be pinned down as golden data."""
        return (self.decide(inputs).said() for inputs in self.boundary_inputs())

    def _bounded(self, axes: Sequence[Sequence[Any]]) -> None:
        size = 1
        for axis in axes:
            size *= len(axis)
        if size > MAX_CELLS or len(self.rules) > MAX_RULES:
            zh, en = f"表有 {size} 个单元、{len(self.rules)} 行，无法逐一核对", f"{size} cells and {len(self.rules)} rows are too many to try them all"
            raise BadTable([Fault("dmn-too-large", self.element, self.line, zh, en)])

    def faults(self) -> Iterator[Fault]:
        """Rows that overlap under UNIQUE, inputs that fit no row, rows that no inputs reach, each with the inputs that show it."""
        axes = [one.cells(self.points(n)) for n, one in enumerate(self.inputs)]
        try:
            self._bounded(axes)
        except BadTable as error:
            yield from error.faults
            return
        masks = [[sum(rule.tests[n].holds(value) << r for r, rule in enumerate(self.rules)) for value in axis] for n, axis in enumerate(axes)]
        pairs, reached, gaps = dict[tuple[int, int], tuple[int, ...]](), 0, list[tuple[int, ...]]()
        for places in itertools.product(*(range(len(axis)) for axis in axes)):
            mask = (1 << len(self.rules)) - 1
            for n, place in enumerate(places):
                mask &= masks[n][place]
            if not mask:
                gaps.append(places)
            elif self.policy == "UNIQUE" and mask & (mask - 1):
                first, second = itertools.islice((r for r in range(len(self.rules)) if mask >> r & 1), 2)
                pairs.setdefault((first, second), places)
            reached |= mask & -mask if self.policy == "FIRST" else mask
        yield from self._told(axes, pairs, gaps, reached)

    def _told(self, axes: Any, pairs: Mapping[tuple[int, int], tuple[int, ...]], gaps: Sequence[tuple[int, ...]], reached: int) -> Iterator[Fault]:
        for (first, second), places in pairs.items():
            one, other, example = self.rules[first], self.rules[second], self._example(axes, places)
            at = _words(example)
            yield Fault("dmn-overlap", other.id, other.line, f"与 {one.id} 行同时符合：{at}", f"fits together with {one.id}: {at}", example)
        for places in gaps[:MAX_TOLD]:
            example = self._example(axes, places)
            at = _words(example)
            more = f"（共 {len(gaps)} 处）" if len(gaps) > MAX_TOLD else ""
            yield Fault("dmn-gap", self.element, self.line, f"没有一行符合：{at}{more}", f"no row fits: {at}" + f" ({len(gaps)} such places)" * bool(more), example)
        for r, rule in enumerate(self.rules):
            if not reached >> r & 1:
                taken = self._taken(rule, axes)
                zh, en = (f"（例：{_words(taken)} 由前面的行决定）", f", e.g. an earlier one takes {_words(taken)}") if taken else ("", "")
                yield Fault("dmn-unreachable", rule.id, rule.line, f"这一行永远用不到{zh}", f"this row is never used{en}", taken)

    def _fits(self, rule: Rule, axes: Any, places: Sequence[int]) -> bool:
        return all(test.holds(axes[n][p]) for n, (test, p) in enumerate(zip(rule.tests, places, strict=True)))

    def _taken(self, rule: Rule, axes: Any) -> dict[str, Any] | None:
        """Inputs that would fit the row and that an earlier one takes; None when nothing fits it."""
        for at in itertools.product(*(range(len(axis)) for axis in axes)):
            if self._fits(rule, axes, at):
                return self._example(axes, at)
        return None

    def _example(self, axes: Any, places: Sequence[int]) -> dict[str, Any]:
        return {one.name: axes[n][p] for n, (one, p) in enumerate(zip(self.inputs, places, strict=True))}


def _words(inputs: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} = {shown(value)}" for name, value in inputs.items())


def of_json(value: Any, kind: str) -> Any:
    """The inverse of `in_json`. ValueError or TypeError for what is no value of this type."""
    if kind == "number":
        return Fraction(value) if isinstance(value, str) and len(value) < 100 else value
    return date.fromisoformat(value) if kind == "date" else value


# -- reading


class _Parser:
    """Reads a file; whatever it does not know is a fault, for what another program would make of it nobody knows."""

    def __init__(self, xml: bytes) -> None:
        self.xml, self.faults = xml, list[Fault]()

    def fault(self, rule: str, element: Any, zh: str, en: str) -> None:
        place = ("", 1) if element is None else (element.get("id") or etree.QName(element).localname, element.sourceline or 0)
        self.faults.append(Fault(rule, *place, zh, en))

    def table(self) -> Table | None:
        tree = self._tree()
        if tree is None:
            return None
        if tree.tag != f"{{{MODEL}}}definitions":
            self.fault("not-dmn", None, "不是 DMN 1.3 文件", "not a DMN 1.3 file")
            return None
        self._known(tree)
        tables = list(tree.iter(f"{{{MODEL}}}decisionTable"))
        if not tables:
            self.fault("not-dmn", None, "没有决策表", "no decision table")
            return None
        for more in tables[1:]:
            self.fault("dmn-several-tables", more, "一个文件有几张决策表", "several decision tables in one file")
        return self._table(tables[0])

    def _tree(self) -> Any:
        if len(self.xml) > MAX_BYTES:
            self.fault("too-large", None, "文件超过 2 MB", "larger than 2 MB")
            return None
        closed = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False, load_dtd=False, remove_comments=True, remove_pis=True)
        try:
            tree: Any = etree.fromstring(self.xml, closed)
        except (etree.XMLSyntaxError, ValueError, LookupError) as error:
            self.fault("not-xml", None, f"不是 XML：{error}", f"not XML: {error}")
            return None
        if tree.getroottree().docinfo.doctype:
            self.fault("doctype", None, "不允许 DOCTYPE", "a DOCTYPE is refused")
            return None
        return tree

    def _known(self, element: Any) -> None:
        name = etree.QName(element).localname
        for child in element:
            said = etree.QName(child).localname if isinstance(child.tag, str) else "?"
            foreign = isinstance(child.tag, str) and etree.QName(child).namespace != MODEL
            if foreign and name == "definitions":
                continue  # the layout
            if foreign or said not in _PARTS.get(name, set()):
                self.fault("dmn-element", child, f"{name} 里的 {said} 不受支持", f"{said} in {name} is not supported")
            elif said in _PARTS:
                self._known(child)

    def _table(self, table: Any) -> Table | None:
        policy, decision = table.get("hitPolicy", "UNIQUE"), table.getparent()
        if policy not in POLICIES or table.get("aggregation"):
            self.fault("dmn-hit-policy", table, f"命中策略 {policy} 不受支持", f"hit policy {policy} is not run rightly")
        key = decision.get("id") or ""
        if not re.fullmatch(r"[a-z][a-z0-9-]{0,39}", key):
            self.fault("dmn-name", decision, "决策编号应为小写字母、数字与 -", "the decision's id: small letters, digits and -, at most 40")
        inputs = [self._input(one) for one in table.iterfind(f"{{{MODEL}}}input")]
        outputs = [self._output(one) for one in table.iterfind(f"{{{MODEL}}}output")]
        notes = tuple(one.get("name", "") for one in table.iterfind(f"{{{MODEL}}}annotation"))
        names = [one.name for one in (*inputs, *outputs) if one]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            self.fault("dmn-name", table, f"名称重复：{twice}", f"said twice: {twice}")
        if not inputs or not outputs:
            self.fault("dmn-columns", table, "表应有输入与输出", "a table has inputs and outputs")
        if not all(inputs) or not all(outputs):
            return None
        rules = [self._rule(one, inputs, outputs, notes) for one in table.iterfind(f"{{{MODEL}}}rule")]
        if not rules:
            self.fault("dmn-columns", table, "表没有一行", "a table has rows")
        if len({rule.id for rule in rules if rule}) != len(rules) and all(rules):
            self.fault("duplicate-id", table, "行的编号重复", "two rows of one id")
        if not all(rules):
            return None
        return Table(key, decision.get("name", key), decision.get(f"{{{YB}}}en", key), policy, tuple(filter(None, inputs)), tuple(filter(None, outputs)), notes,
                     tuple(filter(None, rules)), self.xml, table.get("id") or key, table.sourceline or 0, decision.get(f"{{{YB}}}personal") == "true")  # fmt: skip

    def _input(self, element: Any) -> Input | None:
        expression = element.find(f"{{{MODEL}}}inputExpression")
        name = _text(expression)
        kind = "" if expression is None else expression.get("typeRef", "")
        if not re.fullmatch(r"[a-z][a-z0-9_]{0,39}", name):
            self.fault("dmn-unknown-input", element, f"输入应是一个事实的名称，不是 {name!r}", f"an input is the name of a fact, not {name!r}")
            return None
        said = _text(element.find(f"{{{MODEL}}}inputValues")) or "-"
        domain = self._domain(element, said, kind)
        if kind == "string" and domain is not None and (domain.negated or not domain.spans):
            self.fault("dmn-no-domain", element, f"{name} 应列出可能的值", f"{name}: list the values that there are")
            return None
        return None if domain is None else Input(name, kind, element.get("label", name), element.get(f"{{{YB}}}en", name), domain)

    def _output(self, element: Any) -> Output | None:
        name, kind = element.get("name", ""), element.get("typeRef", "")
        if not re.fullmatch(r"[a-z][a-z0-9_]{0,39}", name):
            self.fault("dmn-name", element, f"输出的名称不对：{name!r}", f"no name of an output: {name!r}")
            return None
        values = self._domain(element, _text(element.find(f"{{{MODEL}}}outputValues")) or "-", kind)
        return None if values is None else Output(name, kind, element.get("label", name), element.get(f"{{{YB}}}en", name), values)

    def _domain(self, element: Any, said: str, kind: str) -> Test | None:
        if kind not in TYPES:
            self.fault("dmn-type", element, f"类型 {kind!r} 不受支持", f"the type {kind!r} is none of {', '.join(TYPES)}")
            return None
        try:
            return read_test(said, kind)
        except ValueError as error:
            self.fault("dmn-type", element, f"值域 {said} 无法读懂：{error}", f"the domain {said} means nothing: {error}")
            return None

    def _rule(self, element: Any, inputs: Sequence[Any], outputs: Sequence[Any], notes: Sequence[str]) -> Rule | None:
        parts = [[_text(one) for one in element.iterfind(f"{{{MODEL}}}{name}")] for name in ("inputEntry", "outputEntry", "annotationEntry")]
        if [len(part) for part in parts] != [len(inputs), len(outputs), len(notes)] or not element.get("id"):
            self.fault("dmn-columns", element, "这一行与表头不符，或没有编号", "the row does not fit the columns, or has no id")
            return None
        before, tests, values = len(self.faults), [], []
        for one, said in zip(inputs, parts[0], strict=True):
            try:
                tests.append(read_test(said, one.kind))
                self._inside(element, one, tests[-1])
            except ValueError as error:
                self.fault("dmn-type", element, f"{one.name}：{said or '（空）'} 无法读懂：{error}", f"{one.name}: {said!r} is no test on a {one.kind}: {error}")
        for one, said in zip(outputs, parts[1], strict=True):
            try:
                values.append(read_value(said, one.kind))
                one.among(values[-1])
            except ValueError as error:
                self.fault("dmn-type", element, f"{one.name}：{said or '（空）'} 不对：{error}", f"{one.name}: {said!r}: {error}")
        if len(self.faults) > before:
            return None
        return Rule(element.get("id"), element.sourceline or 0, tuple(tests), tuple(values), tuple(parts[1]), tuple(parts[2]))

    def _inside(self, element: Any, one: Any, test: Test) -> None:
        """A value that the enumeration does not know is a slip of the pen, and its row would be dead."""
        if one.kind == "string" and (odd := sorted(test.points - one.domain.points)):
            self.fault("dmn-type", element, f"{one.name} 没有值 {odd}", f"{one.name} has no value {odd}")


def _text(element: Any) -> str:
    return "" if element is None else "".join(element.itertext()).strip()


def faults(xml: bytes, inputs: Collection[str] | None = None) -> list[Fault]:
    """All that is wrong with a table, whatever it is. `inputs`: the names that whoever asks it will give."""
    try:
        table = Table.parse(xml)
    except BadTable as error:
        return list(error.faults)
    found = list(table.faults())
    if inputs is not None and (odd := sorted({one.name for one in table.inputs} ^ set(inputs))):
        found.append(Fault("dmn-unknown-input", table.element, table.line, f"输入与程序给的不符：{odd}", f"inputs that nobody gives, or nobody asks for: {odd}"))
    return found


# -- tables in use


def named(decisions: Sequence[Decision]) -> dict[str, Any]:
    """What an entry says of the tables that were asked: `tables`, name -> sha256 of the text; `decided`, what they said. Empty when
    there was none."""
    if not decisions:
        return {}
    decided = [one.said() for one in decisions if not one.source.personal]
    return {"tables": {one.table: one.digest for one in decisions}} | ({"decided": decided} if decided else {})


def merged(*said: Mapping[str, Any]) -> dict[str, Any]:
    """Several of `named` as one."""
    tables = {name: digest for one in said for name, digest in one.get("tables", {}).items()}
    decided = [one for part in said for one in part.get("decided", ())]
    return ({"tables": tables} if tables else {}) | ({"decided": decided} if decided else {})


_noting: ContextVar[tuple[list[Decision], ...]] = ContextVar("noting", default=())
_lent: ContextVar[Mapping[str, Table]] = ContextVar("lent", default={})  # noqa: B039 - never changed
_in_force: ContextVar[Mapping[str, Table]] = ContextVar("tables in force", default={})  # noqa: B039 - never changed


class Shelf:
    """The tables of a program by name. Who needs to know what was asked (a case's entry names it) opens `noting` around it."""

    def __init__(self, tables: Mapping[str, Table]) -> None:
        self.tables = dict(tables)

    def __getitem__(self, name: str) -> Table:
        return _lent.get().get(name) or self.current(name)

    def current(self, name: str) -> Table:
        """The table in force: this program's, but within `put_in_force`."""
        return _in_force.get().get(name) or self.tables[name]

    def digest(self, name: str) -> str | None:
        return self.current(name).digest if name in self.tables else None

    def asks_like(self, name: str, other: Table) -> bool:
        """Whether the table of today is asked what another one of its name was: only then can it be asked what that one said."""
        here = self.current(name) if name in self.tables else None
        return here is not None and [(one.name, one.kind) for one in here.inputs] == [(one.name, one.kind) for one in other.inputs]

    def decide(self, name: str, **inputs: Any) -> Decision:
        """Raises NoDecision."""
        made = self[name].decide(inputs)
        for notes in _noting.get():
            notes.append(made)
        return made

    @contextmanager
    def put_in_force(self, tables: Mapping[str, Table]) -> Iterator[None]:
        """Within, these are the tables in force in place of this program's own of their names."""
        token = _in_force.set(tables)
        try:
            yield
        finally:
            _in_force.reset(token)

    @contextmanager
    def lent(self, tables: Mapping[str, Table]) -> Iterator[None]:
        """Others in their place, to do again what was decided by them."""
        token = _lent.set(tables)
        try:
            yield
        finally:
            _lent.reset(token)


@contextmanager
def noting() -> Iterator[list[Decision]]:
    """What is decided inside, in order."""
    found: list[Decision] = []
    token = _noting.set((*_noting.get(), found))
    try:
        yield found
    finally:
        _noting.reset(token)
