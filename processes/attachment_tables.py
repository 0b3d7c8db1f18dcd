"""Files that belong to a unit's own work and to no household: photos of an inspection, signed attendance sheets, evidence of publicity."""

from __future__ import annotations

from sqlalchemy import Column, Integer, LargeBinary, String, Table

from engine.store import Id, metadata
from processes.tables import PERSONAL, SEALED

attachment = Table(
    "attachment",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("unit", String(20), nullable=False, index=True),
    Column("kind", String(30), nullable=False),
    Column("title", String(120), info=PERSONAL),
    Column("media_type", String(60), nullable=False),
    Column("size", Integer, nullable=False),
    Column("commitment", String(64), nullable=False),
    Column("stored_name", String(80), nullable=False),
    Column("file_key", LargeBinary, info=SEALED),  # base64 of the key with which this one file is encrypted
    Column("uploaded_by", String(60), nullable=False),
    Column("uploaded_on", String(10), nullable=False),
)
