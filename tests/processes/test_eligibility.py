"""The eligibility arithmetic: the examples of domain 3.9, properties, refusals of malformed facts."""

from __future__ import annotations

import copy
import json
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import ValidationError

from processes import eligibility as e
from processes import eligibility_facts as words
from processes import law
from processes.assessment_form import AssessmentIn
from processes.money import yuan

EXAMPLES = json.loads((Path(__file__).parent / "data" / "benefit_examples.json").read_text(encoding="utf-8"))


def person(ref: str, relation: str = "other", **more: Any) -> dict[str, Any]:
    return {"ref": ref, "relation": relation, "income": [], **more}


def money(kind: str, amount: str, **when: Any) -> dict[str, Any]:
    return {"kind": kind, "amount": amount, "period": "month", **when}


def pension(amount: str) -> list[dict[str, Any]]:
    return [money("transfer_income", amount)]


def home(*members: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "benefit_month": "2018-12",
        "applied_on": "2018-12-03",
        "hukou_kind": "urban",
        "members": list(members),
        **more,
    }


def couple(*, owned: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    return home(person("1", "head"), person("2", "spouse"), property=owned or [])


def family(income: str, n: int = 3, **more: Any) -> dict[str, Any]:
    """n adults; the head has the whole income, as a pension."""
    return home(person("1", "head", income=pension(income)), *(person(str(i)) for i in range(2, n + 1)), **more)


def worker(wage: str | None, **more: Any) -> dict[str, Any]:
    said = [] if wage is None else [money("wage_income", wage)]
    return person(
        "1",
        "head",
        birth_date="1980-06-15",
        sex="male",
        labour_ability="full",
        income=said,
        **{"employment": "employed"} | more,
    )


def outcome(facts: dict[str, Any]) -> tuple[str, str, str]:
    found = e.assess(facts)
    return found["per_capita"], found["category"], found["amount"]


def codes(found: dict[str, Any]) -> list[str]:
    return [line["code"] for line in found["lines"]]


# -- the machine-readable examples


@pytest.mark.parametrize("row", EXAMPLES, ids=lambda row: str(row["id"]))
def test_examples_through_the_core(row: dict[str, Any]) -> None:
    found = e.assess_figures(
        Decimal(row["standard"]),
        row["members"],
        Decimal(row["household_income"]),
        Decimal(row["deductions"]),
        property_ok=row["property_ok"],
        hardship=row["hardship"],
        upper_op=row["upper_op"],
        cash=Decimal(276),
    )
    assert (found["category"], yuan(found["amount_fen"]), found["per_capita"]) == (
        row["category"],
        row["monthly_amount"],
        row["per_capita"],
    )


# -- domain 3.9, full inputs

CHILD = person("3", "child", birth_date="2010-09-09", employment="student", full_time_student=True)
WIFE = person("2", "spouse", labour_ability="completely_lost", employment="none")
ROWS: dict[str, tuple[dict[str, Any], tuple[str, str, str]]] = {
    "1": (home(person("1", "head")), ("0.00", "dibao", "920.00")),
    "2": (home(worker("2100.00"), WIFE, CHILD), ("700.00", "dibao", "660.00")),
    "3": (home(worker("1500.00"), WIFE, CHILD), ("615.00", "dibao", "915.00")),
    "4": (family("2757"), ("919.00", "dibao", "3.00")),
    "5 (equal)": (family("2760"), ("920.00", "low_income", "0.00")),
    "6 disabled": (
        home(worker("2763"), WIFE | {"disability_kind": "limb", "disability_grade": 3}, CHILD),
        ("921.00", "low_income", "276.00"),
    ),
    "6 not": (family("2763"), ("921.00", "low_income", "0.00")),
    "7 (third month short of a fen)": (family("2759.99"), ("920.00", "dibao", "0.01")),
    "8": (family("2758", 2, hardships=["major_illness"]), ("1379.00", "low_income", "276.00")),
    "9 (upper edge, < in 2018)": (
        family("2760", 2, hardships=["major_illness"]),
        ("1380.00", "refused_income", "0.00"),
    ),
    "10": (family("2762", 2, hardships=["major_illness"]), ("1381.00", "refused_income", "0.00")),
    "11": (home(worker("2400") | {"sex": "female"}, CHILD), ("1200.00", "low_income", "276.00")),
    "12": (couple(owned=[{"kind": "monetary_assets", "amount": "44160.00"}]), ("0.00", "dibao", "1840.00")),
    "13": (couple(owned=[{"kind": "monetary_assets", "amount": "44160.01"}]), ("0.00", "refused_property", "0.00")),
    "14": (family("0", 4, property=[{"kind": "vehicle"}]), ("0.00", "refused_vehicle", "0.00")),
    "15": (family("0", 4, property=[{"kind": "vehicle", "functional_vehicle": True}]), ("0.00", "dibao", "3680.00")),
    "18": (
        home(
            person(
                "1", "head", income=[*pension("500"), money("scholarship", "3000"), money("social_assistance", "400")]
            )
        ),
        ("500.00", "dibao", "420.00"),
    ),
    "19": (
        home(
            worker(None)
            | {
                "income": [
                    money("wage_income", a, month=m)
                    for m, a in (("2018-09", "2100"), ("2018-10", "2400"), ("2018-11", "2700"))
                ]
            },
            *(person(str(n)) for n in (2, 3, 4)),
        ),
        ("600.00", "dibao", "1280.00"),
    ),
    "20": (
        home(
            person(
                "1", "head", income=[{"kind": "business_net_income", "amount": "21600", "period": "year", "year": 2017}]
            ),
            person("2"),
            person("3"),
            hukou_kind="rural",
        ),
        ("600.00", "dibao", "960.00"),
    ),
    "25": (
        home(person("1", "head", birth_date="1973-05-05", sex="male", disability_kind="limb", disability_grade=2)),
        ("0.00", "dibao", "920.00"),
    ),
}


@pytest.mark.parametrize("name", ROWS)
def test_rows_of_the_domain(name: str) -> None:
    facts, expected = ROWS[name]
    assert outcome(facts) == expected


def with_deductions(month: str) -> dict[str, Any]:
    sick = [
        worker("3900"),
        person("2", "spouse", disability_kind="vision", disability_grade=1),
        person("3", serious_illness="恶性肿瘤"),
    ]
    return home(*sick, benefit_month=month, applied_on=f"{month}-03")


@pytest.mark.parametrize(
    ("month", "expected"),
    [
        ("2020-09", ("633.33", "dibao", "1130.00")),
        ("2025-09", ("633.33", "dibao", "1235.00")),
        ("2020-08", ("1300.00", "low_income", "294.00")),
    ],
)
def test_rows_27_and_29_deductions_from_their_day_on(month: str, expected: tuple[str, str, str]) -> None:
    found = e.assess(with_deductions(month))
    assert (found["per_capita"], found["category"], found["amount"]) == expected
    assert found["household_income"] == "3900.00"
    assert ("deduction" in codes(found)) == (month != "2020-08")


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (family("2100"), "660.00"),
        (family("2100", benefit_month="2019-04"), "840.00"),  # 30
        (family("1500"), "1260.00"),
        (family("0", 2), "1840.00"),  # 32
        (family("1500", 2), "340.00"),  # 33
    ],
)
def test_rows_30_to_33_changes(facts: dict[str, Any], expected: str) -> None:
    assert e.assess(facts)["amount"] == expected


