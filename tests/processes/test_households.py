"""Households: a person is entered once, personal fields are sealed and masked, reading them is noted, relatives are found."""

from __future__ import annotations

import threading
from datetime import date

import pytest
from sqlalchemy import func, select

from engine import store
from engine.errors import Conflict, Invalid, NotFound, Refused
from engine.forms import understand
from engine.model import Put
from engine.office import history
from processes import eligibility, eligibility_facts, households, identity, organisation
from processes.assessment_form import AssessmentIn
from processes.household_forms import HouseholdIn
from processes.rebuild import differences
from processes.tables import benefit_person, household, person
from tests.district import COMMUNITY, STREET

HEAD = identity.invent(date(1970, 5, 1), "female", 301)
SON = identity.invent(date(2008, 5, 1), "male", 302)


def member(number=HEAD, name="赵秀英", relation="head", **more):
    return {"name": name, "id_no": number, "relation": relation, **more}


def data(*members, **more):
    return {"community": COMMUNITY, "hukou_kind": "urban", "address": "和平里1号", "phone": "13900000000", "bank_account": "622200001234567",
            "members": list(members or (member(),)), **more}  # fmt: skip


def register(district, *members, who="clerk", **more):
    with district.office.act(district.people[who]) as act:
        return households.register(act, data(*members, **more))


def reading(district, work):
    with district.office.read() as conn:
        return work(conn, district.office.keys.on(conn))


def benefit_for(district, household_id):
    with district.office.act() as act:
        record = act.new("benefit", STREET, subject=f"household:{household_id}")
        row_id = record.next_id()
        values = {"household_id": household_id, "category": "dibao", "amount_fen": 92_000, "status": "active", "first_payment_month": "2018-12", "members": 1}
        puts = [Put("benefit", row_id, values)]
        for person_id, blind in households.counted_members(act.conn, household_id, act.today):
            puts.append(Put("benefit_person", record.next_id(), {"benefit_id": row_id, "person_id": person_id, "id_blind": blind, "active": True}, f"person:{person_id}"))
        act.append(record, "benefit_granted", puts=puts)
        return row_id


# -- registering


def test_personal_numbers_are_sealed_in_the_table_and_found_by_a_blind_index(district):
    home = register(district)
    with district.office.read() as conn:
        row = conn.execute(select(person)).mappings().one()
        house = conn.execute(select(household)).mappings().one()
        assert HEAD.encode() not in row["id_no"]
        assert "和平里".encode() not in house["address"]
        keys = district.office.keys.on(conn)
        assert keys.reveal("person", "id_no", row["id"], row["id_no"]) == HEAD
        assert (row["birth_date"], row["sex"]) == ("1970-05-01", "female")
        assert [r["id"] for r in households.search(conn, keys, STREET, id_no=HEAD.lower()).items] == [home]
        assert households.search(conn, keys, STREET, id_no=SON).total == 0


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (HEAD[:17] + ("0" if HEAD[17] != "0" else "1"), "校验位"),
        ("123", "18 位"),
        ("120116700501001", "15 位"),
        (identity.invent(date(2019, 1, 1), "male", 3), "出生日期"),
    ],
)
def test_a_wrong_id_is_refused_in_words_and_nothing_is_kept(district, number, said):
    with pytest.raises(Invalid) as wrong:
        register(district, member(number))
    assert said in str(wrong.value)
    assert "members.0.id_no" in wrong.value.fields
    assert reading(district, lambda conn, _: conn.scalar(select(func.count()).select_from(person))) == 0


def test_invented_ids_are_refused_in_production(district):
    with pytest.raises(Invalid) as wrong, district.office.act(district.people["clerk"]) as act:
        households.register(act, data(), production=True)
    assert "演示" in str(wrong.value)


@pytest.mark.parametrize(
    "members",
    [
        [member(relation="other")],
        [member(), member(SON, "赵小明", "head")],
        [member(), member(" " + HEAD[:-1] + HEAD[-1].lower(), "又一人", "other")],
    ],
)
def test_one_head_and_each_id_once(district, members):
    with pytest.raises(Invalid):
        register(district, *members)


