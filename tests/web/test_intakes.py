"""The one window (domain 1.4, N649 art 60) through the API and on the pages: who takes in, who decides, whose turn it is, what the public sees."""

from __future__ import annotations

from datetime import date, timedelta
from types import SimpleNamespace

import pytest
from sqlalchemy import select

from engine import store
from engine.model import Put
from processes import intakes, organisation, routing
from processes.intake_tables import intake, intake_part
from processes.lead_tables import lead
from processes.rebuild import differences
from tests.district import COMMUNITY, PASSWORD, STREET
from tests.web.test_api import Door
from tests.web.test_pages import Desk, rows
from web import demo_intakes

ASKED = {"community": COMMUNITY, "known_as": "王某", "requester": "self", "channel": "window", "received_on": "2018-12-03", "programmes": ["medical"], "need": "住院费用较高"}
HOUSING, CIVIL, MEDICAL = "120116906", "120116901", "120116915"


@pytest.fixture
def door(bureau, district):
    with district.office.act() as act:
        record = act.new("unit", "120116")
        puts = [Put("unit", record.next_id(), {"code": one.code, "name": one.name, "level": "department", "parent_code": "120116"}) for one in routing.departments()]
        act.append(record, "units_listed", puts=puts)
        for login, role, unit in (("civil", "department_worker", CIVIL), ("house", "department_worker", HOUSING), ("medic", "department_worker", MEDICAL),
                                  ("sec", "meeting_secretary", "120116")):  # fmt: skip
            organisation.add_staff(act, login, f"某{login}", PASSWORD, [(role, unit)])
    return Door(bureau, district)


def asked(door, who="clerk", **more):
    return door.good(who, "POST", "/intakes", {name: value for name, value in (ASKED | more).items() if value is not None})


def part(door, told, n=0, who="clerk"):
    return door.good(who, "GET", f"/intakes/{told['intake']}")["parts"][n]


def steps(door, told):
    with door.bureau.office.read() as conn:
        return intakes.progress(conn, door.bureau.office.keys, told["no"], told["code"])


def test_one_intake_begins_cases_and_transfers(door, district):
    home = district.household(110_000)
    told = asked(door, household_id=home, community=None, known_as=None, programmes=["dibao", "medical", "temporary_assistance"])
    first = door.good("clerk", "GET", f"/intakes/{told['intake']}")
    assert [(p["state"], p["due_on"]) for p in first["parts"]] == [("to_start", "2018-12-06"), ("sent", "2018-12-06"), ("to_start", "2018-12-06")]
    assert (first["taken_by"], first["answerable"], first["open"], first["late"]) == ("clerk", "clerk", True, False)
    assert first["parts"][1]["transfers"][0]["to_unit"] == CIVIL, "before 2019-03-02 civil affairs decides on medical assistance"
    door.bad(403, "officer", "POST", f"/intake-parts/{told['parts'][0]}/case", {})  # who may not begin dibao elsewhere may not here
    begun = door.good("clerk2", "POST", f"/intake-parts/{told['parts'][0]}/case", {})
    emergency = {"kind": "expenditure", "cause": "medical", "residence_basis": "local_hukou", "persons": 3}
    other = door.good("clerk", "POST", f"/intake-parts/{told['parts'][2]}/case", {"answers": emergency})
    assert begun["case"].startswith("DB-") and other["case"] != begun["case"]
    door.bad(409, "clerk", "POST", f"/intake-parts/{told['parts'][0]}/case", {})
    assert "answers" in door.bad(422, "clerk", "POST", f"/intake-parts/{told['parts'][0]}/case", {"answers": 1})["errors"]
    case = door.good("clerk", "GET", f"/cases/{begun['case']}")
    assert case["facts"]["household_id"] == home and case["facts"]["applied_on"] == "2018-12-03"
    door.bad(409, "clerk", "POST", f"/intake-parts/{told['parts'][0]}/result", {"result": "withdrawn", "result_text": "x"})
    door.good("clerk", "POST", f"/cases/{begun['case']}/withdraw", {"reason": "不再需要", "withdrawn_on": "2018-12-03"} | _withdrawal(door, begun["case"]))
    now = part(door, told)
    assert (now["open"], now["outcome"], now["state"]) == (False, "withdrawn", "case")
    assert door.good("clerk", "GET", "/intakes?state=open")["total"] == 1
    assert door.good("clerk2", "GET", "/intakes?mine=true")["total"] == 0
    assert differences(district.office) == []


