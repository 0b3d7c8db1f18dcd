"""Rows of what the public sees: long-term displays (长期公示) with the boards on which they hang, objections, and the published telephones."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, LargeBinary, String, Table

from engine.store import Id, metadata
from processes.tables import PERSONAL, SEALED

# A household in benefit as its sheet shows it: the whitelist (N220 art 34) and nothing else of it.
display = Table(
    "display",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("benefit_id", Id, nullable=False, unique=True),
    Column("household_id", Id, nullable=False),
    Column("street", String(20), nullable=False),
    Column("community", String(20), nullable=False),
    Column("applicant", String(60), info=PERSONAL),  # as shown: a minor's name is masked
    Column("masked", Boolean, nullable=False),
    Column("members", Integer, nullable=False),
    Column("category", String(30), nullable=False),
    Column("amount_fen", BigInteger, nullable=False),
    Column("version", Integer, nullable=False),  # of the sheet; one that hangs with an older one is to be replaced
    Column("made_on", String(10), nullable=False),  # this version of the sheet
    Column("made_by", String(60), nullable=False),
    # which version hangs at which of the three levels; none: nothing hangs there
    Column("district_version", Integer),
    Column("street_version", Integer),
    Column("community_version", Integer),
    Index("ix_display_community", "community"),
    Index("ix_display_household_id", "household_id"),
)

# A sheet on a board: posted with a photo, taken off with a photo.
display_posting = Table(
    "display_posting",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("display_id", Id, nullable=False),
    Column("level", String(12), nullable=False),  # district | street | community
    Column("place", String(80), nullable=False),
    Column("version", Integer, nullable=False),
    Column("posted_on", String(10), nullable=False),
    Column("posted_by", String(60), nullable=False),
    Column("photo_posted", Id, nullable=False),
    Column("removed_on", String(10)),
    Column("removed_by", String(60)),
    Column("photo_removed", Id),
    Column("removed_why", String(12)),  # ended | replaced | correction
    Index("ix_display_posting_display_id", "display_id"),
)

# An objection to a notice or a display, by anybody. Who made it stands with the complaint that it is, under a key of its own (decision 055).
objection = Table(
    "objection",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("notice_id", Id),
    Column("display_id", Id),
    Column("household_id", Id, nullable=False),
    Column("community", String(20), nullable=False),
    Column("case_no", String(40)),  # of the notice
    Column("complaint_no", String(40), nullable=False),
    Column("is_named", Boolean, nullable=False),
    Column("grounds", LargeBinary, info=SEALED),
    Column("received_on", String(10), nullable=False),
    Column("due_on", String(10), nullable=False),
    Column("state", String(12), nullable=False),  # received | taken_up | dismissed; of a display the complaint goes on by itself: complaint
    Column("note", LargeBinary, info=SEALED),
    Column("handled_by", String(60)),
    Column("handled_on", String(10)),
    Index("ix_objection_community", "community", "state"),
    Index("ix_objection_notice_id", "notice_id"),
    Index("ix_objection_display_id", "display_id"),
)

# 举报电话: what district and streets publish (N220 art 35); kept by administrators, no source has the numbers.
unit_phone = Table(
    "unit_phone",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("unit", String(20), nullable=False, unique=True),
    Column("phone", String(40), nullable=False),
    Column("hours", String(80)),
    Column("address", String(120)),
    Column("published", Boolean, nullable=False),
    Column("set_by", String(60), nullable=False),
    Column("set_on", String(10), nullable=False),
)
