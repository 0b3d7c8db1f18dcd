"""公示异议: what anybody says against a notice or a long-term display (N220 arts 25, 29, 36; domain 1.11, 1.12).

An objection is a complaint about the household, with its periods, its investigation and its secrecy: who made it stands in the complaint's own
record, and nobody of the street reads it (decision 055). Against a notice it is also put before the street, which takes it up, by which the
case's own objection begins, or dismisses it with a reason; the notice does not wait, so the period is short.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, func, select

from engine.cases import Cases
from engine.crypto import BoundKeys
from engine.errors import Conflict, NotFound, Refused
from engine.model import Actor, Put
from engine.office import Act
from engine.queries import Page, case_row, within
from engine.store import record
from processes import calendar, complaint_rows, complaints, displays, erasure, households, law, readers
from processes.case_tables import notice
from processes.display_tables import display, objection

STATES = {"received": ("待处理", "To be handled"), "taken_up": ("已受理复核", "Taken up"), "dismissed": ("不影响公示", "Dismissed"), "complaint": ("按举报核查", "Handled as a complaint")}
HANDLERS = frozenset({"window_clerk", "reviewer", "complaint_officer"})  # who may record an objection in a case of any drawing


def running(on: date) -> ColumnElement[bool]:
    """Whether a notice hangs on a day."""
    return and_(notice.c.removed_on.is_(None), notice.c.until_on > on.isoformat())


def against_notice(cases: Cases, act: Act, notice_id: int, said: Mapping[str, Any]) -> dict[str, Any]:
    """An objection to a notice that hangs. `said`: as understood by ObjectionIn; act: of anybody, in the system's name. Returns {"objection", "complaint"}."""
    query = select(notice.c.case_no, notice.c.community, record.c.subject).join(record, record.c.no == notice.c.case_no).where(notice.c.id == notice_id, running(act.today))
    row = act.conn.execute(query).mappings().one_or_none()
    if row is None:
        raise NotFound("没有这份公示，或公示已经结束")
    home = int(row["subject"].partition(":")[2])
    due = calendar.add_workdays(act.today, int(law.value("objection_workdays", act.today).amount)).isoformat()
    return _keep(cases, act, said, {"notice_id": notice_id, "case_no": row["case_no"], "household_id": home, "community": row["community"], "due_on": due, "state": "received"})


def against_display(cases: Cases, act: Act, display_id: int, said: Mapping[str, Any]) -> dict[str, Any]:
    """The same to a long-term display that the public sees: the complaint handles it, and a proved one opens a review (decision 056)."""
    found = displays.public(act.conn, act.today, display_id=display_id, size=1).items
    if not found:
        raise NotFound("没有这份公示，或公示已经结束")
    home = act.conn.scalar(select(display.c.household_id).where(display.c.id == display_id))
    return _keep(cases, act, said, {"display_id": display_id, "household_id": home, "community": found[0]["community"], "due_on": act.today.isoformat(), "state": "complaint"})


def _keep(cases: Cases, act: Act, said: Mapping[str, Any], values: dict[str, Any]) -> dict[str, Any]:
    erasure.refuse_restricted(act.conn, values["household_id"])
    reporter = {name: said.get(name) for name in ("name", "phone", "address")} if said.get("name") else None
    told = {"channel": "web", "received_on": act.today.isoformat(), "target_kind": "household", "household_id": values["household_id"], "allegation": f"公示异议：{said['grounds']}"}
    no = complaints.register(cases, act, told, reporter)["case"]
    subject = f"household:{values['household_id']}"
    made = act.new("objection", values["community"], subject=subject)
    number = made.next_id()
    values |= {"complaint_no": no, "is_named": reporter is not None, "grounds": said["grounds"], "received_on": act.today.isoformat()}
    if values["state"] == "complaint":
        values["due_on"] = complaint_rows.of_case(act.conn, no)["due_on"]  # type: ignore[index]  # it was made above
    act.append(made, "objection_received", {"complaint": no}, puts=[Put("objection", number, values, subject)])
    return {"objection": number, "complaint": no}


