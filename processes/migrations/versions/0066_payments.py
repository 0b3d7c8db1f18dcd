"""Monthly payments: runs, items, problems, files, the bank's answers, changes of account."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0066"
down_revision = "0064"
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _text(name: str, size: int, *, none: bool = True) -> sa.Column[str]:
    return sa.Column(name, sa.String(size), nullable=none)


def upgrade() -> None:
    op.create_table(
        "payment_run",
        sa.Column("id", _NUMBER, autoincrement=False, nullable=False),
        _text("case_no", 40, none=False),
        _text("scope", 20, none=False),
        _text("month", 7, none=False),
        _text("pay_by", 10, none=False),
        _text("status", 12, none=False),
        sa.Column("listings", sa.Integer(), nullable=False),
        sa.Column("scanned_to", _NUMBER, nullable=False),
        sa.Column("compared_to", _NUMBER, nullable=False),
        sa.Column("not_due", sa.Integer(), nullable=False),
        sa.Column("elsewhere", sa.Integer(), nullable=False),
        sa.Column("files", sa.Integer(), nullable=False),
        _text("made_by", 60, none=False),
        _text("made_on", 10, none=False),
        _text("submitted_by", 60),
        _text("checked_by", 60),
        _text("approved_by", 60),
        _text("approved_on", 10),
        sa.Column("approved_items", sa.Integer()),
        sa.Column("approved_fen", sa.BigInteger()),
        _text("closed_on", 10),
        sa.PrimaryKeyConstraint("id", name="pk_payment_run"),
        sa.UniqueConstraint("case_no", name="uq_payment_run_case_no"),
    )
    op.create_index("ix_payment_run_month", "payment_run", ["month", "scope"])
    op.create_table(
        "payment_item",
        sa.Column("id", _NUMBER, autoincrement=False, nullable=False),
        sa.Column("run_id", _NUMBER, nullable=False),
        sa.Column("part", _NUMBER, nullable=False),
        sa.Column("benefit_id", _NUMBER, nullable=False),
        sa.Column("household_id", _NUMBER, nullable=False),
        _text("community", 20, none=False),
        _text("month", 7, none=False),
        _text("claim", 60, none=False),
        sa.Column("settlement_id", _NUMBER),
        sa.Column("live", sa.Boolean(), nullable=False),
        _text("state", 10, none=False),
        _text("category", 30, none=False),
        sa.Column("members", sa.Integer(), nullable=False),
        _text("standard", 20, none=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("adjustment_id", _NUMBER, nullable=False),
        sa.Column("account_id", _NUMBER, nullable=False),
        _text("holder", 60),
        _text("bank", 60),
        sa.Column("account", sa.LargeBinary()),
        _text("account_blind", 32),
        sa.Column("again", sa.Boolean(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        _text("cause", 20),
        _text("credited_on", 10),
        sa.PrimaryKeyConstraint("id", name="pk_payment_item"),
    )
    op.create_index("ix_payment_item_account", "payment_item", ["month", "account_blind"])
    op.create_index("ix_payment_item_benefit_id", "payment_item", ["benefit_id", "month"])
    op.create_index("ix_payment_item_household_id", "payment_item", ["household_id"])
    op.create_index("ix_payment_item_run_id", "payment_item", ["run_id", "part"])
    op.create_index("ix_payment_item_state", "payment_item", ["run_id", "state"])
    op.create_index("uq_payment_item_claim", "payment_item", ["claim"], unique=True, sqlite_where=sa.text("live = 1"), postgresql_where=sa.text("live"))
    op.create_table(
        "payment_item_person",
        sa.Column("id", _NUMBER, autoincrement=False, nullable=False),
        sa.Column("item_id", _NUMBER, nullable=False),
        _text("month", 7, none=False),
        sa.Column("person_id", _NUMBER, nullable=False),
        _text("name", 60),
        _text("id_blind", 32),
        sa.PrimaryKeyConstraint("id", name="pk_payment_item_person"),
    )
    op.create_index("ix_payment_item_person_blind", "payment_item_person", ["month", "id_blind"])
    op.create_index("ix_payment_item_person_item_id", "payment_item_person", ["item_id"])
    op.create_table(
        "payment_problem",
        sa.Column("id", _NUMBER, autoincrement=False, nullable=False),
        sa.Column("run_id", _NUMBER, nullable=False),
        sa.Column("item_id", _NUMBER, nullable=False),
        _text("kind", 20, none=False),
        sa.Column("other_item_id", _NUMBER),
        _text("state", 10, none=False),
        _text("answer", 6),
        sa.Column("reason", sa.LargeBinary()),
        _text("answered_by", 60),
        _text("answered_on", 10),
        sa.PrimaryKeyConstraint("id", name="pk_payment_problem"),
    )
    op.create_index("ix_payment_problem_item_id", "payment_problem", ["item_id"])
    op.create_index("ix_payment_problem_run_id", "payment_problem", ["run_id", "state"])
    op.create_table(
        "payment_file",
        sa.Column("id", _NUMBER, autoincrement=False, nullable=False),
        sa.Column("run_id", _NUMBER, nullable=False),
        _text("no", 50, none=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        _text("profile", 40, none=False),
        _text("state", 10, none=False),
        _text("pay_on", 10, none=False),
        _text("made_by", 60, none=False),
        _text("made_on", 10, none=False),
        sa.Column("filled_to", _NUMBER, nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("total_fen", sa.BigInteger(), nullable=False),
        _text("digest", 64),
        _text("sent_on", 10),
        sa.PrimaryKeyConstraint("id", name="pk_payment_file"),
        sa.UniqueConstraint("no", name="uq_payment_file_no"),
    )
    op.create_index("ix_payment_file_run_id", "payment_file", ["run_id"])
    op.create_table(
        "payment_sending",
        sa.Column("id", _NUMBER, autoincrement=False, nullable=False),
        sa.Column("file_id", _NUMBER, nullable=False),
        sa.Column("run_id", _NUMBER, nullable=False),
        sa.Column("item_id", _NUMBER, nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        _text("serial", 60, none=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        _text("holder", 60),
        _text("bank", 60),
        sa.Column("account", sa.LargeBinary()),
        _text("state", 10, none=False),
        _text("cause", 20),
        sa.Column("reason", sa.LargeBinary()),
        _text("credited_on", 10),
        _text("answered_on", 10),
        sa.Column("return_id", _NUMBER),
        sa.PrimaryKeyConstraint("id", name="pk_payment_sending"),
        sa.UniqueConstraint("serial", name="uq_payment_sending_serial"),
    )
    op.create_index("ix_payment_sending_file", "payment_sending", ["file_id", "line"])
    op.create_index("ix_payment_sending_run_id", "payment_sending", ["run_id", "state"])
    op.create_index("uq_payment_sending_item", "payment_sending", ["item_id", "attempt"], unique=True)
    op.create_table(
        "payment_return",
        sa.Column("id", _NUMBER, autoincrement=False, nullable=False),
        sa.Column("run_id", _NUMBER, nullable=False),
        sa.Column("file_id", _NUMBER, nullable=False),
        _text("digest", 64, none=False),
        sa.Column("lines", sa.Integer(), nullable=False),
        sa.Column("taken", sa.Integer(), nullable=False),
        sa.Column("repeated", sa.Integer(), nullable=False),
        sa.Column("faults", sa.Integer(), nullable=False),
        _text("entered_by", 60, none=False),
        _text("entered_on", 10, none=False),
        sa.PrimaryKeyConstraint("id", name="pk_payment_return"),
    )
    op.create_index("ix_payment_return_run_id", "payment_return", ["run_id"])
    op.create_index("uq_payment_return_digest", "payment_return", ["file_id", "digest"], unique=True)
    op.create_table(
        "payment_return_fault",
        sa.Column("id", _NUMBER, autoincrement=False, nullable=False),
        sa.Column("return_id", _NUMBER, nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        _text("code", 20, none=False),
        _text("serial", 60),
        sa.Column("text", sa.LargeBinary()),
        sa.PrimaryKeyConstraint("id", name="pk_payment_return_fault"),
    )
    op.create_index("ix_payment_return_fault_return_id", "payment_return_fault", ["return_id", "line"])
    op.create_table(
        "payment_account",
        sa.Column("id", _NUMBER, autoincrement=False, nullable=False),
        sa.Column("household_id", _NUMBER, nullable=False),
        _text("community", 20, none=False),
        _text("holder", 60),
        _text("bank", 60),
        sa.Column("account", sa.LargeBinary()),
        sa.Column("reason", sa.LargeBinary()),
        sa.Column("document_id", _NUMBER),
        _text("from_month", 7, none=False),
        _text("state", 10, none=False),
        _text("proposed_by", 60, none=False),
        _text("proposed_on", 10, none=False),
        _text("settled_by", 60),
        _text("settled_on", 10),
        sa.PrimaryKeyConstraint("id", name="pk_payment_account"),
    )
    op.create_index("ix_payment_account_household_id", "payment_account", ["household_id", "state"])
    op.create_index("ix_payment_account_state", "payment_account", ["state", "community"])


def downgrade() -> None:
    raise NotImplementedError("the record is only ever added to: restore a backup instead")

