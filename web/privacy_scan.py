"""`yingbao scan --privacy`: crawls every page for everybody, makes the masked exports, reads the logs, and looks in all of it for the numbers,
accounts, telephones and illnesses of the district's own people (processes/privacy). It changes nothing.
"""

from __future__ import annotations

import io
import json
import logging
import re
import sys
import urllib.error
import urllib.request
import zipfile
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import click
from flask import Flask
from sqlalchemy import select

from engine.model import Actor
from processes import annexes, display_sheets, displays, event_log, ledger, organisation, privacy
from processes.bureau import Bureau
from processes.display_tables import display
from processes.privacy import Found, Known
from web import create_app, logs
from web.ledger import _spreadsheet

Answer = tuple[int, str, bytes]  # status, media type, body
Fetch = Callable[[str], Answer]
# Not the OpenAPI document: it is made of the program alone, and its examples are invented.
STARTS = ("/public", "/public/notices", "/public/displays", "/public/guide", "/public/phones", "/public/complaint", "/public/progress", "/public/assessment", "/sign-in", "/health", "/api/v1/notices", "/api/v1/public/displays",
          "/api/v1/public/phones", "/api/v1/public/guide", "/public/no-such-page", "/public/notices/1", "/public/displays/1")  # fmt: skip
_PEOPLE = re.compile(r"/(api/v1/)?(public/)?(notices|displays|progress)\b")
_POLICY = re.compile(r"/(api/v1/)?public/guide")
_LINK = re.compile(r'(?:href|action|src)="([^"]+)"')
_OPEN = re.compile(r"/(public|api/v1/(public|notices))(/|\?|$)")
MOST_PAGES = 20_000
_READER = Actor("scan", "", frozenset({"supervisor"}), organisation.DISTRICT, posts=(("supervisor", organisation.DISTRICT),))


def scanned(made: Bureau, *, url: str = "", log_files: Sequence[Path] = (), app: Flask | None = None) -> tuple[list[Found], dict[str, int]]:
    """(what is found, how much was looked at: pages, exports, log_lines). url: of a served district; else the pages are asked for in this process,
    and what it logs meanwhile is read, too."""
    with made.office.read() as conn:
        secrets = privacy.known(conn, made.office.keys.on(conn), made.office.today())
    app = app or create_app(made.settings, made)
    found, looked = list[Found](), {"pages": 0, "exports": 0, "log_lines": 0, "secrets": len(secrets.numbers) + len(secrets.illnesses)}
    with _heard() as told:
        fetch = _over_http(url) if url else _inside(app)
        for path, answer in crawled(fetch, secrets):
            looked["pages"] += 1
            found += judged(path, answer, secrets)
    for name, text in exported(made, app):
        looked["exports"] += 1
        found += privacy.look(f"export {name}", text, secrets, people=True)
    lines = [*(("log of this process", line) for line in told.getvalue().splitlines()), *((str(file), line) for file in log_files for line in _lines(file))]
    for n, (name, line) in enumerate(lines, start=1):
        looked["log_lines"] += 1
        found += privacy.look(f"{name}, line {n}", _unescaped(line), secrets, people=True)
    return found, looked


def judged(path: str, answer: Answer, secrets: Known) -> list[Found]:
    """A page: who it tells of decides what may stand in it."""
    return privacy.look(path, _text(answer), secrets, people=bool(_PEOPLE.match(path)), policy=bool(_POLICY.match(path)))


# -- pages


def crawled(fetch: Fetch, secrets: Known) -> Iterator[tuple[str, Answer]]:
    """Every page for everybody that a link leads to, once; and pages asked for with secrets in the address, as a careless person would."""
    careless = [number for number, _ in list(secrets.numbers.items())[:3]]
    waiting = deque([*STARTS, *(f"/public/notices?unit={n}" for n in careless), *(f"/public/progress?no={n}" for n in careless)])
    seen = set(waiting)
    while waiting and len(seen) <= MOST_PAGES:
        path = waiting.popleft()
        answer = fetch(path)
        yield path, answer
        for link in [*_links(path, answer), *_listed(path, answer)]:
            if link not in seen and _OPEN.match(link) and sum(name in link for name in ("lang=", "large=", "on=")) < 2:  # each way of showing it, not all together
                seen.add(link)
                waiting.append(link)


def _links(path: str, answer: Answer) -> Iterator[str]:
    if "html" not in answer[1]:
        return
    for link in _LINK.findall(answer[2].decode("utf-8", "replace")):
        parts = urlsplit(urljoin(f"http://here{path}", link.replace("&amp;", "&")))
        if parts.hostname == "here":
            yield parts.path + (f"?{parts.query}" if parts.query else "")


