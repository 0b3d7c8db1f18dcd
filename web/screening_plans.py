"""排查计划: plans of one's area, making and changing one, its sheet for paper, and one's own visit list for the phone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from engine.errors import NotFound, Refused
from engine.forms import Form
from engine.office import Act
from processes import organisation, readers, screening_plans
from processes.screening_forms import (
    ASSISTANCE,
    CAUSES,
    POPULATIONS,
    RESULTS,
    HomeAdded,
    HomeAssigned,
    HomeDropped,
    ScreeningPlanIn,
)
from processes.screening_plans import Wanted
from processes.screening_tables import screening_plan_home
from web import wording
from web.desk import bureau, idem, me, whole
from web.leads import filled
from web.screening import bp as screening_bp

bp = Blueprint("plans", __name__, url_prefix="/plans")
_POPULATIONS = tuple(code for code, _zh, _en in POPULATIONS)
SHEET = 200  # households on one sheet


@bp.get("/")
def listing() -> ResponseReturnValue:
    """Plans, and how far they are."""
    made, asked = bureau(), request.args
    args = {name: asked[name] for name in ("population",) if asked.get(name)}
    with made.office.read() as conn:
        found = screening_plans.listed(conn, me(), kind=args.get("population") if args.get("population") in _POPULATIONS else None, page=whole(asked.get("page"), 1, 10_000))
        rows = screening_plans.told(conn, found.items, made.office.today())
        places = {row["community"]: organisation.unit_name(conn, row["community"]) for row in rows}
    return render_template("screening_plans.html", found=found, rows=rows, args=args, places=places, populations=_POPULATIONS, plans=screening_plans.plans(me()))


@bp.route("/new", methods=["GET", "POST"])
def new() -> ResponseReturnValue:
    if not screening_plans.plans(me()):
        raise Refused("planner", "排查计划由本街镇的民政专干或负责人制定", "Civil affairs officers and leaders of the street make the plans")
    made = bureau()
    with made.office.read() as conn:
        communities = [u for u in organisation.units(conn, me().areas, "community") if me().post_over(u["code"], screening_plans.PLANNERS)]
    values = {"from_on": made.office.today().isoformat(), "community": request.args.get("community", "")[:20]}
    return filled(ScreeningPlanIn, _("Make a plan"), url_for("screening.plans.listing"), screening_plans.make, values, lambda done: url_for("screening.plans.show", plan_id=done["plan"]), communities)


@bp.get("/<int:plan_id>")
def show(plan_id: int) -> ResponseReturnValue:
    """A plan and its households: `?list=today|left|visited`."""
    made, asked = bureau(), request.args
    which = asked.get("list") if asked.get("list") in screening_plans.LISTS else None
    with made.office.read() as conn:
        row = screening_plans.seen(conn, me(), plan_id)
        one = screening_plans.told(conn, [row], made.office.today())[0]
        login = None if readers.of_cases(me()).covers(row["community"]) else me().id
        found = screening_plans.homes(conn, Wanted(plan_id=plan_id, login=login, which=which), made.office.today(), whole(asked.get("page"), 1, 10_000), 50)
        rows = screening_plans.homes_told(conn, made.office.keys.on(conn), found.items, me(), full=False)
        place = organisation.unit_name(conn, one["community"])
        people = wording.names_of(conn, [one["made_by"], *(row[name] for row in rows for name in ("first", "second") if row[name]), *(team[name] for team in one["teams"] for name in ("first", "second"))])
    changes = me().post_over(one["community"], screening_plans.PLANNERS) is not None
    return render_template("screening_plan.html", one=one, found=found, rows=rows, which=which, args={"list": which} if which else {}, place=place, people=people, changes=changes, lists=screening_plans.LISTS)


@bp.get("/<int:plan_id>/sheet")
def sheet(plan_id: int) -> ResponseReturnValue:
    """For paper: who is left, with blank fields to fill in at the door. `?full=1` with names, addresses and telephones; noted in the reading log."""
    made, full = bureau(), "full" in request.args
    with made.office.read() as conn:
        row = screening_plans.seen(conn, me(), plan_id)
        one = screening_plans.told(conn, [row], made.office.today())[0]
        login = None if readers.of_cases(me()).covers(row["community"]) else me().id
        found = screening_plans.homes(conn, Wanted(plan_id=plan_id, login=login, which="left"), made.office.today(), whole(request.args.get("page"), 1, 1000), SHEET)
        may_full = screening_plans.may_full(me(), found.items)
        if full and not may_full:
            raise Refused("visit-list-full", "您的岗位只能查看隐去个人信息的走访名单", "Your post may have this list masked only")
        rows = screening_plans.homes_told(conn, made.office.keys.on(conn), found.items, me(), full=full)
        place, street = organisation.unit_name(conn, one["community"]), organisation.unit_name(conn, one["street"])
        people = wording.names_of(conn, [row[name] for row in rows for name in ("first", "second") if row[name]])
    if full:
        with made.office.act(me()) as act:
            screening_plans.note(act, found.items)
    return render_template("screening_sheet.html", one=one, found=found, rows=rows, place=place, street=street, people=people, full=full, may_full=may_full, sheet_words=screening_plans.SHEET,
                           whom=next(zh for code, zh, _en in POPULATIONS if code == one["population"]), blank=one["population"] != "in_benefit",
                           causes=CAUSES, assistance=ASSISTANCE, results=RESULTS, args={"full": 1} if full else {})  # fmt: skip


@bp.get("/mine")
def mine() -> ResponseReturnValue:
    """For the phone: my households of today, or who is left."""
    made, asked = bureau(), request.args
    which = asked.get("list") if asked.get("list") in screening_plans.LISTS else "today"
    full = "full" in asked
    with made.office.read() as conn:
        found = screening_plans.homes(conn, Wanted(login=me().id, which=which), made.office.today(), whole(asked.get("page"), 1, 10_000))
        rows = screening_plans.homes_told(conn, made.office.keys.on(conn), found.items, me(), full=full)
        counts = {name: screening_plans.homes(conn, Wanted(login=me().id, which=name), made.office.today(), 1, 1).total for name in screening_plans.LISTS}
        places = {row["community"]: organisation.unit_name(conn, row["community"]) for row in rows}
        people = wording.names_of(conn, [row[name] for row in rows for name in ("first", "second") if row[name]])
    if full and found.items:
        with made.office.act(me()) as act:
            screening_plans.note(act, found.items)
    return render_template("screening_mine.html", found=found, rows=rows, which=which, counts=counts, full=full, places=places, people=people, lists=screening_plans.LISTS,
                           args={"list": which} | ({"full": 1} if full else {}))  # fmt: skip


@bp.post("/<int:plan_id>/renewal")
def renew(plan_id: int) -> ResponseReturnValue:
    with bureau().office.act(me(), idem()) as act:
        done = screening_plans.renew(act, plan_id)
    flash(_("%(n)s households were added.", n=done["added"]))
    return redirect(url_for("screening.plans.show", plan_id=plan_id))


@bp.route("/<int:plan_id>/households", methods=["GET", "POST"])
def add(plan_id: int) -> ResponseReturnValue:
    return _of_plan(plan_id, HomeAdded, _("Add a household"), lambda act, said: screening_plans.add(act, plan_id, said), {"household_id": request.args.get("household", "")[:18]})


@bp.route("/<int:plan_id>/households/<int:home_id>/assignment", methods=["GET", "POST"])
def assign(plan_id: int, home_id: int) -> ResponseReturnValue:
    with bureau().office.read() as conn:
        row = conn.execute(screening_plan_home.select().where(screening_plan_home.c.id == home_id, screening_plan_home.c.plan_id == plan_id)).mappings().one_or_none()
    if row is None:
        raise NotFound("计划中没有这户")
    values = {name: row[name] or "" for name in ("first", "second", "visit_on")}
    return _of_plan(plan_id, HomeAssigned, _("Say who visits, and when"), lambda act, said: screening_plans.assign(act, home_id, said), values)


@bp.route("/<int:plan_id>/households/<int:home_id>/removal", methods=["GET", "POST"])
def drop(plan_id: int, home_id: int) -> ResponseReturnValue:
    return _of_plan(plan_id, HomeDropped, _("Take out of the plan"), lambda act, said: screening_plans.drop(act, home_id, said), {})


def _of_plan(plan_id: int, form: type[Form], title: str, work: Callable[[Act, Any], dict[str, Any]], values: dict[str, Any]) -> ResponseReturnValue:
    with bureau().office.read() as conn:
        screening_plans.seen(conn, me(), plan_id)
    back = url_for("screening.plans.show", plan_id=plan_id)
    return filled(form, title, back, work, values, lambda _done: back)


screening_bp.register_blueprint(bp)
