"""The replay without a browser: what a step shows, page and API alike; who may look; that looking is noted; what is said of a broken record."""

from __future__ import annotations

import json
import re

import pytest
from sqlalchemy import select

from engine import store
from engine.office import history
from tests.district import paper
from tests.served import app_of
from tests.tamper import tampering
from tests.web.test_api import Door
from tests.web.test_pages import Desk


@pytest.fixture
def app(bureau, district):
    return app_of(bureau)


@pytest.fixture
def door(bureau, district):
    return Door(bureau, district)


@pytest.fixture
def case(district, clock):
    """A case whose democratic review was late, and whose street leader sent it back; the reviewer has answered."""
    district.apply(district.household(210_000))
    district.accept()
    district.check()
    district.survey()
    clock.advance(days=18)
    district.review()
    clock.advance(minutes=30)
    district.do("rita", "street_opinion", street_outcome="propose_grant", opinion="情况属实，拟同意")
    clock.advance(minutes=30)
    district.do("lee", "street_signoff", signoff="return", opinion="缺房产证明")
    clock.advance(minutes=30)
    district.do("rita", "street_opinion", street_outcome="propose_grant", opinion="房产证明已补")
    return district.no


def step_of(told, name, nth=0):
    """Number of the nth step at a node."""
    return [one["step"] for one in told["steps"] if one["name"] == name and one["event"] == "task_completed"][nth]


def test_who_decided_what_and_why_stands_first(app, case):
    page = Desk(app, "auditor").text(f"/cases/{case}/replay")
    table = page.partition("谁作了什么决定")[2].partition("</table>")[0]
    words = re.sub(r"<[^>]+>|\s+", " ", table)
    for said in ("某rita", "审核人", "拟同意", "情况属实，拟同意", "某lee", "街镇分管领导", "缺房产证明"):
        assert said in words
    assert page.index("谁作了什么决定") < page.index('id="diagram"')


def test_a_step_shows_who_when_opinion_data_papers_law_days_and_seal(door, case):
    last = door.good("auditor", "GET", f"/cases/{case}/replay")
    late, back = step_of(last, "民主评议"), step_of(last, "街镇分管领导签批")
    assert (last["result"], last["step"], last["anomalies"]) == ("same", last["entries"], [late, back])
    who = last["shown"]["who"]
    assert (who["login"], who["post"], who["unit"], who["unit_words"]) == ("rita", "reviewer", "120116001", "塘沽街道")
    assert {"label": "办理意见", "value": "房产证明已补"} in last["shown"]["answers"]
    assert (last["deadline"], last["shown"]["took"]) == (None, "0 小时 30 分")
    assert last["law"]["task"]
    assert last["law"]["task_words"].startswith("《")
    assert (last["computation"]["category"], last["computation"]["amount_fen"], last["computation"]["agrees"]) == ("dibao", 66_000, True)
    assert last["computation"]["lines"]
    [wage] = last["computation"]["inputs"]
    assert (wage["who"], wage["kind"], wage["amount"], wage["source"], wage["source_words"]) == ("张*", "wage_income", "2100.00", "declared", "申报")
    assert (last["seal"]["holds"], last["seal"]["index"]) == (True, None)
    back, late = (door.good("auditor", "GET", f"/cases/{case}/replay?step={n}") for n in (back, late))
    assert [one["code"] for one in back["shown"]["odd"]] == ["returned"]
    assert [one["code"] for one in late["shown"]["odd"]] == ["late"]
    days = late["deadline"]
    assert (days["due_on"], days["done_on"], days["late_workdays"], days["rule"]) == ("2018-12-10", "2018-12-21", 9, "workdays(5, since='survey_ended_on')")
    assert {"step", "decision", "why"} <= back["decisions"][0].keys()


def test_a_decision_within_seconds_is_shown_as_one(door, district, case, clock):
    clock.advance(seconds=29)
    district.do("lee", "street_signoff", signoff="agree", opinion="同意")
    last = door.good("auditor", "GET", f"/cases/{case}/replay")
    assert [(one["code"], one["words"]) for one in last["shown"]["odd"]] == [("hasty", "29 秒内作出决定")]


def test_the_case_is_shown_as_of_the_entry_and_not_as_of_today(door, case, district):
    first = door.good("auditor", "GET", f"/cases/{case}/replay?step=1")
    assert (first["computation"], first["letters"], "accepted_on" in first["facts"]) == (None, [], False)
    second = door.good("auditor", "GET", f"/cases/{case}/replay?step=2")
    assert [one["kind"] for one in second["letters"]] == ["acceptance"]
    assert {"label": "受理日期", "before": "—", "after": "2018-12-03"} in second["shown"]["changes"]
    papers = len(second["documents"])
    district.clock.advance(hours=1)
    paper(district, "clerk", district.facts()["household_id"], "other", "迟来的材料", b"%PDF-1.4 later")
    last = door.good("auditor", "GET", f"/cases/{case}/replay")
    assert len(last["documents"]) == papers, "it came on the same day, an hour after the last entry"


