"""What a notice costs that everybody looks at: requests a second from one process, beside an empty Flask view in the same run (the floor).

Threads of this process call the application as its server would, so what is measured is the application: neither sockets nor the server's own work.
"""

from __future__ import annotations

import base64
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import click
from flask import Flask
from sqlalchemy import insert
from werkzeug.test import EnvironBuilder, run_wsgi_app

from processes import bureau as bureaus
from processes import schema
from processes.case_tables import notice
from web import create_app
from web.bench import _Clock
from web.serving import settle
from web.settings import Settings

WANTED = 200  # requests a second from one process (issue 7)
THREADS = 8  # as `serve` has
_ROUNDS = 3
_NOTICE = {"case_no": "DB-2018-000001", "stage": "street_opinion", "street": "120116001", "community": "120116001016", "applicant": "Zhang Xiuying", "members": 3, "category": "dibao",
           "amount_fen": 66_000, "posted_on": "2018-12-03", "until_on": "2018-12-11"}  # fmt: skip


def run(database: str | None, *, as_json: bool, requests: int) -> int:
    """Exit status: 1 where a whole notice is answered fewer than WANTED times a second."""
    with tempfile.TemporaryDirectory() as folder:
        figures = measure(database or f"sqlite:///{folder}/bench.sqlite", Path(folder), requests=requests)
    if as_json:
        click.echo(json.dumps(figures))
    else:
        for name, value in figures.items():
            click.echo(f"{name:<42} {value}")
    return 0 if figures["notice_per_second"] >= WANTED else 1


def measure(url: str, folder: Path, *, requests: int) -> dict[str, Any]:
    """The database must be empty. Whole answers, those that a cache asks for again (304), the list of fifty, and the empty view, in turns; medians."""
    settings = Settings(database=url, secret_key="s" * 32, data_key=base64.b64encode(bytes(32)).decode(), files=folder / "files", registry="http://127.0.0.1:9")
    schema.upgrade(url)
    made = bureaus.build(settings, _Clock())
    with made.office.store.write() as conn:
        conn.execute(insert(notice), [{**_NOTICE, "id": n, "case_no": f"DB-2018-{n:06d}"} for n in range(1, 201)])
    app, floor = create_app(settings, made), _floor()
    settle()
    first = app.test_client(use_cookies=False).get("/public/notices/1")
    again = {"If-None-Match": first.headers["ETag"]}
    works: dict[str, Callable[[int], int]] = {
        "floor": lambda _n: _status(floor, "/"), "notice": lambda n: _status(app, f"/public/notices/{n % 200 + 1}"),
        "notice_again": lambda _n: _status(app, "/public/notices/1", again), "list": lambda n: _status(app, f"/public/notices?page={n % 4 + 1}")}  # fmt: skip
    told: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(_ROUNDS):
        for name, work in works.items():
            told[name].append(_per_second(work, requests if name != "list" else max(20, requests // 10)))
    made.office.store.close()
    median = {name: statistics.median(found) for name, found in told.items()}
    return {"database": url.split(":", 1)[0], "threads": THREADS, "requests": requests, **{f"{name}_per_second": round(found, 1) for name, found in median.items()},
            "notice_ratio_to_floor": round(median["notice"] / median["floor"], 3), "wanted_per_second": WANTED}  # fmt: skip


def _floor() -> Flask:
    app = Flask("floor")
    app.add_url_rule("/", view_func=lambda: "")
    return app


def _status(app: Flask, path: str, headers: dict[str, str] | None = None) -> int:
    """One request as the server hands it over: the body is read to its end."""
    body, status, _ = run_wsgi_app(app.wsgi_app, EnvironBuilder(path=path.partition("?")[0], query_string=path.partition("?")[2], headers=list((headers or {}).items())).get_environ(), buffered=True)
    b"".join(body)
    return int(status[:3])


def _per_second(work: Callable[[int], int], requests: int) -> float:
    begun = time.perf_counter()
    with ThreadPoolExecutor(THREADS) as pool:
        statuses = set(pool.map(work, range(requests)))
    spent = time.perf_counter() - begun
    if not statuses <= {200, 304}:
        raise click.ClickException(f"a page could not be read: {sorted(statuses)}")
    return requests / spent
