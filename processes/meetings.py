"""The room of a joint meeting (domain 4.4): who is there, who may vote on what, and what the votes add up to.

Votes, recusals, arrivals and new ballots are acts on the meeting's own record. They change its rows, never its tokens: what
moves the meeting on is the announcement of an item, a task of the drawing.
"""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, and_, or_, select

from engine import queries, store
from engine.bpmn import unpacked
from engine.cases import Cases, acts_of
from engine.errors import Conflict, Invalid, NotFound, NotWaiting, Refused
from engine.model import Actor, Put
from engine.office import Act, Record
from engine.process import Broken
from processes import duties, households, law, meeting_units, organisation
from processes.benefit_tables import special_case_request
from processes.joint_meeting_forms import CHOICES, MOTIONS, RECUSALS
from processes.meeting_tables import (
    agenda_item,
    joint_meeting,
    meeting_attendance,
    meeting_measure,
    meeting_minutes,
    meeting_recusal,
    meeting_vote,
    minutes_confirmation,
)
from processes.tables import staff, staff_relative

Row = Mapping[Any, Any]
SECRETARY, CONVENER, MEMBER = "meeting_secretary", "meeting_convener", "meeting_member"
SUBSTANTIVE = frozenset({"approve_as", "refuse", "return_for_investigation", "refer"})


# -- looking


def row(conn: Connection, no: str) -> Row:
    found = conn.execute(select(joint_meeting).where(joint_meeting.c.no == no)).mappings().one_or_none()
    if found is None:
        raise NotFound("没有这次会议")
    return found


def row_of_case(conn: Connection, case_id: int) -> Row:
    return conn.execute(select(joint_meeting).where(joint_meeting.c.case_id == case_id)).mappings().one()


def items(conn: Connection, no: str) -> list[Row]:
    return list(conn.execute(select(agenda_item).where(agenda_item.c.meeting_no == no).order_by(agenda_item.c.position)).mappings())


def item_at(conn: Connection, no: str, position: Any) -> Row:
    where = and_(agenda_item.c.meeting_no == no, agenda_item.c.position == position)
    known = isinstance(position, int) and 0 < position < 1000
    found = conn.execute(select(agenda_item).where(where)).mappings().one_or_none() if known else None
    if found is None:
        raise NotFound("会议没有这个议题")
    return found


def attendance(conn: Connection, no: str) -> list[Row]:
    query = select(meeting_attendance).where(meeting_attendance.c.meeting_no == no).order_by(meeting_attendance.c.unit.is_(None), meeting_attendance.c.unit, meeting_attendance.c.id)
    return list(conn.execute(query).mappings())


def votes(conn: Connection, item: Row) -> list[Row]:
    """Of the item's present ballot."""
    where = and_(meeting_vote.c.item_id == item["id"], meeting_vote.c.ballot == item["ballot"])
    return list(conn.execute(select(meeting_vote).where(where).order_by(meeting_vote.c.unit)).mappings())


def measures(conn: Connection, item: Row) -> list[Row]:
    return list(conn.execute(select(meeting_measure).where(meeting_measure.c.item_id == item["id"]).order_by(meeting_measure.c.id)).mappings())


def minutes(conn: Connection, no: str) -> list[Row]:
    return list(conn.execute(select(meeting_minutes).where(meeting_minutes.c.meeting_no == no).order_by(meeting_minutes.c.version)).mappings())


def confirmations(conn: Connection, minutes_id: int) -> list[Row]:
    where = minutes_confirmation.c.minutes_id == minutes_id
    return list(conn.execute(select(minutes_confirmation).where(where).order_by(minutes_confirmation.c.id)).mappings())


def open_requests(conn: Connection) -> list[Row]:
    """Requests that wait for a meeting, the most urgent first."""
    query = select(special_case_request).where(special_case_request.c.status == "submitted")
    return list(conn.execute(query.order_by(special_case_request.c.due_on, special_case_request.c.id)).mappings())


def request(conn: Connection, request_id: int) -> Row | None:
    return conn.execute(select(special_case_request).where(special_case_request.c.id == request_id)).mappings().one_or_none()


