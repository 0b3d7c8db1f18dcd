"""API: 一门受理 — intakes of the one window, their parts, the transfers of departments, and the routing table."""

from __future__ import annotations

import json
from typing import Any

from flask_smorest import Blueprint
from marshmallow import fields

from engine.forms import Whole
from processes import intake_lists, intakes, routing
from processes.assessment_form import OpenAssessmentIn
from processes.intake_forms import (
    CaseLink,
    CharityReferral,
    IntakeHandedOver,
    IntakeIn,
    MoreProgrammes,
    ToMeeting,
    TransferOut,
    TransferResult,
    TransferReturned,
    TransferTaken,
    WindowResult,
)
from processes.parameters import day_of
from web.api import schemas
from web.api.desk import me, once, spoken
from web.api.operation import operation
from web.desk import bureau

blp = Blueprint("api_intakes", __name__, url_prefix="/api/v1", description="一门受理: one window for every programme, transfers and their results")
_s, _n = schemas.said_text, schemas.said_number
_EXAMPLE = {"community": "120116011001", "known_as": "王某", "requester": "self", "channel": "window", "received_on": "2018-12-03", "programmes": ["medical", "unknown"], "need": "住院费用较高"}


def _flag(about: str) -> fields.Boolean:
    return fields.Boolean(required=True, metadata={"description": about})


class IntakeTransfer(schemas.Said):
    id = _n()
    part_id = _n()
    kind = _s("department | meeting | charity")
    to_unit = _s("code of the department; null of a charity", none=True)
    to_name = _s("the charity", none=True)
    note = _s(none=True)
    sent_by = _s()
    sent_on = _s()
    due_on = _s("to be taken or returned by; once taken, the day that the department named", none=True)
    state = _s("sent | accepted | returned | done | recalled")
    late = _flag("past due_on, and waiting")
    accepted_by = _s(none=True)
    accepted_on = _s(none=True)
    returned_by = _s(none=True)
    returned_on = _s(none=True)
    reason = _s("why it was returned", none=True)
    next_unit = _s("the department that is competent instead", none=True)
    next_address = _s("where the person may turn", none=True)
    result = _s("granted | refused | handled | advised, of the window also no_need | withdrawn", none=True)
    result_text = _s(none=True)
    result_by = _s(none=True)
    result_on = _s(none=True)
    meeting_no = _s(none=True)


class TransferInFull(IntakeTransfer):
    no = _s("number of the intake")
    intake_id = _n()
    programme = _s()
    community = _s()
    person = _s("whom it is about")
    requester = _s()
    requester_name = _s(none=True)
    phone = _s(none=True)
    need = _s()
    received_on = _s()
    answerable = _s("login of the clerk who answers for it (首问负责)")
    may = schemas.said_list(fields.String(), "what you may do now: acceptance, return, result")


class TransferItem(schemas.Said):
    id = _n()
    no = _s()
    intake_id = _n()
    programme = _s()
    community = _s()
    kind = _s("department | meeting | charity")
    to_unit = _s(none=True)
    sent_on = _s()
    due_on = _s(none=True)
    state = _s()
    late = _flag("past due_on, and waiting")
    answerable = _s()


class PartRow(schemas.Said):
    id = _n()
    programme = _s("a programme of GET routing, or unknown")
    state = _s("to_decide | to_start | case | sent | accepted | returned | referred | done")
    open = _flag("neither finished nor its case closed")
    late = _flag("past due_on, and open")
    due_on = _s("by when the next act is owed", none=True)
    case_no = _s(none=True)
    outcome = _s("of its case, once closed: granted | refused | withdrawn | closed", none=True)
    result = _s("granted | refused | handled | advised | no_need | withdrawn | routed", none=True)
    result_text = _s(none=True)
    result_by = _s(none=True)
    result_on = _s(none=True)
    may = schemas.said_list(fields.String(), "what you may do now: case, transfer, charity, meeting, result")
    transfers = schemas.said_list(fields.Nested(IntakeTransfer), "every one, oldest first")


