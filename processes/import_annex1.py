"""A street's existing list, in the layout of annex 1 (附件1, domain 1.22), brought in as households with their benefits.

Nothing is guessed: hukou, review class and first month are asked for; unnamed members become placeholder persons.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from openpyxl import Workbook, load_workbook
from openpyxl.utils.exceptions import InvalidFileException
from sqlalchemy import Connection, select

from engine.crypto import BoundKeys
from engine.errors import Invalid
from engine.model import Actor, Put
from engine.office import Act
from processes import households, identity, law, money
from processes.tables import person, unit

HEADINGS = ("序号", "申请人", "身份证号", "家庭人口", "乡镇（街道）", "村（居委会）", "家庭收入", "家庭财产", "救助类别", "保障金额", "致困原因",
            "入户核查结果", "备注")  # fmt: skip
CATEGORIES = {"低保": "dibao", "低收入": "low_income", "特困（集中）": "destitute_institutional", "特困（分散）": "destitute_dispersed"}
MAX_BYTES, MAX_UNPACKED, MAX_ROWS = 5 * 1024 * 1024, 60 * 1024 * 1024, 5_000


@dataclass
class Row:
    """One line of the list: as read, what is wrong with it (column -> Chinese words), and whether it is here already."""

    number: int  # of the sheet
    cells: tuple[Any, ...]
    errors: dict[str, list[str]] = field(default_factory=dict)
    data: dict[str, Any] = field(default_factory=dict)
    known: bool = False


@dataclass
class Preview:
    rows: list[Row]
    options: Mapping[str, str]
    questions: dict[str, str]  # what must be answered before anything is brought in

    @property
    def good(self) -> list[Row]:
        return [r for r in self.rows if not r.errors and not r.known]

    @property
    def bad(self) -> list[Row]:
        return [r for r in self.rows if r.errors]

    @property
    def known(self) -> list[Row]:
        return [r for r in self.rows if r.known]


@dataclass(frozen=True)
class Result:
    imported: int
    skipped_known: int
    skipped_errors: int


def preview(stream: BinaryIO, conn: Connection, keys: BoundKeys, actor: Actor, options: Mapping[str, str | None], today: Any) -> Preview:
    """Read and judge the list; nothing is written. `options`: hukou_kind, review_class, first_payment_month."""
    rows = [Row(n, cells) for n, cells in _read(stream)]
    places = _places(conn, actor)
    seen: set[str] = set()
    for row in rows:
        _judge(row, places, keys, conn, seen, today)
    given = {k: v for k, v in options.items() if v}
    asked = {"hukou_kind": "户籍类别（urban 城镇 / rural 农村）", "review_class": "复核类别（A / B / C）", "first_payment_month": "起发月份（如 2018-01）"}
    return Preview(rows, given, {k: text for k, text in asked.items() if k not in given})


def _read(stream: BinaryIO) -> list[tuple[int, tuple[Any, ...]]]:
    raw = stream.read(MAX_BYTES + 1)
    if len(raw) > MAX_BYTES:
        raise Invalid({"file": ["文件太大，最多 5 MB"]})
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as packed:
            if sum(i.file_size for i in packed.infolist()) > MAX_UNPACKED:
                raise Invalid({"file": ["文件展开后太大"]})
        book = load_workbook(io.BytesIO(raw), read_only=True, data_only=False)
        lines = list(book.worksheets[0].iter_rows(max_row=MAX_ROWS + 10, max_col=len(HEADINGS)))
    except (zipfile.BadZipFile, InvalidFileException, KeyError, ValueError, OSError, EOFError) as error:
        raise Invalid({"file": ["不是 Excel（.xlsx）文件，或文件已损坏"]}) from error
    texts = [tuple(c.value for c in line) for line in lines]
    head = next((n for n, line in enumerate(texts) if _heading(line) == HEADINGS), None)
    if head is None:
        raise Invalid({"file": [f"没有找到附件1的表头：{'、'.join(HEADINGS)}"]})
    found = [(n + 1, line) for n, line in enumerate(texts) if n > head and any(v not in (None, "") for v in line[1:])]
    found = [(n, line) for n, line in found if not str(line[0] or "").startswith(("注", "备注", "填表"))]
    if len(found) > MAX_ROWS:
        raise Invalid({"file": [f"最多 {MAX_ROWS} 户"]})
    return found


def _heading(line: Sequence[Any]) -> tuple[str, ...]:
    return tuple("".join(str(v or "").split()) for v in line[: len(HEADINGS)])


def _places(conn: Connection, actor: Actor) -> dict[tuple[str, str], str]:
    """(street's name, community's name) -> code, in the actor's area."""
    rows = conn.execute(select(unit.c.code, unit.c.name, unit.c.level).where(unit.c.code.startswith(actor.unit[:9]))).all()
    streets = {code: name for code, name, level in conn.execute(select(unit.c.code, unit.c.name, unit.c.level)).all() if level in ("street", "zone")}
    return {(_short(streets.get(code[:9], "")), _short(name)): code for code, name, level in rows if level == "community"}


def _short(name: str) -> str:
    return "".join(name.split()).removesuffix("居委会").removesuffix("村委会").removesuffix("社区")