def test_rows_22_23_destitute_is_the_full_standard() -> None:
    assert e.destitute_amount("2018-12", "urban").amount == 1780
    assert e.destitute_amount("2018-12", "rural", "institutional").amount == 1780
    assert e.destitute_amount("2018-12", "rural", "dispersed").amount == 1380


# -- edges, versions, windows


@pytest.mark.parametrize(("month", "category"), [("2021-12", "refused_income"), ("2022-01", "low_income")])
def test_the_upper_edge_belongs_to_the_band_from_2022(month: str, category: str) -> None:
    assert e.assess(family("3030", 2, benefit_month=month))["category"] == category


def test_equal_to_the_standard_is_flagged() -> None:
    assert "edge" in e.assess(family("2760"))["flags"]
    assert "edge" not in e.assess(family("2759.99"))["flags"]


@pytest.mark.parametrize(
    ("month", "reason", "counted"),
    [
        ("2018-12", "prison", 1),
        ("2018-12", "religious", 1),
        ("2018-12", "military", 2),
        ("2018-12", "declared_missing", 2),
        ("2021-06", "compulsory_detox", 2),
        ("2021-07", "compulsory_detox", 1),
        ("2021-07", "declared_missing", 1),
        ("2022-01", "military", 1),
    ],
)
def test_members_left_out_by_version(month: str, reason: str, counted: int) -> None:
    found = e.assess(
        home(
            person("1", "head"),
            person("2", "spouse", excluded_reason=reason, income=pension("100")),
            benefit_month=month,
        )
    )
    assert found["members_counted"] == counted
    assert found["household_income"] == ("0.00" if counted == 1 else "100.00")


