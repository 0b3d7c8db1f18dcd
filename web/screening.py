"""摸底排查: visits of one's area, entering and confirming one, findings to be put right, coverage per community."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from engine.errors import NotFound, Refused
from processes import organisation, readers, screening
from processes.screening_forms import POPULATIONS, Rectified, ScreeningIn
from web import wording
from web.desk import bureau, idem, me, whole
from web.leads import filled

bp = Blueprint("screening", __name__, url_prefix="/screening")
_POPULATIONS = tuple(code for code, _zh, _en in POPULATIONS)


def enters() -> bool:
    """Whether the reader enters visits somewhere: who sees no household can confirm one, not enter it."""
    return not (readers.of_cases(me()).roles & screening.VISITORS).isdisjoint(me().roles)


def waiting_for_me() -> int:
    """How many visits wait for who is signed in to confirm them."""
    with bureau().office.read() as conn:
        return screening.waiting(conn, me())


@bp.get("/")
def listing() -> ResponseReturnValue:
    """Visits, and how far the communities are."""
    made, asked = bureau(), request.args
    args = {name: asked[name] for name in ("population", "state", "finding") if asked.get(name)}
    with made.office.read() as conn:
        found = screening.listed(conn, me(), population=args.get("population") if args.get("population") in _POPULATIONS else None,
                                 state=args.get("state") if args.get("state") in screening.STATES else None,
                                 finding=args.get("finding") if args.get("finding") in screening.FINDING_STATES else None, page=whole(asked.get("page"), 1, 10_000))  # fmt: skip
        rows = screening.told(conn, made.office.keys.on(conn), found.items, me(), made.office.today())
        areas = readers.of_cases(me()).areas
        covered = screening.coverage(conn, areas, made.office.today()) if areas else []
        places = {code: organisation.unit_name(conn, code) for code in {row["community"] for row in [*rows, *covered]}}
        people = wording.names_of(conn, [row[name] for row in rows for name in ("first_visitor", "second_visitor")])
    return render_template("screening.html", found=found, rows=rows, covered=covered, args=args, places=places, people=people, populations=_POPULATIONS,
                           states=screening.STATES, finding_states=screening.FINDING_STATES, enters=enters())  # fmt: skip


@bp.get("/<int:screening_id>")
def show(screening_id: int) -> ResponseReturnValue:
    made = bureau()
    with made.office.read() as conn:
        row = screening.seen(conn, me(), screening_id)
        one = screening.told(conn, made.office.keys.on(conn), [row], me(), made.office.today())[0]
        place = organisation.unit_name(conn, one["community"])
        people = wording.names_of(conn, [one["first_visitor"], one["second_visitor"], *(f["done_by"] for f in one["findings"])])
    return render_template("screening_visit.html", one=one, place=place, people=people, reads=readers.of_cases(me()).covers(one["community"]))


@bp.route("/new", methods=["GET", "POST"])
def new() -> ResponseReturnValue:
    """`?household=`: the one that was visited."""
    if not enters():
        raise Refused("visitor", "入户排查由本辖区的民政专干、居村委会成员、调查人或窗口经办人登记", "Visits are entered by the civil affairs officers, committee members, investigators and clerks of the area")
    values = {"visited_on": bureau().office.today().isoformat(), "household_id": request.args.get("household", "")[:18]}
    return filled(ScreeningIn, _("Enter a visit"), url_for("screening.listing"), screening.record, values, lambda done: url_for("screening.show", screening_id=done["screening"]),
                  offline=f"screening-{values['household_id'] or 'new'}")  # fmt: skip


@bp.post("/<int:screening_id>/confirmation")
def confirm(screening_id: int) -> ResponseReturnValue:
    with bureau().office.act(me(), idem()) as act:
        screening.confirm(act, screening_id)
    flash(_("The visit is confirmed."))
    return redirect(url_for("screening.show", screening_id=screening_id))


@bp.route("/<int:screening_id>/findings/<int:finding_id>", methods=["GET", "POST"])
def rectify(screening_id: int, finding_id: int) -> ResponseReturnValue:
    made = bureau()
    with made.office.read() as conn:
        screening.seen(conn, me(), screening_id)
    if finding_id >> 16 != screening_id >> 16:
        raise NotFound("没有这项排查问题")
    back = url_for("screening.show", screening_id=screening_id)
    return filled(Rectified, _("Say what was done"), back, lambda act, said: screening.rectify(act, finding_id, said), {"done_on": made.office.today().isoformat()}, lambda _done: back)
