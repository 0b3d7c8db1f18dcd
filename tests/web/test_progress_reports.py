"""作战进度 and 总结报告 by API and on their pages: days from the calendar, figures frozen when handed in, returned, reminded, late, annexes."""

from __future__ import annotations

import hashlib
import io
from datetime import date

import pytest
from openpyxl import load_workbook
from sqlalchemy import select

from engine.jobs import Jobs
from processes import progress_reports
from processes.benefit_tables import benefit_adjustment
from processes.rebuild import differences
from tests.district import STREET
from tests.processes.test_benefits import Granted
from tests.served import app_of
from tests.web.test_campaigns import HUNDRED, OTHER, Frame
from tests.web.test_pages import Desk

TEXTS = {"progress": "已入户12户", "good_practice": "无", "difficulties": "人手不足", "suggestions": "无"}


def row(**more):
    return {**HUNDRED, "report_weeks": 1, "report_weekday": 5, "report_time": "17:00", "closed_on": None, **more}


def test_the_periods_of_the_paper_follow_from_the_calendar():
    found = progress_reports.periods(row())
    assert len(found) == 15
    assert [str(day) for day in (found[0].start_on, found[0].end_on, found[0].due_on)] == ["2018-11-19", "2018-11-23", "2018-11-23"]
    assert found[0].until.isoformat() == "2018-11-23T17:00:00+08:00"
    spring = next(one for one in found if one.end_on == date(2019, 2, 8))  # in the days off: due on the first working day after them
    assert (str(spring.due_on), str(found[spring.number].start_on), str(found[spring.number].due_on)) == ("2019-02-11", "2019-02-09", "2019-02-15")
    assert [str(day) for day in (found[-1].start_on, found[-1].end_on, found[-1].due_on)] == ["2019-02-23", "2019-02-28", "2019-03-01"]
    assert sum((one.end_on - one.start_on).days + 1 for one in found) == 102  # every day is in one period
    assert [len(progress_reports.periods(row(report_weeks=weeks))) for weeks in (2, 4, 12)] == [8, 5, 3]
    assert [str(one.due_on) for one in progress_reports.periods(row(report_weekday=1, report_weeks=4))][:3] == ["2018-11-19", "2018-12-17", "2019-01-14"]
    assert [str(one.due_on) for one in progress_reports.periods(row(report_weekday=7))][:1] == ["2018-11-26"]  # a Sunday
    assert len(progress_reports.periods(row(closed_on="2018-12-07"))) == 3


class Weeks(Frame):
    def report(self, who, number, unit=STREET, **more):
        return self.good(who, "POST", self.at_campaign("reports"), {"unit": unit, "period": number, **TEXTS, **more})["report"]

    def handed(self, who, number, unit=STREET):
        report = self.report(who, number, unit)
        self.good(who, "POST", f"/progress-reports/{report}/submission")
        return report

    def told(self, who, report):
        return self.good(who, "GET", f"/progress-reports/{report}")

    def late(self):
        return [(one["unit"], one["period"]) for one in self.good("sue", "GET", self.at_campaign("reports/late"))["items"]]


@pytest.fixture
def weeks(bureau, district):
    district.clock.set("2018-11-19T09:00")
    made = Weeks(bureau, district)
    made.begun()
    return made


