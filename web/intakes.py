"""一门受理: intakes at the one window, and the transfers of the departments."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from engine.errors import Refused
from engine.forms import Form, from_html, understand
from engine.office import Act
from processes import households, intake_lists, intakes, leads, organisation, readers, routing
from processes.eligibility_facts import BadFacts
from processes.intake_forms import (
    CaseLink,
    CharityReferral,
    IntakeHandedOver,
    IntakeIn,
    MoreProgrammes,
    ToMeeting,
    TransferOut,
    TransferResult,
    TransferReturned,
    TransferTaken,
    WindowResult,
)
from web import uploads, wording
from web.desk import bureau, idem, lang, me, whole
from web.errors import said as errors_said
from web.households import Told
from web.leads import filled
from web.public import qr
from web.tasks import _papers

bp = Blueprint("intakes", __name__, url_prefix="/intakes")
_PEOPLE = ("taken_by", "answerable")
_OF_PARTS: Mapping[str, tuple[type[Form], Callable[[Act, int, dict[str, Any]], dict[str, Any]]]] = {
    "link": (CaseLink, lambda act, n, said: intakes.link_case(act, n, said["case_no"])), "transfer": (TransferOut, intakes.pass_on), "charity": (CharityReferral, intakes.to_charity),
    "meeting": (ToMeeting, intakes.to_meeting), "result": (WindowResult, intakes.finish)}  # fmt: skip
_OF_TRANSFERS: Mapping[str, tuple[type[Form], Callable[[Act, int, dict[str, Any]], dict[str, Any]]]] = {
    "acceptance": (TransferTaken, intakes.accept), "return": (TransferReturned, intakes.give_back), "result": (TransferResult, intakes.answer)}  # fmt: skip


def _title(what: str) -> str:
    return {"link": _("Link a case that was begun already"), "transfer": _("Transfer to a department"), "charity": _("Refer to a charity"), "meeting": _("Put before the joint meeting"),
            "result": _("Enter the result"), "acceptance": _("Take the transfer"), "return": _("Return to the window")}[what]  # fmt: skip


def waiting_transfers() -> int:
    """For the menu: transfers that wait for one's department."""
    if not intake_lists.handles(me()):
        return 0
    with bureau().office.read() as conn:
        return intake_lists.waiting(conn, me())


def takes() -> bool:
    return not me().roles.isdisjoint(intakes.TAKERS)


@bp.get("/")
def listing() -> ResponseReturnValue:
    """Those of one's area: what is open first looked for, filters in the address."""
    made, asked = bureau(), request.args
    args = {name: asked[name] for name in ("state", "late", "mine", "programme", "no") if asked.get(name)}
    wanted = intake_lists.Filter(
        open={"open": True, "finished": False}.get(args.get("state", "")), late="late" in args, answerable=me().id if "mine" in args else None,
        programme=args.get("programme") if args.get("programme") in (*routing.PROGRAMMES, "unknown") else None, no=(args.get("no") or "").strip().upper()[:40] or None)  # fmt: skip
    with made.office.read() as conn:
        keys, today = made.office.keys.on(conn), made.office.today()
        found = intake_lists.listed(conn, me(), wanted, today, page=whole(asked.get("page"), 1, 10_000))
        rows = [intake_lists.told(conn, keys, row, me(), today) for row in found.items]
        places = {row["community"]: organisation.unit_name(conn, row["community"]) for row in rows}
        people = wording.names_of(conn, [row["answerable"] for row in rows])
    return render_template("intakes.html", found=found, rows=rows, args=args, places=places, people=people, takes=takes(), programmes=[*routing.PROGRAMMES, "unknown"])


@bp.get("/<int:intake_id>")
def show(intake_id: int) -> ResponseReturnValue:
    return render_template("intake.html", **_told(intake_id), leads_it=not me().roles.isdisjoint(intakes.LEADERS))


def _told(intake_id: int) -> dict[str, Any]:
    made = bureau()
    with made.office.read() as conn:
        one = intake_lists.told(conn, made.office.keys.on(conn), intake_lists.seen(conn, me(), intake_id), me(), made.office.today())
        sent = [t for part in one["parts"] for t in part["transfers"]]
        people = wording.names_of(conn, [one[name] for name in _PEOPLE] + [t[name] for t in [*sent, *one["parts"]] for name in ("sent_by", "accepted_by", "returned_by", "result_by") if t.get(name)])
        units = {code: _office(conn, code) for code in {one["community"], one["street"], *(t["to_unit"] for t in sent), *(t["next_unit"] for t in sent)} if code}
    return {"intake": one, "people": people, "units": units, "reads": readers.of_cases(me()).covers(one["community"]),
            "window": me().post_over(one["community"], intakes.TAKERS) is not None}  # fmt: skip


def _office(conn: Any, code: str) -> str:
    return _("the office of the joint meeting") if code == organisation.DISTRICT else organisation.unit_name(conn, code)


