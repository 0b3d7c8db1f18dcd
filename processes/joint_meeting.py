"""The joint meeting (联席会议, domain 4): preparation, screening, sitting, minutes, issue. One meeting decides many cases.

The drawing owns the order; `meetings` knows the room; this module joins them: what each task writes, and the resolution that
an announced item sends to the case that asked, in the same transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from importlib import resources
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, select

from engine import store
from engine.errors import Invalid, Refused
from engine.forms import Form
from engine.given import gives
from engine.model import Data, Put
from engine.office import Act
from engine.process import CaseRef, Message, Process
from processes import (
    calendar,
    duties,
    eligibility,
    households,
    law,
    meeting_papers,
    meeting_units,
    meetings,
    organisation,
    paperwork,
    special_cases,
)
from processes.eligibility_facts import BadFacts
from processes.joint_meeting_forms import FORMS, MESSAGES, Convening
from processes.money import to_fen
from processes.tables import household

KEY = "joint-meeting"


# -- services


@gives("attended", "to_confirm", "objected")
def ask_units(snapshot: Data) -> Data:
    """Every member unit that attended confirms this version of the minutes."""
    return {"attended": list(snapshot["attended"]), "to_confirm": list(snapshot["attended"]), "objected": False}


def _attended(act: Act, facts: Data) -> Data:
    """Gathered for `ask_units`: units whose member was there, also one that left before the end."""
    seats = meetings.attendance(act.conn, facts["case_no"])
    return {"attended": [seat["unit"] for seat in seats if seat["voting"] and seat["staff"]]}


# -- convening and screening


def convened(act: Act, case: CaseRef, answers: Data, facts: Data) -> Sequence[Put]:
    day = date.fromisoformat(facts["planned_on"])
    units = answers.get("units") or [one.code for one in meeting_units.members(day)]
    meeting = {
        "no": case.no, "case_id": case.id, "kind": facts["kind"], "status": "convened", "planned_on": facts["planned_on"], "place": answers["place"],
        "secretary": act.actor.id, "invited": " ".join(units)}  # fmt: skip
    puts = [Put("joint_meeting", case.next_id(), meeting)]
    for position, request_id in enumerate(answers["requests"], start=1):
        puts.append(_listed(act, case, position, request_id, (answers.get("again_reason") or "").strip()))
    return puts


def _listed(act: Act, case: CaseRef, position: int, request_id: int, again: str) -> Put:
    asked = meetings.request(act.conn, request_id)
    if asked is None or asked["status"] != "submitted":
        raise Invalid({"requests": [f"没有这项申请，或已不在等候会议：{request_id}"]})
    studied = meetings.studied_before(act.conn, asked["case_no"])
    if studied and not again:
        raise Invalid({"again_reason": [f"{asked['case_no']} 以前经会议研究过，请写明再次研究的理由"]})
    values = {"meeting_no": case.no, "position": position, "request_id": request_id, "case_no": asked["case_no"], "household_id": asked["household_id"],
              "status": "listed", "motion": "approve_as", "ballot": 1, "again_reason": again if studied else None}  # fmt: skip
    return Put("agenda_item", case.next_id(), values, f"household:{asked['household_id']}")


def _check_screening(act: Act, no: str, answers: Data) -> None:
    """Nobody is granted anything without application and investigation, and the meeting is no way round the ordinary procedure."""
    for said in answers["items"]:
        item = meetings.item_at(act.conn, no, said["position"])
        asked = meetings.request(act.conn, item["request_id"])
        broken = meetings.agenda_bar(act.conn, asked) if asked and said["admitted"] else None
        if broken is not None:
            raise Refused(broken.rule, f"议题 {said['position']}：{broken.zh}", f"Item {said['position']}: {broken.en}")


def screened(act: Act, case: CaseRef, answers: Data, facts: Data) -> Sequence[Put]:
    puts = [_status(act, case, "screened" if facts["items_open"] else "called_off")]
    for said in answers["items"]:
        item = meetings.item_at(act.conn, case.no, said["position"])
        values = {"status": "admitted" if said["admitted"] else "sent_back", "presenter": said.get("presenter") or None,
                  "sent_back_code": None if said["admitted"] else said.get("reason_code"),
                  "sent_back_reason": None if said["admitted"] else said.get("reason") or None}  # fmt: skip
        puts.append(Put("agenda_item", item["id"], values, f"household:{item['household_id']}"))
    return puts


def _status(act: Act, case: CaseRef, status: str, **more: Any) -> Put:
    return Put("joint_meeting", meetings.row(act.conn, case.no)["id"], {"status": status, **more})


def agenda_settled(act: Act, case: CaseRef, _answers: Data, facts: Data) -> Sequence[Put]:
    match facts["agenda_outcome"]:
        case "approve":
            return [_status(act, case, "approved", convener=facts["agenda_by"])]
        case "return":
            return [_status(act, case, "convened")]
        case _:
            return _called_off(act, case)


def _called_off(act: Act, case: CaseRef) -> list[Put]:
    """The requests stay open for another meeting."""
    dropped = [Put("agenda_item", item["id"], {"status": "dropped"}) for item in meetings.items(act.conn, case.no) if item["status"] == "admitted"]
    return [_status(act, case, "called_off"), *dropped]


# -- opening


def _check_opening(act: Act, no: str, answers: Data) -> None:
    """Opening needs the quorum; without it the meeting is put off to another day."""
    if answers["opening"] != "open":
        return
    meeting = meetings.row(act.conn, no)
    invited, seats = meeting["invited"].split(), _seats(act, meeting, answers)
    if odd := meeting_units.named({row["unit"] for row in answers["members"]} - set(invited)):
        raise Invalid({"members": [f"{'、'.join(odd)}：本次会议没有通知这个单位"]})
    if own := [unit for unit, login in seats.items() if login == meeting["secretary"] or _keeps_minutes(act, login)]:
        raise Invalid({"members": [f"{'、'.join(meeting_units.named(own))}：会议秘书不能作为表决成员"]})
    found = meetings.counted(invited, seats, (), {}, date.fromisoformat(answers["held_on"]))
    if not found.quorum:
        lacking = "、".join(meeting_units.named(found.lacking))
        raise Refused(
            "quorum",
            f"应到 {found.expected}，实到 {len(found.present)}，须 {found.required}" + (f"，缺{lacking}" if lacking else "") + "：不足法定人数，不能开会，请改期",
            f"Expected {found.expected}, present {len(found.present)}, needed {found.required}, and civil affairs and finance: no quorum, adjourn",
        )


def _keeps_minutes(act: Act, login: str) -> bool:
    who = organisation.find_actor(act.conn, login)
    return who is not None and meetings.is_secretary(who)


def _seats(act: Act, _meeting: Any, answers: Data) -> dict[str, str]:
    """Unit -> login of its member, of those present."""
    return {row["unit"]: meetings.member_for(act.conn, row["unit"], row.get("staff") or None) for row in answers.get("members") or () if row["present"]}


def opened(act: Act, case: CaseRef, answers: Data, facts: Data) -> Sequence[Put]:
    match answers["opening"]:
        case "adjourn":
            return [_status(act, case, "approved", planned_on=facts["planned_on"])]
        case "call_off":
            return _called_off(act, case)
    meeting = meetings.row(act.conn, case.no)
    seats = _seats(act, meeting, answers)
    puts = [_status(act, case, "open", held_on=answers["held_on"])]
    puts += [_seat(act, case, unit, seats.get(unit)) for unit in meeting["invited"].split()]
    for guest in answers.get("guests") or ():
        values = {"meeting_no": case.no, "voting": False, "present": True, "name": f"{guest['office']} {guest['name']}"}
        puts.append(Put("meeting_attendance", case.next_id(), values, f"case:{case.id}"))
    return puts


def _seat(act: Act, case: CaseRef, unit: str, login: str | None) -> Put:
    values = {"meeting_no": case.no, "unit": unit, "staff": login, "voting": True, "present": login is not None}
    who = organisation.find_actor(act.conn, login) if login else None
    return Put("meeting_attendance", case.next_id(), values | ({"name": who.name} if who else {}), f"staff:{login}" if who else None)


# -- deciding


def _check_announcement(act: Act, presiding: Sequence[str], answers: Data, facts: Data) -> None:
    """A resolution follows from the vote; who presides handled nothing of the case. Raises Refused with the rule's name."""
    if answers["item"] not in (facts.get("items_open") or ()) and answers["item"] in (facts.get("items_announced") or ()):
        raise Refused("votes-locked", "这个议题的结果已经宣布，表决已锁定", "The result of this item is announced: the votes are locked")
    no = facts["case_no"]
    meeting, item = meetings.row(act.conn, no), meetings.item_at(act.conn, no, answers["item"])
    if item["status"] != "admitted":
        raise Refused("not-open", "这个议题没有列入议程", "This item is not on the agenda")
    if broken := next(iter(meetings.kept_away(act.conn, item, presiding).values()), None):
        raise Refused(broken.rule, f"{broken.zh}，请由其他召集人主持", broken.en)
    asked = meetings.request(act.conn, item["request_id"])
    waits, said = asked is not None and asked["status"] == "submitted", answers["announced"]
    if said == "lapsed" and waits:
        raise Invalid({"announced": ["个案还在等候会议决议，不能宣布失效"]})
    if said != "lapsed" and not waits:
        raise Invalid({"announced": ["个案已撤回或已办结，只能宣布议题失效"]})
    sum_ = meetings.sum_of(act.conn, meeting, item, act.today)
    if broken := meetings.why_not(said, item, sum_):
        raise Refused(broken.rule, broken.zh, broken.en)
    if said == "approve_as":
        _of_its_process(asked, answers)
        _jointly_recognised(act, item, asked)
        amount(act, item, answers)


