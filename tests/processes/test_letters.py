"""Letters, notices and sheets: what they must say by law, what they must never say, and that they are safe, standalone pages."""

from __future__ import annotations

import re
from typing import Any

import pytest
from lxml import html

from processes import letters
from processes.eligibility_facts import PROPERTY

SECRET = {
    "id_no": "120199198003010013", "account": "6217000012345678901", "phone": "13800138000", "address": "演示路1号", "illness": "恶性肿瘤", "child": "张小宝"}  # fmt: skip
HOUSEHOLD = {
    "applicant": "张建国", "hukou_kind": "urban", "size": 1, "address": SECRET["address"], "phone": SECRET["phone"], "bank_account": SECRET["account"], "hardship_cause": SECRET["illness"],
    "property": [{"kind": "monetary_assets", "amount": "5000.00", "source": "declared"}, {"kind": "monetary_assets", "amount": "60000.00", "source": "checked"}],
    "members": [
        {"name": "张建国", "relation": "head", "id_no": SECRET["id_no"], "birth_date": "1980-03-01",
         "income": [{"kind": "wage_income", "amount": "2100.00", "period": "month", "month": None, "year": None, "source": "declared"},
                    {"kind": "other_income", "amount": "999.00", "period": "month", "month": None, "year": None, "source": "checked"}]},
        {"name": SECRET["child"], "relation": "child", "id_no": "120199201003010013", "birth_date": "2010-03-01", "income": []}]}  # fmt: skip
CASE = {
    "household": HOUSEHOLD, "case_no": "DB-2018-000001", "number": "津滨古林民受〔2018〕12号", "street_name": "古林街道", "community_name": "某社区", "issued_on": "2019-01-21",
    "applied_on": "2018-12-03", "accepted_on": "2018-12-04", "decided_on": "2019-01-21", "not_cooperating_on": "2019-01-10", "law_version": "TJ-STD-2018", "members_counted": 3, "category": "dibao",
    "amount_fen": 66_000, "first_payment_month": "2019-02", "per_capita": "700.00", "missing": ["authorization", "diagnosis"], "reasons": "货币财产超过限额", "opinion": "不符合",
    "before_fen": 84_000, "before_category": "dibao", "from_month": "2019-02", "reason_code": "income_changed", "overpaid_fen": 36_000, "overpaid_months": ["2018-12", "2019-01"],
    "instalment": 12_000, "first_month": "2019-03", "effective_month": "2019-02", "standards": ["920", "980"], "members": 3, "income": "2100.00",
    "arrears_fen": 18_000, "arrears_months": ["2019-01"], "contact": True, "appealed": "滨海新区人民政府2019年1月15日行政复议决定（1号）", "would": ["收入低于标准的，符合条件。"],
    "kind": "job_start", "event_on": "2018-12-10", "reported_on": "2018-12-12", "late": True, "due_on": "2019-01-24", "transfer_month": "2019-02", "grace_until": "2019-06", "worker": "赵二",
    "cause": "fire", "begun_by": "application", "temp_workdays": 15, "helped_on": "2018-12-11", "repeated_cases": ["LS-2018-000001"], "exception_outcome": "refused",
    "need_outcome": "refused_income", "agency": "救助管理站", "handed_to": "李站长", "handed_on": "2018-12-11", "resolution": "approve_as", "conditions": "按月报告",
    "items": [{"form": "cash", "amount_fen": 200_000, "description": "基本生活"}, {"form": "referral", "amount_fen": 0, "description": "住院", "referred_to": "医院"}]}  # fmt: skip
NOTICE = {
    "stage": "street_opinion", "applicant": "张建国", "members": 3, "category": "dibao", "amount_fen": 66_000, "posted_on": "2018-12-24", "until_on": "2019-01-01",
    **SECRET, "case_no": "DB-2018-000001", "household": HOUSEHOLD, "opinion": "内部意见"}  # fmt: skip


def words(page: str) -> str:
    return re.sub(r"\s+", " ", html.fromstring(page.encode()).find("body").text_content())


def letter(kind: str, **more: Any) -> str:
    return words(letters.render(kind, {**CASE, **more}))


