"""API: complaints. Who complained goes in with `reporter` and comes out of `…/reporter` alone, to the complaint officer, with a reason."""

from __future__ import annotations

from typing import Any

from flask_smorest import Blueprint
from marshmallow import fields

from processes import complaint_rows, complaints
from processes.complaint_forms import CHANNELS, FINDINGS, STATES, TARGETS
from web import complaints as pages
from web.api import schemas
from web.api.desk import me, once, spoken
from web.api.operation import operation
from web.desk import bureau

blp = Blueprint("api_complaints", __name__, url_prefix="/api/v1", description="投诉举报: received, investigated, concluded, told")


class ReporterBody(schemas.Strict):
    name = schemas.text(required=True)
    phone = schemas.text(most=30)
    address = schemas.text(most=200)


class ComplaintBody(schemas.Strict):
    answers = fields.Dict(required=True, metadata={"description": "channel, received_on, target_kind, household_id | benefit_id | target_login | target_unit, allegation"})
    reporter = fields.Nested(ReporterBody, metadata={"description": "left out: anonymous"})


class PublicBody(schemas.Strict):
    street = schemas.text("code of the street", required=True, most=20)
    about = schemas.text("about whom or what, in your words", required=True, most=200)
    allegation = schemas.text(required=True, most=1500)
    name = schemas.text("left out: anonymous", most=60)
    phone = schemas.text(most=30)
    address = schemas.text(most=200)


class ComplaintNumber(schemas.Said):
    no = fields.String(required=True)


class ComplaintReporter(schemas.Said):
    name = fields.String(required=True, allow_none=True)
    phone = fields.String(required=True, allow_none=True)
    address = fields.String(required=True, allow_none=True)


class WhyAsked(schemas.Strict):
    reason = schemas.text(required=True, most=400)


def _said(*, none: bool = False, about: str = "") -> fields.String:
    return fields.String(required=True, allow_none=none, metadata={"description": about} if about else {})


class ComplaintRow(schemas.Said):
    id = fields.Integer(required=True)
    case_no = _said()
    unit = _said()
    channel = _said(about=" | ".join(c for c, _z, _e in CHANNELS))
    received_on = _said()
    is_named = fields.Boolean(required=True)
    target_kind = _said(about=" | ".join(c for c, _z, _e in TARGETS))
    household_id = fields.Integer(required=True, allow_none=True)
    benefit_id = fields.Integer(required=True, allow_none=True)
    target_login = _said(none=True)
    target_unit = _said(none=True)
    state = _said(about=" | ".join(c for c, _z, _e in STATES))
    accepted_on = _said(none=True)
    due_on = _said(none=True, about="the last day of what comes next")
    late = fields.Boolean(required=True)
    finding = _said(none=True, about=" | ".join(c for c, _z, _e in FINDINGS))
    event_on = _said(none=True)
    concluded_on = _said(none=True)
    feedback_on = _said(none=True)
    review_no = _said(none=True, about="the re-check that it opened")


class ComplaintQuery(schemas.Paging):
    state = schemas.one_of(*(c for c, _z, _e in STATES))
    channel = schemas.one_of(*(c for c, _z, _e in CHANNELS))
    finding = schemas.one_of(*(c for c, _z, _e in FINDINGS))
    late = fields.Boolean(metadata={"description": "only those past their last day"})


class ComplaintCounts(schemas.Said):
    findings = fields.Dict(keys=fields.String(), values=fields.Integer(), required=True, metadata={"description": "finding → how many; none: not concluded"})


@operation(blp, "POST", "/complaints", schemas.Moved, status=201, takes=ComplaintBody, example={
    "answers": {"channel": "phone", "received_on": "2018-12-03", "target_kind": "household", "household_id": 12, "allegation": "家中有小汽车"}, "reporter": {"name": "王五", "phone": "13800138000"}})  # fmt: skip
def register(said: dict[str, Any]) -> Any:
    """Enter a complaint (complaint officers). `reporter` is kept apart from the case, which is begun; without it the complaint is anonymous."""
    reporter = pages.reporter_of(said.get("reporter")) if "reporter" in said else None
    answers = {name: value for name, value in said["answers"].items() if name not in ("is_named", "reporter_id")}
    told = once(said, lambda act: complaints.register(bureau().cases, act, answers, reporter, lang=spoken()))
    return told, {"Location": f"/api/v1/cases/{told['case']}"}


@operation(blp, "GET", "/complaints", schemas.paged(ComplaintRow), asks=ComplaintQuery, replies=(403,))
def listing(asked: dict[str, Any]) -> Any:
    """Complaints of your area, the newest first, but none about yourself (complaint officers, supervisors, auditors)."""
    who, made = pages.reader(me()), bureau()
    wanted = complaint_rows.Filter(**{name: asked[name] for name in ("state", "channel", "finding", "late") if asked.get(name) is not None})
    with made.office.read() as conn:
        found = complaint_rows.search(conn, who.areas, me().id, wanted, made.office.today(), page=asked["page"], size=asked["size"])
    return schemas.listed(found.items, found.total, found.page, found.size)


@operation(blp, "GET", "/complaints/findings", ComplaintCounts, replies=(403,))
def findings() -> Any:
    """How many complaints of your area have which finding."""
    who, made = pages.reader(me()), bureau()
    with made.office.read() as conn:
        return {"findings": complaint_rows.counts(conn, who.areas, me().id, made.office.today())}


@operation(blp, "POST", "/complaints/<row:complaint_id>/reporter", ComplaintReporter, takes=WhyAsked, replies=(403, 404))
def reporter(complaint_id: int, said: dict[str, Any]) -> Any:
    """Who complained, for a reason: to the complaint officer of the area only, and not to who is recused. Each reading is recorded."""
    with bureau().office.act(me()) as act:
        return complaints.reveal(act, complaint_id, said["reason"])


@operation(blp, "GET", "/complaints/<row:complaint_id>/papers/<name:kind>", ("text/html",), replies=(403, 404))
def paper(complaint_id: int, kind: str) -> Any:
    """registration (举报登记表), report (核查报告, once it is investigated) or feedback (反馈书, of a named complaint with a finding), to print. None names who complained."""
    return pages.printed(me(), complaint_id, kind)


@operation(blp, "POST", "/public/complaints", ComplaintNumber, status=201, takes=PublicBody, public=True, replies=(429,), example={
    "street": "120116001", "about": "紫云园某户", "allegation": "家中有小汽车"})  # fmt: skip
def everybody(said: dict[str, Any]) -> Any:
    """Public: a complaint by anybody, with or without a name. Answers with its number only. 429 for who sends too many."""
    return pages.everybodys(said)
