"""Rows of a joint meeting (domain 4.5), all owned by the record of the meeting's own case."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, LargeBinary, String, Table

from engine.store import Id, metadata
from processes.tables import PERSONAL, SEALED

joint_meeting = Table(
    "joint_meeting",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("no", String(40), nullable=False, unique=True),
    Column("case_id", Id, nullable=False, unique=True),
    Column("kind", String(10), nullable=False),  # regular | ad_hoc | case
    Column("status", String(12), nullable=False),  # convened | screened | approved | open | drafting | confirming | issued | called_off
    Column("planned_on", String(10), nullable=False),
    Column("held_on", String(10)),
    Column("place", String(120), nullable=False),
    Column("secretary", String(60), nullable=False),
    Column("convener", String(60)),  # who approved the agenda
    Column("invited", String(400), nullable=False),  # codes of the member units, blank between them
    Column("minutes_no", String(60)),
    Column("minutes_id", Id),
    Column("issued_on", String(10)),
    Index("ix_joint_meeting_status", "status", "planned_on"),
    info={"restorable": lambda put: put["status"] in ("convened", "screened", "approved")},  # until the sitting, only secretary and convener go by it
)

meeting_attendance = Table(
    "meeting_attendance",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("meeting_no", String(40), nullable=False),
    Column("unit", String(20)),  # of a member; a guest has none
    Column("staff", String(60)),
    Column("name", String(120), info=PERSONAL),
    Column("voting", Boolean, nullable=False),
    Column("present", Boolean, nullable=False),
    Column("changed_on", String(25)),  # moment of the last arrival or leaving
    Index("ix_meeting_attendance_no", "meeting_no"),
)

agenda_item = Table(
    "agenda_item",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("meeting_no", String(40), nullable=False),
    Column("position", Integer, nullable=False),
    Column("request_id", Id, nullable=False),
    Column("case_no", String(40), nullable=False),
    Column("household_id", Id, nullable=False),
    Column("status", String(12), nullable=False),  # listed | admitted | sent_back | announced | deferred | lapsed | dropped
    Column("presenter", String(60), info=PERSONAL),
    Column("again_reason", LargeBinary, info=SEALED),  # why a case that was studied before is studied again
    Column("sent_back_code", String(30)),
    Column("sent_back_reason", LargeBinary, info=SEALED),
    Column("motion", String(30), nullable=False),  # what is voted on
    Column("ballot", Integer, nullable=False),
    Column("votes_for", Integer),
    Column("votes_against", Integer),
    Column("abstain", Integer),
    Column("base", Integer),  # those whose votes counted
    Column("resolution", String(30)),
    Column("approved_category", String(30)),
    Column("approved_fen", BigInteger),
    Column("fixed", Boolean),
    Column("fixed_until", String(7)),
    Column("referred_to", String(200)),
    Column("review_on", String(10)),
    Column("discussion", LargeBinary, info=SEALED),
    Column("reasons", LargeBinary, info=SEALED),
    Column("conditions", LargeBinary, info=SEALED),
    Column("announced_on", String(10)),
    Column("announced_by", String(60)),
    Index("ix_agenda_item_no", "meeting_no", "position"),
    Index("ix_agenda_item_case_no", "case_no"),
    Index("ix_agenda_item_request_id", "request_id"),
    info={"restorable": lambda put: put["status"] == "admitted"},  # what goes back may be on another meeting's agenda by now
)

meeting_vote = Table(
    "meeting_vote",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("item_id", Id, nullable=False),
    Column("ballot", Integer, nullable=False),
    Column("unit", String(20), nullable=False),
    Column("staff", String(60), nullable=False),
    Column("choice", String(8), nullable=False),  # for | against | abstain
    Column("dissent", LargeBinary, info=SEALED),
    Column("entered_by", String(60), nullable=False),
    Column("paper", Boolean, nullable=False),
    Index("uq_meeting_vote", "item_id", "ballot", "unit", unique=True),
)

meeting_recusal = Table(
    "meeting_recusal",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("item_id", Id, nullable=False),
    Column("staff", String(60), nullable=False),
    Column("ground", String(20), nullable=False),
    Column("noted_by", String(60), nullable=False),
    Index("uq_meeting_recusal", "item_id", "staff", unique=True),
)

# What the meeting wants done besides: temporary assistance, referrals.
meeting_measure = Table(
    "meeting_measure",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("item_id", Id, nullable=False),
    Column("kind", String(24), nullable=False),
    Column("amount_fen", BigInteger),
    Column("by_whom", String(200)),
    Index("ix_meeting_measure_item_id", "item_id"),
)

# Every version of the minutes that was put to the units; the issued one is named by its meeting.
meeting_minutes = Table(
    "meeting_minutes",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("meeting_no", String(40), nullable=False),
    Column("version", Integer, nullable=False),
    Column("text", LargeBinary, info=SEALED),
    Column("generated", LargeBinary, info=SEALED),  # as the data gave it; where the text differs, a person changed the wording
    Column("edited", Boolean, nullable=False),
    Column("drafted_by", String(60), nullable=False),
    Column("drafted_on", String(10), nullable=False),
    Column("digest", String(64)),  # of the issued bytes
    Column("size", Integer),
    Index("ix_meeting_minutes_no", "meeting_no", "version"),
)

minutes_confirmation = Table(
    "minutes_confirmation",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("minutes_id", Id, nullable=False),
    Column("unit", String(20), nullable=False),
    Column("staff", String(60), nullable=False),
    Column("agrees", Boolean, nullable=False),
    Column("objection", LargeBinary, info=SEALED),
    Column("confirmed_on", String(10), nullable=False),
    Index("ix_minutes_confirmation_minutes_id", "minutes_id"),
)
