"""Who looked at what, and who administered what: both read from the records, where they were written by those acts.

Readers have records of their own (processes/readers.py). Administration has no record of its own: its entries stand with
the staff member, the proposed change, the unit, the batch, the sample or the case that it concerned, and are brought
together here. Bodies are looked through by the database, without an index; they are read, and reasons opened, only for the lines of the
page that is shown.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, LargeBinary, and_, func, literal, not_, or_, select

from engine import store
from engine.crypto import BoundKeys
from engine.errors import Invalid, NotFound
from engine.model import Data, stamp
from engine.office import entries_at
from engine.queries import Area, Page, within
from processes.event_log import midnight
from processes.tables import document, household_member

READS = {
    "document_read": ("查看材料", "Document read"),
    "field_revealed": ("查看明文", "Field shown in plain"),
    "health_revealed": ("查看健康信息", "Health shown in plain"),
    "case_replayed": ("回放个案", "Case replayed"),
    "case_read": ("查看个案", "Case read"),
    "evidence_exported": ("导出证据包", "Evidence exported"),
    "log_exported": ("导出事件日志", "Event log exported"),
    "payment_file_read": ("下载银行文件", "Bank file taken away"),
    "read_log_read": ("查看阅读日志", "Read log looked at"),
    "festival_list_read": ("查看两节补贴发放清单或银行文件", "List of festival payments, or its bank file"),
}
HEALTH = ("health", "labour_ability")  # fields whose reading is a reading of health
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
    "phone_set": ("登记公布的举报电话", "Published telephone set"),
    "settings_changed": ("系统设置变更", "Settings changed"),
    "task_transferred": ("转办", "Task transferred"),
    "task_delegated": ("委托", "Task delegated"),
    "delegation_ended": ("委托到期", "Delegation ended"),
    "tasks_handed_over": ("离职转办", "Tasks handed over"),
    "incident_opened": ("故障作业：发生", "Incident: came up"),
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
    "processing_restricted": ("限制处理个人信息", "Processing of personal data restricted"),
    "restriction_lifted": ("解除限制处理", "Restriction lifted"),
    "erasure_proposed": ("提出删除个人信息", "Erasure of personal data proposed"),
    "erased": ("删除个人信息", "Personal data erased"),
    "divergence_proposed": ("提出认可重演差异", "Acceptance of a difference proposed"),
    "divergence_accepted": ("认可重演差异", "Difference accepted"),
    "near_relative_revocation_asked": ("提出更正近亲属登记", "Near-relative statement: to be taken back"),
    "near_relative_revocation_refused": ("不同意更正近亲属登记", "Near-relative statement: stands"),
    "near_relative_revoked": ("更正近亲属登记", "Near-relative statement taken back"),
    "definition_proposed": ("提出部署", "Deployment proposed"),
    "definition_confirmed": ("确认部署", "Deployment confirmed"),
    "definition_withdrawn": ("撤回部署", "Deployment withdrawn"),
    "migration_proposed": ("提出个案迁移", "Migration of cases proposed"),
    "migration_confirmed": ("确认个案迁移", "Migration of cases confirmed"),
    "migration_withdrawn": ("撤回个案迁移", "Migration of cases withdrawn"),
    "divergence_refused": ("不认可重演差异", "Difference not accepted"),
}
_WHOLE = ("staff", "staff_change", "unit", "sample", "erasure", "divergence", "definition")  # kinds of records all of whose entries are administration
_ELSEWHERE = {  # kind of record -> how events begin that are administration there
    "case": ("incident_", "task_transferred", "task_delegated", "tasks_handed_over", "deadline_recomputed"),
    "standard_batch": ("standard_proposed", "standard_confirmed", "standard_withdrawn"), "campaign": ("review_round_begun",), "case_migration": ("migration_proposed", "migration_confirmed", "migration_withdrawn"), "household": ("near_relative_revo",),
}  # fmt: skip


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
        found = date.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or not 1900 <= found.year <= 2200:  # as in every form: the day after the last one there is none
        raise Invalid({name: ["日期应写作 2018-12-03"]})
    return found


# -- reads


def reads(conn: Connection, keys: BoundKeys, wanted: Wanted, page: int = 1, size: int = 50) -> Page:
    """A page of `Line`, the newest first."""
    if wanted.event and wanted.event not in READS:
        raise Invalid({"event": ["请从所列各项中选择"]})
    where = [store.record.c.kind == "reader", within(store.record.c.unit, wanted.area), *_when(conn, wanted)]
    if wanted.who:
        where.append(store.record.c.subject == f"staff:{wanted.who}")
    if wanted.event:
        health = or_(*(_has(conn, f'"field":"{name}"') for name in HEALTH))
        revealed = wanted.event in ("field_revealed", "health_revealed")
        where.append(_says(conn, "field_revealed" if revealed else wanted.event))
        where += [health if wanted.event == "health_revealed" else not_(health)] if revealed else []
    return _page(conn, keys, where, page, size, _read_about, _touching(conn, wanted.case) if wanted.case else None)


def _kind(line: Line) -> str:
    return "health_revealed" if line.event == "field_revealed" and line.data.get("field") in HEALTH else line.event


def _touching(conn: Connection, no: str) -> Any:
    """Whether what was read belongs to a case: its documents, or those of its household, its members' fields, the case
    itself, or the whole record with it."""
    subject = conn.scalar(select(store.record.c.subject).where(store.record.c.no == no, store.record.c.kind == "case"))
    if subject is None:
        raise NotFound("没有这件个案")
    house = int(subject.partition(":")[2]) if subject.startswith("household:") else 0
    papers = set(conn.scalars(select(document.c.id).where(or_(document.c.case_no == no, and_(document.c.household_id == house, document.c.case_no.is_(None))))))
    members = set(conn.scalars(select(household_member.c.person_id).where(household_member.c.household_id == house)))

    def touches(data: Data) -> bool:
        of = {"household": {house}, "person": members}.get(str(data.get("kind")), set())
        whole = data.get("cases") == []  # an export of the whole record: this case is among all others
        return whole or data.get("document") in papers or data.get("id") in of or no in (data.get("case"), *(data.get("cases") or ()))

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
    """A page of `Line`, the newest first: staff, posts, tokens, substitutes, hand-overs, incidents, standards, samples,
    restrictions and erasures of personal data, accepted differences of replays."""
    if wanted.event and wanted.event not in ADMIN:
        raise Invalid({"event": ["请从所列各项中选择"]})
    where = [within(store.record.c.unit, wanted.area), *_when(conn, wanted)]
    if wanted.event:
        where.append(_says(conn, wanted.event))
        if wanted.event == "erased":
            where.append(store.record.c.kind == "erasure")  # each record that held a part says so, too: that is the same act
    else:
        elsewhere = [and_(store.record.c.kind == kind, or_(*(_has(conn, f',"event":"{start}') for start in starts))) for kind, starts in _ELSEWHERE.items()]
        where.append(or_(store.record.c.kind.in_(_WHOLE), *elsewhere))
    if wanted.who:
        actor = func.substr(store.entry.c.body, 1, _place(conn, _AT))
        where.append(or_(_place(conn, f'"id":{json.dumps(wanted.who)}', actor) > 0, _place(conn, f'"for":{json.dumps(wanted.who)}', actor) > 0))
    if wanted.case:
        where.append(store.record.c.no == wanted.case)
    return _page(conn, keys, where, page, size, _admin_about)


def _admin_about(conn: Connection, lines: Sequence[Line]) -> list[dict[str, Any]]:
    rows = {row.id: row for row in conn.execute(select(store.record.c.id, store.record.c.no, store.record.c.kind, store.record.c.subject)
                                                .where(store.record.c.id.in_({one.record_id for one in lines})))}  # fmt: skip
    cases = {int(row.subject.partition(":")[2]) for row in rows.values() if row.kind == "divergence"}
    numbers = dict(conn.execute(select(store.record.c.id, store.record.c.no).where(store.record.c.id.in_(cases))).all()) if cases else {}
    found = []
    for one in lines:
        row = rows[one.record_id]
        login = one.data.get("login") or (row.subject or "").removeprefix("staff:") if row.kind in ("staff", "staff_change") else ""
        no = numbers.get(int(row.subject.partition(":")[2])) if row.kind == "divergence" else row.no
        found.append({"no": no, "kind": row.kind, "login": login or ""})
    return found


# -- both: the database looks into the stored bytes, which are canonical JSON (engine/model.py): what comes first stands first

_AT = '"at":"'  # after the actor, before everything else: the first one is the entry's own
_STAMP = 27  # characters of a moment


def _place(conn: Connection, text: str, within_: Any = None) -> ColumnElement[int]:
    """Where the text first stands in the bytes, from 1; 0: nowhere."""
    body, needle = store.entry.c.body if within_ is None else within_, literal(text.encode(), LargeBinary)
    return func.instr(body, needle) if conn.dialect.name == "sqlite" else func.pg_catalog.position(body, needle)


def _has(conn: Connection, text: str) -> ColumnElement[bool]:
    return _place(conn, text) > 0


def _says(conn: Connection, event: str) -> ColumnElement[bool]:
    """Entries of this event: it stands between the data and the kind of the record."""
    return _has(conn, f',"event":"{event}","kind":"')


def _moment(conn: Connection) -> ColumnElement[bytes]:
    """The entry's time, as its bytes say it: sorts as time does."""
    return func.substr(store.entry.c.body, _place(conn, _AT) + len(_AT), _STAMP, type_=LargeBinary)


