"""Reads of temporary assistance: what was granted to a household, in a case, in an area and year, and what is owed to it still."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, case, func, select

from engine.crypto import BoundKeys
from engine.queries import Area, Page, within
from processes.tables import household, person
from processes.temporary_tables import temporary_grant as grant

STATES = {"proposed": ("拟给予", "proposed"), "granted": ("已决定，未支付", "granted, not paid"), "paid": ("已支付（交付）", "paid"), "dropped": ("未给予", "not given")}
GIVEN = ("granted", "paid")


def earlier(conn: Connection, household_id: int) -> list[dict[str, Any]]:
    """Cases with cause and year of what was granted to a household, for `temporary.same_cause`."""
    query = select(grant.c.case_no, grant.c.cause, grant.c.year).where(grant.c.household_id == household_id, grant.c.state.in_(GIVEN)).distinct()
    return [dict(row) for row in conn.execute(query.order_by(grant.c.case_no)).mappings()]


def of_case(conn: Connection, case_no: str) -> Sequence[Mapping[Any, Any]]:
    """The rows of a case as they stand, but for those that were dropped."""
    return conn.execute(select(grant).where(grant.c.case_no == case_no, grant.c.state != "dropped").order_by(grant.c.id)).mappings().all()


def ids(conn: Connection, case_no: str, state: str) -> list[int]:
    return list(conn.scalars(select(grant.c.id).where(grant.c.case_no == case_no, grant.c.state == state).order_by(grant.c.id)))


def shown(keys: BoundKeys, rows: Sequence[Mapping[Any, Any]]) -> list[dict[str, Any]]:
    """[{form, amount_fen, description, referred_to}] in plain, for a letter or for who may read the case."""
    return [{"form": row["form"], "amount_fen": row["amount_fen"], **{name: _plain(keys, row, name) for name in ("description", "referred_to")}} for row in rows]


def _plain(keys: BoundKeys, row: Mapping[Any, Any], name: str) -> str | None:
    return keys.reveal("temporary_grant", name, row["id"], row[name]) or None


@dataclass(frozen=True, slots=True)
class Filter:
    """What a list is narrowed to; every part may be left out."""

    household_id: int | None = None
    case_no: str | None = None
    year: int | None = None
    kind: str | None = None
    state: str | None = None
    unnamed: bool = False
    unregistered: bool = False  # 急难型 whose papers are not completed


def _narrowed(query: Select[Any], area: Area, wanted: Filter) -> Select[Any]:
    query = query.where(within(grant.c.community, area))
    for name in ("household_id", "case_no", "year", "kind"):
        if (value := getattr(wanted, name)) is not None:
            query = query.where(grant.c[name] == value)
    query = query.where(grant.c.state == wanted.state) if wanted.state else query.where(grant.c.state != "dropped")
    if wanted.unnamed:
        query = query.where(grant.c.unnamed)
    if wanted.unregistered:
        query = query.where(grant.c.kind == "emergency", grant.c.registered_on.is_(None))
    return query


_SHOWN = ("id", "case_no", "household_id", "community", "kind", "cause", "form", "amount_fen", "state", "persons", "unnamed", "year", "granted_on", "decided_by",
          "decided_at", "paid_on", "paid_by", "pay_method", "proof_document", "registered_on")  # fmt: skip


def search(conn: Connection, keys: BoundKeys, area: Area, wanted: Filter, *, page: int = 1, size: int = 25) -> Page:
    """Rows in JSON, the newest first: the columns, description, referred_to and receiver in plain, household_no and applicant."""
    query = select(grant, household.c.no.label("household_no"), person.c.name.label("applicant"))
    query = query.join(household, household.c.id == grant.c.household_id).join(person, person.c.id == household.c.applicant_id)
    query = _narrowed(query, area, wanted)
    total = conn.scalar(select(func.count()).select_from(query.subquery())) or 0
    rows = conn.execute(query.order_by(grant.c.id.desc()).limit(size).offset((page - 1) * size)).mappings()
    items: list[Mapping[Any, Any]] = [{**{name: row[name] for name in (*_SHOWN, "household_no", "applicant")}, **{name: _plain(keys, row, name) for name in ("description", "referred_to", "receiver")}}
             for row in rows]  # fmt: skip
    return Page(items, total, page, size)


def totals(conn: Connection, area: Area, wanted: Filter) -> list[dict[str, Any]]:
    """Per calendar year of what was given: [{year, cases, households, amount_fen, paid_fen, unnamed}], the newest first; `unnamed`: of whom
    the identity was not known, in cases."""
    given = _narrowed(select(grant.c.case_no), area, wanted).where(grant.c.state.in_(GIVEN)).with_only_columns(
        grant.c.year, func.count(grant.c.case_no.distinct()).label("cases"), func.count(grant.c.household_id.distinct()).label("households"),
        func.sum(grant.c.amount_fen).label("amount_fen"), func.sum(case((grant.c.state == "paid", grant.c.amount_fen), else_=0)).label("paid_fen"),
        func.count(case((grant.c.unnamed, grant.c.case_no)).distinct()).label("unnamed"))  # fmt: skip
    rows = conn.execute(given.group_by(grant.c.year).order_by(grant.c.year.desc())).mappings()
    return [{name: int(row[name] or 0) for name in row} for row in rows]
