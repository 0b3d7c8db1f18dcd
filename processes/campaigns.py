"""专项行动的框架 (百日会战; domain 1.0, 1.18, 1.19): stages, units with leader, staff and equipment, plans, shortfalls, duties, obligations.

A campaign is a record (kind `campaign_frame`: `campaign` is a round of re-checks), kept by the district's supervisors; each unit that
takes part enters its own part of it.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Connection, Table, func, select

from engine.errors import Conflict, Invalid, NotFound, Refused
from engine.forms import folded
from engine.model import Actor, Data, Put
from engine.office import Act, Record
from engine.queries import Page, within
from processes import (
    calendar,
    campaign_facts,  # noqa: F401 - what other parts' records show of obligations
    organisation,
)
from processes.campaign_obligations import KINDS, OBLIGATIONS, OTHER, standings
from processes.campaign_tables import (
    campaign,
    campaign_duty,
    campaign_obligation,
    campaign_plan,
    campaign_proof,
    campaign_shortfall,
    campaign_stage,
    campaign_unit,
)
from processes.progress_tables import progress_report
from processes.tables import unit as unit_table

KIND = "campaign_frame"
KEEPERS = frozenset({"supervisor"})  # of the district: they keep the campaign
WRITERS = frozenset({"street_leader", "civil_affairs_officer", "window_clerk"})  # of a street or zone: its own part
COMMITTEES = frozenset({"village_committee", "civil_affairs_officer"})  # of a community
PHASES: Mapping[str, tuple[str, str]] = {"before": ("尚未开始", "Not begun"), "running": ("进行中", "Running"), "over": ("已结束", "Over"),
                                        "closed": ("已提前结束", "Closed early"), "withdrawn": ("已撤销", "Withdrawn")}  # fmt: skip
SHORTFALL_STATES: Mapping[str, tuple[str, str]] = {"open": ("待补齐", "To be remedied"), "remedied": ("已补齐，待核实", "Remedied, to be verified"), "verified": ("已核实", "Verified")}
PROOF_STATES: Mapping[str, tuple[str, str]] = {"entered": ("待核实", "To be confirmed"), "confirmed": ("已确认", "Confirmed"), "returned": ("已退回", "Sent back")}
# 逐级压实责任 (domain 1.19) [seed]
DUTIES = (("district", "牵头责任：对街镇工作进行跟踪、指导和检查"), ("street", "受理主体责任：及时受理、审核救助申请，实施动态管理"),
          ("community", "配合街镇开展工作：发现困难群众，宣传解释政策，帮助提出申请，做好救助家庭的管理服务"))  # fmt: skip
DEFAULT_WEEKS, DEFAULT_WEEKDAY, DEFAULT_TIME = 1, 5, "17:00"
MOST_OF_A_KIND = 200  # stages, duties, obligations; shortfalls of one unit


# -- the campaign, by the district's supervisors


def begin(act: Act, said: Data) -> dict[str, Any]:
    """A campaign of the district where the actor is supervisor. Raises Refused `role`; Conflict where another one runs on these days;
    Invalid for stages that overlap or leave the campaign, and for units that are none."""
    post = next((own for role, own in sorted(act.actor.posts) if role in KEEPERS and _level(act.conn, own) == "district"), None)
    if post is None:
        raise Refused("role", "专项行动由区民政局监督主管组织", "The district's supervisors keep a campaign")
    district = act.conn.scalar(select(unit_table.c.id).where(unit_table.c.code == post))
    act.open("unit", int(district or 0) >> 16)  # two who begin at once come one after the other
    _refuse_overlap(act.conn, post, said["start_on"], said["end_on"])
    stages = [dict(one) for one in said.get("stages") or ()]
    _check_stages(said["start_on"], said["end_on"], stages)
    units = _participants(act.conn, post, said.get("units"))
    act.through(post)
    record = act.new(KIND, post)
    number, today = record.next_id(), act.today.isoformat()
    values = {"unit": post, **_settings(said), "state": "open", "made_by": act.actor.id, "made_on": today}
    puts = [Put("campaign", number, values)]
    puts += [Put("campaign_stage", record.next_id(), {"campaign_id": number, **one, "active": True}) for one in stages]
    puts += [Put("campaign_unit", record.next_id(), {"campaign_id": number, "unit": code, "level": level, "active": True}) for code, level in units]
    puts += [Put("campaign_duty", record.next_id(), {"campaign_id": number, "level": level, "duty": duty, "active": True}) for level, duty in DUTIES]
    first, last = date.fromisoformat(said["start_on"]), date.fromisoformat(said["end_on"])
    for kind, one in KINDS.items():
        due = one.due(first, last)
        owed = {"level": one.level, "kind": kind, "title": one.zh, "due_on": due.isoformat() if due else None, "proof": one.proof, "active": True}
        puts.append(Put("campaign_obligation", record.next_id(), {"campaign_id": number, **owed}))
    act.append(record, "campaign_begun", {"from": said["start_on"], "to": said["end_on"]}, puts=puts)
    return {"campaign": number, "id": number}


def change(act: Act, campaign_id: int, said: Data) -> dict[str, Any]:
    """Name, paper, days, goals and the interval of reports. Days that leave out a stage or an obligation are refused."""
    record, row = _kept(act, campaign_id)
    _refuse_overlap(act.conn, row["unit"], said["start_on"], said["end_on"], but=campaign_id)
    stages = _active(act.conn, campaign_stage, campaign_id)
    outside = [one["name"] for one in stages if one["start_on"] < said["start_on"] or one["end_on"] > said["end_on"]]
    outside += [one["title"] for one in _active(act.conn, campaign_obligation, campaign_id) if one["due_on"] and not said["start_on"] <= one["due_on"] <= said["end_on"]]
    if outside:
        raise Refused("outside", "这些阶段或任务的日期不在新的起止日期内，请先调整：" + "、".join(outside), "Stages or obligations would lie outside of the campaign, change them first: " + ", ".join(outside))
    _refuse_moved_reports(act, row, said)
    act.append(record, "campaign_changed", puts=[Put("campaign", campaign_id, _settings(said))])
    return {"campaign": campaign_id, "id": campaign_id}


def _refuse_moved_reports(act: Act, row: Mapping[Any, Any], said: Data) -> None:
    """Reports that were begun keep their period: its days follow from the first day and the interval."""
    new = _settings(said)
    moved = any(new[name] != row[name] for name in ("start_on", "report_weeks", "report_weekday")) or new["end_on"] < min(row["end_on"], act.today.isoformat())
    if moved and act.conn.scalar(select(progress_report.c.id).where(progress_report.c.campaign_id == row["id"]).limit(1)) is not None:
        raise Refused("reports-begun", "已有作战进度报告，开始日期和报送周期不能再改，结束日期不能早于今天", "Progress reports were begun: the first day and the interval stay, and the last day is not before today")


def close(act: Act, campaign_id: int, said: Data) -> dict[str, Any]:
    """End it before its last day: nothing more is entered. Before its first day it is withdrawn: as if it had not been."""
    record, row = _kept(act, campaign_id)
    state = "withdrawn" if act.today.isoformat() < row["start_on"] else "closed"
    act.append(record, f"campaign_{state}", puts=[Put("campaign", campaign_id, {"state": state, "closed_on": act.today.isoformat(), "closed_why": said["reason"]})])
    return {"campaign": campaign_id, "id": campaign_id}


def _settings(said: Data) -> dict[str, Any]:
    time = folded(str(said.get("report_time") or DEFAULT_TIME).replace("：", ":"))
    return {**{name: said[name] for name in ("name", "paper", "start_on", "end_on", "goals")}, "report_weeks": said.get("report_weeks") or DEFAULT_WEEKS,
            "report_weekday": int(said.get("report_weekday") or DEFAULT_WEEKDAY), "report_time": time}  # fmt: skip


def _refuse_overlap(conn: Connection, unit: str, first: str, last: str, but: int = 0) -> None:
    """One campaign at a time; one that was closed early has ended on that day."""
    rows = conn.execute(select(campaign).where(campaign.c.unit == unit, campaign.c.id != but, campaign.c.state != "withdrawn")).mappings()
    for row in rows:
        if row["start_on"] <= last and first <= (row["closed_on"] or row["end_on"]):
            raise Conflict(f"这些日期已有专项行动：{row['name']}（{row['start_on']} 至 {row['closed_on'] or row['end_on']}）", f"Another campaign runs on these days: {row['start_on']} to {row['closed_on'] or row['end_on']}")


def _check_stages(first: str, last: str, stages: Sequence[Mapping[Any, Any]], at: int | None = None) -> None:
    """Raises Invalid. `at`: only the stage of this place is said by the caller; its fields are named without a place."""
    wrong: dict[str, list[str]] = {}
    for n, one in enumerate(stages):
        prefix = "" if at is not None else f"stages.{n}."
        if at not in (None, n):
            continue
        for name in ("start_on", "end_on"):
            if not first <= one[name] <= last:
                wrong[f"{prefix}{name}"] = [f"应在行动起止日期内（{first} 至 {last}）"]
        others = [two for m, two in enumerate(stages) if m != n and (at is not None or m < n)]
        if clash := next((two for two in others if two["start_on"] <= one["end_on"] and one["start_on"] <= two["end_on"]), None):
            wrong.setdefault(f"{prefix}start_on", []).append(f"与阶段“{clash['name']}”的日期重叠")
    if wrong:
        raise Invalid(wrong)


def _participants(conn: Connection, district: str, said: str | None, field: str = "units") -> list[tuple[str, str]]:
    """(code, level): the district itself and those named, or all streets and zones."""
    levels: dict[str, str] = {row.code: row.level for row in conn.execute(select(unit_table.c.code, unit_table.c.level).where(within(unit_table.c.code, district), unit_table.c.level != "department"))}
    if not said:
        return [(district, "district"), *sorted((code, level) for code, level in levels.items() if level == "street")]
    named = list(dict.fromkeys(one for one in folded(said).replace("、", ",").replace("；", ",").replace("\n", ",").replace(" ", ",").split(",") if one))
    if unknown := [code for code in named if code not in levels]:
        raise Invalid({field: ["没有这个机构：" + "、".join(one[:20] for one in unknown[:5])]})
    return [(district, "district"), *((code, levels[code]) for code in named if code != district)]


def add_unit(act: Act, campaign_id: int, said: Data) -> dict[str, Any]:
    """One more that takes part, or one again that was left out."""
    record, row = _kept(act, campaign_id)
    [_, *found] = _participants(act.conn, row["unit"], said["unit"], "unit")
    if len(found) != 1:
        raise Invalid({"unit": ["请填写一个街镇、管委会或居村的机构代码"]})
    code, level = found[0]
    known = act.conn.execute(select(campaign_unit).where(campaign_unit.c.campaign_id == campaign_id, campaign_unit.c.unit == code)).mappings().one_or_none()
    if known is not None and known["active"]:
        raise Conflict("该机构已参加本次行动", "This unit takes part already")
    put = Put("campaign_unit", known["id"], {"active": True}) if known else Put("campaign_unit", record.next_id(), {"campaign_id": campaign_id, "unit": code, "level": level, "active": True})
    act.append(record, "campaign_unit_added", {"unit": code}, puts=[put])
    return {"campaign": campaign_id, "id": put.id}


def drop_unit(act: Act, campaign_unit_id: int) -> dict[str, Any]:
    """It takes no part after all; what it entered stays on the record."""
    record, row, one = _row_kept(act, campaign_unit, campaign_unit_id)
    if one["level"] == "district":
        raise Refused("district", "区民政局是行动的组织单位，不能退出", "The district leads the campaign")
    act.append(record, "campaign_unit_left", {"unit": one["unit"]}, puts=[Put("campaign_unit", campaign_unit_id, {"active": False})])
    return {"campaign": row["id"], "id": campaign_unit_id}


def add_stage(act: Act, campaign_id: int, said: Data) -> dict[str, Any]:
    record, row = _kept(act, campaign_id)
    others = _room(act.conn, campaign_stage, campaign_id)
    _check_stages(row["start_on"], row["end_on"], [*others, said], at=len(others))
    number = record.next_id()
    act.append(record, "campaign_stage_added", puts=[Put("campaign_stage", number, {"campaign_id": campaign_id, **_only(said, "name", "start_on", "end_on", "goals"), "active": True})])
    return {"campaign": campaign_id, "id": number}


def change_stage(act: Act, stage_id: int, said: Data) -> dict[str, Any]:
    record, row, _ = _row_kept(act, campaign_stage, stage_id)
    others = [one for one in _active(act.conn, campaign_stage, row["id"]) if one["id"] != stage_id]
    _check_stages(row["start_on"], row["end_on"], [*others, said], at=len(others))
    act.append(record, "campaign_stage_changed", puts=[Put("campaign_stage", stage_id, _only(said, "name", "start_on", "end_on", "goals"))])
    return {"campaign": row["id"], "id": stage_id}


def drop_stage(act: Act, stage_id: int) -> dict[str, Any]:
    return _dropped(act, campaign_stage, stage_id)


def add_duty(act: Act, campaign_id: int, said: Data) -> dict[str, Any]:
    record, _ = _kept(act, campaign_id)
    _room(act.conn, campaign_duty, campaign_id)
    number = record.next_id()
    act.append(record, "campaign_duty_added", puts=[Put("campaign_duty", number, {"campaign_id": campaign_id, **_only(said, "level", "duty"), "active": True})])
    return {"campaign": campaign_id, "id": number}


def change_duty(act: Act, duty_id: int, said: Data) -> dict[str, Any]:
    record, row, _ = _row_kept(act, campaign_duty, duty_id)
    act.append(record, "campaign_duty_changed", puts=[Put("campaign_duty", duty_id, _only(said, "level", "duty"))])
    return {"campaign": row["id"], "id": duty_id}


def drop_duty(act: Act, duty_id: int) -> dict[str, Any]:
    return _dropped(act, campaign_duty, duty_id)


def add_obligation(act: Act, campaign_id: int, said: Data) -> dict[str, Any]:
    """One that the paper does not name: it is met by proofs."""
    record, row = _kept(act, campaign_id)
    _room(act.conn, campaign_obligation, campaign_id)
    _refuse_outside(row, said)
    number = record.next_id()
    values = {"campaign_id": campaign_id, "kind": OTHER, "level": said["level"], **_owed(said), "active": True}
    act.append(record, "campaign_obligation_added", puts=[Put("campaign_obligation", number, values)])
    return {"campaign": campaign_id, "id": number}


def change_obligation(act: Act, obligation_id: int, said: Data) -> dict[str, Any]:
    """Its day, title and proof; the day of the progress reports follows from the campaign's interval."""
    record, row, one = _row_kept(act, campaign_obligation, obligation_id)
    if one["kind"] == "progress_report" and said.get("due_on"):
        raise Invalid({"due_on": ["作战进度的期限由报送周期推算，请在行动方案中调整"]})
    _refuse_outside(row, said)
    act.append(record, "campaign_obligation_changed", puts=[Put("campaign_obligation", obligation_id, _owed(said))])
    return {"campaign": row["id"], "id": obligation_id}


