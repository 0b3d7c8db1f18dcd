"""作战进度 and 总结报告: the periods of the campaign, each with its units, one report to write, hand in, look at and print."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy import Connection

from engine.errors import Invalid, NotFound
from engine.model import Actor
from processes import annexes, campaigns, ledger, organisation, progress_reports
from processes.progress_forms import ReportIn, ReportJudged
from processes.progress_tables import TEXTS
from web import wording
from web.annexes import XLSX
from web.campaigns import form_page, once, row_number
from web.desk import bureau, idem, lang, me
from web.errors import said

bp = Blueprint("progress_reports", __name__, url_prefix="/progress-reports")
HEADS = {name: (ReportIn._declared_fields[name].metadata["label"], ReportIn._declared_fields[name].metadata["label_en"]) for name in TEXTS}


def waiting_for_me() -> int:
    """How many reports wait for who is signed in."""
    with bureau().office.read() as conn:
        return progress_reports.waiting(conn, me(), bureau().office.today())


@bp.get("")
def listing() -> ResponseReturnValue:
    """The periods, with who is late; `?id=`: of another campaign than that of today."""
    made = bureau().office
    with made.snapshot() as conn:
        asked = row_number("id")
        row = campaigns.seen(conn, me(), asked) if asked else campaigns.current(conn, me(), made.today())
        if row is None:
            return render_template("campaign_none.html", others=[], begins=False, words=campaigns)
        units = progress_reports.units_read(conn, row, me())
        found = progress_reports.overview(conn, row, units, made.clock())
        late: dict[str, list[dict[str, Any]]] = {}
        for one in progress_reports.late_list(conn, row, units, made.clock()):
            late.setdefault(one["unit"], []).append(one)
        streets = [one["unit"] for one in units if one["level"] == "street"]
        places = {code: organisation.unit_name(conn, code) for code in streets}
        writes = [code for code in streets if campaigns.writes(me(), code, "street")]
    return render_template("progress_list.html", c=campaigns.told(row, made.today()), found=list(reversed(found)), late=late, places=places, streets=streets, writes=writes, states=progress_reports.STATES, today=made.today())


@bp.get("/<int:campaign_id>/<int:number>")
def period(campaign_id: int, number: int) -> ResponseReturnValue:
    """A period, unit by unit, with the figures that were handed in."""
    made = bureau().office
    with made.snapshot() as conn:
        row = campaigns.seen(conn, me(), campaign_id)
        wanted = progress_reports.period_of(conn, row, number)
        rows = progress_reports.listed(conn, row, progress_reports.units_read(conn, row, me()), wanted, made.clock())
        people = wording.names_of(conn, [one["submitted_by"] for one in rows])
    begun = wanted.start_on <= made.today()
    writes = [one["unit"] for one in rows if begun and campaigns.writes(me(), one["unit"], "street")]
    return render_template("progress_period.html", c=campaigns.told(row, made.today()), p=wanted, rows=rows, totals=progress_reports.totals(rows), numbers=ledger.NUMBERS, people=people,
                           states=progress_reports.STATES, writes=writes)  # fmt: skip


@bp.route("/<int:campaign_id>/<int:number>/<unit>", methods=["GET", "POST"])
def write(campaign_id: int, number: int, unit: str) -> ResponseReturnValue:
    """The draft of a unit's report."""
    with bureau().office.read() as conn:
        row = campaigns.seen(conn, me(), campaign_id)
        progress_reports.period_of(conn, row, number)
        if unit not in {one["unit"] for one in progress_reports.units_read(conn, row, me())}:
            raise NotFound("没有这个机构，或不在您的辖区")
        values = progress_reports.words(conn, bureau().office.keys.on(conn), campaign_id, number, unit)
    title = _("Progress report of period %(n)s", n=number) if number else _("Summary report")
    return form_page(ReportIn, title, url_for("progress_reports.period", campaign_id=campaign_id, number=number), lambda act, said: progress_reports.draft(act, campaign_id, said), values,
                     lambda done: url_for("progress_reports.show", report_id=done["report"]), {"unit": unit, "period": number})  # fmt: skip


@bp.get("/report/<int:report_id>")
def show(report_id: int) -> ResponseReturnValue:
    """A report, to read, print, hand in and look at."""
    return _shown(report_id)


def _shown(report_id: int, trouble: str = "", status: int = 200) -> ResponseReturnValue:
    made = bureau().office
    with made.snapshot() as conn:
        told = progress_reports.told(conn, made.keys.on(conn), progress_reports.seen(conn, me(), report_id), me(), made.clock())
        people = _people(conn, told)
    return render_template("progress_report.html", r=told, people=people, heads=HEADS, numbers=ledger.NUMBERS, states=progress_reports.STATES, titles=annexes.TITLES, trouble=trouble), status


def _people(conn: Connection, told: dict[str, Any]) -> dict[str, str]:
    return wording.names_of(conn, [told["drafted_by"], told["submitted_by"], *(one[name] for one in told["submissions"] for name in ("submitted_by", "judged_by"))])


@bp.post("/report/<int:report_id>/submission")
def submit(report_id: int) -> ResponseReturnValue:
    try:
        with bureau().office.act(me(), idem()) as act:
            once(act, lambda: progress_reports.submit(act, report_id))
    except Invalid as error:  # a text is missing: the page says which one
        lines = [f"{HEADS[name][lang() == 'en'] if name in HEADS else name}{_(': ')}{'；'.join(texts)}" for name, texts in said(error, lang()).items()]
        return _shown(report_id, "；".join(lines), 422)
    flash(_("The report is handed in; its figures are frozen."))
    return redirect(url_for("progress_reports.show", report_id=report_id))


@bp.route("/report/<int:report_id>/verification", methods=["GET", "POST"])
def judge(report_id: int) -> ResponseReturnValue:
    with bureau().office.read() as conn:
        progress_reports.seen(conn, me(), report_id)
    back = url_for("progress_reports.show", report_id=report_id)
    return form_page(ReportJudged, _("Look at the report"), back, lambda act, said: progress_reports.judge(act, report_id, said), {}, lambda _done: back)


@bp.get("/report/<int:report_id>/annex/<int:number>")
def annex(report_id: int, number: int) -> ResponseReturnValue:
    """A frozen annex as a file; `?no=`: of an earlier submission."""
    return sent(me(), report_id, number, row_number("no") or None)


def sent(actor: Actor, report_id: int, number: int, no: int | None = None) -> Response:
    with bureau().office.act(actor) as act:
        name, content = progress_reports.annex(act, report_id, number, no)
    return Response(content, mimetype=XLSX, headers={"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"})
