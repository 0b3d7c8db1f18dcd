"""A street's list on the page and through the API: previewed, answered, chosen, in once; nobody else's file, street or relatives."""

from __future__ import annotations

import hashlib
import io
import os
import re
import threading
import time
from datetime import date
from functools import cache

import pytest
from openpyxl import load_workbook
from sqlalchemy import func, select
from werkzeug.datastructures import FileStorage
from werkzeug.test import encode_multipart

from engine.errors import NotFound
from engine.office import history
from processes import identity, kept_lists, organisation
from processes.rebuild import differences
from processes.tables import benefit, household
from tests.processes.test_import_annex1 import SAMPLES, line, sheet
from tests.served import app_of
from tests.web.test_api import Door
from tests.web.test_pages import Desk
from web import importing

ANSWERS = {"hukou_kind": "urban", "review_class": "B", "first_payment_month": "2018-01"}
ALL = {f"all-{name}": value for name, value in ANSWERS.items()}
CLEAN, DIRTY = ((SAMPLES / f"annex1_{name}.xlsx").read_bytes() for name in ("clean", "dirty"))


def number(serial):
    return identity.invent(date(1961, 2, 3), "female", serial)


@cache
def three(**odd):
    """A list of three households; `odd` changes the third. One file each: a workbook says when it was made."""
    return sheet(line(身份证号=number(1), 申请人="赵一一"), line(身份证号=number(2), 申请人="钱二二", 家庭人口=3), line(**{"身份证号": number(3), "申请人": "孙三三", **odd}))


def digest(raw):
    return hashlib.sha256(raw).hexdigest()


def count(bureau):
    with bureau.office.read() as conn:
        return conn.scalar(select(func.count()).select_from(household))


def kinds(bureau):
    with bureau.office.read() as conn:
        return sorted(conn.scalars(select(household.c.hukou_kind)))


@pytest.fixture
def desk(bureau, district):
    return Desk(app_of(bureau), "clerk")


@pytest.fixture
def door(bureau, district):
    return Door(bureau, district)


def upload(desk, raw, name="名单.xlsx"):
    return desk.post("/households/import/", {"file": (io.BytesIO(raw), name)})


def bring(desk, where, answers, page=None):
    """Send the preview; the words of the page with the result."""
    answer = desk.post(where, answers, page=page)
    assert answer.status_code == 302, answer.get_data(as_text=True)
    return desk.text(answer.location)


def sent(door, raw, who="clerk", status=201, **kind):
    answer = door.call(who, "POST", "/household-lists", data={"file": (io.BytesIO(raw), "list.xlsx")}, content_type="multipart/form-data", **kind)
    assert answer.status_code == status, answer.json
    return answer.json


# -- the page


def test_a_list_is_previewed_answered_and_brought_in_once(desk, bureau):
    answer = upload(desk, three())
    assert answer.location == (where := f"/households/import/{digest(three())}")
    page = desk.text(where)
    assert "赵*一" in page and "赵一一" not in page
    assert number(1) not in page
    assert "紫云园社区" in page and "920.00" in page
    assert " selected" not in page, "no answer is chosen before the clerk chooses"
    assert len(re.findall(r'name="row" value="\d+" checked', page)) == 3
    asked = desk.post(where, {"_do": "chosen", "row": ["2", "3", "4"]})
    assert asked.status_code == 422 and count(bureau) == 0
    assert 'href="#f-all-hukou_kind"' in asked.get_data(as_text=True)
    words = bring(desk, where, {**ALL, "_do": "chosen", "row": ["2", "4"], "4-hukou_kind": "rural", "3-hukou_kind": "rural"})
    assert "已导入 2 户" in words
    homes = re.findall(r'href="(/households/\d+)"', words)
    assert len(homes) == 2 and "赵*一" in desk.text(homes[0])
    assert kinds(bureau) == ["rural", "urban"]
    again = desk.text(where)
    assert re.findall(r'name="row" value="(\d+)"', again) == ["3"]
    assert "已在系统" in again
    assert differences(bureau.office) == []


