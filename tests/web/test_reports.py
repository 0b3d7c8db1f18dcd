"""Active reporting at a desk and through the API: the page of duties, a report from the household's page, the same by API."""

from __future__ import annotations

import pytest

from engine.jobs import Jobs
from tests.processes.reports import Reports
from tests.served import app_of
from tests.web.test_api import Door
from tests.web.test_pages import Desk


@pytest.fixture
def reports(district):
    made = Reports(district)
    made.granted()
    return made


@pytest.fixture
def app(bureau, reports):
    return app_of(bureau)


def test_the_page_shows_who_owes_a_report_and_its_reminder(app, reports):
    desk = Desk(app, "clerk", "en")
    assert "No household owes a report yet." in desk.text("/reports")
    reports.d.at("2019-01-24T00:01")
    page = desk.text("/reports?state=due")
    assert "2019-01-24" in page
    assert "H0000" in page
    letter = page.split('href="/letters/')[1].split('"')[0]
    assert "定期报告提醒书" in desk.text(f"/letters/{letter}")
    assert "Report owed since 2019-01-24" in desk.text(f"/benefits/{reports.benefit_id}")
    assert "/households/" + str(reports.home) not in desk.text("/reports?state=overdue")
    reports.d.at("2019-02-08T00:01")
    assert "2019-02-08" in desk.text("/reports?state=overdue&street=120116001")
    stranger = Desk(app, "stranger", "en")
    assert "No household owes a report yet." in stranger.text("/reports")
    assert stranger.get(f"/letters/{letter}").status_code == 404


def test_a_change_is_reported_from_the_page_of_the_household(app, reports):
    reports.d.clock.set("2018-12-12T10:00")
    desk, home, path = Desk(app, "clerk", "en"), f"/households/{reports.home}", f"/households/{reports.home}/change-report"
    assert path in desk.text(home)
    said = {"household_id": str(reports.home), "kind": "job_start", "event_on": "2018-12-10", "reported_on": "2018-12-12", "channel": "window",
            "reported_by": "household", "details": "开始上班"}  # fmt: skip
    answer = desk.post(path, said)
    assert answer.status_code == 422
    assert "Choose the member whom it concerns" in answer.get_data(as_text=True)
    spouse = reports.members()[1]
    assert f'<option value="{spouse}"' in desk.text(path)
    answer = desk.post(path, said | {"person_id": str(spouse)})
    assert answer.status_code == 302
    no = answer.location.rsplit("/", 1)[1]
    reports.d.no = no
    assert reports.d.facts()["person_id"] == spouse
    assert no in desk.text("/reports")
    task = reports.d.tasks()["register_change"]["id"]
    page = desk.text(f"/tasks/{task}")
    assert 'name="new_holder"' in page
    assert "紫云园社区" in page
    further = f"/cases/{no}/messages/change_reported"
    assert further in desk.text(home), "what changes further goes into the open case"
    answer = desk.post(further, {k: v for k, v in said.items() if k != "household_id"} | {"kind": "other", "event_on": "2018-12-11"})
    assert answer.status_code == 302
    assert reports.d.facts()["kind"] == "other"
    for page in (f"/cases/{no}", f"/cases/{no}?tab=record", f"/cases/{no}/replay", f"/cases/{no}?tab=papers", "/cases"):
        assert desk.text(page)


def test_who_may_not_report_is_not_offered_it(app, reports):
    assert "/change-report" not in Desk(app, "rita").text(f"/households/{reports.home}")
    assert "/change-report" in Desk(app, "vera").text(f"/households/{reports.home}")
    new = reports.d.household(210_000, serial=60)
    assert "/change-report" not in Desk(app, "clerk").text(f"/households/{new}"), "nothing is received"


def test_the_committee_sees_what_it_reported_and_adds_to_what_others_did(app, reports):
    reports.d.clock.set("2018-12-12T10:00")
    vera, home = Desk(app, "vera"), f"/households/{reports.home}"
    said = {"household_id": str(reports.home), "kind": "other", "event_on": "2018-12-10", "reported_on": "2018-12-12", "channel": "visit",
            "reported_by": "committee", "details": "家中有变化"}  # fmt: skip
    answer = vera.post(f"{home}/change-report", said)
    assert (answer.status_code, vera.get(answer.location).status_code) == (302, 200)
    reports.d.no = answer.location.rsplit("/", 1)[1]
    reports.register()
    reports.investigate()
    reports.conclude("keep", "unchanged")
    reports.deliver()
    no = reports.report("other", "2018-12-11", reported_by="public")
    assert vera.get(f"/cases/{no}").status_code == 404, "a tip of others is not the committee's to read"
    further = {k: v for k, v in said.items() if k != "household_id"}
    answer = vera.post(f"/cases/{no}/messages/change_reported", further)
    assert (answer.status_code, answer.location) == (302, home)
    assert reports.d.facts()["reported_by"] == "committee"


def test_the_api_reports_concludes_and_lists_the_duties(bureau, reports):
    d = reports.d
    d.clock.set("2019-01-24T00:01")
    Jobs(d.office, {"report_due": d.bureau.jobs.handlers["report_due"]}, d.clock).run_all()  # the review that is due as well waits
    door = Door(bureau, d)
    [duty] = door.good("clerk", "GET", "/report-duties?state=due")["items"]
    assert (duty["due_on"], duty["household_id"], duty["answered_on"], len(duty["letters"])) == ("2019-01-24", reports.home, None, 1)
    assert door.call("clerk", "GET", f"/letters/{duty['letters'][0]}").status_code == 200
    assert door.call("stranger", "GET", f"/letters/{duty['letters'][0]}").status_code == 404
    assert door.good("stranger", "GET", "/report-duties")["total"] == 0
    door.bad(403, "clerk", "GET", "/report-duties?street=120116005")
    door.bad(422, "clerk", "GET", "/report-duties?state=late")
    answers = {"household_id": reports.home, **reports.said("other", "2019-01-22")}
    problem = door.bad(403, "stranger", "POST", "/cases", {"process": "change-report-2012", "answers": answers})
    assert problem["rule"] == "unit"
    problem = door.bad(403, "clerk", "POST", "/cases", {"process": "change-report-2012", "answers": answers | {"event_on": "2018-01-01"}})
    assert problem["rule"] == "before-benefit"
    no = door.good("clerk", "POST", "/cases", {"process": "change-report-2012", "answers": answers})["case"]
    problem = door.bad(403, "clerk", "POST", "/cases", {"process": "change-report-2012", "answers": answers})
    assert (problem["rule"], no in problem["message"]) == ("open_case", True)
    case = door.good("clerk", "GET", f"/cases/{no}")
    assert {"change_reported", "withdrawal"} <= case["messages"].keys()
    further = {k: v for k, v in answers.items() if k != "household_id"}
    door.good("vera", "POST", f"/cases/{no}/messages/change_reported", further)
    assert door.good("clerk", "GET", "/report-duties?state=answered")["items"][0]["case"] == no
    door.do("clerk", no, "register_change", evidence_outcome="complete", new_holder=reports.members()[1])
    d.no = no
    reports.investigate()
    door.do("rita", no, "street_opinion", conclusion="keep", reason_code="unchanged", opinion="维持")
    door.do("lee", no, "street_signoff", signoff="agree", opinion="同意")
    told = door.do("clerk", no, "deliver_conclusion", delivered_on="2019-01-24", method="direct", recipient="赵二")
    assert told["outcome"] == "ended_kept"
    assert door.good("clerk", "GET", f"/cases/{no}/replay")["result"] == "same"
    reports.proven(no)
