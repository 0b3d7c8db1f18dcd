"""Alembic's entry: runs on the connection that `processes.schema` hands over."""

from alembic import context

import processes.account_tables
import processes.accountability_tables
import processes.benefit_act_tables
import processes.benefit_tables
import processes.case_tables
import processes.finding_tables
import processes.meeting_tables
import processes.payment_tables
import processes.proof_tables
import processes.tables  # noqa: F401
from engine.store import metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata, render_as_batch=True, compare_type=False)
with context.begin_transaction():
    context.run_migrations()
