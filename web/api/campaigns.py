"""API: 专项行动, the campaign's frame: stages, units, plans, shortfalls, duties, obligations and how they stand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask_smorest import Blueprint
from marshmallow import fields

from engine.errors import NotFound
from processes import campaign_forms as forms
from processes import campaign_obligations, campaigns
from web.api import schemas
from web.api.desk import me, once
from web.api.operation import operation
from web.api.schemas import said_list, said_number, said_text
from web.desk import bureau

blp = Blueprint("api_campaigns", __name__, url_prefix="/api/v1", description="专项行动 (百日会战): kept by the district's supervisors; each unit enters its own part")
LEVELS = "district | street | community"


class CampaignQuery(schemas.Paging):
    phase = schemas.one_of(*campaigns.PHASES)


class CampaignPartQuery(schemas.Strict):
    unit = schemas.text("code of a unit that takes part and that you cover; all of yours when left out", most=20, example="120116011")


class CampaignShortfallQuery(CampaignPartQuery):
    state = schemas.one_of(*campaigns.SHORTFALL_STATES)


class CampaignProofQuery(CampaignPartQuery):
    state = schemas.one_of(*campaigns.PROOF_STATES)


class CampaignStandingQuery(CampaignPartQuery):
    state = schemas.one_of(*campaign_obligations.STATES)


class CampaignMoved(schemas.Said):
    campaign = said_number("the campaign")
    id = said_number("what was made or changed")


class CampaignRow(schemas.Said):
    id = said_number()
    unit = said_text()
    name = said_text()
    paper = said_text()
    start_on = said_text()
    end_on = said_text()
    goals = said_text()
    report_weeks = said_number("a progress report every so many weeks")
    report_weekday = said_number("1 Monday .. 7 Sunday")
    report_time = said_text("HH:MM")
    state = said_text("open | closed | withdrawn")
    closed_on = said_text(none=True)
    closed_why = said_text(none=True)
    made_by = said_text()
    made_on = said_text()
    phase = said_text(" | ".join(campaigns.PHASES))
    days = said_number("from the first to the last, both included: 102 of 2018-11-19 .. 2019-02-28")
    day = said_number("of these, today; null when it does not run", none=True)
    days_left = said_number("after today", none=True)
    workdays_left = said_number("after today", none=True)


class CampaignStage(schemas.Said):
    id = said_number()
    name = said_text()
    start_on = said_text()
    end_on = said_text()
    goals = said_text()
    current = fields.Boolean(required=True)


class CampaignDuty(schemas.Said):
    id = said_number()
    level = said_text(LEVELS)
    duty = said_text()


class CampaignObligation(schemas.Said):
    id = said_number()
    level = said_text(LEVELS)
    kind = said_text(" | ".join((*campaign_obligations.KINDS, campaign_obligations.OTHER)))
    title = said_text()
    due_on = said_text("null: no day is set, or it follows from the interval of reports", none=True)
    proof = said_text("what shows that it is met")
    facts = fields.Boolean(required=True, metadata={"description": "the records show whether it is met; false: proofs are entered"})


class CampaignEquipment(schemas.Said):
    name = said_text()
    count = said_number()


class CampaignPart(schemas.Said):
    id = said_number()
    unit = said_text()
    unit_name = said_text()
    level = said_text(LEVELS)
    leader = said_text("null: not entered yet", none=True)
    deputy = said_text(none=True)
    contact = said_text(none=True)
    staff_full = said_number(none=True)
    staff_part = said_number(none=True)
    office = fields.Boolean(required=True, allow_none=True)
    service_window = fields.Boolean(required=True, allow_none=True)
    equipment = said_list(CampaignEquipment)
    said_by = said_text(none=True)
    said_on = said_text(none=True)
    may = fields.Boolean(required=True, metadata={"description": "whether you enter it"})


class Campaign(CampaignRow):
    stages = said_list(CampaignStage)
    duties = said_list(CampaignDuty, "the matrix of three levels")
    obligations = said_list(CampaignObligation)
    units = said_list(fields.String(), "those that take part, of your area")
    may = said_list(fields.String(), "keep: you are supervisor of the district")


class CampaignPlan(schemas.Said):
    id = said_number()
    stage = said_number()
    unit = said_text()
    plan = said_text()
    said_by = said_text()
    said_on = said_text()


class CampaignShortfall(schemas.Said):
    id = said_number()
    unit = said_text()
    kind = said_text(" | ".join(code for code, _, _ in forms.SHORTFALLS))
    what = said_text()
    measure = said_text()
    responsible = said_text(none=True)
    due_on = said_text()
    state = said_text("open | remedied | verified")
    late = fields.Boolean(required=True, metadata={"description": "not remedied by its day"})
    raised_by = said_text()
    raised_on = said_text()
    remedy = said_text(none=True)
    remedied_by = said_text(none=True)
    remedied_on = said_text(none=True)
    verified_by = said_text(none=True)
    verified_on = said_text(none=True)
    returned = said_text("why it was open again", none=True)
    may = said_list(fields.String(), "remedy, verify")


class CampaignProof(schemas.Said):
    id = said_number()
    obligation = said_number()
    title = said_text()
    unit = said_text()
    done_on = said_text()
    what = said_text()
    proof = said_text()
    state = said_text("entered | confirmed | returned")
    entered_by = said_text()
    entered_on = said_text()
    judged_by = said_text(none=True)
    judged_on = said_text(none=True)
    returned = said_text(none=True)
    may = said_list(fields.String(), "judge")


class CampaignStanding(schemas.Said):
    obligation = said_number()
    kind = said_text()
    title = said_text()
    level = said_text(LEVELS)
    proof = said_text("what shows that it is met")
    unit = said_text()
    due_on = said_text(none=True)
    state = said_text("met | open | late")
    met_on = said_text(none=True)
    late = fields.Boolean(required=True, metadata={"description": "met after its day, or late now"})
    days_left = said_number("negative when it is over", none=True)
    workdays_left = said_number(none=True)
    facts = fields.Boolean(required=True)
    waiting = fields.Boolean(required=True, metadata={"description": "a proof, entered in time, waits to be confirmed"})
    zh = said_text("why")
    en = said_text("why")


class CampaignLine(schemas.Said):
    obligation = said_number()
    kind = said_text()
    title = said_text()
    level = said_text(LEVELS)
    due_on = said_text(none=True)
    met = said_number("units")
    open = said_number("units")
    late = said_number("units")
    late_units = said_list(fields.String())


class CampaignStandings(schemas.Said):
    day = said_text("today")
    items = said_list(CampaignStanding)
    obligations = said_list(CampaignLine, "the same by obligation: who is late")


def _many(row: type[schemas.Said]) -> type[schemas.Said]:
    made: type[schemas.Said] = schemas.Said.from_dict({"items": said_list(row)}, name=f"{row.__name__}List")  # type: ignore[assignment]
    return made


def _units(conn: Any, campaign_id: int, unit: str | None) -> tuple[Any, list[Any]]:
    """(campaign, units asked for). NotFound for a unit that does not take part or is not of the reader's."""
    row = campaigns.seen(conn, me(), campaign_id)
    units = campaigns.units_of(conn, row, me())
    if unit is not None:
        units = [one for one in units if one["unit"] == unit]
        if not units:
            raise NotFound("没有这个机构，或不在您的辖区")
    return row, units


