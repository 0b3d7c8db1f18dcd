"""API: cases, their record, their replay, messages to them, their letters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from flask import Response
from flask_smorest import Blueprint
from sqlalchemy import select

from engine import incidents, queries
from engine.bpmn import Drawing, Run
from engine.cases import task_etag
from engine.errors import Refused
from engine.forms import json_schema
from engine.office import Act, history, seals_hold
from engine.process import Process
from processes import (
    calendar,
    complaints,
    deadlines,
    deliveries,
    households,
    letters,
    notices,
    paperwork,
    query_codes,
    readers,
    word,
)
from processes.bureau import CATALOGUE
from processes.case_tables import notice
from web.api import schemas
from web.api.desk import if_match, me, once, spoken, stale
from web.api.operation import operation, shape_of
from web.cases import drawing_file, letter_in_word, letter_of, notice_on_file, recordable, sheet_of, visible
from web.desk import as_whom, bureau, roles_for, speaking
from web.replay import compared, replayed

blp = Blueprint("api_cases", __name__, url_prefix="/api/v1", description="Cases")

START = {
    "oneOf": [
        {"type": "object", "required": ["process", "answers"], "additionalProperties": False,
         "properties": {"process": {"type": "string", "enum": [p.key]}, "answers": shape_of(p.start_form)}}
        for p in CATALOGUE.values()
    ]}  # fmt: skip
SENT = {name: form for p in CATALOGUE.values() for name, form in p.messages.items() if name in p.senders}
MESSAGE = {"anyOf": [shape_of(form) for form in SENT.values()]}
START_EXAMPLE = {
    "process": next(iter(CATALOGUE)),
    "answers": {"household_id": 17, "programme": "dibao", "applied_on": "2018-12-03", "applied_by": "head", "reason": "收入低，生活困难"}}  # fmt: skip
_HEALTH = frozenset({"disability_kind", "disability_grade", "serious_illness", "serious_outpatient_illness", "hardships"})


class StartCase(schemas.Complete):
    process = schemas.text("see GET processes", required=True, example="dibao-2012")


def listed(row: Mapping[Any, Any]) -> dict[str, Any]:
    kind, _, number = (row["subject"] or "").partition(":")
    return {
        "no": row["no"], "process": row["process"], "unit": row["unit"], "seq": row["seq"], "opened_by": row["opened_by"],
        "opened_at": row["opened_at"].isoformat(), "closed_at": row["closed_at"] and row["closed_at"].isoformat(),
        "outcome": row["outcome"], "household_id": int(number) if kind == "household" else None,
    }  # fmt: skip


@operation(
    blp,
    "POST",
    "/cases",
    schemas.Moved,
    status=201,
    takes=StartCase,
    sent=START,
    example=START_EXAMPLE,
    replies=(404,),
)
def start(said: dict[str, Any]) -> Any:
    """Begin a case. `answers`: the process's start form."""
    told = once(said, lambda act: bureau().cases.start(act, said["process"], said["answers"], lang=spoken()))
    return told, {"Location": f"/api/v1/cases/{told['case']}"}


@operation(blp, "GET", "/cases", schemas.paged(schemas.CaseRow), asks=schemas.CaseQuery, replies=(403,))
def listing(asked: dict[str, Any]) -> Any:
    """Cases of your posts' units and those below them, the newest first."""
    unit = asked.get("unit")
    if unit and not readers.of_cases(me()).covers(unit):
        raise Refused("unit", "这个机构不在您的辖区", "This unit is outside your area")
    subject = f"household:{asked['household_id']}" if asked.get("household_id") is not None else None
    with bureau().office.read() as conn:
        found = queries.cases(conn, unit or readers.of_cases(me()).areas, process=asked.get("process"), state=asked.get("state"), subject=subject, only=complaints.listed(conn, me()),
                              page=asked["page"], size=asked["size"])  # fmt: skip
    return schemas.listed([listed(r) for r in found.items], found.total, found.page, found.size)


