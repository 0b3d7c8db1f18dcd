"""One decorator makes a function an API operation: route, guard, reading of input, and its page in the document.

What is documented is what is done: the schema that reads a body or a query string is the schema in the document.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import wraps
from typing import Any

from flask import Response, jsonify
from flask_smorest import Blueprint
from marshmallow import Schema
from werkzeug.routing import BaseConverter

from engine.errors import Invalid
from engine.forms import Form, json_schema, named
from web.api import schemas
from web.api.desk import authenticate, body, load, query, spoken

FORMS: dict[str, type[Form]] = {}  # component name -> form that an operation takes, documented by its own JSON Schema
View = Callable[..., Any]

IDEMPOTENCY = {
    "name": "Idempotency-Key", "in": "header", "schema": {"type": "string", "minLength": 1, "maxLength": 100},
    "description": "A repeat with the same key and body has no further effect and gets the same answer; another body gets 422."}  # fmt: skip
IF_MATCH = {
    "name": "If-Match", "in": "header", "schema": {"type": "string"},
    "description": "The ETag as last seen; 412 when it is stale.", "example": '"65538-1"'}  # fmt: skip

IF_NONE_MATCH = {
    "name": "If-None-Match", "in": "header", "schema": {"type": "string"},
    "description": "The ETag as last seen; 304 without a body when it is still so."}  # fmt: skip


class RowId(BaseConverter):
    """A number of a row: never longer than the database's."""

    regex = r"[0-9]{1,18}"

    def to_python(self, value: str) -> int:
        return int(value)


class CaseNo(BaseConverter):
    regex = r"[A-Za-z0-9-]{1,40}"


class Digest(BaseConverter):
    regex = r"[0-9a-f]{64}"


class TableKey(BaseConverter):
    regex = r"[a-z][a-z0-9-]{0,39}"


class Name(BaseConverter):
    regex = r"[a-z_]{1,60}"


class LedgerNo(BaseConverter):
    """A number of the ledger: L1 to L6, with a letter for its parts; one end of the period; or a kind of correction."""

    regex = r"(?:L[1-9][a-d]?|start|end|listed|again|moved_in|moved_out|converted_in|converted_out)"


CONVERTERS: Mapping[str, tuple[type[BaseConverter], dict[str, Any]]] = {
    "row": (RowId, {"type": "integer", "minimum": 0, "maximum": 10**18 - 1}),
    "no": (CaseNo, {"type": "string", "pattern": f"^{CaseNo.regex}$", "example": "DB-2018-000123"}),
    "sha256": (Digest, {"type": "string", "pattern": f"^{Digest.regex}$"}),
    "table": (TableKey, {"type": "string", "pattern": f"^{TableKey.regex}$", "example": "category"}),
    "number": (LedgerNo, {"type": "string", "pattern": f"^{LedgerNo.regex}$", "example": "L4a"}),
    "name": (Name, {"type": "string", "pattern": f"^{Name.regex}$"}),
}


@dataclass(frozen=True)
class Operation:
    """`gives`: schema of the answer, or media types; `takes`, `asks`: schema of body and query string."""

    gives: type[Schema] | tuple[str, ...]
    status: int = 200
    takes: type[Schema] | None = None
    asks: type[Schema] | None = None
    raw: bool = False  # a JSON object whose shape the view knows; `sent` documents it
    sent: Mapping[str, Any] | None = None  # another schema or media type for the document
    media: str = "application/json"
    optional: bool = False  # the body may be left out
    public: bool = False
    etag: bool = False
    cached: bool = False  # may be kept and asked for again with If-None-Match
    if_match: bool = False
    example: Any = None
    replies: tuple[int, ...] = field(default=())  # refusals besides the usual ones


def operation(
    blp: Blueprint, method: str, rule: str, gives: type[Schema] | tuple[str, ...], **kind: Any
) -> Callable[[View], View]:
    """Register `view(**path, said=, asked=)` as METHOD rule. It returns JSON, (JSON, headers), or a Response."""
    made, part = Operation(gives, **kind), blp.name.removeprefix("api_")

    def decorator(view: View) -> View:
        @wraps(view)
        def run(**path: Any) -> Response:
            if not made.public:
                authenticate()
            try:
                return _answer(view(**path, **_input(made)), made.status)
            except Invalid as error:  # what only the tables could tell: its fields are called as the form calls them, too
                if made.takes is None or not issubclass(made.takes, Form):
                    raise
                raise named(made.takes(context={"lang": spoken()}), error) from error

        documented = blp.doc(**_document(made, method, f"{part}_{view.__name__}"))(run)
        blp.route(rule, methods=[method], tags=[part])(documented)
        return view

    return decorator


