"""Reads of the one window: intakes of an area, transfers of a department, one of each in full, and what the public sees of its own.

Whose turn it is follows from the rows: a part is open until it is done, or the case that it began is closed.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, exists, func, not_, or_, select

from engine import store
from engine.crypto import BoundKeys, Keys
from engine.errors import NotFound
from engine.model import SHANGHAI, Actor
from engine.queries import Page, within
from processes import households, organisation, programmes, readers, routing
from processes.audit import facts_of
from processes.eligibility_facts import BadFacts
from processes.intake_forms import UNKNOWN
from processes.intake_tables import intake, intake_part, intake_transfer
from processes.tables import household, person

STATES = {
    "to_decide": ("待判断适用救助", "To find out what fits"), "to_start": ("待发起个案", "Case to be begun"), "case": ("个案办理中", "Case under way"), "sent": ("已转办，待接办", "Transferred, to be taken"),
    "accepted": ("承办部门办理中", "With the department"), "returned": ("部门退回，待重新转办", "Returned by the department"), "referred": ("已转介慈善", "Referred to a charity"),
    "done": ("已办结", "Finished"),
}  # fmt: skip
TRANSFER_STATES = {"sent": ("待接办", "To be taken"), "accepted": ("办理中", "Under way"), "returned": ("已退回窗口", "Returned"), "done": ("已反馈", "Answered"), "recalled": ("申请人撤回", "Withdrawn")}
OUTCOMES = [("granted", "已批准", "Granted"), ("refused", "不予批准", "Refused"), ("withdrawn", "已撤回", "Withdrawn"), ("closed", "已办结", "Finished")]
ROUTED = ("routed", "已确定事项", "What fits was found")
WORKERS: Mapping[str, frozenset[str]] = {"department": frozenset({"department_worker"}), "meeting": frozenset({"meeting_secretary"})}
_HANDLING = frozenset().union(*WORKERS.values())
_CLOSED = exists().where(store.record.c.no == intake_part.c.case_no, store.record.c.kind == "case", store.record.c.closed_at.is_not(None)).correlate(intake_part)
_OPEN: ColumnElement[bool] = and_(intake_part.c.state != "done", or_(intake_part.c.state != "case", not_(_CLOSED)))


# -- who sees what


def _theirs(actor: Actor) -> ColumnElement[bool]:
    """Intakes of the area of who reads cases there; of others those that they took or answer for."""
    return or_(within(intake.c.community, readers.of_cases(actor).areas), intake.c.taken_by == actor.id, intake.c.answerable == actor.id)


def seen(conn: Connection, actor: Actor, intake_id: int) -> Mapping[Any, Any]:
    """The row; NotFound for who may not read it."""
    row = conn.execute(select(intake).where(intake.c.id == intake_id, _theirs(actor))).mappings().one_or_none()
    if row is None:
        raise NotFound("没有这件受理")
    return row


def part_seen(conn: Connection, actor: Actor, part_id: int) -> tuple[Mapping[Any, Any], Mapping[Any, Any]]:
    """(intake, part); NotFound for who may not read it."""
    part = conn.execute(select(intake_part).where(intake_part.c.id == part_id)).mappings().one_or_none()
    if part is None:
        raise NotFound("没有这件受理")
    return seen(conn, actor, part["intake_id"]), part


def _handled(actor: Actor) -> ColumnElement[bool]:
    """Transfers to where the actor works: his department, or the office of the joint meeting."""
    return or_(*(and_(intake_transfer.c.kind == kind, within(intake_transfer.c.to_unit, actor.only(actor.roles & roles).areas)) for kind, roles in WORKERS.items()))


def works(actor: Actor, transfer: Mapping[Any, Any]) -> str | None:
    """The unit of the post in which the actor handles a transfer; None where he does not."""
    return actor.post_over(transfer["to_unit"], WORKERS[transfer["kind"]]) if transfer["kind"] in WORKERS else None


def handles(actor: Actor) -> bool:
    """Whether the actor handles transfers anywhere."""
    return not actor.roles.isdisjoint(_HANDLING)


_JOINED = select(intake_transfer, intake_part.c.programme, intake_part.c.intake_id, intake.c.no, intake.c.community, intake.c.answerable).join(
    intake_part, intake_part.c.id == intake_transfer.c.part_id).join(intake, intake.c.id == intake_part.c.intake_id)  # fmt: skip


def transfer_seen(conn: Connection, actor: Actor, transfer_id: int) -> Mapping[Any, Any]:
    """A transfer with programme, intake_id, no, community, answerable; NotFound for who neither handles it nor reads the intake."""
    row = conn.execute(_JOINED.where(intake_transfer.c.id == transfer_id, or_(_theirs(actor), _handled(actor)))).mappings().one_or_none()
    if row is None:
        raise NotFound("没有这件转办")
    return row


# -- lists


@dataclass(frozen=True, slots=True)
class Filter:
    """What the list is narrowed to; every part may be left out. late: somebody's turn is over; answerable: login."""

    open: bool | None = None
    late: bool = False
    answerable: str | None = None
    programme: str | None = None
    no: str | None = None
    household_id: int | None = None