def _jointly_recognised(act: Act, item: Any, asked: Any) -> None:
    """Another special hardship of who applied for low-income relief: civil affairs and finance recognise it together (TLOW; domain 3.8),
    so the majority of the others is not enough. Raises Refused."""
    if asked is None or asked["trigger_code"] != "hardship_other_six" or asked["process"] not in law.procedures("low_income"):
        return
    cast = {vote["unit"]: vote["choice"] for vote in meetings.votes(act.conn, item)}
    if lacking := [unit for unit in sorted(meeting_units.REQUIRED) if cast.get(unit) != "for"]:
        said = "、".join(meeting_units.named(lacking))
        raise Refused("joint-recognition", f"其他特殊困难应由民政、财政部门共同认定，{said}没有同意", "Civil affairs and finance recognise another special hardship together: one of them did not agree")


def vet(act: Act, name: str, form: Form, answers: Data, facts: Data, _acts: Sequence[Any]) -> None:
    """The rules that need the meeting's rows. Who does the task is whom the form names: a task that waited for its signers is
    completed by the last of them in the name of who handed it in."""
    match name:
        case "screen_agenda":
            _check_screening(act, facts["case_no"], answers)
        case "open_meeting":
            _check_opening(act, facts["case_no"], answers)
        case "announce_item":
            _check_announcement(act, form.context_value("actor").persons, answers, facts)


