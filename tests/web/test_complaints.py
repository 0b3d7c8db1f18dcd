"""Complaints through the HTTP API with the clock moved (domain 1.12; S15, S17): recusal, two who sign, who complained is seen by one."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select, text

from engine.store import metadata
from processes import erasure, organisation
from processes.complaint_tables import complaint_reporter
from tests.api_roads import Roads, child, elders, wife, worker
from tests.district import PASSWORD, STREET
from tests.web.test_pages import Desk
from web import complaints as pages

pytestmark = pytest.mark.usefixtures("registries")
SECRET = {"name": "告一密", "phone": "13911112222", "address": "隐秘胡同9号"}


@pytest.fixture
def roads(bureau, district) -> Tips:
    with bureau.office.act() as act:
        for login, role, unit in (("tess", "complaint_officer", STREET), ("tom", "complaint_officer", "120116")):
            organisation.add_staff(act, login, f"某{login}", PASSWORD, [(role, unit)])
    return Tips(bureau, district)


class Tips(Roads):
    def tip(self, reporter: Any = None, who: str = "tess", **more: Any) -> str:
        self.no = self.good(who, "POST", "/complaints", self.body_of(reporter, **more))["case"]
        return self.no

    def body_of(self, reporter: Any = None, **more: Any) -> dict[str, Any]:
        said = {"channel": "phone", "received_on": self.today, "target_kind": "household", "allegation": "家中有小汽车", **more}
        if said["target_kind"] == "household":
            said.setdefault("household_id", self.home)
        return {"answers": said, **({"reporter": reporter} if reporter else {})}

    def verified(self) -> None:
        self.go("tess", "accept_complaint", acceptance="accept")
        self.go("ann", "investigate", investigated_on=self.today, second_investigator="bob", facts_found="车辆登记查询", evidence="登记信息")
        self.go("bob", "investigate_cosign", agree="agree")

    def row(self) -> dict[str, Any]:
        return next(r for r in self.good("tess", "GET", "/complaints?size=100")["items"] if r["case_no"] == self.no)


def tell(roads: Tips) -> None:
    """From the review's contact to its figures: the car is on the register now."""
    roads.go("officer", "contact_household", contacted_on=roads.today, method="phone", contact_outcome="contacted", asked_for=[])
    roads.bureau.jobs.run_all()
    roads.go("checker", "means_check", check_conclusion="exceeds_standard", report="名下有小汽车")
    roads.good("officer", "PUT", f"/households/{roads.home}/property", {"property": [{"kind": "vehicle"}]})
    roads.survey()


def test_s15_an_anonymous_tip_is_proved_and_the_household_leaves_by_the_public_s_report(roads):
    roads.clock.set("2018-10-08T09:00")
    roads.register(*elders("", "", ""))
    roads.granted(roads.home)
    roads.stable()
    home = roads.home
    roads.at("2019-01-09T10:00")
    no = roads.tip()
    roads.verified()
    assert roads.refused(422, "tess", "conclude", result="substantiated", action="复审")["errors"].keys() == {"event_on"}
    assert roads.go("tess", "conclude", result="substantiated", event_on="2018-11-20", action="开启复审")["outcome"] == "ended_concluded", "nobody to be told"
    roads.bureau.jobs.run_all()
    row = roads.row()
    assert (row["state"], row["finding"], row["feedback_on"]) == ("closed", "substantiated", None)
    roads.proven()
    roads.no = row["review_no"]
    assert roads.facts("exit_trigger", "complaint_no", "overpaid_since") == ("reported", no, "2018-11")
    again = {"household_id": home, "occasion": "complaint", "complaint_no": no}
    assert roads.bad(403, "officer", "POST", "/cases", {"process": "review-2012", "answers": again})["rule"] == "complaint", "a complaint opens one review"
    tell(roads)
    roads.concluded("stop", "fraud")
    found = roads.benefit(home)
    assert (found["exit_class"], found["stopped_from"]) == ("reported", "2019-02")
    [back] = found["settlements"]
    assert (back["kind"], back["from_month"], back["to_month"], back["amount_fen"]) == ("recovery", "2018-11", "2019-01", 3 * 276_000)
    roads.proven()


