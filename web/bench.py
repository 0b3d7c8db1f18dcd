"""Measures this machine against its own floor, in one run: ratios mean something, milliseconds of a shared machine do not.

Floor: one UPDATE and one INSERT per transaction through SQLAlchemy on the same database, one client.
"""

from __future__ import annotations

import base64
import io
import json
import re
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import Any

import click
from sqlalchemy import Column, Connection, Integer, MetaData, String, Table, func, insert, select, text, update

from engine import queries, store
from engine.model import SHANGHAI, Actor
from engine.store import Store
from processes import bureau as bureaus
from processes import documents, households, identity, organisation, schema
from processes.case_tables import letter_bytes
from web import create_app
from web.serving import settle
from web.settings import Settings

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
    """All figures of one run; the database must be empty. `cases`: how many go the whole road, for one client and for four."""
    settings = Settings(database=url, secret_key="s" * 32, data_key=base64.b64encode(bytes(32)).decode(), files=folder / "files", registry="http://127.0.0.1:9")
    schema.upgrade(url)
    clock = _Clock()
    made = bureaus.build(settings, clock)
    made.jobs.real_clock = clock
    settle()
    figures: dict[str, Any] = {"database": made.office.store.url.get_backend_name()}
    floor = Floor(made.office.store)
    people, homes = _prepare(made, cases * 2)
    for clients in (1, 4):
        group, homes = homes[:cases], homes[cases:]
        clock.now = _FIRST
        started = _spread(clients, [[partial(_start, made, people, home)] for home, _ in group])
        figures |= _shown(f"starts_{clients}_clients", started)
        done = _road(made, clock, people, clients, _cases_of(made, dict(group)), floor if clients == 1 else None)
        figures |= _shown(f"completions_{clients}_clients", done)
    figures["floor_per_second"] = floor.per_second
    figures["ratio_to_floor"] = round(figures["completions_1_clients_per_second"] / floor.per_second, 3)
    figures["completions_per_case"] = round(len(done[1]) / cases, 1)
    figures |= _bytes(made)
    page = _page(made)
    for size in open_tasks:
        _fill(made, size)
        for name, look in (("list", partial(_list, made, people["window_clerk"])), ("page", page)):
            times = sorted(_timed(look) for _ in range(40))
            figures[f"{name}_25_of_{size}_p95_ms"] = round(times[int(len(times) * 0.95)] * 1000, 2)
    made.office.store.close()
    return figures


