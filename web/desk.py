"""Who asks, and with what: the actor of a request, the bureau, the language."""

from __future__ import annotations

import secrets
from typing import Any

from flask import current_app, g, request, session

from engine.errors import Refused
from engine.model import Actor
from processes import organisation
from processes.bureau import Bureau


def bureau() -> Bureau:
    found: Bureau = current_app.extensions["bureau"]
    return found


def lang() -> str:
    return "en" if session.get("lang") == "en" else "zh"


def t(zh: str, en: str) -> str:
    """A text in the language of the page; both stand side by side where they are used (docs/decisions/004)."""
    return en if lang() == "en" else zh


def actor() -> Actor | None:
    """The signed-in actor, read anew for each request: a removed post has effect at once."""
    if "actor" not in g:
        login = session.get("login")
        g.actor = None
        if login:
            with bureau().office.read() as conn:
                g.actor = organisation.find_actor(conn, login)
    found: Actor | None = g.actor
    return found


def me() -> Actor:
    found = actor()
    if found is None:
        raise LookupError("not signed in")
    return found


READERS = frozenset({"auditor", "admin", "finance_officer", "complaint_officer", "meeting_secretary", "meeting_member", "volunteer"})


def works_cases() -> bool:
    return not me().roles <= READERS


def caseworker() -> None:
    """Households and documents are entered by those who do casework; auditors and administrators only read."""
    if not works_cases():
        raise Refused("casework", "您的岗位只能查看，不能登记家庭资料", "Your post may read, not enter")


def idem() -> tuple[str, Any] | None:
    """The idempotency key that a form carries, with what was sent."""
    key = request.form.get("_key", "")[:100]
    sent = {k: request.form.getlist(k) for k in request.form if not k.startswith("_") and k != "csrf_token"}
    return (key, [request.path, sent]) if key else None


def new_key() -> str:
    return secrets.token_hex(16)
