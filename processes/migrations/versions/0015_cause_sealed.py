"""致困原因 tells of health (因病, 因残, or whatever an imported list says): sealed like health from here on."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import context, op

from engine.errors import EngineError

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    conn = op.get_bind()
    known = conn.execute(sa.text("SELECT id, hardship_cause FROM household WHERE hardship_cause IS NOT NULL")).all()
    keys = context.config.attributes.get("keys")
    if known and keys is None:
        raise EngineError("库中有未加密的致困原因而没有密钥，请用 yingbao upgrade 升级 / causes of hardship in clear, and no key to seal them: run `yingbao upgrade`")
    if known and not keys.fit(conn):
        raise EngineError("YINGBAO_DATA_KEY 不是这个数据库的密钥，没有作任何改动 / not the key of this database: nothing was changed")
    op.drop_column("household", "hardship_cause")
    op.add_column("household", sa.Column("hardship_cause", sa.LargeBinary(), nullable=True))
    sealing = sa.text("UPDATE household SET hardship_cause = :sealed WHERE id = :id")
    for row in known:
        conn.execute(sealing, {"id": row.id, "sealed": keys.seal_field("household", "hardship_cause", row.id, row.hardship_cause)})


def downgrade() -> None:
    raise NotImplementedError("the record is only ever added to: restore a backup instead")
