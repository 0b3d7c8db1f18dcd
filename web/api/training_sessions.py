"""API: 培训 — sessions, attendance, shares of directors and assistance staff trained."""

from __future__ import annotations

from typing import Any

from flask_smorest import Blueprint
from marshmallow import fields

from engine.errors import NotFound
from processes import training_sessions as training
from processes.outreach_forms import LEVELS, ROLES, TOPICS, TrainingAttended, TrainingIn, Withdrawn
from web.api import schemas
from web.api.desk import me, once
from web.api.facilities import day
from web.api.leads import plain
from web.api.operation import operation
from web.desk import bureau

blp = Blueprint("api_training", __name__, url_prefix="/api/v1", description="培训 (M03)")
_s, _n = schemas.said_text, schemas.said_number
_LEVELS = tuple(code for code, _zh, _en in LEVELS)
_EXAMPLE = {"level": "district", "unit": "120116", "title": "社会救助业务培训班", "held_on": "2018-12-18", "place": "区民政局会议室", "trainer": "救助科", "topics": ["policy", "conditions", "discipline"],
            "attendance": [{"staff": "wang", "role": "assistance_staff", "signed": True, "quiz_score": 92}, {"name": "李某", "role": "committee_director", "unit": "120116001016", "signed": True}]}  # fmt: skip


class Attended(schemas.Said):
    staff = _s("login; none: no account", none=True)
    name = _s(none=True)
    role = _s(" | ".join(code for code, _zh, _en in ROLES))
    unit = _s("where he works")
    signed = fields.Boolean(required=True)
    quiz_score = _n("0 to 100", none=True)


class TrainingRow(schemas.Said):
    id = _n()
    level = _s(" | ".join(_LEVELS))
    unit = _s("who organised it")
    title = _s()
    held_on = _s()
    place = _s()
    trainer = _s()
    topics = schemas.said_list(fields.String(), " | ".join(code for code, _zh, _en in TOPICS))
    sheet = _n("the signed sheet, of GET attachments/{attachment_id}", none=True)
    people = _n("on the sheet")
    signed = _n("of them")
    average_score = fields.Float(required=True, allow_none=True)
    attendance = schemas.said_list(Attended, "of other units' people those of your area, where you do not cover the organiser")
    recorded_by = _s()
    recorded_on = _s()
    withdrawn_on = _s(none=True)
    withdrawn_by = _s(none=True)
    withdrawn_why = _s(none=True)
    may = schemas.said_list(fields.String(), "what you may do now: attend, withdraw")


class TrainingMoved(schemas.Said):
    session = _n()
    attendance = _n("people on its sheet")


class Share(schemas.Said):
    all = _n()
    trained = _n()


class DistrictClass(schemas.Said):
    by = _s()
    held_on = _s("the first one", none=True)
    kept = fields.Boolean(required=True)


class SessionNumbers(schemas.Said):
    district = _n()
    street = _n()
    village = _n()


class TrainingUnit(schemas.Said):
    unit = _s("a street; the district for its own staff")
    directors = fields.Nested(Share, required=True)
    staff = fields.Nested(Share, required=True)


class TrainingCoverage(schemas.Said):
    since = _s()
    on = _s()
    district_class = fields.Nested(DistrictClass, required=True)
    sessions = fields.Nested(SessionNumbers, required=True)
    heads = _n("persons of the area who signed in, each once")
    directors = fields.Nested(Share, required=True, metadata={"description": "one for each community"})
    staff = fields.Nested(Share, required=True, metadata={"description": "in office with a post of casework"})
    units = schemas.said_list(TrainingUnit)


class Missing(schemas.Said):
    unit = _s("of directors their community")
    staff = _s(none=True)
    name = _s(none=True)


class TrainingQuery(schemas.Paging):
    level = schemas.one_of(*_LEVELS)
    unit = schemas.text("code of a unit: it and those below it", most=20)


class TrainingCoverageQuery(schemas.Strict):
    unit = schemas.text("code of a unit; left out: your area", most=20)
    on = schemas.text("ISO day; left out: today", most=10)


class MissingQuery(schemas.Paging):
    kind = schemas.one_of(*training.KINDS, required=True)
    unit = schemas.text("code of a unit; left out: your area", most=20)
    on = schemas.text("ISO day; left out: today", most=10)


def area(unit: str | None) -> Any:
    """The unit, or the caller's area; NotFound for one that he does not cover."""
    if unit and not me().covers(unit):
        raise NotFound("没有这个机构")
    return unit or me().areas


@operation(blp, "GET", "/training", schemas.paged(TrainingRow), asks=TrainingQuery)
def listing(asked: dict[str, Any]) -> Any:
    """Sessions of your area and of the units above it, the newest first."""
    with bureau().office.read() as conn:
        found = training.listed(conn, me(), level=asked.get("level"), unit_code=asked.get("unit"), page=asked["page"], size=asked["size"])
        items = training.told(conn, found.items, me())
    return schemas.listed(items, found.total, found.page, found.size)


@operation(blp, "POST", "/training", TrainingMoved, status=201, takes=TrainingIn, example=_EXAMPLE)
def write(said: dict[str, Any]) -> Any:
    """A session that was held, by the staff of the organising unit (403 `organiser`). Who has an account is named by `staff`, all others by `name` and `unit`."""
    told = once(plain(said), lambda act: training.record(act, said))
    return told, {"Location": f"/api/v1/training/{told['session']}"}


@operation(blp, "GET", "/training/coverage", TrainingCoverage, asks=TrainingCoverageQuery, replies=(404,))
def coverage(asked: dict[str, Any]) -> Any:
    """As a day ended: the district's class by 2018-12-31, sessions, and how many of the directors and the assistance staff signed in at one."""
    made = bureau()
    with made.office.read() as conn:
        return training.coverage(conn, area(asked.get("unit")), day(asked.get("on"), "on") or made.office.today())


@operation(blp, "GET", "/training/missing", schemas.paged(Missing), asks=MissingQuery, replies=(404,))
def missing(asked: dict[str, Any]) -> Any:
    """Who is not trained yet: communities whose director is not, or assistance staff."""
    made = bureau()
    with made.office.read() as conn:
        found = training.missing(conn, area(asked.get("unit")), day(asked.get("on"), "on") or made.office.today(), asked["kind"], asked["page"], asked["size"])
    return schemas.listed(found.items, found.total, found.page, found.size)


@operation(blp, "GET", "/training/<row:session_id>", TrainingRow, replies=(404,))
def show(session_id: int) -> Any:
    with bureau().office.read() as conn:
        return training.told(conn, [training.seen(conn, me(), session_id)], me())[0]


@operation(blp, "POST", "/training/<row:session_id>/attendance", TrainingMoved, takes=TrainingAttended, replies=(404,),
           example={"attendance": [{"staff": "wang", "role": "assistance_staff", "signed": True, "quiz_score": 92}]})  # fmt: skip
def attend(session_id: int, said: dict[str, Any]) -> Any:
    """More of the sheet: people, scores, the scan. Who is listed already is replaced."""
    return once(plain(said), lambda act: training.attend(act, session_id, said))


@operation(blp, "POST", "/training/<row:session_id>/withdrawal", TrainingMoved, takes=Withdrawn, replies=(404,), example={"reason": "重复登记"})
def withdraw(session_id: int, said: dict[str, Any]) -> Any:
    """Entered by mistake: it stays to be seen and counts no more."""
    return once(plain(said), lambda act: training.withdraw(act, session_id, said["reason"]))
