"""A street's list in the layout of annex 1: good lines come in once, bad ones say why, nothing is guessed."""

from __future__ import annotations

import io
import json
import pathlib
import random
import zipfile
from datetime import date
from importlib import resources

import pytest
from openpyxl import Workbook, load_workbook
from sqlalchemy import func, select

from engine import store
from engine.errors import Invalid
from engine.model import SYSTEM
from engine.office import history
from processes import households, identity, organisation
from processes import import_annex1 as annex1
from processes.rebuild import differences
from processes.tables import benefit, household, person
from web.cli import main
from web.importing import bring_in, look, numbers, run

SAMPLES = pathlib.Path(str(resources.files("processes") / "data" / "samples"))
ANSWERS = {"hukou_kind": "urban", "review_class": "B", "first_payment_month": "2018-01"}


def seen(district, name, **answers):
    with (SAMPLES / name).open("rb") as stream, district.office.read() as conn:
        return annex1.preview(stream, conn, district.office.keys.on(conn), district.people["sue"], answers, district.office.today())


def saved(book):
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def read(district, raw, who="sue", **answers):
    kind = {"production": answers.pop("production", False)}
    with district.office.read() as conn:
        return annex1.preview(io.BytesIO(raw), conn, district.office.keys.on(conn), district.people[who], answers, district.office.today(), **kind)


def sheet(*lines, above=(), heading=annex1.HEADINGS):
    book = Workbook()
    for line in (*above, heading, *lines):
        book.active.append(list(line))
    return saved(book)


NUMBER = identity.invent(date(1960, 1, 1), "male", 77)


def line(**odd):
    good = dict(zip(annex1.HEADINGS, (1, "何甲", NUMBER, 1, "塘沽街道", "紫云园社区", 0, "无", "低保", 920, "因病", "属实", "1.享受；2.困难；3.近亲属"), strict=True))
    return list({**good, **odd}.values())


def counts(district):
    with district.office.read() as conn:
        return tuple(conn.scalar(select(func.count()).select_from(table)) for table in (household, person, benefit))


def test_a_clean_list_comes_in_once_and_only_once(district):
    preview = seen(district, "annex1_clean.xlsx", **ANSWERS)
    assert (len(preview.rows), preview.bad) == (8, [])
    assert bring_in(district.bureau, preview).imported == 8
    assert counts(district) == (8, 20, 8)
    again = seen(district, "annex1_clean.xlsx", **ANSWERS)
    assert (len(again.good), len(again.known)) == (0, 8)
    assert bring_in(district.bureau, preview).imported == 0
    assert counts(district) == (8, 20, 8)
    assert differences(district.office) == []


def test_what_the_list_does_not_say_is_asked_never_guessed(district):
    preview = seen(district, "annex1_clean.xlsx", hukou_kind="urban")
    assert preview.questions.keys() == {"review_class", "first_payment_month"}
    with pytest.raises(Invalid):
        bring_in(district.bureau, preview)
    assert counts(district) == (0, 0, 0)


def test_each_error_of_a_dirty_list_is_named_by_its_column_and_the_good_lines_come_in(district):
    preview = seen(district, "annex1_dirty.xlsx", **ANSWERS)
    columns = [next(iter(r.errors)) for r in preview.bad]
    assert columns == ["身份证号", "身份证号", "身份证号", "家庭人口", "家庭人口", "乡镇（街道）", "村（居委会）", "救助类别", "保障金额", "保障金额", "保障金额",
                       "家庭收入", "申请人", "致困原因", "身份证号"]  # fmt: skip
    assert all(len(r.errors) == 1 for r in preview.bad)
    assert [bool(r.hints) for r in preview.good] == [False, False, True, False]
    assert bring_in(district.bureau, preview).imported == 4
    book = load_workbook(io.BytesIO(annex1.error_workbook(preview)))
    lines = list(book.active.values)
    assert lines[0] == (*annex1.HEADINGS, "错误")
    assert len(lines) == 16
    assert not any(isinstance(v, str) and v.startswith("=") for line in lines for v in line)


