"""主动报告 (domain 1.6, 2.9; scenarios S12, S14, S15, S22): to the day and the fen, on both databases."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import func, select

from engine import queries
from engine.cases import acts_of
from engine.errors import Invalid, NotWaiting, Refused
from engine.jobs import Jobs
from engine.model import Put
from engine.store import entry, record
from processes import benefit_acts, benefit_lists, benefits, change_kinds, duties, households, law, paperwork, report_duties
from processes.case_tables import letter
from processes.change_report_2012_forms import is_late
from processes.tables import household, household_member, person
from tests.district import COMMUNITY, STREET
from tests.processes.reports import Reports, family

OTHER_STREET, OTHER_COMMUNITY = "120116005", "120116005001"


@pytest.fixture
def reports(district):
    return Reports(district)


def entries(reports) -> int:
    with reports.d.office.read() as conn:
        return conn.scalar(select(func.count()).select_from(entry))


def refused(reports, rule, work):
    """Refused with that rule's name, or with those fields; nothing was written."""
    before = entries(reports)
    with pytest.raises((Refused, Invalid)) as caught:
        work()
    found = caught.value.rule if isinstance(caught.value, Refused) else set(caught.value.fields)
    assert found == rule
    assert entries(reports) == before
    return str(caught.value)


def membership(reports, person_id):
    with reports.d.office.read() as conn:
        query = select(household_member).where(household_member.c.person_id == person_id).order_by(household_member.c.id.desc())
        return conn.execute(query).mappings().first()


# -- S12


def test_s12_a_death_reported_in_time_raises_the_amount_from_the_month_after(reports):
    d = reports.d
    reports.granted(members=family(0, 150_000, 0))
    assert reports.paid("2018-10", "2018-11", "2019-01") == [0, 126_000, 126_000]
    head, dead, child = reports.members()
    d.clock.set("2019-01-08T10:00")
    reports.report("death", "2018-12-28", person_id=dead)
    assert d.tasks()["register_change"]["due_on"] == "2019-01-15"
    reports.register(leaves=[{"person_id": dead, "left_on": "2018-12-28", "left_reason": "death"}])
    assert list(d.tasks()) == ["street_opinion"], "a certificate needs no visit"
    assert (d.facts()["late"], d.facts()["members_counted"], d.facts()["amount_fen"]) == (False, 2, 184_000)
    reports.conclude("increase", "member_changed")
    assert reports.deliver()["outcome"] == "ended_changed"
    assert reports.paid("2018-12", "2019-01", "2019-02", "2019-03") == [126_000, 126_000, 184_000, 184_000]
    assert reports.counted() == {head, child}
    assert (membership(reports, dead)["to_on"], membership(reports, dead)["left_reason"]) == ("2018-12-28", "death")
    row, last = reports.row(), reports.adjustments()[-1]
    assert (row["status"], row["exit_class"], row["members"]) == ("active", None, 2)
    assert (last["kind"], last["before_members"], last["after_members"], last["from_month"]) == ("increase", 3, 2, "2019-02")
    assert reports.letters() == ["report_receipt", "adjustment"]
    assert reports.settlements() == []
    reports.proven()


def test_s12_when_the_holder_died_a_new_one_is_required(reports):
    d = reports.d
    reports.granted(members=family(150_000, 0, 0))
    dead, spouse, child = reports.members()
    d.clock.set("2019-01-08T10:00")
    reports.report("death", "2018-12-28", person_id=dead)
    leaves = [{"person_id": dead, "left_on": "2018-12-28", "left_reason": "death"}]
    refused(reports, {"new_holder"}, lambda: reports.register(leaves=leaves))
    refused(reports, {"leaves"}, lambda: reports.register(new_holder=spouse))
    refused(reports, {"new_holder"}, lambda: reports.register(leaves=leaves, new_holder=dead))
    refused(reports, {"new_holder"}, lambda: reports.register(leaves=leaves, new_holder=999))
    reports.register(leaves=leaves, new_holder=spouse)
    reports.conclude("increase", "member_changed")
    reports.deliver()
    with d.office.read() as conn:
        assert conn.scalar(select(household.c.applicant_id).where(household.c.id == reports.home)) == spouse
        assert [m["relation"] for m in households.members_of(conn, reports.home)] == ["head", "child"]
        assert households.applicant(conn, reports.home)["name"] == "赵二"
    assert [a["kind"] for a in reports.adjustments()] == ["grant", "increase", "holder"]
    assert reports.paid("2019-01", "2019-02") == [126_000, 184_000]
    assert reports.counted() == {spouse, child}
    reports.proven()


def test_the_death_of_the_only_recipient_stops_the_benefit_and_counts_as_other(reports):
    d = reports.d
    reports.granted(members=family(0))
    [dead] = reports.members()
    d.clock.set("2019-01-08T10:00")
    reports.report("death", "2018-12-28", person_id=dead, reported_by="committee", channel="committee", who="vera")
    reports.register()
    assert d.facts()["exit_reason"] == "death_single"
    refused(reports, {"conclusion"}, lambda: reports.conclude("keep", "unchanged"))  # nobody is there who could be paid
    reports.conclude("stop", "death_single", clause="第三十二条")
    assert reports.deliver()["outcome"] == "ended_stopped"
    assert (reports.row()["exit_class"], reports.row()["stopped_from"], reports.counted()) == ("other", "2019-02", set())
    d.at("2019-02-01T00:01")
    assert reports.row()["status"] == "closed"
    reports.proven()


# -- S14


def job_in_mid_period(reports, *, reported_by="household", channel="window", last=None):
    d = reports.d
    reports.granted(members=family(120_000, 0, 0, last=last))
    wife = reports.members()[1]
    d.clock.set("2018-12-12T10:00")
    reports.report("job_start", "2018-12-10", person_id=wife, reported_by=reported_by, channel=channel)
    income = {"person_id": wife, "kind": "wage_income", "amount_fen": "2300", "period": "month"}
    reports.register(incomes=[income], persons=[{"person_id": wife, "employment": "employed"}])
    assert set(d.tasks()) == set(), "the registries are asked"
    d.clock.set("2018-12-18T10:00")
    reports.investigate()
    assert d.facts()["per_capita"] == "1166.67"


