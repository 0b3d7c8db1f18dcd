"""Inspections (domain 1.13): a committed draw that anybody computes again, findings with the right of reply, statistics, L6 of the ledger."""

from __future__ import annotations

import json

from processes import audit, households, organisation, supervision
from processes.rebuild import differences
from tests.district import COMMUNITY, PASSWORD, STREET
from tests.web.test_api import Door
from tests.web.test_pages import Desk
from tests.web.test_screening import door, home, visited  # noqa: F401

PLAN = {"title": "排查质量检查", "units": STREET, "kind": "households", "from_on": "2018-11-19", "until_on": "2018-12-03", "items": "两人入户\n待遇与收入相符", "method": "simple", "size": 5, "due_on": "2018-12-14"}
BAD = {"inspected_on": "2018-12-03", "failed": "２", "note": "查阅走访记录。", "findings": [{"kind": "money", "text": "补贴少发一个月", "due_on": "2018-12-10"}]}


def drawn(door, **more):  # noqa: F811
    made = door.good("sue", "POST", "/inspection-plans", PLAN | more)
    return f"/inspection-plans/{made['plan']}", made, door.good("sue", "POST", f"/inspection-plans/{made['plan']}/draw")["drawn"]


def test_the_draw_is_committed_to_and_computed_again(door, district, home):  # noqa: F811
    for who in ("officer", "auditor", "exam"):
        assert door.bad(403, who, "POST", "/inspection-plans", PLAN)["rule"] == "inspector"
    with door.district.office.read() as conn:
        name = organisation.unit_name(conn, STREET)
    page = Desk(door.app, "sue").text("/supervision/new")
    assert f'name="units__pick" value="{STREET}"' in page and name in page
    made = Desk(door.app, "sue").post("/supervision/new", PLAN | {"units": name, "units__pick": [STREET], "due_on": "2018-12-13"})
    assert made.status_code == 302 and door.good("sue", "GET", f"/inspection-plans/{made.location.rpartition('/')[2]}")["units"] == [STREET], "by its name, and ticked"
    for sent, wrong in (({"units": "999"}, "units"), ({"units": " "}, "units"), ({"size": 0}, "size"), ({"size": 501}, "size"), ({"items": "\n "}, "items"), ({"until_on": "2018-12-04"}, "until_on"),
                        ({"until_on": "2018-11-18"}, "until_on"), ({"due_on": "2018-12-02"}, "due_on"), ({"kind": "x"}, "kind"), ({"units": "120116005"}, "units")):  # fmt: skip
        assert wrong in door.bad(422, "sue", "POST", "/inspection-plans", PLAN | sent)["errors"], sent
    made = door.good("sue", "POST", "/inspection-plans", PLAN)
    one = f"/inspection-plans/{made['plan']}"
    told = door.good("auditor", "GET", one)
    assert (told["seed"], told["population"], told["may"]) == (None, 1, [])
    assert [check["good"] for check in door.good("sue", "GET", f"{one}/proof")["checks"]] == [True, True, None, None, True]
    door.bad(404, "officer", "GET", one)
    assert door.good("sue", "POST", f"{one}/draw")["drawn"] == [str(home)]
    door.bad(409, "sue", "POST", f"{one}/draw")
    assert [check["good"] for check in door.good("auditor", "GET", f"{one}/proof")["checks"]] == [True] * 5
    told = door.good("sue", "GET", one)
    with district.office.read() as conn:
        definition = json.loads(supervision.seen(conn, district.people["sue"], made["plan"])["definition"])
    assert audit.commitment(bytes.fromhex(told["seed"]), definition) == made["commitment"]
    assert "units" in door.bad(422, "sue", "POST", "/inspection-plans", PLAN | {"kind": "visits"})["errors"]
    visit = visited(door, home)["screening"]
    assert drawn(door, kind="visits", method="by_street")[2] == [str(visit)]
    no = district.apply(district.household(110_000, serial=5))
    assert drawn(door, kind="cases", units="120116")[2] == [no]
    assert differences(district.office) == []


