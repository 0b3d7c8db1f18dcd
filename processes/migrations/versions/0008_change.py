"""Change reports: why a member left, and the second reminder of a duty to report."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("household_member", sa.Column("left_reason", sa.String(20), nullable=True))
    op.add_column("report_duty", sa.Column("reminded_again_on", sa.String(10), nullable=True))


def downgrade() -> None:
    raise NotImplementedError("the record is only ever added to: restore a backup instead")
