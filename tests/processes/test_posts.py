"""People with posts in two streets: each role counts where it is held and nowhere else, for work, households and lists."""

from __future__ import annotations

import io

import pytest
from sqlalchemy import select, text

from engine import queries, store
from engine.errors import Invalid, NotFound, Refused
from engine.model import SYSTEM, Actor, Put
from engine.office import history
from processes import households, identity, organisation
from processes import import_annex1 as annex1
from tests.district import COMMUNITY, HASHED, PASSWORD, STREET, paper
from tests.processes.test_import_annex1 import line, sheet

OTHER, THIRD = "120116005", "120116007"
HERE, THERE, AWAY = COMMUNITY, "120116005001", "120116007001"
POSTS = {
    "two": [("window_clerk", STREET), ("investigator", OTHER)],
    "ina": [("investigator", OTHER)],
    "boss": [("supervisor", STREET), ("window_clerk", OTHER)],
    "far": [("window_clerk", THIRD)],
    "reader": [("auditor", "120116"), ("window_clerk", STREET)],
    "nested": [("window_clerk", "120116"), ("window_clerk", STREET), ("investigator", STREET), ("means_checker", "120116")],
    "all": [(role, code) for role in ("window_clerk", "investigator", "reviewer", "street_leader", "grid_worker", "civil_affairs_officer", "village_committee")
            for code in (STREET, OTHER, THIRD, HERE, THERE, AWAY)],
}  # fmt: skip
WITHDRAWAL = {"withdrawn_on": "2018-12-03", "reason": "不再申请"}


@pytest.fixture
def town(district):
    """Three streets with a household and an open case each. `town.homes`: community -> (household, case)."""
    district.homes = dict(district.road("three streets", None, lambda: settled(district)))
    with district.office.read() as conn:
        district.people |= {login: organisation.find_actor(conn, login) for login in POSTS}
    return district


def settled(district):
    with district.office.act() as act:
        record = act.new("unit", "120116")
        rows = [(THIRD, "新河街道", "street", "120116"), (AWAY, "别处社区", "community", THIRD)]
        puts = [Put("unit", record.next_id(), {"code": c, "name": n, "level": level, "parent_code": p}) for c, n, level, p in rows]
        act.append(record, "units_listed", puts=puts)
        for login, posts in POSTS.items():
            organisation.add_staff(act, login, f"某{login}", PASSWORD, posts, hashed=HASHED)
    with district.office.read() as conn:
        district.people |= {login: organisation.find_actor(conn, login) for login in POSTS}
    homes = {}
    for n, (community, clerk) in enumerate({HERE: "clerk", THERE: "stranger", AWAY: "far"}.items()):
        home = registered(district, community, SYSTEM, n)
        with district.office.act(district.people[clerk]) as act:
            homes[community] = home, district.cases.start(act, "dibao-2012", application(home))["case"]
    return homes


def registered(district, community, who, n, *, sign=True):
    member = {"name": f"王{'甲乙丙丁戊'[n]}", "id_no": identity.invent(district.office.today().replace(year=1970), "male", 40 + n), "relation": "head", "employment": "none"}
    with district.office.act(who) as act:
        home = households.register(act, {"community": community, "hukou_kind": "urban", "address": "某路", "members": [member]})
        if sign:
            district.sign(act, home)
    return home


def application(home):
    return {"household_id": home, "programme": "dibao", "applied_on": "2018-12-03", "applied_by": "head", "reason": "困难"}


def task_of(town, community, node):
    return town.tasks(town.homes[community][1])[node]


def refused(town, who, work):
    with pytest.raises(Refused) as said, town.office.act(town.people[who]) as act:
        work(act)
    return said.value.rule


def accepted(town, community, clerk):
    """The case goes on to its investigation."""
    town.no = town.homes[community][1]
    town.do(clerk, "completeness_check", outcome="complete")


def said_by(town, kind, number):
    """The last entry's actor as it was sealed."""
    with town.office.read() as conn:
        return history(conn, town.office.keys.on(conn), number)[-1].said["actor"]