def _input(made: Operation) -> dict[str, Any]:
    given: dict[str, Any] = {}
    if made.asks is not None:
        given["asked"] = query(made.asks)
    else:
        query(schemas.Nothing)
    if made.raw:
        given["said"] = body()
    elif made.takes is not None:
        given["said"] = load(made.takes, body(optional=made.optional))
    elif made.optional:
        load(schemas.Nothing, body(optional=True))
    return given


def _answer(result: Any, status: int) -> Response:
    if isinstance(result, Response):
        return result
    said, headers = result if isinstance(result, tuple) else (result, {})
    response: Response = jsonify(said)
    response.status_code = status
    response.headers.update(headers)
    return response


# -- the document


def _document(made: Operation, method: str, operation_id: str) -> dict[str, Any]:
    said: dict[str, Any] = {"operationId": operation_id, "responses": _responses(made, method)}
    parameters: list[Any] = []
    if made.asks is not None:
        parameters.append({"in": "query", "schema": made.asks})
    if method == "POST" and not made.public:
        parameters.append(IDEMPOTENCY)
    if made.if_match:
        parameters.append(IF_MATCH)
    if made.cached:
        parameters.append(IF_NONE_MATCH)
    if parameters:
        said["parameters"] = parameters
    if (shape := made.sent or (made.takes and shape_of(made.takes))) is not None:
        content = {"schema": shape} | ({"example": made.example} if made.example is not None else {})
        said["requestBody"] = {"required": not made.optional, "content": {made.media: content}}
    if made.public:
        said["security"] = []
    return said


def shape_of(schema: type[Schema]) -> Any:
    """A schema class for apispec; a form is documented by its own JSON Schema, under `form.NAME`."""
    if issubclass(schema, Form) and not issubclass(schema, schemas.Strict):
        FORMS[f"form.{schema.__name__}"] = schema
        return {"$ref": f"#/components/schemas/form.{schema.__name__}"}
    return schema


def _responses(made: Operation, method: str) -> dict[str, Any]:
    good: dict[str, Any] = {"description": "Done" if method != "GET" else "Found"}
    if isinstance(made.gives, tuple):
        good["content"] = {media: {"schema": {"type": "string", "format": "binary"}} for media in made.gives}
    else:
        good["content"] = {"application/json": {"schema": made.gives}}
    if made.etag:
        good["headers"] = {"ETag": {"schema": {"type": "string"}, "description": "Send it back as If-Match"}}
    if made.cached:
        good["headers"] = {"ETag": {"schema": {"type": "string"}, "description": "Send it back as If-None-Match"}}
    same: dict[str, Any] = {"304": {"description": "Still the same"}} if made.cached else {}
    refusals = {422, *made.replies}
    if not made.public:
        refusals |= {401}
    if made.takes or made.raw or made.optional:
        refusals |= {400, 413, 415}
    if method != "GET" and not made.public:
        refusals |= {403, 409}
    if made.if_match:
        refusals |= {412}
    problem = {"application/json": {"schema": schemas.Problem}}
    return {str(made.status): good, **same, **{str(n): {"description": _REFUSALS[n], "content": problem} for n in sorted(refusals)},
            "default": {"description": "Another problem", "content": problem}}  # fmt: skip


_REFUSALS = {
    400: "Not valid JSON",
    401: "No valid bearer token",
    403: "Not allowed; `rule` names the rule",
    404: "There is no such thing, or not for you",
    409: "Somebody else was first, or no node waits for it",
    412: "If-Match is stale",
    413: "Too large",
    415: "Not the content type that is expected",
    429: "Asked too often; Retry-After says when again",
    422: "Not understood; `errors` says where",
}


def form_components() -> dict[str, Any]:
    return {name: json_schema(form, "en") for name, form in FORMS.items()}
