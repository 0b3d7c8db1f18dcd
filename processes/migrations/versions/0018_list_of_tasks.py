"""Views of the list of tasks that workers keep for themselves; indexes for the counts on its tabs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

_OWNED, _OPEN = sa.text("owner IS NOT NULL"), sa.text("closed_at IS NULL")
_FLAGGED = sa.text("state = 'open' AND flags <> ''")


def upgrade() -> None:
    op.create_table("saved_view", sa.Column("id", sa.Integer(), nullable=False), sa.Column("staff", sa.String(60), nullable=False),
                    sa.Column("name", sa.String(40), nullable=False), sa.Column("query", sa.String(800), nullable=False),
                    sa.PrimaryKeyConstraint("id", name="pk_saved_view"))  # fmt: skip
    op.create_index("uq_saved_view", "saved_view", ["staff", "name"], unique=True)
    op.create_index("ix_task_owner", "task", ["owner"], sqlite_where=_OWNED, postgresql_where=_OWNED)
    op.create_index("ix_task_flagged", "task", ["role", "unit"], sqlite_where=_FLAGGED, postgresql_where=_FLAGGED)
    op.create_index("ix_record_opened_by", "record", ["opened_by"], sqlite_where=_OPEN, postgresql_where=_OPEN)


def downgrade() -> None:
    raise NotImplementedError("the record is only ever added to: restore a backup instead")
