"""The scenarios of domain 7 that belong to this process, with the dates and amounts given there, on both databases."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import select

from engine import queries
from engine.errors import Invalid, NotWaiting, Refused
from engine.habits import Habits
from engine.office import history, seals_hold
from processes import conclusions, households, identity, investigation, organisation, paperwork, spot_check
from processes.bureau import CATALOGUE
from processes.case_tables import letter, notice
from processes.dibao_2012 import DIBAO_2012
from processes.rebuild import differences
from processes.tables import benefit, near_relative
from tests.district import REVIEWERS


def proven(district) -> None:
    """Whatever happened: seals hold, replay gives the same, rows follow from the records."""
    with district.office.read() as conn:
        row = district.case()
        entries = history(conn, district.office.keys.on(conn), row["id"])
        assert seals_hold(entries) is None
        assert entries[-1].leaf == row["head"]
        assert len(list(district.cases.replaying(conn, entries))) == len(entries)
    assert differences(district.office) == []


def test_s1_happy_path_has_the_dates_and_the_660_yuan_of_the_law(district):
    district.apply(district.household(210_000))
    district.accept()
    assert district.tasks()["home_survey"]["due_on"] == "2018-12-17"
    district.check()
    district.clock.set("2018-12-17T10:00")
    district.survey()
    assert district.tasks()["democratic_review"]["due_on"] == "2018-12-24"
    district.clock.set("2018-12-24T10:00")
    district.review()
    district.street()
    district.post()
    district.at("2018-12-31T23:59")
    assert district.tasks() == {}
    district.at("2019-01-01T00:01")
    district.clock.set("2019-01-02T09:00")
    district.submit()
    assert district.tasks()["district_examination"]["due_on"] == "2019-01-09"
    district.clock.set("2019-01-09T09:00")
    district.do("exam", "district_examination", district_outcome="propose_grant", opinion="拟批准")
    district.post("post_district_notice")
    district.at("2019-01-17T09:00")
    district.do("vera", "remove_district_notice", removed_on="2019-01-17", objections="none")
    assert district.tasks()["decide"]["due_on"] == "2019-01-21"
    district.clock.set("2019-01-21T09:00")
    district.do("app", "decide", decision="granted", opinion="批准")
    told = district.do("clerk", "deliver_approval", delivered_on="2019-01-21", method="direct", recipient="张一")
    assert told["outcome"] == "ended_granted"
    with district.office.read() as conn:
        granted = conn.execute(select(benefit)).mappings().one()
        kinds = conn.scalars(select(letter.c.kind).order_by(letter.c.id)).all()
    assert (granted["amount_fen"], granted["first_payment_month"], granted["category"]) == (66_000, "2019-02", "dibao")
    assert kinds == ["acceptance", "approval"]
    proven(district)


def test_s2_one_notice_lists_all_gaps_and_a_second_may_not_ask_for_more(district):
    household_id = district.household(210_000, sign=False)
    district.apply(household_id)
    with pytest.raises(Refused) as refused:
        district.accept()
    assert refused.value.rule == "authorization"
    district.do("clerk", "completeness_check", outcome="incomplete", missing=["authorization"])
    assert "accepted_on" not in district.facts()
    district.clock.set("2018-12-05T09:00")
    district.do("clerk", "supplement", received_on="2018-12-05", supplied=["authorization"])
    with pytest.raises(Invalid) as invalid:
        district.do("clerk", "completeness_check", outcome="incomplete", missing=["authorization", "diagnosis"])
    assert "missing" in invalid.value.fields
    with district.office.act(district.people["clerk"]) as act:
        district.sign(act, household_id)
    district.accept()
    assert district.facts()["accepted_on"] == "2018-12-05"
    proven(district)


@pytest.mark.parametrize(("disabled", "amount"), [(True, 27_600), (False, 0)])
def test_s3_one_yuan_over_becomes_low_income_with_consent(district, disabled, amount):
    last = {"disability_kind": "limb", "disability_grade": 2} if disabled else {}
    district.to_street_opinion(276_300, last=last)
    facts = district.facts()
    assert (facts["category"], facts["per_capita"], facts["amount_fen"]) == ("low_income", "921.00", amount)
    with pytest.raises(KeyError):
        district.review()
    district.do("clerk", "low_income_consent", low_income_consent=True, signed_on="2018-12-03", signed_document=district.scan)
    district.review()
    district.street()
    assert "post_street_notice" in district.tasks()


@pytest.mark.parametrize(("said", "amount"), [
    ({"childless": True}, 27_600), ({"childless": False}, 0), ({}, 0), ({"hardships": ["family_planning_special"]}, 27_600)])  # fmt: skip
def test_declared_hardships_reach_the_case_and_the_low_income_cash_rests_on_them(district, said, amount):
    """TLOW: an old couple without children, within the low-income band."""
    old = [{"name": name, "id_no": identity.invent(date(1950, 3, 1 + n), "male", 900 + n), "relation": relation,
            "income": [{"kind": "transfer_income", "amount_fen": 100_000}]} for n, (name, relation) in enumerate([("张一", "head"), ("李二", "spouse")])]  # fmt: skip
    district.apply(district.household(members=old, **said))
    district.accept()
    district.check()
    district.survey()
    facts = district.facts()
    assert (facts["category"], facts["amount_fen"]) == ("low_income", amount)
    proven(district)


def test_a_hardship_found_during_the_investigation_counts_at_the_assessment(district):
    home = district.household(276_300)
    district.apply(home)
    district.accept()
    with district.office.act(district.people["ann"]) as act:
        households.set_hardships(act, home, {"hardships": ["major_illness"]})
    district.check()
    district.survey()
    assert (district.facts()["category"], district.facts()["amount_fen"]) == ("low_income", 27_600)


def test_s3_without_consent_no_grant_can_be_proposed_and_a_refusal_letter_follows(district):
    district.to_street_opinion(276_300)
    district.do("clerk", "low_income_consent", low_income_consent=False, signed_on="2018-12-03", signed_document=district.scan)
    district.review()
    with pytest.raises(Invalid):
        district.do("rita", "street_opinion", street_outcome="propose_grant", opinion="拟同意")
    district.do("rita", "street_opinion", street_outcome="propose_refuse", opinion="收入高", reason_code="income_over", clause="第四条")
    district.do("lee", "street_signoff", signoff="agree", opinion="同意")
    district.do("rita", "submit_to_district", contents=["application", "survey", "opinion"])
    if "spot_check_visit" in district.tasks():
        district.do("spot", "spot_check_visit", visited_on="2018-12-03", second_visitor="乙", findings="一致", agrees=True)
    district.do("exam", "district_examination", district_outcome="propose_refuse", opinion="不符合", reason_code="income_over", clause="第四条")
    district.do("app", "decide_refusal", decision="refused", opinion="人均 921.00 元，不低于 920.00 元", reason_code="income_over", clause="第四条")
    assert district.tasks()["deliver_refusal"]["due_on"] == "2018-12-06"
    with district.office.read() as conn:
        from processes import paperwork

        letter_id = conn.scalar(select(letter.c.id).where(letter.c.kind == "refusal"))
        _, text = paperwork.issued_bytes(conn, district.office.keys.on(conn), letter_id)
    assert all(word in text.decode() for word in ("921.00", "60日内", "6个月内", "滨海新区人民政府"))
    proven(district)


@pytest.mark.parametrize(("method", "lacking", "proof"), [
    ("direct", "receipt_document", {"receipt_document": 1}), ("entrusted", "receipt_document", {"receipt_document": 1}),
    ("lien", "evidence", {"evidence": 1}), ("lien", "evidence", {"receipt_document": 1}), ("post", None, {})])  # fmt: skip
def test_in_production_a_delivery_is_proved_as_its_method_allows(district, method, lacking, proof):
    district.to_refusal()
    said = {"delivered_on": "2018-12-03", "method": method, "recipient": "张一"}
    district.office.production = True
    if lacking:
        with pytest.raises(Invalid) as wrong:
            district.do("clerk", "deliver_refusal", **said)
        assert set(wrong.value.fields) == {lacking}
    found = {name: [district.scan] if name == "evidence" else district.scan for name in proof}
    assert district.do("clerk", "deliver_refusal", **said, **found)["outcome"] == "ended_refused"
    proven(district)


def test_in_training_nobody_needs_a_scan_to_practise_a_delivery(district):
    district.to_refusal()
    district.do("clerk", "deliver_refusal", delivered_on="2018-12-03", method="direct", recipient="张一")


def asked_for(district, give, node, field, **answers):
    """In production `give` is refused without the page or photo, and goes through with it."""
    with pytest.raises(Invalid) as wrong:
        give(node, **answers)
    assert set(wrong.value.fields) == {field}, node
    return give(node, **answers, **{field: district.scan})


def test_in_production_a_signature_is_a_scanned_page_and_a_notice_is_photographed(district):
    """N220 arts 12, 23, 25, 29: what residents sign, or what hung on a board, is never a tick that staff typed."""
    day, home = "2018-12-03", district.household(210_000, sign=False)
    district.office.production = True
    district.apply(home)
    with pytest.raises(Refused) as refused:
        district.accept()
    assert refused.value.rule == "authorization"
    with district.office.read() as conn:
        adults = households.missing_authorisations(conn, home, date(2018, 12, 3), production=True)
    with pytest.raises(Invalid) as wrong, district.office.act(district.people["clerk"]) as act:
        households.authorise(act, home, adults[0], day, "2019-12-02")
    assert set(wrong.value.fields) == {"document_id"}
    with district.office.act(district.people["clerk"]) as act:
        for person_id in adults:
            households.authorise(act, home, person_id, day, "2019-12-02", district.scan)
    district.accept()
    district.check()
    district.survey()

    def doing(who):
        return lambda node, **answers: district.do(who, node, **answers)

    asked_for(district, doing("officer"), "democratic_review", "signed_document", held_on=day, place="居委会", chair="主任", participants=REVIEWERS,
              statements="属实", review_conclusion="agree")  # fmt: skip
    district.street()
    asked_for(district, doing("vera"), "post_street_notice", "photo", posted_on=day, places=["village_board"])
    district.at("2018-12-11T09:00")
    asked_for(district, doing("vera"), "remove_street_notice", "photo", removed_on="2018-12-11", objections="none")
    told = asked_for(district, lambda name, **said: district.send("clerk", name, **said), "withdrawal", "signed_document", withdrawn_on="2018-12-11", reason="已就业")
    assert told["outcome"] == "ended_withdrawn"
    proven(district)


def test_an_authorisation_without_its_page_counts_in_training_only(district):
    home = district.household(210_000)
    district.office.production = True
    district.apply(home)
    with pytest.raises(Refused) as refused:
        district.accept()
    assert refused.value.rule == "authorization"
    district.office.production = False
    district.accept()


def test_in_production_the_rejection_after_the_check_names_its_proof_of_delivery(district):
    district.apply(district.household(n=2))
    district.accept()
    district.survey()
    district.check("exceeds_standard", found_assets="60000")
    district.office.production = True
    district.do("rita", "issue_check_rejection", reasons="超限")
    asked_for(district, lambda node, **said: district.do("clerk", node, **said), "deliver_check_rejection", "receipt_document", delivered_on="2018-12-03", method="direct",
              recipient="张一")  # fmt: skip
    proven(district)


@pytest.mark.parametrize(("said", "lacking"), [
    ({"plan_outcome": "agreed"}, {"signed_document"}), ({}, {"signed_document"}), ({"plan_outcome": "agreed", "signed_document": 7}, set()), ({"plan_outcome": "refuses"}, set())])
def test_a_plan_is_signed_by_who_agrees_to_it(said, lacking):
    assert investigation.unsigned("recovery_plan", said).keys() == lacking


def test_every_page_that_production_asks_for_is_a_field_of_its_form():
    asked = {node: field for node, (field, _) in investigation.PAPERS.items()}
    forms = {node: form for process in CATALOGUE.values() for node, form in process.answered.items() if node in asked}
    assert forms.keys() == asked.keys()
    assert all(form._declared_fields[asked[node]].metadata["widget"] == "document" for node, form in forms.items())


def test_s4_assets_found_by_the_check_lead_to_a_rejection_and_an_objection_reopens(district):
    district.apply(district.household(n=2, assets=500_000))
    district.accept()
    district.survey()
    district.check("exceeds_standard", found_assets="60000")
    assert district.facts()["category"] == "refused_property"
    district.do("rita", "issue_check_rejection", reasons="货币财产超过限额")
    district.do("clerk", "deliver_check_rejection", delivered_on="2018-12-03", method="direct", recipient="张一")
    assert district.facts()["check_objection_until"].startswith("2018-12-18T00:00")
    district.clock.set("2018-12-05T09:00")
    district.send("clerk", "objection", objection_on="2018-12-05", objector_kind="applicant", grounds="3 万元为未分割遗产")
    district.check("inconsistent", found_assets="30000")
    district.survey()
    facts = district.facts()
    assert (facts["category"], facts["amount_fen"]) == ("dibao", 184_000)
    proven(district)


def test_without_an_objection_the_check_rejection_goes_on_to_a_refusal(district):
    district.apply(district.household(n=2))
    district.accept()
    district.survey()
    district.check("exceeds_standard", found_assets="60000")
    district.do("rita", "issue_check_rejection", reasons="货币财产超过限额")
    district.do("clerk", "deliver_check_rejection", delivered_on="2018-12-03", method="direct", recipient="张一")
    district.at("2018-12-18T09:00")
    assert list(district.tasks()) == ["street_opinion"]


def test_s6_a_survey_needs_two_investigators(district):
    district.apply(district.household(210_000))
    district.accept()
    with pytest.raises(Invalid):
        district.do("ann", "home_survey", surveyed_on="2018-12-03", second_investigator="ann", met_person="张一", housing="x", living="x", findings="x", surveyed_signature=1)
    district.do("ann", "home_survey", surveyed_on="2018-12-03", second_investigator="bob", met_person="张一", housing="x", living="x", findings="x", surveyed_signature=district.scan)
    for other in ("ann", "carl"):
        with pytest.raises(Refused):
            district.do(other, "survey_cosign", agree="agree")
    district.do("bob", "survey_cosign", agree="agree")


@pytest.mark.parametrize(("representatives", "others", "fits"), [(5, 4, False), (6, 3, True)])
def test_s7_two_thirds_of_the_review_are_residents(district, representatives, others, fits):
    district.to_street_opinion()
    people = [{"name": f"代表{n}", "kind": "resident_representative", "signed": True} for n in range(representatives)]
    people += [{"name": f"干部{n}", "kind": "party_member" if n else "street_staff", "signed": True} for n in range(others)]
    answers = {"held_on": "2018-12-03", "place": "居委会", "chair": "主任", "participants": people, "statements": "属实", "review_conclusion": "agree"}
    if fits:
        district.do("officer", "democratic_review", **answers)
    else:
        with pytest.raises(Invalid) as invalid:
            district.do("officer", "democratic_review", **answers)
        assert "三分之二" in str(invalid.value)


def test_a_large_dispute_means_a_new_survey_with_its_own_clock(district):
    district.to_street_opinion()
    district.clock.set("2018-12-10T09:00")
    district.review("re_survey")
    assert district.tasks()["home_survey"]["due_on"] == "2018-12-24"
    district.check()
    district.survey()
    district.review()
    assert list(district.tasks()) == ["street_opinion"]
    proven(district)


def test_s9_an_objection_in_the_street_notice_is_investigated_and_the_notice_repeated(district):
    district.to_street_opinion()
    district.review()
    district.street()
    district.post()
    district.clock.set("2018-12-06T09:00")
    district.send("clerk", "objection", objection_on="2018-12-06", objector_kind="resident", grounds="有未申报的店铺")
    assert district.tasks()["street_reinvestigate"]["due_on"] == "2018-12-20"
    district.clock.set("2018-12-07T09:00")
    district.do("carl", "street_reinvestigate", investigated_on="2018-12-07", findings="店铺为堂兄所有", upheld=False, figures_changed=False)
    district.post()
    district.at("2018-12-11T00:30")
    assert district.tasks() == {}, "the first notice's timer no longer counts"
    district.at("2018-12-15T00:30")
    assert list(district.tasks()) == ["remove_street_notice"]
    with district.office.read() as conn:
        assert len(conn.execute(select(notice)).all()) == 2
    proven(district)


def test_s10_an_objection_in_the_district_notice_has_twenty_working_days(district):
    district.to_district()
    district.clock.set("2019-01-14T09:00")
    district.do("exam", "district_examination", district_outcome="propose_grant", opinion="拟批准")
    district.post("post_district_notice")
    district.clock.set("2019-01-21T09:00")
    district.send("exam", "objection", objection_on="2019-01-21", objector_kind="resident", grounds="有车")
    assert district.tasks()["district_recheck"]["due_on"] == "2019-02-21"
    district.do("exam", "district_recheck", district_outcome="propose_grant", findings="查无此车")
    district.post("post_district_notice")
    district.at("2019-01-29T09:00")
    assert list(district.tasks()) == ["remove_district_notice"]


def _objected(district):
    district.to_district()
    district.clock.set("2019-01-14T09:00")
    district.do("exam", "district_examination", district_outcome="propose_grant", opinion="拟批准")
    district.post("post_district_notice")
    district.clock.set("2019-01-21T09:00")
    district.send("exam", "objection", objection_on="2019-01-21", objector_kind="resident", grounds="有车")


def test_a_refusal_after_an_objection_has_five_working_days_of_its_own(district):
    """Counted from the submission (2018-12-11) it would be weeks late when it begins."""
    _objected(district)
    district.clock.set("2019-02-20T09:00")
    district.do("exam", "district_recheck", district_outcome="propose_refuse", findings="有车", reason_code="other", clause="第八条")
    assert district.tasks()["decide_refusal"]["due_on"] == "2019-02-27"
    district.do("app", "decide_refusal", decision="returned", opinion="请补充依据", reason_code="other", clause="第八条")
    assert district.tasks()["district_examination"]["due_on"] == "2019-02-27"
    proven(district)


def test_an_objection_that_changes_the_figures_leads_to_a_new_survey_and_a_new_calculation(district):
    """N220 art 29: the district investigates again; what it finds is computed, not only granted or refused."""
    _objected(district)
    district.clock.set("2019-01-22T09:00")
    district.do("exam", "district_recheck", district_outcome="return_survey", findings="有打工收入未申报", reason_code="other", clause="第二十九条")
    assert {"home_survey", "neighbor_enquiry"} <= set(district.tasks())
    assert district.tasks()["home_survey"]["due_on"] == "2019-02-03"
    assert district.facts()["district_outcome"] is None
    proven(district)


def test_withdrawal_works_until_the_decision_and_not_after(district):
    district.to_district()
    district.send("clerk", "withdrawal", withdrawn_on="2018-12-11", reason="已找到工作")
    assert district.case()["outcome"] == "ended_withdrawn"
    assert district.tasks() == {}
    with pytest.raises(NotWaiting):
        district.send("clerk", "withdrawal", withdrawn_on="2018-12-11", reason="再次")
    proven(district)


def test_after_a_withdrawal_no_registry_is_asked_and_nothing_is_left_to_look_at(district, monkeypatch):
    asked = []
    district.apply(district.household(210_000))
    district.accept()
    district.send("clerk", "withdrawal", withdrawn_on="2018-12-03", reason="已找到工作")
    monkeypatch.setattr(district.bureau.registry, "query", lambda *request: asked.append(request) or {"answers": []})
    for _ in range(8):
        district.clock.advance(days=1)
        district.bureau.jobs.run_all()
    with district.office.read() as conn:
        assert (asked, queries.incidents(conn)) == ([], [])


def test_a_second_investigator_who_differs_sends_the_survey_back(district):
    district.apply(district.household(210_000))
    district.accept()
    day = district.office.today().isoformat()
    seen = {"surveyed_on": day, "second_investigator": "bob", "met_person": "张一", "housing": "一居室", "living": "简朴", "findings": "属实", "surveyed_signature": district.scan}
    district.do("ann", "home_survey", **seen)
    district.do("bob", "survey_cosign", agree="disagree", statement="未见冬季取暖设备，应补充核实")
    assert "survey_cosign" not in district.tasks()
    again = district.tasks()["home_survey"]
    assert (again["flags"], again["due_on"]) == ("returned", "2018-12-17")
    district.do("ann", "home_survey", **seen)
    district.do("bob", "survey_cosign", agree="agree")
    district.do("ann", "neighbor_enquiry", enquired_on=day, persons="邻居", statement="困难")
    district.check()
    assert set(district.tasks()) == {"democratic_review"}
    proven(district)


def to_the_last_notice(district, monkeypatch):
    """A file that the draw left alone, through its month's end."""
    monkeypatch.setattr(spot_check, "drawn", lambda _seed, _on: frozenset())
    district.to_district()
    district.do("exam", "district_examination", district_outcome="propose_grant", opinion="拟批准")
    district.at("2018-12-28T09:00")
    district.post("post_district_notice")
    district.at("2019-01-07T09:00")
    district.do("vera", "remove_district_notice", removed_on="2019-01-07", objections="none")


