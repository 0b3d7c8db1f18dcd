"""作战台账: the page with the numbers of a unit and a period, printable and as CSV, and who is counted in each of them."""

from __future__ import annotations

import csv
import io

from flask import Blueprint, Response, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from engine.errors import Invalid, NotFound
from engine.model import Actor
from processes import ledger, organisation, readers
from processes.event_log import harmless
from web.desk import bureau, either, lang, me, whole
from web.errors import said, status_of, words

bp = Blueprint("ledger", __name__, url_prefix="/ledger")

SHOWN = 50  # persons of one page


def reads(actor: Actor) -> bool:
    """Whether somebody in these posts reads the numbers of some unit."""
    return bool(readers.of_cases(actor).areas)


def _typed() -> dict[str, str]:
    return {name: request.args.get(name, "")[:20] for name in ("unit", "from", "to")}


@bp.get("")
def show() -> ResponseReturnValue:
    """The table; with `as=csv` the same as a spreadsheet."""
    made, today, typed = bureau(), bureau().office.today(), _typed()
    found, trouble, status = None, "", 200
    with made.office.snapshot() as conn:
        units = [row for row in organisation.units(conn, readers.of_cases(me()).areas) if row["level"] in ("district", "street", "community")]
        try:
            found = ledger.told(conn, ledger.asked(conn, me(), typed["unit"], typed["from"], typed["to"], today), today)
        except (Invalid, NotFound) as error:
            trouble = "; ".join(t for texts in said(error, lang()).values() for t in texts) if isinstance(error, Invalid) else words(error, lang())
            status = status_of(error)
    if found is not None and request.args.get("as") == "csv":
        return _spreadsheet(found)
    return render_template("ledger.html", found=found, typed=typed | ({"unit": found["unit"], "from": found["from"], "to": found["to"]} if found else {}), units=units, trouble=trouble), status


def _spreadsheet(found: dict[str, object]) -> Response:
    out = io.StringIO()
    out.write("\ufeff")  # a spreadsheet takes it for UTF-8 then
    lines = csv.writer(out, lineterminator="\r\n")
    for row in _lines(found):
        lines.writerow([harmless(str(cell)) for cell in row])
    name = f"ledger-{found['unit']}-{found['from']}-{found['to']}.csv"
    return Response(out.getvalue(), mimetype="text/csv", headers={"Content-Disposition": f'attachment; filename="{name}"'})


def _lines(found: dict[str, object]) -> list[list[object]]:
    told: dict[str, list[dict[str, object]]] = found  # type: ignore[assignment]
    start, end = found["start"], found["end"]
    rows: list[list[object]] = [[_("No. in the ledger"), _("What is counted"), _("Persons"), _("Households counted"), _("Definition")]]
    for name, both in ((_("In benefit at the start"), start), (_("In benefit at the end"), end)):
        rows.append(["", name, both["persons"], both["households"], ""])  # type: ignore[index]
    rows += [[one["number"], either(str(one["zh"]), str(one["en"])), one["persons"], one["households"], either(str(one["definition_zh"]), str(one["definition_en"]))] for one in told["numbers"]]
    violations: dict[str, list[dict[str, object]]] = found["violations"]  # type: ignore[assignment]
    problems: dict[str, list[dict[str, object]]] = found["problems"]  # type: ignore[assignment]
    rows.append(["L5", _("Matters of accountability concluded (cases)"), violations["concluded"], "", ""])
    rows += [["L5", either(str(one["zh"]), str(one["en"])), one["concluded"], "", ""] for one in violations["categories"]]
    rows.append(["L6", _("Problems found"), problems["found"], "", ""])
    rows += [["L6", either(str(one["zh"]), str(one["en"])), one["found"], "", ""] for one in problems["types"]]
    rows += [["L6", _("settled"), problems["settled"], "", ""], ["L6", _("overdue"), problems["overdue"], "", ""]]
    rows += [[_("Correction"), either(str(one["zh"]), str(one["en"])), one["persons"], one["households"], ""] for one in told["corrections"]]
    rows += [[_("Check"), either(str(one["zh"]), str(one["en"])), one["left"], one["right"], _("holds") if one["holds"] else _("does not hold")] for one in told["checks"]]
    return rows


@bp.get("/<number>")
def persons(number: str) -> ResponseReturnValue:
    """Who is counted in a number, each with the case and the entry."""
    made, today, typed = bureau(), bureau().office.today(), _typed()
    with made.office.snapshot() as conn:
        wanted = ledger.asked(conn, me(), typed["unit"], typed["from"], typed["to"], today)
        found = ledger.persons_of(conn, made.office.keys.on(conn), wanted, today, number, page=whole(request.args.get("page"), 1, 100_000), size=SHOWN)
        places = {row["community"]: organisation.unit_name(conn, row["community"]) for row in found.items}
        place = organisation.unit_name(conn, wanted.unit)
    args = {"unit": wanted.unit, "from": wanted.since.isoformat(), "to": wanted.until.isoformat()}
    _name, zh, en, why, why_en = ledger.NUMBERS[number]
    return render_template("ledger_persons.html", found=found, number=number, title=either(zh, en), why=either(why, why_en), args=args, places=places, place=place)