def test_nobody_opens_a_review_by_a_complaint_that_was_not_proved(roads):
    roads.at("2018-12-03T09:00")
    roads.register(worker("2100.00"))
    for no in (None, "JB-2018-000000"):
        said = {"household_id": roads.home, "occasion": "complaint", **({"complaint_no": no} if no else {})}
        assert roads.bad(403, "officer", "POST", "/cases", {"process": "review-2012", "answers": said})["rule"] == "complaint"


def test_a_report_against_an_application_makes_the_district_visit(roads):
    roads.at("2018-12-03T09:00")
    roads.register(worker("2100.00"), wife(), child())
    roads.investigated()
    roads.review()
    roads.street()
    roads.post()
    case = roads.no
    roads.tip()
    roads.no = case
    roads.at("2018-12-11T09:00")
    roads.remove()
    roads.go("rita", "submit_to_district", contents=["application", "survey", "review", "opinion"])
    assert "spot_check_visit" in roads.open()
    assert roads.facts("reported") is True
    assert "reported" in roads.facts("spot_reason").split()
    roads.proven()


def test_s17_named_and_malicious_is_told_in_time_and_changes_nothing(roads):
    roads.at("2018-12-03T09:00")
    roads.register(worker("2100.00"), wife(), child())
    roads.tip(SECRET)
    assert roads.open() == {"accept_complaint": "2018-12-18"}, "fifteen days"
    assert roads.refused(422, "tess", "accept_complaint", acceptance="not_investigate", reason="没有线索")["errors"].keys() == {"acceptance"}
    roads.go("tess", "accept_complaint", acceptance="accept")
    assert roads.open() == {"investigate": "2019-02-01"}, "sixty days from acceptance"
    same = {"investigated_on": roads.today, "facts_found": "无", "evidence": "无"}
    assert roads.refused(422, "ann", "investigate", second_investigator="ann", **same)["errors"].keys() == {"second_investigator"}
    roads.go("ann", "investigate", second_investigator="bob", **same)
    assert roads.refused(403, "ann", "investigate_cosign", agree="agree")["rule"] == "two-investigators"
    assert roads.refused(403, "carl", "investigate_cosign", agree="agree")["rule"] == "named-investigator"
    roads.go("bob", "investigate_cosign", agree="agree")
    roads.go("tess", "conclude", result="extend", action="情况复杂")
    roads.go("lee", "approve_extension", extension="agree", opinion="同意")
    assert roads.open() == {"conclude_extended": "2019-03-04"}, "ninety days, 03-03 is a Sunday"
    roads.refused(422, "tess", "conclude_extended", result="malicious", event_on=roads.today, action="教育")
    roads.go("tess", "conclude_extended", result="malicious", action="批评教育")
    assert roads.open() == {"deliver_feedback_extended": "2019-03-04"}
    assert roads.row()["state"] == "concluded"
    roads.at("2019-03-05T09:00")
    assert [r["case_no"] for r in roads.good("tess", "GET", "/complaints?late=true")["items"]] == [roads.no]
    told = {"method": "phone", "words": "举报不属实"}
    roads.refused(422, "tess", "deliver_feedback_extended", delivered_on="2018-12-02", **told)
    assert roads.go("tess", "deliver_feedback_extended", delivered_on=roads.today, **told)["outcome"] == "ended_concluded"
    row = roads.row()
    assert (row["state"], row["finding"], row["feedback_on"], row["review_no"], row["late"]) == ("closed", "malicious", "2019-03-05", None, False)
    assert roads.good("sue", "GET", "/complaints/findings") == {"findings": {"malicious": 1}}
    roads.proven()


def test_who_complained_is_seen_by_the_complaint_officer_only_and_each_reading_is_recorded(roads):
    roads.at("2018-12-03T09:00")
    roads.register(worker("2100.00"))
    roads.tip(SECRET)
    number = roads.row()["id"]
    for who in ("sue", "auditor", "lee", "clerk", "admin"):
        assert roads.bad(403, who, "POST", f"/complaints/{number}/reporter", {"reason": "想看"})["rule"] == "reporter"
    roads.bad(422, "tess", "POST", f"/complaints/{number}/reporter", {"reason": " "})
    assert roads.good("tess", "POST", f"/complaints/{number}/reporter", {"reason": "电话反馈"}) == SECRET
    reads = roads.good("auditor", "GET", "/audit/reads")
    assert "complaint_reporter" in str(reads) or roads.no in str(reads)
    for path in (f"/cases/{roads.no}", f"/cases/{roads.no}/history", "/complaints", "/tasks?view=available"):
        said = roads.call("auditor" if path != "/tasks?view=available" else "tess", "GET", path).get_data(as_text=True)
        assert not any(value in said for value in SECRET.values()), path
    with roads.bureau.office.read() as conn:
        for table in metadata.sorted_tables:
            for line in conn.execute(select(table)).all():
                assert not any(value in str(cell) or value.encode() in cell if isinstance(cell, bytes) else value in str(cell) for cell in line for value in SECRET.values()), table.name
    for who in ("clerk", "rita"):
        roads.bad(404, who, "GET", f"/cases/{roads.no}")
    roads.bad(403, "clerk", "GET", "/complaints")
    roads.proven()


