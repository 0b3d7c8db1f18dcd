"""Rows of the festival payments: batches with their items and what each item stands for, heating of dwellings, another department's list, visits, donations."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, LargeBinary, String, Table, Text, text

from engine.store import Id, metadata
from processes.tables import PERSONAL, SEALED

festival_batch = Table(
    "festival_batch",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("year", Integer, nullable=False),  # of the Spring Festival
    Column("street", String(20), nullable=False),
    Column("kinds", String(60), nullable=False),  # words: year_end festival_fee heating
    Column("cut_off", String(10), nullable=False),  # who is in benefit on that day; its amounts
    Column("deadline", String(10), nullable=False),  # last working day before the holiday
    Column("law_digest", String(64), nullable=False),
    Column("items", Integer, nullable=False),
    Column("left_out", Integer, nullable=False),
    Column("total_fen", BigInteger, nullable=False),
    Column("state", String(10), nullable=False),  # made | approved | refused
    Column("made_by", String(60), nullable=False),
    Column("made_on", String(10), nullable=False),
    Column("approved_by", String(60)),
    Column("approved_on", String(10)),
    Column("opinion", String(400)),
    Column("files", Integer, nullable=False),  # how many files went to the bank
    Index("ix_festival_batch_year", "year", "street"),
)

# Frozen when the batch is made. One is `proposed` when it takes the place of a returned one, until a second person agrees.
festival_item = Table(
    "festival_item",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("batch_id", Id, nullable=False),
    Column("year", Integer, nullable=False),
    Column("street", String(20), nullable=False),
    Column("community", String(20), nullable=False),
    Column("household_id", Id),  # none: of another department's list
    Column("person_id", Id),  # of a benefit of one person
    Column("listed_id", Id),
    Column("grouping", String(24), nullable=False),
    Column("hukou_kind", String(6), nullable=False),
    Column("members", Integer, nullable=False),
    Column("name", String(60), info=PERSONAL),
    Column("holder", String(60), info=PERSONAL),
    Column("account", LargeBinary, info=SEALED),
    Column("lines", Text, nullable=False),  # JSON: the explained amounts
    Column("amount_fen", BigInteger, nullable=False),
    Column("state", String(10), nullable=False),  # pending | sent | credited | returned | reissued | proposed | left_out | dropped | closing | closed
    Column("cause", String(24)),  # why returned, or left out
    Column("cause_text", String(200)),
    Column("file_no", Integer),
    Column("sent_on", String(10)),
    Column("credited_on", String(10)),
    Column("returned_on", String(10)),
    Column("reissue_of", Id),
    Column("proposed_by", String(60)),
    Column("reason", String(200)),
    Column("agreed_by", String(60)),
    Column("closing", String(24)),  # why it can never be paid
    Column("closing_reason", String(200), info=PERSONAL),  # of whom, and what became of him
    Column("closing_by", String(60)),  # who proposed to close it
    Column("closed_by", String(60)),  # who agreed, or refused the last time
    Column("closed_on", String(10)),
    Index("ix_festival_item_batch_id", "batch_id", "state"),
    Index("ix_festival_item_year", "year", "street", "state"),
    Index("ix_festival_item_household_id", "household_id"),
)

# What an item stands for: each kind of money of a season reaches each household or person once.
festival_claim = Table(
    "festival_claim",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("item_id", Id, nullable=False),
    Column("batch_id", Id, nullable=False),
    Column("year", Integer, nullable=False),
    Column("street", String(20), nullable=False),
    Column("kind", String(12), nullable=False),
    Column("payee", String(30), nullable=False),  # household:ID | person:ID | listed:ID
    Column("amount_fen", BigInteger, nullable=False),
    Column("live", Boolean, nullable=False),
    Index("ix_festival_claim_batch_id", "batch_id"),
    Index("ix_festival_claim_year", "year", "street"),
    Index("uq_festival_claim_live", "year", "kind", "payee", unique=True, sqlite_where=text("live = 1"), postgresql_where=text("live")),
)

# How a dwelling is heated in the season that ends in `year`; a later row takes the place of an earlier one.
festival_heating = Table(
    "festival_heating",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("household_id", Id, nullable=False),
    Column("year", Integer, nullable=False),
    Column("central", Boolean, nullable=False),
    Column("area", String(10)),  # m2
    Column("fee_fen", BigInteger),
    Column("three_nos", Boolean, nullable=False),  # “三无”: a dibao household of people without ability, income and supporter
    Column("recorded_by", String(60), nullable=False),
    Column("recorded_on", String(10), nullable=False),
    Index("ix_festival_heating_household_id", "household_id", "year"),
)

# 优抚对象 without an employer, as the department that keeps the list sent it.
festival_listed = Table(
    "festival_listed",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("year", Integer, nullable=False),
    Column("street", String(20), nullable=False),
    Column("community", String(20), nullable=False),
    Column("department", String(100), nullable=False),
    Column("hukou_kind", String(6), nullable=False),
    Column("name", String(60), nullable=False, info=PERSONAL),
    Column("id_no", LargeBinary, info=SEALED),
    Column("id_blind", String(32), info=PERSONAL),
    Column("account", LargeBinary, info=SEALED),
    Column("holder", String(60), info=PERSONAL),
    Column("entered_by", String(60), nullable=False),
    Column("entered_on", String(10), nullable=False),
    Index("ix_festival_listed_street", "year", "street"),
    Index("uq_festival_listed_id", "year", "id_blind", unique=True),
)

donation = Table(
    "donation",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("unit", String(20), nullable=False),
    Column("donor", String(100), nullable=False, info=PERSONAL),
    Column("donor_kind", String(20), nullable=False),
    Column("received_on", String(10), nullable=False),
    Column("cash_fen", BigInteger, nullable=False),
    Column("goods", String(400)),
    Column("goods_fen", BigInteger, nullable=False),  # their value
    Column("purpose", String(400)),
    Column("recorded_by", String(60), nullable=False),
    Column("recorded_on", String(10), nullable=False),
    Index("ix_donation_unit", "unit", "received_on"),
)

condolence_visit = Table(
    "condolence_visit",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("unit", String(20), nullable=False),  # the community visited
    Column("household_id", Id),
    Column("target", LargeBinary, info=SEALED),  # who is not registered as a household
    Column("visited_on", String(10), nullable=False),
    Column("visitors", String(200), nullable=False, info=PERSONAL),
    Column("cash_fen", BigInteger, nullable=False),
    Column("goods", String(400)),
    Column("goods_fen", BigInteger, nullable=False),
    Column("source", String(20), nullable=False),
    Column("donation_id", Id),
    Column("recorded_by", String(60), nullable=False),
    Column("recorded_on", String(10), nullable=False),
    Index("ix_condolence_visit_unit", "unit", "visited_on"),
    Index("ix_condolence_visit_donation_id", "donation_id"),
)
