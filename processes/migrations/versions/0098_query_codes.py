"""Query codes of applications that were given anew (decision 077)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0098"
down_revision = "0096"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "query_code",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("case_no", sa.String(40), nullable=False),
        sa.Column("code_hash", sa.String(32), nullable=False),
        sa.Column("renewed_by", sa.String(60), nullable=False),
        sa.Column("renewed_on", sa.String(10), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_query_code"),
    )
    op.create_index("ix_query_code_case_no", "query_code", ["case_no"], unique=True)


def downgrade() -> None:
    raise NotImplementedError("the record is only ever added to: restore a backup instead")
