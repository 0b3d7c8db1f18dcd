"""Reads of complaints: of a case, about a household, and the complaint officer's list. Who complained is read in `complaints.reveal` alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, Select, String, bindparam, func, literal, or_, select

from engine.prepared import Prepared
from engine.queries import Area, Page, within
from processes.complaint_tables import complaint

OPEN = ("received", "investigating", "concluded")
PROVED = ("substantiated", "partly")
SHOWN = ("id", "case_no", "unit", "channel", "received_on", "is_named", "target_kind", "household_id", "benefit_id", "target_login", "target_unit", "state", "accepted_on",
         "due_on", "finding", "event_on", "concluded_on", "feedback_on", "review_no")  # fmt: skip

_REPORTED = Prepared(  # an OPEN one, or one that came on "since" or later
    select(complaint.c.id)
    .where(complaint.c.household_id == bindparam("the_household"), complaint.c.state != "not_accepted",
           or_(complaint.c.state.in_([literal(state) for state in OPEN]), complaint.c.received_on >= bindparam("since", type_=String)))
    .limit(1)
)  # fmt: skip


def of_case(conn: Connection, case_no: str) -> Mapping[Any, Any] | None:
    return conn.execute(select(complaint).where(complaint.c.case_no == case_no)).mappings().one_or_none()


def row(conn: Connection, row_id: int) -> Mapping[Any, Any] | None:
    return conn.execute(select(complaint).where(complaint.c.id == row_id)).mappings().one_or_none()


def of_record(conn: Connection, case_id: int) -> Mapping[Any, Any] | None:
    """By the id of the case's record."""
    return conn.execute(select(complaint).where(complaint.c.id > case_id * 65536, complaint.c.id < (case_id + 1) * 65536)).mappings().one_or_none()


def by_reporter(conn: Connection, reporter_id: int) -> int | None:
    found: int | None = conn.scalar(select(complaint.c.id).where(complaint.c.reporter_id == reporter_id).limit(1))
    return found


def reported(conn: Connection, household_id: int, applied_on: str | None) -> bool:
    """Whether a complaint about the household is open, or came since it applied: its file is visited by the district (N220 art 26)."""
    return _REPORTED.row(conn, {"the_household": household_id, "since": applied_on or "9999-12-31"}) is not None


def proved(conn: Connection, case_no: str | None, household_id: int) -> Mapping[Any, Any] | None:
    """The complaint of that number when it is about this household, was proved, and has opened no re-check yet."""
    row = of_case(conn, case_no) if case_no else None
    return row if row is not None and row["household_id"] == household_id and row["finding"] in PROVED and row["review_no"] is None else None


@dataclass(frozen=True, slots=True)
class Filter:
    """What the list is narrowed to; every part may be left out. `late`: past its last day by `today`."""

    state: str | None = None
    channel: str | None = None
    finding: str | None = None
    late: bool = False


def _narrowed(query: Select[Any], area: Area, reader: str, wanted: Filter, today: date) -> Select[Any]:
    """Nobody sees in the list a complaint about himself (domain 5.3.5)."""
    query = query.where(within(complaint.c.unit, area), or_(complaint.c.target_login.is_(None), complaint.c.target_login != reader))
    for name in ("state", "channel", "finding"):
        if (value := getattr(wanted, name)) is not None:
            query = query.where(complaint.c[name] == value)
    return query.where(complaint.c.state.in_(OPEN), complaint.c.due_on < today.isoformat()) if wanted.late else query


def search(conn: Connection, area: Area, reader: str, wanted: Filter, today: date, *, page: int = 1, size: int = 25) -> Page:
    """Rows in JSON, the newest first: SHOWN and `late`."""
    query = _narrowed(select(*(complaint.c[name] for name in SHOWN)), area, reader, wanted, today)
    total = conn.scalar(select(func.count()).select_from(query.subquery())) or 0
    rows: Sequence[Mapping[Any, Any]] = conn.execute(query.order_by(complaint.c.id.desc()).limit(size).offset((page - 1) * size)).mappings().all()
    return Page([{**row, "late": row["state"] in OPEN and (row["due_on"] or "9999") < today.isoformat()} for row in rows], total, page, size)


def counts(conn: Connection, area: Area, reader: str, today: date) -> dict[str, int]:
    """finding -> how many; those without one yet are `none`."""
    query = _narrowed(select(complaint.c.finding, func.count()), area, reader, Filter(), today).group_by(complaint.c.finding)
    return {row[0] or "none": int(row[1]) for row in conn.execute(query)}
