"""公示与公开: the pages for everybody (ui screen 8). Whitelisted fields only; the same for whoever asks, so they may be kept on the way.

No page here reads a session or sets a cookie: language (`lang=en`) and large print (`large=1`) stand in the address, and every link keeps them.
Nothing needs a script.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any

import segno
from flask import Blueprint, Response, g, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy import Connection, Integer, and_, bindparam, func, select
from werkzeug.exceptions import TooManyRequests

from engine.errors import Invalid, NotFound
from engine.forms import from_html, understand
from engine.model import SHANGHAI
from engine.queries import Page
from processes import display_sheets, displays, guide, letters, objections, organisation, phones, progress
from processes.case_tables import notice
from processes.complaint_forms import PublicComplaint
from processes.display_forms import ObjectionIn
from processes.tables import unit
from web.complaints import counted, everybodys
from web.desk import bureau, lang, speaking, whole
from web.households import Told

bp = Blueprint("public", __name__)
SHOWN = ("id", "stage", "street", "community", "applicant", "members", "category", "amount_fen", "posted_on", "until_on")
KEPT_SECONDS = 60  # for which a page may be kept on the way; never beyond midnight, when notices end
_UNKEPT = ("public.health", "public.icon", "public.object_notice", "public.object_display", "public.complaint", "public.progress")


_STREETS, _COMMUNITIES = unit.alias("its_street"), unit.alias("its_community")


# -- the same for everybody


@bp.before_request
def begin() -> None:
    """Before anything asks for a session: what the page shows hangs on its address alone."""
    g.open_page = True
    speaking("en" if request.args.get("lang") == "en" else "zh")


@bp.after_request
def keepable(response: Response) -> Response:
    if request.method not in ("GET", "HEAD") or request.endpoint in _UNKEPT or response.status_code != 200:
        response.headers.setdefault("Cache-Control", "no-store")
        return response
    response.headers["Cache-Control"] = f"public, max-age={kept_for()}"
    response.headers["X-Robots-Tag"] = "noindex"
    response.add_etag()
    response.make_conditional(request)
    return response


def kept_for() -> int:
    """Seconds for which what everybody sees may be kept: not beyond the day, with which notices end."""
    now = bureau().office.clock().astimezone(SHANGHAI)
    midnight = datetime.combine(now.date() + timedelta(days=1), datetime.min.time(), SHANGHAI)
    return max(1, min(KEPT_SECONDS, int((midnight - now).total_seconds())))


def carried() -> dict[str, str]:
    """What each link of a public page keeps: language and size of print."""
    return ({"lang": "en"} if request.args.get("lang") == "en" else {}) | ({"large": "1"} if request.args.get("large") == "1" else {})


def pub(endpoint: str, **args: Any) -> str:
    return url_for(f"public.{endpoint}", **{**carried(), **args})


def _here(**other: str | None) -> str:
    """This page with another language or size."""
    asked = {"unit": _unit(), "page": str(whole(request.args.get("page"), 0, 100_000) or ""), "on": _as_day(request.args.get("on", "")), "people": str(whole(request.args.get("people"), 0, 12) or "")}
    if request.endpoint == "estimate.show":
        asked["people"] = str(whole(request.values.get("people"), 0, 99) or "")
    args = {**(request.view_args or {}), **asked, **carried(), **other}
    return url_for(request.endpoint or "public.start", **{name: value for name, value in args.items() if value})


def rendered(template: str, **said: Any) -> str:
    return render_template(template, pub=pub, here=_here, large=request.args.get("large") == "1", carried=carried(), **said)


def words() -> dict[str, Any]:
    """What templates of these pages read instead of the context of who is signed in (there is nobody); also their error pages."""
    return {"pub": pub, "here": _here, "large": request.args.get("large") == "1", "carried": carried()}


# -- notices


def _now() -> Any:
    """Notices that run now: they leave by themselves at their end."""
    return objections.running(bureau().office.today())


def running(code: str = "", page: int = 1, size: int = 50) -> tuple[list[Mapping[Any, Any]], int]:
    """A page of the notices that run now in a unit (all: ""), by community and then the oldest first, and how many there are."""
    where = and_(_now(), notice.c.community.startswith(code, autoescape=True))
    with bureau().office.read() as conn:
        total = conn.scalar(select(func.count()).select_from(notice).where(where)) or 0
        return _shown(conn, where, page, size), total


_NAMES = (func.coalesce(_STREETS.c.name, notice.c.street).label("street_name"), func.coalesce(_COMMUNITIES.c.name, notice.c.community).label("community_name"))
_NOTICES = (select(*(notice.c[name] for name in SHOWN), *_NAMES).outerjoin(_STREETS, _STREETS.c.code == notice.c.street)
            .outerjoin(_COMMUNITIES, _COMMUNITIES.c.code == notice.c.community))  # fmt: skip
# Made once: to put a statement together costs as much as to run it, and this is the page that everybody asks for.
_ONE = _NOTICES.where(notice.c.id == bindparam("the_id"), notice.c.removed_on.is_(None), notice.c.until_on > bindparam("the_day"))

_HANGS = and_(notice.c.removed_on.is_(None), notice.c.until_on > bindparam("the_day"), notice.c.community.like(bindparam("the_unit")))
_LIST = _NOTICES.where(_HANGS).order_by(notice.c.community, notice.c.id).limit(bindparam("the_size", type_=Integer)).offset(bindparam("the_first", type_=Integer))
_HOW_MANY = select(func.count()).select_from(notice).where(_HANGS)
_ITS_STREETS = select(unit.c.code, unit.c.name).where(unit.c.level == "street").order_by(unit.c.code)
_SIZE = 50


def _shown(conn: Connection, where: Any, page: int, size: int) -> list[Mapping[Any, Any]]:
    query = _NOTICES.where(where).order_by(notice.c.community, notice.c.id)
    return [_with_days(row) for row in conn.execute(query.limit(size).offset((page - 1) * size)).mappings()]


def _with_days(row: Mapping[Any, Any]) -> Mapping[Any, Any]:
    return {**row, "days_left": (date.fromisoformat(row["until_on"][:10]) - bureau().office.today()).days - 1}


def _running_one(conn: Connection, notice_id: int) -> Mapping[Any, Any]:
    """A notice that runs now; NotFound once it is over, as if there had been none."""
    row = conn.execute(_ONE, {"the_id": notice_id, "the_day": bureau().office.today().isoformat()}).mappings().one_or_none()
    if row is None:
        raise NotFound("没有这份公示，或公示已经结束")
    return _with_days(row)


def one_notice(notice_id: int) -> Mapping[Any, Any]:
    with bureau().office.read() as conn:
        return _running_one(conn, notice_id)


def _places(conn: Connection) -> list[Mapping[Any, Any]]:
    return organisation.units(conn, organisation.DISTRICT, "street")


def _unit() -> str:
    """The unit that is asked for; nothing else that somebody wrote into the address comes back in the page."""
    code = request.args.get("unit", "")
    return code if code.isascii() and code.isdecimal() and len(code) <= 12 else ""


def _as_day(text: str) -> str:
    return text if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text) else ""


def _as_number(text: str) -> str:
    """What the QR code of a slip fills in: a number of an intake or a case."""
    return text if re.fullmatch(r"[A-Za-z]{2,4}-[0-9]{4}-[0-9]{1,9}", text) else ""


@bp.get("/public")
def start() -> ResponseReturnValue:
    with bureau().office.read() as conn:
        numbers = [row for row in phones.listed(conn) if row["level"] == "district"]
    return rendered("public_start.html", programmes=[(name, guide.title(name)) for name in guide.PROGRAMMES], numbers=numbers, hotline=phones.HOTLINE)


@bp.get("/public/notices")
def notices() -> ResponseReturnValue:
    """The rows are read each time, so what is taken down is gone at once; what they look like is kept."""
    code, page = _unit(), whole(request.args.get("page"), 1, 100_000)
    like, today = f"{code}%", bureau().office.today().isoformat()
    with bureau().office.read() as conn:
        total = conn.execute(_HOW_MANY, {"the_unit": like, "the_day": today}).scalar_one()
        rows = conn.execute(_LIST, {"the_unit": like, "the_day": today, "the_size": _SIZE, "the_first": (page - 1) * _SIZE}).all()
        streets = conn.execute(_ITS_STREETS).all()
    return _listed(_here(), lang(), today, code, page, total, tuple(rows), tuple(streets))


@lru_cache(maxsize=128)
def _listed(_here_: str, _language: str, _today: str, code: str, page: int, total: int, rows: tuple[Any, ...], streets: tuple[Any, ...]) -> str:
    """The list as it looks: it hangs on what is given and on nothing else. (The first three: part of the key; address and language stand in the links.)"""
    found = Page([_with_days(row._mapping) for row in rows], total, page, _SIZE)
    return rendered("notices.html", found=found, args={**carried(), **({"unit": code} if code else {})}, streets=[row._mapping for row in streets], unit=code)


@bp.get("/public/notices/<int:notice_id>", endpoint="notice")
def show(notice_id: int) -> ResponseReturnValue:
    with bureau().office.read() as conn:
        found = _running_one(conn, _row_id(notice_id))
        phone = phones.of(conn, found["community"])
    more = _more(pub("notice", notice_id=notice_id), pub("object_notice", notice_id=notice_id))
    page = letters.notice_sheet(found, found["community_name"], found["street_name"], phone=phone, more=more, large=request.args.get("large") == "1")
    return Response(page, mimetype="text/html")


def qr(address: str) -> str:
    """A QR code of an address of ours, as SVG; no style and no script in it."""
    return _drawn(request.host_url.rstrip("/") + address)


@lru_cache(maxsize=4096)
def _drawn(text: str) -> str:
    """Drawing it costs more than the rest of a notice, and it is always the same."""
    return str(segno.make(text, error="m").svg_inline(scale=3, border=2, svgclass=None, lineclass=None))


def _more(here: str, object_at: str) -> str:
    return _under(request.host_url.rstrip("/"), here, object_at, request.path, lang(), large=request.args.get("large") == "1")


@lru_cache(maxsize=4096)
def _under(host: str, here: str, object_at: str, path: str, language: str, *, large: bool) -> str:
    """What stands under a sheet: it hangs on nothing but the address, and is the dearest part of the page. (path, language: part of the key.)"""
    return f'<div class="qr">{_drawn(host + here)}</div>{rendered("public_more.html", object_at=object_at)}'


def _row_id(number: int) -> int:
    if number >= 10**18:  # no number of a row: the database would not know what to do with it
        raise NotFound("没有这份公示，或公示已经结束")
    return number


@bp.route("/public/notices/<int:notice_id>/objection", methods=["GET", "POST"])
def object_notice(notice_id: int) -> ResponseReturnValue:
    found = one_notice(_row_id(notice_id))
    return _objection(found, lambda said: objected(notice_id=notice_id, said=said))


@bp.route("/public/displays/<int:display_id>/objection", methods=["GET", "POST"])
def object_display(display_id: int) -> ResponseReturnValue:
    found = one_display(_row_id(display_id))
    return _objection(found, lambda said: objected(display_id=display_id, said=said))


def _objection(found: Mapping[str, Any], work: Any) -> ResponseReturnValue:
    told, no = Told(), ""
    typed = from_html(ObjectionIn, request.form)
    if request.method == "POST":
        try:
            with told:
                no = work(typed)["complaint"]
        except TooManyRequests:
            told.trouble, told.status = _("Too many from here. Try again in a minute."), 429
    form = ObjectionIn(context={"lang": lang()})
    return rendered("public_objection.html", about=found, no=no, form=form, values=typed, errors=told.errors, trouble=told.trouble), told.status


def objected(*, said: Mapping[str, Any], notice_id: int | None = None, display_id: int | None = None) -> dict[str, Any]:
    """An objection by anybody: {"objection", "complaint"}. Raises Invalid, NotFound for what does not hang, TooManyRequests."""
    counted(request.remote_addr or "")
    understood, made = understand(ObjectionIn(context={"lang": lang()}), dict(said)), bureau()
    with made.office.act() as act:
        if notice_id is not None:
            return objections.against_notice(made.cases, act, notice_id, understood)
        return objections.against_display(made.cases, act, int(display_id or 0), understood)


@bp.route("/public/complaint", methods=["GET", "POST"])
def complaint() -> ResponseReturnValue:
    """投诉举报, the form for everybody."""
    told, no = Told(), ""
    typed = from_html(PublicComplaint, request.form)
    if request.method == "POST":
        try:
            with told:
                no = everybodys(typed)["no"]
        except TooManyRequests:
            told.trouble, told.status = _("Too many from here. Try again in a minute."), 429
    form = PublicComplaint(context={"lang": lang()})
    return rendered("complaint_public.html", no=no, form=form, values=typed, errors=told.errors, trouble=told.trouble), told.status


# -- progress


def looked_up(said: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The steps of a matter by number and query code. NotFound, the same for a wrong number and a wrong code; Invalid; TooManyRequests."""
    found = understand(progress.ProgressIn(context={"lang": lang()}), dict(said))
    steps, wait = progress.asked(bureau(), request.remote_addr or "", found["no"], found["code"])
    if wait:
        raise TooManyRequests(retry_after=wait)
    if steps is None:
        raise NotFound("受理号或查询码不正确")
    return steps


