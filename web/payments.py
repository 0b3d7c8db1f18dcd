"""资金发放: runs, their totals and problems, items, files, the bank's answers, the list to print; and changes of account."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext, lazy_pgettext
from sqlalchemy import Connection

from engine import queries
from engine.errors import Invalid, Refused
from engine.forms import Form, from_html, understand
from engine.model import Actor
from engine.office import Act
from processes import (
    bank_files,
    households,
    organisation,
    payment_accounts,
    payment_answers,
    payment_files,
    payment_lists,
    payments,
    readers,
)
from processes.payment_forms import AccountChange, AccountSettled, ProblemAnswer, RunIn
from processes.payment_run import KEY
from web import wording
from web.attachments import units_of
from web.desk import bureau, either, idem, lang, me, whole
from web.households import Told

bp = Blueprint("payments", __name__, url_prefix="/payments")

STATUS = {
    "listing": lazy_gettext("list being made"), "ready": lazy_gettext("list to be submitted"), "checking": lazy_gettext("to be checked"),
    "approving": lazy_gettext("to be approved"), "approved": lazy_gettext("approved, to be sent"), "paying": lazy_gettext("with the bank"),
    "closed": lazy_pgettext("payment run", "closed"), "called_off": lazy_pgettext("payment run", "called off"),
}  # fmt: skip
ITEM = {
    "listed": lazy_pgettext("payment", "listed"), "held": lazy_gettext("held back"), "dropped": lazy_pgettext("payment", "not in this run"), "sent": lazy_gettext("with the bank"),
    "credited": lazy_gettext("credited"), "returned": lazy_pgettext("payment", "returned by the bank"), "late": lazy_pgettext("payment", "late"), "again": lazy_gettext("to be sent again"), "taken_back": lazy_gettext("taken back by the bank"),
}  # fmt: skip
FILE = {"making": lazy_gettext("being made"), "made": lazy_gettext("made, to be handed over"), "sent": lazy_gettext("with the bank")}
CHANGE = {"proposed": lazy_pgettext("account", "to be confirmed"), "confirmed": lazy_pgettext("account", "confirmed"), "refused": lazy_pgettext("account", "refused")}
MOST_UPLOAD = bank_files.MOST_BYTES + 1024 * 1024  # with the form around the file


def makes() -> bool:
    return not me().roles.isdisjoint(payments.MAKERS)


@bp.get("/")
def listing() -> ResponseReturnValue:
    made, asked = bureau(), request.args
    args = {name: asked[name] for name in ("month", "status") if asked.get(name)}
    with made.office.read() as conn:
        found = payments.runs(conn, me(), month=args.get("month"), status=args.get("status") if args.get("status") in STATUS else None, page=whole(asked.get("page"), 1, 10_000))
        sums = {row["id"]: payments.totals(conn, row["id"]) for row in found.items}
        late = {row["id"]: payments.late_count(conn, row, made.office.today()) for row in found.items}
        places = {row["scope"]: organisation.unit_name(conn, row["scope"]) for row in found.items}
        waiting = payment_accounts.listed(conn, payments.area_of(me()), state="proposed", size=1).total
        back = payments.taken_back(conn, me(), waiting=True, size=1).total
    return render_template("payments.html", back=back, found=found, sums=sums, late=late, places=places, args=args, statuses=STATUS, makes=makes(), waiting=waiting)


@bp.get("/taken-back")
def taken_back() -> ResponseReturnValue:
    """What the bank credited and took back: who has no money, why, and which run pays it."""
    waiting = "all" not in request.args
    with bureau().office.read() as conn:
        found = payments.taken_back(conn, me(), waiting=waiting, page=whole(request.args.get("page"), 1, 10_000))
        places = {row["community"]: organisation.unit_name(conn, row["community"]) for row in found.items}
    return render_template("payments_taken_back.html", found=found, waiting=waiting, places=places, views=ITEM, causes=bank_files.CAUSES)


@bp.route("/new", methods=["GET", "POST"])
def new() -> ResponseReturnValue:
    if not makes():
        raise Refused("starter", "您的岗位不能发起这项业务", "Your post may not start this")
    made = bureau()

    def work(act: Act, said: Mapping[str, Any]) -> str:
        if (told := act.recall()) is not None:
            return str(told["case"])
        return str(made.cases.start(act, KEY, dict(said), lang=lang())["case"])

    return _form(RunIn, _("Start a payment run"), url_for("payments.listing"), work, {"scope": next(iter(me().areas), ""), "month": f"{made.office.today():%Y-%m}"},
                 lambda no: url_for("payments.show", no=no), places=units_of(payments.MAKERS, "district", "street"))  # fmt: skip


def _form(form_class: type[Form], title: str, back: str, work: Callable[[Act, Mapping[str, Any]], Any], values: Mapping[str, Any], then: Callable[[Any], str],
          papers: Any = (), places: Any = ()) -> ResponseReturnValue:  # fmt: skip
    """A form, and when it is sent, the act; then the page that `then` names."""
    made, told = bureau(), Told()
    form = form_class(context={"today": made.office.today(), "actor": me(), "lang": lang(), "facts": {}})
    typed = from_html(form_class, request.form) if request.method == "POST" else values
    if request.method == "POST":
        with told:
            said = understand(form, typed)
            with made.office.act(me(), idem()) as act:
                done = work(act, said)
            flash(_("Recorded."))
            return redirect(then(done))
    return render_template("form_page.html", title=title, form=form, values=typed, errors=told.errors, trouble=told.trouble, papers=papers, colleagues=[], communities=places, back=back), told.status


def profile_name(key: str) -> str:
    """The title of a bank's profile; its key once the profile is gone from the configuration."""
    known = bank_files.profiles().get(key)
    return either(known.title, known.title_en) if known else key