def test_page_and_json_and_api_say_the_same(app, door, case):
    desk = Desk(app, "auditor")
    assert desk.get(f"/cases/{case}/replay.json?step=5").json == door.good("auditor", "GET", f"/cases/{case}/replay?step=5")
    assert "attachment" in desk.get(f"/cases/{case}/replay.json").headers["Content-Disposition"]
    said = door.call("auditor", "GET", f"/cases/{case}/replay?step=2", headers={"Accept-Language": "en"}).json
    assert re.search(r"[一-鿿]", "".join(line["label"] for line in said["fact_lines"])) is None


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_step_opens_and_the_links_lead_on(app, case, lang):
    desk = Desk(app, "auditor", lang)
    last = int(re.search(r'data-step="(\d+)" rel="last"', desk.text(f"/cases/{case}/replay"))[1])
    for n in range(1, last + 1):
        page = desk.text(f"/cases/{case}/replay?step={n}")
        assert page.count("<h1>") == 1
        assert (f'?step={n + 1}" data-step="{n + 1}" rel="next"' in page) is (n < last)
        assert (f'?step={n - 1}" data-step="{n - 1}" rel="prev"' in page) is (n > 1)
    assert 'rel="odd-after"' in desk.text(f"/cases/{case}/replay?step=1")
    assert 'rel="odd-before"' in desk.text(f"/cases/{case}/replay?step={last}")
    part = desk.text(f"/cases/{case}/replay?step=3&part=1")
    assert "<h1>" not in part
    assert 'id="rp-list"' not in part


def test_words_of_who_is_restricted_are_not_told_again(app, door, case, district):
    """The case page hid them, and the replay showed them. What is computed stays: the judgement reads all of the record."""
    with district.office.act(district.people["clerk"]) as act:
        district.cases.receive(act, case, "withdrawal", {"withdrawn_on": act.today.isoformat(), "reason": "搬走"})
    steps = door.good("auditor", "GET", f"/cases/{case}/replay?step=1")["steps"]
    [step] = [one["step"] for one in steps if one["name"] == "邻里访问"]
    roads = (("GET", f"/cases/{case}/replay?step={step}"), ("POST", f"/cases/{case}/replay?step={step}"))
    pages = (f"/cases/{case}/replay?step={step}", f"/cases/{case}/replay?step={step}&part=1", f"/cases/{case}/replay.json?step={step}")
    desk = Desk(app, "auditor")

    def shown():
        told = [*(door.good("auditor", *road) for road in roads), json.loads(desk.text(pages[2]))]
        assert [one["result"] for one in told] == ["same"] * 3
        return ["困难" in [a["value"] for a in one["shown"]["answers"]] for one in told] + [re.search(r">\s*困难\s*<", desk.text(page)) is not None for page in pages[:2]]

    assert shown() == [True] * 5
    with district.office.read() as conn:
        entry = history(conn, district.office.keys.on(conn), district.case()["id"])[step - 1]
    subject = next(who for who in entry.personal if who.endswith(".neighbours"))
    door.good("sue", "POST", "/restrictions", {"subject": subject, "reason": "request"})
    assert shown() == [False] * 5


def test_the_old_address_leads_here(app, case):
    answer = Desk(app, "clerk").get(f"/cases/{case}?tab=drawing&step=3")
    assert (answer.status_code, answer.location) == (302, f"/cases/{case}/replay?step=3")


def notes(bureau, login):
    with bureau.office.read() as conn:
        record = conn.scalar(select(store.record.c.id).where(store.record.c.kind == "reader", store.record.c.subject == f"staff:{login}"))
        entries = history(conn, bureau.office.keys.on(conn), record) if record else []
    return [(entry.event, entry.data) for entry in entries]


def test_reading_is_noted_once_a_day_and_not_for_who_holds_a_task_of_it(app, bureau, case, clock, district):
    """Having acted in a case once let one read it unseen for ever."""
    desk = Desk(app, "auditor")
    for n in (1, 2, 3):
        desk.text(f"/cases/{case}/replay?step={n}")
    assert notes(bureau, "auditor") == [("case_read", {"case": case, "where": "replay"})]
    clock.advance(days=1)
    desk.text(f"/cases/{case}/replay")
    assert len(notes(bureau, "auditor")) == 2
    Desk(app, "rita").text(f"/cases/{case}/replay")  # who has done steps of it
    assert notes(bureau, "rita") == [("case_read", {"case": case, "where": "replay"})]
    mine = store.tasks_of(district.case()["id"]) & (store.task.c.node == next(iter(district.tasks())))
    with bureau.office.store.write() as conn:
        conn.execute(store.task.update().where(mine, store.is_open).values(assignee="clerk"))
    Desk(app, "clerk").text(f"/cases/{case}/replay")
    assert notes(bureau, "clerk") == []