def _read(campaign_id: int, unit: str | None, work: Callable[[Any, Any, list[Any]], list[Any]]) -> dict[str, Any]:
    with bureau().office.read() as conn:
        row, units = _units(conn, campaign_id, unit)
        return {"items": work(conn, row, units)}


def _acted(said: Any, work: Callable[[Any], dict[str, Any]]) -> dict[str, Any]:
    return once(said, work)


# -- the campaign


@operation(blp, "GET", "/campaigns", schemas.paged(CampaignRow), asks=CampaignQuery)
def listing(asked: dict[str, Any]) -> Any:
    """Campaigns of your district, the newest first; `phase=running` gives the one of today."""
    made, today = bureau(), bureau().office.today()
    with made.office.read() as conn:
        found = campaigns.listed(conn, me(), today, phase=asked.get("phase"), page=asked["page"], size=asked["size"])
    return schemas.listed([campaigns.told(row, today) for row in found.items], found.total, found.page, found.size)


@operation(blp, "POST", "/campaigns", CampaignMoved, status=201, takes=forms.CampaignIn,
           example={"name": "精准救助百日会战", "paper": "津民发〔2018〕59号", "start_on": "2018-11-19", "end_on": "2019-02-28", "goals": "应保尽保", "units": "120116011，120116012",
                    "stages": [{"name": "动员部署", "start_on": "2018-11-19", "end_on": "2018-11-30", "goals": "层层动员"}]})  # fmt: skip
