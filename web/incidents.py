"""故障作业: what failed for good, in plain words, and what a supervisor decides about it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from sqlalchemy import Connection

from engine import incidents
from engine.errors import Conflict, Invalid, Refused
from engine.model import Actor
from processes import households, organisation
from web import wording
from web.desk import bureau, either, idem, lang, me, whole
from web.errors import said, words

bp = Blueprint("incidents", __name__)

READERS = frozenset({*incidents.DECIDERS, "street_leader", "auditor"})
_TROUBLES = {
    "RegistryBusy": lazy_gettext("The other side is still working on it and has not answered."),
    "RegistryFailed": lazy_gettext("The other side could not be reached, or gave no usable answer."),
    "Conflict": lazy_gettext("Others were working on the same records each time."),
}
_DONE = {"retry": lazy_gettext("It will be tried again."), "skip": lazy_gettext("Skipped: the case goes on without it."),
         "cancel": lazy_gettext("Cancelled: the case stays where it is.")}  # fmt: skip


def reader(actor: Actor) -> Actor:
    """The actor in the posts that may look at incidents."""
    found = actor.only(READERS)
    if not found.roles:
        raise Refused("board", "故障作业只对主管、分管领导、审计和系统管理员开放", "Incidents are for supervisors, leaders, auditors and administrators")
    return found


def told(row: Mapping[Any, Any], actor: Actor) -> dict[str, Any]:
    """An incident in JSON. `may`: whether the actor decides on it; `skips`: whether something can stand for it."""
    way = bureau().jobs.ways.get(row["kind"])
    return {
        "id": row["id"], "kind": row["kind"], "key": row["key"], "title": way.zh if way else row["kind"], "title_en": way.en if way else row["kind"],
        "case": row["no"], "unit": row["unit"], "tries": row["attempts"], "trouble": (row["error"] or "").partition(":")[0], "state": row["state"],
        "since": wording.moment(row["retry_at"]), "skips": bool(way and way.skip), "may": incidents.may(actor, row["unit"]),
    }  # fmt: skip


def title(kind: str) -> str:
    """A kind of job in words."""
    way = bureau().jobs.ways.get(kind)
    return either(way.zh, way.en) if way else kind


def trouble(code: str) -> str:
    return str(_TROUBLES.get(code) or _("The program met an error; what it was stands in its log (%(code)s).", code=code))


def shown(conn: Connection, rows: list[Mapping[Any, Any]], actor: Actor) -> list[dict[str, Any]]:
    """Incidents as the pages show them: with names and places."""
    names = households.applicant_names(conn, [row["subject"] for row in rows])
    return [{**told(row, actor), "applicant": names.get(row["subject"] or "", ""), "place": organisation.unit_name(conn, row["unit"]),
             "why": trouble((row["error"] or "").partition(":")[0])} for row in rows]  # fmt: skip


@bp.get("/incidents")
def show() -> ResponseReturnValue:
    return _page()


def _page(status: int = 200, *, at: int = 0, errors: list[str] | None = None, reason: str = "") -> ResponseReturnValue:
    actor = reader(me())
    page = whole(request.args.get("page"), 1, 100_000)
    with bureau().office.read() as conn:
        found = incidents.listed(conn, actor.areas, page)
        rows = shown(conn, found.items, me())
    return render_template("incidents.html", found=found, rows=rows, at=at, errors=errors or [], reason=reason, most=incidents.MOST), status


@bp.post("/incidents/<int:job_id>")
def decide(job_id: int) -> ResponseReturnValue:
    """The pressed button says what is meant."""
    reader(me())
    made, verb, reason = bureau(), request.form.get("_do", ""), request.form.get("reason", "")
    try:
        with made.office.act(me(), idem()) as act:
            incidents.decide(act, made.jobs, made.cases.refuse_relatives, job_id, verb, reason)
    except Invalid as error:
        return _page(422, at=job_id, errors=[text for texts in said(error, lang()).values() for text in texts], reason=reason)
    except (Conflict, Refused) as error:
        return _page(409 if isinstance(error, Conflict) else 403, errors=[words(error, lang())])
    flash(str(_DONE[verb]))
    return redirect(url_for("incidents.show"))


def at_case(conn: Connection, case_id: int) -> list[dict[str, Any]]:
    """What stands still at a case, for its page; `cancelled`: nobody decides on it any more."""
    rows = incidents.of_record(conn, case_id)
    return [{"title": title(row["kind"]), "tries": row["attempts"], "cancelled": row["state"] == "cancelled"} for row in rows]
