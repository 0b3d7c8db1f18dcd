"""Households: find, register, complete (income, authorisations, near relatives), and begin an application."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from engine import queries
from engine.errors import EngineError, Invalid, NotFound
from engine.forms import Form, from_html, number, rows, understand
from processes import documents, households, organisation
from processes.dibao_2012_forms import Application
from processes.household_forms import AuthorizationIn, HouseholdIn, IncomeIn, MemberIn, NearRelativeIn, PropertyList
from web.desk import bureau, idem, lang, me, t
from web.tasks import _papers, _whole

bp = Blueprint("households", __name__, url_prefix="/households")


class MemberIncome(Form):
    """One member's income, as the page asks for it."""

    person_id = number("成员", "Member")
    income = rows("收入", "Income", IncomeIn, required=True)


FORMS: Mapping[str, tuple[type[Form], str, str]] = {
    "member": (MemberIn, "增加成员", "Add a member"),
    "income": (MemberIncome, "登记收入", "Record income"),
    "property": (PropertyList, "登记财产", "Record property"),
    "authorization": (AuthorizationIn, "登记核对授权", "Record an authorisation"),
    "near-relative": (NearRelativeIn, "登记近亲属声明", "Record a near-relative statement"),
    "application": (Application, "提出申请", "Apply"),
}


@bp.get("/")
def listing() -> ResponseReturnValue:
    made = bureau()
    with made.office.read() as conn:
        found = households.search(conn, made.office.keys.on(conn), me().unit, name=request.args.get("name", "").strip()[:60],
                                  id_no=request.args.get("id_no", "").strip()[:40], page=_whole(request.args.get("page"), 1, 10_000))  # fmt: skip
        places = {row["community"]: organisation.unit_name(conn, row["community"]) for row in found.items}
    return render_template("households.html", found=found, places=places)


@bp.route("/new", methods=["GET", "POST"])
def new() -> ResponseReturnValue:
    made, typed, errors = bureau(), {}, {}
    if request.method == "POST":
        typed = from_html(HouseholdIn, request.form)
        if request.form.get("_do") != "row":
            try:
                with made.office.act(me(), idem()) as act:
                    data = understand(_form(HouseholdIn), typed)
                    household_id = households.register(act, data, production=made.settings.production)
                flash(t("已登记家庭。", "Household registered."))
                return redirect(url_for("households.show", household_id=household_id))
            except Invalid as error:
                errors = error.fields
    with made.office.read() as conn:
        communities = organisation.units(conn, me().unit, "community")
    return render_template("form_page.html", title=t("登记家庭", "Register a household"), form=_form(HouseholdIn), values=typed, errors=errors,
                           back=url_for("households.listing"), papers=[], colleagues=[], communities=communities,
                           extra=_whole(request.form.get("_rows"), 0, 30)), 422 if errors else 200  # fmt: skip


def _form(form_class: type[Form]) -> Form:
    return form_class(context={"today": bureau().office.today(), "actor": me(), "lang": lang(), "facts": {}})


def _visible(conn: Any, household_id: int) -> Mapping[Any, Any]:
    row = households.row(conn, household_id)
    if not me().covers(row["community"]) and not row["community"].startswith(me().unit):
        raise NotFound("没有这户家庭")
    return row


@bp.get("/<int:household_id>")
def show(household_id: int) -> ResponseReturnValue:
    made = bureau()
    with made.office.read() as conn:
        _visible(conn, household_id)
        house = households.view(conn, made.office.keys.on(conn), household_id)
        missing = households.missing_authorisations(conn, household_id, made.office.today())
        found = queries.cases(conn, "", subject=f"household:{household_id}")
        papers = _papers(conn, household_id)
        benefits = households.active_benefits(conn, household_id)
        place = organisation.unit_name(conn, house["community"])
    return render_template("household.html", house=house, missing=missing, cases=found.items, papers=papers, benefits=benefits, place=place, forms=FORMS)


