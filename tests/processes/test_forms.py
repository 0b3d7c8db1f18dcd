"""Forms: what they understand, what they refuse and in which words, what becomes a fact, and what they say of themselves."""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import ValidationError
from werkzeug.datastructures import MultiDict

from engine.errors import Invalid
from engine.forms import (
    ERRORS,
    MAX_FEN,
    MAX_ROWS,
    Form,
    choice,
    documents,
    facts_of,
    fen,
    from_html,
    json_schema,
    money,
    number,
    on_date,
    rows,
    several,
    text,
    understand,  # fmt: skip
    yes_no,
)
from engine.model import Actor
from processes.dibao_2012_forms import FORMS, MATERIALS, MESSAGES, Application
from processes.household_number import household

TODAY = date(2018, 12, 24)
ANN = Actor("ann")


class Item(Form):
    name = text("名称", "Name", max=5)
    count = number("数量", "Count", required=False)


class Sample(Form):
    name = text("姓名", "Name", max=5)
    note = text("备注", "Note", required=False, widget="textarea")
    day = on_date("日期", "Day", required=False, fact=True)
    until = on_date("至", "Until", required=False, not_future=False)
    amount = money("金额", "Amount", required=False)
    sure = yes_no("确定", "Sure", required=False, fact=True)
    kind = choice("种类", "Kind", [("a", "甲", "A"), ("b", "乙", "B")], required=False)
    kinds = several("种类", "Kinds", [("a", "甲", "A"), ("b", "乙", "B")])
    papers = documents("材料", "Documents")
    items = rows("项目", "Items", Item)


def understood(form: type[Form], raw: Any, lang: str = "zh", today: date = TODAY, actor: Any = ANN, **facts: Any) -> dict[str, Any]:
    return understand(form(context={"facts": facts, "today": today, "actor": actor, "lang": lang}), raw)


def wrong(form: type[Form], raw: Any, **more: Any) -> dict[str, list[str]]:
    with pytest.raises(Invalid) as invalid:
        understood(form, raw, **more)
    return invalid.value.fields


def new_facts(form: type[Form], raw: Any, today: date = TODAY, **facts: Any) -> dict[str, Any]:
    made = form(context={"facts": facts, "today": today, "actor": ANN, "lang": "zh"})
    return facts_of(made, understand(made, raw))


# -- the kinds of fields


@pytest.mark.parametrize(("typed", "read"), [
    ("  张三 ", "张三"), ("\u3000张三\u3000", "张三"), ("e\u0301", "é"), ("买\r\n卖", "买\n卖"), ("\ue863\U00030000", "\ue863\U00030000"), ("１２", "１２")])  # fmt: skip
def test_text_is_normalised_and_rare_characters_stay(typed, read):
    assert understood(Sample, {"name": typed})["name"] == read


@pytest.mark.parametrize("unseen", ["\x00", "\x07", "\r", "\x7f", "\x85", "\u061c", "\u200b", "\u202e", "\u2066", "\u2028", "\u2029", "\ufeff", "\ud800", "\ufffe", "\U000e0041"])
def test_text_that_cannot_be_seen_is_refused(unseen):
    assert wrong(Sample, {"name": f"a{unseen}b"}) == {"name": [ERRORS["control"][0]]}


@pytest.mark.parametrize(("typed", "message"), [
    ("", "required"), ("  \u3000", "required"), (None, "null"), (3, "invalid"), (["a"], "invalid")])  # fmt: skip
def test_a_required_text_is_text_and_not_blank(typed, message):
    assert wrong(Sample, {"name": typed}) == {"name": [ERRORS[message][0]]}


def test_every_text_has_a_length_and_a_default_one():
    assert wrong(Sample, {"name": "一二三四五六"}) == {"name": ["最多 5 个字"]}
    assert understood(Sample, {"name": "一二三四五", "note": "字" * 2000})["note"] == "字" * 2000
    assert wrong(Sample, {"name": "a", "note": "字" * 2001}, lang="en") == {"note": ["At most 2000 characters"]}


@pytest.mark.parametrize("typed", ["2018-12-03", "2018年12月3日", "2018/12/3", "2018.12.03", "２０１８－１２－０３", "２０１８年１２月３日", " 2018-12-03 ", "2018／12／3"])
def test_dates_are_understood_as_people_write_them(typed):
    assert understood(Sample, {"name": "a", "day": typed})["day"] == "2018-12-03"


