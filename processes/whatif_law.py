"""A changed law to try: amounts in YAML as `law/*.yaml` writes them, or a decision table. Read strictly; what is wrong is said with
its line. A whole file of the law with one value changed is read, too. A name's new rows stand from their first day on in place of those of the law in force."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

import yaml

from engine import dmn as tables
from engine.errors import Invalid
from processes import dmn, law
from processes.eligibility_facts import EARLIEST

MOST_BYTES = 256 * 1024
TABLE = "category"  # the decision table that an amount follows from
_LEFT_ALONE = ("year_end_", "festival_", "heating_")  # paid besides, not by the month
_LIMITS = frozenset({"temp_emergency_months", "expenditure_months"})  # of the procedure's numbers, those from which an amount follows
_COLUMNS = ("from", "value", "source", "unverified")
_COUNTED = re.compile(r"(income_window_months|flexible_age|property_refuses)_|destitute_(.*_years$|(obligor_|severe_)?grade)")  # things, years or grades, no amount
_PLAIN = re.compile(r"[0-9]{1,7}(\.[0-9]{1,4})?")


@dataclass(frozen=True, slots=True)
class Fault:
    line: int
    zh: str
    en: str


class BadChange(Invalid):
    """A file that cannot be tried; `faults` says what is wrong at which line, in the order of lines."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(sorted(faults, key=lambda one: one.line))
        super().__init__({"law": [f"第 {f.line} 行：{f.zh}" for f in self.faults]}, {"law": [f"line {f.line}: {f.en}" for f in self.faults]})


@dataclass(frozen=True)
class Changed:
    """The law to try. book: amounts, None: those in force; tables: name -> table in place of the one in force; rows: the new rows."""

    book: law.Book | None = None
    tables: Mapping[str, tables.Table] = field(default_factory=dict)
    rows: Mapping[str, tuple[law.Value, ...]] = field(default_factory=dict)

    @contextmanager
    def applies(self) -> Iterator[None]:
        """Over what is in force where this is asked: within a reading, what was deployed counts."""
        here = law.book()
        book = self.book if here is None else law.overlaid(self.rows) if self.rows else here
        with law.under(book), dmn.SHELF.lent(self.tables):
            yield

    def always(self, month: date) -> Changed:
        """The same, as if what stands for that month had stood since ever: to try it on decisions of before."""
        since = date.fromisoformat(f"{EARLIEST}-01")
        rows = {name: (replace(next(v for v in reversed(values) if v.since <= month), since=since),) for name, values in self.rows.items()}
        return Changed(law.overlaid(rows) if rows else None, self.tables, rows)

    @property
    def digest(self) -> str:
        """Names the law and the table that are tried."""
        return " ".join([law.DIGEST if self.book is None else self.book.digest, *(table.digest for table in self.tables.values())])

    def told(self, month: date) -> dict[str, Any]:
        """What is tried, in JSON: the values of the month before and after, and the tables by their sha256."""
        values = []
        for name, rows in sorted(self.rows.items()):
            before, after = law.in_force(name, month), next(v for v in reversed(rows) if v.since <= month)
            values.append({"name": name, "before": before and before.text, "after": after.text, "since": after.since.isoformat(), "source": after.source})
        return {"values": values, "tables": [{"name": n, "before": dmn.SHELF.digest(n), "after": t.digest} for n, t in self.tables.items()]}


def read(files: Sequence[bytes], month: date) -> Changed:
    """The changed law of one or several files, for a month (its first day). Raises BadChange."""
    rows: dict[str, tuple[law.Value, ...]] = {}
    changed: dict[str, tables.Table] = {}
    for raw in files:
        if raw.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
            table = _table(raw)
            if table.key in changed:
                raise BadChange([Fault(table.line, f"决策表 {table.key} 给出了两次", f"the table {table.key} is given twice")])
            changed[table.key] = table
            continue
        for name, (line, values) in _amounts(raw, month).items():
            if name in rows:
                raise BadChange([Fault(line, f"{name} 在两个文件里都有", f"{name} stands in two files")])
            rows[name] = values
    if differing := {name: values for name, values in rows.items() if _texts(values) != _texts(law.rows(name))}:
        rows = differing  # of a whole file, what it changes
    if not rows and not changed:
        raise BadChange([Fault(1, "没有给出任何改动", "nothing is changed")])
    return Changed(law.overlaid(rows) if rows else None, changed, rows)


