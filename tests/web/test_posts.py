"""Somebody with posts in two streets at the pages and the API: both streets and no third one, and in each the post held there."""

from __future__ import annotations

import io

import pytest

from engine.errors import NotFound
from engine.model import Actor
from tests.district import STREET
from tests.processes.test_import_annex1 import line, sheet
from tests.processes.test_posts import AWAY, HERE, OTHER, THERE, THIRD, WITHDRAWAL, accepted, task_of, town  # noqa: F401 - town is a fixture
from tests.served import app_of
from tests.web.test_api import Door
from tests.web.test_pages import Desk
from web.cases import visible

PDF = b"%PDF-1.4 page"


@pytest.fixture
def people(town):  # noqa: F811
    return town


def test_the_api_shows_both_streets_and_does_in_each_what_is_held_there(people):
    door = Door(people.bureau, people)
    homes, cases = ({community: found[n] for community, found in people.homes.items()} for n in (0, 1))
    accepted(people, THERE, "stranger")
    assert door.good("two", "GET", "/me")["posts"] == [{"role": "investigator", "unit": OTHER}, {"role": "window_clerk", "unit": STREET}]
    assert {c["no"] for c in door.good("two", "GET", "/cases")["items"]} == {cases[HERE], cases[THERE]}
    assert [c["no"] for c in door.good("two", "GET", f"/cases?unit={OTHER}")["items"]] == [cases[THERE]]
    for unit in (THIRD, "120116"):
        door.bad(403, "two", "GET", f"/cases?unit={unit}")
    assert {h["id"] for h in door.good("two", "POST", "/households/search", {"name": "王"})["items"]} == {homes[HERE], homes[THERE]}
    assert [u["code"] for u in door.good("two", "GET", "/units")["items"]] == [STREET, HERE, OTHER, THERE]
    nodes = {(t["node"], t["unit"]) for t in door.good("two", "GET", "/tasks?view=available")["items"]}
    assert nodes == {("completeness_check", STREET), ("home_survey", OTHER), ("neighbor_enquiry", OTHER)}
    for path in (f"/cases/{cases[AWAY]}", f"/cases/{cases[AWAY]}/record", f"/households/{homes[AWAY]}", f"/households/{homes[AWAY]}/documents"):
        door.bad(404, "two", "GET", path)
    accepted(people, HERE, "clerk")
    assert "withdrawal" in door.good("two", "GET", f"/cases/{cases[HERE]}")["messages"]
    there = door.good("two", "GET", f"/cases/{cases[THERE]}")
    assert "withdrawal" in there["waits_for"]
    assert there["messages"] == {}
    assert door.bad(403, "two", "POST", f"/cases/{cases[THERE]}/withdraw", WITHDRAWAL)["rule"] == "unit"
    door.bad(404, "two", "POST", f"/cases/{cases[AWAY]}/withdraw", WITHDRAWAL)
    door.good("two", "POST", f"/cases/{cases[HERE]}/withdraw", WITHDRAWAL)


def test_the_api_lets_nobody_enter_where_his_post_only_reads(people):
    door = Door(people.bureau, people)
    homes, cases = ({community: found[n] for community, found in people.homes.items()} for n in (0, 1))
    income = {"property": [{"kind": "monetary_assets", "amount_fen": "1.00"}]}
    door.good("reader", "PUT", f"/households/{homes[HERE]}/property", income)
    assert door.bad(403, "reader", "PUT", f"/households/{homes[THERE]}/property", income)["rule"] == "casework"
    file = lambda: {"data": {"file": (io.BytesIO(PDF), "a.pdf")}, "content_type": "multipart/form-data"}  # noqa: E731
    door.good("reader", "POST", f"/households/{homes[HERE]}/documents", **file())
    assert door.bad(403, "reader", "POST", f"/households/{homes[THERE]}/documents", **file())["rule"] == "casework"
    new = {"community": THERE, "hukou_kind": "urban", "address": "某路", "phone": "13800138000", "members": [{"name": "李一", "relation": "head", "id_no": "120116197001010016"}]}
    assert door.bad(403, "reader", "POST", "/households", new)["rule"] == "casework"
    door.good("reader", "GET", f"/cases/{cases[HERE]}/survey-sheet")
    assert door.bad(403, "reader", "GET", f"/cases/{cases[THERE]}/survey-sheet")["rule"] == "role"


