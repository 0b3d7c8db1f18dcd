"""The OpenAPI document is sound, says what each operation needs, and every answer in the tests is held against it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask import Flask

PREFIX = "/api/v1"
VERBS = ("get", "put", "post", "delete", "patch")
_KINDS = {"object": dict, "array": list, "string": str, "boolean": bool, "integer": int, "number": (int, float), "null": type(None)}


def misfits(doc: dict[str, Any], schema: dict[str, Any], value: Any, path: str = "$") -> list[str]:
    """Where a JSON value does not fit a JSON Schema of the document: as much of the standard as the document uses."""
    if "$ref" in schema:
        return misfits(doc, resolved(doc, schema["$ref"]), value, path)
    if choices := schema.get("anyOf") or schema.get("oneOf"):
        found = [misfits(doc, one, value, path) for one in choices]
        return [] if [] in found else [f"{path}: none of {len(choices)} fits", *found[0]]
    kinds = schema.get("type")
    kinds = [kinds] if isinstance(kinds, str) else kinds or list(_KINDS)
    if not any(isinstance(value, _KINDS[k]) and (k == "boolean" or not isinstance(value, bool)) for k in kinds):
        return [f"{path}: {value!r} is not {kinds}"]
    found = []
    if "enum" in schema and value not in schema["enum"]:
        found.append(f"{path}: {value!r} is not in the enum")
    if isinstance(value, str) and "pattern" in schema and not re.search(schema["pattern"], value):
        found.append(f"{path}: {value!r} does not match {schema['pattern']}")
    if isinstance(value, dict) and "type" in schema:
        found += _object(doc, schema, value, path)
    if isinstance(value, list):
        found += [m for n, item in enumerate(value) for m in misfits(doc, schema.get("items", {}), item, f"{path}.{n}")]
    return found


def _object(doc: dict[str, Any], schema: dict[str, Any], value: dict[str, Any], path: str) -> list[str]:
    known, more = schema.get("properties", {}), schema.get("additionalProperties", {})
    found = [f"{path}: {name} is missing" for name in schema.get("required", []) if name not in value]
    for name, inner in value.items():
        if name in known:
            found += misfits(doc, known[name], inner, f"{path}.{name}")
        elif more is False:
            found.append(f"{path}: {name} is not documented")
        elif isinstance(more, dict):
            found += misfits(doc, more, inner, f"{path}.{name}")
    return found


def resolved(doc: dict[str, Any], ref: str) -> Any:
    found: Any = doc
    for part in ref.removeprefix("#/").split("/"):
        found = found[part]
    return found


def documented(app: Flask, doc: dict[str, Any], method: str, path: str) -> dict[str, Any] | None:
    """The operation that answers a path, if a route does."""
    try:
        rule, _ = app.url_map.bind("localhost").match(path, method=method, return_rule=True)
    except Exception:  # noqa: BLE001 - 404 and 405 have no page in the document
        return None
    found: dict[str, Any] = doc["paths"][re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule)][method.lower()]
    return found


def walk(value: Any):
    if isinstance(value, dict):
        yield value
        for inner in value.values():
            yield from walk(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from walk(inner)


@pytest.fixture(scope="module")
def app(tmp_path_factory) -> Flask:
    """An application; the document needs no database."""
    from tests.conftest import DATA_KEY
    from web import create_app
    from web.settings import Settings

    folder = tmp_path_factory.mktemp("doc")
    return create_app(Settings(database=f"sqlite:///{folder / 'doc.sqlite'}", secret_key="s" * 32, data_key=DATA_KEY, files=folder))


@pytest.fixture(scope="module")
def doc(app) -> dict[str, Any]:
    answer = app.test_client().get(f"{PREFIX}/openapi.json")
    assert answer.status_code == 200
    return answer.json


def operations(doc):
    return [(path, verb, op) for path, item in doc["paths"].items() for verb, op in item.items() if verb in VERBS]


def test_it_is_openapi_3_1_with_a_bearer_scheme_for_everything_but_notices(doc):
    assert doc["openapi"].startswith("3.1")
    assert doc["components"]["securitySchemes"] == {"bearer": {"type": "http", "scheme": "bearer"}}
    assert doc["security"] == [{"bearer": []}]
    assert {path for path, _, op in operations(doc) if op.get("security") == []} == {f"{PREFIX}/notices", *(path for path in doc["paths"] if path.startswith(f"{PREFIX}/public/"))}
    assert doc["info"]["title"]
    assert doc["info"]["version"]


def test_every_reference_resolves(doc):
    refs = {node["$ref"] for node in walk(doc) if isinstance(node.get("$ref"), str)}
    assert len(refs) > 50
    for ref in refs:
        assert isinstance(resolved(doc, ref), dict), ref


def test_every_route_of_the_api_is_documented_and_nothing_else(app, doc):
    routes = {(re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", r.rule), m.lower()) for r in app.url_map.iter_rules() if r.rule.startswith(PREFIX)
              for m in r.methods - {"HEAD", "OPTIONS"}}  # fmt: skip
    assert routes - {(f"{PREFIX}/openapi.json", "get")} == {(path, verb) for path, verb, _ in operations(doc)}


def test_every_operation_says_what_it_takes_gives_and_refuses(doc):
    ids = [op["operationId"] for _, _, op in operations(doc)]
    assert len(ids) == len(set(ids))
    for path, verb, op in operations(doc):
        good = [code for code in op["responses"] if code.startswith("2")]
        assert len(good) == 1, (path, verb)
        assert op["responses"][good[0]]["content"], (path, verb)
        assert op["responses"]["default"]["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/Problem"}
        assert ("401" in op["responses"]) is (op.get("security") != [])
        if verb in ("post", "put") and op.get("security") != []:  # what needs no token changes nothing
            assert {"403", "409", "422"} <= op["responses"].keys(), (path, verb)
        assert op["tags"]


def test_path_parameters_fit_the_path_and_are_required(doc):
    for path, item in doc["paths"].items():
        named = {p["name"]: p for p in item.get("parameters", []) if p["in"] == "path"}
        assert set(re.findall(r"{(\w+)}", path)) == named.keys()
        assert all(p["required"] and p["schema"]["type"] in ("integer", "string") for p in named.values())


def test_tasks_take_if_match_and_posts_take_a_key(doc):
    for path, verb, op in operations(doc):
        headers = {p["name"] for p in op.get("parameters", []) if p["in"] == "header"}
        if verb == "post" and op.get("security") != []:
            assert "Idempotency-Key" in headers, path
        if path.startswith(f"{PREFIX}/tasks/{{") and verb != "get":  # one task, not several at once
            assert "If-Match" in headers, path


def test_examples_fit_their_schemas(doc):
    seen = 0
    for _, _, op in operations(doc):
        for content in op.get("requestBody", {}).get("content", {}).values():
            if "example" in content:
                seen += 1
                assert misfits(doc, content["schema"], content["example"]) == []
    assert seen >= 4


def test_the_forms_of_the_process_are_in_the_document(doc):
    from processes.bureau import CATALOGUE

    names = {f"form.{form.__name__}" for p in CATALOGUE.values() for form in [p.start_form, *p.forms.values()]}
    assert names <= doc["components"]["schemas"].keys()
