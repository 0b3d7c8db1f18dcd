"""作战台账: the page with the numbers of a unit and a period, printable and as CSV, and who is counted in each of them."""

from __future__ import annotations

import csv
import io

from flask import Blueprint, Response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy import Connection

from engine.errors import Invalid, NotFound
from engine.model import Actor
from processes import accountability, findings, ledger, ledger_problems, ledger_snapshots, organisation, readers
from processes.event_log import harmless
from web import wording
from web.desk import bureau, either, idem, lang, me, whole
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
    takes = found is not None and ledger_snapshots.takes(me(), str(found["unit"]))
    return render_template("ledger.html", found=found, takes=takes, typed=typed | ({"unit": found["unit"], "from": found["from"], "to": found["to"]} if found else {}), units=units, trouble=trouble), status


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
    rows += [[_("Check"), either(str(one["zh"]), str(one["en"])), one["left"], one["right"], _("holds") if one["ok"] else _("does not hold")] for one in told["checks"]]
    return rows


def _period(wanted: ledger.Asked) -> dict[str, str]:
    return {"unit": wanted.unit, "from": wanted.since.isoformat(), "to": wanted.until.isoformat()}


def _wanted(conn: Connection) -> ledger.Asked:
    typed = _typed()
    return ledger.asked(conn, me(), typed["unit"], typed["from"], typed["to"], bureau().office.today())


def _page() -> int:
    return whole(request.args.get("page"), 1, 100_000)


@bp.get("/<number>")
def persons(number: str) -> ResponseReturnValue:
    """Who is counted in a number, each with the case and the entry; `count=households`: which households."""
    made, today, count = bureau(), bureau().office.today(), "households" if request.args.get("count") == "households" else "persons"
    typed = {name: request.args.get(name, "")[:10] for name in ("day_from", "day_to")}
    with made.office.snapshot() as conn:
        wanted = _wanted(conn)
        found = ledger.persons_of(conn, made.office.keys.on(conn), wanted, today, number, count=count, days=(typed["day_from"] or "", typed["day_to"] or "9999"), page=_page(), size=SHOWN)
        places = {row["community"]: organisation.unit_name(conn, row["community"]) for row in found.items}
        place = organisation.unit_name(conn, wanted.unit)
    title, why = _titles(number)
    return render_template("ledger_persons.html", found=found, number=number, title=title, why=why, args=_period(wanted) | ({"count": count} if count != "persons" else {}) | {name: day for name, day in typed.items() if day}, days=typed,
                           places=places, place=place, of_households=count == "households", period=_period(wanted))  # fmt: skip


def _titles(number: str) -> tuple[str, str]:
    if number in ledger.NUMBERS:
        _name, zh, en, why, why_en = ledger.NUMBERS[number]
        return either(zh, en), either(why, why_en)
    return either(*(ledger.ENDS.get(number) or ledger.CORRECTIONS[number])), ""


@bp.get("/L5")
def matters() -> ResponseReturnValue:
    """The matters of accountability of L5; `state=opened|open`, `category=`."""
    state, category = request.args.get("state") or "concluded", request.args.get("category") or None
    with bureau().office.snapshot() as conn:
        wanted = _wanted(conn)
        found = ledger_problems.matters_of(conn, wanted.unit, wanted.since, wanted.until, state=state, category=category, page=_page(), size=SHOWN)
        places = {code: organisation.unit_name(conn, code) for code in (wanted.unit, *(row["unit"] for row in found.items))}
    args = _period(wanted) | {name: value for name, value in (("state", request.args.get("state")), ("category", category)) if value}
    return render_template("ledger_matters.html", found=found, args=args, period=_period(wanted), places=places, words=accountability)


@bp.get("/L6")
def problems() -> ResponseReturnValue:
    """The findings of L6; `type=`, `state=settled|overdue|open`."""
    kind, state = request.args.get("type") or None, request.args.get("state") or None
    with bureau().office.snapshot() as conn:
        wanted = _wanted(conn)
        found = ledger_problems.problems_of(conn, wanted.unit, wanted.since, wanted.until, kind=kind, state=state, page=_page(), size=SHOWN)
        places = {code: organisation.unit_name(conn, code) for code in (wanted.unit, *(row["unit"] for row in found.items))}
    args = _period(wanted) | {name: value for name, value in (("type", kind), ("state", state)) if value}
    return render_template("ledger_problems.html", found=found, args=args, period=_period(wanted), places=places, types=ledger_problems.PROBLEMS, reads_finding=lambda unit: findings.reads(me(), unit))


# -- snapshots


@bp.get("/snapshots")
def snapshots() -> ResponseReturnValue:
    """The snapshots of the units that one reads."""
    unit = request.args.get("unit", "")[:20]
    with bureau().office.read() as conn:
        found = ledger_snapshots.listed(conn, me(), unit or None, page=_page())
        places = {row["unit"]: organisation.unit_name(conn, row["unit"]) for row in found.items}
        people = wording.names_of(conn, [row["taken_by"] for row in found.items])
    return render_template("ledger_snapshots.html", found=found, places=places, people=people, args={"unit": unit} if unit else {})


@bp.post("/snapshots")
def take() -> ResponseReturnValue:
    """Keep the ledger as it is now."""
    typed = {name: request.form.get(name, "")[:20] for name in ("unit", "from", "to")}
    with bureau().office.act(me(), idem()) as act:
        told = ledger_snapshots.take(act, ledger.asked(act.conn, me(), typed["unit"], typed["from"], typed["to"], act.today))
    return redirect(url_for("ledger.snapshot", snapshot_id=told["snapshot"]))


@bp.get("/snapshots/<int:snapshot_id>")
def snapshot(snapshot_id: int) -> ResponseReturnValue:
    """What it said, who has entered and left since the one before, and whether the records give the same today; `against=now`, `number=`."""
    made, today = bureau(), bureau().office.today()
    against, number = "now" if request.args.get("against") == "now" else "previous", request.args.get("number") or None
    with made.office.snapshot() as conn:
        row = ledger_snapshots.seen(conn, me(), snapshot_id)
        told = ledger_snapshots.told(conn, row, today)
        found = ledger_snapshots.changes_of(conn, made.office.keys.on(conn), row, today, against=against, number=number, page=_page(), size=SHOWN)
        people = wording.names_of(conn, [row["taken_by"]])
    args = {name: value for name, value in (("against", against if against == "now" else ""), ("number", number)) if value}
    return render_template("ledger_snapshot.html", told=told, changed=found, args=args, against=against, people=people, found=told["figures"])
