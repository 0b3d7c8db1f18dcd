"""战情: what stands on the district's dashboard beside the ledger: coverage, money, complaints, the joint meeting, and how long each step takes.

As the ledger, all is computed for a unit and a period from the records as of its last day, and every figure leads to what it counts.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import Connection, Table, or_, select

from engine import store
from engine.errors import NotFound
from engine.model import SHANGHAI, Actor, read_body
from engine.queries import Page, within
from processes import in_benefit, ledger, ledger_stays, organisation, screening
from processes.complaint_tables import complaint
from processes.facility_tables import dispersed_visit, hazard, inspection
from processes.festival_tables import festival_item
from processes.ledger import Asked, Book, Side
from processes.ledger_problems import entry_of
from processes.meeting_tables import agenda_item
from processes.outreach_tables import publicity_activity, training_attendance, training_session
from processes.screening_forms import IN_BENEFIT, REFUSED
from processes.screening_tables import screening as visit
from processes.temporary_tables import temporary_grant

CAMPAIGN_DAYS = (ledger.CAMPAIGN[1] - ledger.CAMPAIGN[0]).days + 1  # 102
TREND = ("L1", "L2", "L4")  # what the weeks are told of
# figure -> zh, en: what GET dashboard/items lists
FIGURES: Mapping[str, tuple[str, str]] = {
    "screened": ("在保家庭：已排查", "In benefit: screened"), "unscreened": ("在保家庭：未排查", "In benefit: not screened"), "again": ("2018年未获批准：已排查", "Refused in 2018: screened"),
    "not_again": ("2018年未获批准：未排查", "Refused in 2018: not screened"), "elsewhere": ("未在保家庭排查", "Visits to others not in benefit"),
    "benefits": ("月保障金额", "Benefits a month"), "temporary": ("临时救助", "Temporary assistance"), "done": ("环节办结", "Steps finished"), "open": ("环节在办", "Steps open"),
    "late": ("环节超期", "Steps overdue"), "publicity": ("宣传活动", "Publicity activities"), "training": ("培训签到人次", "Attendance of training, signed"),
    "inspections": ("供养机构安全检查", "Safety inspections"), "hazards": ("检查发现隐患", "Hazards found"), "dispersed": ("分散特困人员走访", "Visits to the dispersed destitute"),
    "festival": ("两节补贴到账", "Festival payments credited"), "complaints": ("投诉举报办结", "Complaints concluded"), "meetings": ("联席会议研究", "Studied by the joint meeting"),
}  # fmt: skip
REGISTERS = ("publicity", "training", "inspections", "hazards", "dispersed", "festival")
MONEY = frozenset({"benefits", "temporary", "festival"})


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that a figure counts: where it lies, when, its number (of a case) or id, and the row that says so."""

    place: str
    day: str
    label: str  # case number, or empty
    household_id: int | None
    key: str  # of which part of the figure: a finding, a resolution, a step
    fen: int  # of money; of a step hours or days late, of publicity copies
    table: str  # whose entry: a table and the row's id; of a step the task
    row_id: int


