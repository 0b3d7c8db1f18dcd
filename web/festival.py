"""两节补贴: progress of the units, batches with their items, what came back, the printable list, the estimate, heating, another department's list; 慰问 and donations."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import pgettext

from engine.errors import Invalid, NotFound, Refused
from engine.forms import from_html, understand
from engine.model import Actor
from processes import (
    bank_files,
    condolences,
    documents,
    festival,
    festival_batches,
    festival_facts,
    festival_list_file,
    households,
    kept_lists,
    organisation,
)
from processes.festival_forms import (
    CLOSINGS,
    DONORS,
    SOURCES,
    DonationIn,
    FestivalBatchIn,
    FestivalClosing,
    FestivalFacts,
    FestivalList,
    FestivalListFile,
    FestivalReissue,
    FestivalResults,
    FestivalVerdict,
    HeatingIn,
    VisitIn,
    day_of,
)
from processes.money import yuan
from web import importing, wording
from web.annexes import XLSX
from web.attachments import units_of
from web.desk import bureau, either, idem, lang, me, whole
from web.households import Told
from web.leads import filled
from web.line_pages import errors_of, page_of

bp = Blueprint("festival", __name__, url_prefix="/festival")


def _year() -> int:
    """The season asked for; else that which is at work."""
    if asked := whole(request.args.get("year"), 0, 9999):
        return asked
    made = bureau()
    with made.office.read() as conn:
        return festival_batches.season(conn, festival_batches.areas_of(me()), made.office.today(), made.office.published)


def _refuse() -> None:
    if not festival_batches.reads(me()):
        raise Refused("festival-reader", "您的岗位不办理两节补贴", "Your post has nothing to do with festival payments")


@bp.get("/")
def listing() -> ResponseReturnValue:
    """How far the units of one's area are, and its batches."""
    _refuse()
    made, year = bureau(), _year()
    with made.office.read() as conn:
        told = festival_batches.progress(conn, festival_batches.areas_of(me()), year, made.office.today(), made.office.published)
        years = festival_batches.seasons(conn, festival_batches.areas_of(me()), year)
        found = festival_batches.listed(conn, me(), year=year, page=whole(request.args.get("page"), 1, 100_000))
        rows = festival_batches.told(found.items, me())
        places = {code: organisation.unit_name(conn, code) for code in {row["street"] for row in rows} | {row["unit"] for row in told["units"]}}
        people = wording.names_of(conn, [login for row in rows for login in (row["made_by"], row["approved_by"])])
    return render_template("festival.html", told=told, found=found, rows=rows, places=places, people=people, words=festival_batches, kinds=festival.KINDS, makes=not me().roles.isdisjoint(festival_batches.MAKERS), year=year, years=years, closings=CLOSINGS)


@bp.route("/new", methods=["GET", "POST"])
def new() -> ResponseReturnValue:
    if me().roles.isdisjoint(festival_batches.MAKERS):
        raise Refused("festival-maker", "由本单位的资金发放岗、民政专干或窗口经办人生成批次", "Finance officers, civil affairs officers and clerks of the unit make a batch")
    made = bureau()
    street = next((unit for role, unit in me().posts if role in festival_batches.MAKERS and len(unit) == 9), "")
    values = {"street": street, "year": str(_year()), "kinds": list(festival.KINDS), "cut_off": made.office.today().isoformat()}
    return filled(FestivalBatchIn, _("Make a batch"), url_for("festival.listing"), festival_batches.make, values, lambda done: url_for("festival.show", batch_id=done["batch"]),
                  units_of(festival_batches.MAKERS, "street"))


def _items_page(batch: Any, **narrow: Any) -> ResponseReturnValue:
    made, state = bureau(), request.args.get("state", "")
    state = state if state in festival_batches.ITEM_STATES else ""
    with made.office.read() as conn:
        found = festival_batches.items(conn, me(), **narrow, state=state or None, page=whole(request.args.get("page"), 1, 100_000), size=50)
        rows = festival_batches.told_items(made.office.keys.on(conn), found.items, me())
        places = {code: organisation.unit_name(conn, code) for code in {row["community"] for row in rows} | ({batch["street"]} if batch else set())}
        people = wording.names_of(conn, [batch["made_by"], batch["approved_by"]] if batch else [])
    return render_template("festival_batch.html", closings=CLOSINGS, b=batch, found=found, rows=rows, places=places, people=people, state=state, words=festival_batches, kinds=festival.KINDS, groups=festival.GROUPS, hukou=festival.HUKOU,
                           profiles=bank_files.profiles(), year=narrow.get("year"))  # fmt: skip