def test_pages_show_both_streets_and_offer_in_each_what_is_held_there(people):
    app = app_of(people.bureau)
    two, reader, boss = (Desk(app, login) for login in ("two", "reader", "boss"))
    homes, cases = ({community: found[n] for community, found in people.homes.items()} for n in (0, 1))
    accepted(people, THERE, "stranger")
    accepted(people, HERE, "clerk")
    listed = two.text("/cases")
    assert [no in listed for no in cases.values()] == [True, True, False]
    assert "入户调查人 · 杭州道街道 / 窗口经办人 · 塘沽街道" in listed
    found = two.text("/households/")
    assert [f'/households/{home}"' in found for home in homes.values()] == [True, True, False]
    assert two.get(f"/cases/{cases[AWAY]}").status_code == two.get(f"/households/{homes[AWAY]}").status_code == 404
    assert f"/cases/{cases[HERE]}/messages/withdrawal" in two.text(f"/cases/{cases[HERE]}")
    assert f"/cases/{cases[THERE]}/messages/withdrawal" not in two.text(f"/cases/{cases[THERE]}")
    applying = [f"/households/{homes[community]}/application" in two.text(f"/households/{homes[community]}") for community in (HERE, THERE)]
    assert applying == [True, False]
    communities = two.text("/households/new")
    assert [code in communities for code in (HERE, THERE, AWAY)] == [True, True, False]
    assert [code in reader.text("/households/new") for code in (HERE, THERE)] == [True, False]
    assert reader.get(f"/households/{homes[THERE]}/property").status_code == 403
    assert reader.get(f"/households/{homes[HERE]}/property").status_code == 200
    assert reader.get(f"/cases/{cases[THERE]}/sheets/survey").status_code == 403
    for community in (HERE, THERE):
        with people.office.act(people.people["sue"]) as act:
            people.cases.escalate(act, task_of(people, community, "home_survey")["id"], "请关注")
    for asked in ("", "?unit=" + OTHER):  # where he is a clerk
        assert [no in boss.text("/board" + asked) for no in cases.values()] == [True, False, False]
    assert [no in Desk(app, "sue").text("/board") for no in cases.values()] == [True, True, False]


def test_a_list_on_the_page_takes_lines_of_the_street_where_he_is_a_clerk(people):
    app = app_of(people.bureau)
    raw = sheet(line(), line(身份证号="120116196501010028", 申请人="钱二", **{"乡镇（街道）": "杭州道街道", "村（居委会）": "某社区"}))
    two = Desk(app, "two")
    page = two.post("/households/import/", {"file": (io.BytesIO(raw), "a.xlsx")})
    assert page.status_code == 302
    text = two.text(page.location)
    assert "不在您的辖区" in text
    assert Desk(app, "ina").get("/households/import/").status_code == 403


def test_a_case_is_there_for_who_could_take_a_task_of_it_in_one_post_not_in_two(people):
    people.to_street_opinion()
    people.review()
    people.street()
    task = people.tasks()["post_street_notice"]
    assert (task["role"], task["unit"], people.case()["unit"]) == ("village_committee", HERE, STREET)
    member = Actor("x", roles=frozenset({"village_committee"}), unit=HERE)
    posts = (("village_committee", THERE), ("grid_worker", HERE))
    mixed = Actor("y", roles=frozenset(role for role, _ in posts), posts=posts)
    with people.office.read() as conn:
        assert visible(conn, member, people.no)["no"] == people.no
        with pytest.raises(NotFound):
            visible(conn, mixed, people.no)
