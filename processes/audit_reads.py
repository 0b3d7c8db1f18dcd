"""Who looked at what, and who administered what: both read from the records, where they were written by those acts.

Readers have records of their own (processes/readers.py). Administration has no record of its own: its entries stand with
the staff member, the proposed change, the unit, the batch, the sample or the case that it concerned, and are brought
together here. Bodies are looked through, which costs a second or so for 100,000 of them; reasons are opened only for the
lines of the page that is shown.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, func, literal, not_, or_, select

from engine import store
from engine.crypto import BoundKeys
from engine.errors import Invalid, NotFound
from engine.model import SHANGHAI, Data
from engine.office import entries_at
from engine.queries import Area, Page, within
from processes.tables import document, household_member

READS = {
    "document_read": ("查看材料", "Document read"),
    "field_revealed": ("查看明文", "Field shown in plain"),
    "health_revealed": ("查看健康信息", "Health shown in plain"),
    "case_replayed": ("回放个案", "Case replayed"),
    "case_read": ("查看个案", "Case read"),
    "evidence_exported": ("导出证据包", "Evidence exported"),
    "log_exported": ("导出事件日志", "Event log exported"),
    "read_log_read": ("查看阅读日志", "Read log looked at"),
}
ADMIN = {
    "units_listed": ("登记机构", "Units listed"),
    "staff_added": ("新增人员", "Staff added"),
    "posts_changed": ("变更岗位", "Posts changed"),
    "staff_deactivated": ("停用账号", "Staff deactivated"),
    "relative_declared": ("申报近亲属", "Near relative declared"),
    "change_proposed": ("提出人员变更", "Change of staff proposed"),
    "change_confirmed": ("确认人员变更", "Change of staff confirmed"),
    "change_refused": ("不同意人员变更", "Change of staff refused"),
    "token_made": ("发放令牌", "Token made"),
    "tokens_revoked": ("吊销令牌", "Tokens revoked"),
    "substitute_appointed": ("设定代理", "Substitute appointed"),
    "substitute_ended": ("结束代理", "Substitution ended"),
    "clock_moved": ("调整演示时钟", "Training clock moved"),
    "task_transferred": ("转办", "Task transferred"),
    "task_delegated": ("委托", "Task delegated"),
    "tasks_handed_over": ("离职转办", "Tasks handed over"),
    "incident_retried": ("故障作业：重试", "Incident: tried again"),
    "incident_skipped": ("故障作业：跳过", "Incident: skipped"),
    "incident_cancelled": ("故障作业：取消", "Incident: cancelled"),
    "deadline_recomputed": ("重算时限", "Deadline computed again"),
    "standard_proposed": ("提出调标", "New standard proposed"),
    "standard_confirmed": ("确认调标", "New standard confirmed"),
    "standard_withdrawn": ("撤回调标", "New standard withdrawn"),
    "review_round_begun": ("开始全面复核", "Round of reviews begun"),
    "sample_seed_committed": ("承诺抽样种子", "Seed of a sample committed"),
    "sample_drawn": ("抽取样本", "Sample drawn"),
}
_WHOLE = ("staff", "staff_change", "unit", "sample")  # kinds of records all of whose entries are administration
_ELSEWHERE = tuple(event for event in ADMIN if event.startswith(("task", "incident_", "deadline_", "standard_", "review_round")))


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a log is narrowed to; every part but the area may be left out. Days in Asia/Shanghai, both included."""

    area: Area
    who: str | None = None
    event: str | None = None
    case: str | None = None
    from_on: date | None = None
    until_on: date | None = None


@dataclass(frozen=True, slots=True)
class Line:
    record_id: int
    seq: int
    at: datetime
    who: str
    on_behalf_of: str
    unit: str
    kind: str  # of the record
    event: str
    data: Data
    about: Mapping[str, Any]  # where it leads: no, household_id, document kind, subject login … as far as there is one
    reason: str | None = None  # None: none was given; "" : it was, and is erased


def day(name: str, text: str | None) -> date | None:
    """A day of a query; Invalid when it is none."""
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Invalid({name: ["日期应写作 2018-12-03"]}) from None


# -- reads


def reads(conn: Connection, keys: BoundKeys, wanted: Wanted, page: int = 1, size: int = 50) -> Page:
    """A page of `Line`, the newest first."""
    if wanted.event and wanted.event not in READS:
        raise Invalid({"event": ["请从所列各项中选择"]})
    where = [store.record.c.kind == "reader", within(store.record.c.unit, wanted.area)]
    if wanted.who:
        where.append(store.record.c.subject == f"staff:{wanted.who}")
    found = [one for one in _lines(conn, where) if _fits(one, wanted) and (wanted.event is None or _kind(one) == wanted.event)]
    if wanted.case:
        touches = _touching(conn, wanted.case)
        found = [one for one in found if touches(one.data)]
    return _page(conn, keys, found, page, size, _read_about)


def _kind(line: Line) -> str:
    return "health_revealed" if line.event == "field_revealed" and line.data.get("field") == "health" else line.event


def _touching(conn: Connection, no: str) -> Any:
    """Whether what was read belongs to a case: its documents, or those of its household, its members' fields, the case itself."""
    subject = conn.scalar(select(store.record.c.subject).where(store.record.c.no == no, store.record.c.kind == "case"))
    if subject is None:
        raise NotFound("没有这件个案")
    house = int(subject.partition(":")[2]) if subject.startswith("household:") else 0
    papers = set(conn.scalars(select(document.c.id).where(or_(document.c.case_no == no, and_(document.c.household_id == house, document.c.case_no.is_(None))))))
    members = set(conn.scalars(select(household_member.c.person_id).where(household_member.c.household_id == house)))

    def touches(data: Data) -> bool:
        of = {"household": {house}, "person": members}.get(str(data.get("kind")), set())
        return data.get("document") in papers or data.get("id") in of or no in (data.get("case"), *(data.get("cases") or ()))

    return touches


