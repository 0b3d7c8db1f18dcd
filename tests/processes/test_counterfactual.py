"""What would have changed a decision: true to the fen. Done again with the figures of a statement the outcome is another; a fen short it is not."""

from __future__ import annotations

import copy
import re
from decimal import Decimal

import pytest

from engine.office import Kept
from engine.replaying import snapshots_of
from processes import counterfactual, eligibility

FEN = Decimal("0.01")


def household(income="2763.00", assets="0.00", month="2018-12", n=3, **more):
    members = [{"ref": str(i), "relation": "head" if i == 0 else "other", "birth_date": "1975-03-01", "sex": "male", "labour_ability": "completely_lost",
                "employment": "none", "full_time_student": False, "excluded_reason": None, "income": []} for i in range(n)]  # fmt: skip
    members[0]["income"] = [{"kind": "transfer_income", "amount": income, "period": "month", "month": None, "year": None}]
    owned = [{"kind": "monetary_assets", "amount": assets, "owner": None, "functional_vehicle": False}]
    return {"benefit_month": month, "applied_on": f"{month}-03", "hukou_kind": "urban", "members": members, "property": owned, "hardships": [], "childless": False, **more}


def said(figures, reason="income_over", conclusion="refused"):
    return {one["code"]: one["zh"] for one in counterfactual.would(figures, reason, conclusion)}


def category(figures):
    return eligibility.assess(figures)["category"]


def numbers(text):
    return [Decimal(found) for found in re.findall(r"([0-9]+\.[0-9]{2})元(?!×)", text)]


@pytest.mark.parametrize("income", ["2760.00", "2763.00", "4139.99", "4140.00", "5000.01", "6000.00"])
def test_so_much_less_income_gives_dibao_and_a_fen_more_does_not(income):
    found = said(household(income))
    less = numbers(found["income"])[-1]
    assert category(household(f"{Decimal(income) - less:.2f}")) == "dibao"
    assert category(household(f"{Decimal(income) - less + FEN:.2f}")) != "dibao"
    assert ("low_income" in found) == (category(household(income)) == "refused_income")
    if "low_income" in found:
        less = numbers(found["low_income"])[-1]
        assert category(household(f"{Decimal(income) - less:.2f}")) == "low_income"
        assert category(household(f"{Decimal(income) - less + FEN:.2f}")) == "refused_income"


@pytest.mark.parametrize("over", ["0.01", "500.00", "90000.00"])
def test_so_much_less_property_gives_dibao_and_a_fen_more_does_not(over):
    limit = Decimal(eligibility.assess(household("900.00"))["property_limit"])
    found = said(household("900.00", f"{limit + Decimal(over):.2f}"), "property_over")
    assert found.keys() == {"assets"}, "the income is not why"
    assert numbers(found["assets"]) == [limit, limit + Decimal(over), Decimal(over)]
    assert category(household("900.00", f"{limit:.2f}")) == "dibao"
    assert category(household("900.00", f"{limit + FEN:.2f}")) != "dibao"


@pytest.mark.parametrize("income", ["1200.00", "2200.55"])
def test_the_income_with_which_an_amount_had_stayed(income):
    before = 220_000
    figures = household(income, benefit={"amount_fen": before, "category": "dibao"})
    if eligibility.assess(figures)["amount_fen"] >= before:
        assert said(figures, "income_changed", "decrease") == {}
        return
    same = numbers(said(figures, "income_changed", "decrease")["amount"])[0]
    assert eligibility.assess(household(f"{same:.2f}"))["amount_fen"] == before
    assert eligibility.assess(household(f"{same + FEN:.2f}"))["amount_fen"] < before


def test_reasons_that_are_no_figures():
    assert "核对授权书" in said(household(), "no_cooperation")["reason_no_cooperation"]
    assert said(household(), "false_statement") == {}
    assert said(household(), "death_single", "stop") == {}
    assert said(household(), "income_over", "stop").keys() == {"income"}
    car = household()
    car["property"].append({"kind": "vehicle", "amount": None, "owner": None, "functional_vehicle": False})
    assert said(car, "property_over").keys() == {"refused_vehicle", "income"}
    bike = copy.deepcopy(car)
    bike["property"][-1]["functional_vehicle"] = True
    assert said(bike, "income_over").keys() == {"income"}


@pytest.mark.parametrize("db_url", ["sqlite"], indirect=True)
def test_a_refusal_says_it_in_its_letter_from_the_record_s_own_figures(district):
    district.to_refusal()
    with district.office.read() as conn:
        keys = district.office.keys.on(conn)
        kept = Kept(conn, keys, district.case()["id"])
        [figures] = [found["assess"] for entry in kept.entries() if "assess" in (found := snapshots_of(entry))]
        from sqlalchemy import select

        from processes import paperwork
        from processes.case_tables import letter

        _row, stored = paperwork.issued_bytes(conn, keys, conn.scalar(select(letter.c.id).where(letter.c.kind == "refusal")))
    text = stored.decode()
    for one in counterfactual.would(figures, "income_over", "refused"):
        assert one["zh"] in text
    assert "什么情况下结果会不同：家庭月收入（扣减后）低于2760.00元（低保标准920.00元×3人）的，符合低保收入条件；本次为6000.00元，至少高出3240.01元。" in text
    assert "判定所用的表：《救助类别》第5行：人均月收入高于低收入上限（" in text, "the row that fired, in words"