def _withdrawal(door, no):
    form = door.good("clerk", "GET", f"/cases/{no}")["messages"]["withdrawal"]
    return {} if "withdrawn_on" in form["properties"] else {"withdrawn_on": None}


def test_a_department_takes_returns_and_answers(door, district):
    told = asked(door, programmes=["housing", "medical"])
    sent = [p["transfers"][0]["id"] for p in door.good("clerk", "GET", f"/intakes/{told['intake']}")["parts"]]
    assert [one["id"] for one in door.good("house", "GET", "/transfers?mine=true")["items"]] == [sent[0]]
    whole = door.good("house", "GET", f"/transfers/{sent[0]}")
    assert (whole["person"], whole["need"], whole["answerable"], whole["may"]) == ("王某", ASKED["need"], "clerk", ["acceptance", "return"])
    door.bad(404, "house", "GET", f"/transfers/{sent[1]}")
    door.bad(404, "house", "GET", f"/intakes/{told['intake']}")
    door.bad(409, "house", "POST", f"/transfers/{sent[0]}/result", {"result": "granted", "result_text": "配租"})
    assert "promised_on" in door.bad(422, "house", "POST", f"/transfers/{sent[0]}/acceptance", {"promised_on": "2018-12-02"})["errors"]
    assert door.bad(403, "clerk", "POST", f"/transfers/{sent[0]}/acceptance", {"promised_on": "2018-12-20"})["rule"] == "department"
    door.good("house", "POST", f"/transfers/{sent[0]}/acceptance", {"promised_on": "2018-12-20"})
    door.bad(409, "house", "POST", f"/transfers/{sent[0]}/acceptance", {"promised_on": "2018-12-20"})
    back = {"reason": "不属本部门职责"}
    assert "next_address" in door.bad(422, "civil", "POST", f"/transfers/{sent[1]}/return", back)["errors"]
    assert "next_unit" in door.bad(422, "civil", "POST", f"/transfers/{sent[1]}/return", back | {"next_unit": CIVIL})["errors"]
    door.good("civil", "POST", f"/transfers/{sent[1]}/return", back | {"next_unit": MEDICAL})
    returned = part(door, told, 1)
    assert (returned["state"], returned["due_on"], returned["transfers"][0]["reason"]) == ("returned", "2018-12-06", back["reason"])
    assert "to_unit" in door.bad(422, "clerk", "POST", f"/intake-parts/{told['parts'][1]}/transfer", {"to_unit": MEDICAL})["errors"], "founded in 2019"
    assert "note" in door.bad(422, "clerk", "POST", f"/intake-parts/{told['parts'][1]}/transfer", {"to_unit": CIVIL})["errors"]
    again = door.good("clerk2", "POST", f"/intake-parts/{told['parts'][1]}/transfer", {"to_unit": CIVIL, "note": "本人已参保，按2014年规定由民政审批"})
    assert len(part(door, told, 1)["transfers"]) == 2
    door.bad(409, "clerk", "POST", f"/intake-parts/{told['parts'][0]}/transfer", {"to_unit": CIVIL, "note": "x"})
    district.clock.advance(days=4)  # 2018-12-07: the third working day was the 6th
    assert [one["id"] for one in door.good("sue", "GET", "/transfers?late=true")["items"]] == [again["transfer"]]
    assert door.good("clerk", "GET", "/intakes?late=true")["total"] == 1
    door.good("civil", "POST", f"/transfers/{again['transfer']}/acceptance", {"promised_on": "2018-12-07"})
    assert door.good("sue", "GET", "/transfers?late=true")["total"] == 0
    door.good("civil", "POST", f"/transfers/{again['transfer']}/result", {"result": "granted", "result_text": "已按规定救助"})
    door.bad(409, "civil", "POST", f"/transfers/{again['transfer']}/return", back | {"next_address": "区医保中心"})
    assert "meeting_no" in door.bad(422, "house", "POST", f"/transfers/{sent[0]}/result", {"result": "granted", "result_text": "x", "meeting_no": "LX-2018-000001"})["errors"]
    door.good("clerk", "POST", f"/intake-parts/{told['parts'][0]}/result", {"result": "withdrawn", "result_text": "本人撤回"})
    assert door.good("house", "GET", f"/transfers/{sent[0]}")["state"] == "recalled"
    done = door.good("clerk", "GET", f"/intakes/{told['intake']}")
    assert (done["open"], [p["result"] for p in done["parts"]]) == (False, ["withdrawn", "granted"])
    door.bad(409, "clerk", "POST", f"/intakes/{told['intake']}/parts", {"programmes": ["dibao"]})
    assert differences(district.office) == []


