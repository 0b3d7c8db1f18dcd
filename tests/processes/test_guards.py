"""What a review of the whole found missing: who began a case has touched it; named people and papers must be real."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from engine import store
from engine.errors import Invalid, Refused
from engine.office import history
from processes import organisation
from tests.district import paper

SURVEY = {"met_person": "张一", "housing": "x", "living": "x", "findings": "x"}


def test_who_began_a_case_may_neither_approve_nor_review_it(district):
    district.to_district()
    district.clock.set("2018-12-12T09:00")
    district.do("exam", "district_examination", district_outcome="propose_grant", opinion="拟批准")
    district.post("post_district_notice")
    district.at("2018-12-21T09:00")
    district.do("vera", "remove_district_notice", removed_on="2018-12-21", objections="none")
    with district.office.act() as act:
        organisation.change_posts(act, "clerk", [("window_clerk", "120116"), ("approver", "120116")])
    with district.office.store.write() as conn:  # somebody else accepted it: beginning it is enough
        conn.execute(store.task.update().where(store.task.c.done_by == "clerk").values(done_by="clerk2"))
    with district.office.read() as conn:
        district.people["clerk"] = organisation.find_actor(conn, "clerk")
    with pytest.raises(Refused) as refused:
        district.do("clerk", "decide", decision="granted", opinion="批准")
    assert refused.value.rule == "approver-touched"


@pytest.mark.parametrize("named", ["nobody", "rita", "stranger"])
def test_a_second_investigator_is_one_who_could_sign(district, named):
    district.apply(district.household(210_000))
    district.accept()
    with pytest.raises(Invalid) as invalid:
        district.do("ann", "home_survey", surveyed_on="2018-12-03", second_investigator=named, surveyed_signature=district.scan, **SURVEY)
    assert list(invalid.value.fields) == ["second_investigator"]
    assert "home_survey" in district.tasks()


def test_a_near_relative_cannot_be_named_second_investigator(district):
    household_id = district.household(210_000)
    with district.office.act(district.people["clerk"]) as act:
        from processes import households

        households.declare_near_relative(act, household_id, {"staff_login": "bob", "staff_name": "某bob", "relation": "sibling"})
    district.apply(household_id)
    district.accept()
    district.do("clerk", "register_near_relative", staff_name="某bob", position="调查员", relation="sibling")
    with pytest.raises(Invalid):
        district.do("ann", "home_survey", surveyed_on="2018-12-03", second_investigator="bob", surveyed_signature=district.scan, **SURVEY)


def test_a_paper_that_does_not_exist_or_is_another_households_is_no_signature(district):
    other = district.household(0, serial=9)
    theirs = paper(district, "clerk", other, title="别家")
    district.apply(district.household(210_000))
    district.accept()
    for wrong in (999_999, theirs):
        with pytest.raises(Invalid) as invalid:
            district.do("ann", "home_survey", surveyed_on="2018-12-03", second_investigator="bob", surveyed_signature=wrong, **SURVEY)
        assert list(invalid.value.fields) == ["surveyed_signature"]
    district.do("ann", "home_survey", surveyed_on="2018-12-03", second_investigator="bob", surveyed_signature=district.scan, **SURVEY)


def test_escalating_twice_is_one_entry(district):
    district.apply(district.household(210_000))
    task = district.tasks()["completeness_check"]
    for _ in range(2):
        with district.office.act(district.people["clerk"]) as act:
            district.cases.escalate(act, task["id"], "超期")
    with district.office.read() as conn:
        events = [e.event for e in history(conn, district.office.keys.on(conn), district.case()["id"])]
    assert events.count("task_escalated") == 1


def test_a_done_task_leaves_no_draft_whoever_typed_it(district):
    district.apply(district.household(210_000))
    task = district.tasks()["completeness_check"]
    for who in ("clerk", "clerk2"):
        with district.office.act(district.people[who]) as act:
            district.cases.save_draft(act, task["id"], {"opinion": "写到一半"})
    district.accept()
    with district.office.read() as conn:
        assert conn.execute(select(store.draft)).all() == []


def test_a_draft_ends_with_a_task_that_nobody_can_do_any_more(district):
    """What was typed is personal: it does not outlive a withdrawal of the application."""
    district.apply(district.household(210_000))
    with district.office.act(district.people["clerk2"]) as act:
        district.cases.save_draft(act, district.tasks()["completeness_check"]["id"], {"outcome": "complete"})
    district.send("clerk", "withdrawal", withdrawn_on="2018-12-03", reason="已就业")
    with district.office.read() as conn:
        assert conn.execute(select(store.draft)).all() == []
