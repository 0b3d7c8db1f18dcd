"""The screening (domain 1.1), and the annexes that it fills (1.22, 1.23): through the API and on the pages."""

from __future__ import annotations

import io

import pytest
from openpyxl import load_workbook

from processes import annexes, households, organisation
from processes import screening as screenings
from processes.import_annex1 import HEADINGS
from processes.rebuild import differences
from processes.screening_tables import screening
from tests.district import COMMUNITY, PASSWORD, STREET, paper
from tests.processes.test_import_annex1 import NUMBER, line, read, sheet
from tests.web.test_api import Door
from tests.web.test_pages import Desk, rows
from web.annexes import XLSX
from web.importing import bring_in

ANSWERS = {"hukou_kind": "urban", "review_class": "B", "first_payment_month": "2018-01"}
NAMED = {"申请人": "何甲", "家庭收入": 300.5, "家庭财产": "12000.00元", "保障金额": 619.5, "备注": "1.另享受：医疗救助；2.保障后仍有困难：否；3.近亲属享受社会救助：否"}
VISIT = {"population": "in_benefit", "visited_on": "2018-12-03", "second_visitor": "vera", "met_person": "户主", "causes": ["illness", "lack_labour"], "assistance": ["medical", "heating"],
         "result": "true", "still_hardship": True, "hardship_text": "大病自费", "relative_of_staff": False, "relatives_on_assistance": False}  # fmt: skip
FINDINGS = [{"kind": "policy_not_implemented", "text": "未享受取暖补贴", "due_on": "2018-12-10"}, {"kind": "outstanding_hardship", "text": "大病自费", "referred_to": "慈善协会"}]


@pytest.fixture
def home(bureau, district):
    """A household brought over from a list: in benefit since January."""
    return next(iter(bring_in(bureau, read(district, sheet(line(**NAMED)), "officer", **ANSWERS), district.people["officer"]).homes.values()))


@pytest.fixture
def door(bureau, district):
    with district.office.act() as act:
        organisation.add_staff(act, "grid", "格某", PASSWORD, [("grid_worker", COMMUNITY)])
        organisation.add_staff(act, "vol", "志某", PASSWORD, [("volunteer", COMMUNITY)])
    return Door(bureau, district)


def visited(door, home, who="officer", by="vera", **more):
    made = door.good(who, "POST", "/screenings", VISIT | {"household_id": home, "second_visitor": by} | more)
    door.good(by, "POST", f"/screenings/{made['screening']}/confirmation")
    return made


