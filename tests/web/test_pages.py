"""Pages without a browser: who sees what, what is refused and how, twice is once, names stay out of addresses."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import func, select

from engine import queries, store
from processes import households, identity, organisation
from processes.tables import document, household, staff
from processes.tables import person as person_table
from tests.district import COMMUNITY, PASSWORD, STREET
from tests.processes.test_documents import Disk
from tests.served import app_of


class Desk:
    """Somebody at a desk: signed in, sends forms as the pages do, tokens and keys included."""

    def __init__(self, app, login, lang="zh"):
        self.http = app.test_client()
        self.post("/language", {"lang": lang}, page="/sign-in")
        answer = self.post("/sign-in", {"login": login, "password": PASSWORD})
        assert answer.status_code == 302, answer.get_data(as_text=True)

    def get(self, path):
        return self.http.get(path)

    def text(self, path):
        answer = self.get(path)
        assert answer.status_code == 200, (path, answer.status_code)
        return answer.get_data(as_text=True)

    def post(self, path, sent, page=None):
        form = self.http.get(page or path).get_data(as_text=True)
        hidden = {name: re.search(rf'name="{name}" value="([^"]*)"', form) for name in ("csrf_token", "_key", "_etag")}
        return self.http.post(path, data={n: m[1] for n, m in hidden.items() if m} | sent, content_type="multipart/form-data")


@pytest.fixture
def app(bureau, district):
    return app_of(bureau)


@pytest.fixture
def case(district):
    district.home = district.household(210_000)
    return district.apply(district.home)


def rows(bureau, table, *where):
    with bureau.office.read() as conn:
        return conn.scalar(select(func.count()).select_from(table).where(*where))


def test_who_is_not_signed_in_gets_the_sign_in_page_and_comes_back(app):
    answer = app.test_client().get("/cases?state=open")
    assert answer.status_code == 302
    assert answer.location.endswith("next=/cases?state%3Dopen")


def test_headers_keep_pages_out_of_caches_frames_and_scripts(app):
    answer = Desk(app, "clerk").get("/tasks")
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "'unsafe-inline'" not in answer.headers["Content-Security-Policy"]
    assert re.search(r"\sstyle=|\son[a-z]+=|<script>|<style", answer.get_data(as_text=True)) is None


@pytest.mark.parametrize("target", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)"])
def test_sign_in_leads_nowhere_else(app, target):
    http = app.test_client()
    token = re.search(r'csrf_token" value="([^"]+)', http.get("/sign-in").get_data(as_text=True))[1]
    answer = http.post("/sign-in", query_string={"next": target}, data={"csrf_token": token, "login": "clerk", "password": PASSWORD})
    assert answer.location == "/tasks"


def test_five_failures_lock_a_login_even_for_the_right_password(app):
    http = app.test_client()
    token = re.search(r'csrf_token" value="([^"]+)', http.get("/sign-in").get_data(as_text=True))[1]
    for _ in range(5):
        assert http.post("/sign-in", data={"csrf_token": token, "login": "rita", "password": "wrong"}).status_code == 422
    answer = http.post("/sign-in", data={"csrf_token": token, "login": "rita", "password": PASSWORD})
    assert answer.status_code == 422
    assert "15 分钟" in answer.get_data(as_text=True)


def test_a_form_without_its_token_changes_nothing(app, bureau):
    desk = Desk(app, "clerk")
    before = rows(bureau, household)
    assert desk.http.post("/households/new", data={"address": "x"}).status_code == 400
    assert rows(bureau, household) == before


HOUSE = {"community": COMMUNITY, "hukou_kind": "urban", "address": "演示路2号", "members-0-name": "赵一", "members-0-relation": "head"}


def test_pressing_twice_registers_one_household(app, bureau, district):
    desk = Desk(app, "clerk")
    form = desk.text("/households/new")
    sent = {n: re.search(rf'name="{n}" value="([^"]*)"', form)[1] for n in ("csrf_token", "_key")}
    sent |= HOUSE | {"members-0-id_no": identity.invent(date(1980, 1, 1), "male", 77)}
    first, second = (desk.http.post("/households/new", data=sent) for _ in range(2))
    assert first.status_code == second.status_code == 302
    assert first.location == second.location
    assert rows(bureau, household) == 1


def test_a_wrong_household_keeps_what_was_typed_and_says_where(app):
    answer = Desk(app, "clerk").post("/households/new", HOUSE | {"members-0-id_no": "120116"})
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert 'href="#f-members-0-id_no"' in page
    assert 'id="f-members-0-id_no"' in page
    assert 'value="演示路2号"' in page


def test_who_practises_is_offered_numbers_that_can_be_registered_and_are_not_offered_again(app, bureau):
    desk = Desk(app, "clerk")

    def offered():
        return re.findall(r"<code>(\d{17}[\dX])</code>", desk.text("/households/new"))

    first = offered()
    assert len(first) == 3
    members = {f"members-{n}-{key}": value for n, number in enumerate(first) for key, value in (("name", f"王{n}"), ("id_no", number), ("relation", ("head", "spouse", "parent")[n]))}
    assert desk.post("/households/new", HOUSE | members).status_code == 302
    assert rows(bureau, household) == 1
    second = offered()
    assert len(second) == 3
    assert set(first).isdisjoint(second)
    assert not {n[-3:-1] for n in (*first, *second)} & {"93", "94", "95", "96", "97"}  # about these the bundled registries answer oddly


def test_no_number_is_offered_in_production(app, bureau, monkeypatch):
    assert "演练可用" in Desk(app, "clerk").text("/households/new")
    monkeypatch.setattr(bureau, "settings", replace(bureau.settings, env="production"))
    assert "演练可用" not in Desk(app, "clerk").text("/households/new")


def test_hardships_are_ticked_at_registration_and_corrected_with_what_was_said_before_on_the_page(app, district):
    desk = Desk(app, "clerk")
    number = identity.invent(date(1980, 1, 1), "male", 78)
    made = desk.post("/households/new", HOUSE | {"members-0-id_no": number, "hardships": ["single_parent_student", "major_illness"], "childless": "false"})
    assert made.status_code == 302, made.get_data(as_text=True)
    page = desk.text(made.location)
    assert "单亲家庭有在校子女" in page
    assert "有子女" in page
    form = desk.text(f"{made.location}/hardships")
    assert re.search(r'value="single_parent_student" checked', form)
    assert re.search(r'name="childless" value="false" checked', form)
    assert desk.post(f"{made.location}/hardships", {"hardships": "elderly_childless", "childless": "true"}).status_code == 302
    page = Desk(app, "clerk", "en").text(made.location)
    assert "All over 60 and childless" in page
    assert "Single parent" not in page
    assert Desk(app, "auditor").get(f"{made.location}/hardships").status_code == 403


def test_refusals_are_in_the_language_of_the_page(app, case, district):
    desk = Desk(app, "clerk", "en")
    assert "An ID number has 18 digits" in desk.post("/households/new", HOUSE | {"members-0-id_no": "120116"}).get_data(as_text=True)
    assert "There is no such case" in desk.get("/cases/DB-2018-999999").get_data(as_text=True)
    twice = desk.post(f"/households/{district.home}/application", {"applied_by": "head", "applied_on": "2018-12-03", "programme": "dibao", "reason": "r"})
    assert twice.status_code == 403
    assert "This household has an open case" in twice.get_data(as_text=True)


def test_readers_read_and_do_not_enter(app, bureau, case, district):
    desk = Desk(app, "auditor")
    page = desk.text(f"/households/{district.home}")
    assert "登记收入" not in page
    assert desk.get(f"/households/{district.home}/income").status_code == 403
    kept = rows(bureau, document)
    answer = desk.post(f"/households/{district.home}/documents", {"kind": "other", "file": (io.BytesIO(b"%PDF-1.4"), "a.pdf")}, page="/tasks")
    assert answer.status_code in (400, 403)
    assert rows(bureau, document) == kept


def test_a_strangers_street_sees_neither_household_nor_case_nor_task(app, case, district):
    desk = Desk(app, "stranger")
    task = district.tasks()["completeness_check"]
    for path in (f"/households/{district.home}", f"/cases/{case}", f"/tasks/{task['id']}", f"/households/{district.home}/reveal"):
        assert desk.get(path).status_code == 404, path


def test_names_and_ids_are_masked_everywhere_and_searched_without_addresses(app, case, district):
    desk = Desk(app, "clerk")
    task = district.tasks()["completeness_check"]
    for path in (f"/households/{district.home}", f"/cases/{case}?tab=household", f"/tasks/{task['id']}", "/tasks?view=available", "/cases", "/households/"):
        page = desk.text(path)
        assert "张一" not in page, path
        assert re.search(r"\b\d{17}[\dX]\b", page) is None, path
    found = desk.post("/cases", {"sought": "张"}, page="/cases")
    assert case in found.get_data(as_text=True)
    assert case not in desk.post("/cases", {"sought": "李"}, page="/cases").get_data(as_text=True)
    assert f"/households/{district.home}" in desk.post("/households/", {"name": "张"}).get_data(as_text=True)
    assert f"/households/{district.home}" not in desk.post("/households/", {"name": "李"}).get_data(as_text=True)
    assert 'method="post" role="search"' in desk.text("/cases")


def test_causes_and_health_are_sealed_masked_and_told_in_words(app, bureau, district):
    """致困原因 is often an illness, whatever an imported list says: nothing of it stands in clear."""
    member = {"disability_kind": "limb", "disability_grade": 2, "serious_illness": "肾衰竭", "serious_outpatient_illness": True, "labour_ability": "completely_lost"}
    home = district.household(210_000, hardship_cause="肾衰竭致贫", last=member)
    with district.office.read() as conn:
        person = households.members_of(conn, home)[-1]["person_id"]
        assert "肾".encode() not in conn.scalar(select(household.c.hardship_cause).where(household.c.id == home))
        assert b"lost" not in conn.scalar(select(person_table.c.labour_ability).where(person_table.c.id == person))
        assert households.view(conn, bureau.office.keys.on(conn), home)["members"][-1]["labour_ability"] == "****"
        assert households.snapshot(conn, bureau.office.keys.on(conn), home, bureau.office.today())["members"][-1]["labour_ability"] == "completely_lost"
    desk = Desk(app, "clerk")
    page = desk.text(f"/households/{home}")
    assert "致困原因 ****" in page
    assert "肾衰竭" not in page
    path = f"/households/{home}/reveal"
    assert "肾衰竭致贫" in desk.post(path, {"what": f"household.{home}.hardship_cause", "reason": "核对"}).get_data(as_text=True)
    told = desk.post(path, {"what": f"person.{person}.health", "reason": "核对"}).get_data(as_text=True)
    assert "残疾类别：肢体；残疾等级：2；重大疾病：肾衰竭；享受门诊特殊病待遇：是" in told
    told = desk.post(path, {"what": f"person.{person}.labour_ability", "reason": "核对"}).get_data(as_text=True)
    assert "劳动能力：完全丧失" in told
    auditor = Desk(app, "auditor")
    assert auditor.text("/audit/reads?event=health_revealed").count("劳动能力") == 1, "it is counted as a look at health"


def test_revealing_needs_a_reason_and_is_in_the_readers_record(app, bureau, case, district):
    desk = Desk(app, "clerk")
    path = f"/households/{district.home}/reveal"
    what = {"what": f"household.{district.home}.address"}
    refused = desk.post(path, what | {"reason": " "})
    assert refused.status_code == 422
    assert "演示路1号" not in refused.get_data(as_text=True)
    assert "演示路1号" in desk.post(path, what | {"reason": "核对地址"}).get_data(as_text=True)
    assert rows(bureau, store.record, store.record.c.kind == "reader") == 1
    assert desk.post(path, {"what": "person.999999.id_no", "reason": "x"}).status_code == 403


def test_a_task_says_article_deadline_and_why_not(app, case, district):
    task = district.tasks()["completeness_check"]
    page = Desk(app, "clerk").text(f"/tasks/{task['id']}")
    assert "220号第十三条" in page
    assert 'value="complete">提交' in page
    supervisor = Desk(app, "sue").text(f"/tasks/{task['id']}")
    assert "您不能办理这件待办：这件待办不属于您的岗位" in supervisor
    assert 'value="complete">提交' not in supervisor.replace('tabindex="-1"', "").split('class="buttons"')[1]


def test_a_draft_is_kept_for_its_writer_only_and_goes_with_the_task(app, bureau, case, district):
    task = district.tasks()["completeness_check"]
    desk, other = Desk(app, "clerk"), Desk(app, "clerk2")
    saved = desk.post(f"/tasks/{task['id']}/draft", {"opinion": "只有我看见"}, page=f"/tasks/{task['id']}")
    assert saved.status_code == 200
    assert "草稿存于" in saved.json["message"]
    assert "只有我看见" in desk.text(f"/tasks/{task['id']}")
    assert "只有我看见" not in other.text(f"/tasks/{task['id']}")
    desk.post(f"/tasks/{task['id']}", {"_do": "complete", "outcome": "complete"})
    assert rows(bureau, store.draft) == 0
    late = desk.post(f"/tasks/{task['id']}/draft", {"opinion": "x"}, page="/households/new")
    assert late.status_code == 409


def test_a_stale_page_gets_both_versions(app, case, district):
    task = district.tasks()["completeness_check"]
    desk = Desk(app, "clerk")
    old = desk.text(f"/tasks/{task['id']}")
    sent = {n: re.search(rf'name="{n}" value="([^"]*)"', old)[1] for n in ("csrf_token", "_key", "_etag")}
    Desk(app, "clerk2").post(f"/tasks/{task['id']}", {"_do": "complete", "outcome": "complete"})
    answer = desk.http.post(f"/tasks/{task['id']}", data=sent | {"_do": "complete", "outcome": "complete", "opinion": "我的意见"})
    page = answer.get_data(as_text=True)
    assert answer.status_code == 409
    assert "您填写的内容" in page
    assert "个案现在的情况" in page
    assert re.search(r"（clerk2） · 材料审查 办结( ·|<)", page), "who did what"
    assert "我的意见" in page


def test_who_comes_second_does_not_lose_the_scan(app, district):
    """Two investigators at one survey: the second one's page is refused, the scan stays with the household and in his form."""
    district.apply(district.household(210_000))
    district.accept()
    task = district.tasks()["home_survey"]
    late = Desk(app, "carl")
    old = late.text(f"/tasks/{task['id']}")
    sent = {n: re.search(rf'name="{n}" value="([^"]*)"', old)[1] for n in ("csrf_token", "_key", "_etag")}
    said = {"surveyed_on": "2018-12-03", "second_investigator": "bob", "met_person": "户主", "housing": "一间", "living": "简朴", "findings": "属实"}
    district.survey()
    scan = {"surveyed_signature__file": (io.BytesIO(b"%PDF-1.4 page of carl"), "carl.pdf")}
    answer = late.http.post(f"/tasks/{task['id']}", data=sent | said | scan | {"_do": "complete"}, content_type="multipart/form-data")
    assert answer.status_code == 409
    assert "carl.pdf" in answer.get_data(as_text=True)
    assert "carl.pdf" in late.text(f"/households/{district.facts()['household_id']}")


