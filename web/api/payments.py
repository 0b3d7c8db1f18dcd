"""API: 资金发放 — payment runs, items, problems, files, the bank's answers, and changes of account."""

from __future__ import annotations

import json
from typing import Any

from flask import Response, request
from flask_smorest import Blueprint, abort
from marshmallow import fields

from engine.errors import Invalid
from engine.forms import Whole
from processes import bank_files, identity, payment_accounts, payment_files, payment_lists, payments, readers
from processes.payment_forms import AccountChange, AccountSettled, ProblemAnswer, RunIn
from processes.payment_run import KEY
from web import payments as pages
from web.api import schemas
from web.api.desk import me, once, say, spoken
from web.api.operation import operation, shape_of
from web.desk import bureau

blp = Blueprint("api_payments", __name__, url_prefix="/api/v1", description="资金发放: monthly payment runs")
_s, _n = schemas.said_text, schemas.said_number
_PROBLEMS, _CAUSES = " | ".join(payments.PROBLEMS), " | ".join(bank_files.CAUSES)


class RunTotals(schemas.Said):
    items = _n("to be paid: neither held back nor dropped")
    total_fen = _n()
    listed = _n()
    listed_fen = _n()
    held = _n("held back: no account, or by somebody's answer")
    held_fen = _n()
    dropped = _n("not in this run")
    dropped_fen = _n()
    sent = _n("with the bank, not answered yet")
    sent_fen = _n()
    credited = _n()
    credited_fen = _n()
    returned = _n("given back by the bank, not paid yet")
    returned_fen = _n()


class ReturnedCause(schemas.Said):
    cause = _s(_CAUSES)
    items = _n()
    fen = _n()


class BankFile(schemas.Said):
    no = _s("its items' serial numbers begin with it")
    seq = _n()
    profile = _s()
    state = _s("making | made | sent")
    pay_on = _s("to be credited on")
    made_by = _s()
    made_on = _s()
    count = _n()
    total_fen = _n()
    sent_on = _s(none=True)
    digest = _s("SHA-256 of its bytes, keyed", none=True)


class BankAnswer(schemas.Said):
    id = _n()
    file = _s()
    lines = _n()
    taken = _n("lines that count")
    repeated = _n("said what was known already")
    faults = _n()
    back = _n("lines that took back what was credited: the books post the reverse, the item is open again")
    entered_by = _s()
    entered_on = _s()


class AnswerFault(schemas.Said):
    line = _n("of the file, from 1")
    code = _s(" | ".join(bank_files.FAULTS))
    message = _s()
    serial = _s(none=True)
    text = _s("the line as it came", none=True)


class BankAnswerTold(BankAnswer):
    applied = _n("lines that are written down by now: large files are worked on part by part")
    problems = schemas.said_list(fields.Nested(AnswerFault))


class BankAnswerTaken(BankAnswerTold):
    again = fields.Boolean(required=True, metadata={"description": "the same file was entered before: nothing was changed"})


class PaymentRun(schemas.Said):
    case_no = _s("GET cases/{no} and its tasks")
    scope = _s()
    month = _s()
    pay_by = _s("the last day on which all is to be credited")
    status = _s(" | ".join(payments.RUN_STATES))
    not_due = _n("suspended, so not on the list")
    elsewhere = _n("on another run's list")
    made_by = _s()
    made_on = _s()
    submitted_by = _s(none=True)
    checked_by = _s(none=True)
    approved_by = _s(none=True)
    approved_on = _s(none=True)
    approved_items = _n(none=True)
    approved_fen = _n(none=True)
    closed_on = _s(none=True)
    totals = fields.Nested(RunTotals, required=True)
    late = _n("not credited by the last day")
    changed = _n("benefits or accounts that changed since the list was made")
    open_problems = fields.Dict(keys=fields.String(), values=fields.Integer(), required=True, metadata={"description": f"kind -> how many: {_PROBLEMS}"})
    returned = schemas.said_list(fields.Nested(ReturnedCause))
    files = schemas.said_list(fields.Nested(BankFile))
    answers = schemas.said_list(fields.Nested(BankAnswer))


