"""Households: find, register, complete (income, authorisations, near relatives), and begin an application."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, Self

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import LazyString, lazy_gettext
from flask_babel import gettext as _

from engine import queries
from engine.errors import EngineError, Invalid, NotFound, Refused
from engine.forms import MAX_WHOLE, Form, choice, from_html, number, on_date, rows, text, understand
from engine.office import Act
from processes import (
    benefits,
    change_report_2012,
    conclusions,
    documents,
    festival_facts,
    households,
    law,
    organisation,
    readers,
    recusals,
    screening_apply,
    self_care,
    temporary_assistance,
    temporary_grants,
)
from processes.change_kinds import DEPARTING
from processes.change_report_2012_forms import ChangeReport
from processes.destitute_forms import DestituteApplication
from processes.dibao_2012_forms import Application
from processes.household_forms import AuthorizationIn, HardshipsIn, HouseholdIn, IncomeIn, MemberIn, NearRelativeIn, PropertyList
from processes.illness_expenditure_forms import ExpenditureApplication
from processes.low_income_forms import LowIncomeApplication
from processes.self_care import SelfCareReport
from processes.temporary_forms import HelpRequest
from processes.temporary_grants import Filter
from web import training, uploads, wording
from web.cases import printed, sheets
from web.desk import bureau, caseworker, either, enters, idem, lang, me, whole, works_cases
from web.errors import said, status_of, words
from web.tasks import _papers

bp = Blueprint("households", __name__, url_prefix="/households")


class MemberIncome(Form):
    """One member's income, as the page asks for it."""

    person_id = number("成员", "Member")
    income = rows("收入", "Income", IncomeIn, required=True)


class Departure(Form):
    """A member who no longer belongs to the household."""

    person_id = number("成员", "Member")
    on = on_date("离开日期", "Left on")
    left_reason = choice("原因", "Reason", DEPARTING, required=False, widget="select")


class Naming(MemberIn):
    """A member who was only counted so far (imported lists) gets a name and an ID."""

    person_id = number("待补姓名的成员", "Member without a name")


FORMS: Mapping[str, tuple[type[Form], LazyString]] = {
    "application": (Application, lazy_gettext("Apply")),
    "support": (DestituteApplication, lazy_gettext("Apply for the support of the destitute")),
    "self-care": (SelfCareReport, lazy_gettext("Report changed self-care")),
    "low-income": (LowIncomeApplication, lazy_gettext("Apply for low-income relief")),
    "expenditure": (ExpenditureApplication, lazy_gettext("Apply for recognition for expenses")),
    "change-report": (ChangeReport, lazy_gettext("Report a change")),
    "temporary-assistance": (HelpRequest, lazy_gettext("Temporary assistance")),
    "member": (MemberIn, lazy_gettext("Add a member")),
    "departure": (Departure, lazy_gettext("Member leaves")),
    "naming": (Naming, lazy_gettext("Name a member")),
    "income": (MemberIncome, lazy_gettext("Record income")),
    "property": (PropertyList, lazy_gettext("Record property")),
    "hardships": (HardshipsIn, lazy_gettext("Record hardships")),
    "authorization": (AuthorizationIn, lazy_gettext("Record an authorisation")),
    "near-relative": (NearRelativeIn, lazy_gettext("Record a near-relative statement")),
}


# What a household applies for: page -> programme, which is the matter of law/procedures.yaml, too.
APPLICATIONS: Mapping[str, str] = {"application": "dibao", "support": "destitute", "low-income": "low_income", "expenditure": "illness_expenditure"}


