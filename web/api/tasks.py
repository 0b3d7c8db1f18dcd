"""API: the task list and the verbs on a task."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from datetime import date
from typing import Any

from flask_smorest import Blueprint

from engine import queries
from engine.bpmn import Run
from engine.errors import Invalid
from engine.forms import json_schema
from engine.office import Act
from processes import complaints, deadlines, saved_views
from processes.bureau import CATALOGUE
from web import batch, checking, worklist
from web.api import schemas
from web.api.cases import task_row
from web.api.desk import key_of, me, named_task, once, say, spoken, unmanned
from web.api.operation import operation, shape_of
from web.desk import as_whom, bureau, speaking, standing_in
from web.tasks import _draft, opened, seen, sees

blp = Blueprint("api_tasks", __name__, url_prefix="/api/v1", description="Tasks")

ANSWERS = {
    "type": "object", "required": ["answers"], "additionalProperties": False,
    "properties": {"answers": {
        "description": "the task's form: `form` of GET tasks/{id}",
        "anyOf": [shape_of(form) for p in CATALOGUE.values() for form in dict.fromkeys(p.forms.values())]}}}  # fmt: skip
_ANSWER_EXAMPLE = {"answers": {"outcome": "complete"}}


@operation(blp, "GET", "/tasks", schemas.paged(schemas.TaskListed), asks=schemas.TaskQuery)
def listing(asked: dict[str, Any]) -> Any:
    """Your task list: mine, available to claim, done by me, of cases that I started, copied to me."""
    made, standing = bureau(), standing_in(me())
    view, sort, chosen = _asked(asked)
    with made.office.read() as conn:
        found = queries.tasks(conn, me(), view, chosen, asked["page"], asked["size"], standing=standing, sort=sort)
        sent = worklist.senders(conn, found.items)
        over, barring = worklist.overlong(conn, found.items, made.office.today()), made.cases.unmanned_among(conn, found.items)
        items = [{**task_row(r, r, made.cases.drawing(conn, r["drawing"])), "sent_by": sent[r["id"]], "overlong": over.get(r["case_id"]),
                  "unmanned": unmanned(barring.get(r["id"], ()))} for r in found.items]  # fmt: skip
    return schemas.listed(items, found.total, found.page, found.size)


@operation(blp, "GET", "/tasks/export", ("text/csv",), asks=schemas.TaskExport)
def export(asked: dict[str, Any]) -> Any:
    """The whole list, as far as 5,000, as CSV with a byte order mark; names are masked, and no cell is a formula."""
    speaking(spoken())
    view, sort, chosen = _asked(asked)
    return worklist.csv_of(me(), view, chosen, sort)


def _asked(asked: dict[str, Any]) -> tuple[str, str, queries.Filter]:
    """View, sort and filter that a list asks for."""
    before, since = _day(asked, "due_before"), _day(asked, "due_from")
    today = bureau().office.today()
    if card := asked.get("card"):
        limit = today if card == "red" else deadlines.calm_from(today)
        before = min(before or limit, limit)
        since = max(since or today, today) if card == "yellow" else since
    return asked.get("view") or "mine", asked.get("sort") or "due", worklist.narrowed(asked, before, since, asked.get("flag"))


@operation(blp, "POST", "/tasks/batch", schemas.BatchDone, takes=schemas.TaskBatch)
def together(said: dict[str, Any]) -> Any:
    """领取, 转办 or 催办 of several tasks at once: each by itself, each with its own result; one that is refused stops no other."""
    sent = {name: said.get(name) or "" for name in ("to", "reason", "words")}
    items = batch.run(me(), said["do"], said["tasks"], sent, key_of(said), spoken())
    return {"done": sum(one["done"] for one in items), "items": items}


@operation(blp, "GET", "/tasks/views", schemas.paged(schemas.SavedView), asks=schemas.Paging)
def views(asked: dict[str, Any]) -> Any:
    """常用视图: how you narrow and sort your task list, under names of yours. `query`: as the page's address says it."""
    with bureau().office.read() as conn:
        return schemas.cut(saved_views.listed(conn, me().id), asked["page"], asked["size"])


@operation(blp, "POST", "/tasks/views", schemas.SavedView, status=201, takes=schemas.ViewToKeep)
def keep_view(said: dict[str, Any]) -> Any:
    """Keep a view; one of yours with the same name is replaced. At most 20."""
    return once(said, lambda act: saved_views.keep(act, said["name"], said["query"]))


@operation(blp, "DELETE", "/tasks/views/<row:view_id>", schemas.SavedView, replies=(404,))
def drop_view(view_id: int) -> Any:
    """Forget a view of yours; answers what it was."""
    return once({}, lambda act: saved_views.drop(act, view_id))


def _day(asked: dict[str, Any], name: str) -> date | None:
    text = asked.get(name)
    if not text:
        return None
    with suppress(ValueError):
        if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
            return date.fromisoformat(text)
    raise Invalid({name: [say("日期写成 2018-12-03", "Write the day as 2018-12-03")]})