def begin(said: dict[str, Any]) -> Any:
    """By a supervisor of the district. It begins with the duties and dated obligations of the paper. 409 for another one on these days; 422 for stages that overlap or lie outside, unknown units."""
    told = _acted(said, lambda act: campaigns.begin(act, said))
    return told, {"Location": f"/api/v1/campaigns/{told['campaign']}"}


@operation(blp, "GET", "/campaigns/<row:campaign_id>", Campaign, replies=(404,))
def show(campaign_id: int) -> Any:
    """One campaign: day n, stages, duties, obligations, units."""
    today = bureau().office.today()
    with bureau().office.read() as conn:
        row, units = _units(conn, campaign_id, None)
        return {**campaigns.told(row, today), "stages": campaigns.stages_told(conn, row, today), "duties": campaigns.duties_told(conn, row), "obligations": campaigns.obligations_told(conn, row),
                "units": [one["unit"] for one in units], "may": ["keep"] if me().post_over(row["unit"], campaigns.KEEPERS) and row["state"] == "open" else []}  # fmt: skip


@operation(blp, "POST", "/campaigns/<row:campaign_id>/amendment", CampaignMoved, takes=forms.CampaignChanged, replies=(404,),
           example={"name": "精准救助百日会战", "paper": "津民发〔2018〕59号", "start_on": "2018-11-19", "end_on": "2019-02-28", "goals": "应保尽保", "report_weeks": 1, "report_weekday": "5", "report_time": "17:00"})  # fmt: skip
def change(campaign_id: int, said: dict[str, Any]) -> Any:
    """Name, paper, days, goals, the interval of reports. 403 `outside` where a stage or an obligation would lie outside."""
    return _acted(said, lambda act: campaigns.change(act, campaign_id, said))


@operation(blp, "POST", "/campaigns/<row:campaign_id>/closure", CampaignMoved, takes=forms.CampaignClosed, replies=(404,), example={"reason": "提前完成"})
def close(campaign_id: int, said: dict[str, Any]) -> Any:
    """End it early; before its first day it is withdrawn."""
    return _acted(said, lambda act: campaigns.close(act, campaign_id, said))


@operation(blp, "POST", "/campaigns/<row:campaign_id>/units", CampaignMoved, status=201, takes=forms.UnitAdded, replies=(404,), example={"unit": "120116011"})
def add_unit(campaign_id: int, said: dict[str, Any]) -> Any:
    """One more unit that takes part: a street, a zone or a community."""
    return _acted(said, lambda act: campaigns.add_unit(act, campaign_id, said))


@operation(blp, "POST", "/campaign-units/<row:campaign_unit_id>/removal", CampaignMoved, optional=True, replies=(404,))
def drop_unit(campaign_unit_id: int) -> Any:
    """It takes no part after all."""
    return _acted({}, lambda act: campaigns.drop_unit(act, campaign_unit_id))


@operation(blp, "POST", "/campaigns/<row:campaign_id>/stages", CampaignMoved, status=201, takes=forms.StageIn, replies=(404,),
           example={"name": "全面排查", "start_on": "2018-12-01", "end_on": "2019-01-31", "goals": "逐户排查"})  # fmt: skip
def add_stage(campaign_id: int, said: dict[str, Any]) -> Any:
    """422 where it overlaps another stage or leaves the campaign."""
    return _acted(said, lambda act: campaigns.add_stage(act, campaign_id, said))


@operation(blp, "POST", "/campaign-stages/<row:stage_id>", CampaignMoved, takes=forms.StageIn, replies=(404,), example={"name": "全面排查", "start_on": "2018-12-01", "end_on": "2019-01-31", "goals": "逐户排查"})
def change_stage(stage_id: int, said: dict[str, Any]) -> Any:
    return _acted(said, lambda act: campaigns.change_stage(act, stage_id, said))


