"""Which row of a decision table a decision followed from, for its letter: read from the entries of the case, never decided again.

The entry of the assessment names the table by its text (`tables`) and the row that fired (`decided`, decision 034); what the row says
in words are its notes in that very text, whichever is in force today. Source: N649 art 13 (reasons in writing).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, select

from engine import habits, store
from engine.dmn import Table
from engine.model import Entry, read_body
from engine.prepared import Prepared
from processes import dmn, law
from processes.in_force import GoneText, text_of

Row = dict[str, str]
_BODIES = Prepared(select(store.entry.c.record_id, store.entry.c.seq, store.entry.c.body, store.entry.c.leaf)
                   .where(store.entry.c.record_id == bindparam("the_case")).order_by(store.entry.c.seq))  # fmt: skip


def rows_of(conn: Connection, case_id: int, category: str | None) -> list[Row]:
    """[{table (Chinese name), place (from 1), row (its id), says (Chinese), basis (the article in words)}] of the last assessment that was
    not taken back; empty where it is not what was decided by (`category`: of the decision), or no table was asked."""
    if category is None:
        return []
    entries = [Entry(one["record_id"], one["seq"], one["body"], one["leaf"], read_body(one["body"])) for one in _BODIES.rows(conn, {"the_case": case_id})]
    return told(conn, entries, category)


def told(conn: Connection, entries: Sequence[Entry], category: str) -> list[Row]:
    """`rows_of`, of entries that are read already; closed ones will do."""
    undone = habits.taken_back(entries)
    year = [str(entry.data["process"]).rpartition("-")[2] for entry in entries if entry.event in ("case_started", "case_moved")][-1]
    for entry in reversed(entries):
        ran = dict(entry.data.get("then", {}).get("ran", ()))
        if "assess" not in ran or entry.seq in undone:
            continue
        if ran["assess"].get("category") != category:
            return []
        tables = entry.data.get("tables", {})
        return [row for said in entry.data.get("decided", ()) for row in _rows(conn, said, tables.get(said["table"]), year)]
    return []


def _rows(conn: Connection, said: Mapping[str, Any], digest: str | None, year: str) -> list[Row]:
    name = said["table"]
    try:
        table = dmn.SHELF[name] if name in dmn.SHELF.tables and dmn.SHELF[name].digest == digest else Table.parse(text_of(conn, "table", str(digest)))
    except GoneText:
        return []
    found = []
    for place, rule in enumerate(table.rules, 1):
        if rule.id in said["rules"]:
            notes = dict(zip(table.notes, rule.notes, strict=True))
            source = str(notes.get("source") or "")
            basis = "" if law.ABOUT.over(source, year) else law.ABOUT.cited(source)[0]
            found.append({"table": table.zh, "place": str(place), "row": rule.id, "says": str(notes.get("zh") or ""), "basis": basis})
    return found
