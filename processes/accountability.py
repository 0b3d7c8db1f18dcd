"""追责 (domain 1.20): what is asked of staff for a confirmed problem, by category: facts, proposal, right of reply, conclusion.

Three steps by supervision and audit: one opens the matter, the treatment is proposed jointly with discipline inspection, those
concerned may reply, and another one concludes. A treatment that its category does not allow is refused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, ClassVar

from marshmallow import ValidationError, validates_schema
from sqlalchemy import Connection, func, or_, select

from engine import store
from engine.crypto import BoundKeys
from engine.errors import Conflict, Invalid, NotFound, Refused
from engine.forms import Form, choice, on_date, text
from engine.model import Actor, Data, Put
from engine.office import Act, Record
from engine.queries import Page, within
from processes import findings, organisation
from processes.accountability_tables import accountability as matter
from processes.accountability_tables import accountability_reply as reply_row
from processes.finding_tables import finding
from processes.tables import staff

HANDLERS = frozenset({"supervisor", "auditor"})  # 监督检查/监察/审计: they open accountability (domain 5.2)
MOST = 2000
CATEGORIES = {"objective_deviation": ("客观偏差", "Objective deviation"), "reform_innovation": ("改革创新", "Reform and innovation"), "subjective_intent": ("主观故意", "Subjective intent")}
SUB_TYPES = {"negligence": ("责任心不强等造成严重错保、漏保", "Negligence: serious wrong or missed assistance"), "favoring_kin": ("优亲厚友", "Favouring relatives and friends"),
             "extortion": ("吃拿卡要", "Taking and demanding"), "embezzlement_false_claim": ("贪占冒领", "Embezzlement, false claims")}  # fmt: skip
TREATMENTS = {"lighter": ("从轻", "Lighter"), "mitigated": ("减轻", "Mitigated"), "exempt": ("免于追责", "Exempt"), "serious": ("严肃追究", "Called to account"),
              "severe_by_discipline_and_law": ("依纪依法严厉惩处", "Punished severely by discipline and law")}  # fmt: skip
_MILD = ("lighter", "mitigated", "exempt")
# (category, sub-type) -> the treatments that the paper allows (domain 1.20; N23 part 3(2))
ALLOWED: Mapping[tuple[str, str | None], tuple[str, ...]] = {
    ("objective_deviation", None): _MILD, ("reform_innovation", None): _MILD, ("subjective_intent", "negligence"): ("serious",),
    **{("subjective_intent", kind): ("severe_by_discipline_and_law",) for kind in ("favoring_kin", "extortion", "embezzlement_false_claim")},
}  # fmt: skip
STATES = {"opened": ("已立项，待定性", "Opened"), "proposed": ("已拟定处理，听取申辩", "Proposed, to be replied to"), "concluded": ("已办结", "Concluded"), "dropped": ("不予追责，已了结", "Dropped")}
SEVERITIES = {"ordinary": ("一般", "Ordinary"), "serious": ("严重", "Serious")}
WRONGS = {"wrong_grant": ("错保", "Wrongly granted"), "missed": ("漏保", "Missed")}


def _choices(words: Mapping[str, tuple[str, str]]) -> list[tuple[str, str, str]]:
    return [(code, zh, en) for code, (zh, en) in words.items()]


class MatterOpened(Form):
    """立项: a confirmed problem, whom it concerns and what it rests on."""

    unit = text("问题所在机构", "Unit concerned", max=60, hint="名称或代码", hint_en="Its name or code")
    persons = text("相关人员的登录名（用逗号分开）", "Logins of those concerned, by commas", max=300)
    findings = text("审计发现编号（用逗号分开）", "Numbers of findings, by commas", required=False, max=300)
    cases = text("个案编号（用逗号分开）", "Numbers of cases, by commas", required=False, max=300)
    facts = text("事实和证据", "Facts and evidence", max=MOST, widget="textarea")


class MatterProposed(Form):
    """定性和处理意见, jointly with discipline inspection."""

    category = choice("情形", "Category", _choices(CATEGORIES))
    sub_type = choice("主观故意的类型", "Kind of intent", _choices(SUB_TYPES), required=False)
    severity = choice("后果", "Consequences", _choices(SEVERITIES))
    wrong = choice("错保或漏保", "Wrongly granted or missed", _choices(WRONGS), required=False)
    treatment = choice("处理意见", "Treatment", _choices(TREATMENTS))
    discipline = text("会同的纪检机构和人员", "Body and person of discipline inspection", max=200)
    proposal = text("定性理由", "Reasons", max=MOST, widget="textarea")
    NEEDED: ClassVar[Mapping[str, tuple[str, str]]] = {"sub_type": ("主观故意时必填", "needed for subjective intent"), "wrong": ("责任心不强时必填", "needed for negligence")}

    @validates_schema
    def _fits(self, data: Mapping[str, Any], **_: Any) -> None:
        category, sub_type = data["category"], data.get("sub_type")
        allowed = ALLOWED.get((category, sub_type))
        if allowed is None:
            raise ValidationError({"sub_type": [self.say("主观故意应选择类型，其他情形不填", "Choose the kind of intent; leave it out for the other categories")]})
        if data["treatment"] not in allowed:
            zh, en = ("、".join(TREATMENTS[one][0] for one in allowed), ", ".join(TREATMENTS[one][1] for one in allowed))
            raise ValidationError({"treatment": [self.say(f"“{CATEGORIES[category][0]}”的处理只能是：{zh}", f"{CATEGORIES[category][1]} allows only: {en}")]})
        if sub_type == "negligence" and data["severity"] != "serious":
            raise ValidationError({"severity": [self.say("责任心不强的追责以造成严重错保、漏保为前提", "Negligence is called to account for serious wrong or missed assistance only")]})
        if sub_type == "negligence" and not data.get("wrong"):
            raise ValidationError({"wrong": [self.say("请选择错保或漏保", "Choose: wrongly granted, or missed")]})


class MatterReply(Form):
    """陈述申辩 of somebody concerned."""

    text = text("陈述和申辩", "Statement", max=MOST, widget="textarea")


class MatterConcluded(Form):
    """办结: the treatment is decided as proposed."""

    conclusion = text("处理决定", "Decision", max=MOST, widget="textarea")
    transferred_to = text("移送机关", "Transferred to", required=False, max=100)
    rectified_on = on_date("整改完成日期", "Rectified on", required=False)


class MatterDropped(Form):
    """不予追责: the problem did not prove true."""

    conclusion = text("理由", "Reasons", max=MOST, widget="textarea")


# -- the acts


def open_matter(act: Act, said: Data) -> dict[str, Any]:
    """A supervisor or auditor opens a matter on staff of his area. Raises Refused `role`, `own-matter`; Invalid for unknown people or papers."""
    unit = organisation.code_of(act.conn, str(said["unit"]))
    post = act.actor.post_over(unit, HANDLERS) if unit.isdecimal() else None
    if post is None or organisation.unit_name(act.conn, unit) == unit:
        raise Refused("role", "追责由有管辖权的监督检查、审计人员立项", "Supervisors and auditors of the area open a matter of accountability")
    persons = _words(said["persons"])
    known = set(act.conn.scalars(select(staff.c.login).where(staff.c.login.in_(persons))))
    if not persons or set(persons) - known:
        raise Invalid({"persons": ["没有这名工作人员：" + "、".join(one for one in persons if one not in known)] if persons else ["请填写相关人员"]})
    _refuse_own(act.actor, persons)
    listed, cases = _words(said.get("findings")), _words(said.get("cases"))
    _known_papers(act, unit, listed, cases)
    if not listed and not cases:
        raise Invalid({"findings": ["追责应以查实的问题为据：请填写审计发现或个案编号"]})
    act.through(post)
    subject = f"staff:{persons[0]}"
    record = act.new("accountability", unit, subject=subject)
    values = {"unit": unit, "persons": " ".join(persons), "findings": " ".join(listed), "cases": " ".join(cases), "facts": said["facts"], "opened_by": act.actor.id,
              "opened_on": act.today.isoformat(), "state": "opened"}  # fmt: skip
    row_id = record.next_id()
    act.append(record, "accountability_opened", {"unit": unit}, puts=[Put("accountability", row_id, values, subject)])
    return {"matter": row_id, "state": "opened"}


def propose(act: Act, matter_id: int, said: Data) -> dict[str, Any]:
    """Category and treatment, jointly with discipline inspection; from here those concerned may reply. Negligence needs a finding."""
    record, row = _opened(act, matter_id, ("opened",))
    if said.get("sub_type") == "negligence" and not row["findings"]:
        raise Refused("no-finding", "以责任心不强造成严重错保、漏保追责的，应有相应的审计发现", "Negligence is called to account on a finding of wrong or missed assistance")
    values = {name: said.get(name) for name in ("category", "sub_type", "severity", "wrong", "treatment", "discipline", "proposal")}
    until = findings.last_day(act.today, act.office.published).isoformat()
    return _change(act, record, row, "proposed", {**values, "proposed_by": act.actor.id, "proposed_on": act.today.isoformat(), "reply_until": until})


def reply(act: Act, matter_id: int, said: Data) -> dict[str, Any]:
    """Somebody concerned replies to the proposal, until it is decided; after the last day it says so."""
    row = seen(act.conn, act.actor, matter_id)
    if act.actor.id not in row["persons"].split():
        raise Refused("concerned", "由被追责的人员本人陈述申辩", "Those concerned reply themselves")
    record = act.open("accountability", matter_id >> 16)
    row = _row(act.conn, matter_id)
    if row["state"] != "proposed":
        raise Conflict("现在不能陈述申辩：处理意见还没有拟定，或已经办结", "There is nothing to reply to now")
    today = act.today.isoformat()
    values = {"accountability_id": matter_id, "staff": act.actor.id, "said_on": today, "late": today > row["reply_until"], "text": said["text"]}
    act.append(record, "accountability_replied", puts=[Put("accountability_reply", record.next_id(), values, str(record.subject))])
    return {"matter": matter_id, "state": row["state"]}


def conclude(act: Act, matter_id: int, said: Data) -> dict[str, Any]:
    """The treatment as proposed, by another than who proposed it, when all concerned have replied or their time is over."""
    record, row = _opened(act, matter_id, ("proposed",))
    if act.actor.id == row["proposed_by"]:
        raise Refused("own-proposal", "处理意见是您拟定的，应由另一人决定", "You made this proposal: somebody else decides")
    silent = set(row["persons"].split()) - set(act.conn.scalars(select(reply_row.c.staff).where(reply_row.c.accountability_id == matter_id)))
    if silent and act.today.isoformat() <= row["reply_until"]:
        raise Refused("right-of-reply", f"相关人员还可以在 {row['reply_until']} 以前陈述申辩", f"Those concerned may reply until {row['reply_until']}")
    if said.get("rectified_on") and said["rectified_on"] > act.today.isoformat():
        raise Invalid({"rectified_on": ["不能晚于今天"]})
    return _end(act, record, row, "concluded", {**{name: said.get(name) for name in ("conclusion", "transferred_to", "rectified_on")}})


def drop(act: Act, matter_id: int, said: Data) -> dict[str, Any]:
    """Nothing is asked of anybody: the problem did not prove true. By another than who opened it."""
    record, row = _opened(act, matter_id, ("opened", "proposed"))
    if act.actor.id == row["opened_by"]:
        raise Refused("own-proposal", "该事项是您立项的，应由另一人决定不予追责", "You opened this matter: somebody else drops it")
    return _end(act, record, row, "dropped", {"conclusion": said["conclusion"]})


def _end(act: Act, record: Record, row: Mapping[Any, Any], state: str, values: dict[str, Any]) -> dict[str, Any]:
    return _change(act, record, row, state, {**values, "concluded_by": act.actor.id, "concluded_on": act.today.isoformat()})


def _change(act: Act, record: Record, row: Mapping[Any, Any], state: str, values: dict[str, Any]) -> dict[str, Any]:
    act.append(record, f"accountability_{state}", puts=[Put("accountability", row["id"], {**values, "state": state}, str(record.subject))])
    return {"matter": row["id"], "state": state}


def _opened(act: Act, matter_id: int, states: Sequence[str]) -> tuple[Record, Mapping[Any, Any]]:
    """The matter, locked, for who may handle it. NotFound, Refused, or Conflict when it is past that."""
    row = seen(act.conn, act.actor, matter_id)
    _refuse_own(act.actor, row["persons"].split())
    post = act.actor.post_over(row["unit"], HANDLERS)
    if post is None:
        raise Refused("role", "追责由有管辖权的监督检查、审计人员办理", "Supervisors and auditors of the area handle a matter of accountability")
    act.through(post)
    record = act.open("accountability", matter_id >> 16)
    row = _row(act.conn, matter_id)
    if row["state"] not in states:
        raise Conflict("该追责事项已不在这一步", "This matter has gone on already")
    return record, row


def _refuse_own(actor: Actor, persons: Sequence[str]) -> None:
    if not set(actor.persons).isdisjoint(persons):
        raise Refused("own-matter", "该事项涉及您本人，应当回避", "The matter concerns yourself: somebody else handles it")


def _words(said: Any) -> list[str]:
    return list(dict.fromkeys(one for one in str(said or "").replace("，", ",").replace("、", ",").replace(" ", ",").split(",") if one))


def _known_papers(act: Act, unit: str, listed: Sequence[str], cases: Sequence[str]) -> None:
    """Findings and cases of the actor's area. Raises Invalid."""
    areas = act.actor.only(HANDLERS).areas
    ids = [int(one) for one in listed if one.isascii() and one.isdecimal() and len(one) < 19]
    there = set(act.conn.scalars(select(finding.c.id).where(finding.c.id.in_(ids), within(finding.c.unit, areas))))
    if len(there) != len(listed):
        raise Invalid({"findings": ["没有这项审计发现，或不在您的辖区"]})
    record = store.record.c
    found = act.conn.scalars(select(record.no).where(record.kind == "case", record.no.in_(cases), within(record.unit, areas))).all()
    if len(found) != len(cases):
        raise Invalid({"cases": ["没有这件个案，或不在您的辖区"]})


