"""Appeals against decisions: administrative reviews and lawsuits."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0028"
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _text(name: str, size: int, *, none: bool = True) -> sa.Column[str]:
    return sa.Column(name, sa.String(size), nullable=none)


def upgrade() -> None:
    op.create_table(
        "appeal",
        sa.Column("id", _NUMBER, autoincrement=False, nullable=False),
        sa.Column("letter_id", _NUMBER, nullable=False),
        sa.Column("household_id", _NUMBER, nullable=False),
        _text("case_no", 40, none=False),
        sa.Column("benefit_id", _NUMBER),
        *(_text(name, size, none=False) for name, size in (("unit", 20), ("kind", 10), ("body", 20), ("lodged_on", 10))),
        sa.Column("lodged_by", sa.LargeBinary()),
        sa.Column("grounds", sa.LargeBinary()),
        sa.Column("document", _NUMBER),
        _text("last_day", 10),
        _text("recorded_by", 60, none=False),
        _text("state", 10, none=False),
        _text("accepted_on", 10),
        _text("due_on", 10),
        sa.Column("extended_days", sa.Integer()),
        *(_text(name, size) for name, size in (("decided_on", 10), ("received_on", 10), ("decision_no", 60))),
        sa.Column("summary", sa.LargeBinary()),
        sa.Column("decision_document", _NUMBER),
        *(_text(name, size) for name, size in (("outcome_by", 60), ("follow", 10), ("followed_by", 60), ("followed_on", 10), ("followed_case", 40))),
        sa.Column("adjustment_id", _NUMBER),
        sa.PrimaryKeyConstraint("id", name="pk_appeal"),
    )
    op.create_index("ix_appeal_letter_id", "appeal", ["letter_id"])
    op.create_index("ix_appeal_case_no", "appeal", ["case_no"])
    op.create_index("ix_appeal_household_id", "appeal", ["household_id"])
    op.create_index("ix_appeal_unit_state", "appeal", ["unit", "state"])


def downgrade() -> None:
    raise NotImplementedError("the record is only ever added to: restore a backup instead")