@operation(blp, "GET", "/cases/<no:no>", schemas.Case, etag=True, replies=(404,))
def show(no: str) -> Any:
    """Status, facts, tasks with deadlines, and the messages that the case waits for."""
    made = bureau()
    with made.office.read() as conn:
        row = visible(conn, me(), no)
        drawing = made.cases.drawing(conn, row["drawing"])
        run = Run.load(drawing, row["state"], made.office.clock())
        tasks = [task_row(t, row, drawing) for t in queries.case_tasks(conn, row["id"])]
        still = incidents.of_record(conn, row["id"]) if not row["closed_at"] else []
    waits = sorted(run.waits_for()) if not row["closed_at"] else []
    said = {
        **listed(row),
        "facts": run.facts,
        "tasks": tasks,
        "waits_for": waits,
        "stands_still": [{"job": job["kind"], "key": job["key"], "state": job["state"], "tries": job["attempts"]} for job in still],
        "limit": deadlines.whole_case(run.facts, made.office.today()) if row["process"] in deadlines.limited() and not row["closed_at"] else None,
        "messages": _recordable(CATALOGUE[row["process"]], waits, row["unit"], run.facts),
    }
    return said, {"ETag": f'"{row["seq"]}"'}


def _recordable(process: Process, waits: Sequence[str], unit: str, facts: Mapping[str, Any]) -> dict[str, Any]:
    may = [name for name in waits if process.sending(name, me(), unit, facts)]
    return {name: json_schema(process.messages[name], spoken()) for name in may}


_TASK = ("id", "key", "node", "role", "unit", "assignee", "owner", "until_on", "due_on", "state", "done_by", "flags", "priority")


def task_row(task: Mapping[Any, Any], case: Mapping[Any, Any], drawing: Drawing) -> dict[str, Any]:
    """A task as lists and pages of the API show it; `case` has `no` and `process`."""
    node = drawing.nodes[task["node"]]
    left = None
    if task["due_on"] and task["state"] == "open":
        left = calendar.workdays_between(bureau().office.today(), date.fromisoformat(task["due_on"]))
    card = deadlines.card(task["due_on"], bureau().office.today()) if task["state"] == "open" else None
    return {**{k: task[k] for k in _TASK}, "card": card, "name": node.name, "name_en": node.name_en or node.name, "law": node.law,
            "opened_at": task["opened_at"].isoformat(), "workdays_left": left, "case": case["no"], "process": case["process"],
            "etag": task_etag(task), "on_behalf_of": as_whom(me(), task).on_behalf_of if task["state"] == "open" else None}  # fmt: skip


@operation(blp, "GET", "/cases/<no:no>/drawing", ("application/xml",), cached=True, replies=(404,))
def drawing(no: str) -> Any:
    """The BPMN drawing that the case runs on, byte for byte; its ETag is the SHA-256."""
    return drawing_file(me(), no)


# -- the record and its proof


@operation(blp, "GET", "/cases/<no:no>/record", schemas.Record, replies=(404,))
def record(no: str) -> Any:
    """The sealed entries, oldest first; what their payloads hold only for readers whose area the case lies in."""
    made = bureau()
    with made.office.read() as conn:
        row = visible(conn, me(), no)
        entries = history(conn, made.office.keys.on(conn), row["id"])
        told = readers.told_to(conn, me(), row["unit"], entries)
    inside = readers.of_cases(me()).covers(row["unit"])
    items = [{**e.said, "leaf": e.leaf, **({"personal": _without_health(e.personal)} if inside else {})} for e in told]
    return {"case": no, "intact": seals_hold(entries) is None, "head": row["head"], "items": items}


def _without_health(value: Any) -> Any:
    """Health is seen with a reason only (POST households/{id}/reveal), so not in passing."""
    if isinstance(value, Mapping):
        return {k: "***" if k in _HEALTH and v else _without_health(v) for k, v in value.items()}
    return [_without_health(v) for v in value] if isinstance(value, (list, tuple)) else value