# -- the noun


@pytest.mark.parametrize(
    ("posts", "role", "unit", "holds", "covers"),
    [
        ([("a", "1201")], "a", "1201", True, True),
        ([("a", "1201")], "a", "120103", True, True),
        ([("a", "1201")], "a", "12", False, False),
        ([("a", "1201")], "b", "1201", False, True),
        ([("a", "120101"), ("b", "120105")], "a", "120101", True, True),
        ([("a", "120101"), ("b", "120105")], "b", "120105001", True, True),
        ([("a", "120101"), ("b", "120105")], "a", "120105", False, True),
        ([("a", "120101"), ("b", "120105")], "b", "120101", False, True),
        ([("a", "120101"), ("b", "120105")], "a", "120103", False, False),
        ([("a", "120101"), ("b", "120105")], "a", "1201", False, False),
        ([("a", "1201"), ("b", "120105")], "b", "120101", False, True),
        ([("a", "1201"), ("b", "120105")], "a", "120105001", True, True),
        ([("a", "")], "a", "anything", True, True),
        ([], "a", "1201", False, False),
    ],
)  # fmt: skip
def test_a_role_is_held_where_a_post_with_it_covers_the_unit(posts, role, unit, holds, covers):
    actor = Actor("x", "", frozenset(r for r, _ in posts), "1201", posts=tuple(posts))
    assert actor.holds(role, unit) is holds
    assert actor.covers(unit) is covers
    assert (role in actor.roles_at(unit)) is holds
    assert (actor.post_over(unit, {role}) is not None) is holds
    assert (actor.post_over(unit) is not None) is covers
    assert actor.only({role}).covers(unit) is holds


def test_without_posts_every_role_is_held_at_the_unit():
    actor = Actor("x", "某", frozenset({"b", "a"}), "1201")
    assert actor.posts == (("a", "1201"), ("b", "1201"))
    assert actor == Actor("x", "某", frozenset({"a", "b"}), "1201", posts=(("b", "1201"), ("a", "1201"), ("a", "1201")))
    assert SYSTEM.covers("120116001")
    assert SYSTEM.areas == ("",)


def test_roles_and_posts_cannot_say_different_things():
    with pytest.raises(ValueError, match="roles"):
        Actor("x", roles=frozenset({"a", "b"}), posts=(("a", "1201"),))


def test_areas_leave_out_what_lies_inside_of_another_one():
    posts = (("a", "120101"), ("b", "12010100"), ("a", "1202"), ("c", "120105"), ("d", "120101"), ("b", "120"))
    assert Actor("x", roles=frozenset("abcd"), posts=posts).areas == ("120",)
    assert Actor("x", roles=frozenset("abcd"), posts=posts[:5]).areas == ("120101", "120105", "1202")
    assert Actor("x", roles=frozenset("ab"), posts=(("a", "120"), ("b", "120101"))).post_over("120101001") == "120101"
    assert Actor("x").areas == ()


def test_the_posts_of_a_staff_member_are_kept_apart(town):
    two = town.people["two"]
    assert two.posts == (("investigator", OTHER), ("window_clerk", STREET))
    assert (two.roles, two.unit, two.areas) == ({"window_clerk", "investigator"}, "120116", (STREET, OTHER))
    assert not two.covers(THIRD)
    assert not two.covers("120116")


# -- tasks


def free(town, actor):
    """What may be taken, by looking at every open task."""
    with town.office.read() as conn:
        rows = conn.execute(select(store.task).where(store.task.c.state == "open", store.task.c.assignee.is_(None))).mappings().all()
    rows = [row for row in rows if actor.holds(row["role"], row["unit"])]
    return [row["id"] for row in sorted(rows, key=lambda r: (-r["priority"], r["due_on"] or "9999-12-31", r["id"]))]


