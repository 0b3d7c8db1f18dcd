"""Safety inspections of facilities (domain 1.16; S27), through the API and on the pages."""

from __future__ import annotations

import io
import random
from datetime import date, timedelta

import pytest

from processes import facilities, organisation
from processes.facility_tables import hazard, inspection
from processes.rebuild import differences
from tests.district import COMMUNITY, PASSWORD, STREET
from tests.web.test_api import Door
from tests.web.test_pages import Desk, rows
from web import demo, demo_facilities

HOME = {"name": "塘沽敬老院", "organisation": "塘沽街道办事处", "unit": STREET, "kind": "public", "capacity": 40, "residents": 28}
GOOD = [{"group": "electricity", "item": "配电箱", "result": "pass"}, {"group": "heating", "item": "暖气管道", "result": "n/a", "note": "集中供热"},
        {"group": "fire", "item": "灭火器", "result": "pass"}, {"group": "food", "item": "留样", "result": "pass"}]  # fmt: skip
EXIT = {"group": "fire", "item": "安全出口堵塞", "result": "fail", "level": "major", "fixed_on_spot": True, "measure": "当场清理"}
WIRING = {"group": "electricity", "item": "线路老化", "result": "fail", "level": "major", "measure": "更换线路", "responsible": "赵院长", "due_on": "2019-01-25"}
STOVE = {"group": "heating", "item": "燃煤炉无报警器", "result": "fail", "level": "major", "measure": "装一氧化碳报警器", "responsible": "rita", "due_on": "2019-01-20"}
PNG = b"\x89PNG\r\n\x1a\n photo"


@pytest.fixture
def door(bureau, district):
    district.clock.set("2019-01-16T09:00")
    with district.office.act() as act:
        organisation.add_staff(act, "village2", "村某", PASSWORD, [("village_committee", "120116005001")])
        organisation.add_staff(act, "local", "街某", PASSWORD, [("spot_checker", STREET)])
    return Door(bureau, district)


@pytest.fixture
def home(door):
    return door.good("spot", "POST", "/facilities", HOME)["facility"]


def sheet(*items, **more):
    return {"inspected_on": "2019-01-16", "inspectors": "exam", "items": [*GOOD, *items], **more}


def photo(door, who="officer", unit=STREET):
    return door.good(who, "POST", "/attachments", data={"file": (io.BytesIO(PNG), "p.png"), "unit": unit, "kind": "photo"}, content_type="multipart/form-data")["id"]


def standing(door, on, who="sue"):
    return door.good(who, "GET", f"/facilities/obligation?on={on}")


