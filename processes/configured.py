"""Which settings a program ran with: written down when they differ from those that it ran with before.

Settings decide what an office asks of its own lists, which registries answer, who cosigns. The entry names them and holds keyed
digests, no value: an auditor sees that and when one changed, nobody can try values against it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from sqlalchemy import Connection, select

from engine import store
from engine.office import Office, Record
from processes.bureau import district_record

EVENT = "settings_changed"
_AT_ONCE = 200  # entries of the district's record, read backwards; there are few


def note(office: Office, place: str, settings: Mapping[str, str]) -> list[str]:
    """The names of the settings that changed since the last start at this place (program and machine), which an entry of
    administration now says; all of them at the first start. None are written down before there is a district."""
    digests = {name: office.keys.blind(f"setting:{name}:{value}") for name, value in settings.items()}
    with office.act() as act:
        district = district_record(act.conn)
        if district is None:
            return []
        record = act.open("unit", district)  # two programs that start at once: the second sees what the first wrote
        before = _last(act.conn, record, place)
        changed = sorted(name for name in digests.keys() | before.keys() if digests.get(name) != before.get(name))
        if changed:
            act.append(record, EVENT, {"place": place, "changed": changed, "digests": digests})
        return changed


def _last(conn: Connection, record: Record, place: str) -> Mapping[str, str]:
    entry, before = store.entry, record.seq + 1
    while True:
        query = select(entry.c.seq, entry.c.body).where(entry.c.record_id == record.id, entry.c.seq < before).order_by(entry.c.seq.desc()).limit(_AT_ONCE)
        rows = conn.execute(query).all()
        for row in rows:
            if f'"event":"{EVENT}"'.encode() in row.body and (said := json.loads(row.body))["event"] == EVENT and said["data"]["place"] == place:
                found: Mapping[str, str] = said["data"]["digests"]
                return found
        if len(rows) < _AT_ONCE:
            return {}
        before = rows[-1].seq
