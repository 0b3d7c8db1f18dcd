"""Pages without sign-in: notices while they run, and the health of the service. Whitelisted fields only."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from engine.errors import NotFound
from processes import letters, organisation
from processes.case_tables import notice
from web.desk import bureau
from web.tasks import _whole

bp = Blueprint("public", __name__)
SHOWN = ("id", "stage", "street", "community", "applicant", "members", "category", "amount_fen", "posted_on", "until_on")


def running(unit: str = "", page: int = 1, size: int = 50) -> tuple[list[dict[str, object]], int]:
    """Notices that run now: they leave by themselves at their end."""
    made = bureau()
    day = made.office.today().isoformat()
    with made.office.read() as conn:
        columns = [notice.c[name] for name in SHOWN]
        query = select(*columns).where(notice.c.removed_on.is_(None), notice.c.until_on > day, notice.c.community.startswith(unit, autoescape=True))
        rows = [dict(r) for r in conn.execute(query.order_by(notice.c.id)).mappings()]
        for row in rows:
            row["community_name"] = organisation.unit_name(conn, row["community"])
            row["street_name"] = organisation.unit_name(conn, row["street"])
    return rows[(page - 1) * size : page * size], len(rows)


@bp.get("/public/notices")
def notices() -> ResponseReturnValue:
    rows, total = running(request.args.get("unit", "")[:20], _whole(request.args.get("page"), 1, 1000))
    return render_template("notices.html", rows=rows, total=total)


@bp.get("/public/notices/<int:notice_id>", endpoint="notice")
def show(notice_id: int) -> ResponseReturnValue:
    rows = [r for r in running(size=10**6)[0] if r["id"] == notice_id]
    if not rows:
        raise NotFound("没有这份公示，或公示已经结束")
    [row] = rows
    page = letters.notice_sheet(row, str(row["community_name"]), str(row["street_name"]))
    return Response(page, mimetype="text/html")


@bp.get("/health")
def health() -> ResponseReturnValue:
    with bureau().office.read() as conn:
        conn.execute(select(notice.c.id).limit(1))
    return jsonify(status="ok")


@bp.get("/favicon.ico")
def icon() -> ResponseReturnValue:
    return "", 204
