"""Rows of the door-to-door screening: each visit is a record of its own, with what it found."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, LargeBinary, String, Table

from engine.store import Id, metadata
from processes.tables import PERSONAL, SEALED

screening = Table(
    "screening",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("household_id", Id, nullable=False),
    Column("street", String(20), nullable=False),
    Column("community", String(20), nullable=False),
    Column("population", String(20), nullable=False),  # in_benefit | elderly | disabled | serious_illness | refused_2018
    Column("visited_on", String(10), nullable=False),
    Column("first_visitor", String(60), nullable=False),  # who entered it
    Column("second_visitor", String(60), nullable=False),
    Column("companions", String(200), info=PERSONAL),
    Column("met_person", String(60), info=PERSONAL),
    Column("causes", LargeBinary, info=SEALED),  # JSON: codes
    Column("assistance", LargeBinary, info=SEALED),  # JSON: codes, besides 低保, 低收入 and 特困
    Column("result", String(12), nullable=False),  # true | changed | untrue
    Column("result_text", LargeBinary, info=SEALED),
    Column("still_hardship", Boolean, nullable=False),
    Column("hardship_text", LargeBinary, info=SEALED),
    Column("relative_of_staff", Boolean, nullable=False),
    Column("relatives_on_assistance", Boolean, nullable=False),
    Column("qualifies", Boolean),  # of who is not in benefit
    Column("state", String(10), nullable=False),  # recorded | confirmed (by the second visitor himself)
    Column("confirmed_on", String(10)),
    Column("lead_id", Id),
    Column("policy_explained", Boolean),  # none: not asked when the visit was entered
    Column("leaflet_given", Boolean),
    Index("ix_screening_community", "community", "population"),
    Index("ix_screening_household_id", "household_id", "visited_on"),
)

screening_finding = Table(
    "screening_finding",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("screening_id", Id, nullable=False),
    Column("household_id", Id, nullable=False),
    Column("community", String(20), nullable=False),
    Column("kind", String(24), nullable=False),  # policy_not_implemented | unlawful_benefit | outstanding_hardship
    Column("text", LargeBinary, info=SEALED),
    Column("found_on", String(10), nullable=False),
    Column("due_on", String(10)),  # 立查立纠: of the first two kinds
    Column("referred_to", LargeBinary, info=SEALED),  # 社会力量: of the third
    Column("state", String(10), nullable=False),  # open | done
    Column("done_on", String(10)),
    Column("done_by", String(60)),
    Column("done_text", LargeBinary, info=SEALED),
    Index("ix_screening_finding_screening_id", "screening_id"),
    Index("ix_screening_finding_community", "community", "state"),
)
