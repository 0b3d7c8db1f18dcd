"""主动发现 (M05, domain 1.5): leads given by whoever sees hardship, verified, and linked to the application that follows.

A lead is a row of its case, process `discovery` (processes/discovery.py, decision 081): what is done here does the case's tasks or tells it a
message. A lead from before that is a record of its own, and is finished as before. It counts as 基层主动发现 when its giver's role is one of the grass roots and its entry is older than the
application: the moment is the record's, so that the number cannot be edited afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, func, or_, select

from engine import store
from engine.cases import Cases
from engine.crypto import BoundKeys
from engine.errors import Conflict, Invalid, NotFound, Refused
from engine.model import Actor, Put
from engine.office import Act, Record
from engine.queries import Page, case_row, within
from processes import households, law, organisation, readers, temporary_assistance
from processes.audit import facts_of
from processes.lead_tables import lead
from processes.tables import unit

KEY = "discovery"
STATES = {"reported": ("待核实", "To be verified"), "verified": ("已核实，帮助申请中", "Verified, being helped to apply"),
          "applied": ("已申请", "Applied"), "closed": ("已了结", "Closed")}  # fmt: skip
WHY_NOT = {"not_grassroots": ("发现人不是基层人员", "The finder is not of the grass roots"), "not_older": ("线索不早于申请", "The lead is not older than the application")}
# Who has an account in this role gives the lead in his own name: nobody else's word makes him the finder.
WITH_ACCOUNT = frozenset({"grid_worker", "village_committee", "civil_affairs_officer", "volunteer"})
GRASSROOTS = frozenset({"grid_worker", "village_committee", "civil_affairs_officer", "village_cadre"})  # domain 1.5, its "Who"
VERIFIERS = frozenset({"civil_affairs_officer", "window_clerk", "investigator", "reviewer"})
RECORDERS = VERIFIERS | WITH_ACCOUNT | {"street_leader"}
HELPERS = frozenset({"village_committee"})  # 居村委会 … 帮助他们申请 (domain 1.5)
AT_VISIT = "由排查走访发起申请"
OWN = ("线索由发现人以外的人员核实", "Somebody else than its giver verifies a lead")
RELATIVE = ("您与这户家庭成员有近亲属关系，应当回避", "You are a near relative of the household")
NOT_HIS = ("线索由发现人或登记人撤回", "Who gave a lead, or entered it, withdraws it")
_MATTERS = ("dibao", "destitute", "low_income", "illness_expenditure")


def applications() -> frozenset[str]:
    """Keys of the processes by which somebody applies for assistance."""
    return frozenset(key for matter in _MATTERS for key in law.procedures(matter)) | {temporary_assistance.KEY}


def report(cases: Cases, act: Act, said: Mapping[str, Any], *, lang: str = "zh") -> dict[str, Any]:
    """Somebody gives a lead, or enters one of somebody else: its case begins. `said`: as understood by LeadIn. Returns {"lead", "state"}."""
    if (told := act.recall()) is not None:
        return told  # type: ignore[no-any-return]
    giver_of(act, said)
    named(said)
    return _done(act, {"lead": _begun(cases, act, said, lang), "state": "reported"})


def giver_of(act: Act, said: Mapping[str, Any]) -> str:
    """The community of a lead that somebody enters in one of his posts. Refused where he has none there."""
    household_id = said.get("household_id")
    community = home(act, household_id) if household_id is not None else place(act.conn, said["community"])
    post = act.actor.post_over(community, RECORDERS)
    if post is None:
        raise Refused("lead-giver", "线索由本辖区的基层人员或街镇人员登记", "Leads are entered by the grass roots and the street of the area")
    act.through(post)
    return community


def from_visit(cases: Cases, act: Act, said: Mapping[str, Any]) -> int:
    """The lead of a screening visit, in the act by which the visit is entered; its number."""
    return _begun(cases, act, said, "zh")


def _begun(cases: Cases, act: Act, said: Mapping[str, Any], lang: str) -> int:
    raw = {name: _iso(value) if isinstance(value, date) else value for name, value in said.items() if value not in (None, "")}
    with act.part():
        told = cases.start(act, KEY, raw, lang=lang)
    number: int = act.conn.execute(select(lead.c.id).where(lead.c.discovery_no == told["case"])).scalar_one()
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


def finder(act: Act, said: Mapping[str, Any], community: str) -> str | None:
    """The login of the giver, none of one without an account. Who gives it by a post with accounts must hold it there."""
    role, login = said["found_by"], said.get("finder_login") or None
    if role not in WITH_ACCOUNT:
        if login:
            raise Invalid({"finder_login": ["这类发现人填写姓名或单位"]})
        return None
    actor = act.actor if login in (None, act.actor.id) else organisation.find_actor(act.conn, str(login))
    if actor is None:
        raise Invalid({"finder_login": ["没有这位工作人员，或已停用"]})
    if actor.post_over(community, {role}) is None:
        raise Invalid({"found_by" if actor is act.actor else "finder_login": ["发现人在这个居村没有这一岗位"]})
    return str(actor.id)


def named(said: Mapping[str, Any]) -> None:
    """A giver without an account is named; of one with an account the account says who it is."""
    if said["found_by"] not in WITH_ACCOUNT and said.get("finder_login"):
        raise Invalid({"finder_login": ["这类发现人填写姓名或单位"]})
    if said["found_by"] not in WITH_ACCOUNT and not said.get("finder"):
        raise Invalid({"finder": ["请填写发现人姓名或单位"]})
    if said["found_by"] in WITH_ACCOUNT and said.get("finder"):
        raise Invalid({"finder": ["这类发现人填写登录名，本人登记的不填"]})


def verify(cases: Cases, act: Act, lead_id: int, said: Mapping[str, Any], *, lang: str = "zh") -> dict[str, Any]:
    """Somebody else than the giver looks into it: by the case's task where it is his, else the case is told so. `said`: as understood by
    LeadVerified."""
    record, row = _opened(act, lead_id)
    if (told := act.recall()) is not None:
        return told  # type: ignore[no-any-return]
    _post(act, row)
    if row["state"] != "reported":
        raise Conflict("这条线索已经核实", "This lead is verified already")
    if act.actor.id == row["finder_login"]:
        raise Refused("own-lead", *OWN)
    if row["household_id"] is not None and act.actor.id in households.recused_staff(act.conn, row["household_id"]):
        raise Refused("near-relative", *RELATIVE)
    _verified(cases, act, record, row, said, lang)
    return _done(act, {"lead": lead_id, "state": "verified" if said["outcome"] == "help_apply" else "closed"})


def _verified(cases: Cases, act: Act, record: Record, row: Mapping[Any, Any], said: Mapping[str, Any], lang: str) -> None:
    raw = {name: value for name, value in said.items() if value not in (None, "")}
    if row["discovery_no"] is None:
        judge_verified(act, raw, row["community"], row["recorded_at"], lambda zh, _en: zh)
        act.append(record, "lead_verified", {"outcome": said["outcome"]}, puts=[Put("lead", row["id"], verified(act, raw), _subject(record))])
        return
    task = store.task.c
    mine = act.conn.execute(select(store.task).where(task.case_id == record.id, task.node == "verify_lead", task.state == "open")).mappings().one()
    with act.part():
        if act.actor.holds(mine["role"], mine["unit"]) and mine["assignee"] in (None, *act.actor.persons):
            cases.complete(act, mine["id"], raw, lang=lang)
        else:
            cases.receive_by_id(act, record.id, "lead_verified", raw)


def verified(act: Act, said: Mapping[str, Any]) -> dict[str, Any]:
    """What a lead's row says of its verification, by whoever does this act."""
    helped = said["outcome"] == "help_apply"
    return {"state": "verified" if helped else "closed", "outcome": said["outcome"], "verified_by": act.actor.id, "verified_on": act.today.isoformat(), "note": said["note"],
            "referred_to": said.get("referred_to") or None, "helper": said.get("helper") or None, "duplicate_of": said.get("duplicate_of")}  # fmt: skip