def test_a_file_added_at_the_months_end_is_visited_before_the_decision(district, monkeypatch):
    to_the_last_notice(district, monkeypatch)
    task = district.tasks()["late_spot_check_visit"]
    assert (task["due_on"], task["role"], task["unit"]) == ("2019-01-14", "spot_checker", "120116")
    district.do("spot", "late_spot_check_visit", visited_on="2019-01-07", second_visitor="乙", findings="一致", late_agrees=True)
    assert set(district.tasks()) == {"decide"}
    district.do("app", "decide", decision="granted", opinion="批准")
    proven(district)


def test_a_late_visit_that_finds_otherwise_leads_back_to_the_examination_and_is_not_made_twice(district, monkeypatch):
    to_the_last_notice(district, monkeypatch)
    district.do("spot", "late_spot_check_visit", visited_on="2019-01-07", second_visitor="乙", findings="户主已就业", late_agrees=False)
    assert set(district.tasks()) == {"district_examination"}
    district.do("exam", "district_examination", district_outcome="propose_refuse", opinion="不符合", reason_code="income_over", clause="第四条")
    assert set(district.tasks()) == {"decide_refusal"}
    proven(district)


def test_a_file_that_others_objected_to_is_visited_whatever_the_draw_says(district, monkeypatch):
    monkeypatch.setattr(spot_check, "drawn", lambda _seed, _on: frozenset())
    district.to_street_opinion()
    district.review()
    district.street()
    district.post()
    district.send("clerk", "objection", objection_on="2018-12-03", objector_kind="anonymous", grounds="家中有车")
    district.do("carl", "street_reinvestigate", investigated_on="2018-12-03", findings="不属实", upheld=False, figures_changed=False)
    district.post()
    district.at("2018-12-11T09:00")
    district.do("vera", "remove_street_notice", removed_on="2018-12-11", objections="none")
    district.do("rita", "submit_to_district", contents=["application", "survey", "review", "opinion"])
    assert set(district.tasks()) == {"spot_check_visit"}
    assert district.facts()["spot_reason"] == "reported"