def _listed(path: str, answer: Answer) -> Iterator[str]:
    """The rest of a list of the API: its pages, and each of its rows."""
    if answer[0] != 200 or "json" not in answer[1] or not path.startswith("/api/v1/"):
        return
    said = json.loads(answer[2])
    base = path.partition("?")[0]
    if not isinstance(said, dict) or "items" not in said:
        return
    if said.get("page", 1) < said.get("pages", 1):
        yield f"{base}?page={said['page'] + 1}"
    for row in said["items"]:
        where = base.replace("/api/v1/notices", "/api/v1/public/notices")
        name = row.get("programme") or row.get("id")
        if name is not None and "phones" not in base:
            yield f"{where}/{name}"


def _inside(app: Flask) -> Fetch:
    client = app.test_client(use_cookies=False)

    def fetch(path: str) -> Answer:
        answer = client.get(path)
        return answer.status_code, answer.mimetype or "", answer.data

    return fetch


def _over_http(url: str) -> Fetch:
    base = url.rstrip("/")
    if urlsplit(base).scheme not in ("http", "https"):
        raise click.UsageError("--url is http://… or https://…")

    def fetch(path: str) -> Answer:
        try:
            with urllib.request.urlopen(base + path, timeout=60) as answer:  # noqa: S310 - the scheme is checked
                return answer.status, answer.headers.get_content_type(), answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.headers.get_content_type(), error.read()

    return fetch


def _text(answer: Answer) -> str:
    return _unescaped(answer[2].decode("utf-8", "replace")) if "json" in answer[1] else answer[2].decode("utf-8", "replace")


def _unescaped(text: str) -> str:
    r"""JSON as it reads: "\u5f20" is a name, too."""
    try:
        return json.dumps(json.loads(text), ensure_ascii=False)
    except ValueError:
        return text


# -- exports: as they leave the house, masked


def exported(made: Bureau, app: Flask) -> Iterator[tuple[str, str]]:
    """(name, text) of each: annexes 1 and 2 masked, the ledger as CSV, the event log in both formats, the sheets of the boards."""
    today = made.office.today()
    with made.office.read() as conn:
        keys = made.office.keys.on(conn)
        for number in annexes.TITLES:
            yield f"annex {number} (masked, xlsx)", _workbook(annexes.workbook(annexes.make(conn, keys, _READER, number, organisation.DISTRICT, today, today, full=False)))
        for kind in event_log.FORMATS:
            traces = event_log.traces(conn, lambda digest: made.cases.drawing(conn, digest), event_log.Wanted(""))
            yield f"event log ({kind})", "".join(event_log.chunks(kind, traces))
        for code in conn.scalars(select(display.c.community).distinct().order_by(display.c.community)):
            yield f"board of {code}", display_sheets.board(displays.of_board(conn, _READER, today, code), code, code[:9], "", today.isoformat())
    with made.office.snapshot() as conn, app.test_request_context():
        yield "ledger (csv)", _spreadsheet(ledger.told(conn, ledger.asked(conn, _READER, organisation.DISTRICT, None, None, today), today)).get_data(as_text=True)


def _workbook(data: bytes) -> str:
    """All texts of a workbook: cells, names, properties, comments."""
    with zipfile.ZipFile(io.BytesIO(data)) as book:
        return "\n".join(book.read(name).decode("utf-8", "replace") for name in book.namelist() if name.endswith((".xml", ".rels", ".vml")))


# -- logs


@contextmanager
def _heard() -> Iterator[io.StringIO]:
    """What this process logs, as it logs in production."""
    told, root = io.StringIO(), logging.getLogger()
    before, level = root.handlers[:], root.level
    logs.configure(logging.INFO)
    root.handlers[0].setStream(told)  # type: ignore[attr-defined]  # `configure` made a stream handler
    try:
        yield told
    finally:
        logging.basicConfig(level=level, handlers=before, force=True)


def _lines(file: Path) -> Iterable[str]:
    return file.read_text("utf-8", "replace").splitlines()


# -- the command


def command(opened: Callable[[], Bureau]) -> click.Command:
    """`opened` gives the bureau."""

    @click.command("scan")
    @click.option("--privacy", "wanted", is_flag=True, required=True, help="look for numbers, accounts, telephones, illnesses and minors' names of the district's people")
    @click.option("--url", default="", help="of a served district: its pages are asked for there; else in this process")
    @click.option("--logs", "log_files", multiple=True, type=click.Path(exists=True, dir_okay=False, path_type=Path), help="a log file to read, too; may be given several times")
    @click.option("--json", "as_json", is_flag=True)
    def made(url: str, log_files: tuple[Path, ...], *, wanted: bool, as_json: bool) -> None:
        """What everybody can see, every masked export and the logs, searched for what the whitelist forbids. Exit 1: something was found."""
        if not wanted:
            raise click.UsageError("say what is to be looked for: --privacy")
        found, looked = scanned(opened(), url=url, log_files=log_files)
        if as_json:
            click.echo(json.dumps({"looked_at": looked, "found": [asdict(one) for one in found]}, ensure_ascii=False))
        else:
            click.echo(", ".join(f"{name} {n}" for name, n in looked.items()))
            for one in found:
                click.echo(f"{one.kind:<13} {one.whose:<20} {one.hint:<8} {one.where}")
        sys.exit(1 if found else 0)

    return made
