"""优抚名单 as a workbook: another department's list of who gets festival money (domain 1.15), a person in each line, errors line by line.

The file is kept encrypted between its preview and its import (kept_lists); a line that is wrong is named with its number in the sheet, and
of the rest all or the chosen ones are taken (festival_facts.take_file).
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

from openpyxl import Workbook
from openpyxl.styles import Font
from sqlalchemy import Connection, select

from engine.errors import Invalid
from engine.forms import folded
from engine.model import Actor
from processes.festival_batches import MAKERS
from processes.import_annex1 import error_book, lines_of, text_of
from processes.tables import unit

HEADINGS = ("姓名", "身份证号", "所在居村", "户籍性质", "有无工作单位", "银行账号", "户名")
MOST = 1_000
_NEEDED = HEADINGS[:6]
_HUKOU = {"城镇": "urban", "非农业": "urban", "城市": "urban", "农村": "rural", "农业": "rural"}
_EMPLOYED = {"有": True, "是": True, "无": False, "否": False, "没有": False}
_MOST_CHARS = {"姓名": 60, "户名": 60, "身份证号": 40, "银行账号": 40}
_EXACT = 15  # digits that a number in a sheet keeps
Fault = dict[str, Any]


def template() -> bytes:
    """An empty list to fill in; numbers are texts."""
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "优抚名单"
    sheet.append(list(HEADINGS))
    for column in "ABCDEFG":
        sheet[f"{column}1"].font = Font(bold=True)
        sheet.column_dimensions[column].width = 24
        for row in range(2, 202):
            sheet[f"{column}{row}"].number_format = "@"
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def read(conn: Connection, actor: Actor, raw: bytes) -> tuple[list[tuple[int, dict[str, Any]]], list[Fault]]:
    """([(line, person as ListedPerson)], faults of lines {row, zh, en}). Raises Invalid {"file"} for what is no such list as a whole."""
    lines = lines_of(raw)
    head = _head(lines)
    below = [(n, line[: len(HEADINGS)]) for n, line in enumerate(lines, start=1) if n > head and any(v not in (None, "") for v in line[: len(HEADINGS)])]
    if not below:
        raise Invalid({"file": ["名单中没有人员"]})
    if len(below) > MOST:
        raise Invalid({"file": [f"一次最多 {MOST} 人，请分次上传"]})
    places, good, faults = _places(conn, actor), list[tuple[int, dict[str, Any]]](), list[Fault]()
    for n, cells in below:
        try:
            good.append((n, _person(dict(zip(HEADINGS, cells, strict=False)), places)))
        except _Wrong as wrong:
            zh, en = wrong.args
            faults.append({"row": n, "zh": zh, "en": en})
    return good, faults


def error_workbook(raw: bytes, wrong: Mapping[int, str]) -> bytes:
    """The lines that `wrong` names (line -> why) as they came, under the same headings and why in a last column: mended, it can be uploaded."""
    lines = lines_of(raw)
    return error_book([[*HEADINGS, "错误"]], [(lines[n - 1][: len(HEADINGS)], why) for n, why in sorted(wrong.items())])


def _head(lines: Sequence[Sequence[Any]]) -> int:
    """The line of the heading; what differs is named."""
    for n, line in enumerate(lines[:10], start=1):
        said = tuple("".join(str(v or "").split()) for v in line[: len(HEADINGS)])
        if said == HEADINGS:
            return n
        if said[:1] == HEADINGS[:1]:
            wrong = [f"第 {i} 列应为“{want}”" for i, (want, got) in enumerate(zip(HEADINGS, said, strict=False), start=1) if want != got]
            raise Invalid({"file": ["表头不符：" + "，".join(wrong or [f"应有 {len(HEADINGS)} 列"])]})
    raise Invalid({"file": [f"前 10 行中没有找到表头：{'、'.join(HEADINGS)}"]})


def _places(conn: Connection, actor: Actor) -> dict[str, list[str]]:
    """Code and name of each community -> the codes so called where the actor makes lists."""
    found: dict[str, list[str]] = {}
    for row in conn.execute(select(unit.c.code, unit.c.name).where(unit.c.level == "community")):
        if actor.post_over(row.code, MAKERS) is not None:
            for said in {row.code, row.name}:
                found.setdefault(said, []).append(row.code)
    return found


class _Wrong(Exception):
    """zh, en."""


def _person(cells: Mapping[str, Any], places: Mapping[str, list[str]]) -> dict[str, Any]:
    """A line as a person. Raises _Wrong."""
    said = {name: _text(name, cell) for name, cell in cells.items()}
    if lacking := [name for name in _NEEDED if not said.get(name)]:
        raise _Wrong(f"未填写：{'、'.join(lacking)}", f"Empty: {', '.join(lacking)}")
    if long := [name for name, most in _MOST_CHARS.items() if len(said.get(name, "")) > most]:
        raise _Wrong(f"{long[0]}过长", f"{long[0]}: too long")
    hukou, employed = _HUKOU.get(said["户籍性质"].removesuffix("户口").removesuffix("户")), _EMPLOYED.get(said["有无工作单位"])
    if hukou is None:
        raise _Wrong("户籍性质应为城镇或农村", "Household register: 城镇 or 农村")
    if employed is None:
        raise _Wrong("有无工作单位应为有或无", "Employer: 有 or 无")
    codes = places.get(folded(said["所在居村"]).strip()) or places.get(said["所在居村"]) or []
    if len(codes) != 1:
        raise _Wrong(*(("辖区内有多个同名居村，请填写代码", "Several communities of that name: write the code") if codes else ("辖区内没有这个居村", "No such community in your area")))
    return {"name": said["姓名"], "id_no": folded(said["身份证号"]), "community": codes[0], "hukou_kind": hukou, "employed": employed, "account": said["银行账号"], "holder": said.get("户名") or None}


def _text(name: str, cell: Any) -> str:
    """A cell as text: formulas and what is neither text nor a whole number are wrong, and so is a number that lost its last digits."""
    value = int(cell) if isinstance(cell, float) and cell.is_integer() else cell
    if isinstance(value, int) and not isinstance(value, bool) and len(str(value)) > _EXACT:
        raise _Wrong(f"{name}应为文本格式，数字格式已丢失末位", f"{name}: keep it as text, a number loses its last digits")
    if value is not None and (isinstance(value, bool) or not isinstance(value, (str, int))):
        raise _Wrong(f"{name}不是文字", f"{name}: no text")
    said = text_of(value)
    if said.startswith(("=", "'=")):  # the second: as an error workbook shows it
        raise _Wrong(f"{name}不能是公式", f"{name}: no formulas")
    return said