def test_what_was_typed_stays_when_an_answer_is_missing(desk, bureau):
    upload(desk, three())
    page = desk.post(f"/households/import/{digest(three())}", {"all-review_class": "C", "3-hukou_kind": "rural", "_do": "chosen", "row": ["3"]}).get_data(as_text=True)
    assert re.findall(r'value="(\w+)" selected', page) == ["C", "rural"]
    assert re.findall(r'name="row" value="(\d+)" checked', page) == ["3"]
    assert count(bureau) == 0


@pytest.mark.parametrize(
    ("answers", "field"),
    [({"all-first_payment_month": "2019-01"}, "all-first_payment_month"), ({"2-first_payment_month": "1月"}, "2-first_payment_month"), ({"all-hukou_kind": "moon"}, "all-hukou_kind")],
)
def test_a_wrong_answer_is_named_at_its_place(desk, bureau, answers, field):
    upload(desk, three())
    page = desk.post(f"/households/import/{digest(three())}", {**ALL, **answers, "_do": "chosen", "row": ["2"]})
    assert page.status_code == 422
    assert f'href="#f-{field}"' in page.get_data(as_text=True) and f'id="f-{field}"' in page.get_data(as_text=True)
    assert count(bureau) == 0


def test_pressing_twice_gives_the_same_answer_and_one_household_each(desk, bureau):
    where = upload(desk, three()).location
    form = desk.text(where)
    hidden = {n: re.search(rf'name="{n}" value="([^"]*)"', form)[1] for n in ("csrf_token", "_key")}
    first, second = (desk.http.post(where, data={**hidden, **ALL, "_do": "all"}) for _ in range(2))
    assert first.location == second.location
    assert "已导入 3 户" in desk.text(first.location)
    assert count(bureau) == 3
    other = desk.http.post(where, data={**hidden, **ALL, "_do": "chosen", "row": ["2"]})
    assert other.status_code == 422, "the same page, sent again with other content"
    assert Desk(desk.http.application, "clerk2").get(first.location).status_code == 404


def test_errors_are_named_by_line_and_column_and_can_be_downloaded(desk, bureau):
    where = upload(desk, DIRTY).location
    page = desk.text(where)
    assert "校验位不正确" in page and page.count('<b class="bad">有错误</b>') == 15
    book = desk.get(f"{where}/errors.xlsx")
    lines = list(load_workbook(io.BytesIO(book.data)).active.values)
    assert book.headers["Content-Disposition"].startswith("attachment")
    assert len(lines) == 16 and lines[0][-1] == "错误"
    done = bring(desk, where, {**ALL, "_do": "all"})
    assert "已导入 4 户" in done and "有错误 15 户" in done


def test_it_is_all_there_in_english(bureau, district):
    desk = Desk(app_of(bureau), "officer", "en")
    where = upload(desk, DIRTY).location
    page = desk.text(where)
    for words in ("The check digit of the ID number is wrong", "There is no such street", "Twice in this list", "An amount is a number, like 660.00", "Members are a whole number"):
        assert words in page, words
    main = re.search(r"<main.*</main>", page, re.DOTALL)[0]
    shown = re.sub(r"<td data-l=\"(?:Row|Applicant|Street · community)\">.*?</td>", "", re.sub(r"(低保|低收入|特困（集中）|特困（分散）)", "", main))
    assert re.findall(r"[一-鿿]+", shown) == []
    assert "urban or rural" in desk.post(where, {**ALL, "all-hukou_kind": "x", "_do": "all"}).get_data(as_text=True)


