"""A street's existing list, in the layout of annex 1 (附件1, domain 1.22), brought in as households with their benefits.

Nothing is guessed: hukou, review class and first month are asked for, for all lines or line by line; unnamed members
become placeholder persons. A list already decided is brought over, so nobody brings in a line that is himself or a near relative.
"""

from __future__ import annotations

import hashlib
import io
import re
import unicodedata
import zipfile
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, BinaryIO

from openpyxl import Workbook, load_workbook
from openpyxl.worksheet.formula import ArrayFormula, DataTableFormula
from sqlalchemy import Connection, select

from engine.crypto import BoundKeys
from engine.errors import Invalid, Refused
from engine.forms import folded
from engine.model import Actor
from engine.office import Act
from processes import benefits, documents, households, identity, law, money
from processes.tables import benefit, household, household_member, staff, staff_relative, unit

HEADINGS = ("序号", "申请人", "身份证号", "家庭人口", "乡镇（街道）", "村（居委会）", "家庭收入", "家庭财产", "救助类别", "保障金额", "致困原因",
            "入户核查结果", "备注")  # fmt: skip
CATEGORIES = {"低保": "dibao", "低收入": "low_income", "特困（集中）": "destitute_institutional", "特困（分散）": "destitute_dispersed"}
OPTIONS = {
    "hukou_kind": ("户籍类别（urban 城镇 / rural 农村）", r"urban|rural"),
    "review_class": ("复核类别（A / B / C）", r"[ABC]"),
    "first_payment_month": ("起发月份（如 2018-01）", r"20\d\d-(0[1-9]|1[0-2])"),
}
MAX_BYTES, MAX_UNPACKED, MAX_ROWS = documents.MAX_BYTES, 60 * 1024 * 1024, 5_000
MAX_TAGS = 1_000_000  # 5,000 full lines are half of it; 100 KB of cells in one row would cost half a minute and 2 GB
IMPORTERS = frozenset({"window_clerk", "civil_affairs_officer"})  # who enters data, and who organises the screening (domain 5.2)
_FORMULA = "（公式）"  # what stands in the error workbook instead of one
_TITLE_LINES = 10  # the heading stands within the first lines
_LIVE = ("pending_first_payment", "active", "suspended")
_MACROS = {"file": ["文件含有宏，请另存为不含宏的 .xlsx 后重新上传"]}
_TOO_MUCH = {"file": [f"文件展开后太大，一次最多 {MAX_ROWS} 户"]}
_UNREADABLE = {"file": ["不是 Excel（.xlsx）文件，或文件已损坏；旧的 .xls 文件请另存为 .xlsx"]}


@dataclass
class Row:
    """One line of the list: as read, what is wrong with it (column -> Chinese words), and whether it is here already."""

    number: int  # of the sheet
    cells: tuple[Any, ...] = field(repr=False)
    errors: dict[str, list[str]] = field(default_factory=dict)
    data: dict[str, Any] = field(default_factory=dict, repr=False)
    answers: dict[str, str] = field(default_factory=dict)  # hukou_kind, review_class, first_payment_month: as far as they were given
    home: tuple[int, str] | None = None  # (id, number) of the household with a benefit that the line is here as
    differs: dict[str, list[str]] = field(default_factory=dict)  # column -> what is here instead: a person looks, nothing is changed
    hints: list[str] = field(default_factory=list)  # worth a look; they stop nothing

    @property
    def known(self) -> bool:
        return self.home is not None

    @property
    def state(self) -> str:
        """new | known | differs | error"""
        return "error" if self.errors else "new" if self.home is None else "differs" if self.differs else "known"

    @property
    def questions(self) -> dict[str, str]:
        """What must still be answered before the line is brought in: name -> Chinese words."""
        return {name: text for name, (text, _) in OPTIONS.items() if name not in self.answers}


