"""作战进度 and 总结报告: reports, what was handed in, and the frozen annexes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0052"
down_revision = "0050"
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TEXTS = ("progress", "good_practice", "difficulties", "suggestions")


def _text(name: str, size: int, *, none: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(size), nullable=none)


def _whole(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), nullable=False)


def _table(name: str, *columns: sa.Column) -> None:
    op.create_table(name, sa.Column("id", _NUMBER, autoincrement=False, nullable=False), *columns, sa.PrimaryKeyConstraint("id", name=f"pk_{name}"))


def upgrade() -> None:
    sealed = [sa.Column(name, sa.LargeBinary()) for name in _TEXTS]
    _table(
        "progress_report", sa.Column("campaign_id", _NUMBER, nullable=False), _text("kind", 10), _text("unit", 20), _whole("period"), _text("state", 10), *sealed,
        _text("drafted_by", 60, none=True), _text("drafted_on", 10, none=True), _whole("times"), _text("first_on", 10, none=True), _text("submitted_on", 10, none=True),
        _text("submitted_by", 60, none=True), sa.Column("late", sa.Boolean(), nullable=False), _text("again_on", 10, none=True), _text("reminded_on", 10, none=True), _text("late_on", 10, none=True),
    )
    op.create_index("ix_progress_report_campaign_id", "progress_report", ["campaign_id", "kind", "period", "unit"], unique=True)
    _table(
        "progress_submission", sa.Column("report_id", _NUMBER, nullable=False), _whole("no"), _text("since", 10), _text("as_of", 10), sa.Column("snapshot_id", _NUMBER, nullable=False), sa.Column("figures", sa.Text(), nullable=False),
        *[sa.Column(name, sa.LargeBinary()) for name in _TEXTS], _text("submitted_by", 60), _text("submitted_on", 10), _text("submitted_at", 40), sa.Column("late", sa.Boolean(), nullable=False),
        _text("outcome", 10, none=True), sa.Column("reason", sa.LargeBinary()), _text("judged_by", 60, none=True), _text("judged_on", 10, none=True),
    )
    op.create_index("ix_progress_submission_report_id", "progress_submission", ["report_id", "no"], unique=True)
    _table(
        "progress_annex", sa.Column("report_id", _NUMBER, nullable=False), _whole("no"), _whole("annex"), _text("as_of", 10), _whole("rows"), _whole("size"), _text("sha256", 64),
        sa.Column("content", sa.LargeBinary()),
    )
    op.create_index("ix_progress_annex_report_id", "progress_annex", ["report_id", "no", "annex"], unique=True)


def downgrade() -> None:
    raise NotImplementedError("the record is only ever added to: restore a backup instead")
