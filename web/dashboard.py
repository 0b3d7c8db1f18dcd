"""战情: the district's dashboard, a page of figures that lead to what they count, with charts beside their tables."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from engine.errors import Invalid, NotFound
from processes import annexes, dashboard, ledger, organisation, readers
from processes.bureau import CATALOGUE
from processes.complaint_forms import FINDINGS
from processes.dispersed_forms import CONDITIONS
from processes.event_log import harmless
from processes.festival import GROUPS
from processes.money import yuan
from processes.outreach_forms import CHANNELS
from processes.screening_forms import POPULATIONS
from processes.special_cases import RESOLUTIONS
from processes.temporary import FORMS_OF_HELP
from web import wording
from web.desk import bureau, either, lang, me, whole
from web.errors import said, status_of, words
from web.tasks import node_name

bp = Blueprint("dashboard", __name__, url_prefix="/dashboard")

SHOWN = 50  # items of one page
CHARTED = 12  # steps of the chart: more have no room for their names


def _typed() -> dict[str, str]:
    return {name: request.args.get(name, "")[:20] for name in ("unit", "from", "to")}


def _asked(conn: Any) -> ledger.Asked:
    typed = _typed()
    return ledger.asked(conn, me(), typed["unit"], typed["from"], typed["to"], bureau().office.today())


def _word(figure: str, key: str | None) -> str:
    """What a part of a figure is called: a finding, a resolution, a category, a population, a step."""
    if not key:
        return ""
    if figure in ("done", "open", "late"):
        process, _dot, node = key.rpartition(".")
        return node_name({"process": process, "node": node})
    if figure == "training":
        return either(*organisation.ROLES.get(key, (key, key)))
    if figure == "festival":
        return either(*GROUPS.get(key, (key, key)))
    if figure == "hazards":
        return _("put right") if key == "fixed" else _("not put right yet")
    listed = {"complaints": FINDINGS, "publicity": CHANNELS, "dispersed": CONDITIONS, "meetings": RESOLUTIONS, "elsewhere": POPULATIONS, "temporary": FORMS_OF_HELP}.get(figure, [])
    return next((either(zh, en) for code, zh, en in listed if code == key), str(wording.word("category", key)))


def _process(key: str) -> str:
    process = CATALOGUE.get(key)
    return either(process.title, process.title_en) if process else key


@bp.get("")
def show() -> ResponseReturnValue:
    """The page; with `as=csv` its table of the units."""
    made, typed = bureau(), _typed()
    found, trouble, status = None, "", 200
    with made.office.snapshot() as conn:
        units = [row for row in organisation.units(conn, readers.of_cases(me()).areas) if row["level"] in ("district", "street", "community")]
        try:
            found = dashboard.told(conn, me(), _asked(conn), made.office.today())
        except (Invalid, NotFound) as error:
            trouble = "; ".join(t for texts in said(error, lang()).values() for t in texts) if isinstance(error, Invalid) else words(error, lang())
            status = status_of(error)
    if found is None:
        return render_template("dashboard.html", found=None, typed=typed, units=units, trouble=trouble), status
    if request.args.get("as") == "csv":
        return _spreadsheet(found)
    period = {name: found[name] for name in ("unit", "from", "to")}
    return render_template("dashboard.html", found=found, typed=period, period=period, units=units, trouble="", heat=_heat(found["units"]), word=_word, process_name=_process, charted=CHARTED,
                           annexes=annexes.TITLES), status  # fmt: skip


HEATED = ("L1", "L2", "L3", "L4", "coverage", "late")


def _heat(rows: list[dict[str, Any]]) -> dict[str, dict[str, int]]:
    """Column -> unit -> how deep its colour is, 0 to 4: its share of the column's greatest. The number stands in the cell."""
    found = {}
    for name in HEATED:
        most = max((row[name] or 0 for row in rows), default=0)
        found[name] = {row["unit"]: int(4 * (row[name] or 0) / most) if most else 0 for row in rows}
    return found


def _spreadsheet(found: Mapping[str, Any]) -> Response:
    out = io.StringIO()
    out.write("\ufeff")  # a spreadsheet takes it for UTF-8 then
    lines = csv.writer(out, lineterminator="\r\n")
    lines.writerow([_("Unit"), _("In benefit at the start"), *ledger.NUMBERS, _("In benefit at the end"), _("To be screened"), _("Screened"), _("Benefits a month (yuan)"), _("Temporary assistance (yuan)"), _("Open steps"), _("Late steps")])
    for row in (*found["units"], {**found["whole"], "unit_name": found["unit_name"], "start": found["start"]["persons"], "end": found["end"]["persons"],
                                  **{one["number"]: one["persons"] for one in found["numbers"]}}):  # fmt: skip
        lines.writerow([harmless(str(cell)) for cell in (row["unit_name"], row["start"], *(row[number] for number in ledger.NUMBERS), row["end"], row["to_screen"], row["screened"],
                                                         yuan(row["month_fen"]), yuan(row["temporary_fen"]), row["open"], row["late"])])  # fmt: skip
    name = f"dashboard-{found['unit']}-{found['from']}-{found['to']}.csv"
    return Response(out.getvalue(), mimetype="text/csv", headers={"Content-Disposition": f'attachment; filename="{name}"'})


@bp.get("/items/<figure>")
def items(figure: str) -> ResponseReturnValue:
    """What a figure counts, each with its entry; `key=`: one part of it."""
    key = request.args.get("key", "")[:120] or None
    with bureau().office.snapshot() as conn:
        wanted = _asked(conn)
        found = dashboard.items_of(conn, me(), wanted, figure, key=key, page=whole(request.args.get("page"), 1, 100_000), size=SHOWN)
        place = organisation.unit_name(conn, wanted.unit)
    period = {"unit": wanted.unit, "from": wanted.since.isoformat(), "to": wanted.until.isoformat()}
    return render_template("dashboard_items.html", found=found, figure=figure, title=either(*dashboard.FIGURES[figure]), part=_word(figure, key), key=key, period=period,
                           args=period | ({"key": key} if key else {}), place=place, word=_word)  # fmt: skip
