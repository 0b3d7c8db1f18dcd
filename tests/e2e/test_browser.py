"""People at work in a browser: the main road, its refusals, without JavaScript, on a phone, for everybody (axe)."""

from __future__ import annotations

import io
import re
from datetime import date, timedelta

import pytest

from engine import queries
from engine.model import SHANGHAI
from processes import documents, identity, organisation
from tests.district import PASSWORD
from tests.e2e.looks import troubles

pytestmark = pytest.mark.browser
NO_SCRIPT = pytest.param({"java_script_enabled": False}, id="without-javascript")
SCRIPT = pytest.param({}, id="with-javascript")


_SIGNED_IN: dict[str, dict[str, list]] = {}  # address -> login -> cookies


def enter(page, login):
    """Be this person, on no page yet: the first one on this site by its page, the others by what it sends; who comes back, with his cookies."""
    page.context.clear_cookies()
    address = page.url if page.url.startswith("http") else page.context.request.get("/health").url
    known = _SIGNED_IN.setdefault("/".join(address.split("/", 3)[:3]), {})
    if login in known:
        page.context.add_cookies(known[login])
        return
    if not known:
        page.goto("/sign-in")
        page.fill("#login", login)
        page.fill("#password", PASSWORD)
        page.click("button.primary")
        assert page.locator("h1").inner_text() == "待办"
    else:
        token = re.search(r'name="csrf_token" value="([^"]*)"', page.context.request.get("/sign-in").text())
        answer = page.context.request.post("/sign-in", form={"login": login, "password": PASSWORD, "csrf_token": token[1]}, max_redirects=0)
        assert answer.status == 302, answer.status
    known[login] = page.context.cookies()


def sign_in(page, login):
    """With the list of tasks open."""
    enter(page, login)
    if not page.url.rstrip("/").endswith("/tasks"):
        page.goto("/tasks")


def visited_if_drawn(page, site, no, step, agrees):
    """The draw is by chance: where it took the file, somebody of the district visits."""
    enter(page, "examiner1")
    page.goto(f"/cases/{no}")
    if page.locator(f"main table.list a:has-text('{step}')").count():
        open_task(page, "spot1", no, step)
        page.fill("[name=visited_on]", today(site))
        page.fill("[name=second_visitor]", "乙")
        page.fill("[name=findings]", "一致")
        page.check(f"[name={agrees}][value=true]")
        page.click("button.primary")


def open_task(page, login, no, step):
    enter(page, login)
    page.goto(f"/cases/{no}")
    page.click(f"main table.list a:has-text('{step}')")


def submit(page, no):
    with page.expect_navigation():  # a survey is sent by the page's script, and the case comes after its answer
        page.click("button.primary")
    assert page.url.endswith(f"/cases/{no}"), page.locator("main").inner_text()[:600]


def register(page, serial, wage):
    """A household with one earner and two others, its authorisations, its application; the case's number."""
    sign_in(page, "clerk11")
    page.goto("/households/new")
    page.select_option("[name=community]", index=1)
    page.check("[name=hukou_kind][value=urban]")
    page.fill("[name=address]", "测试路1号")
    for n in range(3):
        page.fill(f"[name=members-{n}-name]", "王" + "甲乙丙"[n])
        page.fill(f"[name=members-{n}-id_no]", identity.invent(date(1971 + n, 5, 5), "male", serial * 3 + n))
        page.select_option(f"[name=members-{n}-relation]", ["head", "spouse", "other"][n])
    page.select_option("[name=members-0-employment]", "employed")
    page.select_option("[name=members-0-income-0-kind]", "wage_income")
    page.fill("[name=members-0-income-0-amount_fen]", wage)
    page.click("button.primary")
    home = page.url
    for n in range(3):
        page.goto(f"{home}/authorization")
        page.select_option("[name=person_id]", index=n + 1)
        page.click("button.primary")
    page.goto(f"{home}/application")
    page.check("[name=applied_by][value=head]")
    page.fill("[name=reason]", "收入低，生活困难")
    page.click("button.primary")
    return page.url.rsplit("/", 1)[1]


