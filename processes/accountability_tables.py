"""Rows of 追责: matters of accountability and what the persons concerned replied; each matter is a record of its own."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, LargeBinary, String, Table

from engine.store import Id, metadata
from processes.case_tables import SEALED

accountability = Table(
    "accountability",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("unit", String(20), nullable=False),  # whose matter it is
    Column("persons", String(400), nullable=False),  # words: logins of those concerned
    Column("findings", String(400), nullable=False),  # words: ids of findings
    Column("cases", String(400), nullable=False),  # words: numbers of cases
    Column("facts", LargeBinary, info=SEALED),
    Column("opened_by", String(60), nullable=False),
    Column("opened_on", String(10), nullable=False),
    Column("state", String(12), nullable=False),  # opened | proposed | concluded | dropped
    Column("category", String(24)),
    Column("sub_type", String(24)),
    Column("treatment", String(30)),
    Column("severity", String(10)),  # ordinary | serious
    Column("wrong", String(12)),  # wrong_grant (错保) | missed (漏保)
    Column("discipline", String(200)),  # the body of discipline inspection that takes part
    Column("proposal", LargeBinary, info=SEALED),
    Column("proposed_by", String(60)),
    Column("proposed_on", String(10)),
    Column("reply_until", String(10)),
    Column("conclusion", LargeBinary, info=SEALED),
    Column("concluded_by", String(60)),
    Column("concluded_on", String(10)),
    Column("transferred_to", String(100)),
    Column("rectified_on", String(10)),
    Index("ix_accountability_unit_state", "unit", "state"),
    Index("ix_accountability_concluded_on", "concluded_on"),
)

accountability_reply = Table(
    "accountability_reply",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("accountability_id", Id, nullable=False),
    Column("staff", String(60), nullable=False),
    Column("said_on", String(10), nullable=False),
    Column("late", Boolean, nullable=False),
    Column("text", LargeBinary, info=SEALED),
    Index("ix_accountability_reply_accountability_id", "accountability_id"),
)