def test_a_refused_person_is_told_the_rule_and_keeps_the_text(app, case, district):
    task = district.tasks()["completeness_check"]
    answer = Desk(app, "ann").post(f"/tasks/{task['id']}", {"_do": "complete", "outcome": "complete", "opinion": "留着"})
    page = answer.get_data(as_text=True)
    assert answer.status_code == 403
    assert "不属于您的岗位" in page
    assert "留着" in page


def test_handing_over_needs_a_person_and_escalating_a_reason(app, case, district):
    task = district.tasks()["completeness_check"]
    desk = Desk(app, "clerk")
    path = f"/tasks/{task['id']}"
    desk.post(path, {"_do": "claim"})
    assert "没有这位工作人员" in desk.post(path, {"_do": "transfer", "_to": "", "_reason": "r"}).get_data(as_text=True)
    wrong = desk.post(path, {"_do": "escalate", "_reason": ""})
    assert wrong.status_code == 422
    assert 'href="#f-_reason"' in wrong.get_data(as_text=True)
    assert desk.post(path, {"_do": "transfer", "_to": "clerk2", "_reason": "出差"}).status_code == 302
    assert district.tasks()["completeness_check"]["assignee"] == "clerk2"
    assert Desk(app, "sue").post(path, {"_do": "transfer", "_to": "clerk", "_reason": "平衡"}).status_code == 302
    assert district.tasks()["completeness_check"]["assignee"] == "clerk"


