"""The auditor's random samples: anybody can compute them again, and nobody could have chosen the cases.

First act, `sample_seed_committed`: the population (a filter, and the list of cases that it gives now), size and strata are
fixed, and a random seed is committed to. Second act, `sample_drawn`: the seed is revealed and the cases are listed. In
between nobody, the auditor included, knows who will be drawn, and afterwards nobody can say that it was another seed.
Every sample that was ever begun stays on the record, also one that nobody drew: trying until one pleases is seen.

    population hash = SHA-256 of the lines "NUMBER <tab> HEAD <tab> STRATUM <newline>", in order of the numbers' bytes
    commitment      = SHA-256 of "yingbao/sample/1\\n", the 32 bytes of the seed, and the definition (RFC 8785)
    rank of a case  = SHA-256 of the 32 bytes of the seed and the case's number (UTF-8); the smallest come first
    share of strata = see `shares`

HEAD is the hash of the case's latest entry at that moment; the definition holds the population hash. docs/audit.md has
the same as a program of fifteen lines.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Select, and_, func, select

from engine import store
from engine.errors import Conflict, Invalid, NotFound, Refused
from engine.model import Actor, Data, Put, canonical
from engine.office import Act, Office, history, seals_hold
from engine.queries import Area, Page, within
from processes.audit_tables import audit_sample, audit_sample_case
from processes.event_log import midnight
from processes.organisation import DISTRICT

AUDITORS = frozenset({"auditor"})
ALGORITHM = "yingbao/sample/1"
STRATA = ("process", "street", "outcome", "category")
BASES = ("opened", "closed")
MOST_CASES, MOST_SIZE = 100_000, 1_000
STILL_OPEN = "open"  # as an outcome: the case has none yet
_LEEWAY = timedelta(minutes=1)  # an act that had begun before ours and ended after it was not to be seen


def auditor(who: Actor) -> Actor:
    """The actor in the posts that may audit; Refused when there are none."""
    found = who.only(AUDITORS)
    if not found.roles:
        raise Refused("auditor", "审计工作台只对审计岗位开放", "The workbench is for auditors only")
    return found


# -- pure: the draw


@dataclass(frozen=True, slots=True)
class Listed:
    """A case of a population, as it stood when the list was made."""

    no: str
    seq: int  # of its latest entry
    head: str  # hash of that entry
    stratum: str = ""


def population_hash(cases: Iterable[Listed]) -> str:
    """Of the list in order; the order is part of what is hashed."""
    whole = hashlib.sha256()
    for case in cases:
        whole.update(f"{case.no}\t{case.head}\t{case.stratum}\n".encode())
    return whole.hexdigest()


def commitment(seed: bytes, definition: Data) -> str:
    return hashlib.sha256(f"{ALGORITHM}\n".encode() + seed + canonical(definition)).hexdigest()


def rank(seed: bytes, no: str) -> str:
    return hashlib.sha256(seed + no.encode()).hexdigest()


def shares(sizes: Mapping[str, int], n: int) -> dict[str, int]:
    """How many to draw from each stratum: one from each where n suffices, the rest in proportion to what is left of them,
    by largest remainder; equal remainders go by the stratum's name. No stratum gives more than it has."""
    sizes = {name: size for name, size in sizes.items() if size > 0}
    n = min(n, sum(sizes.values()))
    given = dict.fromkeys(sizes, 1 if n >= len(sizes) else 0)
    left = {name: size - given[name] for name, size in sizes.items()}
    rest, whole = n - sum(given.values()), sum(left.values())
    if not rest:
        return given
    parts = {name: divmod(rest * size, whole) for name, size in left.items()}
    given = {name: given[name] + parts[name][0] for name in given}
    for name in sorted(parts, key=lambda name: (-parts[name][1], name))[: n - sum(given.values())]:
        given[name] += 1
    return given


def draw(seed: bytes, cases: Sequence[tuple[str, str]], n: int) -> list[tuple[str, str]]:
    """The drawn (number, stratum) of `cases`, by stratum, then by rank. Depends on seed, numbers, strata and n alone, not on
    the order in which the cases come."""
    by_stratum: dict[str, list[str]] = {}
    for no, stratum in cases:
        by_stratum.setdefault(stratum, []).append(no)
    wanted = shares({name: len(members) for name, members in by_stratum.items()}, n)
    return [(no, name) for name in sorted(wanted) for no in sorted(by_stratum[name], key=lambda no: rank(seed, no))[: wanted[name]]]


# -- the population


