"""The office's calendar, on the page and by API: the days of the State Council's calendar (domain 10), and deadlines counted."""

from __future__ import annotations

import re

import pytest

from tests.served import app_of
from tests.web.test_api import door  # noqa: F401 - a fixture
from tests.web.test_pages import Desk

SPRING = {"2019-02-02": ("makeup", "春节"), "2019-02-03": ("makeup", "春节"), "2019-02-04": ("holiday", "春节"), "2019-02-10": ("holiday", "春节"),
          "2019-02-11": ("workday", ""), "2019-02-16": ("weekend", "")}  # fmt: skip


def test_the_spring_festival_of_2019(door):  # noqa: F811
    said = door.good("ann", "GET", "/calendar?month=2019-02")
    days = {d["day"]: (d["kind"], d["name"]) for d in said["days"]}
    assert len(days) == 28 and days.items() >= SPRING.items()
    assert (said["provisional"], said["counted"]) == (False, None)


def test_what_falls_due_is_counted_for_ones_own_area(door, district):  # noqa: F811
    district.apply(district.household(210_000))
    district.accept()
    due = {who: {d["day"]: d["due"] for d in door.good(who, "GET", "/calendar?month=2018-12")["days"]}["2018-12-17"] for who in ("ann", "checker", "stranger")}
    assert due == {"ann": 2, "checker": 2, "stranger": 0}, "the survey and the enquiry wait; the check waits for the registries"


@pytest.mark.parametrize(("since", "n", "last"), [("2018-12-03", 10, "2018-12-17"), ("2018-12-28", 3, "2019-01-03"), ("2019-01-31", 5, "2019-02-12"), ("2018-12-03", 0, "2018-12-03")])
def test_a_deadline_is_counted(door, since, n, last):  # noqa: F811
    said = door.good("ann", "GET", f"/calendar?since={since}&workdays={n}")
    assert (said["counted"]["last"], said["counted"]["provisional"]) == (last, False)


def test_a_year_without_a_calendar_is_provisional(door):  # noqa: F811
    said = door.good("ann", "GET", "/calendar?month=2060-01&since=2060-01-02&workdays=1")
    assert said["provisional"] and said["counted"] == {"since": "2060-01-02", "workdays": 1, "last": "2060-01-05", "provisional": True}


@pytest.mark.parametrize(("query", "field"), [("month=2018-13", "month"), ("month=x", "month"), ("since=2018-02-30&workdays=1", "since"),
                                              ("since=2018-12-03&workdays=251", "workdays"), ("since=2018-12-03", "workdays"), ("workdays=-1", "workdays")])  # fmt: skip
def test_a_wrong_question_is_named(door, bureau, query, field):  # noqa: F811
    answer = door.call("ann", "GET", f"/calendar?{query}")
    assert answer.status_code == 422 and field in answer.json["errors"]
    page = Desk(app_of(bureau), "ann").get(f"/calendar?{query}")
    assert page.status_code == 422 and f'href="#{field}"' in page.get_data(as_text=True)


def test_the_page_says_it_in_both_languages(bureau, district):
    zh = Desk(app_of(bureau), "ann").text("/calendar?month=2019-02&since=2019-01-31&workdays=5")
    assert re.search(r'<td class="makeup"><time datetime="2019-02-02">2</time> <span class="kind">班</span> <span class="name">春节</span>', zh)
    assert "<b>2019-02-12</b>" in zh and "17 个工作日" in zh
    en = Desk(app_of(bureau), "ann", "en").text("/calendar?month=2060-01")
    assert "provisional" in en and re.findall(r"[一-鿿]+", re.search(r"<main.*</main>", en, re.DOTALL)[0]) == []