def _judge(row: Row, places: Mapping[tuple[str, str], str], keys: BoundKeys, conn: Connection, seen: set[str], today: Any) -> None:
    cells = dict(zip(HEADINGS, (*row.cells, *[None] * len(HEADINGS)), strict=False))
    if formulas := [name for name, v in cells.items() if isinstance(v, str) and v.startswith("=")]:
        row.errors |= {name: ["单元格是公式，请改为数值"] for name in formulas}
        return
    number = identity.normalise(str(cells["身份证号"] or ""))
    if why := identity.problem(number, today):
        row.errors["身份证号"] = [why]
    elif number in seen:
        row.errors["身份证号"] = ["本表内重复"]
    seen.add(number)
    name = "".join(str(cells["申请人"] or "").split())
    if not name or len(name) > 60:
        row.errors["申请人"] = ["请填写申请人姓名"]
    place = places.get((_short(str(cells["乡镇（街道）"] or "")), _short(str(cells["村（居委会）"] or ""))))
    if place is None:
        row.errors["村（居委会）"] = ["没有这个街镇和居村，或不在您的辖区"]
    row.data = {"name": name, "id_no": number, "community": place, **_figures(row, cells)}
    if not row.errors:
        row.known = conn.scalar(select(person.c.id).where(person.c.id_blind == keys.blind(number))) is not None


def _figures(row: Row, cells: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {"cause": str(cells["致困原因"] or "").strip()[:60], "property": str(cells["家庭财产"] or "").strip()[:500]}
    members = str(cells["家庭人口"] or "").strip().removesuffix("人").removesuffix(".0")
    if not (members.isascii() and members.isdecimal() and 1 <= int(members) <= 20):
        row.errors["家庭人口"] = ["家庭人口应为 1 至 20 的整数"]
    else:
        found["members"] = int(members)
    category = "".join(str(cells["救助类别"] or "").split())
    if category not in CATEGORIES:
        row.errors["救助类别"] = [f"应为：{'、'.join(CATEGORIES)}"]
    found["category"] = CATEGORIES.get(category)
    for heading, key in (("家庭收入", "income_fen"), ("保障金额", "amount_fen")):
        try:
            found[key] = money.parse(_plain(cells[heading]))
        except money.BadMoney as error:
            row.errors[heading] = [str(error)]
    return found


def _plain(value: Any) -> str:
    """Excel gives 660 as 660 or 660.0, and 660.5 as a binary fraction: text with two decimals, as it is shown."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return f"{value:.2f}" if round(value, 2) == value else repr(value)
    return str(value or "").strip()


def error_workbook(seen: Preview) -> bytes:
    """The lines with errors, as they came, and why in a last column; texts are never formulas."""
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append([*HEADINGS, "错误"])
    for row in seen.bad:
        why = "；".join(f"{column}：{'，'.join(texts)}" for column, texts in row.errors.items())
        sheet.append([_harmless(v) for v in row.cells] + [why])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _harmless(value: Any) -> Any:
    return "'" + value if isinstance(value, str) and value[:1] in "=+-@\t\r" else value


def commit(act: Act, seen: Preview, row: Row) -> bool:
    """Bring one line in, as an act of its own; False when its applicant is here already. Answers must be complete."""
    if seen.questions:
        raise Invalid({name: [f"请先回答：{text}"] for name, text in seen.questions.items()})
    data = row.data
    if act.conn.scalar(select(person.c.id).where(person.c.id_blind == act.keys.blind(data["id_no"]))) is not None:
        return False
    head = {"name": data["name"], "id_no": data["id_no"], "relation": "head", "income": _income(data)}
    others = [{"name": f"待登记成员{n}", "relation": "other", "placeholder": True} for n in range(2, data["members"] + 1)]
    household_id = households.register(act, {
        "community": data["community"], "hukou_kind": seen.options["hukou_kind"], "review_class": seen.options["review_class"],
        "hardship_cause": data["cause"], "members": [head, *others]})  # fmt: skip
    _benefit(act, household_id, data, seen.options["first_payment_month"])
    return True


def _income(data: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The list knows one figure for the whole household a month; it stands as the applicant's until the first visit."""
    return [{"kind": "other_income", "amount_fen": data["income_fen"], "period": "month"}] if data["income_fen"] else []


def _benefit(act: Act, household_id: int, data: Mapping[str, Any], month: str) -> None:
    record = act.new("benefit", data["community"][:9], subject=f"household:{household_id}")
    benefit_id = record.next_id()
    values = {"household_id": household_id, "category": data["category"], "amount_fen": data["amount_fen"], "status": "active",
              "first_payment_month": month, "members": data["members"], "law_version": law.version(act.today)}  # fmt: skip
    puts = [Put("benefit", benefit_id, values)]
    for person_id, blind in households.counted_members(act.conn, household_id, act.today):
        row = {"benefit_id": benefit_id, "person_id": person_id, "id_blind": blind, "active": True}
        puts.append(Put("benefit_person", record.next_id(), row, f"person:{person_id}"))
    act.append(record, "benefit_imported", puts=puts)
