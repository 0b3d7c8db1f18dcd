"""The engine's tables and how a database is opened. Statements stand with those who need them.

`entry` is the record: rows are added, never changed. `record` holds the head of each record and, for a case, where
its tokens stand; `task` and `job` are what the entries of cases add up to.
"""

from __future__ import annotations

import fcntl
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    DateTime,
    Engine,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    and_,
    create_engine,
    event,
    func,
    literal_column,
    select,
    text,
)
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError

from engine import guard, postgres, prepared
from engine.prepared import Prepared

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class Utc(TypeDecorator[datetime]):
    """Aware times in, aware times out: SQLite forgets the zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> datetime | None:
        return value and value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Any) -> datetime | None:
        return value and value.replace(tzinfo=UTC) if value is None or value.tzinfo is None else value.astimezone(UTC)


Id = BigInteger().with_variant(Integer, "sqlite")

drawing = Table(
    "drawing",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("key", String(60), nullable=False),
    Column("xml", LargeBinary, nullable=False),
)

decision_table = Table(  # texts of decision tables, as entries name them
    "decision_table",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("key", String(40), nullable=False),
    Column("xml", LargeBinary, nullable=False),
)

law = Table(  # each text of the dated law that an entry names, as it was: what was computed by it can be computed again
    "law",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("text", LargeBinary, nullable=False),
)

record = Table(
    "record",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("kind", String(20), nullable=False),
    Column("unit", String(20), nullable=False),
    Column("seq", Integer, nullable=False, default=0),
    Column("head", String(64), nullable=False),
    Column("rows", Integer, nullable=False, default=0),  # how many row ids it has given out
    Column("subject", String(40)),  # whose personal data its opinions hold
    # what follows is for cases only
    Column("no", String(40), unique=True),
    Column("process", String(60)),
    Column("drawing", String(64), ForeignKey("drawing.digest")),
    Column("state", LargeBinary),
    Column("opened_at", Utc),
    Column("opened_by", String(60)),
    Column("closed_at", Utc),
    Column("outcome", String(60)),  # the end event that closed it
    Index("ix_record_kind_unit", "kind", "unit"),
    Index("ix_record_subject", "subject"),
    Index("ix_record_opened_by", "opened_by", sqlite_where=text("closed_at IS NULL"), postgresql_where=text("closed_at IS NULL")),
)

entry = Table(
    "entry",
    metadata,
    Column("record_id", Id, ForeignKey("record.id"), primary_key=True),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("body", LargeBinary, nullable=False),
    Column("leaf", String(64), nullable=False),
)

payload = Table(
    "payload",
    metadata,
    Column("record_id", Id, primary_key=True, autoincrement=False),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("subject", String(40), primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
)

# -- the tree over all entries (engine/sealing.py). A row of `pending` is there exactly when its entry is committed and not sealed yet;
# a trigger puts it there (engine/guard.py), the sequencer takes it away.

pending = Table(
    "pending",
    metadata,
    Column("record_id", Id, primary_key=True, autoincrement=False),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("since", BigInteger, nullable=False),  # real clock, POSIX seconds
)

leaf = Table(
    "leaf",
    metadata,
    Column("leaf_index", Id, primary_key=True, autoincrement=False),
    Column("record_id", Id, nullable=False),
    Column("seq", Integer, nullable=False),
    Column("hash", LargeBinary, nullable=False),  # made anew from the stored bytes, with the suite of the tree
    Index("uq_leaf", "record_id", "seq", unique=True),
)

node = Table(  # full subtrees of 256, 65,536 … leaves; the levels between are made anew when they are asked for
    "node",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),  # level * 2**48 + index
    Column("hash", LargeBinary, nullable=False),
)

checkpoint = Table(
    "checkpoint",
    metadata,
    Column("tree_size", Id, primary_key=True, autoincrement=False),
    Column("root", LargeBinary, nullable=False),
    Column("note", Text, nullable=False),  # C2SP signed note
    Column("at", Utc, nullable=False),  # real clock
)

cosignature = Table(
    "cosignature",
    metadata,
    Column("tree_size", Id, primary_key=True, autoincrement=False),
    Column("witness", String(120), primary_key=True),
    Column("line", Text, nullable=False),
)

subject_key = Table(
    "subject_key",
    metadata,
    Column("subject", String(40), primary_key=True),
    Column("wrapped", LargeBinary, nullable=False),
)

task = Table(
    "task",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("case_id", Id, ForeignKey("record.id"), nullable=False),
    Column("key", String(70), nullable=False),
    Column("node", String(60), nullable=False),
    Column("role", String(30), nullable=False),
    Column("unit", String(20), nullable=False),
    Column("assignee", String(60)),
    Column("owner", String(60)),  # who delegated it to the assignee
    Column("until_on", String(10)),  # the last day of that delegation; then it goes back to the owner
    Column("opened_at", Utc, nullable=False),
    Column("due_on", String(10)),
    Column("priority", Integer, nullable=False, default=0),
    Column("state", String(10), nullable=False, default="open"),  # open | done | withdrawn
    Column("closed_at", Utc),
    Column("done_by", String(60)),
    Column("done_for", String(60)),  # whom that person stood in for, or who had delegated the task: he counts as having acted, too
    Column("flags", String(60), nullable=False, default=""),  # words: returned, escalated, late, countersign, taken_back, unmanned
    Column("version", Integer, nullable=False, default=1),
)

# Only what is searched stands in an index: each of them is written again with every task that opens or closes.
# A case's tasks need none, their ids begin with the case's (`tasks_of`).
is_open = task.c.state == literal_column("'open'")  # written out, or a partial index is not used
by_due = func.coalesce(task.c.due_on, literal_column("'9999-12-31'"))  # what has no deadline comes last
is_free = and_(is_open, task.c.assignee.is_(None))
Index("ix_task_worklist", task.c.role, task.c.unit, task.c.priority.desc(), by_due, task.c.id, sqlite_where=is_free, postgresql_where=is_free)
_claimed = and_(is_open, task.c.assignee.is_not(None))
Index("ix_task_assignee", task.c.assignee, task.c.due_on, sqlite_where=_claimed, postgresql_where=_claimed)
_done = task.c.done_by.is_not(None)
# What falls due in order of days, whoever has it: for the sweep of late work, the board, the calendar page.
Index("ix_task_due", task.c.due_on, task.c.id, sqlite_where=is_open, postgresql_where=is_open)
_lent = task.c.until_on.is_not(None)  # hardly any: the index costs nothing
Index("ix_task_until", task.c.until_on, sqlite_where=_lent, postgresql_where=_lent)
Index("ix_task_done_by", task.c.done_by, task.c.closed_at, sqlite_where=_done, postgresql_where=_done)
_owned = task.c.owner.is_not(None)
Index("ix_task_owner", task.c.owner, sqlite_where=_owned, postgresql_where=_owned)
_flagged = task.c.flags != literal_column("''")
Index("ix_task_flagged", task.c.role, task.c.unit, sqlite_where=and_(is_open, _flagged), postgresql_where=and_(is_open, _flagged))


def flagged(word: str) -> ColumnElement[bool]:
    """Tasks with this word among their flags: the whole word, for "late" stands inside of "escalated"."""
    return and_(_flagged, (literal_column("' '") + task.c.flags + literal_column("' '")).contains(f" {word} "))


def tasks_of(case_id: Any) -> ColumnElement[bool]:
    """The tasks of a case, as a range of the primary key: a task's id is given out by its case's record."""
    return of_tasks(task.c.id, case_id)


def of_tasks(task_id: ColumnElement[int], case_id: Any) -> ColumnElement[bool]:
    """Whether an id is that of a task of a case."""
    return task_id.between(case_id * 65536, case_id * 65536 + 65535)


draft = Table(
    "draft",
    metadata,
    Column("task_id", Id, primary_key=True, autoincrement=False),
    Column("staff", String(60), primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
    Column("saved_at", Utc, nullable=False),
)

# -- what people do around a task (engine/habits.py). Rows of the case's record, but for the last two, which no record holds.

_SEALED = {"personal": True, "sealed": True}

task_signer = Table(
    "task_signer",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("task_id", Id, nullable=False),
    Column("kind", String(6), nullable=False),  # before | after the task is handed in
    Column("staff", String(60), nullable=False),
    Column("state", String(10), nullable=False),  # asked | agreed | disagreed | withdrawn
    Column("round", Integer, nullable=False),  # handed in for the n-th time
    Column("asked_by", String(60), nullable=False),
    Column("asked_on", String(10), nullable=False),
    Column("question", LargeBinary, info=_SEALED),
    Column("answered_on", String(10)),
    Column("words", LargeBinary, info=_SEALED),
    Index("ix_task_signer_task_id", "task_id"),
    Index("ix_task_signer_staff_state", "staff", "state"),
)

held = Table(  # what was handed in and waits for its signers
    "held",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("task_id", Id, nullable=False),
    Column("staff", String(60), nullable=False),
    Column("on_behalf_of", String(60)),
    Column("answers", LargeBinary, info=_SEALED),  # JSON, as it was typed
    Column("state", String(10), nullable=False),  # held | applied | returned
    Index("ix_held_task_id", "task_id"),
)

urge = Table(
    "urge",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("task_id", Id, nullable=False),
    Column("staff", String(60), nullable=False),
    Column("urged_on", String(10), nullable=False),
    Index("ix_urge_task_id", "task_id"),
)

case_copy = Table(
    "case_copy",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("case_id", Id, nullable=False),
    Column("task_id", Id, nullable=False),
    Column("staff", String(60), nullable=False),
    Column("sent_by", String(60), nullable=False),
    Column("sent_on", String(10), nullable=False),
    Column("read_on", String(10)),
    Index("ix_case_copy_case_id", "case_id"),
    Index("ix_case_copy_staff", "staff", "task_id"),
)

case_comment = Table(
    "case_comment",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("case_id", Id, nullable=False),
    Column("task_id", Id),
    Column("staff", String(60), nullable=False),
    Column("said_at", String(32), nullable=False),
    Column("text", LargeBinary, info=_SEALED),
    Index("ix_case_comment_case_id", "case_id"),
)

case_note = Table(  # working notes of those who handle a case: not in the record, never in the file
    "case_note",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("case_id", Id, nullable=False),
    Column("staff", String(60), nullable=False),
    Column("at", Utc, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Index("ix_case_note_case_id", "case_id"),
)

task_seen = Table(  # who opened a task that he could have done: from then on the step before is not taken back
    "task_seen",
    metadata,
    Column("task_id", Id, primary_key=True, autoincrement=False),
    Column("staff", String(60), primary_key=True),
    Column("at", Utc, nullable=False),
)

_signer_words = task_signer.c.staff + ":" + task_signer.c.kind + ":" + task_signer.c.state
# "rita:before:agreed lee:after:asked": read with the task, for it decides who may do what (engine/signers.py)
signers = (
    select(func.aggregate_strings(_signer_words, " ")).where(task_signer.c.task_id == task.c.id).correlate(task).scalar_subquery().label("signers")
)

request_key = Table(
    "request_key",
    metadata,
    Column("actor", String(60), primary_key=True),
    Column("key", String(100), primary_key=True),
    Column("body", String(64), nullable=False),
    Column("answer", Text, nullable=False),
    Column("at", Utc, nullable=False),
)

job = Table(
    "job",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("kind", String(30), nullable=False),
    Column("record_id", Id, nullable=False),
    Column("key", String(80), nullable=False),
    Column("due_at", Utc, nullable=False),  # business clock
    Column("state", String(10), nullable=False, default="ready"),  # ready | running | done | dropped | incident | cancelled
    Column("attempts", Integer, nullable=False, default=0),  # how often it failed
    Column("retry_at", Utc),  # real clock; of an incident: when it became one, by the business clock
    Column("lease_until", Utc),  # real clock
    Column("token", String(32)),
    Column("data", Text, nullable=False, default="{}"),
    Column("error", Text),
    Index("uq_job", "record_id", "kind", "key", unique=True),
)
is_ready, is_running = job.c.state == literal_column("'ready'"), job.c.state == literal_column("'running'")
is_incident = job.c.state == literal_column("'incident'")
# What is done, which is most, stands in none of them.
Index("ix_job_ready", job.c.due_at, job.c.id, sqlite_where=is_ready, postgresql_where=is_ready)
Index("ix_job_running", job.c.lease_until, sqlite_where=is_running, postgresql_where=is_running)
Index("ix_job_incident", job.c.id, sqlite_where=is_incident, postgresql_where=is_incident)

setting = Table(
    "setting",
    metadata,
    Column("name", String(60), primary_key=True),
    Column("value", Text, nullable=False),
)

WAIT, POLL = 10, 0.001  # seconds: for the one writer of a SQLite file; between two looks
_write_lock = threading.RLock()  # one writer per SQLite process: waiting here is fair, waiting in SQLite is not
_PATIENCE, _NAP = 10.0, 0.0003  # seconds


class _Turn:
    """Writers of a SQLite file, in whatever process, take turns. SQLite itself lets them sleep longer and longer, so that
    a busy worker beside the server would keep people out. Whoever waits holds the first lock, and whoever has just
    written must queue for it like everybody: nobody is overtaken twice. Only politeness: the guard is BEGIN IMMEDIATE,
    and whoever has waited long enough goes on to it."""

    def __init__(self, file: str) -> None:
        self._names, self._files, self._process = (f"{file}-next", f"{file}-turn"), list[int](), 0
        self._mine = False

    @contextmanager
    def taken(self) -> Iterator[None]:
        """By the one thread of this process that writes; it may take it again inside."""
        if self._mine:
            yield
            return
        waiting, writing = self._opened()
        until = time.monotonic() + _PATIENCE
        _lock(waiting, until)
        try:
            _lock(writing, until)
        finally:
            fcntl.flock(waiting, fcntl.LOCK_UN)
        self._mine = True
        try:
            yield
        finally:
            self._mine = False
            fcntl.flock(writing, fcntl.LOCK_UN)

    def _opened(self) -> list[int]:
        """A forked child has files of its own: a lock belongs to all who share an opened file."""
        if self._process != os.getpid():
            self._files, self._process = [os.open(name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600) for name in self._names], os.getpid()
        return self._files

    def close(self) -> None:
        if self._process == os.getpid():
            for file in self._files:
                os.close(file)
        self._files, self._process = [], 0


def _lock(file: int, until: float) -> None:
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            if time.monotonic() > until:
                return
            time.sleep(_NAP)
        else:
            return


class Store:
    """An opened database; `write` and `read` are the only doors to a transaction."""

    def __init__(self, url: str, *, guarded: bool = True) -> None:
        """`guarded`: connections to a SQLite file cannot take the guard off the record; only migrations go without."""
        self.url = make_url(url)
        self.sqlite = self.url.get_backend_name() == "sqlite"
        self.engine = _open(url, sqlite=self.sqlite, guarded=guarded)
        self._turn = _Turn(self.url.database) if self.sqlite and self.url.database not in (None, "", ":memory:") else None
        self.on_write: Callable[[str], None] = lambda _event: None  # told "begun" and "over" of each write transaction, to measure it

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Several short write transactions, one after the other, in one turn: on SQLite nobody else writes between them,
        so keep it short; elsewhere it means nothing."""
        if self._turn is None:
            yield
            return
        with _write_lock, self._turn.taken():
            yield

    @contextmanager
    def write(self) -> Iterator[Connection]:
        if not self.sqlite:
            with self.engine.begin() as conn, postgres.opened(conn).writes(conn):
                self.on_write("begun")
                yield conn
            self.on_write("over")
            return
        with _write_lock, self._turn.taken() if self._turn else nullcontext(), self.engine.connect() as conn:
            _begin(conn)
            self.on_write("begun")
            try:
                yield conn
            except BaseException:
                conn.exec_driver_sql("ROLLBACK")
                raise
            conn.exec_driver_sql("COMMIT")
            self.on_write("over")

    def end(self, conn: Connection, asked: Sequence[tuple[Prepared, Sequence[Mapping[str, Any]]]]) -> list[int]:
        """The last statements of a transaction, each for its rows: how many rows each one changed. PostgreSQL gets them and the COMMIT
        together and answers once, for waiting for each answer takes longer than the work: there the list is empty, what goes wrong
        is raised, and nothing may follow in this transaction."""
        if self.sqlite:
            return [one.run(conn, *rows) for one, rows in asked]
        prepared.end(conn, postgres.opened(conn), asked)
        return []

    @contextmanager
    def read(self) -> Iterator[Connection]:
        with self.engine.connect() as conn:
            if self.sqlite:
                conn.exec_driver_sql("BEGIN")
            yield conn
            if self.sqlite:
                conn.exec_driver_sql("ROLLBACK")
            else:
                conn.commit()  # with a ROLLBACK psycopg forgets what it has prepared

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """To read, and what others commit meanwhile is not seen: for whoever compares what one statement found with what another
        does. On SQLite every reading is such; on PostgreSQL it keeps dead rows from being cleared away while it lasts."""
        if self.sqlite:
            with self.read() as conn:
                yield conn
            return
        with self.engine.connect() as conn:
            yield conn.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            conn.commit()

    def close(self) -> None:
        self.engine.dispose()
        if self._turn:
            self._turn.close()


