"""战情 by page and API: the same figures at both doors, each leads to what it counts, and what it counts leads to its entry."""

from __future__ import annotations

import html
import re

import pytest

from processes import dashboard
from tests.api_roads import Roads, worker
from tests.district import COMMUNITY, STREET
from tests.processes.test_ledger import Street, numbers
from tests.served import app_of
from tests.web.test_pages import Desk

PERIOD = "from=2018-11-19&to=2019-02-28"
VISIT = {"population": "in_benefit", "visited_on": "2019-02-28", "second_visitor": "vera", "met_person": "户主", "causes": ["illness"], "assistance": [], "result": "true",
         "still_hardship": False, "relative_of_staff": False, "relatives_on_assistance": False}  # fmt: skip


@pytest.fixture
def roads(bureau, district):
    """The small campaign of the ledger's test, and a visit on its last day."""
    street = Street(district)
    street.lived()
    roads = Roads(bureau, district)
    home = roads.good("rita", "GET", "/ledger/end")["items"][0]["household_id"]
    made = roads.good("officer", "POST", "/screenings", VISIT | {"household_id": home})
    roads.good("vera", "POST", f"/screenings/{made['screening']}/confirmation")
    return roads


def test_the_dashboard_has_the_ledger_s_numbers_and_every_figure_leads_to_its_entries(roads):
    told, ledger = (roads.good("rita", "GET", f"/{what}?{PERIOD}") for what in ("dashboard", "ledger"))
    assert numbers(told) == numbers(ledger) and numbers(told, of="households") == numbers(ledger, of="households")
    assert (told["start"], told["end"], told["day"], told["days"], told["ok"]) == (ledger["start"], ledger["end"], 102, 102, True)
    for number in ("L1", "L2", "L4"):
        assert sum(week[number] for week in told["weeks"]) == numbers(told)[number], "the weeks add up"
        for week in told["weeks"]:
            listed = roads.good("rita", "GET", f"/ledger/{number}?{PERIOD}&day_from={week['from']}&day_to={week['to']}")
            assert listed["total"] == week[number]
    assert [(week["from"], week["to"]) for week in told["weeks"]][:2] == [("2018-11-19", "2018-11-25"), ("2018-11-26", "2018-12-02")]
    assert (told["weeks"][-1]["from"], told["weeks"][-1]["to"]) == ("2019-02-25", "2019-02-28")

    def items(figure):
        return roads.good("rita", "GET", f"/dashboard/items?{PERIOD}&size=100&figure={figure}")

    whole = told["whole"]
    for figure, counted in (("screened", 1), ("unscreened", whole["to_screen"] - 1), ("benefits", whole["benefits"]), ("open", whole["open"]), ("late", whole["late"]), ("temporary", 0),
                            ("elsewhere", 0), ("again", 0), ("not_again", 0), ("complaints", 0), ("meetings", 0), ("done", sum(step["done"] for step in told["steps"]))):  # fmt: skip
        found = items(figure)
        assert found["total"] == counted, figure
        assert all(one["record_id"] and one["entry"] for one in found["items"]), figure
    roads.good("vera", "POST", "/publicity", {"unit": COMMUNITY, "title": "政策上墙", "held_on": roads.today, "place": "居委会", "channel": "display", "programmes": ["medical"], "communities": "",
                                              "audience_count": 0, "material_type": "poster", "copies": 5})  # fmt: skip
    [put] = items("publicity")["items"]
    assert (put["key"], put["copies"], put["unit"], put["entry"]) == ("display", 5, COMMUNITY, 1)
    registers = {one["figure"]: (one["count"], one["copies"]) for one in roads.good("rita", "GET", f"/dashboard?{PERIOD}")["registers"]}
    assert registers == {"publicity": (1, 5), "training": (0, None), "inspections": (0, None), "hazards": (0, None), "dispersed": (0, None), "festival": (0, None)}
    assert (whole["screened"], whole["to_screen"], whole["coverage"]) == (1, 2, 50.0)
    assert sum(one["fen"] for one in items("benefits")["items"]) == whole["month_fen"] > 0
    assert items("screened")["items"][0]["day"] == "2019-02-28"
    for step in told["steps"]:
        key = f"{step['process']}.{step['node']}"
        found = roads.good("rita", "GET", f"/dashboard/items?{PERIOD}&size=100&figure=done&key={key}")["items"]
        assert len(found) == step["done"]
        assert step["days"] == (round(sum(one["hours"] for one in found) / len(found) / 24, 1) if found else None)
    # an earlier day: nobody had been visited; and a later one: what lies since then is late
    early = roads.good("rita", "GET", "/dashboard?to=2018-12-04")
    assert (early["day"], early["whole"]["screened"], numbers(early)["L4"]) == (16, 0, 2)
    roads.register(worker("2100.00"))
    no = roads.apply()
    roads.go("clerk", "completeness_check", outcome="complete")
    roads.clock.set("2019-04-01T09:00")
    for until, late in (("2019-02-28", 0), ("2019-03-31", 1)):
        [row] = [row for row in roads.good("rita", "GET", f"/dashboard?to={until}")["steps"] if (row["process"], row["node"]) == ("dibao-2012", "home_survey")]
        assert (row["open"], row["late"]) == (1, late)
    [row] = roads.good("rita", "GET", "/dashboard/items?figure=late&to=2019-03-31&key=dibao-2012.home_survey")["items"]
    assert (row["case_no"], row["entry"], row["days_late"] > 10) == (no, 2, True)
    assert [one["unit"] for one in roads.good("sue", "GET", f"/dashboard?{PERIOD}")["units"]] == [STREET, "120116005"]
    for who, path, status in (("rita", "/dashboard?unit=120116005", 404), ("admin", "/dashboard", 404), ("rita", "/dashboard/items", 422), ("rita", "/dashboard/items?figure=x", 422),
                              ("rita", "/dashboard?to=2019-13-01", 422), ("stranger", f"/dashboard/items?figure=done&unit={STREET}", 404)):  # fmt: skip
        assert roads.call(who, "GET", path).status_code == status, path


def test_the_page_has_a_table_for_each_chart_and_all_its_links_lead_somewhere(roads):
    page = Desk(app_of(roads.bureau), "sue")
    shown = page.text(f"/dashboard?{PERIOD}")
    charts = re.findall(r'data-chart="(\w+)" data-of="([\w-]+)"', shown)
    assert len(charts) == 5
    for _, table in charts:
        assert f'id="{table}"' in shown
    assert "style=" not in shown
    links = {html.unescape(one) for one in re.findall(r'href="((?:/dashboard|/ledger|/annexes)[^"]*)"', shown)}
    assert {one.partition("?")[0] for one in links} >= {f"/dashboard/items/{figure}" for figure in dashboard.FIGURES if figure not in ("complaints", "meetings")}
    kinds = {}
    for one in sorted(links):
        kinds.setdefault(re.sub(r"\d{6,}|\d{4}-\d\d-\d\d|key=[^&]*", "", one), one)
    for one in kinds.values():
        assert page.get(one).status_code == 200, one
    english = Desk(app_of(roads.bureau), "sue", "en").text(f"/dashboard?{PERIOD}")
    assert "Screening coverage" in english
    sheet = page.text(f"/dashboard?{PERIOD}&as=csv")
    assert sheet.splitlines()[1].startswith("塘沽街道,8,6,3,3,6,2,1,2,1,5,2,1,")
    assert page.get("/dashboard?to=2019-02-30").status_code == 422
    assert page.get("/dashboard/items/x").status_code == 404