@bp.get("/<int:batch_id>")
def show(batch_id: int) -> ResponseReturnValue:
    with bureau().office.read() as conn:
        [row] = festival_batches.told([festival_batches.seen(conn, me(), batch_id)], me())
    return _items_page(row, batch_id=batch_id)


@bp.get("/items")
def items() -> ResponseReturnValue:
    """Items of the season over all batches: what came back, what cannot be paid yet."""
    _refuse()
    return _items_page(None, year=_year())


@bp.route("/<int:batch_id>/check", methods=["GET", "POST"])
def check(batch_id: int) -> ResponseReturnValue:
    back = _of_batch(batch_id)
    return filled(FestivalVerdict, _("Check the batch"), back, lambda act, said: festival_batches.check(act, batch_id, said), {}, lambda _done: back)


@bp.route("/<int:batch_id>/answers", methods=["GET", "POST"])
def answers(batch_id: int) -> ResponseReturnValue:
    back = _of_batch(batch_id)
    return filled(FestivalResults, _("Enter the bank's answer"), back, lambda act, said: festival_batches.answer(act, batch_id, festival_batches.by_hand(said)), {}, lambda done: _told_faults(done, back))


def _told_faults(done: dict[str, Any], back: str) -> str:
    flash(_("Credited: %(c)s, returned: %(r)s, not taken: %(f)s.", c=done["credited"], r=done["returned"], f=len(done["faults"])))
    for one in done["faults"][:20]:
        flash(_("Line %(n)s: %(why)s", n=one["line"], why=either(one["zh"], one["en"])))
    return back


@bp.post("/<int:batch_id>/files")
def send(batch_id: int) -> ResponseReturnValue:
    back = _of_batch(batch_id)
    with bureau().office.act(me(), idem()) as act:
        done = festival_batches.send(act, batch_id, request.form.get("profile", ""))
    flash(_("File %(n)s is made: %(items)s items, %(sum)s yuan.", n=done["file"], items=done["items"], sum=yuan(done["total_fen"])))
    return redirect(back)


@bp.get("/<int:batch_id>/files/<int:number>")
def file(batch_id: int, number: int) -> ResponseReturnValue:
    with bureau().office.act(me()) as act:
        name, data = festival_batches.bank_file(act, batch_id, number, request.args.get("profile") or "own-csv")
    return Response(data, mimetype="text/plain", headers={"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"})


@bp.post("/<int:batch_id>/answer-file")
def answer_file(batch_id: int) -> ResponseReturnValue:
    back = _of_batch(batch_id)
    sent = request.files.get("file")
    if sent is None or not sent.filename:
        raise Invalid({"file": [_("Choose a file")]})
    data = sent.stream.read(bank_files.MOST_BYTES + 1)
    made = bureau()
    read = festival_batches.read_answer(made.office, me(), batch_id, data, request.form.get("profile", ""))
    with made.office.act(me(), idem()) as act:
        done = festival_batches.answer(act, batch_id, read.lines, read.faults, read.file)
    return redirect(_told_faults(done, back))


def _of_batch(batch_id: int) -> str:
    """The batch's page, if one may see it."""
    with bureau().office.read() as conn:
        festival_batches.seen(conn, me(), batch_id)
    return url_for("festival.show", batch_id=batch_id)


