"""Ends of a benefit that need their facts: who will not be re-checked, whose own share is taken for refused work, who died."""

from __future__ import annotations

import pytest

from processes import conclusions, review_2012
from tests.api_roads import Roads
from tests.web.test_pages import Desk
from tests.web.test_scenarios import elders

pytestmark = pytest.mark.usefixtures("registries")
STOP = {"conclusion": "stop", "opinion": "停发", "clause": "第三十二条"}


@pytest.fixture
def roads(bureau, district) -> Roads:
    return Roads(bureau, district)


def in_benefit(roads: Roads, *incomes: str, **last: object) -> None:
    roads.clock.set("2018-10-08T09:00")
    roads.granted(roads.register(*elders(*incomes, **last)))
    roads.stable()


def refused_visit(roads: Roads) -> None:
    """A rise of income is reported, and nobody lets the investigators in."""
    roads.at("2018-12-12T10:00")
    roads.report("income_up", "2018-12-10", person_id=roads.members[0])
    roads.go("clerk", "register_change", evidence_outcome="complete", check_home=True)
    assert "home_survey" in roads.open()
    roads.send("ann", "not_cooperating", contacted_on="2018-12-12", note="不开门")


def test_who_will_not_be_re_checked_is_stopped_after_two_dated_attempts_and_no_sooner(roads):
    in_benefit(roads, "1500.00", "", "")
    refused_visit(roads)
    assert roads.open() == {"second_contact": "2018-12-19"}, "the survey is put off until somebody has tried again"
    assert roads.bad(409, "ann", "POST", f"/cases/{roads.no}/messages/not_cooperating", {"contacted_on": "2018-12-12", "note": "不开门"})
    again = {"method": "visit", "contact_outcome": "refuses", "note": "仍不配合"}
    assert roads.refused(422, "officer", "second_contact", contacted_on="2018-12-12", **again)["errors"].keys() == {"contacted_on"}
    roads.at("2018-12-14T10:00")
    assert roads.refused(422, "officer", "second_contact", contacted_on="2018-12-14", method="visit", contact_outcome="refuses")["errors"].keys() == {"note"}
    roads.go("officer", "second_contact", contacted_on="2018-12-14", **again)
    assert roads.facts("contact_attempts", "last_attempt_on", "contact_outcome") == (2, "2018-12-14", "refuses")
    assert "street_opinion" in roads.open()
    assert "conclusion" in roads.refused(422, "rita", "street_opinion", conclusion="keep", opinion="维持")["errors"], "nothing was looked into"
    assert "conclusion" in roads.refused(422, "rita", "street_opinion", conclusion="joint_meeting", opinion="研究", trigger="other", special_facts="x", wish="y")["errors"]
    assert roads.concluded("stop", "no_cooperation")["outcome"] == "ended_stopped"
    found = roads.benefit()
    assert (found["exit_class"], found["exit_reason"], found["stopped_from"], found["settlements"]) == ("cleared", "no_cooperation", "2019-01", [])
    assert "拒不配合复核" in roads.letter("stop")
    roads.proven()


def test_who_is_reached_at_the_second_attempt_is_re_checked_and_not_stopped_for_the_first(roads):
    in_benefit(roads, "1500.00", "", "")
    refused_visit(roads)
    roads.at("2018-12-13T10:00")
    roads.go("officer", "second_contact", contacted_on="2018-12-13", method="phone", contact_outcome="contacted")
    assert "home_survey" in roads.open()
    roads.send("ann", "not_cooperating", contacted_on="2018-12-13", note="又不开门")
    assert roads.facts("contact_attempts") == 2
    assert "street_opinion" in roads.open()
    roads.go("rita", "street_opinion", conclusion="return_survey", opinion="再查一次")
    roads.looked_into()
    said = {**STOP, "reason_code": "no_cooperation"}
    assert roads.refused(403, "rita", "street_opinion", **said)["rule"] == "reason-without-fact", "he was re-checked in the end"
    assert roads.concluded("keep", "unchanged")["outcome"] == "ended_kept"
    roads.proven()


