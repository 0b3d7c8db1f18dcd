"""The bundled registries: answers about invented people, so that demo and tests really call something over HTTP.

How a person behaves follows from the last two digits before the check digit of his ID: 97 late, 96 failing twice,
95 contradictory, 94 partial; deposits and cars may be given in `known`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from flask import Flask, jsonify, request
from flask.typing import ResponseReturnValue

LATE, FAILING, CONTRADICTORY, PARTIAL = "97", "96", "95", "94"


def create_registry(known: Mapping[str, list[dict[str, str]]] | None = None, as_of: str = "2018-11-30") -> Flask:
    """`known`: ID -> extra findings [{"source", "item", "value"}]."""
    app = Flask("yingbao-registry")
    asked: Counter[str] = Counter()
    told = known or {}

    @app.post("/v1/queries")
    def query() -> ResponseReturnValue:
        said = request.get_json(silent=True)
        if not isinstance(said, dict) or not isinstance(said.get("persons"), list) or not said.get("request_id"):
            return jsonify(error="request_id and persons are needed"), 400
        marks = {str(p.get("id_no", ""))[-3:-1] for p in said["persons"]}
        asked[said["request_id"]] += 1
        times = asked[said["request_id"]]
        if FAILING in marks and times <= 2:
            return jsonify(error="registry is down"), 503
        if LATE in marks and times <= 1:
            return jsonify(status="working"), 202, {"Retry-After": "1"}
        sources = [str(s) for s in said.get("sources", ())]
        return jsonify(status="done", answers=[_answer(s, said["persons"], marks, told, as_of) for s in sources])

    return app


def _answer(source: str, persons: list[dict[str, Any]], marks: set[str], told: Mapping[str, Any], as_of: str) -> dict[str, Any]:
    if PARTIAL in marks and source in ("tax", "deposits"):
        return {"source": source, "status": "unavailable"}
    found = []
    for person in persons:
        ref = person.get("ref")
        known = [k for k in told.get(str(person.get("id_no")), ()) if k["source"] == source]
        found += [{"ref": ref, "item": k["item"], "value": k["value"], "as_of": as_of} for k in known]
        if str(person.get("id_no", ""))[-3:-1] == CONTRADICTORY and source in ("tax", "social_security"):
            found.append({"ref": ref, "item": "employer", "value": "有" if source == "tax" else "无", "as_of": as_of})
    return {"source": source, "status": "answered", "found": found}
