"""调标: propose, look through the list, confirm, follow the progress, print the letters."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import LazyString, lazy_gettext, lazy_pgettext
from flask_babel import gettext as _
from sqlalchemy import Connection

from engine.crypto import BoundKeys
from engine.forms import Form, choice, from_html, text, understand
from engine.office import Act
from engine.queries import Area, Page
from processes import organisation, paperwork, readers, standards
from processes.organisation import DISTRICT
from web import wording
from web.desk import bureau, idem, lang, me, whole
from web.households import Told

bp = Blueprint("standards", __name__, url_prefix="/standards")

SHOWN = 50
PRINTED = 200  # letters on one page that is printed in one go
STATES: Mapping[str, LazyString] = {
    "computing": lazy_gettext("being computed"), "proposed": lazy_pgettext("batch", "proposed"), "confirmed": lazy_gettext("being applied"),
    "finished": lazy_gettext("finished"), "withdrawn": lazy_gettext("withdrawn"),
}  # fmt: skip
LINES: Mapping[str, LazyString] = {
    "change": lazy_gettext("to be changed"), "unchanged": lazy_gettext("stays as it is"), "person": lazy_gettext("for a person to look at"),
    "contact": lazy_gettext("to be contacted"), "new": lazy_gettext("begun meanwhile"), "applied": lazy_gettext("applied"),
    "recomputed": lazy_gettext("computed again"), "stopped": lazy_gettext("stopped meanwhile"),
}  # fmt: skip


class Proposal(Form):
    """For the month whose law has a new standard."""

    effective_month = text("执行月份", "Effective month", max=7, hint="如 2019-04", hint_en="Like 2019-04")


class Confirmation(Form):
    """The approver's opinion."""

    opinion = text("审批意见", "Opinion", max=500, widget="textarea")


class Withdrawal(Form):
    """Why it is taken off the table."""

    reason = text("理由", "Reason", max=500, widget="textarea")


def proposal_form() -> type[Form]:
    """The same as a choice of the months that there are, for the page."""
    months = standards.months_with_new_standard(bureau().office.today())
    return type("ProposalOnPage", (Form,), {"effective_month": choice("执行月份", "Effective month", [(m, m, m) for m in months])})


@bp.get("/")
def listing() -> ResponseReturnValue:
    with bureau().office.read() as conn:
        found = standards.batches(conn)
        people = wording.names_of(conn, [who for row in found for who in (row["proposed_by"], row["settled_by"]) if who])
    return render_template("standards.html", found=found, states=STATES, people=people, may_propose=_may(standards.PROPOSERS))


def _may(roles: frozenset[str]) -> bool:
    return me().post_over(DISTRICT, roles) is not None


@bp.route("/new", methods=["GET", "POST"])
def new() -> ResponseReturnValue:
    return _page(proposal_form(), _("Propose an adjustment of the standard"), lambda act, said: standards.propose(act, said["effective_month"]), None)


@bp.route("/<no>/confirm", methods=["GET", "POST"])
def confirm(no: str) -> ResponseReturnValue:
    _known(no)
    return _page(Confirmation, _("Confirm %(no)s", no=no), lambda act, said: standards.confirm(act, no, said["opinion"]), no)


@bp.route("/<no>/withdraw", methods=["GET", "POST"])
def withdraw(no: str) -> ResponseReturnValue:
    _known(no)
    return _page(Withdrawal, _("Withdraw %(no)s", no=no), lambda act, said: standards.withdraw(act, no, said["reason"]), no)


def _known(no: str) -> None:
    with bureau().office.read() as conn:
        standards.batch_row(conn, no)


def _page(form_class: type[Form], title: str, work: Callable[[Act, Mapping[str, Any]], str | None], no: str | None) -> ResponseReturnValue:
    made, told = bureau(), Told()
    form = form_class(context={"today": made.office.today(), "actor": me(), "lang": lang(), "facts": {}})
    typed = from_html(form_class, request.form)
    if request.method == "POST":
        with told, made.office.act(me(), idem()) as act:
            if (done := act.recall()) is None:
                done = work(act, understand(form, typed)) or no
                act.remember(done)
        if told.status == 200:
            flash(_("Recorded."))
            return redirect(url_for("standards.show", no=done))
    back = url_for("standards.show", no=no) if no else url_for("standards.listing")
    return render_template("form_page.html", title=title, form=form, values=typed, errors=told.errors, trouble=told.trouble, papers=[], colleagues=[],
                           back=back), told.status  # fmt: skip


@bp.get("/<no>")
def show(no: str) -> ResponseReturnValue:
    """The batch, how far it is, and a page of its list in the reader's area."""
    made, view = bureau(), request.args.get("view", "")
    view = view if view in standards.VIEWS else ""
    with made.office.read() as conn:
        batch = standards.batch_row(conn, no)
        found = standards.items(conn, batch["id"], readers.of_benefits(me()).areas, view=view or None, page=whole(request.args.get("page"), 1, 100_000), size=SHOWN)
        shown = {
            "progress": standards.progress(conn, batch), "people": wording.names_of(conn, [who for who in (batch["proposed_by"], batch["settled_by"]) if who]),
            "places": {row["community"]: organisation.unit_name(conn, row["community"]) for row in found.items},
            "to_print": standards.letters_of(conn, batch["id"], readers.of_benefits(me()).areas, size=1).total,
        }  # fmt: skip
    mine = batch["proposed_by"] == me().id
    decides = _may(standards.DECIDERS)
    return render_template("standard.html", batch=batch, found=found, view=view, states=STATES, lines=LINES, reasons=standards.REASONS, printed=PRINTED,
                           may_confirm=decides and not mine and batch["status"] == "proposed",
                           may_withdraw=(mine or decides) and batch["status"] in ("computing", "proposed"), **shown)  # fmt: skip


@bp.get("/<no>/letters")
def letters(no: str) -> ResponseReturnValue:
    """The letters of the reader's area, one after the other, to be printed in one go."""
    made = bureau()
    with made.office.read() as conn:
        batch = standards.batch_row(conn, no)
        return Response(in_one_go(conn, made.office.keys.on(conn), batch, readers.of_benefits(me()).areas, whole(request.args.get("page"), 1, 100_000))[0], mimetype="text/html")


def in_one_go(conn: Connection, keys: BoundKeys, batch: Mapping[Any, Any], area: Area, page: int) -> tuple[str, Page]:
    """Letters as they were issued, each on a page of its own; `page` counts stretches of PRINTED letters."""
    found = standards.letters_of(conn, batch["id"], area, page=page, size=PRINTED)
    issued = [paperwork.issued_bytes(conn, keys, row["letter_id"])[1].decode() for row in found.items]
    sheets = "\n".join(f"<main>{one.partition('<main>')[2].partition('</main>')[0]}</main>" for one in issued)
    head = f'<meta charset="utf-8"><title>{batch["no"]}</title><link rel="stylesheet" href="/static/css/letter.css">'
    return f'<!doctype html>\n<html lang="zh-Hans"><head>{head}</head>\n<body class="letter">\n{sheets}\n</body></html>\n', found
