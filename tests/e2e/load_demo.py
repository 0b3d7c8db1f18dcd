"""The demo at its default size: `make load`, not part of `make test` (its name is no test_*.py), for it takes a minute."""

from __future__ import annotations

import sys
import time
from datetime import timedelta

from click.testing import CliRunner
from sqlalchemy import exists, func, select

from engine import store
from engine.store import flagged, is_open
from processes import bureau as bureaus
from processes.dibao_2012 import DIBAO_2012
from processes.meeting_tables import agenda_item, joint_meeting
from processes.tables import household, staff
from web import demo
from web.board import SPECIAL
from web.cli import cli
from web.settings import Settings


def test_the_demo_of_the_default_size_has_work_at_every_step(tmp_path):
    env, begun = {"YINGBAO_HOME": str(tmp_path)}, time.monotonic()
    told = CliRunner().invoke(cli, ["demo", "--no-serve"], env=env, catch_exceptions=False)
    took = time.monotonic() - begun
    assert told.exit_code == 0, told.output
    made = bureaus.build(Settings.from_environment(env))
    with made.office.read() as conn:
        nodes = dict(conn.execute(select(store.task.c.node, func.count()).join(store.record, store.record.c.id == store.task.c.case_id)
                                  .where(is_open, store.record.c.process == "dibao-2012").group_by(store.task.c.node)).all())  # fmt: skip
        late = conn.scalar(select(func.count()).select_from(store.task).where(is_open, flagged("late")))
        special = conn.scalar(select(func.count()).select_from(store.task).where(is_open, store.task.c.node.in_(SPECIAL)))
        people = conn.scalar(select(func.count()).select_from(staff))
        streets = conn.scalar(select(func.count(func.distinct(household.c.street))))
        this_week = (demo.LAST.isoformat(), (demo.LAST + timedelta(days=7)).isoformat())
        admitted = exists().where(agenda_item.c.meeting_no == joint_meeting.c.no, agenda_item.c.status == "admitted")
        meetings = conn.scalar(select(func.count()).select_from(joint_meeting).where(joint_meeting.c.status == "approved", joint_meeting.c.planned_on.between(*this_week), admitted))
    made.office.store.close()
    lines = [f"demo of the default size: {took:.1f} s, {people} staff, {streets} streets", *(f"{node:<24}{n:>4}" for node, n in sorted(nodes.items()))]
    sys.stdout.write("\n".join(["", *lines, f"late {late}, special {special}, meetings this week {meetings}", ""]))
    assert set(DIBAO_2012.drawing.of_kind("userTask")) - nodes.keys() == set()
    assert late
    assert special
    assert meetings == 1
    assert streets == demo.STREETS