# -- looking


def _row(conn: Connection, matter_id: int) -> Mapping[Any, Any]:
    found = conn.execute(select(matter).where(matter.c.id == matter_id)).mappings().one_or_none()
    if found is None:
        raise NotFound("没有这个追责事项")
    return found


def _theirs(actor: Actor) -> Any:
    """Matters of the actor's area, and those that concern him."""
    mine = (" " + matter.c.persons + " ").contains(f" {actor.id} ", autoescape=True)
    areas = actor.only(actor.roles & HANDLERS).areas
    return or_(mine, within(matter.c.unit, areas)) if areas else mine


def seen(conn: Connection, actor: Actor, matter_id: int) -> Mapping[Any, Any]:
    """The row; NotFound for who neither handles it nor is concerned. Before there is a proposal, those concerned do not see it."""
    row = conn.execute(select(matter).where(matter.c.id == matter_id, _theirs(actor))).mappings().one_or_none()
    if row is None or (actor.id in row["persons"].split() and row["proposed_on"] is None):
        raise NotFound("没有这个追责事项")
    return row


def listed(conn: Connection, actor: Actor, *, state: str | None = None, page: int = 1, size: int = 25) -> Page:
    hidden = (" " + matter.c.persons + " ").contains(f" {actor.id} ", autoescape=True) & matter.c.proposed_on.is_(None)
    where = [_theirs(actor), ~hidden, *([matter.c.state == state] if state else [])]
    total = conn.scalar(select(func.count()).select_from(matter).where(*where)) or 0
    query = select(matter).where(*where).order_by(matter.c.id.desc()).limit(size).offset((page - 1) * size)
    return Page(list(conn.execute(query).mappings()), total, page, size)


