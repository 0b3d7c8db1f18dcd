"""Open tasks are looked at again when posts, staff or recusals have changed: some may have nobody left, others somebody again.

A job, not the act itself: it locks cases in the ascending order of their ids, whereas an act of a case that registers a
near relative has its case locked already and holds the household's record (docs/decisions/031).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, false, or_, select

from engine import jobs
from engine.cases import UNMANNED, Cases
from engine.jobs import Handler, Job
from engine.office import Act, Record
from engine.queries import under
from engine.store import flagged, is_open, record, task

KIND = "unmanned_check"  # of job
AT_ONCE = 25  # cases of one transaction
Post = Sequence[str]  # role, unit


def plan(act: Act, kept_with: Record, *, lost: Collection[Post] = (), gained: Collection[Post] = (), subject: str = "") -> None:
    """Plan the look, with the record whose latest entry is the reason, if any open task is concerned. lost, gained: posts in
    which somebody may do less, or more, than before; subject: of the cases from which somebody is kept away now."""
    data = {"lost": sorted(map(list, lost)), "gained": sorted(map(list, gained)), "subject": subject}
    if act.conn.scalar(select(exists().where(is_open, _concerned(data)))):
        jobs.plan(act.conn, KIND, kept_with.id, str(kept_with.seq), act.now, data)


def handler(cases: Cases) -> Handler:
    def handle(job: Job) -> Callable[[Act], None]:
        return lambda act: _look(cases, act, job)

    return handle


def _look(cases: Cases, act: Act, job: Job) -> None:
    """The next cases, in the order of their ids; a full batch plans the one behind it."""
    where = (is_open, _concerned(job.data), task.c.case_id > job.data.get("after", 0))
    found = act.conn.scalars(select(task.c.case_id).where(*where).distinct().order_by(task.c.case_id).limit(AT_ONCE)).all()
    for case_id in found:
        cases.look_for_hands(act, case_id)
    if len(found) == AT_ONCE:
        jobs.plan(act.conn, KIND, job.record_id, f"{job.key.partition('.')[0]}.{found[-1]}", act.now, {**job.data, "after": found[-1]})


def _concerned(data: Mapping[str, Any]) -> ColumnElement[bool]:
    """Of a lost post all tasks, of one that was gained those only that nobody could do."""
    lost = [and_(task.c.role == role, under(task.c.unit, unit)) for role, unit in data["lost"]]
    gained = [and_(task.c.role == role, under(task.c.unit, unit), flagged(UNMANNED)) for role, unit in data["gained"]]
    cases = select(record.c.id).where(record.c.kind == "case", record.c.subject == data["subject"], record.c.closed_at.is_(None))
    return or_(false(), *lost, *gained, *([task.c.case_id.in_(cases)] if data["subject"] else []))
