"""The district's tree, its staff and their posts: two administrators for every change, no way in for others."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import select

from engine import store
from engine.errors import Conflict, Invalid, NotFound, Refused
from engine.office import history
from processes import identity, organisation
from processes.rebuild import differences
from processes.tables import post, staff, staff_change, staff_relative
from tests.district import COMMUNITY, PASSWORD, STREET

NUMBER = identity.invent(date(1980, 4, 4), "male", 17)
NEW = {"name": "新人", "password": "good-password", "posts": [["reviewer", STREET]]}


def read(district, work):
    with district.office.read() as conn:
        return work(conn)


def propose(district, login, kind, detail, who="admin"):
    with district.office.act(district.people[who]) as act:
        return organisation.propose_change(act, login, kind, detail)


def confirm(district, number, who="admin2"):
    with district.office.act(district.people[who]) as act:
        organisation.confirm_change(act, number)


# -- the tree


def test_the_real_district_has_26_streets_and_zones_and_505_communities(office):
    with office.act() as act:
        assert organisation.seed(act) == 532 + 16
    with office.read() as conn:
        assert len(organisation.units(conn, level="street")) == 26
        assert len(organisation.units(conn, level="community")) == 505
        assert len(organisation.units(conn, level="department")) == 16, "member units of the joint meeting, and emergency management"
        assert organisation.unit_name(conn, "120116011") == "胡家园街道"
        assert organisation.unit_name(conn, "999") == "999"
        codes = {u["code"] for u in organisation.units(conn)}
        assert all(u["parent_code"] in codes and u["code"].startswith(u["parent_code"]) for u in organisation.units(conn) if u["parent_code"])
    assert differences(office) == []


# -- signing in


def test_signing_in_needs_the_right_password_and_an_active_account(district):
    sign = lambda login, password: read(district, lambda conn: organisation.sign_in(conn, login, password))  # noqa: E731
    assert sign("clerk", PASSWORD).roles == {"window_clerk"}
    assert sign("clerk", PASSWORD).unit == STREET
    for login, password in (("clerk", "wrong-one"), ("nobody", PASSWORD), ("clerk\x00", PASSWORD), ("", ""), ("system", PASSWORD)):
        assert sign(login, password) is None, login
    with district.office.act() as act:
        organisation.deactivate(act, "clerk")
    assert sign("clerk", PASSWORD) is None


def test_no_password_stands_in_clear_anywhere(district):
    number = propose(district, "nova", "add", NEW)
    with district.office.read() as conn:
        assert conn.scalar(select(staff.c.password_hash).where(staff.c.login == "clerk")).startswith("$argon2id$")
        assert PASSWORD.encode() not in b"".join(conn.scalars(select(store.entry.c.body)))
        keys = district.office.keys.on(conn)
        detail = keys.reveal("staff_change", "detail", number, conn.scalar(select(staff_change.c.detail).where(staff_change.c.id == number)))
        assert "good-password" not in detail
        assert "good-password" not in str([e.personal for e in history(conn, keys, number)])


@pytest.mark.parametrize("login", ["", "A", "system", "import", "Clerk", "a b", "x" * 61, "clerk\n", "客户", "../x", "-rf"])
def test_odd_logins_are_refused(district, login):
    with pytest.raises(Invalid), district.office.act() as act:
        organisation.add_staff(act, login, "某人", PASSWORD, [("reviewer", STREET)])


@pytest.mark.parametrize(
    "change", [{"name": " "}, {"password": "short"}, {"password": "x" * 201}, {"posts": []}, {"posts": [("king", STREET)]}, {"posts": [("reviewer", "999")]}, {"id_no": "123"}]
)
def test_a_staff_member_has_a_name_a_password_and_real_posts(district, change):
    with pytest.raises(Invalid), district.office.act() as act:
        organisation.add_staff(act, "nova", **{"name": "新人", "password": PASSWORD, "posts": [("reviewer", STREET)]} | change)


def test_a_login_is_given_once(district):
    with pytest.raises(Conflict), district.office.act() as act:
        organisation.add_staff(act, "clerk", "某人", PASSWORD, [("reviewer", STREET)])


# -- two persons


def test_one_administrator_proposes_and_another_confirms(district):
    number = propose(district, "nova", "add", NEW)
    assert read(district, lambda conn: organisation.find_actor(conn, "nova")) is None
    with pytest.raises(Refused) as refused:
        confirm(district, number, "admin")
    assert refused.value.rule == "two-persons"
    confirm(district, number)
    assert read(district, lambda conn: organisation.sign_in(conn, "nova", "good-password")).roles == {"reviewer"}
    with pytest.raises(Conflict):
        confirm(district, number)
    assert differences(district.office) == []


def test_only_administrators_propose_confirm_or_refuse(district):
    number = propose(district, "clerk", "deactivate", {})
    for work in (lambda act: organisation.propose_change(act, "clerk", "deactivate", {}), lambda act: organisation.confirm_change(act, number),
                 lambda act: organisation.refuse_change(act, number)):  # fmt: skip
        with pytest.raises(Refused) as refused, district.office.act(district.people["sue"]) as act:
            work(act)
        assert refused.value.rule == "admin"


def test_a_refused_change_cannot_be_confirmed(district):
    number = propose(district, "clerk", "deactivate", {})
    with district.office.act(district.people["admin"]) as act:
        organisation.refuse_change(act, number)
    assert read(district, organisation.changes) == []
    with pytest.raises(Conflict):
        confirm(district, number)
    assert read(district, lambda conn: organisation.find_actor(conn, "clerk")) is not None
    with pytest.raises(NotFound):
        confirm(district, 10**9)


@pytest.mark.parametrize(
    ("login", "kind", "detail"),
    [
        ("clerk", "promote", {}),
        ("clerk", "posts", {}),
        ("clerk", "posts", {"posts": [["king", STREET]]}),
        ("clerk", "posts", {"posts": [["reviewer", STREET]], "act": 1}),
        ("clerk", "relative", {"relation": "child", "name": "某", "id_no": "123"}),
        ("clerk", "relative", {"relation": "friend", "name": "某", "id_no": NUMBER}),
        ("nova", "add", {**NEW, "password": "short"}),
        ("System", "add", NEW),
        ("nova", "add", {**NEW, "hashed": "$argon2id$mine"}),
    ],
)
def test_a_wrong_proposal_is_refused_when_it_is_made(district, login, kind, detail):
    with pytest.raises(Invalid):
        propose(district, login, kind, detail)
    assert read(district, organisation.changes) == []


def test_a_change_of_nobody_is_refused(district):
    with pytest.raises(NotFound):
        propose(district, "nobody", "deactivate", {})


def test_new_posts_replace_the_old_ones(district):
    confirm(district, propose(district, "clerk", "posts", {"posts": [["reviewer", STREET], ["grid_worker", COMMUNITY]]}))
    actor = read(district, lambda conn: organisation.find_actor(conn, "clerk"))
    assert (actor.roles, actor.unit) == ({"reviewer", "grid_worker"}, STREET)
    assert read(district, lambda conn: conn.scalar(select(post.c.id).where(post.c.role == "window_clerk", post.c.active, post.c.unit == STREET))) is not None
    assert "clerk" not in [c["login"] for c in read(district, lambda conn: organisation.colleagues(conn, "window_clerk", STREET))]


def test_a_relative_is_kept_under_the_same_index_as_members_of_households(district):
    odd = " " + NUMBER[:6] + " " + NUMBER[6:]
    confirm(district, propose(district, "ann", "relative", {"relation": "child", "name": "某人", "id_no": odd}))
    assert read(district, lambda conn: conn.scalar(select(staff_relative.c.id_blind))) == district.office.keys.blind(NUMBER)


# -- tokens


def test_a_token_works_until_it_is_revoked_and_only_its_digest_is_kept(district):
    with district.office.act() as act:
        token = organisation.make_token(act, "clerk", "laptop")
    assert read(district, lambda conn: organisation.actor_for_token(conn, token)).id == "clerk"
    for wrong in (token[:-1], "", "yb_\x00", "\udc80"):
        assert read(district, lambda conn, w=wrong: organisation.actor_for_token(conn, w)) is None
    with district.office.act() as act:
        assert (organisation.revoke_tokens(act, "clerk"), organisation.revoke_tokens(act, "clerk")) == (1, 0)
    assert read(district, lambda conn: organisation.actor_for_token(conn, token)) is None
    with district.office.read() as conn:
        assert token.encode() not in b"".join(conn.scalars(select(store.entry.c.body)))


def test_a_token_of_somebody_who_left_is_worth_nothing(district):
    with district.office.act() as act:
        token = organisation.make_token(act, "clerk", "laptop")
        organisation.deactivate(act, "clerk")
    assert read(district, lambda conn: organisation.actor_for_token(conn, token)) is None
