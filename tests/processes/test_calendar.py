"""Working days of the State Council's calendar."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processes import calendar, law

SAID = json.loads((Path(__file__).parent / "data" / "workday_examples.json").read_text(encoding="utf-8"))
DAYS = st.dates(date(2004, 1, 1), date(2026, 6, 30))


@pytest.mark.parametrize(("start", "n", "end"), SAID["examples"])
def test_examples(start: str, n: int, end: str) -> None:
    assert calendar.add_workdays(date.fromisoformat(start), n) == date.fromisoformat(end)
    assert calendar.workdays_between(date.fromisoformat(start), date.fromisoformat(end)) == n


@pytest.mark.parametrize("day", SAID["holidays_off"])
def test_holidays(day: str) -> None:
    assert not calendar.is_workday(date.fromisoformat(day))


@pytest.mark.parametrize("day", SAID["make_up_workdays"])
def test_make_up_days(day: str) -> None:
    assert calendar.is_workday(date.fromisoformat(day))


def test_the_law_table_names_every_example() -> None:
    assert {d.isoformat() for d in law.CALENDAR} == {*SAID["holidays_off"], *SAID["make_up_workdays"]}


def test_the_law_table_wins_over_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    day = date(2018, 11, 7)  # an ordinary Wednesday
    assert calendar.is_workday(day)
    monkeypatch.setattr(calendar, "CALENDAR", {day: False})
    calendar.is_workday.cache_clear()
    try:
        assert not calendar.is_workday(day)
    finally:
        calendar.is_workday.cache_clear()


def test_past_the_last_published_year_monday_to_friday_and_provisional() -> None:
    year = calendar.LAST_PUBLISHED
    assert not calendar.provisional(date(year, 12, 31))
    new_year = date(year + 1, 1, 1)
    assert calendar.provisional(new_year)
    for n in range(14):
        day = new_year + timedelta(days=n)
        assert calendar.is_workday(day) == (day.weekday() < 5)
    assert calendar.is_workday(date(1999, 1, 4))  # before the package's years, a Monday


def test_a_deadline_may_cross_into_an_unpublished_year() -> None:
    end = calendar.add_workdays(date(calendar.LAST_PUBLISHED, 12, 31), 5)
    assert calendar.provisional(end)
    assert end == date(2027, 1, 7)  # chinesecalendar 1.11 ends with 2026; 1 January 2027 is a Friday


def test_zero_and_negative_numbers() -> None:
    assert calendar.add_workdays(date(2018, 12, 30), 0) == date(2018, 12, 30)
    with pytest.raises(ValueError, match="forward"):
        calendar.add_workdays(date(2018, 12, 3), -1)


@given(DAYS, st.integers(1, 60))
def test_the_end_is_a_working_day_and_counts_back(start: date, n: int) -> None:
    end = calendar.add_workdays(start, n)
    assert calendar.is_workday(end)
    assert calendar.workdays_between(start, end) == n
    assert calendar.workdays_between(end, start) == -n