def test_the_error_workbook_can_be_mended_and_brought_in(district):
    preview = seen(district, "annex1_dirty.xlsx", **ANSWERS)
    book = load_workbook(io.BytesIO(annex1.error_workbook(preview)))
    cell = next(row for row in book.active.iter_rows() if row[8].value == "五保")[8]
    cell.value = "低保"
    bring_in(district.bureau, preview)
    again = read(district, saved(book), **ANSWERS)
    assert [r.data["name"] for r in again.good] == ["何辛"]
    assert [r.data["name"] for r in again.known] == ["何辰"], "the second of two equal lines is here now"
    assert "校验位" in next(iter(again.bad[0].errors.values()))[0]


def test_unnamed_members_are_counted_placeholders_without_an_id(district):
    bring_in(district.bureau, seen(district, "annex1_clean.xlsx", **ANSWERS))
    with district.office.read() as conn:
        rows = conn.execute(select(person.c.placeholder, person.c.id_blind)).all()
    assert sum(r.placeholder for r in rows) == 12
    assert all((r.id_blind is None) == r.placeholder for r in rows)


@pytest.mark.parametrize("raw", [b"", b"not a workbook", b"PK\x03\x04 broken"])
def test_a_file_that_is_no_workbook_is_refused(district, raw):
    with district.office.read() as conn, pytest.raises(Invalid):
        annex1.preview(io.BytesIO(raw), conn, district.office.keys.on(conn), district.people["sue"], {}, district.office.today())


def test_another_heading_is_refused(district):
    book = Workbook()
    book.active.append(["姓名", "金额"])
    out = io.BytesIO()
    book.save(out)
    out.seek(0)
    with district.office.read() as conn, pytest.raises(Invalid):
        annex1.preview(out, conn, district.office.keys.on(conn), district.people["sue"], {}, district.office.today())


def test_the_command_says_what_it_found(district, capsys, tmp_path):
    errors = tmp_path / "errors.xlsx"
    code = run(district.bureau, SAMPLES / "annex1_dirty.xlsx", ANSWERS, errors, commit=True, all_or_nothing=True, as_json=False)
    assert (code, counts(district)) == (1, (0, 0, 0))
    assert errors.exists()
    assert "有错误 15" in capsys.readouterr().out


# -- one line


WRONG = [
    ("身份证号", 120199196001010, "数字格式"),
    ("身份证号", None, "18 位"),
    ("身份证号", "120116700501001", "15 位"),
    ("身份证号", identity.invent(date(2020, 1, 1), "male", 1), "出生日期"),
    ("家庭人口", 21, "1 至 20"),
    ("家庭人口", 2.5, "1 至 20"),
    ("家庭人口", "²", "1 至 20"),
    ("家庭收入", -1, "负数"),
    ("家庭收入", 0.123, "两位小数"),
    ("家庭收入", 1e20, "不能超过"),
    ("家庭收入", True, "数字"),
    ("家庭收入", None, "数字"),
    ("保障金额", "920元", "数字"),
    ("救助类别", "孤儿", "应为"),
    ("致困原因", "病" * 61, "60 字"),
    ("备注", "x" * 501, "500 字"),
    ("申请人", "=HYPERLINK(1)", "公式"),
    ("备注", "=1+1", "公式"),
    ("乡镇（街道）", "长安街道", "没有这个街镇"),
    ("村（居委会）", "某社区", "没有这个居村"),
]


def test_a_wrong_cell_is_named_with_words(district):
    """Each in a list of its own: what one line says must not depend on others."""
    for column, value, word in WRONG:
        [row] = read(district, sheet(line(**{column: value})), **ANSWERS).rows
        assert list(row.errors) == [column], (column, value)
        assert word in row.errors[column][0], (column, value)


