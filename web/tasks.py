"""待办: the task list and the page on which a task is done."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from flask import Blueprint, flash, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy import select

from engine import queries, store
from engine.bpmn import Node, Run
from engine.cases import acts_of, barred, task_etag
from engine.errors import Conflict, EngineError, Invalid, NotFound, Refused
from engine.forms import Form, from_html
from engine.model import Actor
from engine.office import history
from processes import eligibility, households, organisation
from processes.bureau import CATALOGUE
from processes.eligibility_facts import BadFacts
from processes.identity import mask_name
from web import uploads, wording
from web.desk import bureau, either, idem, lang, me, whole
from web.errors import said, words

bp = Blueprint("tasks", __name__)


@bp.get("/")
def home() -> ResponseReturnValue:
    return redirect(url_for("tasks.listing"))


@bp.get("/tasks")
def listing() -> ResponseReturnValue:
    view = request.args.get("view", "mine")
    page = whole(request.args.get("page"), 1, 100_000)
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


def waiting_for_me() -> int:
    """The number beside 待办 in the head of every page: mine, and what I may take."""
    made = bureau()
    with made.office.read() as conn:
        return queries.waiting(conn, me())


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
    return either(node.name, node.name_en) if node else row["node"]


# -- one task


@bp.get("/tasks/<int:task_id>")
def show(task_id: int) -> ResponseReturnValue:
    return _page(task_id)


def _page(
    task_id: int, *, typed: Mapping[Any, Any] | None = None, errors: Mapping[str, list[str]] | None = None,
    conflict: str = "", refused: str = "", status: int = 200,
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
        names = wording.names_of(conn, [e.actor for e in entries] + [row["assignee"], row["done_by"], run.facts.get("second_investigator")])
        view = {
            "house": house, "facts": run.facts, "place": organisation.unit_name(conn, run.facts["community"]), "people": names,
            "key_facts": wording.fact_lines(run.facts, process.forms, names), "opinions": _opinions(entries, process, names),
            "result": _computed(conn, keys, run.facts, made, house), "papers": _papers(conn, run.facts["household_id"]),
            "colleagues": organisation.colleagues(conn, node.role, row["unit"]), "barred": _barred(conn, process, row, run.facts, actor),
            "since": _since(entries, process, names) if conflict else [],
            "communities": organisation.units(conn, level="community") if "new_community" in process.form_of(row["node"])._declared_fields else [],
        }  # fmt: skip
    form_class = process.form_of(row["node"])
    form = form_class(context={"facts": run.facts, "today": made.office.today(), "actor": actor, "lang": lang()})
    return render_template(
        "task.html", task=row, node=node, name=_named(node), form=form, values=typed if typed is not None else draft, errors=errors or {},
        conflict=conflict, refused=refused, saved_at=saved_at, etag=task_etag(row), process=process,
        extra=whole(request.form.get("_rows"), 0, 50), **view,
    ), status  # fmt: skip


def _barred(conn: Any, process: Any, row: Mapping[Any, Any], facts: Mapping[Any, Any], actor: Actor) -> str:
    """Why this actor may not do this task, or nothing: the button is absent and the reason stands there."""
    if row["state"] != "open":
        return ""
    broken = barred(conn, process, facts, acts_of(row["opened_by"], queries.case_tasks(conn, row["case_id"])), row, "complete", actor)
    return "" if broken is None else either(broken.zh, broken.en)


def _since(entries: Sequence[Any], process: Any, names: Mapping[str, str]) -> list[str]:
    """The last things that happened: what the other person did meanwhile."""
    found = []
    for entry in entries[-3:]:
        node = process.drawing.nodes.get(str(entry.data.get("task", "")).rpartition(".")[0])
        facts = [f"{wording.FACTS[k][0]}：{wording.fact(k, v, process.forms, names)}" for k, v in entry.data.get("facts", {}).items()
                 if k in wording.FACTS and v not in (None, "")]  # fmt: skip
        who = f"{names.get(entry.actor, entry.actor)}（{entry.actor}）"
        found.append("　".join([wording.moment(entry.at), who, _named(node) if node else "", *facts]))
    return found


def seen(actor: Actor, row: Mapping[Any, Any]) -> None:
    """A task is shown to those whose unit covers it, or who hold it, or did it; to others it does not exist."""
    if not (actor.covers(row["case_unit"]) or actor.covers(row["unit"]) or actor.id in (row["assignee"], row["done_by"])):
        raise NotFound("没有这件待办")


def _named(node: Node) -> str:
    return either(node.name, node.name_en)


def _draft(conn: Any, keys: Any, task_id: int, actor: Actor) -> tuple[dict[str, Any], Any]:
    table = store.draft
    row = conn.execute(select(table).where(table.c.task_id == task_id, table.c.staff == actor.id)).one_or_none()
    cipher = row and keys.find(f"draft:{actor.id}")
    if row is None or cipher is None:
        return {}, None
    return json.loads(cipher.open(row.sealed, f"draft:{task_id}".encode())), row.saved_at


_SAID = ("opinion", "findings", "report", "statement", "statements", "reasons")


def _opinions(entries: Any, process: Any, names: Mapping[str, str]) -> list[dict[str, Any]]:
    """What was said before, oldest first: node, who, when, what was chosen, opinion."""
    found = []
    for entry in entries:
        if entry.event != "task_completed":
            continue
        node = process.drawing.nodes.get(entry.data["task"].rpartition(".")[0])
        facts = entry.data.get("facts", {})
        chosen = [wording.fact(k, facts[k], process.forms, names) for k in facts if k in wording.FACTS and wording.FACTS[k][1] == "form" and facts[k]]
        for secret in entry.personal.values():
            answers = ((secret or {}).get("said") or {}).get("answers", {})
            text = next((answers[k] for k in _SAID if answers.get(k)), "")
            if (text or chosen) and node:
                found.append({"node": _named(node), "who": names.get(entry.actor, entry.actor), "at": entry.at, "text": text, "chosen": chosen})
    return found


def _computed(conn: Any, keys: Any, facts: Mapping[Any, Any], made: Any, house: Mapping[str, Any]) -> dict[str, Any] | None:
    """The calculation as it stands on today's entries of the household; None while it cannot be computed."""
    try:
        figures = households.snapshot(conn, keys, facts["household_id"], made.office.today()) | {"applied_on": facts["applied_on"]}
        return named_lines(eligibility.assess(figures), house)
    except BadFacts:
        return None


