"""The rules of temporary assistance, case by case (domain 2.5, 3.10; N23, N47, N649 art 48)."""

from __future__ import annotations

from collections import Counter
from datetime import date
from fractions import Fraction
from itertools import product

import pytest
from lxml import etree

from engine.lint import check_drawing
from processes import duties, law, programmes, temporary
from processes.bureau import CATALOGUE
from processes.organisation import ROLES

B, DI = "{http://www.omg.org/spec/BPMN/20100524/MODEL}", "{http://www.omg.org/spec/BPMN/20100524/DI}"
PROCESS = CATALOGUE["temporary-assistance"]
DAY = date(2019, 2, 5)


@pytest.mark.parametrize(("kind", "basis", "told"), [
    *((kind, basis, "accept") for kind, basis in product(("emergency", "expenditure"), ("local_hukou", "residence_permit"))),
    ("emergency", "none", "refer"), ("expenditure", "none", "refer"), ("emergency", "unknown", "accept"), ("expenditure", "unknown", "identify"),
])  # fmt: skip
def test_who_takes_a_request(kind, basis, told):
    assert temporary.intake(kind, basis) == told


@pytest.mark.parametrize(("on", "persons", "fen"), [
    (DAY, 1, 276_000), (date(2019, 4, 1), 1, 294_000), (date(2021, 8, 30), 2, 606_000), (date(2018, 1, 23), 1, 258_000), (date(2025, 9, 1), 3, 940_500)])  # fmt: skip
def test_emergency_help_is_at_most_three_standards_for_each_person(on, persons, fen):
    cap = temporary.emergency_cap(on, "urban", persons)
    assert cap.fen == fen
    assert cap.unverified == (cap.months.source != "TTEMP21"), "only the news of 2021 gives the number"


def test_nobody_is_no_number_of_persons():
    with pytest.raises(ValueError, match="persons"):
        temporary.emergency_cap(DAY, "urban", 0)


@pytest.mark.parametrize(("on", "district", "fen", "source", "unverified"), [
    (DAY, "120116", 552_000, "design", True), (date(2021, 8, 29), "120116", 606_000, "design", True), (date(2021, 8, 30), "120116", 606_000, "TTEMP21", False),
    (date(2021, 8, 24), "120117", 1_212_000, "TDEL", True), (date(2021, 8, 23), "120117", 606_000, "design", True)])  # fmt: skip
def test_up_to_which_the_street_decides_is_the_districts_own_parameter(on, district, fen, source, unverified):
    limit = temporary.street_limit(on, "urban", district)
    assert (limit.fen, limit.months.source, limit.unverified) == (fen, source, unverified)


@pytest.mark.parametrize(("fen", "by"), [(0, "street"), (605_999, "street"), (606_000, "street"), (606_001, "district")])
def test_the_limit_itself_is_the_streets(fen, by):
    assert temporary.decider(fen, 606_000) == by


@pytest.mark.parametrize(("a_month", "owns_too_much", "told"), [
    (Fraction(37_022, 12) - Fraction(1, 1200), False, "fits"), (Fraction(37_022, 12), False, "refused_income"), (Fraction(0), False, "fits"),
    (Fraction(500), True, "refused_property"), (Fraction(4000), True, "refused_both"),
])  # fmt: skip
def test_income_is_below_the_figure_of_the_place_and_property_within_the_rule(a_month, owns_too_much, told):
    assert temporary.fits(a_month, not owns_too_much, DAY) == told


@pytest.mark.parametrize(("item", "wrong"), [
    ({"form": "cash", "amount": 1}, set()), ({"form": "cash", "amount": 0}, {"amount"}), ({"form": "cash"}, {"amount"}), ({"form": "goods", "amount": 5}, set()),
    ({"form": "goods", "amount": 5, "referred_to": "医院"}, {"referred_to"}), ({"form": "referral", "referred_to": "医院"}, set()), ({"form": "referral"}, {"referred_to"}),
    ({"form": "referral", "referred_to": "医院", "amount": 5}, {"amount"}), ({}, set())])  # fmt: skip