@bp.get("/<no>")
def show(no: str) -> ResponseReturnValue:
    """A run: how far it is, its sums, what is wrong, files, answers, and its communities in the reader's area."""
    made = bureau()
    with made.office.read() as conn:
        run = payments.seen(conn, me(), no)
        told = payments.told(conn, run, made.office.today())
        communities = payments.by_community(conn, run, payments.area_of(me()))
        places = {code: organisation.unit_name(conn, code) for code in {run["scope"], *(row["community"] for row in communities)}}
        people = wording.names_of(conn, [told[name] for name in ("made_by", "submitted_by", "checked_by", "approved_by")] + [one["entered_by"] for one in told["answers"]])
        task = next((t for t in queries.case_tasks(conn, run["id"]) if t["state"] == "open"), None)
    return render_template("payment_run.html", run=told, communities=communities, places=places, people=people, task=task, statuses=STATUS, views=ITEM, files=FILE, makes=makes(),
                           problems=payments.PROBLEMS, causes=bank_files.CAUSES, profile=profile_name, whole_run=me().post_over(run["scope"], payments.WATCHERS) is not None)  # fmt: skip


@bp.get("/<no>/items")
def items(no: str) -> ResponseReturnValue:
    made, asked = bureau(), request.args
    args = {name: asked[name] for name in ("view", "community", "problem") if asked.get(name)}
    with made.office.read() as conn:
        run = payments.seen(conn, me(), no)
        found = payments.items(conn, made.office.keys.on(conn), run, payments.area_of(me()), made.office.today(), view=args.get("view") if args.get("view") in payments.VIEWS else None,
                               community=args.get("community"), problem=args.get("problem") if args.get("problem") in payments.PROBLEMS else None, page=whole(asked.get("page"), 1, 10_000))  # fmt: skip
        communities = [row["community"] for row in payments.by_community(conn, run, payments.area_of(me()))]
        places = {code: organisation.unit_name(conn, code) for code in {*communities, *(row["community"] for row in found.items)}}
    return render_template("payment_items.html", run=run, found=found, args=args, places=places, communities=communities, views=ITEM, problems=payments.PROBLEMS, causes=bank_files.CAUSES)


