"""A near-relative statement that was a mistake is taken back by two persons: who asked, why, and who agreed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name, kind in (("revoke_asked_by", sa.String(60)), ("revoke_asked_on", sa.String(10)), ("revoke_reason", sa.Text()), ("revoked_by", sa.String(60)), ("revoked_on", sa.String(10))):
        op.add_column("near_relative", sa.Column(name, kind, nullable=True))


def downgrade() -> None:
    raise NotImplementedError("the record is only ever added to: restore a backup instead")
