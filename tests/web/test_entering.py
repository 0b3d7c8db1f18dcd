"""Who may enter a household's data, and what of it is shown: no near relative, nobody who decides; health only for a reason."""

from __future__ import annotations

import io

import pytest
from sqlalchemy import select, update

from engine import store
from engine.errors import Refused
from processes import households
from processes.tables import person
from tests.served import app_of
from tests.web.test_api import Door
from tests.web.test_pages import Desk


@pytest.fixture
def home(district):
    return district.household(210_000)


@pytest.fixture
def door(bureau, district):
    return Door(bureau, district)


def changes(door, home):
    someone = door.good("clerk", "GET", f"/households/{home}")["members"][0]["person_id"]
    at = f"/households/{home}"
    return [
        ("PUT", f"{at}/members/{someone}/income", {"income": [{"kind": "wage_income", "amount_fen": "5000.00", "period": "month"}]}),
        ("PUT", f"{at}/property", {"property": []}),
        ("PUT", f"{at}/hardships", {"hardships": ["single_parent_student"]}),
        ("POST", f"{at}/authorizations", {"person_id": someone, "signed_on": "2018-12-03", "valid_until": "2019-12-02"}),
    ]


@pytest.mark.parametrize(("who", "rule"), [("app", "casework"), ("exam", "casework"), ("clerk", "near-relative")])
def test_who_decides_and_who_is_related_enters_nothing(door, district, home, who, rule):
    asked = changes(door, home)
    if who == "clerk":
        with district.office.act(district.people["officer"]) as act:
            households.declare_near_relative(act, home, {"staff_login": "clerk", "staff_name": "某", "position": "科员", "person_id": asked[3][2]["person_id"], "relation": "sibling"})
    for verb, path, sent in asked:
        assert door.bad(403, who, verb, path, sent)["rule"] == rule
    answer = door.call(who, "POST", f"/households/{home}/documents", data={"file": (io.BytesIO(b"%PDF-1.4"), "a.pdf"), "kind": "other"}, content_type="multipart/form-data")
    assert (answer.status_code, answer.json["rule"]) == (403, rule)
    page = Desk(app_of(district.bureau), who).get(f"/households/{home}/income")
    assert page.status_code == 403


def test_hardships_that_tell_of_health_are_shown_for_a_reason_only(door, district, home):
    door.good("clerk", "PUT", f"/households/{home}/hardships", {"hardships": ["major_illness", "single_parent_student"]})
    assert door.good("clerk", "GET", f"/households/{home}")["hardships"] == ["****", "single_parent_student"]
    desk = Desk(app_of(district.bureau), "clerk")
    assert "患大病" not in desk.text(f"/households/{home}")
    shown = desk.post(f"/households/{home}/reveal", {"what": f"household.{home}.hardships", "reason": "核对"})
    assert "患大病" in shown.get_data(as_text=True)
    assert 'value="major_illness" checked' in desk.text(f"/households/{home}/hardships").replace("  ", " ")
    with district.office.read() as conn:
        bodies = conn.scalars(select(store.entry.c.body)).all()
    assert sum(b'"field_revealed"' in body and b'"hardships"' in body for body in bodies) == 2


def test_an_authorisation_that_is_over_is_not_shown_as_one(door, district):
    home = district.household(210_000, sign=False)
    someone = door.good("clerk", "GET", f"/households/{home}")["members"][0]["person_id"]
    door.good("clerk", "POST", f"/households/{home}/authorizations", {"person_id": someone, "signed_on": "2018-12-03", "valid_until": "2018-12-04"})
    assert door.good("clerk", "GET", f"/households/{home}")["members"][0]["authorised"] is True
    district.clock.set("2018-12-05T09:00")
    assert door.good("clerk", "GET", f"/households/{home}")["members"][0]["authorised"] is False


def test_who_is_only_counted_is_named_before_acceptance(district, home):
    district.apply(home)
    with district.office.store.write() as conn:  # as a list brings somebody in whom it only counts
        last = households.members_of(conn, home)[-1]["person_id"]
        conn.execute(update(person).where(person.c.id == last).values(placeholder=True))
    with pytest.raises(Refused, match="没有登记姓名和身份证号") as refused:
        district.accept()
    assert refused.value.rule == "unnamed-members"


def test_nobody_objects_to_a_notice_before_it_hangs(door, district):
    district.to_street_opinion()
    district.review()
    district.clock.set("2018-12-10T09:00")
    district.street()
    district.post()
    sent = {"objection_on": "2018-12-03", "objector_kind": "resident", "grounds": "有车"}
    assert "2018-12-10" in door.bad(422, "rita", "POST", f"/cases/{district.no}/messages/objection", sent)["errors"]["objection_on"][0]
    answer = door.call("rita", "POST", f"/cases/{district.no}/messages/objection", sent, headers={"Accept-Language": "en"})
    assert answer.json["errors"]["objection_on"] == ["May not be before the notice or letter (2018-12-10)"]


def test_the_api_speaks_english_to_who_asks_for_it(door, home):
    sent = {"community": "120116001001", "hukou_kind": "urban", "address": "某路", "phone": "abc", "members": [{"name": "李一", "relation": "head", "id_no": "1"}]}
    answer = door.call("clerk", "POST", "/households", sent, headers={"Accept-Language": "en"})
    assert answer.status_code == 422
    assert all(text.isascii() for texts in answer.json["errors"].values() for text in texts), answer.json["errors"]
    assert answer.json["message"].isascii()
