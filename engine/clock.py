"""The business clock: real time plus an offset that a training database may move. Leases and sessions use real time."""

from __future__ import annotations

import math
import time
from datetime import UTC, datetime, timedelta

from sqlalchemy import delete, insert, select

from engine.store import Store, setting

_NAME = "clock_offset_seconds"
_READ_AGAIN = 1.0  # seconds; another process may move the clock


class BusinessClock:
    def __init__(self, store: Store) -> None:
        self._store, self._offset, self._read_at = store, timedelta(), float("-inf")

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.offset()

    def offset(self) -> timedelta:
        if time.monotonic() - self._read_at > _READ_AGAIN:
            with self._store.read() as conn:
                value = conn.scalar(select(setting.c.value).where(setting.c.name == _NAME))
            self._offset, self._read_at = timedelta(seconds=int(value or 0)), time.monotonic()
        return self._offset

    def set(self, moment: datetime) -> None:
        """Move the clock so that it shows `moment` now, or a part of a second after it: what is due then is due."""
        seconds = math.ceil((moment - datetime.now(UTC)).total_seconds())
        with self._store.write() as conn:
            conn.execute(delete(setting).where(setting.c.name == _NAME))
            conn.execute(insert(setting).values(name=_NAME, value=str(seconds)))
        self._read_at = float("-inf")
