"""一门受理、协同办理 (one window, N649 art 60, domain 1.4): intake, own programmes begun as cases, others transferred, referred or sent to the meeting.

An intake is a record of its own with a part for each programme. Who took it in stays answerable until each part has its result
(首问负责, decision 074). Reads stand in `intake_lists`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Connection, select

from engine import store
from engine.cases import Cases
from engine.errors import Conflict, Invalid, NotFound, Refused
from engine.model import Data, Put
from engine.office import Act, Record
from engine.queries import case_row
from processes import (
    calendar,
    erasure,
    intake_lists,
    joint_meeting,
    law,
    leads,
    organisation,
    query_codes,
    readers,
    routing,
    temporary_assistance,
)
from processes.audit import facts_of
from processes.intake_forms import UNKNOWN
from processes.intake_lists import progress
from processes.intake_tables import intake
from processes.tables import unit

__all__ = ["progress"]
TAKERS = frozenset({"window_clerk", "civil_affairs_officer"})
LEADERS = frozenset({"street_leader", "supervisor"})
_AT_THE_WINDOW = frozenset({"to_decide", "to_start", "returned"})


def take(act: Act, said: Mapping[str, Any]) -> dict[str, Any]:
    """Somebody asks at the window. `said`: as understood by IntakeIn. Returns {"intake", "no", "code", "parts"}: the query code once; a
    repeat of the request gets null in its place (`slip` gives another one). What a department decides on is transferred at once."""
    if (told := act.recall()) is not None:
        return told  # type: ignore[no-any-return]
    lead = _lead(act, said)
    home = said.get("household_id") if lead is None or lead["household_id"] is None else lead["household_id"]
    community = leads.home(act, home) if home is not None else leads.place(act.conn, said["community"])
    post = act.actor.post_over(community, TAKERS)
    if post is None:
        raise Refused("window", "由本辖区的窗口经办人或民政专干受理", "The window clerks and civil affairs officers of the area take applications")
    act.through(post)
    if home is not None:
        erasure.refuse_restricted(act.conn, home)
    subject = f"household:{home}" if home is not None else None
    record = act.new("intake", community, subject=subject)
    subject = subject or f"intake:{record.id}"
    number, no, code = record.next_id(), f"SL-{act.today.year}-{record.id:06d}", query_codes.new()
    values = {
        "no": no, "code_hash": intake_lists.hashed(act.keys, no, code), "street": community[:9], "community": community, "household_id": home,
        "known_as": said.get("known_as") or None, "requester": said["requester"], "requester_name": said.get("requester_name") or None, "phone": said.get("phone") or None,
        "need": said["need"], "channel": said["channel"], "received_on": _iso(said["received_on"]), "recorded_on": act.today.isoformat(),
        "taken_by": act.actor.id, "answerable": act.actor.id, "lead_id": said.get("lead_id"),
    }  # fmt: skip
    puts = [Put("intake", number, values, subject)]
    parts = [_part(act, record, number, programme, _day(said["received_on"]), subject, puts) for programme in said["programmes"]]
    act.append(record, "intake_taken", {"no": no, "programmes": list(said["programmes"])}, puts=puts)
    told = {"intake": number, "no": no, "code": code, "parts": parts}
    act.remember({**told, "code": None})  # what is kept for a repeat lies in clear
    return told


def _lead(act: Act, said: Mapping[str, Any]) -> Mapping[Any, Any] | None:
    """The lead from which the intake is made: verified, and about the same household where it names one."""
    if said.get("lead_id") is None:
        return None
    row = leads.seen(act.conn, act.actor, said["lead_id"])
    if row["state"] != "verified":
        raise Conflict("核实属实、尚未关联申请的线索才能转为受理", "Only a lead that is verified as true, and not linked yet")
    if row["household_id"] is not None and said.get("household_id") not in (None, row["household_id"]):
        raise Invalid({"household_id": ["线索涉及的是另一户家庭"]})
    if row["household_id"] is None and said.get("household_id") is None and said.get("community") != row["community"]:
        raise Invalid({"community": ["线索在另一个居村"]})
    leads.hold(act, row["id"])
    return row


def _part(act: Act, record: Record, intake_id: int, programme: str, received: date, subject: str, puts: list[Put]) -> int:
    """A new part, and the transfer where a department decides on it; its number."""
    number = record.next_id()
    way = None if programme == UNKNOWN else _route(programme, act.today)
    state, due = ("to_decide" if way is None else "to_start"), _within(received)
    if way is not None and not way.own:
        state, due = "sent", _within(act.today)
    puts.append(Put("intake_part", number, {"intake_id": intake_id, "programme": programme, "state": state, "due_on": due}, subject))
    if way is not None and not way.own:
        puts.append(_transfer(act, record, number, subject, "department", to_unit=way.unit))
    return number


def _route(programme: str, on: date) -> routing.Route:
    try:
        return routing.route(programme, on)
    except law.BadLaw:
        raise Refused("route", f"{on}没有这项救助的办理部门，请核对日期", f"On {on} the routing table has no department for it") from None


def _within(start: date) -> str:
    return calendar.add_workdays(start, int(law.value("transfer_sla_workdays", start).amount)).isoformat()


def _transfer(act: Act, record: Record, part_id: int, subject: str, kind: str, **more: Any) -> Put:
    due = None if kind == "charity" else _within(act.today)
    values = {"part_id": part_id, "kind": kind, "sent_by": act.actor.id, "sent_on": act.today.isoformat(), "due_on": due, "state": "sent", **more}
    return Put("intake_transfer", record.next_id(), values, subject)


def _iso(day: date | str) -> str:
    return day if isinstance(day, str) else day.isoformat()


def _day(day: date | str) -> date:
    return date.fromisoformat(day) if isinstance(day, str) else day


# -- the window


def slip(act: Act, intake_id: int) -> dict[str, Any]:
    """A new query code, when the slip was lost: the old one is worth nothing from now on."""
    record, row = _opened(act, intake_id)
    if (told := act.recall()) is not None:
        return told  # type: ignore[no-any-return]
    _post(act, row)
    code = query_codes.new()
    act.append(record, "intake_code_renewed", puts=[Put("intake", row["id"], {"code_hash": intake_lists.hashed(act.keys, row["no"], code)}, _subject(record))])
    told = {"intake": row["id"], "no": row["no"], "code": code}
    act.remember({**told, "code": None})
    return told


def more(act: Act, intake_id: int, programmes: Sequence[str]) -> dict[str, Any]:
    """What fits, for who did not know; or what he asks for besides. The part "don't know" is settled by it."""
    record, row = _opened(act, intake_id)
    if (told := act.recall()) is not None:
        return told  # type: ignore[no-any-return]
    _post(act, row)
    there = intake_lists.parts_of(act.conn, intake_id)
    if not any(one["open"] for one in there):
        raise Conflict("这件受理已全部办结，请重新受理", "Every part of this intake is finished: take a new one")
    if again := [p for p in programmes if any(one["programme"] == p and one["open"] for one in there)]:
        raise Invalid({"programmes": [f"已在办理：{'、'.join(routing.PROGRAMMES[p][0] for p in again)}"]})
    puts: list[Put] = []
    parts = [_part(act, record, intake_id, programme, act.today, _subject(record), puts) for programme in programmes]
    done = {"state": "done", "due_on": None, "result": "routed", "result_by": act.actor.id, "result_on": act.today.isoformat()}
    puts += [Put("intake_part", one["id"], done, _subject(record)) for one in there if one["state"] == "to_decide"]
    act.append(record, "intake_added", {"programmes": list(programmes)}, puts=puts)
    return _done(act, {"intake": intake_id, "parts": parts})


def begins(programme: str, on: date) -> str:
    """Key of the process by which an own programme begins on a day. Raises Refused where there is none."""
    if programme == temporary_assistance.KEY.replace("-", "_"):
        return temporary_assistance.KEY
    try:
        return law.procedure(programme, on)
    except (law.BadLaw, KeyError):
        raise Refused("procedure", f"{on}没有这项救助的办理程序", f"No procedure for it on {on}") from None


def defaults(fields: Sequence[str], row: Mapping[str, Any], programme: str) -> dict[str, Any]:
    """What the intake already says of an application: `row` as `intake_lists.told` tells it, `fields` of the process's start form."""
    own = row["requester"] == "self"
    by = {"committee": "village_committee"}.get(row["requester"], "agent")
    known = {"household_id": row["household_id"], "programme": programme, "applied_on": row["received_on"], "reason": row["need"], "begun_by": "application",
             "applied_by": ("self" if programme == "destitute" else "head") if own else by, "agent_name": None if own or by != "agent" else row["requester_name"],
             **({name: row[name] for name in ("community", "known_as")} if row["household_id"] is None else {})}  # fmt: skip
    return {name: value for name, value in known.items() if name in fields and value is not None}


