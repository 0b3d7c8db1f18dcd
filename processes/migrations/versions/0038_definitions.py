"""What is deployed beside the program's own definitions; cases moved to another drawing."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0038"
down_revision = "0036"
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _text(name: str, size: int, *, none: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(size), nullable=none)


def _id() -> sa.Column[int]:
    return sa.Column("id", _NUMBER, autoincrement=False, nullable=False)


def upgrade() -> None:
    op.create_table(
        "definition",
        _id(),
        *(_text(name, size) for name, size in (("kind", 10), ("key", 60), ("digest", 64), ("before", 64))),
        sa.Column("reason", sa.Text(), nullable=False),
        _text("state", 10),
        _text("from_on", 10, none=True),
        _text("proposed_by", 60),
        _text("proposed_on", 10),
        _text("settled_by", 60, none=True),
        _text("settled_on", 10, none=True),
        sa.PrimaryKeyConstraint("id", name="pk_definition"),
    )
    op.create_index("ix_definition_state", "definition", ["state", "kind", "key"])
    op.create_table(
        "case_migration",
        _id(),
        *(_text(name, size) for name, size in (("process", 60), ("here", 64), ("there", 64))),
        sa.Column("ground", sa.Text(), nullable=False),
        _text("state", 10),
        sa.Column("cases", sa.Integer(), nullable=False),
        sa.Column("can", sa.Integer(), nullable=False),
        _text("proposed_by", 60),
        _text("proposed_on", 10),
        _text("settled_by", 60, none=True),
        _text("settled_on", 10, none=True),
        sa.PrimaryKeyConstraint("id", name="pk_case_migration"),
    )
    op.create_table(
        "case_migration_item",
        _id(),
        sa.Column("migration_id", _NUMBER, nullable=False),
        sa.Column("case_id", _NUMBER, nullable=False),
        _text("case_no", 40),
        _text("unit", 20),
        _text("state", 10),
        sa.Column("why", sa.Text(), nullable=False),
        _text("moved_on", 10, none=True),
        sa.PrimaryKeyConstraint("id", name="pk_case_migration_item"),
    )
    op.create_index("ix_case_migration_item_migration_id", "case_migration_item", ["migration_id", "case_id"])


def downgrade() -> None:
    raise NotImplementedError("the record is only ever added to: restore a backup instead")