@bp.route("/", methods=["GET", "POST"])
def listing() -> ResponseReturnValue:
    """A list; names and IDs that are looked for are sent, never put into the address."""
    made, sent = bureau(), request.form
    sought = {"name": sent.get("name", "").strip()[:60], "id_no": sent.get("id_no", "").strip()[:40]}
    page = whole(sent.get("page") or request.args.get("page"), 1, 10_000)
    with made.office.read() as conn:
        found = households.search(conn, made.office.keys.on(conn), readers.of_cases(me()).areas, name=sought["name"], id_no=sought["id_no"], page=page)
        places = {row["community"]: organisation.unit_name(conn, row["community"]) for row in found.items}
    return render_template("households.html", found=found, places=places, sought=sought if any(sought.values()) else {})


@bp.route("/new", methods=["GET", "POST"])
def new() -> ResponseReturnValue:
    caseworker()
    made, typed = bureau(), from_html(HouseholdIn, request.form)
    told = Told()
    if request.method == "POST" and request.form.get("_do") != "row":
        with told, made.office.act(me(), idem()) as act:
            if (known := act.recall()) is None:
                given = understand(_form(HouseholdIn), typed)
                caseworker(given["community"])
                known = households.register(act, given, production=made.settings.production)
                act.remember(known)
        if told.status == 200:
            flash(_("Household registered."))
            return redirect(url_for("households.show", household_id=known))
    with made.office.read() as conn:
        communities = [u for u in organisation.units(conn, me().areas, "community") if works_cases(u["code"])]
        practice = [] if made.settings.production else training.spare_numbers(conn, made.office.keys.on(conn))
    return render_template("form_page.html", title=_("Register a household"), form=_form(HouseholdIn), values=typed, errors=told.errors,
                           trouble=told.trouble, back=url_for("households.listing"), papers=[], colleagues=[], communities=communities, practice=practice,
                           extra=whole(request.form.get("_rows"), 0, 30)), told.status  # fmt: skip


class Told:
    """What an act on a page came to: wrong fields, or another reason why not; what was typed stays on the page."""

    def __init__(self) -> None:
        self.errors: dict[str, list[str]] = {}
        self.trouble, self.status = "", 200

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> bool:
        if isinstance(error, Invalid):
            self.errors, self.status = said(error, lang()), 422
        elif isinstance(error, EngineError) and not isinstance(error, NotFound):
            self.trouble, self.status = words(error, lang()), status_of(error)
        return self.status != 200


def _form(form_class: type[Form]) -> Form:
    return form_class(context={"today": bureau().office.today(), "actor": me(), "lang": lang(), "facts": {}})


def _visible(conn: Any, household_id: int) -> Mapping[Any, Any]:
    row = households.row(conn, household_id)
    if not readers.of_cases(me()).covers(row["community"]):
        raise NotFound("没有这户家庭")
    return row


@bp.get("/<int:household_id>")
def show(household_id: int) -> ResponseReturnValue:
    made = bureau()
    with made.office.read() as conn:
        _visible(conn, household_id)
        house = households.view(conn, made.office.keys.on(conn), household_id, on=made.office.today(), production=made.office.production)
        view = {
            "missing": households.missing_authorisations(conn, household_id, made.office.today(), production=made.settings.production),
            "cases": queries.cases(conn, "", subject=f"household:{household_id}").items,
            "papers": _papers(conn, household_id),
            "benefits": households.active_benefits(conn, household_id),
            "open_report": _open_report(conn, household_id),
            "place": organisation.unit_name(conn, house["community"]),
            **_helped(conn, household_id, house["community"]),
            "describes": me().post_over(house["community"], festival_facts.DESCRIBERS) is not None,
            "relatives": [{**r, "may_agree": recusals.may_agree(me(), house["community"], r)} for r in recusals.statements(conn, household_id)],
        }
        in_benefit = benefits.live(conn, household_id) is not None
    return render_template("household.html", house=house, forms=_offered(house, in_benefit=in_benefit), sheets=sheets()[:3] if works_cases(house["community"]) else [], **view)