def test_a_household_of_left_out_members_is_no_household() -> None:
    with pytest.raises(words.BadFacts) as caught:
        e.assess(home(person("1", "head", excluded_reason="prison")))
    assert list(caught.value.fields) == ["members"]


FLEXIBLE = {"employment": "flexible"}


@pytest.mark.parametrize(
    ("member", "income"),
    [
        (worker("2050"), "2050.00"),  # in a job, equal: actual
        (worker("2049.99"), "1845.00"),
        (worker(None), "1845.00"),
        (worker("2050.01", **FLEXIBLE), "2050.01"),
        (worker("2050", **FLEXIBLE), "1845.00"),
        (worker("300", **FLEXIBLE), "1845.00"),
        (worker("300", **FLEXIBLE) | {"birth_date": "1968-12-04"}, "1845.00"),  # 49 still
        (worker("300", **FLEXIBLE) | {"birth_date": "1968-12-03"}, "920.00"),  # 50 on the day
        (worker("300", **FLEXIBLE) | {"birth_date": "1978-12-04", "sex": "female"}, "1845.00"),
        (worker("300", **FLEXIBLE) | {"birth_date": "1978-12-03", "sex": "female"}, "920.00"),
        (worker("300", **FLEXIBLE) | {"labour_ability": "partly_lost"}, "552.00"),
        (worker("300", **FLEXIBLE) | {"labour_ability": "mostly_lost"}, "300.00"),
        (worker("300", **FLEXIBLE) | {"labour_ability": "completely_lost"}, "300.00"),
        (worker("300", employment="unemployed"), "300.00"),
        (worker("300", employment="student"), "0.00"),
        (worker("2000", full_time_student=True), "0.00"),
    ],
)
def test_imputed_income(member: dict[str, Any], income: str) -> None:
    assert e.assess(home(member))["household_income"] == income


def test_imputed_income_beside_other_income_and_by_its_year() -> None:
    both = worker("1500") | {"income": [money("wage_income", "1500"), *pension("100")]}
    assert e.assess(home(both))["household_income"] == "1945.00"
    assert e.assess(home(worker("1500"), benefit_month="2021-07"))["household_income"] == "1962.00"
    assert "imputed_below_declared" in e.assess(home(worker("2000")))["flags"]
    assert "rural_flexible_income" in e.assess(home(worker("300", **FLEXIBLE), hukou_kind="rural"))["flags"]
    assert "imputed_wage_share" in e.assess(home(worker("1500")))["unverified"]


def test_the_urban_window_crosses_the_year_and_says_what_lies_outside() -> None:
    months = ["2018-09", "2018-10", "2018-11", "2018-12", "2019-01"]
    said = [money("transfer_income", "300", month=m) for m in months]
    found = e.assess(home(person("1", "head", income=said), applied_on="2019-01-20", benefit_month="2019-01"))
    assert found["household_income"] == "300.00"
    assert codes(found).count("outside_window") == 2
    assert "outside_window" in found["flags"]
    assert "window_incomplete" not in found["flags"]


