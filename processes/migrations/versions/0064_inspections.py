"""Inspections of the district: plans with committed samples, what was inspected, findings."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0064"
down_revision = "0062"
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _number() -> sa.Column[int]:
    return sa.Column("id", _NUMBER, autoincrement=False, nullable=False)


def _text(name: str, size: int, *, none: bool = True) -> sa.Column[str]:
    return sa.Column(name, sa.String(size), nullable=none)


def _sealed(name: str) -> sa.Column[bytes]:
    return sa.Column(name, sa.LargeBinary())


def upgrade() -> None:
    op.add_column("screening_finding", _text("undone", 400))
    op.create_table(
        "inspection_plan",
        _number(),
        *(_text(name, size, none=False) for name, size in (("title", 200), ("units", 2000), ("kind", 12), ("from_on", 10), ("until_on", 10), ("due_on", 10))),
        sa.Column("items", sa.Text(), nullable=False),
        _text("method", 12, none=False),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in ("size", "population")),
        sa.Column("definition", sa.Text(), nullable=False),
        _text("commitment", 64, none=False),
        _sealed("kept_seed"),
        _text("seed", 64),
        *(_text(name, size, none=False) for name, size in (("state", 10), ("made_by", 60), ("made_on", 10))),
        *(_text(name, size) for name, size in (("drawn_by", 60), ("drawn_on", 10), ("closed_by", 60), ("closed_on", 10), ("conclusion", 2000))),
        sa.PrimaryKeyConstraint("id", name="pk_inspection_plan"),
    )
    op.create_table(
        "inspection_target",
        _number(),
        sa.Column("plan_id", _NUMBER, nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        *(_text(name, size, none=False) for name, size in (("ref", 40), ("unit", 20), ("stratum", 60))),
        *(_text(name, size) for name, size in (("inspected_by", 60), ("inspected_on", 10), ("failed", 400))),
        _sealed("note"),
        sa.PrimaryKeyConstraint("id", name="pk_inspection_target"),
    )
    op.create_index("ix_inspection_target_plan_id", "inspection_target", ["plan_id"])
    op.create_index("ix_inspection_target_unit", "inspection_target", ["unit"])
    op.create_table(
        "inspection_finding",
        _number(),
        *(sa.Column(name, _NUMBER, nullable=False) for name in ("plan_id", "target_id")),
        *(_text(name, size, none=False) for name, size in (("unit", 20), ("kind", 12))),
        _sealed("text"),
        *(_text(name, size, none=False) for name, size in (("raised_by", 60), ("raised_on", 10), ("reply_until", 10), ("due_on", 10), ("state", 10))),
        *(_text(name, size) for name, size in (("replied_by", 60), ("replied_on", 10))),
        _sealed("reply"),
        *(_text(name, size) for name, size in (("settled_by", 60), ("settled_on", 10))),
        _sealed("verdict"),
        *(_text(name, size) for name, size in (("done_by", 60), ("done_on", 10))),
        _sealed("done_text"),
        *(_text(name, size) for name, size in (("verified_by", 60), ("verified_on", 10))),
        _sealed("verify_text"),
        sa.Column("sent_back", sa.Integer()),
        _text("undone", 400),
        sa.PrimaryKeyConstraint("id", name="pk_inspection_finding"),
    )
    op.create_index("ix_inspection_finding_unit_state", "inspection_finding", ["unit", "state"])
    op.create_index("ix_inspection_finding_target_id", "inspection_finding", ["target_id"])


def downgrade() -> None:
    raise NotImplementedError("the record is only ever added to: restore a backup instead")
