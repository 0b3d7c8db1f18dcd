"""Rows of what is decided on benefits outside a case: suspensions and resumptions, and the yearly adjustment of the standard."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, LargeBinary, String, Table

from engine.store import Id, metadata
from processes.tables import SEALED

# A suspension or resumption that one person proposes and another decides; owned by the benefit's record.
benefit_proposal = Table(
    "benefit_proposal",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("benefit_id", Id, nullable=False),
    Column("household_id", Id, nullable=False),
    Column("street", String(20), nullable=False),
    Column("kind", String(12), nullable=False),  # suspend | resume
    Column("reason_code", String(30), nullable=False),
    Column("reason", LargeBinary, info=SEALED),
    Column("pay_suspended", Boolean, nullable=False),  # of a resumption: the months of the suspension are paid later
    Column("proposed_by", String(60), nullable=False),
    Column("proposed_on", String(10), nullable=False),
    Column("state", String(12), nullable=False),  # proposed | confirmed | refused
    Column("settled_by", String(60)),
    Column("settled_on", String(10)),
    Column("adjustment_id", Id),
    Column("letter_id", Id),
    Index("ix_benefit_proposal_benefit_id", "benefit_id"),
    Index("ix_benefit_proposal_state", "state", "street"),
)

# 调标: one decision for all benefits of the district; owned by the record of the batch.
standard_batch = Table(
    "standard_batch",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("no", String(40), nullable=False, unique=True),
    Column("effective_month", String(7), nullable=False),
    Column("law_version", String(20), nullable=False),
    Column("status", String(12), nullable=False),  # computing | proposed | confirmed | finished | withdrawn
    Column("scanned_to", Id, nullable=False),  # benefits up to this one have been computed
    Column("fed_to", Id, nullable=False),  # benefits up to this one have been given to the workers
    Column("fed", Integer, nullable=False),
    Column("proposed_by", String(60), nullable=False),
    Column("proposed_on", String(10), nullable=False),
    Column("settled_by", String(60)),  # who confirmed it, or withdrew it
    Column("settled_on", String(10)),
    Column("finished_on", String(10)),
    Column("changes", Integer),  # what was proposed
    Column("unchanged", Integer),
    Column("persons", Integer),
    Column("contacts", Integer),
    Column("before_fen", BigInteger),
    Column("after_fen", BigInteger),
    Column("applied", Integer),  # what became of it
    Column("left_alone", Integer),
    Column("stopped", Integer),
    Column("for_persons", Integer),
    Column("applied_before_fen", BigInteger),
    Column("applied_after_fen", BigInteger),
    Column("arrears_fen", BigInteger),
    Index("ix_standard_batch_effective_month", "effective_month"),
)

# What the batch proposes for a benefit; owned by a record of its own for each stretch of the list.
standard_item = Table(
    "standard_item",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("batch_id", Id, nullable=False),
    Column("benefit_id", Id, nullable=False),
    Column("household_id", Id, nullable=False),
    Column("community", String(20), nullable=False),
    Column("category", String(30), nullable=False),
    Column("state", String(10), nullable=False),  # change | unchanged | person | new (begun after the list was made)
    Column("reason", String(30)),  # why a person has to look
    Column("contact", Boolean, nullable=False),  # low income, below the new standard: asked whether to apply, never converted
    Column("members", Integer, nullable=False),
    Column("per_capita", String(20)),
    Column("before_fen", BigInteger, nullable=False),
    Column("after_fen", BigInteger, nullable=False),
    Index("uq_standard_item_benefit", "batch_id", "benefit_id", unique=True),
    Index("ix_standard_item_state", "batch_id", "state", "community"),
)

# What became of a benefit in the batch; owned by the benefit's record. The unique index is the last guard against twice.
standard_result = Table(
    "standard_result",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("batch_id", Id, nullable=False),
    Column("benefit_id", Id, nullable=False),
    Column("household_id", Id, nullable=False),
    Column("community", String(20), nullable=False),
    Column("outcome", String(10), nullable=False),  # applied | unchanged | stopped | person
    Column("reason", String(30)),
    Column("contact", Boolean, nullable=False),
    Column("recomputed", Boolean, nullable=False),  # it is not what was proposed: the figures changed meanwhile
    Column("before_fen", BigInteger, nullable=False),
    Column("after_fen", BigInteger, nullable=False),
    Column("from_month", String(7)),
    Column("arrears_fen", BigInteger, nullable=False),
    Column("letter_id", Id),
    Column("done_on", String(10), nullable=False),
    Index("uq_standard_result_benefit", "batch_id", "benefit_id", unique=True),
    Index("ix_standard_result_outcome", "batch_id", "outcome", "community"),
)
