"""Decisions on benefits outside a case: suspensions and resumptions, the yearly adjustment of the standard."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "benefit_proposal",
        sa.Column("id", number, autoincrement=False, nullable=False),
        sa.Column("benefit_id", number, nullable=False),
        sa.Column("household_id", number, nullable=False),
        sa.Column("street", sa.String(length=20), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("reason_code", sa.String(length=30), nullable=False),
        sa.Column("reason", sa.LargeBinary()),
        sa.Column("pay_suspended", sa.Boolean(), nullable=False),
        sa.Column("proposed_by", sa.String(length=60), nullable=False),
        sa.Column("proposed_on", sa.String(length=10), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("settled_by", sa.String(length=60)),
        sa.Column("settled_on", sa.String(length=10)),
        sa.Column("adjustment_id", number),
        sa.Column("letter_id", number),
        sa.PrimaryKeyConstraint("id", name="pk_benefit_proposal"),
    )
    op.create_index("ix_benefit_proposal_benefit_id", "benefit_proposal", ["benefit_id"])
    op.create_index("ix_benefit_proposal_state", "benefit_proposal", ["state", "street"])
    op.create_table(
        "standard_batch",
        sa.Column("id", number, autoincrement=False, nullable=False),
        sa.Column("no", sa.String(length=40), nullable=False),
        sa.Column("effective_month", sa.String(length=7), nullable=False),
        sa.Column("law_version", sa.String(length=20), nullable=False),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column("scanned_to", number, nullable=False),
        sa.Column("fed_to", number, nullable=False),
        sa.Column("fed", sa.Integer(), nullable=False),
        sa.Column("proposed_by", sa.String(length=60), nullable=False),
        sa.Column("proposed_on", sa.String(length=10), nullable=False),
        sa.Column("settled_by", sa.String(length=60)),
        sa.Column("settled_on", sa.String(length=10)),
        sa.Column("finished_on", sa.String(length=10)),
        sa.Column("changes", sa.Integer()),
        sa.Column("unchanged", sa.Integer()),
        sa.Column("persons", sa.Integer()),
        sa.Column("contacts", sa.Integer()),
        sa.Column("before_fen", sa.BigInteger()),
        sa.Column("after_fen", sa.BigInteger()),
        sa.Column("applied", sa.Integer()),
        sa.Column("left_alone", sa.Integer()),
        sa.Column("stopped", sa.Integer()),
        sa.Column("for_persons", sa.Integer()),
        sa.Column("applied_before_fen", sa.BigInteger()),
        sa.Column("applied_after_fen", sa.BigInteger()),
        sa.Column("arrears_fen", sa.BigInteger()),
        sa.PrimaryKeyConstraint("id", name="pk_standard_batch"),
        sa.UniqueConstraint("no", name="uq_standard_batch_no"),
    )
    op.create_index("ix_standard_batch_effective_month", "standard_batch", ["effective_month"])
    op.create_table(
        "standard_item",
        sa.Column("id", number, autoincrement=False, nullable=False),
        sa.Column("batch_id", number, nullable=False),
        sa.Column("benefit_id", number, nullable=False),
        sa.Column("household_id", number, nullable=False),
        sa.Column("community", sa.String(length=20), nullable=False),
        sa.Column("category", sa.String(length=30), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("reason", sa.String(length=30)),
        sa.Column("contact", sa.Boolean(), nullable=False),
        sa.Column("members", sa.Integer(), nullable=False),
        sa.Column("per_capita", sa.String(length=20)),
        sa.Column("before_fen", sa.BigInteger(), nullable=False),
        sa.Column("after_fen", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_standard_item"),
    )
    op.create_index("ix_standard_item_state", "standard_item", ["batch_id", "state", "community"])
    op.create_index("uq_standard_item_benefit", "standard_item", ["batch_id", "benefit_id"], unique=True)
    op.create_table(
        "standard_result",
        sa.Column("id", number, autoincrement=False, nullable=False),
        sa.Column("batch_id", number, nullable=False),
        sa.Column("benefit_id", number, nullable=False),
        sa.Column("household_id", number, nullable=False),
        sa.Column("community", sa.String(length=20), nullable=False),
        sa.Column("outcome", sa.String(length=10), nullable=False),
        sa.Column("reason", sa.String(length=30)),
        sa.Column("contact", sa.Boolean(), nullable=False),
        sa.Column("recomputed", sa.Boolean(), nullable=False),
        sa.Column("before_fen", sa.BigInteger(), nullable=False),
        sa.Column("after_fen", sa.BigInteger(), nullable=False),
        sa.Column("from_month", sa.String(length=7)),
        sa.Column("arrears_fen", sa.BigInteger(), nullable=False),
        sa.Column("letter_id", number),
        sa.Column("done_on", sa.String(length=10), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_standard_result"),
    )
    op.create_index("ix_standard_result_outcome", "standard_result", ["batch_id", "outcome", "community"])
    op.create_index("uq_standard_result_benefit", "standard_result", ["batch_id", "benefit_id"], unique=True)


def downgrade() -> None:
    raise NotImplementedError("the record is only ever added to: restore a backup instead")
