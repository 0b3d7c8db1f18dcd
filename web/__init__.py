"""The composition root: pages, API and their guards put together. Parts never import the factory."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date, timedelta
from typing import Any

from flask import Flask, Response, g, redirect, render_template, request, session, url_for
from flask.sessions import SecureCookieSessionInterface, SessionMixin
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_wtf.csrf import CSRFError, CSRFProtect
from sqlalchemy.exc import DataError
from werkzeug.exceptions import HTTPException

from engine.errors import EngineError
from engine.model import Actor
from processes import calendar, condolences, deadlines, festival_batches, intake_lists, notifications, organisation, readers
from processes.audit import AUDITORS
from processes.bureau import CATALOGUE, Bureau, build
from processes.eligibility_facts import BadFacts
from processes.identity import mask_name
from processes.law import BadLaw
from processes.money import yuan
from web import (
    account_book,
    accountability,
    admin,
    annexes,
    api,
    appeals,
    attachments,
    audit,
    benefits,
    board,
    calendars,
    campaigns,
    cases,
    complaints,
    dashboard,
    definitions,
    deliveries,
    desk,
    dispersed,
    displays,
    english,
    estimate,
    facilities,
    festival,
    findings,
    habits,
    households,
    inbox,
    incidents,
    intakes,
    law,
    leads,
    ledger,
    lists,
    logs,
    meetings,
    outbox,
    payments,
    people,
    progress_reports,
    public,
    publicity,
    recognitions,
    record,
    replay,
    reports,
    reviews,
    screening,
    screening_import,  # noqa: F401 - these pages stand on the blueprint of the screening
    screening_plans,  # noqa: F401
    standards,
    supervision,
    tables,
    tasks,
    temporary,
    training_sessions,
    uploads,
    visits,
    whatif,
    wording,
    worklist,  # noqa: F401 - the list's pages stand on the blueprint of the tasks
)
from web.desk import either, lang
from web.errors import said, status_of, words
from web.settings import Settings

_CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
_OPEN = ("people.sign_in", "people.language", "static", "estimate.show")


class _Sessions(SecureCookieSessionInterface):
    """Sessions in a signed cookie; but pages for everybody neither set one nor say that they depend on it."""

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        if not g.get("open_page"):
            super().save_session(app, session, response)


def create_app(settings: Settings | None = None, bureau: Bureau | None = None) -> Flask:
    """The web application. Tests hand in a bureau of their own."""
    settings = settings or (bureau.settings if bureau else Settings.from_environment())
    app = Flask(__name__)
    app.request_class = uploads.Request
    app.session_interface = _Sessions()
    app.config.update(
        SECRET_KEY=settings.secret_key,
        MAX_CONTENT_LENGTH=10 * 1024 * 1024,
        MAX_FORM_MEMORY_SIZE=2 * 1024 * 1024,
        MAX_FORM_PARTS=2000,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_REFRESH_EACH_REQUEST=False,  # a late answer must not bring an old session back over a new sign-in
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.production,
        PERMANENT_SESSION_LIFETIME=timedelta(hours=8),
        WTF_CSRF_TIME_LIMIT=None,
        API_TITLE="应保 Yingbao",
        API_VERSION="v1",
        OPENAPI_VERSION="3.0.3",
    )
    app.extensions["bureau"] = bureau or build(settings)
    for process in CATALOGUE.values():
        process.check()
    csrf = CSRFProtect(app)
    desk.speak(app)
    desk.remember_accounts(app)
    logs.keep(app)
    for part in (people, tasks, habits, cases, households, benefits, recognitions, deliveries, standards, reviews, reports, board, incidents, calendars, admin, public, meetings, record, audit, replay, findings, appeals, tables, law, estimate, whatif, temporary, definitions, ledger, accountability, leads, screening, annexes, complaints, campaigns, attachments, facilities, dispersed, intakes, displays, training_sessions, publicity, festival, progress_reports, payments, account_book, visits, dashboard, inbox, outbox, supervision):
        app.register_blueprint(part.bp)
    csrf.exempt(public.bp)  # nobody is signed in there, and no cookie is asked for
    csrf.exempt(estimate.bp)  # it changes nothing, and whoever asks needs no cookie
    api.init_app(app, csrf)
    _guard(app)
    _errors(app)
    _words(app)
    return app


def _guard(app: Flask) -> None:
    @app.before_request
    def _signed_in() -> ResponseReturnValue | None:
        endpoint = request.endpoint or ""
        if request.path.startswith("/api/") or endpoint in _OPEN or request.blueprint == "public" or desk.actor() is not None or not endpoint:
            return None
        return redirect(url_for("people.sign_in", next=request.full_path if request.method == "GET" else "/"))

    @app.after_request
    def _headers(response: Response) -> Response:
        response.headers.setdefault("Content-Security-Policy", _CSP)
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "same-origin"
        if request.endpoint != "static" and not g.get("open_page") and "_user_id" in session:  # a look at the session would make each answer one's own
            response.headers.setdefault("Cache-Control", "no-store")
        return response


def _errors(app: Flask) -> None:
    def page(status: int, title: str, text: str) -> ResponseReturnValue:
        return render_template("error.html", status=status, title=title, text=text), status

    @app.errorhandler(BadFacts)
    @app.errorhandler(BadLaw)
    @app.errorhandler(EngineError)
    def _known(error: Exception) -> ResponseReturnValue:
        titles = {403: _("Not allowed"), 404: _("Not found"), 409: _("Something has changed"), 422: _("Please check")}
        status = status_of(error)
        told = [text for texts in said(error, lang()).values() for text in texts]  # the names of fields are the API's
        return page(status, titles.get(status, _("Cannot do this")), _("; ").join(told) or words(error, lang()))

    @app.errorhandler(DataError)
    @app.errorhandler(OverflowError)
    @app.errorhandler(UnicodeError)
    def _unkept(_error: Exception) -> ResponseReturnValue:
        """What no form caught and no calendar or database knows, as in the API."""
        return page(422, _("Please check"), _("Bad request."))

    @app.errorhandler(CSRFError)
    def _forged(error: CSRFError) -> ResponseReturnValue:
        return page(400, _("This page has expired"), _("Go back, refresh and submit again."))

    @app.errorhandler(HTTPException)
    def _http(error: HTTPException) -> ResponseReturnValue:
        if request.path.startswith(api.PREFIX):
            return api.http_problem(error)
        code = error.code or 500
        texts = {404: _("There is no such page."), 413: _("Too large, at most 10 MB."),
                 405: _("This page is not opened that way.")}  # fmt: skip
        return page(code, _("Cannot open"), texts.get(code, _("Bad request.")))


def _words(app: Flask) -> None:
    """What the templates know beside what their page hands them."""

    @app.context_processor
    def _context() -> dict[str, Any]:
        if g.get("open_page"):  # the same for everybody: no session is read
            return {**_ANYWHERE, "lang": lang(), "me": None, "today": desk.bureau().office.today(), "kept_files": list, **public.words()}
        return {**_ANYWHERE, **_AT_THE_DESK, "lang": lang(), **_times(), **_of_the_actor(desk.actor())}

    app.jinja_env.globals.update(finding_title=findings.title, finding_state=findings.state, appeal_title=appeals.title, appeal_state=appeals.state)
    app.jinja_env.filters.update(yuan=yuan, instalments=wording.instalments, iso_moment=wording.iso_moment, mask_name=mask_name, left=_left, moment=wording.moment, english=english.english)


def _times() -> dict[str, Any]:
    office = desk.bureau().office
    offset = getattr(office.clock, "offset", None)
    return {"today": office.today(), "business_now": office.clock(), "clock_moved": bool(offset and abs(offset().total_seconds()) > 60)}


def _of_the_actor(who: Actor | None) -> dict[str, Any]:
    """Who is signed in, and what the posts let somebody see in the menu."""

    def one_of(roles: Collection[str]) -> bool:
        return who is not None and not who.roles.isdisjoint(roles)

    return {
        "me": who,
        "is_boss": one_of(board.BOSSES),
        "keeps_record": one_of(record.READERS),
        "may_audit": one_of(AUDITORS),
        "in_room": one_of(meetings.ROOM),
        "may_forecast": one_of(readers.FORECASTS),
        "deploys": who is not None and who.post_over(organisation.DISTRICT, definitions.READERS) is not None,
        "keys_on": people.keys_on(),
        "reads_area": readers.of_cases(who).covers if who else None,
    }


def _unit_choices() -> list[tuple[str, str]]:
    """(code, name) of the units where one is in office, for fields that ask for a unit; read once for a page."""
    if "unit_choices" not in g:
        with desk.bureau().office.read() as conn:
            g.unit_choices = [(row["code"], row["name"]) for row in organisation.units(conn, desk.me().areas)]
    return g.unit_choices  # type: ignore[no-any-return]


def _my_posts() -> str:
    """Posts and offices of who is signed in, as the head of the page shows them: the posts of one office together."""
    held: dict[str, list[str]] = {}
    for role, unit in desk.me().posts:
        held.setdefault(unit, []).append(either(*organisation.ROLES[role]))
    with desk.bureau().office.read() as conn:
        return " / ".join(_(", ").join(titles) + f" · {organisation.unit_name(conn, unit)}" for unit, titles in held.items())


def _left(due_on: str | None, today: date) -> str:
    """剩余 3 个工作日: in words, colour is never alone."""
    if not due_on:
        return _("promptly")
    due = date.fromisoformat(due_on)
    n = calendar.workdays_between(today, due)
    if due < today:
        late = max(1, -n)
        return _("one working day late") if late == 1 else _("%(late)s working days late", late=late)
    if due == today:
        return _("due today")
    note = _(" (provisional)") if calendar.provisional(due, desk.bureau().cases.published) else ""
    return (_("one working day left") if n == 1 else _("%(n)s working days left", n=n)) + note


# Names that stand in every template. Functions of the menu (`..._for_me`, `reads_...`, `handles_...`) ask only where a template calls them.
_ANYWHERE: Mapping[str, Any] = {
    "either": either,
    "code": wording.word,
    "codes": wording.words,
    "choice_word": wording.choice_word,
    "hint": wording.hint,
    "path_label": wording.path_label,
}
_AT_THE_DESK: Mapping[str, Any] = {
    "article": wording.article,
    "deadline": wording.deadline,
    "since_word": wording.since_word,
    "card": deadlines.card,
    "roles": organisation.ROLES,
    "new_key": desk.new_key,
    "session_left": people.seconds_left,
    "kept_files": uploads.titles,
    "unit_choices": _unit_choices,
    "my_posts": _my_posts,
    "opens_case": cases.opens,
    "imports_lists": lists.mine,
    "supervises": supervision.mine,
    "accounts": accountability.handles,
    "waiting_for_me": tasks.waiting_for_me,
    "new_in_inbox": inbox.unread,
    "reads_outbox": notifications.READERS,
    "goes_on_visits": visits.goes,
    "visits_for_me": screening.waiting_for_me,
    "inspections_for_me": facilities.waiting_for_me,
    "reports_for_me": progress_reports.waiting_for_me,
    "handles_transfers": intake_lists.handles,
    "waiting_transfers": intakes.waiting_transfers,
    "reads_findings": findings.reads,
    "findings_for_me": findings.waiting_for_me,
    "handles_appeals": appeals.handles,
    "appeals_for_me": appeals.waiting_for_me,
    "handles_complaints": complaints.handles,
    "reads_displays": displays.reads,
    "objections_for_me": displays.waiting_for_me,
    "reads_ledger": ledger.reads,
    "pays_festival": festival_batches.reads,
    "visits_condole": condolences.reads,
}
