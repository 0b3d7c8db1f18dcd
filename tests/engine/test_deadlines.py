"""Deadlines while nobody looks: late work is marked once and stays where it is; days move when a calendar is published."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select

from engine import deadlines, queries, store
from engine.deadlines import recompute
from engine.office import history, seals_hold
from processes import bureau as bureaus
from processes import calendar, findings, recounts
from processes.benefit_tables import special_case_request
from processes.finding_tables import finding
from processes.rebuild import differences
from tests.district import District


def entries(d, no=None):
    with d.office.read() as conn:
        return history(conn, d.office.keys.on(conn), d.case(no)["id"])


def lates(d, no=None):
    return [(e.data["task"], e.data["due_on"], e.actor) for e in entries(d, no) if e.event == "task_late"]


def a_day(d):
    d.clock.advance(days=1)
    d.bureau.jobs.run_all()


# -- late


def test_a_late_task_is_marked_once_and_stays_with_whom_it_is(district):
    d = district
    d.apply(d.household(210_000))
    d.accept()
    d.registries()
    task = d.tasks()["means_check"]
    with d.office.act(d.people["checker"]) as act:
        d.cases.claim(act, task["id"])
    task = d.tasks()["means_check"]
    d.at(f"{task['due_on']}T23:50")
    assert lates(d) == []
    for _ in range(4):
        a_day(d)
    after = d.tasks()["means_check"]
    assert {k: after[k] for k in after if k not in ("flags", "priority")} == {k: task[k] for k in task if k not in ("flags", "priority")}
    assert (after["flags"], after["priority"]) == ("late", 1)
    found = lates(d)
    assert ("means_check.1", task["due_on"], "system") in found
    assert len(found) == len(set(found)) == len([t for t in d.tasks().values() if t["due_on"] and t["due_on"] < d.office.today().isoformat()])
    assert seals_hold(entries(d)) is None
    with d.office.read() as conn:
        assert d.cases.replayed(conn, d.office.keys.on(conn), d.case()["id"])
        assert after["id"] in [row["id"] for row in queries.tasks(conn, d.people["sue"], "copied").items]
        assert queries.tasks(conn, d.people["sue"], "copied", queries.Filter(flag="escalated")).items == []
    assert differences(d.office) == []
    d.do("checker", "means_check", check_conclusion="consistent", report="报告")


def test_whoever_had_the_form_open_when_it_became_late_may_still_send_it(district):
    from engine.cases import task_etag

    d = district
    d.apply(d.household(210_000))
    d.accept()
    task = d.tasks()["home_survey"]
    d.at("2019-01-15T09:00")
    assert "late" in d.tasks()["home_survey"]["flags"]
    assert task_etag(d.tasks()["home_survey"]) == task_etag(task)


def test_many_late_tasks_go_in_batches_each_once(district, monkeypatch):
    monkeypatch.setattr(deadlines, "AT_ONCE", 3)
    d = district
    numbers = []
    for n in range(8):
        numbers.append(d.apply(d.household(210_000, serial=n + 1)))
        d.accept()
    d.at("2018-12-20T00:10")
    for _ in range(2):
        a_day(d)
    marked = [len(lates(d, no)) for no in numbers]
    with d.office.read() as conn:
        open_late = conn.execute(select(store.task.c.id, store.task.c.flags).where(store.is_open, store.task.c.due_on < "2018-12-20")).all()
        batches = conn.scalars(select(store.job.c.key).where(store.job.c.kind == deadlines.LATE, store.job.c.key.like("2018-12-20%"))).all()
    assert sum(marked) == len(open_late) >= 8
    assert {row.flags for row in open_late} == {"late"}
    assert len(batches) >= len(open_late) // 3


def test_escalated_is_not_late(district):
    """The one word stands inside of the other."""
    d = district
    d.apply(d.household(210_000))
    d.accept()
    task = d.tasks()["home_survey"]
    with d.office.act(d.people["sue"]) as act:
        d.cases.escalate(act, task["id"], "请关注")
    d.at("2019-01-15T09:00")
    assert d.tasks()["home_survey"]["flags"] == "escalated late"
    assert lates(d)


# -- the parts of a deadline


def made(district, node="home_survey"):
    d = district
    row = d.tasks()[node]
    case = d.case()
    from engine.bpmn import Run

    with d.office.read() as conn:
        drawing = d.cases.drawing(conn, case["drawing"])
        run = Run.load(drawing, case["state"], d.clock.now)
        return d.cases.deadline(conn, d.office.keys.on(conn), row, run, drawing, d.cases.processes["dibao-2012"])


def test_a_deadline_tells_what_it_follows_from(district):
    d = district
    d.apply(d.household(210_000))
    d.accept()
    assert made(d) == deadlines_of(rule="workdays(10, since='investigation_from')", since_fact="investigation_from", start=date(2018, 12, 3), n=10,
                                   unit="workdays", stopped=0, end=date(2018, 12, 17), provisional=False)  # fmt: skip


def deadlines_of(**parts):
    from engine.process import Deadline

    return Deadline(**parts)


@pytest.mark.parametrize(("stopped", "end"), [(None, "2018-12-17"), (3, "2018-12-20"), (0, "2018-12-17"), (-4, "2018-12-17"), (True, "2018-12-17"), ("3", "2018-12-17")])
def test_the_clock_stands_still_while_papers_are_supplied(monkeypatch, stopped, end):
    process = bureaus.CATALOGUE["dibao-2012"]

    class Node:
        due = "workdays(10, since='accepted_on', stopped='stopped_workdays')"

    class Drawing:
        nodes = {"x": Node}

    facts = {"accepted_on": "2018-12-03"} | ({} if stopped is None else {"stopped_workdays": stopped})
    found = process.deadline("x", facts, datetime(2018, 12, 5, tzinfo=UTC), Drawing)
    assert found.end.isoformat() == end
    assert found.stopped == (3 if stopped == 3 else 0)


# -- a calendar is published


@pytest.fixture
def early(store, settings, clock):
    """A district that knows the calendar up to 2018 only, ten days before the year ends."""
    before = bureaus.build(settings, clock, published=2018)
    before.jobs.real_clock = clock
    clock.set("2018-12-20T09:00")
    yield District(before, clock)
    before.office.store.close()


@pytest.fixture
def published(settings, clock, early):
    """The same database, after the calendar of 2019 came out."""
    after = bureaus.build(settings, clock)
    after.jobs.real_clock = clock
    yield after
    after.office.store.close()


def test_past_the_published_years_a_deadline_is_provisional_and_its_entry_says_with_which_calendar(early):
    d = early
    d.apply(d.household(210_000))
    d.accept()
    assert d.tasks()["home_survey"]["due_on"] == "2019-01-03"  # 1 January counts as a Tuesday like any other
    assert made(d).provisional
    marked = {e.event: e.data.get("calendar") for e in entries(d)}
    assert marked["task_completed"] == 2018
    assert marked["case_started"] is None, "nothing of it was provisional"


def test_what_was_computed_with_the_old_calendar_replays_with_the_new_one(early, published):
    early.apply(early.household(210_000))
    early.accept()
    with published.office.read() as conn:
        assert published.cases.replayed(conn, published.office.keys.on(conn), early.case()["id"])


def test_when_the_calendar_is_published_open_tasks_move_and_their_record_says_so(early, published):
    d = early
    d.apply(d.household(210_000))
    d.accept()
    before = d.tasks()
    moved = recompute(published.office, published.cases)
    after = d.tasks()
    assert after["home_survey"]["due_on"] == "2019-01-04"  # New Year's Day is off
    said = [(e.data["task"], e.data["from"], e.data["to"], e.data["calendar"], e.actor) for e in entries(d) if e.event == "deadline_recomputed"]
    assert ("home_survey.1", "2019-01-03", "2019-01-04", calendar.LAST_PUBLISHED, "system") in said
    assert len(said) == moved == len([n for n in before if before[n]["due_on"] != after[n]["due_on"]])
    assert {n: before[n]["assignee"] for n in before} == {n: after[n]["assignee"] for n in after}
    seq = d.case()["seq"]
    assert recompute(published.office, published.cases) == 0
    assert d.case()["seq"] == seq
    with published.office.read() as conn:
        assert published.cases.replayed(conn, published.office.keys.on(conn), d.case()["id"])
    assert seals_hold(entries(d)) is None
    assert differences(published.office) == []
    d2 = District.__new__(District)
    d2.__dict__ = {**d.__dict__, "bureau": published, "office": published.office, "cases": published.cases}
    assert not made(d2).provisional
    assert d2.tasks()["home_survey"]["due_on"] == made(d2).end.isoformat()


def test_many_move_in_batches(early, published, monkeypatch):
    monkeypatch.setattr(deadlines, "AT_ONCE", 2)
    for n in range(5):
        early.apply(early.household(210_000, serial=n + 1))
        early.accept()
    assert recompute(published.office, published.cases) >= 5
    with published.office.read() as conn:
        left = conn.scalars(select(store.task.c.due_on).where(store.is_open, store.task.c.node == "home_survey")).all()
    assert left == ["2019-01-04"] * 5


def test_a_task_that_seemed_late_by_the_provisional_day_is_not_late_any_more(early, published):
    d = early
    d.apply(d.household(210_000))
    d.accept()
    d.at("2019-01-04T09:00")
    assert d.tasks()["home_survey"]["flags"] == "late"
    recompute(published.office, published.cases)
    task = d.tasks()["home_survey"]
    assert (task["due_on"], task["flags"], task["priority"]) == ("2019-01-04", "", 0)
    d.clock.set("2019-01-05T09:00")
    published.jobs.run_all()
    assert d.tasks()["home_survey"]["flags"] == "late", "the next day it is, by the day that counts now"


def test_the_meeting_s_day_moves_too(early, published):
    d = early
    d.to_street_opinion()
    d.review()
    d.do("rita", "street_opinion", street_outcome="joint_meeting", opinion="研究", trigger="income_slightly_over", special_facts="肾衰竭", wish="纳入低收入")
    assert the_row(d, special_case_request)["due_on"] == "2019-01-03"
    assert recounts.recompute(published.office, published.cases) >= 1
    assert the_row(d, special_case_request)["due_on"] == "2019-01-04"
    said = [e.data for e in entries(d) if e.event == "deadline_recomputed" and "task" not in e.data]
    assert said == [{"of": "special_case_request", "from": "2019-01-03", "to": "2019-01-04", "calendar": calendar.LAST_PUBLISHED}]
    holds(published, d)


def test_a_unit_s_time_to_reply_to_a_finding_moves_too(early, published):
    d = early
    d.apply(d.household(210_000))
    with d.office.act(d.people["auditor"]) as act:
        findings.raise_on(act, d.cases, d.no, findings.Finding("minor", "第十八条", "缺签字"))
    assert the_row(d, finding)["due_on"] == "2019-01-03"
    assert recounts.recompute(published.office, published.cases) == 1
    row = the_row(d, finding)
    assert row["due_on"] == "2019-01-04"
    with published.office.read() as conn:
        last = history(conn, published.office.keys.on(conn), row["id"] >> 16)[-1]
    assert (last.event, last.data["to"], last.actor) == ("deadline_recomputed", "2019-01-04", "system")
    holds(published, d)
    assert recounts.recompute(published.office, published.cases) == 0


def test_the_window_for_objecting_to_a_check_moves_with_its_timer(early, published):
    d = early
    d.apply(d.household(n=2))
    d.accept()
    d.survey()
    d.check("exceeds_standard", found_assets="60000")
    d.do("rita", "issue_check_rejection", reasons="货币财产超过限额")
    d.do("clerk", "deliver_check_rejection", delivered_on="2018-12-20", method="direct", recipient="张一")
    assert d.facts()["check_objection_until"] == "2019-01-04T00:00:00+08:00"
    assert recounts.recompute(published.office, published.cases) == 1
    assert d.facts()["check_objection_until"] == "2019-01-05T00:00:00+08:00"
    [said] = [e for e in entries(d) if e.event == "facts_recomputed"]
    assert (said.data["facts"], said.data["calendar"]) == ({"check_objection_until": "2019-01-05T00:00:00+08:00"}, calendar.LAST_PUBLISHED)
    assert list(said.data["then"]["timers"].values()) == ["2019-01-04T16:00:00.000000Z"]
    holds(published, d)
    d.clock.set("2019-01-04T10:00")
    published.jobs.run_all()
    assert d.tasks() == {}, "by the day of before the window would be over"
    d.clock.set("2019-01-05T00:01")
    published.jobs.run_all()
    assert list(d.tasks()) == ["street_opinion"]
    holds(published, d)


def test_a_period_of_calendar_days_stays(early, published):
    d = early
    d.to_street_opinion()
    d.review()
    d.street()
    d.post()
    assert recounts.recompute(published.office, published.cases) == 0
    assert "facts_recomputed" not in [e.event for e in entries(d)]


def the_row(d, table):
    with d.office.read() as conn:
        return conn.execute(select(table)).mappings().one()


def holds(published, d):
    """Replay is exact with the new calendar, seals hold, rows follow from the records."""
    with published.office.read() as conn:
        assert published.cases.replayed(conn, published.office.keys.on(conn), d.case()["id"])
    assert seals_hold(entries(d)) is None
    assert differences(published.office) == []


def test_without_a_new_year_nothing_is_looked_at(district):
    assert recompute(district.office, district.cases) == 0
    district.apply(district.household(210_000))
    assert recompute(district.office, district.cases) == 0


def test_a_fact_that_has_changed_since_moves_no_day(early, published):
    """The supervisor's recomputation goes by what was known when the task opened, which only the record still says."""
    d = early
    d.apply(d.household(210_000))
    d.accept()
    process = published.cases.processes["dibao-2012"]
    with published.office.read() as conn:
        drawing = published.cases.drawing(conn, d.case()["drawing"])
        from engine.bpmn import Run

        run = Run.load(drawing, d.case()["state"], d.clock.now)
        run.facts["investigation_from"] = "2018-12-10"  # as if another round had begun
        found = published.cases.deadline(conn, published.office.keys.on(conn), d.tasks()["home_survey"], run, drawing, process)
    assert (found.start, found.end) == (date(2018, 12, 20), date(2019, 1, 4))


