"""API: benefits, their life, what is decided on them outside a case."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flask_smorest import Blueprint
from marshmallow import fields, validate
from sqlalchemy import Connection

from engine.errors import NotFound, Refused
from engine.forms import Whole
from engine.office import Act
from processes import benefit_acts, benefit_lists, benefits, deliveries, households, readers, report_duties
from processes.benefit_lists import STATUSES, Filter
from web.api import schemas
from web.api.desk import me, once
from web.api.operation import operation
from web.api.schemas import _b, _many, _n, _s
from web.benefits import CATEGORIES
from web.desk import bureau

blp = Blueprint("api_benefits", __name__, url_prefix="/api/v1", description="Benefits")

_MONTH = validate.Regexp(r"20[0-9]{2}-(0[1-9]|1[0-2])\Z", error="月份写成 2019-04")


class BenefitQuery(schemas.Paging):
    unit = schemas.text("code of a unit that yours covers: it and those below it", most=20, example="120116011")
    status = schemas.one_of(*STATUSES)
    category = schemas.one_of(*CATEGORIES)
    review_class = schemas.one_of(*benefits.CLASSES)
    household_id = Whole(metadata={"description": "benefits of this household"})
    unsettled = fields.Boolean(metadata={"description": "true: only those with money of past months that is still to be paid"})


class BenefitSearch(schemas.Paging):
    id_no = schemas.text("exact ID number of a member", most=40)
    name = schemas.text("beginning of a member's name")


class PayableQuery(schemas.Strict):
    month = schemas.text("also what is payable in this month", most=7, example="2019-04", also=[_MONTH])


class BenefitRow(schemas.Said):
    id = _n()
    number = _s(example="B0000123")
    household_id = _n()
    household_no = _s()
    applicant = _s()
    community = _s()
    street = _s()
    category = _s()
    amount_fen = _n("a month, as decided last")
    status = _s("pending_first_payment | active | suspended | stopped | closed")
    members = _n()
    first_payment_month = _s()
    amount_from = _s("from which month the amount counts", none=True)
    granted_on = _s(none=True)
    law_version = _s(none=True)
    case_no = _s(none=True)
    review_class = _s(none=True)
    last_review_on = _s(none=True)
    next_review_on = _s(none=True)
    next_report_on = _s(none=True)
    stopped_from = _s(none=True)
    exit_class = _s(none=True)
    exit_reason = _s(none=True)
    grace_until = _s("the last month of a grace period (渐退期)", example="2023-06", none=True)
    grace_person = _n("who began to work", none=True)
    person_id = _n("of a benefit of one member (特困): whose", none=True)
    self_care = _s("and how he cares for himself: full | partly_lost | completely_lost", none=True)


class Adjustment(schemas.Said):
    id = _n()
    kind = _s("grant | keep | grace | increase | decrease | convert | stop | suspend | resume | holder | transfer")
    reason_code = _s()
    said = _s("the reason in the words of who decided outside a case", none=True)
    from_month = _s("the first month for which it counts")
    before_category = _s(none=True)
    after_category = _s(none=True)
    before_fen = _n()
    after_fen = _n()
    before_members = _n()
    after_members = _n()
    before_status = _s(none=True)
    after_status = _s()
    decided_on = _s()
    decided_by = _s()
    case_no = _s(none=True)
    batch_no = _s(none=True)
    law_version = _s(none=True)
    letter_id = _n("GET letters/{id}", none=True)


class Instalment(schemas.Said):
    month = _s()
    fen = _n()


class Settlement(schemas.Said):
    id = _n()
    kind = _s("recovery | arrears")
    status = _s("found | agreed | settled | waived")
    reason_code = _s()
    case_no = _s(none=True)
    from_month = _s()
    to_month = _s()
    amount_fen = _n()
    agreed_on = _s(none=True)
    plan = _many(Instalment)
    rest_fen = _n("what is left of the plan after this month")
    plan_over = _b()  # its last month has begun, and nobody has registered that it is paid back
    cleared_on = _s("the day on which it was paid, or waived", none=True)
    cleared_by = _s(none=True)
    said = _s("of a waiver: why; of a payment: a note", none=True)


class Payable(schemas.Said):
    month = _s()
    payable_fen = _n()


class Proposal(schemas.Said):
    id = _n()
    kind = _s("suspend | resume")
    reason_code = _s()
    reason = _s()
    pay_suspended = _b()
    proposed_by = _s()
    proposed_on = _s()


class CountedMember(schemas.Said):
    person_id = _n()
    name = _s()


class Benefit(BenefitRow):
    members_counted = _many(CountedMember)
    adjustments = _many(Adjustment, "oldest first")
    settlements = _many(Settlement)
    reports_owed = fields.List(fields.String(), required=True, metadata={"description": "the days since which the household owes a report, the oldest first"})
    months = _many(Payable, "payable in the last and the next months")
    payable = fields.Nested(Payable, required=True, allow_none=True, metadata={"description": "of the month that was asked for"})
    proposal = fields.Nested(Proposal, required=True, allow_none=True, metadata={"description": "what waits for its decision"})


class Decided(schemas.Said):
    benefit_id = _n()
    adjustment_id = _n(none=True)
    status = _s()


_ROW = tuple(name for name in BenefitRow._declared_fields if name != "number")
_DECISION = tuple(name for name in Adjustment._declared_fields if name != "letter_id")
_SETTLED = tuple(Settlement._declared_fields)


def _row(found: Mapping[Any, Any]) -> dict[str, Any]:
    return {**{name: found[name] for name in _ROW}, "number": benefits.number(found["id"])}


def _visible(conn: Connection, benefit_id: int) -> Mapping[Any, Any]:
    row = benefits.row(conn, benefit_id)
    if not readers.of_benefits(me()).covers(households.row(conn, row["household_id"])["community"]):
        raise NotFound("没有这项救助待遇")
    return row


@operation(blp, "GET", "/benefits", schemas.paged(BenefitRow), asks=BenefitQuery, replies=(403,))
def listing(asked: dict[str, Any]) -> Any:
    """Benefits of your posts' units and those below them, the newest first."""
    unit = asked.get("unit")
    if unit and not readers.of_benefits(me()).covers(unit):
        raise Refused("unit", "这个机构不在您的辖区", "This unit is outside your area")
    wanted = Filter(asked.get("status"), asked.get("category"), asked.get("review_class"), asked.get("household_id"), unsettled=asked.get("unsettled") or False)
    return _found(unit or readers.of_benefits(me()).areas, wanted, asked)


