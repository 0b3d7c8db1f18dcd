"""The grace period of a benefit: until which month it goes on although somebody's wage is over the standard, and whose."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("benefit", sa.Column("grace_until", sa.String(7), nullable=True))
    op.add_column("benefit", sa.Column("grace_person", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True))


def downgrade() -> None:
    raise NotImplementedError("the record is only ever added to: restore a backup instead")
