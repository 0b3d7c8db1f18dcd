"""Reads for the pages and the API: families recognised in hardship for their expenses, of an area."""

from __future__ import annotations

from sqlalchemy import Connection, and_, func, select

from engine.queries import Area, Page, within
from processes.expenditure_tables import recognition
from processes.tables import household, person

KINDS = ("illness_expenditure", "rigid_expenditure")


def search(conn: Connection, area: Area, *, kind: str | None = None, household_id: int | None = None, on: str | None = None, page: int = 1, size: int = 25) -> Page:
    """Recognitions of a unit (or several), the newest first; on: only those valid on this ISO day. Rows: the recognition with no and
    applicant of its household."""
    r = recognition.c
    query = select(recognition, household.c.no.label("household_no"), person.c.name.label("applicant"))
    query = query.join(household, household.c.id == r.household_id).join(person, person.c.id == household.c.applicant_id).where(within(household.c.community, area))
    if kind:
        query = query.where(r.kind == kind)
    if household_id is not None:
        query = query.where(r.household_id == household_id)
    if on:
        query = query.where(and_(r.recognised_on <= on, r.valid_until >= on))
    total = conn.scalar(select(func.count()).select_from(query.subquery())) or 0
    rows = conn.execute(query.order_by(r.id.desc()).limit(size).offset((page - 1) * size)).mappings()
    return Page([dict(row) for row in rows], total, page, size)
