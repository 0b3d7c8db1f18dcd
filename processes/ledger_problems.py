"""L6 of the ledger, 清查过程中发现的问题: what screenings, auditors and inspections found in a period, by type, with what is settled and what is overdue (domain 8)."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from datetime import date
from typing import Any

from sqlalchemy import Connection, func, select

from engine import store
from engine.errors import NotFound
from engine.model import read_body
from engine.queries import Page, within
from processes import accountability
from processes.finding_tables import finding, finding_reply
from processes.screening_tables import screening, screening_finding
from processes.supervision_tables import inspection_finding

PROBLEMS: Mapping[str, tuple[str, str]] = {
    "policy": ("政策落实不到位", "Policy not carried out"), "unlawful": ("违规享受", "Unlawful benefit"), "hardship": ("救助后仍突出困难", "Outstanding hardship after help"),
    "procedure": ("程序", "Procedure"), "money": ("资金", "Money"), "other": ("其他", "Other"),
}
_SCREENED = {"policy_not_implemented": "policy", "unlawful_benefit": "unlawful", "outstanding_hardship": "hardship"}
STATES = ("settled", "overdue", "open")


def found(conn: Connection, unit: str, since: date, until: date) -> list[dict[str, Any]]:
    """The findings raised in the period, as they stood on its last day, by the day: those of screenings that the second visitor had confirmed,
    the auditors', which say no type, and those of inspections. Each: source (screening | audit | inspection), id, type, unit, found_on, due_on, state (settled | overdue | open),
    settled_on, household_id, case_no."""
    first, last = since.isoformat(), until.isoformat()
    rows: list[dict[str, Any]] = []
    replied = {row.finding_id: row.said_on for row in conn.execute(
        select(finding_reply.c.finding_id, func.min(finding_reply.c.said_on).label("said_on")).where(finding_reply.c.kind == "reply").group_by(finding_reply.c.finding_id))}  # fmt: skip
    raised = finding.c
    for row in conn.execute(select(finding).where(within(raised.unit, unit), raised.raised_on >= first, raised.raised_on <= last)).mappings():
        late = row["due_on"] < last and replied.get(row["id"], "9999") > last
        rows.append({"source": "audit", "id": row["id"], "type": "other", "unit": row["unit"], "found_on": row["raised_on"], "due_on": row["due_on"],
                     **_state(row["settled_on"], last, late=late), "household_id": None, "case_no": row["case_no"]})  # fmt: skip
    seen = screening_finding.c
    query = select(screening_finding).join(screening, screening.c.id == seen.screening_id)
    where = (screening.c.state == "confirmed", screening.c.confirmed_on <= last, within(seen.community, unit), seen.found_on >= first, seen.found_on <= last)
    for row in conn.execute(query.where(*where)).mappings():
        late = row["due_on"] is not None and row["due_on"] < last
        rows.append({"source": "screening", "id": row["id"], "type": _SCREENED[row["kind"]], "unit": row["community"], "found_on": row["found_on"], "due_on": row["due_on"],
                     **_state(_done(row, last), last, late=late), "household_id": row["household_id"], "case_no": None})  # fmt: skip
    seen_by = inspection_finding.c
    for row in conn.execute(select(inspection_finding).where(within(seen_by.unit, unit), seen_by.raised_on >= first, seen_by.raised_on <= last)).mappings():
        over = row["settled_on"] if row["state"] == "accepted" else _done(row, last)
        rows.append({"source": "inspection", "id": row["id"], "type": row["kind"], "unit": row["unit"], "found_on": row["raised_on"], "due_on": row["due_on"],
                     **_state(over, last, late=row["due_on"] < last), "household_id": None, "case_no": None})  # fmt: skip
    return sorted(rows, key=lambda row: (row["found_on"], row["source"], row["id"]))


def _done(row: Mapping[Any, Any], last: str) -> str | None:
    """When it was put right, as things stood on a day: also what was sent back later."""
    spells: list[tuple[str, str | None]] = [*json.loads(row["undone"] or "[]"), (row["done_on"], None)]
    return next((done for done, back in spells if back is None or done <= last < back), None)


def _state(settled_on: str | None, last: str, *, late: bool) -> dict[str, Any]:
    settled = settled_on is not None and settled_on <= last
    return {"state": "settled" if settled else "overdue" if late else "open", "settled_on": settled_on if settled else None}


def problems(conn: Connection, unit: str, since: date, until: date) -> dict[str, Any]:
    """L6 in numbers: found, settled and overdue at the end of the period, by type, with the ids."""
    rows = found(conn, unit, since, until)
    states, kinds = Counter(row["state"] for row in rows), Counter(row["type"] for row in rows)
    return {"found": len(rows), "settled": states["settled"], "overdue": states["overdue"], "findings": [row["id"] for row in rows if row["source"] == "audit"],
            "screening_findings": [row["id"] for row in rows if row["source"] == "screening"],
            "types": [{"type": code, "zh": zh, "en": en, "found": kinds[code]} for code, (zh, en) in PROBLEMS.items()]}  # fmt: skip


def problems_of(conn: Connection, unit: str, since: date, until: date, *, kind: str | None = None, state: str | None = None, page: int = 1, size: int = 25) -> Page:
    """The findings of L6, each with the entry that raised it. kind: of PROBLEMS; state: of STATES; NotFound for another."""
    if (kind is not None and kind not in PROBLEMS) or (state is not None and state not in STATES):
        raise NotFound("台账没有这一项")
    rows = [row for row in found(conn, unit, since, until) if kind in (None, row["type"]) and state in (None, row["state"])]
    shown = rows[(page - 1) * size : page * size]
    tables = {"audit": "finding", "screening": "screening_finding", "inspection": "inspection_finding"}
    return Page([{**row, **entry_of(conn, tables[row["source"]], row["id"])} for row in shown], len(rows), page, size)


MATTERS = ("concluded", "opened", "open")


def matters_of(conn: Connection, unit: str, since: date, until: date, *, state: str = "concluded", category: str | None = None, page: int = 1, size: int = 25) -> Page:
    """The matters of L5, each with the entry that concluded it (that opened it, where it is not concluded by then). What was done and by
    whom is read at GET accountability by those who handle it. NotFound for another state or category."""
    if state not in MATTERS or (category is not None and category not in accountability.CATEGORIES):
        raise NotFound("台账没有这一项")
    rows = [row for row in accountability.matters(conn, unit, since, until)[state] if category in (None, row["category"])]
    last = until.isoformat()
    shown: list[Mapping[Any, Any]] = []
    for row in rows[(page - 1) * size : page * size]:
        over = row["concluded_on"] is not None and row["concluded_on"] <= last
        where = entry_of(conn, "accountability", row["id"], concluded_on=row["concluded_on"]) if over else entry_of(conn, "accountability", row["id"])
        shown.append({"id": row["id"], "unit": row["unit"], "category": row["category"] if over else None, "opened_on": row["opened_on"],
                      "concluded_on": row["concluded_on"] if over else None, "state": row["state"] if over else "open", "cases": row["cases"].split(), **where})  # fmt: skip
    return Page(shown, len(rows), page, size)


def entry_of(conn: Connection, table: str, row_id: int, **values: Any) -> dict[str, Any]:
    """{record_id, entry}: the first entry of the row's record that wrote the row, with these values."""
    record_id = row_id >> 16
    rows = conn.execute(select(store.entry.c.seq, store.entry.c.body).where(store.entry.c.record_id == record_id).order_by(store.entry.c.seq))
    for seq, body in rows:
        for put in read_body(body).get("puts", ()):
            if put["table"] == table and put["id"] == row_id and values.items() <= put.get("set", {}).items():
                return {"record_id": record_id, "entry": seq}
    return {"record_id": record_id, "entry": None}
