"""The supervisor's board: late, escalated and special work, and who carries how much. Handing over is one link away."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy import and_, case, func, or_, select

from engine.errors import Refused
from engine.queries import Area, Page, incidents, within
from engine.store import is_open, record, task
from processes import households, organisation
from processes.bureau import CATALOGUE
from processes.tables import household, near_relative
from web import wording
from web.desk import bureau, me, whole
from web.tasks import node_name

bp = Blueprint("board", __name__)

BOSSES = frozenset({"supervisor", "street_leader", "auditor", "admin"})
SPECIAL = ("special_case_decision", "spot_check_visit", "late_spot_check_visit", "register_near_relative")
SHOWN = 50


@bp.get("/board")
def show() -> ResponseReturnValue:
    made, boss = bureau(), me().only(BOSSES)
    if not boss.roles:
        raise Refused("board", "督办台只对主管开放", "The board is for supervisors")
    today = made.office.today().isoformat()
    unit = request.args.get("unit", "")
    area = unit if boss.covers(unit) else boss.areas
    mine = and_(is_open, within(task.c.unit, area))
    with made.office.read() as conn:
        lists = {
            "late": _rows(conn, "late", and_(mine, task.c.due_on < today)),
            "escalated": _rows(conn, "escalated", and_(mine, task.c.flags.contains("escalated"))),
            "special": _rows(conn, "special", and_(mine, or_(task.c.node.in_(SPECIAL), record.c.subject.in_(_relatives())))),
        }
        every = [row for found in lists.values() for row in found.items]
        load = _load(conn, mine, today, area)
        view = {
            "names": households.applicant_names(conn, [row["subject"] for row in every]),
            "places": {code: organisation.unit_name(conn, code) for code in {row["unit"] for row in every}},
            "people": wording.names_of(conn, [row["assignee"] for row in every] + [row["who"] for row in load]),
            "nodes": _nodes(conn, mine, today), "stuck": incidents(conn), "streets": organisation.units(conn, boss.areas, "street"),
        }  # fmt: skip
    return render_template("board.html", load=load, node_name=node_name, unit=unit, args=dict(request.args), **lists, **view)


def _relatives() -> Any:
    """Cases of households with a near relative among the staff."""
    marked = select(household.c.id).where(household.c.near_relative_declared).union(select(near_relative.c.household_id)).subquery()
    return select("household:" + func.cast(marked.c.id, record.c.subject.type))


def _rows(conn: Any, name: str, where: Any) -> Page:
    """The page of them that the address asks for under this name, most urgent first."""
    page = whole(request.args.get(name), 1, 100_000)
    joined = select(*task.c, record.c.no, record.c.process, record.c.subject).join(record, record.c.id == task.c.case_id).where(where)
    total = conn.scalar(select(func.count()).select_from(joined.subquery())) or 0
    query = joined.order_by(task.c.due_on.is_(None), task.c.due_on, task.c.id).limit(SHOWN).offset((page - 1) * SHOWN)
    return Page([dict(row) for row in conn.execute(query).mappings()], total, page, SHOWN)


def _late(today: str) -> Any:
    return func.sum(case((task.c.due_on < today, 1), else_=0))


def _load(conn: Any, mine: Any, today: str, area: Area) -> list[dict[str, Any]]:
    """Who has how much in hand, how much of it is late, and how much was done in the last seven days."""
    found: dict[str, dict[str, Any]] = {}
    for who, n, late in conn.execute(select(task.c.assignee, func.count(), _late(today)).where(mine, task.c.assignee.is_not(None)).group_by(task.c.assignee)):
        found[who] = {"who": who, "open": n, "late": late, "done": 0}
    since = bureau().office.clock() - timedelta(days=7)
    where = and_(task.c.state == "done", task.c.closed_at >= since, within(task.c.unit, area), task.c.done_by.is_not(None))
    for who, n in conn.execute(select(task.c.done_by, func.count()).where(where).group_by(task.c.done_by)):
        found.setdefault(who, {"who": who, "open": 0, "late": 0, "done": 0})["done"] = n
    return sorted(found.values(), key=lambda row: (-row["late"], -row["open"], -row["done"]))


def _nodes(conn: Any, mine: Any, today: str) -> list[dict[str, Any]]:
    """Open work by step: how much, how much of it taken, how much late."""
    taken = func.count(task.c.assignee)
    query = select(task.c.node, task.c.role, func.count(), taken, _late(today)).where(mine).group_by(task.c.node, task.c.role)
    rows = [{"node": node, "process": _drawn_in(node), "role": role, "open": n, "taken": t, "late": late} for node, role, n, t, late in conn.execute(query)]
    return sorted(rows, key=lambda row: -row["open"])


def _drawn_in(node: str) -> str:
    """A process that has the node; nodes of one name have one name for people too."""
    return next((key for key, process in CATALOGUE.items() if node in process.drawing.nodes), "")
