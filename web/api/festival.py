"""API: 两节补贴 — estimate, batches with their items, the bank's answers, what is paid again, progress; heating, lists; 慰问 and donations."""

from __future__ import annotations

import hashlib
import json
from datetime import date
from typing import Any

from flask import Response, abort, request
from flask_smorest import Blueprint
from marshmallow import fields, validate

from engine.errors import Invalid, NotFound, Refused
from engine.forms import Whole, understand
from processes import (
    bank_files,
    condolences,
    documents,
    festival,
    festival_batches,
    festival_facts,
    festival_list_file,
    kept_lists,
)
from processes.festival_forms import (
    CLOSINGS,
    DONORS,
    SOURCES,
    DonationIn,
    FestivalBatchIn,
    FestivalClosing,
    FestivalFacts,
    FestivalList,
    FestivalListFile,
    FestivalReissue,
    FestivalResults,
    FestivalVerdict,
    HeatingIn,
    VisitIn,
    day_of,
)
from web import festival as pages
from web.annexes import XLSX
from web.api import schemas
from web.api.desk import me, once, say, spoken
from web.api.operation import operation
from web.api.uploaded import one_file
from web.desk import bureau
from web.line_pages import errors_of

blp = Blueprint("api_festival", __name__, url_prefix="/api/v1", description="两节补贴 (domain 1.15): year-end subsidy, festival allowance, heating, visits, donations")
_s, _n, _l = schemas.said_text, schemas.said_number, schemas.said_list
_KINDS, _GROUPS = " | ".join(festival.KINDS), " | ".join(festival.GROUPS)
_VERDICT = {"outcome": "agree"}


class FestivalLine(schemas.Said):
    kind = _s(_KINDS)
    unit = _s("person | household")
    rate = _s("yuan, or the share of the fee")
    count = _n("persons, or 1 household")
    amount = _s("yuan")
    amount_fen = _n()
    source = _s("key of the paper, as in GET law")
    unverified = _l(fields.String(), "values of it that the bureau has yet to confirm")
    zh = _s()
    en = _s()


class FestivalAssessment(schemas.Said):
    group = _s(_GROUPS)
    hukou_kind = _s("urban | rural")
    members = _n()
    year = _n("of the Spring Festival")
    on = _s("the day whose amounts count")
    spring_festival = _s("正月初一")
    holiday_from = _s()
    deadline = _s("the last working day before the holiday: by then the money is credited")
    lines = _l(FestivalLine)
    total = _s("yuan")
    total_fen = _n()
    unverified = _l(fields.String())
    law_version = _s()
    law_digest = _s()


class FestivalBatchRow(schemas.Said):
    id = _n()
    year = _n()
    street = _s()
    kinds = _l(fields.String(), _KINDS)
    cut_off = _s()
    deadline = _s()
    law_digest = _s()
    items = _n("to be paid")
    left_out = _n("that cannot be paid yet")
    total_fen = _n()
    state = _s("made | approved | refused")
    made_by = _s()
    made_on = _s()
    approved_by = _s("who checked it", none=True)
    approved_on = _s(none=True)
    opinion = _s(none=True)
    files = _n("how many went to the bank")
    may = _l(fields.String(), "what you may do now: check, send, answer")


class FestivalItemRow(schemas.Said):
    id = _n()
    batch_id = _n()
    year = _n()
    street = _s()
    community = _s()
    household_id = _n(none=True)
    person_id = _n("of a benefit of one person", none=True)
    listed_id = _n("of another department's list", none=True)
    grouping = _s(_GROUPS)
    hukou_kind = _s()
    members = _n()
    name = _s("masked")
    holder = _s("masked")
    account = _s("the last four figures", none=True)
    lines = _l(FestivalLine, "the explained amounts, as they were when the batch was made")
    amount = _s("yuan")
    amount_fen = _n()
    state = _s(" | ".join(festival_batches.ITEM_STATES))
    cause = _s(" | ".join(festival_batches.WHY), none=True)
    cause_text = _s(none=True)
    file_no = _n(none=True)
    sent_on = _s(none=True)
    credited_on = _s(none=True)
    returned_on = _s(none=True)
    reissue_of = _n("the item that came back", none=True)
    proposed_by = _s(none=True)
    reason = _s(none=True)
    agreed_by = _s(none=True)
    closing = _s(f"why it can never be paid: {' | '.join(CLOSINGS)}", none=True)
    closing_reason = _s(none=True)
    closing_by = _s("who proposed to close it", none=True)
    closed_by = _s("who agreed, or refused the last time", none=True)
    closed_on = _s(none=True)
    may = _l(fields.String(), "reissue, close, check, check_closing")


