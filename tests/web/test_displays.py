"""长期公示, objections, telephones and the pages for everybody: whitelist, proof, periods; who may; what a cache may keep (domain 1.11, S33)."""

from __future__ import annotations

import json
import re

import pytest
from sqlalchemy import select, update

from processes import benefits, guide, households, identity, organisation
from processes.benefits import Change
from processes.case_tables import notice
from processes.display_tables import display, objection, unit_phone
from processes.rebuild import differences
from processes.tables import household, person
from tests.district import COMMUNITY, PASSWORD, STREET, paper
from tests.web.test_api import Door
from tests.web.test_pages import Desk, rows
from web.demo_public import Public

CHILD = {"disability_kind": "intellectual", "disability_grade": 1, "serious_illness": True}
SECRETS = ("演示路", "13800138000", "6222020000000000013", "智力", "残疾", "重病")


def granted(district, *, fen=66_000, category="dibao", n=3, serial=1, **more):
    """A household in benefit since this month, with a disabled child and an account; its benefit."""
    home = district.household(210_000, n=n, serial=serial, last=CHILD if n > 1 else {}, bank_account="6222020000000000013", bank_holder="张一", **more)
    with district.office.act() as act:
        benefits.begin(act, "benefit_begun", {"household_id": home, "category": category, "amount_fen": fen, "status": "active", "first_payment_month": "2018-12", "members": n,
                                              "granted_on": "2018-12-03"}, {})  # fmt: skip
    with district.office.read() as conn:
        return home, benefits.live(conn, home)["id"]


@pytest.fixture
def door(bureau, district):
    with district.office.act() as act:
        organisation.add_staff(act, "comp", "举某", PASSWORD, [("complaint_officer", STREET)])
    return Door(bureau, district)


@pytest.fixture
def shown(door, district):
    """A display that hangs in the community and at the street."""
    district.home, district.benefit = granted(district)
    district.photo = district.scan
    made = door.good("vera", "POST", "/displays", {"benefit_id": district.benefit})
    district.display = made["display"]
    hang(door, district, "vera", "community")
    hang(door, district, "clerk", "street")
    return district


def hang(door, district, who, level, status=201, **more):
    sent = {"level": level, "place": f"{level}公示栏", "posted_on": district.office.today().isoformat(), "photo": district.photo} | more
    answer = door.call(who, "POST", f"/displays/{district.display}/postings", sent)
    assert answer.status_code == status, answer.get_data(as_text=True)
    return answer.json


def off(door, district, who, level, status=201, why="ended", **more):
    sent = {"level": level, "taken_down_on": district.office.today().isoformat(), "photo": district.photo, "why": why} | more
    answer = door.call(who, "POST", f"/displays/{district.display}/removals", sent)
    assert answer.status_code == status, answer.get_data(as_text=True)
    return answer.json


def decide(district, **change):
    with district.office.act(district.people["app"]) as act:
        benefits.decide(act, district.benefit, Change(**change))


def state(door, district, who="clerk"):
    found = door.good(who, "GET", f"/displays/{district.display}")
    return found["state"], found["due_on"], found["late"]


