"""试算: what a changed law would do to the households in benefit as they stand, or would have done to the decisions of a period. It
reads, computes and writes nothing (docs/decisions/040, 052).

Each household is assessed twice for the month, by the law in force and by the changed one, with the figures on file; 特困 is the
standard and the care amount of the class of self-care, times the persons. Each decision is assessed twice for its own month, with the
figures by which it was made and by the rule of its programme (`whatif_programmes`). What differs is
the change's doing alone: that what is on record is another amount is said beside it.

    benefits or cases ──ids──> chunks ──> processes: figures in bulk, assess, assess ──rows──> Report
"""

from __future__ import annotations

import csv
import io
import json
import os
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Self

from sqlalchemy import Connection, bindparam, select

from engine import store
from engine.crypto import BoundKeys
from engine.dmn import NoDecision
from engine.errors import EngineError, Invalid, NotFound
from engine.queries import Area, within
from processes import dmn, eligibility, households, law, whatif_decisions, whatif_law, whatif_programmes
from processes.benefit_tables import benefit_adjustment
from processes.benefits import LIVE, is_destitute, number
from processes.bureau import Bureau, build
from processes.eligibility import LookedUp
from processes.eligibility_facts import EARLIEST, BadFacts
from processes.event_log import harmless
from processes.money import parse, to_fen, yuan
from processes.organisation import DISTRICT
from processes.proof_tables import erasure
from processes.standards import figures_day
from processes.tables import benefit, household, unit

CHUNK = 1000  # benefits that are read and computed at a time: nine statements
CASES = 200  # cases, for all their entries are read
MARGIN = "50.00"  # yuan a head from a line: what is nearer is a near miss
OVER = ("households", "decisions")
MOVES = ("enters", "leaves", "gains", "loses", "same")
VIEWS = ("changed", *MOVES, "near", "differs", "left_out", "all")
_LAST_YEAR = 2099
_IDS: Any = bindparam("ids", expanding=True)
_BENEFITS = (
    select(benefit.c.id, benefit.c.household_id, benefit.c.case_no, benefit.c.category.label("recorded"), benefit.c.amount_fen.label("recorded_fen"), benefit.c.status, benefit.c.members, benefit.c.self_care,
           benefit.c.last_review_on, benefit.c.granted_on, household.c.no.label("household_no"), household.c.street, household.c.community, household.c.hukou_kind)
    .join(household, household.c.id == benefit.c.household_id)
    .where(benefit.c.id.in_(_IDS))
    .order_by(benefit.c.id)
)  # fmt: skip
_CASES = select(benefit_adjustment.c.benefit_id, benefit_adjustment.c.case_no).where(benefit_adjustment.c.benefit_id.in_(_IDS), benefit_adjustment.c.case_no.is_not(None)).order_by(benefit_adjustment.c.id)
_BEGUN = select(store.record.c.no, store.entry.c.body).join(store.entry, store.entry.c.record_id == store.record.c.id).where(store.record.c.no.in_(_IDS), store.entry.c.seq == 1)
_HELD = select(erasure.c.subject).where(erasure.c.state.in_(("restricted", "proposed", "erased")))


class BadResume(EngineError):
    """A file of results that was not written by an interrupted run of the same question."""


class TooMany(Invalid):
    """More households, or cases, than may be computed at once here."""

    def __init__(self, found: int, most: int, over: str = "households") -> None:
        if over == OVER[0]:
            super().__init__({"scope": [f"范围内有 {found} 户，页面一次最多试算 {most} 户：请缩小范围，或用命令行 yingbao whatif"]},
                             {"scope": [f"{found} households there, and at most {most} at once here: narrow it down, or use the command line, yingbao whatif"]})  # fmt: skip
        else:
            super().__init__({"scope": [f"范围内有 {found} 件个案，页面一次最多试算 {most} 件：请缩小范围，或用命令行 yingbao whatif"]},
                             {"scope": [f"{found} cases there, and at most {most} at once here: narrow it down, or use the command line, yingbao whatif"]})  # fmt: skip