@bp.get("/<int:batch_id>/list")
def sheet(batch_id: int) -> ResponseReturnValue:
    """发放清单, to print."""
    with bureau().office.act(me()) as act:
        batch, rows = festival_batches.sheet(act, batch_id)
        places = {code: organisation.unit_name(act.conn, code) for code in {row["community"] for row in rows} | {batch["street"]}}
    return render_template("festival_sheet.html", b=batch, rows=rows, places=places, groups=festival.GROUPS, kinds=festival.KINDS, states=festival_batches.ITEM_STATES, total=sum(row["amount_fen"] for row in rows if row["state"] not in ("reissued", "closed")),
                           closed=sum(row["amount_fen"] for row in rows if row["state"] == "closed"))  # fmt: skip


@bp.route("/items/<int:item_id>/<what>", methods=["GET", "POST"])
def item(item_id: int, what: str) -> ResponseReturnValue:
    if what not in ("reissue", "check", "close", "check_closing"):
        raise NotFound("没有这个页面")
    with bureau().office.read() as conn:
        found = festival_batches.items(conn, me(), item_id=item_id).items
    if not found:
        raise NotFound("没有这项明细")
    back = url_for("festival.show", batch_id=found[0]["batch_id"])
    if what == "reissue":
        return filled(FestivalReissue, _("Pay it again"), back, lambda act, said: festival_batches.reissue(act, item_id, said), {}, lambda _done: back)
    if what == "close":
        return filled(FestivalClosing, _("It can never be paid: close it"), back, lambda act, said: festival_batches.propose_closing(act, item_id, said), {}, lambda _done: back)
    if what == "check_closing":
        return filled(FestivalVerdict, _("Check what is closed"), back, lambda act, said: festival_batches.check_closing(act, item_id, said), {}, lambda _done: back)
    return filled(FestivalVerdict, _("Check what is paid again"), back, lambda act, said: festival_batches.agree(act, item_id, said), {}, lambda _done: back)


@bp.route("/estimate", methods=["GET", "POST"])
def estimate() -> ResponseReturnValue:
    """What somebody gets, line by line; nothing is stored."""
    made, told, result = bureau(), Told(), None
    form = FestivalFacts(context={"today": made.office.today(), "actor": me(), "lang": lang(), "facts": {}})
    typed = from_html(FestivalFacts, request.form) if request.method == "POST" else {"hukou_kind": "urban"}
    if request.method == "POST":
        with told:
            said = understand(form, typed)
            result = festival.assess({**said, "fee_fen": said.get("fee"), "on": day_of(said["on"]) if said.get("on") else None}, made.office.today(), made.office.published)
    return render_template("festival_estimate.html", form=form, values=typed, errors=told.errors, trouble=told.trouble, result=result), told.status


@bp.route("/heating/<int:household_id>", methods=["GET", "POST"])
def heating(household_id: int) -> ResponseReturnValue:
    with bureau().office.read() as conn:
        known = festival_facts.of_household(conn, me(), household_id)
        no = households.row(conn, household_id)["no"]
    last = known[0] if known else None
    values = {"year": str(_year()), **({"central": last["central"], "area": last["area"] or "", "three_nos": last["three_nos"]} if last else {})}
    return filled(HeatingIn, _("Heating of %(no)s", no=no), url_for("households.show", household_id=household_id), lambda act, said: festival_facts.describe(act, household_id, said), values,
                  lambda done: url_for("households.show", household_id=done["household_id"]))  # fmt: skip


@bp.get("/listed")
def listed() -> ResponseReturnValue:
    _refuse()
    made, year = bureau(), _year()
    with made.office.read() as conn:
        found = festival_facts.persons(conn, made.office.keys.on(conn), me(), year=year, page=whole(request.args.get("page"), 1, 100_000))
        places = condolences.named(conn, [row["community"] for row in found.items])
    return render_template("festival_listed.html", found=found, year=year, places=places, hukou=festival.HUKOU, makes=not me().roles.isdisjoint(festival_batches.MAKERS))


@bp.route("/listed/new", methods=["GET", "POST"])
def take_list() -> ResponseReturnValue:
    def then(done: dict[str, Any]) -> str:
        flash(_("Taken: %(n)s.", n=done["taken"]))
        for one in done["refused"]:
            flash(_("Line %(n)s: %(why)s", n=one["row"], why=either(one["zh"], one["en"])))
        return url_for("festival.listed")

    _refuse()
    with bureau().office.read() as conn:
        communities = [u for u in organisation.units(conn, me().areas, "community") if me().post_over(u["code"], festival_batches.MAKERS)]
    return filled(FestivalList, _("Take another department's list"), url_for("festival.listed"), festival_facts.take_list, {"year": str(_year())}, then, communities)