class FestivalMade(schemas.Said):
    batch = _n()
    state = _s()
    items = _n()
    left_out = _n()
    total_fen = _n()


class FestivalChecked(schemas.Said):
    batch = _n()
    state = _s("approved | refused")


class FestivalSent(schemas.Said):
    batch = _n()
    file = _n("number of the file: GET festival-batches/{batch_id}/files/{number}")
    items = _n()
    total_fen = _n()


class FestivalFault(schemas.Said):
    line = _n("of the file, or place in `results`, from 1")
    item = _n(none=True)
    code = _s(" | ".join(bank_files.FAULTS))
    zh = _s()
    en = _s()


class FestivalAnswered(schemas.Said):
    batch = _n()
    credited = _n()
    returned = _n()
    repeated = _n("known already")
    faults = _l(FestivalFault)


class FestivalReissued(schemas.Said):
    item = _n("the new item")
    reissue_of = _n()
    state = _s("proposed | pending | dropped")


class FestivalClosed(schemas.Said):
    item = _n()
    state = _s("closing | closed | returned | left_out")


class FestivalClosedCause(schemas.Said):
    items = _n()
    fen = _n()


class FestivalUnit(schemas.Said):
    unit = _s()
    kinds = _l(fields.String(), "with a batch")
    missing_kinds = _l(fields.String(), "without one yet")
    items = _n()
    pending = _n()
    sent = _n()
    credited = _n()
    returned = _n()
    closing = _n("can never be paid: to be checked by a second person")
    closed = _n("never paid, closed with a cause by two persons")
    late = _n("credited or closed after the deadline")
    left_out = _n("households and persons that no batch could pay yet")
    amount_fen = _n()
    credited_fen = _n()
    closed_fen = _n("not paid: stays with the unit")
    closed_causes = fields.Dict(keys=fields.String(), values=fields.Nested(FestivalClosedCause), required=True, metadata={"description": f"cause -> items and fen: {', '.join(CLOSINGS)}"})
    share = _s("of items credited or closed, per cent, cut off to one place", none=True)
    state = _s(" | ".join(festival_batches.PROGRESS))


class FestivalProgress(schemas.Said):
    year = _n()
    spring_festival = _s()
    deadline = _s()
    units = _l(FestivalUnit)
    finished = _n("units")
    items = _n()
    credited = _n()
    closed = _n("never paid, with a cause")
    left_out = _n()
    amount_fen = _n()
    credited_fen = _n()
    closed_fen = _n()
    share = _s(none=True)


class HeatingRow(schemas.Said):
    id = _n()
    household_id = _n()
    year = _n()
    central = fields.Boolean(required=True)
    area = _s("m2", none=True)
    fee_fen = _n(none=True)
    three_nos = fields.Boolean(required=True)
    recorded_by = _s()
    recorded_on = _s()


class HeatingMade(schemas.Said):
    heating = _n()
    household_id = _n()
    year = _n()


class ListRefusal(schemas.Said):
    row = _n("from 1")
    zh = _s()
    en = _s()


class ListTaken(schemas.Said):
    year = _n()
    taken = _n()
    refused = _l(ListRefusal)


class FestivalListLine(schemas.Said):
    row = _n("line of the sheet")
    state = _s("new | known: on the year's list already | error")
    name = _s("masked")
    community = _s(none=True)
    zh = _s("what is wrong", none=True)
    en = _s(none=True)


class FestivalListPreview(schemas.Said):
    list = _s("SHA-256 of the file: its name in the other calls")
    year = _n()
    department = _s()
    rows = _l(FestivalListLine)
    counts = schemas._object("state -> how many", keys=fields.String(), values=fields.Integer())


class FestivalListGone(schemas.Said):
    list = _s()


class ListedRow(schemas.Said):
    id = _n()
    year = _n()
    street = _s()
    community = _s()
    department = _s()
    hukou_kind = _s()
    name = _s("masked")
    account = _s("the last four figures", none=True)
    entered_by = _s()
    entered_on = _s()


