"""API: 排查计划 — plans of the screening, their households, and one's own visit list."""

from __future__ import annotations

from typing import Any

from flask_smorest import Blueprint
from marshmallow import fields

from engine.errors import Refused
from processes import readers, screening_plans
from processes.screening_forms import POPULATIONS, HomeAdded, HomeAssigned, HomeDropped, ScreeningPlanIn
from processes.screening_plans import Wanted
from web.api import schemas
from web.api.desk import me, once
from web.api.leads import plain
from web.api.operation import operation
from web.desk import bureau

blp = Blueprint("api_screening_plans", __name__, url_prefix="/api/v1", description="排查计划: plans per community and population, visit lists")
_s, _n = schemas.said_text, schemas.said_number
_CODES = tuple(code for code, _zh, _en in POPULATIONS)
_EXAMPLE = {"community": "120116011001", "population": "in_benefit", "from_on": "2018-11-19", "until_on": "2018-12-31", "teams": [{"first": "officer1", "second": "village1"}]}


class TeamRow(schemas.Said):
    first = _s("login")
    second = _s()


class ScreeningPlanRow(schemas.Said):
    id = _n()
    street = _s()
    community = _s()
    population = _s(" | ".join(_CODES))
    from_on = _s()
    until_on = _s()
    teams = schemas.said_list(TeamRow)
    note = _s(none=True)
    made_by = _s()
    made_on = _s()
    drawn_up_on = _s("as of when the records were last asked who belongs to the population")
    households = _n("without those taken out")
    visited = _n("of them, by a confirmed visit since the plan began")
    left = _n()
    late = _n("not visited though their day, or the plan's last day, is over")


class ScreeningPlanMade(schemas.Said):
    plan = _n()
    households = _n()
    unassigned = _n("households that no team may visit: near relatives")


class ScreeningPlanRenewed(schemas.Said):
    plan = _n()
    added = _n()
    unassigned = _n()


class ScreeningPlanHomeMoved(schemas.Said):
    home = _n()
    plan = _n()


class ScreeningPlanHome(schemas.Said):
    id = _n()
    plan_id = _n()
    household_id = _n()
    household_no = _s()
    community = _s()
    population = _s()
    applicant = _s("masked, unless `full`")
    id_no = _s("masked")
    members = _n()
    address = _s("with `full`", none=True)
    phone = _s("with `full`", none=True)
    by_hand = fields.Boolean(required=True)
    reason = _s("why by hand", none=True)
    first = _s("login of the first visitor", none=True)
    second = _s(none=True)
    visit_on = _s(none=True)
    state = _s("left | visited | dropped")
    dropped_on = _s(none=True)
    dropped_why = _s(none=True)
    may = schemas.said_list(fields.String(), "what you may do now: visit, assign, drop")


class ScreeningPlanQuery(schemas.Paging):
    population = schemas.one_of(*_CODES)
    unit = schemas.text("code of a unit: it and those below it", most=20)


class HomesQuery(schemas.Paging):
    list = schemas.one_of(*screening_plans.LISTS, about="today: planned up to today and not visited yet")
    full = schemas.one_of("true", "false", about="names, addresses and telephones, for who visits or works there; noted in your reading log")


@operation(blp, "GET", "/screening-plans", schemas.paged(ScreeningPlanRow), asks=ScreeningPlanQuery)
def listing(asked: dict[str, Any]) -> Any:
    """Plans of your area, and those where you visit."""
    made = bureau()
    with made.office.read() as conn:
        found = screening_plans.listed(conn, me(), unit_code=asked.get("unit"), kind=asked.get("population"), page=asked["page"], size=asked["size"])
        items = screening_plans.told(conn, found.items, made.office.today())
    return schemas.listed(items, found.total, found.page, found.size)


