"""Matters of accountability (追责) and the replies of those concerned."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0048"
down_revision = "0044"
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _text(name: str, size: int, *, none: bool = True) -> sa.Column[str]:
    return sa.Column(name, sa.String(size), nullable=none)


def upgrade() -> None:
    op.create_table(
        "accountability",
        sa.Column("id", _NUMBER, autoincrement=False, nullable=False),
        *(_text(name, size, none=False) for name, size in (("unit", 20), ("persons", 400), ("findings", 400), ("cases", 400))),
        sa.Column("facts", sa.LargeBinary()),
        *(_text(name, size, none=False) for name, size in (("opened_by", 60), ("opened_on", 10), ("state", 12))),
        *(_text(name, size) for name, size in (("category", 24), ("sub_type", 24), ("treatment", 30), ("severity", 10), ("wrong", 12), ("discipline", 200))),
        sa.Column("proposal", sa.LargeBinary()),
        *(_text(name, size) for name, size in (("proposed_by", 60), ("proposed_on", 10), ("reply_until", 10))),
        sa.Column("conclusion", sa.LargeBinary()),
        *(_text(name, size) for name, size in (("concluded_by", 60), ("concluded_on", 10), ("transferred_to", 100), ("rectified_on", 10))),
        sa.PrimaryKeyConstraint("id", name="pk_accountability"),
    )
    op.create_index("ix_accountability_unit_state", "accountability", ["unit", "state"])
    op.create_index("ix_accountability_concluded_on", "accountability", ["concluded_on"])
    op.create_table(
        "accountability_reply",
        sa.Column("id", _NUMBER, autoincrement=False, nullable=False),
        sa.Column("accountability_id", _NUMBER, nullable=False),
        _text("staff", 60, none=False),
        _text("said_on", 10, none=False),
        sa.Column("late", sa.Boolean(), nullable=False),
        sa.Column("text", sa.LargeBinary()),
        sa.PrimaryKeyConstraint("id", name="pk_accountability_reply"),
    )
    op.create_index("ix_accountability_reply_accountability_id", "accountability_reply", ["accountability_id"])


def downgrade() -> None:
    raise NotImplementedError("the record is only ever added to: restore a backup instead")
