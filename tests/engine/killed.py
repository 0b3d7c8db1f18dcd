"""What the children of test_kill do until they are killed: a clerk's and investigators' requests, one after the other."""

from __future__ import annotations

import io
import itertools
import os
import pathlib
import signal
import sys
from datetime import UTC, datetime, timedelta

from sqlalchemy import event, select
from sqlalchemy.engine import Engine

from engine import store
from engine.crypto import Keys
from processes import backup, documents, erasure, organisation, schema, whatif
from processes import bureau as bureaus
from tests.conftest import DATA_KEY
from tests.district import REVIEWERS
from web.settings import Settings

DAY = "2018-12-03"
DRAWING = bureaus.CATALOGUE["dibao-2012"].drawing  # read here, once, by the process from which the children are forked


def opened(url: str, files: str, moment: str):
    # So that the parent can see in PostgreSQL whether a killed child is still being served.
    os.environ["PGAPPNAME"] = "killed"
    now = datetime.fromisoformat(moment)
    return bureaus.build(Settings(database=url, secret_key="s" * 32, data_key=DATA_KEY, files=pathlib.Path(files), registry="http://127.0.0.1:9"), lambda: now)


def requests(scan: int):
    """(who, task, answers) from the application to the notice; "registries" is the message of the system."""
    survey = {"surveyed_on": DAY, "second_investigator": "bob", "met_person": "张一", "housing": "一居室", "living": "简朴", "findings": "属实",
              "surveyed_signature": scan}  # fmt: skip
    review = {"held_on": DAY, "place": "居委会", "chair": "主任", "participants": REVIEWERS, "statements": "属实", "review_conclusion": "agree"}
    return [
        ("clerk", "completeness_check", {"outcome": "complete"}),
        ("ann", "home_survey", survey),
        ("bob", "survey_cosign", {"agree": "agree"}),
        ("checker", "registries", {"status": "complete", "results": []}),
        ("checker", "means_check", {"check_conclusion": "consistent", "report": "报告"}),
        ("ann", "neighbor_enquiry", {"enquired_on": DAY, "persons": "邻居", "statement": "困难"}),
        ("officer", "democratic_review", review),
        ("rita", "street_opinion", {"street_outcome": "propose_grant", "opinion": "拟同意"}),
        ("lee", "street_signoff", {"signoff": "agree", "opinion": "同意"}),
        ("vera", "post_street_notice", {"posted_on": DAY, "places": ["village_board"]}),
    ]


def send(made, case_id: int, who: str, node: str, answers: dict):
    """One request with its idempotency key: what a browser sends, and sends again when it heard nothing."""
    from engine.model import SYSTEM

    with made.office.read() as conn:
        task = conn.scalar(select(store.task.c.id).where(store.task.c.case_id == case_id, store.task.c.node == node))
        no = conn.scalar(select(store.record.c.no).where(store.record.c.id == case_id))
        actor = SYSTEM if node == "registries" else organisation.find_actor(conn, who)
    with made.office.act(actor, (f"{case_id}-{node}", answers)) as act:
        if node == "registries":
            return made.cases.receive(act, no, "registry_answer", answers)
        return made.cases.complete(act, task, answers)


def work(url: str, files: str, moment: str, case_id: int, scan: int, heard) -> None:
    """All requests of a case; each answer is told to the parent."""
    made = opened(url, files, moment)
    heard.send("ready")
    for who, node, answers in requests(scan):
        heard.send((node, send(made, case_id, who, node, answers)))


def die_at(url: str, files: str, moment: str, case_id: int, request, place: int, after: bool) -> None:
    """One request; the process is killed before or after its n-th statement. COMMIT and the end of the connection count too."""
    made = opened(url, files, moment)
    engine, numbers = made.office.store.engine, itertools.count()

    def reached(*_) -> None:
        if next(numbers) == place:
            os.kill(os.getpid(), signal.SIGKILL)

    with made.office.read():
        pass  # opening a connection is no part of the request
    event.listen(engine, "after_cursor_execute" if after else "before_cursor_execute", reached)
    event.listen(engine, "commit", reached)
    event.listen(engine, "rollback", reached)
    event.listen(engine, "checkin", reached)
    send(made, case_id, *request)