@operation(blp, "GET", "/cases/<no:no>/replay", schemas.Replay, asks=schemas.StepQuery, replies=(404,))
def replay(no: str, asked: dict[str, Any]) -> Any:
    """Do the case again from its record: same, or different at entry n. `?step=n`: what the page of the replay shows of it."""
    speaking(spoken())
    return replayed(me(), no, asked.get("step"))


@operation(blp, "POST", "/cases/<no:no>/replay", schemas.Replay, asks=schemas.StepQuery, optional=True, replies=(404,))
def replay_again(no: str, asked: dict[str, Any]) -> Any:
    """The same as GET; nothing is stored, but that the case was read."""
    speaking(spoken())
    return replayed(me(), no, asked.get("step"))


@operation(blp, "GET", "/cases/<no:no>/replay/compare", schemas.Compared, asks=schemas.CompareQuery, replies=(404,))
def compare(no: str, asked: dict[str, Any]) -> Any:
    """This case beside another one: paths aligned by node, days, facts, calculations. Both must be cases that you may see."""
    speaking(spoken())
    return compared(me(), no, asked["with"])


# -- messages


def _receive(no: str, name: str, said: dict[str, Any]) -> dict[str, Any]:
    def work(act: Any) -> dict[str, Any]:
        row = recordable(act.conn, me(), no, name)
        if wanted := if_match():
            act.open("case", row["id"])
            if str(recordable(act.conn, me(), no, name)["seq"]) not in wanted:
                stale()
        return bureau().cases.receive(act, no, name, said, lang=spoken())

    return once(said, work)


@operation(
    blp,
    "POST",
    "/cases/<no:no>/messages/<name:name>",
    schemas.Moved,
    raw=True,
    sent=MESSAGE,
    if_match=True,
    replies=(404,),
)
def message(no: str, name: str, said: dict[str, Any]) -> Any:
    """Record an objection, a withdrawal …; 409 when no node of the case waits for it. Body: the message's form."""
    return _receive(no, name, said)


@operation(
    blp,
    "POST",
    "/cases/<no:no>/withdraw",
    schemas.Moved,
    raw=True,
    sent=shape_of(SENT["withdrawal"]),
    if_match=True,
    replies=(404,),
)
def withdraw(no: str, said: dict[str, Any]) -> Any:
    """The applicant withdraws: the message `withdrawal`."""
    return _receive(no, "withdrawal", said)


# -- papers


@operation(blp, "GET", "/cases/<no:no>/letters", schemas.paged(schemas.LetterRow), asks=schemas.Paging, replies=(404,))
def case_letters(no: str, asked: dict[str, Any]) -> Any:
    """Letters and notices that were issued in the case, with their delivery."""
    with bureau().office.read() as conn:
        visible(conn, me(), no)
        return schemas.cut(deliveries.of_case(conn, no), asked["page"], asked["size"])


@operation(blp, "GET", "/letters/<row:letter_id>", ("text/html", word.MEDIA_TYPE), replies=(404,))
def letter_bytes(letter_id: int) -> Any:
    """The letter as it was issued, byte for byte; as a Word document where `Accept` names that alone or rather."""
    return letter_of(me(), letter_id)


@operation(blp, "GET", "/letters/<row:letter_id>.docx", (word.MEDIA_TYPE,), replies=(404,))
def letter_docx(letter_id: int) -> Any:
    """The same letter in Word, made from the issued bytes: same text, the same file each time. `Content-Digest` has its sha-256; its
    footer the digest by which the record names the issued letter."""
    return letter_in_word(me(), letter_id)


_NOTICE = tuple(schemas.NoticeOnFile._declared_fields)


