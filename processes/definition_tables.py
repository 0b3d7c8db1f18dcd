"""Rows of what is deployed beside the program's own drawings, tables and law; and of cases moved to another drawing."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, String, Table, Text

from engine.store import Id, metadata

definition = Table(  # a version that one person proposes and another puts in force; owned by a record of its own
    "definition",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("kind", String(10), nullable=False),  # drawing | table | law
    Column("key", String(60), nullable=False),  # the process, the table, the law file
    Column("digest", String(64), nullable=False),  # under which its text is kept in drawing, decision_table or law
    Column("before", String(64), nullable=False),  # the version that it was proposed to follow
    Column("reason", Text, nullable=False),
    Column("state", String(10), nullable=False),  # proposed | confirmed | withdrawn
    Column("from_on", String(10)),  # its first day
    Column("proposed_by", String(60), nullable=False),
    Column("proposed_on", String(10), nullable=False),
    Column("settled_by", String(60)),  # who confirmed or withdrew it
    Column("settled_on", String(10)),
    Index("ix_definition_state", "state", "kind", "key"),
)

case_migration = Table(  # running cases of one process put from one drawing on another, by two persons
    "case_migration",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("process", String(60), nullable=False),
    Column("here", String(64), nullable=False),
    Column("there", String(64), nullable=False),
    Column("ground", Text, nullable=False),  # the legal ground
    Column("state", String(10), nullable=False),  # proposed | confirmed | withdrawn
    Column("cases", Integer, nullable=False),
    Column("can", Integer, nullable=False),
    Column("proposed_by", String(60), nullable=False),
    Column("proposed_on", String(10), nullable=False),
    Column("settled_by", String(60)),
    Column("settled_on", String(10)),
)

case_migration_item = Table(
    "case_migration_item",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("migration_id", Id, nullable=False),
    Column("case_id", Id, nullable=False),
    Column("case_no", String(40), nullable=False),
    Column("unit", String(20), nullable=False),
    Column("state", String(10), nullable=False),  # waits | moved | stays
    Column("why", Text, nullable=False),  # JSON: what keeps it where it is, [{node, zh, en}]
    Column("moved_on", String(10)),
    Index("ix_case_migration_item_migration_id", "migration_id", "case_id"),
)
