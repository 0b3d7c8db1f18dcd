"""API: the decision tables, and the rows that fired in a case."""

from __future__ import annotations

from typing import Any

from flask_smorest import Blueprint
from marshmallow import fields

from web import tables
from web.api import schemas
from web.api.desk import me
from web.api.operation import operation
from web.api.schemas import Said, _b, _many, _n, _s

blp = Blueprint("api_tables", __name__, url_prefix="/api/v1", description="Decision tables")


class TableHead(Said):
    name = _s(example="category")
    title = _s()
    title_en = _s()
    hit_policy = _s("UNIQUE, FIRST or COLLECT")
    sha256 = _s("of the table's text, as entries name it")
    rows = _n()


class TableColumn(Said):
    name = _s()
    label = _s()
    label_en = _s()
    type = _s("string, number, date or boolean")
    values = _s("what values there are; -: any")


class TableRow(Said):
    id = _s()
    when = _many(fields.String(), "a cell for each input; -: whatever it is")
    then = _many(fields.String(), "a cell for each output")
    source = _s("article or notice")
    unverified = _b()
    note = _s()
    note_en = _s()
    fired = fields.Boolean(required=True, metadata={"description": "in the case's latest decision by this table"})


class DecidedByTable(Said):
    entry = _n("of the case's record")
    inputs = fields.Dict(required=True, metadata={"description": "numbers and days as texts; a number may be a fraction, 35/46"})
    rules = _many(fields.String(), "ids of the rows that fired")
    outputs = _many(fields.Dict())


class DecisionTable(Said):
    name = _s()
    title = _s()
    title_en = _s()
    hit_policy = _s()
    sha256 = _s()
    current = fields.Boolean(required=True, metadata={"description": "false: the text by which the case was decided is no longer in force"})
    inputs = _many(TableColumn)
    outputs = _many(TableColumn)
    rules = _many(TableRow)
    case = _s(none=True)
    decided = _many(DecidedByTable)


class TableQuery(schemas.Strict):
    case = schemas.text("number of a case: the text by which it was decided, and the rows that fired", most=40)


@operation(blp, "GET", "/tables", schemas.paged(TableHead))
def listing() -> Any:
    """The decision tables in force."""
    return schemas.cut(tables.listed(), 1, schemas.MAX_SIZE)


@operation(blp, "GET", "/tables/<table:name>", DecisionTable, asks=TableQuery, replies=(403, 404))
def table(name: str, asked: dict[str, Any]) -> Any:
    """A table with its rows. `?case=`: as that case was decided by it; 404 when it was not. Reading another's case is noted."""
    return tables.told(me(), name, asked.get("case"))
