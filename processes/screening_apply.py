"""及时将符合救助条件的家庭纳入救助范围 (domain 1.1): the application is begun from the visit, and the visit's lead is linked to it in the same act."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.cases import Cases
from engine.errors import Conflict, Invalid, Refused
from engine.model import Put
from engine.office import Act
from processes import leads, screening


def begin(act: Act, cases: Cases, screening_id: int, process: str, answers: Mapping[str, Any], *, lang: str = "zh") -> dict[str, Any]:
    """Start a case of the visited household; `answers`: of the process's start form, its household may be left out. Returns what
    `Cases.start` returns. The lead is older than the application by its record; who starts it verifies the lead, unless he gave it himself."""
    row = screening.seen(act.conn, act.actor, screening_id)
    if (told := act.recall()) is not None:
        return told  # type: ignore[no-any-return]
    if process not in leads.applications():
        raise Refused("no-application", "这项业务不是救助申请", "This is no application for assistance")
    if answers.get("household_id", row["household_id"]) not in (row["household_id"], str(row["household_id"])):
        raise Invalid({"household_id": ["应为走访的这户家庭"]})
    opened = act.open("screening", screening_id >> 16)  # the older record first
    row = screening.seen(act.conn, act.actor, screening_id)
    if row["lead_id"] is None or row["state"] != "confirmed":
        raise Refused("visit-qualifies", "经两名调查人确认、认为达到救助条件的走访才能由此发起申请", "An application begins from a confirmed visit that found that the household qualifies")
    if row["case_no"] is not None:
        raise Conflict(f"由这次走访已发起申请 {row['case_no']}", f"The application {row['case_no']} was begun from this visit")
    locked = leads.hold(act, row["lead_id"])
    told = cases.start(act, process, {**answers, "household_id": row["household_id"]}, lang=lang)
    leads.applied(cases, act, locked, told["case"])
    act.append(opened, "screening_applied", {"case": told["case"]}, puts=[Put("screening", screening_id, {"case_no": told["case"]}, f"household:{row['household_id']}")])
    return told