def test_a_window_with_gaps_is_flagged() -> None:
    found = e.assess(home(person("1", "head", income=[money("transfer_income", "300", month="2018-10")])))
    assert found["household_income"] == "100.00"
    assert "window_incomplete" in found["flags"]


def test_the_rural_window_is_last_year() -> None:
    said = [money("wage_income", "1200", month=m) for m in ("2017-01", "2017-12", "2018-11")]
    assert e.assess(home(person("1", "head", income=said), hukou_kind="rural"))["household_income"] == "200.00"
    old = [{"kind": "other_income", "amount": "1200", "period": "year", "year": 2016}]
    assert "outside_window" in e.assess(home(person("1", "head", income=old), hukou_kind="rural"))["flags"]


def test_income_kinds_count_until_a_rule_excludes_them() -> None:
    soldier = home(person("1", "head", income=[money("preferential_allowance", "100")]), benefit_month="2021-06")
    found = e.assess(soldier)
    assert (found["household_income"], "locally_decided_income" in found["flags"]) == ("100.00", True)
    assert e.assess(soldier | {"benefit_month": "2021-07"})["household_income"] == "0.00"


@pytest.mark.parametrize(
    ("member", "deducted", "flag"),
    [
        ({"disability_kind": "speech", "disability_grade": 2}, "500.00", None),
        ({"disability_kind": "speech", "disability_grade": 3}, "0.00", None),
        ({"disability_kind": "mental", "disability_grade": 3}, "500.00", None),
        ({"disability_kind": "limb", "disability_grade": 3}, "0.00", None),
        ({"disability_kind": "multiple", "disability_grade": 1}, "0.00", "multiple_disability"),
        ({"serious_illness": "癫痫"}, "500.00", None),
        ({"serious_illness": "癫痫、白血病"}, "1500.00", None),  # of several illnesses the highest
        ({"serious_illness": "感冒"}, "0.00", "illness_unlisted"),
        (
            {"disability_kind": "limb", "disability_grade": 1, "serious_illness": "恶性肿瘤"},
            "2000.00",
            "disability_and_illness",
        ),
    ],
)
def test_deductions(member: dict[str, Any], deducted: str, flag: str | None) -> None:
    found = e.assess(home(person("1", "head", income=pension("2500"), **member), benefit_month="2021-01"))
    assert Decimal(found["household_income"]) - Decimal(found["income_after_deductions"]) == Decimal(deducted)
    assert found["flags"] == ([flag] if flag else [])


def test_deductions_never_make_income_negative() -> None:
    found = e.assess(
        home(person("1", "head", income=pension("300"), serious_illness="白血病"), benefit_month="2021-01")
    )
    assert (found["income_after_deductions"], found["amount"]) == ("0.00", "1010.00")


# -- property and hardship


@pytest.mark.parametrize(
    ("owned", "category"),
    [
        ([{"kind": "dwelling"}], "dibao"),
        ([{"kind": "dwelling"}] * 2, "refused_dwelling"),
        ([{"kind": "non_residential"}], "refused_non_residential"),
        ([{"kind": "study_abroad"}], "refused_study_abroad"),
        ([{"kind": "luxury", "amount": "30000"}], "refused_luxury"),
        ([{"kind": "monetary_assets", "amount": "44160.01"}, {"kind": "vehicle"}], "refused_vehicle"),
        (
            [{"kind": "monetary_assets", "amount": "22080.00"}, {"kind": "monetary_assets", "amount": "22080.01"}],
            "refused_property",
        ),
    ],
)
def test_property(owned: list[dict[str, Any]], category: str) -> None:
    found = e.assess(couple(owned=owned))
    assert found["category"] == category
    assert found["property_limit"] == "44160.00"
    assert (found["amount_fen"] == 0) == (category != "dibao")


