"""Every text of the law that an entry names is kept."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table("law", sa.Column("digest", sa.String(length=64), primary_key=True), sa.Column("text", sa.LargeBinary(), nullable=False))


def downgrade() -> None:
    raise NotImplementedError("the record is only ever added to: restore a backup instead")