def answers_of(said: Mapping[str, Any]) -> dict[str, Any]:
    """The answers out of {"answers": {...}}; they may be left out. Raises Invalid for anything else."""
    if wrong := sorted(said.keys() - {"answers"}):
        raise Invalid({name: ["没有这一项"] for name in wrong})
    answers = said.get("answers", {})
    if not isinstance(answers, Mapping):
        raise Invalid({"answers": ["应当是一组字段"]})
    return dict(answers)


def begin_case(act: Act, cases: Cases, part_id: int, answers: Data, *, lang: str = "zh") -> dict[str, Any]:
    """Own programme: its application begins. `answers`: of the process's start form, where they differ from what the intake says
    (`defaults`). Returns what `Cases.start` does: {"case", "seq", "opened"}."""
    row, part = _seen_part(act, part_id)
    whom = [("intake", part_id >> 16), *([leads.record_of(act.conn, row["lead_id"])] if row["lead_id"] else []), ("household", row["household_id"])]
    for kind, number in sorted(((kind, number) for kind, number in whom if number), key=lambda one: one[1]):
        act.open(kind, number)  # two windows at once: in one order
    record, row, part = _locked(act, part_id)
    if (told := act.recall()) is not None:
        return told  # type: ignore[no-any-return]
    _post(act, row)
    _must(part, {"to_start"}, "这一事项不是等待发起的个案", "This part is not waiting for its case")
    key = begins(part["programme"], act.today)
    said = intake_lists.told(act.conn, act.keys, row, act.actor)
    told = cases.start(act, key, defaults(list(cases.processes[key].start_form._declared_fields), said, part["programme"]) | dict(answers) | _forced(row), lang=lang)
    facts = next(entry.data["facts"] for entry in reversed(act.told) if entry.event == "case_started")
    _with_case(act, record, row, part, told["case"], facts)
    if row["lead_id"]:
        leads.begun(cases, act, row["lead_id"], told["case"])
    return told