def test_the_board_shows_load_steps_and_near_relatives(app, district):
    home = district.household(210_000, near_relative_declared=True)
    no = district.apply(home)
    Desk(app, "clerk").post(f"/tasks/{district.tasks()['completeness_check']['id']}", {"_do": "claim"})
    page = Desk(app, "sue").text("/board")
    special = page.split('id="special"')[1].split("</table>")[0]
    assert no in special
    assert re.search(r"某clerk（clerk）</td><td[^>]*>1<", page)
    assert no not in Desk(app, "sue").text("/board?unit=120116005")
    assert Desk(app, "clerk").get("/board").status_code == 403


def test_the_record_tells_who_in_which_post_how_long_and_what_changed(app, clock, case, district):
    task = district.tasks()["completeness_check"]
    clock.advance(days=1, hours=2)
    Desk(app, "clerk").post(f"/tasks/{task['id']}", {"_do": "complete", "outcome": "complete"})
    page = Desk(app, "clerk").text(f"/cases/{case}?tab=record")
    for said in ("某clerk（clerk）", "窗口经办人", "耗时 1 天 2 小时", "受理日期 2018-12-04", "在图上看第 2 步"):
        assert said in page
    english = Desk(app, "clerk", "en").text(f"/cases/{case}?tab=record")
    assert "took 1 d 2 h" in english
    assert "Accepted on 2018-12-04" in english