def test_a_line_that_reads_otherwise_than_the_system_is_shown_and_changes_nothing(desk, bureau):
    where = upload(desk, three()).location
    desk.post(where, {**ALL, "_do": "all"})
    other = three(保障金额=950, 家庭人口=4)
    page = desk.text(upload(desk, other).location)
    assert "已在系统，与名单不一致" in page
    assert "保障金额：系统中为 920.00" in page and "家庭人口：系统中为 1" in page
    assert "没有可以导入的户" in page
    desk.post(f"/households/import/{digest(other)}", {**ALL, "_do": "all"}, page=where)
    with bureau.office.read() as conn:
        assert set(conn.scalars(select(benefit.c.amount_fen))) == {92_000}


def test_a_long_list_goes_a_page_at_a_time_or_all_at_once(desk, bureau, monkeypatch):
    monkeypatch.setattr("web.line_pages.SIZE", 2)
    where = upload(desk, three()).location
    first, second = desk.text(where), desk.text(f"{where}?page=2")
    assert [re.findall(r'name="row" value="(\d+)"', p) for p in (first, second)] == [["2", "3"], ["4"]]
    assert "导入全部 3 户" in first
    monkeypatch.setattr("web.importing.AT_ONCE", 2)
    done = bring(desk, where, {**ALL, "_do": "all"})
    assert "已导入 2 户" in done and "还有 1 户可以导入" in done
    desk.post(where, {**ALL, "_do": "all"})
    assert count(bureau) == 3


@pytest.mark.parametrize("who", ["auditor", "admin", "rita", "vera", "sue", "app"])
def test_only_who_enters_data_or_organises_the_screening_may(bureau, district, who):
    desk = Desk(app_of(bureau), who)
    assert desk.get("/households/import/").status_code == 403
    assert desk.get(f"/households/import/{'0' * 64}").status_code == 403
    assert "导入名单" not in desk.text("/households/")


def test_a_file_of_somebody_else_is_not_there_even_with_its_number(desk, bureau):
    where = upload(desk, three()).location
    other = Desk(app_of(bureau), "clerk2")
    assert other.get(where).status_code == 404
    assert other.post(where, {**ALL, "_do": "all"}, page="/households/import/").status_code == 404
    assert other.get(f"{where}/errors.xlsx").status_code == 404
    assert count(bureau) == 0


def test_another_streets_list_is_refused_line_by_line(bureau, district):
    desk = Desk(app_of(bureau), "stranger")
    where = upload(desk, three()).location
    assert desk.text(where).count("这个居村不在您的辖区") == 3
    done = bring(desk, where, {**ALL, "_do": "all"}, page="/households/import/")
    assert "已导入 0 户" in done and count(bureau) == 0


def test_numbers_of_lines_count_for_this_file_only(desk, bureau):
    where = upload(desk, three()).location
    answer = desk.post(where, {**ALL, "_do": "chosen", "row": ["2", "9"]})
    assert answer.status_code == 422 and "名单中没有这些行：9" in answer.get_data(as_text=True)
    nothing = desk.post(where, {**ALL, "_do": "chosen"})
    assert nothing.status_code == 422 and "请至少勾选一户" in nothing.get_data(as_text=True)
    assert count(bureau) == 0


def test_what_is_no_list_is_refused_and_not_kept(desk, settings):
    token = re.search(r'csrf_token" value="([^"]+)', desk.text("/households/import/"))[1]
    for raw, words in ((b"", "损坏"), (b"PK\x03\x04", "损坏"), (b"x" * (8 * 1024 * 1024 + 1), "最多 8 MB")):
        boundary, body = encode_multipart({"csrf_token": token, "file": FileStorage(io.BytesIO(raw), "a.xlsx")})
        answer = desk.http.post("/households/import/", data=body, content_type=f"multipart/form-data; boundary={boundary}")
        assert answer.status_code == 422 and words in answer.get_data(as_text=True)
    assert desk.post("/households/import/", {}).status_code == 422
    assert list(settings.files.glob("lists/*")) == []


def test_it_can_be_removed_at_once(desk, settings):
    where = upload(desk, three()).location
    assert len(list(settings.files.glob("lists/*"))) == 1
    assert desk.post(f"{where}/discard", {}, page=where).status_code == 302
    assert list(settings.files.glob("lists/*")) == []
    assert desk.get(where).status_code == 404