@operation(blp, "POST", "/benefits/search", schemas.paged(BenefitRow), takes=BenefitSearch)
def search(said: dict[str, Any]) -> Any:
    """By a member's name or ID, which stay out of addresses and logs."""
    return _found(readers.of_benefits(me()).areas, Filter(name=said.get("name") or "", id_no=said.get("id_no") or ""), said)


def _found(area: Any, wanted: Filter, asked: Mapping[str, Any]) -> dict[str, Any]:
    made = bureau()
    with made.office.read() as conn:
        found = benefit_lists.search(conn, made.office.keys.on(conn), area, wanted, page=asked["page"], size=asked["size"])
    return schemas.listed([_row(r) for r in found.items], found.total, found.page, found.size)


@operation(blp, "GET", "/benefits/<row:benefit_id>", Benefit, asks=PayableQuery, replies=(404,))
def show(benefit_id: int, asked: dict[str, Any]) -> Any:
    """The benefit, its decisions with before and after, money of past months, what is payable. `?month=` asks for one month."""
    made, today = bureau(), bureau().office.today()
    with made.office.read() as conn:
        row, keys = _visible(conn, benefit_id), made.office.keys.on(conn)
        house, pending = households.row(conn, row["household_id"]), benefit_acts.pending(conn, benefit_id)
        place = {"household_no": house["no"], "community": house["community"], "street": house["street"], "applicant": households.applicant(conn, house["id"])["name"]}
        month = asked.get("month")
        return {
            **_row({**row, **place}),
            "members_counted": [dict(m) for m in benefit_lists.members_counted(conn, benefit_id)],
            "adjustments": [_decision(d) for d in benefit_lists.life(conn, keys, benefit_id)],
            "settlements": [{name: s[name] for name in _SETTLED} for s in benefit_lists.settlements(conn, keys, benefit_id, today)],
            "reports_owed": report_duties.owed(conn, benefit_id),
            "months": benefit_lists.months_paid(conn, benefit_id, today),
            "payable": {"month": month, "payable_fen": benefits.payable(conn, benefit_id, month)} if month else None,
            "proposal": _proposal(keys, pending) if pending else None,
        }


@operation(blp, "GET", "/benefits/<row:benefit_id>/letters", schemas.paged(schemas.LetterRow), asks=schemas.Paging, replies=(404,))
def own_letters(benefit_id: int, asked: dict[str, Any]) -> Any:
    """Letters that stand in the benefit's own record (suspension, resumption, 调标, reminders), with delivery and last days."""
    with bureau().office.read() as conn:
        _visible(conn, benefit_id)
        return schemas.cut(deliveries.of_benefit(conn, benefit_id), asked["page"], asked["size"])


def _decision(found: Mapping[str, Any]) -> dict[str, Any]:
    return {**{name: found[name] for name in _DECISION}, "letter_id": found["letter"] and found["letter"]["id"]}


