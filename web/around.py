"""What stands around a task on its page: who was asked to sign, urges, copies, comments and notes, and what the reader may do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from engine import habits, queries, signers
from engine.crypto import BoundKeys
from engine.model import Actor
from processes import organisation
from web import wording

Row = Mapping[Any, Any]


def view(conn: Connection, keys: BoundKeys, case: Row, task: Row, me: Actor, who: Actor) -> dict[str, Any]:
    """`who`: the reader in the capacity in which he meets the task."""
    opinions, urges, copies = habits.opinions(conn, keys, task["id"]), habits.urges(conn, task["id"]), habits.copies(conn, task["id"])
    comments, notes = habits.comments(conn, keys, case["id"]), None
    handles = habits.handles(case, queries.case_tasks(conn, case["id"]), me)
    if handles:
        notes = habits.notes(conn, keys, case)
    logins = [row[name] for rows, name in ((opinions, "staff"), (opinions, "asked_by"), (urges, "staff"), (copies, "staff"), (comments, "staff"), (notes or (), "staff")) for row in rows]
    boss, is_open = me.holds("supervisor", task["unit"]), task["state"] == "open"
    asked = [row for row in opinions if row["state"] == "asked"]
    return {
        "opinions_asked": opinions, "urges": urges, "copies": copies, "comments": comments, "notes": notes, "handles": handles, "known": wording.names_of(conn, logins),
        "held": habits.handed_in(conn, keys, task["id"]) if is_open and signers.is_held(task) else None, "covering": _covering(conn, task["unit"]),
        "may_sign": is_open and any(row["staff"] == me.id and (row["kind"] == "before" or signers.is_held(task)) for row in asked),
        "may_ask": is_open and who.holds(task["role"], task["unit"]) and task["assignee"] in (None, *who.persons) and not signers.is_held(task),
        "may_withdraw": [row for row in asked if is_open and (boss or row["asked_by"] == me.id)],
        "unread": any(row["staff"] == me.id and row["read_on"] is None for row in copies),
        "may_take_back": task["state"] == "done" and task["done_by"] == me.id and not case["closed_at"],
    }  # fmt: skip


def _covering(conn: Connection, unit: str) -> list[tuple[str, str]]:
    """Login and name of active staff whose post covers the unit."""
    return sorted({(row["login"], row["name"]) for row in organisation.colleagues(conn, None, unit)})
