"""Sign-in, sign-out, language."""

from __future__ import annotations

import json
import threading
import time
from datetime import UTC, datetime
from urllib.parse import urlsplit

from flask import Blueprint, current_app, jsonify, make_response, redirect, render_template, request, session, url_for
from flask.sessions import SecureCookieSessionInterface
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import login_user, logout_user
from itsdangerous import BadData
from sqlalchemy import delete, insert, select

from engine.store import setting
from processes import organisation
from web.desk import Account, bureau

bp = Blueprint("people", __name__)

TRIES, LOCK_SECONDS = 5, 15 * 60
_hashing = threading.BoundedSemaphore(4)  # a password hash takes memory; a flood of sign-ins must not take all of it


@bp.route("/sign-in", methods=["GET", "POST"])
def sign_in() -> ResponseReturnValue:
    wrong = None
    if request.method == "POST":
        login, password = request.form.get("login", "").strip()[:60], request.form.get("password", "")[:200]
        if _locked(login):
            wrong = _("Too many failures. Try again in 15 minutes.")
        else:
            with _hashing, bureau().office.read() as conn:
                actor = organisation.sign_in(conn, login, password)
            if actor is not None:
                _count(login, clear=True)
                language = session.get("lang")
                session.clear()
                session.permanent = True
                login_user(Account(actor))
                if language:
                    session["lang"] = language
                return redirect(_inside(request.args.get("next")))
            _count(login)
            wrong = _("Wrong login or password.")
    return render_template("sign_in.html", wrong=wrong), 422 if wrong else 200


@bp.post("/sign-out")
def sign_out() -> ResponseReturnValue:
    logout_user()
    session.clear()
    answer = redirect(url_for("people.sign_in"))
    answer.headers["Clear-Site-Data"] = '"storage"'  # drafts of visits that this device kept; works without a script, too
    return answer


@bp.post("/language")
def language() -> ResponseReturnValue:
    session["lang"] = "en" if request.form.get("lang") == "en" else "zh"
    return redirect(_inside(request.form.get("next")))


# -- keys of one letter (WCAG 2.1.4: they can be turned off)


def keys_on() -> bool:
    return request.cookies.get("keys") != "off"


@bp.route("/keys", methods=["GET", "POST"])
def keys() -> ResponseReturnValue:
    """The list of shortcuts, and the switch: kept by the browser, for it is a matter of the person and the keyboard."""
    if request.method == "GET":
        return render_template("keys.html")
    answer = make_response(redirect(url_for("people.keys")))
    answer.set_cookie("keys", "off" if request.form.get("keys") == "off" else "on", max_age=365 * 24 * 3600, httponly=True, samesite="Lax",
                      secure=bureau().settings.production)  # fmt: skip
    return answer


# -- the end of the session


def seconds_left() -> int:
    """Until the session ends: from its cookie's own stamp; the whole time, where this answer sets a new one."""
    whole = int(current_app.permanent_session_lifetime.total_seconds())
    signer = SecureCookieSessionInterface().get_signing_serializer(current_app)
    cookie = request.cookies.get(current_app.config["SESSION_COOKIE_NAME"])
    if session.modified or signer is None or cookie is None:
        return whole
    try:
        _said, stamped = signer.loads(cookie, max_age=whole, return_timestamp=True)
    except BadData:
        return 0
    return max(0, whole - int((datetime.now(UTC) - stamped).total_seconds()))


@bp.get("/session")
def session_left() -> ResponseReturnValue:
    """For the page's script."""
    return jsonify(left=seconds_left())


@bp.post("/session")
def stay() -> ResponseReturnValue:
    """Whoever is at the desk and says so stays signed in."""
    session.modified = True
    return jsonify(left=seconds_left())


def _inside(target: str | None) -> str:
    """Only places on this site: no open redirect."""
    parts = urlsplit(target or "")
    safe = target and target.startswith("/") and not target.startswith(("//", "/\\")) and not parts.netloc
    return target if safe and target else url_for("tasks.listing")


def _name(login: str) -> str:
    return f"failed:{login}"[:60]


def _locked(login: str) -> bool:
    with bureau().office.read() as conn:
        value = conn.scalar(select(setting.c.value).where(setting.c.name == _name(login)))
    failures = json.loads(value) if value else []
    return len([f for f in failures if f > time.time() - LOCK_SECONDS]) >= TRIES


def _count(login: str, *, clear: bool = False) -> None:
    """Failures are counted in the database: a restart forgives nobody."""
    with bureau().office.store.write() as conn:
        value = conn.scalar(select(setting.c.value).where(setting.c.name == _name(login)))
        conn.execute(delete(setting).where(setting.c.name == _name(login)))
        if not clear:
            recent = [f for f in json.loads(value or "[]") if f > time.time() - LOCK_SECONDS][-TRIES:]
            conn.execute(insert(setting).values(name=_name(login), value=json.dumps([*recent, time.time()])))