def test_the_whitelist_hangs_and_nothing_else_s33(door, shown):
    one = f"/displays/{shown.display}"
    told = door.good("vera", "GET", one)
    assert (told["applicant"], told["members"], told["category"], told["amount_fen"], told["state"]) == ("张一", 3, "dibao", 66_000, "posted")
    assert [(p["level"], p["version"], p["removed_on"]) for p in told["postings"]] == [("community", 1, None), ("street", 1, None)]
    http = door.app.test_client()
    pages = [http.get(f"/public/displays/{shown.display}"), http.get(f"/public/displays?unit={COMMUNITY}"), door.call("vera", "GET", f"{one}/sheet"),
             door.call("vera", "GET", f"/displays/board?unit={COMMUNITY}"), door.call(None, "GET", "/public/displays"), door.call(None, "GET", f"/public/displays/{shown.display}")]  # fmt: skip
    with shown.office.read() as conn:
        ids = [shown.office.keys.on(conn).reveal("person", "id_no", row.id, row.id_no) for row in conn.execute(select(person.c.id, person.c.id_no))]
    for answer in pages:
        text = json.dumps(answer.json, ensure_ascii=False) if answer.is_json else answer.get_data(as_text=True)
        assert answer.status_code == 200, text
        assert "张一" in text
        assert ("3" in text and ("660.00" in text or "66000" in text)), text
        assert not [secret for secret in (*SECRETS, *ids, "张二", "张三") if secret in text]
    assert set(pages[5].json) == {"id", "street", "street_name", "community", "community_name", "applicant", "members", "category", "amount_fen", "made_on"}
    assert differences(shown.office) == []


def test_three_levels_each_with_its_posts_and_its_photo(door, shown):
    hang(door, shown, "vera", "district", 403)
    hang(door, shown, "vera", "street", 403)
    hang(door, shown, "exam", "district")
    hang(door, shown, "exam", "district", 409)
    hang(door, shown, "stranger", "community", 404)
    hang(door, shown, "rita", "community", 403)
    hang(door, shown, "clerk", "other", 422)
    decide(shown, kind="increase", reason_code="income_changed", from_month="2018-12", amount_fen=70_000, recount=False)
    assert hang(door, shown, "clerk", "street", 403)["rule"] == "display-stale"
    door.good("clerk", "POST", f"/displays/{shown.display}/reprint")
    for wrong, sent in (("photo", {"photo": 999_999}), ("photo", {"photo": None}), ("place", {"place": ""}), ("posted_on", {"posted_on": "2018-12-04"}), ("posted_on", {"posted_on": "2018-12-02"}),
                        ("posted_on", {"posted_on": "2018-02-30"})):  # fmt: skip
        assert wrong in hang(door, shown, "clerk", "street", 422, **sent)["errors"], sent
    other, _ = granted(shown, serial=40)
    foreign = paper(shown, "clerk", other)
    assert "photo" in hang(door, shown, "clerk", "street", 422, photo=foreign)["errors"]
    told = door.good("clerk", "GET", f"/displays/{shown.display}")
    assert told["may"] == {"reprint": False, "post": ["street", "community"], "take_down": ["street", "community"]}
    hang(door, shown, "clerk", "street")
    assert [(p["level"], p["removed_why"]) for p in door.good("clerk", "GET", f"/displays/{shown.display}")["postings"]][1] == ("street", "replaced")
    assert state(door, shown)[0] == "to_post"
    hang(door, shown, "vera", "community")
    assert state(door, shown)[0] == "to_post", "the district's board still has the old one"
    hang(door, shown, "exam", "district")
    assert state(door, shown) == ("posted", None, False)
    assert differences(shown.office) == []


def test_a_rise_of_next_month_is_printed_when_it_begins_and_is_late_after_its_period(door, shown):
    one = f"/displays/{shown.display}"
    decide(shown, kind="increase", reason_code="income_changed", from_month="2019-01", amount_fen=70_000, recount=False)
    assert state(door, shown)[0] == "posted"
    door.bad(409, "clerk", "POST", f"{one}/reprint")
    shown.clock.set("2019-01-02T09:00")
    assert state(door, shown) == ("to_reprint", "2019-01-08", False)
    shown.clock.set("2019-01-08T09:00")
    assert door.good("clerk", "GET", "/displays?late=true")["total"] == 0
    shown.clock.set("2019-01-09T09:00")
    assert state(door, shown) == ("to_reprint", "2019-01-08", True)
    assert [r["id"] for r in door.good("clerk", "GET", "/displays?late=true")["items"]] == [shown.display]
    assert door.good("stranger", "GET", "/displays")["total"] == 0
    door.bad(404, "stranger", "POST", f"{one}/reprint")
    assert door.bad(403, "rita", "POST", f"{one}/reprint")["rule"] == "display-post"
    key = {"Idempotency-Key": "r1"}
    assert door.good("clerk", "POST", f"{one}/reprint", headers=key) == door.good("clerk", "POST", f"{one}/reprint", headers=key) == {"display": shown.display, "version": 2}
    assert state(door, shown)[:2] == ("to_post", "2019-01-16")