def drop_obligation(act: Act, obligation_id: int) -> dict[str, Any]:
    return _dropped(act, campaign_obligation, obligation_id)


def _owed(said: Data) -> dict[str, Any]:
    return {"title": said["title"], "due_on": said.get("due_on"), "proof": said["proof"]}


def _refuse_outside(row: Mapping[Any, Any], said: Data) -> None:
    if said.get("due_on") and not row["start_on"] <= said["due_on"] <= row["end_on"]:
        raise Invalid({"due_on": [f"应在行动起止日期内（{row['start_on']} 至 {row['end_on']}）"]})


def _dropped(act: Act, table: Table, row_id: int) -> dict[str, Any]:
    record, row, _ = _row_kept(act, table, row_id)
    act.append(record, f"{table.name}_dropped", puts=[Put(table.name, row_id, {"active": False})])
    return {"campaign": row["id"], "id": row_id}


def _room(conn: Connection, table: Table, campaign_id: int) -> list[Mapping[Any, Any]]:
    rows = _active(conn, table, campaign_id)
    if len(rows) >= MOST_OF_A_KIND:
        raise Conflict(f"最多 {MOST_OF_A_KIND} 项", f"At most {MOST_OF_A_KIND}")
    return rows


def _only(said: Mapping[Any, Any], *names: str) -> dict[str, Any]:
    return {name: said[name] for name in names}