def test_the_one_complained_about_and_his_own_may_not_handle_it(roads):
    roads.at("2018-12-03T09:00")
    with roads.bureau.office.act() as act:
        organisation.add_staff(act, "cousin", "某亲", PASSWORD, [("investigator", STREET)], id_no=roads.number("1980-01-01", "male"))
    told = roads.bad(403, "tess", "POST", "/complaints", roads.body_of(target_kind="staff", target_login="tess"))
    assert told["rule"] == "complaint-target"
    roads.tip(who="tom", target_kind="staff", target_login="ann")
    roads.go("tess", "accept_complaint", acceptance="accept")
    said = {"investigated_on": roads.today, "second_investigator": "carl", "facts_found": "核查", "evidence": "笔录"}
    assert roads.refused(403, "ann", "investigate", **said)["rule"] == "complaint-target"
    roads.bad(404, "ann", "GET", f"/cases/{roads.no}")
    task = roads.task("tess", roads.no, "investigate")["id"]
    assert roads.bad(403, "ann", "GET", f"/tasks/{task}")["rule"] == "complaint-recused"
    for wrong in ("ann", "nobody", "clerk"):
        assert roads.refused(422, "bob", "investigate", **{**said, "second_investigator": wrong})["errors"].keys() == {"second_investigator"}, wrong
    roads.go("bob", "investigate", **said)
    assert roads.good("tess", "GET", "/complaints?channel=phone&state=investigating")["total"] == 1
    roads.tip(who="tom", target_kind="staff", target_login="tess")
    assert roads.refused(403, "tess", "accept_complaint", acceptance="accept")["rule"] == "complaint-target"
    assert roads.no not in str(roads.good("tess", "GET", "/complaints"))


def test_anybody_complains_without_signing_in_and_is_answered_with_a_number_only(roads):
    roads.at("2018-12-03T09:00")
    roads.register(worker("2100.00"))
    body = {"street": STREET, "about": "紫云园张家", "allegation": "有小汽车"}
    roads.bad(422, None, "POST", "/public/complaints", {**body, "name": "王五"})
    roads.bad(422, None, "POST", "/public/complaints", {"street": STREET, "about": "x"})
    roads.bad(422, None, "POST", "/public/complaints", {**body, "street": "999"})
    told = roads.good(None, "POST", "/public/complaints", {**body, **SECRET})
    assert told.keys() == {"no"}
    roads.no = told["no"]
    assert roads.refused(422, "tess", "accept_complaint", acceptance="accept")["errors"].keys() == {"target_kind"}
    roads.go("tess", "accept_complaint", acceptance="accept", target_kind="household", household_id=roads.home)
    assert roads.row()["household_id"] == roads.home
    roads.no = roads.good(None, "POST", "/public/complaints", body)["no"]
    assert roads.go("tess", "accept_complaint", acceptance="not_investigate", reason="没有可核查的线索")["outcome"] == "ended_not_accepted"
    answers = [roads.call(None, "POST", "/public/complaints", body).status_code for _ in range(pages.TRIES)]
    assert answers[-1] == 429
    page = roads.app.test_client()
    assert page.get("/public/complaint").status_code == 200


