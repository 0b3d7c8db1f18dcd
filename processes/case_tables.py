"""Rows that belong to cases: letters, public notices, and the spot-check registers of the streets."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, LargeBinary, String, Table

from engine.store import Id, metadata

PERSONAL = {"personal": True}
SEALED = {"personal": True, "sealed": True}

letter = Table(
    "letter",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("case_no", String(40), nullable=False),
    Column("household_id", Id, nullable=False),
    Column("kind", String(30), nullable=False),
    Column("number", String(60), nullable=False),  # document number, as printed
    Column("issued_on", String(10), nullable=False),
    Column("issued_by", String(60), nullable=False),
    Column("digest", String(64), nullable=False),  # keyed commitment to the issued bytes
    Column("size", Integer, nullable=False),
    Column("delivered_on", String(10)),
    Column("delivery_method", String(30)),
    Column("receipt_document", Id),
    Index("ix_letter_case_no", "case_no"),
    Index("ix_letter_issued_on", "issued_on"),
)

# The issued bytes themselves, compressed and sealed under the household's key; the letter's row names them.
letter_bytes = Table(
    "letter_bytes",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("sealed", LargeBinary, nullable=False),
)

letter_number = Table(
    "letter_number",
    metadata,
    Column("kind", String(30), primary_key=True),
    Column("unit", String(20), primary_key=True),
    Column("year", Integer, primary_key=True),
    Column("last", Integer, nullable=False),
)

# The code by which the family looks its application up, where the first one (query_codes.of_case) was lost; the code itself is nowhere.
query_code = Table(
    "query_code",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("case_no", String(40), nullable=False),
    Column("code_hash", String(32), nullable=False),  # keyed digest of number and code
    Column("renewed_by", String(60), nullable=False),
    Column("renewed_on", String(10), nullable=False),
    Index("ix_query_code_case_no", "case_no", unique=True),
)

notice = Table(
    "notice",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("case_no", String(40), nullable=False),
    Column("stage", String(20), nullable=False),  # street_opinion | district_proposal | destitute_stop | temporary_assistance
    Column("street", String(20), nullable=False),
    Column("community", String(20), nullable=False),
    Column("applicant", String(60), info=PERSONAL),
    Column("members", Integer, nullable=False),
    Column("category", String(30), nullable=False),
    Column("amount_fen", BigInteger, nullable=False),
    Column("posted_on", String(10), nullable=False),
    Column("until_on", String(10), nullable=False),
    Column("removed_on", String(10)),
    Column("photo_posted", Id),
    Column("photo_removed", Id),
    Index("ix_notice_case_no", "case_no"),
    Index("ix_notice_community", "community", "until_on"),
)

spot_register = Table(
    "spot_register",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("record_id", Id, nullable=False),
    Column("street", String(20), nullable=False, unique=True),
    Column("block", Integer, nullable=False),
    Column("position", Integer, nullable=False),  # files received in this block so far
    Column("seed_hash", String(64), nullable=False),  # published before the block begins
    Column("seed", LargeBinary, info=SEALED),  # published when the block is full
)

# Files in order of receipt; which were drawn at once, which at a month's end, and which are past being drawn.
spot_file = Table(
    "spot_file",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("street", String(20), nullable=False),
    Column("block", Integer, nullable=False),
    Column("position", Integer, nullable=False),
    Column("household_id", Id, nullable=False),
    Column("received_on", String(10), nullable=False),
    Column("drawn", Boolean, nullable=False),
    Column("late", Boolean, nullable=False),
    Column("passed_on", String(10)),
    Index("ix_spot_file_street_block", "street", "block"),
    Index("ix_spot_file_household_id", "household_id"),
)
