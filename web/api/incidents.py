"""API: incidents, and the three ways out of one."""

from __future__ import annotations

from typing import Any

from flask_smorest import Blueprint

from engine import incidents
from web.api import schemas
from web.api.desk import me, once
from web.api.operation import operation
from web.desk import bureau
from web.incidents import reader, told

blp = Blueprint("api_incidents", __name__, url_prefix="/api/v1", description="Incidents: jobs that failed five times and wait for a person")


class Incident(schemas.Said):
    id = schemas._n()
    kind = schemas._s("kind of job", example="means_check")
    key = schemas._s(example="round.1")
    title = schemas._s("what the job does, in words")
    title_en = schemas._s()
    case = schemas._s("its case, where it has one", none=True, example="DB-2018-000123")
    unit = schemas._s("of its record")
    tries = schemas._n("how often it failed")
    trouble = schemas._s("how it failed the last time: RegistryFailed, RegistryBusy, or the name of another error")
    state = schemas._s(example="incident")
    since = schemas._s(example="2018-12-03 14:35")
    skips = schemas._b()
    may = schemas._b()


class IncidentDecided(schemas.Said):
    incident = schemas._n()
    state = schemas._s("ready (it is tried again), done (skipped), cancelled")
    case = schemas._s(none=True)


class IncidentReason(schemas.Strict):
    reason = schemas.text("kept in the record", required=True, most=incidents.MOST)


@operation(blp, "GET", "/incidents", schemas.paged(Incident), asks=schemas.Paging, replies=(403,))
def listing(asked: dict[str, Any]) -> Any:
    """Open incidents of your units, the oldest first. `may`: you decide on it; `skips`: the case can go on without it."""
    actor = reader(me())
    with bureau().office.read() as conn:
        found = incidents.listed(conn, actor.areas, asked["page"], asked["size"])
        items = [told(row, me()) for row in found.items]
    return schemas.listed(items, found.total, found.page, found.size)


def _decide(job_id: int, verb: str, said: dict[str, Any]) -> Any:
    made = bureau()
    return once(said, lambda act: incidents.decide(act, made.jobs, made.cases.refuse_relatives, job_id, verb, said.get("reason", "")))


@operation(blp, "POST", "/incidents/<row:job_id>/retry", IncidentDecided, optional=True, replies=(404,))
def retry(job_id: int) -> Any:
    """The job is tried again, as if it had never failed."""
    return _decide(job_id, "retry", {})


@operation(blp, "POST", "/incidents/<row:job_id>/skip", IncidentDecided, takes=IncidentReason, example={"reason": "民政部电话答复：系统升级，本周不能查询"}, replies=(404,))
def skip(job_id: int, said: dict[str, Any]) -> Any:
    """The case goes on without it: for a means check with the answer that the registries are unavailable."""
    return _decide(job_id, "skip", said)


@operation(blp, "POST", "/incidents/<row:job_id>/cancel", IncidentDecided, takes=IncidentReason, example={"reason": "该户已迁出，不再需要核对"}, replies=(404,))
def cancel(job_id: int, said: dict[str, Any]) -> Any:
    """The job is given up; the case stays where it is, and its page says so."""
    return _decide(job_id, "cancel", said)
