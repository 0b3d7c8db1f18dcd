"""Measures this machine against its own floor, in one run: ratios mean something, milliseconds of a shared machine do not.

Floor: one UPDATE and one INSERT per transaction through SQLAlchemy on the same database, one client.
"""

from __future__ import annotations

import base64
import io
import json
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import Any

import click
from sqlalchemy import Column, Integer, MetaData, String, Table, func, insert, select, update

from engine import queries, store
from engine.model import SHANGHAI, Actor
from engine.store import Store
from processes import bureau as bureaus
from processes import documents, households, identity, organisation, schema
from processes.tables import document
from web.settings import Settings

_DAY = "2018-12-03"
_FLOOR = MetaData()
_row = Table("bench_row", _FLOOR, Column("id", Integer, primary_key=True), Column("n", Integer, nullable=False))
_line = Table("bench_line", _FLOOR, Column("id", Integer, primary_key=True, autoincrement=True), Column("text", String(400), nullable=False))


def run(database: str | None, *, as_json: bool, quick: bool) -> None:
    with tempfile.TemporaryDirectory() as folder:
        url = database or f"sqlite:///{folder}/bench.sqlite"
        figures = measure(url, Path(folder), cases=12 if quick else 120, open_tasks=(100, 2_000) if quick else (1_000, 20_000))
    if as_json:
        click.echo(json.dumps(figures))
        return
    for name, value in figures.items():
        click.echo(f"{name:<42} {value}")


def measure(url: str, folder: Path, *, cases: int, open_tasks: Sequence[int]) -> dict[str, Any]:
    settings = Settings(database=url, secret_key="s" * 32, data_key=base64.b64encode(bytes(32)).decode(), files=folder / "files", registry="http://127.0.0.1:9")
    schema.upgrade(url)
    now = datetime.fromisoformat(f"{_DAY}T09:00").replace(tzinfo=SHANGHAI)
    made = bureaus.build(settings, lambda: now)
    figures: dict[str, Any] = {"database": made.office.store.url.get_backend_name()}
    figures["floor_per_second"] = floor = _floor(made.office.store, cases * 4)
    people, homes = _prepare(made, cases * 3)
    for clients in (1, 4):
        group, homes = homes[:cases], homes[cases:]
        started = _spread(clients, [partial(_start, made, people, h) for h in group])
        figures |= _shown(f"starts_{clients}_clients", started)
        numbers = _cases_of(made)[-len(group) :]
        done = _spread(clients, [partial(_complete, made, people, n) for n in numbers for _ in range(4)], ordered=len(numbers))
        figures |= _shown(f"completions_{clients}_clients", done)
    figures["ratio_to_floor"] = round(figures["completions_1_clients_per_second"] / floor, 3)
    figures["bytes_per_case_entries_payloads_state"] = _bytes(made)
    for size in open_tasks:
        _fill(made, size)
        times = sorted(_timed(lambda: _list(made, people["clerk"])) for _ in range(40))
        figures[f"list_25_of_{size}_p95_ms"] = round(times[int(len(times) * 0.95)] * 1000, 2)
    made.office.store.close()
    return figures


