"""作战进度 (M21a, domain 1.21): periodic reports of streets and zones to the district, and the summary report with both annexes.

The figures are the ledger's (L1 to L6), cumulative and of the period, and frozen with each submission; the unit writes the four texts.
Days follow from the campaign's interval and the calendar of working days.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, func, select

from engine.crypto import BoundKeys
from engine.errors import Conflict, Invalid, NotFound, Refused
from engine.forms import folded
from engine.model import SHANGHAI, Actor, Data, Put, stamp
from engine.office import Act, Record
from processes import (
    accountability,
    annexes,
    calendar,
    campaigns,
    ledger,
    ledger_problems,
    ledger_snapshots,
    organisation,
    readers,
)
from processes.campaign_obligations import OBLIGATIONS, Context, Standing
from processes.campaign_tables import campaign, campaign_obligation, campaign_unit
from processes.ledger_snapshot_tables import ledger_snapshot
from processes.progress_tables import TEXTS, progress_annex, progress_report, progress_submission

SWEEP = "progress_sweep"  # kind of job
RECORD = "progress_report"
PROGRESS, SUMMARY = "progress", "summary"
STATES: Mapping[str, tuple[str, str]] = {
    "missing": ("未填写", "Not written"), "due": ("未填写（已提醒）", "Not written, reminded"), "draft": ("草稿", "Draft"), "submitted": ("已报送，待审核", "Handed in, to be looked at"),
    "returned": ("已退回", "Sent back"), "accepted": ("已接收", "Accepted"),
}  # fmt: skip
WRITABLE = ("due", "draft", "returned")
DONE = ("submitted", "accepted")
REMIND_WORKDAYS = 1  # a unit is reminded so many working days before the last day (an office's rule, no law's)
_NUMBERS = tuple(ledger.NUMBERS)


# -- the calendar of a campaign


@dataclass(frozen=True, slots=True)
class Period:
    """A period of reports; `due_on` is a working day, `until` the moment. Number 0 is the whole campaign, for the summary report."""

    number: int
    start_on: date
    end_on: date
    due_on: date
    until: datetime

    def past(self, now: datetime) -> bool:
        return now > self.until


def periods(row: Mapping[Any, Any]) -> list[Period]:
    """The periods for which reports are owed: nothing falls due after a campaign was closed early."""
    closed = date.fromisoformat(row["closed_on"]) if row["closed_on"] else None
    return [one for one in _planned(row) if closed is None or one.due_on <= closed]


def _planned(row: Mapping[Any, Any]) -> list[Period]:
    """The periods of a campaign as it was planned. Each ends on the weekday of the report, the last one with the campaign; a report that would fall due
    on a day off is due on the next working day (domain 10)."""
    first, last = date.fromisoformat(row["start_on"]), date.fromisoformat(row["end_on"])
    end = first + timedelta(days=(row["report_weekday"] - first.isoweekday()) % 7)
    found: list[Period] = []
    while first <= last:
        due = _workday(end)
        found.append(Period(len(found) + 1, first, min(end, last), due, _moment(due, row["report_time"])))
        first, end = end + timedelta(days=1), end + timedelta(weeks=row["report_weeks"])
    return found


def whole(conn: Connection, row: Mapping[Any, Any]) -> Period:
    """The period of the summary report: due on the day of its obligation, by the campaign's time of day."""
    one = campaign_obligation.c
    due = conn.scalar(select(one.due_on).where(one.campaign_id == row["id"], one.kind == "summary_report", one.active).order_by(one.id).limit(1))
    day = date.fromisoformat(due or row["end_on"])
    return Period(0, date.fromisoformat(row["start_on"]), date.fromisoformat(row["end_on"]), day, _moment(day, row["report_time"]))


def _workday(day: date) -> date:
    while not calendar.is_workday(day):
        day += timedelta(days=1)
    return day


def _moment(day: date, time: str) -> datetime:
    return datetime.fromisoformat(f"{day.isoformat()}T{time}").replace(tzinfo=SHANGHAI)


def period_of(conn: Connection, row: Mapping[Any, Any], number: int) -> Period:
    """Raises NotFound where the campaign has no such period."""
    found = whole(conn, row) if number == 0 else next((one for one in _planned(row) if one.number == number), None)
    if found is None:
        raise NotFound("没有这一期")
    return found