def test_a_message_that_nobody_waits_for_is_refused(district):
    district.apply(district.household(210_000))
    before = district.case()["seq"]
    with pytest.raises(NotWaiting):
        district.send("clerk", "objection", objection_on="2018-12-03", objector_kind="resident", grounds="无")
    assert district.case()["seq"] == before


def test_a_special_case_leaves_for_the_joint_meeting_and_comes_back(district):
    district.to_street_opinion(189_000, n=2)
    district.do("clerk", "low_income_consent", low_income_consent=True, signed_on="2018-12-03", signed_document=district.scan)
    district.review()
    with pytest.raises(Invalid) as invalid:
        district.do("rita", "street_opinion", street_outcome="joint_meeting", opinion="研究")
    assert {"trigger", "special_facts", "wish"} <= invalid.value.fields.keys()
    district.do("rita", "street_opinion", street_outcome="joint_meeting", opinion="研究", trigger="income_slightly_over", special_facts="肾衰竭", wish="纳入低收入")
    assert district.tasks() == {}
    district.resolve()
    assert list(district.tasks()) == ["street_opinion"]
    assert district.facts()["amount_fen"] == 27_600
    proven(district)


def test_a_grant_by_the_meeting_is_reviewed_in_the_last_month_of_its_amount_and_the_letter_has_the_conditions(district):
    district.to_street_opinion(189_000, n=2)
    district.do("clerk", "low_income_consent", low_income_consent=True, signed_on="2018-12-03", signed_document=district.scan)
    district.review()
    district.do("rita", "street_opinion", street_outcome="joint_meeting", opinion="研究", trigger="income_slightly_over", special_facts="肾衰竭", wish="纳入低收入")
    district.resolve(approved_amount="300", fixed_until="2019-01", review_on="2019-04-15", conditions="按时报告医疗支出")
    district.street()
    district.post()
    district.to_decision("2018-12-20")
    district.do("app", "decide", decision="granted", opinion="批准")
    with district.office.read() as conn:
        granted = conn.execute(select(benefit)).mappings().one()
        number = conn.scalar(select(letter.c.id).where(letter.c.kind == "approval"))
        text = paperwork.issued_bytes(conn, district.office.keys.on(conn), number)[1].decode()
    assert (granted["amount_fen"], granted["next_review_on"]) == (30_000, "2019-01-01")
    assert all(words in text for words in ("附带条件：按时报告医疗支出。", "执行至2019年1月", "计算依据：联席会议研究确定", "2019年4月15日前再次研究"))
    first = district.no
    district.at("2019-01-01T00:01")
    with district.office.read() as conn:
        assert conclusions.open_case(conn, granted["household_id"]) not in (None, first)
    proven(district)


