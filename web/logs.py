"""The server's log: one line of JSON for each request, without names, numbers of people, or what was sent."""

from __future__ import annotations

import logging
import sys
import time
from typing import Any

import structlog
from flask import Flask, Response, g, request

_log = structlog.get_logger("web")


def configure(level: int = logging.INFO) -> None:
    """Lines of JSON on standard error, those of the standard library's loggers among them. For `serve` and `worker`."""
    shared: list[Any] = [structlog.stdlib.add_log_level, structlog.processors.TimeStamper(fmt="iso", utc=True)]
    lines = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, structlog.processors.dict_tracebacks, structlog.processors.JSONRenderer()],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(lines)
    logging.basicConfig(level=level, handlers=[handler], force=True)
    logging.getLogger("huey").setLevel(logging.WARNING)  # it would tell of every ring
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def keep(app: Flask) -> None:
    """The rule of the address instead of the address: no case, household or search text reaches the log."""

    @app.before_request
    def _begin() -> None:
        g.begun = time.perf_counter()

    @app.after_request
    def _tell(response: Response) -> Response:
        if request.endpoint != "static" and logging.getLogger("web").isEnabledFor(logging.INFO):
            rule = request.url_rule.rule if request.url_rule else None
            spent = round((time.perf_counter() - g.get("begun", time.perf_counter())) * 1000, 1)
            _log.info("request", method=request.method, rule=rule, status=response.status_code, ms=spent)
        return response