def test_an_attempt_of_before_is_forgotten_when_the_household_comes_by_itself(roads):
    in_benefit(roads, "1500.00", "", "")
    refused_visit(roads)
    roads.send("clerk", "change_reported", kind="other", event_on="2018-12-12", reported_on="2018-12-12", channel="window", reported_by="household", details="说明")
    assert roads.facts("contact_attempts", "last_attempt_on") == (None, None)
    roads.go("clerk", "register_change", evidence_outcome="complete", check_home=True)
    roads.send("ann", "not_cooperating", contacted_on="2018-12-12", note="不开门")
    assert roads.open() == {"second_contact": "2018-12-19"}
    roads.proven()


REFUSALS = [{"refused_on": day, "job": "保洁员", "said": "不愿意"} for day in ("2018-12-01", "2018-12-05", "2018-12-10")]


def test_three_refusals_of_work_take_the_member_s_own_share_and_nobody_else_s(roads):
    """920 x 3 - 1500 = 1260; the share of one is 920 - 500 = 420."""
    in_benefit(roads, "1500.00", "", "", employment="none")
    head, idle = roads.members[0], roads.members[1]
    roads.at("2018-12-12T10:00")
    roads.report("other", "2018-12-10", person_id=idle, reported_by="staff", channel="visit")
    roads.go("clerk", "register_change", evidence_outcome="complete", check_home=True,
             persons=[{"person_id": idle, "employment": "unemployed", "labour_ability": "full"}, {"person_id": head, "employment": "retired"}])  # fmt: skip
    roads.looked_into()
    assert roads.facts("amount_fen", "share_fen") == (126_000, 42_000)
    said = {"conclusion": "decrease", "reason_code": "refused_jobs", "opinion": "扣减", "clause": "第四十五条", "refusing_member": idle, "job_refusals": REFUSALS}
    for wrong, field in (({"job_refusals": REFUSALS[:2]}, "job_refusals"), ({"job_refusals": REFUSALS[::-1]}, "job_refusals"), ({"refusing_member": head}, "refusing_member"),
                         ({"job_refusals": [REFUSALS[0], *REFUSALS[:2]]}, "job_refusals"), ({"conclusion": "stop"}, "conclusion"), ({"conclusion": "keep"}, "conclusion"),
                         ({"reason_code": "income_changed"}, "refusing_member")):  # fmt: skip
        assert field in roads.refused(422, "rita", "street_opinion", **{**said, **wrong})["errors"], wrong
    assert "refusing_member" in roads.refused(422, "rita", "street_opinion", **{n: v for n, v in said.items() if n != "refusing_member"})["errors"]
    assert roads.refused(403, "rita", "street_opinion", **{**said, "refusing_member": 1})["rule"] == "not-a-member"
    end = roads.concluded("decrease", "refused_jobs", refusing_member=idle, job_refusals=REFUSALS)
    assert end["outcome"] == "ended_changed"
    assert roads.facts("decided_fen", "overpaid_fen") == (84_000, 0)
    assert roads.payable("2018-12", "2019-01") == [126_000, 84_000]
    found = roads.benefit()
    assert (found["status"], found["members"], found["adjustments"][-1]["reason_code"]) == ("active", 3, "refused_jobs")
    letter = roads.letter("adjustment")
    assert "840.00元" in letter
    assert "2018年12月1日、2018年12月5日、2018年12月10日" in letter
    assert "（920.00元－家庭月人均收入500.00元）×1人＝420.00元" in letter
    assert "（920.00 − 500.00）× 1 = 420.00" in Desk(roads.app, "auditor").text(f"/cases/{roads.no}?tab=means"), "the page says how it follows"
    roads.proven()


