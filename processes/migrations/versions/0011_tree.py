"""The tree over all entries, those that are there already wait for it in order; differences that were accepted, data that were erased."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from engine.store import Utc

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "pending",
        sa.Column("record_id", number, primary_key=True, autoincrement=False),
        sa.Column("seq", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "leaf",
        sa.Column("leaf_index", number, primary_key=True, autoincrement=False),
        sa.Column("record_id", number, nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
    )
    op.create_index("uq_leaf", "leaf", ["record_id", "seq"], unique=True)
    op.create_table(
        "node",
        sa.Column("id", number, primary_key=True, autoincrement=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
    )
    op.create_table(
        "checkpoint",
        sa.Column("tree_size", number, primary_key=True, autoincrement=False),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("at", Utc(), nullable=False),
    )
    op.create_table(
        "cosignature",
        sa.Column("tree_size", number, primary_key=True, autoincrement=False),
        sa.Column("witness", sa.String(length=120), primary_key=True),
        sa.Column("line", sa.Text(), nullable=False),
    )
    op.create_table(
        "divergence",
        sa.Column("id", number, primary_key=True, autoincrement=False),
        sa.Column("case_id", number, nullable=False),
        sa.Column("case_no", sa.String(length=40), nullable=False),
        sa.Column("result", sa.String(length=10), nullable=False),
        sa.Column("entry", sa.Integer()),
        sa.Column("mark", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.LargeBinary()),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("proposed_by", sa.String(length=60), nullable=False),
        sa.Column("proposed_on", sa.String(length=10), nullable=False),
        sa.Column("settled_by", sa.String(length=60)),
        sa.Column("settled_on", sa.String(length=10)),
    )
    op.create_index("ix_divergence_case_id", "divergence", ["case_id"])
    op.create_table(
        "erasure",
        sa.Column("id", number, primary_key=True, autoincrement=False),
        sa.Column("subject", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=False),
        sa.Column("asked_by", sa.String(length=60), nullable=False),
        sa.Column("asked_on", sa.String(length=10), nullable=False),
        sa.Column("decided_by", sa.String(length=60)),
        sa.Column("decided_on", sa.String(length=10)),
        sa.Column("keep_until", sa.String(length=10)),
    )
    op.create_index("ix_erasure_subject", "erasure", ["subject"])
    now = "CAST(strftime('%s', 'now') AS INTEGER)" if op.get_bind().dialect.name == "sqlite" else "extract(epoch FROM clock_timestamp())::bigint"
    op.execute(f"INSERT INTO pending (record_id, seq, since) SELECT record_id, seq, {now} FROM entry")  # noqa: S608 - words of our own


def downgrade() -> None:
    raise NotImplementedError("the record is only ever added to: restore a backup instead")