def test_a_reporter_is_erased_and_the_case_stays(roads):
    roads.at("2018-12-03T09:00")
    roads.register(worker("2100.00"))
    roads.tip(SECRET)
    number = roads.row()["id"]
    with roads.bureau.office.read() as conn:
        kept = conn.scalar(select(complaint_reporter.c.id))
    subject = f"other:{kept >> 16}.1.reporter"
    people = roads.district.people
    with roads.bureau.office.act(people["sue"]) as act:
        made = erasure.restrict(act, subject, "request")
    assert roads.bad(403, "tess", "POST", f"/complaints/{number}/reporter", {"reason": "反馈"})["rule"] == "restricted"
    roads.clock.set("2060-01-04T09:00")
    with roads.bureau.office.act(people["sue"]) as act:
        erasure.propose(act, made["id"])
    with roads.bureau.office.act(people["admin"]) as act:
        erasure.erase(act, made["id"])
    with roads.bureau.office.read() as conn:
        assert conn.execute(select(complaint_reporter.c.name, complaint_reporter.c.phone)).one() == (None, None)
        assert conn.scalar(text("select count(*) from complaint")) == 1
    roads.proven()




def test_the_pages_say_the_same(roads):
    roads.at("2018-12-03T09:00")
    roads.register(worker("2100.00"))
    desk = Desk(roads.app, "tess")
    said = {"channel": "phone", "received_on": roads.today, "target_kind": "household", "household_id": str(roads.home), "allegation": "有小汽车"}
    assert desk.post("/complaints/new", {**said, "name": SECRET["name"]}).status_code == 422, "nowhere to tell him"
    made = desk.post("/complaints/new", {**said, **SECRET})
    assert made.status_code == 302
    assert not any(value in desk.text(made.location) for value in SECRET.values())
    listed = desk.text("/complaints?state=received&channel=phone")
    assert made.location.rpartition("/")[2] in listed
    address = f"/complaints/{roads.good('tess', 'GET', '/complaints')['items'][0]['id']}"
    assert desk.get(f"{address}/feedback").status_code == 404, "nothing is found yet"
    assert SECRET["name"] not in desk.text(f"{address}/reporter")
    shown = desk.post(f"{address}/reporter", {"reason": "反馈"})
    assert SECRET["name"] in shown.get_data(as_text=True)
    assert shown.headers["Cache-Control"] == "no-store"
    roads.no = made.location.rpartition("/")[2]
    task = roads.task("tess", roads.no, "accept_complaint")["id"]
    assert "受理意见" in desk.text(f"/tasks/{task}")
    for tab in ("overview", "record"):
        assert not any(value in desk.text(f"/cases/{roads.no}?tab={tab}") for value in SECRET.values()), tab
    assert not any(value in desk.text(f"/cases/{roads.no}/replay") for value in SECRET.values())
    roads.verified()
    roads.go("tess", "conclude", result="unsubstantiated", action="无")
    assert "不属实" in desk.text(f"{address}/feedback")
    papers = {kind: desk.text(f"{address}/papers/{kind}") for kind in ("registration", "report", "feedback")}
    assert all(word in papers["registration"] for word in ("举报登记表", "有小汽车", "实名", "受理，组织核查", "某tess", f"H{roads.home:07d}"))
    lacking = [word for word in ("核查报告", "车辆登记查询", "登记信息", "某ann", "某bob", "情况属实，同意", "不属实") if word not in papers["report"]]
    assert lacking == [], papers["report"]
    assert "有小汽车" not in papers["feedback"], "it names nobody and nothing"
    assert not [value for value in SECRET.values() for text_ in papers.values() if value in text_]
    api = f"/complaints/{address.rpartition('/')[2]}/papers"
    assert roads.call("auditor", "GET", f"{api}/report").status_code == 200
    roads.bad(403, "clerk", "GET", f"{api}/report")
    roads.bad(404, "tess", "GET", f"{api}/other")
    other = Desk(roads.app, "sue")
    assert roads.no not in roads.call("clerk", "GET", "/cases?size=100").get_data(as_text=True), "not even its number"
    assert roads.no not in Desk(roads.app, "clerk").text("/cases")
    for who in ("tess", "sue", "ann", "bob"):
        assert roads.no in roads.call(who, "GET", "/cases?size=100").get_data(as_text=True), who
    assert other.get(f"{address}/reporter").status_code == 403
    assert Desk(roads.app, "clerk").get("/complaints").status_code == 403
    nobody = Desk.__new__(Desk)
    nobody.http = roads.app.test_client()
    assert "JB-2018-" in nobody.post("/public/complaint", {"street": STREET, "about": "某户", "allegation": "有小汽车"}).get_data(as_text=True)
    assert nobody.post("/public/complaint", {"street": STREET, "about": "某户"}).status_code == 422
