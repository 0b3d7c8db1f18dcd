"""供养服务机构安全检查: facilities and how far the campaign's rule is kept, inspections, hazards, and the two printed sheets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from engine.errors import Refused
from engine.forms import Form, from_html
from processes import facilities, organisation, readers
from processes.facility_forms import (
    GROUPS,
    LEVELS,
    SUGGESTED,
    FacilityChanged,
    FacilityClosed,
    FacilityIn,
    HazardVerified,
    InspectionIn,
)
from web import attachments, wording
from web.desk import bureau, idem, me, whole
from web.leads import filled

bp = Blueprint("facilities", __name__, url_prefix="/facilities")
_HAZARD_STATES = ("open", "overdue", "on_spot", "verified")


def waiting_for_me() -> int:
    """How many inspections wait for who is signed in to confirm them."""
    with bureau().office.read() as conn:
        return facilities.waiting(conn, me())


def inspects() -> bool:
    return me().post_over(organisation.DISTRICT, facilities.INSPECTORS) is not None


def _registers() -> bool:
    return inspects() or not me().roles.isdisjoint(facilities.STREET)


@bp.get("/")
def listing() -> ResponseReturnValue:
    """Facilities with the campaign's rule; `?closed=1`: those that closed."""
    made, asked = bureau(), request.args
    args = {"closed": "1"} if asked.get("closed") else {}
    with made.office.read() as conn:
        found = facilities.listed(conn, me(), closed=bool(args), page=whole(asked.get("page"), 1, 10_000))
        rule = facilities.obligation(conn, readers.of_cases(me()).areas, made.office.today())
        places = {row["unit"]: organisation.unit_name(conn, row["unit"]) for row in found.items}
    return render_template("facilities.html", found=found, args=args, rule=rule, standing={row["facility_id"]: row for row in rule["rows"]}, places=places, registers=_registers())


@bp.route("/new", methods=["GET", "POST"])
def new() -> ResponseReturnValue:
    if not _registers():
        raise Refused("facility", "供养服务机构由区民政局检查人员或所在街镇的民政专干、分管领导登记", "Facilities are listed by the district's inspectors or the street's civil affairs officer or leader")
    return filled(FacilityIn, _("List a facility"), url_for("facilities.listing"), facilities.register, {}, lambda done: url_for("facilities.show", facility_id=done["facility"]),
                  attachments.units_of(facilities.INSPECTORS | facilities.STREET, "street", "community"))  # fmt: skip


@bp.get("/<int:facility_id>")
def show(facility_id: int) -> ResponseReturnValue:
    made = bureau()
    with made.office.read() as conn:
        row, today = facilities.seen(conn, me(), facility_id), made.office.today()
        one = facilities.told([row], me())[0]
        inspected = facilities.listed_inspections(conn, me(), facility_id, whole(request.args.get("page"), 1, 10_000))
        visits = facilities.told_inspections(conn, inspected.items, me(), today)
        hazards = facilities.told_hazards(conn, facilities.listed_hazards(conn, me(), today, facility_id=facility_id, size=200).items, me(), today)
        standing = next((line for line in facilities.obligation(conn, row["unit"], today)["rows"] if line["facility_id"] == facility_id), None)
        place = organisation.unit_name(conn, row["unit"])
        people = wording.names_of(conn, [one["registered_by"], one["closed_by"], *(i["staff"] for v in visits for i in v["inspectors"]), *(h["verified_by"] for h in hazards), *(h["responsible"] for h in hazards)])
    return render_template("facility.html", one=one, inspected=inspected, visits=visits, hazards=hazards, standing=standing, place=place, people=people)


@bp.route("/<int:facility_id>/changes", methods=["GET", "POST"])
def change(facility_id: int) -> ResponseReturnValue:
    row, back = _seen(facility_id), url_for("facilities.show", facility_id=facility_id)
    values = {name: row[name] for name in ("name", "organisation", "address", "capacity", "residents") if row[name] is not None}
    return filled(FacilityChanged, _("Change what is known of it"), back, lambda act, said: facilities.change(act, facility_id, said), values, lambda _done: back)


@bp.route("/<int:facility_id>/closing", methods=["GET", "POST"])
def close(facility_id: int) -> ResponseReturnValue:
    _seen(facility_id)
    back = url_for("facilities.show", facility_id=facility_id)
    return filled(FacilityClosed, _("It closed down"), back, lambda act, said: facilities.close(act, facility_id, said), {"closed_on": bureau().office.today().isoformat()}, lambda _done: back)


def _seen(facility_id: int) -> Mapping[Any, Any]:
    with bureau().office.read() as conn:
        return facilities.seen(conn, me(), facility_id)