def test_nobody_brings_in_himself_or_a_near_relative(desk, door, bureau):
    with bureau.office.act() as act:
        organisation.declare_relative(act, "clerk", "parent", "孙三三", number(3))
        organisation.add_staff(act, "self", "钱二二", "binhai-2018", [("window_clerk", "120116001")], number(2))
    assert desk.text(upload(desk, three()).location).count("由其他人员导入") == 1
    assert [r["state"] for r in sent(door, three(), "self")["rows"]] == ["new", "error", "new"]
    assert [r["state"] for r in sent(door, three(), "officer")["rows"]] == ["new", "new", "new"]


# -- the kept file


def test_a_kept_file_is_encrypted_bound_to_its_name_and_swept(bureau, district, settings, keys):
    who, folder = district.people["clerk"], settings.files
    name = kept_lists.keep(keys, folder, who, three())
    [file] = folder.glob("lists/*")
    assert b"PK" not in file.read_bytes()[:64] and name not in file.name
    assert kept_lists.fetch(keys, folder, who, name) == three()
    other = kept_lists.keep(keys, folder, who, CLEAN)
    moved = next(f for f in folder.glob("lists/*") if f != file)
    moved.write_bytes(file.read_bytes())
    with pytest.raises(NotFound):
        kept_lists.fetch(keys, folder, who, other)
    old = time.time() - kept_lists.KEEP - 1
    os.utime(file, (old, old))
    with pytest.raises(NotFound):
        kept_lists.fetch(keys, folder, who, name)
    assert not file.exists()
    os.utime(moved, (old, old))
    assert (kept_lists.sweep(folder), kept_lists.sweep(folder)) == (1, 0)


def test_one_person_keeps_a_few_lists_and_pushes_out_nobody_elses(district, settings, keys):
    clerk, officer = district.people["clerk"], district.people["officer"]
    theirs = kept_lists.keep(keys, settings.files, officer, b"theirs")
    mine = [kept_lists.keep(keys, settings.files, clerk, b"%d" % n) for n in range(kept_lists.EACH + 2)]
    assert len(list(settings.files.glob("lists/*"))) == kept_lists.EACH + 1
    assert kept_lists.fetch(keys, settings.files, officer, theirs) == b"theirs"
    assert kept_lists.fetch(keys, settings.files, clerk, mine[-1])


# -- the API


def test_the_api_does_the_same(door, bureau, district):
    seen = sent(door, three())
    assert seen["list"] == digest(three())
    assert seen["counts"] == {"new": 3, "known": 0, "differs": 0, "error": 0}
    assert seen["questions"].keys() == ANSWERS.keys()
    assert [r["applicant"] for r in seen["rows"]] == ["赵*一", "钱*二", "孙*三"]
    path = f"/household-lists/{seen['list']}"
    assert door.good("clerk", "GET", path) == seen
    told = door.good("clerk", "POST", f"{path}/import", {"rows": [3, 4], "answers": ANSWERS, "row_answers": {"4": {"hukou_kind": "rural"}}})
    assert [e["row"] for e in told["imported"]] == [3, 4] and (told["known"], told["errors"], told["left"]) == ([], [], 0)
    assert kinds(bureau) == ["rural", "urban"]
    home = told["imported"][0]["household_id"]
    assert door.good("clerk", "GET", f"/households/{home}")["review_class"] == "B"
    with bureau.office.read() as conn:
        [listed] = [e for e in history(conn, bureau.office.keys.on(conn), home) if e.event == "household_listed"]
    assert (listed.data, listed.actor) == ({"line": 3, "list": digest(three())}, "clerk")
    rest = door.good("clerk", "POST", f"{path}/import", {"answers": ANSWERS})
    assert ([e["row"] for e in rest["imported"]], rest["known"]) == ([2], [3, 4])
    assert differences(bureau.office) == []
    assert door.good("clerk", "DELETE", path) == {"list": seen["list"]}
    door.bad(404, "clerk", "GET", path)


