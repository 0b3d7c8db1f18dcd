"""Complaints, and who made them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0044"
down_revision = "0038"
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _text(name: str, size: int, *, none: bool = True) -> sa.Column[str]:
    return sa.Column(name, sa.String(size), nullable=none)


def upgrade() -> None:
    op.create_table(
        "complaint",
        sa.Column("id", _NUMBER, autoincrement=False, nullable=False),
        *(_text(name, size, none=False) for name, size in (("case_no", 40), ("unit", 20), ("channel", 12), ("received_on", 10))),
        sa.Column("is_named", sa.Boolean(), nullable=False),
        sa.Column("reporter_id", _NUMBER),
        _text("target_kind", 12, none=False),
        sa.Column("household_id", _NUMBER),
        sa.Column("benefit_id", _NUMBER),
        _text("target_login", 60),
        _text("target_unit", 20),
        sa.Column("allegation", sa.LargeBinary()),
        _text("state", 16, none=False),
        *(_text(name, size) for name, size in (("accepted_on", 10), ("due_on", 10), ("finding", 16), ("event_on", 10), ("concluded_on", 10), ("feedback_on", 10), ("review_no", 40))),
        sa.PrimaryKeyConstraint("id", name="pk_complaint"),
    )
    op.create_index("ix_complaint_case_no", "complaint", ["case_no"])
    op.create_index("ix_complaint_household_id", "complaint", ["household_id"])
    op.create_index("ix_complaint_unit_state", "complaint", ["unit", "state"])
    op.create_table(
        "complaint_reporter",
        sa.Column("id", _NUMBER, autoincrement=False, nullable=False),
        _text("unit", 20, none=False),
        *(sa.Column(name, sa.LargeBinary()) for name in ("name", "phone", "address")),
        sa.PrimaryKeyConstraint("id", name="pk_complaint_reporter"),
    )


def downgrade() -> None:
    raise NotImplementedError("the record is only ever added to: restore a backup instead")
