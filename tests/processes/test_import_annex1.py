"""A street's list in the layout of annex 1: good lines come in once, bad ones say why, nothing is guessed."""

from __future__ import annotations

import io
import pathlib
from importlib import resources

import pytest
from openpyxl import Workbook, load_workbook
from sqlalchemy import func, select

from engine.errors import Invalid
from processes import import_annex1 as annex1
from processes.rebuild import differences
from processes.tables import benefit, household, person
from web.importing import bring_in, run

SAMPLES = pathlib.Path(str(resources.files("processes") / "data" / "samples"))
ANSWERS = {"hukou_kind": "urban", "review_class": "B", "first_payment_month": "2018-01"}


def seen(district, name, **answers):
    with (SAMPLES / name).open("rb") as stream, district.office.read() as conn:
        return annex1.preview(stream, conn, district.office.keys.on(conn), district.people["sue"], answers, district.office.today())


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
    assert columns == ["身份证号", "身份证号", "家庭人口", "家庭人口", "村（居委会）", "救助类别", "保障金额", "保障金额", "家庭收入", "申请人", "身份证号"]
    assert bring_in(district.bureau, preview).imported == 4
    book = load_workbook(io.BytesIO(annex1.error_workbook(preview)))
    lines = list(book.active.values)
    assert lines[0] == (*annex1.HEADINGS, "错误")
    assert len(lines) == 12
    assert not any(isinstance(v, str) and v.startswith("=") for line in lines for v in line)


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
    assert "有错误 11" in capsys.readouterr().out
