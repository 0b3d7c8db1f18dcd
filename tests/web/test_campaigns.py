"""The campaign's frame by API and on its pages: day n of 102, what is due, who is late, and all that is refused."""

from __future__ import annotations

import io
from datetime import date, timedelta
from types import SimpleNamespace

import pytest

from processes.campaign_obligations import KINDS, festival
from processes.rebuild import differences
from tests.api_roads import Roads
from tests.district import COMMUNITY, STREET
from tests.processes.test_import_annex1 import line, read, sheet
from tests.served import app_of
from tests.web.test_dispersed import ANSWERS, FINE
from tests.web.test_facilities import GOOD, HOME, PNG, STOVE
from tests.web.test_pages import Desk
from web.demo_campaign import Campaign
from web.importing import bring_in

OTHER = "120116005"
STAGES = [{"name": "动员部署", "start_on": "2018-11-19", "end_on": "2018-11-30", "goals": "层层动员"},
          {"name": "全面排查", "start_on": "2018-12-01", "end_on": "2019-01-31", "goals": "逐户排查"}]  # fmt: skip
HUNDRED = {"name": "精准救助百日会战", "paper": "津民发〔2018〕59号", "start_on": "2018-11-19", "end_on": "2019-02-28", "goals": "应保尽保", "stages": STAGES}
PART = {"unit": STREET, "leader": "王某", "deputy": "李某", "contact": "赵某 66000000", "staff_full": 2, "staff_part": 3, "office": True, "service_window": False, "equipment": [{"name": "电脑", "count": 2}]}
LACKS = {"unit": STREET, "kind": "staff", "what": "缺专职人员", "measure": "招聘", "responsible": "李某", "due_on": "2018-12-14"}


class Frame(Roads):
    def begun(self, **more):
        self.campaign = self.good("sue", "POST", "/campaigns", {**HUNDRED, **more})["campaign"]
        return self.campaign

    def at_campaign(self, what):
        return f"/campaigns/{self.campaign}/{what}"

    def stand(self, who, kind, unit=STREET):
        return next(one for one in self.good(who, "GET", self.at_campaign(f"standing?unit={unit}"))["items"] if one["kind"] == kind)

    def owed(self, kind):
        return next(one["id"] for one in self.good("sue", "GET", f"/campaigns/{self.campaign}")["obligations"] if one["kind"] == kind)


    def extra(self, level="street", due_on=None):
        """An obligation of this campaign alone: no part's records show it."""
        sent = {"level": level, "title": "报送材料", "proof": "材料"} | ({"due_on": due_on} if due_on else {})
        return self.good("sue", "POST", self.at_campaign("obligations"), sent)["id"]


@pytest.fixture
def frame(bureau, district):
    district.clock.set("2018-11-19T09:00")
    return Frame(bureau, district)


def test_the_days_of_the_paper_and_of_another_year():
    first, last = date(2018, 11, 19), date(2019, 2, 28)
    due = {kind: str(one.due(first, last)) for kind, one in KINDS.items() if one.due(first, last)}
    assert due == {"district_training": "2018-12-31", "festival_payment": "2019-02-03", "facility_inspection": "2019-02-03", "dispersed_visits": "2019-02-10",
                   "annexes": "2019-02-20", "summary_report": "2019-02-20"}  # fmt: skip
    assert festival(date(2019, 11, 18), date(2020, 2, 28)) == (date(2020, 1, 24), date(2020, 2, 2))
    assert KINDS["festival_payment"].due(date(2019, 11, 18), date(2020, 2, 28)) == date(2020, 1, 23)
    assert festival(date(2019, 3, 1), date(2019, 9, 1)) is None  # nothing is guessed where there is none
    assert KINDS["district_training"].due(date(2019, 3, 1), date(2019, 9, 1)) is None