@pytest.mark.parametrize(("typed", "message"), [
    ("2018-02-29", "no_such_day"), ("2018年13月1日", "no_such_day"), ("2018/12.3", "format"), ("2018年12/3", "format"), ("20181203", "format"),
    ("2018-12-3x", "format"), ("2018-12-03T00:00", "format"), ("٢٠١٨-١٢-٠٣", "format"), (20181203, "format"), ("1899-12-31", "year"),
    ("2018-12-25", "future")])  # fmt: skip
def test_dates_that_are_none_are_refused(typed, message):
    assert wrong(Sample, {"name": "a", "day": typed}) == {"day": [ERRORS[message][0]]}


def test_a_date_may_lie_ahead_where_the_form_says_so():
    assert understood(Sample, {"name": "a", "until": "2019-12-31"})["until"] == "2019-12-31"


@pytest.mark.parametrize(("typed", "read"), [
    ("2100", 210_000), ("2100.5", 210_050), ("0.07", 7), ("2,100.00", 210_000), ("２１００．０７", 210_007), ("99999999.99", MAX_FEN), ("0", 0)])  # fmt: skip
def test_money_is_yuan_in_and_whole_fen_out(typed, read):
    assert fen(typed) == understood(Sample, {"name": "a", "amount": typed})["amount"] == read


@pytest.mark.parametrize(("typed", "message"), [
    ("-1", "negative"), ("－1", "negative"), ("1.005", "money"), ("1e3", "money"), ("abc", "money"), ("1,00", "money"), ("", "money"), ("NaN", "money"),
    ("٣", "money"), (1.5, "money"), (True, "money"), ("100000000", "money_large"), ("10000000000", "money_large"), (2100, "money"), (210_000, "money"), (0, "money"), (10**4000, "money"), (-5, "money")])  # fmt: skip
def test_money_that_is_none_is_refused(typed, message):
    assert wrong(Sample, {"name": "a", "amount": typed}) == {"amount": [ERRORS[message][0]]}


@given(st.integers(0, MAX_FEN))
def test_every_amount_is_read_exactly(amount):
    assert fen(f"{amount // 100}.{amount % 100:02d}") == amount


@pytest.mark.parametrize(("typed", "read"), [(True, True), ("true", True), ("是", True), ("yes", True), (False, False), ("false", False), ("否", False)])
def test_yes_and_no(typed, read):
    assert understood(Sample, {"name": "a", "sure": typed})["sure"] is read


@pytest.mark.parametrize("typed", [1, 0, 1.0, "", "maybe", [], {}])
def test_yes_is_never_guessed(typed):
    assert wrong(Sample, {"name": "a", "sure": typed}) == {"sure": [ERRORS["yes_no"][0]]}


@pytest.mark.parametrize("typed", [-1, 1.0, True, "1.0", "-1", "x", None, 2**62, "9" * 30])
def test_a_number_is_whole_and_not_negative(typed):
    assert list(wrong(Item, {"name": "a", "count": typed})) == ["count"]


@pytest.mark.parametrize("raw", [
    {"kind": "c"}, {"kind": ""}, {"kinds": ["c"]}, {"kinds": ["a", "a"]}, {"kinds": "a"}, {"papers": [1, 1]}, {"papers": list(range(21))},
    {"items": [{"name": "a"}] * (MAX_ROWS + 1)}, {"unknown": 1}])  # fmt: skip
def test_only_what_is_offered_can_be_chosen_and_once(raw):
    assert {path.split(".")[0] for path in wrong(Sample, {"name": "a", **raw})} == set(raw)


def test_errors_are_all_told_at_once_with_dotted_paths_in_both_languages():
    raw = {"day": "x", "items": [{"name": "a"}, {"name": "", "count": -1, "odd": 1}, 7], "odd": 1}
    zh, en = wrong(Sample, raw), wrong(Sample, raw, lang="en")
    assert zh == {
        "name": ["必须填写"], "day": [ERRORS["format"][0]], "items.1.name": ["必须填写"], "items.1.count": ["请写整数"], "items.1.odd": ["没有这一项"],
        "items.2": ["应当是一组字段"], "odd": ["没有这一项"]}  # fmt: skip
    assert en.keys() == zh.keys()
    assert all(text.isascii() for texts in en.values() for text in texts)