# -- a unit's own part


def set_part(act: Act, campaign_id: int, said: Data) -> dict[str, Any]:
    """组织领导 of a unit: leader, staff, premises, equipment; entered again it takes the place of what was said before."""
    record, _, one = _own(act, campaign_id, said)
    names = [folded(item["name"]) for item in said.get("equipment") or ()]
    if twice := next((n for n, name in enumerate(names) if name in names[:n]), None):
        raise Invalid({f"equipment.{twice}.name": ["不能重复"]})
    equipment = json.dumps([_only(item, "name", "count") for item in said.get("equipment") or ()], ensure_ascii=False)
    if len(equipment) > campaign_unit.c.equipment.type.length:  # type: ignore[attr-defined]
        raise Invalid({"equipment": ["设备清单太长"]})
    values = {**{name: said.get(name) or None for name in ("leader", "deputy", "contact")}, **_only(said, "staff_full", "staff_part", "office", "service_window"), "equipment": equipment,
              "said_by": act.actor.id, "said_on": act.today.isoformat()}  # fmt: skip
    act.append(record, "campaign_part_entered", {"unit": one["unit"]}, puts=[Put("campaign_unit", one["id"], values, _subject(record))])
    return {"campaign": campaign_id, "id": one["id"]}


def set_plan(act: Act, campaign_id: int, said: Data) -> dict[str, Any]:
    """阶段方案 of a unit; a stage has one of each unit."""
    record, _, one = _own(act, campaign_id, said)
    if said["stage"] not in {row["id"] for row in _active(act.conn, campaign_stage, campaign_id)}:
        raise Invalid({"stage": ["没有这个阶段"]})
    where = (campaign_plan.c.stage_id == said["stage"], campaign_plan.c.unit == one["unit"])
    known = act.conn.scalar(select(campaign_plan.c.id).where(*where))
    values = {"plan": said["plan"], "said_by": act.actor.id, "said_on": act.today.isoformat()}
    number = known if known is not None else record.next_id()
    if known is None:
        values |= {"campaign_id": campaign_id, "stage_id": said["stage"], "unit": one["unit"]}
    act.append(record, "campaign_plan_entered", {"unit": one["unit"]}, puts=[Put("campaign_plan", number, values)])
    return {"campaign": campaign_id, "id": number}