def test_a_finding_is_replied_to_decided_put_right_and_verified_and_counts_in_l6(door, district, home):  # noqa: F811
    one, made, _ = drawn(door)
    aim = door.good("sue", "GET", f"{one}/targets")["items"][0]
    assert (aim["name"][:2], aim["unit"], aim["may"]) == ("何*", COMMUNITY, ["inspect"])
    result = f"/inspection-targets/{aim['id']}/result"
    for sent, wrong in (({"failed": "3"}, "failed"), ({"failed": "x"}, "failed"), ({"failed": ""}, "failed"), ({"findings": []}, "findings"), ({"inspected_on": "2018-12-02"}, "inspected_on"),
                        ({"findings": [BAD["findings"][0] | {"due_on": "2018-12-02"}]}, "findings"), ({"findings": [BAD["findings"][0] | {"kind": "x"}]}, "findings.0.kind")):  # fmt: skip
        assert wrong in door.bad(422, "sue", "POST", result, BAD | sent)["errors"], sent
    assert door.bad(403, "auditor", "POST", result, BAD)["rule"] == "inspector"
    door.bad(404, "officer", "POST", result, BAD)
    door.bad(409, "sue", "POST", f"{one}/close", {"conclusion": "规范"})
    number = door.good("sue", "POST", result, BAD)["findings"][0]
    door.bad(409, "sue", "POST", result, BAD)
    f = f"/inspection-findings/{number}"
    assert door.good("officer", "GET", f)["may"] == ["reply", "rectify"]
    door.bad(404, "stranger", "GET", f)
    assert door.bad(403, "sue", "POST", f"{f}/settle", {"verdict": "upheld", "text": "属实"})["rule"] == "right-of-reply"
    assert door.bad(403, "auditor", "POST", f"{f}/reply", {"text": "不实"})["rule"] == "handling-unit"
    door.good("officer", "POST", f"{f}/reply", {"text": "已在下月补发"})
    door.bad(409, "officer", "POST", f"{f}/rectification", {"done_on": "2018-12-03", "text": "补发"})
    door.good("sue", "POST", f"{f}/settle", {"verdict": "upheld", "text": "未见凭证"})
    l6 = door.good("sue", "GET", "/ledger?unit=120116")["problems"]
    assert (l6["found"], l6["settled"], next(kind["found"] for kind in l6["types"] if kind["type"] == "money")) == (1, 0, 1)
    district.clock.advance(days=8)
    assert door.good("officer", "GET", "/inspection-findings?list=overdue")["total"] == 1
    assert door.good("sue", "GET", "/ledger?unit=120116")["problems"]["overdue"] == 1
    assert "done_on" in door.bad(422, "officer", "POST", f"{f}/rectification", {"done_on": "2018-12-02", "text": "补发"})["errors"]
    door.good("officer", "POST", f"{f}/rectification", {"done_on": "2018-12-11", "text": "补发"})
    district.clock.advance(days=1)
    door.good("sue", "POST", f"{f}/verification", {"verdict": "returned", "text": "没有凭证"})
    assert door.good("sue", "GET", "/ledger?unit=120116")["problems"]["settled"] == 0
    assert door.good("sue", "GET", "/ledger?unit=120116&to=2018-12-11")["problems"]["settled"] == 1  # as that day had it
    door.good("officer", "POST", f"{f}/rectification", {"done_on": "2018-12-12", "text": "补发，附凭证"})
    assert door.good("sue", "POST", f"{f}/verification", {"verdict": "verified", "text": "已查看"})["state"] == "verified"
    assert (door.good("sue", "GET", f)["sent_back"], door.good("sue", "GET", "/ledger?unit=120116")["problems"]["settled"]) == (1, 1)
    assert door.good("sue", "POST", f"{one}/close", {"conclusion": "已整改"})["state"] == "closed"
    told = door.good("sue", "GET", "/inspections/statistics")
    assert [(s["unit"], s["inspected"], s["with_findings"], s["put_right"], s["overdue"]) for s in told["inspections"]] == [(STREET, 1, 1, 1, 0)]
    assert door.good("stranger", "GET", "/inspections/statistics")["inspections"] == []
    assert differences(district.office) == []
    desk = Desk(door.app, "sue")
    assert "排查质量检查" in desk.text("/supervision/")
    assert "抽样核验" in desk.text(f"/supervision/{made['plan']}")
    assert "补贴少发一个月" in desk.text(f"/supervision/findings/{number}")
    assert Desk(door.app, "officer").get(f"/supervision/{made['plan']}").status_code == 404
    assert "补贴少发一个月" in Desk(door.app, "officer").text("/supervision/?list=verified")


