"""Who is destitute, by the rules of a day: the table of domain 2.8.2, examples 22-25 of 3.9, and S23."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from engine import audit_verify
from processes import computation, destitution, law
from processes.destitute_2016 import assess_destitute

OLD, NEW = "2018-12-03", "2021-07-05"
POOR = {"property_fits": True}


def facts(on: str = OLD, *, born: str = "1950-01-01", income: Any = (), **more: Any) -> dict[str, Any]:
    person = {"ref": "1", "birth_date": born, "income": list(income)} | more.pop("person", {})
    return {"benefit_month": on[:7], "applied_on": on, "rules_on": on, "hukou_kind": "urban", "support_form": "dispersed", "person": person,
            "property_fits": True, "obligors": [], **more}  # fmt: skip


def of(*args: Any, **more: Any) -> tuple[str, int]:
    found = destitution.assess(facts(*args, **more))
    return found["category"], found["amount_fen"]


def money(amount: str, kind: str = "transfer_income") -> dict[str, Any]:
    return {"kind": kind, "amount": amount, "period": "month"}


@pytest.mark.parametrize(("kind", "grade", "old", "new"), [
    ("intellectual", 2, True, True), ("intellectual", 3, False, True), ("intellectual", 4, False, False),
    ("mental", 2, True, True), ("mental", 3, False, True), ("mental", 4, False, False),
    ("limb", 1, True, True), ("limb", 2, False, True), ("limb", 3, False, False),
    ("vision", 1, False, True), ("vision", 2, False, False), ("hearing", 1, False, False), ("speech", 1, False, False),
])  # fmt: skip
def test_disability_by_kind_and_grade(kind, grade, old, new):
    person = {"disability_kind": kind, "disability_grade": grade}
    for on, fits in ((OLD, old), (NEW, new)):
        assert (of(on, born="1980-01-01", person=person)[0] == "destitute_dispersed") is fits
        assert of(on, born="1980-01-01", person=person)[0] in ("destitute_dispersed", "refused_ability")


@pytest.mark.parametrize(("on", "born", "fits"), [
    (OLD, "1958-12-03", True), (OLD, "1958-12-04", False), (OLD, "2002-12-04", True), (OLD, "2002-12-03", False),
    (NEW, "1961-07-05", True), (NEW, "1961-07-06", False), (NEW, "2005-07-06", True), (NEW, "2005-07-05", False),
])  # fmt: skip
def test_sixty_on_the_birthday_and_sixteen_no_more(on, born, fits):
    assert of(on, born=born)[0] == ("destitute_dispersed" if fits else "refused_ability")


@pytest.mark.parametrize(("on", "born", "in_school", "stays"), [
    (NEW, "2003-07-06", False, True), (NEW, "2003-07-05", False, False), (NEW, "2003-07-05", True, True), (OLD, "2002-12-03", True, False),
])  # fmt: skip
def test_a_minor_who_is_supported_stays_so_until_eighteen_and_in_school(on, born, in_school, stays):
    found = of(on, born=born, person={"in_school": in_school}, continuing=True)
    assert (found[0] == "destitute_dispersed") is stays
    assert of(on, born=born, person={"in_school": in_school})[0] == "refused_ability", "it begins below sixteen only"


@pytest.mark.parametrize(("amount", "fits"), [("919.99", True), ("920.00", False), ("920.01", False)])
def test_income_is_strictly_below_the_standard(amount, fits):
    assert (of(income=[money(amount)])[0] == "destitute_dispersed") is fits


@pytest.mark.parametrize(("kind", "old", "new"), [
    ("basic_pension_resident", True, True), ("basic_medical", True, True), ("old_age_allowance", True, True), ("elderly_subsidy", True, True),
    ("social_assistance", True, True), ("preferential_allowance", False, True), ("other_income", False, False),
])  # fmt: skip
def test_what_is_no_income(kind, old, new):
    for on, fits in ((OLD, old), (NEW, new)):
        assert (of(on, income=[money("1500.00", kind)])[0] == "destitute_dispersed") is fits


def obligor(age: int, **more: Any) -> dict[str, Any]:
    return {"relation": "child", "age": age, "receives": "none", "state": "present", "property_fits": True, **more}


HEAVY, THIRD = {"disability_kind": "limb", "disability_grade": 2}, {"disability_kind": "mental", "disability_grade": 3}
LITTLE = {"income_below_average": True}
RICH = {"property_fits": False}


@pytest.mark.parametrize(("one", "old", "new"), [
    (obligor(40, receives="destitute"), True, True), (obligor(40, receives="destitute", **RICH), True, True),
    (obligor(60, receives="dibao"), True, True), (obligor(59, receives="dibao"), False, False), (obligor(61), False, False),
    (obligor(60, receives="dibao", **RICH), False, True),
    (obligor(40, receives="dibao", **HEAVY), True, False), (obligor(40, receives="dibao", **HEAVY, **RICH), False, False),
    (obligor(40, receives="dibao", disability_kind="limb", disability_grade=3), False, False), (obligor(40, **HEAVY), False, False),
    (obligor(40, **HEAVY, **LITTLE), False, True), (obligor(40, **HEAVY, **LITTLE, **RICH), False, False),
    (obligor(40, **THIRD, **LITTLE), False, True), (obligor(40, **THIRD), False, False),
    (obligor(40, disability_kind="limb", disability_grade=3, **LITTLE), False, False),
    (obligor(70, **LITTLE), False, True), (obligor(69, **LITTLE), False, False), (obligor(70), False, False), (obligor(70, **LITTLE, **RICH), False, False),
    *[(obligor(40, state=state), True, True) for state in ("incapable", "missing", "prison")],
    *[(obligor(40, state=state, **RICH), False, False) for state in ("incapable", "missing", "prison")],
    (obligor(40), False, False),
])  # fmt: skip
def test_who_is_unable_to_support(one, old, new):
    assert ((of(OLD, obligors=[one])[0] != "refused_obligor"), (of(NEW, obligors=[one])[0] != "refused_obligor")) == (old, new)


def test_one_able_obligor_is_enough_to_refuse():
    found = destitution.assess(facts(obligors=[obligor(40, receives="destitute"), obligor(40)]))
    assert (found["category"], found["amount_fen"], found["able_obligors"]) == ("refused_obligor", 0, [1])
    assert [line["met"] for line in found["lines"] if line["code"] == "obligor"] == [True, False]


def test_s23_age_against_the_son_who_must_support():
    woman = {"born": "1934-05-01"}
    assert of(**woman, obligors=[obligor(61, receives="dibao")]) == ("destitute_dispersed", 178_000)
    assert of(**woman, obligors=[obligor(55, receives="dibao")]) == ("refused_obligor", 0)


def test_the_examples_22_to_25():
    assert of(born="1951-06-01", income=[money("300.00")]) == ("destitute_dispersed", 178_000), "22: in full, no difference"
    rural = {"hukou_kind": "rural", "born": "1957-06-01", "income": [money("700.00"), money("295.00", "basic_pension_resident")]}
    assert of(**rural) == ("destitute_dispersed", 138_000), "23"
    assert of(**rural, support_form="institutional") == ("destitute_institutional", 178_000)
    assert of(born="2003-06-01", orphan=True)[0] == "refused_orphan", "24"
    assert of(born="1973-06-01", person={"disability_kind": "limb", "disability_grade": 2})[0] == "refused_ability", "25"


def test_an_orphan_may_choose_since_2021():
    child = {"born": "2008-01-01", "orphan": True}
    assert of(OLD, **child, chooses_destitute=True)[0] == "refused_orphan"
    assert of(NEW, **child, chooses_destitute=True)[0] == "destitute_dispersed"
    assert of(NEW, **child, chooses_destitute=False)[0] == "refused_orphan"


def test_property_rules_out_whatever_was_said():
    assert of(property_fits=False)[0] == "refused_property"
    assert of(property_refused="refused_vehicle")[0] == "refused_property"


def test_every_line_names_the_measures_of_the_day():
    for on, paper in (("2021-06-30", "178号"), ("2021-07-01", "43号")):
        lines = destitution.assess(facts(on, obligors=[obligor(40)]))["lines"]
        assert [one["code"] for one in lines] == ["orphan", "ability", "income", "property", "obligor", "obligors"]
        assert all(paper in one["article"] for one in lines)


@pytest.mark.parametrize(("lost", "found"), [(0, "full"), (1, "partly_lost"), (3, "partly_lost"), (4, "completely_lost"), (6, "completely_lost")])
def test_self_care_by_six_indicators(lost, found):
    assert destitution.self_care({name: n >= lost for n, name in enumerate(destitution.INDICATORS)}) == found


def test_no_care_amount_is_made_up():
    assert destitution.care_grade("completely_lost", date(2018, 12, 1)) is None


MONTHS = [{"kind": "wage_income", "amount": a, "period": "month", "month": m, "year": None} for m, a in (("2018-09", "100.00"), ("2018-10", "200.00"), ("2018-11", "400.01"), ("2018-12", "9999.00"))]


@pytest.mark.parametrize("told", [
    facts(), facts(income=MONTHS), facts(income=[money("920.00")]), facts(income=[money("919.99"), money("400.00", "basic_pension_resident")]), facts(obligors=[obligor(40)]),
    facts(born="1980-01-01"), facts(property_fits=False, income=[money("2000.00")]), facts(born="2008-01-01", orphan=True), facts(NEW, hukou_kind="rural"),
    facts(hukou_kind="rural", income=[{"kind": "business_net_income", "amount": "10000.00", "period": "year", "month": None, "year": 2017}]),
])  # fmt: skip
def test_the_second_derivation_comes_to_the_same(told):
    """What an evidence bundle says step by step (check 10) is what the service gave."""
    said = assess_destitute(told)
    made = computation.steps("assess_destitute", told, said, date.fromisoformat(told["applied_on"]))
    assert made is not None
    known, grounded = audit_verify.run_steps(made["steps"], told, {file: audit_verify.read_law(raw, file) for file, raw in law.RAW.items()})
    for fact, step in made["result"].items():
        assert audit_verify.fits(fact, said[fact], known[step]), fact
        assert not fact.endswith("_fen") or not known[step] or step in grounded, fact