def _forced(row: Mapping[Any, Any]) -> dict[str, Any]:
    return {} if row["household_id"] is None else {"household_id": row["household_id"]}


def link_case(act: Act, part_id: int, case_no: str) -> dict[str, Any]:
    """An application that was begun already, of the same household and programme."""
    _seen_part(act, part_id)
    record, row, part = _locked(act, part_id)
    if (told := act.recall()) is not None:
        return told  # type: ignore[no-any-return]
    _post(act, row)
    _must(part, {"to_start"}, "这一事项不是等待发起的个案", "This part is not waiting for its case")
    case = case_row(act.conn, case_no)
    if not readers.of_cases(act.actor).covers(case["unit"]):
        raise NotFound("没有这件个案")
    if case["process"] not in {temporary_assistance.KEY if part["programme"] == "temporary_assistance" else key for key in _keys(part["programme"])}:
        raise Refused("other-programme", "这件个案不是这项救助的申请", "This case is no application for this programme")
    facts = facts_of(case["state"])
    if row["household_id"] is not None and facts.get("household_id") != row["household_id"]:
        raise Refused("other-household", "这件个案不是受理所涉家庭的申请", "This case is of another household than the intake")
    _with_case(act, record, row, part, case_no, facts)
    return _done(act, {"part": part_id, "state": "case", "case": case_no})


def _keys(programme: str) -> Sequence[str]:
    return (temporary_assistance.KEY,) if programme == "temporary_assistance" else law.procedures(programme)


def _with_case(act: Act, record: Record, row: Mapping[Any, Any], part: Mapping[Any, Any], case_no: str, facts: Data) -> None:
    puts = [Put("intake_part", part["id"], {"state": "case", "case_no": case_no, "due_on": None}, _subject(record))]
    if row["household_id"] is None and facts.get("household_id") is not None:
        puts.append(Put("intake", row["id"], {"household_id": facts["household_id"]}, _subject(record)))
    act.append(record, "intake_case_begun", {"programme": part["programme"], "case": case_no}, puts=puts)


def pass_on(act: Act, part_id: int, said: Mapping[str, Any]) -> dict[str, Any]:
    """To another department: after one returned it, or when the window has found out which one. `said`: as understood by TransferOut."""
    to = next(one for one in routing.departments() if one.code == said["to_unit"])
    note = said.get("note") or None

    def check(row: Mapping[Any, Any], part: Mapping[Any, Any]) -> None:
        if part["state"] == "to_start":
            raise Refused("own-programme", "这一事项由窗口直接办理，请发起个案", "The window handles this programme itself: begin its case")
        if to.since > act.today or act.conn.scalar(select(unit.c.id).where(unit.c.code == to.code)) is None:
            raise Invalid({"to_unit": [f"部门还没有设立：{to.name}"]})
        last = intake_lists.last_transfer(act.conn, part_id)
        if last is not None and last["to_unit"] == to.code and not note:
            raise Invalid({"note": ["该部门已退回过，再次转办请写明理由"]})

    return _out(act, part_id, "department", "sent", check, to_unit=to.code, note=note)


