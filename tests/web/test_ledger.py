"""作战台账 by API and page: the same numbers at both doors, masked lists, the reader's area, and words for what is asked wrongly."""

from __future__ import annotations

from datetime import date
from types import SimpleNamespace

import pytest
from sqlalchemy import insert, update

from processes.complaint_tables import complaint
from processes.ledger_snapshot_tables import ledger_snapshot
from tests.api_roads import Roads
from tests.district import COMMUNITY, STREET
from tests.processes.test_ledger import Street, numbers
from tests.served import app_of
from tests.web.test_pages import Desk
from web import demo_ledger


@pytest.fixture
def roads(bureau, district):
    street = Street(district)
    street.lived()
    return Roads(bureau, district)


PERIOD = "from=2018-11-19&to=2019-02-28"


def test_the_ledger_by_the_api_and_on_its_page(roads):
    told = roads.good("rita", "GET", f"/ledger?unit={STREET}&{PERIOD}")
    assert numbers(told) == {"L1": 6, "L2": 3, "L3": 3, "L4": 6, "L4a": 2, "L4b": 1, "L4c": 2, "L4d": 1}
    assert all(one["ok"] for one in told["checks"])
    assert roads.good("rita", "GET", "/ledger") == told, "its own street, from the campaign's first day to today"
    assert [one["unit"] for one in roads.good("sue", "GET", f"/ledger?{PERIOD}")["units"]] == [STREET, "120116005"]
    listed = roads.good("rita", "GET", f"/ledger/L4?unit={COMMUNITY}&{PERIOD}&size=4&page=2")
    assert (listed["total"], len(listed["items"])) == (6, 2)
    assert all("*" in (one["id_no"] or "*") and one["case_no"] for one in listed["items"])
    for who, path, status in (("rita", "/ledger?unit=120116005", 404), ("admin", "/ledger", 404), ("rita", "/ledger/L9", 404), ("rita", "/ledger?to=2019-13-01", 422),
                              ("rita", "/ledger?from=2019-03-01", 422), ("rita", "/ledger?to=2019-03-01", 422), ("rita", "/ledger?total=7", 422), ("stranger", f"/ledger/L1?unit={STREET}", 404)):  # fmt: skip
        assert roads.call(who, "GET", path).status_code == status, path
    for verb in ("POST", "PUT", "PATCH", "DELETE"):
        assert roads.call("sue", verb, "/ledger/L4", json={"persons": 0}).status_code == 405, "no number is set by hand"


    # the page: the same table, its spreadsheet and the masked list
    page = Desk(app_of(roads.bureau), "rita")
    html = page.text(f"/ledger?{PERIOD}")
    assert "全面复核救助对象人数" in html
    assert "不相符" not in html
    assert "L1,全面复核救助对象人数,6,3," in page.text(f"/ledger?{PERIOD}&as=csv")
    listed = page.text(f"/ledger/L4d?{PERIOD}")
    assert "赵*" in listed
    assert "赵二" not in listed
    assert page.get("/ledger?to=2019-02-30").status_code == 422
    for path in ("/ledger/L9", "/ledger/L4/x", "/ledger/snapshots/77"):
        assert page.get(path).status_code == 404
    for path in ("/ledger/end?count=households", "/ledger/moved_in", "/ledger/L5", "/ledger/L6?type=unlawful&state=overdue", "/ledger/snapshots"):
        assert page.get(path).status_code == 200, path
    assert page.get("/ledger/L6?type=x").status_code == 404