def test_another_street_sees_neither_replay_nor_comparison(app, door, case):
    desk = Desk(app, "stranger")
    for path in ("replay", "replay.json", "replay/compare", "replay/compare?with=DB-2018-999999", "findings/new"):
        assert desk.get(f"/cases/{case}/{path}").status_code == 404, path
    door.bad(404, "stranger", "GET", f"/cases/{case}/replay")
    door.bad(404, "stranger", "GET", f"/cases/{case}/findings")


def test_a_changed_entry_is_named_with_both_sides_and_the_steps_before_it_still_show(app, door, case, district, bureau):
    case_id = district.case()["id"]
    with bureau.office.read() as conn:
        body = conn.scalar(select(store.entry.c.body).where(store.entry.c.record_id == case_id, store.entry.c.seq == 3))
    with tampering(bureau.office.store) as conn:
        conn.execute(store.entry.update().where(store.entry.c.record_id == case_id, store.entry.c.seq == 3).values(body=body.replace(b"2018", b"2017")))
    told = door.good("auditor", "GET", f"/cases/{case}/replay?step=2")
    assert (told["result"], told["reason"], told["entry"], told["shown"]["who"]["login"]) == ("different", "seal", 3, "clerk")
    assert 3 in told["anomalies"]
    page = Desk(app, "auditor").text(f"/cases/{case}/replay?step=3")
    assert "第 3 条记录不一致" in page
    assert "封签破损" in page


def test_bytes_that_are_no_entry_are_said_to_be_none(app, door, case, district, bureau):
    case_id = district.case()["id"]
    with tampering(bureau.office.store) as conn:
        conn.execute(store.entry.update().where(store.entry.c.record_id == case_id, store.entry.c.seq == 3).values(body=b"[1"))
    assert door.good("auditor", "GET", f"/cases/{case}/replay")["result"] == "cannot"
    assert "不能重做" in Desk(app, "auditor").text(f"/cases/{case}/replay")
    other = district.apply(district.household(430_000, serial=5))
    for one, two in ((case, other), (other, case)):
        assert set(door.good("auditor", "GET", f"/cases/{one}/replay/compare?with={two}")) == {"unreadable"}
        assert "不能对照" in Desk(app, "auditor").text(f"/cases/{one}/replay/compare?with={two}")


def test_an_erased_household_leaves_the_steps_without_what_was_personal(app, door, case, district, bureau):
    subject = district.case()["subject"]
    with tampering(bureau.office.store) as conn:
        conn.execute(store.subject_key.delete().where(store.subject_key.c.subject == subject))
    told = door.good("auditor", "GET", f"/cases/{case}/replay")
    assert (told["result"], told["shown"]["erased"], told["computation"]["from"], told["computation"]["amount_fen"]) == ("same", True, "record", 66_000)
    page = Desk(app, "auditor").text(f"/cases/{case}/replay")
    assert "房产证明已补" not in page
    assert "数据已删除" in page


# -- two cases


def test_two_cases_are_set_beside_each_other_by_node(app, door, case, district):
    first = case
    other = district.apply(district.household(430_000, serial=5))
    district.accept()
    district.check()
    found = door.good("auditor", "GET", f"/cases/{first}/replay/compare?with={other}")
    by_name = {(row["name"], row["is"]) for row in found["path"]}
    assert ("材料审查", "same") in by_name
    assert ("街镇审核意见", "left") in by_name
    facts = {row["name"]: row for row in found["facts"]}
    assert facts["programme"]["is"] == "same"
    assert (facts["street_outcome"]["right"], facts["street_outcome"]["is"]) == ("—", "differs")
    assert found["differs"]["computation"] > 0
    page = Desk(app, "auditor", "en").text(f"/cases/{first}/replay/compare?with={other}")
    assert "only in the first" in page
    swapped = door.good("auditor", "GET", f"/cases/{other}/replay/compare?with={first}")
    assert ("街镇审核意见", "right") in {(row["name"], row["is"]) for row in swapped["path"]}


