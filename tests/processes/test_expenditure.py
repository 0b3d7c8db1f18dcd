"""The arithmetic of families in hardship for their expenses (domain 3.10): its test vectors, every line from both sides, each expense."""

from __future__ import annotations

from datetime import date
from fractions import Fraction

import pytest

from engine import audit_verify
from processes import computation, expenditure, law
from processes.eligibility_facts import BadFacts
from processes.illness_expenditure import assess_expenditure

IN_2018, IN_2025 = date(2018, 12, 3), date(2025, 3, 10)


def judged(on, income, paid, members=3, standard="920", **more):
    return expenditure.judge(on, Fraction(income), members, Fraction(paid), standard=Fraction(standard), **more)


@pytest.mark.parametrize(("on", "income", "paid", "members", "category", "field", "figure"), [
    (IN_2018, 90_000, 72_000, 3, "illness_expenditure", "net_per_capita", "500.00"),  # (a)
    (IN_2018, 90_000, 40_000, 3, "refused_expenditure", "net_per_capita", "1388.89"),  # (b)
    (IN_2025, 50_000, 30_000, 1, "rigid_expenditure", "share", "60.0"),  # (c)
    (IN_2025, 50_000, 29_999, 1, "refused_expenditure", "share", "59.9"),  # (c): cut off, never rounded up to the line
    (IN_2018, 90_000, "56880", 3, "refused_expenditure", "net_per_capita", "920.00"),  # at the standard is not below it
    (IN_2018, 90_000, "56880.01", 3, "illness_expenditure", "net_per_capita", "920.00"),
    (IN_2018, 30_000, 0, 3, "refused_expenditure", "net_per_capita", "833.33"),  # no expense: no hardship for expenses
    (IN_2018, 90_000, 100_000, 3, "illness_expenditure", "net_per_capita", "0.00"),  # more than the income: never below nought
    (IN_2025, 0, 1, 1, "rigid_expenditure", "share", None),
    (IN_2025, 0, 0, 1, "refused_expenditure", "share", None),
])  # fmt: skip
def test_the_vectors_and_the_lines(on, income, paid, members, category, field, figure):
    found = judged(on, income, paid, members)
    assert (found["category"], found[field], found["qualifies"]) == (category, figure, not category.startswith("refused"))


@pytest.mark.parametrize(("head", "category"), [("37021.99", "illness_expenditure"), ("37022", "refused_income"), ("37022.01", "refused_income")])
def test_the_income_per_head_is_below_the_disposable_income_of_last_year(head, category):
    found = judged(IN_2018, Fraction(head) * 3, Fraction(head) * 3)
    assert (found["category"], found["cap_year"]) == (category, "37022.00")


@pytest.mark.parametrize(("on", "category", "said"), [
    (IN_2018, "dibao", "refused_dibao"), (IN_2025, "dibao", "refused_dibao"), (IN_2025, "low_income", "refused_edge"), (IN_2018, "low_income", "illness_expenditure")])
def test_who_has_another_programme_is_not_recognised(on, category, said):
    assert judged(on, 30_000, 30_000, category=category)["category"] == said


@pytest.mark.parametrize(("category", "said"), [("refused_vehicle", "refused_vehicle"), ("refused_income", "refused_property")])
def test_property_over_the_low_income_limits(category, said):
    assert judged(IN_2018, 90_000, 80_000, category=category, band_property_ok=False)["category"] == said


@pytest.mark.parametrize("bad", [{"members": 0}, {"income": -1}, {"paid": -1}])
def test_figures_that_are_none(bad):
    with pytest.raises(ValueError, match="members"):
        judged(IN_2018, bad.get("income", 1), bad.get("paid", 1), bad.get("members", 1))


@pytest.mark.parametrize(("applied", "first"), [(date(2025, 3, 10), date(2024, 3, 11)), (date(2024, 2, 29), date(2023, 3, 1)), (date(2025, 2, 28), date(2024, 2, 29)), (date(2025, 12, 31), date(2025, 1, 1))])
def test_the_twelve_months_before_an_application(applied, first):
    assert expenditure.window(applied, 12) == (first, applied)


@pytest.mark.parametrize(("on", "last"), [(date(2025, 3, 10), date(2026, 3, 9)), (date(2024, 2, 29), date(2025, 2, 27)), (date(2025, 12, 31), date(2026, 12, 30)), (date(2025, 1, 1), date(2025, 12, 31))])
def test_a_recognition_is_valid_for_twelve_months(on, last):
    assert expenditure.valid_until(on) == last


# -- the whole: a household with its expenses


def family(*spent, applied="2018-12-03", month="2019-01", income="7500.00", **more):
    return {"benefit_month": month, "applied_on": applied, "hukou_kind": "urban", "members": [
        {"ref": "1", "relation": "head", "birth_date": "1975-03-01", "income": [{"kind": "transfer_income", "amount": income}]},
        {"ref": "2", "relation": "spouse", "birth_date": "1976-03-01"}, {"ref": "3", "relation": "parent", "birth_date": "1950-03-01"},
        {"ref": "4", "relation": "other", "birth_date": "1950-03-01", "excluded_reason": "prison"}], "expenses": list(spent)} | more  # fmt: skip


def item(amount, kind="medical", paid_on="2018-06-01", ref="2", compliant=True, **more):
    return {"ref": ref, "kind": kind, "amount": amount, "paid_on": paid_on, "institution": "区医院", "compliant": compliant, "source": "checked"} | more


