"""API: who I am, processes, units, staff, assessments, notices, the clock."""

from __future__ import annotations

from typing import Any

from flask import request
from flask_smorest import Blueprint
from marshmallow import ValidationError

from engine.errors import Invalid, NotFound
from engine.forms import flat, json_schema
from engine.model import SHANGHAI
from processes import eligibility, organisation
from processes.bureau import CATALOGUE
from web.api import schemas
from web.api.desk import body, me, paging, signed_in
from web.desk import bureau
from web.public import running

blp = Blueprint("api_misc", __name__, url_prefix="/api/v1", description="Processes, assessments, notices")


def load(schema: schemas.Strict, said: Any) -> Any:
    try:
        return schema.load(said)
    except ValidationError as error:
        raise Invalid(flat(error.messages)) from error


@blp.get("/me")
@blp.response(200, schemas.AnyObject)
@signed_in
def who() -> Any:
    return {"id": me().id, "name": me().name, "roles": sorted(me().roles), "unit": me().unit}


@blp.get("/processes")
@blp.response(200, schemas.AnyObject(many=True))
@signed_in
def processes() -> Any:
    """Each process with its tasks, deadlines, law and forms as JSON Schema."""
    language = "en" if request.args.get("lang") == "en" else "zh"
    return [_process(p, language) for p in CATALOGUE.values()]


def _process(process: Any, language: str) -> dict[str, Any]:
    nodes = [
        {"node": n.id, "name": n.name_en if language == "en" else n.name, "role": n.role, "level": n.level, "due": n.due, "law": n.law,
         "form": json_schema(process.forms[n.id], language)}
        for n in process.drawing.of_kind("userTask").values()
    ]  # fmt: skip
    return {
        "key": process.key,
        "title": process.title_en if language == "en" else process.title,
        "drawing": process.drawing.digest,
        "start_form": json_schema(process.start_form, language),
        "tasks": nodes,
        "messages": {name: json_schema(form, language) for name, form in process.messages.items()},
    }


@blp.get("/units")
@blp.response(200, schemas.AnyObject(many=True))
@signed_in
def units() -> Any:
    level = request.args.get("level")
    with bureau().office.read() as conn:
        rows = organisation.units(conn, request.args.get("under", me().unit)[:20], level)
    return [{k: r[k] for k in ("code", "name", "level", "parent_code")} for r in rows]


@blp.get("/staff")
@blp.response(200, schemas.AnyObject(many=True))
@signed_in
def staff() -> Any:
    """Colleagues for hand-overs: ?role=&unit="""
    with bureau().office.read() as conn:
        return organisation.colleagues(conn, request.args.get("role"), request.args.get("unit", ""))


@blp.post("/assessments")
@blp.doc(requestBody={"content": {"application/json": {"schema": schemas.AssessmentIn}}, "required": True})
@blp.response(200, schemas.AnyObject)
@signed_in
def assess() -> Any:
    """Facts in, eligibility with its explanation out; nothing is stored."""
    return eligibility.assess(load(schemas.AssessmentIn(), body()))


@blp.get("/notices")
@blp.doc(security=[])
@blp.response(200, schemas.AnyObject)
def notices() -> Any:
    """Public: the notices that run now, whitelisted fields only."""
    page, size = paging()
    rows, total = running(request.args.get("unit", "")[:20], page, size)
    return {"items": rows, "total": total, "page": page, "size": size}


@blp.get("/clock")
@blp.response(200, schemas.AnyObject)
@signed_in
def clock() -> Any:
    """The business clock of a demo or training database."""
    if bureau().settings.production:
        raise NotFound("只有演示环境有时钟")
    return {"now": bureau().office.clock().astimezone(SHANGHAI).isoformat(timespec="seconds")}
