"""Rows of families in hardship for their expenses: what they spent, item by item, and their recognition (domain 3.10)."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, LargeBinary, String, Table

from engine.store import Id, metadata
from processes.case_tables import SEALED

expense = Table(
    "expense",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("case_no", String(40), nullable=False),
    Column("household_id", Id, nullable=False),
    Column("position", Integer, nullable=False),  # as the checker names it
    Column("source", String(10), nullable=False),  # declared | checked: of one position the last one counts
    # JSON. declared: person_id, kind, amount_fen, paid_on, institution, document_id; checked: compliant, amount_fen, note
    Column("detail", LargeBinary, info=SEALED),
    Column("recorded_by", String(60), nullable=False),
    Column("recorded_on", String(10), nullable=False),
    Index("ix_expense_case_no", "case_no"),
)

recognition = Table(
    "recognition",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("household_id", Id, nullable=False),
    Column("case_no", String(40), nullable=False),
    Column("street", String(20), nullable=False),
    Column("community", String(20), nullable=False),
    Column("kind", String(30), nullable=False),  # illness_expenditure | rigid_expenditure
    Column("members", Integer, nullable=False),
    Column("recognised_on", String(10), nullable=False),
    Column("valid_until", String(10), nullable=False),  # its last day
    Column("help_kind", String(20), nullable=False),  # status | one_off | referral
    Column("help_fen", BigInteger, nullable=False),  # one-off, for the household; 0: none
    Column("referral", String(30)),
    Column("by_meeting", Boolean, nullable=False),  # 一事一议
    Column("law_version", String(30), nullable=False),
    Index("ix_recognition_household_id", "household_id"),
    Index("ix_recognition_community", "community", "valid_until"),
)