def test_each_form_of_help_says_what_it_is_worth_or_to_whom(item, wrong):
    assert temporary.wrong_item(item).keys() == wrong


def test_the_same_cause_counts_by_the_calendar_year_and_the_case():
    rows = [{"case_no": "a", "cause": "fire", "year": 2018}, {"case_no": "b", "cause": "fire", "year": 2019}, {"case_no": "b", "cause": "medical", "year": 2019}]
    assert temporary.same_cause(rows, "fire", date(2019, 12, 31)) == ["b"]
    assert temporary.same_cause(rows, "fire", date(2018, 1, 30)) == ["a"]
    assert temporary.same_cause(rows, "fire", date(2020, 1, 1)) == temporary.same_cause(rows, "education", DAY) == []


def test_before_the_paper_of_2018_there_is_no_such_procedure():
    assert not temporary.in_force(date(2018, 1, 22))
    assert temporary.in_force(date(2018, 1, 23))


def test_every_cause_belongs_to_a_kind_and_every_kind_has_causes():
    kinds = {code for code, _, _ in temporary.KINDS}
    assert {kind for *_, of in temporary.CAUSES for kind in of} == kinds


def test_the_drawing_is_drawn_once_and_its_posts_are_real():
    tree = etree.fromstring(PROCESS.bpmn.read_bytes())
    assert check_drawing(PROCESS.bpmn.read_bytes()) == []
    shown = Counter(s.get("bpmnElement") for s in tree.iter(f"{DI}BPMNShape"))
    assert set(shown.values()) == {1}
    assert {e.get("id") for e in tree.iter(f"{B}lane", f"{B}participant", f"{B}userTask", f"{B}subProcess")} <= set(shown)
    assert all(node.role in ROLES for node in PROCESS.drawing.of_kind("userTask").values())


def test_limits_are_the_laws_and_not_the_drawings():
    due = {node.id: node.due for node in PROCESS.drawing.of_kind("userTask").values()}
    assert due["emergency_register"] == due["emergency_signoff"] == "workdays('followup_workdays', since='helped_on')"
    assert due["street_confirmation"] == due["decide"] == "workdays('temp_workdays', since='accepted_on')"


def test_who_pays_and_who_decides_are_two_by_rules_that_a_verifier_is_given():
    rules = {one["rule"]: one for one in duties.rules({node.id for node in PROCESS.drawing.nodes.values()})}
    assert {"emergency_pay", "pay_grant"} <= set(rules["decider-pays"]["nodes"])
    assert {"emergency_decide", "emergency_signoff", "street_confirmation", "decide"} <= set(rules["decider-pays"]["others"])
    assert rules["payer-decides"]["nodes"] == rules["decider-pays"]["others"]


def test_the_estimate_for_everybody_uses_the_same_values():
    said = programmes.assess({"benefit_month": "2021-09", "applied_on": "2021-09-06", "hukou_kind": "urban", "programmes": ["temporary_assistance"],
                              "members": [{"ref": str(n), "birth_date": "1975-03-01", "income": []} for n in range(2)]})  # fmt: skip
    [told] = said["programmes"]
    assert told["verdict"] == "ask"
    assert {"6060.00", "43854"} <= {line["figure"] for line in told["lines"]}
    assert [line["source"] for line in told["lines"] if line["figure"] == "6060.00"] == ["TTEMP21", "TTEMP21"], "2 x 3 standards, and 6 of the street"
    assert told["to_confirm"] is True, "the income figure is still to be confirmed"


@pytest.mark.parametrize("name", ["temp_followup_workdays", "temp_workdays", "temp_notice_days", "temp_same_cause_yearly", "temp_income_limit", "temp_street_limit_months_120117"])
def test_what_no_paper_says_for_certain_is_marked(name):
    assert all(value.unverified for value in law.rows(name))