def add_shortfall(act: Act, campaign_id: int, said: Data) -> dict[str, Any]:
    """A shortfall of a unit, to be remedied by a day of the campaign."""
    record, row, one = _own(act, campaign_id, said)
    today = act.today.isoformat()
    if said["due_on"] < today:
        raise Invalid({"due_on": ["不能早于今天"]})
    _refuse_outside(row, said)
    mine = act.conn.scalar(select(func.count()).select_from(campaign_shortfall).where(campaign_shortfall.c.campaign_id == campaign_id, campaign_shortfall.c.unit == one["unit"]))
    if (mine or 0) >= MOST_OF_A_KIND:
        raise Conflict(f"最多 {MOST_OF_A_KIND} 项", f"At most {MOST_OF_A_KIND}")
    number = record.next_id()
    values = {"campaign_id": campaign_id, "unit": one["unit"], **_only(said, "kind", "what", "measure", "responsible", "due_on"), "state": "open", "raised_by": act.actor.id, "raised_on": today}
    act.append(record, "campaign_shortfall_raised", {"unit": one["unit"]}, puts=[Put("campaign_shortfall", number, values, _subject(record))])
    return {"campaign": campaign_id, "id": number}


def remedy(act: Act, shortfall_id: int, said: Data) -> dict[str, Any]:
    """The unit says that it is remedied."""
    one = _of(act.conn, campaign_shortfall, shortfall_id)
    record, _, _ = _own(act, one["campaign_id"], {"unit": one["unit"]})
    one = _of(act.conn, campaign_shortfall, shortfall_id)
    if one["state"] != "open":
        raise Conflict("该短板已登记补齐", "This shortfall is remedied already")
    if said["remedied_on"] < one["raised_on"]:
        raise Invalid({"remedied_on": ["不能早于登记日期"]})
    values = {"state": "remedied", "remedy": said["remedy"], "remedied_on": said["remedied_on"], "remedied_by": act.actor.id}
    act.append(record, "campaign_shortfall_remedied", {"unit": one["unit"]}, puts=[Put("campaign_shortfall", shortfall_id, values)])
    return {"campaign": one["campaign_id"], "id": shortfall_id}


