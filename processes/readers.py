"""Who looked at what: each reader has a record of his own, so that reading a case does not change the case."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from engine import store
from engine.office import Act


def note(act: Act, event: str, data: Mapping[str, Any], reason: str = "") -> None:
    subject = f"staff:{act.actor.id}"
    row = store.record
    found = act.conn.scalar(select(row.c.id).where(row.c.kind == "reader", row.c.subject == subject))
    record = act.open("reader", found) if found else act.new("reader", act.actor.unit or "120116", subject=subject)
    act.append(record, event, data, personal={subject: {"reason": reason}} if reason else {})