UNDERSTOOD = [
    ({"家庭收入": 660.1}, "income_fen", 66_010),
    ({"家庭收入": "６６０．５"}, "income_fen", 66_050),
    ({"家庭人口": "3人"}, "members", 3),
    ({"家庭人口": "２"}, "members", 2),
    ({"救助类别": "特困 (集中)"}, "category", "destitute_institutional"),
    ({"乡镇（街道）": "塘沽街道办事处", "村（居委会）": "紫云园社区居委会"}, "community", "120116001016"),
    ({"乡镇（街道）": "塘沽"}, "community", "120116001016"),
    ({"申请人": " 何 甲\n"}, "name", "何甲"),
    ({"身份证号": " " + NUMBER[:6] + " " + NUMBER[6:].lower()}, "id_no", NUMBER),
    ({"家庭财产": "12000元"}, "assets_fen", 1_200_000),
    ({"家庭财产": "住房一套"}, "assets_fen", 0),
]


def test_what_people_write_is_understood(district):
    for odd, key, value in UNDERSTOOD:
        [row] = read(district, sheet(line(**odd)), **ANSWERS).rows
        assert (row.errors, row.data[key]) == ({}, value), odd


def test_places_of_others_are_refused_and_names_that_fit_two_are_asked_back(office, district):
    [row] = read(district, sheet(line()), who="stranger", **ANSWERS).rows
    assert row.errors == {"村（居委会）": ["这个居村不在您的辖区"]}
    with office.read() as conn:
        places = annex1.Places(conn, SYSTEM)
    places._communities = [("1", "东村村委会", "120116001"), ("2", "东村居委会", "120116001"), ("3", "西村村委会", "120116001")]
    assert places.find("塘沽街道", "东村")[1] == {"村（居委会）": ["这个街镇有几个同名的居村，请填写全称"]}
    assert [places.find("塘沽街道", name)[0] for name in ("东村居委会", "西村", "西村村民委员会", "西", "村")] == ["2", "3", "3", "3", None]


def test_invented_people_are_refused_in_production(district):
    [row] = read(district, sheet(line()), production=True, **ANSWERS).rows
    assert "演示" in row.errors["身份证号"][0]


# -- who is here already


def test_who_is_here_in_another_way_is_shown_not_skipped(district):
    member = {"name": "何甲", "id_no": NUMBER, "relation": "head"}
    with district.office.act(district.people["clerk"]) as act:
        households.register(act, {"community": "120116001016", "hukou_kind": "urban", "members": [member]})
    [row] = read(district, sheet(line()), **ANSWERS).rows
    assert "尚无在保待遇" in row.errors["身份证号"][0]


def test_somebody_was_faster_than_the_preview(district):
    preview = read(district, sheet(line()), **ANSWERS)
    assert bring_in(district.bureau, read(district, sheet(line()), **ANSWERS)).imported == 1
    assert bring_in(district.bureau, preview).imported == 0
    assert counts(district) == (1, 1, 1)


def test_chosen_lines_only_and_the_rest_another_time_with_other_answers(district):
    raw = (SAMPLES / "annex1_clean.xlsx").read_bytes()
    preview = read(district, raw, **ANSWERS)
    assert bring_in(district.bureau, annex1.choose(preview, {4, 6})).imported == 2
    rest = read(district, raw, **{**ANSWERS, "hukou_kind": "rural"})
    assert (len(rest.known), bring_in(district.bureau, rest).imported) == (2, 6)
    with district.office.read() as conn:
        assert sorted(conn.scalars(select(household.c.hukou_kind))) == ["rural"] * 6 + ["urban"] * 2


def test_the_words_of_a_line_are_kept_encrypted_with_the_household(district):
    bring_in(district.bureau, read(district, sheet(line(家庭财产="住房一套")), **ANSWERS))
    with district.office.read() as conn:
        [home] = conn.scalars(select(household.c.id)).all()
        [listed] = [e for e in history(conn, district.office.keys.on(conn), home) if e.event == "household_listed"]
        assert listed.personal[f"household:{home}"]["said"] == {"property": "住房一套", "survey_result": "属实", "remarks": "1.享受；2.困难；3.近亲属"}
        assert "住房一套".encode() not in b"".join(conn.scalars(select(store.entry.c.body)))


