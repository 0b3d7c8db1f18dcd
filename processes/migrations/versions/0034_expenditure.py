"""Families in hardship for their expenses: the expenses item by item, and the recognition."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0032"
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _text(name: str, size: int, *, none: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(size), nullable=none)


def upgrade() -> None:
    op.create_table(
        "expense",
        sa.Column("id", _NUMBER, autoincrement=False, nullable=False),
        _text("case_no", 40),
        sa.Column("household_id", _NUMBER, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        _text("source", 10),
        sa.Column("detail", sa.LargeBinary()),
        _text("recorded_by", 60),
        _text("recorded_on", 10),
        sa.PrimaryKeyConstraint("id", name="pk_expense"),
    )
    op.create_index("ix_expense_case_no", "expense", ["case_no"])
    op.create_table(
        "recognition",
        sa.Column("id", _NUMBER, autoincrement=False, nullable=False),
        sa.Column("household_id", _NUMBER, nullable=False),
        *(_text(name, size) for name, size in (("case_no", 40), ("street", 20), ("community", 20), ("kind", 30))),
        sa.Column("members", sa.Integer(), nullable=False),
        *(_text(name, size) for name, size in (("recognised_on", 10), ("valid_until", 10), ("help_kind", 20))),
        sa.Column("help_fen", sa.BigInteger(), nullable=False),
        _text("referral", 30, none=True),
        sa.Column("by_meeting", sa.Boolean(), nullable=False),
        _text("law_version", 30),
        sa.PrimaryKeyConstraint("id", name="pk_recognition"),
    )
    op.create_index("ix_recognition_household_id", "recognition", ["household_id"])
    op.create_index("ix_recognition_community", "recognition", ["community", "valid_until"])


def downgrade() -> None:
    raise NotImplementedError("the record is only ever added to: restore a backup instead")