def listed(conn: Connection, actor: Actor, wanted: Filter, today: date, *, page: int = 1, size: int = 25) -> Page:
    """Intakes that the actor reads, the newest first."""
    mine = intake_part.c.intake_id == intake.c.id
    where = [_theirs(actor)]
    if wanted.open is not None:
        one = exists().where(mine, _OPEN)
        where.append(one if wanted.open else not_(one))
    if wanted.late:
        where.append(exists().where(mine, _OPEN, intake_part.c.due_on < today.isoformat()))
    if wanted.programme:
        where.append(exists().where(mine, intake_part.c.programme == wanted.programme))
    where += [intake.c[name] == value for name in ("answerable", "no", "household_id") if (value := getattr(wanted, name)) is not None]
    return _page(conn, select(intake).where(*where), intake.c.id.desc(), page, size)


def _page(conn: Connection, query: Select[Any], order: Any, page: int, size: int) -> Page:
    total = conn.scalar(select(func.count()).select_from(query.subquery())) or 0
    return Page(list(conn.execute(query.order_by(order).limit(size).offset((page - 1) * size)).mappings()), total, page, size)


def transfers(conn: Connection, actor: Actor, today: date, *, state: str | None = None, late: bool = False, unit: str | None = None, mine: bool = False,
              page: int = 1, size: int = 25) -> Page:  # fmt: skip
    """Transfers of the actor's department, or of the intakes that he reads: what is due first. mine: only those that he handles."""
    where = [_handled(actor) if mine else or_(_theirs(actor), _handled(actor))]
    if state:
        where.append(intake_transfer.c.state == state)
    if late:
        where += [intake_transfer.c.state.in_(("sent", "accepted")), intake_transfer.c.due_on < today.isoformat()]
    if unit:
        where.append(intake_transfer.c.to_unit == unit)
    query = _JOINED.where(*where)
    total = conn.scalar(select(func.count()).select_from(query.with_only_columns(intake_transfer.c.id).subquery())) or 0
    waits = intake_transfer.c.state.in_(("sent", "accepted"))
    rows = conn.execute(query.order_by(not_(waits), intake_transfer.c.due_on.is_(None), intake_transfer.c.due_on, intake_transfer.c.id.desc()).limit(size).offset((page - 1) * size))
    return Page(list(rows.mappings()), total, page, size)


def waiting(conn: Connection, actor: Actor) -> int:
    """How many transfers wait for the actor's department."""
    if not handles(actor):
        return 0
    return conn.scalar(select(func.count()).select_from(intake_transfer).where(_handled(actor), intake_transfer.c.state.in_(("sent", "accepted")))) or 0


# -- one of each