def to_charity(act: Act, part_id: int, said: Mapping[str, Any]) -> dict[str, Any]:
    """What no programme covers goes to a charity; what became of it is entered by the window (`finish`)."""
    return _out(act, part_id, "charity", "referred", None, to_name=said["to_name"], note=said["note"])


def to_meeting(act: Act, part_id: int, said: Mapping[str, Any]) -> dict[str, Any]:
    """Nothing fits: to the office of the joint meeting, whose secretary takes it and tells what was resolved (domain 4)."""
    return _out(act, part_id, "meeting", "sent", None, to_unit=organisation.DISTRICT, note=said["note"])


def _out(act: Act, part_id: int, kind: str, state: str, check: Any, **more: Any) -> dict[str, Any]:
    _seen_part(act, part_id)
    record, row, part = _locked(act, part_id)
    if (told := act.recall()) is not None:
        return told  # type: ignore[no-any-return]
    _post(act, row)
    _must(part, _AT_THE_WINDOW, "这一事项已转出或已办结", "This part is with somebody else, or finished")
    if check is not None:
        check(row, part)
    sent = _transfer(act, record, part_id, _subject(record), kind, **more)
    puts = [Put("intake_part", part_id, {"state": state, "due_on": sent.values["due_on"]}, _subject(record)), sent]
    act.append(record, "intake_transferred", {"part": part_id, "kind": kind, "to": more.get("to_unit")}, puts=puts)
    return _done(act, {"part": part_id, "state": state, "transfer": sent.id})


def finish(act: Act, part_id: int, said: Mapping[str, Any]) -> dict[str, Any]:
    """The window's own result: answered on the spot, told by the charity, or withdrawn (then a department that has it is told by the
    state of its transfer). `said`: as understood by WindowResult."""
    _seen_part(act, part_id)
    record, row, part = _locked(act, part_id)
    if (told := act.recall()) is not None:
        return told  # type: ignore[no-any-return]
    _post(act, row)
    gone = {"sent", "accepted"} if said["result"] == "withdrawn" else set()
    _must(part, _AT_THE_WINDOW | {"referred"} | gone, "这一事项由承办部门或个案反馈结果", "Its result comes from the department, or from its case")
    today = act.today.isoformat()
    result = {"result": said["result"], "result_text": said["result_text"], "result_by": act.actor.id, "result_on": today}
    puts = [Put("intake_part", part_id, {"state": "done", "due_on": None, **result}, _subject(record))]
    last = intake_lists.last_transfer(act.conn, part_id)
    if last is not None and last["state"] in ("sent", "accepted"):
        puts.append(Put("intake_transfer", last["id"], {"state": "recalled" if gone else "done", **result}, _subject(record)))
    act.append(record, "intake_answered", {"part": part_id, "result": said["result"]}, puts=puts)
    return _done(act, {"part": part_id, "state": "done"})


def hand_over(act: Act, intake_id: int, to_login: str, reason: str) -> dict[str, Any]:
    """Who took it in has left, or is away for long: a leader names another clerk of the area. The first one stays named."""
    record, row = _opened(act, intake_id)
    if (told := act.recall()) is not None:
        return told  # type: ignore[no-any-return]
    post = act.actor.post_over(row["community"], LEADERS)
    if post is None:
        raise Refused("hand-over", "首问负责人由街镇分管领导或监督主管调整", "A street leader or supervisor names another one")
    act.through(post)
    heir = organisation.find_actor(act.conn, to_login)
    if heir is None or heir.post_over(row["community"], TAKERS) is None:
        raise Invalid({"to_login": ["没有这位窗口人员，或不在本辖区"]})
    if heir.id == row["answerable"]:
        raise Invalid({"to_login": ["已由这位窗口人员负责"]})
    act.append(record, "intake_handed_over", {"to": heir.id}, personal={f"staff:{act.actor.id}": {"reason": reason}},
               puts=[Put("intake", intake_id, {"answerable": heir.id}, _subject(record))])  # fmt: skip
    return _done(act, {"intake": intake_id, "answerable": heir.id})


# -- the department


def accept(act: Act, transfer_id: int, said: Mapping[str, Any]) -> dict[str, Any]:
    """The department takes it, and says by when it will have answered. `said`: as understood by TransferTaken."""
    return _by_department(act, transfer_id, {"sent"}, "intake_accepted", "accepted", lambda _row: (
        {"accepted_by": act.actor.id, "accepted_on": act.today.isoformat(), "due_on": _iso(said["promised_on"])}, {"due_on": _iso(said["promised_on"])}))  # fmt: skip


