"""附件1、附件2: on a page to print, and as a workbook."""

from __future__ import annotations

from datetime import date

from flask import Blueprint, Response, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from engine.errors import Invalid, NotFound
from engine.model import Actor
from processes import annexes, organisation, readers
from processes.annexes import Annex
from web.desk import bureau, me

bp = Blueprint("annexes", __name__, url_prefix="/annexes")
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def made_for(actor: Actor, number: int, unit: str | None, on: date | None, *, full: bool) -> Annex:
    """The annex; without a unit that of the reader's only one, without a day as of today. A full one is noted in his reading log."""
    made = bureau()
    with made.office.read() as conn:
        found = annexes.make(conn, made.office.keys.on(conn), actor, number, annexes.unit_of(actor, unit), on or made.office.today(), made.office.today(), full=full)
    if full:
        with made.office.act(actor) as act:
            annexes.note(act, found)
    return found


def sent(found: Annex) -> Response:
    """As a file."""
    name = f"annex{found.number}-{found.unit}-{found.on.isoformat()}{'' if found.full else '-masked'}.xlsx"
    return Response(annexes.workbook(found), mimetype=XLSX, headers={"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"})


def _asked(number: int) -> Annex:
    if number not in annexes.TITLES:
        raise NotFound("没有这个页面")
    try:
        on = date.fromisoformat(request.args["on"]) if request.args.get("on") else None
    except ValueError:
        raise Invalid({"on": [_("Give a day, like 2018-12-03")]}) from None
    mine = readers.of_cases(me()).areas
    return made_for(me(), number, request.args.get("unit", "")[:20] or next(iter(mine), None), on, full="full" in request.args)


@bp.get("/<int:number>")
def show(number: int) -> ResponseReturnValue:
    found = _asked(number)
    with bureau().office.read() as conn:
        units = [row for level in ("district", "street", "zone", "community") for row in organisation.units(conn, readers.of_cases(me()).areas, level)]
    may_full = me().post_over(found.unit, annexes.FULL) is not None
    return render_template("annex.html", annex=found, units=units, may_full=may_full, headings=annexes.HEADINGS[number], under=annexes.CHECKED if number == 2 else (),
                           blank=max(0, annexes.BLANK_ROWS - len(found.rows)) if number == 2 else 0)  # fmt: skip


@bp.get("/<int:number>.xlsx")
def download(number: int) -> ResponseReturnValue:
    return sent(_asked(number))
