"""作战台账: the numbers L1 to L6 of a unit and a period with their check sums, each explained and traced to persons and entries (domain 8).

Every number is computed from the records as of the period's last day; nothing is kept and nothing can be set by hand.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Connection, func, select

from engine import store
from engine.crypto import BoundKeys
from engine.errors import Invalid, NotFound
from engine.model import SHANGHAI, Actor, read_body
from engine.queries import Page, within
from processes import (
    accountability,
    benefits,
    erasure,
    identity,
    in_benefit,
    law,
    leads,
    ledger_stays,
    organisation,
    readers,
    screening,
)
from processes.audit import facts_of
from processes.case_tables import letter
from processes.lead_tables import lead
from processes.ledger_problems import problems
from processes.ledger_stays import Stay, Stays
from processes.ledger_triggers import FINISHING, Trigger, Triggers
from processes.tables import benefit, benefit_person, household, household_member, person

CAMPAIGN = (date(2018, 11, 19), date(2019, 2, 28))  # 百日会战 (domain 1.0): cumulative numbers begin on its first day
# number -> name, zh, en, what is counted (zh, en)
NUMBERS: Mapping[str, tuple[str, str, str, str, str]] = {
    "L1": ("rechecked_persons", "全面复核救助对象人数", "Recipients re-checked", "期间内完成复核（信息核对和入户调查都已完成）的在享家庭中，当日计入待遇的人数；同一人只计一次",
           "Persons counted by a benefit whose household's re-check was completed in the period: means check and home visit both finished; each person once"),
    "L2": ("new_persons", "新增救助人数", "New recipients", "期间内经决定享受低保、低收入或特困待遇，且决定前一日没有享受其中任何一项的人数；类别转换和区内迁移不计",
           "Persons granted dibao, low-income relief or support of the destitute by a decision in the period, who had none of them on the day before; conversions and moves inside the district are not new"),
    "L3": ("proactive_persons", "其中：基层主动发现纳入救助范围的人数", "Of them found by the grass roots", "新增人数中，申请之前已有基层人员登记线索的人数",
           "Those of L2 whose case has a lead that a grass-roots worker recorded before the application"),
    "L4": ("exited_persons", "退出救助人数", "Recipients who left", "期间内决定停发（不再计入），且当月没有转入其他类别的人数；区内迁移不计",
           "Persons whose benefit was ended (or who were counted no more) by a decision in the period and who were not granted another kind in the same month; moves inside the district do not count"),
    "L4a": ("voluntary_exits", "主动退保", "Left of their own accord", "由家庭本人报告或申请引起的退出", "Exits that began with the household's own report or request"),
    "L4b": ("cleanup_exits", "清查退保", "Left after a check", "由排查、复审、信息核对或检查引起的退出", "Exits that began with a screening, a review, a means check or an inspection"),
    "L4c": ("public_report_exits", "群众举报退保", "Left after a tip", "举报查实后的退出", "Exits after a substantiated report of the public"),
    "L4d": ("other_exits", "其他（死亡、迁出等）", "Other exits (death, moved away)", "死亡、迁出本区、服刑等", "Death, moved out of the district, prison and the like"),
}  # fmt: skip
CLASSES: Mapping[str, str] = {"voluntary": "L4a", "cleared": "L4b", "reported": "L4c", "other": "L4d"}
CORRECTIONS: Mapping[str, tuple[str, str]] = {
    "moved_in": ("区内迁入", "Moved in from another unit"), "moved_out": ("区内迁出", "Moved out to another unit"), "listed": ("名册导入", "Brought in from a list"),
    "converted_in": ("转换类别后恢复享受", "Granted again in another category"), "converted_out": ("因转换类别暂时退出", "Ended to be granted another category"),
    "again": ("同一人多次新增或退出", "The same person more than once"),
}  # fmt: skip
ENDS: Mapping[str, tuple[str, str]] = {"start": ("期初在享", "In benefit at the start"), "end": ("期末在享", "In benefit at the end")}
CHECKS: Mapping[str, tuple[str, str]] = {
    "i_persons": ("期初在享人数 + 新增 − 退出 + 更正 = 期末在享人数", "In benefit at the start + new - left + corrections = in benefit at the end, in persons"),
    "i_households": ("期初在享户数 + 新增 − 退出 + 更正 = 期末在享户数", "The same in households"),
    "ii_households": ("附件1行数 = 期末在享户数（一户中另有成员单独享受的，各计一行）", "Rows of annex 1 = households in benefit at the end; a member with a benefit of his own has a row of his own"),
    "ii_persons": ("附件1在享人数 = 期末在享人数", "Persons in benefit by annex 1 = persons in benefit at the end"),
    "iii": ("附件2行数 = 2018年申请未获批准的件数", "Rows of annex 2 = applications of 2018 that were refused"),
    "iv": ("主动发现人数不大于新增人数", "Those found by the grass roots are not more than the new ones"),
    "v": ("复核人数不大于期间在享人数", "Those re-checked are not more than all in benefit in the period"),
    "vi": ("主动 + 清查 + 举报 + 其他 = 退出", "The four kinds of exits add up to all exits"),
    "vii": ("各下级机构之和（扣除重复） = 本级", "The units below add up to the whole, who is counted in two of them once"),
    "vii_households": ("各下级机构户数之和（扣除重复） = 本级", "The same in households"),
}  # fmt: skip
_LEFT_OTHER = frozenset({"death", "moved_out", "imprisonment", "prison"})  # why a member left that is no matter of means (L4d)


@dataclass(frozen=True, slots=True)
class Asked:
    """A unit and a period, both days included."""

    unit: str
    since: date
    until: date


@dataclass(frozen=True, slots=True)
class Hit:
    """Why one person (or household) is in a number: the stay and decision, or the case of the re-check; of an exit what brought it about."""

    key: int
    household_id: int
    community: str
    day: str
    benefit_id: int | None = None
    decision: int | None = None
    case_no: str | None = None
    exit_class: str | None = None
    trigger: Trigger | None = None


@dataclass(frozen=True, slots=True)
class Side:
    """The numbers of one unit in persons, or in households: number -> key -> hit; corrections: kind -> signed sum; corrected: kind -> its
    hits with their signs; at: "start" and "end" -> key -> hit. `end` may come by another way than `at` (see Book)."""

    start: int
    end: int
    hits: Mapping[str, Mapping[int, Hit]]
    corrections: Mapping[str, int]
    ever: int  # all who were in benefit on some day of the period
    corrected: Mapping[str, Sequence[tuple[int, Hit]]] = field(default_factory=dict)
    at: Mapping[str, Mapping[int, Hit]] = field(default_factory=dict)

    def count(self, number: str) -> int:
        return len(self.hits.get(number, ()))


# -- what is asked


def asked(conn: Connection, actor: Actor, unit: str | None, since: str | None, until: str | None, today: date) -> Asked:
    """Raises Invalid for days that are none, that lie ahead or in the wrong order; NotFound for a unit outside the reader's area."""
    areas = readers.of_cases(actor).areas
    code = unit or (areas[0] if areas else "")
    if not code.isdecimal() or not any(code.startswith(own) for own in areas) or organisation.unit_name(conn, code) == code:
        raise NotFound("没有这个机构，或不在您的辖区")
    last = _day(until, "to") or today
    first = _day(since, "from") or min(CAMPAIGN[0] if last >= CAMPAIGN[0] else date(last.year, 1, 1), last)
    if last > today:
        raise Invalid({"to": ["不能晚于今天"]})
    if first > last:
        raise Invalid({"from": ["开始日期不能晚于结束日期"]})
    if first.year < 1950:
        raise Invalid({"from": ["日期太早"]})
    return Asked(code, first, last)


