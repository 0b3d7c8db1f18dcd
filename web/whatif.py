"""试算: a changed law over the households in benefit of the reader's area, or over the decisions made there. Page and API tell the same;
nothing is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Blueprint, Response, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import LazyString, lazy_gettext, lazy_pgettext

from engine.errors import EngineError
from engine.model import Actor
from engine.queries import Page
from processes import households, identity, organisation, readers, whatif_law
from processes import whatif as forecasts
from web.desk import bureau, lang, me, whole
from web.errors import said, status_of, words

bp = Blueprint("whatif", __name__)

SHOWN = 50
MOVES: Mapping[str, LazyString] = {
    "enters": lazy_pgettext("whatif", "enters"), "leaves": lazy_pgettext("whatif", "leaves"), "gains": lazy_pgettext("whatif", "gains"),
    "loses": lazy_pgettext("whatif", "loses"), "same": lazy_pgettext("whatif", "stays as it is"),
}  # fmt: skip
VIEWS: Mapping[str, LazyString] = {
    "changed": lazy_pgettext("whatif", "what changes"), **MOVES, "near": lazy_pgettext("whatif", "near misses"),
    "differs": lazy_pgettext("whatif", "record differs"), "left_out": lazy_pgettext("whatif", "left out"), "all": lazy_pgettext("whatif", "all"),
}  # fmt: skip
OVER: Mapping[str, LazyString] = {"households": lazy_pgettext("whatif", "households in benefit as they stand"), "decisions": lazy_pgettext("whatif", "decisions of a period")}
DECISIONS: Mapping[str, LazyString] = {
    "granted": lazy_pgettext("whatif", "granted"), "refused": lazy_pgettext("whatif", "refused"), "terminated": lazy_pgettext("whatif", "procedure ended"), "keep": lazy_pgettext("whatif", "kept"),
    "increase": lazy_pgettext("whatif", "increased"), "decrease": lazy_pgettext("whatif", "decreased"), "convert": lazy_pgettext("whatif", "converted"), "stop": lazy_pgettext("whatif", "stopped"),
    "suspend": lazy_pgettext("whatif", "suspended"), "grace": lazy_pgettext("whatif", "grace period"),
}  # fmt: skip
REASONS: Mapping[str, LazyString] = {"no_figures": lazy_gettext("The figures on file are not complete"), "not_by_figures": lazy_gettext("Something else decided than the figures"), "restricted": lazy_gettext("Personal data are restricted")}
LINES: Mapping[str, LazyString] = {"standard": lazy_pgettext("whatif", "standard"), "limit": lazy_pgettext("whatif", "low-income limit")}
CATEGORIES: Mapping[str, LazyString] = {
    "dibao": lazy_pgettext("whatif", "dibao"), "low_income": lazy_pgettext("whatif", "low income"), "destitute_institutional": lazy_pgettext("whatif", "destitute, in an institution"),
    "destitute_dispersed": lazy_pgettext("whatif", "destitute, at home"), "refused_income": lazy_pgettext("whatif", "none: income"), "refused_property": lazy_pgettext("whatif", "none: property"),
    "refused_vehicle": lazy_pgettext("whatif", "none: vehicle"), "refused_dwelling": lazy_pgettext("whatif", "none: dwellings"), "refused_non_residential": lazy_pgettext("whatif", "none: non-residential property"),
    "refused_study_abroad": lazy_pgettext("whatif", "none: study abroad"), "refused_luxury": lazy_pgettext("whatif", "none: luxury goods"), "refused": lazy_pgettext("whatif", "none"),
    "refused_ability": lazy_pgettext("whatif", "none: able to work"), "refused_obligor": lazy_pgettext("whatif", "none: somebody is able to support"), "refused_orphan": lazy_pgettext("whatif", "none: support of orphans"),
    "refused_both": lazy_pgettext("whatif", "none: income and property"), "refused_dibao": lazy_pgettext("whatif", "none: fits dibao"), "refused_edge": lazy_pgettext("whatif", "none: fits low-income relief"),
    "refused_expenditure": lazy_pgettext("whatif", "none: expenses"), "illness_expenditure": lazy_pgettext("whatif", "illness expenditure"), "rigid_expenditure": lazy_pgettext("whatif", "rigid expenditure"),
    "temporary_assistance": lazy_pgettext("whatif", "temporary assistance"),
}  # fmt: skip
_MEANS = ("recorded_fen", "before_fen", "after_fen", "before_once_fen", "after_once_fen", "per_capita", "gap")


# -- what page and API share


def report_for(who: Actor, law: Sequence[bytes], asked: Mapping[str, str]) -> forecasts.Report:
    """At one moment, over the part of the scope that the reader's posts cover; at most YINGBAO_WHATIF households."""
    made, area = bureau(), readers.of_forecasts(who).areas
    question = forecasts.Question.understood(law, asked.get("on", ""), asked.get("scope", ""), asked.get("margin", ""), **{name: asked.get(name, "") for name in ("over", "from_on", "until_on")})
    with made.office.snapshot() as conn:
        return forecasts.look(made, conn, question, area, made.settings.whatif)


