"""API: special cases that wait for the joint meeting, the meetings, votes, results, minutes."""

from __future__ import annotations

from typing import Any

from flask import Response
from flask_smorest import Blueprint
from marshmallow import fields

from engine.errors import NotWaiting
from processes import meetings
from processes.joint_meeting import JOINT_MEETING
from processes.joint_meeting_forms import CHOICES, MOTIONS, RECUSALS, AnnounceItem, Convening, MinutesConfirmation
from web import meetings as pages
from web.api import schemas
from web.api.desk import me, once, say, spoken
from web.api.operation import operation, shape_of
from web.api.schemas import _b, _many, _n, _s
from web.desk import bureau

blp = Blueprint("api_meetings", __name__, url_prefix="/api/v1", description="Joint meetings on special cases")
_UNIT = "code of a member unit, see GET units?level=department"


class Vote(schemas.Strict):
    choice = schemas.one_of(*(one[0] for one in CHOICES), required=True)
    unit = schemas.text(f"{_UNIT}: the secretary names it for a vote on paper; a member votes for his own", most=20)
    dissent = schemas.text("in words; goes to the minutes", most=2000)


class Recusal(schemas.Strict):
    ground = schemas.one_of(*(one[0] for one in RECUSALS), required=True)
    unit = schemas.text(f"{_UNIT}: named by the secretary alone", most=20)


class Ballot(schemas.Strict):
    motion = schemas.one_of(*(one[0] for one in MOTIONS), required=True, about="what is voted on")
    reason = schemas.text("why there is a new vote", required=True, most=2000)


class Attend(schemas.Strict):
    unit = schemas.text(_UNIT, required=True, most=20)
    present = fields.Boolean(required=True)
    staff = schemas.text("login of the member that the unit sends; may be left out where it has one", most=60)


class AskedRow(schemas.Said):
    id = _n("`requests` of POST meetings")
    case_no = _s()
    process = _s()
    household_id = _n()
    street = _s()
    trigger_code = _s()
    origin = _s("street | district: where the case goes on")
    ordinary_category = _s(none=True)
    ordinary_fen = _n(none=True)
    submitted_by = _s()
    submitted_on = _s()
    due_on = _s("by when a meeting should have decided")
    applicant = _s("masked")
    facts = _s()
    wish = _s()
    meetings = _many(fields.String(), "on whose agenda it stands")
    studied_before = _b()


class Sum(schemas.Said):
    expected = _n("member units invited, without those recused")
    required = _n("quorum")
    present = _many(fields.String())
    recused = _many(fields.String())
    quorum = _b()
    lacking = _many(fields.String(), "units without which there is no quorum")
    base = _n("those whose votes count")
    needed = _n("votes for the motion that carry it")
    votes_for = _n()
    votes_against = _n()
    abstain = _n()
    missing = _many(fields.String(), "present, and no vote yet")
    passed = _b()
    tie = _b()


class Seat(schemas.Said):
    unit = _s("none: a guest", none=True)
    staff = _s(none=True)
    name = _s(none=True)
    voting = _b()
    present = _b()


class CastVote(schemas.Said):
    unit = _s()
    staff = _s()
    choice = _s("for | against | abstain")
    paper = _b()
    dissent = _s(none=True)


class Away(schemas.Said):
    unit = _s()
    staff = _s()
    why = _s()


class Measure(schemas.Said):
    kind = _s()
    amount_fen = _n(none=True)
    by_whom = _s(none=True)


