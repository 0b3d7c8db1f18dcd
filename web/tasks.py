"""待办: the task list and the page on which a task is done."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from engine import queries, store
from engine.bpmn import Node, Run
from engine.cases import task_etag
from engine.errors import Conflict, Invalid, NotFound
from engine.forms import Form, from_html
from engine.model import Actor
from engine.office import history
from processes import documents, eligibility, households, organisation
from processes.bureau import CATALOGUE
from web.desk import bureau, idem, lang, me, t

bp = Blueprint("tasks", __name__)


@bp.get("/")
def home() -> ResponseReturnValue:
    return redirect(url_for("tasks.listing"))


@bp.get("/tasks")
def listing() -> ResponseReturnValue:
    view = request.args.get("view", "mine")
    page = _whole(request.args.get("page"), 1, 100_000)
    chosen = _filter()
    made, actor = bureau(), me()
    today = made.office.today()
    with made.office.read() as conn:
        found = queries.tasks(conn, actor, view, chosen, page)
        counts = queries.counts(conn, actor, today)
        names = households.applicant_names(conn, [row["subject"] for row in found.items])
        places = {row["unit"]: organisation.unit_name(conn, row["unit"]) for row in found.items}
    rows = [_listed(row, names, places) for row in found.items]
    args = {k: v for k, v in request.args.items() if k != "page"}
    nodes = {n.id: n for p in CATALOGUE.values() for n in p.drawing.of_kind("userTask").values()}
    return render_template("tasks.html", view=view, found=found, rows=rows, counts=counts, args=args, nodes=nodes)


def _filter() -> queries.Filter:
    made = bureau()
    due = request.args.get("due")
    today = made.office.today()
    before = {"late": today, "today": today + timedelta(days=1), "soon": today + timedelta(days=4)}.get(due or "")
    flag = request.args.get("flag")
    return queries.Filter(
        unit=request.args.get("unit") or None,
        node=request.args.get("node") or None,
        no=request.args.get("no", "").strip() or None,
        due_before=before,
        due_from=today if due == "today" else None,
        flag=flag if flag in ("returned", "escalated") else None,
    )


def _listed(row: Mapping[Any, Any], names: Mapping[str, str], places: Mapping[str, str]) -> dict[str, Any]:
    return {**row, "applicant": names.get(row["subject"] or "", ""), "node_name": node_name(row), "place": places[row["unit"]]}


def node_name(row: Mapping[Any, Any]) -> str:
    process = CATALOGUE.get(row["process"])
    node = process.drawing.nodes.get(row["node"]) if process else None
    return (node.name_en if lang() == "en" else node.name) if node else row["node"]


def _whole(text: str | None, default: int, top: int) -> int:
    return min(max(int(text), 1), top) if text and text.isascii() and text.isdecimal() and len(text) < 10 else default


# -- one task


@bp.get("/tasks/<int:task_id>")
def show(task_id: int) -> ResponseReturnValue:
    return _page(task_id)


def _page(
    task_id: int, *, typed: Mapping[Any, Any] | None = None, errors: Mapping[str, list[str]] | None = None,
    conflict: str = "", status: int = 200,
) -> ResponseReturnValue:  # fmt: skip
    made, actor = bureau(), me()
    with made.office.read() as conn:
        row = queries.task_row(conn, task_id)
        seen(actor, row)
        process = CATALOGUE[row["process"]]
        node = process.drawing.nodes[row["node"]]
        keys = made.office.keys.on(conn)
        draft, saved_at = _draft(conn, keys, task_id, actor)
        case = queries.case_row(conn, row["no"])
        run = Run.load(made.cases.drawing(conn, row["drawing"]), case["state"], made.office.clock())
        house = households.view(conn, keys, run.facts["household_id"])
        entries = history(conn, keys, case["id"])
        opinions = _opinions(entries, process)
        result = _computed(conn, keys, run.facts, made)
        colleagues = organisation.colleagues(conn, node.role, row["unit"])
        papers = _papers(conn, run.facts["household_id"])
    form_class = process.forms[row["node"]]
    form = form_class(context={"facts": run.facts, "today": made.office.today(), "actor": actor, "lang": lang()})
    return render_template(
        "task.html", task=row, node=node, name=_named(node), form=form, values=typed if typed is not None else draft, errors=errors or {},
        conflict=conflict, saved_at=saved_at, house=house, facts=run.facts, opinions=opinions, result=result, etag=task_etag(row),
        colleagues=colleagues, papers=papers, extra=_whole(request.form.get("_rows"), 0, 50), returns=getattr(form_class, "RETURNS", {}),
        names={n.id: _named(n) for n in process.drawing.of_kind("userTask").values()},
    ), status  # fmt: skip


def seen(actor: Actor, row: Mapping[Any, Any]) -> None:
    """A task is shown to those whose unit covers it, or who hold it, or did it; to others it does not exist."""
    if not (actor.covers(row["case_unit"]) or actor.covers(row["unit"]) or actor.id in (row["assignee"], row["done_by"])):
        raise NotFound("没有这件待办")


def _named(node: Node) -> str:
    return node.name_en if lang() == "en" else node.name


def _draft(conn: Any, keys: Any, task_id: int, actor: Actor) -> tuple[dict[str, Any], Any]:
    table = store.draft
    row = conn.execute(select(table).where(table.c.task_id == task_id, table.c.staff == actor.id)).one_or_none()
    cipher = row and keys.find(f"draft:{actor.id}")
    if row is None or cipher is None:
        return {}, None
    return json.loads(cipher.open(row.sealed, f"draft:{task_id}".encode())), row.saved_at


def _opinions(entries: Any, process: Any) -> list[dict[str, Any]]:
    """What was said before, oldest first: (node, who, when, opinion)."""
    found = []
    for entry in entries:
        if entry.event != "task_completed":
            continue
        node = process.drawing.nodes.get(entry.data["task"].rpartition(".")[0])
        for secret in entry.personal.values():
            answers = ((secret or {}).get("said") or {}).get("answers", {})
            text = answers.get("opinion") or answers.get("findings") or answers.get("report") or answers.get("statements")
            if text and node:
                found.append({"node": _named(node), "who": entry.actor, "at": entry.at, "text": text})
    return found


def _computed(conn: Any, keys: Any, facts: Mapping[Any, Any], made: Any) -> dict[str, Any] | None:
    """The calculation as it stands on today's entries of the household; None while it cannot be computed."""
    try:
        figures = households.snapshot(conn, keys, facts["household_id"], made.office.today()) | {"applied_on": facts["applied_on"]}
        return eligibility.assess(figures)
    except eligibility.BadFacts:
        return None