def test_a_week_is_written_handed_in_sent_back_and_accepted_with_frozen_figures(weeks):
    report = weeks.report("clerk", 1, progress="")
    assert (weeks.told("clerk", report)["state"], weeks.told("clerk", report)["frozen"]) == ("draft", False)
    weeks.at("2018-11-23T16:59")
    assert list(weeks.bad(422, "lee", "POST", f"/progress-reports/{report}/submission")["errors"]) == ["progress"]
    weeks.report("officer", 1)
    weeks.good("lee", "POST", f"/progress-reports/{report}/submission")
    weeks.bad(409, "lee", "POST", f"/progress-reports/{report}/submission")
    weeks.bad(409, "clerk", "POST", weeks.at_campaign("reports"), {"unit": STREET, "period": 1, **TEXTS})
    told = weeks.told("rita", report)
    assert (told["state"], told["late"], told["frozen"], told["may"], told["figures"]["as_of"], told["figures"]["cumulative"]["numbers"]["L2"]) == ("submitted", False, True, [], "2018-11-23", {"persons": 0, "households": 0})
    weeks.at("2018-11-26T08:00")
    assert weeks.bad(403, "clerk", "POST", f"/progress-reports/{report}/verification", {"verdict": "accept"})["rule"] == "role"
    assert sorted(weeks.bad(422, "sue", "POST", f"/progress-reports/{report}/verification", {"verdict": "return"})["errors"]) == ["again_on", "reason"]
    assert list(weeks.bad(422, "sue", "POST", f"/progress-reports/{report}/verification", {"verdict": "return", "reason": "空", "again_on": "2018-11-25"})["errors"]) == ["again_on"]
    weeks.good("sue", "POST", f"/progress-reports/{report}/verification", {"verdict": "return", "reason": "未写困难", "again_on": "2018-11-27"})
    assert weeks.stand("clerk", "progress_report")["due_on"] == "2018-11-27"
    weeks.good("clerk", "POST", weeks.at_campaign("reports"), {"unit": STREET, "period": 1, **TEXTS, "difficulties": "缺车"})
    weeks.good("clerk", "POST", f"/progress-reports/{report}/submission")
    weeks.good("sue", "POST", f"/progress-reports/{report}/verification", {"verdict": "accept"})
    told = weeks.told("sue", report)
    assert [(one["no"], one["outcome"], one["late"], one["difficulties"], one["reason"]) for one in told["submissions"]] == [(1, "returned", False, "人手不足", "未写困难"), (2, "accepted", False, "缺车", None)]
    assert (told["state"], told["late"], told["figures"]["as_of"], told["first_on"], told["submitted_on"]) == ("accepted", False, "2018-11-23", "2018-11-23", "2018-11-26")
    stands = weeks.stand("clerk", "progress_report")
    assert (stands["state"], stands["due_on"], stands["facts"]) == ("open", "2018-11-30", True)
    said = {name: HUNDRED[name] for name in ("name", "paper", "start_on", "end_on", "goals")}
    assert weeks.bad(403, "sue", "POST", f"/campaigns/{weeks.campaign}/amendment", {**said, "report_weeks": 2})["rule"] == "reports-begun"
    weeks.good("sue", "POST", f"/campaigns/{weeks.campaign}/amendment", {**said, "report_time": "１８：００"})
    assert differences(weeks.bureau.office) == []


