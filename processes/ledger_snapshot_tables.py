"""Rows of the ledger's snapshots: what the numbers were when a report was made, and who was in them; each is a record of its own."""

from __future__ import annotations

from sqlalchemy import Column, Index, String, Table, Text

from engine.store import Id, metadata

ledger_snapshot = Table(
    "ledger_snapshot",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("unit", String(20), nullable=False),
    Column("since", String(10), nullable=False),
    Column("until", String(10), nullable=False),
    Column("taken_by", String(60), nullable=False),
    Column("taken_on", String(10), nullable=False),
    Column("previous_id", Id),  # the unit's snapshot before it
    Column("figures", Text, nullable=False),  # JSON: the ledger as told
    Column("counted", Text, nullable=False),  # JSON: number -> [key, household, day, case, exit class] of each who is in it; ids only
    Column("digest", String(64), nullable=False),  # SHA-256 of both, unit and period
    Index("ix_ledger_snapshot_unit", "unit", "until"),
)