def every_page(**data: Any) -> dict[str, str]:
    return {
        **{kind: letters.render(kind, {**CASE, **data}) for kind in letters.TITLES},
        **{f"sheet {kind}": letters.sheet(kind, {**CASE, **data}) for kind in letters.SHEETS},
        "notice": letters.notice_sheet(NOTICE | {"applicant": (data.get("household") or HOUSEHOLD)["applicant"]}, "某社区", "古林街道")}  # fmt: skip


@pytest.mark.parametrize(("kind", "street", "expected"), [
    ("acceptance", "古林街道", "津滨古林民受〔2018〕12号"), ("refusal", "新城镇", "津滨新城民拒〔2018〕12号"), ("approval", "泰达地区", "津滨泰达民准〔2018〕12号"),
    ("supplement", "汉沽街道", "津滨汉沽民补〔2018〕12号"), ("check_rejection", "塘沽街道", "津滨塘沽民核〔2018〕12号")])  # fmt: skip
def test_numbers_of_documents(kind, street, expected):
    assert letters.number(kind, street, 2018, 12) == expected


def test_every_page_is_whole_chinese_and_has_no_style_or_script_of_its_own():
    for kind, page in every_page().items():
        assert page.startswith("<!doctype html>"), kind
        tree = html.fromstring(page.encode())
        assert tree.get("lang") == "zh-Hans", kind
        assert len(tree.findall(".//h1")) == len(tree.findall(".//main")) == 1, kind
        assert [link.get("href") for link in tree.findall(".//link")] == ["/static/css/letter.css"], kind
        assert not tree.xpath("//style|//script|//@style|//*[starts-with(name(@*), 'on')]"), kind
        assert tree.find(".//title").text.strip(), kind


def test_what_people_typed_is_text_and_never_markup():
    bad = '<script>alert(1)</script>"&\''
    member = {**HOUSEHOLD["members"][0], "name": bad}
    pages = every_page(household={**HOUSEHOLD, "applicant": bad, "address": bad, "members": [member]}, reasons=bad, opinion=bad, clause=bad, street_name=bad, case_no=bad, number=bad)
    for kind, page in pages.items():
        assert "<script" not in page, kind
        assert bad in words(page), kind


def test_the_acceptance_says_from_when_the_clock_runs():
    said = letter("acceptance")
    assert all(part in said for part in ("津滨古林民受〔2018〕12号", "2018年12月4日予以受理", "10个工作日", "撤回"))


def test_the_supplement_lists_everything_once_and_only_that():
    said = letter("supplement")
    assert "1．核对授权书" in said
    assert "2．诊断证明" in said
    assert "3．" not in said
    assert "不会再要求其他新的材料" in said


def test_the_check_rejection_has_reasons_figures_and_the_way_to_object():
    said = letter("check_rejection", category="refused_property", members_counted=2)
    assert all(part in said for part in ("货币财产超过限额", "44160.00元（低保标准×24个月×2人）", "10个工作日", "证据", "2019年1月21日"))


@pytest.mark.parametrize(("kind", "issuer"), [
    ("acceptance", "古林街道办事处"), ("supplement", "古林街道办事处"), ("check_rejection", "古林街道办事处"),
    ("approval", "天津市滨海新区民政局"), ("refusal", "天津市滨海新区民政局")])  # fmt: skip
def test_a_letter_has_a_place_for_the_seal_with_its_issuer_and_day(kind, issuer):
    tree = html.fromstring(letters.render(kind, CASE).encode())
    [place] = tree.xpath("//div[@class='sealing']")
    assert [p.text_content() for p in place] == [issuer, "（盖章处）", "2019年1月21日"]


