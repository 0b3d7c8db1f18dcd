"""Plans of the screening, visit lists, and filled-in annexes that come back: through the API and on the pages."""

from __future__ import annotations

import io
import json
import zipfile

from openpyxl import Workbook, load_workbook

from processes import households, identity, screening_plans
from processes.annexes import CHECKED, HEADINGS
from processes.rebuild import differences
from processes.screening_tables import screening
from tests.district import COMMUNITY
from tests.processes.test_import_annex1 import line, read, sheet
from tests.web.test_pages import Desk, rows
from tests.web.test_screening import ANSWERS, NAMED, VISIT, door, home, visited  # noqa: F401
from web.importing import bring_in

PLAN = {"community": COMMUNITY, "population": "in_benefit", "from_on": "2018-12-03", "until_on": "2018-12-14", "teams": [{"first": "officer", "second": "vera"}, {"first": "ann", "second": "grid"}]}


def test_a_plan_lists_whom_the_records_show_and_is_done_by_confirmed_visits(door, district, home):  # noqa: F811
    lists = "/screening-visits"
    for who, status in (("clerk", 403), ("stranger", 403), ("sue", 403)):
        assert door.bad(status, who, "POST", "/screening-plans", PLAN)["rule"] == "planner"
    for sent, wrong in (({"community": "120116001"}, "community"), ({"teams": []}, "teams"), ({"teams": [{"first": "ann", "second": "ann"}]}, "teams.0.second"),
                        ({"teams": [{"first": "vol", "second": "ann"}]}, "teams.0.first"), ({"until_on": "2018-12-02"}, "until_on"), ({"from_on": "2016-12-02"}, "from_on"), ({"population": "x"}, "population")):  # fmt: skip
        assert wrong in door.bad(422, "officer", "POST", "/screening-plans", PLAN | sent)["errors"], sent
    made = door.good("lee", "POST", "/screening-plans", PLAN)
    assert (made["households"], made["unassigned"]) == (1, 0)
    door.bad(409, "officer", "POST", "/screening-plans", PLAN)
    one = f"/screening-plans/{made['plan']}"
    told = door.good("vera", "GET", one)
    assert (told["households"], told["visited"], told["left"], told["late"]) == (1, 0, 1, 0)
    door.bad(404, "stranger", "GET", one)
    assert door.bad(404, "grid", "GET", one)  # a grid worker reads no cases, and visits nobody here
    mine = door.good("vera", "GET", f"{lists}?list=today")["items"][0]
    assert (mine["household_id"], mine["applicant"], mine["address"], mine["may"]) == (home, "何*", None, ["visit"])
    assert door.good("officer", "GET", f"{lists}?list=today&full=true")["items"][0]["applicant"] == "何甲"
    assert door.bad(403, "auditor", "GET", f"{one}/households?full=true")["rule"] == "visit-list-full"
    assert door.good("ann", "GET", lists)["total"] == 0
    door.good("officer", "POST", f"/screening-plan-households/{mine['id']}/assignment", {"first": "ann", "second": "grid", "visit_on": "2018-12-05"})
    assert "visit_on" in door.bad(422, "officer", "POST", f"/screening-plan-households/{mine['id']}/assignment", {"first": "ann", "second": "grid", "visit_on": "2018-12-15"})["errors"]
    assert door.good("grid", "GET", one)["left"] == 1
    assert (door.good("grid", "GET", f"{lists}?list=today")["total"], door.good("grid", "GET", f"{lists}?list=left&full=true")["items"][0]["applicant"]) == (0, "何甲")
    district.clock.advance(days=3)
    assert door.good("officer", "GET", one)["late"] == 1
    visited(door, home, "ann", "grid", visited_on="2018-12-05")
    assert [door.good("officer", "GET", one)[name] for name in ("visited", "left", "late")] == [1, 0, 0]
    assert door.good("grid", "GET", f"{lists}?list=visited")["total"] == 1
    second = next(iter(bring_in(door.bureau, read(district, sheet(line(**NAMED | {"申请人": "何乙", "身份证号": identity.invent(district.office.today().replace(year=1960), "male", 9)})), "officer", **ANSWERS), district.people["officer"]).homes.values()))  # fmt: skip
    assert [door.good("officer", "POST", f"{one}/renewal", headers={"Idempotency-Key": "r"})["added"] for _ in range(2)] == [1, 1]
    assert door.good("officer", "POST", f"{one}/renewal")["added"] == 0
    left = door.good("officer", "GET", f"{one}/households?list=left")["items"][0]
    assert left["household_id"] == second
    door.good("officer", "POST", f"/screening-plan-households/{left['id']}/removal", {"reason": "已迁出"})
    door.bad(409, "officer", "POST", f"/screening-plan-households/{left['id']}/removal", {"reason": "已迁出"})
    assert door.good("officer", "GET", one)["households"] == 1
    assert [row["household_id"] for row in door.good("sue", "GET", "/screenings/missing")["items"]] == [second]
    assert differences(district.office) == []