def test_what_becomes_no_dibao_comes_down_and_a_near_relative_keeps_off(door, shown):
    decide(shown, kind="convert", reason_code="converted", from_month="2019-01", category="destitute_dispersed", amount_fen=138_000, recount=False)
    assert state(door, shown)[0] == "posted"
    shown.clock.set("2019-01-02T09:00")
    assert state(door, shown)[0] == "to_remove"
    door.bad(404, None, "GET", f"/public/displays/{shown.display}")
    with shown.office.act(shown.people["clerk"]) as act:
        households.declare_near_relative(act, shown.home, {"staff_login": "clerk", "staff_name": "某clerk", "position": "经办人", "relation": "sibling"})
    assert off(door, shown, "clerk", "street", 403)["rule"] == "near-relative"
    off(door, shown, "clerk2", "street")


def test_who_moves_is_printed_anew_by_the_new_street(door, shown):
    with shown.office.store.write() as conn:
        conn.execute(update(household).where(household.c.id == shown.home).values(street="120116005", community="120116005001"))
    door.bad(404, None, "GET", f"/public/displays/{shown.display}")
    assert state(door, shown, "stranger")[0] == "to_reprint"
    door.good("stranger", "POST", f"/displays/{shown.display}/reprint")
    assert state(door, shown, "stranger")[0] == "to_post"
    door.bad(404, "clerk", "GET", f"/displays/{shown.display}")


def test_it_comes_down_when_the_benefit_ends_and_the_public_sees_it_no_more(door, shown):
    off(door, shown, "vera", "community", 403)
    assert off(door, shown, "vera", "street", 403, why="correction")["rule"] == "display-post"
    off(door, shown, "exam", "district", 409, why="correction")
    decide(shown, kind="stop", reason_code="voluntary", from_month="2019-01", exit_class="voluntary")
    assert state(door, shown)[0] == "posted", "paid in December"
    door.good(None, "GET", f"/public/displays/{shown.display}")
    shown.clock.set("2019-01-02T09:00")
    shown.bureau.jobs.run_all()
    assert state(door, shown) == ("to_remove", "2019-01-08", False)
    door.bad(404, None, "GET", f"/public/displays/{shown.display}")
    gone = door.app.test_client().get(f"/public/displays/{shown.display}")
    assert gone.status_code == 404
    assert "已经结束" in gone.get_data(as_text=True)
    assert door.good(None, "GET", "/public/displays")["total"] == 0
    door.bad(403, "vera", "GET", f"/displays/{shown.display}/sheet")
    hang(door, shown, "vera", "community", 403)
    assert door.good("sue", "GET", "/displays/counts") == {"to_post": 0, "to_reprint": 0, "to_remove": 1, "posted": 0, "ended": 0, "late": 0, "owed": 0}
    shown.clock.set("2019-01-09T09:00")
    assert door.good("sue", "GET", "/displays/counts")["late"] == 1
    assert "taken_down_on" in off(door, shown, "vera", "community", 422, taken_down_on="2018-12-01")["errors"]
    off(door, shown, "vera", "community")
    off(door, shown, "vera", "community", 409)
    off(door, shown, "clerk", "street")
    assert state(door, shown) == ("ended", None, False)
    assert differences(shown.office) == []


