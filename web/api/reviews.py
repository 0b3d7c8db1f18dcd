"""API: which benefits are due for re-review, and the round over a whole unit. One review begins by POST cases."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from flask_smorest import Blueprint

from processes import benefits, calendar, readers, reviews
from web.api import schemas
from web.api.desk import me, once
from web.api.operation import operation
from web.desk import bureau

blp = Blueprint("api_reviews", __name__, url_prefix="/api/v1", description="Periodic re-review of benefits")


class ReviewQuery(schemas.Paging):
    state = schemas.one_of(*reviews.STATES, about="overdue (default), due within 30 days, under_way, done")
    street = schemas.text("code of a street", most=20, example="120116011")
    review_class = schemas.one_of(*benefits.CLASSES)


class ReviewRow(schemas.Said):
    benefit_id = schemas._n()
    household_id = schemas._n()
    household_no = schemas._s(none=True)
    street = schemas._s()
    community = schemas._s()
    category = schemas._s(example="dibao")
    amount_fen = schemas._n()
    status = schemas._s()
    review_class = schemas._s(none=True)
    last_review_on = schemas._s(none=True)
    next_review_on = schemas._s(none=True)
    workdays_left = schemas._n("until next_review_on; negative: late", none=True)
    case = schemas._s("the review, where there is one", none=True)
    outcome = schemas._s(none=True)


class RoundIn(schemas.Strict):
    unit = schemas.text("code of the unit whose benefits are all re-checked", required=True, most=20, example="120116011")


class Round(schemas.Said):
    round = schemas._n()
    benefits = schemas._n("reviews that will be opened, one after the other")


def _row(row: Mapping[Any, Any]) -> dict[str, Any]:
    planned = row["next_review_on"]
    left = calendar.workdays_between(bureau().office.today(), date.fromisoformat(planned)) if planned else None
    names = ("benefit_id", "household_id", "household_no", "street", "community", "category", "amount_fen", "status", "review_class",
             "last_review_on", "next_review_on", "outcome")  # fmt: skip
    return {**{name: row[name] for name in names}, "case": row["case_no"], "workdays_left": left}


@operation(blp, "GET", "/reviews", schemas.paged(ReviewRow), asks=ReviewQuery)
def listing(asked: dict[str, Any]) -> Any:
    """Benefits of your posts' units that are overdue, due, or under review, the most urgent first; or finished reviews."""
    wanted = reviews.Wanted(asked.get("state") or "overdue", asked.get("street"), asked.get("review_class"))
    made = bureau()
    with made.office.read() as conn:
        found = reviews.listing(conn, readers.of_benefits(me()).areas, wanted, made.office.today(), asked["page"], asked["size"])
    return schemas.listed([_row(row) for row in found.items], found.total, found.page, found.size)


@operation(blp, "POST", "/review-rounds", Round, status=201, takes=RoundIn, example={"unit": "120116011"})
def begin_round(said: dict[str, Any]) -> Any:
    """全面复核: reviews for every benefit of a unit, whatever its class. For supervisors, and street officers at their street."""
    return once(said, lambda act: reviews.begin_round(act, said["unit"]))
