"""How amounts follow: the formal steps against the service itself, against recorded results, and through the verifier's check 10."""

from __future__ import annotations

import copy
from collections import Counter
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import audit_verify, merkle
from engine.replaying import snapshots_of
from processes import computation, eligibility, investigation, law
from processes import eligibility_facts as words
from processes.conclusions import assess, assess_2, balance, conclude, conclude_1
from tests import bundles
from tests.processes.test_golden import FILES, Golden

LAW = {file: audit_verify.read_law(raw, file) for file, raw in law.RAW.items()}
FACTS = ("category", "amount_fen", "per_capita", "members_counted", "edge")


def accepted(found, snapshot, recorded):
    """The verifier's own words, or None."""
    try:
        known, grounded = audit_verify.run_steps(found["steps"], snapshot, LAW)
    except ValueError as error:
        return str(error)
    wrong = [fact for fact, step in found["result"].items() if not audit_verify.fits(fact, recorded.get(fact), known[step])]
    wrong += [fact for fact, step in found["result"].items() if fact.endswith("_fen") and known[step] and step not in grounded]
    return f"differs: {', '.join(wrong)}" if wrong else None


MONEY = st.integers(0, 400_000).map(lambda fen: f"{fen // 100}.{fen % 100:02d}")
AROUND = st.sampled_from(["0.00", "100", "1035.00", "1845.00", "2050.00", "2050.01", "2760.00", "920.00", "980.00", "0.01"]) | MONEY
ILLNESSES = [name.removeprefix("deduction_illness_") for name in law.names("deduction_illness_")]


@st.composite
def households(draw):
    month = draw(st.sampled_from(["2018-12", "2019-04", "2020-09", "2022-01", "2025-09"]))
    applied = f"{month}-03"
    kinds = [*words.COUNTED, *list(words.EXCLUDED)[:3]]
    income = st.fixed_dictionaries(
        {"kind": st.sampled_from(kinds), "amount": AROUND, "period": st.sampled_from(["month", "year"])},
        optional={"month": st.sampled_from(["2018-09", "2018-11", "2019-03", "2025-08"]), "year": st.integers(2017, 2024)},
    )
    member = st.fixed_dictionaries(
        {"income": st.lists(income, max_size=3)},
        optional={
            "relation": st.sampled_from(words.RELATIONS), "sex": st.sampled_from(words.SEXES), "birth_date": st.sampled_from(["1950-01-01", "1970-12-03", "1978-12-04", "2010-05-05"]),
            "labour_ability": st.sampled_from(words.ABILITIES), "employment": st.sampled_from(words.EMPLOYMENTS), "full_time_student": st.booleans(),
            "disability_kind": st.sampled_from(words.DISABILITIES), "disability_grade": st.integers(1, 4), "excluded_reason": st.sampled_from(list(words.LEAVES_OUT)),
            "serious_illness": st.lists(st.sampled_from([*ILLNESSES[:4], "感冒"]), max_size=2).map("、".join),
        },
    )  # fmt: skip
    members = [{**m, "ref": str(n)} for n, m in enumerate(draw(st.lists(member, min_size=1, max_size=5)))]
    amounts = st.sampled_from(["0.00", "22080.00", "22080.01", "44160.00", "66240.00", "99360.01"]) | st.integers(0, 20_000_000).map(lambda fen: f"{fen / 100:.2f}")
    asset = st.fixed_dictionaries({"kind": st.sampled_from(["monetary_assets", "monetary_assets", *words.PROPERTY]), "amount": amounts, "functional_vehicle": st.booleans()})
    return {
        "benefit_month": month, "applied_on": applied, "hukou_kind": draw(st.sampled_from(["urban", "rural"])), "members": members, "property": draw(st.lists(asset, max_size=2)),
        "hardships": draw(st.lists(st.sampled_from(list(words.HARDSHIPS)), max_size=1)), "childless": draw(st.booleans()),
    }  # fmt: skip


@settings(max_examples=200)
@given(households())
def test_steps_come_to_what_the_service_says(snapshot):
    found = computation.steps("assess", snapshot, {}, date(2025, 9, 3))
    try:
        recorded = dict(investigation.assess(snapshot))
    except (words.BadFacts, law.BadLaw):
        return
    assert found is not None
    assert set(found["result"]) == set(FACTS)
    assert accepted(found, snapshot, recorded) is None
    known, _ = audit_verify.run_steps(found["steps"], snapshot, LAW)
    assert known[found["result"]["category"]] == "=" + eligibility.assess(snapshot)["category"]
    assert not audit_verify.fits("amount_fen", recorded["amount_fen"] + 1, known[found["result"]["amount_fen"]])


