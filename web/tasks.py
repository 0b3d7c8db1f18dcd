"""待办: the task list and the page on which a task is done."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from flask import Blueprint, flash, g, jsonify, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy import Connection, select

from engine import habits, queries, signers, store
from engine.bpmn import Node, Run
from engine.cases import acts_of, barred, task_etag
from engine.errors import Conflict, EngineError, Invalid, NotFound, Refused
from engine.forms import Form, from_html
from engine.model import SYSTEM, Actor, Entry
from engine.office import Act, history
from processes import (
    complaints,
    deadlines,
    eligibility,
    expenditure,
    grace,
    households,
    illness_expenditure,
    investigation,
    leads,
    organisation,
    readers,
    screening_findings,
    visits,
)
from processes.bureau import CATALOGUE
from processes.eligibility_facts import BadFacts
from processes.identity import mask_name
from processes.screening_forms import CASE
from web import around, checking, uploads, wording
from web.desk import as_whom, bureau, either, idem, lang, me, standing_in, whole
from web.errors import said, words

bp = Blueprint("tasks", __name__)


@bp.get("/")
def home() -> ResponseReturnValue:
    return redirect(url_for("tasks.listing"))


def waiting_for_me() -> int:
    """The number beside 待办 in the head of every page: mine, and what I may take. The list itself has counted it already."""
    if "waiting" not in g:
        with bureau().office.read() as conn:
            g.waiting = queries.waiting(conn, me(), standing_in(me()))
    return int(g.waiting)


def node_name(row: Mapping[Any, Any]) -> str:
    process = CATALOGUE.get(row["process"])
    node = process.drawing.nodes.get(row["node"]) if process else None
    return either(node.name, node.name_en) if node else row["node"]


# -- one task


@bp.get("/tasks/<int:task_id>")
def show(task_id: int) -> ResponseReturnValue:
    return _page(task_id)


def _choosable(conn: Any, form_class: type[Form], unit: str, community: str | None) -> Sequence[Mapping[str, Any]]:
    """Whom the form's list of colleagues offers: holders of the post that it names over the task's unit; for a form that names
    no post, everybody over the household's community, once."""
    roles = [field.metadata["role"] for field in form_class._declared_fields.values() if field.metadata.get("widget") == "staff"]
    if not roles:
        return []
    found = [one for role in roles[0].split() or [""] for one in organisation.colleagues(conn, role, unit if role else community or unit)]
    return list({row["login"]: row for row in found}.values())


WITH_EXPENSES = ("check_expenses", "street_opinion", "district_examination", "decide")  # whoever does these looks at them, where there are any


