"""Prepared statements do what SQLAlchemy does with the same statement, on both databases."""

from __future__ import annotations

import contextlib
import re
import sys
from datetime import UTC, datetime

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import (
    LargeBinary,
    NullPool,
    String,
    bindparam,
    create_engine,
    delete,
    event,
    insert,
    literal,
    select,
    text,
    update,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError

from engine import cases, postgres, process, store
from engine.prepared import Prepared, ask_ahead, listen, run_all, together
from processes import organisation
from processes.dibao_2012 import DIBAO_2012

JOB = {"kind": "timer", "record_id": 1, "key": "x.1", "due_at": datetime(2018, 12, 3, 9, tzinfo=UTC), "state": "ready", "data": "{}"}


@pytest.fixture
def office(office):
    with office.store.write() as conn:
        conn.execute(insert(store.record).values(id=1, kind="case", unit="120116", seq=0, head="0" * 64, rows=0))
    return office


def jobs_of(conn):
    return [dict(row) for row in conn.execute(select(store.job).where(store.job.c.kind == "timer").order_by(store.job.c.id)).mappings()]


def test_a_row_goes_in_and_comes_out_as_it_would_by_sqlalchemy(office):
    ours, theirs = Prepared(insert(store.job).inline()), insert(store.job)
    with office.store.write() as conn:
        assert ours.run(conn, JOB) == 1
        conn.execute(theirs, {**JOB, "key": "x.2"})
        one, two = jobs_of(conn)
        assert {**one, "id": 0, "key": ""} == {**two, "id": 0, "key": ""}, "with the default of `attempts`"
        found = Prepared(select(store.job).where(store.job.c.kind == bindparam("the_kind")).order_by(store.job.c.id)).rows(conn, {"the_kind": "timer"})
        assert found == [one, two]
        assert found[0]["due_at"].tzinfo is not None
        assert Prepared(select(store.job.c.id).where(store.job.c.kind == bindparam("the_kind"))).rows(conn, {"the_kind": "none"}) == []


def test_several_rows_at_once_and_how_many_changed(office):
    with office.store.write() as conn:
        Prepared(insert(store.job).inline()).run(conn, JOB, {**JOB, "key": "x.2"}, {**JOB, "key": "x.3"})
        moved = Prepared(update(store.job).where(store.job.c.key == bindparam("the_key")).values(state=bindparam("new_state")))
        assert moved.run(conn, {"the_key": "x.2", "new_state": "done"}) == 1
        assert moved.run(conn, {"the_key": "nobody", "new_state": "done"}) == 0
        assert [row["state"] for row in jobs_of(conn)] == ["ready", "done", "ready"]
        assert Prepared(delete(store.job).where(store.job.c.state == bindparam("the_state"))).run(conn, {"the_state": "ready"}) == 2


def test_what_the_driver_refuses_is_raised_as_by_sqlalchemy(office):
    one = Prepared(insert(store.subject_key))
    with pytest.raises(IntegrityError), office.store.write() as conn:
        one.run(conn, {"subject": "x", "wrapped": b"\x00\xff"})
        one.run(conn, {"subject": "x", "wrapped": b"\x00\xff"})
    with office.read() as conn:
        assert conn.scalar(select(store.subject_key.c.subject).where(store.subject_key.c.subject == "x")) is None


def test_a_missing_or_strange_parameter_is_a_mistake(office):
    one = Prepared(select(store.job.c.id).where(store.job.c.kind == bindparam("the_kind")))
    with office.read() as conn:
        for wrong in ({}, {"the_kind": "timer", "other": 1}):
            with pytest.raises(KeyError):
                one.rows(conn, wrong)


@pytest.mark.parametrize("statement", [
    select(store.job.c.id).where(store.job.c.id.in_(bindparam("ids", expanding=True))),
])  # fmt: skip
def test_other_kinds_are_refused(office, statement):
    with office.store.write() as conn, pytest.raises(ValueError, match="cannot be prepared"):
        Prepared(statement).rows(conn, {"ids": [1]})


def test_what_sqlalchemy_alone_would_ask_for_is_refused(office):
    with office.store.write() as conn:
        if conn.dialect.name == "sqlite":  # the driver knows the new id
            assert Prepared(insert(store.job)).run(conn, JOB) == 1
            return
        with pytest.raises(ValueError, match="cannot be prepared"):
            Prepared(insert(store.job)).run(conn, JOB)


def test_listeners_hear_of_it(office):
    heard: list[str] = []
    with office.store.write() as conn:
        event.listen(conn, "before_cursor_execute", lambda _c, _k, statement, *_: heard.append(statement))
        event.listen(conn, "after_cursor_execute", lambda _c, _k, statement, *_: heard.append(statement))
        Prepared(insert(store.job).inline()).run(conn, JOB)
    assert len([text for text in heard if text.startswith("INSERT INTO job")]) == 2


def test_returning_that_is_written_is_read(office):
    one = Prepared(insert(store.job).returning(store.job.c.id, store.job.c.key))
    with office.store.write() as conn:
        [first], [second] = (one.rows(conn, {**JOB, "key": key}) for key in ("x.1", "x.2"))
        assert (first["key"], second["key"], second["id"] > first["id"]) == ("x.1", "x.2", True)


def test_several_at_once_see_what_the_ones_before_did(office):
    made, found = Prepared(insert(store.job).inline()), Prepared(select(store.job.c.key).where(store.job.c.kind == bindparam("the_kind")).order_by(store.job.c.id))
    with office.store.write() as conn:
        run_all(conn, [(made, [JOB, {**JOB, "key": "x.2"}]), (made, [{**JOB, "key": "x.3", "token": None}])])
        assert together(conn, (found, {"the_kind": "none"}), (found, {"the_kind": "timer"})) == [[], [{"key": "x.1"}, {"key": "x.2"}, {"key": "x.3"}]]


def test_values_of_every_kind_come_back_as_they_went(office):
    query = select(literal(value=False).label("no"), literal(value=True).label("yes"), bindparam("text", type_=String).label("text"), bindparam("none", type_=String).label("none"),
                   bindparam("blob", type_=LargeBinary).label("blob"), bindparam("n", type_=store.Id).label("n"), bindparam("at", type_=store.Utc).label("at"))  # fmt: skip
    said = {"text": "滨海'\\%s%(x)s$1", "none": None, "blob": b"\x00\xff'", "n": 2**40, "at": JOB["due_at"]}
    with office.store.write() as conn:
        [inside] = Prepared(query).rows(conn, said)
    with office.read() as conn:
        [outside] = Prepared(query).rows(conn, said)
    assert inside == outside == {"no": False, "yes": True, **said}


def test_a_text_with_a_nul_is_no_shorter_text(office):
    one = Prepared(select(bindparam("text", type_=String).label("text")))
    with office.store.write() as conn:
        if conn.dialect.name == "sqlite":
            assert one.rows(conn, {"text": "a\0b"}) == [{"text": "a\0b"}]
            return
        with pytest.raises(DataError, match="NUL"):
            one.rows(conn, {"text": "a\0b"})


def test_what_was_prepared_before_a_rollback_is_prepared_anew(office):
    """psycopg drops all prepared statements with a ROLLBACK, ours too: whether the next transaction begins with one of ours or not."""
    found, made = Prepared(select(store.job.c.id).where(store.job.c.kind == bindparam("the_kind"))), Prepared(insert(store.job).inline())
    ours, theirs = (lambda _conn: None), (lambda conn: conn.scalar(select(store.job.c.id)))
    for n, begin in enumerate((ours, theirs, theirs, ours, ours, theirs)):
        for _ in range(8):  # psycopg itself prepares what runs often
            with office.store.write() as conn:
                conn.scalar(select(store.record.c.id).where(store.record.c.id == 1))
                found.rows(conn, {"the_kind": "none"})
        with pytest.raises(IntegrityError), office.store.write() as conn:
            made.run(conn, JOB)
            made.run(conn, JOB)
        with office.store.write() as conn:
            begin(conn)
            assert found.rows(conn, {"the_kind": "timer"}) == []
            assert made.run(conn, {**JOB, "kind": "other", "key": f"x.{n}"}) == 1


def test_what_was_prepared_is_missed_each_time(office):
    """Nothing of ours between two failures but what comes second in a transaction."""
    found = Prepared(select(store.job.c.id).where(store.job.c.kind == bindparam("the_kind")))
    for _ in range(4):
        with office.store.write() as conn:
            for _ in range(8):
                conn.scalar(select(store.record.c.id).where(store.record.c.id == 1))
            assert found.rows(conn, {"the_kind": "none"}) == []
        with pytest.raises(IntegrityError), office.store.write() as conn:
            for _ in range(2):
                conn.execute(insert(store.job).values(**JOB))


def test_a_transaction_of_one_exchange_after_a_rollback_is_done_once(office):
    """Its statement is new to the connection, which has forgotten all others: it must not be done before that shows, and again."""
    for n in range(3):
        with pytest.raises(IntegrityError), office.store.write() as conn:
            conn.scalar(select(store.record.c.id).where(store.record.c.id == 1))
            for _ in range(8):
                conn.execute(insert(store.job).values(**JOB))
        bump = Prepared(update(store.record).where(store.record.c.id == bindparam("the_id")).values(rows=store.record.c.rows + 1))
        with office.store.write() as conn:
            office.store.end(conn, [(bump, [{"the_id": 1}])])
        with office.read() as conn:
            assert conn.scalar(select(store.record.c.rows)) == n + 1


def test_the_last_statements_and_the_commit_are_all_or_nothing(office):
    one = Prepared(insert(store.subject_key))
    with pytest.raises(IntegrityError), office.store.write() as conn:
        office.store.end(conn, [(one, [{"subject": "a", "wrapped": b"1"}, {"subject": "b", "wrapped": b"1"}]), (one, [{"subject": "a", "wrapped": b"1"}])])
    with office.store.write() as conn:
        office.store.end(conn, [(one, [{"subject": "c", "wrapped": b"1"}])])
    with office.read() as conn:
        assert conn.scalars(select(store.subject_key.c.subject)).all() == ["c"]


@pytest.mark.parametrize("db_url", [pytest.param("postgresql", marks=pytest.mark.postgres)], indirect=True)
def test_a_connection_that_the_server_has_closed_costs_one_act(office):
    found = Prepared(select(store.job.c.id).where(store.job.c.kind == bindparam("the_kind")))
    with office.store.write() as conn:
        found.rows(conn, {"the_kind": "timer"})
        mine = conn.scalar(text("SELECT pg_backend_pid()"))
    other = create_engine(office.store.url, poolclass=NullPool)
    with other.connect() as conn:
        conn.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": mine})
    with pytest.raises(DBAPIError), office.store.write() as conn:
        found.rows(conn, {"the_kind": "timer"})
    with office.store.write() as conn:
        assert found.rows(conn, {"the_kind": "timer"}) == []
        assert conn.scalar(text("SELECT pg_backend_pid()")) != mine


def test_the_widest_statement_of_a_completion_finds_the_same(district):
    district.to_street_opinion()
    wanted = {"the_case": district.case()["id"], **DIBAO_2012.recusal_facts(district.facts())}
    prepared = cases._tasks_of(DIBAO_2012.recused)
    with district.office.read() as conn:
        assert prepared.rows(conn, wanted) == [dict(row) for row in conn.execute(prepared.statement, wanted).mappings()]


# -- what is not waited for, and what is known already

KEY = store.subject_key
_HERE = Prepared(select(KEY.c.wrapped).where(KEY.c.subject == bindparam("the_subject")))
_ALL = Prepared(select(KEY.c.subject, KEY.c.wrapped).order_by(KEY.c.subject))
_NEW, _GONE = Prepared(insert(KEY)), Prepared(delete(KEY).where(KEY.c.subject == bindparam("the_subject")))
_OTHER = Prepared(update(KEY).where(KEY.c.subject == bindparam("the_subject")).values(wrapped=bindparam("new_wrapped")))
_LOCK = Prepared(select(store.record.c.id).where(store.record.c.id == bindparam("the_id")).with_for_update())


def test_what_nobody_waits_for_is_there_for_whoever_looks(office):
    with office.store.write() as conn:
        run_all(conn, [(_NEW, [{"subject": "a", "wrapped": b"1"}])])
        assert conn.scalars(select(KEY.c.subject)).all() == ["a"], "for SQLAlchemy"
        run_all(conn, [(_NEW, [{"subject": "b", "wrapped": b"2"}, {"subject": "c", "wrapped": b"3"}]), (_GONE, [{"the_subject": "a"}])])
        assert [row["subject"] for row in _ALL.rows(conn, {})] == ["b", "c"], "in their order, for ours"
        run_all(conn, [(_OTHER, [{"the_subject": "b", "new_wrapped": b"9"}])])
    with office.read() as conn:
        assert dict(conn.execute(select(KEY.c.subject, KEY.c.wrapped)).all()) == {"b": b"9", "c": b"3"}, "and when the transaction ends without another word"


def test_what_nobody_waited_for_is_undone_with_the_rest(office):
    with pytest.raises(RuntimeError), office.store.write() as conn:
        run_all(conn, [(_NEW, [{"subject": "a", "wrapped": b"1"}])])
        raise RuntimeError
    with office.store.write() as conn:
        assert _ALL.rows(conn, {}) == []


@pytest.mark.parametrize("db_url", [pytest.param("postgresql", marks=pytest.mark.postgres)], indirect=True)
@pytest.mark.parametrize("then", [lambda conn: _LOCK.rows(conn, {"the_id": 1}), lambda conn: conn.scalar(select(store.record.c.id)), lambda _conn: None])
def test_its_error_comes_with_the_next_statement_and_says_whose_it_is(office, then):
    """A key that is taken is a lost race, as ever; without another statement the transaction must not end as if all were well."""
    with pytest.raises(Exception, match="pk_subject_key") as caught, office.store.write() as conn:
        run_all(conn, [(_NEW, [{"subject": "a", "wrapped": b"1"}])])
        run_all(conn, [(_NEW, [{"subject": "a", "wrapped": b"1"}])])
        then(conn)
    assert getattr(caught.value, "orig", caught.value).sqlstate == "23505"
    with office.store.write() as conn:
        assert _ALL.rows(conn, {}) == []
    with pytest.raises(IntegrityError, match="INSERT INTO subject_key"), office.store.write() as conn:
        run_all(conn, [(_NEW, [{"subject": "a", "wrapped": b"1"}, {"subject": "a", "wrapped": b"1"}])])
        _LOCK.rows(conn, {"the_id": 1})


@pytest.mark.parametrize("db_url", [pytest.param("postgresql", marks=pytest.mark.postgres)], indirect=True)
def test_nothing_is_asked_twice_and_nothing_that_was_asked_ahead(office):
    with office.store.write() as conn:
        together(conn, (_LOCK, {"the_id": 1}), ahead=[(_ALL, {})])
        heard = listen(conn)
        assert (_ALL.rows(conn, {}), _ALL.rows(conn, {}), _HERE.rows(conn, {"the_subject": "a"})) == ([], [], [])
        ask_ahead(conn, [(_HERE, {"the_subject": "b"})])
        assert _HERE.rows(conn, {"the_subject": "b"}) == []
        assert (len(heard.known), heard.missed) == (3, [(_HERE, {"the_subject": "a"})])
        _LOCK.rows(conn, {"the_id": 1})  # may have waited for somebody who has changed it
        assert _ALL.rows(conn, {}) == []
        assert len(heard.missed) == 3


@pytest.mark.parametrize("db_url", [pytest.param("postgresql", marks=pytest.mark.postgres)], indirect=True)
def test_what_another_has_changed_while_one_waited_is_seen(office):
    """The answer that came before the lock is not taken for the one after it."""
    other = create_engine(office.store.url, poolclass=NullPool)
    with office.store.write() as conn:
        ask_ahead(conn, [(_ALL, {})])
        assert _ALL.rows(conn, {}) == []
        with other.begin() as theirs:
            theirs.execute(insert(KEY).values(subject="theirs", wrapped=b"1"))
        assert _ALL.rows(conn, {}) == [], "nothing has been waited for"
        _LOCK.rows(conn, {"the_id": 1})
        assert [row["subject"] for row in _ALL.rows(conn, {})] == ["theirs"]


@pytest.mark.parametrize("db_url", [pytest.param("postgresql", marks=pytest.mark.postgres)], indirect=True)
@pytest.mark.parametrize("wrong", ["a\0b", "\ud800", object()])
def test_what_nobody_waited_for_is_not_lost_with_a_value_that_cannot_be_sent(office, wrong):
    """Nothing was sent, and the transaction is sound: whoever lives with the error has still written what he wrote before."""
    with office.store.write() as conn:
        run_all(conn, [(_NEW, [{"subject": "a", "wrapped": b"1"}])])
        with pytest.raises((DBAPIError, UnicodeEncodeError)):
            _HERE.rows(conn, {"the_subject": wrong})
    with office.read() as conn:
        assert conn.scalars(select(KEY.c.subject)).all() == ["a"]


@pytest.mark.parametrize("db_url", [pytest.param("postgresql", marks=pytest.mark.postgres)], indirect=True)
@pytest.mark.parametrize("wrong", ["a\0b", "\ud800"])
def test_what_cannot_be_sent_lets_no_transaction_end_as_if_all_were_well(office, wrong):
    with pytest.raises((psycopg.DataError, UnicodeEncodeError)), office.store.write() as conn:
        run_all(conn, [(_NEW, [{"subject": "a", "wrapped": b"1"}])])
        run_all(conn, [(_NEW, [{"subject": wrong, "wrapped": b"1"}])])
        with contextlib.suppress(DBAPIError, UnicodeEncodeError):
            _HERE.rows(conn, {"the_subject": "x"})
    with office.read() as conn:
        assert conn.scalars(select(KEY.c.subject)).all() == []


@pytest.mark.parametrize("db_url", [pytest.param("postgresql", marks=pytest.mark.postgres)], indirect=True)
def test_what_nobody_waited_for_is_there_for_rows_that_come_in_portions(office):
    """psycopg reads them by a cursor of another kind."""
    with office.store.write() as conn:
        assert _ALL.rows(conn, {}) == []
        run_all(conn, [(_NEW, [{"subject": "a", "wrapped": b"1"}])])
        portions = select(KEY.c.subject).execution_options(yield_per=10)
        assert conn.scalars(portions).all() == ["a"]


@pytest.mark.parametrize("db_url", [pytest.param("postgresql", marks=pytest.mark.postgres)], indirect=True)
def test_an_interrupt_while_one_waits_stays_an_interrupt(office, monkeypatch):
    """Nobody can use the connection any more; that must not hide from a worker that it is to stop."""

    def interrupted(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt), office.store.write() as conn:
        patch.setattr(postgres.Line, "_wait", interrupted)
        _ALL.rows(conn, {})
    for _ in range(12):  # more than the pool has
        with office.store.write() as conn:
            assert _ALL.rows(conn, {}) == []


_SUBJECTS = st.sampled_from(["a", "b", "c"])
_STEPS = st.lists(st.one_of(
    st.tuples(st.sampled_from(["ask", "ahead", "both", "gone", "lock", "all", "ahead all"]), _SUBJECTS, st.none()),
    st.tuples(st.sampled_from(["new", "later", "theirs", "other", "other later"]), _SUBJECTS, st.binary(min_size=1, max_size=3)),
), max_size=25)  # fmt: skip


@given(steps=_STEPS, rolled_back=st.booleans())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_asked_ahead_or_written_later_every_answer_is_that_of_one_statement_after_another(office, steps, rolled_back):
    class Back(Exception):
        pass

    with office.store.write() as conn:
        conn.execute(delete(KEY))
    known: dict[str, bytes] = {}
    try:
        with office.store.write() as conn:
            for what, subject, wrapped in steps:
                row, change = {"subject": subject, "wrapped": wrapped}, {"the_subject": subject, "new_wrapped": wrapped}
                expected = [{"wrapped": known[subject]}] if subject in known else []
                if what == "ask":
                    assert _HERE.rows(conn, {"the_subject": subject}) == expected
                elif what == "all":
                    assert {row["subject"]: row["wrapped"] for row in _ALL.rows(conn, {})} == known
                elif what == "both":
                    assert together(conn, (_HERE, {"the_subject": subject}), (_HERE, {"the_subject": "b"}), ahead=[(_HERE, {"the_subject": "c"})])[0] == expected
                elif what.startswith("ahead"):
                    ask_ahead(conn, [(_ALL, {})] if "all" in what else [(_HERE, {"the_subject": subject})])
                elif what == "lock":
                    _LOCK.rows(conn, {"the_id": 1})
                elif what == "gone":
                    known.pop(subject, None)
                    _GONE.run(conn, {"the_subject": subject})
                elif what in ("new", "later", "theirs") and subject not in known:
                    known[subject] = wrapped
                    {"new": lambda: _NEW.run(conn, row), "later": lambda: run_all(conn, [(_NEW, [row])]), "theirs": lambda: conn.execute(insert(KEY).values(**row))}[what]()  # noqa: B023 - called at once
                elif what == "other":
                    assert _OTHER.run(conn, change) == (subject in known)
                    known |= {subject: wrapped} if subject in known else {}
                elif what == "other later":
                    run_all(conn, [(_OTHER, [change])])
                    known |= {subject: wrapped} if subject in known else {}
            if rolled_back:
                raise Back
    except Back:
        known = {}
    with office.read() as conn:
        assert dict(conn.execute(select(KEY.c.subject, KEY.c.wrapped)).all()) == known


def test_what_a_question_reads_is_known_of_every_question_there_is():
    """An answer is taken for true until one of these tables is written to: a table that is missed, in an alias, a subquery or one part of a
    union, would make it stale."""
    asked = {one for name, module in list(sys.modules.items()) if name.startswith(("engine.", "processes.")) for one in vars(module).values() if isinstance(one, Prepared)}
    asked |= {cases._tasks_of(DIBAO_2012.recused), process._prepared(DIBAO_2012.recused), organisation.holding(["clerk"], "120116")[0]}
    plain = [one for one in asked if one.reads is not None]
    assert len(plain) > 20
    for one in plain:
        sql = str(one.statement.compile(dialect=postgresql.dialect()))
        named = set(re.findall(r'(?:FROM|JOIN|,) "?(\w+)"?(?: AS \w+)?(?=[\s,)]|$)', sql)) & set(store.metadata.tables)
        assert named
        assert named <= one.reads, sql
        assert "FOR UPDATE" not in sql