def test_who_does_not_know_and_what_fits_nothing(door, district):
    home = district.household(110_000)
    told = asked(door, household_id=home, community=None, known_as=None, programmes=["unknown"], requester="neighbour", requester_name="李某")
    found = door.good("clerk", "GET", f"/intakes/{told['intake']}/proposal")
    assert "dibao" in found["fits"] and found["assessment"]["decision"] is False
    added = door.good("clerk", "POST", f"/intakes/{told['intake']}/parts", {"programmes": ["dibao", "education"]})
    assert [(p["programme"], p["state"], p["result"]) for p in door.good("clerk", "GET", f"/intakes/{told['intake']}")["parts"]] == [
        ("unknown", "done", "routed"), ("dibao", "to_start", None), ("education", "sent", None)]  # fmt: skip
    assert "programmes" in door.bad(422, "clerk", "POST", f"/intakes/{told['intake']}/parts", {"programmes": ["dibao"]})["errors"]
    assert door.bad(403, "clerk", "POST", f"/intake-parts/{added['parts'][0]}/transfer", {"to_unit": HOUSING, "note": "x"})["rule"] == "own-programme"
    stranger = asked(door, programmes=["unknown"])
    door.bad(422, "clerk", "GET", f"/intakes/{stranger['intake']}/proposal")
    facts = {"hukou_kind": "urban", "members": [{"ref": "1", "birth_date": "1975-03-01", "income": [{"kind": "wage_income", "amount": "700.00"}]}]}
    assert door.good("clerk", "POST", f"/intakes/{stranger['intake']}/proposal", facts)["fits"] == ["dibao"]
    number = stranger["parts"][0]
    sent = door.good("clerk", "POST", f"/intake-parts/{number}/meeting", {"note": "现行救助均不适用"})["transfer"]
    assert door.good("sec", "GET", "/transfers?mine=true")["items"][0]["id"] == sent
    door.good("sec", "POST", f"/transfers/{sent}/acceptance", {"promised_on": "2018-12-20"})
    for wrong in ({}, {"meeting_no": "LX-2018-000999"}):
        assert "meeting_no" in door.bad(422, "sec", "POST", f"/transfers/{sent}/result", {"result": "refused", "result_text": "x"} | wrong)["errors"]
    door.good("sec", "POST", f"/transfers/{sent}/return", {"reason": "转介慈善更合适", "next_address": "慈善协会"})
    door.good("clerk", "POST", f"/intake-parts/{number}/charity", {"to_name": "滨海新区慈善协会", "note": "政策外困难"})
    assert part(door, stranger)["state"] == "referred"
    door.bad(422, "clerk", "POST", f"/intake-parts/{number}/result", {"result": "granted", "result_text": "x"})
    door.good("clerk", "POST", f"/intake-parts/{number}/result", {"result": "handled", "result_text": "慈善协会资助500元"})
    assert part(door, stranger)["open"] is False
    assert differences(district.office) == []