def _page(
    task_id: int, *, typed: Mapping[Any, Any] | None = None, errors: Mapping[str, list[str]] | None = None,
    conflict: str = "", refused: str = "", trouble: str = "", status: int = 200, check: Mapping[str, Any] | None = None,
) -> ResponseReturnValue:  # fmt: skip
    """`check`: what completing it with `typed` would bring; then the answers are shown to be checked instead of the form."""
    made, actor = bureau(), me()
    opened(actor, task_id)
    with made.office.read() as conn:
        row = queries.task_row(conn, task_id)
        seen(actor, row)
        complaints.refuse_kept_away(conn, actor, row["no"])
        who = as_whom(actor, row)
        process = CATALOGUE[row["process"]]
        drawing = made.cases.drawing(conn, row["drawing"])
        node = drawing.nodes[row["node"]]
        keys = made.office.keys.on(conn)
        draft, saved_at = _draft(conn, keys, task_id, actor)
        case = queries.case_row(conn, row["no"])
        run = Run.load(drawing, case["state"], made.office.clock())
        found = made.cases.deadline(conn, keys, row, run, drawing, process) if row["state"] == "open" else None
        household_id = None if row["process"] in (complaints.KEY, leads.KEY) else run.facts.get("household_id")  # a meeting has none; a complaint or a lead shows no household's means
        house = households.view(conn, keys, household_id, on=made.office.today(), production=made.office.production) if household_id else None
        entries = readers.told_to(conn, actor, case["unit"], history(conn, keys, case["id"]))
        beside = around.view(conn, keys, case, row, actor, who)
        names = wording.names_of(conn, [*wording.logins_in(entries), row["assignee"], row["owner"], row["done_by"], who.on_behalf_of, run.facts.get("second_investigator"), *_staff_in(process.form_of(row["node"]), typed if check else None)]) | {case["unit"]: organisation.unit_name(conn, case["unit"])}
        view = {
            "house": house, "facts": run.facts, "place": organisation.unit_name(conn, run.facts.get("community") or row["unit"]), "people": names,
            "key_facts": wording.fact_lines(run.facts, wording.forms_of(process), names), "opinions": _opinions(entries, process, drawing, names),
            "result": _computed(conn, keys, run.facts, made, house, row["no"]) if house and run.facts.get("applied_on") else None, "papers": _papers(conn, household_id) if household_id else [],
            "expenses": illness_expenditure.items(conn, keys, row["no"]) if row["node"] in WITH_EXPENSES else [],
            "colleagues": organisation.colleagues(conn, node.role, row["unit"]), "barred": _barred(conn, process, row, run.facts, who), **beside,
            "choosable": _choosable(conn, process.form_of(row["node"]), row["unit"], run.facts.get("community")),
            "unmanned": [(names.get(login or "", login or ""), login, either(broken.zh, broken.en)) for login, broken in made.cases.unmanned(conn, row, run.facts)],
            "since": since(entries, process, names) if conflict else [], "deadline_parts": deadlines.told(found, made.office.today()),
            "communities": organisation.units(conn, level="community") if "new_community" in process.form_of(row["node"])._declared_fields else [],
        }  # fmt: skip
        view |= _visited(conn, keys, row, household_id, entries)
        view["finding"] = screening_findings.of_case(conn, keys, run.facts["finding_id"], who, made.office.today()) if row["process"] == CASE else None
    form_class = process.form_of(row["node"])
    if view["declared"] and typed is None and not draft:
        draft = {"compared": view["declared"]}
    titles = {str(p["id"]): p["title"] or wording.word("document", p["kind"]) for p in view["papers"]}
    handed_in = _read_only(form_class, beside["held"]["answers"], names, process, titles) if beside["held"] else []
    checked = {**check, "answers": _read_only(form_class, typed or {}, names, process, titles), "inputs": checking.inputs(typed or {}),
               "next": [_named(drawing.nodes[key.rpartition(".")[0]]) for key in check.get("opened", ())]} if check is not None else None  # fmt: skip
    returns = {to: _named(drawing.nodes[to]) for to in getattr(form_class, "RETURNS", {}) if to in drawing.nodes}
    form = form_class(context={"facts": run.facts, "today": made.office.today(), "actor": actor, "lang": lang()})
    return render_template(
        "task.html", task=row, node=node, name=_named(node), form=form, values=typed if typed is not None else draft, errors=errors or {},
        conflict=conflict, refused=refused, trouble=trouble, handed_in=handed_in, who_for=who.on_behalf_of, saved_at=saved_at, etag=task_etag(row), process=process, check=checked, returns=returns, grave=checking.final(form_class),
        extra=whole(request.form.get("_rows"), 0, 50), **view,
    ), status  # fmt: skip


SEES_SURVEY = frozenset({visits.COSIGN, "neighbor_enquiry", "democratic_review", "street_opinion", "district_examination", "spot_check_visit", "late_spot_check_visit"})


def _visited(conn: Connection, keys: Any, row: Mapping[Any, Any], household_id: int | None, entries: Sequence[Entry]) -> dict[str, Any]:
    """declared: what the survey form begins with; survey: the last one, for whoever signs it or builds on it."""
    on_page = row["state"] == "open" and household_id is not None
    survey = visits.last_survey(entries) if on_page and row["node"] in SEES_SURVEY else None
    return {"declared": visits.declared(conn, keys, household_id) if on_page and household_id and row["node"] == visits.SURVEY else [], "survey": survey,
            "surveyors": wording.names_of(conn, [survey["by"], survey["second"]]) if survey else {}, "days_late": visits.days_late(survey) if survey else 0,
            "device": device() if row["node"] in visits.NODES else ""}  # fmt: skip


def device() -> str:
    """What drafts on this device are bound to: another sign-in, even of the same person, gets another one."""
    if "device" not in session:
        session["device"] = secrets.token_hex(16)
    return str(session["device"])


