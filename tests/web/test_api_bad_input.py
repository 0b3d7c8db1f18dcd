"""Bad input at the API: a clear 4xx that a caseworker's programmer understands, never a 500, and nothing changes. Both databases."""

from __future__ import annotations

import functools
import io
import json
import time
from typing import Any

import pytest
from sqlalchemy import func, select
from werkzeug.datastructures import FileStorage
from werkzeug.test import encode_multipart

from engine.store import metadata, record
from tests.conftest import DATA_KEY, Clock, database
from tests.district import COMMUNITY, District
from tests.web.test_api import Door, family

JSON = {"content_type": "application/json"}


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def door(request, tmp_path_factory):
    """One district for all bad inputs: none of them may change it."""
    from processes import bureau as bureaus
    from web.settings import Settings

    folder = tmp_path_factory.mktemp("bad")
    with database(request.param, folder, request) as url:
        clock = Clock()
        made = bureaus.build(Settings(database=url, secret_key="s" * 32, data_key=DATA_KEY, files=folder / "files", registry="http://127.0.0.1:9"), clock)
        metadata.create_all(made.office.store.engine)
        district = District(made, clock)
        opened = Door(made, district)
        house = district.household(210_000)
        opened.names = names = {"house": house, "no": district.apply(house), "task": district.tasks()["completeness_check"]["id"], "scan": district.scan}
        district.apply(district.household(210_000, serial=2))
        with made.office.act(district.people["clerk"]) as act:
            made.cases.claim(act, district.tasks()["completeness_check"]["id"])
        names["taken"] = district.tasks()["completeness_check"]["id"]
        names["person"] = opened.good("clerk", "GET", f"/households/{house}")["members"][0]["person_id"]
        for who in ("clerk", "clerk2", "stranger", "auditor", "app"):
            opened.token(who)
        yield opened
        made.office.store.close()


@functools.cache
def counts() -> Any:
    """One statement: one for each of 150 tables took longer than what is tested between two looks."""
    return select(*(select(func.count()).select_from(table).scalar_subquery().label(name) for name, table in sorted(metadata.tables.items())))


def everything(door: Door) -> Any:
    """How many rows each table has, and the head of every record."""
    with door.bureau.office.read() as conn:
        return conn.execute(counts()).one(), conn.execute(select(record.c.id, record.c.head).order_by(record.c.id)).all()


COMPLETE, START, HOUSES, REVEAL = "/tasks/{task}/complete", "/cases", "/households", "/households/{house}/reveal"
GOOD = '{"answers": {"outcome": "complete"}}'


def raw(text: str | bytes, **kind: Any) -> dict[str, Any]:
    return {"data": text, **JSON, **kind}


def start(**answers: Any) -> dict[str, Any]:
    base = {"household_id": 1, "programme": "dibao", "applied_on": "2018-12-03", "applied_by": "head", "reason": "困难"}
    return {"process": "dibao-2012", "answers": {**base, **answers}}


def house(**more: Any) -> dict[str, Any]:
    return {**family(900), **more}


def member(**more: Any) -> dict[str, Any]:
    made = family(901)
    return {**made, "members": [{**made["members"][0], **more}, *made["members"][1:]]}


def income(**more: Any) -> dict[str, Any]:
    return {"income": [{"kind": "wage_income", "amount_fen": "1500.00", "period": "month", **more}]}


WAGE = {"kind": "wage_income", "amount": "300.00", "period": "month"}


def facts(**more: Any) -> dict[str, Any]:
    return {"benefit_month": "2018-12", "applied_on": "2018-12-03", "hukou_kind": "urban", "members": [{"ref": "1"}], **more}


def deep(levels: int) -> Any:
    made: Any = {}
    for _ in range(levels):
        made = {"a": made}
    return made


