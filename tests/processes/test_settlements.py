"""Money of past months, for histories nobody thought of: what was paid, less what is paid back, plus what is paid later, is right."""

from __future__ import annotations

from contextlib import suppress
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.errors import Conflict, Refused
from processes import benefits

FIRST, MONTHS = "2018-11", benefits.months("2018-11", "2019-10")
AMOUNTS = st.integers(0, 400_000)
DECISIONS = st.lists(st.tuples(st.sampled_from(MONTHS[:-1]), st.sampled_from(["increase", "decrease", "keep", "suspend", "resume", "convert", "stop"]), AMOUNTS),
                     max_size=6)  # fmt: skip
RIGHT = st.dictionaries(st.sampled_from(MONTHS), AMOUNTS)
SERIAL = count(1000)


def begun(district, amount: int) -> int:
    district.clock.set("2018-10-31T10:00")
    home = district.household(serial=next(SERIAL))
    values = {"household_id": home, "category": "dibao", "amount_fen": amount, "status": "pending_first_payment", "first_payment_month": FIRST,
              "members": 3, "granted_on": "2018-10-31", "law_version": "TJ-STD-2018"}  # fmt: skip
    with district.office.act() as act:
        return benefits.begin(act, "benefit_granted", values, {})


def decided(district, benefit_id: int, kind: str, amount: int) -> None:
    """A decision, where the benefit allows it: nothing resumes that was not suspended, nothing changes once it is stopped."""
    with suppress(Conflict, Refused), district.office.act(district.people["app"]) as act:
        found = benefits.row(act.conn, benefit_id)
        if found["status"] not in benefits.LIVE:
            return
        month = max(benefits.month_after(act.today), found["amount_from"])
        fen = amount if kind in ("increase", "decrease", "convert") else None
        benefits.decide(act, benefit_id, benefits.Change(kind, "income_changed", month, amount_fen=fen, category="low_income" if kind == "convert" else None))


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(first=AMOUNTS, history=DECISIONS, right=RIGHT, instalment=st.integers(1, 300_000))
def test_paid_plus_arrears_less_recovery_is_right(district, first, history, right, instalment):
    benefit_id, paid = begun(district, first), {}
    for month in MONTHS:
        district.clock.set(f"{month}-05T10:00")
        with district.office.read() as conn:
            paid[month] = benefits.payable(conn, benefit_id, month)  # as it is paid out in that month
        district.clock.set(f"{month}-15T10:00")
        for when, kind, amount in history:
            if when == month:
                decided(district, benefit_id, kind, amount)
    with district.office.act(district.people["app"]) as act:
        assert {month: benefits.payable(act.conn, benefit_id, month) for month in MONTHS} == paid, "a decision never changes what was paid"
        found = benefits.overpaid(act.conn, benefit_id, right)
        benefits.settle(act, benefit_id, None, "income_changed", found)
    with district.office.read() as conn:
        sums = {"recovery": 0, "arrears": 0} | {s["kind"]: s["amount_fen"] for s in benefits.of_settlements(conn, benefit_id)}
    assert sum(paid[m] for m in right) + sums["arrears"] - sums["recovery"] == sum(right.values())
    assert sums["recovery"] == sum(max(0, paid[m] - fen) for m, fen in right.items())
    if sums["recovery"]:
        instalment = max(instalment, sums["recovery"] // 400 + 1)
        parts = benefits.instalments(sums["recovery"], instalment, "2019-11")
        assert sum(fen for _, fen in parts) == sums["recovery"]
        assert all(0 < fen <= instalment for _, fen in parts)
        assert [m for m, _ in parts] == benefits.months("2019-11", parts[-1][0])


def test_an_instalment_is_above_zero():
    with pytest.raises(ValueError, match="above zero"):
        benefits.instalments(100, 0, "2019-01")
