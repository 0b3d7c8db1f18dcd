"""送达: the pages on which the delivery of a letter, and the removal of a notice, is recorded, a lost query code is given anew, and how letters with
their last days are shown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy import Connection, select

from engine import store
from engine.forms import from_html, understand
from processes import appeals, deliveries, households, notices, organisation, paperwork, query_codes
from processes.tables import benefit, document
from web import uploads
from web.cases import letter_visible, visible
from web.desk import bureau, idem, lang, me
from web.households import Told
from web.public import qr

bp = Blueprint("deliveries", __name__)


@bp.route("/letters/<int:letter_id>/delivery", methods=["GET", "POST"])
def record(letter_id: int) -> ResponseReturnValue:
    """送达登记: the same verb as the API's, with the scanned proof sent along."""
    made, told = bureau(), Told()
    with made.office.read() as conn:
        row, _bytes = paperwork.issued_bytes(conn, made.office.keys.on(conn), letter_id)
        letter_visible(conn, me(), row)
        back = _where(conn, row)
    typed: dict[str, Any] = {"delivered_on": made.office.today().isoformat()}
    form = deliveries.Delivery(context={"today": made.office.today(), "actor": me(), "lang": lang(), "facts": {}})
    if request.method == "POST":
        typed = from_html(deliveries.Delivery, request.form)
        with told:
            uploads.keep(deliveries.Delivery, typed, row["household_id"], None)
            with made.office.act(me(), idem()) as act:
                if act.recall() is None:
                    deliveries.deliver(act, letter_id, understand(form, typed))
                    act.remember(letter_id)
        if told.status == 200:
            flash(_("Recorded."))
            return redirect(back)
    with made.office.read() as conn:
        papers = conn.execute(select(document).where(document.c.household_id == row["household_id"]).order_by(document.c.id)).mappings().all()
    return render_template("form_page.html", title=_("Record the delivery of %(number)s", number=row["number"]), form=form, values=typed, errors=told.errors,
                           trouble=told.trouble, papers=papers, colleagues=[], back=back), told.status  # fmt: skip


@bp.route("/cases/<no>/notices/<int:notice_id>/removal", methods=["GET", "POST"])
def removal(no: str, notice_id: int) -> ResponseReturnValue:
    """揭下照片: of a notice that came down early; the same verb as the API's, with the photo sent along."""
    made, told, back = bureau(), Told(), url_for("cases.show", no=no, tab="papers")
    with made.office.read() as conn:
        visible(conn, me(), no)
        household_id = notices.household_of(conn, no, notice_id)
    typed: dict[str, Any] = {"taken_down_on": made.office.today().isoformat()}
    form = notices.Removal(context={"today": made.office.today(), "actor": me(), "lang": lang(), "facts": {}})
    if request.method == "POST":
        typed = from_html(notices.Removal, request.form)
        with told:
            uploads.keep(notices.Removal, typed, household_id, None)
            with made.office.act(me(), idem()) as act:
                if act.recall() is None:
                    notices.show_removal(act, no, notice_id, understand(form, typed))
                    act.remember(notice_id)
        if told.status == 200:
            flash(_("Recorded."))
            return redirect(back)
    with made.office.read() as conn:
        papers = conn.execute(select(document).where(document.c.household_id == household_id).order_by(document.c.id)).mappings().all()
    return render_template("form_page.html", title=_("Record the photo of the removal"), form=form, values=typed, errors=told.errors,
                           trouble=told.trouble, papers=papers, colleagues=[], back=back), told.status  # fmt: skip


@bp.route("/cases/<no>/query-code", methods=["GET", "POST"])
def query_code(no: str) -> ResponseReturnValue:
    """查询码补发: asked for, then sent; the answer is a slip to print, which shows the new code this once."""
    made, code = bureau(), None
    if request.method == "POST":
        with made.office.act(me(), idem()) as act:
            visible(act.conn, me(), no)
            code = query_codes.renew(act, no)["code"]
    with made.office.read() as conn:
        row = visible(conn, me(), no)
        said = {"renewed": query_codes.renewed(conn, no), "may": query_codes.may_renew(conn, me(), no), "street": organisation.unit_name(conn, row["unit"][:9])}
    return render_template("query_code.html", no=no, code_once=code, sent=request.method == "POST", address=url_for("public.progress", _external=True), qr=qr(url_for("public.progress", no=no)), today=made.office.today().isoformat(), **said)


def _where(conn: Connection, row: Mapping[Any, Any]) -> str:
    """The page on which the letter stands: its case's, or its benefit's."""
    owner = row["id"] >> 16
    if conn.scalar(select(store.record.c.kind).where(store.record.c.id == owner)) == "case":
        return url_for("cases.show", no=row["case_no"], tab="papers")
    found = conn.scalar(select(benefit.c.id).where(benefit.c.id.between(owner << 16, owner << 16 | 65535)))
    return url_for("benefits.show", benefit_id=found) if found else url_for("households.show", household_id=row["household_id"])


def shown(conn: Connection, rows: Iterable[Mapping[Any, Any]]) -> list[dict[str, Any]]:
    """Letters for a page: with `may_deliver` and `may_appeal`, whether this reader may record the delivery, or an appeal, now."""
    found = list(rows)
    unit = households.row(conn, found[0]["household_id"])["community"] if found else ""
    return [{**row, "may_deliver": deliveries.waits(conn, me(), row), "may_appeal": appeals.may_lodge(me(), row, unit)} for row in found]