@dataclass
class Preview:
    rows: list[Row]
    production: bool = False
    digest: str = ""  # SHA-256 of the file: numbers of lines mean nothing without it

    @property
    def good(self) -> list[Row]:
        return [r for r in self.rows if r.state == "new"]

    @property
    def bad(self) -> list[Row]:
        return [r for r in self.rows if r.errors]

    @property
    def known(self) -> list[Row]:
        return [r for r in self.rows if r.known]

    @property
    def questions(self) -> dict[str, str]:
        """What some good line still lacks."""
        return {name: text for row in self.good for name, text in row.questions.items()}


def allow(actor: Actor) -> Actor:
    """The actor in those posts that bring in lists: each line is held against their area. Refused when he has none."""
    if actor.roles.isdisjoint(IMPORTERS):
        raise Refused("import-list", "名单由窗口经办人或民政专干导入", "Window clerks and civil affairs officers bring in lists")
    return actor.only(IMPORTERS)


def preview(stream: BinaryIO, conn: Connection, keys: BoundKeys, actor: Actor, options: Mapping[str, str | None], today: date,
            *, lines: Mapping[int, Mapping[str, str | None]] | None = None, production: bool = False) -> Preview:  # fmt: skip
    """Read and judge the list; nothing is written. `options`: hukou_kind, review_class, first_payment_month for all lines;
    `lines`: number of a line -> the same, where it differs."""
    raw = stream.read(MAX_BYTES + 1)
    rows = [Row(n, cells) for n, cells in _read(raw)]
    places, seen, own = Places(conn, actor), set[str](), own_people(conn, actor)
    for row in rows:
        _judge(row, places, seen, today, production=production)
        if not row.errors:
            _stand(row, conn, keys, actor, own)
    found = Preview(rows, production, hashlib.sha256(raw).hexdigest())
    answer(found, options, lines or {}, today)
    return found


def answer(seen: Preview, options: Mapping[str, str | None], lines: Mapping[int, Mapping[str, str | None]], today: date) -> None:
    """Write the answers to the lines: a line's own stands before the one for all. Invalid names what is no answer."""
    wrong = _unfit(options, "", today)
    for number, own in lines.items():
        wrong |= _unfit(own, f"{number}.", today)
    if unknown := sorted(set(lines) - {r.number for r in seen.rows}):
        wrong["rows"] = [_no_such(unknown)]
    if wrong:
        raise Invalid(wrong)
    for row in seen.rows:
        row.answers = {k: v for given in (options, lines.get(row.number, {})) for k, v in given.items() if v}


def choose(seen: Preview, numbers: Collection[int]) -> Preview:
    """The same preview, narrowed to some lines by their numbers in the sheet: the rest is left for another time."""
    if unknown := sorted(set(numbers) - {r.number for r in seen.rows}):
        raise Invalid({"rows": [_no_such(unknown)]})
    return replace(seen, rows=[r for r in seen.rows if r.number in numbers])


def _no_such(numbers: Sequence[int]) -> str:
    return f"名单中没有这些行：{'、'.join(map(str, numbers[:20]))}"


def unanswered(seen: Preview) -> dict[str, list[str]]:
    """Each question that a good line leaves open, as fields of Invalid: "5.hukou_kind" -> words."""
    return {f"{row.number}.{name}": [f"请先回答：{text}"] for row in seen.good for name, text in row.questions.items()}


def _unfit(given: Mapping[str, str | None], path: str, today: date) -> dict[str, list[str]]:
    """The answers that are none: path and name -> words."""
    said = {k: v for k, v in given.items() if v}
    wrong = {path + k: [f"应为{OPTIONS[k][0]}" if k in OPTIONS else "没有这一项"] for k, v in said.items()
             if k not in OPTIONS or not re.fullmatch(OPTIONS[k][1], v)}  # fmt: skip
    if not wrong and said.get("first_payment_month", "") > f"{today:%Y-%m}":
        wrong[path + "first_payment_month"] = ["在保家庭的起发月份不能晚于本月"]
    return wrong


# -- reading


def _read(raw: bytes) -> list[tuple[int, tuple[Any, ...]]]:
    """(line number, its 13 cells) of every household in the first sheet that is not hidden."""
    lines = lines_of(raw)
    return households_in(lines, _head(lines))


