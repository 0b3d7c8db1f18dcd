"""The JSON API: the second door to the same engine, documented by OpenAPI, under the same rules as the pages."""

from __future__ import annotations

import json
from functools import cached_property
from typing import Any

from flask import Flask, Response, g, jsonify
from flask.typing import ResponseReturnValue
from flask_smorest import Api
from sqlalchemy.exc import DataError, IntegrityError, OperationalError
from werkzeug.exceptions import HTTPException

from engine import queries
from engine.cases import task_etag
from engine.errors import EngineError
from engine.forms import flat
from processes.eligibility_facts import BadFacts
from processes.law import BadLaw
from web.api import (
    account_book,
    accountability,
    appeals,
    attachments,
    audit,
    benefits,
    campaigns,
    cases,
    complaints,
    dashboard,
    definitions,
    dispersed,
    displays,
    expenditure,
    facilities,
    festival,
    findings,
    habits,
    household,
    incidents,
    intakes,
    law,
    leads,
    ledger,
    lists,
    meetings,
    misc,
    notifications,
    payments,
    progress,
    publicity,
    record,
    reports,
    reviews,
    schemas,
    screening,
    screening_lists,
    screening_plans,
    staff,
    standards,
    supervision,
    tables,
    tasks,
    temporary,
    training_sessions,
    visits,
    whatif,
)
from web.api.desk import say, spoken
from web.api.operation import CONVERTERS, form_components
from web.desk import bureau
from web.errors import problem

PREFIX = "/api/v1"
PARTS = (misc, cases, tasks, habits, household, benefits, expenditure, standards, lists, staff, incidents, meetings, reports, reviews, record, audit, findings, appeals, tables, law, whatif, temporary, definitions, ledger, accountability, leads, screening, complaints, campaigns, attachments, facilities, dispersed, intakes, displays, training_sessions, publicity, festival, progress, screening_lists, screening_plans, payments, account_book, visits, dashboard, notifications, supervision)

_ABOUT = """Casework for social assistance. Every call needs `Authorization: Bearer TOKEN` (`yingbao user token NAME`),
except `notices`, what stands under `public/`, and this document.

Money is yuan as text ("2100.00") where a form asks for it, whole fen where a name ends in `_fen` in an answer.
Dates are ISO. A task's form is JSON Schema: read `form` of GET tasks/{id}, send it as `answers`.
Where a form asks for a document, it is the `id` that POST households/{household_id}/documents gave (GET lists them); for staff, a `login` of GET staff?role=.
Lists are pages {items, page, size, total, pages}.
Every refusal is a Problem {code, status, message, errors}; `Accept-Language: en` gives English words."""


class YingbaoApi(Api):
    ERROR_SCHEMA = schemas.Problem

    @cached_property
    def _document(self) -> str:
        """Put together once: half a second's work, and nothing of it changes while the program runs."""
        return json.dumps(self.spec.to_dict(), ensure_ascii=False)

    def _openapi_json(self) -> Response:
        return Response(self._document, mimetype="application/json")


def init_app(app: Flask, csrf: Any) -> None:
    app.config.update(OPENAPI_URL_PREFIX=PREFIX, OPENAPI_JSON_PATH="openapi.json", OPENAPI_VERSION="3.1.0")
    for name, (converter, _) in CONVERTERS.items():
        app.url_map.converters[name] = converter
    made = YingbaoApi(app, spec_kwargs={
        "components": {"securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}}},
        "security": [{"bearer": []}],
        "info": {"description": _ABOUT},
    })  # fmt: skip
    for converter, shape in CONVERTERS.values():
        made.register_converter(converter, lambda _converter, shape=shape: dict(shape))
    for name, form in form_components().items():
        made.spec.components.schema(name, form)
    for part in PARTS:
        csrf.exempt(part.blp)
        made.register_blueprint(part.blp)


# -- under /api every failure is the problem payload; elsewhere the pages' handlers go on


def _known(error: Exception) -> ResponseReturnValue:
    said = problem(error, spoken())
    return jsonify({**said, **_as_it_is(said["code"])}), said["code"]


def _unkept(_: Exception) -> ResponseReturnValue:
    """What no form caught and no database keeps: too long, too large, not text."""
    return _said(
        422,
        "Unprocessable",
        say("含有不能保存的内容（过长、过大或不是文字）", "Something cannot be kept: too long, too large, or not text"),
    )


def _twice(_: Exception) -> ResponseReturnValue:
    return _said(
        409, "Conflict", say("别人刚刚登记了同样的内容，请刷新后再看", "Somebody else has just entered the same")
    )


def _busy(_: Exception) -> ResponseReturnValue:
    return _said(503, "Service Unavailable", say("系统正忙，请稍后再试", "The database is busy, try again"))


def _said(code: int, status: str, message: str, errors: Any = None) -> Response:
    made: Response = jsonify({"code": code, "status": status, "message": message, "errors": errors or {}, **_as_it_is(code)})
    made.status_code = code
    return made


def _as_it_is(code: int) -> dict[str, Any]:
    """Beside what the caller sent: the task as somebody else left it."""
    task_id = g.pop("task_of_this_call", None)
    if code not in (409, 412) or task_id is None:
        return {}
    with bureau().office.read() as conn:
        row = queries.task_row(conn, task_id)
    names = ("state", "assignee", "done_by", "due_on", "flags")
    return {"now": {**{name: row[name] for name in names}, "closed_at": row["closed_at"] and row["closed_at"].isoformat(), "etag": task_etag(row)}}


_WORDS = {
    400: ("请求的写法不正确", "The request is not well formed"),
    404: ("没有这个地址", "There is no such address"),
    429: ("请求过于频繁，请稍后再试", "Asked too often, try again later"),
    405: ("这个地址不接受这种方法", "This address does not take that method"),
    413: ("提交的内容太大", "Too large"),
    500: ("系统出错，您的操作没有生效；请把时间告诉管理员", "Something failed on our side; nothing was changed"),
}


def http_problem(error: HTTPException) -> ResponseReturnValue:
    code = error.code or 500
    ours = error.description if error.description != type(error).description else None
    message = ours or say(*_WORDS.get(code, (error.name, error.name)))
    data = getattr(error, "data", None) or {}
    messages = data.get("messages")
    errors = flat(messages) if isinstance(messages, dict) else {}
    made = _said(code, error.name, data.get("message") or message, errors)
    made.headers.update({name: value for name, value in error.get_headers() if name in ("Allow", "Retry-After")})
    if code == 401:
        made.headers["WWW-Authenticate"] = 'Bearer realm="yingbao"'
    return made


def _private(response: Response) -> Response:
    """Answers hold personal data: nothing on the way keeps them, unless an operation says that its own do not."""
    response.headers.setdefault("Cache-Control", "no-store")
    response.headers["Vary"] = "Authorization, Accept-Language"
    return response


def _handle() -> None:
    for part in PARTS:
        for kind, handler in (
            (EngineError, _known), (BadFacts, _known), (BadLaw, _known), (HTTPException, http_problem), (DataError, _unkept), (OverflowError, _unkept),
            (UnicodeError, _unkept), (IntegrityError, _twice), (OperationalError, _busy),
        ):  # fmt: skip
            part.blp.register_error_handler(kind, handler)
        part.blp.after_request(_private)


_handle()