def _of_its_process(asked: Any, answers: Data) -> None:
    """A case of temporary assistance is given a sum once, one for expenses a recognition and no monthly amount, every other a benefit."""
    expenditure = asked is not None and asked["process"] in law.procedures(special_cases.EXPENDITURE[0])
    if expenditure != (answers["approved_category"] == special_cases.EXPENDITURE[0]):
        raise Invalid({"approved_category": ["本案申请的是支出型困难家庭认定，只能纳入这一类别" if expenditure else "本案申请的不是支出型困难家庭认定"]})
    if expenditure and answers.get("fixed_amount") is not None:
        raise Invalid({"fixed_amount": ["支出型困难家庭认定不确定每月金额"]})
    once = asked is not None and asked["process"] == "temporary-assistance"
    if once != (answers["approved_category"] == special_cases.ONCE):
        raise Invalid({"approved_category": ["本案申请的是临时救助，只能同意临时救助" if once else "本案申请的不是临时救助"]})


def amount(act: Act, item: Any, answers: Data) -> int:
    """Fen of an approval, a month or (temporary assistance) once: the one that the meeting fixed, else what the arithmetic gives for the
    category (domain 4.5)."""
    if answers.get("fixed_amount") is not None:
        return int(answers["fixed_amount"])
    if answers["approved_category"] == special_cases.ONCE:
        raise Invalid({"fixed_amount": ["临时救助请写明会议确定的金额"]})
    if answers["approved_category"] == special_cases.EXPENDITURE[0]:
        return 0
    if answers["approved_category"] == "low_income":
        kind = act.conn.scalar(select(household.c.hukou_kind).where(household.c.id == item["household_id"]))
        return to_fen(law.value(f"low_income_cash_{kind}", act.today).amount)
    asked = meetings.request(act.conn, item["request_id"])
    if asked is not None and asked["ordinary_category"] == "dibao" and asked["ordinary_fen"]:
        return int(asked["ordinary_fen"])
    return _by_income_alone(act, item)