def why_unmanned(conn: Connection, rows: Sequence[Mapping[Any, Any]]) -> dict[int, str]:
    """Task's id -> in words why nobody may do it, of the rows of a list that are flagged so."""
    found = bureau().cases.unmanned_among(conn, rows)
    names = wording.names_of(conn, [login for all_of in found.values() for login, _rule in all_of])
    return {n: _("; ").join((names.get(login, login) + _(": ") if login else "") + either(broken.zh, broken.en) for login, broken in all_of) for n, all_of in found.items()}


def _staff_in(form_class: type[Form], answers: Mapping[str, Any] | None) -> list[str]:
    """The colleagues whom answers name."""
    return [str(answers[n]) for n, field in form_class._declared_fields.items() if field.metadata.get("widget") == "staff" and n in answers] if answers else []


def _read_only(form_class: type[Form], answers: Mapping[str, Any], names: Mapping[str, str], process: Any, titles: Mapping[str, str]) -> list[tuple[str, Any]]:
    """Answers with the labels of their form: what was handed in, for those who sign it; what is to be submitted, for who checks it."""
    from web.cases import Story

    story = Story(process, process.drawing, (), names, titles)
    fields, answers = form_class().fields, {n: {"true": True, "false": False}.get(str(v), v) for n, v in answers.items()}
    return [(story.label(fields, n), story.shown(answers[n], fields[n].metadata)) for n in fields if answers.get(n) not in (None, "", [])]


def _barred(conn: Any, process: Any, row: Mapping[Any, Any], facts: Mapping[Any, Any], actor: Actor) -> str:
    """Why this actor may not do this task, or nothing: the button is absent and the reason stands there."""
    if row["state"] != "open":
        return ""
    broken = barred(conn, process, facts, acts_of(row["opened_by"], queries.case_tasks(conn, row["case_id"])), row, "complete", actor)
    if broken is not None:
        return either(broken.zh, broken.en)
    try:
        signers.ready(row, actor.persons)
    except (Refused, Conflict) as error:
        return words(error, lang())
    return ""


def since(entries: Sequence[Any], process: Any, names: Mapping[str, str]) -> list[str]:
    """The last things that happened: when, who, at which step, what came of it. What the other person did meanwhile."""
    from web.cases import Story

    story, found = Story(process, process.drawing, [], names, {}), []
    for entry in entries[-3:]:
        facts = [f"{wording.FACTS[k][0]}{_(': ')}{wording.fact(k, v, wording.forms_of(process), names)}" for k, v in entry.data.get("facts", {}).items()
                 if k in wording.FACTS and v not in (None, "")]  # fmt: skip
        who = names.get(entry.actor, entry.actor) + ("" if entry.actor == SYSTEM.id else f"（{entry.actor}）")
        found.append(" · ".join(filter(None, [wording.moment(entry.at), who, f"{story.title(entry)} {story.event(entry)}".strip(), *facts])))
    return found


def seen(actor: Actor, row: Mapping[Any, Any]) -> None:
    """A task is shown to those whose unit covers it, or who hold it, or did it; to others it does not exist."""
    if not sees(actor, row):
        raise NotFound("没有这件待办")


def sees(actor: Actor, row: Mapping[Any, Any]) -> bool:
    """`row`: the task with its `case_unit`."""
    return _sees(actor, row) or any(_sees(one, row) for one in standing_in(actor))


def _sees(actor: Actor, row: Mapping[Any, Any]) -> bool:
    reading = readers.of_cases(actor)
    return reading.covers(row["case_unit"]) or reading.covers(row["unit"]) or actor.holds(row["role"], row["unit"]) or not {row["assignee"], row["done_by"]}.isdisjoint(actor.persons)


def opened(actor: Actor, task_id: int) -> None:
    """Note that somebody who could do a task has opened it: whoever did the step before may not take that back any more."""
    made, table = bureau(), store.task_seen
    with made.office.read() as conn:
        row = queries.task_row(conn, task_id)
        known = conn.scalar(select(table.c.staff).where(table.c.task_id == task_id, table.c.staff == actor.id))
        if row["state"] != "open" or known is not None:
            return
        run = Run.load(made.cases.drawing(conn, row["drawing"]), queries.case_row(conn, row["no"])["state"], made.office.clock())
        acts = acts_of(row["opened_by"], queries.case_tasks(conn, row["case_id"]))
        if barred(conn, CATALOGUE[row["process"]], run.facts, acts, row, "complete", as_whom(actor, row)) is not None:
            return

    def mark() -> None:
        with made.office.act(actor) as act:
            made.habits.mark_seen(act, task_id)

    made.office.retrying(mark)


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


