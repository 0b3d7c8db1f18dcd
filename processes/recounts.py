"""What was counted in working days of a year whose calendar was not published yet, beside the last days of open tasks: by when the
joint meeting should decide, and until when a unit replies to an auditor's finding. Each moves with an entry in its own record.

What is only shown (last days on letters, cards, the limit over the whole procedure) is counted when somebody looks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any

from sqlalchemy import Column, Table, select, tuple_

from engine import deadlines
from engine.cases import Cases
from engine.model import Put
from engine.office import Act, Office
from processes import findings, special_cases
from processes.benefit_tables import special_case_request
from processes.finding_tables import finding

AT_ONCE = 25  # rows of one transaction, as in engine.deadlines


@dataclass(frozen=True, slots=True)
class _Rows:
    """Rows with a column `due_on`. kind: of the records that own them; state, open: which of them still wait; since: from when they count."""

    table: Table
    kind: str
    state: Column[Any]
    open: Sequence[str]
    since: str
    last_day: Callable[[date, int | None], date]

    def other(self, row: Mapping[Any, Any], known: int | None, published: int) -> str | None:
        """The day that the new calendar gives; None where it is the same, or not the calendar of before gave what stands there."""
        start = date.fromisoformat(row[self.since])
        if known is not None and self.last_day(start, known).isoformat() != row["due_on"]:
            return None
        day = self.last_day(start, published).isoformat()
        return day if day != row["due_on"] else None


_REQUESTS = _Rows(special_case_request, "case", special_case_request.c.status, ("submitted",), "submitted_on", special_cases.last_day)
_FINDINGS = _Rows(finding, "finding", finding.c.state, ("open", "replied"), "raised_on", findings.last_day)


def recompute(office: Office, cases: Cases) -> int:
    """All days that a newly published calendar moves; how many moved. See `engine.deadlines.recompute`."""
    return deadlines.recompute(office, cases, [partial(_recount, rows) for rows in (_REQUESTS, _FINDINGS)])


def _recount(rows: _Rows, office: Office, known: int | None, published: int) -> int:
    moved, after = 0, ("" if known is None else f"{known + 1}-01-01", 0)
    c = rows.table.c
    while True:
        query = select(c.id, c.due_on, c[rows.since]).where(rows.state.in_(rows.open), tuple_(c.due_on, c.id) > tuple_(*after))
        with office.read() as conn:
            found = conn.execute(query.order_by(c.due_on, c.id).limit(AT_ONCE)).mappings().all()
        days = {row["id"]: (row["due_on"], day) for row in found if (day := rows.other(row, known, published)) is not None}
        moved += office.retrying(partial(_move, office, rows, days, published)) if days else 0
        if len(found) < AT_ONCE:
            return moved
        after = (found[-1]["due_on"], found[-1]["id"])


def _move(office: Office, rows: _Rows, days: Mapping[int, tuple[str, str]], published: int) -> int:
    with office.act() as act:
        return sum(_moved(act, rows, row_id, *days[row_id], published) for row_id in sorted(days))  # by their records, ascending


def _moved(act: Act, rows: _Rows, row_id: int, before: str, after: str, published: int) -> bool:
    record = act.open(rows.kind, row_id >> 16)
    still = select(rows.table.c.id).where(rows.table.c.id == row_id, rows.table.c.due_on == before, rows.state.in_(rows.open))
    if act.conn.scalar(still) is None:
        return False
    said = {"of": rows.table.name, "from": before, "to": after, "calendar": published}
    act.append(record, "deadline_recomputed", said, puts=[Put(rows.table.name, row_id, {"due_on": after})])
    return True