class VisitRow(schemas.Said):
    id = _n()
    unit = _s("the community visited")
    household_id = _n(none=True)
    household_no = _s(none=True)
    target = _s("masked for a registered household", none=True)
    visited_on = _s()
    visitors = _s()
    cash_fen = _n()
    goods = _s(none=True)
    goods_fen = _n()
    source = _s(" | ".join(SOURCES))
    donation_id = _n(none=True)
    donation_no = _s("as pages show it", none=True)
    donor = _s("whose gift it was", none=True)
    donation_on = _s("when that was received", none=True)
    recorded_by = _s()
    recorded_on = _s()


class VisitMade(schemas.Said):
    visit = _n()


class DonationRow(schemas.Said):
    id = _n()
    no = _s("as pages show it: JZ0000123")
    unit = _s()
    donor = _s()
    donor_kind = _s(" | ".join(DONORS))
    received_on = _s()
    cash_fen = _n()
    goods = _s(none=True)
    goods_fen = _n("their value")
    purpose = _s(none=True)
    recorded_by = _s()
    recorded_on = _s()
    recipients = _n("visits that gave of it: GET condolence-visits?donation_id=")
    left_fen = _n("of the money")


class DonationMade(schemas.Said):
    donation = _n()


class VisitSum(schemas.Said):
    unit = _s("street, zone or district")
    source = _s(" | ".join(SOURCES))
    visits = _n()
    households = _n("registered ones, each once")
    cash_fen = _n()
    goods_fen = _n()


class DonationSum(schemas.Said):
    unit = _s()
    donations = _n()
    cash_fen = _n()
    goods_fen = _n()


class VisitSums(schemas.Said):
    units = _l(VisitSum)
    donations = _l(DonationSum)
    visits = _n()
    cash_fen = _n()
    goods_fen = _n()
    received_fen = _n()
    received_goods_fen = _n()


def _year(**kind: Any) -> Whole:
    return Whole(validate=validate.Range(1900, 2200, error="应在 1900 至 2200 之间"), **kind)


class BatchQuery(schemas.Paging):
    year = _year()
    street = schemas.text(most=20)
    state = schemas.one_of(*festival_batches.BATCH_STATES)


class ItemQuery(schemas.Paging):
    batch_id = Whole()
    year = _year()
    street = schemas.text(most=20)
    state = schemas.one_of(*festival_batches.ITEM_STATES)
    household_id = Whole()


class ProgressQuery(schemas.Strict):
    year = _year(metadata={"description": "of the Spring Festival; when left out, the one just past while its work goes on, else the coming one"})
    unit = schemas.text("code of a unit: it and those below it", most=20)


class SumQuery(schemas.Strict):
    since = schemas.text("first day", most=10, example="2018-12-01")
    until = schemas.text("last day", most=10)
    unit = schemas.text("code of a unit: it and those below it", most=20)


class VisitQuery(schemas.Paging, SumQuery):
    source = schemas.one_of(*SOURCES)
    household_id = Whole()
    donation_id = Whole()


class DonationQuery(schemas.Paging, SumQuery):
    donor_kind = schemas.one_of(*DONORS)


class FestivalListImport(schemas.Strict):
    year = _year(required=True)
    department = schemas.text("that keeps the list", required=True, most=100, example="区退役军人事务局")
    rows = fields.List(Whole(), allow_none=True, load_default=None, validate=validate.Length(1, festival_list_file.MOST, error="至少一行"), metadata={"description": "lines of the sheet; all when left out"})


class ListedQuery(schemas.Paging):
    year = _year()


class ListErrorsQuery(schemas.Strict):
    year = _year(required=True)


class SendIn(schemas.Strict):
    profile = schemas.text("one of the bank's forms", example="own-csv", load_default="own-csv")


class FileQuery(schemas.Strict):
    profile = schemas.text("one of the bank's forms", example="own-csv", load_default="own-csv")


def facts_of(said: dict[str, Any]) -> dict[str, Any]:
    """What FestivalFacts understood, as `festival.assess` reads it."""
    return {**said, "fee_fen": said.get("fee"), "on": day_of(said["on"]) if said.get("on") else None}


def days(asked: dict[str, Any]) -> dict[str, Any]:
    """since and until as ISO days. Raises Invalid."""
    for name in ("since", "until"):
        if asked.get(name):
            try:
                asked[name] = date.fromisoformat(asked[name]).isoformat()
            except ValueError:
                raise Invalid({name: ["日期格式不正确，请写成 2018-12-03"]}) from None
    return {"since": asked.get("since") or None, "until": asked.get("until") or None, "unit_code": asked.get("unit") or None}


