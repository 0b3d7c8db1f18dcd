"""Who was in benefit on a day, from the decisions taken: what the screening visits and annex 1 lists (domain 1.22, 8)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from sqlalchemy import Connection, select

from engine.queries import Area, within
from processes import benefits
from processes.benefit_tables import benefit_adjustment as decision
from processes.tables import benefit, household

CATEGORIES = ("dibao", "low_income", "destitute_institutional", "destitute_dispersed")


def on(conn: Connection, area: Area, day: date, *, household_id: int | None = None) -> list[dict[str, Any]]:
    """Benefits of the households of a unit ("": of all) that counted on a day, by community and household: benefit_id, household_id, street,
    community, applicant_id, person_id, category, amount_fen, members, status. A decision counts from its month and from the day on which it
    was taken; a benefit brought over from a list was granted before, so its first month alone counts. The household stands where it is now."""
    d, h = decision.c, household.c
    query = select(d.benefit_id, d.kind, d.case_no, d.batch_no, d.after_category, d.after_fen, d.after_members, d.after_status, d.decided_on, benefit.c.granted_on,
                   benefit.c.person_id, h.id.label("household_id"), h.street, h.community, h.applicant_id)  # fmt: skip
    query = query.join(benefit, benefit.c.id == d.benefit_id).join(household, h.id == benefit.c.household_id)
    query = query.where(d.from_month <= f"{day:%Y-%m}").order_by(d.id)
    if area:
        query = query.where(within(h.community, area))
    if household_id is not None:
        query = query.where(h.id == household_id)
    last: dict[int, dict[str, Any]] = {}
    for row in conn.execute(query).mappings():
        if row["decided_on"] <= day.isoformat() or _brought_over(row):
            last[row["benefit_id"]] = dict(row)
    found = [row for row in last.values() if row["after_status"] in benefits.LIVE and row["after_category"] in CATEGORIES]
    return [_as_told(row) for row in sorted(found, key=lambda row: (row["community"], row["household_id"], row["benefit_id"]))]


def _brought_over(row: Mapping[Any, Any]) -> bool:
    return row["kind"] == "grant" and row["case_no"] is None and row["batch_no"] is None and row["granted_on"] is None


def _as_told(row: Mapping[str, Any]) -> dict[str, Any]:
    return {**{name: row[name] for name in ("benefit_id", "household_id", "street", "community", "applicant_id", "person_id")}, "category": row["after_category"],
            "amount_fen": row["after_fen"], "members": row["after_members"], "status": row["after_status"]}  # fmt: skip
