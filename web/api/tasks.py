"""API: the task list and the verbs on a task."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import request
from flask_smorest import Blueprint

from engine import queries
from engine.bpmn import Run
from engine.forms import json_schema
from processes import calendar
from processes.bureau import CATALOGUE
from web.api import schemas
from web.api.cases import task_row
from web.api.desk import acting, body, if_match, known_id, me, paging, signed_in
from web.api.misc import load
from web.desk import bureau
from web.tasks import seen

blp = Blueprint("api_tasks", __name__, url_prefix="/api/v1", description="Tasks")


@blp.get("/tasks")
@blp.response(200, schemas.AnyObject)
@signed_in
def listing() -> Any:
    """view = mine | available | done | started | copied; filters: unit, node, no."""
    page, size = paging()
    chosen = queries.Filter(unit=request.args.get("unit"), node=request.args.get("node"), no=request.args.get("no"))
    made = bureau()
    with made.office.read() as conn:
        found = queries.tasks(conn, me(), request.args.get("view", "mine"), chosen, page, size)
        items = [{**task_row(r, made.cases.drawing(conn, r["drawing"])), "case": r["no"], "process": r["process"]} for r in found.items]
    return {"items": items, "total": found.total, "page": page, "size": size, "pages": found.pages}


def _row(conn: Any, task_id: int) -> Any:
    row = queries.task_row(conn, known_id(task_id))
    seen(me(), row)
    return row


@blp.get("/tasks/<int:task_id>")
@blp.response(200, schemas.AnyObject)
@signed_in
def show(task_id: int) -> Any:
    """The task with its form as JSON Schema, its deadline, and where it may be returned to."""
    made = bureau()
    with made.office.read() as conn:
        row = _row(conn, task_id)
        drawing = made.cases.drawing(conn, row["drawing"])
        case = queries.case_row(conn, row["no"])
        facts = Run.load(drawing, case["state"], made.office.clock()).facts
    form = CATALOGUE[row["process"]].forms[row["node"]]
    shown = {**task_row(row, drawing), "case": row["no"], "form": json_schema(form, "en" if request.args.get("lang") == "en" else "zh")}
    shown |= {"facts": facts, "returns": sorted(getattr(form, "RETURNS", {})), "due_rule": drawing.nodes[row["node"]].due}
    if row["due_on"]:
        shown["workdays_left"] = calendar.workdays_between(made.office.today(), date.fromisoformat(row["due_on"]))
    return shown, {"ETag": f'"{shown["etag"]}"'}


def _verb(schema: type[schemas.Strict]) -> Any:
    return blp.doc(requestBody={"content": {"application/json": {"schema": schema}}, "required": True})


def _checked(task_id: int) -> int:
    with bureau().office.read() as conn:
        _row(conn, task_id)
    return task_id


@blp.post("/tasks/<int:task_id>/complete")
@_verb(schemas.Complete)
@blp.response(200, schemas.Told)
@signed_in
def complete(task_id: int) -> Any:
    said = load(schemas.Complete(), body())
    with acting(said) as act:
        return bureau().cases.complete(act, known_id(task_id), said["answers"], etag=if_match())


@blp.post("/tasks/<int:task_id>/return")
@_verb(schemas.Return)
@blp.response(200, schemas.Told)
@signed_in
def send_back(task_id: int) -> Any:
    """退回 to an earlier node that the drawing allows."""
    said = load(schemas.Return(), body())
    with acting(said) as act:
        return bureau().cases.send_back(act, known_id(task_id), said["to"], said["answers"], etag=if_match())


@blp.post("/tasks/<int:task_id>/claim")
@blp.response(200, schemas.Told)
@signed_in
def claim(task_id: int) -> Any:
    with acting({}) as act:
        return bureau().cases.claim(act, known_id(task_id), etag=if_match())


@blp.post("/tasks/<int:task_id>/release")
@blp.response(200, schemas.Told)
@signed_in
def release(task_id: int) -> Any:
    with acting({}) as act:
        return bureau().cases.release(act, known_id(task_id))


@blp.post("/tasks/<int:task_id>/transfer")
@_verb(schemas.HandOver)
@blp.response(200, schemas.Told)
@signed_in
def transfer(task_id: int) -> Any:
    said = load(schemas.HandOver(), body())
    with acting(said) as act:
        return bureau().cases.transfer(act, known_id(task_id), said["to"], said["reason"])


@blp.post("/tasks/<int:task_id>/delegate")
@_verb(schemas.HandOver)
@blp.response(200, schemas.Told)
@signed_in
def delegate(task_id: int) -> Any:
    said = load(schemas.HandOver(), body())
    with acting(said) as act:
        return bureau().cases.delegate(act, known_id(task_id), said["to"], said["reason"])


@blp.post("/tasks/<int:task_id>/escalate")
@_verb(schemas.Reason)
@blp.response(200, schemas.Told)
@signed_in
def escalate(task_id: int) -> Any:
    said = load(schemas.Reason(), body())
    with acting(said) as act:
        return bureau().cases.escalate(act, known_id(task_id), said["reason"])


@blp.put("/tasks/<int:task_id>/draft")
@_verb(schemas.Complete)
@blp.response(200, schemas.AnyObject)
@signed_in
def draft(task_id: int) -> Any:
    said = load(schemas.Complete(), body())
    _checked(task_id)
    with acting({}) as act:
        return {"saved_at": bureau().cases.save_draft(act, task_id, said["answers"])}


