"""法规参数: each value in force on a day as it was known on another, with its source and whether it is due for revision."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from processes import law, parameters
from web.desk import bureau

bp = Blueprint("law", __name__)


@bp.get("/law")
def show() -> ResponseReturnValue:
    said = {name: request.args.get(name, "")[:10] for name in ("on", "known_on")}
    return render_template("law.html", **told(said["on"], said["known_on"]))


def told(on: str | None, known_on: str | None) -> dict[str, Any]:
    """{on, known_on, digest, read_on, warnings, items}; both days are today where none is asked. Raises Invalid, naming the day."""
    today = bureau().office.today()
    days = {name: parameters.day_of(name, text) if text else today for name, text in (("on", on), ("known_on", known_on))}
    with bureau().office.read():
        items, digest = parameters.listed(days["on"], days["known_on"]), law.digest()
    return {"on": days["on"].isoformat(), "known_on": days["known_on"].isoformat(), "digest": digest, "read_on": law.ABOUT.read_on.isoformat(),
            "warnings": sum(one["warning"] is not None for one in items), "items": items}  # fmt: skip