def _proposal(keys: Any, found: Mapping[Any, Any]) -> dict[str, Any]:
    told = {name: found[name] for name in Proposal._declared_fields}
    return told | {"reason": keys.reveal("benefit_proposal", "reason", found["id"], found["reason"])}


# -- acts


def _act(benefit_id: int, said: Any, work: Callable[[Act], Any]) -> dict[str, Any]:
    def checked(act: Act) -> dict[str, Any]:
        _visible(act.conn, benefit_id)
        adjustment = work(act)
        return {"benefit_id": benefit_id, "adjustment_id": adjustment, "status": benefits.row(act.conn, benefit_id)["status"]}

    return once(said, checked)


def _proposed(benefit_id: int, kind: str, said: Any) -> Any:
    def work(act: Act) -> dict[str, Any]:
        _visible(act.conn, benefit_id)
        return {"id": benefit_acts.propose(act, benefit_id, kind, said)}

    return once(said, work)


@operation(blp, "POST", "/benefits/<row:benefit_id>/suspension", schemas.Id, status=201, takes=benefit_acts.Suspension, replies=(404,))
def suspension(benefit_id: int, said: dict[str, Any]) -> Any:
    """The street proposes to suspend the payment; an approver of the district confirms it."""
    return _proposed(benefit_id, "suspend", said)


@operation(blp, "POST", "/benefits/<row:benefit_id>/suspension/confirmation", Decided, takes=benefit_acts.Settling, replies=(404,))
def confirm_suspension(benefit_id: int, said: dict[str, Any]) -> Any:
    """Suspended from the month after; rule `four-eyes`: who proposed it may not confirm it."""
    return _act(benefit_id, said, lambda act: benefit_acts.confirm(act, benefit_id, "suspend", said))


@operation(blp, "POST", "/benefits/<row:benefit_id>/suspension/refusal", Decided, takes=benefit_acts.Settling, replies=(404,))
def refuse_suspension(benefit_id: int, said: dict[str, Any]) -> Any:
    """An approver says no, or the proposer takes it back."""
    return _act(benefit_id, said, lambda act: benefit_acts.refuse(act, benefit_id, "suspend", said))


@operation(blp, "POST", "/benefits/<row:benefit_id>/resumption", schemas.Id, status=201, takes=benefit_acts.Resumption, replies=(404,))
def resumption(benefit_id: int, said: dict[str, Any]) -> Any:
    """The street proposes to resume the payment, and whether the months of the suspension are paid later."""
    return _proposed(benefit_id, "resume", said)


@operation(blp, "POST", "/benefits/<row:benefit_id>/resumption/confirmation", Decided, takes=benefit_acts.Settling, replies=(404,))
def confirm_resumption(benefit_id: int, said: dict[str, Any]) -> Any:
    """Paid again from the month after; rule `four-eyes`: who proposed it may not confirm it."""
    return _act(benefit_id, said, lambda act: benefit_acts.confirm(act, benefit_id, "resume", said))


@operation(blp, "POST", "/benefits/<row:benefit_id>/resumption/refusal", Decided, takes=benefit_acts.Settling, replies=(404,))
def refuse_resumption(benefit_id: int, said: dict[str, Any]) -> Any:
    """An approver says no, or the proposer takes it back."""
    return _act(benefit_id, said, lambda act: benefit_acts.refuse(act, benefit_id, "resume", said))


@operation(blp, "PUT", "/benefits/<row:benefit_id>/review-class", Decided, takes=benefit_acts.ReviewClass, replies=(404,))
def review_class(benefit_id: int, said: dict[str, Any]) -> Any:
    """Another review class, for a reason: the next review falls due by it."""
    return _act(benefit_id, said, lambda act: benefit_acts.change_class(act, benefit_id, said))


@operation(blp, "POST", "/benefits/<row:benefit_id>/settlements/<row:settlement_id>/payment", Decided, takes=benefit_acts.Paid, replies=(404,))
def settled(benefit_id: int, settlement_id: int, said: dict[str, Any]) -> Any:
    """The finance office registers that the money came back, or was paid out. A stopped benefit with nothing else to settle is closed."""
    return _act(benefit_id, said, lambda act: benefit_acts.settled(act, benefit_id, settlement_id, said))


@operation(blp, "POST", "/benefits/<row:benefit_id>/settlements/<row:settlement_id>/waiver", Decided, takes=benefit_acts.Waiver, replies=(404,))
def waived(benefit_id: int, settlement_id: int, said: dict[str, Any]) -> Any:
    """An approver does not ask it back, for a reason; rule `waive-arrears`: what the household is owed cannot be waived."""
    return _act(benefit_id, said, lambda act: benefit_acts.waived(act, benefit_id, settlement_id, said))
