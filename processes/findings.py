"""审计发现: what an auditor finds fault with in a case, the handling unit's right of reply, and what the auditor makes of it.

A finding is a record of its own, so that auditing a case does not change the case. It names the entry with its seal: what
was found fault with cannot be exchanged afterwards. Nothing is decided before the unit has replied, or its time is over.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, false, func, or_, select

from engine import store
from engine.cases import Cases, acts_of
from engine.crypto import BoundKeys
from engine.errors import Conflict, Invalid, NotFound, Refused
from engine.model import SYSTEM, Actor, Put, read_body
from engine.office import Act, Record
from engine.queries import Page, case_row, case_tasks, within
from processes import calendar, law
from processes.finding_tables import finding, finding_reply

SEVERITIES = {"minor": ("一般", "Minor"), "serious": ("较重", "Serious"), "grave": ("严重", "Grave")}
STATES = {"open": ("待答复", "Waits for the reply"), "replied": ("已答复，待审计认定", "Replied, waits for the auditor"),
          "accepted": ("答复成立，已了结", "Reply accepted, closed"), "upheld": ("维持认定", "Upheld")}  # fmt: skip
REPLIERS = frozenset({"window_clerk", "civil_affairs_officer", "investigator", "reviewer", "street_leader", "means_checker", "spot_checker",
                      "district_examiner", "approver", "finance_officer", "supervisor", "meeting_secretary"})  # fmt: skip
MOST = 2000  # characters of what is written
_UNSETTLED = ("open", "replied")


@dataclass(frozen=True, slots=True)
class Finding:
    """What an auditor writes. entry: number in the case's record; None: the case as a whole."""

    severity: str
    article: str
    text: str
    entry: int | None = None


def raise_on(act: Act, cases: Cases, no: str, said: Finding) -> dict[str, Any]:
    """An auditor writes a finding down. Returns {"finding", "case", "state", "due_on"}."""
    if (told := act.recall()) is not None:
        return told  # type: ignore[no-any-return]
    case = case_row(act.conn, no)
    _auditor(act.actor, case["unit"])
    acted = {one.staff for one in acts_of(case["opened_by"], case_tasks(act.conn, case["id"]))}
    if act.actor.id in acted:
        raise Refused("own-case", "您经办过这件个案，不能审计", "You have worked on this case: somebody else audits it")
    cases.refuse_relatives(act, case["id"])
    text = _written(said)
    entry = _entry(act.conn, case["id"], said.entry)
    unit = str(entry["unit"] or case["unit"])
    subject = case["subject"] or f"case:{case['id']}"
    act.through(act.actor.post_over(case["unit"], ("auditor",)))
    record = act.new("finding", case["unit"], subject=subject)
    due = last_day(act.today, act.office.published)
    values = {
        "case_no": no, "entry": said.entry, "unit": unit, "severity": said.severity, "article": said.article.strip(), "text": text,
        "raised_by": act.actor.id, "raised_on": act.today.isoformat(), "due_on": due.isoformat(), "state": "open", "settled_by": None, "settled_on": None,
    }  # fmt: skip
    row_id = record.next_id()
    act.append(record, "finding_raised", {"case": no, **({"entry": said.entry, "leaf": entry["leaf"]} if said.entry else {})},
               puts=[Put("finding", row_id, values, subject)])  # fmt: skip
    told = {"finding": row_id, "case": no, "state": "open", "due_on": due.isoformat()}
    act.remember(told)
    return told


def reply(act: Act, finding_id: int, text: str) -> dict[str, Any]:
    """Somebody of the handling unit replies; more than once, until the auditor has decided."""
    record, row = _opened(act, finding_id)
    if (told := act.recall()) is not None:
        return told  # type: ignore[no-any-return]
    post = act.actor.post_over(row["unit"], REPLIERS)
    if post is None:
        raise Refused("handling-unit", "由被审计机构的经办人员或主管答复", "The handling unit's people reply")
    if act.actor.id == row["raised_by"]:
        raise Refused("own-finding", "不能答复本人提出的审计发现", "Nobody replies to his own finding")
    act.through(post)
    return _said(act, record, row, "reply", _text(text), "replied")


