"""主动发现 (M05, domain 1.5): leads given by whoever sees hardship, verified, and linked to the application that follows.

A lead is a record of its own. It counts as 基层主动发现 when its giver's role is one of the grass roots and its entry is older than the
application: the moment is the record's, so that the number cannot be edited afterwards (decision 057).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, or_, select

from engine.crypto import BoundKeys
from engine.errors import Conflict, Invalid, NotFound, Refused
from engine.model import Actor, Put
from engine.office import Act, Record
from engine.queries import Page, case_row, within
from processes import households, law, organisation, readers, temporary_assistance
from processes.audit import facts_of
from processes.lead_tables import lead
from processes.tables import unit

STATES = {"reported": ("待核实", "To be verified"), "verified": ("已核实，帮助申请中", "Verified, being helped to apply"),
          "applied": ("已申请", "Applied"), "closed": ("已了结", "Closed")}  # fmt: skip
WHY_NOT = {"not_grassroots": ("发现人不是基层人员", "The finder is not of the grass roots"), "not_older": ("线索不早于申请", "The lead is not older than the application")}
# Who has an account in this role gives the lead in his own name: nobody else's word makes him the finder.
WITH_ACCOUNT = frozenset({"grid_worker", "village_committee", "civil_affairs_officer", "volunteer"})
GRASSROOTS = frozenset({"grid_worker", "village_committee", "civil_affairs_officer", "village_cadre"})  # domain 1.5, its "Who"
VERIFIERS = frozenset({"civil_affairs_officer", "window_clerk", "investigator", "reviewer"})
RECORDERS = VERIFIERS | WITH_ACCOUNT | {"street_leader"}
_MATTERS = ("dibao", "destitute", "low_income", "illness_expenditure")


def applications() -> frozenset[str]:
    """Keys of the processes by which somebody applies for assistance."""
    return frozenset(key for matter in _MATTERS for key in law.procedures(matter)) | {temporary_assistance.KEY}


def report(act: Act, said: Mapping[str, Any]) -> dict[str, Any]:
    """Somebody gives a lead, or enters one of somebody else. `said`: as understood by LeadIn. Returns {"lead", "state"}."""
    if (told := act.recall()) is not None:
        return told  # type: ignore[no-any-return]
    household_id = said.get("household_id")
    community = home(act, household_id) if household_id is not None else place(act.conn, said["community"])
    post = act.actor.post_over(community, RECORDERS)
    if post is None:
        raise Refused("lead-giver", "线索由本辖区的基层人员或街镇人员登记", "Leads are entered by the grass roots and the street of the area")
    login, name = _finder(act, said, community)
    act.through(post)
    number = _write(act, said, community, login, name, {})
    return _done(act, {"lead": number, "state": "reported"})


def from_visit(act: Act, said: Mapping[str, Any], community: str, screening_id: int) -> int:
    """The lead of a screening visit, in the act by which the visit is confirmed; its number."""
    return _write(act, said, community, said.get("finder_login"), said.get("finder"), {"screening": screening_id})


def _write(act: Act, said: Mapping[str, Any], community: str, login: str | None, name: str | None, visit: Mapping[str, Any]) -> int:
    household_id = said.get("household_id")
    subject = f"household:{household_id}" if household_id is not None else None
    record = act.new("lead", community, subject=subject)
    subject = subject or f"lead:{record.id}"
    values = {
        "street": community[:9], "community": community, "household_id": household_id, "known_as": said.get("known_as") or None, "hardship": said["hardship"],
        "reason": said["reason"], "found_on": _iso(said["found_on"]), "found_by": said["found_by"], "finder_login": login, "finder": name,
        "recorded_by": act.actor.id, "recorded_on": act.today.isoformat(), "recorded_at": act.now.astimezone(UTC).isoformat(), "state": "reported",
    }  # fmt: skip
    number = record.next_id()
    act.append(record, "lead_reported", {"found_by": said["found_by"], **visit}, puts=[Put("lead", number, values, subject)])
    return number


def _done(act: Act, told: dict[str, Any]) -> dict[str, Any]:
    act.remember(told)
    return told


def _iso(day: date | str) -> str:
    return day if isinstance(day, str) else day.isoformat()


def home(act: Act, household_id: int) -> str:
    """The community of a household that the actor may read; NotFound otherwise, as if there were none."""
    row = households.row(act.conn, household_id)
    if not readers.of_cases(act.actor).covers(row["community"]):
        raise NotFound("没有这户家庭")
    return str(row["community"])


def place(conn: Connection, code: str) -> str:
    if conn.scalar(select(unit.c.id).where(unit.c.code == code, unit.c.level == "community")) is None:
        raise Invalid({"community": ["没有这个居村"]})
    return code


def _finder(act: Act, said: Mapping[str, Any], community: str) -> tuple[str | None, str | None]:
    """(login, name) of the giver, one of them. Who gives it by a post with accounts must hold it there."""
    role, login, name = said["found_by"], said.get("finder_login") or None, said.get("finder") or None
    if role not in WITH_ACCOUNT:
        if login:
            raise Invalid({"finder_login": ["这类发现人填写姓名或单位"]})
        if not name:
            raise Invalid({"finder": ["请填写发现人姓名或单位"]})
        return None, name
    if name:
        raise Invalid({"finder": ["这类发现人填写登录名，本人登记的不填"]})
    actor = act.actor if login in (None, act.actor.id) else organisation.find_actor(act.conn, str(login))
    if actor is None:
        raise Invalid({"finder_login": ["没有这位工作人员，或已停用"]})
    if actor.post_over(community, {role}) is None:
        raise Invalid({"found_by" if actor is act.actor else "finder_login": ["发现人在这个居村没有这一岗位"]})
    return actor.id, None


def verify(act: Act, lead_id: int, said: Mapping[str, Any]) -> dict[str, Any]:
    """Somebody else than the giver looks into it. `said`: as understood by LeadVerified."""
    record, row = _opened(act, lead_id)
    if (told := act.recall()) is not None:
        return told  # type: ignore[no-any-return]
    _post(act, row)
    if row["state"] != "reported":
        raise Conflict("这条线索已经核实", "This lead is verified already")
    if act.actor.id == row["finder_login"]:
        raise Refused("own-lead", "线索由发现人以外的人员核实", "Somebody else than its giver verifies a lead")
    if row["household_id"] is not None and act.actor.id in households.recused_staff(act.conn, row["household_id"]):
        raise Refused("near-relative", "您与这户家庭成员有近亲属关系，应当回避", "You are a near relative of the household")
    state = "verified" if said["outcome"] == "help_apply" else "closed"
    values = {"state": state, "outcome": said["outcome"], "verified_by": act.actor.id, "verified_on": act.today.isoformat(), "note": said["note"],
              "referred_to": said.get("referred_to") or None}  # fmt: skip
    act.append(record, "lead_verified", {"outcome": said["outcome"]}, puts=[Put("lead", lead_id, values, _subject(record))])
    return _done(act, {"lead": lead_id, "state": state})


def link(act: Act, lead_id: int, case_no: str) -> dict[str, Any]:
    """The application that followed, after verification. Returns also whether the lead counts, and if not, why."""
    record, row = _opened(act, lead_id)
    if (told := act.recall()) is not None:
        return told  # type: ignore[no-any-return]
    _post(act, row)
    if row["state"] != "verified":
        raise Conflict("核实属实、尚未关联申请的线索才能关联申请", "Only a lead that is verified as true, and not linked yet")
    case = case_row(act.conn, case_no)
    if not readers.of_cases(act.actor).covers(case["unit"]):
        raise NotFound("没有这件个案")
    if case["process"] not in applications():
        raise Refused("no-application", "这件个案不是救助申请", "This case is no application for assistance")
    return _done(act, _linked(act, record, row, case_no, facts_of(case["state"]), case["opened_at"]))


def begun(act: Act, lead_id: int, case_no: str, facts: Mapping[str, Any]) -> None:
    """The application that the window began for a verified lead, in the act that began it. Nothing happens where the lead waits for none."""
    record = act.open("lead", lead_id >> 16)
    row = act.conn.execute(select(lead).where(lead.c.id == lead_id)).mappings().one()
    if row["state"] == "verified":
        _linked(act, record, row, case_no, facts, act.now)


def _linked(act: Act, record: Record, row: Mapping[Any, Any], case_no: str, facts: Mapping[str, Any], opened: datetime) -> dict[str, Any]:
    whose = facts.get("household_id")
    if row["household_id"] is not None and whose != row["household_id"]:
        raise Refused("other-household", "这件个案不是线索所涉家庭的申请", "This case is of another household than the lead")
    applied = str(facts.get("applied_on") or "")[:10]
    why = _why_not(row, opened, applied)
    values = {"state": "applied", "case_no": case_no, "applied_on": applied or None, "linked_by": act.actor.id, "linked_on": act.today.isoformat(),
              "household_id": whose, "counts": why is None, "why_not": why}  # fmt: skip
    act.append(record, "lead_linked", {"case": case_no, "counts": why is None}, puts=[Put("lead", row["id"], values, _subject(record))])
    return {"lead": row["id"], "state": "applied", "case": case_no, "counts": why is None, "why_not": why}


def hold(act: Act, lead_id: int) -> tuple[Record, Mapping[Any, Any]]:
    """A lead of a visit, locked, before the application is begun from it (see `applied`)."""
    record = act.open("lead", lead_id >> 16)
    return record, act.conn.execute(select(lead).where(lead.c.id == lead_id)).mappings().one()


def applied(act: Act, held: tuple[Record, Mapping[Any, Any]], case_no: str, applied_on: str) -> None:
    """The application was begun in this act, from the visit that gave the lead: who begins it has verified the lead if he may, and it is
    linked. Else it stays as it is, to be verified and linked by another one."""
    record, row = held
    own = act.actor.id == row["finder_login"] or act.actor.id in households.recused_staff(act.conn, row["household_id"])
    if row["state"] == "reported" and not own and act.actor.post_over(row["community"], VERIFIERS) is not None:
        values = {"state": "verified", "outcome": "help_apply", "verified_by": act.actor.id, "verified_on": act.today.isoformat(), "note": "由排查走访发起申请"}
        act.append(record, "lead_verified", {"outcome": "help_apply"}, puts=[Put("lead", row["id"], values, _subject(record))])
    elif row["state"] != "verified":
        return
    why = _why_not(row, act.now, applied_on)
    linked = {"state": "applied", "case_no": case_no, "applied_on": applied_on or None, "linked_by": act.actor.id, "linked_on": act.today.isoformat(), "counts": why is None, "why_not": why}
    act.append(record, "lead_linked", {"case": case_no, "counts": why is None}, puts=[Put("lead", row["id"], linked, _subject(record))])


def _why_not(row: Mapping[Any, Any], opened: datetime, applied: str) -> str | None:
    """None: it counts as 基层主动发现. Older: entered before the case was, and not after the day for which it was applied."""
    if row["found_by"] not in GRASSROOTS:
        return "not_grassroots"
    older = datetime.fromisoformat(row["recorded_at"]) < opened and (not applied or row["recorded_on"] <= applied)
    return None if older else "not_older"


def _opened(act: Act, lead_id: int) -> tuple[Record, Mapping[Any, Any]]:
    seen(act.conn, act.actor, lead_id)
    record = act.open("lead", lead_id >> 16)
    return record, act.conn.execute(select(lead).where(lead.c.id == lead_id)).mappings().one()


def _subject(record: Record) -> str:
    return record.subject or f"lead:{record.id}"


def _post(act: Act, row: Mapping[Any, Any]) -> None:
    post = act.actor.post_over(row["community"], VERIFIERS)
    if post is None:
        raise Refused("lead-verifier", "线索由本辖区的民政专干、窗口经办人、调查人或审核人核实、关联", "Civil affairs officers, clerks, investigators and reviewers of the area verify and link leads")
    act.through(post)


# -- who sees what


def _theirs(actor: Actor) -> ColumnElement[bool]:
    """Leads of the area of who reads cases there; of others those that they gave or entered."""
    return or_(within(lead.c.community, readers.of_cases(actor).areas), lead.c.finder_login == actor.id, lead.c.recorded_by == actor.id)


def seen(conn: Connection, actor: Actor, lead_id: int) -> Mapping[Any, Any]:
    """The row; NotFound for who may not read it."""
    row = conn.execute(select(lead).where(lead.c.id == lead_id, _theirs(actor))).mappings().one_or_none()
    if row is None:
        raise NotFound("没有这条线索")
    return row


def gives(actor: Actor) -> bool:
    """Whether the actor enters leads anywhere."""
    return not actor.roles.isdisjoint(RECORDERS)


def listed(conn: Connection, actor: Actor, *, state: str | None = None, counted: bool | None = None, case_no: str | None = None,
           unit_code: str | None = None, page: int = 1, size: int = 25) -> Page:  # fmt: skip
    """Leads that the actor reads: those to be verified first, then the newest. counted: only those that count as 基层主动发现, or only others."""
    where = [_theirs(actor)]
    if state:
        where.append(lead.c.state == state)
    if counted is not None:
        where.append(lead.c.counts.is_(True) if counted else lead.c.counts.is_not(True))
    if case_no:
        where.append(lead.c.case_no == case_no)
    if unit_code:
        where.append(within(lead.c.community, unit_code))
    total = conn.scalar(select(func.count()).select_from(lead).where(*where)) or 0
    order = (lead.c.state != "reported", lead.c.state != "verified", lead.c.id.desc())
    return Page(list(conn.execute(select(lead).where(*where).order_by(*order).limit(size).offset((page - 1) * size)).mappings()), total, page, size)


_SHOWN = ("id", "street", "community", "household_id", "hardship", "found_on", "found_by", "finder_login", "finder", "recorded_by", "recorded_on", "state", "outcome",
          "verified_by", "verified_on", "case_no", "applied_on", "linked_by", "linked_on", "counts", "why_not")  # fmt: skip


def told(keys: BoundKeys, rows: Sequence[Mapping[Any, Any]], actor: Actor) -> list[dict[str, Any]]:
    """Leads in JSON. may: what the actor can do now (verify, link)."""
    return [_told(keys, row, actor) for row in rows]


def _told(keys: BoundKeys, row: Mapping[Any, Any], actor: Actor) -> dict[str, Any]:
    sealed = {name: keys.reveal("lead", name, row["id"], row[name]) if row[name] else None for name in ("known_as", "reason", "note", "referred_to")}
    handles = actor.post_over(row["community"], VERIFIERS) is not None
    step = {"reported": "verify", "verified": "link"}.get(row["state"])
    may = [step] if step and handles and not (step == "verify" and actor.id == row["finder_login"]) else []
    return {**{name: row[name] for name in _SHOWN}, **sealed, "may": may}
