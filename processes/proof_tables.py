"""What was decided about the record itself: differences that were accepted, people whose data were restricted or erased."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, LargeBinary, String, Table

from engine.store import Id, metadata

_SEALED = {"personal": True, "sealed": True}

divergence = Table(
    "divergence",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("case_id", Id, nullable=False),
    Column("case_no", String(40), nullable=False),
    Column("result", String(10), nullable=False),  # different | cannot
    Column("entry", Integer),  # where
    Column("mark", String(64), nullable=False),  # engine.proof.Verdict.mark: this difference and no other
    Column("reason", LargeBinary, info=_SEALED),
    Column("state", String(10), nullable=False),  # proposed | accepted | refused
    Column("proposed_by", String(60), nullable=False),
    Column("proposed_on", String(10), nullable=False),
    Column("settled_by", String(60)),
    Column("settled_on", String(10)),
    Index("ix_divergence_case_id", "case_id"),
)

erasure = Table(
    "erasure",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("subject", String(40), nullable=False),
    Column("state", String(10), nullable=False),  # restricted | lifted | proposed | refused | erased
    Column("reason", String(40), nullable=False),  # code: request | retention_over | wrong_person
    Column("asked_by", String(60), nullable=False),
    Column("asked_on", String(10), nullable=False),
    Column("decided_by", String(60)),
    Column("decided_on", String(10)),
    Column("keep_until", String(10)),  # first day after the retention
    Index("ix_erasure_subject", "subject"),
)
