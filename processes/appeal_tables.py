"""Rows of appeals against decisions: administrative reviews and lawsuits; each is a record of its own."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, LargeBinary, String, Table

from engine.store import Id, metadata
from processes.case_tables import SEALED

appeal = Table(
    "appeal",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("letter_id", Id, nullable=False),  # by which the decision was told
    Column("household_id", Id, nullable=False),
    Column("case_no", String(40), nullable=False),  # as the letter names it: a case, a benefit or a batch
    Column("benefit_id", Id),  # of a letter that stands in a benefit's own record
    Column("unit", String(20), nullable=False),  # the household's community when it was lodged
    Column("kind", String(10), nullable=False),  # review | suit
    Column("body", String(20), nullable=False),  # district_government | city_bureau | court
    Column("lodged_on", String(10), nullable=False),
    Column("lodged_by", LargeBinary, info=SEALED),
    Column("grounds", LargeBinary, info=SEALED),
    Column("document", Id),
    Column("last_day", String(10)),  # by which it was measured; none: the delivery is not proven, so nothing runs
    Column("recorded_by", String(60), nullable=False),
    Column("state", String(10), nullable=False),  # lodged | accepted | rejected | withdrawn | maintained | redo | changed
    Column("accepted_on", String(10)),
    Column("due_on", String(10)),  # the body's last day to decide, with its extension
    Column("extended_days", Integer),
    Column("decided_on", String(10)),  # of the body's rejection, its decision or judgment, or the withdrawal
    Column("received_on", String(10)),  # when the household got it
    Column("decision_no", String(60)),
    Column("summary", LargeBinary, info=SEALED),
    Column("decision_document", Id),
    Column("outcome_by", String(60)),  # who recorded the end
    Column("follow", String(10)),  # open | done: what the district owes after "redo" and "changed"
    Column("followed_by", String(60)),
    Column("followed_on", String(10)),
    Column("followed_case", String(40)),
    Column("adjustment_id", Id),
    Index("ix_appeal_letter_id", "letter_id"),
    Index("ix_appeal_case_no", "case_no"),
    Index("ix_appeal_household_id", "household_id"),
    Index("ix_appeal_unit_state", "unit", "state"),
)
