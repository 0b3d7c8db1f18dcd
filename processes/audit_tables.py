"""Rows of the auditor's random samples. Each is projected from the sample's own record."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, LargeBinary, String, Table, Text

from engine.store import Id, metadata

SEALED = {"personal": True, "sealed": True}

audit_sample = Table(
    "audit_sample",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("no", String(40), nullable=False, unique=True),
    Column("unit", String(20), nullable=False),
    Column("purpose", String(400), nullable=False),
    Column("definition", Text, nullable=False),  # canonical JSON: what was committed to, beside the seed
    Column("size", Integer, nullable=False),
    Column("population", Integer, nullable=False),  # cases
    Column("population_hash", String(64), nullable=False),
    Column("commitment", String(64), nullable=False),
    Column("kept_seed", LargeBinary, info=SEALED),  # until the draw nobody reads it
    Column("seed", String(64)),  # hex; public from the draw on
    Column("made_by", String(60), nullable=False),
    Column("made_on", String(10), nullable=False),
    Column("drawn_by", String(60)),
    Column("drawn_on", String(10)),
    Index("ix_audit_sample_unit", "unit"),
)

audit_sample_case = Table(
    "audit_sample_case",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("sample_id", Id, nullable=False),
    Column("place", Integer, nullable=False),  # in the order of the draw
    Column("case_no", String(40), nullable=False),
    Column("stratum", String(60), nullable=False),
    Index("ix_audit_sample_case_sample_id", "sample_id"),
    Index("ix_audit_sample_case_case_no", "case_no"),
)