# (name, method, path, what is sent, statuses that are right). JSON: {"json": ...}; raw bytes: raw(...)
BAD: list[tuple[str, str, str, dict[str, Any], set[int]]] = [
    # the text is not JSON, or not to be read
    ("trailing comma", "POST", COMPLETE, raw('{"answers": {},}'), {400}),
    ("empty body", "POST", COMPLETE, raw(""), {400}),
    ("list instead of object", "POST", COMPLETE, raw("[]"), {422}),
    ("null instead of object", "POST", COMPLETE, raw("null"), {422}),
    ("number instead of object", "POST", START, raw("7"), {422}),
    ("text instead of object", "POST", START, raw('"x"'), {422}),
    ("text/plain", "POST", COMPLETE, {"data": GOOD, "content_type": "text/plain"}, {415}),
    ("no content type", "POST", COMPLETE, {"data": GOOD}, {415}),
    ("a form", "POST", COMPLETE, {"data": {"answers": "x"}}, {415}),
    ("xml", "POST", COMPLETE, {"data": "<a/>", "content_type": "application/xml"}, {415}),
    ("100,000 open brackets", "POST", COMPLETE, raw('{"answers":' + "[" * 100_000 + "]" * 100_000 + "}"), {400}),
    ("100,000 open braces", "POST", COMPLETE, raw('{"a":' * 50_000 + "1" + "}" * 50_000), {400}),
    ("20 levels", "POST", COMPLETE, {"json": {"answers": deep(20)}}, {400}),
    ("50 MB of text", "POST", COMPLETE, raw('{"answers": "' + "x" * 52_428_800 + '"}'), {413}),
    ("2 MB of text", "POST", COMPLETE, raw('{"answers": {"opinion": "' + "x" * 2_000_000 + '"}}'), {413}),
    ("NaN", "POST", COMPLETE, raw('{"answers": {"outcome": NaN}}'), {400}),
    ("Infinity", "POST", "/assessments", raw('{"members": -Infinity}'), {400}),
    ("1e400", "POST", COMPLETE, raw('{"answers": {"outcome": 1e400}}'), {422}),
    ("1e400 in a draft", "PUT", "/tasks/{task}/draft", raw('{"answers": {"outcome": 1e400}}'), {422}),
    ("byte order mark", "POST", COMPLETE, raw(b"\xef\xbb\xbf" + GOOD.encode()), {400}),
    ("utf-16", "POST", COMPLETE, raw(GOOD.encode("utf-16")), {400}),
    ("invalid utf-8", "POST", COMPLETE, raw(b'{"answers": {"opinion": "\xc3\x28"}}'), {400}),
    ("overlong utf-8", "POST", COMPLETE, raw(b'{"answers": {"opinion": "\xc0\xaf"}}'), {400}),
    ("lone surrogate", "POST", COMPLETE, raw('{"answers": {"outcome": "incomplete", "opinion": "\\ud83d"}}'), {422}),
    ("lone surrogate in a draft", "PUT", "/tasks/{task}/draft", raw('{"answers": {"x": "\\udc00"}}'), {422}),
    ("lone surrogate as a name", "POST", COMPLETE, raw('{"answers": {"\\ud83d": 1}}'), {422}),
    ("NUL in text", "POST", COMPLETE, raw('{"answers": {"outcome": "incomplete", "opinion": "a\\u0000b"}}'), {422}),
    ("NUL in a draft", "PUT", "/tasks/{task}/draft", raw('{"answers": {"x": "\\u0000"}}'), {422}),
    ("NUL in a login", "POST", "/tasks/{task}/transfer", raw('{"to": "a\\u0000", "reason": "x"}'), {422}),
    ("a name given twice", "POST", COMPLETE, raw('{"answers": {"outcome": "complete", "outcome": "incomplete"}}'), {400}),
    ("a number of 23 digits", "POST", START, raw('{"process": "dibao-2012", "answers": {"household_id": 12345678901234567890123}}'), {422}),
    ("a number of 10,000 digits", "POST", START, raw('{"process": "dibao-2012", "answers": {"household_id": ' + "9" * 10_000 + "}}"), {400}),
    ("2^63 as a household", "POST", START, {"json": start(household_id=2**63)}, {422}),
    ("2^53 as a household", "POST", START, {"json": start(household_id=2**53)}, {422}),
    ("2^53-1 as a household", "POST", START, {"json": start(household_id=2**53 - 1)}, {403, 404, 422}),
    ("content-length that is too long is cut by the server", "POST", COMPLETE, raw("{", headers={"Content-Length": "1"}), {400}),
    # the shape is wrong
    ("no answers", "POST", COMPLETE, {"json": {}}, {422}),
    ("answers null", "POST", COMPLETE, {"json": {"answers": None}}, {422}),
    ("answers a list", "POST", COMPLETE, {"json": {"answers": []}}, {422}),
    ("answers a text", "POST", COMPLETE, {"json": {"answers": "outcome"}}, {422}),
    ("extra field beside answers", "POST", COMPLETE, {"json": {"answers": {"outcome": "complete"}, "status": "PAID"}}, {422}),
    ("extra field in answers", "POST", COMPLETE, {"json": {"answers": {"outcome": "complete", "amount_fen": 1}}}, {422}),
    ("__class__", "POST", COMPLETE, {"json": {"answers": {"outcome": "complete", "__class__": "os"}}}, {422}),
    ("a name with a dot", "POST", COMPLETE, {"json": {"answers": {"outcome": "complete", "a.b": 1}}}, {422}),
    ("a serialised object", "POST", COMPLETE, {"json": {"answers": {"outcome": {"typename": "x", "value": 1}}}}, {422}),
    ("an unknown outcome", "POST", COMPLETE, {"json": {"answers": {"outcome": "approve"}}}, {422}),
    ("a boolean as a choice", "POST", COMPLETE, {"json": {"answers": {"outcome": True}}}, {422}),
    ("a list as a choice", "POST", COMPLETE, {"json": {"answers": {"outcome": ["complete"]}}}, {422}),
    ("5,001 missing documents", "POST", COMPLETE, {"json": {"answers": {"outcome": "incomplete", "missing": ["diagnosis"] * 5001}}}, {422}),
    ("a text of 2,001 characters", "POST", COMPLETE, {"json": {"answers": {"outcome": "incomplete", "missing": ["diagnosis"], "opinion": "x" * 2001}}}, {422}),
    ("right-to-left override", "POST", COMPLETE, {"json": {"answers": {"outcome": "incomplete", "missing": ["diagnosis"], "opinion": "\u202eabc"}}}, {422}),
    ("no process", "POST", START, {"json": {"answers": {}}}, {422}),
    ("an unknown process", "POST", START, {"json": {"process": "x", "answers": {}}}, {404}),
    ("a process that is a number", "POST", START, {"json": {"process": 7, "answers": {}}}, {422}),
    ("another's household", "POST", START, {"json": start(household_id=1)}, {403, 404}),
    ("a negative household", "POST", START, {"json": start(household_id=-1)}, {422}),
    ("a household in words", "POST", START, {"json": start(household_id="one")}, {422}),
    ("a household that is true", "POST", START, {"json": start(household_id=True)}, {422}),
    ("a household that is 1.5", "POST", START, {"json": start(household_id=1.5)}, {422}),
    ("applied tomorrow", "POST", START, {"json": start(applied_on="2018-12-04")}, {422}),
    ("applied on 30 February", "POST", START, {"json": start(applied_on="2018-02-30")}, {422}),
    ("applied in the year 10000", "POST", START, {"json": start(applied_on="10000-01-01")}, {422}),
    ("applied on 31/12/2018", "POST", START, {"json": start(applied_on="31/12/2018")}, {422}),
    ("an agent without a name", "POST", START, {"json": start(applied_by="agent")}, {422}),
    ("a reason of full-width blanks", "POST", START, {"json": start(reason="\u3000\u3000")}, {422}),
    ("21 documents", "POST", START, {"json": start(documents=list(range(21)))}, {422}),
    # households
    ("no members", "POST", HOUSES, {"json": house(members=[])}, {422}),
    ("members null", "POST", HOUSES, {"json": house(members=None)}, {422}),
    ("5,001 members", "POST", HOUSES, {"json": house(members=[{"name": "某"}] * 5001)}, {422}),
    ("two heads", "POST", HOUSES, {"json": member() | {"members": [family(902)["members"][0], family(903)["members"][0]]}}, {422}),
    ("ID of 19 digits", "POST", HOUSES, {"json": member(id_no="1201161975030100110")}, {422}),
    ("ID with a wrong check digit", "POST", HOUSES, {"json": member(id_no="120116197503010010")}, {422}),
    ("ID born on 31 February", "POST", HOUSES, {"json": member(id_no="11010519490231002X")}, {422}),
    ("ID of 15 digits", "POST", HOUSES, {"json": member(id_no="110105491231002")}, {422}),
    ("ID that is a number", "POST", HOUSES, {"json": member(id_no=110105194912310021)}, {422}),
    ("name with a control character", "POST", HOUSES, {"json": member(name="张\u0001三")}, {422}),
    ("name of 257 characters", "POST", HOUSES, {"json": member(name="张" * 257)}, {422}),
    ("name of blanks", "POST", HOUSES, {"json": member(name="\u3000 ")}, {422}),
    ("an unknown relation", "POST", HOUSES, {"json": member(relation="boss")}, {422}),
    ("disability grade 9", "POST", HOUSES, {"json": member(disability_grade=9)}, {422}),
    ("phone of 10 digits", "POST", HOUSES, {"json": house(phone="1380013800")}, {422}),
    ("phone with a command", "POST", HOUSES, {"json": house(phone="13800138000;rm -rf /")}, {422}),
    ("account with letters", "POST", HOUSES, {"json": house(bank_account="62220000AAAA2222")}, {422}),
    ("another street's community", "POST", HOUSES, {"json": house(community="120116005001")}, {403, 404, 422}),
    ("a community that is none", "POST", HOUSES, {"json": house(community="x")}, {403, 422}),
    ("a community of 200 digits", "POST", HOUSES, {"json": house(community="1" * 200)}, {403, 422}),
    ("the same ID twice", "POST", HOUSES, {"json": house(members=[family(904)["members"][0], {**family(904)["members"][0], "relation": "spouse"}])}, {422}),
    ("a negative income", "PUT", "/households/{house}/members/{person}/income", {"json": income(amount_fen="-1")}, {422}),
    ("an income that is NaN", "PUT", "/households/{house}/members/{person}/income", {"json": income(amount_fen="NaN")}, {422}),
    ("an income that is a float", "PUT", "/households/{house}/members/{person}/income", {"json": income(amount_fen=1500.5)}, {422}),
    ("an income with three decimals", "PUT", "/households/{house}/members/{person}/income", {"json": income(amount_fen="12.345")}, {422}),
    ("an income of 999999999999999.99", "PUT", "/households/{house}/members/{person}/income", {"json": income(amount_fen="999999999999999.99")}, {422}),
    ("an income in exponents", "PUT", "/households/{house}/members/{person}/income", {"json": income(amount_fen="1e5")}, {422}),
    ("an income of month 13", "PUT", "/households/{house}/members/{person}/income", {"json": income(month="2018-13")}, {422}),
    ("an unknown kind of income", "PUT", "/households/{house}/members/{person}/income", {"json": income(kind="lottery")}, {422}),
    ("income of a stranger", "PUT", "/households/{house}/members/1/income", {"json": income()}, {404}),
    ("income that is an object", "PUT", "/households/{house}/members/{person}/income", {"json": {"income": {"0": 1}}}, {422}),
    ("101 incomes", "PUT", "/households/{house}/members/{person}/income", {"json": {"income": income()["income"] * 101}}, {422}),
    ("property without an amount", "PUT", "/households/{house}/property", {"json": {"property": [{"kind": "monetary_assets"}]}}, {422}),
    ("authorised tomorrow", "POST", "/households/{house}/authorizations", {"json": {"person_id": 1, "signed_on": "2018-12-04", "valid_until": "2019-12-31"}}, {422}),
    ("authorisation that ended before", "POST", "/households/{house}/authorizations", {"json": {"person_id": 1, "signed_on": "2018-12-03", "valid_until": "2018-12-01"}}, {404, 422}),
    ("authorisation of a stranger", "POST", "/households/{house}/authorizations", {"json": {"person_id": 1, "signed_on": "2018-12-03", "valid_until": "2019-12-01"}}, {404}),
    ("reveal without a reason", "POST", REVEAL, {"json": {"field": "phone", "reason": " "}}, {422}),
    ("reveal of a password", "POST", REVEAL, {"json": {"field": "password_hash", "reason": "x"}}, {422}),
    ("reveal of an ID of the household", "POST", REVEAL, {"json": {"field": "id_no", "reason": "x"}}, {422}),
    ("reveal of a stranger", "POST", REVEAL, {"json": {"field": "id_no", "person_id": 1, "reason": "x"}}, {404}),
    ("an unknown near relative", "POST", "/households/{house}/near-relatives", {"json": {"staff_name": "某", "relation": "friend"}}, {422}),
    # assessments
    ("members that are a number", "POST", "/assessments", {"json": facts(members=1)}, {422}),
    ("no members to assess", "POST", "/assessments", {"json": facts(members=[])}, {422}),
    ("a member that is a text", "POST", "/assessments", {"json": facts(members=["x"])}, {422}),
    ("month 2018-13", "POST", "/assessments", {"json": facts(benefit_month="2018-13")}, {422}),
    ("a month before the law", "POST", "/assessments", {"json": facts(benefit_month="1900-01")}, {422}),
    ("an unknown hukou", "POST", "/assessments", {"json": facts(hukou_kind="moon")}, {422}),
    ("a negative wage", "POST", "/assessments", {"json": facts(members=[{"ref": "1", "income": [{"kind": "wage_income", "amount": "-1"}]}])}, {422}),
    ("a wage that is a float", "POST", "/assessments", {"json": facts(members=[{"ref": "1", "income": [{"kind": "wage_income", "amount": 2100.5}]}])}, {422}),
    ("a wage of 10^30", "POST", "/assessments", {"json": facts(members=[{"ref": "1", "income": [{"kind": "wage_income", "amount": "1" + "0" * 30}]}])}, {422}),
    ("born tomorrow", "POST", "/assessments", {"json": facts(members=[{"ref": "1", "birth_date": "2999-01-01"}])}, {422}),
    ("two heads to assess", "POST", "/assessments", {"json": facts(members=[{"ref": "1", "relation": "head"}, {"ref": "2", "relation": "head"}])}, {422}),
    ("a child at work", "POST", "/assessments", {"json": facts(members=[{"ref": "1", "birth_date": "2010-01-01", "employment": "employed"}])}, {422}),
    ("a disability without a grade", "POST", "/assessments", {"json": facts(members=[{"ref": "1", "disability_kind": "limb"}])}, {422}),
    ("childless with a child", "POST", "/assessments", {"json": facts(childless=True, members=[{"ref": "1", "birth_date": "1950-01-01"}, {"ref": "2", "birth_date": "2010-01-01", "relation": "child"}])}, {422}),
    ("childless, and no age", "POST", "/assessments", {"json": facts(childless=True)}, {422}),
    ("a spouse of eight", "POST", "/assessments", {"json": facts(members=[{"ref": "1", "relation": "head"}, {"ref": "2", "relation": "spouse", "birth_date": "2010-03-01"}])}, {422}),
    ("a child older than its parent", "POST", "/assessments", {"json": facts(members=[{"ref": "1", "relation": "head", "birth_date": "1980-01-01"}, {"ref": "2", "relation": "child", "birth_date": "1979-01-01"}])}, {422}),
    ("a flexible worker of no age", "POST", "/assessments", {"json": facts(members=[{"ref": "1", "employment": "flexible", "income": [WAGE]}])}, {422}),
    ("a flexible worker of sixty and no sex", "POST", "/assessments", {"json": facts(members=[{"ref": "1", "employment": "flexible", "birth_date": "1958-01-01", "income": [WAGE]}])}, {422}),
    ("a wage of next year", "POST", "/assessments", {"json": facts(members=[{"ref": "1", "income": [{**WAGE, "month": "2019-03"}]}])}, {422}),
    ("a yearly wage of a month", "POST", "/assessments", {"json": facts(members=[{"ref": "1", "income": [{**WAGE, "period": "year", "month": "2018-11"}]}])}, {422}),
    ("a monthly wage of a year", "POST", "/assessments", {"json": facts(members=[{"ref": "1", "income": [{**WAGE, "period": "month", "year": 2017}]}])}, {422}),
    ("a wage of a month and of a year", "POST", "/assessments", {"json": facts(members=[{"ref": "1", "income": [{**WAGE, "month": "2018-11", "year": 2018}]}])}, {422}),
    ("a house that makes up for a disability", "POST", "/assessments", {"json": facts(property=[{"kind": "dwelling", "functional_vehicle": True}])}, {422}),
    ("property of nobody listed", "POST", "/assessments", {"json": facts(property=[{"kind": "luxury", "owner": "9"}])}, {422}),
    ("an application of the year 9999", "POST", "/assessments", {"json": facts(applied_on="9999-12-31")}, {422}),
    ("a programme at the staff's assessment", "POST", "/assessments", {"json": facts(programmes=["x"])}, {422}),
    ("an unknown fact", "POST", "/assessments", {"json": facts(decision="granted")}, {422}),
    ("grade 2^53", "POST", "/assessments", {"json": facts(members=[{"ref": "1", "disability_grade": 2**53}])}, {422}),
    # addresses
    ("task -1", "GET", "/tasks/-1", {}, {404}),
    ("task 0", "GET", "/tasks/0", {}, {404}),
    ("task 2^63", "GET", f"/tasks/{2**63}", {}, {404}),
    ("task 10^5000", "GET", "/tasks/" + "9" * 5000, {}, {404}),
    ("task 10^18-1", "POST", f"/tasks/{10**18 - 1}/claim", {}, {404}),
    ("task 1%00", "GET", "/tasks/1%00", {}, {404}),
    ("task in full-width digits", "GET", "/tasks/１", {}, {404}),
    ("task with a quote", "GET", "/tasks/1'--", {}, {404}),
    ("case with NUL", "GET", "/cases/DB%00", {}, {404}),
    ("case ..%2f", "GET", "/cases/..%2f..%2fetc%2fpasswd", {}, {404}),
    ("case with invalid utf-8", "GET", "/cases/%ff%fe", {}, {404}),
    ("case with a quote", "GET", "/cases/' or 1=1", {}, {404}),
    ("case with CRLF", "GET", "/cases/1%0d%0aSet-Cookie:a=b", {}, {404}),
    ("document of nobody", "GET", "/documents/1", {}, {404}),
    ("letter of nobody", "GET", "/letters/1", {}, {404}),
    ("upper case", "GET", "/CASES", {}, {404}),
    ("a trailing slash", "GET", "/cases/", {}, {404, 308}),
    ("message with no name", "POST", "/cases/{no}/messages/nothing", {"json": {}}, {404}),
    ("message with a bad name", "POST", "/cases/{no}/messages/__class__x9", {"json": {}}, {404}),
    ("the registries' answer", "POST", "/cases/{no}/messages/registry_answer", {"json": {"status": "complete", "results": []}}, {403}),
    ("objection that nobody waits for", "POST", "/cases/{no}/messages/objection", {"json": {}}, {409, 422}),
    ("withdrawal without words", "POST", "/cases/{no}/withdraw", {"json": {}}, {422}),
    ("withdrawal with more", "POST", "/cases/{no}/withdraw", {"json": {"x": 1}}, {422}),
    # query strings
    ("page 0", "GET", "/cases?page=0", {}, {422}),
    ("page -1", "GET", "/cases?page=-1", {}, {422}),
    ("page 1.5", "GET", "/cases?page=1.5", {}, {422}),
    ("page x", "GET", "/tasks?page=x", {}, {422}),
    ("page 10^12", "GET", "/cases?page=1000000000000", {}, {422}),
    ("page of 5,000 digits", "GET", "/cases?page=" + "9" * 5000, {}, {422}),
    ("size 0", "GET", "/tasks?size=0", {}, {422}),
    ("size 201", "GET", "/tasks?size=201", {}, {422}),
    ("size 10^6", "GET", "/households?size=1000000", {}, {422}),
    ("limit", "GET", "/tasks?limit=1000000", {}, {422}),
    ("sort with SQL", "GET", "/tasks?sort=id;select pg_sleep(5)", {}, {422}),
    ("include", "GET", "/cases?include=household.members", {}, {422}),
    ("page twice", "GET", "/cases?page=1&page=2", {}, {422}),
    ("one name 1,000 times", "GET", "/cases?" + "&".join(["state=open"] * 1000), {}, {422}),
    ("an unknown view", "GET", "/tasks?view=all", {}, {422}),
    ("an unknown state", "GET", "/cases?state=paid", {}, {422}),
    ("due on 30 February", "GET", "/tasks?due_before=2018-02-30", {}, {422}),
    ("unit with NUL", "GET", "/tasks?unit=%00", {}, {422}),
    ("unit with a direction mark", "GET", "/notices?unit=%E2%80%AE", {}, {422}),
    ("unit of 300 digits", "GET", "/units?under=" + "1" * 300, {}, {422}),
    ("notices by ID", "GET", "/notices?id_no=120116197503010011", {}, {422}),
    ("step 0", "GET", "/cases/{no}/replay?step=0", {}, {422}),
    ("step 99", "GET", "/cases/{no}/replay?step=99", {}, {422}),
    ("step x", "GET", "/cases/{no}/replay?step=x", {}, {422}),
    ("a reason in the address", "GET", "/households/{house}?plain=phone&reason=x", {}, {422}),
    ("a query on a verb", "POST", "/tasks/{task}/claim?as=app", {}, {422}),
    # headers
    ("an empty key", "POST", "/tasks/{task}/claim", {"headers": {"Idempotency-Key": ""}}, {422}),
    ("a key of 10,000 characters", "POST", "/tasks/{task}/claim", {"headers": {"Idempotency-Key": "k" * 10_000}}, {422}),
    ("a key with blanks", "POST", "/tasks/{task}/claim", {"headers": {"Idempotency-Key": "a b"}}, {422}),
    ("a stale tag", "POST", "/tasks/{task}/claim", {"headers": {"If-Match": '"1-1"'}}, {412}),
    ("a tag that is none", "POST", "/tasks/{task}/claim", {"headers": {"If-Match": "x" * 5000}}, {412}),
    ("a method that is none", "DELETE", "/tasks/{task}", {}, {405}),
    ("another method", "PATCH", "/cases/{no}", {"json": {}}, {405}),
    # somebody else's, or not now
    ("a task that somebody holds", "POST", "/tasks/{taken}/complete", {"json": {"answers": {"outcome": "complete"}}, "who": "clerk2"}, {403}),
    ("a claim of what somebody holds", "POST", "/tasks/{taken}/claim", {"who": "clerk2"}, {409}),
    ("a task of another post", "POST", COMPLETE, {"json": {"answers": {"outcome": "complete"}}, "who": "app"}, {403}),
    ("a task of another street", "POST", COMPLETE, {"json": {"answers": {"outcome": "complete"}}, "who": "stranger"}, {404}),
    ("a draft on another street", "PUT", "/tasks/{task}/draft", {"json": {"answers": {}}, "who": "stranger"}, {404}),
    ("a hand-over to nobody", "POST", "/tasks/{taken}/transfer", {"json": {"to": "nobody", "reason": "x"}}, {422}),
    ("a hand-over to another post", "POST", "/tasks/{taken}/delegate", {"json": {"to": "ann", "reason": "x"}}, {403}),
    ("a hand-over without a reason", "POST", "/tasks/{taken}/transfer", {"json": {"to": "clerk2"}}, {422}),
    ("release of what is not mine", "POST", "/tasks/{task}/release", {}, {403}),
    ("a return where there is none", "POST", "/tasks/{task}/return", {"json": {"to": "home_survey", "answers": {}}}, {422}),
    ("an escalation without words", "POST", "/tasks/{task}/escalate", {"json": {"reason": ""}}, {422}),
    ("an auditor enters", "POST", "/households/{house}/near-relatives", {"json": {"staff_name": "某", "relation": "child"}, "who": "auditor"}, {403}),
    ("a body on a claim", "POST", "/tasks/{task}/claim", {"json": {"for": "app"}}, {422}),
    ("a body that is no JSON on a claim", "POST", "/tasks/{task}/claim", {"data": "x=1", "content_type": "text/plain"}, {415}),
]
UPLOADS: list[tuple[str, dict[str, Any], set[int]]] = [
    ("no file", {"kind": "other"}, {422}),
    ("a text instead of a file", {"file": "x"}, {422}),
    ("an empty file", {"file": (b"", "x.pdf")}, {422}),
    ("a program called pdf", {"file": (b"MZ\x90\x00", "x.pdf")}, {422}),
    ("svg", {"file": (b"<svg><script/></svg>", "x.svg")}, {422}),
    ("html", {"file": (b"<html>", "x.pdf")}, {422}),
    ("9 MB", {"file": (b"%PDF-" + b"x" * 9_000_000, "x.pdf")}, {413, 422}),
    ("12 MB", {"file": (b"%PDF-" + b"x" * 12_000_000, "x.pdf")}, {413}),
    ("an unknown field", {"file": (b"%PDF-1", "x.pdf"), "case": "1"}, {422}),
    ("a kind of 31 characters", {"file": (b"%PDF-1", "x.pdf"), "kind": "k" * 31}, {422}),
    ("a title with NUL", {"file": (b"%PDF-1", "x.pdf"), "title": "a\x00b"}, {422}),
    ("a file name of 300 characters", {"file": (b"%PDF-1", "x" * 300 + ".pdf")}, {422}),
]


