"""Administration: staff, posts, declared relatives. One administrator proposes, another confirms."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from engine.errors import EngineError, Invalid, Refused
from processes import identity, organisation
from web.desk import bureau, me, t

bp = Blueprint("admin", __name__, url_prefix="/admin")


@bp.route("/", methods=["GET", "POST"])
def show() -> ResponseReturnValue:
    if "admin" not in me().roles:
        raise Refused("admin", "只有系统管理员可以打开", "For administrators only")
    made, wrong = bureau(), ""
    if request.method == "POST":
        try:
            with made.office.act(me()) as act:
                _change(act)
            flash(t("已登记。", "Recorded."))
            return redirect(url_for("admin.show"))
        except EngineError as error:
            wrong = str(error)
    with made.office.read() as conn:
        rows: dict[str, dict[str, Any]] = {}
        for post in organisation.colleagues(conn):
            row = rows.setdefault(post["login"], {"login": post["login"], "name": post["name"], "posts": []})
            row["posts"].append((post["role"], organisation.unit_name(conn, post["unit"])))
        changes = organisation.changes(conn)
        units = organisation.units(conn)
    return render_template("admin.html", rows=list(rows.values()), changes=changes, units=units, wrong=wrong), 422 if wrong else 200


def _change(act: Any) -> None:
    form = request.form
    if "confirm" in form:
        organisation.confirm_change(act, int(form["confirm"]) if form["confirm"].isdecimal() else 0)
        return
    login, kind = form.get("login", "").strip(), form.get("kind", "")
    if not login:
        raise Invalid({"login": ["必须填写登录名"]})
    posts = [[form.get("role", ""), form.get("unit", "")]]
    if kind == "relative":
        number = identity.normalise(form.get("id_no", ""))
        if why := identity.problem(number, act.today):
            raise Invalid({"id_no": [why]})
        detail: dict[str, Any] = {"relation": form.get("relation", ""), "name": form.get("name", ""), "id_no": number}
    elif kind == "add":
        detail = {"name": form.get("name", ""), "password": form.get("password", ""), "posts": posts}
    else:
        detail = {"posts": posts} if kind == "posts" else {}
    organisation.propose_change(act, login, kind, detail)