def test_a_campaign_from_its_first_day_to_the_end(frame):
    number = frame.begun()
    told = frame.good("clerk", "GET", f"/campaigns/{number}")
    assert (told["days"], told["day"], told["days_left"], told["workdays_left"], told["phase"]) == (102, 1, 101, 69, "running")
    assert [one["current"] for one in told["stages"]] == [True, False]
    assert {one["level"] for one in told["duties"]} == {"district", "street", "community"}
    assert (told["units"], told["may"], told["report_weekday"], told["report_time"]) == ([STREET], [], 5, "17:00")
    assert frame.good("sue", "GET", f"/campaigns/{number}")["units"] == ["120116", STREET, OTHER]
    stage = told["stages"][0]["id"]
    # a unit's own part: met once the head is named and the running stage has its plan
    assert frame.stand("clerk", "organisation")["state"] == "open"
    frame.good("clerk", "POST", frame.at_campaign("parts"), PART)
    assert "动员部署" in frame.stand("clerk", "organisation")["zh"]
    frame.good("lee", "POST", frame.at_campaign("plans"), {"unit": STREET, "stage": stage, "plan": "逐户走访"})
    frame.good("lee", "POST", frame.at_campaign("plans"), {"unit": STREET, "stage": stage, "plan": "逐户走访，登记造册"})
    assert [one["plan"] for one in frame.good("rita", "GET", frame.at_campaign("plans"))["items"]] == ["逐户走访，登记造册"]
    assert (frame.stand("clerk", "organisation")["state"], frame.stand("clerk", "organisation")["met_on"]) == ("met", "2018-11-19")
    [part] = frame.good("officer", "GET", frame.at_campaign("parts"))["items"]
    assert (part["leader"], part["equipment"], part["service_window"], part["may"]) == ("王某", [{"name": "电脑", "count": 2}], False, True)
    # a shortfall is remedied by the unit and verified by the district
    lacking = frame.good("officer", "POST", frame.at_campaign("shortfalls"), LACKS)["id"]
    frame.at("2018-12-17T09:00")
    assert frame.stand("clerk", "organisation")["state"] == "open"  # the second stage has begun without a plan
    assert frame.good("sue", "GET", frame.at_campaign("shortfalls?state=open"))["items"][0]["late"] is True
    frame.good("clerk", "POST", f"/campaign-shortfalls/{lacking}/remedy", {"remedied_on": "2018-12-17", "remedy": "已到岗"})
    assert frame.bad(403, "clerk", "POST", f"/campaign-shortfalls/{lacking}/verification", {"verdict": "accept"})["rule"] == "role"
    assert list(frame.bad(422, "sue", "POST", f"/campaign-shortfalls/{lacking}/verification", {"verdict": "return"})["errors"]) == ["reason"]
    frame.good("sue", "POST", f"/campaign-shortfalls/{lacking}/verification", {"verdict": "return", "reason": "无合同"})
    assert frame.good("clerk", "GET", frame.at_campaign("shortfalls"))["items"][0]["may"] == ["remedy"]
    frame.good("clerk", "POST", f"/campaign-shortfalls/{lacking}/remedy", {"remedied_on": "2018-12-17", "remedy": "已签合同"})
    frame.good("sue", "POST", f"/campaign-shortfalls/{lacking}/verification", {"verdict": "accept"})
    frame.bad(409, "clerk", "POST", f"/campaign-shortfalls/{lacking}/remedy", {"remedied_on": "2018-12-17", "remedy": "再"})
    # an obligation without records of its own: entered with its proof, confirmed by the district
    visits = frame.extra(due_on="2019-02-10")
    done = {"unit": STREET, "done_on": "2018-12-16", "what": "走访12户", "proof": "走访台账"}
    proof = frame.good("officer", "POST", f"/campaign-obligations/{visits}/proofs", done)["id"]
    frame.bad(409, "officer", "POST", f"/campaign-obligations/{visits}/proofs", done)
    assert (frame.stand("sue", "other")["state"], frame.stand("sue", "other")["waiting"]) == ("open", True)
    assert frame.bad(403, "officer", "POST", f"/campaign-proofs/{proof}/verification", {"verdict": "accept"})["rule"] == "role"
    frame.good("sue", "POST", f"/campaign-proofs/{proof}/verification", {"verdict": "return", "reason": "缺签字"})
    assert "缺签字" in frame.stand("clerk", "other")["zh"]
    frame.at("2019-02-11T08:00")
    assert frame.stand("clerk", "other")["state"] == "late"
    late = next(one for one in frame.good("sue", "GET", frame.at_campaign("standing"))["obligations"] if one["kind"] == "other")
    assert (late["late"], late["late_units"], late["met"]) == (2, [STREET, OTHER], 0)
    again = frame.good("officer", "POST", f"/campaign-obligations/{visits}/proofs", done)["id"]
    frame.good("sue", "POST", f"/campaign-proofs/{again}/verification", {"verdict": "accept"})
    stands = frame.stand("clerk", "other")
    assert (stands["state"], stands["met_on"], stands["late"]) == ("met", "2018-12-16", False)
    # other streets see their own, the whole stays what the records say
    assert [one["unit"] for one in frame.good("stranger", "GET", frame.at_campaign("parts"))["items"]] == [OTHER]
    assert frame.good("vera", "GET", f"/campaigns/{number}")["units"] == [STREET]
    frame.at("2019-02-28T08:00")
    assert (frame.good("vera", "GET", f"/campaigns/{number}")["day"], frame.good("vera", "GET", "/campaigns?phase=running")["total"]) == (102, 1)
    frame.at("2019-03-01T08:00")
    assert frame.good("vera", "GET", f"/campaigns/{number}")["phase"] == "over"
    assert frame.stand("clerk", "organisation")["state"] == "late"  # what has no day of its own is owed until the end
    assert differences(frame.bureau.office) == []


