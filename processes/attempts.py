"""At most so many tries in a window, counted in the database: whatever process answers, and however many there are.

A window is a fixed stretch of the clock. What is counted is kept under a keyed digest, so the table tells neither address nor number;
past windows are deleted with the next try.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import delete
from sqlalchemy.dialects import postgresql, sqlite

from engine.office import Act, Office
from processes.attempt_tables import attempt


def tried(office: Office, kind: str, of: str, most: int, window_seconds: int) -> int:
    """`count` in an act of its own, in the system's name."""
    with office.act() as act:
        return count(act, kind, of, most, window_seconds)


def count(act: Act, kind: str, of: str, most: int, window_seconds: int) -> int:
    """One more try of a kind by or about `of`. 0: it may be done; else the seconds until it may be tried again."""
    now = act.now.astimezone(UTC)
    begun = int(now.timestamp()) // window_seconds * window_seconds
    until = datetime.fromtimestamp(begun + window_seconds, UTC)
    act.conn.execute(delete(attempt).where(attempt.c.until_at <= now.isoformat()))
    made: Any = postgresql.insert(attempt) if act.conn.dialect.name == "postgresql" else sqlite.insert(attempt)
    key = act.keys.blind(f"attempt:{kind}:{begun}:{of}")
    once_more = made.values(key=key, n=1, until_at=until.isoformat()).on_conflict_do_update(index_elements=[attempt.c.key], set_={"n": attempt.c.n + 1})
    n = act.conn.execute(once_more.returning(attempt.c.n)).scalar_one()
    return 0 if n <= most else max(1, int((until - now).total_seconds()))
