"""政策指南 (domain 1.2, ui screen 8): what each of the nine programmes asks for and gives, as it stood on any day.

Pure: the texts stand in data/guide.yaml with their days, the numbers are the law's of the day (`{name}`), so a version begins wherever a
text or a number of it changes. A line whose number is not in force on the day is left out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from importlib import resources
from typing import Any

import yaml

from engine.errors import Invalid, NotFound
from processes import law
from processes.law.about import UNITS

PARTS = {"condition": ("申请条件", "Conditions"), "paper": ("申请材料", "What to bring"), "step": ("办理程序", "Steps"), "deadline": ("办理时限", "Deadlines")}
_NAMED = re.compile(r"\{([a-z_]+)\}")


def _read() -> Mapping[str, Any]:
    """Raises BadLaw where a text names a value or a source that there is not: found at the start, not by a reader."""
    told: Mapping[str, Any] = yaml.load((resources.files("processes") / "data" / "guide.yaml").read_bytes(), yaml.CSafeLoader)
    for programme, said in told.items():
        for name in _names(said):
            if not law.rows(name) or law.ABOUT.of(name) is None:
                raise law.BadLaw(f"guide.yaml: {programme}: no value {name}")
        for line in (*said["lines"], *said["decider"]):
            for one in re.split("[;,]", line["source"]):
                if one.strip().partition(" art ")[0] not in law.ABOUT.sources:
                    raise law.BadLaw(f"guide.yaml: {programme}: no source {one.strip()}")
            if line.get("part", "step") not in PARTS or not isinstance(line["from"], date):
                raise law.BadLaw(f"guide.yaml: {programme}: a line has part and from")
    return told


def _names(said: Mapping[str, Any]) -> list[str]:
    return sorted({*said["amounts"], *(name for line in said["lines"] for name in _NAMED.findall(line["zh"] + line["en"]))})


_GUIDE = _read()
PROGRAMMES = tuple(_GUIDE)


def day_of(text: str) -> date:
    """The day for which a guide is asked. Raises Invalid, naming it."""
    try:
        if len(text) == 10:
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise Invalid({"on": ["日期应如 2018-12-03"]})


def title(programme: str) -> tuple[str, str]:
    return _GUIDE[programme]["title"][0], _GUIDE[programme]["title"][1]


def versions(programme: str) -> list[date]:
    """The first days of all versions of a programme, oldest first. Raises NotFound."""
    if programme not in _GUIDE:
        raise NotFound("没有这个救助项目")
    said = _GUIDE[programme]
    days = {line[name] for line in (*said["lines"], *said["decider"]) for name in ("from", "until") if name in line}
    begins = min(line["from"] for line in said["decider"])
    days |= {value.since for name in _names(said) for value in law.every(name) if value.since > begins}
    return sorted(day for day in days if day >= begins)


def of(programme: str, on: date) -> dict[str, Any]:
    """A programme on a day: {programme, title, title_en, on, since, until (null: still so), current is for the caller, decider {zh, en, source, …},
    parts: {condition, paper, step, deadline: [{zh, en, source, article, article_en}]}, amounts [{name, title, title_en, value, unit, unit_en,
    since, source, article, article_en, to_confirm}], versions [days]}. NotFound for another name, and before the first version."""
    days = versions(programme)
    begun = [day for day in days if day <= on]
    if not begun:
        raise NotFound("这一天还没有这项政策")
    said, later = _GUIDE[programme], [day for day in days if day > on]
    lines = [told for line in said["lines"] if _stands(line, on) and (told := _line(line, on)) is not None]
    deciders = [_line(line, on) for line in said["decider"] if _stands(line, on)]
    return {"programme": programme, "title": said["title"][0], "title_en": said["title"][1], "on": on.isoformat(), "since": begun[-1].isoformat(),
            "until": later[0].isoformat() if later else None, "decider": deciders[-1] if deciders else None,
            "parts": {part: [line for line in lines if line["part"] == part] for part in PARTS},
            "amounts": [told for name in said["amounts"] if (told := _amount(name, on)) is not None], "versions": [day.isoformat() for day in days]}  # fmt: skip


def _stands(line: Mapping[str, Any], on: date) -> bool:
    return bool(line["from"] <= on and ("until" not in line or on < line["until"]))


def _line(line: Mapping[str, Any], on: date) -> dict[str, Any] | None:
    values = {name: law.in_force(name, on) for name in _NAMED.findall(line["zh"] + line["en"])}
    if any(value is None for value in values.values()):
        return None
    article, article_en = law.ABOUT.cited(line["source"])
    said = {lang: _NAMED.sub(lambda found: values[found[1]].text, line[lang]) for lang in ("zh", "en")}  # type: ignore[union-attr]
    return {"part": line.get("part", "decider"), **said, "source": line["source"], "article": article, "article_en": article_en,
            "to_confirm": line["source"] == "design" or any(value.unverified for value in values.values() if value)}  # fmt: skip


def _amount(name: str, on: date) -> dict[str, Any] | None:
    value, about = law.in_force(name, on), law.ABOUT.of(name)
    if value is None or about is None:
        return None
    (unit, unit_en), (article, article_en) = UNITS[about.unit], law.ABOUT.cited(value.source)
    return {"name": name, "title": about.title[0], "title_en": about.title[1], "value": value.text, "unit": unit, "unit_en": unit_en, "since": value.since.isoformat(),
            "source": value.source, "article": article, "article_en": article_en, "to_confirm": value.unverified}  # fmt: skip
