"""Rows of the monthly payment: runs, their frozen items, what is wrong with an item, files to the bank, and what it answered.

A run is a case (`payment-run`); its items and sendings stand in records of kind `payment_part`, a stretch of the list each: one
record gives out 65,535 ids, and the parts are worked on apart from each other.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, LargeBinary, String, Table, text

from engine.store import Id, metadata
from processes.tables import PERSONAL, SEALED


def _id() -> Column[int]:
    return Column("id", Id, primary_key=True, autoincrement=False)


payment_run = Table(
    "payment_run",
    metadata,
    _id(),
    Column("case_no", String(40), nullable=False, unique=True),
    Column("scope", String(20), nullable=False),  # a unit: it and those below it
    Column("month", String(7), nullable=False),
    Column("pay_by", String(10), nullable=False),  # by when all is to be credited
    Column("status", String(12), nullable=False),  # listing | ready | checking | approving | approved | paying | closed | called_off
    Column("listings", Integer, nullable=False),  # how often the list was made
    Column("scanned_to", Id, nullable=False),  # benefits up to this one have been listed
    Column("compared_to", Id, nullable=False),  # parts up to this one have been looked through for duplicates
    Column("not_due", Integer, nullable=False),  # benefits for which nothing is payable in this month: suspended
    Column("elsewhere", Integer, nullable=False),  # on another unit's list of the month already
    Column("files", Integer, nullable=False),
    Column("made_by", String(60), nullable=False),
    Column("made_on", String(10), nullable=False),
    Column("submitted_by", String(60)),
    Column("checked_by", String(60)),
    Column("approved_by", String(60)),
    Column("approved_on", String(10)),
    Column("approved_items", Integer),
    Column("approved_fen", BigInteger),
    Column("closed_on", String(10)),
    Index("ix_payment_run_month", "month", "scope"),
)

# One benefit in one run, as it was when the list was made; what is paid never follows what changes afterwards.
payment_item = Table(
    "payment_item",
    metadata,
    _id(),
    Column("run_id", Id, nullable=False),
    Column("part", Id, nullable=False),  # the record that owns it
    Column("benefit_id", Id, nullable=False),
    Column("household_id", Id, nullable=False),
    Column("community", String(20), nullable=False),
    Column("month", String(7), nullable=False),
    Column("claim", String(60), nullable=False),  # what is paid by it: one live item for each, in all runs
    Column("settlement_id", Id),  # of a back payment: what is owed for months that are over
    Column("live", Boolean, nullable=False),
    Column("state", String(10), nullable=False),  # listed | held | dropped | sent | credited | returned
    Column("category", String(30), nullable=False),
    Column("members", Integer, nullable=False),
    Column("standard", String(20), nullable=False),  # yuan a month, by the law of the month
    Column("amount_fen", BigInteger, nullable=False),
    Column("adjustment_id", Id, nullable=False),  # the decision that gives the amount; 0: from before there were any
    Column("account_id", Id, nullable=False),  # the change of account that gives it; 0: as registered
    Column("holder", String(60), info=PERSONAL),
    Column("bank", String(60), info=PERSONAL),
    Column("account", LargeBinary, info=SEALED),
    Column("account_blind", String(32), info=PERSONAL),
    Column("again", Boolean, nullable=False),  # to be sent in the next file
    Column("attempts", Integer, nullable=False),
    Column("cause", String(20)),  # why the bank gave it back, the last time
    Column("credited_on", String(10)),
    Index("uq_payment_item_claim", "claim", unique=True, sqlite_where=text("live = 1"), postgresql_where=text("live")),
    Index("ix_payment_item_run_id", "run_id", "part"),
    Index("ix_payment_item_state", "run_id", "state"),
    Index("ix_payment_item_account", "month", "account_blind"),
    Index("ix_payment_item_benefit_id", "benefit_id", "month"),
    Index("ix_payment_item_household_id", "household_id"),
)

# Whom an item counts: frozen with it.
payment_item_person = Table(
    "payment_item_person",
    metadata,
    _id(),
    Column("item_id", Id, nullable=False),
    Column("month", String(7), nullable=False),
    Column("person_id", Id, nullable=False),
    Column("name", String(60), info=PERSONAL),
    Column("id_blind", String(32), info=PERSONAL),
    Index("ix_payment_item_person_item_id", "item_id"),
    Index("ix_payment_item_person_blind", "month", "id_blind"),
)

payment_problem = Table(
    "payment_problem",
    metadata,
    _id(),
    Column("run_id", Id, nullable=False),
    Column("item_id", Id, nullable=False),
    Column("kind", String(20), nullable=False),
    Column("other_item_id", Id),  # of a duplicate: the item beside it, perhaps of another unit's run
    Column("state", String(10), nullable=False),  # open | answered
    Column("answer", String(6)),  # keep | hold | drop
    Column("reason", LargeBinary, info=SEALED),
    Column("answered_by", String(60)),
    Column("answered_on", String(10)),
    Index("ix_payment_problem_run_id", "run_id", "state"),
    Index("ix_payment_problem_item_id", "item_id"),
)

payment_file = Table(
    "payment_file",
    metadata,
    _id(),
    Column("run_id", Id, nullable=False),
    Column("no", String(50), nullable=False, unique=True),
    Column("seq", Integer, nullable=False),
    Column("profile", String(40), nullable=False),
    Column("state", String(10), nullable=False),  # making | made | sent
    Column("pay_on", String(10), nullable=False),
    Column("made_by", String(60), nullable=False),
    Column("made_on", String(10), nullable=False),
    Column("filled_to", Id, nullable=False),
    Column("count", Integer, nullable=False),
    Column("total_fen", BigInteger, nullable=False),
    Column("digest", String(64)),  # SHA-256 of its bytes, keyed: names and accounts cannot be guessed by it
    Column("sent_on", String(10)),
    Index("ix_payment_file_run_id", "run_id"),
)

# One item in one file. Its serial is what the bank pays once, however often the file comes.
payment_sending = Table(
    "payment_sending",
    metadata,
    _id(),
    Column("file_id", Id, nullable=False),
    Column("run_id", Id, nullable=False),
    Column("item_id", Id, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("serial", String(60), nullable=False, unique=True),
    Column("line", Integer, nullable=False),
    Column("amount_fen", BigInteger, nullable=False),
    Column("holder", String(60), info=PERSONAL),
    Column("bank", String(60), info=PERSONAL),
    Column("account", LargeBinary, info=SEALED),
    Column("state", String(10), nullable=False),  # sent | paid | returned | taken_back: credited, and taken back by the bank later
    Column("cause", String(20)),
    Column("reason", LargeBinary, info=SEALED),  # the bank's own words
    Column("credited_on", String(10)),
    Column("answered_on", String(10)),
    Column("return_id", Id),
    Column("taken_back_on", String(10)),  # when that was entered; credited_on stays
    Column("back_return_id", Id),  # the answer that said so
    Index("uq_payment_sending_item", "item_id", "attempt", unique=True),
    Index("ix_payment_sending_file", "file_id", "line"),
    Index("ix_payment_sending_run_id", "run_id", "state"),
)

payment_return = Table(
    "payment_return",
    metadata,
    _id(),
    Column("run_id", Id, nullable=False),
    Column("file_id", Id, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("lines", Integer, nullable=False),
    Column("taken", Integer, nullable=False),  # lines that count
    Column("repeated", Integer, nullable=False),  # said what was known already
    Column("faults", Integer, nullable=False),
    Column("back", Integer),  # lines that took back what was credited; none: from before these were booked
    Column("entered_by", String(60), nullable=False),
    Column("entered_on", String(10), nullable=False),
    Index("uq_payment_return_digest", "file_id", "digest", unique=True),
    Index("ix_payment_return_run_id", "run_id"),
)

payment_return_fault = Table(
    "payment_return_fault",
    metadata,
    _id(),
    Column("return_id", Id, nullable=False),
    Column("line", Integer, nullable=False),
    Column("code", String(20), nullable=False),
    Column("serial", String(60)),
    Column("text", LargeBinary, info=SEALED),
    Index("ix_payment_return_fault_return_id", "return_id", "line"),
)

# A change of the account into which a household is paid: asked for by one, confirmed by another; owned by the household's record.
payment_account = Table(
    "payment_account",
    metadata,
    _id(),
    Column("household_id", Id, nullable=False),
    Column("community", String(20), nullable=False),
    Column("holder", String(60), info=PERSONAL),
    Column("bank", String(60), info=PERSONAL),
    Column("account", LargeBinary, info=SEALED),
    Column("reason", LargeBinary, info=SEALED),
    Column("document_id", Id),
    Column("from_month", String(7), nullable=False),  # the first run that pays there
    Column("state", String(10), nullable=False),  # proposed | confirmed | refused
    Column("proposed_by", String(60), nullable=False),
    Column("proposed_on", String(10), nullable=False),
    Column("settled_by", String(60)),
    Column("settled_on", String(10)),
    Index("ix_payment_account_household_id", "household_id", "state"),
    Index("ix_payment_account_state", "state", "community"),
)
