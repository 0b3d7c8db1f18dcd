"""Indexes of jobs that are searched, which leave out what is done; and of open tasks in the order of their last day."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index("ix_job_ready", table_name="job")
    for name, table, columns, state in (("ix_job_ready", "job", ["due_at", "id"], "ready"), ("ix_job_running", "job", ["lease_until"], "running"),
                                        ("ix_job_incident", "job", ["id"], "incident"), ("ix_task_due", "task", ["due_on", "id"], "open")):  # fmt: skip
        where = sa.text(f"state = '{state}'")
        op.create_index(name, table, columns, sqlite_where=where, postgresql_where=where)


def downgrade() -> None:
    raise NotImplementedError("the record is only ever added to: restore a backup instead")
