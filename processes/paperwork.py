"""Letters and notices of a case: issued as exact bytes, kept, named in the record, and their delivery proved."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select, update

from engine.crypto import BoundKeys, file_commitment
from engine.errors import NotFound
from engine.model import Data, Put
from engine.office import Act
from engine.prepared import Prepared, run_all
from engine.process import CaseRef
from processes import households, identity, letters, query_codes
from processes.case_tables import letter, letter_bytes, letter_number, notice


def issue(act: Act, case: CaseRef, kind: str, facts: Data, more: Data) -> list[Put]:
    """Make a letter, keep its bytes sealed, and return the put that names it in the case's entry."""
    household_id = facts["household_id"]
    head = households.letterhead(act.conn, household_id)
    if facts.get("supported_person_id"):  # 特困: the applicant is one member
        head = {**head, "applicant": households.who(act.conn, household_id, facts["supported_person_id"])["name"]}
    street = head["street_name"] or facts["street"]
    number = letters.number(kind, street, act.today.year, next_number(act, kind, facts["street"]))
    data = {
        **facts,
        **more,
        "household": head,
        "case_no": case.no,
        "number": number,
        "street_name": street,
        "community_name": head["community_name"] or facts["community"],
        "issued_on": act.today.isoformat(),
        **({"query_code": query_codes.of_case(act.keys, case.no)} if kind in query_codes.LETTERS else {}),
    }
    stored = letters.render(kind, data).encode()
    row_id = case.next_id()
    cipher = act.keys.subject(f"household:{household_id}")
    sealed = cipher.seal(zlib.compress(stored, 9), f"letter:{row_id}".encode())
    run_all(act.conn, [(_BYTES, [{"id": row_id, "sealed": sealed}])])
    values = {
        "case_no": case.no,
        "household_id": household_id,
        "kind": kind,
        "number": number,
        "issued_on": act.today.isoformat(),
        "issued_by": act.actor.id,
        "digest": file_commitment(cipher, stored),
        "size": len(stored),
    }
    return [Put("letter", row_id, values)]


def issued_bytes(conn: Connection, keys: BoundKeys, letter_id: int) -> tuple[Mapping[Any, Any], bytes]:
    """The letter's row and the bytes as they were issued."""
    row = conn.execute(select(letter).where(letter.c.id == letter_id)).mappings().one_or_none()
    sealed = conn.scalar(select(letter_bytes.c.sealed).where(letter_bytes.c.id == letter_id))
    cipher = keys.find(f"household:{row['household_id']}") if row else None
    if row is None or sealed is None or cipher is None:
        raise NotFound("没有这份文书")
    return row, zlib.decompress(cipher.open(sealed, f"letter:{letter_id}".encode()))


def delivered(act: Act, case: CaseRef, kind: str, answers: Data) -> list[Put]:
    """送达: periods for appeal run from here."""
    found = _LATEST.row(act.conn, {"the_case": case.no, "the_kind": kind})
    if found is None:
        return []
    values = {
        "delivered_on": answers["delivered_on"],
        "delivery_method": answers.get("method"),
        "receipt_document": answers.get("receipt_document"),
    }
    return [Put("letter", found["id"], values)]


def post_notice(act: Act, case: CaseRef, stage: str, facts: Data, answers: Data) -> list[Put]:
    """公示: only the fields of the whitelist (N220 arts 25, 29, 34) reach this row."""
    who = households.who(act.conn, facts["household_id"], facts.get("supported_person_id"))
    act.keys.beside(f"person:{who['id']}", who.get("wrapped"))  # it seals what the notice says of him
    until = facts[_UNTIL[stage]]
    values = {
        "case_no": case.no,
        "stage": stage,
        "street": facts["street"],
        "community": facts["community"],
        "applicant": identity.public_name(who["name"], who["birth_date"], act.today)[0],
        "members": facts.get("members_counted") or len(households.counted_members(act.conn, facts["household_id"], act.today)),
        "category": facts["category"],
        "amount_fen": facts["amount_fen"],
        "posted_on": answers["posted_on"],
        "until_on": until[:10],  # the first day on which it is gone
        "removed_on": None,
        "photo_posted": answers.get("photo"),
    }
    return [Put("notice", case.next_id(), values, subject=f"person:{who['id']}")]


def remove_notice(act: Act, case: CaseRef, stage: str, answers: Data) -> list[Put]:
    found = _POSTED.rows(act.conn, {"the_case": case.no, "the_stage": stage})
    return [Put("notice", one["id"], {"removed_on": answers["removed_on"], "photo_removed": answers.get("photo")}) for one in found]


_UNTIL = {"street_opinion": "street_notice_until", "temporary_assistance": "street_notice_until", "district_proposal": "district_notice_until", "destitute_stop": "stop_notice_until"}
_BYTES = Prepared(insert(letter_bytes))
_POSTED = Prepared(select(notice.c.id).where(
    notice.c.case_no == bindparam("the_case"), notice.c.stage == bindparam("the_stage"), notice.c.removed_on.is_(None)))  # fmt: skip
_LATEST = Prepared(select(letter.c.id).where(letter.c.case_no == bindparam("the_case"), letter.c.kind == bindparam("the_kind")).order_by(letter.c.id.desc()).limit(1))
_COUNT = Prepared(
    update(letter_number)
    .where(letter_number.c.kind == bindparam("of_kind"), letter_number.c.unit == bindparam("of_unit"), letter_number.c.year == bindparam("of_year"))
    .values(last=letter_number.c.last + 1)
    .returning(letter_number.c.last)
)


def next_number(act: Act, kind: str, street: str) -> int:
    """Running number of a kind of document, per street and year: locked, so that none is given twice."""
    found = _COUNT.row(act.conn, {"of_kind": kind, "of_unit": street, "of_year": act.today.year})
    if found is None:
        act.conn.execute(insert(letter_number), {"kind": kind, "unit": street, "year": act.today.year, "last": 1})
        return 1
    return int(found["last"])