def test_comparison_asks_for_the_other_number_and_refuses_what_is_not_there(app, door, case):
    desk = Desk(app, "auditor")
    assert 'name="with"' in desk.text(f"/cases/{case}/replay/compare")
    assert desk.get(f"/cases/{case}/replay/compare?with=DB-2018-999999").status_code == 404
    assert desk.get(f"/cases/{case}/replay/compare?with={case}").status_code == 302
    door.bad(404, "auditor", "GET", f"/cases/{case}/replay/compare?with=DB-2018-999999")
    door.bad(422, "auditor", "GET", f"/cases/{case}/replay/compare")


# -- findings, by page and API


def test_a_finding_goes_its_way_on_the_pages(app, bureau, case):
    auditor, rita = Desk(app, "auditor"), Desk(app, "rita")
    at = f"/cases/{case}/findings/new?step=3"
    assert "第 3 步" in auditor.text(at)
    wrong = auditor.post(f"/cases/{case}/findings/new", {"entry": "3", "severity": "", "article": "", "text": "一人签字"}, page=at)
    assert wrong.status_code == 422
    assert "一人签字" in wrong.get_data(as_text=True), "what was typed stays"
    done = auditor.post(f"/cases/{case}/findings/new", {"entry": "3", "severity": "serious", "article": "民发〔2012〕220号第十八条", "text": "一人签字"}, page=at)
    assert done.status_code == 302
    where = done.location
    assert "有 1 项审计发现等待您方处理" in rita.text("/tasks")
    assert "民发〔2012〕220号第十八条" in rita.text("/findings")
    assert "一人签字" in rita.text(where)
    assert rita.post(where, {"_do": "reply", "text": ""}).status_code == 422
    assert rita.post(where, {"_do": "reply", "text": "已补第二人签字"}).status_code == 302
    assert auditor.post(where, {"_do": "accepted", "text": "属实"}).status_code == 302
    page = rita.text(where)
    assert "已补第二人签字" in page
    assert "答复成立" in page
    assert 'name="_do"' not in page
    assert "没有审计发现" in rita.text("/findings")
    assert "民发〔2012〕220号第十八条" in rita.text("/findings?state=all")
    assert "民发〔2012〕220号第十八条" in auditor.text(f"/cases/{case}/replay")


def test_only_auditors_are_offered_the_form(app, case):
    assert "/findings/new" in Desk(app, "auditor").text(f"/cases/{case}/replay")
    assert "/findings/new" not in Desk(app, "rita").text(f"/cases/{case}/replay")
    assert Desk(app, "rita").get(f"/cases/{case}/findings/new").status_code == 403
    assert Desk(app, "stranger").get("/findings").status_code == 200
    assert Desk(app, "stranger").get("/findings/12345").status_code == 404


def test_a_finding_goes_its_way_through_the_api(door, case):
    said = {"severity": "grave", "article": "N220 art 18", "text": "一人签字", "entry": 3}
    assert door.bad(403, "rita", "POST", f"/cases/{case}/findings", said)["rule"] == "auditor"
    assert "severity" in door.bad(422, "auditor", "POST", f"/cases/{case}/findings", said | {"severity": "huge"})["errors"]
    made = door.good("auditor", "POST", f"/cases/{case}/findings", said)
    number = made["finding"]
    assert door.good("rita", "GET", "/findings?state=unsettled")["items"][0]["may"] == ["reply"]
    assert door.bad(403, "auditor", "POST", f"/findings/{number}/uphold", {"text": "维持"})["rule"] == "right-of-reply"
    assert door.good("rita", "POST", f"/findings/{number}/reply", {"text": "已补"})["state"] == "replied"
    assert door.good("auditor", "POST", f"/findings/{number}/uphold", {"text": "维持"})["state"] == "upheld"
    assert door.bad(409, "rita", "POST", f"/findings/{number}/reply", {"text": "再答"})
    found = door.good("auditor", "GET", f"/cases/{case}/findings")["items"]
    assert [(one["state"], [x["kind"] for x in one["said"]]) for one in found] == [("upheld", ["reply", "verdict"])]
    assert door.good("auditor", "GET", f"/findings/{number}")["text"] == "一人签字"
    door.bad(404, "stranger", "GET", f"/findings/{number}")


def test_a_case_whose_drawing_is_gone_cannot_be_done_again_and_says_so(app, door, district, case, bureau):
    """On the page, through the API and on the command line's own judgement alike."""
    digest = district.case()["drawing"]
    with tampering(bureau.office.store) as conn:
        conn.execute(store.drawing.delete().where(store.drawing.c.digest == digest))
    bureau.cases._drawings.clear()
    told = door.good("auditor", "GET", f"/cases/{case}/replay")
    assert told["result"] == "cannot"
    assert digest in told["why"]
    page = Desk(app, "auditor").get(f"/cases/{case}/replay")
    assert page.status_code == 200
    assert digest in page.get_data(as_text=True)