@pytest.mark.parametrize("tab", ["overview", "household", "checks", "record", "papers", "nonsense"])
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_tab_of_a_case_opens(app, case, tab, lang):
    page = Desk(app, "clerk", lang).text(f"/cases/{case}?tab={tab}")
    assert page.count("<h1>") == 1


@pytest.mark.parametrize("query", ["step=0", "step=999", "step=x", "tab=drawing&step=１"])
def test_a_strange_step_is_no_error(app, case, query):
    desk = Desk(app, "clerk")
    there = desk.get(f"/cases/{case}?{query}")  # the address of the time before the replay had a page of its own
    assert (there.status_code, there.location.partition("?")[0]) == (302, f"/cases/{case}/replay")
    assert desk.get(there.location).status_code == 200


def test_two_administrators_see_what_they_confirm(app, bureau, district):
    first, second = Desk(app, "admin"), Desk(app, "admin2")
    sent = {"login": "newcomer", "kind": "add", "name": "新来的", "password": "long-enough", "role": "reviewer", "unit": STREET}
    assert first.post("/admin/", sent).status_code == 302
    page = second.text("/admin/")
    assert "审核人（塘沽街道）" in page.split("提出变更")[0]
    assert "long-enough" not in page
    with bureau.office.read() as conn:
        change = organisation.changes(conn)[0]["id"]
    assert first.post("/admin/", {"confirm": str(change)}).status_code == 403
    assert rows(bureau, staff, staff.c.login == "newcomer") == 0
    assert second.post("/admin/", {"confirm": str(change)}).status_code == 302
    assert rows(bureau, staff, staff.c.login == "newcomer") == 1


