"""宣传: which communities each programme reached, and the register of activities."""

from __future__ import annotations

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from engine.errors import Refused
from processes import attachments as files
from processes import organisation, publicity
from processes.outreach_forms import CHANNELS, PublicityIn, Withdrawn
from web import attachments, wording
from web.desk import bureau, me, whole
from web.leads import filled

bp = Blueprint("publicity", __name__, url_prefix="/publicity")
_CHANNELS = tuple(code for code, _zh, _en in CHANNELS)
_MOST = 500  # lines of a printed register


@bp.get("/")
def listing() -> ResponseReturnValue:
    """Programmes, communities that lack some, and the register."""
    made, asked = bureau(), request.args
    args = {name: asked[name] for name, known in (("channel", _CHANNELS), ("programme", publicity.CODES)) if asked.get(name) in known}
    with made.office.read() as conn:
        covered = publicity.coverage(conn, me().areas, made.office.today())
        found = publicity.listed(conn, me(), channel=args.get("channel"), programme=args.get("programme"), page=whole(asked.get("page"), 1, 10_000))
        rows = publicity.told(found.items, me())
        places = {row["unit"]: organisation.unit_name(conn, row["unit"]) for row in rows}
    return render_template("publicity.html", covered=covered, found=found, rows=rows, args=args, places=places, channels=_CHANNELS, programmes=publicity.CODES, records=publicity.records(me()))


@bp.get("/communities")
def communities() -> ResponseReturnValue:
    """Community by community: the programmes that reached it and those that it lacks."""
    made, size = bureau(), 50
    page = whole(request.args.get("page"), 1, 10_000)
    with made.office.read() as conn:
        rows = publicity.coverage(conn, me().areas, made.office.today())["communities"]
        shown = rows[(page - 1) * size : page * size]
        places = {code: organisation.unit_name(conn, code) for row in shown for code in (row["community"], row["community"][:9])}
    return render_template("publicity_communities.html", rows=shown, found={"page": page, "pages": max(1, -(-len(rows) // size)), "total": len(rows)}, places=places, programmes=publicity.CODES)


@bp.get("/register")
def register() -> ResponseReturnValue:
    """宣传台账 to print: the newest activities, those withdrawn left out."""
    made = bureau()
    with made.office.read() as conn:
        rows = [row for row in publicity.told(publicity.listed(conn, me(), size=_MOST).items, me()) if not row["withdrawn_on"]]
        places = {row["unit"]: organisation.unit_name(conn, row["unit"]) for row in rows}
    return render_template("publicity_register.html", rows=rows, places=places)


@bp.get("/<int:activity_id>")
def show(activity_id: int) -> ResponseReturnValue:
    made = bureau()
    with made.office.read() as conn:
        one = publicity.told([publicity.seen(conn, me(), activity_id)], me())[0]
        places = {code: organisation.unit_name(conn, code) for code in {one["unit"], *one["communities"]}}
        people = wording.names_of(conn, [one["recorded_by"], one["withdrawn_by"]])
        opens = [n for n in one["evidence"] if files.opens(conn, me(), n)]
    return render_template("publicity_activity.html", one=one, places=places, people=people, opens=opens)


@bp.route("/new", methods=["GET", "POST"])
def new() -> ResponseReturnValue:
    if not publicity.records(me()):
        raise Refused("publicity", "宣传活动由开展单位的工作人员登记", "Entered by the staff of the unit that does it")
    values = {"held_on": bureau().office.today().isoformat(), "unit": me().unit}
    return attachments.filled("form_page.html", PublicityIn, _("Enter an activity"), request.form.get("unit", ""), url_for("publicity.listing"), publicity.record, values,
                              lambda done: url_for("publicity.show", activity_id=done["activity"]), communities=attachments.units_of(publicity.RECORDERS, "district", "street", "community"))  # fmt: skip


@bp.route("/<int:activity_id>/withdrawal", methods=["GET", "POST"])
def withdraw(activity_id: int) -> ResponseReturnValue:
    with bureau().office.read() as conn:
        publicity.seen(conn, me(), activity_id)
    back = url_for("publicity.show", activity_id=activity_id)
    return filled(Withdrawn, _("Withdraw the entry"), back, lambda act, said: publicity.withdraw(act, activity_id, said["reason"]), {}, lambda _done: back)
