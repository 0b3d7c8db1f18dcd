"""One verb on several tasks: each is an act of its own through the engine's verb, and has its own result. Nothing is decided this way:
no batch completes a task, let alone grants money (docs/decisions/023)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from flask import render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy import Connection

from engine import queries
from engine.errors import EngineError, Invalid, NotFound
from engine.model import Actor
from engine.office import Act
from processes import households, organisation
from web import wording
from web.desk import as_whom, bureau, lang, me
from web.errors import said, status_of, words
from web.tasks import bp, node_name, seen

MOST = 200  # tasks at once: those of the longest page
VERBS = ("claim", "transfer", "urge")
_OFFERED = {"mine": ("transfer",), "available": ("claim", "urge"), "substitute": ("claim",), "started": ("urge",), "copied": ("transfer", "urge")}


def offered(view: str) -> tuple[str, ...]:
    """Which verbs stand below a list; what somebody may not do is refused task by task."""
    return _OFFERED.get(view, ())


def colleagues(conn: Connection, items: Sequence[Mapping[Any, Any]]) -> list[tuple[str, str]]:
    """Login and name of those who could take one of these tasks."""
    places = {(row["role"], row["unit"]) for row in items}
    found = {(one["login"], one["name"]) for role, unit in places for one in organisation.colleagues(conn, role, unit)}
    return sorted(one for one in found if one[0] != me().id)


def run(actor: Actor, verb: str, ids: Sequence[int], sent: Mapping[str, str], key: tuple[str, Any] | None, language: str, etag: str = "") -> list[dict[str, Any]]:
    """For each task `{task, case, done, code, status, message, rule}`. `sent`: `to` and `reason`, or `words`. `key`: an
    idempotency key with what it covers; each task has its own of it. `etag`: of the one task, as it was seen."""
    return [_one(actor, verb, number, sent, key, language, etag) for number in dict.fromkeys(ids)]


def _one(actor: Actor, verb: str, task_id: int, sent: Mapping[str, str], key: tuple[str, Any] | None, language: str, etag: str) -> dict[str, Any]:
    made, found = bureau(), {"task": task_id, "case": None, "done": False, "code": 200, "status": "Done", "message": "", "rule": None}
    try:
        with made.office.read() as conn:
            row = queries.task_row(conn, task_id)
        seen(actor, row)
        found["case"] = row["no"]
        who = actor if verb == "urge" else as_whom(actor, row)  # urging is one's own word
        with made.office.act(who, key and (f"{key[0][:80]}.{task_id}", [key[1], task_id])) as act:
            if act.recall() is None:
                if etag:
                    made.cases.as_seen(act, task_id, etag)
                act.remember(_do(act, verb, task_id, sent))
    except EngineError as error:
        told = words(error, language)
        if isinstance(error, Invalid):  # which input is wrong is the same for all of them
            told = "; ".join(text for texts in said(error, language).values() for text in texts)
        return found | {"code": status_of(error), "status": type(error).__name__, "message": told, "rule": getattr(error, "rule", None)}
    return found | {"done": True}


def _do(act: Act, verb: str, task_id: int, sent: Mapping[str, str]) -> dict[str, Any]:
    made = bureau()
    if verb == "claim":
        return made.cases.claim(act, task_id)
    if verb == "transfer":
        return made.cases.transfer(act, task_id, sent["to"].strip(), sent["reason"])
    if verb == "urge":
        return made.habits.urge(act, task_id, sent.get("words", ""))
    raise NotFound("没有这种操作")


@bp.post("/tasks/batch")
def together() -> ResponseReturnValue:
    """The form below a list: the ticked tasks, and the pressed button says what is meant."""
    from web import worklist  # it lists what this module acts on

    form, actor, verb = request.form, me(), request.form.get("_do", "")
    ids = [int(one) for one in form.getlist("task") if one.isascii() and one.isdecimal() and len(one) < 19][: MOST + 1]
    if verb == "export":
        return worklist.csv_of(actor, form.get("view", "mine"), queries.Filter(), "due", set(ids))
    if verb not in VERBS:
        raise NotFound("没有这种操作")
    sent = {name: form.get(name, "")[:2000] for name in ("to", "reason", "words")}
    key = (form["_key"], ["batch", verb, sent]) if form.get("_key") else None
    trouble = _trouble(verb, ids, sent)
    results = [] if trouble else run(actor, verb, ids, sent, key, lang())
    with bureau().office.read() as conn:
        rows = {one["task"]: _told(conn, one) for one in results}
        people = wording.names_of(conn, [sent["to"]])
        could = colleagues(conn, _readable(conn, actor, ids)) if trouble and verb == "transfer" else []
    titles = {"claim": _("Claim"), "transfer": _("Hand over"), "urge": _("Urge")}
    return render_template("batch.html", title=titles[verb], verb=verb, results=results, rows=rows, trouble=trouble, to=people.get(sent["to"], sent["to"]),
                           view=form.get("view", "mine"), ids=ids[:MOST], sent=sent, colleagues=could), 422 if trouble else 200  # fmt: skip


def _readable(conn: Connection, actor: Actor, ids: Sequence[int]) -> list[Mapping[Any, Any]]:
    found = []
    for one in ids[:MOST]:
        with suppress(NotFound):
            row = queries.task_row(conn, one)
            seen(actor, row)
            found.append(row)
    return found


def _trouble(verb: str, ids: Sequence[int], sent: Mapping[str, str]) -> str:
    """Why nothing is begun, or nothing."""
    if not ids:
        return _("Tick at least one task.")
    if len(ids) > MOST:
        return _("At most %(n)s tasks at once.", n=MOST)
    if verb == "transfer" and not (sent["to"].strip() and sent["reason"].strip()):
        return _("To hand over, choose a colleague and write the reason.")
    return ""


def _told(conn: Connection, one: Mapping[str, Any]) -> dict[str, str]:
    """What a result's line is about; nothing of a task that the reader may not see."""
    if one["case"] is None:
        return {"applicant": "", "step": ""}
    row = queries.task_row(conn, one["task"])
    names = households.applicant_names(conn, [row["subject"]])
    return {"applicant": names.get(row["subject"] or "", ""), "step": node_name(row)}
