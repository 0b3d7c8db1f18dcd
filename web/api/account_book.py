"""API: 补发、追缴 — statements of account, repayments, offsets, and the reconciliation of a unit and month."""

from __future__ import annotations

import json
from typing import Any

from flask_smorest import Blueprint
from marshmallow import fields

from processes import account_book, readers
from processes.account_book import Offset, OffsetSettled, Repayment
from web.api import schemas
from web.api.desk import me, once
from web.api.operation import operation
from web.desk import bureau

blp = Blueprint("api_account_book", __name__, url_prefix="/api/v1", description="补发、追缴: accounts of households by double entry")
_s, _n = schemas.said_text, schemas.said_number


class AccountFigures(schemas.Said):
    """approved = paid − recovered + set off + owed − written off"""

    approved_fen = _n("by all decisions, retroactive ones too")
    paid_fen = _n()
    recovered_fen = _n("came back")
    set_off_fen = _n("arrears of this month that were used; below zero: a claim of this month that was covered")
    written_off_fen = _n("not asked back by decision")
    payable_fen = _n("owed to the household; below zero: paid above what is approved, and not claimed")
    receivable_fen = _n("claimed from it")
    owed_fen = _n("payable less receivable")


class AccountMonth(AccountFigures):
    month = _s()


class AccountPosting(schemas.Said):
    benefit_id = _n()
    month = _s("to which the money belongs")
    debit = _s(" | ".join(account_book.ACCOUNTS))
    credit = _s(" | ".join(account_book.ACCOUNTS))
    fen = _n()
    source = _s(" | ".join(account_book.SOURCES))
    source_id = _n("number of the decision, settlement, sending or receipt")
    posted = fields.Boolean(required=True, metadata={"description": "false: it follows from the record, and is posted with the next close"})


class AccountClaim(schemas.Said):
    id = _n()
    benefit_id = _n()
    kind = _s("recovery | arrears")
    reason_code = _s()
    from_month = _s()
    to_month = _s()
    amount_fen = _n()
    instalment_fen = _n("of the plan", none=True)
    first_month = _s(none=True)
    status = _s("found | agreed | settled | waived")
    rest_fen = _n("what is left")
    run = _s("the run that pays these arrears now", none=True)


class AccountReceipt(schemas.Said):
    id = _n()
    benefit_id = _n()
    settlement_id = _n("the claim")
    against_id = _n("of an offset: the arrears that it uses", none=True)
    kind = _s("repaid | offset")
    fen = _n()
    on_day = _s()
    state = _s("proposed | done | refused")
    entered_by = _s()
    entered_on = _s()
    settled_by = _s(none=True)
    settled_on = _s(none=True)
    note = _s(none=True)


class AccountStatement(schemas.Said):
    household_id = _n()
    books_from = _s("the month of the first run; null: there are no books yet", none=True)
    totals = fields.Nested(AccountFigures, required=True)
    months = schemas.said_list(fields.Nested(AccountMonth))
    postings = schemas.said_list(fields.Nested(AccountPosting))
    settlements = schemas.said_list(fields.Nested(AccountClaim))
    receipts = schemas.said_list(fields.Nested(AccountReceipt))


class AccountLine(AccountFigures):
    benefit_id = _n()
    household_id = _n()
    household_no = _s()
    applicant = _s()
    community = _s()


class UnitFigures(AccountFigures):
    unit = _s()
    month = _s()


class ReceiptMoved(schemas.Said):
    receipt = _n()
    state = _s()


class PostingAsked(schemas.Said):
    unit = _s()
    status = _s("posting")


class UnitBody(schemas.Strict):
    unit = schemas.text("code of a unit: it and those below it", required=True, most=20, example="120116")


class UnitMonth(schemas.Strict):
    unit = schemas.text("code of a unit: it and those below it", required=True, most=20, example="120116")
    month = schemas.text("2018-12", required=True, most=7, example="2018-12")


class LinesQuery(schemas.Paging):
    unit = schemas.text("code of a unit: it and those below it", required=True, most=20, example="120116")
    month = schemas.text("2018-12", required=True, most=7, example="2018-12")
    differing = schemas.one_of("true", "false", about="only what is still owed or claimed")


@operation(blp, "GET", "/households/<row:household_id>/account", AccountStatement, replies=(404,))
def statement(household_id: int) -> Any:
    """A household's statement of account, for who reads its benefits: by month and in all, with each posting."""
    made = bureau()
    with made.office.read() as conn:
        account_book.seen(conn, me(), household_id)
        return account_book.statement(conn, made.office.keys.on(conn), household_id, f"{made.office.today():%Y-%m}")


@operation(blp, "POST", "/benefits/<row:benefit_id>/settlements/<row:settlement_id>/repayments", ReceiptMoved, status=201, takes=Repayment, replies=(404,),
           example={"amount": "100.00", "on_day": "2018-12-03", "note": "缴款书 0012"})  # fmt: skip
def repay(benefit_id: int, settlement_id: int, said: dict[str, Any]) -> Any:
    """Money of a claim came back: an instalment or all; with the last fen it is settled. For finance officers."""
    return once(json.loads(json.dumps(said, default=str)), lambda act: account_book.repay(act, benefit_id, settlement_id, said))


@operation(blp, "POST", "/benefits/<row:benefit_id>/settlements/<row:settlement_id>/offsets", ReceiptMoved, status=201, takes=Offset, replies=(404,),
           example={"against": 1900550, "amount": "50.00", "note": "家庭同意抵扣"})  # fmt: skip
def offset(benefit_id: int, settlement_id: int, said: dict[str, Any]) -> Any:
    """Ask that a claim be set off against arrears of the benefit (`against`). Rule `in-payment-run` where a run pays these arrears."""
    return once(said, lambda act: account_book.propose_offset(act, benefit_id, settlement_id, said))


@operation(blp, "POST", "/benefits/<row:benefit_id>/offsets/<row:receipt_id>", ReceiptMoved, takes=OffsetSettled, replies=(404,), example={"outcome": "agree"})
def settle_offset(benefit_id: int, receipt_id: int, said: dict[str, Any]) -> Any:
    """An approver of the district decides; rule `four-eyes`."""
    return once(said, lambda act: account_book.settle_offset(act, benefit_id, receipt_id, said))


@operation(blp, "GET", "/accounts", schemas.paged(AccountLine), asks=LinesQuery)
def lines(asked: dict[str, Any]) -> Any:
    """The books of a unit for a month, a line for each benefit, as they are posted."""
    area = asked["unit"] if readers.of_benefits(me()).covers(asked["unit"]) else ()
    with bureau().office.read() as conn:
        found = account_book.reconciliation(conn, area, account_book.good_month(asked["month"]), differing=asked.get("differing") == "true", page=asked["page"], size=asked["size"])
    return schemas.listed(list(found.items), found.total, found.page, found.size)


@operation(blp, "GET", "/accounts/totals", UnitFigures, asks=UnitMonth)
def totals(asked: dict[str, Any]) -> Any:
    """The same in all."""
    area = asked["unit"] if readers.of_benefits(me()).covers(asked["unit"]) else ()
    with bureau().office.read() as conn:
        return {"unit": asked["unit"], "month": asked["month"], **account_book.unit_totals(conn, area, account_book.good_month(asked["month"]))}


@operation(blp, "POST", "/accounts/postings", PostingAsked, status=201, takes=UnitBody, example={"unit": "120116"})
def post(said: dict[str, Any]) -> Any:
    """Post a unit's accounts now, by workers; otherwise they are posted when its run is closed."""
    return once(said, lambda act: account_book.ask_posting(act, said["unit"]))