def _helped(conn: Any, household_id: int, community: str) -> dict[str, Any]:
    """What temporary assistance gave the household, with sums per year."""
    wanted = Filter(household_id=household_id)
    grants = temporary_grants.search(conn, bureau().office.keys.on(conn), (community,), wanted, size=100).items
    return {"grants": grants, "years": temporary_grants.totals(conn, (community,), wanted) if grants else [], "people": wording.names_of(conn, [one["paid_by"] for one in grants])}


def _open_report(conn: Any, household_id: int) -> str | None:
    """The number of the household's report under way: what changes further is recorded there."""
    no = conclusions.open_case(conn, household_id)
    return no if no and queries.case_row(conn, no)["process"] in law.procedures("change_report") else None


def _offered(house: Mapping[str, Any], *, in_benefit: bool) -> dict[str, tuple[type[Form], LazyString]]:
    """The forms that make sense for this person and this household."""
    if not works_cases(house["community"]):
        return {}
    unnamed = any(m["placeholder"] for m in house["members"])
    hidden = {"self-care"} | (set() if me().holds("window_clerk", house["community"]) else {*APPLICATIONS})  # self-care is of a benefit: its page leads there
    hidden |= set() if unnamed else {"naming"}
    hidden |= set() if me().post_over(house["community"], temporary_assistance.STARTERS) else {"temporary-assistance"}
    hidden |= set() if in_benefit and me().post_over(house["community"], change_report_2012.STARTERS) else {"change-report"}
    return {key: form for key, form in FORMS.items() if key not in hidden}


@bp.get("/<int:household_id>/sheets/<kind>")
def sheet(household_id: int, kind: str) -> ResponseReturnValue:
    """Application, declaration, authorisation: printed before there is a case."""
    made = bureau()
    with made.office.read() as conn:
        caseworker(_visible(conn, household_id)["community"])
        return printed(kind, households.view(conn, made.office.keys.on(conn), household_id))


@bp.route("/<int:household_id>/<what>", methods=["GET", "POST"])
def change(household_id: int, what: str) -> ResponseReturnValue:
    """One page for each thing that is added to a household."""
    if what not in FORMS:
        raise NotFound("没有这个页面")
    made, (form_class, title) = bureau(), FORMS[what]
    with made.office.read() as conn:
        enters(conn, me(), household_id, _visible(conn, household_id)["community"])
        house = households.view(conn, made.office.keys.on(conn), household_id, on=made.office.today(), production=made.office.production)
    if what == "hardships" and request.method == "GET":
        house = {**house, "hardships": _declared(household_id)}
    typed, told = _begun(what, house), Told()
    if request.method == "POST":
        typed = from_html(form_class, request.form)
        if request.form.get("_do") != "row":
            with told:
                return redirect(_add(household_id, what, form_class, typed))
    with made.office.read() as conn:
        papers = _papers(conn, household_id)
    shown = {"naming": [True], "authorization": [False]}.get(what, [True, False])  # who is only counted signs nothing
    members = [m for m in house["members"] if bool(m["placeholder"]) in shown]
    return render_template("form_page.html", title=str(title), form=_form(form_class), values=typed, errors=told.errors, trouble=told.trouble,
                           papers=papers, colleagues=[], members=members, fixed={"benefit_id": whole(request.values.get("benefit_id"), 0, MAX_WHOLE)} if what == "self-care" else {"household_id": household_id},
                           extra=whole(request.form.get("_rows"), 0, 30), back=url_for("households.show", household_id=household_id)), told.status  # fmt: skip


class Mistake(Form):
    """Why a near-relative statement was a mistake."""

    reason = text("更正理由", "Reason", widget="textarea", max=500)