def move(site, days):
    made = site[1]
    made.office.clock.set(made.office.clock() + timedelta(days=days))
    made.jobs.run_all()


def today(site):
    return site[1].office.clock().astimezone(SHANGHAI).date().isoformat()


def to_opinion(page, site, no, scan):
    open_task(page, "clerk11", no, "材料审查")
    page.check("[name=outcome][value=complete]")
    submit(page, no)
    site[1].jobs.run_all()
    open_task(page, "checker1", no, "出具核对报告")
    page.check("[name=check_conclusion][value=consistent]")
    page.fill("[name=report]", "一致")
    page.click("button.primary")
    open_task(page, "investigator11", no, "入户调查")
    page.fill("[name=surveyed_on]", today(site))
    page.select_option("[name=second_investigator]", "investigator12")
    for name in ("met_person", "housing", "living", "findings"):
        page.fill(f"[name={name}]", "属实")
    page.set_input_files("[name=surveyed_signature__file]", scan)
    submit(page, no)
    open_task(page, "investigator12", no, "第二调查人签字")
    page.check("[name=agree][value=agree]")
    submit(page, no)
    open_task(page, "investigator11", no, "邻里访问")
    page.fill("[name=enquired_on]", today(site))
    page.fill("[name=persons]", "邻居")
    page.fill("[name=statement]", "困难")
    submit(page, no)


def review(page, site, no):
    open_task(page, "officer11", no, "民主评议")
    page.fill("[name=held_on]", today(site))
    page.fill("[name=place]", "居委会")
    page.fill("[name=chair]", "主任")
    for n, kind in enumerate(["street_staff", "resident_representative", "resident_representative"]):
        page.fill(f"[name=participants-{n}-name]", f"参加人{n}")
        page.select_option(f"[name=participants-{n}-kind]", kind)
        page.check(f"[name=participants-{n}-signed][value=true]")
    page.fill("[name=statements]", "属实")
    page.check("[name=review_conclusion][value=agree]")
    submit(page, no)


@pytest.fixture
def scan(tmp_path):
    path = tmp_path / "page.pdf"
    path.write_bytes(b"%PDF-1.4 a signed page")
    return path


@pytest.mark.parametrize("page", [SCRIPT, NO_SCRIPT], indirect=True)
def test_a_household_goes_from_the_window_to_660_yuan(page, site, scan, request):
    no = register(page, 51 if "without" in request.node.name else 52, "2100.00")
    to_opinion(page, site, no, scan)
    review(page, site, no)
    open_task(page, "reviewer11", no, "街镇审核意见")
    assert "660.00" in page.locator("aside").inner_text()
    page.check("[name=street_outcome][value=propose_grant]")
    page.fill("[name=opinion]", "拟同意")
    submit(page, no)
    open_task(page, "leader11", no, "街镇分管领导签批")
    page.check("[name=signoff][value=agree]")
    page.fill("[name=opinion]", "同意")
    submit(page, no)
    for node, who in (("post_street_notice", "village"), ("post_district_notice", "village")):
        if node == "post_district_notice":
            open_task(page, "reviewer11", no, "报送区级审查")
            for part in ("application", "survey", "review", "opinion"):
                page.check(f"[name=contents][value={part}]")
            submit(page, no)
            visited_if_drawn(page, site, no, "区级入户抽查", "agrees")
            open_task(page, "examiner1", no, "区级全面审查")
            page.check("[name=district_outcome][value=propose_grant]")
            page.fill("[name=opinion]", "拟批准")
            page.click("button.primary")
        step = "张贴街镇公示" if node == "post_street_notice" else "张贴区级公示"
        open_task(page, f"{who}11", no, step)
        page.fill("[name=posted_on]", today(site))
        page.check("[name=places][value=village_board]")
        page.click("button.primary")
        move(site, 8)
        open_task(page, f"{who}11", no, "公示期满揭下")
        page.fill("[name=removed_on]", today(site))
        page.check("[name=objections][value=none]")
        page.click("button.primary")
    visited_if_drawn(page, site, no, "月末补抽入户抽查", "late_agrees")  # the district's notice ran over a month's end
    open_task(page, "approver1", no, "审批决定")
    page.check("[name=decision][value=granted]")
    page.fill("[name=opinion]", "批准")
    page.click("button.primary")
    assert "660.00" in page.locator("dl.checked").inner_text()
    submit(page, no)
    open_task(page, "clerk11", no, "送达批准决定")
    page.fill("[name=delivered_on]", today(site))
    page.select_option("[name=method]", "direct")
    page.fill("[name=recipient]", "王甲")
    submit(page, no)
    assert "660.00" in page.locator(".granted").inner_text()
    page.goto(f"/cases/{no}?tab=record")
    assert page.locator(".timeline li").count() >= 18
    page.goto(f"/cases/{no}?tab=drawing&step=3")
    assert page.locator("svg g.done").count() > 3
    page.goto(f"/cases/{no}?tab=papers")
    page.click("main a:has-text('批准决定')")
    assert "陆佰陆拾元整" in page.locator("body").inner_text()