def test_who_may_not_and_what_is_not_there(weeks):
    said = {"unit": STREET, "period": 1, **TEXTS}
    for who in ("stranger", "sue", "auditor", "vera", "rita", "admin"):
        assert weeks.bad(403, who, "POST", weeks.at_campaign("reports"), said)["rule"] == "unit"
    for wrong, field in (({"unit": "120116"}, "unit"), ({"unit": "x"}, "unit"), ({"period": 99}, "period"), ({"period": -1}, "period"), ({"progress": "长" * 4001}, "progress"), ({"period": 2**62}, "period")):
        assert list(weeks.bad(422, "clerk", "POST", weeks.at_campaign("reports"), {**said, **wrong})["errors"]) == [field]
    assert weeks.bad(403, "clerk", "POST", weeks.at_campaign("reports"), {**said, "period": 2})["rule"] == "period-ahead"
    report = weeks.report("clerk", 1)
    for path in (f"/progress-reports/{report}", f"/progress-reports/{report}/annex1.xlsx"):
        for who in ("stranger", "admin"):
            weeks.bad(404, who, "GET", path)
    assert weeks.good("admin", "GET", weeks.at_campaign("reports?period=1"))["items"] == []
    weeks.bad(404, "clerk", "GET", "/progress-reports/1")
    weeks.bad(404, "clerk", "GET", weeks.at_campaign("reports?period=99"))
    weeks.bad(404, "clerk", "GET", weeks.at_campaign(f"reports?unit={OTHER}"))
    weeks.bad(409, "sue", "POST", f"/progress-reports/{report}/verification", {"verdict": "accept"})
    assert weeks.bad(403, "stranger", "POST", weeks.at_campaign("reports"), said)["rule"] == "unit"
    weeks.bad(404, "stranger", "POST", f"/progress-reports/{report}/submission")
    assert weeks.bad(403, "sue", "POST", f"/progress-reports/{report}/submission")["rule"] == "unit"
    owed = weeks.owed("progress_report")
    assert weeks.bad(403, "clerk", "POST", f"/campaign-obligations/{owed}/proofs", {"unit": STREET, "done_on": "2018-11-19", "what": "x", "proof": "y"})["rule"] == "by-facts"
    # handed in early: the next report begins where its figures ended, so that no day is lost
    weeks.at("2018-11-21T12:00")
    weeks.good("clerk", "POST", f"/progress-reports/{report}/submission")
    assert weeks.told("clerk", report)["figures"]["as_of"] == "2018-11-21"
    weeks.at("2018-11-26T08:00")
    figures = weeks.told("clerk", weeks.report("clerk", 2))["figures"]
    # closed early: what was written can be read, and no more is owed
    second = weeks.good("clerk", "GET", weeks.at_campaign("periods"))["items"][1]["own"]["id"]
    weeks.good("sue", "POST", f"/campaigns/{weeks.campaign}/closure", {"reason": "重新部署"})
    assert [weeks.told("clerk", one)["state"] for one in (report, second)] == ["submitted", "draft"]
    weeks.bad(409, "clerk", "POST", weeks.at_campaign("reports"), {**said, "period": 2})
    weeks.bad(409, "clerk", "POST", f"/progress-reports/{second}/submission")
    assert [one["number"] for one in weeks.good("clerk", "GET", weeks.at_campaign("periods"))["items"]] == [1, 0]
    assert (figures["since"], figures["increment"]["from"], figures["cumulative"]["from"]) == ("2018-11-22", "2018-11-22", "2018-11-19")


def test_units_are_reminded_and_who_is_late_is_on_the_list(weeks):
    weeks.at("2018-11-21T00:10")
    assert weeks.good("clerk", "GET", weeks.at_campaign("periods"))["items"][0]["own"]["state"] == "missing"
    weeks.at("2018-11-22T00:10")  # one working day before Friday
    own = weeks.good("clerk", "GET", weeks.at_campaign("periods"))["items"][0]["own"]
    assert (own["state"], own["reminded_on"], own["late"]) == ("due", "2018-11-22", False)
    weeks.at("2018-11-23T10:00")
    weeks.handed("clerk", 1)
    weeks.at("2018-11-23T17:00")
    assert weeks.late() == []
    weeks.at("2018-11-23T17:01")
    assert weeks.late() == [(OTHER, 1)]
    weeks.at("2018-11-24T00:10")
    [_, other] = weeks.good("sue", "GET", weeks.at_campaign("reports?period=1"))["items"]
    assert (other["unit"], other["state"], other["late"], other["late_on"]) == (OTHER, "due", True, "2018-11-24")
    assert weeks.stand("sue", "progress_report", OTHER)["state"] == "late"
    weeks.at("2018-11-26T09:00")
    report = weeks.handed("stranger", 1, OTHER)  # late, and says so for good
    assert (weeks.late(), weeks.told("sue", report)["late"]) == ([], True)
    overview = weeks.good("sue", "GET", weeks.at_campaign("periods"))["items"]
    assert (overview[0]["states"]["submitted"], overview[0]["late"], overview[1]["number"], overview[-1]["kind"]) == (2, [OTHER], 2, "summary")
    weeks.good("sue", "POST", f"/progress-reports/{report}/verification", {"verdict": "return", "reason": "重报", "again_on": "2018-11-28"})
    weeks.at("2018-11-29T09:00")
    assert weeks.late() == [(OTHER, 1)]
    # the sweep does each thing once, however often it runs, and makes up for days on which nothing ran
    before = weeks.good("clerk", "GET", weeks.at_campaign("periods"))["items"]
    with weeks.bureau.office.act() as act:
        progress_reports.sweep(act)
    assert weeks.good("clerk", "GET", weeks.at_campaign("periods"))["items"] == before
    weeks.at("2018-12-17T09:00")
    assert weeks.late() == [(OTHER, 1), (STREET, 2), (OTHER, 2), (STREET, 3), (OTHER, 3), (STREET, 4), (OTHER, 4)]
    assert differences(weeks.bureau.office) == []
    assert isinstance(weeks.bureau.jobs, Jobs)


