"""API: 供养服务机构安全检查 — facilities, inspections, hazards, and how far the campaign's rule is kept."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask_smorest import Blueprint
from marshmallow import fields

from engine.errors import Invalid, NotFound
from engine.forms import Whole
from processes import facilities, readers
from processes.facility_forms import FacilityChanged, FacilityClosed, FacilityIn, HazardVerified, InspectionIn
from web.api import schemas
from web.api.desk import me, once
from web.api.leads import plain
from web.api.operation import operation
from web.desk import bureau

blp = Blueprint("api_facilities", __name__, url_prefix="/api/v1", description="供养服务机构安全检查 (M16)")
_s, _n = schemas.said_text, schemas.said_number
_FACILITY = {"name": "古林街敬老院", "organisation": "古林街道办事处", "unit": "120116011", "kind": "public", "capacity": 40, "residents": 28}
_SHEET = {"inspected_on": "2019-01-16", "inspectors": "spot2", "items": [
    {"group": "electricity", "item": "线路老化", "result": "fail", "level": "major", "measure": "更换线路", "responsible": "院长", "due_on": "2019-01-25"},
    {"group": "heating", "item": "暖气管道", "result": "pass"}, {"group": "fire", "item": "疏散通道", "result": "fail", "level": "minor", "fixed_on_spot": True},
    {"group": "food", "item": "食品留样", "result": "pass"}]}  # fmt: skip


def _yes(about: str = "") -> fields.Boolean:
    return fields.Boolean(required=True, metadata={"description": about} if about else {})


class FacilityRow(schemas.Said):
    id = _n()
    unit = _s("code of the street or community")
    name = _s()
    organisation = _s("who runs it")
    kind = _s("public | private | other")
    address = _s(none=True)
    capacity = _n("beds")
    residents = _n()
    registered_by = _s()
    registered_on = _s()
    closed_on = _s(none=True)
    closed_by = _s(none=True)
    closed_why = _s(none=True)
    may = schemas.said_list(fields.String(), "what you may do now: inspect, change, close")


class Inspector(schemas.Said):
    staff = _s()
    confirmed_on = _s("by himself", none=True)


class InspectionItemRow(schemas.Said):
    id = _n()
    group = _s("electricity | heating | fire | food")
    item = _s()
    result = _s("pass | fail | n/a")
    note = _s(none=True)
    photo = _n("of GET attachments/{attachment_id}", none=True)


class HazardCheck(schemas.Said):
    checked_on = _s()
    checked_by = _s()
    outcome = _s("fixed | not_fixed")
    text = _s()
    photo = _n()


class HazardRow(schemas.Said):
    id = _n()
    inspection_id = _n()
    facility_id = _n()
    facility = _s("its name")
    unit = _s()
    group = _s("electricity | heating | fire | food")
    item = _s()
    level = _s("minor | major")
    found_on = _s()
    state = _s("open | on_spot (fixed on the spot) | verified")
    measure = _s(none=True)
    responsible = _s(none=True)
    due_on = _s(none=True)
    verified_on = _s(none=True)
    verified_by = _s(none=True)
    overdue = _yes("open past its day")
    checks = schemas.said_list(HazardCheck)
    may = schemas.said_list(fields.String(), "what you may do now: verify")


class InspectionRow(schemas.Said):
    id = _n()
    facility_id = _n()
    facility = _s("its name")
    unit = _s()
    inspected_on = _s()
    recorded_by = _s()
    recorded_on = _s()
    opinion = _s(none=True)
    state = _s("recorded | finished (every inspector has confirmed)")
    finished_on = _s(none=True)
    inspectors = schemas.said_list(Inspector)
    items = schemas.said_list(InspectionItemRow)
    hazards = schemas.said_list(HazardRow)
    may = schemas.said_list(fields.String(), "what you may do now: confirm")


class FacilityMoved(schemas.Said):
    facility = _n()


class InspectionMoved(schemas.Said):
    inspection = _n()
    state = _s("recorded | finished")


class Inspected(InspectionMoved):
    hazards = schemas.said_list(fields.Integer(), "those that it found")


class HazardMoved(schemas.Said):
    hazard = _n()
    state = _s("open | verified")


class FacilityStanding(schemas.Said):
    facility_id = _n()
    name = _s()
    unit = _s()
    inspections = _n("finished ones of the campaign")
    first_finished_on = _s(none=True)
    settled_on = _s("since when it is inspected without anything overdue, in time or not", none=True)
    hazards = _n("found by then")
    open = _n()
    overdue = _n()
    done = _yes("a finished inspection before the holiday, and nothing overdue")
    why = schemas.said_list(fields.String(), "what is lacking: not_inspected, inspected_late, overdue")


class HazardNumbers(schemas.Said):
    found = _n()
    open = _n()
    overdue = _n()
    fixed = _n("on the spot or verified")


class Obligation(schemas.Said):
    since = _s()
    before = _s("the inspection is finished before this day")
    on = _s()
    facilities = _n("in use")
    inspected = _n()
    done = _n()
    hazards = fields.Nested(HazardNumbers, required=True)
    rows = schemas.said_list(FacilityStanding)


class FacilityQuery(schemas.Paging):
    unit = schemas.text("code of a unit: it and those below it", most=20)
    closed = schemas.one_of("true", "false", about="those that closed, instead of those in use")


class HazardQuery(schemas.Paging):
    state = schemas.one_of("open", "overdue", "on_spot", "verified", about="overdue: open past its day")
    level = schemas.one_of("minor", "major")
    facility_id = Whole()
    inspection_id = Whole()
    unit = schemas.text("code of a unit: it and those below it", most=20)


class ObligationQuery(schemas.Strict):
    unit = schemas.text("code of a unit; left out: your area", most=20)
    on = schemas.text("ISO day; left out: today", most=10)


@operation(blp, "GET", "/facilities", schemas.paged(FacilityRow), asks=FacilityQuery)
def listing(asked: dict[str, Any]) -> Any:
    """Facilities of your area, by unit."""
    with bureau().office.read() as conn:
        found = facilities.listed(conn, me(), unit_code=asked.get("unit"), closed=asked.get("closed") == "true", page=asked["page"], size=asked["size"])
    return schemas.listed(facilities.told(found.items, me()), found.total, found.page, found.size)


@operation(blp, "POST", "/facilities", FacilityMoved, status=201, takes=FacilityIn, example=_FACILITY)
def register(said: dict[str, Any]) -> Any:
    """List a facility of destitute support: by the district's inspectors, or the street's civil affairs officer or leader (403 `facility`)."""
    told = once(plain(said), lambda act: facilities.register(act, said))
    return told, {"Location": f"/api/v1/facilities/{told['facility']}"}


@operation(blp, "GET", "/facilities/obligation", Obligation, asks=ObligationQuery, replies=(404,))
def obligation(asked: dict[str, Any]) -> Any:
    """The campaign's rule, as that day ended: each facility has a finished inspection before 2019-02-04, and no hazard is overdue."""
    made, reader = bureau(), readers.of_cases(me())
    unit = asked.get("unit")
    if unit and not reader.covers(unit):
        raise NotFound("没有这个机构")
    with made.office.read() as conn:
        return facilities.obligation(conn, unit or reader.areas, day(asked.get("on"), "on") or made.office.today())


