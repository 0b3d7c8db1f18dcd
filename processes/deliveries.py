"""送达: the delivery of a letter, recorded by the street with its proof, and the last days that run from it.

Letters of a decision in a case, and the rejection after the check, are delivered by a task of its drawing; every other one (acceptance,
supplement, recovery, waiver, evidence asked for, suspension, resumption, 调标, receipts and reminders) by `deliver`. The entry stands in
the record that issued the letter, whose row it changes. This module opens no transaction.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any, ClassVar

from sqlalchemy import Connection, select

from engine import store
from engine.errors import Conflict, Invalid, NotFound, Refused
from engine.model import Actor, Data, Put
from engine.office import Act
from processes import (
    benefit_letters,
    calendar,
    conclusions,
    documents,
    erasure,
    households,
    investigation,
    law,
    readers,
    temporary_letters,
)
from processes.benefits import add_months
from processes.case_tables import letter
from processes.dibao_2012_forms import Deliver

EVENT = "letter_delivered"
DELIVERERS = frozenset({"window_clerk", "civil_affairs_officer"})
# What a case delivers by a task of its own: that task's form is where it is said.
BY_TASK = frozenset({"approval", "low_income_certificate", "refusal", "termination", "transfer", *conclusions.LETTERS.values()}) | temporary_letters.BY_TASK
WITH_REMEDIES = frozenset({"approval", "refusal", "termination"}) | temporary_letters.WITH_REMEDIES | benefit_letters.WITH_REMEDIES


class Delivery(Deliver):
    """送达回证: when, how and to whom a letter was delivered, with its proof (N649 art 13; 民事诉讼法 arts 84-89 as applied)."""

    AFTER: ClassVar[Mapping[str, str]] = {}  # outside a case there are no facts; `deliver` looks at the letter's own date


def deliver(act: Act, letter_id: int, said: Data) -> None:
    """Record the delivery of a letter; `said` as `Delivery` understood it. The periods for objection (N220 art 20),
    administrative review (行政复议法 art 9) and lawsuit (行政诉讼法 art 46) run from its day. Once: a proof is not replaced."""
    record = act.open(_kind(act.conn, letter_id), letter_id >> 16)
    row = _row(act.conn, letter_id)
    house = households.row(act.conn, row["household_id"])
    if not readers.of_cases(act.actor).covers(house["community"]):
        raise NotFound("没有这份文书")
    post = act.actor.post_over(house["community"], DELIVERERS)
    if post is None:
        raise Refused("role", "送达由窗口经办人或民政专干登记", "Window clerks and civil affairs officers record deliveries")
    act.through(post)
    households.refuse_relative(act, house["id"])
    erasure.refuse_restricted(act.conn, house["id"])
    if row["delivered_on"] is not None:
        raise Conflict(f"这份文书已登记送达（{row['delivered_on']}）", f"The delivery is recorded already ({row['delivered_on']})")
    if _own_step(act.conn, row):
        raise Refused("own-step", "这份文书在个案的“送达”环节登记送达", "The case has a task of its own for this delivery")
    _check(act, row, said)
    values = {"delivered_on": said["delivered_on"], "delivery_method": said["method"], "receipt_document": said.get("receipt_document")}
    act.append(record, EVENT, {"letter": letter_id, "kind": row["kind"]}, personal={f"household:{house['id']}": {"answers": dict(said)}},
               puts=[Put("letter", letter_id, values)])  # fmt: skip


def _check(act: Act, row: Mapping[Any, Any], said: Data) -> None:
    wrong = documents.foreign(act.conn, Delivery(), said, row["household_id"])
    if said["delivered_on"] < row["issued_on"]:
        wrong["delivered_on"] = [f"不能早于文书日期（{row['issued_on']}）"]
    if act.office.production:
        wrong = investigation.unproved(said) | wrong
    if wrong:
        raise Invalid(wrong)


def waits(conn: Connection, actor: Actor, row: Mapping[Any, Any]) -> bool:
    """Whether this actor may record the delivery of this letter now: what a page offers."""
    if row["delivered_on"] is not None or _own_step(conn, row):
        return False
    community = households.row(conn, row["household_id"])["community"]
    return actor.post_over(community, DELIVERERS) is not None and actor.id not in households.recused_staff(conn, row["household_id"])


def _own_step(conn: Connection, row: Mapping[Any, Any]) -> bool:
    """Whether a case delivers this letter by a task of its drawing. The rejection after the check: while that task is open, for
    cases of earlier drawings have none, and one that is withdrawn meanwhile has it no more."""
    if _kind(conn, row["id"]) != "case":
        return False
    table = store.task.c
    waiting = select(table.id).where(table.case_id == row["id"] >> 16, table.node == "deliver_check_rejection", table.state == "open")
    return row["kind"] in BY_TASK or (row["kind"] == "check_rejection" and conn.scalar(waiting) is not None)


def _kind(conn: Connection, letter_id: int) -> str:
    """Of the record that issued a letter."""
    found: str | None = conn.scalar(select(store.record.c.kind).where(store.record.c.id == letter_id >> 16))
    if found is None:
        raise NotFound("没有这份文书")
    return found


def _row(conn: Connection, letter_id: int) -> Mapping[Any, Any]:
    found = conn.execute(select(letter).where(letter.c.id == letter_id)).mappings().one_or_none()
    if found is None:
        raise NotFound("没有这份文书")
    return found


# -- the last days


def last_days(kind: str, delivered_on: str | None, issued_on: str | None = None) -> dict[str, str | None]:
    """How long, says the law of the day of issue, as the letter does. The last day to object to a check's result, to ask for administrative review, to go to court directly; None where the
    letter gives no such right, or is not delivered. A last day that is no working day moves to the next one."""
    found: dict[str, str | None] = dict.fromkeys(("objection_until", "review_until", "suit_until"))
    if delivered_on is None:
        return found
    day, said = date.fromisoformat(delivered_on), date.fromisoformat(issued_on or delivered_on)
    if kind == "check_rejection" and (window := law.in_force("check_objection_workdays", said)):
        found["objection_until"] = calendar.add_workdays(day, int(window.amount)).isoformat()
    if kind in WITH_REMEDIES:
        if days := law.in_force("administrative_review_days", said):
            found["review_until"] = open_day(day + timedelta(days=int(days.amount)))
        if months := law.in_force("lawsuit_months", said):
            found["suit_until"] = open_day(add_months(day, int(months.amount)))
    return found


def open_day(day: date) -> str:
    """The day itself, or the next working day."""
    while not calendar.is_workday(day):
        day += timedelta(days=1)
    return day.isoformat()


def told(row: Mapping[Any, Any]) -> dict[str, Any]:
    """A letter's row with the last days that run from its delivery."""
    return {**row, **last_days(row["kind"], row["delivered_on"], row["issued_on"])}


def of_case(conn: Connection, no: str) -> list[dict[str, Any]]:
    """The letters of a case, oldest first."""
    return [told(row) for row in conn.execute(select(letter).where(letter.c.case_no == no).order_by(letter.c.id)).mappings()]


def of_benefit(conn: Connection, benefit_id: int) -> list[dict[str, Any]]:
    """The letters of a benefit's own record (suspension, resumption, 调标, reminders), oldest first."""
    own = letter.c.id.between(benefit_id >> 16 << 16, benefit_id >> 16 << 16 | 65535)
    return [told(row) for row in conn.execute(select(letter).where(own).order_by(letter.c.id)).mappings()]