def test_who_should_hang_and_does_not_is_owed(door, district):
    _home, benefit = granted(district)
    granted(district, serial=30, category="low_income", fen=27_600)
    assert [(r["benefit_id"], r["due_on"], r["late"]) for r in door.good("clerk", "GET", "/displays/owed")["items"]] == [(benefit, "2018-12-10", False)]
    district.clock.set("2018-12-11T09:00")
    assert door.good("clerk", "GET", "/displays/owed")["items"][0]["late"]
    assert door.good("stranger", "GET", "/displays/owed")["total"] == 0
    assert door.bad(403, "rita", "POST", "/displays", {"benefit_id": benefit})["rule"] == "display-post"
    for who, number in (("stranger", benefit), ("clerk", 999_999), ("clerk", 2**53 - 1)):
        door.bad(404, who, "POST", "/displays", {"benefit_id": number})
    door.bad(422, "clerk", "POST", "/displays", {})
    made = door.good("clerk", "POST", "/displays", {"benefit_id": benefit})
    door.bad(409, "clerk", "POST", "/displays", {"benefit_id": benefit})
    assert door.good("clerk", "GET", "/displays/owed")["total"] == 0
    door.bad(404, None, "GET", f"/public/displays/{made['display']}")  # it hangs nowhere yet
    _home, destitute = granted(district, serial=50, category="destitute_dispersed", n=1)
    assert door.bad(403, "clerk", "POST", "/displays", {"benefit_id": destitute})["rule"] == "display-category"
    assert rows(door.bureau, display) == 1


def test_a_minors_name_is_masked_until_he_is_grown(door, district):
    home = district.household(0, n=1, serial=70)
    with district.office.store.write() as conn:  # no form makes a child the head of a household; an import may
        who = conn.scalar(select(household.c.applicant_id).where(household.c.id == home))
        conn.execute(update(person).where(person.c.id == who).values(birth_date="2001-01-10"))
    with district.office.act() as act:
        benefits.begin(act, "benefit_begun", {"household_id": home, "category": "dibao", "amount_fen": 92_000, "status": "active", "first_payment_month": "2018-12", "members": 1}, {})
    with district.office.read() as conn:
        benefit = benefits.live(conn, home)["id"]
    district.display = door.good("clerk", "POST", "/displays", {"benefit_id": benefit})["display"]
    told = door.good("clerk", "GET", f"/displays/{district.display}")
    assert (told["applicant"], told["masked"]) == ("张*", True)
    district.clock.set("2019-01-09T09:00")
    assert state(door, district)[0] == "to_post"
    district.clock.set("2019-01-10T09:00")
    assert state(door, district)[0] == "to_reprint"
    door.good("clerk", "POST", f"/displays/{district.display}/reprint")
    assert door.good("clerk", "GET", f"/displays/{district.display}")["applicant"] == "张一"
    assert identity.public_name("欧阳小明", "2010-05-05", district.office.today()) == ("欧***", True)
    assert identity.public_name("张建国", "1971-05-05", district.office.today()) == ("张建国", False)


def test_an_objection_to_a_display_is_a_complaint_and_names_nobody(door, shown):
    told = door.good(None, "POST", f"/public/displays/{shown.display}/objections", {"grounds": "他家有小汽车", "name": "赵举报", "phone": "13912345678"})
    assert set(told) == {"no"}
    assert told["no"].startswith("JB-2018-")
    [row] = door.good("vera", "GET", "/objections")["items"]
    assert (row["state"], row["complaint_no"], row["grounds"], row["is_named"], row["may"]) == ("complaint", None, "他家有小汽车", True, [])
    assert row["due_on"] == "2018-12-18"
    assert door.good("comp", "GET", f"/objections/{row['id']}")["complaint_no"] == told["no"]
    [found] = door.good("comp", "GET", "/complaints")["items"]
    assert (found["household_id"], found["channel"], found["is_named"]) == (shown.home, "web", True)
    for who in ("vera", "clerk", "comp"):
        assert "赵举报" not in door.call(who, "GET", f"/objections/{row['id']}").get_data(as_text=True)
    assert door.good("comp", "POST", f"/complaints/{found['id']}/reporter", {"reason": "反馈"})["name"] == "赵举报"
    door.bad(404, "stranger", "GET", f"/objections/{row['id']}")
    assert "name" in door.bad(422, None, "POST", f"/public/displays/{shown.display}/objections", {"grounds": "x", "phone": "139"})["errors"]
    assert "grounds" in door.bad(422, None, "POST", f"/public/displays/{shown.display}/objections", {})["errors"]
    door.bad(404, None, "POST", "/public/displays/999/objections", {"grounds": "x"})
    assert door.bad(409, "clerk", "POST", f"/objections/{row['id']}/handling", {"outcome": "dismiss", "note": "x"})
    assert rows(door.bureau, objection) == 1
    assert differences(shown.office) == []


