"""The law's parameters as a table: what is in force on a day, as it was known on another, how old it is, on what it rests."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from engine.errors import Invalid
from engine.lint import Finding
from processes import law
from processes.law.about import UNITS


def listed(on: date, known_on: date | None) -> list[dict[str, Any]]:
    """Each parameter as its rows stood on `known_on` (None: all that the files hold) and counted on `on`: name, file, title, unit,
    value (None: nothing in force yet), from, until (last day, None: open), known_from, source, basis in words, unverified, warning
    (None, or {zh, en, months, usual}), rows (all, each with `counts`: neither corrected nor unknown then). Titles are (Chinese, English)."""
    with law.known(known_on):
        return [_told(file, name, rows, on, known_on) for file, table in law.files().items() for name, rows in table.items()]


def overdue(on: date) -> list[dict[str, Any]]:
    """The parameters whose value is older than its usual revision on a day."""
    return [one for one in listed(on, on) if one["warning"] is not None]


def day_of(name: str, text: str) -> date:
    """A day as somebody wrote it. Raises Invalid, naming the field."""
    try:
        found = date.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.isoformat() != text:
        raise Invalid({name: ["日期应写作 2018-12-03"]})
    return found


def faults(raw: bytes, file: str, today: date | None = None) -> list[Finding]:
    """What is wrong with a law file that is to take the place of the file of that name in force: malformed (with line and reason), or
    history rewritten. A row once there stays; a new one for days that are over says from when it was known (decision 041). `today`: the
    day up to which days are over; when left out, that on which this program's files were gone through."""
    over = law.ABOUT.read_on if today is None else today
    read_on = date.today() if file not in law.RAW else max(date.today(), law.ABOUT.read_on)  # noqa: DTZ011 - a day, for a warning at the desk
    try:
        new = law.read(raw, file, law.fits_in(file), read_on)
    except law.BadLaw as error:
        where = str(error).removeprefix(f"{file}:").split(":", 1)[0]
        return [Finding("law-malformed", "", int(where) if where.isdigit() else 1, f"法规文件不能用：{_chinese(str(error))}", str(error), "按所指的行和原因改正", "mend the line that is named")]
    found, at = [], law.lines(raw)

    def line(name: str, row: law.Value | None = None) -> int:
        """Of that row; else of the one that stands for its first day, or of the name's first; 1 where the name is gone."""
        kept = new.get(name, ())
        place = next((n for n, one in enumerate(kept) if one == row), None)
        if place is None:
            place = next((n for n, one in enumerate(kept) if row is not None and one.since == row.since), 0)
        return at[name][place] if name in at else 1

    for name, rows in law.table(file).items():
        kept = new.get(name, ())
        found += [Finding("law-row-changed", name, line(name, row), f"{row.since} 起的值 {row.text} 被改动或删去", f"the value {row.text} from {row.since} was changed or taken away",
                          "原行保留；另加一行，from 相同，known_from 为知道的日期", "keep the row; add one with the same from, and known_from") for row in rows if row not in kept]  # fmt: skip
        found += [Finding("law-back-dated", name, line(name, row), f"新增的值 {row.text} 自 {row.since} 起，没有写明此后哪一天才知道", f"the new value {row.text} from {row.since} does not say that it was known later",
                          f"加 known_from，晚于 {over}", f"add known_from, after {over}")
                  for row in kept if row not in rows and row.since <= over and (row.known_from is None or row.known_from <= over)]  # fmt: skip
    return found


_REASONS = (  # what law.read says, in Chinese; what is not here stays as it is
    (r"said twice: (.*)", r"名称重复：\1"),
    (r"two values overlap from (\S+): .*", r"两个值自 \1 起重叠：日期应由早到晚；更正的一行写更晚的 known_from"),
    (r"(\S+) stands after (\S+): dates must rise", r"\1 排在 \2 之后：日期应由早到晚"),
    (r"(\S+) lies in the future \(the file is of (\S+)\) and is not marked announced: true", r"\1 在将来（文件核对至 \2），又没有标 announced: true"),
    (r"needs at least one dated value", "至少要有一行带日期的值"),
    (r"(.*) does not fit \(a value is quoted text\)", r"\1 不合要求（值写成带引号的文字）"),
    (r"every value has from, value, source, .*", "每行有 from、value、source，可有 unverified、known_from、announced，没有别的"),
    (r"(from|known_from) is a date, not (.*)", r"\1 应是日期，不是 \2"),
    (r"source is a key of the sources, .*", "source 是来源的代号，unverified、announced 是 true 或 false"),
    (r"is a table of names .*", "应是名称与值的表（像日期的名称加引号）"),
    (r"larger than 1 MB", "文件超过 1 MB"),
    (r"an alias inside of itself", "别名引用了自己"),
    (r"more than (\d+) values once its aliases are written out", r"展开别名后超过 \1 个值"),
    (r"cannot be read: (.*)", r"读不懂：\1"),
)


def _chinese(said: str) -> str:
    for pattern, zh in _REASONS:
        said = re.sub(pattern, zh, said, count=1)
    return said


def _told(file: str, name: str, rows: tuple[law.Value, ...], on: date, known_on: date | None) -> dict[str, Any]:
    told, then = law.ABOUT.of(name), law.as_known(rows)
    assert told is not None, name  # test_law holds every name against about.yaml
    now = next((v for v in reversed(then) if v.since <= on), None)
    following = next((v for v in then if now is not None and v.since > now.since), None)
    basis = law.ABOUT.cited("; ".join(part for part in (told.basis, now.source if now else "") if part))
    return {
        "name": name, "file": file, "title": told.title[0], "title_en": told.title[1], "unit": UNITS[told.unit][0], "unit_en": UNITS[told.unit][1],
        "value": now and now.text, "from": now and now.since.isoformat(), "until": following and (following.since - timedelta(days=1)).isoformat(),
        "known_from": now and now.known_from and now.known_from.isoformat(), "source": now.source if now else None, "basis": basis[0], "basis_en": basis[1],
        "unverified": bool(now and now.unverified), "revised_every_months": told.revised, "warning": now and _warning(now, told.revised, on),
        "rows": [_row(v, counts=v in then) for v in rows if known_on is None or v.known_from is None or v.known_from <= known_on],
    }  # fmt: skip


def _row(v: law.Value, *, counts: bool) -> Mapping[str, Any]:
    return {"from": v.since.isoformat(), "value": v.text, "source": v.source, "unverified": v.unverified, "announced": v.announced,
            "known_from": v.known_from and v.known_from.isoformat(), "counts": counts}  # fmt: skip


def _warning(v: law.Value, usual: int | None, on: date) -> dict[str, Any] | None:
    months = (on.year - v.since.year) * 12 + on.month - v.since.month - (on.day < v.since.day)
    if usual is None or months <= usual:
        return None
    return {"zh": f"已执行 {months} 个月，通常每 {usual} 个月调整一次，请核实是否已有新文件", "en": f"in force for {months} months, usually revised every {usual}: look for a newer paper",
            "months": months, "usual": usual}  # fmt: skip