def judge_verified(act: Act, said: Mapping[str, Any], community: str, recorded_at: str, say: Callable[[str, str], str]) -> None:
    """What only the tables can tell of a verification: who is named to help works there, and the lead given before is another one of there. Raises Invalid."""
    if said.get("helper"):
        who = organisation.find_actor(act.conn, said["helper"])
        if who is None or who.post_over(community, HELPERS) is None:
            raise Invalid({"helper": [say("应为当地居村委会的在岗人员", "Somebody in office with the committee of that community")]})
    if said.get("duplicate_of") is not None:
        there = act.conn.scalar(select(lead.c.community).where(lead.c.id == said["duplicate_of"], lead.c.recorded_at < recorded_at))
        if there != community:
            raise Invalid({"duplicate_of": [say("没有这条线索，或不是本居村更早的线索", "No earlier lead of this community has that number")]})


def link(cases: Cases, act: Act, lead_id: int, case_no: str) -> dict[str, Any]:
    """The application that followed, after verification. Returns also whether the lead counts, and if not, why."""
    record, row = _opened(act, lead_id)
    if (told := act.recall()) is not None:
        return told  # type: ignore[no-any-return]
    _post(act, row)
    if row["state"] != "verified":
        raise Conflict("核实属实、尚未关联申请的线索才能关联申请", "Only a lead that is verified as true, and not linked yet")
    return _done(act, _linked(cases, act, record, row, case_no))


