"""Files of the spot check, one by one: so that an incomplete ten can be filled up at the month's end."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "spot_file",
        sa.Column("id", number, autoincrement=False, nullable=False),
        sa.Column("street", sa.String(20), nullable=False),
        sa.Column("block", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("household_id", number, nullable=False),
        sa.Column("received_on", sa.String(10), nullable=False),
        sa.Column("drawn", sa.Boolean(), nullable=False),
        sa.Column("late", sa.Boolean(), nullable=False),
        sa.Column("passed_on", sa.String(10)),
        sa.PrimaryKeyConstraint("id", name="pk_spot_file"),
    )
    op.create_index("ix_spot_file_street_block", "spot_file", ["street", "block"])
    op.create_index("ix_spot_file_household_id", "spot_file", ["household_id"])


def downgrade() -> None:
    raise NotImplementedError("the record is only ever added to: restore a backup instead")
