"""Administration: staff, posts, declared relatives. One administrator proposes, another confirms what he has seen."""

from __future__ import annotations

import json
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy import func, select

from engine.errors import EngineError, Invalid, Refused
from processes import identity, law, organisation
from processes.tables import staff, staff_relative
from web import wording
from web.desk import bureau, either, lang, me
from web.errors import said, status_of, words
from web.habits import of_leavers

bp = Blueprint("admin", __name__, url_prefix="/admin")


@bp.route("/", methods=["GET", "POST"])
def show() -> ResponseReturnValue:
    if "admin" not in me().roles:
        raise Refused("admin", "只有系统管理员可以打开", "For administrators only")
    made, wrong, status = bureau(), "", 200
    if request.method == "POST":
        try:
            with made.office.act(me()) as act:
                done = _change(act)
            flash(done)
            return redirect(url_for("admin.show"))
        except Invalid as error:
            wrong, status = "；".join(text for texts in said(error, lang()).values() for text in texts), 422
        except EngineError as error:
            wrong, status = words(error, lang()), status_of(error)
    with made.office.read() as conn:
        rows = _staff(conn)
        changes = [{**change, "detail": _detail(conn, change)} for change in organisation.changes(conn)]
        units, tokens = organisation.units(conn), organisation.live_tokens(conn)
        left = len(of_leavers(conn, me()))
    return render_template("admin.html", rows=rows, changes=changes, units=units, tokens=tokens, left_behind=left, wrong=wrong,
                           kin=law.ever_near()), status


def _staff(conn: Any) -> list[dict[str, Any]]:
    """Active staff with their posts and how many near relatives they declared."""
    places = {row["code"]: row["name"] for row in organisation.units(conn)}
    counted = select(staff.c.login, func.count().label("relatives")).join(staff_relative, staff_relative.c.staff_id == staff.c.id).group_by(staff.c.login)
    relatives = {row.login: row.relatives for row in conn.execute(counted)}
    rows: dict[str, dict[str, Any]] = {}
    for post in organisation.colleagues(conn):
        row = rows.setdefault(post["login"], {"login": post["login"], "name": post["name"], "posts": [], "relatives": relatives.get(post["login"], 0)})
        row["posts"].append((post["role"], places.get(post["unit"], post["unit"])))
    return list(rows.values())


def _detail(conn: Any, change: Any) -> list[str]:
    """What the second administrator confirms: nobody confirms blindly. IDs masked, passwords never."""
    detail = json.loads(bureau().office.keys.on(conn).reveal("staff_change", "detail", change["id"], change["detail"]) or "{}")
    found = [either(*organisation.ROLES[role]) + f"（{organisation.unit_name(conn, unit)}）" for role, unit in detail.get("posts", ())]
    found += [wording.word("kin", detail["relation"])] if "relation" in detail else []
    found += [detail["name"]] if detail.get("name") else []
    found += [identity.mask(detail["id_no"])] if detail.get("id_no") else []
    return found


def _change(act: Any) -> str:
    """What was done, in words."""
    form, recorded = request.form, _("Recorded.")
    if "revoke" in form:
        login = form["revoke"][:60]
        done = organisation.revoke_tokens(act, login)
        return _("Tokens of %(login)s revoked: %(done)s.", done=done, login=login)
    for verb, work in (("confirm", organisation.confirm_change), ("refuse", organisation.refuse_change)):
        if verb in form:
            work(act, int(form[verb]) if form[verb].isdecimal() and len(form[verb]) < 19 else 0)
            return recorded
    login, kind = form.get("login", "").strip()[:60], form.get("kind", "")
    if not login:
        raise Invalid({"login": [_("Give the login")]})
    posts = [[form.get("role", ""), form.get("unit", "")]]
    if kind == "relative":
        detail: dict[str, Any] = {"relation": form.get("relation", ""), "name": form.get("name", "").strip()[:60], "id_no": form.get("id_no", "")[:40]}
    elif kind == "add":
        detail = {"name": form.get("name", "").strip()[:60], "password": form.get("password", ""), "posts": posts}
    else:
        detail = {"posts": posts} if kind == "posts" else {}
    organisation.propose_change(act, login, kind, detail)
    return recorded
