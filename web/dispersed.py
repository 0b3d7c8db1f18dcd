"""分散供养特困人员走访: who is still to be visited, the visits, and the problems that are to be solved."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from engine.errors import Invalid, NotFound, Refused
from engine.forms import from_html, understand
from processes import change_report_2012, dispersed_visits, households, organisation, readers
from processes.dispersed_forms import CHECKED, CONDITIONS, DispersedSolved, DispersedVisitIn
from web import screening, uploads, wording
from web.desk import bureau, idem, lang, me, whole
from web.households import Told
from web.leads import filled

bp = Blueprint("dispersed", __name__, url_prefix="/dispersed-visits")
_CONDITIONS = tuple(code for code, _zh, _en in CONDITIONS)
_PROBLEMS = ("open", "overdue", "solved")


@bp.get("/")
def listing() -> ResponseReturnValue:
    """How far each street is, who is not visited yet, and the visits."""
    made, asked = bureau(), request.args
    today, areas = made.office.today(), readers.of_cases(me()).areas
    args = {name: asked[name] for name, known in (("condition", _CONDITIONS), ("problem", _PROBLEMS)) if asked.get(name) in known}
    with made.office.read() as conn:
        covered = dispersed_visits.coverage(conn, areas, today) if areas else None
        waiting = dispersed_visits.unvisited(conn, me(), today, page=whole(asked.get("left"), 1, 10_000)) if areas else None
        found = dispersed_visits.listed(conn, me(), today, condition=args.get("condition"), problem=args.get("problem"), page=whole(asked.get("page"), 1, 10_000))
        rows = dispersed_visits.told(conn, made.office.keys.on(conn), found.items, me(), today)
        codes = {row["community"] for row in [*rows, *(waiting.items if waiting else [])]} | {row["street"] for row in (covered or {"streets": []})["streets"]}
        places = {code: organisation.unit_name(conn, code) for code in codes}
        people = wording.names_of(conn, [row["visitor"] for row in rows])
    return render_template("dispersed.html", found=found, rows=rows, covered=covered, waiting=waiting, args=args, places=places, people=people, conditions=_CONDITIONS, problems=_PROBLEMS,
                           visits=dispersed_visits.visits(me()))  # fmt: skip


@bp.get("/<int:visit_id>")
def show(visit_id: int) -> ResponseReturnValue:
    made = bureau()
    with made.office.read() as conn:
        row = dispersed_visits.seen(conn, me(), visit_id)
        one = dispersed_visits.told(conn, made.office.keys.on(conn), [row], me(), made.office.today())[0]
        place = organisation.unit_name(conn, one["community"])
        people = wording.names_of(conn, [one["visitor"], *(p["solved_by"] for p in one["problems"])])
    return render_template("dispersed_visit.html", one=one, place=place, people=people, checked=CHECKED, reports=_reports(one["community"], one["household_id"]), screens=screening.enters())


def _reports(community: str, household_id: int) -> bool:
    """Whether the reader may begin the report of a change for this household."""
    made, may = bureau(), me().post_over(community, change_report_2012.STARTERS) is not None
    with made.office.read() as conn:
        return may and me().id not in households.recused_staff(conn, household_id) and bool(households.active_benefits(conn, household_id))


@bp.route("/new", methods=["GET", "POST"])
def new() -> ResponseReturnValue:
    """`?household=`, `?person=`: whom it is about; photos are papers of the household."""
    if not dispersed_visits.visits(me()):
        raise Refused("visitor", "走访由所在街镇的工作人员或居村委会成员登记", "Visits are entered by the street's staff or the committee of the place")
    made, told = bureau(), Told()
    form = DispersedVisitIn(context={"today": made.office.today(), "actor": me(), "lang": lang(), "facts": {}})
    typed: dict[str, Any] = {"visited_on": made.office.today().isoformat(), **{name: request.args[key][:18] for name, key in (("household_id", "household"), ("person_id", "person")) if request.args.get(key)}}
    back = url_for("dispersed.listing")
    if request.method == "POST":
        typed = from_html(DispersedVisitIn, request.form)
        with told:
            if request.files.get("photo__file"):
                uploads.keep(DispersedVisitIn, typed, _household(typed), None)
            if request.form.get("_do") != "row":
                said = understand(form, typed)
                with made.office.act(me(), idem()) as act:
                    done = dispersed_visits.record(act, said)
                flash(_("The visit is recorded."))
                return redirect(url_for("dispersed.show", visit_id=done["visit"]))
    return render_template("form_page.html", title=_("Visit somebody supported at home"), form=form, values=typed, errors=told.errors, trouble=told.trouble, papers=[], colleagues=[], communities=(),
                           back=back, extra=whole(request.form.get("_rows"), 0, 50) if request.form.get("_do") == "row" else 0), told.status  # fmt: skip


def _household(typed: dict[str, Any]) -> int:
    """The household that a photo is kept for."""
    text = str(typed.get("household_id", ""))
    try:
        number = int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0
        with bureau().office.read() as conn:
            households.row(conn, number)
    except NotFound as error:
        raise Invalid({"household_id": [str(error)]}) from None
    return number


@bp.route("/<int:visit_id>/problems/<int:problem_id>", methods=["GET", "POST"])
def solve(visit_id: int, problem_id: int) -> ResponseReturnValue:
    made = bureau()
    with made.office.read() as conn:
        dispersed_visits.seen(conn, me(), visit_id)
    if problem_id >> 16 != visit_id >> 16:
        raise NotFound("没有这个走访问题")
    back = url_for("dispersed.show", visit_id=visit_id)
    return filled(DispersedSolved, _("Say how it was solved"), back, lambda act, said: dispersed_visits.solve(act, problem_id, said), {"solved_on": made.office.today().isoformat()}, lambda _done: back)