@operation(blp, "POST", "/campaign-stages/<row:stage_id>/removal", CampaignMoved, optional=True, replies=(404,))
def drop_stage(stage_id: int) -> Any:
    return _acted({}, lambda act: campaigns.drop_stage(act, stage_id))


@operation(blp, "POST", "/campaigns/<row:campaign_id>/duties", CampaignMoved, status=201, takes=forms.DutyIn, replies=(404,), example={"level": "street", "duty": "及时受理、审核救助申请"})
def add_duty(campaign_id: int, said: dict[str, Any]) -> Any:
    """One more line of the matrix."""
    return _acted(said, lambda act: campaigns.add_duty(act, campaign_id, said))


@operation(blp, "POST", "/campaign-duties/<row:duty_id>", CampaignMoved, takes=forms.DutyIn, replies=(404,), example={"level": "street", "duty": "及时受理、审核救助申请"})
def change_duty(duty_id: int, said: dict[str, Any]) -> Any:
    return _acted(said, lambda act: campaigns.change_duty(act, duty_id, said))


@operation(blp, "POST", "/campaign-duties/<row:duty_id>/removal", CampaignMoved, optional=True, replies=(404,))
def drop_duty(duty_id: int) -> Any:
    return _acted({}, lambda act: campaigns.drop_duty(act, duty_id))


@operation(blp, "POST", "/campaigns/<row:campaign_id>/obligations", CampaignMoved, status=201, takes=forms.ObligationIn, replies=(404,),
           example={"level": "street", "title": "公布投诉举报电话", "due_on": "2018-12-10", "proof": "公布照片"})  # fmt: skip
def add_obligation(campaign_id: int, said: dict[str, Any]) -> Any:
    """One that the paper does not name; it is met by proofs. 422 for a day outside of the campaign."""
    return _acted(said, lambda act: campaigns.add_obligation(act, campaign_id, said))


@operation(blp, "POST", "/campaign-obligations/<row:obligation_id>", CampaignMoved, takes=forms.ObligationChanged, replies=(404,),
           example={"title": "报送总结报告", "due_on": "2019-02-20", "proof": "总结报告"})  # fmt: skip
def change_obligation(obligation_id: int, said: dict[str, Any]) -> Any:
    """Its day, title and proof. Progress reports have no day of their own: see the campaign's interval."""
    return _acted(said, lambda act: campaigns.change_obligation(act, obligation_id, said))


@operation(blp, "POST", "/campaign-obligations/<row:obligation_id>/removal", CampaignMoved, optional=True, replies=(404,))
def drop_obligation(obligation_id: int) -> Any:
    return _acted({}, lambda act: campaigns.drop_obligation(act, obligation_id))


# -- a unit's part


@operation(blp, "GET", "/campaigns/<row:campaign_id>/parts", _many(CampaignPart), asks=CampaignPartQuery, replies=(404,))
def parts(campaign_id: int, asked: dict[str, Any]) -> Any:
    """Leader, staff, premises and equipment of the units of your area."""
    return _read(campaign_id, asked.get("unit"), lambda conn, _row, units: [campaigns.unit_told(conn, one, me()) for one in units])


@operation(blp, "POST", "/campaigns/<row:campaign_id>/parts", CampaignMoved, takes=forms.PartIn, replies=(404,),
           example={"unit": "120116011", "leader": "王某", "staff_full": 3, "staff_part": 2, "office": True, "service_window": True, "equipment": [{"name": "电脑", "count": 3}]})  # fmt: skip
def set_part(campaign_id: int, said: dict[str, Any]) -> Any:
    """By somebody who works in that unit (403 `unit`); what is entered again takes the place of what was said before."""
    return _acted(said, lambda act: campaigns.set_part(act, campaign_id, said))


@operation(blp, "GET", "/campaigns/<row:campaign_id>/plans", _many(CampaignPlan), asks=CampaignPartQuery, replies=(404,))
def plans(campaign_id: int, asked: dict[str, Any]) -> Any:
    return _read(campaign_id, asked.get("unit"), lambda conn, row, units: campaigns.plans(conn, row, [one["unit"] for one in units]))


@operation(blp, "POST", "/campaigns/<row:campaign_id>/plans", CampaignMoved, takes=forms.PlanIn, replies=(404,), example={"unit": "120116011", "stage": 65538, "plan": "逐户走访"})
def set_plan(campaign_id: int, said: dict[str, Any]) -> Any:
    """A unit's plan for a stage, one for each; again: changed."""
    return _acted(said, lambda act: campaigns.set_plan(act, campaign_id, said))