class PaymentItem(schemas.Said):
    id = _n()
    benefit_id = _n()
    household_id = _n()
    household_no = _s()
    applicant = _s()
    community = _s()
    month = _s()
    settlement_id = _n("of a back payment", none=True)
    live = fields.Boolean(required=True)
    state = _s(" | ".join(payments.ITEM_STATES))
    category = _s()
    members = _n()
    standard = _s("yuan a month")
    amount_fen = _n()
    holder = _s(none=True)
    bank = _s(none=True)
    account = _s("its last four digits")
    again = fields.Boolean(required=True, metadata={"description": "goes into the next file"})
    attempts = _n()
    cause = _s(_CAUSES, none=True)
    credited_on = _s(none=True)
    people = schemas.said_list(fields.String(), "members as frozen")
    problems = schemas.said_list(fields.String(), _PROBLEMS)
    late = fields.Boolean(required=True)


class PaymentSending(schemas.Said):
    file = _s()
    serial = _s("what the bank pays once")
    attempt = _n()
    amount_fen = _n()
    holder = _s(none=True)
    bank = _s(none=True)
    account = _s()
    pay_on = _s()
    state = _s("sent | paid | returned | taken_back: credited, and taken back by the bank later")
    cause = _s(_CAUSES, none=True)
    credited_on = _s(none=True)
    answered_on = _s(none=True)
    taken_back_on = _s("when that was entered", none=True)
    reason = _s("the bank's own words", none=True)


class PaymentItemTold(PaymentItem):
    sendings = schemas.said_list(fields.Nested(PaymentSending))


class PaymentProblem(schemas.Said):
    id = _n()
    item_id = _n()
    kind = _s(_PROBLEMS)
    state = _s("open | answered")
    answer = _s("keep | hold | drop", none=True)
    reason = _s(none=True)
    answered_by = _s(none=True)
    answered_on = _s(none=True)
    household_id = _n()
    household_no = _s()
    applicant = _s()
    community = _s()
    amount_fen = _n()
    item_state = _s()
    other_item_id = _n("of a duplicate", none=True)
    other_run = _s(none=True)
    other_community = _s(none=True)
    keepable = fields.Boolean(required=True, metadata={"description": "whether it may be paid by somebody's word"})


class TakenBack(schemas.Said):
    id = _n()
    serial = _s()
    case_no = _s("the run that paid it")
    item_id = _n("of that run")
    month = _s()
    benefit_id = _n()
    household_id = _n()
    household_no = _s()
    applicant = _s("masked")
    community = _s()
    amount_fen = _n()
    credited_on = _s(none=True)
    taken_back_on = _s("when that was entered")
    cause = _s(_CAUSES)
    now_run = _s("the run in which that money is now")
    now_item_id = _n()
    now_state = _s(" | ".join(payments.ITEM_STATES))


class AccountRow(schemas.Said):
    id = _n()
    household_id = _n()
    household_no = _s()
    community = _s()
    holder = _s()
    bank = _s()
    account = _s("its last four digits")
    from_month = _s("the first run that pays there")
    document_id = _n(none=True)
    reason = _s()
    state = _s("proposed | confirmed | refused")
    proposed_by = _s()
    proposed_on = _s()
    settled_by = _s(none=True)
    settled_on = _s(none=True)


class AccountMoved(schemas.Said):
    change = _n()
    state = _s()


class RunNo(schemas.Said):
    case = _s()
    status = _s()


class ProblemAnswered(schemas.Said):
    problem = _n()
    answer = _s()


class RunQuery(schemas.Paging):
    month = schemas.text("2018-12", most=7)
    status = schemas.one_of(*payments.RUN_STATES)


class PaymentQuery(schemas.Paging):
    view = schemas.one_of(*payments.VIEWS, about="a state; late: not credited by the last day; again: goes into the next file; taken_back: the bank took a credit back, whatever became of it since")
    community = schemas.text("code of a unit: it and those below it", most=20)
    problem = schemas.one_of(*payments.PROBLEMS)


class TakenBackQuery(schemas.Paging):
    waiting = schemas.one_of("true", "false", about="only what is not credited again")
    household_id = Whole()


class ProblemQuery(schemas.Paging):
    state = schemas.one_of("open", "answered")
    kind = schemas.one_of(*payments.PROBLEMS)


class AccountQuery(schemas.Paging):
    state = schemas.one_of(*payment_accounts.STATES)
    household_id = Whole(metadata={"description": "changes of this household"})


