"""What units owe in a campaign, by when, and how it stands (domain 1.0.1): met, open or late.

Whatever the records of another part show is never entered by hand: that part adds a function to OBLIGATIONS. The rest is met by an
entry with its proof that the district has confirmed.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Connection, select

from processes import calendar
from processes.campaign_tables import campaign_obligation, campaign_plan, campaign_proof, campaign_stage, campaign_unit

STATES: Mapping[str, tuple[str, str]] = {"met": ("已完成", "Met"), "open": ("未完成", "Open"), "late": ("逾期", "Late")}


@dataclass(frozen=True, slots=True)
class Standing:
    """How a unit stands with an obligation. state: met | open | late (an open one is late by itself when its day is over); `on`: the
    day on which it was met; `due_on`: the next day, of what falls due again and again."""

    state: str
    zh: str = ""
    en: str = ""
    on: str | None = None
    due_on: str | None = None


@dataclass(frozen=True, slots=True)
class Context:
    """The campaign that a function of OBLIGATIONS is asked for, with ISO days. `due_on`: of the obligation, where it has one.
    `level`: of the obligation, district | street | community."""

    id: int
    unit: str
    start_on: str
    end_on: str
    today: str
    due_on: str | None
    level: str
    row: Mapping[Any, Any]  # of table `campaign`


@dataclass(frozen=True, slots=True)
class Kind:
    """An obligation of the paper as a campaign begins with it; `due`: (first, last day of the campaign) -> its last day."""

    level: str
    zh: str
    proof: str
    due: Callable[[date, date], date | None]


def _never(_first: date, _last: date) -> None:
    return None


def _year_end(first: date, last: date) -> date | None:
    """年底前: the last 31 December but for one after the campaign."""
    found = date(first.year, 12, 31)
    return found if found <= last else None


def festival(first: date, last: date) -> tuple[date, date] | None:
    """The days off of Spring Festival that begin in the campaign, or None; only published calendars know them."""
    day = first
    while day <= last:
        found = [one.day for one in calendar.month(day.year, day.month) if one.kind == "holiday" and one.name_en == "Spring Festival" and first <= one.day <= last]
        if found:
            end = found[0]
            while not calendar.is_workday(end + timedelta(days=1)):
                end += timedelta(days=1)
            return found[0], end
        day = (day.replace(day=1) + timedelta(days=32)).replace(day=1)
    return None


def _before_festival(first: date, last: date) -> date | None:
    """春节之前: the last working day before the days off."""
    if (found := festival(first, last)) is None:
        return None
    day = found[0] - timedelta(days=1)
    while not calendar.is_workday(day):
        day -= timedelta(days=1)
    return day if day >= first else None


def _in_festival(first: date, last: date) -> date | None:
    return min(found[1], last) if (found := festival(first, last)) else None


def _twentieth(first: date, last: date) -> date | None:
    """2019-02-20 of the paper: the 20th of the month in which the campaign ends."""
    found = last.replace(day=20) if last.day >= 20 else None
    return found if found and found >= first else None


# kind -> what the paper asks (domain 1.0.1; organisation: 1.18). Titles and days can be changed in each campaign.
KINDS: Mapping[str, Kind] = {
    "organisation": Kind("street", "明确负责人，配齐人员、场所、设备，制定各阶段方案", "组织领导情况和各阶段方案", _never),
    "district_training": Kind("district", "举办一期区、街镇、居村三级培训班", "培训记录", _year_end),
    "own_training": Kind("street", "组织本单位相应培训", "培训记录", _never),
    "festival_payment": Kind("street", "年终一次性补贴、过节费、取暖补贴全部发放到账", "发放记录", _before_festival),
    "facility_inspection": Kind("district", "对每个特困人员供养服务机构进行一次安全检查", "检查记录", _before_festival),
    "dispersed_visits": Kind("street", "走访慰问分散供养特困人员", "走访记录", _in_festival),
    "progress_report": Kind("street", "定期报送作战进度", "作战进度报告", _never),
    "annexes": Kind("street", "报送统计表（附件1、附件2）", "附件1、附件2", _twentieth),
    "summary_report": Kind("street", "报送总结报告", "总结报告", _twentieth),
}
OTHER = "other"

Judge = Callable[[Connection, str, Context], Standing]


def _organisation(conn: Connection, unit: str, context: Context) -> Standing:
    """Met when the unit has named its head and written a plan for each stage that has begun."""
    part = conn.execute(select(campaign_unit).where(campaign_unit.c.campaign_id == context.id, campaign_unit.c.unit == unit)).mappings().one_or_none()
    if part is None or part["said_on"] is None:
        return Standing("open", "尚未填报负责人和人员、场所、设备", "Its head, staff, premises and equipment are not entered yet")
    stages = conn.execute(select(campaign_stage.c.id, campaign_stage.c.name).where(
        campaign_stage.c.campaign_id == context.id, campaign_stage.c.active, campaign_stage.c.start_on <= context.today).order_by(campaign_stage.c.start_on)).all()  # fmt: skip
    written = {one.stage_id: one.said_on for one in conn.execute(select(campaign_plan.c.stage_id, campaign_plan.c.said_on).where(campaign_plan.c.campaign_id == context.id, campaign_plan.c.unit == unit))}
    if lacking := [one.name for one in stages if one.id not in written]:
        return Standing("open", "尚无方案的阶段：" + "、".join(lacking), "No plan yet for: " + ", ".join(lacking))
    return Standing("met", "负责人、人员、场所、设备已填报，各阶段已有方案", "Head, staff, premises and equipment entered; a plan for each stage", max([part["said_on"], *(written[one.id] for one in stages)]))


# kind -> (conn, unit, campaign) -> how it stands by the records. One line joins another part; a kind without one is met by proofs.
OBLIGATIONS: dict[str, Judge] = {"organisation": _organisation}


# -- how units stand


def standings(conn: Connection, row: Mapping[Any, Any], units: Collection[tuple[str, str]], today: date) -> list[dict[str, Any]]:
    """Each unit, given as (code, level), with each obligation of its level: {obligation, kind, title, level, unit, due_on, state, met_on, late,
    days_left, workdays_left, facts, proof, zh, en}. `late`: met after its last day, or not met; days are negative when it is over."""
    first, known = today.isoformat(), campaign_proof.c
    owed = conn.execute(select(campaign_obligation).where(campaign_obligation.c.campaign_id == row["id"], campaign_obligation.c.active).order_by(
        campaign_obligation.c.due_on.is_(None), campaign_obligation.c.due_on, campaign_obligation.c.id)).mappings().all()  # fmt: skip
    query = select(campaign_proof).where(known.campaign_id == row["id"], known.unit.in_([unit for unit, _ in units])).order_by(known.id)
    proofs: dict[tuple[int, str], list[Mapping[Any, Any]]] = {}
    for one in conn.execute(query).mappings():
        proofs.setdefault((one["obligation_id"], one["unit"]), []).append(one)
    found = []
    for one in owed:
        context = Context(row["id"], row["unit"], row["start_on"], row["end_on"], first, one["due_on"], one["level"], row)
        for unit, level in units:
            if level == one["level"]:
                judge = OBLIGATIONS.get(one["kind"])
                stands = judge(conn, unit, context) if judge else _proved(proofs.get((one["id"], unit), ()), one["due_on"] or row["end_on"])
                found.append(_told(row, one, unit, stands, today, facts=judge is not None))
    return found


def _proved(proofs: Sequence[Mapping[Any, Any]], due_on: str) -> Standing:
    confirmed = [one for one in proofs if one["state"] == "confirmed"]
    if confirmed:
        one = min(confirmed, key=lambda row: (row["done_on"], row["id"]))
        return Standing("met", f"{one['what']}（{one['proof']}）", f"{one['what']} ({one['proof']})", one["done_on"])
    waiting = [one for one in proofs if one["state"] == "entered"]
    if waiting and waiting[0]["entered_on"] <= due_on:  # entered in time: the unit waits for the district, and is not late
        return Standing("waiting", "已填报，待区民政局核实", "Entered, to be confirmed by the district")
    if waiting:
        return Standing("open", "逾期填报，待区民政局核实", "Entered after its day, to be confirmed by the district")
    if proofs:
        return Standing("open", f"退回：{proofs[-1]['returned']}", f"Sent back: {proofs[-1]['returned']}")
    return Standing("open")


def _told(row: Mapping[Any, Any], one: Mapping[Any, Any], unit: str, stands: Standing, today: date, *, facts: bool) -> dict[str, Any]:
    due = stands.due_on or one["due_on"]
    last = due or row["end_on"]  # what has no day of its own is owed until the end
    state = "open" if stands.state == "waiting" else "late" if stands.state == "open" and today.isoformat() > last else stands.state
    late = state == "late" or (state == "met" and stands.on is not None and stands.on > last)
    end = date.fromisoformat(due) if due else None
    return {
        "obligation": one["id"], "kind": one["kind"], "title": one["title"], "level": one["level"], "proof": one["proof"], "unit": unit, "due_on": due, "state": state, "met_on": stands.on, "late": late,
        "days_left": (end - today).days if end else None, "workdays_left": calendar.workdays_between(today, end) if end else None, "facts": facts, "waiting": stands.state == "waiting",
        "zh": stands.zh, "en": stands.en,
    }  # fmt: skip


def by_obligation(found: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Obligations with how many units stand how, and who is late."""
    made: dict[int, dict[str, Any]] = {}
    for one in found:
        line = made.setdefault(one["obligation"], {**{name: one[name] for name in ("obligation", "kind", "title", "level")}, "due_on": one["due_on"], "met": 0, "open": 0, "late": 0, "late_units": []})
        line[one["state"]] += 1
        if one["state"] == "late":
            line["late_units"].append(one["unit"])
    return list(made.values())