@pytest.mark.parametrize("raw", [None, [], "x", 3])
def test_what_is_no_set_of_fields_is_refused(raw):
    assert wrong(Sample, raw) == {"_": ["应当是一组字段"]}


def test_only_marked_fields_become_facts_and_everything_is_json():
    form = Sample(context={"facts": {}, "today": TODAY})
    answers = understand(form, {"name": "张三", "day": "2018年12月3日", "sure": "是", "amount": "1.5", "items": [{"name": "a", "count": "１２"}]})
    assert json.loads(json.dumps(answers)) == answers
    assert answers["items"] == [{"name": "a", "count": 12}]
    assert facts_of(form, answers) == {"day": "2018-12-03", "sure": True}


# -- HTML


def test_a_submitted_page_is_read_like_json():
    sent = MultiDict([
        ("csrf_token", "x"), ("name", "张三"), ("note", "  "), ("day", ""), ("sure", "false"), ("kinds", "a"), ("kinds", ""), ("kinds", " "), ("kinds", "b"), ("papers", "7"),
        ("items-10-name", "丙"), ("items-2-name", "乙"), ("items-2-count", "３"), ("items-3-name", ""), ("items-x-name", "丁"), ("amount", "1.00")])  # fmt: skip
    raw = from_html(Sample, sent)
    assert raw == {
        "name": "张三", "sure": "false", "kinds": ["a", "b"], "papers": ["7"], "amount": "1.00", "items": [{"name": "乙", "count": "３"}, {"name": "丙"}]}  # fmt: skip
    assert understood(Sample, raw)["papers"] == [7]


def test_rows_beyond_the_limit_are_refused_and_not_dropped_in_silence():
    sent = MultiDict([("name", "a"), *[(f"items-{n}-name", "x") for n in range(MAX_ROWS + 30)]])
    assert wrong(Sample, from_html(Sample, sent)) == {"items": [f"最多 {MAX_ROWS} 项"]}


# -- JSON Schema


def test_json_schema_says_types_titles_and_limits_in_both_languages():
    zh, en = json_schema(Sample, "zh"), json_schema(Sample, "en")
    assert zh["required"] == ["name"]
    assert zh["additionalProperties"] is False
    assert zh["properties"]["name"] == {"title": "姓名", "type": "string", "maxLength": 5, "minLength": 1}
    assert en["properties"]["day"] == {"title": "Day", "type": "string", "format": "date", "description": "not after today"}
    assert en["properties"]["kinds"]["items"] == {"type": "string", "enum": ["a", "b"]}
    assert en["properties"]["items"]["items"]["properties"]["count"]["type"] == "integer"
    assert (zh["properties"]["amount"]["description"], en["properties"]["amount"]["description"]) == ("元，如 2100.00", "Yuan, like 2100.00")


def test_json_schema_says_whose_login_and_which_papers_are_meant():
    """A program that knows nothing but the schema once had a bare text and a bare number there."""
    survey = json_schema(FORMS["home_survey"], "en")["properties"]
    assert survey["second_investigator"]["description"].endswith("login of a member of staff in the post investigator")
    assert survey["surveyed_signature"]["description"].endswith("id of a document that is kept")
    assert survey["photos"]["description"].endswith("ids of documents that are kept")
    assert "all needed" in json_schema(FORMS["submit_to_district"], "en")["properties"]["contents"]["description"]


EVERY_FORM = {"application": Application, **FORMS, **MESSAGES}


@pytest.mark.parametrize("name", EVERY_FORM)
def test_every_form_has_a_schema_with_labels_in_both_languages_and_a_known_shape(name):
    def walk(zh: Any, en: Any) -> None:
        assert zh["type"] == "object"
        for field, said in zh["properties"].items():
            assert said["title"], field
            assert en["properties"][field]["title"].isascii(), field
            assert en["properties"][field]["title"], field
            assert said["type"] in {"string", "integer", "boolean", "array"}
            assert said.keys() - {"title", "description"} == en["properties"][field].keys() - {"title", "description"}, field
            if said["type"] == "array" and said["items"]["type"] == "object":
                walk(said["items"], en["properties"][field]["items"])

    walk(json_schema(EVERY_FORM[name], "zh"), json_schema(EVERY_FORM[name], "en"))


