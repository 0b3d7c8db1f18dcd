"""The JSON API: the second door to the same engine, documented by OpenAPI, under the same rules as the pages."""

from __future__ import annotations

from typing import Any

from flask import Flask, jsonify, request
from flask.typing import ResponseReturnValue
from flask_smorest import Api
from werkzeug.exceptions import HTTPException

from engine.errors import Conflict, EngineError
from engine.forms import flat
from processes.eligibility import BadFacts
from web.api import cases, household, misc, tasks
from web.errors import problem

PREFIX = "/api/v1"


def init_app(app: Flask, csrf: Any) -> None:
    app.config.update(OPENAPI_URL_PREFIX=PREFIX, OPENAPI_JSON_PATH="openapi.json")
    made = Api(app, spec_kwargs={
        "components": {"securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}}},
        "security": [{"bearer": []}],
        "info": {"description": "Casework for social assistance. Money is yuan as text, dates are ISO. Forms: see each task's JSON Schema."},
    })  # fmt: skip
    for part in (misc, cases, tasks, household):
        csrf.exempt(part.blp)
        made.register_blueprint(part.blp)


def _errors() -> None:
    """Under /api every failure is the problem payload; elsewhere the pages' handlers go on."""
    def known(error: Exception) -> ResponseReturnValue:
        said = problem(error, request.accept_languages.best_match(["zh", "en"]) or "zh")
        if isinstance(error, Conflict) and request.headers.get("If-Match"):
            said["code"] = 412
        return jsonify(said), said["code"]

    for part in (misc, cases, tasks, household):
        part.blp.register_error_handler(EngineError, known)
        part.blp.register_error_handler(BadFacts, known)
        part.blp.register_error_handler(HTTPException, http_problem)


def http_problem(error: HTTPException) -> ResponseReturnValue:
    code = error.code or 500
    data = getattr(error, "data", None) or {}
    said = {"code": code, "status": error.name, "message": data.get("message") or error.description or error.name, "errors": _flat(data.get("messages"))}
    return jsonify(said), code, dict(data.get("headers") or {})


def _flat(messages: Any) -> dict[str, Any]:
    return flat((messages or {}).get("json", messages)) if isinstance(messages, dict) else {}


_errors()
