"""The campaign's frame: stages, units, plans, shortfalls, duties, obligations and their proofs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0050"
down_revision = "0048"
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _text(name: str, size: int, *, none: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(size), nullable=none)


def _table(name: str, *columns: sa.Column, of: bool = True) -> None:
    owner = (sa.Column("campaign_id", _NUMBER, nullable=False),) if of else ()
    op.create_table(name, sa.Column("id", _NUMBER, autoincrement=False, nullable=False), *owner, *columns, sa.PrimaryKeyConstraint("id", name=f"pk_{name}"))


def upgrade() -> None:
    _table(
        "campaign", _text("unit", 20), _text("name", 100), _text("paper", 200), _text("start_on", 10), _text("end_on", 10), _text("goals", 2000),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in ("report_weeks", "report_weekday")), _text("report_time", 5), _text("state", 10),
        _text("closed_on", 10, none=True), _text("closed_why", 400, none=True), _text("made_by", 60), _text("made_on", 10), of=False,
    )
    op.create_index("ix_campaign_unit", "campaign", ["unit", "start_on"])
    _table("campaign_stage", _text("name", 60), _text("start_on", 10), _text("end_on", 10), _text("goals", 1000), sa.Column("active", sa.Boolean(), nullable=False))
    _table(
        "campaign_unit", _text("unit", 20), _text("level", 12), sa.Column("active", sa.Boolean(), nullable=False),
        *(_text(name, size, none=True) for name, size in (("leader", 60), ("deputy", 60), ("contact", 100))),
        *(sa.Column(name, sa.Integer()) for name in ("staff_full", "staff_part")), *(sa.Column(name, sa.Boolean()) for name in ("office", "service_window")),
        *(_text(name, size, none=True) for name, size in (("equipment", 4000), ("said_by", 60), ("said_on", 10))),
    )
    op.create_index("ix_campaign_unit_campaign_id", "campaign_unit", ["campaign_id", "unit"], unique=True)
    _table("campaign_plan", sa.Column("stage_id", _NUMBER, nullable=False), _text("unit", 20), _text("plan", 2000), _text("said_by", 60), _text("said_on", 10))
    op.create_index("ix_campaign_plan_stage_id", "campaign_plan", ["stage_id", "unit"], unique=True)
    _table(
        "campaign_shortfall", _text("unit", 20), _text("kind", 12), _text("what", 400), _text("measure", 400), _text("responsible", 60, none=True), _text("due_on", 10),
        _text("state", 10), _text("raised_by", 60), _text("raised_on", 10), _text("remedy", 400, none=True), _text("remedied_by", 60, none=True), _text("remedied_on", 10, none=True),
        _text("verified_by", 60, none=True), _text("verified_on", 10, none=True), _text("returned", 400, none=True),
    )
    op.create_index("ix_campaign_shortfall_campaign_id", "campaign_shortfall", ["campaign_id", "unit"])
    _table("campaign_duty", _text("level", 12), _text("duty", 400), sa.Column("active", sa.Boolean(), nullable=False))
    _table("campaign_obligation", _text("level", 12), _text("kind", 24), _text("title", 200), _text("due_on", 10, none=True), _text("proof", 200), sa.Column("active", sa.Boolean(), nullable=False))
    for name in ("stage", "plan", "duty", "obligation"):
        op.create_index(f"ix_campaign_{name}_campaign_id", f"campaign_{name}", ["campaign_id"])
    _table(
        "campaign_proof", sa.Column("obligation_id", _NUMBER, nullable=False), _text("unit", 20), _text("done_on", 10), _text("what", 1000), _text("proof", 200), _text("state", 10),
        _text("entered_by", 60), _text("entered_on", 10), _text("judged_by", 60, none=True), _text("judged_on", 10, none=True), _text("returned", 400, none=True),
    )
    op.create_index("ix_campaign_proof_obligation_id", "campaign_proof", ["obligation_id", "unit"])
    op.create_index("ix_campaign_proof_campaign_id", "campaign_proof", ["campaign_id", "unit"])


def downgrade() -> None:
    raise NotImplementedError("the record is only ever added to: restore a backup instead")
