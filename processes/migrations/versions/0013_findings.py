"""Auditors' findings and what is said about them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "finding",
        sa.Column("id", number, primary_key=True, autoincrement=False),
        sa.Column("case_no", sa.String(length=40), nullable=False),
        sa.Column("entry", sa.Integer()),
        sa.Column("unit", sa.String(length=20), nullable=False),
        sa.Column("severity", sa.String(length=10), nullable=False),
        sa.Column("article", sa.String(length=200), nullable=False),
        sa.Column("text", sa.LargeBinary()),
        sa.Column("raised_by", sa.String(length=60), nullable=False),
        sa.Column("raised_on", sa.String(length=10), nullable=False),
        sa.Column("due_on", sa.String(length=10), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("settled_by", sa.String(length=60)),
        sa.Column("settled_on", sa.String(length=10)),
    )
    op.create_index("ix_finding_case_no", "finding", ["case_no"])
    op.create_index("ix_finding_unit_state", "finding", ["unit", "state"])
    op.create_table(
        "finding_reply",
        sa.Column("id", number, primary_key=True, autoincrement=False),
        sa.Column("finding_id", number, nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("staff", sa.String(length=60), nullable=False),
        sa.Column("said_on", sa.String(length=10), nullable=False),
        sa.Column("late", sa.Boolean(), nullable=False),
        sa.Column("text", sa.LargeBinary()),
    )
    op.create_index("ix_finding_reply_finding_id", "finding_reply", ["finding_id"])


def downgrade() -> None:
    raise NotImplementedError("the record is only ever added to: restore a backup instead")