def _day(text: str | None, name: str) -> date | None:
    if not text:
        return None
    try:
        found = date.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.isoformat() != text:
        raise Invalid({name: ["应为日期，如 2019-02-28"]})
    return found


# -- counting


class Book:
    """The records of the district up to a day, read once for all units."""

    def __init__(self, conn: Connection, wanted: Asked, today: date) -> None:
        """When the period ends today, the rows of now are those of its last day: then they prove what the decisions add up to."""
        self.conn, self.since, self.until, self.last = conn, wanted.since.isoformat(), wanted.until.isoformat(), wanted.until
        self.before, self.now = (wanted.since - timedelta(days=1)).isoformat(), wanted.until >= today
        self.stays: Stays = ledger_stays.all_of(conn, wanted.until)
        self.rechecks = _rechecks(conn, self.since, self.until)
        self.discovered = frozenset(conn.scalars(select(lead.c.case_no).where(lead.c.counts, lead.c.linked_on <= self.until)))
        self._triggers = Triggers(conn, self.until)
        self._decided: dict[int, list[Mapping[Any, Any]]] = defaultdict(list)
        for row in self.stays.decisions.values():
            self._decided[row["benefit_id"]].append(row)
        self._classes: dict[Stay, tuple[str | None, Trigger | None]] = {}

    def of(self, unit: str) -> dict[str, Side]:
        """{"persons", "households"}: the numbers of a unit and those below it."""
        return {"persons": self._side(self.stays.persons, unit, persons=True), "households": self._side(self.stays.households, unit, persons=False)}

    def _side(self, all_stays: Mapping[int, Sequence[Stay]], unit: str, *, persons: bool) -> Side:
        hits: dict[str, dict[int, Hit]] = {number: {} for number in NUMBERS}
        at: dict[str, dict[int, Hit]] = {name: {} for name in ENDS}
        corrected: dict[str, list[tuple[int, Hit]]] = {kind: [] for kind in CORRECTIONS}
        ever = 0
        for key, every in all_stays.items():
            inside = [s for s in every if s.community.startswith(unit)]
            if not inside:
                continue
            for name, day in (("start", self.before), ("end", self.until)):
                if (held := next((s for s in inside if s.on(day)), None)) is not None:
                    at[name][key] = self._hit(held, held.since, held.began_by)
            ever += any(s.since <= self.until and (s.until is None or s.until > self.before) for s in inside)
            for kind, stay, day in self._turns(inside, every):
                self._turned(kind, stay, day, hits, corrected)
            self._rechecked(hits["L1"], key, inside)
        hits["L3"] = {key: hit for key, hit in hits["L2"].items() if hit.case_no in self.discovered}
        for key, hit in hits["L4"].items():
            if hit.exit_class in CLASSES:
                hits[CLASSES[str(hit.exit_class)]][key] = hit
        end = _in_benefit(self.conn, unit, persons=persons) if self.now else len(at["end"])
        return Side(len(at["start"]), end, hits, {kind: sum(sign for sign, _ in found) for kind, found in corrected.items()}, ever, corrected, at)

    def _turned(self, kind: str, stay: Stay, day: str, hits: dict[str, dict[int, Hit]], corrected: dict[str, list[tuple[int, Hit]]]) -> None:
        """One beginning or end of being in benefit: a new one, an exit, or a correction. Who is new or leaves a second time is counted once."""
        if kind == "new":
            hit = self._hit(stay, day, stay.began_by)
            if hits["L2"].setdefault(stay.key, hit) is not hit:
                corrected["again"].append((1, hit))
        elif kind == "exit":
            if (earlier := hits["L4"].get(stay.key)) is not None:
                corrected["again"].append((-1, earlier))
            hits["L4"][stay.key] = replace(self._hit(stay, day, stay.ended_by), **dict(zip(("exit_class", "trigger"), self._class(stay), strict=True)))  # type: ignore[arg-type]
        else:
            comes = kind in ("moved_in", "listed", "converted_in")
            corrected[kind].append((1 if comes else -1, self._hit(stay, day, stay.began_by if comes else stay.ended_by)))

    def _turns(self, inside: Sequence[Stay], every: Sequence[Stay]) -> Iterable[tuple[str, Stay, str]]:
        """(kind, stay, day) for each day of the period on which it began or ended to be in benefit in the unit, in order."""
        days = sorted({day for s in inside for day in (s.since, s.until) if day is not None and self.since <= day <= self.until})
        known = any(s.on(self.before) for s in inside)
        for day in days:
            now = any(s.on(day) for s in inside)
            if now and not known:
                stay = next(s for s in inside if s.since == day and s.on(day))
                yield self._entered(stay, every, day), stay, day
            elif known and not now:
                stay = next(s for s in reversed(inside) if s.until == day)
                yield self._left(stay, every, day), stay, day
            known = now

    def _entered(self, stay: Stay, every: Sequence[Stay], day: str) -> str:
        if any(s.since < day and (s.until is None or s.until >= day) for s in every if s is not stay):
            return "moved_in"
        if stay.how == "listed":
            return "listed"
        again = any(s.until is not None and s.until[:7] == day[:7] and s.until <= day and s.last != stay.first for s in every if s is not stay)
        return "converted_in" if again else "new"

    def _left(self, stay: Stay, every: Sequence[Stay], day: str) -> str:
        if any(s.on(day) for s in every):
            return "moved_out"
        again = any(day <= s.since <= self.until and s.since[:7] == day[:7] and s.first != stay.last for s in every if s is not stay)
        return "converted_out" if again else "exit"

    def _hit(self, stay: Stay, day: str, decision: int | None) -> Hit:
        case = self.stays.decisions[decision]["case_no"] if decision is not None else None
        return Hit(stay.key, stay.household_id, stay.community, day, stay.benefit_id, decision, case)

    def _rechecked(self, hits: dict[int, Hit], key: int, inside: Sequence[Stay]) -> None:
        for stay in inside:
            for day, no in self.rechecks.get(stay.household_id, ()):
                if stay.since <= day and (stay.until is None or stay.until >= day) and (key not in hits or hits[key].day > day):
                    hits[key] = Hit(key, stay.household_id, stay.community, day, stay.benefit_id, None, no)

    def _class(self, stay: Stay) -> tuple[str | None, Trigger | None]:
        """As which an exit counts, and by what: the earliest trigger; of a member who left a household that goes on, first why."""
        if stay not in self._classes:
            self._classes[stay] = self._classed(stay)
        return self._classes[stay]

    def _classed(self, stay: Stay) -> tuple[str | None, Trigger | None]:
        left = stay.ended == "left"
        if left and _left_otherwise(self.conn, stay):
            return "other", None
        if stay.ended_by is None:
            return None if left else stay.exit_class, None
        decision = self.stays.decisions[stay.ended_by]
        earlier = [row for row in self._decided[stay.benefit_id] if row["id"] < stay.ended_by]
        return self._triggers.of_exit(decision, earlier, "cleared" if left else stay.exit_class)


