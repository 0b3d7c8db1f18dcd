"""Plans of the screening; proof and verification of what was put right; visits that were brought in from a filled-in annex."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0062"
down_revision = "0060"
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _text(name: str, size: int, *, none: bool = True) -> sa.Column[str]:
    return sa.Column(name, sa.String(size), nullable=none)


def upgrade() -> None:
    with op.batch_alter_table("screening") as table:
        table.alter_column("result", existing_type=sa.String(12), nullable=True)
        for name in ("still_hardship", "relative_of_staff", "relatives_on_assistance"):
            table.alter_column(name, existing_type=sa.Boolean(), nullable=True)
        for column in (_text("entered_by", 60), _text("list_digest", 64), sa.Column("list_line", sa.Integer()), _text("first_confirmed_on", 10), _text("case_no", 40)):
            table.add_column(column)
    for more in (sa.Column("proof_id", _NUMBER), _text("outcome", 10), _text("verified_by", 60), _text("verified_on", 10), sa.Column("verify_text", sa.LargeBinary()),
                 sa.Column("sent_back", sa.Integer())):  # fmt: skip
        op.add_column("screening_finding", more)
    op.create_table(
        "screening_plan",
        sa.Column("id", _NUMBER, autoincrement=False, nullable=False),
        *(_text(name, size, none=False) for name, size in (("street", 20), ("community", 20), ("population", 20), ("from_on", 10), ("until_on", 10), ("teams", 2000))),
        _text("note", 400),
        *(_text(name, size, none=False) for name, size in (("made_by", 60), ("made_on", 10), ("drawn_up_on", 10))),
        sa.PrimaryKeyConstraint("id", name="pk_screening_plan"),
    )
    op.create_index("ix_screening_plan_community", "screening_plan", ["community", "population"])
    op.create_table(
        "screening_plan_home",
        sa.Column("id", _NUMBER, autoincrement=False, nullable=False),
        sa.Column("plan_id", _NUMBER, nullable=False),
        sa.Column("household_id", _NUMBER, nullable=False),
        *(_text(name, size, none=False) for name, size in (("community", 20), ("population", 20), ("from_on", 10))),
        sa.Column("by_hand", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.LargeBinary()),
        *(_text(name, size) for name, size in (("first", 60), ("second", 60), ("visit_on", 10), ("dropped_on", 10))),
        sa.Column("dropped_why", sa.LargeBinary()),
        sa.PrimaryKeyConstraint("id", name="pk_screening_plan_home"),
    )
    for name, columns in (("plan_id", ["plan_id", "visit_on"]), ("first", ["first", "visit_on"]), ("second", ["second", "visit_on"])):
        op.create_index(f"ix_screening_plan_home_{name}", "screening_plan_home", columns)


def downgrade() -> None:
    raise NotImplementedError("the record is only ever added to: restore a backup instead")