def test_what_is_refused_changes_nothing(frame):
    def wrong(status, who, path, said, *errors):
        told = frame.bad(status, who, "POST", path, said)
        assert (sorted(told["errors"]) == sorted(errors)) if status == 422 else (told.get("rule") in (errors or (None,)))

    for who in ("clerk", "auditor", "admin", "exam", "vera"):
        wrong(403, who, "/campaigns", HUNDRED, "role")
    wrong(422, "sue", "/campaigns", {**HUNDRED, "end_on": "2018-11-18"}, "end_on")
    wrong(422, "sue", "/campaigns", {**HUNDRED, "start_on": "2018-02-30"}, "start_on")
    wrong(422, "sue", "/campaigns", {**HUNDRED, "end_on": "2199-01-01"}, "end_on")
    wrong(422, "sue", "/campaigns", {**HUNDRED, "units": "120116999, x"}, "units")
    wrong(422, "sue", "/campaigns", {**HUNDRED, "report_weeks": 0}, "report_weeks")
    wrong(422, "sue", "/campaigns", {**HUNDRED, "report_time": "25:00"}, "report_time")
    wrong(422, "sue", "/campaigns", {**HUNDRED, "stages": [STAGES[0], {**STAGES[1], "start_on": "2018-11-30"}]}, "stages.1.start_on")
    wrong(422, "sue", "/campaigns", {**HUNDRED, "stages": [{**STAGES[0], "start_on": "2018-11-18"}]}, "stages.0.start_on")
    wrong(422, "sue", "/campaigns", {**HUNDRED, "stages": [{**STAGES[0], "end_on": "2018-11-18"}]}, "stages.0.end_on")
    assert frame.good("sue", "GET", "/campaigns")["total"] == 0
    number = frame.begun(units="１２０１１６００１，" + COMMUNITY)
    assert frame.good("sue", "GET", f"/campaigns/{number}")["units"] == ["120116", STREET, COMMUNITY]
    wrong(409, "sue", "/campaigns", {**HUNDRED, "start_on": "2019-02-28", "end_on": "2019-05-01", "stages": []})
    one, stages = f"/campaigns/{number}", [row["id"] for row in frame.good("sue", "GET", f"/campaigns/{number}")["stages"]]
    wrong(422, "sue", f"{one}/stages", {**STAGES[0], "start_on": "2019-01-31", "end_on": "2019-02-10"}, "start_on")
    wrong(422, "sue", f"{one}/stages", {**STAGES[0], "start_on": "2019-02-01", "end_on": "2019-03-01"}, "end_on")
    wrong(422, "sue", f"/campaign-stages/{stages[0]}", {**STAGES[0], "end_on": "2018-12-01"}, "start_on")
    wrong(403, "sue", f"{one}/amendment", {key: HUNDRED[key] for key in ("name", "paper", "start_on", "goals")} | {"end_on": "2019-01-30"}, "outside")
    wrong(422, "sue", f"{one}/obligations", {"level": "street", "title": "公布电话", "due_on": "2019-03-01", "proof": "照片"}, "due_on")
    wrong(403, "clerk", f"{one}/stages", STAGES[0], "role")
    for code in ("120116777", "120116", f"{OTHER},{COMMUNITY}"):
        wrong(422, "sue", f"{one}/units", {"unit": code}, "unit")
    wrong(409, "sue", f"{one}/units", {"unit": STREET})
    added = frame.good("sue", "POST", f"{one}/units", {"unit": OTHER})["id"]
    frame.good("sue", "POST", f"/campaign-units/{added}/removal")
    assert frame.good("sue", "POST", f"{one}/units", {"unit": OTHER})["id"] == added
    frame.good("sue", "POST", f"/campaign-units/{added}/removal")
    # each unit its own part
    for said, errors in (({"leader": ""}, ["leader"]), ({"leader": None}, ["leader"]), ({"staff_full": -1}, ["staff_full"]), ({"staff_full": 100000}, ["staff_full"]), ({"unit": "999"}, ["unit"]),
                         ({"unit": OTHER}, ["unit"]), ({"equipment": [{"name": "电脑", "count": 0}]}, ["equipment.0.count"]), ({"equipment": [{"name": "电脑", "count": 1}] * 2}, ["equipment.1.name"])):  # fmt: skip
        wrong(422, "clerk", f"{one}/parts", {**PART, **said}, *errors)
    wrong(422, "clerk", f"{one}/parts", {key: value for key, value in PART.items() if key != "leader"}, "leader")
    for who in ("stranger", "sue", "auditor", "vera", "rita"):
        wrong(403, who, f"{one}/parts", PART, "unit")
    wrong(403, "clerk", f"{one}/parts", {**PART, "unit": "120116"}, "unit")
    frame.good("vera", "POST", f"{one}/parts", {**PART, "unit": COMMUNITY})
    wrong(422, "clerk", f"{one}/shortfalls", {**LACKS, "due_on": "2018-11-18"}, "due_on")
    wrong(422, "clerk", f"{one}/shortfalls", {**LACKS, "due_on": "2019-03-01"}, "due_on")
    wrong(422, "clerk", f"{one}/shortfalls", {**LACKS, "responsible": ""}, "responsible")
    wrong(422, "clerk", f"{one}/plans", {"unit": STREET, "stage": number, "plan": "x"}, "stage")
    # proofs: not for what the records show, not of another level, not of a day to come
    done = {"unit": STREET, "done_on": "2018-11-19", "what": "x", "proof": "y"}
    wrong(403, "clerk", f"/campaign-obligations/{frame.owed('organisation')}/proofs", done, "by-facts")
    for kind in ("district_training", "own_training", "facility_inspection", "dispersed_visits"):
        assert next(row for row in frame.good("sue", "GET", one)["obligations"] if row["kind"] == kind)["facts"] is True
    of_street, of_district = frame.extra(), frame.extra("district")
    wrong(422, "clerk", f"/campaign-obligations/{of_street}/proofs", {**done, "done_on": "2018-11-20"}, "done_on")
    wrong(422, "clerk", f"/campaign-obligations/{of_street}/proofs", {**done, "done_on": "2018-11-18"}, "done_on")
    # who keeps the campaign may enter the district's own, and may not confirm it himself
    wrong(422, "clerk", f"/campaign-obligations/{of_district}/proofs", done, "unit")
    own = frame.good("sue", "POST", f"/campaign-obligations/{of_district}/proofs", {**done, "unit": "120116"})["id"]
    wrong(403, "sue", f"/campaign-proofs/{own}/verification", {"verdict": "accept"}, "own-entry")
    for path in ("/campaigns/999", "/campaigns/999/standing", f"{one}/parts?unit={OTHER}", f"{one}/parts?unit=120116"):
        frame.bad(404, "clerk", "GET", path)
    # what is taken out is owed no more; a closed campaign takes no more entries, and another one may begin
    told = frame.good("sue", "GET", one)
    frame.good("sue", "POST", f"/campaign-obligations/{frame.owed('own_training')}/removal")
    frame.good("sue", "POST", f"/campaign-duties/{told['duties'][0]['id']}/removal")
    frame.bad(409, "sue", "POST", f"/campaign-duties/{told['duties'][0]['id']}/removal")
    left = frame.good("sue", "GET", one)
    assert (len(left["duties"]), "own_training" in {row["kind"] for row in left["obligations"]}) == (2, False)
    frame.good("sue", "POST", f"{one}/closure", {"reason": "重新部署"})
    wrong(409, "clerk", f"{one}/parts", PART)
    wrong(409, "sue", "/campaigns", {**HUNDRED, "stages": []})  # it has run today
    for first, last in (("1918-11-20", "1919-02-28"), ("2118-11-19", "2119-02-28")):
        assert set(frame.bad(422, "sue", "POST", "/campaigns", {**HUNDRED, "start_on": first, "end_on": last, "stages": []})["errors"]) == {"start_on", "end_on"}
    frame.good("sue", "POST", "/campaigns", {**HUNDRED, "start_on": "2018-11-20", "stages": []})
    assert differences(frame.bureau.office) == []


