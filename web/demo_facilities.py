"""Facilities in the demo, with invented names: inspections before the holiday, one hazard that nobody fixes, one facility that is inspected too late, visits to those supported at home."""

from __future__ import annotations

import io
import random
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from openpyxl import Workbook

from engine.errors import EngineError
from engine.model import Actor
from processes import attachments, dispersed_visits, facilities, identity, import_annex1, organisation
from processes.facility_forms import GROUPS, SUGGESTED
from processes.organisation import DISTRICT
from web import importing

if TYPE_CHECKING:
    from web.demo import District

_PHOTO = b"\x89PNG\r\n\x1a\n a photo of the demo"
_SURNAMES = "张王李赵刘陈杨黄周吴徐孙"
_NAMES = ("安康", "福寿", "和顺", "长青", "康宁", "颐和")
_FIRST, _AFTER = date(2018, 12, 10), date(2019, 2, 12)  # of the inspections: one a week; the last when the holiday is over
_UNFIXED = 3  # whose hazard nobody looks after
_FINE = {"condition": "safe", "food": "ok", "heating": "ok", "electricity": "ok", "medicine": "n/a", "caretaker_present": True, "agreement_signed": True, "money_received": True,
         "policy_explained": True, "leaflet_given": True}  # fmt: skip


def begin(d: District) -> None:
    """Six facilities, in streets far apart."""
    lots, streets = random.Random(268), sorted({street for street, _ in d.streets})  # noqa: S311 - a demo, the same every time
    for n, name in enumerate(_NAMES):
        unit, beds, public = streets[n * len(streets) // len(_NAMES)], 30 + 10 * n, n % 2 == 0
        said = {"name": f"{name}敬老院" if public else f"{name}养老服务中心", "organisation": "街道办事处" if public else f"{name}养老服务公司", "unit": unit,
                "kind": "public" if public else "private", "capacity": beds, "residents": beds - lots.randint(2, 12)}  # fmt: skip
        with d.made.office.act(_inspectors(d)[0]) as act:
            facilities.register(act, said)
    _at_home(d, streets)


def _at_home(d: District, streets: list[str]) -> None:
    """Every second street has somebody supported at home, brought in with a list; not where the demo's round of re-checks looks at everybody."""
    again = {street for officer in d.by_role("civil_affairs_officer", d.streets[0][0]) for _, street in officer.posts}
    for n, street in enumerate(street for street in streets[::2] if street not in again):
        clerk = d.by_role("window_clerk", street)[0]
        with d.made.office.read() as conn:
            place = [organisation.unit_name(conn, code) for code in (street, next(community for where, community in d.streets if where == street))]
        book = Workbook()
        sheet = book.create_sheet("在保", 0)
        sheet.append(list(import_annex1.HEADINGS))
        number = identity.invent(date(1932 + n % 10, 1 + n % 12, 21), "male" if n % 2 else "female", 4000 + n)
        sheet.append([1, f"{_SURNAMES[n % len(_SURNAMES)]}福生", number, 1, *place, 0, "无", "特困（分散）", 1780, "年老", "属实", "1.另享受：医疗救助；2.保障后仍有困难：否；3.近亲属享受社会救助：否"])
        out = io.BytesIO()
        book.save(out)
        seen = importing.look(d.made, clerk, out.getvalue(), {"hukou_kind": "urban", "first_payment_month": "2018-10", "review_class": "A"})
        for home in importing.bring_in(d.made, seen, clerk).homes.values():
            d.page(clerk, home, _PHOTO)


def day(d: District, day: date) -> None:
    """An inspection, the verifications of the day before they are due, and in January visits to those supported at home."""
    n, rest = divmod((day - _FIRST).days, 7)
    if day == _AFTER or (rest == 0 and 0 <= n < len(_NAMES) - 1):
        _inspect(d, len(_NAMES) - 1 if day == _AFTER else n, day)
    if day > _FIRST:
        _verify(d, day)
    if date(2019, 1, 21) <= day < date(2019, 1, 26):  # a few are not reached
        _visit(d, day)


def _inspectors(d: District) -> list[Actor]:
    return [who for role in ("spot_checker", "district_examiner") for who in d.by_role(role, DISTRICT)]


def _homes(d: District) -> list[int]:
    with d.made.office.read() as conn:
        return sorted(row["id"] for row in facilities.listed(conn, _inspectors(d)[0], size=200).items)


def _inspect(d: District, n: int, day: date) -> None:
    first, second = _inspectors(d)[:2]
    items: list[dict[str, Any]] = [{"group": group, "item": item, "result": "pass"} for group, item in SUGGESTED]
    items[n * 2 % len(items)] |= {"result": "fail", "note": "有隐患", "level": "major" if n % 2 else "minor", "measure": "更换、修复并专人看护", "responsible": "机构负责人",
                                  "due_on": (day + timedelta(days=7)).isoformat()}  # fmt: skip
    items[(n * 2 + 5) % len(items)] |= {"result": "fail", "level": "minor", "fixed_on_spot": True, "measure": "当场清理"}
    with d.made.office.act(first) as act:
        told = facilities.inspect(act, _homes(d)[n], {"inspected_on": day.isoformat(), "inspectors": second.id, "opinion": f"{len(GROUPS)}类项目均已检查。", "items": items})
    if day < _AFTER:  # the last one waits for its second inspector
        with d.made.office.act(second) as act:
            facilities.confirm(act, told["inspection"])


def _verify(d: District, day: date) -> None:
    with d.made.office.read() as conn:
        found = facilities.listed_hazards(conn, _inspectors(d)[0], day, state="open", size=200).items
    due = [row for row in found if row["due_on"] == (day + timedelta(days=1)).isoformat()]
    left = _homes(d)[_UNFIXED] if due else 0
    for row in due:
        if row["facility_id"] == left:
            continue
        who = d.by_role("civil_affairs_officer", row["unit"])[0]
        staged = attachments.stage(d.made.office, who, d.made.settings.files, row["unit"], io.BytesIO(_PHOTO))
        with d.made.office.act(who) as act:
            photo = attachments.keep(act, staged, "photo", "整改后.png")
            facilities.verify(act, row["id"], {"verified_on": day.isoformat(), "outcome": "fixed", "seen": "隐患已消除。", "photo": photo})


def _visit(d: District, day: date) -> None:
    """A quarter of those who are left: most in good order, some with a problem."""
    with d.made.office.read() as conn:
        people = [row for row in dispersed_visits.people(conn, DISTRICT, day) if not row["visited_on"] and not row["died"]]
    for n, row in enumerate(people[: max(1, len(people) // 4)]):
        who = d.by_role("civil_affairs_officer", row["street"])
        said: dict[str, Any] = {"household_id": row["household_id"], "person_id": row["person_id"], "visited_on": day.isoformat(), **_FINE}
        if (n + day.day) % 4 == 0:
            said |= {"heating": "problem", "problems": [{"kind": "heating", "text": "暖气不热，待检修。", "due_on": (day + timedelta(days=5)).isoformat()}]}
        elif (n + day.day) % 7 == 0:
            said |= {"help_given": "送棉被一床、米面各一袋", "problems": [{"kind": "other", "text": "被褥单薄", "solved_on_spot": True}]}
        if who:
            _said(d, who[0], said, day, solve=n % 2 == 0)


def _said(d: District, who: Actor, said: dict[str, Any], day: date, *, solve: bool) -> None:
    try:
        with d.made.office.act(who) as act:
            told = dispersed_visits.record(act, said)
    except EngineError:  # a near relative of his visits him no more than he decides on him
        return
    if solve and said["heating"] == "problem":
        with d.made.office.act(who) as act:
            dispersed_visits.solve(act, told["problems"][0], {"solved_on": day.isoformat(), "text": "已联系供热站修好。"})