def _papers(conn: Any, household_id: int) -> list[Mapping[Any, Any]]:
    from processes.tables import document

    return list(conn.execute(select(document).where(document.c.household_id == household_id).order_by(document.c.id)).mappings())


def _typed(form_class: type[Form]) -> dict[str, Any]:
    return from_html(form_class, request.form)


@bp.post("/tasks/<int:task_id>")
def act_on(task_id: int) -> ResponseReturnValue:
    """The task page's one form: the pressed button says what is meant."""
    made, verb = bureau(), request.form.get("_do", "complete")
    with made.office.read() as conn:
        row = queries.task_row(conn, task_id)
        seen(me(), row)
    form_class = CATALOGUE[row["process"]].forms[row["node"]]
    typed = _typed(form_class)
    if verb == "row":
        return _page(task_id, typed=typed)
    try:
        typed |= _uploads(row, form_class)
        return _done(task_id, row, verb, typed)
    except Invalid as error:
        return _page(task_id, typed=typed, errors=error.fields, status=422)
    except Conflict as error:
        return _page(task_id, typed=typed, conflict=error.en if lang() == "en" else error.zh, status=409)


def _done(task_id: int, row: Mapping[Any, Any], verb: str, typed: Mapping[Any, Any]) -> ResponseReturnValue:
    made, actor, form = bureau(), me(), request.form
    etag = form.get("_etag") or None
    with made.office.act(actor, idem() if verb == "complete" else None) as act:
        if verb == "complete":
            made.cases.complete(act, task_id, typed, etag=etag, lang=lang())
        elif verb == "claim":
            made.cases.claim(act, task_id)
        elif verb == "release":
            made.cases.release(act, task_id)
        elif verb == "draft":
            made.cases.save_draft(act, task_id, typed)
        elif verb == "transfer":
            made.cases.transfer(act, task_id, form.get("_to", ""), form.get("_reason", ""))
        elif verb == "escalate":
            made.cases.escalate(act, task_id, form.get("_reason", ""))
        else:
            raise NotFound("没有这种操作")
    said = {"complete": t("已提交。", "Submitted."), "draft": t("已存草稿。", "Draft saved."), "claim": t("已领取。", "Claimed."),
            "release": t("已退回待领。", "Released."), "transfer": t("已转办。", "Transferred."), "escalate": t("已提请主管关注。", "Escalated.")}  # fmt: skip
    flash(said[verb])
    if verb in ("complete", "release", "transfer"):
        return redirect(url_for("cases.show", no=row["no"]) if verb == "complete" else url_for("tasks.listing"))
    return redirect(url_for("tasks.show", task_id=task_id))


def _uploads(row: Mapping[Any, Any], form_class: type[Form]) -> dict[str, Any]:
    """Files sent with the form are kept first; the form then holds their numbers."""
    made, kept = bureau(), {}
    for name, field in form_class().fields.items():
        widget = field.metadata.get("widget")
        files = [f for f in request.files.getlist(f"{name}__file") if f.filename] if widget in ("document", "documents") else []
        numbers = []
        for file in files:
            with made.office.act(me()) as act:
                household_id = int((row["subject"] or "household:0").partition(":")[2])
                numbers.append(documents.store(act, made.settings.files, household_id, name, file.filename or "", file.stream, row["no"]))
        if numbers:
            kept[name] = numbers[0] if widget == "document" else [*_already(name), *numbers]
    return kept


def _already(name: str) -> list[str]:
    return [value for value in request.form.getlist(name) if value]