@operation(blp, "GET", "/campaigns/<row:campaign_id>/shortfalls", _many(CampaignShortfall), asks=CampaignShortfallQuery, replies=(404,))
def shortfalls(campaign_id: int, asked: dict[str, Any]) -> Any:
    """What units lack, those to be remedied first."""
    today = bureau().office.today()
    return _read(campaign_id, asked.get("unit"), lambda conn, row, units: campaigns.shortfalls(conn, row, [one["unit"] for one in units], today, me(), state=asked.get("state")))


@operation(blp, "POST", "/campaigns/<row:campaign_id>/shortfalls", CampaignMoved, status=201, takes=forms.ShortfallIn, replies=(404,),
           example={"unit": "120116011", "kind": "staff", "what": "缺专职人员1名", "measure": "政府购买服务", "responsible": "王某", "due_on": "2018-12-20"})  # fmt: skip
def add_shortfall(campaign_id: int, said: dict[str, Any]) -> Any:
    return _acted(said, lambda act: campaigns.add_shortfall(act, campaign_id, said))


@operation(blp, "POST", "/campaign-shortfalls/<row:shortfall_id>/remedy", CampaignMoved, takes=forms.Remedied, replies=(404,), example={"remedied_on": "2018-12-18", "remedy": "已招聘到岗"})
def remedy(shortfall_id: int, said: dict[str, Any]) -> Any:
    """The unit says that it is remedied."""
    return _acted(said, lambda act: campaigns.remedy(act, shortfall_id, said))


@operation(blp, "POST", "/campaign-shortfalls/<row:shortfall_id>/verification", CampaignMoved, takes=forms.Judged, replies=(404,), example={"verdict": "accept"})
def verify(shortfall_id: int, said: dict[str, Any]) -> Any:
    """A supervisor of the district verifies it, or opens it again with a reason. 403 `own-entry`."""
    return _acted(said, lambda act: campaigns.verify(act, shortfall_id, said))


# -- obligations


@operation(blp, "GET", "/campaigns/<row:campaign_id>/standing", CampaignStandings, asks=CampaignStandingQuery, replies=(404,))
def standing(campaign_id: int, asked: dict[str, Any]) -> Any:
    """How the units of your area stand with what they owe: met, open, late, with days and working days left."""
    today = bureau().office.today()
    with bureau().office.snapshot() as conn:
        row, units = _units(conn, campaign_id, asked.get("unit"))
        found = campaigns.standing(conn, row, units, today)
    items = [one for one in found if asked.get("state") in (None, one["state"])]
    return {"day": today.isoformat(), "items": items, "obligations": campaign_obligations.by_obligation(found)}


@operation(blp, "GET", "/campaigns/<row:campaign_id>/proofs", _many(CampaignProof), asks=CampaignProofQuery, replies=(404,))
def proofs(campaign_id: int, asked: dict[str, Any]) -> Any:
    return _read(campaign_id, asked.get("unit"), lambda conn, row, units: campaigns.proofs(conn, row, [one["unit"] for one in units], me(), state=asked.get("state")))


@operation(blp, "POST", "/campaign-obligations/<row:obligation_id>/proofs", CampaignMoved, status=201, takes=forms.ProofIn, replies=(404,),
           example={"unit": "120116011", "done_on": "2018-12-20", "what": "举办培训一期，40人参加", "proof": "培训签到表"})  # fmt: skip
def prove(obligation_id: int, said: dict[str, Any]) -> Any:
    """A unit enters what it has done, with its proof; 403 `by-facts` for what the records themselves show."""
    return _acted(said, lambda act: campaigns.prove(act, obligation_id, said))


@operation(blp, "POST", "/campaign-proofs/<row:proof_id>/verification", CampaignMoved, takes=forms.Judged, replies=(404,), example={"verdict": "return", "reason": "缺签到表"})
def judge(proof_id: int, said: dict[str, Any]) -> Any:
    """A supervisor of the district confirms it (then the obligation is met on `done_on`), or sends it back."""
    return _acted(said, lambda act: campaigns.judge(act, proof_id, said))
