"""Who asks, and with what: the actor of a request, the bureau, the language."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flask import Flask, current_app, g, has_request_context, request, session
from flask_babel import Babel, get_translations
from flask_login import LoginManager, UserMixin, current_user
from sqlalchemy import Connection

from engine.errors import Refused
from engine.model import Actor
from processes import households, organisation, substitutes
from processes.bureau import Bureau

CHINESE = "zh_Hans_CN"


def bureau() -> Bureau:
    found: Bureau = current_app.extensions["bureau"]
    return found


def lang() -> str:
    """Of the page; of a call to the API, where its answer holds words: see `speaking`."""
    return str(g.get("spoken") or ("en" if session.get("lang") == "en" else "zh"))


def speaking(language: str) -> None:
    """This request is answered in that language, whatever the session says: before its first word."""
    g.spoken = language


def speak(app: Flask) -> None:
    """Texts of the pages: msgids are English, the Chinese stands in web/translations (docs/decisions/004)."""
    folder = str(Path(__file__).parent / "translations")
    Babel(app, default_locale=CHINESE, default_translation_directories=folder, locale_selector=lambda: "en" if lang() == "en" else CHINESE)
    # Templates ask hundreds of times for one page: the catalogue of its language is looked up once, not for each text.
    app.jinja_env.install_gettext_callables(  # type: ignore[attr-defined]
        lambda text: _catalogue().ugettext(text), lambda one, many, n: _catalogue().ungettext(one, many, n), newstyle=True,
        pgettext=lambda context, text: _catalogue().upgettext(context, text), npgettext=lambda context, one, many, n: _catalogue().unpgettext(context, one, many, n))  # fmt: skip


def _catalogue() -> Any:
    known: dict[str, Any] = g.setdefault("catalogues", {})
    language = lang()
    if language not in known:
        known[language] = get_translations()
    return known[language]


def either(zh: str, en: str) -> str:
    """Data that carries both languages (posts, labels, refusals) in the language of the page; texts of pages go through gettext."""
    return en if lang() == "en" else zh


class Account(UserMixin):
    """What Flask-Login keeps of a signed-in actor: his login."""

    def __init__(self, actor: Actor) -> None:
        self.id, self.actor = actor.id, actor


def remember_accounts(app: Flask) -> None:
    """Who is signed in is read anew for each request: a removed post has effect at once."""
    manager = LoginManager(app)

    @manager.user_loader
    def _account(login: str) -> Account | None:
        with bureau().office.read() as conn:
            found = organisation.find_actor(conn, login)
        return None if found is None else Account(found)


def actor() -> Actor | None:
    """The signed-in actor of this request."""
    found: Actor | None = getattr(current_user, "actor", None)
    return found


def me() -> Actor:
    found = actor()
    if found is None:
        raise LookupError("not signed in")
    return found


def standing_in(who: Actor) -> list[Actor]:
    """`who` in the posts of those whom he stands in for today; read once for a request, and outside of one nobody does."""
    if not has_request_context():
        return []
    known: dict[str, list[Actor]] = g.setdefault("standing_in", {})
    if who.id not in known:
        with bureau().office.read() as conn:
            known[who.id] = substitutes.standing(conn, who, bureau().office.today())
    return known[who.id]


def as_whom(who: Actor, task: Mapping[Any, Any]) -> Actor:
    """In which capacity somebody meets a task: his own, or for an absent colleague."""
    own = who.holds(task["role"], task["unit"]) and task["assignee"] in (None, who.id)
    return who if own else substitutes.as_whom(who, standing_in(who), task)


READERS = frozenset({"auditor", "admin", "finance_officer", "complaint_officer", "meeting_secretary", "meeting_member", "meeting_liaison",
                     "meeting_convener", "volunteer", "department_worker"})  # fmt: skip


def roles_for(who: Actor, unit: str) -> frozenset[str]:
    """The roles that count at a unit: those of the posts that cover it. All, where none does: somebody who had a task of the
    case, whom the act itself stops from more."""
    return who.roles_at(unit) if who.covers(unit) else who.roles


def works_cases(unit: str | None = None) -> bool:
    """Whether one of the posts does casework, anywhere or at the unit."""
    return not (me().roles if unit is None else roles_for(me(), unit)) <= READERS


def caseworker(unit: str | None = None) -> None:
    """Households and documents are entered by those who do casework there; auditors and administrators only read."""
    if not works_cases(unit):
        raise Refused("casework", "您的岗位只能查看，不能登记家庭资料", "Your post may read, not enter")


DECIDERS = frozenset({"approver", "district_examiner"})  # they decide on what others entered


def enters(conn: Connection, who: Actor, household_id: int, unit: str) -> None:
    """Refused to who may not enter or change a household's data: who only reads or decides there, and near relatives of a
    member: figures that decide a case are no way around recusal (domain 5.3, 5.4)."""
    if roles_for(who, unit) <= READERS | DECIDERS:
        raise Refused("casework", "您的岗位只能查看，不能登记家庭资料", "Your post may read, not enter")
    if who.id in households.recused_staff(conn, household_id):
        raise Refused("near-relative", "您与这户家庭成员有近亲属关系，应当回避", "You are a near relative of the household")


def idem() -> tuple[str, Any] | None:
    """The idempotency key that a form carries, with what was sent."""
    key = request.form.get("_key", "")[:100]
    sent = {k: request.form.getlist(k) for k in request.form if not k.startswith("_") and k != "csrf_token"}
    return (key, [request.path, sent]) if key else None


def new_key() -> str:
    return secrets.token_hex(16)


def whole(text: str | None, default: int, top: int) -> int:
    """A number that an address or a form carries, from 1 to `top`; the default when it is none."""
    return min(max(int(text), 1), top) if text and text.isascii() and text.isdecimal() and len(text) < 10 else default