@pytest.mark.parametrize("name", EVERY_FORM)
def test_no_opinion_reason_or_name_becomes_a_fact(name):
    """DESIGN 8: facts hold ids, flags, dates and amounts only."""
    for field_name, field in EVERY_FORM[name]().fields.items():
        if field.metadata.get("fact"):
            assert field.metadata["widget"] in {"date", "radio", "select", "yes_no", "number", "checkboxes", "staff"}, field_name


@pytest.mark.parametrize("name", EVERY_FORM)
def test_what_a_form_requires_is_named_when_nothing_is_said(name):
    form = EVERY_FORM[name]
    fields = wrong(form, {})
    assert set(fields) >= set(json_schema(form)["required"])
    assert set(wrong(form, {}, lang="en")) == set(fields)


# -- 民发〔2012〕220号: application and completeness


def test_an_agent_is_named():
    raw = {"household_id": 9, "programme": "dibao", "applied_on": "2018-12-03", "applied_by": "agent", "reason": "困难"}
    assert list(wrong(Application, raw)) == ["agent_name"]
    assert new_facts(Application, raw | {"agent_name": "李四"}) == {"household_id": 9, "programme": "dibao", "applied_on": "2018-12-03"}


@pytest.mark.parametrize(("day", "fits"), [("2018-12-24", True), ("2017-12-23", True), ("2018-12-25", False), ("2017-12-22", False), ("1900-01-01", False)])
def test_an_application_is_neither_of_tomorrow_nor_of_another_year(day, fits):
    raw = {"household_id": 9, "programme": "dibao", "applied_on": day, "applied_by": "head", "reason": "困难"}
    if fits:
        assert new_facts(Application, raw)["applied_on"] == day
    else:
        assert list(wrong(Application, raw)) == ["applied_on"]


def test_one_time_notice_lists_everything_and_a_second_asks_for_nothing_new():
    check = FORMS["completeness_check"]
    assert new_facts(check, {"outcome": "complete"}) == {"complete": True}
    assert list(wrong(check, {"outcome": "incomplete"})) == ["missing"]
    assert list(wrong(check, {"outcome": "complete", "missing": ["id_card"]})) == ["missing"]
    first = new_facts(check, {"outcome": "incomplete", "missing": ["id_card", "authorization"]})
    assert first == {"complete": False, "first_missing": ["authorization", "id_card"]}
    again = {"outcome": "incomplete", "missing": ["id_card", "diagnosis"]}
    assert "诊断证明" in wrong(check, again, **first)["missing"][0]
    assert "一次性告知" in wrong(check, again, **first)["missing"][0]
    assert "Diagnosis" in wrong(check, again, lang="en", **first)["missing"][0]
    assert new_facts(check, {"outcome": "incomplete", "missing": ["id_card"]}, **first) == {"complete": False}


def test_materials_are_those_of_the_binhai_guide_without_doubles():
    codes = [code for code, _, _ in MATERIALS]
    assert len(set(codes)) == len(codes)
    assert {"income_proof", "study_certificate", "disability_certificate", "death_certificate", "divorce_document", "residence_proof"} <= set(codes)


# -- survey and review

SURVEY = {
    "surveyed_on": "2018-12-17", "second_investigator": "bob", "met_person": "张一", "housing": "一居室", "living": "简朴", "findings": "属实", "surveyed_signature": 1,
    "compared": [{"item": "工资", "declared": "2100", "seen": "2100"}]}  # fmt: skip


def test_two_distinct_people_survey_and_the_second_signs_himself():
    assert list(wrong(FORMS["home_survey"], SURVEY | {"second_investigator": "ann"})) == ["second_investigator"]
    assert list(wrong(FORMS["home_survey"], {k: v for k, v in SURVEY.items() if k != "surveyed_signature"})) == ["surveyed_signature"]
    assert new_facts(FORMS["home_survey"], SURVEY) == {"second_investigator": "bob", "survey_ended_on": "2018-12-17"}
    assert list(wrong(FORMS["survey_cosign"], {"agree": "agree"}, second_investigator="bob")) == ["agree"]
    assert understood(FORMS["survey_cosign"], {"agree": "agree"}, second_investigator="ann") == {"agree": "agree"}
    assert list(wrong(FORMS["survey_cosign"], {"agree": "disagree"}, second_investigator="ann")) == ["statement"]