@pytest.mark.parametrize(("reported_by", "channel", "exit_class", "letters"), [
    ("household", "window", "voluntary", ["report_receipt", "stop"]), ("staff", "phone", "voluntary", ["report_receipt", "stop"]),
    ("public", "phone", "reported", ["stop"]), ("data", "data", "cleared", ["stop"]), ("committee", "committee", "cleared", ["stop"])])  # fmt: skip
def test_s14_a_job_in_mid_period_stops_dibao_from_january_and_the_exit_is_the_reporter_s(reports, reported_by, channel, exit_class, letters):
    d = reports.d
    job_in_mid_period(reports, reported_by=reported_by, channel=channel)
    assert (d.facts()["category"], d.facts()["amount_fen"]) == ("low_income", 0)
    with pytest.raises(Invalid):
        reports.conclude("keep", "unchanged")
    reports.conclude("stop", "income_over", clause="第三十二条")
    assert reports.deliver()["outcome"] == "ended_stopped"
    assert reports.paid("2018-11", "2018-12", "2019-01") == [156_000, 156_000, 0]
    assert (reports.row()["exit_class"], reports.row()["exit_reason"], reports.row()["stopped_from"]) == (exit_class, "income_over", "2019-01")
    assert reports.letters() == letters, "nobody is told of a tip by a receipt"
    assert [words in reports.letter("stop") for words in ("理由：收入超过标准；情况属实。", "依据：第三十二条。", "同意")] == [True, True, False]
    assert reports.settlements() == []
    reports.proven()


def test_s14_with_a_hardship_it_becomes_low_income_relief_of_276_yuan_with_consent(reports):
    d = reports.d
    job_in_mid_period(reports, last={"disability_kind": "limb", "disability_grade": 2})
    assert (d.facts()["category"], d.facts()["amount_fen"]) == ("low_income", 27_600)
    refused(reports, {"convert_consent"}, lambda: reports.conclude("convert", "converted"))
    reports.conclude("convert", "converted", convert_consent=True)
    assert reports.deliver()["outcome"] == "ended_changed"
    assert reports.paid("2018-12", "2019-01") == [156_000, 27_600]
    assert (reports.row()["category"], reports.row()["status"], reports.row()["exit_class"]) == ("low_income", "active", None)
    reports.proven()


# -- S15


def test_s15_a_hidden_car_is_stopped_and_recovered_from_the_month_of_purchase(reports):
    d = reports.d
    reports.granted(members=family(0, 0))
    d.clock.set("2019-01-09T10:00")
    reports.report("property_change", "2018-11-20", reported_by="public", channel="phone")
    assert d.facts()["late"] is True
    reports.register(property=[{"kind": "vehicle"}])
    reports.investigate()
    assert d.facts()["category"] == "refused_vehicle"
    reports.conclude("stop", "fraud", clause="第三十三条")
    assert d.facts()["overpaid_since"] == "2018-11"
    reports.deliver()
    [found] = reports.settlements()
    assert (found["kind"], found["from_month"], found["to_month"], found["amount_fen"]) == ("recovery", "2018-11", "2019-01", 3 * 184_000)
    assert (d.facts()["overpaid_fen"], d.facts()["overpaid_months"]) == (552_000, ["2018-11", "2018-12", "2019-01"])
    assert d.tasks()["recovery_plan"]["due_on"] == "2019-02-11"
    plan = {"agreed_on": "2019-01-09", "first_month": "2019-02"}
    refused(reports, {"instalment"}, lambda: d.do("clerk", "recovery_plan", instalment="5520.01", **plan))
    refused(reports, {"first_month"}, lambda: d.do("clerk", "recovery_plan", instalment="500", agreed_on="2019-01-09", first_month="2018-12"))
    assert d.do("clerk", "recovery_plan", instalment="500", **plan)["outcome"] == "ended_stopped"
    [found] = reports.settlements()
    parts = benefits.instalments(found["amount_fen"], found["instalment_fen"], found["first_month"])
    assert (len(parts), parts[0], parts[-1], sum(fen for _, fen in parts)) == (12, ("2019-02", 50_000), ("2020-01", 2_000), 552_000)
    assert (reports.row()["exit_class"], found["status"]) == ("reported", "agreed")
    d.at("2019-02-01T00:01")
    assert reports.row()["status"] == "stopped", "not closed while money is owed"
    assert reports.letters() == ["stop", "recovery"]
    reports.proven()


def test_s15_without_fraud_a_late_report_owes_from_the_month_after_the_event(reports):
    d = reports.d
    reports.granted(members=family(0, 0))
    d.clock.set("2019-01-09T10:00")
    reports.report("property_change", "2018-11-20", reported_by="public", channel="phone")
    reports.register(property=[{"kind": "vehicle"}])
    reports.investigate()
    reports.conclude("stop", "property_over", clause="第三十三条")
    assert d.facts()["overpaid_months"] == ["2018-12", "2019-01"]


def test_a_late_rise_of_income_owes_the_difference_by_each_month_s_law(reports):
    """Reported in May of an event in February: March by 920 yuan, April and May by 980."""
    d = reports.d
    reports.granted(members=family(100_000, 0, 0))
    earner = reports.members()[0]
    d.clock.set("2019-05-06T10:00")
    reports.report("income_up", "2019-02-11", person_id=earner)
    reports.register(incomes=[{"person_id": earner, "kind": "transfer_income", "amount_fen": "1400", "period": "month"}])
    reports.investigate()
    reports.conclude("decrease", clause="第三十二条")
    assert d.facts()["amount_fen"] == 3 * 98_000 - 140_000
    assert d.facts()["overpaid_months"] == ["2019-03", "2019-04", "2019-05"]
    assert d.facts()["overpaid_fen"] == (176_000 - 136_000) + 2 * (176_000 - 154_000)
    with d.office.read() as conn:
        number = conn.scalar(select(letter.c.id).where(letter.c.kind == "adjustment").order_by(letter.c.id.desc()))
        _row, stored = paperwork.issued_bytes(conn, d.office.keys.on(conn), number)
    assert "为1180.00元的，金额不减少；本次为1400.00元，高出220.00元" in stored.decode(), "by the standard of 980"
    reports.proven()


