"""The assessment for everybody: which programmes fit, what is refused by name, and that nothing is called a decision."""

from __future__ import annotations

import pytest

from processes import programmes
from processes.eligibility_facts import BadFacts


def facts(**more):
    return {"benefit_month": "2018-12", "applied_on": "2018-12-03", "hukou_kind": "urban", "members": [
        {"ref": "1", "relation": "head", "birth_date": "1975-03-01", "sex": "male", "employment": "employed", "income": [{"kind": "wage_income", "amount": "2100.00"}]},
        {"ref": "2", "relation": "spouse", "birth_date": "1976-03-01", "labour_ability": "completely_lost"},
        {"ref": "3", "relation": "child", "birth_date": "2010-03-01", "full_time_student": True}]} | more  # fmt: skip


def of(said):
    return {one["programme"]: one for one in said["programmes"]}


def one(income: str, **more):
    return [{"ref": "1", "birth_date": "1975-03-01", "income": [{"kind": "transfer_income", "amount": income}], **more}]


def test_a_household_below_the_standard_is_told_all_it_needs():
    said = programmes.assess(facts(community="120116001016"))
    told = of(said)
    assert (said["decision"], list(told)) == (False, list(programmes.PROGRAMMES))
    assert (told["dibao"]["verdict"], told["dibao"]["amount"]) == ("fits", "660.00")
    assert any("N220 art 27" in line["source"] and "（民发〔2012〕220号）第27条" in line["article"] for line in told["dibao"]["lines"])
    assert told["low_income"]["verdict"] == told["illness_expenditure"]["verdict"] == "does_not_fit"
    assert told["temporary_assistance"]["verdict"] == "ask" and told["temporary_assistance"]["amount"] is None
    assert [paper["paper"] for paper in said["papers"]] == ["application_form", "declaration", "authorization", "id_card", "hukou_book", "income_proof",
                                                           "study_certificate", "labour_loss_certificate", "near_relative_statement"]  # fmt: skip
    assert said["where"]["street_name"] == "塘沽街道" and "塘沽街道社会救助窗口" in said["where"]["zh"]
    assert "不是决定" in said["notice"]["zh"]
    assert list(of(programmes.assess(facts(programmes=["low_income"])))) == ["low_income"]


def test_the_low_income_band_pays_only_for_a_hardship():
    with_one = of(programmes.assess(facts(members=one("1000.00"), hardships=["disabled_member"])))["low_income"]
    without = of(programmes.assess(facts(members=one("1000.00"))))["low_income"]
    assert (with_one["verdict"], with_one["amount"], without["verdict"], without["amount_fen"]) == ("fits", "276.00", "fits", 0)
    assert of(programmes.assess(facts(members=one("920.00"))))["dibao"]["verdict"] == "ask", "on the very line: domain 3.3"


@pytest.mark.parametrize(
    ("month", "member", "verdict"),
    [
        ("2018-12", {"birth_date": "1951-01-01"}, "ask"),
        ("2018-12", {"birth_date": "1958-12-03"}, "ask"),  # sixty on the day
        ("2018-12", {"birth_date": "1958-12-04"}, "does_not_fit"),
        ("2018-12", {"disability_kind": "limb", "disability_grade": 2}, "does_not_fit"),  # domain 3.9, 25
        ("2021-07", {"disability_kind": "limb", "disability_grade": 2}, "ask"),
        ("2021-07", {"disability_kind": "vision", "disability_grade": 1}, "ask"),
        ("2018-12", {"disability_kind": "vision", "disability_grade": 1}, "does_not_fit"),
        ("2018-12", {"disability_kind": "mental", "disability_grade": 3}, "does_not_fit"),
        ("2021-07", {"disability_kind": "mental", "disability_grade": 3}, "ask"),
    ],
)
def test_who_may_be_destitute_by_the_version_of_the_day(month, member, verdict):
    told = of(programmes.assess(facts(benefit_month=month, applied_on=f"{month}-03", members=one("300.00", **member))))["destitute"]
    assert told["verdict"] == verdict
    if verdict == "ask":
        assert (told["amount"], told["per"], told["to_confirm"]) == ("1780.00" if month == "2018-12" else "1870.00", "person", True)
        assert "请咨询" in told["lines"][0]["zh"], "whether supporters are able is for the street to find"


def test_costs_of_an_illness_are_counted_but_never_promised():
    """Domain 3.10: (a) 90,000 a year, 72,000 paid: 500.00 a head; (c) 60 % from 2025 on."""
    family = facts(members=[{"ref": "1", "birth_date": "1975-03-01", "income": [{"kind": "transfer_income", "amount": "7500.00"}]},
                            {"ref": "2", "birth_date": "1976-03-01"}, {"ref": "3", "birth_date": "1950-03-01"}])  # fmt: skip
    assert of(programmes.assess(family))["illness_expenditure"]["verdict"] == "ask"
    told = of(programmes.assess(family | {"medical_self_paid": "72000.00"}))["illness_expenditure"]
    assert (told["verdict"], told["lines"][0]["figure"], told["amount"]) == ("ask", "500.00", None)
    assert "请咨询" in told["lines"][-1]["zh"]
    assert of(programmes.assess(family | {"medical_self_paid": "40000.00"}))["illness_expenditure"]["lines"][0]["figure"] == "1388.89"
    later = family | {"benefit_month": "2025-03", "applied_on": "2025-03-03"}
    verdicts = [of(programmes.assess(later | {"medical_self_paid": paid}))["illness_expenditure"]["verdict"] for paid in ("54000.00", "53999.00")]
    assert verdicts == ["ask", "does_not_fit"]


def _with(n=0, **member):
    said = facts()
    said["members"][n] |= member
    return said


BAD = [
    (facts(programmes=["housing"]), "programmes.0"),
    (facts(community="999"), "community"),
    ({**facts(), "members": [{"ref": "1"}]}, "members.0.birth_date"),
    (_with(income=[{"kind": "wage_income", "amount": "-1"}]), "members.0.income.0.amount"),
    (_with(income=[{"kind": "wage_income", "amount": "1" + "0" * 30}]), "members.0.income.0.amount"),
    (_with(income=[{"kind": "wage_income", "amount": "２１００"}]), "members.0.income.0.amount"),
    (facts(medical_self_paid="１"), "medical_self_paid"),
    (facts(medical_self_paid="-1"), "medical_self_paid"),
    (_with(birth_date="１９７５-03-01"), "members.0.birth_date"),
    (_with(birth_date="1875-03-01"), "members.0.birth_date"),
    (_with(birth_date="2030-03-01"), "members.0.birth_date"),
    (_with(2, employment="employed"), "members.2.employment"),
    (_with(1, relation="head"), "members.1.relation"),
    (_with(2, relation="spouse"), "members.2.relation"),
    (_with(1, employment="employed"), "members.1.labour_ability"),
    (_with(0, disability_kind="limb"), "members.0.disability_grade"),
    (_with(0, full_time_student=True), "members.0.employment"),
    (facts(childless=True), "childless"),
    (facts(hardships=["elderly_childless"]), "hardships.0"),
    (facts(hardships=["single_parent_student"]), "hardships.0"),
]


@pytest.mark.parametrize(("said", "field"), BAD, ids=[f"{n} {field}" for n, (_, field) in enumerate(BAD)])
def test_bad_or_contradictory_facts_are_refused_by_the_name_of_the_field(said, field):
    with pytest.raises(BadFacts) as caught:
        programmes.assess(said)
    assert field in caught.value.fields
