"""API: a street's existing list in the layout of annex 1: upload, preview, bring in, mend."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_smorest import Blueprint
from marshmallow import fields, validate

from engine.errors import Invalid
from engine.forms import Whole
from processes import import_annex1 as annex1
from processes import kept_lists
from web import importing
from web.annexes import XLSX
from web.api import schemas
from web.api.desk import key_of, me, once, spoken
from web.api.operation import operation
from web.api.uploaded import one_file, place
from web.desk import bureau
from web.line_pages import errors_of

blp = Blueprint("api_lists", __name__, url_prefix="/api/v1", description="Existing lists of households in benefit")

_UPLOAD = {
    "type": "object", "required": ["file"], "additionalProperties": False,
    "properties": {"file": {"type": "string", "format": "binary", "description": ".xlsx in the layout of annex 1, at most 8 MB, 5,000 lines"}}}  # fmt: skip
_EXAMPLE = {
    "rows": [4, 5, 6], "answers": {"hukou_kind": "urban", "review_class": "B", "first_payment_month": "2018-01"},
    "row_answers": {"5": {"hukou_kind": "rural"}}}  # fmt: skip


class Answers(schemas.Strict):
    """What annex 1 does not say. Nothing is assumed: a line without all three stays out."""

    hukou_kind = schemas.one_of("urban", "rural")
    review_class = schemas.one_of("A", "B", "C")
    first_payment_month = schemas.text("not after this month", most=7, example="2018-01")


class ListImport(schemas.Strict):
    rows = fields.List(Whole(), allow_none=True, load_default=None, validate=validate.Length(1, annex1.MAX_ROWS, error="至少一行"),
                       metadata={"description": "numbers of lines of the sheet; all that can be brought in when left out"})  # fmt: skip
    answers = fields.Nested(Answers, load_default=dict, metadata={"description": "for all lines"})
    row_answers = fields.Dict(keys=fields.String(validate=validate.Regexp(r"[0-9]{1,6}\Z", error="应当是行号")), values=fields.Nested(Answers),
                              load_default=dict, metadata={"description": "number of a line -> its own answers; they stand before those for all"})  # fmt: skip


class ListLine(schemas.Said):
    row = fields.Integer(required=True, metadata={"description": "number in the sheet"})
    state = fields.String(required=True, validate=validate.OneOf(["new", "known", "differs", "error"]),
                          metadata={"description": "differs: here already, and the system says something else"})  # fmt: skip
    applicant = fields.String(required=True, metadata={"description": "masked"})
    members = fields.Integer(required=True, allow_none=True)
    category = fields.String(required=True, allow_none=True)
    amount_fen = fields.Integer(required=True, allow_none=True)
    street = fields.String(required=True, metadata={"description": "as listed"})
    place = fields.String(required=True, metadata={"description": "village or residents' committee, as listed"})
    community = fields.String(required=True, allow_none=True, metadata={"description": "the unit that was found for it"})
    household_id = fields.Integer(required=True, allow_none=True, metadata={"description": "as which it is here"})
    errors = schemas._object("column -> what is wrong", keys=fields.String(), values=fields.List(fields.String()))
    differs = schemas._object("column -> what the system says", keys=fields.String(), values=fields.List(fields.String()))
    hints = fields.List(fields.String(), required=True)
    answers = schemas._object("as given", keys=fields.String(), values=fields.String())


class ListPreview(schemas.Said):
    list = fields.String(required=True, metadata={"description": "SHA-256 of the file: its name in the other calls"})
    rows = fields.List(fields.Nested(ListLine), required=True)
    counts = schemas._object("state -> how many", keys=fields.String(), values=fields.Integer())
    questions = schemas._object("what must be answered: name -> words", keys=fields.String(), values=fields.String())


class Imported(schemas.Said):
    row = fields.Integer(required=True)
    household_id = fields.Integer(required=True)


class LineErrors(schemas.Said):
    row = fields.Integer(required=True)
    errors = schemas._object("column -> what is wrong", keys=fields.String(), values=fields.List(fields.String()))


class ListImported(schemas.Said):
    imported = fields.List(fields.Nested(Imported), required=True)
    known = fields.List(fields.Integer(), required=True, metadata={"description": "lines that were here already"})
    errors = fields.List(fields.Nested(LineErrors), required=True)
    left = fields.Integer(required=True, metadata={"description": f"more than {importing.AT_ONCE} lines: this many wait, call again with another key"})


class ListGone(schemas.Said):
    list = fields.String(required=True)


@operation(blp, "POST", "/household-lists", ListPreview, status=201, sent=_UPLOAD, media="multipart/form-data", replies=(400, 413, 415))
def upload() -> Any:
    """Upload a list and see what each line would do. It is kept encrypted for you alone, for 8 hours; nothing is brought in."""
    who = annex1.allow(me())
    made, data = bureau(), one_file(annex1.MAX_BYTES)
    seen = importing.look(made, who, data)  # what is no list is not kept
    once(seen.digest, lambda _: {"list": seen.digest})
    kept_lists.keep(made.office.keys, made.settings.files, me(), data)
    return importing.report(seen, spoken()), {"Location": f"/api/v1/household-lists/{seen.digest}"}


@operation(blp, "GET", "/household-lists/<sha256:digest>", ListPreview, replies=(403, 404))
def show(digest: str) -> Any:
    """The preview again, as things stand now. 404 when you did not upload it, or more than 8 hours ago."""
    return importing.report(importing.kept(bureau(), annex1.allow(me()), digest), spoken())


@operation(blp, "POST", "/household-lists/<sha256:digest>/import", ListImported, takes=ListImport, example=_EXAMPLE, replies=(404,))
def bring_in(digest: str, said: dict[str, Any]) -> Any:
    """Bring in all lines, or those chosen. Lines with errors and lines that are here already are named, never changed.
    Each household is a transaction of its own. 422 while a line lacks an answer."""
    annex1.allow(me())
    return importing.once(bureau(), me(), key_of([digest, said]), lambda: _done(digest, said))


def _done(digest: str, said: Mapping[str, Any]) -> dict[str, Any]:
    try:
        seen = importing.kept(bureau(), annex1.allow(me()), digest, said["answers"], {int(n): own for n, own in said["row_answers"].items()})
        if said["rows"] is not None:
            seen = annex1.choose(seen, said["rows"])
        done = importing.bring_in(bureau(), seen, annex1.allow(me()), most=importing.AT_ONCE)
    except Invalid as error:
        raise Invalid({place(name): importing.in_words(texts, spoken()) for name, texts in error.fields.items()}) from None
    done.errors = {n: {c: importing.in_words(texts, spoken()) for c, texts in wrong.items()} for n, wrong in done.errors.items()}
    return done.told()


@operation(blp, "GET", "/household-lists/<sha256:digest>/errors", (XLSX,), replies=(403, 404))
def errors(digest: str) -> Any:
    """The lines with errors as a workbook, why in the last column: mend it and upload it."""
    book = annex1.error_workbook(importing.kept(bureau(), annex1.allow(me()), digest))
    return errors_of(book)


@operation(blp, "DELETE", "/household-lists/<sha256:digest>", ListGone)
def discard(digest: str) -> Any:
    """Remove what was kept; households that were brought in stay."""
    annex1.allow(me())
    kept_lists.discard(bureau().office.keys, bureau().settings.files, me(), digest)
    return {"list": digest}