_PLAIN = ("id", "unit", "opened_by", "opened_on", "state", "category", "sub_type", "treatment", "severity", "wrong", "discipline", "proposed_by", "proposed_on", "reply_until",
          "concluded_by", "concluded_on", "transferred_to", "rectified_on")  # fmt: skip


def told(conn: Connection, keys: BoundKeys, rows: Sequence[Mapping[Any, Any]], actor: Actor) -> list[dict[str, Any]]:
    """Matters in JSON with what was replied; may: what the actor can do with it now."""
    return [_told(conn, keys, row, actor) for row in rows]


def _told(conn: Connection, keys: BoundKeys, row: Mapping[Any, Any], actor: Actor) -> dict[str, Any]:
    answers = conn.execute(select(reply_row).where(reply_row.c.accountability_id == row["id"]).order_by(reply_row.c.id)).mappings()
    concerned = actor.id in row["persons"].split()
    handles = not concerned and actor.post_over(row["unit"], HANDLERS) is not None
    open_ones = row["state"] in ("opened", "proposed")
    may = [verb for verb, allowed in (("propose", handles and row["state"] == "opened"), ("reply", concerned and row["state"] == "proposed"),
           ("conclude", handles and row["state"] == "proposed" and actor.id != row["proposed_by"]), ("drop", handles and open_ones and actor.id != row["opened_by"])) if allowed]  # fmt: skip
    return {
        **{name: row[name] for name in _PLAIN}, "persons": row["persons"].split(), "findings": [int(n) for n in row["findings"].split()], "cases": row["cases"].split(),
        **{name: keys.reveal("accountability", name, row["id"], row[name]) or None for name in ("facts", "proposal", "conclusion")}, "may": may,
        "replies": [{"staff": a["staff"], "said_on": a["said_on"], "late": a["late"], "text": keys.reveal("accountability_reply", "text", a["id"], a["text"])} for a in answers],
    }  # fmt: skip