def begun(cases: Cases, act: Act, lead_id: int, case_no: str) -> None:
    """The application that the window began for a verified lead, in the act that began it. Nothing happens where the lead waits for none."""
    record, row = hold(act, lead_id)
    if row["state"] == "verified":
        _linked(cases, act, record, row, case_no)


@dataclass(frozen=True, slots=True)
class Applied:
    """An application, as a lead is held against it."""

    process: str
    unit: str | None  # None: begun in this act, by whoever does it
    facts: Mapping[str, Any]
    opened: datetime

    @property
    def on(self) -> str:
        return str(self.facts.get("applied_on") or "")[:10]


def application(act: Act, no: str) -> Applied:
    """The case of that number, also one that this very act began. NotFound where there is none."""
    for entry in act.told:
        if entry.event == "case_started" and entry.data["no"] == no:
            return Applied(entry.data["process"], None, entry.data["facts"], act.now)
    row = case_row(act.conn, no)
    return Applied(row["process"], row["unit"], facts_of(row["state"]), row["opened_at"])


def judge_application(act: Act, no: str, household_id: int | None, community: str) -> Applied:
    """An application that may follow a lead of this community. NotFound, or Refused where it is of something else or of somebody else. Who helps
    reads no cases: he names those of his own community."""
    found = application(act, no)
    helps = found.facts.get("community") == community and act.actor.post_over(community, HELPERS) is not None
    if found.unit is not None and not helps and not readers.of_cases(act.actor).covers(found.unit):
        raise NotFound("没有这件个案")
    if found.process not in applications():
        raise Refused("no-application", "这件个案不是救助申请", "This case is no application for assistance")
    if household_id is not None and found.facts.get("household_id") != household_id:
        raise Refused("other-household", "这件个案不是线索所涉家庭的申请", "This case is of another household than the lead")
    return found


def _linked(cases: Cases, act: Act, record: Record, row: Mapping[Any, Any], case_no: str) -> dict[str, Any]:
    if row["discovery_no"] is None:
        found = judge_application(act, case_no, row["household_id"], row["community"])
        told = judged(row["found_by"], row["recorded_at"], row["recorded_on"], found.opened, found.on)
        values = applied_row(act, case_no, {**told, "household_id": found.facts.get("household_id")})
        act.append(record, "lead_linked", {"case": case_no, "counts": values["counts"]}, puts=[Put("lead", row["id"], values, _subject(record))])
    else:
        with act.part():
            cases.receive_by_id(act, record.id, "application_started", {"application_no": case_no}, instead=True)
        values = dict(act.conn.execute(select(lead).where(lead.c.id == row["id"])).mappings().one())
    return {"lead": row["id"], "state": "applied", "case": case_no, "counts": values["counts"], "why_not": values["why_not"]}


def applied_row(act: Act, case_no: str, facts: Mapping[str, Any]) -> dict[str, Any]:
    """What a lead's row says of the application that followed. facts: household_id, applied_on, counts, why_not."""
    return {"state": "applied", "case_no": case_no, "applied_on": facts["applied_on"] or None, "linked_by": act.actor.id, "linked_on": act.today.isoformat(),
            "household_id": facts["household_id"], "counts": facts["counts"], "why_not": facts["why_not"]}  # fmt: skip


def hold(act: Act, lead_id: int) -> tuple[Record, Mapping[Any, Any]]:
    """A lead, locked, before the application is begun from it (see `applied`)."""
    row = act.conn.execute(select(lead).where(lead.c.id == lead_id)).mappings().one()
    record = act.open(kind_of(row), lead_id >> 16)
    return record, act.conn.execute(select(lead).where(lead.c.id == lead_id)).mappings().one()


def kind_of(row: Mapping[Any, Any]) -> str:
    """Of the record that the lead stands in."""
    return "lead" if row["discovery_no"] is None else "case"


def record_of(conn: Connection, lead_id: int) -> tuple[str, int]:
    """(kind, id) of the record that the lead stands in."""
    return kind_of(conn.execute(select(lead.c.discovery_no).where(lead.c.id == lead_id)).mappings().one()), lead_id >> 16


def applied(cases: Cases, act: Act, held: tuple[Record, Mapping[Any, Any]], case_no: str) -> None:
    """The application was begun in this act, from the visit that gave the lead: who begins it has verified the lead if he may, and it is
    linked. Else it stays as it is, to be verified and linked by another one."""
    record, row = held
    own = act.actor.id == row["finder_login"] or act.actor.id in households.recused_staff(act.conn, row["household_id"])
    if row["state"] == "reported" and not own and act.actor.post_over(row["community"], VERIFIERS) is not None:
        if row["discovery_no"] is not None:
            with act.part():
                cases.receive_by_id(act, record.id, "applied_at_once", {"application_no": case_no, "note": AT_VISIT}, instead=True)
            return
        _verified(cases, act, record, row, {"outcome": "help_apply", "note": AT_VISIT}, "zh")
    elif row["state"] != "verified":
        return
    _linked(cases, act, record, row, case_no)


