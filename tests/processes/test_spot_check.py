"""The spot check's draw: three of each ten, an incomplete ten filled up at the month's end, the seed known only afterwards."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from engine import store
from engine.office import history
from processes import households, spot_check
from processes.case_tables import spot_file, spot_register
from processes.rebuild import differences
from tests.district import STREET

DAY = date(2018, 12, 31)


def file(position, *, drawn=False, passed=None, under_way=True):
    return {"position": position, "drawn": drawn, "passed_on": passed, "under_way": under_way}


@given(st.text(min_size=1, max_size=64), st.integers(1, 9))
def test_an_incomplete_ten_is_filled_up_to_thirty_in_a_hundred(seed, n):
    at_once = spot_check.drawn(seed, DAY)
    files = [file(p, drawn=p in at_once) for p in range(n)]
    added = spot_check.late(seed, files, DAY)
    assert len(set(added) | {p for p in at_once if p < n}) == max(-(-3 * n // 10), len([p for p in at_once if p < n]))
    assert not set(added) & at_once
    place = spot_check.order(seed)
    left = [p for p in range(n) if p not in at_once and p not in added]
    assert all(place.index(a) < place.index(p) for a in added for p in left), "nobody chooses: the permutation does"


@given(st.text(min_size=1, max_size=64))
def test_three_of_ten_are_drawn(seed):
    assert len(spot_check.drawn(seed, DAY)) == 3
    assert sorted(spot_check.order(seed)) == list(range(10))


def test_what_can_no_longer_be_visited_is_not_drawn():
    files = [file(0, passed="2018-12-20"), file(1, under_way=False), file(2)]
    assert spot_check.late("seed-without-0-1-2", files, DAY) in ([2], [])
    seed = next(f"s{n}" for n in range(99) if not spot_check.drawn(f"s{n}", DAY) & {0, 1, 2})
    assert spot_check.late(seed, files, DAY) == [2]
    assert spot_check.late(seed, files[:2], DAY) == []


def received(district, n):
    """n households of the street apply, and the district enters their files."""
    drawn = []
    for serial in range(1, n + 1):
        household_id = district.household(200_000, serial=serial)
        district.apply(household_id)
        with district.office.act() as act:
            drawn.append(spot_check.draw(act, STREET, household_id))
    return drawn


def entries(district):
    with district.office.read() as conn:
        row = conn.execute(select(spot_register)).mappings().one()
        return row, history(conn, district.office.keys.on(conn), row["record_id"])


def files(district):
    with district.office.read() as conn:
        return conn.execute(select(spot_file).order_by(spot_file.c.id)).mappings().all()


def test_ten_files_three_visits_and_the_seed_proves_it(district):
    drawn = received(district, 11)
    assert sum(drawn[:10]) == 3
    row, told = entries(district)
    closed = next(e for e in told if e.event == "block_closed")
    assert spot_check.seed_hash(closed.data["seed"]) == next(e for e in told if e.event == "block_opened").data["hash"]
    assert [n for n, yes in enumerate(drawn[:10]) if yes] == sorted(spot_check.drawn(closed.data["seed"], DAY))
    assert (row["block"], row["position"]) == (2, 1)
    assert differences(district.office) == []


@pytest.mark.parametrize("n", [1, 4])
def test_an_incomplete_ten_is_filled_up_and_closed_at_the_months_end(district, n):
    drawn = received(district, n)
    district.at("2018-12-31T23:59")
    assert entries(district)[0]["block"] == 1
    district.at("2019-01-01T00:01")
    row, told = entries(district)
    closed = next(e for e in told if e.event == "block_closed")
    need = -(-3 * n // 10)
    assert len(closed.data["late"]) == max(need - sum(drawn), 0)
    assert (closed.data["files"], closed.data["short"]) == (n, 0)
    assert [f["position"] for f in files(district) if f["late"]] == closed.data["late"]
    assert (row["block"], row["position"]) == (2, 0)
    with district.office.read() as conn:
        states = conn.scalars(select(store.job.c.state).where(store.job.c.kind == "spot_month_end")).all()
    assert states == ["done"]
    assert differences(district.office) == []


def test_a_ten_that_was_full_in_time_is_left_alone(district):
    received(district, 10)
    district.at("2019-01-01T00:01")
    row, told = entries(district)
    assert [e.event for e in told].count("block_closed") == 1
    assert (row["block"], row["position"]) == (2, 0)


def again(district, reason="other"):
    """The district returns the file to the street, which submits it once more."""
    why = {"reason_code": reason, "clause": "第四条"}
    district.do("exam", "district_examination", district_outcome="return_street", opinion="退回", **why)
    district.street()
    district.post()
    district.at(f"{district.office.today() + timedelta(days=8)}T09:00")
    district.submit()


def test_a_returned_file_keeps_its_place_and_its_draw(district):
    district.to_district()
    [before] = files(district)
    home = before["household_id"]
    again(district)
    [after] = files(district)
    assert dict(after) == dict(before), "one place, drawn once"
    assert ("drawn" in district.facts()["spot_reason"]) is bool(before["drawn"])
    row, told = entries(district)
    assert row["position"] == 1
    assert [e.event for e in told].count("file_received") == 1
    assert told[-1].data == {"case": str(home), "block": 1, "position": 0, "drawn": bool(before["drawn"])}
    with district.office.act() as act:  # somebody near comes out before it is submitted a third time
        households.declare_near_relative(act, home, {"staff_login": "clerk2", "staff_name": "某", "relation": "sibling"})
    again(district)
    assert len(files(district)) == 1
    assert "near_relative" in district.facts()["spot_reason"]
    assert differences(district.office) == []


def test_another_application_takes_a_place_of_its_own(district):
    [drawn] = received(district, 1)
    household_id = files(district)[0]["household_id"]
    with district.office.act() as act:
        assert spot_check.kept(act, household_id) is drawn
        assert spot_check.kept(act, household_id + 1) is None
        spot_check.draw(act, STREET, household_id)
    assert [f["position"] for f in files(district)] == [0, 1]
