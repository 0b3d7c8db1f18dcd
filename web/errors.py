"""One table: what went wrong -> status and words, for pages and for the API."""

from __future__ import annotations

from typing import Any

from engine.errors import BadProcess, Conflict, Diverged, EngineError, Invalid, NotFound, NotWaiting, Refused
from processes.eligibility_facts import BadFacts
from processes.law import BadLaw
from web.english import english

STATUS: tuple[tuple[type[Exception], int], ...] = (
    (NotFound, 404),
    (Refused, 403),
    (Invalid, 422),
    (BadFacts, 422),
    (BadLaw, 422),  # no value of that day: what was asked for is not to be had
    (NotWaiting, 409),
    (Conflict, 409),
    (Diverged, 409),
    (BadProcess, 500),
    (EngineError, 400),
)


def status_of(error: Exception) -> int:
    return next(status for kind, status in STATUS if isinstance(error, kind))


def words(error: Exception, lang: str) -> str:
    return english(str(getattr(error, "en", error))) if lang == "en" else str(error)


def fields_of(error: Exception) -> dict[str, list[str]]:
    found: dict[str, list[str]] = getattr(error, "fields", {})
    return found


def said(error: Exception, lang: str) -> dict[str, list[str]]:
    """The fields of an error in the language of the page."""
    if lang == "en" and (known := getattr(error, "english", None)):
        return dict(known)
    return {path: [english(text) for text in texts] if lang == "en" else texts for path, texts in fields_of(error).items()}


def problem(error: Exception, lang: str = "zh") -> dict[str, Any]:
    """The API's problem payload: {code, status, message, errors, rule?}."""
    code = status_of(error)
    fields = said(error, lang)
    message = error.told(": ", ", ", "; ", fields) if lang == "en" and isinstance(error, Invalid) else words(error, lang)
    told: dict[str, Any] = {"code": code, "status": type(error).__name__, "message": message, "errors": fields}
    if isinstance(error, Refused):
        told["rule"] = error.rule
    return told
