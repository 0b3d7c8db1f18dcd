"""Rows of the training and publicity registers; each session and each activity is a record of its own."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, Integer, String, Table

from engine.store import Id, metadata
from processes.tables import PERSONAL

training_session = Table(
    "training_session",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("level", String(10), nullable=False),  # district | street | village
    Column("unit", String(20), nullable=False),  # who organises it
    Column("title", String(100), nullable=False),
    Column("held_on", String(10), nullable=False),
    Column("place", String(100), nullable=False),
    Column("trainer", String(100), info=PERSONAL),
    Column("topics", String(200), nullable=False),  # words: codes
    Column("sheet", Id),  # attachment: the signed sheet
    Column("recorded_by", String(60), nullable=False),
    Column("recorded_on", String(10), nullable=False),
    Column("withdrawn_on", String(10)),
    Column("withdrawn_by", String(60)),
    Column("withdrawn_why", String(200)),
    Index("ix_training_session_unit", "unit", "held_on"),
)

training_attendance = Table(
    "training_attendance",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("session_id", Id, nullable=False),
    Column("staff", String(60)),  # login; none: somebody without an account
    Column("name", String(60), info=PERSONAL),  # of whom has none
    Column("role", String(20), nullable=False),
    Column("unit", String(20), nullable=False),  # where he works
    Column("signed", Boolean, nullable=False),
    Column("quiz_score", Integer),  # 0 to 100
    Index("ix_training_attendance_session_id", "session_id"),
    Index("ix_training_attendance_unit", "unit", "role"),
)

publicity_activity = Table(
    "publicity_activity",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("unit", String(20), nullable=False),  # who did it
    Column("channel", String(16), nullable=False),
    Column("programmes", String(200), nullable=False),  # words: codes
    Column("title", String(100), nullable=False),
    Column("held_on", String(10), nullable=False),
    Column("place", String(100), nullable=False),
    Column("communities", String(2000), nullable=False),  # words: codes of those that it reached
    Column("audience_count", Integer, nullable=False),
    Column("material_type", String(12), nullable=False),
    Column("copies", Integer, nullable=False),
    Column("evidence", String(400), nullable=False),  # words: attachments
    Column("recorded_by", String(60), nullable=False),
    Column("recorded_on", String(10), nullable=False),
    Column("withdrawn_on", String(10)),
    Column("withdrawn_by", String(60)),
    Column("withdrawn_why", String(200)),
    Index("ix_publicity_activity_unit", "unit", "held_on"),
)