def lines_of(raw: bytes) -> list[tuple[Any, ...]]:
    """The lines of 13 cells of the first sheet that is not hidden, formulas as such. Invalid for what is no workbook, holds macros, or is too much."""
    if len(raw) > MAX_BYTES:
        raise Invalid({"file": ["文件太大，最多 8 MB"]})
    try:
        _guard(raw)
        book = load_workbook(io.BytesIO(raw), read_only=True, data_only=False)
        seen = next(one for one in book.worksheets if one.sheet_state == "visible")  # nobody looks for his list in a hidden one
        lines = list(seen.iter_rows(max_row=MAX_ROWS + _TITLE_LINES + 1, max_col=len(HEADINGS), values_only=True))
        book.close()
    except Invalid:
        raise
    except Exception as error:  # a damaged file makes openpyxl raise almost anything
        raise Invalid(_UNREADABLE) from error
    return lines


def households_in(lines: Sequence[tuple[Any, ...]], head: int) -> list[tuple[int, tuple[Any, ...]]]:
    """(line number, its cells) of what stands below the heading's last line, without notes and sums."""
    found = [(n, line) for n, line in enumerate(lines, start=1) if n > head and any(text_of(v) for v in line[1:])]
    found = [(n, line) for n, line in found if not str(line[0] or "").strip().startswith(("注", "备注", "填表", "合计"))]
    if len(found) > MAX_ROWS:
        raise Invalid({"file": [f"最多 {MAX_ROWS} 户"]})
    return found


def _guard(raw: bytes) -> None:
    """Before anything is unpacked: how large it says it is (zipfile reads no further), how much there is to parse,
    and no XML that defines entities. A part is XML by what it begins with, whatever it is called."""
    tags = 0
    with zipfile.ZipFile(io.BytesIO(raw)) as packed:
        parts = packed.infolist()
        if len(parts) > 500 or sum(p.file_size for p in parts) > MAX_UNPACKED:
            raise Invalid(_TOO_MUCH)
        for part in parts:
            if part.filename.lower().endswith(("vbaproject.bin", "vbadata.xml")):
                raise Invalid(_MACROS)
            plain = packed.read(part).replace(b"\0", b"")
            if plain.lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n")[:1] != b"<":
                continue
            if b"macroEnabled" in plain[:4000] and part.filename == "[Content_Types].xml":
                raise Invalid(_MACROS)
            tags += plain.count(b"<")
            if tags > MAX_TAGS:
                raise Invalid(_TOO_MUCH)
            if b"<!" in plain.replace(b"<!--", b"").replace(b"<![CDATA[", b""):
                raise Invalid(_UNREADABLE)


def _head(lines: Sequence[Sequence[Any]]) -> int:
    """The number of the heading's line; what differs from annex 1 is named."""
    for number, line in enumerate(lines[:_TITLE_LINES], start=1):
        said = tuple("".join(str(v or "").split()) for v in line[: len(HEADINGS)])
        if said == HEADINGS:
            return number
        if said[:1] == HEADINGS[:1]:
            wrong = [f"第 {n} 列应为“{want}”" for n, (want, got) in enumerate(zip(HEADINGS, said, strict=False), start=1) if want != got]
            raise Invalid({"file": ["表头与附件1不符：" + "，".join(wrong or [f"应有 {len(HEADINGS)} 列"])]})
    raise Invalid({"file": [f"前 {_TITLE_LINES} 行中没有找到附件1的表头：{'、'.join(HEADINGS)}"]})