def plain(said: Any) -> Any:
    """What was sent, as JSON: what the idempotency key covers."""
    return json.loads(json.dumps(said, default=str))


@operation(blp, "POST", "/festival-assessments", FestivalAssessment, takes=FestivalFacts, example={"group": "dibao", "hukou_kind": "urban", "members": 3, "year": 2019})
def assess(said: dict[str, Any]) -> Any:
    """两节补贴测算: what a household or person gets, line by line with its paper, and by when; nothing is stored. Without `kinds`: year-end subsidy and festival allowance, and heating where `central` or `fee` is said."""
    office = bureau().office
    return festival.assess(facts_of(said), office.today(), office.published)


@operation(blp, "GET", "/festival-batches", schemas.paged(FestivalBatchRow), asks=BatchQuery)
def batches(asked: dict[str, Any]) -> Any:
    """Batches of your area, the latest first."""
    with bureau().office.read() as conn:
        found = festival_batches.listed(conn, me(), year=asked.get("year"), street=asked.get("street"), state=asked.get("state"), page=asked["page"], size=asked["size"])
    return schemas.listed(festival_batches.told(found.items, me()), found.total, found.page, found.size)


@operation(blp, "POST", "/festival-batches", FestivalMade, status=201, takes=FestivalBatchIn, example={"street": "120116011", "year": 2019, "kinds": ["year_end", "festival_fee"], "cut_off": "2018-12-31"})
def make(said: dict[str, Any]) -> Any:
    """A batch of a street or zone: who is in benefit on the cut-off day (and on another department's list), each with account, members, register and amount as they stand now.
    Whoever is in a batch of the year for a kind of money is in no other. 403 `festival-maker`, `nothing-due`."""
    told = once(plain(said), lambda act: festival_batches.make(act, said))
    return told, {"Location": f"/api/v1/festival-batches/{told['batch']}"}


@operation(blp, "GET", "/festival-batches/<row:batch_id>", FestivalBatchRow, replies=(404,))
def batch(batch_id: int) -> Any:
    """One batch; its items: GET festival-items?batch_id="""
    with bureau().office.read() as conn:
        return festival_batches.told([festival_batches.seen(conn, me(), batch_id)], me())[0]


@operation(blp, "POST", "/festival-batches/<row:batch_id>/check", FestivalChecked, takes=FestivalVerdict, example=_VERDICT, replies=(404,))
def check(batch_id: int, said: dict[str, Any]) -> Any:
    """A second person agrees or refuses. 403 `own-batch`, `festival-checker`."""
    return once(said, lambda act: festival_batches.check(act, batch_id, said))


@operation(blp, "POST", "/festival-batches/<row:batch_id>/files", FestivalSent, status=201, takes=SendIn, example={"profile": "own-csv"}, replies=(404,))
def send(batch_id: int, said: dict[str, Any]) -> Any:
    """What waits in an approved batch goes into one file for the bank; the first time all of it, later what is paid again."""
    return once(said, lambda act: festival_batches.send(act, batch_id, said["profile"]))


@operation(blp, "GET", "/festival-batches/<row:batch_id>/files/<row:number>", ("text/plain",), asks=FileQuery, replies=(403, 404))
def file(batch_id: int, number: int, asked: dict[str, Any]) -> Any:
    """The file for the bank, the same each time; that you fetched it is noted."""
    with bureau().office.act(me()) as act:
        name, data = festival_batches.bank_file(act, batch_id, number, asked["profile"])
    return Response(data, mimetype="text/plain", headers={"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"})


@operation(blp, "POST", "/festival-batches/<row:batch_id>/answers", FestivalAnswered, takes=FestivalResults, replies=(404,),
           example={"results": [{"item": 65538, "result": "returned", "amount": "2700.00", "on": "2019-01-28", "cause": "account_closed"}]})  # fmt: skip
def answers(batch_id: int, said: dict[str, Any]) -> Any:
    """What the bank says, item by item. Wrong amounts, unknown items and doubles are reported in `faults`, and the rest counts."""
    return once(plain(said), lambda act: festival_batches.answer(act, batch_id, festival_batches.by_hand(said)))


_UPLOAD = {
    "type": "object", "required": ["file"], "additionalProperties": False,
    "properties": {"file": {"type": "string", "format": "binary", "description": "the bank's answer"}, "profile": {"type": "string", "description": "one of the bank's forms, own-csv when left out"}}}  # fmt: skip


