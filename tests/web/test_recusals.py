"""A near-relative statement that was a mistake is taken back by two persons; the history and the auditors keep it."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from processes import audit_reads, household_changes, households
from processes.rebuild import differences
from processes.tables import household
from tests.served import app_of
from tests.web.test_api import Door
from tests.web.test_pages import Desk

NAMED = {"staff_login": "app", "staff_name": "某app", "position": "审批人", "relation": "sibling"}
WHY = {"reason": "同名同姓，并非本人"}


@pytest.fixture
def named(district):
    """The approver was named by mistake; (household, the path of the statement's revocation)."""
    home = district.household(210_000)
    with district.office.act(district.people["clerk"]) as act:
        households.declare_near_relative(act, home, NAMED)
    with district.office.read() as conn:
        [row] = conn.execute(select(households.near_relative)).mappings()
    return home, f"/households/{home}/near-relatives/{row['id']}/revocation"


def recused(district, home):
    with district.office.read() as conn:
        return households.recused_staff(conn, home), conn.scalar(select(household.c.near_relative_declared).where(household.c.id == home))


def test_two_persons_take_it_back_and_the_recusal_ends(bureau, district, named):
    home, path = named
    door = Door(bureau, district)
    assert door.bad(422, "clerk", "POST", path, {})["errors"].keys() == {"reason"}
    assert door.bad(422, "clerk", "POST", path, {"reason": "  "})["errors"].keys() == {"reason"}
    assert door.bad(403, "app", "POST", path, WHY)["rule"] in ("near-relative", "casework")  # who was named does not free himself
    assert door.bad(403, "auditor", "POST", path, WHY)["rule"] == "casework"
    door.bad(404, "stranger", "POST", path, WHY)
    door.bad(404, "clerk", "POST", f"/households/{home}/near-relatives/99/revocation", WHY)
    door.bad(409, "lee", "POST", f"{path}/confirm", {})  # nobody asked
    door.good("lee", "POST", path, WHY)
    door.bad(409, "clerk", "POST", path, WHY)
    assert recused(district, home) == ({"app"}, True), "one person ends nothing"
    assert door.bad(403, "lee", "POST", f"{path}/confirm", {})["rule"] == "two-persons"
    assert door.bad(403, "clerk", "POST", f"{path}/confirm", {})["rule"] == "role"
    door.good("sue", "POST", f"{path}/refuse", {})
    assert recused(district, home) == ({"app"}, True)
    door.good("clerk", "POST", path, WHY)
    door.good("lee", "POST", f"{path}/confirm", {})
    assert recused(district, home) == (frozenset(), False)
    door.bad(409, "clerk", "POST", path, WHY)
    [row] = door.good("clerk", "GET", f"/households/{home}/near-relatives")["items"]
    assert (row["revoke_asked_by"], row["revoked_by"], row["revoke_reason"], row["revoked_on"]) == ("clerk", "lee", WHY["reason"], "2018-12-03")
    assert differences(district.office) == []


def test_history_and_auditors_see_both_persons(bureau, district, named):
    home, path = named
    door = Door(bureau, district)
    door.good("clerk", "POST", path, WHY)
    door.good("sue", "POST", f"{path}/confirm", {})
    with district.office.read() as conn:
        keys = district.office.keys.on(conn)
        told = household_changes.of_household(conn, keys, home)
        wanted = audit_reads.Wanted(district.people["auditor"].areas)
        found = audit_reads.administered(conn, keys, wanted)
    assert [c.event for c in told][-2:] == ["near_relative_revocation_asked", "near_relative_revoked"]
    assert [(line.field, line.after) for line in told[-1].lines] == [("revoked_by", "sue"), ("near_relative_declared", False)]
    seen = {one.event: one.reason for one in found.items}
    assert seen["near_relative_revocation_asked"] == WHY["reason"]
    assert "near_relative_revoked" in seen
    page = Desk(app_of(bureau), "auditor").text("/audit/admin")
    assert "更正近亲属登记" in page


def test_who_is_a_near_relative_takes_nothing_back(bureau, district, named):
    home, path = named
    with district.office.act(district.people["clerk"]) as act:
        households.declare_near_relative(act, home, NAMED | {"staff_login": "lee", "staff_name": "某lee"})
    door = Door(bureau, district)
    assert door.bad(403, "lee", "POST", path, WHY)["rule"] == "near-relative"
    door.good("clerk", "POST", path, WHY)
    assert door.bad(403, "lee", "POST", f"{path}/confirm", {})["rule"] == "near-relative"
    door.good("sue", "POST", f"{path}/confirm", {})
    assert recused(district, home) == ({"lee"}, True), "the other statement stands"


def test_what_the_household_said_itself_stands(bureau, district):
    home = district.household(210_000, serial=3, near_relative_declared=True)
    with district.office.act(district.people["clerk"]) as act:
        households.declare_near_relative(act, home, NAMED)
    door = Door(bureau, district)
    [row] = door.good("clerk", "GET", f"/households/{home}/near-relatives")["items"]
    path = f"/households/{home}/near-relatives/{row['id']}/revocation"
    door.good("clerk", "POST", path, WHY)
    door.good("sue", "POST", f"{path}/confirm", {})
    assert recused(district, home) == (frozenset(), True)


@pytest.mark.parametrize(("lang", "offer", "waits", "over"), [("zh", "更正登记", "提出更正", "已于 2018-12-03 更正"), ("en", "Take the statement back", "asks to take it back", "taken back on 2018-12-03")])
def test_on_the_pages(bureau, district, named, lang, offer, waits, over):
    home, path = named
    app, page = app_of(bureau), f"/households/{home}"
    clerk, lee = Desk(app, "clerk", lang), Desk(app, "lee", lang)
    assert offer in clerk.text(page)
    assert clerk.post(path, {"reason": ""}).status_code == 422
    assert clerk.post(path, WHY).status_code == 302
    assert waits in clerk.text(page)
    assert f"{path}/confirm" not in clerk.text(page)
    assert f"{path}/confirm" in lee.text(page)
    assert lee.post(f"{path}/confirm", {}).status_code == 302
    assert over in clerk.text(page)
    assert recused(district, home)[0] == frozenset()
