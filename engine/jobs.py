"""Work that nobody presses a button for: timers, and calls to the outside. Our table is the truth; huey only rings.

A job is claimed with a lease and a token; its effect and the mark that it is done are one transaction, and a worker
whose lease ran out finds its token gone and rolls back: at least one try, exactly one effect. What fails TRIES times
becomes an incident, and a person decides (engine/incidents.py). A worker that dies is no failure of the job.
"""

from __future__ import annotations

import json
import logging
import secrets
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from engine.errors import EngineError
from engine.office import Act, Office
from engine.prepared import Prepared, run_all
from engine.store import is_ready, is_running, job, record

log = logging.getLogger(__name__)

LEASE = timedelta(minutes=2)
TRIES = 5
_TURN = 0.006  # seconds for which a worker writes before others get their turn
BACKOFF = (60, 300, 1800, 7200)  # seconds from each failure to the next try; the last failure has none


def backoff(attempts: int) -> int:
    """Seconds to wait after so many failures."""
    return BACKOFF[min(attempts, len(BACKOFF)) - 1]


_PLANNED = Prepared(insert(job).inline())  # nobody asks for the new id
_UNLESS_THERE = {
    "sqlite": sqlite.insert(job).on_conflict_do_nothing(index_elements=["record_id", "kind", "key"]),
    "postgresql": postgresql.insert(job).on_conflict_do_nothing(index_elements=["record_id", "kind", "key"]),
}
PLANNED = "yingbao.planned"


@dataclass(frozen=True, slots=True)
class Job:
    id: int
    kind: str
    record_id: int
    key: str
    attempts: int  # the number of this try, 1 is the first; tries that a dead worker left unfinished do not count
    data: Mapping[str, Any]
    token: str
    until: datetime | None = None  # end of the lease, real clock


class Later(Exception):
    """The outside world is not ready; try again after `seconds` (None: by the back-off). Counts as a failure."""

    def __init__(self, seconds: int | None, why: str) -> None:
        super().__init__(why)
        self.seconds = seconds


class _TakenOver(Exception):
    """The lease ran out, and another worker has the job."""


# First the outside part, without a transaction; what it returns is done inside the one that closes the job.
Handler = Callable[[Job], Callable[[Act], None]]


@dataclass(frozen=True, slots=True)
class Way:
    """A kind of job in words, and how its record goes on without it. `skip` None: nothing can stand for it."""

    zh: str
    en: str
    skip: Handler | None = None


def plan(conn: Connection, kind: str, record_id: int, key: str, due: datetime, data: Mapping[str, Any]) -> None:
    """Write a job down, in the transaction of the act that wants it."""
    values = {"kind": kind, "record_id": record_id, "key": key, "due_at": due, "data": json.dumps(dict(data))}
    run_all(conn, [(_PLANNED, [{"state": "ready", **values}])])
    conn.info[PLANNED] = planned(conn) + 1


def planned(conn: Connection) -> int:
    """How many jobs were ever written down on this connection: the difference says how many an act has planned so far."""
    n: int = conn.info.get(PLANNED, 0)
    return n


