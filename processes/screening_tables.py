"""Rows of the door-to-door screening: each visit is a record of its own, with what it found; each plan one with the households to visit."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, Integer, LargeBinary, String, Table

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
    Column("met_person", String(60), info=PERSONAL),  # annex 2 does not ask for it
    Column("causes", LargeBinary, info=SEALED),  # JSON: codes
    Column("assistance", LargeBinary, info=SEALED),  # JSON: codes, besides 低保, 低收入 and 特困
    Column("result", String(12)),  # true | changed | untrue; none, and the three below: brought in from annex 2, which does not ask for it
    Column("result_text", LargeBinary, info=SEALED),
    Column("still_hardship", Boolean),
    Column("hardship_text", LargeBinary, info=SEALED),
    Column("relative_of_staff", Boolean),
    Column("relatives_on_assistance", Boolean),
    Column("qualifies", Boolean),  # of who is not in benefit
    Column("state", String(10), nullable=False),  # recorded | confirmed (by the second visitor himself)
    Column("confirmed_on", String(10)),
    Column("lead_id", Id),
    Column("policy_explained", Boolean),  # none: not asked when the visit was entered
    Column("leaflet_given", Boolean),
    Column("entered_by", String(60)),  # who brought it in from an annex, where he is not the first visitor
    Column("list_digest", String(64)),  # SHA-256 of that file
    Column("list_line", Integer),
    Column("first_confirmed_on", String(10)),  # by the first visitor himself, where another one entered it
    Column("case_no", String(40)),  # the application that was begun from the visit
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
    Column("state", String(10), nullable=False),  # open | done | verified
    Column("done_on", String(10)),
    Column("done_by", String(60)),
    Column("done_text", LargeBinary, info=SEALED),
    Column("proof_id", Id),  # a paper of the household
    Column("outcome", String(10)),  # of social help: helped | partly | none
    Column("verified_by", String(60)),
    Column("verified_on", String(10)),
    Column("verify_text", LargeBinary, info=SEALED),
    Column("sent_back", Integer),  # how often the proof was not enough
    Column("undone", String(400)),  # JSON: [done on, sent back on] of each time, for a ledger of a past day
    Column("unfounded", Boolean),  # as said when it was done: there was nothing to put right
    Column("case_no", String(40)),  # of the process; none: found before there was one
    Index("ix_screening_finding_screening_id", "screening_id"),
    Index("ix_screening_finding_community", "community", "state"),
)

screening_plan = Table(
    "screening_plan",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("street", String(20), nullable=False),
    Column("community", String(20), nullable=False),
    Column("population", String(20), nullable=False),
    Column("from_on", String(10), nullable=False),
    Column("until_on", String(10), nullable=False),
    Column("teams", String(2000), nullable=False),  # JSON: pairs of logins
    Column("note", String(400)),
    Column("made_by", String(60), nullable=False),
    Column("made_on", String(10), nullable=False),
    Column("drawn_up_on", String(10), nullable=False),  # the day as of which the records were last asked
    Index("ix_screening_plan_community", "community", "population"),
)

screening_plan_home = Table(
    "screening_plan_home",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("plan_id", Id, nullable=False),
    Column("household_id", Id, nullable=False),
    Column("community", String(20), nullable=False),
    Column("population", String(20), nullable=False),
    Column("from_on", String(10), nullable=False),  # of the plan: a visit before it does not do it
    Column("by_hand", Boolean, nullable=False),  # not by the records
    Column("reason", LargeBinary, info=SEALED),  # why by hand: often an illness
    Column("first", String(60)),
    Column("second", String(60)),
    Column("visit_on", String(10)),
    Column("dropped_on", String(10)),
    Column("dropped_why", LargeBinary, info=SEALED),
    Index("ix_screening_plan_home_plan_id", "plan_id", "visit_on"),
    Index("ix_screening_plan_home_first", "first", "visit_on"),
    Index("ix_screening_plan_home_second", "second", "visit_on"),
)
