"""Notifications: contacts of residents, the outbox, when a worker last looked at his inbox; letters by their day."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0072"
down_revision = "0070"
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "notification_contact",
        sa.Column("id", _NUMBER, autoincrement=False, nullable=False),
        sa.Column("household_id", _NUMBER, nullable=False),
        sa.Column("person_id", _NUMBER, nullable=False),
        sa.Column("channel", sa.String(8), nullable=False),
        sa.Column("address", sa.LargeBinary()),
        sa.Column("lang", sa.String(2), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("agreed_on", sa.String(10), nullable=False),
        sa.Column("recorded_by", sa.String(60), nullable=False),
        sa.Column("ended_on", sa.String(10)),
        sa.Column("ended_by", sa.String(60)),
        sa.PrimaryKeyConstraint("id", name="pk_notification_contact"),
    )
    op.create_index("ix_notification_contact_household_id", "notification_contact", ["household_id", "active"])
    op.create_table(
        "notification",
        sa.Column("id", _NUMBER, autoincrement=False, nullable=False),
        sa.Column("dedupe_key", sa.String(80), nullable=False),
        sa.Column("household_id", _NUMBER, nullable=False),
        sa.Column("contact_id", _NUMBER, nullable=False),
        sa.Column("street", sa.String(20), nullable=False),
        sa.Column("channel", sa.String(8), nullable=False),
        sa.Column("event", sa.String(20), nullable=False),
        sa.Column("lang", sa.String(2), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("made_on", sa.String(10), nullable=False),
        sa.Column("made_at", sa.String(32), nullable=False),
        sa.Column("sent_at", sa.String(32)),
        sa.Column("receipt", sa.String(60)),
        sa.Column("why", sa.String(40)),
        sa.PrimaryKeyConstraint("id", name="pk_notification"),
    )
    op.create_index("ix_notification_household_id", "notification", ["household_id"])
    op.create_index("ix_notification_made_on", "notification", ["made_on"])
    op.create_index("uq_notification_dedupe_key", "notification", ["dedupe_key"], unique=True)
    op.create_table(
        "inbox_seen",
        sa.Column("staff", sa.String(60), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("staff", name="pk_inbox_seen"),
    )
    op.create_index("ix_letter_issued_on", "letter", ["issued_on"])


def downgrade() -> None:
    raise NotImplementedError("the record is only ever added to: restore a backup instead")
