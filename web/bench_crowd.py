"""Many households in benefit at once, straight into the tables: for what only reads them. Each is random, and the same for the same seed."""

from __future__ import annotations

import json
import random
from typing import Any

from sqlalchemy import insert

from processes import eligibility, law
from processes.eligibility_facts import BadFacts
from processes.tables import benefit, household, household_member, income_item, person, property_item

PLACES = ("120116001016", "120116005001")
ILLNESSES = ("尿毒症", "白血病", "某病")


def fill(made: Any, count: int, seed: int, *, on: str = "2018-12", places: tuple[str, ...] = PLACES) -> None:
    """`count` households with a live benefit each; what is recorded is what the law of `on` gives, for nine in ten of them."""
    roll = random.Random(seed)  # noqa: S311 - the same people in every run
    for begin in range(0, count, 2000):
        rows: dict[Any, list[dict[str, Any]]] = {t: [] for t in (household, person, household_member, income_item, property_item, benefit)}
        for n in range(begin, min(begin + 2000, count)):
            _household(made.office.keys, roll, seed * 1_000_000 + n, on, places, rows)
        with made.office.store.write() as conn:
            for table, values in rows.items():
                if values:
                    conn.execute(insert(table), values)


def _household(keys: Any, roll: random.Random, n: int, on: str, places: tuple[str, ...], rows: dict[Any, list[dict[str, Any]]]) -> None:
    home, place, hukou = (n << 16) + 1, roll.choice(places), roll.choice(["urban", "rural"])
    hardships = roll.choice([[], [], [], ["recognised_other"]])
    members = []
    for k in range(roll.choice([0] + [1, 2, 2, 3, 3, 4] * 8)):
        who = home + 10 + k
        health: dict[str, Any] = roll.choice([{}] * 6 + [{"disability_kind": "limb", "disability_grade": roll.randint(1, 4)}, {"serious_illness": roll.choice(ILLNESSES)}])
        one: dict[str, Any] = {"ref": str(who), "relation": "head" if k == 0 else roll.choice(["spouse", "child", "other"]), "sex": roll.choice(["male", "female"]),
               "birth_date": f"{roll.randint(1935, 2016)}-0{roll.randint(1, 9)}-1{roll.randint(0, 9)}", "employment": roll.choice(["employed", "flexible", "unemployed", "student", "retired", "none"]),
               "labour_ability": roll.choice(["full", "full", "partly_lost", "mostly_lost"]), "full_time_student": roll.random() < 0.1,
               "excluded_reason": roll.choice([None] * 12 + ["prison", "military"]), **health, "income": []}  # fmt: skip
        members.append(one)
        rows[person].append({"id": who, "name": f"某{k}", "id_no": None, "id_blind": None, "birth_date": one["birth_date"], "sex": one["sex"], "phone": None,
                             "health": keys.seal_field("person", "health", who, json.dumps(health)) if health else None,
                             "labour_ability": keys.seal_field("person", "labour_ability", who, one["labour_ability"]), "employment": one["employment"],
                             "full_time_student": one["full_time_student"], "placeholder": False})  # fmt: skip
        rows[household_member].append({"id": home + 100 + k, "household_id": home, "person_id": who, "relation": one["relation"], "from_on": "2018-01-01", "to_on": None,
                                       "excluded_reason": one["excluded_reason"], "left_reason": None})  # fmt: skip
        for i in range(roll.choice([0, 1, 1, 2])):
            fen = roll.choice([roll.randint(0, 350_000), 92_000, 138_000, 195_000, 276_000])
            item = {"kind": roll.choice(["wage_income", "transfer_income", "property_income", "scholarship"]), "period": roll.choice(["month", "month", "year"]),
                    "month": roll.choice([None, None, "2018-10", "2018-11"]), "year": None}  # fmt: skip
            if item["period"] == "year":
                item["month"] = None
            rows[income_item].append({"id": home + 200 + 10 * k + i, "household_id": home, "person_id": who, "amount_fen": fen, "source": roll.choice(["declared", "declared", "checked"]), "valid": roll.random() < 0.95, **item})
            one["income"].append({**item, "amount": f"{fen // 100}.{fen % 100:02d}"})
    for k in range(roll.choice([0, 0, 1, 2])):
        kind = roll.choice(["monetary_assets"] * 5 + ["vehicle", "dwelling", "dwelling"])
        rows[property_item].append({"id": home + 400 + k, "household_id": home, "person_id": None, "kind": kind, "amount_fen": roll.choice([100_000, 2_208_000, 4_416_000, 6_624_000, 9_000_000]),
                                    "functional_vehicle": roll.random() < 0.3, "source": "declared", "valid": True})  # fmt: skip
    sealed = keys.seal_field("household", "hardships", home, json.dumps(hardships)) if hardships else None
    rows[household].append({"id": home, "no": f"H{n:07d}", "street": place[:9], "community": place, "applicant_id": home + 10, "hukou_kind": hukou, "near_relative_declared": False,
                            "hardships": sealed, "childless": roll.choice([None, True])})  # fmt: skip
    destitute = roll.random() < 0.05
    category, fen = ("destitute_dispersed", 138_000) if destitute else _recorded(members, hukou, hardships, on, roll)
    rows[benefit].append({"id": (n << 16) + 2, "household_id": home, "case_no": None, "category": category, "amount_fen": fen, "status": roll.choice(["active", "active", "suspended"]),
                          "first_payment_month": "2018-01", "members": max(1, len(members)), "granted_on": "2018-12-03", "last_review_on": None})  # fmt: skip


def _recorded(members: list[dict[str, Any]], hukou: str, hardships: list[str], on: str, roll: random.Random) -> tuple[str, int]:
    if roll.random() < 0.1:
        return "dibao", roll.randint(1, 90_000)
    try:
        said = eligibility.assess({"benefit_month": on, "applied_on": "2018-12-03", "hukou_kind": hukou, "members": members, "property": [], "hardships": hardships, "childless": None})
    except (BadFacts, law.BadLaw):
        return "dibao", 1
    return (said["category"], said["amount_fen"]) if not said["category"].startswith("refused") else ("dibao", 100)