@pytest.mark.parametrize(
    ("month", "assets", "category"),
    [
        ("2021-12", "24240.01", "refused_property"),
        ("2022-01", "24240.01", "low_income"),
        ("2022-01", "36360.00", "low_income"),
        ("2022-01", "36360.01", "refused_property"),
        ("2022-01", "24240.00", "dibao"),
    ],
)
def test_the_band_has_a_property_limit_of_its_own_from_2022(month: str, assets: str, category: str) -> None:
    facts = home(person("1", "head"), benefit_month=month, property=[{"kind": "monetary_assets", "amount": assets}])
    assert e.assess(facts)["category"] == category


def test_hardships_that_the_members_show() -> None:
    assert e.assess(home(person("1", "head", disability_grade=4)))["hardships"] == ["disabled_member"]
    assert e.assess(home(person("1", "head", serious_outpatient_illness=True)))["hardships"] == ["major_illness"]
    old = [person("1", "head", birth_date="1958-12-03"), person("2", "spouse", birth_date="1950-01-01")]
    assert e.assess(home(*old, childless=True))["hardships"] == ["elderly_childless"]
    assert e.assess(home(*old))["hardships"] == []
    assert e.assess(home(old[0] | {"birth_date": "1958-12-04"}, old[1], childless=True))["hardships"] == []


def test_single_parent_is_derived_and_flagged() -> None:
    alone = e.assess(home(person("1", "head"), CHILD))
    assert (alone["hardships"], alone["flags"]) == (["single_parent_student"], ["single_parent_derived"])
    imprisoned = person("2", "spouse", excluded_reason="prison")
    assert e.assess(home(person("1", "head"), imprisoned, CHILD))["hardships"] == []
    assert (
        e.assess(home(person("1", "head"), CHILD | {"full_time_student": False, "employment": "none"}))["hardships"]
        == []
    )


# -- the explanation


def test_a_grant_is_explained() -> None:
    found = e.assess(ROWS["2"][0])
    last = found["lines"][-1]
    assert last["zh"] == "(920 × 3 − 2100) = 660.00 元，依据低保标准 920 元/人/月（2018-04-01 起执行）"
    assert last["en"] == "(920 x 3 - 2100) = 660.00, standard 920 per person and month since 2018-04-01"
    assert (last["figure"], last["source"]) == ("660.00", "N220 art 27; T18")
    assert (found["per_capita_exact"], found["law_version"], found["law_digest"]) == (
        "2100/3",
        "TJ-STD-2018",
        law.DIGEST,
    )


def test_refusals_are_explained() -> None:
    texts = [line["zh"] for line in e.assess(family("2763"))["lines"]]
    assert "人均月收入 921.00 元，不低于低保标准 920.00 元" in texts
    texts = [line["zh"] for line in e.assess(ROWS["10"][0])["lines"]]
    assert texts[-1] == "人均月收入 1381.00 元，不低于低收入救助上限 1380.00 元"
    texts = [line["zh"] for line in e.assess(ROWS["13"][0])["lines"]]
    assert "货币财产 44160.01 元，超过低保限额 44160.00 元" in texts
    assert "（四舍五入）" in e.assess(family("2759.99"))["lines"][-2]["zh"]


@pytest.mark.parametrize("name", ROWS)
def test_every_line_has_its_parts_and_the_result_is_json(name: str) -> None:
    found = e.assess(ROWS[name][0])
    assert json.loads(json.dumps(found)) == found
    assert all(
        line["zh"] and line["en"] and line["source"] and line.keys() == {"code", "zh", "en", "figure", "source"}
        for line in found["lines"]
    )


def test_facts_are_not_changed_and_answers_repeat() -> None:
    facts = with_deductions("2020-09")
    before = copy.deepcopy(facts)
    assert e.assess(facts) == e.assess(facts)
    assert facts == before


def test_results_hold_no_float() -> None:
    def floats(value: Any) -> list[Any]:
        if isinstance(value, dict):
            return [f for v in value.values() for f in floats(v)]
        if isinstance(value, list):
            return [f for v in value for f in floats(v)]
        return [value] if isinstance(value, float) else []

    assert floats(e.assess(with_deductions("2020-09"))) == []