def test_the_other_populations_come_from_age_health_and_refusals_and_by_hand(door, district):  # noqa: F811
    old = district.household(serial=5, last={"id_no": identity.invent(district.office.today().replace(year=1958), "female", 1)})
    young = district.household(serial=6, last={"id_no": identity.invent(district.office.today().replace(year=1958, day=4), "female", 2)})
    ill = district.household(serial=7, last={"serious_illness": "尿毒症", "disability_kind": "limb", "disability_grade": 2})
    with district.office.read() as conn:
        keys = district.office.keys.on(conn)
        found = {kind: screening_plans.population(conn, keys, COMMUNITY, kind, district.office.today()) for kind in ("elderly", "disabled", "serious_illness", "in_benefit", "refused_2018")}
    assert found == {"elderly": [old], "disabled": [ill], "serious_illness": [ill], "in_benefit": [], "refused_2018": []}
    with district.office.act(district.people["clerk"]) as act:
        households.declare_near_relative(act, old, {"staff_login": "ann", "staff_name": "某ann", "position": "调查人", "relation": "sibling"})
    made = door.good("officer", "POST", "/screening-plans", PLAN | {"population": "elderly", "teams": [{"first": "ann", "second": "grid"}]})
    assert (made["households"], made["unassigned"]) == (1, 1)
    one = f"/screening-plans/{made['plan']}/households"
    assert "first" in door.bad(422, "officer", "POST", one, {"household_id": young, "reason": "长期卧床", "second": "grid"})["errors"]
    added = door.good("officer", "POST", one, {"household_id": young, "reason": "长期卧床", "first": "officer", "second": "vera", "visit_on": "2018-12-04"})
    door.bad(409, "officer", "POST", one, {"household_id": young, "reason": "长期卧床"})
    door.bad(404, "officer", "POST", one, {"household_id": 999_999, "reason": "长期卧床"})
    alone = next(row for row in door.good("officer", "GET", one)["items"] if row["household_id"] == old)
    assert alone["first"] is None
    assert "first" in door.bad(422, "officer", "POST", f"/screening-plan-households/{alone['id']}/assignment", {"first": "ann", "second": "grid", "visit_on": "2018-12-04"})["errors"]
    by_hand = next(row for row in door.good("vera", "GET", "/screening-visits")["items"] if row["id"] == added["home"])
    assert (by_hand["by_hand"], by_hand["reason"]) == (True, "长期卧床")
    visited(door, young, population="disabled", qualifies=False)
    assert door.good("officer", "GET", f"{one}?list=visited")["items"][0]["household_id"] == young
    assert differences(district.office) == []


def upload(door, raw, who="officer", status=201):  # noqa: F811
    answer = door.call(who, "POST", "/screening-lists", data={"file": (io.BytesIO(raw), "附件.xlsx")}, content_type="multipart/form-data")
    assert answer.status_code == status, answer.json
    return answer.json


def changed(raw, **cells):
    """The workbook with other cells."""
    book = load_workbook(io.BytesIO(raw))
    for area in [one for one in book.active.merged_cells.ranges if one.min_row > 5]:  # the note
        book.active.unmerge_cells(str(area))
    for place, value in cells.items():
        book.active[place] = value
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def exported(door, number, who="officer"):  # noqa: F811
    return door.call(who, "GET", f"/annexes/{number}.xlsx?full=true").data