def test_a_snapshot_says_what_it_said_and_who_is_counted_otherwise_by_now(roads):
    """A tip that was registered before the household's own report is proved after the snapshot: the exit is another one, the snapshot is not."""
    district, asked = roads.district, {"unit": STREET, "from": "2018-11-19", "to": "2019-02-28"}
    for who, status in (("admin", 404), ("auditor", 403), ("vera", 404), ("stranger", 404)):
        assert roads.call(who, "POST", "/ledger/snapshots", json=asked).status_code == status, who
    assert roads.bad(422, "rita", "POST", "/ledger/snapshots", {**asked, "to": "2019-03-01"})["errors"].keys() == {"to"}
    again = {"headers": {"Idempotency-Key": "snap-1"}}
    taken = roads.good("rita", "POST", "/ledger/snapshots", asked, **again)
    assert roads.good("rita", "POST", "/ledger/snapshots", asked, **again) == taken
    assert roads.good("lee", "POST", "/ledger/snapshots", asked) == {**taken, "known": True}, "nothing has changed: one snapshot stands for it"
    one = f"/ledger/snapshots/{taken['snapshot']}"
    before = roads.good("rita", "GET", one)
    assert (before["reproduced"], before["intact"], before["drift"], before["previous"]) == (True, True, [], None)
    assert {row["why"] for row in roads.good("rita", "GET", f"{one}/changes")["items"]} == {"first"}
    assert [row["digest"] for row in roads.good("sue", "GET", f"/ledger/snapshots?unit={STREET}")["items"]] == [taken["digest"]]
    assert roads.good("stranger", "GET", "/ledger/snapshots")["items"] == []
    roads.bad(404, "stranger", "GET", one)
    home = roads.good("rita", "GET", "/ledger/L4a")["items"][0]["household_id"]
    with district.office.store.write() as conn:  # as if it had been registered on the day before, and proved today
        row = {"id": (1 << 40), "case_no": district.no, "unit": STREET, "channel": "phone", "received_on": "2018-12-01", "is_named": False, "target_kind": "household", "household_id": home,
               "state": "closed", "finding": "substantiated", "concluded_on": "2019-02-28"}  # fmt: skip
        conn.execute(insert(complaint).values(**row))
    assert numbers(roads.good("rita", "GET", "/ledger"))["L4c"] == 4
    now = roads.good("rita", "GET", one)
    assert (now["figures"], now["digest"], now["intact"], now["reproduced"]) == (before["figures"], before["digest"], True, False)
    assert now["drift"] == [{"number": "L4a", "entered": 0, "left": 2}, {"number": "L4c", "entered": 2, "left": 0}]
    changed = roads.good("rita", "GET", f"{one}/changes?against=now")
    assert {(row["number"], row["change"], row["why"]) for row in changed["items"]} == {("L4a", "left", "reclassified"), ("L4c", "entered", "reclassified")}
    assert [row["name"] for row in changed["items"] if row["id_no"]] == ["何*", "何*"]
    assert roads.good("rita", "GET", f"{one}/changes?against=now&number=L4c&size=1&page=2")["total"] == 2
    later = roads.good("rita", "POST", "/ledger/snapshots", asked)["snapshot"]
    assert [(row["number"], row["entered"], row["left"]) for row in roads.good("rita", "GET", f"/ledger/snapshots/{later}")["changes"]] == [("L4a", 0, 2), ("L4c", 2, 0)]
    page = Desk(app_of(roads.bureau), "rita")
    assert "退出原因归类变化" in page.text(f"/ledger/snapshots/{later}")
    assert "没有差异" in page.text(f"/ledger/snapshots/{later}?against=now")
    assert page.post("/ledger/snapshots", asked).location.endswith(f"/snapshots/{later}")
    town = SimpleNamespace(made=roads.bureau, streets=[(STREET, COMMUNITY)], by_role=lambda role, unit: [a for a in district.people.values() if a.holds(role, unit)])
    for day in (date(2019, 2, 27), date(2019, 2, 28)):
        demo_ledger.day(town, day)
    assert [row["unit"] for row in roads.good("sue", "GET", "/ledger/snapshots")["items"]] == ["120116", STREET, STREET], "the demo's, on the last day alone"
    with district.office.store.write() as conn:
        conn.execute(update(ledger_snapshot).where(ledger_snapshot.c.id == later).values(figures=ledger_snapshot.c.figures + " "))
    assert not roads.good("rita", "GET", f"/ledger/snapshots/{later}")["intact"]