def _opinions(entries: Any, process: Any, drawing: Any, names: Mapping[str, str]) -> list[dict[str, Any]]:
    """What was said before, oldest first: node, who, when, what was chosen, opinion."""
    found, undone = [], habits.taken_back(entries)
    for entry in entries:
        if entry.event != "task_completed" or entry.seq in undone:
            continue
        node = drawing.nodes.get(entry.data["task"].rpartition(".")[0])
        facts = entry.data.get("facts", {})
        chosen = [wording.fact(k, facts[k], wording.forms_of(process), names) for k in facts if k in wording.FACTS and wording.FACTS[k][1] == "form" and facts[k]]
        answers = [((secret or {}).get("said") or {}).get("answers", {}) for secret in entry.personal.values()]  # one for each person whom it is about
        text = next((said[k] for said in answers for k in _SAID if said.get(k)), "")
        if (text or chosen) and node:
            who = entry.data.get("completer", entry.actor)
            found.append({"node": _named(node), "who": names.get(who, who), "at": entry.at, "text": text, "chosen": chosen})
    return found


def _computed(conn: Any, keys: Any, facts: Mapping[Any, Any], made: Any, house: Mapping[str, Any], no: str) -> dict[str, Any] | None:
    """The calculation as it stands on today's entries of the household; None while it cannot be computed."""
    try:
        figures = households.snapshot(conn, keys, facts["household_id"], made.office.today()) | {"applied_on": facts["applied_on"]} | investigation.asked_as(facts)
        if facts.get("programme") == illness_expenditure.MATTER:
            on = facts.get("accepted_on") or made.office.today().isoformat()
            return named_lines({**expenditure.assess({**figures, "on": on, "expenses": illness_expenditure.spent(conn, keys, no)}), "amount": "", "amount_fen": None}, house)
        return named_lines(grace.with_line(eligibility.explained(figures, facts.get("reason_code")), facts), house)
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
    made, (verb, _sep, to) = bureau(), request.form.get("_do", "complete").partition(":")
    with made.office.read() as conn:
        row = queries.task_row(conn, task_id)
        seen(me(), row)
    form_class = CATALOGUE[row["process"]].form_of(row["node"])
    typed = _typed(form_class)
    if row["node"] == visits.SURVEY and verb in ("complete", "edit") and typed.get("compared"):
        with made.office.read() as conn:
            typed["compared"] = visits.answered(typed["compared"], visits.declared(conn, made.office.keys.on(conn), int(row["subject"].partition(":")[2])))
    try:
        if verb in ("complete", "draft", "row", "return") and _workable(row):
            uploads.keep(form_class, typed, int((row["subject"] or "").partition(":")[2] or 0), row["no"])
        if verb in ("row", "edit"):
            return _page(task_id, typed=typed)
        if verb == "return":
            typed |= getattr(form_class, "RETURNS", {}).get(to, {})
        if verb == "complete" and checking.wanted(form_class, typed) and "_checked" not in request.form:
            return _to_check(task_id, row, typed)
        return _done(task_id, row, verb, typed, to)
    except Invalid as error:
        return _page(task_id, typed=typed, errors=_at_inputs(said(error, lang())), status=422)
    except Conflict as error:
        return _page(task_id, typed=typed, conflict=words(error, lang()), status=409)
    except Refused as error:
        return _page(task_id, typed=typed, refused=words(error, lang()), status=403)


def _to_check(task_id: int, row: Mapping[Any, Any], typed: Mapping[Any, Any]) -> ResponseReturnValue:
    """The answers once more, kept as a draft meanwhile."""
    told = checking.tried(as_whom(me(), row), task_id, typed, request.form.get("_etag") or None)
    with bureau().office.act(me()) as act:
        bureau().cases.save_draft(act, task_id, typed)
    return _page(task_id, typed=typed, check=told)


