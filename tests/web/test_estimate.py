"""救助测算: for everybody without sign-in, by page and API; nothing is stored, nothing personal is logged."""

from __future__ import annotations

import json
import logging

import pytest
from sqlalchemy import func, select

from engine import store
from tests.served import app_of
from web import estimate

FORM = {"people": "2", "hukou_kind": "urban", "community": "120116001016", "m0-relation": "head", "m0-birth_date": "1975-03-01", "m0-wage_income": "700.00", "m1-birth_date": "2010-03-01", "m1-employment": "student"}
FACTS = {"hukou_kind": "urban", "community": "120116001016", "members": [{"ref": "1", "birth_date": "1975-03-01", "income": [{"kind": "wage_income", "amount": "700.00"}]}]}
URL = "/api/v1/public/assessments"


@pytest.fixture
def http(bureau):
    return app_of(bureau).test_client()


def test_the_page_is_found_from_the_sign_in_and_answers_without_a_trace(http, bureau, caplog):
    assert "/public/assessment" in http.get("/sign-in").get_data(as_text=True)
    fresh = http.application.test_client()
    with bureau.office.read() as conn:
        before = [conn.scalar(select(func.count()).select_from(table)) for table in (store.entry, store.setting)]
    with caplog.at_level(logging.INFO):
        answer = fresh.post("/public/assessment", data=FORM)
    page = answer.get_data(as_text=True)
    assert answer.status_code == 200 and "最低生活保障（低保）: 可能符合" in page and "约每户每月 1140.00 元" in page, "920 x 2 - 700"
    assert "塘沽街道社会救助窗口" in page and "在学证明" in page and "不是决定" in page and "第27条" in page
    with bureau.office.read() as conn:
        assert before == [conn.scalar(select(func.count()).select_from(table)) for table in (store.entry, store.setting)]
    assert "1975" not in caplog.text and "700" not in caplog.text
    assert answer.headers["Cache-Control"] == "no-store" and "Set-Cookie" not in answer.headers and "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert "style=" not in page and "onclick" not in page


def test_the_page_names_the_field_that_is_wrong_and_keeps_the_others(http):
    answer = http.post("/public/assessment", data=FORM | {"m0-wage_income": "７００", "m1-birth_date": "", "vehicle": "2", "hardship-elderly_childless": "1"})
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert 'href="#m0-wage_income"' in page and "请用半角数字" in page and 'value="７００"' in page
    assert 'id="m0-wage_income-e"' in page and 'value="1975-03-01"' in page
    assert 'href="#m1-birth_date"' in http.post("/public/assessment", data=FORM | {"m1-birth_date": ""}).get_data(as_text=True)
    owns = http.post("/public/assessment", data=FORM | {"vehicle": "1", "dwelling": "0"}).get_data(as_text=True)
    assert "最低生活保障（低保）: 不符合" in owns and "机动车辆 1 项" in owns


def test_the_page_in_english(http):
    page = http.post("/public/assessment?lang=en", data=FORM).get_data(as_text=True)
    assert "Minimum living guarantee (dibao): probably fits" in page and "no decision" in page
    assert "There is no such village" in http.post("/public/assessment?lang=en", data=FORM | {"community": "9"}).get_data(as_text=True)
    assert 'action="/public/assessment?lang=en"' in http.get("/public/assessment?people=3&lang=en").get_data(as_text=True)


def test_the_api_needs_no_token_and_refuses_by_name(http):
    said = http.post(URL, json=FACTS).get_json()
    assert (said["decision"], said["benefit_month"]) == (False, "2018-12"), "today's month, of the business clock"
    assert {one["programme"]: (one["verdict"], one["amount_fen"]) for one in said["programmes"]}["dibao"] == ("fits", 22000)
    for wrong, field in (({"programmes": ["housing"]}, "programmes.0"), ({"medical_self_paid": "１００"}, "medical_self_paid"), ({"members": [{"ref": "1"}]}, "members.0.birth_date"),
                         ({"medical_self_paid": "9" * 30}, "medical_self_paid"), ({"members": [{"ref": "1", "birth_date": "1975-03-01", "income": [{"kind": "wage_income", "amount": "-1"}]}]}, "members.0.income.0.amount")):  # fmt: skip
        answer = http.post(URL, json=FACTS | wrong)
        assert answer.status_code == 422 and field in answer.get_json()["errors"], (wrong, answer.get_json())
    assert http.post(URL, data="{", content_type="application/json").status_code == 400
    assert json.loads(http.post(URL, json=FACTS | {"community": "9"}, headers={"Accept-Language": "en"}).data)["errors"]["community"] == ["There is no such village or community"]


def test_who_asks_too_often_waits(http, monkeypatch):
    monkeypatch.setattr(estimate, "TRIES", 2)
    assert [http.post(URL, json=FACTS).status_code for _ in range(3)] == [200, 200, 429]
    refused = http.post(URL, json=FACTS, headers={"Accept-Language": "en"})
    assert 1 <= int(refused.headers["Retry-After"]) <= 60 and refused.get_json()["message"] == "Asked too often, try again later"
    page = http.post("/public/assessment", data=FORM)
    assert page.status_code == 422 and "测算过于频繁" in page.get_data(as_text=True)
    assert app_of(http.application.extensions["bureau"]).test_client().post(URL, json=FACTS).status_code == 429, "another process counts with it"
    assert http.post(URL, json=FACTS, environ_base={"REMOTE_ADDR": "10.0.0.9"}).status_code == 200, "somebody else"
