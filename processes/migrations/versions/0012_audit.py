"""The auditor's random samples."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "audit_sample",
        sa.Column("id", number, primary_key=True, autoincrement=False),
        sa.Column("no", sa.String(length=40), nullable=False),
        sa.Column("unit", sa.String(length=20), nullable=False),
        sa.Column("purpose", sa.String(length=400), nullable=False),
        sa.Column("definition", sa.Text(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("population", sa.Integer(), nullable=False),
        sa.Column("population_hash", sa.String(length=64), nullable=False),
        sa.Column("commitment", sa.String(length=64), nullable=False),
        sa.Column("kept_seed", sa.LargeBinary()),
        sa.Column("seed", sa.String(length=64)),
        sa.Column("made_by", sa.String(length=60), nullable=False),
        sa.Column("made_on", sa.String(length=10), nullable=False),
        sa.Column("drawn_by", sa.String(length=60)),
        sa.Column("drawn_on", sa.String(length=10)),
        sa.UniqueConstraint("no", name="uq_audit_sample_no"),
    )
    op.create_index("ix_audit_sample_unit", "audit_sample", ["unit"])
    op.create_table(
        "audit_sample_case",
        sa.Column("id", number, primary_key=True, autoincrement=False),
        sa.Column("sample_id", number, nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("case_no", sa.String(length=40), nullable=False),
        sa.Column("stratum", sa.String(length=60), nullable=False),
    )
    op.create_index("ix_audit_sample_case_sample_id", "audit_sample_case", ["sample_id"])
    op.create_index("ix_audit_sample_case_case_no", "audit_sample_case", ["case_no"])


def downgrade() -> None:
    raise NotImplementedError("the record is only ever added to: restore a backup instead")
