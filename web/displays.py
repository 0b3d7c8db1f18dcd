"""长期公示 and 公示异议 for the staff: what is to be put up, printed anew and taken down, the sheets to print, objections, and the published telephones."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy import select

from engine.errors import NotFound, Refused
from engine.forms import Form, from_html, understand
from engine.model import Actor
from engine.office import Act
from processes import display_sheets, displays, objections, organisation, phones, readers
from processes.display_forms import ObjectionHandled, PhoneIn, Posted, TakenDown
from processes.display_tables import unit_phone
from processes.tables import document
from web import uploads, wording
from web.desk import bureau, idem, lang, me, whole
from web.households import Told
from web.public import qr

bp = Blueprint("displays", __name__)


def reads(actor: Actor) -> bool:
    """Whether somebody reads the cases, hence the displays, of any area."""
    return bool(readers.of_cases(actor).posts)


def waiting_for_me() -> int:
    with bureau().office.read() as conn:
        return objections.waiting(conn, me())


@bp.get("/displays")
def listing() -> ResponseReturnValue:
    made, asked = bureau(), request.args
    today, args = made.office.today(), {name: asked[name][:20] for name in ("state", "late", "unit") if asked.get(name)}
    state, page = args.get("state", ""), whole(asked.get("page"), 1, 10_000)
    with made.office.read() as conn:
        counted = displays.counts(conn, me(), today)
        if state == "owed":
            found = displays.owed(conn, me(), today, unit=args.get("unit"), page=page)
        else:
            found = displays.listed(conn, me(), today, state=state if state in displays.STATES else None, late="late" in args, unit=args.get("unit"), page=page)
        places = {row["community"]: organisation.unit_name(conn, row["community"]) for row in found.items}
        communities = organisation.units(conn, readers.of_cases(me()).areas, "community")
    return render_template("displays.html", found=found, args=args, state=state, counts=counted, places=places, communities=communities, states=displays.STATES, makes=not me().roles.isdisjoint(displays.MAKERS))


@bp.post("/displays")
def make() -> ResponseReturnValue:
    """Make the sheet of a benefit that has none yet."""
    made = bureau()
    with made.office.act(me(), idem()) as act:
        done = displays.make(act, _number(request.form.get("benefit_id", "")))
    return redirect(url_for("displays.show", display_id=done["display"]))


def _number(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= 18):
        raise NotFound("没有这项救助待遇")
    return int(text)


@bp.get("/displays/<int:display_id>")
def show(display_id: int) -> ResponseReturnValue:
    made = bureau()
    today = made.office.today()
    with made.office.read() as conn:
        row = displays.seen(conn, me(), display_id, today)
        hung = displays.postings(conn, display_id)
        place = organisation.unit_name(conn, row["community"])
        people = wording.names_of(conn, [row["made_by"], *(one[name] for one in hung for name in ("posted_by", "removed_by"))])
        raised = objections.told(conn, made.office.keys.on(conn), objections.listed(conn, me(), display_id=display_id).items, me(), today)
    return render_template("display.html", d=row, hung=hung, place=place, people=people, may=displays.may(me(), row), objections=raised)


@bp.post("/displays/<int:display_id>/reprint")
def reprint(display_id: int) -> ResponseReturnValue:
    with bureau().office.act(me(), idem()) as act:
        done = displays.reprint(act, display_id)
    flash(_("Version %(n)s is made. Print it and put it up.", n=done["version"]))
    return redirect(url_for("displays.show", display_id=display_id))


@bp.route("/displays/<int:display_id>/posting", methods=["GET", "POST"])
def post(display_id: int) -> ResponseReturnValue:
    return _form(display_id, Posted, _("Record a posting"), "posted_on", displays.post)


@bp.route("/displays/<int:display_id>/removal", methods=["GET", "POST"])
def take_down(display_id: int) -> ResponseReturnValue:
    return _form(display_id, TakenDown, _("Record a removal"), "taken_down_on", displays.take_down)


def _form(display_id: int, form_class: type[Form], title: str, day: str, work: Callable[[Act, int, Mapping[str, Any]], dict[str, Any]]) -> ResponseReturnValue:
    made, told = bureau(), Told()
    with made.office.read() as conn:
        row = displays.seen(conn, me(), display_id, made.office.today())
    typed = from_html(form_class, request.form) if request.method == "POST" else {day: made.office.today().isoformat(), "level": request.args.get("level", "")[:12]}
    form = form_class(context={"today": made.office.today(), "actor": me(), "lang": lang(), "facts": {}})
    if request.method == "POST":
        with told:
            uploads.keep(form_class, typed, row["household_id"], None)
            said = understand(form, typed)
            with made.office.act(me(), idem()) as act:
                work(act, display_id, said)
            return redirect(url_for("displays.show", display_id=display_id))
    with made.office.read() as conn:
        papers = conn.execute(select(document).where(document.c.household_id == row["household_id"], document.c.kind.in_(["photo", "photos"])).order_by(document.c.id.desc()).limit(30)).mappings().all()
    return render_template("form_page.html", title=title, form=form, values=typed, errors=told.errors, trouble=told.trouble, papers=papers, colleagues=[],
                           back=url_for("displays.show", display_id=display_id)), told.status  # fmt: skip


# -- to print


def sheet_of(actor: Actor, display_id: int) -> Response:
    """The household's sheet, in the version that counts now."""
    made = bureau()
    with made.office.read() as conn:
        row = displays.seen(conn, actor, display_id, made.office.today())
        if row["state"] in ("to_remove", "ended"):
            raise Refused("display-ended", "这项救助已经停止，不再公示", "This benefit has ended: it is not displayed any more")
        names, phone = [organisation.unit_name(conn, row[name]) for name in ("community", "street")], phones.of(conn, row["community"])
    more = f'<div class="qr">{qr(url_for("public.display", display_id=display_id))}</div>'
    return Response(display_sheets.sheet(row, names[0], names[1], phone, more), mimetype="text/html")