@operation(blp, "POST", "/festival-batches/<row:batch_id>/answer-files", FestivalAnswered, sent=_UPLOAD, media="multipart/form-data", replies=(400, 404, 413, 415))
def answer_file(batch_id: int) -> Any:
    """The bank's answer as its file: each line that is wrong is reported, and the rest counts. 403 `other-batch`."""
    if request.mimetype != "multipart/form-data":
        abort(415, description=say("请以 multipart/form-data 提交", "Send multipart/form-data"))
    if unknown := sorted({*request.form, *request.files} - {"file", "profile"}):
        raise Invalid({unknown[0][:60]: [say("没有这一项", "Unknown field")]})
    files = request.files.getlist("file")
    if len(files) != 1:
        raise Invalid({"file": [say("请选择一个文件", "One file is needed")]})
    with files[0].stream as stream:
        data = stream.read(bank_files.MOST_BYTES + 1)
    profile = request.form.get("profile") or "own-csv"
    read = festival_batches.read_answer(bureau().office, me(), batch_id, data, profile)
    return once({"profile": profile, "digest": hashlib.sha256(data).hexdigest()}, lambda act: festival_batches.answer(act, batch_id, read.lines, read.faults, read.file))


@operation(blp, "GET", "/festival-items", schemas.paged(FestivalItemRow), asks=ItemQuery)
def items(asked: dict[str, Any]) -> Any:
    """Items of your area: ?state=returned lists what came back, with its cause."""
    made = bureau()
    parts = {name: asked.get(name) for name in ("batch_id", "year", "street", "state", "household_id")}
    with made.office.read() as conn:
        found = festival_batches.items(conn, me(), **parts, page=asked["page"], size=asked["size"])
        rows = festival_batches.told_items(made.office.keys.on(conn), found.items, me())
    return schemas.listed(rows, found.total, found.page, found.size)


@operation(blp, "GET", "/festival-items/<row:item_id>", FestivalItemRow, replies=(404,))
def item(item_id: int) -> Any:
    """One item."""
    made = bureau()
    with made.office.read() as conn:
        found = festival_batches.items(conn, me(), item_id=item_id)
        if not found.items:
            raise NotFound("没有这项明细")
        return festival_batches.told_items(made.office.keys.on(conn), found.items, me())[0]


@operation(blp, "POST", "/festival-items/<row:item_id>/reissue", FestivalReissued, status=201, takes=FestivalReissue, example={"account": "622200000000123456", "holder": "张三", "reason": "原账户已销户"}, replies=(404,))
def reissue(item_id: int, said: dict[str, Any]) -> Any:
    """What came back is to be paid again, to an account of a member of the household; another person checks it. 403 `not-theirs`, `same-account`."""
    return once(said, lambda act: festival_batches.reissue(act, item_id, said))


@operation(blp, "POST", "/festival-items/<row:item_id>/check", FestivalReissued, takes=FestivalVerdict, example=_VERDICT, replies=(404,))
def check_item(item_id: int, said: dict[str, Any]) -> Any:
    """A second person agrees to an item that is paid again (it goes into the batch's next file), or refuses."""
    return once(said, lambda act: festival_batches.agree(act, item_id, said))


@operation(blp, "POST", "/festival-items/<row:item_id>/closing", FestivalClosed, status=201, takes=FestivalClosing, example={"cause": "died_without_heirs", "reason": "村委会证明：无继承人"}, replies=(404,))
def close_item(item_id: int, said: dict[str, Any]) -> Any:
    """What came back, or could not be paid from the start, can never be paid: proposed with its cause; another person checks it. 409 for any other item."""
    return once(said, lambda act: festival_batches.propose_closing(act, item_id, said))


@operation(blp, "POST", "/festival-items/<row:item_id>/closing-check", FestivalClosed, takes=FestivalVerdict, example=_VERDICT, replies=(404,))
def check_closing(item_id: int, said: dict[str, Any]) -> Any:
    """A second person agrees that it is never paid (its money stays with the unit, no later batch lists it, the unit counts it as closed with its cause), or refuses. 403 `own-batch`."""
    return once(said, lambda act: festival_batches.check_closing(act, item_id, said))


