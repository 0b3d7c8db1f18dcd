"""The supervisor's board: late, escalated and special work, and who carries how much. Handing over is one link away."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy import and_, case, func, or_, select

from engine.errors import NotFound, Refused
from engine.incidents import listed
from engine.model import Actor
from engine.queries import Area, Page, within
from engine.store import flagged, is_open, record, task
from processes import audit, deadlines, households, organisation
from processes.tables import household, near_relative
from web import batch, glance, incidents, wording
from web.desk import bureau, lang, me, whole
from web.tasks import node_name, why_unmanned

bp = Blueprint("board", __name__)

BOSSES = frozenset({"supervisor", "street_leader", "auditor", "admin"})
SPECIAL = ("special_case_decision", "screen_agenda", "approve_agenda", "announce_item", "spot_check_visit", "late_spot_check_visit", "register_near_relative")
SHOWN = 25  # rows of each of the lists, four of them below each other


@bp.get("/board")
def show() -> ResponseReturnValue:
    return _page()


@bp.post("/board/transfer")
def transfer() -> ResponseReturnValue:
    """转办 from the board: whom it goes to, why, and the engine's own verb."""
    form = request.form
    bosses(me())
    number = form.get("task", "")
    if not (number.isascii() and number.isdecimal() and len(number) < 19):
        raise NotFound("没有这件待办")
    sent = {"to": form.get("to", ""), "reason": form.get("reason", "")[:2000]}
    if not (sent["to"].strip() and sent["reason"].strip()):
        return _page(int(number), _("To hand over, choose a colleague and write the reason."), 422)
    key = (form["_key"], ["board", sent]) if form.get("_key") else None
    [told] = batch.run(me(), "transfer", [int(number)], sent, key, lang(), form.get("_etag", ""))
    if not told["done"]:
        return _page(int(number), told["message"], told["code"])
    flash(_("Transferred."))
    return redirect(url_for("board.show", unit=request.args.get("unit") or None, look=told["case"]) + "#glance")


def _page(at: int = 0, trouble: str = "", status: int = 200) -> ResponseReturnValue:
    """`at`: the task that could not be handed over, and why not."""
    made, boss = bureau(), bosses(me())
    today = made.office.today().isoformat()
    unit = request.args.get("unit", "")
    area = unit if boss.covers(unit) else boss.areas
    mine = open_in(area)
    with made.office.read() as conn:
        lists = {name: rows(conn, where, whole(request.args.get(name), 1, 100_000)) for name, where in wheres(area, made.office.today()).items()}
        over = overlong(conn, area, made.office.today())
        every = [row for found in lists.values() for row in found.items]
        load = load_of(conn, mine, today, area)
        stuck = listed(conn, area, 1, SHOWN)
        look = request.args.get("look", "")
        view = {
            "names": households.applicant_names(conn, [row["subject"] for row in (*every, *over[:SHOWN])]), "over": over[:SHOWN], "over_total": len(over),
            "why": why_unmanned(conn, every),
            "places": {code: organisation.unit_name(conn, code) for code in {row["unit"] for row in (*every, *over[:SHOWN])}},
            "people": wording.names_of(conn, [row["assignee"] for row in every] + [row["who"] for row in load]),
            "nodes": nodes_of(conn, mine, today), "stuck": incidents.shown(conn, stuck.items, me()), "stuck_total": stuck.total, "streets": organisation.units(conn, boss.areas, "street"),
            "glance": glance.view(conn, me(), look) if look else None,
        }  # fmt: skip
    return render_template("board.html", load=load, node_name=node_name, unit=unit, args=dict(request.args), at=at, trouble=trouble, **lists, **view), status


_SCANNED = 5000


