"""入户: today's visits on a phone, and the paper sheet for those who go without one. The visit itself is done on the page of its task."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from engine import queries
from engine.errors import NotFound
from processes import dispersed_visits, households, organisation, readers, screening, visits
from processes.bureau import CATALOGUE
from web.desk import bureau, either, me, standing_in
from web.tasks import seen

bp = Blueprint("visits", __name__, url_prefix="/visits")


def goes() -> bool:
    """Whether one of the posts goes on visits."""
    return not me().roles.isdisjoint({"investigator", "spot_checker"})


@bp.get("/")
def listing() -> ResponseReturnValue:
    """What one holds or may claim, by community."""
    made = bureau()
    with made.office.read() as conn:
        rows = visits.listed(conn, [me(), *standing_in(me())])
        places = {row["community"]: organisation.unit_name(conn, row["community"]) for row in rows}
        waiting = screening.waiting(conn, me())
    named = {row["id"]: name(row) for row in rows}
    return render_template("visits.html", rows=rows, places=places, named=named, today=made.office.today().isoformat(), waiting=waiting,
                           screens=not me().roles.isdisjoint(screening.VISITORS), disperses=dispersed_visits.visits(me()) or bool(readers.of_cases(me()).areas))  # fmt: skip


def name(row: Any) -> str:
    node = CATALOGUE[row["process"]].drawing.nodes.get(row["node"])
    return either(node.name, node.name_en or node.name) if node else str(row["node"])


@bp.get("/<int:task_id>/sheet")
def sheet(task_id: int) -> ResponseReturnValue:
    """入户调查表 on paper, with what was declared: of a survey that waits."""
    made = bureau()
    with made.office.read() as conn:
        row = queries.task_row(conn, task_id)
        seen(me(), row)
        if row["node"] != visits.SURVEY or row["state"] != "open" or not readers.of_cases(me()).covers(row["case_unit"]):
            raise NotFound("没有这个页面")
        keys, home = made.office.keys.on(conn), int(row["subject"].partition(":")[2])
        house = households.view(conn, keys, home)
        lines = visits.declared(conn, keys, home)
        place = organisation.unit_name(conn, house["community"])
    return render_template("visit_sheet.html", task=row, house=house, declared=lines, place=place, today=made.office.today().isoformat())