def test_two_visit_each_answers_and_findings_are_put_right(door, district, home):
    made = door.good("officer", "POST", "/screenings", VISIT | {"household_id": home, "findings": FINDINGS})
    one = f"/screenings/{made['screening']}"
    whole = {"community": COMMUNITY, "in_benefit": {"to_screen": 1, "screened": 0, "percent": 0.0}, "refused_2018": {"to_screen": 0, "screened": 0, "percent": None}, "elsewhere": 0}
    assert door.good("sue", "GET", "/screenings/coverage")["communities"] == [whole]
    assert [row["household_id"] for row in door.good("sue", "GET", f"/screenings/missing?unit={COMMUNITY}")["items"]] == [home]
    assert door.bad(403, "ann", "POST", f"{one}/confirmation")["rule"] == "second-visitor"
    assert door.good("vera", "GET", one)["may"] == ["confirm"]
    assert door.good("vera", "POST", f"{one}/confirmation") == {"screening": made["screening"], "state": "confirmed", "lead": None}
    door.bad(409, "vera", "POST", f"{one}/confirmation")
    assert door.good("sue", "GET", f"/screenings/coverage?unit={STREET}")["communities"] == [whole | {"in_benefit": {"to_screen": 1, "screened": 1, "percent": 100.0}}]
    assert door.good("sue", "GET", "/screenings/missing")["total"] == 0
    assert door.good("sue", "GET", "/screenings/coverage?since=2018-12-04")["communities"] == [whole]
    told = door.good("rita", "GET", one)
    assert [(f["kind"], f["due_on"], f["referred_to"], f["late"]) for f in told["findings"]] == [
        ("policy_not_implemented", "2018-12-10", None, False), ("outstanding_hardship", None, "慈善协会", False)]  # fmt: skip
    district.clock.advance(days=8)
    first = door.good("rita", "GET", one)["findings"][0]
    assert first["late"] and first["may"] == ["rectify"]
    fixed = f"/screening-findings/{first['id']}/rectification"
    assert "done_on" in door.bad(422, "rita", "POST", fixed, {"done_on": "2018-12-02", "text": "补发"})["errors"]
    assert "done_on" in door.bad(422, "rita", "POST", fixed, {"done_on": "2018-12-12", "text": "补发"})["errors"]
    door.bad(404, "stranger", "POST", fixed, {"done_on": "2018-12-10", "text": "补发"})
    assert door.bad(403, "auditor", "POST", fixed, {"done_on": "2018-12-10", "text": "补发"})["rule"] == "rectifier"
    door.good("rita", "POST", fixed, {"done_on": "2018-12-10", "text": "补发"})
    door.bad(409, "rita", "POST", fixed, {"done_on": "2018-12-10", "text": "补发"})
    assert door.good("rita", "GET", "/screenings?finding=open")["total"] == 1
    checked = f"/screening-findings/{first['id']}/verification"
    assert door.bad(403, "rita", "POST", checked, {"verdict": "verified"})["rule"] == "own-rectification"
    assert door.bad(403, "clerk", "POST", checked, {"verdict": "verified"})["rule"] == "rectification-checker"
    assert "text" in door.bad(422, "lee", "POST", checked, {"verdict": "returned"})["errors"]
    door.good("lee", "POST", checked, {"verdict": "returned", "text": "没有凭证"})
    assert [(f["id"], f["sent_back"], f["done_on"]) for f in door.good("rita", "GET", "/screening-findings?list=overdue")["items"]] == [(first["id"], 1, None)]
    other = paper(district, "clerk", district.household(serial=6))
    assert "proof_id" in door.bad(422, "rita", "POST", fixed, {"done_on": "2018-12-11", "text": "补发", "proof_id": other})["errors"]
    assert "outcome" in door.bad(422, "rita", "POST", fixed, {"done_on": "2018-12-11", "text": "补发", "outcome": "helped"})["errors"]
    door.good("rita", "POST", fixed, {"done_on": "2018-12-11", "text": "补发", "proof_id": paper(district, "clerk", home)})
    door.good("lee", "POST", checked, {"verdict": "verified"})
    door.bad(409, "lee", "POST", checked, {"verdict": "verified"})
    assert [f["state"] for f in door.good("sue", "GET", "/screening-findings?list=verified")["items"]] == ["verified"]
    help_ = f"/screening-findings/{door.good('rita', 'GET', one)['findings'][1]['id']}/rectification"
    assert "outcome" in door.bad(422, "rita", "POST", help_, {"done_on": "2018-12-11", "text": "送医药费 2000 元"})["errors"]
    door.good("rita", "POST", help_, {"done_on": "2018-12-11", "text": "送医药费 2000 元", "outcome": "partly"})
    assert door.good("stranger", "GET", "/screening-findings")["total"] == 0
    assert differences(district.office) == []