def test_who_worked_on_a_case_does_not_inspect_it_and_the_pages_do_the_same(bureau, district):
    with district.office.act() as act:
        organisation.add_staff(act, "both", "两某", PASSWORD, [("supervisor", "120116"), ("window_clerk", STREET)])
        district.people["both"] = organisation.find_actor(act.conn, "both") or district.people["sue"]
    here = Door(bureau, district)
    home_ = district.household(110_000, serial=5)
    answers = {"household_id": home_, "programme": "dibao", "applied_on": "2018-12-03", "applied_by": "head", "reason": "困难"}
    here.good("both", "POST", "/cases", {"process": "dibao-2012", "answers": answers})
    desk = Desk(here.app, "sue")
    assert desk.post("/supervision/new", PLAN | {"kind": "cases", "size": "0"}).status_code == 422
    made = desk.post("/supervision/new", PLAN | {"kind": "cases", "size": "5"})
    assert made.status_code == 302, made.get_data(as_text=True)
    assert "尚未抽取" in desk.text(made.location)
    assert desk.post(f"{made.location}/draw", {}).status_code == 302
    plan = int(made.location.rpartition("/")[2])
    aim = here.good("sue", "GET", f"/inspection-plans/{plan}/targets")["items"][0]["id"]
    clean = {"inspected_on": "2018-12-03", "note": "规范。"}
    assert here.bad(403, "both", "POST", f"/inspection-targets/{aim}/result", clean)["rule"] == "own-case"
    assert desk.post(f"{made.location}/targets/{aim}", clean | {"failed": "", "findings-0-kind": "procedure", "findings-0-text": "x", "findings-0-due_on": "2018-12-10"}).status_code == 422
    assert desk.post(f"{made.location}/targets/{aim}", clean).status_code == 302
    assert desk.post(f"{made.location}/close", {"conclusion": "规范"}).status_code == 302
    assert "规范" in desk.text(made.location)


def test_spot_checks_are_counted_by_street(bureau, district):
    here, reason = Door(bureau, district), {"reason_code": "income_over", "clause": "第四条"}
    district.to_street_opinion(600_000)
    with district.office.act(district.people["clerk"]) as act:  # a relative's file is visited whatever is drawn
        households.declare_near_relative(act, district.facts()["household_id"], {"staff_name": "某干部", "position": "居委会委员", "relation": "sibling"})
    district.review()
    district.do("rita", "street_opinion", street_outcome="propose_refuse", opinion="收入高", **reason)
    district.do("lee", "street_signoff", signoff="agree", opinion="同意")
    district.do("rita", "submit_to_district", contents=["application", "survey", "opinion"])
    counted = lambda: [[s[name] for name in ("unit", "received", "to_visit", "near_relative", "visited", "errors", "percent")] for s in here.good("sue", "GET", "/inspections/statistics")["spot_checks"]]  # noqa: E731
    assert counted() == [[STREET, 1, 1, 1, 0, 0, 0.0]]
    district.do("spot", "spot_check_visit", visited_on=district.office.today().isoformat(), second_visitor="某人", findings="收入不一致", agrees=False)
    assert counted() == [[STREET, 1, 1, 1, 1, 1, 100.0]]
    assert here.good("sue", "GET", "/inspections/statistics?since=2018-12-04")["spot_checks"] == []
    assert "区级抽查分街镇情况" in Desk(here.app, "sue").text("/supervision/")
