"""A real database (both kinds), a clock that tests move, and people with names."""

from __future__ import annotations

import base64
import contextlib
import gc
import glob
import multiprocessing
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
from sqlalchemy import event, util
from sqlalchemy.engine import make_url

from engine import guard
from engine import store as engine_store
from engine.crypto import Keys
from engine.model import SHANGHAI
from engine.office import Office
from engine.store import Store, metadata
from tests.kept import Servers, Shelf, mark_of

# A slow machine decides no test.
hypothesis.settings.register_profile("yingbao", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("yingbao")

NOTHING_SKIPPED = os.environ.get("YINGBAO_TEST_NOTHING_SKIPPED") == "1"
DATA_KEY = base64.b64encode(bytes(range(32))).decode()


_COMPILED: dict[str, tuple[Any, Any]] = {}  # by kind of database


def pytest_configure() -> None:
    """Here and not on import: the processes that tests kill read this file, too, and write as carefully as in an office."""
    engine_store._open = _opened_for_a_test
    if _MEMORY:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", _MEMORY)


def pytest_collection_finish() -> None:
    """What was loaded stays until the end: looking through it again and again for what may go took a twelfth of the time."""
    from processes import organisation
    from tests.district import CHEAP

    organisation._HASHER = CHEAP  # here and not on import, as above
    organisation._DUMMY = CHEAP.hash("no such person")
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


def _memory() -> str | None:
    """A folder in memory, where there is room enough: copying a database to a disk takes ten times as long."""
    shared = "/dev/shm"
    roomy = os.access(shared, os.W_OK) and min(shutil.disk_usage(shared).free, _free_memory()) > 6 << 30
    return shared if roomy else None


def _free_memory() -> int:
    with open("/proc/meminfo", encoding="ascii") as lines:
        return next((int(line.split()[1]) << 10 for line in lines if line.startswith("MemAvailable:")), 0)


_MEMORY = _memory()


def _opened_for_a_test(url: Any, *, sqlite: bool, guarded: bool, opened: Any = engine_store._open) -> Any:
    """Thousands of databases live for one test each: their engines share what SQLAlchemy compiled, and none waits for the disk."""
    made = opened(url, sqlite=sqlite, guarded=guarded)
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

    def set(self, text: str | datetime) -> None:
        moment = datetime.fromisoformat(text) if isinstance(text, str) else text
        self.now = moment if moment.tzinfo else moment.replace(tzinfo=SHANGHAI)

    def advance(self, **kind: int) -> None:
        self.now += timedelta(**kind)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="session")
