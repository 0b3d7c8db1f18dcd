"""The business clock that a training district moves: what it shows, and that entries carry the real time beside it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from engine.audit_verify import _misshaped
from engine.clock import BusinessClock
from engine.model import SHANGHAI
from engine.office import Office, history, seals_hold
from engine.store import metadata


@pytest.fixture
def moved(store, keys) -> Office:
    """An office with the real clock, which can be moved."""
    metadata.create_all(store.engine)
    return Office(store, keys, BusinessClock(store), origin="yingbao/training")


def one_entry(office):
    with office.act() as act:
        record = act.new("unit", "120116")
        act.append(record, "something", {"n": 1})
    with office.read() as conn:
        [entry] = history(conn, office.keys.on(conn), record.id)
    assert seals_hold([entry]) is None
    assert _misshaped(entry.said) == []
    return entry


def test_an_entry_of_a_moved_clock_carries_the_real_time_beside_it(moved):
    before = datetime.now(UTC)
    moved.clock.set(datetime(2018, 12, 3, 9, 0, tzinfo=SHANGHAI))
    entry = one_entry(moved)
    assert (entry.at.year, entry.said["at"][:13]) == (2018, "2018-12-03T01")
    assert entry.real is not None
    assert before <= entry.real <= datetime.now(UTC)
    assert _misshaped({**entry.said, "clock": "yesterday"}) == ["clock"]


def test_where_the_clock_was_not_moved_there_is_one_time(moved):
    entry = one_entry(moved)
    assert "clock" not in entry.said
    assert entry.real is None


def test_an_office_without_a_movable_clock_says_nothing_of_it(office):
    metadata.create_all(office.store.engine)
    assert "clock" not in one_entry(office).said


def test_what_is_set_is_shown_or_a_moment_after_it_and_never_before(moved):
    """What is due at nine is due when the clock was set to nine."""
    wanted = datetime(2018, 12, 3, 9, 0, tzinfo=SHANGHAI)
    for part in (0, 1, 499_999, 500_001, 999_999):
        moment = wanted + timedelta(microseconds=part)
        moved.clock.set(moment)
        assert moved.clock() >= moment