def rows_told(who: Actor, rows: Sequence[forecasts.Row]) -> list[dict[str, Any]]:
    """Rows as this reader may see them: money and the applicant's name where he reads the benefit, numbers always."""
    reads = readers.of_benefits(who)
    with bureau().office.read() as conn:
        names = households.applicant_names(conn, [f"household:{row['household_id']}" for row in rows if reads.covers(row["community"]) and row["reason"] != "restricted"])
    return [_told(row, names.get(f"household:{row['household_id']}"), reads.covers(row["community"])) for row in rows]


def _told(row: Mapping[str, Any], name: str | None, reads: bool) -> dict[str, Any]:  # noqa: FBT001
    hidden = {} if reads else dict.fromkeys(_MEANS)
    return {**{key: value for key, value in row.items() if key != "above"}, "applicant": identity.mask_name(name) if name else None, **hidden}


def spreadsheet(who: Actor, rows: Sequence[forecasts.Row]) -> Response:
    text = "".join(forecasts.csv_lines(rows_told(who, rows), ["applicant"]))
    return Response(text, mimetype="text/csv", headers={"Content-Disposition": 'attachment; filename="yingbao-whatif.csv"'})


# -- the page


@bp.route("/whatif", methods=["GET", "POST"])
def show() -> ResponseReturnValue:
    """The form; once it is sent, what comes out. Nothing is kept: what was sent stays in the form."""
    may, made = readers.of_forecasts(me()), bureau()
    typed = {"on": made.office.today().isoformat(), "over": forecasts.OVER[0], "from_on": "", "until_on": "", "margin": forecasts.MARGIN, "scope": may.areas[0], "law": "", "table": "", "view": "changed"}
    typed |= {name: request.form[name][:400_000] for name in typed if name in request.form}
    with made.office.read() as conn:
        units = [row for row in organisation.units(conn, may.areas) if row["level"] in ("district", "street", "community")]
    view, errors, trouble, status = typed["view"] if typed["view"] in VIEWS else "changed", {}, "", 200
    report = None
    if request.method == "POST":
        typed |= _files()
        try:
            report = report_for(me(), [typed[name].encode() for name in ("law", "table") if typed[name].strip()], typed)
        except EngineError as error:
            errors, status = said(error, lang()), status_of(error)
            trouble = "" if errors else words(error, lang())
    if report is not None and request.form.get("as") == "csv":
        return spreadsheet(me(), report.seen(view))
    shown = None
    if report is not None:
        rows, n = report.seen(view), whole(request.form.get("page"), 1, 100_000)
        shown = Page(rows_told(me(), rows[(n - 1) * SHOWN : n * SHOWN]), len(rows), n, SHOWN)  # type: ignore[arg-type]
    return render_template("whatif.html", typed=typed, units=units, errors=errors, trouble=trouble, view=view, views=VIEWS, moves=MOVES, categories=CATEGORIES, reasons=REASONS, over=OVER, decisions=DECISIONS,
                           lines=LINES, found=report and report.told(), shown=shown, month=(typed["on"] or made.office.today().isoformat())[:7], most=made.settings.whatif), status  # fmt: skip


def _files() -> dict[str, str]:
    """What was chosen as a file stands in place of what is in its field; UTF-8, or it is refused as a text that means nothing."""
    sent = {name: request.files[f"{name}_file"].read(whatif_law.MOST_BYTES * 8) for name in ("law", "table") if request.files.get(f"{name}_file")}
    return {name: raw.decode("utf-8-sig", "replace") for name, raw in sent.items() if raw}
