"""追责: the treatments that each category allows, who handles a matter, the right to reply, and what the ledger counts of it."""

from __future__ import annotations

import itertools
from datetime import date
from typing import Any

import pytest

from engine.errors import Conflict, EngineError, Invalid, NotFound, Refused
from engine.forms import understand
from processes import accountability, findings, ledger, rebuild
from processes.accountability import ALLOWED, CATEGORIES, SUB_TYPES, TREATMENTS, MatterProposed
from processes.findings import Finding
from processes.ledger import Asked
from tests.district import STREET

MILD = {"category": "objective_deviation", "severity": "ordinary", "treatment": "exempt", "discipline": "街道纪工委 王某", "proposal": "系统数据延迟"}
NEGLIGENT = {**MILD, "category": "subjective_intent", "sub_type": "negligence", "severity": "serious", "wrong": "wrong_grant", "treatment": "serious"}


def understood(said: dict[str, Any]) -> dict[str, Any]:
    return understand(MatterProposed(context={"today": date(2018, 12, 3), "actor": None, "lang": "zh", "facts": {}}), {name: value for name, value in said.items() if value is not None})


@pytest.mark.parametrize(("category", "sub_type"), [*itertools.product(CATEGORIES, [None, *SUB_TYPES])])
def test_each_category_allows_its_own_treatments_only(category, sub_type):
    mild = {"lighter", "mitigated", "exempt"}
    right = {"objective_deviation": mild, "reform_innovation": mild}.get(category) if sub_type is None else None
    if category == "subjective_intent" and sub_type:
        right = {"serious"} if sub_type == "negligence" else {"severe_by_discipline_and_law"}
    assert set(ALLOWED.get((category, sub_type), ())) == (right or set())
    for treatment in TREATMENTS:
        said = {**NEGLIGENT, "category": category, "sub_type": sub_type, "treatment": treatment}
        if treatment in (right or ()):
            assert understood(said)["treatment"] == treatment
        else:
            with pytest.raises(Invalid) as caught:
                understood(said)
            assert list(caught.value.fields) == (["treatment"] if right else ["sub_type"])


@pytest.mark.parametrize(("changed", "field"), [({"severity": "ordinary"}, "severity"), ({"wrong": None}, "wrong"), ({"discipline": ""}, "discipline"), ({"proposal": " "}, "proposal")])
def test_negligence_is_serious_wrong_or_missed_assistance_and_nothing_goes_without_discipline_inspection(changed, field):
    with pytest.raises(Invalid) as caught:
        understood({**NEGLIGENT, **changed})
    assert field in caught.value.fields


class Matters:
    def __init__(self, district: Any) -> None:
        self.d = district
        district.no = district.apply(district.household(210_000))
        district.accept()
        with district.office.act(district.people["auditor"]) as act:
            self.finding = findings.raise_on(act, district.cases, district.no, Finding("serious", "民发〔2012〕220号第十八条", "入户调查只有一人签字"))["finding"]

    def open(self, who: str = "sue", **said: Any) -> int:
        return self.do(who, accountability.open_matter, {"unit": STREET, "persons": "ann, bob", "findings": str(self.finding), "facts": "未到现场", **said})["matter"]

    def do(self, who: str, work: Any, *said: Any) -> dict[str, Any]:
        with self.d.office.act(self.d.people[who]) as act:
            return work(act, *said)

    def refused(self, rule: str, who: str, work: Any, *said: Any) -> None:
        with pytest.raises(Refused) as caught:
            self.do(who, work, *said)
        assert caught.value.rule == rule
        assert caught.value.en

    def told(self, who: str, number: int) -> dict[str, Any]:
        with self.d.office.read() as conn:
            row = accountability.seen(conn, self.d.people[who], number)
            return accountability.told(conn, self.d.office.keys.on(conn), [row], self.d.people[who])[0]

    def counted(self) -> dict[str, Any]:
        with self.d.office.read() as conn:
            today = self.d.office.today()
            return ledger.told(conn, Asked(STREET, date(2018, 11, 1), today), today)


@pytest.fixture
def matters(district):
    return Matters(district)


