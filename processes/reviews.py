"""Which benefits are due for re-review, and what opens the reviews: the day on which one falls due, or a round over a whole unit.

A round (全面复核, domain M09) is a record of kind `campaign`; it opens the reviews as jobs, a batch at a time, so that nobody
waits for it. A household with another case under way is tried again on the next working day.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Connection, Integer, Select, and_, cast, func, insert, or_, select

from engine import jobs
from engine.cases import Cases
from engine.errors import Refused
from engine.model import Actor
from engine.office import Act
from engine.queries import Area, Page, within
from engine.store import job, record
from processes import benefits, conclusions, law, organisation
from processes.tables import benefit, household

BATCH = 200  # reviews that one job of a round plans
AHEAD = 30  # days; what falls due in these is listed as due
STATES = ("overdue", "due", "under_way", "done")
ROUND_ROLES = frozenset({"supervisor", "civil_affairs_officer"})
_PREFIX = len("household:") + 1
_NEW_JOB = insert(job).inline()


# -- opening


def fall_due(cases: Cases, act: Act, record_id: int) -> None:
    """The day has come: nothing when the date has moved or the benefit has ended; behind a case under way it is tried again."""
    found = benefits.row(act.conn, record_id * 65536 + 1)
    planned = found["next_review_on"]
    if planned is not None and planned <= act.today.isoformat():
        _open(cases, act, found, "due", "review_due")


def open_early(cases: Cases, act: Act, record_id: int, key: str) -> None:
    """The turn of a benefit in a round, whatever its class. `key`: of the job, "round.N"; one that is tried again keeps its round."""
    again = f"{'.'.join(key.split('.')[:2])}.{benefits.retry_day(act.today)}" if key.startswith("round.") else None
    _open(cases, act, benefits.row(act.conn, record_id * 65536 + 1), "campaign", "review_early", again)


def _open(cases: Cases, act: Act, found: Mapping[Any, Any], occasion: str, kind: str, again: str | None = None) -> None:
    if found["status"] not in benefits.LIVE:
        return
    household_id = found["household_id"]
    act.open("household", household_id)  # whoever begins a case of this household now waits for us, or we see his case
    if (no := conclusions.open_case(act.conn, household_id)) is None:
        home = benefits.live(act.conn, household_id)
        whose = {"supported_person_id": found["person_id"]} if home is not None and home["id"] != found["id"] else {}
        cases.start(act, law.procedure("review", act.today), {"household_id": household_id, "occasion": occasion, **whose})
    elif act.conn.scalar(select(record.c.process).where(record.c.no == no)) not in law.procedures("review"):  # a review says itself when the next one is due
        benefits.try_again(act, found["id"] >> 16, kind, again)


def begin_round(act: Act, unit: str) -> dict[str, Any]:
    """全面复核: reviews for all live benefits of a unit and those below it, whatever their class. {"round", "benefits"}."""
    if (told := act.recall()) is not None:
        return told  # type: ignore[no-any-return]
    post = act.actor.post_over(unit, ROUND_ROLES) if unit.isdecimal() else None
    if post is None or organisation.unit_name(act.conn, unit) == unit:
        raise Refused("review-round", "只有区主管或街镇民政干部可以对本辖区发起全面复核", "Only a supervisor or the street's officer may re-check everybody of his area")
    act.through(post)
    made = act.new("campaign", unit, opened_at=act.now, opened_by=act.actor.id)
    n = act.conn.scalar(select(func.count()).select_from(_places().where(_live(), within(household.c.community, unit)).subquery())) or 0
    act.append(made, "review_round_begun", {"unit": unit, "benefits": n})
    jobs.plan(act.conn, "review_round", made.id, "0", act.now, {})
    told = {"round": made.id, "benefits": n}
    act.remember(told)
    return told


def next_batch(act: Act, round_id: int, after: int) -> None:
    """Plan the reviews of the next benefits of a round, in the order of their ids, and the batch behind them."""
    unit = act.conn.scalar(select(record.c.unit).where(record.c.id == round_id, record.c.kind == "campaign"))
    query = _places().where(_live(), within(household.c.community, unit or ""), benefit.c.id > after).order_by(benefit.c.id).limit(BATCH)
    ids = [row.id for row in act.conn.execute(query)]
    same = {"kind": "review_early", "key": f"round.{round_id}", "due_at": act.now, "state": "ready", "data": "{}"}
    act.write(_NEW_JOB, [{"record_id": n >> 16, **same} for n in ids])
    if len(ids) == BATCH:
        jobs.plan(act.conn, "review_round", round_id, str(ids[-1]), act.now, {})


def _live() -> Any:
    return benefit.c.status.in_(benefits.LIVE)


def _places() -> Select[Any]:
    return select(benefit.c.id).join(household, household.c.id == benefit.c.household_id)


# -- looking


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the list is narrowed to. `state`: one of STATES."""

    state: str = "overdue"
    street: str | None = None
    review_class: str | None = None