def agendas_of(conn: Connection, request_ids: Collection[int]) -> dict[int, list[str]]:
    """request -> meetings on whose agenda it stands and is not done yet."""
    where = and_(agenda_item.c.request_id.in_(request_ids), agenda_item.c.status.in_(("listed", "admitted")))
    found: dict[int, list[str]] = {}
    for one in conn.execute(select(agenda_item.c.request_id, agenda_item.c.meeting_no).where(where).order_by(agenda_item.c.id)):
        found.setdefault(one.request_id, []).append(one.meeting_no)
    return found


def studied_before(conn: Connection, case_no: str) -> bool:
    """Whether a meeting has announced a result for this case already."""
    where = and_(agenda_item.c.case_no == case_no, agenda_item.c.status.in_(("announced", "deferred")))
    return conn.scalar(select(agenda_item.c.id).where(where).limit(1)) is not None


def open_task(conn: Connection, meeting: Row) -> Row | None:
    """The one task of the meeting on which somebody works."""
    open_ = select(store.task).where(store.tasks_of(meeting["case_id"]), store.task.c.state == "open")
    return conn.execute(open_).mappings().one_or_none()


# -- what may come before the meeting


def barred_from_agenda(status: str, facts: Mapping[str, Any], open_tasks: Collection[str]) -> Broken | None:
    """Why a case may not be studied (domain 4.2; N220 art 26: nobody is granted anything without investigation).
    `facts`: of the asking case; `open_tasks`: its nodes on which somebody works."""
    if not facts.get("applied_on") and not facts.get("benefit_id"):
        return Broken("no-application", "没有申请的，不能列入议程", "Without an application it cannot be on the agenda")
    if not facts.get("survey_ended_on"):
        return Broken("no-investigation", "未经家庭经济状况调查的，不能列入议程（民发〔2012〕220号第二十六条）",
                      "Without an investigation it cannot be on the agenda (N220 art 26)")  # fmt: skip
    if open_tasks:
        return Broken("ordinary-recheck", "个案仍在普通复核程序中，不能列入议程", "The case is still inside the ordinary re-check")
    if status != "submitted":
        return Broken("not-waiting", "个案已不在等候会议决议", "The case does not wait for the meeting any more")
    return None


def agenda_bar(conn: Connection, asked: Row) -> Broken | None:
    case = conn.execute(select(store.record).where(store.record.c.no == asked["case_no"])).mappings().one()
    facts = json.loads(unpacked(case["state"]))["facts"]
    working = conn.scalars(select(store.task.c.node).where(store.task.c.case_id == case["id"], store.task.c.state == "open")).all()
    return barred_from_agenda(asked["status"], facts, working)


# -- who is kept away from an item


def declared(conn: Connection, item: Row) -> frozenset[str]:
    """Logins whose recusal from the item is on the record."""
    return frozenset(conn.scalars(select(meeting_recusal.c.staff).where(meeting_recusal.c.item_id == item["id"])))


def kept_away(conn: Connection, item: Row, logins: Collection[str]) -> dict[str, Broken]:
    """login -> why this person takes no part in the item: registers, what he did in the case, or his own word."""
    case = conn.execute(select(store.record).where(store.record.c.no == item["case_no"])).mappings().one()
    acts = acts_of(case["opened_by"], queries.case_tasks(conn, case["id"]))
    relatives = households.recused_staff(conn, item["household_id"])
    of_handlers = _relatives_of(conn, {act.staff for act in acts if act.node in duties.HANDLED})
    noted = declared(conn, item)
    found: dict[str, Broken] = {}
    for login in logins:
        broken = duties.may_study(login, acts=acts, relatives=relatives, handlers_relatives=of_handlers)
        if broken is None and login in noted:
            broken = Broken("recused", "您已回避本议题", "You are recused from this item")
        if broken is not None:
            found[login] = broken
    return found


def _relatives_of(conn: Connection, handlers: Collection[str]) -> frozenset[str]:
    """Logins of the near relatives of these staff, whoever of the two declared it."""
    theirs, other = staff.alias("theirs"), staff.alias("other")
    declared_by_other = (
        select(other.c.login).join(staff_relative, staff_relative.c.staff_id == other.c.id)
        .join(theirs, theirs.c.person_blind == staff_relative.c.id_blind).where(theirs.c.login.in_(handlers))
    )  # fmt: skip
    declared_by_handler = (
        select(other.c.login).join(staff_relative, staff_relative.c.id_blind == other.c.person_blind)
        .join(theirs, theirs.c.id == staff_relative.c.staff_id).where(theirs.c.login.in_(handlers))
    )  # fmt: skip
    return frozenset(conn.scalars(declared_by_other.union(declared_by_handler)))