@pytest.mark.parametrize("to", ["home_survey", "street_opinion"])
def test_the_examiner_returns_to_allowed_earlier_steps_only(district, to):
    district.to_district()
    task = district.tasks()["district_examination"]
    answers = {"opinion": "事实不清", "reason_code": "facts_unclear", "clause": "第二十六条"}
    with pytest.raises(Invalid), district.office.act(district.people["exam"]) as act:
        district.cases.send_back(act, task["id"], "democratic_review", answers)
    with district.office.act(district.people["exam"]) as act:
        district.cases.send_back(act, task["id"], to, answers)
    assert to in district.tasks()
    assert district.tasks()[to]["flags"] == "returned"
    proven(district)


def related(district, login, household_id):
    """The head of the household becomes somebody's declared sibling."""
    with district.office.read() as conn:
        head = households.members_of(conn, household_id)[0]
        number = district.office.keys.on(conn).reveal("person", "id_no", head["person_id"], head["id_no"])
    with district.office.act() as act:
        organisation.declare_relative(act, login, "sibling", head["name"], number)


def test_near_relatives_are_registered_visited_and_recused(district):
    household_id = district.household(210_000)
    related(district, "ann", household_id)
    district.apply(household_id)
    district.accept()
    assert "register_near_relative" in district.tasks()
    district.do("clerk", "register_near_relative", staff_name="某ann", position="调查员", relation="sibling")
    with pytest.raises(Refused) as refused:
        district.survey()
    assert refused.value.rule == "near-relative"
    task = district.tasks()["home_survey"]
    with district.office.act(district.people["bob"]) as act:
        district.cases.claim(act, task["id"])
    with pytest.raises(Refused), district.office.act(district.people["bob"]) as act:
        district.cases.transfer(act, task["id"], "ann", "转办")