def test_an_objection_to_a_notice_stands_before_the_street_and_reaches_the_case(door, district):
    district.to_street_opinion()
    district.review()
    district.street()
    district.post()
    with district.office.read() as conn:
        number = conn.scalar(select(notice.c.id))
    http = door.app.test_client()
    page = http.get(f"/public/notices/{number}")
    assert page.status_code == 200
    assert page.headers["Cache-Control"] == "public, max-age=60"
    assert "Set-Cookie" not in page.headers
    assert "Cookie" not in page.headers.get("Vary", "")
    assert "<svg" in page.get_data(as_text=True)
    board = http.get("/public/notices")
    assert f'href="/public/notices/{number}"' in board.text and http.get("/public/notices", headers={"If-None-Match": board.headers["ETag"]}).status_code == 304
    assert f'href="/public/notices/{number}?lang=en"' in http.get("/public/notices?lang=en").text and f"/public/notices/{number}" not in http.get("/public/notices?unit=120116005").text
    assert http.get("/public/notices?page=9").status_code == 200
    assert http.get(f"/public/notices/{number}", headers={"If-None-Match": page.headers["ETag"]}).status_code == 304
    assert door.good(None, "GET", f"/public/notices/{number}")["days_left"] == 7
    assert http.post(f"/public/notices/{number}/objection", data={"grounds": ""}).status_code == 422
    answer = http.post(f"/public/notices/{number}/objection", data={"grounds": "收入不实"})
    assert "JB-2018-" in answer.get_data(as_text=True)
    assert answer.headers["Cache-Control"] == "no-store"
    second = door.good(None, "POST", f"/public/notices/{number}/objections", {"grounds": "再反映"})
    one, two = sorted(r["id"] for r in door.good("clerk", "GET", "/objections?state=received")["items"])
    assert second["no"]
    row = door.good("clerk", "GET", f"/objections/{one}")
    assert (row["case_no"], row["due_on"], row["may"], row["late"]) == (district.no, "2018-12-06", ["handle"], False)
    door.bad(404, "stranger", "POST", f"/objections/{one}/handling", {"outcome": "take_up"})
    assert door.bad(403, "ann", "POST", f"/objections/{one}/handling", {"outcome": "take_up"})["rule"] == "objection-handler"
    assert "note" in door.bad(422, "clerk", "POST", f"/objections/{two}/handling", {"outcome": "dismiss"})["errors"]
    key = {"Idempotency-Key": "taken"}
    taken = door.good("clerk", "POST", f"/objections/{one}/handling", {"outcome": "take_up"}, headers=key)
    assert taken == {"objection": one, "state": "taken_up"} == door.good("clerk", "POST", f"/objections/{one}/handling", {"outcome": "take_up"}, headers=key)
    assert "post_street_notice" not in district.tasks()
    door.bad(404, None, "GET", f"/public/notices/{number}")  # the notice is over with the objection
    assert f"/public/notices/{number}" not in http.get("/public/notices").text, "at once, though the list as it looked is kept"
    door.bad(404, None, "POST", f"/public/notices/{number}/objections", {"grounds": "x"})
    assert door.bad(409, "clerk", "POST", f"/objections/{two}/handling", {"outcome": "take_up"})  # the case is past it
    desk = Desk(door.app, "clerk")
    assert desk.post(f"/objections/{two}", {"outcome": "dismiss", "note": "已在复核中"}).status_code == 302
    assert "已在复核中" in desk.text(f"/objections/{two}")
    assert differences(district.office) == []


