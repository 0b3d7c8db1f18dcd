"""作战台账 by API and page: the same numbers at both doors, masked lists, the reader's area, and words for what is asked wrongly."""

from __future__ import annotations

import pytest

from tests.api_roads import Roads
from tests.district import COMMUNITY, STREET
from tests.processes.test_ledger import Street, numbers
from tests.served import app_of
from tests.web.test_pages import Desk


@pytest.fixture
def roads(bureau, district):
    street = Street(district)
    street.lived()
    return Roads(bureau, district)


PERIOD = "from=2018-11-19&to=2019-02-28"


def test_the_ledger_by_the_api_and_on_its_page(roads):
    told = roads.good("rita", "GET", f"/ledger?unit={STREET}&{PERIOD}")
    assert numbers(told) == {"L1": 6, "L2": 3, "L3": 3, "L4": 6, "L4a": 2, "L4b": 1, "L4c": 2, "L4d": 1}
    assert all(one["ok"] for one in told["checks"])
    assert roads.good("rita", "GET", "/ledger") == told, "its own street, from the campaign's first day to today"
    assert [one["unit"] for one in roads.good("sue", "GET", f"/ledger?{PERIOD}")["units"]] == [STREET, "120116005"]
    listed = roads.good("rita", "GET", f"/ledger/L4?unit={COMMUNITY}&{PERIOD}&size=4&page=2")
    assert (listed["total"], len(listed["items"])) == (6, 2)
    assert all("*" in (one["id_no"] or "*") and one["case_no"] for one in listed["items"])
    for who, path, status in (("rita", "/ledger?unit=120116005", 404), ("admin", "/ledger", 404), ("rita", "/ledger/L9", 404), ("rita", "/ledger?to=2019-13-01", 422),
                              ("rita", "/ledger?from=2019-03-01", 422), ("rita", "/ledger?to=2019-03-01", 422), ("rita", "/ledger?total=7", 422), ("stranger", f"/ledger/L1?unit={STREET}", 404)):  # fmt: skip
        assert roads.call(who, "GET", path).status_code == status, path
    for verb in ("POST", "PUT", "PATCH", "DELETE"):
        assert roads.call("sue", verb, "/ledger/L4", json={"persons": 0}).status_code == 405, "no number is set by hand"


    # the page: the same table, its spreadsheet and the masked list
    page = Desk(app_of(roads.bureau), "rita")
    html = page.text(f"/ledger?{PERIOD}")
    assert "全面复核救助对象人数" in html
    assert "不平" not in html
    assert "L1,全面复核救助对象人数,6,3," in page.text(f"/ledger?{PERIOD}&as=csv")
    listed = page.text(f"/ledger/L4d?{PERIOD}")
    assert "赵*" in listed
    assert "赵二" not in listed
    assert page.get("/ledger?to=2019-02-30").status_code == 422
    assert page.get("/ledger/L9").status_code == 404