def test_a_second_late_report_about_the_same_months_asks_for_the_rest_only(reports):
    """First 1400 instead of 1000 yuan since February, then it comes out that it was 1600 since March: March to May are not asked twice."""
    d = reports.d
    reports.granted(members=family(100_000, 0, 0))
    earner = reports.members()[0]
    for day, event, income in (("2019-05-06", "2019-02-11", "1400"), ("2019-05-20", "2019-03-04", "1600")):
        d.clock.set(f"{day}T10:00")
        reports.report("income_up", event, person_id=earner)
        reports.register(incomes=[{"person_id": earner, "kind": "transfer_income", "amount_fen": income, "period": "month"}])
        reports.investigate()
        reports.conclude("decrease", clause="第三十二条")
        if income == "1400":
            reports.deliver()
            d.do("clerk", "recovery_plan", plan_outcome="refuses", note="不同意")
    first, second = reports.settlements()
    assert json.loads(first["months"]) == {"2019-03": 40_000, "2019-04": 22_000, "2019-05": 22_000}
    assert json.loads(second["months"]) == {"2019-04": 20_000, "2019-05": 20_000}
    facts = d.facts()
    assert (facts["overpaid_fen"], facts["charged_fen"], facts["overpaid_months"]) == (40_000, 44_000, ["2019-04", "2019-05"])
    assert "此前已认定退还的440.00元不重复计算" in reports.letter("adjustment")
    reports.proven()


def test_what_was_asked_back_and_turns_out_to_have_been_right_is_given_back(reports):
    """The income had not risen as far as the first report said."""
    d = reports.d
    reports.granted(members=family(100_000, 0, 0))
    earner = reports.members()[0]
    for day, income, conclusion in (("2019-05-06", "1400", "decrease"), ("2019-05-20", "1200", "increase")):
        d.clock.set(f"{day}T10:00")
        reports.report("income_up", "2019-02-11", person_id=earner)
        reports.register(incomes=[{"person_id": earner, "kind": "transfer_income", "amount_fen": income, "period": "month"}])
        reports.investigate()
        reports.conclude(conclusion, clause="第三十二条")
        if income == "1400":
            reports.deliver()
            d.do("clerk", "recovery_plan", plan_outcome="refuses", note="不同意")
    _, second = reports.settlements()
    assert (second["kind"], json.loads(second["months"])) == ("arrears", {"2019-03": 20_000, "2019-04": 20_000, "2019-05": 20_000})
    assert d.facts()["overpaid_fen"] == 0
    reports.proven()


@pytest.mark.parametrize("configured", [0, 1])
def test_a_late_report_of_a_fall_pays_nothing_later_unless_so_configured(reports, monkeypatch, configured):
    d = reports.d
    reports.granted(members=family(150_000, 0, 0))
    earner = reports.members()[0]
    as_it_is = law.value
    monkeypatch.setattr(law, "value", lambda name, on: replace(as_it_is(name, on), text=str(configured)) if name == "late_rise_arrears" else as_it_is(name, on))
    d.clock.set("2019-02-20T10:00")
    reports.report("income_down", "2018-11-12", person_id=earner)
    reports.register(incomes=[{"person_id": earner, "kind": "transfer_income", "amount_fen": "1400", "period": "month"}])
    reports.investigate()
    reports.conclude("increase")
    assert d.facts()["arrears_months"] == (["2018-12", "2019-01", "2019-02"] if configured else [])
    assert [(s["kind"], s["amount_fen"]) for s in reports.settlements()] == ([("arrears", 30_000)] if configured else [])
    assert ("少发的救助金" in reports.letter("adjustment")) is bool(configured)
    reports.proven()


def test_the_last_day_of_the_report_period_is_in_time_and_the_next_is_late():
    days = int(law.value("change_report_days", date(2019, 1, 8)).amount)
    assert days == 30
    event = date(2018, 12, 1)
    assert not is_late(event, event + timedelta(days=30))
    assert is_late(event, event + timedelta(days=31))


@pytest.mark.parametrize(("reported_on", "late"), [("2019-01-09", False), ("2019-01-10", True)])
def test_late_is_a_fact_of_the_case(reports, reported_on, late):
    reports.granted()
    reports.d.clock.set(f"{reported_on}T10:00")
    reports.report("other", "2018-12-10")
    facts = reports.d.facts()
    assert (facts["late"], facts["late_since"]) == (late, "2019-01" if late else None)


# -- S22


def test_s22_a_son_marries_and_leaves_and_the_couple_applies_on_its_own(reports):
    d = reports.d
    reports.granted(members=family(200_000, 0, 0, 100_000))
    son = reports.members()[3]
    assert reports.paid("2018-12") == [68_000]
    d.clock.set("2018-12-12T10:00")
    reports.report("marriage", "2018-12-08", person_id=son)
    reports.register(leaves=[{"person_id": son, "left_on": "2018-12-08", "left_reason": "marriage"}])
    couple = family(100_000, 0, serial=303)
    with d.office.read() as conn:
        number = d.office.keys.on(conn)
        row = conn.execute(select(person).where(person.c.id == son)).mappings().one()
        couple[0]["id_no"] = number.reveal("person", "id_no", son, row["id_no"])
    couple[1]["id_no"] = family(0, 0, serial=350)[1]["id_no"]
    data = {"community": COMMUNITY, "hukou_kind": "urban", "address": "新婚路2号", "members": couple}

    def register():
        with d.office.act(d.people["clerk"]) as act:
            return households.register(act, data)

    refused(reports, "one-benefit", register)
    reports.investigate()
    reports.conclude("increase", "member_changed")
    reports.deliver()
    assert reports.paid("2018-12", "2019-01") == [68_000, 76_000]
    assert (reports.row()["members"], len(reports.counted())) == (3, 3)
    first = d.no
    d.apply(register())
    assert "completeness_check" in d.tasks()
    reports.proven(first)