def test_wrong_answers_are_refused(district):
    for odd in ({"hukou_kind": "moon"}, {"review_class": "D"}, {"first_payment_month": "2018-13"}, {"first_payment_month": "2019-01"}, {"more": "1"}):
        with pytest.raises(Invalid) as wrong:
            read(district, sheet(line()), **{**ANSWERS, **odd})
        assert wrong.value.fields.keys() == odd.keys()


def test_a_line_with_errors_cannot_be_forced_in(district):
    preview = read(district, sheet(line(保障金额="x")), **ANSWERS)
    with pytest.raises(Invalid), district.office.act(district.people["sue"]) as act:
        annex1.commit(act, preview, preview.rows[0])
    assert counts(district) == (0, 0, 0)


# -- the file


@pytest.mark.parametrize("above", [(), [["附件1"], ["表"], ["填报单位：塘沽街道"]]])
def test_the_heading_may_stand_under_titles_with_blanks_in_it(district, above):
    spaced = [" ".join(h) if len(h) < 5 else h for h in annex1.HEADINGS]
    assert len(read(district, sheet(line(), above=above, heading=spaced)).rows) == 1


def test_a_heading_that_differs_is_named(district):
    other = list(annex1.HEADINGS)
    other[6] = "家庭年收入"
    with pytest.raises(Invalid, match="第 7 列应为“家庭收入”"):
        read(district, sheet(line(), heading=other))
    with pytest.raises(Invalid, match="没有找到"):
        read(district, sheet(line(), above=[["附件1"]] * 10))


@pytest.mark.parametrize("db_url", ["sqlite"], indirect=True)  # 5,001 lines, refused before a database is asked
def test_too_many_lines_are_refused_whole(district):
    lines = [line()] * (annex1.MAX_ROWS + 1)
    with pytest.raises(Invalid, match="最多 5000 户"):
        read(district, sheet(*lines, above=[["附件1"]] * 9))


def test_a_file_that_unpacks_to_too_much_or_defines_entities_is_refused(district):
    def packed(**parts):
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as box:
            for name, data in parts.items():
                box.writestr(name, data)
        return out.getvalue()

    bomb = packed(**{"xl/worksheets/sheet1.xml": b"0" * (annex1.MAX_UNPACKED + 1)})
    assert len(bomb) < annex1.MAX_BYTES
    with pytest.raises(Invalid, match="展开后太大"):
        read(district, bomb)
    with pytest.raises(Invalid):
        read(district, packed(**{f"p{n}.xml": b"" for n in range(501)}))
    with zipfile.ZipFile(io.BytesIO(sheet(line()))) as box:
        parts = {name: box.read(name) for name in box.namelist()}
    laugh = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "ha">]>'
    with pytest.raises(Invalid, match="损坏"):
        read(district, packed(**{**parts, "xl/workbook.xml": laugh + parts["xl/workbook.xml"]}))
    with pytest.raises(Invalid, match="损坏"):
        read(district, packed(**{**parts, "xl/other.dat": b"\n" + laugh}))
    assert len(read(district, packed(**{**parts, "xl/media/image1.png": b"\x89PNG <!"})).rows) == 1
    with pytest.raises(Invalid, match="展开后太大"):
        read(district, packed(**{**parts, "xl/worksheets/sheet1.xml": b"<worksheet><sheetData><row>" + b"<c/>" * annex1.MAX_TAGS}))
    with pytest.raises(Invalid, match="8 MB"):
        read(district, b"\0" * (annex1.MAX_BYTES + 1))


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_damaged_file_is_read_or_refused_never_a_crash():
    raw, dice = (SAMPLES / "annex1_dirty.xlsx").read_bytes(), random.Random(7)
    with zipfile.ZipFile(io.BytesIO(raw)) as box:
        parts = {name: box.read(name) for name in box.namelist()}
    for _ in range(150):
        broken = bytearray(raw)
        for _ in range(dice.randint(1, 5)):
            broken[dice.randrange(len(broken))] = dice.randrange(256)
        files = [bytes(broken)]
        name = dice.choice(sorted(parts))
        part = bytearray(parts[name])
        at = dice.randrange(len(part))
        part[at : at + dice.randint(0, 40)] = dice.choice([b"", b"<x>", b"&b;", b'r="99999999"', b"1e999", b"]]>", b"_x0000_"])
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as box:
            for other, data in parts.items():
                box.writestr(other, bytes(part) if other == name else data)
        for file in [*files, out.getvalue()]:
            try:
                annex1._read(file)
            except Invalid:
                continue