def test_the_same_acts_on_the_pages(frame):
    sue, clerk = Desk(app_of(frame.bureau), "sue"), Desk(app_of(frame.bureau), "clerk")
    assert "本区还没有启动专项行动" in clerk.text("/campaign")
    sent = {key: value for key, value in HUNDRED.items() if key != "stages"} | {f"stages-{n}-{key}": value for n, one in enumerate(STAGES) for key, value in one.items()}
    assert sue.post("/campaign/new", sent).status_code == 302
    assert clerk.post("/campaign/new", sent).status_code == 403
    page = clerk.text("/campaign")
    assert "第 1 天 / 共 102 天" in page
    number = frame.campaign = frame.good("sue", "GET", "/campaigns")["items"][0]["id"]
    mine = f"/campaign/{number}/units/{STREET}"
    sent = {key: str(value).lower() if isinstance(value, bool) else value for key, value in PART.items() if key not in ("equipment", "unit")}
    assert clerk.post(f"{mine}/part", {**sent, "unit": STREET, "equipment-0-name": "电脑", "equipment-0-count": "２"}).status_code == 302
    stage = frame.good("sue", "GET", f"/campaigns/{number}")["stages"][0]["id"]
    assert clerk.post(f"{mine}/plan?stage={stage}", {"unit": STREET, "stage": stage, "plan": "逐户走访"}).status_code == 302
    assert clerk.post(f"{mine}/shortfall", {**LACKS, "due_on": "2018-11-20"}).status_code == 302
    assert clerk.post(f"{mine}/shortfall", {**LACKS, "due_on": "2019-03-20"}).status_code == 422
    page = clerk.text(mine)
    assert all(word in page for word in ("王某", "电脑 × 2", "逐户走访", "缺专职人员", "待补齐"))
    assert clerk.get(f"/campaign/{number}/units/{OTHER}").status_code == 404
    frame.at("2018-11-21T09:00")
    owed = frame.extra()
    assert clerk.post(f"/campaign/proof/{owed}?unit={STREET}", {"unit": STREET, "done_on": "2018-11-20", "what": "培训", "proof": "签到表"}).status_code == 302
    page = sue.text("/campaign")
    assert all(word in page for word in ("逾期未补齐的短板", "待您核实", "签到表"))
    [proof] = frame.good("sue", "GET", f"/campaigns/{number}/proofs")["items"]
    assert sue.post(f"/campaign/judgement/{proof['id']}", {"verdict": "accept"}).status_code == 302
    assert frame.stand("clerk", "other")["state"] == "met"
    assert sue.post(f"/campaign/{number}/new/duty", {"level": "street", "duty": "公布电话"}).status_code == 302
    page = sue.text(f"/campaign/{number}/duties")
    assert all(word in page for word in ("公布电话", "受理主体责任", "2019-02-20"))
    duty = frame.good("sue", "GET", f"/campaigns/{number}")["duties"][-2]["id"]
    assert sue.post(f"/campaign/duty/{duty}/removal", {}, page=f"/campaign/{number}/duties").status_code == 302
    assert "王某" in sue.text(f"/campaign/{number}/units")
    assert sue.post(f"/campaign/{number}/new/amendment", {key: HUNDRED[key] for key in ("name", "paper", "start_on", "end_on", "goals")} | {"report_weeks": "2"}).status_code == 302
    assert frame.good("clerk", "GET", f"/campaigns/{number}")["report_weeks"] == 2
    assert "Day 3 of 102" in Desk(app_of(frame.bureau), "clerk", "en").text("/campaign")


