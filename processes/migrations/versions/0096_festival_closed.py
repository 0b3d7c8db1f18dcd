"""Festival items that can never be paid are closed by two persons (decision 084)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0096"
down_revision = "0094"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name, size in (("closing", 24), ("closing_reason", 200), ("closing_by", 60), ("closed_by", 60), ("closed_on", 10)):
        op.add_column("festival_item", sa.Column(name, sa.String(size), nullable=True))


def downgrade() -> None:
    raise NotImplementedError("the record is only ever added to: restore a backup instead")