@bp.route("/new", methods=["GET", "POST"])
def new() -> ResponseReturnValue:
    """一门受理登记; `?household=`, `?lead=`: about a household, from a lead. The answer to a sent form is the slip: the code is shown once."""
    if not takes():
        raise Refused("window", "由本辖区的窗口经办人或民政专干受理", "The window clerks and civil affairs officers of the area take applications")
    made, told = bureau(), Told()
    with made.office.read() as conn:
        communities = [u for u in organisation.units(conn, me().areas, "community") if me().post_over(u["code"], intakes.TAKERS)]
        values = _begun(conn)
    form = IntakeIn(context={"today": made.office.today(), "actor": me(), "lang": lang(), "facts": {}})
    if request.method == "POST":
        values = from_html(IntakeIn, request.form)
        with told:
            said = understand(form, values)
            with made.office.act(me(), idem()) as act:
                done = intakes.take(act, said)
            return _slip(done["intake"], done["code"])
    return render_template("form_page.html", title=_("Take in at the window"), form=form, values=values, errors=told.errors, trouble=told.trouble, papers=[], colleagues=[],
                           communities=communities, fixed={"lead_id": values.get("lead_id") or ""}, back=url_for("intakes.listing"), extra=0), told.status  # fmt: skip


def _begun(conn: Any) -> dict[str, Any]:
    """What the form holds at first: of the lead, when it is made from one."""
    known: dict[str, Any] = {"received_on": bureau().office.today().isoformat(), "household_id": request.args.get("household", "")[:18], "channel": "window", "requester": "self"}
    if number := whole(request.args.get("lead"), 0, 2**62):
        row = leads.seen(conn, me(), number)
        one = leads.told(bureau().office.keys.on(conn), [row], me())[0]
        known |= {"lead_id": number, "household_id": one["household_id"] or "", "community": "" if one["household_id"] else one["community"], "need": one["reason"],
                  "known_as": "" if one["household_id"] else (one["known_as"] or "")[:60]}  # fmt: skip
    return known


def _slip(intake_id: int, code: str | None) -> ResponseReturnValue:
    told = _told(intake_id)
    return render_template("intake_slip.html", **told, code_once=code, address=url_for("public.progress", _external=True), qr=qr(url_for("public.progress", no=told["intake"]["no"])))


@bp.route("/<int:intake_id>/slip", methods=["GET", "POST"])
def slip(intake_id: int) -> ResponseReturnValue:
    """受理回执: printed again without the code; sent, with another code."""
    if request.method == "GET":
        return _slip(intake_id, None)
    with bureau().office.act(me(), idem()) as act:
        done = intakes.slip(act, intake_id)
    return _slip(intake_id, done["code"])


@bp.get("/<int:intake_id>/answer")
def sheet(intake_id: int) -> ResponseReturnValue:
    """结果告知单: what became of each part so far."""
    return render_template("intake_answer.html", **_told(intake_id))


@bp.route("/<int:intake_id>/programmes", methods=["GET", "POST"])
def more(intake_id: int) -> ResponseReturnValue:
    """For who does not know: what the estimate says of a registered household, and what is added by it."""
    made, told, found, wrong = bureau(), Told(), None, dict[str, list[str]]()
    with made.office.read() as conn:
        row = intake_lists.seen(conn, me(), intake_id)
        there = {one["programme"] for one in intake_lists.parts_of(conn, intake_id) if one["open"]}
        if row["household_id"] is not None:
            try:
                found = intake_lists.proposal(conn, made.office.keys.on(conn), row, made.office.today())
            except BadFacts as error:
                wrong = errors_said(error, lang())
    form = MoreProgrammes(context={"today": made.office.today(), "actor": me(), "lang": lang(), "facts": {}})
    values: dict[str, Any] = {"programmes": [one for one in (found or {}).get("fits", []) if one not in there]}
    if request.method == "POST":
        values = from_html(MoreProgrammes, request.form)
        with told:
            said = understand(form, values)
            with made.office.act(me(), idem()) as act:
                intakes.more(act, intake_id, said["programmes"])
            return redirect(url_for("intakes.show", intake_id=intake_id))
    return render_template("intake_programmes.html", intake_id=intake_id, no=row["no"], registered=row["household_id"] is not None, found=found, unknown=wrong, form=form, values=values,
                           errors=told.errors, trouble=told.trouble), told.status  # fmt: skip


@bp.route("/<int:intake_id>/answerable", methods=["GET", "POST"])
def hand_over(intake_id: int) -> ResponseReturnValue:
    _seen(intake_id)
    return filled(IntakeHandedOver, _("Name another clerk to answer for it"), url_for("intakes.show", intake_id=intake_id),
                  lambda act, said: intakes.hand_over(act, intake_id, said["to_login"], said["reason"]), {}, lambda _done: url_for("intakes.show", intake_id=intake_id))  # fmt: skip


def _seen(intake_id: int) -> None:
    with bureau().office.read() as conn:
        intake_lists.seen(conn, me(), intake_id)