class AgendaItem(schemas.Said):
    position = _n()
    case_no = _s()
    household_id = _n()
    request_id = _n()
    status = _s("listed | admitted | sent_back | announced | deferred | lapsed | dropped")
    presenter = _s(none=True)
    sent_back_code = _s(none=True)
    motion = _s("what is voted on")
    ballot = _n()
    resolution = _s(none=True)
    approved_category = _s(none=True)
    approved_fen = _n(none=True)
    fixed = fields.Boolean(required=True, allow_none=True)
    fixed_until = _s(none=True)
    referred_to = _s(none=True)
    review_on = _s(none=True)
    announced_on = _s(none=True)
    announced_by = _s(none=True)
    again_reason = _s(none=True)
    sent_back_reason = _s(none=True)
    discussion = _s(none=True)
    reasons = _s(none=True)
    conditions = _s(none=True)
    applicant = _s("masked")
    trigger_code = _s()
    facts = _s()
    wish = _s()
    ordinary_category = _s(none=True)
    ordinary_fen = _n(none=True)
    due_on = _s()
    waits = fields.Boolean(required=True, metadata={"description": "whether the case still waits for the resolution"})
    sum = fields.Nested(Sum, required=True)
    votes = _many(CastVote)
    recusals = _many(Away)
    measures = _many(Measure)


class Confirmed(schemas.Said):
    unit = _s()
    staff = _s()
    agrees = _b()
    confirmed_on = _s()
    objection = _s(none=True)


class Version(schemas.Said):
    version = _n()
    edited = fields.Boolean(required=True, metadata={"description": "a person changed the generated text"})
    drafted_by = _s()
    drafted_on = _s()
    digest = _s("keyed commitment to the issued bytes", none=True)
    size = _n(none=True)
    text = _s()
    confirmations = _many(Confirmed)


class MeetingRow(schemas.Said):
    no = _s(example="LX-2018-000123")
    kind = _s()
    status = _s("convened | screened | approved | open | drafting | confirming | issued | called_off")
    planned_on = _s()
    held_on = _s(none=True)
    place = _s()
    secretary = _s()
    convener = _s(none=True)
    minutes_no = _s(none=True)
    issued_on = _s(none=True)


class Meeting(MeetingRow):
    invited = _many(fields.String(), "member units")
    sum = fields.Nested(Sum, required=True)
    attendance = _many(Seat)
    items = _many(AgendaItem)
    minutes = _many(Version)
    task = _n("the open task of the meeting, see GET tasks/{id}", none=True)
    to_confirm = _many(fields.String(), "units whose confirmation of the minutes is awaited")


class Done(schemas.Said):
    meeting = _s()
    seq = _n("number of the entry")
    item = fields.Integer()
    unit = fields.String()


_ROW = ("no", "kind", "status", "planned_on", "held_on", "place", "secretary", "convener", "minutes_no", "issued_on")


@operation(blp, "GET", "/special-case-requests", schemas.paged(AskedRow), asks=schemas.Paging)
def requests(asked: dict[str, Any]) -> Any:
    """Special cases of your area that wait for a joint meeting, the most urgent first."""
    made = bureau()
    with made.office.read() as conn:
        return schemas.cut(pages.requests(conn, made.office.keys.on(conn), me()), asked["page"], asked["size"])


@operation(blp, "GET", "/meetings", schemas.paged(MeetingRow), asks=schemas.Paging)
def listing(asked: dict[str, Any]) -> Any:
    """The joint meetings that you may see, the latest first."""
    with bureau().office.read() as conn:
        found = [{k: row[k] for k in _ROW} for row in meetings.of(conn, me())]
    return schemas.cut(found, asked["page"], asked["size"])


@operation(blp, "POST", "/meetings", schemas.Moved, status=201, raw=True, sent=shape_of(Convening))
def convene(said: dict[str, Any]) -> Any:
    """Convene a meeting on the chosen requests; the same as POST cases with process joint-meeting."""
    told = once(said, lambda act: bureau().cases.start(act, JOINT_MEETING.key, said, lang=spoken()))
    return told, {"Location": f"/api/v1/meetings/{told['case']}"}