@bp.route("/listed/file", methods=["GET", "POST"])
def list_file() -> ResponseReturnValue:
    """The list as a workbook: uploaded, it is shown line by line; nothing is taken yet."""
    _refuse_maker()
    told = Told()
    form = FestivalListFile(context=_context())
    typed = from_html(FestivalListFile, request.form) if request.method == "POST" else {"year": str(_year())}
    if request.method == "POST":
        with told:
            said = understand(form, typed)
            sent = request.files.get("file")
            if sent is None or not sent.filename:
                raise Invalid({"file": [_("Choose a file")]})
            with sent.stream as stream:  # a large upload is a temporary file
                digest = keep_list(me(), said, stream.read(documents.MAX_BYTES + 1))["list"]
            return redirect(url_for("festival.list_preview", digest=digest, year=said["year"], department=said["department"]))
    return render_template("festival_list_file.html", form=form, values=typed, errors=told.errors, trouble=told.trouble, headings=festival_list_file.HEADINGS, most=festival_list_file.MOST), told.status


def _context() -> dict[str, Any]:
    return {"today": bureau().office.today(), "actor": me(), "lang": lang(), "facts": {}}


def _refuse_maker() -> None:
    if me().roles.isdisjoint(festival_batches.MAKERS):
        raise Refused("festival-maker", "由本单位的资金发放岗、民政专干或窗口经办人生成批次", "Finance officers, civil affairs officers and clerks of the unit make a batch")


def keep_list(actor: Actor, said: Mapping[str, Any], data: bytes) -> dict[str, Any]:
    """Look at an uploaded list, and keep it for its import; what is no such list is not kept. For both doors."""
    seen = look_at_list(actor, said, data)
    made = bureau()
    return {"list": kept_lists.keep(made.office.keys, made.settings.files, actor, data), "department": said["department"], **seen}


def look_at_list(actor: Actor, said: Mapping[str, Any], data: bytes) -> dict[str, Any]:
    with importing.reading:
        seen = festival_facts.preview(bureau().office, actor, int(said["year"]), data)
    return {**seen, "counts": {state: sum(row["state"] == state for row in seen["rows"]) for state in ("new", "known", "error")}}


def list_error_workbook(actor: Actor, year: int, data: bytes) -> bytes:
    with importing.reading:
        return festival_facts.error_workbook(bureau().office, actor, year, data)


def kept_list(actor: Actor, digest: str) -> bytes:
    """NotFound when he did not upload it, or too long ago."""
    made = bureau()
    return kept_lists.fetch(made.office.keys, made.settings.files, actor, digest)


@bp.route("/listed/file/<string(length=64):digest>", methods=["GET", "POST"])
def list_preview(digest: str) -> ResponseReturnValue:
    """What each line would do; sent, the ticked lines are taken."""
    _refuse_maker()
    told, done = Told(), None
    said = understand(FestivalListFile(context=_context()), {name: request.args.get(name, "") for name in ("year", "department")})
    data = kept_list(me(), digest)
    seen = look_at_list(me(), said, data)
    chosen = {whole(n, 0, 10**6) for n in request.form.getlist("row")}
    if request.method == "POST":
        with told:
            if request.form.get("_do") == "all":
                chosen = {row["row"] for row in seen["rows"] if row["state"] == "new"}
            if not chosen:
                raise Invalid({"rows": [_("Tick at least one person")]})
            with bureau().office.act(me(), idem()) as act:
                done = festival_facts.take_file(act, said, data, chosen)
            seen = look_at_list(me(), said, data)
    shown, found = page_of(seen["rows"])
    ticked = chosen if request.method == "POST" else {row["row"] for row in shown}
    with bureau().office.read() as conn:
        places = condolences.named(conn, [row["community"] for row in shown if row["community"]])
    return render_template("festival_list_preview.html", seen=seen, shown=shown, found=found, said=said, digest=digest, done=done, ticked=ticked, places=places, trouble=told.trouble, wrong=[text for texts in told.errors.values() for text in texts],
                           states={"new": _("can be taken"), "known": _("on the list already"), "error": _("has errors")}), told.status  # fmt: skip


