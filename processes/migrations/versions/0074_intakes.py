"""The one window: intakes, their parts, and the transfers of a part."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0074"
down_revision = "0072"
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _id(name: str = "id", *, none: bool = False) -> sa.Column[int]:
    return sa.Column(name, _NUMBER, nullable=none, **({"autoincrement": False} if name == "id" else {}))


def _text(name: str, size: int, *, none: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(size), nullable=none)


def _sealed(*names: str) -> list[sa.Column[bytes]]:
    return [sa.Column(name, sa.LargeBinary()) for name in names]


def upgrade() -> None:
    op.create_table(
        "intake", _id(), _text("no", 40), _text("code_hash", 32), _text("street", 20), _text("community", 20), _id("household_id", none=True), *_sealed("known_as"),
        _text("requester", 12), *_sealed("requester_name", "phone", "need"), _text("channel", 12), _text("received_on", 10), _text("recorded_on", 10),
        _text("taken_by", 60), _text("answerable", 60), _id("lead_id", none=True), sa.PrimaryKeyConstraint("id", name="pk_intake"))  # fmt: skip
    op.create_index("ix_intake_no", "intake", ["no"], unique=True)
    for name in ("community", "answerable", "household_id"):
        op.create_index(f"ix_intake_{name}", "intake", [name])
    op.create_table(
        "intake_part", _id(), _id("intake_id"), _text("programme", 24), _text("state", 10), _text("due_on", 10, none=True), _text("case_no", 40, none=True),
        _text("result", 12, none=True), *_sealed("result_text"), _text("result_by", 60, none=True), _text("result_on", 10, none=True),
        sa.PrimaryKeyConstraint("id", name="pk_intake_part"))  # fmt: skip
    op.create_index("ix_intake_part_intake_id", "intake_part", ["intake_id"])
    op.create_index("ix_intake_part_state", "intake_part", ["state", "due_on"])
    op.create_index("ix_intake_part_case_no", "intake_part", ["case_no"])
    op.create_table(
        "intake_transfer", _id(), _id("part_id"), _text("kind", 10), _text("to_unit", 20, none=True), *_sealed("to_name", "note"), _text("sent_by", 60),
        _text("sent_on", 10), _text("due_on", 10, none=True), _text("state", 10), _text("accepted_by", 60, none=True), _text("accepted_on", 10, none=True),
        _text("returned_by", 60, none=True), _text("returned_on", 10, none=True), *_sealed("reason"), _text("next_unit", 20, none=True), *_sealed("next_address"),
        _text("result", 12, none=True), *_sealed("result_text"), _text("result_by", 60, none=True), _text("result_on", 10, none=True), _text("meeting_no", 40, none=True),
        sa.PrimaryKeyConstraint("id", name="pk_intake_transfer"))  # fmt: skip
    op.create_index("ix_intake_transfer_part_id", "intake_transfer", ["part_id"])
    op.create_index("ix_intake_transfer_to_unit", "intake_transfer", ["to_unit", "state", "due_on"])


def downgrade() -> None:
    raise NotImplementedError("the record is only ever added to: restore a backup instead")
