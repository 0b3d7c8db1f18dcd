"""How often something was tried, by anybody: in no record, and forgotten after its window."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, String, Table

from engine.store import metadata

attempt = Table(
    "attempt",
    metadata,
    Column("key", String(64), primary_key=True),  # keyed digest of what, of whom and of which window: no address stands here
    Column("n", Integer, nullable=False),
    Column("until_at", String(32), nullable=False),  # UTC: the end of the window
    Index("ix_attempt_until_at", "until_at"),
)