def parts_of(conn: Connection, intake_id: int) -> list[dict[str, Any]]:
    """The parts of an intake in their order, each with `open`."""
    query = select(intake_part, _OPEN.label("open")).where(intake_part.c.intake_id == intake_id).order_by(intake_part.c.id)
    return [{**row, "open": bool(row["open"])} for row in conn.execute(query).mappings()]


def last_transfer(conn: Connection, part_id: int) -> Mapping[Any, Any] | None:
    query = select(intake_transfer).where(intake_transfer.c.part_id == part_id).order_by(intake_transfer.c.id.desc()).limit(1)
    return conn.execute(query).mappings().one_or_none()


_SHOWN = ("id", "no", "street", "community", "household_id", "requester", "channel", "received_on", "recorded_on", "taken_by", "answerable", "lead_id")
_PART = ("id", "programme", "state", "due_on", "case_no", "result", "result_by", "result_on", "open")
_TRANSFER = ("id", "part_id", "kind", "to_unit", "sent_by", "sent_on", "due_on", "state", "accepted_by", "accepted_on", "returned_by", "returned_on", "next_unit",
             "result", "result_by", "result_on", "meeting_no")  # fmt: skip


def told(conn: Connection, keys: BoundKeys, row: Mapping[Any, Any], actor: Actor, today: date | None = None) -> dict[str, Any]:
    """An intake in JSON: its columns but the code's digest, `person` (whom it is about), `open`, `late`, `parts` each with `outcome` (of its
    case), `late`, `may` (what the actor can do now) and `transfers`."""
    sealed = {name: _text(keys, "intake", row, name) for name in ("known_as", "requester_name", "phone", "need")}
    sent: dict[int, list[dict[str, Any]]] = {}
    parts = parts_of(conn, row["id"])
    query = select(intake_transfer).where(intake_transfer.c.part_id.in_([one["id"] for one in parts])).order_by(intake_transfer.c.id)
    for one in conn.execute(query).mappings():
        sent.setdefault(one["part_id"], []).append(transfer_told(keys, one, today))
    window = actor.post_over(row["community"], ("window_clerk", "civil_affairs_officer")) is not None
    listed = [_part(conn, keys, one, sent.get(one["id"], []), today, window=window) for one in parts]
    return {**{name: row[name] for name in _SHOWN}, **sealed, "person": whom(conn, row["household_id"]) or sealed["known_as"] or "",
            "open": any(one["open"] for one in parts), "late": any(one["late"] for one in listed), "parts": listed}  # fmt: skip


def whom(conn: Connection, household_id: int | None) -> str | None:
    """The name of a household's applicant."""
    if household_id is None:
        return None
    return conn.scalar(select(person.c.name).join(household, household.c.applicant_id == person.c.id).where(household.c.id == household_id))


def _part(conn: Connection, keys: BoundKeys, row: Mapping[Any, Any], sent: list[dict[str, Any]], today: date | None, *, window: bool) -> dict[str, Any]:
    may = {"to_decide": ["transfer", "charity", "meeting", "result"], "to_start": ["case", "charity", "meeting", "result"],
           "returned": ["transfer", "charity", "meeting", "result"], "referred": ["result"], "sent": ["result"], "accepted": ["result"]}.get(row["state"], [])  # fmt: skip
    late = row["open"] and today is not None and (row["due_on"] or "9999") < today.isoformat()
    return {**{name: row[name] for name in _PART}, "result_text": _text(keys, "intake_part", row, "result_text"), "late": late,
            "outcome": _outcome(conn, row["case_no"]), "may": may if window else [], "transfers": sent}  # fmt: skip


def _outcome(conn: Connection, case_no: str | None) -> str | None:
    """granted | refused | withdrawn | closed: how the part's case ended; None while it is open."""
    if case_no is None:
        return None
    row = conn.execute(select(store.record.c.state, store.record.c.closed_at).where(store.record.c.no == case_no)).one()
    if row.closed_at is None:
        return None
    facts = facts_of(row.state)
    return "withdrawn" if facts.get("withdrawn_on") else str(facts.get("decision") or "closed")


