"""The support of the destitute: whose a benefit is where it is one person's, how he cares for himself, and what was found about him."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0030"
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("benefit", sa.Column("person_id", _NUMBER, nullable=True))
    op.add_column("benefit", sa.Column("self_care", sa.String(20), nullable=True))
    op.create_table(
        "destitute_finding",
        sa.Column("id", _NUMBER, autoincrement=False, nullable=False),
        sa.Column("case_no", sa.String(40), nullable=False),
        sa.Column("household_id", _NUMBER, nullable=False),
        sa.Column("person_id", _NUMBER, nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("found_on", sa.String(10), nullable=False),
        sa.Column("said", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_destitute_finding"),
    )
    op.create_index("ix_destitute_finding_case_no", "destitute_finding", ["case_no", "kind"])
    op.create_index("ix_destitute_finding_person_id", "destitute_finding", ["person_id"])


def downgrade() -> None:
    raise NotImplementedError("the record is only ever added to: restore a backup instead")