@dataclass(frozen=True)
class Question:
    """files: the changed law as sent; on: a day of the month that is tried; margin_fen: how near to a line is a near miss, a head.
    over: households in benefit, or decisions from `since` to `until`; own_months: each of them by what the changed law says of its own
    month, else by what it says of the month of `on`."""

    files: tuple[bytes, ...]
    on: date
    scope: str = DISTRICT
    margin_fen: int = 5000
    over: str = "households"
    since: date | None = None
    until: date | None = None
    own_months: bool = False

    @classmethod
    def understood(cls, files: Sequence[bytes], on: str, scope: str = "", margin: str = "", *, over: str = "", from_on: str = "", until_on: str = "") -> Question:
        """Raises Invalid; BadChange for the files. `on` may be left out over decisions."""
        period = _period(over or OVER[0], from_on, until_on)
        day = period[1] if period and not on else _day("on", on)
        if f"{day:%Y-%m}" < EARLIEST or day.year > _LAST_YEAR:
            raise Invalid({"on": ["没有这个月份的标准"]}, {"on": ["There is no standard for this month"]})
        try:
            fen = parse(margin or MARGIN)
        except ValueError as error:
            raise Invalid({"margin": [str(error)]}) from None
        since, until = period or (None, None)
        made = cls(tuple(files), day, scope or DISTRICT, fen, over or OVER[0], since, until, own_months=bool(period) and not on)
        _ = made.changed
        return made

    @property
    def month(self) -> date:
        return self.on.replace(day=1)

    @property
    def period(self) -> tuple[date, date] | None:
        """First and last day of the decisions; None over households."""
        return None if self.since is None or self.until is None else (self.since, self.until)

    @property
    def changed(self) -> whatif_law.Changed:
        return _changed(self.files, self.month, self.period is not None and not self.own_months)

    def key(self, today: date) -> str:
        """What the result depends on beside the households."""
        now = [law.digest(), dmn.SHELF[whatif_law.TABLE].digest]
        return json.dumps(["whatif", *now, self.changed.digest, f"{self.month:%Y-%m}", self.scope, self.margin_fen, today.isoformat(), *(day.isoformat() for day in self.period or ())])


def _period(over: str, from_on: str, until_on: str) -> tuple[date, date] | None:
    if over not in OVER:
        raise Invalid({"over": [f"只能是 {'、'.join(OVER)}"]}, {"over": [f"One of {', '.join(OVER)}"]})
    if over == OVER[0]:
        if from_on or until_on:
            name = "from_on" if from_on else "until_on"
            raise Invalid({name: ["起止日期只用于试算决定（decisions）"]}, {name: ["A period is asked of decisions only"]})
        return None
    first, last = _day("from_on", from_on), _day("until_on", until_on)
    if first > last:
        raise Invalid({"until_on": ["止日不能早于起日"]}, {"until_on": ["The last day is before the first"]})
    return first, last


def _day(name: str, text: str) -> date:
    try:
        if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise Invalid({name: ["日期应写作 2018-12-03"]})


@lru_cache(maxsize=4)
def _changed(files: tuple[bytes, ...], month: date, always: bool) -> whatif_law.Changed:  # noqa: FBT001
    """Read once: a table is checked cell by cell."""
    changed = whatif_law.read(files, month)
    return changed.always(month) if always else changed


Row = dict[str, Any]
_fraction: Callable[[Decimal], Fraction] = lru_cache(maxsize=64)(Fraction)


@dataclass
class Report:
    """What came out. rows: of each benefit, in the order of their ids (`_row`); earlier: how many of them an interrupted run computed."""

    question: Question
    rows: list[Row] = field(default_factory=list)
    earlier: int = 0
    names: Mapping[str, str] = field(default_factory=dict)  # of streets

    def told(self) -> dict[str, Any]:
        """Sums in JSON: no household is named."""
        moves = {move: {"households": 0, "before_fen": 0, "after_fen": 0} for move in MOVES}
        streets: dict[tuple[str, str], dict[str, Any]] = {}
        kinds: dict[tuple[str, str], int] = defaultdict(int)
        left: dict[str, int] = defaultdict(int)
        near: dict[tuple[str, str], int] = defaultdict(int)
        for row in self.rows:
            if row["reason"]:
                left[row["reason"]] += 1
                continue
            move = moves[row["move"]]
            move["households"] += 1
            move["before_fen"] += row["before_fen"]
            move["after_fen"] += row["after_fen"]
            kinds[row["before"], row["after"]] += 1
            if row["near"]:
                near[row["near"], "above" if row["above"] else "below"] += 1
            for side in ("before", "after"):
                sums = streets.setdefault((row["street"], row[side]), _sums(row["street"], row[side], self.names))
                sums[f"households_{side}"] += 1
                sums[f"{side}_fen"] += row[f"{side}_fen"]
        computed = [row for row in self.rows if not row["reason"]]
        month = self.question.month
        return {
            "over": self.question.over, "from_on": _iso(self.question.since), "until_on": _iso(self.question.until), "own_months": self.question.own_months,
            "month": f"{month:%Y-%m}", "scope": self.question.scope, "margin": yuan(self.question.margin_fen), "law": self.question.changed.told(month),
            "households": len(computed), "earlier": self.earlier, "left_out": [{"reason": k, "households": n} for k, n in sorted(left.items())],
            "recorded_fen": sum(row["recorded_fen"] for row in computed), "before_fen": sum(row["before_fen"] for row in computed), "after_fen": sum(row["after_fen"] for row in computed),
            "before_once_fen": sum(row["before_once_fen"] for row in computed), "after_once_fen": sum(row["after_once_fen"] for row in computed),
            "differs": sum(row["differs"] for row in computed), "moves": [{"move": move, **sums} for move, sums in moves.items()],
            "categories": [{"before": b, "after": a, "households": n} for (b, a), n in sorted(kinds.items())],
            "streets": [streets[key] for key in sorted(streets)],
            "near": [{"line": line, "side": side, "households": n} for (line, side), n in sorted(near.items())],
        }  # fmt: skip

    def seen(self, view: str) -> list[Row]:
        """The rows of a view (`VIEWS`)."""
        return [row for row in self.rows if _in_view(row, view)]


