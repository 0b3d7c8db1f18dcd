"""The training register (domain 1.3) and the publicity register (domain 1.2), through the API and on the pages."""

from __future__ import annotations

import io
import random
from datetime import date, timedelta

import pytest

from processes import organisation, publicity, training_sessions
from processes.outreach_tables import publicity_activity, training_attendance, training_session
from processes.rebuild import differences
from tests.district import COMMUNITY, PASSWORD, STREET
from tests.processes.test_import_annex1 import line, read, sheet
from tests.web.test_api import Door
from tests.web.test_pages import Desk, rows
from tests.web.test_screening import ANSWERS, NAMED, VISIT, visited
from web import demo, demo_training
from web.importing import bring_in

CLASS = {"level": "district", "unit": "120116", "title": "社会救助培训班", "held_on": "2018-12-03", "place": "会议室", "trainer": "救助科", "topics": ["policy", "discipline"]}
DIRECTOR = {"name": "李主任", "role": "committee_director", "unit": COMMUNITY, "signed": True}
OTHER = "120116005001"
TALK = {"unit": STREET, "channel": "event", "programmes": ["dibao", "temporary"], "title": "政策进社区", "held_on": "2018-12-03", "place": "广场", "communities": COMMUNITY, "audience_count": 120,
        "material_type": "leaflet", "copies": 300}  # fmt: skip
PDF = b"%PDF-1.4 sheet"


@pytest.fixture
def door(bureau, district):
    return Door(bureau, district)


def member(login, **more):
    return {"staff": login, "role": "assistance_staff", "signed": True} | more


def scan(door, who="sue", unit="120116"):
    return door.good(who, "POST", "/attachments", data={"file": (io.BytesIO(PDF), "s.pdf"), "unit": unit}, content_type="multipart/form-data")["id"]


def test_who_is_trained_and_who_is_missing(door, district):
    before = door.good("sue", "GET", "/training/coverage")
    assert (before["district_class"], before["directors"], before["staff"]["trained"]) == ({"by": "2018-12-31", "held_on": None, "kept": False}, {"all": 2, "trained": 0}, 0)
    wanted = before["staff"]["all"]
    assert [u["unit"] for u in before["units"]] == ["120116", STREET, "120116005"]
    made = door.good("sue", "POST", "/training", CLASS | {"attendance": [member("clerk", quiz_score=92), member("exam"), member("ann", signed=False), DIRECTOR], "sheet": scan(door)})
    assert made["attendance"] == 4
    told = door.good("sue", "GET", "/training/coverage")
    assert (told["district_class"]["kept"], told["sessions"], told["heads"]) == (True, {"district": 1, "street": 0, "village": 0}, 3)
    assert (told["directors"], told["staff"]) == ({"all": 2, "trained": 1}, {"all": wanted, "trained": 2})
    street = next(u for u in told["units"] if u["unit"] == STREET)
    assert (street["directors"], street["staff"]) == ({"all": 1, "trained": 1}, {"all": 8, "trained": 1})
    assert [one["unit"] for one in door.good("sue", "GET", "/training/missing?kind=directors")["items"]] == [OTHER]
    left = [one["staff"] for one in door.good("sue", "GET", f"/training/missing?kind=staff&unit={STREET}")["items"]]
    assert left == ["ann", "bob", "carl", "clerk2", "lee", "officer", "rita"]
    more = door.good("sue", "POST", f"/training/{made['session']}/attendance", {"attendance": [member("ann", quiz_score=60), member("lee")]})
    assert more["attendance"] == 5, "who is listed already is replaced"
    row = door.good("sue", "GET", f"/training/{made['session']}")
    assert (row["signed"], row["average_score"], row["sheet"] is not None) == (5, 76.0, True)
    seen = door.good("officer", "GET", f"/training/{made['session']}")
    assert ([a["staff"] for a in seen["attendance"]], seen["may"]) == (["clerk", "ann", None, "lee"], [])
    assert door.good("sue", "GET", "/training/coverage?on=2018-12-02")["staff"]["trained"] == 0
    door.good("sue", "POST", f"/training/{made['session']}/withdrawal", {"reason": "重复登记"})
    door.bad(409, "sue", "POST", f"/training/{made['session']}/attendance", {"attendance": [member("bob")]})
    assert (door.good("sue", "GET", "/training/coverage")["directors"]["trained"], door.good("sue", "GET", "/training")["total"]) == (0, 1)
    assert differences(district.office) == []