WHO = {"visited_on": "2018-12-03", "first_visitor": "officer", "second_visitor": "vera"}
REMARK = "1.另享受：取暖补贴、医疗救助；2.保障后仍有困难：是（大病（自费））；3.近亲属享受社会救助：否（系经办人员或居村委会成员近亲属）"


def test_annex_1_comes_back_as_a_visit_once_and_counts_when_both_confirm(door, district, home):  # noqa: F811
    blank = upload(door, changed(exported(door, 1), L5="未入户核查"))
    assert (blank["annex"], blank["counts"]["blank"], blank["questions"]) == (1, 1, {})
    raw = changed(exported(door, 1), K5="因病、缺乏劳动力", L5="情况有变化（收入增加）", M5=REMARK)
    seen = upload(door, raw)
    where = f"/screening-lists/{seen['list']}"
    assert (seen["rows"][0]["state"], seen["rows"][0]["household_id"], sorted(seen["questions"])) == ("new", home, sorted(WHO))
    assert "row_answers.5.visited_on" in door.bad(422, "officer", "POST", f"{where}/import", {"answers": {}})["errors"]
    for given, word in (({"second_visitor": "officer"}, "两人"), ({"second_visitor": "vol"}, "没有排查岗位"), ({"visited_on": "2018-12-04"}, "不能晚于今天"), ({"visited_on": "2017-12-31"}, "不在保"), ({"visited_on": "2017-11-30"}, "超过一年")):
        wrong = door.good("officer", "POST", f"{where}/import", {"answers": WHO | given})
        assert wrong["imported"] == []
        assert word in json.dumps(wrong["errors"], ensure_ascii=False), given
    assert rows(door.bureau, screening) == 0
    door.bad(404, "clerk", "POST", f"{where}/import", {"answers": WHO})
    door.bad(403, "auditor", "POST", f"{where}/import", {"answers": WHO})
    done = door.good("officer", "POST", f"{where}/import", {"answers": WHO}, headers={"Idempotency-Key": "k"})
    assert door.good("officer", "POST", f"{where}/import", {"answers": WHO}, headers={"Idempotency-Key": "k"}) == done
    again = door.good("officer", "POST", f"{where}/import", {"answers": WHO})
    assert (len(done["imported"]), again["imported"], again["known"]) == (1, [], [5])
    visit = door.good("vera", "GET", f"/screenings/{done['imported'][0]['screening']}")
    assert (visit["first_visitor"], visit["causes"], visit["result"], visit["result_text"], visit["hardship_text"], visit["relative_of_staff"], visit["entered_by"]) == (
        "officer", ["illness", "lack_labour"], "changed", "收入增加", "大病（自费）", True, None)  # fmt: skip
    assert door.good("vera", "POST", "/screenings/confirmations", {"screenings": [visit["id"], visit["id"]]}) == {"confirmed": [visit["id"]], "errors": []}
    back = exported(door, 1)
    assert [load_workbook(io.BytesIO(back)).active[f"{c}5"].value for c in "KLM"] == ["因病、缺乏劳动力", "情况有变化（收入增加）", REMARK.replace("取暖补贴、医疗救助", "医疗救助、取暖补贴")]
    assert upload(door, back)["counts"]["known"] == 1
    other = upload(door, changed(back, L5="属实"))
    told = door.good("officer", "POST", f"/screening-lists/{other['list']}/import", {"answers": WHO})
    assert (told["imported"], "入户核查结果" in told["errors"][0]["errors"]) == ([], True)
    third = door.good("officer", "POST", f"/screening-lists/{other['list']}/import", {"answers": WHO | {"first_visitor": "ann", "second_visitor": "bob", "visited_on": "2018-12-02"}})["imported"][0]["screening"]
    assert [door.good(who, "POST", f"/screenings/{third}/confirmation")["state"] for who in ("bob", "ann")] == ["recorded", "confirmed"]
    assert door.bad(403, "officer", "POST", f"/screenings/{third}/confirmation")["rule"] == "second-visitor"
    assert differences(district.office) == []


