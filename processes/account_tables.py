"""Rows of the accounts of households in benefit: postings by double entry, and what was paid back or set off."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, LargeBinary, String, Table

from engine.store import Id, metadata
from processes.tables import SEALED


def _id() -> Column[int]:
    return Column("id", Id, primary_key=True, autoincrement=False)


# One posting: so much from one account to another, for one benefit and month. With both sides in one row it cannot but balance; what is
# posted is never changed, a later decision posts the difference.
account_posting = Table(
    "account_posting",
    metadata,
    _id(),
    Column("household_id", Id, nullable=False),
    Column("benefit_id", Id, nullable=False),
    Column("community", String(20), nullable=False),
    Column("month", String(7), nullable=False),  # to which the money belongs
    Column("debit", String(12), nullable=False),  # approved | payable | receivable | bank | set_off | written_off
    Column("credit", String(12), nullable=False),
    Column("fen", BigInteger, nullable=False),  # above zero
    Column("source", String(12), nullable=False),  # approval | opening | settlement | payment | taken_back | receipt | set_off | cleared
    Column("source_id", Id, nullable=False),
    Column("day", String(10), nullable=False),
    Index("uq_account_posting_source", "benefit_id", "month", "source", "source_id", unique=True),
    Index("ix_account_posting_household_id", "household_id", "month"),
    Index("ix_account_posting_month", "month", "community"),
)

# Money of a claim that came back, or was set off against what the household is owed; owned by the benefit's record.
account_receipt = Table(
    "account_receipt",
    metadata,
    _id(),
    Column("benefit_id", Id, nullable=False),
    Column("household_id", Id, nullable=False),
    Column("settlement_id", Id, nullable=False),  # the claim
    Column("against_id", Id),  # of an offset: the arrears that it uses
    Column("kind", String(12), nullable=False),  # repaid | offset
    Column("fen", BigInteger, nullable=False),
    Column("on_day", String(10), nullable=False),
    Column("note", LargeBinary, info=SEALED),
    Column("state", String(10), nullable=False),  # proposed | done | refused: an offset takes a decision by another person
    Column("entered_by", String(60), nullable=False),
    Column("entered_on", String(10), nullable=False),
    Column("settled_by", String(60)),
    Column("settled_on", String(10)),
    Index("ix_account_receipt_benefit_id", "benefit_id"),
    Index("ix_account_receipt_settlement_id", "settlement_id"),
)