def _read_about(conn: Connection, lines: Sequence[Line]) -> list[dict[str, Any]]:
    papers = {row.id: row for row in conn.execute(select(document.c.id, document.c.kind, document.c.case_no, document.c.household_id)
                                                  .where(document.c.id.in_({one.data["document"] for one in lines if "document" in one.data})))}  # fmt: skip
    persons = {one.data["id"] for one in lines if one.data.get("kind") == "person"}
    homes = {row.person_id: row.household_id for row in conn.execute(select(household_member.c.person_id, household_member.c.household_id).where(household_member.c.person_id.in_(persons)))}
    found = []
    for one in lines:
        paper, kind = papers.get(one.data.get("document")), one.data.get("kind")
        house = paper.household_id if paper else one.data["id"] if kind == "household" else homes.get(one.data.get("id")) if kind == "person" else None
        found.append({"no": paper.case_no if paper else one.data.get("case"), "household_id": house, "document": paper.kind if paper else None,
                      "field": one.data.get("field"), "kind": _kind(one)})  # fmt: skip
    return found


# -- administration


def administered(conn: Connection, keys: BoundKeys, wanted: Wanted, page: int = 1, size: int = 50) -> Page:
    """A page of `Line`, the newest first: staff, posts, tokens, substitutes, hand-overs, incidents, standards, samples."""
    if wanted.event and wanted.event not in ADMIN:
        raise Invalid({"event": ["请从所列各项中选择"]})
    whole = store.record.c.kind.in_(_WHOLE)
    mentioned = [_says(conn, event) for event in ([wanted.event] if wanted.event else _ELSEWHERE) if event in _ELSEWHERE]
    where = [within(store.record.c.unit, wanted.area), or_(whole, and_(not_(whole), or_(*mentioned))) if mentioned else whole]
    found = [one for one in _lines(conn, where) if _fits(one, wanted) and (one.kind in _WHOLE or one.event in _ELSEWHERE) and wanted.event in (None, one.event)]
    if wanted.case:
        number = conn.scalar(select(store.record.c.id).where(store.record.c.no == wanted.case, store.record.c.kind == "case"))
        found = [one for one in found if one.record_id == number]
    return _page(conn, keys, found, page, size, _admin_about)


def _says(conn: Connection, event: str) -> ColumnElement[bool]:
    """Entries whose bytes name the event: looked for by the database, so that those of all cases need not be brought here."""
    needle = literal(f'"event":"{event}"'.encode())
    found = func.instr(store.entry.c.body, needle) if conn.dialect.name == "sqlite" else func.pg_catalog.position(store.entry.c.body, needle)
    return found > 0


def _admin_about(conn: Connection, lines: Sequence[Line]) -> list[dict[str, Any]]:
    rows = {row.id: row for row in conn.execute(select(store.record.c.id, store.record.c.no, store.record.c.kind, store.record.c.subject)
                                                .where(store.record.c.id.in_({one.record_id for one in lines})))}  # fmt: skip
    found = []
    for one in lines:
        row = rows[one.record_id]
        login = one.data.get("login") or (row.subject or "").removeprefix("staff:") if row.kind in ("staff", "staff_change") else ""
        found.append({"no": row.no, "kind": row.kind, "login": login or ""})
    return found


# -- both


def _lines(conn: Connection, where: Sequence[Any]) -> list[Line]:
    query = select(store.entry.c.record_id, store.entry.c.seq, store.entry.c.body, store.record.c.kind).join(store.record, store.record.c.id == store.entry.c.record_id).where(*where)
    found = []
    for record_id, seq, body, kind in conn.execute(query):
        said = json.loads(body)
        who = said["actor"]
        found.append(Line(record_id, seq, datetime.fromisoformat(said["at"]), who["id"], who.get("for", ""), who["unit"], kind, said["event"], said.get("data", {}), {}))
    return sorted(found, key=lambda one: (one.at, one.record_id, one.seq), reverse=True)


def _fits(line: Line, wanted: Wanted) -> bool:
    on = line.at.astimezone(SHANGHAI).date()
    return (
        (wanted.who is None or wanted.who in (line.who, line.on_behalf_of))
        and (wanted.from_on is None or on >= wanted.from_on)
        and (wanted.until_on is None or on <= wanted.until_on)
    )


def _page(conn: Connection, keys: BoundKeys, found: Sequence[Line], page: int, size: int, about: Any) -> Page:
    shown = found[(page - 1) * size : page * size]
    opened = {(e.record_id, e.seq): _reason(e.personal.values()) for e in entries_at(conn, keys, [(one.record_id, one.seq) for one in shown])} if shown else {}
    lines = [Line(one.record_id, one.seq, one.at, one.who, one.on_behalf_of, one.unit, one.kind, one.event, one.data, more, opened.get((one.record_id, one.seq)))
             for one, more in zip(shown, about(conn, shown) if shown else [], strict=True)]  # fmt: skip
    return Page(lines, len(found), page, size)  # type: ignore[arg-type]


def _reason(parts: Iterable[Any]) -> str | None:
    """What a personal part says as the reason. An erased part counts as a reason that cannot be read any more."""
    found: str | None = None
    for part in parts:
        if part is None:
            return ""
        said = part.get("said") or {}
        found = str(said["reason"]) if isinstance(said, dict) and said.get("reason") else found
    return found