class IntakeRow(schemas.Said):
    id = _n()
    no = _s("on the slip", example="SL-2018-000123")
    street = _s()
    community = _s()
    household_id = _n("null: nobody registered (yet)", none=True)
    known_as = _s("who needs help, where no household is registered", none=True)
    person = _s("whom it is about")
    requester = _s("self | family | neighbour | committee | staff | other")
    requester_name = _s(none=True)
    phone = _s(none=True)
    need = _s()
    channel = _s("window | phone | visit | committee | letter")
    received_on = _s()
    recorded_on = _s()
    taken_by = _s("who was asked first; stays named")
    answerable = _s("who answers for it until each part has its result (首问负责)")
    lead_id = _n(none=True)
    open = _flag("some part waits for its result")
    late = _flag("some part's day is over")
    parts = schemas.said_list(fields.Nested(PartRow), "one for each programme")


class IntakeTaken(schemas.Said):
    intake = _n()
    no = _s()
    code = _s("query code for the progress page: told once, kept only as a keyed digest; null when a request is repeated", none=True)
    parts = schemas.said_list(fields.Integer(), "numbers of its parts, in the order of `programmes`")


class SlipAgain(schemas.Said):
    intake = _n()
    no = _s()
    code = _s("the new query code; null when a request is repeated", none=True)


class PartsAdded(schemas.Said):
    intake = _n()
    parts = schemas.said_list(fields.Integer())


class IntakeAnswerable(schemas.Said):
    intake = _n()
    answerable = _s()


class PartSent(schemas.Said):
    part = _n()
    state = _s()
    transfer = _n()


class PartMoved(schemas.Said):
    part = _n()
    state = _s()


class PartLinked(PartMoved):
    case = _s()


class TransferMoved(schemas.Said):
    transfer = _n()
    state = _s()


class IntakeProposal(schemas.Said):
    fits = schemas.said_list(fields.String(), "programmes that fit by the facts")
    ask = schemas.said_list(fields.String(), "programmes of which the street has to find out more")
    assessment = fields.Nested(schemas.OpenAssessment, required=True)


class RouteRow(schemas.Said):
    programme = _s()
    title = _s()
    title_en = _s()
    own = _flag("a procedure of this system; else it is transferred")
    unit = _s("code of the department", none=True)
    unit_name = _s()
    unit_name_en = _s()
    source = _s("key of the source")
    unverified = _flag("to be confirmed by the bureau")


class Routing(schemas.Said):
    on = _s()
    items = schemas.said_list(fields.Nested(RouteRow.from_dict({"from": _s("first day of the row")}, name="RouteOfADay")))


class RoutingQuery(schemas.Strict):
    on = schemas.text("the day; today when left out", most=10, example="2018-12-03")


class IntakeQuery(schemas.Paging):
    state = schemas.one_of("open", "finished")
    late = schemas.one_of("true", about="only those with a part whose day is over")
    mine = schemas.one_of("true", about="only those that you answer for")
    programme = schemas.one_of(*routing.PROGRAMMES, "unknown")
    no = schemas.text("number on the slip", most=40)
    household_id = Whole(metadata={"description": "intakes of this household"})


class TransferQuery(schemas.Paging):
    state = schemas.one_of(*intake_lists.TRANSFER_STATES)
    late = schemas.one_of("true", about="only those whose day is over")
    mine = schemas.one_of("true", about="only those that your department handles")
    unit = schemas.text("code of the department", most=20)


CASE = {"type": "object", "properties": {"answers": {"type": "object", "description": "of the start form of the programme's process (GET processes/{key}), where they differ from what the intake says"}}}  # fmt: skip


@operation(blp, "GET", "/routing", Routing, asks=RoutingQuery)
def table(asked: dict[str, Any]) -> Any:
    """Who decides on each programme on a day (N649 art 60; departments changed on 2019-03-02)."""
    on = day_of("on", asked["on"]) if asked.get("on") else bureau().office.today()
    return {"on": on.isoformat(), "items": routing.table(on)}


@operation(blp, "GET", "/intakes", schemas.paged(IntakeRow), asks=IntakeQuery)
def listing(asked: dict[str, Any]) -> Any:
    """Intakes of your area, or those that you took: the newest first."""
    made = bureau()
    wanted = intake_lists.Filter(
        open={"open": True, "finished": False}.get(asked.get("state", "")), late="late" in asked, answerable=me().id if "mine" in asked else None,
        programme=asked.get("programme"), no=asked.get("no"), household_id=asked.get("household_id"))  # fmt: skip
    with made.office.read() as conn:
        today, keys = made.office.today(), made.office.keys.on(conn)
        found = intake_lists.listed(conn, me(), wanted, today, page=asked["page"], size=asked["size"])
        items = [intake_lists.told(conn, keys, row, me(), today) for row in found.items]
    return schemas.listed(items, found.total, found.page, found.size)