def test_the_demo_lives_through_the_campaign_and_leaves_something_late(frame):
    people = frame.district.people
    small = SimpleNamespace(made=frame.bureau, streets=[(STREET, COMMUNITY), (OTHER, OTHER + "001")], by_role=lambda role, unit: [one for one in people.values() if one.holds(role, unit)])
    made, day = Campaign(), date(2018, 11, 19)
    made.begin(small)
    while day <= date(2019, 2, 28):
        frame.clock.set(f"{day}T16:00")
        made.day(small, day)
        day += timedelta(days=1)
    frame.campaign = made.id
    assert (frame.stand("clerk", "organisation")["state"], frame.stand("stranger", "organisation", OTHER)["state"]) == ("met", "met")
    assert [one["state"] for one in frame.good("sue", "GET", frame.at_campaign("shortfalls"))["items"]] == ["open"]
    assert frame.stand("sue", "festival_payment")["state"] == "late"
    found = frame.good("sue", "GET", frame.at_campaign("periods"))["items"]
    assert (sum(one["states"]["accepted"] for one in found) >= 1, any(one["states"]["returned"] for one in found), found[-1]["kind"]) == (True, True, "summary")
    assert (frame.stand("clerk", "progress_report")["state"], frame.stand("stranger", "progress_report", OTHER)["state"]) == ("late", "open")


