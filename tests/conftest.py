"""A real database (both kinds), a clock that tests move, and people with names."""

from __future__ import annotations

import base64
import contextlib
import glob
import os
import pathlib
import shutil
import socket
import sqlite3
import subprocess
import tempfile
import uuid
from datetime import datetime, timedelta
from typing import Any

import hypothesis
import pytest
from sqlalchemy import create_engine, event, text, util

from engine import store as engine_store
from engine.crypto import Keys
from engine.model import SHANGHAI
from engine.office import Office
from engine.store import Store, metadata

# A slow machine decides no test.
hypothesis.settings.register_profile("yingbao", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("yingbao")

NOTHING_SKIPPED = os.environ.get("YINGBAO_TEST_NOTHING_SKIPPED") == "1"
DATA_KEY = base64.b64encode(bytes(range(32))).decode()


_COMPILED: dict[str, tuple[Any, Any]] = {}  # by kind of database


def pytest_configure() -> None:
    """Here and not on import: the processes that tests kill read this file, too, and write as carefully as in an office."""
    engine_store._open = _opened_for_a_test


def _opened_for_a_test(url: Any, *, sqlite: bool, opened: Any = engine_store._open) -> Any:
    """Thousands of databases live for one test each: their engines share what SQLAlchemy compiled, and none waits for the disk."""
    made = opened(url, sqlite=sqlite)
    if sqlite:
        event.listen(made, "connect", lambda connection, _: connection.execute("PRAGMA synchronous=OFF"))
    if made.dialect.name not in _COMPILED:
        with made.connect():
            pass  # the first connection tells the dialect what the server can do
        _COMPILED[made.dialect.name] = (made.dialect, util.LRUCache(5000))
    made.dialect, made._compiled_cache = _COMPILED[made.dialect.name]
    return made


def missing(what: str) -> None:
    """Skip with the reason; in CI nothing may be missing."""
    if NOTHING_SKIPPED:
        pytest.fail(f"{what} is missing, and nothing may be skipped here")
    pytest.skip(f"{what} is not installed")


class Clock:
    """The time of a test: stands still until it is moved."""

    def __init__(self, text: str = "2018-12-03T09:00") -> None:
        self.set(text)

    def set(self, text: str) -> None:
        moment = datetime.fromisoformat(text)
        self.now = moment if moment.tzinfo else moment.replace(tzinfo=SHANGHAI)

    def advance(self, **kind: int) -> None:
        self.now += timedelta(**kind)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="session")
def keys() -> Keys:
    return Keys(DATA_KEY)


@pytest.fixture(scope="session")
def postgres():
    """The address of a PostgreSQL server of our own, started for this test run."""
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin/initdb"))
    if not found:
        missing("PostgreSQL")
    programs = pathlib.Path(found[-1]).parent
    # Not under pytest's own folder: another run as root closes that to the user postgres.
    folder = pathlib.Path(tempfile.mkdtemp(prefix="yingbao-pg-"))
    as_postgres = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    if as_postgres:
        shutil.chown(folder, "postgres")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    data = str(folder / "data")
    quiet = {"check": True, "stdout": subprocess.DEVNULL, "cwd": "/"}
    subprocess.run([*as_postgres, programs / "initdb", "-D", data, "-A", "trust", "-U", "yingbao", "-E", "UTF8", "--no-sync"], **quiet)
    settings = {
        "port": port, "listen_addresses": "127.0.0.1", "unix_socket_directories": "''", "max_connections": 200,
        "autovacuum": "off",  # plans must not hang on when somebody analyses
        "jit": "off", "wal_level": "minimal", "max_wal_senders": 0,
        "fsync": "off", "synchronous_commit": "off", "full_page_writes": "off",  # processes are killed here, never the server
    }  # fmt: skip
    options = " ".join(f"-c {name}={value}" for name, value in settings.items())
    subprocess.run([*as_postgres, programs / "pg_ctl", "-D", data, "-w", "-l", str(folder / "log"), "-o", options, "start"], **quiet)
    yield f"postgresql+psycopg://yingbao@127.0.0.1:{port}"
    subprocess.run([*as_postgres, programs / "pg_ctl", "-D", data, "-m", "immediate", "stop"], **quiet)
    shutil.rmtree(folder, ignore_errors=True)


def every_table() -> None:
    """All business tables join the metadata."""
    import processes.bureau  # noqa: F401


@pytest.fixture(scope="session")
def pattern_file(tmp_path_factory):
    """A SQLite file with all tables, made once and copied."""
    every_table()
    made, kept = (tmp_path_factory.mktemp("pattern") / name for name in ("made.sqlite", "kept.sqlite"))
    opened = Store(f"sqlite:///{made}")
    metadata.create_all(opened.engine)
    opened.close()
    with sqlite3.connect(made) as conn:
        conn.execute("VACUUM INTO ?", (str(kept),))
    return kept


@pytest.fixture(scope="session")
def pattern_database(postgres):
    """The name of a database with all tables on our server, made once: a copy is quicker than making them."""
    every_table()
    name = f"pattern{uuid.uuid4().hex[:12]}"
    with server_of(postgres) as conn:
        conn.execute(text(f"CREATE DATABASE {name}"))
    opened = Store(f"{postgres}/{name}")
    metadata.create_all(opened.engine)
    opened.close()
    return name


@contextlib.contextmanager
def server_of(address: str):
    admin = create_engine(f"{address}/postgres", isolation_level="AUTOCOMMIT")
    with admin.connect() as conn:
        yield conn
    admin.dispose()


@contextlib.contextmanager
def database(kind: str, tmp_path: pathlib.Path, request, *, tables: bool = False):
    """The address of a database of the kind: empty, or with all `tables`."""
    if kind == "sqlite":
        if tables:
            shutil.copy(request.getfixturevalue("pattern_file"), tmp_path / "yingbao.sqlite")
        yield f"sqlite:///{tmp_path / 'yingbao.sqlite'}"
        return
    server = request.getfixturevalue("postgres")
    name = f"t{uuid.uuid4().hex[:12]}"
    pattern = f" TEMPLATE {request.getfixturevalue('pattern_database')} STRATEGY FILE_COPY" if tables else ""
    admin = create_engine(f"{server}/postgres", isolation_level="AUTOCOMMIT")
    with admin.connect() as conn:
        conn.execute(text(f"CREATE DATABASE {name}{pattern}"))
    yield f"{server}/{name}"
    with admin.connect() as conn:
        conn.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def db_url(request, tmp_path):
    with database(request.param, tmp_path, request, tables="store" in request.fixturenames) as url:
        yield url


@pytest.fixture
def store(db_url):
    opened = Store(db_url)
    yield opened
    opened.close()


@pytest.fixture
def office(store, keys, clock) -> Office:
    return Office(store, keys, clock, origin="yingbao/test")


@pytest.fixture
def settings(db_url, tmp_path):
    from web.settings import Settings

    return Settings(database=db_url, secret_key="s" * 32, data_key=DATA_KEY, files=tmp_path / "files", registry="http://127.0.0.1:9")


@pytest.fixture
def bureau(store, settings, clock):
    """A district office on an empty database of each kind."""
    from processes import bureau as bureaus

    made = bureaus.build(settings, clock)
    made.jobs.real_clock = clock
    yield made
    made.office.store.close()


@pytest.fixture
def district(bureau, clock):
    """A street with people of every post and one household: see tests/district.py."""
    from tests.district import District

    return District(bureau, clock)
