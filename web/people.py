"""Sign-in, sign-out, language."""

from __future__ import annotations

import json
import threading
import time
from urllib.parse import urlsplit

from flask import Blueprint, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import login_user, logout_user
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
    return redirect(url_for("people.sign_in"))


@bp.post("/language")
def language() -> ResponseReturnValue:
    session["lang"] = "en" if request.form.get("lang") == "en" else "zh"
    return redirect(_inside(request.form.get("next")))


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