def recused_units(conn: Connection, item: Row) -> dict[str, str]:
    """Unit -> ground, of the recusals that stand on the record."""
    where = and_(meeting_attendance.c.meeting_no == item["meeting_no"], meeting_recusal.c.item_id == item["id"])
    query = select(meeting_attendance.c.unit, meeting_recusal.c.ground).join(meeting_recusal, meeting_recusal.c.staff == meeting_attendance.c.staff)
    return {found.unit: found.ground for found in conn.execute(query.where(where).order_by(meeting_attendance.c.unit))}


# -- the sum


@dataclass(frozen=True, slots=True)
class Sum:
    """应到, 实到, 须到 of an item (or of the meeting, for no item), and what its votes come to. Units by code."""

    expected: int
    required: int
    present: frozenset[str]
    recused: frozenset[str]
    quorum: bool
    base: int
    votes_for: int
    votes_against: int
    abstain: int
    missing: frozenset[str]  # present, not recused, and no vote yet
    needed: int  # the fewest votes for the motion that carry it
    passed: bool
    tie: bool

    @property
    def lacking(self) -> frozenset[str]:
        """Units without which nothing is resolved, and which are not there."""
        return meeting_units.REQUIRED - self.present


def counted(invited: Collection[str], present: Collection[str], recused: Collection[str], cast: Mapping[str, str], on: date) -> Sum:
    """Pure: units invited, present (recused ones too), recused; unit -> vote. A recused unit leaves the base of the item and
    nothing else; one that voted and then left the room stays in it. `on`: the day whose rules count."""
    away = frozenset(recused)
    here = frozenset(present) - away
    expected = len(frozenset(invited) - away)
    required = math.ceil(law.value("meeting_quorum_share", on).fraction * expected)
    base = here | (frozenset(cast) - away)
    tally = {name: sum(cast[unit] == name for unit in base & cast.keys()) for name in ("for", "against", "abstain")}
    more_than = law.value("meeting_decision_share", on).fraction * len(base)
    quorum = len(here) >= required and here >= meeting_units.REQUIRED
    return Sum(
        expected, required, here, away, quorum, len(base), tally["for"], tally["against"], tally["abstain"], here - cast.keys(),
        needed=math.floor(more_than) + 1, passed=bool(base) and tally["for"] > more_than, tie=bool(base) and tally["for"] == tally["against"] + tally["abstain"],
    )  # fmt: skip


def day_of(meeting: Row, today: date) -> date:
    return date.fromisoformat(meeting["held_on"]) if meeting["held_on"] else today


def sum_of(conn: Connection, meeting: Row, item: Row | None, today: date) -> Sum:
    """Of an item; without one, of the meeting as a whole."""
    members = [one for one in attendance(conn, meeting["no"]) if one["voting"]]
    away = kept_away(conn, item, {one["staff"] for one in members if one["staff"]}) if item is not None else {}
    cast = {vote["unit"]: vote["choice"] for vote in votes(conn, item)} if item is not None else {}
    present = [one["unit"] for one in members if one["present"]]
    recused = [one["unit"] for one in members if one["staff"] in away]
    return counted(meeting["invited"].split(), present, recused, cast, day_of(meeting, today))


def outcomes(motion: str, sum_: Sum) -> frozenset[str]:
    """Which results may be announced. A motion that did not pass to approve is refused; what else did not pass decides nothing."""
    if not sum_.quorum or sum_.missing:
        return frozenset({"defer"})
    if sum_.passed:
        return frozenset({motion})
    return frozenset({"defer", "refuse"}) if motion == "approve_as" else frozenset({"defer"})