def transfer_told(keys: BoundKeys, row: Mapping[Any, Any], today: date | None = None) -> dict[str, Any]:
    sealed = {name: _text(keys, "intake_transfer", row, name) for name in ("to_name", "note", "reason", "next_address", "result_text")}
    late = today is not None and row["state"] in ("sent", "accepted") and (row["due_on"] or "9999") < today.isoformat()
    return {**{name: row[name] for name in _TRANSFER}, **sealed, "late": late}


def transfer_in_full(conn: Connection, keys: BoundKeys, row: Mapping[Any, Any], actor: Actor, today: date) -> dict[str, Any]:
    """A transfer as the department needs it: of `transfer_seen`, with no, programme, person, phone, need, who asked, the window's clerk,
    and `may`. Nothing of the intake's other parts."""
    of = conn.execute(select(intake).where(intake.c.id == row["intake_id"])).mappings().one()
    may = {"sent": ["acceptance", "return"], "accepted": ["result", "return"]}.get(row["state"], []) if works(actor, row) else []
    return {**transfer_told(keys, row, today), "no": of["no"], "intake_id": of["id"], "programme": row["programme"], "community": of["community"],
            "person": whom(conn, of["household_id"]) or _text(keys, "intake", of, "known_as") or "", "requester": of["requester"],
            **{name: _text(keys, "intake", of, name) for name in ("requester_name", "phone", "need")}, "received_on": of["received_on"],
            "answerable": of["answerable"], "may": may}  # fmt: skip


def _text(keys: BoundKeys, table: str, row: Mapping[Any, Any], name: str) -> str | None:
    return keys.reveal(table, name, row["id"], row[name]) if row[name] else None


# -- who does not know