def _begin(conn: Connection) -> None:
    """BEGIN IMMEDIATE, for a deferred transaction fails when its read turns into a write. Asked for again and again at short
    intervals: SQLite's own waiting grows to a tenth of a second, in which a worker that has thousands of jobs to do takes the
    lock many times over, and whoever sits at a page waits for seconds."""
    driver: Any = conn.connection.driver_connection
    until = time.monotonic() + WAIT
    driver.execute("PRAGMA busy_timeout=0")
    try:
        while True:
            try:
                conn.exec_driver_sql("BEGIN IMMEDIATE")
            except OperationalError as error:
                if "database is locked" not in str(error) or time.monotonic() > until:
                    raise
                time.sleep(POLL)
            else:
                return
    finally:
        driver.execute(f"PRAGMA busy_timeout={WAIT * 1000}")


def _open(url: str, *, sqlite: bool, guarded: bool) -> Engine:
    if not sqlite:
        return create_engine(
            url,
            pool_size=10,
            connect_args={"options": "-c lock_timeout=5s -c statement_timeout=60s"},
        )
    engine = create_engine(url, connect_args={"timeout": WAIT, "check_same_thread": False, "cached_statements": 500})

    @event.listens_for(engine, "connect")
    def _configure(connection: Any, _: Any) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves
        for pragma in ("journal_mode=WAL", "wal_autocheckpoint=4000", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON"):
            connection.execute(f"PRAGMA {pragma}")
        if guarded:
            guard.authorize(connection)

    return engine
