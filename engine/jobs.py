"""Work that nobody presses a button for: timers, and calls to the outside. Our table is the truth; huey only rings.

A job is claimed with a lease and a token; its effect and the mark that it is done are one transaction, and a worker
whose lease ran out finds its token gone and rolls back: at least one try, exactly one effect.
"""

from __future__ import annotations

import json
import logging
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, and_, insert, or_, select, update

from engine.errors import Conflict
from engine.office import Act, Office
from engine.store import job

log = logging.getLogger(__name__)

LEASE = timedelta(minutes=2)
BACKOFF = (60, 300, 1800, 7200, 43200)  # seconds; after the last the job is an incident, for a person to look at


_PLANNED = insert(job)
PLANNED = "yingbao.planned"


@dataclass(frozen=True, slots=True)
class Job:
    id: int
    kind: str
    record_id: int
    key: str
    attempts: int
    data: Mapping[str, Any]
    token: str


class Later(Exception):
    """The outside world is not ready; try again after `seconds`. Counts as an attempt."""

    def __init__(self, seconds: int, why: str) -> None:
        super().__init__(why)
        self.seconds = seconds


# First the outside part, without a transaction; what it returns is done inside the one that closes the job.
Handler = Callable[[Job], Callable[[Act], None]]


def plan(conn: Connection, kind: str, record_id: int, key: str, due: datetime, data: Mapping[str, Any]) -> None:
    """Write a job down, in the transaction of the act that wants it."""
    values = {"kind": kind, "record_id": record_id, "key": key, "due_at": due, "data": json.dumps(dict(data))}
    conn.execute(_PLANNED, {"state": "ready", **values})
    conn.info[PLANNED] = planned(conn) + 1


def planned(conn: Connection) -> int:
    """How many jobs were ever written down on this connection: the difference says how many an act has planned so far."""
    n: int = conn.info.get(PLANNED, 0)
    return n


class Jobs:
    def __init__(self, office: Office, handlers: Mapping[str, Handler], real_clock: Callable[[], datetime] | None = None) -> None:
        self.office, self.handlers = office, handlers
        self.real_clock = real_clock or (lambda: datetime.now(UTC))

    def run_due(self, limit: int = 50) -> int:
        """Do up to `limit` due jobs; how many were claimed."""
        claimed = self.claim(limit)
        for one in claimed:
            self._do(one)
        return len(claimed)

    def run_all(self) -> int:
        done = 0
        while (more := self.run_due()) > 0:
            done += more
        return done

    def claim(self, limit: int) -> Sequence[Job]:
        now, real = self.office.clock(), self.real_clock()
        free = or_(
            and_(job.c.state == "ready", or_(job.c.retry_at.is_(None), job.c.retry_at <= real)),
            and_(job.c.state == "running", job.c.lease_until < real),
        )
        query = select(job).where(job.c.kind.in_(self.handlers), job.c.due_at <= now, free).order_by(job.c.due_at, job.c.id)
        with self.office.store.write() as conn:
            rows = conn.execute(query.limit(limit).with_for_update(skip_locked=True)).mappings().all()
            found = []
            for row in rows:
                token = secrets.token_hex(16)
                values = {"state": "running", "token": token, "lease_until": real + LEASE, "attempts": row["attempts"] + 1}
                conn.execute(update(job).where(job.c.id == row["id"]).values(**values))
                found.append(Job(row["id"], row["kind"], row["record_id"], row["key"], row["attempts"] + 1,
                                 json.loads(row["data"]), token))  # fmt: skip
        return found

    def _do(self, one: Job) -> None:
        try:
            effect = self.handlers[one.kind](one)
            self.office.retrying(lambda: self._finish(one, effect))
        except Later as later:
            self._again(one, str(later), later.seconds)
        except Exception as error:
            log.exception("job %s of record %s failed", one.kind, one.record_id)
            self._again(one, f"{type(error).__name__}: {error}", BACKOFF[min(one.attempts, len(BACKOFF)) - 1])

    def _finish(self, one: Job, effect: Callable[[Act], None]) -> None:
        with self.office.act() as act:
            effect(act)
            where = and_(job.c.id == one.id, job.c.token == one.token, job.c.state == "running")
            if act.conn.execute(update(job).where(where).values(state="done", error=None)).rowcount != 1:
                raise Conflict("这项作业已由别的进程接手", "Another worker has taken this job over")

    def _again(self, one: Job, why: str, seconds: int) -> None:
        state = "incident" if one.attempts > len(BACKOFF) else "ready"
        retry = self.real_clock() + timedelta(seconds=seconds)
        where = and_(job.c.id == one.id, job.c.token == one.token)
        with self.office.store.write() as conn:
            conn.execute(update(job).where(where).values(state=state, retry_at=retry, error=why[:2000]))


def due_kinds(conn: Connection, now: datetime) -> int:
    """How many jobs are due and not done: what the health page shows."""
    return len(conn.execute(select(job.c.id).where(job.c.state == "ready", job.c.due_at <= now)).all())
