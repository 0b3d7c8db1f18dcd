"""附件1 and 附件2, 《滨海新区社会救助家庭排查情况统计表》, as the paper prints them: from the data, for a unit and a day (domain 1.22, 1.23).

Headings and kinds of assistance are those that `import_annex1` reads: a full annex 1 can be brought in again.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

from openpyxl import Workbook
from openpyxl.styles import Alignment, Border, Font, Side
from openpyxl.utils import get_column_letter
from sqlalchemy import Connection, func, select

from engine.crypto import BoundKeys
from engine.errors import Invalid, NotFound, Refused
from engine.model import Actor
from engine.office import Act, history
from processes import eligibility, erasure, households, identity, in_benefit, ledger_stays, money, readers, screening
from processes.dibao_2012_forms import REASONS
from processes.eligibility_facts import PROPERTY, BadFacts
from processes.import_annex1 import CATEGORIES
from processes.import_annex1 import HEADINGS as OF_ANNEX_1
from processes.screening_forms import ASSISTANCE, CAUSES, REFUSED, RESULTS
from processes.tables import household, household_member, person, staff, unit

HEADINGS = {1: OF_ANNEX_1, 2: (*OF_ANNEX_1[:8], "申请救助时间", "申请救助类别", "未批准救助原因", "入户核查结果")}
CHECKED = ("核查结果（是否达到救助条件、并注明享受何种救助）", "调查人")  # under the last heading of annex 2
TITLES = {1: "滨海新区社会救助家庭排查情况统计表（在保）", 2: "滨海新区社会救助家庭排查情况统计表（2018年申请社会救助审批未通过）"}
NOTE_1 = ("备注：“备注”栏须注明：1.除城乡低保、低收入、特困供养外，是否享受其他救助政策；2.保障后是否仍存在困难；3.近亲属是否享受社会救助。",)
BLANK_ROWS = 7  # of annex 2 as printed
FULL = frozenset({"window_clerk", "civil_affairs_officer", "reviewer", "street_leader", "district_examiner", "approver", "supervisor"})
HIDDEN = "****"
_UNSEEN, _UNSAID = "未入户核查", "未填写"
_CATEGORY = {code: zh for zh, code in CATEGORIES.items()}
_PROGRAMMES = {"dibao": "低保", "low_income": "低收入", "destitute": "特困", "illness_expenditure": "支出型困难家庭"}
_CAUSE, _ASSISTANCE, _RESULT = ({code: zh for code, zh, _ in listed} for listed in (CAUSES, ASSISTANCE, RESULTS))
_REASON = {code: zh for code, zh, *_ in REASONS}
Cell = str | int | Decimal | None


@dataclass(frozen=True, slots=True)
class Annex:
    """An annex of a unit and a day. rows: the cells in the order of the leaf columns; money is Decimal yuan."""

    number: int
    unit: str
    unit_name: str
    on: date
    full: bool
    rows: list[tuple[Cell, ...]]

    @property
    def title(self) -> str:
        return TITLES[self.number]

    @property
    def notes(self) -> tuple[str, ...]:
        return NOTE_1 if self.number == 1 else ()


def make(conn: Connection, keys: BoundKeys, actor: Actor, number: int, unit_code: str, on: date, today: date, *, full: bool) -> Annex:
    """`number`: 1 or 2. NotFound for a unit that is none or that the actor does not read; Refused when he may have it masked only."""
    name = conn.scalar(select(unit.c.name).where(unit.c.code == unit_code, unit.c.level != "department"))
    if name is None or not readers.of_cases(actor).covers(unit_code):
        raise NotFound("没有这个机构")
    if on > today:
        raise Invalid({"on": ["不能晚于今天"]})
    if full and actor.post_over(unit_code, FULL) is None:
        raise Refused("annex-full", "您的岗位只能查看隐去个人信息的统计表", "Your post may have this table masked only")
    rows = _annex1(conn, keys, unit_code, on, full=full) if number == 1 else _annex2(conn, keys, unit_code, on, full=full)
    return Annex(number, unit_code, name, on, full, rows)


def unit_of(actor: Actor, unit_code: str | None) -> str:
    """The unit that was asked for, else the actor's only one. Refused to who reads no cases anywhere."""
    areas = readers.of_cases(actor).areas
    if not areas:
        raise Refused("annex", "您的岗位不能查看排查统计表", "Your post does not read these tables")
    if not unit_code and len(areas) > 1:
        raise Invalid({"unit": ["请选择机构"]})
    return unit_code or areas[0]


