"""Rows of a benefit's life: what was decided month by month, money to be paid back, reports that fall due, special cases."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, LargeBinary, String, Table, Text

from engine.store import Id, metadata
from processes.tables import SEALED

# Every decision on a benefit, with before and after; what is payable in a month is the last one whose `from_month` has begun.
benefit_adjustment = Table(
    "benefit_adjustment",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("benefit_id", Id, nullable=False),
    Column("household_id", Id, nullable=False),
    Column("case_no", String(40)),  # or a batch: the yearly adjustment of the standard
    Column("batch_no", String(40)),
    Column(
        "kind", String(12), nullable=False
    ),  # grant | keep | grace | increase | decrease | convert | stop | suspend | resume | holder | transfer
    Column("reason_code", String(30), nullable=False),
    Column("before_category", String(30)),
    Column("after_category", String(30)),
    Column("before_fen", BigInteger, nullable=False),
    Column("after_fen", BigInteger, nullable=False),
    Column("before_members", Integer, nullable=False),
    Column("after_members", Integer, nullable=False),
    Column("before_status", String(24)),
    Column("after_status", String(24), nullable=False),
    Column("decided_on", String(10), nullable=False),
    Column("decided_by", String(60), nullable=False),
    Column("from_month", String(7), nullable=False),
    Column("law_version", String(20)),
    Index("ix_benefit_adjustment_benefit_id", "benefit_id", "from_month"),
    Index("ix_benefit_adjustment_decided_on", "decided_on"),
)

# Money that was paid too much (recovery) or too little (arrears) for past months.
settlement = Table(
    "settlement",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("benefit_id", Id, nullable=False),
    Column("household_id", Id, nullable=False),
    Column("case_no", String(40)),
    Column("kind", String(10), nullable=False),  # recovery | arrears
    Column("reason_code", String(30), nullable=False),
    Column("from_month", String(7), nullable=False),
    Column("to_month", String(7), nullable=False),
    Column("amount_fen", BigInteger, nullable=False),
    Column("months", Text),  # JSON: month -> fen of it; what was found before they were kept has none
    Column("instalment_fen", BigInteger),  # per month, as agreed; the last one is the rest
    Column("first_month", String(7)),
    Column("agreed_on", String(10)),
    Column("status", String(10), nullable=False),  # found | agreed | settled | waived
    Index("ix_settlement_benefit_id", "benefit_id"),
)

# The household's periodic duty to report (N220 art 32): a row for each time, answered by a report or reminded.
report_duty = Table(
    "report_duty",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("benefit_id", Id, nullable=False),
    Column("household_id", Id, nullable=False),
    Column("street", String(20), nullable=False),
    Column("due_on", String(10), nullable=False),
    Column("reminded_on", String(10)),
    Column("reminded_again_on", String(10)),
    Column("answered_on", String(10)),
    Column("case_no", String(40)),
    Index("ix_report_duty_street", "street", "due_on"),
    Index("ix_report_duty_benefit_id", "benefit_id"),
)

# A case that asks for the joint meeting (domain 4.5); owned by the record of the asking case.
special_case_request = Table(
    "special_case_request",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("case_no", String(40), nullable=False),
    Column("process", String(60), nullable=False),
    Column("household_id", Id, nullable=False),
    Column("street", String(20), nullable=False),
    Column("trigger_code", String(30), nullable=False),
    Column("origin", String(10), nullable=False),  # street | district: where the case goes on
    Column("facts", LargeBinary, info=SEALED),
    Column("wish", LargeBinary, info=SEALED),
    Column("ordinary_category", String(30)),
    Column("ordinary_fen", BigInteger),
    Column("submitted_by", String(60), nullable=False),
    Column("submitted_on", String(10), nullable=False),
    Column("due_on", String(10), nullable=False),  # by when a meeting should have decided
    Column("status", String(12), nullable=False),  # submitted | decided | lapsed
    Column("resolution", String(30)),
    Column("decided_on", String(10)),
    Column("meeting_no", String(40)),
    Column("review_on", String(10)),  # when the meeting wants to hear of it again
    Column("fixed_amount", Boolean),  # the resolution set an amount, instead of the arithmetic
    Column("fixed_until", String(7)),
    Index("ix_special_case_request_status", "status", "due_on"),
    Index("ix_special_case_request_case_no", "case_no"),
)
