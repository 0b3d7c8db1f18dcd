"""办理进度查询: by number and code; a wrong number and a wrong code get the same answer; limits counted in the database; the letter has the code."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from sqlalchemy import event, select

from engine import store
from engine.errors import Refused
from engine.office import history
from processes import attempts, households, paperwork, progress, query_codes
from processes.attempt_tables import attempt
from processes.case_tables import letter, query_code
from processes.rebuild import differences
from tests.web.test_api import Door
from tests.web.test_pages import Desk, rows

WANTED = {"community": "120116001016", "known_as": "王某", "requester": "self", "need": "生活困难", "programmes": ["medical"], "channel": "window", "received_on": "2018-12-03"}


@pytest.fixture
def door(bureau, district):
    return Door(bureau, district)


@pytest.fixture
def case(district):
    """An accepted application, with the code on its letter."""
    district.apply(district.household(210_000))
    district.accept()
    with district.office.read() as conn:
        number = conn.scalar(select(letter.c.id).where(letter.c.kind == "acceptance"))
        text = paperwork.issued_bytes(conn, district.office.keys.on(conn), number)[1].decode()
    district.code = re.search(r"查询码([A-Z2-7]{8})查询", text)[1]
    assert district.no in text
    return district.no


def test_number_and_code_of_the_letter_show_the_steps(door, district, case):
    told = door.good(None, "POST", "/public/progress", {"no": case, "code": district.code})["steps"]
    assert [(s["n"], s["of"], s["state"], s["on"]) for s in told[:3]] == [(1, 6, "done", "2018-12-03"), (2, 6, "done", "2018-12-03"), (3, 6, "now", None)]
    assert told == door.good(None, "POST", "/public/progress", {"no": case.lower(), "code": f" {district.code[:4]} {district.code[4:].lower()} "})["steps"]
    http = door.app.test_client()
    page = http.post("/public/progress", data={"no": case, "code": district.code})
    assert page.status_code == 200
    assert "申请已受理" in page.get_data(as_text=True)
    assert page.headers["Cache-Control"] == "no-store"
    assert "Set-Cookie" not in page.headers
    assert "张" not in page.get_data(as_text=True)
    assert case in http.get(f"/public/progress?no={case}").get_data(as_text=True)
    assert "120116198006150027" not in http.get("/public/progress?no=120116198006150027").get_data(as_text=True)


def test_an_intake_is_found_by_its_slip(door):
    made = door.good("clerk", "POST", "/intakes", WANTED)
    told = door.good(None, "POST", "/public/progress", {"no": made["no"], "code": made["code"]})["steps"]
    assert (told[0]["zh"], told[0]["state"]) == ("窗口已受理", "done")
    door.bad(404, None, "POST", "/public/progress", {"no": made["no"], "code": "AAAAAAAA"})


def test_wrong_number_and_wrong_code_are_the_same_in_answer_and_in_work(door, district, case):
    said, works = [], []
    heard = []
    event.listen(door.bureau.office.store.engine, "before_cursor_execute", lambda _c, _k, statement, *_: heard.append(statement))
    for no, code in ((case, "AAAAAAAA"), ("DB-2018-999999", district.code), ("DB-2018-999999", "AAAAAAAA"), ("X", "Y")):
        heard.clear()
        answer = door.call(None, "POST", "/public/progress", {"no": no, "code": code})
        said.append((answer.status_code, answer.data, sorted(k for k in answer.headers.keys())))
        works.append([re.sub(r"\s+", " ", s) for s in heard])
    assert said[0][0] == 404
    assert len({str(one) for one in said}) == 1
    assert len({str(one) for one in works}) == 1
    http = door.app.test_client()
    pages = [http.post("/public/progress", data={"no": no, "code": "AAAAAAAA"}) for no in (case, "DB-2018-999999")]
    assert {p.status_code for p in pages} == {404}
    assert len({p.get_data(as_text=True).replace(case, "N").replace("DB-2018-999999", "N") for p in pages}) == 1
    with district.office.read() as conn:
        keys = district.office.keys.on(conn)
        assert query_codes.of_case(keys, case) == district.code != query_codes.of_case(keys, "DB-2018-000002")
    for sent in ({"no": case}, {"code": "A"}, {"no": "", "code": ""}, {"no": "9" * 41, "code": "A"}):
        door.bad(422, None, "POST", "/public/progress", sent)


def test_a_lost_code_is_given_anew_once_shown_and_the_old_one_is_worth_nothing(door, district, case):
    path, key = f"/cases/{case}/query-code", {"Idempotency-Key": "once"}
    told = door.good("clerk", "POST", path, headers=key)
    assert told["case"] == case and re.fullmatch("[2-9B-DF-HJ-NP-TV-XZ]{10}", told["code"])
    assert door.good("clerk", "POST", path, headers=key) == {"case": case, "code": None}, "what is kept for a repeat lies in clear"
    door.bad(404, None, "POST", "/public/progress", {"no": case, "code": district.code})
    assert door.good(None, "POST", "/public/progress", {"no": case, "code": told["code"].lower()})["steps"][1]["zh"] == "申请已受理"
    with district.office.read() as conn:
        texts = b"".join(bytes(body) for body in conn.scalars(select(store.entry.c.body))) + "".join(conn.scalars(select(store.request_key.c.answer))).encode()
        kept = conn.execute(select(query_code)).mappings().one()
        last = history(conn, district.office.keys.on(conn), district.case()["id"])[-1]
    assert told["code"].encode() not in texts and told["code"] not in str(dict(kept))
    assert (last.event, last.actor, kept["renewed_on"]) == (query_codes.EVENT, "clerk", "2018-12-03")
    again = door.good("clerk", "POST", path)["code"]
    door.bad(404, None, "POST", "/public/progress", {"no": case, "code": told["code"]})
    door.good(None, "POST", "/public/progress", {"no": case, "code": again})
    assert rows(door.bureau, query_code) == 1 and differences(district.office) == []
    district.registries()  # the case goes on as it was
    with district.office.read() as conn:
        assert district.cases.replayed(conn, district.office.keys.on(conn), district.case()["id"])


def test_who_gives_a_new_code_and_when(door, district):
    no = district.apply(district.household(210_000))
    door.bad(409, "clerk", "POST", f"/cases/{no}/query-code")
    district.accept()
    assert door.bad(403, "rita", "POST", f"/cases/{no}/query-code")["rule"] == "window"
    door.bad(404, "stranger", "POST", f"/cases/{no}/query-code")
    with district.office.read() as conn:
        home = conn.scalar(select(letter.c.household_id).where(letter.c.case_no == no))
    with district.office.act(district.people["clerk2"]) as act:
        households.declare_near_relative(act, home, {"staff_login": "officer", "staff_name": "某officer", "relation": "sibling"})
    assert door.bad(403, "officer", "POST", f"/cases/{no}/query-code")["rule"] == "near-relative"
    with pytest.raises(Refused, match="近亲属"), district.office.act(replace(district.people["clerk"], on_behalf_of="officer")) as act:
        query_codes.renew(act, no)  # who stands in for a near relative is kept away as he is
    with district.office.read() as conn:
        assert not query_codes.may_renew(conn, district.people["officer"], no) and query_codes.may_renew(conn, district.people["clerk"], no)
    door.good("clerk", "POST", f"/cases/{no}/query-code")
    door.bad(404, "clerk", "POST", "/cases/DB-2018-999999/query-code")


def test_the_page_gives_a_slip_to_print(door, district, case):
    desk, path = Desk(door.app, "clerk"), f"/cases/{case}/query-code"
    assert path in desk.text(f"/cases/{case}?tab=papers") and "补发" in desk.text(path)
    sent = {"_key": "k1"}
    slip = desk.post(path, sent)
    code = re.search(r'class="code">([^<]{10})<', slip.text)[1]
    assert slip.status_code == 200 and "<svg" in slip.text and slip.headers["Cache-Control"] == "no-store"
    door.good(None, "POST", "/public/progress", {"no": case, "code": code})
    assert code not in desk.post(path, sent).text and code not in desk.text(path)
    assert "受理通知书上的查询码不再有效" in desk.text(f"/cases/{case}?tab=papers") and "查询码补发" in desk.text(f"/cases/{case}?tab=record")
    other = Desk(door.app, "rita")
    assert path not in other.text(f"/cases/{case}?tab=papers") and other.post(path, {}).status_code == 403
    assert "another" in Desk(door.app, "clerk", "en").text(path)


def test_the_limits_stand_in_the_database_by_number_and_by_address(door, district, case):
    for _ in range(progress.TRIES_OF_NUMBER):
        door.bad(404, None, "POST", "/public/progress", {"no": case, "code": "AAAAAAAA"})
    late = door.call(None, "POST", "/public/progress", {"no": case, "code": district.code})
    assert late.status_code == 429
    assert int(late.headers["Retry-After"]) <= progress.WINDOW_SECONDS
    other = Door(door.bureau, district)  # as another process would
    assert other.call(None, "POST", "/public/progress", {"no": case, "code": district.code}, environ_base={"REMOTE_ADDR": "10.0.0.9"}).status_code == 429
    assert other.call(None, "POST", "/public/progress", {"no": "DB-2018-000777", "code": "A"}, environ_base={"REMOTE_ADDR": "10.0.0.9"}).status_code == 404
    for n in range(progress.TRIES_OF_ADDRESS):
        door.call(None, "POST", "/public/progress", {"no": f"DB-2018-{n:06d}", "code": "A"})
    assert door.call(None, "POST", "/public/progress", {"no": "DB-2018-000999", "code": "A"}).status_code == 429
    assert door.app.test_client().post("/public/progress", data={"no": "DB-2018-000999", "code": "A"}).status_code == 429
    with district.office.read() as conn:
        kept = " ".join(conn.scalars(select(attempt.c.key)))
    assert "127.0.0.1" not in kept
    assert case not in kept
    district.clock.advance(minutes=15)
    door.good(None, "POST", "/public/progress", {"no": case, "code": district.code})
    assert rows(door.bureau, attempt) == 2, "past windows are gone"


def test_a_try_is_counted_once_for_each(district):
    with district.office.act() as act:
        assert [attempts.count(act, "x", "a", 2, 60) for _ in range(3)][:2] == [0, 0]
        assert 0 < attempts.count(act, "x", "a", 2, 60) <= 60
        assert attempts.count(act, "x", "b", 2, 60) == 0