def _workable(row: Mapping[Any, Any]) -> bool:
    """Whether papers may be put to this task: nothing keeps who is signed in from doing it. Where somebody else was first, the
    papers stay with the household: whoever scanned them does not scan them again."""
    if not request.files:
        return False
    made, who = bureau(), as_whom(me(), row)
    if row["state"] != "open" and not who.holds(row["role"], row["unit"]):
        return False
    with made.office.read() as conn:
        case = queries.case_row(conn, row["no"])
        run = Run.load(made.cases.drawing(conn, row["drawing"]), case["state"], made.office.clock())
        return not _barred(conn, CATALOGUE[row["process"]], row, run.facts, who)


def _at_inputs(fields: Mapping[str, list[str]]) -> dict[str, list[str]]:
    """The verbs around a task name their inputs otherwise than the page does."""
    return {{"to": "_to", "reason": "_reason", "until": "_until"}.get(name, name): texts for name, texts in fields.items()}


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


def _done(task_id: int, row: Mapping[Any, Any], verb: str, typed: Mapping[Any, Any], to: str = "") -> ResponseReturnValue:
    made, actor, form = bureau(), me() if verb == "draft" else as_whom(me(), row), request.form
    etag = form.get("_etag") or None
    cases, language = made.cases, lang()
    work: dict[str, Callable[[Act], Any]] = {
        "complete": lambda act: cases.complete(act, task_id, typed, etag=etag, lang=language),
        "return": lambda act: cases.send_back(act, task_id, to, typed, etag=etag, lang=language),
        "claim": lambda act: cases.claim(act, task_id),
        "release": lambda act: cases.release(act, task_id),
        "draft": lambda act: cases.save_draft(act, task_id, typed),
        "transfer": lambda act: cases.transfer(act, task_id, form.get("_to", ""), form.get("_reason", "")),
        "delegate": lambda act: cases.delegate(act, task_id, form.get("_to", ""), form.get("_reason", ""), form.get("_until", "")),
        "escalate": lambda act: cases.escalate(act, task_id, form.get("_reason", "")),
    }
    if verb not in work:
        raise NotFound("没有这种操作")
    doing, key = verb in ("complete", "return"), idem()
    if key and not doing:  # one page has a key for all its buttons, and each of them is another request
        key = None if verb == "draft" else (f"{key[0]}.{verb}", [key[1], *(form.get(name, "") for name in ("_to", "_reason", "_until"))])
    with made.office.act(actor, key) as act:
        held = "waits_for_signers" in (work[verb](act) if doing or verb == "draft" else unchanged(act, task_id, work[verb]))
    told = {"complete": _("Submitted."), "return": _("Returned."), "draft": _("Draft saved."), "claim": _("Claimed."),
            "release": _("Released."), "transfer": _("Transferred."), "delegate": _("Delegated."), "escalate": _("Escalated.")}  # fmt: skip
    flash(_("Handed in; it takes effect when its signers have agreed.") if held else told[verb])
    if doing:
        _offer_next(row)
    if verb in ("complete", "return", "release", "transfer", "delegate"):
        return redirect(url_for("cases.show", no=row["no"]) if doing else url_for("tasks.listing"))
    return redirect(url_for("tasks.show", task_id=task_id))


def unchanged(act: Act, task_id: int, work: Callable[[Act], Any], *, any_state: bool = False) -> Any:
    """Do what a page asks around a task (not completing it, which looks by itself): once, and only while the task is as the
    page showed it. Conflict where it is not, unless it may be in `any_state`."""
    act.open("case", task_id >> 16)  # two presses of one button come one after the other
    if (told := act.recall()) is None:
        if (etag := request.form.get("_etag")) and not any_state:
            bureau().cases.as_seen(act, task_id, etag)
        told = work(act)
        act.remember(told)
    return told


def _offer_next(row: Mapping[Any, Any]) -> None:
    """逐件连审: the next piece of work of the same kind, as a link."""
    with bureau().office.read() as conn:
        for view in ("mine", "available"):
            found = queries.tasks(conn, me(), view, queries.Filter(node=row["node"]), 1, 1).items
            if found:
                flash(f"{node_name(found[0])} {found[0]['no']}|{url_for('tasks.show', task_id=found[0]['id'])}", "next")
                return