def _in_benefit(conn: Connection, unit: str, *, persons: bool) -> int:
    """Who is in benefit by the rows of now: another way than by the decisions, so that the two prove each other."""
    here = within(household.c.community, unit)
    if not persons:
        query = select(func.count(benefit.c.household_id.distinct())).join(household, household.c.id == benefit.c.household_id)
        return conn.scalar(query.where(here, benefit.c.status.in_(benefits.LIVE))) or 0
    query = select(func.count(benefit_person.c.person_id.distinct())).join(benefit, benefit.c.id == benefit_person.c.benefit_id)
    query = query.join(household, household.c.id == benefit.c.household_id)
    return conn.scalar(query.where(here, benefit_person.c.active, benefit.c.status.in_(benefits.LIVE))) or 0


_AT_MOST = frozenset({"iv", "v"})
REFUSALS = ("refusal", "temp_refusal")  # kinds of letters


def _rechecks(conn: Connection, since: str, until: str) -> dict[int, list[tuple[str, str]]]:
    """Household -> (day, number of the case) of its re-checks that were complete in the period: the first day on which the means check
    and the visit with its second signature were both finished (domain 8, L1)."""
    cases, tasks = store.record.c, store.task.c
    keys = [*law.procedures("review"), *law.procedures("change_report")]
    query = select(cases.no, cases.subject, tasks.node, func.min(tasks.closed_at).label("done_at")).join(store.record, cases.id == tasks.case_id)
    query = query.where(cases.kind == "case", cases.process.in_(keys), tasks.node.in_(FINISHING), tasks.state == "done")
    done: dict[tuple[str, str], list[str]] = defaultdict(list)
    for row in conn.execute(query.group_by(cases.no, cases.subject, tasks.node)):
        done[row.no, row.subject].append(row.done_at.astimezone(SHANGHAI).date().isoformat())
    found: dict[int, list[tuple[str, str]]] = defaultdict(list)
    for (no, subject), days in done.items():
        if len(days) == 2 and since <= max(days) <= until and str(subject).startswith("household:"):
            found[int(subject.partition(":")[2])].append((max(days), no))
    return found