def test_telephones_are_the_administrators_and_everybody_reads_them(door, district):
    number = {"phone": "022-65309999", "hours": "工作日", "published": True}
    assert door.bad(403, "clerk", "PUT", f"/units/{STREET}/phone", number)["rule"] == "admin"
    for sent in ({"phone": "打电话"}, {"phone": "1" * 39}, {"phone": ""}, {"published": None}):
        door.bad(422, "admin", "PUT", f"/units/{STREET}/phone", number | sent)
    door.bad(404, "admin", "PUT", f"/units/{COMMUNITY}/phone", number)
    door.good("admin", "PUT", f"/units/{STREET}/phone", number | {"phone": "０２２-65300000", "published": False})
    assert {r["phone"] for r in door.good(None, "GET", "/public/phones")["items"]} == {None}
    assert "022-65300000" in door.call("admin", "GET", "/phones").get_data(as_text=True)
    door.bad(403, "clerk", "GET", "/phones")
    desk = Desk(door.app, "admin")
    assert desk.post(f"/phones/{STREET}", number | {"published": "true"}).status_code == 302
    assert "022-65309999" in door.app.test_client().get("/public/phones").get_data(as_text=True)
    assert [r["phone"] for r in door.good(None, "GET", "/public/phones")["items"]] == [None, "022-65309999", None]
    assert Desk(door.app, "clerk").get("/phones").status_code == 403
    assert differences(district.office) == []


def test_the_guide_is_as_it_was_on_a_day_and_keeps_language_and_print(door):
    told = door.good(None, "GET", "/public/guide/dibao")
    assert (told["on"], told["since"], told["until"]) == ("2018-12-03", "2018-04-01", "2019-04-01")
    assert {a["name"]: a["value"] for a in told["amounts"]} == {"dibao_standard_urban": "920", "dibao_standard_rural": "920"}
    assert any("920" in line["zh"] for line in told["parts"]["condition"])
    assert any("民主评议" in line["zh"] for line in told["parts"]["step"])
    later = door.good(None, "GET", "/public/guide/dibao?on=2021-10-01")
    assert (later["decider"]["zh"], later["since"]) == ("街道（乡镇）审核确认", "2021-09-01")
    assert not any("自受理之日起10个工作日" in line["zh"] for line in later["parts"]["deadline"])
    assert door.good(None, "GET", "/public/guide/medical_assistance?on=2019-03-01")["decider"]["zh"] == "区民政局"
    assert door.good(None, "GET", "/public/guide/medical_assistance?on=2019-03-02")["decider"]["zh"] == "医疗保障部门"
    assert door.good(None, "GET", "/public/guide")["total"] == 9
    door.bad(404, None, "GET", "/public/guide/pension")
    door.bad(404, None, "GET", "/public/guide/dibao?on=2012-12-11")
    for bad in ("2018-02-30", "20181203", "x"):
        assert "on" in door.bad(422, None, "GET", f"/public/guide/dibao?on={bad}")["errors"]
    for programme in guide.PROGRAMMES:
        for day in guide.versions(programme):
            found = guide.of(programme, day)
            assert found["since"] == day.isoformat()
            assert found["decider"]
            assert all(found["parts"][part] for part in guide.PARTS), (programme, day)
    http = door.app.test_client()
    page = http.get("/public/guide/dibao?large=1&lang=en&on=2017-12-01").get_data(as_text=True)
    assert 'class="open large"' in page
    assert "860" in page
    assert "Conditions" in page
    links = [link.replace("&amp;", "&") for link in re.findall(r'href="(/public[^"]*)"', page)]
    kept = [set(link.partition("?")[2].split("&")) for link in links if link.startswith("/public") and "assessment" not in link]
    assert len([args for args in kept if not {"large=1", "lang=en"} <= args]) == 2, "all but the two that change them"