@operation(blp, "GET", "/meetings/<no:no>", Meeting, replies=(404,))
def show(no: str) -> Any:
    """The room: agenda, attendance, the sum of each item, votes, results, minutes."""
    made = bureau()
    with made.office.read() as conn:
        meeting = meetings.visible(conn, me(), no)
        task, known = meetings.open_task(conn, meeting), pages.facts(conn, meeting)
        shown = pages.room(conn, made.office.keys.on(conn), meeting)
    waiting = known.get("to_confirm") or [] if shown["status"] == "confirming" else []
    return shown | {"task": task["id"] if task else None, "to_confirm": waiting}


def _in_room(no: str, said: Any, work: Any) -> Any:
    def inside(act: Any) -> Any:
        meetings.visible(act.conn, me(), no)
        return work(act)

    return once(said, inside)


@operation(blp, "POST", "/meetings/<no:no>/attendance", Done, takes=Attend, replies=(404,))
def attend(no: str, said: dict[str, Any]) -> Any:
    """A member arrives or leaves while the meeting sits, or its unit sends another one. By the secretary."""
    return _in_room(no, said, lambda act: meetings.attend(act, no, said["unit"], present=said["present"], login=said.get("staff")))


@operation(blp, "POST", "/meetings/<no:no>/items/<row:position>/votes", Done, takes=Vote, replies=(404,))
def vote(no: str, position: int, said: dict[str, Any]) -> Any:
    """Vote: a member for his unit, in his own session; or the secretary for a unit that voted on paper. Civil affairs votes last."""
    return _in_room(no, said, lambda act: meetings.cast_vote(act, no, position, said["choice"], unit=said.get("unit"), dissent=said.get("dissent", "")))


@operation(blp, "POST", "/meetings/<no:no>/items/<row:position>/recusals", Done, takes=Recusal, replies=(404,))
def recuse(no: str, position: int, said: dict[str, Any]) -> Any:
    """A member leaves the room for one item, before he votes on it."""
    return _in_room(no, said, lambda act: meetings.recuse(act, no, position, said["ground"], unit=said.get("unit")))


@operation(blp, "POST", "/meetings/<no:no>/items/<row:position>/ballots", Done, takes=Ballot, replies=(404,))
def ballot(no: str, position: int, said: dict[str, Any]) -> Any:
    """Vote again on an item that is not announced yet."""
    return _in_room(no, said, lambda act: meetings.new_ballot(act, no, position, said["motion"], said["reason"]))


@operation(blp, "POST", "/meetings/<no:no>/announce", schemas.Moved, raw=True, sent=shape_of(AnnounceItem), replies=(404,))
def announce(no: str, said: dict[str, Any]) -> Any:
    """Announce the result of an item: completes the task announce_item, and tells the waiting case in the same transaction."""

    def work(act: Any) -> Any:
        task = meetings.open_task(act.conn, meetings.visible(act.conn, me(), no))
        if task is None or task["node"] != "announce_item":
            raise NotWaiting(say("会议现在不在宣布结果", "The meeting is not at the announcement of results"))
        return bureau().cases.complete(act, task["id"], said, lang=spoken())

    return _in_room(no, said, work)


@operation(blp, "POST", "/meetings/<no:no>/confirmations", schemas.Moved, raw=True, sent=shape_of(MinutesConfirmation), replies=(404,))
def confirm(no: str, said: dict[str, Any]) -> Any:
    """A unit that attended agrees with the wording of the minutes, or says what is wrong with it."""
    return _in_room(no, said, lambda act: meetings.confirm(act, bureau().cases, no, said, spoken()))


@operation(blp, "GET", "/meetings/<no:no>/minutes", ("text/html",), replies=(404,))
def minutes(no: str) -> Any:
    """The issued minutes, byte for byte; before that, the version to be confirmed."""
    return Response(pages.minutes_bytes(me(), no), mimetype="text/html")


@operation(blp, "GET", "/meetings/<no:no>/vote-sheet", ("text/html",), replies=(404,))
def vote_sheet(no: str) -> Any:
    """A sheet to vote on paper."""
    return Response(pages.sheet(me(), no), mimetype="text/html")
