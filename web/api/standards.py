"""API: 调标, the adjustment of all benefits to a new standard: propose, list, confirm, follow, print."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Response
from flask_smorest import Blueprint
from marshmallow import fields

from engine.office import Act
from processes import readers, standards
from web.api import schemas
from web.api.desk import me, once
from web.api.operation import operation
from web.api.schemas import _b, _n, _s
from web.desk import bureau
from web.standards import Confirmation, Proposal, Withdrawal, in_one_go

blp = Blueprint("api_standards", __name__, url_prefix="/api/v1", description="Adjustments of the standard")


class Batch(schemas.Said):
    no = _s(example="TB-2019-04")
    effective_month = _s(example="2019-04")
    law_version = _s()
    status = _s("computing | proposed | confirmed | finished | withdrawn")
    proposed_by = _s()
    proposed_on = _s()
    settled_by = _s("who confirmed or withdrew it", none=True)
    settled_on = _s(none=True)
    finished_on = _s(none=True)
    changes = _n("proposed to be changed")
    unchanged = _n()
    persons = _n("for a person to look at: never computed from the old amount")
    contacts = _n("low income, below the new standard: to be asked, never converted")
    before_fen = _n("a month, of what is proposed")
    after_fen = _n()


class Progress(schemas.Said):
    of = _n("benefits given to the workers")
    done = _n()
    applied = _n()
    left_alone = _n()
    stopped = _n("stopped meanwhile: skipped")
    for_persons = _n()
    applied_before_fen = _n()
    applied_after_fen = _n()
    arrears_fen = _n()


class BatchNow(Batch):
    progress = fields.Nested(Progress, required=True)


class ItemQuery(schemas.Paging):
    view = schemas.one_of(*standards.VIEWS, about="by what was proposed, or what became of it")
    unit = schemas.text("code of a unit: it and those below it, as far as yours cover it", most=20)


class AdjustedBenefit(schemas.Said):
    benefit_id = _n()
    household_id = _n()
    household_no = _s()
    applicant = _s()
    community = _s()
    category = _s()
    members = _n()
    state = _s("change | unchanged | person | new")
    reason = _s("why a person has to look: figures_differ | no_figures | other_category", none=True)
    contact = _b()
    per_capita = _s("yuan", none=True)
    before_fen = _n()
    after_fen = _n()
    outcome = _s("applied | unchanged | stopped | person; none: not done yet", none=True)
    done_reason = _s(none=True)
    done_before_fen = _n(none=True)
    done_after_fen = _n(none=True)
    done_from_month = _s(none=True)
    done_arrears_fen = _n(none=True)
    done_recomputed = fields.Boolean(required=True, allow_none=True)
    done_letter_id = _n(none=True)
    done_delivered_on = _s("when its letter was delivered", none=True)


class BatchNo(schemas.Said):
    no = _s()


class LetterPage(schemas.Strict):
    page = schemas.bounded(1, schemas.MAX_PAGE, 1, "stretches of 200 letters")


def _batch(row: Mapping[Any, Any]) -> dict[str, Any]:
    return {name: row[name] for name in Batch._declared_fields}


@operation(blp, "POST", "/standard-adjustments", BatchNo, status=201, takes=Proposal, example={"effective_month": "2019-04"})
def propose(said: dict[str, Any]) -> Any:
    """Propose it for the month whose law has a new standard. The list is computed by workers: status `computing`, then `proposed`."""
    told = once(said, lambda act: {"no": standards.propose(act, said["effective_month"])})
    return told, {"Location": f"/api/v1/standard-adjustments/{told['no']}"}


@operation(blp, "GET", "/standard-adjustments", schemas.paged(Batch), asks=schemas.Paging)
def listing(asked: dict[str, Any]) -> Any:
    """The newest first."""
    with bureau().office.read() as conn:
        return schemas.cut([_batch(row) for row in standards.batches(conn)], asked["page"], asked["size"])


@operation(blp, "GET", "/standard-adjustments/<no:no>", BatchNow, replies=(404,))
def show(no: str) -> Any:
    """The batch, and how far the workers are."""
    with bureau().office.read() as conn:
        row = standards.batch_row(conn, no)
        return {**_batch(row), "progress": standards.progress(conn, row)}


@operation(blp, "GET", "/standard-adjustments/<no:no>/items", schemas.paged(AdjustedBenefit), asks=ItemQuery, replies=(404,))
def items(no: str, asked: dict[str, Any]) -> Any:
    """Its benefits in your area, with before and after, and what became of them."""
    unit = asked.get("unit")
    area = unit if unit and readers.of_benefits(me()).covers(unit) else readers.of_benefits(me()).areas
    with bureau().office.read() as conn:
        batch = standards.batch_row(conn, no)
        found = standards.items(conn, batch["id"], area, view=asked.get("view"), page=asked["page"], size=asked["size"])
    return schemas.listed([{name: row[name] for name in AdjustedBenefit._declared_fields} for row in found.items], found.total, found.page, found.size)


@operation(blp, "POST", "/standard-adjustments/<no:no>/confirmation", BatchNo, takes=Confirmation, replies=(404,))
def confirm(no: str, said: dict[str, Any]) -> Any:
    """An approver decides as it is listed; rule `four-eyes`: who proposed it may not confirm it. Workers apply it."""

    def work(act: Act) -> dict[str, Any]:
        standards.confirm(act, no, said["opinion"])
        return {"no": no}

    return once(said, work)


@operation(blp, "POST", "/standard-adjustments/<no:no>/withdrawal", BatchNo, takes=Withdrawal, replies=(404,))
def withdraw(no: str, said: dict[str, Any]) -> Any:
    """Taken off the table before it is confirmed; the month is free for another batch."""

    def work(act: Act) -> dict[str, Any]:
        standards.withdraw(act, no, said["reason"])
        return {"no": no}

    return once(said, work)


@operation(blp, "GET", "/standard-adjustments/<no:no>/letters", ("text/html",), asks=LetterPage, replies=(404,))
def letters(no: str, asked: dict[str, Any]) -> Any:
    """The letters of your area one after the other, to be printed in one go; 200 on a page."""
    made = bureau()
    with made.office.read() as conn:
        batch = standards.batch_row(conn, no)
        return Response(in_one_go(conn, made.office.keys.on(conn), batch, readers.of_benefits(me()).areas, asked["page"])[0], mimetype="text/html")