def named_lines(result: Mapping[str, Any], house: Mapping[str, Any]) -> dict[str, Any]:
    """The lines of a calculation with (masked) names instead of the numbers of persons."""
    names = {str(m["person_id"]): mask_name(m["name"]) for m in house["members"]}

    def named(text: str) -> str:
        return re.sub(r"(成员|member) (\d+)", lambda m: names.get(m[2], m[0]), text)

    lines = [{**line, "zh": named(line["zh"]), "en": wording.spelled(named(line["en"]))} for line in result["lines"]]
    return {**result, "lines": lines}


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
    form_class = CATALOGUE[row["process"]].form_of(row["node"])
    typed = _typed(form_class)
    try:
        if verb in ("complete", "draft", "row") and _workable(row):
            uploads.keep(form_class, typed, int((row["subject"] or "household:0").partition(":")[2]), row["no"])
        if verb == "row":
            return _page(task_id, typed=typed)
        return _done(task_id, row, verb, typed)
    except Invalid as error:
        return _page(task_id, typed=typed, errors=_at_inputs(said(error, lang())), status=422)
    except Conflict as error:
        return _page(task_id, typed=typed, conflict=words(error, lang()), status=409)
    except Refused as error:
        return _page(task_id, typed=typed, refused=words(error, lang()), status=403)


def _workable(row: Mapping[Any, Any]) -> bool:
    """Whether papers may be put to this task: it is open, and nothing keeps who is signed in from doing it."""
    if row["state"] != "open" or not request.files:
        return False
    made = bureau()
    with made.office.read() as conn:
        case = queries.case_row(conn, row["no"])
        run = Run.load(made.cases.drawing(conn, row["drawing"]), case["state"], made.office.clock())
        return not _barred(conn, CATALOGUE[row["process"]], row, run.facts, me())


def _at_inputs(fields: Mapping[str, list[str]]) -> dict[str, list[str]]:
    """The verbs around a task name their inputs otherwise than the page does."""
    return {{"to": "_to", "reason": "_reason"}.get(name, name): texts for name, texts in fields.items()}


@bp.post("/tasks/<int:task_id>/draft")
def autosave(task_id: int) -> ResponseReturnValue:
    """What the page sends by itself while somebody types; says when it was saved."""
    made = bureau()
    with made.office.read() as conn:
        row = queries.task_row(conn, task_id)
        seen(me(), row)
    try:
        with made.office.act(me()) as act:
            made.cases.save_draft(act, task_id, _typed(CATALOGUE[row["process"]].form_of(row["node"])))
    except EngineError as error:
        return jsonify(message=words(error, lang())), 409
    return jsonify(message=_("Draft saved at") + " " + wording.moment(made.office.clock()))


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
    told = {"complete": _("Submitted."), "draft": _("Draft saved."), "claim": _("Claimed."),
            "release": _("Released."), "transfer": _("Transferred."), "escalate": _("Escalated.")}  # fmt: skip
    flash(told[verb])
    if verb == "complete":
        _offer_next(row)
    if verb in ("complete", "release", "transfer"):
        return redirect(url_for("cases.show", no=row["no"]) if verb == "complete" else url_for("tasks.listing"))
    return redirect(url_for("tasks.show", task_id=task_id))


def _offer_next(row: Mapping[Any, Any]) -> None:
    """逐件连审: the next piece of work of the same kind, as a link."""
    with bureau().office.read() as conn:
        for view in ("mine", "available"):
            found = queries.tasks(conn, me(), view, queries.Filter(node=row["node"]), 1, 1).items
            if found:
                flash(f"{node_name(found[0])} {found[0]['no']}|{url_for('tasks.show', task_id=found[0]['id'])}", "next")
                return