def handle(cases: Cases, act: Act, objection_id: int, said: Mapping[str, Any]) -> dict[str, Any]:
    """What the street makes of an objection to a notice: taken up, the case records it in the same act; or dismissed. `said`: as understood
    by ObjectionHandled. Refused where the case waits for no objection any more: then it goes on as the complaint that it is."""
    row = seen(act.conn, act.actor, objection_id)
    if (told := act.recall()) is not None:
        return told  # type: ignore[no-any-return]
    held = act.actor.post_over(row["community"], HANDLERS)
    if held is None:
        raise Refused("objection-handler", "公示异议由本辖区的窗口经办人、审核人或投诉举报受理人处理", "Objections are handled by clerks, reviewers and complaint officers of the area")
    households.refuse_relative(act, row["household_id"])
    if row["state"] != "received":
        raise Conflict("这件异议已经处理", "This objection is handled already")
    act.through(held)
    state = "taken_up" if said["outcome"] == "take_up" else "dismissed"
    told = {"objection": objection_id, "state": state}
    act.remember(told)  # before the case's own answer, which a repeat would get otherwise
    if said["outcome"] == "take_up":
        grounds = act.keys.reveal("objection", "grounds", objection_id, row["grounds"])
        raised = {"objection_on": row["received_on"], "objector_kind": "resident" if row["is_named"] else "anonymous", "grounds": grounds}
        cases.receive_by_id(act, case_row(act.conn, row["case_no"])["id"], "objection", raised)
    made = act.open("objection", objection_id >> 16)
    values = {"state": state, "note": said.get("note") or None, "handled_by": act.actor.id, "handled_on": act.today.isoformat()}
    act.append(made, "objection_handled", {"outcome": said["outcome"]}, puts=[Put("objection", objection_id, values, made.subject)])
    return told


# -- who sees what: those who read cases there; who objected, nobody but the complaint officer (complaints.reveal)


def _theirs(actor: Actor) -> ColumnElement[bool]:
    return within(objection.c.community, readers.of_cases(actor).areas)


def seen(conn: Connection, actor: Actor, objection_id: int) -> Mapping[Any, Any]:
    row = conn.execute(select(objection).where(objection.c.id == objection_id, _theirs(actor))).mappings().one_or_none()
    if row is None:
        raise NotFound("没有这件公示异议")
    return row


def listed(conn: Connection, actor: Actor, *, state: str | None = None, display_id: int | None = None, page: int = 1, size: int = 25) -> Page:
    """Objections of the area: those to be handled first, then the newest."""
    where = [_theirs(actor)]
    if state:
        where.append(objection.c.state == state)
    if display_id is not None:
        where.append(objection.c.display_id == display_id)
    total = conn.scalar(select(func.count()).select_from(objection).where(*where)) or 0
    query = select(objection).where(*where).order_by(objection.c.state != "received", objection.c.id.desc()).limit(size).offset((page - 1) * size)
    return Page(list(conn.execute(query).mappings()), total, page, size)


def waiting(conn: Connection, actor: Actor) -> int:
    """How many the actor could handle now."""
    areas = actor.only(actor.roles & HANDLERS).areas
    return conn.scalar(select(func.count()).select_from(objection).where(objection.c.state == "received", within(objection.c.community, areas))) or 0


_SHOWN = ("id", "notice_id", "display_id", "household_id", "community", "case_no", "is_named", "received_on", "due_on", "state", "handled_by", "handled_on")


def told(conn: Connection, keys: BoundKeys, rows: Sequence[Mapping[Any, Any]], actor: Actor, on: date) -> list[dict[str, Any]]:
    """Objections in JSON. The complaint's number is told to those who read complaints there. may: what the actor can do now (handle)."""
    found = []
    for row in rows:
        sealed = {name: keys.reveal("objection", name, row["id"], row[name]) if row[name] else None for name in ("grounds", "note")}
        waits, reads = row["state"] == "received", actor.post_over(row["community"], complaints.READS) is not None
        found.append({**{name: row[name] for name in _SHOWN}, **sealed, "late": waits and row["due_on"] < on.isoformat(), "complaint_no": row["complaint_no"] if reads else None,
                      "may": ["handle"] if waits and actor.post_over(row["community"], HANDLERS) is not None else []})  # fmt: skip
    return found