def test_an_administrator_may_refuse_and_wrong_proposals_stay_on_the_page(app, bureau):
    desk = Desk(app, "admin")
    wrong = desk.post("/admin/", {"login": "clerk", "kind": "relative", "name": "张三", "relation": "spouse", "id_no": "123"})
    assert wrong.status_code == 422
    assert 'value="张三"' in wrong.get_data(as_text=True)
    desk.post("/admin/", {"login": "clerk", "kind": "deactivate"})
    with bureau.office.read() as conn:
        change = organisation.changes(conn)[0]["id"]
    assert desk.post("/admin/", {"refuse": str(change)}).status_code == 302
    with bureau.office.read() as conn:
        assert organisation.changes(conn) == []
    assert Desk(app, "clerk").get("/admin/").status_code == 403


def test_a_member_leaves_and_a_page_that_is_not_there_is_not_there(app, bureau, district):
    home = district.household(210_000)
    desk = Desk(app, "clerk")
    with bureau.office.read() as conn:
        from processes import households

        last = households.members_of(conn, home)[-1]["person_id"]
    assert desk.post(f"/households/{home}/departure", {"person_id": str(last), "on": "2018-12-03"}).status_code == 302
    with bureau.office.read() as conn:
        assert len(households.members_of(conn, home)) == 2
    assert desk.get(f"/households/{home}/nonsense").status_code == 404
    assert desk.get("/nonsense").status_code == 404


def test_wrong_files_are_refused_beside_their_field(app, case, district, bureau):
    desk = Desk(app, "clerk")
    path = f"/cases/{case}/messages/withdrawal"
    sent = {"withdrawn_on": "2018-12-03", "reason": "不再需要"}
    wrong = desk.post(path, sent | {"signed_document__file": (io.BytesIO(b"MZ not a picture"), "x.pdf")})
    assert wrong.status_code == 422
    assert "只接受 PDF、PNG 或 JPEG 文件" in wrong.get_data(as_text=True)
    assert desk.post(path, sent | {"signed_document__file": (io.BytesIO(b"%PDF-1.4 page"), "x.pdf")}).status_code == 302
    with bureau.office.read() as conn:
        assert queries.case_row(conn, case)["outcome"] == "ended_withdrawn"


def test_what_was_said_about_several_persons_stands_once_beside_the_next_step(app, district):
    district.to_street_opinion(210_000)
    district.review()
    no = district.case()["no"]
    shown = Desk(app, "rita").text(f"/tasks/{district.tasks(no)['street_opinion']['id']}")
    said = re.findall(r'<p class="opinion"><b>([^<]*)</b>', shown)
    assert said.count("民主评议") == 1, said
    assert said.count("入户调查") == 1, said


