"""复议与诉讼: the list of appeals with the days left, one of them with what can be done about it, and the forms for that."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import LazyString, lazy_gettext
from flask_babel import gettext as _
from sqlalchemy import select

from engine.errors import NotFound
from engine.forms import Form, from_html, understand
from engine.model import Actor
from engine.office import Act
from processes import appeals, letters, organisation, paperwork
from processes.appeals import BODIES, KINDS, STATES
from processes.tables import document
from web import uploads, wording
from web.cases import letter_visible, opens
from web.desk import bureau, either, idem, lang, me, whole
from web.households import Told

bp = Blueprint("appeals", __name__)

_LOOKERS = frozenset({"auditor"})  # they follow the list, too
FORMS: Mapping[str, tuple[type[Form], LazyString, Callable[[Act, int, Mapping[str, Any]], Any]]] = {
    "accept": (appeals.AppealAccepted, lazy_gettext("Record the acceptance"), appeals.accept),
    "reject": (appeals.AppealRejected, lazy_gettext("Record the rejection"), appeals.reject),
    "outcome": (appeals.AppealDecided, lazy_gettext("Record the outcome"), appeals.decide),
    "extend": (appeals.AppealExtended, lazy_gettext("Record the extension"), appeals.extend),
    "withdraw": (appeals.AppealWithdrawn, lazy_gettext("Record that it was withdrawn"), appeals.withdraw),
    "redone": (appeals.AppealRedone, lazy_gettext("Name the new case"), appeals.redone),
    "redress": (appeals.AppealRedress, lazy_gettext("Decide on the benefit anew"), appeals.redress),
}


def handles(actor: Actor) -> bool:
    """Whether the list can concern somebody in these posts."""
    return not actor.roles.isdisjoint(appeals.HANDLERS | appeals.DECIDERS | _LOOKERS)


def waiting_for_me() -> int:
    """After how many appeals the district owes a decision, of the reader's area; counted once for a page."""
    if "appeals" not in g:
        with bureau().office.read() as conn:
            g.appeals = appeals.waiting(conn, me())
    return int(g.appeals)


def title(found: Mapping[str, Any]) -> str:
    return either(*KINDS[found["kind"]]) + _(": ") + either(*BODIES[found["body"]])


def state(found: Mapping[str, Any]) -> str:
    """"Accepted, until 2019-05-24 (12 days left)"; what the district owes after it."""
    text = either(*STATES[found["state"]])
    if found["waits_until"]:
        left = found["days_left"]
        text += _(", until %(day)s (%(n)s days left)", day=found["waits_until"], n=left) if left >= 0 else _(", until %(day)s (over by %(n)s days)", day=found["waits_until"], n=-left)
    return text + ({"open": _(", to be decided anew"), "done": _(", decided anew")}.get(found["follow"]) or "")


@bp.get("/appeals")
def listing() -> ResponseReturnValue:
    made, actor = bureau(), me()
    wanted = request.args.get("state", "open")
    wanted = wanted if wanted in (*STATES, "open", "owed", "all") else "open"
    page = whole(request.args.get("page"), 1, 100_000)
    with made.office.read() as conn:
        found = appeals.listed(conn, actor, state=None if wanted == "all" else wanted, page=page)
        rows = appeals.told(conn, made.office.keys.on(conn), found.items, actor, made.office.today())
        places = {row["unit"]: organisation.unit_name(conn, row["unit"]) for row in rows}
    return render_template("appeals.html", found=found, rows=rows, places=places, state=wanted)


@bp.get("/appeals/<int:appeal_id>")
def show(appeal_id: int) -> ResponseReturnValue:
    made, actor = bureau(), me()
    with made.office.read() as conn:
        row = appeals.seen(conn, actor, appeal_id)
        [found] = appeals.told(conn, made.office.keys.on(conn), [row], actor, made.office.today())
        names = wording.names_of(conn, [found["recorded_by"], found["outcome_by"], found["followed_by"]])
        place = organisation.unit_name(conn, found["unit"])
    return render_template("appeal.html", a=found, people=names, place=place, titles=letters.TITLES, forms={name: FORMS[name][1] for name in found["may"]},
                           sees_case=opens(found["case_no"]))  # fmt: skip


@bp.route("/letters/<int:letter_id>/appeals/new", methods=["GET", "POST"])
def lodge(letter_id: int) -> ResponseReturnValue:
    made = bureau()
    with made.office.read() as conn:
        row, _bytes = paperwork.issued_bytes(conn, made.office.keys.on(conn), letter_id)
        letter_visible(conn, me(), row)
    heading = _("Record an appeal against %(number)s", number=row["number"])
    return _form_page(appeals.AppealLodged, heading, row["household_id"], url_for("cases.show_letter", letter_id=letter_id), lambda act, said: appeals.lodge(act, letter_id, said))


@bp.route("/appeals/<int:appeal_id>/<what>", methods=["GET", "POST"])
def change(appeal_id: int, what: str) -> ResponseReturnValue:
    if what not in FORMS:
        raise NotFound("没有这个页面")
    form_class, heading, work = FORMS[what]
    with bureau().office.read() as conn:
        row = appeals.seen(conn, me(), appeal_id)
    return _form_page(form_class, str(heading), row["household_id"], url_for("appeals.show", appeal_id=appeal_id), lambda act, said: work(act, appeal_id, said))


def _form_page(form_class: type[Form], heading: str, household_id: int, back: str, work: Callable[[Act, Mapping[str, Any]], Any]) -> ResponseReturnValue:
    made, told = bureau(), Told()
    form = form_class(context={"today": made.office.today(), "actor": me(), "lang": lang(), "facts": {}})
    typed, done = from_html(form_class, request.form), None
    if request.method == "POST":
        with told:
            uploads.keep(form_class, typed, household_id, None)
            with made.office.act(me(), idem()) as act:
                done = act.recall()
                if done is None:
                    done = work(act, understand(form, typed))
                    act.remember(done)
        if done is not None and told.status == 200:
            flash(_("Recorded."))
            return redirect(url_for("appeals.show", appeal_id=done["appeal"]))
    with made.office.read() as conn:
        papers = conn.execute(select(document).where(document.c.household_id == household_id).order_by(document.c.id)).mappings().all()
    return render_template("form_page.html", title=heading, form=form, values=typed, errors=told.errors, trouble=told.trouble, papers=papers, colleagues=[],
                           back=back), told.status  # fmt: skip