def _when(conn: Connection, wanted: Wanted) -> list[ColumnElement[bool]]:
    found = []
    if wanted.from_on:
        found.append(_moment(conn) >= stamp(midnight(wanted.from_on)).encode())
    if wanted.until_on:
        found.append(_moment(conn) < stamp(midnight(wanted.until_on + timedelta(days=1))).encode())
    return found


def _page(conn: Connection, keys: BoundKeys, where: Sequence[Any], page: int, size: int, about: Any, only: Any = None) -> Page:
    """`only`: what the database cannot tell; then all that is left is read."""
    at = _moment(conn).label("at")
    columns = (store.entry.c.record_id, store.entry.c.seq, store.record.c.kind, at, *([store.entry.c.body] if only else []))
    query = select(*columns).join(store.record, store.record.c.id == store.entry.c.record_id).where(*where)
    listed = query.order_by(at.desc(), store.entry.c.record_id.desc(), store.entry.c.seq.desc())
    if only:
        rows = [row for row in conn.execute(listed) if only(json.loads(row.body).get("data", {}))]
        total, rows = len(rows), rows[(page - 1) * size : page * size]
    else:
        total = conn.scalar(select(func.count()).select_from(query.subquery())) or 0
        rows = list(conn.execute(listed.limit(size).offset((page - 1) * size)))
    kinds = {(row.record_id, row.seq): row.kind for row in rows}
    entries = entries_at(conn, keys, list(kinds)) if kinds else []
    lines = [Line(e.record_id, e.seq, e.at, e.actor, e.said["actor"].get("for", ""), e.said["actor"]["unit"], kinds[e.record_id, e.seq], e.event, e.data, {}, _reason(e.personal.values()))
             for e in entries]  # fmt: skip
    found = [replace(one, about=more) for one, more in zip(lines, about(conn, lines) if lines else [], strict=True)]
    return Page(found, total, page, size)  # type: ignore[arg-type]


def _reason(parts: Iterable[Any]) -> str | None:
    """What a personal part says as the reason. An erased part counts as a reason that cannot be read any more."""
    found: str | None = None
    for part in parts:
        if part is None:
            return ""
        said = part.get("said") or {}
        found = str(said["reason"]) if isinstance(said, dict) and said.get("reason") else found
    return found