def _by_income_alone(act: Act, item: Any) -> int:
    """Dibao for a household that the property test excluded: standard × members − income, as for every other."""
    snapshot = households.snapshot(act.conn, act.keys, item["household_id"], act.today) | {"property": []}
    try:
        result = eligibility.assess(snapshot)
    except BadFacts:
        result = {"category": "", "amount_fen": 0}
    if result["category"] != "dibao" or not result["amount_fen"]:
        raise Invalid({"fixed_amount": ["按规定测算没有低保金额，请写明会议确定的金额和执行月份"]})
    return int(result["amount_fen"])


def announced(act: Act, case: CaseRef, answers: Data, facts: Data) -> Sequence[Put]:
    meeting, item = meetings.row(act.conn, case.no), meetings.item_at(act.conn, case.no, answers["item"])
    said, sum_ = answers["announced"], meetings.sum_of(act.conn, meeting, item, act.today)
    approved = amount(act, item, answers) if said == "approve_as" else None
    values = {
        "status": said if said == "lapsed" else "deferred" if said == "defer" else "announced", "resolution": None if said == "lapsed" else said,
        "votes_for": sum_.votes_for, "votes_against": sum_.votes_against, "abstain": sum_.abstain, "base": sum_.base,
        "approved_category": answers.get("approved_category") or None, "approved_fen": approved,
        "fixed": answers.get("fixed_amount") is not None if approved is not None else None, "fixed_until": answers.get("fixed_until") or None,
        "referred_to": answers.get("referred_to") or None, "review_on": answers.get("review_on"), "reasons": answers["reasons"],
        "conditions": answers.get("conditions") or None, "discussion": answers.get("discussion") or None,
        "announced_on": act.today.isoformat(), "announced_by": facts["announced_by"],
    }  # fmt: skip
    puts = [Put("agenda_item", item["id"], values, f"household:{item['household_id']}"), *_recusals(act, case, item)]
    for row in answers.get("measures") or ():
        measure = {"item_id": item["id"], "kind": row["kind"], "amount_fen": row.get("amount"), "by_whom": row.get("by_whom") or None}
        puts.append(Put("meeting_measure", case.next_id(), measure))
    return puts


_GROUNDS = {"near-relative": "near_relative", "handler-relative": "handler_relative", "handler-decides-special": "handler"}


def _recusals(act: Act, case: CaseRef, item: Any) -> list[Put]:
    """Those whom the registers kept away: written down with the result, for the registers change."""
    present = {one["staff"] for one in meetings.attendance(act.conn, case.no) if one["voting"] and one["present"]}
    away = meetings.kept_away(act.conn, item, present)
    return [
        Put("meeting_recusal", case.next_id(), {"item_id": item["id"], "staff": login, "ground": _GROUNDS[broken.rule], "noted_by": act.actor.id})
        for login, broken in sorted(away.items())
        if broken.rule in _GROUNDS and login not in meetings.declared(act.conn, item)
    ]


def resolution(act: Act, case: CaseRef, answers: Data, _facts: Data) -> Sequence[Message]:
    """What the asking case is told. A deferred item tells it nothing: it goes on waiting, and its request is open for another meeting."""
    said = answers["announced"]
    if said not in meetings.SUBSTANTIVE:
        return ()
    item = meetings.item_at(act.conn, case.no, answers["item"])
    raw = {"resolution": said, "reasons": answers["reasons"], "meeting_no": case.no, "item": item["position"], "by_vote": True}
    raw |= {name: answers[name] for name in ("approved_category", "fixed_until", "conditions", "referred_to", "review_on") if answers.get(name)}
    if said == "approve_as":
        fen = amount(act, item, answers)
        raw["approved_amount"] = f"{fen // 100}.{fen % 100:02d}"
    return (Message(item["case_no"], "resolution", raw),)