@bp.get("/<no>/items/<int:item_id>")
def item(no: str, item_id: int) -> ResponseReturnValue:
    made = bureau()
    with made.office.read() as conn:
        run = payments.seen(conn, me(), no)
        row = payments.item_seen(conn, me(), run, item_id)
        one = payments.item_told(conn, made.office.keys.on(conn), row, run, made.office.today())
        place = organisation.unit_name(conn, one["community"])
    return render_template("payment_item.html", run=run, item=one, place=place, views=ITEM, problems=payments.PROBLEMS, causes=bank_files.CAUSES)


@bp.get("/<no>/print")
def sheet(no: str) -> ResponseReturnValue:
    """发放清单, to print: one community at a time, or what fits on a page of 500."""
    made, community = bureau(), request.args.get("community", "")[:20]
    with made.office.read() as conn:
        run = payments.seen(conn, me(), no)
        found = payments.items(conn, made.office.keys.on(conn), run, payments.area_of(me()), made.office.today(), community=community or None, page=whole(request.args.get("page"), 1, 10_000), size=500)
        place = organisation.unit_name(conn, community or run["scope"])
        names = {code: organisation.unit_name(conn, code) for code in {row["community"] for row in found.items}}
        people = wording.names_of(conn, [run[name] for name in ("made_by", "checked_by", "approved_by") if run[name]])
    total, held = sum(row["amount_fen"] for row in found.items), [row["amount_fen"] for row in found.items if row["state"] == "held"]
    return render_template("payment_sheet.html", run=run, found=found, place=place, names=names, total=total, held=held, people=people, args={"community": community} if community else {})


@bp.get("/<no>/problems")
def problems(no: str) -> ResponseReturnValue:
    made, asked = bureau(), request.args
    args = {name: asked[name] for name in ("state", "kind") if asked.get(name)}
    with made.office.read() as conn:
        run = payments.seen(conn, me(), no)
        found = payments.problems(conn, made.office.keys.on(conn), run, payments.area_of(me()), state=args.get("state"), kind=args.get("kind"), page=whole(asked.get("page"), 1, 10_000))
        places = {code: organisation.unit_name(conn, code) for row in found.items for code in (row["community"], row["other_community"]) if code}
        people = wording.names_of(conn, [row["answered_by"] for row in found.items])
    answers = {code: (zh, en) for code, zh, en in ProblemAnswer._declared_fields["answer"].metadata["choices"]}
    return render_template("payment_problems.html", run=run, found=found, args=args, places=places, people=people, problems=payments.PROBLEMS, answers=answers,
                           answering=makes() and run["status"] == "ready")  # fmt: skip


@bp.route("/<no>/problems/<int:problem_id>", methods=["GET", "POST"])
def answer(no: str, problem_id: int) -> ResponseReturnValue:
    _seen(no)
    return _form(ProblemAnswer, _("Answer the problem"), url_for("payments.problems", no=no), lambda act, said: payment_lists.answer(act, no, problem_id, said), {},
                 lambda _done: url_for("payments.problems", no=no, state="open"))  # fmt: skip


@bp.post("/<no>/list-again")
def list_again(no: str) -> ResponseReturnValue:
    _seen(no)
    with bureau().office.act(me(), idem()) as act:
        payment_lists.list_again(act, no)
    return redirect(url_for("payments.show", no=no))


@bp.post("/<no>/files/<file_no>")
def download(no: str, file_no: str) -> ResponseReturnValue:
    """The file for the bank; that it was taken away stands in the reader's log."""
    with bureau().office.act(me()) as act:
        name, data = payment_files.download(act, no, file_no, _("To carry it to the bank"))
    return Response(data, mimetype="application/octet-stream", headers={"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"})


@bp.route("/<no>/answers", methods=["GET", "POST"])
def upload(no: str) -> ResponseReturnValue:
    """The bank's answer, as a file."""
    request.max_content_length = MOST_UPLOAD
    told = Told()
    if request.method == "POST":
        with told:
            done = taken(me(), no)
            return redirect(url_for("payments.returned", no=no, return_id=done["id"], again=1 if done["again"] else None))
    with bureau().office.read() as conn:
        run = payments.seen(conn, me(), no)
        files = [row for row in payments.files_of(conn, run["id"]) if row["state"] == "sent"]
    return render_template("payment_upload.html", run=run, files=files, wrong=[text for texts in told.errors.values() for text in texts], trouble=told.trouble), told.status


