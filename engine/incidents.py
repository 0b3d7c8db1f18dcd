"""Incidents: a job that failed for good waits for a person, who tries again, goes on without it, or gives it up.

Each of the three is an entry on the job's record with the actor, and happens once: the record is locked, and the job
is still an incident or it is not.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import Connection, Select, func, select, update

from engine.errors import Conflict, Invalid, NotFound, Refused
from engine.jobs import Job, Jobs
from engine.model import Actor
from engine.office import Act, Record
from engine.queries import Area, Page, within
from engine.store import is_incident, job, record

DECIDERS = ("supervisor", "admin")
VERBS = ("retry", "skip", "cancel")
MOST = 500  # letters of a reason
_COLUMNS = (*job.c, record.c.kind.label("record_kind"), record.c.unit, record.c.no, record.c.subject, record.c.process)

Unrelated = Callable[[Act, int], None]  # act, case; raises Refused when recusal keeps the actor away


def listed(conn: Connection, area: Area, page: int = 1, size: int = 25) -> Page:
    """Open incidents of the records of these units, the oldest first."""
    where = (is_incident, within(record.c.unit, area))
    total = conn.scalar(select(func.count()).select_from(job.join(record, record.c.id == job.c.record_id)).where(*where)) or 0
    query = _rows().where(*where).order_by(job.c.id).limit(size).offset((page - 1) * size)
    return Page(list(conn.execute(query).mappings()), total, page, size)


def of_record(conn: Connection, record_id: int) -> list[Mapping[Any, Any]]:
    """What stands still at a record: open incidents, and jobs that were given up."""
    query = _rows().where(job.c.record_id == record_id, job.c.state.in_(("incident", "cancelled"))).order_by(job.c.id)
    return list(conn.execute(query).mappings())


def found(conn: Connection, actor: Actor, job_id: int) -> Mapping[Any, Any]:
    """The incident, or what it was, for those whose area its record lies in; for others there is none."""
    row = conn.execute(_rows().where(job.c.id == job_id)).mappings().one_or_none()
    if row is None or not actor.covers(row["unit"]) or (row["state"] != "incident" and not row["error"]):
        raise NotFound("没有这项故障作业")
    return row


def may(actor: Actor, unit: str) -> bool:
    return not actor.roles_at(unit).isdisjoint(DECIDERS)


def decide(act: Act, jobs: Jobs, unrelated: Unrelated, job_id: int, verb: str, reason: str = "") -> dict[str, Any]:
    """`verb`: retry (the job is ready again, as if it had never failed), skip (its record goes on without it) or cancel
    (the job is given up, and its record stays where it is); the last two with a reason. Returns {"incident", "state", "case"}."""
    if verb not in VERBS:
        raise NotFound("没有这种操作")
    row = found(act.conn, act.actor, job_id)
    at = act.open(row["record_kind"], row["record_id"])
    if (told := act.recall()) is not None:
        return told  # type: ignore[no-any-return]
    _may(act, row, unrelated)
    _reasoned(verb, reason)
    way = jobs.ways.get(row["kind"])
    if verb == "skip" and (way is None or way.skip is None):
        raise Refused("skip", "这类作业没有可代替的办法，不能跳过；请重试或取消", "Nothing can stand for this kind of job: try again, or cancel it")
    answer = {"incident": job_id, "state": _AFTER[verb], "case": row["no"]}
    _change(act, row, verb)
    _say(act, at, row, verb, reason)
    act.remember(answer)
    if verb == "skip" and way is not None and way.skip is not None:
        way.skip(_as_job(row))(act)
    return answer


_AFTER = {"retry": "ready", "skip": "done", "cancel": "cancelled"}
_SAID = {"retry": "incident_retried", "skip": "incident_skipped", "cancel": "incident_cancelled"}


def _rows() -> Select[Any]:
    return select(*_COLUMNS).join(record, record.c.id == job.c.record_id)


def _may(act: Act, row: Mapping[Any, Any], unrelated: Unrelated) -> None:
    if not may(act.actor, row["unit"]):
        raise Refused("incident", "故障作业由本辖区的监督主管或系统管理员处理", "A supervisor of the unit or an administrator decides on an incident")
    act.through(act.actor.post_over(row["unit"], DECIDERS))
    if row["record_kind"] == "case":
        unrelated(act, row["record_id"])


def _reasoned(verb: str, reason: str) -> None:
    if verb != "retry" and not reason.strip():
        raise Invalid({"reason": ["必须填写"]})
    if len(reason) > MOST:
        raise Invalid({"reason": [f"文字太长，最多 {MOST} 字"]})


def _change(act: Act, row: Mapping[Any, Any], verb: str) -> None:
    values: dict[str, Any] = {"state": _AFTER[verb]}
    if verb == "retry":
        values |= {"attempts": 0, "retry_at": None, "token": None}
    if act.conn.execute(update(job).where(job.c.id == row["id"], is_incident).values(**values)).rowcount != 1:
        raise Conflict("这项故障作业已由别人处理，请刷新后再看", "Somebody else has dealt with this incident already")


def _say(act: Act, at: Record, row: Mapping[Any, Any], verb: str, reason: str) -> None:
    subject = at.subject or f"{at.kind}:{at.id}"
    personal = {subject: {"reason": reason.strip()}} if reason.strip() else {}
    act.append(at, _SAID[verb], {"job": row["kind"], "key": row["key"]}, personal=personal)


def _as_job(row: Mapping[Any, Any]) -> Job:
    return Job(row["id"], row["kind"], row["record_id"], row["key"], row["attempts"], json.loads(row["data"]), "")