def _timed(work: Callable[[], Any]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def _floor(opened: Store, n: int) -> float:
    _FLOOR.create_all(opened.engine)
    with opened.write() as conn:
        conn.execute(insert(_row).values(id=int(time.time()), n=0))
        row_id = conn.scalar(select(func.max(_row.c.id)))
    begun = time.perf_counter()
    for i in range(n):
        with opened.write() as conn:
            conn.execute(update(_row).where(_row.c.id == row_id).values(n=i))
            conn.execute(insert(_line).values(text="x" * 300))
    return round(n / (time.perf_counter() - begun), 1)


def _prepare(made: bureaus.Bureau, n: int) -> tuple[dict[str, Actor], list[int]]:
    community = next(d["code"] for d in organisation.divisions() if d["level"] == "community")
    posts = {"clerk": ("window_clerk", community[:9]), "ann": ("investigator", community[:9]), "bob": ("investigator", community[:9]),
             "checker": ("means_checker", "120116")}  # fmt: skip
    with made.office.act() as act:
        organisation.seed(act)
        for login, post in posts.items():
            organisation.add_staff(act, login, login, "bench-password", [post])
    with made.office.read() as conn:
        people = {login: found for login in posts if (found := organisation.find_actor(conn, login))}
    homes = []
    for i in range(n):
        with made.office.act(people["clerk"]) as act:
            member = {"name": f"张{i}", "id_no": identity.invent(date(1960 + i // 400, 1 + i // 40 % 12, 1), "male", i), "relation": "head", "employment": "none"}
            home = households.register(act, {"community": community, "hukou_kind": "urban", "members": [member]})
            for person in households.missing_authorisations(act.conn, home, act.today):
                households.authorise(act, home, person, _DAY, "2019-12-03")
            homes.append(home)
            documents.store(act, made.settings.files, home, "page", "page", io.BytesIO(b"%PDF-1.4"))
    return people, homes


def _start(made: bureaus.Bureau, people: dict[str, Actor], home: int) -> float:
    begun = time.perf_counter()
    answers = {"household_id": home, "programme": "dibao", "applied_on": _DAY, "applied_by": "head", "reason": "困难"}
    with made.office.act(people["clerk"]) as act:
        made.cases.start(act, "dibao-2012", answers)
    return time.perf_counter() - begun


def _cases_of(made: bureaus.Bureau) -> list[str]:
    with made.office.read() as conn:
        return list(conn.scalars(select(store.record.c.no).where(store.record.c.kind == "case").order_by(store.record.c.id)))


def _complete(made: bureaus.Bureau, people: dict[str, Actor], no: str) -> float:
    """The next thing that can be done in a case; looking for it is not timed."""
    with made.office.read() as conn:
        row = queries.case_row(conn, no)
        todo = {t["node"]: t["id"] for t in queries.case_tasks(conn, row["id"]) if t["state"] == "open"}
        home = int(row["subject"].partition(":")[2])
        scan = conn.scalar(select(document.c.id).where(document.c.household_id == home))
    who, node, answers = next((w, n, a) for w, n, a in _steps(scan or 0) if n in todo)
    begun = time.perf_counter()
    with made.office.act(people[who]) as act:
        made.cases.complete(act, todo[node], answers)
    return time.perf_counter() - begun


def _steps(scan: int) -> list[tuple[str, str, dict[str, Any]]]:
    survey = {"surveyed_on": _DAY, "second_investigator": "bob", "met_person": "张", "housing": "一间", "living": "简朴", "findings": "属实",
              "surveyed_signature": scan}  # fmt: skip
    return [
        ("clerk", "completeness_check", {"outcome": "complete"}),
        ("ann", "home_survey", survey),
        ("bob", "survey_cosign", {"agree": "agree"}),
        ("ann", "neighbor_enquiry", {"enquired_on": _DAY, "persons": "邻居", "statement": "困难"}),
    ]


def _spread(clients: int, work: Sequence[Callable[[], float]], ordered: int = 0) -> tuple[float, list[float]]:
    """Do all the work with so many clients; (seconds, each one's time). `ordered`: work of one case stays with one client."""
    times: list[float] = []
    per_case = len(work) // ordered if ordered else 1

    def client(mine: int) -> None:
        for i, one in enumerate(work):
            if (i // per_case) % clients == mine:
                times.append(one())

    threads = [threading.Thread(target=client, args=(n,)) for n in range(clients)]
    begun = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(times) if clients == 1 else time.perf_counter() - begun, times


def _shown(name: str, result: tuple[float, list[float]]) -> dict[str, Any]:
    seconds, times = result
    cut = statistics.quantiles(times, n=20)
    return {f"{name}_per_second": round(len(times) / seconds, 1), f"{name}_p50_ms": round(cut[9] * 1000, 2), f"{name}_p95_ms": round(cut[18] * 1000, 2)}


def _bytes(made: bureaus.Bureau) -> int:
    """Entries, payloads and state per case so far (cases stand before the democratic review)."""
    entry, payload, record = store.entry.c, store.payload.c, store.record.c
    with made.office.read() as conn:
        kind = select(record.id).where(record.kind == "case").scalar_subquery()
        count = conn.scalar(select(func.count()).select_from(store.record).where(record.kind == "case")) or 1
        total = sum(conn.scalar(q) or 0 for q in (
            select(func.sum(func.length(entry.body) + 80)).where(entry.record_id.in_(kind)),
            select(func.sum(func.length(payload.sealed) + 60)).where(payload.record_id.in_(kind)),
            select(func.sum(func.length(record.state))).where(record.kind == "case")))  # fmt: skip
    return int(total / count)


def _fill(made: bureaus.Bureau, size: int) -> None:
    """Rows of other people's open tasks, so that the list has something to leave out; no case is worked on them."""
    with made.office.store.write() as conn:
        have = conn.scalar(select(func.count()).select_from(store.task).where(store.task.c.state == "open")) or 0
        case = conn.execute(select(store.record.c.id, store.record.c.unit).where(store.record.c.kind == "case").limit(1)).one()
        base = conn.scalar(select(func.max(store.task.c.id))) or 0
        moment = made.office.clock()
        rows = [
            {"id": base + n, "case_id": case.id, "key": f"x.{n}", "node": "completeness_check", "role": "window_clerk", "unit": case.unit, "assignee": None,
             "owner": None, "opened_at": moment, "due_on": f"2018-12-{1 + n % 28:02d}", "priority": 0, "state": "open", "flags": "", "version": 1}
            for n in range(1, max(size - have, 0) + 1)
        ]  # fmt: skip
        for start in range(0, len(rows), 1000):
            conn.execute(insert(store.task), rows[start : start + 1000])


def _list(made: bureaus.Bureau, actor: Actor) -> None:
    with made.office.read() as conn:
        queries.tasks(conn, actor, "available", None, 1, 25)