@bp.route("/<int:household_id>/near-relatives/<int:statement_id>/revocation", methods=["GET", "POST"])
def revoke(household_id: int, statement_id: int) -> ResponseReturnValue:
    """更正近亲属登记: ask that a statement which was a mistake is taken back; another person agrees."""
    made, told, typed = bureau(), Told(), dict[str, Any]()
    back = url_for("households.show", household_id=household_id)
    with made.office.read() as conn:
        enters(conn, me(), household_id, _visible(conn, household_id)["community"])
    if request.method == "POST":
        typed = from_html(Mistake, request.form)
        with told, made.office.act(me(), idem()) as act:
            if act.recall() is None:
                recusals.ask(act, household_id, statement_id, understand(_form(Mistake), typed)["reason"])
                act.remember(statement_id)
        if told.status == 200:
            flash(_("Recorded."))
            return redirect(back)
    return render_template("form_page.html", title=_("Take a near-relative statement back"), form=_form(Mistake), values=typed, errors=told.errors,
                           trouble=told.trouble, papers=[], colleagues=[], back=back), told.status  # fmt: skip


@bp.post("/<int:household_id>/near-relatives/<int:statement_id>/revocation/<any(confirm, refuse):verdict>")
def revocation(household_id: int, statement_id: int, verdict: str) -> ResponseReturnValue:
    """The second person's word."""
    with bureau().office.read() as conn:
        _visible(conn, household_id)
    with bureau().office.act(me(), idem()) as act:
        if act.recall() is None:
            (recusals.agree if verdict == "confirm" else recusals.refuse)(act, household_id, statement_id)
            act.remember(statement_id)
    flash(_("Recorded."))
    return redirect(url_for("households.show", household_id=household_id))


def _declared(household_id: int) -> list[str]:
    """The hardships that are going to be replaced, those of health, too: that they were looked at stands in the reader's record."""
    with bureau().office.act(me()) as act:
        return list(json.loads(households.reveal(act, "household", household_id, "hardships", str(FORMS["hardships"][1])) or "[]"))


def _begun(what: str, house: Mapping[str, Any]) -> dict[str, Any]:
    """What a form holds before anybody types."""
    today = bureau().office.today()
    if what in APPLICATIONS:
        return {"household_id": house["id"], "programme": APPLICATIONS[what], "applied_on": today.isoformat()}
    if what == "self-care":
        return {"reported_on": today.isoformat()}
    if what == "change-report":
        return {"household_id": house["id"], "reported_on": today.isoformat(), "channel": "window", "reported_by": "household"}
    if what == "temporary-assistance":
        return {"household_id": house["id"], "applied_on": today.isoformat(), "begun_by": "application", "persons": len(house["members"])}
    if what == "authorization":
        return {"signed_on": today.isoformat(), "valid_until": date(today.year + 1, today.month, min(today.day, 28)).isoformat()}
    return {k: house[k] for k in ("hardships", "childless") if house[k] is not None} if what == "hardships" else {}


def _add(household_id: int, what: str, form_class: type[Form], typed: dict[str, Any]) -> str:
    made, page = bureau(), url_for("households.show", household_id=household_id)
    uploads.keep(form_class, typed, household_id, None)
    with made.office.act(me(), idem()) as act:
        if what in APPLICATIONS and (visit := whole(request.args.get("visit"), 0, MAX_WHOLE)):
            begun = screening_apply.begin(act, made.cases, visit, _by_the_law(_STARTS[what], act.today), {**typed, "household_id": household_id}, lang=lang())
            return url_for("cases.show", no=begun["case"])
        if what in _STARTS:
            said = typed if what == "self-care" else {**typed, "household_id": household_id}
            told = made.cases.start(act, _by_the_law(_STARTS[what], act.today), said, lang=lang())
            return url_for("cases.show", no=told["case"])
        if act.recall() is None:
            _WORK[what](act, household_id, understand(_form(form_class), typed))
            act.remember(what)
    flash(_("Recorded."))
    return page


def _by_the_law(matter: str, on: date) -> str:
    """By which process something begins; on a day before the first of them, that one, which refuses it in words."""
    if matter in (temporary_assistance.KEY, self_care.KEY):
        return matter
    try:
        return law.procedure(matter, on)
    except law.BadLaw:
        return law.procedures(matter)[0]