def _iso(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def _sums(street: str, category: str, names: Mapping[str, str]) -> dict[str, Any]:
    return {"street": street, "street_name": names.get(street, street), "category": category, "households_before": 0, "before_fen": 0, "households_after": 0, "after_fen": 0}


def _in_view(row: Row, view: str) -> bool:
    if view == "all":
        return True
    if view == "left_out" or row["reason"]:
        return bool(row["reason"]) and view == "left_out"
    if view in ("near", "differs"):
        return bool(row[view])
    return bool(row["move"] != "same" or row["before"] != row["after"]) if view == "changed" else bool(row["move"] == view)


# -- running


def run(made: Bureau, question: Question, *, processes: int = 1, resume: Path | None = None, told: Callable[[int, int], None] = lambda _done, _all: None) -> Report:
    """Everything of a scope, in several processes. They read one after the other while others work: a household that changes
    meanwhile stands as it was found. `resume`: where results are kept while it runs, and from which it goes on; removed at the end."""
    with made.office.snapshot() as conn:
        ids, report = _ids(conn, question), Report(question, names=_streets(conn))
    size = min(CHUNK, CASES) if question.period else CHUNK
    chunks = [ids[n : n + size] for n in range(0, len(ids), size)]
    today = made.office.today()
    with _Kept(resume, question.key(today)) as kept:
        done = kept.known(chunks)
        report.earlier = sum(len(done[n]) for n in done)
        open_ = [n for n in range(len(chunks)) if n not in done]
        count = sum(len(chunks[n]) for n in done)
        told(count, len(ids))
        for n, rows in zip(open_, _computed(made, question, [chunks[n] for n in open_], processes), strict=True):
            done[n] = rows
            kept.add(chunks[n], rows)
            count += len(chunks[n])
            told(count, len(ids))
        report.rows = [row for n in range(len(chunks)) for row in done[n]]
    if resume is not None:
        resume.unlink(missing_ok=True)
    return report


def look(made: Bureau, conn: Connection, question: Question, area: Area, most: int) -> Report:
    """The same within one connection, at one moment, for a page: of the scope inside of the area, and not more than so many."""
    ids = _ids(conn, question, area)
    if len(ids) > most:
        raise TooMany(len(ids), most, question.over)
    report, keys, changed = Report(question, names=_streets(conn)), made.office.keys.on(conn), question.changed
    size = min(CHUNK, CASES) if question.period else CHUNK
    for n in range(0, len(ids), size):
        report.rows += compute(conn, keys, ids[n : n + size], question, changed, made.office.today())
    return report


def _ids(conn: Connection, question: Question, area: Area | None = None) -> list[int]:
    if conn.scalar(select(unit.c.id).where(unit.c.code == question.scope)) is None:
        raise NotFound(f"没有这个机构：{question.scope}")
    if question.period:
        return list(conn.scalars(whatif_decisions.cases(*question.period, question.scope, area)))
    query = select(benefit.c.id).join(household, household.c.id == benefit.c.household_id).where(benefit.c.status.in_(LIVE), within(household.c.community, question.scope))
    if area is not None:
        query = query.where(within(household.c.community, area))
    return list(conn.scalars(query.order_by(benefit.c.id)))


def _streets(conn: Connection) -> dict[str, str]:
    return {row.code: row.name for row in conn.execute(select(unit.c.code, unit.c.name).where(unit.c.level == "street"))}


def _computed(made: Bureau, question: Question, chunks: Sequence[Sequence[int]], processes: int) -> Iterator[list[Row]]:
    if processes < 2 or len(chunks) < 2:
        changed = question.changed
        for chunk in chunks:
            with made.office.snapshot() as conn:
                rows = compute(conn, made.office.keys.on(conn), chunk, question, changed, made.office.today())
            yield rows
        return
    pool = ProcessPoolExecutor(processes, mp_context=get_context("spawn"), initializer=_begin, initargs=(made.settings, question, made.office.today()))
    try:
        yield from pool.map(_chunk, chunks)
    finally:
        pool.shutdown(cancel_futures=True)


_MADE: list[tuple[Bureau, Question, whatif_law.Changed, date]] = []  # of a worker process


def _begin(settings: Any, question: Question, today: date) -> None:
    _MADE.append((build(settings), question, question.changed, today))


def _chunk(ids: Sequence[int]) -> list[Row]:
    made, question, changed, today = _MADE[0]
    with made.office.snapshot() as conn:
        return compute(conn, made.office.keys.on(conn), ids, question, changed, today)


# -- one chunk


def compute(conn: Connection, keys: BoundKeys, ids: Sequence[int], question: Question, changed: whatif_law.Changed, today: date) -> list[Row]:
    """The rows of some benefits, or of the decisions of some cases, from a few statements however many they are."""
    held = frozenset(conn.scalars(_HELD))
    if question.period:
        return _of_decisions(whatif_decisions.of_cases(conn, keys, ids, *question.period), question, changed, held)
    found = conn.execute(_BENEFITS, {"ids": list(ids)}).mappings().all()
    known = figures(conn, keys, found, today)
    month = f"{question.month:%Y-%m}"
    facts: list[dict[str, Any] | None] = []
    for one in found:
        snapshot = known.get(one["household_id"])
        facts.append(None if snapshot is None else {**snapshot, "benefit_month": month})
    looked_up: LookedUp = {}
    before = [_came(one, said, looked_up) for one, said in zip(found, facts, strict=True)]
    looked_up = {}
    with changed.applies():
        after = [was and _came(one, said, looked_up, checked=True) for one, said, was in zip(found, facts, before, strict=True)]
    return [_row(one, _restricted(one, said, held), was, now, question.margin_fen) for one, said, was, now in zip(found, facts, before, after, strict=True)]


def _of_decisions(found: Sequence[whatif_decisions.Decided], question: Question, changed: whatif_law.Changed, held: frozenset[str]) -> list[Row]:
    """Each for its own month, by what was known of the law on the day of its assessment. Where something else decided than the
    figures (the joint meeting, no co-operation, a death), another law would have changed nothing, and it is left out."""
    rows = []
    for one in found:
        with law.known(one.known):
            was = _decided(one) if one.follows else None
            with changed.applies():
                now = was and _decided(one, checked=True)
        row = _row(one.row, _restricted(one.row, one.figures, held), was, now, question.margin_fen)
        rows.append(row | ({"reason": "not_by_figures"} if row["reason"] == "no_figures" and not one.follows else {}))
    return rows


def figures(conn: Connection, keys: BoundKeys, found: Sequence[Mapping[Any, Any]], today: date) -> dict[int, dict[str, Any]]:
    """Household id -> what `standards.snapshot_of` gives for each of these benefits, read together."""
    cases: dict[int, str] = {}
    for row in conn.execute(_CASES, {"ids": [one["id"] for one in found]}):
        if row.case_no:
            cases[row.benefit_id] = row.case_no
    cases = {one["id"]: no for one in found if (no := cases.get(one["id"]) or one["case_no"])}
    begun = {row.no: row.body for row in conn.execute(_BEGUN, {"ids": sorted(set(cases.values()))})} if cases else {}
    known = households.snapshots(conn, keys, {one["household_id"] for one in found}, today)
    for one in found:
        if one["household_id"] in known:
            known[one["household_id"]]["applied_on"] = figures_day(one, begun.get(cases.get(one["id"], "")), today)
    return known


@dataclass(frozen=True, slots=True)
class _Came:
    category: str
    fen: int
    once: int = 0  # fen that are given once
    exact: Fraction | None = None  # income per head
    lines: tuple[Decimal, Decimal] = (Decimal(), Decimal())  # standard and low-income limit, yuan

    @property
    def helped(self) -> bool:
        return not self.category.startswith("refused")


def _came(found: Mapping[Any, Any], facts: Mapping[str, Any] | None, looked_up: LookedUp, *, checked: bool = False) -> _Came | None:
    """By the law that applies around it; None: the figures on file cannot be computed."""
    if facts is None:
        return None
    try:
        if is_destitute(found["recorded"]):
            return _Came(found["recorded"], whatif_programmes.supported(facts["benefit_month"], found["hukou_kind"], found["recorded"], found["members"], found["self_care"]))
        said = eligibility.outcome(facts, looked_up, checked=checked)
    except (BadFacts, law.BadLaw, NoDecision):
        return None
    return _Came(said.category, said.amount_fen, exact=said.per_capita, lines=(said.standard, said.low_income_limit))


def _decided(one: whatif_decisions.Decided, *, checked: bool = False) -> _Came | None:
    """A decision by the law that applies around it, by the rule of its programme."""
    facts, decided = one.facts, date.fromisoformat(one.row["decided_on"])
    try:
        if one.rule == "assess_need":
            return _of_need(one)
        if one.figures is None or one.rule == "assess":
            return _came(one.row, one.figures, {}, checked=checked)
        if one.rule == "assess_destitute":
            return _Came(*whatif_programmes.destitute(one.figures, facts.get("self_care")))
        return _Came(*whatif_programmes.spent(one.figures, decided, int(facts.get("help_fen") or 0)))
    except (BadFacts, law.BadLaw, NoDecision):
        return None


def _of_need(one: whatif_decisions.Decided) -> _Came | None:
    """Temporary assistance: on the spot, by the ordinary procedure, or both in one case."""
    facts, given = one.facts, 0
    if facts.get("emergency_fen") is not None:
        if one.spot is None:
            return None
        given = whatif_programmes.on_the_spot(*one.spot, int(facts["persons"]), int(facts["emergency_fen"]))
    if facts.get("decision") is None:
        return _Came("temporary_assistance", 0, given)
    if one.figures is None:
        return None
    figures = {name: value for name, value in one.figures.items() if name != "on"}
    category, fen, once = whatif_programmes.in_need(figures, date.fromisoformat(one.figures["on"]), int(facts.get("aid_fen") or 0))
    return _Came("temporary_assistance" if given else category, fen, given + once)


def _restricted(found: Mapping[Any, Any], facts: Mapping[str, Any] | None, held: frozenset[str]) -> bool:
    members = [one for one in (*facts.get("members", ()), facts.get("person")) if one] if facts else ()  # 特困: one person
    return bool(held) and (f"household:{found['household_id']}" in held or any(f"person:{m['ref']}" in held for m in members))


def _row(found: Mapping[Any, Any], restricted: bool, was: _Came | None, now: _Came | None, margin: int) -> Row:  # noqa: FBT001
    """A benefit's line: who it is, what is on record, before, after, move, near (standard | limit | None), gap: what the income per
    head lies above that line by the changed law (yuan, below it: negative). reason: why nothing was computed."""
    decided = found.get("decided_on")
    row: Row = {"benefit_id": None if decided else found["id"], "benefit_no": None if decided else number(found["id"]), "household_id": found["household_id"], "household_no": found["household_no"],
                "case_no": found["case_no"], "street": found["street"], "community": found["community"], "status": found["status"], "decided_on": decided,
                "recorded": found["recorded"], "recorded_fen": found["recorded_fen"], "before": None, "before_fen": 0, "after": None, "after_fen": 0, "before_once_fen": 0, "after_once_fen": 0,
                "per_capita": None, "move": None, "near": None, "gap": None, "above": False, "differs": False, "reason": None}  # fmt: skip
    if restricted or was is None or now is None:
        return row | {"reason": "restricted" if restricted else "no_figures"}
    near, gap = _near(now, margin)
    return row | {
        "before": was.category, "before_fen": was.fen, "after": now.category, "after_fen": now.fen, "before_once_fen": was.once, "after_once_fen": now.once,
        "move": _move(was, now), "near": near,
        "per_capita": None if now.exact is None else _text(now.exact), "gap": None if gap is None else _text(gap), "above": gap is not None and gap >= 0,
        "differs": (was.category, was.fen, was.once) != (found["recorded"], found["recorded_fen"], found.get("recorded_once_fen") or 0),
    }  # fmt: skip


def _move(was: _Came, now: _Came) -> str:
    if was.helped != now.helped:
        return "enters" if now.helped else "leaves"
    gained = (now.fen, now.once) > (was.fen, was.once)
    return "same" if (now.fen, now.once) == (was.fen, was.once) else "gains" if gained else "loses"


def _near(now: _Came, margin: int) -> tuple[str | None, Fraction | None]:
    """The nearest line of the changed law within the margin; a household that its property refuses misses no line of income."""
    if now.exact is None or now.category not in ("dibao", "low_income", "refused_income"):
        return None, None
    gaps = [(line, now.exact - _fraction(amount)) for line, amount in zip(("standard", "limit"), now.lines, strict=True)]
    line, gap = min(gaps, key=lambda one: abs(one[1]))
    return (line, gap) if abs(gap) * 100 <= margin else (None, None)


def _text(amount: Fraction) -> str:
    fen = to_fen(abs(amount))
    return ("-" if amount < 0 and fen else "") + yuan(fen)


# -- taking it away

COLUMNS = ("benefit_no", "household_no", "case_no", "street", "community", "status", "decided_on", "recorded", "recorded_fen", "before", "before_fen", "after", "after_fen",
           "before_once_fen", "after_once_fen", "per_capita", "move", "near", "gap", "reason")  # fmt: skip


def csv_lines(rows: Sequence[Row], more: Sequence[str] = ()) -> Iterator[str]:
    """A spreadsheet of rows, money in yuan; `more`: further columns that the rows have."""
    yield "\ufeff" + _line([*(name.replace("_fen", "_yuan") for name in COLUMNS), *more])
    for row in rows:
        yield _line([_cell(name, row.get(name)) for name in (*COLUMNS, *more)])


def _cell(name: str, value: Any) -> str:
    if value is None:
        return ""
    if name.endswith("_fen"):
        return yuan(value)
    return str(value) if name == "gap" else harmless(str(value))  # a gap may be negative, and is a number


def _line(cells: Sequence[str]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerow(cells)
    return out.getvalue()


# -- going on where an interrupted run stopped


class _Kept:
    """A line for the question, then one for each chunk; only its owner reads it, for it tells of households."""

    def __init__(self, file: Path | None, key: str) -> None:
        self.file, self.key = file, key
        self._lines = self._read() if file is not None and file.exists() and file.stat().st_size else []
        self._out: Any = None

    def _read(self) -> list[dict[str, Any]]:
        assert self.file is not None
        first, *rest = self.file.read_bytes().split(b"\n")
        if not first.startswith(b'["whatif"'):
            raise BadResume(f"不是 yingbao whatif --resume 的文件，没有改动它 / not a file of --resume, left as it is: {self.file.name}")
        if first != self.key.encode():
            raise BadResume(f"中断文件属于另一次试算（法规、日期、范围或程序不同） / the file belongs to another question, law or day: {self.file.name}")
        found = []
        for line in rest[:-1]:  # behind the last end of a line: nothing, or a torn one
            try:
                said = json.loads(line)
                found.append({"ids": list(said["ids"]), "rows": [dict(row) for row in said["rows"]]})
            except (ValueError, KeyError, TypeError, RecursionError):
                raise BadResume(f"中断文件有一行读不懂，请删除后重来 / a line that is no result, remove the file: {self.file.name}") from None
        return found

    def known(self, chunks: Sequence[Sequence[int]]) -> dict[int, list[Row]]:
        """Place of a chunk -> its rows, where the same benefits were computed."""
        kept = {tuple(said["ids"]): said["rows"] for said in self._lines}
        return {n: kept[tuple(chunk)] for n, chunk in enumerate(chunks) if tuple(chunk) in kept}

    def __enter__(self) -> Self:
        if self.file is not None:
            if self._lines:  # what follows does not join a torn line
                os.truncate(self.file, self.file.read_bytes().rfind(b"\n") + 1)
            self._out = os.fdopen(os.open(self.file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "a", encoding="utf-8")
            if not self._lines:
                self._out.truncate(0)
                self._write(self.key)
        return self

    def add(self, ids: Sequence[int], rows: Sequence[Row]) -> None:
        if self._out:
            self._write(json.dumps({"ids": list(ids), "rows": rows}, ensure_ascii=False))

    def _write(self, line: str) -> None:
        self._out.write(line + "\n")
        self._out.flush()

    def __exit__(self, *_: object) -> None:
        if self._out:
            os.fsync(self._out.fileno())
            self._out.close()
