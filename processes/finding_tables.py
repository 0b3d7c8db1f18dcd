"""Rows of what auditors find in cases, and of what is said about it; each finding is a record of its own."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, Integer, LargeBinary, String, Table

from engine.store import Id, metadata
from processes.case_tables import SEALED

finding = Table(
    "finding",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("case_no", String(40), nullable=False),
    Column("entry", Integer),  # of the case's record; none: the case as a whole
    Column("unit", String(20), nullable=False),  # whose people reply: that of the entry's actor, or the case's
    Column("severity", String(10), nullable=False),  # minor | serious | grave
    Column("article", String(200), nullable=False),  # what it offends against, as the auditor writes it
    Column("text", LargeBinary, info=SEALED),
    Column("raised_by", String(60), nullable=False),
    Column("raised_on", String(10), nullable=False),
    Column("due_on", String(10), nullable=False),  # last day of the reply
    Column("state", String(10), nullable=False),  # open | replied | accepted | upheld
    Column("settled_by", String(60)),
    Column("settled_on", String(10)),
    Index("ix_finding_case_no", "case_no"),
    Index("ix_finding_unit_state", "unit", "state"),
)

finding_reply = Table(
    "finding_reply",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("finding_id", Id, nullable=False),
    Column("kind", String(10), nullable=False),  # reply | verdict
    Column("staff", String(60), nullable=False),
    Column("said_on", String(10), nullable=False),
    Column("late", Boolean, nullable=False),  # a reply after its last day
    Column("text", LargeBinary, info=SEALED),
    Index("ix_finding_reply_finding_id", "finding_id"),
)