@pytest.mark.parametrize("kind", ["application", "declaration", "authorisation", "survey", "democratic_review", "delivery"])
def test_sheets_are_printed_for_those_who_work_cases(app, case, district, kind):
    desk = Desk(app, "clerk")
    assert f"/cases/{case}/sheets/{kind}" in desk.text(f"/cases/{case}?tab=papers")
    for path in (f"/cases/{case}/sheets/{kind}", f"/households/{district.home}/sheets/{kind}"):
        assert '<body class="letter">' in desk.text(path)
        assert Desk(app, "auditor").get(path).status_code == 403
    assert desk.get(f"/cases/{case}/sheets/nonsense").status_code == 404


def scan(text="page", name="x.pdf"):
    return io.BytesIO(f"%PDF-1.4 {text}".encode()), name


def test_a_file_sent_with_a_refused_form_is_kept_once_chosen_on_the_page_and_need_not_be_sent_again(app, bureau, case, district):
    district.accept()
    desk, task = Desk(app, "ann"), district.tasks()["home_survey"]
    path, before = f"/tasks/{task['id']}", rows(bureau, document)
    sent = {"surveyed_on": "2018-12-03", "second_investigator": "bob", "met_person": "张一", "housing": "一居室", "living": "简朴"}
    for turn in range(2):  # the second time somebody sends the file again, to be sure
        answer = desk.post(path, sent | {"surveyed_signature__file": scan(name="签字.pdf"), "photos__file": scan("photo", "照片.pdf")})
        page = answer.get_data(as_text=True)
        assert answer.status_code == 422
        assert rows(bureau, document) == before + 2, turn
        [number] = re.findall(r'value="(\d+)" selected>签字\.pdf', page)
        [photo] = re.findall(r'name="photos" value="(\d+)" checked> 照片\.pdf', page)
        assert "已保留" in page
    done = desk.post(path, sent | {"surveyed_signature": number, "photos": photo, "photos__file": scan("photo", "照片.pdf"), "findings": "属实"})
    assert done.status_code == 302, done.get_data(as_text=True)
    assert rows(bureau, document) == before + 2
    assert "已保留" not in desk.text(f"/cases/{case}")


def test_the_same_holds_for_what_is_added_to_a_household_and_for_what_comes_in(app, bureau, case, district):
    desk, before = Desk(app, "clerk"), rows(bureau, document)
    wrong = {"person_id": "", "signed_on": "2018-12-03", "valid_until": "2019-12-03", "document_id__file": scan("authorisation", "授权书.pdf")}
    page = desk.post(f"/households/{district.home}/authorization", wrong).get_data(as_text=True)
    number = re.search(r'value="(\d+)" selected>授权书\.pdf', page)
    assert number is not None
    assert "已保留" in page
    page = desk.post(f"/cases/{case}/messages/withdrawal", {"withdrawn_on": "2018-12-03", "signed_document__file": scan("withdrawal", "撤回.pdf")}).get_data(as_text=True)
    assert re.search(r'value="\d+" selected>撤回\.pdf', page)
    assert rows(bureau, document) == before + 2


def test_adding_a_row_or_saving_a_draft_does_not_lose_a_chosen_file(app, bureau, case, district):
    district.accept()
    district.check()
    district.survey()
    task = district.tasks()["democratic_review"]
    desk, path = Desk(app, "officer"), f"/tasks/{task['id']}"
    page = desk.post(path, {"_do": "row", "signed_document__file": scan("minutes", "记录.pdf")}).get_data(as_text=True)
    assert re.search(r'value="\d+" selected>记录\.pdf', page)
    assert desk.post(path, {"_do": "draft", "signed_document__file": scan("minutes", "记录.pdf")}).status_code == 302
    assert re.search(r'value="\d+" selected>记录\.pdf', desk.text(path))


def test_of_several_files_the_good_ones_are_kept_and_the_bad_one_is_named(app, bureau, case, district):
    district.accept()
    desk, task, before = Desk(app, "ann"), district.tasks()["home_survey"], rows(bureau, document)
    answer = desk.post(f"/tasks/{task['id']}", {"photos__file": [scan("1", "甲.pdf"), (io.BytesIO(b"MZ"), "乙.exe"), scan("2", "丙.pdf")]})
    page = answer.get_data(as_text=True)
    assert re.findall(r'name="photos" value="\d+" checked> (.)\.pdf', page) == ["甲", "丙"]
    assert "只接受 PDF、PNG 或 JPEG 文件：乙.exe" in page
    assert rows(bureau, document) == before + 2
    page = Desk(app, "ann", "en").post(f"/tasks/{task['id']}", {"photos__file": (io.BytesIO(b"MZ"), "乙.exe")}).get_data(as_text=True)
    assert "Only PDF, PNG or JPEG files: 乙.exe" in page