def test_days_in_between_are_the_same_for_every_calendar_that_knows_them():
    for n in range(40):
        day = date(2018, 12, 1) + timedelta(days=n)
        if day.year <= 2018:
            assert calendar.is_workday(day, 2018) == calendar.is_workday(day)
        else:
            assert calendar.is_workday(day, 2018) == (day.weekday() < 5)
    assert calendar.add_workdays(date(2018, 12, 20), 10, 2018) == date(2019, 1, 3)
    assert calendar.add_workdays(date(2018, 12, 20), 10) == date(2019, 1, 4)
    assert calendar.provisional(date(2019, 1, 3), 2018)


def test_a_year_of_our_own_table_is_published_when_its_national_day_is():
    assert calendar.last_published({date(2027, 1, 2): True}) == calendar.LAST_PUBLISHED
    assert calendar.last_published({date(2027, 1, 2): True, date(2027, 10, 1): False}) == 2027


# -- calendar days that end on a day off


def refused_on(d, day):
    """A refusal that was decided on this day, and the last day of its delivery."""
    d.at(f"{day}T09:00")
    d._to_refusal()
    return d.tasks()["deliver_refusal"]["due_on"]


def as_it_stands(d):
    with d.office.read() as conn:
        keys, row = d.office.keys.on(conn), d.case()
        task = d.tasks()["deliver_refusal"]
        run = d.cases.replayed(conn, keys, row["id"])[-1][1]
        found = d.cases.deadline(conn, keys, task, run, d.cases.drawing(conn, row["drawing"]), d.cases.processes[row["process"]])
    return found.end.isoformat(), found.provisional


