"""审计发现: written by auditors, answered by the unit, decided by the auditor; lists for both."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext

from engine.errors import Conflict, Invalid, NotFound, Refused
from engine.model import Actor
from processes import findings, organisation
from processes.findings import REPLIERS, SEVERITIES, STATES, Finding
from web import replaying, wording
from web.cases import visible
from web.desk import bureau, either, idem, lang, me, whole
from web.errors import said, status_of, words

bp = Blueprint("findings", __name__)

_DONE = {"reply": lazy_gettext("Your reply is on the record."), "accepted": lazy_gettext("The reply is accepted; the finding is closed."),
         "upheld": lazy_gettext("The finding is upheld.")}  # fmt: skip
LABELS = {"severity": lazy_gettext("How grave"), "article": lazy_gettext("What it offends against"), "text": lazy_gettext("What was found"),
          "entry": lazy_gettext("Entry"), "outcome": lazy_gettext("Decision")}  # fmt: skip


def reads(actor: Actor) -> bool:
    """Whether the list of findings can concern somebody in these posts."""
    return not actor.roles.isdisjoint({*REPLIERS, "auditor"})


def waiting_for_me() -> int:
    """Findings that wait for my unit's reply, or for me as an auditor; counted once for a page."""
    if "findings" not in g:
        with bureau().office.read() as conn:
            g.findings = findings.waiting(conn, me())
    return int(g.findings)


def severity(found: Mapping[str, Any]) -> str:
    return either(*SEVERITIES[found["severity"]])


def state(found: Mapping[str, Any]) -> str:
    """"Waits for the reply until 2018-12-20", with how late it is."""
    if found["state"] != "open":
        return either(*STATES[found["state"]])
    text = _("waits for the reply until %(day)s", day=found["due_on"])
    return text + (_(", %(n)s working days late", n=found["late"]) if found["late"] else "")


def title(found: Mapping[str, Any]) -> str:
    return severity(found) + _(": ") + str(found["article"])


@bp.get("/findings")
def listing() -> ResponseReturnValue:
    made, actor = bureau(), me()
    wanted = request.args.get("state", "unsettled")
    wanted = wanted if wanted in (*STATES, "unsettled", "all") else "unsettled"
    page = whole(request.args.get("page"), 1, 100_000)
    with made.office.read() as conn:
        found = findings.listed(conn, actor, state=None if wanted == "all" else wanted, page=page)
        rows = findings.told(conn, made.office.keys.on(conn), found.items, actor, made.office.today())
        names = wording.names_of(conn, [row["raised_by"] for row in rows])
        places = {row["unit"]: organisation.unit_name(conn, row["unit"]) for row in rows}
    return render_template("findings.html", found=found, rows=rows, people=names, places=places, state=wanted)


@bp.get("/findings/<int:finding_id>")
def show(finding_id: int) -> ResponseReturnValue:
    return _page(finding_id)


def _page(finding_id: int, status: int = 200, *, errors: Mapping[str, list[str]] | None = None, trouble: str = "", typed: str = "") -> ResponseReturnValue:
    made, actor = bureau(), me()
    with made.office.read() as conn:
        row = findings.seen(conn, actor, finding_id)
        (found,) = findings.told(conn, made.office.keys.on(conn), [row], actor, made.office.today())
        names = wording.names_of(conn, [found["raised_by"], found["settled_by"], *(one["staff"] for one in found["said"])])
        place = organisation.unit_name(conn, found["unit"])
        try:
            visible(conn, actor, found["case_no"])
            sees_case = True
        except NotFound:
            sees_case = False
    return render_template("finding.html", found=found, people=names, place=place, sees_case=sees_case, errors=errors or {}, labels=LABELS, trouble=trouble,
                           typed=typed, most=findings.MOST), status  # fmt: skip


@bp.post("/findings/<int:finding_id>")
def answer(finding_id: int) -> ResponseReturnValue:
    """The pressed button says what is meant: a reply, or how the auditor decides."""
    verb, text = request.form.get("_do", ""), request.form.get("text", "")
    try:
        with bureau().office.act(me(), idem()) as act:
            done = findings.reply(act, finding_id, text) if verb == "reply" else findings.settle(act, finding_id, verb, text)
    except Invalid as error:
        return _page(finding_id, 422, errors=said(error, lang()), typed=text)
    except (Refused, Conflict) as error:
        return _page(finding_id, status_of(error), trouble=words(error, lang()), typed=text)
    flash(str(_DONE[verb]))
    return redirect(url_for("findings.show", finding_id=done["finding"]))


@bp.route("/cases/<no>/findings/new", methods=["GET", "POST"])
def write(no: str) -> ResponseReturnValue:
    """An auditor writes a finding on a case, or on one of its steps (`?step=n`)."""
    made, actor, sent = bureau(), me(), request.form
    with made.office.read() as conn:
        row = visible(conn, actor, no)
    if not actor.holds("auditor", row["unit"]):
        raise Refused("auditor", "审计发现由有管辖权的审计人员提出和认定", "Auditors of the area raise findings and decide on them")
    step = whole(sent.get("entry") or request.args.get("step"), 0, 1_000_000) or None
    errors: Mapping[str, list[str]] = {}
    trouble, status = "", 200
    if request.method == "POST":
        try:
            with made.office.act(actor, idem()) as act:
                done = findings.raise_on(act, made.cases, no, Finding(sent.get("severity", ""), sent.get("article", ""), sent.get("text", ""), step))
            flash(_("The finding is on the record; the unit has been given its right of reply."))
            return redirect(url_for("findings.show", finding_id=done["finding"]))
        except Invalid as error:
            errors, status = said(error, lang()), 422
        except (Refused, Conflict) as error:
            trouble, status = words(error, lang()), status_of(error)
    article = sent.get("article") or _article(no, step)
    return render_template("finding_form.html", no=no, step=step, errors=errors, trouble=trouble, labels=LABELS, severities=SEVERITIES, most=findings.MOST,
                           typed={"severity": sent.get("severity", ""), "article": article, "text": sent.get("text", "")}), status  # fmt: skip


def _article(no: str, step: int | None) -> str:
    """The article that the drawing names for the step, to begin with."""
    made = bureau()
    with made.office.read() as conn:
        row = visible(conn, me(), no)
        try:
            case = replaying.opened(conn, row)
        except replaying.Unreadable:
            return ""
    node = case.drawing.nodes.get(case.steps[step - 1].node) if step and step <= case.last else None
    return wording.article(node.law)[:200] if node is not None and node.law else ""
