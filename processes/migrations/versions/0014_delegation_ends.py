"""委托: the last day of a delegation, after which the task goes back to its owner."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("task", sa.Column("until_on", sa.String(10), nullable=True))
    lent = sa.text("until_on IS NOT NULL")
    op.create_index("ix_task_until", "task", ["until_on"], sqlite_where=lent, postgresql_where=lent)


def downgrade() -> None:
    raise NotImplementedError("the record is only ever added to: restore a backup instead")