def processes():
    """Children are forked from one process that has loaded everything and holds no database: a start costs milliseconds."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.engine.killed", "tests.engine.killed_worker", "tests.engine.reviewing"])
    return context


@pytest.fixture(scope="session")
def keys() -> Keys:
    return Keys(DATA_KEY)


@pytest.fixture(scope="session")
def postgres(servers):
    """The address of a PostgreSQL server of our own, started for this test run."""
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin/initdb"))
    if not found:
        missing("PostgreSQL")
    programs = pathlib.Path(found[-1]).parent
    # Not under pytest's own folder: another run as root closes that to the user postgres.
    folder = pathlib.Path(tempfile.mkdtemp(prefix="yingbao-pg-", dir=_MEMORY))
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
    servers.close()
    subprocess.run([*as_postgres, programs / "pg_ctl", "-D", data, "-m", "immediate", "stop"], **quiet)
    shutil.rmtree(folder, ignore_errors=True)


def stamped(settings: Any) -> None:
    """Says that a database of the tests, which no migration made, is of the newest schema: for commands that ask."""
    from alembic import command

    from processes import schema

    config, opened = schema._config(settings.database), Store(settings.database, guarded=False)
    with opened.engine.connect() as conn:
        config.attributes["connection"] = conn
        command.stamp(config, "head")
        conn.commit()
    opened.close()


def every_table() -> None:
    """All business tables join the metadata."""
    import processes.bureau  # noqa: F401


@pytest.fixture(scope="session")
def servers():
    made = Servers()
    yield made
    made.close()


@pytest.fixture(scope="session")
def shelf(tmp_path_factory, servers) -> Shelf:
    return Shelf(tmp_path_factory.mktemp("shelf"), servers)


@pytest.fixture(scope="session")
def pattern_files(tmp_path_factory, shelf):
    """SQLite files with all tables: "tables", and with people "district" and "room"; made once and copied."""
    every_table()
    made = tmp_path_factory.mktemp("pattern")
    kept, marks, file = {}, {}, made / "made.sqlite"

    def keep(name: str) -> None:
        kept[name] = made / f"{name}.sqlite"
        with sqlite3.connect(file) as conn:
            conn.execute("VACUUM INTO ?", (str(kept[name]),))
        conn.close()

    metadata_into(f"sqlite:///{file}")
    keep("tables")
    for name in PEOPLE:
        shutil.copyfile(kept["tables"], file)
        marks[name] = people_into(f"sqlite:///{file}", name, made, shelf)
        keep(name)
    return kept, marks


@pytest.fixture(scope="session")
def pattern_databases(postgres, servers, tmp_path_factory, shelf):
    """The same on our server: the database of all tables, and what is in each of them."""
    every_table()
    server, tables = make_url(f"{postgres}/postgres"), f"tables{uuid.uuid4().hex[:12]}"
    servers.say(server, f"CREATE DATABASE {tables}")
    metadata_into(f"{postgres}/{tables}")
    kept, marks = {"tables": servers.content(server, tables)}, {}
    for name in PEOPLE:
        lent = servers.lend(server, tables, kept["tables"])
        marks[name] = people_into(f"{postgres}/{lent}", name, tmp_path_factory.mktemp("pattern"), shelf)
        kept[name] = servers.content(server, lent)
        servers.take_back(server, lent)
    return kept, marks, tables


def metadata_into(url: str) -> None:
    opened = Store(url, guarded=False)
    metadata.create_all(opened.engine)
    with opened.engine.begin() as conn:
        guard.install(conn)
    opened.close()


PEOPLE = ("district", "room")  # the fixtures of these names begin with a copy of such a database


def kind_of(name: str) -> Any:
    from tests.district import District
    from tests.meeting_room import Room

    return {"district": District, "room": Room}[name]


def people_into(url: str, name: str, files: pathlib.Path, shelf: Shelf) -> str:
    """The people of tests/district.py, or of tests/meeting_room.py. Returns the mark of what was made."""
    from processes import bureau as bureaus
    from web.settings import Settings

    made = bureaus.build(Settings(database=url, secret_key="s" * 32, data_key=DATA_KEY, files=files), Clock())
    kind_of(name)(made, Clock())
    mark = shelf.know(made)
    made.office.store.close()
    return mark


@contextlib.contextmanager
def database(kind: str, tmp_path: pathlib.Path, request, *, pattern: str = ""):
    """The address of a database of the kind: empty, or with all "tables", or with people, too (PEOPLE)."""
    if kind == "sqlite":
        if pattern:
            shutil.copy(request.getfixturevalue("pattern_files")[0][pattern], tmp_path / "yingbao.sqlite")
        yield f"sqlite:///{tmp_path / 'yingbao.sqlite'}"
        return
    url, servers = make_url(f"{request.getfixturevalue('postgres')}/t{uuid.uuid4().hex[:12]}"), request.getfixturevalue("servers")
    if not pattern:
        servers.say(url, f"CREATE DATABASE {url.database}")
        yield str(url)
        servers.drop(url, url.database)
        return
    contents, _, tables = request.getfixturevalue("pattern_databases")
    url = url.set(database=servers.lend(url, tables, contents[pattern]))
    yield str(url)
    servers.take_back(url, url.database)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def db_url(request, tmp_path):
    pattern = next((name for name in (*PEOPLE, "store") if name in request.fixturenames), "").replace("store", "tables")
    with database(request.param, tmp_path, request, pattern=pattern) as url:
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


def peopled(name: str, bureau: Any, clock: Clock, shelf: Shelf, request: Any) -> Any:
    patterns = request.getfixturevalue("pattern_files" if bureau.office.store.sqlite else "pattern_databases")
    assert (mark_of(bureau), clock.now) == (patterns[1][name], Clock().now), f"the {name} comes first"
    made = kind_of(name)(bureau, clock, filled=True)
    if "monkeypatch" not in request.fixturenames:  # what is patched may change the road
        made.shelf = shelf
    return made


@pytest.fixture
def district(bureau, clock, shelf, request):
    """A street with people of every post and one household: see tests/district.py."""
    return peopled("district", bureau, clock, shelf, request)


@pytest.fixture
def room(bureau, clock, shelf, request):
    """The district with the people of the joint meeting: see tests/meeting_room.py."""
    return peopled("room", bureau, clock, shelf, request)
