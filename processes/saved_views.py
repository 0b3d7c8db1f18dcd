"""常用视图: how a worker narrows and sorts the list of tasks, kept under a name. A convenience of his own: no part of any record."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select

from engine.errors import Invalid, NotFound
from engine.office import Act
from processes.tables import saved_view

MOST, LONGEST = 20, 40
KEYS = ("view", "unit", "process", "node", "no", "due", "flag", "sort", "size")  # what a list's address says; never a name of a person
_LONGEST_VALUE = 60


def listed(conn: Connection, staff: str) -> list[dict[str, Any]]:
    """`{id, name, query}` of one worker, by name; `query`: some of KEYS -> text."""
    rows = conn.execute(select(saved_view).where(saved_view.c.staff == staff).order_by(saved_view.c.name))
    return [{"id": row.id, "name": row.name, "query": json.loads(row.query)} for row in rows]


def keep(act: Act, name: str, query: Mapping[str, str]) -> dict[str, Any]:
    """Under a name of his own; one of the same name is replaced. Raises Invalid."""
    name, kept = " ".join(name.split()), {key: query[key].strip() for key in KEYS if query.get(key, "").strip()}
    if not name or len(name) > LONGEST or not name.isprintable():
        raise Invalid({"name": [f"请填写名称，最多 {LONGEST} 字"]})
    if any(len(value) > _LONGEST_VALUE or not value.isprintable() for value in kept.values()):
        raise Invalid({"query": ["筛选条件不正确"]})
    mine = saved_view.c.staff == act.actor.id
    act.conn.execute(delete(saved_view).where(mine, saved_view.c.name == name))
    if (act.conn.scalar(select(func.count()).select_from(saved_view).where(mine)) or 0) >= MOST:
        raise Invalid({"name": [f"最多保存 {MOST} 个常用视图，请先删除不用的"]})
    made = act.conn.execute(insert(saved_view).values(staff=act.actor.id, name=name, query=json.dumps(kept, ensure_ascii=False))).inserted_primary_key
    return {"id": int(made[0]) if made else 0, "name": name, "query": kept}


def drop(act: Act, view_id: int) -> dict[str, Any]:
    """What it was. NotFound unless it is the worker's own."""
    found = next((one for one in listed(act.conn, act.actor.id) if one["id"] == view_id), None)
    if found is None:
        raise NotFound("没有这个常用视图")
    act.conn.execute(delete(saved_view).where(saved_view.c.id == view_id))
    return found
