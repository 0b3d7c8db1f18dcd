"""Hardships that a household declares (sealed: two of them tell of health), and whether it has no children."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("household", sa.Column("hardships", sa.LargeBinary(), nullable=True))
    op.add_column("household", sa.Column("childless", sa.Boolean(), nullable=True))


def downgrade() -> None:
    raise NotImplementedError("the record is only ever added to: restore a backup instead")
