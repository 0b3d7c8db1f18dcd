"""The case of a screening's finding, and whether the finding proved unfounded."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0090"
down_revision = "0086"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("screening_finding", sa.Column("unfounded", sa.Boolean()))
    op.add_column("screening_finding", sa.Column("case_no", sa.String(40)))


def downgrade() -> None:
    raise NotImplementedError("the record is only ever added to: restore a backup instead")
