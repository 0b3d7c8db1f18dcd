"""Snapshots of the ledger: what a report said, kept with who was counted, and what has changed since the one before, person by person.

A snapshot never changes. What is corrected afterwards shows as a difference between it and the same question asked now (decision 063).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from sqlalchemy import Connection, func, select

from engine.crypto import BoundKeys
from engine.errors import NotFound, Refused
from engine.model import Actor, Put
from engine.office import Act
from engine.queries import Page, within
from processes import ledger, ledger_problems, readers
from processes.ledger import CLASSES, CORRECTIONS, NUMBERS, Asked
from processes.ledger_snapshot_tables import ledger_snapshot as table
from processes.tables import household

KEEPERS = frozenset({"civil_affairs_officer", "reviewer", "street_leader", "supervisor", "district_examiner", "approver"})  # who reports for a unit
ITEMS = ("L5", "L6")  # counted in matters and findings, not in persons
WHY: Mapping[str, tuple[str, str]] = {
    "first": ("首次快照", "The first snapshot"), "happened": ("上次快照之后发生", "Happened since the last snapshot"), "belated": ("属上次快照期间，之后才记入", "Of the time of the last snapshot, recorded after it"),
    "reclassified": ("退出原因归类变化", "The exit counts as another kind now"), "period": ("统计期间不同", "The periods begin on different days"),
    "converted": ("同月转入其他类别，不再计入", "Granted another category in the same month: not counted any more"), "moved": ("按区内迁移处理，不再计入", "A move inside the district: not counted any more"),
    "corrected": ("个案更正", "The case was corrected"),
}  # fmt: skip
_RECLASSED = frozenset(CLASSES.values())


@dataclass(frozen=True, slots=True)
class Change:
    """Who (or which matter or finding) entered or left a number between two counts, and why (a key of WHY)."""

    number: str
    entered: bool
    key: int | str
    why: str
    household_id: int | None
    day: str | None
    case_no: str | None


# -- the act


def take(act: Act, wanted: Asked) -> dict[str, Any]:
    """Keep the ledger of a unit and period as it is now. Returns {"snapshot", "digest", "known"}; known: the unit's last snapshot said the same
    of the same period already, and stands. Refused to who does not report for the unit."""
    if (told := act.recall()) is not None:
        return told  # type: ignore[no-any-return]
    post = act.actor.post_over(wanted.unit, KEEPERS)
    if post is None:
        raise Refused("snapshot", "台账快照由本级经办、审核、审批和监督人员留存", "Snapshots are taken by those who report for the unit")
    act.through(post)
    told = keep(act, wanted)
    act.remember(told)
    return told


def keep(act: Act, wanted: Asked) -> dict[str, Any]:
    """`take` without asking who: for what rests on the ledger and has asked already (a progress report)."""
    figures, counted = _count(act.conn, wanted, act.today)
    digest = _digest(wanted, figures, counted)
    last = act.conn.execute(select(table.c.id, table.c.digest).where(table.c.unit == wanted.unit).order_by(table.c.id.desc()).limit(1)).one_or_none()
    if last is not None and last.digest == digest:
        return {"snapshot": last.id, "digest": digest, "known": True}
    record = act.new("ledger", wanted.unit)
    values = {"unit": wanted.unit, "since": wanted.since.isoformat(), "until": wanted.until.isoformat(), "taken_by": act.actor.id, "taken_on": act.today.isoformat(),
              "previous_id": last.id if last is not None else None, "figures": figures, "counted": counted, "digest": digest}  # fmt: skip
    number = record.next_id()
    act.append(record, "ledger_taken", {"digest": digest}, puts=[Put("ledger_snapshot", number, values)])
    return {"snapshot": number, "digest": digest, "known": False}


def takes(actor: Actor, unit: str) -> bool:
    """Whether the actor may take snapshots of the unit."""
    return actor.post_over(unit, KEEPERS) is not None


def _count(conn: Connection, wanted: Asked, today: date) -> tuple[str, str]:
    """(figures, who is counted), both as JSON text."""
    book = ledger.Book(conn, wanted, today)
    figures = ledger.told(conn, wanted, today, book)
    side = book.of(wanted.unit)["persons"]
    counted: dict[str, list[list[Any]]] = {n: [[h.key, h.household_id, h.day, h.case_no, h.exit_class] for h in side.hits[n].values()] for n in NUMBERS}
    counted |= {kind: [[h.key, h.household_id, h.day, h.case_no, None] for _, h in side.corrected[kind]] for kind in CORRECTIONS}
    counted["L5"] = [[f"accountability:{n}", None, None, None, None] for n in figures["violations"]["matters"]]
    counted["L6"] = [[f"{one['source']}:{one['id']}", one["household_id"], one["found_on"], one["case_no"], None]
                     for one in ledger_problems.found(conn, wanted.unit, wanted.since, wanted.until)]  # fmt: skip
    return _text(figures), _text({number: sorted(rows, key=lambda row: (str(row[2]), str(row[0]))) for number, rows in counted.items()})


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def _digest(wanted: Asked, figures: str, counted: str) -> str:
    said = f"{wanted.unit}\n{wanted.since.isoformat()}\n{wanted.until.isoformat()}\n{figures}\n{counted}"
    return hashlib.sha256(said.encode()).hexdigest()


# -- reading


def listed(conn: Connection, actor: Actor, unit: str | None = None, *, page: int = 1, size: int = 25) -> Page:
    """Snapshots of the units that the actor reads, the newest first: id, unit, since, until, taken_by, taken_on, digest."""
    where = [within(table.c.unit, readers.of_cases(actor).areas)]
    if unit:
        where.append(table.c.unit == unit)
    total = conn.scalar(select(func.count()).select_from(table).where(*where)) or 0
    shown = [table.c[name] for name in ("id", "unit", "since", "until", "taken_by", "taken_on", "digest")]
    return Page(list(conn.execute(select(*shown).where(*where).order_by(table.c.id.desc()).limit(size).offset((page - 1) * size)).mappings()), total, page, size)


def seen(conn: Connection, actor: Actor, snapshot_id: int) -> Mapping[Any, Any]:
    """The row; NotFound for one that is none, or of a unit that the actor does not read."""
    row = conn.execute(select(table).where(table.c.id == snapshot_id)).mappings().one_or_none()
    if row is None or not readers.of_cases(actor).covers(row["unit"]):
        raise NotFound("没有这份快照")
    return row


def told(conn: Connection, row: Mapping[Any, Any], today: date) -> dict[str, Any]:
    """A snapshot in JSON: the figures as they were, whether they are intact, how many entered and left each number since the snapshot before, and
    whether the same question gives the same today."""
    wanted = _asked(row)
    since, drift = (_sums(changes(conn, row, against, today)) for against in ("previous", "now"))
    return {
        "id": row["id"], "unit": row["unit"], "from": row["since"], "to": row["until"], "taken_by": row["taken_by"], "taken_on": row["taken_on"], "previous": row["previous_id"],
        "digest": row["digest"], "intact": _digest(wanted, row["figures"], row["counted"]) == row["digest"], "figures": json.loads(row["figures"]),
        "changes": since, "reproduced": not drift, "drift": drift,
    }  # fmt: skip


def _asked(row: Mapping[Any, Any]) -> Asked:
    return Asked(row["unit"], date.fromisoformat(row["since"]), date.fromisoformat(row["until"]))


def _sums(found: Iterable[Change]) -> list[dict[str, Any]]:
    rows: dict[str, dict[str, Any]] = {}
    for one in found:
        line = rows.setdefault(one.number, {"number": one.number, "entered": 0, "left": 0})
        line["entered" if one.entered else "left"] += 1
    return [rows[number] for number in sorted(rows)]


def changes(conn: Connection, row: Mapping[Any, Any], against: str, today: date) -> list[Change]:
    """against "previous": from the snapshot before it to this one (without one: everybody entered); "now": from this one to what the same
    unit and period give today."""
    own = json.loads(row["counted"])
    if against == "now":
        return _compare(own, json.loads(_count(conn, _asked(row), today)[1]), row["since"], row["until"], row["since"])
    before = conn.execute(select(table.c.since, table.c.until, table.c.counted).where(table.c.id == row["previous_id"])).one_or_none()
    if before is None:
        return [replace(one, why="first") for one in _compare({}, own, row["since"], "", row["since"])]
    return _compare(json.loads(before.counted), own, before.since, before.until, row["since"])


def _compare(before: Mapping[str, Any], after: Mapping[str, Any], since_before: str, until_before: str, since: str) -> list[Change]:
    found: list[Change] = []
    for number in (*NUMBERS, *ITEMS):
        old, new = ({one[0]: one for one in rows.get(number, ())} for rows in (before, after))
        found += [_change(number, new[key], _entered(number, new[key], before, since_before, until_before), entered=True) for key in sorted(new.keys() - old.keys(), key=str)]
        found += [_change(number, old[key], _left(number, old[key], after, since), entered=False) for key in sorted(old.keys() - new.keys(), key=str)]
    return found


def _change(number: str, one: Any, why: str, *, entered: bool) -> Change:
    return Change(number, entered, one[0], why, one[1], one[2], one[3])


def _elsewhere(number: str, key: Any, counted: Mapping[str, Any]) -> bool:
    """Whether an exit counts as one of another kind there."""
    return number in _RECLASSED and any(one[0] == key for other in _RECLASSED - {number} for one in counted.get(other, ()))


def _entered(number: str, one: Any, before: Mapping[str, Any], since: str, until: str) -> str:
    day = one[2]
    if _elsewhere(number, one[0], before):
        return "reclassified"
    if day is None or day > until:
        return "happened"
    return "period" if day < since else "belated"


def _left(number: str, one: Any, after: Mapping[str, Any], since: str) -> str:
    if one[2] is not None and one[2] < since:
        return "period"
    if _elsewhere(number, one[0], after):
        return "reclassified"
    for why, kinds in (("converted", ("converted_in", "converted_out")), ("moved", ("moved_in", "moved_out"))):
        if any(other[0] == one[0] for kind in kinds for other in after.get(kind, ())):
            return why
    return "corrected"


def changes_of(conn: Connection, keys: BoundKeys, row: Mapping[Any, Any], today: date, *, against: str = "previous", number: str | None = None,
               page: int = 1, size: int = 25) -> Page:  # fmt: skip
    """`changes`, person by person: names and IDs masked; of L5 and L6 the matter or finding is `item`. NotFound for another number."""
    if number is not None and number not in NUMBERS and number not in ITEMS:
        raise NotFound("台账没有这一项")
    found = [one for one in changes(conn, row, against, today) if number in (None, one.number)]
    return Page([_told_change(conn, keys, one) for one in found[(page - 1) * size : page * size]], len(found), page, size)


def _told_change(conn: Connection, keys: BoundKeys, one: Change) -> dict[str, Any]:
    person = ledger.named(conn, keys, one.key) if isinstance(one.key, int) else {"person_id": None, "name": None, "id_no": None}
    home = conn.scalar(select(household.c.no).where(household.c.id == one.household_id)) if one.household_id is not None else None
    zh, en = WHY[one.why]
    return {"number": one.number, "change": "entered" if one.entered else "left", "why": one.why, "zh": zh, "en": en, **person, "item": one.key if isinstance(one.key, str) else None,
            "household_id": one.household_id, "household_no": home, "day": one.day, "case_no": one.case_no}  # fmt: skip