def to_the_approver(site, no):
    """What lies between the check and the district's decision, and goes in the browser on the road to 660 yuan: through the engine's verbs."""
    made, day, reason = site[1], today(site), {"reason_code": "income_over", "clause": "第四条"}
    with made.office.read() as conn:
        home = int(queries.case_row(conn, no)["subject"].partition(":")[2])

    def waiting(conn):
        return {t["node"]: t["id"] for t in queries.case_tasks(conn, queries.case_row(conn, no)["id"]) if t["state"] == "open"}

    def do(login, node, **answers):
        with made.office.read() as conn:
            who, task = organisation.find_actor(conn, login), waiting(conn).get(node)
        if node == "spot_check_visit" and task is None:
            return  # the draw is by chance
        if node == "home_survey":
            staged = documents.stage(made.office, who, made.settings.files, home, io.BytesIO(b"%PDF-1.4 page"))
            with made.office.act(who) as act:
                answers["surveyed_signature"] = documents.keep(act, staged, "signature", "签字页")
        with made.office.act(who) as act:
            made.cases.complete(act, task, answers)

    seen = {"met_person": "王甲", "housing": "一居室", "living": "尚可", "findings": "收入较高"}
    people = [{"name": f"参加人{n}", "kind": kind, "signed": True} for n, kind in enumerate(["street_staff", "resident_representative", "resident_representative"])]
    do("investigator11", "home_survey", surveyed_on=day, second_investigator="investigator12", **seen)
    do("investigator12", "survey_cosign", agree="agree")
    do("investigator11", "neighbor_enquiry", enquired_on=day, persons="邻居", statement="收入较高")
    do("officer11", "democratic_review", held_on=day, place="居委会", chair="主任", participants=people, statements="收入较高", review_conclusion="disagree")
    do("reviewer11", "street_opinion", street_outcome="propose_refuse", opinion="收入高", **reason)
    do("leader11", "street_signoff", signoff="agree", opinion="同意")
    do("reviewer11", "submit_to_district", contents=["application", "survey", "opinion"])
    do("spot1", "spot_check_visit", visited_on=day, second_visitor="乙", findings="一致", agrees=True)
    do("examiner1", "district_examination", district_outcome="propose_refuse", opinion="不符合", **reason)


