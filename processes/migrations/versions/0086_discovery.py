"""Proactive discovery is a process: a lead names its case, who helps, and how it ended without an application."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0086"
down_revision = "0080"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for column in (
        sa.Column("discovery_no", sa.String(40)), sa.Column("helper", sa.String(60)), sa.Column("duplicate_of", sa.BigInteger().with_variant(sa.Integer(), "sqlite")),
        sa.Column("help_note", sa.LargeBinary()), sa.Column("closed_on", sa.String(10)), sa.Column("closed_by", sa.String(60)),
    ):  # fmt: skip
        op.add_column("lead", column)


def downgrade() -> None:
    raise NotImplementedError("the record is only ever added to: restore a backup instead")