class Places:
    """Names of streets and communities -> code of the community, in the actor's area."""

    def __init__(self, conn: Connection, actor: Actor) -> None:
        rows = conn.execute(select(unit.c.code, unit.c.name, unit.c.level, unit.c.parent_code)).all()
        self._streets = [(r.code, r.name) for r in rows if r.level in ("street", "zone")]
        self._communities = [(r.code, r.name, r.parent_code) for r in rows if r.level == "community"]
        self._actor = actor
        self._known: dict[tuple[str, str], tuple[str | None, dict[str, list[str]]]] = {}

    def find(self, street: str, community: str) -> tuple[str | None, dict[str, list[str]]]:
        """(code, {}) or (None, what is wrong). A short name counts when only one place can be meant."""
        if (street, community) not in self._known:
            self._known[street, community] = self._look(street, community)
        return self._known[street, community]

    def _look(self, street: str, community: str) -> tuple[str | None, dict[str, list[str]]]:
        here = _named(self._streets, street)
        if len(here) != 1:
            return None, {"乡镇（街道）": ["请填写街镇全称" if here else "没有这个街镇"]}
        found = _named([(code, name) for code, name, parent in self._communities if parent == here[0]], community)
        if len(found) != 1:
            return None, {"村（居委会）": ["这个街镇有几个同名的居村，请填写全称" if found else "这个街镇没有这个居村"]}
        if not self._actor.covers(found[0]):
            return None, {"村（居委会）": ["这个居村不在您的辖区"]}
        return found[0], {}


def _named(places: Sequence[tuple[str, str]], said: str) -> list[str]:
    """Codes of the places that are called so: in full, else without the office's name, else without the kind of place."""
    name = "".join(said.split())
    for shorter in (str, _place, _bare):
        if found := [code for code, own in places if shorter(name) and shorter(own) == shorter(name)]:
            return found
    return []


def _place(name: str) -> str:
    return re.sub(r"(办事处|人民政府|居委会|村委会|居民委员会|村民委员会)$", "", name)


def _bare(name: str) -> str:
    return re.sub(r"(街道|镇|社区|村)$", "", _place(name))


# -- judging


def _judge(row: Row, places: Places, seen: set[str], today: date, *, production: bool) -> None:
    cells = dict(zip(HEADINGS, (*row.cells, *[None] * len(HEADINGS)), strict=False))
    del cells["序号"]  # a running number, in many lists a formula; nothing is taken from it
    if formulas := [name for name, v in cells.items() if isinstance(v, (ArrayFormula, DataTableFormula)) or text_of(v).startswith("=")]:
        row.errors |= {name: ["单元格是公式，请改为数值"] for name in formulas}
        return
    name = "".join(text_of(cells["申请人"]).split())
    if not name or len(name) > 60:
        row.errors["申请人"] = ["请填写申请人姓名，最多 60 字"]
    number = _number(row, cells["身份证号"], seen, today, production=production)
    place, wrong = places.find(text_of(cells["乡镇（街道）"]), text_of(cells["村（居委会）"]))
    row.errors |= wrong
    row.data = {"name": name, "id_no": number, "community": place, **_figures(row, cells), **_texts(row, cells)}


def _number(row: Row, value: Any, seen: set[str], today: date, *, production: bool) -> str:
    number = identity.normalise(text_of(value))
    if isinstance(value, (int, float)):
        row.errors["身份证号"] = ["单元格是数字格式，会丢失末几位，请改为文本格式后重新填写"]
    elif why := identity.problem(number, today, production=production):
        row.errors["身份证号"] = [why]
    elif number in seen:
        row.errors["身份证号"] = ["本表内重复"]
    seen.add(number)
    return number