# -- properties

FEN = st.integers(0, 2_000_000)
N = st.integers(1, 8)


def core(n: int, fen: int, **more: Any) -> dict[str, Any]:
    return e.assess_figures(Decimal(920), n, Fraction(fen, 100), upper=Decimal(1380), cash=Decimal(276), **more)


@given(N, FEN, FEN, st.booleans(), st.booleans())
def test_amounts_lie_between_nothing_and_the_full_standard(
    n: int, fen: int, deducted: int, fits: bool, hard: bool
) -> None:
    found = core(n, fen, deductions=Fraction(deducted, 100), property_ok=fits, hardship=hard)
    assert 0 <= found["amount_fen"] <= 92_000 * n
    assert found["income"] >= 0


@given(N, FEN, FEN)
def test_more_income_never_gives_more_dibao(n: int, one: int, other: int) -> None:
    less, more = sorted((one, other))
    poorer, richer = core(n, less), core(n, more)
    assert poorer["amount_fen"] >= richer["amount_fen"]
    order = ["dibao", "low_income", "refused_income"]
    assert order.index(poorer["category"]) <= order.index(richer["category"])


@given(N, FEN)
def test_dibao_is_strictly_below_and_fills_up_to_the_standard(n: int, fen: int) -> None:
    found = core(n, fen)
    assert (found["category"] == "dibao") == (fen < 92_000 * n)
    if found["category"] == "dibao":
        assert found["amount_fen"] + fen == 92_000 * n


@given(N)
def test_equal_is_not_below(n: int) -> None:
    assert core(n, 92_000 * n)["category"] == "low_income"
    assert core(n, 92_000 * n - 1)["amount_fen"] == 1
    assert core(n, 138_000 * n)["category"] == "refused_income"
    assert core(n, 138_000 * n, upper_op="<=")["category"] == "low_income"


@given(N, FEN)
def test_the_whole_assessment_agrees_with_the_core(n: int, fen: int) -> None:
    found = e.assess(family(yuan(fen), n))
    assert (found["category"], found["amount_fen"]) == (core(n, fen)["category"], core(n, fen)["amount_fen"])


@pytest.mark.parametrize(
    "bad", [{"members": 0}, {"household_income": Decimal(-1)}, {"deductions": Decimal(-1)}, {"upper_op": "=<"}]
)
def test_the_core_refuses_impossible_figures(bad: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="members >= 1"):
        e.assess_figures(**{"standard": Decimal(920), "members": 1, "household_income": Decimal(0)} | bad)


# -- malformed facts


def wage(**item: Any) -> dict[str, Any]:
    return home(person("1", "head", income=[{"kind": "wage_income", "amount": "1", **item}]))


