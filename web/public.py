"""Pages without sign-in: notices while they run, and the health of the service. Whitelisted fields only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, jsonify, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection, and_, func, select

from engine.errors import NotFound
from engine.queries import Page
from processes import letters
from processes.case_tables import notice
from processes.tables import unit
from web.desk import bureau, whole

bp = Blueprint("public", __name__)
SHOWN = ("id", "stage", "street", "community", "applicant", "members", "category", "amount_fen", "posted_on", "until_on")


_STREETS, _COMMUNITIES = unit.alias("its_street"), unit.alias("its_community")


def _now() -> Any:
    """Notices that run now: they leave by themselves at their end."""
    return and_(notice.c.removed_on.is_(None), notice.c.until_on > bureau().office.today().isoformat())


def running(code: str = "", page: int = 1, size: int = 50) -> tuple[list[Mapping[Any, Any]], int]:
    """A page of the notices that run now in a unit (all: ""), oldest first, and how many there are."""
    where = and_(_now(), notice.c.community.startswith(code, autoescape=True))
    with bureau().office.read() as conn:
        total = conn.scalar(select(func.count()).select_from(notice).where(where)) or 0
        return _shown(conn, where, page, size), total


def _shown(conn: Connection, where: Any, page: int = 1, size: int = 1) -> list[Mapping[Any, Any]]:
    names = (func.coalesce(_STREETS.c.name, notice.c.street).label("street_name"), func.coalesce(_COMMUNITIES.c.name, notice.c.community).label("community_name"))
    joined = select(*(notice.c[name] for name in SHOWN), *names).outerjoin(_STREETS, _STREETS.c.code == notice.c.street)
    query = joined.outerjoin(_COMMUNITIES, _COMMUNITIES.c.code == notice.c.community).where(where).order_by(notice.c.id)
    return [dict(row) for row in conn.execute(query.limit(size).offset((page - 1) * size)).mappings()]


@bp.get("/public/notices")
def notices() -> ResponseReturnValue:
    code, page, size = request.args.get("unit", "")[:20], whole(request.args.get("page"), 1, 100_000), 50
    rows, total = running(code, page, size)
    return render_template("notices.html", found=Page(rows, total, page, size), args={"unit": code} if code else {})


@bp.get("/public/notices/<int:notice_id>", endpoint="notice")
def show(notice_id: int) -> ResponseReturnValue:
    with bureau().office.read() as conn:
        found = _shown(conn, and_(notice.c.id == notice_id, _now()))
    if not found:
        raise NotFound("没有这份公示，或公示已经结束")
    page = letters.notice_sheet(found[0], found[0]["community_name"], found[0]["street_name"])
    return Response(page, mimetype="text/html")


@bp.get("/health")
def health() -> ResponseReturnValue:
    with bureau().office.read() as conn:
        conn.execute(select(notice.c.id).limit(1))
    return jsonify(status="ok")


@bp.get("/favicon.ico")
def icon() -> ResponseReturnValue:
    return "", 204