def test_what_is_wrong_in_an_annex_is_said_line_by_line_and_what_is_no_annex_is_refused(door, district, home):  # noqa: F811
    raw = changed(exported(door, 1), K5="因病", L5="属实", M5=REMARK)
    stranger = identity.invent(district.office.today().replace(year=1966), "male", 77)
    for cells, column in (({"C5": stranger}, "身份证号"), ({"C5": "1201**********1234"}, "身份证号"), ({"C5": 120116196603040011}, "身份证号"), ({"B5": "李四"}, "申请人"), ({"F5": "没有社区"}, "村（居委会）"), ({"K5": "懒"}, "致困原因"),
                          ({"K5": None}, "致困原因"), ({"L5": "不属实"}, "入户核查结果"), ({"L5": "好"}, "入户核查结果"), ({"L5": "=1+1"}, "入户核查结果"), ({"M5": "无"}, "备注"), ({"M5": REMARK.replace("（大病（自费））", "")}, "备注"),
                          ({"M5": REMARK.replace("取暖", "取"), }, "备注")):  # fmt: skip
        told = upload(door, changed(raw, **cells))
        assert (told["rows"][0]["state"], column in told["rows"][0]["errors"]) == ("error", True), cells
    twice = changed(raw, **{f"{c}6": load_workbook(io.BytesIO(raw)).active[f"{c}5"].value for c in "ABCDEFGHIJKLM"})
    assert [row["state"] for row in upload(door, twice)["rows"]] == ["new", "error"]
    mended = door.call("officer", "GET", f"/screening-lists/{upload(door, changed(raw, K5='懒'))['list']}/errors").data
    assert load_workbook(io.BytesIO(mended)).active["N2"].value.startswith("致困原因：")
    assert upload(door, changed(mended, K2="因病"))["counts"]["new"] == 1
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(raw)) as old, zipfile.ZipFile(out, "w") as new:
        for part in old.infolist():
            new.writestr(part, old.read(part))
        new.writestr("xl/vbaProject.bin", b"macro")
    big = Workbook(write_only=True)
    page = big.create_sheet()
    page.append(list(HEADINGS[1]))
    for n in range(5_001):
        page.append([n, "何甲"])
    many = io.BytesIO()
    big.save(many)
    swapped = changed(raw, B4="身份证号", C4="申请人")
    lacking = changed(raw, M4=None)
    for bad, word in ((out.getvalue(), "宏"), (many.getvalue(), "最多 5000 户"), (swapped, "第 2 列应为“申请人”"), (lacking, "第 13 列应为“备注”"), (b"PK", "不是 Excel"), (changed(raw, A4="编号"), "没有找到")):
        assert word in json.dumps(upload(door, bad, status=422)["errors"], ensure_ascii=False), word
    assert rows(door.bureau, screening) == 0