def test_whom_the_registration_names_is_recused_from_then_on(district):
    """The household only said yes; who it is comes with the street's registration (N220 art 14, domain 5.4)."""
    home = district.household(210_000, near_relative_declared=True)
    district.apply(home)
    district.accept()
    said = {"position": "调查员", "relation": "sibling"}
    for answers, field in (({}, "staff_login"), ({"staff_login": "nobody"}, "staff_login")):
        with pytest.raises(Invalid) as wrong:
            district.do("clerk", "register_near_relative", **said, **answers)
        assert set(wrong.value.fields) == {field}
    district.do("clerk", "register_near_relative", staff_login="ann", **said)
    with district.office.read() as conn:
        [row] = conn.execute(select(near_relative)).mappings().all()
        assert (row["staff_login"], row["staff_name"], row["relation"]) == ("ann", "某ann", "sibling")
        assert households.recused_staff(conn, home) == {"ann"}
    with pytest.raises(Refused) as refused:
        district.survey()
    assert refused.value.rule == "near-relative"
    proven(district)


def test_whom_the_household_declared_already_is_not_entered_twice(district):
    home = district.household(210_000)
    declared = {"staff_login": "ann", "staff_name": "某ann", "position": "调查员", "relation": "sibling"}
    with district.office.act(district.people["clerk"]) as act:
        households.declare_near_relative(act, home, declared)
    district.apply(home)
    district.accept()
    district.do("clerk", "register_near_relative", staff_login="ann", position="调查员", relation="sibling")
    proven(district)
    with district.office.read() as conn:
        assert len(conn.execute(select(near_relative)).all()) == 1