def test_all_recorded_amounts_follow(tmp_path):
    """Every amount that a service gave in the golden histories."""
    seen = Counter()
    for number, file in enumerate(FILES):
        (folder := tmp_path / str(number)).mkdir()
        golden = Golden(file, folder)
        for entry in golden.entries():
            snapshots = snapshots_of(entry)
            for node, facts in entry.data.get("then", {}).get("ran", ()):
                found = computation.steps(node, snapshots.get(node, {}), {}, entry.at.date())
                amounts = {fact for fact, value in facts.items() if fact.endswith("_fen") and value is not None}
                if found is not None:
                    assert accepted(found, snapshots[node], facts) is None, (file.name, entry.seq)
                    seen[node] += 1
                assert amounts <= set(found["result"] if found else ()), (file.name, entry.seq, node)
        golden.store.close()
    assert seen["assess"] > 20
    assert seen["apply_conclusion"] > 3
    assert seen["open_investigation"] > 2


MONTHS = st.dictionaries(st.sampled_from([f"2018-{n:02d}" for n in range(1, 13)]), st.integers(-100_000, 100_000))


@given(over=MONTHS)
def test_what_was_paid_too_much_by_the_first_version(over):
    snapshot = {"first": "2018-01", "over": over}
    recorded = conclude_1(date(2018, 12, 3), snapshot, "decrease", None, "", None)
    found = computation.steps("apply_conclusion", snapshot, {}, date(2018, 12, 3))
    assert accepted(found, snapshot, recorded) is None
    assert accepted(found, snapshot, {**recorded, "overpaid_fen": recorded["overpaid_fen"] + 1}) is not None


DUE = st.none() | st.fixed_dictionaries({"amount_fen": st.integers(1, 500_000), "less_fen": st.sampled_from([0, 1, 42_000])})


@given(over=MONTHS, charged=MONTHS, later=st.sets(st.sampled_from([f"2018-{n:02d}" for n in range(1, 13)])), due=DUE)
def test_what_was_paid_too_much_or_too_little(over, charged, later, due):
    snapshot = {"first": "2018-01", "over": over, "charged": {m: fen for m, fen in charged.items() if m in over}, "later": sorted(later), "pay_suspended": None,
                "due": due}  # fmt: skip
    recorded = conclude(date(2018, 12, 3), snapshot, "decrease", None, "", None)
    found = computation.steps("apply_conclusion", snapshot, {}, date(2018, 12, 3))
    assert accepted(found, snapshot, recorded) is None
    assert recorded["decided_fen"] == (due and due["amount_fen"] - due["less_fen"])
    for name in ("overpaid_fen", "arrears_fen", "charged_fen", *(["decided_fen"] if due else [])):
        assert accepted(found, snapshot, {**recorded, name: recorded[name] + 1}) is not None
    for month, fen in over.items():  # whoever is paid later everywhere gets what was right: paid + earlier - asked back + later
        before = snapshot["charged"].get(month, 0)
        back, owed, _ = balance({**snapshot, "later": sorted(over)})
        assert fen - before == back.get(month, 0) - owed.get(month, 0)


HOUSE = {
    "benefit_month": "2020-09", "applied_on": "2020-09-03", "hukou_kind": "urban", "childless": False, "hardships": [],
    "members": [
        {"ref": "1", "relation": "head", "sex": "male", "birth_date": "1980-01-01", "employment": "employed", "income": [{"kind": "wage_income", "amount": "1500.00", "period": "month"}]},
        {"ref": "2", "relation": "spouse", "disability_kind": "limb", "disability_grade": 1, "income": [{"kind": "transfer_income", "amount": "333.33", "period": "month", "month": "2020-08"}]},
        {"ref": "3", "relation": "child", "income": []},
    ],
    "property": [{"kind": "monetary_assets", "amount": "5000.00", "functional_vehicle": False}],
}  # fmt: skip


