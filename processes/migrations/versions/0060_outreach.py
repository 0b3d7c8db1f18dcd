"""Training and publicity registers; visits of the screening say whether policy was explained and a leaflet given."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0060"
down_revision = "0058"
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_RECORDED = (("recorded_by", 60), ("recorded_on", 10))
_WITHDRAWN = (("withdrawn_on", 10), ("withdrawn_by", 60), ("withdrawn_why", 200))


def _texts(*named: tuple[str, int], none: bool = True) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.String(size), nullable=none) for name, size in named]


def _id() -> sa.Column[int]:
    return sa.Column("id", _NUMBER, autoincrement=False, nullable=False)


def upgrade() -> None:
    op.create_table(
        "training_session",
        _id(),
        *_texts(("level", 10), ("unit", 20), ("title", 100), ("held_on", 10), ("place", 100), none=False),
        *_texts(("trainer", 100)),
        *_texts(("topics", 200), none=False),
        sa.Column("sheet", _NUMBER),
        *_texts(*_RECORDED, none=False),
        *_texts(*_WITHDRAWN),
        sa.PrimaryKeyConstraint("id", name="pk_training_session"),
    )
    op.create_index("ix_training_session_unit", "training_session", ["unit", "held_on"])
    op.create_table(
        "training_attendance",
        _id(),
        sa.Column("session_id", _NUMBER, nullable=False),
        *_texts(("staff", 60), ("name", 60)),
        *_texts(("role", 20), ("unit", 20), none=False),
        sa.Column("signed", sa.Boolean(), nullable=False),
        sa.Column("quiz_score", sa.Integer()),
        sa.PrimaryKeyConstraint("id", name="pk_training_attendance"),
    )
    op.create_index("ix_training_attendance_session_id", "training_attendance", ["session_id"])
    op.create_index("ix_training_attendance_unit", "training_attendance", ["unit", "role"])
    op.create_table(
        "publicity_activity",
        _id(),
        *_texts(("unit", 20), ("channel", 16), ("programmes", 200), ("title", 100), ("held_on", 10), ("place", 100), ("communities", 2000), none=False),
        sa.Column("audience_count", sa.Integer(), nullable=False),
        *_texts(("material_type", 12), none=False),
        sa.Column("copies", sa.Integer(), nullable=False),
        *_texts(("evidence", 400), *_RECORDED, none=False),
        *_texts(*_WITHDRAWN),
        sa.PrimaryKeyConstraint("id", name="pk_publicity_activity"),
    )
    op.create_index("ix_publicity_activity_unit", "publicity_activity", ["unit", "held_on"])
    for name in ("policy_explained", "leaflet_given"):
        op.add_column("screening", sa.Column(name, sa.Boolean()))


def downgrade() -> None:
    raise NotImplementedError("the record is only ever added to: restore a backup instead")
