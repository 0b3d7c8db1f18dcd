"""Reads for the pages and the API: benefits of an area, and the life of one of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, Select, and_, func, or_, select

from engine.crypto import BoundKeys
from engine.office import history
from engine.queries import Area, Page, within
from processes import benefits, identity
from processes.benefit_tables import report_duty, settlement
from processes.case_tables import letter
from processes.tables import benefit, benefit_person, household, household_member, person

STATUSES = ("pending_first_payment", "active", "suspended", "stopped", "closed")
_CASE_LETTERS = ("approval", "review_result", "grace_period", "adjustment", "stop", "suspension")


@dataclass(frozen=True, slots=True)
class Filter:
    """What a list is narrowed to; every part may be left out. name: beginning of a member's name; id_no: exact."""

    status: str | None = None
    category: str | None = None
    review_class: str | None = None
    household_id: int | None = None
    name: str = ""
    id_no: str = ""
    unsettled: bool = False  # money of past months is still to be paid back or paid later


def search(conn: Connection, keys: BoundKeys, area: Area, wanted: Filter, *, page: int = 1, size: int = 25) -> Page:
    """Benefits of a unit (or several), the newest first. Rows: the benefit with no, community, street and applicant of its household."""
    query = _narrowed(keys, area, wanted)
    total = conn.scalar(select(func.count()).select_from(query.subquery())) or 0
    rows = conn.execute(query.order_by(benefit.c.id.desc()).limit(size).offset((page - 1) * size)).mappings()
    return Page([dict(row) for row in rows], total, page, size)


def counts(conn: Connection, area: Area) -> dict[str, int]:
    """Status -> how many benefits of an area."""
    query = select(benefit.c.status, func.count()).join(household, household.c.id == benefit.c.household_id)
    found = {row[0]: row[1] for row in conn.execute(query.where(within(household.c.community, area)).group_by(benefit.c.status))}
    return {status: found.get(status, 0) for status in STATUSES}


def _narrowed(keys: BoundKeys, area: Area, wanted: Filter) -> Select[Any]:
    query = select(benefit, household.c.no.label("household_no"), household.c.community, household.c.street, person.c.name.label("applicant"))
    query = query.join(household, household.c.id == benefit.c.household_id).join(person, person.c.id == household.c.applicant_id)
    query = query.where(within(household.c.community, area))
    for name in ("status", "category", "review_class", "household_id"):
        if (value := getattr(wanted, name)) is not None:
            query = query.where(benefit.c[name] == value)
    if wanted.unsettled:
        owed = select(settlement.c.benefit_id).where(settlement.c.status.in_(benefits.OWED))
        query = query.where(benefit.c.id.in_(owed))
    if wanted.name or wanted.id_no:
        query = query.where(benefit.c.household_id.in_(_households_with(keys, wanted)))
    return query


def _households_with(keys: BoundKeys, wanted: Filter) -> Any:
    found = select(household_member.c.household_id).join(person, person.c.id == household_member.c.person_id).where(household_member.c.to_on.is_(None))
    if wanted.id_no:
        return found.where(person.c.id_blind == keys.blind(identity.normalise(wanted.id_no))).scalar_subquery()
    name = "".join(c for c in wanted.name if c.isprintable())
    return found.where(person.c.name.startswith(name, autoescape=True)).scalar_subquery()


# -- the life of one


def life(conn: Connection, keys: BoundKeys, benefit_id: int) -> list[dict[str, Any]]:
    """Its decisions, oldest first, each with the reason in the words of who decided (where it was said outside a case) and the
    letter that told the household."""
    said, letters = _said(conn, keys, benefit_id), _letters(conn, benefit_id)
    found = []
    for decision in benefits.history_of(conn, benefit_id):
        zh, en = benefits.REASON_WORDS.get(decision["reason_code"], (decision["reason_code"], decision["reason_code"]))
        found.append({**decision, "reason_zh": zh, "reason_en": en, "said": said.get(decision["id"]), "letter": _letter_of(decision, letters)})
    return found


def _said(conn: Connection, keys: BoundKeys, benefit_id: int) -> dict[int, str]:
    parts = [part for entry in history(conn, keys, benefit_id >> 16) for part in entry.personal.values() if part]
    words = [part["said"] for part in parts if isinstance(part.get("said"), Mapping) and "adjustment" in part["said"]]
    return {one["adjustment"]: one["reason"] for one in words}