def withdraw(cases: Cases, act: Act, lead_id: int, reason: str) -> dict[str, Any]:
    """Its giver, or who entered it, takes it back while nothing was applied for. Returns {"lead", "state"}."""
    record, row = _opened(act, lead_id)
    if (told := act.recall()) is not None:
        return told  # type: ignore[no-any-return]
    if not withdrawable(row, act.actor):
        if act.actor.id not in (row["finder_login"], row["recorded_by"]):
            raise Refused("lead-withdrawal", *NOT_HIS)
        raise Conflict("线索已经办结，不能撤回", "This lead is settled: it is not withdrawn any more")
    with act.part():
        cases.receive_by_id(act, record.id, "lead_withdrawn", {"reason": reason})
    return _done(act, {"lead": lead_id, "state": "closed"})


def withdrawable(row: Mapping[Any, Any], actor: Actor) -> bool:
    return row["discovery_no"] is not None and row["state"] in ("reported", "verified") and actor.id in (row["finder_login"], row["recorded_by"])


def judged(found_by: str, recorded_at: str, recorded_on: str, opened: datetime, applied_on: str) -> dict[str, Any]:
    """{applied_on, counts, why_not}: whether a lead counts as 基层主动发现. Pure."""
    why = _why_not({"found_by": found_by, "recorded_at": recorded_at, "recorded_on": recorded_on}, opened, applied_on)
    return {"applied_on": applied_on, "counts": why is None, "why_not": why}


def _why_not(row: Mapping[Any, Any], opened: datetime, applied: str) -> str | None:
    """None: it counts as 基层主动发现. Older: entered before the case was, and not after the day for which it was applied."""
    if row["found_by"] not in GRASSROOTS:
        return "not_grassroots"
    older = datetime.fromisoformat(row["recorded_at"]) < opened and (not applied or row["recorded_on"] <= applied)
    return None if older else "not_older"


def _opened(act: Act, lead_id: int) -> tuple[Record, Mapping[Any, Any]]:
    record = act.open(kind_of(seen(act.conn, act.actor, lead_id)), lead_id >> 16)
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
    row = conn.execute(_with_due().where(lead.c.id == lead_id, _theirs(actor))).mappings().one_or_none()
    if row is None:
        raise NotFound("没有这条线索")
    return row


def of_case(conn: Connection, actor: Actor, no: str) -> int:
    """The lead of the discovery case of that number; NotFound for who may not read it."""
    first = case_row(conn, no)["id"] << 16
    number: int | None = conn.scalar(select(lead.c.id).where(lead.c.id > first, lead.c.id < first + 65536, _theirs(actor)))
    if number is None:
        raise NotFound("没有这条线索")
    return number


def _with_due() -> Select[Any]:
    """Leads with the last day of their case's open task; none: it waits for nobody."""
    task = store.task.c
    due = select(func.min(task.due_on)).where(task.case_id == lead.c.id // 65536, task.state == "open").correlate(lead).scalar_subquery()
    return select(lead, due.label("due_on"))


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
    return Page(list(conn.execute(_with_due().where(*where).order_by(*order).limit(size).offset((page - 1) * size)).mappings()), total, page, size)


_SHOWN = ("id", "street", "community", "household_id", "hardship", "found_on", "found_by", "finder_login", "finder", "recorded_by", "recorded_on", "state", "outcome",
          "verified_by", "verified_on", "case_no", "applied_on", "linked_by", "linked_on", "counts", "why_not", "discovery_no", "helper", "duplicate_of", "closed_on", "closed_by", "due_on")  # fmt: skip


def told(keys: BoundKeys, rows: Sequence[Mapping[Any, Any]], actor: Actor, today: date | None = None) -> list[dict[str, Any]]:
    """Leads in JSON, of rows as `seen` and `listed` give them. may: what the actor can do now (verify, link); late: the open task's last day is over."""
    return [{**_told(keys, row, actor), "late": today is not None and (row["due_on"] or "9999") < today.isoformat()} for row in rows]


def _told(keys: BoundKeys, row: Mapping[Any, Any], actor: Actor) -> dict[str, Any]:
    sealed = {name: keys.reveal("lead", name, row["id"], row[name]) if row[name] else None for name in ("known_as", "reason", "note", "referred_to", "help_note")}
    handles = actor.post_over(row["community"], VERIFIERS) is not None
    step = {"reported": "verify", "verified": "link"}.get(row["state"])
    may = [step] if step and handles and not (step == "verify" and actor.id == row["finder_login"]) else []
    return {**{name: row[name] for name in _SHOWN}, **sealed, "may": may, "withdrawable": withdrawable(row, actor)}