def overlong(conn: Any, area: Area, today: date) -> list[dict[str, Any]]:
    """Open applications that have gone on for longer than the whole procedure should take, the oldest first."""
    row, young = record.c, deadlines.not_overlong_since(today)
    where = (row.kind == "case", row.process.in_(deadlines.limited()), row.closed_at.is_(None), row.opened_at < young, within(row.unit, area))
    found = []
    for one in conn.execute(select(row.id, row.no, row.process, row.subject, row.unit, row.state).where(*where).order_by(row.id).limit(_SCANNED)).mappings():
        limit = deadlines.whole_case(audit.facts_of(one["state"]), today)
        if limit and limit["workdays_left"] < 0:
            found.append({"no": one["no"], "process": one["process"], "subject": one["subject"], "unit": one["unit"], **limit})
    return sorted(found, key=lambda one: (one["workdays_left"], one["no"]))


def bosses(actor: Actor) -> Actor:
    """The actor in the posts that have a board. Refused without one."""
    found = actor.only(BOSSES)
    if not found.roles:
        raise Refused("board", "督办台只对主管开放", "The board is for supervisors")
    return found


def open_in(area: Area) -> Any:
    return and_(is_open, within(task.c.unit, area))


def wheres(area: Area, day: date) -> dict[str, Any]:
    """Name of a list -> which open tasks stand in it."""
    today, calm = day.isoformat(), deadlines.calm_from(day).isoformat()
    mine = open_in(area)
    return {
        "late": and_(mine, task.c.due_on < today), "yellow": and_(mine, task.c.due_on >= today, task.c.due_on < calm),
        "escalated": and_(mine, flagged("escalated")), "special": and_(mine, or_(task.c.node.in_(SPECIAL), record.c.subject.in_(_relatives()))),
    }  # fmt: skip


def _relatives() -> Any:
    """Cases of households with a near relative among the staff."""
    marked = select(household.c.id).where(household.c.near_relative_declared).union(select(near_relative.c.household_id).where(near_relative.c.revoked_on.is_(None))).subquery()
    return select("household:" + func.cast(marked.c.id, record.c.subject.type))


def rows(conn: Any, where: Any, page: int, size: int = SHOWN) -> Page:
    """A page of the tasks with their cases, most urgent first."""
    joined = select(*task.c, record.c.no, record.c.process, record.c.subject).join(record, record.c.id == task.c.case_id).where(where)
    total = conn.scalar(select(func.count()).select_from(joined.subquery())) or 0
    query = joined.order_by(task.c.due_on.is_(None), task.c.due_on, task.c.id).limit(size).offset((page - 1) * size)
    return Page([dict(row) for row in conn.execute(query).mappings()], total, page, size)


def _late(today: str) -> Any:
    return func.sum(case((task.c.due_on < today, 1), else_=0))


def load_of(conn: Any, mine: Any, today: str, area: Area) -> list[dict[str, Any]]:
    """Who has how much in hand, how much of it is late, and how much was done in the last seven days."""
    found: dict[str, dict[str, Any]] = {}
    for who, n, late in conn.execute(select(task.c.assignee, func.count(), _late(today)).where(mine, task.c.assignee.is_not(None)).group_by(task.c.assignee)):
        found[who] = {"who": who, "open": n, "late": late, "done": 0}
    since = bureau().office.clock() - timedelta(days=7)
    where = and_(task.c.state == "done", task.c.closed_at >= since, within(task.c.unit, area), task.c.done_by.is_not(None))
    for who, n in conn.execute(select(task.c.done_by, func.count()).where(where).group_by(task.c.done_by)):
        found.setdefault(who, {"who": who, "open": 0, "late": 0, "done": 0})["done"] = n
    return sorted(found.values(), key=lambda row: (-row["late"], -row["open"], -row["done"]))


def nodes_of(conn: Any, mine: Any, today: str) -> list[dict[str, Any]]:
    """Open work by step: how much, how much of it taken, how much late."""
    taken = func.count(task.c.assignee)
    query = select(record.c.process, task.c.node, task.c.role, func.count(), taken, _late(today)).select_from(task).join(record, record.c.id == task.c.case_id).where(mine)
    query = query.group_by(record.c.process, task.c.node, task.c.role)
    found = [{"node": node, "process": process, "role": role, "open": n, "taken": t, "late": late} for process, node, role, n, t, late in conn.execute(query)]
    return sorted(found, key=lambda row: -row["open"])