@pytest.mark.parametrize("most", [queries.MANY_POSTS, 1])
def test_the_list_is_exactly_what_the_posts_allow_in_order_and_nothing_twice(town, monkeypatch, most):
    monkeypatch.setattr(queries, "MANY_POSTS", most)
    accepted(town, THERE, "stranger")
    survey, enquiry, check = task_of(town, THERE, "home_survey"), task_of(town, THERE, "neighbor_enquiry"), task_of(town, HERE, "completeness_check")
    assert sorted(free(town, town.people["two"])) == sorted([survey["id"], enquiry["id"], check["id"]])
    assert len(free(town, town.people["nested"])) == 2  # the windows, once each
    assert len(free(town, town.people["all"])) == 4
    for login in (*POSTS, "clerk", "checker", "ann"):
        actor, expected = town.people[login], free(town, town.people[login])
        with town.office.read() as conn:
            pages = [queries.tasks(conn, actor, "available", None, page, 2) for page in range(1, len(expected) // 2 + 2)]
            counts = queries.counts(conn, actor, town.office.today(), town.office.today())
            assert [row["id"] for page in pages for row in page.items] == expected, login
            assert {page.total for page in pages} == {len(expected)}, login
            assert counts["available"] == queries.waiting(conn, actor) == len(expected), login


def test_a_post_more_is_a_branch_more_and_one_for_all_below(town):
    branches = lambda who: len(queries._branches(town.people[who], "available"))  # noqa: E731
    assert (branches("clerk"), branches("two"), branches("nested"), branches("all")) == (2, 3, 4, 22)  # posts inside of others need none


@pytest.mark.parametrize("who", ["clerk", "two", "nested"])
def test_an_index_serves_each_part_of_the_list_and_its_count(town, who):
    actor, sqlite = town.people[who], town.office.store.sqlite
    with town.office.read() as conn:
        if not sqlite:
            # Of few rows, or not knowing of them, it takes whichever index was made first.
            case_id = conn.scalar(select(store.task.c.case_id).limit(1))
            many = ("INSERT INTO task (id, case_id, key, node, role, unit, opened_at, due_on, priority, state, flags, version) "
                    "SELECT 1000000000 + n, :case_id, 'k' || n, 'x', 'role' || n % 7, 'unit' || n % 100, now(), '2018-12-' || 10 + n % 20, 0, 'open', '', 1 "
                    "FROM generate_series(1, 5000) n")  # fmt: skip
            conn.execute(text(many), {"case_id": case_id})
            conn.execute(text("ANALYZE task"))
        for where in (*queries._branches(actor, "available"), queries._seen(actor, "available")):
            query = select(store.task.c.id).where(where).compile(conn, compile_kwargs={"literal_binds": True})
            plan = " ".join(str(row) for row in conn.execute(text(f"EXPLAIN {'QUERY PLAN' if sqlite else ''} {query}")))
            assert "ix_task_worklist" in plan, plan
            assert "SCAN task" not in plan, plan
            assert "Seq Scan" not in plan, plan


def test_work_of_a_role_is_refused_outside_of_its_own_street(town):
    accepted(town, THERE, "stranger")
    check = {community: task_of(town, community, "completeness_check")["id"] for community in (HERE, AWAY)}
    survey = task_of(town, THERE, "home_survey")["id"]
    assert refused(town, "two", lambda act: town.cases.claim(act, check[AWAY])) == "unit"
    assert refused(town, "two", lambda act: town.cases.complete(act, check[AWAY], {"outcome": "complete"})) == "unit"
    with town.office.act(town.people["two"]) as act:
        town.cases.claim(act, check[HERE])
    assert said_by(town, "case", check[HERE] >> 16) == {"id": "two", "unit": STREET}
    with town.office.act(town.people["two"]) as act:
        town.cases.claim(act, survey)
        town.cases.release(act, survey)
    assert said_by(town, "case", survey >> 16) == {"id": "two", "unit": OTHER}
    assert refused(town, "ina", lambda act: town.cases.claim(act, check[AWAY])) == "role"
    accepted(town, HERE, "two")
    assert refused(town, "two", lambda act: town.cases.claim(act, task_of(town, HERE, "home_survey")["id"])) == "unit"
    assert said_by(town, "case", check[HERE] >> 16) == {"id": "two", "unit": STREET}


def test_work_of_a_role_is_not_handed_to_him_outside_of_its_own_street(town):
    checks = {community: task_of(town, community, "completeness_check")["id"] for community in (HERE, THERE)}
    for who, community in (("clerk", HERE), ("stranger", THERE)):
        with town.office.act(town.people[who]) as act:
            town.cases.claim(act, checks[community])
    for verb in (town.cases.transfer, town.cases.delegate):
        assert refused(town, "stranger", lambda act, verb=verb: verb(act, checks[THERE], "two", "请假")) == "unit"
    with town.office.act(town.people["clerk"]) as act:
        assert town.cases.transfer(act, checks[HERE], "two", "请假")["assignee"] == "two"


def test_a_supervisor_is_one_only_in_his_own_street(town):
    checks = {community: task_of(town, community, "completeness_check")["id"] for community in (HERE, THERE, AWAY)}
    with town.office.act(town.people["boss"]) as act:
        town.cases.transfer(act, checks[HERE], "clerk", "请办理")
        town.cases.escalate(act, checks[HERE], "请关注")
    assert said_by(town, "case", checks[HERE] >> 16) == {"id": "boss", "unit": STREET}
    assert refused(town, "boss", lambda act: town.cases.transfer(act, checks[THERE], "stranger", "请办理")) == "assignee"
    assert refused(town, "boss", lambda act: town.cases.escalate(act, checks[AWAY], "请关注")) == "unit"
    with town.office.act(town.people["boss"]) as act:  # as the clerk that he is there
        town.cases.escalate(act, checks[THERE], "请关注")
    with town.office.read() as conn:
        assert [row["id"] for row in queries.tasks(conn, town.people["boss"], "copied").items] == [checks[HERE]]
        assert [row["id"] for row in queries.tasks(conn, town.people["sue"], "copied").items] == [checks[HERE], checks[THERE]]


def test_a_second_investigator_is_one_in_the_street_of_the_case(town):
    with town.office.act() as act:
        organisation.add_staff(act, "iris", "某iris", PASSWORD, [("investigator", STREET), ("window_clerk", OTHER)], hashed=HASHED)
    accepted(town, THERE, "stranger")
    home = town.homes[THERE][0]
    page = paper(town, SYSTEM, home)
    form = {"surveyed_on": "2018-12-03", "met_person": "王乙", "housing": "一居室", "living": "简朴", "findings": "属实", "surveyed_signature": page}
    with pytest.raises(Invalid) as wrong:
        town.do("ina", "home_survey", second_investigator="iris", **form)
    assert wrong.value.fields["second_investigator"] == ["本街镇没有这位入户调查人"]
    town.do("ina", "home_survey", second_investigator="two", **form)
    with town.office.read() as conn:
        found = organisation.colleagues(conn, "investigator", OTHER)
    assert [c["login"] for c in found if c["login"] in POSTS or c["login"] == "iris"] == ["all", "ina", "two"]


# -- what begins and ends a case


def test_a_clerk_begins_and_ends_cases_only_where_he_is_one(town):
    fresh = {community: registered(town, community, SYSTEM, n) for n, community in enumerate((HERE, THERE), start=3)}
    assert refused(town, "two", lambda act: town.cases.start(act, "dibao-2012", application(fresh[THERE]))) == "unit"
    assert refused(town, "ina", lambda act: town.cases.start(act, "dibao-2012", application(fresh[THERE]))) == "starter"
    with town.office.act(town.people["two"]) as act:
        no = town.cases.start(act, "dibao-2012", application(fresh[HERE]))["case"]
    assert said_by(town, "case", town.case(no)["id"]) == {"id": "two", "unit": STREET}
    for community, clerk in ((HERE, "clerk"), (THERE, "stranger")):
        accepted(town, community, clerk)
    for community in (THERE, AWAY):
        assert refused(town, "two", lambda act, no=town.homes[community][1]: town.cases.receive(act, no, "withdrawal", WITHDRAWAL)) == "unit"
    assert refused(town, "ina", lambda act: town.cases.receive(act, town.homes[THERE][1], "withdrawal", WITHDRAWAL)) == "sender"
    with town.office.act(town.people["two"]) as act:
        assert town.cases.receive(act, town.homes[HERE][1], "withdrawal", WITHDRAWAL)["outcome"] == "ended_withdrawn"


# -- cases, households, papers


def test_cases_and_households_of_both_streets_are_seen_and_no_others(town):
    with town.office.read() as conn:
        keys, two = town.office.keys.on(conn), town.people["two"]
        assert {row["no"] for row in queries.cases(conn, two.areas).items} == {town.homes[c][1] for c in (HERE, THERE)}
        assert queries.cases(conn, two.areas, page=2, size=1).total == 2
        assert {row["id"] for row in households.search(conn, keys, two.areas).items} == {town.homes[c][0] for c in (HERE, THERE)}
        assert households.search(conn, keys, two.areas, name="王").total == 2
        assert households.search(conn, keys, (), name="王").total == 0
        assert [u["code"] for u in organisation.units(conn, two.areas)] == [STREET, HERE, OTHER, THERE]


def test_households_and_papers_of_both_streets_are_kept_and_no_others(town):
    for community in (HERE, THERE):
        home = town.homes[community][0]
        paper(town, "two", home, "other", "一页")
        assert said_by(town, "household", home) == {"id": "two", "unit": community[:9]}
        with town.office.act(town.people["two"]) as act:
            households.set_property(act, home, [{"kind": "monetary_assets", "amount_fen": 100}])
        assert said_by(town, "household", home) == {"id": "two", "unit": community[:9]}
    home = town.homes[AWAY][0]
    with pytest.raises(NotFound):
        paper(town, "two", home, "other", "一页")
    with pytest.raises(NotFound), town.office.act(town.people["two"]) as act:
        households.set_property(act, home, [])
    with pytest.raises(Refused) as said:
        registered(town, AWAY, town.people["two"], 4)
    assert said.value.rule == "unit"


def test_a_list_is_brought_in_only_where_he_is_a_clerk(town):
    numbers = [identity.invent(town.office.today().replace(year=1965), "female", n) for n in range(3)]
    lines = [line(身份证号=number, 申请人=name, **({"乡镇（街道）": street, "村（居委会）": place}))
             for number, name, street, place in zip(numbers, ("赵一", "钱二", "孙三"), ("塘沽街道", "杭州道街道", "新河街道"), ("紫云园社区", "某社区", "别处社区"), strict=True)]  # fmt: skip
    with town.office.read() as conn:
        seen = annex1.preview(io.BytesIO(sheet(*lines)), conn, town.office.keys.on(conn), annex1.allow(town.people["two"]), {}, town.office.today())
    assert [(row.state, row.errors) for row in seen.rows] == [("new", {})] + [("error", {"村（居委会）": ["这个居村不在您的辖区"]})] * 2
    with pytest.raises(Refused):
        annex1.allow(town.people["ina"])


def test_the_village_committee_records_what_villagers_say_of_its_own_households(district):
    """N220 art 25: the notice hangs in the village, so objections come to the committee; not those of other places."""
    district.to_street_opinion()
    district.review()
    district.street()
    district.post()
    said = {"objection_on": district.office.today().isoformat(), "objector_kind": "resident", "grounds": "另有房屋"}
    with district.office.act() as act:
        organisation.add_staff(act, "vito", "外村干部", PASSWORD, [("village_committee", "120116005001")], hashed="unused")
        district.people["vito"] = organisation.find_actor(act.conn, "vito")
    with pytest.raises(Refused) as refused:
        district.send("vito", "objection", **said)
    assert refused.value.rule == "unit"
    district.send("vera", "objection", **said)
    assert "street_reinvestigate" in district.tasks()