def settle(act: Act, finding_id: int, outcome: str, text: str) -> dict[str, Any]:
    """The auditor accepts the reply, or upholds the finding. `outcome`: accepted | upheld. Not before the reply, or its last day."""
    record, row = _opened(act, finding_id)
    if (told := act.recall()) is not None:
        return told  # type: ignore[no-any-return]
    _auditor(act.actor, row["unit"])
    if outcome not in ("accepted", "upheld"):
        raise Invalid({"outcome": ["请选择：答复成立（accepted）或维持认定（upheld）"]})
    if row["state"] == "open" and (outcome == "accepted" or act.today.isoformat() <= row["due_on"]):
        raise Refused("right-of-reply", f"被审计机构还没有答复，答复期限至 {row['due_on']}", f"The unit has not replied yet; it may until {row['due_on']}")
    act.through(act.actor.post_over(row["unit"], ("auditor",)))
    return _said(act, record, row, "verdict", _text(text), outcome)


def _said(act: Act, record: Record, row: Mapping[Any, Any], kind: str, text: str, state: str) -> dict[str, Any]:
    subject = str(record.subject)
    today = act.today.isoformat()
    late = kind == "reply" and today > row["due_on"]
    values = {"finding_id": row["id"], "kind": kind, "staff": act.actor.id, "said_on": today, "late": late, "text": text}
    changed = {"state": state, **({"settled_by": act.actor.id, "settled_on": today} if kind == "verdict" else {})}
    event = "finding_replied" if kind == "reply" else f"finding_{state}"
    act.append(record, event, {"case": row["case_no"]}, puts=[Put("finding_reply", record.next_id(), values, subject), Put("finding", row["id"], changed)])
    told = {"finding": row["id"], "case": row["case_no"], "state": state, "due_on": row["due_on"]}
    act.remember(told)
    return told


def _opened(act: Act, finding_id: int) -> tuple[Record, Mapping[Any, Any]]:
    """The finding, locked. NotFound for who may not read it."""
    seen(act.conn, act.actor, finding_id)
    record = act.open("finding", finding_id >> 16)
    row = act.conn.execute(select(finding).where(finding.c.id == finding_id)).mappings().one()
    if row["state"] not in _UNSETTLED:
        raise Conflict("这项审计发现已经了结", "This finding is settled already")
    return record, row


def _auditor(actor: Actor, unit: str) -> None:
    if not actor.holds("auditor", unit):
        raise Refused("auditor", "审计发现由有管辖权的审计人员提出和认定", "Auditors of the area raise findings and decide on them")


def _entry(conn: Connection, case_id: int, seq: int | None) -> dict[str, Any]:
    """Seal of an entry, and the unit of who made it (None: a machine, or the case as a whole)."""
    if seq is None:
        return {"unit": None}
    row = conn.execute(select(store.entry.c.body, store.entry.c.leaf).where(store.entry.c.record_id == case_id, store.entry.c.seq == seq)).one_or_none()
    if row is None:
        raise Invalid({"entry": ["个案没有这一条记录"]})
    actor = read_body(row.body)["actor"]
    return {"leaf": row.leaf, "unit": None if actor["id"] == SYSTEM.id else actor.get("unit") or None}


def _written(said: Finding) -> str:
    wrong: dict[str, list[str]] = {}
    if said.severity not in SEVERITIES:
        wrong["severity"] = ["请选择问题程度"]
    if not said.article.strip() or len(said.article) > 200:
        wrong["article"] = ["请写明依据的条款，最多 200 字"]
    try:
        text = _text(said.text)
    except Invalid as error:
        raise Invalid(wrong | error.fields) from None
    if wrong:
        raise Invalid(wrong)
    return text


def _text(text: str) -> str:
    if not text.strip() or len(text) > MOST:
        raise Invalid({"text": [f"请写明内容，最多 {MOST} 字"]})
    return text.strip()


def last_day(raised: date, published: int | None) -> date:
    """Until when the unit may reply to a finding of this day."""
    return calendar.add_workdays(raised, reply_workdays(raised), published)


def reply_workdays(today: date) -> int:
    return int(law.value("finding_reply_workdays", today).amount)