def board_of(actor: Actor, code: str) -> Response:
    """One sheet with all displays of a community."""
    made = bureau()
    with made.office.read() as conn:
        rows = displays.of_board(conn, actor, made.office.today(), code)
        names, phone = [organisation.unit_name(conn, one) for one in (code, code[:9])], phones.of(conn, code)
    more = f'<div class="qr">{qr(url_for("public.board", unit=code))}</div>'
    return Response(display_sheets.board(rows, names[0], names[1], phone, made.office.today().isoformat(), more), mimetype="text/html")


@bp.get("/displays/<int:display_id>/sheet")
def sheet(display_id: int) -> ResponseReturnValue:
    return sheet_of(me(), display_id)


@bp.get("/displays/board")
def board() -> ResponseReturnValue:
    return board_of(me(), request.args.get("unit", "")[:20])


# -- objections


@bp.get("/objections")
def raised() -> ResponseReturnValue:
    made, state = bureau(), request.args.get("state", "")
    state = state if state in objections.STATES else ""
    with made.office.read() as conn:
        found = objections.listed(conn, me(), state=state or None, page=whole(request.args.get("page"), 1, 10_000))
        rows = objections.told(conn, made.office.keys.on(conn), found.items, me(), made.office.today())
        places = {row["community"]: organisation.unit_name(conn, row["community"]) for row in rows}
    return render_template("objections.html", found=found, rows=rows, places=places, state=state, states=objections.STATES)


@bp.route("/objections/<int:objection_id>", methods=["GET", "POST"])
def handle(objection_id: int) -> ResponseReturnValue:
    made, told = bureau(), Told()
    typed = from_html(ObjectionHandled, request.form)
    form = ObjectionHandled(context={"today": made.office.today(), "actor": me(), "lang": lang(), "facts": {}})
    if request.method == "POST":
        with told:
            said = understand(form, typed)
            with made.office.act(me(), idem()) as act:
                objections.handle(made.cases, act, objection_id, said)
            return redirect(url_for("displays.handle", objection_id=objection_id))
    with made.office.read() as conn:
        [row] = objections.told(conn, made.office.keys.on(conn), [objections.seen(conn, me(), objection_id)], me(), made.office.today())
        place = organisation.unit_name(conn, row["community"])
        people = wording.names_of(conn, [row["handled_by"]])
    return render_template("objection.html", o=row, place=place, people=people, form=form, values=typed, errors=told.errors, trouble=told.trouble), told.status


# -- telephones


@bp.get("/phones")
def numbers() -> ResponseReturnValue:
    keeper(me())
    with bureau().office.read() as conn:
        rows = phones.listed(conn, all_units=True)
    return render_template("phones.html", rows=rows, hotline=phones.HOTLINE)


@bp.route("/phones/<code>", methods=["GET", "POST"])
def number(code: str) -> ResponseReturnValue:
    keeper(me())
    made, told = bureau(), Told()
    with made.office.read() as conn:
        row = conn.execute(select(unit_phone).where(unit_phone.c.unit == code)).mappings().one_or_none()
        place = organisation.unit_name(conn, code)
    kept = {name: row[name] if row[name] is not None else "" for name in ("phone", "hours", "address", "published")} if row else {"published": True}
    typed: dict[str, Any] = from_html(PhoneIn, request.form) if request.method == "POST" else kept
    form = PhoneIn(context={"today": made.office.today(), "actor": me(), "lang": lang(), "facts": {}})
    if request.method == "POST":
        with told:
            said = understand(form, typed)
            with made.office.act(me(), idem()) as act:
                phones.put(act, code, said)
            return redirect(url_for("displays.numbers"))
    return render_template("form_page.html", title=_("Telephone of %(name)s", name=place), form=form, values=typed, errors=told.errors, trouble=told.trouble, papers=[], colleagues=[],
                           back=url_for("displays.numbers")), told.status  # fmt: skip


def keeper(actor: Actor) -> None:
    if "admin" not in actor.roles:
        raise Refused("admin", "公布的举报电话由系统管理员维护", "The published telephones are kept by administrators")

