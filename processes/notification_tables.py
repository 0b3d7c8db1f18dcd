"""Rows of the notifications: where a resident wants to hear from us, what was and is to be sent, and when a worker last looked at his inbox."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, LargeBinary, String, Table, Text

from engine.store import Id, Utc, metadata
from processes.tables import SEALED

# One of a household's record: a member who agreed to be told. Ended when he no longer wants it.
notification_contact = Table(
    "notification_contact",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("household_id", Id, nullable=False),
    Column("person_id", Id, nullable=False),
    Column("channel", String(8), nullable=False),  # sms | email
    Column("address", LargeBinary, info=SEALED),
    Column("lang", String(2), nullable=False),
    Column("active", Boolean, nullable=False),
    Column("agreed_on", String(10), nullable=False),
    Column("recorded_by", String(60), nullable=False),
    Column("ended_on", String(10)),
    Column("ended_by", String(60)),
    Index("ix_notification_contact_household_id", "household_id", "active"),
)

# The outbox: no text, but what it is made of (a whitelist) and its digest.
notification = Table(
    "notification",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("dedupe_key", String(80), nullable=False),
    Column("household_id", Id, nullable=False),
    Column("contact_id", Id, nullable=False),
    Column("street", String(20), nullable=False),
    Column("channel", String(8), nullable=False),
    Column("event", String(20), nullable=False),
    Column("lang", String(2), nullable=False),
    Column("content", Text, nullable=False),  # JSON: name of the whitelist -> text
    Column("digest", String(64), nullable=False),  # sha256 of the text
    Column("state", String(8), nullable=False),  # waiting | sent | refused | dropped
    Column("made_on", String(10), nullable=False),
    Column("made_at", String(32), nullable=False),
    Column("sent_at", String(32)),
    Column("receipt", String(60)),
    Column("why", String(40)),
    Index("uq_notification_dedupe_key", "dedupe_key", unique=True),
    Index("ix_notification_made_on", "made_on"),
    Index("ix_notification_household_id", "household_id"),
)

inbox_seen = Table(  # a convenience of a worker's own, in no record
    "inbox_seen",
    metadata,
    Column("staff", String(60), primary_key=True),
    Column("at", Utc, nullable=False),
)