def checked(door: Door, answer: Any, right: set[int], before: Any, began: float) -> None:
    assert answer.status_code in right, (answer.status_code, answer.get_data(as_text=True)[:600])
    assert time.monotonic() - began < 2
    if answer.status_code != 308:
        assert {"code", "status", "message", "errors"} <= answer.json.keys()
        assert answer.json["message"] or answer.json["errors"]
        assert "Traceback" not in answer.text
    assert everything(door) == before


@pytest.mark.parametrize(("method", "path", "sent", "right"), [b[1:] for b in BAD], ids=[b[0] for b in BAD])
def test_bad_input_is_refused_and_changes_nothing(door, method, path, sent, right):
    before, kind = everything(door), dict(sent)
    for name, value in door.names.items():
        path = path.replace(f"{{{name}}}", str(value))
    began = time.monotonic()
    answer = door.call(kind.pop("who", "clerk"), method, path, kind.pop("json", None), **kind)
    checked(door, answer, right, before, began)


@pytest.mark.parametrize(("sent", "right"), [u[1:] for u in UPLOADS], ids=[u[0] for u in UPLOADS])
def test_bad_uploads_are_refused_and_keep_nothing(door, sent, right):
    before, began = everything(door), time.monotonic()
    boundary, data = encode_multipart({k: FileStorage(io.BytesIO(v[0]), v[1]) if isinstance(v, tuple) else v for k, v in sent.items()})
    kind = {"data": data, "content_type": f'multipart/form-data; boundary="{boundary}"'}
    answer = door.call("clerk", "POST", f"/households/{door.names['house']}/documents", **kind)
    checked(door, answer, right, before, began)


def test_an_upload_that_is_json_is_415(door):
    assert door.call("clerk", "POST", f"/households/{door.names['house']}/documents", {"file": "x"}).status_code == 415


def test_what_looks_odd_but_is_right_is_understood(door):
    """Full-width digits, Chinese dates, rare characters and HTML are text or figures like others."""
    with_html = {**family(950), "address": "<script>alert(1)</script> {{7*7}}"}
    with_html["members"][0]["name"] = "王㐂"
    with_html["members"][0]["income"][0]["amount_fen"] = "１,234.50"
    made = door.call("clerk", "POST", "/households", with_html)
    assert made.status_code == 201, made.json
    shown = door.good("clerk", "GET", f"/households/{made.json['id']}")
    assert shown["members"][0]["name"] == "王㐂"
    assert shown["members"][0]["income"][0]["amount"] == "1234.50"
    assert door.good("clerk", "POST", f"/households/{made.json['id']}/reveal", {"field": "address", "reason": "看"})["value"] == with_html["address"]
    assert json.dumps(shown)
    assert COMMUNITY == shown["community"]