@bp.route("/public/progress", methods=["GET", "POST"], endpoint="progress")
def progress_page() -> ResponseReturnValue:
    """办理进度查询. Number and code are sent, never put into the address; `?no=` of the slip's QR code fills in the number alone."""
    told, steps = Told(), None
    typed = from_html(progress.ProgressIn, request.form) if request.method == "POST" else {"no": _as_number(request.args.get("no", ""))}
    if request.method == "POST":
        try:
            with told:
                steps = looked_up(typed)
        except NotFound:
            told.trouble, told.status = _("Number or query code is wrong."), 404
        except TooManyRequests as error:
            told.trouble, told.status = _("Asked too often. Try again in %(n)s minutes.", n=-(-int(str(error.retry_after or 60)) // 60)), 429
    form = progress.ProgressIn(context={"lang": lang()})
    return rendered("public_progress.html", steps=steps, form=form, values=typed if steps is None else {}, errors=told.errors, trouble=told.trouble), told.status


# -- long-term displays


def hanging(code: str, page: int = 1, size: int = 50, *, display_id: int | None = None) -> Page:
    """The long-term displays of a unit, with the names of its places."""
    with bureau().office.read() as conn:
        found = displays.public(conn, bureau().office.today(), code, display_id=display_id, page=page, size=size)
        codes = {row[name] for row in found.items for name in ("street", "community")}
        names = {row.code: row.name for row in conn.execute(select(unit.c.code, unit.c.name).where(unit.c.code.in_(codes)))}
    rows: list[Mapping[Any, Any]] = [{**row, "street_name": names.get(row["street"], row["street"]), "community_name": names.get(row["community"], row["community"])} for row in found.items]
    return Page(rows, found.total, page, size)


def one_display(display_id: int) -> Mapping[Any, Any]:
    found = hanging("", display_id=display_id, size=1).items
    if not found:
        raise NotFound("没有这份公示，或公示已经结束")
    return found[0]


@bp.get("/public/displays")
def board() -> ResponseReturnValue:
    code = _unit()
    found = hanging(code, whole(request.args.get("page"), 1, 100_000))
    with bureau().office.read() as conn:
        streets = _places(conn)
    return rendered("public_displays.html", found=found, args={**carried(), **({"unit": code} if code else {})}, streets=streets, unit=code)


@bp.get("/public/displays/<int:display_id>")
def display(display_id: int) -> ResponseReturnValue:
    row = one_display(_row_id(display_id))
    with bureau().office.read() as conn:
        phone = phones.of(conn, row["community"])
    more = _more(pub("display", display_id=display_id), pub("object_display", display_id=display_id))
    return Response(display_sheets.sheet(row, row["community_name"], row["street_name"], phone, more, large=request.args.get("large") == "1"), mimetype="text/html")


# -- policy guide, telephones


@bp.get("/public/guide")
def guides() -> ResponseReturnValue:
    return rendered("public_guides.html", programmes=[(name, guide.title(name)) for name in guide.PROGRAMMES])


@bp.get("/public/guide/<programme>", endpoint="guide")
def one_guide(programme: str) -> ResponseReturnValue:
    today, asked = bureau().office.today(), request.args.get("on", "")
    try:
        on = guide.day_of(asked) if asked else today
    except Invalid:
        return redirect(pub("guide", programme=programme[:40]))
    found = guide.of(programme, on)
    known = [day for day in found["versions"] if day <= max(today, on).isoformat()]
    return rendered("public_guide.html", guide=found, versions=known[::-1], today=today.isoformat(), parts=guide.PARTS)


@bp.get("/public/phones", endpoint="phones")
def telephones() -> ResponseReturnValue:
    with bureau().office.read() as conn:
        rows = phones.listed(conn)
    return rendered("public_phones.html", rows=rows, hotline=phones.HOTLINE)


@bp.get("/health")
def health() -> ResponseReturnValue:
    with bureau().office.read() as conn:
        conn.execute(select(notice.c.id).limit(1))
    return jsonify(status="ok")


@bp.get("/favicon.ico")
def icon() -> ResponseReturnValue:
    return "", 204