# -- transfer


def to_the_new_street(reports):
    d = reports.d
    reports.granted()
    d.clock.set("2018-12-12T10:00")
    reports.report("move_out", "2018-12-10")
    reports.register(new_community=OTHER_COMMUNITY, new_address="杭州道9号")
    return d


def test_a_transfer_has_no_gap_and_nothing_twice(reports):
    d = to_the_new_street(reports)
    task = d.tasks()["receive_transfer"]
    assert (task["unit"], task["due_on"], d.case()["unit"]) == (OTHER_STREET, "2018-12-19", STREET)
    refused(reports, "unit", lambda: d.do("clerk", "receive_transfer", transfer_outcome="accepted", opinion="接收"))
    d.do("stranger", "receive_transfer", transfer_outcome="accepted", opinion="接收")
    months = benefits.months("2018-09", "2019-08")
    assert reports.paid(*months) == [126_000 if month >= "2018-11" else 0 for month in months]
    assert [(a["kind"], a["before_fen"], a["after_fen"], a["from_month"]) for a in reports.adjustments()[1:]] == [("transfer", 126_000, 126_000, "2019-01")]
    with d.office.read() as conn:
        row = conn.execute(select(household).where(household.c.id == reports.home)).mappings().one()
        units = [queries.case_row(conn, d.no)["unit"]]
        units += conn.scalars(select(record.c.unit).where(record.c.id.in_([reports.home, reports.benefit_id >> 16])).order_by(record.c.id)).all()
    assert (row["street"], row["community"]) == (OTHER_STREET, OTHER_COMMUNITY)
    assert units == [OTHER_STREET, OTHER_COMMUNITY, OTHER_STREET]
    assert d.tasks()["deliver_transfer"]["unit"] == OTHER_STREET
    d.do("stranger", "deliver_transfer", delivered_on="2018-12-12", method="direct", recipient="张一")
    assert (d.case()["outcome"], reports.letters()) == ("ended_transferred", ["report_receipt", "transfer"])
    assert (reports.row()["status"], reports.row()["exit_class"], reports.row()["amount_from"]) == ("active", None, "2019-01")
    first = d.no
    refused(reports, "unit", lambda: reports.report("other", "2018-12-12"))
    reports.report("other", "2018-12-12", who="stranger")
    reports.proven(first)


def test_a_transfer_that_is_returned_stays_where_it_was(reports):
    d = to_the_new_street(reports)
    d.do("stranger", "receive_transfer", transfer_outcome="returned", opinion="未实际居住")
    assert d.tasks()["register_change"]["unit"] == STREET
    assert (d.facts()["street"], d.facts()["community"], d.facts()["new_community"]) == (STREET, COMMUNITY, None)
    reports.register()
    assert d.facts()["exit_reason"] == "moved_out_district"
    reports.conclude("stop", "moved_out_district", clause="第三十二条")
    reports.deliver()
    assert (reports.row()["exit_class"], reports.row()["stopped_from"]) == ("other", "2019-01")
    reports.proven()


def test_a_transfer_with_checks_is_investigated_by_the_new_street(reports):
    d = reports.d
    reports.granted()
    d.clock.set("2018-12-12T10:00")
    reports.report("move_out", "2018-12-10")
    reports.register(new_community=OTHER_COMMUNITY, check_home=True)
    d.do("stranger", "receive_transfer", transfer_outcome="accepted", opinion="接收")
    assert d.tasks()["home_survey"]["unit"] == OTHER_STREET


def test_a_further_change_takes_a_file_back_that_the_new_street_has_not_accepted(reports):
    d = to_the_new_street(reports)
    d.send("clerk", "change_reported", **reports.said("other", "2018-12-12"))
    assert d.tasks()["register_change"]["unit"] == STREET
    assert (d.facts()["street"], d.facts()["transfers"]) == (STREET, None)
    reports.proven()


def test_inside_its_street_a_household_moves_without_a_transfer(reports):
    d = reports.d
    reports.granted()
    with d.office.act() as act:
        units = act.new("unit", "120116")
        values = {"code": f"{STREET}017", "name": "新社区", "level": "community", "parent_code": STREET}
        act.append(units, "units_listed", puts=[Put("unit", units.next_id(), values)])
    d.clock.set("2018-12-12T10:00")
    reports.report("move_out", "2018-12-10")
    refused(reports, {"new_community"}, lambda: reports.register(new_community="120116099001"))
    refused(reports, {"new_community"}, lambda: reports.register(new_community=COMMUNITY))
    reports.register(new_community=f"{STREET}017", new_address="新址")
    with d.office.read() as conn:
        assert households.row(conn, reports.home)["community"] == f"{STREET}017"
    reports.conclude("keep", "unchanged")
    assert reports.deliver()["outcome"] == "ended_kept"
    reports.proven()


# -- holder, exit, kinds


def test_a_change_of_holder_alone_keeps_the_amount(reports):
    d = reports.d
    reports.granted()
    _, spouse, _ = reports.members()
    d.clock.set("2018-12-12T10:00")
    reports.report("other", "2018-12-11")
    reports.register(new_holder=spouse)
    reports.investigate()
    reports.conclude("keep", "member_changed")
    assert "decide" not in {t["node"] for t in d.tasks().values()}, "no district decision for what stays"
    reports.deliver()
    assert [(a["kind"], a["before_fen"], a["after_fen"]) for a in reports.adjustments()[1:]] == [("keep", 126_000, 126_000), ("holder", 126_000, 126_000)]
    assert reports.letters() == ["report_receipt", "review_result"]
    reports.proven()


