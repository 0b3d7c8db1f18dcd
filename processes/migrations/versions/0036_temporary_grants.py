"""Grants of temporary assistance: one row for each form of help of a case."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0036"
down_revision = "0034"
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _text(name: str, size: int, *, none: bool = True) -> sa.Column[str]:
    return sa.Column(name, sa.String(size), nullable=none)


def upgrade() -> None:
    op.create_table(
        "temporary_grant",
        sa.Column("id", _NUMBER, autoincrement=False, nullable=False),
        _text("case_no", 40, none=False),
        sa.Column("household_id", _NUMBER, nullable=False),
        *(_text(name, size, none=False) for name, size in (("community", 20), ("kind", 12), ("cause", 20), ("form", 10))),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("description", sa.LargeBinary()),
        sa.Column("referred_to", sa.LargeBinary()),
        _text("state", 10, none=False),
        sa.Column("persons", sa.Integer(), nullable=False),
        sa.Column("unnamed", sa.Boolean(), nullable=False),
        sa.Column("year", sa.Integer()),
        *(_text(name, size) for name, size in (("granted_on", 10), ("decided_by", 60), ("decided_at", 10), ("paid_on", 10), ("paid_by", 60), ("pay_method", 20))),
        sa.Column("receiver", sa.LargeBinary()),
        sa.Column("proof_document", _NUMBER),
        _text("registered_on", 10),
        sa.PrimaryKeyConstraint("id", name="pk_temporary_grant"),
    )
    op.create_index("ix_temporary_grant_case_no", "temporary_grant", ["case_no"])
    op.create_index("ix_temporary_grant_household_id", "temporary_grant", ["household_id"])
    op.create_index("ix_temporary_grant_community", "temporary_grant", ["community", "year"])


def downgrade() -> None:
    raise NotImplementedError("the record is only ever added to: restore a backup instead")