def verify(act: Act, shortfall_id: int, said: Data) -> dict[str, Any]:
    """A supervisor of the district looks whether it is so; what is not is open again."""
    record, row, one = _row_kept(act, campaign_shortfall, shortfall_id)
    if one["state"] != "remedied":
        raise Conflict("该短板现在不需要核实", "There is nothing to verify now")
    if act.actor.id == one["remedied_by"]:
        raise Refused("own-entry", "补齐情况是您填报的，应由另一人核实", "You entered this yourself: somebody else verifies it")
    good = said["verdict"] == "accept"
    values = {"state": "verified" if good else "open", "verified_by": act.actor.id, "verified_on": act.today.isoformat(), "returned": None if good else said["reason"]}
    act.append(record, "campaign_shortfall_verified" if good else "campaign_shortfall_returned", {"unit": one["unit"]}, puts=[Put("campaign_shortfall", shortfall_id, values)])
    return {"campaign": row["id"], "id": shortfall_id}


def prove(act: Act, obligation_id: int, said: Data) -> dict[str, Any]:
    """A unit says that it has done what it owes, and what shows it. Refused `by-facts` for what the records themselves show."""
    owed = _of(act.conn, campaign_obligation, obligation_id)
    record, row, one = _own(act, owed["campaign_id"], said)
    if not owed["active"]:
        raise Conflict("该任务已取消", "This obligation was dropped")
    if owed["level"] != one["level"]:
        raise Invalid({"unit": ["该任务不属于这一层级的机构"]})
    if owed["kind"] in OBLIGATIONS:
        raise Refused("by-facts", "该任务的完成情况由系统记录得出，不需要填报", "The records themselves show whether this is done: nothing is entered")
    if said["done_on"] < row["start_on"]:
        raise Invalid({"done_on": [f"不能早于 {row['start_on']}"]})
    where = (campaign_proof.c.obligation_id == obligation_id, campaign_proof.c.unit == one["unit"], campaign_proof.c.state != "returned")
    if act.conn.scalar(select(campaign_proof.c.id).where(*where).limit(1)) is not None:
        raise Conflict("该任务已填报完成情况", "This was entered already")
    number = record.next_id()
    values = {"campaign_id": row["id"], "obligation_id": obligation_id, "unit": one["unit"], **_only(said, "done_on", "what", "proof"), "state": "entered",
              "entered_by": act.actor.id, "entered_on": act.today.isoformat()}  # fmt: skip
    act.append(record, "campaign_proof_entered", {"unit": one["unit"]}, puts=[Put("campaign_proof", number, values)])
    return {"campaign": row["id"], "id": number}