def test_a_class_after_the_year_s_end_is_late(door, district):
    district.clock.set("2019-01-02T09:00")
    door.good("sue", "POST", "/training", CLASS | {"held_on": "2019-01-02"})
    assert door.good("sue", "GET", "/training/coverage")["district_class"] == {"by": "2018-12-31", "held_on": "2019-01-02", "kept": False}
    assert door.good("officer", "GET", "/training/coverage")["district_class"]["held_on"] == "2019-01-02"


def test_what_is_no_session_is_refused_and_nothing_is_written(door):
    for sent, wrong in (
        ({"level": "street"}, "unit"), ({"unit": STREET}, "unit"), ({"unit": "9"}, "unit"), ({"held_on": "2018-12-04"}, "held_on"), ({"held_on": "2017-11-01"}, "held_on"), ({"topics": []}, "topics"), ({"topics": ["x"]}, "topics.0"),
        ({"trainer": ""}, "trainer"), ({"sheet": 77}, "sheet"), ({"attendance": [member("nobody")]}, "attendance.0.staff"), ({"attendance": [member("ann", name="安")]}, "attendance.0.name"),
        ({"attendance": [{"role": "other", "signed": True}]}, "attendance.0.name"), ({"attendance": [DIRECTOR | {"unit": None}]}, "attendance.0.unit"), ({"attendance": [DIRECTOR | {"unit": STREET}]}, "attendance.0.unit"),
        ({"attendance": [member("ann"), member("ann")]}, "attendance"), ({"attendance": [member("ann", quiz_score=101)]}, "attendance.0.quiz_score"), ({"attendance": [member("ann", quiz_score=-1)]}, "attendance.0.quiz_score"),
        ({"attendance": [member("ann", unit="12011")]}, "attendance.0.unit"), ({"attendance": [member("ann", unit=OTHER)]}, "attendance.0.unit")):  # fmt: skip
        body = CLASS | sent
        assert wrong in door.bad(422, "sue", "POST", "/training", body)["errors"], sent
    assert door.bad(403, "officer", "POST", "/training", CLASS)["rule"] == "organiser"
    assert door.bad(403, "auditor", "POST", "/training", CLASS)["rule"] == "organiser"
    assert door.bad(403, "vera", "POST", "/training", CLASS | {"level": "street", "unit": STREET})["rule"] == "organiser"
    assert door.bad(403, "stranger", "POST", "/training", CLASS | {"level": "street", "unit": STREET})["rule"] == "organiser"
    assert rows(door.bureau, training_session) == rows(door.bureau, training_attendance) == 0
    made = door.good("vera", "POST", "/training", CLASS | {"level": "village", "unit": COMMUNITY})
    door.bad(404, "stranger", "GET", f"/training/{made['session']}")
    door.bad(404, "stranger", "GET", f"/training/coverage?unit={STREET}")
    assert door.good("stranger", "GET", "/training")["total"] == 0


