"""临时救助: what was granted, with the proof of each payment; and the page on which a request of somebody not registered is entered."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from engine.errors import Refused
from engine.forms import from_html
from processes import organisation, readers, temporary, temporary_assistance, temporary_grants
from processes.temporary_forms import HelpRequest
from processes.temporary_grants import STATES, Filter
from web import wording
from web.desk import bureau, idem, lang, me, whole
from web.households import Told

bp = Blueprint("temporary", __name__, url_prefix="/temporary-assistance")

_KINDS = tuple(code for code, _zh, _en in temporary.KINDS)


@bp.get("/")
def listing() -> ResponseReturnValue:
    """Forms of help of the reader's area, with sums per year."""
    made, asked = bureau(), request.args
    args = {name: asked[name] for name in ("year", "kind", "state", "unnamed", "unregistered") if asked.get(name)}
    wanted = Filter(year=whole(args["year"], 0, 2200) or None if "year" in args else None, kind=args.get("kind") if args.get("kind") in _KINDS else None,
                    state=args.get("state") if args.get("state") in STATES else None, unnamed="unnamed" in args, unregistered="unregistered" in args)  # fmt: skip
    area = readers.of_cases(me()).areas
    with made.office.read() as conn:
        found = temporary_grants.search(conn, made.office.keys.on(conn), area, wanted, page=whole(asked.get("page"), 1, 10_000))
        shown = {"found": found, "years": temporary_grants.totals(conn, area, Filter()), "args": args, "people": wording.names_of(conn, [one["paid_by"] for one in found.items]),
                 "places": {one["community"]: organisation.unit_name(conn, one["community"]) for one in found.items}}  # fmt: skip
    return render_template("temporary.html", kinds=_KINDS, states=STATES, starts=begins(), **shown)


def begins() -> bool:
    """Whether the reader enters requests somewhere."""
    return not me().roles.isdisjoint(temporary_assistance.STARTERS)


@bp.route("/new", methods=["GET", "POST"])
def new() -> ResponseReturnValue:
    """求助登记 of somebody who is not registered, or a lead: before there is a household, there are no papers."""
    if not begins():
        raise Refused("starter", "您的岗位不能发起这项业务", "Your post may not start this")
    made, typed, told = bureau(), from_html(HelpRequest, request.form), Told()
    if request.method == "POST":
        with told, made.office.act(me(), idem()) as act:
            no = made.cases.start(act, temporary_assistance.KEY, typed, lang=lang())["case"]
        if told.status == 200:
            return redirect(url_for("cases.show", no=no) if readers.of_cases(me()).areas else url_for("tasks.listing"))
    form = HelpRequest(context={"today": made.office.today(), "actor": me(), "lang": lang(), "facts": {}})
    with made.office.read() as conn:
        communities = [u for u in organisation.units(conn, me().areas, "community") if me().post_over(u["code"], temporary_assistance.STARTERS)]
    values = typed or {"applied_on": made.office.today().isoformat()}
    return render_template("form_page.html", title=_("Enter a request for temporary assistance"), form=form, values=values, errors=told.errors, trouble=told.trouble,
                           papers=[], colleagues=[], communities=communities, back=url_for("temporary.listing")), told.status  # fmt: skip