def judge(act: Act, proof_id: int, said: Data) -> dict[str, Any]:
    """A supervisor of the district confirms it or sends it back; never his own entry."""
    record, row, one = _row_kept(act, campaign_proof, proof_id)
    if one["state"] != "entered":
        raise Conflict("该填报已核实", "This was judged already")
    if act.actor.id == one["entered_by"]:
        raise Refused("own-entry", "该情况是您填报的，应由另一人核实", "You entered this yourself: somebody else confirms it")
    good = said["verdict"] == "accept"
    values = {"state": "confirmed" if good else "returned", "judged_by": act.actor.id, "judged_on": act.today.isoformat(), "returned": None if good else said["reason"]}
    act.append(record, f"campaign_proof_{values['state']}", {"unit": one["unit"]}, puts=[Put("campaign_proof", proof_id, values)])
    return {"campaign": row["id"], "id": proof_id}


# -- who may


def _kept(act: Act, campaign_id: int) -> tuple[Record, Mapping[Any, Any]]:
    """The campaign, locked, for who keeps it."""
    row = seen(act.conn, act.actor, campaign_id)
    if (post := act.actor.post_over(row["unit"], KEEPERS)) is None:
        raise Refused("role", "专项行动由区民政局监督主管组织", "The district's supervisors keep a campaign")
    act.through(post)
    return _locked(act, campaign_id)


def _locked(act: Act, campaign_id: int) -> tuple[Record, Mapping[Any, Any]]:
    record = act.open(KIND, campaign_id >> 16)
    row = _of(act.conn, campaign, campaign_id)
    if row["state"] != "open":
        raise Conflict("该专项行动已结束", "This campaign is closed")
    return record, row


def _row_kept(act: Act, table: Table, row_id: int) -> tuple[Record, Mapping[Any, Any], Mapping[Any, Any]]:
    """(record, campaign, row of it), locked, for who keeps the campaign."""
    record, row = _kept(act, _of(act.conn, table, row_id)["campaign_id"])
    one = _of(act.conn, table, row_id)
    if one.get("active") is False:
        raise Conflict("该项已取消", "This was dropped")
    return record, row, one


def writes(actor: Actor, unit: str, level: str) -> str | None:
    """The unit of the post by which somebody enters the part of a unit, or None."""
    roles = {"district": KEEPERS, "street": WRITERS}.get(level, COMMITTEES)
    return actor.post_over(unit, roles)


def _own(act: Act, campaign_id: int, said: Data) -> tuple[Record, Mapping[Any, Any], Mapping[Any, Any]]:
    """(record, campaign, the unit's row), locked, for who works in that unit."""
    seen(act.conn, act.actor, campaign_id)
    code = folded(said["unit"])
    where = (campaign_unit.c.campaign_id == campaign_id, campaign_unit.c.unit == code, campaign_unit.c.active)
    one = act.conn.execute(select(campaign_unit).where(*where)).mappings().one_or_none()
    if one is None:
        known = act.conn.scalar(select(unit_table.c.id).where(unit_table.c.code == code)) is not None
        raise Invalid({"unit": ["该机构没有参加本次行动" if known else "没有这个机构"]})
    if (post := writes(act.actor, code, one["level"])) is None:
        raise Refused("unit", "各单位填报本单位的情况，由本单位的分管领导、民政专干或经办人办理（区本级由监督主管、居村由居村委会）", "Each unit enters its own part, by its leader, civil affairs officer or clerk (the district by its supervisor, a community by its committee)")
    act.through(post)
    record, row = _locked(act, campaign_id)
    return record, row, one


def _subject(record: Record) -> str:
    """Whose data the names in a campaign are: those of its units' officials, together."""
    return f"campaign:{record.id}"


# -- looking


def _level(conn: Connection, code: str) -> str | None:
    found: str | None = conn.scalar(select(unit_table.c.level).where(unit_table.c.code == code))
    return found


def _of(conn: Connection, table: Table, row_id: int) -> Mapping[Any, Any]:
    found = conn.execute(select(table).where(table.c.id == row_id)).mappings().one_or_none()
    if found is None:
        raise NotFound("没有这个专项行动或这一项")
    return found


def _active(conn: Connection, table: Table, campaign_id: int) -> list[Mapping[Any, Any]]:
    order = (table.c.start_on, table.c.id) if table is campaign_stage else (table.c.id,)
    return list(conn.execute(select(table).where(table.c.campaign_id == campaign_id, table.c.active).order_by(*order)).mappings())


def _theirs(actor: Actor, row: Mapping[Any, Any]) -> bool:
    return any(own.startswith(row["unit"]) or row["unit"].startswith(own) for _, own in actor.posts)