def test_a_person_belongs_to_one_household_and_may_go_to_another(district):
    first = register(district, member(), member(SON, "赵小明", "child"))
    with pytest.raises(Refused) as refused:
        register(district, member(SON, "赵小明", "head"))
    assert refused.value.rule == "one-household"
    son = reading(district, lambda conn, keys: households.known_person(conn, keys, SON))
    with district.office.act(district.people["clerk"]) as act:
        households.end_member(act, first, son, "2018-12-03")
    second = register(district, member(SON, "赵小明", "head"))
    assert reading(district, lambda conn, _: households.applicant(conn, second)["id"]) == son
    assert reading(district, lambda conn, _: conn.scalar(select(func.count()).select_from(person))) == 2


def test_who_is_still_counted_in_a_benefit_is_refused_elsewhere_but_may_come_back(district):
    first = register(district, member(), member(SON, "赵小明", "child"))
    benefit_for(district, first)
    son = reading(district, lambda conn, keys: households.known_person(conn, keys, SON))
    with district.office.act(district.people["clerk"]) as act:
        households.end_member(act, first, son, "2018-12-03")
    with pytest.raises(Refused) as refused:
        register(district, member(SON, "赵小明", "head"))
    assert refused.value.rule == "one-benefit"
    with district.office.act(district.people["clerk"]) as act:
        assert households.add_member(act, first, member(SON, "赵小明", "child")) == son


def test_the_database_itself_refuses_a_second_active_benefit_of_a_person(district):
    home = register(district)
    benefit_for(district, home)
    with pytest.raises(Conflict) as refused:
        benefit_for(district, home)
    assert "unique" in str(refused.value.__cause__).lower()