def test_an_amount_of_dibao_says_how_it_follows():
    expected = "计算办法：920.00元×3人－家庭月收入2100.00元＝660.00元（民发〔2012〕220号第二十七条）。"
    assert expected in letter("approval", resolution=None) and expected in letter("adjustment", resolution=None)
    for other in ({"category": "low_income"}, {"fixed_until": "2019-06"}, {"law_version": "TJ-STD-2017"}, {"amount_fen": 300_000}, {"members_counted": None}):
        assert "计算办法" not in letter("approval", resolution=None, **other), other
    assert "计算办法" not in letter("approval", resolution="approve_as")
    assert "计算办法" not in letter("adjustment", resolution=None, reason_code="refused_jobs", refusing="张二", refused_on=[], share_fen=1, share_standard="1")


def test_the_approval_has_amount_in_figures_and_capitals_month_and_remedies():
    said = letter("approval")
    assert all(part in said for part in ("3人", "每月660.00元", "大写：陆佰陆拾元整", "自2019年2月起", "60日内", "6个月内"))


def test_a_low_income_approval_names_its_own_basis_and_promises_no_money_that_is_not_paid():
    paid, status = letter("approval", category="low_income", amount_fen=27_600), letter("approval", category="low_income", amount_fen=0)
    assert "低收入家庭救助" in paid
    assert "276.00元" in paid
    assert "减去家庭月收入" not in paid
    assert "不按月发放救助金" in status
    assert "大写" not in status


@pytest.mark.parametrize(("more", "expected"), [
    ({"category": "low_income", "per_capita": "921.00"}, "人均月收入921.00元，不低于低保标准920.00元"),
    ({"category": "low_income", "per_capita": "920.00"}, "人均月收入920.00元，不低于低保标准920.00元"),
    ({"category": "refused_income", "per_capita": "1500.00"}, "人均月收入1500.00元，不低于低收入家庭标准1380.00元"),
    ({"category": "refused_property", "members_counted": 2}, "超过规定限额44160.00元"),
    ({"category": "low_income", "per_capita": "700.00", "members_counted": 2}, "货币财产超过低保规定限额44160.00元"),
    ({"category": "refused_vehicle"}, "机动车"),
    ({"category": "dibao"}, "不符合规定条件"),
    ({"category": "low_income", "per_capita": "921.00", "law_version": "TJ-STD-1999"}, "不低于低保标准。"),
    ({"category": "low_income", "per_capita": "981.00", "decided_on": "2019-04-08", "accepted_on": "2019-04-01", "law_version": "TJ-STD-2019"}, "不低于低保标准980.00元"),
    ({"category": "low_income", "per_capita": "921.00", "decided_on": "2019-04-08"}, "不低于低保标准920.00元")])  # fmt: skip
def test_a_refusal_sets_the_figure_beside_the_rule_of_its_day(more, expected):
    assert expected in letter("refusal", **more)


def test_a_refusal_has_facts_reason_clause_and_both_remedies():
    said = letter("refusal", category="low_income", per_capita="921.00", reason_code="income_over", opinion="人均收入偏高", clause="第四条")
    assert all(part in said for part in ("2018年12月3日", "收入不符合条件。人均收入偏高", "依据：第四条", "DB-2018-000001", "古林街道社会救助窗口", "行政诉讼", "6个月内"))
    assert "60日内向滨海新区人民政府或者天津市民政局申请行政复议" in said


@pytest.mark.parametrize(("issued_on", "choice"), [("2023-12-31", True), ("2024-01-01", False)])
def test_from_2024_only_the_government_reviews(issued_on, choice):
    assert ("天津市民政局" in letter("refusal", issued_on=issued_on)) is choice


def test_every_kind_of_property_that_refuses_has_words_of_its_own():
    said = {letter("refusal", category=f"refused_{kind}") for kind in PROPERTY if kind != "monetary_assets"}
    assert len(said) == len(PROPERTY) - 1
    assert not any("不符合规定条件" in text for text in said)


# -- 公示


