"""What an act will ask is guessed from what acts of its kind asked before; whatever is guessed, the answers are the same."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import bindparam, select

from engine import store
from engine.errors import EngineError
from engine.foresight import Foresight
from engine.prepared import Prepared

PAPER = Prepared(select(store.task.c.key).where(store.task.c.id == bindparam("the_id"), store.task.c.role == bindparam("the_role")))
CASE = Prepared(select(store.record.c.id).where(store.record.c.no == bindparam("the_no")))
LOCK = Prepared(select(store.record.c.id).where(store.record.c.no == bindparam("the_no")).with_for_update())


def known(**said):
    return {"case": {"no": "DB-1", "id": 7}, "facts": {"household_id": 12, "street": "120116001"}, "typed": {}} | said


def test_values_are_taken_from_where_they_came():
    one = Foresight()
    one.learn("survey", known(typed={"photo": 5}), [], [(PAPER, {"the_id": 5, "the_role": "clerk"}), (CASE, {"the_no": "DB-1"})], [])
    found = one.questions("survey", known(typed={"photo": 99}, case={"no": "DB-2", "id": 8}))
    assert found == [(PAPER, {"the_id": 99, "the_role": "clerk"}), (CASE, {"the_no": "DB-2"})]
    assert one.questions("review", known()) == []


def test_what_was_the_same_by_chance_is_not_taken_again():
    one = Foresight()
    for photo, household in ((12, 12), (5, 30)):
        one.learn("survey", known(typed={"photo": photo}, facts={"household_id": household}), [], [(PAPER, {"the_id": household, "the_role": "clerk"})], [])
    assert one.questions("survey", known(typed={"photo": 1}, facts={"household_id": 2})) == [(PAPER, {"the_id": 2, "the_role": "clerk"})]
    assert one.facts == {"household_id"}


def test_a_value_that_comes_from_nowhere_makes_no_question():
    one = Foresight()
    for key in (5, 6):
        one.learn("survey", known(), [], [(PAPER, {"the_id": key, "the_role": "clerk"})], [])
    assert one.questions("survey", known()) == []


def test_what_locks_is_never_asked_ahead():
    one = Foresight()
    one.learn("survey", known(), [], [(LOCK, {"the_no": "DB-1"})], [])
    assert one.questions("survey", known()) == []


def test_what_nobody_wants_to_know_is_asked_no_more():
    one = Foresight()
    one.learn("survey", known(), [], [(CASE, {"the_no": "DB-1"})], [])
    for _ in range(8):
        guessed = one.questions("survey", known())
        one.learn("survey", known(), guessed, [], guessed)
    for _ in range(8):
        guessed = one.questions("survey", known())
        assert len(guessed) == 1
        one.learn("survey", known(), guessed, [], [])
    assert one.questions("survey", known()) == []


_ANY = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(), st.lists(st.integers(), max_size=2), st.dictionaries(st.text(max_size=2), st.integers(), max_size=1))


@given(photo=_ANY, role=_ANY)
def test_only_what_the_database_takes_is_asked(photo, role):
    one = Foresight()
    for n in range(2):
        one.learn("survey", known(typed={"photo": n + 5, "role": f"r{n}"}), [], [(PAPER, {"the_id": n + 5, "the_role": f"r{n}"})], [])
    for _, values in one.questions("survey", known(typed={"photo": photo, "role": role})):
        assert type(values["the_id"]) is int
        assert 0 <= values["the_id"] < 2**47
        assert values["the_role"].encode()
        assert "\0" not in values["the_role"]


def test_an_id_is_none_that_is_too_high_for_the_tasks_of_its_case():
    """A case's tasks are a range: its id times 65536 (`store.of_tasks`). Out of range is an error, and would end the act."""
    one, asked = Foresight(), Prepared(select(store.task.c.key).where(store.tasks_of(bindparam("the_case", type_=store.Id))))
    one.learn("report", known(typed={"about": 5}), [], [(asked, {"the_case": 5})], [])
    assert one.questions("report", known(typed={"about": 2**47 - 1})) == [(asked, {"the_case": 2**47 - 1})]
    assert (2**47 - 1) * 65536 + 65535 < 2**63
    for wrong in (2**47, 10**18 - 1, 2**63 - 1):
        assert one.questions("report", known(typed={"about": wrong})) == []


def test_a_loop_over_rows_is_not_learned():
    """Else its act would ask thousands of questions ahead, and learning them would take longer than asking."""
    one = Foresight()
    one.learn("run", known(), [], [(CASE, {"the_no": f"DB-{n}"}) for n in range(20_000)], [])
    assert len(one.questions("run", known())) == 100


WRONG = (10**30, -1, "\0", "\ud800", "1" * 5000, "９", [1, 2], {"a": 1}, True, 2**63, "9" * 19)


@pytest.mark.parametrize("db_url", [pytest.param("postgresql", marks=pytest.mark.postgres)], indirect=True)
def test_what_is_typed_wrong_is_refused_as_before_when_its_question_is_foreseen(district):
    """A value that the database cannot read would end the act before the form could say what is wrong with it."""
    for serial in (1, 2):
        district.to_street_opinion(210_000, serial=serial)
        district.review()
        district.street()
        district.do("vera", "post_street_notice", posted_on="2018-12-03", places=["village_board"], photo=district.scan)
    guesses = district.cases._foresight._guesses["dibao-2012", "post_street_notice"].values()
    assert any(("typed", "photo") in sources for guess in guesses for sources in guess.sources.values())
    district.to_street_opinion(210_000, serial=3)
    district.review()
    district.street()
    for wrong in WRONG:
        with pytest.raises(EngineError):
            district.do("vera", "post_street_notice", posted_on="2018-12-03", places=["village_board"], photo=wrong)
    district.do("vera", "post_street_notice", posted_on="2018-12-03", places=["village_board"], photo=str(district.scan))