BROKEN: list[tuple[Any, str]] = [
    (None, ""),
    ([], ""),
    (home(), "members"),
    (home() | {"members": {"ref": "1"}}, "members"),
    (home(*(person(str(n)) for n in range(101))), "members"),
    (home(person("1"), person("1")), "members.1.ref"),
    (home(person("")), "members.0.ref"),
    (home({"relation": "head"}), "members.0.ref"),
    (home(person(["1"])), "members.0.ref"),  # type: ignore[arg-type]
    (home() | {"members": ["x"]}, "members.0"),
    (home(person("1", "uncle")), "members.0.relation"),
    (home(person("1", sex="m")), "members.0.sex"),
    (home(person("1", sex=["male"])), "members.0.sex"),
    (home(person("1", labour_ability="weak")), "members.0.labour_ability"),
    (home(person("1", employment="boss")), "members.0.employment"),
    (home(person("1", disability_kind="nose")), "members.0.disability_kind"),
    (home(person("1", disability_grade=5)), "members.0.disability_grade"),
    (home(person("1", disability_grade=True)), "members.0.disability_grade"),
    (home(person("1", disability_grade="1")), "members.0.disability_grade"),
    (home(person("1", excluded_reason="abroad")), "members.0.excluded_reason"),
    (home(person("1", serious_illness=7)), "members.0.serious_illness"),
    (home(person("1", full_time_student="yes")), "members.0.full_time_student"),
    (home(person("1", full_time_student=1)), "members.0.full_time_student"),
    (home(person("1", birth_date="2019-01-01")), "members.0.birth_date"),
    (home(person("1", birth_date="19800615")), "members.0.birth_date"),
    (home(person("1", birth_date="1980-02-30")), "members.0.birth_date"),
    (home(person("1") | {"income": "2100"}), "members.0.income"),
    (home(person("1") | {"income": [3]}), "members.0.income.0"),
    (wage(kind="lottery"), "members.0.income.0.kind"),
    (wage(kind=["wage_income"]), "members.0.income.0.kind"),
    (wage(amount="-1"), "members.0.income.0.amount"),
    (wage(amount="1.234"), "members.0.income.0.amount"),
    (wage(amount="1e3"), "members.0.income.0.amount"),
    (wage(amount="NaN"), "members.0.income.0.amount"),
    (wage(amount="100000000"), "members.0.income.0.amount"),
    (wage(amount=2100), "members.0.income.0.amount"),
    (wage(amount=2100.5), "members.0.income.0.amount"),
    (wage(amount=None), "members.0.income.0.amount"),
    (wage(period="week"), "members.0.income.0.period"),
    (wage(month="2018-13"), "members.0.income.0.month"),
    (wage(month="２０１８-11"), "members.0.income.0.month"),
    (wage(year="2017"), "members.0.income.0.year"),
    (couple() | {"property": "car"}, "property"),
    (couple(owned=[{"kind": "yacht"}]), "property.0.kind"),
    (couple(owned=[{"kind": "monetary_assets"}]), "property.0.amount"),
    (couple(owned=[{"kind": "dwelling", "amount": "-5"}]), "property.0.amount"),
    (couple(owned=[{"kind": "dwelling", "owner": "9"}]), "property.0.owner"),
    (couple(owned=[{"kind": "vehicle", "functional_vehicle": "no"}]), "property.0.functional_vehicle"),
    (couple() | {"hardships": ["poor"]}, "hardships.0"),
    (couple() | {"hardships": "disabled_member"}, "hardships.0"),
    (couple() | {"hardships": [["x"]]}, "hardships.0"),
    (couple() | {"childless": "no"}, "childless"),
    (couple() | {"hukou_kind": None}, "hukou_kind"),
    (couple() | {"hukou_kind": "lunar"}, "hukou_kind"),
    (couple() | {"applied_on": "2018-W49-1"}, "applied_on"),
    (couple() | {"applied_on": None}, "applied_on"),
    (couple() | {"benefit_month": "2018-13"}, "benefit_month"),
    (couple() | {"benefit_month": 201812}, "benefit_month"),
    (couple() | {"benefit_month": "2016-03"}, "benefit_month"),
]


@pytest.mark.parametrize(("facts", "path"), BROKEN)
def test_malformed_facts_are_refused_with_their_place(facts: Any, path: str) -> None:
    with pytest.raises(words.BadFacts) as caught:
        e.assess(facts)
    assert list(caught.value.fields) == [path]
    assert all("一" <= text[0] <= "鿿" or text[0].isdigit() for text in caught.value.fields[path])


@pytest.mark.parametrize(
    ("facts", "born", "fits"),
    [
        (couple(), "2018-12-31", True),
        (couple(), "2019-01-01", False),
        (couple() | {"applied_on": "2019-02-10"}, "2019-02-10", True),
        (couple() | {"applied_on": "2019-02-10"}, "2019-02-11", False),
    ],
)
def test_a_child_may_be_born_until_the_end_of_the_benefit_month(facts: dict[str, Any], born: str, fits: bool) -> None:
    facts["members"] = [*facts["members"], person("3", "child", birth_date=born)]
    if fits:
        assert e.assess(facts)["members_counted"] == 3
    else:
        with pytest.raises(words.BadFacts, match="出生日期在未来"):
            e.assess(facts)


