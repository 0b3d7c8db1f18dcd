"""Told after the commit, entry by entry; the sender is the event's name.

A listener may fail without harm: what must be true together with the record is written in the same transaction.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable

from blinker import ANY, Signal

from engine.model import Entry

log = logging.getLogger(__name__)
recorded = Signal("An entry was committed.")


def publish(entries: Iterable[Entry]) -> None:
    if not recorded.receivers:
        return
    for entry in entries:
        for listener in recorded.receivers_for(entry.event):
            try:
                listener(entry.event, entry=entry)
            except Exception:
                log.exception("%r failed on entry %s of record %s", listener, entry.seq, entry.record_id)


__all__ = ["ANY", "publish", "recorded"]