@pytest.mark.parametrize("stage", ["street_opinion", "district_proposal"])
def test_a_notice_shows_the_whitelist_and_nothing_else_of_what_it_is_given(stage):
    """N220 arts 25, 29, 34; S33. The cells are compared whole: a new one must be thought about here."""
    tree = html.fromstring(letters.notice_sheet(NOTICE | {"stage": stage}, "某社区", "古林街道").encode())
    shown = dict(zip((e.text for e in tree.findall(".//th")), (e.text for e in tree.findall(".//td")), strict=True))
    assert shown == {
        "申请人": "张建国", "居村": "某社区", "家庭人口": "3人", "拟救助类别": "最低生活保障", "拟保障金额": "每月660.00元",
        "公示期": "2018年12月24日至2018年12月31日", "异议受理": "古林街道社会救助窗口，电话 12345"}  # fmt: skip
    page = html.tostring(tree, encoding="unicode")
    assert [name for name, secret in SECRET.items() if secret in page] == []
    assert "内部意见" not in page
    assert re.findall(r"\d{11,}", page) == []
    assert "noindex" in page


def test_letters_carry_no_number_account_phone_address_or_illness():
    for kind in letters.TITLES:
        page = letters.render(kind, {**CASE, "category": "refused_income"} if kind == "refusal" else CASE)
        assert [name for name, secret in SECRET.items() if secret in page] == [], kind


def test_letters_of_temporary_assistance_say_what_is_given_and_why_not():
    given = letter("temp_grant")
    assert all(part in given for part in ("火灾等意外事件", "1．救助金：基本生活，2000.00元", "2．转介服务：住院，转介至医院", "合计2000.00元（大写：贰仟元整），一次性给予", "一事一议", "附带条件：按月报告"))
    assert "主动发现" in letter("temp_emergency", begun_by="discovery")
    referral = letter("temp_grant", items=CASE["items"][1:], resolution=None, conditions=None)
    assert "合计" not in referral and "联席会议" not in referral and "附带条件" not in referral
    refused = letter("temp_refusal", reason_code="same_cause", clause="第四十七条")
    assert all(part in refused for part in ("LS-2018-000001", "不低于本市上年度居民人均可支配收入（人均月收入700.00元）", "理由：同一事由本年度已救助，且无正当理由。不符合", "依据：第四十七条", "60日内", "6个月内"))
    plain = letter("temp_refusal", need_outcome="fits", exception_outcome=None)
    assert "查明的事实" not in plain
    assert "天津市滨海新区民政局" in plain
    assert "天津市滨海新区民政局" not in letter("temp_refusal", confirmed_by="street").split("提起行政诉讼。")[-1]
    assert "不是救助决定" in letter("temp_referral")


# -- sheets


@pytest.mark.parametrize("kind", letters.SHEETS)
def test_a_sheet_can_be_blank_or_prefilled(kind):
    blank, filled = words(letters.sheet(kind, {})), words(letters.sheet(kind, CASE))
    assert letters.SHEETS[kind] in blank
    assert "张建国" not in blank
    assert "张建国" in filled
    assert "None" not in blank + filled


@pytest.mark.parametrize(("kind", "asked"), [
    ("application", ("申请理由", "近亲属", "签字", "身份证号", "残疾", "劳动能力")), ("declaration", ("收入", "存款", "机动车", "房屋", "债", "签字")),
    ("authorisation", ("授权", "有效期", "本人签字")), ("survey", ("被调查人签字", "两人以上", "住房", "衣食", "设施", "邻里", "所见", "照片")),
    ("democratic_review", ("地点", "主持人", "三分之二", "宣讲政策", "结论", "签字")), ("delivery", ("受送达人", "留置", "见证人", "签字"))])  # fmt: skip
def test_sheets_ask_for_the_fields_of_the_law(kind, asked):
    said = words(letters.sheet(kind, {}))
    assert [part for part in asked if part not in said] == []


@pytest.mark.parametrize("kind", ["declaration", "survey"])
def test_only_what_was_declared_stands_under_declared(kind):
    said = words(letters.sheet(kind, CASE))
    assert "2100.00" in said
    assert "5000.00" in said
    assert "999.00" not in said
    assert "60000.00" not in said


@pytest.mark.parametrize(("day", "asked"), [("2018-12-03", False), ("2028-02-29", False), ("2028-03-01", True), ("", True)])
def test_adults_sign_the_authorisation_and_children_do_not(day, asked):
    assert (SECRET["child"] in letters.sheet("authorisation", {**CASE, "issued_on": day})) is asked