@bp.route("/<int:facility_id>/inspections/new", methods=["GET", "POST"])
def inspect(facility_id: int) -> ResponseReturnValue:
    """安全检查表: begins with the usual items of each group."""
    row = _seen(facility_id)
    if not inspects():
        raise Refused("inspector", "由区民政局的检查人员（抽查人、审查人、监督主管）办理", "By the district's inspectors: spot checkers, examiners and supervisors")
    values = {"inspected_on": bureau().office.today().isoformat(), "items": [{"group": group, "item": item} for group, item in SUGGESTED]}
    return attachments.filled("facility_inspect.html", InspectionIn, _("Safety inspection"), row["unit"], url_for("facilities.show", facility_id=facility_id),
                              lambda act, said: facilities.inspect(act, facility_id, said), values, lambda done: url_for("facilities.inspection", inspection_id=done["inspection"]),
                              read=_without_hints, facility=row)  # fmt: skip


def _without_hints(form_class: type[Form], sent: Any) -> dict[str, Any]:
    """What was typed; a row of the sheet that begins with a suggested item and was given no result is one that nobody looked at."""
    typed = from_html(form_class, sent)
    if isinstance(typed.get("items"), list):
        typed["items"] = [one for one in typed["items"] if set(one) - {"group", "item"} or (one.get("group"), one.get("item")) not in SUGGESTED]
    return typed


@bp.get("/inspections/<int:inspection_id>")
def inspection(inspection_id: int) -> ResponseReturnValue:
    return render_template("facility_inspection.html", **_inspection(inspection_id))


@bp.get("/inspections/<int:inspection_id>/sheet")
def sheet(inspection_id: int) -> ResponseReturnValue:
    """安全检查表 for the paper file."""
    return render_template("facility_sheet.html", **_inspection(inspection_id))


@bp.get("/inspections/<int:inspection_id>/order")
def order(inspection_id: int) -> ResponseReturnValue:
    """整改单 for the facility."""
    return render_template("facility_order.html", **_inspection(inspection_id))


def _inspection(inspection_id: int) -> dict[str, Any]:
    made = bureau()
    with made.office.read() as conn:
        row = facilities.seen_inspection(conn, me(), inspection_id)
        one = facilities.told_inspections(conn, [row], me(), made.office.today())[0]
        people = wording.names_of(conn, [*(i["staff"] for i in one["inspectors"]), *(c["checked_by"] for h in one["hazards"] for c in h["checks"]), *(h["responsible"] for h in one["hazards"])])
        place = organisation.unit_name(conn, row["unit"])
    return {"one": one, "people": people, "place": place, "groups": [code for code, _zh, _en in GROUPS], "reads": readers.of_cases(me()).covers(row["unit"])}


@bp.post("/inspections/<int:inspection_id>/confirmation")
def confirm(inspection_id: int) -> ResponseReturnValue:
    with bureau().office.act(me(), idem()) as act:
        facilities.confirm(act, inspection_id)
    flash(_("The inspection is confirmed."))
    return redirect(url_for("facilities.inspection", inspection_id=inspection_id))


@bp.get("/hazards")
def hazards() -> ResponseReturnValue:
    """Hazards of one's area: open, overdue, by level."""
    made, asked = bureau(), request.args
    args = {name: asked[name] for name, known in (("state", _HAZARD_STATES), ("level", tuple(code for code, _zh, _en in LEVELS))) if asked.get(name) in known}
    with made.office.read() as conn:
        found = facilities.listed_hazards(conn, me(), made.office.today(), state=args.get("state"), level=args.get("level"), page=whole(asked.get("page"), 1, 10_000))
        rows = facilities.told_hazards(conn, found.items, me(), made.office.today())
        places = {row["unit"]: organisation.unit_name(conn, row["unit"]) for row in rows}
        people = wording.names_of(conn, [row["responsible"] for row in rows])
    return render_template("facility_hazards.html", found=found, rows=rows, args=args, places=places, people=people, states=_HAZARD_STATES, levels=[code for code, _zh, _en in LEVELS])


@bp.route("/hazards/<int:hazard_id>/verification", methods=["GET", "POST"])
def verify(hazard_id: int) -> ResponseReturnValue:
    with bureau().office.read() as conn:
        row = facilities.seen_hazard(conn, me(), hazard_id)
    back = url_for("facilities.inspection", inspection_id=row["inspection_id"])
    return attachments.filled("form_page.html", HazardVerified, _("Verify that it is fixed"), row["unit"], back, lambda act, said: facilities.verify(act, hazard_id, said),
                              {"verified_on": bureau().office.today().isoformat()}, lambda _done: back)  # fmt: skip