# -- answers, line by line


def test_a_lines_own_answer_stands_before_the_one_for_all(district):
    raw = (SAMPLES / "annex1_clean.xlsx").read_bytes()
    lines = {4: {"hukou_kind": "rural"}, 5: {"hukou_kind": "", "review_class": "A"}}
    bring_in(district.bureau, look(district.bureau, district.people["clerk"], raw, ANSWERS, lines), district.people["clerk"])
    with district.office.read() as conn:
        found = conn.execute(select(household.c.hukou_kind, household.c.review_class)).all()
    assert sorted(map(tuple, found)) == [("rural", "B"), ("urban", "A"), *[("urban", "B")] * 6]


def test_only_lines_that_can_come_in_are_asked_about(district):
    raw = sheet(line(), line(保障金额="x", 身份证号=identity.invent(date(1970, 1, 1), "male", 5)))
    preview = read(district, raw, hukou_kind="urban", review_class="A")
    assert list(annex1.unanswered(preview)) == ["2.first_payment_month"]
    assert preview.rows[1].questions.keys() == {"first_payment_month"}
    annex1.answer(preview, {}, {2: ANSWERS}, district.office.today())
    assert (preview.questions, annex1.unanswered(preview)) == ({}, {})


@pytest.mark.parametrize(("lines", "path"), [({2: {"hukou_kind": "moon"}}, "2.hukou_kind"), ({2: {"x": "1"}}, "2.x"), ({2: {"first_payment_month": "2019-01"}}, "2.first_payment_month"), ({9: {}}, "rows")])
def test_a_wrong_answer_of_a_line_is_refused_with_its_place(district, lines, path):
    with pytest.raises(Invalid) as wrong:
        look(district.bureau, district.people["clerk"], sheet(line()), ANSWERS, lines)
    assert list(wrong.value.fields) == [path]


def test_lines_that_are_not_there_cannot_be_chosen(district):
    with pytest.raises(Invalid, match="名单中没有这些行：9"):
        annex1.choose(read(district, sheet(line()), **ANSWERS), {2, 9})


@pytest.mark.parametrize(("text", "found"), [("3", [3]), ("3,5-9", [3, 5, 8]), (" 4 ，8", [4, 8]), ("1-100", [3, 4, 5, 8]), ("3,3", [3, 3])])
def test_numbers_of_lines_as_people_write_them(text, found):
    assert [n for n in numbers(text, [3, 4, 5, 8]) if n in (3, 4, 5, 8)] == found


@pytest.mark.parametrize("text", ["", "x", "3-", "-3", "9-5", "6-7", "3,,4", "3.5", "²", "1-9999999"])
def test_what_is_no_number_of_a_line_is_refused(text):
    with pytest.raises(Invalid):
        numbers(text, [3, 4, 5, 8])


# -- the command


@pytest.fixture
def command(district, settings, monkeypatch, tmp_path, capsys):
    """`yingbao import households …`: (exit code, what it printed)."""
    monkeypatch.setattr("web.cli._bureau", lambda: district.bureau)

    def run(*given):
        with pytest.raises(SystemExit) as ended:
            main(["import", "households", *map(str, given)])
        told = capsys.readouterr()
        return ended.value.code, told.out or told.err

    return run


FOR_ALL = ("--hukou", "urban", "--review-class", "B", "--first-month", "2018-01")