# -- decision tables


def _table(raw: bytes) -> tables.Table:
    now = dmn.SHELF[TABLE]
    if found := tables.faults(raw, [one.name for one in now.inputs]):
        raise BadChange([Fault(f.line, f"[{f.rule} {f.element}] {f.zh}{_example(f, '，例如')}", f"[{f.rule} {f.element}] {f.en}{_example(f, ', e.g. ')}") for f in found])
    table = tables.Table.parse(raw)
    faults = []
    if table.key != TABLE:
        faults.append(Fault(table.line, f"决策表 {table.key} 不影响金额，只能试算 {TABLE}", f"the table {table.key} decides no amount: only {TABLE} can be tried"))
    elif not dmn.SHELF.asks_like(TABLE, table):
        faults.append(Fault(table.line, "各输入列的次序或类型与现行决策表不同", "the inputs have another order or type than those of the table in force"))
    elif [one.name for one in table.outputs] != [one.name for one in now.outputs]:
        faults.append(Fault(table.line, "输出列与现行决策表不同", "the outputs are not those of the table in force"))
    else:
        known = {value for rule in now.rules for value in rule.values}
        faults = [Fault(rule.line, f"没有这种结果：{value}", f"there is no such outcome: {value}") for rule in table.rules for value in rule.values if value not in known]
    if faults:
        raise BadChange(faults)
    return table


def _example(fault: tables.Fault, before: str) -> str:
    return before + ", ".join(f"{k}={tables.in_json(v)}" for k, v in fault.example.items()) if fault.example else ""


# -- amounts


def _amounts(raw: bytes, month: date) -> dict[str, tuple[int, tuple[law.Value, ...]]]:
    """Name -> its line and its rows."""
    if len(raw) > MOST_BYTES:
        raise BadChange([Fault(1, "文件超过 256 KB", "larger than 256 KB")])
    try:
        loader = yaml.SafeLoader(raw)
        root = loader.get_single_node()
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise BadChange([Fault(mark.line + 1 if mark else 1, "不是正确的 YAML", f"not valid YAML: {getattr(error, 'problem', None) or error}")]) from None
    except RecursionError:
        raise BadChange([Fault(1, "嵌套过深", "nested too deep")]) from None
    reader = _Reader(loader, month)
    if not isinstance(root, yaml.MappingNode):
        reader.fault(root, "应为一个“参数名: 各期的值”的表", "should be a table of names")
    else:
        reader.names(root)
    if reader.faults:
        raise BadChange(reader.faults)
    return reader.found