_ROW = (
    benefit.c.id.label("benefit_id"), benefit.c.household_id, benefit.c.category, benefit.c.amount_fen, benefit.c.review_class,
    benefit.c.last_review_on, benefit.c.next_review_on, benefit.c.status, household.c.no.label("household_no"), household.c.street,
    household.c.community, record.c.no.label("case_no"), record.c.opened_at, record.c.closed_at, record.c.outcome,
)  # fmt: skip
_HOUSE = cast(func.substr(record.c.subject, _PREFIX), Integer)


def listing(conn: Connection, area: Area, wanted: Wanted, today: date, page: int = 1, size: int = 25) -> Page:
    """A page of benefits that are overdue, due in the next days, or under review, the most urgent first; or of finished
    reviews, the newest first. Rows: _ROW."""
    query = _narrowed(_of_state(wanted.state, today), area, wanted)
    total = conn.scalar(select(func.count()).select_from(query.with_only_columns(benefit.c.id).order_by(None).subquery())) or 0
    return Page(list(conn.execute(query.limit(size).offset((page - 1) * size)).mappings()), total, page, size)


def counts(conn: Connection, area: Area, wanted: Wanted, today: date) -> dict[str, int]:
    """How many there are in each state."""
    return {state: listing(conn, area, Wanted(state, wanted.street, wanted.review_class), today, size=1).total for state in STATES}


def _of_state(state: str, today: date) -> Select[Any]:
    day, reviews_of = today.isoformat(), and_(record.c.kind == "case", record.c.process.in_(law.procedures("review")))
    whole = select(*_ROW).select_from(benefit).join(household, household.c.id == benefit.c.household_id)
    if state == "under_way":
        open_ones = whole.join(record, and_(reviews_of, record.c.closed_at.is_(None), household.c.id == _HOUSE))
        return open_ones.where(_live()).order_by(benefit.c.next_review_on, benefit.c.id)
    if state == "done":
        closed = whole.join(record, and_(reviews_of, record.c.closed_at.is_not(None), household.c.id == _HOUSE))
        newest = select(func.max(benefit.c.id)).where(benefit.c.household_id == household.c.id).correlate(household).scalar_subquery()
        return closed.where(benefit.c.id == newest).order_by(record.c.id.desc())
    busy = select(_HOUSE).where(reviews_of, conclusions.undecided())
    free = whole.outerjoin(record, record.c.id == -1).where(_live(), benefit.c.household_id.not_in(busy))
    last = (today + timedelta(days=AHEAD)).isoformat()
    when = benefit.c.next_review_on < day if state == "overdue" else and_(benefit.c.next_review_on >= day, benefit.c.next_review_on <= last)
    return free.where(when).order_by(benefit.c.next_review_on, benefit.c.id)


def _narrowed(query: Select[Any], area: Area, wanted: Wanted) -> Select[Any]:
    query = query.where(within(household.c.community, area))
    if wanted.street:
        query = query.where(household.c.street == wanted.street)
    if wanted.review_class:
        query = query.where(benefit.c.review_class == wanted.review_class)
    return query


def rounds(conn: Connection, area: Area, most: int = 5) -> list[dict[str, Any]]:
    """The last rounds, with how many reviews each was to open and how many jobs of it are still to do."""
    found = conn.execute(select(record).where(record.c.kind == "campaign", within(record.c.unit, area)).order_by(record.c.id.desc()).limit(most))
    return [_progress(conn, row) for row in found.mappings()]


def _progress(conn: Connection, row: Mapping[Any, Any]) -> dict[str, Any]:
    key = f"round.{row['id']}"  # of a review that is tried again: with the day behind it
    mine = and_(job.c.kind == "review_early", or_(job.c.key == key, job.c.key.startswith(f"{key}.")))
    of_round = or_(mine, and_(job.c.kind == "review_round", job.c.record_id == row["id"]))
    waiting = conn.scalar(select(func.count()).select_from(job).where(job.c.state.in_(benefits.WAITING), of_round)) or 0
    return {"round": row["id"], "unit": row["unit"], "opened_at": row["opened_at"], "opened_by": row["opened_by"], "waiting": waiting}


def may_begin(actor: Actor, community: str) -> bool:
    """Whether the actor may open a review of a household there by hand."""
    return actor.post_over(community, {"window_clerk", "civil_affairs_officer"}) is not None


