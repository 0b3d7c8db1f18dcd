"""账户: a household's statement of account, what comes back, offsets, and the reconciliation of a unit and month."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext, lazy_pgettext

from engine.errors import Refused
from engine.forms import Form, from_html, understand
from engine.office import Act
from processes import account_book, benefits, calendar, households, organisation, readers
from processes.account_book import Offset, OffsetSettled, Repayment
from web import wording
from web.benefits import SETTLEMENTS
from web.desk import bureau, idem, lang, me, whole
from web.households import Told

bp = Blueprint("account_book", __name__, url_prefix="/accounts")

ACCOUNTS = {
    "approved": lazy_pgettext("account", "approved"), "payable": lazy_gettext("owed to the household"), "receivable": lazy_gettext("claimed from it"), "bank": lazy_pgettext("account", "bank"),
    "set_off": lazy_gettext("set off"), "written_off": lazy_gettext("not asked back"),
}  # fmt: skip
SOURCES = {
    "approval": lazy_gettext("decision"), "opening": lazy_gettext("paid before the books began"), "settlement": lazy_gettext("decision on past months"), "payment": lazy_gettext("credited by the bank"), "taken_back": lazy_gettext("taken back by the bank"),
    "receipt": lazy_gettext("came back"), "set_off": lazy_gettext("set off"), "cleared": lazy_gettext("settled or waived"),
}  # fmt: skip
STATES = {"proposed": lazy_pgettext("offset", "to be decided"), "done": lazy_pgettext("offset", "done"), "refused": lazy_pgettext("offset", "refused")}


@bp.get("/")
def reconciliation() -> ResponseReturnValue:
    """核对表 of a unit and month: what the books say of each benefit."""
    made, asked = bureau(), request.args
    area = readers.of_benefits(me())
    unit = asked.get("unit", "") if asked.get("unit") and area.covers(asked["unit"]) else next(iter(area.areas), "")
    month = f"{calendar.month_of(asked.get('month'), made.office.today()):%Y-%m}"
    differing = "differing" in asked
    with made.office.read() as conn:
        found = account_book.reconciliation(conn, unit or (), month, differing=differing, page=whole(asked.get("page"), 1, 10_000))
        totals = account_book.unit_totals(conn, unit or (), month)
        units = [row for level in ("district", "street") for row in organisation.units(conn, area.areas, level)]
        places = {code: organisation.unit_name(conn, code) for code in {unit, *(row["community"] for row in found.items)}}
    return render_template("account_units.html", found=found, totals=totals, unit=unit, units=units, month=month, differing=differing, places=places, number=benefits.number,
                           posts=me().post_over(unit, account_book.OFFICERS) is not None)  # fmt: skip


@bp.post("/post")
def post() -> ResponseReturnValue:
    """Post a unit's accounts now; workers do it."""
    unit = request.form.get("unit", "")[:20]
    with bureau().office.act(me(), idem()) as act:
        account_book.ask_posting(act, unit)
    flash(_("The accounts are being posted."))
    return redirect(url_for("account_book.reconciliation", unit=unit))


@bp.get("/households/<int:household_id>")
def statement(household_id: int) -> ResponseReturnValue:
    made = bureau()
    with made.office.read() as conn:
        house = account_book.seen(conn, me(), household_id)
        told = account_book.statement(conn, made.office.keys.on(conn), household_id, f"{made.office.today():%Y-%m}")
        applicant = households.applicant(conn, household_id)["name"]
        people = wording.names_of(conn, [row[name] for row in told["receipts"] for name in ("entered_by", "settled_by")])
    plans = {one["id"]: benefits.instalments(one["amount_fen"], one["instalment_fen"], one["first_month"]) for one in told["settlements"] if one["instalment_fen"]}
    return render_template("account_statement.html", house=house, told=told, applicant=applicant, people=people, sides=ACCOUNTS, sources=SOURCES, states=STATES, settled=SETTLEMENTS, reasons=benefits.REASON_WORDS,
                           plans=plans, officer=me().post_over(house["community"], account_book.OFFICERS) is not None, decider=me().post_over(house["community"], account_book.DECIDERS) is not None)  # fmt: skip


def _form(form_class: type[Form], title: str, benefit_id: int, work: Callable[[Act, Mapping[str, Any]], Any], roles: frozenset[str]) -> ResponseReturnValue:
    made, told = bureau(), Told()
    with made.office.read() as conn:
        house = account_book.seen(conn, me(), benefits.row(conn, benefit_id)["household_id"])
    if me().post_over(house["community"], roles) is None:
        raise Refused("role", "您的岗位不能办理", "Your post does not do that")
    form = form_class(context={"today": made.office.today(), "actor": me(), "lang": lang(), "facts": {}})
    typed = from_html(form_class, request.form) if request.method == "POST" else {}
    back = url_for("account_book.statement", household_id=house["id"])
    if request.method == "POST":
        with told:
            said = understand(form, typed)
            with made.office.act(me(), idem()) as act:
                work(act, said)
            flash(_("Recorded."))
            return redirect(back)
    return render_template("form_page.html", title=title, form=form, values=typed, errors=told.errors, trouble=told.trouble, papers=[], colleagues=[], back=back), told.status


@bp.route("/benefits/<int:benefit_id>/<int:settlement_id>/repayment", methods=["GET", "POST"])
def repay(benefit_id: int, settlement_id: int) -> ResponseReturnValue:
    return _form(Repayment, _("Register a repayment"), benefit_id, lambda act, said: account_book.repay(act, benefit_id, settlement_id, said), account_book.OFFICERS)


@bp.route("/benefits/<int:benefit_id>/<int:settlement_id>/offset", methods=["GET", "POST"])
def offset(benefit_id: int, settlement_id: int) -> ResponseReturnValue:
    return _form(Offset, _("Ask for an offset"), benefit_id, lambda act, said: account_book.propose_offset(act, benefit_id, settlement_id, said), account_book.OFFICERS)


@bp.route("/benefits/<int:benefit_id>/offsets/<int:receipt_id>", methods=["GET", "POST"])
def settle_offset(benefit_id: int, receipt_id: int) -> ResponseReturnValue:
    return _form(OffsetSettled, _("Decide on the offset"), benefit_id, lambda act, said: account_book.settle_offset(act, benefit_id, receipt_id, said), account_book.DECIDERS)
