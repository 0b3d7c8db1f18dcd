"""举报电话 (N220 art 35; domain 1.12): the numbers that district and streets publish. No source has them: administrators keep them, on the record."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, bindparam, select

from engine.errors import NotFound, Refused
from engine.forms import folded
from engine.model import Put
from engine.office import Act
from processes import organisation
from processes.display_tables import unit_phone
from processes.tables import unit

HOTLINE = "12345"  # the city's, where an office has published none
LEVELS = ("district", "street")


def put(act: Act, code: str, said: Mapping[str, Any]) -> dict[str, Any]:
    """The number of a district or street from now on. `said`: as understood by PhoneIn. Administrators over the unit alone."""
    held = act.actor.post_over(code, {"admin"})
    if held is None:
        raise Refused("admin", "公布的举报电话由系统管理员维护", "The published telephones are kept by administrators")
    if act.conn.scalar(select(unit.c.id).where(unit.c.code == code, unit.c.level.in_(LEVELS))) is None:
        raise NotFound("没有这个区或街镇")
    if (told := act.recall()) is not None:
        return told  # type: ignore[no-any-return]
    act.through(held)
    number = act.conn.scalar(select(unit_phone.c.id).where(unit_phone.c.unit == code))
    record = act.open("unit_phone", number >> 16) if number is not None else act.new("unit_phone", code)
    values = {"phone": folded(said["phone"]), "hours": said.get("hours") or None, "address": said.get("address") or None, "published": said["published"],
              "set_by": act.actor.id, "set_on": act.today.isoformat()}  # fmt: skip
    row_id = number if number is not None else record.next_id()
    act.append(record, "phone_set", {"unit": code, "published": said["published"]}, puts=[Put("unit_phone", row_id, values if number is not None else {"unit": code, **values})])
    told = {"unit": code, **values}
    act.remember(told)
    return told


def listed(conn: Connection, *, all_units: bool = False) -> list[dict[str, Any]]:
    """District first, then the streets: unit, name, level, phone (null: none is published; the hotline stands for it), hours, address.
    all_units: also what is kept and not published, for administrators."""
    query = select(unit.c.code, unit.c.name, unit.c.level, unit_phone).outerjoin(unit_phone, unit_phone.c.unit == unit.c.code).where(unit.c.level.in_(LEVELS)).order_by(unit.c.code)
    found = []
    for row in conn.execute(query).mappings():
        shown = bool(row["published"]) or (all_units and row["phone"] is not None)
        one = {"unit": row["code"], "name": row["name"], "level": row["level"], **{name: row[name] if shown else None for name in ("phone", "hours", "address")}}
        found.append({**one, "published": bool(row["published"]), "set_on": row["set_on"]} if all_units else one)
    return found


_OF = select(unit_phone.c.unit, unit_phone.c.phone).where(unit_phone.c.unit.in_([bindparam("the_street"), organisation.DISTRICT]), unit_phone.c.published)


def of(conn: Connection, code: str) -> str:
    """What a notice of a street prints: its own number, else the district's, else the hotline."""
    found = {row.unit: row.phone for row in conn.execute(_OF, {"the_street": code[:9]})}
    return str(found.get(code[:9]) or found.get(organisation.DISTRICT) or HOTLINE)
