"""Each habit by which somebody comes to have a say in a task, against each conflict of duties: none is a way around the rules."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from engine import store
from engine.cases import Cases, TaskAct, acts_of, barred, signer_barred
from engine.habits import Habits
from engine.model import Actor
from processes.dibao_2012 import DIBAO_2012
from tests.processes.test_duties import ALLOWED, FORBIDDEN, ROLES

UNIT = "120116001"


class Fake:
    """As much of an open case as the rules look at."""

    def __init__(self, *done: tuple[str, str]) -> None:
        self.process = replace(DIBAO_2012, recused=None)
        self.row, self.recused = {"opened_by": "somebody"}, frozenset[str]()
        self.tasks = [{"node": node, "state": "done", "done_by": who, "done_for": None, "signers": None} for node, who in done]
        self.run = type("Run", (), {"facts": {}})()

    @property
    def acts(self) -> list[TaskAct]:
        return acts_of("somebody", self.tasks)


def actor(login: str, role: str, behalf: str | None = None) -> Actor:
    return Actor(login, roles=frozenset({role}), unit=UNIT, on_behalf_of=behalf)


def rule_for(habit: str, done: str, node: str, by: str = "done_by") -> str | None:
    """The rule that keeps "x", who has done `done` in the way `by`, from `node` when he comes to it by the habit."""
    role = ROLES[node]
    old: dict[str, Any] = {"node": done, "state": "done", "done_by": "y", "done_for": None, "signers": None}
    old |= {"done_by": {"done_by": "x"}, "done_for": {"done_for": "x"}, "signer": {"signers": "z:after:asked x:before:agreed"}}[by]
    acts = acts_of("somebody", [old])
    task = {"node": node, "role": role, "unit": UNIT, "assignee": None}
    if habit == "signer":
        case = Fake()
        case.tasks = [old]
        broken = signer_barred(None, case, task, actor("x", role))  # type: ignore[arg-type]
    else:
        who = {"substitute": actor("x", role, "away"), "absent": actor("deputy", role, "x")}.get(habit, actor("x", role))
        verb = habit if habit in ("claim", "transfer", "delegate") else "complete"
        broken = barred(None, Fake().process, {}, acts, task, verb, who)  # type: ignore[arg-type]
    return broken and broken.rule


HABITS = ("claim", "transfer", "delegate", "complete", "signer", "substitute", "absent")
WAYS = ("done_by", "done_for", "signer")


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("habit", HABITS)
def test_no_habit_leads_around_a_conflict_of_duties(habit, way):
    found = {(done, node): rule_for(habit, done, node, way) for done, node, _ in FORBIDDEN}
    assert found == {(done, node): rule for done, node, rule in FORBIDDEN}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("habit", HABITS)
def test_what_one_may_do_twice_he_may_also_by_a_habit(habit, way):
    assert {pair: rule_for(habit, *pair, way) for pair in ALLOWED if "cosign" not in pair[1]} == {pair: None for pair in ALLOWED if "cosign" not in pair[1]}


@pytest.mark.parametrize("node", ROLES)
def test_a_signer_covers_the_unit_and_does_more_than_look_on(node):
    task = {"node": node, "role": ROLES[node], "unit": UNIT, "assignee": None}
    case: Any = Fake()
    found = {role: signer_barred(None, case, task, actor("x", role)) for role in ("auditor", "admin", "volunteer")}  # type: ignore[arg-type]
    assert {role: b and b.rule for role, b in found.items()} == dict.fromkeys(found, "watcher-signs")
    away = Actor("x", roles=frozenset({ROLES[node]}), unit="120116005")
    broken = signer_barred(None, case, task, away)  # type: ignore[arg-type]
    assert broken is not None
    assert broken.rule == "unit"


def test_an_answer_counts_as_an_act_and_a_question_does_not():
    tasks = [{"node": "street_opinion", "state": "open", "done_by": None, "done_for": None, "signers": "a:before:asked b:before:agreed c:after:disagreed d:after:withdrawn"}]
    assert acts_of(None, tasks) == [TaskAct("street_opinion", "b"), TaskAct("street_opinion", "c")]


@pytest.mark.parametrize("habit", ["add_signers", "copy", "comment", "note", "urge", "transfer"])
def test_a_near_relative_gets_nothing_to_do_with_the_case(district, habit):
    """By every habit, in either role: as who acts, or as who is named."""
    from engine.errors import Refused
    from processes import households, organisation

    home = district.household(210_000)
    with district.office.act() as act:
        row = households.members_of(act.conn, home)[0]
        number = act.keys.reveal("person", "id_no", row["person_id"], row["id_no"])
        organisation.declare_relative(act, "clerk2", "sibling", "张一", number)
    district.apply(home)
    task = district.tasks()["completeness_check"]["id"]
    do = district.bureau.habits
    with district.office.act(district.people["clerk"]) as act:
        district.cases.claim(act, task)
    named = {"add_signers": lambda act: do.add_signers(act, task, "before", ["clerk2"], "问"), "copy": lambda act: do.copy(act, task, ["clerk2"]),
             "transfer": lambda act: district.cases.transfer(act, task, "clerk2", "忙")}  # fmt: skip
    acting = {"comment": lambda act: do.comment(act, task, "x"), "note": lambda act: do.note(act, task, "x"), "urge": lambda act: do.urge(act, task),
              "copy": lambda act: do.copy(act, task, ["sue"])}  # fmt: skip
    for who, works in (("clerk", named), ("clerk2", acting)):
        if habit in works:
            with pytest.raises(Refused) as refused, district.office.act(district.people[who]) as act:
                works[habit](act)
            assert refused.value.rule == "near-relative"
    assert len(named | acting) == 6


def test_a_completion_of_an_older_version_that_gathered_is_not_taken_back():
    """It did not say whether its gathering wrote elsewhere, so nothing is assumed."""
    from engine.errors import Refused
    from engine.model import Entry

    said = {"event": "task_completed", "data": {"task": "neighbor_enquiry.1", "then": {"ran": [["assess", {}]]}}}
    entry = Entry(1, 2, b"", "", said)
    case: Any = Fake()
    task = {"key": "neighbor_enquiry.1", "node": "neighbor_enquiry"}
    with pytest.raises(Refused) as refused:
        Habits(Cases({}))._only_tasks(None, case, task, [entry, entry], entry)  # type: ignore[arg-type]
    assert refused.value.rule == "take-back-effects"


def test_the_rules_are_asked_again_of_the_completer_when_the_last_signer_agrees(district):
    """Between handing in and the last consent the completer was found to be a near relative: it goes back to him, nothing is done."""
    from processes import households, organisation

    district.to_street_opinion()
    district.review()
    task = district.tasks()["street_opinion"]["id"]
    with district.office.act(district.people["rita"]) as act:
        district.bureau.habits.add_signers(act, task, "after", ["officer"], "请会签")
    district.do("rita", "street_opinion", street_outcome="propose_grant", opinion="拟同意")
    with district.office.act() as act:
        row = households.members_of(act.conn, district.facts()["household_id"])[0]
        number = act.keys.reveal("person", "id_no", row["person_id"], row["id_no"])
        organisation.declare_relative(act, "rita", "sibling", "张一", number)
    with district.office.act(district.people["officer"]) as act:
        district.bureau.habits.sign(act, task, agrees=True, words="同意")
    with district.office.read() as conn:
        held = conn.execute(select(store.held)).mappings().one()
    assert held["state"] == "returned"
    assert set(district.tasks()) == {"street_opinion"}
