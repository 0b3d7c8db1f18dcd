"""Rows of inspections (监督检查): each plan with what was drawn is a record of its own, and so is each finding."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, LargeBinary, String, Table, Text

from engine.store import Id, metadata
from processes.tables import SEALED

inspection_plan = Table(
    "inspection_plan",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("title", String(200), nullable=False),
    Column("units", String(2000), nullable=False),  # JSON: codes
    Column("kind", String(12), nullable=False),  # cases | households | visits
    Column("from_on", String(10), nullable=False),
    Column("until_on", String(10), nullable=False),
    Column("due_on", String(10), nullable=False),  # inspected by
    Column("items", Text, nullable=False),  # JSON: what is looked at
    Column("method", String(12), nullable=False),  # simple | by_street
    Column("size", Integer, nullable=False),
    Column("population", Integer, nullable=False),
    Column("definition", Text, nullable=False),  # canonical JSON: what was committed to, beside the seed
    Column("commitment", String(64), nullable=False),
    Column("kept_seed", LargeBinary, info=SEALED),  # until the draw nobody reads it
    Column("seed", String(64)),  # hex; public from the draw on
    Column("state", String(10), nullable=False),  # planned | drawn | closed
    Column("made_by", String(60), nullable=False),
    Column("made_on", String(10), nullable=False),
    Column("drawn_by", String(60)),
    Column("drawn_on", String(10)),
    Column("closed_by", String(60)),
    Column("closed_on", String(10)),
    Column("conclusion", String(2000)),
)

inspection_target = Table(
    "inspection_target",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("plan_id", Id, nullable=False),
    Column("place", Integer, nullable=False),  # in the order of the draw
    Column("ref", String(40), nullable=False),  # number of the case, id of the household or visit
    Column("unit", String(20), nullable=False),
    Column("stratum", String(60), nullable=False),
    Column("inspected_by", String(60)),
    Column("inspected_on", String(10)),
    Column("failed", String(400)),  # JSON: numbers of the items that were not in order
    Column("note", LargeBinary, info=SEALED),
    Index("ix_inspection_target_plan_id", "plan_id"),
    Index("ix_inspection_target_unit", "unit"),
)

inspection_finding = Table(
    "inspection_finding",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("plan_id", Id, nullable=False),
    Column("target_id", Id, nullable=False),
    Column("unit", String(20), nullable=False),
    Column("kind", String(12), nullable=False),  # policy | unlawful | hardship | procedure | money | other
    Column("text", LargeBinary, info=SEALED),
    Column("raised_by", String(60), nullable=False),
    Column("raised_on", String(10), nullable=False),
    Column("reply_until", String(10), nullable=False),
    Column("due_on", String(10), nullable=False),  # put right by
    Column("state", String(10), nullable=False),  # open | replied | accepted | upheld | done | verified
    Column("replied_by", String(60)),
    Column("replied_on", String(10)),
    Column("reply", LargeBinary, info=SEALED),
    Column("settled_by", String(60)),
    Column("settled_on", String(10)),
    Column("verdict", LargeBinary, info=SEALED),
    Column("done_by", String(60)),
    Column("done_on", String(10)),
    Column("done_text", LargeBinary, info=SEALED),
    Column("verified_by", String(60)),
    Column("verified_on", String(10)),
    Column("verify_text", LargeBinary, info=SEALED),
    Column("sent_back", Integer),
    Column("undone", String(400)),  # JSON: [done on, sent back on] of each time, for a ledger of a past day
    Index("ix_inspection_finding_unit_state", "unit", "state"),
    Index("ix_inspection_finding_target_id", "target_id"),
)