def day(text: str | None, name: str) -> date | None:
    """An ISO day of a query string."""
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise Invalid({name: ["日期应如 2018-12-03"]}) from None


@operation(blp, "GET", "/facilities/<row:facility_id>", FacilityRow, replies=(404,))
def show(facility_id: int) -> Any:
    with bureau().office.read() as conn:
        return facilities.told([facilities.seen(conn, me(), facility_id)], me())[0]


@operation(blp, "POST", "/facilities/<row:facility_id>/changes", FacilityMoved, takes=FacilityChanged, example={"residents": 30}, replies=(404,))
def change(facility_id: int, said: dict[str, Any]) -> Any:
    """What is known of it changed; what is left out stays."""
    return once(plain(said), lambda act: facilities.change(act, facility_id, said))


@operation(blp, "POST", "/facilities/<row:facility_id>/closing", FacilityMoved, takes=FacilityClosed, example={"closed_on": "2019-01-31", "reason": "合并，老人转入区福利院"}, replies=(404,))
def close(facility_id: int, said: dict[str, Any]) -> Any:
    """It closed down: by the district's inspectors (403 `inspector`)."""
    return once(plain(said), lambda act: facilities.close(act, facility_id, said))


@operation(blp, "GET", "/facilities/<row:facility_id>/inspections", schemas.paged(InspectionRow), asks=schemas.Paging, replies=(404,))
def inspections(facility_id: int, asked: dict[str, Any]) -> Any:
    """Inspections of a facility, the newest first."""
    made = bureau()
    with made.office.read() as conn:
        found = facilities.listed_inspections(conn, me(), facility_id, asked["page"], asked["size"])
        items = facilities.told_inspections(conn, found.items, me(), made.office.today())
    return schemas.listed(items, found.total, found.page, found.size)