def meeting(representatives: int, staff: int = 1, others: int = 0, **more: Any) -> dict[str, Any]:
    kinds = ["resident_representative"] * representatives + ["street_staff"] * min(staff, 1) + ["party_member"] * (others + max(staff - 1, 0))
    people = [{"name": f"某{n}", "kind": kind, "signed": True} for n, kind in enumerate(kinds)]
    return {"held_on": "2018-12-20", "place": "居委会", "chair": "主任", "participants": people, "statements": "属实", "review_conclusion": "agree", **more}


@pytest.mark.parametrize(("representatives", "staff", "others", "told"), [
    (5, 4, 0, "5 人，参加人员 9 人，不足三分之二"), (6, 3, 0, None), (6, 1, 2, None), (2, 1, 0, None), (1, 1, 0, "不足三分之二"), (6, 0, 3, "街镇工作人员"), (0, 1, 0, "不足三分之二")])  # fmt: skip
def test_two_thirds_of_a_review_are_residents_and_the_street_is_there(representatives, staff, others, told):
    raw = meeting(representatives, staff, others)
    if told is None:
        assert new_facts(FORMS["democratic_review"], raw) == {"review_conclusion": "agree"}
    else:
        assert any(told in message for message in wrong(FORMS["democratic_review"], raw)["participants"])


@pytest.fixture
def amended(monkeypatch):
    """Another share of representatives and another time for objecting from 2018-12-20 on."""
    from processes import law

    values = {"review_representatives_share": "3/4", "check_objection_workdays": "5", "administrative_review_days": "90", "lawsuit_months": "3", "payment_day": "8", "investigation_workdays": "15"}
    later = {name: (*law._LAW[name], law.Value(name, date(2018, 12, 20), text, "test", unverified=False)) for name, text in values.items()}
    monkeypatch.setattr(law, "_LAW", {**law._LAW, **later})


def test_share_and_time_are_those_of_the_day_not_constants(amended):
    """A review of nine with six representatives: enough on the 19th, too few on the 20th; the check's result likewise."""
    review = FORMS["democratic_review"]
    assert new_facts(review, meeting(6, 3, held_on="2018-12-19")) == {"review_conclusion": "agree"}
    assert any("不足四分之三" in text for text in wrong(review, meeting(6, 3, held_on="2018-12-20"))["participants"])
    until = [new_facts(FORMS["deliver_check_rejection"], {"delivered_on": "2018-12-20", "method": "post", "recipient": "张一"}, check_rejected_on=day)["check_objection_until"]
             for day in ("2018-12-19", "2018-12-20")]  # fmt: skip
    assert until == ["2019-01-05T00:00:00+08:00", "2018-12-28T00:00:00+08:00"], "as long as the letter of that day says"
    from processes import letters

    told = {"household": {"applicant": "张一"}, "number": "1", "issued_on": "2018-12-20", "case_no": "x", "street_name": "某街道", "reasons": "超限"}
    assert "之日起10个工作日内" in letters.render("check_rejection", {**told, "issued_on": "2018-12-19"})
    assert "之日起5个工作日内" in letters.render("check_rejection", told)
    assert "不少于四分之三" in letters.sheet("democratic_review", {"issued_on": "2018-12-20"})


def test_a_letter_promises_the_days_that_are_counted_afterwards(amended):
    from processes import deliveries, letters

    told = {"household": {"applicant": "张一", "size": 1}, "number": "1", "case_no": "x", "street_name": "某街道", "applied_on": "2018-12-01", "accepted_on": "2018-12-20",
            "decided_on": "2018-12-20", "category": "dibao", "amount_fen": 100, "first_payment_month": "2019-01"}  # fmt: skip
    before, after = (letters.render("approval", {**told, "issued_on": day}) for day in ("2018-12-19", "2018-12-20"))
    assert all(words in before for words in ("之日起60日内", "之日起6个月内", "每月10日前"))
    assert all(words in after for words in ("之日起90日内", "之日起3个月内", "每月8日前"))
    assert "之日起15个工作日内" in letters.render("acceptance", {**told, "issued_on": "2018-12-20"})
    assert deliveries.last_days("approval", "2018-12-20") == {"objection_until": None, "review_until": "2019-03-20", "suit_until": "2019-03-20"}


def test_a_review_before_there_was_a_rule_is_no_crash():
    assert new_facts(FORMS["democratic_review"], meeting(6, 3, held_on="2001-01-01")) == {"review_conclusion": "agree"}


