"""举报登记表, 核查报告, 反馈书 (domain 9; 1.12): the papers of a complaint, to print, in Chinese as they are filed.

Pure builders, and the reading of what the case's entries say. Who complained stands on none of them: it is kept apart, and only the complaint
officer reads it (decision 055); the register sheet has a place for it that is filled in by hand.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from sqlalchemy import Connection, select

from engine.crypto import BoundKeys
from engine.errors import NotFound
from engine.office import history
from processes import benefits, organisation
from processes.complaint_forms import CHANNELS, FINDINGS, TARGETS
from processes.letters import chinese_date, standalone
from processes.tables import household, staff

TITLES = {"registration": "群众举报登记表", "report": "举报核查报告", "feedback": "举报核查结果反馈书"}
_NODES = {"accept_complaint": "accepted", "investigate": "investigated", "investigate_cosign": "signed", "conclude": "concluded", "conclude_extended": "concluded",
          "deliver_feedback": "told", "deliver_feedback_extended": "told"}  # fmt: skip
_CHANNEL, _FINDING, _TARGET = ({code: zh for code, zh, _ in found} for found in (CHANNELS, FINDINGS, TARGETS))


def facts_of(conn: Connection, keys: BoundKeys, row: Mapping[Any, Any]) -> dict[str, Any]:
    """The complaint's row with its allegation and the latest answers of each step: {accepted, investigated, signed, concluded, told}, each with
    `by` (login); what is erased or not done yet is missing. row: of `complaint`."""
    home = conn.scalar(select(household.c.no).where(household.c.id == row["household_id"])) if row["household_id"] else None
    found: dict[str, Any] = {**row, "household_no": home, "target_unit_name": organisation.unit_name(conn, row["target_unit"]) if row["target_unit"] else None, "allegation": keys.reveal("complaint", "allegation", row["id"], row["allegation"]) if row["allegation"] else "", "unit_name": organisation.unit_name(conn, row["unit"])}
    for entry in history(conn, keys, row["id"] >> 16):
        step = _NODES.get(str(entry.data.get("task")).rpartition(".")[0]) if entry.event == "task_completed" else None
        if step:
            found[step] = {**entry.answers, **(entry.data.get("facts") or {}), "by": str(entry.data.get("completer", entry.actor))}
    logins = {found[step]["by"] for step in _NODES.values() if step in found}
    names = {one.login: one.name for one in conn.execute(staff.select().where(staff.c.login.in_(logins)))}
    return {**found, "names": names}


def paper(kind: str, told: Mapping[str, Any], day: str) -> str:
    """One of TITLES as a standalone page. told: as `facts_of`; day: ISO, of the printing. NotFound where it is too early for it, and for a letter
    to somebody who gave no name."""
    if kind not in TITLES:
        raise NotFound("没有这个页面")
    if kind == "report" and "investigated" not in told:
        raise NotFound("核查尚未完成，没有核查报告")
    if kind == "feedback" and (told["finding"] is None or not told["is_named"]):
        raise NotFound("没有这份反馈书")
    body = {"registration": _registration, "report": _report, "feedback": _feedback}[kind](told)
    foot = f'<div class="sealing"><p>{escape(told["unit_name"])}社会救助投诉举报受理</p><p class="place">（盖章处）</p><p>{chinese_date(day)}</p></div>'
    return standalone(f"{TITLES[kind]} {told['case_no']}", f"<h1>{TITLES[kind]}</h1>{body}{foot}", '<meta name="robots" content="noindex">')


def _table(rows: Sequence[tuple[str, Any]]) -> str:
    return "<table>" + "".join(f'<tr><th scope="row">{name}</th><td>{escape(str(value or ""))}</td></tr>' for name, value in rows) + "</table>"


def _target(told: Mapping[str, Any]) -> str:
    named = {"household": told["household_no"], "benefit": benefits.number(told["benefit_id"]) if told["benefit_id"] else None, "staff": told["target_login"], "facility": told["target_unit_name"]}.get(told["target_kind"])
    return f"{_TARGET[told['target_kind']]} {named or ''}".strip()


def _registration(told: Mapping[str, Any]) -> str:
    accepted = told.get("accepted", {})
    decision = {"accept": "受理，组织核查", "not_investigate": "不予核查", "refer": "转送"}.get(str(accepted.get("acceptance")), "待审查")
    return _table([
        ("编号", told["case_no"]), ("收到日期", chinese_date(told["received_on"])), ("举报渠道", _CHANNEL[told["channel"]]),
        ("举报人", "实名（姓名、联系方式另册保管，由投诉举报受理人掌握）" if told["is_named"] else "匿名"), ("举报对象", _target(told)), ("举报内容", told["allegation"]),
        ("受理意见", decision), ("理由或去向", accepted.get("reason")), ("受理日期", chinese_date(told["accepted_on"]) if told["accepted_on"] else ""), ("受理人", _name(told, accepted)),
    ])  # fmt: skip


def _report(told: Mapping[str, Any]) -> str:
    found, signed, end = told["investigated"], told.get("signed", {}), told.get("concluded", {})
    agree = {"agree": "情况属实，同意", "disagree": "有不同意见"}.get(str(signed.get("agree")), "尚未签字")
    return _table([
        ("编号", told["case_no"]), ("举报对象", _target(told)), ("举报内容", told["allegation"]), ("核查日期", chinese_date(found["investigated_on"]) if found.get("investigated_on") else ""),
        ("核查情况", found.get("facts_found")), ("证据", found.get("evidence")), ("核查人", _name(told, found)), ("第二核查人", f"{_name(told, signed)}　{agree}".strip()), ("说明", signed.get("statement")),
        ("核查结论", _FINDING.get(told["finding"] or "", "")), ("处理意见", end.get("action")), ("作出日期", chinese_date(told["concluded_on"]) if told["concluded_on"] else ""),
    ])  # fmt: skip


def _feedback(told: Mapping[str, Any]) -> str:
    """It names nobody: neither who complained nor whom it was about."""
    words = (told.get("told") or {}).get("words")
    texts = [
        f"您于{chinese_date(told['received_on'])}提出的举报（编号{told['case_no']}），我单位于{chinese_date(told['accepted_on'])}受理，现已核查完毕。",
        f"核查结论：{_FINDING[told['finding']]}。", *([str(words)] if words else []),
        "您对本答复不服的，可以自收到之日起30日内请求复查。感谢您对社会救助工作的监督。",
    ]  # fmt: skip
    return '<p class="to">举报人：</p>' + "".join(f"<p>{escape(one)}</p>" for one in texts)


def _name(told: Mapping[str, Any], step: Mapping[str, Any]) -> str:
    login = step.get("by")
    return str(told["names"].get(login, login or ""))
