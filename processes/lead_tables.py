"""Rows of proactive discovery: each lead (线索) is a record of its own, and says when it was given and which application followed."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, LargeBinary, String, Table

from engine.store import Id, metadata
from processes.tables import PERSONAL, SEALED

lead = Table(
    "lead",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("street", String(20), nullable=False),
    Column("community", String(20), nullable=False),
    Column("household_id", Id),  # none: nobody registered; known from the application that follows
    Column("known_as", LargeBinary, info=SEALED),  # who it is, where no household is registered
    Column("hardship", String(20), nullable=False),
    Column("reason", LargeBinary, info=SEALED),
    Column("found_on", String(10), nullable=False),  # as the giver says; nothing is counted by it
    Column("found_by", String(30), nullable=False),  # the giver's role
    Column("finder_login", String(60)),  # of a giver with an account
    Column("finder", String(100), info=PERSONAL),  # else his name or his office
    Column("recorded_by", String(60), nullable=False),
    Column("recorded_on", String(10), nullable=False),
    Column("recorded_at", String(40), nullable=False),  # UTC, as the entry has it: what "older than the application" goes by
    Column("state", String(10), nullable=False),  # reported | verified | closed | applied
    Column("outcome", String(12)),  # help_apply | no_need | referral | in_aid | declined | duplicate | withdrawn
    Column("verified_by", String(60)),
    Column("verified_on", String(10)),
    Column("note", LargeBinary, info=SEALED),
    Column("referred_to", LargeBinary, info=SEALED),
    Column("case_no", String(40)),
    Column("applied_on", String(10)),
    Column("linked_by", String(60)),
    Column("linked_on", String(10)),
    Column("counts", Boolean),  # 基层主动发现; none: nothing is applied for yet
    Column("why_not", String(20)),  # not_grassroots | not_older
    Column("discovery_no", String(40)),  # its case; none: given before leads had one (decision 081)
    Column("helper", String(60)),  # who is named to help
    Column("duplicate_of", Id),  # the lead given before about the same
    Column("help_note", LargeBinary, info=SEALED),  # what became of the help, or why it was withdrawn
    Column("closed_on", String(10)),  # after the verification, without an application
    Column("closed_by", String(60)),
    Index("ix_lead_community", "community", "state"),
    Index("ix_lead_household_id", "household_id"),
    Index("ix_lead_case_no", "case_no"),
)