_STARTS: Mapping[str, str] = {**APPLICATIONS, "change-report": "change_report", "temporary-assistance": temporary_assistance.KEY, "self-care": self_care.KEY}


def _authorise(act: Act, household_id: int, given: dict[str, Any]) -> None:
    households.authorise(act, household_id, given["person_id"], given["signed_on"], given["valid_until"], given.get("document_id"))


def _name(act: Act, household_id: int, given: dict[str, Any]) -> None:
    person_id = given.pop("person_id")
    households.name_member(act, household_id, person_id, given, production=bureau().settings.production)


_WORK: Mapping[str, Callable[[Act, int, dict[str, Any]], Any]] = {
    "member": lambda act, n, given: households.add_member(act, n, given, production=bureau().settings.production),
    "departure": lambda act, n, given: households.end_member(act, n, given["person_id"], given["on"], given.get("left_reason")),
    "naming": _name,
    "income": lambda act, n, given: households.set_income(act, n, given["person_id"], given["income"]),
    "property": lambda act, n, given: households.set_property(act, n, given["property"]),
    "hardships": households.set_hardships,
    "near-relative": households.declare_near_relative,
    "authorization": _authorise,
}


@bp.post("/<int:household_id>/documents")
def upload(household_id: int) -> ResponseReturnValue:
    made, files = bureau(), [f for f in request.files.getlist("file") if f.filename]
    with made.office.read() as conn:
        enters(conn, me(), household_id, _visible(conn, household_id)["community"])
    kind = request.form.get("kind", "other")
    if not files or kind not in wording.CODES["document"]:
        raise Invalid({"file": [_("Choose a kind and a file")]})
    for file in files:
        staged = documents.stage(made.office, me(), made.settings.files, household_id, file.stream)
        with made.office.act(me()) as act:
            caseworker(_visible(act.conn, household_id)["community"])
            documents.keep(act, staged, kind, file.filename or "", once=True)
    flash(_("Uploaded."))
    return redirect(url_for("households.show", household_id=household_id))


def _in_words(field: str, text: str) -> str:
    """Health is kept as one piece: its labels and words, in the order of the member's form."""
    if field == "hardships":
        return _("; ").join(wording.word("hardship", kind) for kind in json.loads(text or "[]"))
    if field not in ("health", "labour_ability") or not text:
        return text
    known, said = json.loads(text) if field == "health" else {field: text}, []
    for name, asked in MemberIn().fields.items():
        if known.get(name):
            words = {code: either(zh, en) for code, zh, en in asked.metadata.get("choices", ())}
            value = wording.yes(known[name]) if isinstance(known[name], bool) else words.get(known[name], known[name])
            said.append(f"{either(asked.metadata['label'], asked.metadata['label_en'])}{_(': ')}{value}")
    return _("; ").join(said)


@bp.route("/<int:household_id>/reveal", methods=["GET", "POST"])
def reveal(household_id: int) -> ResponseReturnValue:
    """看明文: for a reason, and the reading is recorded in the reader's own record."""
    made, shown, told = bureau(), None, Told()
    with made.office.read() as conn:
        _visible(conn, household_id)
        house = households.view(conn, made.office.keys.on(conn), household_id, on=made.office.today(), production=made.office.production)
    if request.method == "POST":
        kind, _, rest = request.form.get("what", "").partition(".")
        row_id, _, field = rest.partition(".")
        allowed = {str(m["person_id"]) for m in house["members"]} if kind == "person" else {str(household_id)}
        with told:
            if row_id not in allowed:
                raise Refused("field", "没有这项资料", "There is no such field")
            with made.office.act(me()) as act:
                shown = _in_words(field, households.reveal(act, kind, int(row_id), field, request.form.get("reason", "")))
    error_text = told.trouble or "；".join(text for texts in told.errors.values() for text in texts)
    return render_template("reveal.html", house=house, shown=shown, error_text=error_text), told.status