def why_not(said: str, item: Row, sum_: Sum) -> Broken | None:
    """The rule that forbids to announce this result, or None."""
    if said in ("defer", "lapsed") and not (said == "defer" and sum_.quorum and not sum_.missing and sum_.passed):
        return None
    if not sum_.quorum:
        lacking = "、".join(meeting_units.named(sum_.lacking))
        return Broken("quorum", f"应到 {sum_.expected}，实到 {len(sum_.present)}，须 {sum_.required}"
                      + (f"，缺{lacking}" if lacking else "") + "：不足法定人数，不能作出决议，可以暂缓", "No quorum: nothing can be resolved, the item may be deferred")  # fmt: skip
    if sum_.missing:
        names = "、".join(meeting_units.named(sum_.missing))
        return Broken("votes-missing", f"{names}还没有表决", "Not everybody present has voted")
    if said not in outcomes(item["motion"], sum_):
        tally = f"同意 {sum_.votes_for}、反对 {sum_.votes_against}、弃权 {sum_.abstain}（须超过 {sum_.base} 票的半数）"
        if sum_.passed:
            return Broken("passed", f"{tally}：已通过，只能宣布通过的决议", "The motion passed: only it can be announced")
        why = "票数相等，视为未通过" if sum_.tie else "未通过"
        return Broken("not-passed", f"{tally}：{why}，不能这样宣布", "The motion did not pass (a tie does not): this cannot be announced")
    return None


# -- acting


def _opened(act: Act, no: str) -> tuple[Row, Record]:
    """The meeting, its record locked; what was read before may be old, so the row is read again."""
    record = act.open("case", row(act.conn, no)["case_id"])
    return row(act.conn, no), record


def _open_item(act: Act, meeting: Row, position: Any) -> Row:
    item = item_at(act.conn, meeting["no"], position)
    if item["status"] in ("announced", "deferred", "lapsed"):
        raise Refused("votes-locked", "结果已经宣布，表决已锁定；需要改变的，应说明理由重新提交会议表决",
                      "The result is announced and the votes are locked; a change is a new vote, with a reason")  # fmt: skip
    if meeting["status"] != "open" or item["status"] != "admitted":
        raise Refused("not-open", "会议没有开到这个议题", "The meeting is not at this item")
    return item


def _still_asked(act: Act, item: Row) -> None:
    """A case that was withdrawn meanwhile, or that another meeting decided, is voted on no more: its item lapses at the announcement."""
    asked = request(act.conn, item["request_id"])
    if asked is None or asked["status"] != "submitted":
        raise Refused("not-waiting", "个案已撤回或已有结果，不再等候会议决议，不能表决", "The case does not wait for the meeting any more: no vote")


def is_secretary(actor: Actor) -> bool:
    return actor.holds(SECRETARY, organisation.DISTRICT)


def _runs_the_room(act: Act, *roles: str) -> None:
    if not any(act.actor.holds(role, organisation.DISTRICT) for role in roles):
        raise Refused("secretary", "由会议秘书登记", "The secretary enters this")
    act.through(act.actor.post_over(organisation.DISTRICT, roles))


def _seat(act: Act, meeting: Row, unit: str | None) -> Row:
    """The seat from which a vote is cast: the actor's own, or for the secretary that of a unit that votes on paper."""
    seats = {one["unit"]: one for one in attendance(act.conn, meeting["no"]) if one["voting"]}
    if is_secretary(act.actor):
        if any(seat["staff"] == act.actor.id for seat in seats.values()) or unit is None:
            raise Refused("secretary-votes", "会议秘书没有表决权，只登记纸质表决票", "The secretary never votes, and enters paper votes only")
        act.through(act.actor.post_over(organisation.DISTRICT, (SECRETARY,)))
        if unit not in seats:
            raise Refused("non-member", "这个单位不是本次会议的成员单位，没有表决权", "This unit is no member of the meeting")
        return seats[unit]
    own = [seat for code, seat in seats.items() if act.actor.holds(MEMBER, code)]
    mine = next((seat for seat in own if seat["staff"] == act.actor.id), None)
    if not own or (unit is not None and unit not in {seat["unit"] for seat in own}):
        raise Refused("non-member", "您不是本次会议的成员，没有表决权", "You are no voting member of this meeting")
    if mine is None:
        raise Refused("absent", "您没有登记到会，不能表决", "You are not registered as present: no vote")
    act.through(act.actor.post_over(mine["unit"], (MEMBER,)))
    return mine