# -- for the ledger (domain 8)


def matters(conn: Connection, unit: str, since: date, until: date) -> dict[str, list[Mapping[Any, Any]]]:
    """Rows concluded in the period, opened in it, and open at its end, as they stood then; dropped ones do not count as concluded."""
    first, last = since.isoformat(), until.isoformat()
    rows = conn.execute(select(matter).where(within(matter.c.unit, unit), matter.c.opened_on <= last).order_by(matter.c.id)).mappings().all()
    return {"concluded": [row for row in rows if row["state"] == "concluded" and first <= row["concluded_on"] <= last],
            "opened": [row for row in rows if row["opened_on"] >= first],
            "open": [row for row in rows if row["concluded_on"] is None or row["concluded_on"] > last]}  # fmt: skip


def violations(conn: Connection, unit: str, since: date, until: date) -> dict[str, Any]:
    """L5: matters concluded in the period, by category; also opened in it, and open at its end. Dropped ones do not count."""
    found = matters(conn, unit, since, until)
    done = found["concluded"]
    return {"concluded": len(done), "opened": len(found["opened"]), "open": len(found["open"]),
            "categories": [{"category": code, "zh": zh, "en": en, "concluded": sum(row["category"] == code for row in done)} for code, (zh, en) in CATEGORIES.items()],
            "matters": [row["id"] for row in done]}  # fmt: skip
