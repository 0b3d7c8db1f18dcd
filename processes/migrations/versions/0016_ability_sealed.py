"""劳动能力 tells of health (部分丧失, 完全丧失): sealed like disability and illness from here on."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import context, op

from engine.errors import EngineError

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    conn = op.get_bind()
    known = conn.execute(sa.text("SELECT id, labour_ability FROM person WHERE labour_ability IS NOT NULL")).all()
    keys = context.config.attributes.get("keys")
    if known and keys is None:
        raise EngineError("库中有未加密的劳动能力而没有密钥，请用 yingbao upgrade 升级 / labour ability in clear, and no key to seal it: run `yingbao upgrade`")
    if known and not keys.fit(conn):
        raise EngineError("YINGBAO_DATA_KEY 不是这个数据库的密钥，没有作任何改动 / not the key of this database: nothing was changed")
    op.drop_column("person", "labour_ability")
    op.add_column("person", sa.Column("labour_ability", sa.LargeBinary(), nullable=True))
    if known:
        sealing = sa.text("UPDATE person SET labour_ability = :sealed WHERE id = :id")
        conn.execute(sealing, [{"id": row.id, "sealed": keys.seal_field("person", "labour_ability", row.id, row.labour_ability)} for row in known])


def downgrade() -> None:
    raise NotImplementedError("the record is only ever added to: restore a backup instead")