def test_the_query_code_is_told_once_and_the_public_sees_no_person(door, district):
    home = district.household(110_000)
    key = {"Idempotency-Key": "once"}
    body = {k: v for k, v in ASKED.items() if k not in ("community", "known_as")} | {"household_id": home, "programmes": ["dibao", "housing"]}
    told = door.good("clerk", "POST", "/intakes", body, headers=key)
    again = door.good("clerk", "POST", "/intakes", body, headers=key)
    assert again == told | {"code": None} and len(told["code"]) == 10
    with district.office.read() as conn:
        kept = conn.execute(select(intake)).mappings().one()
        texts = b"".join(bytes(body) for body in conn.scalars(select(store.entry.c.body)))
        answers = "".join(conn.scalars(select(store.request_key.c.answer)))
    assert told["code"] not in f"{kept['code_hash']}{answers}" and told["code"].encode() not in texts
    door.good("clerk", "POST", f"/intake-parts/{told['parts'][0]}/case", {})
    found = steps(door, told)
    assert [(s["programme"], s["zh"], s["state"]) for s in found] == [
        (None, "窗口已受理", "done"), ("dibao", "申请已登记", "done"), ("dibao", "申请已受理", "now"), ("dibao", "家庭情况调查", "next"), ("dibao", "街镇审核", "next"),
        ("dibao", "作出决定", "next"), ("dibao", "办结", "next"), ("housing", "已转区规划国土和住房建设局", "done"), ("housing", "等待承办部门接办", "now")]  # fmt: skip
    assert "张" not in str(found) and ASKED["need"] not in str(found)
    with district.office.read() as conn:
        keys = district.office.keys
        assert intakes.progress(conn, keys, told["no"].lower(), f" {told['code'].lower()} ") == found
        for no, code in ((told["no"], "BCDFGHJKLM"), ("SL-2018-999999", told["code"]), ("", ""), (told["no"], ""), ("x" * 500, "王" * 500)):
            assert intakes.progress(conn, keys, no, code) is None
    fresh = door.good("clerk2", "POST", f"/intakes/{told['intake']}/slip", {})
    assert steps(door, told) is None
    assert steps(door, fresh) == found
    door.bad(404, "stranger", "POST", f"/intakes/{told['intake']}/slip", {})


def test_from_a_lead_and_for_somebody_not_registered(door, district):
    with district.office.act() as act:
        organisation.add_staff(act, "grid", "格某", PASSWORD, [("grid_worker", COMMUNITY)])
    given = {"community": COMMUNITY, "known_as": "独居老人", "hardship": "old_age", "reason": "无子女", "found_on": "2018-12-03", "found_by": "grid_worker"}
    number = door.good("grid", "POST", "/leads", given)["lead"]
    door.bad(409, "clerk", "POST", "/intakes", ASKED | {"lead_id": number})
    door.good("officer", "POST", f"/leads/{number}/verification", {"outcome": "help_apply", "note": "属实"})
    district.clock.advance(minutes=5)
    told = asked(door, known_as="独居老人", programmes=["temporary_assistance"], lead_id=number, requester="staff", requester_name="格某")
    begun = door.good("officer", "POST", f"/intake-parts/{told['parts'][0]}/case", {"answers": {"kind": "expenditure", "cause": "medical", "residence_basis": "local_hukou", "persons": 1}})
    row = door.good("officer", "GET", f"/leads/{number}")
    assert (row["state"], row["case_no"], row["counts"]) == ("applied", begun["case"], True)
    whole = door.good("clerk", "GET", f"/intakes/{told['intake']}")
    assert whole["household_id"] is not None and whole["lead_id"] == number
    home = district.household(110_000)
    other = asked(door, programmes=["dibao"])
    no = district.apply(home)
    assert door.bad(403, "clerk", "POST", f"/intake-parts/{other['parts'][0]}/link", {"case_no": begun["case"]})["rule"] == "other-programme"
    door.bad(404, "clerk", "POST", f"/intake-parts/{other['parts'][0]}/link", {"case_no": "DB-2018-999999"})
    assert door.good("clerk", "POST", f"/intake-parts/{other['parts'][0]}/link", {"case_no": no})["case"] == no
    assert door.good("clerk", "GET", f"/intakes/{other['intake']}")["household_id"] == home
    assert rows(door.bureau, lead) == 1
    assert differences(district.office) == []


