"""追责: the list of matters, one of them with what was replied, and the forms of each step."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext

from engine.errors import NotFound, Refused
from engine.forms import Form, from_html, understand
from engine.model import Actor
from engine.office import Act
from processes import accountability, organisation
from processes.accountability import HANDLERS, STATES
from web import wording
from web.attachments import units_of
from web.desk import bureau, idem, lang, me, whole
from web.households import Told

bp = Blueprint("accountability", __name__, url_prefix="/accountability")

Work = Callable[[Act, int, Mapping[str, Any]], dict[str, Any]]
STEPS: Mapping[str, tuple[type[Form], Any, Work]] = {
    "propose": (accountability.MatterProposed, lazy_gettext("Propose the treatment"), accountability.propose),
    "reply": (accountability.MatterReply, lazy_gettext("Reply to the proposal"), accountability.reply),
    "conclude": (accountability.MatterConcluded, lazy_gettext("Conclude the matter"), accountability.conclude),
    "drop": (accountability.MatterDropped, lazy_gettext("Drop the matter"), accountability.drop),
}


def handles(actor: Actor) -> bool:
    """Whether somebody in these posts opens matters."""
    return not actor.roles.isdisjoint(HANDLERS)


@bp.get("")
def listing() -> ResponseReturnValue:
    made, wanted = bureau(), request.args.get("state", "")
    wanted = wanted if wanted in STATES else ""
    with made.office.read() as conn:
        found = accountability.listed(conn, me(), state=wanted or None, page=whole(request.args.get("page"), 1, 100_000))
        rows = accountability.told(conn, made.office.keys.on(conn), found.items, me())
        people = wording.names_of(conn, [login for row in rows for login in row["persons"]])
        places = {row["unit"]: organisation.unit_name(conn, row["unit"]) for row in rows}
    return render_template("accountability.html", found=found, rows=rows, people=people, places=places, state=wanted, words=accountability, opens=handles(me()))


@bp.get("/<int:matter_id>")
def show(matter_id: int) -> ResponseReturnValue:
    made = bureau()
    with made.office.read() as conn:
        [row] = accountability.told(conn, made.office.keys.on(conn), [accountability.seen(conn, me(), matter_id)], me())
        people = wording.names_of(conn, [*row["persons"], row["opened_by"], row["proposed_by"], row["concluded_by"]])
        place = organisation.unit_name(conn, row["unit"])
    return render_template("accountability_matter.html", m=row, people=people, place=place, words=accountability, steps={name: STEPS[name][1] for name in row["may"]})


@bp.route("/new", methods=["GET", "POST"])
def new() -> ResponseReturnValue:
    if not handles(me()):
        raise Refused("role", "追责由有管辖权的监督检查、审计人员立项", "Supervisors and auditors of the area open a matter of accountability")
    return _form_page(accountability.MatterOpened, _("Open a matter of accountability"), url_for("accountability.listing"), accountability.open_matter, units_of(HANDLERS, "district", "street", "community"))


@bp.route("/<int:matter_id>/<what>", methods=["GET", "POST"])
def step(matter_id: int, what: str) -> ResponseReturnValue:
    if what not in STEPS:
        raise NotFound("没有这个页面")
    form_class, heading, work = STEPS[what]
    with bureau().office.read() as conn:
        accountability.seen(conn, me(), matter_id)
    return _form_page(form_class, str(heading), url_for("accountability.show", matter_id=matter_id), lambda act, said: work(act, matter_id, said))


def _form_page(form_class: type[Form], heading: str, back: str, work: Callable[[Act, Mapping[str, Any]], dict[str, Any]],
               places: Sequence[Mapping[Any, Any]] = ()) -> ResponseReturnValue:
    made, told, done = bureau(), Told(), None
    form = form_class(context={"today": made.office.today(), "actor": me(), "lang": lang(), "facts": {}})
    typed = from_html(form_class, request.form)
    if request.method == "POST":
        with told, made.office.act(me(), idem()) as act:
            done = act.recall()
            if done is None:
                done = work(act, understand(form, typed))
                act.remember(done)
        if done is not None and told.status == 200:
            flash(_("Recorded."))
            return redirect(url_for("accountability.show", matter_id=done["matter"]))
    return render_template("form_page.html", title=heading, form=form, values=typed, errors=told.errors, trouble=told.trouble, papers=[], colleagues=[], communities=places, back=back), told.status
