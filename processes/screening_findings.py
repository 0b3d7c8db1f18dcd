"""立查立纠 (domain 1.1): what a visit found is put right with proof and verified by another person, or social help says what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, func, select

from engine import store
from engine.cases import Cases
from engine.crypto import BoundKeys
from engine.errors import Conflict, Invalid, NotFound, Refused
from engine.forms import form_for
from engine.model import Actor, Put
from engine.office import Act, Record
from engine.queries import Page, within
from processes import documents, readers
from processes.screening import CHECKERS, VISITORS, finding_told
from processes.screening_forms import FINDINGS, SOCIAL, Rectified
from processes.screening_process import RECTIFIERS, SCREENING, checked, done, row_of
from processes.screening_tables import screening, screening_finding
from processes.tables import household, person

KINDS = tuple(code for code, _zh, _en in FINDINGS)
_ASKED = {node: frozenset(form._declared_fields) for node, form in SCREENING.forms.items()}  # what a task's form asks for
LISTS = ("open", "overdue", "done", "verified")


def rectify(cases: Cases, act: Act, finding_id: int, said: Mapping[str, Any]) -> dict[str, Any]:
    """A finding is put right, or the household was helped; `said`: as understood by Rectified. Does the task of the finding's case."""
    opened, row = _opened(act, finding_id)
    if (told := act.recall()) is not None:
        return told  # type: ignore[no-any-return]
    post = act.actor.post_over(row["community"], RECTIFIERS)
    if post is None:
        raise Refused("rectifier", "由本辖区的经办人员登记整改结果", "The caseworkers of the area say what was done")
    if row["state"] != "open":
        raise Conflict("这项问题已经完成整改", "This finding is done already")
    _fits(act, row, said)
    if row["case_no"] is not None:
        return _task_done(cases, act, row, said)
    act.through(post)
    return _moved(act, opened, row, "screening_rectified", done(act.actor, {**said, "done_on": _iso(said["done_on"])}))


def _fits(act: Act, row: Mapping[Any, Any], said: Mapping[str, Any]) -> None:
    wrong = dict[str, list[str]]()
    if _iso(said["done_on"]) < row["found_on"]:
        wrong["done_on"] = ["不能早于发现日期"]
    if bool(said.get("outcome")) != (row["kind"] == SOCIAL):
        wrong["outcome"] = ["请填写帮扶结果"] if row["kind"] == SOCIAL else ["只有突出困难填写"]
    if said.get("unfounded") and row["kind"] == SOCIAL:
        wrong["unfounded"] = ["突出困难不填，请在帮扶结果中说明"]
    wrong |= documents.foreign(act.conn, form_for(Rectified, {"today": act.today, "actor": act.actor, "lang": "zh", "facts": {}}), said, row["household_id"])
    if wrong:
        raise Invalid(wrong)


def verify(cases: Cases, act: Act, finding_id: int, said: Mapping[str, Any]) -> dict[str, Any]:
    """Another person looks at the proof: it is verified, or goes back to be put right; `said`: as understood by RectificationChecked.
    Does the task of the finding's case."""
    opened, row = _opened(act, finding_id)
    if (told := act.recall()) is not None:
        return told  # type: ignore[no-any-return]
    post = act.actor.post_over(row["community"], CHECKERS)
    if post is None:
        raise Refused("rectification-checker", "整改结果由民政专干、审核人、街镇负责人或监督人员复核", "Civil affairs officers, reviewers, street leaders and supervisors verify what was put right")
    if act.actor.id == row["done_by"]:
        raise Refused("own-rectification", "不能复核本人登记的整改结果", "Nobody verifies what he put right himself")
    if row["state"] != "done":
        raise Conflict("这项问题没有待复核的整改结果", "Nothing of this finding waits to be verified")
    if said["verdict"] == "returned" and not said.get("text"):
        raise Invalid({"text": ["退回整改请写明原因"]})
    if row["case_no"] is not None:
        return _task_done(cases, act, row, said)
    act.through(post)
    event = "screening_verified" if said["verdict"] == "verified" else "screening_sent_back"
    return _moved(act, opened, row, event, checked(act.actor, act.today.isoformat(), row, said))