class _Reader:
    """Reads nodes, not values: only they know their lines."""

    def __init__(self, loader: Any, month: date) -> None:
        self.loader, self.month = loader, month
        self.faults: list[Fault] = []
        self.found: dict[str, tuple[int, tuple[law.Value, ...]]] = {}

    def fault(self, node: Any, zh: str, en: str) -> None:
        self.faults.append(Fault(1 if node is None else node.start_mark.line + 1, zh, en))

    def names(self, root: Any) -> None:
        said: set[str] = set()
        for key, rows in root.value:
            name = key.value if isinstance(key, yaml.ScalarNode) else ""
            if name in said:
                self.fault(key, f"{name} 写了两次", f"{name} is said twice")
            elif not _may_change(name):
                if not self._as_in_force(name, rows):
                    self.fault(key, *_why_not(name))
            elif not isinstance(rows, yaml.SequenceNode) or not rows.value:
                self.fault(key, f"{name} 至少要有一行 {{from, value, source}}", f"{name} needs at least one row {{from, value, source}}")
            else:
                self._rows(name, key, rows.value)
            said.add(name)

    def _rows(self, name: str, key: Any, nodes: Sequence[Any]) -> None:
        before, values = len(self.faults), list[law.Value]()
        for node in nodes:
            if (value := self._value(name, node)) is None:
                continue
            if values and value.since <= values[-1].since:
                self.fault(node, f"{name} 的日期重叠：{value.since} 不晚于上一行的 {values[-1].since}", f"{name}: dates overlap, {value.since} is not after {values[-1].since} of the row before")
            values.append(value)
        if len(self.faults) > before:
            return
        if values[0].since > self.month:
            if _texts(values) == _texts(law.rows(name)):
                return
            self.fault(key, f"{name} 从 {values[0].since} 起才有值，{self.month:%Y-%m} 还没有可试算的值", f"{name} begins on {values[0].since}: it has no value for {self.month:%Y-%m}")
            return
        self.found[name] = (key.start_mark.line + 1, tuple(values))

    def _as_in_force(self, name: str, rows: Any) -> bool:
        """Whether a name that cannot be tried stands there as it stands in the law: whoever changes one value of a whole file changes only that."""
        if not isinstance(rows, yaml.SequenceNode) or not all(isinstance(node, yaml.MappingNode) for node in rows.value):
            return False
        said = [{key.value: self._scalar(value) for key, value in node.value if isinstance(key, yaml.ScalarNode)} for node in rows.value]
        return [(one.get("from"), one.get("value")) for one in said] == _texts(law.rows(name))

    def _value(self, name: str, node: Any) -> law.Value | None:
        if not isinstance(node, yaml.MappingNode):
            self.fault(node, "每一行应为 {from, value, source}", "every row is {from, value, source}")
            return None
        said, before = dict[str, Any](), len(self.faults)
        for key, value in node.value:
            column = key.value if isinstance(key, yaml.ScalarNode) else "?"
            if column not in _COLUMNS:
                self.fault(key, f"没有 {column} 这一列", f"there is no column {column}")
            elif column in said:
                self.fault(key, f"{column} 写了两次", f"{column} is said twice")
            else:
                said[column] = self._scalar(value)
        for column in _COLUMNS[:3]:
            if column not in said:
                self.fault(node, f"缺少 {column}", f"{column} is missing")
        if len(self.faults) > before:
            return None
        return self._judged(name, node, said)

    def _typed(self, node: Any) -> str:
        """The first day as somebody wrote it: a 30th of February is no day and has no value."""
        return next((str(value.value) for key, value in node.value if key.value == "from"), "")

    def _judged(self, name: str, node: Any, said: Mapping[str, Any]) -> law.Value | None:
        since, text, source, unverified = said["from"], said["value"], said["source"], said.get("unverified", False)
        if not isinstance(since, date) or isinstance(since, datetime):
            self.fault(node, f"from 应为日期，如 2019-04-01，不是 {self._typed(node)}", f"from is a day like 2019-04-01, not {self._typed(node)}")
        elif not isinstance(text, str) or not law.fits(name, text) or not _sensible(name, text):
            self.fault(node, f"value 不合适：{text!r}（数值写在引号里）", f"the value does not fit: {text!r} (a value is quoted text)")
        elif not isinstance(source, str) or not source.strip() or len(source) > 200:
            self.fault(node, "source 应写明依据", "source says where it stands")
        elif not isinstance(unverified, bool):
            self.fault(node, "unverified 应为 true 或 false", "unverified is true or false")
        else:
            return law.Value(name, since, text, source, unverified)
        return None

    def _scalar(self, node: Any) -> Any:
        if not isinstance(node, yaml.ScalarNode):
            return None
        try:
            return self.loader.construct_object(node)
        except (yaml.YAMLError, ValueError):
            return None


def _texts(rows: Sequence[law.Value]) -> list[tuple[Any, Any]]:
    return [(v.since, v.text) for v in rows]


def _may_change(name: str) -> bool:
    if name in _LIMITS or name in law.TO_COME:
        return True
    try:
        return law.file_of(name) != "procedure.yaml" and not name.startswith(_LEFT_ALONE) and not name.endswith(("_workdays", "_notice_days"))
    except law.BadLaw:
        return False


def _why_not(name: str) -> tuple[str, str]:
    if law.every(name):
        return f"{name} 不影响每月的类别和金额，不能试算", f"{name} decides no category and no monthly amount: it cannot be tried"
    return f"没有参数 {name!r}", f"there is no parameter {name!r}"


def _sensible(name: str, text: str) -> bool:
    """Whether an assessment can count with it: a plain number, a whole one where things are counted, not nothing where it divides."""
    if name.endswith("_operator"):
        return True
    if not _PLAIN.fullmatch(text):
        return False
    if name.startswith("member_excluded_"):
        return text == "1"  # in force from its day on; there is no other value
    if name in _LIMITS or _COUNTED.match(name):
        return text.isdecimal() and 1 <= int(text) <= (12 if "window" in name else 4 if "grade" in name else 150)
    if name.startswith(("dibao_standard_", "low_income_limit_")):
        return float(text) > 0 and len(text.partition(".")[2]) <= 2
    return True
