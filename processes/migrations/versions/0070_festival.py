"""Festival payments: batches, items, claims, heating, another department's list, donations, visits."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0070"
down_revision = "0068"
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "festival_batch",
        sa.Column("id", _NUMBER, autoincrement=False, nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("street", sa.String(20), nullable=False),
        sa.Column("kinds", sa.String(60), nullable=False),
        sa.Column("cut_off", sa.String(10), nullable=False),
        sa.Column("deadline", sa.String(10), nullable=False),
        sa.Column("law_digest", sa.String(64), nullable=False),
        sa.Column("items", sa.Integer(), nullable=False),
        sa.Column("left_out", sa.Integer(), nullable=False),
        sa.Column("total_fen", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("made_by", sa.String(60), nullable=False),
        sa.Column("made_on", sa.String(10), nullable=False),
        sa.Column("approved_by", sa.String(60)),
        sa.Column("approved_on", sa.String(10)),
        sa.Column("opinion", sa.String(400)),
        sa.Column("files", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_festival_batch"),
    )
    op.create_index("ix_festival_batch_year", "festival_batch", ["year", "street"])
    op.create_table(
        "festival_item",
        sa.Column("id", _NUMBER, autoincrement=False, nullable=False),
        sa.Column("batch_id", _NUMBER, nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("street", sa.String(20), nullable=False),
        sa.Column("community", sa.String(20), nullable=False),
        sa.Column("household_id", _NUMBER),
        sa.Column("person_id", _NUMBER),
        sa.Column("listed_id", _NUMBER),
        sa.Column("grouping", sa.String(24), nullable=False),
        sa.Column("hukou_kind", sa.String(6), nullable=False),
        sa.Column("members", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(60)),
        sa.Column("holder", sa.String(60)),
        sa.Column("account", sa.LargeBinary()),
        sa.Column("lines", sa.Text(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("cause", sa.String(24)),
        sa.Column("cause_text", sa.String(200)),
        sa.Column("file_no", sa.Integer()),
        sa.Column("sent_on", sa.String(10)),
        sa.Column("credited_on", sa.String(10)),
        sa.Column("returned_on", sa.String(10)),
        sa.Column("reissue_of", _NUMBER),
        sa.Column("proposed_by", sa.String(60)),
        sa.Column("reason", sa.String(200)),
        sa.Column("agreed_by", sa.String(60)),
        sa.PrimaryKeyConstraint("id", name="pk_festival_item"),
    )
    op.create_index("ix_festival_item_batch_id", "festival_item", ["batch_id", "state"])
    op.create_index("ix_festival_item_household_id", "festival_item", ["household_id"])
    op.create_index("ix_festival_item_year", "festival_item", ["year", "street", "state"])
    op.create_table(
        "festival_claim",
        sa.Column("id", _NUMBER, autoincrement=False, nullable=False),
        sa.Column("item_id", _NUMBER, nullable=False),
        sa.Column("batch_id", _NUMBER, nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("street", sa.String(20), nullable=False),
        sa.Column("kind", sa.String(12), nullable=False),
        sa.Column("payee", sa.String(30), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("live", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_festival_claim"),
    )
    op.create_index("ix_festival_claim_batch_id", "festival_claim", ["batch_id"])
    op.create_index("ix_festival_claim_year", "festival_claim", ["year", "street"])
    op.create_index("uq_festival_claim_live", "festival_claim", ["year", "kind", "payee"], unique=True, sqlite_where=sa.text("live = 1"), postgresql_where=sa.text("live"))
    op.create_table(
        "festival_heating",
        sa.Column("id", _NUMBER, autoincrement=False, nullable=False),
        sa.Column("household_id", _NUMBER, nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("central", sa.Boolean(), nullable=False),
        sa.Column("area", sa.String(10)),
        sa.Column("fee_fen", sa.BigInteger()),
        sa.Column("three_nos", sa.Boolean(), nullable=False),
        sa.Column("recorded_by", sa.String(60), nullable=False),
        sa.Column("recorded_on", sa.String(10), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_festival_heating"),
    )
    op.create_index("ix_festival_heating_household_id", "festival_heating", ["household_id", "year"])
    op.create_table(
        "festival_listed",
        sa.Column("id", _NUMBER, autoincrement=False, nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("street", sa.String(20), nullable=False),
        sa.Column("community", sa.String(20), nullable=False),
        sa.Column("department", sa.String(100), nullable=False),
        sa.Column("hukou_kind", sa.String(6), nullable=False),
        sa.Column("name", sa.String(60), nullable=False),
        sa.Column("id_no", sa.LargeBinary()),
        sa.Column("id_blind", sa.String(32)),
        sa.Column("account", sa.LargeBinary()),
        sa.Column("holder", sa.String(60)),
        sa.Column("entered_by", sa.String(60), nullable=False),
        sa.Column("entered_on", sa.String(10), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_festival_listed"),
    )
    op.create_index("ix_festival_listed_street", "festival_listed", ["year", "street"])
    op.create_index("uq_festival_listed_id", "festival_listed", ["year", "id_blind"], unique=True)
    op.create_table(
        "donation",
        sa.Column("id", _NUMBER, autoincrement=False, nullable=False),
        sa.Column("unit", sa.String(20), nullable=False),
        sa.Column("donor", sa.String(100), nullable=False),
        sa.Column("donor_kind", sa.String(20), nullable=False),
        sa.Column("received_on", sa.String(10), nullable=False),
        sa.Column("cash_fen", sa.BigInteger(), nullable=False),
        sa.Column("goods", sa.String(400)),
        sa.Column("goods_fen", sa.BigInteger(), nullable=False),
        sa.Column("purpose", sa.String(400)),
        sa.Column("recorded_by", sa.String(60), nullable=False),
        sa.Column("recorded_on", sa.String(10), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_donation"),
    )
    op.create_index("ix_donation_unit", "donation", ["unit", "received_on"])
    op.create_table(
        "condolence_visit",
        sa.Column("id", _NUMBER, autoincrement=False, nullable=False),
        sa.Column("unit", sa.String(20), nullable=False),
        sa.Column("household_id", _NUMBER),
        sa.Column("target", sa.LargeBinary()),
        sa.Column("visited_on", sa.String(10), nullable=False),
        sa.Column("visitors", sa.String(200), nullable=False),
        sa.Column("cash_fen", sa.BigInteger(), nullable=False),
        sa.Column("goods", sa.String(400)),
        sa.Column("goods_fen", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.String(20), nullable=False),
        sa.Column("donation_id", _NUMBER),
        sa.Column("recorded_by", sa.String(60), nullable=False),
        sa.Column("recorded_on", sa.String(10), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_condolence_visit"),
    )
    op.create_index("ix_condolence_visit_donation_id", "condolence_visit", ["donation_id"])
    op.create_index("ix_condolence_visit_unit", "condolence_visit", ["unit", "visited_on"])


def downgrade() -> None:
    raise NotImplementedError("the record is only ever added to: restore a backup instead")
