"""Business rows are what the records add up to: build them anew in memory, and compare."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from sqlalchemy import Connection, Table, select

from engine.crypto import BoundKeys
from engine.office import Office, history
from engine.store import metadata, record


def differences(office: Office, told: Callable[[int, int], None] = lambda _done, _all: None) -> list[str]:
    """One line for each row, value or personal part that does not follow from the records; empty when all does. `told` hears how
    many of how many records were read."""
    with office.snapshot() as conn:
        keys = office.keys.on(conn)
        built: dict[str, dict[int, dict[str, Any]]] = {}
        erased: set[tuple[str, int]] = set()
        spoiled: list[str] = []
        ids = conn.scalars(select(record.c.id).order_by(record.c.id)).all()
        for done, record_id in enumerate(ids, start=1):
            _build(conn, keys, record_id, built, erased, spoiled)
            told(done, len(ids))
        return spoiled + [line for name in sorted(built) for line in _compare(conn, keys, metadata.tables[name], built[name], erased)]


def _build(conn: Connection, keys: BoundKeys, record_id: int, built: Any, erased: set[tuple[str, int]], spoiled: list[str]) -> None:
    for entry in history(conn, keys, record_id):
        spoiled += [f"record {record_id}, entry {entry.seq}: the part of {subject} is gone or altered" for subject in entry.spoiled]
        for index, put in enumerate(entry.said.get("puts", ())):
            row = built.setdefault(put["table"], {}).setdefault(put["id"], {})
            row.update(put.get("set", {}))
            if "of" in put:
                secret = entry.personal.get(put["of"])
                if secret is None:  # which columns it had put is erased, too; the blanks that took their place come later
                    erased.add((put["table"], put["id"]))
                    for name in [name for name in row if metadata.tables[put["table"]].c[name].info.get("personal")]:
                        del row[name]
                else:
                    row.update(secret["puts"][str(index)])


def _compare(conn: Connection, keys: BoundKeys, table: Table, built: Any, erased: set[tuple[str, int]]) -> Iterator[str]:
    stored = {row["id"]: row for row in conn.execute(select(table)).mappings()}
    for missing in sorted(built.keys() - stored.keys()):
        yield f"{table.name} {missing}: in the records, not in the table"
    for extra in sorted(stored.keys() - built.keys()):
        yield f"{table.name} {extra}: in the table, not in the records"
    for row_id in sorted(built.keys() & stored.keys()):
        for name, value in built[row_id].items():
            built_value = value
            found = stored[row_id][name]
            if found is not None and table.c[name].info.get("sealed"):
                found, built_value = keys.reveal(table.name, name, row_id, found), str(built_value)
            if found != built_value:
                yield f"{table.name} {row_id}: {name} differs from the records"
        for name, found in stored[row_id].items():  # what nobody ever put is empty; so is what was erased, and named since
            if found is not None and name != "id" and name not in built[row_id]:
                yield f"{table.name} {row_id}: {name} is in the table, not in the records"
