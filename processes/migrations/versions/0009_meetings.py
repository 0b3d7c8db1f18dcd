"""The joint meeting: agenda, attendance, votes, recusals, measures, minutes and their confirmations."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "joint_meeting",
        sa.Column("id", number, autoincrement=False, nullable=False),
        sa.Column("no", sa.String(length=40), nullable=False),
        sa.Column("case_id", number, nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column("planned_on", sa.String(length=10), nullable=False),
        sa.Column("held_on", sa.String(length=10)),
        sa.Column("place", sa.String(length=120), nullable=False),
        sa.Column("secretary", sa.String(length=60), nullable=False),
        sa.Column("convener", sa.String(length=60)),
        sa.Column("invited", sa.String(length=400), nullable=False),
        sa.Column("minutes_no", sa.String(length=60)),
        sa.Column("minutes_id", number),
        sa.Column("issued_on", sa.String(length=10)),
        sa.PrimaryKeyConstraint("id", name="pk_joint_meeting"),
        sa.UniqueConstraint("no", name="uq_joint_meeting_no"),
        sa.UniqueConstraint("case_id", name="uq_joint_meeting_case_id"),
    )
    op.create_index("ix_joint_meeting_status", "joint_meeting", ["status", "planned_on"])
    op.create_table(
        "meeting_attendance",
        sa.Column("id", number, autoincrement=False, nullable=False),
        sa.Column("meeting_no", sa.String(length=40), nullable=False),
        sa.Column("unit", sa.String(length=20)),
        sa.Column("staff", sa.String(length=60)),
        sa.Column("name", sa.String(length=120)),
        sa.Column("voting", sa.Boolean(), nullable=False),
        sa.Column("present", sa.Boolean(), nullable=False),
        sa.Column("changed_on", sa.String(length=25)),
        sa.PrimaryKeyConstraint("id", name="pk_meeting_attendance"),
    )
    op.create_index("ix_meeting_attendance_no", "meeting_attendance", ["meeting_no"])
    op.create_table(
        "agenda_item",
        sa.Column("id", number, autoincrement=False, nullable=False),
        sa.Column("meeting_no", sa.String(length=40), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("request_id", number, nullable=False),
        sa.Column("case_no", sa.String(length=40), nullable=False),
        sa.Column("household_id", number, nullable=False),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column("presenter", sa.String(length=60)),
        sa.Column("again_reason", sa.LargeBinary()),
        sa.Column("sent_back_code", sa.String(length=30)),
        sa.Column("sent_back_reason", sa.LargeBinary()),
        sa.Column("motion", sa.String(length=30), nullable=False),
        sa.Column("ballot", sa.Integer(), nullable=False),
        sa.Column("votes_for", sa.Integer()),
        sa.Column("votes_against", sa.Integer()),
        sa.Column("abstain", sa.Integer()),
        sa.Column("base", sa.Integer()),
        sa.Column("resolution", sa.String(length=30)),
        sa.Column("approved_category", sa.String(length=30)),
        sa.Column("approved_fen", sa.BigInteger()),
        sa.Column("fixed", sa.Boolean()),
        sa.Column("fixed_until", sa.String(length=7)),
        sa.Column("referred_to", sa.String(length=200)),
        sa.Column("review_on", sa.String(length=10)),
        sa.Column("discussion", sa.LargeBinary()),
        sa.Column("reasons", sa.LargeBinary()),
        sa.Column("conditions", sa.LargeBinary()),
        sa.Column("announced_on", sa.String(length=10)),
        sa.Column("announced_by", sa.String(length=60)),
        sa.PrimaryKeyConstraint("id", name="pk_agenda_item"),
    )
    op.create_index("ix_agenda_item_case_no", "agenda_item", ["case_no"])
    op.create_index("ix_agenda_item_no", "agenda_item", ["meeting_no", "position"])
    op.create_index("ix_agenda_item_request_id", "agenda_item", ["request_id"])
    op.create_table(
        "meeting_vote",
        sa.Column("id", number, autoincrement=False, nullable=False),
        sa.Column("item_id", number, nullable=False),
        sa.Column("ballot", sa.Integer(), nullable=False),
        sa.Column("unit", sa.String(length=20), nullable=False),
        sa.Column("staff", sa.String(length=60), nullable=False),
        sa.Column("choice", sa.String(length=8), nullable=False),
        sa.Column("dissent", sa.LargeBinary()),
        sa.Column("entered_by", sa.String(length=60), nullable=False),
        sa.Column("paper", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_meeting_vote"),
    )
    op.create_index("uq_meeting_vote", "meeting_vote", ["item_id", "ballot", "unit"], unique=True)
    op.create_table(
        "meeting_recusal",
        sa.Column("id", number, autoincrement=False, nullable=False),
        sa.Column("item_id", number, nullable=False),
        sa.Column("staff", sa.String(length=60), nullable=False),
        sa.Column("ground", sa.String(length=20), nullable=False),
        sa.Column("noted_by", sa.String(length=60), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_meeting_recusal"),
    )
    op.create_index("uq_meeting_recusal", "meeting_recusal", ["item_id", "staff"], unique=True)
    op.create_table(
        "meeting_measure",
        sa.Column("id", number, autoincrement=False, nullable=False),
        sa.Column("item_id", number, nullable=False),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("amount_fen", sa.BigInteger()),
        sa.Column("by_whom", sa.String(length=200)),
        sa.PrimaryKeyConstraint("id", name="pk_meeting_measure"),
    )
    op.create_index("ix_meeting_measure_item_id", "meeting_measure", ["item_id"])
    op.create_table(
        "meeting_minutes",
        sa.Column("id", number, autoincrement=False, nullable=False),
        sa.Column("meeting_no", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("text", sa.LargeBinary()),
        sa.Column("generated", sa.LargeBinary()),
        sa.Column("edited", sa.Boolean(), nullable=False),
        sa.Column("drafted_by", sa.String(length=60), nullable=False),
        sa.Column("drafted_on", sa.String(length=10), nullable=False),
        sa.Column("digest", sa.String(length=64)),
        sa.Column("size", sa.Integer()),
        sa.PrimaryKeyConstraint("id", name="pk_meeting_minutes"),
    )
    op.create_index("ix_meeting_minutes_no", "meeting_minutes", ["meeting_no", "version"])
    op.create_table(
        "minutes_confirmation",
        sa.Column("id", number, autoincrement=False, nullable=False),
        sa.Column("minutes_id", number, nullable=False),
        sa.Column("unit", sa.String(length=20), nullable=False),
        sa.Column("staff", sa.String(length=60), nullable=False),
        sa.Column("agrees", sa.Boolean(), nullable=False),
        sa.Column("objection", sa.LargeBinary()),
        sa.Column("confirmed_on", sa.String(length=10), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_minutes_confirmation"),
    )
    op.create_index("ix_minutes_confirmation_minutes_id", "minutes_confirmation", ["minutes_id"])


def downgrade() -> None:
    raise NotImplementedError("the record is only ever added to: restore a backup instead")