def found_out(district, login="carl"):
    """A near relative comes out by the cross match while the case is under way."""
    related(district, login, int(district.case()["subject"].partition(":")[2]))


def test_a_near_relative_found_after_acceptance_brings_the_district_s_visit(district):
    district.to_street_opinion()
    district.review()
    district.street()
    district.post()
    found_out(district)
    district.at("2018-12-11T09:00")
    district.do("vera", "remove_street_notice", removed_on="2018-12-11", objections="none")
    district.do("rita", "submit_to_district", contents=["application", "survey", "review", "opinion"])
    facts = district.facts()
    assert (facts["spot_check"], facts["spot_reason"].split()[0], facts["near_relative"]) == (True, "near_relative", True)
    assert "spot_check_visit" in district.tasks()
    proven(district)


def test_a_near_relative_found_at_the_district_is_visited_before_the_decision_once(district, monkeypatch):
    monkeypatch.setattr(spot_check, "draw", lambda *_: False)  # else the lot may have brought the visit already
    district.to_street_opinion()
    district.review()
    district.street()
    district.post()
    district.at("2018-12-11T09:00")
    district.submit()
    district.do("exam", "district_examination", district_outcome="propose_grant", opinion="拟批准")
    district.post("post_district_notice")
    found_out(district)
    district.at("2018-12-19T09:00")
    district.do("vera", "remove_district_notice", removed_on="2018-12-19", objections="none")
    assert set(district.tasks()) == {"late_spot_check_visit"}
    assert district.facts()["late_reason"] == "near_relative"
    visit = {"visited_on": "2018-12-19", "second_visitor": "乙", "findings": "有出入"}
    district.do("spot", "late_spot_check_visit", late_agrees=False, **visit)
    district.do("exam", "district_examination", district_outcome="propose_refuse", opinion="不符", reason_code="facts_unclear", clause="第二十六条")
    assert set(district.tasks()) == {"decide_refusal"}, "visited once is enough"
    proven(district)