def _left_otherwise(conn: Connection, stay: Stay) -> bool:
    """Death, prison and moving away of one member count as "other"."""
    member = household_member.c
    where = (member.household_id == stay.household_id, member.person_id == stay.key)
    known = conn.execute(select(member.left_reason, member.excluded_reason).where(*where).order_by(member.id.desc()).limit(1)).one_or_none()
    return known is not None and not _LEFT_OTHER.isdisjoint(set(known))


# -- the annexes, for the check sums


@dataclass(frozen=True, slots=True)
class Annexed:
    """What the annexes list, of the whole district: rows of annex 1; communities of the rows of annex 2, and of the applications of 2018
    about which a letter of refusal was issued."""

    rows: Sequence[Mapping[str, Any]]
    listed: Sequence[str]
    refused: Sequence[str]

    def pairs(self, book: Book, unit: str, persons: Side) -> dict[str, tuple[int, int]]:
        """Both sides of (ii) and (iii) for a unit: the annexes, and what the decisions and letters say."""
        rows = [row for row in self.rows if row["community"].startswith(unit)]
        held = {(key, s.benefit_id) for key, every in book.stays.households.items() for s in every if s.community.startswith(unit) and s.on(book.until)}
        listed, refused = (sum(place.startswith(unit) for place in places) for places in (self.listed, self.refused))
        return {"ii_households": (len(rows), len(held)), "ii_persons": (sum(row["members"] for row in rows), len(persons.at["end"])), "iii": (listed, refused)}


