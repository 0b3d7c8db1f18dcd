"""`yingbao demo` from the first command to the checks of what it wrote; and that nobody whom it invents is there twice."""

from __future__ import annotations

import random
import re
from datetime import timedelta
from types import SimpleNamespace

import pytest
from click.testing import CliRunner
from sqlalchemy import exists, func, select

from engine import store
from processes import bureau as bureaus
from processes import identity
from processes.meeting_tables import agenda_item, joint_meeting
from processes.tables import benefit
from web import demo, demo_benefits
from web.cli import cli
from web.registry import DOWN
from web.settings import Settings


@pytest.mark.parametrize("count", [48, 340, 600])
@pytest.mark.parametrize("seed", [1, 2018])
def test_no_number_is_invented_twice_however_large_the_district(count, seed):
    roll = random.Random(seed)
    roll.random()  # the meetings' share, as when the district is made
    made = SimpleNamespace(chance=roll)
    homes = []
    for n in range(count):
        homes.append(demo._household(made, n, "120116001016")["members"])
        roll.random()  # whether they have authorised, too
    listed = demo_benefits.Benefits(made)
    lines = [listed._line(k, k % demo_benefits.PER_STREET, lambda n: f"某{n}", ["街", "甲", "乙"]) for k in range(demo.STREETS * demo_benefits.PER_STREET)]
    numbers = [member["id_no"] for members in homes for member in members] + [line[2] for line in lines]
    assert sorted(n for n in set(numbers) if numbers.count(n) > 1) == []
    youngest = max(identity.birth_date(line[2]) for line in lines)
    assert all(youngest < identity.birth_date(member["id_no"]) for members in homes for member in members), "those of the lists are older: no seed lets them meet"
    assert {identity.problem(n, demo.FIRST) for n in numbers} == {None}
    away = [members[0] for n, members in enumerate(homes) if n % 20 == 2]
    assert len({(head["name"], head["id_no"]) for head in away}) == len(away) == (count + 17) // 20
    assert {head["id_no"][-3:-1] for head in away} == {DOWN}


def asked(home, *arguments):
    told = CliRunner().invoke(cli, arguments, env={"YINGBAO_HOME": str(home)}, catch_exceptions=False)
    return told.exit_code, told.output


def test_it_shows_every_process_under_way(demo_home):
    """Open work at most steps, some of it with somebody; reviews due, change reports under way, a meeting with an agenda this week."""
    made, day = bureaus.build(Settings.from_environment({"YINGBAO_HOME": str(demo_home)})), demo.LAST
    with made.office.read() as conn:
        running = dict(conn.execute(select(store.record.c.process, func.count()).where(store.record.c.kind == "case", store.record.c.closed_at.is_(None)).group_by(store.record.c.process)).all())
        due = conn.scalar(select(func.count()).select_from(benefit).where(benefit.c.status == "active", benefit.c.next_review_on <= day.isoformat()))
        meetings = conn.scalars(select(joint_meeting.c.planned_on).where(joint_meeting.c.status == "approved")).all()
        admitted = exists().where(agenda_item.c.meeting_no == joint_meeting.c.no, agenda_item.c.status == "admitted")
        ready = conn.scalars(select(joint_meeting.c.no).where(joint_meeting.c.status == "approved", admitted)).all()
        held = conn.scalar(select(func.count()).select_from(store.task).where(store.is_open, store.task.c.assignee.is_not(None)))
        steps = set(conn.scalars(select(store.task.c.node).where(store.is_open)))
    made.office.store.close()
    assert set(running) >= {"dibao-2012", "review-2012", "change-report-2012"}
    assert running["temporary-assistance"] == 2, "one waits for its papers after the help, one for the window; one is over, one was referred"
    assert due > 0
    assert held > 5
    assert len(steps) >= 12
    assert ready, "somebody is on the agenda of the week"
    assert all(day.isoformat() <= planned <= (day + timedelta(days=7)).isoformat() for planned in meetings)


def test_a_small_demo_is_whole(demo_home):
    code, told = asked(demo_home, "verify")
    assert code == 0
    assert int(re.fullmatch(r"(\d+) cases, \d+ records, \d+ entries, \d+ sealed: all as it was written\n", told)[1]) > 40
    assert asked(demo_home, "rebuild", "--check") == (0, "0 differences\n")
    code, told = asked(demo_home, "demo", "--no-serve", "--households", "40")
    assert code == 0, "it finds itself made already"
    assert int(re.match(r"(\d+)", asked(demo_home, "verify")[1])[1]) > 40
