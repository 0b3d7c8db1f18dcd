"""Accounts of households: postings and what came back."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0068"
down_revision = "0066"
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _text(name: str, size: int, *, none: bool = True) -> sa.Column[str]:
    return sa.Column(name, sa.String(size), nullable=none)


def upgrade() -> None:
    op.create_table(
        "account_posting",
        sa.Column("id", _NUMBER, autoincrement=False, nullable=False),
        sa.Column("household_id", _NUMBER, nullable=False),
        sa.Column("benefit_id", _NUMBER, nullable=False),
        _text("community", 20, none=False),
        _text("month", 7, none=False),
        _text("debit", 12, none=False),
        _text("credit", 12, none=False),
        sa.Column("fen", sa.BigInteger(), nullable=False),
        _text("source", 12, none=False),
        sa.Column("source_id", _NUMBER, nullable=False),
        _text("day", 10, none=False),
        sa.PrimaryKeyConstraint("id", name="pk_account_posting"),
    )
    op.create_index("ix_account_posting_household_id", "account_posting", ["household_id", "month"])
    op.create_index("ix_account_posting_month", "account_posting", ["month", "community"])
    op.create_index("uq_account_posting_source", "account_posting", ["benefit_id", "month", "source", "source_id"], unique=True)
    op.create_table(
        "account_receipt",
        sa.Column("id", _NUMBER, autoincrement=False, nullable=False),
        sa.Column("benefit_id", _NUMBER, nullable=False),
        sa.Column("household_id", _NUMBER, nullable=False),
        sa.Column("settlement_id", _NUMBER, nullable=False),
        sa.Column("against_id", _NUMBER),
        _text("kind", 12, none=False),
        sa.Column("fen", sa.BigInteger(), nullable=False),
        _text("on_day", 10, none=False),
        sa.Column("note", sa.LargeBinary()),
        _text("state", 10, none=False),
        _text("entered_by", 60, none=False),
        _text("entered_on", 10, none=False),
        _text("settled_by", 60),
        _text("settled_on", 10),
        sa.PrimaryKeyConstraint("id", name="pk_account_receipt"),
    )
    op.create_index("ix_account_receipt_benefit_id", "account_receipt", ["benefit_id"])
    op.create_index("ix_account_receipt_settlement_id", "account_receipt", ["settlement_id"])


def downgrade() -> None:
    raise NotImplementedError("the record is only ever added to: restore a backup instead")

