"""办理进度查询 (ui screen 8): where a matter stands, for who has its number and its query code.

An intake has the code of its slip, kept as a digest (intakes). An application has one that follows from its number under the district's key, or the
last one that the window gave it anew (query_codes, decision 077). Whatever is wrong, number or code, the answer is the same, and so is the work done for it.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, select

from engine import store
from engine.crypto import BoundKeys
from engine.forms import Form, folded, text
from processes import attempts, intake_lists, leads, query_codes, temporary_assistance
from processes.audit import facts_of
from processes.bureau import Bureau
from processes.case_tables import query_code

TRIES_OF_ADDRESS, TRIES_OF_NUMBER, WINDOW_SECONDS = 30, 10, 15 * 60
_PREFIX = "SL-"  # of intakes


class ProgressIn(Form):
    """Number and query code, as on the slip or the letter of acceptance."""

    no = text("受理号", "Number", max=40, hint="如 SL-2018-000123 或 DB-2018-000123", hint_en="Like SL-2018-000123 or DB-2018-000123")
    code = text("查询码", "Query code", max=40, hint="在受理回执或受理通知书上", hint_en="On the slip, or on the letter of acceptance")


def asked(made: Bureau, address: str, no: str, code: str) -> tuple[list[dict[str, Any]] | None, int]:
    """(steps as `intake_lists.progress`, None for a wrong number or a wrong code; seconds to wait: 0, or nobody looked). Each try is counted, by
    address and by number, before anything is looked for."""
    no, code = folded(no).upper()[:40], "".join(folded(code).split()).upper()[:40]
    with made.office.act() as act:
        wait = max(attempts.count(act, "progress-address", address, TRIES_OF_ADDRESS, WINDOW_SECONDS), attempts.count(act, "progress-number", no, TRIES_OF_NUMBER, WINDOW_SECONDS))
    if wait:
        return None, wait
    with made.office.read() as conn:
        keys = made.office.keys.on(conn)
        return (intake_lists.progress(conn, keys, no, code) if no.startswith(_PREFIX) else _case(conn, keys, no, code)), 0


def _case(conn: Connection, keys: BoundKeys, no: str, code: str) -> list[dict[str, Any]] | None:
    asked_for = select(store.record.c.process, store.record.c.state, query_code.c.code_hash).outerjoin(query_code, query_code.c.case_no == store.record.c.no)
    row = conn.execute(asked_for.where(store.record.c.kind == "case", store.record.c.no == no)).one_or_none()
    right = query_codes.fits(keys, no, code, row.code_hash if row is not None else None)
    if row is None or not right or row.process not in leads.applications():
        return None
    programme = "temporary_assistance" if row.process == temporary_assistance.KEY else str(facts_of(row.state).get("programme") or "dibao")
    return intake_lists._of_case(conn, {"case_no": no, "programme": programme})