@operation(blp, "GET", "/festival-progress", FestivalProgress, asks=ProgressQuery, replies=(404,))
def progress(asked: dict[str, Any]) -> Any:
    """How far each paying unit of your area is, by the last working day before the holiday; 422 where the holidays of that year are not known."""
    office = bureau().office
    areas = within_mine(festival_batches.areas_of(me()), asked.get("unit"))
    with office.read() as conn:
        year = asked.get("year") or festival_batches.season(conn, areas, office.today(), office.published)
        return festival_batches.progress(conn, areas, year, office.today(), office.published)


def within_mine(areas: tuple[str, ...], unit: str | None) -> Any:
    """The unit asked for where it is in the area; the whole area without one. Raises NotFound."""
    if unit and not any(unit.startswith(own) for own in areas):
        raise NotFound("没有这个机构")
    return unit or areas


@operation(blp, "GET", "/households/<row:household_id>/heating", schemas.paged(HeatingRow), asks=schemas.Paging, replies=(404,))
def heating(household_id: int, asked: dict[str, Any]) -> Any:
    """How a household's dwelling is heated, the latest description first: it counts for its season."""
    with bureau().office.read() as conn:
        return schemas.cut(festival_facts.of_household(conn, me(), household_id), asked["page"], asked["size"])


@operation(blp, "POST", "/households/<row:household_id>/heating", HeatingMade, status=201, takes=HeatingIn, example={"year": 2019, "central": True, "area": "48", "fee": "1200.00"}, replies=(404,))
def describe(household_id: int, said: dict[str, Any]) -> Any:
    """供热情况 of a season: what the heating subsidy of a dibao household or of a dispersed destitute person follows from."""
    return once(plain(said), lambda act: festival_facts.describe(act, household_id, said))


@operation(blp, "GET", "/festival-lists", schemas.paged(ListedRow), asks=ListedQuery)
def listed(asked: dict[str, Any]) -> Any:
    """Persons of other departments' lists (优抚) in your area."""
    made = bureau()
    with made.office.read() as conn:
        found = festival_facts.persons(conn, made.office.keys.on(conn), me(), year=asked.get("year"), page=asked["page"], size=asked["size"])
    return schemas.listed(list(found.items), found.total, found.page, found.size)


@operation(blp, "POST", "/festival-lists", ListTaken, status=201, takes=FestivalList,
           example={"year": 2019, "department": "区退役军人事务局", "persons": [{"name": "王五", "id_no": "120116195001010013", "community": "120116011001", "hukou_kind": "urban", "employed": False, "account": "622200000000123456"}]})  # fmt: skip
def take_list(said: dict[str, Any]) -> Any:
    """优抚对象 without an employer, up to 100 at a time: what is wrong with one is reported by its place, and the rest is taken."""
    return once(plain(said), lambda act: festival_facts.take_list(act, said))


_LIST_FILE = {
    "type": "object", "required": ["file", "year", "department"], "additionalProperties": False,
    "properties": {"file": {"type": "string", "format": "binary", "description": f".xlsx with the columns {', '.join(festival_list_file.HEADINGS)} (GET festival-lists/template), at most 8 MB, {festival_list_file.MOST} persons"},
                   "year": {"type": "string", "description": "of the Spring Festival", "example": "2019"}, "department": {"type": "string", "description": "that keeps the list", "example": "区退役军人事务局"}}}  # fmt: skip


@operation(blp, "POST", "/festival-lists/files", FestivalListPreview, status=201, sent=_LIST_FILE, media="multipart/form-data", replies=(400, 403, 413, 415))
def take_list_file() -> Any:
    """The same as a workbook: see what each line would do. It is kept encrypted for you alone, for 8 hours; nothing is taken (POST festival-lists/files/{list}/import).
    422 for what is no such list: columns missing or shuffled, macros, too many lines."""
    _maker()
    data = one_file(documents.MAX_BYTES, "year", "department")
    said = understand(FestivalListFile(context={"today": bureau().office.today(), "actor": me(), "lang": spoken(), "facts": {}}), {name: request.form.get(name, "") for name in ("year", "department")})
    return pages.keep_list(me(), said, data)


@operation(blp, "POST", "/festival-lists/files/<sha256:digest>/import", ListTaken, status=201, takes=FestivalListImport, example={"year": 2019, "department": "区退役军人事务局", "rows": [2, 3]}, replies=(403, 404))
def import_list_file(digest: str, said: dict[str, Any]) -> Any:
    """Take all lines, or those chosen: `row` of what is refused is the line of the sheet, the rest is taken; nobody twice in a year. 404 when you did not upload it, or more than 8 hours ago."""
    _maker()
    data = pages.kept_list(me(), digest)
    return once([digest, said], lambda act: festival_facts.take_file(act, said, data, None if said["rows"] is None else set(said["rows"])))


