"""Separation of duties (domain 5.3) and recusal (5.4): who may not do what after what, over every way a task changes hands."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processes import duties
from processes.dibao_2012 import DIBAO_2012

VERBS = ("claim", "assign", "delegate", "transfer", "add_signer", "substitute", "complete")
INVESTIGATION = ("home_survey", "survey_cosign", "neighbor_enquiry", "street_reinvestigate")
REVIEW = ("street_opinion", "street_signoff", "submit_to_district", "issue_check_rejection", "reject_after_check")
APPROVAL = ("decide", "decide_refusal")
ROLES = {node.id: node.role for node in DIBAO_2012.drawing.of_kind("userTask").values()} | {"special_case_decision": "supervisor", "reject_after_check": "reviewer"}


class Did(NamedTuple):
    node: str
    staff: str


def rule(node: str, *before: str, verb: str = "complete", relatives: frozenset[str] = frozenset(), roles: Any = None, others: tuple[Did, ...] = (),
         **facts: Any) -> str | None:  # fmt: skip
    """The rule that keeps "x", who did `before`, from the node; None when he may."""
    acts = [*(Did(done, "x") for done in before), *others]
    role = ROLES[node]
    broken = duties.may(verb, node, role, "x", actor_roles=frozenset(roles or {role}), acts=acts, relatives=relatives, facts=facts)
    return broken and broken.rule


# what was done before, the task, the rule
FORBIDDEN = [
    *((done, node, "investigator-reviews") for done in INVESTIGATION for node in REVIEW),
    *((done, node, "reviewer-investigates") for done in REVIEW for node in INVESTIGATION),
    *((done, node, "approver-touched") for done in (*INVESTIGATION, *REVIEW, "completeness_check", "means_check", "district_examination", "district_recheck",
      "spot_check_visit", "democratic_review", "special_case_decision", "post_street_notice", "supplement", "low_income_consent") for node in APPROVAL),
    *((done, node, "approver-handles") for done in APPROVAL for node in (*INVESTIGATION, *REVIEW, "completeness_check", "democratic_review", "post_district_notice")),
    *(("completeness_check", node, "acceptor-reviews") for node in REVIEW),
    *((done, "completeness_check", "reviewer-accepts") for done in REVIEW),
    *((done, node, "street-examines") for done in (*INVESTIGATION, *REVIEW, *APPROVAL) for node in ("district_examination", "district_recheck", "spot_check_visit")),
    *((done, "means_check", "opinion-holder-checks") for done in (*REVIEW, *APPROVAL)),
    *((done, "special_case_decision", "handler-decides-special") for done in (*INVESTIGATION, *REVIEW, *APPROVAL)),
    ("street_opinion", "street_signoff", "own-opinion"),
    ("street_signoff", "street_opinion", "own-opinion"),
]  # fmt: skip

ALLOWED = [
    ("home_survey", "neighbor_enquiry"), ("home_survey", "home_survey"), ("street_opinion", "street_opinion"), ("street_opinion", "submit_to_district"),
    ("issue_check_rejection", "street_opinion"), ("district_examination", "district_recheck"), ("spot_check_visit", "district_examination"), ("decide", "decide"),
    ("decide", "decide_refusal"), ("completeness_check", "supplement"), ("completeness_check", "deliver_approval"), ("post_street_notice", "remove_street_notice"),
    ("completeness_check", "home_survey"), ("home_survey", "democratic_review"), ("means_check", "means_check")]  # fmt: skip


@pytest.mark.parametrize(("done", "node", "broken"), FORBIDDEN)
def test_who_acted_once_may_not_act_again_elsewhere(done, node, broken):
    assert {verb: rule(node, done, verb=verb) for verb in VERBS} == dict.fromkeys(VERBS, broken)
    assert rule(node, "supplement", done, "supplement") == broken, "the order and number of other acts change nothing"


@pytest.mark.parametrize(("done", "node"), ALLOWED)
def test_what_one_person_may_do_twice(done, node):
    assert rule(node, done) is None


@pytest.mark.parametrize("node", ROLES)
def test_what_others_did_binds_nobody_else(node):
    everything = tuple(Did(other, "y") for other in ROLES)
    assert rule(node, others=everything) is None


@pytest.mark.parametrize("node", ROLES)
def test_near_relatives_are_kept_from_every_task(node):
    assert {verb: rule(node, verb=verb, relatives=frozenset({"x"})) for verb in VERBS} == dict.fromkeys(VERBS, "near-relative")
    assert rule(node, relatives=frozenset({"y"})) is None


@pytest.mark.parametrize("node", ROLES)
def test_a_task_belongs_to_its_post(node):
    assert rule(node, roles={"volunteer"}) == "role"
    assert rule(node, roles={"volunteer", ROLES[node]}) is None


@pytest.mark.parametrize(("done", "node", "broken"), [
    ("screen_agenda", "approve_agenda", "secretary-presides"), ("start", "announce_item", "secretary-presides"),
    ("draft_minutes", "issue_minutes", "secretary-presides"), ("open_meeting", "announce_item", "secretary-presides"),
    ("approve_agenda", "draft_minutes", "convener-keeps-minutes"), ("announce_item", "screen_agenda", "convener-keeps-minutes"),
    ("approve_agenda", "announce_item", None), ("screen_agenda", "draft_minutes", None), ("start", "screen_agenda", None),
])  # fmt: skip
def test_who_keeps_the_minutes_of_a_meeting_does_not_preside_over_it(done, node, broken):
    found = duties.may("complete", node, "x", "x", actor_roles={"x"}, acts=[Did(done, "x")], relatives=(), facts={})
    assert (found and found.rule) == broken


@pytest.mark.parametrize(("acts", "relatives", "of_handlers", "broken"), [
    ((), (), (), None), (("street_opinion",), (), (), "handler-decides-special"), (("home_survey",), (), (), "handler-decides-special"),
    (("means_check",), (), (), "handler-decides-special"), (("start",), (), (), "handler-decides-special"),
    (("district_examination",), (), (), "handler-decides-special"), (("post_street_notice",), (), (), None),
    ((), ("x",), (), "near-relative"), ((), (), ("x",), "handler-relative"), (("decide",), ("x",), ("x",), "near-relative"), ((), ("y",), ("y",), None),
])  # fmt: skip
def test_who_takes_no_part_in_an_item_of_a_meeting(acts, relatives, of_handlers, broken):
    found = duties.may_study("x", acts=[Did(node, "x") for node in acts] + [Did("street_opinion", "y")], relatives=relatives, handlers_relatives=of_handlers)
    assert (found and found.rule) == broken


@pytest.mark.parametrize("verb", VERBS)
def test_two_distinct_investigators_sign(verb):
    assert rule("survey_cosign", "home_survey", verb=verb) == "two-investigators"
    assert rule("survey_cosign", verb=verb, others=(Did("home_survey", "y"),), second_investigator="x") is None
    assert rule("survey_cosign", verb=verb, others=(Did("home_survey", "y"),), second_investigator="z") == "named-investigator"


def test_in_a_second_survey_the_two_may_change_places():
    first = (Did("home_survey", "x"), Did("survey_cosign", "y"), Did("home_survey", "y"))
    assert rule("survey_cosign", others=first, second_investigator="x") is None
    assert rule("survey_cosign", others=(*first, Did("home_survey", "x")), second_investigator="y") == "two-investigators"


def test_a_refusal_says_the_rule_in_plain_chinese_and_in_english():
    broken = duties.may("claim", "street_opinion", "reviewer", "x", actor_roles={"reviewer"}, acts=[Did("home_survey", "x")], relatives=(), facts={})
    assert broken is not None
    assert broken.zh == "您是本案入户调查人，不能审核本案（岗位分离）"
    assert broken.en.isascii()


@given(st.lists(st.sampled_from(sorted(ROLES)), max_size=12))
def test_no_walk_through_a_case_lets_one_person_investigate_review_and_approve(wanted):
    """Whatever somebody with every role tries, in any order, what the rules let through keeps the three apart."""
    done: list[str] = []
    for node in wanted:
        if rule(node, *done, second_investigator="x") is None:
            done.append(node)
    mine = set(done)
    assert sum(bool(mine & set(group)) for group in (INVESTIGATION, REVIEW, APPROVAL)) <= 1
    assert not (mine & set(APPROVAL) and mine - set(APPROVAL))
    assert not {"street_opinion", "street_signoff"} <= mine
    assert not {"home_survey", "survey_cosign"} <= mine or done.index("survey_cosign") < done.index("home_survey")


TODAY = date(2018, 12, 3)
STREET, COMMUNITY, DISTRICT = "120116001", "120116001016", "120116"


@pytest.mark.parametrize(("own", "theirs", "days", "delegated", "broken"), [
    ([STREET], [STREET], 0, False, None), ([STREET], [COMMUNITY], 7, False, None), ([DISTRICT], [STREET], 7, False, None),
    ([STREET, DISTRICT], [DISTRICT], 7, False, None), ([DISTRICT], [DISTRICT, STREET], 7, False, None), ([STREET], [STREET], duties.LONGEST - 1, False, None),
    ([STREET], [DISTRICT], 7, False, "downward"), ([COMMUNITY], [STREET], 7, False, "downward"), ([STREET], ["120116005"], 7, False, "downward"),
    ([], [STREET], 7, False, "downward"), ([STREET], [], 7, False, "downward"),
    ([STREET], [STREET], -1, False, "time-limited"), ([STREET], [STREET], duties.LONGEST, False, "time-limited"),
    ([STREET], [STREET], 7, True, "delegated-on"), ([STREET], [DISTRICT], -1, True, "delegated-on"), ([STREET], [DISTRICT], -1, False, "downward"),
])  # fmt: skip
def test_a_delegation_goes_downward_for_a_time_and_not_on(own, theirs, days, delegated, broken):
    """Domain 5.3.6."""
    found = duties.may_delegate(own, theirs, today=TODAY, until=TODAY + timedelta(days=days), delegated=delegated)
    assert (found and found.rule) == broken