def note(act: Act, made: Annex) -> None:
    """Who takes a full annex reads the numbers of all these people: it stands in his reading log."""
    readers.note(act, "annex_read", {"annex": made.number, "unit": made.unit, "on": made.on.isoformat(), "rows": len(made.rows)})


# -- the rows


def _annex1(conn: Connection, keys: BoundKeys, area: str, on: date, *, full: bool) -> list[tuple[Cell, ...]]:
    found = in_benefit.on(conn, area, on)
    known = _Known(conn, keys, [one["household_id"] for one in found], on, full=full)
    rows: list[tuple[Cell, ...]] = []
    for n, one in enumerate(found, start=1):
        home = one["household_id"]
        visit = known.visits.get(home)
        rows.append((n, *known.head(home, one["person_id"] or one["applicant_id"], one["members"]), _CATEGORY[one["category"]], Decimal(one["amount_fen"]) / 100,
                     known.cause(home, visit), known.result(home, visit), known.remark(home, visit)))  # fmt: skip
    return rows


def _annex2(conn: Connection, keys: BoundKeys, area: str, on: date, *, full: bool) -> list[tuple[Cell, ...]]:
    asked = screening.refused(conn, "", on)
    homes = {one["facts"]["household_id"] for one in asked}
    places = ledger_stays.communities(conn, homes, on)
    asked = [one for one in asked if places[one["facts"]["household_id"]].startswith(area)]
    asked.sort(key=lambda one: (places[one["facts"]["household_id"]], one["facts"]["applied_on"], one["no"]))
    here = {row.id: row for row in conn.execute(select(household.c.id, household.c.applicant_id).where(household.c.id.in_(sorted(homes))))}
    known = _Known(conn, keys, [one["facts"]["household_id"] for one in asked], on, full=full, populations=(REFUSED,))
    now = {one["household_id"]: one["category"] for one in in_benefit.on(conn, area, on)}
    rows: list[tuple[Cell, ...]] = []
    for n, one in enumerate(asked, start=1):
        facts, home = one["facts"], one["facts"]["household_id"]
        visit = known.visits.get(home)
        rows.append((n, *known.head(home, facts.get("person_id") or here[home].applicant_id, 0), str(facts["applied_on"])[:10],
                     _PROGRAMMES.get(str(facts.get("programme")), str(facts.get("programme") or "")), known.reason(one["id"]),
                     known.qualifies(home, visit, now.get(home)), known.visitors(visit)))  # fmt: skip
    return rows