def test_two_clerks_enter_the_same_person_at_once_and_one_is_told(district):
    told = []

    def enter(serial):
        own = identity.invent(date(1971, 1, 1), "male", serial)
        try:
            told.append(register(district, member(own, "户主"), member(HEAD, "赵秀英", "other")))
        except (Refused, Conflict) as error:
            told.append(error)

    threads = [threading.Thread(target=enter, args=(n,)) for n in range(4)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    assert len([t for t in told if isinstance(t, int)]) == 1, told
    assert reading(district, lambda conn, keys: conn.scalar(select(func.count()).select_from(person).where(person.c.id_blind == keys.blind(HEAD)))) == 1


def test_another_street_is_not_ones_own(district):
    with pytest.raises(Refused):
        register(district, who="stranger")
    home = register(district)
    for work in (
        lambda act: households.add_member(act, home, member(SON, "赵小明", "child")),
        lambda act: households.set_property(act, home, []),
        lambda act: households.declare_near_relative(act, home, {"staff_name": "某人", "relation": "child"}),
    ):
        with pytest.raises(NotFound), district.office.act(district.people["stranger"]) as act:
            work(act)
    assert reading(district, lambda conn, keys: households.search(conn, keys, "120116005", name="赵").total) == 0


# -- members, income, property


def test_leaving_has_a_day_between_entry_and_today_and_the_head_stays(district):
    home = register(district, member(), member(SON, "赵小明", "child"))
    head, son = (reading(district, lambda conn, keys, n=n: households.known_person(conn, keys, n)) for n in (HEAD, SON))
    for day in ("2018-12-02", "2018-12-04"):
        with pytest.raises(Invalid), district.office.act(district.people["clerk"]) as act:
            households.end_member(act, home, son, day)
    with pytest.raises(Refused), district.office.act(district.people["clerk"]) as act:
        households.end_member(act, home, head, "2018-12-03")
    with district.office.act(district.people["clerk"]) as act:
        households.end_member(act, home, son, "2018-12-03")
    with pytest.raises(NotFound), district.office.act(district.people["clerk"]) as act:
        households.end_member(act, home, son, "2018-12-03")


def test_what_was_checked_stands_before_what_was_declared(district):
    home = register(district, member(income=[{"kind": "wage_income", "amount_fen": 100_000, "period": "month"}]),
                    property=[{"kind": "monetary_assets", "amount_fen": 50_000}])  # fmt: skip
    with district.office.act(district.people["clerk"]) as act:
        who = households.applicant(act.conn, home)["id"]
        households.set_income(act, home, who, [{"kind": "wage_income", "amount_fen": 184_500}], source="checked")
        households.set_property(act, home, [{"kind": "monetary_assets", "amount_fen": 99_900}], source="checked")
    told = reading(district, lambda conn, keys: households.snapshot(conn, keys, home, date(2018, 12, 3)))
    assert [i["amount"] for i in told["members"][0]["income"]] == ["1845.00"]
    assert [i["amount"] for i in told["property"]] == ["999.00"]


def test_the_snapshot_is_what_the_assessment_reads_health_included(district):
    home = register(district, member(disability_kind="limb", disability_grade=2, labour_ability="completely_lost", income=[{"kind": "transfer_income", "amount_fen": 30_000}]))
    told = reading(district, lambda conn, keys: households.snapshot(conn, keys, home, date(2018, 12, 3)))
    assert (told["members"][0]["disability_kind"], told["members"][0]["disability_grade"]) == ("limb", 2)
    assert eligibility.assess(told)["category"] == "dibao"


def test_whatever_an_assessment_may_be_told_a_case_can_tell_it(district):
    """Every input of POST assessments comes out of the snapshot, or is none that the arithmetic needs."""
    wage = {"kind": "wage_income", "amount_fen": 100, "period": "month", "month": "2018-11", "year": 2018}
    ill = {"disability_kind": "limb", "disability_grade": 2, "serious_illness": "癫痫", "serious_outpatient_illness": True, "excluded_reason": "prison"}
    home = register(district, member(**ill, income=[wage]), hardships=["family_planning_special"], childless=True)
    who = reading(district, lambda conn, _: households.applicant(conn, home)["id"])
    with district.office.act(district.people["clerk"]) as act:
        households.set_property(act, home, [{"kind": "monetary_assets", "amount_fen": 1, "person_id": who}])
    told = reading(district, lambda conn, keys: households.snapshot(conn, keys, home, date(2018, 12, 3)))
    asked = AssessmentIn().fields
    assert asked.keys() - told.keys() == set()
    assert asked["members"].inner.schema.fields.keys() - told["members"][0].keys() == {"name"}
    assert asked["property"].inner.schema.fields.keys() - told["property"][0].keys() == set()
    assert asked["members"].inner.schema.fields["income"].inner.schema.fields.keys() - told["members"][0]["income"][0].keys() == set()
    assert (told["hardships"], told["childless"], told["property"][0]["owner"]) == (["family_planning_special"], True, str(who))
    eligibility_facts.check(told)


def test_hardships_are_sealed_and_replaced_and_follow_from_the_record(district):
    home = register(district, hardships=["major_illness"], childless=False)
    with district.office.read() as conn:
        stored = conn.execute(select(household)).mappings().one()
        assert b"major_illness" not in stored["hardships"]
        [first, *_] = history(conn, district.office.keys.on(conn), home)
        assert b"major_illness" not in first.body
        assert b"childless" not in first.body
    with district.office.act(district.people["clerk"]) as act:
        households.set_hardships(act, home, {"hardships": ["single_parent_student"]})
    shown = reading(district, lambda conn, keys: households.view(conn, keys, home))
    assert (shown["hardships"], shown["childless"]) == (["single_parent_student"], None)
    assert differences(district.office) == []
    with pytest.raises(NotFound), district.office.act(district.people["stranger"]) as act:
        households.set_hardships(act, home, {"hardships": []})


def test_assets_that_the_check_found_stand_for_those_declared_with_an_owner(district):
    home = register(district)
    who = reading(district, lambda conn, _: households.applicant(conn, home)["id"])
    with district.office.act(district.people["clerk"]) as act:
        households.set_property(act, home, [{"kind": "monetary_assets", "amount_fen": 100, "person_id": who}, {"kind": "vehicle", "person_id": who}])
        households.set_property(act, home, [{"kind": "monetary_assets", "amount_fen": 900}], source="checked")
    told = reading(district, lambda conn, keys: households.snapshot(conn, keys, home, date(2018, 12, 3)))
    assert {(i["kind"], i.get("amount")) for i in told["property"]} == {("vehicle", None), ("monetary_assets", "9.00")}


def test_what_belonged_to_somebody_who_left_is_still_assessed(district):
    home = register(district, member(), member(SON, "赵小明", "child"))
    son = reading(district, lambda conn, _: households.members_of(conn, home)[1]["person_id"])
    with district.office.act(district.people["clerk"]) as act:
        households.set_property(act, home, [{"kind": "vehicle", "person_id": son}])
        households.end_member(act, home, son, "2018-12-03")
    told = reading(district, lambda conn, keys: households.snapshot(conn, keys, home, date(2018, 12, 3)))
    assert eligibility.assess(told)["category"] == "refused_vehicle"


def test_a_declaration_replaces_the_one_before_and_rows_of_both_follow_from_the_record(district):
    home = register(district)
    who = reading(district, lambda conn, _: households.applicant(conn, home)["id"])
    for amount in (100, 200):
        with district.office.act(district.people["clerk"]) as act:
            households.set_income(act, home, who, [{"kind": "wage_income", "amount_fen": amount}])
    shown = reading(district, lambda conn, keys: households.view(conn, keys, home))
    assert [i["amount"] for i in shown["members"][0]["income"]] == ["2.00"]
    assert differences(district.office) == []


def test_income_and_property_of_somebody_else_are_refused(district):
    home, other = register(district), register(district, member(SON, "赵小明"))
    who = reading(district, lambda conn, _: households.applicant(conn, other)["id"])
    with pytest.raises(NotFound), district.office.act(district.people["clerk"]) as act:
        households.set_income(act, home, who, [])
    with pytest.raises(NotFound), district.office.act(district.people["clerk"]) as act:
        households.set_property(act, home, [{"kind": "vehicle", "person_id": who}])


# -- placeholders


def test_a_placeholder_gets_his_name_once_and_counts_in_the_benefit_under_his_id(district):
    home = register(district, member(), {"name": "待登记成员2", "relation": "other", "placeholder": True})
    unnamed = reading(district, lambda conn, _: conn.scalar(select(person.c.id).where(person.c.placeholder)))
    benefit_for(district, home)
    with district.office.act(district.people["clerk"]) as act:
        households.name_member(act, home, unnamed, member(SON, "赵小明", "child"))
    with district.office.read() as conn:
        keys = district.office.keys.on(conn)
        assert [m["name"] for m in households.members_of(conn, home)] == ["赵秀英", "赵小明"]
        assert set(conn.scalars(select(benefit_person.c.id_blind))) == {keys.blind(HEAD), keys.blind(SON)}
    with pytest.raises(Conflict), district.office.act(district.people["clerk"]) as act:
        households.name_member(act, home, unnamed, member(SON, "赵小明", "child"))
    assert differences(district.office) == []


def test_a_placeholder_cannot_become_somebody_who_is_known(district):
    home = register(district, member(), {"name": "待登记成员2", "relation": "other", "placeholder": True})
    unnamed = reading(district, lambda conn, _: conn.scalar(select(person.c.id).where(person.c.placeholder)))
    with pytest.raises(Conflict), district.office.act(district.people["clerk"]) as act:
        households.name_member(act, home, unnamed, member(HEAD, "赵秀英", "other"))


def test_a_household_has_one_head_and_who_has_no_name_signs_nothing(district):
    home = register(district, member(), {"name": "待登记成员2", "relation": "other", "placeholder": True})
    unnamed = reading(district, lambda conn, _: conn.scalar(select(person.c.id).where(person.c.placeholder)))
    for work, field in (
        (lambda act: households.name_member(act, home, unnamed, member(SON, "赵小明")), "relation"),
        (lambda act: households.add_member(act, home, member(SON, "赵小明")), "relation"),
        (lambda act: households.authorise(act, home, unnamed, "2018-12-03", "2019-12-02"), "person_id"),
    ):
        with pytest.raises(Invalid) as told, district.office.act(district.people["clerk"]) as act:
            work(act)
        assert told.value.fields.keys() == {field}
    someone = register(district, {"name": "待登记成员1", "relation": "head", "placeholder": True})
    head = reading(district, lambda conn, _: households.applicant(conn, someone)["id"])
    with pytest.raises(Invalid), district.office.act(district.people["clerk"]) as act:
        households.name_member(act, someone, head, member(SON, "赵小明", "child"))
    with district.office.act(district.people["clerk"]) as act:
        households.name_member(act, someone, head, member(SON, "赵小明"))


# -- authorisations


def test_each_adult_authorises_and_an_authorisation_ends(district):
    home = register(district, member(), member(SON, "赵小明", "child"))
    head = reading(district, lambda conn, _: households.applicant(conn, home)["id"])

    def missing(day):
        return reading(district, lambda conn, _: households.missing_authorisations(conn, home, day))

    assert missing(date(2018, 12, 3)) == [head]
    with district.office.act(district.people["clerk"]) as act:
        households.authorise(act, home, head, "2018-12-03", "2019-12-02")
    assert missing(date(2018, 12, 3)) == []
    assert missing(date(2019, 12, 3)) == [head]
    assert len(missing(date(2026, 5, 1))) == 2, "the son came of age"


def test_the_registries_are_told_whose_authorisation_each_question_rests_on(district):
    home = register(district, member(), member(SON, "赵小明", "child"))
    ask = lambda: reading(district, lambda conn, keys: households.check_request(conn, keys, home, date(2018, 12, 3))["persons"])  # noqa: E731
    assert [p["authorisation_id"] for p in ask()] == [None, None]
    with district.office.act(district.people["clerk"]) as act:
        households.authorise(act, home, households.applicant(act.conn, home)["id"], "2018-12-03", "2019-12-02")
    told = ask()
    assert told[0]["authorisation_id"] == told[1]["authorisation_id"] is not None
    assert [p["id_no"] for p in told] == [HEAD, SON]


@pytest.mark.parametrize(("signed", "until", "paper"), [("2018-12-04", "2019-12-02", None), ("2018-12-03", "2018-12-02", None), ("2018-12-03", "2019-12-02", 99)])
def test_a_wrong_authorisation_is_refused(district, signed, until, paper):
    home = register(district)
    with pytest.raises(Invalid), district.office.act(district.people["clerk"]) as act:
        households.authorise(act, home, households.applicant(act.conn, home)["id"], signed, until, paper)


# -- near relatives


def test_relatives_of_staff_are_found_both_ways_and_declared_ones_are_recused_too(district):
    home = register(district, member(), member(SON, "赵小明", "child"))
    with district.office.act(district.people["admin"]) as act:
        organisation.declare_relative(act, "ann", "child", "赵小明", " " + SON[:-1] + SON[-1].lower())
        organisation.add_staff(act, "zhao", "赵秀英", "binhai-2018", [("reviewer", STREET)], HEAD)
    assert reading(district, lambda conn, _: households.recused_staff(conn, home)) == {"ann", "zhao"}
    assert reading(district, lambda conn, _: households.near_relative_known(conn, home))
    with district.office.act(district.people["clerk"]) as act:
        households.declare_near_relative(act, home, {"staff_login": "bob", "staff_name": "某bob", "relation": "sibling"})
    assert reading(district, lambda conn, _: households.recused_staff(conn, home)) == {"ann", "bob", "zhao"}
    assert reading(district, lambda conn, keys: households.view(conn, keys, home)["near_relative_declared"]) is True


def test_a_declared_login_must_exist(district):
    home = register(district)
    with pytest.raises(Invalid), district.office.act(district.people["clerk"]) as act:
        households.declare_near_relative(act, home, {"staff_login": "nobody", "staff_name": "某人", "relation": "child"})


# -- showing and revealing


def test_a_household_is_shown_masked(district):
    home = register(district)
    shown = reading(district, lambda conn, keys: households.view(conn, keys, home))
    assert shown["members"][0]["id_no"] == identity.mask(HEAD)
    for secret in ("和平里1号", "13900000000", "622200001234567", HEAD):
        assert secret not in str(shown)
    plain = reading(district, lambda conn, keys: households.view(conn, keys, home, plain=True))
    assert (plain["address"], plain["members"][0]["id_no"]) == ("和平里1号", HEAD)


def test_a_reading_in_plain_stands_in_the_readers_record_not_in_the_households(district):
    home = register(district)
    seq = select(store.record.c.seq).where(store.record.c.id == home)
    before = reading(district, lambda conn, _: conn.scalar(seq))
    for _ in range(2):
        with district.office.act(district.people["clerk"]) as act:
            assert households.reveal(act, "household", home, "phone", "核实联系方式") == "13900000000"
    with district.office.read() as conn:
        assert conn.scalar(seq) == before
        [reader] = conn.scalars(select(store.record.c.id).where(store.record.c.kind == "reader")).all()
        notes = history(conn, district.office.keys.on(conn), reader)
    assert [n.data for n in notes] == [{"kind": "household", "id": home, "field": "phone"}] * 2
    assert "核实联系方式".encode() not in b"".join(n.body for n in notes)
    assert notes[0].personal["staff:clerk"] == {"said": {"reason": "核实联系方式"}}


@pytest.mark.parametrize(("field", "reason"), [("phone", "  "), ("hukou_kind", "看看"), ("no_such", "看看")])
def test_without_a_reason_or_for_another_field_nothing_is_shown(district, field, reason):
    home = register(district)
    with pytest.raises(Invalid), district.office.act(district.people["clerk"]) as act:
        households.reveal(act, "household", home, field, reason)
    assert reading(district, lambda conn, _: conn.scalar(select(func.count()).where(store.record.c.kind == "reader"))) == 0


def test_a_search_is_paged_and_takes_wildcards_literally(district):
    for n in range(5):
        register(district, member(identity.invent(date(1970, 1, n + 1), "male", n), f"钱{n}"))
    page = reading(district, lambda conn, keys: households.search(conn, keys, STREET, name="钱", page=2, size=2))
    assert (page.total, page.pages, [r["applicant"] for r in page.items]) == (5, 3, ["钱2", "钱1"])
    for odd in ("%", "_", "钱\x00%"):
        assert reading(district, lambda conn, keys, odd=odd: households.search(conn, keys, STREET, name=odd).total) == 0


# -- the form


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"phone": "12"}, "phone"),
        ({"bank_account": "x"}, "bank_account"),
        ({"hukou_kind": "moon"}, "hukou_kind"),
        ({"surprise": 1}, "surprise"),
        ({"members": [member(income=[{"kind": "wage_income", "amount_fen": "-1"}])]}, "members.0.income.0.amount_fen"),
        ({"members": [member(income=[{"kind": "wage_income", "amount_fen": "100000000"}])]}, "members.0.income.0.amount_fen"),
        ({"members": [member(disability_grade=5)]}, "members.0.disability_grade"),
        ({"property": [{"kind": "monetary_assets"}]}, "property.0.amount_fen"),
    ],
)
def test_bad_input_is_named_by_its_path(change, path):
    with pytest.raises(Invalid) as wrong:
        understand(HouseholdIn(context={"today": date(2018, 12, 3)}), {**data(), **change})
    assert path in wrong.value.fields, wrong.value.fields


def test_full_width_digits_and_yuan_are_understood():
    said = understand(HouseholdIn(context={"today": date(2018, 12, 3)}), data(member(income=[{"kind": "wage_income", "amount_fen": "２１００．５"}])))
    assert said["members"][0]["income"][0]["amount_fen"] == 210_050
