"""Indexes of tasks: only what is searched, and none for the tasks of a case. On SQLite, entries and payloads in tables
with rowids: without, SQLite gives every row of more than a kilobyte pages of its own."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_FREE, _CLAIMED, _DONE = sa.text("state = 'open' AND assignee IS NULL"), sa.text("state = 'open' AND assignee IS NOT NULL"), sa.text("done_by IS NOT NULL")


def upgrade() -> None:
    for name in ("assignee", "case_id", "done_by", "worklist"):
        op.drop_index(f"ix_task_{name}", table_name="task")
    worklist = ["role", "unit", sa.text("priority DESC"), sa.text("coalesce(due_on, '9999-12-31')"), "id"]
    op.create_index("ix_task_worklist", "task", worklist, sqlite_where=_FREE, postgresql_where=_FREE)
    op.create_index("ix_task_assignee", "task", ["assignee", "due_on"], sqlite_where=_CLAIMED, postgresql_where=_CLAIMED)
    op.create_index("ix_task_done_by", "task", ["done_by", "closed_at"], sqlite_where=_DONE, postgresql_where=_DONE)
    if op.get_bind().dialect.name == "sqlite":
        for name in ("entry", "payload"):
            [made] = op.get_bind().scalars(sa.text("SELECT sql FROM sqlite_master WHERE name = :name").bindparams(name=name)).all()
            op.execute(f"ALTER TABLE {name} RENAME TO old_{name}")
            op.execute(sa.text(made.replace(" WITHOUT ROWID", "").replace(":", r"\:")))
            op.execute(f"INSERT INTO {name} SELECT * FROM old_{name} ORDER BY record_id, seq")  # noqa: S608 - two names of our own
            op.execute(f"DROP TABLE old_{name}")


def downgrade() -> None:
    raise NotImplementedError("the record is only ever added to: restore a backup instead")