def test_who_may_not_do_a_task_leaves_no_papers_with_it_nor_does_claiming(app, bureau, case, district):
    district.accept()
    task, before = district.tasks()["home_survey"], rows(bureau, document)
    path = f"/tasks/{task['id']}"
    assert Desk(app, "clerk").post(path, {"surveyed_signature__file": scan()}).status_code == 403
    assert Desk(app, "ann").post(path, {"_do": "claim", "surveyed_signature__file": scan()}).status_code == 302
    assert Desk(app, "carl").post(path, {"surveyed_signature__file": scan()}).status_code == 403
    assert rows(bureau, document) == before


def test_posting_and_removal_photos_are_shown_with_the_notice_and_its_sheet(app, bureau, district):
    district.to_street_opinion()
    district.review()
    district.street()
    vera = Desk(app, "vera")

    def photo(node, **sent):
        told = vera.post(f"/tasks/{district.tasks()[node]['id']}", sent | {"photo__file": (io.BytesIO(b"\x89PNG\r\n\x1a\n" + node.encode()), f"{node}.png")})
        assert told.status_code == 302, told.get_data(as_text=True)
        with bureau.office.read() as conn:
            return conn.scalar(select(func.max(document.c.id)))

    posted = photo("post_street_notice", posted_on="2018-12-03", places="village_board")
    page = Desk(app, "clerk").text(f"/cases/{district.no}?tab=papers")
    assert f'<a href="/documents/{posted}">张贴照片</a>' in page
    assert "揭下照片" not in page
    district.at("2018-12-11T09:00")
    removed = photo("remove_street_notice", removed_on="2018-12-11", objections="none")
    page = Desk(app, "clerk").text(f"/cases/{district.no}?tab=papers")
    assert f'<a href="/documents/{removed}">揭下照片</a>' in page
    [path] = re.findall(r'href="(/cases/[^"]+/notices/\d+)"', page)
    sheet = Desk(app, "clerk").text(path)
    assert re.findall(r'<img src="/documents/(\d+)"', sheet) == [str(posted), str(removed)]
    assert "街镇审核意见公示" in sheet
    assert "2018年12月11日揭下" in sheet
    assert Desk(app, "stranger").get(path).status_code == 404
    assert Desk(app, "clerk").get(path + "9").status_code == 404


@pytest.mark.parametrize(("lang", "words"), [("zh", ("直接送达", "送达回证")), ("en", ("In person", "Proof of delivery"))])
def test_how_a_letter_was_delivered_and_its_proof_stand_beside_it(app, district, lang, words):
    district.to_refusal()
    district.do("clerk", "deliver_refusal", delivered_on="2018-12-03", method="direct", recipient="张一", receipt_document=district.scan)
    page = Desk(app, "clerk", lang).text(f"/cases/{district.no}?tab=papers")
    assert f'{words[0]} · <a href="/documents/{district.scan}">{words[1]}</a>' in page


def broken_off():
    """A form whose large file comes before a field that is too large: the file is a temporary file when the reading breaks off."""
    part = '--b\r\nContent-Disposition: form-data; name="{}"{}\r\n\r\n'
    file, field = part.format("file", '; filename="a.pdf"').encode() + b"%PDF-1.4" + b"x" * 3_000_000, part.format("kind", "").encode() + b"k" * 3_000_000
    return file + b"\r\n" + field + b"\r\n--b--\r\n"


