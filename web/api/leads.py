"""API: 基层主动发现 — leads, their verification, and the application that followed."""

from __future__ import annotations

import json
from typing import Any

from flask_smorest import Blueprint
from marshmallow import fields

from processes import leads
from processes.lead_forms import LeadIn, LeadLinked, LeadVerified, LeadWithdrawn
from web.api import schemas
from web.api.desk import me, once, spoken
from web.api.operation import operation
from web.desk import bureau

blp = Blueprint("api_leads", __name__, url_prefix="/api/v1", description="基层主动发现: leads of people in hardship")
_s, _n = schemas.said_text, schemas.said_number
_EXAMPLE = {"community": "120116011001", "known_as": "三号楼独居老人，约 80 岁", "hardship": "old_age", "reason": "无子女，无收入", "found_on": "2018-12-03", "found_by": "grid_worker"}


class LeadRow(schemas.Said):
    id = _n()
    street = _s()
    community = _s()
    household_id = _n("null: nobody registered", none=True)
    known_as = _s("who it is, where no household is registered", none=True)
    hardship = _s("low_income | illness | disability | old_age | orphan | job_loss | accident | other")
    reason = _s("null: erased", none=True)
    found_on = _s("as the giver says; nothing is counted by it")
    found_by = _s("the giver's role")
    finder_login = _s(none=True)
    finder = _s("name or office of a giver without an account", none=True)
    recorded_by = _s()
    recorded_on = _s("the day of the entry: by its moment the lead is older than the application, or not")
    state = _s("reported | verified | closed | applied")
    outcome = _s("help_apply | no_need | referral | in_aid | declined | duplicate | withdrawn", none=True)
    verified_by = _s(none=True)
    verified_on = _s(none=True)
    note = _s(none=True)
    referred_to = _s(none=True)
    case_no = _s(none=True)
    applied_on = _s(none=True)
    linked_by = _s(none=True)
    linked_on = _s(none=True)
    counts = fields.Boolean(required=True, allow_none=True, metadata={"description": "as 基层主动发现; null while nothing is applied for"})
    why_not = _s("not_grassroots | not_older", none=True)
    may = schemas.said_list(fields.String(), "what you may do now: verify, link")
    discovery_no = _s("its case, of process discovery; null: given before leads had one", none=True)
    helper = _s("who of the committee is named to help", none=True)
    duplicate_of = _n("the lead given before", none=True)
    help_note = _s("what became of the help, or why it was withdrawn", none=True)
    closed_on = _s("ended after the verification without an application, or withdrawn", none=True)
    closed_by = _s(none=True)
    due_on = _s("last day of the open task; null: nothing is open", none=True)
    late = fields.Boolean(required=True, metadata={"description": "the open task's last day is over"})
    withdrawable = fields.Boolean(required=True, metadata={"description": "you gave or entered it, and nothing was applied for"})


class LeadMoved(schemas.Said):
    lead = _n()
    state = _s()


class LeadApplied(LeadMoved):
    case = _s()
    counts = fields.Boolean(required=True)
    why_not = _s("not_grassroots | not_older", none=True)


class LeadQuery(schemas.Paging):
    state = schemas.one_of(*leads.STATES)
    counted = schemas.one_of("true", "false", about="only those that count as 基层主动发现, or only the others")
    case_no = schemas.text("the application that followed", most=40)
    unit = schemas.text("code of a unit: it and those below it", most=20)


@operation(blp, "GET", "/leads", schemas.paged(LeadRow), asks=LeadQuery)
def listing(asked: dict[str, Any]) -> Any:
    """Leads of your area, or those that you gave or entered: what waits for verification first."""
    made, counted = bureau(), asked.get("counted")
    with made.office.read() as conn:
        found = leads.listed(conn, me(), state=asked.get("state"), counted=None if counted is None else counted == "true", case_no=asked.get("case_no"),
                             unit_code=asked.get("unit"), page=asked["page"], size=asked["size"])  # fmt: skip
        items = leads.told(made.office.keys.on(conn), found.items, me(), made.office.today())
    return schemas.listed(items, found.total, found.page, found.size)


@operation(blp, "POST", "/leads", LeadMoved, status=201, takes=LeadIn, example=_EXAMPLE, replies=(404,))
def write(said: dict[str, Any]) -> Any:
    """A lead about a registered household, or about somebody who is not registered. Who has a post of a grid worker, committee member, civil
    affairs officer or volunteer gives it in his own name; for another one `finder_login` names him."""
    told = once(plain(said), lambda act: leads.report(bureau().cases, act, said, lang=spoken()))
    return told, {"Location": f"/api/v1/leads/{told['lead']}"}


def plain(said: dict[str, Any]) -> Any:
    """What was sent, as JSON: what the idempotency key covers."""
    return json.loads(json.dumps(said, default=str))


@operation(blp, "GET", "/leads/<row:lead_id>", LeadRow, replies=(404,))
def show(lead_id: int) -> Any:
    """One lead. `may`: what you may do with it now."""
    made = bureau()
    with made.office.read() as conn:
        return leads.told(made.office.keys.on(conn), [leads.seen(conn, me(), lead_id)], me(), made.office.today())[0]


@operation(blp, "POST", "/leads/<row:lead_id>/verification", LeadMoved, takes=LeadVerified, example={"outcome": "help_apply", "note": "入户核实，属实"}, replies=(404,))
def verify(lead_id: int, said: dict[str, Any]) -> Any:
    """Somebody else than the giver looks into it: he is helped to apply, needs nothing, is in assistance, wants no help, is referred, or was reported
    before. Does the task `verify_lead` of the lead's case where it is yours; else the case is told so."""
    return once(said, lambda act: leads.verify(bureau().cases, act, lead_id, said, lang=spoken()))


@operation(blp, "POST", "/leads/<row:lead_id>/application", LeadApplied, takes=LeadLinked, example={"case_no": "DB-2018-000123"}, replies=(404,))
def link(lead_id: int, said: dict[str, Any]) -> Any:
    """The application that followed. It counts as 基层主动发现 when the giver is of the grass roots and the lead is older than the application."""
    return once(said, lambda act: leads.link(bureau().cases, act, lead_id, said["case_no"]))


@operation(blp, "POST", "/leads/<row:lead_id>/withdrawal", LeadMoved, takes=LeadWithdrawn, example={"reason": "登记有误"}, replies=(404,))
def withdraw(lead_id: int, said: dict[str, Any]) -> Any:
    """Its giver, or who entered it, takes it back while nothing was applied for."""
    return once(said, lambda act: leads.withdraw(bureau().cases, act, lead_id, said["reason"]))
