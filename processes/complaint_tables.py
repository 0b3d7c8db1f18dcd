"""Rows of complaints (投诉举报): the complaint itself, of its case's record; and who made it, of a record of its own under its own key."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, LargeBinary, String, Table

from engine.store import Id, metadata
from processes.case_tables import SEALED

complaint = Table(
    "complaint",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("case_no", String(40), nullable=False),
    Column("unit", String(20), nullable=False),  # whose complaint officer handles it
    Column("channel", String(12), nullable=False),  # phone | visit | letter | web | 12345 | transferred
    Column("received_on", String(10), nullable=False),
    Column("is_named", Boolean, nullable=False),
    Column("reporter_id", Id),  # of `complaint_reporter`; none: anonymous
    Column("target_kind", String(12), nullable=False),  # household | benefit | staff | facility | unknown
    Column("household_id", Id),
    Column("benefit_id", Id),
    Column("target_login", String(60)),
    Column("target_unit", String(20)),
    Column("allegation", LargeBinary, info=SEALED),
    Column("state", String(16), nullable=False),  # received | investigating | not_accepted | concluded | closed
    Column("accepted_on", String(10)),
    Column("due_on", String(10)),  # the last day of what comes next: acceptance, then the end
    Column("finding", String(16)),  # substantiated | partly | unsubstantiated | unverifiable | malicious
    Column("event_on", String(10)),  # when what was found happened, such as the purchase of a car
    Column("concluded_on", String(10)),
    Column("feedback_on", String(10)),
    Column("review_no", String(40)),  # the re-check that it opened
    Index("ix_complaint_case_no", "case_no"),
    Index("ix_complaint_household_id", "household_id"),
    Index("ix_complaint_unit_state", "unit", "state"),
)

complaint_reporter = Table(
    "complaint_reporter",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("unit", String(20), nullable=False),
    Column("name", LargeBinary, info=SEALED),
    Column("phone", LargeBinary, info=SEALED),
    Column("address", LargeBinary, info=SEALED),
)