class _Known:
    """What the rows say of some households, read together."""

    def __init__(self, conn: Connection, keys: BoundKeys, homes: Sequence[int], on: date, *, full: bool, populations: Sequence[str] = ()) -> None:
        self.conn, self.keys, self.on, self.full = conn, keys, on, full
        ids = sorted(set(homes))
        self.visits = screening.latest(conn, ids, on, populations)
        self.snapshots: dict[int, dict[str, Any]] = {}
        self.houses: dict[int, Mapping[Any, Any]] = {}
        for start in range(0, len(ids), 500):
            some = ids[start : start + 500]
            self.snapshots |= households.snapshots(conn, keys, some, on)
            self.houses |= {row["id"]: row for row in conn.execute(select(household).where(household.c.id.in_(some))).mappings()}
        subjects = [f"household:{home}" for home in ids] + [f"person:{house['applicant_id']}" for house in self.houses.values()]
        self.restricted = erasure.restricted(conn, subjects)
        codes = {row["community"] for row in self.houses.values()} | {row["street"] for row in self.houses.values()}
        self.units = {row.code: row.name for row in conn.execute(select(unit.c.code, unit.c.name).where(unit.c.code.in_(sorted(codes))))}
        self._said: dict[int, dict[str, Any]] = {}

    def plain(self, home: int) -> bool:
        """Whether the row shows names, numbers, causes and words: nobody works with restricted data."""
        return self.full and self.restricted.isdisjoint({f"household:{home}", f"person:{self.houses[home]['applicant_id']}"})

    def head(self, home: int, person_id: int, members: int) -> tuple[Cell, ...]:
        """Columns 2 to 8: applicant, ID, members, street, community, income a month, property."""
        house = self.houses[home]
        who = self.conn.execute(select(person).where(person.c.id == person_id)).mappings().one()
        number = self.keys.reveal("person", "id_no", person_id, who["id_no"]) if who["id_no"] else ""
        plain = self.plain(home)
        return (who["name"] if plain else identity.mask_name(who["name"]), number if plain else identity.mask(number), self._size(home) or members,
                self.units.get(house["street"], house["street"]), self.units.get(house["community"], house["community"]), self._income(home), self._property(home))  # fmt: skip

    def _size(self, home: int) -> int:
        """Members on the day; who was registered on a later day was there before."""
        m = household_member.c
        first = self.conn.scalar(select(func.min(m.from_on)).where(m.household_id == home)) or ""
        day = max(self.on.isoformat(), first)
        return self.conn.scalar(select(func.count()).where(m.household_id == home, m.from_on <= day, m.to_on.is_(None) | (m.to_on > day))) or 0

    def _income(self, home: int) -> Cell:
        """Counted income of the household a month, as its figures stand; empty where they give none."""
        try:
            exact = Fraction(eligibility.measured(self.snapshots[home])["income_exact"])
        except (BadFacts, KeyError, ValueError):
            return None
        return Decimal(money.to_fen(exact)) / 100

    def _property(self, home: int) -> str:
        """Money in yuan, then words for house and car; who has neither, as the list had it, or none."""
        owned = self.snapshots[home]["property"]
        cash = sum((Decimal(one["amount"]) for one in owned if one["kind"] == "monetary_assets" and "amount" in one), Decimal())
        parts: list[str] = list((f"{cash:.2f}元",) if cash else ())
        parts += [f"{zh}{n}处" if kind in ("dwelling", "non_residential") else f"{zh}{n}项" for kind, zh in PROPERTY.items() if kind != "monetary_assets" and (n := sum(one["kind"] == kind for one in owned))]
        if not owned and self.plain(home):
            return str(self.listed(home).get("property") or "无")
        return "；".join(parts) or "无"

    def listed(self, home: int) -> dict[str, Any]:
        """The words of the list by which the household came, if it came by one."""
        if home not in self._said:
            entries = history(self.conn, self.keys, home) if self.houses[home]["id"] not in self.visits or not self.snapshots[home]["property"] else ()
            parts = [part for entry in entries if entry.event == "household_listed" for part in entry.personal.values() if part and part.get("said")]
            self._said[home] = dict(parts[0]["said"]) if parts else {}
        return self._said[home]

    def cause(self, home: int, visit: Mapping[Any, Any] | None) -> str:
        if not self.plain(home):
            return HIDDEN
        if visit is not None and (said := screening.words(self.keys, visit)["causes"]):
            return "、".join(_CAUSE[code] for code in said)
        return self.keys.reveal("household", "hardship_cause", home, self.houses[home]["hardship_cause"]) or "未登记"

    def result(self, home: int, visit: Mapping[Any, Any] | None) -> str:
        if visit is None:
            return str(self.listed(home).get("survey_result") or _UNSEEN) if self.plain(home) else _UNSEEN
        text = screening.words(self.keys, visit)["result_text"]
        return _RESULT.get(visit["result"], _UNSAID) + (f"（{text}）" if text and self.plain(home) else "")

    def remark(self, home: int, visit: Mapping[Any, Any] | None) -> str:
        """The three points of the note: other policies, hardship that remains, near relatives."""
        if visit is None:
            words = self.listed(home).get("remarks") if self.plain(home) else None
            return str(words) if words else f"1.另享受：{_UNSEEN}；2.保障后仍有困难：{_UNSEEN}；3.近亲属享受社会救助：{_UNSEEN}"
        said = screening.words(self.keys, visit)
        if visit["still_hardship"] is None:  # brought in from annex 2, which does not ask
            return f"1.另享受：{self._enjoyed(home, said) or '无'}；2.保障后仍有困难：{_UNSAID}；3.近亲属享受社会救助：{_UNSAID}"
        hard = "是" + (f"（{said['hardship_text']}）" if said["hardship_text"] and self.plain(home) else "") if visit["still_hardship"] else "否"
        near = ("是" if visit["relatives_on_assistance"] else "否") + ("（系经办人员或居村委会成员近亲属）" if visit["relative_of_staff"] else "")
        return f"1.另享受：{self._enjoyed(home, said) or '无'}；2.保障后仍有困难：{hard}；3.近亲属享受社会救助：{near}"

    def _enjoyed(self, home: int, said: Mapping[str, Any]) -> str:
        """Which; of who is hidden only that there is some: a subsidy can tell of an illness."""
        if said["assistance"] and not self.plain(home):
            return "有"
        return "、".join(_ASSISTANCE[code] for code in said["assistance"])

    def qualifies(self, home: int, visit: Mapping[Any, Any] | None, now: str | None) -> str:
        """Does it qualify now, and which assistance is enjoyed (12a)."""
        if visit is None:
            return _UNSEEN
        said = screening.words(self.keys, visit)
        parts = ["达到条件" if visit["qualifies"] else "未达到条件", f"已纳入{_CATEGORY[now]}" if now else "",
                 f"享受{self._enjoyed(home, said)}" if said["assistance"] and self.plain(home) else "另享受其他救助" if said["assistance"] else ""]  # fmt: skip
        return "，".join(part for part in parts if part)

    def reason(self, case_id: int) -> str:
        """Why it was refused, as the last decision or opinion of the case that names a reason has it."""
        said = [part["said"].get("answers", {}) for entry in history(self.conn, self.keys, case_id) for part in entry.personal.values() if part and part.get("said")]
        return next((_REASON.get(answers["reason_code"], answers["reason_code"]) for answers in reversed(said) if answers.get("reason_code")), "")

    def visitors(self, visit: Mapping[Any, Any] | None) -> str:
        if visit is None:
            return ""
        logins = (visit["first_visitor"], visit["second_visitor"])
        names = {row.login: row.name for row in self.conn.execute(select(staff.c.login, staff.c.name).where(staff.c.login.in_(logins)))}
        return "、".join(names.get(login, login) for login in logins)


