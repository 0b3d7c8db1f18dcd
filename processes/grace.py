"""渐退期: dibao goes on for some months after somebody in the household began to work (N2022; domain 2.8.1; docs/decisions/037).

Given where the household has dibao, its income is over the standard now, and without that person's earnings it would have dibao still:
then it is the work that ends it, and nothing else. The months count from the one after the work began, so that who reports late has
used up a part, and never more than the law says. A period that runs is not begun anew by other work.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from engine.model import Data
from engine.office import Act
from processes import benefits, eligibility, law

FACTS = ("grace", "grace_from", "grace_until", "grace_person")
_EARNED = ("wage_income", "business_net_income")


def asked(act: Act, facts: Data) -> Data | None:
    """Gathered for an assessment: months (what the law of the day gives), job_on, person, until (of a period that runs: its last
    month). None where there is no period to think of: no such law, or nobody is reported to work."""
    given, most = law.in_force("grace_months", act.today), law.in_force("grace_months_most", act.today)
    if given is None or most is None:
        return None
    held = benefits.row(act.conn, facts["benefit_id"])
    if held["grace_until"]:
        return {"months": None, "job_on": None, "person": held["grace_person"], "until": held["grace_until"]}
    day = facts.get("event_on") if facts.get("kind") == "job_start" else facts.get("changed_on") if facts.get("change_kind") == "job_start" else None
    if day is None or facts.get("person_id") is None:
        return None
    return {"months": min(int(given.amount), int(most.amount)), "job_on": day, "person": facts["person_id"], "until": None}


def follows(snapshot: Data, figures: Data, held: str) -> dict[str, Any]:
    """FACTS: whether the grace period is given (or goes on), its first and last month, whose work it is for. `snapshot`: the household's,
    with `grace` as `asked` gave it; `figures`: what was computed from it; `held`: the category of the benefit."""
    said = snapshot.get("grace")
    nothing: dict[str, Any] = {"grace": False, "grace_from": None, "grace_until": None, "grace_person": None}
    if not said or held != "dibao" or figures["category"] == "dibao" or not _work_alone(snapshot, said["person"]):
        return nothing
    if said["until"]:
        return {"grace": said["until"] >= snapshot["benefit_month"], "grace_from": None, "grace_until": said["until"], "grace_person": said["person"]}
    if not said["months"]:  # configured to none
        return nothing
    first = benefits.month_after(date.fromisoformat(said["job_on"]))
    last = f"{benefits.add_months(benefits.first_of(first), said['months'] - 1):%Y-%m}"
    return {"grace": last >= snapshot["benefit_month"], "grace_from": first, "grace_until": last, "grace_person": said["person"]}


def _work_alone(snapshot: Data, person: int | None) -> bool:
    """Whether the household would have dibao if that member earned nothing."""
    members = [_idle(m) if m["ref"] == str(person) else m for m in snapshot["members"]]
    if members == snapshot["members"]:
        return False
    return bool(eligibility.assess({**household_of(snapshot), "members": members})["category"] == "dibao")


def household_of(snapshot: Data) -> dict[str, Any]:
    """The snapshot without what it holds beside the household."""
    return {name: value for name, value in snapshot.items() if name not in ("benefit", "grace")}


def _idle(member: Mapping[str, Any]) -> dict[str, Any]:
    return {**member, "employment": "none", "income": [one for one in member.get("income") or () if one["kind"] not in _EARNED]}


def spares(facts: Data, month: str) -> bool:
    """Whether a past month lies in a grace period: what was paid in it was right, unless somebody lied or hid."""
    first, last = facts.get("grace_from"), facts.get("grace_until")
    return bool(last and (first or month) <= month <= last) and facts.get("reason_code") != "fraud"


def with_line(result: dict[str, Any], found: Mapping[str, Any]) -> dict[str, Any]:
    """A result of `eligibility.assess` with the line that says how the grace period follows, where there is one. `found`: FACTS, as
    `follows` gives them or the case has them."""
    line = _line(found)
    return {**result, "lines": [*result["lines"], line]} if line else result


def _line(found: Mapping[str, Any]) -> dict[str, str] | None:
    if not found.get("grace"):
        return None
    who, last = found["grace_person"], found["grace_until"]
    return {"code": "grace", "zh": f"人均月收入因成员 {who} 就业达到或超过标准，不计其劳动收入仍符合低保条件：给予渐退期，至 {last} 止，按原金额继续发放",
            "en": f"income per head is not below the standard because member {who} began to work; without those earnings it would be: grace period until {last}, the amount stays",
            "figure": last, "source": "N2022; T2022B"}  # fmt: skip
