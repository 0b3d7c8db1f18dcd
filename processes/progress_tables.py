"""Rows of 作战进度 and 总结报告: each report is a record of its own, with every time that it was handed in and what it said then."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, Integer, LargeBinary, String, Table, Text

from engine.store import Id, metadata
from processes.tables import SEALED

TEXTS = ("progress", "good_practice", "difficulties", "suggestions")


def _texts() -> list[Column[bytes]]:
    return [Column(name, LargeBinary, info=SEALED) for name in TEXTS]


progress_report = Table(
    "progress_report",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("campaign_id", Id, nullable=False),
    Column("kind", String(10), nullable=False),  # progress | summary
    Column("unit", String(20), nullable=False),
    Column("period", Integer, nullable=False),  # 1, 2, …; 0 of a summary
    Column("state", String(10), nullable=False),  # due (reminded or late, nothing written) | draft | submitted | returned | accepted
    *_texts(),
    Column("drafted_by", String(60)),
    Column("drafted_on", String(10)),
    Column("times", Integer, nullable=False),  # how often it was handed in
    Column("first_on", String(10)),  # the day on which it was handed in first, and last
    Column("submitted_on", String(10)),
    Column("submitted_by", String(60)),
    Column("late", Boolean, nullable=False),  # handed in after its moment, or again after the day set for it
    Column("again_on", String(10)),  # until when a returned one is handed in again
    Column("reminded_on", String(10)),
    Column("late_on", String(10)),  # the day on which the daily sweep found it missing
    Index("ix_progress_report_campaign_id", "campaign_id", "kind", "period", "unit", unique=True),
)

progress_submission = Table(
    "progress_submission",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("report_id", Id, nullable=False),
    Column("no", Integer, nullable=False),
    Column("since", String(10), nullable=False),  # first day of the increment
    Column("as_of", String(10), nullable=False),  # last day that the figures count
    Column("snapshot_id", Id, nullable=False),  # of the ledger: who was counted, and what has changed since the one before
    Column("figures", Text, nullable=False),  # JSON, frozen: see progress_reports.figures
    *_texts(),
    Column("submitted_by", String(60), nullable=False),
    Column("submitted_on", String(10), nullable=False),
    Column("submitted_at", String(40), nullable=False),  # UTC
    Column("late", Boolean, nullable=False),
    Column("outcome", String(10)),  # accepted | returned
    Column("reason", LargeBinary, info=SEALED),
    Column("judged_by", String(60)),
    Column("judged_on", String(10)),
    Index("ix_progress_submission_report_id", "report_id", "no", unique=True),
)

progress_annex = Table(
    "progress_annex",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("report_id", Id, nullable=False),
    Column("no", Integer, nullable=False),  # of the submission
    Column("annex", Integer, nullable=False),  # 1 | 2
    Column("as_of", String(10), nullable=False),
    Column("rows", Integer, nullable=False),
    Column("size", Integer, nullable=False),  # bytes
    Column("sha256", String(64), nullable=False),  # of the bytes
    Column("content", LargeBinary, info=SEALED),  # the workbook as issued, in base64
    Index("ix_progress_annex_report_id", "report_id", "no", "annex", unique=True),
)