def seen(conn: Connection, actor: Actor, campaign_id: int) -> Mapping[Any, Any]:
    """The row; NotFound for who has no post in the campaign's district."""
    row = _of(conn, campaign, campaign_id)
    if not _theirs(actor, row):
        raise NotFound("没有这个专项行动或这一项")
    return row


_TABLES = {"stage": campaign_stage, "duty": campaign_duty, "obligation": campaign_obligation, "shortfall": campaign_shortfall, "proof": campaign_proof}


def row_seen(conn: Connection, actor: Actor, what: str, row_id: int) -> tuple[Mapping[Any, Any], Mapping[Any, Any]]:
    """(campaign, a row of it: stage | duty | obligation | shortfall | proof); what units entered only of the reader's units."""
    one = _of(conn, _TABLES[what], row_id)
    row = seen(conn, actor, one["campaign_id"])
    if "unit" in one and one["unit"] not in {found["unit"] for found in units_of(conn, row, actor)}:
        raise NotFound("没有这个专项行动或这一项")
    return row, one


def listed(conn: Connection, actor: Actor, today: date, *, phase: str | None = None, page: int = 1, size: int = 25) -> Page:
    """Campaigns of the actor's district, the newest first."""
    rows: list[Mapping[Any, Any]] = [row for row in conn.execute(select(campaign).order_by(campaign.c.start_on.desc(), campaign.c.id.desc())).mappings() if _theirs(actor, row)]
    rows = [row for row in rows if phase is None or phase_of(row, today) == phase]
    return Page(rows[(page - 1) * size : page * size], len(rows), page, size)


def current(conn: Connection, actor: Actor, today: date) -> Mapping[Any, Any] | None:
    """The campaign that runs today; else the one that begins next, else the last one."""
    rows = [row for row in listed(conn, actor, today, size=1000).items if row["state"] != "withdrawn"]
    running = [row for row in rows if phase_of(row, today) == "running"]
    coming = [row for row in reversed(rows) if phase_of(row, today) == "before"]
    return next(iter([*running, *coming, *rows]), None)


def phase_of(row: Mapping[Any, Any], today: date) -> str:
    if row["state"] != "open":
        return str(row["state"])
    day = today.isoformat()
    return "before" if day < row["start_on"] else "over" if day > row["end_on"] else "running"


def told(row: Mapping[Any, Any], today: date) -> dict[str, Any]:
    """A campaign in JSON: `day` n of `days` while it runs, what is left of it in days and working days."""
    first, last, phase = date.fromisoformat(row["start_on"]), date.fromisoformat(row["end_on"]), phase_of(row, today)
    running = phase == "running"
    return {
        **{name: row[name] for name in ("id", "unit", "name", "paper", "start_on", "end_on", "goals", "report_weeks", "report_time", "state", "closed_on", "closed_why", "made_by", "made_on")},
        "report_weekday": row["report_weekday"], "phase": phase, "days": (last - first).days + 1, "day": (today - first).days + 1 if running else None,
        "days_left": (last - today).days if running else None, "workdays_left": calendar.workdays_between(today, last) if running else None,
    }  # fmt: skip


def units_of(conn: Connection, row: Mapping[Any, Any], actor: Actor) -> list[Mapping[Any, Any]]:
    """The units of a campaign whose part the reader sees: those that he covers; of who works below all of them, the one above him."""
    rows: list[Mapping[Any, Any]] = [*conn.execute(select(campaign_unit).where(campaign_unit.c.campaign_id == row["id"], campaign_unit.c.active).order_by(campaign_unit.c.unit)).mappings()]
    covered = [one for one in rows if actor.covers(one["unit"])]
    if covered:
        return covered
    above = [one for one in rows if one["level"] != "district" and any(own.startswith(one["unit"]) for _, own in actor.posts)]
    return above[-1:]


def own_unit(rows: Sequence[Mapping[Any, Any]], actor: Actor) -> Mapping[Any, Any] | None:
    """Of these units the reader's own: in which he writes, else the first."""
    return next((one for one in rows if writes(actor, one["unit"], one["level"])), rows[0] if rows else None)


def unit_told(conn: Connection, one: Mapping[Any, Any], actor: Actor) -> dict[str, Any]:
    """The part of a unit in JSON. `may`: whether the reader enters it."""
    return {**{name: one[name] for name in ("id", "unit", "level", "leader", "deputy", "contact", "staff_full", "staff_part", "office", "service_window", "said_by", "said_on")},
            "unit_name": organisation.unit_name(conn, one["unit"]), "equipment": json.loads(one["equipment"] or "[]"), "may": writes(actor, one["unit"], one["level"]) is not None}  # fmt: skip


def stages_told(conn: Connection, row: Mapping[Any, Any], today: date) -> list[dict[str, Any]]:
    day = today.isoformat()
    return [{**_only(one, "id", "name", "start_on", "end_on", "goals"), "current": one["start_on"] <= day <= one["end_on"]} for one in _active(conn, campaign_stage, row["id"])]


