"""Yellow and red cards, and a deadline with all that it follows from, as lists, pages and the API show them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Any

from engine.model import SHANGHAI
from engine.process import Deadline
from processes import calendar, law


def calm_from(today: date) -> date:
    """The first last day that has no card yet: tasks due before it, and not before today, are yellow."""
    return calendar.add_workdays(today, int(law.value("yellow_card_workdays", today).amount) + 1)


def card(due_on: str | None, today: date) -> str | None:
    """"red" past the last day, "yellow" when few working days are left (law: yellow_card_workdays), else None."""
    if not due_on:
        return None
    if due_on < today.isoformat():
        return "red"
    return "yellow" if due_on < calm_from(today).isoformat() else None


def applications() -> frozenset[str]:
    """The processes of applications that somebody decides by the dibao paper of the day."""
    return frozenset({*law.procedures("dibao"), *law.procedures("low_income"), *law.procedures("illness_expenditure")})


def limited() -> frozenset[str]:
    """The processes that have a limit over the whole procedure (`whole_case`)."""
    return applications() | {"temporary-assistance"}


def whole_case(facts: Mapping[str, Any], today: date) -> dict[str, Any] | None:
    """The limit over the whole procedure in working days from acceptance: that of the law where the case has one (`whole_case_workdays`,
    N57 art 22; `temp_workdays`, decision 047), else an alarm and no right of anybody's (Tianjin's own reports name 38 under the old flow, TDEL, unverified:
    law/procedure.yaml). None before acceptance."""
    if not facts.get("accepted_on"):
        return None
    since = date.fromisoformat(facts["accepted_on"])
    n = int(facts.get("whole_case_workdays") or facts.get("temp_workdays") or law.value("whole_case_alarm_workdays", since).amount)
    last = calendar.add_workdays(since, n)
    return {"since": since.isoformat(), "workdays": n, "last": last.isoformat(), "workdays_left": calendar.workdays_between(today, last)}


def not_overlong_since(today: date) -> datetime:
    """Whatever began then or later is not beyond `whole_case`: an acceptance is not before the application, and the shortest limit
    of all, 15 working days, takes 17 days at least, with make-up days on both of its week-ends."""
    return datetime.combine(today - timedelta(days=17), time(), tzinfo=SHANGHAI)


def told(found: Deadline | None, today: date) -> dict[str, Any] | None:
    """A deadline in JSON; None for a task that is to be done promptly. `workdays_left` is negative when it is late."""
    if found is None:
        return None
    return {
        "rule": found.rule, "since_fact": found.since_fact, "start": found.start.isoformat(), "n": found.n, "unit": found.unit, "stopped": found.stopped,
        "end": found.end.isoformat(), "workdays_left": calendar.workdays_between(today, found.end), "provisional": found.provisional,
    }  # fmt: skip
