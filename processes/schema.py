"""The database's schema: one Alembic history for engine and business tables."""

from __future__ import annotations

from importlib import resources

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

from engine import guard
from engine.crypto import Keys
from engine.errors import EngineError
from engine.store import Store


class OldSchema(EngineError):
    """The database is not of this version; run `yingbao upgrade`."""


def _config(url: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(resources.files("processes") / "migrations"))
    config.attributes["url"] = url
    return config


def upgrade(url: str, keys: Keys | None = None) -> None:
    """The newest tables, and the guard on the record. The one place that changes tables, hence without the guard. `keys`: for
    columns that were in clear and are sealed now; an empty database needs none. One transaction: whatever stops it, the database
    is as it was, and may be upgraded again."""
    store = Store(url, guarded=False)  # sets the pragmas of a new SQLite file
    config = _config(url)
    try:
        with store.write() as conn:
            config.attributes |= {"connection": conn, "keys": keys}
            command.upgrade(config, "head")
            guard.install(conn)
    finally:
        store.close()


def refuse_old(url: str) -> None:
    """Raises OldSchema where the database is not of the newest migration."""
    engine = create_engine(url)
    with engine.connect() as conn:
        current = MigrationContext.configure(conn).get_current_revision()
    engine.dispose()
    if current != ScriptDirectory.from_config(_config(url)).get_current_head():
        raise OldSchema("数据库版本不符，请先运行 yingbao upgrade / the database is not of this version, run `yingbao upgrade`")