def test_a_matter_is_opened_proposed_replied_to_and_concluded_by_different_people(matters):
    number = matters.open()
    for who in ("ann", "rita", "admin"):
        with pytest.raises(NotFound):
            matters.told(who, number)  # those concerned see it once there is a proposal
    said = understood(NEGLIGENT)
    matters.refused("concerned", "sue", accountability.reply, number, {"text": "x"})
    matters.do("sue", accountability.propose, number, said)
    assert (matters.told("sue", number)["may"], matters.told("auditor", number)["may"], matters.told("ann", number)["may"]) == ([], ["conclude", "drop"], ["reply"])
    matters.do("ann", accountability.reply, number, {"text": "当日确已入户"})
    matters.refused("own-proposal", "sue", accountability.conclude, number, {"conclusion": "追究"})
    matters.refused("right-of-reply", "auditor", accountability.conclude, number, {"conclusion": "追究"})
    with pytest.raises(NotFound):
        matters.do("rita", accountability.conclude, number, {"conclusion": "追究"})
    assert (matters.counted()["violations"]["concluded"], matters.counted()["violations"]["open"]) == (0, 1)
    matters.do("bob", accountability.reply, number, {"text": "属实"})
    matters.do("auditor", accountability.conclude, number, {"conclusion": "诫勉谈话", "rectified_on": None})
    with pytest.raises(Conflict):
        matters.do("ann", accountability.reply, number, {"text": "再说"})
    told = matters.told("ann", number)
    assert (told["state"], told["concluded_by"], told["conclusion"], [one["staff"] for one in told["replies"]], told["may"]) == ("concluded", "auditor", "诫勉谈话", ["ann", "bob"], [])
    found = matters.counted()
    assert (found["violations"]["concluded"], found["violations"]["open"], found["violations"]["matters"]) == (1, 0, [number])
    assert {one["category"]: one["concluded"] for one in found["violations"]["categories"]} == {"objective_deviation": 0, "reform_innovation": 0, "subjective_intent": 1}
    assert (found["problems"]["found"], found["problems"]["settled"], found["problems"]["overdue"]) == (1, 0, 0)
    assert rebuild.differences(matters.d.office) == []


def test_silence_ends_with_the_last_day_and_a_dropped_matter_does_not_count(matters):
    number, other = matters.open(), matters.open("auditor")
    matters.do("sue", accountability.propose, number, understood(MILD))
    last = matters.told("auditor", number)["reply_until"]
    matters.d.clock.set(f"{last}T17:00")
    matters.refused("right-of-reply", "auditor", accountability.conclude, number, {"conclusion": "免于"})
    matters.d.clock.advance(days=1)
    matters.do("ann", accountability.reply, number, {"text": "迟了"})
    assert matters.told("ann", number)["replies"][0]["late"] is True
    matters.do("auditor", accountability.conclude, number, {"conclusion": "免于追责"})
    matters.refused("own-proposal", "auditor", accountability.drop, other, {"conclusion": "不实"})
    matters.do("sue", accountability.drop, other, {"conclusion": "不实"})
    with pytest.raises(Conflict):
        matters.do("sue", accountability.propose, other, understood(MILD))
    found = matters.counted()
    assert (found["violations"]["concluded"], found["violations"]["opened"]) == (1, 2)
    assert found["problems"]["overdue"] == 1, "nobody replied to the finding in time"


def test_who_may_not_open_a_matter_and_what_it_rests_on(matters):
    matters.refused("role", "rita", accountability.open_matter, {"unit": STREET, "persons": "ann", "findings": str(matters.finding), "facts": "x"})
    matters.refused("own-matter", "sue", accountability.open_matter, {"unit": STREET, "persons": "ann，sue", "findings": str(matters.finding), "facts": "x"})
    for said, field in (({"persons": "nobody"}, "persons"), ({"persons": " , "}, "persons"), ({"findings": ""}, "findings"), ({"findings": "7"}, "findings"), ({"findings": "x"}, "findings"), ({"cases": "DB-1"}, "cases")):
        with pytest.raises(EngineError) as caught:
            matters.open(**said)
        assert list(caught.value.fields) == [field]
    matters.refused("role", "sue", accountability.open_matter, {"unit": "999", "persons": "ann", "findings": str(matters.finding), "facts": "x"})
    by_case = matters.open(findings="", cases=matters.d.no)
    matters.refused("no-finding", "sue", accountability.propose, by_case, understood(NEGLIGENT))
    about_sue = matters.open("auditor", persons="sue")
    with pytest.raises(NotFound):
        matters.do("sue", accountability.propose, about_sue, understood(MILD))
    matters.do("auditor", accountability.propose, about_sue, understood(MILD))
    matters.refused("own-matter", "sue", accountability.conclude, about_sue, {"conclusion": "免于"})
