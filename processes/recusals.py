"""更正近亲属登记: a near-relative statement that was a mistake is taken back (N220 art 14; domain 5.4).

Naming somebody recuses him, so nobody ends that alone: one who enters the household's data asks with a reason, a street leader or a
supervisor agrees, and neither is a near relative of the household, the one who was named included. What the register of staff itself
shows cannot be taken back here. The entries stand in the household's record. This module opens no transaction.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, select

from engine import unmanned
from engine.errors import Conflict, Invalid, NotFound, Refused
from engine.model import Actor, Data, Put
from engine.office import Act, Record, history
from processes import erasure, households, readers
from processes.tables import near_relative

ASKED, REFUSED, REVOKED = "near_relative_revocation_asked", "near_relative_revocation_refused", "near_relative_revoked"
AGREE = frozenset({"street_leader", "supervisor"})


def ask(act: Act, household_id: int, statement_id: int, reason: str) -> None:
    """Ask that a statement is taken back. The recusal holds until another person agrees."""
    record, row = _opened(act, household_id, statement_id)
    if not reason.strip():
        raise Invalid({"reason": ["请写明为何登记有误"]})
    if row["revoke_asked_by"] is not None:
        raise Conflict("已有人提出更正，等候确认", "That is asked for already, and waits for another person")
    values = {"revoke_asked_by": act.actor.id, "revoke_asked_on": act.today.isoformat(), "revoke_reason": reason.strip()}
    subject = f"household:{household_id}"
    act.append(record, ASKED, _said(row), personal={subject: {"reason": reason.strip()}}, puts=[Put("near_relative", statement_id, values, subject)])


def agree(act: Act, household_id: int, statement_id: int) -> None:
    """Another person agrees: the recusal is over, the statement and its end stay on the record."""
    record, row = _second(act, household_id, statement_id)
    puts = [Put("near_relative", statement_id, {"revoked_by": act.actor.id, "revoked_on": act.today.isoformat()})]
    others = select(near_relative.c.id).where(near_relative.c.household_id == household_id, near_relative.c.revoked_on.is_(None), near_relative.c.id != statement_id)
    if act.conn.scalar(others.limit(1)) is None and not _said_at_registration(act, household_id):
        puts.append(Put("household", household_id, {"near_relative_declared": False}))
    act.append(record, REVOKED, _said(row), puts=puts)
    if row["staff_login"]:
        unmanned.plan(act, record, subject=f"household:{household_id}")


def refuse(act: Act, household_id: int, statement_id: int) -> None:
    """Another person does not agree: the statement stands."""
    record, row = _second(act, household_id, statement_id)
    gone = dict.fromkeys(("revoke_asked_by", "revoke_asked_on", "revoke_reason"))
    act.append(record, REFUSED, _said(row), puts=[Put("near_relative", statement_id, gone, f"household:{household_id}")])


def _said(row: Mapping[Any, Any]) -> Data:
    return {"statement": row["id"], "login": row["staff_login"], "asked_by": row["revoke_asked_by"]}


def _opened(act: Act, household_id: int, statement_id: int) -> tuple[Record, Mapping[Any, Any]]:
    record = act.open("household", household_id)
    if not readers.of_cases(act.actor).covers(record.unit):
        raise NotFound("没有这户家庭")
    erasure.refuse_restricted(act.conn, household_id)
    where = (near_relative.c.id == statement_id, near_relative.c.household_id == household_id)
    row = act.conn.execute(select(near_relative).where(*where)).mappings().one_or_none()
    if row is None:
        raise NotFound("这户没有这项近亲属登记")
    if row["revoked_on"] is not None:
        raise Conflict("这项近亲属登记已更正", "This statement is taken back already")
    if households.recused_staff(act.conn, household_id).intersection(act.actor.persons):
        raise Refused("near-relative", "您与这户家庭成员登记有近亲属关系，应当回避，不能更正该登记", "You are named a near relative of the household: others mend that")
    act.through(act.actor.post_over(record.unit))
    return record, row


def _second(act: Act, household_id: int, statement_id: int) -> tuple[Record, Mapping[Any, Any]]:
    record, row = _opened(act, household_id, statement_id)
    if row["revoke_asked_by"] is None:
        raise Conflict("没有人提出更正这项登记", "Nobody asked to take this statement back")
    if row["revoke_asked_by"] in act.actor.persons:
        raise Refused("two-persons", "提出更正的人不能自己确认（双人规则）", "Who asked may not agree")
    post = act.actor.post_over(record.unit, AGREE)
    if post is None:
        raise Refused("role", "更正近亲属登记由街镇分管领导或督办人员确认", "A street leader or a supervisor agrees to that")
    act.through(post)
    return record, row


def _said_at_registration(act: Act, household_id: int) -> bool:
    """Whether the household itself said that there is a relative, without naming him: that stands."""
    first = history(act.conn, act.keys, household_id)[0]
    return any(put["table"] == "household" and put.get("set", {}).get("near_relative_declared") for put in first.said.get("puts", ()))


def may_agree(actor: Actor, community: str, row: Mapping[Any, Any]) -> bool:
    """What a page offers; the act looks at recusal, too."""
    waits = row["revoke_asked_by"] is not None and row["revoked_on"] is None
    return waits and row["revoke_asked_by"] != actor.id and actor.post_over(community, AGREE) is not None


def statements(conn: Connection, household_id: int) -> list[Mapping[Any, Any]]:
    """All of a household's statements, those that were taken back too, oldest first."""
    return list(conn.execute(select(near_relative).where(near_relative.c.household_id == household_id).order_by(near_relative.c.id)).mappings())