def test_what_is_refused(door, district):
    home = district.household(110_000)
    for body, wrong in (
        ({"programmes": ["pension"]}, "programmes"), ({"programmes": []}, "programmes"), ({"programmes": ["dibao", "dibao"]}, "programmes"), ({"programmes": None}, "programmes"),
        ({"received_on": "2018-12-04"}, "received_on"), ({"received_on": "2018-10-01"}, "received_on"), ({"received_on": "2018-02-30"}, "received_on"),
        ({"requester": "family"}, "requester_name"), ({"known_as": ""}, "known_as"), ({"community": None}, "community"), ({"household_id": home}, "community"),
        ({"community": "120116001999"}, "community"), ({"need": ""}, "need"), ({"need": "难" * 1001}, "need"), ({"channel": "wechat"}, "channel")):  # fmt: skip
        sent = {name: value for name, value in (ASKED | body).items() if value is not None}
        assert any(name.startswith(wrong) for name in door.bad(422, "clerk", "POST", "/intakes", sent)["errors"]), body
    for who in ("stranger", "auditor", "civil", "vera", "rita"):
        assert door.bad(403, who, "POST", "/intakes", ASKED)["rule"] == "window", who
    door.bad(404, "clerk", "POST", "/intakes", ASKED | {"lead_id": 77})
    door.bad(404, "clerk", "GET", "/intakes/77")
    door.bad(404, "clerk", "POST", "/intake-parts/77/case", {})
    assert rows(door.bureau, intake) == rows(door.bureau, intake_part) == 0
    told = asked(door)
    door.bad(404, "stranger", "GET", f"/intakes/{told['intake']}")
    assert door.bad(403, "clerk", "POST", f"/intakes/{told['intake']}/answerable", {"to_login": "clerk2", "reason": "x"})["rule"] == "hand-over"
    for login in ("rita", "nobody", "stranger", "clerk"):
        assert "to_login" in door.bad(422, "lee", "POST", f"/intakes/{told['intake']}/answerable", {"to_login": login, "reason": "x"})["errors"]
    door.good("lee", "POST", f"/intakes/{told['intake']}/answerable", {"to_login": "clerk2", "reason": "调离"})
    now = door.good("clerk", "GET", f"/intakes/{told['intake']}")
    assert (now["taken_by"], now["answerable"]) == ("clerk", "clerk2")


def test_the_routing_table_goes_by_the_day(door, district):
    units = {on: {one["programme"]: one["unit"] for one in door.good("clerk", "GET", f"/routing?on={on}")["items"]} for on in ("2018-12-03", "2019-03-01", "2019-03-02")}
    assert units["2018-12-03"] == units["2019-03-01"]
    assert (units["2019-03-01"]["medical"], units["2019-03-01"]["disaster"]) == (CIVIL, CIVIL)
    assert (units["2019-03-02"]["medical"], units["2019-03-02"]["disaster"]) == (MEDICAL, "120116931")
    assert [name for name, unit in units["2018-12-03"].items() if unit is None] == ["dibao", "low_income", "destitute", "temporary_assistance", "illness_expenditure"]
    assert "on" in door.bad(422, "clerk", "GET", "/routing?on=2018-13-01")["errors"]
    district.clock.set("2019-03-04T09:00")
    told = asked(door, received_on="2019-03-01", programmes=["medical", "disaster"])
    assert [p["transfers"][0]["to_unit"] for p in door.good("clerk", "GET", f"/intakes/{told['intake']}")["parts"]] == [MEDICAL, "120116931"], "the day of the transfer counts"