class Jobs:
    """`daily`: kinds that are planned by themselves once a business day, each with how to find the record that they are
    kept with (None: not yet)."""

    def __init__(
        self, office: Office, handlers: Mapping[str, Handler], real_clock: Callable[[], datetime] | None = None, *,
        ways: Mapping[str, Way] | None = None, daily: Mapping[str, Callable[[Connection], int | None]] | None = None,
    ) -> None:  # fmt: skip
        self.office, self.handlers = office, handlers
        self.real_clock = real_clock or (lambda: datetime.now(UTC))
        self.ways, self.daily = dict(ways or {}), dict(daily or {})
        self._planned: date | None = None

    def run_due(self, limit: int = 50) -> int:
        """Do up to `limit` due jobs; how many were claimed."""
        self._plan_daily()
        claimed = self.claim(limit)
        waiting: list[tuple[Job, Callable[[Act], None]]] = []
        begun = time.monotonic()
        for one in claimed:
            if one.until is not None and one.until <= self.real_clock():
                continue  # somebody else may have it already
            if (effect := self._outside(one)) is not None:
                waiting.append((one, effect))
            if waiting and time.monotonic() - begun > _TURN:
                self._inside(waiting)
                waiting, begun = [], time.monotonic()
        self._inside(waiting)
        return len(claimed)

    def run_all(self) -> int:
        done = 0
        while (more := self.run_due()) > 0:
            done += more
        return done

    def claim(self, limit: int) -> Sequence[Job]:
        """Take up to `limit` due jobs: those that a worker left behind, then what waits longest. Two statements."""
        now, real = self.office.clock(), self.real_clock()
        mine, token = and_(job.c.kind.in_(self.handlers), job.c.due_at <= now), secrets.token_hex(16)
        left = and_(mine, is_running, job.c.lease_until <= real)
        ready = and_(mine, is_ready, or_(job.c.retry_at.is_(None), job.c.retry_at <= real))
        with self.office.store.write() as conn:
            rows = _take(conn, left, limit, token, real + LEASE)
            if len(rows) < limit:
                rows += _take(conn, ready, limit - len(rows), token, real + LEASE)
        return [Job(row["id"], row["kind"], row["record_id"], row["key"], row["attempts"] + 1, json.loads(row["data"]), token, real + LEASE)
                for row in rows]  # fmt: skip

    def _plan_daily(self) -> None:
        today = self.office.today()
        if not self.daily or self._planned == today:
            return
        with self.office.store.write() as conn:
            where = {kind: found for kind, find in self.daily.items() if (found := find(conn)) is not None}
            moment = self.office.clock()
            rows = [{"kind": kind, "record_id": at, "key": today.isoformat(), "due_at": moment, "state": "ready", "attempts": 0, "data": "{}"}
                    for kind, at in where.items()]  # fmt: skip
            if rows:
                conn.execute(_UNLESS_THERE[conn.dialect.name], rows)
        if len(where) == len(self.daily):
            self._planned = today

    def _do(self, one: Job) -> None:
        if (effect := self._outside(one)) is not None:
            self._inside([(one, effect)])

    def _outside(self, one: Job) -> Callable[[Act], None] | None:
        """The part without a transaction; None when it failed."""
        with self._failing(one):
            return self.handlers[one.kind](one)
        return None

    def _inside(self, waiting: Sequence[tuple[Job, Callable[[Act], None]]]) -> None:
        """Effects, each with its mark in a transaction of its own; a few of them in one turn at writing, for handing the
        turn over takes as long as one of them."""
        left = list(reversed(waiting))
        while left:
            begun = time.monotonic()
            with self.office.store.turn():
                while left and time.monotonic() - begun < _TURN:
                    one, effect = left.pop()
                    with self._failing(one):
                        self.office.retrying(partial(self._finish, one, effect))

    @contextmanager
    def _failing(self, one: Job) -> Iterator[None]:
        try:
            yield
        except _TakenOver:
            log.info("job %s of record %s was taken over by another worker", one.kind, one.record_id)
        except Later as later:
            self._again(one, later.__cause__ or later, str(later), later.seconds)
        except Exception as error:
            log.exception("job %s of record %s failed", one.kind, one.record_id)
            # The text of a foreign error may hold personal data (a driver prints what it was given).
            self._again(one, error, str(error) if isinstance(error, EngineError) else "")

    def _finish(self, one: Job, effect: Callable[[Act], None]) -> None:
        with self.office.act() as act:
            effect(act)
            self._close(act.conn, one, state="done", error=None)

    def _close(self, conn: Connection, one: Job, **values: Any) -> None:
        where = and_(job.c.id == one.id, job.c.token == one.token, job.c.state == "running")
        if conn.execute(update(job).where(where).values(**values)).rowcount != 1:
            raise _TakenOver

    def _again(self, one: Job, error: BaseException, why: str, seconds: int | None = None) -> None:
        trouble = type(error).__name__
        said = f"{trouble}: {why}"[:2000] if why else trouble
        try:
            if one.attempts >= TRIES:
                self.office.retrying(lambda: self._give_up(one, trouble, said))
                return
            retry = self.real_clock() + timedelta(seconds=seconds or backoff(one.attempts))
            with self.office.store.write() as conn:
                self._close(conn, one, state="ready", attempts=one.attempts, retry_at=retry, error=said)
        except _TakenOver:
            log.info("job %s of record %s was taken over by another worker", one.kind, one.record_id)

    def _give_up(self, one: Job, trouble: str, said: str) -> None:
        """The job is an incident from now on, and its record says so. Nobody needs one of a case that has ended."""
        with self.office.act() as act:
            kind = act.conn.scalar(select(record.c.kind).where(record.c.id == one.record_id))
            at = act.open(kind, one.record_id) if kind is not None else None
            over = act.conn.scalar(select(record.c.closed_at).where(record.c.id == one.record_id)) is not None
            self._close(act.conn, one, state="dropped" if over else "incident", attempts=one.attempts, retry_at=act.now, error=said)
            if at is not None and not over:
                act.append(at, "incident_opened", {"job": one.kind, "key": one.key, "tries": one.attempts, "trouble": trouble})


def _take(conn: Connection, where: ColumnElement[bool], limit: int, token: str, until: datetime) -> list[Any]:
    """Claim the first of the jobs that fit. The choice is a CTE: as a subquery PostgreSQL may make it more than once."""
    first = select(job.c.id).where(where).order_by(job.c.due_at, job.c.id).limit(limit).with_for_update(skip_locked=True).cte("free")
    taken = update(job).where(job.c.id.in_(select(first.c.id))).values(state="running", token=token, lease_until=until)
    rows = conn.execute(taken.returning(job.c.id, job.c.kind, job.c.record_id, job.c.key, job.c.attempts, job.c.data, job.c.due_at))
    return sorted(rows.mappings().all(), key=lambda row: (row["due_at"], row["id"]))