@bp.route("/parts/<int:part_id>/<any(link, transfer, charity, meeting, result):what>", methods=["GET", "POST"])
def part(part_id: int, what: str) -> ResponseReturnValue:
    """What the window does with one part."""
    form_class, work = _OF_PARTS[what]
    with bureau().office.read() as conn:
        row, _part = intake_lists.part_seen(conn, me(), part_id)
        last = intake_lists.last_transfer(conn, part_id)
    back = url_for("intakes.show", intake_id=row["id"])
    values = {"to_unit": last["next_unit"]} if what == "transfer" and last is not None and last["next_unit"] else {}
    return filled(form_class, _title(what), back, lambda act, said: work(act, part_id, said), values, lambda _done: back)


@bp.route("/parts/<int:part_id>/case", methods=["GET", "POST"])
def case(part_id: int) -> ResponseReturnValue:
    """An own programme's application: its start form, with what the intake says already."""
    made, told = bureau(), Told()
    with made.office.read() as conn:
        keys = made.office.keys.on(conn)
        row, one = intake_lists.part_seen(conn, me(), part_id)
        said = intake_lists.told(conn, keys, row, me())
        home = row["household_id"]
        members = households.view(conn, keys, home)["members"] if home is not None else []
        papers = _papers(conn, home) if home is not None else []
        communities = organisation.units(conn, me().areas, "community")
    form_class = made.cases.processes[intakes.begins(one["programme"], made.office.today())].start_form
    form = form_class(context={"today": made.office.today(), "actor": me(), "lang": lang(), "facts": {}})
    values = intakes.defaults(list(form_class._declared_fields), said, one["programme"]) | ({"persons": len(members)} if members else {})
    if request.method == "POST":
        values = from_html(form_class, request.form)
        if request.form.get("_do") != "row":
            with told:
                if home is not None:
                    uploads.keep(form_class, values, home, None)
                with made.office.act(me(), idem()) as act:
                    done = intakes.begin_case(act, made.cases, part_id, values, lang=lang())
                return redirect(url_for("cases.show", no=done["case"]))
    return render_template("form_page.html", title=_("Begin the case"), form=form, values=values, errors=told.errors, trouble=told.trouble, papers=papers, colleagues=[], members=members,
                           communities=communities, fixed={"household_id": home} if home is not None else {}, back=url_for("intakes.show", intake_id=row["id"]),
                           extra=whole(request.form.get("_rows"), 0, 30) if request.form.get("_do") == "row" else 0), told.status  # fmt: skip


# -- transfers


@bp.get("/transfers/")
def transfers() -> ResponseReturnValue:
    """Those of one's department; of who reads intakes, those of his area."""
    made, asked = bureau(), request.args
    args = {name: asked[name] for name in ("state", "late", "unit") if asked.get(name)}
    with made.office.read() as conn:
        today, keys = made.office.today(), made.office.keys.on(conn)
        found = intake_lists.transfers(conn, me(), today, state=args.get("state") if args.get("state") in intake_lists.TRANSFER_STATES else None, late="late" in args,
                                       unit=args.get("unit"), page=whole(asked.get("page"), 1, 10_000))  # fmt: skip
        rows = [{**row, **intake_lists.transfer_told(keys, row, today)} for row in found.items]
        units = {code: _office(conn, code) for row in rows for code in (row["community"], row["to_unit"]) if code}
        people = wording.names_of(conn, [row["answerable"] for row in rows])
    return render_template("transfers.html", found=found, rows=rows, args=args, units=units, people=people, states=list(intake_lists.TRANSFER_STATES),
                           departments=[(one.code, one.name if lang() == "zh" else one.name_en) for one in routing.departments()])  # fmt: skip


def _transfer(transfer_id: int) -> dict[str, Any]:
    made = bureau()
    with made.office.read() as conn:
        row = intake_lists.transfer_seen(conn, me(), transfer_id)
        one = intake_lists.transfer_in_full(conn, made.office.keys.on(conn), row, me(), made.office.today())
        units = {code: _office(conn, code) for code in (one["community"], one["community"][:9], one["to_unit"], one["next_unit"]) if code}
        people = wording.names_of(conn, [one[name] for name in ("sent_by", "accepted_by", "returned_by", "result_by", "answerable") if one[name]])
        reads = readers.of_cases(me()).covers(one["community"])
    return {"transfer": one, "units": units, "people": people, "reads": reads}


@bp.get("/transfers/<int:transfer_id>")
def transfer(transfer_id: int) -> ResponseReturnValue:
    return render_template("transfer.html", **_transfer(transfer_id))


@bp.get("/transfers/<int:transfer_id>/sheet")
def transfer_sheet(transfer_id: int) -> ResponseReturnValue:
    """转办单, with the part that the department fills in and sends back."""
    return render_template("transfer_sheet.html", **_transfer(transfer_id))


@bp.route("/transfers/<int:transfer_id>/<any(acceptance, return, result):what>", methods=["GET", "POST"])
def handle(transfer_id: int, what: str) -> ResponseReturnValue:
    """What the department does with it."""
    form_class, work = _OF_TRANSFERS[what]
    back = url_for("intakes.transfer", transfer_id=transfer_id)
    with bureau().office.read() as conn:
        intake_lists.transfer_seen(conn, me(), transfer_id)
    return filled(form_class, _title(what), back, lambda act, said: work(act, transfer_id, said), {}, lambda _done: back)