def test_a_review_without_anybody_is_none():
    assert wrong(FORMS["democratic_review"], meeting(0, 0)) == {"participants": ["至少填写 1 项"]}
    assert json_schema(FORMS["democratic_review"])["properties"]["participants"]["minItems"] == 1


def test_everybody_signs_and_nobody_is_listed_twice_and_all_is_told_at_once():
    raw = meeting(1, 0, 1)
    raw["participants"][0]["signed"] = False
    raw["participants"][1]["name"] = raw["participants"][0]["name"]
    assert len(wrong(FORMS["democratic_review"], raw)["participants"]) == 4
    assert all(m.isascii() for m in wrong(FORMS["democratic_review"], raw, lang="en")["participants"])


# -- opinions and decisions


@pytest.mark.parametrize(("node", "field", "outcome"), [
    ("street_opinion", "street_outcome", "propose_refuse"), ("street_opinion", "street_outcome", "return_survey"), ("street_opinion", "street_outcome", "return_review"),
    ("district_examination", "district_outcome", "propose_refuse"), ("district_examination", "district_outcome", "return_survey"),
    ("district_examination", "district_outcome", "return_street"), ("district_recheck", "district_outcome", "propose_refuse"), ("decide", "decision", "refused"),
    ("decide", "decision", "returned"), ("decide_refusal", "decision", "refused")])  # fmt: skip
def test_who_refuses_or_returns_says_why_and_by_which_clause(node, field, outcome):
    raw = {field: outcome, "findings" if node == "district_recheck" else "opinion": "意见"}
    assert set(wrong(FORMS[node], raw)) == {"reason_code", "clause"}
    assert new_facts(FORMS[node], raw | {"reason_code": "income_over", "clause": "第四条"})[field] == outcome


@pytest.mark.parametrize(("node", "field", "origin"), [("street_opinion", "street_outcome", "street"), ("district_examination", "district_outcome", "district")])
def test_a_special_case_goes_to_the_meeting_with_trigger_facts_and_wish(node, field, origin):
    raw = {field: "joint_meeting", "opinion": "研究"}
    assert set(wrong(FORMS[node], raw)) == {"trigger", "special_facts", "wish"}
    found = new_facts(FORMS[node], raw | {"trigger": "contested", "special_facts": "病", "wish": "纳入"}, resolution="refuse")
    assert found == {field: "joint_meeting", "meeting_from": origin, "meeting_requested_on": "2018-12-24", "resolution": None}


@pytest.mark.parametrize(("facts", "fits"), [
    ({"category": "dibao"}, True), ({"category": "low_income", "low_income_consent": True}, True), ({"category": "low_income", "low_income_consent": None}, False),
    ({"category": "low_income", "low_income_consent": False}, False), ({"category": "refused_income"}, False), ({"category": "refused_vehicle"}, False),
    ({"category": "low_income", "resolution": "approve_as"}, True), ({"category": "low_income", "low_income_consent": False, "resolution": "approve_as"}, False),
    ({"category": "refused_income", "resolution": "approve_as"}, False)])  # fmt: skip
@pytest.mark.parametrize("node", ["street_opinion", "district_examination", "district_recheck"])
def test_nobody_proposes_to_grant_what_the_arithmetic_or_the_meeting_did_not_find(node, facts, fits):
    field = "street_outcome" if node == "street_opinion" else "district_outcome"
    raw = {field: "propose_grant", "findings" if node == "district_recheck" else "opinion": "拟同意"}
    if fits:
        assert new_facts(FORMS[node], raw, **facts)[field] == "propose_grant"
    else:
        assert list(wrong(FORMS[node], raw, **facts)) == [field]


def test_a_meeting_that_approves_says_as_what_and_how_much_and_consents_for_nobody():
    raw = {"resolution": "approve_as", "reasons": "集体研究", "meeting_no": "LX-2018-000001", "item": 1}
    form = MESSAGES["resolution"]
    assert set(wrong(form, raw)) == {"approved_category", "approved_amount"}
    assert list(wrong(form, raw | {"approved_category": "dibao", "approved_amount": "0"})) == ["approved_amount"]
    assert new_facts(form, raw | {"approved_category": "low_income", "approved_amount": "276"}) == {
        "resolution": "approve_as", "category": "low_income", "amount_fen": 27_600, "resolved_on": "2018-12-24", "examination_from": "2018-12-24"}  # fmt: skip
    assert new_facts(form, raw | {"resolution": "defer"}) == {"resolution": "defer", "resolved_on": "2018-12-24", "examination_from": "2018-12-24"}