@pytest.mark.parametrize("page", [NO_SCRIPT], indirect=True)
def test_a_household_whose_income_is_too_high_gets_its_refusal_with_reasons(page, site):
    no = register(page, 53, "6000.00")
    open_task(page, "clerk11", no, "材料审查")
    page.check("[name=outcome][value=complete]")
    submit(page, no)
    site[1].jobs.run_all()
    open_task(page, "checker1", no, "出具核对报告")
    page.check("[name=check_conclusion][value=consistent]")
    page.fill("[name=report]", "与申报一致")
    page.click("button.primary")
    to_the_approver(site, no)
    open_task(page, "approver1", no, "审批不予批准")
    page.check("[name=decision][value=refused]")
    page.fill("[name=opinion]", "月人均收入2000元")
    page.select_option("[name=reason_code]", "income_over")
    page.fill("[name=clause]", "第四条")
    page.click("button.primary")
    assert "不予批准" in page.locator("dl.checked").inner_text()
    page.click("button[value=edit]")
    page.fill("[name=opinion]", "月人均收入2000.00元，高于保障标准")
    page.click("button.primary")
    submit(page, no)
    page.goto(f"/cases/{no}?tab=papers")
    page.click("main a:has-text('不予批准')")
    letter = page.locator("body").inner_text()
    for words in (no, "2000.00", "第四条", "行政复议"):
        assert words in letter, words


def test_a_wrong_answer_keeps_what_was_typed_and_says_where(page, site):
    no = register(page, 61, "2100.00")
    open_task(page, "clerk11", no, "材料审查")
    page.check("[name=outcome][value=incomplete]")
    page.fill("[name=opinion]", "材料不齐")
    page.click("button.primary")
    assert page.locator("#errors").is_visible()
    page.wait_for_selector("#errors:focus")  # the page's script may come a moment later
    assert page.locator("[name=opinion]").input_value() == "材料不齐"
    page.click("#errors a")
    assert "#f-missing" in page.url


def test_two_people_on_one_task_get_a_conflict_page_and_lose_nothing(page, site):
    no = register(page, 62, "2100.00")
    open_task(page, "clerk11", no, "材料审查")
    page.check("[name=outcome][value=complete]")
    page.fill("[name=opinion]", "我的意见")
    made = site[1]
    with made.office.act() as act:
        act.actor = organisation.find_actor(act.conn, "clerk12")
        task = next(t for t in queries.case_tasks(act.conn, queries.case_row(act.conn, no)["id"]) if t["state"] == "open")
        made.cases.complete(act, task["id"], {"outcome": "complete"})
    page.click("button.primary")
    text = page.locator("main").inner_text()
    assert "clerk12" in text
    assert page.locator("[name=opinion]").input_value() == "我的意见"


def test_who_investigated_may_not_review_and_is_told_the_rule(page, site, scan):
    sign_in(page, "auditor1")
    page.goto("/board")
    assert page.locator("h1").inner_text() == "督办台"
    sign_in(page, "investigator11")
    page.goto("/board")
    assert "只对主管开放" in page.locator("main").inner_text()


PAGES = ["/tasks?view=available", "/tasks?view=available&due=soon&process=dibao-2012", "/tasks?view=done", "/cases", "/households/", "/households/new", "/public/notices"]


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_axe_finds_nothing_and_a_phone_does_not_scroll_sideways(page, site, axe, lang):
    sign_in(page, "reviewer11")
    if lang == "en":
        page.click("text=English")
        assert page.locator("h1").inner_text() == "Tasks"
    with site[1].office.read() as conn:
        no = queries.cases(conn, "120116001").items[0]["no"]
    page.goto("/tasks?view=available")
    task = page.locator("table.list a").first.get_attribute("href") if page.locator("table.list a").count() else "/tasks"
    for address in [*PAGES, task, f"/cases/{no}", f"/cases/{no}?tab=record", f"/cases/{no}?tab=drawing", f"/cases/{no}?tab=household", f"/cases/{no}?tab=papers"]:
        page.goto(address)
        page.set_viewport_size({"width": 1400, "height": 900})
        assert troubles(page, axe, only=("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa")) == [], address
        page.set_viewport_size({"width": 390, "height": 844})
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, address