def test_every_expense_has_its_line_and_the_sum_is_exact():
    found = expenditure.assess(family(item("36000.00"), item("36000.00", paid_on="2017-12-04"), item("9000.00", paid_on="2017-12-03"), item("500.00", compliant=False),
                                      item("800.00", kind="education"), item("50000.00", kind="house"), item("7000.00", ref="4")))  # fmt: skip
    assert (found["category"], found["net_per_capita"], found["expenses"], found["income_year"], found["members_counted"]) == ("illness_expenditure", "500.00", "72000.00", "90000.00", 3)
    assert [line["code"] for line in found["lines"] if line["code"].startswith("expense")] == ["expense", "expense", *["expense_out"] * 5, "expenses"]
    assert all(line["zh"] and line["en"] and line["source"] for line in found["lines"])
    assert {"temp_income_limit", "expenditure_months"} <= set(found["unverified"]), "configuration says so"


def test_since_2025_education_and_rehabilitation_count_and_a_house_never():
    spent = [item("20000.00", paid_on="2024-06-01"), item("20000.00", kind="education", paid_on="2024-09-01"), item("14000.00", kind="rehabilitation", paid_on="2025-03-10"),
             item("99000.00", kind="house", paid_on="2024-06-01"), item("99000.00", kind="car", paid_on="2024-06-01"), item("5000.00", paid_on="2024-03-10")]  # fmt: skip
    found = expenditure.assess(family(*spent, applied="2025-03-10", month="2025-04"))
    assert (found["category"], found["expenses"], found["share"]) == ("rigid_expenditure", "54000.00", "60.0")
    less = expenditure.assess(family(*spent[:2], item("13999.99", kind="rehabilitation", paid_on="2025-03-10"), applied="2025-03-10", month="2025-04"))
    assert (less["category"], less["share"]) == ("refused_expenditure", "59.9")


def test_the_day_whose_rules_count_is_that_of_acceptance():
    spent = item("60000.00", paid_on="2024-06-01")
    assert expenditure.assess(family(spent, applied="2024-12-30", month="2025-02", on="2024-12-31"))["category"] == "illness_expenditure"
    assert expenditure.assess(family(spent, applied="2024-12-30", month="2025-02", on="2025-01-02"))["category"] == "rigid_expenditure"


def test_income_is_taken_before_the_deductions_of_dibao():
    """分类救助 lowers what dibao counts; the expenses of an illness are not taken off twice."""
    ill = family(item("100.00", paid_on="2021-06-01"), applied="2021-11-08", month="2021-12")
    ill["members"][1] |= {"disability_kind": "vision", "disability_grade": 1}
    assert expenditure.assess(ill)["income_year"] == "90000.00"


@pytest.mark.parametrize(("spent", "field"), [
    (item("1", ref="9"), "expenses.0.ref"), (item("1", kind="wine"), "expenses.0.kind"), (item("x"), "expenses.0.amount"), (item("-1"), "expenses.0.amount"),
    (item(1), "expenses.0.amount"), (item("1", paid_on="2018-02-30"), "expenses.0.paid_on"), (item("1", compliant="yes"), "expenses.0.compliant"),
    (item("1", source="heard"), "expenses.0.source"), (3, "expenses.0"),
])  # fmt: skip
def test_what_is_no_expense_is_refused_at_its_place(spent, field):
    with pytest.raises(BadFacts) as bad:
        expenditure.assess(family(spent))
    assert list(bad.value.fields) == [field]


def test_one_off_help_has_a_number_only_where_the_law_has_one():
    assert expenditure.most_help(IN_2018, "urban", 3) is None
    most = expenditure.most_help(date(2021, 7, 5), "urban", 3)
    assert most is not None and (most[0], most[1].unverified) == (606_000, True)
    assert law.in_force("expenditure_help_months", date(2020, 12, 31)) is None


LAW = {file: audit_verify.read_law(raw, file) for file, raw in law.RAW.items()}


def rigid(*spent, **more):
    return family(*spent, **{"applied": "2025-03-10", "month": "2025-04", "on": "2025-03-11"} | more)


FLAT = [{"kind": "dwelling", "amount": "0.00"}] * 2
MONEY = [{"kind": "monetary_assets", "amount": "900000.00"}]


@pytest.mark.parametrize(("facts", "category"), [
    (family(item("72000.00"), item("500.00", compliant=False), item("800.00", kind="education")), "illness_expenditure"),
    (family(item("40000.00")), "refused_expenditure"), (family(item("56880.00")), "refused_expenditure"), (family(item("56880.01")), "illness_expenditure"),
    (family(), "refused_expenditure"), (family(item("99999.99"), income="2000.00"), "refused_dibao"), (family(item("72000.00"), property=MONEY), "refused_property"),
    (family(item("72000.00"), income="50000.00"), "refused_income"), (family(item("72000.00"), income="10000.01"), "refused_income"),
    (family(item("72000.00"), property=FLAT), "refused_dwelling"),
    (rigid(item("54000.00", paid_on="2024-06-01")), "rigid_expenditure"), (rigid(item("53999.99", paid_on="2024-06-01")), "refused_expenditure"),
    (rigid(item("30000.00", paid_on="2024-06-01"), income="4000.00"), "refused_edge"), (rigid(item("1.00", paid_on="2024-06-01"), income="0.00"), "refused_dibao"),
])  # fmt: skip
def test_the_second_derivation_comes_to_the_same(facts, category):
    """What an evidence bundle says step by step (check 10) is what the service gave."""
    said = assess_expenditure(facts)
    made = computation.steps("assess_expenditure", facts, said, date(2025, 3, 11))
    assert made is not None
    known, _ = audit_verify.run_steps(made["steps"], facts, LAW)
    for fact, step in made["result"].items():
        assert audit_verify.fits(fact, said[fact], known[step]), (fact, said[fact], known[step])
    assert {fact for fact, value in said.items() if value is not None} - set(made["result"]) == {"law_version"}, "nothing of it stands alone"
    assert said["category"] == category