@operation(blp, "GET", "/payment-runs", schemas.paged(PaymentRun), asks=RunQuery)
def listing(asked: dict[str, Any]) -> Any:
    """Runs of which you see something: those of your area, and that of the district with your area's items."""
    made = bureau()
    with made.office.read() as conn:
        found = payments.runs(conn, me(), month=asked.get("month"), status=asked.get("status"), page=asked["page"], size=asked["size"])
        items = [payments.told(conn, row, made.office.today()) for row in found.items]
    return schemas.listed(items, found.total, found.page, found.size)


@operation(blp, "POST", "/payment-runs", schemas.Moved, status=201, raw=True, sent=shape_of(RunIn))
def start(said: dict[str, Any]) -> Any:
    """Start the run of a unit for a month; the same as POST cases with process payment-run. The list is made by workers: status `listing`, then
    `ready`. Rule `second-run`: one run for a unit and a month. Its tasks are those of the case."""
    told = once(said, lambda act: bureau().cases.start(act, KEY, said, lang=spoken()))
    return told, {"Location": f"/api/v1/payment-runs/{told['case']}"}


@operation(blp, "GET", "/payment-runs/<no:no>", PaymentRun, replies=(404,))
def show(no: str) -> Any:
    """A run with its sums as they are now, its files and the bank's answers."""
    made = bureau()
    with made.office.read() as conn:
        return payments.told(conn, payments.seen(conn, me(), no), made.office.today())


@operation(blp, "GET", "/payment-runs/<no:no>/items", schemas.paged(PaymentItem), asks=PaymentQuery, replies=(404,))
def items(no: str, asked: dict[str, Any]) -> Any:
    """Its items in your area: each as it was when the list was made. Without `view`: all but those that were dropped."""
    made = bureau()
    with made.office.read() as conn:
        run = payments.seen(conn, me(), no)
        found = payments.items(conn, made.office.keys.on(conn), run, payments.area_of(me()), made.office.today(), view=asked.get("view"), community=asked.get("community"),
                               problem=asked.get("problem"), page=asked["page"], size=asked["size"])  # fmt: skip
    return schemas.listed(list(found.items), found.total, found.page, found.size)


@operation(blp, "GET", "/payment-runs/<no:no>/items/<row:item_id>", PaymentItemTold, replies=(404,))
def item(no: str, item_id: int) -> Any:
    """One item, and how it was sent each time."""
    made = bureau()
    with made.office.read() as conn:
        run = payments.seen(conn, me(), no)
        return payments.item_told(conn, made.office.keys.on(conn), payments.item_seen(conn, me(), run, item_id), run, made.office.today())


@operation(blp, "GET", "/payment-runs/<no:no>/problems", schemas.paged(PaymentProblem), asks=ProblemQuery, replies=(404,))
def problems(no: str, asked: dict[str, Any]) -> Any:
    """What is wrong with its items: duplicates (also with another unit's run), ceilings, deaths, accounts. The open ones first."""
    made = bureau()
    with made.office.read() as conn:
        found = payments.problems(conn, made.office.keys.on(conn), payments.seen(conn, me(), no), payments.area_of(me()), state=asked.get("state"), kind=asked.get("kind"),
                                  page=asked["page"], size=asked["size"])  # fmt: skip
    return schemas.listed(list(found.items), found.total, found.page, found.size)


@operation(blp, "POST", "/payment-runs/<no:no>/problems/<row:problem_id>", ProblemAnswered, takes=ProblemAnswer, example={"answer": "hold", "reason": "待核实"}, replies=(404,))
def answer(no: str, problem_id: int, said: dict[str, Any]) -> Any:
    """Pay all the same, hold back, or drop it, with a reason; while the list is prepared. Rule `not-payable` where no word heals it."""
    return once(said, lambda act: payment_lists.answer(act, no, problem_id, said))


@operation(blp, "POST", "/payment-runs/<no:no>/list", RunNo, replies=(404,))
def list_again(no: str) -> Any:
    """Make the list again: what decisions or accounts have changed since is listed as it is now."""
    return once({}, lambda act: payment_lists.list_again(act, no))


@operation(blp, "GET", "/payment-runs/<no:no>/files/<no:file_no>", ("application/octet-stream",), replies=(403, 404))
def download(no: str, file_no: str) -> Any:
    """The file as the bank gets it, for a finance officer. That you took it is noted in your reading log."""
    with bureau().office.act(me()) as act:
        name, data = payment_files.download(act, no, file_no, say("送交银行", "To carry it to the bank"))
    return Response(data, mimetype="application/octet-stream", headers={"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"})