def test_the_api_asks_and_says_where(door, bureau):
    path = f"/household-lists/{sent(door, three())['list']}/import"
    lacking = door.bad(422, "clerk", "POST", path, {"answers": {"hukou_kind": "urban"}, "row_answers": {"2": ANSWERS}})["errors"]
    assert lacking.keys() == {f"row_answers.{n}.{name}" for n in (3, 4) for name in ("review_class", "first_payment_month")}
    for body, where in (
        ({"answers": {**ANSWERS, "first_payment_month": "2019-01"}}, "answers.first_payment_month"),
        ({"answers": {**ANSWERS, "hukou_kind": "moon"}}, "answers.hukou_kind"),
        ({"answers": ANSWERS, "row_answers": {"2": {"first_payment_month": "x"}}}, "row_answers.2.first_payment_month"),
        ({"answers": ANSWERS, "row_answers": {"77": {}}}, "rows"),
        ({"answers": ANSWERS, "rows": [77]}, "rows"),
        ({"answers": ANSWERS, "rows": []}, "rows"),
        ({"answers": ANSWERS, "more": 1}, "more"),
    ):
        assert where in door.bad(422, "clerk", "POST", path, body)["errors"], body
    assert count(bureau) == 0


def test_a_repeat_with_the_same_key_gets_the_same_answer(door, bureau):
    path = f"/household-lists/{sent(door, three())['list']}/import"
    key = {"Idempotency-Key": "k1"}
    first = door.good("clerk", "POST", path, {"answers": ANSWERS}, headers=key)
    assert door.good("clerk", "POST", path, {"answers": ANSWERS}, headers=key) == first
    door.bad(422, "clerk", "POST", path, {"answers": ANSWERS, "rows": [2]}, headers=key)
    assert (count(bureau), len(first["imported"])) == (3, 3)


def test_broken_off_in_between_the_repeat_does_the_rest(door, bureau, monkeypatch):
    path = f"/household-lists/{sent(door, three())['list']}/import"
    real, calls = importing._one, []

    def dies(*given):
        calls.append(given)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return real(*given)

    monkeypatch.setattr(importing, "_one", dies)
    with pytest.raises(KeyboardInterrupt):
        door.call("clerk", "POST", path, {"answers": ANSWERS}, headers={"Idempotency-Key": "k2"})
    assert count(bureau) == 2
    told = door.good("clerk", "POST", path, {"answers": ANSWERS}, headers={"Idempotency-Key": "k2"})
    assert ([e["row"] for e in told["imported"]], told["known"]) == ([4], [2, 3])


def test_two_at_the_same_moment_bring_each_household_in_once(door, bureau):
    for who in ("clerk", "officer"):
        sent(door, CLEAN, who)
    path, told = f"/household-lists/{digest(CLEAN)}/import", {}

    def go(who):
        told[who] = door.call(who, "POST", path, {"answers": ANSWERS})

    threads = [threading.Thread(target=go, args=(who,)) for who in ("clerk", "officer")]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert [a.status_code for a in told.values()] == [200, 200]
    assert all(a.json["errors"] == [] for a in told.values()), [a.json["errors"] for a in told.values()]
    assert sum(len(a.json["imported"]) for a in told.values()) == count(bureau) == 8
    assert differences(bureau.office) == []


def test_a_line_that_fails_stops_no_other(door, bureau, monkeypatch):
    path = f"/household-lists/{sent(door, three())['list']}/import"
    with bureau.office.act(door.district.people["clerk"]) as act:
        from processes import households

        households.register(act, {"community": "120116001016", "hukou_kind": "urban", "members": [{"name": "钱二二", "id_no": number(2), "relation": "head"}]})
    told = door.good("clerk", "POST", path, {"answers": ANSWERS, "rows": [2, 3, 4]}, headers={"Accept-Language": "en"})
    assert [e["row"] for e in told["imported"]] == [2, 4]
    assert [e["row"] for e in told["errors"]] == [3] and "without a benefit" in told["errors"][0]["errors"]["身份证号"][0]


