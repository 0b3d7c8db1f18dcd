"""Long-term displays, their postings, objections of the public, and the published telephones."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0078"
down_revision = "0074"
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _text(name: str, size: int, *, none: bool = True) -> sa.Column[str]:
    return sa.Column(name, sa.String(size), nullable=none)


def _number(name: str, *, none: bool = False) -> sa.Column[int]:
    return sa.Column(name, _NUMBER, nullable=none)


def upgrade() -> None:
    op.create_table(
        "display",
        sa.Column("id", _NUMBER, autoincrement=False, nullable=False),
        _number("benefit_id"), _number("household_id"),
        _text("street", 20, none=False), _text("community", 20, none=False), _text("applicant", 60),
        sa.Column("masked", sa.Boolean(), nullable=False), sa.Column("members", sa.Integer(), nullable=False), _text("category", 30, none=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False), sa.Column("version", sa.Integer(), nullable=False),
        _text("made_on", 10, none=False), _text("made_by", 60, none=False),
        *(sa.Column(f"{level}_version", sa.Integer()) for level in ("district", "street", "community")),
        sa.PrimaryKeyConstraint("id", name="pk_display"),
        sa.UniqueConstraint("benefit_id", name="uq_display_benefit_id"),
    )  # fmt: skip
    op.create_index("ix_display_community", "display", ["community"])
    op.create_index("ix_display_household_id", "display", ["household_id"])
    op.create_table(
        "display_posting",
        sa.Column("id", _NUMBER, autoincrement=False, nullable=False),
        _number("display_id"), _text("level", 12, none=False), _text("place", 80, none=False), sa.Column("version", sa.Integer(), nullable=False),
        _text("posted_on", 10, none=False), _text("posted_by", 60, none=False), _number("photo_posted"),
        _text("removed_on", 10), _text("removed_by", 60), _number("photo_removed", none=True), _text("removed_why", 12),
        sa.PrimaryKeyConstraint("id", name="pk_display_posting"),
    )  # fmt: skip
    op.create_index("ix_display_posting_display_id", "display_posting", ["display_id"])
    op.create_table(
        "objection",
        sa.Column("id", _NUMBER, autoincrement=False, nullable=False),
        _number("notice_id", none=True), _number("display_id", none=True), _number("household_id"), _text("community", 20, none=False),
        _text("case_no", 40), _text("complaint_no", 40, none=False), sa.Column("is_named", sa.Boolean(), nullable=False), sa.Column("grounds", sa.LargeBinary()),
        _text("received_on", 10, none=False), _text("due_on", 10, none=False), _text("state", 12, none=False), sa.Column("note", sa.LargeBinary()),
        _text("handled_by", 60), _text("handled_on", 10),
        sa.PrimaryKeyConstraint("id", name="pk_objection"),
    )  # fmt: skip
    op.create_index("ix_objection_community", "objection", ["community", "state"])
    op.create_index("ix_objection_notice_id", "objection", ["notice_id"])
    op.create_index("ix_objection_display_id", "objection", ["display_id"])
    op.create_table(
        "unit_phone",
        sa.Column("id", _NUMBER, autoincrement=False, nullable=False),
        _text("unit", 20, none=False), _text("phone", 40, none=False), _text("hours", 80), _text("address", 120),
        sa.Column("published", sa.Boolean(), nullable=False), _text("set_by", 60, none=False), _text("set_on", 10, none=False),
        sa.PrimaryKeyConstraint("id", name="pk_unit_phone"),
        sa.UniqueConstraint("unit", name="uq_unit_phone_unit"),
    )  # fmt: skip


def downgrade() -> None:
    raise NotImplementedError("the record is only ever added to: restore a backup instead")