@operation(blp, "POST", "/screening-plans", ScreeningPlanMade, status=201, takes=ScreeningPlanIn, example=_EXAMPLE)
def make(said: dict[str, Any]) -> Any:
    """A plan for one population of a community: its households as the records show them today, shared out among the teams and over the working days. 403 `planner`;
    409 when there is one for the time."""
    told = once(plain(said), lambda act: screening_plans.make(act, said))
    return told, {"Location": f"/api/v1/screening-plans/{told['plan']}"}


@operation(blp, "GET", "/screening-plans/<row:plan_id>", ScreeningPlanRow, replies=(404,))
def show(plan_id: int) -> Any:
    """One plan and how far it is."""
    made = bureau()
    with made.office.read() as conn:
        return screening_plans.told(conn, [screening_plans.seen(conn, me(), plan_id)], made.office.today())[0]


@operation(blp, "GET", "/screening-plans/<row:plan_id>/households", schemas.paged(ScreeningPlanHome), asks=HomesQuery, replies=(403, 404))
def homes(plan_id: int, asked: dict[str, Any]) -> Any:
    """The households of a plan by the day of the visit; 403 `visit-list-full` for `full` where you neither visit nor work cases."""
    with bureau().office.read() as conn:
        screening_plans.seen(conn, me(), plan_id)
    return visit_list(Wanted(plan_id=plan_id, login=None if readers.of_cases(me()).areas else me().id, which=asked.get("list")), asked)


@operation(blp, "GET", "/screening-visits", schemas.paged(ScreeningPlanHome), asks=HomesQuery, replies=(403,))
def mine(asked: dict[str, Any]) -> Any:
    """Your own visit list over all plans: `list=today` for today, `left` for whom you have not visited yet."""
    return visit_list(Wanted(login=me().id, which=asked.get("list")), asked)


def visit_list(wanted: Wanted, asked: dict[str, Any]) -> Any:
    made, full = bureau(), asked.get("full") == "true"
    with made.office.read() as conn:
        found = screening_plans.homes(conn, wanted, made.office.today(), asked["page"], asked["size"])
        if full and not screening_plans.may_full(me(), found.items):
            raise Refused("visit-list-full", "您的岗位只能查看隐去个人信息的走访名单", "Your post may have this list masked only")
        items = screening_plans.homes_told(conn, made.office.keys.on(conn), found.items, me(), full=full)
    if full and found.items:
        with made.office.act(me()) as act:
            screening_plans.note(act, found.items)
    return schemas.listed(items, found.total, found.page, found.size)


@operation(blp, "POST", "/screening-plans/<row:plan_id>/renewal", ScreeningPlanRenewed, optional=True, replies=(404,))
def renew(plan_id: int) -> Any:
    """Ask the records again: who belongs to the population by now is added."""
    return once({}, lambda act: screening_plans.renew(act, plan_id))


@operation(blp, "POST", "/screening-plans/<row:plan_id>/households", ScreeningPlanHomeMoved, status=201, takes=HomeAdded, example={"household_id": 7, "reason": "居委会反映长期卧床"}, replies=(404,))
def add(plan_id: int, said: dict[str, Any]) -> Any:
    """A household of the community that the records do not show, with the reason."""
    return once(plain(said), lambda act: screening_plans.add(act, plan_id, said))


@operation(blp, "POST", "/screening-plan-households/<row:home_id>/assignment", ScreeningPlanHomeMoved, takes=HomeAssigned, example={"first": "officer1", "second": "village1", "visit_on": "2018-12-03"}, replies=(404,))
def assign(home_id: int, said: dict[str, Any]) -> Any:
    """Who visits it, and when. 422 for one visitor, a near relative, a day outside the plan."""
    return once(plain(said), lambda act: screening_plans.assign(act, home_id, said))


@operation(blp, "POST", "/screening-plan-households/<row:home_id>/removal", ScreeningPlanHomeMoved, takes=HomeDropped, example={"reason": "已迁出本区"}, replies=(404,))
def drop(home_id: int, said: dict[str, Any]) -> Any:
    """It is not visited after all. Coverage does not go by plans: a household in benefit stays missing there."""
    return once(plain(said), lambda act: screening_plans.drop(act, home_id, said))