def test_s27_an_overdue_hazard_blocks_the_facility(door, district, home):
    made = door.good("spot", "POST", f"/facilities/{home}/inspections", sheet(EXIT, WIRING, STOVE))
    assert (made["state"], len(made["hazards"])) == ("recorded", 3)
    assert standing(door, "2019-01-16")["rows"][0]["why"] == ["not_inspected"]
    assert door.bad(403, "sue", "POST", f"/inspections/{made['inspection']}/confirmation")["rule"] == "inspector"
    assert door.good("exam", "POST", f"/inspections/{made['inspection']}/confirmation")["state"] == "finished"
    door.bad(409, "exam", "POST", f"/inspections/{made['inspection']}/confirmation")
    told = door.good("officer", "GET", f"/inspections/{made['inspection']}")
    spot, wiring, stove = told["hazards"]
    assert (spot["state"], wiring["state"], stove["state"], wiring["may"]) == ("on_spot", "open", "open", ["verify"])
    assert standing(door, "2019-01-16")["rows"][0] | {"facility_id": 0} == {
        "facility_id": 0, "name": "塘沽敬老院", "unit": STREET, "inspections": 1, "first_finished_on": "2019-01-16", "settled_on": "2019-01-16", "hazards": 3, "open": 2, "overdue": 0, "done": True, "why": []}  # fmt: skip
    district.clock.set("2019-01-24T10:00")
    said = {"verified_on": "2019-01-24", "outcome": "fixed", "seen": "已更换", "photo": photo(door)}
    assert door.bad(403, "clerk", "POST", f"/hazards/{wiring['id']}/verification", said)["rule"] == "verifier"
    assert "verified_on" in door.bad(422, "officer", "POST", f"/hazards/{wiring['id']}/verification", said | {"verified_on": "2019-01-15"})["errors"]
    assert "photo" in door.bad(422, "officer", "POST", f"/hazards/{wiring['id']}/verification", said | {"photo": 1})["errors"]
    assert "photo" in door.bad(422, "officer", "POST", f"/hazards/{wiring['id']}/verification", {k: v for k, v in said.items() if k != "photo"})["errors"]
    assert door.good("officer", "POST", f"/hazards/{wiring['id']}/verification", said)["state"] == "verified"
    door.bad(409, "officer", "POST", f"/hazards/{wiring['id']}/verification", said)
    door.bad(409, "officer", "POST", f"/hazards/{spot['id']}/verification", said)
    assert door.good("officer", "POST", f"/hazards/{stove['id']}/verification", said | {"outcome": "not_fixed", "seen": "未安装"})["state"] == "open"
    assert [h["id"] for h in door.good("sue", "GET", "/hazards?state=overdue")["items"]] == [stove["id"]]
    rule = standing(door, "2019-01-24")
    assert (rule["done"], rule["rows"][0]["why"], rule["hazards"]) == (0, ["overdue"], {"found": 3, "open": 1, "overdue": 1, "fixed": 2})
    assert standing(door, "2019-01-20")["rows"][0]["done"] is True
    assert standing(door, "2019-01-21")["rows"][0]["overdue"] == 1
    assert standing(door, "2019-01-23")["hazards"]["open"] == 2
    district.clock.set("2019-02-01T10:00")
    assert door.good("sue", "POST", f"/hazards/{stove['id']}/verification", said | {"verified_on": "2019-02-01", "photo": photo(door, "sue")})["state"] == "verified"
    assert standing(door, "2019-02-01")["done"] == 1
    assert [c["outcome"] for c in door.good("officer", "GET", f"/hazards/{stove['id']}")["checks"]] == ["not_fixed", "fixed"]
    assert differences(district.office) == []


def test_who_is_responsible_does_not_verify(door, district, home):
    for responsible in ("officer", "某officer"):
        made = door.good("spot", "POST", f"/facilities/{home}/inspections", sheet(STOVE | {"responsible": responsible}))
        said = {"verified_on": "2019-01-16", "outcome": "fixed", "seen": "装好", "photo": photo(door)}
        assert door.bad(403, "officer", "POST", f"/hazards/{made['hazards'][0]}/verification", said)["rule"] == "responsible"
        assert door.good("officer", "GET", f"/hazards/{made['hazards'][0]}")["may"] == []
        door.good("lee", "POST", f"/hazards/{made['hazards'][0]}/verification", said)


def test_what_is_no_inspection_is_refused_and_nothing_is_written(door, home):
    place = f"/facilities/{home}/inspections"
    for sent, wrong in (
        ({"inspectors": "spot"}, "inspectors"), ({"inspectors": "exam,spot"}, "inspectors"), ({"inspectors": "、"}, "inspectors"), ({"inspectors": "nobody"}, "inspectors"), ({"inspectors": "officer"}, "inspectors"),
        ({"inspectors": "local"}, "inspectors"), ({"inspected_on": "2019-01-17"}, "inspected_on"), ({"inspected_on": "2017-12-01"}, "inspected_on"), ({"items": GOOD[:3]}, "items"), ({"items": [*GOOD[:3], GOOD[0]]}, "items"),
        ({"items": [*GOOD, GOOD[0]]}, "items"), ({"items": [*GOOD, {"group": "gas", "item": "x", "result": "pass"}]}, "items.4.group"), ({"items": [*GOOD, WIRING | {"level": None}]}, "items.4.level"),
        ({"items": [*GOOD, {k: v for k, v in WIRING.items() if k != "measure"}]}, "items.4.measure"), ({"items": [*GOOD, {k: v for k, v in WIRING.items() if k != "responsible"}]}, "items.4.responsible"),
        ({"items": [*GOOD, {k: v for k, v in WIRING.items() if k != "due_on"}]}, "items.4.due_on"), ({"items": [*GOOD, WIRING | {"due_on": "2019-01-15"}]}, "items"), ({"items": [*GOOD, EXIT | {"due_on": "2019-01-20"}]}, "items.4.due_on"),
        ({"items": [*GOOD, WIRING | {"result": "pass"}]}, "items.4.level"), ({"items": [*GOOD, EXIT | {"photo": 12345}]}, "items.4.photo")):  # fmt: skip
        assert wrong in door.bad(422, "spot", "POST", place, sheet(**sent) if "items" not in sent else sheet() | sent)["errors"], sent
    for who in ("officer", "lee", "auditor", "local"):
        assert door.bad(403, who, "POST", place, sheet())["rule"] == "inspector"
    door.bad(404, "stranger", "POST", place, sheet())
    assert rows(door.bureau, inspection) == rows(door.bureau, hazard) == 0


