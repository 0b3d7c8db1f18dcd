"""The server's log: a line of JSON for each request; nothing of people, cases or searches in it."""

from __future__ import annotations

import json
import logging

import pytest
import structlog

from tests.served import app_of
from web import logs


@pytest.fixture
def told(capsys):
    before = logging.getLogger().handlers[:], logging.getLogger().level
    yield lambda: [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    logging.basicConfig(level=before[1], handlers=before[0], force=True)
    structlog.reset_defaults()


def test_a_request_is_told_by_its_rule(bureau, district, told):
    logs.configure()
    http = app_of(bureau).test_client()
    http.get("/sign-in?next=/households?name=张建国")
    http.get("/cases/DB-2018-000001")
    http.get("/no-such-page/张建国")
    lines = [line for line in told() if line["event"] == "request"]
    assert [(line["method"], line["rule"], line["status"]) for line in lines] == [
        ("GET", "/sign-in", 200), ("GET", "/cases/<no>", 302), ("GET", None, 404)]  # fmt: skip
    assert all(line["level"] == "info" and line["ms"] >= 0 and line["timestamp"] for line in lines)
    assert "张建国" not in json.dumps(lines, ensure_ascii=False) and "000001" not in json.dumps(lines)


def test_an_error_of_the_engine_is_a_line_with_its_trace(told):
    logs.configure()
    try:
        raise ValueError("a bug")
    except ValueError:
        logging.getLogger("engine.jobs").exception("job %s failed", "timer")
    [line] = told()
    assert line["event"] == "job timer failed" and line["level"] == "error"
    assert line["exception"][0]["exc_type"] == "ValueError"
