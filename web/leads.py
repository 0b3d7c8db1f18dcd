"""基层主动发现: leads of one's area, giving one, verifying it, and linking the application that followed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from engine.errors import Refused
from engine.forms import Form, from_html, understand
from engine.office import Act
from processes import leads, organisation, readers
from processes.lead_forms import LeadIn, LeadLinked, LeadVerified, LeadWithdrawn
from web import uploads, wording
from web.cases import opens
from web.desk import bureau, idem, lang, me, whole
from web.households import Told
from web.tasks import _papers, device

bp = Blueprint("leads", __name__, url_prefix="/leads")


@bp.get("/")
def listing() -> ResponseReturnValue:
    """Those of one's area, or one's own."""
    made, asked = bureau(), request.args
    args = {name: asked[name] for name in ("state", "counted") if asked.get(name)}
    with made.office.read() as conn:
        found = leads.listed(conn, me(), state=args.get("state") if args.get("state") in leads.STATES else None, counted=True if "counted" in args else None,
                             page=whole(asked.get("page"), 1, 10_000))  # fmt: skip
        rows = leads.told(made.office.keys.on(conn), found.items, me(), made.office.today())
        places = {row["community"]: organisation.unit_name(conn, row["community"]) for row in rows}
        people = wording.names_of(conn, [row["finder_login"] for row in rows])
    return render_template("leads.html", found=found, rows=rows, args=args, places=places, people=people, states=leads.STATES, gives=leads.gives(me()))


@bp.get("/<int:lead_id>")
def show(lead_id: int) -> ResponseReturnValue:
    made = bureau()
    with made.office.read() as conn:
        row = leads.seen(conn, me(), lead_id)
        one = leads.told(made.office.keys.on(conn), [row], me(), made.office.today())[0]
        place = organisation.unit_name(conn, one["community"])
        people = wording.names_of(conn, [one[name] for name in ("finder_login", "recorded_by", "verified_by", "linked_by", "helper", "closed_by")])
    follows = bool(one["discovery_no"]) and opens(one["discovery_no"])
    return render_template("lead.html", lead=one, place=place, people=people, reads=readers.of_cases(me()).covers(one["community"]), follows=follows)


@bp.get("/of/<no>")
def of_case(no: str) -> ResponseReturnValue:
    """The lead whose case has that number."""
    with bureau().office.read() as conn:
        return redirect(url_for("leads.show", lead_id=leads.of_case(conn, me(), no)))


@bp.route("/new", methods=["GET", "POST"])
def new() -> ResponseReturnValue:
    """线索登记; `?household=`: of a household that is registered."""
    if not leads.gives(me()):
        raise Refused("lead-giver", "线索由本辖区的基层人员或街镇人员登记", "Leads are entered by the grass roots and the street of the area")
    made = bureau()
    with made.office.read() as conn:
        communities = [u for u in organisation.units(conn, me().areas, "community") if me().post_over(u["code"], leads.RECORDERS)]
    values = {"found_on": made.office.today().isoformat(), "household_id": request.args.get("household", "")[:18]}
    return _form(LeadIn, _("Give a lead"), url_for("leads.listing"), lambda act, said: leads.report(made.cases, act, said, lang=lang()), values, communities)


@bp.route("/<int:lead_id>/verification", methods=["GET", "POST"])
def verify(lead_id: int) -> ResponseReturnValue:
    made = bureau()
    with made.office.read() as conn:
        row = leads.seen(conn, me(), lead_id)
        helpers = [one for role in sorted(leads.HELPERS) for one in organisation.colleagues(conn, role, row["community"])]
    return filled(LeadVerified, _("Verify the lead"), url_for("leads.show", lead_id=lead_id), lambda act, said: leads.verify(made.cases, act, lead_id, said, lang=lang()), {},
                  lambda done: url_for("leads.show", lead_id=done["lead"]), colleagues=helpers)  # fmt: skip


@bp.route("/<int:lead_id>/application", methods=["GET", "POST"])
def link(lead_id: int) -> ResponseReturnValue:
    _seen(lead_id)
    return _form(LeadLinked, _("Link the application"), url_for("leads.show", lead_id=lead_id), lambda act, said: leads.link(bureau().cases, act, lead_id, said["case_no"]), {})


@bp.route("/<int:lead_id>/withdrawal", methods=["GET", "POST"])
def withdraw(lead_id: int) -> ResponseReturnValue:
    _seen(lead_id)
    return _form(LeadWithdrawn, _("Withdraw the lead"), url_for("leads.show", lead_id=lead_id), lambda act, said: leads.withdraw(bureau().cases, act, lead_id, said["reason"]), {})


def _seen(lead_id: int) -> None:
    with bureau().office.read() as conn:
        leads.seen(conn, me(), lead_id)


def _form(form_class: type[Form], title: str, back: str, work: Callable[[Act, Any], dict[str, Any]], values: dict[str, Any], communities: Any = ()) -> ResponseReturnValue:
    return filled(form_class, title, back, work, values, lambda done: url_for("leads.show", lead_id=done["lead"]), communities)


def filled(form_class: type[Form], title: str, back: str, work: Callable[[Act, Any], dict[str, Any]], values: dict[str, Any], then: Callable[[dict[str, Any]], str],
           communities: Any = (), fixed: Mapping[str, Any] | None = None, household_id: int | None = None, offline: str = "", members: Any = (), colleagues: Any = (),
           offered: Mapping[str, Sequence[tuple[str, str]]] | None = None) -> ResponseReturnValue:  # fmt: skip
    """A form, and when it is sent, the act; then the page that `then` names. `household_id`: whose papers it names; files sent with it become such.
    `offline`: under which name a device without a network keeps it. `offered`: what may be chosen in a field of text, (value, in words)."""
    made, told = bureau(), Told()
    form = form_class(context={"today": made.office.today(), "actor": me(), "lang": lang(), "facts": {}})
    typed = from_html(form_class, request.form) if request.method == "POST" else values
    if request.form.getlist("units__pick"):  # ticked beside what is typed
        typed = {**typed, "units": ",".join([*filter(None, [typed.get("units")]), *request.form.getlist("units__pick")])}
    if request.method == "POST" and request.form.get("_do") != "row":
        with told:
            if household_id is not None:
                uploads.keep(form_class, typed, household_id, None)
            said = understand(form, typed)
            with made.office.act(me(), idem()) as act:
                done = work(act, said)
            return redirect(then(done))
    papers: Any = []
    if household_id is not None:
        with made.office.read() as conn:
            papers = _papers(conn, household_id)
    return render_template("form_page.html", title=title, form=form, values=typed, errors=told.errors, trouble=told.trouble, papers=papers, colleagues=colleagues,
                           communities=communities, fixed=fixed, members=members, offered=offered or {}, offline=offline, device=device() if offline else "", back=back, extra=whole(request.form.get("_rows"), 0, 50) if request.form.get("_do") == "row" else 0), told.status  # fmt: skip