def test_facilities_are_listed_changed_and_closed(door, district, home):
    for sent, wrong in (({"unit": "120116"}, "unit"), ({"unit": "x"}, "unit"), ({"capacity": 0}, "capacity"), ({"residents": -1}, "residents"), ({"capacity": 10**6}, "capacity"), ({"kind": "hotel"}, "kind"), ({"name": ""}, "name")):
        assert wrong in door.bad(422, "spot", "POST", "/facilities", HOME | {"name": "另一家"} | sent)["errors"], sent
    door.bad(409, "officer", "POST", "/facilities", HOME | {"unit": COMMUNITY})
    assert door.bad(403, "clerk", "POST", "/facilities", HOME | {"name": "另一家"})["rule"] == "facility"
    assert door.bad(403, "officer", "POST", "/facilities", HOME | {"name": "另一家", "unit": "120116005"})["rule"] == "facility"
    assert door.good("spot", "GET", f"/facilities/{home}")["may"] == ["inspect", "change", "close"]
    assert "residents" in door.bad(422, "officer", "POST", f"/facilities/{home}/changes", {})["errors"]
    door.good("officer", "POST", f"/facilities/{home}/changes", {"residents": 31})
    assert (door.good("clerk", "GET", f"/facilities/{home}")["residents"], door.good("clerk", "GET", f"/facilities/{home}")["capacity"]) == (31, 40)
    door.bad(404, "stranger", "GET", f"/facilities/{home}")
    assert door.good("stranger", "GET", "/facilities")["total"] == 0
    gone = {"closed_on": "2019-01-16", "reason": "老人转入区福利院"}
    assert door.bad(403, "officer", "POST", f"/facilities/{home}/closing", gone)["rule"] == "inspector"
    assert "closed_on" in door.bad(422, "sue", "POST", f"/facilities/{home}/closing", gone | {"closed_on": "2019-01-15"})["errors"]
    door.good("sue", "POST", f"/facilities/{home}/closing", gone)
    door.bad(409, "spot", "POST", f"/facilities/{home}/inspections", sheet())
    assert (door.good("sue", "GET", "/facilities")["total"], door.good("sue", "GET", "/facilities?closed=true")["total"], standing(door, "2019-01-16")["facilities"]) == (0, 1, 0)
    assert differences(district.office) == []


def test_an_inspection_that_is_finished_in_the_holiday_comes_too_late(door, district, home):
    district.clock.set("2019-02-03T10:00")
    made = door.good("spot", "POST", f"/facilities/{home}/inspections", sheet(inspected_on="2019-02-03", inspectors="exam sue"))
    door.good("exam", "POST", f"/inspections/{made['inspection']}/confirmation")
    district.clock.set("2019-02-04T10:00")
    assert door.good("sue", "POST", f"/inspections/{made['inspection']}/confirmation")["state"] == "finished"
    assert standing(door, "2019-02-03")["rows"][0]["why"] == ["not_inspected"]
    assert standing(door, "2019-02-04")["rows"][0]["why"] == ["inspected_late"]


