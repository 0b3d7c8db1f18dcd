"""Safety inspections of facilities with their hazards, visits to the destitute at home, and files of a unit's own work."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0058"
down_revision = "0054"
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _text(name: str, size: int, *, none: bool = True) -> sa.Column[str]:
    return sa.Column(name, sa.String(size), nullable=none)


def _texts(*named: tuple[str, int], none: bool = True) -> list[sa.Column[str]]:
    return [_text(name, size, none=none) for name, size in named]


def _number(name: str, *, none: bool = False) -> sa.Column[int]:
    return sa.Column(name, _NUMBER, nullable=none)


def _id() -> sa.Column[int]:
    return sa.Column("id", _NUMBER, autoincrement=False, nullable=False)


def _made(name: str, *columns: sa.Column[object], **indexes: list[str]) -> None:
    op.create_table(name, _id(), *columns, sa.PrimaryKeyConstraint("id", name=f"pk_{name}"))
    for index, named in indexes.items():
        op.create_index(f"ix_{name}_{index}", name, named)


def upgrade() -> None:
    _made("attachment", *_texts(("unit", 20), ("kind", 30), none=False), _text("title", 120), _text("media_type", 60, none=False), sa.Column("size", sa.Integer(), nullable=False),
          *_texts(("commitment", 64), ("stored_name", 80), none=False), sa.Column("file_key", sa.LargeBinary()), *_texts(("uploaded_by", 60), ("uploaded_on", 10), none=False), unit=["unit"])  # fmt: skip
    _made("facility", *_texts(("unit", 20), ("name", 60), ("organisation", 100), ("kind", 16), none=False), _text("address", 200),
          *(sa.Column(name, sa.Integer(), nullable=False) for name in ("capacity", "residents")), *_texts(("registered_by", 60), ("registered_on", 10), none=False),
          *_texts(("closed_on", 10), ("closed_by", 60), ("closed_why", 200)), unit=["unit"])  # fmt: skip
    _made("inspection", _number("facility_id"), *_texts(("unit", 20), ("inspected_on", 10), ("recorded_by", 60), ("recorded_on", 10), none=False), _text("opinion", 500),
          _text("state", 10, none=False), _text("finished_on", 10), facility_id=["facility_id", "state"], unit=["unit"])  # fmt: skip
    _made("inspection_inspector", _number("inspection_id"), _text("staff", 60, none=False), _text("confirmed_on", 10), inspection_id=["inspection_id"], staff=["staff"])
    _made("inspection_item", _number("inspection_id"), *_texts(("group", 12), ("item", 100), ("result", 4), none=False), _text("note", 300), _number("photo", none=True),
          inspection_id=["inspection_id"])  # fmt: skip
    _made("hazard", *(_number(name) for name in ("inspection_id", "item_id", "facility_id")),
          *_texts(("unit", 20), ("group", 12), ("item", 100), ("level", 6), ("found_on", 10), ("state", 10), none=False),
          *_texts(("measure", 300), ("responsible", 60), ("due_on", 10), ("verified_on", 10), ("verified_by", 60)), facility_id=["facility_id", "state"], unit=["unit", "state"])  # fmt: skip
    _made("hazard_check", _number("hazard_id"), *_texts(("checked_on", 10), ("checked_by", 60), ("outcome", 10), ("text", 300), none=False), _number("photo"), hazard_id=["hazard_id"])
    _visits()


def _visits() -> None:
    _made("dispersed_visit", *(_number(name) for name in ("household_id", "person_id", "benefit_id")),
          *_texts(("street", 20), ("community", 20), ("visited_on", 10), ("visitor", 60), ("recorded_on", 10), none=False), _text("companions", 200), _text("condition", 8, none=False),
          _text("died_on", 10), sa.Column("checks", sa.LargeBinary()),
          *(sa.Column(name, sa.Boolean()) for name in ("caretaker_present", "agreement_signed", "money_received", "policy_explained", "leaflet_given")),
          sa.Column("help_given", sa.LargeBinary()), _number("photo", none=True), community=["community", "visited_on"], person_id=["person_id", "visited_on"], household_id=["household_id"])  # fmt: skip
    _made("dispersed_problem", *(_number(name) for name in ("visit_id", "household_id")), *_texts(("community", 20), ("kind", 12), none=False), sa.Column("text", sa.LargeBinary()),
          _text("found_on", 10, none=False), _text("due_on", 10), _text("state", 8, none=False), sa.Column("on_spot", sa.Boolean(), nullable=False), *_texts(("solved_on", 10), ("solved_by", 60)),
          sa.Column("solved_text", sa.LargeBinary()), visit_id=["visit_id"], community=["community", "state"])  # fmt: skip


def downgrade() -> None:
    raise NotImplementedError("the record is only ever added to: restore a backup instead")