def cast_vote(act: Act, no: str, position: Any, choice: str, *, unit: str | None = None, dissent: str = "") -> dict[str, Any]:
    """One vote per member unit and item; civil affairs votes last. `unit`: named by the secretary alone, for a vote on paper."""
    meeting, record = _opened(act, no)
    if choice not in {one[0] for one in CHOICES}:
        raise Invalid({"choice": ["请选择同意、反对或弃权"]})
    item = _open_item(act, meeting, position)
    _still_asked(act, item)
    seat = _seat(act, meeting, unit)
    _may_vote(act, meeting, item, seat)
    values = {"item_id": item["id"], "ballot": item["ballot"], "unit": seat["unit"], "staff": seat["staff"], "choice": choice,
              "dissent": dissent.strip() or None, "entered_by": act.actor.id, "paper": seat["staff"] != act.actor.id}  # fmt: skip
    put = Put("meeting_vote", record.next_id(), values, f"staff:{seat['staff']}")
    act.append(record, "vote_cast", {"item": item["position"], "unit": seat["unit"], "choice": choice}, puts=[put])
    return {"meeting": no, "item": item["position"], "seq": record.seq}


def enter_votes(act: Act, no: str, position: Any, votes_: Mapping[str, tuple[str, str]]) -> None:
    """The secretary enters votes on paper: unit -> (choice, dissent), civil affairs last, all of them or none."""
    if not votes_:
        raise Invalid({"choice": ["请选择同意、反对或弃权"]})
    for unit in sorted(votes_, key=lambda code: (code == meeting_units.CHAIR, code)):
        choice, dissent = votes_[unit]
        cast_vote(act, no, position, choice, unit=unit, dissent=dissent)


def _may_vote(act: Act, meeting: Row, item: Row, seat: Row) -> None:
    if not seat["present"]:
        raise Refused("absent", "该成员没有到会，不能表决", "This member is not present: no vote")
    if broken := kept_away(act.conn, item, {seat["staff"]}).get(seat["staff"]):
        raise Refused("recused", f"应当回避，不能表决：{broken.zh}", f"Recused, no vote: {broken.en}")
    cast = {vote["unit"] for vote in votes(act.conn, item)}
    if seat["unit"] in cast:
        raise Refused("second-vote", "该单位对这个议题已经表决，一个单位一票", "This unit has voted on this item: one vote each")
    if meeting_units.CHAIR in cast:
        raise Refused("chair-voted", "区民政局已经表决，不能再投票；需要时应重新表决", "Civil affairs has voted already: a new ballot is needed")
    waiting = sum_of(act.conn, meeting, item, act.today).missing - {seat["unit"]}
    if seat["unit"] == meeting_units.CHAIR and waiting:
        names = "、".join(meeting_units.named(waiting))
        raise Refused("chair-last", f"区民政局最后表决，{names}还没有表决", "Civil affairs votes last: others have not voted yet")


def recuse(act: Act, no: str, position: Any, ground: str, *, unit: str | None = None) -> dict[str, Any]:
    """A member leaves the room for one item: by his own word, or as the secretary notes it."""
    meeting, record = _opened(act, no)
    if ground not in {one[0] for one in RECUSALS}:
        raise Invalid({"ground": ["请选择回避理由"]})
    item = _open_item(act, meeting, position)
    seat = _seat(act, meeting, unit)
    if seat["staff"] is None:
        raise Refused("absent", "该单位没有到会成员", "Nobody of this unit is present")
    if seat["unit"] in {vote["unit"] for vote in votes(act.conn, item)}:
        raise Refused("second-vote", "该单位已经表决；应先重新表决", "This unit has voted already: open a new ballot first")
    if act.conn.scalar(select(meeting_recusal.c.id).where(meeting_recusal.c.item_id == item["id"], meeting_recusal.c.staff == seat["staff"])):
        raise Conflict("已经登记回避", "Already recused")
    values = {"item_id": item["id"], "staff": seat["staff"], "ground": ground, "noted_by": act.actor.id}
    act.append(record, "member_recused", {"item": item["position"], "unit": seat["unit"]}, puts=[Put("meeting_recusal", record.next_id(), values)])
    return {"meeting": no, "item": item["position"], "seq": record.seq}


