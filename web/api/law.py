"""API: the parameters of the law by date."""

from __future__ import annotations

from typing import Any

from flask_smorest import Blueprint
from marshmallow import Schema, fields

from web import law
from web.api import schemas
from web.api.operation import operation
from web.api.schemas import Said, _b, _many, _n, _s

blp = Blueprint("api_law", __name__, url_prefix="/api/v1", description="Parameters of the law")


class LawWarning(Said):
    zh = _s()
    en = _s()
    months = _n("since its first day")
    usual = _n("months after which it is usually revised")


_FROM = {"from": _s("first day")}  # a keyword cannot be written as a name of a class
LawRow: type[Schema] = type("LawRow", (Said,), {**_FROM, "value": _s(), "source": _s(), "unverified": _b(), "announced": _b(), "known_from": _s(none=True),
                                               "counts": fields.Boolean(required=True, metadata={"description": "false: corrected by a later row"})})  # fmt: skip
LawParameter: type[Schema] = type("LawParameter", (Said,), {
    "from": _s("first day", none=True), "name": _s(example="dibao_standard_urban"), "file": _s(), "title": _s(), "title_en": _s(), "unit": _s(), "unit_en": _s(),
    "value": _s("none: nothing in force on that day", none=True), "until": _s("last day", none=True), "known_from": _s("a correction: known from this day on", none=True),
    "source": _s("key of the source, perhaps with the article", none=True), "basis": _s("in Chinese"), "basis_en": _s(), "unverified": _b(),
    "revised_every_months": _n(none=True), "warning": fields.Nested(LawWarning, required=True, allow_none=True), "rows": _many(LawRow, "all that were known"),
})  # fmt: skip


class LawTable(Said):
    on = _s()
    known_on = _s()
    digest = _s("sha256 of the law's files, as entries name it")
    read_on = _s("the day on which the files were last gone through")
    warnings = _n("values older than their usual revision")
    items = _many(LawParameter)


class LawQuery(schemas.Strict):
    on = schemas.text("day on which it applies (today)", most=10, example="2018-12-03")
    known_on = schemas.text("day on which it was known (today)", most=10, example="2018-12-03")


@operation(blp, "GET", "/law", LawTable, asks=LawQuery)
def show(asked: dict[str, Any]) -> Any:
    """Each parameter in force on a day, as it was known on another. A correction counts from the day on which it was known."""
    return law.told(asked.get("on"), asked.get("known_on"))