def test_the_command_shows_every_line_and_changes_nothing(district, command):
    code, said = command(SAMPLES / "annex1_dirty.xlsx", "--preview")
    assert (code, counts(district)) == (1, (0, 0, 0))
    assert "4\t许*本\t1\t920.00\t塘沽街道\t紫云园社区居委会\t可导入" in said
    assert "导入前请回答：复核类别" in said and "120199" not in said
    assert command(SAMPLES / "annex1_clean.xlsx")[0] == 0


def test_the_command_asks_and_brings_in_what_was_chosen(district, command, tmp_path):
    clean, answers = SAMPLES / "annex1_clean.xlsx", tmp_path / "answers.json"
    assert command(clean, "--commit", "--hukou", "urban")[0] == 2
    assert counts(district)[0] == 0
    answers.write_text(json.dumps({"4": {"hukou_kind": "rural"}}), encoding="utf-8")
    code, said = command(clean, "--commit", *FOR_ALL, "--rows", "4,6-7", "--answers", answers, "--json")
    told = json.loads(said)
    assert (code, [e["row"] for e in told["result"]["imported"]], told["result"]["errors"]) == (0, [4, 6, 7], [])
    with district.office.read() as conn:
        assert sorted(conn.scalars(select(household.c.hukou_kind))) == ["rural", "urban", "urban"]
    code, said = command(clean, "--commit", *FOR_ALL, "--json")
    assert (code, json.loads(said)["counts"]["known"], len(json.loads(said)["result"]["imported"])) == (0, 3, 5)


def test_bad_usage_is_two_and_changes_nothing(district, command):
    for given in (("--preview", "--commit"), ("--rows", "99"), ("--rows", "x"), ("--hukou", "moon"), ("--first-month", "2018-13")):
        assert command(SAMPLES / "annex1_clean.xlsx", *given)[0] == 2, given
        assert counts(district)[0] == 0, given


def test_a_file_of_answers_that_is_none_is_two(district, command, tmp_path):
    file = tmp_path / "answers.json"
    for text in ("", "[]", "7", '{"x": {}}', '{"4": 1}', '{"4": {"hukou_kind": 1}}', '{"4": {"hukou_kind": "moon"}}', '{"99": {}}', "\ufeff{}"):
        file.write_text(text, encoding="utf-8")
        assert command(SAMPLES / "annex1_clean.xlsx", "--commit", *FOR_ALL, "--answers", file)[0] == 2, text
        assert counts(district)[0] == 0, text


def test_tokens_are_revoked_at_the_command_line(district, monkeypatch, capsys):
    monkeypatch.setattr("web.cli._bureau", lambda: district.bureau)
    with district.office.act() as act:
        token = organisation.make_token(act, "clerk", "t")
    main(["user", "revoke", "clerk"])
    assert "1 tokens revoked" in capsys.readouterr().out
    with district.office.read() as conn:
        assert organisation.actor_for_token(conn, token) is None
    with pytest.raises(SystemExit) as ended:
        main(["user", "revoke", "nobody"])
    assert ended.value.code == 2


# -- workbooks as offices make them


def test_blank_lines_numbers_by_formula_and_hidden_sheets_are_no_errors(district):
    """Blanks of both widths are left in lines that somebody emptied; the running number is often `=ROW()-1`; an old list is hidden."""
    book = Workbook()
    old, shown = book.active, book.create_sheet("在保")
    old.sheet_state, book.active = "hidden", 1
    for sheet_, rows in ((old, [line(申请人="旧名单")]), (shown, [line(序号="=ROW()-1"), [None, " "], ["　"] * 13, [""] * 13, line(申请人="=A1")])):
        for row in ([*annex1.HEADINGS, "联系人"], *rows):
            sheet_.append(list(row))
    found = read(district, saved(book), **ANSWERS)
    assert [(row.number, row.data.get("name"), set(row.errors)) for row in found.rows] == [(2, "何甲", set()), (6, None, {"申请人"})]
