"""Decision tables as pages and by API, with the row that fired in a case."""

from __future__ import annotations

import pytest

from engine.dmn import Table
from processes import dmn
from tests.served import app_of
from tests.web.test_api import door  # noqa: F401 - a fixture
from tests.web.test_pages import Desk


def test_every_table_is_listed_and_shown(door, bureau):  # noqa: F811
    listed = door.good("ann", "GET", "/tables")["items"]
    assert [(one["name"], one["sha256"]) for one in listed] == [(name, dmn.SHELF.digest(name)) for name in sorted(dmn.RAW)]
    page = Desk(app_of(bureau), "ann")
    shown = page.text("/tables")
    for one in listed:
        whole = door.good("ann", "GET", f"/tables/{one['name']}")
        assert (whole["sha256"], whole["case"], whole["current"], len(whole["rules"])) == (one["sha256"], None, True, one["rows"])
        assert f"/tables/{one['name']}" in shown and one["title"] in shown
        assert not any(row["fired"] for row in whole["rules"])
        text = page.text(f"/tables/{one['name']}")
        assert all(f'id="{row["id"]}"' in text and row["note"] in text for row in whole["rules"])
    for path in ("/tables/other", "/tables/category?case=DB-2018-999999"):
        assert door.call("ann", "GET", path).status_code == 404


def test_the_row_that_fired_in_a_case_is_marked_in_both_languages(door, district, bureau, monkeypatch):  # noqa: F811
    district.to_street_opinion(serial=1)
    no = district.no
    said = door.good("rita", "GET", f"/tables/category?case={no}")
    assert [row["id"] for row in said["rules"] if row["fired"]] == ["dibao"]
    [decided] = said["decided"]
    assert (decided["inputs"]["income_share"], decided["rules"], decided["outputs"]) == ("35/46", ["dibao"], [{"category": "dibao"}])
    assert door.call("rita", "GET", f"/tables/notice-period?case={no}").status_code == 404, "nothing hangs yet"
    assert door.call("stranger", "GET", f"/tables/category?case={no}").status_code == 404
    step = door.good("rita", "GET", f"/cases/{no}/replay?step={decided['entry']}")
    assert step["law"]["tables"] == [{"name": "category", "title": "救助类别", "rules": ["dibao"]}]
    desk = Desk(app_of(bureau), "rita")
    text = desk.text(f"/tables/category?case={no}")
    assert '<tr id="dibao" class="on">' in text and text.count('class="on"') == 1
    assert "救助类别" in text and "income per head below" not in text
    assert f"/tables/category?case={no}" in desk.text(f"/cases/{no}/replay?step={decided['entry']}")
    text = Desk(app_of(bureau), "rita", "en").text(f"/tables/category?case={no}")
    assert "Category of assistance" in text and "income per head below the standard" in text
    monkeypatch.setitem(dmn.SHELF.tables, "category", Table.parse(dmn.RAW["category"].replace(b"N220 art 4", b"N220 art 5")))
    then = door.good("rita", "GET", f"/tables/category?case={no}")
    assert (then["current"], then["sha256"]) == (False, said["sha256"]), "the text of then"


def test_reading_anothers_case_by_its_table_is_noted(door, district):  # noqa: F811
    from sqlalchemy import select

    from engine import store

    district.to_street_opinion(serial=1)
    door.good("auditor", "GET", f"/tables/category?case={district.no}")
    with district.office.read() as conn:
        events = conn.scalars(select(store.entry.c.body).join(store.record, store.record.c.id == store.entry.c.record_id).where(store.record.c.kind == "reader")).all()
    assert any(b'"case_read"' in body and district.no.encode() in body for body in events)


@pytest.mark.parametrize("path", ["/tables/..", "/tables/Category", "/tables/a_b"])
def test_names_of_another_shape_are_not_found(door, path):  # noqa: F811
    assert door.call("ann", "GET", path).status_code == 404