@pytest.mark.parametrize(("data", "status"), [({"file": "text"}, 422), ({}, 422), ({"file": (b"x", "a"), "kind": "x"}, 422)])
def test_bad_uploads_are_problems(door, settings, data, status):
    data = {k: (io.BytesIO(v[0]), v[1]) if isinstance(v, tuple) else v for k, v in data.items()}
    door.bad(status, "clerk", "POST", "/household-lists", data=data, content_type="multipart/form-data")
    door.bad(415, "clerk", "POST", "/household-lists", {"file": "x"})
    assert list(settings.files.glob("lists/*")) == []


def test_who_may_at_the_api(door):
    for who in ("auditor", "rita", "admin"):
        sent(door, three(), who, status=403)
        assert door.bad(403, who, "GET", f"/household-lists/{'0' * 64}")["rule"] == "import-list"
    path = f"/household-lists/{sent(door, three())['list']}"
    door.bad(404, "clerk2", "GET", path)
    door.bad(404, "clerk2", "POST", f"{path}/import", {"answers": ANSWERS})
    door.bad(404, "clerk2", "GET", f"{path}/errors")
    assert [r["errors"] for r in sent(door, three(), "stranger")["rows"]] == [{"村（居委会）": ["这个居村不在您的辖区"]}] * 3


def test_the_error_workbook_comes_through_the_api(door):
    path = f"/household-lists/{sent(door, DIRTY)['list']}/errors"
    answer = door.call("clerk", "GET", path)
    assert len(list(load_workbook(io.BytesIO(answer.data)).active.values)) == 16


def test_a_household_outside_the_area_is_not_told_about(door, bureau, district):
    raw = sheet(line(身份证号=number(8), **{"乡镇（街道）": "杭州道街道", "村（居委会）": "某社区"}))
    door.good("stranger", "POST", f"/household-lists/{sent(door, raw, 'stranger')['list']}/import", {"answers": ANSWERS})
    [row] = sent(door, sheet(line(身份证号=number(8))))["rows"]
    assert row["state"] == "error" and row["household_id"] is None
    assert "辖区以外" in row["errors"]["身份证号"][0] and "H0" not in row["errors"]["身份证号"][0]


# -- tokens


def test_an_administrator_revokes_tokens_at_the_api_and_nobody_else(door):
    assert door.good("clerk", "GET", "/me")["id"] == "clerk"
    door.bad(403, "sue", "POST", "/staff-tokens/revoke", {"login": "clerk"})
    door.bad(403, "clerk", "GET", "/staff-tokens")
    door.bad(404, "admin", "POST", "/staff-tokens/revoke", {"login": "nobody"})
    assert {"login": "clerk", "tokens": 1} in door.good("admin", "GET", "/staff-tokens")["items"]
    assert door.good("admin", "POST", "/staff-tokens/revoke", {"login": "clerk"}) == {"login": "clerk", "revoked": 1}
    door.bad(401, "clerk", "GET", "/me")
    assert "clerk" not in [r["login"] for r in door.good("admin", "GET", "/staff-tokens")["items"]]


def test_an_administrator_revokes_tokens_on_the_page(door, bureau):
    door.good("clerk", "GET", "/me")
    desk = Desk(door.app, "admin")
    assert re.findall(r'name="revoke" value="(\w+)"', desk.text("/admin/")) == ["clerk"]
    assert desk.post("/admin/", {"revoke": "clerk"}).status_code == 302
    page = desk.text("/admin/")
    assert "已吊销 clerk 的 1 个接口令牌" in page and 'name="revoke"' not in page
    door.bad(401, "clerk", "GET", "/me")
    assert Desk(door.app, "rita").get("/admin/").status_code == 403
