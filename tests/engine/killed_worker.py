"""What the worker of test_kill_worker does until it is killed: rings jobs, and dies at the n-th of them, at one of four places."""

from __future__ import annotations

import itertools
import os
import signal
from datetime import datetime

from sqlalchemy import event

from engine.crypto import Keys
from engine.jobs import Handler, Jobs
from engine.office import Office
from engine.store import Store
from processes import bureau  # noqa: F401 - the business tables join the metadata; loaded once, before the fork
from tests.conftest import DATA_KEY

PLACES = ("claim", "work", "effect", "done")
LIMIT = 4  # jobs of one claim


def rung(one):
    """The least effect: an entry on the job's record."""
    return lambda act: act.append(act.open("register", one.record_id), "rung", {"key": one.key})


def office_at(url: str, moment: str) -> Office:
    os.environ["PGAPPNAME"] = "killed"
    now = datetime.fromisoformat(moment)
    return Office(Store(url), Keys(DATA_KEY), lambda: now, origin="yingbao/test")


def ring(url: str, moment: str, place: str | None, nth: int, after: bool, limit: int = LIMIT) -> None:
    """Do what is due, and nothing else if `place` is None; else die at the nth claim, work, effect or mark of "done",
    before it or after it."""
    office = office_at(url, moment)
    counts = {name: itertools.count(1) for name in PLACES}

    def at(name: str, *, behind: bool) -> None:
        if name == place and behind == after and next(counts[name]) == nth:
            os.kill(os.getpid(), signal.SIGKILL)

    def handler(one):
        at("work", behind=False)
        effect = rung(one)
        at("work", behind=True)

        def do(act) -> None:
            at("effect", behind=False)
            effect(act)
            at("effect", behind=True)

        return do

    handlers: dict[str, Handler] = {"ring": handler}
    jobs = Jobs(office, handlers, office.clock)
    if place in ("claim", "done"):
        _watch(office.store, lambda behind: at(place, behind=behind), "lease_until" if place == "claim" else "state=")
    while jobs.run_due(limit):
        pass


def _watch(store: Store, tell, word: str) -> None:
    """Tell before and after each UPDATE of jobs that names the word; and, behind it, when its transaction is committed."""
    marked = [False]

    def about(statement: str) -> bool:
        said = statement.lower()
        is_claim = "lease_until=" in said.replace(" ", "")
        return "update job" in said and (is_claim if word == "lease_until" else not is_claim)

    def before(_conn, _cursor, statement, *_):
        if about(statement):
            tell(False)

    def behind(_conn, _cursor, statement, *_):
        if about(statement):
            marked[0] = True
            tell(True)  # written, and not yet committed
        elif statement == "COMMIT" and marked[0]:
            marked[0] = False
            tell(True)

    def committed(_conn) -> None:
        if marked[0]:
            marked[0] = False
            tell(False)

    event.listen(store.engine, "before_cursor_execute", before)
    event.listen(store.engine, "after_cursor_execute", behind)
    event.listen(store.engine, "commit", committed)
