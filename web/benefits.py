"""待遇: the benefits of an area, the life of one of them, and what is decided on it outside a case."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import LazyString, lazy_gettext, lazy_pgettext
from flask_babel import gettext as _
from sqlalchemy import Connection

from engine.errors import NotFound
from engine.forms import Form, from_html, understand
from engine.office import Act
from processes import (
    appeals,
    benefit_acts,
    benefit_lists,
    benefits,
    deliveries,
    households,
    letters,
    organisation,
    readers,
    report_duties,
    self_care,
)
from processes.benefit_lists import STATUSES, Filter
from web import wording
from web.deliveries import shown
from web.desk import bureau, idem, lang, me, whole
from web.households import Told

bp = Blueprint("benefits", __name__, url_prefix="/benefits")

CATEGORIES = ("dibao", "low_income", "destitute_institutional", "destitute_dispersed")
KINDS: Mapping[str, LazyString] = {
    "grant": lazy_pgettext("decision", "Granted"), "keep": lazy_pgettext("decision", "Kept"), "grace": lazy_pgettext("decision", "Grace period"), "increase": lazy_pgettext("decision", "Increased"),
    "decrease": lazy_pgettext("decision", "Decreased"), "convert": lazy_pgettext("decision", "Converted"), "stop": lazy_pgettext("decision", "Stopped"),
    "suspend": lazy_pgettext("decision", "Suspended"), "resume": lazy_pgettext("decision", "Resumed"), "holder": lazy_pgettext("decision", "Another holder"),
    "transfer": lazy_pgettext("decision", "Moved to another street"),
}  # fmt: skip
SETTLEMENTS: Mapping[str, LazyString] = {
    "recovery": lazy_gettext("To be paid back"), "arrears": lazy_gettext("Paid later"), "found": lazy_pgettext("settlement", "found"),
    "agreed": lazy_pgettext("settlement", "plan agreed"), "settled": lazy_pgettext("settlement", "settled"), "waived": lazy_pgettext("settlement", "waived"),
}  # fmt: skip
Work = Callable[[Act, int, Mapping[str, Any]], Any]


def _of(work: Callable[[Act, int, str, Mapping[str, Any]], Any], kind: str) -> Work:
    return lambda act, benefit_id, said: work(act, benefit_id, kind, said)


FORMS: Mapping[str, tuple[type[Form], LazyString, Work]] = {
    "suspension": (benefit_acts.Suspension, lazy_gettext("Propose a suspension"), _of(benefit_acts.propose, "suspend")),
    "resumption": (benefit_acts.Resumption, lazy_gettext("Propose the resumption"), _of(benefit_acts.propose, "resume")),
    "confirm-suspension": (benefit_acts.Settling, lazy_gettext("Confirm the suspension"), _of(benefit_acts.confirm, "suspend")),
    "confirm-resumption": (benefit_acts.Settling, lazy_gettext("Confirm the resumption"), _of(benefit_acts.confirm, "resume")),
    "refuse-suspension": (benefit_acts.Settling, lazy_gettext("No suspension"), _of(benefit_acts.refuse, "suspend")),
    "refuse-resumption": (benefit_acts.Settling, lazy_gettext("No resumption"), _of(benefit_acts.refuse, "resume")),
    "review-class": (benefit_acts.ReviewClass, lazy_gettext("Another review class"), benefit_acts.change_class),
}
# Of one settlement; with who may.
MONEY: Mapping[str, tuple[type[Form], LazyString, Callable[[Act, int, int, Mapping[str, Any]], Any], frozenset[str]]] = {
    "payment": (benefit_acts.Paid, lazy_gettext("Register the payment"), benefit_acts.settled, benefit_acts.PAYERS),
    "waiver": (benefit_acts.Waiver, lazy_gettext("Waive it"), benefit_acts.waived, benefit_acts.DECIDERS),
}


@bp.route("/", methods=["GET", "POST"])
def listing() -> ResponseReturnValue:
    """A list; names and IDs that are looked for are sent, never put into the address."""
    made, sent = bureau(), request.form
    sought = {"name": sent.get("name", "").strip()[:60], "id_no": sent.get("id_no", "").strip()[:40]}
    args = {k: v for k, v in request.args.items() if k in ("status", "category", "review_class", "unit", "unsettled") and v}
    unit = args.get("unit", "")
    area = unit if unit and readers.of_benefits(me()).covers(unit) else readers.of_benefits(me()).areas
    wanted = Filter(_one(args, "status", STATUSES), _one(args, "category", CATEGORIES), _one(args, "review_class", benefits.CLASSES),
                    name=sought["name"], id_no=sought["id_no"], unsettled="unsettled" in args)  # fmt: skip
    page = whole(sent.get("page") or request.args.get("page"), 1, 10_000)
    with made.office.read() as conn:
        found = benefit_lists.search(conn, made.office.keys.on(conn), area, wanted, page=page)
        view = {
            "counts": benefit_lists.counts(conn, area), "due": benefit_lists.due_within(conn, area, made.office.today()),
            "places": {row["community"]: organisation.unit_name(conn, row["community"]) for row in found.items},
            "streets": organisation.units(conn, me().areas, "street"),
        }  # fmt: skip
    return render_template("benefits.html", found=found, args=args, sought=sought if any(sought.values()) else {}, number=benefits.number,
                           statuses=STATUSES, categories=CATEGORIES, classes=benefits.CLASSES, **view)  # fmt: skip


def _one(args: Mapping[str, str], name: str, known: tuple[str, ...]) -> str | None:
    return args[name] if args.get(name) in known else None


def visible(conn: Connection, benefit_id: int) -> tuple[Mapping[Any, Any], Mapping[Any, Any]]:
    """The benefit and its household, for those whose area it lives in; for others there is no such benefit."""
    row = benefits.row(conn, benefit_id)
    house = households.row(conn, row["household_id"])
    if not readers.of_benefits(me()).covers(house["community"]):
        raise NotFound("没有这项救助待遇")
    return row, house


@bp.get("/<int:benefit_id>")
def show(benefit_id: int) -> ResponseReturnValue:
    made, today = bureau(), bureau().office.today()
    with made.office.read() as conn:
        row, house = visible(conn, benefit_id)
        life = benefit_lists.life(conn, made.office.keys.on(conn), benefit_id)
        pending = benefit_acts.pending(conn, benefit_id)
        view = {
            "members": benefit_lists.members_counted(conn, benefit_id), "months": benefit_lists.months_paid(conn, benefit_id, today),
            "appealed": appeals.told(conn, made.office.keys.on(conn), appeals.listed(conn, me(), benefit_id=benefit_id, size=100).items, me(), today),
            "own_letters": shown(conn, deliveries.of_benefit(conn, benefit_id)),
            "settlements": benefit_lists.settlements(conn, made.office.keys.on(conn), benefit_id, today), "place": organisation.unit_name(conn, house["community"]),
            "owed": report_duties.owed(conn, benefit_id), "applicant": households.applicant(conn, house["id"])["name"],
            "why": made.office.keys.on(conn).reveal("benefit_proposal", "reason", pending["id"], pending["reason"]) if pending else "",
        }  # fmt: skip
        known = [one["decided_by"] for one in life] + ([pending["proposed_by"]] if pending else []) + [s["cleared_by"] for s in view["settlements"] if s["cleared_by"]]
        people = wording.names_of(conn, known)
    return render_template("benefit.html", b=row, house=house, life=life, pending=pending, number=benefits.number, kinds=KINDS, settled=SETTLEMENTS,
                           reasons=benefits.REASON_WORDS, titles=letters.TITLES, offered=_offered(row, house, pending), care=_reports_self_care(row, house), people=people, clearing=_clearing(house), month=f"{today:%Y-%m}", **view)  # fmt: skip


def _offered(row: Mapping[Any, Any], house: Mapping[Any, Any], pending: Mapping[Any, Any] | None) -> dict[str, LazyString]:
    """The acts that make sense for this person and this benefit now."""
    def may(roles: frozenset[str]) -> bool:
        return me().post_over(house["community"], roles) is not None

    names: list[str] = []
    if pending is not None:
        which = "suspension" if pending["kind"] == "suspend" else "resumption"
        mine = pending["proposed_by"] == me().id
        names += [f"confirm-{which}"] if may(benefit_acts.DECIDERS) and not mine else []
        names += [f"refuse-{which}"] if mine or may(benefit_acts.DECIDERS) else []
    elif may(benefit_acts.PROPOSERS):
        names += {"active": ["suspension"], "suspended": ["resumption"]}.get(row["status"], [])
    if row["status"] in benefits.LIVE and may(benefit_acts.CLASSIFIERS):
        names.append("review-class")
    return {name: FORMS[name][1] for name in names}


def _reports_self_care(row: Mapping[Any, Any], house: Mapping[Any, Any]) -> bool:
    return row["status"] in benefits.LIVE and benefits.is_destitute(row["category"]) and me().post_over(house["community"], self_care.STARTERS) is not None


def _clearing(house: Mapping[Any, Any]) -> dict[str, LazyString]:
    """What this person may register of money that is still to be paid."""
    return {name: title for name, (_form, title, _work, roles) in MONEY.items() if me().post_over(house["community"], roles) is not None}


@bp.route("/<int:benefit_id>/<what>", methods=["GET", "POST"])
def change(benefit_id: int, what: str) -> ResponseReturnValue:
    """One page for each act on a benefit."""
    if what not in FORMS:
        raise NotFound("没有这个页面")
    form_class, title, work = FORMS[what]
    return _form_page(benefit_id, form_class, title, work)


@bp.route("/<int:benefit_id>/settlements/<int:settlement_id>/<what>", methods=["GET", "POST"])
def clear(benefit_id: int, settlement_id: int, what: str) -> ResponseReturnValue:
    """Money of past months came, or is not asked back."""
    if what not in MONEY:
        raise NotFound("没有这个页面")
    form_class, title, work, _roles = MONEY[what]
    return _form_page(benefit_id, form_class, title, lambda act, one, said: work(act, one, settlement_id, said))


def _form_page(benefit_id: int, form_class: type[Form], title: LazyString, work: Work) -> ResponseReturnValue:
    made = bureau()
    with made.office.read() as conn:
        visible(conn, benefit_id)
    form = form_class(context={"today": made.office.today(), "actor": me(), "lang": lang(), "facts": {}})
    typed, told = from_html(form_class, request.form), Told()
    if request.method == "POST":
        with told, made.office.act(me(), idem()) as act:
            if act.recall() is None:
                work(act, benefit_id, understand(form, typed))
                act.remember("done")
        if told.status == 200:
            flash(_("Recorded."))
            return redirect(url_for("benefits.show", benefit_id=benefit_id))
    return render_template("form_page.html", title=str(title), form=form, values=typed, errors=told.errors, trouble=told.trouble, papers=[], colleagues=[],
                           back=url_for("benefits.show", benefit_id=benefit_id)), told.status  # fmt: skip
