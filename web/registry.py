"""The bundled registries: answers about invented people, so that demo and tests really call something over HTTP.

How a person behaves follows from the last two digits before the check digit of his ID: 97 late, 96 failing twice,
95 contradictory, 94 partial, 93 always down; deposits and cars may be given in `known`. The contract stands in docs/registry.md.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping
from typing import Any

from flask import Flask, jsonify, request
from flask.typing import ResponseReturnValue

ODD = LATE, FAILING, CONTRADICTORY, PARTIAL, DOWN = "97", "96", "95", "94", "93"
MAX_REQUEST = 256 * 1024


def create_registry(known: Mapping[str, list[dict[str, str]]] | None = None, as_of: str = "2018-11-30") -> Flask:
    """`known`: ID -> extra findings [{"source", "item", "value"}]."""
    app = Flask("yingbao-registry")
    app.config["MAX_CONTENT_LENGTH"] = MAX_REQUEST
    asked: Counter[str] = Counter()
    turn = threading.Lock()
    told = {} if known is None else known

    @app.post("/v1/queries")
    def query() -> ResponseReturnValue:
        said: Any = request.get_json(silent=True)
        if (wrong := _wrong(said)) is not None:
            return jsonify(error=wrong[1]), wrong[0]
        marks = {p["id_no"][-3:-1] for p in said["persons"]}
        with turn:
            asked[said["request_id"]] += 1
            times = asked[said["request_id"]]
        if DOWN in marks or (FAILING in marks and times <= 2):
            return jsonify(error="registry is down"), 503
        if LATE in marks and times <= 1:
            return jsonify(status="working"), 202, {"Retry-After": "1"}
        answers = [_answer(s, said["persons"], marks, told, as_of) for s in dict.fromkeys(said["sources"])]
        return jsonify(status="done", request_id=said["request_id"], answers=answers)

    return app


def _wrong(said: Any) -> tuple[int, str] | None:
    """(status, why) of a question that is not answered."""
    if not isinstance(said, dict) or not isinstance(said.get("request_id"), str) or not said["request_id"]:
        return 400, "request_id is needed"
    persons, sources = said.get("persons"), said.get("sources")
    if not isinstance(persons, list) or not isinstance(sources, list) or not all(isinstance(s, str) for s in sources):
        return 400, "persons and sources are needed"
    for person in persons:
        if not isinstance(person, dict) or not all(isinstance(person.get(k), str) and person[k] for k in ("ref", "id_no", "name")):
            return 400, "each person has ref, id_no and name"
        if not person.get("authorisation_id"):
            return 403, "a person did not authorise the question"
    return None


def _answer(source: str, persons: list[dict[str, Any]], marks: set[str], told: Mapping[str, Any], as_of: str) -> dict[str, Any]:
    if PARTIAL in marks and source in ("tax", "deposits"):
        return {"source": source, "status": "unavailable"}
    found = []
    for person in persons:
        ref = person["ref"]
        known = [k for k in told.get(person["id_no"], ()) if k["source"] == source]
        found += [{"ref": ref, "item": k["item"], "value": k["value"], "as_of": as_of} for k in known]
        if person["id_no"][-3:-1] == CONTRADICTORY and source in ("tax", "social_security"):
            found.append({"ref": ref, "item": "employer", "value": "有" if source == "tax" else "无", "as_of": as_of})
    return {"source": source, "status": "answered", "found": found}
