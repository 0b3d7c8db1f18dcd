"""Rows of the campaign's frame (百日会战): what belongs to one campaign belongs to its record (kind `campaign_frame`)."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, Integer, String, Table

from engine.store import Id, metadata
from processes.tables import PERSONAL


def _id() -> Column[int]:
    return Column("id", Id, primary_key=True, autoincrement=False)


def _of() -> Column[int]:
    return Column("campaign_id", Id, nullable=False)


campaign = Table(
    "campaign",
    metadata,
    _id(),
    Column("unit", String(20), nullable=False),  # of the district whose campaign it is
    Column("name", String(100), nullable=False),
    Column("paper", String(200), nullable=False),  # by which it was ordered
    Column("start_on", String(10), nullable=False),
    Column("end_on", String(10), nullable=False),
    Column("goals", String(2000), nullable=False),
    Column("report_weeks", Integer, nullable=False),  # a progress report every so many weeks
    Column("report_weekday", Integer, nullable=False),  # 1 Monday .. 7 Sunday
    Column("report_time", String(5), nullable=False),  # HH:MM
    Column("state", String(10), nullable=False),  # open | closed | withdrawn (closed before its first day)
    Column("closed_on", String(10)),
    Column("closed_why", String(400)),
    Column("made_by", String(60), nullable=False),
    Column("made_on", String(10), nullable=False),
    Index("ix_campaign_unit", "unit", "start_on"),
)

campaign_stage = Table(
    "campaign_stage",
    metadata,
    _id(),
    _of(),
    Column("name", String(60), nullable=False),
    Column("start_on", String(10), nullable=False),
    Column("end_on", String(10), nullable=False),
    Column("goals", String(1000), nullable=False),
    Column("active", Boolean, nullable=False),
    Index("ix_campaign_stage_campaign_id", "campaign_id"),
)

campaign_unit = Table(
    "campaign_unit",
    metadata,
    _id(),
    _of(),
    Column("unit", String(20), nullable=False),
    Column("level", String(12), nullable=False),  # district | street | community
    Column("active", Boolean, nullable=False),
    Column("leader", String(60), info=PERSONAL),
    Column("deputy", String(60), info=PERSONAL),
    Column("contact", String(100), info=PERSONAL),
    Column("staff_full", Integer),
    Column("staff_part", Integer),
    Column("office", Boolean),
    Column("service_window", Boolean),
    Column("equipment", String(4000)),  # JSON: [{"name", "count"}]
    Column("said_by", String(60)),
    Column("said_on", String(10)),
    Index("ix_campaign_unit_campaign_id", "campaign_id", "unit", unique=True),
)

campaign_plan = Table(
    "campaign_plan",
    metadata,
    _id(),
    _of(),
    Column("stage_id", Id, nullable=False),
    Column("unit", String(20), nullable=False),
    Column("plan", String(2000), nullable=False),
    Column("said_by", String(60), nullable=False),
    Column("said_on", String(10), nullable=False),
    Index("ix_campaign_plan_stage_id", "stage_id", "unit", unique=True),
    Index("ix_campaign_plan_campaign_id", "campaign_id"),
)

campaign_shortfall = Table(
    "campaign_shortfall",
    metadata,
    _id(),
    _of(),
    Column("unit", String(20), nullable=False),
    Column("kind", String(12), nullable=False),  # staff | premises | equipment | funds | other
    Column("what", String(400), nullable=False),
    Column("measure", String(400), nullable=False),
    Column("responsible", String(60), info=PERSONAL),
    Column("due_on", String(10), nullable=False),
    Column("state", String(10), nullable=False),  # open | remedied | verified
    Column("raised_by", String(60), nullable=False),
    Column("raised_on", String(10), nullable=False),
    Column("remedy", String(400)),
    Column("remedied_by", String(60)),
    Column("remedied_on", String(10)),
    Column("verified_by", String(60)),
    Column("verified_on", String(10)),
    Column("returned", String(400)),  # why it was not accepted, the last time
    Index("ix_campaign_shortfall_campaign_id", "campaign_id", "unit"),
)

campaign_duty = Table(
    "campaign_duty",
    metadata,
    _id(),
    _of(),
    Column("level", String(12), nullable=False),
    Column("duty", String(400), nullable=False),
    Column("active", Boolean, nullable=False),
    Index("ix_campaign_duty_campaign_id", "campaign_id"),
)

campaign_obligation = Table(
    "campaign_obligation",
    metadata,
    _id(),
    _of(),
    Column("level", String(12), nullable=False),
    Column("kind", String(24), nullable=False),  # see campaign_obligations.KINDS
    Column("title", String(200), nullable=False),
    Column("due_on", String(10)),  # none: the paper gives no date, or it follows from the campaign's intervals
    Column("proof", String(200), nullable=False),  # what shows that it is met
    Column("active", Boolean, nullable=False),
    Index("ix_campaign_obligation_campaign_id", "campaign_id"),
)

campaign_proof = Table(
    "campaign_proof",
    metadata,
    _id(),
    _of(),
    Column("obligation_id", Id, nullable=False),
    Column("unit", String(20), nullable=False),
    Column("done_on", String(10), nullable=False),
    Column("what", String(1000), nullable=False),
    Column("proof", String(200), nullable=False),
    Column("state", String(10), nullable=False),  # entered | confirmed | returned
    Column("entered_by", String(60), nullable=False),
    Column("entered_on", String(10), nullable=False),
    Column("judged_by", String(60)),
    Column("judged_on", String(10)),
    Column("returned", String(400)),
    Index("ix_campaign_proof_obligation_id", "obligation_id", "unit"),
    Index("ix_campaign_proof_campaign_id", "campaign_id", "unit"),
)
