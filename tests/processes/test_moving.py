"""A case that moves to another drawing: the same tokens there, an entry of its own, and the same again on replay."""

from __future__ import annotations

import dataclasses
import functools

import pytest

from engine.bpmn import Run
from engine.errors import Diverged
from engine.model import canonical, leaf_hash
from engine.office import history
from engine.proof import row_faults
from engine.step import moved, standings
from processes import event_log
from processes.bureau import CATALOGUE
from tests.processes.test_dibao_2012 import proven

OLD, NEW = CATALOGUE["dibao-2012"], CATALOGUE["dibao-2021"]


def moved_case(district):
    district.clock.set("2021-06-30T09:00")
    district.apply(district.household(230_000))
    district.do("clerk", "completeness_check", outcome="incomplete", missing=["income_proof"])
    district.do("clerk", "supplement", received_on="2021-06-30", supplied=["income_proof"])
    district.clock.set("2021-07-01T09:00")
    district.accept()
    with district.office.read() as conn:
        return history(conn, district.office.keys.on(conn), district.case()["id"])


def with_data(entry, **changes):
    said = {**entry.said, "data": {**entry.data, **changes}}
    body = canonical(said)
    return dataclasses.replace(entry, said=said, body=body, leaf=leaf_hash(body))


def test_the_move_is_an_entry_before_the_acceptance_and_replays(district):
    entries = moved_case(district)
    place = next(n for n, one in enumerate(entries) if one.event == "case_moved")
    assert [one.event for one in entries[place:]] == ["case_moved", "task_completed"]
    assert entries[place].data["from"] == [OLD.key, OLD.drawing.digest]
    assert [(one.process, one.drawing) for one in standings(entries)] == [(OLD.key, OLD.drawing.digest), (NEW.key, NEW.drawing.digest)]
    row = district.case()
    assert (row["process"], row["drawing"]) == (NEW.key, NEW.drawing.digest)
    assert district.tasks()["start_investigation"]["due_on"] == "2021-07-06"
    assert row_faults(row, entries) == []
    assert [one.what for one in row_faults({**row, "drawing": OLD.drawing.digest}, entries)] == ["the case's row shows another drawing"]
    proven(district)


def test_who_may_do_what_comes_after_the_move_is_asked_for_by_the_new_drawing(district, monkeypatch):
    """It was asked who holds the posts of the drawing that the case was opened on; the one that it moves to may need another post."""
    [role] = {node.role for node in NEW.drawing.nodes.values() if node.id == "start_investigation"}
    district.clock.set("2021-06-30T09:00")
    district.apply(district.household(230_000))
    with district.office.read() as conn:
        before = district.cases.drawing(conn, OLD.drawing.digest)
    monkeypatch.setitem(vars(before), "roles", tuple(one for one in before.roles if one != role))
    district.do("clerk", "completeness_check", outcome="incomplete", missing=["income_proof"])
    district.do("clerk", "supplement", received_on="2021-06-30", supplied=["income_proof"])
    district.clock.set("2021-07-01T09:00")
    district.accept()
    assert district.tasks()["start_investigation"]["flags"] == ""


def test_a_move_that_was_altered_does_not_replay(district):
    entries = moved_case(district)
    place = next(n for n, one in enumerate(entries) if one.event == "case_moved")
    for changes in ({"from": [OLD.key, NEW.drawing.digest]}, {"drawing": OLD.drawing.digest}, {"state": "0" * 32}, {"then": {"gone": ["completeness_check.2"]}}):
        altered = [*entries[:place], with_data(entries[place], **changes), *entries[place + 1 :]]
        with district.office.read() as conn, pytest.raises(Diverged) as told:
            list(district.cases.replaying(conn, altered))
        assert told.value.seq >= entries[place].seq


def test_what_is_withdrawn_after_the_move_ends_on_the_new_drawing(district):
    moved_case(district)
    district.send("clerk", "withdrawal", withdrawn_on="2021-07-01", reason="已找到工作")
    assert district.case()["outcome"] == "ended_withdrawn", district.tasks()
    proven(district)


def test_no_case_moves_to_a_drawing_that_lacks_where_it_stands(district):
    district._to_district()
    district.do("exam", "district_examination", district_outcome="propose_grant", opinion="拟批准")
    row = district.case()
    run = Run.load(OLD.drawing, row["state"], district.clock())
    assert set(run.open_tasks().values()) == {"post_district_notice"}
    with pytest.raises(LookupError, match="district_notice|proposal|post_"):
        moved(run, NEW.drawing)


def test_a_case_that_moved_fits_the_drawing_on_which_it_goes_on(district):
    moved_case(district)
    with district.office.read() as conn:
        drawings = functools.partial(district.cases.drawing, conn)
        [held] = event_log.conform(drawings, event_log.traces(conn, drawings, event_log.Wanted("120116")))
    assert (held.process, held.drawing, held.verdict.deviations) == (NEW.key, NEW.drawing.digest, ())
