"""API: filled-in annexes 1 and 2 brought back as screening visits: upload, preview, bring in, mend."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_smorest import Blueprint
from marshmallow import fields, validate

from engine.errors import Invalid
from engine.forms import Whole
from processes import documents, import_annex1, import_screening, kept_lists
from web import importing, screening_import
from web.annexes import XLSX
from web.api import schemas
from web.api.desk import key_of, me, once, spoken
from web.api.operation import operation
from web.api.uploaded import one_file, place
from web.desk import bureau
from web.line_pages import errors_of

blp = Blueprint("api_screening_lists", __name__, url_prefix="/api/v1", description="填好的附件1、附件2: filled-in annexes as visits")
_UPLOAD = {
    "type": "object", "required": ["file"], "additionalProperties": False,
    "properties": {"file": {"type": "string", "format": "binary", "description": ".xlsx exactly as GET annexes/1.xlsx or annexes/2.xlsx gives it, at most 8 MB, 5,000 lines"}}}  # fmt: skip
_EXAMPLE = {"rows": [5, 6], "answers": {"visited_on": "2018-12-03", "first_visitor": "officer1", "second_visitor": "village1"}, "row_answers": {"6": {"visited_on": "2018-12-04"}}}


class VisitAnswers(schemas.Strict):
    """What the annex does not say: the day, and of annex 1 who visited."""

    visited_on = schemas.text("ISO day, not after today", most=10, example="2018-12-03")
    first_visitor = schemas.text("login; of annex 1 only", most=60)
    second_visitor = schemas.text("login; of annex 1 only", most=60)


class VisitImport(schemas.Strict):
    rows = fields.List(Whole(), allow_none=True, load_default=None, validate=validate.Length(1, import_annex1.MAX_ROWS, error="至少一行"),
                       metadata={"description": "numbers of lines of the sheet; all that can be brought in when left out"})  # fmt: skip
    answers = fields.Nested(VisitAnswers, load_default=dict, metadata={"description": "for all lines"})
    row_answers = fields.Dict(keys=fields.String(validate=validate.Regexp(r"[0-9]{1,6}\Z", error="应当是行号")), values=fields.Nested(VisitAnswers),
                              load_default=dict, metadata={"description": "number of a line -> its own answers; they stand before those for all"})  # fmt: skip


class VisitLine(schemas.Said):
    row = fields.Integer(required=True, metadata={"description": "number in the sheet"})
    state = fields.String(required=True, validate=validate.OneOf(import_screening.STATES),
                          metadata={"description": "known: this visit is here; differs: a visit of that day is here and says something else; blank: nobody visited"})  # fmt: skip
    applicant = fields.String(required=True, metadata={"description": "masked"})
    household_id = fields.Integer(required=True, allow_none=True)
    household_no = fields.String(required=True, allow_none=True)
    community = fields.String(required=True, allow_none=True)
    visited_on = fields.String(required=True, allow_none=True)
    visitors = fields.List(fields.String(), required=True, metadata={"description": "logins"})
    result = fields.String(required=True, allow_none=True, metadata={"description": "of annex 1: true | changed | untrue"})
    qualifies = fields.Boolean(required=True, allow_none=True, metadata={"description": "of annex 2"})
    errors = schemas._object("column -> what is wrong", keys=fields.String(), values=fields.List(fields.String()))
    differs = schemas._object("column -> what is here instead", keys=fields.String(), values=fields.List(fields.String()))
    answers = schemas._object("as given", keys=fields.String(), values=fields.String())


class VisitPreview(schemas.Said):
    list = fields.String(required=True, metadata={"description": "SHA-256 of the file: its name in the other calls"})
    annex = fields.Integer(required=True, metadata={"description": "1 or 2, by its heading"})
    rows = fields.List(fields.Nested(VisitLine), required=True)
    counts = schemas._object("state -> how many", keys=fields.String(), values=fields.Integer())
    questions = schemas._object("what must be answered: name -> words", keys=fields.String(), values=fields.String())


class VisitBrought(schemas.Said):
    row = fields.Integer(required=True)
    screening = fields.Integer(required=True)


class VisitLineErrors(schemas.Said):
    row = fields.Integer(required=True)
    errors = schemas._object("column -> what is wrong", keys=fields.String(), values=fields.List(fields.String()))


class VisitsImported(schemas.Said):
    imported = fields.List(fields.Nested(VisitBrought), required=True, metadata={"description": "each waits for its visitors to confirm it (POST screenings/{id}/confirmation)"})
    known = fields.List(fields.Integer(), required=True)
    blank = fields.List(fields.Integer(), required=True)
    errors = fields.List(fields.Nested(VisitLineErrors), required=True)
    left = fields.Integer(required=True, metadata={"description": f"more than {screening_import.AT_ONCE} lines: this many wait, call again with another key"})


class VisitListGone(schemas.Said):
    list = fields.String(required=True)


@operation(blp, "POST", "/screening-lists", VisitPreview, status=201, sent=_UPLOAD, media="multipart/form-data", replies=(400, 413, 415))
def upload() -> Any:
    """Upload a filled-in annex and see what each line would do. It is kept encrypted for you alone, for 8 hours; nothing is brought in. 422 for what is neither annex
    as printed: columns missing, shuffled or renamed, macros, too many lines."""
    who = import_screening.allow(me())
    made, data = bureau(), one_file(documents.MAX_BYTES)
    seen = screening_import.look(made, who, data)  # what is no annex is not kept
    once(seen.digest, lambda _: {"list": seen.digest})
    kept_lists.keep(made.office.keys, made.settings.files, me(), data)
    return screening_import.report(seen, spoken()), {"Location": f"/api/v1/screening-lists/{seen.digest}"}


@operation(blp, "GET", "/screening-lists/<sha256:digest>", VisitPreview, replies=(403, 404))
def show(digest: str) -> Any:
    """The preview again, as things stand now. 404 when you did not upload it, or more than 8 hours ago."""
    return screening_import.report(screening_import.kept(bureau(), import_screening.allow(me()), digest), spoken())


@operation(blp, "POST", "/screening-lists/<sha256:digest>/import", VisitsImported, takes=VisitImport, example=_EXAMPLE, replies=(404,))
def bring_in(digest: str, said: dict[str, Any]) -> Any:
    """Bring in all lines, or those chosen, as visits that wait for their visitors' confirmation: of the second one where you are the first, else of both. Lines with errors,
    those that nobody visited and visits that are here already are named, never changed. Each visit is a transaction of its own. 422 while a line lacks an answer."""
    import_screening.allow(me())
    return importing.once(bureau(), me(), key_of([digest, said]), lambda: _done(digest, said))


def _done(digest: str, said: Mapping[str, Any]) -> dict[str, Any]:
    who = import_screening.allow(me())
    try:
        seen = screening_import.kept(bureau(), who, digest, said["answers"], {int(n): own for n, own in said["row_answers"].items()})
        if said["rows"] is not None:
            seen = import_screening.choose(seen, said["rows"])
        done = screening_import.bring_in(bureau(), seen, who)
    except Invalid as error:
        raise Invalid({place(name): importing.in_words(texts, spoken()) for name, texts in error.fields.items()}) from None
    done["errors"] = [{"row": one["row"], "errors": {c: importing.in_words(texts, spoken()) for c, texts in one["errors"].items()}} for one in done["errors"]]
    return done


@operation(blp, "GET", "/screening-lists/<sha256:digest>/errors", (XLSX,), replies=(403, 404))
def errors(digest: str) -> Any:
    """The lines with errors as a workbook, why in the last column: mend it and upload it."""
    book = import_screening.error_workbook(screening_import.kept(bureau(), import_screening.allow(me()), digest))
    return errors_of(book)


@operation(blp, "DELETE", "/screening-lists/<sha256:digest>", VisitListGone)
def discard(digest: str) -> Any:
    """Remove what was kept; visits that were brought in stay."""
    import_screening.allow(me())
    kept_lists.discard(bureau().office.keys, bureau().settings.files, me(), digest)
    return {"list": digest}