def test_a_household_may_ask_to_leave_without_being_checked(reports):
    d = reports.d
    reports.granted()
    d.clock.set("2018-12-12T10:00")
    reports.report("other", "2018-12-11", wants_exit=True)
    reports.register()
    assert (list(d.tasks()), d.facts()["exit_reason"]) == (["street_opinion"], "voluntary")
    for conclusion, reason in (("increase", "income_changed"), ("decrease", "income_changed"), ("keep", "unchanged"), ("suspend", "under_verification")):
        refused(reports, {"conclusion"}, lambda conclusion=conclusion, reason=reason: reports.conclude(conclusion, reason, clause="第三十二条"))
    for reason in ("income_over", "fraud", "death_single"):
        refused(reports, {"reason_code"}, lambda reason=reason: reports.conclude("stop", reason, clause="第三十二条"))
    reports.conclude("stop", "voluntary", clause="第三十二条")
    reports.deliver()
    assert (reports.row()["exit_class"], reports.paid("2018-12", "2019-01")) == ("voluntary", [126_000, 0])
    reports.proven()


def test_a_member_in_prison_is_no_longer_counted(reports):
    d = reports.d
    reports.granted()
    child = reports.members()[2]
    d.clock.set("2018-12-12T10:00")
    reports.report("imprisonment", "2018-12-10", person_id=child, reported_by="data", channel="data")
    refused(reports, {"leaves"}, reports.register)
    reports.register(leaves=[{"person_id": child, "left_on": "2018-12-10", "left_reason": "imprisonment"}])
    assert d.facts()["members_counted"] == 2
    reports.conclude("decrease", "member_changed", clause="第三十二条")
    reports.deliver()
    assert (reports.paid("2018-12", "2019-01"), len(reports.counted())) == ([126_000, 34_000], 2)
    reports.proven()


KINDS = [kind for kind, _, _ in change_kinds.KINDS]


