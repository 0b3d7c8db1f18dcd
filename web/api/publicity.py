"""API: 宣传 — activities, and which communities each programme reached."""

from __future__ import annotations

from typing import Any

from flask_smorest import Blueprint
from marshmallow import fields

from processes import publicity
from processes.outreach_forms import CHANNELS, MATERIALS, PublicityIn, Withdrawn
from web.api import schemas
from web.api.desk import me, once
from web.api.facilities import day
from web.api.leads import plain
from web.api.operation import operation
from web.api.training_sessions import area
from web.desk import bureau

blp = Blueprint("api_publicity", __name__, url_prefix="/api/v1", description="宣传 (M02)")
_s, _n = schemas.said_text, schemas.said_number
_CHANNELS = tuple(code for code, _zh, _en in CHANNELS)
_PROGRAMMES = " | ".join(publicity.CODES)
_EXAMPLE = {"unit": "120116001", "channel": "event", "programmes": ["dibao", "temporary"], "title": "救助政策进社区", "held_on": "2018-12-05", "place": "文化广场", "communities": "120116001016",
            "audience_count": 120, "material_type": "leaflet", "copies": 300}  # fmt: skip


class PublicityRow(schemas.Said):
    id = _n()
    unit = _s("who did it")
    channel = _s(" | ".join(_CHANNELS))
    programmes = schemas.said_list(fields.String(), _PROGRAMMES)
    title = _s()
    held_on = _s()
    place = _s()
    communities = schemas.said_list(fields.String(), "those that it reached")
    audience_count = _n()
    material_type = _s(" | ".join(code for code, _zh, _en in MATERIALS))
    copies = _n()
    evidence = schemas.said_list(fields.Integer(), "of GET attachments/{attachment_id}")
    recorded_by = _s()
    recorded_on = _s()
    withdrawn_on = _s(none=True)
    withdrawn_by = _s(none=True)
    withdrawn_why = _s(none=True)
    may = schemas.said_list(fields.String(), "what you may do now: withdraw")


class PublicityMoved(schemas.Said):
    activity = _n()


class ProgrammeReach(schemas.Said):
    programme = _s(_PROGRAMMES)
    activities = _n("of the area's own units")
    communities = _n("of the area, reached by somebody's activity")


class CommunityReach(schemas.Said):
    community = _s()
    activities = _n("that reached it")
    programmes = schemas.said_list(fields.String())
    lacking = schemas.said_list(fields.String(), "programmes that did not reach it yet")
    explained = _n("households to which a visit explained the policy with a leaflet")


class PublicityCoverage(schemas.Said):
    since = _s()
    on = _s()
    activities = _n()
    audience = _n()
    copies = _n()
    explained = _n("households to which a visit (of the screening, confirmed; or to somebody supported at home) explained the policy with a leaflet")
    programmes = schemas.said_list(ProgrammeReach)
    communities = schemas.said_list(CommunityReach)


class PublicityQuery(schemas.Paging):
    channel = schemas.one_of(*_CHANNELS)
    programme = schemas.one_of(*publicity.CODES)
    unit = schemas.text("code of a unit: it and those below it", most=20)


class PublicityCoverageQuery(schemas.Strict):
    unit = schemas.text("code of a unit; left out: your area", most=20)
    on = schemas.text("ISO day; left out: today", most=10)


@operation(blp, "GET", "/publicity", schemas.paged(PublicityRow), asks=PublicityQuery)
def listing(asked: dict[str, Any]) -> Any:
    """Activities of your area and of the units above it, the newest first."""
    with bureau().office.read() as conn:
        found = publicity.listed(conn, me(), channel=asked.get("channel"), programme=asked.get("programme"), unit_code=asked.get("unit"), page=asked["page"], size=asked["size"])
    return schemas.listed(publicity.told(found.items, me()), found.total, found.page, found.size)


@operation(blp, "POST", "/publicity", PublicityMoved, status=201, takes=PublicityIn, example=_EXAMPLE)
def write(said: dict[str, Any]) -> Any:
    """An activity, by the staff of the unit that does it (403 `publicity`). `communities`: names or codes of those that it reached, or `all`; one of a community reaches it anyway."""
    told = once(plain(said), lambda act: publicity.record(act, said))
    return told, {"Location": f"/api/v1/publicity/{told['activity']}"}


@operation(blp, "GET", "/publicity/coverage", PublicityCoverage, asks=PublicityCoverageQuery, replies=(404,))
def coverage(asked: dict[str, Any]) -> Any:
    """As a day ended: activities, audience and copies, by programme and by community."""
    made = bureau()
    with made.office.read() as conn:
        return publicity.coverage(conn, area(asked.get("unit")), day(asked.get("on"), "on") or made.office.today())


@operation(blp, "GET", "/publicity/<row:activity_id>", PublicityRow, replies=(404,))
def show(activity_id: int) -> Any:
    with bureau().office.read() as conn:
        return publicity.told([publicity.seen(conn, me(), activity_id)], me())[0]


@operation(blp, "POST", "/publicity/<row:activity_id>/withdrawal", PublicityMoved, takes=Withdrawn, replies=(404,), example={"reason": "重复登记"})
def withdraw(activity_id: int, said: dict[str, Any]) -> Any:
    """Entered by mistake: it stays to be seen and counts no more."""
    return once(plain(said), lambda act: publicity.withdraw(act, activity_id, said["reason"]))