def test_what_a_visit_found_waits_in_the_lists_until_somebody_else_has_verified_it(door, district, home):
    wrong = {"kind": "unlawful_benefit", "text": "儿子已就业，收入未申报", "due_on": "2018-12-09"}  # a Sunday: the day said is the day
    once = {"headers": {"Idempotency-Key": "visit"}}
    sent = VISIT | {"household_id": home, "findings": [wrong, wrong, FINDINGS[1]]}
    made = door.good("officer", "POST", "/screenings", sent, **once)
    assert door.good("officer", "POST", "/screenings", sent, **once) == made
    seen = lambda n: door.good("officer", "GET", f"/screenings/{made['screening']}")["findings"][n]  # noqa: E731
    first, second, third = (seen(n)["case_no"] for n in range(3))

    def waits(who):
        return {(t["case"], t["node"]): t for t in door.good(who, "GET", "/tasks?view=available&process=screening")["items"]}

    assert {key: t["due_on"] for key, t in waits("officer").items()} == {(first, "put_right"): "2018-12-09", (second, "put_right"): "2018-12-09", (third, "social_help"): None}
    report = {"household_id": home, "kind": "other", "event_on": "2018-12-03", "reported_on": "2018-12-03", "channel": "visit", "reported_by": "household", "details": "已就业"}
    door.good("clerk", "POST", "/cases", {"process": "change-report-2012", "answers": report})  # a finding stands beside every other case
    district.clock.advance(days=7)
    door.bureau.jobs.run_all()
    task = waits("officer")[first, "put_right"]
    assert (task["card"], task["flags"]) == ("red", "late")
    do = lambda who, no, **said: door.call(who, "POST", f"/tasks/{district.tasks(no)[said.pop('node')]['id']}/complete", {"answers": said})  # noqa: E731
    assert "done_on" in do("officer", first, node="put_right", done_on="2018-12-02", text="x").json["errors"]
    assert do("officer", first, node="put_right", done_on="2018-12-10", text="本月已核减").status_code == 200
    assert (seen(0)["state"], seen(0)["done_by"], seen(0)["may"]) == ("done", "officer", [])
    assert do("officer", first, node="verify_rectification", verdict="verified").json["rule"] == "own-rectification"
    assert "text" in do("lee", first, node="verify_rectification", verdict="returned").json["errors"]
    assert do("lee", first, node="verify_rectification", verdict="returned", text="没有凭证").status_code == 200
    assert (seen(0)["state"], seen(0)["sent_back"], "returned" in waits("officer")[first, "put_right"]["flags"].split()) == ("open", 1, True)
    where = f"/screening-findings/{seen(0)['id']}"
    again = {"headers": {"Idempotency-Key": "again"}}
    for _ in range(2):  # in no list of hers, but hers to say: the verb does the case's task
        assert door.good("rita", "POST", f"{where}/rectification", {"done_on": "2018-12-10", "text": "走访时看错"} | {"unfounded": True}, **again)["state"] == "done"
    assert do("rita", first, node="verify_rectification", verdict="verified").json["rule"] == "own-rectification"
    assert do("clerk", first, node="verify_rectification", verdict="verified").json["rule"] == "role"
    assert door.good("officer", "POST", f"{where}/verification", {"verdict": "verified"})["state"] == "verified"
    assert (door.good("sue", "GET", f"/cases/{first}")["outcome"], seen(0)["unfounded"]) == ("ended_unfounded", True)
    assert "outcome" in do("officer", third, node="social_help", done_on="2018-12-10", text="送医药费").json["errors"]
    assert do("officer", third, node="social_help", done_on="2018-12-10", text="送医药费", outcome="helped").status_code == 200
    assert do("lee", third, node="verify_rectification", verdict="verified").status_code == 200
    page = Desk(door.app, "lee").text(f"/tasks/{district.tasks(second)['put_right']['id']}")
    assert "儿子已就业" in page
    assert "2018-12-09" in page
    assert door.good("auditor", "GET", f"/cases/{first}/replay")["result"] == "same"
    assert differences(district.office) == []


def test_findings_from_before_there_was_a_process_are_finished_as_they_were_or_taken_into_it(door, district, home):
    said = {**VISIT, "household_id": home, "findings": [FINDINGS[0], FINDINGS[0]]}
    with district.office.act(district.people["officer"]) as act:  # as it was written then
        made = screenings.enter(district.cases, act, households.row(act.conn, home), said, district.people["officer"], district.people["vera"])
    old, taken = (f["id"] for f in door.good("officer", "GET", f"/screenings/{made['screening']}")["findings"])
    door.good("rita", "POST", f"/screening-findings/{old}/rectification", {"done_on": "2018-12-03", "text": "补发"})
    begin = lambda finding, who="officer": door.call(who, "POST", "/cases", {"process": "screening", "answers": {"finding_id": finding}})  # noqa: E731
    assert begin(old).status_code == 409
    door.good("lee", "POST", f"/screening-findings/{old}/verification", {"verdict": "verified"})
    assert [begin(taken, who).status_code for who in ("rita", "officer", "officer")] == [403, 201, 409]
    assert begin(10**9).status_code == 403
    door.good("rita", "POST", f"/screening-findings/{taken}/rectification", {"done_on": "2018-12-03", "text": "补发"})
    door.good("lee", "POST", f"/screening-findings/{taken}/verification", {"verdict": "verified"})
    assert [(f["state"], bool(f["case_no"])) for f in door.good("officer", "GET", f"/screenings/{made['screening']}")["findings"]] == [("verified", False), ("verified", True)]
    assert differences(district.office) == []


