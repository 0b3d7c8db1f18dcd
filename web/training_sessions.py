"""培训: who is trained and who is still missing, the register of sessions, and the sheet to sign."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from engine.errors import Refused
from processes import attachments as files
from processes import organisation
from processes import training_sessions as training
from processes.outreach_forms import LEVELS, TrainingAttended, TrainingIn, Withdrawn
from web import attachments, wording
from web.desk import bureau, me, whole
from web.leads import filled

bp = Blueprint("training", __name__, url_prefix="/training")
_LEVELS = tuple(code for code, _zh, _en in LEVELS)
_MOST = 500  # lines of a printed register


@bp.get("/")
def listing() -> ResponseReturnValue:
    """Shares of directors and of assistance staff, and the register."""
    made, asked = bureau(), request.args
    args = {"level": asked["level"]} if asked.get("level") in _LEVELS else {}
    with made.office.read() as conn:
        covered = training.coverage(conn, me().areas, made.office.today())
        found = training.listed(conn, me(), level=args.get("level"), page=whole(asked.get("page"), 1, 10_000))
        rows = training.told(conn, found.items, me())
        places = {code: organisation.unit_name(conn, code) for code in {row["unit"] for row in [*rows, *covered["units"]]}}
    return render_template("training.html", covered=covered, found=found, rows=rows, args=args, places=places, levels=_LEVELS, organises=training.organises(me()))


@bp.get("/missing")
def missing() -> ResponseReturnValue:
    """`?kind=directors` | staff: who is not trained yet."""
    made, kind = bureau(), request.args.get("kind", "directors")
    kind = kind if kind in training.KINDS else "directors"
    with made.office.read() as conn:
        found = training.missing(conn, me().areas, made.office.today(), kind, whole(request.args.get("page"), 1, 10_000))
        places = {code: organisation.unit_name(conn, code) for code in {row["unit"] for row in found.items} | {row["unit"][:9] for row in found.items}}
    return render_template("training_missing.html", found=found, kind=kind, kinds=tuple(training.KINDS), places=places)


@bp.get("/register")
def register() -> ResponseReturnValue:
    """培训台账 to print: the newest sessions, those withdrawn left out."""
    made = bureau()
    with made.office.read() as conn:
        rows = [row for row in training.told(conn, training.listed(conn, me(), size=_MOST).items, me()) if not row["withdrawn_on"]]
        places = {code: organisation.unit_name(conn, code) for code in {row["unit"] for row in rows}}
    return render_template("training_register.html", rows=rows, places=places)


@bp.get("/<int:session_id>")
def show(session_id: int) -> ResponseReturnValue:
    return render_template("training_session.html", **_session(session_id))


@bp.get("/<int:session_id>/sheet")
def sheet(session_id: int) -> ResponseReturnValue:
    """签到表: with lines for who is not listed yet."""
    return render_template("training_sheet.html", **_session(session_id))


def _session(session_id: int) -> dict[str, Any]:
    made = bureau()
    with made.office.read() as conn:
        one = training.told(conn, [training.seen(conn, me(), session_id)], me())[0]
        places = {code: organisation.unit_name(conn, code) for code in {one["unit"], *(a["unit"] for a in one["attendance"])}}
        people = wording.names_of(conn, [one["recorded_by"], one["withdrawn_by"]])
        opens = bool(one["sheet"]) and files.opens(conn, me(), one["sheet"])
    return {"one": one, "places": places, "people": people, "opens": opens}


@bp.route("/new", methods=["GET", "POST"])
def new() -> ResponseReturnValue:
    if not training.organises(me()):
        raise Refused("organiser", "培训由组织单位的工作人员登记", "Entered by the staff of the organising unit")
    values = {"held_on": bureau().office.today().isoformat(), "unit": me().unit, "level": {6: "district", 9: "street"}.get(len(me().unit), "village")}
    return attachments.filled("form_page.html", TrainingIn, _("Enter a training session"), request.form.get("unit", ""), url_for("training.listing"), training.record, values,
                              lambda done: url_for("training.show", session_id=done["session"]),
                              communities=attachments.units_of(training.ORGANISERS | {"village_committee"}, "district", "street", "community"))  # fmt: skip


@bp.route("/<int:session_id>/attendance", methods=["GET", "POST"])
def attend(session_id: int) -> ResponseReturnValue:
    with bureau().office.read() as conn:
        row = training.seen(conn, me(), session_id)
    back = url_for("training.show", session_id=session_id)
    return attachments.filled("form_page.html", TrainingAttended, _("Enter who attended"), row["unit"], back, lambda act, said: training.attend(act, session_id, said), {}, lambda _done: back)


@bp.route("/<int:session_id>/withdrawal", methods=["GET", "POST"])
def withdraw(session_id: int) -> ResponseReturnValue:
    with bureau().office.read() as conn:
        training.seen(conn, me(), session_id)
    back = url_for("training.show", session_id=session_id)
    return filled(Withdrawn, _("Withdraw the entry"), back, lambda act, said: training.withdraw(act, session_id, said["reason"]), {}, lambda _done: back)