def attend(act: Act, no: str, unit: str, *, present: bool, login: str | None = None) -> dict[str, Any]:
    """A member arrives or leaves while the meeting sits, or his unit sends another one."""
    meeting, record = _opened(act, no)
    _runs_the_room(act, SECRETARY)
    if meeting["status"] != "open":
        raise Refused("not-open", "会议没有在进行", "The meeting does not sit")
    seat = next((one for one in attendance(act.conn, no) if one["voting"] and one["unit"] == unit), None)
    if seat is None:
        raise Refused("non-member", "这个单位不是本次会议的成员单位", "This unit is no member of the meeting")
    who = member_for(act.conn, unit, login or seat["staff"]) if present else seat["staff"]
    if login and login != seat["staff"] and _voted_now(act.conn, no, unit):
        raise Refused("second-vote", "该单位对未宣布的议题已经表决，不能换人", "This unit has voted on an item that is not announced yet")
    if present and who == meeting["secretary"]:
        raise Refused("secretary-votes", "会议秘书不能作为表决成员", "The secretary is no voting member")
    values = {"present": present, "staff": who, "changed_on": act.now.isoformat(timespec="seconds")[:25]}
    act.append(record, "member_arrived" if present else "member_left", {"unit": unit}, puts=[Put("meeting_attendance", seat["id"], values)])
    return {"meeting": no, "unit": unit, "seq": record.seq}


def _voted_now(conn: Connection, no: str, unit: str) -> bool:
    query = select(meeting_vote.c.id).join(agenda_item, and_(agenda_item.c.id == meeting_vote.c.item_id, agenda_item.c.ballot == meeting_vote.c.ballot))
    return conn.scalar(query.where(agenda_item.c.meeting_no == no, agenda_item.c.status == "admitted", meeting_vote.c.unit == unit).limit(1)) is not None


def member_for(conn: Connection, unit: str, login: str | None) -> str:
    """The login of the unit's member: the one that is named, or the only one there is. Raises Invalid."""
    known = [one["login"] for one in organisation.colleagues(conn, MEMBER) if one["unit"] == unit]
    if login is None and len(known) == 1:
        return str(known[0])
    if login is None or login not in known:
        name = "、".join(meeting_units.named([unit])) or unit
        raise Invalid({"members": [f"{name}：没有这位成员" if login else f"{name}：请写明由哪位成员参会"]})
    return login


def new_ballot(act: Act, no: str, position: Any, motion: str, reason: str) -> dict[str, Any]:
    """Vote again on an item that is not announced yet, on this motion or another; the earlier votes stay on the record."""
    meeting, record = _opened(act, no)
    _runs_the_room(act, SECRETARY, CONVENER)
    if motion not in {one[0] for one in MOTIONS}:
        raise Invalid({"motion": ["请选择付表决的决议"]})
    item = _open_item(act, meeting, position)
    if not reason.strip():
        raise Invalid({"reason": ["请写明重新表决的理由"]})
    values = {"ballot": item["ballot"] + 1, "motion": motion}
    said = {f"case:{record.id}": {"reason": reason.strip()}}
    act.append(record, "ballot_opened", {"item": item["position"], **values}, personal=said, puts=[Put("agenda_item", item["id"], values)])
    return {"meeting": no, "item": item["position"], "seq": record.seq}


def confirm(act: Act, cases: Cases, no: str, said: Mapping[str, Any], lang: str = "zh") -> dict[str, Any]:
    """A unit says yes or no to the wording of the minutes: the message for which the meeting waits."""
    if row(act.conn, no)["status"] != "confirming":
        raise NotWaiting("会议纪要现在不在等候确认", "The minutes do not wait for confirmation now")
    return cases.receive(act, no, "minutes_confirmed", said, lang=lang)


# -- who may look


def visible(conn: Connection, actor: Actor, no: str) -> Row:
    """The meeting, for those with a post of the district and for the members and liaisons of the units that are invited."""
    found = row(conn, no)
    if actor.covers(organisation.DISTRICT) or any(actor.covers(unit) for unit in found["invited"].split()):
        return found
    raise NotFound("没有这次会议")


def of(conn: Connection, actor: Actor, states: Sequence[str] = ()) -> list[Row]:
    """The meetings that the actor may see, the latest first."""
    query = select(joint_meeting).order_by(joint_meeting.c.planned_on.desc(), joint_meeting.c.id.desc())
    if states:
        query = query.where(joint_meeting.c.status.in_(states))
    if not actor.covers(organisation.DISTRICT):
        mine = [one.code for one in meeting_units.every() if actor.covers(one.code)]
        if not mine:
            return []
        query = query.where(or_(*(joint_meeting.c.invited.contains(code) for code in mine)))
    return list(conn.execute(query).mappings())