@dataclass(frozen=True, slots=True)
class Population:
    """Which cases. Every part may be left out; days are in Asia/Shanghai, both included."""

    unit: str = DISTRICT
    process: str | None = None
    basis: str = "opened"  # what the period is about: opened | closed
    from_on: str | None = None
    until_on: str | None = None
    outcome: str | None = None  # the end event, or STILL_OPEN
    category: str | None = None  # as it was computed: dibao, low_income, refused_income …

    def said(self) -> dict[str, str]:
        return {name: value for name, value in asdict(self).items() if value is not None}

    @property
    def settled(self) -> bool:
        """Whether who belongs to it cannot change any more, once a case is in or out."""
        return self.basis == "closed" or (self.outcome is None and self.category is None)


def _where(population: Population) -> list[Any]:
    row = store.record.c
    when = row.closed_at if population.basis == "closed" else row.opened_at
    where = [row.kind == "case", within(row.unit, population.unit), when.is_not(None)]
    if population.process:
        where.append(row.process == population.process)
    if population.from_on:
        where.append(when >= midnight(_day("from_on", population.from_on)))
    if population.until_on:
        where.append(when < midnight(_day("until_on", population.until_on) + timedelta(days=1)))
    if population.outcome:
        where.append(row.closed_at.is_(None) if population.outcome == STILL_OPEN else row.outcome == population.outcome)
    return where


