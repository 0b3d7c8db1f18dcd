"""API: appeals against decisions, what became of them, and what the district decides after them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask_smorest import Blueprint
from sqlalchemy import Connection

from engine.errors import NotFound
from engine.office import Act
from processes import appeals, benefits, households, readers
from web.api import schemas
from web.api.desk import me, once
from web.api.operation import operation
from web.cases import visible
from web.desk import bureau

blp = Blueprint("api_appeals", __name__, url_prefix="/api/v1", description="行政复议 and 行政诉讼 against decisions, their last days, and what follows from them")


def _listed(asked: dict[str, Any], case_no: str | None = None, benefit_id: int | None = None) -> dict[str, Any]:
    made = bureau()
    with made.office.read() as conn:
        if case_no is not None:
            visible(conn, me(), case_no)
        if benefit_id is not None:
            _benefit(conn, benefit_id)
        found = appeals.listed(conn, me(), state=asked.get("state"), case_no=case_no, benefit_id=benefit_id, page=asked["page"], size=asked["size"])
        items = appeals.told(conn, made.office.keys.on(conn), found.items, me(), made.office.today())
    return schemas.listed(items, found.total, found.page, found.size)


def _benefit(conn: Connection, benefit_id: int) -> None:
    house = households.row(conn, benefits.row(conn, benefit_id)["household_id"])
    if not readers.of_benefits(me()).covers(house["community"]):
        raise NotFound("没有这项救助待遇")


@operation(blp, "GET", "/appeals", schemas.paged(schemas.AppealRow), asks=schemas.AppealQuery)
def listing(asked: dict[str, Any]) -> Any:
    """Appeals of your area: what the district owes after one first, then the nearest last day of a body."""
    return _listed(asked)


@operation(blp, "GET", "/cases/<no:no>/appeals", schemas.paged(schemas.AppealRow), asks=schemas.AppealQuery, replies=(404,))
def of_case(no: str, asked: dict[str, Any]) -> Any:
    """The appeals against letters of a case."""
    return _listed(asked, no)


@operation(blp, "GET", "/benefits/<row:benefit_id>/appeals", schemas.paged(schemas.AppealRow), asks=schemas.AppealQuery, replies=(404,))
def of_benefit(benefit_id: int, asked: dict[str, Any]) -> Any:
    """The appeals against a benefit's own letters and against those of its cases."""
    return _listed(asked, None, benefit_id)


@operation(blp, "GET", "/appeals/<row:appeal_id>", schemas.AppealRow, replies=(404,))
def show(appeal_id: int) -> Any:
    """One appeal. `may`: what you may do with it now."""
    made = bureau()
    with made.office.read() as conn:
        row = appeals.seen(conn, me(), appeal_id)
        return appeals.told(conn, made.office.keys.on(conn), [row], me(), made.office.today())[0]


_LODGED = {"kind": "review", "body": "district_government", "lodged_on": "2019-03-20", "lodged_by": "张秀英（本人）", "grounds": "认为收入计算有误", "document": 4259842}


@operation(blp, "POST", "/letters/<row:letter_id>/appeals", schemas.AppealMoved, status=201, takes=appeals.AppealLodged, example=_LODGED, replies=(404,))
def lodge(letter_id: int, said: dict[str, Any]) -> Any:
    """Record an appeal against the decision of a letter. 403 `appeal-late` after the last day, counted from the proven delivery;
    `decider-handles-appeal` for who made the decision; `review-pending`, `suit-pending`, `body`, `no-remedy`."""
    told = once(said, lambda act: appeals.lodge(act, letter_id, said))
    return told, {"Location": f"/api/v1/appeals/{told['appeal']}"}


def _do(appeal_id: int, said: dict[str, Any], work: Callable[[Act, int, dict[str, Any]], dict[str, Any]]) -> Any:
    return once(said, lambda act: work(act, appeal_id, said))


@operation(blp, "POST", "/appeals/<row:appeal_id>/accept", schemas.AppealMoved, takes=appeals.AppealAccepted, example={"accepted_on": "2019-03-25"}, replies=(404,))
def accept(appeal_id: int, said: dict[str, Any]) -> Any:
    """The body has accepted it; a review is decided within 60 days from then (`due_on`)."""
    return _do(appeal_id, said, appeals.accept)


@operation(blp, "POST", "/appeals/<row:appeal_id>/reject", schemas.AppealMoved, takes=appeals.AppealRejected, replies=(404,),
           example={"decided_on": "2019-03-25", "received_on": "2019-03-27", "summary": "不属于复议范围"})  # fmt: skip
def reject(appeal_id: int, said: dict[str, Any]) -> Any:
    """The body does not accept it."""
    return _do(appeal_id, said, appeals.reject)


@operation(blp, "POST", "/appeals/<row:appeal_id>/extend", schemas.AppealMoved, takes=appeals.AppealExtended, example={"days": 30}, replies=(404,))
def extend(appeal_id: int, said: dict[str, Any]) -> Any:
    """The body of a review takes longer: once, at most 30 days."""
    return _do(appeal_id, said, appeals.extend)


@operation(blp, "POST", "/appeals/<row:appeal_id>/outcome", schemas.AppealMoved, takes=appeals.AppealDecided, replies=(404,),
           example={"outcome": "redo", "decided_on": "2019-05-10", "received_on": "2019-05-13", "decision_no": "津滨政复〔2019〕8号", "summary": "事实不清"})  # fmt: skip
def outcome(appeal_id: int, said: dict[str, Any]) -> Any:
    """The body's decision or the judgment. `redo` and `changed` leave `follow` open for the district; no case or benefit changes by it."""
    return _do(appeal_id, said, appeals.decide)


@operation(blp, "POST", "/appeals/<row:appeal_id>/withdraw", schemas.AppealMoved, takes=appeals.AppealWithdrawn, example={"decided_on": "2019-04-01"}, replies=(404,))
def withdraw(appeal_id: int, said: dict[str, Any]) -> Any:
    """Who lodged it has taken it back."""
    return _do(appeal_id, said, appeals.withdraw)


@operation(blp, "POST", "/appeals/<row:appeal_id>/redone", schemas.AppealMoved, takes=appeals.AppealRedone, example={"case_no": "DB-2019-000012"}, replies=(404,))
def redone(appeal_id: int, said: dict[str, Any]) -> Any:
    """Name the household's new case in which it is decided anew: nothing is owed any more."""
    return _do(appeal_id, said, appeals.redone)


@operation(blp, "POST", "/appeals/<row:appeal_id>/redress", schemas.AppealMoved, takes=appeals.AppealRedress, replies=(404,),
           example={"amount_fen": "660.00", "from_month": "2019-02", "opinion": "执行复议决定"})  # fmt: skip
def redress(appeal_id: int, said: dict[str, Any]) -> Any:
    """An approver decides anew on the live benefit: the amount from the month after, arrears for the months since `from_month`
    (`arrears_fen`), a letter. Rules `decider-handles-appeal`, `four-eyes`, `redress-lower`, `nothing-changes`."""
    return _do(appeal_id, said, appeals.redress)
