"""Filled-in annexes 1 and 2 (附件1、附件2, domain 1.22, 1.23) brought back as screening visits, each line judged by itself.

A line is matched by its ID number to a registered household of the importer's area. What an annex does not say (the day of the visit, and of
annex 1 who visited) is asked for; nothing is guessed. A visit counts when both visitors have answered for it themselves (decisions 058, 067).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any, BinaryIO

from openpyxl.worksheet.formula import ArrayFormula, DataTableFormula
from sqlalchemy import Connection, select

from engine.cases import Cases
from engine.crypto import BoundKeys
from engine.errors import Invalid, NotFound, Refused
from engine.forms import folded
from engine.model import Actor
from engine.office import Act
from processes import erasure, households, identity, in_benefit, organisation, screening
from processes.annexes import CHECKED, HEADINGS
from processes.import_annex1 import MAX_BYTES, Places, error_book, households_in, in_columns, lines_of, text_of
from processes.screening_forms import ASSISTANCE, CAUSES, IN_BENEFIT, OLDEST, REFUSED, RESULTS
from processes.screening_tables import screening as visit
from processes.tables import benefit, household, household_member, person, post, staff

IMPORTERS = frozenset({"civil_affairs_officer", "window_clerk", "village_committee", "investigator"})  # who visits, and reads households
POPULATION = {1: IN_BENEFIT, 2: REFUSED}
STATES = ("new", "known", "differs", "blank", "error")
OPTIONS: Mapping[int, Mapping[str, str]] = {
    1: {"visited_on": "走访日期（如 2018-12-03）", "first_visitor": "调查人登录名", "second_visitor": "第二名调查人登录名"},
    2: {"visited_on": "走访日期（如 2018-12-03）"},
}
LEAVES = {1: HEADINGS[1], 2: (*HEADINGS[2][:11], *CHECKED)}  # the columns of the lines
_COLUMN = {1: {"visited_on": "入户核查结果", "first_visitor": "入户核查结果", "second_visitor": "入户核查结果"}, 2: {"visited_on": CHECKED[0], "first_visitor": CHECKED[1], "second_visitor": CHECKED[1]}}
_TITLE_LINES = 10
_CAUSE, _HELP, _RESULT = ({zh: code for code, zh, _ in listed} for listed in (CAUSES, ASSISTANCE, RESULTS))
_NOTHING = frozenset({"", "无", "否", "没有", "未享受", "无其他救助"})
_UNSEEN = "未入户核查"
_REMARK = re.compile(r"[1１][.．、](?:另享受|另享受其他救助政策)[:：](?P<other>.*?)[;；][2２][.．、](?:保障后仍有困难|保障后是否仍有困难)[:：](?P<hard>.*?)[;；][3３][.．、](?:近亲属享受社会救助|近亲属是否享受社会救助)[:：](?P<near>.*?)[。;；]?", re.DOTALL)
_REMARK_LIKE = "1.另享受：医疗救助；2.保障后仍有困难：是（大病自费）；3.近亲属享受社会救助：否"
_NEAR = re.compile(r"(?P<said>[是否])(?P<staff>[（(](?:系)?经办人员或居村委会成员近亲属[）)])?")
_YES, _NO = ("达到条件", "达到救助条件", "符合条件", "符合救助条件"), ("未达到条件", "未达到救助条件", "不符合条件", "不符合救助条件")


@dataclass
class Row:
    """One line: as read, what is wrong with it (column -> Chinese words), what it says as a visit, and how it stands to what is here."""

    number: int
    cells: tuple[Any, ...] = field(repr=False)
    errors: dict[str, list[str]] = field(default_factory=dict)
    said: dict[str, Any] = field(default_factory=dict, repr=False)
    home: tuple[int, str, str] | None = None  # (id, number, community)
    name: str = field(default="", repr=False)
    blank: bool = False  # nobody visited: nothing was filled in
    known: bool = False
    differs: dict[str, list[str]] = field(default_factory=dict)
    hints: list[str] = field(default_factory=list)
    answers: dict[str, str] = field(default_factory=dict)

    @property
    def state(self) -> str:
        """new | known | differs | blank | error"""
        return "error" if self.errors else "blank" if self.blank else "known" if self.known else "differs" if self.differs else "new"


@dataclass
class Preview:
    annex: int
    rows: list[Row]
    digest: str = ""

    @property
    def good(self) -> list[Row]:
        return [row for row in self.rows if row.state == "new"]

    @property
    def bad(self) -> list[Row]:
        return [row for row in self.rows if row.errors]

    @property
    def questions(self) -> dict[str, str]:
        """What some good line still lacks: name -> Chinese words."""
        return {name: text for name, text in OPTIONS[self.annex].items() if any(name not in row.answers for row in self.good)}


def allow(actor: Actor) -> Actor:
    """The actor in those posts that bring in annexes. Refused when he has none."""
    if actor.roles.isdisjoint(IMPORTERS):
        raise Refused("import-annex", "填好的统计表由民政专干、窗口经办人、调查人或居村委会成员导入", "Civil affairs officers, clerks, investigators and committee members bring in filled-in annexes")
    return actor.only(IMPORTERS)


def preview(stream: BinaryIO, conn: Connection, keys: BoundKeys, actor: Actor, options: Mapping[str, str | None], today: date,
            *, lines: Mapping[int, Mapping[str, str | None]] | None = None, production: bool = False) -> Preview:  # fmt: skip
    """Read and judge an annex of either kind; nothing is written. `options`: visited_on, and of annex 1 first_visitor and second_visitor, for
    all lines; `lines`: number of a line -> the same, where it differs."""
    raw = stream.read(MAX_BYTES + 1)
    sheet = lines_of(raw)
    annex, head = _head(sheet)
    found = Preview(annex, [Row(n, (*cells, *[None] * (13 - len(cells)))) for n, cells in households_in(sheet, head)], hashlib.sha256(raw).hexdigest())
    if not found.rows:
        raise Invalid({"file": ["表头下没有填写任何家庭"]})
    judge = _Judge(conn, keys, actor, annex, today, production=production)
    for row in found.rows:
        judge.line(row)
    _answered(found, options, lines or {})
    for row in found.rows:
        judge.stands(row)
    return found


def _answered(seen: Preview, options: Mapping[str, str | None], lines: Mapping[int, Mapping[str, str | None]]) -> None:
    wrong = dict[str, list[str]]()
    numbers = {row.number for row in seen.rows}
    if unknown := sorted(set(lines) - numbers):
        wrong["rows"] = [_no_such(unknown)]
    for path, given in (("", options), *((f"{n}.", own) for n, own in lines.items())):
        wrong |= {path + name: ["没有这一项"] for name, said in given.items() if said and name not in OPTIONS[seen.annex]}
        if given.get("visited_on") and _iso_day(str(given["visited_on"])) is None:
            wrong[path + "visited_on"] = ["应为日期，如 2018-12-03"]
    if wrong:
        raise Invalid(wrong)
    for row in seen.rows:
        row.answers = {name: str(said) for given in (options, lines.get(row.number, {})) for name, said in given.items() if said}


def choose(seen: Preview, numbers: Collection[int]) -> Preview:
    """The same preview, narrowed to some lines by their numbers in the sheet."""
    if unknown := sorted(set(numbers) - {row.number for row in seen.rows}):
        raise Invalid({"rows": [_no_such(unknown)]})
    return replace(seen, rows=[row for row in seen.rows if row.number in numbers])


def unanswered(seen: Preview) -> dict[str, list[str]]:
    """Each question that a good line leaves open: "5.visited_on" -> words."""
    return {f"{row.number}.{name}": [f"请先回答：{text}"] for row in seen.good for name, text in OPTIONS[seen.annex].items() if name not in row.answers}


def _no_such(numbers: Sequence[int]) -> str:
    return f"名单中没有这些行：{'、'.join(map(str, numbers[:20]))}"


def _iso_day(text: str) -> date | None:
    try:
        found = date.fromisoformat(folded(text).strip())
    except ValueError:
        return None
    return found if found.isoformat() == folded(text).strip() else None


# -- the heading


def _head(lines: Sequence[Sequence[Any]]) -> tuple[int, int]:
    """(annex, number of the heading's last line). Invalid names each column that is not as printed."""
    for number, line in enumerate(lines[:_TITLE_LINES], start=1):
        said = _squeezed(line)
        if said[:1] != ("序号",):
            continue
        annex = max((1, 2), key=lambda n: (len({*HEADINGS[n][8:]} & {*said}), -n))
        under = _squeezed(lines[number]) if annex == 2 and len(lines) > number else ()
        want, got = (HEADINGS[1], said[:13]) if annex == 1 else ((*HEADINGS[2], ""), said[:13])
        wrong = [f"第 {n} 列应为“{a}”" for n, (a, b) in enumerate(zip(want, got, strict=False), start=1) if a != b and not (annex == 2 and n == 13 and b in ("", HEADINGS[2][11]))]
        if annex == 2:
            wrong += [f"第二行表头第 {n} 列应为“{a}”" for n, a in enumerate(CHECKED, start=12) if len(under) < n or under[n - 1] != a]
            wrong += [f"第二行表头第 {n} 列应为空（与上一行合并）" for n, b in enumerate(under[:11], start=1) if b and b != HEADINGS[2][n - 1]]
        if wrong:
            raise Invalid({"file": [f"表头与附件{annex}不符：" + "，".join(wrong)]})
        return annex, number + (annex == 2)
    raise Invalid({"file": [f"前 {_TITLE_LINES} 行中没有找到附件1或附件2的表头：第 1 列应为“序号”，其余各列与下载的统计表一致"]})


def _squeezed(line: Sequence[Any]) -> tuple[str, ...]:
    return tuple("".join(str(v or "").split()) for v in line[:13])


# -- judging


class _Judge:
    """What is asked of the records for all lines, once."""

    def __init__(self, conn: Connection, keys: BoundKeys, actor: Actor, annex: int, today: date, *, production: bool) -> None:
        self.conn, self.keys, self.actor, self.annex, self.today, self.production = conn, keys, actor, annex, today, production
        self.places = Places(conn, actor)
        self.seen = dict[str, int]()  # ID -> its line
        self.houses = dict[int, Row]()
        self._members = dict[date, set[int]]()
        self._visitors = dict[str, Actor | None]()

    def line(self, row: Row) -> None:
        """What the line says by itself, and which household it is."""
        cells = dict(zip(LEAVES[self.annex], row.cells, strict=True))
        if formulas := [name for name, v in cells.items() if isinstance(v, (ArrayFormula, DataTableFormula)) or text_of(v).startswith("=")]:
            row.errors |= {name: ["单元格是公式，请改为数值"] for name in formulas}
            return
        row.name = "".join(text_of(cells["申请人"]).split())[:60]
        self._household(row, cells)
        done = text_of(cells[LEAVES[self.annex][11]])
        if not row.errors and done in ("", _UNSEEN):
            row.blank = True
            return
        row.said |= {"population": POPULATION[self.annex], "causes": [], "assistance": []}
        (self._annex1 if self.annex == 1 else self._annex2)(row, cells)
        if row.errors or row.home is None:
            return
        other = self.houses.setdefault(row.home[0], row)
        if other is not row and other.said != row.said:
            row.errors["身份证号"] = [f"与第 {other.number} 行是同一户家庭，两行所填不一致"]
        elif other is not row:
            row.known = True

    def _household(self, row: Row, cells: Mapping[str, Any]) -> None:
        number = self._number(row, cells["身份证号"])
        if number is None:
            return
        m = household_member.c
        query = select(household.c.id, household.c.no, household.c.community, household.c.applicant_id, person.c.id.label("person_id"), person.c.name)
        query = query.join(household_member, m.household_id == household.c.id).join(person, person.c.id == m.person_id)
        found = self.conn.execute(query.where(person.c.id_blind == self.keys.blind(number), m.to_on.is_(None))).first()
        if found is None or not self.actor.covers(found.community):
            row.errors["身份证号"] = ["您的辖区没有登记这户家庭"]
            return
        if found.person_id != found.applicant_id and found.person_id not in set(self.conn.scalars(select(benefit.c.person_id).where(benefit.c.household_id == found.id))):
            row.errors["身份证号"] = [f"此人是家庭 {found.no} 的成员，不是申请人"]
        if row.name != found.name:
            row.errors["申请人"] = ["姓名与这个身份证号登记的不一致"]
        place, wrong = self.places.find(text_of(cells["乡镇（街道）"]), text_of(cells["村（居委会）"]))
        row.errors |= wrong
        if place is not None and place != found.community:
            row.errors["村（居委会）"] = ["与这户家庭登记的居村不一致"]
        subjects = [f"household:{found.id}", f"person:{found.applicant_id}"]
        if erasure.restricted(self.conn, subjects):
            row.errors["身份证号"] = ["这户家庭的资料已限制处理"]
        row.home = (found.id, found.no, found.community)

    def _number(self, row: Row, value: Any) -> str | None:
        number, why = identity.normalise(text_of(value)), None
        if isinstance(value, (int, float)):
            why = "单元格是数字格式，会丢失末几位，请改为文本格式后重新填写"
        elif "*" in number:
            why = "身份证号已隐去，请用完整的统计表填写"
        elif problem := identity.problem(number, self.today, production=self.production):
            why = problem
        elif (first := self.seen.setdefault(number, row.number)) != row.number:
            why = f"与第 {first} 行重复"
        if why is not None:
            row.errors["身份证号"] = [why]
        return number if why is None else None

    def _annex1(self, row: Row, cells: Mapping[str, Any]) -> None:
        causes = _split(text_of(cells["致困原因"]))
        row.said["causes"] = self._codes(row, "致困原因", causes, _CAUSE)
        if not causes:
            row.errors["致困原因"] = ["请填写致困原因，最多 60 字"]
        self._result(row, text_of(cells["入户核查结果"]))
        self._remark(row, "".join(text_of(cells["备注"]).split()))

    def _codes(self, row: Row, column: str, words: Iterable[str], known: Mapping[str, str]) -> list[str]:
        words = list(words)
        if unknown := [word for word in words if word not in known]:
            row.errors[column] = [f"没有“{unknown[0][:20]}”这一项，请用：{'、'.join(known)}"]
        order = list(known.values())
        return sorted({known[word] for word in words if word in known}, key=order.index)

    def _result(self, row: Row, text: str) -> None:
        word, more = _bracket(text)
        if word not in _RESULT:
            row.errors["入户核查结果"] = [f"应以下列之一开头：{'、'.join(_RESULT)}，情况写在括号内"]
            return
        row.said |= {"result": _RESULT[word], "result_text": more or None}
        if row.said["result"] != "true" and not more:
            row.errors["入户核查结果"] = ["请在括号内写明核查情况"]
        elif len(more) > 300:
            row.errors["入户核查结果"] = ["文字太长，最多 300 字"]

    def _remark(self, row: Row, text: str) -> None:
        found = _REMARK.fullmatch(text)
        near = _NEAR.fullmatch(found["near"]) if found else None
        hard, what = _bracket(found["hard"]) if found else ("", "")
        if found is None or near is None or hard not in ("是", "否", "无") or len(what) > 200:
            row.errors["备注"] = [f"应写明三点，如：{_REMARK_LIKE}"]
            return
        if hard == "是" and not what:
            row.errors["备注"] = ["第 2 点仍有困难的，请在括号内写明困难情况"]
            return
        row.said["assistance"] = self._codes(row, "备注", [] if found["other"] in _NOTHING else _split(found["other"]), _HELP)
        row.said |= {"still_hardship": hard == "是", "hardship_text": what if hard == "是" else None, "relatives_on_assistance": near["said"] == "是", "relative_of_staff": near["staff"] is not None}

    def _annex2(self, row: Row, cells: Mapping[str, Any]) -> None:
        parts = [part for part in re.split(r"[，,。；;]", text_of(cells[CHECKED[0]])) if part.strip()]
        word = "".join(parts[0].split()) if parts else ""
        if word not in (*_YES, *_NO):
            row.errors[CHECKED[0]] = [f"应以“{_YES[0]}”或“{_NO[0]}”开头，并注明享受何种救助，如：{_YES[0]}，享受医疗救助"]
            return
        row.said["qualifies"] = word in _YES
        words = list[str]()
        for part in (one.strip() for one in parts[1:]):
            if part.startswith("享受"):
                row.said["assistance"] = self._codes(row, CHECKED[0], _split(part.removeprefix("享受")), _HELP)
            elif part == "另享受其他救助":
                row.errors[CHECKED[0]] = ["享受的救助已隐去，请用完整的统计表填写"]
            elif not part.startswith("已纳入") and part not in _NOTHING:
                words.append(part)
        row.said["result_text"] = "，".join(words)[:300] or None
        self._applied_on(row, cells["申请救助时间"])
        names = _split(text_of(cells[CHECKED[1]]))
        if len(set(names)) < 2:
            row.errors[CHECKED[1]] = ["入户排查须由两人以上进行，请填写两名调查人"]
        elif row.home is not None:
            logins = [self._named(row, name, row.home[2]) for name in names[:2]]
            if None not in logins:
                row.said |= {"visitors": logins, "companions": "、".join(names[2:])[:200] or None}

    def _applied_on(self, row: Row, value: Any) -> None:
        said = value.date().isoformat() if isinstance(value, datetime) else value.isoformat() if isinstance(value, date) else re.sub(r"[/.年月]", "-", text_of(value)).removesuffix("日")
        if row.home is None:
            return
        days = {str(one["facts"]["applied_on"])[:10] for one in screening.refused(self.conn, "", self.today, subject=f"household:{row.home[0]}")}
        if not days:
            row.errors["申请救助时间"] = ["这户家庭没有2018年申请未获批准的记录"]
        elif said not in days:
            row.errors["申请救助时间"] = [f"系统中为 {'、'.join(sorted(days))}"]

    def _named(self, row: Row, name: str, community: str) -> str | None:
        """The login of who is called so (or has this login) and visits there."""
        query = select(staff.c.login).join(post, post.c.staff_id == staff.c.id).where(staff.c.active, post.c.role.in_(sorted(screening.VISITORS)))
        found = sorted({login for login in self.conn.scalars(query.where((staff.c.name == name) | (staff.c.login == name))) if self._visits(login, community)})
        if len(found) != 1:
            row.errors[CHECKED[1]] = [f"“{name[:20]}”" + ("在这个居村有重名，请填写登录名" if found else "在这个居村没有排查岗位")]
            return None
        return str(found[0])

    def _visits(self, login: str, community: str) -> bool:
        if login not in self._visitors:
            self._visitors[login] = organisation.find_actor(self.conn, login)
        actor = self._visitors[login]
        return actor is not None and actor.post_over(community, screening.VISITORS) is not None

    # -- with the answers

    def stands(self, row: Row) -> None:
        """Whether the day and the visitors fit, and whether the visit is here already."""
        if row.errors or row.blank or row.known or row.home is None:
            return
        column = _COLUMN[self.annex]
        day = _iso_day(row.answers["visited_on"]) if "visited_on" in row.answers else None
        if day is not None:
            row.said["visited_on"] = day.isoformat()
            if why := self._bad_day(row.home[0], day):
                row.errors[column["visited_on"]] = [why]
        if self.annex == 1 and {"first_visitor", "second_visitor"} <= set(row.answers):
            row.said["visitors"] = [row.answers["first_visitor"], row.answers["second_visitor"]]
        if row.said.get("visitors") and (why := self._bad_visitors(row.home, row.said["visitors"])):
            row.errors.setdefault(column["first_visitor"], []).append(why)
        if not row.errors:
            self._here(row, row.home[0], day)

    def _bad_day(self, home: int, day: date) -> str | None:
        if day > self.today:
            return "走访日期不能晚于今天"
        if day < self.today - timedelta(days=OLDEST):
            return "走访日期已超过一年，请核对"
        if day not in self._members:
            found = in_benefit.on(self.conn, self.actor.areas, day) if self.annex == 1 else [one["facts"] for one in screening.refused(self.conn, "", day)]
            self._members[day] = {one["household_id"] for one in found}
        if home in self._members[day]:
            return None
        return "这户家庭走访时不在保" if self.annex == 1 else "这户家庭在走访日期还没有未获批准的申请"

    def _bad_visitors(self, home: tuple[int, str, str], visitors: Sequence[str]) -> str | None:
        if len(set(visitors)) < 2:
            return "入户排查须由两人以上进行，请填写两名调查人"
        if lacking := [login for login in visitors if not self._visits(login, home[2])]:
            return f"“{lacking[0][:20]}”在这个居村没有排查岗位"
        if households.recused_staff(self.conn, home[0]) & set(visitors):
            return "调查人与这户家庭成员有近亲属关系，应当回避"
        return None

    def _here(self, row: Row, home: int, day: date | None) -> None:
        """The same words as the household's last visit: that visit is here. Other words of the same day: a person looks, nothing is changed."""
        v = visit.c
        rows = self.conn.execute(select(visit).where(v.household_id == home, v.population == POPULATION[self.annex]).order_by(v.visited_on, v.id)).mappings().all()
        if not rows:
            return
        if not _differences(self.keys, self.annex, row.said, rows[-1]):
            row.known = True
        elif day is not None:
            same_day = [one for one in rows if one["visited_on"] == day.isoformat()]
            told = [_differences(self.keys, self.annex, row.said, one) for one in same_day]
            row.known = any(not one for one in told)
            row.differs = {} if row.known or not told else told[-1]


def _differences(keys: BoundKeys, annex: int, said: Mapping[str, Any], here: Mapping[Any, Any]) -> dict[str, list[str]]:
    """Columns in which the line says something else than a visit that is here."""
    words = screening.words(keys, here)
    known = {**here, **words, "visitors": {here["first_visitor"], here["second_visitor"]}}
    asked = {"result": "入户核查结果", "result_text": "入户核查结果", "causes": "致困原因", "assistance": "备注", "still_hardship": "备注", "hardship_text": "备注", "relatives_on_assistance": "备注",
             "relative_of_staff": "备注"} if annex == 1 else {"qualifies": CHECKED[0], "assistance": CHECKED[0], "visitors": CHECKED[1]}  # fmt: skip
    if annex == 2 and said.get("result_text"):
        asked = {**asked, "result_text": CHECKED[0]}
    return {column: ["这次走访已登记，所填不一致"] for name, column in asked.items() if _plain(said.get(name)) != _plain(known.get(name))}


def _plain(value: Any) -> Any:
    """For comparing: the order of a list and blanks in a text say nothing."""
    return sorted(value) if isinstance(value, (list, set)) else "".join(value.split()) if isinstance(value, str) else value


def _split(text: str) -> list[str]:
    return [one.strip() for one in re.split(r"[、，,;；/\s]+", text) if one.strip()]


def _bracket(text: str) -> tuple[str, str]:
    """"情况有变化（收入增加）" -> ("情况有变化", "收入增加")."""
    found = re.fullmatch(r"\s*([^（(]*?)\s*(?:[（(](.*)[）)])?\s*", text, re.DOTALL)
    return (found[1], (found[2] or "").strip()) if found else (text, "")


# -- back to who filled it in


def error_workbook(seen: Preview) -> bytes:
    """The lines with errors, as they came, and why in a last column, under the heading as printed: mended, it can be brought in."""
    heads: list[list[str | None]] = [[*HEADINGS[seen.annex], *([None] if seen.annex == 2 else []), "错误"]]
    if seen.annex == 2:
        heads.append([*[None] * 11, *CHECKED])
    return error_book(heads, [(row.cells, in_columns(row.errors)) for row in seen.bad])


# -- bringing in


def commit(cases: Cases, act: Act, seen: Preview, row: Row) -> int | None:
    """Bring one line in as a visit, in an act of its own: its number, or None when it is here already. Answers must be complete."""
    if row.errors:
        raise Invalid(row.errors)
    assert row.home is not None
    who = allow(act.actor)
    home_id = row.home[0]
    act.open("household", home_id)  # nobody else brings in a visit of this household meanwhile
    home = households.row(act.conn, home_id)
    judge = _Judge(act.conn, act.keys, who, seen.annex, act.today, production=False)
    now = Row(row.number, row.cells, said=dict(row.said), home=row.home, answers=row.answers)
    judge.stands(now)
    if now.errors or now.differs:
        raise Invalid(now.errors or now.differs)
    if now.known:
        return None
    erasure.refuse_restricted(act.conn, home_id)
    own_post = who.post_over(home["community"])
    if own_post is None:
        raise NotFound("您的辖区没有登记这户家庭")
    logins = list(now.said["visitors"])
    if act.actor.id in logins:  # he answers for it by bringing it in
        logins.sort(key=lambda login: login != act.actor.id)
    first, second = (organisation.find_actor(act.conn, login) for login in logins)
    assert first is not None
    assert second is not None
    act.through(own_post)
    origin = {"list_digest": seen.digest, "list_line": row.number, **({} if first.id == act.actor.id else {"entered_by": act.actor.id})}
    return int(screening.enter(cases, act, home, {**now.said, "household_id": home_id}, first, second, origin)["screening"])