@bp.get("/listed/file/<string(length=64):digest>/errors.xlsx")
def list_errors(digest: str) -> ResponseReturnValue:
    """The lines with errors, why in the last column."""
    _refuse_maker()
    return errors_of(list_error_workbook(me(), _year(), kept_list(me(), digest)))


@bp.post("/listed/file/<string(length=64):digest>/discard")
def discard_list(digest: str) -> ResponseReturnValue:
    _refuse_maker()
    kept_lists.discard(bureau().office.keys, bureau().settings.files, me(), digest)
    flash(_("The file was removed; persons that were taken stay on the list."))
    return redirect(url_for("festival.list_file"))


@bp.get("/listed/template.xlsx")
def list_template() -> ResponseReturnValue:
    _refuse()
    return Response(festival_list_file.template(), mimetype=XLSX, headers={"Content-Disposition": "attachment; filename=list.xlsx; filename*=UTF-8''%E4%BC%98%E6%8A%9A%E5%90%8D%E5%8D%95.xlsx"})


# -- 慰问 and donations


def _days() -> dict[str, Any]:
    """since, until, unit_code as asked for; what is no day is left out."""
    found: dict[str, Any] = {"unit_code": request.args.get("unit", "")[:20] or None}
    for name in ("since", "until"):
        try:
            found[name] = date.fromisoformat(request.args.get(name, "")).isoformat()
        except ValueError:
            found[name] = None
    return found


@bp.get("/visits")
def visits() -> ResponseReturnValue:
    """Visits, donations, and the sums of both."""
    if not condolences.reads(me()):
        raise Refused("condolence-recorder", "由本辖区的民政、居村和资金岗位人员登记", "The civil affairs staff, committees and finance officers of the area enter this")
    made, days, source = bureau(), _days(), request.args.get("source", "")
    source = source if source in SOURCES else ""
    with made.office.read() as conn:
        found = condolences.visits(conn, made.office.keys.on(conn), me(), **days, source=source or None, page=whole(request.args.get("page"), 1, 100_000))
        gifts = condolences.gifts(conn, me(), **days, size=200)
        sums = condolences.sums(conn, me(), **days)
        places = condolences.named(conn, [row["unit"] for rows in (found.items, gifts.items, sums["units"], sums["donations"]) for row in rows])
    args = {name: value for name, value in {"since": days["since"], "until": days["until"], "source": source}.items() if value}
    return render_template("condolences.html", found=found, gifts=gifts, sums=sums, places=places, args=args, sources=SOURCES, donors=DONORS, records=not me().roles.isdisjoint(condolences.RECORDERS))


@bp.route("/visits/new", methods=["GET", "POST"])
def visit() -> ResponseReturnValue:
    with bureau().office.read() as conn:
        communities = [u for u in organisation.units(conn, me().areas, "community") if me().post_over(u["code"], condolences.RECORDERS)]
        gifts = condolences.open_gifts(conn, me())
    values = {"visited_on": bureau().office.today().isoformat(), "household_id": request.args.get("household", "")[:18], "donation_id": request.args.get("donation", "")[:18]}
    return filled(VisitIn, pgettext("condolence", "Enter a visit"), url_for("festival.visits"), condolences.pay_visit, values, lambda _done: url_for("festival.visits"), communities, offered={"donation_id": gifts})


@bp.route("/donations/new", methods=["GET", "POST"])
def receive() -> ResponseReturnValue:
    values = {"received_on": bureau().office.today().isoformat(), "unit": next((unit for role, unit in me().posts if role in condolences.RECORDERS), "")}
    return filled(DonationIn, _("Enter a donation"), url_for("festival.visits"), condolences.receive, values, lambda _done: url_for("festival.visits"),
                  units_of(condolences.RECORDERS, "district", "street", "community"))
