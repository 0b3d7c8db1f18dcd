"""API: 监督检查 — plans with committed samples, inspections, findings, statistics."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask_smorest import Blueprint
from marshmallow import fields

from engine.errors import Invalid, NotFound
from processes import readers, screening, supervision, supervision_statistics
from processes.supervision_forms import (
    KINDS,
    METHODS,
    PROBLEMS,
    SupervisionClosed,
    SupervisionPlanIn,
    SupervisionRectified,
    SupervisionReply,
    SupervisionResult,
    SupervisionSettled,
    SupervisionVerified,
)
from web.api import schemas
from web.api.desk import me, once
from web.api.leads import plain
from web.api.operation import operation
from web.desk import bureau

blp = Blueprint("api_supervision", __name__, url_prefix="/api/v1", description="监督检查: the district's inspections of random samples")
_s, _n, _l = schemas.said_text, schemas.said_number, schemas.said_list
_PROBLEMS = tuple(code for code, _zh, _en in PROBLEMS)
_EXAMPLE = {"title": "2018年第四季度检查", "units": "120116001", "kind": "households", "from_on": "2018-11-19", "until_on": "2018-12-03", "items": "入户核查是否两人\n待遇是否与收入相符",
            "method": "simple", "size": 5, "due_on": "2018-12-31"}  # fmt: skip
_RESULT = {"inspected_on": "2018-12-04", "failed": "1", "note": "走访记录只有一人签字", "findings": [{"kind": "procedure", "text": "只有一人签字", "due_on": "2018-12-20"}]}


def _yes(about: str = "", *, none: bool = False) -> fields.Boolean:
    return fields.Boolean(required=True, allow_none=none, metadata={"description": about} if about else {})


class SupervisionPlan(schemas.Said):
    id = _n()
    title = _s()
    units = _l(fields.String(), "codes")
    kind = _s(" | ".join(code for code, _zh, _en in KINDS))
    from_on = _s()
    until_on = _s()
    due_on = _s("inspected by")
    items = _l(fields.String(), "what is looked at")
    method = _s(" | ".join(code for code, _zh, _en in METHODS))
    size = _n("as asked for")
    population = _n()
    commitment = _s("SHA-256 of seed and definition, see docs/audit.md")
    seed = _s("hex; null until the draw", none=True)
    state = _s(" | ".join(supervision.STATES))
    made_by = _s()
    made_on = _s()
    drawn_by = _s(none=True)
    drawn_on = _s(none=True)
    closed_by = _s(none=True)
    closed_on = _s(none=True)
    conclusion = _s(none=True)
    drawn = _n()
    inspected = _n()
    with_findings = _n()
    findings = _n()
    overdue = _n("findings past their day")
    late = _yes("not closed though its day is over")
    may = _l(fields.String(), "what you may do now: draw, inspect, close")


class SupervisionMade(schemas.Said):
    plan = _n()
    population = _n()
    commitment = _s()


class SupervisionDrawn(schemas.Said):
    plan = _n()
    drawn = _l(fields.String(), "numbers of cases, ids of households or visits, in the order of the draw")


class SupervisionMoved(schemas.Said):
    plan = _n()
    state = _s()


class SupervisionTarget(schemas.Said):
    id = _n()
    place = _n()
    ref = _s("number of the case, id of the household or visit")
    name = _s("masked")
    unit = _s()
    stratum = _s()
    inspected_by = _s(none=True)
    inspected_on = _s(none=True)
    failed = _l(fields.Integer(), "numbers of the items that were not in order")
    note = _s(none=True)
    findings = _n()
    may = _l(fields.String(), "what you may do now: inspect")


class SupervisionTargets(schemas.Said):
    items = _l(SupervisionTarget)


class SupervisionInspected(schemas.Said):
    target = _n()
    findings = _l(fields.Integer(), "their ids")


class SupervisionCheck(schemas.Said):
    name = _s()
    zh = _s()
    en = _s()
    good = _yes("null: nothing to compare yet", none=True)


class SupervisionProof(schemas.Said):
    checks = _l(SupervisionCheck)


class SupervisionFindingRow(schemas.Said):
    id = _n()
    plan_id = _n()
    plan = _s("its title")
    target_id = _n()
    about = _s("cases | households | visits")
    ref = _s()
    unit = _s()
    kind = _s(" | ".join(_PROBLEMS))
    text = _s()
    raised_by = _s()
    raised_on = _s()
    reply_until = _s("right of reply")
    due_on = _s("put right by")
    state = _s(" | ".join(supervision.FINDING_STATES))
    replied_by = _s(none=True)
    replied_on = _s(none=True)
    reply = _s(none=True)
    settled_by = _s(none=True)
    settled_on = _s(none=True)
    verdict = _s(none=True)
    done_by = _s(none=True)
    done_on = _s(none=True)
    done_text = _s(none=True)
    verified_by = _s(none=True)
    verified_on = _s(none=True)
    verify_text = _s(none=True)
    sent_back = _n()
    late = _yes("not put right though its day is over")
    may = _l(fields.String(), "what you may do now: reply, rectify, settle, verify")


class SupervisionFindingMoved(schemas.Said):
    finding = _n()
    state = _s()


class SupervisionQuery(schemas.Paging):
    state = schemas.one_of(*supervision.STATES)


class SupervisionFindingQuery(schemas.Paging):
    list = schemas.one_of(*supervision.LISTS, about="a state; overdue: past the day by which it is put right")
    kind = schemas.one_of(*_PROBLEMS)
    plan = schemas.bounded(0, 10**18 - 1, 0, "of one plan; 0: of all")
    unit = schemas.text("code of a unit: it and those below it", most=20)


class SupervisionSpot(schemas.Said):
    unit = _s()
    unit_name = _s()
    received = _n("files that the district received")
    to_visit = _n("of them")
    drawn = _n("by lot")
    near_relative = _n()
    doubtful = _n()
    reported = _n()
    visited = _n()
    errors = _n("the visit did not agree with the street's survey")
    percent = fields.Float(required=True, metadata={"description": "visited of received"})


class SupervisionKind(schemas.Said):
    kind = _s()
    zh = _s()
    en = _s()
    found = _n()


class SupervisionStreet(schemas.Said):
    unit = _s()
    unit_name = _s()
    inspected = _n()
    with_findings = _n()
    findings = _n()
    put_right = _n()
    accepted = _n("the unit's reply was accepted")
    overdue = _n()
    kinds = _l(SupervisionKind)


class SupervisionStatistics(schemas.Said):
    since = _s()
    on = _s()
    spot_checks = _l(SupervisionSpot)
    inspections = _l(SupervisionStreet)


class SupervisionStatisticsQuery(schemas.Strict):
    unit = schemas.text("code of a unit; left out: your area", most=20)
    since = schemas.text("ISO day; left out: 2018-11-19", most=10)
    on = schemas.text("ISO day; left out: today", most=10)


@operation(blp, "GET", "/inspection-plans", schemas.paged(SupervisionPlan), asks=SupervisionQuery)
def listing(asked: dict[str, Any]) -> Any:
    """Plans, the newest first; empty for who is not of the district."""
    made = bureau()
    with made.office.read() as conn:
        found = supervision.listed(conn, me(), state=asked.get("state"), page=asked["page"], size=asked["size"])
        items = supervision.told(conn, found.items, me(), made.office.today())
    return schemas.listed(items, found.total, found.page, found.size)


@operation(blp, "POST", "/inspection-plans", SupervisionMade, status=201, takes=SupervisionPlanIn, example=_EXAMPLE)
def make(said: dict[str, Any]) -> Any:
    """A plan: fixes the population and commits to a random seed; nobody knows yet who will be drawn. 403 `inspector`."""
    told = once(plain(said), lambda act: supervision.make(act, said))
    return told, {"Location": f"/api/v1/inspection-plans/{told['plan']}"}


@operation(blp, "GET", "/inspection-plans/<row:plan_id>", SupervisionPlan, replies=(404,))
def show(plan_id: int) -> Any:
    """One plan and how far it is."""
    made = bureau()
    with made.office.read() as conn:
        return supervision.told(conn, [supervision.seen(conn, me(), plan_id)], me(), made.office.today())[0]


@operation(blp, "POST", "/inspection-plans/<row:plan_id>/draw", SupervisionDrawn, optional=True, replies=(404,))
def draw(plan_id: int) -> Any:
    """Reveal the seed and draw. 409 when it is drawn already."""
    return once({}, lambda act: supervision.draw(act, plan_id))


@operation(blp, "GET", "/inspection-plans/<row:plan_id>/targets", SupervisionTargets, replies=(404,))
def targets(plan_id: int) -> Any:
    """What was drawn, in the order of the draw."""
    made = bureau()
    with made.office.read() as conn:
        row = supervision.seen(conn, me(), plan_id)
        return {"items": supervision.targets(conn, made.office.keys.on(conn), row, me())}


@operation(blp, "GET", "/inspection-plans/<row:plan_id>/proof", SupervisionProof, replies=(404,))
def proof(plan_id: int) -> Any:
    """The sample computed again from its record."""
    made = bureau()
    with made.office.read() as conn:
        supervision.seen(conn, me(), plan_id)
        return {"checks": [{"name": one.name, "zh": one.zh, "en": one.en, "good": one.good} for one in supervision.checks(conn, made.office.keys.on(conn), plan_id)]}


@operation(blp, "POST", "/inspection-plans/<row:plan_id>/close", SupervisionMoved, takes=SupervisionClosed, example={"conclusion": "总体规范，问题已限期整改"}, replies=(404,))
def close(plan_id: int, said: dict[str, Any]) -> Any:
    """The conclusion; 409 while something that was drawn is not inspected."""
    return once(plain(said), lambda act: supervision.close(act, plan_id, said))


@operation(blp, "POST", "/inspection-targets/<row:target_id>/result", SupervisionInspected, takes=SupervisionResult, example=_RESULT, replies=(404,))
def inspect(target_id: int, said: dict[str, Any]) -> Any:
    """What was seen, which items were not in order, and the findings. 403 `own-case`, `near-relative`."""
    return once(plain(said), lambda act: supervision.inspect(act, target_id, said))


@operation(blp, "GET", "/inspection-findings", schemas.paged(SupervisionFindingRow), asks=SupervisionFindingQuery)
def findings(asked: dict[str, Any]) -> Any:
    """Findings on your units: what is to be put right first."""
    made = bureau()
    with made.office.read() as conn:
        found = supervision.findings_listed(conn, me(), made.office.today(), which=asked.get("list"), kind=asked.get("kind"), plan_id=asked["plan"] or None, unit_code=asked.get("unit"),
                                            page=asked["page"], size=asked["size"])  # fmt: skip
        items = supervision.findings_told(conn, made.office.keys.on(conn), found.items, me(), made.office.today())
    return schemas.listed(items, found.total, found.page, found.size)


@operation(blp, "GET", "/inspection-findings/<row:finding_id>", SupervisionFindingRow, replies=(404,))
def finding(finding_id: int) -> Any:
    """One finding. `may`: what you may do with it now."""
    made = bureau()
    with made.office.read() as conn:
        return supervision.findings_told(conn, made.office.keys.on(conn), [supervision.finding_seen(conn, me(), finding_id)], me(), made.office.today())[0]


@operation(blp, "POST", "/inspection-findings/<row:finding_id>/reply", SupervisionFindingMoved, takes=SupervisionReply, example={"text": "签字页在纸质档案中"}, replies=(404,))
def reply(finding_id: int, said: dict[str, Any]) -> Any:
    """The inspected unit replies. 403 `handling-unit`."""
    return once(plain(said), lambda act: supervision.reply(act, finding_id, said))


@operation(blp, "POST", "/inspection-findings/<row:finding_id>/settle", SupervisionFindingMoved, takes=SupervisionSettled, example={"verdict": "upheld", "text": "签字页日期晚于走访"}, replies=(404,))
def settle(finding_id: int, said: dict[str, Any]) -> Any:
    """The district accepts the reply, or upholds the finding; 403 `right-of-reply` before the reply or its last day."""
    return once(plain(said), lambda act: supervision.settle(act, finding_id, said))


@operation(blp, "POST", "/inspection-findings/<row:finding_id>/rectification", SupervisionFindingMoved, takes=SupervisionRectified, example={"done_on": "2018-12-10", "text": "已重新入户"}, replies=(404,))
def rectify(finding_id: int, said: dict[str, Any]) -> Any:
    """The unit has put it right: at once, or after it was upheld."""
    return once(plain(said), lambda act: supervision.rectify(act, finding_id, said))


@operation(blp, "POST", "/inspection-findings/<row:finding_id>/verification", SupervisionFindingMoved, takes=SupervisionVerified, example={"verdict": "verified", "text": "已查看"}, replies=(404,))
def verify(finding_id: int, said: dict[str, Any]) -> Any:
    """The district verifies it, or sends it back."""
    return once(plain(said), lambda act: supervision.verify(act, finding_id, said))


@operation(blp, "GET", "/inspections/statistics", SupervisionStatistics, asks=SupervisionStatisticsQuery, replies=(404,))
def statistics(asked: dict[str, Any]) -> Any:
    """The district's spot checks and inspections by street: files received and what was inspected in the period."""
    return counted(asked.get("unit"), _day(asked.get("since"), "since"), _day(asked.get("on"), "on"))


def counted(unit: str | None, since: date | None, on: date | None) -> dict[str, Any]:
    made, areas = bureau(), readers.of_cases(me()).areas
    first, last = since or screening.SINCE, on or made.office.today()
    if unit and not readers.of_cases(me()).covers(unit):
        raise NotFound("没有这个机构")
    area = unit or areas
    with made.office.read() as conn:
        spot = supervision_statistics.spot_checks(conn, made.office.keys.on(conn), area, first, last) if area else []
        seen = supervision_statistics.inspections(conn, area, first, last, made.office.today()) if area else []
    return {"since": first.isoformat(), "on": last.isoformat(), "spot_checks": spot, "inspections": seen}


def _day(text: str | None, name: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise Invalid({name: ["日期应如 2018-12-03"]}) from None