def give_back(act: Act, transfer_id: int, said: Mapping[str, Any]) -> dict[str, Any]:
    """Not the department's matter: back to the window, with the reason and where it belongs. `said`: as understood by TransferReturned."""
    def what(row: Mapping[Any, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        if said.get("next_unit") == row["to_unit"]:
            raise Invalid({"next_unit": ["不能填写本部门"]})
        values = {"returned_by": act.actor.id, "returned_on": act.today.isoformat(), "reason": said["reason"], "next_unit": said.get("next_unit") or None,
                  "next_address": said.get("next_address") or None}  # fmt: skip
        return values, {"due_on": _within(act.today)}

    return _by_department(act, transfer_id, {"sent", "accepted"}, "intake_returned", "returned", what)


def answer(act: Act, transfer_id: int, said: Mapping[str, Any]) -> dict[str, Any]:
    """What the department, or the joint meeting, has decided. `said`: as understood by TransferResult."""
    def what(row: Mapping[Any, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        number = said.get("meeting_no") or None
        if (number is None) == (row["kind"] == "meeting"):
            raise Invalid({"meeting_no": ["请填写会议编号" if number is None else "仅由联席会议反馈时填写"]})
        if number is not None and not _held(act.conn, number):
            raise Invalid({"meeting_no": ["没有这次会议，或尚未办结"]})
        result = {"result": said["result"], "result_text": said["result_text"], "result_by": act.actor.id, "result_on": act.today.isoformat()}
        return {**result, "meeting_no": number}, {**result, "due_on": None}

    return _by_department(act, transfer_id, {"accepted"}, "intake_answered", "done", what)


def _held(conn: Connection, number: str) -> bool:
    row = store.record.c
    query = select(row.id).where(row.no == number, row.process == joint_meeting.KEY, row.closed_at.is_not(None))
    return conn.scalar(query) is not None


def _by_department(act: Act, transfer_id: int, states: set[str], event: str, state: str, what: Any) -> dict[str, Any]:
    intake_lists.transfer_seen(act.conn, act.actor, transfer_id)
    record = act.open("intake", transfer_id >> 16)
    row = intake_lists.transfer_seen(act.conn, act.actor, transfer_id)
    if (told := act.recall()) is not None:
        return told  # type: ignore[no-any-return]
    post = intake_lists.works(act.actor, row)
    if post is None:
        raise Refused("department", "由承办部门的经办人办理", "The workers of the department that it was transferred to handle it")
    act.through(post)
    if row["state"] == "sent" and "sent" not in states:
        raise Conflict("请先接办，再反馈结果", "Take it first, then tell the result")
    _must(row, states, "这件转办已处理", "This transfer is dealt with already")
    of_transfer, of_part = what(row)
    puts = [Put("intake_transfer", transfer_id, {"state": state, **of_transfer}, _subject(record)),
            Put("intake_part", row["part_id"], {"state": state, **of_part}, _subject(record))]  # fmt: skip
    act.append(record, event, {"transfer": transfer_id}, puts=puts)
    return _done(act, {"transfer": transfer_id, "state": state})


# -- what the verbs share


def _done(act: Act, told: dict[str, Any]) -> dict[str, Any]:
    act.remember(told)
    return told


def _opened(act: Act, intake_id: int) -> tuple[Record, Mapping[Any, Any]]:
    intake_lists.seen(act.conn, act.actor, intake_id)
    record = act.open("intake", intake_id >> 16)
    return record, act.conn.execute(select(intake).where(intake.c.id == intake_id)).mappings().one()


def _seen_part(act: Act, part_id: int) -> tuple[Mapping[Any, Any], Mapping[Any, Any]]:
    return intake_lists.part_seen(act.conn, act.actor, part_id)


def _locked(act: Act, part_id: int) -> tuple[Record, Mapping[Any, Any], Mapping[Any, Any]]:
    """Read again under the lock."""
    record = act.open("intake", part_id >> 16)
    return record, *intake_lists.part_seen(act.conn, act.actor, part_id)


def _must(row: Mapping[Any, Any], states: frozenset[str] | set[str], zh: str, en: str) -> None:
    if row["state"] not in states:
        raise Conflict(zh, en)


def _subject(record: Record) -> str:
    return record.subject or f"intake:{record.id}"


def _post(act: Act, row: Mapping[Any, Any]) -> None:
    post = act.actor.post_over(row["community"], TAKERS)
    if post is None:
        raise Refused("window", "由本辖区的窗口经办人或民政专干受理", "The window clerks and civil affairs officers of the area take applications")
    act.through(post)