class Desk:
    """The records of one question, read once."""

    def __init__(self, conn: Connection, actor: Actor, wanted: Asked) -> None:
        self.conn, self.actor, self.unit = conn, actor, wanted.unit
        self.since, self.until = wanted.since.isoformat(), wanted.until.isoformat()
        self.wanted = wanted
        self._after = datetime.combine(wanted.until + timedelta(days=1), time(), SHANGHAI)
        self._made: dict[str, list[Item]] = {}

    def items(self, figure: str) -> list[Item]:
        """Everything that a figure counts in the unit, in the order of the days. NotFound for another figure."""
        if figure not in FIGURES:
            raise NotFound("看板没有这一项")
        if figure not in self._made:
            makers: Mapping[str, Callable[[], Iterable[Item]]] = {
                "benefits": self._benefits, "temporary": self._temporary, "complaints": self._complaints, "meetings": self._meetings, "done": self._done,
                "publicity": self._publicity, "training": self._training, "inspections": self._inspections, "hazards": self._hazards, "dispersed": self._dispersed,
                "festival": self._festival}  # fmt: skip
            if figure in makers:
                self._made[figure] = _sorted(makers[figure]())
            elif figure in ("open", "late"):
                opened = _sorted(self._open())
                self._made |= {"open": opened, "late": [one for one in opened if one.fen]}
            else:
                self._made |= {name: _sorted(found) for name, found in self._screened().items()}
        return self._made[figure]

    # -- screening

    def _screened(self) -> dict[str, list[Item]]:
        """Each household in benefit, and each refused in 2018, with or without a confirmed visit of the period; and all other visits."""
        row = visit.c
        where = (row.state == "confirmed", row.confirmed_on <= self.until, row.visited_on.between(self.since, self.until))
        visits = self.conn.execute(select(row.id, row.household_id, row.population, row.visited_on, row.community).where(*where).order_by(row.visited_on, row.id)).all()
        first: dict[tuple[str, int], Any] = {}
        for one in visits:
            first.setdefault((one.population, one.household_id), one)
        found: dict[str, list[Item]] = {name: [] for name in ("screened", "unscreened", "again", "not_again", "elsewhere")}
        seen: set[int] = set()
        for benefit in in_benefit.on(self.conn, self.unit, self.wanted.until):
            if benefit["household_id"] not in seen:
                seen.add(benefit["household_id"])
                self._visited(found, ("screened", "unscreened"), benefit["community"], benefit["household_id"], first.get((IN_BENEFIT, benefit["household_id"])), ("benefit", benefit["benefit_id"]))
        refused = {one["facts"]["household_id"]: one for one in screening.refused(self.conn, "", self.wanted.until)}
        places = ledger_stays.communities(self.conn, refused, self.wanted.until)
        for home, case in refused.items():
            if places[home].startswith(self.unit):
                self._visited(found, ("again", "not_again"), places[home], home, first.get((REFUSED, home)), ("case", case["id"]), case["no"])
        found["elsewhere"] = [Item(one.community, one.visited_on, "", one.household_id, one.population, 0, "screening", one.id)
                              for (population, _), one in first.items() if population not in (IN_BENEFIT, REFUSED) and one.community.startswith(self.unit)]  # fmt: skip
        return found

    def _visited(self, found: dict[str, list[Item]], names: tuple[str, str], place: str, home: int, seen: Any, otherwise: tuple[str, int], label: str = "") -> None:
        if seen is not None:
            found[names[0]].append(Item(place, seen.visited_on, label, home, "", 0, "screening", seen.id))
        else:
            found[names[1]].append(Item(place, "", label, home, "", 0, *otherwise))

    # -- money

    def _benefits(self) -> Iterable[Item]:
        for one in in_benefit.on(self.conn, self.unit, self.wanted.until):
            yield Item(one["community"], "", "", one["household_id"], one["category"], one["amount_fen"], "benefit", one["benefit_id"])

    def _temporary(self) -> Iterable[Item]:
        """Help granted in the period; what was dropped afterwards was not given."""
        row = temporary_grant.c
        where = (within(row.community, self.unit), row.granted_on.between(self.since, self.until), row.state != "dropped")
        for one in self.conn.execute(select(row.id, row.case_no, row.household_id, row.community, row.form, row.amount_fen, row.granted_on).where(*where)):
            yield Item(one.community, one.granted_on, one.case_no, one.household_id, one.form, one.amount_fen, "temporary_grant", one.id)

    # -- registers of the campaign

    def _of(self, table: Table, day: str, *where: Any) -> Iterable[Any]:
        """Rows of the unit whose day lies in the period."""
        column = table.c
        return self.conn.execute(select(table).where(within(column.unit if "unit" in column else column.community, self.unit), column[day].between(self.since, self.until), *where)).mappings()

    def _stands(self, table: Table) -> Any:
        """Not withdrawn by the end of the period."""
        return or_(table.c.withdrawn_on.is_(None), table.c.withdrawn_on > self.until)

    def _publicity(self) -> Iterable[Item]:
        for one in self._of(publicity_activity, "held_on", self._stands(publicity_activity)):
            yield Item(one["unit"], one["held_on"], "", None, one["channel"], one["copies"], "publicity_activity", one["id"])

    def _training(self) -> Iterable[Item]:
        """Everybody who signed for himself, by the unit where he works."""
        here, session = training_attendance.c, training_session.c
        query = select(here.id, here.unit, here.role, session.held_on).join(training_session, session.id == here.session_id).where(here.signed, within(here.unit, self.unit))
        for one in self.conn.execute(query.where(session.held_on.between(self.since, self.until), self._stands(training_session))):
            yield Item(one.unit, one.held_on, "", None, one.role, 0, "training_attendance", one.id)

    def _inspections(self) -> Iterable[Item]:
        for one in self._of(inspection, "inspected_on", inspection.c.finished_on <= self.until):
            yield Item(one["unit"], one["inspected_on"], "", None, "", 0, "inspection", one["id"])

    def _hazards(self) -> Iterable[Item]:
        """key: fixed (on the spot, or verified by the end of the period) | open."""
        for one in self._of(hazard, "found_on"):
            fixed = one["state"] == "on_spot" or (one["verified_on"] is not None and one["verified_on"] <= self.until)
            yield Item(one["unit"], one["found_on"], "", None, "fixed" if fixed else "open", 0, "hazard", one["id"])

    def _dispersed(self) -> Iterable[Item]:
        for one in self._of(dispersed_visit, "visited_on"):
            yield Item(one["community"], one["visited_on"], "", one["household_id"], one["condition"], 0, "dispersed_visit", one["id"])

    def _festival(self) -> Iterable[Item]:
        for one in self._of(festival_item, "credited_on", festival_item.c.state == "credited"):
            yield Item(one["community"], one["credited_on"], "", one["household_id"], one["grouping"], one["amount_fen"], "festival_item", one["id"])

    # -- complaints and the meeting

    def _complaints(self) -> Iterable[Item]:
        """Concluded in the period, by finding; nobody is told of one about himself (domain 5.3.5). The list names no household."""
        row = complaint.c
        where = (within(row.unit, self.unit), row.concluded_on.between(self.since, self.until), or_(row.target_login.is_(None), row.target_login != self.actor.id))
        for one in self.conn.execute(select(row.id, row.case_no, row.unit, row.finding, row.concluded_on).where(*where)):
            yield Item(one.unit, one.concluded_on, one.case_no, None, one.finding, 0, "complaint", one.id)

    def _meetings(self) -> Iterable[Item]:
        """Items announced in the period, by resolution."""
        row, case = agenda_item.c, store.record.c
        query = select(row.id, row.case_no, row.household_id, row.resolution, row.announced_on, case.unit).join(store.record, case.no == row.case_no)
        for one in self.conn.execute(query.where(within(case.unit, self.unit), row.announced_on.between(self.since, self.until), row.resolution.is_not(None))):
            yield Item(one.unit, one.announced_on, one.case_no, one.household_id, one.resolution, 0, "agenda_item", one.id)

    # -- steps

    def _steps(self, *where: Any) -> Iterable[Any]:
        task, case = store.task.c, store.record.c
        query = select(task.id, task.node, task.unit, task.opened_at, task.closed_at, task.due_on, case.no, case.process).join(store.record, case.id == task.case_id)
        return self.conn.execute(query.where(within(task.unit, self.unit), *where))

    def _done(self) -> Iterable[Item]:
        """Finished in the period; `fen` is how long it took, in hours."""
        task, begun = store.task.c, datetime.combine(self.wanted.since, time(), SHANGHAI)
        for one in self._steps(task.state == "done", task.closed_at >= begun, task.closed_at < self._after):
            hours = int((one.closed_at - one.opened_at).total_seconds() // 3600)
            yield Item(one.unit, one.closed_at.astimezone(SHANGHAI).date().isoformat(), one.no, None, f"{one.process}.{one.node}", hours, "task", one.id)

    def _open(self) -> Iterable[Item]:
        """Open at the end of the last day; `fen` is by how many days it is late."""
        task = store.task.c
        for one in self._steps(task.opened_at < self._after, or_(task.closed_at.is_(None), task.closed_at >= self._after)):
            late = (self.wanted.until - date.fromisoformat(one.due_on)).days if one.due_on and one.due_on < self.until else 0
            yield Item(one.unit, one.opened_at.astimezone(SHANGHAI).date().isoformat(), one.no, None, f"{one.process}.{one.node}", late, "task", one.id)


def _sorted(found: Iterable[Item]) -> list[Item]:
    return sorted(found, key=lambda one: (one.day, one.place, one.row_id))


# -- the whole


def told(conn: Connection, actor: Actor, wanted: Asked, today: date) -> dict[str, Any]:
    """The dashboard of a unit and a period in JSON; money in fen, times in days."""
    book, desk = Book(conn, wanted, today), Desk(conn, actor, wanted)
    figures = ledger.told(conn, wanted, today, book)
    side = book.of(wanted.unit)["persons"]
    first = ledger.CAMPAIGN[0]
    day = (wanted.until - first).days + 1
    return {
        "unit": figures["unit"], "unit_name": figures["unit_name"], "from": figures["from"], "to": figures["to"], "day": day if 0 < day <= CAMPAIGN_DAYS else None, "days": CAMPAIGN_DAYS, "ok": figures["ok"],
        "numbers": [{name: one[name] for name in ("number", "zh", "en", "persons", "households")} for one in figures["numbers"]], "start": figures["start"], "end": figures["end"],
        "violations": figures["violations"]["concluded"], "problems": {name: figures["problems"][name] for name in ("found", "settled", "overdue")},
        "weeks": weeks(side, wanted), "units": _units(conn, desk, figures["units"]), "whole": _line(desk, wanted.unit), "steps": steps(desk),
        "complaints": _counted(desk, "complaints"), "meetings": _counted(desk, "meetings"),
        "registers": [_register(desk, figure) for figure in REGISTERS],
    }  # fmt: skip


def weeks(side: Side, wanted: Asked) -> list[dict[str, Any]]:
    """Monday to Sunday, the first and last cut to the period: {from, to, L1, L2, L4} by the days on which it happened, so that they add up."""
    days = {n: Counter(hit.day for hit in side.hits[n].values()) for n in TREND}
    found: list[dict[str, Any]] = []
    start = wanted.since
    while start <= wanted.until:
        end = min(start + timedelta(days=6 - start.weekday()), wanted.until)
        line: dict[str, Any] = {"from": start.isoformat(), "to": end.isoformat()}
        for number in TREND:
            line[number] = sum(n for day, n in days[number].items() if line["from"] <= day <= line["to"])
        found.append(line)
        start = end + timedelta(days=1)
    return found


def _line(desk: Desk, unit: str) -> dict[str, Any]:
    """Coverage, money and late steps of a unit."""
    def of(figure: str) -> list[Item]:
        return [one for one in desk.items(figure) if one.place.startswith(unit)]

    screened, missing, again, not_again = (len(of(name)) for name in ("screened", "unscreened", "again", "not_again"))
    benefits, helped = of("benefits"), of("temporary")
    return {"screened": screened, "to_screen": screened + missing, "coverage": _percent(screened, screened + missing), "again": again, "to_screen_again": again + not_again,
            "elsewhere": len(of("elsewhere")), "benefits": len(benefits), "month_fen": sum(one.fen for one in benefits), "temporary": len(helped), "temporary_fen": sum(one.fen for one in helped),
            "open": len(of("open")), "late": len(of("late"))}  # fmt: skip


def _percent(part: int, whole: int) -> float | None:
    """Of a hundred, to one decimal, never rounded up to all; None of nothing."""
    return part * 1000 // whole / 10 if whole else None


def _units(conn: Connection, desk: Desk, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [{**row, **_line(desk, row["unit"])} for row in rows]


def steps(desk: Desk) -> list[dict[str, Any]]:
    """By step of each process: finished in the period and the days that took on average (one decimal, None: none finished), open and late at its
    end; what is late stands first."""
    hours: dict[str, list[int]] = defaultdict(list)
    for one in desk.items("done"):
        hours[one.key].append(one.fen)
    opened, late = (Counter(one.key for one in desk.items(name)) for name in ("open", "late"))
    found = []
    for key in sorted(hours.keys() | opened.keys()):
        process, _, node = key.rpartition(".")
        took = hours.get(key, [])
        found.append({"process": process, "node": node, "done": len(took), "days": round(sum(took) / len(took) / 24, 1) if took else None, "open": opened[key], "late": late[key]})
    return sorted(found, key=lambda row: (-row["late"], -(row["days"] or 0), row["process"], row["node"]))


def _counted(desk: Desk, figure: str) -> list[dict[str, Any]]:
    counted = Counter(one.key for one in desk.items(figure))
    return [{"key": key, "count": counted[key]} for key in sorted(counted)]


def _register(desk: Desk, figure: str) -> dict[str, Any]:
    """How many, and of money the fen, of publicity the copies, of hazards those that are fixed."""
    found, (zh, en) = desk.items(figure), FIGURES[figure]
    fixed = sum(one.key == "fixed" for one in found)
    return {"figure": figure, "zh": zh, "en": en, "count": len(found), "fen": sum(one.fen for one in found) if figure in MONEY else None,
            "copies": sum(one.fen for one in found) if figure == "publicity" else None, "fixed": fixed if figure == "hazards" else None}  # fmt: skip


# -- drill-down


def items_of(conn: Connection, actor: Actor, wanted: Asked, figure: str, *, key: str | None = None, page: int = 1, size: int = 25) -> Page:
    """What a figure counts, each with its entry: unit, day, case_no, household_id, key, fen, hours, days_late, record_id, entry. key: only one
    part of it (a finding, a resolution, a category, process.step)."""
    found = [one for one in Desk(conn, actor, wanted).items(figure) if key in (None, one.key)]
    return Page([_told(conn, figure, one) for one in found[(page - 1) * size : page * size]], len(found), page, size)


def _told(conn: Connection, figure: str, one: Item) -> dict[str, Any]:
    where = _of_task(conn, one) if one.table == "task" else {"record_id": one.row_id, "entry": 1} if one.table == "case" else entry_of(conn, one.table, one.row_id)
    return {"unit": one.place, "unit_name": organisation.unit_name(conn, one.place), "day": one.day or None, "case_no": one.label or None, "household_id": one.household_id, "key": one.key or None,
            "fen": one.fen if figure in MONEY else None, "copies": one.fen if figure == "publicity" else None, "hours": one.fen if figure == "done" else None, "days_late": one.fen if figure in ("open", "late") and one.fen else None,
            **where}  # fmt: skip


def _of_task(conn: Connection, one: Item) -> dict[str, Any]:
    """The entry that finished a step, else that which opened it."""
    row = conn.execute(select(store.task.c.case_id, store.task.c.key).where(store.task.c.id == one.row_id)).one()
    opened = finished = None
    for seq, body in conn.execute(select(store.entry.c.seq, store.entry.c.body).where(store.entry.c.record_id == row.case_id).order_by(store.entry.c.seq)):
        data = read_body(body)["data"]
        if any(key == row.key for key, *_ in data.get("then", {}).get("opened", ())):
            opened = seq
        elif data.get("task") == row.key:
            finished = seq
    return {"record_id": row.case_id, "entry": finished or opened}
