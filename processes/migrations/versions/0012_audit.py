"""Place of the migration that another branch brings."""

from __future__ import annotations

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing here."""


def downgrade() -> None:
    raise NotImplementedError("the record is only ever added to: restore a backup instead")
