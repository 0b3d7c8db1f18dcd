"""What people do around a task: signers, what they hold, urges, copies, comments, notes; who opened a task; substitutes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _id(name: str, *, counted: bool = False) -> tuple[sa.Column[int], sa.PrimaryKeyConstraint]:
    return sa.Column("id", _NUMBER, autoincrement=counted, nullable=False), sa.PrimaryKeyConstraint("id", name=f"pk_{name}")


def _text(name: str, size: int, *, none: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(size), nullable=none)


def _number(name: str, *, none: bool = False) -> sa.Column[int]:
    return sa.Column(name, _NUMBER, nullable=none)


def upgrade() -> None:
    op.add_column("task", sa.Column("done_for", sa.String(60), nullable=True))
    _signers()
    op.create_table("urge", *_id("urge"), _number("task_id"), _text("staff", 60), _text("urged_on", 10))
    op.create_index("ix_urge_task_id", "urge", ["task_id"])
    op.create_table("case_copy", *_id("case_copy"), _number("case_id"), _number("task_id"), _text("staff", 60), _text("sent_by", 60),
                    _text("sent_on", 10), _text("read_on", 10, none=True))  # fmt: skip
    op.create_index("ix_case_copy_case_id", "case_copy", ["case_id"])
    op.create_index("ix_case_copy_staff", "case_copy", ["staff", "task_id"])
    op.create_table("case_comment", *_id("case_comment"), _number("case_id"), _number("task_id", none=True), _text("staff", 60), _text("said_at", 32),
                    sa.Column("text", sa.LargeBinary()))  # fmt: skip
    op.create_index("ix_case_comment_case_id", "case_comment", ["case_id"])
    op.create_table("case_note", *_id("case_note", counted=True), _number("case_id"), _text("staff", 60),
                    sa.Column("at", sa.DateTime(timezone=True), nullable=False), sa.Column("sealed", sa.LargeBinary(), nullable=False))  # fmt: skip
    op.create_index("ix_case_note_case_id", "case_note", ["case_id"])
    op.create_table("task_seen", sa.Column("task_id", _NUMBER, autoincrement=False, nullable=False), _text("staff", 60),
                    sa.Column("at", sa.DateTime(timezone=True), nullable=False),
                    sa.PrimaryKeyConstraint("task_id", "staff", name="pk_task_seen"))  # fmt: skip
    op.create_table("substitute", *_id("substitute"), _text("absent", 60), _text("substitute", 60), _text("from_on", 10), _text("until_on", 10),
                    _text("roles", 400), _text("reason", 400, none=True), _text("set_by", 60), _text("ended_on", 10, none=True))  # fmt: skip
    op.create_index("ix_substitute_absent", "substitute", ["absent"])
    op.create_index("ix_substitute_substitute", "substitute", ["substitute"])


def _signers() -> None:
    op.create_table("task_signer", *_id("task_signer"), _number("task_id"), _text("kind", 6), _text("staff", 60), _text("state", 10),
                    sa.Column("round", sa.Integer(), nullable=False), _text("asked_by", 60), _text("asked_on", 10), sa.Column("question", sa.LargeBinary()),
                    _text("answered_on", 10, none=True), sa.Column("words", sa.LargeBinary()))  # fmt: skip
    op.create_index("ix_task_signer_task_id", "task_signer", ["task_id"])
    op.create_index("ix_task_signer_staff_state", "task_signer", ["staff", "state"])
    op.create_table("held", *_id("held"), _number("task_id"), _text("staff", 60), _text("on_behalf_of", 60, none=True),
                    sa.Column("answers", sa.LargeBinary()), _text("state", 10))  # fmt: skip
    op.create_index("ix_held_task_id", "held", ["task_id"])


def downgrade() -> None:
    raise NotImplementedError("the record is only ever added to: restore a backup instead")