def test_what_is_no_visit_is_refused_and_nothing_is_written(door, district, home):
    for sent, wrong in (
        ({"second_visitor": "officer"}, "second_visitor"), ({"second_visitor": "nobody"}, "second_visitor"), ({"second_visitor": "vol"}, "second_visitor"), ({"second_visitor": "stranger"}, "second_visitor"),
        ({"visited_on": "2018-12-04"}, "visited_on"), ({"visited_on": "2017-11-01"}, "visited_on"), ({"causes": []}, "causes"), ({"causes": ["x"]}, "causes.0"), ({"hardship_text": ""}, "hardship_text"),
        ({"result": "changed"}, "result_text"), ({"qualifies": True}, "qualifies"), ({"population": "elderly"}, "qualifies"), ({"population": "elderly", "qualifies": False}, "population"),
        ({"population": "refused_2018", "qualifies": False}, "population"), ({"findings": [{"kind": "unlawful_benefit", "text": "x"}]}, "findings.0.due_on"),
        ({"findings": [{"kind": "unlawful_benefit", "text": "x", "due_on": "2018-12-01"}]}, "findings"), ({"findings": [{"kind": "outstanding_hardship", "text": "x"}]}, "findings.0.referred_to")):  # fmt: skip
        assert wrong in door.bad(422, "officer", "POST", "/screenings", VISIT | {"household_id": home} | sent)["errors"], sent
    lacking = {name: value for name, value in VISIT.items() if name != "second_visitor"} | {"household_id": home}
    assert "second_visitor" in door.bad(422, "officer", "POST", "/screenings", lacking)["errors"]
    door.bad(404, "officer", "POST", "/screenings", VISIT | {"household_id": 999_999})
    door.bad(404, "stranger", "POST", "/screenings", VISIT | {"household_id": home})
    assert door.bad(403, "rita", "POST", "/screenings", VISIT | {"household_id": home})["rule"] == "visitor"
    other = district.household(110_000, serial=5)
    assert "population" in door.bad(422, "officer", "POST", "/screenings", VISIT | {"household_id": other})["errors"]
    assert rows(door.bureau, screening) == 0


def test_who_qualifies_is_a_lead_that_counts(door, district):
    other = district.household(110_000, serial=5)
    made = visited(door, other, "ann", "grid", population="disabled", qualifies=True, causes=["disability"], result_text="重度残疾")
    lead = door.good("officer", "GET", f"/leads/{made['lead']}")
    assert (lead["household_id"], lead["hardship"], lead["found_by"], lead["finder_login"]) == (other, "disability", "grid_worker", "grid")
    assert "重度残疾" in lead["reason"]
    door.good("officer", "POST", f"/leads/{made['lead']}/verification", {"outcome": "help_apply", "note": "属实"})
    district.clock.advance(minutes=5)
    assert door.good("clerk", "POST", f"/leads/{made['lead']}/application", {"case_no": district.apply(other)})["counts"] is True
    again = visited(door, other, "ann", "bob", population="disabled", qualifies=True)
    assert door.good("officer", "GET", f"/leads/{again['lead']}")["found_by"] == "street_staff"
    assert door.good("sue", "GET", "/screenings/coverage")["communities"][0]["elsewhere"] == 1
    assert differences(district.office) == []