def _annexed(conn: Connection, on: date) -> Annexed:
    listed = [one["facts"]["household_id"] for one in screening.refused(conn, "", on)]
    row = store.record.c
    query = select(letter.c.household_id, row.id, row.state).join(store.record, row.no == letter.c.case_no)
    query = query.where(letter.c.kind.in_(REFUSALS), letter.c.issued_on <= on.isoformat(), row.process.in_(sorted(leads.applications())))
    told = {one.id: one.household_id for one in conn.execute(query) if str(facts_of(one.state).get("applied_on") or "")[:4] == "2018"}
    places = ledger_stays.communities(conn, {*listed, *told.values()}, on)
    return Annexed(in_benefit.on(conn, "", on), [places[home] for home in listed], [places[home] for home in told.values()])


# -- the whole


def checks(told: Mapping[str, Mapping[str, Side]], whole: str, below: Collection[str], annexes: Mapping[str, tuple[int, int]] | None = None) -> list[dict[str, Any]]:
    """The check sums of a unit: [{check, zh, en, left, right, ok}]. told: unit -> its sides, with the units below it; annexes: both sides of
    (ii) and (iii)."""
    persons, houses = told[whole]["persons"], told[whole]["households"]
    pairs: dict[str, tuple[int, int]] = {}
    for name, side in (("i_persons", persons), ("i_households", houses)):
        pairs[name] = (side.start + side.count("L2") - side.count("L4") + sum(side.corrections.values()), side.end)
    pairs |= annexes or {}
    pairs["iv"] = (persons.count("L3"), persons.count("L2"))
    pairs["v"] = (persons.count("L1"), persons.ever)
    pairs["vi"] = (sum(persons.count(n) for n in CLASSES.values()), persons.count("L4"))
    if below:
        for name, kind in (("vii", "persons"), ("vii_households", "households")):
            parts, summed = [told[unit][kind] for unit in below], ("L1", "L2", "L3", "L4")
            pairs[name] = (sum(len({key for part in parts for key in part.hits[n]}) for n in summed), sum(told[whole][kind].count(n) for n in summed))
    return [{"check": name, "zh": CHECKS[name][0], "en": CHECKS[name][1], "left": left, "right": right, "ok": left <= right if name in _AT_MOST else left == right}
            for name, (left, right) in pairs.items()]  # fmt: skip


def told(conn: Connection, wanted: Asked, today: date, book: Book | None = None) -> dict[str, Any]:
    """The ledger of a unit and a period in JSON: numbers with definitions, state at both ends, corrections, checks, the units below."""
    book = book or Book(conn, wanted, today)
    children = _below(conn, wanted.unit)
    sides = {unit: book.of(unit) for unit in (wanted.unit, *children)}
    persons, houses = (sides[wanted.unit][kind] for kind in ("persons", "households"))
    rows = [{"number": number, "name": name, "zh": zh, "en": en, "definition_zh": why, "definition_en": why_en, "persons": persons.count(number), "households": houses.count(number)}
            for number, (name, zh, en, why, why_en) in NUMBERS.items()]  # fmt: skip
    annexed = _annexed(conn, wanted.until)
    checked = {unit: checks(sides, unit, children if unit == wanted.unit else (), annexed.pairs(book, unit, sides[unit]["persons"])) for unit in sides}
    return {
        "unit": wanted.unit, "unit_name": organisation.unit_name(conn, wanted.unit), "from": wanted.since.isoformat(), "to": wanted.until.isoformat(), "numbers": rows,
        "start": {"persons": persons.start, "households": houses.start}, "end": {"persons": persons.end, "households": houses.end},
        "corrections": [{"kind": kind, "zh": zh, "en": en, "persons": persons.corrections[kind], "households": houses.corrections[kind]} for kind, (zh, en) in CORRECTIONS.items()],
        "checks": checked[wanted.unit], "ok": all(one["ok"] for one in checked[wanted.unit]),
        "units": [{"unit": unit, "unit_name": organisation.unit_name(conn, unit), "start": sides[unit]["persons"].start, "end": sides[unit]["persons"].end,
                   "ok": all(one["ok"] for one in checked[unit]), **{number: sides[unit]["persons"].count(number) for number in NUMBERS}} for unit in children],
        "violations": accountability.violations(conn, wanted.unit, wanted.since, wanted.until), "problems": problems(conn, wanted.unit, wanted.since, wanted.until),
    }  # fmt: skip


