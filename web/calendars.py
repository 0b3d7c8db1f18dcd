"""The office's calendar: working days, holidays, days worked for them, and what falls due on each; and a day counted on."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection, func, select

from engine.errors import Invalid
from engine.model import Actor
from engine.queries import within
from engine.store import is_open, task
from processes import calendar
from web.desk import bureau, me

bp = Blueprint("calendars", __name__)


@bp.get("/calendar")
def show() -> ResponseReturnValue:
    today, asked, wrong = bureau().office.today(), request.args, {}
    try:
        first = calendar.month_of(asked.get("month"), today)
    except Invalid as error:
        first, wrong = today.replace(day=1), error.fields
    counted = None
    if asked.get("since") or asked.get("workdays"):
        try:
            counted = calendar.count_on(asked.get("since", ""), asked.get("workdays", ""))
        except Invalid as error:
            wrong |= error.fields
    with bureau().office.read() as conn:
        days = month(conn, me(), first)
    lead = first.weekday()
    cells: list[Any] = [None] * lead + days
    weeks = [cells[n : n + 7] for n in range(0, len(cells), 7)]
    shown = {"first": first, "weeks": weeks, "before": _moved(first, -1), "after": _moved(first, 1), "counted": counted, "wrong": wrong,
             "works": sum(1 for d in days if d["kind"] in ("workday", "makeup")), "provisional": calendar.provisional(first)}  # fmt: skip
    return render_template("calendar.html", **shown), 422 if wrong else 200


def month(conn: Connection, actor: Actor, first: date) -> list[dict[str, Any]]:
    """The days of a month with the number of open tasks of the actor's area that fall due on each."""
    until = _moved(first, 1).isoformat()
    where = (is_open, within(task.c.unit, actor.areas), task.c.due_on >= first.isoformat(), task.c.due_on < until)
    due = {row.due_on: row.n for row in conn.execute(select(task.c.due_on, func.count().label("n")).where(*where).group_by(task.c.due_on))}
    return [
        {"day": d.day.isoformat(), "kind": d.kind, "name": d.name, "name_en": d.name_en, "due": due.get(d.day.isoformat(), 0)}
        for d in calendar.month(first.year, first.month)
    ]


def _moved(first: date, months: int) -> date:
    n = first.year * 12 + first.month - 1 + months
    return date(n // 12, n % 12 + 1, 1)