def _timed(work: Callable[[], Any]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


class Floor:
    """One UPDATE and one INSERT per transaction on the same database; run in turns with what is measured, so that both
    meet the machine in the same mood."""

    def __init__(self, opened: Store) -> None:
        self.store, self.n, self.seconds = opened, 0, 0.0
        _FLOOR.create_all(opened.engine)
        with opened.write() as conn:
            conn.execute(insert(_row).values(id=int(time.time()), n=0))
            self.row_id = conn.scalar(select(func.max(_row.c.id)))

    def run(self, n: int) -> None:
        begun = time.perf_counter()
        for i in range(n):
            with self.store.write() as conn:
                conn.execute(update(_row).where(_row.c.id == self.row_id).values(n=i))
                conn.execute(insert(_line).values(text="x" * 300))
        self.n, self.seconds = self.n + n, self.seconds + time.perf_counter() - begun

    @property
    def per_second(self) -> float:
        return round(self.n / self.seconds, 1)


def _prepare(made: bureaus.Bureau, n: int) -> tuple[dict[str, Actor], list[tuple[int, int]]]:
    """One person for each post (two investigators), and n households of one, each with a signed page: (household, page)."""
    community = next(d["code"] for d in organisation.divisions() if d["level"] == "community")
    street = community[:9]
    posts = {role: (role, unit) for role, unit in (
        ("window_clerk", street), ("investigator", street), ("civil_affairs_officer", street), ("reviewer", street), ("street_leader", street),
        ("village_committee", community), ("means_checker", "120116"), ("spot_checker", "120116"), ("district_examiner", "120116"), ("approver", "120116"))}  # fmt: skip
    posts["second"] = ("investigator", street)
    with made.office.act() as act:
        organisation.seed(act)
        for login, post in posts.items():
            organisation.add_staff(act, login, login, "bench-password", [post])
    with made.office.read() as conn:
        people = {login: found for login in posts if (found := organisation.find_actor(conn, login))}
    homes = []
    for i in range(n):
        with made.office.act(people["window_clerk"]) as act:
            member = {"name": f"张{i}", "id_no": identity.invent(date(1960 + i // 400, 1 + i // 40 % 12, 1), "male", i), "relation": "head", "employment": "none"}
            home = households.register(act, {"community": community, "hukou_kind": "urban", "members": [member]})
        staged = documents.stage(made.office, people["window_clerk"], made.settings.files, home, io.BytesIO(b"%PDF-1.4"))
        with made.office.act(people["window_clerk"]) as act:
            page = documents.keep(act, staged, "page", "page")
            for person in households.missing_authorisations(act.conn, home, act.today):
                households.authorise(act, home, person, _FIRST.date().isoformat(), "2019-12-03", page)
            homes.append((home, page))
    return people, homes


def _start(made: bureaus.Bureau, people: dict[str, Actor], home: int) -> float:
    begun = time.perf_counter()
    answers = {"household_id": home, "programme": "dibao", "applied_on": _FIRST.date().isoformat(), "applied_by": "head", "reason": "困难"}
    with made.office.act(people["window_clerk"]) as act:
        made.cases.start(act, "dibao-2012", answers)
    return time.perf_counter() - begun


def _cases_of(made: bureaus.Bureau, scans: Mapping[int, int]) -> dict[str, int]:
    """The cases of these households, each with the household's signed page."""
    with made.office.read() as conn:
        rows = conn.execute(select(store.record.c.no, store.record.c.subject).where(store.record.c.kind == "case")).all()
    return {row.no: scans[home] for row in rows if (home := int(row.subject.partition(":")[2])) in scans}


class _Clock:
    def __init__(self) -> None:
        self.now = _FIRST

    def __call__(self) -> datetime:
        return self.now


def _road(made: bureaus.Bureau, clock: _Clock, people: dict[str, Actor], clients: int, scans: dict[str, int],
          floor: Floor | None) -> tuple[float, list[float]]:  # fmt: skip
    """All cases from the window to the delivered approval: (seconds, each completion's). Only completions are timed,
    not the registries' answer, the timers, or looking for what is to be done."""
    seconds, times = 0.0, list[float]()
    for moment, nodes in _STAGES:
        clock.now = moment
        made.jobs.run_all()
        for node in nodes:
            if node == "means_check":
                _answer_of_registries(made, scans)
            todo = _open(made, node, scans)
            work = [[partial(_complete, made, people, node, task, scan) for task, scan in todo.values()]]
            work = [[one] for one in work[0]] if clients > 1 else work
            spent, each = _spread(clients, work)
            seconds, times = seconds + spent, times + each
            if floor is not None:
                floor.run(len(each))
    return seconds, times


def _answer_of_registries(made: bureaus.Bureau, scans: dict[str, int]) -> None:
    """What the job brings when the registries have answered; they themselves are not what is measured."""
    with made.office.read() as conn:
        ids = [queries.case_row(conn, no)["id"] for no in scans]
    for case_id in ids:
        with made.office.act() as act:
            made.cases.receive_by_id(act, case_id, "registry_answer", {"status": "complete", "results": []})


def _open(made: bureaus.Bureau, node: str, scans: dict[str, int]) -> dict[str, tuple[int, int]]:
    query = select(store.record.c.no, store.task.c.id).join(store.task, store.task.c.case_id == store.record.c.id)
    with made.office.read() as conn:
        rows = conn.execute(query.where(store.task.c.node == node, store.is_open).order_by(store.task.c.id)).all()
    return {row.no: (row.id, scans[row.no]) for row in rows if row.no in scans}


def _complete(made: bureaus.Bureau, people: dict[str, Actor], node: str, task: int, scan: int) -> float:
    drawn = made.cases.processes["dibao-2012"].drawing.nodes[node]
    who = people["second" if node == "survey_cosign" else str(drawn.role)]
    answers = _ANSWERS[node](made.office.today().isoformat(), scan)
    begun = time.perf_counter()
    with made.office.act(who) as act:
        made.cases.complete(act, task, answers)
    return time.perf_counter() - begun


_PEOPLE = [{"name": "街道干部", "kind": "street_staff", "signed": True}] + [{"name": f"居民代表{n}", "kind": "resident_representative", "signed": True} for n in range(2)]
_NOTICE = {"places": ["village_board"]}
_ANSWERS: Mapping[str, Callable[[str, int], dict[str, Any]]] = {
    "completeness_check": lambda _day, _scan: {"outcome": "complete"},
    "means_check": lambda _day, _scan: {"check_conclusion": "consistent", "report": "各来源信息与申报一致。"},
    "home_survey": lambda day, scan: {"surveyed_on": day, "second_investigator": "second", "met_person": "申请人本人", "housing": "自有住房一套，约50平方米",
                                      "living": "陈设简单，水电正常", "findings": "所见与申报基本一致。", "surveyed_signature": scan},
    "survey_cosign": lambda _day, _scan: {"agree": "agree"},
    "neighbor_enquiry": lambda day, _scan: {"enquired_on": day, "persons": "左右邻居两户", "statement": "生活确有困难。"},
    "democratic_review": lambda day, scan: {"signed_document": scan, "held_on": day, "place": "居委会会议室", "chair": "居委会主任", "participants": _PEOPLE,
                                             "statements": "评议认为调查情况属实。", "review_conclusion": "agree"},
    "street_opinion": lambda _day, _scan: {"street_outcome": "propose_grant", "opinion": "情况属实，拟同意。"},
    "street_signoff": lambda _day, _scan: {"signoff": "agree", "opinion": "同意审核意见。"},
    "post_street_notice": lambda day, scan: {"posted_on": day, **_NOTICE, "photo": scan},
    "remove_street_notice": lambda day, scan: {"removed_on": day, "objections": "none", "photo": scan},
    "submit_to_district": lambda _day, _scan: {"contents": ["application", "survey", "review", "opinion"]},
    "spot_check_visit": lambda day, _scan: {"visited_on": day, "second_visitor": "同行干部", "findings": "与街镇调查一致。", "agrees": True},
    "late_spot_check_visit": lambda day, _scan: {"visited_on": day, "second_visitor": "同行干部", "findings": "与街镇调查一致。", "late_agrees": True},
    "district_examination": lambda _day, _scan: {"district_outcome": "propose_grant", "opinion": "材料齐全，程序合规，拟批准。"},
    "post_district_notice": lambda day, scan: {"posted_on": day, **_NOTICE, "photo": scan},
    "remove_district_notice": lambda day, scan: {"removed_on": day, "objections": "none", "photo": scan},
    "decide": lambda _day, _scan: {"decision": "granted", "opinion": "批准。"},
    "deliver_approval": lambda day, scan: {"delivered_on": day, "method": "direct", "recipient": "申请人", "receipt_document": scan},
}  # fmt: skip


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


_FIRST = _at("2018-12-03T09:00")
_STAGES = (  # when, and what is done then; the clock moves where a notice must run its days
    (_FIRST, ("completeness_check", "means_check", "home_survey", "survey_cosign", "neighbor_enquiry", "democratic_review", "street_opinion",
              "street_signoff", "post_street_notice")),
    (_at("2018-12-11T09:00"), ("remove_street_notice", "submit_to_district", "spot_check_visit", "district_examination", "post_district_notice")),
    (_at("2018-12-19T09:00"), ("remove_district_notice", "late_spot_check_visit", "decide", "deliver_approval")),
)  # fmt: skip


def _spread(clients: int, work: Sequence[Sequence[Callable[[], float]]]) -> tuple[float, list[float]]:
    """Do all the work with so many clients, a group by one of them: (seconds, each one's time)."""
    times: list[float] = []

    def client(mine: int) -> None:
        for group in work[mine::clients]:
            times.extend(one() for one in group)

    begun = time.perf_counter()
    with ThreadPoolExecutor(clients) as pool:
        list(pool.map(client, range(clients)))
    return sum(times) if clients == 1 else time.perf_counter() - begun, times


def _shown(name: str, result: tuple[float, list[float]]) -> dict[str, Any]:
    seconds, times = result
    cut = statistics.quantiles(times, n=20)
    return {f"{name}_per_second": round(len(times) / seconds, 1), f"{name}_p50_ms": round(cut[9] * 1000, 2), f"{name}_p95_ms": round(cut[18] * 1000, 2)}


def _bytes(made: bureaus.Bureau) -> dict[str, int]:
    """What is kept of a finished case: the bytes of its entries, payloads, state and letters; and the room that they
    take with their task rows, notices, jobs, indexes and half-filled pages."""
    entry, payload, record = store.entry.c, store.payload.c, store.record.c
    where = (record.kind == "case") & record.closed_at.is_not(None)
    with made.office.read() as conn:
        ended = select(record.id).where(where).scalar_subquery()
        count = conn.scalar(select(func.count()).select_from(store.record).where(where)) or 1
        kept = sum(int(conn.scalar(q) or 0) for q in (
            select(func.sum(func.length(entry.body) + func.length(entry.leaf))).where(entry.record_id.in_(ended)),
            select(func.sum(func.length(payload.sealed))).where(payload.record_id.in_(ended)),
            select(func.sum(func.length(record.state))).where(where),
            select(func.sum(func.length(letter_bytes.c.sealed)))))  # fmt: skip
        room = sum(_room(conn, name) for name in ("entry", "payload", "record", "task", "job", "letter", "letter_bytes", "notice"))
    return {"bytes_per_finished_case": int(kept / count), "room_per_finished_case": int(room / count)}


def _room(conn: Connection, table: str) -> int:
    if conn.dialect.name == "postgresql":
        return int(conn.scalar(select(func.pg_total_relation_size(table))) or 0)
    named = text("SELECT name FROM sqlite_master WHERE tbl_name = :name").bindparams(name=table)
    return sum(int(conn.scalar(text("SELECT sum(pgsize) FROM dbstat WHERE name = :name").bindparams(name=name)) or 0) for name in conn.scalars(named).all())


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


def _page(made: bureaus.Bureau) -> Callable[[], None]:
    """Looks at the whole page of the list as a browser gets it: sign-in, counts, names, template; without the network."""
    client = _signed_in(made, "window_clerk")

    def look() -> None:
        if client.get("/tasks?view=available&size=25").status_code != 200:
            raise RuntimeError("the list of tasks does not open")

    look()
    return look


def _signed_in(made: bureaus.Bureau, login: str) -> Any:
    client = create_app(made.settings, made).test_client()
    token = re.search(r'name="csrf_token" value="([^"]*)"', client.get("/sign-in").get_data(as_text=True))
    client.post("/sign-in", data={"login": login, "password": "bench-password", "csrf_token": token and token[1]})
    return client


def _list(made: bureaus.Bureau, actor: Actor) -> None:
    with made.office.read() as conn:
        queries.tasks(conn, actor, "available", None, 1, 25)