def taken(who: Actor, no: str) -> dict[str, Any]:
    """Enter the answer that the request brings as `file`, for the file `file_no` or as its header says; for page and API."""
    request.max_content_length = MOST_UPLOAD
    sent = request.files.getlist("file")
    if len(sent) != 1 or not sent[0].filename:
        raise Invalid({"file": [_("Choose a file")]})
    with sent[0].stream as stream:  # a large upload is a temporary file
        data = stream.read(bank_files.MOST_BYTES + 1)
    made = bureau()
    reading = payment_answers.read_answer(made.office, who, no, request.form.get("file_no", "")[:50] or None, data)
    with made.office.act(who) as act:
        return payment_answers.take_answer(act, no, reading)


@bp.get("/<no>/answers/<int:return_id>")
def returned(no: str, return_id: int) -> ResponseReturnValue:
    made = bureau()
    with made.office.read() as conn:
        run = payments.seen(conn, me(), no)
        found = answer_of(conn, me(), run, return_id)
        people = wording.names_of(conn, [found["entered_by"]])
    return render_template("payment_answer.html", run=run, found=found, people=people, faults=bank_files.FAULTS, again="again" in request.args)


def answer_of(conn: Connection, who: Actor, run: Mapping[Any, Any], return_id: int) -> dict[str, Any]:
    """One answer of a run, for who sees the whole run: its lines may hold names."""
    if who.post_over(run["scope"], payments.WATCHERS) is None:
        raise Refused("role", "只有资金发放、审批、监督和审计人员可以查看回盘", "Only finance officers, approvers, supervisors and auditors see the bank's answers")
    return payment_answers.return_told(conn, bureau().office.keys.on(conn), run, return_id)


def _seen(no: str) -> None:
    with bureau().office.read() as conn:
        payments.seen(conn, me(), no)


# -- accounts


@bp.get("/accounts")
def accounts() -> ResponseReturnValue:
    made, asked = bureau(), request.args
    args = {name: asked[name] for name in ("state", "household") if asked.get(name)}
    with made.office.read() as conn:
        found = payment_accounts.listed(conn, payments.area_of(me()), state=args.get("state") if args.get("state") in CHANGE else None,
                                        household_id=whole(args["household"], 0, 10**17) if "household" in args else None, page=whole(asked.get("page"), 1, 10_000))  # fmt: skip
        rows = payment_accounts.told(made.office.keys.on(conn), found.items)
        people = wording.names_of(conn, [row[name] for row in rows for name in ("proposed_by", "settled_by")])
        places = {row["community"]: organisation.unit_name(conn, row["community"]) for row in rows}
    return render_template("payment_accounts.html", found=found, rows=rows, args=args, people=people, places=places, states=CHANGE,
                           settles=not me().roles.isdisjoint(payment_accounts.CONFIRMERS))  # fmt: skip


@bp.route("/accounts/new/<int:household_id>", methods=["GET", "POST"])
def change_account(household_id: int) -> ResponseReturnValue:
    """变更收款账户 of a household."""
    made = bureau()
    with made.office.read() as conn:
        house = households.row(conn, household_id)
        payment_accounts.refuse_stranger(me(), house)
        papers = payment_accounts.papers(conn, household_id) if readers.of_cases(me()).covers(house["community"]) else []
    return _form(AccountChange, _("Change the account of %(no)s", no=house["no"]), url_for("payments.accounts", household=household_id),
                 lambda act, said: payment_accounts.propose(act, household_id, said), {"from_month": f"{made.office.today():%Y-%m}"},
                 lambda _done: url_for("payments.accounts", household=household_id), papers)  # fmt: skip


@bp.route("/accounts/<int:change_id>", methods=["GET", "POST"])
def settle_account(change_id: int) -> ResponseReturnValue:
    with bureau().office.read() as conn:
        payment_accounts.seen(conn, readers.of_benefits(me()), change_id)
    return _form(AccountSettled, _("Confirm the change of account"), url_for("payments.accounts"), lambda act, said: payment_accounts.settle(act, change_id, said), {},
                 lambda _done: url_for("payments.accounts"))  # fmt: skip