def test_programmes_reach_communities(door, district):
    made = door.good("officer", "POST", "/publicity", TALK | {"evidence": [scan(door, "officer", STREET)]})
    door.good("vera", "POST", "/publicity", TALK | {"unit": COMMUNITY, "communities": "", "channel": "display", "programmes": ["medical"], "audience_count": 0, "material_type": "poster", "copies": 5})
    door.good("sue", "POST", "/publicity", TALK | {"unit": "120116", "communities": "紫云园社区 120116005001、紫云园社区", "channel": "wechat", "programmes": list(publicity.CODES[:3]), "material_type": "none", "copies": 0})
    told = door.good("officer", "GET", "/publicity/coverage")
    assert (told["activities"], told["audience"], told["copies"], told["explained"]) == (2, 120, 305, 0)
    assert told["communities"] == [{"community": COMMUNITY, "activities": 3, "programmes": ["dibao", "low_income", "destitute", "medical", "temporary"], "lacking": ["education", "housing", "employment", "illness_expenditure"], "explained": 0}]
    whole = door.good("sue", "GET", "/publicity/coverage")
    assert [(p["programme"], p["activities"], p["communities"]) for p in whole["programmes"] if p["activities"]] == [
        ("dibao", 2, 2), ("low_income", 1, 2), ("destitute", 1, 2), ("medical", 1, 1), ("temporary", 1, 1)]  # fmt: skip
    assert door.good("sue", "GET", "/publicity/coverage?on=2018-12-02")["activities"] == 0
    assert door.good("officer", "GET", "/publicity?programme=temporary")["total"] == 1
    assert door.good("officer", "GET", "/publicity?channel=wechat")["total"] == 1, "the district's activities are shown below"
    door.bad(404, "stranger", "GET", f"/publicity/{made['activity']}")
    assert door.bad(403, "auditor", "POST", f"/publicity/{made['activity']}/withdrawal", {"reason": "x"})["rule"] == "publicity"
    door.good("officer", "POST", f"/publicity/{made['activity']}/withdrawal", {"reason": "重复登记"})
    door.bad(409, "officer", "POST", f"/publicity/{made['activity']}/withdrawal", {"reason": "重复登记"})
    assert door.good("officer", "GET", "/publicity/coverage")["copies"] == 5
    named = door.good("sue", "POST", "/publicity", TALK | {"unit": "120116", "communities": "全部"})["activity"]
    assert door.good("sue", "GET", f"/publicity/{named}")["communities"] == [COMMUNITY, OTHER]
    assert differences(district.office) == []


def test_what_is_no_activity_is_refused_and_nothing_is_written(door):
    for sent, wrong in (
        ({"unit": "x"}, "unit"), ({"channel": "x"}, "channel"), ({"programmes": []}, "programmes"), ({"programmes": ["x"]}, "programmes.0"), ({"held_on": "2018-12-04"}, "held_on"), ({"communities": OTHER}, "communities"), ({"communities": "abc"}, "communities"),
        ({"unit": COMMUNITY, "communities": OTHER}, "communities"), ({"audience_count": -1}, "audience_count"), ({"audience_count": 10**9}, "audience_count"), ({"copies": 0}, "copies"), ({"material_type": "none"}, "copies"),
        ({"evidence": [99]}, "evidence"), ({"evidence": ["1"] * 30}, "evidence")):  # fmt: skip
        assert wrong in door.bad(422, "officer", "POST", "/publicity", TALK | sent)["errors"], sent
    assert door.bad(403, "vera", "POST", "/publicity", TALK)["rule"] == "publicity"
    assert door.bad(403, "auditor", "POST", "/publicity", TALK)["rule"] == "publicity"
    assert rows(door.bureau, publicity_activity) == 0


def test_visitors_explain_the_policy(door, bureau, district):
    home = next(iter(bring_in(bureau, read(district, sheet(line(**NAMED)), "officer", **ANSWERS), district.people["officer"]).homes.values()))
    old = visited(door, home)
    assert door.good("officer", "GET", f"/screenings/{old['screening']}")["policy_explained"] is None
    made = door.good("officer", "POST", "/screenings", VISIT | {"household_id": home, "policy_explained": True, "leaflet_given": True})
    assert door.good("sue", "GET", "/publicity/coverage")["explained"] == 0, "the second visitor has not confirmed it"
    door.good("vera", "POST", f"/screenings/{made['screening']}/confirmation")
    assert door.good("sue", "GET", "/publicity/coverage")["explained"] == 1
    assert next(c for c in door.good("sue", "GET", "/publicity/coverage")["communities"] if c["community"] == COMMUNITY)["explained"] == 1
    assert differences(district.office) == []


