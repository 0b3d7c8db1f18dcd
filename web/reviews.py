"""定期复审: which households are due for re-review, begun early by hand, and the round over a whole unit."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from engine.errors import NotFound
from engine.forms import from_html
from processes import benefits, households, law, organisation, readers, reviews
from processes.identity import mask_name
from processes.review_2012_forms import StartReview
from web.desk import bureau, idem, lang, me, whole
from web.households import Told

bp = Blueprint("reviews", __name__, url_prefix="/reviews")


def wanted() -> reviews.Wanted:
    asked = request.args
    state, street = asked.get("state", "overdue"), asked.get("street", "")[:20]
    return reviews.Wanted(state if state in reviews.STATES else "overdue", street if street.isascii() and street.isdecimal() else None,
                          asked["class"] if asked.get("class") in benefits.CLASSES else None)  # fmt: skip


@bp.get("/")
def listing() -> ResponseReturnValue:
    made, who, asked = bureau(), readers.of_benefits(me()), wanted()
    today, page = made.office.today(), whole(request.args.get("page"), 1, 100_000)
    with made.office.read() as conn:
        found = reviews.listing(conn, who.areas, asked, today, page)
        streets = organisation.units(conn, who.areas, "street")
        places = {row["community"] for row in found.items} | {row["street"] for row in found.items}
        view = {
            "names": households.applicant_names(conn, [f"household:{row['household_id']}" for row in found.items]),
            "places": {code: organisation.unit_name(conn, code) for code in places}, "streets": streets,
            "counts": reviews.counts(conn, who.areas, asked, today), "rounds": reviews.rounds(conn, who.areas),
            "units": [u for u in organisation.units(conn, who.areas) if who.post_over(u["code"], reviews.ROUND_ROLES)],
        }  # fmt: skip
        view["named"] = {r["unit"]: organisation.unit_name(conn, r["unit"]) for r in view["rounds"]}
    narrowed = {name: value for name, value in (("street", asked.street), ("class", asked.review_class)) if value}
    return render_template("reviews.html", found=found, asked=asked, narrowed=narrowed, states=reviews.STATES, classes=benefits.CLASSES,
                           may_begin=lambda row: reviews.may_begin(who, row["community"]), **view)  # fmt: skip


@bp.route("/new/<int:household_id>", methods=["GET", "POST"])
def begin(household_id: int) -> ResponseReturnValue:
    """Begin the review of a household by hand."""
    made, told = bureau(), Told()
    with made.office.read() as conn:
        if not readers.of_cases(me()).covers(households.row(conn, household_id)["community"]):
            raise NotFound("没有这户家庭")
        name = households.applicant(conn, household_id)["name"]
    typed: dict[str, Any] = {"household_id": household_id}
    if request.method == "POST":
        typed = {**from_html(StartReview, request.form), "household_id": household_id}
        with told, made.office.act(me(), idem()) as act:
            no = made.cases.start(act, law.procedure("review", act.today), typed, lang=lang())["case"]
            return redirect(url_for("cases.show", no=no))
    form = StartReview(context={"today": made.office.today(), "actor": me(), "lang": lang(), "facts": {}})
    return render_template("form_page.html", title=_("Begin a review") + _(": ") + mask_name(name), form=form, values=typed, errors=told.errors, trouble=told.trouble,
                           papers=[], colleagues=[], fixed={"household_id": household_id}, back=url_for("reviews.listing")), told.status  # fmt: skip


@bp.post("/rounds")
def begin_round() -> ResponseReturnValue:
    """全面复核 of a unit: all its benefits, whatever their class."""
    with bureau().office.act(me(), idem()) as act:
        told = reviews.begin_round(act, request.form.get("unit", "")[:20])
    flash(_("The round has begun: %(n)s benefits. Their reviews open one after the other.", n=told["benefits"]))
    return redirect(url_for("reviews.listing", state="under_way"))