def die_in(url: str, files: str, moment: str, case_id: int, request, point: str) -> None:
    """One request; the process is killed at a point of the engine."""
    from engine import office

    made = opened(url, files, moment)
    kill = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)  # noqa: E731
    plain = office.Act.finish
    if point == "before_append":
        office.Act.append = kill
    elif point == "before_finish":
        office.Act.finish = kill
    elif point == "after_finish":
        office.Act.finish = lambda act: (plain(act), kill())
    elif point == "after_commit":
        office.publish = kill
    send(made, case_id, *request)


def drain(url: str, files: str, moment: str, minutes: int = 0) -> None:
    """What a worker does; the parent kills it. `minutes`: how much later it comes than it is, so that a dead worker's lease is over."""
    made = opened(url, files, moment)
    made.jobs.real_clock = lambda: datetime.now(UTC) + timedelta(minutes=minutes)
    made.jobs.run_all()


def die_migrating(url: str, files: str, moment: str, number: int, case_id: int, at: int) -> None:
    """A running case is put on another drawing, and the process is killed before the n-th statement of that act."""
    from processes import case_migrations

    made, said = opened(url, files, moment), itertools.count(1)
    event.listen(made.office.store.engine, "before_cursor_execute", lambda *_: next(said) == at and os.kill(os.getpid(), signal.SIGKILL))
    with made.office.act() as act:
        case_migrations.move(act, made.cases, number, case_id)


def die_staged(url: str, files: str, moment: str, home: int) -> None:
    """A file is safe on disk, and the process is killed before the act that would name it."""
    made = opened(url, files, moment)
    with made.office.read() as conn:
        clerk = organisation.find_actor(conn, "clerk")
    documents.stage(made.office, clerk, made.settings.files, home, io.BytesIO(b"%PDF-1.4 page"))
    os.kill(os.getpid(), signal.SIGKILL)


def die_upgrading(url: str, before: str) -> None:
    """The upgrade of a database; killed before the first statement that begins so, or before the commit."""
    os.environ["PGAPPNAME"] = "killed"

    def reached(*said) -> None:
        if len(said) == 1 or said[2].startswith(before):
            os.kill(os.getpid(), signal.SIGKILL)

    event.listen(Engine, "before_cursor_execute", reached)
    event.listen(Engine, "commit", reached)
    schema.upgrade(url, Keys(DATA_KEY))


def die_erasing(url: str, files: str, moment: str, row: int, place: int) -> None:
    """The decision on an erasure; killed before its n-th statement. The files would go after it."""
    made = opened(url, files, moment)
    numbers = itertools.count()

    def reached(*_) -> None:
        if next(numbers) == place:
            os.kill(os.getpid(), signal.SIGKILL)

    with made.office.read() as conn:
        admin = organisation.find_actor(conn, "admin")
    event.listen(made.office.store.engine, "before_cursor_execute", reached)
    event.listen(made.office.store.engine, "commit", reached)
    with made.office.act(admin) as act:
        erasure.erase(act, row)
    os.kill(os.getpid(), signal.SIGKILL)


def die_saving(url: str, files: str, moment: str, folder: str, place: int) -> None:
    """A backup; killed at the n-th moment at which a function of it begins or ends."""
    made = opened(url, files, moment)
    numbers = itertools.count()

    def watch(frame, kind, _argument) -> None:
        if kind in ("call", "return") and frame.f_code.co_filename == backup.__file__ and next(numbers) == place:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.setprofile(watch)
    backup.write(made, pathlib.Path(folder) / "b.zip", pathlib.Path(folder) / "keys.json")
    sys.setprofile(None)


def die_trying(settings, files, chunk, kept):
    """A what-if that is killed when its first chunk is done and kept."""

    def told(done, _of):
        if done:
            os.kill(os.getpid(), signal.SIGKILL)

    whatif.CHUNK = chunk
    now = datetime.fromisoformat(f"{DAY}T09:00:00+08:00")
    whatif.run(bureaus.build(settings, lambda: now), whatif.Question.understood(files, "2018-12-05"), resume=pathlib.Path(kept), told=told)