def proposal(conn: Connection, keys: BoundKeys, row: Mapping[Any, Any], today: date, facts: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """What may fit, by the assessment that everybody may ask for (`programmes.assess`): of the registered household as it is known, or of
    `facts` told at the window. {"fits", "ask": programmes, "assessment"}. Raises BadFacts; no decision, and nothing is stored."""
    if facts is None:
        if row["household_id"] is None:
            raise BadFacts({"household_id": ["没有登记家庭，请填写家庭情况后测算"]})
        facts = households.snapshot(conn, keys, row["household_id"], today)
    facts = {"benefit_month": f"{today:%Y-%m}", "applied_on": today.isoformat(), **facts, "community": facts.get("community") or None}
    found = programmes.assess(facts)
    verdicts = {one["programme"]: one["verdict"] for one in found["programmes"]}
    return {"fits": [name for name, verdict in verdicts.items() if verdict == programmes.FITS],
            "ask": [name for name, verdict in verdicts.items() if verdict == programmes.ASK], "assessment": found}  # fmt: skip


# -- the public


_STAGES = (("applied_on", "申请已登记", "Application registered"), ("accepted_on", "申请已受理", "Application accepted"), ("survey_ended_on", "家庭情况调查", "Investigation"),
           ("submitted_on", "街镇审核", "Opinion of the street"), ("decided_on", "作出决定", "Decision"), ("closed", "办结", "Finished"))  # fmt: skip


def hashed(keys: Keys | BoundKeys, no: str, code: str) -> str:
    """The keyed digest under which a query code is kept."""
    return keys.blind(f"intake-code:{no}:{code}")


def progress(conn: Connection, keys: Keys | BoundKeys, no: str, code: str) -> list[dict[str, Any]] | None:
    """Where an intake stands, for who has the number and the query code of its slip; None for a wrong one of either, after the same work.

    Steps in order, without personal data: {programme (None: of the whole), title, title_en, zh, en, on (ISO day, None: not yet), until (last
    day of whose turn it is, None: none or done), state ("done" | "now" | "next"), n, of}. How it ended is told by the written answer alone."""
    no, code = no.strip().upper(), "".join(code.split()).upper()
    row = conn.execute(select(intake.c.id, intake.c.code_hash, intake.c.received_on).where(intake.c.no == no)).mappings().one_or_none()
    kept = row["code_hash"] if row is not None else "0" * 32
    right = hmac.compare_digest(kept, hashed(keys, no, code))
    if row is None or not right:
        return None
    steps = [_step(None, "窗口已受理", "Taken in at the window", on=row["received_on"], n=1, of=1)]
    for part in parts_of(conn, row["id"]):
        steps += _of_case(conn, part) if part["case_no"] else _of_part(conn, part)
    return steps


def _step(programme: str | None, zh: str, en: str, *, on: str | None, n: int, of: int, state: str = "done", until: str | None = None) -> dict[str, Any]:
    title = {UNKNOWN: ("判断适用的救助", "Finding out what fits"), None: ("一门受理", "One window")}.get(programme) or routing.PROGRAMMES[str(programme)]
    return {"programme": programme, "title": title[0], "title_en": title[1], "zh": zh, "en": en, "on": on, "until": until, "state": state, "n": n, "of": of}


def _of_case(conn: Connection, part: Mapping[Any, Any]) -> list[dict[str, Any]]:
    row = conn.execute(select(store.record.c.state, store.record.c.closed_at).where(store.record.c.no == part["case_no"])).one()
    facts = {**facts_of(row.state), "closed": row.closed_at and row.closed_at.astimezone(SHANGHAI).date().isoformat()}
    days = [str(facts.get(name) or "")[:10] or None for name, _, _ in _STAGES]
    reached = max((n for n, day in enumerate(days) if day), default=0)
    over = row.closed_at is not None
    told = []
    for n, (_, zh, en) in enumerate(_STAGES):
        if over and not days[n]:
            continue  # a case that was withdrawn, or ended before, never came there
        state = "done" if over or n <= reached else "now" if n == reached + 1 else "next"
        told.append(_step(part["programme"], zh, en, on=days[n], n=n + 1, of=len(_STAGES), state=state))
    return told


def _of_part(conn: Connection, part: Mapping[Any, Any]) -> list[dict[str, Any]]:
    query = select(intake_transfer).where(intake_transfer.c.part_id == part["id"]).order_by(intake_transfer.c.id)
    told: list[tuple[str, str, str | None, str | None]] = []
    for one in conn.execute(query).mappings():
        where = _where(conn, one)
        told.append((f"已转{where[0]}", f"Transferred to {where[1]}", one["sent_on"], None))
        if one["accepted_on"]:
            told.append((f"{where[0]}已接办", f"Taken by {where[1]}", one["accepted_on"], None))
        if one["returned_on"]:
            told.append((f"{where[0]}退回窗口", f"Returned by {where[1]}", one["returned_on"], None))
    following = {
        "to_decide": ("窗口正在判断适用的救助", "The window finds out what fits"), "to_start": ("窗口正在办理申请手续", "The window prepares the application"),
        "sent": ("等待承办部门接办", "To be taken by the department"), "accepted": ("承办部门办理", "The department works on it"),
        "returned": ("窗口正在重新转办", "The window passes it on again"), "referred": ("慈善组织办理", "The charity works on it"),
    }.get(part["state"])  # fmt: skip
    if following is None:
        told.append(("已办结，结果以书面答复为准", "Finished: see the written answer", part["result_on"], None))
    else:
        told.append((*following, None, part["due_on"]))
    last = len(told)
    return [_step(part["programme"], zh, en, on=on, until=until, n=n, of=last, state="done" if on else "now") for n, (zh, en, on, until) in enumerate(told, start=1)]


def _where(conn: Connection, transfer: Mapping[Any, Any]) -> tuple[str, str]:
    if transfer["kind"] == "charity":
        return "慈善组织", "a charity"
    if transfer["kind"] == "meeting":
        return "联席会议", "the joint meeting"
    known = next((one for one in routing.departments() if one.code == transfer["to_unit"]), None)
    return (known.name, known.name_en) if known else (organisation.unit_name(conn, transfer["to_unit"]),) * 2