_UPLOAD = {
    "type": "object", "required": ["file"], "additionalProperties": False,
    "properties": {"file": {"type": "string", "format": "binary", "description": "the bank's answer by the file's profile"},
                   "file_no": {"type": "string", "description": "to which file it is the answer; as its header says when left out", "example": "FF-2018-000123-01"}}}  # fmt: skip


@operation(blp, "POST", "/payment-runs/<no:no>/answers", BankAnswerTaken, status=201, sent=_UPLOAD, media="multipart/form-data", replies=(400, 403, 404, 409, 413, 415))
def take(no: str) -> Any:
    """Enter the bank's answer. Lines are compared with what was sent; what is wrong stands under `problems` with its line, and the rest counts.
    Lines that take back what was credited (`back`) are booked, also when the run is closed: the item is open again for this run or the next one.
    The same file again changes nothing (`again`)."""
    request.max_content_length = pages.MOST_UPLOAD
    if request.mimetype != "multipart/form-data":
        abort(415, description=say("请以 multipart/form-data 提交", "Send multipart/form-data"))
    if unknown := sorted({*request.form, *request.files} - {"file", "file_no"}):
        raise Invalid({unknown[0][:60]: [say("没有这一项", "Unknown field")]})
    told = _answer(pages.taken(me(), no))
    return told, {"Location": f"/api/v1/payment-runs/{no}/answers/{told['id']}"}


def _answer(found: dict[str, Any]) -> dict[str, Any]:
    return {**found, "problems": [{**one, "message": say(*bank_files.FAULTS[one["code"]])} for one in found["problems"]]}


@operation(blp, "GET", "/payment-runs/<no:no>/answers/<row:return_id>", BankAnswerTold, replies=(403, 404))
def returned(no: str, return_id: int) -> Any:
    """An answer with what was wrong in it, for finance officers, approvers, supervisors and auditors."""
    with bureau().office.read() as conn:
        return _answer(pages.answer_of(conn, me(), payments.seen(conn, me(), no), return_id))


@operation(blp, "GET", "/payments-taken-back", schemas.paged(TakenBack), asks=TakenBackQuery)
def taken_back(asked: dict[str, Any]) -> Any:
    """What the bank credited and took back later, in your area: who has no money, why, and which run pays it (decision 083)."""
    with bureau().office.read() as conn:
        found = payments.taken_back(conn, me(), waiting=asked.get("waiting") == "true", household_id=asked.get("household_id"), page=asked["page"], size=asked["size"])
    return schemas.listed([{**row, "applicant": identity.mask_name(row["applicant"] or "")} for row in found.items], found.total, found.page, found.size)


@operation(blp, "GET", "/account-changes", schemas.paged(AccountRow), asks=AccountQuery)
def accounts(asked: dict[str, Any]) -> Any:
    """Changes of account in your area, those that wait first."""
    made = bureau()
    with made.office.read() as conn:
        found = payment_accounts.listed(conn, readers.of_benefits(me()).areas, state=asked.get("state"), household_id=asked.get("household_id"), page=asked["page"], size=asked["size"])
        rows = payment_accounts.told(made.office.keys.on(conn), found.items)
    return schemas.listed(rows, found.total, found.page, found.size)


@operation(blp, "POST", "/households/<row:household_id>/account-changes", AccountMoved, status=201, takes=AccountChange, replies=(404,),
           example={"holder": "张一", "bank": "中国银行", "account": "6217000000000000013", "from_month": "2019-01", "reason": "换卡"})  # fmt: skip
def change_account(household_id: int, said: dict[str, Any]) -> Any:
    """Ask for another account, from a month's run on. Rule `account-holder`: its holder is a member of the household."""
    return once(json.loads(json.dumps(said, default=str)), lambda act: payment_accounts.propose(act, household_id, said))


@operation(blp, "POST", "/account-changes/<row:change_id>", AccountMoved, takes=AccountSettled, replies=(404,), example={"outcome": "confirm", "opinion": "与存折相符"})
def settle_account(change_id: int, said: dict[str, Any]) -> Any:
    """Another person confirms or refuses it; rule `four-eyes`."""
    return once(said, lambda act: payment_accounts.settle(act, change_id, said))