def _day(name: str, text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Invalid({name: ["日期应写作 2018-12-03"]}) from None


def cases_of(conn: Connection, population: Population, strata: Sequence[str] = ()) -> list[Listed]:
    """The population as it stands, in order of the numbers' bytes. Facts are read only where category is asked for."""
    row = store.record.c
    facts_wanted = population.category is not None or "category" in strata
    columns = [row.no, row.seq, row.head, row.unit, row.process, row.outcome, *([row.state] if facts_wanted else [])]
    found = []
    for case in conn.execute(select(*columns).where(*_where(population))):
        category = str(facts_of(case.state).get("category") or "") if facts_wanted else ""
        if population.category is not None and category != population.category:
            continue
        parts = {"process": case.process, "street": case.unit[:9], "outcome": case.outcome or STILL_OPEN, "category": category or "none"}
        found.append(Listed(case.no, case.seq, case.head, "/".join(parts[name] for name in STRATA if name in strata)))
    return sorted(found, key=lambda one: one.no.encode())


def facts_of(state: bytes | None) -> dict[str, Any]:
    """The facts of a case out of its state, without setting its run up: ids, flags, dates and amounts only."""
    if not state:
        return {}
    found: dict[str, Any] = json.loads(state if state[:1] == b"{" else zlib.decompress(state))["facts"]
    return found


# -- the two acts


def commit_seed(act: Act, population: Population, size: int, strata: Sequence[str], purpose: str, *, seed: bytes | None = None) -> dict[str, Any]:
    """Fix population, size and strata, and commit to a seed (random, but in tests). Returns {"sample": number, "population": n}."""
    who = auditor(act.actor)
    if (told := act.recall()) is not None:
        return told  # type: ignore[no-any-return]
    strata = [name for name in STRATA if name in strata]
    _understood(population, size, purpose)
    if not who.covers(population.unit):
        raise Refused("unit", "这个范围不在您的辖区", "This area is outside yours")
    act.through(who.post_over(population.unit))
    listed = cases_of(act.conn, population, strata)
    if not listed:
        raise Invalid({"population": ["没有符合条件的个案"]})
    if len(listed) > MOST_CASES:
        raise Invalid({"population": [f"符合条件的个案超过 {MOST_CASES} 件，请缩小范围"]})
    if size > len(listed):
        raise Invalid({"size": [f"只有 {len(listed)} 件符合条件"]})
    seed, hashed = seed or secrets.token_bytes(32), population_hash(listed)
    definition = {"algorithm": ALGORITHM, "filter": population.said(), "size": size, "strata": strata, "cases": len(listed), "population": hashed}
    record = act.new("sample", population.unit)
    no, row_id = f"SJ-{act.today.year}-{record.id:06d}", record.next_id()
    values = {
        "no": no, "unit": population.unit, "purpose": purpose.strip(), "definition": canonical(definition).decode(), "size": size, "population": len(listed),
        "population_hash": hashed, "commitment": commitment(seed, definition), "kept_seed": seed.hex(), "seed": None, "made_by": act.actor.id,
        "made_on": act.today.isoformat(), "drawn_by": None, "drawn_on": None,
    }  # fmt: skip
    said = {"no": no, "definition": definition, "commitment": values["commitment"], "cases": [[one.no, one.seq, one.stratum] for one in listed]}
    act.append(record, "sample_seed_committed", said, puts=[Put("audit_sample", row_id, values, f"sample:{no}")])
    told = {"sample": no, "population": len(listed), "commitment": values["commitment"]}
    act.remember(told)
    return told


def _understood(population: Population, size: int, purpose: str) -> None:
    wrong: dict[str, list[str]] = {}
    if not 1 <= size <= MOST_SIZE:
        wrong["size"] = [f"应在 1 至 {MOST_SIZE} 之间"]
    if not purpose.strip() or len(purpose.strip()) > 400:
        wrong["purpose"] = ["请写明抽样目的，最多 400 字"]
    if population.basis not in BASES:
        wrong["basis"] = ["请从所列各项中选择：" + "、".join(BASES)]
    if not (population.unit.isascii() and population.unit.isdecimal()):
        wrong["unit"] = ["没有这个机构"]
    days = [_day(name, value) for name, value in (("from_on", population.from_on), ("until_on", population.until_on)) if value]
    if len(days) == 2 and days[0] > days[1]:
        wrong["until_on"] = ["结束日期不能早于开始日期"]
    if wrong:
        raise Invalid(wrong)


def draw_sample(act: Act, no: str) -> dict[str, Any]:
    """Reveal the seed and list the cases. Returns {"sample": number, "drawn": [case numbers]}; Conflict when it is drawn already."""
    who = auditor(act.actor)
    if (told := act.recall()) is not None:
        return told  # type: ignore[no-any-return]
    row = sample(act.conn, who.areas, no)
    record = act.open("sample", row["id"] >> 16)
    row = sample(act.conn, who.areas, no)  # as it stands now that it is locked
    if row["seed"] is not None:
        raise Conflict("这份样本已经抽取，结果不会再变", "This sample is drawn already; it does not change any more")
    act.through(who.post_over(row["unit"]))
    seed = bytes.fromhex(act.keys.reveal("audit_sample", "kept_seed", row["id"], row["kept_seed"]))
    committed = _entry(act.conn, record.id, 1)["data"]
    drawn = draw(seed, [(case, stratum) for case, _, stratum in committed["cases"]], row["size"])
    done = {"seed": seed.hex(), "drawn_by": act.actor.id, "drawn_on": act.today.isoformat()}
    puts = [Put("audit_sample", row["id"], done)]
    puts += [Put("audit_sample_case", record.next_id(), {"sample_id": row["id"], "place": n, "case_no": case, "stratum": stratum})
             for n, (case, stratum) in enumerate(drawn, start=1)]  # fmt: skip
    said = {"no": no, "seed": seed.hex(), "drawn": [[case, stratum] for case, stratum in drawn]}
    act.append(record, "sample_drawn", said, puts=puts)
    told = {"sample": no, "drawn": [case for case, _ in drawn]}
    act.remember(told)
    return told


# -- looking


def samples(conn: Connection, area: Area, page: int = 1, size: int = 25) -> Page:
    """The samples of an area, the newest first, drawn or not."""
    where = within(audit_sample.c.unit, area)
    total = conn.scalar(select(func.count()).select_from(audit_sample).where(where)) or 0
    query = select(audit_sample).where(where).order_by(audit_sample.c.id.desc()).limit(size).offset((page - 1) * size)
    return Page(list(conn.execute(query).mappings()), total, page, size)


def sample(conn: Connection, area: Area, no: str) -> Mapping[Any, Any]:
    row = conn.execute(select(audit_sample).where(audit_sample.c.no == no, within(audit_sample.c.unit, area))).mappings().one_or_none()
    if row is None:
        raise NotFound("没有这份样本")
    return row


def drawn_cases(conn: Connection, sample_id: int) -> list[Mapping[Any, Any]]:
    """With what their records say now: unit, process, outcome, closed_at."""
    case, row = audit_sample_case.c, store.record.c
    query = select(audit_sample_case, row.unit, row.process, row.outcome, row.closed_at, row.opened_at, row.subject)
    query = query.join(store.record, row.no == case.case_no).where(case.sample_id == sample_id).order_by(case.place)
    return list(conn.execute(query).mappings())


def population_of(conn: Connection, sample_id: int) -> list[Listed]:
    """The population that was committed to. A head that is not on the record any more is empty."""
    return _with_heads(conn, _entry(conn, sample_id >> 16, 1)["data"]["cases"])


def _entry(conn: Connection, record_id: int, seq: int) -> dict[str, Any]:
    body = conn.scalar(select(store.entry.c.body).where(store.entry.c.record_id == record_id, store.entry.c.seq == seq))
    if body is None:
        raise NotFound("没有这份样本")
    found: dict[str, Any] = json.loads(body)
    return found


_AT_ONCE = 400


def _with_heads(conn: Connection, cases: Sequence[Sequence[Any]]) -> list[Listed]:
    heads: dict[tuple[str, int], str] = {}
    for start in range(0, len(cases), _AT_ONCE):
        part = cases[start : start + _AT_ONCE]
        seqs = {no: seq for no, seq, _ in part}
        query = select(store.record.c.no, store.entry.c.seq, store.entry.c.leaf).join(store.entry, store.entry.c.record_id == store.record.c.id)
        query = query.where(store.record.c.no.in_(seqs), store.entry.c.seq.in_(set(seqs.values())))
        heads |= {(row.no, row.seq): row.leaf for row in conn.execute(query)}
    return [Listed(no, seq, heads.get((no, seq), ""), stratum) for no, seq, stratum in cases]


# -- checking


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was computed again. `good` None: nothing to compare yet."""

    name: str
    zh: str
    en: str
    good: bool | None
    detail: str = ""


def verify(office: Office, no: str, area: Area = "") -> list[Check]:
    """Compute a sample again from its record. NotFound when there is none."""
    with office.read() as conn:
        row = sample(conn, area, no)
        entries = history(conn, office.keys.on(conn), row["id"] >> 16)
        head = conn.scalar(select(store.record.c.head).where(store.record.c.id == row["id"] >> 16))
        return list(_checks(conn, row, entries, head))


def _checks(conn: Connection, row: Mapping[Any, Any], entries: Sequence[Any], head: str | None) -> Iterator[Check]:
    broken = seals_hold(entries)
    events = [entry.event for entry in entries]
    yield Check("seals", "封存链完整", "The seals hold", broken is None and bool(entries) and entries[-1].leaf == head, f"entry {broken}" if broken else "")
    if events[:1] != ["sample_seed_committed"]:
        yield Check("order", "先承诺种子，后抽取", "The seed was committed before the draw", good=False)
        return
    said = entries[0].data
    definition = said["definition"]
    yield Check("order", "先承诺种子，后抽取", "The seed was committed before the draw", events in (["sample_seed_committed"], ["sample_seed_committed", "sample_drawn"])
                and entries[0].at <= entries[-1].at)  # fmt: skip
    listed = _with_heads(conn, said["cases"])
    lost = [one.no for one in listed if not one.head]
    hashed = population_hash(listed)
    yield Check("population", "总体清单与承诺的摘要一致", "The population has the hash that was committed to",
                not lost and hashed == definition["population"] and len(listed) == definition["cases"], ", ".join(lost[:5]))  # fmt: skip
    filtered = _filter_again(conn, definition, listed, entries[0].at)
    yield Check("filter", "清单与抽样条件一致，没有多列、漏列", "The list is what the filter gives: none too many, none left out", not filtered, ", ".join(filtered[:5]))
    drawn = entries[1] if len(entries) > 1 and events[1] == "sample_drawn" else None
    seed = bytes.fromhex(drawn.data["seed"]) if drawn else None
    yield Check("commitment", "公开的种子与承诺一致", "The revealed seed is the one that was committed to",
                None if seed is None else len(seed) == 32 and commitment(seed, definition) == said["commitment"])  # fmt: skip
    again = None if seed is None else [list(one) for one in draw(seed, [(one.no, one.stratum) for one in listed], definition["size"])]
    yield Check("draw", "重新计算得到同样的个案", "Computed again, the same cases are drawn", None if drawn is None else again == drawn.data["drawn"])
    rows = conn.execute(select(audit_sample_case.c.case_no).where(audit_sample_case.c.sample_id == row["id"]).order_by(audit_sample_case.c.place)).scalars().all()
    same = row["commitment"] == said["commitment"] and row["seed"] == (seed.hex() if seed else None) and json.loads(row["definition"]) == definition
    yield Check("rows", "页面所示与记录一致", "What the pages show is what the record says", same and list(rows) == [one[0] for one in (again or [])])


def _filter_again(conn: Connection, definition: Data, listed: Sequence[Listed], at: datetime) -> list[str]:
    """Numbers that should not be in the list, or are missing from it, as far as it can still be told: what may have changed
    since (an outcome of a case that was open, a category) is not held against it."""
    population = Population(**definition["filter"])
    fixed = population if population.settled else Population(**{**population.said(), "outcome": None, "category": None})  # type: ignore[arg-type]
    known = {one.no for one in listed}
    row = store.record.c
    when = row.closed_at if population.basis == "closed" else row.opened_at
    columns = [row.no, when.label("moment"), *([row.state] if fixed.category else [])]
    fitting = {c.no: c.moment for c in conn.execute(select(*columns).where(*_where(fixed))) if not fixed.category or facts_of(c.state).get("category") == fixed.category}
    wrong = sorted(known - fitting.keys()) + sorted(no for no in known & fitting.keys() if fitting[no] > at)
    if [one.no for one in listed] != sorted(known, key=str.encode):
        wrong.append("order")
    if population.settled:
        wrong += sorted(no for no, moment in fitting.items() if moment < at - _LEEWAY and no not in known)
    return wrong


def outcomes(conn: Connection, area: Area) -> list[str]:
    """The end events that cases of the area have reached, for choosing."""
    row = store.record.c
    query: Select[Any] = select(row.outcome).where(and_(row.kind == "case", row.outcome.is_not(None), within(row.unit, area))).distinct()
    return sorted(conn.scalars(query))