@pytest.mark.parametrize(("node", "decision", "facts"), [
    ("decide", "granted", {"decision": "granted", "decided_on": "2018-12-24"}), ("decide", "refused", {"decision": "refused", "decided_on": "2018-12-24"}),
    ("decide", "returned", {"decision": "returned", "examination_from": "2018-12-24"}), ("decide_refusal", "refused", {"decision": "refused", "decided_on": "2018-12-24"})])  # fmt: skip
def test_a_decision_has_the_day_on_which_it_is_made(node, decision, facts):
    assert new_facts(FORMS[node], {"decision": decision, "opinion": "意见", "reason_code": "other", "clause": "第四条"}) == facts


def test_a_refusal_cannot_be_decided_as_a_grant():
    assert list(wrong(FORMS["decide_refusal"], {"decision": "granted", "opinion": "意见"})) == ["decision"]


# -- notices, delivery and the order of days


@pytest.mark.parametrize("stage", ["street", "district"])
def test_a_notice_hangs_seven_full_days(stage):
    post, remove = FORMS[f"post_{stage}_notice"], FORMS[f"remove_{stage}_notice"]
    found = new_facts(post, {"posted_on": "2018-12-24", "places": ["village_board"]})
    assert found[f"{stage}_notice_posted_on"] == "2018-12-24"
    assert found[f"{stage}_notice_until"] == "2019-01-01T00:00:00+08:00"
    assert found.get("district_notice_ended_on") == ("2018-12-31" if stage == "district" else None)
    early, right = {"removed_on": "2018-12-31", "objections": "none"}, {"removed_on": "2019-01-01", "objections": "none"}
    assert "7 天" in wrong(remove, early, today=date(2019, 1, 2), **found)["removed_on"][0]
    assert understood(remove, right, today=date(2019, 1, 2), **found) == right


def test_a_notice_hangs_somewhere():
    assert list(wrong(FORMS["post_street_notice"], {"posted_on": "2018-12-24", "places": []})) == ["places"]
    assert list(wrong(FORMS["post_street_notice"], {"posted_on": "2018-12-24"})) == ["places"]


@pytest.mark.parametrize(("node", "field", "fact"), [
    ("supplement", "received_on", "applied_on"), ("home_survey", "surveyed_on", "investigation_from"), ("neighbor_enquiry", "enquired_on", "investigation_from"),
    ("deliver_check_rejection", "delivered_on", "check_rejected_on"), ("low_income_consent", "signed_on", "accepted_on"),
    ("democratic_review", "held_on", "survey_ended_on"), ("post_street_notice", "posted_on", "street_notice_from"),
    ("post_district_notice", "posted_on", "district_notice_from"), ("street_reinvestigate", "investigated_on", "objection_on"),
    ("spot_check_visit", "visited_on", "submitted_on"), ("deliver_approval", "delivered_on", "decided_on"), ("deliver_refusal", "delivered_on", "decided_on"),
    ("withdrawal", "withdrawn_on", "applied_on"), ("objection", "objection_on", "applied_on")])  # fmt: skip
def test_no_step_is_dated_before_the_one_it_follows(node, field, fact):
    form = {**FORMS, **MESSAGES}[node]
    early = wrong(form, {field: "2018-12-09"}, **{fact: "2018-12-10"})
    assert "不能早于" in early[field][0]
    assert "2018-12-10" in early[field][0]
    assert field not in wrong(form, {field: "2018-12-10", "odd": 1}, **{fact: "2018-12-10"})


@pytest.mark.parametrize(("node", "raw", "fact"), [
    ("street_signoff", {"signoff": "agree", "opinion": "同意"}, "street_notice_from"),
    ("street_reinvestigate", {"investigated_on": "2018-12-20", "findings": "无", "upheld": False, "figures_changed": False}, "street_notice_from"),
    ("district_examination", {"district_outcome": "propose_grant", "opinion": "拟批准"}, "district_notice_from"),
    ("district_recheck", {"district_outcome": "propose_grant", "findings": "无"}, "district_notice_from")])  # fmt: skip