def test_the_first_month_that_can_be_assessed() -> None:
    """From April 2016; who works cannot be measured before a minimum wage is known, in July."""
    found = e.assess(couple() | {"benefit_month": "2016-04", "applied_on": "2016-04-01"})
    assert (found["amount"], found["law_version"]) == ("1560.00", "TJ-STD-2016")
    with pytest.raises(words.BadFacts, match="没有这个月份的标准"):
        e.assess(couple() | {"benefit_month": "2016-03", "applied_on": "2016-03-31"})
    works = couple() | {"applied_on": "2016-06-01"}
    works["members"] = [works["members"][0] | {"employment": "employed"}, *works["members"][1:]]
    with pytest.raises(words.BadFacts, match="最低工资"):
        e.assess(works | {"benefit_month": "2016-06"})
    assert e.assess(works | {"benefit_month": "2016-07"})["household_income"] == "1755.00"


def test_a_year_out_of_reach_is_outside_the_window_and_not_an_error() -> None:
    found = e.assess(wage(period="year", year=201))
    assert (found["household_income"], found["flags"]) == ("0.00", ["outside_window"])


def test_everything_wrong_is_said_at_once() -> None:
    with pytest.raises(words.BadFacts) as caught:
        e.assess(home(person("1", "uncle", income=[money("lottery", "-1")]), hukou_kind="x"))
    assert set(caught.value.fields) == {
        "hukou_kind",
        "members.0.relation",
        "members.0.income.0.kind",
        "members.0.income.0.amount",
    }


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=6),
    lambda x: st.lists(x, max_size=3) | st.dictionaries(st.text(max_size=6), x, max_size=3),
)


@given(
    st.sampled_from(["benefit_month", "applied_on", "hukou_kind", "members", "property", "hardships", "childless"]),
    JSON,
)
def test_junk_is_refused_or_assessed_but_never_breaks(name: str, junk: Any) -> None:
    try:
        found = e.assess(couple() | {name: junk})
    except words.BadFacts as refused:
        assert refused.fields
    else:
        assert found["amount_fen"] >= 0


# -- the shape for the API


@pytest.mark.parametrize("name", ROWS)
def test_the_schema_lets_the_rows_through(name: str) -> None:
    facts, expected = ROWS[name]
    loaded = AssessmentIn().load(json.loads(json.dumps(facts)))
    assert outcome(loaded) == expected


@pytest.mark.parametrize(
    ("facts", "place"),
    [
        (couple() | {"salary": 1}, ["salary"]),
        (home(person("1", id_no="1")), ["members", 0, "id_no"]),
        (wage(amount=2100), ["members", 0, "income", 0, "amount"]),
        (wage(amount=21.5), ["members", 0, "income", 0, "amount"]),
        (wage(year="2017"), ["members", 0, "income", 0, "year"]),
        (home(person("1", full_time_student="yes")), ["members", 0, "full_time_student"]),
        ({"applied_on": "2018-12-03", "hukou_kind": "urban", "members": []}, ["benefit_month"]),
    ],
)
def test_the_schema_refuses_wrong_shapes(facts: dict[str, Any], place: list[Any]) -> None:
    with pytest.raises(ValidationError) as caught:
        AssessmentIn().load(facts)
    messages: Any = caught.value.messages
    for step in place:
        messages = messages[step]
    assert messages


@pytest.mark.parametrize(("month", "later"), [("2018-12", False), ("2021-01", True)])
@pytest.mark.parametrize("owned", [{"kind": "monetary_assets", "amount": "90000"}, {"kind": "vehicle"}])
def test_no_line_cites_a_paper_that_is_younger_than_the_month(month, later, owned):
    facts = {"benefit_month": month, "applied_on": f"{month}-03", "hukou_kind": "urban", "members": [{"ref": "1"}], "property": [owned]}
    cited = " ".join(line["source"] for line in e.assess(facts)["lines"])
    assert ("T20" in cited) is later
