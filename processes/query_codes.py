"""Query codes: with number and code anybody may look up where a matter stands (办理进度查询).

The first code of an application follows from its number under the district's key, so nothing is stored and every case has one (decision 077).
Who has lost it gets a new one at the window: a random one, told once, of which a keyed digest is kept; the first is worth nothing then.
"""

from __future__ import annotations

import base64
import hmac
import secrets
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, select

from engine import store
from engine.crypto import BoundKeys
from engine.errors import Conflict, NotFound, Refused
from engine.model import Actor, Put
from engine.office import Act
from processes import erasure, households, readers
from processes.case_tables import letter, query_code

EVENT = "query_code_renewed"
WINDOW = frozenset({"window_clerk", "civil_affairs_officer"})  # who takes applications in
LETTERS = frozenset({"acceptance", "temp_acceptance"})  # that tell the first code
_LENGTH = 8
# No vowels, so that no words come out, and nothing that looks like another sign: 28 signs, 10 of them, 48 bits.
_SIGNS, _NEW_LENGTH = "23456789BCDFGHJKLMNPQRSTVWXZ", 10


def of_case(keys: BoundKeys, case_no: str) -> str:
    """The first code: eight signs of base 32 (no 0, 1, 8, 9)."""
    return base64.b32encode(bytes.fromhex(keys.blind(f"case-code:{case_no}")))[:_LENGTH].decode()


def new() -> str:
    """A random code of ten signs."""
    return "".join(secrets.choice(_SIGNS) for _ in range(_NEW_LENGTH))


def fits(keys: BoundKeys, case_no: str, code: str, kept: str | None) -> bool:
    """Whether `code` opens the case. `kept`: the digest of its renewed code, None where it has its first one. The same work either way."""
    said, first = _hashed(keys, case_no, code), _hashed(keys, case_no, of_case(keys, case_no))
    return hmac.compare_digest(first if kept is None else kept, said)


def _hashed(keys: BoundKeys, case_no: str, code: str) -> str:
    return keys.blind(f"case-code-digest:{case_no}:{code}")


def renewed(conn: Connection, case_no: str) -> Mapping[Any, Any] | None:
    """By whom and on which day the code was renewed last: {renewed_by, renewed_on}; None for one that never was."""
    return conn.execute(select(query_code.c.renewed_by, query_code.c.renewed_on).where(query_code.c.case_no == case_no)).mappings().one_or_none()


def may_renew(conn: Connection, actor: Actor, case_no: str) -> bool:
    """Whether this actor may give the case a new code now: what a page offers."""
    found = _told_to(conn, case_no)
    return found is not None and actor.post_over(found["community"], WINDOW) is not None and actor.id not in households.recused_staff(conn, found["household_id"])


def renew(act: Act, case_no: str) -> dict[str, Any]:
    """A new code for an application whose family has lost the first: the earlier one is worth nothing from now on. An entry of the case.

    Returns {"case", "code"}: the code once; a repeat of the request gets null in its place, since what is kept for it lies in clear. Refused:
    no post at the window there, near relatives, a restricted household. Conflict before the letter of acceptance, which tells the first code."""
    case_id = act.conn.scalar(select(store.record.c.id).where(store.record.c.kind == "case", store.record.c.no == case_no))
    if case_id is None:
        raise NotFound("没有这件个案")
    record = act.open("case", case_id)
    if (told := act.recall()) is not None:
        return told  # type: ignore[no-any-return]
    found = _told_to(act.conn, case_no)
    if found is None:
        raise Conflict("查询码随受理通知书告知，这件个案还没有受理通知书", "The letter of acceptance tells the query code: there is none yet")
    if not readers.of_cases(act.actor).covers(found["community"]):
        raise NotFound("没有这件个案")
    post = act.actor.post_over(found["community"], WINDOW)
    if post is None:
        raise Refused("window", "查询码由本辖区的窗口经办人或民政专干补发", "The window clerks and civil affairs officers of the area give a new query code")
    act.through(post)
    households.refuse_relative(act, found["household_id"])
    erasure.refuse_restricted(act.conn, found["household_id"])
    code, row_id = new(), act.conn.scalar(select(query_code.c.id).where(query_code.c.case_no == case_no))
    values = {"case_no": case_no, "code_hash": _hashed(act.keys, case_no, code), "renewed_by": act.actor.id, "renewed_on": act.today.isoformat()}
    act.append(record, EVENT, puts=[Put("query_code", row_id or record.next_id(), values)])
    act.remember({"case": case_no, "code": None})
    return {"case": case_no, "code": code}


def _told_to(conn: Connection, case_no: str) -> Mapping[Any, Any] | None:
    """{household_id, community} of the case whose family was told a code by letter."""
    home = conn.scalar(select(letter.c.household_id).where(letter.c.case_no == case_no, letter.c.kind.in_(LETTERS)).limit(1))
    return None if home is None else {"household_id": home, "community": households.row(conn, home)["community"]}