@operation(blp, "GET", "/cases/<no:no>/notices", schemas.paged(schemas.NoticeOnFile), asks=schemas.Paging, replies=(404,))
def case_notices(no: str, asked: dict[str, Any]) -> Any:
    """Notices of the case, those that are over too, with the photos of their posting and removal."""
    with bureau().office.read() as conn:
        visible(conn, me(), no)
        rows = conn.execute(select(notice).where(notice.c.case_no == no).order_by(notice.c.id)).mappings().all()
    return schemas.cut([{name: row[name] for name in _NOTICE} for row in rows], asked["page"], asked["size"])


@operation(blp, "GET", "/cases/<no:no>/notices/<row:notice_id>", ("text/html",), replies=(404,))
def notice_sheet(no: str, notice_id: int) -> Any:
    """The sheet of a notice for the file."""
    return notice_on_file(me(), no, notice_id)


@operation(blp, "POST", "/cases/<no:no>/notices/<row:notice_id>/removal", schemas.NoticeOnFile, takes=notices.Removal, replies=(404,),
           example={"taken_down_on": "2018-12-06", "photo": 4259842})  # fmt: skip
def show_removal(no: str, notice_id: int, said: dict[str, Any]) -> Any:
    """揭下照片: record, once, the photo of a notice that came down early, by an objection or a withdrawal."""

    def work(act: Act) -> dict[str, Any]:
        visible(act.conn, me(), no)
        notices.show_removal(act, no, notice_id, said)
        row = act.conn.execute(select(notice).where(notice.c.id == notice_id)).mappings().one()
        return {name: row[name] for name in _NOTICE} | {"photo_removed": said["photo"]}  # written at the end of the act

    return once(said, work)


class QueryCodeAgain(schemas.Said):
    case = schemas.said_text()
    code = schemas.said_text("the new query code, told once and kept only as a keyed digest; null when a request is repeated", none=True)


@operation(blp, "POST", "/cases/<no:no>/query-code", QueryCodeAgain, takes=schemas.Nothing, optional=True, replies=(404,))
def renew_query_code(no: str, said: dict[str, Any]) -> Any:
    """A new query code for `POST public/progress`, when the family lost that of its letter of acceptance; the earlier one is worth nothing from now on. 409 before that letter."""

    def work(act: Act) -> dict[str, Any]:
        visible(act.conn, me(), no)
        return query_codes.renew(act, no)

    return once(said, work)


@operation(blp, "GET", "/cases/<no:no>/sheets/<name:kind>", ("text/html",), replies=(403, 404))
def case_sheet(no: str, kind: str) -> Any:
    """A sheet for paper with what is known of the household: application, declaration, authorisation, survey, democratic_review, delivery."""
    return sheet_of(me(), no, kind)


@operation(blp, "POST", "/letters/<row:letter_id>/delivery", schemas.LetterRow, takes=deliveries.Delivery, replies=(404,),
           example={"delivered_on": "2018-12-21", "method": "direct", "recipient": "张秀英", "receipt_document": 4259842})  # fmt: skip
def deliver(letter_id: int, said: dict[str, Any]) -> Any:
    """送达: record how a letter was delivered, once; the answer has the last days that run from it. Letters of a decision in a
    case are delivered by the case's own task."""

    def work(act: Act) -> dict[str, Any]:
        deliveries.deliver(act, letter_id, said)
        row, _ = paperwork.issued_bytes(act.conn, act.keys, letter_id)
        return deliveries.told(row)

    return once(said, work)


@operation(blp, "GET", "/cases/<no:no>/survey-sheet", ("text/html",), replies=(403, 404))
def survey_sheet(no: str) -> Any:
    """入户调查表, prefilled, for paper."""
    made = bureau()
    with made.office.read() as conn:
        row = visible(conn, me(), no)
        if roles_for(me(), row["unit"]).isdisjoint({"investigator", "window_clerk"}):
            raise Refused("role", "只有窗口和调查人员可以打印调查表", "Only clerks and investigators print survey sheets")
        house = households.view(conn, made.office.keys.on(conn), int(row["subject"].partition(":")[2]))
    return Response(letters.survey_sheet({"household": house, "case_no": no}), mimetype="text/html")