def test_the_application_begins_from_the_visit(door, district):
    other = district.household(110_000, serial=5)
    made = door.good("ann", "POST", "/screenings", VISIT | {"household_id": other, "second_visitor": "grid", "population": "disabled", "qualifies": True})
    where, sent = f"/screenings/{made['screening']}/application", {"process": "dibao-2012", "answers": {"programme": "dibao", "applied_on": "2018-12-03", "applied_by": "head", "reason": "困难"}}
    district.clock.advance(minutes=5)
    assert door.bad(403, "clerk", "POST", where, sent)["rule"] == "visit-qualifies"
    door.good("grid", "POST", f"/screenings/{made['screening']}/confirmation")
    assert door.bad(403, "clerk", "POST", where, sent | {"process": "review-2012"})["rule"] == "no-application"
    assert "household_id" in door.bad(422, "clerk", "POST", where, sent | {"answers": sent["answers"] | {"household_id": other + 1}})["errors"]
    door.bad(404, "stranger", "POST", where, sent)
    assert door.good("clerk", "GET", f"/screenings/{made['screening']}")["may"] == ["apply"]
    case = door.good("clerk", "POST", where, sent, headers={"Idempotency-Key": "once"})["case"]
    assert door.good("clerk", "POST", where, sent, headers={"Idempotency-Key": "once"})["case"] == case
    door.bad(409, "clerk", "POST", where, sent)
    lead = door.good("officer", "GET", f"/leads/{made['lead']}")
    assert (lead["state"], lead["case_no"], lead["counts"], lead["verified_by"]) == ("applied", case, True, "clerk")
    assert door.good("clerk", "GET", f"/screenings/{made['screening']}")["case_no"] == case
    assert differences(district.office) == []


def cells(door, number, who="officer", **asked):
    query = "&".join(f"{name}={value}" for name, value in asked.items())
    answer = door.call(who, "GET", f"/annexes/{number}.xlsx?{query}")
    assert answer.status_code == 200, answer.json
    return answer.data, load_workbook(io.BytesIO(answer.data)).active


def test_annex_1_as_printed_and_brought_in_again(door, district, home):
    raw, paper = cells(door, 1, full="true")
    assert [paper.cell(4, n).value for n in range(1, 14)] == list(HEADINGS)
    assert paper["A2"].value == "滨海新区社会救助家庭排查情况统计表（在保）"
    assert [paper.cell(5, n).value for n in range(1, 14)] == [1, "何甲", NUMBER, 1, "塘沽街道", "紫云园社区", 300.5, "12000.00元", "低保", 619.5, "因病", "属实", NAMED["备注"]]
    assert paper["C5"].number_format == "@"
    assert "近亲属" in paper["A6"].value
    listed, again = read(district, sheet(line(**NAMED)), "officer").rows, read(district, raw, "officer").rows
    assert [row.data for row in again] == [row.data for row in listed]
    assert [(row.state, row.errors) for row in again] == [("known", {})]
    visited(door, home, result="changed", result_text="=SUM(A1)")
    paper = cells(door, 1, full="true")[1]
    assert [paper.cell(5, n).value for n in (11, 12, 13)] == [
        "因病、缺乏劳动力", "情况有变化（=SUM(A1)）", "1.另享受：医疗救助、取暖补贴；2.保障后仍有困难：是（大病自费）；3.近亲属享受社会救助：否"]  # fmt: skip
    assert [row.errors for row in read(district, cells(door, 1, full="true")[0], "officer").rows] == [{}]


def test_an_annex_is_masked_unless_it_is_one_s_work(door, district, home):
    visited(door, home)
    paper = cells(door, 1, "auditor")[1]
    assert [paper.cell(5, n).value for n in (2, 3, 11, 12, 13)] == ["何*", NUMBER[:4] + "*" * 10 + NUMBER[-4:], annexes.HIDDEN, "属实", "1.另享受：有；2.保障后仍有困难：是；3.近亲属享受社会救助：否"]
    assert door.bad(403, "auditor", "GET", "/annexes/1?full=true")["rule"] == "annex-full"
    assert door.bad(403, "vera", "GET", "/annexes/1?full=true")["rule"] == "annex-full"
    assert door.bad(403, "admin", "GET", "/annexes/1")["rule"] == "annex"
    door.bad(404, "stranger", "GET", f"/annexes/1?unit={STREET}")
    door.bad(404, "officer", "GET", "/annexes/1?unit=120116")
    assert "on" in door.bad(422, "officer", "GET", "/annexes/1?on=2018-12-04")["errors"]
    assert "on" in door.bad(422, "officer", "GET", "/annexes/1?on=x")["errors"]
    assert door.good("officer", "GET", "/annexes/1?on=2017-12-31")["rows"] == []
    assert door.good("sue", "GET", "/annexes/1?unit=120116&on=2018-11-19")["rows"][0][9] == "619.50"
    assert door.good("stranger", "GET", "/annexes/1")["rows"] == []


