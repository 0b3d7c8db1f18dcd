"""Credits that the bank takes back later (decision 083)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0094"
down_revision = "0090"
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("payment_sending", sa.Column("taken_back_on", sa.String(10), nullable=True))
    op.add_column("payment_sending", sa.Column("back_return_id", _NUMBER, nullable=True))
    op.add_column("payment_return", sa.Column("back", sa.Integer(), nullable=True))


def downgrade() -> None:
    raise NotImplementedError("the record is only ever added to: restore a backup instead")
