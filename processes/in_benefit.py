"""Who was in benefit on a day, from the decisions taken: what the screening visits and annex 1 lists (domain 1.22, 8)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from sqlalchemy import Connection, or_, select

from engine.queries import Area, within
from processes import benefits, ledger_stays
from processes.benefit_tables import benefit_adjustment as decision
from processes.tables import benefit, household

CATEGORIES = ("dibao", "low_income", "destitute_institutional", "destitute_dispersed")


def on(conn: Connection, area: Area, day: date, *, household_id: int | None = None) -> list[dict[str, Any]]:
    """Benefits of the households of a unit ("": of all) that counted on a day, by community and household: benefit_id, household_id, street,
    community, applicant_id, person_id, category, amount_fen, members, status. As the ledger has it (domain 8): a benefit counts from the day
    on which it was granted and no more from the day on which its stop was decided, its members as last decided; one brought over from a
    list was granted before, so its first month alone counts. Category and amount are those of the month. The household stands where it
    lived on the day."""
    d, h = decision.c, household.c
    moved = ledger_stays.moves(conn, household_id)
    query = select(d.benefit_id, d.kind, d.case_no, d.batch_no, d.after_category, d.after_fen, d.after_members, d.after_status, d.decided_on, d.from_month, benefit.c.granted_on,
                   benefit.c.person_id, h.id.label("household_id"), h.street, h.community, h.applicant_id)  # fmt: skip
    query = query.join(benefit, benefit.c.id == d.benefit_id).join(household, h.id == benefit.c.household_id).order_by(d.id)
    if household_id is not None:
        query = query.where(h.id == household_id)
    if area:
        query = query.where(or_(within(h.community, area), h.id.in_(sorted(moved))))
    taken: dict[int, dict[str, Any]] = {}
    for row in conn.execute(query).mappings():
        begun = row["from_month"] <= f"{day:%Y-%m}"
        if begun if _brought_over(row) else row["decided_on"] <= day.isoformat():
            before = taken.get(row["benefit_id"])
            of_month = row if begun or before is None else before
            taken[row["benefit_id"]] = {**row, "after_category": of_month["after_category"], "after_fen": of_month["after_fen"]}
    found = [_where(row, moved, day) for row in taken.values() if row["after_status"] in benefits.LIVE and row["after_category"] in CATEGORIES]
    here = [row for row in found if not area or any(row["community"].startswith(one) for one in ([area] if isinstance(area, str) else area))]
    return [_as_told(row) for row in sorted(here, key=lambda row: (row["community"], row["household_id"], row["benefit_id"]))]


def _where(row: dict[str, Any], moved: Mapping[int, Any], day: date) -> dict[str, Any]:
    """The row with the community of the day; that of the table is where the household lives now."""
    if (moves := moved.get(row["household_id"])) is None:
        return row
    community = ledger_stays.community_on(moves, day.isoformat())
    return {**row, "community": community, "street": community[:9]}


def _brought_over(row: Mapping[Any, Any]) -> bool:
    return row["kind"] == "grant" and row["case_no"] is None and row["batch_no"] is None and row["granted_on"] is None


def _as_told(row: Mapping[str, Any]) -> dict[str, Any]:
    return {**{name: row[name] for name in ("benefit_id", "household_id", "street", "community", "applicant_id", "person_id")}, "category": row["after_category"],
            "amount_fen": row["after_fen"], "members": row["after_members"], "status": row["after_status"]}  # fmt: skip