# -- who sees what


def _theirs(actor: Actor) -> ColumnElement[bool]:
    """Findings on the actor's units, and for auditors those of their area."""
    own = [actor.only(REPLIERS).areas, actor.only({"auditor"}).areas]
    return or_(false(), *(within(finding.c.unit, areas) for areas in own if areas))


def reads(actor: Actor, unit: str) -> bool:
    return actor.holds("auditor", unit) or actor.post_over(unit, REPLIERS) is not None


def seen(conn: Connection, actor: Actor, finding_id: int) -> Mapping[Any, Any]:
    """The row; NotFound for who may not read it."""
    row = conn.execute(select(finding).where(finding.c.id == finding_id)).mappings().one_or_none()
    if row is None or not reads(actor, row["unit"]):
        raise NotFound("没有这项审计发现")
    return row


def waiting(conn: Connection, actor: Actor) -> int:
    """How many wait for the actor: for his unit's reply, or as an auditor's for a decision."""
    handles, audits = actor.only(REPLIERS).areas, actor.only({"auditor"}).areas
    mine = and_(finding.c.state == "open", within(finding.c.unit, handles), finding.c.raised_by != actor.id) if handles else false()
    judged = and_(finding.c.state == "replied", within(finding.c.unit, audits)) if audits else false()
    if not handles and not audits:
        return 0
    return conn.scalar(select(func.count()).select_from(finding).where(or_(mine, judged))) or 0


def listed(conn: Connection, actor: Actor, *, state: str | None = None, case_no: str | None = None, page: int = 1, size: int = 25) -> Page:
    """The findings that the actor reads, those that are due first, then the newest. `state`: one of STATES, or "unsettled"."""
    where = [_theirs(actor)]
    if case_no:
        where.append(finding.c.case_no == case_no)
    if state:
        where.append(finding.c.state.in_(_UNSETTLED) if state == "unsettled" else finding.c.state == state)
    total = conn.scalar(select(func.count()).select_from(finding).where(*where)) or 0
    first = (finding.c.state != "open", finding.c.state != "replied", finding.c.id.desc())
    query = select(finding).where(*where).order_by(*first).limit(size).offset((page - 1) * size)
    return Page(list(conn.execute(query).mappings()), total, page, size)


def told(conn: Connection, keys: BoundKeys, rows: Sequence[Mapping[Any, Any]], actor: Actor, today: date) -> list[dict[str, Any]]:
    """Findings in JSON with what was said about each. may: what the actor can do with it now; late: working days past the reply's last day."""
    ids = [row["id"] for row in rows]
    answers = conn.execute(select(finding_reply).where(finding_reply.c.finding_id.in_(ids)).order_by(finding_reply.c.id)).mappings().all() if ids else []
    return [_told(keys, row, [a for a in answers if a["finding_id"] == row["id"]], actor, today) for row in rows]


def _told(keys: BoundKeys, row: Mapping[Any, Any], answers: Sequence[Mapping[Any, Any]], actor: Actor, today: date) -> dict[str, Any]:
    shown = ("id", "case_no", "entry", "unit", "severity", "article", "raised_by", "raised_on", "due_on", "state", "settled_by", "settled_on")
    past = row["state"] == "open" and today.isoformat() > row["due_on"]
    unsettled = row["state"] in _UNSETTLED
    audits = actor.holds("auditor", row["unit"])
    replies = unsettled and actor.id != row["raised_by"] and actor.post_over(row["unit"], REPLIERS) is not None
    may = [verb for verb, allowed in (("reply", replies), ("accept", audits and row["state"] == "replied"), ("uphold", audits and (row["state"] == "replied" or past))) if allowed]
    said = [{"kind": a["kind"], "staff": a["staff"], "said_on": a["said_on"], "late": a["late"], "text": keys.reveal("finding_reply", "text", a["id"], a["text"])} for a in answers]
    late = max(1, calendar.workdays_between(date.fromisoformat(row["due_on"]), today)) if past else 0
    return {**{name: row[name] for name in shown}, "text": keys.reveal("finding", "text", row["id"], row["text"]), "late": late, "may": may, "said": said}
