"""How often something was tried, for the limits of what anybody may ask."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0080"
down_revision = "0078"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "attempt",
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("until_at", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_attempt"),
    )
    op.create_index("ix_attempt_until_at", "attempt", ["until_at"])


def downgrade() -> None:
    raise NotImplementedError("the record is only ever added to: restore a backup instead")