def test_what_other_parts_records_show_is_met_by_them_alone(frame, district):
    home = next(iter(bring_in(frame.bureau, read(district, sheet(line(救助类别="特困（分散）", 保障金额=1780)), "officer", **ANSWERS), district.people["officer"]).homes.values()))
    frame.begun()
    def state(kind, unit=STREET):
        found = frame.stand("sue", kind, unit)
        return found["state"], found["met_on"], found["late"]
    assert [state(*one) for one in (("own_training",), ("district_training", "120116"), ("facility_inspection", "120116"), ("dispersed_visits",))] == [("open", None, False)] * 4
    assert state("dispersed_visits", OTHER) == ("met", None, False), "nobody lives there who is to be visited"
    # training, as the register has it
    frame.at("2019-01-03T09:00")
    for level, unit, who, held in (("street", STREET, "officer", "2018-12-05"), ("district", "120116", "sue", "2019-01-02")):
        frame.good(who, "POST", "/training", {"level": level, "unit": unit, "title": "培训", "held_on": held, "place": "会议室", "trainer": "救助科", "topics": ["policy"]})
    assert state("own_training") == ("met", "2018-12-05", False)
    assert state("district_training", "120116") == ("met", "2019-01-02", True), "after the year's end"
    # visits
    frame.good("officer", "POST", "/dispersed-visits", FINE | {"household_id": home, "visited_on": "2019-01-03"})
    assert state("dispersed_visits") == ("met", "2019-01-03", False)
    # inspections: an overdue hazard blocks what was met, until it is verified
    facility = frame.good("spot", "POST", "/facilities", HOME)["facility"]
    assert frame.stand("sue", "facility_inspection", "120116")["zh"] == "未完成检查的机构1家，逾期未整改的隐患0处"
    made = frame.good("spot", "POST", f"/facilities/{facility}/inspections", {"inspected_on": "2019-01-03", "inspectors": "exam", "items": [*GOOD, STOVE]})
    frame.good("exam", "POST", f"/inspections/{made['inspection']}/confirmation")
    assert state("facility_inspection", "120116") == ("met", "2019-01-03", False)
    frame.at("2019-01-21T09:00")
    assert state("facility_inspection", "120116")[0] == "open"
    photo = frame.good("officer", "POST", "/attachments", data={"file": (io.BytesIO(PNG), "p.png"), "unit": STREET}, content_type="multipart/form-data")["id"]
    frame.good("officer", "POST", f"/hazards/{made['hazards'][0]}/verification", {"verified_on": "2019-01-21", "outcome": "fixed", "seen": "已装", "photo": photo})
    assert state("facility_inspection", "120116") == ("met", "2019-01-21", False)
    frame.at("2019-02-04T09:00")
    frame.good("spot", "POST", "/facilities", HOME | {"name": "另一家"})
    assert state("facility_inspection", "120116") == ("late", None, True)
    done = {"unit": "120116", "done_on": "2019-02-04", "what": "x", "proof": "y"}
    assert frame.bad(403, "sue", "POST", f"/campaign-obligations/{frame.owed('facility_inspection')}/proofs", done)["rule"] == "by-facts"
