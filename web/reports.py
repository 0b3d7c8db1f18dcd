"""Active reporting: who owes a report by street, who was reminded, and the reported changes that are under way."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection, select

from engine import queries
from processes import households, law, organisation, readers, report_duties
from processes.case_tables import letter
from web.desk import bureau, me, whole

bp = Blueprint("reports", __name__)


@bp.get("/reports")
def show() -> ResponseReturnValue:
    """Counts by street, the duties of one state, and the open reports; a street narrows the list of duties."""
    made, today, asked = bureau(), bureau().office.today(), request.args
    state = asked.get("state") if asked.get("state") in report_duties.STATES else None
    street = asked.get("street") or None
    with made.office.read() as conn:
        duties = report_duties.listed(conn, readers.of_benefits(me()).areas, today, state=state, street=street, page=whole(asked.get("page"), 1, 10_000))
        open_cases = queries.cases(conn, readers.of_cases(me()).areas, process=law.procedures("change_report"), state="open", page=whole(asked.get("cases"), 1, 10_000))
        counts = report_duties.by_street(conn, me().areas, today)
        view = {
            "names": households.applicant_names(conn, [f"household:{d['household_id']}" for d in duties.items] + [c["subject"] for c in open_cases.items]),
            "places": {u: organisation.unit_name(conn, u) for u in _units(duties.items, open_cases.items, counts)},
            "letters": reminders(conn, duties.items),
        }  # fmt: skip
    args = {name: value for name, value in (("state", state), ("street", street)) if value}
    return render_template("reports.html", duties=duties, open_cases=open_cases, counts=counts, state=state, street=street, args=args, **view)


def _units(duties: Iterable[Mapping[Any, Any]], cases: Iterable[Mapping[Any, Any]], counts: Iterable[Mapping[Any, Any]]) -> set[str]:
    return {d["community"] for d in duties} | {c["unit"] for c in cases} | {c["street"] for c in counts}


def reminders(conn: Connection, duties: Iterable[Mapping[Any, Any]]) -> dict[int, list[int]]:
    """duty -> its reminder letters: those issued to the household on its days."""
    listed = list(duties)
    where = (letter.c.kind == "report_reminder", letter.c.household_id.in_({d["household_id"] for d in listed}))
    issued = [(row.household_id, row.issued_on, row.id) for row in conn.execute(select(letter).where(*where).order_by(letter.c.id))]
    return {d["id"]: [n for home, on, n in issued if home == d["household_id"] and on in (d["reminded_on"], d["reminded_again_on"])] for d in listed}