@operation(blp, "POST", "/intakes", IntakeTaken, status=201, takes=IntakeIn, example=_EXAMPLE, replies=(404,))
def write(said: dict[str, Any]) -> Any:
    """One form for every programme and for who does not know (`unknown`): of a registered household, or of `community` and `known_as`. What
    a department decides on is transferred at once; an own programme waits for its case. `code` is told this once."""
    told = once(plain(said), lambda act: intakes.take(act, said))
    return told, {"Location": f"/api/v1/intakes/{told['intake']}"}


def plain(said: dict[str, Any]) -> Any:
    """What was sent, as JSON: what the idempotency key covers."""
    return json.loads(json.dumps(said, default=str))


@operation(blp, "GET", "/intakes/<row:intake_id>", IntakeRow, replies=(404,))
def show(intake_id: int) -> Any:
    """One intake with its parts and their transfers. `may`: what you may do with a part now."""
    made = bureau()
    with made.office.read() as conn:
        return intake_lists.told(conn, made.office.keys.on(conn), intake_lists.seen(conn, me(), intake_id), me(), made.office.today())


@operation(blp, "POST", "/intakes/<row:intake_id>/slip", SlipAgain, takes=schemas.Nothing, optional=True, replies=(404,))
def slip(intake_id: int, said: dict[str, Any]) -> Any:
    """A new query code, when the slip was lost; the old one is worth nothing from now on."""
    return once(said, lambda act: intakes.slip(act, intake_id))


@operation(blp, "POST", "/intakes/<row:intake_id>/parts", PartsAdded, status=201, takes=MoreProgrammes, example={"programmes": ["dibao", "medical"]}, replies=(404,))
def more(intake_id: int, said: dict[str, Any]) -> Any:
    """What fits, for who did not know, or what is asked for besides. The part `unknown` is settled by it."""
    return once(said, lambda act: intakes.more(act, intake_id, said["programmes"]))


@operation(blp, "POST", "/intakes/<row:intake_id>/answerable", IntakeAnswerable, takes=IntakeHandedOver, example={"to_login": "clerk2", "reason": "调离窗口"}, replies=(404,))
def hand_over(intake_id: int, said: dict[str, Any]) -> Any:
    """A leader names another clerk of the area to answer for it; who was asked first stays named in `taken_by`."""
    return once(said, lambda act: intakes.hand_over(act, intake_id, said["to_login"], said["reason"]))


@operation(blp, "GET", "/intakes/<row:intake_id>/proposal", IntakeProposal, replies=(404,))
def proposal(intake_id: int) -> Any:
    """For who does not know: what may fit the registered household as it is known, by the estimate that everybody may ask for. No decision."""
    return _proposal(intake_id, None)


@operation(blp, "POST", "/intakes/<row:intake_id>/proposal", IntakeProposal, takes=OpenAssessmentIn, replies=(404,), example={
    "hukou_kind": "urban", "members": [{"ref": "1", "birth_date": "1975-03-01", "income": [{"kind": "wage_income", "amount": "700.00"}]}]})  # fmt: skip
def proposal_of(intake_id: int, said: dict[str, Any]) -> Any:
    """The same by facts that are told at the window, of somebody who is not registered. Nothing of them is stored."""
    return _proposal(intake_id, said)


def _proposal(intake_id: int, facts: dict[str, Any] | None) -> Any:
    made = bureau()
    with made.office.read() as conn:
        return intake_lists.proposal(conn, made.office.keys.on(conn), intake_lists.seen(conn, me(), intake_id), made.office.today(), facts)


@operation(blp, "POST", "/intake-parts/<row:part_id>/case", schemas.Moved, status=201, raw=True, sent=CASE, replies=(404,))
def begin(part_id: int, said: dict[str, Any]) -> Any:
    """Own programme: its application begins, by what the intake says and `answers`. One intake may begin many cases."""
    answers = intakes.answers_of(said)
    return once(said, lambda act: intakes.begin_case(act, bureau().cases, part_id, answers, lang=spoken()))


@operation(blp, "POST", "/intake-parts/<row:part_id>/link", PartLinked, takes=CaseLink, example={"case_no": "DB-2018-000123"}, replies=(404,))
def link(part_id: int, said: dict[str, Any]) -> Any:
    """Own programme whose application was begun already."""
    return once(said, lambda act: intakes.link_case(act, part_id, said["case_no"]))