def test_the_pages_do_the_same(door, district):
    home = district.household(110_000)
    desk = Desk(door.app, "clerk")
    assert "申请事项" in desk.text("/intakes/new")
    sent = {name: value for name, value in ASKED.items() if name not in ("community", "known_as")} | {"household_id": str(home), "programmes": ["dibao", "housing", "unknown"]}
    assert desk.post("/intakes/new", sent | {"programmes": ["pension"]}).status_code == 422
    slip = desk.post("/intakes/new", sent)
    assert slip.status_code == 200 and "<svg" in slip.text and "查询码" in slip.text
    with door.bureau.office.read() as conn:
        row = conn.execute(select(intake)).mappings().one()
        first, second, third = conn.scalars(select(intake_part.c.id).order_by(intake_part.c.id))
    page = f"/intakes/{row['id']}"
    assert row["no"] in desk.text("/intakes/?state=open&mine=1&programme=dibao") and "没有" in desk.text("/intakes/?late=1")
    assert "最低生活保障" in desk.text(page) and "低保" in desk.text(f"{page}/programmes")
    begun = desk.post(f"/intakes/parts/{first}/case", {"household_id": home, "programme": "dibao", "applied_on": "2018-12-03", "applied_by": "head", "reason": "困难"})
    assert begun.status_code == 302 and "/cases/DB-" in begun.location
    house = Desk(door.app, "house")
    assert row["no"] in house.text("/intakes/transfers/")
    with door.bureau.office.read() as conn:
        number = intakes.intake_lists.last_transfer(conn, second)["id"]
    assert "接办" in house.text(f"/intakes/transfers/{number}") and "转办单" in house.text(f"/intakes/transfers/{number}/sheet")
    assert house.post(f"/intakes/transfers/{number}/acceptance", {"promised_on": "2018-12-01"}).status_code == 422
    assert house.post(f"/intakes/transfers/{number}/acceptance", {"promised_on": "2018-12-20"}).status_code == 302
    assert house.post(f"/intakes/transfers/{number}/result", {"result": "granted", "result_text": "配租"}).status_code == 302
    assert house.get(page).status_code == 404
    assert desk.post(f"/intakes/parts/{third}/charity", {"to_name": "慈善协会", "note": "困难"}).status_code == 302
    assert desk.post(f"/intakes/parts/{third}/result", {"result": "handled", "result_text": "资助"}).status_code == 302
    assert "配租" in desk.text(f"{page}/answer") and row["no"] in desk.text(f"{page}/slip")
    assert "查询码" in desk.post(f"{page}/slip", {}).text
    assert Desk(door.app, "lee").post(f"{page}/answerable", {"to_login": "clerk2", "reason": "调离"}).status_code == 302
    assert "某clerk2" in desk.text(page)
    assert Desk(door.app, "auditor").get("/intakes/new").status_code == 403


def test_the_demo_leaves_something_late_returned_and_open(door, district):
    with district.office.act() as act:
        for login in ("civil", "house", "medic"):
            organisation.deactivate(act, login)
    town = SimpleNamespace(made=door.bureau, streets=[(STREET, COMMUNITY)], actors=district.people, by_role=lambda role, unit: [a for a in district.people.values() if a.holds(role, unit)])
    demo_intakes.begin(town)
    for day in range((date(2019, 2, 28) - date(2018, 11, 19)).days + 1):
        on = date(2018, 11, 19) + timedelta(days=day)
        district.clock.set(f"{on}T16:00")
        demo_intakes.day(town, on)
    assert door.good("sue", "GET", "/intakes")["total"] == 9
    assert door.good("sue", "GET", "/transfers?late=true")["total"] >= 2
    assert {one["state"] for one in door.good("sue", "GET", "/transfers?size=50")["items"]} >= {"sent", "accepted", "done", "returned"}
    assert differences(district.office) == []