# -- the workbook


_THIN = Side(style="thin")
_BOX, _MIDDLE = Border(left=_THIN, right=_THIN, top=_THIN, bottom=_THIN), Alignment(horizontal="center", vertical="center", wrap_text=True)
_WIDTHS = (6, 10, 22, 8, 14, 16, 12, 18, 12, 12, 16, 26, 40)


def workbook(made: Annex) -> bytes:
    """The annex as xlsx: texts are texts (no formula, no number that loses digits), money has two decimals."""
    book = Workbook()
    sheet: Any = book.active
    sheet.title = f"附件{made.number}"
    sheet.page_setup.orientation, sheet.page_setup.paperSize, sheet.page_setup.fitToHeight = "landscape", 9, 0
    sheet.sheet_properties.pageSetUpPr.fitToPage = True
    columns = len(OF_ANNEX_1)
    sheet.append((f"附件{made.number}",))
    sheet.append((made.title,))
    sheet.append((f"单位：{made.unit_name}　　统计日期：{made.on.isoformat()}",))
    for line in (2, 3):
        sheet.merge_cells(start_row=line, end_row=line, start_column=1, end_column=columns)
    sheet["A2"].alignment, sheet["A2"].font = _MIDDLE, Font(bold=True, size=16)
    last = _headings(sheet, made.number)
    rows = made.rows + [(None,) * columns] * (max(0, BLANK_ROWS - len(made.rows)) if made.number == 2 else 0)
    for number, row in enumerate(rows, start=last + 1):
        for column, value in enumerate(row, start=1):
            _put(sheet.cell(number, column), value)
    for number, text in enumerate(made.notes, start=last + len(rows) + 1):
        sheet.cell(number, 1, text).alignment = Alignment(wrap_text=True, vertical="top")
        sheet.merge_cells(start_row=number, end_row=number, start_column=1, end_column=columns)
    for column, width in enumerate(_WIDTHS, start=1):
        sheet.column_dimensions[get_column_letter(column)].width = width
    sheet.freeze_panes, sheet.print_title_rows = f"A{last + 1}", f"4:{last}"
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _headings(sheet: Any, number: int) -> int:
    """Write the headings; the line of the last one. Annex 2 has two: all but the last heading stand over both."""
    for column, text in enumerate(HEADINGS[number], start=1):
        _put(sheet.cell(4, column), text, head=True)
    if number == 1:
        return 4
    for column, text in enumerate(CHECKED, start=len(HEADINGS[2])):
        _put(sheet.cell(5, column), text, head=True)
    for column in range(1, len(HEADINGS[2])):
        sheet.merge_cells(start_row=4, end_row=5, start_column=column, end_column=column)
    sheet.merge_cells(start_row=4, end_row=4, start_column=len(HEADINGS[2]), end_column=len(HEADINGS[2]) + 1)
    return 5


def _put(cell: Any, value: Cell, *, head: bool = False) -> None:
    if isinstance(value, str):
        cell.value = "".join(c for c in value if c.isprintable())
        cell.data_type, cell.number_format = "s", "@"  # "=1+1" is a name like another
    elif value is not None:
        cell.value = value
        cell.number_format = "0.00" if isinstance(value, Decimal) else "0"
    cell.border, cell.alignment, cell.font = _BOX, _MIDDLE, Font(bold=head)