def test_photos_are_kept_for_the_unit_and_read_by_its_people(door, district, home):
    number = photo(door)
    assert door.call("lee", "GET", f"/attachments/{number}").data == PNG
    door.bad(404, "stranger", "GET", f"/attachments/{number}")
    door.bad(404, "stranger", "POST", "/attachments", data={"file": (io.BytesIO(PNG), "p.png"), "unit": STREET}, content_type="multipart/form-data")
    assert door.bad(403, "auditor", "POST", "/attachments", data={"file": (io.BytesIO(PNG), "p.png"), "unit": STREET}, content_type="multipart/form-data")["rule"] == "attachment"
    assert "file" in door.bad(422, "officer", "POST", "/attachments", data={"file": (io.BytesIO(b"GIF89a"), "p.png"), "unit": STREET}, content_type="multipart/form-data")["errors"]
    other = photo(door, "village2", "120116005001")
    assert "items.4.photo" in door.bad(422, "spot", "POST", f"/facilities/{home}/inspections", sheet(EXIT | {"photo": other}))["errors"]
    made = door.good("spot", "POST", f"/facilities/{home}/inspections", sheet(EXIT | {"photo": number}))
    assert door.good("spot", "GET", f"/inspections/{made['inspection']}")["items"][4]["photo"] == number
    assert differences(district.office) == []


def test_the_pages_do_the_same(door, district):
    desk = Desk(door.app, "spot")
    made = desk.post("/facilities/new", {name: str(value) for name, value in HOME.items()})
    assert made.status_code == 302, made.get_data(as_text=True)
    assert "未完成安全检查" in desk.text("/facilities/")
    form = {"inspected_on": "2019-01-16", "inspectors": "exam"} | {f"items-{n}-{name}": value for n, one in enumerate(GOOD) for name, value in one.items()}
    bad = desk.post(f"{made.location}/inspections/new", form | {"items-9-group": "fire", "items-9-item": "疏散通道", "items-9-result": "fail", "items-9-photo__file": (io.BytesIO(PNG), "门口.png")})
    assert bad.status_code == 422
    assert "门口.png" in bad.get_data(as_text=True)
    wiring = {f"items-9-{name}": value for name, value in WIRING.items()}
    done = desk.post(f"{made.location}/inspections/new", form | wiring | {"items-9-photo__file": (io.BytesIO(PNG), "门口.png")})
    assert done.status_code == 302, done.get_data(as_text=True)
    other = Desk(door.app, "exam")
    assert "我在场" in other.text(done.location)
    assert other.post(f"{done.location}/confirmation", {}, page=done.location).status_code == 302
    assert "检查完成" in other.text(done.location)
    assert "安全检查表" in other.text(f"{done.location}/sheet")
    assert "更换线路" in other.text(f"{done.location}/order")
    listed = door.good("officer", "GET", "/hazards")["items"][0]
    street = Desk(door.app, "officer")
    assert "线路老化" in street.text("/facilities/hazards?state=open")
    assert "线路老化" not in street.text("/facilities/hazards?state=overdue")
    fixed = street.post(f"/facilities/hazards/{listed['id']}/verification", {"verified_on": "2019-01-16", "outcome": "fixed", "seen": "已换", "photo__file": (io.BytesIO(PNG), "后.png")})
    assert fixed.status_code == 302, fixed.get_data(as_text=True)
    assert "已复查销号" in street.text(made.location)
    shown = door.good("officer", "GET", f"/hazards/{listed['id']}")["checks"][0]["photo"]
    assert street.get(f"/attachments/{shown}").data == PNG
    assert Desk(door.app, "clerk").get("/facilities/new").status_code == 403
    assert Desk(door.app, "stranger").get(made.location).status_code == 404


def test_the_demos_facilities_leave_something_late_and_something_open(bureau, district):
    with district.office.act() as act:
        organisation.add_staff(act, "spot2", "抽某", PASSWORD, [("spot_checker", "120116")])
    with district.office.read() as conn:
        actors = {login: organisation.find_actor(conn, login) for login in ("spot", "spot2", "exam", "officer")}
    made = demo.District(bureau, district.clock, random.Random(1), actors=actors, streets=[(STREET, COMMUNITY)])
    demo_facilities.begin(made)
    for n in range(102):
        day = date(2018, 11, 19) + timedelta(days=n)
        district.clock.set(f"{day.isoformat()}T17:00")
        demo_facilities.day(made, day)
    with district.office.read() as conn:
        rule = facilities.obligation(conn, "120116", date(2019, 2, 28))
    assert (rule["facilities"], rule["done"]) == (6, 4)
    assert sorted(sum((row["why"] for row in rule["rows"]), [])) == ["not_inspected", "overdue"]