def test_before_the_receipt_looked_again_a_case_went_by_what_was_known_at_acceptance():
    """The former versions, by which older records replay."""
    day = date(2018, 12, 11)
    assert DIBAO_2012.service("receive_file", {"near_relative": None}, day, {"drawn": False}, version=1)["spot_check"] is False
    assert DIBAO_2012.service("check_late_draw", {}, day, {"late": True}, version=1) == {"late_drawn": True, "late_drawn_on": "2018-12-11"}
    assert (DIBAO_2012.rule("receive_file"), DIBAO_2012.rule("check_late_draw")) == (2, 2)


def test_a_near_relative_may_not_take_the_application_in(district):
    household_id = district.household(210_000)
    related(district, "clerk", household_id)
    with pytest.raises(Refused) as refused:
        district.apply(household_id)
    assert refused.value.rule == "near-relative"


def test_one_open_case_and_one_household_for_a_person(district):
    household_id = district.household(210_000)
    district.apply(household_id)
    with pytest.raises(Refused) as refused:
        district.apply(household_id)
    assert refused.value.rule == "open_case"
    with pytest.raises(Refused):
        district.household(210_000)


def test_participants_must_all_sign(district):
    district.to_street_opinion()
    people = [*REVIEWERS[:-1], {**REVIEWERS[-1], "signed": False}]
    with pytest.raises(Invalid):
        district.do("officer", "democratic_review", held_on="2018-12-03", place="居委会", chair="主任", participants=people, statements="x", review_conclusion="agree")