def test_annex_2_comes_back_with_two_who_visited_and_makes_a_lead(door, district):  # noqa: F811
    district.to_refusal()
    refused = district.facts()["household_id"]
    day = district.clock.now.date().isoformat()
    raw = changed(exported(door, 2), L6="达到条件，享受医疗救助、取暖补贴，重度残疾", M6="某officer、某vera")
    for cells, column in (({"M6": "某officer"}, CHECKED[1]), ({"M6": "某officer、某vol"}, CHECKED[1]), ({"M6": "某officer、某officer"}, CHECKED[1]), ({"L6": "好"}, CHECKED[0]), ({"I6": "2018-12-09"}, "申请救助时间")):
        assert column in upload(door, changed(raw, **cells))["rows"][0]["errors"], cells
    broken = load_workbook(io.BytesIO(raw))
    for area in list(broken.active.merged_cells.ranges):
        broken.active.unmerge_cells(str(area))
    out = io.BytesIO()
    broken.save(out)
    assert upload(door, out.getvalue())["counts"]["new"] == 1  # the heading says the same
    assert "第二行表头第 12 列" in json.dumps(upload(door, changed(raw, L5="核查结果"), status=422)["errors"], ensure_ascii=False)
    seen = upload(door, raw)
    assert (seen["annex"], seen["rows"][0]["visitors"], list(seen["questions"])) == (2, ["officer", "vera"], ["visited_on"])
    done = door.good("officer", "POST", f"/screening-lists/{seen['list']}/import", {"answers": {"visited_on": day}})
    visit = door.good("officer", "GET", f"/screenings/{done['imported'][0]['screening']}")
    assert (visit["household_id"], visit["qualifies"], visit["result"], visit["still_hardship"], visit["result_text"], visit["assistance"]) == (refused, True, None, None, "重度残疾", ["medical", "heating"])
    assert door.good("officer", "GET", f"/leads/{visit['lead_id']}")["found_by"] in ("civil_affairs_officer", "village_committee")
    door.good("vera", "POST", f"/screenings/{visit['id']}/confirmation")
    assert upload(door, exported(door, 2))["counts"]["known"] == 1
    assert door.good("officer", "GET", "/annexes/2?full=true")["rows"][0][11:] == ["达到条件，享受医疗救助、取暖补贴", "某officer、某vera"]
    assert differences(district.office) == []


def test_the_pages_do_the_same(door, district, home):  # noqa: F811
    desk = Desk(door.app, "officer")
    sent = {"community": COMMUNITY, "population": "in_benefit", "from_on": "2018-12-03", "until_on": "2018-12-14", "teams-0-first": "officer", "teams-0-second": "vera"}
    assert desk.post("/screening/plans/new", sent | {"teams-0-second": "vol"}).status_code == 422
    made = desk.post("/screening/plans/new", sent)
    assert made.status_code == 302, made.get_data(as_text=True)
    assert "何*" in desk.text(made.location)
    for path in ("/screening/plans/", "/screening/plans/mine?list=left", "/screening/missing", f"/screening/missing?unit={COMMUNITY}", "/screening/findings?list=overdue", f"{made.location}?list=left"):
        assert desk.get(path).status_code == 200, path
    sheet_ = desk.text(f"{made.location}/sheet")
    assert "入户摸底排查走访表" in sheet_
    assert "何甲" not in sheet_
    assert "何甲" in desk.text(f"{made.location}/sheet?full=1")
    assert "何甲" in desk.text("/screening/plans/mine?list=today&full=1")
    assert Desk(door.app, "auditor").get(f"{made.location}/sheet?full=1").status_code == 403
    one = door.good("officer", "GET", "/screening-visits")["items"][0]["id"]
    assert desk.post(f"{made.location}/households/{one}/assignment", {"first": "ann", "second": "vera", "visit_on": "2018-12-04"}).status_code == 302
    assert desk.post(f"{made.location}/renewal", {}).status_code == 302
    raw = changed(exported(door, 1), K5="因病", L5="属实", M5=REMARK)
    loaded = desk.post("/screening/import/", {"file": (io.BytesIO(raw), "附件1.xlsx")})
    assert loaded.status_code == 302, loaded.get_data(as_text=True)
    assert "可导入" in desk.text(loaded.location)
    assert desk.post(loaded.location, {"_do": "chosen", "row": "5"}).status_code == 422
    done = desk.post(loaded.location, {"_do": "chosen", "row": "5", "all-visited_on": "2018-12-03", "all-first_visitor": "officer", "all-second_visitor": "vera"})
    assert done.status_code == 302, done.get_data(as_text=True)
    assert "1" in desk.text(done.location)
    second, visit = Desk(door.app, "vera"), door.good("vera", "GET", "/screenings?mine=true")["items"][0]["id"]
    assert "勾选" in second.text("/screening/?mine=1")
    assert second.post("/screening/confirmations", {"visit": str(visit)}).status_code == 302
    assert door.good("vera", "GET", f"/screenings/{visit}")["state"] == "confirmed"
    assert desk.post("/screening/import/", {"file": (io.BytesIO(b"x"), "x.xlsx")}).status_code == 422
    assert Desk(door.app, "auditor").get("/screening/import/").status_code == 403