@bp.route("/<int:household_id>/<what>", methods=["GET", "POST"])
def change(household_id: int, what: str) -> ResponseReturnValue:
    """One page for each thing that is added to a household."""
    if what not in FORMS:
        raise NotFound("没有这个页面")
    made, (form_class, zh, en) = bureau(), FORMS[what]
    typed: dict[str, Any] = {}
    errors: dict[str, list[str]] = {}
    with made.office.read() as conn:
        _visible(conn, household_id)
        house, papers = households.view(conn, made.office.keys.on(conn), household_id), _papers(conn, household_id)
    if request.method == "POST":
        typed = from_html(form_class, request.form)
        if request.form.get("_do") != "row":
            try:
                return redirect(_add(household_id, what, form_class, typed))
            except Invalid as error:
                errors = error.fields
    elif what == "application":
        typed = {"household_id": household_id, "programme": "dibao", "applied_on": made.office.today().isoformat()}
    elif what == "authorization":
        today = made.office.today()
        typed = {"signed_on": today.isoformat(), "valid_until": date(today.year + 1, today.month, min(today.day, 28)).isoformat()}
    return render_template("form_page.html", title=t(zh, en), form=_form(form_class), values=typed, errors=errors, papers=papers, colleagues=[],
                           members=house["members"], fixed={"household_id": household_id}, extra=_whole(request.form.get("_rows"), 0, 30),
                           back=url_for("households.show", household_id=household_id)), 422 if errors else 200  # fmt: skip


def _add(household_id: int, what: str, form_class: type[Form], typed: Mapping[Any, Any]) -> str:
    made, page = bureau(), url_for("households.show", household_id=household_id)
    with made.office.act(me(), idem()) as act:
        if what == "application":
            told = made.cases.start(act, "dibao-2012", {**typed, "household_id": household_id}, lang=lang())
            return url_for("cases.show", no=told["case"])
        data = understand(_form(form_class), typed)
        if what == "member":
            households.add_member(act, household_id, data, production=made.settings.production)
        elif what == "income":
            households.set_income(act, household_id, data["person_id"], data["income"])
        elif what == "property":
            households.set_property(act, household_id, data["property"])
        elif what == "near-relative":
            households.declare_near_relative(act, household_id, data)
        else:
            households.authorise(act, household_id, data["person_id"], data["signed_on"], data["valid_until"], data.get("document_id"))
    flash(t("已登记。", "Recorded."))
    return page


@bp.post("/<int:household_id>/documents")
def upload(household_id: int) -> ResponseReturnValue:
    made = bureau()
    for file in request.files.getlist("file"):
        if file.filename:
            with made.office.act(me()) as act:
                documents.store(act, made.settings.files, household_id, request.form.get("kind", "other"), file.filename, file.stream)
    flash(t("已上传。", "Uploaded."))
    return redirect(url_for("households.show", household_id=household_id))


@bp.route("/<int:household_id>/reveal", methods=["GET", "POST"])
def reveal(household_id: int) -> ResponseReturnValue:
    """看明文: for a reason, and the reading is recorded in the reader's own record."""
    made, shown, error_text = bureau(), None, ""
    with made.office.read() as conn:
        _visible(conn, household_id)
        house = households.view(conn, made.office.keys.on(conn), household_id)
    if request.method == "POST":
        kind, _, rest = request.form.get("what", "").partition(".")
        row_id, _, field = rest.partition(".")
        allowed = {str(m["person_id"]) for m in house["members"]} if kind == "person" else {str(household_id)}
        try:
            if row_id not in allowed:
                raise NotFound("没有这项资料")
            with made.office.act(me()) as act:
                shown = households.reveal(act, kind, int(row_id), field, request.form.get("reason", ""))
        except EngineError as error:
            error_text = str(error)
    return render_template("reveal.html", house=house, shown=shown, error_text=error_text), 422 if error_text else 200
