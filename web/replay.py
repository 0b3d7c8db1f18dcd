"""回放: a case step by step on its drawing, as page, as JSON, and two cases side by side."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy import Connection

from engine.model import Actor
from engine.replays import Stand
from processes import households, organisation, readers
from processes.bureau import CATALOGUE
from web import compare, replaying
from web.cases import OUTCOMES, TABS, visible, without_household
from web.desk import bureau, lang, me, whole
from web.replaying import Opened, Unreadable
from web.svg import Marks, render

bp = Blueprint("replay", __name__)


def _case(conn: Connection, actor: Actor, no: str) -> Mapping[Any, Any]:
    row = visible(conn, actor, no)
    readers.opens_replay(actor, row["unit"])
    return row


@bp.get("/cases/<no>/replay")
def show(no: str) -> ResponseReturnValue:
    """`?step=n`: as of that entry. `?part=1`: only what differs from step to step, for the page's script."""
    made, actor = bureau(), me()
    with made.office.snapshot() as conn:
        row = _case(conn, actor, no)
        try:
            case = replaying.opened(conn, row)
        except Unreadable as error:
            return render_template("replay_unreadable.html", case=row, why=str(error), **_head(conn, row)), 200
        step = whole(request.args.get("step"), case.last, case.last)
        part = "part" in request.args
        told = replaying.tell(conn, case, actor, step, whole=not part)
        shown = {"case": row, "told": told, "svg": picture(case, step), "people": case.names, "audits": actor.holds("auditor", row["unit"]),
                 "around": _around(told), "part": part, **({} if part else _head(conn, row))}  # fmt: skip
    replaying.note_reading(actor, row)
    return render_template("replay_part.html" if part else "replay.html", **shown)


def _head(conn: Any, row: Mapping[Any, Any]) -> dict[str, Any]:
    """What stands over the page of a case."""
    process = CATALOGUE[row["process"]]
    applicant = households.applicant_names(conn, [row["subject"]]).get(row["subject"] or "", "")
    return {"process": process, "applicant": applicant, "tabs": TABS if applicant else without_household(), "tab": "drawing", "outcomes": OUTCOMES,
            "place": organisation.unit_name(conn, row["unit"])}  # fmt: skip


def _around(told: Mapping[str, Any]) -> dict[str, int | None]:
    """The steps that the page's links lead to."""
    step, odd = told["step"], told["anomalies"]
    return {
        "prev": step - 1 if step > 1 else None, "next": step + 1 if step < told["entries"] else None,
        "odd_before": max((n for n in odd if n < step), default=None), "odd_after": min((n for n in odd if n > step), default=None),
    }  # fmt: skip


def picture(case: Opened, step: int) -> str:
    """The drawing as of a step, with who did what under each node."""
    stand: Stand | None = case.replayed.at(step)
    if stand is None:
        return render(case.drawing.xml, Marks(), title=_("Diagram of the case, step %(step)s", step=step), lang=lang())
    notes: dict[str, list[str]] = {}
    for entry, one in zip(case.kept.closed[:step], case.steps, strict=False):
        if entry.event == "task_completed":
            notes[one.node] = [f"{case.names.get(entry.actor, entry.actor)} {entry.at:%m-%d}"]
    node = case.steps[step - 1].node
    marks = Marks(stand.path.done, [node] if node and step < case.last else [], stand.path.active, stand.path.flows, notes)
    return render(case.drawing.xml, marks, title=_("Diagram of the case, step %(step)s", step=step), lang=lang())


@bp.get("/cases/<no>/replay.json")
def as_json(no: str) -> ResponseReturnValue:
    """The same as the page shows, to keep: what the API answers under cases/{no}/replay."""
    response = jsonify(replayed(me(), no, whole(request.args.get("step"), 0, 1_000_000) or None))
    response.headers["Content-Disposition"] = f'attachment; filename="{no}-replay.json"'
    return response


def replayed(actor: Actor, no: str, step: int | None) -> dict[str, Any]:
    """For page and API: the case as of a step, and the reading noted. NotFound for who may not see the case."""
    with bureau().office.snapshot() as conn:
        row = _case(conn, actor, no)
        try:
            case = replaying.opened(conn, row)
        except Unreadable as error:
            return {"case": no, "result": "cannot", "why": str(error)}
        found = replaying.tell(conn, case, actor, step)
    replaying.note_reading(actor, row)
    return found


@bp.get("/cases/<no>/replay/compare")
def side_by_side(no: str) -> ResponseReturnValue:
    """`?with=NO`: another case beside this one; without it, the page asks for its number."""
    other = request.args.get("with", "").strip().upper()[:40]
    if not other:
        with bureau().office.read() as conn:
            row = _case(conn, me(), no)
            like = compare.like(conn, me(), row)
        return render_template("compare.html", no=no, other="", like=like, found=None, why="")
    if other == no:
        return redirect(url_for("replay.side_by_side", no=no))
    found = compared(me(), no, other)
    why = found.get("unreadable", "")
    return render_template("compare.html", no=no, other=other, like=(), found=None if why else found, why=why, words=compare.WORDS)


def compared(actor: Actor, no: str, other: str) -> dict[str, Any]:
    """Two cases that the actor may see both; both readings are noted. {"unreadable": why} when one of them cannot be read."""
    with bureau().office.snapshot() as conn:
        rows = [_case(conn, actor, one) for one in (no, other)]
        try:
            found = compare.compare(conn, *[replaying.opened(conn, row) for row in rows])
        except Unreadable as error:
            found = {"unreadable": str(error)}
    for row in rows:
        replaying.note_reading(actor, row)
    return found