def _below(conn: Connection, unit: str) -> list[str]:
    """The streets of the district, the communities of a street, without other departments."""
    found = organisation.units(conn, unit)
    return [row["code"] for row in found if row["parent_code"] == unit and row["level"] in ("street", "community")]


# -- one number, person by person


def persons_of(conn: Connection, keys: BoundKeys, wanted: Asked, today: date, number: str, *, count: str = "persons", days: tuple[str, str] = ("", "9999"),
               page: int = 1, size: int = 25) -> Page:  # fmt: skip
    """Who is counted in a number, at one end of the period ("start", "end") or as a correction, each with the case, the decision and the
    entry that says so; names and IDs masked. count: persons | households; days: only those counted by something on these days. NotFound
    for another number."""
    if number not in NUMBERS and number not in ENDS and number not in CORRECTIONS:
        raise NotFound("台账没有这一项")
    side = Book(conn, wanted, today).of(wanted.unit)[count]
    if number in CORRECTIONS:
        counted = list(side.corrected[number])
    else:
        counted = [(1, hit) for hit in (side.hits[number] if number in NUMBERS else side.at[number]).values()]
    counted = sorted((one for one in counted if days[0] <= one[1].day <= days[1]), key=lambda one: (one[1].day, one[1].key))
    shown = counted[(page - 1) * size : page * size]
    return Page([_row(conn, keys, hit, sign, persons=count == "persons") for sign, hit in shown], len(counted), page, size)


def _row(conn: Connection, keys: BoundKeys, hit: Hit, sign: int, *, persons: bool) -> dict[str, Any]:
    home = conn.execute(select(household.c.no, household.c.applicant_id).where(household.c.id == hit.household_id)).one()
    record_id, seq = _entry(conn, hit)
    why = hit.trigger
    return {**named(conn, keys, hit.key if persons else home.applicant_id), "household_id": hit.household_id, "household_no": home.no, "counts": sign,
            "community": hit.community, "day": hit.day, "case_no": hit.case_no, "benefit": benefits.number(hit.benefit_id) if hit.benefit_id is not None else None,
            "benefit_id": hit.benefit_id, "exit_class": hit.exit_class, "record_id": record_id, "entry": seq,
            "trigger": {"what": why.what, "day": why.day, "source": why.source} if why is not None else None}  # fmt: skip


def named(conn: Connection, keys: BoundKeys, person_id: int) -> dict[str, Any]:
    """person_id, name and id_no, masked; neither of who is restricted."""
    who = conn.execute(select(person.c.name, person.c.id_no).where(person.c.id == person_id)).one()
    hidden = bool(erasure.restricted(conn, [f"person:{person_id}"]))
    number = None if hidden or not who.id_no else keys.reveal("person", "id_no", person_id, who.id_no)
    return {"person_id": person_id, "name": "*" if hidden else identity.mask_name(who.name), "id_no": identity.mask(number) if number else None}


def _entry(conn: Connection, hit: Hit) -> tuple[int | None, int | None]:
    """(record, number of its entry) that the hit rests on: of the benefit for a decision, of the case for a re-check (the last of its day
    by which a check or visit was done)."""
    cases = store.record.c
    record_id = hit.decision >> 16 if hit.decision is not None else conn.scalar(select(cases.id).where(cases.no == hit.case_no)) if hit.case_no else None
    if record_id is None:
        return None, None
    found = None
    rows = conn.execute(select(store.entry.c.seq, store.entry.c.body).where(store.entry.c.record_id == record_id).order_by(store.entry.c.seq))
    for seq, body in rows:
        said = read_body(body)
        if hit.decision is not None:
            if any(put["table"] == "benefit_adjustment" and put["id"] == hit.decision for put in said.get("puts", ())):
                return record_id, seq
        elif ledger_stays.day_of(said) == hit.day and said["event"] == "task_completed" and said["data"]["task"].rpartition(".")[0] in FINISHING:
            found = seq
    return record_id, found