@operation(blp, "GET", "/tasks/<row:task_id>", schemas.Task, asks=schemas.Language, etag=True, replies=(403, 404))
def show(task_id: int, asked: dict[str, Any]) -> Any:
    """The task with its form as JSON Schema, its deadline, where it may be returned to, and what you typed before."""
    made = bureau()
    opened(me(), task_id)
    with made.office.read() as conn:
        row = queries.task_row(conn, task_id)
        seen(me(), row)
        complaints.refuse_kept_away(conn, me(), row["no"])
        drawing = made.cases.drawing(conn, row["drawing"])
        run = Run.load(drawing, queries.case_row(conn, row["no"])["state"], made.office.clock())
        keys = made.office.keys.on(conn)
        draft, saved_at = _draft(conn, keys, task_id, me())
        found = made.cases.deadline(conn, keys, row, run, drawing, CATALOGUE[row["process"]]) if row["state"] == "open" else None
        barring = unmanned(made.cases.unmanned(conn, row, run.facts))
    form = CATALOGUE[row["process"]].form_of(row["node"])
    shown = task_row(row, row, drawing) | {
        "due_rule": drawing.nodes[row["node"]].due, "deadline": deadlines.told(found, made.office.today()), "form": json_schema(form, asked.get("lang") or spoken()),
        "returns": sorted(getattr(form, "RETURNS", {})), "final": {name: list(answers) for name, answers in grave.items()} if (grave := checking.final(form)) is not None else None,
        "facts": run.facts, "draft": draft if saved_at else None, "unmanned": barring}  # fmt: skip
    return shown, {"ETag": f'"{shown["etag"]}"'}


def _do(task_id: int, said: dict[str, Any], verb: Callable[[Act], dict[str, Any]], *, own: bool = False) -> dict[str, Any]:
    """A verb on a task that the caller may see and, with If-Match, knows as it is. He acts for an absent colleague where only
    that gives him the task. `own`: always for himself."""

    def work(act: Act) -> dict[str, Any]:
        named_task(act, task_id)
        return verb(act)

    with bureau().office.read() as conn:
        row = queries.task_row(conn, task_id)
    sees(me(), row)  # whom I stand in for is read here: inside of the act it would take a second connection while others wait for this one
    return once(said, work, None if own else as_whom(me(), row))


@operation(
    blp,
    "POST",
    "/tasks/<row:task_id>/complete",
    schemas.Moved,
    takes=schemas.Complete,
    sent=ANSWERS,
    example=_ANSWER_EXAMPLE,
    if_match=True,
    replies=(404,),
)
def complete(task_id: int, said: dict[str, Any]) -> Any:
    """办结: do the task. `answers`: its form."""
    return _do(task_id, said, lambda act: bureau().cases.complete(act, task_id, said["answers"], lang=spoken()))


@operation(
    blp, "POST", "/tasks/<row:task_id>/return", schemas.Moved, takes=schemas.Return, if_match=True, replies=(404,)
)
def send_back(task_id: int, said: dict[str, Any]) -> Any:
    """退回 to an earlier node that the drawing allows."""
    return _do(
        task_id, said, lambda act: bureau().cases.send_back(act, task_id, said["to"], said["answers"], lang=spoken())
    )


@operation(blp, "POST", "/tasks/<row:task_id>/claim", schemas.Held, optional=True, if_match=True, replies=(404,))
def claim(task_id: int) -> Any:
    """领取: take an available task."""
    return _do(task_id, {}, lambda act: bureau().cases.claim(act, task_id))


@operation(blp, "POST", "/tasks/<row:task_id>/release", schemas.Held, optional=True, if_match=True, replies=(404,))
def release(task_id: int) -> Any:
    """退回待领: give a claimed task back."""
    return _do(task_id, {}, lambda act: bureau().cases.release(act, task_id))


@operation(
    blp, "POST", "/tasks/<row:task_id>/transfer", schemas.Held, takes=schemas.HandOver, if_match=True, replies=(404,)
)
def transfer(task_id: int, said: dict[str, Any]) -> Any:
    """转办: give it for good to somebody who may do it."""
    return _do(task_id, said, lambda act: bureau().cases.transfer(act, task_id, said["to"], said["reason"]))


@operation(
    blp, "POST", "/tasks/<row:task_id>/delegate", schemas.Held, takes=schemas.Delegation, if_match=True, replies=(404,)
)
def delegate(task_id: int, said: dict[str, Any]) -> Any:
    """委托: somebody in the same unit or below does it for me, for a time; I stay its owner, and then have it again."""
    return _do(task_id, said, lambda act: bureau().cases.delegate(act, task_id, said["to"], said["reason"], said.get("until") or ""))


@operation(
    blp, "POST", "/tasks/<row:task_id>/escalate", schemas.Held, takes=schemas.Reason, if_match=True, replies=(404,)
)
def escalate(task_id: int, said: dict[str, Any]) -> Any:
    """提请关注: put it on the supervisor's board; it stays where it is."""
    return _do(task_id, said, lambda act: bureau().cases.escalate(act, task_id, said["reason"]))


@operation(blp, "PUT", "/tasks/<row:task_id>/draft", schemas.Saved, takes=schemas.Draft, if_match=True, replies=(404,))
def draft(task_id: int, said: dict[str, Any]) -> Any:
    """Keep what was typed, for you only; not part of the record."""
    return _do(task_id, said, lambda act: {"saved_at": bureau().cases.save_draft(act, task_id, said["answers"])}, own=True)