@operation(blp, "GET", "/festival-lists/files/<sha256:digest>/errors", (XLSX,), asks=ListErrorsQuery, replies=(403, 404))
def errors_of_list_file(digest: str, asked: dict[str, Any]) -> Any:
    """The lines with errors as a workbook, why in the last column: mend it and upload it."""
    _maker()
    return errors_of(pages.list_error_workbook(me(), asked["year"], pages.kept_list(me(), digest)))


@operation(blp, "DELETE", "/festival-lists/files/<sha256:digest>", FestivalListGone, replies=(403,))
def discard_list_file(digest: str) -> Any:
    """Remove what was kept; persons that were taken stay on the list."""
    _maker()
    kept_lists.discard(bureau().office.keys, bureau().settings.files, me(), digest)
    return {"list": digest}


def _maker() -> None:
    if me().roles.isdisjoint(festival_batches.MAKERS):
        raise Refused("festival-maker", "由本单位的资金发放岗、民政专干或窗口经办人生成批次", "Finance officers, civil affairs officers and clerks of the unit make a batch")


@operation(blp, "GET", "/festival-lists/template", (XLSX,), replies=(403,))
def list_template() -> Any:
    """An empty workbook to fill in."""
    return Response(festival_list_file.template(), mimetype=XLSX, headers={"Content-Disposition": 'attachment; filename="list.xlsx"'})


@operation(blp, "GET", "/condolence-visits", schemas.paged(VisitRow), asks=VisitQuery)
def visits(asked: dict[str, Any]) -> Any:
    """慰问 in your area, the latest first."""
    made, parts = bureau(), days(asked)
    with made.office.read() as conn:
        found = condolences.visits(conn, made.office.keys.on(conn), me(), **parts, source=asked.get("source"), household_id=asked.get("household_id"), donation_id=asked.get("donation_id"), page=asked["page"], size=asked["size"])
    return schemas.listed(list(found.items), found.total, found.page, found.size)


@operation(blp, "POST", "/condolence-visits", VisitMade, status=201, takes=VisitIn, replies=(404,),
           example={"household_id": 9, "visited_on": "2019-01-20", "visitors": "街道领导、民政专干", "cash": "500.00", "goods": "米、油", "goods_value": "120.00", "source": "government"})  # fmt: skip
def visit(said: dict[str, Any]) -> Any:
    """A visit of a registered household or of somebody else (`target`, `community`), with what was given and from which source; gifts of society name their donation. Never income. 403 `more-than-given`."""
    return once(plain(said), lambda act: condolences.pay_visit(act, said))


@operation(blp, "GET", "/condolence-visits/sums", VisitSums, asks=SumQuery)
def sums(asked: dict[str, Any]) -> Any:
    """Sums per unit and source, and donations per unit, of your area."""
    with bureau().office.read() as conn:
        return condolences.sums(conn, me(), **days(asked))


@operation(blp, "GET", "/donations", schemas.paged(DonationRow), asks=DonationQuery)
def donations(asked: dict[str, Any]) -> Any:
    """Gifts of social forces that units of your area received, with what is left."""
    with bureau().office.read() as conn:
        found = condolences.gifts(conn, me(), **days(asked), donor_kind=asked.get("donor_kind"), page=asked["page"], size=asked["size"])
    return schemas.listed(list(found.items), found.total, found.page, found.size)


@operation(blp, "POST", "/donations", DonationMade, status=201, takes=DonationIn, example={"unit": "120116011", "donor": "某商会", "donor_kind": "social_organisation", "received_on": "2019-01-10", "cash": "50000.00"})
def receive(said: dict[str, Any]) -> Any:
    """A gift of money or goods to a unit; who received of it is told by the visits that name it."""
    return once(plain(said), lambda act: condolences.receive(act, said))


@operation(blp, "GET", "/donations/<row:donation_id>", DonationRow, replies=(404,))
def donation(donation_id: int) -> Any:
    """One donation."""
    with bureau().office.read() as conn:
        found = condolences.gifts(conn, me(), donation_id=donation_id)
    if not found.items:
        raise NotFound("没有这笔捐赠")
    return found.items[0]