def test_the_summary_report_freezes_figures_and_annexes(bureau, district):
    Granted(district)
    weeks = Weeks(bureau, district)
    weeks.begun(start_on="2018-11-19")
    weeks.at("2019-02-19T09:00")
    assert weeks.good("clerk", "GET", weeks.at_campaign("periods"))["items"][-1]["due_on"] == "2019-02-20"
    # three persons were granted in one of the weeks: not in the one before, new in it, no more new in the next
    with district.office.read() as conn:
        day = conn.scalar(select(benefit_adjustment.c.decided_on).order_by(benefit_adjustment.c.id).limit(1))
    n = next(one.number for one in progress_reports.periods(row()) if str(one.start_on) <= day <= str(one.end_on))
    made = [weeks.told("clerk", weeks.handed("clerk", number))["figures"] for number in (n - 1, n, n + 1)]
    assert [(one["cumulative"]["numbers"]["L2"]["persons"], one["increment"]["numbers"]["L2"]["persons"], one["increment"]["end"]["households"]) for one in made] == [(0, 0, 0), (3, 3, 1), (3, 0, 1)]
    assert {(one["increment"]["from"], one["since"]) for one in made} == {(str(one.start_on), str(one.start_on)) for one in progress_reports.periods(row())[n - 2 : n + 1]}
    week = weeks.good("sue", "GET", weeks.at_campaign(f"reports?period={n}"))
    assert (week["totals"]["reports"], week["totals"]["cumulative"]["L2"], week["items"][0]["late"], week["items"][1]["figures"]) == (1, 3, True, None)
    report = weeks.handed("lee", 0)
    told = weeks.told("lee", report)
    assert (told["kind"], told["late"], told["may"], told["figures"]["cumulative"]["numbers"]["L2"]["persons"]) == ("summary", False, ["annexes"], 3)
    assert [(one["annex"], one["rows"], one["as_of"]) for one in told["annexes"]] == [(1, 1, "2019-02-19"), (2, 0, "2019-02-19")]
    assert [(weeks.stand("clerk", kind)["state"], weeks.stand("clerk", kind)["met_on"]) for kind in ("summary_report", "annexes")] == [("met", "2019-02-19")] * 2
    first = weeks.call("lee", "GET", f"/progress-reports/{report}/annex1.xlsx")
    assert hashlib.sha256(first.data).hexdigest() == told["annexes"][0]["sha256"]
    assert load_workbook(io.BytesIO(first.data)).active["B5"].value == "张一"
    # who reads cases without working there has it masked only; the full ones are noted
    assert weeks.bad(403, "auditor", "GET", f"/progress-reports/{report}/annex1.xlsx")["rule"] == "annex-full"
    weeks.at("2019-02-22T09:00")
    assert weeks.call("sue", "GET", f"/progress-reports/{report}/annex1.xlsx").data == first.data
    assert weeks.stand("sue", "summary_report", OTHER)["state"] == "late"
    weeks.good("sue", "POST", f"/progress-reports/{report}/verification", {"verdict": "return", "reason": "漏一户", "again_on": "2019-02-25"})
    assert (weeks.stand("clerk", "annexes")["state"], weeks.stand("clerk", "annexes")["due_on"]) == ("open", "2019-02-25")
    weeks.good("lee", "POST", f"/progress-reports/{report}/submission")
    told = weeks.told("lee", report)
    assert ([(one["no"], one["annex"], one["as_of"]) for one in told["annexes"]], told["late"]) == ([(1, 1, "2019-02-19"), (1, 2, "2019-02-19"), (2, 1, "2019-02-22"), (2, 2, "2019-02-22")], False)
    stands = weeks.stand("clerk", "summary_report")
    assert (stands["state"], stands["met_on"], stands["late"]) == ("met", "2019-02-19", False)
    # each submission is a snapshot of the ledger, with what has changed since the one before it
    snapshots = [one["snapshot_id"] for one in told["submissions"]]
    assert snapshots[0] != snapshots[1]
    kept = weeks.good("lee", "GET", f"/ledger/snapshots/{snapshots[0]}")
    assert (kept["unit"], kept["from"], kept["to"]) == (STREET, "2018-11-19", "2019-02-19")
    # on the pages
    lee, sue = Desk(app_of(bureau), "lee"), Desk(app_of(bureau), "sue")
    page = sue.text(f"/progress-reports/report/{report}")
    assert all(word in page for word in ("已入户12户", told["annexes"][2]["sha256"], "报送时已固定", "审核"))
    assert lee.get(f"/progress-reports/report/{report}/annex/1?no=1").data == first.data
    assert "annex/1" not in Desk(app_of(bureau), "auditor").text(f"/progress-reports/report/{report}")
    assert differences(bureau.office) == []