def test_there_are_nineteen_kinds():
    assert len(KINDS) == len(set(KINDS)) == 19
    assert all(law.change_checks(kind, date(2018, 12, 1)) <= {"means", "home"} for kind in KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_reported_checked_as_the_table_says_and_concluded(reports, kind):
    d = reports.d
    reports.granted()
    child = reports.members()[2]
    d.clock.set("2018-12-12T10:00")
    concerned = {"person_id": child} if kind in change_kinds.OF_A_MEMBER or kind == "move_out" else {}
    no = reports.report(kind, None if kind == "no_change" else "2018-12-10", **concerned)
    if kind == "no_change":
        assert (d.case()["outcome"], d.tasks(), reports.letters()) == ("ended_no_change", {}, ["report_receipt"])
        assert reports.row()["next_report_on"] == benefits.next_report(date(2018, 12, 12), reports.row()["review_class"]).isoformat()
        reports.proven()
        return
    gone = {"death": "death", "imprisonment": "imprisonment", "move_out": "moved_out"}.get(kind)
    reports.register(leaves=[{"person_id": child, "left_on": "2018-12-10", "left_reason": gone}] if gone else [])
    asked = law.change_checks(kind, date(2018, 12, 12))
    assert (d.facts()["check_means"], d.facts()["check_home"]) == ("means" in asked, "home" in asked)
    assert ("registry_answer" in reports.waits(), "home_survey" in d.tasks()) == ("means" in asked, "home" in asked)
    reports.investigate()
    assert list(d.tasks()) == ["street_opinion"]
    reports.conclude(*(("decrease", "member_changed") if gone else ("keep", "unchanged")), **({"clause": "第三十二条"} if gone else {}))
    assert reports.deliver()["outcome"] == ("ended_changed" if gone else "ended_kept")
    assert d.case(no)["closed_at"] is not None
    reports.proven()


def test_a_doubted_no_change_is_checked(reports):
    reports.granted()
    reports.d.clock.set("2018-12-12T10:00")
    reports.report("no_change", doubted=True)
    reports.register()
    assert ("registry_answer" in reports.waits(), "home_survey" in reports.d.tasks()) == (True, True)


def test_a_birth_raises_the_amount_without_a_visit(reports):
    d = reports.d
    reports.granted()
    d.clock.set("2018-12-12T10:00")
    with d.office.act(d.people["clerk"]) as act:
        baby = households.add_member(act, reports.home, {"name": "新生儿", "relation": "child", "birth_date": "2018-12-10", "labour_ability": "none"})
    reports.report("birth", "2018-12-10", person_id=baby)
    reports.register()
    assert d.facts()["amount_fen"] == 4 * 92_000 - 150_000
    reports.conclude("increase", "member_changed")
    reports.deliver()
    assert (reports.paid("2018-12", "2019-01"), len(reports.counted())) == ([126_000, 218_000], 4)
    reports.proven()


# -- what is refused


def test_a_report_is_refused_by_the_name_of_its_rule_and_changes_nothing(reports):
    d = reports.d
    reports.granted()
    d.clock.set("2018-12-12T10:00")
    member = reports.members()[1]
    refused(reports, "unit", lambda: reports.report("other", "2018-12-10", who="stranger"))
    refused(reports, "starter", lambda: reports.report("other", "2018-12-10", who="rita"))
    said = refused(reports, "before-benefit", lambda: reports.report("other", "2018-10-23"))
    assert "2018-10-24" in said
    refused(reports, {"event_on"}, lambda: reports.report("other", "2018-12-13"))
    refused(reports, {"reported_on"}, lambda: reports.report("other", "2018-12-10", reported_on="2018-12-13"))
    refused(reports, {"reported_on"}, lambda: reports.report("other", "2018-12-10", reported_on="2018-12-09"))
    refused(reports, "before-benefit", lambda: reports.report("no_change", reported_on="2018-10-23"))
    refused(reports, {"reported_on"}, lambda: reports.report("other", "1950-12-10", reported_on="1950-12-10"))
    refused(reports, {"event_on"}, lambda: reports.report("other"))
    refused(reports, {"event_on"}, lambda: reports.report("no_change", "2018-12-10"))
    refused(reports, {"wants_exit"}, lambda: reports.report("no_change", wants_exit=True))
    refused(reports, {"wants_exit"}, lambda: reports.report("other", "2018-12-10", wants_exit=True, reported_by="public"))
    refused(reports, {"person_id"}, lambda: reports.report("death", "2018-12-10"))
    refused(reports, {"kind"}, lambda: reports.report("lottery", "2018-12-10"))
    refused(reports, {"evidence"}, lambda: reports.report("other", "2018-12-10", evidence=[999]))
    refused(reports, "not-a-member", lambda: reports.report("job_start", "2018-12-10", person_id=999))
    strangers = d.household(210_000, serial=77)
    with d.office.read() as conn:
        theirs = households.members_of(conn, strangers)[0]["person_id"]
    refused(reports, "not-a-member", lambda: reports.report("job_start", "2018-12-10", person_id=theirs))
    home, reports.home = reports.home, strangers
    refused(reports, "no-benefit", lambda: reports.report("other", "2018-12-10"))
    reports.home = 999_999
    refused(reports, "unit", lambda: reports.report("other", "2018-12-10"))
    reports.home = home
    reports.report("job_start", "2018-12-10", person_id=member)


def test_a_registration_is_refused_where_it_does_not_fit(reports):
    d = reports.d
    reports.granted()
    head, spouse, child = reports.members()
    d.clock.set("2018-12-12T10:00")
    reports.report("divorce", "2018-12-10", person_id=spouse)
    leaves = [{"person_id": spouse, "left_on": "2018-12-10", "left_reason": "divorce"}]
    income = {"kind": "wage_income", "amount_fen": "100", "period": "month"}
    refused(reports, {"leaves.0.left_on"}, lambda: reports.register(leaves=[{**leaves[0], "left_on": "2018-12-13"}]))
    refused(reports, {"leaves.0.left_on"}, lambda: reports.register(leaves=[{**leaves[0], "left_on": "2018-01-01"}]))
    refused(reports, {"leaves"}, lambda: reports.register(leaves=leaves * 2))
    refused(reports, {"incomes.0.person_id"}, lambda: reports.register(leaves=leaves, incomes=[{"person_id": spouse, **income}]))
    refused(reports, {"persons.0.person_id"}, lambda: reports.register(leaves=leaves, persons=[{"person_id": spouse, "employment": "employed"}]))
    refused(reports, {"incomes.0.person_id"}, lambda: reports.register(incomes=[{"person_id": 999, **income}]))
    refused(reports, {"property.0.person_id"}, lambda: reports.register(property=[{"kind": "vehicle", "person_id": 999}]))
    refused(reports, {"no_property"}, lambda: reports.register(property=[{"kind": "vehicle"}], no_property=True))
    refused(reports, {"new_community"}, lambda: reports.register(new_community=OTHER_COMMUNITY))
    refused(reports, {"check_means", "check_home"}, lambda: reports.register(check_means=False, check_home=False))
    refused(reports, {"missing"}, lambda: reports.register(missing=["divorce_document"]))
    refused(reports, {"missing"}, lambda: reports.register(evidence_outcome="supplement"))
    reports.register(leaves=leaves, incomes=[{"person_id": child, **income}])
    assert reports.members() == [head, child]


# -- supplements, further changes, withdrawal, the meeting


def test_evidence_is_asked_for_once_and_the_days_that_the_clock_stood_are_known(reports):
    d = reports.d
    reports.granted()
    d.clock.set("2018-12-12T10:00")
    reports.report("disability", "2018-12-10", person_id=reports.members()[2])
    assert d.tasks()["register_change"]["due_on"] == "2018-12-19"
    d.do("clerk", "register_change", evidence_outcome="supplement", missing=["disability_certificate"])
    assert reports.letters() == ["report_receipt", "evidence_request"]
    d.clock.set("2018-12-17T10:00")
    d.do("clerk", "supplement", received_on="2018-12-17", supplied=["disability_certificate"])
    assert d.facts()["stopped_workdays"] == 3
    assert d.tasks()["register_change"]["due_on"] == "2018-12-24"
    refused(reports, {"evidence_outcome"}, lambda: d.do("clerk", "register_change", evidence_outcome="supplement", missing=["other"]))
    reports.register(persons=[{"person_id": reports.members()[2], "disability_kind": "limb", "disability_grade": 1}])
    assert list(d.tasks()) == ["street_opinion"]
    assert d.tasks()["street_opinion"]["due_on"] == "2018-12-29", "a Saturday that is worked"
    reports.proven()


def test_a_second_report_goes_into_the_open_case_and_it_is_investigated_anew(reports):
    d = reports.d
    reports.granted()
    spouse, child = reports.members()[1:]
    d.clock.set("2018-12-12T10:00")
    no = reports.report("job_start", "2018-12-10", person_id=spouse)
    reports.register(incomes=[{"person_id": spouse, "kind": "wage_income", "amount_fen": "500", "period": "month"}])
    reports.investigate()
    d.clock.set("2018-12-14T10:00")
    assert no in refused(reports, "open_case", lambda: reports.report("death", "2018-12-13", person_id=child))
    refused(reports, "not-a-member", lambda: d.send("clerk", "change_reported", **reports.said("death", "2018-12-13", person_id=999)))
    refused(reports, "before-benefit", lambda: d.send("clerk", "change_reported", **reports.said("other", "2018-01-13")))
    refused(reports, "unit", lambda: d.send("stranger", "change_reported", **reports.said("other", "2018-12-13")))
    d.send("vera", "change_reported", **reports.said("death", "2018-12-13", person_id=child))
    assert (list(d.tasks()), d.facts()["kind"], d.facts()["conclusion"]) == (["register_change"], "death", None)
    assert d.tasks()["register_change"]["due_on"] == "2018-12-21"
    reports.register(leaves=[{"person_id": child, "left_on": "2018-12-13", "left_reason": "death"}])
    assert "registry_answer" in reports.waits(), "what the first change asked for is still asked for"
    reports.investigate()
    assert (d.facts()["members_counted"], d.facts()["category"]) == (2, "low_income")
    assert reports.letters() == ["report_receipt", "report_receipt"]
    reports.proven()


def test_a_report_may_be_withdrawn_by_the_household_until_the_change_is_registered(reports):
    d = reports.d
    reports.granted()
    d.clock.set("2018-12-12T10:00")
    withdrawn = {"withdrawn_on": "2018-12-12", "reason": "报告有误"}
    reports.report("other", "2018-12-10", reported_by="public")
    refused(reports, "not-its-report", lambda: d.send("clerk", "withdrawal", **withdrawn))
    d.send("clerk", "change_reported", **reports.said("other", "2018-12-11"))
    refused(reports, "not-its-report", lambda: d.send("clerk", "withdrawal", **withdrawn))
    assert d.facts()["exit_trigger"] == "reported", "the earliest trigger counts (domain 8)"
    reports.register()
    reports.investigate()
    reports.conclude("keep", "unchanged")
    reports.deliver()
    reports.report("other", "2018-12-11")
    refused(reports, {"reason"}, lambda: d.send("clerk", "withdrawal", withdrawn_on="2018-12-12"))
    assert d.send("clerk", "withdrawal", **withdrawn)["outcome"] == "ended_withdrawn"
    reports.proven()
    reports.report("income_up", "2018-12-11")
    reports.register(incomes=[{"person_id": reports.members()[0], "kind": "transfer_income", "amount_fen": "100", "period": "month"}])
    refused(reports, "change-registered", lambda: d.send("clerk", "withdrawal", **withdrawn))


def test_the_joint_meeting_answers_a_special_case(reports):
    d = reports.d
    job_in_mid_period(reports)
    asked = {"trigger": "income_slightly_over", "special_facts": "肾衰竭", "wish": "按低收入救助"}
    with pytest.raises(Invalid, match="没有入户调查"):
        d.do("rita", "street_opinion", conclusion="joint_meeting", opinion="研究", **asked)
    d.do("rita", "street_opinion", conclusion="return_survey", opinion="先入户")
    reports.investigate()
    d.do("rita", "street_opinion", conclusion="joint_meeting", opinion="研究", **asked)
    assert (d.tasks(), "resolution" in reports.waits()) == ({}, True)
    said = {"resolution": "approve_as", "approved_category": "low_income", "approved_amount": "276", "reasons": "集体研究", "meeting_no": "1", "item": 1}
    with pytest.raises(Refused):
        d.send("sue", "resolution", **said)
    with d.office.act() as act:
        d.cases.receive_by_id(act, d.case()["id"], "resolution", said)
    reports.conclude("convert", "special_case", convert_consent=True)
    reports.deliver()
    assert reports.paid("2018-12", "2019-01") == [156_000, 27_600]
    reports.proven()


def test_a_return_for_a_survey_asks_for_both_checks(reports):
    d = reports.d
    reports.granted()
    d.clock.set("2018-12-12T10:00")
    reports.report("birth", "2018-12-10")
    reports.register()
    d.do("rita", "street_opinion", conclusion="return_survey", opinion="需要入户")
    assert ("registry_answer" in reports.waits(), "home_survey" in d.tasks()) == (True, True)


def test_whoever_registered_the_change_does_not_review_it(reports):
    d = reports.d
    reports.granted()
    d.clock.set("2018-12-12T10:00")
    reports.report("birth", "2018-12-10", who="vera")
    reports.register()
    with d.office.read() as conn:
        acts = acts_of("vera", queries.case_tasks(conn, d.case()["id"]))
    broken = duties.may("claim", "street_opinion", "reviewer", "clerk", actor_roles={"reviewer"}, acts=acts, relatives=(), facts={})
    assert broken is not None
    assert broken.rule == "acceptor-reviews"


def test_after_the_conclusion_a_further_change_is_a_case_of_its_own(reports):
    d = reports.d
    reports.granted()
    d.clock.set("2018-12-12T10:00")
    reports.report("birth", "2018-12-10")
    reports.register()
    reports.conclude("keep", "unchanged")
    with pytest.raises(NotWaiting):
        d.send("clerk", "change_reported", **reports.said("other", "2018-12-11"))
    first, second = d.no, reports.report("other", "2018-12-11")
    assert second != first, "nothing more can be recorded in the first, and its letter may be long under way"
    assert second in refused(reports, "open_case", lambda: reports.report("other", "2018-12-12"))
    reports.register()
    reports.investigate()
    reports.conclude("keep", "unchanged")
    d.no = first
    assert reports.deliver()["outcome"] == "ended_kept"
    d.no = second
    assert reports.deliver()["outcome"] == "ended_kept"
    assert [a["case_no"] for a in reports.adjustments()[1:]] == [first, second]
    reports.proven(first)
    reports.proven(second)


def test_a_household_that_agrees_to_no_plan_may_still_report(reports):
    d = reports.d
    reports.granted(members=family(100_000, 0, 0))
    earner = reports.members()[0]
    d.clock.set("2019-05-06T10:00")
    reports.report("income_up", "2019-02-11", person_id=earner)
    reports.register(incomes=[{"person_id": earner, "kind": "transfer_income", "amount_fen": "1400", "period": "month"}])
    reports.investigate()
    reports.conclude("decrease", clause="第三十二条")
    reports.deliver()
    first = d.no
    assert list(d.tasks()) == ["recovery_plan"]
    second = reports.report("job_loss", "2019-05-05", person_id=earner)
    d.no = first
    refused(reports, {"note"}, lambda: d.do("clerk", "recovery_plan", plan_outcome="refuses"))
    refused(reports, {"agreed_on", "instalment", "first_month"}, lambda: d.do("clerk", "recovery_plan", plan_outcome="agreed"))
    assert d.do("clerk", "recovery_plan", plan_outcome="refuses", note="认为没有多领")["outcome"] == "ended_changed"
    [found] = reports.settlements()
    assert (found["status"], found["instalment_fen"], found["case_no"]) == ("found", None, first)
    assert "recovery" not in reports.letters(first)
    d.no = second
    assert "register_change" in d.tasks()
    reports.proven(first)


# -- the duty to report


def test_the_duty_is_reminded_twice_and_answered_by_the_next_report(reports):
    d = reports.d
    reports.granted()
    due = reports.row()["next_report_on"]
    assert (reports.row()["review_class"], due) == ("C", "2019-01-24")
    d.at(f"{due}T00:01")
    [duty] = reports.duties()
    assert (duty["due_on"], duty["reminded_on"], duty["reminded_again_on"], duty["street"]) == (due, due, None, STREET)
    d.bureau.jobs.run_all()
    d.at("2019-02-07T23:59")
    assert reports.duties()[0]["reminded_again_on"] is None
    d.at("2019-02-08T00:01")
    [duty] = reports.duties()
    assert duty["reminded_again_on"] == "2019-02-08"
    with d.office.read() as conn:
        no = households.row(conn, reports.home)["no"]
    assert reports.letters(no) == ["report_reminder", "report_reminder"]
    d.clock.set("2019-02-11T10:00")
    reports.report("no_change", reported_by="public")
    assert reports.duties()[0]["answered_on"] is None, "the household has not reported"
    report = reports.report("no_change", channel="phone")
    [duty] = reports.duties()
    assert (duty["answered_on"], duty["case_no"], reports.row()["next_report_on"]) == ("2019-02-11", report, "2019-05-11")
    d.at("2019-05-11T00:01")
    assert [r["due_on"] for r in reports.duties()] == ["2019-01-24", "2019-05-11"]
    reports.proven(report)


def test_a_report_before_the_day_moves_it_and_an_answered_duty_is_not_reminded_again(reports):
    d = reports.d
    reports.granted()
    d.clock.set("2018-12-12T10:00")
    reports.report("no_change")
    d.at("2019-01-24T00:01")
    assert reports.duties() == [], "the day has moved to 2019-03-12"
    d.at("2019-03-12T00:01")
    assert len(reports.duties()) == 1
    d.clock.set("2019-03-13T10:00")
    reports.report("no_change")
    d.at("2019-04-12T00:01")
    assert reports.duties()[0]["reminded_again_on"] is None
    reports.proven()


def test_what_is_still_owed_moves_with_the_household(reports):
    d = reports.d
    reports.granted()
    d.clock.set("2019-01-24T00:01")
    Jobs(d.office, {"report_due": d.bureau.jobs.handlers["report_due"]}, d.clock).run_all()  # the review that is due as well waits
    d.clock.set("2019-01-25T10:00")
    reports.report("move_out", "2019-01-24", reported_by="data", channel="data")
    reports.register(new_community=OTHER_COMMUNITY)
    assert reports.duties()[0]["street"] == STREET
    d.do("stranger", "receive_transfer", transfer_outcome="accepted", opinion="接收")
    assert (reports.duties()[0]["street"], reports.duties()[0]["answered_on"]) == (OTHER_STREET, None)
    with d.office.read() as conn:
        counts = [report_duties.by_street(conn, area, d.office.today()) for area in (STREET, OTHER_STREET)]
    assert counts == [[], [{"street": OTHER_STREET, "due": 1, "overdue": 0, "answered": 0}]]
    reports.proven()


def silent(reports, *days):
    """The clock comes to each day; reviews that are due as well wait, and nobody reports."""
    for day in days:
        reports.d.clock.set(f"{day}T00:01")
        Jobs(reports.d.office, {name: reports.d.bureau.jobs.handlers[name] for name in ("report_due", "report_reminder")}, reports.d.clock).run_all()


def test_who_stays_silent_owes_the_next_report_as_well_and_one_report_answers_both(reports):
    reports.granted()
    silent(reports, "2019-01-24", "2019-02-08", "2019-04-24", "2019-05-09")
    assert [(r["due_on"], r["reminded_on"], r["reminded_again_on"]) for r in reports.duties()] == [
        ("2019-01-24", "2019-01-24", "2019-02-08"), ("2019-04-24", "2019-04-24", "2019-05-09")]  # fmt: skip
    assert reports.row()["next_report_on"] == "2019-07-24"
    with reports.d.office.read() as conn:
        assert report_duties.owed(conn, reports.benefit_id) == ["2019-01-24", "2019-04-24"]
        assert benefit_lists.due_within(conn, STREET, reports.d.office.today())["reports"] == 1, "households, not letters"
    reports.d.clock.set("2019-05-13T10:00")
    no = reports.report("no_change")
    assert [(r["answered_on"], r["case_no"]) for r in reports.duties()] == [("2019-05-13", no)] * 2
    assert reports.row()["next_report_on"] == "2019-08-13"
    with reports.d.office.read() as conn:
        assert benefit_lists.due_within(conn, STREET, reports.d.office.today())["reports"] == 0
    reports.proven()


def test_what_fell_due_while_nothing_ran_is_one_duty(reports):
    reports.granted()
    silent(reports, "2019-09-02")
    assert [r["due_on"] for r in reports.duties()] == ["2019-01-24"]
    assert reports.row()["next_report_on"] == "2019-10-24"


def test_a_report_that_is_entered_late_on_the_day_of_the_duty_does_not_end_the_duty_for_ever(reports):
    """The next time is counted from the day of the report, three months ago: it falls on this very day, whose job is done."""
    reports.granted()
    silent(reports, "2019-01-24")
    reports.d.clock.set("2019-01-24T10:00")
    reports.report("no_change", reported_on="2018-10-24")
    assert reports.duties()[0]["answered_on"] == "2018-10-24"
    assert reports.row()["next_report_on"] == "2019-01-25"
    silent(reports, "2019-01-25")
    assert [r["due_on"] for r in reports.duties()] == ["2019-01-24", "2019-01-25"]
    reports.proven()


def test_another_class_counts_the_duty_from_the_last_report(reports):
    reports.granted()
    reports.d.clock.set("2019-01-10T10:00")
    reports.report("no_change")
    assert (reports.row()["review_class"], reports.row()["next_report_on"]) == ("C", "2019-04-10")
    for review_class, following in (("B", "2019-07-10"), ("A", "2020-01-10"), ("C", "2019-04-10")):
        with reports.d.office.act(reports.d.people["rita"]) as act:
            benefit_acts.change_class(act, reports.benefit_id, {"review_class": review_class, "reason": "情况变化"})
        assert reports.row()["next_report_on"] == following, "the household reported on 2019-01-10"
    silent(reports, "2019-04-10")
    assert len(reports.duties()) == 1