def test_three_days_that_end_on_a_holiday_end_on_the_next_working_day(district):
    assert refused_on(district, "2018-12-27") == "2019-01-02"  # the Sunday, New Year's eve and New Year are off
    assert as_it_stands(district) == ("2019-01-02", False)
    for day in ("2018-12-30", "2019-01-02"):
        district.at(f"{day}T23:30")
        assert "deliver_refusal" not in {key.partition(".")[0] for key, *_ in lates(district)}
    district.at("2019-01-03T00:30")
    a_day(district)
    assert "deliver_refusal" in {key.partition(".")[0] for key, *_ in lates(district)}


def test_what_was_counted_by_the_first_rules_stays_as_it_was_counted(district, monkeypatch):
    with monkeypatch.context() as before:
        before.setattr("engine.office.ENGINE", 1)
        before.setattr("engine.process.ROLLS_SINCE", 99)
        assert refused_on(district, "2018-12-27") == "2018-12-30"
    assert as_it_stands(district) == ("2018-12-30", False)
    with district.office.read() as conn:
        rows = [{**district.tasks()["deliver_refusal"], "process": "dibao-2012", "drawing": district.case()["drawing"], "run": district.case()["state"]}]
        assert deadlines._moved(conn, district.office, district.cases, rows[0], calendar.LAST_PUBLISHED - 1) is None
    assert differences(district.office) == []