def of_today(row: Mapping[Any, Any], today: date) -> Period:
    """The period of a day: the last that has begun, or the first. Raises NotFound for a campaign without any."""
    listed_ones = periods(row)
    if not listed_ones:
        raise NotFound("没有这一期")
    return next((one for one in reversed(listed_ones) if one.start_on <= today), listed_ones[0])


def _late(one: Period, row: Mapping[Any, Any] | None, now: datetime) -> bool:
    """Whether a report is late now, or was when it was handed in."""
    if row is not None and row["state"] in DONE:
        return bool(row["late"])
    if row is not None and row["state"] == "returned":
        return bool(row["late"]) or now.astimezone(SHANGHAI).date().isoformat() > (row["again_on"] or "")
    return one.past(now)


# -- the figures


def figures(conn: Connection, row: Mapping[Any, Any], unit: str, one: Period, today: date, whole_told: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """L1 to L6 of a unit: {since, as_of, cumulative, increment}; each {from, to, start, end, numbers: {L1: {persons, households}, …}, L5, L6,
    broken: names of checks that do not hold}. As of the period's last day, or today when it has not ended yet. `whole_told`: the ledger since the
    campaign's first day, where it is known already."""
    asked, first = _whole_asked(row, unit, one, today), _since(conn, row, unit, one)
    whole_told = whole_told or ledger.told(conn, asked, today)
    part = _block(whole_told) if first == asked.since else _part(conn, ledger.Asked(unit, first, asked.until), today)
    return {"since": first.isoformat(), "as_of": asked.until.isoformat(), "cumulative": _block(whole_told), "increment": part}


def _whole_asked(row: Mapping[Any, Any], unit: str, one: Period, today: date) -> ledger.Asked:
    """The cumulative ledger of a report: from the campaign's first day."""
    return ledger.Asked(unit, date.fromisoformat(row["start_on"]), min(today, one.end_on))


def _since(conn: Connection, row: Mapping[Any, Any], unit: str, one: Period) -> date:
    """The first day of the increment: that of the period; where the report before was handed in before its period had ended, the day after
    its figures, so that no day falls between two reports."""
    report, handed = progress_report.c, progress_submission.c
    query = select(handed.as_of).join(progress_report, report.id == handed.report_id).where(report.campaign_id == row["id"], report.kind == PROGRESS, report.unit == unit)
    last = conn.scalar(query.where(report.period == one.number - 1).order_by(handed.no.desc()).limit(1)) if one.number > 1 else None
    return min(one.start_on, date.fromisoformat(last) + timedelta(days=1)) if last else one.start_on


def _block(told: Mapping[str, Any]) -> dict[str, Any]:
    problems = told["problems"]
    return {
        "from": told["from"], "to": told["to"], "start": told["start"], "end": told["end"], "numbers": {one["number"]: {name: one[name] for name in ("persons", "households")} for one in told["numbers"]},
        "L5": told["violations"]["concluded"], "L6": {name: problems[name] for name in ("found", "settled", "overdue")}, "broken": [one["check"] for one in told["checks"] if not one["ok"]],
    }  # fmt: skip


def _part(conn: Connection, asked: ledger.Asked, today: date) -> dict[str, Any]:
    """A block of the unit alone, as `ledger.told` counts it: without the units below it, whom a report does not name."""
    side = ledger.Book(conn, asked, today).of(asked.unit)
    persons, houses = side["persons"], side["households"]
    problems = ledger_problems.problems(conn, asked.unit, asked.since, asked.until)
    return {
        "from": asked.since.isoformat(), "to": asked.until.isoformat(), "start": {"persons": persons.start, "households": houses.start}, "end": {"persons": persons.end, "households": houses.end},
        "numbers": {number: {"persons": persons.count(number), "households": houses.count(number)} for number in _NUMBERS},
        "L5": accountability.violations(conn, asked.unit, asked.since, asked.until)["concluded"], "L6": {name: problems[name] for name in ("found", "settled", "overdue")},
        "broken": [one["check"] for one in ledger.checks({asked.unit: side}, asked.unit, ()) if not one["ok"]],
    }  # fmt: skip


# -- the acts


def draft(act: Act, campaign_id: int, said: Data) -> dict[str, Any]:
    """Write or change a report that is not handed in yet. Raises Refused `unit`, `period-ahead`; Conflict when it is handed in already."""
    one, period = _writes(act, campaign_id, said)
    record, row = _opened(act, campaign_id, one["unit"], period)
    if row is not None and row["state"] not in WRITABLE:
        raise Conflict("这份报告已经报送，退回后才能修改", "This report is handed in: it can be changed when it is sent back")
    texts = {name: said.get(name) or None for name in TEXTS}
    state = "returned" if row is not None and row["state"] == "returned" else "draft"
    values = {**texts, "state": state, "drafted_by": act.actor.id, "drafted_on": act.today.isoformat()}
    number = _put(act, record, row, campaign_id, one["unit"], period, values, "progress_drafted")
    return {"report": number, "state": state}


def submit(act: Act, report_id: int) -> dict[str, Any]:
    """Hand it in: the figures are computed now and frozen; with a summary report both annexes, in full, as they are issued."""
    row = seen(act.conn, act.actor, report_id)
    record, row = act.open(RECORD, report_id >> 16), seen(act.conn, act.actor, report_id)
    _, period = _writes(act, row["campaign_id"], row)
    if row["state"] not in WRITABLE:
        raise Conflict("这份报告已经报送", "This report is handed in already")
    texts = {name: act.keys.reveal("progress_report", name, report_id, row[name]) for name in TEXTS}
    if lacking := [name for name in TEXTS if not texts[name]]:
        raise Invalid({name: ["报送前应当填写，没有的填“无”"] for name in lacking})
    frame = campaigns.seen(act.conn, act.actor, row["campaign_id"])
    snapshot = ledger_snapshots.keep(act, _whole_asked(frame, row["unit"], period, act.today))["snapshot"]
    kept = act.conn.scalar(select(ledger_snapshot.c.figures).where(ledger_snapshot.c.id == snapshot))
    made = figures(act.conn, frame, row["unit"], period, act.today, json.loads(kept or "{}"))
    no, today = row["times"] + 1, act.today.isoformat()
    late = _late(period, row, act.now)
    values = {"report_id": report_id, "no": no, "since": made["since"], "as_of": made["as_of"], "snapshot_id": snapshot, "figures": json.dumps(made, ensure_ascii=False, sort_keys=True), **texts,
              "submitted_by": act.actor.id, "submitted_on": today, "submitted_at": stamp(act.now), "late": late}  # fmt: skip
    puts = [Put("progress_submission", record.next_id(), values, _subject(record))]
    if row["kind"] == SUMMARY:
        puts += [_annex(act, record, report_id, no, number, row["unit"]) for number in annexes.TITLES]
    puts.append(Put("progress_report", report_id, {"state": "submitted", "times": no, "first_on": row["first_on"] or today, "submitted_on": today, "submitted_by": act.actor.id, "late": late}))
    act.append(record, "progress_submitted", {"no": no, "as_of": made["as_of"], "late": late}, puts=puts)
    return {"report": report_id, "state": "submitted"}


def _annex(act: Act, record: Record, report_id: int, no: int, number: int, unit: str) -> Put:
    """A full annex as of today, as bytes with their hash; who hands it in has read all of it."""
    made = annexes.make(act.conn, act.keys, act.actor, number, unit, act.today, act.today, full=True)
    annexes.note(act, made)
    content = annexes.workbook(made)
    values = {"report_id": report_id, "no": no, "annex": number, "as_of": made.on.isoformat(), "rows": len(made.rows), "size": len(content), "sha256": hashlib.sha256(content).hexdigest(),
              "content": base64.b64encode(content).decode()}  # fmt: skip
    return Put("progress_annex", record.next_id(), values, _subject(record))


def judge(act: Act, report_id: int, said: Data) -> dict[str, Any]:
    """The district accepts it, or sends it back with a reason and the day by which it comes again."""
    row = seen(act.conn, act.actor, report_id)
    frame = campaigns.seen(act.conn, act.actor, row["campaign_id"])
    if (post := act.actor.post_over(frame["unit"], campaigns.KEEPERS)) is None:
        raise Refused("role", "作战进度和总结报告由区民政局监督主管审核", "The district's supervisors look at the reports")
    act.through(post)
    record, row = act.open(RECORD, report_id >> 16), seen(act.conn, act.actor, report_id)
    if row["state"] != "submitted":
        raise Conflict("这份报告不在待审核状态", "This report does not wait to be looked at")
    if act.actor.id == row["submitted_by"]:
        raise Refused("own-entry", "这份报告是您报送的，应由另一人审核", "You handed this in yourself: somebody else looks at it")
    if said.get("again_on") and said["again_on"] < act.today.isoformat():
        raise Invalid({"again_on": ["不能早于今天"]})
    state = "accepted" if said["verdict"] == "accept" else "returned"
    latest = act.conn.scalar(select(progress_submission.c.id).where(progress_submission.c.report_id == report_id, progress_submission.c.no == row["times"]))
    values = {"outcome": state, "reason": said.get("reason") or None, "judged_by": act.actor.id, "judged_on": act.today.isoformat()}
    puts = [Put("progress_submission", int(latest or 0), values, _subject(record)), Put("progress_report", report_id, {"state": state, "again_on": said.get("again_on")})]
    act.append(record, f"progress_{state}", {"no": row["times"]}, puts=puts)
    return {"report": report_id, "state": state}


def _writes(act: Act, campaign_id: int, said: Mapping[Any, Any]) -> tuple[Mapping[Any, Any], Period]:
    """(the unit in the campaign, the period) for who writes its reports."""
    frame = campaigns.seen(act.conn, act.actor, campaign_id)
    code = folded(said["unit"])
    where = (campaign_unit.c.campaign_id == campaign_id, campaign_unit.c.unit == code, campaign_unit.c.level == "street", campaign_unit.c.active)
    one = act.conn.execute(select(campaign_unit).where(*where)).mappings().one_or_none()
    if one is None:
        raise Invalid({"unit": ["作战进度和总结报告由参加行动的街镇、管委会报送"]})
    if (post := campaigns.writes(act.actor, code, "street")) is None:
        raise Refused("unit", "各街镇、管委会报送本单位的报告，由本单位的分管领导、民政专干或经办人办理", "Each unit reports for itself, by its leader, civil affairs officer or clerk")
    act.through(post)
    if frame["state"] == "withdrawn":
        raise Conflict("该专项行动已结束", "This campaign is closed")
    try:
        period = period_of(act.conn, frame, said["period"])
    except NotFound:
        raise Invalid({"period": ["没有这一期"]}) from None
    if period.number and period not in periods(frame):
        raise Conflict("该专项行动已结束", "This campaign is closed")
    if act.today < period.start_on:
        raise Refused("period-ahead", f"这一期从 {period.start_on.isoformat()} 开始，还不能填报", f"This period begins on {period.start_on.isoformat()}: not yet")
    return one, period


def _kind(period: Period) -> str:
    return PROGRESS if period.number else SUMMARY


def _opened(act: Act, campaign_id: int, unit: str, period: Period) -> tuple[Record | None, Mapping[Any, Any] | None]:
    """The report's record, locked, with its row, if there is one. Two who begin the same at once wait for each other at the campaign."""
    act.open(campaigns.KIND, campaign_id >> 16)
    row = _found(act.conn, campaign_id, unit, period)
    if row is None:
        return None, None
    record = act.open(RECORD, row["id"] >> 16)
    return record, _found(act.conn, campaign_id, unit, period)


def _found(conn: Connection, campaign_id: int, unit: str, period: Period) -> Mapping[Any, Any] | None:
    one = progress_report.c
    where = (one.campaign_id == campaign_id, one.kind == _kind(period), one.period == period.number, one.unit == unit)
    return conn.execute(select(progress_report).where(*where)).mappings().one_or_none()


def _put(act: Act, record: Record | None, row: Mapping[Any, Any] | None, campaign_id: int, unit: str, period: Period, values: dict[str, Any], event: str) -> int:
    """The report's row changed, or begun in a record of its own; its id."""
    made = record or act.new(RECORD, unit)
    number = int(row["id"]) if row is not None else made.next_id()
    if row is None:
        values = {"campaign_id": campaign_id, "kind": _kind(period), "unit": unit, "period": period.number, "times": 0, "late": False, **values}
    act.append(made, event, {"period": period.number}, puts=[Put("progress_report", number, values, _subject(made))])
    return number


def _subject(record: Record) -> str:
    """Whose data a report's words and annexes are: one key of its own."""
    return f"report:{record.id}"


# -- every day


def sweep(act: Act) -> None:
    """The daily job: reminds units of what is due within a working day, and marks what was not handed in by its day; each once."""
    day = act.today.isoformat()
    rows = act.conn.execute(select(campaign).where(campaign.c.state == "open", campaign.c.start_on <= day).order_by(campaign.c.id)).mappings().all()
    for row in rows:
        wanted = _owed_kinds(act.conn, row["id"])
        listed = [*(periods(row) if PROGRESS in wanted else ()), *([whole(act.conn, row)] if SUMMARY in wanted else ())]
        known = {(one["period"], one["unit"]): one for one in _rows(act.conn, row["id"])}
        streets = _streets(act.conn, row["id"])
        for period in listed:
            over = act.today > period.due_on
            if act.today < period.start_on or not (over or calendar.workdays_between(act.today, period.due_on) <= REMIND_WORKDAYS):
                continue
            for unit in streets:
                one = known.get((period.number, unit))
                mark = "late_on" if over else "reminded_on"
                if one is None or (one["state"] in ("due", "draft") and one[mark] is None):
                    _marked(act, row["id"], unit, period, mark)


def _marked(act: Act, campaign_id: int, unit: str, period: Period, mark: str) -> None:
    record, row = _opened(act, campaign_id, unit, period)
    if row is not None and (row["state"] not in ("due", "draft") or row[mark] is not None):
        return
    values = {mark: act.today.isoformat(), **({"state": "due"} if row is None else {})}
    _put(act, record, row, campaign_id, unit, period, values, "progress_late" if mark == "late_on" else "progress_reminded")


def _owed_kinds(conn: Connection, campaign_id: int) -> set[str]:
    """Which reports the campaign's obligations ask for."""
    one = campaign_obligation.c
    kinds = set(conn.scalars(select(one.kind).where(one.campaign_id == campaign_id, one.active)))
    return {name for name, kind in ((PROGRESS, "progress_report"), (SUMMARY, "summary_report")) if kind in kinds}


def _rows(conn: Connection, campaign_id: int, units: Collection[str] | None = None) -> Sequence[Mapping[Any, Any]]:
    query = select(progress_report).where(progress_report.c.campaign_id == campaign_id)
    if units is not None:
        query = query.where(progress_report.c.unit.in_(units))
    return conn.execute(query.order_by(progress_report.c.id)).mappings().all()


def _streets(conn: Connection, campaign_id: int) -> list[str]:
    one = campaign_unit.c
    return list(conn.scalars(select(one.unit).where(one.campaign_id == campaign_id, one.level == "street", one.active).order_by(one.unit)))


# -- looking


def seen(conn: Connection, actor: Actor, report_id: int) -> Mapping[Any, Any]:
    """The row; NotFound for who reads nothing of this unit."""
    row = conn.execute(select(progress_report).where(progress_report.c.id == report_id)).mappings().one_or_none()
    reader = readers.of_cases(actor)
    if row is None or not (reader.covers(row["unit"]) or any(own.startswith(row["unit"]) for _, own in reader.posts)):
        raise NotFound("没有这份报告")
    return row


def units_read(conn: Connection, row: Mapping[Any, Any], actor: Actor) -> list[Mapping[Any, Any]]:
    """The units whose reports somebody reads: of those whose part of the campaign he sees, where he reads cases, too."""
    return campaigns.units_of(conn, row, readers.of_cases(actor))


def overview(conn: Connection, row: Mapping[Any, Any], units: Sequence[Mapping[Any, Any]], now: datetime) -> list[dict[str, Any]]:
    """The periods of a campaign that have begun and the next one, with the summary report (number 0): {number, kind, start_on, end_on, due_on, due_time, past,
    states: how many units stand how, late: units}."""
    if row["state"] == "withdrawn":
        return []
    today = now.astimezone(SHANGHAI).date()
    codes = [one["unit"] for one in units if one["level"] == "street"]
    known = {(one["period"], one["unit"]): one for one in _rows(conn, row["id"], codes)}
    found, wanted, written = [], _owed_kinds(conn, row["id"]), {number for number, _ in known}
    for period in [*(one for one in periods(row) if one.start_on <= today), whole(conn, row)]:
        if _kind(period) not in wanted and period.number not in written:
            continue
        rows = {unit: known.get((period.number, unit)) for unit in codes}
        states = [one["state"] if one is not None else "missing" for one in rows.values()]
        found.append({**_days(row, period, now), "states": {name: states.count(name) for name in STATES}, "late": [unit for unit, one in rows.items() if _late(period, one, now)],
                      "own": _brief(period, codes[0], rows[codes[0]], now) if len(codes) == 1 else None})  # fmt: skip
    return found


def _days(row: Mapping[Any, Any], period: Period, now: datetime) -> dict[str, Any]:
    return {"number": period.number, "kind": _kind(period), "start_on": period.start_on.isoformat(), "end_on": period.end_on.isoformat(), "due_on": period.due_on.isoformat(),
            "due_time": row["report_time"], "past": period.past(now)}  # fmt: skip


def _brief(period: Period, unit: str, one: Mapping[Any, Any] | None, now: datetime) -> dict[str, Any]:
    """A report without its words; `id` none: nobody has begun it."""
    plain = ("id", "state", "times", "first_on", "submitted_on", "submitted_by", "again_on", "reminded_on", "late_on")
    return {**{name: one[name] if one is not None else None for name in plain}, "state": one["state"] if one is not None else "missing", "times": one["times"] if one is not None else 0,
            "unit": unit, "period": period.number, "kind": _kind(period), "due_on": period.due_on.isoformat(), "late": _late(period, one, now)}  # fmt: skip


def listed(conn: Connection, row: Mapping[Any, Any], units: Sequence[Mapping[Any, Any]], period: Period, now: datetime) -> list[dict[str, Any]]:
    """Every unit with its report of a period, also those that have none; with the figures that it handed in last."""
    codes = [one["unit"] for one in units if one["level"] == "street"]
    known = {one["unit"]: one for one in _rows(conn, row["id"], codes) if one["period"] == period.number}
    ids = [one["id"] for one in known.values() if one["times"]]
    one = progress_submission.c
    frozen = {found.report_id: json.loads(found.figures) for found in conn.execute(select(one.report_id, one.figures).where(one.report_id.in_(ids)).order_by(one.no))}
    return [{**_brief(period, unit, known.get(unit), now), "unit_name": organisation.unit_name(conn, unit), "figures": frozen.get(known[unit]["id"]) if unit in known else None} for unit in codes]


def totals(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What the reports that were handed in add up to, in persons: {reports, cumulative: {L1: …, L5, L6}, increment}. A sum over units: who
    is counted in two of them is in it twice; the ledger of the district counts each once."""
    made = [one["figures"] for one in rows if one["figures"]]
    def block(name: str) -> dict[str, int]:  # fmt: skip
        return {**{number: sum(one[name]["numbers"][number]["persons"] for one in made) for number in _NUMBERS}, "L5": sum(one[name]["L5"] for one in made), "L6": sum(one[name]["L6"]["found"] for one in made)}

    return {"reports": len(made), "cumulative": block("cumulative"), "increment": block("increment")}


def late_list(conn: Connection, row: Mapping[Any, Any], units: Sequence[Mapping[Any, Any]], now: datetime) -> list[dict[str, Any]]:
    """What is not handed in though its moment has passed, the oldest first; a returned one after the day set for it."""
    wanted, codes = _owed_kinds(conn, row["id"]), [one["unit"] for one in units if one["level"] == "street"]
    known = {(one["period"], one["unit"]): one for one in _rows(conn, row["id"], codes)}
    listed_ones = [] if row["state"] == "withdrawn" else [one for one in [*periods(row), whole(conn, row)] if _kind(one) in wanted]
    found = [_brief(period, unit, known.get((period.number, unit)), now) for period in listed_ones for unit in codes]
    return sorted((one for one in found if one["late"] and one["state"] not in DONE), key=lambda one: (one["due_on"], one["unit"]))


def waiting(conn: Connection, actor: Actor, today: date) -> int:
    """How many reports wait for the actor: reminded, begun or sent back in his unit; handed in, where he looks at them."""
    one, day = progress_report.c, today.isoformat()
    mine = [own for role, own in actor.posts if role in campaigns.WRITERS]
    keeps = [own for role, own in actor.posts if role in campaigns.KEEPERS]
    running = select(campaign.c.id).where(campaign.c.state == "open", campaign.c.start_on <= day)
    query = select(func.count()).select_from(progress_report).where(one.campaign_id.in_(running))
    n = conn.scalar(query.where(one.unit.in_(mine), one.state.in_(WRITABLE))) or 0 if mine else 0
    return n + (conn.scalar(query.where(one.state == "submitted", one.campaign_id.in_(running.where(campaign.c.unit.in_(keeps))))) or 0 if keeps else 0)


def told(conn: Connection, keys: BoundKeys, row: Mapping[Any, Any], actor: Actor, now: datetime) -> dict[str, Any]:
    """A report in JSON: its words, figures (frozen, or as they would be frozen now), every submission, annexes. may: write | submit | judge | annexes."""
    frame = campaigns.seen(conn, actor, row["campaign_id"])
    period = period_of(conn, frame, row["period"])
    one = progress_submission
    handed = conn.execute(select(one).where(one.c.report_id == row["id"]).order_by(one.c.no)).mappings().all()
    frozen = row["state"] in DONE and bool(handed)
    shown = json.loads(handed[-1]["figures"]) if frozen else figures(conn, frame, row["unit"], period, now.astimezone(SHANGHAI).date())
    writes = campaigns.writes(actor, row["unit"], "street") is not None and (frame["state"] == "open" or (row["kind"] == SUMMARY and frame["state"] != "withdrawn"))
    judges = actor.post_over(frame["unit"], campaigns.KEEPERS) is not None and row["submitted_by"] != actor.id
    may = [verb for verb, allowed in (("write", writes and row["state"] in WRITABLE), ("submit", writes and row["state"] in WRITABLE), ("judge", judges and row["state"] == "submitted"),
           ("annexes", bool(handed) and row["kind"] == SUMMARY and opens_annexes(actor, row["unit"]))) if allowed]  # fmt: skip
    files = conn.execute(select(*(progress_annex.c[name] for name in ("no", "annex", "as_of", "rows", "size", "sha256"))).where(progress_annex.c.report_id == row["id"]).order_by(progress_annex.c.no, progress_annex.c.annex)).mappings()
    return {
        **_brief(period, row["unit"], row, now), **_days(frame, period, now), "campaign": row["campaign_id"], "campaign_name": frame["name"], "unit_name": organisation.unit_name(conn, row["unit"]),
        **{name: keys.reveal("progress_report", name, row["id"], row[name]) or None for name in TEXTS}, "drafted_by": row["drafted_by"], "drafted_on": row["drafted_on"],
        "figures": shown, "frozen": frozen, "may": may, "annexes": [dict(file) for file in files],
        "submissions": [{**{name: found[name] for name in ("no", "since", "as_of", "snapshot_id", "submitted_by", "submitted_on", "submitted_at", "late", "outcome", "judged_by", "judged_on")},
                         **{name: keys.reveal("progress_submission", name, found["id"], found[name]) or None for name in (*TEXTS, "reason")}, "figures": json.loads(found["figures"])} for found in handed],
    }  # fmt: skip


def words(conn: Connection, keys: BoundKeys, campaign_id: int, number: int, unit: str) -> dict[str, str]:
    """The texts of a draft as they stand, for its form; empty where nobody has begun it."""
    one = progress_report.c
    where = (one.campaign_id == campaign_id, one.kind == (PROGRESS if number else SUMMARY), one.period == number, one.unit == unit)
    row = conn.execute(select(progress_report).where(*where)).mappings().one_or_none()
    return {name: text for name in TEXTS if row is not None and (text := keys.reveal("progress_report", name, row["id"], row[name]))}


def opens_annexes(actor: Actor, unit: str) -> bool:
    """Whether somebody may have the full annexes of a unit."""
    return readers.of_cases(actor).covers(unit) and actor.post_over(unit, annexes.FULL) is not None


def annex(act: Act, report_id: int, number: int, no: int | None = None) -> tuple[str, bytes]:
    """(file name, bytes) of a frozen annex, of the last submission or of `no`; noted in the reader's log. Raises Invalid where they are no
    longer those of the hash."""
    row = seen(act.conn, act.actor, report_id)
    if not opens_annexes(act.actor, row["unit"]):
        raise Refused("annex-full", "您的岗位只能查看隐去个人信息的统计表", "Your post may have this table masked only")
    one = progress_annex.c
    found = act.conn.execute(select(progress_annex).where(one.report_id == report_id, one.annex == number, one.no == (no or row["times"]))).mappings().one_or_none()
    if found is None:
        raise NotFound("没有这份统计表")
    readers.note(act, "annex_read", {"annex": number, "unit": row["unit"], "on": found["as_of"], "rows": found["rows"]})
    content = base64.b64decode(act.keys.reveal("progress_annex", "content", found["id"], found["content"]))
    if hashlib.sha256(content).hexdigest() != found["sha256"]:
        raise Conflict("统计表的内容与报送时的摘要不符", "The bytes are no longer those that were handed in")
    return f"annex{number}-{row['unit']}-{found['as_of']}.xlsx", content


# -- for the campaign's obligations


def _progress_stands(conn: Connection, unit: str, context: Context) -> Standing:
    """Late while a report of a past day is missing; else open with the next day, and met when all are handed in."""
    known = {one["period"]: one for one in _rows(conn, context.id, [unit]) if one["kind"] == PROGRESS}
    open_ones = [one for one in periods(context.row) if one.number not in known or known[one.number]["state"] not in DONE]
    if not open_ones:
        last, late_ones = max((one["submitted_on"] for one in known.values()), default=None), sum(one["late"] for one in known.values())
        end = max((one.due_on.isoformat() for one in periods(context.row)), default=None)
        return Standing("met", "各期均已报送" + (f"（其中逾期 {late_ones} 期）" if late_ones else ""), "All reports are handed in" + (f", {late_ones} of them late" if late_ones else ""), last, end)
    late = [one for one in open_ones if context.today > _day_of(one, known.get(one.number))]
    if late:
        said = "、".join(f"第{one.number}期" for one in late)
        return Standing("late", f"逾期未报：{said}", "Not handed in: " + ", ".join(f"period {one.number}" for one in late), due_on=_day_of(late[0], known.get(late[0].number)))
    one = min(open_ones, key=lambda one: _day_of(one, known.get(one.number)))
    returned = one.number in known and known[one.number]["state"] == "returned"
    return Standing("open", f"第{one.number}期" + ("已退回，待重新报送" if returned else "待报送"), f"Period {one.number}: " + ("sent back" if returned else "to be handed in"), due_on=_day_of(one, known.get(one.number)))


def _day_of(period: Period, row: Mapping[Any, Any] | None) -> str:
    return str(row["again_on"]) if row is not None and row["state"] == "returned" and row["again_on"] else period.due_on.isoformat()


def _summary_stands(conn: Connection, unit: str, context: Context) -> Standing:
    """The summary report with both annexes: met on the day on which it was handed in; one that was sent back in time keeps its first day."""
    row = next((one for one in _rows(conn, context.id, [unit]) if one["kind"] == SUMMARY), None)
    if row is None or row["state"] in ("due", "draft"):
        return Standing("open", "总结报告尚未报送", "The summary report is not handed in")
    if row["state"] == "returned":
        return Standing("open", f"已退回，应于 {row['again_on']} 前重新报送", f"Sent back, to be handed in again by {row['again_on']}", due_on=max(str(row["again_on"]), context.due_on or ""))
    return Standing("met", "总结报告及附件1、附件2已报送", "The summary report with annexes 1 and 2 is handed in", row["submitted_on"] if row["late"] else row["first_on"])


OBLIGATIONS.update({"progress_report": _progress_stands, "summary_report": _summary_stands, "annexes": _summary_stands})