@pytest.mark.parametrize("path", ["/households/1/documents", "/api/v1/households/1/documents"])
def test_a_request_that_is_too_large_leaves_no_open_file(app, district, monkeypatch, path):
    from werkzeug.wrappers import request as werkzeug_request

    made, usual = [], werkzeug_request.default_stream_factory
    monkeypatch.setattr(werkzeug_request, "default_stream_factory", lambda **kind: made.append(usual(**kind)) or made[-1])
    with district.office.act() as act:
        token = organisation.make_token(act, "clerk", "test")
    answer = Desk(app, "clerk").http.post(path, data=broken_off(), content_type="multipart/form-data; boundary=b", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 413
    answer.close()
    assert len(made) == 1
    assert made[0].closed


def test_what_a_person_should_look_at_stands_with_the_calculation(app, district):
    """920.00 a head is not below 920.00 (N220 art 4), and one more look at the figures is asked for."""
    district.to_street_opinion(276_000)
    assert district.facts()["edge"] is True
    assert "人均收入恰等于标准" in Desk(app, "rita").text(f"/cases/{district.no}")
    assert "exactly the standard" in Desk(app, "rita", lang="en").text(f"/cases/{district.no}")


def test_the_registration_of_a_near_relative_offers_everybody_over_the_community(app, district):
    """Colleagues of the same post take a task over; a near relative may hold any post."""
    district.apply(district.household(210_000, near_relative_declared=True))
    district.accept()
    page = Desk(app, "clerk").text(f"/tasks/{district.tasks()['register_near_relative']['id']}")
    offered = {name: set(re.findall(r'<option value="([a-z0-9]+)"', part)) for name in ("f-staff_login", "f-_to")
               for part in [page.partition(f'<select id="{name}"')[2].partition("</select>")[0]]}  # fmt: skip
    assert {"vera", "ann", "exam"} <= offered["f-staff_login"]
    assert not offered["f-staff_login"] & {"stranger", "clerk"}
    assert offered["f-_to"] == {"clerk2"}


@pytest.mark.parametrize(("lang", "words"), [("zh", "委托至"), ("en", "Delegated until")])
def test_a_task_is_delegated_for_a_time_on_its_page(app, district, lang, words):
    district.apply(district.household(210_000))
    path = f"/tasks/{district.tasks()['completeness_check']['id']}"
    clerk = Desk(app, "clerk", lang)
    assert 'value="delegate"' not in clerk.text(path), "not his yet"
    clerk.post(path, {"_do": "claim"})
    assert 'value="delegate"' in clerk.text(path)
    sent = {"_do": "delegate", "_to": "clerk2", "_reason": "出差"}
    wrong = clerk.post(path, sent | {"_until": "soon"})
    assert wrong.status_code == 422
    assert 'id="until-err"' in wrong.get_data(as_text=True)
    assert clerk.post(path, sent | {"_until": "2018-12-02"}).status_code == 403
    assert clerk.post(path, sent | {"_until": "2018-12-05"}).status_code == 302
    page = clerk.text(f"/cases/{district.no}?tab=record")
    assert words in page
    assert "2018-12-05" in page
    assert 'value="delegate"' not in Desk(app, "clerk2", lang).text(path), "it is not delegated on"


def test_every_door_writes_a_file_before_its_act_opens(app, bureau, district, case, monkeypatch):
    seen, pdf = Disk(monkeypatch), lambda n: (io.BytesIO(b"%%PDF-1.4 %d" % n), f"{n}.pdf")
    clerk, page, files = Desk(app, "clerk"), f"/households/{district.home}", bureau.settings.files
    before = len(list(files.iterdir()))
    assert clerk.post(f"{page}/documents", {"kind": "other", "file": [pdf(1), pdf(2)]}, page=page).status_code == 302
    clerk.post(f"/cases/{case}/messages/withdrawal", {"withdrawn_on": "2018-12-03", "signed_document__file": pdf(3)})
    district.accept()
    survey = district.tasks()["home_survey"]["id"]
    assert Desk(app, "ann").post(f"/tasks/{survey}", {"_do": "draft", "photos__file": [pdf(4), pdf(5)]}).status_code == 302
    from tests.web.test_api import Door

    api = Door(bureau, district)
    api.good("clerk", "POST", f"{page}/documents", data={"file": pdf(6)}, content_type="multipart/form-data")
    assert seen.open == [0, 0] * 6, "each file, then its folder"
    assert len(list(files.iterdir())) == before + 6
    refused = [
        Desk(app, "stranger").post(f"{page}/documents", {"kind": "other", "file": pdf(7)}, page="/tasks").status_code,
        api.call("stranger", "POST", f"{page}/documents", data={"file": pdf(7)}, content_type="multipart/form-data").status_code,
        api.call("auditor", "POST", f"{page}/documents", data={"file": pdf(7)}, content_type="multipart/form-data").status_code,
        Desk(app, "clerk").post(f"/tasks/{survey}", {"photos__file": pdf(7)}, page="/tasks").status_code,
    ]
    assert refused == [404, 404, 403, 403]
    assert len(seen.open) == 12, "who may not is refused before anything is written"