def test_open_pages_are_the_same_for_everybody_and_set_no_cookie(door, shown):
    desk, nobody = Desk(door.app, "clerk", lang="en"), door.app.test_client()
    for path in ("/public", "/public/notices", "/public/displays", f"/public/displays/{shown.display}", "/public/guide", "/public/guide/dibao", "/public/phones", "/public?large=1&lang=en", "/public/assessment", "/public/assessment?people=3&lang=en"):
        one, other = nobody.get(path), desk.get(path)
        assert one.status_code == 200, path
        assert one.data == other.data, path
        assert one.headers["ETag"] == other.headers["ETag"]
        assert one.headers["Cache-Control"] == "public, max-age=60"
        for answer in (one, other):
            assert "Set-Cookie" not in answer.headers, path
            assert "Cookie" not in answer.headers.get("Vary", ""), path
        assert b"<script" not in one.data
        assert b"style=" not in one.data
    for path in ("/public/notices/7", "/public/displays/7", f"/public/notices/{10**30}", "/public/guide/x"):
        gone = nobody.get(path)
        assert gone.status_code == 404
        assert gone.headers["Cache-Control"] == "no-store"
        assert "Set-Cookie" not in gone.headers
    shown.clock.set("2018-12-03T23:59:30")
    assert nobody.get("/public").headers["Cache-Control"] == "public, max-age=30"


def test_the_pages_of_the_staff_do_the_same(door, shown):
    desk = Desk(door.app, "vera")
    assert "张一" in desk.text("/displays")
    assert "公示中" in desk.text(f"/displays/{shown.display}")
    other, benefit = granted(shown, serial=90)
    assert "制作公示表" in desk.text("/displays?state=owed")
    made = desk.post("/displays", {"benefit_id": str(benefit)}, page="/displays?state=owed")
    assert made.status_code == 302
    assert desk.post(f"{made.location}/posting", {"level": "community", "place": "公示栏", "posted_on": "2018-12-03"}).status_code == 422
    photo = paper(shown, "clerk", other, kind="photo")
    assert desk.post(f"{made.location}/posting", {"level": "community", "place": "公示栏", "posted_on": "2018-12-03", "photo": str(photo)}).status_code == 302
    assert desk.post(f"{made.location}/removal", {"level": "community", "why": "correction", "taken_down_on": "2018-12-03", "photo": str(photo)}).status_code == 302
    assert "撤下更正" in desk.text(made.location)
    assert "长期公示" in desk.text(f"/displays/board?unit={COMMUNITY}")
    assert desk.get(f"/displays/board?unit={STREET}").status_code in (200, 404)
    assert Desk(door.app, "stranger").get(f"/displays/{shown.display}").status_code == 404
    assert desk.get("/displays?late=1&state=to_post&page=3").status_code == 200


class Village:
    """What the demo's parts need of its district."""

    def __init__(self, district):
        self.made, self.district, self.scans = district.bureau, district, {}

    def by_role(self, role, unit):
        return [actor for actor in self.district.people.values() if actor.holds(role, unit)]


def test_the_demo_publishes_numbers_and_hangs_displays(door, district):
    village, part = Village(district), Public()
    home, _benefit = granted(district)
    village.scans[home] = district.scan
    part.begin(village)
    for day in ("2018-12-04", "2018-12-05", "2018-12-12"):
        district.clock.set(f"{day}T10:00")
        part.day(village, district.office.today())
    assert rows(door.bureau, unit_phone) >= 2
    assert door.good("clerk", "GET", "/displays")["total"] == 1
    assert door.good("clerk", "GET", "/displays/owed")["total"] == 0
