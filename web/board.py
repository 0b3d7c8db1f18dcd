"""The supervisor's board: late, escalated and special work, and who carries how much."""

from __future__ import annotations

from collections import Counter
from typing import Any

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue
from sqlalchemy import and_, func, or_, select

from engine.errors import Refused
from engine.queries import incidents, under
from engine.store import record, task
from processes import households
from web.desk import bureau, me
from web.tasks import node_name

bp = Blueprint("board", __name__)

BOSSES = frozenset({"supervisor", "street_leader", "auditor", "admin"})


@bp.get("/board")
def show() -> ResponseReturnValue:
    made, actor = bureau(), me()
    if actor.roles.isdisjoint(BOSSES):
        raise Refused("board", "督办台只对主管开放", "The board is for supervisors")
    today = made.office.today().isoformat()
    mine = and_(task.c.state == "open", under(task.c.unit, actor.unit))
    columns = [*task.c, record.c.no, record.c.process, record.c.subject]
    with made.office.read() as conn:
        query = select(*columns).join(record, record.c.id == task.c.case_id).where(mine)
        late = _rows(conn, query.where(or_(task.c.due_on < today, task.c.flags.contains("escalated"))).order_by(task.c.due_on).limit(100))
        special = _rows(conn, query.where(task.c.node.in_(("special_case_decision", "spot_check_visit", "register_near_relative"))).limit(100))
        load = _load(conn, mine, today)
        nodes: Counter[str] = Counter(dict(conn.execute(select(task.c.node, func.count()).where(mine).group_by(task.c.node)).all()))
        stuck = incidents(conn)
        names = households.applicant_names(conn, [r["subject"] for r in [*late, *special]])
    return render_template("board.html", late=late, special=special, load=load, nodes=nodes, stuck=stuck, names=names, node_name=node_name)


def _rows(conn: Any, query: Any) -> list[dict[str, Any]]:
    return [dict(row) for row in conn.execute(query).mappings()]


def _load(conn: Any, mine: Any, today: str) -> list[dict[str, Any]]:
    open_ = dict(conn.execute(select(task.c.assignee, func.count()).where(mine, task.c.assignee.is_not(None)).group_by(task.c.assignee)).all())
    late = dict(conn.execute(select(task.c.assignee, func.count()).where(mine, task.c.due_on < today).group_by(task.c.assignee)).all())
    return [{"who": who, "open": n, "late": late.get(who, 0)} for who, n in sorted(open_.items(), key=lambda p: -p[1])]
