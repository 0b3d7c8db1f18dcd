"""支出型困难家庭认定名册: who is recognised in hardship for expenses, until when, with which help."""

from __future__ import annotations

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from processes import organisation, readers, recognitions
from web.desk import bureau, me, whole

bp = Blueprint("recognitions", __name__, url_prefix="/recognitions")


@bp.get("/")
def listing() -> ResponseReturnValue:
    """Those of one's area; `valid=1`: only those that are valid today."""
    made, unit = bureau(), request.args.get("unit", "")
    area = unit if unit and readers.of_benefits(me()).covers(unit) else readers.of_benefits(me()).areas
    kind = request.args.get("kind", "")
    args = {k: v for k, v in request.args.items() if k in ("kind", "unit", "valid") and v}
    today = made.office.today().isoformat()
    with made.office.read() as conn:
        found = recognitions.search(conn, area, kind=kind if kind in recognitions.KINDS else None, on=today if "valid" in args else None,
                                    page=whole(request.args.get("page"), 1, 10_000))  # fmt: skip
        places = {row["community"]: organisation.unit_name(conn, row["community"]) for row in found.items}
        streets = organisation.units(conn, me().areas, "street")
    return render_template("recognitions.html", found=found, args=args, kinds=recognitions.KINDS, places=places, streets=streets, day=today)
