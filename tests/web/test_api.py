"""The API as a clerk's other program uses it: who may, what comes back, twice is once, stale is refused; a case to its 660.00 yuan."""

from __future__ import annotations

import io
import re
import threading
from datetime import date
from typing import Any, ClassVar

import pytest
from sqlalchemy import func, select

from engine import store
from processes import identity, organisation
from processes.tables import household
from tests.district import COMMUNITY, REVIEWERS, STREET
from tests.served import app_of
from tests.tamper import tampering
from tests.web.test_api_document import PREFIX, documented, misfits


class Door:
    """Calls the API as somebody; every answer is held against the OpenAPI document."""

    _doc: ClassVar[dict[str, Any]] = {}

    def __init__(self, bureau: Any, district: Any) -> None:
        self.bureau, self.district = bureau, district
        self.app = app_of(bureau)
        if not self._doc:  # the same over every district; read once a process
            self._doc.update(self.app.test_client().get(f"{PREFIX}/openapi.json").json)
        self.doc = self._doc
        self.tokens: dict[str, str] = {}

    def token(self, who: str) -> str:
        if who not in self.tokens:
            with self.bureau.office.act() as act:
                self.tokens[who] = organisation.make_token(act, who, "test")
        return self.tokens[who]

    def call(self, who: str | None, method: str, path: str, body: Any = None, **kind: Any) -> Any:
        headers = dict(kind.pop("headers", {}))
        if who is not None:
            headers.setdefault("Authorization", f"Bearer {self.token(who)}")
        if body is not None:
            kind["json"] = body
        answer = self.app.test_client().open(f"{PREFIX}{path}", method=method, headers=headers, **kind)
        self.held(method, path, answer)
        return answer

    def held(self, method: str, path: str, answer: Any) -> None:
        """The answer is one that the document names, and has its shape."""
        op = documented(self.app, self.doc, method, f"{PREFIX}{path}".partition("?")[0])
        if op is None:
            said = {"application/json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
        else:
            assert str(answer.status_code) in op["responses"], (method, path, answer.status_code, answer.get_data(as_text=True)[:500])
            said = op["responses"][str(answer.status_code)]["content"]
            assert answer.mimetype in said
        if answer.is_json:
            assert misfits(self.doc, said["application/json"]["schema"], answer.json) == []
            assert answer.status_code < 400 or answer.json["code"] == answer.status_code

    def good(self, who: str | None, method: str, path: str, body: Any = None, **kind: Any) -> Any:
        answer = self.call(who, method, path, body, **kind)
        assert answer.status_code in (200, 201), (method, path, answer.json)
        return answer.json

    def bad(self, status: int, who: str | None, method: str, path: str, body: Any = None, **kind: Any) -> Any:
        answer = self.call(who, method, path, body, **kind)
        assert answer.status_code == status, (method, path, answer.status_code, answer.get_data(as_text=True)[:800])
        return answer.json

    # -- the road of a case

    def task(self, who: str, no: str, node: str) -> dict[str, Any]:
        found = [t for t in self.good(who, "GET", f"/cases/{no}")["tasks"] if t["node"] == node and t["state"] == "open"]
        assert len(found) == 1, (node, self.good("auditor", "GET", f"/cases/{no}")["tasks"])
        return found[0]

    def do(self, who: str, no: str, node: str, **answers: Any) -> Any:
        task = self.task(who, no, node)
        return self.good(who, "POST", f"/tasks/{task['id']}/complete", {"answers": answers}, headers={"If-Match": f'"{task["etag"]}"'})


@pytest.fixture
def door(bureau, district) -> Door:
    return Door(bureau, district)


@pytest.fixture
def case(door, district):
    """A case whose completeness is to be checked."""
    return district.apply(district.household(210_000))


def first_task(district) -> int:
    return district.tasks()["completeness_check"]["id"]


def family(serial: int = 50, wage: str = "2100.00") -> dict[str, Any]:
    from datetime import date

    members: list[dict[str, Any]] = [
        {"name": f"赵{'一二三'[i]}", "id_no": identity.invent(date(1980 + i, 5, 1), "male", serial * 7 + i), "relation": ("head", "spouse", "child")[i],
         "employment": "employed" if i == 0 else "none", "labour_ability": "full"}
        for i in range(3)
    ]  # fmt: skip
    members[0]["income"] = [{"kind": "wage_income", "amount_fen": wage, "period": "month"}]
    return {"community": COMMUNITY, "hukou_kind": "urban", "address": "演示路2号", "phone": "13800138001", "bank_account": "6222000011112222", "members": members}


# -- who may


def test_without_a_good_token_nothing_but_notices_and_the_document(door, district):
    for token in ("", "Bearer", "Bearer x", "Bearer " + "y" * 10_000, "Basic abc", f"bearer{door.token('clerk')}"):
        answer = door.call(None, "GET", "/me", headers={"Authorization": token})
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    for _, op in [(p, o) for p, item in door.doc["paths"].items() for v, o in item.items() if v in ("get", "post", "put")]:
        assert "operationId" in op
    assert door.good(None, "GET", "/notices")["items"] == []
    assert door.good("clerk", "GET", "/me") == {"id": "clerk", "name": "某clerk", "roles": ["window_clerk"], "unit": STREET,
                                                "posts": [{"role": "window_clerk", "unit": STREET}]}


def test_every_operation_but_the_public_one_asks_for_a_token(door):
    client = door.app.test_client()
    for path, item in door.doc["paths"].items():
        for verb in ("get", "post", "put", "delete"):
            if verb in item and item[verb].get("security") != []:
                where = path.replace("{digest}", "0" * 64).replace("{no}", "DB-2018-000001").replace("{name}", "objection").replace("{key}", "late").replace("{kind}", "xes").replace("{code}", "120116").replace("ledger/{number}", "ledger/L1")
                where = re.sub(r"\{(position|number|file_no|[a-z_]+_id)\}", "1", where)
                assert client.open(where, method=verb.upper()).status_code == 401, (verb, path)


def test_a_deactivated_colleague_is_out_at_once(door, bureau):
    assert door.good("clerk2", "GET", "/me")["id"] == "clerk2"
    with bureau.office.act() as act:
        organisation.deactivate(act, "clerk2")
    door.bad(401, "clerk2", "GET", "/me")


def test_another_street_sees_neither_case_nor_task_nor_household(door, district, case):
    task, house = first_task(district), district.facts()["household_id"]
    for path in (f"/cases/{case}", f"/cases/{case}/record", f"/cases/{case}/replay", f"/cases/{case}/letters", f"/cases/{case}/drawing", f"/tasks/{task}", f"/households/{house}",
                 f"/households/{house}/documents", f"/documents/{district.scan}"):  # fmt: skip
        assert door.bad(404, "stranger", "GET", path)["errors"] == {}
        assert door.call("clerk", "GET", path).status_code == 200
    for path, body in ((f"/tasks/{task}/complete", {"answers": {"outcome": "complete"}}), (f"/tasks/{task}/claim", {}), (f"/cases/{case}/withdraw", {"reason": "x"}),
                       (f"/households/{house}/reveal", {"field": "phone", "reason": "x"}), (f"/households/{house}/near-relatives", {"staff_name": "某", "relation": "child"})):  # fmt: skip
        door.bad(404, "stranger", "POST", path, body)
    assert door.good("stranger", "GET", "/cases")["total"] == 0
    assert door.bad(403, "stranger", "GET", f"/cases?unit={STREET}")["rule"] == "unit"
    assert door.good("stranger", "GET", f"/households?name={'张'}")["total"] == 0


def test_an_auditor_reads_and_enters_nothing(door, district, case):
    house = district.facts()["household_id"]
    assert door.bad(403, "auditor", "POST", "/households", family())["rule"] == "casework"
    assert door.bad(403, "auditor", "PUT", f"/households/{house}/property", {"property": [{"kind": "monetary_assets", "amount_fen": "1"}]})["rule"] == "casework"
    assert door.bad(403, "auditor", "POST", f"/tasks/{first_task(district)}/complete", {"answers": {"outcome": "complete"}})["rule"] == "role"
    assert door.good("auditor", "GET", f"/cases/{case}/replay")["result"] == "same"


def test_one_who_only_has_a_task_sees_that_case(door, district, case):
    """The committee's unit does not cover the street, but the notice to post is its own."""
    door.bad(404, "vera", "GET", f"/cases/{case}")
    district.accept()
    district.check()
    district.survey()
    district.review()
    district.street()
    assert door.good("vera", "GET", f"/cases/{case}")["no"] == case
    assert "personal" not in door.good("vera", "GET", f"/cases/{case}/record")["items"][0]
    assert "personal" in door.good("lee", "GET", f"/cases/{case}/record")["items"][0]


# -- lists


def test_lists_are_pages(door, district):
    for n in range(3):
        district.apply(district.household(210_000, serial=10 + n))
    page = door.good("clerk", "GET", "/tasks?view=available&size=2&page=2")
    assert (page["page"], page["size"], page["total"], page["pages"], len(page["items"])) == (2, 2, 3, 2, 1)
    assert door.good("clerk", "GET", "/tasks?view=available&page=1000")["items"] == []
    assert door.good("clerk", "GET", f"/tasks?view=available&unit={STREET}&node=completeness_check")["total"] == 3
    assert door.good("clerk", "GET", "/tasks?view=available&node=decide")["total"] == 0
    assert door.good("clerk", "GET", f"/tasks?view=available&no={district.no}")["total"] == 1
    assert door.good("clerk", "GET", "/tasks?view=available&due_before=2018-12-04&due_from=2018-12-01")["total"] in (0, 3)
    assert door.good("clerk", "GET", "/cases?state=open&process=dibao-2012")["total"] == 3
    assert door.good("clerk", "GET", "/cases?state=closed")["total"] == 0
    house = district.facts()["household_id"]
    assert [c["no"] for c in door.good("clerk", "GET", f"/cases?household_id={house}")["items"]] == [district.no]
    for view in ("mine", "available", "done", "started", "copied"):
        door.good("sue", "GET", f"/tasks?view={view}")


def test_processes_units_and_staff(door):
    process = next(p for p in door.good("clerk", "GET", "/processes?lang=en")["items"] if p["key"] == "dibao-2012")
    survey = next(t for t in process["tasks"] if t["node"] == "home_survey")
    assert survey["role"] == "investigator"
    assert survey["due"].startswith("workdays(10")
    assert survey["law"]
    assert set(survey["form"]["required"]) >= {"surveyed_on", "second_investigator"}
    assert "objection" in process["messages"]
    assert [u["level"] for u in door.good("clerk", "GET", "/units")["items"]] == ["street", "community"]
    assert [s["login"] for s in door.good("clerk", "GET", f"/staff?role=investigator&unit={STREET}")["items"]] == ["ann", "bob", "carl"]


# -- verbs


def test_claim_release_delegate_transfer_escalate(door, district, case):
    task = first_task(district)
    where = f"/tasks/{task}"
    held = door.good("clerk", "POST", f"{where}/claim")
    assert held["assignee"] == "clerk"
    assert door.bad(409, "clerk2", "POST", f"{where}/claim")["message"]
    assert door.bad(403, "clerk2", "POST", f"{where}/release")["rule"] == "assignee"
    assert door.bad(403, "clerk2", "POST", f"{where}/complete", {"answers": {"outcome": "complete"}})["rule"] == "assignee"
    assert door.bad(403, "clerk", "POST", f"{where}/transfer", {"to": "ann", "reason": "忙"})["rule"] == "role"
    assert "to" in door.bad(422, "clerk", "POST", f"{where}/transfer", {"to": "nobody", "reason": "忙"})["errors"]
    assert "reason" in door.bad(422, "clerk", "POST", f"{where}/transfer", {"to": "clerk2", "reason": "  "})["errors"]
    assert door.bad(403, "clerk", "POST", f"{where}/delegate", {"to": "clerk2", "reason": "出差", "until": "2018-12-02"})["rule"] == "time-limited"
    assert "until" in door.bad(422, "clerk", "POST", f"{where}/delegate", {"to": "clerk2", "reason": "出差", "until": "soon"})["errors"]
    assert door.good("clerk", "POST", f"{where}/delegate", {"to": "clerk2", "reason": "出差", "until": "2018-12-05"})["assignee"] == "clerk2"
    assert door.good("clerk", "GET", where)["until_on"] == "2018-12-05"
    assert door.good("clerk", "GET", where)["owner"] == "clerk"
    assert door.good("clerk2", "POST", f"{where}/transfer", {"to": "clerk", "reason": "退还"})["assignee"] == "clerk"
    door.good("clerk", "POST", f"{where}/escalate", {"reason": "疑难"})
    assert "escalated" in door.good("clerk", "GET", where)["flags"]
    assert door.good("sue", "GET", "/tasks?view=copied")["total"] == 1
    assert door.good("clerk", "POST", f"{where}/release", {})["assignee"] is None
    assert [e["event"] for e in door.good("clerk", "GET", f"/cases/{case}/record")["items"]] == [
        "case_started", "task_claimed", "task_delegated", "task_transferred", "task_escalated", "task_released"]  # fmt: skip


def test_a_draft_comes_back_to_its_author_only(door, district, case):
    where = f"/tasks/{first_task(district)}"
    assert door.good("clerk", "GET", where)["draft"] is None
    door.good("clerk", "PUT", f"{where}/draft", {"answers": {"opinion": "写到一半"}})
    assert door.good("clerk", "GET", where)["draft"] == {"opinion": "写到一半"}
    assert door.good("clerk2", "GET", where)["draft"] is None
    assert len(door.good("clerk", "GET", f"/cases/{case}/record")["items"]) == 1


def test_a_task_shows_its_form_deadline_law_and_returns(door, district, case):
    district.accept()
    district.check()
    district.survey()
    district.review()
    task = door.task("rita", case, "street_opinion")
    shown = door.call("rita", "GET", f"/tasks/{task['id']}?lang=en")
    assert shown.headers["ETag"] == f'"{shown.json["etag"]}"'
    assert shown.json["returns"] == ["democratic_review", "home_survey"]
    assert shown.json["form"]["properties"]["street_outcome"]["enum"][0] == "propose_grant"
    assert shown.json["facts"]["amount_fen"] == 66_000
    survey = next(t for t in door.good("rita", "GET", f"/cases/{case}")["tasks"] if t["node"] == "home_survey")
    assert (survey["due_on"], survey["state"], survey["done_by"]) == ("2018-12-17", "done", "ann")
    back = door.good("rita", "POST", f"/tasks/{task['id']}/return", {
        "to": "home_survey", "answers": {"opinion": "事实不清", "reason_code": "facts_unclear", "clause": "第二十六条"}})  # fmt: skip
    assert "home_survey.2" in back["opened"]
    assert "to" in door.bad(422, "ann", "POST", f"/tasks/{door.task('ann', case, 'home_survey')['id']}/return", {"to": "decide"})["errors"]


def test_errors_speak_the_language_that_is_asked_for(door, district, case):
    where = f"/tasks/{first_task(district)}/complete"
    zh = door.bad(422, "clerk", "POST", where, {"answers": {}})
    en = door.bad(422, "clerk", "POST", where, {"answers": {}}, headers={"Accept-Language": "en"})
    assert zh["errors"] == {"outcome": ["必须填写"]}
    assert en["errors"] == {"outcome": ["Required"]}
    assert door.bad(422, "clerk", "POST", where, {})["errors"] == {"answers": ["必须填写"]}
    assert "answers" in door.bad(422, "clerk", "POST", where, {"answers": []})["errors"]
    assert "status" in door.bad(422, "clerk", "POST", where, {"answers": {}, "status": "PAID"})["errors"]


# -- once is once, stale is refused


def test_the_same_key_has_one_effect_and_one_answer(door, district, case):
    where, body = f"/tasks/{first_task(district)}/complete", {"answers": {"outcome": "complete"}}
    key = {"Idempotency-Key": "k-1"}
    first = door.good("clerk", "POST", where, body, headers=key)
    assert door.good("clerk", "POST", where, body, headers=key) == first
    assert "Idempotency-Key" in door.bad(422, "clerk", "POST", where, {"answers": {"outcome": "complete", "opinion": "x"}}, headers=key)["errors"]
    assert door.bad(409, "clerk", "POST", where, body)["errors"] == {}
    assert door.bad(409, "clerk", "POST", where, body, headers={"Idempotency-Key": "k-2"})


def test_keys_hold_for_every_post_that_changes(door, district, case):
    house, task, key = district.facts()["household_id"], first_task(district), {"Idempotency-Key": "same"}
    person = door.good("clerk", "GET", f"/households/{house}")["members"][0]["person_id"]
    with district.office.read() as conn:
        before = conn.scalar(select(func.count()).select_from(household))
    paths = [
        ("/households", family()), (f"/tasks/{task}/claim", {}), (f"/tasks/{task}/escalate", {"reason": "急"}), (f"/tasks/{task}/release", {}),
        (f"/households/{house}/near-relatives", {"staff_name": "某人", "relation": "child"}),
        (f"/households/{house}/authorizations", {"person_id": person, "signed_on": "2018-12-03", "valid_until": "2019-12-31"}),
    ]  # fmt: skip
    for n, (path, body) in enumerate(paths):
        headers = {"Idempotency-Key": f"same-{n}"}
        first = door.call("clerk", "POST", path, body, headers=headers)
        heads = heads_of(district)
        again = door.call("clerk", "POST", path, body, headers=headers)
        assert (again.status_code, again.json) == (first.status_code, first.json)
        assert first.status_code in (200, 201), (path, first.json)
        assert heads_of(district) == heads
    assert key
    with district.office.read() as conn:
        assert conn.scalar(select(func.count()).select_from(household)) == before + 1


def heads_of(district) -> list[Any]:
    with district.office.read() as conn:
        return list(conn.execute(select(store.record.c.id, store.record.c.head).order_by(store.record.c.id)))


def test_an_upload_is_kept_once_and_read_back(door, district, case):
    house = district.facts()["household_id"]

    def send(data: bytes, name: str = "扫描.pdf", **headers: str) -> Any:
        return door.call("clerk", "POST", f"/households/{house}/documents", headers=headers, data={"file": (io.BytesIO(data), name), "kind": "id_card"})

    first = send(b"%PDF-1.4 one", **{"Idempotency-Key": "u"})
    assert (first.status_code, send(b"%PDF-1.4 one", **{"Idempotency-Key": "u"}).json) == (201, first.json)
    assert send(b"%PDF-1.4 two", **{"Idempotency-Key": "u"}).status_code == 422
    rows = door.good("clerk", "GET", f"/households/{house}/documents")
    assert [r["title"] for r in rows["items"]] == ["签字页", "扫描.pdf"]
    got = door.call("clerk", "GET", f"/documents/{first.json['id']}")
    assert (got.data, got.mimetype, got.headers["Cache-Control"]) == (b"%PDF-1.4 one", "application/pdf", "no-store")
    assert send(b"MZ\x90 not a pdf").status_code == 422
    assert send(b"").status_code == 422


def test_a_stale_tag_is_412_and_a_good_one_may_be_bare_or_quoted(door, district, case):
    where = f"/tasks/{first_task(district)}"
    old = door.good("clerk", "GET", where)["etag"]
    new = door.good("clerk", "POST", f"{where}/claim", headers={"If-Match": old})["etag"]
    assert new != old
    for verb, body in (("complete", {"answers": {"outcome": "complete"}}), ("release", None), ("escalate", {"reason": "急"}),
                       ("transfer", {"to": "clerk2", "reason": "x"}), ("delegate", {"to": "clerk2", "reason": "x"}), ("claim", None)):  # fmt: skip
        told = door.bad(412, "clerk", "POST", f"{where}/{verb}", body, headers={"If-Match": f'"{old}"'})
        assert (told["now"]["assignee"], told["now"]["etag"]) == ("clerk", new), "as it stands now"
    door.bad(412, "clerk", "PUT", f"{where}/draft", {"answers": {}}, headers={"If-Match": old})
    door.good("clerk", "POST", f"{where}/release", headers={"If-Match": f'W/"{new}"'})
    door.good("clerk", "POST", f"{where}/claim", headers={"If-Match": "*"})
    done = door.good("clerk", "GET", where)["etag"]
    door.good("clerk", "POST", f"{where}/complete", {"answers": {"outcome": "complete"}}, headers={"If-Match": f'"x", "{done}"'})
    door.bad(412, "clerk", "POST", f"{where}/complete", {"answers": {"outcome": "complete"}}, headers={"If-Match": f'"{done}"'})
    late = door.bad(409, "clerk", "POST", f"{where}/complete", {"answers": {"outcome": "complete"}})
    assert (late["now"]["state"], late["now"]["done_by"], late["now"]["closed_at"][:10]) == ("done", "clerk", "2018-12-03")


def test_the_tag_of_a_case_guards_its_messages(door, district, case):
    tag = door.call("clerk", "GET", f"/cases/{case}").headers["ETag"]
    door.good("clerk", "POST", f"/tasks/{first_task(district)}/claim")
    told = withdrawal(door, case)
    door.bad(412, "clerk", "POST", f"/cases/{case}/withdraw", told, headers={"If-Match": tag})
    tag = door.call("clerk", "GET", f"/cases/{case}").headers["ETag"]
    assert door.good("clerk", "POST", f"/cases/{case}/withdraw", told, headers={"If-Match": tag})["outcome"] == "ended_withdrawn"
    assert door.bad(409, "clerk", "POST", f"/cases/{case}/withdraw", told)["status"] == "NotWaiting"


def withdrawal(door: Door, case: str) -> dict[str, Any]:
    """An answer to the form, made from its JSON Schema alone."""
    schema = door.good("clerk", "GET", f"/cases/{case}")["messages"]["withdrawal"]
    made: dict[str, Any] = {}
    for name in schema["required"]:
        shape = schema["properties"][name]
        made[name] = shape["enum"][0] if "enum" in shape else "2018-12-03" if shape.get("format") == "date" else {"integer": 1, "boolean": True}.get(shape["type"], "申请人自愿")
    return made


def test_twenty_at_once_have_one_effect(door, district, case):
    where, door_open = f"/tasks/{first_task(district)}/complete", threading.Barrier(20)
    door.token("clerk"), door.token("clerk2")
    answers: list[Any] = []

    def send(n: int) -> None:
        door_open.wait()
        answers.append(door.call(("clerk", "clerk2")[n % 2], "POST", where, {"answers": {"outcome": "complete"}}, headers={"Idempotency-Key": f"t{n}"}))

    threads = [threading.Thread(target=send, args=(n,)) for n in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    codes = sorted(a.status_code for a in answers)
    assert codes[0] == 200
    assert codes[1:] == [409] * 19
    assert [e["event"] for e in door.good("clerk", "GET", f"/cases/{case}/record")["items"]].count("task_completed") == 1


def test_the_same_key_twenty_times_at_once_gets_the_same_answer(door, district, case):
    where, door_open = f"/tasks/{first_task(district)}/complete", threading.Barrier(20)
    door.token("clerk")
    answers: list[Any] = []

    def send() -> None:
        door_open.wait()
        answers.append(door.call("clerk", "POST", where, {"answers": {"outcome": "complete"}}, headers={"Idempotency-Key": "one"}))

    threads = [threading.Thread(target=send) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {a.status_code for a in answers} == {200}
    assert len({str(a.json) for a in answers}) == 1


# -- households


def test_sealed_fields_are_masked_and_revealed_for_a_reason_that_is_kept(door, district, bureau):
    made = door.call("clerk", "POST", "/households", family())
    assert made.headers["Location"].endswith(f"/households/{made.json['id']}")
    where = f"/households/{made.json['id']}"
    shown = door.good("clerk", "GET", where)
    assert "演示路2号" not in str(shown)
    assert family()["members"][0]["id_no"] not in str(shown)
    assert shown["members"][0]["income"][0]["amount"] == "2100.00"
    assert "reason" in door.bad(422, "clerk", "POST", f"{where}/reveal", {"field": "phone"})["errors"]
    assert "field" in door.bad(422, "clerk", "POST", f"{where}/reveal", {"field": "password_hash", "reason": "x"})["errors"]
    door.bad(404, "clerk", "POST", f"{where}/reveal", {"field": "id_no", "person_id": 1, "reason": "x"})
    assert door.good("clerk", "POST", f"{where}/reveal", {"field": "phone", "reason": "联系入户"}, headers={"Idempotency-Key": "r"}) == {"value": "13800138001"}
    person = made.json["members"][0]
    assert door.good("clerk", "POST", f"{where}/reveal", {"field": "id_no", "person_id": person, "reason": "核对"})["value"] == family()["members"][0]["id_no"]
    with bureau.office.read() as conn:
        assert conn.scalar(select(func.count()).select_from(store.record).where(store.record.c.kind == "reader")) == 1
        assert conn.scalar(select(func.count()).select_from(store.request_key)) == 0


def test_search_by_exact_id_or_beginning_of_a_name(door):
    made = door.good("clerk", "POST", "/households", family())
    number = family()["members"][1]["id_no"]
    for found in (door.good("clerk", "GET", f"/households?id_no={number}"), door.good("clerk", "POST", "/households/search", {"id_no": number}),
                  door.good("clerk", "POST", "/households/search", {"name": "赵二"})):  # fmt: skip
        assert [h["id"] for h in found["items"]] == [made["id"]]
    assert door.good("clerk", "POST", "/households/search", {"name": "%"})["total"] == 0
    assert door.good("clerk", "POST", "/households/search", {"id_no": number[:-1]})["total"] == 0


def test_income_property_and_members_can_be_changed(door):
    made = door.good("clerk", "POST", "/households", family())
    where, person = f"/households/{made['id']}", made["members"][1]
    door.good("clerk", "PUT", f"{where}/members/{person}/income", {"income": [{"kind": "wage_income", "amount_fen": "1500.00", "period": "month"}]})
    door.good("clerk", "PUT", f"{where}/property", {"property": [{"kind": "monetary_assets", "amount_fen": "44160.01"}]})
    from datetime import date

    added = door.good("clerk", "POST", f"{where}/members", {"name": "赵四", "relation": "parent", "id_no": identity.invent(date(1950, 1, 1), "female", 4321)})
    shown = door.good("clerk", "GET", where)
    assert {m["person_id"]: [i["amount"] for i in m["income"]] for m in shown["members"]} == {
        made["members"][0]: ["2100.00"], person: ["1500.00"], made["members"][2]: [], added["person_id"]: []}  # fmt: skip
    assert shown["property"][0]["amount"] == "44160.01"
    door.good("clerk", "PUT", f"{where}/property", {"property": [{"kind": "vehicle", "person_id": person}]})
    door.good("clerk", "PUT", f"{where}/hardships", {"hardships": ["single_parent_student"], "childless": False})
    shown = door.good("clerk", "GET", where)
    assert (shown["hardships"], shown["childless"], shown["property"][0]["owner"]) == (["single_parent_student"], False, str(person))
    assert "hardships.0" in door.bad(422, "clerk", "PUT", f"{where}/hardships", {"hardships": ["poor"]})["errors"]
    door.bad(404, "stranger", "PUT", f"{where}/hardships", {"hardships": []})
    door.bad(404, "clerk", "PUT", f"{where}/members/1/income", {"income": [{"kind": "wage_income", "amount_fen": "1"}]})
    assert door.bad(403, "clerk", "POST", "/households", family())["rule"] == "one-household"


# -- administration


def test_one_administrator_proposes_and_another_confirms(door, district):
    change = {"login": "clerk2", "kind": "posts", "posts": [{"role": "reviewer", "unit": STREET}]}
    assert door.bad(403, "clerk", "POST", "/staff-changes", change)["rule"] == "admin"
    made = door.good("admin", "POST", "/staff-changes", change)["id"]
    assert [c["id"] for c in door.good("admin2", "GET", "/staff-changes")["items"]] == [made]
    assert door.bad(403, "admin", "POST", f"/staff-changes/{made}/confirm")["rule"] == "two-persons"
    assert door.good("clerk2", "GET", "/me")["roles"] == ["window_clerk"]
    door.good("admin2", "POST", f"/staff-changes/{made}/confirm")
    assert door.good("clerk2", "GET", "/me")["roles"] == ["reviewer"]
    door.bad(409, "admin2", "POST", f"/staff-changes/{made}/confirm")
    assert door.good("admin2", "GET", "/staff-changes")["total"] == 0
    assert door.bad(422, "admin", "POST", "/staff-changes", {"login": "x", "kind": "add", "relation": "child"})["errors"].keys() == {"name", "password", "posts", "relation"}
    assert "id_no" in door.bad(422, "admin", "POST", "/staff-changes", {"login": "ann", "kind": "relative", "relation": "child", "name": "某", "id_no": "1"})["errors"]
    door.bad(404, "admin2", "POST", "/staff-changes/1/confirm")
    assert door.bad(403, "clerk", "GET", "/staff-changes")["rule"] == "admin"


# -- assessments


def test_assessments_explain_and_store_nothing(door, district):
    from web.api.misc import _EXAMPLE

    heads = heads_of(district)
    facts = {**_EXAMPLE, "members": [_EXAMPLE["members"][0], *({"ref": str(n), "labour_ability": "completely_lost"} for n in (2, 3))]}
    door.token("auditor")
    heads = heads_of(district)
    told = door.good("auditor", "POST", "/assessments", facts)
    assert (told["category"], told["amount"], told["amount_fen"]) == ("dibao", "660.00", 66_000)
    assert told["lines"]
    wrong = {**facts, "members": [{"ref": "1", "income": [{"kind": "wage_income", "amount": "-1"}]}]}
    assert "members.0.income.0.amount" in door.bad(422, "auditor", "POST", "/assessments", wrong)["errors"]
    assert door.bad(422, "auditor", "POST", "/assessments", {"members": 1})["errors"]["applied_on"] == ["必须填写"]
    assert heads_of(district) == heads


def test_the_clock_is_told_outside_production_only(door):
    assert door.good("clerk", "GET", "/clock")["now"].startswith("2018-12-03T09:00")


# -- proof


def test_replay_shows_the_case_as_of_an_entry_and_finds_a_changed_one(door, district, case, bureau):
    district.accept()
    whole = door.good("auditor", "POST", f"/cases/{case}/replay")
    assert (whole["result"], whole["entries"]) == ("same", 2)
    assert "home_survey" in whole["active"]
    first = door.good("auditor", "GET", f"/cases/{case}/replay?step=1")
    assert first["active"] == ["completeness_check"] or "completeness_check" in first["active"]
    assert "accepted_on" not in first["facts"]
    assert "step" in door.bad(422, "auditor", "GET", f"/cases/{case}/replay?step=3")["errors"]
    assert door.good("auditor", "GET", f"/cases/{case}/record")["intact"] is True
    case_id = district.case()["id"]
    with tampering(bureau.office.store) as conn:
        row = conn.execute(select(store.entry).where(store.entry.c.record_id == case_id, store.entry.c.seq == 2)).one()
        conn.execute(store.entry.update().where(store.entry.c.record_id == row.record_id, store.entry.c.seq == 2).values(body=row.body.replace(b"clerk", b"other")))
    assert door.good("auditor", "GET", f"/cases/{case}/record")["intact"] is False
    assert (door.good("auditor", "GET", f"/cases/{case}/replay")["result"], door.good("auditor", "GET", f"/cases/{case}/replay")["entry"]) == ("different", 2)


def test_a_record_tells_no_health_in_passing(door, district):
    told = {"serious_illness": "恶性肿瘤", "disability_kind": "vision", "disability_grade": 1}
    district.apply(district.household(210_000, last=told, hardships=["major_illness"]))
    district.accept()
    district.check()
    district.survey()
    record = door.good("lee", "GET", f"/cases/{district.no}/record")
    assert "'hardships': '***'" in str(record), "the snapshot of the assessment stands there, without them"
    assert "恶性肿瘤" not in str(record)
    assert "major_illness" not in str(record)


# -- from the window to the decision, through the API alone


def test_an_application_goes_to_its_660_yuan_through_the_api(door, district, clock):
    house = door.good("clerk", "POST", "/households", family())
    where = f"/households/{house['id']}"
    scan = door.call("clerk", "POST", f"{where}/documents", data={"file": (io.BytesIO(b"%PDF-1.4 x"), "签字页.pdf")}).json["id"]
    for person in house["members"]:
        door.good("clerk", "POST", f"{where}/authorizations", {"person_id": person, "signed_on": "2018-12-03", "valid_until": "2019-12-02"})
    answers = {"household_id": house["id"], "programme": "dibao", "applied_on": "2018-12-03", "applied_by": "head", "reason": "收入低"}
    no = door.good("clerk", "POST", "/cases", {"process": "dibao-2012", "answers": answers}, headers={"Idempotency-Key": "new"})["case"]
    district.no = no
    door.bad(403, "clerk", "POST", "/cases", {"process": "dibao-2012", "answers": answers})
    door.do("clerk", no, "completeness_check", outcome="complete")
    district.registries()
    door.do("checker", no, "means_check", check_conclusion="consistent", report="报告")
    door.do("ann", no, "home_survey", surveyed_on="2018-12-03", second_investigator="bob", met_person="赵一", housing="一居室", living="简朴", findings="属实", surveyed_signature=scan)
    door.do("bob", no, "survey_cosign", agree="agree")
    door.do("ann", no, "neighbor_enquiry", enquired_on="2018-12-03", persons="邻居", statement="困难")
    door.do("officer", no, "democratic_review", held_on="2018-12-03", place="居委会", chair="主任", participants=REVIEWERS, statements="属实", review_conclusion="agree")
    door.do("rita", no, "street_opinion", street_outcome="propose_grant", opinion="拟同意")
    door.do("lee", no, "street_signoff", signoff="agree", opinion="同意")
    door.do("vera", no, "post_street_notice", posted_on="2018-12-03", places=["village_board"])
    [notice] = door.good(None, "GET", f"/notices?unit={COMMUNITY}")["items"]
    assert (notice["amount_fen"], notice["members"]) == (66_000, 3)
    assert "id_no" not in notice
    assert door.bad(422, None, "GET", "/notices?id_no=1")["errors"]
    district.at("2018-12-11T09:00")
    assert door.good(None, "GET", "/notices")["total"] == 0
    door.do("vera", no, "remove_street_notice", removed_on="2018-12-11", objections="none")
    door.do("rita", no, "submit_to_district", contents=["application", "survey", "review", "opinion"])
    if "spot_check_visit" in district.tasks():
        door.do("spot", no, "spot_check_visit", visited_on="2018-12-11", second_visitor="乙", findings="一致", agrees=True)
    door.do("exam", no, "district_examination", district_outcome="propose_grant", opinion="拟批准")
    door.do("vera", no, "post_district_notice", posted_on="2018-12-11", places=["village_board"])
    district.at("2018-12-19T09:00")
    door.do("vera", no, "remove_district_notice", removed_on="2018-12-19", objections="none")
    door.do("app", no, "decide", decision="granted", opinion="批准")
    door.do("clerk", no, "deliver_approval", delivered_on="2018-12-19", method="direct", recipient="赵一")
    shown = door.good("clerk", "GET", f"/cases/{no}")
    assert (shown["outcome"], shown["facts"]["amount_fen"], shown["facts"]["first_payment_month"]) == ("ended_granted", 66_000, "2019-01")
    letters = door.good("clerk", "GET", f"/cases/{no}/letters")["items"]
    assert [row["kind"] for row in letters] == ["acceptance", "approval"]
    page = door.call("clerk", "GET", f"/letters/{letters[1]['id']}")
    assert (page.mimetype, "660.00" in page.text) == ("text/html", True)
    assert door.good("auditor", "GET", f"/cases/{no}/replay")["result"] == "same"


def test_what_cannot_be_found_or_done_there_is_a_problem_too(door):
    for status, method, path in ((404, "GET", "/nothing"), (404, "GET", "/cases/none"), (404, "GET", "/tasks/1"), (405, "DELETE", "/cases"), (405, "POST", "/me")):
        said = door.bad(status, "clerk", method, path)
        assert {"code", "status", "message", "errors"} <= said.keys()
    assert "GET" in door.call("clerk", "DELETE", "/tasks").headers["Allow"]


# -- what pages have, the API has


def test_members_leave_and_are_named_and_what_was_declared_is_listed(door, district):
    home = district.household(210_000)
    first, second, third = (m["person_id"] for m in door.good("clerk", "GET", f"/households/{home}")["members"])
    assert "left_reason" in door.bad(422, "clerk", "POST", f"/households/{home}/members/{third}/departure", {"on": "2018-12-03", "left_reason": "imprisonment"})["errors"]
    door.good("clerk", "POST", f"/households/{home}/members/{third}/departure", {"on": "2018-12-03", "left_reason": "death"})
    again = family(77)
    again["members"][0]["id_no"] = identity.invent(date(1977, 3, 1), "male", 9)
    assert door.bad(403, "clerk", "POST", "/households", again)["rule"] == "deceased", "who died before the decision, too"
    assert [m["person_id"] for m in door.good("clerk", "GET", f"/households/{home}")["members"]] == [first, second]
    assert door.bad(403, "clerk", "POST", f"/households/{home}/members/{first}/departure", {"on": "2018-12-02"})["rule"] == "head-stays"
    assert "on" in door.bad(422, "clerk", "POST", f"/households/{home}/members/{second}/departure", {"on": "2019-01-01"})["errors"]
    door.bad(404, "stranger", "POST", f"/households/{home}/members/{second}/departure", {"on": "2018-12-02"})
    named = {"name": "王五", "id_no": identity.invent(date(1990, 5, 5), "male", 77), "relation": "other"}
    assert door.call("clerk", "POST", f"/households/{home}/members/{second}/naming", named).status_code in (403, 409, 422), "he has a name"
    door.good("clerk", "POST", f"/households/{home}/near-relatives", {"staff_name": "某民", "position": "居委会主任", "relation": "sibling"})
    [row] = door.good("clerk", "GET", f"/households/{home}/near-relatives")["items"]
    assert (row["staff_name"], row["relation"]) == ("某民", "sibling")
    signed = door.good("auditor", "GET", f"/households/{home}/authorizations")
    assert {row["person_id"] for row in signed["items"]} <= {first, second, third}
    assert signed["total"] >= 2
    door.bad(404, "stranger", "GET", f"/households/{home}/authorizations")


def test_sheets_and_notices_on_file_come_through_the_api(door, district):
    district.to_district()
    home = int(district.case()["subject"].partition(":")[2])
    for kind in ("application", "declaration", "authorisation", "survey", "democratic_review", "delivery"):
        assert "<h1>" in door.call("clerk", "GET", f"/cases/{district.no}/sheets/{kind}").get_data(as_text=True)
        assert "<h1>" in door.call("clerk", "GET", f"/households/{home}/sheets/{kind}").get_data(as_text=True)
    door.bad(404, "clerk", "GET", f"/cases/{district.no}/sheets/nothing")
    assert door.bad(403, "auditor", "GET", f"/cases/{district.no}/sheets/survey")["rule"] == "role"
    [notice] = door.good("clerk", "GET", f"/cases/{district.no}/notices")["items"]
    assert (notice["stage"], notice["posted_on"], notice["removed_on"], notice["amount_fen"]) == ("street_opinion", "2018-12-03", "2018-12-11", 66_000)
    assert "公示" in door.call("clerk", "GET", f"/cases/{district.no}/notices/{notice['id']}").get_data(as_text=True)
    door.bad(404, "clerk", "GET", f"/cases/{district.no}/notices/1")
    door.bad(404, "stranger", "GET", f"/cases/{district.no}/notices")


def test_a_staff_change_is_refused_or_taken_back(door):
    made = door.good("admin", "POST", "/staff-changes", {"login": "ann", "kind": "deactivate"})["id"]
    door.bad(403, "clerk", "POST", f"/staff-changes/{made}/refuse")
    assert door.good("admin2", "POST", f"/staff-changes/{made}/refuse") == {"id": made}
    assert door.good("admin", "GET", "/staff-changes")["total"] == 0
    door.bad(409, "admin2", "POST", f"/staff-changes/{made}/confirm")
