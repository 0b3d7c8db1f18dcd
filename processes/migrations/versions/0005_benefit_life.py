"""The life of a benefit: decisions with before and after, settlements, duties to report, special cases; review dates."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_LENGTHS = {"amount_from": 7, "review_class": 1, "last_review_on": 10, "next_review_on": 10, "next_report_on": 10, "stopped_from": 7,
            "exit_class": 12, "exit_reason": 30}  # fmt: skip


def upgrade() -> None:
    for name, length in _LENGTHS.items():
        op.add_column("benefit", sa.Column(name, sa.String(length), nullable=True))
    op.create_index("ix_benefit_next_review_on", "benefit", ["next_review_on"])
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "benefit_adjustment",
        sa.Column("id", number, autoincrement=False, nullable=False),
        sa.Column("benefit_id", number, nullable=False),
        sa.Column("household_id", number, nullable=False),
        sa.Column("case_no", sa.String(length=40)),
        sa.Column("batch_no", sa.String(length=40)),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("reason_code", sa.String(length=30), nullable=False),
        sa.Column("before_category", sa.String(length=30)),
        sa.Column("after_category", sa.String(length=30)),
        sa.Column("before_fen", sa.BigInteger(), nullable=False),
        sa.Column("after_fen", sa.BigInteger(), nullable=False),
        sa.Column("before_members", sa.Integer(), nullable=False),
        sa.Column("after_members", sa.Integer(), nullable=False),
        sa.Column("before_status", sa.String(length=24)),
        sa.Column("after_status", sa.String(length=24), nullable=False),
        sa.Column("decided_on", sa.String(length=10), nullable=False),
        sa.Column("decided_by", sa.String(length=60), nullable=False),
        sa.Column("from_month", sa.String(length=7), nullable=False),
        sa.Column("law_version", sa.String(length=20)),
        sa.PrimaryKeyConstraint("id", name="pk_benefit_adjustment"),
    )
    op.create_index("ix_benefit_adjustment_benefit_id", "benefit_adjustment", ["benefit_id", "from_month"])
    op.create_index("ix_benefit_adjustment_decided_on", "benefit_adjustment", ["decided_on"])
    op.create_table(
        "settlement",
        sa.Column("id", number, autoincrement=False, nullable=False),
        sa.Column("benefit_id", number, nullable=False),
        sa.Column("household_id", number, nullable=False),
        sa.Column("case_no", sa.String(length=40)),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("reason_code", sa.String(length=30), nullable=False),
        sa.Column("from_month", sa.String(length=7), nullable=False),
        sa.Column("to_month", sa.String(length=7), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("instalment_fen", sa.BigInteger()),
        sa.Column("first_month", sa.String(length=7)),
        sa.Column("agreed_on", sa.String(length=10)),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_settlement"),
    )
    op.create_index("ix_settlement_benefit_id", "settlement", ["benefit_id"])
    op.create_table(
        "report_duty",
        sa.Column("id", number, autoincrement=False, nullable=False),
        sa.Column("benefit_id", number, nullable=False),
        sa.Column("household_id", number, nullable=False),
        sa.Column("street", sa.String(length=20), nullable=False),
        sa.Column("due_on", sa.String(length=10), nullable=False),
        sa.Column("reminded_on", sa.String(length=10)),
        sa.Column("answered_on", sa.String(length=10)),
        sa.Column("case_no", sa.String(length=40)),
        sa.PrimaryKeyConstraint("id", name="pk_report_duty"),
    )
    op.create_index("ix_report_duty_benefit_id", "report_duty", ["benefit_id"])
    op.create_index("ix_report_duty_street", "report_duty", ["street", "due_on"])
    op.create_table(
        "special_case_request",
        sa.Column("id", number, autoincrement=False, nullable=False),
        sa.Column("case_no", sa.String(length=40), nullable=False),
        sa.Column("process", sa.String(length=60), nullable=False),
        sa.Column("household_id", number, nullable=False),
        sa.Column("street", sa.String(length=20), nullable=False),
        sa.Column("trigger_code", sa.String(length=30), nullable=False),
        sa.Column("origin", sa.String(length=10), nullable=False),
        sa.Column("facts", sa.LargeBinary()),
        sa.Column("wish", sa.LargeBinary()),
        sa.Column("ordinary_category", sa.String(length=30)),
        sa.Column("ordinary_fen", sa.BigInteger()),
        sa.Column("submitted_by", sa.String(length=60), nullable=False),
        sa.Column("submitted_on", sa.String(length=10), nullable=False),
        sa.Column("due_on", sa.String(length=10), nullable=False),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column("resolution", sa.String(length=30)),
        sa.Column("decided_on", sa.String(length=10)),
        sa.Column("meeting_no", sa.String(length=40)),
        sa.Column("review_on", sa.String(length=10)),
        sa.Column("fixed_amount", sa.Boolean()),
        sa.Column("fixed_until", sa.String(length=7)),
        sa.PrimaryKeyConstraint("id", name="pk_special_case_request"),
    )
    op.create_index("ix_special_case_request_case_no", "special_case_request", ["case_no"])
    op.create_index("ix_special_case_request_status", "special_case_request", ["status", "due_on"])


def downgrade() -> None:
    raise NotImplementedError("the record is only ever added to: restore a backup instead")