def duties_told(conn: Connection, row: Mapping[Any, Any]) -> list[dict[str, Any]]:
    order = [level for level, _ in DUTIES]
    return [_only(one, "id", "level", "duty") for one in sorted(_active(conn, campaign_duty, row["id"]), key=lambda one: (order.index(one["level"]), one["id"]))]


def obligations_told(conn: Connection, row: Mapping[Any, Any]) -> list[dict[str, Any]]:
    """What is owed, dated first. `facts`: the records show by themselves whether it is met."""
    rows = sorted(_active(conn, campaign_obligation, row["id"]), key=lambda one: (one["due_on"] is None, one["due_on"] or "", one["id"]))
    return [{**_only(one, "id", "level", "kind", "title", "due_on", "proof"), "facts": one["kind"] in OBLIGATIONS} for one in rows]


def plans(conn: Connection, row: Mapping[Any, Any], units: Collection[str], *, stage: int | None = None) -> list[dict[str, Any]]:
    query = select(campaign_plan).join(campaign_stage, campaign_stage.c.id == campaign_plan.c.stage_id)
    query = query.where(campaign_plan.c.campaign_id == row["id"], campaign_plan.c.unit.in_(units), campaign_stage.c.active)
    if stage is not None:
        query = query.where(campaign_plan.c.stage_id == stage)
    rows = conn.execute(query.order_by(campaign_stage.c.start_on, campaign_plan.c.unit)).mappings()
    return [{"id": one["id"], "stage": one["stage_id"], **_only(one, "unit", "plan", "said_by", "said_on")} for one in rows]


def shortfalls(conn: Connection, row: Mapping[Any, Any], units: Collection[str], today: date, actor: Actor, *, state: str | None = None) -> list[dict[str, Any]]:
    """Shortfalls, those to be remedied first. `late`: not remedied by its day. `may`: remedy | verify."""
    query = select(campaign_shortfall).where(campaign_shortfall.c.campaign_id == row["id"], campaign_shortfall.c.unit.in_(units))
    rows = conn.execute(query.order_by(campaign_shortfall.c.due_on, campaign_shortfall.c.id)).mappings().all()
    levels = _levels(conn, row)
    found = []
    for one in sorted(rows, key=lambda one: list(SHORTFALL_STATES).index(one["state"])):
        last = one["remedied_on"] if one["state"] != "open" else today.isoformat()
        may = ["remedy"] if one["state"] == "open" and writes(actor, one["unit"], levels.get(one["unit"], "street")) else []
        may += ["verify"] if one["state"] == "remedied" and actor.post_over(row["unit"], KEEPERS) and one["remedied_by"] != actor.id else []
        found.append({**{name: one[name] for name in one if name != "campaign_id"}, "late": last > one["due_on"], "may": may if row["state"] == "open" else []})
    return [one for one in found if state is None or one["state"] == state]


def proofs(conn: Connection, row: Mapping[Any, Any], units: Collection[str], actor: Actor, *, state: str | None = None) -> list[dict[str, Any]]:
    """What units entered for their obligations, the newest first. `may`: judge."""
    query = select(campaign_proof).where(campaign_proof.c.campaign_id == row["id"], campaign_proof.c.unit.in_(units))
    if state is not None:
        query = query.where(campaign_proof.c.state == state)
    titles = {one.id: one.title for one in conn.execute(select(campaign_obligation.c.id, campaign_obligation.c.title).where(campaign_obligation.c.campaign_id == row["id"]))}
    keeps = actor.post_over(row["unit"], KEEPERS) is not None and row["state"] == "open"
    return [{**{name: one[name] for name in one if name not in ("campaign_id", "obligation_id")}, "obligation": one["obligation_id"], "title": titles[one["obligation_id"]],
             "may": ["judge"] if keeps and one["state"] == "entered" and one["entered_by"] != actor.id else []}
            for one in conn.execute(query.order_by(campaign_proof.c.id.desc())).mappings()]  # fmt: skip


def standing(conn: Connection, row: Mapping[Any, Any], units: Sequence[Mapping[Any, Any]], today: date) -> list[dict[str, Any]]:
    """How these units stand with what they owe; see campaign_obligations.standings. Nothing is owed in a campaign that was withdrawn."""
    if row["state"] == "withdrawn":
        return []
    return standings(conn, row, [(one["unit"], one["level"]) for one in units], date.fromisoformat(row["closed_on"]) if row["closed_on"] else today)


def _levels(conn: Connection, row: Mapping[Any, Any]) -> dict[str, str]:
    return {one.unit: one.level for one in conn.execute(select(campaign_unit.c.unit, campaign_unit.c.level).where(campaign_unit.c.campaign_id == row["id"]))}
