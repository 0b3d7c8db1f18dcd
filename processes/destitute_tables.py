"""Rows of the support of the destitute: what was found about a person for the three conditions, and his assessments of self-care."""

from __future__ import annotations

from sqlalchemy import Column, Index, LargeBinary, String, Table

from engine.store import Id, metadata
from processes.tables import SEALED

# Both are health and family of somebody: sealed whole. Circumstances are owned by the household's record, self-care by the case's; the
# latest of a case and kind counts.
destitute_finding = Table(
    "destitute_finding",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("case_no", String(40), nullable=False),
    Column("household_id", Id, nullable=False),
    Column("person_id", Id, nullable=False),
    Column("kind", String(20), nullable=False),  # circumstances | self_care
    Column("found_on", String(10), nullable=False),
    Column("said", LargeBinary, info=SEALED),  # JSON: the form's answers that the test reads
    Index("ix_destitute_finding_case_no", "case_no", "kind"),
    Index("ix_destitute_finding_person_id", "person_id"),
)