def test_the_pages_do_the_same(door):
    desk = Desk(door.app, "sue")
    assert "尚未举办" in desk.text("/training/")
    sent = CLASS | {"attendance-0-staff": "clerk", "attendance-0-role": "assistance_staff", "attendance-0-signed": "true", "attendance-0-quiz_score": "９０"}
    bad = desk.post("/training/new", sent | {"attendance-0-staff": "nobody", "sheet__file": (io.BytesIO(PDF), "签到.pdf")})
    assert bad.status_code == 422
    assert "签到.pdf" in bad.get_data(as_text=True)
    made = desk.post("/training/new", sent | {"sheet__file": (io.BytesIO(PDF), "签到.pdf")})
    assert made.status_code == 302, made.get_data(as_text=True)
    assert "某clerk" in desk.text(made.location)
    assert desk.get(f"/attachments/{door.good('sue', 'GET', '/training')['items'][0]['sheet']}").data == PDF
    more = {f"attendance-0-{name}": str(value).lower() if isinstance(value, bool) else value for name, value in DIRECTOR.items()}
    assert desk.post(f"{made.location}/attendance", more).status_code == 302
    assert "李主任" in desk.text(f"{made.location}/sheet")
    assert "社会救助培训班" in desk.text("/training/register")
    assert "某社区" in desk.text("/training/missing?kind=directors")
    assert "ann" in desk.text("/training/missing?kind=staff")
    assert desk.post(f"{made.location}/withdrawal", {"reason": "重复"}).status_code == 302
    street = Desk(door.app, "officer")
    assert "重复" in street.text(made.location)
    talk = street.post("/publicity/new", {n: str(v) if not isinstance(v, list) else v for n, v in TALK.items()} | {"evidence__file": (io.BytesIO(PDF), "样本.pdf")})
    assert talk.status_code == 302, talk.get_data(as_text=True)
    assert "材料 1" in street.text(talk.location)
    assert "政策进社区" in street.text("/publicity/")
    assert "政策进社区" in street.text("/publicity/register")
    assert "医疗救助" in street.text("/publicity/communities")
    assert street.post(f"{talk.location}/withdrawal", {"reason": "填错"}).status_code == 302
    assert "填错" in street.text(talk.location)
    assert Desk(door.app, "auditor").get("/training/new").status_code == 403
    assert Desk(door.app, "stranger").get(talk.location).status_code == 404


def test_the_demos_registers_are_alive(bureau, district):
    with district.office.act() as act:
        organisation.add_staff(act, "village2", "村某", PASSWORD, [("village_committee", OTHER), ("village_committee", COMMUNITY)])
    with district.office.read() as conn:
        actors = {login: organisation.find_actor(conn, login) for login in ("sue", "officer", "clerk", "ann", "village2", "vera")}
    made = demo.District(bureau, district.clock, random.Random(1), actors=actors, streets=[(STREET, COMMUNITY)])
    demo_training.begin(made)
    for n in range(102):
        day = date(2018, 11, 19) + timedelta(days=n)
        district.clock.set(f"{day.isoformat()}T17:00")
        demo_training.day(made, day)
    with district.office.read() as conn:
        trained = training_sessions.coverage(conn, "120116", date(2019, 2, 28))
        told = publicity.coverage(conn, "120116", date(2019, 2, 28))
    assert trained["district_class"]["kept"]
    assert trained["sessions"]["street"] >= 1
    assert 0 < trained["staff"]["trained"] < trained["staff"]["all"]
    assert told["activities"] > 2
    assert any(c["lacking"] and c["programmes"] for c in told["communities"])