def _figures(row: Row, cells: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    members = folded(text_of(cells["家庭人口"])).removesuffix("人").removesuffix(".0")
    if members.isascii() and members.isdecimal() and len(members) < 3 and 1 <= int(members) <= 20:
        found["members"] = int(members)
    else:
        row.errors["家庭人口"] = ["家庭人口应为 1 至 20 的整数"]
    category = "".join(text_of(cells["救助类别"]).split()).replace("(", "（").replace(")", "）")
    if category not in CATEGORIES:
        row.errors["救助类别"] = [f"应为：{'、'.join(CATEGORIES)}"]
    found["category"] = CATEGORIES.get(category)
    for heading, key in (("家庭收入", "income_fen"), ("保障金额", "amount_fen")):
        try:
            found[key] = money.parse(_plain(cells[heading]))
        except money.BadMoney as error:
            row.errors[heading] = [str(error)]
    if found.get("amount_fen") == 0:
        row.errors["保障金额"] = ["在保家庭的保障金额应大于 0"]
    return found


def _texts(row: Row, cells: Mapping[str, Any]) -> dict[str, Any]:
    cause = text_of(cells["致困原因"])
    if not cause or len(cause) > 60:
        row.errors["致困原因"] = ["请填写致困原因，最多 60 字"]
    said = {"property": "家庭财产", "survey_result": "入户核查结果", "remarks": "备注"}
    found = {key: text_of(cells[heading]) for key, heading in said.items()}
    row.errors |= {said[key]: ["文字太长，最多 500 字"] for key, text in found.items() if len(text) > 500}
    if not all(re.search(words, found["remarks"]) for words in ("享受", "困难", "近亲属")):
        row.hints.append("备注应写明三点：另享受的政策、保障后是否仍有困难、近亲属是否享受救助")
    try:
        assets = money.parse(_plain(cells["家庭财产"]).removesuffix("元")) if found["property"] else 0
    except money.BadMoney:
        assets = 0  # words; kept as they are
    return {"cause": cause, **found, "assets_fen": assets}


def text_of(value: Any) -> str:
    """A cell as clean text: NFC, no control characters."""
    said = unicodedata.normalize("NFC", "" if value is None else str(value)).replace("\n", " ")
    return "".join(c for c in said if c.isprintable()).strip()


def _plain(value: Any) -> str:
    """Excel gives 660 as 660 or 660.0, and 660.5 as a binary fraction: text with two decimals, as it is shown."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return f"{value:.2f}" if value == value and round(value, 2) == value else repr(value)  # noqa: PLR0124 - not a number differs from itself
    return text_of(value)


def own_people(conn: Connection, actor: Actor) -> frozenset[str]:
    """Blind indexes of the staff member himself and of his declared near relatives (N220 art 14)."""
    query = select(staff.c.person_blind, staff_relative.c.id_blind).outerjoin(staff_relative, staff_relative.c.staff_id == staff.c.id)
    return frozenset(blind for row in conn.execute(query.where(staff.c.login == actor.id)) for blind in row if blind)


def _stand(row: Row, conn: Connection, keys: BoundKeys, actor: Actor, own: Collection[str]) -> None:
    """Whether the applicant is here: with his benefit the line is known; in any other way a person must look."""
    if keys.blind(row.data["id_no"]) in own:
        row.errors["身份证号"] = ["申请人是您本人或您申报的近亲属，请由其他人员导入"]
        return
    person_id = households.known_person(conn, keys, row.data["id_no"])
    if person_id is None:
        return
    query = select(household, benefit.c.id.label("benefit"), benefit.c.category, benefit.c.amount_fen, benefit.c.members)
    query = query.join(household_member, household_member.c.household_id == household.c.id)
    query = query.outerjoin(benefit, (benefit.c.household_id == household.c.id) & benefit.c.status.in_(_LIVE))
    found = conn.execute(query.where(household_member.c.person_id == person_id, household_member.c.to_on.is_(None))).first()
    if found is None:
        row.errors["身份证号"] = ["此人曾登记，现不在任何家庭，请在系统中办理"]
    elif not actor.covers(found.community):
        row.errors["身份证号"] = ["此人已登记在您辖区以外的家庭，请先与区民政局核实"]
    elif found.applicant_id != person_id:
        row.errors["身份证号"] = [f"此人已登记为家庭 {found.no} 的成员"]
    elif found.benefit is None:
        row.errors["身份证号"] = [f"此人的家庭 {found.no} 已登记，尚无在保待遇，请在系统中办理"]
    else:
        row.home, row.differs = (found.id, found.no), _differences(row.data, found)


def _differences(data: Mapping[str, Any], here: Any) -> dict[str, list[str]]:
    """Where the list and the system disagree about a household that is here: column -> what the system says."""
    named = {code: word for word, code in CATEGORIES.items()}
    found = {
        "家庭人口": (data["members"], here.members, f"{here.members}"),
        "救助类别": (data["category"], here.category, named.get(here.category, here.category)),
        "保障金额": (data["amount_fen"], here.amount_fen, money.yuan(here.amount_fen)),
        "村（居委会）": (data["community"], here.community, "另一居村"),
    }
    return {column: [f"系统中为 {said}"] for column, (listed, known, said) in found.items() if listed != known}


def error_workbook(seen: Preview) -> bytes:
    """The lines with errors under the headings of annex 1, so that the mended file can be brought in."""
    return error_book([[*HEADINGS, "错误"]], [((*row.cells, *[None] * (len(HEADINGS) - len(row.cells))), in_columns(row.errors)) for row in seen.bad])


def in_columns(errors: Mapping[str, Sequence[str]]) -> str:
    """What is wrong with a line, column by column, as its last cell says it."""
    return "；".join(f"{column}：{'，'.join(texts)}" for column, texts in errors.items())


def error_book(heads: Sequence[Sequence[str | None]], lines: Iterable[tuple[Sequence[Any], str]]) -> bytes:
    """An error workbook (.xlsx) of any list: the lines of its heading, then (cells as they came, why) with the reason in a last column. Texts are
    never formulas, and stay texts when somebody mends them: a spreadsheet keeps no more than 15 digits of a number."""
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for head in heads:
        sheet.append(list(head))
    for cells, why in lines:
        sheet.append([harmless(v) for v in cells] + [why])
        for cell in sheet[sheet.max_row]:
            if isinstance(cell.value, str):
                cell.number_format = "@"
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def harmless(value: Any) -> Any:
    """A cell as it may stand in a workbook that we write: texts are never formulas, formulas are named and not repeated."""
    if isinstance(value, (ArrayFormula, DataTableFormula)):
        return _FORMULA
    if not isinstance(value, str):
        return value
    said = "".join(c for c in value if c.isprintable())
    return "'" + said if said[:1] in "=+-@" and said else said


# -- bringing in


def commit(act: Act, seen: Preview, row: Row) -> int | None:
    """Bring one line in, as an act of its own: the household's id, or None when it is here already. Answers must be complete."""
    if row.errors:
        raise Invalid(row.errors)
    if row.questions:
        raise Invalid({name: [f"请先回答：{text}"] for name, text in row.questions.items()})
    data, given = row.data, row.answers
    households.hold(act, [data["id_no"]])
    now = Row(row.number, row.cells, data=data)
    _stand(now, act.conn, act.keys, act.actor, own_people(act.conn, act.actor))  # somebody may have been faster
    if now.known:
        return None
    if now.errors:
        raise Invalid(now.errors)
    head = {"name": data["name"], "id_no": data["id_no"], "relation": "head", "income": _income(data)}
    others = [{"name": f"{identity.PLACEHOLDER}{n}", "relation": "other", "placeholder": True} for n in range(2, data["members"] + 1)]
    household_id = households.register(act, {
        "community": data["community"], "hukou_kind": given["hukou_kind"], "review_class": given["review_class"],
        "hardship_cause": data["cause"], "members": [head, *others], "property": _assets(data)}, production=seen.production)  # fmt: skip
    _keep_words(act, household_id, row, seen.digest)
    _benefit(act, household_id, data, given["first_payment_month"])
    return household_id


def _income(data: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The list knows one figure for the whole household a month; it stands as the applicant's until the first visit."""
    return [{"kind": "other_income", "amount_fen": data["income_fen"], "period": "month"}] if data["income_fen"] else []


def _assets(data: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{"kind": "monetary_assets", "amount_fen": data["assets_fen"]}] if data["assets_fen"] else []


def _keep_words(act: Act, household_id: int, row: Row, digest: str) -> None:
    """Property in words, the visit's result and the remarks: in the household's encrypted payload, as they were listed.
    The entry says from which line of which file the household came."""
    words = {key: row.data[key] for key in ("property", "survey_result", "remarks") if row.data[key]}
    record = act.open("household", household_id)
    act.append(record, "household_listed", {"line": row.number, "list": digest}, personal={f"household:{household_id}": words} if words else {})


def _benefit(act: Act, household_id: int, data: Mapping[str, Any], month: str) -> None:
    values = {"household_id": household_id, "category": data["category"], "amount_fen": data["amount_fen"], "status": "active",
              "first_payment_month": month, "members": data["members"], "law_version": law.version(act.today)}  # fmt: skip
    benefits.begin(act, "benefit_imported", values, {})
