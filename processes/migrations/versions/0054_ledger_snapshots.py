"""Snapshots of the ledger (作战台账)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0054"
down_revision = "0052"
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "ledger_snapshot",
        sa.Column("id", _NUMBER, autoincrement=False, nullable=False),
        *(sa.Column(name, sa.String(size), nullable=False) for name, size in (("unit", 20), ("since", 10), ("until", 10), ("taken_by", 60), ("taken_on", 10))),
        sa.Column("previous_id", _NUMBER),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("figures", "counted")),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_ledger_snapshot"),
    )
    op.create_index("ix_ledger_snapshot_unit", "ledger_snapshot", ["unit", "until"])


def downgrade() -> None:
    raise NotImplementedError("the record is only ever added to: restore a backup instead")
