"""The periodic duty to report (N220 art 32; domain 1.6): each time it falls due the household is reminded, and once more when it
stays silent; its next report answers it, whatever it reports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, func, select

from engine.model import Put
from engine.office import Act, Record
from engine.process import CaseRef
from engine.queries import Area, Page, within
from processes import benefits, households, law, paperwork
from processes.benefit_tables import report_duty
from processes.tables import household

STATES = ("due", "overdue", "answered")


def due(act: Act, record_id: int, key: str) -> None:
    """The job "report_due" of a benefit: write the duty down, remind, and plan the next one: who stays silent owes that, too. What
    fell due while nothing ran is one duty. `key`: begins with the day; a job whose date has moved does nothing."""
    day = key[:10]
    record, found = act.open("benefit", record_id), benefits.row(act.conn, record_id * 65536 + 1)
    if found["status"] not in benefits.LIVE or found["next_report_on"] != day or _known(act.conn, found["id"], day):
        return
    house = households.row(act.conn, found["household_id"])
    values = {"benefit_id": found["id"], "household_id": house["id"], "street": house["street"], "due_on": day, "reminded_on": act.today.isoformat()}
    following = date.fromisoformat(day)
    while following <= act.today:
        following = benefits.next_report(following, found["review_class"] or "B")
    puts = [Put("report_duty", record.next_id(), values), *_letter(act, record, house, day), Put("benefit", found["id"], {"next_report_on": following.isoformat()})]
    act.append(record, "report_due", {"due_on": day}, puts=puts)
    again = date.fromisoformat(day) + timedelta(days=reminder_days(date.fromisoformat(day)))
    benefits.plan(act, record_id, "report_reminder", max(again, act.today), day)
    benefits.plan(act, record_id, "report_due", following)


def remind(act: Act, record_id: int, key: str) -> None:
    """The job "report_reminder": who has not answered by now is reminded once more, and not again. `key`: the duty's day."""
    day = key[:10]
    record = act.open("benefit", record_id)
    where = and_(report_duty.c.benefit_id == record_id * 65536 + 1, report_duty.c.due_on == day)
    found = act.conn.execute(select(report_duty).where(where)).mappings().one_or_none()
    live = benefits.row(act.conn, record_id * 65536 + 1)["status"] in benefits.LIVE
    if found is None or found["answered_on"] or found["reminded_again_on"] or not live:
        return
    house = households.row(act.conn, found["household_id"])
    puts = [Put("report_duty", found["id"], {"reminded_again_on": act.today.isoformat()}), *_letter(act, record, house, day)]
    act.append(record, "report_reminded", {"due_on": day}, puts=puts)


def answer(act: Act, benefit_id: int, case_no: str, reported_on: str) -> None:
    """The household has reported: what it owed is answered, and the next time counts from here."""
    record, found = act.open("benefit", benefit_id >> 16), benefits.row(act.conn, benefit_id)
    told = {"answered_on": reported_on, "case_no": case_no}
    puts = [Put("report_duty", row["id"], told) for row in _open(act.conn, benefit_id)]
    following = benefits.coming_report(date.fromisoformat(reported_on), found["review_class"] or "B", act.today)
    if found["status"] in benefits.LIVE and following.isoformat() != found["next_report_on"]:
        puts.append(Put("benefit", benefit_id, {"next_report_on": following.isoformat()}))
        benefits.plan(act, record.id, "report_due", following)
    if puts:
        act.append(record, "report_received", {"case": case_no}, puts=puts)


def moved(act: Act, benefit_id: int, street: str) -> None:
    """What is still owed is owed to the street to which the household moved."""
    if puts := [Put("report_duty", row["id"], {"street": street}) for row in _open(act.conn, benefit_id)]:
        act.append(act.open("benefit", benefit_id >> 16), "report_duty_moved", puts=puts)


def reminder_days(on: date) -> int:
    return int(law.value("report_reminder_days", on).amount)


def _letter(act: Act, record: Record, house: Mapping[Any, Any], day: str) -> list[Put]:
    """The letter stands in the benefit's record: there is no case; the household's number takes its place."""
    facts = {"household_id": house["id"], "street": house["street"], "community": house["community"], "due_on": day}
    return paperwork.issue(act, CaseRef(record.id, house["no"], record.next_id), "report_reminder", facts, {})


def _known(conn: Connection, benefit_id: int, day: str) -> bool:
    return conn.scalar(select(report_duty.c.id).where(report_duty.c.benefit_id == benefit_id, report_duty.c.due_on == day)) is not None


def owed(conn: Connection, benefit_id: int) -> list[str]:
    """The days since which the household owes a report, the oldest first."""
    return [row["due_on"] for row in _open(conn, benefit_id)]


def _open(conn: Connection, benefit_id: int) -> Sequence[Mapping[Any, Any]]:
    where = and_(report_duty.c.benefit_id == benefit_id, report_duty.c.answered_on.is_(None))
    return conn.execute(select(report_duty).where(where).order_by(report_duty.c.id)).mappings().all()


# -- lists


def _is(state: str, today: date) -> ColumnElement[bool]:
    """due: the household still has time after its reminder; overdue: it was to be reminded again."""
    last, unanswered = (today - timedelta(days=reminder_days(today))).isoformat(), report_duty.c.answered_on.is_(None)
    return {"due": and_(unanswered, report_duty.c.due_on > last), "overdue": and_(unanswered, report_duty.c.due_on <= last),
            "answered": report_duty.c.answered_on.is_not(None)}[state]  # fmt: skip


def state_of(row: Mapping[Any, Any], today: date) -> str:
    if row["answered_on"]:
        return "answered"
    return "overdue" if row["due_on"] <= (today - timedelta(days=reminder_days(today))).isoformat() else "due"


def listed(conn: Connection, area: Area, today: date, *, state: str | None = None, street: str | None = None, page: int = 1, size: int = 25) -> Page:
    """Duties of an area with the household's number, those due first; rows hold `state`."""
    query = select(report_duty, household.c.no, household.c.community).join(household, household.c.id == report_duty.c.household_id)
    query = query.where(within(household.c.community, area))
    if state is not None:
        query = query.where(_is(state, today))
    if street is not None:
        query = query.where(report_duty.c.street == street)
    total = conn.scalar(select(func.count()).select_from(query.subquery())) or 0
    order = query.order_by(report_duty.c.answered_on.is_not(None), report_duty.c.due_on, report_duty.c.id)
    rows = conn.execute(order.limit(size).offset((page - 1) * size)).mappings()
    return Page([{**row, "state": state_of(row, today)} for row in rows], total, page, size)


def by_street(conn: Connection, area: Area, today: date) -> list[dict[str, Any]]:
    """street -> how many are due, overdue, answered."""
    counts = [func.count().filter(_is(state, today)).label(state) for state in STATES]
    query = select(report_duty.c.street, *counts).join(household, household.c.id == report_duty.c.household_id)
    query = query.where(within(household.c.community, area)).group_by(report_duty.c.street).order_by(report_duty.c.street)
    return [dict(row) for row in conn.execute(query).mappings()]