@operation(blp, "POST", "/facilities/<row:facility_id>/inspections", Inspected, status=201, takes=InspectionIn, example=_SHEET, replies=(404,))
def inspect(facility_id: int, said: dict[str, Any]) -> Any:
    """安全检查表 by an inspector of the district (403 `inspector`), with one or more others, who confirm it. All four groups are answered; what fails is a hazard at once."""
    told = once(plain(said), lambda act: facilities.inspect(act, facility_id, said))
    return told, {"Location": f"/api/v1/inspections/{told['inspection']}"}


@operation(blp, "GET", "/inspections/<row:inspection_id>", InspectionRow, replies=(404,))
def inspection(inspection_id: int) -> Any:
    """One inspection, with items and hazards."""
    made = bureau()
    with made.office.read() as conn:
        return facilities.told_inspections(conn, [facilities.seen_inspection(conn, me(), inspection_id)], me(), made.office.today())[0]


@operation(blp, "POST", "/inspections/<row:inspection_id>/confirmation", InspectionMoved, optional=True, replies=(404,))
def confirm(inspection_id: int) -> Any:
    """Another inspector confirms it himself; with the last one it is finished."""
    return once({}, lambda act: facilities.confirm(act, inspection_id))


@operation(blp, "GET", "/hazards", schemas.paged(HazardRow), asks=HazardQuery)
def hazards(asked: dict[str, Any]) -> Any:
    """Hazards of your area: the open ones by their day, then the others."""
    made = bureau()
    with made.office.read() as conn:
        found = facilities.listed_hazards(conn, me(), made.office.today(), state=asked.get("state"), level=asked.get("level"), facility_id=asked.get("facility_id"),
                                          inspection_id=asked.get("inspection_id"), unit_code=asked.get("unit"), page=asked["page"], size=asked["size"])  # fmt: skip
        items = facilities.told_hazards(conn, found.items, me(), made.office.today())
    return schemas.listed(items, found.total, found.page, found.size)


@operation(blp, "GET", "/hazards/<row:hazard_id>", HazardRow, replies=(404,))
def hazard(hazard_id: int) -> Any:
    made = bureau()
    with made.office.read() as conn:
        return facilities.told_hazards(conn, [facilities.seen_hazard(conn, me(), hazard_id)], me(), made.office.today())[0]


@operation(blp, "POST", "/hazards/<row:hazard_id>/verification", HazardMoved, takes=HazardVerified, replies=(404,),
           example={"verified_on": "2019-01-24", "outcome": "fixed", "seen": "线路已更换", "photo": 4259841})  # fmt: skip
def verify(hazard_id: int, said: dict[str, Any]) -> Any:
    """Somebody else than the responsible person (403 `responsible`) looks, with a photo (`id` of POST attachments). `not_fixed` leaves it open."""
    return once(plain(said), lambda act: facilities.verify(act, hazard_id, said))