def test_a_notice_cannot_be_older_than_what_it_publishes(node, raw, fact):
    assert new_facts(FORMS[node], raw)[fact] == "2018-12-24"


def test_the_time_for_objecting_to_the_check_is_ten_working_days_to_the_close_of_the_last():
    found = new_facts(FORMS["deliver_check_rejection"], {"delivered_on": "2018-12-20", "method": "post", "recipient": "张一"}, check_rejected_on="2018-12-20")
    assert found == {"check_result_on": "2018-12-20", "check_objection_until": "2019-01-05T00:00:00+08:00"}  # 12-29 is worked, 12-30 to 01-01 are not


def test_an_objection_and_a_withdrawal_carry_what_the_law_asks():
    raw = {"objection_on": "2018-12-20", "objector_kind": "anonymous", "grounds": "有车", "evidence": [3]}
    assert new_facts(MESSAGES["objection"], raw) == {"objection_on": "2018-12-20", "reported": True}
    assert new_facts(MESSAGES["objection"], raw | {"objector_kind": "applicant"}) == {"objection_on": "2018-12-20"}
    assert list(wrong(MESSAGES["objection"], raw | {"objector_kind": "somebody"})) == ["objector_kind"]
    assert new_facts(MESSAGES["withdrawal"], {"withdrawn_on": "2018-12-20", "reason": "已就业"}) == {}
    answer = {"status": "partial", "results": [{"source": "bank", "status": "answered", "item": "存款", "value": "60000"}]}
    assert new_facts(MESSAGES["registry_answer"], answer) == {"registry_status": "partial"}


def test_a_file_goes_to_the_district_whole():
    assert list(wrong(FORMS["submit_to_district"], {"contents": ["application", "opinion"]})) == ["contents"]
    assert understood(FORMS["submit_to_district"], {"contents": ["application", "survey", "opinion"]})


@given(st.dates(date(2018, 11, 1), date(2020, 12, 31)))
def test_a_notice_never_ends_before_its_seventh_day_is_over(posted):
    found = new_facts(FORMS["post_street_notice"], {"posted_on": posted.isoformat(), "places": ["gate"]}, today=date(2021, 1, 1))
    assert date.fromisoformat(found["street_notice_until"][:10]) - posted == timedelta(days=8)


# -- the same in a real case, on both databases


def test_a_notice_dated_before_the_street_signed_is_refused_and_one_of_today_is_not(district):
    district.to_street_opinion()
    district.review()
    district.clock.set("2018-12-10T09:00")
    district.street()
    with pytest.raises(Invalid) as invalid:
        district.do("vera", "post_street_notice", posted_on="2018-12-03", places=["village_board"])
    assert "2018-12-10" in invalid.value.fields["posted_on"][0]
    district.post()
    assert district.facts()["street_notice_until"] == "2018-12-18T00:00:00+08:00"


def test_what_the_meeting_approved_can_be_granted_and_no_consent_is_invented(district):
    district.to_street_opinion(600_000)
    district.review()
    answers = {"opinion": "研究", "trigger": "income_slightly_over", "special_facts": "肾衰竭", "wish": "纳入低收入"}
    with pytest.raises(Invalid):
        district.do("rita", "street_opinion", street_outcome="propose_grant", opinion="拟同意")
    district.do("rita", "street_opinion", street_outcome="joint_meeting", **answers)
    district.resolve()
    district.street()
    facts = district.facts()
    assert (facts["category"], facts["amount_fen"], facts["low_income_consent"]) == ("low_income", 27_600, None)
    assert "post_street_notice" in district.tasks()


class OfAHousehold(Form):
    household_id = household("家庭", "Household")


@pytest.mark.parametrize(("typed", "found"), [("H0000127", 127), ("h0000127", 127), (" Ｈ００００１２７ ", 127), ("127", 127), (127, 127)])
def test_a_household_is_named_as_pages_show_it_or_as_the_api_counts_it(typed, found):
    assert OfAHousehold(context={}).load({"household_id": typed}) == {"household_id": found}


@pytest.mark.parametrize("typed", ["H127", "H0000127x", "H", "-1", "H-000127", 1.5, True, "H" + "9" * 30])
def test_what_is_no_number_of_a_household_is_refused(typed):
    with pytest.raises(ValidationError) as refused:
        OfAHousehold(context={}).load({"household_id": typed})
    assert list(refused.value.messages) == ["household_id"]
