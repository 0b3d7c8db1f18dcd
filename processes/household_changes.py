"""How a household's data came to be what it is: old and new values, read from the records of the household and of its members."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from engine.crypto import BoundKeys
from engine.model import Entry
from engine.office import history
from engine.store import metadata
from processes import households

HIDDEN = "***"  # what is sealed: that it changed is shown, what it was is not
_FIELDS = {
    "household": ("community", "applicant_id", "hukou_kind", "address", "phone", "bank_account", "bank_holder", "review_class", "hardship_cause",
                  "near_relative_declared", "hardships", "childless"),
    "household_member": ("relation", "to_on", "excluded_reason", "left_reason"),
    "near_relative": ("revoke_asked_by", "revoked_by"),
    "person": ("name", "id_no", "health", "phone", "labour_ability", "employment", "full_time_student"),
}  # fmt: skip
_ITEMS = {"income_item": "income", "property_item": "property"}
_OF_ITEM = ("kind", "amount_fen", "period", "month", "year", "source", "functional_vehicle")


@dataclass(frozen=True)
class Line:
    """One value. `person_id`: whose it is, else the household's. Income and property: lists of items, whole fen, of one source."""

    field: str
    person_id: int | None
    before: Any
    after: Any


@dataclass(frozen=True)
class Change:
    at: datetime
    by: str
    event: str
    lines: Sequence[Line]


def of_household(conn: Connection, keys: BoundKeys, household_id: int) -> list[Change]:
    """Oldest first; the registration is the first, with no lines. Of people, only those who are members now: what became of
    somebody who has left is told where he lives. An erased part leaves no line."""
    people = [member["person_id"] for member in households.members_of(conn, household_id)]
    entries = [entry for number in (household_id, *people) for entry in history(conn, keys, number)]
    rows: dict[tuple[str, int], dict[str, Any]] = {}
    found = []
    for entry in sorted(entries, key=lambda one: (one.at, one.record_id, one.seq)):
        first = entry.event in ("household_registered", "person_registered")
        lines = [line for line in _lines(entry, rows) if not first]
        if lines or entry.event == "household_registered":
            found.append(Change(entry.at, entry.actor, entry.event, lines))
    return found


def _lines(entry: Entry, rows: dict[tuple[str, int], dict[str, Any]]) -> list[Line]:
    """What the entry changed; `rows` become what they are after it."""
    found: list[Line] = []
    items: dict[tuple[str, int | None, str], tuple[list[Any], list[Any]]] = {}
    for index, put in enumerate(entry.said.get("puts", ())):
        key = (put["table"], put["id"])
        secret = entry.personal.get(put["of"]) if "of" in put else None
        new = {**put.get("set", {}), **((secret or {}).get("puts", {}).get(str(index), {}) if "of" in put else {})}
        old = dict(rows.get(key, {}))
        row = rows.setdefault(key, {})
        row.update(new)
        if put["table"] in _ITEMS:
            before, after = items.setdefault((_ITEMS[put["table"]], row.get("person_id"), row.get("source", "")), ([], []))
            (before if old else after).append({name: row[name] for name in _OF_ITEM if row.get(name) not in (None, False)})
        elif put["table"] in _FIELDS:
            found += _fields(put["table"], put["id"], row, old, new)
    return [*found, *(Line(name, person, *both) for (name, person, _source), both in items.items())]


def _fields(table: str, row_id: int, row: Mapping[str, Any], old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterable[Line]:
    person = {"household": None, "household_member": row.get("person_id"), "person": row_id, "near_relative": None}[table]
    if table == "household_member" and not old:
        yield Line("member", person, None, row.get("relation"))
        return
    for name in _FIELDS[table]:
        before, after = old.get(name), new.get(name)
        if name in new and before != after:
            sealed = metadata.tables[table].c[name].info.get("sealed") and name != "hardships"
            yield Line(name, person, *(HIDDEN if sealed and value else value for value in (before, after)))