def test_annex_2_has_the_merged_heading_seven_rows_and_who_was_refused(door, district):
    paper = cells(door, 2)[1]
    assert [paper.cell(4, n).value for n in range(1, 13)] == ["序号", "申请人", "身份证号", "家庭人口", "乡镇（街道）", "村（居委会）", "家庭收入", "家庭财产", "申请救助时间", "申请救助类别", "未批准救助原因", "入户核查结果"]
    assert [paper.cell(5, n).value for n in (12, 13)] == ["核查结果（是否达到救助条件、并注明享受何种救助）", "调查人"]
    assert {"A4:A5", "K4:K5", "L4:M4"} <= {str(one) for one in paper.merged_cells.ranges}
    assert paper.max_row == 12
    district.to_refusal()
    home = district.facts()["household_id"]
    assert door.good("sue", "GET", "/screenings/coverage")["communities"][0]["refused_2018"] == {"to_screen": 1, "screened": 0, "percent": 0.0}
    day = district.clock.now.date().isoformat()
    visited(door, home, population="refused_2018", qualifies=True, visited_on=day, assistance=["heating"])
    row = door.good("officer", "GET", "/annexes/2?full=true")["rows"][0]
    assert (row[0], row[1], row[3], row[8], row[9], row[10]) == ("1", "张一", "3", "2018-12-03", "低保", "收入不符合条件")
    assert row[6:8] == ["6000.00", "无"]
    assert row[11:] == ["达到条件，享受取暖补贴", "某officer、某vera"]
    assert door.good("sue", "GET", "/screenings/coverage")["communities"][0]["refused_2018"] == {"to_screen": 1, "screened": 1, "percent": 100.0}
    assert door.good("auditor", "GET", "/annexes/2")["rows"][0][11] == "达到条件，另享受其他救助"
    assert differences(district.office) == []


def test_the_pages_do_the_same(door, district, home):
    desk = Desk(door.app, "officer")
    assert "入户摸底排查" in desk.text("/screening/")
    sent = {n: v for n, v in VISIT.items() if n not in ("still_hardship", "relative_of_staff", "relatives_on_assistance")} | {
        "household_id": str(home), "still_hardship": "true", "relative_of_staff": "false", "relatives_on_assistance": "false", "findings-0-kind": "unlawful_benefit", "findings-0-text": "隐瞒收入", "findings-0-due_on": "2018-12-20"}  # fmt: skip
    assert desk.post("/screening/new", sent | {"second_visitor": "officer"}).status_code == 422
    made = desk.post("/screening/new", sent)
    assert made.status_code == 302, made.get_data(as_text=True)
    second = Desk(door.app, "vera")
    assert "确认属实" in second.text(made.location)
    assert second.post(f"{made.location}/confirmation", {}).status_code == 302
    assert "已确认" in second.text(made.location)
    assert "违规享受救助待遇" in desk.text(made.location)
    finding = door.good("officer", "GET", "/screenings")["items"][0]["findings"][0]["id"]
    assert desk.post(f"{made.location}/findings/{finding}", {"done_on": "2018-12-03", "text": "已停发"}).status_code == 302
    assert "已停发" in desk.text(made.location)
    page = desk.text("/annexes/1")
    assert "滨海新区社会救助家庭排查情况统计表（在保）" in page
    assert NUMBER not in page
    assert NUMBER in desk.text("/annexes/1?full=1")
    assert "调查人" in desk.text("/annexes/2")
    assert desk.get("/annexes/1.xlsx?full=1").mimetype == XLSX
    assert Desk(door.app, "auditor").get("/annexes/1?full=1").status_code == 403
    assert desk.get("/annexes/3").status_code == 404
    assert desk.get("/annexes/1?on=9999").status_code == 422

