"""API: cases, their record, their replay, messages to them, their letters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Response, request
from flask_smorest import Blueprint

from engine import queries
from engine.bpmn import Run
from engine.errors import Diverged, NotFound
from engine.office import history, seals_hold
from processes import paperwork
from processes.case_tables import letter
from web.api import schemas
from web.api.desk import acting, body, known_id, me, paging, signed_in, whole
from web.api.misc import load
from web.cases import visible
from web.desk import bureau

blp = Blueprint("api_cases", __name__, url_prefix="/api/v1", description="Cases")


def listed(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "no": row["no"], "process": row["process"], "unit": row["unit"], "seq": row["seq"], "opened_by": row["opened_by"],
        "opened_at": row["opened_at"].isoformat(), "closed_at": row["closed_at"] and row["closed_at"].isoformat(),
        "outcome": row["outcome"], "household_id": int((row["subject"] or ":0").partition(":")[2] or 0),
    }  # fmt: skip


@blp.post("/cases")
@blp.doc(requestBody={"content": {"application/json": {"schema": schemas.StartCase}}, "required": True})
@blp.response(201, schemas.Told)
@signed_in
def start() -> Any:
    said = load(schemas.StartCase(), body())
    with acting(said) as act:
        return bureau().cases.start(act, said["process"], said["answers"])


@blp.get("/cases")
@blp.response(200, schemas.AnyObject)
@signed_in
def listing() -> Any:
    page, size = paging()
    unit = request.args.get("unit", me().unit)[:20]
    unit = unit if me().covers(unit) else me().unit
    with bureau().office.read() as conn:
        found = queries.cases(conn, unit, process=request.args.get("process"), state=request.args.get("state"), page=page, size=size)
    return {"items": [listed(r) for r in found.items], "total": found.total, "page": page, "size": size, "pages": found.pages}


@blp.get("/cases/<no>")
@blp.response(200, schemas.AnyObject)
@signed_in
def show(no: str) -> Any:
    """Status, facts, open tasks with deadlines, and the messages that the case waits for."""
    made = bureau()
    with made.office.read() as conn:
        row = visible(conn, me(), no)
        drawing = made.cases.drawing(conn, row["drawing"])
        run = Run.load(drawing, row["state"], made.office.clock())
        tasks = [task_row(t, drawing) for t in queries.case_tasks(conn, row["id"])]
    said = {**listed(row), "facts": run.facts, "tasks": tasks, "waits_for": sorted(run.waits_for()) if not row["closed_at"] else []}
    return said, {"ETag": f'"{row["seq"]}"'}


def task_row(task: Mapping[str, Any], drawing: Any) -> dict[str, Any]:
    node = drawing.nodes[task["node"]]
    shown = {k: task[k] for k in ("id", "key", "node", "role", "unit", "assignee", "owner", "due_on", "state", "done_by", "flags", "priority")}
    return {**shown, "name": node.name, "name_en": node.name_en, "law": node.law, "opened_at": task["opened_at"].isoformat(),
            "etag": f"{task['id']}-{task['version']}"}  # fmt: skip


@blp.get("/cases/<no>/record")
@blp.response(200, schemas.AnyObject)
@signed_in
def record(no: str) -> Any:
    """The sealed entries, oldest first; personal parts only for those whose area the case lies in."""
    made = bureau()
    with made.office.read() as conn:
        row = visible(conn, me(), no)
        entries = history(conn, made.office.keys.on(conn), row["id"])
    inside = me().covers(row["unit"])
    items = [{**e.said, "leaf": e.leaf, **({"personal": e.personal} if inside else {})} for e in entries]
    return {"case": no, "intact": seals_hold(entries) is None, "head": row["head"], "items": items}


@blp.route("/cases/<no>/replay", methods=["GET", "POST"])
@blp.response(200, schemas.AnyObject)
@signed_in
def replay(no: str) -> Any:
    """Do the case again from its record: same, or different at entry n. ?step=n tells where it stood then."""
    made = bureau()
    with made.office.read() as conn:
        row = visible(conn, me(), no)
        entries = history(conn, made.office.keys.on(conn), row["id"])
        if (broken := seals_hold(entries)) is not None:
            return {"case": no, "result": "different", "entry": broken, "why": "the seal is broken"}
        step = whole("step", len(entries), len(entries))
        path = facts = None
        try:
            for _entry, run in made.cases.replaying(conn, entries[:step]):
                path, facts = run.path(), dict(run.facts)
        except Diverged as error:
            return {"case": no, "result": "different", "entry": error.seq, "recorded": str(error.recorded), "computed": str(error.computed)}
        except NotFound as error:
            return {"case": no, "result": "cannot", "why": str(error)}
    return {"case": no, "result": "same", "entries": len(entries), "step": step, "facts": facts, "done": dict(path.done) if path else {},
            "active": list(path.active) if path else [], "flows": sorted(path.flows) if path else []}  # fmt: skip


def _receive(no: str, name: str) -> Any:
    said = body()
    with bureau().office.read() as conn:
        visible(conn, me(), no)
    with acting(said) as act:
        return bureau().cases.receive(act, no, name, said)


@blp.post("/cases/<no>/messages/<name>")
@blp.doc(requestBody={"content": {"application/json": {"schema": schemas.AnyObject}}, "required": True})
@blp.response(200, schemas.Told)
@signed_in
def message(no: str, name: str) -> Any:
    """Record an objection, a withdrawal … ; 409 when no node of the case waits for it. Body: the message's form."""
    return _receive(no, name)


@blp.post("/cases/<no>/withdraw")
@blp.doc(requestBody={"content": {"application/json": {"schema": schemas.AnyObject}}, "required": True})
@blp.response(200, schemas.Told)
@signed_in
def withdraw(no: str) -> Any:
    return _receive(no, "withdrawal")


@blp.get("/cases/<no>/letters")
@blp.response(200, schemas.AnyObject(many=True))
@signed_in
def letters(no: str) -> Any:
    with bureau().office.read() as conn:
        visible(conn, me(), no)
        return [dict(r) for r in conn.execute(letter.select().where(letter.c.case_no == no).order_by(letter.c.id)).mappings()]


@blp.get("/letters/<int:letter_id>")
@blp.doc(responses={"200": {"description": "the letter as it was issued", "content": {"text/html": {}}}})
@signed_in
def letter_bytes(letter_id: int) -> Any:
    made = bureau()
    with made.office.read() as conn:
        row, stored = paperwork.issued_bytes(conn, made.office.keys.on(conn), known_id(letter_id))
        visible(conn, me(), row["case_no"])
    return Response(stored, mimetype="text/html")


