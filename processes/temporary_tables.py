"""Rows of temporary assistance: each form of help of a case is a row of its own, projected from the case's record; no monthly benefit."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, LargeBinary, String, Table

from engine.store import Id, metadata
from processes.case_tables import SEALED

temporary_grant = Table(
    "temporary_grant",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("case_no", String(40), nullable=False),
    Column("household_id", Id, nullable=False),
    Column("community", String(20), nullable=False),  # where the household was
    Column("kind", String(12), nullable=False),  # emergency | expenditure
    Column("cause", String(20), nullable=False),
    Column("form", String(10), nullable=False),  # cash | goods | referral
    Column("amount_fen", BigInteger, nullable=False),  # of goods: their value; a referral: 0
    Column("description", LargeBinary, info=SEALED),
    Column("referred_to", LargeBinary, info=SEALED),
    Column("state", String(10), nullable=False),  # proposed | granted | paid | dropped
    Column("persons", Integer, nullable=False),
    Column("unnamed", Boolean, nullable=False),  # somebody's identity was not known when it was granted
    Column("year", Integer),  # the calendar year of the decision, by which grants for one cause are counted
    Column("granted_on", String(10)),
    Column("decided_by", String(60)),
    Column("decided_at", String(10)),  # street | district
    Column("paid_on", String(10)),  # also: handed over, referred
    Column("paid_by", String(60)),
    Column("pay_method", String(20)),
    Column("receiver", LargeBinary, info=SEALED),
    Column("proof_document", Id),
    Column("registered_on", String(10)),  # 急难型: the papers were completed afterwards
    Index("ix_temporary_grant_case_no", "case_no"),
    Index("ix_temporary_grant_household_id", "household_id"),
    Index("ix_temporary_grant_community", "community", "year"),
)
