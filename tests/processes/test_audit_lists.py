"""Lists of anomalies: each finds what its rule says and nothing else, by pure functions over rows and on cases of a district."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace as Row

import pytest
from sqlalchemy import insert, select, update

from engine import store
from engine.errors import Invalid
from engine.model import Put
from processes import audit_lists as al
from processes import households, identity, law, organisation
from processes.audit_lists import LISTS, Parameters, Scope
from processes.bureau import CATALOGUE
from processes.tables import household
from web.settings import BadSetting, Settings

TODAY = date(2018, 12, 20)
NOON = datetime(2018, 12, 10, 4, 0, tzinfo=UTC)


def task(**kind):
    return Row(**{"case_id": 1, "no": "DB-1", "case_unit": "120116001", "key": "decide.1", "node": "decide", "role": "approver", "state": "done", "due_on": "2018-12-10", "opened_at": NOON,
                  "closed_at": NOON, "done_by": "app", "done_for": None, "owner": None, "seen_at": None, **kind})  # fmt: skip


def find(district, key, **kind):
    with district.office.read() as conn:
        return al.located(conn, LISTS[key].find(conn, Scope("120116", district.office.today(), Parameters(**kind))))


def entry_of(district, hit):
    """The event of the entry that a finding leads to."""
    from engine.office import history

    with district.office.read() as conn:
        return history(conn, district.office.keys.on(conn), hit.case_id)[hit.seq - 1]


def test_every_node_that_a_rule_names_is_on_some_drawing():
    drawn = {node for process in CATALOGUE.values() for node in process.drawing.nodes}
    assert al.VISITS | al.SURVEYS | al.SIGNATURES <= drawn
    former = {"special_case_decision"}
    assert al.APPROVALS - former <= drawn


# -- late


def test_late_by_the_day_on_which_it_was_done_and_open_ones_by_today():
    rows = [task(closed_at=NOON), task(closed_at=NOON + timedelta(days=2)), task(state="open", due_on="2018-12-19", closed_at=None),
            task(closed_at=datetime(2018, 12, 10, 15, 59, tzinfo=UTC)), task(closed_at=datetime(2018, 12, 10, 16, 0, tzinfo=UTC))]  # fmt: skip
    assert [hit.what["days"] for hit in al.late_of(rows, TODAY, Parameters())] == [2, 1, 1], "midnight of Shanghai counts"
    assert [hit.what["days"] for hit in al.late_of(rows, TODAY, Parameters(late_days=1))] == [2]


def test_late_work_leads_to_its_entry(district):
    district.apply(district.household(210_000))
    district.accept()
    assert find(district, "late") == []
    district.at("2018-12-20T09:00")
    hit = next(hit for hit in find(district, "late") if hit.what["node"] == "home_survey")
    assert hit.what["done_on"] is None
    assert entry_of(district, hit).event in ("task_late", "task_completed")
    day = district.office.today().isoformat()
    district.do("ann", "home_survey", surveyed_on=day, second_investigator="bob", met_person="张一", housing="一", living="简朴", findings="属实", surveyed_signature=district.scan)
    hit = next(hit for hit in find(district, "late") if hit.what["node"] == "home_survey")
    assert (hit.what["by"], hit.what["done_on"]) == ("ann", day)
    assert entry_of(district, hit).data["task"] == "home_survey.1"


# -- several roles


def test_two_posts_of_ones_own_are_no_finding_but_a_way_over_a_colleague_is():
    own = [task(done_by="ann"), task(done_by="ann", role="reviewer", key="street_opinion.1")]
    assert al.several_roles_of(own, [], {}) == []
    for more, way in (({"done_for": "rita"}, "substitution"), ({"owner": "rita"}, "delegation"), ({}, "transfer"), ({}, "signature")):
        rows = [own[0], task(done_by="ann", role="reviewer", key="street_opinion.1", **more)]
        handed = {(1, "street_opinion.1"): ("ann", "transfer")} if way == "transfer" else {}
        signed = [Row(case_id=1, role="reviewer", key="street_opinion.1", staff="ann", no="DB-1", case_unit="120116001")] if way == "signature" else []
        [hit] = al.several_roles_of(rows[:1] if signed else rows, signed, handed)
        assert hit.what == {"by": "ann", "roles": ["approver", "reviewer"], "ways": [way]}
    same_role = [task(done_by="ann"), task(done_by="ann", done_for="app", key="decide.2")]
    assert al.several_roles_of(same_role, [], {}) == [], "one role, whoever's"
    other_case = [task(done_by="ann"), task(done_by="ann", case_id=2, role="reviewer", done_for="rita")]
    assert al.several_roles_of(other_case, [], {}) == []
    elsewhere = {(1, "street_opinion.1"): ("bob", "transfer")}
    assert al.several_roles_of(own, [], elsewhere) == [], "the task was given to somebody else, not to her"


def test_a_transfer_is_found_on_the_record(district):
    """A clerk who is an officer too: one task of his own, the other one was handed to him."""
    from processes import organisation

    with district.office.act() as act:
        organisation.add_staff(act, "both", "某某", "binhai-2018", [("window_clerk", "120116001"), ("civil_affairs_officer", "120116001")], hashed=organisation.hash_password("binhai-2018"))
    with district.office.read() as conn:
        district.people["both"] = organisation.find_actor(conn, "both")
    district.apply(district.household(210_000))
    district.do("both", "completeness_check", outcome="complete")
    district.check()
    district.survey()
    number = district.tasks()["democratic_review"]["id"]
    with district.office.act(district.people["officer"]) as act:
        district.cases.claim(act, number)
    assert find(district, "several_roles") == []
    with district.office.act(district.people["officer"]) as act:
        district.cases.transfer(act, number, "both", "开会")
    district.do("both", "democratic_review", held_on=district.office.today().isoformat(), place="居委会", chair="主任", statements="属实", review_conclusion="agree",
                participants=[{"name": "干部", "kind": "street_staff", "signed": True}] + [{"name": f"代表{n}", "kind": "resident_representative", "signed": True} for n in range(2)])  # fmt: skip
    [hit] = find(district, "several_roles")
    assert hit.what == {"by": "both", "roles": ["civil_affairs_officer", "window_clerk"], "ways": ["transfer"]}
    assert entry_of(district, hit).data["task"] == "democratic_review.1"


# -- seconds


def test_quick_is_counted_from_the_opening_or_else_from_the_arrival():
    rows = [task(seen_at=NOON - timedelta(seconds=29), opened_at=NOON - timedelta(days=2)), task(seen_at=NOON - timedelta(seconds=30), opened_at=NOON - timedelta(days=2)),
            task(opened_at=NOON - timedelta(seconds=5)), task(opened_at=NOON - timedelta(hours=1)), task(seen_at="2018-12-10 03:59:58.000000")]  # fmt: skip
    assert [(hit.what["seconds"], hit.what["from"]) for hit in al.quick_of(rows, Parameters())] == [(2, "opened"), (5, "arrived"), (29, "opened")]
    assert len(al.quick_of(rows, Parameters(seconds=31))) == 4


def test_an_approval_within_seconds_of_opening_is_found_and_a_considered_one_not(district):
    district.to_street_opinion()
    district.review()
    district.clock.advance(hours=1)
    task_id = district.tasks()["street_opinion"]["id"]
    with district.office.act(district.people["rita"]) as act:
        district.bureau.habits.mark_seen(act, task_id)
    district.clock.advance(seconds=12)
    district.do("rita", "street_opinion", street_outcome="propose_grant", opinion="拟同意")
    district.clock.advance(minutes=5)
    district.do("lee", "street_signoff", signoff="agree", opinion="同意")
    [hit] = find(district, "quick")
    assert (hit.what["node"], hit.what["by"], hit.what["seconds"], hit.what["from"]) == ("street_opinion", "rita", 12, "opened")
    assert entry_of(district, hit).data["task"] == "street_opinion.1"
    assert find(district, "quick", seconds=12) == []


# -- visits


def case(**kind):
    return Row(**{"id": 1, "no": "DB-1", "unit": "120116001", "process": "dibao-2012", "outcome": "ended_granted", **kind})


GRANTED = {"decision": "granted", "decided_on": "2018-12-19", "submitted_on": "2018-12-07", "check_conclusion": "consistent"}


def lacking(facts, made=(), **kind):
    return [hit.what["lacking"] for hit in al.skipped_visits_of([(case(**kind), facts)], {1: set(made)})]


def test_a_decision_without_the_visits_that_it_needs():
    both = {"home_survey", "survey_cosign"}
    assert lacking(GRANTED, both) == []
    assert lacking(GRANTED) == [["home_survey", "survey_cosign"]]
    assert lacking(GRANTED, {"home_survey"}) == [["survey_cosign"]]
    assert lacking({}, outcome=None) == [], "not decided"
    assert lacking(GRANTED, outcome="ended_withdrawn") == []
    for why in ("spot_check", "late_drawn", "near_relative", "reported"):
        assert lacking(GRANTED | {why: True}, both) == [["spot_check_visit"]], why
        assert lacking(GRANTED | {why: True}, both | {"late_spot_check_visit"}) == [], why
    assert lacking(GRANTED | {"near_relative": True}, both, process="illness-expenditure-2018") == [["spot_check_visit"]]
    early = {"decision": "refused", "decided_on": "2018-12-05", "check_conclusion": "inconsistent", "near_relative": True}
    assert lacking(early) == [], "refused by the means check alone: nobody was to be visited"
    assert lacking({"decided_on": "2018-12-05", "conclusion": "keep"}, process="review-2012", outcome="ended_kept") == [["home_survey", "survey_cosign"]]
    assert lacking({"decided_on": "2018-12-05", "check_home": False}, process="change-report-2012", outcome="ended_changed") == []
    assert lacking({"decided_on": "2018-12-05", "check_home": True}, both, process="change-report-2012", outcome="ended_changed") == []


def test_streets_below_the_rate_and_only_over_months_that_are_over():
    def files(n, drawn, month="2018-11", street="120116001"):
        return [{"street": street, "received_on": f"{month}-10", "drawn": i < drawn, "late": False} for i in range(n)]

    assert [hit.what["drawn"] for hit in al.below_rate_of(files(10, 2), Parameters(), TODAY)] == [2]
    assert al.below_rate_of(files(10, 3), Parameters(), TODAY) == []
    assert al.below_rate_of(files(10, 2) + [{**files(1, 0)[0], "late": True}], Parameters(share_percent=27), TODAY) == []
    assert al.below_rate_of(files(10, 0, "2018-12"), Parameters(), TODAY) == []
    assert [hit.unit for hit in al.below_rate_of(files(10, 0) + files(10, 10, street="120116002"), Parameters(), TODAY)] == ["120116001"]


def test_a_whole_case_has_no_finding_of_visits_and_one_whose_survey_vanishes_has(district):
    district.to_refusal()
    assert find(district, "skipped_visits") == []
    with district.office.store.write() as conn:
        conn.execute(update(store.task).where(store.task.c.node == "home_survey").values(state="withdrawn"))
    [hit] = find(district, "skipped_visits")
    assert hit.what["lacking"] == ["home_survey"]


# -- like cases


def facts(decision="granted", category="dibao", per_capita="310.00", members=2, house=1, street="120116001"):
    return {"decision": decision, "category": category, "per_capita": per_capita, "members_counted": members, "household_id": house, "street": street, "community": street + "001"}


def unlike(*decided, causes=None, **kind):
    rows = [(case(id=n, no=f"DB-{n}"), one) for n, one in enumerate(decided, start=1)]
    return al.unlike_of(rows, causes or {}, Parameters(**kind))


def test_alike_in_all_that_counts_and_decided_unlike():
    [hit] = unlike(facts(), facts(), facts("refused", "refused_property"))
    assert (hit.no, hit.also) == ("DB-3", ("DB-1", "DB-2")), "the rarest outcome first"
    assert hit.what["outcomes"] == {"granted:dibao": ["DB-1", "DB-2"], "refused:refused_property": ["DB-3"]}
    assert (hit.what["from_yuan"], hit.what["below_yuan"]) == (200, 400)
    refused = facts("refused", "refused_income")
    assert unlike(facts(), facts()) == []
    assert unlike(facts(), refused | {"members_counted": 3}) == []
    assert unlike(facts(), refused | {"per_capita": "400.00"}) == []
    assert len(unlike(facts(), refused | {"per_capita": "400.00"}, band_yuan=500)) == 1
    assert unlike(facts(), refused | {"street": "120116002"}) == []
    assert len(unlike(facts(), refused | {"street": "120116002"}, place="district")) == 1
    assert unlike(facts(), refused | {"community": "120116001009"}, place="community") == []
    assert unlike(facts(), refused | {"household_id": 2}, causes={1: "因病", 2: "年老"}) == []
    assert unlike(facts(), refused | {"per_capita": None}) == []


# -- near relatives


def test_a_near_relative_who_handled_the_case_is_found_also_when_it_came_out_later(district):
    district.to_refusal()
    assert find(district, "relatives") == []
    with district.office.read() as conn:
        house = conn.scalar(select(household.c.id))
    with district.office.act() as act:
        record = act.open("household", house)
        row = {"household_id": house, "staff_login": "exam", "staff_name": "某exam", "position": "", "relation": "sibling"}
        act.append(record, "near_relative_declared", puts=[Put("near_relative", record.next_id(), row, f"household:{house}")])
    [hit] = find(district, "relatives")
    assert (hit.what["by"], hit.what["how"], hit.what["node"]) == ("exam", "declared", "district_examination")
    assert entry_of(district, hit).data["task"] == "district_examination.1"
    assert find(district, "relatives", seconds=1) == [hit], "the other lists' parameters change nothing"


def test_a_relative_that_a_member_of_staff_declared_and_who_began_the_case(district):
    district.apply(district.household(210_000))
    number = identity.invent(date(1976, 3, 1), "male", 8)
    with district.office.act(district.people["admin"]) as act:
        change = organisation.propose_change(act, "clerk", "relative", {"relation": "spouse", "name": "张二", "id_no": number})
    with district.office.act(district.people["admin2"]) as act:
        organisation.confirm_change(act, change)
    [hit] = find(district, "relatives")
    assert (hit.what["by"], hit.what["how"], hit.what["node"], hit.seq) == ("clerk", "found", "start", 1)


def related(district, login, relation, n):
    """The n-th member of the first household is a relative of a colleague, by his own declaration."""
    number = identity.invent(date(1974 + n, 3, 1), "male", 6 + n)
    with district.office.act(district.people["admin"]) as act:
        change = organisation.propose_change(act, login, "relative", {"relation": relation, "name": "张某", "id_no": number})
    with district.office.act(district.people["admin2"]) as act:
        organisation.confirm_change(act, change)


def test_a_near_relative_whom_nobody_declared_is_found_among_all_who_handle_cases_there(district):
    home = district.household(210_000)
    district.apply(home)
    assert find(district, "undeclared") == []
    related(district, "clerk", "spouse", 2)
    related(district, "app", "sibling", 3)
    related(district, "auditor", "child", 1)  # handles no cases
    related(district, "stranger", "parent", 1)  # not there
    first, second = find(district, "undeclared")
    assert (first.what, first.seq) == ({"by": "clerk", "relation": "spouse", "node": "start"}, 1)
    assert (second.what, second.no) == ({"by": "app", "relation": "sibling", "node": None}, district.no)
    with district.office.act(district.people["clerk2"]) as act:
        households.declare_near_relative(act, home, {"staff_name": "某clerk", "relation": "spouse"})
    assert find(district, "undeclared") == [second], "named without his login: declared; the other one is not"
    with district.office.act(district.people["clerk2"]) as act:
        households.declare_near_relative(act, home, {"staff_login": "app", "staff_name": "某app", "relation": "sibling"})
    assert find(district, "undeclared") == []


def test_a_household_that_said_yes_is_no_finding_while_nobody_is_registered(district):
    district.apply(district.household(210_000, near_relative_declared=True))
    related(district, "clerk", "spouse", 2)
    assert find(district, "undeclared") == []


def test_which_relations_are_near_is_configured(district, monkeypatch):
    home = district.household(210_000)
    district.apply(home)
    with pytest.raises(Invalid, match="近亲属关系"):
        related(district, "clerk", "uncle_aunt", 2)
    with pytest.raises(Invalid, match="近亲属关系"), district.office.act(district.people["clerk2"]) as act:
        households.declare_near_relative(act, home, {"staff_login": "clerk", "staff_name": "某", "relation": "uncle_aunt"})
    related(district, "clerk2", "spouse", 3)
    wide = b"uncle_aunt:\n  - {from: 2012-12-12, value: wider, source: KNX}\n  - {from: 2018-12-03, value: near, source: design}\n"
    monkeypatch.setitem(law._TABLES, "relation_scope.yaml", law.read(wide, "relation_scope.yaml", law._scope))
    assert (law.near_relations(date(2018, 12, 2)), law.near_relations(date(2018, 12, 3)), law.ever_near()) == (frozenset(), {"uncle_aunt"}, ("uncle_aunt",))
    related(district, "clerk", "uncle_aunt", 2)
    assert [hit.what["by"] for hit in find(district, "undeclared")] == ["clerk"], "a spouse is not near in this office"
    with pytest.raises(law.BadLaw):
        law.read(wide.replace(b"near", b"close"), "relation_scope.yaml", law._scope)


# -- the lists as a whole


def test_a_district_without_cases_has_no_findings_and_an_area_holds_only_its_own(district):
    with district.office.read() as conn:
        assert al.counts(conn, Scope("120116", district.office.today())) == dict.fromkeys(LISTS, 0)
    district.apply(district.household(210_000))
    district.accept()
    district.at("2018-12-20T09:00")
    with district.office.read() as conn:
        numbers = {area: al.counts(conn, Scope(area, district.office.today()))["late"] for area in ("120116", "120116001", "120116005")}
        assert numbers["120116"] == numbers["120116001"] > 0
        assert numbers["120116005"] == 0
        assert al.counts(conn, Scope("120116", district.office.today(), process="review-2012"))["late"] == 0
        assert al.counts(conn, Scope((), district.office.today()))["late"] == 0


def test_parameters_are_understood_or_refused_in_words():
    assert Parameters.understood({}) == Parameters()
    assert Parameters.understood({"seconds": "60", "place": "district"}).seconds == 60
    assert Parameters.understood({"seconds": ""}, Parameters(seconds=5)).seconds == 5
    for bad in ({"seconds": "0"}, {"seconds": "-1"}, {"seconds": "１"}, {"band_yuan": "0"}, {"place": "moon"}, {"share_percent": "101"}, {"colour": "red"}, {"late_days": "9" * 30}):
        with pytest.raises(Invalid) as error:
            Parameters.understood(bad)
        assert list(error.value.fields) == list(bad)


def test_the_offices_parameters_are_a_setting(tmp_path):
    made = Settings.from_environment({"YINGBAO_HOME": str(tmp_path), "YINGBAO_AUDIT": "seconds=10 place=community"})
    assert made.audit == Parameters(seconds=10, place="community")
    for bad in ("seconds", "seconds=x", "colour=red"):
        with pytest.raises(BadSetting):
            Settings.from_environment({"YINGBAO_HOME": str(tmp_path), "YINGBAO_AUDIT": bad})


def test_many_cases_are_looked_through_in_few_statements(district):
    """Batches, not a question per case: the number of statements does not grow with the cases."""
    from sqlalchemy import event

    def statements(conn):
        count = [0]
        listener = lambda *_: count.__setitem__(0, count[0] + 1)  # noqa: E731
        event.listen(district.office.store.engine, "before_cursor_execute", listener)
        al.counts(conn, Scope("120116", district.office.today()))
        event.remove(district.office.store.engine, "before_cursor_execute", listener)
        return count[0]

    district.apply(district.household(210_000))
    with district.office.read() as conn:
        few = statements(conn)
    with district.office.store.write() as conn:
        row = dict(conn.execute(select(store.record).where(store.record.c.kind == "case")).mappings().one())
        conn.execute(insert(store.record), [{**row, "id": 10_000 + n, "no": f"DB-2018-{n:06d}"} for n in range(1000, 1300)])
    with district.office.read() as conn:
        assert statements(conn) == few