def _task_done(cases: Cases, act: Act, row: Mapping[Any, Any], said: Mapping[str, Any]) -> dict[str, Any]:
    """The open task of the finding's case, done with the same words; its effect writes the row. A finding has one open task at a time."""
    task = store.task.c
    query = select(task.id, task.node).join(store.record, store.record.c.id == task.case_id)
    found = act.conn.execute(query.where(store.record.c.no == row["case_no"], task.state == "open", task.node.in_(_ASKED))).one_or_none()
    if found is None:
        raise Conflict("个案中没有待办的整改或复核", "The case has no task for this now")
    raw = {name: _iso(value) if isinstance(value, date) else value for name, value in said.items() if value is not None and name in _ASKED[found.node]}
    with act.part():
        cases.complete(act, found.id, raw)
    told = {"finding": row["id"], "state": row_of(act, row["id"])["state"]}
    act.remember(told)
    return told


def _moved(act: Act, opened: Record, row: Mapping[Any, Any], event: str, values: dict[str, Any]) -> dict[str, Any]:
    act.append(opened, event, {"finding": row["id"]}, puts=[Put("screening_finding", row["id"], values, f"household:{row['household_id']}")])
    told = {"finding": row["id"], "state": values["state"]}
    act.remember(told)
    return told


def _iso(day: date | str) -> str:
    return day if isinstance(day, str) else day.isoformat()


def _opened(act: Act, finding_id: int) -> tuple[Record, Mapping[Any, Any]]:
    """The finding, locked. NotFound for who reads no cases there."""
    query = select(screening_finding).where(screening_finding.c.id == finding_id)
    row = act.conn.execute(query).mappings().one_or_none()
    if row is None or not readers.of_cases(act.actor).covers(row["community"]):
        raise NotFound("没有这项排查问题")
    opened = act.open("screening", finding_id >> 16)
    return opened, act.conn.execute(query).mappings().one()


def listed(conn: Connection, actor: Actor, today: date, *, which: str | None = None, kind: str | None = None, unit_code: str | None = None, page: int = 1, size: int = 25) -> Page:
    """Findings of the confirmed visits of the actor's area, by the day by which they are to be put right: open | overdue | done | verified."""
    f = screening_finding.c
    where: list[ColumnElement[bool]] = [within(f.community, readers.of_cases(actor).areas), screening.c.state == "confirmed"]
    if unit_code:
        where.append(within(f.community, unit_code))
    if kind:
        where.append(f.kind == kind)
    if which == "overdue":
        where.append(and_(f.state == "open", f.due_on < today.isoformat()))
    elif which:
        where.append(f.state == which)
    base = screening_finding.join(screening, screening.c.id == f.screening_id)
    total = conn.scalar(select(func.count()).select_from(base).where(*where)) or 0
    query = select(screening_finding).select_from(base).where(*where).order_by(f.state != "open", f.due_on.is_(None), f.due_on, f.id)
    return Page(list(conn.execute(query.limit(size).offset((page - 1) * size)).mappings()), total, page, size)


def told(conn: Connection, keys: BoundKeys, rows: list[Mapping[Any, Any]], actor: Actor, today: date) -> list[dict[str, Any]]:
    """Findings in JSON, with the visit and household that they belong to."""
    query = select(household.c.id, household.c.no, person.c.name).join(person, person.c.id == household.c.applicant_id).where(household.c.id.in_(sorted({row["household_id"] for row in rows})))
    names = {row.id: (row.no, row.name) for row in conn.execute(query)}
    return [{"screening_id": row["screening_id"], "household_id": row["household_id"], "household_no": names[row["household_id"]][0], "applicant": names[row["household_id"]][1],
             "community": row["community"], **finding_told(keys, row, actor, today)} for row in rows]  # fmt: skip


def of_case(conn: Connection, keys: BoundKeys, finding_id: int, actor: Actor, today: date) -> dict[str, Any]:
    """The finding of a case, in JSON: for whoever has a task of it."""
    row = conn.execute(select(screening_finding).where(screening_finding.c.id == finding_id)).mappings().one()
    return {"screening_id": row["screening_id"], **finding_told(keys, row, actor, today)}


def overdue(conn: Connection, actor: Actor, today: date) -> int:
    """How many findings of the actor's area are past their day."""
    if actor.roles.isdisjoint(VISITORS | CHECKERS):
        return 0
    return listed(conn, actor, today, which="overdue", size=1).total
