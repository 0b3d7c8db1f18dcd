"""Working days of the State Council's calendar (domain 10): Monday to Friday less holidays plus make-up days."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import Any

import chinese_calendar
from chinese_calendar.constants import holidays

from engine.errors import Invalid
from processes.law import CALENDAR

FIRST_PUBLISHED: int = min(day.year for day in holidays)
_IN_PACKAGE: int = max(day.year for day in holidays)


def last_published(table: Mapping[date, bool]) -> int:
    """The last year whose calendar is known: the package's, or a later one of our own table. A year counts as published
    there when its National Day is in it: a few of its first days may stand in the year before's announcement."""
    return max([_IN_PACKAGE, *(day.year for day in table if (day.month, day.day) == (10, 1))])


LAST_PUBLISHED: int = last_published(CALENDAR)
_MOST = 250  # working days that are counted on for somebody: a year


@lru_cache(maxsize=4096)
def is_workday(day: date, published: int | None = None) -> bool:
    """Our own table first, then the package; outside their years Monday to Friday (see `provisional`).

    `published`: the last year whose calendar was known then; later ones count as if nothing of them were known.
    """
    if day.year > (LAST_PUBLISHED if published is None else published):
        return day.weekday() < 5
    if day in CALENDAR:
        return CALENDAR[day]
    if FIRST_PUBLISHED <= day.year <= _IN_PACKAGE:
        return bool(chinese_calendar.is_workday(day))
    return day.weekday() < 5


def provisional(day: date, published: int | None = None) -> bool:
    """Whether a deadline on this day may move when its year's calendar is published."""
    return day.year > (LAST_PUBLISHED if published is None else published)


@lru_cache(maxsize=4096)
def add_workdays(start: date, n: int, published: int | None = None) -> date:
    """The last day of "within n working days from start"; the day of start is not counted. ValueError when n < 0.
    `published` as in `is_workday`."""
    if n < 0:
        raise ValueError("working days are counted forward")
    day, left = start, n
    while left > 0:
        day += timedelta(days=1)
        left -= 1 if is_workday(day, published) else 0
    return day


def workdays_between(start: date, end: date) -> int:
    """Working days after `start` up to and with `end`; negative when `end` is earlier."""
    if end < start:
        return -workdays_between(end, start)
    return sum(is_workday(start + timedelta(days=n)) for n in range(1, (end - start).days + 1))


@dataclass(frozen=True, slots=True)
class Day:
    """A day of the office's calendar. `kind`: workday | makeup (a weekend worked) | weekend | holiday."""

    day: date
    kind: str
    name: str = ""  # of the holiday that it belongs to, also on the days worked for it
    name_en: str = ""


def month(year: int, number: int) -> list[Day]:
    """Every day of a month. ValueError when there is no such month."""
    first = date(year, number, 1)
    days = (date(year + number // 12, number % 12 + 1, 1) - first).days
    return [_day(first + timedelta(days=n)) for n in range(days)]


def _day(day: date) -> Day:
    works, weekend = is_workday(day), day.weekday() >= 5
    kind = ("makeup" if weekend else "workday") if works else ("weekend" if weekend else "holiday")
    english = chinese_calendar.get_holiday_detail(day)[1] if FIRST_PUBLISHED <= day.year <= _IN_PACKAGE else None
    if english is None or kind == "workday":
        return Day(day, kind)
    # A weekend that is part of a holiday is named like the days beside it.
    kind = "holiday" if not works else kind
    return Day(day, kind, chinese_calendar.Holiday(english).chinese, english)


def month_of(text: str | None, today: date) -> date:
    """The first day of "2018-12"; this month when nothing is asked. Raises Invalid."""
    if not text:
        return today.replace(day=1)
    found = re.fullmatch(r"(20[0-9]{2})-(0[1-9]|1[0-2])", text)
    if not found:
        raise Invalid({"month": ["月份写成 2018-11"]})
    return date(int(found[1]), int(found[2]), 1)


def count_on(since: str, workdays: str) -> dict[str, Any]:
    """{since, workdays, last, provisional}: the last day of "within n working days from since". Raises Invalid."""
    wrong = {}
    try:
        start = date.fromisoformat(since)
    except ValueError:
        wrong["since"] = ["日期格式不正确，请写成 2018-12-03"]
    if not re.fullmatch(r"[0-9]{1,3}", workdays) or int(workdays) > _MOST:
        wrong["workdays"] = [f"请写 0 至 {_MOST} 的整数"]
    if wrong:
        raise Invalid(wrong)
    last = add_workdays(start, int(workdays))
    return {"since": since, "workdays": int(workdays), "last": last.isoformat(), "provisional": provisional(last)}


# 正月初一 of the lunar calendar (Asia/Shanghai); checked against the holidays that the State Council published for these years.
_NEW_YEARS = {day.year: day for day in map(date.fromisoformat, (
    "2004-01-22", "2005-02-09", "2006-01-29", "2007-02-18", "2008-02-07", "2009-01-26", "2010-02-14", "2011-02-03", "2012-01-23", "2013-02-10", "2014-01-31", "2015-02-19",
    "2016-02-08", "2017-01-28", "2018-02-16", "2019-02-05", "2020-01-25", "2021-02-12", "2022-02-01", "2023-01-22", "2024-02-10", "2025-01-29", "2026-02-17"))}  # fmt: skip


@dataclass(frozen=True, slots=True)
class SpringFestival:
    """new_year: 正月初一; holiday_from: the first day off before or on it; last_workday: the one before the holiday (domain 0, 1.15: 2019-02-03)."""

    year: int
    new_year: date
    holiday_from: date
    last_workday: date


@lru_cache(maxsize=64)
def spring_festival(year: int, published: int | None = None) -> SpringFestival:
    """The Spring Festival of a year. Raises Invalid where its holidays are not known. `published` as in `is_workday`."""
    first = _NEW_YEARS.get(year)
    if first is None or year > (LAST_PUBLISHED if published is None else published):
        raise Invalid({"year": [f"{year} 年春节的放假安排不在本系统的日历中，不能确定发放期限"]})
    off = first
    while not is_workday(off - timedelta(days=1), published):
        off -= timedelta(days=1)
    return SpringFestival(year, first, off, off - timedelta(days=1))


def next_spring_festival(day: date, published: int | None = None) -> SpringFestival:
    """The Spring Festival on or after a day. Raises Invalid."""
    this = _NEW_YEARS.get(day.year)
    return spring_festival(day.year + (this is not None and day > this), published)