def test_a_review_takes_the_share_too_and_keeps_it_while_he_goes_on_refusing(roads):
    in_benefit(roads, "1500.00", "", "", employment="none")
    idle = roads.members[1]
    roads.at("2018-12-12T10:00")
    taken = {"reason_code": "refused_jobs", "refusing_member": idle, "job_refusals": REFUSALS}
    for conclusion, outcome in (("decrease", "ended_changed"), ("keep", "ended_kept"), ("increase", "ended_changed")):
        roads.start("review-2012", "officer", household_id=roads.home, occasion="early", note="人社部门通知")
        roads.go("officer", "contact_household", contacted_on=roads.today, method="phone", contact_outcome="contacted")
        roads.looked_into()
        said = taken if conclusion != "increase" else {"reason_code": "income_changed"}
        roads.go("rita", "street_opinion", conclusion=conclusion, opinion="情况属实", clause="第四十五条", **said)
        roads.go("lee", "street_signoff", signoff="agree", opinion="同意")
        if conclusion != "keep":
            roads.go("app", "decide", decision="approved", opinion="同意")
        assert roads.deliver("deliver_conclusion")["outcome"] == outcome
        roads.proven()
        if conclusion == "decrease":
            assert roads.payable("2018-12", "2019-01") == [126_000, 84_000]
            roads.at("2019-01-02T10:00")
    assert roads.payable("2019-01", "2019-02") == [84_000, 126_000], "who works again has his share again"


def test_of_a_household_of_one_nothing_is_left_after_three_refusals(roads):
    in_benefit(roads, "500.00")
    [idle] = roads.members
    roads.at("2018-12-12T10:00")
    roads.report("other", "2018-12-10", person_id=idle, reported_by="staff", channel="visit")
    roads.go("clerk", "register_change", evidence_outcome="complete", check_home=True, persons=[{"person_id": idle, "employment": "unemployed", "labour_ability": "full"}])
    roads.looked_into()
    said = {"refusing_member": idle, "job_refusals": REFUSALS}
    assert "conclusion" in roads.refused(422, "rita", "street_opinion", conclusion="decrease", reason_code="refused_jobs", opinion="扣减", clause="x", **said)["errors"]
    assert roads.concluded("stop", "refused_jobs", **said)["outcome"] == "ended_stopped"
    assert roads.payable("2018-12", "2019-01") == [42_000, 0]
    roads.proven()


def test_nobody_goes_on_being_paid_who_died_whatever_a_survey_computes(roads):
    in_benefit(roads, "500.00")
    [alone] = roads.members
    roads.at("2018-12-12T10:00")
    roads.report("death", "2018-12-10", person_id=alone, reported_by="committee", channel="visit")
    roads.go("clerk", "register_change", evidence_outcome="complete")
    assert roads.facts("exit_reason") == "death_single"
    roads.go("rita", "street_opinion", conclusion="return_survey", opinion="先入户")
    roads.looked_into()
    assert roads.facts("category", "amount_fen") == ("dibao", 42_000), "the arithmetic knows nothing of it"
    for conclusion, reason in (("keep", "unchanged"), ("suspend", "under_verification"), ("stop", "voluntary")):
        said = {"conclusion": conclusion, "reason_code": reason, "opinion": "x", "clause": "x"}
        assert roads.refused(403, "rita", "street_opinion", **said)["rule"] in ("recipient-gone", "reason-without-fact")
    assert roads.refused(403, "rita", "street_opinion", conclusion="keep", opinion="维持")["rule"] == "recipient-gone"
    assert roads.concluded("stop", "death_single")["outcome"] == "ended_stopped"
    roads.proven()


SNAPSHOT = {"first": "2018-12", "over": {}, "charged": {}, "later": [], "pay_suspended": None, "due": None}


def test_a_fraud_that_the_household_told_itself_replays_as_it_was_counted(db_url):
    """Rules of versions 1 and 2 said 主动退保; from version 3 on it is 清查退保 (domain 2.9)."""
    from datetime import date

    from processes.bureau import CATALOGUE

    facts = {"conclusion": "stop", "reason_code": "fraud", "exit_trigger": "voluntary", "decided_on": "2018-12-12"}
    process, day = CATALOGUE["change-report-2012"], date(2018, 12, 12)
    said = [process.service("apply_conclusion", facts, day, SNAPSHOT, version=n)["exit_class"] for n in (1, 2, 3)]
    assert said == ["voluntary", "voluntary", "cleared"]
    assert process.rule("apply_conclusion") == 3
    assert (CATALOGUE["review-2012"].rule("assess"), process.rule("assess")) == (3, 3)
    assert review_2012.assess_2 is not conclusions.assess_2
