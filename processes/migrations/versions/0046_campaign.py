"""The campaign: leads of proactive discovery, and the visits of the screening with what they found."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0046"
down_revision = "0044"
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _text(name: str, size: int, *, none: bool = True) -> sa.Column[str]:
    return sa.Column(name, sa.String(size), nullable=none)


def _number(name: str, *, none: bool = True) -> sa.Column[int]:
    return sa.Column(name, _NUMBER, nullable=none)


def _id() -> sa.Column[int]:
    return sa.Column("id", _NUMBER, autoincrement=False, nullable=False)


def _sealed(name: str) -> sa.Column[bytes]:
    return sa.Column(name, sa.LargeBinary())


def upgrade() -> None:
    _leads()
    _screening()


def _leads() -> None:
    op.create_table(
        "lead",
        _id(),
        *(_text(name, 20, none=False) for name in ("street", "community")),
        _number("household_id"),
        _sealed("known_as"),
        _text("hardship", 20, none=False),
        _sealed("reason"),
        *(_text(name, size, none=False) for name, size in (("found_on", 10), ("found_by", 30))),
        *(_text(name, size) for name, size in (("finder_login", 60), ("finder", 100))),
        *(_text(name, size, none=False) for name, size in (("recorded_by", 60), ("recorded_on", 10), ("recorded_at", 40), ("state", 10))),
        *(_text(name, size) for name, size in (("outcome", 12), ("verified_by", 60), ("verified_on", 10))),
        _sealed("note"),
        _sealed("referred_to"),
        *(_text(name, size) for name, size in (("case_no", 40), ("applied_on", 10), ("linked_by", 60), ("linked_on", 10))),
        sa.Column("counts", sa.Boolean()),
        _text("why_not", 20),
        sa.PrimaryKeyConstraint("id", name="pk_lead"),
    )
    op.create_index("ix_lead_community", "lead", ["community", "state"])
    op.create_index("ix_lead_household_id", "lead", ["household_id"])
    op.create_index("ix_lead_case_no", "lead", ["case_no"])


def _screening() -> None:
    op.create_table(
        "screening",
        _id(),
        _number("household_id", none=False),
        *(_text(name, size, none=False) for name, size in (("street", 20), ("community", 20), ("population", 20), ("visited_on", 10), ("first_visitor", 60), ("second_visitor", 60))),
        *(_text(name, size) for name, size in (("companions", 200), ("met_person", 60))),
        _sealed("causes"),
        _sealed("assistance"),
        _text("result", 12, none=False),
        _sealed("result_text"),
        sa.Column("still_hardship", sa.Boolean(), nullable=False),
        _sealed("hardship_text"),
        *(sa.Column(name, sa.Boolean(), nullable=False) for name in ("relative_of_staff", "relatives_on_assistance")),
        sa.Column("qualifies", sa.Boolean()),
        _text("state", 10, none=False),
        _text("confirmed_on", 10),
        _number("lead_id"),
        sa.PrimaryKeyConstraint("id", name="pk_screening"),
    )
    op.create_index("ix_screening_community", "screening", ["community", "population"])
    op.create_index("ix_screening_household_id", "screening", ["household_id", "visited_on"])
    op.create_table(
        "screening_finding",
        _id(),
        *(_number(name, none=False) for name in ("screening_id", "household_id")),
        *(_text(name, size, none=False) for name, size in (("community", 20), ("kind", 24))),
        _sealed("text"),
        _text("found_on", 10, none=False),
        _text("due_on", 10),
        _sealed("referred_to"),
        _text("state", 10, none=False),
        *(_text(name, size) for name, size in (("done_on", 10), ("done_by", 60))),
        _sealed("done_text"),
        sa.PrimaryKeyConstraint("id", name="pk_screening_finding"),
    )
    op.create_index("ix_screening_finding_screening_id", "screening_finding", ["screening_id"])
    op.create_index("ix_screening_finding_community", "screening_finding", ["community", "state"])


def downgrade() -> None:
    raise NotImplementedError("the record is only ever added to: restore a backup instead")