def test_street_staff_at_the_review_sign_in_sessions_of_their_own(district):
    district.to_street_opinion()
    people = [{"name": "干部", "kind": "street_staff", "signed": True}, {"name": "干部二", "kind": "street_staff", "login": "sue", "signed": True}]
    people += [{"name": f"代表{n}", "kind": "resident_representative", "signed": True} for n in range(4)]
    answers = {"held_on": "2018-12-03", "place": "居委会", "chair": "主任", "participants": people, "statements": "属实", "review_conclusion": "agree"}
    with pytest.raises(Invalid, match="sue 还没有签字"):
        district.do("officer", "democratic_review", **answers)
    nameless = [{k: v for k, v in person.items() if k != "login"} for person in people]
    with pytest.raises(Invalid, match="逐人填写登录名"):
        district.do("officer", "democratic_review", **answers | {"participants": nameless})
    habits, number = Habits(district.cases), district.tasks()["democratic_review"]["id"]
    with district.office.act(district.people["officer"]) as act:
        habits.add_signers(act, number, "before", ["sue"], "请签字确认参加评议")
    with district.office.act(district.people["sue"]) as act:
        habits.sign(act, number, agrees=True, words="本人参加，情况属实")
    district.do("officer", "democratic_review", **answers)
    assert list(district.tasks()) == ["street_opinion"]
