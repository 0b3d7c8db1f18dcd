"""Long lists come a page at a time, and the database cuts them: public notices and each table of the board."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import event, insert

from engine import store
from processes.case_tables import notice
from tests.district import COMMUNITY, STREET
from tests.web.test_pages import Desk, app  # noqa: F401 - a fixture
from web import public
from web.board import SHOWN

N = 120


@pytest.fixture
def posted(bureau, district):
    """120 notices that run and one that is over, in one community; one more in another."""
    row = {"case_no": "DB-1", "stage": "street_opinion", "street": STREET, "members": 1, "category": "dibao", "amount_fen": 92_000, "posted_on": "2018-12-03"}
    rows = [{**row, "id": n, "community": COMMUNITY, "applicant": f"公示{n:03d}", "until_on": "2018-12-11"} for n in range(1, N + 1)]
    rows += [{**rows[0], "id": 900, "applicant": "过期", "until_on": "2018-12-03"}, {**rows[0], "id": 901, "community": "120116005001", "street": "120116005", "applicant": "别处"}]
    with bureau.office.store.write() as conn:
        conn.execute(insert(notice), rows)


def test_notices_are_cut_by_the_database_and_paged_by_links(app, posted, bureau):  # noqa: F811
    said = []

    def heard(_conn, _cursor, statement, *_):
        said.append(statement)

    event.listen(bureau.office.store.engine, "before_cursor_execute", heard)
    with app.app_context():
        rows, total = public.running(COMMUNITY, page=3)
    event.remove(bureau.office.store.engine, "before_cursor_execute", heard)
    assert ([r["id"] for r in rows], total) == (list(range(101, 121)), N)
    assert (rows[0]["street_name"], rows[0]["community_name"]) == ("塘沽街道", "紫云园社区")
    assert sum(s.startswith("SELECT") for s in said) == 2, "not one statement for each row"
    assert any("LIMIT" in s for s in said if "notice" in s)
    page = app.test_client().get(f"/public/notices?unit={COMMUNITY}&page=2").get_data(as_text=True)
    assert "公示051" in page
    assert "公示050" not in page
    assert re.findall(r'href="\?([^"]+)"', page) == [f"unit={COMMUNITY}&amp;page={n}" for n in (1, 3)]
    assert "120 份" in page
    assert app.test_client().get("/public/notices?page=999").status_code == 200


def test_a_notice_is_shown_while_it_runs_and_looked_up_by_itself(app, posted, bureau):  # noqa: F811
    http = app.test_client()
    assert "公示120" in http.get("/public/notices/120").get_data(as_text=True)
    assert http.get("/public/notices/900").status_code == http.get("/public/notices/999").status_code == 404
    shown = []
    event.listen(bureau.office.store.engine, "before_cursor_execute", lambda _c, _k, statement, *_: shown.append(statement))
    http.get("/public/notices/120")
    assert all("notice.id = " in s for s in shown if "FROM notice" in s)


def test_each_table_of_the_board_has_pages_of_its_own(app, bureau, district):  # noqa: F811
    district.apply(district.household(210_000))
    [open_task] = district.tasks().values()
    with bureau.office.store.write() as conn:
        due = [{**open_task, "id": open_task["id"] + n, "key": f"completeness_check.{n}", "due_on": f"2018-11-{n % 28 + 1:02d}", "flags": "escalated"} for n in range(2, 2 + N)]
        conn.execute(insert(store.task), due)
    boss = Desk(app, "sue")

    def ids(path, table):
        part = boss.text(path).split(f'id="{table}"')[1].split("<h2")[0]
        return [int(n) for n in re.findall(r"/tasks/(\d+)#handover", part)], part

    first, part = ids("/board", "late")
    assert len(first) == SHOWN < N
    assert "late=2" in part
    second, part = ids("/board?late=2&escalated=3", "late")
    pages = -(-N // SHOWN)
    others = [ids(f"/board?late={n}", "late")[0] for n in range(3, pages + 1)]
    assert len({*first, *second}.union(*others)) == len(first) + len(second) + sum(map(len, others)) == N
    assert 'href="?late=3&amp;escalated=3#late"' in part, "the other tables stay where they were"
    escalated, _ = ids(f"/board?late=2&escalated={pages}", "escalated")
    assert len(escalated) == N - (pages - 1) * SHOWN
    assert "/tasks/" in boss.text("/board?late=xx")