def partners(conn: Connection, case_id: int, raw: Data) -> Sequence[int]:
    """The records of the asking case and of its household: locked with the meeting's, in ascending order."""
    said = raw.get("item") if isinstance(raw, dict) else None
    position = int(said) if isinstance(said, (int, str)) and str(said).isascii() and str(said).isdecimal() and len(str(said)) < 4 else 0
    found = [item for item in meetings.items(conn, meetings.row_of_case(conn, case_id)["no"]) if item["position"] == position]
    if not found:
        return ()
    asking = conn.scalar(select(store.record.c.id).where(store.record.c.no == found[0]["case_no"]))
    return (int(asking), found[0]["household_id"]) if asking else ()


# -- minutes


def drafted(act: Act, case: CaseRef, answers: Data, facts: Data) -> Sequence[Put]:
    generated = meeting_papers.generated(act.conn, act.keys, case.no, act.today)
    words = (answers.get("text") or "").strip() or generated
    values = {"meeting_no": case.no, "version": facts["minutes_version"], "text": words, "generated": generated, "edited": words != generated,
              "drafted_by": act.actor.id, "drafted_on": act.today.isoformat()}  # fmt: skip
    return [Put("meeting_minutes", case.next_id(), values, f"case:{case.id}"), _status(act, case, "confirming")]


def confirmed(act: Act, case: CaseRef, answers: Data, facts: Data) -> Sequence[Put]:
    latest = meetings.minutes(act.conn, case.no)[-1]
    values = {"minutes_id": latest["id"], "unit": answers["unit"], "staff": act.actor.id, "agrees": answers["agrees"],
              "objection": answers.get("objection") or None, "confirmed_on": act.today.isoformat()}  # fmt: skip
    puts = [Put("minutes_confirmation", case.next_id(), values, f"case:{case.id}")]
    return [*puts, _status(act, case, "drafting")] if facts["objected"] else puts


def issued(act: Act, case: CaseRef, _answers: Data, _facts: Data) -> Sequence[Put]:
    """The minutes as exact bytes, sealed; their digest stands in the record."""
    latest = meetings.minutes(act.conn, case.no)[-1]
    number = meeting_papers.number(act.today.year, paperwork.next_number(act, "minutes", organisation.DISTRICT))
    digest, size = meeting_papers.keep(act, case, latest, number)
    return [
        Put("meeting_minutes", latest["id"], {"digest": digest, "size": size}),
        _status(act, case, "issued", minutes_no=number, minutes_id=latest["id"], issued_on=act.today.isoformat()),
    ]


def all_announced(act: Act, case: CaseRef, answers: Data, facts: Data) -> Sequence[Put]:
    puts = list(announced(act, case, answers, facts))
    return puts if facts["items_open"] else [*puts, _status(act, case, "drafting")]


def _sent_from(name: str, facts: Data) -> Sequence[str]:
    """A member confirms the minutes in the post that he holds at his own unit."""
    return tuple(facts.get("attended") or ()) if name == "minutes_confirmed" else ()


JOINT_MEETING = Process(
    key=KEY,
    title="社会救助联席会议",
    title_en="Joint meeting on special cases",
    prefix="LX",
    bpmn=Path(str(resources.files("processes") / "bpmn" / "joint-meeting.bpmn")),
    start_form=Convening,
    starters=frozenset({meetings.SECRETARY}),
    forms=FORMS,
    messages=MESSAGES,
    senders={"minutes_confirmed": frozenset({meetings.MEMBER})},
    sent_from=_sent_from,
    services={"ask_units": ask_units},
    gather={"ask_units": _attended},
    vet=vet,
    effects={
        "start": convened,
        "screen_agenda": screened,
        "approve_agenda": agenda_settled,
        "open_meeting": opened,
        "announce_item": all_announced,
        "draft_minutes": drafted,
        "minutes_confirmed": confirmed,
        "issue_minutes": issued,
    },
    sends={"announce_item": resolution},
    partners={"announce_item": partners},
    unit_of=lambda _level, _facts: organisation.DISTRICT,
    subject=lambda _facts: "",
    may=duties.may,
    may_delegate=duties.may_delegate,
    add_workdays=calendar.add_workdays,
    published=calendar.LAST_PUBLISHED,
)