def _letters(conn: Connection, benefit_id: int) -> Sequence[Mapping[Any, Any]]:
    """Letters of its cases (by household) and those of its own record."""
    own = letter.c.id.between(benefit_id >> 16 << 16, benefit_id >> 16 << 16 | 65535)
    mine = and_(letter.c.household_id == benefits.row(conn, benefit_id)["household_id"], letter.c.kind.in_(_CASE_LETTERS))
    return list(conn.execute(select(letter).where(or_(own, mine)).order_by(letter.c.id)).mappings())


def _letter_of(decision: Mapping[Any, Any], letters: Sequence[Mapping[Any, Any]]) -> Mapping[Any, Any] | None:
    """Of a case or a batch by its number; of an act on the benefit itself, the next one after the decision's row."""
    if number := decision["case_no"] or decision["batch_no"]:
        return next((x for x in letters if x["case_no"] == number), None)
    wanted = {"suspend": "suspension", "resume": "resumption"}.get(decision["kind"]) if decision["reason_code"] != "appeal" else "redress"
    return next((x for x in letters if x["kind"] == wanted and x["id"] > decision["id"] and x["id"] >> 16 == decision["id"] >> 16), None)


def members_counted(conn: Connection, benefit_id: int) -> list[Mapping[Any, Any]]:
    """Whom it counts now: person_id and name."""
    query = select(benefit_person.c.person_id, person.c.name).join(person, person.c.id == benefit_person.c.person_id)
    return list(conn.execute(query.where(benefit_person.c.benefit_id == benefit_id, benefit_person.c.active).order_by(benefit_person.c.id)).mappings())


def months_paid(conn: Connection, benefit_id: int, today: date, back: int = 6, ahead: int = 3) -> list[dict[str, Any]]:
    """What the decisions taken so far give for the months around today, none before the first payment."""
    found = benefits.row(conn, benefit_id)
    first = max(f"{benefits.add_months(today.replace(day=1), -back):%Y-%m}", found["first_payment_month"])
    last = max(f"{benefits.add_months(today.replace(day=1), ahead):%Y-%m}", found["first_payment_month"])
    return [{"month": month, "payable_fen": benefits.payable(conn, benefit_id, month)} for month in benefits.months(first, last)]


def settlements(conn: Connection, keys: BoundKeys, benefit_id: int, today: date) -> list[dict[str, Any]]:
    """What is to be paid back or paid later, with its plan, what is left of the plan after this month, and how it ended:
    cleared_on, cleared_by, said."""
    rows = benefits.of_settlements(conn, benefit_id)
    ended = _ends(conn, keys, benefit_id) if any(row["status"] not in benefits.OWED for row in rows) else {}
    still = {"cleared_on": None, "cleared_by": None, "said": None}
    return [{**found, **_plan(found, f"{today:%Y-%m}"), **still, **(ended.get(found["id"], {}) if found["status"] not in benefits.OWED else {})} for found in rows]


def _ends(conn: Connection, keys: BoundKeys, benefit_id: int) -> dict[int, dict[str, Any]]:
    found = {}
    for entry in history(conn, keys, benefit_id >> 16):
        if entry.event == "settlement_cleared":
            said = next((part["said"]["reason"] for part in entry.personal.values() if part and "reason" in part.get("said", {})), None)
            found[entry.data["settlement"]] = {"cleared_on": entry.data["cleared_on"], "cleared_by": entry.said["actor"]["id"], "said": said}
    return found


def _plan(found: Mapping[Any, Any], month: str) -> dict[str, Any]:
    over = found["status"] in ("settled", "waived")
    if not found["instalment_fen"]:
        return {"plan": [], "rest_fen": 0 if over else found["amount_fen"], "plan_over": False}
    plan = benefits.instalments(found["amount_fen"], found["instalment_fen"], found["first_month"])
    rest = sum(fen for m, fen in plan if m > month)
    return {"plan": [{"month": m, "fen": fen} for m, fen in plan], "rest_fen": 0 if over else rest, "plan_over": not over and plan[-1][0] <= month}


def due_within(conn: Connection, area: Area, today: date) -> dict[str, int]:
    """How many reviews of live benefits of an area are due by today, and how many of them owe a report."""
    lives = select(func.count()).select_from(benefit).join(household, household.c.id == benefit.c.household_id)
    lives = lives.where(within(household.c.community, area), benefit.c.status.in_(benefits.LIVE))
    owing = select(report_duty.c.benefit_id).where(report_duty.c.answered_on.is_(None))
    reviews, reports = benefit.c.next_review_on <= today.isoformat(), benefit.c.id.in_(owing)
    return {"reviews": conn.scalar(lives.where(reviews)) or 0, "reports": conn.scalar(lives.where(reports)) or 0}