@operation(blp, "POST", "/intake-parts/<row:part_id>/transfer", PartSent, status=201, takes=TransferOut, example={"to_unit": "120116906", "note": "属住房保障"}, replies=(404,))
def transfer(part_id: int, said: dict[str, Any]) -> Any:
    """To a department: after another returned it, or when the window has found out which one."""
    return once(said, lambda act: intakes.pass_on(act, part_id, said))


@operation(blp, "POST", "/intake-parts/<row:part_id>/charity", PartSent, status=201, takes=CharityReferral, example={"to_name": "滨海新区慈善协会", "note": "政策外困难"}, replies=(404,))
def charity(part_id: int, said: dict[str, Any]) -> Any:
    """What no programme covers is referred to a charity; the window enters what became of it (`result`)."""
    return once(said, lambda act: intakes.to_charity(act, part_id, said))


@operation(blp, "POST", "/intake-parts/<row:part_id>/meeting", PartSent, status=201, takes=ToMeeting, example={"note": "现行救助均不适用"}, replies=(404,))
def meeting(part_id: int, said: dict[str, Any]) -> Any:
    """Nothing fits: to the office of the joint meeting."""
    return once(said, lambda act: intakes.to_meeting(act, part_id, said))


@operation(blp, "POST", "/intake-parts/<row:part_id>/result", PartMoved, takes=WindowResult, example={"result": "advised", "result_text": "已答复"}, replies=(404,))
def result(part_id: int, said: dict[str, Any]) -> Any:
    """The window's own result: answered on the spot, told by the charity, or withdrawn. Of a transferred part only `withdrawn`."""
    return once(said, lambda act: intakes.finish(act, part_id, said))


@operation(blp, "GET", "/transfers", schemas.paged(TransferItem), asks=TransferQuery)
def transfers(asked: dict[str, Any]) -> Any:
    """Transfers to your department, or of the intakes of your area: what is due first."""
    made = bureau()
    with made.office.read() as conn:
        today, keys = made.office.today(), made.office.keys.on(conn)
        found = intake_lists.transfers(conn, me(), today, state=asked.get("state"), late="late" in asked, unit=asked.get("unit"), mine="mine" in asked,
                                       page=asked["page"], size=asked["size"])  # fmt: skip
        items = [intake_lists.transfer_told(keys, row, today) | {name: row[name] for name in ("no", "intake_id", "programme", "community", "answerable")} for row in found.items]
    return schemas.listed([{name: one[name] for name in TransferItem().fields} for one in items], found.total, found.page, found.size)


@operation(blp, "GET", "/transfers/<row:transfer_id>", TransferInFull, replies=(404,))
def transfer_row(transfer_id: int) -> Any:
    """One transfer, with what the department needs to know. `may`: what you may do with it now."""
    made = bureau()
    with made.office.read() as conn:
        row = intake_lists.transfer_seen(conn, me(), transfer_id)
        return intake_lists.transfer_in_full(conn, made.office.keys.on(conn), row, me(), made.office.today())


@operation(blp, "POST", "/transfers/<row:transfer_id>/acceptance", TransferMoved, takes=TransferTaken, example={"promised_on": "2018-12-20"}, replies=(404,))
def accept(transfer_id: int, said: dict[str, Any]) -> Any:
    """The department takes it, and says by when it will have answered."""
    return once(plain(said), lambda act: intakes.accept(act, transfer_id, said))


@operation(blp, "POST", "/transfers/<row:transfer_id>/return", TransferMoved, takes=TransferReturned, example={"reason": "不属于本部门职责", "next_unit": "120116906"}, replies=(404,))
def give_back(transfer_id: int, said: dict[str, Any]) -> Any:
    """Not the department's matter: back to the window with the reason, and where it belongs or the person may turn."""
    return once(said, lambda act: intakes.give_back(act, transfer_id, said))


@operation(blp, "POST", "/transfers/<row:transfer_id>/result", TransferMoved, takes=TransferResult, example={"result": "granted", "result_text": "已按规定救助"}, replies=(404,))
def answer(transfer_id: int, said: dict[str, Any]) -> Any:
    """What was decided; of the joint meeting with `meeting_no`, a meeting that is over."""
    return once(said, lambda act: intakes.answer(act, transfer_id, said))