def test_a_report_on_its_pages(weeks):
    clerk, sue = Desk(app_of(weeks.bureau), "clerk"), Desk(app_of(weeks.bureau), "sue")
    write = f"/progress-reports/{weeks.campaign}/1/{STREET}"
    assert "第 1 期" in clerk.text("/progress-reports")
    assert clerk.post(write, {"unit": STREET, "period": "1", **TEXTS, "suggestions": ""}).status_code == 302
    [own] = [one["own"] for one in weeks.good("clerk", "GET", weeks.at_campaign("periods"))["items"] if one["number"] == 1]
    page = f"/progress-reports/report/{own['id']}"
    refused = clerk.post(f"{page}/submission", {}, page=page)
    assert (refused.status_code, "意见建议：报送前应当填写" in refused.get_data(as_text=True)) == (422, True)
    assert "人手不足" in clerk.text(write)
    assert clerk.post(write, {"unit": STREET, "period": "1", **TEXTS}).status_code == 302
    assert clerk.post(f"{page}/submission", {}, page=page).status_code == 302
    assert '作战进度 <span class="n">1</span>' in sue.text("/campaign")
    assert sue.post(f"{page}/verification", {"verdict": "return", "reason": "补充", "again_on": "2018-11-26"}).status_code == 302
    assert "应于 2018-11-26 前重新报送" in clerk.text(page)
    assert clerk.post(f"{page}/submission", {}, page=page).status_code == 302
    assert sue.post(f"{page}/verification", {"verdict": "accept"}).status_code == 302
    week = sue.text(f"/progress-reports/{weeks.campaign}/1")
    assert all(word in week for word in ("塘沽街道", "已接收", "报告合计", "1 / 2"))
    assert Desk(app_of(weeks.bureau), "stranger").get(page).status_code == 404
    assert "Progress report of period 1" in Desk(app_of(weeks.bureau), "clerk", "en").text(page)