def test_the_share_of_one_member_follows_in_a_re_check():
    snapshot = {**HOUSE, "benefit": {"category": "dibao", "amount_fen": 100_000}}
    recorded = dict(assess(snapshot))
    found = computation.steps("assess", snapshot, {}, date(2020, 9, 3))
    assert recorded["share_fen"] is not None
    assert accepted(found, snapshot, recorded) is None
    assert accepted(found, snapshot, {**recorded, "share_fen": recorded["share_fen"] + 1}) is not None
    assert "share_fen" not in assess_2(snapshot)


def test_whatever_is_changed_is_refused():
    recorded = dict(investigation.assess(HOUSE))
    found = computation.steps("assess", HOUSE, {}, date(2020, 9, 3))
    assert accepted(found, HOUSE, recorded) is None
    assert len(found["steps"]) > 30
    for n, step in enumerate(found["steps"]):  # a step says something else
        spoiled = copy.deepcopy(found)
        value = step["value"]
        spoiled["steps"][n]["value"] = not value if isinstance(value, bool) else value + "x" if value.startswith("=") else f"1{value}"
        assert accepted(spoiled, HOUSE, recorded) is not None, step
    for fact in FACTS:  # a recorded result says something else
        other = {"category": "low_income", "amount_fen": 1, "per_capita": "1.00", "members_counted": 4, "edge": True}[fact]
        assert accepted(found, HOUSE, {**recorded, fact: other}) == f"differs: {fact}"
    inputs = [step["from"] for step in found["steps"] if step["op"] == "input"]
    assert len(inputs) == 3
    for pointer in inputs:  # the snapshot says something else
        house = copy.deepcopy(HOUSE)
        spot = house
        *path, last = pointer.split("/")[1:]
        for name in path:
            spot = spot[int(name)] if isinstance(spot, list) else spot[name]
        spot[last] = "1.23"
        assert accepted(found, house, recorded) is not None
    for file, name, day in (step["from"] for step in found["steps"] if step["op"] == "law"):  # a cell of the law
        rows = [(first, "1.23" if text == max(r for r in LAW[file][name] if r[0] <= day)[1] else text) for first, text in LAW[file][name]]
        changed = {**LAW, file: {**LAW[file], name: rows}}
        with pytest.raises(ValueError, match="step s"):
            audit_verify.run_steps(found["steps"], HOUSE, changed)


def test_nodes_without_amounts_and_spoiled_snapshots():
    assert computation.steps("accept", HOUSE, {}, date(2020, 9, 3)) is None
    assert computation.steps("assess", {}, {}, date(2020, 9, 3)) is None
    assert computation.steps("apply_conclusion", {}, {}, date(2020, 9, 3)) is None
    assert computation.steps("open_investigation", {"amount_fen": None, "category": "dibao"}, {}, date(2020, 9, 3)) is None


@pytest.mark.parametrize("suite", merkle.SUITES.values(), ids=lambda s: s.name)
def test_through_a_bundle(tmp_path, suite):
    made = bundles.Made(suite)
    seq = made.add(7, "task_completed", {"task": "means_check.1", "then": {"ran": [["assess", dict(investigation.assess(HOUSE))]]}}, who="checker",
                   sealed={"household:7": {"said": {"snapshots": {"assess": HOUSE}}}})  # fmt: skip
    made.computations.append({"record": 7, "seq": seq, "node": "assess", **computation.steps("assess", HOUSE, {}, date(2020, 9, 3))})
    (tmp_path / "b.zip").write_bytes(bundles.packed(made.tables(), made.manifest()))
    (tmp_path / "p.txt").write_text(bundles.POLICY)
    code, found = audit_verify.verify(str(tmp_path / "b.zip"), str(tmp_path / "p.txt"))
    assert (code, found.broken, found.gaps) == (0, [], [])
    tables = made.tables()
    tables["law/parameters.yaml"] = tables["law/parameters.yaml"].replace(b'2020-09-01, value: "1010"', b'2020-09-01, value: "1011"')
    (tmp_path / "b.zip").write_bytes(bundles.packed(tables, made.manifest()))
    code, found = audit_verify.verify(str(tmp_path / "b.zip"), str(tmp_path / "p.txt"))
    assert (code, found.broken[0][:3]) == (1, (10, 7, 1))


@given(st.fractions())
def test_values_are_written_exactly(value):
    assert audit_verify.amount(computation.written(value)) == value
